/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verbatim.c and its shared stubs have in common. */
#ifndef HOST_X86_64_VERBATIM_H
#define HOST_X86_64_VERBATIM_H

#include "host/x86_64/emit.h"

/* The guest's RSP, and a register of ours. */
#define XV_SP   R10
#define XV_TEMP R11

/* In the CPU block, as verbatim code reaches it: a byte offset, an integer register of the guest's, a scratch word. */
struct x64_mem xv_cpu(uint32_t off);
struct x64_mem xv_gpr(const struct x64 *x, unsigned g);
struct x64_mem xv_scratch(const struct x64 *x, unsigned n);

enum { XV_TEMPS = 3 };

/* One instruction's registers, as it is encoded again. */
struct xv_rewrite {
    const struct verbatim_op *o;
    uint8_t reg, rm, vvvv, low; /* host numbers */
    struct x64_mem m;
    uint32_t busy;              /* registers that must stay as they are */
    unsigned n_temps;
    uint8_t temp[XV_TEMPS];
    unsigned n_held;            /* guest registers of the CPU block, and where they are meanwhile */
    struct {
        uint8_t guest, host, use;
    } held[XV_TEMPS];
    bool failed;
};

/* verbatim_encode.c */
unsigned xv_field_rm(const struct verbatim_op *o); /* ModRM.rm and the opcode's low bits, as register numbers of the guest's */
unsigned xv_field_low(const struct verbatim_op *o);
/** xv_set_address, xv_set_fields - choose the host's registers for @w->o's memory operand, or for all of it, and load what is in the CPU
 * block; w->failed: there are not enough. */
void xv_set_address(struct x64 *x, struct xv_rewrite *w);
void xv_set_fields(struct x64 *x, struct xv_rewrite *w);
/** xv_encode - the instruction with these, at most 32 bytes; gives how many.  xv_needs_rex - AH and its kin cannot be in it. */
unsigned xv_encode(const struct xv_rewrite *w, uint8_t *code);
bool xv_needs_rex(const struct xv_rewrite *w);
/** xv_put_back - behind it: what changed to the CPU block, and registers that were put away back. */
void xv_put_back(struct x64 *x, struct xv_rewrite *w);

/** xv_jump_to - code that goes to the guest address in r11; changes no flag.  There, and at HOST_EP_V_MISS, rcx is in the first scratch word. */
void xv_jump_to(struct x64_asm *a, const struct host_layout *lay);
/** xv_stubs - shared code; sets HOST_EP_V_*. */
void xv_stubs(struct x64_asm *a, const struct host_layout *lay, void **ep);

#endif
