/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verbatim.c and its shared stubs have in common. */
#ifndef HOST_X86_64_VERBATIM_H
#define HOST_X86_64_VERBATIM_H

#include "host/x86_64/emit.h"

/* The guest's RSP, and a register of ours. */
#define XV_SP   R10
#define XV_TEMP R11

struct x64_mem xv_cpu(uint32_t off); /* of the CPU block, from verbatim code */
/** xv_jump_to - code that goes to the guest address in r11; changes no flag.  There, and at HOST_EP_V_MISS, rcx is in the first scratch word. */
void xv_jump_to(struct x64_asm *a, const struct host_layout *lay);
/** xv_stubs - shared code; sets HOST_EP_V_*. */
void xv_stubs(struct x64_asm *a, const struct host_layout *lay, void **ep);

#endif
