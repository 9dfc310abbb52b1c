/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of ir/sse.def: each is one instruction of the host, whose rules are the guest's, as MXCSR is (SDM 2).
 */
#include "host/x86_64/vec_ops.h"
#include "ir/sse.h"

static const struct sse_info *row_of(const struct ir_op *op)
{
    return &sse_info[sse_op_of(op->imm)];
}

static uint32_t encoding(const struct sse_info *i)
{
    return VX(i->prefix, i->map, i->opcode) | (i->flags & SSE_W ? VX_W : 0) | (i->flags & SSE_VEX ? VX_VEXONLY : 0);
}

/* Bits that the guest's form does not look at may mean something to the host's. */
static unsigned immediate(const struct sse_info *i, const struct ir_op *op)
{
    return sse_imm8_of(op->imm) & (i->imms - 1u);
}

static bool there(const struct x64 *x, const struct sse_info *i)
{
    const struct x64_feat *f = &x->a.f;

    if ((i->flags & SSE_AES && !f->aes) || (i->flags & SSE_CLMUL && !f->pclmul) || (i->flags & SSE_SHA && !f->sha))
        return false;
    if (i->flags & SSE_VEX)
        return i->kind == SSE_F3 ? f->fma : i->map == 2 && i->opcode == 0x13 ? f->f16c : i->opcode == 0x1d ? f->f16c : f->avx2;
    return true;
}

static void one(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    const struct sse_info *i = row_of(op);
    struct io r;

    if (!there(x, i)) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io1(x, op, v);
    if (i->flags & SSE_BACK)
        v2i(x, encoding(i), r.a, r.d, immediate(i, op));
    else if (i->imms)
        v2i(x, encoding(i), r.d, r.a, immediate(i, op));
    else
        v2(x, encoding(i), r.d, r.a);
}
void emit_xv1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    one(x, op, v);
}
void emit_xf1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    one(x, op, v);
}

/* Without VEX form: the bytes of 0F 38 and 0F 3A. */
static void legacy(struct x64 *x, const struct sse_info *i, unsigned d, unsigned s, unsigned imm)
{
    x64_byte(&x->a, (uint8_t)(0x40 | (d >= 8) << 2 | (s >= 8)));
    x64_byte(&x->a, 0x0f);
    x64_byte(&x->a, i->map == 2 ? 0x38 : 0x3a);
    x64_byte(&x->a, i->opcode);
    x64_byte(&x->a, (uint8_t)(0xc0 | (d & 7) << 3 | (s & 7)));
    if (i->imms)
        x64_byte(&x->a, (uint8_t)imm);
}

static void two(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    const struct sse_info *i = row_of(op);
    unsigned imm = immediate(i, op);
    struct io r;

    if (!there(x, i)) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    if (i->flags & SSE_SHA) {
        vmov(x, r.d, r.a);
        legacy(x, i, r.d, r.b, imm);
    } else if (i->imms) {
        v3i(x, encoding(i), r.d, r.a, r.b, imm);
    } else {
        v3(x, encoding(i), r.d, r.a, r.b);
    }
}
void emit_xv2(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    two(x, op, v);
}
void emit_xf2(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    two(x, op, v);
}

/* SHA256RNDS2: its third operand is XMM0. */
void emit_xv3(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    const struct sse_info *i = row_of(op);
    unsigned xmm0 = 0, a, b, c, d;

    if (!there(x, i)) {
        emit_eval(x, op, v);
        return;
    }
    a = rv_use(x, op->arg[0]);
    b = rv_use(x, op->arg[1]);
    c = rv_use(x, op->arg[2]);
    ra_take(x, X_XMM + xmm0); /* an operand that is there stays readable until xmm0 is written */
    d = rv_def(x, v);
    vmov(x, d, a);
    vmov(x, T, b);
    vmov(x, xmm0, c);
    legacy(x, i, d, T, 0);
}

void emit_xf3(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    const struct sse_info *i = row_of(op);
    struct io r;

    if (!there(x, i)) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io3(x, op, v);
    vmov(x, r.d, r.a);
    v3(x, encoding(i), r.d, r.b, r.c);
}

void emit_xftoi(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned s = rv_use(x, op->arg[0]), d = ra_def(x, v);

    x64_v2(&x->a, encoding(row_of(op)) | (op->type == IR_I64 ? VX_W : 0), d, s);
}

void emit_xifrom(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned s = rv_use(x, op->arg[0]), g = ra_use(x, op->arg[1]), d = rv_def(x, v);

    x64_v3(&x->a, encoding(row_of(op)) | (sse_imm8_of(op->imm) == 8 ? VX_W : 0), d, s, g);
}

void emit_xbits(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned s = rv_use(x, op->arg[0]), d = ra_def(x, v);

    x64_v2(&x->a, encoding(row_of(op)), d, s);
}
