/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What system instructions do: helpers of translated code (system_helpers.def; SDM 2).  pc is at the instruction while they run. */
#include "guest/x86/lift.h"
#include "guest/x86/models.h"
#include "guest/x86/system_priv.h"

#define UNUSED(x) (void)(x)

static void leave_if_changed(struct cpu *cpu, uint32_t old, uint64_t next)
{
    x86_update_mode(cpu);
    if (cpu->mode != old)
        x86_leave(cpu, next);
}

/* --- Segments: how: length 0..3; size 8..11; register 16..20, 21: to be written; 22: pop --- */

uint64_t x86_help_seg_load(struct cpu *cpu, uint64_t seg_sel, uint64_t value, uint64_t how)
{
    struct x86_sys *s = x86s(cpu);
    unsigned seg = seg_sel >> 16 & 7, size = how >> 8 & 15, reg = how >> 16 & 15;
    uint64_t next = cpu->pc + (how & 15), mask = x86_stack_now(cpu, 2).mask;
    uint32_t old = cpu->mode;

    if (!x86_seg_load(cpu, seg, (uint16_t)seg_sel))
        return 0;
    if (how >> 21 & 1)
        s->u.r[reg] = size == 8 ? value : size == 4 ? (uint32_t)value : (s->u.r[reg] & ~0xffffull) | (value & 0xffff);
    if (how >> 22 & 1)
        s->u.r[X86_SP] = mask == 0xffff ? (s->u.r[X86_SP] & ~mask) | ((s->u.r[X86_SP] + size) & mask) : (s->u.r[X86_SP] + size) & mask;
    leave_if_changed(cpu, old, next);
    if (seg == X86_SS)
        x86_unmasked(cpu, next, 2);
    return 0;
}

/* The selector that is pushed or stored. */
uint64_t x86_help_seg_push(struct cpu *cpu, uint64_t seg, uint64_t b, uint64_t c)
{
    UNUSED(b);
    UNUSED(c);
    return x86(cpu)->seg[seg].selector;
}

uint64_t x86_help_sys_load(struct cpu *cpu, uint64_t which, uint64_t sel, uint64_t c)
{
    UNUSED(c);
    if (which)
        x86_load_tr(cpu, (uint16_t)sel);
    else
        x86_load_ldt(cpu, (uint16_t)sel);
    return 0;
}

/* 0 LDTR, 1 TR, 2 and 3 GDT's limit and base, 4 and 5 IDT's, 6 CR0. */
uint64_t x86_help_sys_store(struct cpu *cpu, uint64_t which, uint64_t b, uint64_t c)
{
    const struct x86_sys *s = x86s(cpu);
    const uint64_t v[] = {s->ldt.selector, s->tr.selector, s->gdt.limit, s->gdt.base, s->idt.limit, s->idt.base, s->cr0};

    UNUSED(b);
    UNUSED(c);
    return v[which];
}

uint64_t x86_help_load_table(struct cpu *cpu, uint64_t which, uint64_t limit, uint64_t base)
{
    struct x86_sys *s = x86s(cpu);

    if (!x86_canonical(s, base) && x86_lma(s))
        x86_gp(cpu, 0);
    else
        *(which ? &s->idt : &s->gdt) = (struct x86_table){base, (uint32_t)limit & 0xffff};
    return 0;
}

/* A descriptor that LAR, LSL, VERR and VERW may look at; false: ZF is clear, or a fault is raised. */
static bool visible(struct cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    const struct x86_sys *s = x86s(cpu);
    bool conforming;

    if (!(sel & 0xfffc) || x86_desc_find(cpu, sel, d) <= 0)
        return false;
    conforming = (d->hi & (SEG_S | SEG_CODE | SEG_CE)) == (SEG_S | SEG_CODE | SEG_CE);
    return conforming || (seg_dpl(d->hi) >= s->cpl && seg_dpl(d->hi) >= (sel & 3u));
}

