/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-1 (FIPS 180-4, 6.1). */
#include "base/sha1.h"

#include "base/bytes.h"

static uint32_t rol(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t f(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
    return t < 20              ? (b & c) ^ (~b & d)
           : t >= 40 && t < 60 ? (b & c) ^ (b & d) ^ (c & d)
                               : b ^ c ^ d;
}

static void block(uint32_t h[5], const uint8_t *p)
{
    static const uint32_t k[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

    for (unsigned t = 0; t < 80; t++)
        w[t] = t < 16 ? get_be32(p + 4 * t) : rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (unsigned t = 0; t < 80; t++) {
        uint32_t next = rol(a, 5) + f(t, b, c, d) + e + k[t / 20] + w[t];

        e = d;
        d = c;
        c = rol(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void sha1(const void *data, size_t len, uint8_t sum[SHA1_LEN])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *p = data;
    uint8_t tail[128] = {0};
    size_t left = len % 64, end = left < 56 ? 64 : 128;

    for (size_t i = 0; i + 64 <= len; i += 64)
        block(h, p + i);
    memcpy(tail, p + len - left, left);
    tail[left] = 0x80;
    put_be64(tail + end - 8, (uint64_t)len * 8);
    for (size_t i = 0; i < end; i += 64)
        block(h, tail + i);
    for (unsigned i = 0; i < 5; i++)
        put_be32(sum + 4 * i, h[i]);
}
