/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 CPUs of machines: birth, reset and INIT, pins, saved state (SDM 3A, 10.1 "Initialization overview"). */
#include "guest/x86/models.h"
#include "guest/x86/system_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- Reset --- */

enum { ATTR_CODE16 = 0x9b00, ATTR_DATA16 = 0x9300 };

static uint32_t signature(const struct x86_sys *s)
{
    struct x86_cpuid_env env = {0};
    uint32_t r[4];

    x86_cpuid(&s->conf, &env, 1, 0, r);
    return r[0];
}

static void reset_segments(struct x86_sys *s)
{
    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        s->u.seg[i] = (struct x86_segment){.limit = 0xffff, .attr = i == X86_CS ? ATTR_CODE16 : ATTR_DATA16};
        s->u.base[i] = 0;
    }
    s->u.seg[X86_CS].selector = 0xf000;
    s->u.base[X86_CS] = 0xffff0000;
    s->gdt = s->idt = (struct x86_table){.limit = 0xffff};
    s->ldt = (struct x86_sysseg){.limit = 0xffff, .attr = SEG_P | SYS_LDT << 8};
    s->tr = (struct x86_sysseg){.limit = 0xffff, .attr = SEG_P | SYS_TSS32_BUSY << 8};
}

/* What RESET and INIT have in common. */
static void reset_common(struct x86_sys *s)
{
    memset(s->u.r, 0, sizeof(s->u.r));
    s->u.r[X86_DX] = signature(s);
    s->u.eflags = X86_FL_ONE;
    s->u.df = 1;
    s->u.cf = s->u.zf = s->u.sf = s->u.of = 0;
    s->u.pf = 1;
    s->u.af = 0;
    s->cr0 = (s->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    s->cr2 = s->cr3 = s->cr4 = s->efer = 0;
    memset(s->dr, 0, sizeof(s->dr));
    s->dr6 = DR6_FIXED;
    s->dr7 = 0x400;
    s->cpl = s->shadow = 0;
    s->nmi_blocked = s->halted = s->u.ignne = false;
    s->gif = true;
    s->svm.guest = false;
    reset_segments(s);
}

/* INTR is a level that others drive: it stays. */
static void reset_cold(struct x86_sys *s)
{
    uint32_t intr = __atomic_load_n(&s->events, __ATOMIC_ACQUIRE) & EV_INTR;

    memset(s, 0, X86_RESET_BYTES);
    s->events = intr;
    s->cr0 = CR0_CD | CR0_NW;
    s->u.fcw = 0x40;
    s->u.ftag = 0xff;
    s->u.mxcsr = 0x1f80;
    s->u.xcr0 = 1;
    s->pat = 0x0007040600070406ull;
    s->misc_enable = 1 | (x86_feat(s, X86_FEAT_MONITOR) ? 1u << 18 : 0); /* fast strings, MONITOR */
    s->smbase = 0x30000;
    s->mcg_ctl = ~0ull;
    s->a20 = true;
    for (unsigned i = 0; i < X86_MC_BANKS; i++)
        s->mc[4 * i] = ~0ull;
}

void x86_sys_reset(struct cpu *cpu, bool init)
{
    struct x86_sys *s = x86s(cpu);

    cpu_log(cpu, ENGINE_LOG_RESET, true, "CPU Reset (CPU %u)", s->index);
    if (!init)
        reset_cold(s);
    reset_common(s);
    s->smm = false;
    if (!init)
        memset(&cpu->fp, 0, sizeof(cpu->fp));
    s->u.features = (uint32_t)x86_features_number(&s->conf.features);
    x86_set_mxcsr(cpu, s->u.mxcsr);
    s->waits = s->index != 0;
    cpu->stop = CPU_STOP_NONE;
    cpu->guest_step = false;
    cpu->pc = 0xfffffff0;
    x86_flush(cpu, true);
    x86_update_mode(cpu);
}

/* Where -kernel starts: the boot loader's last step (Multiboot 1, 3.2; PVH boot ABI). */
static void boot_state(struct x86_sys *s)
{
    const struct x86_boot *b = &s->boot;

    s->cr0 |= CR0_PE;
    s->gdt = (struct x86_table){b->gdt, b->gdt_limit};
    s->idt = (struct x86_table){0, 0};
    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        s->u.seg[i] = (struct x86_segment){i == X86_CS ? b->cs : b->ds, 0xffffffff, i == X86_CS ? 0xcf9b00 : 0xcf9300};
        s->u.base[i] = 0;
    }
    s->u.r[X86_AX] = b->eax;
    s->u.r[X86_BX] = b->ebx;
    s->u.r[X86_SI] = b->esi;
    s->u.r[X86_SP] = b->esp;
}

