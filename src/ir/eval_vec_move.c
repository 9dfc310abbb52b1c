/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lanes that move, change width or meet: A64 Advanced SIMD (Arm ARM DDI 0487). */
#include "base/crypto.h"
#include "ir/eval_vec_priv.h"

/* --- Between scalars and vectors --- */

EVAL(vfromf)
{
    r->q = a[0].d[0] & ir_mask(how->arg_type);
}
EVAL(vtof)
{
    r->q = a[0].d[0] & ir_mask(how->type);
}
EVAL(vfromi)
{
    r->q = a[0].d[0] & ir_mask(how->arg_type);
}
EVAL(vget)
{
    r->q = lane_u(&a[0], how->lane, how->imm) & ir_mask(how->type);
}
EVAL(vgets)
{
    r->q = (uint64_t)lane_s(&a[0], how->lane, how->imm) & ir_mask(how->type);
}
EVAL(vset)
{
    *r = a[0];
    lane_put(r, how->lane, how->imm, a[1].d[0]);
}
EVAL(vmov)
{
    *r = a[0];
    lane_put(r, how->lane, how->imm & 15, lane_u(&a[1], how->lane, how->imm >> 4 & 15));
}

static void fill(union ir_u *r, unsigned lane, uint64_t x)
{
    for (unsigned i = 0; i < 16u >> lane; i++)
        lane_put(r, lane, i, x);
}
EVAL(vdup)
{
    fill(r, how->lane, a[0].d[0]);
}
EVAL(vdupl)
{
    fill(r, how->lane, lane_u(&a[0], how->lane, how->imm));
}
EVAL(vlow)
{
    r->q = lane_u(&a[0], how->lane, 0);
}
EVAL(vhigh)
{
    r->q = a[0].d[1];
}
EVAL(vcat)
{
    r->d[0] = a[0].d[0];
    r->d[1] = a[1].d[0];
}

/* --- Widening: lane i of the low half to lane i of double width --- */

INLINE void widen(union ir_u *r, const union ir_u *a, unsigned lane, bool sign)
{
    for (unsigned i = 0; i < 8u >> lane; i++)
        lane_put(r, lane + 1, i, (uint64_t)lane_get(a, lane, i, sign));
}
EVAL(vuxtl)
{
    widen(r, a, how->lane, false);
}
EVAL(vsxtl)
{
    widen(r, a, how->lane, true);
}

INLINE void mull(union ir_u *r, const union ir_u *a, unsigned lane, bool sign)
{
    for (unsigned i = 0; i < 8u >> lane; i++)
        lane_put(r, lane + 1, i,
                 (uint64_t)(lane_get(&a[0], lane, i, sign) * lane_get(&a[1], lane, i, sign)));
}
EVAL(vumull)
{
    mull(r, a, how->lane, false);
}
EVAL(vsmull)
{
    mull(r, a, how->lane, true);
}
EVAL(vsqdmull)
{
    unsigned lane = how->lane;

    for (unsigned i = 0; i < 8u >> lane; i++) {
        wide product = 2 * (wide)lane_s(&a[0], lane, i) * lane_s(&a[1], lane, i);

        lane_put(r, lane + 1, i, (uint64_t)lane_clamp(product, 16u << lane, true));
    }
}
EVAL(vpmul)
{
    for (unsigned i = 0; i < 2; i++)
        r->d[i] = crypto_pmul8(a[0].d[i], a[1].d[i]);
}
EVAL(vpmull)
{
    if (how->lane == 3)
        crypto_pmull64((union vec128 *)r, a[0].d[0], a[1].d[0]);
    else
        crypto_pmull8((union vec128 *)r, a[0].d[0], a[1].d[0]);
}

INLINE void pairwise_long(union ir_u *r, const union ir_u *a, unsigned lane, bool sign)
{
    for (unsigned i = 0; i < 8u >> lane; i++)
        lane_put(r, lane + 1, i,
                 (uint64_t)(lane_get(a, lane, 2 * i, sign) + lane_get(a, lane, 2 * i + 1, sign)));
}
EVAL(vuaddlp)
{
    pairwise_long(r, a, how->lane, false);
}
EVAL(vsaddlp)
{
    pairwise_long(r, a, how->lane, true);
}

INLINE void dot(union ir_u *r, const union ir_u *a, bool sign)
{
    for (unsigned i = 0; i < 4; i++) {
        wide sum = a[0].s[i];

        for (unsigned j = 4 * i; j < 4 * i + 4; j++)
            sum += lane_get(&a[1], 0, j, sign) * lane_get(&a[2], 0, j, sign);
        r->s[i] = (uint32_t)sum;
    }
}
EVAL(vudot)
{
    dot(r, a, false);
}
EVAL(vsdot)
{
    dot(r, a, true);
}

/* --- Narrowing: lane i of double width to lane i of the low half --- */

