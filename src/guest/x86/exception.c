/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts of machines: entering handlers, double and triple faults, what waits to be taken
 * (SDM 3A, chapter 6; 3B, chapter 17 for debug exceptions; virtual-8086: 3B, chapter 20).
 */
#include "cpu/engine.h"
#include "guest/x86/decode.h"
#include "guest/x86/system_priv.h"

#include <inttypes.h>
#include <stdio.h>

enum { FRESH = X86_SHADOW_FRESH };

bool x86_has_error(unsigned vector)
{
    return vector == X86_EXC_DF || (vector >= X86_EXC_TS && vector <= X86_EXC_PF) || vector == X86_EXC_AC || vector == X86_EXC_CP ||
           vector == X86_EXC_SX;
}

/* What is being delivered. */
struct event {
    struct cpu *cpu;
    struct x86_sys *s;
    unsigned vector, soft;
    unsigned type;  /* EVENT_*, for SVM */
    bool walked;    /* a page fault that a walk found: its address is not in CR2 yet */
    bool injected;  /* not to be intercepted */
    uint32_t error;
    bool has_error;
    uint32_t ext; /* EXT bit of error codes of what is raised on the way */
    uint64_t pc;  /* linear, to be saved */
    uint32_t flags;
};

struct gate {
    uint32_t lo, hi, high;
};

static uint16_t gate_selector(const struct gate *g)
{
    return (uint16_t)(g->lo >> 16);
}

/* --- Real mode and virtual-8086 through the interrupt table --- */

static bool enter_table(struct event *v, uint64_t table, uint32_t flags)
{
    struct x86_stack k = x86_stack_now(v->cpu, 2);
    uint64_t entry;

    if (!x86_read_lin(v->cpu, table + 4 * v->vector, 4, true, &entry))
        return false;
    if (!x86_stack_push(&k, flags & 0xffff) || !x86_stack_push(&k, v->s->u.seg[X86_CS].selector) ||
        !x86_stack_push(&k, x86_ip_of(v->s, v->pc) & 0xffff))
        return false;
    x86_stack_done(&k);
    x86_seg_real(v->cpu, X86_CS, (uint16_t)(entry >> 16));
    v->cpu->pc = (uint32_t)(v->s->u.base[X86_CS] + (entry & 0xffff));
    return true;
}

static bool enter_real(struct event *v)
{
    if (v->vector * 4 + 3 > v->s->idt.limit)
        return x86_gp(v->cpu, 0);
    if (!enter_table(v, v->s->idt.base, v->flags))
        return false;
    x86_set_eflags(v->cpu, x86_get_eflags(v->cpu) & ~(uint32_t)(X86_FL_IF | X86_FL_TF | X86_FL_AC | X86_FL_RF));
    return true;
}

/* VME: INT n of virtual-8086 tasks whose bit in the redirection map is clear goes to the task's own table (SDM 3B, 20.3.3). */
static bool redirected(struct event *v, bool *yes)
{
    uint64_t map, bits;

    *yes = false;
    if (!(v->s->cr4 & CR4_VME) || v->s->tr.limit < 103)
        return true;
    if (!x86_read_lin(v->cpu, v->s->tr.base + 102, 2, true, &map))
        return false;
    if (map < 32 || map - 32 + v->vector / 8 > v->s->tr.limit)
        return true;
    if (!x86_read_lin(v->cpu, v->s->tr.base + map - 32 + v->vector / 8, 1, true, &bits))
        return false;
    *yes = !(bits >> (v->vector % 8) & 1);
    return true;
}

static bool enter_v86(struct event *v)
{
    uint32_t flags = v->flags, now = x86_get_eflags(v->cpu);
    bool iopl3 = x86_iopl(v->s) == 3;

    if (!iopl3) { /* the task sees VIF as IF */
        flags = (flags & ~(uint32_t)X86_FL_IF) | X86_FL_IOPL | (now & X86_FL_VIF ? X86_FL_IF : 0);
        now &= ~(uint32_t)X86_FL_VIF;
    } else {
        now &= ~(uint32_t)X86_FL_IF;
    }
    if (!enter_table(v, 0, flags))
        return false;
    x86_set_eflags(v->cpu, now & ~(uint32_t)X86_FL_TF);
    return true;
}

/* --- Gates --- */

