/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 operations on the host's unit (SDM 2).  Outside of here its stack is empty and its control word the initial one.  Its exception
 * flags are sticky across operations, since clearing them is slow: they are cleared, and the operation done again, only when a flag
 * appears that the guest has not got.
 */
#include "guest/x86/x87_host.h"

#include "base/err.h"

#include <stddef.h>

enum { INITIAL = 0x37f };

#define A    "fldt %c[a](%[w])\n\t"
#define B    "fldt %c[b](%[w])\n\t"
#define R    "fstpt %c[r](%[w])\n\t"
#define R2   "fstpt %c[r2](%[w])\n\t"
#define DROP "fstp %%st(0)\n\t"
#define M    " %c[m](%[w])\n\t"
#define ASM(text)                                                                                                    \
    __asm__ volatile(text                                                                                            \
                     : "=a"(sw)                                                                                      \
                     : [w] "r"(w), [a] "i"(offsetof(struct x87_work, a)), [b] "i"(offsetof(struct x87_work, b)),     \
                       [m] "i"(offsetof(struct x87_work, m)), [r] "i"(offsetof(struct x87_work, r)),                 \
                       [r2] "i"(offsetof(struct x87_work, r2))                                                       \
                     : "memory", "cc")
/* With exceptions unmasked, one is pending behind the instruction, and the stack may be anything at the end. */
#define RUN(before, insn, after)                                                                                     \
    do {                                                                                                             \
        if (unmasked)                                                                                                \
            ASM(before insn "\n\tfnstsw %%ax\n\tfnclex\n\t" after "fninit");                                         \
        else                                                                                                         \
            ASM(before insn "\n\tfnstsw %%ax\n\t" after);                                                            \
    } while (0)

#define ARITH(op, reg, f32, i32, f64, i16)                                                                           \
    case op: RUN(B A, reg " %%st(1), %%st", R DROP); break;                                                          \
    case X87_MEM + op + 8 * X87_M32: RUN(A, f32 M, R); break;                                                        \
    case X87_MEM + op + 8 * X87_I32: RUN(A, i32 M, R); break;                                                        \
    case X87_MEM + op + 8 * X87_M64: RUN(A, f64 M, R); break;                                                        \
    case X87_MEM + op + 8 * X87_I16: RUN(A, i16 M, R); break;
#define COMPARE(op)                                                                                                  \
    case op: RUN(B A, "fcom %%st(1)", DROP DROP); break;                                                             \
    case X87_MEM + op + 8 * X87_M32: RUN(A, "fcoms" M, DROP); break;                                                 \
    case X87_MEM + op + 8 * X87_I32: RUN(A, "ficoml" M, DROP); break;                                                \
    case X87_MEM + op + 8 * X87_M64: RUN(A, "fcoml" M, DROP); break;                                                 \
    case X87_MEM + op + 8 * X87_I16: RUN(A, "ficoms" M, DROP); break;
#define LOAD(type, insn) case X87_LOAD + type: RUN("", insn M, R); break;
#define STORE(type, insn) case X87_STORE + type: RUN(A, insn M, ""); break;
#define TRUNC(type, insn) case X87_STORE_TRUNC + type: RUN(A, insn M, ""); break;
#define CONSTANT(n, insn) case X87_CONST + n: RUN("", insn, R); break;
#define UNARY(op, insn)  case op: RUN(A, insn, R); break;
#define BINARY(op, insn) case op: RUN(B A, insn, R DROP); break;
#define POPPING(op, insn) case op: RUN(B A, insn, R); break;
#define PUSHING(op, insn) case op: RUN(A A, insn, R2 R "fninit\n\t"); break; /* one more below, should nothing be pushed */

static uint16_t host(struct x87_work *w, unsigned op, bool unmasked)
{
    unsigned sw = 0;

    switch (op) {
        ARITH(X87_ADD, "fadd", "fadds", "fiaddl", "faddl", "fiadds")
        ARITH(X87_MUL, "fmul", "fmuls", "fimull", "fmull", "fimuls")
        ARITH(X87_SUB, "fsub", "fsubs", "fisubl", "fsubl", "fisubs")
        ARITH(X87_SUBR, "fsubr", "fsubrs", "fisubrl", "fsubrl", "fisubrs")
        ARITH(X87_DIV, "fdiv", "fdivs", "fidivl", "fdivl", "fidivs")
        ARITH(X87_DIVR, "fdivr", "fdivrs", "fidivrl", "fdivrl", "fidivrs")
        COMPARE(X87_COM)
        COMPARE(X87_COMP)
    case X87_UCOM: RUN(B A, "fucom %%st(1)", DROP DROP); break;
    case X87_TST: RUN(A, "ftst", DROP); break;
        LOAD(X87_M32, "flds") LOAD(X87_M64, "fldl") LOAD(X87_I16, "filds") LOAD(X87_I32, "fildl") LOAD(X87_I64, "fildll")
        LOAD(X87_BCD, "fbld")
        STORE(X87_M32, "fstps") STORE(X87_M64, "fstpl") STORE(X87_I16, "fistps") STORE(X87_I32, "fistpl") STORE(X87_I64, "fistpll")
        STORE(X87_BCD, "fbstp")
        TRUNC(X87_I16, "fisttps") TRUNC(X87_I32, "fisttpl") TRUNC(X87_I64, "fisttpll")
        CONSTANT(0, "fld1") CONSTANT(1, "fldl2t") CONSTANT(2, "fldl2e") CONSTANT(3, "fldpi") CONSTANT(4, "fldlg2")
        CONSTANT(5, "fldln2") CONSTANT(6, "fldz")
        UNARY(X87_F2XM1, "f2xm1") UNARY(X87_FSQRT, "fsqrt") UNARY(X87_FRNDINT, "frndint") UNARY(X87_FSIN, "fsin") UNARY(X87_FCOS, "fcos")
        BINARY(X87_FPREM1, "fprem1") BINARY(X87_FPREM, "fprem") BINARY(X87_FSCALE, "fscale")
        POPPING(X87_FYL2X, "fyl2x") POPPING(X87_FPATAN, "fpatan") POPPING(X87_FYL2XP1, "fyl2xp1")
        PUSHING(X87_FPTAN, "fptan") PUSHING(X87_FXTRACT, "fxtract") PUSHING(X87_FSINCOS, "fsincos")
    default: bug("no x87 operation %u", op);
    }
    return (uint16_t)sw;
}

