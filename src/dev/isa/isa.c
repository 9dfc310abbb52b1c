/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ISA bus (isa.h), and "isabus-bridge", which is nothing but one: for boards without a chipset. */
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { INPUTS = 256 /* of a struct irq_or */ };

static int isa_plug(struct bus *b, struct dev *d, struct err *e)
{
    return d->hotplugged ? err_set(e, -ENOTSUP, "Bus '%s' does not support hotplugging", b->name) : 0;
}

static int isa_unplug_request(struct bus *b, struct dev *d, struct err *e)
{
    return err_set(e, -ENOTSUP, "Bus '%s' does not support hotplugging", b->name);
}

void isa_bus_init(struct isa_bus *b, struct dev *owner)
{
    b->io = machine_io_mem(owner->m);
    b->mem = machine_mem(owner->m);
    b->bus.kind = "isa";
    b->bus.plug = isa_plug;
    b->bus.unplug_request = isa_unplug_request;
    bus_add(owner, &b->bus, "isa.0");
}

struct isa_bus *isa_bus(struct machine *m)
{
    struct bus *b = bus_find(m, "isa.0");

    return b ? isa_bus_of(b) : NULL;
}

/* More devices than inputs share the last one: not many people have 256 cards. */
struct irq_in isa_irq(struct isa_bus *b, unsigned n)
{
    unsigned input = b->users[n] < INPUTS - 1 ? b->users[n]++ : INPUTS - 1;

    return irq_or_in(&b->irq[n], input);
}

int isa_add_io(struct dev *d, struct mem *regs, uint64_t base, struct err *e)
{
    if (base > 0x10000 - regs->size)
        return err_set(e, -EINVAL, "iobase=%#" PRIx64 ": want 0 to %#" PRIx64, base,
                       UINT64_C(0x10000) - regs->size);
    mem_add(machine_io_mem(d->m), base, regs, 0);
    return 0;
}

void isa_remove(struct mem *regs)
{
    mem_remove(regs);
}

int isa_connect(struct dev *d, struct irq_line *line, uint64_t irq, struct err *e)
{
    if (irq >= ISA_IRQS)
        return err_set(e, -EINVAL, "irq=%" PRIu64 ": want 0 to %d", irq, ISA_IRQS - 1);
    irq_connect(line, isa_irq(isa_bus_of(d->parent), irq));
    return 0;
}

size_t isa_dma_move(struct isa_bus *b, unsigned ch, void *buf, size_t len, bool to_memory, bool *tc)
{
    *tc = false;
    return b->dma && ch < ISA_DMAS ? b->dma->move(b->dma_opaque, ch, buf, len, to_memory, tc) : 0;
}

struct bridge {
    struct dev dev;
    struct isa_bus isa;
};

static int bridge_init(struct dev *d, struct err *e)
{
    isa_bus_init(&((struct bridge *)d)->isa, d);
    return 0;
}

const struct dev_type dev_isabus_bridge = {
    .name = "isabus-bridge",
    .help = "ISA bus of its own",
    .class = DEV_BOARD,
    .size = sizeof(struct bridge),
    .init = bridge_init,
};
