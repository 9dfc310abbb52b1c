/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 decoder: from bytes to a row of insn.def, insn_x87.def or insn_simd.def and its operands.
 *
 * A row is INSN(name, "encoding", "operands", FEATURE, "attributes").  Rows are tried in the order of the tables; a row whose
 * feature the CPU lacks does not exist.  name is the lifting function's, several rows may share it; rows are told apart by
 * number.
 *
 * Encoding (SDM 2A 3.1.1), words separated by spaces:
 *   NP 66 F3 F2   first, when what follows starts with 0F or is VEX: exactly this mandatory prefix; without one: any
 *   VEX           a VEX prefix is required (without: there must be none); L0 L1 its length, W0 W1 its or REX's W
 *   0F, 0F 38, 0F 3A then one opcode byte: hexadecimal, "50+r" with a register in the low three bits, "70+c" with a condition
 *                 in the low four
 *   /r            a ModRM byte follows; /0 .. /7: with this reg field; then, or alone, m or g: with a memory operand, with a register
 *   =D0           this very ModRM byte
 *   i64 o64       invalid in, only in 64-bit mode; pe: only in protected mode outside virtual-8086 mode; rex: only with REX.W;
 *                 sys: only in machines
 *
 * Operands (SDM 2D, appendix A.2): an addressing method and a type, or a fixed register ("AL", "rAX", "CL", "DX", "1").
 *   methods  A far immediate  B VEX.vvvv general  C control D debug register  E ModRM general or memory  G ModRM.reg general
 *            H VEX.vvvv vector  I immediate  J relative  L vector in imm8[7:4]  M memory  N mmx (rm)  O offset (moffs)
 *            P mmx (reg)  Q mmx or memory  R general (rm)  S segment register  T ST(rm)  U vector (rm)  V vector (reg)
 *            W vector or memory  X DS:rSI  Y ES:rDI  Z register in the opcode
 *   types    b 1, w 2, d 4, q 8, o 16, h 32, t 10 bytes; v the operand size; z the same but at most 4; y 8 with REX.W, else 4;
 *            x 16, with VEX.L 32; p a far pointer (operand size and 2); s a descriptor table's limit and base; n 8 in
 *            64-bit mode, else 4; a two of the operand size; none: no size (0)
 *            immediates: those of type z, and Ib of rows with attribute sx, are sign-extended and have the operand size
 *
 * Attributes: lock (LOCK is allowed with a memory operand), R and W (reads, or writes or leaves undefined all of, the status
 * flags), P (writes some of them), S (writes them all when the immediate
 * is a count other than 0), full (a helper does all of it; with rep: when it is repeated), d64 (64-bit operands by default in 64-bit mode), f64 (always), sx, rep (F2/F3 repeat it), vsib (a vector is
 * the index of the memory operand), and
 * how the instruction ends its block: jmp, cond, call (operand 0 is the relative target), ret, ind, trap.
 */
#ifndef GUEST_X86_DECODE_H
#define GUEST_X86_DECODE_H

#include "guest/x86/features.h"

#include <stddef.h>
#include <stdint.h>

enum { X86_MAX_LEN = 15 };

enum x86_operand_kind {
    X86_OP_NONE,
    X86_OP_GPR,   /* reg 0..15, size 1, 2, 4, 8 */
    X86_OP_GPRH,  /* AH, CH, DH, BH: reg 0..3 is their register */
    X86_OP_MEM,   /* x86_insn.ea */
    X86_OP_IMM,   /* imm, sign-extended to 64 bits as the row says */
    X86_OP_REL,   /* imm is the target, already cut to the operand size */
    X86_OP_FAR,   /* imm: offset, imm2: selector */
    X86_OP_SEG, X86_OP_CR, X86_OP_DR, X86_OP_MM, X86_OP_VEC, X86_OP_ST,
    X86_OP_STR_SRC, /* [seg:rSI] */
    X86_OP_STR_DST, /* [ES:rDI] */
};

/** struct x86_operand - size in bytes, 0: none. */
struct x86_operand {
    uint8_t kind, reg, size;
};

enum { X86_MAX_OPERANDS = 5, X86_NO_REG = 0xff };

