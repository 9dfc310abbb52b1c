/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task state segments: hardware task switches, stacks of inner privilege, the I/O permission bitmap (SDM 3A, chapter 8; SDM 1, 19.5). */
#include "guest/x86/system_priv.h"

enum { GPRS = 8, SEGS = 6 };

/* A task as its TSS has it. */
struct task {
    uint32_t cr3, ip, flags, r[GPRS];
    uint16_t seg[SEGS], ldt; /* in the order ES CS SS DS FS GS */
    bool trap;
};

/* Where things are in the two forms. */
struct layout {
    uint8_t size; /* bytes of a register */
    uint8_t link, cr3, ip, flags, regs, segs, n_segs, ldt;
    uint8_t least; /* limit */
};
static const struct layout layout32 = {4, 0, 28, 32, 36, 40, 72, 6, 96, 103}, layout16 = {2, 0, 0, 14, 16, 18, 34, 4, 42, 43};

static const struct layout *layout_of(uint32_t attr)
{
    return sys_type(attr) & 8 ? &layout32 : &layout16;
}

/* --- Stacks of inner privilege --- */

bool x86_tss_stack(struct cpu *cpu, unsigned cpl, uint16_t *ss, uint32_t *sp)
{
    struct x86_sys *s = x86s(cpu);
    const struct layout *l = layout_of(s->tr.attr);
    uint32_t at = l->size + cpl * 2 * l->size;
    uint64_t v;

    if (at + 2u * l->size - 1 > s->tr.limit)
        return x86_fault(cpu, X86_EXC_TS, s->tr.selector & 0xfffc);
    if (!x86_read_lin(cpu, s->tr.base + at, l->size, true, &v))
        return false;
    *sp = (uint32_t)v;
    if (!x86_read_lin(cpu, s->tr.base + at + l->size, 2, true, &v))
        return false;
    *ss = (uint16_t)v;
    return true;
}

/* --- I/O --- */

bool x86_io_allowed(struct cpu *cpu, uint16_t port, unsigned size)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t map, bits;

    if (!x86_pe(s) || (!x86_vm(s) && s->cpl <= x86_iopl(s)))
        return true;
    if (!(s->tr.attr & SEG_P) || !(sys_type(s->tr.attr) & 8) || s->tr.limit < 103)
        return x86_gp(cpu, 0);
    if (!x86_read_lin(cpu, s->tr.base + 102, 2, true, &map))
        return false;
    map += port / 8;
    if (map + 1 > s->tr.limit)
        return x86_gp(cpu, 0);
    if (!x86_read_lin(cpu, s->tr.base + map, 2, true, &bits))
        return false;
    return !(bits >> (port % 8) & ((1u << size) - 1)) || x86_gp(cpu, 0);
}

/* --- Switching --- */

static bool get(struct cpu *cpu, uint64_t at, unsigned size, uint32_t *v)
{
    uint64_t x;

    if (!x86_read_lin(cpu, at, size, true, &x))
        return false;
    *v = (uint32_t)x;
    return true;
}

static bool read_task(struct cpu *cpu, uint64_t base, const struct layout *l, struct task *t)
{
    uint32_t v;

    *t = (struct task){0};
    if (l->cr3 && !get(cpu, base + l->cr3, 4, &t->cr3))
        return false;
    if (!get(cpu, base + l->ip, l->size, &t->ip) || !get(cpu, base + l->flags, l->size, &t->flags))
        return false;
    for (unsigned i = 0; i < GPRS; i++)
        if (!get(cpu, base + l->regs + i * l->size, l->size, &t->r[i]))
            return false;
    for (unsigned i = 0; i < l->n_segs; i++) {
        if (!get(cpu, base + l->segs + i * l->size, 2, &v))
            return false;
        t->seg[i] = (uint16_t)v;
    }
    if (!get(cpu, base + l->ldt, 2, &v))
        return false;
    t->ldt = (uint16_t)v;
    if (l->size == 4) {
        if (!get(cpu, base + 100, 2, &v))
            return false;
        t->trap = v & 1;
    }
    return true;
}

