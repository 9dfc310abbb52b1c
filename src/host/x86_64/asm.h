/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 encoder: one function call appends one instruction.
 * Source: AMD64 Architecture Programmer's Manual, volumes 3 and 4 (opcode maps, VEX).
 *
 * Sizes are in bytes: 4 or 8 for integer operations (4 clears the upper half), 1 and 2 where named.
 * Nothing here checks operands; emitters are responsible.  A full buffer sets `full` and drops output.
 */
#ifndef HOST_X86_64_ASM_H
#define HOST_X86_64_ASM_H

#include <stdbool.h>
#include <stdint.h>

enum x64_reg {
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NOREG = 255
};

enum x64_cc { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP,
              CC_L, CC_GE, CC_LE, CC_G };

enum x64_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum x64_shift { SH_ROL, SH_ROR, SH_SHL = 4, SH_SHR, SH_SAR = 7 };

/* What the host processor has; less what enum host_off masks. */
struct x64_feat {
    bool avx, avx2, bmi1, bmi2, lzcnt, popcnt, fma, aes, pclmul, sha, sse41, sse42, f16c, movbe, gfni;
};

/* A place in code to be patched when its target is known. */
struct x64_label {
    uint32_t at;     /* offset of the 32-bit field + 1, newest use; the field holds the older use */
    uint32_t target; /* offset + 1 once bound */
};

struct x64_asm {
    uint8_t *buf;
    uint32_t n, cap;
    bool full;
    struct x64_feat f;
};

/* A memory operand: [base + index * (1 << scale) + disp], or [rip + label] when base is NOREG and
 * label is set. */
struct x64_mem {
    uint8_t base, index, scale;
    bool gs;
    int32_t disp;
    struct x64_label *label;
};

static inline struct x64_mem x64_at(unsigned base, int32_t disp)
{
    return (struct x64_mem){ .base = (uint8_t)base, .index = NOREG, .disp = disp };
}
static inline struct x64_mem x64_rip(struct x64_label *l)
{
    return (struct x64_mem){ .base = NOREG, .index = NOREG, .label = l };
}

void x64_byte(struct x64_asm *a, uint8_t b);
void x64_u32(struct x64_asm *a, uint32_t v);
void x64_u64(struct x64_asm *a, uint64_t v);
void x64_bind(struct x64_asm *a, struct x64_label *l);
void x64_align(struct x64_asm *a, unsigned n, unsigned at); /* nops until (offset & (n-1)) == at */

/* Any instruction with ModRM: @pfx 0 or one, @rex bits W or 0x40 alone, @opc with its escapes; @tail: bytes that follow. */
void x64_any_rr(struct x64_asm *a, unsigned pfx, unsigned rex, unsigned opc, unsigned reg, unsigned rm);
void x64_any_rm(struct x64_asm *a, unsigned pfx, unsigned rex, unsigned opc, unsigned reg, struct x64_mem m, unsigned tail);

/* Integer */
void x64_mov_rr(struct x64_asm *a, unsigned size, unsigned d, unsigned s);
void x64_mov_ri(struct x64_asm *a, unsigned d, uint64_t imm); /* shortest form; keeps flags */
/* Eight bytes at [base + disp], not rsp or above rdi. */
void x64_mov_near(struct x64_asm *a, bool store, unsigned r, unsigned base, int8_t disp);
void x64_bytes(struct x64_asm *a, const void *p, unsigned n); /* as they are */
void x64_load(struct x64_asm *a, unsigned size, unsigned d, struct x64_mem m);  /* 1, 2: zero-extended */
void x64_load_sx(struct x64_asm *a, unsigned from, unsigned to, unsigned d, struct x64_mem m);
void x64_store(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s); /* 1, 2, 4, 8 */
void x64_store_imm(struct x64_asm *a, unsigned size, struct x64_mem m, int32_t imm);
void x64_lea(struct x64_asm *a, unsigned size, unsigned d, struct x64_mem m);
void x64_movzx(struct x64_asm *a, unsigned from, unsigned d, unsigned s); /* 1 or 2 to 32 (64) */
void x64_movsx(struct x64_asm *a, unsigned from, unsigned to, unsigned d, unsigned s); /* 1, 2, 4 */
void x64_alu_rr(struct x64_asm *a, enum x64_alu op, unsigned size, unsigned d, unsigned s);
void x64_alu_ri(struct x64_asm *a, enum x64_alu op, unsigned size, unsigned d, int32_t imm);
void x64_alu_rm(struct x64_asm *a, enum x64_alu op, unsigned size, unsigned d, struct x64_mem m);
void x64_alu_mr(struct x64_asm *a, enum x64_alu op, unsigned size, struct x64_mem m, unsigned s);
void x64_alu_mi(struct x64_asm *a, enum x64_alu op, unsigned size, struct x64_mem m, int32_t imm);
void x64_test_rr(struct x64_asm *a, unsigned size, unsigned d, unsigned s);
void x64_test_ri(struct x64_asm *a, unsigned size, unsigned d, int32_t imm);
void x64_not(struct x64_asm *a, unsigned size, unsigned d);
void x64_neg(struct x64_asm *a, unsigned size, unsigned d);
void x64_imul_rr(struct x64_asm *a, unsigned size, unsigned d, unsigned s);
void x64_imul_rri(struct x64_asm *a, unsigned size, unsigned d, unsigned s, int32_t imm);
void x64_mul(struct x64_asm *a, unsigned size, unsigned s);  /* rdx:rax = rax * s */
void x64_imul(struct x64_asm *a, unsigned size, unsigned s);
void x64_div(struct x64_asm *a, unsigned size, unsigned s);
void x64_idiv(struct x64_asm *a, unsigned size, unsigned s);
void x64_cdq(struct x64_asm *a, unsigned size);
void x64_shift_ri(struct x64_asm *a, enum x64_shift op, unsigned size, unsigned d, unsigned n);
void x64_shift_cl(struct x64_asm *a, enum x64_shift op, unsigned size, unsigned d);
void x64_shiftx(struct x64_asm *a, enum x64_shift op, unsigned size, unsigned d, unsigned s,
                unsigned n);                                          /* BMI2 shlx shrx sarx */
