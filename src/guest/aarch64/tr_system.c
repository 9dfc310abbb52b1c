/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 hints, barriers, cache maintenance and system registers as a Linux program may use them
 * (Arm ARM DDI 0487, C5; Linux Documentation/arm64/cpu-feature-registers.rst). */
#include "guest/aarch64/lift.h"
#include "guest/aarch64/lift_priv.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

/* NOP, YIELD, SEV, ESB, CSDB, and whatever a newer architecture puts here. */
void tr_hint(struct a64_tr *t, const struct a64_fields *f)
{
}

/* What comes here was checked before (a64_lands). */
void tr_bti(struct a64_tr *t, const struct a64_fields *f)
{
}

/* --- Barriers --- */

void tr_dmb(struct a64_tr *t, const struct a64_fields *f)
{
    static const uint8_t kind[] = {IR_FENCE_ALL, IR_FENCE_LOAD, IR_FENCE_STORE, IR_FENCE_ALL};

    ir_fence(t->ir, kind[f->m & 3]);
}

void tr_dsb(struct a64_tr *t, const struct a64_fields *f)
{
    ir_fence(t->ir, IR_FENCE_ALL);
}

void tr_sb(struct a64_tr *t, const struct a64_fields *f)
{
}

/* What follows may have been rewritten: the helper hides that its result is a constant. */
void tr_isb(struct a64_tr *t, const struct a64_fields *f)
{
    a64_leave(t, ir_call(t->ir, A64_HELP_next_pc, a64_const(t, t->pc + 4), IR_NONE, IR_NONE));
}

uint64_t help_next_pc(struct cpu *cpu, uint64_t pc, uint64_t b, uint64_t c)
{
    return pc;
}

/* --- Cache maintenance.  Lines and the block of DC ZVA are 64 bytes. --- */

enum { LINE = 64 };

void tr_dc_zva(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr = ir_and_imm(t->ir, a64_x(t, f->t), ~(uint64_t)(LINE - 1));
    ir_val zero = ir_vconst(t->ir, 0, 0);

    for (unsigned i = 0; i < LINE; i += 16)
        ir_store(t->ir, ir_mem(4, false, IR_RELAXED), ir_add_imm(t->ir, addr, i), zero);
}

