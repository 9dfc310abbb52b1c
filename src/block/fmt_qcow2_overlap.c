/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: no write goes where metadata lies ("overlap-check" in the QEMU documentation: which metadata is watched).
 * Metadata in use is looked at before it is written to, so only what has just been allocated needs the long list.
 * What is allocated is apart from all metadata, so a table or block that was found apart from the others stays so.
 */
#include "block/fmt_qcow2_priv.h"

enum { MANY_L1 = 1 << 16 }; /* entries: more are only looked at when they are asked for */
enum {
    MAIN_HEADER = 1,
    ACTIVE_L1 = 2,
    ACTIVE_L2 = 4,
    REFCOUNT_TABLE = 8,
    REFCOUNT_BLOCK = 16,
    SNAPSHOT_TABLE = 32,
    INACTIVE_L1 = 64,
    INACTIVE_L2 = 128,
    BITMAP_DIRECTORY = 256
};
enum {
    CONSTANT = MAIN_HEADER | ACTIVE_L1 | REFCOUNT_TABLE | SNAPSHOT_TABLE | BITMAP_DIRECTORY,
    CACHED = CONSTANT | ACTIVE_L2 | REFCOUNT_BLOCK | INACTIVE_L1,
    ALL = CACHED | INACTIVE_L2
};

/* Options ----------------------------------------------------------------------------------------- */

static const char *const parts[] = {"main-header",    "active-l1",      "active-l2",
                                    "refcount-table", "refcount-block", "snapshot-table",
                                    "inactive-l1",    "inactive-l2",    "bitmap-directory"};

static int template_mask(const char *text, unsigned *mask, struct err *e)
{
    static const struct {
        const char *name;
        unsigned mask;
    } modes[] = {{"none", 0}, {"constant", CONSTANT}, {"cached", CACHED}, {"all", ALL}};

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (!strcmp(modes[i].name, text)) {
            *mask = modes[i].mask;
            return 0;
        }
    }
    return err_set(e, -EINVAL,
                   "Unsupported value '%s' for qcow2 option 'overlap-check'. "
                   "Allowed are any of the following: none, constant, cached, all",
                   text);
}

/* "overlap-check.active-l2=off" and its kin, on top of the template. */
static int take_part(const char *name, struct json_object *value, unsigned *mask, struct err *e)
{
    const char *text = json_object_get_string(value);
    bool on;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strcmp(parts[i], name))
            continue;
        if (json_object_is_type(value, json_type_boolean))
            on = json_object_get_boolean(value);
        else if (parse_bool(text ? text : "", &on, ERR_IGNORE) < 0)
            return err_set(e, -EINVAL, "Parameter 'overlap-check.%s' expects 'on' or 'off'", name);
        *mask = on ? *mask | 1u << i : *mask & ~(1u << i);
        return 0;
    }
    return err_set(e, -EINVAL, "Block format 'qcow2' does not support the option 'overlap-check.%s'", name);
}

int qcow2_overlap_options(struct json_object *given, unsigned *mask, struct err *e)
{
    struct json_object *template;
    const char *text = NULL;

    *mask = CACHED;
    if (!given)
        return 0;
    if (json_object_is_type(given, json_type_string))
        return template_mask(json_object_get_string(given), mask, e);
    if (!json_object_is_type(given, json_type_object))
        return err_set(e, -EINVAL, "Parameter 'overlap-check' expects a mode or an object");
    if (json_object_object_get_ex(given, "template", &template)) {
        text = json_object_get_string(template);
        if (template_mask(text ? text : "", mask, e) < 0)
            return e->code;
    }
    json_object_object_foreach(given, key, value)
    {
        if (strcmp(key, "template") && take_part(key, value, mask, e) < 0)
            return e->code;
    }
    return 0;
}

/* Writes ------------------------------------------------------------------------------------------ */

static bool meets(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a_len && b_len && a < b + b_len && b < a + a_len;
}

/* Metadata at places that the header tells. */
static const char *meets_fixed(const struct qcow2 *s, uint64_t host, uint64_t len)
{
    const struct qcow2_header *h = &s->h;
    unsigned mask = s->overlap_mask;

    if (mask & MAIN_HEADER && host < s->cluster_size)
        return "qcow2_header";
    if (mask & ACTIVE_L1 && meets(host, len, h->l1_table_offset, h->l1_size * UINT64_C(8)))
        return "active L1 table";
    if (mask & REFCOUNT_TABLE && meets(host, len, h->refcount_table_offset,
                                       (uint64_t)h->refcount_table_clusters << s->cluster_bits))
        return "refcount table";
    if (mask & SNAPSHOT_TABLE && meets(host, len, h->snapshots_offset, s->snapshots_bytes))
        return "snapshot table";
    if (mask & BITMAP_DIRECTORY && meets(host, len, s->bitmap_directory, s->bitmap_directory_size))
        return "bitmap directory";
    return NULL;
}

