/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the registers of a machine's CPU mean for translated code: cpu->mode, and the room in segments (SDM 3A, 3.4, 5.3). */
#include "guest/x86/system_priv.h"

#include "guest/x86/lift.h"

/* --- Segments --- */

static bool is_code(uint32_t attr)
{
    return attr & SEG_CODE;
}

static bool readable(uint32_t attr)
{
    return !is_code(attr) || (attr & SEG_RW);
}

static bool writable(uint32_t attr)
{
    return !is_code(attr) && (attr & SEG_RW);
}

/* Segments that expand down have none: their accesses are looked at one by one (walk.c). */
static uint64_t room(const struct x86_segment *g)
{
    if (!(g->attr & SEG_P) || (!is_code(g->attr) && (g->attr & SEG_CE)))
        return 0;
    return (uint64_t)g->limit + 1;
}

static void update_rooms(struct x86_sys *s)
{
    bool real = !x86_pe(s) || x86_vm(s);

    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        const struct x86_segment *g = &s->u.seg[i];

        s->u.room_r[i] = real || readable(g->attr) ? room(g) : 0;
        s->u.room_w[i] = real || writable(g->attr) ? room(g) : 0;
    }
}

static bool is_flat(const struct x86_sys *s)
{
    for (unsigned i = X86_ES; i <= X86_DS; i++)
        if (s->u.base[i] || s->u.room_r[i] != 1ull << 32 || (i != X86_CS && s->u.room_w[i] != 1ull << 32))
            return false;
    return true;
}

/* --- The mode --- */

static uint32_t code_bits(const struct x86_sys *s)
{
    uint32_t m = 0;

    if (x86_cs64(s))
        return X86_CODE64 | X86_MODE_FLAT | X86_MODE_STACK32;
    if (s->u.seg[X86_CS].attr & SEG_DB)
        m |= X86_CODE32;
    if (s->u.seg[X86_SS].attr & SEG_DB)
        m |= X86_MODE_STACK32;
    return is_flat(s) ? m | X86_MODE_FLAT : m;
}

static uint32_t fp_bits(const struct x86_sys *s)
{
    uint32_t m = 0;

    if (s->cr0 & (CR0_EM | CR0_TS))
        m |= X86_MODE_NO_FPU;
    if ((s->cr0 & CR0_EM) || !(s->cr4 & CR4_OSFXSR))
        m |= X86_MODE_NO_SSE;
    if (s->cr0 & CR0_TS)
        m |= X86_MODE_SSE_NM | (s->cr0 & CR0_MP ? X86_MODE_WAIT_NM : 0);
    if (s->cr0 & CR0_EM)
        m |= X86_MODE_NO_MMX;
    if (!(s->cr4 & CR4_OSXSAVE) || (s->u.xcr0 & 6) != 6 || !x86_pe(s) || x86_vm(s))
        m |= X86_MODE_NO_AVX;
    if ((s->u.mxcsr >> 7 & 0x3f) != 0x3f)
        m |= X86_MODE_FP_SLOW;
    if ((s->u.fcw & 0x3f) != 0x3f)
        m |= X86_MODE_X87_SLOW;
    return m;
}

void x86_update_mode(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    uint32_t fl = s->u.eflags, m = X86_MODE_SYSTEM | s->u.features << X86_MODE_FEATURES;

    update_rooms(s);
    s->u.fast_fxsr = s->efer & EFER_FFXSR;
    m |= code_bits(s) | fp_bits(s) | (uint32_t)s->cpl << X86_MODE_CPL;
    if (x86_pe(s))
        m |= X86_MODE_PE | (fl & X86_FL_VM ? X86_MODE_VM : 0);
    if (x86_lma(s))
        m |= X86_MODE_LMA;
    if (s->cr0 & CR0_PG)
        m |= X86_MODE_PG;
    if (s->cpl == 3 && (s->cr0 & CR0_AM) && (fl & X86_FL_AC))
        m |= X86_MODE_AC;
    if (s->cpl < 3 && (s->cr4 & CR4_SMAP) && !(fl & X86_FL_AC))
        m |= X86_MODE_SMAP;
    if ((s->cr4 & CR4_UMIP) && s->cpl)
        m |= X86_MODE_UMIP;
    if (s->smm)
        m |= X86_MODE_SMM;
    if (x86_guest(s))
        m |= X86_MODE_GUEST;
    if (m != cpu->mode)
        cpu_set_mode(cpu, m);
}

void x86_leave(struct cpu *cpu, uint64_t pc)
{
    cpu->pc = pc;
    if (cpu->stop == CPU_STOP_NONE)
        cpu->stop = CPU_STOP_AGAIN;
}

void x86_set_ip(struct cpu *cpu, uint64_t ip)
{
    struct x86_sys *s = x86s(cpu);

    x86_leave(cpu, x86_cs64(s) ? ip : (uint32_t)(s->u.base[X86_CS] + (uint32_t)ip));
}

bool x86_fault(struct cpu *cpu, unsigned vector, uint32_t error)
{
    cpu->stop = CPU_STOP_GUEST;
    cpu->detail = x86_detail(X86_STOP_EXCEPTION, vector, error, 0);
    return false;
}
