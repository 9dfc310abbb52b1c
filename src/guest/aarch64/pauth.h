/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pointer authentication (FEAT_PAuth with QARMA5; Arm ARM DDI 0487, D8.10 and J1 AddPAC, Auth, Strip). */
#ifndef GUEST_AARCH64_PAUTH_H
#define GUEST_AARCH64_PAUTH_H

#include "guest/aarch64/lift.h"

/* Where a pointer has its code, with addresses of up to 48 bits, and of up to 52. */
#define A64_PAC_FIELD      (0x7full << 48)
#define A64_PAC_FIELD_WIDE (7ull << 52)

static inline uint64_t a64_pac_field(uint32_t mode)
{
    return mode & A64_MODE_WIDE ? A64_PAC_FIELD_WIDE : A64_PAC_FIELD;
}

enum a64_pac_key { PAC_IA, PAC_IB, PAC_DA, PAC_DB, PAC_GA };
enum { PAC_AUTH = 8 }; /* with a key: authenticate */

/** a64_pac_by_hand - what code made by the two below gives, computed here; @key may have PAC_AUTH. */
uint64_t a64_pac_by_hand(struct cpu *cpu, uint64_t ptr, uint64_t modifier, unsigned key);

ir_val a64_pac_add(struct a64_tr *t, ir_val ptr, ir_val modifier, enum a64_pac_key key);
ir_val a64_pac_auth(struct a64_tr *t, ir_val ptr, ir_val modifier, enum a64_pac_key key);

#endif
