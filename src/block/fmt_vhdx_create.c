/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making VHDX images: log at 1 MiB, then the block table, metadata, and room for Hyper-V's taste. */
#include "block/fmt_vhdx_priv.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const subformats[] = {"dynamic", "fixed", NULL};

struct vhdx_create {
    uint64_t size, log_size, block_size;
    char *subformat;
    bool state_zero;
};

static const struct field vhdx_create_fields[] = {
    FIELD(vhdx_create, size, F_SIZE, "size", NULL, "Virtual disk size; max of 64TB."),
    FIELD(vhdx_create, log_size, F_SIZE, "log_size", "1048576", "Log size; min 1MB."),
    FIELD(vhdx_create, block_size, F_SIZE, "block_size", "0",
          "Block Size; min 1MB, max 256MB. 0 means auto-calculate based on image size."),
    FIELD(vhdx_create, subformat, F_STR, "subformat", NULL,
          "VHDX format type, can be either 'dynamic' or 'fixed'. Default is 'dynamic'."),
    {.name = "block_state_zero",
     .kind = F_BOOL,
     .offset = offsetof(struct vhdx_create, state_zero),
     .def = "on",
     .quiet = true,
     .help = "Force use of payload blocks of type 'ZERO'. Non-standard, but default.  Do not set to "
             "'off' when using 'qemu-img convert' with subformat=dynamic."},
    FIELD_END,
};

/* struct plan - where everything goes. */
struct plan {
    struct blk *file;
    uint64_t size, log, block, blocks, entries, ratio;
    uint64_t bat, bat_len, metadata, end;
    bool fixed, zero;
};

static uint64_t usual_block(uint64_t size)
{
    return size > 32 * TiB ? 64 * MiB : size > 100 * GiB ? 32 * MiB : size > GiB ? 16 * MiB : 8 * MiB;
}

static int make_plan(struct plan *p, const struct vhdx_create *o, struct err *e)
{
    p->size = round_up(o->size, 512);
    p->zero = o->state_zero;
    if (o->size > VHDX_MAX_SIZE)
        return err_set(e, -EINVAL, "Image size too large; max of 64TB");
    if (o->log_size >= 4 * GiB)
        return err_set(e, -EINVAL, "Log size must be smaller than 4 GB");
    if (o->subformat && strcmp(o->subformat, "dynamic") && strcmp(o->subformat, "fixed")) {
        const char *near = nearest_name(o->subformat, subformats);

        return err_set(e, -EINVAL, "Parameter 'subformat' does not accept value '%s'%s%s%s",
                       o->subformat, near ? " (did you mean '" : "", near ? near : "",
                       near ? "'?)" : "");
    }
    p->fixed = o->subformat && !strcmp(o->subformat, "fixed");
    p->block = o->block_size ? o->block_size : usual_block(p->size);
    if (!is_pow2(p->block))
        return err_set(e, -EINVAL, "Block size must be a power of two");
    p->block = min_u64(max_u64(p->block, MiB), 256 * MiB);
    p->log = max_u64(round_up(o->log_size, MiB), MiB);
    if (p->log > VHDX_MAX_LOG)
        return err_set(e, -ENOTSUP, "Log size %" PRIu64 ": the limit is %d bytes", p->log, VHDX_MAX_LOG);
    p->ratio = (UINT64_C(1) << 23) * 512 / p->block;
    p->blocks = div_up(p->size, p->block);
    p->entries = p->blocks ? p->blocks + (p->blocks - 1) / p->ratio : 0;
    if (p->entries * 8 > TABLE_MAX)
        return err_set(e, -EFBIG, "%" PRIu64 " blocks are too many: the limit is %d; choose a "
                       "larger block_size", p->entries, TABLE_MAX / 8);
    p->bat = MiB + p->log;
    p->bat_len = max_u64(round_up(p->entries * 8, MiB), MiB);
    p->metadata = p->bat + p->bat_len;
    p->end = p->metadata + 5 * MiB;
    return 0;
}

static int write_headers(const struct plan *p, struct err *e)
{
    struct vhdx_header h = {.log_host = MiB, .log_len = (uint32_t)p->log};
    int r = 0;

    blk_random(&h.sequence, 4);
    blk_new_uuid(h.file_guid);
    blk_new_uuid(h.data_guid);
    for (int i = 0; i < 2 && r >= 0; i++)
        r = vhdx_header_write(p->file, &h, e);
    return r;
}

static void put_region(uint8_t *entry, const uint8_t *guid, uint64_t host, uint64_t len)
{
    memcpy(entry, guid, VHDX_GUID);
    put_le64(entry + 16, host);
    put_le32(entry + 24, (uint32_t)len);
    put_le32(entry + 28, 1);
}

