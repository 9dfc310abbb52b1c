/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evaluation of the operations of sse.def, and x86's comparisons, by the instructions themselves: they are the definition (SDM 2), and
 * a host that has others brings a file of its own.  While one runs, the control register is that of struct fp_env.  Cryptography is
 * computed (base/crypto.h), as many hosts lack it.
 */
#include "ir/sse.h"

#include "base/crypto.h"
#include "base/err.h"
#include "base/fp_x86.h"
#include "ir/eval.h"
#include "ir/eval_sse.h"

#include <cpuid.h>
#include <string.h>

typedef long long vec __attribute__((vector_size(16)));

const struct sse_info sse_info[SSE_NUM_OPS] = {
#define SSE(name, kind, prefix, map, opcode, flags, imms) [SSE_##name] = {SSE_##kind, prefix, map, opcode, flags, imms},
#include "ir/sse.def"
#undef SSE
};

/* --- What the host has --- */

unsigned sse_ext_of(enum sse_op op)
{
    const struct sse_info *i = &sse_info[op];

    if (i->flags & SSE_CRYPTO)
        return 0;
    if (i->kind == SSE_F3)
        return SSE_EXT_FMA;
    if (op == SSE_vcvtph2ps || op == SSE_vcvtps2ph)
        return SSE_EXT_F16C;
    if (i->flags & SSE_VEX)
        return i->map == 2 && i->opcode >= 0x45 ? SSE_EXT_AVX2 : SSE_EXT_AVX;
    if (i->map == 1) /* ADDSUB, HADD, HSUB */
        return i->opcode == 0xd0 || i->opcode == 0x7c || i->opcode == 0x7d ? SSE_EXT_SSE3 : 0;
    return i->map == 2 && i->opcode <= 0x0b ? SSE_EXT_SSSE3 : SSE_EXT_SSE41;
}

/* Not all compilers know it by name. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;

    return __builtin_cpu_supports("avx") && __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
}

static bool has_sha(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

/* The compiler's support minds what the kernel keeps. */
static unsigned ask_host(void)
{
    return (__builtin_cpu_supports("sse3") ? SSE_EXT_SSE3 : 0) | (__builtin_cpu_supports("ssse3") ? SSE_EXT_SSSE3 : 0) |
           (__builtin_cpu_supports("sse4.1") ? SSE_EXT_SSE41 : 0) | (__builtin_cpu_supports("avx") ? SSE_EXT_AVX : 0) |
           (__builtin_cpu_supports("avx2") ? SSE_EXT_AVX2 : 0) | (has_f16c() ? SSE_EXT_F16C : 0) |
           (__builtin_cpu_supports("fma") ? SSE_EXT_FMA : 0) | (has_sha() ? SSE_EXT_SHA : 0);
}

/* In a virtual machine, each CPUID takes more than a microsecond. */
unsigned sse_host_exts(void)
{
    enum { ASKED = 1u << 31 };
    static unsigned known; /* [atomic] */
    unsigned exts = __atomic_load_n(&known, __ATOMIC_RELAXED);

    if (!exts) {
        exts = ask_host() | ASKED;
        __atomic_store_n(&known, exts, __ATOMIC_RELAXED);
    }
    return exts & ~ASKED;
}

/* --- The control register --- */

static uint32_t mxcsr_begin(const struct fp_env *fp)
{
    uint32_t old, new = mxcsr_of_fp(fp);

    __asm__ volatile("stmxcsr %0" : "=m"(old));
    __asm__ volatile("ldmxcsr %0" : : "m"(new));
    return old;
}

static void mxcsr_end(uint32_t old, struct fp_env *fp)
{
    uint32_t m;

    __asm__ volatile("stmxcsr %0" : "=m"(m));
    __asm__ volatile("ldmxcsr %0" : : "m"(old));
    fp->flags |= fp_flags_of_mxcsr(m);
}

/* --- Rows: assembly statements are volatile, so that they stay between begin and end --- */

#define ASM1(text)  __asm__ volatile(text " %1, %0" : "=x"(r) : "x"(a))
#define ASM2(text)  __asm__ volatile(text " %1, %0" : "+x"(r) : "x"(b))
#define ASM3(text)  __asm__ volatile(text " %2, %1, %0" : "+x"(r) : "x"(b), "x"(c))
#define ASMV(text)  __asm__ volatile(text " %2, %1, %0" : "=x"(r) : "x"(a), "x"(b))
#define ASM1I(text, n) __asm__ volatile(text " %2, %1, %0" : "=x"(r) : "x"(a), "i"(n))
#define ASM2I(text, n) __asm__ volatile(text " %2, %1, %0" : "+x"(r) : "x"(b), "i"(n))
#define ASMVI(text, n) __asm__ volatile(text " %3, %2, %1, %0" : "=x"(r) : "x"(a), "x"(b), "i"(n))

