/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/crypto.h: the standards' own examples, computed as guest code would from the steps. */
#include "base/crypto.h"
#include "tests/test.h"

/* FIPS 180-4, 4.2.3; SHA-256 uses the upper halves of the first 64. */
static const uint64_t sha512_k[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static uint32_t rol32(uint32_t v, int n)
{
    return n ? v << n | v >> (32 - n) : v;
}

/* The one padded block of the message "abc", as 32-bit words. */
static void abc_block(union vec128 w[4])
{
    memset(w, 0, 64);
    w[0].s[0] = 0x61626380;
    w[3].s[3] = 24;
}

static union vec128 plus(union vec128 v, uint32_t k0, uint32_t k1, uint32_t k2, uint32_t k3)
{
    return (union vec128){.s = {v.s[0] + k0, v.s[1] + k1, v.s[2] + k2, v.s[3] + k3}};
}

/* SubWord: with four equal columns ShiftRows does nothing. */
static uint32_t aes_sub_word(uint32_t w)
{
    union vec128 v = {.s = {w, w, w, w}}, zero = {0};

    crypto_aese(&v, &zero);
    return v.s[0];
}

static void aes128_expand(union vec128 rk[11])
{
    for (int i = 0; i < 16; i++)
        rk[0].b[i] = i;
    for (int i = 0, rcon = 1; i < 10; i++, rcon = i == 8 ? 0x1b : rcon << 1) {
        uint32_t w = rk[i].s[3];

        w = aes_sub_word(w >> 8 | w << 24) ^ rcon;
        for (int j = 0; j < 4; j++)
            rk[i + 1].s[j] = w ^= rk[i].s[j];
    }
}

/* FIPS 197, C.1. */
TEST(crypto, aes128)
{
    static const uint8_t want[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                     0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
    union vec128 rk[11], v, plain, imc;

    aes128_expand(rk);
    for (int i = 0; i < 16; i++)
        plain.b[i] = i * 0x11;
    v = plain;
    for (int i = 0; i < 10; i++) {
        crypto_aese(&v, &rk[i]);
        if (i < 9)
            crypto_aesmc(&v, &v);
    }
    for (int i = 0; i < 2; i++)
        v.d[i] ^= rk[10].d[i];
    CHECK_MEM(v.b, want, 16);
    for (int i = 10; i > 0; i--) {
        imc = rk[i];
        if (i < 10)
            crypto_aesimc(&imc, &imc);
        crypto_aesd(&v, &imc);
        if (i > 1)
            crypto_aesimc(&v, &v);
    }
    for (int i = 0; i < 2; i++)
        v.d[i] ^= rk[0].d[i];
    CHECK_MEM(v.b, plain.b, 16);
}

TEST(crypto, sha1)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    union vec128 w[4], abcd = {.s = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
    uint32_t e = 0xc3d2e1f0;

    abc_block(w);
    for (int i = 0; i < 20; i++) {
        uint32_t c = k[i / 5], next = crypto_sha1h(abcd.s[0]);
        union vec128 t = plus(w[0], c, c, c, c), n = w[0];

        if (i < 5)
            crypto_sha1c(&abcd, e, &t);
        else if (i >= 10 && i < 15)
            crypto_sha1m(&abcd, e, &t);
        else
            crypto_sha1p(&abcd, e, &t);
        e = next;
        crypto_sha1su0(&n, &w[1], &w[2]);
        crypto_sha1su1(&n, &w[3]);
        memmove(w, w + 1, 48);
        w[3] = n;
    }
    CHECK_EQ(abcd.s[0] + 0x67452301, 0xa9993e36);
    CHECK_EQ(abcd.s[1] + 0xefcdab89, 0x4706816a);
    CHECK_EQ(abcd.s[2] + 0x98badcfe, 0xba3e2571);
    CHECK_EQ(abcd.s[3] + 0x10325476, 0x7850c26c);
    CHECK_EQ(e + 0xc3d2e1f0, 0x9cd0d89d);
}

TEST(crypto, sha256)
{
    static const uint32_t init[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static const uint32_t want[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                     0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    union vec128 w[4], abcd, efgh;

    abc_block(w);
    memcpy(&abcd, init, 16);
    memcpy(&efgh, init + 4, 16);
    for (int i = 0; i < 16; i++) {
        const uint64_t *k = sha512_k + 4 * i;
        union vec128 t = plus(w[0], k[0] >> 32, k[1] >> 32, k[2] >> 32, k[3] >> 32);
        union vec128 old = abcd, n = w[0];

        crypto_sha256h(&abcd, &efgh, &t);
        crypto_sha256h2(&efgh, &old, &t);
        crypto_sha256su0(&n, &w[1]);
        crypto_sha256su1(&n, &w[2], &w[3]);
        memmove(w, w + 1, 48);
        w[3] = n;
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(abcd.s[i] + init[i], want[i]);
        CHECK_EQ(efgh.s[i] + init[i + 4], want[i + 4]);
    }
}

/* Two rounds; s holds ab, cd, ef, gh. */
static void sha512_rounds(union vec128 s[4], union vec128 w, const uint64_t *k)
{
    union vec128 fg = {.d = {s[2].d[1], s[3].d[0]}}, de = {.d = {s[1].d[1], s[2].d[0]}};
    union vec128 t = {.d = {s[3].d[0] + w.d[1] + k[1], s[3].d[1] + w.d[0] + k[0]}}, ef;

    crypto_sha512h(&t, &fg, &de);
    ef = (union vec128){.d = {s[1].d[0] + t.d[0], s[1].d[1] + t.d[1]}};
    crypto_sha512h2(&t, &s[1], &s[0]);
    s[3] = s[2];
    s[2] = ef;
    s[1] = s[0];
    s[0] = t;
}

TEST(crypto, sha512)
{
    static const uint64_t init[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                     0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                     0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    static const uint64_t want[8] = {0xddaf35a193617aba, 0xcc417349ae204131, 0x12e6fa4e89a97ea2,
                                     0x0a9eeee64b55d39a, 0x2192992a274fc1a8, 0x36ba3c23a3feebbd,
                                     0x454d4423643ce80e, 0x2a9ac94fa54ca49f};
    union vec128 w[8] = {{.d = {0x6162638000000000}}}, s[4];

    w[7].d[1] = 24;
    memcpy(s, init, 64);
    for (int i = 0; i < 40; i++) {
        union vec128 n = w[0], mid = {.d = {w[4].d[1], w[5].d[0]}};

        sha512_rounds(s, w[0], sha512_k + 2 * i);
        crypto_sha512su0(&n, &w[1]);
        crypto_sha512su1(&n, &w[7], &mid);
        memmove(w, w + 1, 112);
        w[7] = n;
    }
    for (int i = 0; i < 8; i++)
        CHECK_EQ(s[i / 2].d[i % 2] + init[i], want[i]);
}

/* SM3's next four words of the message expansion. */
static union vec128 sm3_expand(const union vec128 w[4])
{
    union vec128 n = {.s = {w[1].s[3], w[2].s[0], w[2].s[1], w[2].s[2]}};
    union vec128 w3 = {.s = {w[0].s[3], w[1].s[0], w[1].s[1], w[1].s[2]}};
    union vec128 w10 = {.s = {w[2].s[2], w[2].s[3], w[3].s[0], w[3].s[1]}};

    crypto_sm3partw1(&n, &w[0], &w[3]);
    crypto_sm3partw2(&n, &w10, &w3);
    return n;
}

static void sm3_round(union vec128 *abcd, union vec128 *efgh, const union vec128 *w,
                      const union vec128 *w1, int j)
{
    union vec128 t = {.s = {0, 0, 0, rol32(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32)}}, ss1;

    crypto_sm3ss1(&ss1, abcd, &t, efgh);
    if (j < 16) {
        crypto_sm3tt1a(abcd, &ss1, w1, j % 4);
        crypto_sm3tt2a(efgh, &ss1, w, j % 4);
    } else {
        crypto_sm3tt1b(abcd, &ss1, w1, j % 4);
        crypto_sm3tt2b(efgh, &ss1, w, j % 4);
    }
}

/* GB/T 32905, A.1: the words are kept with A, and E, on top. */
TEST(crypto, sm3)
{
    static const uint32_t init[8] = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
                                     0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};
    static const uint32_t want[8] = {0x66c7f0f4, 0x62eeedd9, 0xd1f2d46b, 0xdc10e4e2,
                                     0x4167c487, 0x5cf2f7a2, 0x297da02b, 0x8f4ba8e0};
    union vec128 w[4], abcd, efgh;

    abc_block(w);
    for (int i = 0; i < 4; i++) {
        abcd.s[3 - i] = init[i];
        efgh.s[3 - i] = init[i + 4];
    }
    for (int i = 0; i < 16; i++) {
        union vec128 n = sm3_expand(w), w1 = w[0];

        for (int j = 0; j < 4; j++)
            w1.s[j] ^= w[1].s[j];
        for (int j = 0; j < 4; j++)
            sm3_round(&abcd, &efgh, &w[0], &w1, 4 * i + j);
        memmove(w, w + 1, 48);
        w[3] = n;
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(abcd.s[3 - i] ^ init[i], want[i]);
        CHECK_EQ(efgh.s[3 - i] ^ init[i + 4], want[i + 4]);
    }
}

/* GB/T 32907, A.1: the key is the plain text too. */
TEST(crypto, sm4)
{
    union vec128 x = {.s = {0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210}};
    union vec128 key = {.s = {0x01234567 ^ 0xa3b1bac6, 0x89abcdef ^ 0x56aa3350,
                              0xfedcba98 ^ 0x677d9197, 0x76543210 ^ 0xb27022dc}};

    for (int i = 0; i < 8; i++) {
        union vec128 ck = {0};

        for (int j = 0; j < 16; j++)
            ck.s[j / 4] = ck.s[j / 4] << 8 | (uint8_t)((16 * i + j) * 7);
        crypto_sm4ekey(&key, &key, &ck);
        crypto_sm4e(&x, &key);
    }
    CHECK_EQ(x.s[3], 0x681edf34);
    CHECK_EQ(x.s[2], 0xd206965e);
    CHECK_EQ(x.s[1], 0x86b3e94f);
    CHECK_EQ(x.s[0], 0x536e4246);
}

TEST(crypto, sha3_helpers)
{
    union vec128 n = {.d = {0xf0f0, 1}}, m = {.d = {0xff00, UINT64_C(1) << 63}};
    union vec128 a = {.d = {0x1200, 7}}, d;

    crypto_eor3(&d, &n, &m, &a);
    CHECK_EQ(d.d[0], 0x1df0);
    crypto_bcax(&d, &n, &m, &a);
    CHECK_EQ(d.d[0], 0x1df0);
    CHECK_EQ(d.d[1], 0x8000000000000001);
    crypto_rax1(&d, &n, &m);
    CHECK_EQ(d.d[0], 0xf0f0 ^ 0x1fe00);
    CHECK_EQ(d.d[1], 0);
    crypto_xar(&d, &n, &m, 4);
    CHECK_EQ(d.d[0], 0x0ff);
    CHECK_EQ(d.d[1], 0x1800000000000000);
    crypto_xar(&d, &n, &m, 0);
    CHECK_EQ(d.d[0], 0x0ff0);
}

TEST(crypto, crc_check_values)
{
    static const char text[] = "123456789";
    uint64_t word;
    uint32_t a = ~0u, b = ~0u;

    for (int i = 0; i < 9; i++)
        a = crypto_crc32(a, text[i], 1);
    CHECK_EQ(~a, 0xcbf43926);
    memcpy(&word, text, 8);
    b = crypto_crc32c(crypto_crc32c(b, word, 8), text[8], 1);
    CHECK_EQ(~b, 0xe3069283);
    a = crypto_crc32(crypto_crc32(~0u, word, 4), word >> 32, 2);
    b = crypto_crc32(~0u, word, 4);
    CHECK_EQ(a, crypto_crc32(crypto_crc32(b, word >> 32, 1), word >> 40, 1));
}

/* The example of Intel's carry-less multiplication paper. */
TEST(crypto, carry_less_products)
{
    union vec128 d;

    crypto_pmull64(&d, 0x63746f725d53475d, 0x5b477565726f6e5d);
    CHECK_EQ(d.d[1], 0x1d4d84c85c3440c0);
    CHECK_EQ(d.d[0], 0x929633d5d36f0451);
    crypto_pmull8(&d, 0xff03, 0xff05);
    CHECK_EQ(d.d[0], 0x5555000f);
    CHECK_EQ(d.d[1], 0);
    CHECK_EQ(crypto_pmul8(0xff03, 0xff05), 0x550f);
}

/* The vector of the QARMA paper for sigma 2 and five rounds. */
TEST(crypto, qarma5)
{
    CHECK_EQ(crypto_qarma5(0xfb623599da6e8127, 0x477d469dec0b8762, 0x84be85ce9804e94b,
                           0xec2802d4e0a488e9),
             0xc003b93999b33765);
}

static const struct test tests[] = {
    CASE(crypto, aes128),
    CASE(crypto, sha1),
    CASE(crypto, sha256),
    CASE(crypto, sha512),
    CASE(crypto, sm3),
    CASE(crypto, sm4),
    CASE(crypto, sha3_helpers),
    CASE(crypto, crc_check_values),
    CASE(crypto, carry_less_products),
    CASE(crypto, qarma5),
};
TEST_MAIN(tests)
