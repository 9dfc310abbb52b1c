/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "floppy": a floppy disk drive; the bus of a controller; formats by the size of an image.  Source: ECMA-125 and its kin for the formats. */
#include "dev/floppy/fdc.h"

#include "base/bytes.h"
#include "dev/backends.h"

#include <errno.h>
#include <stdio.h>

static const struct floppy_format formats[] = {
    {2880, 80, 2, 18, 1, FLOPPY_144}, {5760, 80, 2, 36, 8, FLOPPY_288}, {3360, 80, 2, 21, 1, FLOPPY_144},
    {3444, 82, 2, 21, 1, FLOPPY_144}, {2400, 80, 2, 15, 1, FLOPPY_120}, {1440, 80, 2, 9, 6, FLOPPY_144},
    {1600, 80, 2, 10, 6, FLOPPY_144}, {720, 40, 2, 9, 6, FLOPPY_120},   {640, 40, 2, 8, 6, FLOPPY_120},
    {360, 40, 1, 9, 6, FLOPPY_120},   {320, 40, 1, 8, 6, FLOPPY_120},
};

/* What is no known size is taken for the smallest format that holds it, or the largest. */
static const struct floppy_format *format_of(uint64_t bytes)
{
    const struct floppy_format *best = &formats[1];

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (formats[i].sectors_all * 512ull == bytes)
            return &formats[i];
        if (formats[i].sectors_all * 512ull > bytes && formats[i].sectors_all < best->sectors_all)
            best = &formats[i];
    }
    return best;
}

static void look(struct floppy *f)
{
    struct blk *b = f->drive ? f->drive->blk : NULL;

    f->format = b ? format_of(blk_size(b)) : NULL;
    f->read_only = b && (f->drive->read_only || !(blk_flags(b) & BLK_RDWR));
}

static void medium_changed(void *owner, struct drive *d)
{
    struct floppy *f = owner;

    look(f);
    f->changed = 1;
}

int floppy_io(struct floppy *f, unsigned head, unsigned sector, uint8_t buf[static 512], bool write)
{
    struct iovec iov = {buf, 512};
    struct blk *b = f->drive ? f->drive->blk : NULL;
    uint64_t n;
    int r;

    if (!b || !f->format || !sector)
        return -ENOMEDIUM; /* it was taken out in the middle */
    n = ((uint64_t)f->track * f->format->heads + head) * f->format->sectors + sector - 1;
    if ((n + 1) * 512 > blk_size(b)) {
        memset(buf, 0, write ? 0 : 512);
        return write ? -ENOSPC : 0;
    }
    r = write ? blk_writev(b, n * 512, &iov, 1, 0, ERR_IGNORE) : blk_readv(b, n * 512, &iov, 1, ERR_IGNORE);
    if (r < 0)
        host_error(&f->dev, "%s sector %llu fails: error %d", write ? "writing" : "reading",
                   (unsigned long long)n, -r);
    return r;
}

/* --- The bus --- */

static int plug(struct bus *bus, struct dev *dev, struct err *e)
{
    struct fdc_bus *b = (struct fdc_bus *)bus;
    struct floppy *f = (struct floppy *)dev;

    if (dev->hotplugged)
        return err_set(e, -ENOTSUP, "Bus '%s' does not support hotplugging", bus->name);
    for (unsigned i = 0; i < FDC_DRIVES && f->unit == UINT32_MAX; i++)
        if (!b->floppy[i])
            f->unit = i;
    if (f->unit >= FDC_DRIVES)
        return err_set(e, -EINVAL, "Can't create floppy unit %llu, bus supports only %d units",
                       (unsigned long long)f->unit, FDC_DRIVES);
    if (b->floppy[f->unit])
        return err_set(e, -EBUSY, "Floppy unit %llu is in use", (unsigned long long)f->unit);
    return 0;
}

