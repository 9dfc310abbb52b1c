/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x87 stack, and the helpers that its instructions call (SDM 1, chapter 8; SDM 2).  Registers that are empty or full where they must
 * not be are found here, what is computed comes from x87_host.c.
 */
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"
#include "guest/x86/x87_host.h"

#include <stddef.h>
#include <string.h>

static const struct x86_x87 indefinite = {.mantissa = 0xc000000000000000, .exponent = 0xffff};

/* --- What a host with such a unit does in line --- */

static const uint8_t kinds[] = {
    [X86_HELP_x87_load] = IR_X87_LOAD, [X86_HELP_x87_load80] = IR_X87_LOAD80, [X86_HELP_x87_push] = IR_X87_PUSH,
    [X86_HELP_x87_const] = IR_X87_CONST, [X86_HELP_x87_store] = IR_X87_STORE, [X86_HELP_x87_store80] = IR_X87_STORE80,
    [X86_HELP_x87_high] = IR_X87_HIGH, [X86_HELP_x87_pop] = IR_X87_POP, [X86_HELP_x87_store_st] = IR_X87_COPY,
    [X86_HELP_x87_arith] = IR_X87_ARITH, [X86_HELP_x87_arith_m] = IR_X87_ARITH_M, [X86_HELP_x87_compare] = IR_X87_COMPARE,
    [X86_HELP_x87_compare_m] = IR_X87_COMPARE_M, [X86_HELP_x87_sign] = IR_X87_SIGN, [X86_HELP_x87_xch] = IR_X87_XCH,
    [X86_HELP_x87_function] = IR_X87_FUNCTION, [X86_HELP_x87_status] = IR_X87_STATUS, [X86_HELP_x87_control] = IR_X87_CONTROL,
};

#define AT(field) (uint32_t)(offsetof(struct cpu, guest) + offsetof(struct x86_state, field))

const struct ir_x87 x86_x87_unit = {
    .reg = AT(fpr), .fcw = AT(fcw), .fsw = AT(fsw), .top = AT(ftop), .full = AT(ftag), .high = AT(aux[0]),
    .kind = kinds, .n_kinds = sizeof(kinds),
};

/* --- The stack --- */

static struct x86_x87 *st(struct x86_state *s, unsigned i)
{
    return &s->fpr[(s->ftop + i) & 7];
}

static bool is_empty(const struct x86_state *s, unsigned i)
{
    return !(s->ftag >> ((s->ftop + i) & 7) & 1);
}

static void put(struct x86_state *s, unsigned i, const struct x86_x87 *v)
{
    struct x86_x87 *r = st(s, i);

    r->mantissa = v->mantissa;
    r->exponent = v->exponent;
    s->ftag |= (uint8_t)(1u << ((s->ftop + i) & 7));
}

static void pop(struct x86_state *s)
{
    s->ftag &= (uint8_t)~(1u << s->ftop);
    s->ftop = (s->ftop + 1) & 7;
}

static void clear_c1(struct x86_state *s)
{
    s->fsw &= (uint16_t)~X87_C1;
}

/* Invalid: a stack fault.  True: it is masked, an indefinite value takes the place of the result. */
static bool stack_fault(struct x86_state *s, bool overflow)
{
    s->fsw = (uint16_t)((s->fsw & ~X87_C1) | X87_IE | X87_SF | (overflow ? X87_C1 : 0));
    x87_summary(s);
    return s->fcw & X87_IE;
}

static void push(struct x86_state *s, const struct x86_x87 *v)
{
    if (!is_empty(s, 7)) {
        if (!stack_fault(s, true))
            return;
        v = &indefinite;
    }
    s->ftop = (s->ftop - 1) & 7;
    put(s, 0, v);
}

/* --- Loads and stores --- */

