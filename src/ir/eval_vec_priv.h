/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lanes: what the vector evaluation files share.
 *
 * A lane travels as `wide`, zero- or sign-extended to 128 bits, so that no sum, product or shift of
 * lanes can overflow and saturation is one clamp.  The loops are forced inline into each operation
 * and specialised by lane size; the compiler narrows the arithmetic again.
 */
#ifndef IR_EVAL_VEC_PRIV_H
#define IR_EVAL_VEC_PRIV_H

#include "ir/eval.h"

#define EVAL(op)                                                                                   \
    void ir_eval_##op(union ir_u *restrict r, const union ir_u *restrict a,                        \
                      const struct ir_how *how, struct fp_env *fp)

#define INLINE static inline __attribute__((always_inline))

typedef __int128 wide;
typedef wide lane1_fn(wide x, unsigned bits);
typedef wide lane2_fn(wide x, wide y, unsigned bits);

INLINE uint64_t lane_u(const union ir_u *v, unsigned lane, unsigned i)
{
    switch (lane) {
    case 0:
        return v->b[i];
    case 1:
        return v->h[i];
    case 2:
        return v->s[i];
    default:
        return v->d[i];
    }
}

INLINE int64_t lane_s(const union ir_u *v, unsigned lane, unsigned i)
{
    switch (lane) {
    case 0:
        return v->sb[i];
    case 1:
        return v->sh[i];
    case 2:
        return v->ss[i];
    default:
        return v->sd[i];
    }
}

INLINE wide lane_get(const union ir_u *v, unsigned lane, unsigned i, bool sign)
{
    return sign ? (wide)lane_s(v, lane, i) : (wide)lane_u(v, lane, i);
}

INLINE void lane_put(union ir_u *v, unsigned lane, unsigned i, uint64_t x)
{
    switch (lane) {
    case 0:
        v->b[i] = (uint8_t)x;
        break;
    case 1:
        v->h[i] = (uint16_t)x;
        break;
    case 2:
        v->s[i] = (uint32_t)x;
        break;
    default:
        v->d[i] = x;
        break;
    }
}

/* The largest and smallest value of a lane. */
INLINE wide lane_max(unsigned bits, bool sign)
{
    return ((wide)1 << (bits - sign)) - 1;
}
INLINE wide lane_min(unsigned bits, bool sign)
{
    return sign ? -((wide)1 << (bits - 1)) : 0;
}
INLINE wide lane_clamp(wide x, unsigned bits, bool sign)
{
    wide min = lane_min(bits, sign), max = lane_max(bits, sign);

    return x < min ? min : x > max ? max : x;
}

#endif
