/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stack beyond PUSH and POP; segment registers (SDM 2: PUSHA, POPA, ENTER, LEAVE, MOV, POP, LDS). */
#include "guest/x86/lift.h"

/* --- Segment registers --- */

/* Selectors are no slots. */
uint64_t x86_help_selector(struct cpu *cpu, uint64_t seg, uint64_t b, uint64_t c)
{
    return x86(cpu)->seg[seg].selector;
}

static ir_val selector(struct x86_tr *t, unsigned seg)
{
    ir_val v = ir_call(t->ir, X86_HELP_selector, x86_const64(t, seg), IR_NONE, IR_NONE);

    return ir_conv(t->ir, IRO_trunc, IR_I32, v);
}

/* @a: the segment, @b: the selector, @c: the instruction's length. */
uint64_t x86_help_load_segment(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    int vector = x86_program_load(cpu, (unsigned)a, (uint16_t)b);

    return vector ? x86_throw(cpu, (unsigned)vector, (uint32_t)b & 0xfffc) : 0;
}

/* What code means may be another afterwards, in 64-bit code of programs not. */
static void load_segment(struct x86_tr *t, unsigned seg, ir_val sel)
{
    ir_call(t->ir, X86_HELP_load_segment, x86_const64(t, seg), x86_zext(t, sel, 2, 8), x86_const64(t, t->i->len));
}

static void after_load(struct x86_tr *t)
{
    if (!x86_is64(t) || x86_is_system(t))
        x86_again(t);
}

void tr_x86_mov_from_seg(struct x86_tr *t)
{
    ir_val v = selector(t, t->i->op[1].reg);

    if (t->i->op[1].reg >= X86_NUM_SEGS)
        x86_undefined(t);
    else
        x86_write(t, 0, x86_size(t, 0) == 8 ? ir_conv(t->ir, IRO_zext, IR_I64, v) : v);
}

void tr_x86_mov_to_seg(struct x86_tr *t)
{
    unsigned seg = t->i->op[0].reg;

    if (seg >= X86_NUM_SEGS || seg == X86_CS) {
        x86_undefined(t);
        return;
    }
    load_segment(t, seg, x86_read(t, 1));
    after_load(t);
}

void tr_x86_push_seg(struct x86_tr *t)
{
    ir_val v = selector(t, t->i->op[0].reg);
    unsigned size = t->i->op_size;

    x86_push(t, size, size == 8 ? ir_conv(t->ir, IRO_zext, IR_I64, v) : v);
}

/* The stack pointer moves when the selector was good. */
void tr_x86_pop_seg(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val sel = x86_peek(t, size, 0), sp = x86_sp(t, size);

    load_segment(t, t->i->op[0].reg, sel);
    x86_set_sp(t, sp);
    after_load(t);
}

void tr_x86_load_far(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val off = x86_load(t, x86_mem(t, size, false), size), sel = x86_load(t, x86_mem_at(t, size, 2, false), 2);

    load_segment(t, t->i->op[2].reg, sel);
    x86_write(t, 0, off);
    after_load(t);
}

/* --- PUSHA, POPA --- */

/* All stores come before the pointer moves: a fault leaves it where it was. */
void tr_x86_pusha(struct x86_tr *t)
{
    unsigned size = t->i->op_size;

    for (unsigned r = 0; r < 8; r++) {
        ir_val sp = x86_sp(t, -(int64_t)(size * (r + 1)));

        x86_store(t, x86_linear(t, X86_SS, sp, size, true), size, x86_reg(t, r, size));
    }
    x86_set_sp(t, x86_sp(t, -(int64_t)(8 * size)));
}

void tr_x86_popa(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val v[8];

    for (unsigned r = 0; r < 8; r++)
        v[r] = x86_peek(t, size, (int64_t)(size * (7 - r)));
    x86_set_sp(t, x86_sp(t, 8 * size));
    for (unsigned r = 0; r < 8; r++)
        if (r != X86_SP)
            x86_set_reg(t, r, size, v[r]);
}

/* --- Frames --- */

/* The frame pointer addresses the stack with the stack's width. */
static ir_val frame(struct x86_tr *t, int64_t off)
{
    unsigned width = x86_stack_size(t);
    ir_val bp = ir_get(t->ir, X86_R0 + X86_BP);

    return x86_zext(t, off ? ir_add_imm(t->ir, bp, off) : bp, width, 8);
}

void tr_x86_enter(struct x86_tr *t)
{
    unsigned size = t->i->op_size, level = (unsigned)t->i->imm2 & 31;
    int64_t down = -(int64_t)size;
    ir_val new = x86_sp(t, down);

    x86_store(t, x86_linear(t, X86_SS, new, size, true), size, x86_reg(t, X86_BP, size));
    for (unsigned n = 1; n < level; n++) { /* the frame pointers of the procedures around this one */
        ir_val v = x86_load(t, x86_linear(t, X86_SS, frame(t, -(int64_t)(size * n)), size, false), size);

        down -= size;
        x86_store(t, x86_linear(t, X86_SS, x86_sp(t, down), size, true), size, v);
    }
    if (level) {
        down -= size;
        x86_store(t, x86_linear(t, X86_SS, x86_sp(t, down), size, true), size,
                  size == 8 ? new : ir_conv(t->ir, IRO_trunc, IR_I32, new));
    }
    down -= t->i->imm;
    if (t->i->imm) /* the new top must be writable */
        ir_atomic(t->ir, IRO_fora, x86_type(size), ir_mem((unsigned)__builtin_ctz(size), false, IR_RELAXED),
                  x86_linear(t, X86_SS, x86_sp(t, down), size, true), x86_const(t, size, 0), IR_NONE);
    x86_set_sp(t, x86_sp(t, down));
    x86_set_reg(t, X86_BP, size, size == 8 ? new : ir_conv(t->ir, IRO_trunc, IR_I32, new));
}

void tr_x86_leave(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val v = x86_load(t, x86_linear(t, X86_SS, frame(t, 0), size, false), size), sp = frame(t, size);

    x86_set_sp(t, sp);
    x86_set_reg(t, X86_BP, size, v);
}
