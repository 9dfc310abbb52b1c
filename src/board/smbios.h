/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS tables, from what the machine has and -smbios says.  Source: DMTF DSP0134, System Management BIOS 3.0. */
#ifndef BOARD_SMBIOS_H
#define BOARD_SMBIOS_H

#include "board/board.h"

struct dev;

/** struct smbios_machine - what boards say of themselves where the user says nothing. */
struct smbios_machine {
    const char *manufacturer, *product, *version;
    struct {
        uint64_t at, size;
    } area[2]; /* where the memory is; size 0: no such */
    uint64_t processor_id; /* CPUID's leaf 1: EAX, and EDX above it; 0: none */
    bool entry32; /* the entry point of SMBIOS 2.1 and version 2.8, below 4 GiB and 64 KiB long; else that of 3.0 */
};

/**
 * smbios_publish - put fw_cfg files etc/smbios/smbios-tables and smbios-anchor, when @machine's devices are there.
 * -EINVAL when an -smbios option of @c is wrong: "-smbios type=1: ..."; -ENODEV: it names a device that is not there; -E2BIG: more
 * structures than a 32-bit entry point can tell.
 */
int smbios_publish(struct machine *machine, const struct conf *c, const struct smbios_machine *m, struct dev *fw_cfg, struct err *e);

/** smbios_text_opts - "type=11,value=a,value=b" as a tree: what may come several times is a list. */
struct json_object *smbios_text_opts(const char *text, struct err *e);

#endif