static void reset_here(struct cpu *cpu, void *opaque)
{
    struct x86_sys *s = x86s(cpu);

    (void)opaque;
    x86_sys_reset(cpu, false);
    if (s->has_boot && x86_is_bsp(cpu)) {
        boot_state(s);
        cpu->pc = s->boot.eip;
        x86_update_mode(cpu);
    }
}

static void machine_was_reset(void *opaque)
{
    struct cpu *cpu = opaque;
    struct vcpu *v = vcpu_of(cpu);

    vcpu_off(v);
    vcpu_call(v, reset_here, NULL);
    if (x86_is_bsp(cpu))
        vcpu_on(v, NULL, NULL);
}

void x86_set_boot(struct cpu *cpu, const struct x86_boot *b)
{
    x86s(cpu)->has_boot = b != NULL;
    if (b)
        x86s(cpu)->boot = *b;
}

/* --- Birth --- */

struct cpu *x86_cpu_new(struct machine *m, struct engine *engine, const struct x86_conf *c, unsigned index, struct err *e)
{
    struct cpu *cpu;
    struct x86_sys *s;
    char name[16];

    if (x86_features_number(&c->features) < 0) {
        err_set(e, -ENOSPC, "too many kinds of CPU in one machine");
        return NULL;
    }
    if (!(cpu = cpu_new(&guest_x86_system, engine))) {
        err_set(e, -ENOMEM, "out of memory for CPU %u", index);
        return NULL;
    }
    s = x86s(cpu);
    s->m = m;
    s->space = machine_space(m);
    s->io = machine_io_space(m);
    s->conf = *c;
    s->index = index;
    s->pa_mask = (1ull << c->phys_bits) - 1;
    vcpu_new(m, cpu, index, index == 0);
    vcpu_call(vcpu_of(cpu), reset_here, NULL);
    machine_on_reset(m, machine_was_reset, cpu);
    snprintf(name, sizeof(name), "cpu%u", index);
    machine_add_state(m, name, x86_sys_state, 1, s, x86_state_saving, x86_state_loaded);
    return cpu;
}

const struct x86_conf *x86_conf_of(const struct cpu *cpu)
{
    return &x86sc(cpu)->conf;
}

bool x86_is_bsp(const struct cpu *cpu)
{
    return x86sc(cpu)->index == 0;
}

/* --- Pins --- */

void x86_set_intc(struct cpu *cpu, const struct x86_intc_ops *ops, void *opaque)
{
    x86s(cpu)->intc = ops;
    x86s(cpu)->intc_opaque = opaque;
}

void x86_raise_event(struct cpu *cpu, uint32_t ev)
{
    if (!(__atomic_fetch_or(&x86s(cpu)->events, ev, __ATOMIC_SEQ_CST) & ev))
        vcpu_wake(vcpu_of(cpu));
}

void x86_set_intr(struct cpu *cpu, bool level)
{
    if (level)
        x86_raise_event(cpu, EV_INTR);
    else
        __atomic_fetch_and(&x86s(cpu)->events, ~(uint32_t)EV_INTR, __ATOMIC_SEQ_CST);
}

