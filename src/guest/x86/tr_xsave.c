/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FXSAVE, FXRSTOR and the XSAVE family (SDM 1, 10.5 and 13.5 to 13.13; SDM 2).  The images are fpstate.c's; AVX
 * state lies at the same place in both formats, for there is nothing before it.
 */
#include "guest/x86/lift.h"
#include "guest/x86/system_priv.h"

#include "cpu/engine.h"

#include <string.h>

enum { KIND_FXSAVE, KIND_XSAVE, KIND_XSAVEC, KIND_XSAVES, KIND_CODE64 = 8, KIND_WIDE = 16, KIND_OPT = 32 };
enum { HEADER = 512, HEADER_BYTES = 64, MXCSR_AT = 24, XMM_AT = 160, PKRU_AT = 0xa80,
       ALL = X86_STATE_X87 | X86_STATE_SSE | X86_STATE_AVX | X86_STATE_PKRU };
#define COMPACT (1ull << 63)
#define MXCSR_INIT 0x1f80u

/* --- Bytes of memory, sixteen at a time --- */

static bool put(struct cpu *cpu, uint64_t addr, const uint8_t *image, unsigned from, unsigned to)
{
    union ir_u v;

    for (; from < to; from += 16) {
        memcpy(&v, image + from, 16);
        if (!cpu_store(cpu, addr + from, 4, &v))
            return false;
    }
    return true;
}

static bool get(struct cpu *cpu, uint64_t addr, uint8_t *image, unsigned from, unsigned to)
{
    union ir_u v;

    for (; from < to; from += 16) {
        if (!cpu_load(cpu, addr + from, 4, &v))
            return false;
        memcpy(image + from, &v, 16);
    }
    return true;
}

static bool without_xmm(struct cpu *cpu, uint64_t kind)
{
    return x86(cpu)->fast_fxsr && (kind & KIND_CODE64) && x86_cpl(cpu->mode) == 0;
}

static unsigned xmm_end(uint64_t kind)
{
    return kind & KIND_CODE64 ? XMM_AT + 256 : XMM_AT + 128;
}

static uint64_t asked(const struct x86_state *s)
{
    return (s->r[X86_DX] << 32 | (uint32_t)s->r[X86_AX]) & s->xcr0 & ALL;
}

/* FIP and FDP have 64 bits with REX.W; XMM8 and on are there in 64-bit code. */
static void make_image(struct cpu *cpu, uint8_t *image, uint64_t kind)
{
    x86_put_fxsave(cpu, image, X86_STATE_X87, kind & KIND_WIDE);
    x86_put_fxsave(cpu, image, X86_STATE_SSE, kind & KIND_CODE64);
    memcpy(image + X86_XSAVE_AVX, x86(cpu)->ymmh, 256);
}

/* Where PKRU is: in the compacted form, of the components @parts, right behind what comes before it. */
static uint64_t pkru_at(uint64_t parts, bool compact)
{
    return !compact ? PKRU_AT : X86_XSAVE_AVX + (parts & X86_STATE_AVX ? 256 : 0);
}

/* --- Saving --- */

static bool put_x87(struct cpu *cpu, uint64_t addr, uint8_t *image, bool keep_mxcsr)
{
    uint8_t old[32];

    if (keep_mxcsr) { /* XSAVE of x87 state alone leaves MXCSR's bytes as they are */
        if (!get(cpu, addr, old, 16, 32))
            return false;
        memcpy(image + MXCSR_AT, old + MXCSR_AT, 8);
    }
    return put(cpu, addr, image, 0, XMM_AT);
}

static uint64_t fxsave(struct cpu *cpu, uint64_t addr, uint64_t kind)
{
    uint8_t image[X86_XSAVE_BYTES] = {0};

    make_image(cpu, image, kind);
    if (cpu_writable(cpu, addr, X86_FXSAVE_BYTES) && put_x87(cpu, addr, image, false) && !without_xmm(cpu, kind))
        put(cpu, addr, image, XMM_AT, xmm_end(kind));
    return 0;
}

static bool any(const void *p, size_t n)
{
    const uint8_t *b = p;

    return b[0] || memcmp(b, b + 1, n - 1) != 0;
}

