/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -drive, -blockdev and their shorthands: images opened through src/block, as "drive" back ends. */
#include "app/system/drive_priv.h"

#include "base/nearest.h"
#include "schema/keyval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const if_names[] = {"none",   "ide", "scsi",   "floppy",  "pflash",
                                       "mtd",    "sd",  "virtio", "default", NULL};
static const unsigned char if_units[IF_NUM] = {[IF_IDE] = 2, [IF_SCSI] = 7}; /* of a bus; 0: all on one */

static int units_of(const struct sys *s, enum drive_if intf)
{
    return intf == IF_IDE && s->conf.board->ide_units ? (int)s->conf.board->ide_units : if_units[intf];
}

/* What -drive says that is no option of the image. */
struct opts {
    char *file, *intf, *id, *cache, *format, *werror, *rerror, *aio, *serial, *discard, *zeroes,
        *media;
    char *bus, *unit, *index;
    char *readonly, *read_only, *snapshot, *copy_on_read;
};

#define ROW(member, name) FIELD(opts, member, F_STR, name, NULL, NULL)
static const struct field drive_fields[] = {
    ROW(file, "file"),
    ROW(intf, "if"),
    ROW(id, "id"),
    ROW(cache, "cache"),
    ROW(format, "format"),
    ROW(werror, "werror"),
    ROW(rerror, "rerror"),
    ROW(aio, "aio"),
    ROW(serial, "serial"),
    ROW(discard, "discard"),
    ROW(zeroes, "detect-zeroes"),
    ROW(media, "media"),
    ROW(bus, "bus"),
    ROW(unit, "unit"),
    ROW(index, "index"),
    ROW(readonly, "readonly"),
    ROW(read_only, "read-only"),
    ROW(snapshot, "snapshot"),
    ROW(copy_on_read, "copy-on-read"),
    FIELD_END,
};

/* The place of @word in @words, @def for none; -EINVAL. */
static int word_at(const char *key, const char *word, const char *const *words, int def,
                   struct err *e)
{
    const char *near;