void tr_dc_cvac(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_dc_cvau(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_dc_civac(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_dc_cvap(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_dc_cvadp(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_ic_ivau(struct a64_tr *t, const struct a64_fields *f)
{
    a64_leave(t, ir_call(t->ir, A64_HELP_ic_ivau, a64_x(t, f->t), a64_const(t, t->pc + 4), IR_NONE));
}

uint64_t help_ic_ivau(struct cpu *cpu, uint64_t addr, uint64_t next_pc, uint64_t c)
{
    engine_code_changed(cpu->engine, addr & ~(uint64_t)(LINE - 1), LINE);
    return next_pc;
}

/* --- Flags --- */

void tr_mrs_nzcv(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = a64_const(t, 0);

    for (unsigned i = 0; i < 4; i++) {
        ir_val flag = ir_conv(t->ir, IRO_zext, IR_I64, ir_get(t->ir, A64_N + i));
        v = ir_or(t->ir, v, a64_shifted(t, flag, A64_LSL, 31 - i));
    }
    a64_set_r(t, f->t, v);
}

void tr_msr_nzcv(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = a64_x(t, f->t);

    for (unsigned i = 0; i < 4; i++)
        ir_set(t->ir, A64_N + i, ir_conv(t->ir, IRO_trunc, IR_I1, a64_shifted(t, v, A64_LSR, 31 - i)));
}

/* --- Floating-point control and status --- */

void tr_mrs_fpcr(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, ir_call(t->ir, A64_HELP_get_fpcr, IR_NONE, IR_NONE, IR_NONE));
}

uint64_t help_get_fpcr(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return a64(cpu)->fpcr;
}

/* The mode may change, and with it what code means. */
void tr_msr_fpcr(struct a64_tr *t, const struct a64_fields *f)
{
    a64_leave(t, ir_call(t->ir, A64_HELP_set_fpcr, a64_x(t, f->t), a64_const(t, t->pc + 4), IR_NONE));
}

uint64_t help_set_fpcr(struct cpu *cpu, uint64_t v, uint64_t next_pc, uint64_t c)
{
    a64_set_fpcr(cpu, v);
    return next_pc;
}

void tr_mrs_fpsr(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, ir_call(t->ir, A64_HELP_get_fpsr, IR_NONE, IR_NONE, IR_NONE));
}

uint64_t help_get_fpsr(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return a64_get_fpsr(cpu);
}

void tr_msr_fpsr(struct a64_tr *t, const struct a64_fields *f)
{
    ir_call(t->ir, A64_HELP_set_fpsr, a64_x(t, f->t), IR_NONE, IR_NONE);
}

uint64_t help_set_fpsr(struct cpu *cpu, uint64_t v, uint64_t b, uint64_t c)
{
    a64_set_fpsr(cpu, v);
    return 0;
}

/* --- PSTATE bits that only hold their value --- */

static void get_bit(struct a64_tr *t, unsigned reg, unsigned slot, unsigned pos)
{
    a64_set_r(t, reg, a64_shifted(t, ir_conv(t->ir, IRO_zext, IR_I64, ir_get(t->ir, slot)), A64_LSL, pos));
}

static void set_bit(struct a64_tr *t, unsigned reg, unsigned slot, unsigned pos)
{
    ir_set(t->ir, slot, ir_conv(t->ir, IRO_trunc, IR_I1, a64_shifted(t, a64_x(t, reg), A64_LSR, pos)));
}

void tr_mrs_dit(struct a64_tr *t, const struct a64_fields *f)
{
    get_bit(t, f->t, A64_DIT, 24);
}

void tr_msr_dit(struct a64_tr *t, const struct a64_fields *f)
{
    set_bit(t, f->t, A64_DIT, 24);
}

void tr_msr_dit_imm(struct a64_tr *t, const struct a64_fields *f)
{
    ir_set(t->ir, A64_DIT, a64_bit(t, t->word >> 8 & 1));
}

void tr_mrs_ssbs(struct a64_tr *t, const struct a64_fields *f)
{
    get_bit(t, f->t, A64_SSBS, 12);
}

void tr_msr_ssbs(struct a64_tr *t, const struct a64_fields *f)
{
    set_bit(t, f->t, A64_SSBS, 12);
}

void tr_msr_ssbs_imm(struct a64_tr *t, const struct a64_fields *f)
{
    ir_set(t->ir, A64_SSBS, a64_bit(t, t->word >> 8 & 1));
}

/* --- Thread pointers --- */

void tr_mrs_tpidr(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, ir_get(t->ir, A64_TPIDR));
}

void tr_msr_tpidr(struct a64_tr *t, const struct a64_fields *f)
{
    ir_set(t->ir, A64_TPIDR, a64_x(t, f->t));
}

/* Linux keeps it zero for 64-bit programs. */
void tr_mrs_tpidrro(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, a64_const(t, 0));
}

/* --- Identification --- */

/* 64-byte lines; IDC: data need not be cleaned; DIC clear: instructions must be invalidated. */
void tr_mrs_ctr(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, a64_const(t, 0x9444c004));
}

void tr_mrs_dczid(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, a64_const(t, 4)); /* log2 of the block in words */
}

void tr_mrs_id(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, a64_const(t, a64_id_register(t->mode, f->m, f->p)));
}

/* --- Time: 62.5 MHz, a tick is 16 ns --- */

void tr_mrs_cntfrq(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, a64_const(t, 62500000));
}

void tr_mrs_cntvct(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, ir_call(t->ir, A64_HELP_cntvct, IR_NONE, IR_NONE, IR_NONE));
}

void tr_mrs_cntvctss(struct a64_tr *t, const struct a64_fields *f)
{
    tr_mrs_cntvct(t, f);
}

uint64_t help_cntvct(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec * 1000000000 + now.tv_nsec) / 16;
}

/* --- Random numbers: the host's generator does not fail once it is seeded --- */

void tr_mrs_rndr(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, ir_call(t->ir, A64_HELP_rndr, IR_NONE, IR_NONE, IR_NONE));
    a64_set_flags_imm(t, 0);
}

uint64_t help_rndr(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t v;

    while (getrandom(&v, sizeof(v), 0) != sizeof(v))
        ;
    return v;
}