/* The components that are not in their initial state (SDM 1, 13.6); x87 state counts as changed, as the processors do it, and so does SSE
 * state with another MXCSR than the initial one. */
static uint64_t in_use(struct cpu *cpu, bool code64)
{
    const struct x86_state *s = x86(cpu);
    size_t n = code64 ? 256 : 128;

    return X86_STATE_X87 | (any(s->xmm, n) || x86_get_mxcsr(cpu) != MXCSR_INIT ? X86_STATE_SSE : 0) |
           (any(s->ymmh, n) ? X86_STATE_AVX : 0) | (s->pkru ? X86_STATE_PKRU : 0);
}

uint64_t x86_state_in_use(struct cpu *cpu)
{
    return x86(cpu)->xcr0 & in_use(cpu, x86_code(cpu->mode) == X86_CODE64);
}

/* Nothing is written unless everything can be; not only what @what needs of the first part is asked for. */
static bool area_writable(struct cpu *cpu, uint64_t addr, uint64_t what, bool compact)
{
    unsigned n = what & X86_STATE_AVX ? X86_XSAVE_BYTES : X86_XSAVE_AVX;

    return cpu_writable(cpu, addr, n) && (!(what & X86_STATE_PKRU) || cpu_writable(cpu, addr + pkru_at(what, compact), 8));
}

/* @what is asked for; @used of it is not in its initial state.  XSAVEC's form has MXCSR with SSE state only. */
static bool put_parts(struct cpu *cpu, uint64_t addr, uint8_t *image, uint64_t what, uint64_t used, uint64_t kind)
{
    bool compact = (kind & 3) >= KIND_XSAVEC;
    uint64_t asked_for = what, with_mxcsr = compact ? X86_STATE_SSE : X86_STATE_SSE | X86_STATE_AVX;
    uint32_t mxcsr[2];

    if (compact || (kind & KIND_OPT)) {
        what &= used;
        with_mxcsr &= compact ? what : asked_for;
    } else {
        with_mxcsr &= what;
    }

    memcpy(mxcsr, image + MXCSR_AT, 8);
    if ((what & X86_STATE_X87) && !put_x87(cpu, addr, image, !with_mxcsr))
        return false;
    if (!(what & X86_STATE_X87) && with_mxcsr) {
        union ir_u v = {.s = {mxcsr[0], mxcsr[1]}};

        if (!cpu_store(cpu, addr + MXCSR_AT, 3, &v))
            return false;
    }
    if ((what & X86_STATE_SSE) && !put(cpu, addr, image, XMM_AT, xmm_end(kind)))
        return false;
    if ((what & X86_STATE_AVX) && !put(cpu, addr, image, X86_XSAVE_AVX, X86_XSAVE_AVX + (kind & KIND_CODE64 ? 256 : 128)))
        return false;
    if (what & X86_STATE_PKRU) {
        union ir_u v = {.d = {x86(cpu)->pkru}};

        return cpu_store(cpu, addr + pkru_at(asked_for, compact), 3, &v);
    }
    return true;
}

static uint64_t xsave(struct cpu *cpu, uint64_t addr, uint64_t kind, uint64_t what)
{
    uint8_t image[X86_XSAVE_BYTES] = {0};
    uint64_t used = what & in_use(cpu, kind & KIND_CODE64);
    union ir_u header = {.d = {used, what | COMPACT}};
    bool compact = (kind & 3) >= KIND_XSAVEC;

    make_image(cpu, image, kind);
    if (!area_writable(cpu, addr, what, compact) || !put_parts(cpu, addr, image, what, used, kind))
        return 0;
    if (compact) {
        cpu_store(cpu, addr + HEADER, 4, &header);
    } else {
        union ir_u bv;

        if (!cpu_load(cpu, addr + HEADER, 3, &bv))
            return 0;
        bv.d[0] = (bv.d[0] & ~what) | used;
        cpu_store(cpu, addr + HEADER, 3, &bv);
    }
    return 0;
}

