/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making QED images: a header cluster and an empty table. */
#include "block/fmt_qed_priv.h"

#include <inttypes.h>
#include <stdlib.h>

struct qed_create {
    uint64_t size, cluster_size, table_size;
    char *backing_file, *backing_fmt;
};

static const struct field qed_create_fields[] = {
    FIELD(qed_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(qed_create, backing_file, F_STR, "backing_file", NULL, "File name of a base image"),
    FIELD(qed_create, backing_fmt, F_STR, "backing_fmt", NULL, "Image format of the base image"),
    FIELD(qed_create, cluster_size, F_SIZE, "cluster_size", "65536", "Cluster size (in bytes)"),
    FIELD(qed_create, table_size, F_SIZE, "table_size", NULL, "L1/L2 table size (in clusters)"),
    FIELD_END,
};

void qed_put_backing(uint8_t *h, uint64_t *features, const char *file, const char *format)
{
    size_t len = file ? strlen(file) : 0;

    *features &= ~(uint64_t)(QED_BACKING | QED_NO_PROBE);
    if (len)
        *features |= QED_BACKING | (format && !strcmp(format, "raw") ? QED_NO_PROBE : 0);
    put_le64(h + 16, *features);
    put_le32(h + 56, len ? QED_NAME : 0);
    put_le32(h + 60, (uint32_t)len);
    memset(h + QED_NAME, 0, QED_MAX_NAME + 1);
    memcpy(h + QED_NAME, file ? file : "", len);
}

static int qed_create(struct blk_env *env, const char *filename, void *opts,
                      struct json_object *protocol, struct err *e)
{
    const struct qed_create *o = opts;
    uint64_t tables = o->table_size ? o->table_size : 4, size = round_up(o->size, 512), features = 0;
    uint64_t table = o->cluster_size * tables;
    uint8_t h[4096] = "QED";
    struct blk *file;
    int r;

    if ((r = qed_check_sizes(o->cluster_size, tables, e)) < 0 ||
        (r = qed_check_disk(size, table / 8, o->cluster_size, e)) < 0)
        return r;
    if (o->backing_file && strlen(o->backing_file) > QED_MAX_NAME)
        return err_set(e, -EINVAL, "the backing file's name is too long: limit is %d bytes",
                       QED_MAX_NAME);
    put_le32(h + 4, (uint32_t)o->cluster_size);
    put_le32(h + 8, (uint32_t)tables);
    put_le32(h + 12, 1);
    put_le64(h + 40, o->cluster_size);
    put_le64(h + 48, size);
    qed_put_backing(h, &features, o->backing_file, o->backing_fmt);
    if (!(file = blk_create_file(env, filename, o->cluster_size + table, protocol, e)))
        return e->code;
    if ((r = blk_write(file, 0, sizeof(h), h, 0, e)) < 0) {
        blk_close(file, ERR_IGNORE);
        return r;
    }
    return blk_close(file, e);
}

const struct blk_create_ops qed_create_ops = {
    .opts = qed_create_fields,
    .opts_size = sizeof(struct qed_create),
    .create = qed_create,
};