void x64_rorx(struct x64_asm *a, unsigned size, unsigned d, unsigned s, unsigned n);
void x64_andn(struct x64_asm *a, unsigned size, unsigned d, unsigned s1, unsigned s2); /* ~s1 & s2 */
void x64_shrd(struct x64_asm *a, unsigned size, unsigned d, unsigned s, unsigned n);
void x64_bswap(struct x64_asm *a, unsigned size, unsigned d);
void x64_op0f(struct x64_asm *a, unsigned pfx, unsigned size, unsigned opc, unsigned d, unsigned s);
                                                          /* two-byte opcode, d in ModRM.reg */
void x64_op0f38(struct x64_asm *a, unsigned pfx, unsigned size, unsigned opc, unsigned d, unsigned s);
void x64_setcc(struct x64_asm *a, enum x64_cc cc, unsigned d); /* low byte only */
void x64_setcc_m(struct x64_asm *a, enum x64_cc cc, struct x64_mem m);
void x64_cmov(struct x64_asm *a, enum x64_cc cc, unsigned size, unsigned d, unsigned s);
void x64_bt_ri(struct x64_asm *a, unsigned size, unsigned d, unsigned n);
void x64_xchg_mr(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s);
void x64_lock(struct x64_asm *a);
void x64_xadd_mr(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s);
void x64_cmpxchg_mr(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s);
void x64_cmpxchg16b(struct x64_asm *a, struct x64_mem m);
void x64_push(struct x64_asm *a, unsigned r);
void x64_push_imm(struct x64_asm *a, int32_t imm); /* sign-extended to 64 bits */
void x64_pop(struct x64_asm *a, unsigned r);
void x64_bit_rr(struct x64_asm *a, unsigned opc, unsigned d, unsigned n); /* 0F opc: A3 bt, AB bts, B3 btr of bit n (register) of d */
void x64_x87_m(struct x64_asm *a, unsigned opc, unsigned ext, struct x64_mem m); /* D8 .. DF with memory; ext in ModRM.reg */
void x64_x87_r(struct x64_asm *a, unsigned opc, unsigned modrm);
void x64_mfence(struct x64_asm *a); /* a locked add to the stack: the cheaper full fence */

/* Control */
void x64_jmp(struct x64_asm *a, struct x64_label *l);
void x64_jcc(struct x64_asm *a, enum x64_cc cc, struct x64_label *l);
void x64_call(struct x64_asm *a, struct x64_label *l);
void x64_jmp_r(struct x64_asm *a, unsigned r);
void x64_jmp_m(struct x64_asm *a, struct x64_mem m);
void x64_call_m(struct x64_asm *a, struct x64_mem m);
void x64_call_r(struct x64_asm *a, unsigned r);
void x64_ret(struct x64_asm *a, unsigned drop); /* and so many bytes more off the stack */
void x64_ud2(struct x64_asm *a);

/*
 * Vector instructions are named by constants holding prefix, map and opcode; VEX.W and L as well.
 * x64_v3 uses the VEX form when the host has AVX, else a copy and the two-operand SSE form (then d
 * must not be s2 unless d == s1).
 */
#define VX(pfx, map, opc) ((uint32_t)(pfx) << 16 | (map) << 8 | (opc))
#define VX_W              (1u << 31) /* VEX.W / REX.W set */
#define VX_L              (1u << 30) /* 256-bit */
#define VX_VEXONLY        (1u << 29)

void x64_v3(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, unsigned s2);
void x64_v3m(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, struct x64_mem m);
void x64_v3i(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, unsigned s2, unsigned imm);
void x64_v3mi(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, struct x64_mem m, unsigned imm);
void x64_v2(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s); /* two operands, no vvvv */
void x64_v2m(struct x64_asm *a, uint32_t vi, unsigned d, struct x64_mem m);
void x64_v2i(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s, unsigned imm);
void x64_v2mi(struct x64_asm *a, uint32_t vi, unsigned d, struct x64_mem m, unsigned imm);
/* Shift group: immediate count, ModRM.reg is the extension; d = s shifted. */
void x64_vshift(struct x64_asm *a, uint32_t vi, unsigned ext, unsigned d, unsigned s, unsigned imm);
void x64_vmov(struct x64_asm *a, unsigned d, unsigned s);         /* movaps; nothing when equal */
void x64_vload(struct x64_asm *a, unsigned d, struct x64_mem m);  /* 16 bytes, any alignment */
void x64_vstore(struct x64_asm *a, struct x64_mem m, unsigned s);
void x64_vload_n(struct x64_asm *a, unsigned size, unsigned d, struct x64_mem m);  /* 4, 8: rest zero; 2 */
void x64_vstore_n(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s); /* 2, 4, 8 */
void x64_movq_xr(struct x64_asm *a, unsigned size, unsigned d, unsigned s); /* gpr to xmm, rest zero */
void x64_movq_rx(struct x64_asm *a, unsigned size, unsigned d, unsigned s); /* xmm to gpr */

/** x64_feat_detect - what CPUID says, or everything, less @off (enum host_off). */
struct x64_feat x64_feat_detect(unsigned off);

#endif
