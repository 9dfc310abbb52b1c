/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICH9's TCO timer, a watchdog.  Source: Intel ICH9 data sheet (316972), 13.9. */
#ifndef DEV_PC_ICH9_TCO_H
#define DEV_PC_ICH9_TCO_H

#include "bus/machine.h"
#include "schema/state.h"

/** struct ich9_tco - embedded in the LPC bridge, which maps @regs at PMBASE + 60h. */
struct ich9_tco {
    struct dev *dev; /* whose watchdog it is */
    uint16_t rld, sts1, sts2, cnt1, cnt2, tmr;
    uint8_t din, dout, message[2], wdcnt, sw_irq;
    bool no_reboot; /* GCS.NR: the second timeout resets nothing */
    struct timer timer;
    struct mem regs; /* 32 ports */
};
void ich9_tco_init(struct ich9_tco *t, struct dev *dev);
void ich9_tco_fini(struct ich9_tco *t);
void ich9_tco_reset(struct ich9_tco *t);
extern const struct state ich9_tco_state[];

#endif