uint64_t x86_help_verify(struct cpu *cpu, uint64_t sel, uint64_t write, uint64_t c)
{
    struct x86_desc d;
    bool ok = visible(cpu, (uint16_t)sel, &d) && d.hi & SEG_S;

    UNUSED(c);
    if (ok)
        ok = write ? (d.hi & (SEG_CODE | SEG_RW)) == SEG_RW : !(d.hi & SEG_CODE) || (d.hi & SEG_RW);
    if (cpu->stop == CPU_STOP_NONE)
        x86(cpu)->zf = ok;
    return 0;
}

/* @types: system types that count, a bit each. */
static bool looked_at(struct cpu *cpu, uint16_t sel, uint32_t types, struct x86_desc *d)
{
    bool ok = visible(cpu, sel, d) && (d->hi & SEG_S || types >> sys_type(d->hi) & 1);

    if (cpu->stop == CPU_STOP_NONE)
        x86(cpu)->zf = ok;
    return ok && cpu->stop == CPU_STOP_NONE;
}

/* The access rights, or @old. */
uint64_t x86_help_lar(struct cpu *cpu, uint64_t sel, uint64_t old, uint64_t c)
{
    struct x86_desc d;
    uint32_t types = x86_lma(x86s(cpu)) ? 0x1a04 : 0x1a3e; /* LDT, TSSs, call and task gates */

    UNUSED(c);
    return looked_at(cpu, (uint16_t)sel, types, &d) ? d.hi & 0x00ffff00 : old;
}

uint64_t x86_help_lsl(struct cpu *cpu, uint64_t sel, uint64_t old, uint64_t c)
{
    struct x86_desc d;

    UNUSED(c);
    return looked_at(cpu, (uint16_t)sel, x86_lma(x86s(cpu)) ? 0x0a04 : 0x0a0e, &d) ? desc_limit(&d) : old;
}

uint64_t x86_help_swapgs(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t gs = s->u.base[X86_GS];

    UNUSED(a);
    UNUSED(b);
    UNUSED(c);
    s->u.base[X86_GS] = s->kernel_gs;
    s->kernel_gs = gs;
    return 0;
}

/* May RDFSBASE and its like be used? */
uint64_t x86_help_rdbase(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    UNUSED(a);
    UNUSED(b);
    UNUSED(c);
    if (!(x86s(cpu)->cr4 & CR4_FSGSBASE))
        x86_fault(cpu, X86_EXC_UD, 0);
    return 0;
}

/* And may it be written with @v? */
uint64_t x86_help_wrbase(struct cpu *cpu, uint64_t v, uint64_t b, uint64_t c)
{
    x86_help_rdbase(cpu, 0, b, c);
    if (cpu->stop == CPU_STOP_NONE && !x86_canonical(x86s(cpu), v))
        x86_gp(cpu, 0);
    return 0;
}

/* --- Flags --- */

/* CLI and STI where it is not plain that they are allowed, and all STIs (SDM 2, tables of both). */
uint64_t x86_help_if_flag(struct cpu *cpu, uint64_t on, uint64_t b, uint64_t len)
{
    struct x86_sys *s = x86s(cpu);
    uint32_t *fl = &s->u.eflags, bit = X86_FL_IF, was = *fl;
    bool vm = x86_vm(s);

    UNUSED(b);
    if (x86_pe(s) && (vm ? 3 : s->cpl) > x86_iopl(s)) {
        bool virtual = vm ? s->cr4 & CR4_VME : s->cpl == 3 && (s->cr4 & CR4_PVI);

        if (!virtual || (on && (*fl & X86_FL_VIP))) {
            x86_gp(cpu, 0);
            return 0;
        }
        bit = X86_FL_VIF;
    }
    *fl = on ? *fl | bit : *fl & ~bit;
    if (on && bit == X86_FL_IF && !(was & X86_FL_IF))
        x86_unmasked(cpu, cpu->pc + len, 1);
    return 0;
}

