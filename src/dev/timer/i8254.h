/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interval timer of a PC ("isa-pit"), on an ISA bus: ports 40h..43h, and the speaker's, 61h.  dev->irq[0] is OUT of counter
 * 0: interrupt 0, or legacy input 0 of an HPET (dev/timer/hpet.h).  Counter 1 (memory refresh) shows in port 61h only.
 * Under the machine's lock.
 */
#ifndef DEV_TIMER_I8254_H
#define DEV_TIMER_I8254_H

#include "bus/dev.h"

enum { PIT_HZ = 1193182 };

#endif