static uint32_t gate_error(const struct event *v)
{
    return v->vector * 8 + 2;
}

static bool read_gate(struct event *v, struct gate *g)
{
    unsigned size = x86_lma(v->s) ? 16 : 8;
    uint64_t at = v->s->idt.base + v->vector * size, lo, hi = 0;

    if (v->vector * size + size - 1 > v->s->idt.limit)
        return x86_gp(v->cpu, gate_error(v));
    if (!x86_read_lin(v->cpu, at, 8, true, &lo) || (size == 16 && !x86_read_lin(v->cpu, at + 8, 8, true, &hi)))
        return false;
    *g = (struct gate){(uint32_t)lo, (uint32_t)(lo >> 32), (uint32_t)hi};
    return true;
}

static bool check_gate(struct event *v, const struct gate *g)
{
    unsigned type = sys_type(g->hi);
    bool is_long = x86_lma(v->s);
    bool known = (type & 7) == SYS_INT16 || (type & 7) == SYS_TRAP16 || (type == SYS_TASK && !is_long);

    if ((g->hi & SEG_S) || !known || (is_long && type < SYS_INT32))
        return x86_gp(v->cpu, gate_error(v));
    if (v->soft == 1 && seg_dpl(g->hi) < v->s->cpl)
        return x86_gp(v->cpu, gate_error(v));
    if (!(g->hi & SEG_P))
        return x86_fault(v->cpu, X86_EXC_NP, gate_error(v));
    return true;
}

/* The handler's code segment and the privilege it runs at. */
static bool check_code(struct event *v, uint16_t sel, struct x86_desc *d, unsigned *cpl)
{
    int r;

    if (!(sel & 0xfffc))
        return x86_gp(v->cpu, 0);
    r = x86_desc_find(v->cpu, sel, d);
    if (r < 0)
        return false;
    if (!r || (d->hi & (SEG_S | SEG_CODE)) != (SEG_S | SEG_CODE) || seg_dpl(d->hi) > v->s->cpl)
        return x86_gp(v->cpu, sel & 0xfffc);
    if (!(d->hi & SEG_P))
        return x86_fault(v->cpu, X86_EXC_NP, sel & 0xfffc);
    if (x86_lma(v->s) && (d->hi & (SEG_L | SEG_DB)) != SEG_L)
        return x86_gp(v->cpu, sel & 0xfffc);
    *cpl = d->hi & SEG_CE ? v->s->cpl : seg_dpl(d->hi);
    if (x86_vm(v->s) && *cpl)
        return x86_gp(v->cpu, sel & 0xfffc);
    return x86_desc_accessed(v->cpu, d);
}

static void set_flags(struct event *v, bool interrupt_gate)
{
    uint32_t clear = X86_FL_TF | X86_FL_NT | X86_FL_RF | X86_FL_VM | (interrupt_gate ? X86_FL_IF : 0);

    x86_set_eflags(v->cpu, x86_get_eflags(v->cpu) & ~clear);
}

static void set_code(struct event *v, uint16_t sel, const struct x86_desc *d, unsigned cpl, uint64_t ip)
{
    x86_seg_set(v->cpu, X86_CS, (uint16_t)((sel & ~3u) | cpl), d);
    v->s->cpl = (uint8_t)cpl;
    v->cpu->pc = x86_cs64(v->s) ? ip : (uint32_t)(v->s->u.base[X86_CS] + ip);
}

static bool push_frame(struct event *v, struct x86_stack *k)
{
    return x86_stack_push(k, v->flags) && x86_stack_push(k, v->s->u.seg[X86_CS].selector) &&
           x86_stack_push(k, x86_ip_of(v->s, v->pc)) && (!v->has_error || x86_stack_push(k, v->error));
}

/* --- Protected mode --- */

static bool push_v86_segments(struct event *v, struct x86_stack *k)
{
    static const uint8_t order[] = {X86_GS, X86_FS, X86_DS, X86_ES};

    for (unsigned i = 0; i < sizeof(order); i++)
        if (!x86_stack_push(k, v->s->u.seg[order[i]].selector))
            return false;
    return true;
}

