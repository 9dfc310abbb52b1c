/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports by which programs call SMM: 0xb2 (APMC, a command) and 0xb3 (APMS, data).  Source: Intel 82371AB data sheet 7.2.1. */
#ifndef DEV_PC_APM_H
#define DEV_PC_APM_H

#include "bus/machine.h"

/** struct apm - embedded in the bridge.  @command(opaque, value) after each write of APMC. */
struct apm {
    uint8_t control, status;
    void (*command)(void *opaque, uint8_t value);
    void *opaque;
    struct mem regs;
};
void apm_init(struct apm *a, struct machine *m, void (*command)(void *opaque, uint8_t value), void *opaque);
void apm_fini(struct apm *a);
#define APM_STATE(type, m)                                                                         \
    STATE(type, m.control, S_U8, 1, "APMC"), STATE(type, m.status, S_U8, 1, "APMS")

#endif
