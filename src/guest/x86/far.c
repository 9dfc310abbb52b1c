/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Far jumps, calls and returns, IRET, SYSCALL, SYSENTER and their returns (SDM 2, JMP, CALL, RET, IRET, SYSCALL, SYSENTER ...;
 * SDM 3A, 5.8).  The last argument of each is a struct packed by lift: where the next instruction is, operand size.
 */
#include "guest/x86/lift.h"
#include "guest/x86/system_priv.h"

#include <string.h>

/* --- Code segments --- */

static bool find_code(struct cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    int r;

    if (!(sel & 0xfffc))
        return x86_gp(cpu, 0);
    if ((r = x86_desc_find(cpu, sel, d)) < 0)
        return false;
    return r || x86_gp(cpu, sel & 0xfffc);
}

static bool is_code(uint32_t hi)
{
    return (hi & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE);
}

/* JMP and CALL to a code segment directly. */
static bool check_direct(struct cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    struct x86_sys *s = x86s(cpu);
    unsigned dpl = seg_dpl(d->hi);
    bool ok = d->hi & SEG_CE ? dpl <= s->cpl : dpl == s->cpl && (sel & 3u) <= s->cpl;

    if (!ok || (x86_lma(s) && (d->hi & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB)))
        return x86_gp(cpu, sel & 0xfffc);
    if (!(d->hi & SEG_P))
        return x86_fault(cpu, X86_EXC_NP, sel & 0xfffc);
    return x86_desc_accessed(cpu, d);
}

static bool is_long_code(struct cpu *cpu, const struct x86_desc *d)
{
    return x86_lma(x86s(cpu)) && (d->hi & SEG_L);
}

static bool check_ip(struct cpu *cpu, const struct x86_desc *d, uint64_t ip)
{
    if (is_long_code(cpu, d))
        return x86_canonical(x86s(cpu), ip) || x86_gp(cpu, 0);
    return ip <= desc_limit(d) || x86_gp(cpu, 0);
}

/* CS := @sel at privilege @cpl; on at @ip. */
static void go(struct cpu *cpu, uint16_t sel, const struct x86_desc *d, unsigned cpl, uint64_t ip)
{
    struct x86_sys *s = x86s(cpu);

    x86_seg_set(cpu, X86_CS, (uint16_t)((sel & ~3u) | cpl), d);
    s->cpl = (uint8_t)cpl;
    x86_set_ip(cpu, ip);
    x86_update_mode(cpu);
}

static void go_real(struct cpu *cpu, uint16_t sel, uint64_t ip)
{
    x86_seg_real(cpu, X86_CS, sel);
    x86_set_ip(cpu, ip);
    x86_update_mode(cpu);
}

static bool by_table(const struct x86_sys *s) /* no descriptors */
{
    return !x86_pe(s) || x86_vm(s);
}

/* What lift packs into the third argument: the next instruction's offset from this one, operand size. */
static uint64_t next_of(const struct cpu *cpu, uint64_t c)
{
    return cpu->pc + (c & 15);
}
static unsigned size_of(uint64_t c)
{
    return c >> 8 & 15;
}

/* --- Gates --- */

struct call {
    struct cpu *cpu;
    struct x86_sys *s;
    uint16_t sel;
    uint64_t next;
    bool is_call;
    unsigned size;
};

static bool check_gate(const struct call *c, const struct x86_desc *g)
{
    unsigned dpl = seg_dpl(g->hi);

    if (dpl < c->s->cpl || dpl < (c->sel & 3u))
        return x86_gp(c->cpu, c->sel & 0xfffc);
    return (g->hi & SEG_P) || x86_fault(c->cpu, X86_EXC_NP, c->sel & 0xfffc);
}

/* The parameters of the outer stack, copied to the inner. */
static bool copy_parameters(const struct call *c, struct x86_stack *k, unsigned n)
{
    struct x86_stack from = x86_stack_now(c->cpu, k->size);
    uint64_t v[32];

    for (unsigned i = 0; i < n; i++)
        if (!x86_stack_pop(&from, &v[i]))
            return false;
    while (n--)
        if (!x86_stack_push(k, v[n]))
            return false;
    return true;
}

