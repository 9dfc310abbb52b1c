/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Q35 memory controller hub: Express host bridge with root bus "pcie.0", configuration space in memory where the guest puts
 * it, PAM, SMRAM and TSEG.  Used as pc_host.h says.
 *
 * Source: Intel 3 Series Express Chipset Family data sheet (316966), chapter 5.
 */
#ifndef DEV_PC_Q35_H
#define DEV_PC_Q35_H

#include "dev/pc/pc_host.h"

struct q35_host {
    struct pc_host host;
    struct mem ecam;
    uint64_t ecam_at, ecam_size; /* 0: not seen */
};

static inline struct q35_host *q35_of(struct dev *d)
{
    return (struct q35_host *)d;
}

#endif
