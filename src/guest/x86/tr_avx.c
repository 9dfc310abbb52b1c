/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only VEX has: broadcasts, halves, permutations across them (SDM 2). */
#include "guest/x86/simd.h"

void tr_x86_vzeroupper(struct x86_tr *t)
{
    for (unsigned i = 0; i < (x86_is64(t) ? 16u : 8u); i++)
        ir_set(t->ir, X86_YMMH0 + i, x86_vzero(t));
}

void tr_x86_vzeroall(struct x86_tr *t)
{
    tr_x86_vzeroupper(t);
    for (unsigned i = 0; i < (x86_is64(t) ? 16u : 8u); i++)
        ir_set(t->ir, X86_XMM0 + i, x86_vzero(t));
}

/* --- Broadcasts --- */

static void broadcast(struct x86_tr *t, unsigned lane)
{
    ir_val v = ir_v1(t->ir, IRO_vdupl, lane, 0, x86_vec(t, 1, 0)), r[2] = {v, v};

    x86_result(t, r);
}

void tr_x86_vbroadcastb(struct x86_tr *t)
{
    broadcast(t, 0);
}

void tr_x86_vbroadcastw(struct x86_tr *t)
{
    broadcast(t, 1);
}

void tr_x86_vbroadcastd(struct x86_tr *t)
{
    broadcast(t, 2);
}

void tr_x86_vbroadcastq(struct x86_tr *t)
{
    broadcast(t, 3);
}

void tr_x86_vbroadcast128(struct x86_tr *t)
{
    ir_val v = x86_vec(t, 1, 0), r[2] = {v, v};

    x86_result(t, r);
}

/* --- Halves --- */

void tr_x86_vinsert128(struct x86_tr *t)
{
    ir_val b = x86_vec(t, 2, 0), r[2] = {x86_vec(t, 1, 0), x86_vec(t, 1, 1)};

    r[x86_imm8(t) & 1] = b;
    x86_result(t, r);
}

void tr_x86_vextract128(struct x86_tr *t)
{
    x86_result1(t, x86_vec(t, 1, x86_imm8(t) & 1));
}

void tr_x86_vperm2x128(struct x86_tr *t)
{
    ir_val half[4], r[2];

    half[2] = x86_vec(t, 2, 0);
    half[3] = x86_vec(t, 2, 1);
    half[0] = x86_vec(t, 1, 0);
    half[1] = x86_vec(t, 1, 1);
    for (unsigned h = 0; h < 2; h++) {
        unsigned how = x86_imm8(t) >> 4 * h & 15;

        r[h] = how & 8 ? x86_vzero(t) : half[how & 3];
    }
    x86_result(t, r);
}

/* --- Permutations --- */

void tr_x86_vpermilps_i(struct x86_tr *t)
{
    x86_vector1(t, X86_SSE_OP(xv1, pshufd));
}

void tr_x86_vpermilpd_i(struct x86_tr *t)
{
    ir_val r[2];

    for (unsigned h = 0; h < x86_halves(t); h++) {
        ir_val a = x86_vec(t, 1, h);

        r[h] = x86_vapply(t, X86_SSE_OP(xv2, shufpd), x86_imm8(t) >> 2 * h & 3, a, a, IR_NONE);
    }
    x86_result(t, r);
}

void tr_x86_vpermq(struct x86_tr *t)
{
    ir_val a[2] = {x86_vec(t, 1, 0), x86_vec(t, 1, 1)}, r[2];

    for (unsigned h = 0; h < 2; h++) {
        unsigned how = x86_imm8(t) >> 4 * h & 15, lo = how & 3, hi = how >> 2;

        r[h] = x86_vapply(t, X86_SSE_OP(xv2, shufpd), (lo & 1) | (hi & 1) << 1, a[lo >> 1], a[hi >> 1], IR_NONE);
    }
    x86_result(t, r);
}

/* Bit 2 of an index chooses the half, the two below it the lane there. */
void tr_x86_vpermd(struct x86_tr *t)
{
    ir_val a[2] = {x86_vec(t, 2, 0), x86_vec(t, 2, 1)}, r[2];

    for (unsigned h = 0; h < 2; h++) {
        ir_val index = x86_vec(t, 1, h), lo, hi, mask;

        lo = x86_vapply(t, X86_SSE_OP(xv2, vpermilps), 0, a[0], index, IR_NONE);
        hi = x86_vapply(t, X86_SSE_OP(xv2, vpermilps), 0, a[1], index, IR_NONE);
        mask = ir_v1(t->ir, IRO_vsshri, 2, 31, ir_v1(t->ir, IRO_vshli, 2, 29, index));
        r[h] = ir_v3(t->ir, IRO_vbsl, 0, 0, mask, hi, lo);
    }
    x86_result(t, r);
}
