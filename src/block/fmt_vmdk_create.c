/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making VMDK images: descriptor, extents, empty tables. */
#include "block/fmt_vmdk_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct vmdk_create {
    uint64_t size;
    char *adapter_type, *backing_file, *backing_fmt;
    bool compat6;
    char *hwversion, *toolsversion, *subformat;
    bool zeroed_grain;
};

static const struct field vmdk_create_fields[] = {
    FIELD(vmdk_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(vmdk_create, adapter_type, F_STR, "adapter_type", NULL,
          "Virtual adapter type, can be one of ide (default), lsilogic, buslogic or legacyESX"),
    FIELD(vmdk_create, backing_file, F_STR, "backing_file", NULL, "File name of a base image"),
    FIELD(vmdk_create, backing_fmt, F_STR, "backing_fmt", NULL, "Must be 'vmdk' if present"),
    FIELD(vmdk_create, compat6, F_BOOL, "compat6", "off", "VMDK version 6 image"),
    FIELD(vmdk_create, hwversion, F_STR, "hwversion", "undefined", "VMDK hardware version"),
    FIELD(vmdk_create, toolsversion, F_STR, "toolsversion", NULL, "VMware guest tools version"),
    FIELD(vmdk_create, subformat, F_STR, "subformat", NULL,
          "VMDK flat extent format, can be one of {monolithicSparse (default) | monolithicFlat | "
          "twoGbMaxExtentSparse | twoGbMaxExtentFlat | streamOptimized} "),
    FIELD(vmdk_create, zeroed_grain, F_BOOL, "zeroed_grain", NULL,
          "Enable efficient zero writes using the zeroed-grain GTE feature"),
    FIELD_END,
};

enum { DESC_SECTORS = 20, GRAIN_SECTORS = 128, GT_SECTORS = VMDK_GTES * 4 / VMDK_SECTOR };
#define SPLIT_SIZE (2 * GiB)

struct layout {
    const char *name; /* as in createType */
    bool flat, split, stream;
};

static const struct layout layouts[] = {
    {.name = "monolithicSparse"},
    {.name = "monolithicFlat", .flat = true},
    {.name = "twoGbMaxExtentSparse", .split = true},
    {.name = "twoGbMaxExtentFlat", .flat = true, .split = true},
    {.name = "streamOptimized", .stream = true},
};

static const char *const adapters[] = {"ide", "lsilogic", "buslogic", "legacyESX", NULL};

/* Sparse extents -------------------------------------------------------------------------------------- */

static void make_header(uint8_t h[VMDK_SECTOR], const struct vmdk_create *o, const struct layout *l,
                        uint64_t capacity, uint64_t dir_sectors, uint64_t tables)
{
    uint64_t twin = 1 + DESC_SECTORS, dir = twin + dir_sectors + tables * GT_SECTORS;

    memset(h, 0, VMDK_SECTOR);
    memcpy(h, "KDMV", 4);
    put_le32(h + 4, l->stream ? 3 : o->zeroed_grain ? 2 : 1);
    put_le32(h + 8, VMDK_NEWLINES | VMDK_REDUNDANT | (o->zeroed_grain ? VMDK_ZEROED : 0) |
                        (l->stream ? VMDK_COMPRESSED | VMDK_MARKERS : 0));
    put_le64(h + 12, capacity);
    put_le64(h + 20, GRAIN_SECTORS);
    put_le64(h + 28, 1);
    put_le64(h + 36, DESC_SECTORS);
    put_le32(h + 44, VMDK_GTES);
    put_le64(h + 48, twin);
    put_le64(h + 56, dir);
    put_le64(h + 64, round_up(dir + dir_sectors + tables * GT_SECTORS, GRAIN_SECTORS));
    memcpy(h + 73, "\n \r\n", 4);
    put_le16(h + 77, l->stream ? 1 : 0);
}

/* A directory whose tables follow it. */
static int write_dir(struct blk *file, uint64_t at, uint64_t dir_sectors, uint64_t tables,
                     struct err *e)
{
    uint8_t *d = calloc(1, dir_sectors * VMDK_SECTOR + 1);
    int r;

    if (!d)
        return err_set(e, -ENOMEM, "out of memory for a grain directory");
    for (uint64_t i = 0; i < tables; i++)
        put_le32(d + i * 4, (uint32_t)(at + dir_sectors + i * GT_SECTORS));
    r = blk_write(file, at * VMDK_SECTOR, dir_sectors * VMDK_SECTOR, d, 0, e);
    free(d);
    return r;
}

static int write_sparse(struct blk *file, const struct vmdk_create *o, const struct layout *l,
                        uint64_t size, struct err *e)
{
    uint64_t capacity = div_up(size, VMDK_SECTOR);
    uint64_t tables = div_up(div_up(capacity, GRAIN_SECTORS), VMDK_GTES);
    uint64_t dir_sectors = div_up(tables * 4, VMDK_SECTOR);
    uint8_t h[VMDK_SECTOR];
    int r;

    if (tables > TABLE_MAX / 8 || tables * GT_SECTORS * 2 > UINT32_MAX / 2)
        return err_set(e, -EFBIG, "a sparse extent of %" PRIu64 " bytes is too large: the limit is "
                       "256 TiB", size);
    make_header(h, o, l, capacity, dir_sectors, tables);
    if ((r = blk_truncate(file, get_le64(h + 64) * VMDK_SECTOR, BLK_PREALLOC_OFF, 0, e)) < 0 ||
        (r = write_dir(file, get_le64(h + 48), dir_sectors, tables, e)) < 0 ||
        (r = write_dir(file, get_le64(h + 56), dir_sectors, tables, e)) < 0)
        return r;
    return blk_write(file, 0, sizeof(h), h, 0, e);
}

/* Names and the descriptor ------------------------------------------------------------------------------- */

/* "dir/disk.vmdk" and "-s001": "dir/disk-s001.vmdk". */
static char *extent_name(const char *filename, const char *suffix)
{
    const char *slash = strrchr(filename, '/'), *dot = strrchr(slash ? slash : filename, '.');
    char *name;

    if (!dot)
        dot = filename + strlen(filename);
    if (asprintf(&name, "%.*s%s%s", (int)(dot - filename), filename, suffix, dot) < 0)
        fatal("out of memory");
    return name;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

struct making {
    struct blk_env *env;
    const char *filename;
    const struct vmdk_create *o;
    const struct layout *l;
    struct json_object *protocol;
    uint32_t parent_cid;
    char *lines; /* of extents */
};

static void add_line(struct making *m, uint64_t size, const char *name)
{
    uint64_t n = div_up(size, VMDK_SECTOR);
    char *more;

    if (asprintf(&more, m->l->flat ? "%sRW %" PRIu64 " FLAT \"%s\" 0\n"
                                   : "%sRW %" PRIu64 " SPARSE \"%s\"\n",
                 m->lines ? m->lines : "", n, base_name(name)) < 0)
        fatal("out of memory");
    free(m->lines);
    m->lines = more;
}

static int make_extent(struct making *m, const char *name, uint64_t size, struct err *e)
{
    uint64_t bytes = round_up(size, VMDK_SECTOR);
    struct blk *file = blk_create_file(m->env, name, m->l->flat ? bytes : 0, m->protocol, e);
    int r;

    if (!file)
        return e->code;
    r = m->l->flat ? 0 : write_sparse(file, m->o, m->l, size, e);
    if (r < 0) {
        blk_close(file, ERR_IGNORE);
        return r;
    }
    add_line(m, size, name);
    return blk_close(file, e);
}

static int make_extents(struct making *m, struct err *e)
{
    uint64_t left = m->o->size, size;
    char suffix[32], *name;
    int r = 0;

    if (!m->l->flat && !m->l->split)
        return make_extent(m, m->filename, left, e);
    for (unsigned i = 1; r >= 0 && (left || i == 1); i++, left -= size) {
        size = m->l->split ? min_u64(left, SPLIT_SIZE) : left;
        if (m->l->split)
            snprintf(suffix, sizeof(suffix), "-%c%03u", m->l->flat ? 'f' : 's', i);
        else
            snprintf(suffix, sizeof(suffix), "-flat");
        if (i > VMDK_MAX_EXTENTS)
            return err_set(e, -EFBIG, "more than %d extents", VMDK_MAX_EXTENTS);
        name = extent_name(m->filename, suffix);
        r = make_extent(m, name, size, e);
        free(name);
    }
    return r;
}

static char *make_desc(const struct making *m, uint32_t cid)
{
    const struct vmdk_create *o = m->o;
    const char *adapter = o->adapter_type ? o->adapter_type : "ide";
    unsigned heads = strcmp(adapter, "ide") ? 255 : 16;
    char *hint = NULL, *text;

    if (o->backing_file && asprintf(&hint, "parentFileNameHint=\"%s\"", o->backing_file) < 0)
        fatal("out of memory");
    if (asprintf(&text,
                 "# Disk DescriptorFile\nversion=1\nCID=%08" PRIx32 "\nparentCID=%08" PRIx32 "\n"
                 "createType=\"%s\"\n%s\n# Extent description\n%s\n# The Disk Data Base\n#DDB\n\n"
                 "ddb.virtualHWVersion = \"%s\"\nddb.geometry.cylinders = \"%" PRIu64 "\"\n"
                 "ddb.geometry.heads = \"%u\"\nddb.geometry.sectors = \"63\"\n"
                 "ddb.adapterType = \"%s\"\nddb.toolsVersion = \"%s\"\n",
                 cid, m->parent_cid, m->l->name, hint ? hint : "", m->lines,
                 o->compat6                             ? "6"
                 : strcmp(o->hwversion, "undefined") ? o->hwversion
                                                        : "4",
                 div_up(o->size, VMDK_SECTOR) / (63 * heads), heads, adapter,
                 o->toolsversion ? o->toolsversion : "2147483647") < 0)
        fatal("out of memory");
    free(hint);
    return text;
}

static int write_desc(struct making *m, struct err *e)
{
    bool inside = !m->l->flat && !m->l->split;
    struct json_object *opts;
    struct blk *file;
    uint32_t cid;
    char *text;
    int r;

    do
        blk_random(&cid, sizeof(cid));
    while (cid == VMDK_NO_PARENT);
    text = make_desc(m, cid);
    if (inside) {
        opts = json_object_new_object();
        json_object_object_add(opts, "driver",
                               json_object_new_string(blk_protocol_of(m->filename, e)->name));
        file = blk_open(m->env, m->filename, opts, BLK_RDWR, e);
    } else {
        file = blk_create_file(m->env, m->filename, strlen(text), m->protocol, e);
    }
    if (!file) {
        free(text);
        return e->code;
    }
    r = inside && strlen(text) > DESC_SECTORS * VMDK_SECTOR
            ? err_set(e, -EINVAL, "the names are too long for the descriptor")
            : blk_write(file, inside ? VMDK_SECTOR : 0, strlen(text), text, 0, e);
    free(text);
    if (r < 0) {
        blk_close(file, ERR_IGNORE);
        return r;
    }
    return blk_close(file, e);
}

/* The layer below says by its content id what this image is made on. */
static int find_parent(struct making *m, struct err *e)
{
    char *name = blk_relative_name(m->filename, m->o->backing_file);
    struct json_object *opts = NULL;
    struct blk *p;
    int r = 0;

    if (m->o->backing_fmt) {
        opts = json_object_new_object();
        json_object_object_add(opts, "driver", json_object_new_string(m->o->backing_fmt));
    }
    p = blk_open(m->env, name, opts, BLK_NO_BACKING | BLK_PROBE_RAW_OK, e);
    free(name);
    if (!p)
        return e->code;
    if (p->drv == &fmt_vmdk)
        m->parent_cid = ((struct vmdk *)p->state)->cid;
    else
        r = err_set(e, -EINVAL, "backing_file must be a vmdk image");
    blk_close(p, ERR_IGNORE);
    return r;
}

static int check_options(struct making *m, struct err *e)
{
    const struct vmdk_create *o = m->o;
    const char *names[ARRAY_LEN(layouts) + 1] = {NULL}, *near;

    if (o->compat6 && strcmp(o->hwversion, "undefined"))
        return err_set(e, -EINVAL, "compat6 cannot be enabled with hwversion set");
    if (o->adapter_type) {
        bool known = false;

        for (int i = 0; adapters[i]; i++)
            known |= !strcmp(adapters[i], o->adapter_type);
        near = nearest_name(o->adapter_type, adapters);
        if (!known)
            return err_set(e, -EINVAL, "invalid parameter value: %s%s%s%s", o->adapter_type,
                           near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    }
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
        names[i] = layouts[i].name;
        if (!o->subformat || !strcmp(o->subformat, names[i])) {
            m->l = &layouts[i];
            break;
        }
    }
    if (!m->l) {
        near = nearest_name(o->subformat, names);
        return err_set(e, -EINVAL, "invalid parameter value: %s%s%s%s", o->subformat,
                       near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    }
    if (m->l->flat && o->backing_file)
        return err_set(e, -ENOTSUP, "Flat image can't have backing file");
    if (m->l->flat && o->zeroed_grain)
        return err_set(e, -ENOTSUP, "Flat image can't enable zeroed grain");
    for (const char *const *p = (const char *const[]){o->hwversion, o->toolsversion,
                                                      o->backing_file, m->filename, NULL},
                           *const *end = p + 4; p < end; p++)
        if (*p && strpbrk(*p, "\"\r\n"))
            return err_set(e, -EINVAL, "'%s' cannot be said in a descriptor: it has quotes or "
                           "line ends", *p);
    return 0;
}

static int vmdk_create(struct blk_env *env, const char *filename, void *opts,
                       struct json_object *protocol, struct err *e)
{
    struct making m = {.env = env, .filename = filename, .o = opts, .protocol = protocol,
                       .parent_cid = VMDK_NO_PARENT};
    int r;

    if ((r = check_options(&m, e)) < 0 || (m.o->backing_file && (r = find_parent(&m, e)) < 0))
        return r;
    if ((r = make_extents(&m, e)) >= 0)
        r = write_desc(&m, e);
    free(m.lines);
    return r;
}

const struct blk_create_ops vmdk_create_ops = {
    .opts = vmdk_create_fields,
    .opts_size = sizeof(struct vmdk_create),
    .create = vmdk_create,
};
