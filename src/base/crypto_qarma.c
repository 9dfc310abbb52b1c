/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QARMA-64 with five rounds, for pointer authentication (Avanzi 2017; Arm ARM ComputePAC). */
#include "base/crypto.h"

/*
 * A block is sixteen nibbles.  The paper numbers them from the most significant; the tables here
 * count from the least significant, which is 15 minus that on both sides.
 */
enum { ROUNDS = 5 };

/* S-box sigma 2 of the paper, and its inverse. */
static const uint8_t sub[16] = {11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10};
static const uint8_t inv_sub[16] = {5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3};
/* Nibble i of the result is nibble shuffle[i] of the source: tau, and h for the tweak. */
static const uint8_t shuffle[16] = {13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15};
static const uint8_t inv_shuffle[16] = {3, 6, 12, 9, 14, 11, 1, 4, 8, 13, 7, 2, 5, 0, 10, 15};
static const uint8_t tweak_shuffle[16] = {4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9};
/* The nibbles of the tweak that step their shift register after the shuffle. */
enum { TWEAK_STEPS = 1 << 2 | 1 << 4 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 15 };

/* Digits of pi. */
static const uint64_t round_constant[ROUNDS] = {
    0x0000000000000000, 0x13198a2e03707344, 0xa4093822299f31d0,
    0x082efa98ec4e6c89, 0x452821e638d01377,
};
#define ALPHA UINT64_C(0xc0ac29b7c97c50dd)

static unsigned nibble(uint64_t v, unsigned i)
{
    return v >> 4 * i & 15;
}

static uint64_t substitute(uint64_t v, const uint8_t *table)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < 16; i++)
        r |= (uint64_t)table[nibble(v, i)] << 4 * i;
    return r;
}

static uint64_t permute(uint64_t v, const uint8_t *table)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < 16; i++)
        r |= (uint64_t)nibble(v, table[i]) << 4 * i;
    return r;
}

/* Every nibble rotated left by @n, 1 or 2. */
static uint64_t rotate_nibbles(uint64_t v, unsigned n)
{
    uint64_t low = n == 1 ? UINT64_C(0x1111111111111111) : UINT64_C(0x3333333333333333);

    return (v << n & ~low) | (v >> (4 - n) & low);
}

static uint64_t ror64(uint64_t v, unsigned n)
{
    return v >> n | v << (64 - n);
}

/* MixColumns with circ(0, rho, rho^2, rho): a row is 16 bits, so the other rows are rotations. */
static uint64_t mix(uint64_t v)
{
    return rotate_nibbles(ror64(v, 16) ^ ror64(v, 48), 1) ^ rotate_nibbles(ror64(v, 32), 2);
}

static uint64_t tweak_next(uint64_t t)
{
    t = permute(t, tweak_shuffle);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t x = nibble(t, i);

        if (TWEAK_STEPS >> i & 1)
            t ^= (x ^ (x >> 1 | ((x ^ x >> 1) & 1) << 3)) << 4 * i;
    }
    return t;
}

/* The whitened half rounds, the reflector between them, and the way back by inverse steps. */
uint64_t crypto_qarma5(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo)
{
    uint64_t w1 = ror64(key_hi, 1) ^ key_hi >> 63;
    uint64_t tweak[ROUNDS + 1] = {modifier};
    uint64_t v = data ^ key_hi;

    for (int i = 0; i < ROUNDS; i++) {
        v ^= key_lo ^ tweak[i] ^ round_constant[i];
        if (i)
            v = mix(permute(v, shuffle));
        v = substitute(v, sub);
        tweak[i + 1] = tweak_next(tweak[i]);
    }
    v = substitute(mix(permute(v ^ w1 ^ tweak[ROUNDS], shuffle)), sub);
    v = permute(mix(permute(v, shuffle)) ^ key_lo, inv_shuffle);
    v = permute(mix(substitute(v, inv_sub)), inv_shuffle) ^ key_hi ^ tweak[ROUNDS];
    for (int i = ROUNDS - 1; i >= 0; i--) {
        v = substitute(v, inv_sub);
        if (i)
            v = permute(mix(v), inv_shuffle);
        v ^= key_lo ^ tweak[i] ^ round_constant[i] ^ ALPHA;
    }
    return v ^ w1;
}