/** struct x86_ea - a memory operand: seg:[base + index << scale + disp], cut to addr_size. */
struct x86_ea {
    uint8_t base, index; /* X86_NO_REG: none */
    uint8_t scale;       /* log2 */
    uint8_t seg;         /* enum x86_seg, overrides applied; in 64-bit code only FS and GS have a base */
    bool rip;            /* disp is the address, RIP added */
    int64_t disp;
};

/** struct x86_insn - one decoded instruction. */
struct x86_insn {
    uint16_t row;     /* X86_NO_ROW: undefined */
    uint8_t len;      /* bytes */
    uint8_t op_size;  /* 2, 4, 8 */
    uint8_t addr_size; /* 2, 4, 8 */
    uint8_t rex;      /* the prefix, 0: none (VEX: as if) */
    bool lock, rep, repne, data16, vex, vex_l, w; /* w: REX.W or VEX.W */
    uint8_t seg_prefix; /* enum x86_seg, X86_NO_SEG (6): none */
    uint8_t map, opcode, modrm, vvvv; /* map: 0 one byte, 1 behind 0F, 2 and 3 behind 0F 38 and 0F 3A */
    uint8_t end, flags; /* enum x86_end, enum x86_flag_use: the row's */
    uint8_t n_ops;
    struct x86_operand op[X86_MAX_OPERANDS];
    struct x86_ea ea;
    int64_t imm, imm2;
};

enum x86_row {
    X86_ROW_FIRST = -1,
#define INSN(name, enc, ops, feat, attr) X86_ROW_CONCAT(name, __LINE__),
#define X86_ROW_CONCAT(name, line)       X86_ROW_CONCAT2(name, line)
#define X86_ROW_CONCAT2(name, line)      X86_ROW_##name##_##line
#include "guest/x86/insn_system.def"
#include "guest/x86/insn.def"
#include "guest/x86/insn_x87.def"
#include "guest/x86/insn_simd.def"
#undef INSN
    X86_NUM_ROWS,
    X86_NO_ROW = X86_NUM_ROWS,
};

enum x86_end { X86_FALL, X86_JMP, X86_COND, X86_CALL, X86_RET, X86_IND, X86_TRAP };
enum x86_flag_use { X86_FLAGS_NONE, X86_FLAGS_READ = 1, X86_FLAGS_WRITE = 2, X86_FLAGS_PART = 4, X86_FLAGS_SHIFT = 8 };

enum x86_decoded {
    X86_OK,
    X86_SHORT,    /* @avail ends within the instruction */
    X86_TOO_LONG, /* over 15 bytes: #GP */
};

/** x86_decode - the instruction at @pc, whose bytes are at @code, as code of @mode (cpu->mode).  X86_OK also for what is undefined:
 * then row is X86_NO_ROW and len what was looked at.  Any thread, without locks. */
enum x86_decoded x86_decode(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, struct x86_insn *out);
/** x86_decode_fully - the same, from the tables alone and slower: for tests. */
enum x86_decoded x86_decode_fully(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, struct x86_insn *out);

/* About one row. */
const char *x86_row_name(unsigned row);
const char *x86_row_encoding(unsigned row);
const char *x86_row_operands(unsigned row);
enum x86_feature x86_row_feature(unsigned row);
enum x86_end x86_row_end(unsigned row);
unsigned x86_row_flags(unsigned row); /* enum x86_flag_use */
/** x86_insn_alone - it calls a helper for all of its work that may change every register: a block of its own is best. */
bool x86_insn_alone(const struct x86_insn *i);
/** x86_insn_repeats - it is a string instruction with REP or REPNE. */
bool x86_insn_repeats(const struct x86_insn *i);
bool x86_row_may_lock(unsigned row);
/** x86_row_unit - whose registers it works on: what CR0, CR4 and XCR0 have to allow (SDM 3A, 2.5 and 13.1). */
/* Whose state an instruction needs.  MMX: alone, without XMM registers; WAIT: FWAIT; XSAVE: the XSAVE family. */
enum x86_unit { X86_UNIT_INTEGER, X86_UNIT_X87, X86_UNIT_WAIT, X86_UNIT_MMX, X86_UNIT_SSE, X86_UNIT_AVX, X86_UNIT_XSAVE };
enum x86_unit x86_row_unit(unsigned row);

#endif