/* What is exact and raises nothing needs no unit: integers, and floats but denormals and NaNs. */
static bool widened(unsigned type, uint64_t bits, struct x86_x87 *v)
{
    unsigned e = type == X87_M64 ? bits >> 52 & 0x7ff : bits >> 23 & 0xff;
    int64_t n = type == X87_I64 ? (int64_t)bits : type == X87_I32 ? (int32_t)bits : (int16_t)bits;
    unsigned shift;

    switch (type) {
    case X87_M64:
        v->mantissa = 1ull << 63 | bits << 11;
        v->exponent = (uint16_t)((bits >> 48 & 0x8000) | (e + 16383 - 1023));
        return e && e != 0x7ff;
    case X87_M32:
        v->mantissa = 1ull << 63 | (bits & 0x7fffff) << 40;
        v->exponent = (uint16_t)((bits >> 16 & 0x8000) | (e + 16383 - 127));
        return e && e != 0xff;
    case X87_BCD:
        return false;
    default:
        if (!n) {
            v->mantissa = v->exponent = 0;
            return true;
        }
        v->mantissa = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
        shift = (unsigned)__builtin_clzll(v->mantissa);
        v->mantissa <<= shift;
        v->exponent = (uint16_t)((n < 0 ? 0x8000 : 0) | (16383 + 63 - shift));
        return true;
    }
}

uint64_t x86_help_x87_load(struct cpu *cpu, uint64_t type, uint64_t bits, uint64_t high)
{
    struct x86_state *s = x86(cpu);
    struct x87_work w;
    struct x86_x87 v;

    clear_c1(s);
    if (widened((unsigned)type, bits, &v) || !is_empty(s, 7)) {
        push(s, &v);
        return 0;
    }
    w.m = (struct x86_x87){bits, (uint16_t)high, {0}};
    w.trapped = false;
    x87_execute(s, &w, X87_LOAD + (unsigned)type);
    if (!(w.sw & ~s->fcw & X87_IE)) /* a denormal is loaded even if that is unmasked */
        push(s, &w.r);
    return 0;
}

uint64_t x86_help_x87_load80(struct cpu *cpu, uint64_t mantissa, uint64_t exponent, uint64_t c)
{
    struct x86_x87 v = {mantissa, (uint16_t)exponent, {0}};

    clear_c1(x86(cpu));
    push(x86(cpu), &v);
    return 0;
}

uint64_t x86_help_x87_push(struct cpu *cpu, uint64_t i, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    struct x86_x87 v = *st(s, (unsigned)i);

    clear_c1(s);
    if (!is_empty(s, (unsigned)i)) {
        push(s, &v);
    } else if (stack_fault(s, false)) { /* before it is known whether there is room */
        s->ftop = (s->ftop - 1) & 7;
        put(s, 0, &indefinite);
    }
    return 0;
}

uint64_t x86_help_x87_const(struct cpu *cpu, uint64_t n, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    struct x87_work w = {0};

    clear_c1(s);
    x87_execute(s, &w, X87_CONST + (unsigned)n);
    push(s, &w.r);
    return 0;
}

/* What is stored when a stack fault or an invalid operand is masked. */
static void store_indefinite(struct x87_work *w, unsigned type)
{
    static const uint64_t values[] = {
        [X87_M32] = 0xffc00000, [X87_I32] = 0x80000000, [X87_M64] = 0xfff8000000000000, [X87_I16] = 0x8000,
        [X87_I64] = 0x8000000000000000, [X87_BCD] = 0xc000000000000000,
    };

    w->m.mantissa = values[type];
    w->m.exponent = 0xffff;
}

/* The bits to be stored; those above the eighth byte are left for x87_high.  Not stored: X87_KEPT is set there. */
uint64_t x86_help_x87_store(struct cpu *cpu, uint64_t type, uint64_t trunc, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    struct x87_work w;
    unsigned op = (unsigned)type;

    s->aux[1] = 0;
    if ((op == X87_M64 || op == X87_M32) && !is_empty(s, 0) && x87_quick_store(s, st(s, 0), &w.m.mantissa, op == X87_M64))
        return w.m.mantissa;
    w = (struct x87_work){.a = *st(s, 0)};
    if (is_empty(s, 0)) {
        s->aux[1] = stack_fault(s, false) ? 0 : X87_KEPT;
        store_indefinite(&w, op);
    } else {
        x87_execute(s, &w, (trunc ? X87_STORE_TRUNC : X87_STORE) + op);
        if (w.trapped || (w.sw & ~s->fcw & (X87_OE | X87_UE) && (op == X87_M32 || op == X87_M64)))
            s->aux[1] = X87_KEPT;
    }
    s->aux[0] = w.m.exponent;
    return w.m.mantissa;
}

