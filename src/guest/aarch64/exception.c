/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AArch64 exceptions: entry, return, routing, interrupts (Arm ARM DDI 0487, D1.3, D1.4, pseudocode AArch64.TakeException). */
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/pauth.h"
#include "guest/aarch64/system_log.h"
#include "guest/aarch64/system_priv.h"

#include <sched.h>
#include <time.h>

#define IL (1u << 25)

/* ISS of traps of conditional instructions: valid, always. */
enum { ALWAYS = 0x1e00000 };

/* --- PSTATE --- */

uint32_t a64_get_spsr(struct cpu *cpu)
{
    const struct a64_sys *s = a64s(cpu);

    return a64_get_pstate(cpu) | (uint32_t)s->daif | (s->il ? PS_IL : 0) | (s->ss ? PS_SS : 0) |
           (s->pan ? PS_PAN : 0) | (s->uao ? PS_UAO : 0) | (uint32_t)s->el << PS_EL | (s->el ? s->spsel : 0);
}

void a64_select_sp(struct cpu *cpu, unsigned el, unsigned spsel)
{
    struct a64_sys *s = a64s(cpu);

    s->sp_el[s->el && s->spsel ? s->el : 0] = s->u.sp;
    s->el = (uint8_t)el;
    s->spsel = el ? (uint8_t)spsel : 0;
    s->u.sp = s->sp_el[s->spsel ? el : 0];
}

/* All but EL, SP and IL. */
static void set_fields(struct cpu *cpu, uint32_t v)
{
    struct a64_sys *s = a64s(cpu);

    a64_set_pstate(cpu, v);
    cpu->landing = s->bti ? cpu->landing : 0;
    s->daif = v & PS_DAIF;
    s->pan = (v & PS_PAN) && a64_core_pan(s->core);
    s->uao = (v & PS_UAO) && a64_core_uao(s->core);
}

void a64_set_spsr(struct cpu *cpu, uint32_t v)
{
    struct a64_sys *s = a64s(cpu);

    set_fields(cpu, v);
    s->il = (v & PS_IL) != 0;
    s->ss = (v & PS_SS) != 0;
    a64_select_sp(cpu, v >> PS_EL & 3, v & PS_SP);
    a64_update_mode(cpu);
}

/* --- What the mode says --- */

/* Where an access to floating-point registers traps to; 0: it does not (CheckFPAdvSIMDEnabled64). */
static unsigned fp_trap_el(const struct a64_sys *s)
{
    uint64_t hcr = hcr_of(s);
    unsigned fpen = a64_bits(s->cpacr, 20, 2);

    if (s->el < 2 && !host_el0(s) && (!(fpen & 1) || (fpen == 1 && s->el == 0)))
        return a64_target(s);
    if (!s->conf.el2)
        return 0;
    if (!(hcr & HCR_E2H))
        return s->cptr >> 10 & 1 ? 2 : 0;
    fpen = a64_bits(s->cptr, 20, 2);
    return !(fpen & 1) || (fpen == 1 && s->el == 0 && (hcr & HCR_TGE)) ? 2 : 0;
}

/* May something trap that the lifter would do in line? */
static bool may_trap(const struct a64_sys *s)
{
    uint64_t hcr = hcr_of(s), sctlr = s->sctlr[control_el(s)];
    uint64_t free0 = SCTLR_UCI | SCTLR_UCT | SCTLR_DZE;

    if (s->el == 2)
        return false;
    if (s->el == 0 && ((sctlr & free0) != free0 || !((host_el0(s) ? s->cnthctl : s->cntkctl) & 2)))
        return true;
    if (!s->conf.el2 || host_el0(s))
        return false;
    return (hcr & (HCR_TVM | HCR_TRVM | HCR_TDZ | HCR_TID2 | HCR_TPU | HCR_TPC)) ||
           !(s->cnthctl >> (hcr & HCR_E2H ? 10 : 0) & 1);
}

