/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE4.2's comparisons of strings (SDM 2: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM). */
#include "guest/x86/simd.h"

/* RAX and RDX as signed lengths, cut to the operand size; VEX.W says nothing outside of 64-bit code. */
static ir_val lengths(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    unsigned size = t->i->w && x86_code(t->mode) == X86_CODE64 ? 8 : 4;
    ir_val a = x86_sext(t, x86_reg(t, X86_AX, size), size, 8), d = x86_sext(t, x86_reg(t, X86_DX, size), size, 8);

    return ir_v2(ir, IRO_vset, 3, 1, ir_conv(ir, IRO_vfromi, IR_V128, a), d);
}

static ir_val word(struct x86_tr *t, ir_val v, unsigned i)
{
    return ir_op(t->ir, IRO_vget, IR_I32, 2, i, v, IR_NONE, IR_NONE);
}

static void set_flag(struct x86_tr *t, unsigned flag, ir_val v, unsigned bit)
{
    x86_set_flag(t, flag, ir_cmp(t->ir, IRO_ne, ir_and_imm(t->ir, v, bit), ir_const(t->ir, IR_I32, 0)));
}

static void compare(struct x86_tr *t, bool implicit, bool mask)
{
    struct ir *ir = t->ir;
    uint64_t imm = x86_imm8(t) | (implicit ? IR_XSTR_IMPLICIT : 0);
    ir_val b = x86_vec_any(t, 1, 0), a = x86_vec(t, 0, 0), len = implicit ? x86_vzero(t) : lengths(t);
    ir_val r = ir_v3(ir, IRO_xstri, 0, imm, a, b, len);

    if (mask) {
        ir_set(ir, X86_XMM0, ir_v3(ir, IRO_xstrm, 0, imm, a, b, len));
        if (t->i->vex)
            ir_set(ir, X86_YMMH0, x86_vzero(t));
    } else {
        x86_set_reg(t, X86_CX, 4, word(t, r, 0));
    }
    set_flag(t, X86_FL_CF, word(t, r, 1), 1);
    set_flag(t, X86_FL_ZF, word(t, r, 2), 1);
    set_flag(t, X86_FL_SF, word(t, r, 3), 1);
    set_flag(t, X86_FL_OF, word(t, r, 3), 2);
    ir_set(ir, X86_PF, ir_const(ir, IR_I32, 1));
    ir_set(ir, X86_AF, ir_const(ir, IR_I32, 0));
}

void tr_x86_pcmpestri(struct x86_tr *t)
{
    compare(t, false, false);
}

void tr_x86_pcmpestrm(struct x86_tr *t)
{
    compare(t, false, true);
}

void tr_x86_pcmpistri(struct x86_tr *t)
{
    compare(t, true, false);
}

void tr_x86_pcmpistrm(struct x86_tr *t)
{
    compare(t, true, true);
}
