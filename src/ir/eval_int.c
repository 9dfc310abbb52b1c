/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The meaning of integer operations and conditions, as ops.def states it. */
#include "ir/eval.h"

#include "base/crypto.h"

/* Every function here has the shape of ir_eval_fn. */
#define EVAL(name)                                                                                 \
    void ir_eval_##name(union ir_u *r, const union ir_u *a, const struct ir_how *how,              \
                        struct fp_env *fp)

static unsigned width(const struct ir_how *how)
{
    return ir_bits(how->type);
}

static void put(union ir_u *r, const struct ir_how *how, uint64_t v)
{
    r->d[0] = v & ir_mask(how->type);
    r->d[1] = 0;
}

static int64_t sign_extend(uint64_t v, unsigned type)
{
    unsigned drop = 64 - ir_bits(type);

    return (int64_t)(v << drop) >> drop;
}

/* Operand @i as a signed number. */
static int64_t sarg(const union ir_u *a, const struct ir_how *how, int i)
{
    return sign_extend(a[i].d[0], how->arg_type);
}

static unsigned count(const union ir_u *a, const struct ir_how *how)
{
    return a[1].d[0] & (width(how) - 1);
}

EVAL(const)
{
    put(r, how, how->imm);
}

EVAL(copy)
{
    *r = a[0];
}

EVAL(add)
{
    put(r, how, a[0].d[0] + a[1].d[0]);
}

EVAL(sub)
{
    put(r, how, a[0].d[0] - a[1].d[0]);
}

EVAL(mul)
{
    put(r, how, a[0].d[0] * a[1].d[0]);
}

EVAL(umulh)
{
    put(r, how, (uint64_t)((unsigned __int128)a[0].d[0] * a[1].d[0] >> width(how)));
}

EVAL(smulh)
{
    put(r, how, (uint64_t)((__int128)sarg(a, how, 0) * sarg(a, how, 1) >> width(how)));
}

EVAL(udiv)
{
    put(r, how, a[1].d[0] ? a[0].d[0] / a[1].d[0] : 0);
}

EVAL(sdiv)
{
    int64_t n = sarg(a, how, 0), d = sarg(a, how, 1);

    /* The most negative number divided by -1 wraps; C would trap. */
    put(r, how, d == 0 ? 0 : d == -1 ? 0 - (uint64_t)n : (uint64_t)(n / d));
}

EVAL(adc)
{
    put(r, how, a[0].d[0] + a[1].d[0] + a[2].d[0]);
}

EVAL(neg)
{
    put(r, how, 0 - a[0].d[0]);
}

EVAL(and)
{
    put(r, how, a[0].d[0] & a[1].d[0]);
}

EVAL(or)
{
    put(r, how, a[0].d[0] | a[1].d[0]);
}

EVAL(xor)
{
    put(r, how, a[0].d[0] ^ a[1].d[0]);
}

EVAL(not)
{
    put(r, how, ~a[0].d[0]);
}

EVAL(shl)
{
    put(r, how, a[0].d[0] << count(a, how));
}

EVAL(shr)
{
    put(r, how, a[0].d[0] >> count(a, how));
}

EVAL(sar)
{
    put(r, how, (uint64_t)(sarg(a, how, 0) >> count(a, how)));
}

EVAL(ror)
{
    unsigned n = count(a, how);

    put(r, how, n ? a[0].d[0] >> n | a[0].d[0] << (width(how) - n) : a[0].d[0]);
}

EVAL(fsr)
{
    unsigned n = how->imm & (width(how) - 1);

    put(r, how, n ? a[1].d[0] >> n | a[0].d[0] << (width(how) - n) : a[1].d[0]);
}

EVAL(clz)
{
    unsigned n = a[0].d[0] ? (unsigned)__builtin_clzll(a[0].d[0]) : 64;

    put(r, how, n - (64 - width(how)));
}

EVAL(ctz)
{
    put(r, how, a[0].d[0] ? (unsigned)__builtin_ctzll(a[0].d[0]) : width(how));
}

EVAL(popcnt)
{
    put(r, how, (unsigned)__builtin_popcountll(a[0].d[0]));
}

/* Swap neighbouring groups of @n bits, @mask selecting the lower of each pair. */
static uint64_t swap_groups(uint64_t v, unsigned n, uint64_t mask)
{
    return (v >> n & mask) | (v & mask) << n;
}

EVAL(rbit)
{
    uint64_t v = __builtin_bswap64(a[0].d[0]);

    v = swap_groups(v, 4, 0x0f0f0f0f0f0f0f0f);
    v = swap_groups(v, 2, 0x3333333333333333);
    v = swap_groups(v, 1, 0x5555555555555555);
    put(r, how, v >> (64 - width(how)));
}

EVAL(bswap)
{
    put(r, how, width(how) < 8 ? a[0].d[0] : __builtin_bswap64(a[0].d[0]) >> (64 - width(how)));
}

EVAL(zext)
{
    put(r, how, a[0].d[0]);
}

EVAL(sext)
{
    put(r, how, (uint64_t)sarg(a, how, 0));
}

EVAL(trunc)
{
    put(r, how, a[0].d[0]);
}

EVAL(select)
{
    *r = a[0].d[0] ? a[1] : a[2];
}

EVAL(crc32)
{
    unsigned bytes = how->imm & 15;

    put(r, how,
        how->imm & 16 ? crypto_crc32c((uint32_t)a[0].d[0], a[1].d[0], bytes)
                      : crypto_crc32((uint32_t)a[0].d[0], a[1].d[0], bytes));
}

EVAL(eq)
{
    put(r, how, a[0].d[0] == a[1].d[0]);
}

EVAL(ne)
{
    put(r, how, a[0].d[0] != a[1].d[0]);
}

EVAL(ult)
{
    put(r, how, a[0].d[0] < a[1].d[0]);
}

EVAL(ule)
{
    put(r, how, a[0].d[0] <= a[1].d[0]);
}

EVAL(slt)
{
    put(r, how, sarg(a, how, 0) < sarg(a, how, 1));
}

EVAL(sle)
{
    put(r, how, sarg(a, how, 0) <= sarg(a, how, 1));
}

/* Signed overflow of x + y (+ carry) = sum: both operands have the sign the sum lacks. */
static uint64_t overflows(uint64_t x, uint64_t y, uint64_t sum, const struct ir_how *how)
{
    return (~(x ^ y) & (x ^ sum)) >> (ir_bits(how->arg_type) - 1) & 1;
}

EVAL(add_v)
{
    put(r, how, overflows(a[0].d[0], a[1].d[0], a[0].d[0] + a[1].d[0], how));
}

EVAL(sub_v)
{
    put(r, how, overflows(a[0].d[0], ~a[1].d[0], a[0].d[0] - a[1].d[0], how));
}

EVAL(adc_c)
{
    unsigned __int128 sum = (unsigned __int128)a[0].d[0] + a[1].d[0] + a[2].d[0];

    put(r, how, (uint64_t)(sum >> ir_bits(how->arg_type)));
}

EVAL(adc_v)
{
    put(r, how, overflows(a[0].d[0], a[1].d[0], a[0].d[0] + a[1].d[0] + a[2].d[0], how));
}