static uint32_t mode_of(const struct a64_sys *s)
{
    uint64_t hcr = hcr_of(s), sctlr = s->sctlr[control_el(s)];
    uint32_t pac = SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB;
    bool pac_jumps = s->bti && !(sctlr & (s->el ? SCTLR_BT : SCTLR_BT0));
    bool host = host_el0(s), sp_check = sctlr & (s->el ? SCTLR_SA : SCTLR_SA0);

    return A64_MODE_SYSTEM | (a64_wide(s) ? A64_MODE_WIDE : 0) | (uint32_t)s->el << A64_MODE_EL | (pac_jumps ? A64_MODE_PAC_JUMPS : 0) |
           (sctlr & (s->el ? SCTLR_EE : SCTLR_E0E) ? A64_MODE_BIG : 0) |
           ((s->el == 2 && (hcr & HCR_E2H)) || (s->el == 0 && host) ? A64_MODE_E2H : 0) |
           (s->pan && s->el ? A64_MODE_PAN : 0) |
           (!s->uao && (s->el == 1 || (s->el == 2 && host)) ? A64_MODE_UNPRIV : 0) |
           (fp_trap_el(s) ? A64_MODE_FP_TRAP : 0) | (sctlr & SCTLR_A ? A64_MODE_ALIGN : 0) |
           (may_trap(s) ? A64_MODE_TRAPS : 0) | (s->il ? A64_MODE_IL : 0) |
           (s->el && !s->spsel ? A64_MODE_SP0 : 0) | (sp_check ? A64_MODE_SP_CHECK : 0) |
           (sp_check && s->u.sp & 15 ? A64_MODE_SP_ODD : 0) | ((sctlr & pac) == pac ? A64_MODE_PAC : 0);
}

/* Are signatures EL2's business (HCR_EL2.API)?  Those that SCTLR_ELx does not enable are none: see help_pac_trap. */
static bool pac_traps(const struct cpu *cpu)
{
    const struct a64_sys *s = a64s_const(cpu);

    return s->conf.el2 && s->el < 2 && !host_el0(s) && !(hcr_of(s) & HCR_API) &&
           a64_mode_feats(cpu->mode) >> A64_FEAT_PAUTH & 1;
}

void a64_update_mode(struct cpu *cpu)
{
    uint32_t mode = (cpu->mode & 0xffff & ~(uint32_t)(A64_MODE_PAC_JUMPS | A64_MODE_BIG | A64_MODE_WIDE)) | mode_of(a64s(cpu));

    if (pac_traps(cpu))
        mode = (mode & ~A64_MODE_PAC) | A64_MODE_TRAPS;
    if (a64_breakpoints_armed(a64s(cpu)))
        mode |= A64_MODE_BREAK;
    if (mode != cpu->mode)
        cpu_set_mode(cpu, mode);
    cpu->guest_step = a64_step_active(a64s(cpu)) && a64s(cpu)->ss;
    if (a64s(cpu)->pmu_el != a64s(cpu)->el)
        a64_pmu_level(cpu);
}

/* --- Entry --- */

unsigned a64_target(const struct a64_sys *s)
{
    return s->el == 2 || (s->el == 0 && (hcr_of(s) & HCR_TGE)) ? 2 : 1;
}

