/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-1, SHA-2, SHA-3 steps as AArch64 and x86 cut them (FIPS 180-4, 202; Arm ARM SHA1C .. XAR; SDM 2 SHA1RNDS4 .. SHA256MSG2). */
#include "base/crypto.h"

static uint32_t rol32(uint32_t v, int n)
{
    return v << n | v >> (32 - n);
}

static uint32_t ror32(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

static uint64_t ror64(uint64_t v, unsigned n)
{
    return v >> n | v << (-n & 63);
}

static uint64_t choose(uint64_t x, uint64_t y, uint64_t z)
{
    return ((y ^ z) & x) ^ z;
}

static uint64_t majority(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & y) | ((x | y) & z);
}

static uint64_t parity(uint64_t x, uint64_t y, uint64_t z)
{
    return x ^ y ^ z;
}

/* Four rounds of f; a..d are the words of @d, @m has the schedule with the constant added. */
static inline void sha1(union vec128 *d, uint32_t e, const union vec128 *m,
                        uint64_t (*f)(uint64_t, uint64_t, uint64_t))
{
    union vec128 x = *d, w = *m;

    for (int i = 0; i < 4; i++) {
        uint32_t t = rol32(x.s[0], 5) + (uint32_t)f(x.s[1], x.s[2], x.s[3]) + e + w.s[i];

        e = x.s[3];
        x = (union vec128){.s = {t, x.s[0], rol32(x.s[1], 30), x.s[2]}};
    }
    *d = x;
}

void crypto_sha1c(union vec128 *d, uint32_t n, const union vec128 *m)
{
    sha1(d, n, m, choose);
}

void crypto_sha1p(union vec128 *d, uint32_t n, const union vec128 *m)
{
    sha1(d, n, m, parity);
}

void crypto_sha1m(union vec128 *d, uint32_t n, const union vec128 *m)
{
    sha1(d, n, m, majority);
}

uint32_t crypto_sha1h(uint32_t n)
{
    return rol32(n, 30);
}

void crypto_sha1su0(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    uint64_t lo = d->d[1] ^ d->d[0] ^ m->d[0], hi = n->d[0] ^ d->d[1] ^ m->d[1];

    *d = (union vec128){.d = {lo, hi}};
}

void crypto_sha1su1(union vec128 *d, const union vec128 *n)
{
    union vec128 x = *d;

    for (int i = 0; i < 3; i++)
        x.s[i] ^= n->s[i + 1];
    for (int i = 0; i < 4; i++)
        d->s[i] = rol32(x.s[i], 1);
    d->s[3] ^= rol32(x.s[0], 2);
}

/* A round: a..d in @x, e..h in @y; @wk is the schedule's word with the constant added. */
static void sha256_round(union vec128 *x, union vec128 *y, uint32_t wk)
{
    uint32_t a = x->s[0], e = y->s[0];
    uint32_t s0 = ror32(a, 2) ^ ror32(a, 13) ^ ror32(a, 22);
    uint32_t s1 = ror32(e, 6) ^ ror32(e, 11) ^ ror32(e, 25);
    uint32_t t1 = y->s[3] + s1 + (uint32_t)choose(e, y->s[1], y->s[2]) + wk;
    uint32_t t2 = s0 + (uint32_t)majority(a, x->s[1], x->s[2]);

    *y = (union vec128){.s = {x->s[3] + t1, e, y->s[1], y->s[2]}};
    *x = (union vec128){.s = {t1 + t2, a, x->s[1], x->s[2]}};
}

static void sha256_rounds(union vec128 *x, union vec128 *y, const union vec128 *w)
{
    for (int i = 0; i < 4; i++)
        sha256_round(x, y, w->s[i]);
}

void crypto_sha256h(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    union vec128 x = *d, y = *n, w = *m;

    sha256_rounds(&x, &y, &w);
    *d = x;
}

void crypto_sha256h2(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    union vec128 x = *n, y = *d, w = *m;

    sha256_rounds(&x, &y, &w);
    *d = y;
}

void crypto_sha256su0(union vec128 *d, const union vec128 *n)
{
    uint32_t t[4] = {d->s[1], d->s[2], d->s[3], n->s[0]};

    for (int i = 0; i < 4; i++)
        d->s[i] += ror32(t[i], 7) ^ ror32(t[i], 18) ^ t[i] >> 3;
}

/* The upper two words need the lower two of this very step. */
void crypto_sha256su1(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    uint32_t add[4] = {n->s[1], n->s[2], n->s[3], m->s[0]};
    uint32_t t[4] = {m->s[2], m->s[3]};

    for (int i = 0; i < 4; i++) {
        uint32_t s1 = ror32(t[i], 17) ^ ror32(t[i], 19) ^ t[i] >> 10;

        d->s[i] += s1 + add[i];
        if (i < 2)
            t[i + 2] = d->s[i];
    }
}

