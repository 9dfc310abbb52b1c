/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lane-wise shifts on SSE4.2, AVX and AVX2 (AMD64 Architecture Programmer's Manual, volume 4), as emit_vec.c has the rest. */
#include "host/x86_64/vec_ops.h"

/* --- Shifts by an immediate --- */

/* Logical shifts of any lane, n at most the width.  Bytes: as words, then what came over is cut. */
static void shift_left(struct x64 *x, unsigned lane, unsigned d, unsigned s, unsigned n)
{
    vshift(x, vec_pshift[lane ? lane : 1], EXT_SLL, d, s, n);
    if (!lane && n)
        v3m(x, PAND, d, d, splat(x, 0, 0xff << n));
}
static void shift_right(struct x64 *x, unsigned lane, unsigned d, unsigned s, unsigned n)
{
    vshift(x, vec_pshift[lane ? lane : 1], EXT_SRL, d, s, n);
    if (!lane && n)
        v3m(x, PAND, d, d, splat(x, 0, 0xff >> n));
}
/* b and d: the sign, shifted along, is spread upwards by (r ^ sign) - sign. */
static void shift_right_signed(struct x64 *x, unsigned lane, unsigned d, unsigned s, unsigned n)
{
    unsigned last = (8u << lane) - 1;

    if (n > last)
        n = last;
    if (lane == 1 || lane == 2) {
        vshift(x, vec_pshift[lane], EXT_SRA, d, s, n);
    } else if (n == last) {
        vzero(x, T);
        v3(x, vec_pcmpgt[lane], T, T, s);
        vmov(x, d, T);
    } else if (n) {
        struct x64_mem sign = splat(x, lane, vec_lane_min(lane) >> n);

        shift_right(x, lane, d, s, n);
        v3m(x, PXOR, d, d, sign);
        v3m(x, vec_psub[lane], d, d, sign);
    } else {
        vmov(x, d, s);
    }
}

void emit_vshli(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    shift_left(x, op->lane, r.d, r.a, (unsigned)op->imm);
}
void emit_vushri(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    shift_right(x, op->lane, r.d, r.a, (unsigned)op->imm);
}
void emit_vsshri(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    shift_right_signed(x, op->lane, r.d, r.a, (unsigned)op->imm);
}

/* The shifted value, plus the last bit shifted out. */
static void rounding_shift(struct x64 *x, const struct ir_op *op, uint32_t v, bool sign)
{
    struct io r = vec_io1(x, op, v);
    unsigned n = (unsigned)op->imm;

    if (sign)
        shift_right_signed(x, op->lane, r.d, r.a, n);
    else
        shift_right(x, op->lane, r.d, r.a, n);
    if (!n)
        return;
    vshift(x, vec_pshift[op->lane ? op->lane : 1], EXT_SRL, T, r.a, n - 1);
    v3m(x, PAND, T, T, splat(x, op->lane, 1));
    v3(x, vec_padd[op->lane], r.d, r.d, T);
}
void emit_vurshri(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    rounding_shift(x, op, v, false);
}
void emit_vsrshri(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    rounding_shift(x, op, v, true);
}

/* --- Shifts by a register --- */

/* Both directions at once: host counts of the width or more, as the low byte of a count of the
 * other sign looks, give zero. */
void emit_vushl(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    uint32_t w = op->lane == 3 ? VX_W : 0;

    if (op->lane < 2 || !x->a.f.avx2) {
        emit_eval(x, op, v);
        return;
    }
    struct io r = vec_io2(x, op, v);

    v3m(x, PAND, T, r.b, splat(x, op->lane, 0xff));
    v3(x, VPSLLVD | w, r.d, r.a, T);
    vzero(x, T);
    v3(x, vec_psub[op->lane], T, T, r.b);
    v3m(x, PAND, T, T, splat(x, op->lane, 0xff));
    v3(x, VPSRLVD | w, T, r.a, T);
    v3(x, POR, r.d, r.d, T);
}

/* s: a right shift of 255 at most is the sign; the count's sign chooses. */
void emit_vsshl(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    if (op->lane != 2 || !x->a.f.avx2) {
        emit_eval(x, op, v);
        return;
    }
    struct io r = vec_io2(x, op, v);
    unsigned t = rv_temp(x);

    v3m(x, PAND, T, r.b, splat(x, 2, 0xff));
    v3(x, VPSLLVD, r.d, r.a, T);
    vzero(x, T);
    v3(x, PSUBD, T, T, r.b);
    v3m(x, PAND, T, T, splat(x, 2, 0xff));
    v3(x, VPSRAVD, t, r.a, T);
    vshift(x, PSHIFTD, EXT_SLL, T, r.b, 24);
    /* vblendvps: t where T's sign is set */
    x64_v3i(&x->a, M3A(0x4a) | VX_VEXONLY, r.d, r.d, t, T << 4);
}
