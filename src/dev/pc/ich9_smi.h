/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gets the SMI of a command: the CPU that gave it, or all of them, as UEFI firmware asks for (fw_cfg files etc/smi/...).
 * Source: edk2, OvmfPkg/Include/IndustryStandard/Q35MchIch9.h and the comments of SmmControl2Dxe.
 */
#ifndef DEV_PC_ICH9_SMI_H
#define DEV_PC_ICH9_SMI_H

#include "bus/dev.h"

/** struct ich9_smi - embedded in the bridge. */
struct ich9_smi {
    struct dev *fw_cfg;
    uint8_t *requested; /* the file's bytes, a number of 64 bits; what it says counts until it is agreed on */
    uint64_t features;  /* those that were agreed on */
    uint8_t agreed;
};

/** ich9_smi_offer - the files, in @fw_cfg.  0, or negative with a message. */
int ich9_smi_offer(struct ich9_smi *s, struct dev *fw_cfg, struct err *e);
void ich9_smi_reset(struct ich9_smi *s);
bool ich9_smi_broadcast(const struct ich9_smi *s);

#define ICH9_SMI_STATE(type, m)                                                                    \
    STATE(type, m.features, S_U64, 1, "SMI features"), STATE(type, m.agreed, S_U8, 1, "SMI features are settled")

#endif