static bool inner_stack32(const struct call *c, unsigned cpl, unsigned size, unsigned n, struct x86_stack *k, uint16_t *ss,
                          struct x86_desc *d)
{
    uint32_t sp;

    if (!x86_tss_stack(c->cpu, cpl, ss, &sp) || !x86_check_ss(c->cpu, *ss, cpl, X86_EXC_TS, d))
        return false;
    *k = (struct x86_stack){.cpu = c->cpu, .base = desc_base(d), .sp = sp, .mask = d->hi & SEG_DB ? 0xffffffff : 0xffff,
                            .limit = desc_limit(d), .attr = d->hi & SEG_ATTR, .error = *ss & 0xfffc, .size = size, .sys = true};
    return x86_stack_push(k, c->s->u.seg[X86_SS].selector) && x86_stack_push(k, c->s->u.r[X86_SP]) && copy_parameters(c, k, n);
}

static bool inner_stack64(const struct call *c, unsigned cpl, struct x86_stack *k)
{
    uint64_t sp;

    if (11 + 8 * cpl > c->s->tr.limit)
        return x86_fault(c->cpu, X86_EXC_TS, c->s->tr.selector & 0xfffc);
    if (!x86_read_lin(c->cpu, c->s->tr.base + 4 + 8 * cpl, 8, true, &sp))
        return false;
    if (!x86_canonical(c->s, sp))
        return x86_fault(c->cpu, X86_EXC_SS, 0);
    *k = (struct x86_stack){.cpu = c->cpu, .sp = sp, .mask = ~0ull, .size = 8, .flat = true, .sys = true};
    return x86_stack_push(k, c->s->u.seg[X86_SS].selector) && x86_stack_push(k, c->s->u.r[X86_SP]);
}

static bool push_return(const struct call *c, struct x86_stack *k)
{
    return x86_stack_push(k, c->s->u.seg[X86_CS].selector) && x86_stack_push(k, x86_ip_of(c->s, c->next));
}

static void set_null_ss(struct x86_sys *s, unsigned cpl)
{
    s->u.seg[X86_SS] = (struct x86_segment){(uint16_t)cpl, 0xffffffff, SEG_P | SEG_S | SEG_RW | SEG_DB | cpl << 13};
    s->u.base[X86_SS] = 0;
}

/* The code segment that a call gate names: no less privileged than we are. */
static bool gate_code(const struct call *c, uint16_t sel, struct x86_desc *d, unsigned *cpl)
{
    if (!find_code(c->cpu, sel, d))
        return false;
    if (!is_code(d->hi) || seg_dpl(d->hi) > c->s->cpl || (x86_lma(c->s) && (d->hi & (SEG_L | SEG_DB)) != SEG_L))
        return x86_gp(c->cpu, sel & 0xfffc);
    if (!c->is_call && !(d->hi & SEG_CE) && seg_dpl(d->hi) != c->s->cpl)
        return x86_gp(c->cpu, sel & 0xfffc);
    if (!(d->hi & SEG_P))
        return x86_fault(c->cpu, X86_EXC_NP, sel & 0xfffc);
    *cpl = d->hi & SEG_CE ? c->s->cpl : seg_dpl(d->hi);
    return x86_desc_accessed(c->cpu, d);
}