static bool write_task(struct cpu *cpu, uint32_t flags, uint32_t ip)
{
    static const uint8_t order[] = {X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS};
    struct x86_sys *s = x86s(cpu);
    const struct layout *l = layout_of(s->tr.attr);
    uint64_t base = s->tr.base;

    if (!x86_write_lin(cpu, base + l->ip, l->size, true, ip) || !x86_write_lin(cpu, base + l->flags, l->size, true, flags))
        return false;
    for (unsigned i = 0; i < GPRS; i++)
        if (!x86_write_lin(cpu, base + l->regs + i * l->size, l->size, true, s->u.r[i]))
            return false;
    for (unsigned i = 0; i < l->n_segs; i++)
        if (!x86_write_lin(cpu, base + l->segs + i * l->size, 2, true, s->u.seg[order[i]].selector))
            return false;
    return true;
}

static bool set_busy(struct cpu *cpu, uint16_t sel, bool on)
{
    uint64_t at = x86s(cpu)->gdt.base + (sel & ~7u) + 4, v;

    return x86_read_lin(cpu, at, 4, true, &v) && x86_write_lin(cpu, at, 4, true, on ? v | 2 << 8 : v & ~(2ull << 8));
}

/* The descriptor of the task that is gone to. */
static bool find_task(struct cpu *cpu, uint16_t sel, enum x86_task_why why, struct x86_desc *d)
{
    unsigned vector = why == X86_TASK_IRET ? X86_EXC_TS : X86_EXC_GP, type;
    int r = sel & 4 || !(sel & 0xfffc) ? 0 : x86_desc_find(cpu, sel, d);
    bool busy;

    if (r < 0)
        return false;
    type = r ? sys_type(d->hi) : 0;
    busy = type & 2;
    if (!r || d->hi & SEG_S || (type & ~10u) != SYS_TSS16 || busy != (why == X86_TASK_IRET))
        return x86_fault(cpu, vector, sel & 0xfffc);
    if (!(d->hi & SEG_P))
        return x86_fault(cpu, X86_EXC_NP, sel & 0xfffc);
    if (desc_limit(d) < layout_of(d->hi)->least)
        return x86_fault(cpu, X86_EXC_TS, sel & 0xfffc);
    return true;
}

static void take_registers(struct cpu *cpu, const struct task *t, const struct layout *l, uint32_t flags)
{
    struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < GPRS; i++)
        s->u.r[i] = l->size == 4 ? t->r[i] : t->r[i] | 0xffff0000u;
    if (l->size == 2)
        flags &= 0xffff;
    x86_set_eflags(cpu, (flags & 0x3f7fd5) | X86_FL_ONE);
}

/* Selectors first: a fault on the way is the new task's. */
static void take_selectors(struct cpu *cpu, const struct task *t, unsigned n)
{
    static const uint8_t order[] = {X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS};
    struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < SEGS; i++) {
        unsigned seg = order[i];

        s->u.seg[seg] = (struct x86_segment){.selector = i < n ? t->seg[i] : 0};
        s->u.base[seg] = 0;
        if (x86_vm(s))
            x86_seg_real(cpu, seg, t->seg[i]);
    }
    s->cpl = x86_vm(s) ? 3 : t->seg[1] & 3;
}

static bool take_code(struct cpu *cpu, uint16_t sel)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_desc d;
    int r;

    if (!(sel & 0xfffc))
        return x86_fault(cpu, X86_EXC_TS, 0);
    if ((r = x86_desc_find(cpu, sel, &d)) < 0)
        return false;
    if (!r || (d.hi & (SEG_S | SEG_CODE)) != (SEG_S | SEG_CODE) ||
        (d.hi & SEG_CE ? seg_dpl(d.hi) > (sel & 3u) : seg_dpl(d.hi) != (sel & 3u)))
        return x86_fault(cpu, X86_EXC_TS, sel & 0xfffc);
    if (!(d.hi & SEG_P))
        return x86_fault(cpu, X86_EXC_NP, sel & 0xfffc);
    if (!x86_desc_accessed(cpu, &d))
        return false;
    x86_seg_set(cpu, X86_CS, sel, &d);
    s->cpl = sel & 3;
    return true;
}

static bool take_ldt(struct cpu *cpu, uint16_t sel)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_desc d;
    int r;

    s->ldt = (struct x86_sysseg){.selector = sel};
    if (!(sel & 0xfffc))
        return true;
    r = sel & 4 ? 0 : x86_desc_find(cpu, sel, &d);
    if (r < 0)
        return false;
    if (!r || d.hi & SEG_S || sys_type(d.hi) != SYS_LDT || !(d.hi & SEG_P))
        return x86_fault(cpu, X86_EXC_TS, sel & 0xfffc);
    s->ldt = (struct x86_sysseg){desc_base(&d), desc_limit(&d), d.hi & SEG_ATTR, sel};
    return true;
}

