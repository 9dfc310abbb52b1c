/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making VPC images: sizes in cylinders, heads and sectors (the specification's appendix), footers, tables. */
#include "block/fmt_vpc_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

static const char *const subformats[] = {"dynamic", "fixed", NULL};
#define YEAR_2000 INT64_C(946684800)

struct vpc_create {
    uint64_t size;
    char *subformat;
    bool force_size;
};

static const struct field vpc_create_fields[] = {
    FIELD(vpc_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(vpc_create, subformat, F_STR, "subformat", NULL,
          "Type of virtual hard disk format. Supported formats are {dynamic (default) | fixed} "),
    FIELD(vpc_create, force_size, F_BOOL, "force_size", NULL,
          "Force disk size calculation to use the actual size specified, rather than using the "
          "nearest CHS-based calculation"),
    FIELD_END,
};

struct geometry {
    uint32_t cylinders, heads, per_track;
};

/* The appendix "CHS Calculation". */
static struct geometry geometry_of(uint64_t sectors)
{
    uint32_t heads, per_track, tracks;

    sectors = min_u64(sectors, VPC_CHS_MAX);
    if (sectors >= UINT64_C(65535) * 16 * 63) {
        per_track = 255;
        heads = 16;
        tracks = (uint32_t)(sectors / per_track);
    } else {
        per_track = 17;
        tracks = (uint32_t)(sectors / per_track);
        heads = (tracks + 1023) / 1024;
        if (heads < 4)
            heads = 4;
        if (tracks >= heads * 1024 || heads > 16) {
            per_track = 31;
            heads = 16;
            tracks = (uint32_t)(sectors / per_track);
        }
        if (tracks >= heads * 1024) {
            per_track = 63;
            heads = 16;
            tracks = (uint32_t)(sectors / per_track);
        }
    }
    return (struct geometry){tracks / heads, heads, per_track};
}

/* The first geometry that has room for all of @sectors; the calculation rounds down. */
static struct geometry geometry_for(uint64_t sectors)
{
    struct geometry g = geometry_of(sectors);

    for (uint64_t more = 1; (uint64_t)g.cylinders * g.heads * g.per_track < sectors; more++)
        g = geometry_of(sectors + more);
    return g;
}

/* struct plan - what is made. */
struct plan {
    struct blk *file;
    uint64_t size, entries;
    bool fixed;
    uint8_t footer[VPC_FOOTER];
};

static int make_plan(struct plan *p, const struct vpc_create *o, struct err *e)
{
    uint64_t sectors = div_up(o->size, VPC_SECTOR);
    struct geometry g = {65535, 16, 255};
    uint8_t *f = p->footer;

    if (o->subformat && strcmp(o->subformat, "dynamic") && strcmp(o->subformat, "fixed")) {
        const char *near = nearest_name(o->subformat, subformats);

        return err_set(e, -EINVAL, "Parameter 'subformat' does not accept value '%s'%s%s%s",
                       o->subformat, near ? " (did you mean '" : "", near ? near : "",
                       near ? "'?)" : "");
    }
    p->fixed = o->subformat && !strcmp(o->subformat, "fixed");
    if (sectors > VPC_MAX / VPC_SECTOR)
        return err_set(e, -EFBIG, "The image size is too large for file format 'vpc' (the limit is "
                       "2040 GiB)");
    if (!o->force_size && sectors < VPC_CHS_MAX) {
        g = geometry_for(sectors);
        sectors = (uint64_t)g.cylinders * g.heads * g.per_track;
    }
    p->size = sectors * VPC_SECTOR;
    p->entries = div_up(p->size, VPC_BLOCK);
    memcpy(f, "conectix", 8);
    put_be32(f + FOOT_FEATURES, 2);
    put_be32(f + FOOT_VERSION, 0x00010000);
    put_be64(f + FOOT_DATA, p->fixed ? UINT64_MAX : VPC_FOOTER);
    put_be32(f + FOOT_TIME, (uint32_t)(time(NULL) - YEAR_2000));
    memcpy(f + FOOT_APP, o->force_size ? "qem2" : "qemu", 4); /* which size readers believe */
    put_be32(f + FOOT_APP_VERSION, 0x00050003);
    memcpy(f + FOOT_OS, "Wi2k", 4);
    put_be64(f + FOOT_ORIGINAL, p->size);
    put_be64(f + FOOT_SIZE, p->size);
    put_be16(f + FOOT_CYLINDERS, (uint16_t)g.cylinders);
    f[FOOT_HEADS] = (uint8_t)g.heads;
    f[FOOT_PER_TRACK] = (uint8_t)g.per_track;
    put_be32(f + FOOT_TYPE, p->fixed ? VPC_FIXED : VPC_DYN);
    blk_new_uuid(f + FOOT_UUID);
    put_be32(f + FOOT_SUM, vpc_sum(f, VPC_FOOTER, FOOT_SUM));
    return 0;
}

static int write_dynamic(const struct plan *p, struct err *e)
{
    uint64_t at = VPC_FOOTER + VPC_DYNAMIC, len = round_up(p->entries * 4, VPC_SECTOR);
    uint8_t d[VPC_DYNAMIC] = "cxsparse", *table = malloc(len + 1);
    int r;

    if (!table)
        return err_set(e, -ENOMEM, "out of memory for %" PRIu64 " blocks", p->entries);
    memset(table, 0xff, len);
    put_be64(d + 8, UINT64_MAX);
    put_be64(d + D_TABLE, at);
    put_be32(d + D_VERSION, 0x00010000);
    put_be32(d + D_ENTRIES, (uint32_t)p->entries);
    put_be32(d + D_BLOCK, VPC_BLOCK);
    put_be32(d + D_SUM, vpc_sum(d, sizeof(d), D_SUM));
    if ((r = blk_truncate(p->file, at + len + VPC_FOOTER, BLK_PREALLOC_OFF, 0, e)) >= 0 &&
        (r = blk_write(p->file, at, len, table, 0, e)) >= 0 &&
        (r = blk_write(p->file, VPC_FOOTER, sizeof(d), d, 0, e)) >= 0 &&
        (r = blk_write(p->file, at + len, VPC_FOOTER, p->footer, 0, e)) >= 0)
        r = blk_write(p->file, 0, VPC_FOOTER, p->footer, 0, e);
    free(table);
    return r;
}

static int write_fixed(const struct plan *p, struct err *e)
{
    int r = blk_truncate(p->file, p->size + VPC_FOOTER, BLK_PREALLOC_OFF, 0, e);

    return r < 0 ? r : blk_write(p->file, p->size, VPC_FOOTER, p->footer, 0, e);
}

static int vpc_create(struct blk_env *env, const char *filename, void *opts,
                      struct json_object *protocol, struct err *e)
{
    struct plan p = {0};
    int r = make_plan(&p, opts, e);

    if (r < 0)
        return r;
    if (!(p.file = blk_create_file(env, filename, 0, protocol, e)))
        return e->code;
    if ((r = p.fixed ? write_fixed(&p, e) : write_dynamic(&p, e)) < 0) {
        blk_close(p.file, ERR_IGNORE);
        return r;
    }
    return blk_close(p.file, e);
}

const struct blk_create_ops vpc_create_ops = {
    .opts = vpc_create_fields,
    .opts_size = sizeof(struct vpc_create),
    .create = vpc_create,
};
