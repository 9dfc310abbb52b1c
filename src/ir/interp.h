/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference interpreter: runs a region's IR operation by operation.  What the IR leaves to its
 * surroundings (guest memory, helpers, attention) is asked of the struct ir_machine.
 */
#ifndef IR_INTERP_H
#define IR_INTERP_H

#include "ir/ir.h"

enum ir_leave {
    IR_LEFT_EXIT,  /* exit or exit_ind: pc is where to go on */
    IR_LEFT_TRAP,  /* trap: reason, detail */
    IR_LEFT_FAULT, /* load, store or atomic was refused; pc at the instruction */
    IR_LEFT_POLL,  /* poll said so */
    IR_LEFT_CALL,  /* a full helper said so; the slots and pc are as it left them */
};

/**
 * struct ir_machine - where IR runs.  The callbacks return 0 to go on, anything else to leave the
 * region there.
 */
struct ir_machine {
    void *state; /* slots are at state + offset */
    struct fp_env *fp;
    void *opaque;

    /** load - the raw bytes, zero-extended; 1 << (memop & IR_MEM_SIZE) of them. */
    int (*load)(struct ir_machine *m, uint64_t addr, uint64_t memop, union ir_u *v);
    int (*store)(struct ir_machine *m, uint64_t addr, uint64_t memop, const union ir_u *v);
    /** atomic - @a, @b: operands after the address; @old: raw bytes, zero-extended. */
    int (*atomic)(struct ir_machine *m, enum ir_opcode op, uint64_t addr, uint64_t memop,
                  const union ir_u *a, const union ir_u *b, union ir_u *old);
    void (*fence)(struct ir_machine *m, unsigned kind);
    /** call - @helper; slots and m->pc are exact before a full one. */
    int (*call)(struct ir_machine *m, uint32_t helper, const uint64_t arg[3], uint64_t *result);
    int (*poll)(struct ir_machine *m);

    uint64_t pc;     /* where the guest goes on */
    uint32_t landing; /* with IR_LEFT_EXIT: how the target is to be checked, 0 not (ir_goto_land) */
    uint32_t reason; /* with IR_LEFT_TRAP */
    uint64_t detail;

    union ir_u *vals; /* work space; see ir_machine_done */
    uint32_t cap_vals;
};

/** ir_interp - run from the region's entry until it is left; on return all slots are in memory. */
enum ir_leave ir_interp(const struct ir *ir, struct ir_machine *m);
/** ir_machine_done - release the work space. */
void ir_machine_done(struct ir_machine *m);

#endif