/* A stack of the inner privilege, out of the TSS. */
static bool inner_stack(struct event *v, unsigned cpl, unsigned size, struct x86_stack *k, uint16_t *ss, struct x86_desc *d)
{
    uint32_t sp;

    if (!x86_tss_stack(v->cpu, cpl, ss, &sp) || !x86_check_ss(v->cpu, *ss, cpl, X86_EXC_TS, d))
        return false;
    *k = (struct x86_stack){.cpu = v->cpu, .base = desc_base(d), .sp = sp, .mask = d->hi & SEG_DB ? 0xffffffff : 0xffff,
                            .limit = desc_limit(d), .attr = d->hi & SEG_ATTR, .error = *ss & 0xfffc, .size = size, .sys = true};
    if (x86_vm(v->s) && !push_v86_segments(v, k))
        return false;
    return x86_stack_push(k, v->s->u.seg[X86_SS].selector) && x86_stack_push(k, v->s->u.r[X86_SP]);
}

static bool enter_protected(struct event *v, const struct gate *g)
{
    unsigned cpl, size = sys_type(g->hi) >= 8 ? 4 : 2;
    uint32_t ip = (g->lo & 0xffff) | (size == 4 ? g->hi & 0xffff0000 : 0);
    struct x86_desc cs, ssd;
    struct x86_stack k;
    uint16_t sel = gate_selector(g), ss = 0;
    bool inner, from_v86 = x86_vm(v->s);

    if (!check_code(v, sel, &cs, &cpl))
        return false;
    inner = cpl < v->s->cpl;
    if (inner && !inner_stack(v, cpl, size, &k, &ss, &ssd))
        return false;
    if (!inner) {
        k = x86_stack_now(v->cpu, size);
        k.sys = cpl < 3;
    }
    if (!push_frame(v, &k))
        return false;
    if (!from_v86 && ip > desc_limit(&cs))
        return x86_gp(v->cpu, 0);
    if (from_v86)
        for (unsigned i = 0; i < X86_NUM_SEGS; i++)
            if (i != X86_CS && i != X86_SS)
                x86_seg_null(v->cpu, i, 0);
    set_flags(v, (sys_type(g->hi) & 1) == 0);
    if (inner)
        x86_seg_set(v->cpu, X86_SS, ss, &ssd);
    set_code(v, sel, &cs, cpl, ip);
    x86_stack_done(&k);
    return true;
}

/* --- Long mode --- */

/* RSPn, or an interrupt stack. */
static bool long_stack(struct event *v, unsigned cpl, unsigned ist, uint64_t *sp)
{
    uint32_t off = ist ? 36 + 8 * (ist - 1) : 4 + 8 * cpl;

    if (off + 7 > v->s->tr.limit)
        return x86_fault(v->cpu, X86_EXC_TS, v->s->tr.selector & 0xfffc);
    if (!x86_read_lin(v->cpu, v->s->tr.base + off, 8, true, sp))
        return false;
    return x86_canonical(v->s, *sp) || x86_fault(v->cpu, X86_EXC_SS, 0);
}

static bool enter_long(struct event *v, const struct gate *g)
{
    uint64_t ip = (g->lo & 0xffff) | (g->hi & 0xffff0000) | (uint64_t)g->high << 32, sp = v->s->u.r[X86_SP];
    unsigned cpl, ist = g->hi & 7;
    struct x86_stack k = {.cpu = v->cpu, .mask = ~0ull, .size = 8, .flat = true};
    struct x86_desc cs;
    uint16_t sel = gate_selector(g);

    if (!check_code(v, sel, &cs, &cpl))
        return false;
    if ((ist || cpl < v->s->cpl) && !long_stack(v, cpl, ist, &sp))
        return false;
    k.sys = cpl < 3;
    k.sp = sp & ~15ull;
    if (!x86_stack_push(&k, v->s->u.seg[X86_SS].selector) || !x86_stack_push(&k, v->s->u.r[X86_SP]) || !push_frame(v, &k))
        return false;
    if (!x86_canonical(v->s, ip))
        return x86_gp(v->cpu, 0);
    set_flags(v, (sys_type(g->hi) & 1) == 0);
    if (cpl < v->s->cpl) {
        v->s->u.seg[X86_SS] = (struct x86_segment){(uint16_t)cpl, 0xffffffff, SEG_P | SEG_S | SEG_RW | SEG_DB | cpl << 13};
        v->s->u.base[X86_SS] = 0;
    }
    set_code(v, sel, &cs, cpl, ip);
    x86_stack_done(&k);
    return true;
}