/* --- x86: SHA-1 has its first word in the highest lane --- */

static union vec128 reversed(const union vec128 *v)
{
    return (union vec128){.s = {v->s[3], v->s[2], v->s[1], v->s[0]}};
}

void crypto_x86_sha1nexte(union vec128 *d, const union vec128 *n)
{
    uint32_t e = rol32(d->s[3], 30);

    *d = *n;
    d->s[3] += e;
}

/* AArch64's first step takes w[i + 8], too, which x86's programs add by PXOR. */
void crypto_x86_sha1msg1(union vec128 *d, const union vec128 *n)
{
    union vec128 x = reversed(d), y = reversed(n), zero = {0};

    crypto_sha1su0(&x, &y, &zero);
    *d = reversed(&x);
}

void crypto_x86_sha1msg2(union vec128 *d, const union vec128 *n)
{
    union vec128 x = reversed(d), y = reversed(n);

    crypto_sha1su1(&x, &y);
    *d = reversed(&x);
}

/* The word e of the first round is added to its word of the schedule already. */
void crypto_x86_sha1rnds4(union vec128 *d, const union vec128 *n, unsigned function)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6}; /* FIPS 180-4, 4.2.1 */
    union vec128 x = reversed(d), w = reversed(n);

    for (int i = 0; i < 4; i++)
        w.s[i] += k[function & 3];
    sha1(&x, 0, &w, (function & 3) == 0 ? choose : (function & 3) == 2 ? majority : parity);
    *d = reversed(&x);
}

/* W(t-7) is added by PADDD, and not here. */
void crypto_x86_sha256msg2(union vec128 *d, const union vec128 *n)
{
    union vec128 zero = {0}, last = {.s = {0, 0, n->s[2], n->s[3]}};

    crypto_sha256su1(d, &zero, &last);
}

void crypto_x86_sha256rnds2(union vec128 *d, const union vec128 *n, const union vec128 *wk)
{
    union vec128 x = {.s = {n->s[3], n->s[2], d->s[3], d->s[2]}};
    union vec128 y = {.s = {n->s[1], n->s[0], d->s[1], d->s[0]}};
    uint32_t w[2] = {wk->s[0], wk->s[1]};

    for (int i = 0; i < 2; i++)
        sha256_round(&x, &y, w[i]);
    *d = (union vec128){.s = {y.s[1], y.s[0], x.s[1], x.s[0]}};
}

static uint64_t big_sigma0(uint64_t v)
{
    return ror64(v, 28) ^ ror64(v, 34) ^ ror64(v, 39);
}

static uint64_t big_sigma1(uint64_t v)
{
    return ror64(v, 14) ^ ror64(v, 18) ^ ror64(v, 41);
}

void crypto_sha512h(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    uint64_t e = m->d[1], f = n->d[0], g = n->d[1];
    uint64_t hi = choose(e, f, g) + big_sigma1(e) + d->d[1];
    uint64_t next = hi + m->d[0];
    uint64_t lo = choose(next, e, f) + big_sigma1(next) + d->d[0];

    *d = (union vec128){.d = {lo, hi}};
}

void crypto_sha512h2(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    uint64_t a = m->d[0], b = m->d[1], c = n->d[0];
    uint64_t hi = majority(c, b, a) + big_sigma0(a) + d->d[1];
    uint64_t lo = majority(hi, a, b) + big_sigma0(hi) + d->d[0];

    *d = (union vec128){.d = {lo, hi}};
}

void crypto_sha512su0(union vec128 *d, const union vec128 *n)
{
    uint64_t t[2] = {d->d[1], n->d[0]};

    for (int i = 0; i < 2; i++)
        d->d[i] += ror64(t[i], 1) ^ ror64(t[i], 8) ^ t[i] >> 7;
}

void crypto_sha512su1(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    union vec128 x = *n, y = *m;

    for (int i = 0; i < 2; i++)
        d->d[i] += (ror64(x.d[i], 19) ^ ror64(x.d[i], 61) ^ x.d[i] >> 6) + y.d[i];
}

void crypto_eor3(union vec128 *d, const union vec128 *n, const union vec128 *m,
                 const union vec128 *a)
{
    for (int i = 0; i < 2; i++)
        d->d[i] = n->d[i] ^ m->d[i] ^ a->d[i];
}

void crypto_bcax(union vec128 *d, const union vec128 *n, const union vec128 *m,
                 const union vec128 *a)
{
    for (int i = 0; i < 2; i++)
        d->d[i] = n->d[i] ^ (m->d[i] & ~a->d[i]);
}

void crypto_rax1(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    for (int i = 0; i < 2; i++)
        d->d[i] = n->d[i] ^ ror64(m->d[i], 63);
}

void crypto_xar(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned imm)
{
    for (int i = 0; i < 2; i++)
        d->d[i] = ror64(n->d[i] ^ m->d[i], imm & 63);
}