static bool take_segments(struct cpu *cpu, const struct task *t)
{
    static const uint8_t data[] = {X86_SS, X86_ES, X86_DS, X86_FS, X86_GS}, at[] = {2, 0, 3, 4, 5};
    struct x86_sys *s = x86s(cpu);
    struct x86_desc d;
    bool null;

    if (!take_ldt(cpu, t->ldt))
        return false;
    if (x86_vm(s))
        return true;
    if (!take_code(cpu, t->seg[1]))
        return false;
    for (unsigned i = 0; i < sizeof(data); i++) {
        if (!x86_seg_check(cpu, data[i], t->seg[at[i]], s->cpl, X86_EXC_TS, &d, &null))
            return false;
        if (!null)
            x86_seg_set(cpu, data[i], t->seg[at[i]], &d);
    }
    return true;
}

static bool push_error(struct cpu *cpu, const struct layout *l, int64_t error)
{
    struct x86_stack k;

    if (error < 0)
        return true;
    k = x86_stack_now(cpu, l->size);
    if (!x86_stack_push(&k, (uint64_t)error))
        return false;
    x86_stack_done(&k);
    return true;
}

/* The old task's place in memory: what it was doing, and that it is not busy any more unless it is returned to. */
static bool leave_task(struct cpu *cpu, enum x86_task_why why, uint64_t next)
{
    struct x86_sys *s = x86s(cpu);
    uint32_t flags = x86_get_eflags(cpu);

    if (why == X86_TASK_IRET)
        flags &= ~(uint32_t)X86_FL_NT;
    if ((why == X86_TASK_JUMP || why == X86_TASK_IRET) && !set_busy(cpu, s->tr.selector, false))
        return false;
    return write_task(cpu, flags, (uint32_t)x86_ip_of(s, next));
}

/* EXITINFO2 of its intercept (APM 2, 15.14.1). */
static uint64_t task_flags(enum x86_task_why why, int64_t error)
{
    uint64_t v = why == X86_TASK_IRET ? 1ull << 36 : why == X86_TASK_JUMP ? 1ull << 38 : 0;

    return error < 0 ? v : v | 1ull << 44 | (uint32_t)error;
}

bool x86_task_switch(struct cpu *cpu, uint16_t sel, enum x86_task_why why, uint64_t next, int64_t error)
{
    struct x86_sys *s = x86s(cpu);
    bool nests = why == X86_TASK_CALL || why == X86_TASK_GATE;
    const struct layout *l;
    struct x86_desc d;
    struct task t;

    if (!find_task(cpu, sel, why, &d))
        return false;
    if (x86_intercept_task(cpu, sel, task_flags(why, error)))
        return false;
    l = layout_of(d.hi);
    if (!read_task(cpu, desc_base(&d), l, &t) || !leave_task(cpu, why, next))
        return false;
    if (nests && !x86_write_lin(cpu, desc_base(&d), 2, true, s->tr.selector))
        return false;
    if (why != X86_TASK_IRET && !set_busy(cpu, sel, true))
        return false;
    s->cr0 |= CR0_TS;
    s->tr = (struct x86_sysseg){desc_base(&d), desc_limit(&d), (d.hi & SEG_ATTR) | 2 << 8, sel};
    if (l->cr3 && (s->cr0 & CR0_PG) && s->cr3 != t.cr3) {
        s->cr3 = t.cr3;
        x86_flush(cpu, false);
        if ((s->cr4 & CR4_PAE) && !x86_load_pdptes(cpu, t.cr3))
            return false;
    }
    take_registers(cpu, &t, l, t.flags | (nests ? X86_FL_NT : 0));
    take_selectors(cpu, &t, l->n_segs);
    s->dr7 &= ~0x155ull;
    if (!take_segments(cpu, &t) || !push_error(cpu, l, error) || (t.ip > s->u.seg[X86_CS].limit && !x86_gp(cpu, 0))) {
        cpu->pc = (uint32_t)(s->u.base[X86_CS] + t.ip);
        x86_update_mode(cpu);
        return false;
    }
    cpu->pc = (uint32_t)(s->u.base[X86_CS] + t.ip);
    if (t.trap)
        s->shadow = X86_SHADOW_TASK | X86_SHADOW_FRESH;
    x86_update_mode(cpu);
    return true;
}