static bool call_gate(const struct call *c, struct x86_desc *g)
{
    unsigned size = x86_lma(c->s) ? 8 : sys_type(g->hi) == SYS_CALL32 ? 4 : 2, cpl = 0;
    uint64_t ip = (g->lo & 0xffff) | (size == 2 ? 0 : g->hi & 0xffff0000);
    uint16_t sel = (uint16_t)(g->lo >> 16), ss = 0;
    struct x86_desc cs, ssd;
    struct x86_stack k;
    bool inner;

    if (x86_lma(c->s)) {
        if (!x86_desc_high(c->cpu, c->sel, g))
            return false;
        ip |= (uint64_t)g->high << 32;
    }
    if (!gate_code(c, sel, &cs, &cpl) || !check_ip(c->cpu, &cs, ip))
        return false;
    inner = cpl < c->s->cpl;
    if (c->is_call) {
        if (!inner) {
            k = x86_stack_now(c->cpu, size);
            if (size == 8) {
                k.flat = true;
                k.mask = ~0ull;
                k.base = 0;
            }
        } else if (size == 8 ? !inner_stack64(c, cpl, &k) : !inner_stack32(c, cpl, size, g->hi & 31, &k, &ss, &ssd)) {
            return false;
        }
        if (!push_return(c, &k))
            return false;
        if (inner && size == 8)
            set_null_ss(c->s, cpl);
        else if (inner)
            x86_seg_set(c->cpu, X86_SS, ss, &ssd);
        x86_stack_done(&k);
    }
    go(c->cpu, sel, &cs, cpl, ip);
    return true;
}

static bool task(const struct call *c, uint16_t sel)
{
    if (!x86_task_switch(c->cpu, sel, c->is_call ? X86_TASK_CALL : X86_TASK_JUMP, c->next, -1))
        return false;
    c->cpu->stop = CPU_STOP_AGAIN;
    return true;
}

static bool through_system(const struct call *c, struct x86_desc *d)
{
    unsigned type = sys_type(d->hi);
    bool is_long = x86_lma(c->s);

    if (type == SYS_CALL32 || (type == SYS_CALL16 && !is_long))
        return check_gate(c, d) && call_gate(c, d);
    if (!is_long && type == SYS_TASK)
        return check_gate(c, d) && task(c, (uint16_t)(d->lo >> 16));
    if (!is_long && (type & ~10u) == SYS_TSS16) {
        if (seg_dpl(d->hi) < c->s->cpl || seg_dpl(d->hi) < (c->sel & 3u))
            return x86_gp(c->cpu, c->sel & 0xfffc);
        return task(c, c->sel);
    }
    return x86_gp(c->cpu, c->sel & 0xfffc);
}

static bool far_real(const struct call *c, uint64_t ip)
{
    struct x86_stack k = x86_stack_now(c->cpu, c->size);

    if (ip > 0xffff && ip > c->s->u.seg[X86_CS].limit)
        return x86_gp(c->cpu, 0);
    if (c->is_call && !push_return(c, &k))
        return false;
    if (c->is_call)
        x86_stack_done(&k);
    go_real(c->cpu, c->sel, ip);
    return true;
}

static bool far_code(const struct call *c, struct x86_desc *d, uint64_t ip)
{
    struct x86_stack k = x86_stack_now(c->cpu, c->size);

    if (!check_direct(c->cpu, c->sel, d) || !check_ip(c->cpu, d, ip))
        return false;
    if (c->is_call && !push_return(c, &k))
        return false;
    if (c->is_call)
        x86_stack_done(&k);
    go(c->cpu, c->sel, d, c->s->cpl, ip);
    return true;
}

static uint64_t far_to(struct cpu *cpu, uint64_t sel, uint64_t ip, uint64_t how, bool is_call)
{
    struct call c = {cpu, x86s(cpu), (uint16_t)sel, next_of(cpu, how), is_call, size_of(how)};
    struct x86_desc d;

    if (by_table(c.s))
        far_real(&c, ip);
    else if (find_code(cpu, c.sel, &d))
        (void)(is_code(d.hi) ? far_code(&c, &d, ip) : d.hi & SEG_S ? x86_gp(cpu, c.sel & 0xfffc) : through_system(&c, &d));
    return 0;
}

uint64_t x86_help_far_jmp(struct cpu *cpu, uint64_t sel, uint64_t ip, uint64_t how)
{
    return far_to(cpu, sel, ip, how, false);
}

uint64_t x86_help_far_call(struct cpu *cpu, uint64_t sel, uint64_t ip, uint64_t how)
{
    return far_to(cpu, sel, ip, how, true);
}

