/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues: guest memory of chains, and what both layouts of a ring share.  Virtio 1.2, 2.6. */
#include "dev/virtio/vq_priv.h"

#include <errno.h>

static const struct vq_layout *layout(const struct vq *q)
{
    return virtio_has(q->v, VIRTIO_F_RING_PACKED) ? &vq_packed : &vq_split;
}

static uint8_t *map_area(struct vq *q, uint64_t addr, uint64_t want, unsigned align, bool write)
{
    uint64_t len = want;
    uint8_t *p = addr % align ? NULL : space_map(q->v->space, addr, &len, write);

    return p && len >= want ? p : NULL;
}

/* The three areas, looked up once for each batch: RAM stays where it is, but the guest may move what shows it. */
static bool vq_map(struct vq *q)
{
    bool packed = virtio_has(q->v, VIRTIO_F_RING_PACKED);
    uint64_t len[3];

    layout(q)->areas(q, len);
    q->h_desc = map_area(q, q->desc, len[0], 16, packed);
    q->h_driver = map_area(q, q->driver, len[1], packed ? 4 : 2, false);
    q->h_device = map_area(q, q->device, len[2], 4, true);
    q->mapped = q->h_desc && q->h_driver && q->h_device;
    if (!q->mapped)
        virtio_break(q->v, "queue %u is not in RAM", q->index);
    return q->mapped;
}

static bool usable(struct vq *q)
{
    return q->size && q->enabled && virtio_running(q->v) && (q->mapped || vq_map(q));
}

int chain_count(struct chain *c, unsigned limit)
{
    if (c->descs++ < limit && c->descs <= VQ_MAX_DESCS)
        return 0;
    virtio_break(c->q->v, "queue %u: a chain of more than %u descriptors", c->q->index,
                 limit < VQ_MAX_DESCS ? limit : VQ_MAX_DESCS);
    return -EPROTO;
}

/* One piece of host memory: grows the last one when it goes on where that ends. */
static int chain_piece(struct chain *c, uint64_t addr, uint8_t *host, uint64_t len, bool write)
{
    struct vq_elem *el = c->el;
    struct iovec *last = c->n ? &c->iov[c->n - 1] : NULL;
    uint16_t *count = write ? &el->n_wr : &el->n_rd;

    *(write ? &el->wr_len : &el->rd_len) += len;
    if (last && *count && (uint8_t *)last->iov_base + last->iov_len == host &&
        (!el->addr || el->addr[c->n - 1] + last->iov_len == addr)) {
        last->iov_len += len;
        return 0;
    }
    if (c->n >= c->max)
        return -ENOBUFS;
    if (el->addr)
        el->addr[c->n] = addr;
    c->iov[c->n++] = (struct iovec){host, len};
    ++*count;
    return 0;
}

int chain_add(struct chain *c, uint64_t addr, uint32_t left, bool write)
{
    struct virtio *v = c->q->v;

    if (!write && c->el->n_wr) {
        virtio_break(v, "queue %u: memory to read behind memory to write", c->q->index);
        return -EPROTO;
    }
    if (c->el->rd_len + c->el->wr_len + left >
        UINT32_MAX) { /* 2.7.4.1: no chain of more than 2^32 bytes */
        virtio_break(v, "queue %u: a chain of more than 4 GiB", c->q->index);
        return -EPROTO;
    }
    while (left) {
        uint64_t len = left;
        uint8_t *host = space_map(v->space, addr, &len, write);
        int r;

        if (!host || !len) {
            virtio_break(v, "queue %u: a buffer at %#" PRIx64 " is not in RAM", c->q->index, addr);
            return -EPROTO;
        }
        len = min_u64(len, left);
        if ((r = chain_piece(c, addr, host, len, write)) < 0)
            return r;
        addr += len;
        left -= len;
    }
    return 0;
}

static void read_desc(struct desc *d, const uint8_t p[static DESC_BYTES], bool packed)
{
    d->addr = get_le64(p);
    d->len = get_le32(p + 8);
    d->id = get_le16(p + 12);
    d->flags = packed ? get_le16(p + 14) : d->id;
    d->next = packed ? 0 : get_le16(p + 14);
}

