/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "isa-debug-exit": a guest (a test) that writes V to its port ends the program with status V * 2 + 1, modulo 256. */
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>

struct debug_exit {
    struct dev dev;
    uint64_t iobase, iosize;
    struct mem port;
};

static uint64_t exit_read(void *opaque, paddr off, struct access a)
{
    return 0;
}

static void exit_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct debug_exit *d = opaque;

    machine_exit(d->dev.m, (int)((v << 1 | 1) & 0xff));
}

static const struct mmio_ops exit_ops = {.read = exit_read, .write = exit_write, .min = 1, .max = 4};

static int exit_init(struct dev *dev, struct err *e)
{
    struct debug_exit *d = (struct debug_exit *)dev;

    if (!d->iosize || d->iosize > 8)
        return err_set(e, -EINVAL, "iosize=%" PRIu64 ": want 1 to 8", d->iosize);
    mem_init_mmio(&d->port, "isa-debug-exit", d->iosize, &exit_ops, d);
    return isa_add_io(dev, &d->port, d->iobase, e);
}

static const struct field exit_props[] = {
    FIELD(debug_exit, iobase, F_U64, "iobase", "1281", "first port"),
    FIELD(debug_exit, iosize, F_U64, "iosize", "2", "how many ports"),
    FIELD_END,
};

const struct dev_type dev_isa_debug_exit = {
    .name = "isa-debug-exit",
    .help = "port that ends the program",
    .class = DEV_MISC,
    .bus = "isa",
    .size = sizeof(struct debug_exit),
    .props = exit_props,
    .init = exit_init,
};
