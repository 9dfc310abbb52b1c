/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ISA bus: ports, low memory, sixteen interrupts.  A device type with bus "isa" plugs into it by -device; what boards wire
 * by themselves need not be on it, and takes isa_irq() for its interrupts.
 *
 *     init:   struct isa_bus *b = isa_bus_of(d->parent);
 *             if ((r = isa_add_io(d, &u->regs, u->iobase, e)) < 0 || (r = isa_connect(d, &d->irq[0], u->irq, e)) < 0) ...
 *     fini:   isa_remove(&u->regs);
 *
 * Under the machine's lock.  Source: ISA System Architecture (IEEE P996); Intel 82371SB (PIIX3) for who decodes what.
 */
#ifndef DEV_ISA_ISA_H
#define DEV_ISA_ISA_H

#include "bus/dev.h"
#include "bus/machine.h"

enum { ISA_IRQS = 16, ISA_DMAS = 8 };

/** struct isa_dma - what the DMA controller gives its bus.  Constant. */
struct isa_dma {
    /**
     * move - up to @len bytes of channel @ch from @buf to memory (@to_memory) or the reverse, at its present address and
     * count.  Returns bytes, a multiple of 2 on channels 5..7; 0: masked, or programmed for the other direction.
     * *@tc: it has reached its terminal count.  While memory is only verified bytes count, but nothing is copied.
     */
    size_t (*move)(void *opaque, unsigned ch, void *buf, size_t len, bool to_memory, bool *tc);
};

/** struct isa_dma_user - a device on a channel: @ready when the guest has programmed or unmasked it. */
struct isa_dma_user {
    void (*ready)(void *opaque);
    void *opaque;
};

struct isa_bus {
    struct bus bus;              /* kind "isa" */
    struct mem *io, *mem;        /* the machine's */
    struct irq_or irq[ISA_IRQS]; /* .out: to interrupt controllers, by the board */
    unsigned users[ISA_IRQS];    /* inputs of each handed out */
    const struct isa_dma *dma;   /* NULL: no controller */
    void *dma_opaque;
    struct isa_dma_user dma_user[ISA_DMAS];
};

static inline struct isa_bus *isa_bus_of(struct bus *b)
{
    return (struct isa_bus *)b;
}
/** isa_bus_init - fills @b in and adds it to @owner as "isa.0". */
void isa_bus_init(struct isa_bus *b, struct dev *owner);
/** isa_bus - the machine's; NULL: it has none. */
struct isa_bus *isa_bus(struct machine *m);
/** isa_irq - a new input of interrupt @n (0 to 15): several devices on one are ORed. */
struct irq_in isa_irq(struct isa_bus *b, unsigned n);

/**
 * isa_add_io - @regs, made by mem_init_mmio, appear at port @base.  -EINVAL "iobase=0x10000: ..." when they do not fit.
 * isa_remove - they go again (fini), if they were there.
 */
int isa_add_io(struct dev *d, struct mem *regs, uint64_t base, struct err *e);
void isa_remove(struct mem *regs);
/** isa_connect - output @line of @d drives interrupt @irq.  -EINVAL "irq=16: want 0 to 15". */
int isa_connect(struct dev *d, struct irq_line *line, uint64_t irq, struct err *e);

/** isa_dma_move - as struct isa_dma's; 0 without a controller. */
size_t isa_dma_move(struct isa_bus *b, unsigned ch, void *buf, size_t len, bool to_memory, bool *tc);

#endif