/* --- Returns --- */

/* A return's code segment; privilege is the selector's. */
static bool return_code(struct cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    struct x86_sys *s = x86s(cpu);
    unsigned rpl = sel & 3;

    if (!find_code(cpu, sel, d))
        return false;
    if (!is_code(d->hi) || rpl < s->cpl || (d->hi & SEG_CE ? seg_dpl(d->hi) > rpl : seg_dpl(d->hi) != rpl))
        return x86_gp(cpu, sel & 0xfffc);
    if (x86_lma(s) && (d->hi & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB))
        return x86_gp(cpu, sel & 0xfffc);
    if (!(d->hi & SEG_P))
        return x86_fault(cpu, X86_EXC_NP, sel & 0xfffc);
    return x86_desc_accessed(cpu, d);
}

/* SS of a return to another privilege, or any return by IRETQ. */
static bool return_stack(struct cpu *cpu, uint16_t ss, unsigned rpl, bool to64, struct x86_desc *d, bool *null)
{
    *null = !(ss & 0xfffc);
    if (*null && to64 && rpl < 3)
        return (ss & 3u) == rpl || x86_gp(cpu, ss & 0xfffc);
    return x86_check_ss(cpu, ss, rpl, X86_EXC_GP, d);
}

static void set_stack(struct cpu *cpu, uint16_t ss, unsigned rpl, const struct x86_desc *d, bool null, uint64_t sp)
{
    struct x86_sys *s = x86s(cpu);
    bool wide;

    if (null)
        set_null_ss(s, rpl);
    else
        x86_seg_set(cpu, X86_SS, ss, d);
    wide = x86_cs64(s) || (s->u.seg[X86_SS].attr & SEG_DB);
    s->u.r[X86_SP] = x86_cs64(s) ? sp : wide ? (uint32_t)sp : (s->u.r[X86_SP] & ~0xffffull) | (sp & 0xffff);
}

/* RETF in protected mode; @release: bytes of parameters. */
static bool return_far(struct cpu *cpu, unsigned size, uint64_t release)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_stack k = x86_stack_now(cpu, size);
    uint64_t ip, cs, sp, ss;
    struct x86_desc d, ssd;
    bool null;
    unsigned rpl;

    if (!x86_stack_pop(&k, &ip) || !x86_stack_pop(&k, &cs) || !return_code(cpu, (uint16_t)cs, &d) || !check_ip(cpu, &d, ip))
        return false;
    rpl = cs & 3;
    k.sp = (k.sp & ~k.mask) | ((k.sp + release) & k.mask);
    if (rpl == s->cpl) {
        x86_stack_done(&k);
        go(cpu, (uint16_t)cs, &d, rpl, ip);
        return true;
    }
    if (!x86_stack_pop(&k, &sp) || !x86_stack_pop(&k, &ss) ||
        !return_stack(cpu, (uint16_t)ss, rpl, is_long_code(cpu, &d), &ssd, &null))
        return false;
    x86_seg_set(cpu, X86_CS, (uint16_t)cs, &d);
    set_stack(cpu, (uint16_t)ss, rpl, &ssd, null, sp);
    k = x86_stack_now(cpu, size);
    s->u.r[X86_SP] = (s->u.r[X86_SP] & ~k.mask) | ((s->u.r[X86_SP] + release) & k.mask);
    x86_drop_segs(cpu, rpl);
    go(cpu, (uint16_t)cs, &d, rpl, ip);
    return true;
}

uint64_t x86_help_far_ret(struct cpu *cpu, uint64_t release, uint64_t b, uint64_t how)
{
    struct x86_stack k = x86_stack_now(cpu, size_of(how));
    uint64_t ip, cs;

    (void)b;
    if (!by_table(x86s(cpu))) {
        return_far(cpu, size_of(how), release);
        return 0;
    }
    if (!x86_stack_pop(&k, &ip) || !x86_stack_pop(&k, &cs))
        return 0;
    k.sp = (k.sp & ~k.mask) | ((k.sp + release) & k.mask);
    x86_stack_done(&k);
    go_real(cpu, (uint16_t)cs, ip);
    return 0;
}