static int placed(struct bus *bus, struct dev *dev, struct err *e)
{
    ((struct fdc_bus *)bus)->floppy[((struct floppy *)dev)->unit] = (struct floppy *)dev;
    return 0;
}

static void unplug(struct bus *bus, struct dev *dev)
{
    ((struct fdc_bus *)bus)->floppy[((struct floppy *)dev)->unit] = NULL;
}

void fdc_bus_init(struct fdc_bus *b, struct dev *owner)
{
    char name[32];
    unsigned n = 0;

    b->bus.kind = "floppy-bus";
    b->bus.plug = plug;
    b->bus.placed = placed;
    b->bus.unplug = unplug;
    do
        snprintf(name, sizeof(name), "floppy-bus.%u", n);
    while (bus_find(owner->m, name) && ++n);
    bus_add(owner, &b->bus, name);
}

/* --- The device --- */

enum { TYPE_AUTO };
const char *const floppy_types[] = {"auto", "120", "144", "288", "none", NULL};

uint8_t floppy_type(const struct floppy *f, int forced, int fallback)
{
    static const uint8_t by_prop[] = {0, FLOPPY_120, FLOPPY_144, FLOPPY_288, FLOPPY_NONE};
    int type = f->type_prop != TYPE_AUTO ? f->type_prop : forced;

    if (type == TYPE_AUTO && f->format)
        return f->format->type;
    return by_prop[type == TYPE_AUTO ? fallback : type];
}

static int init(struct dev *d, struct err *e)
{
    struct floppy *f = (struct floppy *)d;
    int r;

    if (f->drive_id && (r = dev_take_drive(d, f->drive_id, &f->drive, e)) < 0)
        return r;
    if (f->drive) {
        f->drive->removable = true;
        f->drive->owner = f;
        f->drive->changed = medium_changed;
    }
    look(f);
    f->changed = 1;
    return 0;
}

static void fini(struct dev *d)
{
    dev_drop_drive(((struct floppy *)d)->drive);
}

static void reset(struct dev *d)
{
    ((struct floppy *)d)->track = 0;
}

static int loaded(struct dev *d, int version, struct err *e)
{
    const struct floppy *f = (struct floppy *)d;

    return f->track > 84 ? err_set(e, -EILSEQ, "track %u: at most 84", f->track) : 0;
}

static const struct field props[] = {
    FIELD(floppy, drive_id, F_STR, "drive", NULL, "ID of the disk; none: an empty drive"),
    FIELD(floppy, unit, F_U64, "unit", "4294967295", "0: A, 1: B; 4294967295: the next"),
    FIELD_ENUM(floppy, type_prop, floppy_types, "drive-type", "auto", "what the drive takes"),
    FIELD_END,
};

static const struct state state[] = {
    STATE(floppy, changed, S_U8, 1, NULL),
    STATE(floppy, track, S_U8, 1, "0..84"),
    STATE_END,
};

const struct dev_type dev_floppy = {
    .name = "floppy",
    .help = "virtual floppy drive",
    .class = DEV_STORAGE,
    .bus = "floppy-bus",
    .size = sizeof(struct floppy),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
};

struct adding {
    struct machine *m;
    struct err *e;
};

static bool add_one(void *opaque, const char *id, void *backend)
{
    struct adding *a = opaque;
    struct drive *d = backend;
    struct json_object *o;
    char unit[16];

    if (d->intf != IF_FLOPPY || d->used)
        return true;
    o = json_object_new_object();
    snprintf(unit, sizeof(unit), "%d", d->unit);
    json_object_object_add(o, "unit", json_object_new_string(unit));
    json_object_object_add(o, "drive", json_object_new_string(id));
    return dev_new(a->m, "floppy", NULL, NULL, o, a->e);
}

int fdc_add_drives(struct machine *m, struct err *e)
{
    struct adding a = {m, e};

    machine_each_backend(m, "drive", add_one, &a);
    return e->code;
}
