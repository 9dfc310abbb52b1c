/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host with an x87 unit must know to do helpers of a guest with an x87 unit in line: which these are, and where the guest's
 * unit is (Intel SDM 1, chapter 8).
 *
 * In line is only what is usual: the control word is IR_X87_USUAL, as the host's is; registers that are read are full, those that are
 * pushed empty; no exception is raised that the guest's status word has not got (the host's flags are sticky across operations, and
 * may be stale).  Otherwise nothing has been done, and the helper is called.  Registers and control word of the host's unit are as they
 * were, at the end.
 */
#ifndef IR_X87_H
#define IR_X87_H

#include <stdint.h>

enum { IR_X87_USUAL = 0x37f };

/* Arithmetic is numbered as the reg field of D8 has it; X87_MEM + n + 8 * type: with an operand in memory. */
enum x87_type { X87_M32, X87_I32, X87_M64, X87_I16, X87_I64, X87_BCD }; /* the first four as D8, DA, DC, DE */
enum x87_op {
    X87_ADD, X87_MUL, X87_COM, X87_COMP, X87_SUB, X87_SUBR, X87_DIV, X87_DIVR, /* a op b */
    X87_MEM = 8,        /* + arithmetic + 8 * type: a op m */
    X87_UCOM = 40, X87_TST,
    X87_LOAD = 48,      /* + type: r = m */
    X87_STORE = 56,     /* + type: m = a */
    X87_STORE_TRUNC = 64, /* + type */
    X87_CONST = 72,     /* + number, as D9 E8+ has it */
    X87_F2XM1 = 80, X87_FYL2X, X87_FPTAN, X87_FPATAN, X87_FXTRACT, X87_FPREM1, X87_FPREM = 88, X87_FYL2XP1, X87_FSQRT, X87_FSINCOS,
    X87_FRNDINT, X87_FSCALE, X87_FSIN, X87_FCOS,
};
enum { X87_TO_I = 1, X87_POP = 2, X87_POP2 = 4, X87_TO_FLAGS = 8 };

/*
 * Helpers, by what they do with their arguments; those in capitals are constants.  ST(i) counts from the top.  All but STATUS, CONTROL,
 * HIGH and comparisons to flags set C1: cleared, or what the operation says.
 */
enum ir_x87_kind {
    IR_X87_NONE,
    IR_X87_LOAD,      /* (TYPE, bits): push */
    IR_X87_LOAD80,    /* (mantissa, sign and exponent): push */
    IR_X87_PUSH,      /* (I): push ST(i) */
    IR_X87_CONST,     /* (N): push the constant of D9 E8 + n */
    IR_X87_STORE,     /* (TYPE, TRUNC): gives the bits of ST(0) */
    IR_X87_STORE80,   /* (): gives the mantissa, IR_X87_HIGH then sign and exponent */
    IR_X87_HIGH,      /* () */
    IR_X87_POP,       /* () */
    IR_X87_COPY,      /* (I, POPS): ST(i) = ST(0) */
    IR_X87_ARITH,     /* (OP, I, HOW): ST(0) or with X87_TO_I ST(i) = ST(0) op ST(i) */
    IR_X87_ARITH_M,   /* (OP, TYPE, bits): ST(0) = ST(0) op m */
    IR_X87_COMPARE,   /* (OP, I, HOW): C3, C2 and C0, or with X87_TO_FLAGS gives them as bits 6, 2 and 0 */
    IR_X87_COMPARE_M, /* (OP, TYPE, bits) */
    IR_X87_SIGN,      /* (NEGATE): FCHS, or FABS */
    IR_X87_XCH,       /* (I): exchange ST(0) and ST(i) */
    IR_X87_FUNCTION,  /* (N): X87_F2XM1 + n of ST(0) */
    IR_X87_STATUS,    /* (): gives the status word */
    IR_X87_CONTROL,   /* (): gives the control word */
};

/** struct ir_x87 - where things are: byte offsets in the CPU block. */
struct ir_x87 {
    uint32_t reg;    /* eight physical registers of 16 bytes, 10 of them used */
    uint32_t fcw;    /* uint16_t: control word */
    uint32_t fsw;    /* uint16_t: status word without TOP */
    uint32_t top;    /* uint8_t */
    uint32_t full;   /* uint8_t: a bit for each physical register */
    uint32_t high;   /* uint64_t: what IR_X87_HIGH gives */
    const uint8_t *kind; /* enum ir_x87_kind of each helper */
    uint32_t n_kinds;
};

#endif
