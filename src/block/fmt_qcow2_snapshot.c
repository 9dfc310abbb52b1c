/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: the table of internal snapshots (specification: "Snapshots"). */
#include "block/fmt_qcow2_priv.h"

#include <stdio.h>

enum { ROW = 40, KNOWN_EXTRA = 24, MAX_EXTRA = 1024 };

/* struct cursor - the table while it is read. */
struct cursor {
    const uint8_t *p;
    uint64_t at, len;
};

static const uint8_t *take(struct cursor *c, uint64_t n)
{
    const uint8_t *p = c->p + c->at;

    if (n > c->len - c->at)
        return NULL;
    c->at += n;
    return p;
}

static void parse_extra(struct qcow2_snapshot *sn, const uint8_t *p, uint32_t len)
{
    if (len >= 8)
        sn->info.vm_state_size = get_be64(p);
    if (len >= 16) {
        sn->info.disk_size = get_be64(p + 8);
        sn->has_disk_size = true;
    }
    sn->info.icount = len >= 24 ? get_be64(p + 16) : UINT64_MAX;
    if (len > KNOWN_EXTRA) {
        sn->extra_len = len - KNOWN_EXTRA;
        if (!(sn->extra = malloc(sn->extra_len)))
            fatal("out of memory");
        memcpy(sn->extra, p + KNOWN_EXTRA, sn->extra_len);
    }
}

static void copy_text(char *out, size_t size, const uint8_t *p, size_t len)
{
    snprintf(out, size, "%.*s", (int)len, (const char *)p);
}

static int parse_row(struct blk *b, struct cursor *c, struct qcow2_snapshot *sn, struct err *e)
{
    const struct qcow2 *s = b->state;
    const uint8_t *p = take(c, ROW), *extra, *id, *name;

    if (!p)
        return err_set(e, -EINVAL, "Snapshot table is cut off");
    uint32_t id_len = get_be16(p + 12), name_len = get_be16(p + 14), extra_len = get_be32(p + 36);

    sn->l1_table_offset = get_be64(p);
    sn->l1_size = get_be32(p + 8);
    sn->info.date_sec = get_be32(p + 16);
    sn->info.date_nsec = get_be32(p + 20);
    sn->info.vm_clock_nsec = get_be64(p + 24);
    sn->info.vm_state_size = get_be32(p + 32);
    sn->info.disk_size = s->h.size;
    sn->info.icount = UINT64_MAX;
    if (extra_len > MAX_EXTRA)
        return err_set(e, -EINVAL, "Too much extra metadata in snapshot table entry: %" PRIu32
                                   " bytes, at most %d", extra_len, MAX_EXTRA);
    if (!(extra = take(c, extra_len)) || !(id = take(c, id_len)) || !(name = take(c, name_len)))
        return err_set(e, -EINVAL, "Snapshot table is cut off");
    parse_extra(sn, extra, extra_len);
    copy_text(sn->info.id, sizeof(sn->info.id), id, id_len);
    copy_text(sn->info.name, sizeof(sn->info.name), name, name_len);
    c->at = min_u64(round_up(c->at, 8), c->len);
    return 0;
}

static int parse_table(struct blk *b, const uint8_t *table, uint64_t len, struct err *e)
{
    struct qcow2 *s = b->state;
    struct cursor c = {table, 0, len};
    int r = 0;

    for (uint32_t i = 0; r >= 0 && i < s->h.nb_snapshots; i++)
        r = parse_row(b, &c, &s->snapshots[i], e);
    s->snapshots_bytes = c.at;
    return r;
}

int qcow2_snapshots_load(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t file = blk_size_now(b->file), len;
    uint8_t *table;
    int r;

    if (!s->h.nb_snapshots)
        return 0;
    if (s->h.nb_snapshots > QCOW2_MAX_SNAPSHOTS)
        return err_set(e, -EFBIG, "Snapshot table too large");
    if ((s->h.snapshots_offset & s->cluster_mask) || s->h.snapshots_offset > INT64_MAX)
        return err_set(e, -EINVAL, "Snapshot table offset invalid");
    if (s->h.snapshots_offset >= file)
        return err_set(e, -EINVAL, "Snapshot table is beyond the end of the file");
    len = min_u64(file - s->h.snapshots_offset, s->h.nb_snapshots * UINT64_C(2048));
    len = min_u64(len, QCOW2_MAX_SNAPSHOT_TABLE);
    s->snapshots = calloc(s->h.nb_snapshots, sizeof(*s->snapshots));
    if (!s->snapshots || !(table = malloc(len)))
        return err_set(e, -ENOMEM, "out of memory");
    r = qcow2_pread(b, s->h.snapshots_offset, table, len, e);
    if (r >= 0)
        r = parse_table(b, table, len, e);
    free(table);
    return r;
}

void qcow2_snapshots_free(struct qcow2 *s)
{
    for (uint32_t i = 0; s->snapshots && i < s->h.nb_snapshots; i++)
        free(s->snapshots[i].extra);
    free(s->snapshots);
    s->snapshots = NULL;
}

int qcow2_snapshot_list(struct blk *b, struct blk_snapshot **list, struct err *e)
{
    const struct qcow2 *s = b->state;
    uint32_t n = s->snapshots ? s->h.nb_snapshots : 0;

    *list = calloc(n + 1, sizeof(**list));
    if (!*list)
        return err_set(e, -ENOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++)
        (*list)[i] = s->snapshots[i].info;
    return (int)n;
}

/* Writing ---------------------------------------------------------------------------------------- */

static uint64_t row_bytes(const struct qcow2_snapshot *sn)
{
    return round_up(ROW + KNOWN_EXTRA + sn->extra_len + strlen(sn->info.id) +
                        strlen(sn->info.name),
                    8);
}

static void put_row(const struct qcow2_snapshot *sn, uint8_t *p)
{
    const struct blk_snapshot *i = &sn->info;
    size_t id = strlen(i->id), name = strlen(i->name);
    uint8_t *rest = p + ROW + KNOWN_EXTRA + sn->extra_len;

    put_be64(p, sn->l1_table_offset);
    put_be32(p + 8, sn->l1_size);
    put_be16(p + 12, (uint16_t)id);
    put_be16(p + 14, (uint16_t)name);
    put_be32(p + 16, (uint32_t)i->date_sec);
    put_be32(p + 20, (uint32_t)i->date_nsec);
    put_be64(p + 24, i->vm_clock_nsec);
    put_be32(p + 32, i->vm_state_size > UINT32_MAX ? UINT32_MAX : (uint32_t)i->vm_state_size);
    put_be32(p + 36, KNOWN_EXTRA + sn->extra_len);
    put_be64(p + ROW, i->vm_state_size);
    put_be64(p + ROW + 8, i->disk_size);
    put_be64(p + ROW + 16, i->icount);
    if (sn->extra_len)
        memcpy(p + ROW + KNOWN_EXTRA, sn->extra, sn->extra_len);
    memcpy(rest, i->id, id);
    memcpy(rest + id, i->name, name);
}

uint8_t *qcow2_snapshots_put(const struct qcow2_snapshot *list, uint32_t n, uint64_t *bytes)
{
    uint8_t *table;
    uint64_t at = 0;

    *bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        *bytes += row_bytes(&list[i]);
    if (!(table = calloc(1, *bytes + 1)))
        fatal("out of memory");
    for (uint32_t i = 0; i < n; at += row_bytes(&list[i++]))
        put_row(&list[i], table + at);
    return table;
}
