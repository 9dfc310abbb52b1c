/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of sse.def, which xv1, xf2 and their like (ops.def) choose by number.  Their floating point follows x86's rules: struct
 * fp_env with nan_rule FP_NAN_X86.  Source: Intel SDM 1, chapters 4.8, 10, 11 and 14.
 */
#ifndef IR_SSE_H
#define IR_SSE_H

#include "ir/ir.h"

/*
 * Kinds.  P: pure, F: floating point; how many operands; I: and an immediate; V: known in VEX form only, so its first operand is no
 * destination.  F3, P3: the first operand is what the instruction overwrites (P3: the third is XMM0).
 * TO: scalar to integer of 4 or 8 bytes; FROM: the first operand with its low lane from an integer; BITS: signs as an integer.
 */
enum sse_kind {
    SSE_P1, SSE_P2, SSE_P3, SSE_P1I, SSE_P2I, SSE_VP2, SSE_F1, SSE_F2, SSE_F3, SSE_F1I, SSE_F2I, SSE_V2I, SSE_TO, SSE_FROM, SSE_BITS,
};

enum sse_flags {
    SSE_VEX = 1,   /* has no other form */
    SSE_W = 2,     /* VEX.W */
    SSE_BACK = 4,  /* the result is the ModRM.rm operand */
    SSE_AES = 8,   /* belongs to these extensions */
    SSE_CLMUL = 16,
    SSE_SHA = 32,  /* and has no VEX form */
    SSE_CRYPTO = SSE_AES | SSE_CLMUL | SSE_SHA,
};

enum sse_op {
#define SSE(name, kind, prefix, map, opcode, flags, imms) SSE_##name,
#include "ir/sse.def"
#undef SSE
    SSE_NUM_OPS,
};

/** struct sse_info - a row. */
struct sse_info {
    uint8_t kind, prefix, map, opcode, flags;
    uint16_t imms;
};
extern const struct sse_info sse_info[SSE_NUM_OPS];

/* Extensions whose rows are evaluated by the host's instructions. */
enum sse_ext {
    SSE_EXT_SSE3 = 1, SSE_EXT_SSSE3 = 2, SSE_EXT_SSE41 = 4, SSE_EXT_AVX = 8, SSE_EXT_AVX2 = 16, SSE_EXT_F16C = 32, SSE_EXT_FMA = 64,
    SSE_EXT_ALL = 127, /* that rows may need */
    SSE_EXT_SHA = 128, /* computed without it, but slowly */
};

/** sse_ext_of - the extension that a row is of; 0: every host evaluates it. */
unsigned sse_ext_of(enum sse_op op);
/** sse_host_exts - those that this host has; rows of others must not be evaluated. */
unsigned sse_host_exts(void);

/* In the imm of xstri and xstrm: strings end with a zero. */
#define IR_XSTR_IMPLICIT 0x100

/* The imm of these operations. */
static inline uint64_t sse_imm(enum sse_op op, unsigned imm8)
{
    return (uint64_t)op | (uint64_t)imm8 << 16;
}
static inline unsigned sse_op_of(uint64_t imm)
{
    return (unsigned)imm & 0xffff;
}
static inline unsigned sse_imm8_of(uint64_t imm)
{
    return (unsigned)(imm >> 16) & 0xff;
}

#endif
