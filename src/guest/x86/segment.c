/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory by linear address, descriptors, and loads of segment registers (SDM 3A, chapter 3, 5.4 to 5.8; SDM 2, MOV, LLDT, LTR). */
#include "guest/x86/system_priv.h"

#include <string.h>

/* --- Memory --- */

static unsigned regime_for(const struct cpu *cpu, bool sys)
{
    const struct x86_sys *s = x86sc(cpu);

    if (!sys)
        return x86_regime(cpu->mode, false);
    return s->cr4 & CR4_SMAP ? R_KERNEL_SMAP : R_KERNEL; /* implicit accesses: EFLAGS.AC does not count */
}

bool x86_read_lin(struct cpu *cpu, uint64_t va, unsigned size, bool sys, uint64_t *v)
{
    union ir_u u;

    if (!x86_lma(x86s(cpu)))
        va = (uint32_t)va;
    if (!mmu_load(cpu, va, (unsigned)__builtin_ctz(size), regime_for(cpu, sys), &u))
        return false;
    *v = u.d[0];
    return true;
}

bool x86_write_lin(struct cpu *cpu, uint64_t va, unsigned size, bool sys, uint64_t v)
{
    union ir_u u = {.d = {v, 0}};

    if (!x86_lma(x86s(cpu)))
        va = (uint32_t)va;
    return mmu_store(cpu, va, (unsigned)__builtin_ctz(size), regime_for(cpu, sys), &u);
}

/* --- Descriptors --- */

int x86_desc_find(struct cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    const struct x86_sys *s = x86s(cpu);
    uint64_t base = sel & 4 ? s->ldt.base : s->gdt.base, v;
    uint32_t limit = sel & 4 ? (s->ldt.attr & SEG_P ? s->ldt.limit : 0) : s->gdt.limit;

    if ((sel & 4) && !(s->ldt.attr & SEG_P))
        return 0;
    if ((sel | 7u) > limit)
        return 0;
    d->at = base + (sel & ~7u);
    if (!x86_read_lin(cpu, d->at, 8, true, &v))
        return -1;
    d->lo = (uint32_t)v;
    d->hi = (uint32_t)(v >> 32);
    d->high = 0;
    return 1;
}

bool x86_desc_high(struct cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    const struct x86_sys *s = x86s(cpu);
    uint64_t v;

    if ((sel | 7u) + 8 > (sel & 4 ? s->ldt.limit : s->gdt.limit))
        return x86_gp(cpu, sel & 0xfffc);
    if (!x86_read_lin(cpu, d->at + 8, 8, true, &v))
        return false;
    if (v >> 40 & 31) /* S and type must not look like a descriptor (APM 2, 4.8.3; SDM 3A, 5.8.3.1) */
        return x86_gp(cpu, sel & 0xfffc);
    d->high = (uint32_t)v;
    return true;
}

bool x86_desc_accessed(struct cpu *cpu, struct x86_desc *d)
{
    uint64_t v;

    if (d->hi & SEG_A)
        return true;
    if (!x86_read_lin(cpu, d->at + 4, 4, true, &v) || !x86_write_lin(cpu, d->at + 4, 4, true, v | SEG_A))
        return false;
    d->hi |= SEG_A;
    return true;
}

/* --- Setting --- */

void x86_seg_set(struct cpu *cpu, unsigned seg, uint16_t sel, const struct x86_desc *d)
{
    struct x86_sys *s = x86s(cpu);

    s->u.seg[seg] = (struct x86_segment){.selector = sel, .limit = desc_limit(d), .attr = d->hi & SEG_ATTR};
    s->u.base[seg] = desc_base(d);
}

/* In real mode a load changes the base only: limits and types stay as protected mode left them. */
void x86_seg_real(struct cpu *cpu, unsigned seg, uint16_t sel)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_segment *g = &s->u.seg[seg];

    s->u.base[seg] = (uint64_t)sel << 4;
    g->selector = sel;
    if (x86_vm(s) && x86_pe(s)) {
        g->limit = 0xffff;
        g->attr = 0xf300;
    } else if (seg == X86_CS) {
        g->attr = (g->attr & (SEG_DB | SEG_G)) | 0x9300;
        if (g->limit < 0xffff)
            g->limit = 0xffff;
    }
}

