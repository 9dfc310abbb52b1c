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
};

/**
 * smbios_publish - put fw_cfg files etc/smbios/smbios-tables and smbios-anchor.
 * -EINVAL when an -smbios option of @c is wrong: "-smbios type=1: ...".
 */
int smbios_publish(const struct conf *c, const struct smbios_machine *m, struct dev *fw_cfg,
                   struct err *e);

#endif