uint64_t x86_help_x87_store80(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    const struct x86_x87 *v = st(s, 0);

    clear_c1(s);
    s->aux[1] = 0;
    if (is_empty(s, 0)) {
        s->aux[1] = stack_fault(s, false) ? 0 : X87_KEPT;
        v = &indefinite;
    }
    s->aux[0] = v->exponent;
    return v->mantissa;
}

uint64_t x86_help_x87_high(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return x86(cpu)->aux[0];
}

uint64_t x86_help_x87_kept(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return x86(cpu)->aux[1];
}

/* After a store that pops. */
uint64_t x86_help_x87_pop(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);

    if (s->aux[1] != X87_KEPT)
        pop(s);
    return 0;
}

uint64_t x86_help_x87_store_st(struct cpu *cpu, uint64_t i, uint64_t pops, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    struct x86_x87 v = *st(s, 0);

    clear_c1(s);
    if (is_empty(s, 0)) {
        if (!stack_fault(s, false))
            return 0;
        v = indefinite;
    }
    put(s, (unsigned)i, &v);
    if (pops)
        pop(s);
    return 0;
}

/* --- Arithmetic --- */

uint64_t x86_help_x87_arith(struct cpu *cpu, uint64_t op, uint64_t i, uint64_t how)
{
    struct x86_state *s = x86(cpu);
    unsigned to = how & X87_TO_I ? (unsigned)i : 0;
    struct x87_work w;

    if (is_empty(s, 0) || is_empty(s, (unsigned)i)) {
        if (!stack_fault(s, false))
            return 0;
        put(s, to, &indefinite);
    } else if (!x87_quick(s, st(s, to), st(s, 0), st(s, (unsigned)i), (unsigned)op)) {
        w.a = *st(s, 0);
        w.b = *st(s, (unsigned)i);
        w.trapped = false;
        x87_execute(s, &w, (unsigned)op);
        if (w.trapped)
            return 0;
        put(s, to, &w.r);
    }
    if (how & X87_POP)
        pop(s);
    return 0;
}

uint64_t x86_help_x87_arith_m(struct cpu *cpu, uint64_t op, uint64_t type, uint64_t bits)
{
    struct x86_state *s = x86(cpu);
    struct x87_work w;

    if (is_empty(s, 0)) {
        if (!stack_fault(s, false))
            return 0;
        w.r = indefinite;
    } else if ((type == X87_M64 || type == X87_M32) && x87_quick_m(s, st(s, 0), (unsigned)op, &bits, type == X87_M64)) {
        return 0;
    } else {
        w.a = *st(s, 0);
        w.m.mantissa = bits;
        w.trapped = false;
        x87_execute(s, &w, X87_MEM + (unsigned)op + 8 * (unsigned)type);
        if (w.trapped)
            return 0;
    }
    put(s, 0, &w.r);
    return 0;
}

/* Instructions D9 F0 to FF that compute. */
uint64_t x86_help_x87_function(struct cpu *cpu, uint64_t n, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    unsigned op = X87_F2XM1 + (unsigned)n;
    bool two = op == X87_FYL2X || op == X87_FPATAN || op == X87_FPREM1 || op == X87_FPREM || op == X87_FYL2XP1 || op == X87_FSCALE;
    bool pushes = op == X87_FPTAN || op == X87_FXTRACT || op == X87_FSINCOS;
    bool pops = op == X87_FYL2X || op == X87_FPATAN || op == X87_FYL2XP1;
    bool reduces = op == X87_FPREM || op == X87_FPREM1, limited = pushes ? op != X87_FXTRACT : op == X87_FSIN || op == X87_FCOS;
    struct x87_work w = {.a = *st(s, 0), .b = *st(s, 1)};

    if (is_empty(s, 0) || (two && is_empty(s, 1)) || (pushes && !is_empty(s, 7))) {
        if (limited || reduces)
            s->fsw &= (uint16_t)~X87_C2;
        if (!stack_fault(s, !is_empty(s, 0) && pushes))
            return 0;
        w.r = w.r2 = indefinite;
    } else {
        x87_execute(s, &w, op);
        if (reduces && (w.trapped || (w.r.exponent & 0x7fff) == 0x7fff)) /* no quotient */
            s->fsw &= (uint16_t)~(X87_C1 | X87_C2);
        else if (reduces)
            s->fsw = (uint16_t)((s->fsw & ~X87_CC) | (w.sw & X87_CC));
        else if (limited)
            s->fsw = (uint16_t)((s->fsw & ~X87_C2) | (w.sw & X87_C2));
        if (w.trapped || (limited && w.sw & X87_C2))
            return 0;
    }
    if (pops)
        pop(s);
    put(s, 0, &w.r);
    if (pushes) {
        s->ftop = (s->ftop - 1) & 7;
        put(s, 0, &w.r2);
    }
    return 0;
}