/* --- Delivery --- */

static bool enter(struct event *v)
{
    struct gate g = {0, 0, 0};
    bool vme;

    if (!x86_pe(v->s))
        return enter_real(v);
    if (x86_vm(v->s) && v->soft == 1 && v->vector != X86_EXC_BP && v->vector != X86_EXC_OF) {
        if (!redirected(v, &vme))
            return false;
        if (vme)
            return enter_v86(v);
        if (x86_iopl(v->s) < 3)
            return x86_gp(v->cpu, 0);
    }
    if (!read_gate(v, &g) || !check_gate(v, &g))
        return false;
    if (sys_type(g.hi) == SYS_TASK)
        return x86_task_switch(v->cpu, gate_selector(&g), X86_TASK_GATE, v->pc, v->has_error ? (int64_t)v->error : -1);
    return x86_lma(v->s) ? enter_long(v, &g) : enter_protected(v, &g);
}

static bool contributory(unsigned vector)
{
    return vector == X86_EXC_DE || (vector >= X86_EXC_TS && vector <= X86_EXC_GP);
}

void x86_shut_down(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    if (s->shutdown)
        s->shutdown(s->shutdown_opaque);
    else
        machine_ask(s->m, ASK_RESET, "guest-reset");
}

/* What the failed delivery raised: vector and error code.  The EXT bit says that it was no INT, INT3 or INTO (SDM 3A, 6.13). */
static unsigned raised(const struct event *v, uint32_t *error)
{
    struct cpu *cpu = v->cpu;
    struct x86_sys *s = x86s(cpu);
    bool walked = cpu->stop == CPU_STOP_FAULT;
    unsigned vector = walked ? s->fault_vector : X86_DETAIL_VECTOR(cpu->detail);

    *error = walked ? s->fault_error : X86_DETAIL_ERROR(cpu->detail);
    if (vector >= X86_EXC_TS && vector <= X86_EXC_GP)
        *error |= v->ext;
    cpu->stop = CPU_STOP_NONE;
    return vector;
}

/* Faults save RF set, so that an instruction breakpoint does not strike again (SDM 3B, 17.3.1.1). */
static bool saves_rf(const struct event *v)
{
    bool trap = v->vector == X86_EXC_DB || v->vector == X86_EXC_BP || v->vector == X86_EXC_OF || v->vector == X86_EXC_DF;

    return v->type == EVENT_EXCEPTION && !v->soft && v->ext && !trap && v->vector < 32 && v->vector != X86_EXC_NMI && v->s->dr7 & 0xff;
}

/* --- In SVM guests --- */

/* As EVENTINJ and EXITINTINFO have it. */
static uint64_t as_info(const struct event *v)
{
    return EVENT_VALID | v->vector | v->type | (v->has_error ? EVENT_ERROR | (uint64_t)v->error << 32 : 0);
}

/* The address of a page fault is for who gets it (APM 2, 15.12.15), and so is its error code, also in real mode, where handlers get none. */
static bool exception_caught(struct event *v)
{
    bool counts = v->type == EVENT_EXCEPTION && !v->injected;
    uint64_t info2 = v->vector == X86_EXC_PF ? v->s->fault_cr2 : 0;

    if (!counts || !x86_catches(v->s, EXIT_EXCEPTION + v->vector))
        return false;
    x86_vmexit(v->cpu, EXIT_EXCEPTION + v->vector, x86_has_error(v->vector) ? v->error : 0, info2);
    return true;
}

static enum vcpu_next nested_fault(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    x86_vmexit(cpu, EXIT_NPF, s->svm.npf, s->fault_cr2);
    return VCPU_GO;
}

static enum vcpu_next triple_fault(struct cpu *cpu)
{
    cpu_log(cpu, ENGINE_LOG_RESET, false, "Triple fault");
    if (x86_catches(x86s(cpu), EXIT_SHUTDOWN)) {
        x86_vmexit(cpu, EXIT_SHUTDOWN, 0, 0);
        return VCPU_GO;
    }
    x86_shut_down(cpu);
    return VCPU_OFF;
}

/* --- Delivery, and what comes of it --- */

/* -d int, in the form that writers of systems know from the reference. */
static void log_check(struct cpu *cpu, unsigned first, unsigned second)
{
    cpu_log(cpu, ENGINE_LOG_STOP, false, "check_exception old: %#x new %#x", first, second);
}