/* @t has VHDX_TABLE bytes. */
static int write_regions(const struct plan *p, uint8_t *t, struct err *e)
{
    int r;

    memset(t, 0, VHDX_TABLE);
    memcpy(t, "regi", 4);
    put_le32(t + 8, 2);
    put_region(t + 16, vhdx_guid_bat, p->bat, p->bat_len);
    put_region(t + 48, vhdx_guid_metadata, p->metadata, MiB);
    put_le32(t + 4, vhdx_crc(t, VHDX_TABLE, 4));
    r = blk_write(p->file, VHDX_REGION_1, VHDX_TABLE, t, 0, e);
    return r < 0 ? r : blk_write(p->file, VHDX_REGION_2, VHDX_TABLE, t, 0, e);
}

static int write_metadata(const struct plan *p, uint8_t *t, struct err *e)
{
    enum { IS_DISK = 2, REQUIRED = 4 };
    const struct {
        const uint8_t *guid;
        uint8_t at, len, flags;
    } items[] = {{vhdx_guid_parameters, 0, 8, REQUIRED},
                 {vhdx_guid_size, 8, 8, IS_DISK | REQUIRED},
                 {vhdx_guid_page83, 16, 16, IS_DISK | REQUIRED},
                 {vhdx_guid_logical, 32, 4, IS_DISK | REQUIRED},
                 {vhdx_guid_physical, 36, 4, IS_DISK | REQUIRED}};
    uint8_t values[40];
    int r;

    memset(t, 0, VHDX_TABLE);
    memcpy(t, "metadata", 8);
    put_le16(t + 10, ARRAY_LEN(items));
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        uint8_t *entry = t + 32 + i * 32;

        memcpy(entry, items[i].guid, VHDX_GUID);
        put_le32(entry + 16, VHDX_ITEMS + items[i].at);
        put_le32(entry + 20, items[i].len);
        put_le32(entry + 24, items[i].flags);
    }
    put_le32(values, (uint32_t)p->block);
    put_le32(values + 4, p->fixed ? 1 : 0); /* blocks stay allocated */
    put_le64(values + 8, p->size);
    blk_new_uuid(values + 16);
    put_le32(values + 32, 512);
    put_le32(values + 36, 512);
    r = blk_write(p->file, p->metadata, VHDX_TABLE, t, 0, e);
    return r < 0 ? r : blk_write(p->file, p->metadata + VHDX_ITEMS, sizeof(values), values, 0, e);
}

/* Entries of the block table, many at a time; @t has VHDX_TABLE bytes. */
static int write_table(const struct plan *p, uint8_t *t, struct err *e)
{
    uint64_t state = p->fixed ? VHDX_PRESENT : VHDX_ZERO, host = p->end, in = 0;
    int r;

    if (!p->fixed && !p->zero)
        return 0;
    for (uint64_t i = 0; i < p->entries;) {
        uint64_t n = min_u64(p->entries - i, VHDX_TABLE / 8);

        for (uint64_t k = 0; k < n; k++) {
            bool bitmap = in == p->ratio;

            put_le64(t + k * 8, bitmap ? 0 : p->fixed ? host | state : state);
            host += bitmap ? 0 : p->block;
            in = bitmap ? 0 : in + 1;
        }
        if ((r = blk_write(p->file, p->bat + i * 8, n * 8, t, 0, e)) < 0)
            return r;
        i += n;
    }
    return 0;
}

/* The identifier comes last: without it the file is no image. */
static int write_all(const struct plan *p, struct err *e)
{
    static const char creator[] = "Emu";
    uint64_t data = p->fixed ? p->blocks * p->block : 0; /* whole blocks */
    uint8_t *t = malloc(VHDX_TABLE), id[520] = "vhdxfile";
    int r;

    if (!t)
        return err_set(e, -ENOMEM, "out of memory");
    for (size_t i = 0; creator[i]; i++)
        id[8 + 2 * i] = (uint8_t)creator[i];
    if ((r = blk_truncate(p->file, p->end + data, BLK_PREALLOC_OFF, 0, e)) >= 0 &&
        (r = write_headers(p, e)) >= 0 && (r = write_regions(p, t, e)) >= 0 &&
        (r = write_metadata(p, t, e)) >= 0 && (r = write_table(p, t, e)) >= 0)
        r = blk_write(p->file, 0, sizeof(id), id, 0, e);
    free(t);
    return r;
}

static int vhdx_create(struct blk_env *env, const char *filename, void *opts,
                       struct json_object *protocol, struct err *e)
{
    struct plan p = {0};
    int r;

    if ((r = make_plan(&p, opts, e)) < 0)
        return r;
    if (!(p.file = blk_create_file(env, filename, 0, protocol, e)))
        return e->code;
    if ((r = write_all(&p, e)) < 0) {
        blk_close(p.file, ERR_IGNORE);
        return r;
    }
    return blk_close(p.file, e);
}

const struct blk_create_ops vhdx_create_ops = {
    .opts = vhdx_create_fields,
    .opts_size = sizeof(struct vhdx_create),
    .create = vhdx_create,
};