/* FCHS, FABS: @sign xor, @keep and. */
uint64_t x86_help_x87_sign(struct cpu *cpu, uint64_t negate, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    struct x86_x87 v = *st(s, 0);

    clear_c1(s);
    if (is_empty(s, 0)) {
        if (!stack_fault(s, false))
            return 0;
        v = indefinite;
    } else {
        v.exponent = negate ? v.exponent ^ 0x8000 : v.exponent & 0x7fff;
    }
    put(s, 0, &v);
    return 0;
}

/* --- Comparisons: C3, C2 and C0, also as ZF, PF and CF --- */

/* They are set whatever is raised; registers are popped only when nothing is that is unmasked. */
static uint64_t compared(struct x86_state *s, struct x87_work *w, bool empty, unsigned op, uint64_t how)
{
    unsigned cc = X87_C0 | X87_C2 | X87_C3;
    bool done;

    if (empty) {
        done = stack_fault(s, false);
    } else {
        unsigned c1 = how & X87_TO_FLAGS ? s->fsw & X87_C1 : 0; /* FCOMI leaves it alone */

        x87_execute(s, w, op);
        cc = w->sw & cc;
        s->fsw = (uint16_t)((s->fsw & ~X87_C1) | c1);
        done = !w->trapped;
    }
    if (!(how & X87_TO_FLAGS))
        s->fsw = (uint16_t)((s->fsw & ~(X87_C0 | X87_C2 | X87_C3)) | cc);
    if (done && how & (X87_POP | X87_POP2))
        pop(s);
    if (done && how & X87_POP2)
        pop(s);
    return (cc & X87_C0 ? X86_FL_CF : 0) | (cc & X87_C2 ? X86_FL_PF : 0) | (cc & X87_C3 ? X86_FL_ZF : 0);
}

uint64_t x86_help_x87_compare(struct cpu *cpu, uint64_t op, uint64_t i, uint64_t how)
{
    struct x86_state *s = x86(cpu);
    struct x87_work w = {.a = *st(s, 0), .b = *st(s, (unsigned)i)};

    return compared(s, &w, is_empty(s, 0) || (op != X87_TST && is_empty(s, (unsigned)i)), (unsigned)op, how);
}

uint64_t x86_help_x87_compare_m(struct cpu *cpu, uint64_t op, uint64_t type, uint64_t bits)
{
    struct x86_state *s = x86(cpu);
    struct x87_work w = {.a = *st(s, 0), .m = {bits, 0, {0}}};

    return compared(s, &w, is_empty(s, 0), X87_MEM + X87_COM + 8 * (unsigned)type, op == X87_COMP ? X87_POP : 0);
}

uint64_t x86_help_x87_xam(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    const struct x86_x87 *v = st(s, 0);
    unsigned e = v->exponent & 0x7fff, cc = v->exponent & 0x8000 ? X87_C1 : 0;
    bool integer = v->mantissa >> 63;

    if (is_empty(s, 0))
        cc |= X87_C3 | X87_C0;
    else if (e == 0x7fff && integer)
        cc |= v->mantissa << 1 ? X87_C0 : X87_C2 | X87_C0;
    else if (e == 0)
        cc |= v->mantissa ? X87_C3 | X87_C2 : X87_C3;
    else if (integer)
        cc |= X87_C2; /* normal; without the bit: unsupported, none */
    s->fsw = (uint16_t)((s->fsw & ~X87_CC) | cc);
    return 0;
}