static void log_event(const struct event *v)
{
    static unsigned count; /* of all CPUs [atomic] */
    const struct x86_sys *s = v->s;
    int digits = x86_feat(s, X86_FEAT_LM) ? 16 : 8;
    bool page = v->vector == X86_EXC_PF;

    cpu_log(v->cpu, ENGINE_LOG_STOP, true,
            "%6u: v=%02x e=%04x i=%d cpl=%u IP=%04x:%0*" PRIx64 " pc=%0*" PRIx64 " SP=%04x:%0*" PRIx64 " %s=%0*" PRIx64,
            __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED), v->vector, v->error, v->soft != 0, s->cpl, s->u.seg[X86_CS].selector, digits,
            x86_ip_of(s, v->cpu->pc), digits, v->cpu->pc, s->u.seg[X86_SS].selector, digits, s->u.r[X86_SP], page ? "CR2" : "env->regs[R_EAX]",
            digits, page ? s->cr2 : s->u.r[X86_AX]);
}

static enum vcpu_next deliver(struct event *v)
{
    bool twice = false, log = v->cpu->engine->conf.log;

    v->s->svm.event = 0;
    if (log && v->type == EVENT_EXCEPTION && !v->soft)
        log_check(v->cpu, ~0u, v->vector);
    for (;;) {
        unsigned first = v->vector, second;
        uint32_t error;

        if (exception_caught(v))
            return VCPU_GO;
        if (v->walked && v->vector == X86_EXC_PF)
            v->s->cr2 = v->s->fault_cr2;
        v->s->svm.event = as_info(v);
        if (log)
            log_event(v);
        v->flags = x86_get_eflags(v->cpu) | (saves_rf(v) ? X86_FL_RF : 0);
        v->cpu->stop = CPU_STOP_NONE;
        if (enter(v))
            break;
        if (v->cpu->stop == CPU_STOP_AGAIN) { /* a task switch that was intercepted */
            v->cpu->stop = CPU_STOP_NONE;
            return VCPU_GO;
        }
        v->walked = v->cpu->stop == CPU_STOP_FAULT;
        second = raised(v, &error);
        if (log)
            log_check(v->cpu, v->soft ? ~0u : first, second);
        if (second == X86_NESTED_FAULT)
            return nested_fault(v->cpu);
        if (first == X86_EXC_DF && twice)
            return triple_fault(v->cpu);
        if (x86_catches(v->s, EXIT_EXCEPTION + second)) {
            ; /* before it is made a double fault of */
        } else if ((contributory(first) && contributory(second)) ||
            (first == X86_EXC_PF && (second == X86_EXC_PF || contributory(second)))) {
            second = X86_EXC_DF;
            error = 0;
            twice = true;
        }
        v->vector = second;
        v->pc = v->cpu->pc; /* of INT n itself, or of the task that was switched to */
        v->error = error;
        v->has_error = x86_pe(v->s) && x86_has_error(second);
        v->soft = 0;
        v->ext = 1;
        v->type = EVENT_EXCEPTION;
        v->injected = false;
    }
    v->cpu->stop = CPU_STOP_NONE;
    v->s->svm.event = 0;
    x86_update_mode(v->cpu);
    return VCPU_GO;
}

static enum vcpu_next fault(struct cpu *cpu, unsigned vector, uint32_t error, unsigned soft, unsigned type, bool walked, uint64_t saved_pc)
{
    struct event v = {.type = type, .walked = walked, .cpu = cpu, .s = x86s(cpu), .vector = vector, .soft = soft, .error = error, .pc = saved_pc, .ext = !soft};

    v.has_error = !soft && x86_pe(v.s) && vector < 32 && x86_has_error(vector);
    v.s->shadow = 0;
    return deliver(&v);
}

enum vcpu_next x86_deliver(struct cpu *cpu, unsigned vector, uint32_t error, unsigned soft, uint64_t saved_pc)
{
    return fault(cpu, vector, error, soft, EVENT_EXCEPTION, false, saved_pc);
}

enum vcpu_next x86_inject(struct cpu *cpu, uint64_t event, uint64_t saved_pc)
{
    struct event v = {.cpu = cpu, .s = x86s(cpu), .vector = event & 255, .type = event & EVENT_TYPE, .injected = true, .pc = saved_pc};

