/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SM3 and SM4 steps (GB/T 32905-2016, GB/T 32907-2016; Arm ARM SM3SS1 .. SM4EKEY). */
#include "base/crypto.h"

/* GB/T 32907, table 1. */
static const uint8_t sm4_sbox[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

static uint32_t rol32(uint32_t v, int n)
{
    return v << n | v >> (32 - n);
}

void crypto_sm3ss1(union vec128 *d, const union vec128 *n, const union vec128 *m,
                   const union vec128 *a)
{
    uint32_t r = rol32(rol32(n->s[3], 12) + m->s[3] + a->s[3], 7);

    *d = (union vec128){ .s = { 0, 0, 0, r } };
}

static uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | ((x | y) & z);
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return ((y ^ z) & x) ^ z;
}

/* The A..D half of a round; @ff is FF_j(A, B, C). */
static void sm3_tt1(union vec128 *d, uint32_t ff, uint32_t ss1, uint32_t w)
{
    uint32_t tt1 = ff + d->s[0] + (ss1 ^ rol32(d->s[3], 12)) + w;

    *d = (union vec128){ .s = { d->s[1], rol32(d->s[2], 9), d->s[3], tt1 } };
}

/* The E..H half; @gg is GG_j(E, F, G), and P0 ends it. */
static void sm3_tt2(union vec128 *d, uint32_t gg, uint32_t ss1, uint32_t w)
{
    uint32_t tt2 = gg + d->s[0] + ss1 + w;

    tt2 ^= rol32(tt2, 9) ^ rol32(tt2, 17);
    *d = (union vec128){ .s = { d->s[1], rol32(d->s[2], 19), d->s[3], tt2 } };
}

void crypto_sm3tt1a(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i)
{
    sm3_tt1(d, parity(d->s[3], d->s[2], d->s[1]), n->s[3], m->s[i]);
}

void crypto_sm3tt1b(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i)
{
    sm3_tt1(d, majority(d->s[3], d->s[2], d->s[1]), n->s[3], m->s[i]);
}

void crypto_sm3tt2a(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i)
{
    sm3_tt2(d, parity(d->s[3], d->s[2], d->s[1]), n->s[3], m->s[i]);
}

void crypto_sm3tt2b(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i)
{
    sm3_tt2(d, choose(d->s[3], d->s[2], d->s[1]), n->s[3], m->s[i]);
}

/* The permutation P1 of the message expansion. */
static uint32_t sm3_p1(uint32_t x)
{
    return x ^ rol32(x, 15) ^ rol32(x, 23);
}

/* The last word needs the first one of this very step. */
void crypto_sm3partw1(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    union vec128 r;

    for (int i = 0; i < 3; i++)
        r.s[i] = sm3_p1(d->s[i] ^ n->s[i] ^ rol32(m->s[i + 1], 15));
    r.s[3] = sm3_p1(d->s[3] ^ n->s[3] ^ rol32(r.s[0], 15));
    *d = r;
}

void crypto_sm3partw2(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    uint32_t first = n->s[0] ^ rol32(m->s[0], 7);
    union vec128 r;

    for (int i = 0; i < 4; i++)
        r.s[i] = d->s[i] ^ n->s[i] ^ rol32(m->s[i], 7);
    r.s[3] ^= sm3_p1(rol32(first, 15));
    *d = r;
}

static uint32_t sm4_tau(uint32_t v)
{
    return sm4_sbox[v & 0xff] | sm4_sbox[v >> 8 & 0xff] << 8 | sm4_sbox[v >> 16 & 0xff] << 16 |
           (uint32_t)sm4_sbox[v >> 24] << 24;
}

void crypto_sm4e(union vec128 *d, const union vec128 *n)
{
    union vec128 x = *d, key = *n;

    for (int i = 0; i < 4; i++) {
        uint32_t t = sm4_tau(x.s[(i + 1) & 3] ^ x.s[(i + 2) & 3] ^ x.s[(i + 3) & 3] ^ key.s[i]);

        x.s[i] ^= t ^ rol32(t, 2) ^ rol32(t, 10) ^ rol32(t, 18) ^ rol32(t, 24);
    }
    *d = x;
}

void crypto_sm4ekey(union vec128 *d, const union vec128 *n, const union vec128 *m)
{
    union vec128 x = *n, ck = *m;

    for (int i = 0; i < 4; i++) {
        uint32_t t = sm4_tau(x.s[(i + 1) & 3] ^ x.s[(i + 2) & 3] ^ x.s[(i + 3) & 3] ^ ck.s[i]);

        x.s[i] ^= t ^ rol32(t, 13) ^ rol32(t, 23);
    }
    *d = x;
}