/* --- Moves within the stack --- */

uint64_t x86_help_x87_xch(struct cpu *cpu, uint64_t i, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    struct x86_x87 x = *st(s, 0), y = *st(s, (unsigned)i);

    clear_c1(s);
    if (is_empty(s, 0) || is_empty(s, (unsigned)i)) {
        if (!stack_fault(s, false))
            return 0;
        if (is_empty(s, 0))
            x = indefinite;
        if (is_empty(s, (unsigned)i))
            y = indefinite;
    }
    put(s, 0, &y);
    put(s, (unsigned)i, &x);
    return 0;
}

uint64_t x86_help_x87_cmov(struct cpu *cpu, uint64_t i, uint64_t yes, uint64_t c)
{
    struct x86_state *s = x86(cpu);

    if (is_empty(s, 0) || is_empty(s, (unsigned)i)) {
        if (stack_fault(s, false))
            put(s, 0, &indefinite);
        return 0;
    }
    if (yes & 1)
        put(s, 0, &(struct x86_x87){st(s, (unsigned)i)->mantissa, st(s, (unsigned)i)->exponent, {0}});
    return 0;
}

uint64_t x86_help_x87_free(struct cpu *cpu, uint64_t i, uint64_t pops, uint64_t c)
{
    struct x86_state *s = x86(cpu);

    clear_c1(s);
    s->ftag &= (uint8_t)~(1u << ((s->ftop + i) & 7));
    if (pops)
        pop(s);
    return 0;
}

uint64_t x86_help_x87_rotate(struct cpu *cpu, uint64_t by, uint64_t b, uint64_t c)
{
    clear_c1(x86(cpu));
    x86(cpu)->ftop = (x86(cpu)->ftop + by) & 7;
    return 0;
}

/* --- Control --- */

void x87_mode(struct cpu *cpu)
{
    struct x86_state *s = x86(cpu);
    uint32_t mode;

    s->fcw = (s->fcw & 0x1f3f) | 0x40;
    x87_summary(s);
    mode = (s->fcw & X87_EXCEPTIONS) != X87_EXCEPTIONS ? X86_MODE_X87_SLOW : 0;
    if ((cpu->mode & X86_MODE_X87_SLOW) != mode)
        cpu_set_mode(cpu, (cpu->mode & ~(uint32_t)X86_MODE_X87_SLOW) | mode);
}

void x87_new_mode(struct cpu *cpu, uint64_t next)
{
    uint32_t old = cpu->mode;

    x87_mode(cpu);
    if (cpu->mode != old) {
        cpu->pc = next;
        cpu->stop = CPU_STOP_AGAIN;
    }
}

uint64_t x86_help_x87_status(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return (uint64_t)(x86(cpu)->fsw | x86(cpu)->ftop << 11);
}

uint64_t x86_help_x87_control(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return x86(cpu)->fcw;
}

uint64_t x86_help_x87_ldcw(struct cpu *cpu, uint64_t v, uint64_t next, uint64_t c)
{
    x86(cpu)->fcw = (uint16_t)v;
    x87_new_mode(cpu, next);
    return 0;
}

uint64_t x86_help_x87_clear(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    x86(cpu)->fsw &= X87_CC;
    x86(cpu)->ignne = false;
    return 0;
}

uint64_t x86_help_x87_init(struct cpu *cpu, uint64_t next, uint64_t b, uint64_t c)
{
    x86_fninit(cpu);
    x87_new_mode(cpu, next);
    return 0;
}

/* What waits for pending exceptions: #MF (SDM 1, 8.6). */
uint64_t x86_help_x87_wait(struct cpu *cpu, uint64_t len, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);

    if (!(s->fsw & X87_ES)) {
        s->ignne = false;
    } else if (!s->ignne) {
        cpu->stop = CPU_STOP_GUEST;
        cpu->detail = x86_detail(X86_STOP_EXCEPTION, X86_EXC_MF, 0, (unsigned)len);
    }
    return 0;
}