/* --- IRET --- */

/* The flags that @size and privilege let be changed. */
static void return_flags(struct cpu *cpu, uint32_t v, unsigned size, unsigned cpl)
{
    uint32_t may = X86_FL_STATUS | X86_FL_TF | X86_FL_DF | X86_FL_NT, old = x86_get_eflags(cpu);

    if (size > 2)
        may |= X86_FL_RF | X86_FL_AC | X86_FL_ID;
    if (cpl <= (old >> 12 & 3))
        may |= X86_FL_IF;
    if (cpl == 0)
        may |= X86_FL_IOPL | (size > 2 ? X86_FL_VIF | X86_FL_VIP : 0);
    x86_set_eflags(cpu, (old & ~may) | (v & may));
}

static void to_v86(struct cpu *cpu, uint32_t ip, uint16_t cs, uint32_t flags, const uint64_t v[6])
{
    static const uint8_t order[] = {X86_ES, X86_DS, X86_FS, X86_GS};
    struct x86_sys *s = x86s(cpu);

    x86_set_eflags(cpu, (flags & 0x3f7fd5) | X86_FL_VM);
    s->cpl = 3;
    x86_seg_real(cpu, X86_CS, cs);
    x86_seg_real(cpu, X86_SS, (uint16_t)v[1]);
    for (unsigned i = 0; i < 4; i++)
        x86_seg_real(cpu, order[i], (uint16_t)v[2 + i]);
    s->u.r[X86_SP] = (uint32_t)v[0];
    x86_set_ip(cpu, ip & 0xffff);
    x86_update_mode(cpu);
}

/* The frame that was pushed when the virtual-8086 task was left. */
static bool iret_to_v86(struct cpu *cpu, struct x86_stack *k, uint32_t ip, uint16_t cs, uint32_t flags)
{
    uint64_t v[6];

    for (unsigned i = 0; i < 6; i++)
        if (!x86_stack_pop(k, &v[i]))
            return false;
    to_v86(cpu, ip, cs, flags, v);
    return true;
}

static bool iret_protected(struct cpu *cpu, unsigned size)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_stack k = x86_stack_now(cpu, size);
    uint64_t ip, cs, flags, sp = 0, ss = 0;
    struct x86_desc d, ssd;
    unsigned rpl, old = s->cpl;
    bool null = false, pops;

    if (!x86_stack_pop(&k, &ip) || !x86_stack_pop(&k, &cs) || !x86_stack_pop(&k, &flags))
        return false;
    if (size == 4 && (flags & X86_FL_VM) && s->cpl == 0 && !x86_lma(s))
        return iret_to_v86(cpu, &k, (uint32_t)ip, (uint16_t)cs, (uint32_t)flags);
    if (!return_code(cpu, (uint16_t)cs, &d) || !check_ip(cpu, &d, ip))
        return false;
    rpl = cs & 3;
    pops = rpl != s->cpl || x86_cs64(s);
    if (pops && (!x86_stack_pop(&k, &sp) || !x86_stack_pop(&k, &ss) ||
                 !return_stack(cpu, (uint16_t)ss, rpl, is_long_code(cpu, &d), &ssd, &null)))
        return false;
    return_flags(cpu, (uint32_t)flags, size, old);
    x86_seg_set(cpu, X86_CS, (uint16_t)cs, &d);
    if (pops)
        set_stack(cpu, (uint16_t)ss, rpl, &ssd, null, sp);
    else
        x86_stack_done(&k);
    if (rpl != old)
        x86_drop_segs(cpu, rpl);
    go(cpu, (uint16_t)cs, &d, rpl, ip);
    return true;
}