uint64_t x86_help_sys_pushf(struct cpu *cpu, uint64_t size, uint64_t b, uint64_t c)
{
    uint32_t v = x86_get_eflags(cpu);

    UNUSED(b);
    UNUSED(c);
    if (x86_vm(x86s(cpu)) && x86_iopl(x86s(cpu)) < 3) {
        if (size != 2 || !(x86s(cpu)->cr4 & CR4_VME))
            x86_gp(cpu, 0);
        v = (v & ~(uint32_t)X86_FL_IF) | X86_FL_IOPL | (v & X86_FL_VIF ? X86_FL_IF : 0);
    }
    return v & ~(uint32_t)(X86_FL_VM | X86_FL_RF);
}

/* VME: the task's IF is VIF. */
static bool popf_vme(struct cpu *cpu, uint32_t v)
{
    uint32_t old = x86_get_eflags(cpu), may = X86_FL_STATUS | X86_FL_DF | X86_FL_NT;

    if ((v & X86_FL_TF) || ((v & X86_FL_IF) && (old & X86_FL_VIP)))
        return x86_gp(cpu, 0);
    x86_set_eflags(cpu, (old & ~(may | X86_FL_VIF)) | (v & may) | (v & X86_FL_IF ? X86_FL_VIF : 0));
    return true;
}

static bool popf_machine(struct cpu *cpu, uint32_t v, unsigned size)
{
    struct x86_sys *s = x86s(cpu);
    uint32_t may = X86_FL_STATUS | X86_FL_DF | X86_FL_TF | X86_FL_NT | X86_FL_AC | X86_FL_ID;

    if (x86_pe(s) && x86_vm(s) && x86_iopl(s) < 3)
        return size == 2 && (s->cr4 & CR4_VME) ? popf_vme(cpu, v) : x86_gp(cpu, 0);
    if (!x86_pe(s) || s->cpl == 0)
        may |= X86_FL_IOPL | X86_FL_IF;
    else if (s->cpl <= x86_iopl(s))
        may |= X86_FL_IF;
    if (size == 2)
        may &= 0xffff;
    x86_set_eflags(cpu, (x86_get_eflags(cpu) & ~(may | X86_FL_RF)) | (v & may));
    return true;
}

/* The value was read; SP moves when nothing is wrong.  @how: length, size. */
uint64_t x86_help_sys_popf(struct cpu *cpu, uint64_t v, uint64_t b, uint64_t how)
{
    unsigned size = how >> 8 & 15;
    uint64_t next = cpu->pc + (how & 15);
    uint32_t old = cpu->mode;
    struct x86_stack k;

    UNUSED(b);
    if (!popf_machine(cpu, (uint32_t)v, size))
        return 0;
    k = x86_stack_now(cpu, size);
    k.sp = k.mask == 0xffff ? (k.sp & ~k.mask) | ((k.sp + size) & k.mask) : (k.sp + size) & k.mask;
    x86_stack_done(&k);
    leave_if_changed(cpu, old, next);
    if (x86s(cpu)->u.eflags & (X86_FL_IF | X86_FL_TF))
        x86_unmasked(cpu, next, 0);
    return 0;
}

uint64_t x86_help_into(struct cpu *cpu, uint64_t overflow, uint64_t b, uint64_t len)
{
    UNUSED(b);
    if (overflow) {
        cpu->stop = CPU_STOP_GUEST;
        cpu->detail = x86_detail(X86_STOP_INT, X86_EXC_OF, 0, (unsigned)len);
    }
    return 0;
}

uint64_t x86_help_smap(struct cpu *cpu, uint64_t on, uint64_t b, uint64_t len)
{
    struct x86_sys *s = x86s(cpu);

    UNUSED(b);
    s->u.eflags = on ? s->u.eflags | X86_FL_AC : s->u.eflags & ~(uint32_t)X86_FL_AC;
    leave_if_changed(cpu, cpu->mode, cpu->pc + len);
    return 0;
}

/* --- I/O --- */

static uint64_t port_read(struct cpu *cpu, uint16_t port, unsigned size)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t v;

    if (!space_load(s->io, port, &v, (struct access){.who = BUS_CPU(s->index), .size = (uint8_t)size}))
        return ~0ull >> (64 - 8 * size);
    return v;
}

