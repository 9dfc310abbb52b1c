/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Split queues.  Virtio 1.2, 2.7.
 *
 *     desc:    size x { le64 addr; le32 len; le16 flags; le16 next }
 *     driver:  le16 flags; le16 idx; le16 ring[size]; le16 used_event
 *     device:  le16 flags; le16 idx; { le32 id; le32 len } ring[size]; le16 avail_event
 */
#include "dev/virtio/vq_priv.h"

#include <errno.h>

enum { NO_INTERRUPT = 1, NO_NOTIFY = 1 };

static uint16_t load16(const uint8_t *p)
{
    return le16toh(__atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE));
}

static void store16(uint8_t *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)p, htole16(v), __ATOMIC_RELEASE);
}

static void split_areas(const struct vq *q, uint64_t len[3])
{
    unsigned event = virtio_has(q->v, VIRTIO_F_EVENT_IDX) ? 2 : 0;

    len[0] = DESC_BYTES * (uint64_t)q->size;
    len[1] = 4 + 2 * (uint64_t)q->size + event;
    len[2] = 4 + 8 * (uint64_t)q->size + event;
}

/* Entries that wait, as the driver has it now; 0 when it contradicts itself. */
static unsigned waiting(struct vq *q)
{
    uint16_t n;

    if (q->seen_avail == q->next_avail)
        q->seen_avail = load16(q->h_driver + 2);
    n = q->seen_avail - q->next_avail;
    if (n <= q->size)
        return n;
    virtio_break(q->v, "queue %u: avail index %u, %u taken, size %u", q->index, q->seen_avail,
                 q->next_avail, q->size);
    return 0;
}

static bool split_empty(struct vq *q)
{
    return waiting(q) == 0;
}

static int walk(struct vq *q, struct chain *c, unsigned i)
{
    struct desc d;
    int r;

    do {
        const uint8_t *p = q->h_desc + i * DESC_BYTES;

        if (i >= q->size) {
            virtio_break(q->v, "queue %u: descriptor %u of %u", q->index, i, q->size);
            return -EPROTO;
        }
        d.addr = get_le64(p);
        d.len = get_le32(p + 8);
        d.flags = get_le16(p + 12);
        d.next = get_le16(p + 14);
        if ((r = chain_count(c, q->size)) < 0)
            return r;
        if (d.flags & DESC_INDIRECT)
            return chain_indirect(c, &d, false);
        if ((r = chain_add(c, d.addr, d.len, d.flags & DESC_WRITE)) < 0)
            return r;
        i = d.next;
    } while (d.flags & DESC_NEXT);
    return 0;
}

static int split_pop(struct vq *q, struct chain *c)
{
    uint16_t head;
    int r;

    if (!waiting(q))
        return 0;
    head = get_le16(q->h_driver + 4 + 2 * (q->next_avail % q->size));
    if ((r = walk(q, c, head)) < 0)
        return r;
    c->el->id = head;
    c->el->pos = q->next_avail++;
    c->el->n_descs = 1;
    return 1;
}

static void split_unpop(struct vq *q, const struct vq_elem *el)
{
    q->next_avail = el->pos;
}

static void split_push(struct vq *q, const struct vq_elem *el, uint32_t written)
{
    uint8_t *p = q->h_device + 4 + 8 * (q->next_used % q->size);

    put_le32(p, el->id);
    put_le32(p + 4, written);
    q->next_used++;
}

static void split_publish(struct vq *q)
{
    store16(q->h_device + 2, q->next_used);
}

static bool split_wants_interrupt(struct vq *q, uint16_t old)
{
    if (virtio_has(q->v, VIRTIO_F_NOTIFY_ON_EMPTY) && !waiting(q))
        return true;
    if (virtio_has(q->v, VIRTIO_F_EVENT_IDX))
        return vq_passed(load16(q->h_driver + 4 + 2 * q->size), q->next_used, old);
    return !(load16(q->h_driver) & NO_INTERRUPT);
}

static void split_kicks(struct vq *q, bool on)
{
    if (!virtio_has(q->v, VIRTIO_F_EVENT_IDX))
        store16(q->h_device, on ? 0 : NO_NOTIFY);
    else if (on) /* what is there already, perhaps too little for the device, is no news */
        store16(q->h_device + 4 + 8 * q->size, load16(q->h_driver + 2));
    /* With event indices quiet is not to move the index: the driver kicks once when it passes it. */
}

const struct vq_layout vq_split = {
    .pop = split_pop,
    .unpop = split_unpop,
    .push = split_push,
    .publish = split_publish,
    .wants_interrupt = split_wants_interrupt,
    .empty = split_empty,
    .kicks = split_kicks,
    .areas = split_areas,
};
