/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A, as part of a device (isa-serial, pci-serial): eight registers of one byte, one interrupt line.
 * Under the machine's lock.  Source: National Semiconductor PC16550D data sheet, June 1995.
 */
#ifndef DEV_SERIAL_NS16550_H
#define DEV_SERIAL_NS16550_H

#include "bus/machine.h"
#include "dev/backends.h"

enum { NS16550_FIFO = 16 };

struct ns16550 {
    struct dev *dev;      /* whose part it is */
    struct chr *chr;      /* NULL: output goes nowhere */
    struct mem regs;
    void (*irq)(void *opaque, bool level);
    void *opaque;
    uint8_t ier, fcr, lcr, mcr, msr, scr, lsr;
    uint16_t divisor;
    uint8_t thre_pending; /* the transmitter interrupt has been neither read nor answered */
    uint8_t timed_out;    /* characters wait below the trigger level */
    uint16_t rx[NS16550_FIFO]; /* with LSR's error bits in the upper half; oldest at [0] */
    uint8_t tx[NS16550_FIFO];
    uint8_t rx_n, tx_n;
    bool waits;           /* the back end will say when it has room */
    bool level;
};

extern const struct state ns16550_state[];
#define NS16550_STATE(type, m)                                                                     \
    {                                                                                              \
        .name = #m, .kind = S_STRUCT, .offset = offsetof(struct type, m), .n = 1,                  \
        .elem = sizeof(struct ns16550), .since = 1, .table = ns16550_state                         \
    }

/** ns16550_init - @dev, @irq and @opaque are set; @chardev: property's value, may be NULL.  Makes @regs. */
int ns16550_init(struct ns16550 *u, const char *chardev, struct err *e);
void ns16550_fini(struct ns16550 *u);
void ns16550_reset(struct ns16550 *u);
int ns16550_loaded(struct ns16550 *u, struct err *e);

#endif