static bool sets_pan(const struct a64_sys *s, unsigned el)
{
    if (!a64_core_pan(s->core) || (s->sctlr[el] & SCTLR_SPAN))
        return false;
    return el == 1 || (hcr_of(s) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
}

void a64_take(struct cpu *cpu, unsigned el, unsigned offset, enum a64_ec ec, uint64_t iss)
{
    struct a64_sys *s = a64s(cpu);
    unsigned from = s->el < el ? 0x400 : s->spsel ? 0x200 : 0;
    uint32_t spsr = a64_get_spsr(cpu);

    s->spsr[el] = spsr;
    s->elr[el] = cpu->pc;
    if (offset == A64_SYNC || offset == A64_VEC_SERROR)
        s->esr[el] = (uint64_t)ec << 26 | IL | iss;
    a64_log_exception(cpu, el, offset);
    a64_select_sp(cpu, el, 1);
    s->daif = PS_DAIF;
    s->il = s->ss = s->uao = 0;
    if (sets_pan(s, el))
        s->pan = 1;
    s->u.ssbs = s->sctlr[el] & SCTLR_DSSBS ? 1 : 0;
    cpu->landing = 0;
    cpu->pc = s->vbar[el] + from + offset;
    a64_update_mode(cpu);
}

void a64_trap(struct cpu *cpu, uint64_t pc, unsigned el, enum a64_ec ec, uint64_t iss)
{
    struct a64_sys *s = a64s(cpu);

    s->trap.el = (uint8_t)el;
    s->trap.ec = ec;
    s->trap.iss = iss;
    cpu->pc = pc;
    cpu->stop = CPU_STOP_GUEST;
    cpu->detail = A64_STOP_TRAP;
}

static void take(struct cpu *cpu, unsigned el, enum a64_ec ec, uint64_t iss)
{
    a64_take(cpu, el, A64_SYNC, ec, iss);
}

static void undefined(struct cpu *cpu)
{
    take(cpu, a64_target(a64s(cpu)), EC_UNKNOWN, 0);
}

/* --- Aborts --- */

/* ISS.ISV and what goes with it, of stage 2 faults: one general register, no write-back (DDI 0487, ESR_ELx "ISS encoding for
 * an exception from a Data Abort"). */
static uint64_t described(uint32_t w)
{
    unsigned size = w >> 30, opc = w >> 22 & 3, rt = w & 31;
    bool sign, sf;

    if ((w & 0x3f000000) == 0x08000000 && (w & 0x00a00000) == 0x00800000) /* ldar, stlr */
        return 1 << 24 | size << 22 | rt << 16 | (size == 3) << 15 | 1 << 14;
    if ((w & 0x3f000000) == 0x18000000 && opc != 3) { /* literals */
        unsigned how = w >> 30;
        if (how == 3)
            return 0;
        return 1 << 24 | (how == 1 ? 3u : 2u) << 22 | (how == 2 ? 1u << 21 : 0) | rt << 16 | (how ? 1u << 15 : 0);
    }
    if ((w & 0x3f000000) == 0x39000000) /* unsigned offset */
        ;
    else if ((w & 0x3f200000) == 0x38000000 && ((w >> 10 & 3) == 0 || (w >> 10 & 3) == 2)) /* unscaled, unprivileged */
        ;
    else if ((w & 0x3f200c00) == 0x38200800) /* register offset */
        ;
    else
        return 0;
    if (size == 3 && opc == 2) /* prefetch */
        return 0;
    sign = opc >= 2;
    sf = opc == 2 || (opc < 2 && size == 3);
    return 1 << 24 | size << 22 | (sign ? 1u << 21 : 0) | rt << 16 | (sf ? 1u << 15 : 0);
}

/* FEAT_LSE atomics read first: what they could not read is not a fault of writing. */
static bool reads_too(uint32_t w)
{
    return (w & 0x3f200c00) == 0x38200000 || (w & 0x3fa07c00) == 0x08a07c00 || (w & 0xbfa07c00) == 0x08207c00;
}

static bool could_not_read(struct cpu *cpu, uint64_t va)
{
    struct a64_fault saved = a64s(cpu)->fault;
    struct mmu_page page;
    bool r = a64_walk(cpu, va, MMU_READ, a64_regime(cpu->mode, false), false, &page) < 0;

    a64s(cpu)->fault = saved;
    return r;
}

static uint32_t insn_at(struct cpu *cpu, uint64_t pc)
{
    uint32_t w = 0;

    return mmu_read(cpu, pc, &w, sizeof(w)) == sizeof(w) ? w : 0;
}

static unsigned abort_target(const struct a64_sys *s)
{
    const struct a64_fault *f = &s->fault;

    if (f->stage2 || (f->ea && s->el < 2 && (hcr_of(s) & HCR_TEA)))
        return 2;
    return a64_target(s);
}

static void data_abort(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);
    struct a64_fault *f = &s->fault;
    unsigned el = f->debug ? a64_debug_target(s) : abort_target(s);
    uint64_t iss = f->fsc | (uint64_t)f->s1ptw << 7 | (uint64_t)f->cm << 8;
    uint32_t w = insn_at(cpu, cpu->pc);

    if (f->write && !f->cm && reads_too(w) && could_not_read(cpu, f->far))
        f->write = false;
    iss |= f->write ? 1u << 6 : 0;
    if (f->stage2 && !f->s1ptw && !f->cm)
        iss |= described(w);
    s->far[el] = f->far;
    if (f->stage2)
        s->hpfar = f->hpfar;
    take(cpu, el, (f->debug ? EC_WATCHPOINT_LOW : EC_DABORT_LOW) + (el == s->el), iss);
}