/* An indirect table: descriptors one after another (packed, 2.8.7), or chained by index (2.7.5.3). */
static int walk_table(struct chain *c, const uint8_t *table, unsigned n, bool packed)
{
    struct desc d;
    unsigned i = 0;
    int r;

    do {
        uint8_t raw[DESC_BYTES];

        if (i >= n) {
            virtio_break(c->q->v, "queue %u: entry %u of an indirect table of %u", c->q->index, i,
                         n);
            return -EPROTO;
        }
        memcpy(raw, table + i * DESC_BYTES, sizeof(raw));
        read_desc(&d, raw, packed);
        if (!packed && d.flags & DESC_INDIRECT) {
            virtio_break(c->q->v, "queue %u: an indirect table in another", c->q->index);
            return -EPROTO;
        }
        if ((r = chain_count(c, VQ_MAX_DESCS)) < 0 ||
            (r = chain_add(c, d.addr, d.len, d.flags & DESC_WRITE)) < 0)
            return r;
        i = packed ? i + 1 : d.next;
    } while (packed ? i < n : d.flags & DESC_NEXT);
    return 0;
}

int chain_indirect(struct chain *c, const struct desc *d, bool packed)
{
    uint8_t copy[VQ_MAX_DESCS * DESC_BYTES];
    uint64_t len = d->len;
    const uint8_t *table;

    if (!virtio_has(c->q->v, VIRTIO_F_INDIRECT_DESC) || d->len % DESC_BYTES || !d->len ||
        d->flags & DESC_NEXT || d->len / DESC_BYTES > UINT16_MAX) {
        virtio_break(c->q->v, "queue %u: an indirect table of %u bytes, flags %#x", c->q->index,
                     d->len, d->flags);
        return -EPROTO;
    }
    table = space_map(c->q->v->space, d->addr, &len, false);
    if (!table || len < d->len) { /* perhaps across two kinds of RAM */
        if (!table || d->len > sizeof(copy) ||
            space_read(c->q->v->space, d->addr, copy, d->len, (struct access){.who = BUS_NOBODY}) <
                0) {
            virtio_break(c->q->v, "queue %u: an indirect table at %#" PRIx64 " is not in RAM",
                         c->q->index, d->addr);
            return -EPROTO;
        }
        table = copy;
    }
    return walk_table(c, table, d->len / DESC_BYTES, packed);
}

int vq_pop(struct vq *q, struct vq_elem *el, struct iovec *iov, unsigned max)
{
    struct chain c = {.q = q, .el = el, .iov = iov, .max = max};
    int r;

    el->n_rd = el->n_wr = el->n_descs = 0;
    el->rd_len = el->wr_len = 0;
    if (!usable(q) || (r = layout(q)->pop(q, &c)) == 0)
        return 0;
    if (r == -ENOBUFS && max >= VQ_MAX_SEGS)
        virtio_break(q->v, "queue %u: a chain of more than %d pieces", q->index, VQ_MAX_SEGS);
    if (r < 0)
        return r == -ENOBUFS && !q->v->broken ? r : 0;
    el->rd = iov;
    el->wr = iov + el->n_rd;
    return 1;
}

int vq_restore(struct vq *q, struct vq_elem *el, struct iovec *iov, struct err *e)
{
    el->rd = iov;
    el->wr = iov + el->n_rd;
    el->rd_len = el->wr_len = 0;
    for (unsigned i = 0; i < (unsigned)el->n_rd + el->n_wr; i++) {
        uint64_t len = iov[i].iov_len;

        iov[i].iov_base = space_map(q->v->space, el->addr[i], &len, i >= el->n_rd);
        if (!iov[i].iov_base || len < iov[i].iov_len)
            return err_set(e, -EILSEQ, "a request's buffer at %#" PRIx64 " is not in RAM",
                           el->addr[i]);
        *(i < el->n_rd ? &el->rd_len : &el->wr_len) += iov[i].iov_len;
    }
    return 0;
}

