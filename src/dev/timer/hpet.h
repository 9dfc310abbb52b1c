/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * High precision event timer ("hpet"): dev->mmio (1 KiB) goes to FED00000h.
 *
 * In legacy replacement mode its timers 0 and 1 take the place of the 8254 on interrupt 0 and of the clock on interrupt 8: the
 * outputs of these go through it.
 *
 *     irq_connect(&pit->irq[0], hpet_legacy_in(hpet, 0));       and the clock's to 1
 *     hpet_connect(hpet, 0, gsi 0 or I/O APIC 2); hpet_connect(hpet, 8, gsi 8); hpet_connect(hpet, 2, ...16..23)
 *
 * Under the machine's lock.  Source: Intel, IA-PC HPET Specification, 1.0a.
 */
#ifndef DEV_TIMER_HPET_H
#define DEV_TIMER_HPET_H

#include "bus/dev.h"

enum { HPET_LINES = 24 };

/** hpet_legacy_in - what would drive interrupt 0 (@n 0) or 8 (@n 1). */
struct irq_in hpet_legacy_in(struct dev *d, unsigned n);
/** hpet_connect - line @n, 0..23: 0 and 8 are the legacy ones, the others inputs of the I/O APIC that timers may choose (property
 * "hpet-intcap" says which). */
void hpet_connect(struct dev *d, unsigned n, struct irq_in to);

#endif
