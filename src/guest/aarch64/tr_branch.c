/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 branches and exception generation (Arm ARM DDI 0487, C4.1.87). */
#include "guest/aarch64/lift.h"
#include "guest/aarch64/lift_priv.h"
#include "guest/aarch64/pauth.h"

#include <string.h>

static uint64_t target(const struct a64_tr *t, const struct a64_fields *f, unsigned bits)
{
    return t->pc + 4 * a64_sext(f->i, bits);
}

void tr_b(struct a64_tr *t, const struct a64_fields *f)
{
    ir_goto(t->ir, target(t, f, 26));
}

void tr_bl(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, 30, a64_const(t, t->pc + 4));
    ir_goto_call(t->ir, target(t, f, 26), t->pc + 4);
}

void tr_b_cond(struct a64_tr *t, const struct a64_fields *f)
{
    ir_goto_if(t->ir, a64_cond(t, f->c), target(t, f, 19), t->pc + 4);
}

void tr_bc_cond(struct a64_tr *t, const struct a64_fields *f)
{
    tr_b_cond(t, f);
}

static ir_val is_zero(struct a64_tr *t, ir_val v)
{
    return ir_cmp(t->ir, IRO_eq, v, ir_const(t->ir, ir_type_of(t->ir, v), 0));
}

void tr_cbz(struct a64_tr *t, const struct a64_fields *f)
{
    ir_goto_if(t->ir, is_zero(t, a64_r(t, f->s, f->t)), target(t, f, 19), t->pc + 4);
}

void tr_cbnz(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val zero = is_zero(t, a64_r(t, f->s, f->t));

    ir_goto_if(t->ir, ir_not(t->ir, zero), target(t, f, 19), t->pc + 4);
}

static ir_val tested_bit_clear(struct a64_tr *t, const struct a64_fields *f)
{
    return is_zero(t, ir_and_imm(t->ir, a64_x(t, f->t), 1ull << f->b));
}

void tr_tbz(struct a64_tr *t, const struct a64_fields *f)
{
    ir_goto_if(t->ir, tested_bit_clear(t, f), target(t, f, 14), t->pc + 4);
}

void tr_tbnz(struct a64_tr *t, const struct a64_fields *f)
{
    ir_goto_if(t->ir, ir_not(t->ir, tested_bit_clear(t, f)), target(t, f, 14), t->pc + 4);
}

/* --- Indirect branches.  PSTATE.BTYPE afterwards is the sort of landing (FEAT_BTI, Arm ARM C6.2.36 BLR,
 * C6.2.37 BR): 1 BR of X16 or X17 or from a page that is not guarded, 2 BLR, 3 other BR, 0 RET. --- */

unsigned a64_call_landing(uint32_t mode)
{
    return mode & A64_MODE_BTI ? 2 : 0;
}

unsigned a64_jump_landing(uint32_t mode, unsigned reg)
{
    bool any = (mode & A64_MODE_GUARDED) && reg != 16 && reg != 17;

    return !(mode & A64_MODE_BTI) ? 0 : any ? 3 : 1;
}

/* The target is read before the link register is written: BLR X30 is fine. */
static void call(struct a64_tr *t, ir_val to)
{
    a64_set_r(t, 30, a64_const(t, t->pc + 4));
    ir_goto_land(t->ir, to, IR_EXIT_CALL, a64_call_landing(t->mode), t->pc + 4);
}

static void jump(struct a64_tr *t, ir_val to, unsigned reg)
{
    ir_goto_land(t->ir, to, IR_EXIT_JUMP, a64_jump_landing(t->mode, reg), 0);
}

static bool is(uint32_t word, uint32_t mask, uint32_t value)
{
    return (word & mask) == value;
}

