/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions of SVM, and helpers of guests (AMD64 APM volume 3, system instructions; volume 2, chapter 15). */
#include "guest/x86/lift.h"
#include "guest/x86/system_priv.h"

/* --- Lifting --- */

/* EFER.SVME is the helper's to look at. */
static void svm(struct x86_tr *t, unsigned code)
{
    ir_val ax = x86_reg(t, X86_AX, t->i->addr_size);

    if (x86_cpl(t->mode)) {
        x86_raise(t, X86_EXC_GP, 0);
        return;
    }
    if (ir_type_of(t->ir, ax) != IR_I64)
        ax = ir_conv(t->ir, IRO_zext, IR_I64, ax);
    ir_call(t->ir, X86_HELP_svm, x86_const64(t, code), ax, x86_const64(t, t->i->len));
    x86_again(t);
}

void tr_x86_sys_vmrun(struct x86_tr *t)
{
    svm(t, EXIT_VMRUN);
}

void tr_x86_sys_vmload(struct x86_tr *t)
{
    svm(t, EXIT_VMLOAD);
}

void tr_x86_sys_vmsave(struct x86_tr *t)
{
    svm(t, EXIT_VMSAVE);
}

void tr_x86_sys_stgi(struct x86_tr *t)
{
    svm(t, EXIT_STGI);
}

void tr_x86_sys_clgi(struct x86_tr *t)
{
    svm(t, EXIT_CLGI);
}

void tr_x86_sys_invlpga(struct x86_tr *t)
{
    svm(t, EXIT_INVLPGA);
}

/* Any privilege; #UD unless intercepted. */
void tr_x86_sys_vmmcall(struct x86_tr *t)
{
    if (t->mode & X86_MODE_GUEST)
        ir_call(t->ir, X86_HELP_intercept, x86_const64(t, EXIT_VMMCALL), x86_const64(t, 0), IR_NONE);
    x86_undefined(t);
}

/* --- Helpers --- */

/* Of a guest: asks before the instruction does anything. */
uint64_t x86_help_intercept(struct cpu *cpu, uint64_t code, uint64_t info1, uint64_t c)
{
    (void)c;
    x86_intercept(cpu, (unsigned)code, info1, 0);
    return 0;
}

uint64_t x86_help_pause(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_sys *s = x86s(cpu);

    (void)a;
    (void)b;
    (void)c;
    if (x86_catches(s, EXIT_PAUSE) && s->svm.pauses)
        s->svm.pauses--;
    else
        x86_intercept(cpu, EXIT_PAUSE, 0, 0);
    return 0;
}

/* The global interrupt flag: a guest's own, when it has one. */
static void set_gif(struct x86_sys *s, bool on)
{
    if (!x86_guest(s) || !(s->svm.vint & VINT_GIF_ON))
        s->gif = on;
    else
        s->svm.vint = on ? s->svm.vint | VINT_GIF : s->svm.vint & ~(uint64_t)VINT_GIF;
}

uint64_t x86_help_svm(struct cpu *cpu, uint64_t code, uint64_t ax, uint64_t len)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t next = cpu->pc + len;

    if (!(s->efer & EFER_SVME)) {
        x86_fault(cpu, X86_EXC_UD, 0);
        return 0;
    }
    if (x86_intercept(cpu, (unsigned)code, 0, 0))
        return 0;
    switch (code) {
    case EXIT_VMRUN:
        x86_vmrun(cpu, ax, next);
        return 0;
    case EXIT_VMLOAD:
        if (!x86_vmload(cpu, ax))
            return 0;
        break;
    case EXIT_VMSAVE:
        if (!x86_vmsave(cpu, ax))
            return 0;
        break;
    case EXIT_INVLPGA:
        mmu_flush(cpu, R_ALL, ax, 1, true); /* of all address spaces */
        break;
    default:
        set_gif(s, code == EXIT_STGI);
    }
    x86_update_mode(cpu);
    x86_leave(cpu, next);
    return 0;
}