    for (int i = 0; word && words[i]; i++)
        if (!strcmp(words[i], word))
            return i;
    if (!word)
        return def;
    near = nearest_name(word, words);
    return err_set(e, -EINVAL, "Parameter '%s' does not accept value '%s'%s%s%s", key, word,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int get_switch(const char *key, const char *word, bool *on, struct err *e)
{
    if (word && parse_bool(word, on, ERR_IGNORE) < 0)
        return err_set(e, -EINVAL, "Parameter '%s' expects 'on' or 'off'", key);
    return 0;
}

static int get_number(const char *key, const char *text, int *n, struct err *e)
{
    char *end;
    long v = text ? strtol(text, &end, 10) : -1;

    if (text && (end == text || *end || v < 0 || v > 1000))
        return err_set(e, -EINVAL, "Parameter '%s' expects a number", key);
    *n = (int)v;
    return 0;
}

/* Where it is --------------------------------------------------------------------------------------- */

static struct drive *drive_at(struct sys *s, enum drive_if intf, int bus, int unit)
{
    for (struct named *n = s->drives; n; n = n->next) {
        struct drive *d = n->p;

        if (d->intf == intf && d->bus == bus && d->unit == unit)
            return d;
    }
    return NULL;
}

static int place(struct sys *s, struct drive *d, const struct opts *o, struct err *e)
{
    int units = units_of(s, d->intf), bus, unit, index, r;

    if ((r = get_number("bus", o->bus, &bus, e)) < 0 ||
        (r = get_number("unit", o->unit, &unit, e)) < 0 ||
        (r = get_number("index", o->index, &index, e)) < 0)
        return r;
    if (index >= 0 && (bus >= 0 || unit >= 0))
        return err_set(e, -EINVAL, "index cannot be used with bus and unit");
    if (index >= 0) {
        bus = units ? index / units : 0;
        unit = units ? index % units : index;
    }
    bus = bus < 0 ? 0 : bus;
    if (unit < 0)
        for (unit = 0; drive_at(s, d->intf, bus, unit);)
            if (++unit == units) {
                unit = 0;
                bus++;
            }
    if (units && unit >= units)
        return err_set(e, -EINVAL, "unit %d too big (max is %d)", unit, units - 1);
    if (d->intf != IF_NONE && drive_at(s, d->intf, bus, unit))
        return err_set(e, -EEXIST, "drive with bus=%d, unit=%d (index=%d) exists", bus, unit,
                       bus * units + unit);
    d->bus = bus;
    d->unit = unit;
    d->index = bus * units + unit;
    return 0;
}

/* "virtio0", "ide1-cd0". */
static char *default_id(const struct drive *d)
{
    char id[64];

    if (if_units[d->intf])
        snprintf(id, sizeof(id), "%s%d%s%d", if_names[d->intf], d->bus, d->cdrom ? "-cd" : "-hd",
                 d->unit);
    else
        snprintf(id, sizeof(id), "%s%d", if_names[d->intf], d->unit);
    return strdup(id);
}

/* What it is made of -------------------------------------------------------------------------------- */

static int cache_flags(const char *mode, unsigned *flags, struct err *e)
{
    static const char *const modes[] = {"none",   "off",          "writeback", "directsync",
                                        "unsafe", "writethrough", NULL};
    static const unsigned bits[] = {BLK_DIRECT,   BLK_DIRECT, 0, BLK_DIRECT | BLK_WRITE_THROUGH,
                                    BLK_NO_FLUSH, BLK_WRITE_THROUGH};
    int i = word_at("cache", mode, modes, 2, e);

    if (i < 0)
        return err_set(e, -EINVAL, "invalid cache option '%s': none, writeback, writethrough, "
                                   "directsync or unsafe", mode);
    *flags |= bits[i];
    return 0;
}

static int flags_of(const struct drive *d, const struct opts *o, unsigned *flags, struct err *e)
{
    static const char *const aios[] = {"threads", "native", "io_uring", NULL};
    static const char *const discards[] = {"ignore", "off", "unmap", "on", NULL};
    static const char *const detects[] = {"off", "on", "unmap", NULL};
    static const unsigned aio_bits[] = {0, BLK_NATIVE_AIO, BLK_IO_URING};
    static const unsigned detect_bits[] = {0, BLK_DETECT_ZEROES, BLK_DETECT_ZEROES | BLK_DETECT_UNMAP};
    bool cor = false;
    int aio, discard, detect, r;

    if ((aio = word_at("aio", o->aio, aios, 0, e)) < 0)
        return aio;
    if ((discard = word_at("discard", o->discard, discards, 0, e)) < 0)
        return discard;
    if ((detect = word_at("detect-zeroes", o->zeroes, detects, 0, e)) < 0)
        return detect;
    if ((r = get_switch("copy-on-read", o->copy_on_read, &cor, e)) < 0)
        return r;
    *flags = (d->read_only ? 0 : BLK_RDWR) | aio_bits[aio] | (discard >= 2 ? BLK_UNMAP : 0) |
             detect_bits[detect] | (cor ? BLK_COPY_ON_READ : 0);
    return cache_flags(o->cache, flags, e);
}

static int errors_of(struct drive *d, const struct opts *o, struct err *e)
{
    static const char *const words[] = {"report", "ignore", "stop", "enospc", NULL};
    int w = word_at("werror", o->werror, words, DRIVE_ENOSPC, e);
    int r = w < 0 ? w : word_at("rerror", o->rerror, words, DRIVE_REPORT, e);

    if (r < 0)
        return r;
    if (r == DRIVE_ENOSPC)
        return err_set(e, -EINVAL, "'enospc' is for werror only");
    d->werror = (enum drive_error)w;
    d->rerror = (enum drive_error)r;
    return 0;
}

static int media_of(struct sys *s, struct drive *d, const struct opts *o, struct err *e)
{
    static const char *const medias[] = {"disk", "cdrom", NULL};
    int intf = word_at("if", o->intf, if_names, IF_DEFAULT, ERR_IGNORE);
    int media = word_at("media", o->media, medias, 0, ERR_IGNORE), r;

    if (intf < 0)
        return err_set(e, -EINVAL, "unsupported bus type '%s'", o->intf);
    if (media < 0)
        return err_set(e, -EINVAL, "'%s' invalid media: disk or cdrom", o->media);
    d->intf = intf == IF_DEFAULT ? s->conf.board->default_if : (enum drive_if)intf;
    d->cdrom = media == 1;
    d->read_only = d->cdrom;
    d->snapshot = s->cli.snapshot;
    if ((r = get_switch("readonly", o->readonly, &d->read_only, e)) < 0 ||
        (r = get_switch("read-only", o->read_only, &d->read_only, e)) < 0)
        return r;
    return get_switch("snapshot", o->snapshot, &d->snapshot, e);
}

/* Writes go to a file that nobody else sees, which is gone when we are. */
static struct blk *snapshot_over(struct sys *s, struct blk *base, const char *name, struct err *e)
{
    const char *dir = getenv("TMPDIR");
    struct json_object *o = json_object_new_object();
    char path[256], size[32];
    struct blk *b = NULL;
    int fd;

    snprintf(path, sizeof(path), "%s/emu-snapshot-XXXXXX", dir && *dir ? dir : "/var/tmp");
    snprintf(size, sizeof(size), "%" PRIu64, blk_size(base));
    json_object_object_add(o, "size", json_object_new_string(size));
    if ((fd = mkstemp(path)) < 0) {
        err_set(e, -errno, "Could not create temporary file '%s': %s", path, strerror(errno));
        json_object_put(o);
        return NULL;
    }
    close(fd);
    if (blk_create(s->blk, "qcow2", path, o, e) == 0) {
        o = json_object_new_object();
        keyval_set(o, "driver", json_object_new_string("qcow2"), e);
        keyval_set(o, "file.driver", json_object_new_string("file"), e);
        keyval_set(o, "file.filename", json_object_new_string(path), e);
        keyval_set(o, "backing", json_object_new_string(name), e);
        b = blk_open(s->blk, NULL, o, BLK_RDWR | BLK_NO_FLUSH, e);
    }
    unlink(path);
    return b;
}

/* What stands on top of the image @b, which is called @name: the limits, the temporary file.  @b is theirs. */
static int stack(struct sys *s, struct drive *d, struct blk *b, const char *name, const char *group,
                 unsigned flags, struct err *e)
{
    struct blk *top = b;

    if (d->snapshot)
        top = snapshot_over(s, b, name, e);
    else if (group)
        top = drive_throttle(s, name, group, flags, e);
    if (top != b)
        blk_close(b, ERR_IGNORE);
    d->blk = top;
    return top ? 0 : e->code;
}

/* A name by which the layers above find the image. */
static const char *name_node(struct drive *d, struct json_object *opts, char *own, size_t len)
{
    const char *name = keyval_string(opts, "node-name");

    if (name)
        return name;
    snprintf(own, len, "image-of-%s", d->id);
    json_object_object_add(opts, "node-name", json_object_new_string(own));
    return own;
}

static int open_image(struct sys *s, struct drive *d, const struct opts *o,
                      struct json_object *rest, struct err *e)
{
    unsigned flags = 0;
    char own[128], name[128] = "", *group = NULL;
    struct blk *b;
    int r = flags_of(d, o, &flags, e);

    if (r < 0)
        return r;
    if (!(group = drive_limits(s, rest, d->id, e)) && e->code)
        return e->code;
    if (group && d->snapshot) {
        free(group);
        return err_set(e, -ENOTSUP, "limits and snapshot=on are not supported together yet");
    }
    if (!o->file && !json_object_object_length(rest) && !o->format) {
        free(group);
        return d->cdrom || d->intf == IF_NONE || d->intf == IF_FLOPPY || d->intf == IF_SD
                   ? 0
                   : err_set(e, -EINVAL, "Device needs media, but drive is empty");
    }
    if (o->format)
        json_object_object_add(rest, "driver", json_object_new_string(o->format));
    if (d->snapshot || group)
        snprintf(name, sizeof(name), "%s", name_node(d, rest, own, sizeof(own)));
    b = blk_open(s->blk, o->file, json_object_get(rest),
                 d->snapshot ? flags & ~(unsigned)BLK_RDWR : flags, e);
    if (b)
        stack(s, d, b, name, group, flags, e);
    free(group);
    return e->code;
}

static void drive_free(struct drive *d)
{
    struct err e = {0};

    if (d->blk && blk_close(d->blk, &e) < 0)
        fprintf(stderr, "drive '%s': %s\n", d->id, e.msg);
    free(d->id);
    free(d->serial);
    free(d);
}

static int fill_drive(struct sys *s, struct drive *d, struct opts *o, struct json_object *rest,
                      struct err *e)
{
    int r;

    if ((r = media_of(s, d, o, e)) < 0 || (r = errors_of(d, o, e)) < 0 ||
        (r = place(s, d, o, e)) < 0)
        return r;
    if (o->id && (r = id_check(o->id, e)) < 0)
        return r;
    d->id = o->id ? strdup(o->id) : default_id(d);
    d->serial = o->serial ? strdup(o->serial) : NULL;
    if (machine_backend(s->m, "drive", d->id))
        return err_set(e, -EEXIST, "Duplicate ID '%s' for drive", d->id);
    if ((r = open_image(s, d, o, rest, e)) < 0)
        return r;
    if (d->blk)
        blk_count(d->blk);
    return machine_add_backend(s->m, "drive", d->id, d, e);
}

static int add_drive(struct sys *s, const struct entry *x, struct err *e)
{
    struct drive *d = calloc(1, sizeof(*d));
    struct json_object *rest = NULL;
    struct opts o;
    int r;

    if (!d)
        fatal("out of memory");
    json_object_deep_copy(x->opts, &rest, NULL);
    if ((r = fields_take(drive_fields, rest, &o, e)) == 0) {
        r = fill_drive(s, d, &o, rest, e);
        fields_free(drive_fields, &o);
    }
    json_object_put(rest);
    if (r < 0)
        drive_free(d);
    else
        named_add(&s->drives, d->id, d);
    return r;
}

static int add_blockdev(struct sys *s, const struct entry *x, struct err *e)
{
    const char *name = keyval_string(x->opts, "node-name");
    struct json_object *o = NULL;
    struct drive *d;
    struct blk *b;

    if (!name)
        return err_set(e, -EINVAL, "'node-name' must be specified for the root node");
    if (machine_backend(s->m, "drive", name))
        return err_set(e, -EEXIST, "Duplicate nodes with node-name='%s'", name);
    json_object_deep_copy(x->opts, &o, NULL);
    if (!(b = blk_open(s->blk, NULL, o, BLK_RDWR, e)))
        return e->code;
    if (!(d = calloc(1, sizeof(*d))) || !(d->id = strdup(name)))
        fatal("out of memory");
    d->blk = b;
    blk_count(b);
    d->node = true;
    d->intf = IF_NONE;
    d->werror = DRIVE_ENOSPC;
    d->read_only = !(blk_flags(b) & BLK_RDWR);
    named_add(&s->drives, d->id, d);
    return machine_add_backend(s->m, "drive", d->id, d, e);
}

int drives_open(struct sys *s, struct err *e)
{
    for (struct entry *x = s->cli.entries; x; x = x->next) {
        if (x->group == &group_blockdev && add_blockdev(s, x, e) < 0)
            return entry_fail(x, e);
        if (x->group == &group_drive && add_drive(s, x, e) < 0)
            return entry_fail(x, e);
    }
    return 0;
}

int drive_add(struct sys *s, const char *text, struct err *e)
{
    struct entry x = {.group = &group_drive, .option = "drive_add"};

    if (!(x.opts = keyval_parse(text, NULL, e)))
        return e->code;
    add_drive(s, &x, e);
    json_object_put(x.opts);
    return e->code;
}

int drive_del(struct sys *s, const char *id, struct err *e)
{
    struct named **at = &s->drives, *n;
    struct drive *d;

    while ((n = *at) && strcmp(n->id, id) != 0)
        at = &n->next;
    if (!n)
        return err_set(e, -ENOENT, "Device '%s' not found", id);
    d = n->p;
    if (d->used)
        return err_set(e, -EBUSY, d->node ? "Node %s is in use" : "Device '%s' is in use: device_del its user first", id);
    *at = n->next;
    machine_del_backend(s->m, "drive", id);
    drive_free(d);
    free(n->id);
    free(n);
    return 0;
}

void drives_close(struct sys *s)
{
    for (struct named *n; (n = s->drives);) {
        s->drives = n->next;
        drive_free(n->p);
        free(n->id);
        free(n);
    }
}
