/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 code for guest memory: loads, stores, atomics, fences.
 * Ordering: x86 loads acquire and stores release; only a store followed by a load can pass it.  So an
 * ordered store, which later ordered loads must not pass, is an exchange.
 */
#include "host/x86_64/emit.h"

/* The memory operand of guest address @v; its registers are pinned. */
static struct x64_mem address(struct x64 *x, uint32_t v)
{
    struct x64_mem m = { .base = NOREG, .index = NOREG };
    const struct ir_op *o;
    int32_t imm;

    v = x_resolve(x, v);
    o = &x->ir->ops[v];
    if (x_imm(x, v, &imm) && imm >= 0) {
        m.disp = imm;
    } else if ((x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && o->op == IRO_add) {
        uint32_t i = x_resolve(x, o->arg[1]);
        const struct ir_op *io = &x->ir->ops[i];

        m.base = (uint8_t)ra_use(x, o->arg[0]);
        if (x_imm(x, o->arg[1], &imm)) {
            m.disp = imm;
        } else if ((x->val[i].flags & XV_LAZY) && x->val[i].reg == NOREG && io->op == IRO_shl) {
            m.index = (uint8_t)ra_use(x, io->arg[0]);
            x_imm(x, io->arg[1], &imm);
            m.scale = (uint8_t)imm;
        } else {
            m.index = (uint8_t)ra_use(x, i);
        }
    } else if ((x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && o->op == IRO_shl) {
        m.index = (uint8_t)ra_use(x, o->arg[0]);
        x_imm(x, o->arg[1], &imm);
        m.scale = (uint8_t)imm;
    } else {
        m.base = (uint8_t)ra_use(x, v);
    }
    if (x->job->untag) {
        unsigned t = ra_temp(x, false);

        x64_lea(&x->a, 8, t, m);
        x64_shift_ri(&x->a, SH_SHL, 8, t, 8);
        x64_shift_ri(&x->a, SH_SAR, 8, t, 8);
        m = x64_at(t, 0);
    }
    m.gs = x->job->gs_base;
    return m;
}

static unsigned mem_size(const struct ir_op *o)
{
    return 1u << (o->imm & IR_MEM_SIZE);
}

static void emit_load(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned size = mem_size(o), d = ra_def_loaded(x, v, o);

    if (ir_is_vec(o->type)) {
        if (size == 16)
            x64_vload(&x->a, d - X_XMM, m);
        else
            x64_vload_n(&x->a, size, d - X_XMM, m);
    } else if ((o->imm & IR_MEM_SIGN) && size < ir_bits(o->type) / 8) {
        x64_load_sx(&x->a, size, x_size(o->type), d, m);
        if (o->type == IR_I16)
            x64_movzx(&x->a, 2, d, d);
    } else {
        x64_load(&x->a, size, d, m);
    }
}

static void emit_store(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned size = mem_size(o), s;
    bool release = o->imm >> IR_MEM_ORDER_SHIFT & IR_RELEASE;
    int32_t imm;

    (void)v;
    if (ir_is_vec(x->ir->ops[o->arg[1]].type)) {
        s = rv_use(x, o->arg[1]);
        x_fault_here(x, o);
        if (size == 16)
            x64_vstore(&x->a, m, s);
        else
            x64_vstore_n(&x->a, size, m, s);
        if (release)
            x64_mfence(&x->a);
        return;
    }
    if (release) {
        unsigned t;

        s = ra_use(x, o->arg[1]);
        t = ra_temp(x, false);
        x64_mov_rr(&x->a, 8, t, s);
        x_fault_here(x, o);
        x64_xchg_mr(&x->a, size, m, t);
    } else if (x_imm(x, o->arg[1], &imm)) {
        x_fault_here(x, o);
        x64_store_imm(&x->a, size, m, imm);
    } else {
        s = ra_use(x, o->arg[1]);
        x_fault_here(x, o);
        x64_store(&x->a, size, m, s);
    }
}

/* Small results come back zero-extended. */
static void widen(struct x64 *x, unsigned size, unsigned d)
{
    if (size <= 2)
        x64_movzx(&x->a, size, d, d);
}

static void emit_xchg_add(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned size = mem_size(o), s = ra_use(x, o->arg[1]), d = ra_def(x, v);

    x64_mov_rr(&x->a, 8, d, s);
    x_fault_here(x, o);
    if (o->op == IRO_fadda) {
        x64_lock(&x->a);
        x64_xadd_mr(&x->a, size, m, d);
    } else {
        x64_xchg_mr(&x->a, size, m, d);
    }
    widen(x, size, d);
}

/* Operands of minimum and maximum, extended to the comparison's width. */
static void extend(struct x64 *x, bool sign, unsigned size, unsigned d, unsigned s)
{
    if (size >= 4)
        x64_mov_rr(&x->a, size, d, s);
    else if (sign)
        x64_movsx(&x->a, size, 4, d, s);
    else
        x64_movzx(&x->a, size, d, s);
}

static void emit_fetch_loop(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned size = mem_size(o), wide = size == 8 ? 8 : 4;
    unsigned b = ra_use(x, o->arg[1]), t = ra_temp(x, false), d = ra_def(x, v), w = 0;
    bool minmax = o->op >= IRO_fsmaxa && o->op <= IRO_fumina;
    bool sign = o->op == IRO_fsmaxa || o->op == IRO_fsmina;
    struct x64_label again = { 0 };

    if (minmax) {
        w = ra_temp(x, false);
        extend(x, sign, size, w, b);
    }
    x_fault_here(x, o);
    x64_load(&x->a, size, RAX, m);
    x64_bind(&x->a, &again);
    if (minmax) {
        static const uint8_t keep[] = { CC_GE, CC_LE, CC_AE, CC_BE }; /* smax smin umax umin */

        extend(x, sign, size, t, RAX);
        x64_alu_rr(&x->a, ALU_CMP, wide, t, w);
        x64_cmov(&x->a, keep[o->op - IRO_fsmaxa] ^ 1, wide, t, w);
    } else {
        x64_mov_rr(&x->a, wide, t, RAX);
        x64_alu_rr(&x->a, o->op == IRO_fanda ? ALU_AND : o->op == IRO_fora ? ALU_OR : ALU_XOR, wide,
                   t, b);
    }
    x_fault_here(x, o);
    x64_lock(&x->a);
    x64_cmpxchg_mr(&x->a, size, m, t);
    x64_jcc(&x->a, CC_NE, &again);
    x64_mov_rr(&x->a, wide, d, RAX);
}

static void emit_cas16(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m;
    unsigned e, n, d;

    ra_take(x, RDX);
    ra_take(x, RCX);
    ra_take(x, RBX);
    m = address(x, o->arg[0]);
    e = rv_use(x, o->arg[1]);
    n = rv_use(x, o->arg[2]);
    d = rv_def(x, v);
    x64_movq_rx(&x->a, 8, RAX, e);
    x64_v2i(&x->a, VX(0x66, 3, 0x16) | VX_W, e, RDX, 1); /* pextrq: the register is ModRM.reg */
    x64_movq_rx(&x->a, 8, RBX, n);
    x64_v2i(&x->a, VX(0x66, 3, 0x16) | VX_W, n, RCX, 1);
    x_fault_here(x, o);
    x64_lock(&x->a);
    x64_cmpxchg16b(&x->a, m);
    x64_movq_xr(&x->a, 8, d, RAX);
    x64_v3i(&x->a, VX(0x66, 3, 0x22) | VX_W, d, d, RDX, 1); /* pinsrq */
}

static void emit_cas(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m;
    unsigned size = mem_size(o), e, n, d;

    if (o->type == IR_V128) {
        emit_cas16(x, o, v);
        return;
    }
    m = address(x, o->arg[0]);
    e = ra_use(x, o->arg[1]);
    n = ra_use(x, o->arg[2]);
    d = ra_def(x, v);
    x64_mov_rr(&x->a, 8, RAX, e);
    x_fault_here(x, o);
    x64_lock(&x->a);
    x64_cmpxchg_mr(&x->a, size, m, n);
    extend(x, false, size, d, RAX);
}

static void emit_fence(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    (void)v;
    if (o->imm == IR_FENCE_ALL)
        x64_mfence(&x->a);
}

emit_fn *const x64_emit_mem[IR_NUM_OPS] = {
    [IRO_load] = emit_load, [IRO_store] = emit_store, [IRO_cas] = emit_cas,
    [IRO_xchg] = emit_xchg_add, [IRO_fadda] = emit_xchg_add,
    [IRO_fanda] = emit_fetch_loop, [IRO_fora] = emit_fetch_loop, [IRO_fxora] = emit_fetch_loop,
    [IRO_fsmaxa] = emit_fetch_loop, [IRO_fsmina] = emit_fetch_loop,
    [IRO_fumaxa] = emit_fetch_loop, [IRO_fumina] = emit_fetch_loop, [IRO_fence] = emit_fence,
};
