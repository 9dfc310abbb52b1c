/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed queues.  Virtio 1.2, 2.8.
 *
 *     desc:            size x { le64 addr; le32 len; le16 id; le16 flags }, read and written by both
 *     driver, device:  le16 position and wrap counter; le16 flags: whether that side wants to be told
 */
#include "dev/virtio/vq_priv.h"

#include <errno.h>

enum { EVENT_ENABLE = 0, EVENT_DISABLE = 1, EVENT_DESC = 2 };

static uint16_t load16(const uint8_t *p)
{
    return le16toh(__atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE));
}

static void store16(uint8_t *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)p, htole16(v), __ATOMIC_RELEASE);
}

static void packed_areas(const struct vq *q, uint64_t len[3])
{
    len[0] = DESC_BYTES * (uint64_t)q->size;
    len[1] = len[2] = 4;
}

static bool is_avail(uint16_t flags, bool wrap)
{
    return !!(flags & DESC_AVAIL) == wrap && !!(flags & DESC_USED) != wrap;
}

static bool packed_empty(struct vq *q)
{
    return !is_avail(load16(q->h_desc + q->next_avail * DESC_BYTES + 14), q->avail_wrap);
}

static void forward(uint16_t *pos, bool *wrap, unsigned n, unsigned size)
{
    unsigned to = *pos + n;

    if (to >= size) {
        to -= size;
        *wrap = !*wrap;
    }
    *pos = to;
}

static int packed_pop(struct vq *q, struct chain *c)
{
    struct vq_elem *el = c->el;
    unsigned pos = q->next_avail, n = 0;
    struct desc d;
    int r;

    if (packed_empty(q))
        return 0;
    do {
        const uint8_t *p = q->h_desc + pos * DESC_BYTES;

        d.flags = load16(p + 14);
        d.addr = get_le64(p);
        d.len = get_le32(p + 8);
        d.id = get_le16(p + 12);
        n++;
        if ((r = chain_count(c, q->size)) < 0 ||
            (r = d.flags & DESC_INDIRECT ? chain_indirect(c, &d, true)
                                         : chain_add(c, d.addr, d.len, d.flags & DESC_WRITE)) < 0)
            return r;
        pos = pos + 1 == q->size ? 0 : pos + 1;
    } while (d.flags & DESC_NEXT);
    el->id = d.id; /* the last one's, 2.8.6 */
    el->pos = q->next_avail;
    el->n_descs = n;
    forward(&q->next_avail, &q->avail_wrap, n, q->size);
    return 1;
}

static void packed_unpop(struct vq *q, const struct vq_elem *el)
{
    if (el->pos + el->n_descs >= q->size)
        q->avail_wrap = !q->avail_wrap;
    q->next_avail = el->pos;
}

/* The driver looks at one entry after the other: the flags of the first are written when all the others are there. */
static void packed_push(struct vq *q, const struct vq_elem *el, uint32_t written)
{
    uint8_t *p = q->h_desc + q->next_used * DESC_BYTES;
    uint16_t flags = (q->used_wrap ? DESC_AVAIL | DESC_USED : 0) | (el->n_wr ? DESC_WRITE : 0);
    bool wrap = q->used_wrap;

    put_le16(p + 12, el->id);
    put_le32(p + 8, written);
    if (q->pushed) {
        store16(p + 14, flags);
    } else {
        q->first_pos = q->next_used;
        q->first_flags = flags;
    }
    forward(&q->next_used, &q->used_wrap, el->n_descs, q->size);
    if (wrap != q->used_wrap)
        q->signalled -= q->size;
}

static void packed_publish(struct vq *q)
{
    store16(q->h_desc + q->first_pos * DESC_BYTES + 14, q->first_flags);
}

/* @old is from before the pushes; q->signalled is the same, moved by one size where they wrapped. */
static bool packed_wants_interrupt(struct vq *q, uint16_t old)
{
    uint16_t flags = load16(q->h_driver + 2);
    uint16_t event, off;

    old = q->signalled;
    if (flags != EVENT_DESC || !virtio_has(q->v, VIRTIO_F_EVENT_IDX))
        return flags != EVENT_DISABLE;
    event = load16(q->h_driver);
    off = event & 0x7fff;
    if ((event >> 15) != q->used_wrap)
        off -= q->size;
    return vq_passed(off, q->next_used, old);
}

static void packed_kicks(struct vq *q, bool on)
{
    /* What is there already, perhaps too little for the device, has been passed: then each kick counts. */
    if (on && virtio_has(q->v, VIRTIO_F_EVENT_IDX) && packed_empty(q)) {
        store16(q->h_device, q->next_avail | (uint16_t)q->avail_wrap << 15);
        store16(q->h_device + 2, EVENT_DESC);
    } else {
        store16(q->h_device + 2, on ? EVENT_ENABLE : EVENT_DISABLE);
    }
}

const struct vq_layout vq_packed = {
    .pop = packed_pop,
    .unpop = packed_unpop,
    .push = packed_push,
    .publish = packed_publish,
    .wants_interrupt = packed_wants_interrupt,
    .empty = packed_empty,
    .kicks = packed_kicks,
    .areas = packed_areas,
};