static void port_write(struct cpu *cpu, uint16_t port, unsigned size, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);

    space_store(s->io, port, v & ~0ull >> (64 - 8 * size), (struct access){.who = BUS_CPU(s->index), .size = (uint8_t)size});
}

uint64_t x86_help_in(struct cpu *cpu, uint64_t port, uint64_t size, uint64_t len)
{
    uint64_t v;

    UNUSED(len);
    if (!x86_io_allowed(cpu, (uint16_t)port, (unsigned)size) ||
        x86_intercept_io(cpu, (uint16_t)port, (unsigned)size, 1 | 1u << (7 + x86_code(cpu->mode))))
        return 0;
    v = port_read(cpu, (uint16_t)port, (unsigned)size);
    return v;
}

uint64_t x86_help_out(struct cpu *cpu, uint64_t port, uint64_t v, uint64_t how)
{
    unsigned size = how >> 8 & 15;

    if (!x86_io_allowed(cpu, (uint16_t)port, size) ||
        x86_intercept_io(cpu, (uint16_t)port, size, 1u << (7 + x86_code(cpu->mode))))
        return 0;
    port_write(cpu, (uint16_t)port, size, v);
    if (x86_awake(cpu)) /* an SMI, or an interrupt that this write gave rise to, comes before the next instruction */
        x86_leave(cpu, cpu->pc + (how & 15));
    return 0;
}

static uint64_t cut(uint64_t v, unsigned size)
{
    return size == 8 ? v : v & ((1ull << 8 * size) - 1);
}

static void bump(uint64_t *r, uint64_t by, unsigned size)
{
    if (size == 2)
        *r = (*r & ~0xffffull) | ((*r + by) & 0xffff);
    else
        *r = cut(*r + by, size);
}

/* As x86_linear of lift.c. */
static uint64_t linear(const struct x86_sys *s, unsigned seg, uint64_t off, unsigned size, bool write)
{
    uint64_t room = (write ? s->u.room_w : s->u.room_r)[seg], la = off + s->u.base[seg];

    if (x86_cs64(s))
        return seg >= X86_FS ? la : off;
    la = (uint32_t)la;
    if (off + size <= room)
        return la;
    return la | X86_BAD_LINEAR | (uint64_t)seg << X86_BAD_SEG | (uint64_t)(size - 1) << X86_BAD_SIZE | (write ? X86_BAD_WRITE : 0);
}

/* The place must be writable before the port is read. */
static bool writable(struct cpu *cpu, uint64_t va)
{
    struct mmu_page p;

    if (x86_walk(cpu, va, MMU_WRITE, x86_regime(cpu->mode, false), false, &p) == 0)
        return true;
    cpu->stop = CPU_STOP_FAULT;
    return false;
}

static bool one_in(struct cpu *cpu, uint16_t port, unsigned size, unsigned addr_size)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t va = linear(s, X86_ES, cut(s->u.r[X86_DI], addr_size), size, true);
    union ir_u u = {.d = {0, 0}};

    if (!writable(cpu, va))
        return false;
    u.d[0] = port_read(cpu, port, size);
    if (!mmu_store(cpu, va, (unsigned)__builtin_ctz(size), x86_regime(cpu->mode, false), &u))
        return false;
    bump(&s->u.r[X86_DI], s->u.df * size, addr_size);
    return true;
}

static bool one_out(struct cpu *cpu, uint16_t port, unsigned size, unsigned addr_size, unsigned seg)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t va = linear(s, seg, cut(s->u.r[X86_SI], addr_size), size, false);
    union ir_u u;

    if (!mmu_load(cpu, va, (unsigned)__builtin_ctz(size), x86_regime(cpu->mode, false), &u))
        return false;
    port_write(cpu, port, size, u.d[0]);
    bump(&s->u.r[X86_SI], s->u.df * size, addr_size);
    return true;
}

/* INS and OUTS, repeated: some at a time, so that interrupts get in between.  @how: length 0..3, size 8..11, address size 12..15,
 * segment 16..18, 20: out, 21: repeated. */