/* What forbids them, in the order of the exceptions; true: it is raised.  CR0.EM and CR4.OSFXSR do not matter. */
static bool forbidden(struct cpu *cpu, uint64_t addr, uint64_t kind)
{
    bool system = cpu->mode & X86_MODE_SYSTEM, plain = (kind & 3) == KIND_FXSAVE;

    if (!plain && system && !(x86s(cpu)->cr4 & CR4_OSXSAVE))
        x86_throw(cpu, X86_EXC_UD, 0);
    else if (!plain && system && (x86s(cpu)->cr0 & CR0_TS))
        x86_throw(cpu, X86_EXC_NM, 0);
    else if (((kind & 3) == KIND_XSAVES && x86_cpl(cpu->mode)) || addr & (plain ? 15 : 63))
        x86_throw(cpu, X86_EXC_GP, 0);
    else
        return false;
    return true;
}

/* @a: the address; @b: KIND_. */
uint64_t x86_help_xsave(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    bool plain = (b & 3) == KIND_FXSAVE;

    if (forbidden(cpu, a, b))
        return 0;
    return plain ? fxsave(cpu, a, b) : xsave(cpu, a, b, asked(x86(cpu)));
}

/* --- Restoring --- */

static void clear(struct cpu *cpu, uint64_t what, uint64_t kind)
{
    size_t n = kind & KIND_CODE64 ? 256 : 128;

    if (what & X86_STATE_X87)
        x86_fninit(cpu);
    if (what & X86_STATE_SSE)
        memset(x86(cpu)->xmm, 0, n);
    if (what & X86_STATE_AVX)
        memset(x86(cpu)->ymmh, 0, n);
}

static bool bad_mxcsr(const uint8_t *image)
{
    uint32_t v;

    memcpy(&v, image + MXCSR_AT, 4);
    return v >> 16;
}

/* The parts @what from @image, whose MXCSR is right. */
static void take(struct cpu *cpu, const uint8_t *image, uint64_t what, uint64_t kind)
{
    if (what & X86_STATE_X87)
        x86_get_fxsave(cpu, image, X86_STATE_X87, kind & KIND_WIDE);
    if (what & X86_STATE_SSE)
        memcpy(x86(cpu)->xmm, image + XMM_AT, kind & KIND_CODE64 ? 256 : 128);
    if (what & X86_STATE_AVX)
        memcpy(x86(cpu)->ymmh, image + X86_XSAVE_AVX, kind & KIND_CODE64 ? 256 : 128);
}

static void take_mxcsr(struct cpu *cpu, const uint8_t *image)
{
    uint32_t v;

    memcpy(&v, image + MXCSR_AT, 4);
    x86_set_mxcsr(cpu, v);
}

static void set_pkru(struct cpu *cpu, uint32_t v)
{
    if (x86(cpu)->pkru != v && cpu->memory) {
        x86(cpu)->pkru = v;
        cpu->memory->flush(cpu);
    }
}

static uint64_t fxrstor(struct cpu *cpu, uint64_t addr, uint64_t kind)
{
    uint8_t image[X86_XSAVE_BYTES];

    if (!get(cpu, addr, image, 0, xmm_end(kind)))
        return 0;
    if (bad_mxcsr(image))
        return x86_throw(cpu, X86_EXC_GP, 0);
    take(cpu, image, without_xmm(cpu, kind) ? X86_STATE_X87 : X86_STATE_X87 | X86_STATE_SSE, kind);
    take_mxcsr(cpu, image);
    return 0;
}

/* What the header may say (SDM 1, 13.8.1 and 13.8.2). */
static bool header_is_good(const struct x86_state *s, const uint64_t h[8], bool may_be_compact)
{
    uint64_t known = s->xcr0 & ALL;

    if ((h[1] & COMPACT) && (!may_be_compact || (h[1] & ~(COMPACT | known)) || (h[0] & ~h[1])))
        return false;
    if (!(h[1] & COMPACT) && ((h[0] & ~known) || h[1]))
        return false;
    for (int i = 2; i < (h[1] & COMPACT ? 8 : 3); i++)
        if (h[i])
            return false;
    return true;
}

