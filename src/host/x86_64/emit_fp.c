/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86-64 code for floating point.  Rows that are missing are calls of evaluation functions. */
#include "host/x86_64/emit.h"

/* ARM finds tininess before rounding, SSE after: a result rounded up to the smallest normal number
 * needs a second look, as NaNs do.  Both compare equal-or-unordered to it. */
static void check_tiny(struct x64 *x, const struct ir_op *o, unsigned d, const unsigned *src, unsigned n)
{
    bool f64 = o->type == IR_F64;
    uint64_t tiny = f64 ? 0x0010000000000000 : 0x00800000;
    uint64_t abs = f64 ? 0x7fffffffffffffff : 0x7fffffff;

    x64_vmov(&x->a, X_VSCRATCH, d);
    x64_v3m(&x->a, VX(0, 1, 0x54), X_VSCRATCH, X_VSCRATCH, x_vconst(x, abs, 0)); /* andps */
    x64_v2m(&x->a, VX(f64 ? 0x66 : 0, 1, 0x2e), X_VSCRATCH, x_vconst(x, tiny, 0));
    x_slow(x, CC_E, o, d + X_XMM, src, n);
}

static void emit_arith(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    static const uint8_t opc[] = { [IRO_fadd - IRO_fadd] = 0x58, [IRO_fsub - IRO_fadd] = 0x5c,
                                   [IRO_fmul - IRO_fadd] = 0x59, [IRO_fdiv - IRO_fadd] = 0x5e };
    bool f64 = o->type == IR_F64;
    unsigned src[2], d;

    if (o->type == IR_F16) {
        emit_eval(x, o, v);
        return;
    }
    src[0] = ra_use(x, o->arg[0]);
    src[1] = ra_use(x, o->arg[1]);
    d = rv_def(x, v);
    x64_v3(&x->a, VX(f64 ? 0xf2 : 0xf3, 1, opc[o->op - IRO_fadd]), d, src[0] - X_XMM, src[1] - X_XMM);
    if (o->op == IRO_fmul || o->op == IRO_fdiv) {
        check_tiny(x, o, d, src, 2);
    } else {
        x64_v2(&x->a, VX(f64 ? 0x66 : 0, 1, 0x2e), d, d);
        x_slow(x, CC_P, o, d + X_XMM, src, 2);
    }
}

emit_fn *const x64_emit_fp[IR_NUM_OPS] = {
    [IRO_fadd] = emit_arith, [IRO_fsub] = emit_arith, [IRO_fmul] = emit_arith, [IRO_fdiv] = emit_arith,
};