void x86_seg_null(struct cpu *cpu, unsigned seg, uint16_t sel)
{
    struct x86_sys *s = x86s(cpu);

    s->u.seg[seg] = (struct x86_segment){.selector = sel, .attr = SEG_NULL};
    if (!x86_cs64(s) || seg < X86_FS || strcmp(s->conf.vendor, "AuthenticAMD") != 0)
        s->u.base[seg] = 0;
}

/* --- Checks (SDM 2, MOV; 3A, 5.5, 5.7) --- */

static bool is_data_or_readable(uint32_t hi)
{
    return (hi & SEG_S) && (!(hi & SEG_CODE) || (hi & SEG_RW));
}

/* Conforming code has no privilege of its own. */
static bool privileged(uint32_t hi, unsigned cpl, unsigned rpl)
{
    unsigned dpl = seg_dpl(hi);

    if ((hi & (SEG_CODE | SEG_CE)) == (SEG_CODE | SEG_CE))
        return true;
    return cpl <= dpl && rpl <= dpl;
}

bool x86_check_ss(struct cpu *cpu, uint16_t sel, unsigned cpl, unsigned vector, struct x86_desc *d)
{
    int r;

    if (!(sel & 0xfffc))
        return x86_fault(cpu, vector, vector == X86_EXC_TS ? sel & 0xfffc : 0);
    r = x86_desc_find(cpu, sel, d);
    if (r < 0)
        return false;
    if (!r || (sel & 3) != cpl || seg_dpl(d->hi) != cpl || (d->hi & (SEG_S | SEG_CODE | SEG_RW)) != (SEG_S | SEG_RW))
        return x86_fault(cpu, vector, sel & 0xfffc);
    if (!(d->hi & SEG_P))
        return x86_fault(cpu, X86_EXC_SS, sel & 0xfffc);
    return x86_desc_accessed(cpu, d);
}

bool x86_seg_check(struct cpu *cpu, unsigned seg, uint16_t sel, unsigned cpl, unsigned vector, struct x86_desc *d, bool *null)
{
    int r;

    *null = !(sel & 0xfffc);
    if (seg == X86_SS) {
        if (*null && x86_cs64(x86s(cpu)) && cpl < 3 && (sel & 3) == cpl)
            return true;
        return x86_check_ss(cpu, sel, cpl, vector, d);
    }
    if (*null)
        return true;
    r = x86_desc_find(cpu, sel, d);
    if (r < 0)
        return false;
    if (!r || !is_data_or_readable(d->hi) || !privileged(d->hi, cpl, sel & 3))
        return x86_fault(cpu, vector, sel & 0xfffc);
    if (!(d->hi & SEG_P))
        return x86_fault(cpu, X86_EXC_NP, sel & 0xfffc);
    return x86_desc_accessed(cpu, d);
}

bool x86_seg_load(struct cpu *cpu, unsigned seg, uint16_t sel)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_desc d;
    bool null;

    if (!x86_pe(s) || x86_vm(s)) {
        x86_seg_real(cpu, seg, sel);
        return true;
    }
    if (!x86_seg_check(cpu, seg, sel, s->cpl, X86_EXC_GP, &d, &null))
        return false;
    if (null)
        x86_seg_null(cpu, seg, sel);
    else
        x86_seg_set(cpu, seg, sel, &d);
    if (null && seg == X86_SS) /* 64-bit: usable, with the privilege of the selector */
        s->u.seg[X86_SS].attr = SEG_P | SEG_S | SEG_RW | SEG_DB | (uint32_t)(sel & 3) << 13;
    return true;
}

void x86_drop_segs(struct cpu *cpu, unsigned cpl)
{
    static const uint8_t segs[] = {X86_ES, X86_DS, X86_FS, X86_GS};
    struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < sizeof(segs); i++) {
        uint32_t attr = s->u.seg[segs[i]].attr;
        bool conforming = (attr & (SEG_CODE | SEG_CE)) == (SEG_CODE | SEG_CE);

        if (!(attr & SEG_P))
            s->u.seg[segs[i]].selector = 0; /* its base, which an MSR may have set, stays, whoever made the processor */
        else if (!conforming && cpl > seg_dpl(attr))
            x86_seg_null(cpu, segs[i], 0);
    }
}

/* --- LDTR and TR --- */

static uint64_t long_base(const struct x86_sys *s, const struct x86_desc *d)
{
    return x86_lma(s) ? (uint64_t)d->high << 32 | desc_base(d) : desc_base(d);
}