static void intr_pin(void *opaque, int n, bool level)
{
    (void)n;
    x86_set_intr(opaque, level);
}

struct irq_in x86_intr_in(struct cpu *cpu)
{
    return (struct irq_in){intr_pin, cpu, 0};
}

void x86_nmi(struct cpu *cpu)
{
    x86_raise_event(cpu, EV_NMI);
}

void x86_smi(struct cpu *cpu)
{
    x86_raise_event(cpu, EV_SMI);
}

/* With SVM it may have to wait, or go to somebody else (APM 2, 15.21.8, 15.28). */
static bool init_waits(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    if (s->gif && !x86_catches(s, EXIT_INIT)) {
        if (!(s->vm_cr & VM_CR_R_INIT))
            return false;
        x86_deliver(cpu, X86_EXC_SX, 1, 0, cpu->pc);
        return true;
    }
    if (s->gif)
        x86_vmexit(cpu, EXIT_INIT, 0, 0);
    x86_raise_event(cpu, EV_INIT);
    return true;
}

static void take_init(struct cpu *cpu, void *opaque)
{
    (void)opaque;
    if (init_waits(cpu))
        return;
    if (!x86_is_bsp(cpu))
        vcpu_off(vcpu_of(cpu));
    x86_sys_reset(cpu, true);
    if (x86_is_bsp(cpu))
        vcpu_on(vcpu_of(cpu), NULL, NULL);
}

void x86_init(struct cpu *cpu)
{
    vcpu_post(vcpu_of(cpu), take_init, NULL);
}

static void take_sipi(struct cpu *cpu, void *vector)
{
    struct x86_sys *s = x86s(cpu);

    if (!s->waits)
        return;
    s->waits = false;
    s->u.seg[X86_CS].selector = (uint16_t)((uintptr_t)vector << 8);
    s->u.base[X86_CS] = (uintptr_t)vector << 12;
    cpu->pc = s->u.base[X86_CS];
    x86_update_mode(cpu);
    vcpu_on(vcpu_of(cpu), NULL, NULL);
}

void x86_sipi(struct cpu *cpu, uint8_t vector)
{
    vcpu_post(vcpu_of(cpu), take_sipi, (void *)(uintptr_t)vector);
}

struct irq_line *x86_ferr_line(struct cpu *cpu)
{
    return &x86s(cpu)->ferr;
}

void x86_set_ferr(struct cpu *cpu, bool level)
{
    struct x86_sys *s = x86s(cpu);
    bool locked = machine_locked(s->m);

    if (!locked)
        machine_lock(s->m);
    irq_set(&s->ferr, level);
    if (!locked)
        machine_unlock(s->m);
}

static void take_ignne(struct cpu *cpu, void *opaque)
{
    (void)opaque;
    x86(cpu)->ignne = x86s(cpu)->ferr.level;
    x86_set_ferr(cpu, false);
}

void x86_set_ignne(struct cpu *cpu)
{
    vcpu_call(vcpu_of(cpu), take_ignne, NULL);
}

static void take_a20(struct cpu *cpu, void *on)
{
    struct x86_sys *s = x86s(cpu);

    if (s->a20 == (on != NULL))
        return;
    s->a20 = on != NULL;
    mmu_flush(cpu, R_ALL, 0, 0, true);
}

void x86_set_a20(struct machine *m, bool on)
{
    for (unsigned i = 0; vcpu_at(m, i); i++) {
        struct vcpu *v = vcpu_at(m, i);

        if (cpu_self == vcpu_cpu(v))
            vcpu_call(v, take_a20, on ? m : NULL);
        else
            vcpu_post(v, take_a20, on ? m : NULL);
    }
}

bool x86_get_a20(const struct machine *m)
{
    struct vcpu *v = vcpu_at((struct machine *)(uintptr_t)m, 0);

    return !v || x86s(vcpu_cpu(v))->a20;
}