uint64_t x86_help_string_io(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t how)
{
    enum { AT_ONCE = 512 };
    struct x86_sys *s = x86s(cpu);
    unsigned size = how >> 8 & 15, addr_size = how >> 12 & 15, seg = how >> 16 & 7;
    uint16_t port = (uint16_t)s->u.r[X86_DX];
    bool out = how >> 20 & 1, rep = how >> 21 & 1;

    UNUSED(a);
    UNUSED(b);
    if (!x86_io_allowed(cpu, port, size))
        return 0;
    if ((!rep || cut(s->u.r[X86_CX], addr_size)) &&
        x86_intercept_io(cpu, port, size, 4u | !out | (unsigned)rep << 3 | addr_size << 6 | (out ? seg : X86_ES) << 10))
        return 0;
    for (unsigned n = 0; n < AT_ONCE; n++) {
        if (rep && !cut(s->u.r[X86_CX], addr_size))
            return 0;
        if (!(out ? one_out(cpu, port, size, addr_size, seg) : one_in(cpu, port, size, addr_size)))
            return 0;
        if (!rep)
            return 0;
        bump(&s->u.r[X86_CX], ~0ull, addr_size);
        if (cpu->guest_step && cut(s->u.r[X86_CX], addr_size))
            break;
    }
    if (cut(s->u.r[X86_CX], addr_size))
        x86_leave(cpu, cpu->pc);
    return 0;
}

/* --- MSRs, counters, CPUID --- */

uint64_t x86_help_rdmsr(struct cpu *cpu, uint64_t msr, uint64_t b, uint64_t c)
{
    uint64_t v = 0;

    UNUSED(b);
    UNUSED(c);
    if (!x86_intercept_msr(cpu, (uint32_t)msr, false) && !x86_rdmsr(cpu, (uint32_t)msr, &v))
        x86_gp(cpu, 0);
    return v;
}

uint64_t x86_help_wrmsr(struct cpu *cpu, uint64_t msr, uint64_t v, uint64_t len)
{
    uint64_t next = cpu->pc + len;

    if (x86_intercept_msr(cpu, (uint32_t)msr, true))
        return 0;
    if (!x86_wrmsr(cpu, (uint32_t)msr, v)) {
        x86_gp(cpu, 0);
        return 0;
    }
    x86_update_mode(cpu);
    x86_leave(cpu, next);
    return 0;
}

/* @aux: RDTSCP, too: its ECX goes to aux[0]. */
uint64_t x86_help_rdtsc(struct cpu *cpu, uint64_t aux, uint64_t b, uint64_t c)
{
    struct x86_sys *s = x86s(cpu);

    UNUSED(b);
    UNUSED(c);
    if ((s->cr4 & CR4_TSD) && s->cpl && x86_pe(s)) {
        x86_gp(cpu, 0);
        return 0;
    }
    if (x86_intercept(cpu, aux ? EXIT_RDTSCP : EXIT_RDTSC, 0, 0))
        return 0;
    if (aux)
        x86(cpu)->r[X86_CX] = x86(cpu)->tsc_aux;
    return x86_seen_tsc(cpu);
}

uint64_t x86_help_rdpmc(struct cpu *cpu, uint64_t n, uint64_t b, uint64_t c)
{
    struct x86_sys *s = x86s(cpu);

    UNUSED(b);
    UNUSED(c);
    if (!(s->cr4 & CR4_PCE) && s->cpl && x86_pe(s)) {
        x86_fault(cpu, X86_EXC_GP, 0);
        return 0;
    }
    if (x86_intercept(cpu, EXIT_RDPMC, 0, 0))
        return 0;
    if ((n & 0xffffff) >= X86_PMC) {
        x86_gp(cpu, 0);
        return 0;
    }
    return s->perf_ctr[n & 3];
}