static void instruction_abort(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);
    const struct a64_fault *f = &s->fault;
    unsigned el = abort_target(s);

    s->far[el] = f->far;
    if (f->stage2)
        s->hpfar = f->hpfar;
    take(cpu, el, EC_IABORT_LOW + (el == s->el), f->fsc | (uint64_t)f->s1ptw << 7);
}

static void pc_alignment(struct cpu *cpu)
{
    unsigned el = a64_target(a64s(cpu));

    a64s(cpu)->far[el] = cpu->pc;
    take(cpu, el, EC_PC_ALIGN, 0);
}

/* --- Calls --- */

/* Stepped instructions that end in an exception have been executed. */
static void step_over(struct cpu *cpu)
{
    if (cpu->guest_step)
        a64s(cpu)->ss = 0;
}

static enum vcpu_next firmware_call(struct cpu *cpu)
{
    enum vcpu_next next = VCPU_GO;

    cpu->pc += 4;
    a64_psci(cpu, &next);
    return next;
}

static enum vcpu_next hvc(struct cpu *cpu, uint64_t imm)
{
    struct a64_sys *s = a64s(cpu);

    if (s->conf.psci == A64_PSCI_HVC)
        return firmware_call(cpu);
    if (!s->conf.el2 || (s->hcr & HCR_HCD)) {
        undefined(cpu);
        return VCPU_GO;
    }
    cpu->pc += 4;
    step_over(cpu);
    take(cpu, 2, EC_HVC, imm);
    return VCPU_GO;
}

static enum vcpu_next smc(struct cpu *cpu, uint64_t imm)
{
    struct a64_sys *s = a64s(cpu);

    if (s->el == 1 && (hcr_of(s) & HCR_TSC))
        take(cpu, 2, EC_SMC, imm);
    else if (s->conf.psci == A64_PSCI_SMC)
        return firmware_call(cpu);
    else
        undefined(cpu);
    return VCPU_GO;
}

/* --- Waiting --- */

/* Where WFI or WFE traps to when it would wait; 0: nowhere. */
static unsigned wait_trap_el(const struct a64_sys *s, bool wfe)
{
    if (s->el == 0 && !(s->sctlr[control_el(s)] & (wfe ? SCTLR_NTWE : SCTLR_NTWI)))
        return a64_target(s);
    return s->el < 2 && !host_el0(s) && (hcr_of(s) & (wfe ? HCR_TWE : HCR_TWI)) ? 2 : 0;
}

/* SEV, and what counts as one for the CPU itself. */
static void event(struct a64_sys *s)
{
    __atomic_store_n(&s->event, true, __ATOMIC_SEQ_CST);
}

static void send_event(struct cpu *cpu)
{
    struct vcpu *v;

    for (unsigned i = 0; (v = vcpu_at(a64s(cpu)->m, i)); i++) {
        event(a64s(vcpu_cpu(v)));
        if (vcpu_cpu(v) != cpu)
            vcpu_wake(v);
    }
}

/*
 * Somebody with an exclusive monitor waits for another CPU to clear it, which we do not follow: he lets it run, and looks
 * again.  Without one he sleeps until SEV or an interrupt, or for a moment when the timer makes a stream of events.
 */
static enum vcpu_next wait_for_event(struct a64_sys *s)
{
    struct timespec t = {.tv_nsec = (long)a64_event_stream_ns(s)};

    if (s->u.excl_addr != ~0ull) {
        sched_yield();
        return VCPU_GO;
    }
    s->waits_event = !t.tv_nsec;
    if (t.tv_nsec)
        nanosleep(&t, NULL);
    return t.tv_nsec ? VCPU_GO : VCPU_SLEEP;
}

static enum vcpu_next wait_for(struct cpu *cpu, bool wfe)
{
    struct a64_sys *s = a64s(cpu);
    bool ready = a64_awake(cpu) || (wfe && __atomic_load_n(&s->event, __ATOMIC_SEQ_CST));
    unsigned el = ready ? 0 : wait_trap_el(s, wfe);