void x86_set_smm_space(struct cpu *cpu, struct space *space)
{
    x86s(cpu)->smm_space = space;
    if (space)
        mmu_watch_space(cpu, space);
}

bool x86_in_smm(const struct cpu *cpu)
{
    return x86sc(cpu)->smm;
}

void x86_on_shutdown(struct cpu *cpu, void (*fn)(void *opaque), void *opaque)
{
    x86s(cpu)->shutdown = fn;
    x86s(cpu)->shutdown_opaque = opaque;
}

/* --- Time --- */

uint64_t x86_tsc(const struct cpu *cpu)
{
    const struct x86_sys *s = x86sc(cpu);

    return (uint64_t)clock_now(s->m, CLK_VIRT) * (X86_TSC_HZ / NS_PER_S) + s->u.tsc_offset;
}

int64_t x86_tsc_when(const struct cpu *cpu, uint64_t tsc)
{
    const struct x86_sys *s = x86sc(cpu);
    uint64_t ticks = tsc - s->u.tsc_offset;

    return ticks > INT64_MAX ? (int64_t)(ticks >> 63 ? 0 : INT64_MAX) : (int64_t)ticks;
}

/* --- Saved state --- */

#define U64(member)  STATE(x86_sys, member, S_U64, 1, NULL)
#define U32(member)  STATE(x86_sys, member, S_U32, 1, NULL)
#define U16(member)  STATE(x86_sys, member, S_U16, 1, NULL)
#define U8(member)   STATE(x86_sys, member, S_U8, 1, NULL)
#define BOOL(member) STATE(x86_sys, member, S_BOOL, 1, NULL)

static const struct state seg_state[] = {STATE(x86_segment, selector, S_U16, 1, NULL), STATE(x86_segment, limit, S_U32, 1, NULL),
                                         STATE(x86_segment, attr, S_U32, 1, NULL), STATE_END};
static const struct state fpr_state[] = {STATE(x86_x87, mantissa, S_U64, 1, NULL), STATE(x86_x87, exponent, S_U16, 1, NULL), STATE_END};

const struct state x86_sys_state[] = {
    U64(u.r), U64(u.base), U64(u.df), U32(u.pf), U32(u.af), U8(u.cf), U8(u.zf), U8(u.sf), U8(u.of), U32(u.eflags), U64(u.xmm),
    U64(u.ymmh), STATE_STRUCTS(x86_sys, u.fpr, fpr_state, 1, NULL), U16(u.fcw), U16(u.fsw), U8(u.ftop), U8(u.ftag), U16(u.fop),
    U64(u.fip), U64(u.fdp), U16(u.fcs), U16(u.fds), U64(u.xcr0), STATE_STRUCTS(x86_sys, u.seg, seg_state, 1, NULL),
    U64(u.tsc_offset), U32(u.tsc_aux), U32(u.pkru), U64(cr0), U64(cr2), U64(cr3), U64(cr4), U64(efer), U64(dr), U64(dr6), U64(dr7),
    U64(gdt.base), U32(gdt.limit), U64(idt.base), U32(idt.limit), U64(ldt.base), U32(ldt.limit), U32(ldt.attr), U16(ldt.selector),
    U64(tr.base), U32(tr.limit), U32(tr.attr), U16(tr.selector), U64(pdpte), U64(star), U64(lstar), U64(cstar), U64(sfmask),
    U64(kernel_gs), U64(sysenter_cs), U64(sysenter_esp), U64(sysenter_eip), U64(pat), U64(mtrr_def), U64(mtrr_var), U64(mtrr_fix),
    U64(misc_enable), U64(tsc_adjust), U64(spec_ctrl), U64(feature_control), U64(smbase), U64(mcg_status), U64(mcg_ctl), U64(mc),
    U64(perf_sel), U64(perf_ctr), U64(fixed_ctr), U64(perf_fixed), U64(perf_global), U64(perf_status), U64(debugctl),
    U64(microcode), U64(vm_cr), U64(vm_hsave), U64(xss), U64(monitor), U8(cpl), U8(shadow), BOOL(smm), BOOL(nmi_blocked),
    BOOL(u.ignne), BOOL(ferr.level), BOOL(waits), BOOL(halted), BOOL(gif), U8(sipi), U32(events), U64(saved_pc), U32(saved_mxcsr), BOOL(saved_on),
    BOOL(a20), BOOL(svm.guest), BOOL(svm.np), U16(svm.pauses), U32(svm.asid), U32(svm.intercept), U64(svm.vmcb), U64(svm.iopm),
    U64(svm.msrpm), U64(svm.tsc_offset), U64(svm.ncr3), U64(svm.vint), U64(svm.host.cr0), U64(svm.host.cr3), U64(svm.host.cr4),
    U64(svm.host.efer), U64(svm.host.rip), U64(svm.host.rsp), U64(svm.host.rax), U64(svm.host.pat), U32(svm.host.rflags),
    STATE_STRUCTS(x86_sys, svm.host.seg, seg_state, 1, NULL), U64(svm.host.base), U64(svm.host.gdt_base), U64(svm.host.idt_base),
    U32(svm.host.gdt_limit), U32(svm.host.idt_limit), STATE_END};

