/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of the vector instructions that emitters use, and short forms of the encoder for them.
 * Source: AMD64 Architecture Programmer's Manual, volume 4.
 */
#ifndef HOST_X86_64_VEC_OPS_H
#define HOST_X86_64_VEC_OPS_H

#include "base/err.h"
#include "host/x86_64/emit.h"

#define PS(opc)  VX(0, 1, opc)
#define PD(opc)  VX(0x66, 1, opc)
#define SS(opc)  VX(0xf3, 1, opc)
#define SD(opc)  VX(0xf2, 1, opc)
#define M38(opc) VX(0x66, 2, opc)
#define M3A(opc) VX(0x66, 3, opc)

enum {
    /* Commutative: v3 may exchange the sources. */
    COMM = 1 << 28,

    PADDB = PD(0xfc) | COMM, PADDW = PD(0xfd) | COMM, PADDD = PD(0xfe) | COMM,
    PADDQ = PD(0xd4) | COMM,
    PSUBB = PD(0xf8), PSUBW = PD(0xf9), PSUBD = PD(0xfa), PSUBQ = PD(0xfb),
    PADDUSB = PD(0xdc) | COMM, PADDUSW = PD(0xdd) | COMM,
    PADDSB = PD(0xec) | COMM, PADDSW = PD(0xed) | COMM,
    PSUBUSB = PD(0xd8), PSUBUSW = PD(0xd9), PSUBSB = PD(0xe8), PSUBSW = PD(0xe9),
    PAND = PD(0xdb) | COMM, PANDN = PD(0xdf), POR = PD(0xeb) | COMM, PXOR = PD(0xef) | COMM,
    PAVGB = PD(0xe0) | COMM, PAVGW = PD(0xe3) | COMM,
    PMULLW = PD(0xd5) | COMM, PMULHW = PD(0xe5) | COMM, PMULHUW = PD(0xe4) | COMM,
    PMULLD = M38(0x40) | COMM, PMULUDQ = PD(0xf4) | COMM, PMULDQ = M38(0x28) | COMM,
    PMULHRSW = M38(0x0b) | COMM, PMADDWD = PD(0xf5) | COMM, PMADDUBSW = M38(0x04),
    PSADBW = PD(0xf6) | COMM,
    PMINUB = PD(0xda) | COMM, PMINUW = M38(0x3a) | COMM, PMINUD = M38(0x3b) | COMM,
    PMAXUB = PD(0xde) | COMM, PMAXUW = M38(0x3e) | COMM, PMAXUD = M38(0x3f) | COMM,
    PMINSB = M38(0x38) | COMM, PMINSW = PD(0xea) | COMM, PMINSD = M38(0x39) | COMM,
    PMAXSB = M38(0x3c) | COMM, PMAXSW = PD(0xee) | COMM, PMAXSD = M38(0x3d) | COMM,
    PCMPEQB = PD(0x74) | COMM, PCMPEQW = PD(0x75) | COMM, PCMPEQD = PD(0x76) | COMM,
    PCMPEQQ = M38(0x29) | COMM,
    PCMPGTB = PD(0x64), PCMPGTW = PD(0x65), PCMPGTD = PD(0x66), PCMPGTQ = M38(0x37),
    PABSB = M38(0x1c), PABSW = M38(0x1d), PABSD = M38(0x1e),
    PTEST = M38(0x17),

    /* shifts by an immediate: group opcode and the extension in ModRM */
    PSHIFTW = PD(0x71), PSHIFTD = PD(0x72), PSHIFTQ = PD(0x73),
    EXT_SRL = 2, EXT_SRLDQ = 3, EXT_SRA = 4, EXT_SLL = 6, EXT_SLLDQ = 7,
    VPSRLVD = M38(0x45), VPSRAVD = M38(0x46), VPSLLVD = M38(0x47),

    PUNPCKLBW = PD(0x60), PUNPCKLWD = PD(0x61), PUNPCKLDQ = PD(0x62), PUNPCKLQDQ = PD(0x6c),
    PUNPCKHBW = PD(0x68), PUNPCKHWD = PD(0x69), PUNPCKHDQ = PD(0x6a), PUNPCKHQDQ = PD(0x6d),
    PACKSSWB = PD(0x63), PACKUSWB = PD(0x67), PACKSSDW = PD(0x6b), PACKUSDW = M38(0x2b),
    PSHUFD = PD(0x70), PSHUFB = M38(0x00), SHUFPS = PS(0xc6), SHUFPD = PD(0xc6),
    PALIGNR = M3A(0x0f), PBLENDW = M3A(0x0e), INSERTPS = M3A(0x21),
    PMOVZXBW = M38(0x30), PMOVZXWD = M38(0x33), PMOVZXDQ = M38(0x35),
    PMOVSXBW = M38(0x20), PMOVSXWD = M38(0x23), PMOVSXDQ = M38(0x25),
    VPBROADCASTB = M38(0x78), VPBROADCASTW = M38(0x79), VPBROADCASTD = M38(0x58),
    VPBROADCASTQ = M38(0x59),
    PEXTRB = M3A(0x14), PEXTRW = M3A(0x15), PEXTRD = M3A(0x16),
    PINSRB = M3A(0x20), PINSRW = PD(0xc4), PINSRD = M3A(0x22),
    MOVQ = SS(0x7e),
    PCLMULQDQ = M3A(0x44), VGF2P8AFFINEQB = M3A(0xce) | VX_W | VX_VEXONLY,
    AESENC = M38(0xdc), AESENCLAST = M38(0xdd), AESDEC = M38(0xde),
    AESDECLAST = M38(0xdf), AESIMC = M38(0xdb),

