/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: clusters that read as zeros, and clusters that the guest gives up. */
#include "block/fmt_qcow2_priv.h"

enum { PER_LOCK = 1024 }; /* clusters changed before others get a turn */

#define ALL_ZERO UINT64_C(0xffffffff00000000)

static bool stored(const struct qcow2 *s, const struct qcow2_entry *l2)
{
    return !(l2->e & QCOW2_COMPRESSED) &&
           ((l2->e & QCOW2_OFFSET) || (s->data_file && (l2->e & QCOW2_COPIED)));
}

/* The entry for zeros; with @keep the space stays. */
static struct qcow2_entry zero_entry(const struct qcow2 *s, const struct qcow2_entry *old,
                                     bool keep)
{
    uint64_t e = keep && stored(s, old) ? old->e : 0;

    return s->extended ? (struct qcow2_entry){e, ALL_ZERO}
                       : (struct qcow2_entry){e | QCOW2_ZERO, 0};
}

/* struct change - what to do with each cluster of a range. */
struct change {
    bool keep;       /* leave the space allocated */
    bool to_hole;    /* version 2: no entry at all */
    bool skip_holes; /* holes read as zeros already */
};

static int change_one(struct blk *b, uint64_t index, const struct change *c, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_entry old, new = {0};
    int r;

    if ((r = qcow2_entry_get(b, index, &old, e)) < 0 ||
        (c->skip_holes && !old.e && !old.bitmap))
        return r;
    if (!c->to_hole)
        new = zero_entry(s, &old, c->keep);
    if ((new.e == old.e && new.bitmap == old.bitmap) ||
        (r = qcow2_own_l2(b, index >> s->l2_bits, e)) < 0 ||
        (r = qcow2_entry_set(b, index, &new, e)) < 0)
        return r;
    if (!stored(s, &new))
        qcow2_drop_entry(b, &old);
    return 0;
}

static int change_some(struct blk *b, uint64_t *index, uint64_t end, const struct change *c,
                       struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t stop = min_u64(end, *index + PER_LOCK);
    int r = 0;

    while (r >= 0 && *index < stop) {
        uint64_t l1 = *index >> s->l2_bits;

        if (c->skip_holes && !qcow2_l1_get(s, l1)) {
            *index = (l1 + 1) << s->l2_bits;
            continue;
        }
        r = change_one(b, (*index)++, c, e);
    }
    return r;
}

static int change_range(struct blk *b, uint64_t off, uint64_t len, const struct change *c,
                        bool discarded, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t index = off >> s->cluster_bits, end = div_up(off + len, s->cluster_size);
    int r = qcow2_check_writable(b, e);

    if (r >= 0)
        r = qcow2_bitmaps_record(b, off, len, e);
    while (r >= 0 && index < end) {
        pthread_mutex_lock(&s->lock);
        s->discarding = discarded;
        r = change_some(b, &index, end, c, e);
        s->discarding = false;
        pthread_mutex_unlock(&s->lock);
    }
    return r;
}

int qcow2_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    struct qcow2 *s = b->state;
    bool unmap = req & BLK_REQ_UNMAP;
    struct change c = {.keep = !unmap || s->o->discard_no_unref};
    int r;

    if (s->h.version < 3) { /* has no zero clusters, but perhaps holes will do */
        if (!unmap || b->backing_file)
            return -ENOTSUP;
        c = (struct change){.to_hole = true, .skip_holes = true};
    }
    if (s->data_file_raw) {
        if ((r = blk_zero(s->data_file, off, len, req & ~BLK_REQ_FUA, e)) < 0)
            return r;
        c.keep = true;
    } else if (s->data_file && unmap) {
        blk_discard(s->data_file, off, len, ERR_IGNORE);
    }
    return change_range(b, off, len, &c, s->o->pass_request, e);
}

int qcow2_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    struct qcow2 *s = b->state;
    struct change c = {.keep = s->o->discard_no_unref, .skip_holes = !b->backing_file};

    if (s->data_file_raw) {
        int r = qcow2_bitmaps_record(b, off, len, e);

        return r < 0 ? r : blk_discard(s->data_file, off, len, e);
    }
    if (s->h.version < 3) { /* the backing file's old contents must not come back */
        if (b->backing_file)
            return 0;
        c.to_hole = true;
    }
    if (s->data_file && s->o->pass_request)
        blk_discard(s->data_file, off, len, ERR_IGNORE);
    return change_range(b, off, len, &c, s->o->pass_request, e);
}