    if (v.type == EVENT_NMI)
        v.vector = X86_EXC_NMI;
    v.soft = v.type == EVENT_SOFT || (v.type == EVENT_EXCEPTION && (v.vector == X86_EXC_BP || v.vector == X86_EXC_OF));
    v.ext = !v.soft;
    v.has_error = event & EVENT_ERROR && x86_pe(v.s);
    v.error = (uint32_t)(event >> 32);
    return deliver(&v);
}

static enum vcpu_next external(struct cpu *cpu, unsigned vector, unsigned type)
{
    struct event v = {.cpu = cpu, .s = x86s(cpu), .vector = vector, .type = type, .pc = cpu->pc, .ext = 1};

    return deliver(&v); /* without an error code, whatever its number */
}

/* --- Debug exceptions --- */

static bool breakpoints_on(const struct x86_sys *s)
{
    return s->dr7 & 0xff;
}

static enum vcpu_next debug_exception(struct cpu *cpu, uint64_t dr6)
{
    struct x86_sys *s = x86s(cpu);

    s->dr6 = (s->dr6 & ~15ull) | dr6;
    s->dr7 &= ~(uint64_t)DR7_GD;
    s->debugctl &= ~1ull;
    return x86_deliver(cpu, X86_EXC_DB, 0, 0, cpu->pc);
}

/* The instruction at pc has a breakpoint; RF lets it run once. */
static bool instruction_breakpoint(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t hit = 0;

    if (!breakpoints_on(s) || (s->u.eflags & X86_FL_RF) || (s->shadow & 2))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if ((s->dr7 >> (2 * i) & 3) && !(s->dr7 >> (16 + 4 * i) & 3) && s->dr[i] == cpu->pc)
            hit |= 1ull << i;
    if (!hit)
        return false;
    debug_exception(cpu, hit);
    return true;
}

/* An instruction that was executed by itself is done. */
static enum vcpu_next stepped(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t dr6 = s->db_hit;

    s->db_hit = 0;
    s->u.eflags &= ~(uint32_t)X86_FL_RF;
    if (!(s->shadow & FRESH))
        s->shadow = 0;
    else if (s->shadow & 2) /* what MOV SS would trap for is lost; the next instruction's traps are not (SDM 3A, 6.8.3) */
        return VCPU_GO;
    if (s->tf_before)
        dr6 |= DR6_BS;
    return dr6 ? debug_exception(cpu, dr6) : VCPU_GO;
}

/* --- What waits --- */

void x86_unmasked(struct cpu *cpu, uint64_t next_pc, unsigned shadow)
{
    struct x86_sys *s = x86s(cpu);
    bool waits = __atomic_load_n(&s->events, __ATOMIC_ACQUIRE) & EV_ANY || x86_virtual_interrupt(s);

    if (!waits && !(s->u.eflags & X86_FL_TF) && !breakpoints_on(s) && !(shadow && x86_guest(s))) /* a #VMEXIT tells of the shadow */
        return;
    if (shadow && !(s->shadow & ~FRESH))
        s->shadow = (uint8_t)(shadow | FRESH);
    x86_leave(cpu, next_pc);
}

static bool take(struct x86_sys *s, uint32_t ev)
{
    return __atomic_fetch_and(&s->events, ~ev, __ATOMIC_SEQ_CST) & ev;
}

static void wake_up(struct x86_sys *s)
{
    s->halted = false;
}

static bool take_nmi(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    if (s->nmi_blocked || !(__atomic_load_n(&s->events, __ATOMIC_ACQUIRE) & EV_NMI))
        return false;
    if (x86_catches(s, EXIT_NMI)) { /* it goes on waiting */
        x86_vmexit(cpu, EXIT_NMI, 0, 0);
        return true;
    }
    take(s, EV_NMI);
    wake_up(s);
    s->nmi_blocked = true;
    external(cpu, X86_EXC_NMI, EVENT_NMI);
    return true;
}

static bool take_intr(struct cpu *cpu, uint32_t events)
{
    struct x86_sys *s = x86s(cpu);
    int vector;

    if (!(events & EV_INTR) || !x86_if(s) || !s->intc)
        return false;
    if (x86_catches(s, EXIT_INTR)) {
        x86_vmexit(cpu, EXIT_INTR, 0, 0);
        return true;
    }
    vector = s->intc->ack(s->intc_opaque);
    if (vector < 0)
        return false;
    cpu_log(cpu, ENGINE_LOG_STOP, false, "Servicing hardware INT=0x%02x", (unsigned)vector);
    wake_up(s);
    external(cpu, (unsigned)vector, EVENT_INTR);
    return true;
}

