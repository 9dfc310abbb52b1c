/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cryptographic instructions: AES, SHA-1, SHA-2, SHA-3, SM3, SM4.
 * Source: Arm ARM DDI 0487, C4.1 "Cryptographic", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

static void one(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    a64_set_v(t, f->d, ir_v1(t->ir, op, 3, 0, a64_v(t, f->n)));
}

/* Operands d, n. */
static void two(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    a64_set_v(t, f->d, ir_v2(t->ir, op, 3, 0, a64_v(t, f->d), a64_v(t, f->n)));
}

/* Operands d, n, m. */
static void three(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op, unsigned imm)
{
    a64_set_v(t, f->d, ir_v3(t->ir, op, 3, imm, a64_v(t, f->d), a64_v(t, f->n), a64_v(t, f->m)));
}

static ir_val ror64(struct ir *ir, ir_val v, unsigned by)
{
    if (by == 0)
        return v;
    return ir_v2(ir, IRO_vor, 3, 0, ir_v1(ir, IRO_vushri, 3, by, v),
                 ir_v1(ir, IRO_vshli, 3, 64 - by, v));
}

void tr_aese(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_aese);
}

void tr_aesd(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_aesd);
}

void tr_aesmc(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_aesmc);
}

void tr_aesimc(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_aesimc);
}

void tr_sha1c(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha1c, 0);
}

void tr_sha1p(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha1p, 0);
}

void tr_sha1m(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha1m, 0);
}

void tr_sha1su0(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha1su0, 0);
}

void tr_sha256h(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha256h, 0);
}

void tr_sha256h2(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha256h2, 0);
}

void tr_sha256su1(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha256su1, 0);
}

void tr_sha1h(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_sha1h);
}

void tr_sha1su1(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_sha1su1);
}

void tr_sha256su0(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_sha256su0);
}

void tr_sha512h(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha512h, 0);
}

void tr_sha512h2(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha512h2, 0);
}

void tr_sha512su1(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sha512su1, 0);
}

void tr_sha512su0(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_sha512su0);
}

void tr_eor3(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = ir_v2(t->ir, IRO_vxor, 3, 0, a64_v(t, f->n), a64_v(t, f->m));

    a64_set_v(t, f->d, ir_v2(t->ir, IRO_vxor, 3, 0, v, a64_v(t, f->a)));
}

void tr_bcax(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = ir_v2(t->ir, IRO_vandn, 3, 0, a64_v(t, f->m), a64_v(t, f->a));

    a64_set_v(t, f->d, ir_v2(t->ir, IRO_vxor, 3, 0, a64_v(t, f->n), v));
}

void tr_rax1(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_v(t, f->d, ir_v2(t->ir, IRO_vxor, 3, 0, a64_v(t, f->n),
                             ror64(t->ir, a64_v(t, f->m), 63)));
}

void tr_xar(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = ir_v2(t->ir, IRO_vxor, 3, 0, a64_v(t, f->n), a64_v(t, f->m));

    a64_set_v(t, f->d, ror64(t->ir, v, f->i));
}

void tr_sm3ss1(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_v(t, f->d, ir_v3(t->ir, IRO_sm3ss1, 3, 0, a64_v(t, f->n), a64_v(t, f->m),
                             a64_v(t, f->a)));
}

void tr_sm3tt1a(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sm3tt1a, f->i);
}

void tr_sm3tt1b(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sm3tt1b, f->i);
}

void tr_sm3tt2a(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sm3tt2a, f->i);
}

void tr_sm3tt2b(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sm3tt2b, f->i);
}

void tr_sm3partw1(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sm3partw1, 0);
}

void tr_sm3partw2(struct a64_tr *t, const struct a64_fields *f)
{
    three(t, f, IRO_sm3partw2, 0);
}

void tr_sm4ekey(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_v(t, f->d, ir_v2(t->ir, IRO_sm4ekey, 3, 0, a64_v(t, f->n), a64_v(t, f->m)));
}

void tr_sm4e(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_sm4e);
}
