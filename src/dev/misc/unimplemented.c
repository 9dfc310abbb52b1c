/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "unimplemented-device": registers that a board has and we have not: they read 0, and every touch is reported. */
#include "base/trace.h"
#include "bus/dev.h"

#include <errno.h>
#include <inttypes.h>

struct unimplemented {
    struct dev dev;
    char *name;
    uint64_t size; /* bytes */
};

enum { TP_READ, TP_WRITE };
static struct trace_point unimplemented_trace[] = {[TP_READ] = {.name = "unimplemented_read"},
                                                   [TP_WRITE] = {.name = "unimplemented_write"},
                                                   {.name = NULL}};

static uint64_t unimplemented_read(void *opaque, paddr off, struct access a)
{
    struct unimplemented *u = opaque;

    TRACE(&unimplemented_trace[TP_READ], "name=%s off=%#" PRIpaddr " size=%u", u->name, off, a.size);
    guest_error(&u->dev, "%s: read of offset %#" PRIpaddr ", size %u: not implemented", u->name, off,
                a.size);
    return 0;
}

static void unimplemented_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct unimplemented *u = opaque;

    TRACE(&unimplemented_trace[TP_WRITE], "name=%s off=%#" PRIpaddr " size=%u value=%#" PRIx64,
          u->name, off, a.size, v);
    guest_error(&u->dev, "%s: write of %#" PRIx64 " to offset %#" PRIpaddr ", size %u: not implemented",
                u->name, v, off, a.size);
}

static const struct mmio_ops unimplemented_ops = {unimplemented_read, unimplemented_write,
                                                  .unaligned = true};

static int unimplemented_init(struct dev *d, struct err *e)
{
    struct unimplemented *u = (struct unimplemented *)d;

    if (!u->name)
        return err_set(e, -EINVAL, "property 'name' not specified");
    if (!u->size)
        return err_set(e, -EINVAL, "property 'size' not specified or zero");
    mem_init_mmio(&d->mmio, u->name, u->size, &unimplemented_ops, u);
    return 0;
}

static const struct field unimplemented_props[] = {
    FIELD(unimplemented, name, F_STR, "name", NULL, "of what is not there"),
    FIELD(unimplemented, size, F_SIZE, "size", "0", "of its registers, bytes"),
    FIELD_END,
};

const struct dev_type dev_unimplemented = {
    .name = "unimplemented-device",
    .help = "registers that read 0, and a report of each access",
    .class = DEV_BOARD,
    .size = sizeof(struct unimplemented),
    .props = unimplemented_props,
    .init = unimplemented_init,
    .trace = unimplemented_trace,
};