static void take_virtual(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    if (!x86_virtual_interrupt(s))
        return;
    if (x86_catches(s, EXIT_VINTR)) {
        x86_vmexit(cpu, EXIT_VINTR, 0, 0);
        return;
    }
    s->svm.vint &= ~(uint64_t)VINT_IRQ;
    wake_up(s);
    external(cpu, s->svm.vint >> 32 & 255, EVENT_INTR);
}

static bool take_smi(struct cpu *cpu, uint32_t events)
{
    struct x86_sys *s = x86s(cpu);

    if (!(events & EV_SMI) || s->smm)
        return false;
    if (x86_catches(s, EXIT_SMI)) {
        x86_vmexit(cpu, EXIT_SMI, 0, 0);
    } else if (take(s, EV_SMI)) {
        wake_up(s);
        x86_enter_smm(cpu);
    }
    return true;
}

static void take_events(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    uint32_t events = __atomic_load_n(&s->events, __ATOMIC_ACQUIRE);

    if (!s->gif || (!(events & EV_ANY) && !s->svm.guest))
        return;
    if ((events & EV_INIT) && take(s, EV_INIT))
        x86_init(cpu);
    if (!take_smi(cpu, events) && !take_nmi(cpu) && !take_intr(cpu, events))
        take_virtual(cpu);
}

/* VIF and VIP both, where they count: the monitor is to look (SDM 3B, 20.3.2, 20.4).  Only IRET and task switches lead here. */
static bool virtual_pending(const struct x86_sys *s)
{
    bool counts = x86_vm(s) ? s->cr4 & CR4_VME : s->cpl == 3 && s->cr4 & CR4_PVI;

    return counts && x86_pe(s) && x86_iopl(s) < 3 && !(~s->u.eflags & (X86_FL_VIF | X86_FL_VIP));
}

/* Before guest code runs.  TF, breakpoints and what shields the next instruction make it run by itself. */
void x86_interrupt(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    if (s->shadow & X86_SHADOW_TASK)
        debug_exception(cpu, DR6_BT);
    else if (s->shadow)
        s->shadow &= (uint8_t)~FRESH;
    else
        take_events(cpu);
    if (instruction_breakpoint(cpu))
        s->shadow = 0;
    if (virtual_pending(s))
        x86_deliver(cpu, X86_EXC_GP, 0, 0, cpu->pc);
    s->tf_before = s->u.eflags & X86_FL_TF;
    cpu->guest_step = s->tf_before || s->shadow || breakpoints_on(s);
}

bool x86_awake(struct cpu *cpu)
{
    const struct x86_sys *s = x86s(cpu);
    uint32_t events = __atomic_load_n(&s->events, __ATOMIC_ACQUIRE);

    if (!s->gif)
        return false;
    return (events & EV_SMI && !s->smm) || (events & EV_NMI && !s->nmi_blocked) || (events & EV_INTR && x86_if(s)) ||
           events & EV_INIT || x86_virtual_interrupt(s);
}

/* --- Why the CPU stopped --- */

/* 64-bit code: was @va, which is not canonical, an address of the stack, by the base register or because the instruction pushes or pops? */
static bool is_of_stack(struct cpu *cpu, uint64_t va)
{
    const struct x86_sys *s = x86s(cpu);
    uint8_t b[X86_MAX_LEN];
    struct x86_insn i;
    bool memory = false;

    x86_decode(cpu->mode, cpu->pc, b, mmu_read(cpu, cpu->pc, b, sizeof(b)), &i);
    for (unsigned n = 0; n < i.n_ops; n++)
        memory |= i.op[n].kind == X86_OP_MEM;
    if (memory && (i.ea.base == X86_SP || i.ea.base == X86_BP) && i.ea.seg < X86_FS)
        return true;
    if (i.map == 0 && i.opcode == 0xc9) /* LEAVE */
        return true;
    if (memory && (i.map || (i.opcode != 0xff && i.opcode != 0x8f)))
        return false;
    return va + 16 - s->u.r[X86_SP] < 32;
}

