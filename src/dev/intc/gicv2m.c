/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "arm-gicv2m": a frame whose doorbell turns messages (MSI) into shared interrupts of a GICv2
 * (Arm Server Base System Architecture, DEN0029, appendix "GICv2m architecture").
 */
#include "dev/intc/gic.h"

#include <errno.h>
#include <inttypes.h>

enum { MSI_TYPER = 0x008, MSI_SETSPI_NS = 0x040, MSI_IIDR = 0xfcc };
enum { MAX_SPIS = 128 };

struct gicv2m {
    struct dev dev;
    uint64_t base, n; /* properties: the first INTID, how many */
    struct irq_line out[MAX_SPIS];
};

static uint64_t m_read(void *opaque, paddr off, struct access a)
{
    struct gicv2m *s = opaque;

    (void)a;
    switch (off) {
    case MSI_TYPER: return s->base << 16 | s->n;
    case MSI_IIDR: return 0; /* no product, implementer or revision */
    }
    return 0;
}

/* SPIs of messages are edges. */
static void m_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gicv2m *s = opaque;

    if (off != MSI_SETSPI_NS)
        return;
    if ((a.size != 2 && a.size != 4) || (value & 0x3ff) < s->base ||
        (value & 0x3ff) >= s->base + s->n) {
        guest_error(&s->dev, "message %#" PRIx64 ": interrupts are %u to %u", value,
                    (unsigned)s->base, (unsigned)(s->base + s->n - 1));
        return;
    }
    irq_pulse(&s->out[(value & 0x3ff) - s->base]);
}

static const struct mmio_ops ops = {.read = m_read, .write = m_write, .min = 2, .max = 4, .messages = true};

struct irq_line *gicv2m_out(struct dev *d, unsigned n)
{
    return &((struct gicv2m *)d)->out[n];
}

static int init(struct dev *d, struct err *e)
{
    struct gicv2m *s = (struct gicv2m *)d;

    if (s->n < 1 || s->n > MAX_SPIS)
        return err_set(e, -EINVAL, "num-spi=%" PRIu64 ": want 1 to %d", s->n, MAX_SPIS);
    if (s->base < GIC_PRIVATE || s->base > GIC_MAX_IRQ - s->n)
        return err_set(e, -EINVAL, "base-spi=%" PRIu64 ": want %d to %" PRIu64, s->base,
                       GIC_PRIVATE, GIC_MAX_IRQ - s->n);
    mem_init_mmio(&d->mmio, "gicv2m", 0x1000, &ops, s);
    return 0;
}

static const struct field props[] = {
    FIELD(gicv2m, base, F_U64, "base-spi", "80", "INTID of the first interrupt"),
    FIELD(gicv2m, n, F_U64, "num-spi", "64", "number of interrupts"),
    FIELD_END,
};

const struct dev_type dev_gicv2m = {
    .name = "arm-gicv2m",
    .help = "Arm GICv2m message frame",
    .class = DEV_BOARD,
    .size = sizeof(struct gicv2m),
    .props = props,
    .init = init,
    .class_ops = NULL,
};
