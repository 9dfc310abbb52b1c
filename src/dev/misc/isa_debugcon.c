/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "isa-debugcon": what is written to its port goes to a character back end; what is read says that it is there.
 * Source: the port E9h of Bochs (its user manual, "port_e9_hack").
 */
#include "dev/backends.h"
#include "dev/isa/isa.h"

#include <errno.h>

struct debugcon {
    struct dev dev;
    struct chr *chr;
    char *chardev;
    uint64_t iobase, readback;
    struct mem port;
};

static size_t no_room(void *opaque)
{
    return 0;
}

static void no_data(void *opaque, const uint8_t *buf, size_t len)
{
}

static const struct chr_front front = {.room = no_room, .data = no_data};

static uint64_t debugcon_read(void *opaque, paddr off, struct access a)
{
    return ((struct debugcon *)opaque)->readback;
}

static void debugcon_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct debugcon *p = opaque;

    chr_write_all(p->chr, p, &(uint8_t){(uint8_t)v}, 1);
}

static const struct mmio_ops debugcon_ops = {
    .read = debugcon_read, .write = debugcon_write, .min = 1, .max = 1};

static int debugcon_init(struct dev *d, struct err *e)
{
    struct debugcon *p = (struct debugcon *)d;
    int r;

    if (!p->chardev)
        return err_set(e, -EINVAL, "Can't create debugcon device, empty char device");
    mem_init_mmio(&p->port, "debugcon", 1, &debugcon_ops, p);
    if ((r = dev_take_chr(d, p->chardev, &front, p, &p->chr, e)) < 0)
        return r;
    if ((r = isa_add_io(d, &p->port, p->iobase, e)) < 0)
        chr_detach(p->chr, p);
    return r;
}

static void debugcon_fini(struct dev *d)
{
    struct debugcon *p = (struct debugcon *)d;

    chr_detach(p->chr, p);
}

static const struct field debugcon_props[] = {
    FIELD(debugcon, chardev, F_STR, "chardev", NULL, "character back end that it writes to"),
    FIELD(debugcon, iobase, F_U64, "iobase", "233", "port"),
    FIELD(debugcon, readback, F_U64, "readback", "233", "what reading it gives"),
    FIELD_END,
};

const struct dev_type dev_isa_debugcon = {
    .name = "isa-debugcon",
    .help = "port that prints what is written to it",
    .class = DEV_MISC,
    .bus = "isa",
    .size = sizeof(struct debugcon),
    .props = debugcon_props,
    .init = debugcon_init,
    .fini = debugcon_fini,
};
