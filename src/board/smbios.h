/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS tables, from what the machine has and -smbios says.  Source: DMTF DSP0134, System Management BIOS 3.0. */
#ifndef BOARD_SMBIOS_H
#define BOARD_SMBIOS_H

#include "board/board.h"

struct dev;

/** struct smbios_machine - what boards say of themselves where the user says nothing. */
struct smbios_machine {
    const char *manufacturer, *product, *version;
    uint64_t ram_base;
    bool entry32; /* the entry point of SMBIOS 2.1 and version 2.8, below 4 GiB and 64 KiB long; else that of 3.0 */
};

/**
 * smbios_publish - put fw_cfg files etc/smbios/smbios-tables and smbios-anchor.
 * -EINVAL when an -smbios option of @c is wrong: "-smbios type=1: ..."; -E2BIG: more structures than a 32-bit entry point can tell.
 */
int smbios_publish(const struct conf *c, const struct smbios_machine *m, struct dev *fw_cfg,
                   struct err *e);

#endif