    s->waits_event = false;
    if (el) {
        take(cpu, el, EC_WFX, ALWAYS | wfe);
        return VCPU_GO;
    }
    cpu->pc += 4;
    if (!wfe)
        return ready ? VCPU_GO : VCPU_SLEEP;
    if (__atomic_exchange_n(&s->event, false, __ATOMIC_SEQ_CST) || ready)
        return VCPU_GO;
    return wait_for_event(s);
}

/* --- Interrupts --- */

void a64_set_irq(struct cpu *cpu, enum a64_irq which, bool level)
{
    uint32_t bit = 1u << which, old;
    uint32_t *irqs = &a64s(cpu)->irq_level;

    old = level ? __atomic_fetch_or(irqs, bit, __ATOMIC_SEQ_CST) : __atomic_fetch_and(irqs, ~bit, __ATOMIC_SEQ_CST);
    if (level && !(old & bit) && vcpu_of(cpu))
        vcpu_wake(vcpu_of(cpu));
}

static void set_input(void *opaque, int n, bool level)
{
    a64_set_irq(opaque, (enum a64_irq)n, level);
}

struct irq_in a64_irq_in(struct cpu *cpu, enum a64_irq which)
{
    return (struct irq_in){.set = set_input, .opaque = cpu, .n = (int)which};
}

/* The kinds of interrupt: which bit of HCR_EL2 routes it to EL2, which one makes it pending for a guest, what masks it. */
static const struct {
    uint64_t route, virtual;
    uint32_t mask;
    uint16_t offset;
    uint8_t in, vin;
} irqs[] = {
    {HCR_AMO, HCR_VSE, PS_A, A64_VEC_SERROR, A64_SERROR, A64_VSERROR},
    {HCR_FMO, HCR_VF, PS_F, A64_VEC_FIQ, A64_FIQ, A64_VFIQ},
    {HCR_IMO, HCR_VI, PS_I, A64_VEC_IRQ, A64_IRQ, A64_VIRQ},
};
enum { KINDS = sizeof(irqs) / sizeof(irqs[0]) };

static bool virtual_pending(const struct a64_sys *s, unsigned kind, uint32_t level)
{
    uint64_t hcr = hcr_of(s);

    return (hcr & irqs[kind].route) && !(hcr & HCR_TGE) && s->el < 2 &&
           ((hcr & irqs[kind].virtual) || (level >> irqs[kind].vin & 1));
}

/* The level that the interrupt of @kind is to be taken at now; 0: none is, or it is masked. */
static unsigned taken_at(const struct a64_sys *s, unsigned kind, uint32_t level, bool *is_virtual)
{
    unsigned el = hcr_of(s) & irqs[kind].route ? 2 : 1;
    bool masked = s->daif & irqs[kind].mask;

    *is_virtual = false;
    if ((level >> irqs[kind].in & 1) && s->el <= el && (!masked || (el == 2 && s->el < 2)))
        return el;
    *is_virtual = true;
    return virtual_pending(s, kind, level) && !masked ? 1 : 0;
}

bool a64_irq_ready(struct cpu *cpu)
{
    const struct a64_sys *s = a64s(cpu);
    uint32_t level = __atomic_load_n(&s->irq_level, __ATOMIC_ACQUIRE);
    bool is_virtual;

    if (!level && !(hcr_of(s) & (HCR_VI | HCR_VF | HCR_VSE)))
        return false;
    for (unsigned i = 0; i < KINDS; i++)
        if (taken_at(s, i, level, &is_virtual))
            return true;
    return false;
}

void a64_interrupt(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);
    uint32_t level = __atomic_load_n(&s->irq_level, __ATOMIC_ACQUIRE);
    bool is_virtual;

    if (a64_step_due(s)) {
        a64_take_step(cpu);
        return;
    }
    s->stepped = false;
    s->step_pc = cpu->pc;
    for (unsigned i = 0; i < KINDS; i++) {
        unsigned el = taken_at(s, i, level, &is_virtual);

        if (!el)
            continue;
        if (is_virtual && irqs[i].offset == A64_VEC_SERROR)
            s->hcr &= ~(uint64_t)HCR_VSE; /* taking it clears it */
        a64_take(cpu, el, irqs[i].offset, EC_SERROR, 0);
        return;
    }
}