void x86_state_saving(void *obj)
{
    struct cpu *cpu = x86_cpu_of(obj);
    struct x86_sys *s = obj;

    s->saved_pc = cpu->pc;
    s->saved_mxcsr = x86_get_mxcsr(cpu);
    s->saved_on = vcpu_is_on(vcpu_of(cpu));
}

/* Everything that is derived from the registers; on the CPU's thread. */
static void derive(struct cpu *cpu, void *opaque)
{
    struct x86_sys *s = x86s(cpu);

    (void)opaque;
    cpu->pc = s->saved_pc;
    x86_set_mxcsr(cpu, s->saved_mxcsr);
    x86_smm_space(cpu);
    x86_flush(cpu, true);
    x86_update_mode(cpu);
}

static int bad_flags(const struct x86_sys *s, struct err *e)
{
    if (s->u.cf > 1 || s->u.zf > 1 || s->u.sf > 1 || s->u.of > 1 || (s->u.df != 1 && s->u.df != ~0ull) || !(s->u.eflags & X86_FL_ONE) ||
        (s->u.eflags & (X86_FL_STATUS | X86_FL_DF)) || s->u.ftop > 7)
        return err_set(e, -EILSEQ, "flags are impossible");
    return 0;
}

int x86_state_loaded(void *obj, int version, struct err *e)
{
    struct x86_sys *s = obj;
    struct cpu *cpu = x86_cpu_of(s);
    struct vcpu *v = vcpu_of(cpu);

    (void)version;
    if (s->cpl > 3 || s->shadow > 15)
        return err_set(e, -EILSEQ, "privilege level %u", s->cpl);
    if (bad_flags(s, e) < 0)
        return -EILSEQ;
    if ((s->efer & EFER_LMA) && (!(s->cr0 & CR0_PG) || !(s->cr4 & CR4_PAE) || !x86_feat(s, X86_FEAT_LM)))
        return err_set(e, -EILSEQ, "long mode without paging");
    if (s->svm.guest && (!x86_feat(s, X86_FEAT_SVM) || s->svm.vmcb & (~s->pa_mask | 4095) || s->svm.asid >= X86_ASIDS))
        return err_set(e, -EILSEQ, "an SVM guest that cannot be");
    s->saved_mxcsr &= 0xffff;
    s->u.xcr0 = (s->u.xcr0 & 0x207) | 1;
    vcpu_call(v, derive, NULL);
    if (s->saved_on)
        vcpu_on(v, NULL, NULL);
    else
        vcpu_off(v);
    return 0;
}
