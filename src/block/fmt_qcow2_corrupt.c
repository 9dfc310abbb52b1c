/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: images that contradict themselves are marked, and not written to until they are repaired. */
#include "block/fmt_qcow2_priv.h"

#include <stdarg.h>
#include <stdio.h>

int qcow2_corrupt(struct blk *b, struct err *e, const char *fmt, ...)
{
    struct qcow2 *s = b->state;
    bool mark = (b->flags & BLK_RDWR) && s->h.version >= 3;
    char text[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (__atomic_exchange_n(&s->corrupt, 1, __ATOMIC_RELAXED))
        return err_set(e, -EIO, "qcow2: Image is corrupt: %s", text);
    blk_env_warn(b->env,
                 mark ? "qcow2: Marking image as corrupt: %s; further corruption events will be "
                        "suppressed"
                      : "qcow2: Image is corrupt: %s; further non-fatal corruption events will be "
                        "suppressed",
                 text);
    if (mark && !(b->flags & BLK_CHECK)) {
        s->h.incompatible |= QCOW2_CORRUPT;
        qcow2_store_fields(b, ERR_IGNORE);
    }
    return err_set(e, -EIO, "qcow2: Image is corrupt: %s", text);
}

int qcow2_check_writable(struct blk *b, struct err *e)
{
    if (__atomic_load_n(&qcow2_of(b)->corrupt, __ATOMIC_RELAXED) && !(b->flags & BLK_CHECK))
        return err_set(e, -EIO, "qcow2: Image is corrupt; it must be repaired before writing");
    return 0;
}

/* Overlaps ---------------------------------------------------------------------------------------- */

enum { MANY_L1 = 1 << 16 }; /* entries: more are only looked at when all is to be watched */

static bool meets(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a_len && b_len && a < b + b_len && b < a + a_len;
}

/* Metadata at places that the header tells. */
static const char *meets_fixed(const struct qcow2 *s, uint64_t host, uint64_t len)
{
    const struct qcow2_header *h = &s->h;

    if (host < s->cluster_size)
        return "qcow2_header";
    if (meets(host, len, h->l1_table_offset, h->l1_size * UINT64_C(8)))
        return "active L1 table";
    if (meets(host, len, h->refcount_table_offset,
              (uint64_t)h->refcount_table_clusters << s->cluster_bits))
        return "refcount table";
    if (meets(host, len, h->snapshots_offset, s->snapshots_bytes))
        return "snapshot table";
    if (meets(host, len, s->bitmap_directory, s->bitmap_directory_size))
        return "bitmap directory";
    return NULL;
}

static const char *meets_tables(const struct qcow2 *s, uint64_t host, uint64_t len)
{
    for (uint64_t i = 0; i < s->reftable_used; i++)
        if (s->reftable[i] && meets(host, len, s->reftable[i], s->cluster_size))
            return "refcount block";
    if (s->h.l1_size > MANY_L1 && !(s->o->overlap_check && !strcmp(s->o->overlap_check, "all")))
        return NULL;
    for (uint64_t i = 0; i < s->h.l1_size; i++)
        if (meets(host, len, qcow2_l1_get(s, i) & QCOW2_OFFSET,
                  qcow2_l1_get(s, i) & QCOW2_OFFSET ? s->cluster_size : 0))
            return "active L2 table";
    return NULL;
}

int qcow2_check_overlap(struct blk *b, uint64_t host, uint64_t len, bool fresh, struct err *e)
{
    const struct qcow2 *s = b->state;
    const char *mode = s->o->overlap_check, *what;

    if (s->data_file && !fresh)
        return 0;
    if (mode && !strcmp(mode, "none"))
        return 0;
    what = meets_fixed(s, host, len);
    if (!what && fresh && !(mode && !strcmp(mode, "constant")))
        what = meets_tables(s, host, len);
    return what ? qcow2_corrupt(b, e, "Preventing invalid write on metadata (overlaps with %s)",
                                what)
                : 0;
}