static void load_control(uint16_t cw)
{
    __asm__ volatile("fldcw %0" : : "m"(cw));
}

void x87_execute(struct x86_state *s, struct x87_work *w, unsigned op)
{
    bool unmasked = (s->fcw & X87_EXCEPTIONS) != X87_EXCEPTIONS;

    if (unmasked)
        __asm__ volatile("fnclex");
    if (s->fcw != INITIAL)
        load_control(s->fcw);
    w->sw = host(w, op, unmasked);
    if (!unmasked && (w->sw & X87_EXCEPTIONS & ~s->fsw)) {
        __asm__ volatile("fnclex");
        if (s->fcw != INITIAL)
            load_control(s->fcw); /* some operations reset it */
        w->sw = host(w, op, false);
    }
    if (s->fcw != INITIAL)
        load_control(INITIAL);
    if (unmasked) {
        w->trapped = w->sw & ~s->fcw & (X87_IE | X87_DE | X87_ZE);
        s->fsw |= w->sw & X87_EXCEPTIONS;
        x87_summary(s);
    }
    s->fsw = (uint16_t)((s->fsw & ~X87_C1) | (w->sw & X87_C1));
    if (!unmasked)
        s->fsw |= w->sw & X87_EXCEPTIONS;
}

/* --- What programs do most, without work space --- */

static bool as_usual(struct x86_state *s, unsigned sw)
{
    if (sw & X87_EXCEPTIONS & ~s->fsw)
        return false;
    s->fsw = (uint16_t)((s->fsw & ~X87_C1) | (sw & X87_C1));
    return true;
}

#define TWO(op, code)                                                                                                \
    case op:                                                                                                         \
        __asm__ volatile("fldt %[a]\n\tfldt %[b]\n\t.byte 0xde, " code "\n\tfnstsw %%ax\n\tfstpt %[r]"               \
                         : "=a"(sw), [r] "=m"(v) : [a] "m"(*a), [b] "m"(*b));                                        \
        break;

bool x87_quick(struct x86_state *s, struct x86_x87 *r, const struct x86_x87 *a, const struct x86_x87 *b, unsigned op)
{
    struct x86_x87 v;
    unsigned sw;

    if (s->fcw != INITIAL)
        return false;
    switch (op) {
        TWO(X87_ADD, "0xc1") TWO(X87_MUL, "0xc9") TWO(X87_SUB, "0xe9") TWO(X87_SUBR, "0xe1") TWO(X87_DIV, "0xf9") TWO(X87_DIVR, "0xf1")
    default:
        return false;
    }
    if (!as_usual(s, sw))
        return false;
    r->mantissa = v.mantissa;
    r->exponent = v.exponent;
    return true;
}

#define WITH(op, single, double)                                                                                     \
    case op:                                                                                                         \
        if (wide)                                                                                                    \
            __asm__ volatile("fldt %[r]\n\t" double " %[m]\n\tfnstsw %%ax\n\tfstpt %[v]"                             \
                             : "=a"(sw), [v] "=m"(v) : [r] "m"(*r), [m] "m"(*m));                                    \
        else                                                                                                         \
            __asm__ volatile("fldt %[r]\n\t" single " %[m]\n\tfnstsw %%ax\n\tfstpt %[v]"                             \
                             : "=a"(sw), [v] "=m"(v) : [r] "m"(*r), [m] "m"(*m));                                    \
        break;

bool x87_quick_m(struct x86_state *s, struct x86_x87 *r, unsigned op, const uint64_t *m, bool wide)
{
    struct x86_x87 v;
    unsigned sw;

    if (s->fcw != INITIAL)
        return false;
    switch (op) {
        WITH(X87_ADD, "fadds", "faddl") WITH(X87_MUL, "fmuls", "fmull") WITH(X87_SUB, "fsubs", "fsubl")
        WITH(X87_SUBR, "fsubrs", "fsubrl") WITH(X87_DIV, "fdivs", "fdivl") WITH(X87_DIVR, "fdivrs", "fdivrl")
    default:
        return false;
    }
    if (!as_usual(s, sw))
        return false;
    r->mantissa = v.mantissa;
    r->exponent = v.exponent;
    return true;
}

bool x87_quick_store(struct x86_state *s, const struct x86_x87 *a, uint64_t *m, bool wide)
{
    unsigned sw;

    if (s->fcw != INITIAL)
        return false;
    *m = 0;
    if (wide)
        __asm__ volatile("fldt %[a]\n\tfstpl %[m]\n\tfnstsw %%ax" : "=a"(sw), [m] "=m"(*m) : [a] "m"(*a));
    else
        __asm__ volatile("fldt %[a]\n\tfstps %[m]\n\tfnstsw %%ax" : "=a"(sw), [m] "+m"(*m) : [a] "m"(*a));
    return as_usual(s, sw);
}
