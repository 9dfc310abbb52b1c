/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flat form: what a cold block means when all of it is plain, a row for each guest instruction.
 *
 * Most code runs once or never again, so a block that is met for the first time is not worth values,
 * snapshots and liveness.  Rows work on slots (struct ir_slot) directly: integer arithmetic, conditions,
 * memory, ways out.  A guest says a block in this form if it can (struct guest_isa, flat), and a host
 * emits it in one walk; what the form has no words for is lifted to IR as ever.
 *
 * Slots of integers are i64; 32-bit rows read the low half and write the whole, zero-extended.  Flags are
 * four i1 slots in the order N Z C V, C being "no borrow" after a subtraction.
 */
#ifndef IR_FLAT_H
#define IR_FLAT_H

#include "ir/ir.h"

enum { FLAT_MAX = 96, FLAT_ZERO = 255 /* as a slot: reads as zero, written nowhere */ };

enum flat_kind {
    FLAT_CONST,  /* d = imm */
    FLAT_MOVE,   /* d = a */
    FLAT_ALU,    /* d = a op b; FLAT_SETS: flags, too */
    FLAT_SHIFT,  /* d = a shifted (ext: FLAT_LSL .. FLAT_ROR) by b mod width */
    FLAT_FIELD,  /* d = a << amount >> imm; FLAT_SIGN: arithmetically */
    FLAT_PICK,   /* d = the low half of a:b >> imm */
    FLAT_MULADD, /* d = c + a * b; FLAT_SUB: c - a * b; FLAT_WIDEN: a and b are 32 bits, FLAT_SIGN */
    FLAT_SELECT, /* d = cond ? a : op b */
    FLAT_CCMP,   /* flags = cond ? those of a op b : imm in c (N is bit 3); op: FLAT_ADD, FLAT_SUB */
    FLAT_LOAD,   /* d = memory; FLAT_PAIR: then c; addresses: a + imm, or a + b when b is a slot */
    FLAT_STORE,  /* memory = d; FLAT_PAIR: then c; FLAT_IMM: memory = other */
    FLAT_NATIVE, /* an instruction of x86's on integer registers, see below */
    /* ways out, the last row */
    FLAT_JUMP,   /* to imm; FLAT_CALL: returning to other; amount: where flags are written before they are read */
    FLAT_BRANCH, /* to imm if cond, else to other */
    FLAT_ZERO_BRANCH, /* to imm if a is zero (FLAT_INVERT: is not), else to other */
    FLAT_BIT_BRANCH,  /* to imm if bit amount of a is clear (FLAT_INVERT: is set), else to other */
    FLAT_IND,    /* to a; op: enum ir_exit_kind; cond: landing; imm: return address; amount: as of a call */
    FLAT_TRAP,   /* stop with reason op and detail imm, to go on at other */
};

enum flat_alu { FLAT_ADD, FLAT_SUB, FLAT_AND, FLAT_OR, FLAT_XOR };
enum flat_select { FLAT_PLAIN, FLAT_INC, FLAT_NOT, FLAT_NEG };
/* Operand b: shifted by amount, or extended and then shifted left. */
enum flat_ext { FLAT_LSL, FLAT_LSR, FLAT_ASR, FLAT_ROR,
                FLAT_UXTB, FLAT_UXTH, FLAT_UXTW, FLAT_SXTB, FLAT_SXTH, FLAT_SXTW };
/* cond: pairs of a condition and its complement. */
enum flat_cond { FLAT_EQ, FLAT_NE, FLAT_CS, FLAT_CC, FLAT_MI, FLAT_PL, FLAT_VS, FLAT_VC,
                 FLAT_HI, FLAT_LS, FLAT_GE, FLAT_LT, FLAT_GT, FLAT_LE };