static bool find_system(struct cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    int r = sel & 4 ? 0 : x86_desc_find(cpu, sel, d);

    if (r < 0)
        return false;
    if (!r)
        return x86_gp(cpu, sel & 0xfffc);
    return !x86_lma(x86s(cpu)) || x86_desc_high(cpu, sel, d);
}

bool x86_load_ldt(struct cpu *cpu, uint16_t sel)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_desc d;

    if (!(sel & 0xfffc)) {
        s->ldt = (struct x86_sysseg){.selector = sel};
        return true;
    }
    if (!find_system(cpu, sel, &d))
        return false;
    if ((d.hi & SEG_S) || sys_type(d.hi) != SYS_LDT)
        return x86_gp(cpu, sel & 0xfffc);
    if (!(d.hi & SEG_P))
        return x86_fault(cpu, X86_EXC_NP, sel & 0xfffc);
    s->ldt = (struct x86_sysseg){long_base(s, &d), desc_limit(&d), d.hi & SEG_ATTR, sel};
    return true;
}

bool x86_load_tr(struct cpu *cpu, uint16_t sel)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_desc d;

    if (!(sel & 0xfffc))
        return x86_gp(cpu, 0);
    if (!find_system(cpu, sel, &d))
        return false;
    if ((d.hi & SEG_S) || (sys_type(d.hi) != SYS_TSS32 && (sys_type(d.hi) != SYS_TSS16 || x86_lma(s))))
        return x86_gp(cpu, sel & 0xfffc);
    if (!(d.hi & SEG_P))
        return x86_fault(cpu, X86_EXC_NP, sel & 0xfffc);
    if (!x86_write_lin(cpu, d.at + 4, 4, true, d.hi | 2 << 8)) /* busy */
        return false;
    s->tr = (struct x86_sysseg){long_base(s, &d), desc_limit(&d), (d.hi & SEG_ATTR) | 2 << 8, sel};
    return true;
}

/* --- Stacks --- */

struct x86_stack x86_stack_now(struct cpu *cpu, unsigned size)
{
    const struct x86_sys *s = x86s(cpu);
    const struct x86_segment *g = &s->u.seg[X86_SS];
    struct x86_stack k = {.cpu = cpu, .base = s->u.base[X86_SS], .sp = s->u.r[X86_SP], .limit = g->limit, .attr = g->attr, .size = size};

    k.flat = x86_cs64(s);
    k.mask = k.flat ? ~0ull : g->attr & SEG_DB ? 0xffffffff : 0xffff;
    if (k.flat)
        k.base = 0;
    return k;
}

static bool within(const struct x86_stack *k, uint64_t off)
{
    bool down = (k->attr & (SEG_CODE | SEG_CE)) == SEG_CE;
    uint64_t last = off + k->size - 1, top = k->attr & SEG_DB ? 0xffffffff : 0xffff;

    if (k->flat)
        return true;
    return down ? off > k->limit && last <= top : last <= k->limit;
}

static bool stack_fault(const struct x86_stack *k)
{
    return x86_fault(k->cpu, X86_EXC_SS, k->error);
}

bool x86_stack_push(struct x86_stack *k, uint64_t v)
{
    uint64_t sp = (k->sp & ~k->mask) | ((k->sp - k->size) & k->mask);

    if (!within(k, sp & k->mask))
        return stack_fault(k);
    if (k->flat && !x86_canonical(x86s(k->cpu), sp))
        return stack_fault(k);
    if (!x86_write_lin(k->cpu, k->base + (sp & k->mask), k->size, k->sys, v))
        return false;
    k->sp = sp;
    return true;
}

bool x86_stack_pop(struct x86_stack *k, uint64_t *v)
{
    if (!within(k, k->sp & k->mask))
        return stack_fault(k);
    if (k->flat && !x86_canonical(x86s(k->cpu), k->sp))
        return stack_fault(k);
    if (!x86_read_lin(k->cpu, k->base + (k->sp & k->mask), k->size, k->sys, v))
        return false;
    k->sp = (k->sp & ~k->mask) | ((k->sp + k->size) & k->mask);
    return true;
}

void x86_stack_done(struct x86_stack *k)
{
    x86s(k->cpu)->u.r[X86_SP] = k->sp;
}