/* Masks do not count: WFI goes on, whether the interrupt is taken or not. */
bool a64_awake(struct cpu *cpu)
{
    const struct a64_sys *s = a64s(cpu);
    uint32_t level = __atomic_load_n(&s->irq_level, __ATOMIC_ACQUIRE);

    if (level & (1u << A64_IRQ | 1u << A64_FIQ | 1u << A64_SERROR))
        return true;
    if (s->waits_event && __atomic_load_n(&s->event, __ATOMIC_SEQ_CST))
        return true;
    for (unsigned i = 0; i < KINDS; i++)
        if (virtual_pending(s, i, level))
            return true;
    return false;
}

/* --- Why the CPU stopped --- */

static enum vcpu_next guest_stop(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);
    uint64_t imm = cpu->detail >> 8;
    unsigned el;

    switch ((enum a64_guest_stop)(cpu->detail & 0xff)) {
    case A64_STOP_TRAP:
        take(cpu, s->trap.el, s->trap.ec, s->trap.iss);
        return VCPU_GO;
    case A64_STOP_WFI:
        return wait_for(cpu, false);
    case A64_STOP_WFE:
        return wait_for(cpu, true);
    case A64_STOP_SEV:
        send_event(cpu);
        cpu->pc += 4;
        return VCPU_GO;
    case A64_STOP_SEVL:
        event(s);
        cpu->pc += 4;
        return VCPU_GO;
    case A64_STOP_HVC:
        return hvc(cpu, imm);
    case A64_STOP_SMC:
        return smc(cpu, imm);
    case A64_STOP_FP:
        el = fp_trap_el(s);
        if (el == 2 && s->el < 2 && (hcr_of(s) & HCR_TGE) && !(hcr_of(s) & HCR_E2H))
            undefined(cpu); /* CPACR's trap, which EL1 would have had */
        else
            take(cpu, el ? el : 1, EC_FP, ALWAYS);
        return VCPU_GO;
    case A64_STOP_ILLEGAL:
        take(cpu, a64_target(s), EC_ILLEGAL, 0);
        return VCPU_GO;
    case A64_STOP_SP:
        take(cpu, a64_target(s), EC_SP_ALIGN, 0);
        return VCPU_GO;
    }
    return VCPU_BROKEN;
}

static enum vcpu_next debug_stop(struct cpu *cpu)
{
    if (cpu->guest_step) {
        a64s(cpu)->ss = 0;
        a64s(cpu)->stepped = true;
        a64_update_mode(cpu);
        return cpu->single_step ? VCPU_DEBUG : VCPU_GO;
    }
    return VCPU_DEBUG;
}

enum vcpu_next a64_stopped(struct cpu *cpu, enum cpu_stop stop)
{
    struct a64_sys *s = a64s(cpu);

    switch (stop) {
    case CPU_STOP_SYSCALL:
        step_over(cpu);
        take(cpu, a64_target(s), EC_SVC, cpu->detail & 0xffff);
        return VCPU_GO;
    case CPU_STOP_UNDEFINED:
        undefined(cpu);
        return VCPU_GO;
    case CPU_STOP_BREAKPOINT:
        take(cpu, s->el == 2 || (s->conf.el2 && (s->mdcr >> 8 & 1)) ? 2 : a64_target(s), EC_BRK, cpu->detail & 0xffff);
        return VCPU_GO;
    case CPU_STOP_FAULT:
        data_abort(cpu);
        return VCPU_GO;
    case CPU_STOP_FETCH_FAULT:
        instruction_abort(cpu);
        return VCPU_GO;
    case CPU_STOP_ALIGN:
        pc_alignment(cpu);
        return VCPU_GO;
    case CPU_STOP_BTI:
        take(cpu, a64_target(s), EC_BTI, cpu->landing);
        return VCPU_GO;
    case CPU_STOP_GUEST:
        return guest_stop(cpu);
    case CPU_STOP_DEBUG:
        return debug_stop(cpu);
    default:
        return VCPU_GO;
    }
}

/* --- Helpers of translated code --- */