/* BranchTargetException().  PACIASP and PACIBSP are like BTI c, as Linux sets it up (SCTLR_EL1.BT0), or like BTI jc. */
unsigned a64_lands(uint32_t mode, const uint8_t *code, size_t avail)
{
    enum { CALLS = 1 << 2 | 1 << 1, JUMPS = 1 << 3 | 1 << 1 };
    uint32_t w;

    if (!(mode & A64_MODE_GUARDED) || avail < 4)
        return CALLS | JUMPS;
    memcpy(&w, code, sizeof(w));
    if (is(w, 0xffffff3f, 0xd503241f)) /* bti; c in bit 6, j in bit 7 */
        return (w & 0x40 ? CALLS : 0) | (w & 0x80 ? JUMPS : 0);
    if (is(w, 0xffffffbf, 0xd503233f)) /* paciasp, pacibsp */
        return mode & A64_MODE_PAC_JUMPS ? CALLS | JUMPS : CALLS;
    return is(w, 0xff9f001f, 0xd4000000) && (w >> 21 & 3) % 3 ? CALLS | JUMPS : 0; /* brk, hlt */
}

void tr_br(struct a64_tr *t, const struct a64_fields *f)
{
    jump(t, a64_x(t, f->n), f->n);
}

void tr_blr(struct a64_tr *t, const struct a64_fields *f)
{
    call(t, a64_x(t, f->n));
}

void tr_ret(struct a64_tr *t, const struct a64_fields *f)
{
    ir_goto_ind(t->ir, a64_x(t, f->n), IR_EXIT_RET, 0);
}

static ir_val authenticated(struct a64_tr *t, const struct a64_fields *f, ir_val modifier)
{
    return a64_pac_auth(t, a64_x(t, f->n), modifier, f->k ? PAC_IB : PAC_IA);
}

void tr_braaz(struct a64_tr *t, const struct a64_fields *f)
{
    jump(t, authenticated(t, f, a64_const(t, 0)), f->n);
}

void tr_blraaz(struct a64_tr *t, const struct a64_fields *f)
{
    call(t, authenticated(t, f, a64_const(t, 0)));
}

void tr_braa(struct a64_tr *t, const struct a64_fields *f)
{
    jump(t, authenticated(t, f, a64_x_sp(t, f->m)), f->n);
}

void tr_blraa(struct a64_tr *t, const struct a64_fields *f)
{
    call(t, authenticated(t, f, a64_x_sp(t, f->m)));
}

void tr_retaa(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val to = a64_pac_auth(t, a64_x(t, 30), a64_x_sp(t, 31), f->k ? PAC_IB : PAC_IA);

    ir_goto_ind(t->ir, to, IR_EXIT_RET, 0);
}

void tr_svc(struct a64_tr *t, const struct a64_fields *f)
{
    ir_trap(t->ir, CPU_STOP_SYSCALL, f->i, t->pc + 4);
}

/* Programs have no hypervisor: the way of the personality's own code to its services. */
void tr_hvc(struct a64_tr *t, const struct a64_fields *f)
{
    ir_call(t->ir, A64_HELP_service, a64_const(t, f->i), a64_const(t, t->pc), IR_NONE);
}

uint64_t help_service(struct cpu *cpu, uint64_t number, uint64_t pc, uint64_t c)
{
    if (!engine_serve(cpu, pc, (unsigned)number)) {
        cpu->pc = pc;
        cpu->stop = CPU_STOP_UNDEFINED;
    }
    return 0;
}

void tr_brk(struct a64_tr *t, const struct a64_fields *f)
{
    ir_trap(t->ir, CPU_STOP_BREAKPOINT, f->i, t->pc);
}

/* Waiting for an event or interrupt: let another host thread run, then go on. */
void tr_wfe(struct a64_tr *t, const struct a64_fields *f)
{
    ir_trap(t->ir, CPU_STOP_YIELD, 0, t->pc + 4);
}

void tr_wfi(struct a64_tr *t, const struct a64_fields *f)
{
    tr_wfe(t, f);
}
