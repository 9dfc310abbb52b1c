/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86-64 code for vector operations.  Rows that are missing are calls of evaluation functions. */
#include "host/x86_64/emit.h"

static void emit_logic(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    uint32_t vi = o->op == IRO_vand ? VX(0x66, 1, 0xdb) : o->op == IRO_vor ? VX(0x66, 1, 0xeb)
                                                                          : VX(0x66, 1, 0xef);
    unsigned a = rv_use(x, o->arg[0]), b = rv_use(x, o->arg[1]), d = rv_def(x, v);

    x64_v3(&x->a, vi, d, a, b);
}

static void emit_vtof(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned a = rv_use(x, o->arg[0]), d = rv_def(x, v);

    x64_vmov(&x->a, d, a);
}

static void emit_vfromi(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned a = ra_use(x, o->arg[0]), d = rv_def(x, v);

    x64_movq_xr(&x->a, x_size(x->ir->ops[o->arg[0]].type), d, a);
}

static void emit_vlow(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned a, d;

    if (o->lane != 3) {
        emit_eval(x, o, v);
        return;
    }
    a = rv_use(x, o->arg[0]);
    d = rv_def(x, v);
    x64_v2(&x->a, VX(0xf3, 1, 0x7e), d, a); /* movq */
}

emit_fn *const x64_emit_vec[IR_NUM_OPS] = {
    [IRO_vand] = emit_logic, [IRO_vor] = emit_logic, [IRO_vxor] = emit_logic,
    [IRO_vtof] = emit_vtof, [IRO_vfromi] = emit_vfromi, [IRO_vlow] = emit_vlow,
};