#define CASE(form, text, n)    case n: form(text, n); break;
#define CASES_4(form, text, n)  CASE(form, text, n) CASE(form, text, n + 1) CASE(form, text, n + 2) CASE(form, text, n + 3)
#define CASES_8(form, text, n)  CASES_4(form, text, n) CASES_4(form, text, n + 4)
#define CASES_16(form, text, n) CASES_8(form, text, n) CASES_8(form, text, n + 8)
#define CASES_32(form, text, n) CASES_16(form, text, n) CASES_16(form, text, n + 16)
#define CASES_64(form, text, n) CASES_32(form, text, n) CASES_32(form, text, n + 32)
#define CASES_256(form, text, n)                                                                                     \
    CASES_64(form, text, n) CASES_64(form, text, n + 64) CASES_64(form, text, n + 128) CASES_64(form, text, n + 192)
#define IMMEDIATE(form, text, imms)                                                                                  \
    switch (imm & (imms - 1)) { CASES_##imms(form, text, 0) }

#define DO_P1(text, imms)  ASM1(text)
#define DO_P2(text, imms)  ASM2(text)
#define DO_P3(text, imms)  /* sha256rnds2 alone */
#define DO_P1I(text, imms) IMMEDIATE(ASM1I, text, imms)
#define DO_P2I(text, imms) IMMEDIATE(ASM2I, text, imms)
#define DO_VP2(text, imms) ASMV(text)
#define DO_F1(text, imms)  ASM1(text)
#define DO_F2(text, imms)  ASM2(text)
#define DO_F3(text, imms)  ASM3(text)
#define DO_F1I(text, imms) IMMEDIATE(ASM1I, text, imms)
#define DO_F2I(text, imms) IMMEDIATE(ASM2I, text, imms)
#define DO_V2I(text, imms) IMMEDIATE(ASMVI, text, imms)
#define DO_TO(text, imms)
#define DO_FROM(text, imms)
#define DO_BITS(text, imms)

static vec run(unsigned op, unsigned imm, vec a, vec b, vec c)
{
    vec r = a;

    switch (op) {
#define SSE(name, kind, prefix, map, opcode, flags, imms) \
    case SSE_##name:                                       \
        if (!((flags) & SSE_CRYPTO)) { DO_##kind(#name, imms); } \
        break;
#include "ir/sse.def"
#undef SSE
    default: bug("no vector operation %u", op);
    }
    return r;
}

static void crypto(union vec128 *d, unsigned op, unsigned imm, const union vec128 *b, const union vec128 *c)
{
    switch (op) {
    case SSE_aesenc: crypto_x86_aesenc(d, b); break;
    case SSE_aesenclast: crypto_x86_aesenclast(d, b); break;
    case SSE_aesdec: crypto_x86_aesdec(d, b); break;
    case SSE_aesdeclast: crypto_x86_aesdeclast(d, b); break;
    case SSE_aesimc: crypto_aesimc(d, d); break;
    case SSE_aeskeygenassist: crypto_x86_aeskeygenassist(d, d, imm); break;
    case SSE_pclmulqdq: crypto_pmull64(d, d->d[imm & 1], b->d[imm >> 4 & 1]); break;
    case SSE_sha1nexte: crypto_x86_sha1nexte(d, b); break;
    case SSE_sha1msg1: crypto_x86_sha1msg1(d, b); break;
    case SSE_sha1msg2: crypto_x86_sha1msg2(d, b); break;
    case SSE_sha1rnds4: crypto_x86_sha1rnds4(d, b, imm); break;
    case SSE_sha256msg1: crypto_sha256su0(d, b); break;
    case SSE_sha256msg2: crypto_x86_sha256msg2(d, b); break;
    case SSE_sha256rnds2: crypto_x86_sha256rnds2(d, b, c); break;
    default: bug("no cryptographic operation %u", op);
    }
}

/* Tiny results: denormal lanes of what arithmetic gives. */
static bool any_denormal(const struct sse_info *i, vec v)
{
    union ir_u u;
    bool wide = i->prefix == 0x66 || i->prefix == 0xf2;
    unsigned n = i->prefix >= 0xf2 ? 1 : wide ? 2 : 4;

    memcpy(&u, &v, 16);
    if (i->map == 2) { /* fused: W tells the width, odd opcodes are scalar */
        wide = i->flags & SSE_W;
        n = i->opcode & 1 && i->opcode > 0x98 - 1 ? 1 : wide ? 2 : 4;
    }
    for (unsigned k = 0; k < n; k++)
        if (wide ? !(u.d[k] >> 52 & 0x7ff) && u.d[k] << 12 : !(u.s[k] >> 23 & 0xff) && u.s[k] << 9)
            return true;
    return false;
}

static bool may_be_tiny(const struct sse_info *i)
{
    return i->kind == SSE_F3 || (i->map == 1 && (i->opcode == 0x58 || i->opcode == 0x59 || i->opcode == 0x5c || i->opcode == 0x5e));
}

static void pure(union ir_u *r, const union ir_u *a, const struct ir_how *how, unsigned n)
{
    vec v[3] = {{0}}, out;

    if (sse_info[sse_op_of(how->imm)].flags & SSE_CRYPTO) {
        union vec128 o[3] = {{.d = {0}}};

        memcpy(o, a, 16 * n);
        crypto(&o[0], sse_op_of(how->imm), sse_imm8_of(how->imm), &o[1], &o[2]);
        memcpy(r, &o[0], 16);
        return;
    }
    memcpy(v, a, 16 * n);
    out = run(sse_op_of(how->imm), sse_imm8_of(how->imm), v[0], v[1], v[2]);
    memcpy(r, &out, 16);
}

static void floating(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp, unsigned n)
{
    uint32_t old = mxcsr_begin(fp);

    pure(r, a, how, n);
    mxcsr_end(old, fp);
    if (fp->tiny) {
        const struct sse_info *i = &sse_info[sse_op_of(how->imm)];
        vec v;

        memcpy(&v, r, 16);
        if (may_be_tiny(i) && any_denormal(i, v))
            fp->flags |= FP_UFC;
    }
}

#define EVAL(op) void ir_eval_##op(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp)

EVAL(xv1)
{
    pure(r, a, how, 1);
}
EVAL(xv2)
{
    pure(r, a, how, 2);
}
EVAL(xv3)
{
    pure(r, a, how, 3);
}
EVAL(xf1)
{
    floating(r, a, how, fp, 1);
}
EVAL(xf2)
{
    floating(r, a, how, fp, 2);
}
EVAL(xf3)
{
    floating(r, a, how, fp, 3);
}

/* --- Scalars and integers --- */

#define TO(text)                                                                                                     \
    do {                                                                                                             \
        if (how->type == IR_I64)                                                                                     \
            __asm__ volatile(text " %1, %q0" : "=r"(n) : "x"(v));                                                    \
        else                                                                                                         \
            __asm__ volatile(text " %1, %k0" : "=r"(n) : "x"(v));                                                    \
    } while (0)

EVAL(xftoi)
{
    uint32_t old = mxcsr_begin(fp);
    uint64_t n = 0;
    vec v;

    memcpy(&v, a, 16);
    switch (sse_op_of(how->imm)) {
    case SSE_cvtss2si: TO("cvtss2si"); break;
    case SSE_cvttss2si: TO("cvttss2si"); break;
    case SSE_cvtsd2si: TO("cvtsd2si"); break;
    default: TO("cvttsd2si");
    }
    mxcsr_end(old, fp);
    *r = (union ir_u){.d = {how->type == IR_I64 ? n : (uint32_t)n}};
}

#define FROM(text, size, n) __asm__ volatile(text " %" size "1, %0" : "+x"(v) : "r"(n))

EVAL(xifrom)
{
    uint32_t old = mxcsr_begin(fp);
    uint64_t n = a[1].d[0];
    vec v;

    memcpy(&v, a, 16);
    switch (sse_op_of(how->imm) << 1 | (sse_imm8_of(how->imm) == 8)) {
    case SSE_cvtsi2ss << 1: FROM("cvtsi2ssl", "k", n); break;
    case SSE_cvtsi2ss << 1 | 1: FROM("cvtsi2ssq", "q", n); break;
    case SSE_cvtsi2sd << 1: FROM("cvtsi2sdl", "k", n); break;
    default: FROM("cvtsi2sdq", "q", n);
    }
    mxcsr_end(old, fp);
    memcpy(r, &v, 16);
}

EVAL(xbits)
{
    unsigned n = 0;
    bool wide = sse_op_of(how->imm) == SSE_movmskpd, bytes = sse_op_of(how->imm) == SSE_pmovmskb;
    unsigned count = bytes ? 16 : wide ? 2 : 4;

    (void)fp;
    for (unsigned i = 0; i < count; i++)
        n |= (unsigned)(bytes ? a->b[i] >> 7 : wide ? a->d[i] >> 63 : a->s[i] >> 31) << i;
    *r = (union ir_u){.d = {n}};
}

/* --- Comparisons --- */

#define COMPARE(text)                                                                                                \
    __asm__ volatile(text " %3, %2\n\tsetp %0\n\tsetb %1" : "=q"(p), "=q"(c) : "x"(x), "x"(y) : "cc")

enum fp_order sse_compare(const union ir_u *a, unsigned type, bool signalling, struct fp_env *fp)
{
    uint32_t old = mxcsr_begin(fp);
    uint8_t p, c, p2, c2;
    vec x, y;

    memcpy(&x, a, 16);
    memcpy(&y, a + 1, 16);
    if (type == IR_F64) {
        if (signalling)
            COMPARE("comisd");
        else
            COMPARE("ucomisd");
    } else {
        if (signalling)
            COMPARE("comiss");
        else
            COMPARE("ucomiss");
    }
    p2 = p;
    c2 = c;
    if (!p2 && !c2) { /* greater or equal */
        vec t = x;

        x = y;
        y = t;
        if (type == IR_F64)
            COMPARE("ucomisd");
        else
            COMPARE("ucomiss");
    } else {
        c = 0;
    }
    mxcsr_end(old, fp);
    return p2 ? FP_UNORDERED : c2 ? FP_LESS : c ? FP_GREATER : FP_EQUAL;
}