    ANDPS = PS(0x54) | COMM, ANDNPS = PS(0x55), ORPS = PS(0x56) | COMM, XORPS = PS(0x57) | COMM,
};

/* d = s1 op s2.  Without AVX d may be s2 only when the operation is commutative. */
static inline void v3(struct x64 *x, uint32_t vi, unsigned d, unsigned s1, unsigned s2)
{
    if (!x->a.f.avx && d == s2 && d != s1) {
        if (!(vi & COMM))
            bug("vector operation %#x would lose its operand", vi);
        s2 = s1;
        s1 = d;
    }
    x64_v3(&x->a, vi & ~COMM, d, s1, s2);
}
static inline void v3m(struct x64 *x, uint32_t vi, unsigned d, unsigned s1, struct x64_mem m)
{
    x64_v3m(&x->a, vi & ~COMM, d, s1, m);
}
static inline void v3i(struct x64 *x, uint32_t vi, unsigned d, unsigned s1, unsigned s2,
                       unsigned imm)
{
    if (!x->a.f.avx && d == s2 && d != s1)
        bug("vector operation %#x would lose its operand", vi);
    x64_v3i(&x->a, vi, d, s1, s2, imm);
}
static inline void v2(struct x64 *x, uint32_t vi, unsigned d, unsigned s)
{
    x64_v2(&x->a, vi & ~COMM, d, s);
}
static inline void v2i(struct x64 *x, uint32_t vi, unsigned d, unsigned s, unsigned imm)
{
    x64_v2i(&x->a, vi & ~COMM, d, s, imm);
}
static inline void vmov(struct x64 *x, unsigned d, unsigned s)
{
    x64_vmov(&x->a, d, s);
}
/* d = s shifted by @n in lanes of PSHIFTW, D or Q. */
static inline void vshift(struct x64 *x, uint32_t vi, unsigned ext, unsigned d, unsigned s,
                          unsigned n)
{
    x64_vshift(&x->a, vi, ext, d, s, n);
}
static inline void vzero(struct x64 *x, unsigned d)
{
    v3(x, PXOR, d, d, d);
}
static inline void vones(struct x64 *x, unsigned d)
{
    v3(x, PCMPEQD, d, d, d);
}

/* The low bits of @n in every lane, as a memory operand. */
static inline uint64_t splat64(unsigned lane, uint64_t n)
{
    static const uint64_t ones[4] = {0x0101010101010101, 0x0001000100010001, 0x100000001, 1};

    return lane == 3 ? n : (n & ((1ull << (8u << lane)) - 1)) * ones[lane];
}
static inline struct x64_mem splat(struct x64 *x, unsigned lane, uint64_t n)
{
    return x_vconst(x, splat64(lane, n), splat64(lane, n));
}

/* --- Shared by the vector emitters --- */

#define T X_VSCRATCH

/** struct io - operands of an operation and a result register different from all of them. */
struct io {
    unsigned d, a, b, c;
};
struct io vec_io1(struct x64 *x, const struct ir_op *op, uint32_t v);
struct io vec_io2(struct x64 *x, const struct ir_op *op, uint32_t v);
struct io vec_io3(struct x64 *x, const struct ir_op *op, uint32_t v);

/** vec_native1, 2 - operations that are one host instruction for the lane, else an evaluation. */
emit_fn vec_native1, vec_native2;
bool vec_has_native(const struct ir_op *op);
/* The instruction of each lane; 0: there is none. */
extern const uint32_t vec_padd[4], vec_psub[4], vec_pcmpgt[4], vec_pshift[4];
static inline uint64_t vec_lane_min(unsigned lane) /* the most negative */
{
    return 1ull << ((8u << lane) - 1);
}
/** vec_fix_min - lanes of d that are the most negative become the most positive; T is clobbered. */
void vec_fix_min(struct x64 *x, unsigned lane, unsigned d);

/* Every operation may have an emitter of its own, emit_NAME; the tables say which have. */
#define OP(name, result, args, effects, doc) emit_fn emit_##name;
#include "ir/ops.def"
#undef OP

#endif