static uint64_t xrstor(struct cpu *cpu, uint64_t addr, uint64_t kind, uint64_t what)
{
    uint8_t image[X86_XSAVE_BYTES] = {0};
    bool may_be_compact = x86_has(x86_features_of(cpu->mode), X86_FEAT_XSAVEC), compact;
    union ir_u pkru = {.d = {0}};
    uint64_t h[8], from;

    if (!get(cpu, addr, image, HEADER, HEADER + HEADER_BYTES))
        return 0;
    memcpy(h, image + HEADER, sizeof(h));
    compact = h[1] & COMPACT;
    if (!header_is_good(x86(cpu), h, may_be_compact) || (!compact && (kind & 3) == KIND_XSAVES))
        return x86_throw(cpu, X86_EXC_GP, 0);
    from = what & h[0];
    if (!get(cpu, addr, image, 0, XMM_AT) || ((from & X86_STATE_SSE) && !get(cpu, addr, image, XMM_AT, xmm_end(kind))) ||
        ((from & X86_STATE_AVX) && !get(cpu, addr, image, X86_XSAVE_AVX, X86_XSAVE_AVX + (kind & KIND_CODE64 ? 256 : 128))))
        return 0;
    if ((from & X86_STATE_PKRU) && !cpu_load(cpu, addr + pkru_at(h[1], compact), 3, &pkru))
        return 0;
    if (compact ? from & X86_STATE_SSE : what & (X86_STATE_SSE | X86_STATE_AVX)) {
        if (bad_mxcsr(image))
            return x86_throw(cpu, X86_EXC_GP, 0);
        take_mxcsr(cpu, image);
    } else if (compact && (what & X86_STATE_SSE)) {
        x86_set_mxcsr(cpu, MXCSR_INIT);
    }
    clear(cpu, what & ~from, kind);
    take(cpu, image, from, kind);
    if (what & X86_STATE_PKRU)
        set_pkru(cpu, pkru.s[0]);
    return 0;
}

uint64_t x86_help_xrstor(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    bool plain = (b & 3) == KIND_FXSAVE;

    if (forbidden(cpu, a, b))
        return 0;
    return plain ? fxrstor(cpu, a, b) : xrstor(cpu, a, b, asked(x86(cpu)));
}

/* --- Lifting --- */

static void call(struct x86_tr *t, enum x86_helper helper, unsigned kind, bool write)
{
    unsigned size = kind == KIND_FXSAVE ? X86_FXSAVE_BYTES : X86_XSAVE_BYTES;

    kind |= (x86_is64(t) ? KIND_CODE64 : 0) | (t->i->w && x86_is64(t) ? KIND_WIDE : 0);
    ir_call(t->ir, helper, x86_mem(t, size, write), x86_const64(t, kind), IR_NONE);
}

void tr_x86_fxsave(struct x86_tr *t)
{
    call(t, X86_HELP_xsave, KIND_FXSAVE, true);
}

void tr_x86_xsave(struct x86_tr *t)
{
    call(t, X86_HELP_xsave, KIND_XSAVE, true);
}

/* It leaves out what is in its initial state, but not what was not changed since the last XRSTOR, as it may (SDM 1, 13.9). */
void tr_x86_xsaveopt(struct x86_tr *t)
{
    call(t, X86_HELP_xsave, KIND_XSAVE | KIND_OPT, true);
}

void tr_x86_xsavec(struct x86_tr *t)
{
    call(t, X86_HELP_xsave, KIND_XSAVEC, true);
}

/* MXCSR is part of the mode. */
void tr_x86_fxrstor(struct x86_tr *t)
{
    call(t, X86_HELP_xrstor, KIND_FXSAVE, false);
    x86_again(t);
}

void tr_x86_xrstor(struct x86_tr *t)
{
    call(t, X86_HELP_xrstor, KIND_XSAVE, false);
    x86_again(t);
}

/* There is no supervisor state (IA32_XSS allows none): XSAVES is XSAVEC, XRSTORS takes its format only (SDM 1, 13.11 and 13.12). */
void tr_x86_xsaves(struct x86_tr *t)
{
    call(t, X86_HELP_xsave, KIND_XSAVES, true);
}

void tr_x86_xrstors(struct x86_tr *t)
{
    call(t, X86_HELP_xrstor, KIND_XSAVES, false);
    x86_again(t);
}