/* Virtual-8086 tasks return within themselves when IOPL is 3, or with VME. */
static bool iret_real(struct cpu *cpu, unsigned size)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_stack k = x86_stack_now(cpu, size);
    bool vme = x86_pe(s) && x86_iopl(s) < 3;
    uint64_t ip, cs, flags;
    uint32_t now = x86_get_eflags(cpu);

    if (vme && (!(s->cr4 & CR4_VME) || size != 2))
        return x86_gp(cpu, 0);
    if (!x86_stack_pop(&k, &ip) || !x86_stack_pop(&k, &cs) || !x86_stack_pop(&k, &flags))
        return false;
    if (vme && ((flags & X86_FL_TF) || ((flags & X86_FL_IF) && (now & X86_FL_VIP))))
        return x86_gp(cpu, 0);
    x86_stack_done(&k);
    if (vme) {
        now = (now & ~(uint32_t)(X86_FL_STATUS | X86_FL_DF | X86_FL_NT | X86_FL_VIF)) |
              (flags & (X86_FL_STATUS | X86_FL_DF | X86_FL_NT)) | (flags & X86_FL_IF ? X86_FL_VIF : 0);
        x86_set_eflags(cpu, now);
    } else {
        uint32_t may = X86_FL_STATUS | X86_FL_TF | X86_FL_IF | X86_FL_DF | X86_FL_NT | (x86_pe(s) ? 0 : X86_FL_IOPL);

        if (size > 2)
            may |= X86_FL_RF | X86_FL_AC | X86_FL_ID;
        x86_set_eflags(cpu, (now & ~may) | ((uint32_t)flags & may));
    }
    go_real(cpu, (uint16_t)cs, ip);
    return true;
}

uint64_t x86_help_iret(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t how)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t link;
    bool ok;

    (void)a;
    (void)b;
    if (x86_pe(s) && !x86_vm(s) && (s->u.eflags & X86_FL_NT)) {
        if (x86_lma(s)) {
            x86_gp(cpu, 0);
            return 0;
        }
        ok = x86_read_lin(cpu, s->tr.base, 2, true, &link) &&
             x86_task_switch(cpu, (uint16_t)link, X86_TASK_IRET, next_of(cpu, how), -1);
        if (ok)
            cpu->stop = CPU_STOP_AGAIN;
    } else {
        ok = by_table(s) ? iret_real(cpu, size_of(how)) : iret_protected(cpu, size_of(how));
    }
    if (ok)
        s->nmi_blocked = false;
    if (ok && !(~s->u.eflags & (X86_FL_VIF | X86_FL_VIP))) /* x86_interrupt looks whether that is #GP */
        cpu->stop = CPU_STOP_AGAIN;
    return 0;
}

/* --- Fast system calls --- */

static void flat_code(struct x86_sys *s, uint16_t sel, unsigned cpl, uint32_t size_bits)
{
    s->u.seg[X86_CS] = (struct x86_segment){(uint16_t)((sel & ~3u) | cpl), 0xffffffff, 0x809b00 | size_bits | cpl << 13};
    s->u.base[X86_CS] = 0;
    s->cpl = (uint8_t)cpl;
}

static void flat_stack(struct x86_sys *s, uint16_t sel, unsigned cpl)
{
    s->u.seg[X86_SS] = (struct x86_segment){(uint16_t)((sel & ~3u) | cpl), 0xffffffff, 0xc09300 | cpl << 13};
    s->u.base[X86_SS] = 0;
}

uint64_t x86_help_syscall(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t how)
{
    struct x86_sys *s = x86s(cpu);
    uint32_t flags = x86_get_eflags(cpu);
    uint64_t to;

    (void)a;
    (void)b;
    if (!(s->efer & EFER_SCE)) {
        x86_fault(cpu, X86_EXC_UD, 0);
        return 0;
    }
    if (x86_lma(s)) {
        s->u.r[X86_CX] = next_of(cpu, how);
        s->u.r[11] = flags & ~(uint32_t)X86_FL_RF;
        to = x86_cs64(s) ? s->lstar : s->cstar;
        x86_set_eflags(cpu, flags & ~(uint32_t)s->sfmask & ~(uint32_t)X86_FL_RF);
        flat_code(s, (uint16_t)(s->star >> 32), 0, SEG_L);
    } else {
        s->u.r[X86_CX] = x86_ip_of(s, next_of(cpu, how));
        to = (uint32_t)s->star;
        x86_set_eflags(cpu, flags & ~(uint32_t)(X86_FL_VM | X86_FL_IF | X86_FL_RF));
        flat_code(s, (uint16_t)(s->star >> 32), 0, SEG_DB);
    }
    flat_stack(s, (uint16_t)((s->star >> 32) + 8), 0);
    x86_set_ip(cpu, to);
    x86_update_mode(cpu);
    return 0;
}

