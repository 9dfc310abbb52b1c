/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Soft float: the BFloat16 dot product (Arm ARM DDI 0487 BFDotAdd, BFMulH, FPAdd_BF16, BFRound). */
#include "base/softfloat.h"

#include <stdbool.h>

enum { BIAS = 127, MAX_EXP = 127, MIN_EXP = -126, FRAC = 23 };

#define INF         0x7f800000u
#define DEFAULT_NAN 0x7fc00000u

enum class { ZERO, FINITE, INFINITE, NAN_ };

/* An operand; when FINITE, mant * 2^(exp-62) with bit 62 set: a sum has room. */
struct num {
    uint64_t mant;
    int exp;
    enum class cls;
    bool sign;
};

static struct num unpack(uint32_t a)
{
    uint32_t frac = a & ((1u << FRAC) - 1), e = a >> FRAC & 255;
    struct num n = {.sign = a >> 31, .exp = (int)e - BIAS, .cls = FINITE};

    if (e == 0)
        n.cls = ZERO;
    else if (e == 255)
        n.cls = frac ? NAN_ : INFINITE;
    else
        n.mant = (uint64_t)(1u << FRAC | frac) << (62 - FRAC);
    return n;
}

static uint32_t pack(bool sign, uint32_t magnitude)
{
    return (uint32_t)sign << 31 | magnitude;
}

/* mant * 2^(exp-62), not zero, bit 0 sticky. */
static uint32_t round_to_odd(bool sign, int exp, uint64_t mant)
{
    int n = __builtin_clzll(mant);
    uint32_t m;

    mant <<= n; /* bit 63 set */
    exp += 1 - n;
    if (exp < MIN_EXP)
        return pack(sign, 0);
    if (exp > MAX_EXP)
        return pack(sign, INF);
    m = (uint32_t)(mant >> (63 - FRAC)) & ((1u << FRAC) - 1);
    if (mant << (FRAC + 1))
        m |= 1;
    return pack(sign, (uint32_t)(exp + BIAS) << FRAC | m);
}

static uint32_t mul(uint16_t a, uint16_t b)
{
    struct num x = unpack((uint32_t)a << 16), y = unpack((uint32_t)b << 16);
    bool sign = x.sign ^ y.sign;

    if (x.cls == NAN_ || y.cls == NAN_ || (x.cls == INFINITE && y.cls == ZERO) ||
        (x.cls == ZERO && y.cls == INFINITE))
        return DEFAULT_NAN;
    if (x.cls == INFINITE || y.cls == INFINITE)
        return pack(sign, INF);
    if (x.cls == ZERO || y.cls == ZERO)
        return pack(sign, 0);
    return round_to_odd(sign, x.exp + y.exp, (x.mant >> 31) * (y.mant >> 31)); /* eight bits each */
}

/* Bits that fall out are or'ed into bit 0. */
static uint64_t shift_jam(uint64_t m, int n)
{
    return n == 0 ? m : n > 63 ? m != 0 : m >> n | (m << (64 - n) != 0);
}

static uint32_t sum_of(struct num x, struct num y)
{
    int e = x.cls == ZERO || (y.cls != ZERO && y.exp > x.exp) ? y.exp : x.exp;
    uint64_t p = x.mant ? shift_jam(x.mant, e - x.exp) : 0, q = y.mant ? shift_jam(y.mant, e - y.exp) : 0;

    if (x.sign == y.sign)
        return round_to_odd(x.sign, e, p + q);
    if (p == q)
        return 0;
    return p > q ? round_to_odd(x.sign, e, p - q) : round_to_odd(y.sign, e, q - p);
}

static uint32_t add(uint32_t a, uint32_t b)
{
    struct num x = unpack(a), y = unpack(b);

    if (x.cls == NAN_ || y.cls == NAN_ ||
        (x.cls == INFINITE && y.cls == INFINITE && x.sign != y.sign))
        return DEFAULT_NAN;
    if (x.cls == INFINITE || y.cls == INFINITE)
        return pack(x.cls == INFINITE ? x.sign : y.sign, INF);
    if (x.cls == ZERO && y.cls == ZERO)
        return pack(x.sign && y.sign, 0);
    return sum_of(x, y);
}

uint32_t bf16_dot(uint32_t sum, const uint16_t a[2], const uint16_t b[2])
{
    return add(sum, add(mul(a[0], b[0]), mul(a[1], b[1])));
}
