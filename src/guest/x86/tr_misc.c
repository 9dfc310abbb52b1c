/* SPDX-License-Identifier: GPL-2.0-or-later */
/* About the processor, hints, bounds, and what programs may not do (SDM 2: CPUID, RDTSC, RDRAND, BOUND, XLAT, IN, HLT ...). */
#include "guest/x86/lift.h"

#include <sys/random.h>
#include <x86intrin.h>

void tr_x86_nop(struct x86_tr *t)
{
}

void tr_x86_lfence(struct x86_tr *t)
{
    ir_fence(t->ir, IR_FENCE_LOAD);
}

void tr_x86_mfence(struct x86_tr *t)
{
    ir_fence(t->ir, IR_FENCE_ALL);
}

void tr_x86_sfence(struct x86_tr *t)
{
    ir_fence(t->ir, IR_FENCE_STORE);
}

/* There is no cache to flush, but the address must be readable. */
void tr_x86_clflush(struct x86_tr *t)
{
    x86_load(t, x86_mem(t, 1, false), 1);
}

void tr_x86_xlat(struct x86_tr *t)
{
    const struct x86_insn *i = t->i;
    ir_val at = ir_add(t->ir, ir_get(t->ir, X86_R0 + X86_BX), x86_zext(t, x86_reg(t, X86_AX, 1), 1, 8));
    unsigned seg = i->seg_prefix == X86_NO_SEG ? X86_DS : i->seg_prefix;

    x86_set_reg(t, X86_AX, 1, x86_load(t, x86_linear(t, seg, x86_zext(t, at, i->addr_size, 8), 1, false), 1));
}

void tr_x86_bound(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    unsigned size = x86_size(t, 0);
    ir_val v = x86_sext(t, x86_read(t, 0), size, 4);
    ir_val low = x86_sext(t, x86_load(t, x86_mem(t, size, false), size), size, 4);
    ir_val high = x86_sext(t, x86_load(t, x86_mem_at(t, size, size, false), size), size, 4);

    x86_check(t, ir_or(ir, ir_cmp(ir, IRO_slt, v, low), ir_cmp(ir, IRO_slt, high, v)), X86_EXC_BR, 0);
}

/* --- About the processor --- */

/* Programs have no hypervisor: the way of the personality's own code to its services, of which EAX has the number. */
void tr_x86_vmmcall(struct x86_tr *t)
{
    ir_call(t->ir, X86_HELP_service, x86_const64(t, t->pc), IR_NONE, IR_NONE);
}

uint64_t x86_help_service(struct cpu *cpu, uint64_t pc, uint64_t b, uint64_t c)
{
    if (!engine_serve(cpu, pc, (unsigned)x86(cpu)->r[X86_AX])) {
        cpu->pc = pc;
        cpu->stop = CPU_STOP_UNDEFINED;
    }
    return 0;
}

void tr_x86_cpuid(struct x86_tr *t)
{
    ir_call(t->ir, X86_HELP_cpuid, IR_NONE, IR_NONE, IR_NONE);
}

uint64_t x86_help_tsc(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return __rdtsc() + x86(cpu)->tsc_offset;
}

static void set_halves(struct x86_tr *t, ir_val v)
{
    x86_set_reg(t, X86_AX, 4, v);
    x86_set_reg(t, X86_DX, 4, ir_shift_imm(t->ir, IRO_shr, v, 32));
}

void tr_x86_rdtsc(struct x86_tr *t)
{
    set_halves(t, ir_call(t->ir, X86_HELP_tsc, IR_NONE, IR_NONE, IR_NONE));
}

uint64_t x86_help_tsc_aux(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned aux;

    if (cpu->memory)
        return x86(cpu)->tsc_aux;
    __asm__ volatile("rdtscp" : "=c"(aux) : : "eax", "edx"); /* the host's Linux keeps node and processor there, too */
    return aux;
}

static ir_val tsc_aux(struct x86_tr *t)
{
    return ir_call(t->ir, X86_HELP_tsc_aux, IR_NONE, IR_NONE, IR_NONE);
}

void tr_x86_rdtscp(struct x86_tr *t)
{
    tr_x86_rdtsc(t);
    x86_set_reg(t, X86_CX, 4, tsc_aux(t));
}

void tr_x86_rdpid(struct x86_tr *t)
{
    ir_set(t->ir, X86_R0 + t->i->op[0].reg, tsc_aux(t));
}

uint64_t x86_help_random(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t v;

    while (getrandom(&v, sizeof(v), 0) != sizeof(v))
        ;
    return v;
}

/* The host's generator always has some: CF is set, the others are clear. */
void tr_x86_rdrand(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val v = ir_call(t->ir, X86_HELP_random, IR_NONE, IR_NONE, IR_NONE);

    if (size < 8)
        v = ir_conv(t->ir, IRO_trunc, IR_I32, v);
    x86_write(t, 0, v);
    x86_flags_logic(t, x86_const(t, 4, 1), 4);
    ir_set(t->ir, X86_CF, x86_bit(t, 1));
}

void tr_x86_xgetbv(struct x86_tr *t)
{
    ir_val n = x86_reg(t, X86_CX, 4), v;

    x86_check(t, ir_cmp(t->ir, IRO_ult, x86_const(t, 4, 1), n), X86_EXC_GP, 0);
    v = ir_call(t->ir, X86_HELP_xcr, x86_zext(t, n, 4, 8), IR_NONE, IR_NONE);
    set_halves(t, v);
}

/* XCR1 tells which parts of XCR0 are not in their initial state. */
uint64_t x86_help_xcr(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return a ? x86_state_in_use(cpu) : x86(cpu)->xcr0;
}

void tr_x86_rdbase(struct x86_tr *t)
{
    ir_val v = ir_get(t->ir, X86_BASE + t->i->op[1].reg);

    x86_write(t, 0, x86_size(t, 0) == 8 ? v : ir_conv(t->ir, IRO_trunc, IR_I32, v));
}

void tr_x86_wrbase(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    ir_val v = x86_zext(t, x86_read(t, 1), x86_size(t, 1), 8);
    ir_val canonical = ir_shift_imm(ir, IRO_sar, ir_shift_imm(ir, IRO_shl, v, 16), 16);

    x86_check(t, ir_cmp(ir, IRO_ne, v, canonical), X86_EXC_GP, 0);
    ir_set(ir, X86_BASE + t->i->op[0].reg, v);
}

/* --- Not for programs --- */

static void privileged(struct x86_tr *t)
{
    x86_raise(t, X86_EXC_GP, 0);
}

void tr_x86_hlt(struct x86_tr *t)
{
    privileged(t);
}

void tr_x86_cli(struct x86_tr *t)
{
    privileged(t);
}

void tr_x86_sti(struct x86_tr *t)
{
    privileged(t);
}

void tr_x86_in(struct x86_tr *t)
{
    privileged(t);
}

void tr_x86_out(struct x86_tr *t)
{
    privileged(t);
}

void tr_x86_ins(struct x86_tr *t)
{
    privileged(t);
}

void tr_x86_outs(struct x86_tr *t)
{
    privileged(t);
}
