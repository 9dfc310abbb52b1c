/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clock and CMOS memory of a PC ("mc146818rtc"), on an ISA bus: ports 70h and 71h.  dev->irq[0] is IRQ: interrupt 8, or legacy
 * input 1 of an HPET.  Time is the machine's calendar (CLK_RTC: -rtc base=), moved when the guest sets it.
 * Under the machine's lock.
 */
#ifndef DEV_RTC_MC146818_H
#define DEV_RTC_MC146818_H

#include "bus/dev.h"

/* What firmware of PCs expects in CMOS; 00h..0Dh are the clock's own. */
enum {
    CMOS_SHUTDOWN = 0x0f,
    CMOS_FLOPPY = 0x10,
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_LO = 0x15,
    CMOS_EXT_LO = 0x17,
    CMOS_CENTURY = 0x32,
    CMOS_CENTURY_PS2 = 0x37, /* where IBM's PS/2 has it: the same byte */
    CMOS_SIZE = 128
};

/** mc146818_set - byte @reg of CMOS, 0Eh..7Fh, for the board to fill; stays through resets until the guest changes it. */
void mc146818_set(struct dev *d, unsigned reg, uint8_t value);
uint8_t mc146818_get(struct dev *d, unsigned reg);

#endif