void vq_unpop(struct vq *q, const struct vq_elem *el)
{
    layout(q)->unpop(q, el);
}

void vq_push(struct vq *q, const struct vq_elem *el, uint32_t written)
{
    uint64_t left = written;

    for (unsigned i = 0; i < el->n_wr && left; i++) {
        uint64_t k = min_u64(left, el->wr[i].iov_len);

        space_unmap(q->v->space, el->wr[i].iov_base, k);
        left -= k;
    }
    if (usable(q)) {
        layout(q)->push(q, el, written);
        q->pushed++;
    }
}

/* Told of all that was written: the areas are a few pages. */
static void unmap(struct vq *q)
{
    uint64_t len[3];

    layout(q)->areas(q, len);
    space_unmap(q->v->space, q->h_device, len[2]);
    if (virtio_has(q->v, VIRTIO_F_RING_PACKED))
        space_unmap(q->v->space, q->h_desc, len[0]);
    q->mapped = false;
}

bool vq_flush(struct vq *q)
{
    uint16_t old = q->signalled;
    bool tell = false;

    if (!q->mapped)
        return false;
    if (q->pushed) {
        layout(q)->publish(q);
        __atomic_thread_fence(
            __ATOMIC_SEQ_CST); /* published before we look whether anybody waits */
        tell = layout(q)->wants_interrupt(q, old) || !q->signalled_ok;
        q->signalled = q->next_used;
        q->signalled_ok = true;
        q->pushed = 0;
    }
    unmap(q);
    return tell;
}

void vq_notify(struct vq *q)
{
    if (vq_flush(q))
        virtio_interrupt(q);
    virtio_tell(q->v);
}

bool vq_empty(struct vq *q)
{
    return !usable(q) || layout(q)->empty(q);
}

void vq_quiet(struct vq *q)
{
    if (usable(q) && !q->quiet) {
        q->quiet = true;
        layout(q)->kicks(q, false);
    }
}

bool vq_listen(struct vq *q)
{
    if (!usable(q))
        return false;
    q->quiet = false;
    layout(q)->kicks(q, true);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* asked before we look for the last time */
    return !layout(q)->empty(q);
}

size_t iov_write(const struct iovec *iov, unsigned n, size_t off, const void *buf, size_t len)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < len; i++) {
        if (off >= iov[i].iov_len) {
            off -= iov[i].iov_len;
            continue;
        }
        size_t k = min_u64(iov[i].iov_len - off, len - done);

        memcpy((uint8_t *)iov[i].iov_base + off, (const uint8_t *)buf + done, k);
        done += k;
        off = 0;
    }
    return done;
}

size_t iov_read(const struct iovec *iov, unsigned n, size_t off, void *buf, size_t len)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < len; i++) {
        if (off >= iov[i].iov_len) {
            off -= iov[i].iov_len;
            continue;
        }
        size_t k = min_u64(iov[i].iov_len - off, len - done);

        memcpy((uint8_t *)buf + done, (uint8_t *)iov[i].iov_base + off, k);
        done += k;
        off = 0;
    }
    return done;
}

size_t iov_fill(const struct iovec *iov, unsigned n, size_t off, int c, size_t len)
{
    struct iovec part[n + 1];
    unsigned k = vq_iov_slice(iov, n, off, len, part);
    size_t done = 0;

    for (unsigned i = 0; i < k; done += part[i++].iov_len)
        memset(part[i].iov_base, c, part[i].iov_len);
    return done;
}

unsigned vq_iov_slice(const struct iovec *iov, unsigned n, size_t off, size_t len,
                      struct iovec *out)
{
    unsigned k = 0;

    for (unsigned i = 0; i < n && len; i++) {
        if (off >= iov[i].iov_len) {
            off -= iov[i].iov_len;
            continue;
        }
        out[k].iov_base = (uint8_t *)iov[i].iov_base + off;
        out[k].iov_len = min_u64(iov[i].iov_len - off, len);
        len -= out[k++].iov_len;
        off = 0;
    }
    return k;
}