/* The address that an exception return goes to: a tag is dropped. */
static uint64_t branch_address(const struct a64_sys *s, uint64_t pc)
{
    unsigned c = control_el(s);
    uint64_t tcr = s->tcr[c];
    bool two = c == 1 || (hcr_of(s) & HCR_E2H), high = pc >> 55 & 1;

    if (two)
        return tcr >> (high ? 38 : 37) & 1 ? (uint64_t)((int64_t)(pc << 8) >> 8) : pc;
    return tcr >> 20 & 1 ? pc & ~(0xffull << 56) : pc;
}

static bool illegal_return(const struct a64_sys *s, uint32_t spsr)
{
    unsigned el = spsr >> PS_EL & 3;

    return (spsr & PS_AARCH32) || (spsr & 2) || el > s->el || el == 3 || (el == 0 && (spsr & PS_SP)) ||
           (el == 1 && s->el == 2 && (hcr_of(s) & HCR_TGE));
}

static bool pac_enabled(const struct a64_sys *s, uint64_t key)
{
    static const uint32_t enable[] = {SCTLR_ENIA, SCTLR_ENIB, SCTLR_ENDA, SCTLR_ENDB};

    return s->sctlr[control_el(s)] & enable[key & 3];
}

uint64_t a64_pac_checked(struct cpu *cpu, uint64_t ptr, uint64_t modifier, uint64_t key)
{
    return pac_enabled(a64s(cpu), key) ? a64_pac_by_hand(cpu, ptr, modifier, (unsigned)key) : ptr;
}

uint64_t help_pac_check(struct cpu *cpu, uint64_t ptr, uint64_t modifier, uint64_t key)
{
    return a64_pac_checked(cpu, ptr, modifier, key);
}

/* PACGA has no bit of SCTLR_ELx.  True: it has trapped. */
uint64_t help_pac_trap(struct cpu *cpu, uint64_t pc, uint64_t key, uint64_t c)
{
    bool traps = pac_traps(cpu) && (key == PAC_GA || pac_enabled(a64s(cpu), key));

    if (traps)
        a64_trap(cpu, pc, 2, EC_PAUTH, 0);
    return traps;
}

uint64_t help_eret(struct cpu *cpu, uint64_t pc, uint64_t how, uint64_t c)
{
    struct a64_sys *s = a64s(cpu);
    uint32_t spsr = (uint32_t)s->spsr[s->el];
    uint64_t to = s->elr[s->el];
    bool steps;

    if (how && help_pac_trap(cpu, pc, how == 2 ? PAC_IB : PAC_IA, 0))
        return 0;
    if (how)
        to = a64_pac_checked(cpu, to, s->u.sp, (how == 2 ? PAC_IB : PAC_IA) | PAC_AUTH);
    steps = a64_step_after_return(s, spsr);
    set_fields(cpu, spsr);
    if (illegal_return(s, spsr)) {
        s->il = 1;
    } else {
        s->il = (spsr & PS_IL) != 0;
        a64_select_sp(cpu, spsr >> PS_EL & 3, spsr & PS_SP);
    }
    s->ss = steps;
    event(s);
    s->u.excl_addr = ~0ull;
    cpu->pc = branch_address(s, to);
    cpu->stop = CPU_STOP_AGAIN;
    a64_log_return(cpu, pc);
    a64_update_mode(cpu);
    return 0;
}

uint64_t help_daif(struct cpu *cpu, uint64_t v, uint64_t next_pc, uint64_t c)
{
    a64s(cpu)->daif = v & PS_DAIF;
    if (a64_irq_ready(cpu) || (a64s(cpu)->mdscr & 0x8001)) {
        a64_update_mode(cpu);
        cpu->pc = next_pc;
        cpu->stop = CPU_STOP_AGAIN;
    }
    return 0;
}

uint64_t help_sp_written(struct cpu *cpu, uint64_t next_pc, uint64_t b, uint64_t c)
{
    uint32_t old = cpu->mode;

    if (!(a64s(cpu)->u.sp & 15) == !(old & A64_MODE_SP_ODD))
        return 0;
    a64_update_mode(cpu);
    cpu->pc = next_pc;
    cpu->stop = CPU_STOP_AGAIN;
    return 0;
}
