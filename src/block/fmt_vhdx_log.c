/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of VHDX images, [MS-VHDX] 2.3: a ring of entries, each with descriptors ("zero this", "this sector
 * holds that") and their data.  Writers put changes of metadata there first.
 */
#include "block/fmt_vhdx_priv.h"

#include <inttypes.h>
#include <stdlib.h>

enum { DESC = 32, ENTRY_HEADER = 64 };

/* struct ring - the log while it is replayed. */
struct ring {
    struct blk *file;
    const struct vhdx_header *h;
    uint64_t budget; /* bytes that may still be summed: nothing makes us read the log often */
    uint8_t *sector; /* scratch, VHDX_SECTOR bytes */
};

/* struct entry - 2.3.1.1, as far as it matters. */
struct entry {
    uint32_t at, len, tail, descs;
    uint64_t sequence, flushed, last;
};

/* struct sequence - entries that follow each other, from @tail (the oldest that counts) on. */
struct sequence {
    bool found;
    uint32_t tail;
    struct entry head; /* the newest */
};

static int read_sector(struct ring *g, uint64_t at, struct err *e)
{
    return blk_read(g->file, g->h->log_host + at % g->h->log_len, VHDX_SECTOR, g->sector, e);
}

/* The entry at @at: 1, 0 when there is none, or an error. */
static int read_entry(struct ring *g, uint32_t at, struct entry *x, struct err *e)
{
    const uint8_t *s = g->sector;
    uint32_t sum, crc = ~UINT32_C(0);
    int r;

    if ((r = read_sector(g, at, e)) < 0)
        return r;
    *x = (struct entry){.at = at, .len = get_le32(s + 8), .tail = get_le32(s + 12),
                        .sequence = get_le64(s + 16), .descs = get_le32(s + 24),
                        .flushed = get_le64(s + 48), .last = get_le64(s + 56)};
    if (memcmp(s, "loge", 4) || memcmp(s + 32, g->h->log_guid, VHDX_GUID) || !x->len ||
        x->len % VHDX_SECTOR || x->len > g->h->log_len || x->tail % VHDX_SECTOR ||
        x->tail >= g->h->log_len || !x->sequence ||
        x->descs > (x->len - ENTRY_HEADER) / DESC)
        return 0;
    if (x->len > g->budget)
        return err_set(e, -EINVAL, "the VHDX log is damaged: its entries overlap");
    g->budget -= x->len;
    sum = get_le32(s + 4);
    for (uint32_t i = 0; i < x->len; i += VHDX_SECTOR) {
        if (i && (r = read_sector(g, (uint64_t)at + i, e)) < 0)
            return r;
        if (!i)
            put_le32(g->sector + 4, 0);
        crc = vhdx_crc_add(crc, g->sector, VHDX_SECTOR);
    }
    return ~crc == sum;
}

/* The sequence that begins at @at; *@next: where to look for another. */
static int follow(struct ring *g, uint32_t at, struct sequence *q, uint32_t *next, struct err *e)
{
    uint32_t len = g->h->log_len, start = at, done = 0;
    struct entry x;
    int r;

    q->found = false;
    *next = at + VHDX_SECTOR;
    while ((r = read_entry(g, at, &x, e)) == 1 && x.len <= len - done &&
           (!done || x.sequence == q->head.sequence + 1)) {
        q->head = x;
        done += x.len;
        at = (at + x.len) % len;
        if (done == len)
            break;
    }
    if (r < 0 || !done)
        return r;
    *next = start + done;
    q->tail = q->head.tail;
    q->found = (q->tail + len - start) % len < done; /* the oldest entry is one of these */
    return 0;
}

/* 2.3.3: the sequence with the highest number counts; @best has found none yet. */
static int find_sequence(struct ring *g, struct sequence *best, struct err *e)
{
    struct sequence q = {0};
    int r;

    for (uint32_t at = 0, next; at < g->h->log_len; at = next) {
        if ((r = follow(g, at, &q, &next, e)) < 0)
            return r;
        if (q.found && (!best->found || q.head.sequence > best->head.sequence))
            *best = q;
    }
    return 0;
}

static int bad_desc(const uint8_t *d, struct err *e)
{
    return err_set(e, -EINVAL, "the VHDX log is damaged: descriptor %02x%02x%02x%02x for offset %" PRIu64,
                   d[0], d[1], d[2], d[3], get_le64(d + 16));
}

/* One descriptor; @data: the data sector that is next in the entry. */
static int apply(struct ring *g, const struct entry *x, const uint8_t *d, uint64_t *data,
                 struct err *e)
{
    uint64_t to = get_le64(d + 16), zeros = get_le64(d + 8), end;
    uint8_t *s = g->sector;
    int r;

    if (get_le64(d + 24) != x->sequence || to % VHDX_SECTOR)
        return bad_desc(d, e);
    if (!memcmp(d, "zero", 4)) {
        if (zeros % VHDX_SECTOR || !add_u64(to, zeros, &end) || end > x->last)
            return bad_desc(d, e);
        return blk_zero(g->file, to, zeros, 0, e);
    }
    if (memcmp(d, "desc", 4) || *data + VHDX_SECTOR > x->len || to + VHDX_SECTOR > x->last)
        return bad_desc(d, e);
    if ((r = read_sector(g, x->at + *data, e)) < 0)
        return r;
    *data += VHDX_SECTOR;
    if (memcmp(s, "data", 4) || get_le32(s + 4) != x->sequence >> 32 ||
        get_le32(s + VHDX_SECTOR - 4) != (uint32_t)x->sequence)
        return bad_desc(d, e);
    memcpy(s, d + 8, 8); /* what marks the sector had its place in the data */
    memcpy(s + VHDX_SECTOR - 4, d + 4, 4);
    return blk_write(g->file, to, VHDX_SECTOR, s, 0, e);
}

/* @x's descriptors; the file is as long as the entry says first. */
static int replay_entry(struct ring *g, const struct entry *x, struct err *e)
{
    uint64_t data = round_up(ENTRY_HEADER + (uint64_t)x->descs * DESC, VHDX_SECTOR);
    uint8_t d[DESC];
    int r;

    if (x->flushed > blk_size(g->file))
        return err_set(e, -EINVAL, "the file has %" PRIu64 " bytes, its log says %" PRIu64
                       ": was it cut off?", blk_size(g->file), x->flushed);
    if (x->last > INT64_MAX / 2)
        return err_set(e, -EINVAL, "the log says that the file has %" PRIu64 " bytes", x->last);
    if (x->last > blk_size(g->file) &&
        (r = blk_truncate(g->file, round_up(x->last, MiB), BLK_PREALLOC_OFF, 0, e)) < 0)
        return r;
    for (uint32_t i = 0; i < x->descs; i++) {
        uint64_t at = ENTRY_HEADER + (uint64_t)i * DESC;

        if ((r = read_sector(g, x->at + round_down(at, VHDX_SECTOR), e)) < 0)
            return r;
        memcpy(d, g->sector + at % VHDX_SECTOR, DESC);
        if ((r = apply(g, x, d, &data, e)) < 0)
            return r;
    }
    return 0;
}

static int replay(struct ring *g, struct err *e)
{
    struct sequence q = {0};
    struct entry x;
    uint32_t at;
    int r;

    if ((r = find_sequence(g, &q, e)) < 0)
        return r;
    if (!q.found) /* the first entry was never finished, so what it tells was not begun */
        return 0;
    at = q.tail;
    g->budget += g->h->log_len;
    do {
        if ((r = read_entry(g, at, &x, e)) <= 0)
            return r < 0 ? r : err_set(e, -EINVAL, "the VHDX log is damaged at %" PRIu32, at);
        if ((r = replay_entry(g, &x, e)) < 0)
            return r;
        at = (uint32_t)((at + (uint64_t)x.len) % g->h->log_len);
    } while (x.at != q.head.at);
    return blk_flush(g->file, e);
}

int vhdx_log_replay(struct blk *file, struct vhdx_header *h, struct err *e)
{
    struct ring g = {.file = file, .h = h, .budget = 3 * (uint64_t)h->log_len};
    int r;

    if (!h->log_len || h->log_host > blk_size(file) || h->log_len > blk_size(file) - h->log_host)
        return err_set(e, -EINVAL, "the VHDX log, %" PRIu32 " bytes at %" PRIu64
                       ", is not in the file", h->log_len, h->log_host);
    if (!(g.sector = malloc(VHDX_SECTOR)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = replay(&g, e)) >= 0) {
        memset(h->log_guid, 0, VHDX_GUID);
        r = vhdx_header_write(file, h, e);
    }
    free(g.sector);
    return r;
}