uint64_t x86_help_sysret(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t how)
{
    struct x86_sys *s = x86s(cpu);
    uint16_t sel = (uint16_t)(s->star >> 48);
    uint64_t to = s->u.r[X86_CX];
    bool to64 = size_of(how) == 8;

    (void)a;
    (void)b;
    if (!(s->efer & EFER_SCE) || !x86_pe(s)) {
        x86_fault(cpu, X86_EXC_UD, 0);
        return 0;
    }
    if (s->cpl || (to64 && !x86_canonical(s, to))) {
        x86_gp(cpu, 0);
        return 0;
    }
    if (x86_lma(s))
        x86_set_eflags(cpu, (uint32_t)(s->u.r[11] & 0x3c7fd7) | X86_FL_ONE);
    else
        x86_set_eflags(cpu, x86_get_eflags(cpu) | X86_FL_IF);
    flat_code(s, (uint16_t)(to64 ? sel + 16 : sel), 3, to64 ? SEG_L : SEG_DB);
    s->u.seg[X86_SS].selector = (uint16_t)((sel + 8) | 3);
    s->u.seg[X86_SS].limit = 0xffffffff;
    s->u.seg[X86_SS].attr = 0xc0f300;
    s->u.base[X86_SS] = 0;
    x86_set_ip(cpu, to64 ? to : (uint32_t)to);
    x86_update_mode(cpu);
    return 0;
}

uint64_t x86_help_sysenter(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_sys *s = x86s(cpu);
    uint16_t sel = (uint16_t)s->sysenter_cs;

    (void)a;
    (void)b;
    (void)c;
    if (!x86_pe(s) || !(sel & 0xfffc)) {
        x86_gp(cpu, 0);
        return 0;
    }
    x86_set_eflags(cpu, x86_get_eflags(cpu) & ~(uint32_t)(X86_FL_VM | X86_FL_IF | X86_FL_RF));
    flat_code(s, sel, 0, x86_lma(s) ? SEG_L : SEG_DB);
    flat_stack(s, (uint16_t)(sel + 8), 0);
    s->u.r[X86_SP] = x86_lma(s) ? s->sysenter_esp : (uint32_t)s->sysenter_esp;
    x86_set_ip(cpu, x86_lma(s) ? s->sysenter_eip : (uint32_t)s->sysenter_eip);
    x86_update_mode(cpu);
    return 0;
}

uint64_t x86_help_sysexit(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t how)
{
    struct x86_sys *s = x86s(cpu);
    uint16_t sel = (uint16_t)s->sysenter_cs;
    bool to64 = size_of(how) == 8;

    (void)a;
    (void)b;
    if (!x86_pe(s) || s->cpl || !(sel & 0xfffc) ||
        (to64 && (!x86_canonical(s, s->u.r[X86_CX]) || !x86_canonical(s, s->u.r[X86_DX])))) {
        x86_gp(cpu, 0);
        return 0;
    }
    flat_code(s, (uint16_t)(sel + (to64 ? 32 : 16)), 3, to64 ? SEG_L : SEG_DB);
    flat_stack(s, (uint16_t)(sel + (to64 ? 40 : 24)), 3);
    s->u.r[X86_SP] = to64 ? s->u.r[X86_CX] : (uint32_t)s->u.r[X86_CX];
    x86_set_ip(cpu, to64 ? s->u.r[X86_DX] : (uint32_t)s->u.r[X86_DX]);
    x86_update_mode(cpu);
    return 0;
}