enum flat_how {
    FLAT_WIDE = 1,    /* 64 bits, not 32 */
    FLAT_SETS = 2,
    FLAT_IMM = 4,     /* b is imm */
    FLAT_INVERT = 8,  /* ~b */
    FLAT_SIGN = 16,
    FLAT_PAIR = 32,
    FLAT_VEC = 64,    /* d and c are v128, above the size zero */
    FLAT_PRE = 128,   /* a = a + imm, after the access there */
    FLAT_POST = 256,  /* a = a + imm, after the access at a */
    FLAT_WIDEN = 512,
    FLAT_CALL = 1024,
    FLAT_MEM = 2048, /* memory operand as x86 has it: seg + a + (b << amount) + imm, each if there; FLAT_WIDEN: cut to 32 bits */
    /* FLAT_NATIVE: what is read and written; without FLAT_REG_* d is an extension of the opcode */
    FLAT_REG_IN = 4096, FLAT_REG_OUT = 8192, FLAT_RM_IN = 16384, FLAT_RM_OUT = 32768,
};

/*
 * Blocks of x86 code (struct flat, native), for hosts that are one.  A row FLAT_NATIVE is an instruction as it is encoded: opcode op of
 * map ext (1: behind 0F), with the mandatory prefix cond; ModRM.reg is slot d, its rm slot a or memory; c bytes of immediate, other.
 * Slots 0 to 15 are the registers in the order of their numbers, written as the instruction does: narrow ones keep the rest.
 * With FLAT_VEC it is one on vectors, d and a, that has no flags; 6E, 7E and D6 are moves between halves of vectors and integers
 * (7E to an integer), 28 and 29 those of 16 bytes that ask for alignment.
 * Besides, FLAT_TEMP0 and FLAT_TEMP1 hold values from row to row.  Conditions are x86's condition codes.  Flags are those of
 * reads and writes; four i1 slots from flag_slot on, CF ZF SF OF, before them two of i32: PF is that of the low byte of
 * the first, AF bit 4 of both's exclusive or.
 */
enum { FLAT_TEMP0 = 253, FLAT_TEMP1 = 254 };
enum { FLAT_C = 1, FLAT_Z = 2, FLAT_S = 4, FLAT_O = 8, FLAT_P = 16 /* and AF */, FLAT_ALL_FLAGS = 31 };
/* What is special about the flags of a row: those that manuals leave undefined are as lifting has them. */
enum flat_rule { FLAT_EXACT, /* the host's, and others stay */ FLAT_LOGIC, /* AF 0 */ FLAT_SHIFTS /* OF, AF; all stay when CL is 0 */,
                 FLAT_ROTATES, FLAT_PRODUCT /* but CF and OF from the result */, FLAT_BIT /* only CF */ };

enum { FLAT_HIGH_RM = 1, FLAT_HIGH_REG = 2 };

struct flat_op {
    uint8_t kind, op;
    uint8_t d, a, b, c; /* slots */
    uint8_t ext, amount, cond;
    uint8_t size;  /* log2 bytes of a load or store, for each of a pair; of a native row */
    uint8_t seg, reads, writes, rule; /* of native blocks; seg: slot of a segment's base, 0 none */
    uint8_t high;  /* FLAT_HIGH_RM, FLAT_HIGH_REG: of a native row, a or d stands for its bits 8 to 15 (AH, CH, DH, BH) */
    uint16_t how;  /* enum flat_how */
    uint32_t at;   /* guest address, from the block's start */
    uint64_t imm, other;
};

/** struct flat - one block. */
struct flat {
    const struct ir_slot *slots;
    uint32_t flag_slot;  /* N; Z, C, V follow */
    uint32_t n;
    bool native;         /* x86 code */
    bool exact;          /* in: flags are right at every fault, even if nobody reads them */
    bool flags_live;     /* flags may be read behind the block before they are written */
    /* In: as in struct ir. */
    bool (*idle_dead_at)(void *opaque, uint64_t pc);
    void *idle_opaque;
    struct flat_op op[FLAT_MAX];
};

#endif
