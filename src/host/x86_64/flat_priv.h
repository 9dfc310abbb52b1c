/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What flat.c and flat_native.c share: a block in flat form (ir/flat.h) on its way to machine code. */
#ifndef HOST_X86_64_FLAT_PRIV_H
#define HOST_X86_64_FLAT_PRIV_H

#include "host/x86_64/emit.h"
#include "ir/flat.h"

enum { NONE = 255 };

/* What the host's flags say. */
enum said { NOTHING, SUBTRACTED, ADDED /* or a logical operation: carry as the guest's */ };

struct flatter {
    struct x64 *x;
    const struct flat *f;
    uint8_t slot_of[16];           /* by host register */
    uint8_t reg_of[IR_MAX_SLOTS];  /* by slot */
    unsigned turn;
    uint32_t held;                 /* registers of the row at work */
    enum said said;
    bool in_memory;                /* the flag slots are right */
    bool lost;                     /* neither: the block cannot be done */
    uint8_t store[FLAT_MAX];       /* this row's flags are wanted in memory; of x86 blocks: these */
    /* Of x86 blocks, bits FLAT_C and so on: */
    uint8_t fresh;                 /* flags that the host's are */
    uint8_t right;                 /* flags that the slots have */
    bool wanted[FLAT_MAX];         /* somebody looks at this row's flags */
};

static inline bool xf_is_temp(unsigned slot)
{
    return slot == FLAT_TEMP0 || slot == FLAT_TEMP1;
}
static inline unsigned xf_temp(unsigned slot)
{
    return slot == FLAT_TEMP0 ? R14 : R15;
}
static inline unsigned xf_size_of(const struct flat_op *o)
{
    return o->how & FLAT_WIDE ? 8 : 4;
}
static inline void xf_lose_flags(struct flatter *t)
{
    t->said = NOTHING;
    t->fresh = 0;
}

/* flat.c */
struct x64_mem xf_slot_mem(const struct flatter *t, unsigned slot);
unsigned xf_take(struct flatter *t);                              /* a register for this row */
unsigned xf_get(struct flatter *t, unsigned slot, unsigned temp); /* the one that holds @slot; zero is made in @temp */
void xf_put(struct flatter *t, unsigned d, unsigned r);           /* slot @d := @r, all of it */
uint32_t xf_describe(struct flatter *t, const struct flat_op *o); /* of an access: for recovery */
void xf_may_fault(struct flatter *t, const struct flat_op *o);    /* the next instruction, in a program */

/* flat_native.c: blocks of x86 code */
void xf_plan(struct flatter *t); /* which rows store their flags */
struct x64_mem xf_address(struct flatter *t, const struct flat_op *o); /* of a row with FLAT_MEM; may be in rax */
enum x64_cc xf_cond(struct flatter *t, unsigned cc); /* the host's condition for the guest's @cc; may use rax */
void xf_native(struct flatter *t, const struct flat_op *o, uint32_t i);

#endif