static void machine_cpuid(struct cpu *cpu, uint32_t r[4])
{
    struct x86_sys *s = x86s(cpu);
    struct x86_cpuid_env env = {.apic_id = x86_apic_id(&s->conf, s->index), .index = s->index, .xcr0 = s->u.xcr0};
    uint64_t base;

    env.osxsave = s->cr4 & CR4_OSXSAVE;
    env.ospke = s->cr4 & CR4_PKE;
    env.apic_on = x86_rdmsr(cpu, 0x1b, &base) && base >> 11 & 1;
    x86_cpuid(&s->conf, &env, (uint32_t)s->u.r[X86_AX], (uint32_t)s->u.r[X86_CX], r);
}

uint64_t x86_help_sys_cpuid(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t *g = x86(cpu)->r;
    uint32_t r[4];

    UNUSED(a);
    UNUSED(b);
    UNUSED(c);
    machine_cpuid(cpu, r);
    g[X86_AX] = r[0];
    g[X86_BX] = r[1];
    g[X86_CX] = r[2];
    g[X86_DX] = r[3];
    return 0;
}

/* --- Extended state --- */

uint64_t x86_help_xgetbv(struct cpu *cpu, uint64_t n, uint64_t b, uint64_t c)
{
    UNUSED(b);
    UNUSED(c);
    if (!(x86s(cpu)->cr4 & CR4_OSXSAVE))
        x86_fault(cpu, X86_EXC_UD, 0);
    else if (n == 1 && x86_has(x86_features_of(cpu->mode), X86_FEAT_XGETBV1))
        return x86_state_in_use(cpu);
    else if (n)
        x86_fault(cpu, X86_EXC_GP, 0);
    return x86(cpu)->xcr0;
}

uint64_t x86_help_xsetbv(struct cpu *cpu, uint64_t n, uint64_t v, uint64_t len)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t next = cpu->pc + len;
    uint64_t may = 3 | (x86_feat(s, X86_FEAT_AVX) ? 4 : 0) | (x86_feat(s, X86_FEAT_PKU) ? 1 << 9 : 0);

    if (!(s->cr4 & CR4_OSXSAVE)) {
        x86_fault(cpu, X86_EXC_UD, 0);
    } else if (n || (v & ~may) || !(v & 1) || (v & 6) == 4) {
        x86_gp(cpu, 0);
    } else if (!x86_intercept(cpu, EXIT_XSETBV, 0, 0)) {
        s->u.xcr0 = v;
        x86_update_mode(cpu);
        x86_leave(cpu, next);
    }
    return 0;
}

uint64_t x86_help_rdpkru(struct cpu *cpu, uint64_t ecx, uint64_t b, uint64_t c)
{
    UNUSED(b);
    UNUSED(c);
    if (!(x86s(cpu)->cr4 & CR4_PKE))
        x86_fault(cpu, X86_EXC_UD, 0);
    else if (ecx)
        x86_fault(cpu, X86_EXC_GP, 0);
    return x86(cpu)->pkru;
}

uint64_t x86_help_wrpkru(struct cpu *cpu, uint64_t v, uint64_t ecx_edx, uint64_t c)
{
    UNUSED(c);
    if (!(x86s(cpu)->cr4 & CR4_PKE)) {
        x86_fault(cpu, X86_EXC_UD, 0);
    } else if (ecx_edx) {
        x86_fault(cpu, X86_EXC_GP, 0);
    } else if (x86(cpu)->pkru != (uint32_t)v) {
        x86(cpu)->pkru = (uint32_t)v;
        mmu_flush(cpu, R_ALL, 0, 0, true);
    }
    return 0;
}

uint64_t x86_help_monitor(struct cpu *cpu, uint64_t linear_address, uint64_t ecx, uint64_t c)
{
    UNUSED(c);
    if (ecx)
        x86_gp(cpu, 0);
    else
        x86s(cpu)->monitor = linear_address;
    return 0;
}

uint64_t x86_help_rsm(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    UNUSED(a);
    UNUSED(b);
    UNUSED(c);
    if (!x86s(cpu)->smm)
        x86_fault(cpu, X86_EXC_UD, 0);
    else
        x86_rsm(cpu);
    return 0;
}
