/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt controllers and what is on a PC's ISA bus, wired as in every PC since the AT (IBM PC/AT Technical Reference). */
#include "board/pc.h"

#include "dev/input/i8042.h"
#include "dev/intc/i8259.h"
#include "dev/intc/ioapic.h"
#include "dev/timer/hpet.h"

#include <stdio.h>

enum { IRQ_TIMER = 0, IRQ_KBD = 1, IRQ_RTC = 8, IRQ_MOUSE = 12, IRQ_CASCADE = 2, PIN_TIMER = 2 };

static struct dev *add(struct pc *p, const char *type, const char *props, struct err *e)
{
    return dev_add(p->m, type, NULL, props, e);
}

/* --- Interrupts ----------------------------------------------------------------------------- */

static void set_gsi(void *opaque, int n, bool level)
{
    struct pc *p = opaque;
    struct irq_in in;

    if (p->pic && n < ISA_IRQS && n != IRQ_CASCADE) {
        in = i8259_in(p->pic, n);
        in.set(in.opaque, in.n, level);
    }
    in = n == IRQ_TIMER ? irq_or_in(&p->pin2, 0) : n == PIN_TIMER ? irq_or_in(&p->pin2, 1) : ioapic_in(p->ioapic, n);
    in.set(in.opaque, in.n, level);
}

struct irq_in pc_gsi(struct pc *p, unsigned n)
{
    return (struct irq_in){.set = set_gsi, .opaque = p, .n = n};
}

static int add_controllers(struct pc *p, struct err *e)
{
    if (p->p->pic != PC_OFF && !(p->pic = add(p, "isa-i8259", NULL, e)))
        return e->code;
    if (!(p->ioapic = add(p, "ioapic", NULL, e)))
        return e->code;
    mem_add(machine_mem(p->m), PC_IOAPIC, &p->ioapic->mmio, 0);
    irq_connect(&p->pin2.out, ioapic_in(p->ioapic, PIN_TIMER));
    for (unsigned i = 0; i < ISA_IRQS; i++)
        irq_connect(&p->isa->irq[i].out, pc_gsi(p, i));
    for (unsigned i = ISA_IRQS; i < PC_GSIS; i++)
        irq_connect(&p->pci_pin[i - ISA_IRQS].out, ioapic_in(p->ioapic, i));
    return 0;
}

/* --- Clocks --------------------------------------------------------------------------------- */

/* With an HPET the old timers' interrupts go through it, which may put its own in their place. */
static int add_timers(struct pc *p, struct err *e)
{
    struct irq_in timer = isa_irq(p->isa, IRQ_TIMER), clock = isa_irq(p->isa, IRQ_RTC);

    if (p->p->hpet) {
        if (!(p->hpet = add(p, "hpet", p->q35 ? "hpet-intcap=0xff0104" : "hpet-intcap=4", e)))
            return e->code;
        mem_add(machine_mem(p->m), PC_HPET, &p->hpet->mmio, 0);
        hpet_connect(p->hpet, IRQ_TIMER, timer);
        hpet_connect(p->hpet, IRQ_RTC, clock);
        hpet_connect(p->hpet, PIN_TIMER, pc_gsi(p, PIN_TIMER));
        for (unsigned i = ISA_IRQS; p->q35 && i < PC_GSIS; i++)
            hpet_connect(p->hpet, i, irq_or_in(&p->pci_pin[i - ISA_IRQS], 1));
        timer = hpet_legacy_in(p->hpet, 0);
        clock = hpet_legacy_in(p->hpet, 1);
    }
    if (!p->p->no_rtc) {
        if (!(p->rtc = add(p, "mc146818rtc", NULL, e)))
            return e->code;
        irq_connect(&p->rtc->irq[0], clock);
    }
    if (p->p->pit == PC_OFF)
        return 0;
    if (!(p->pit = add(p, "isa-pit", NULL, e)))
        return e->code;
    irq_connect(&p->pit->irq[0], timer);
    return 0;
}

/* --- Keyboard, ports ------------------------------------------------------------------------ */

static int add_keyboard(struct pc *p, struct err *e)
{
    struct dev *port92;

    if (!(port92 = add(p, "port92", NULL, e)))
        return e->code;
    irq_connect(&port92->irq[PORT92_A20], irq_or_in(&p->a20, 0));
    if (!p->p->i8042)
        return 0;
    if (!(p->i8042 = add(p, "i8042", NULL, e)))
        return e->code;
    irq_connect(&p->i8042->irq[I8042_KBD], isa_irq(p->isa, IRQ_KBD));
    irq_connect(&p->i8042->irq[I8042_MOUSE], isa_irq(p->isa, IRQ_MOUSE));
    irq_connect(&p->i8042->irq[I8042_A20], irq_or_in(&p->a20, 1));
    return 0;
}

int pc_add_isa(struct pc *p, struct err *e)
{
    if (add_controllers(p, e) < 0 || add_timers(p, e) < 0)
        return e->code;
    if (p->p->bare)
        return 0;
    if (add_keyboard(p, e) < 0)
        return e->code;
    return add(p, "i8257", NULL, e) ? 0 : e->code;
}