static enum vcpu_next fault_stop(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    s->db_hit = 0;
    if (s->fault_vector == X86_EXC_GP && x86_cs64(s) && is_of_stack(cpu, s->fault_cr2))
        s->fault_vector = X86_EXC_SS;
    if (s->fault_vector == X86_NESTED_FAULT)
        return nested_fault(cpu);
    return fault(cpu, s->fault_vector, s->fault_error, 0, EVENT_EXCEPTION, true, cpu->pc);
}

static enum vcpu_next halt(struct cpu *cpu, unsigned len, unsigned code)
{
    struct x86_sys *s = x86s(cpu);

    if (len && x86_catches(s, code)) {
        x86_vmexit(cpu, code, 0, 0);
        return VCPU_GO;
    }
    cpu->pc += len;
    s->halted = true;
    s->shadow = 0;
    if (!s->tf_before)
        return VCPU_SLEEP;
    return stepped(cpu);
}

/* INT n has an intercept of its own, INT1 another one; INT3 and INTO only those of exceptions. */
static enum vcpu_next soft_interrupt(struct cpu *cpu, unsigned vector, unsigned len)
{
    struct x86_sys *s = x86s(cpu);
    bool n = len > 1 && vector != X86_EXC_DB;
    unsigned code = vector == X86_EXC_DB && len == 1 ? EXIT_ICEBP : EXIT_SWINT;

    if ((n || code == EXIT_ICEBP) && x86_catches(s, code)) {
        x86_vmexit(cpu, code, code == EXIT_SWINT ? vector : 0, 0);
        return VCPU_GO;
    }
    return fault(cpu, vector, 0, vector == X86_EXC_DB ? 2 : 1, n ? EVENT_SOFT : EVENT_EXCEPTION, false, cpu->pc + len);
}

/*
 * CR0.NE is clear: errors of the x87 unit are the interrupt controller's business.  The CPU is frozen before the instruction until an
 * interrupt comes, IRQ 13 or another one (SDM 1, 8.7.2).
 */
static enum vcpu_next x87_error(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    if (s->cr0 & CR0_NE)
        return x86_deliver(cpu, X86_EXC_MF, 0, 0, cpu->pc);
    s->shadow = 0;
    x86_set_ferr(cpu, true);
    return x86_awake(cpu) ? VCPU_GO : VCPU_SLEEP;
}

static enum vcpu_next guest_stop(struct cpu *cpu)
{
    unsigned vector = X86_DETAIL_VECTOR(cpu->detail), len = X86_DETAIL_LEN(cpu->detail);

    switch (X86_DETAIL_WHY(cpu->detail)) {
    case X86_STOP_EXCEPTION:
        if (vector == X86_EXC_XM && !(x86s(cpu)->cr4 & CR4_OSXMMEXCPT)) /* nobody is ready for it (SDM 3A, 2.5) */
            vector = X86_EXC_UD;
        if (vector == X86_EXC_MF)
            return x87_error(cpu);
        return x86_deliver(cpu, vector, X86_DETAIL_ERROR(cpu->detail), 0, cpu->pc);
    case X86_STOP_INT:
        return soft_interrupt(cpu, vector, len);
    case X86_STOP_HLT:
        return halt(cpu, len, EXIT_HLT);
    case X86_STOP_MWAIT:
        return halt(cpu, len, EXIT_MWAIT);
    default:
        return VCPU_BROKEN;
    }
}

enum vcpu_next x86_stopped(struct cpu *cpu, enum cpu_stop stop)
{
    struct x86_sys *s = x86s(cpu);

    switch (stop) {
    case CPU_STOP_UNDEFINED:
        return x86_deliver(cpu, X86_EXC_UD, 0, 0, cpu->pc);
    case CPU_STOP_ALIGN:
        return x86_deliver(cpu, X86_EXC_GP, 0, 0, cpu->pc);
    case CPU_STOP_FAULT:
    case CPU_STOP_FETCH_FAULT:
        return fault_stop(cpu);
    case CPU_STOP_GUEST:
        return guest_stop(cpu);
    case CPU_STOP_DEBUG:
        if (cpu->guest_step)
            return stepped(cpu);
        return VCPU_DEBUG;
    default:
        s->db_hit = 0;
        return VCPU_GO;
    }
}