EVAL(vxtn)
{
    r->q = 0;
    for (unsigned i = 0; i < 8u >> how->lane; i++)
        lane_put(r, how->lane, i, lane_u(&a[0], how->lane + 1, i));
}

INLINE void narrow_sat(union ir_u *r, const union ir_u *a, unsigned lane, bool from, bool to)
{
    r->q = 0;
    for (unsigned i = 0; i < 8u >> lane; i++) {
        wide x = lane_get(a, lane + 1, i, from);

        lane_put(r, lane, i, (uint64_t)lane_clamp(x, 8u << lane, to));
    }
}
EVAL(vuqxtn)
{
    narrow_sat(r, a, how->lane, false, false);
}
EVAL(vsqxtn)
{
    narrow_sat(r, a, how->lane, true, true);
}
EVAL(vsqxtun)
{
    narrow_sat(r, a, how->lane, true, false);
}

/* --- Across lanes --- */

INLINE wide sum(const union ir_u *a, const struct ir_how *how, bool sign)
{
    wide total = 0;

    for (unsigned i = 0; i < how->imm; i++)
        total += lane_get(a, how->lane, i, sign);
    return total;
}
INLINE void extreme(union ir_u *r, const union ir_u *a, const struct ir_how *how, bool sign,
                    bool max)
{
    wide best = lane_get(a, how->lane, 0, sign);

    for (unsigned i = 1; i < how->imm; i++) {
        wide x = lane_get(a, how->lane, i, sign);

        if (max ? x > best : x < best)
            best = x;
    }
    r->q = 0;
    lane_put(r, how->lane, 0, (uint64_t)best);
}
EVAL(vaddv)
{
    r->q = 0;
    lane_put(r, how->lane, 0, (uint64_t)sum(a, how, false));
}
EVAL(vuaddlv)
{
    r->q = 0;
    lane_put(r, how->lane + 1, 0, (uint64_t)sum(a, how, false));
}
EVAL(vsaddlv)
{
    r->q = 0;
    lane_put(r, how->lane + 1, 0, (uint64_t)sum(a, how, true));
}
EVAL(vumaxv)
{
    extreme(r, a, how, false, true);
}
EVAL(vsmaxv)
{
    extreme(r, a, how, true, true);
}
EVAL(vuminv)
{
    extreme(r, a, how, false, false);
}
EVAL(vsminv)
{
    extreme(r, a, how, true, false);
}

/* --- Permutations --- */

/* Lane @i of the concatenation b:a, a being the low part. */
INLINE uint64_t either(const union ir_u *a, unsigned lane, unsigned i)
{
    unsigned n = 16u >> lane;

    return lane_u(&a[i >= n], lane, i & (n - 1));
}
INLINE void zip(union ir_u *r, const union ir_u *a, unsigned lane, unsigned from)
{
    for (unsigned i = 0; i < 8u >> lane; i++) {
        lane_put(r, lane, 2 * i, lane_u(&a[0], lane, from + i));
        lane_put(r, lane, 2 * i + 1, lane_u(&a[1], lane, from + i));
    }
}
INLINE void unzip(union ir_u *r, const union ir_u *a, unsigned lane, unsigned odd)
{
    for (unsigned i = 0; i < 16u >> lane; i++)
        lane_put(r, lane, i, either(a, lane, 2 * i + odd));
}
INLINE void transpose(union ir_u *r, const union ir_u *a, unsigned lane, unsigned odd)
{
    for (unsigned i = 0; i < 16u >> lane; i += 2) {
        lane_put(r, lane, i, lane_u(&a[0], lane, i + odd));
        lane_put(r, lane, i + 1, lane_u(&a[1], lane, i + odd));
    }
}
EVAL(vzip1)
{
    zip(r, a, how->lane, 0);
}
EVAL(vzip2)
{
    zip(r, a, how->lane, 8u >> how->lane);
}
EVAL(vuzp1)
{
    unzip(r, a, how->lane, 0);
}
EVAL(vuzp2)
{
    unzip(r, a, how->lane, 1);
}
EVAL(vtrn1)
{
    transpose(r, a, how->lane, 0);
}
EVAL(vtrn2)
{
    transpose(r, a, how->lane, 1);
}
EVAL(vext)
{
    for (unsigned i = 0; i < 16; i++)
        r->b[i] = (uint8_t)either(a, 0, i + how->imm);
}
EVAL(vtbl)
{
    for (unsigned i = 0; i < 16; i++)
        r->b[i] = a[1].b[i] < 16 ? a[0].b[a[1].b[i]] : 0;
}
EVAL(vrev)
{
    unsigned last = (1u << (how->imm - how->lane)) - 1;

    for (unsigned i = 0; i < 16u >> how->lane; i++)
        lane_put(r, how->lane, i, lane_u(&a[0], how->lane, i ^ last));
}