/* Metadata that others refer to, but L2 tables. */
static const char *meets_others(const struct qcow2 *s, uint64_t host, uint64_t len)
{
    unsigned mask = s->overlap_mask;

    for (uint64_t i = 0; mask & REFCOUNT_BLOCK && i < s->reftable_used; i++)
        if (s->reftable[i] && meets(host, len, s->reftable[i], s->cluster_size))
            return "refcount block";
    for (uint32_t i = 0; mask & INACTIVE_L1 && i < s->h.nb_snapshots; i++)
        if (meets(host, len, s->snapshots[i].l1_table_offset,
                  s->snapshots[i].l1_size * UINT64_C(8)))
            return "inactive L1 table";
    return NULL;
}

static const char *meets_l2(const struct qcow2 *s, uint64_t host, uint64_t len)
{
    unsigned mask = s->overlap_mask;

    if (!(mask & ACTIVE_L2) || (s->h.l1_size > MANY_L1 && !(mask & INACTIVE_L2)))
        return NULL;
    for (uint64_t i = 0; i < s->h.l1_size; i++)
        if (meets(host, len, qcow2_l1_get(s, i) & QCOW2_OFFSET,
                  qcow2_l1_get(s, i) & QCOW2_OFFSET ? s->cluster_size : 0))
            return "active L2 table";
    return NULL;
}

/* L2 tables of one snapshot, whose L1 table must be read for it.  1: meets; or -errno. */
static int meets_snapshot(struct blk *b, const struct qcow2_snapshot *snap, uint64_t host,
                          uint64_t len, struct err *e)
{
    const struct qcow2 *s = b->state;
    uint64_t page[512];

    for (uint64_t i = 0; i < snap->l1_size; i += ARRAY_LEN(page)) {
        uint64_t n = min_u64(ARRAY_LEN(page), snap->l1_size - i);
        int r = qcow2_pread(b, snap->l1_table_offset + i * 8, page, n * 8, e);

        if (r < 0)
            return r;
        for (uint64_t k = 0; k < n; k++) {
            uint64_t table = be64toh(page[k]) & QCOW2_OFFSET;

            if (table && meets(host, len, table, s->cluster_size))
                return 1;
        }
    }
    return 0;
}

static int prevent(struct blk *b, const char *what, struct err *e)
{
    return qcow2_corrupt(b, e, "Preventing invalid write on metadata (overlaps with %s)", what);
}

int qcow2_check_overlap(struct blk *b, uint64_t host, uint64_t len, bool fresh, struct err *e)
{
    const struct qcow2 *s = b->state;
    const char *what;

    if ((s->data_file && !fresh) || !s->overlap_mask)
        return 0;
    what = meets_fixed(s, host, len);
    if (!what && fresh && !(what = meets_others(s, host, len)))
        what = meets_l2(s, host, len);
    for (uint32_t i = 0; !what && fresh && s->overlap_mask & INACTIVE_L2 && i < s->h.nb_snapshots;
         i++) {
        int r = meets_snapshot(b, &s->snapshots[i], host, len, e);

        if (r < 0)
            return r;
        what = r ? "inactive L2 table" : NULL;
    }
    return what ? prevent(b, what, e) : 0;
}

int qcow2_check_l2_overlap(struct blk *b, uint64_t table, struct err *e)
{
    struct qcow2 *s = b->state;
    const char *what;

    if (table == s->sound_l2)
        return 0;
    if ((what = meets_fixed(s, table, s->cluster_size)) || (what = meets_others(s, table, s->cluster_size)))
        return prevent(b, what, e);
    s->sound_l2 = table;
    return 0;
}

int qcow2_check_refblock_overlap(struct blk *b, uint64_t block, struct err *e)
{
    struct qcow2 *s = b->state;
    const char *what;

    if (block == s->sound_refblock)
        return 0;
    if ((what = meets_fixed(s, block, s->cluster_size)))
        return prevent(b, what, e);
    s->sound_refblock = block;
    return 0;
}
