/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cryptographic steps of CPU instructions (FIPS 180-4, 197; GB/T 32905, 32907; Arm ARM). */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdint.h>

#include "base/vec128.h"

/*
 * Operands are named as in the instructions: d is Vd, read where the instruction reads it; n, m,
 * a are sources. Any of them may be the same register.
 */

/*
 * AES, one round step (FIPS 197).  aese: d = SubBytes(ShiftRows(d ^ n)); aesd its inverse;
 * aesmc: d = MixColumns(n).
 */
void crypto_aese(union vec128 *d, const union vec128 *n);
void crypto_aesd(union vec128 *d, const union vec128 *n);
void crypto_aesmc(union vec128 *d, const union vec128 *n);
void crypto_aesimc(union vec128 *d, const union vec128 *n);

/* SHA-1 (FIPS 180-4): four rounds with Ch, Parity, Maj; @n is the hash word e. */
void crypto_sha1c(union vec128 *d, uint32_t n, const union vec128 *m);
void crypto_sha1p(union vec128 *d, uint32_t n, const union vec128 *m);
void crypto_sha1m(union vec128 *d, uint32_t n, const union vec128 *m);
uint32_t crypto_sha1h(uint32_t n);
void crypto_sha1su0(union vec128 *d, const union vec128 *n, const union vec128 *m);
void crypto_sha1su1(union vec128 *d, const union vec128 *n);

/* SHA-256: four rounds a call. */
void crypto_sha256h(union vec128 *d, const union vec128 *n, const union vec128 *m);
void crypto_sha256h2(union vec128 *d, const union vec128 *n, const union vec128 *m);
void crypto_sha256su0(union vec128 *d, const union vec128 *n);
void crypto_sha256su1(union vec128 *d, const union vec128 *n, const union vec128 *m);

/*
 * x86 cuts them otherwise (SDM 2): one whole AES round, d = round(d) ^ key; schedules and SHA-1's words with
 * the first in the highest lane; sha1rnds4 adds the constant of @function (0..3), too; sha256rnds2 does two
 * rounds of the state in @d (C D G H) and @n (A B E F).
 */
void crypto_x86_aesenc(union vec128 *d, const union vec128 *key);
void crypto_x86_aesenclast(union vec128 *d, const union vec128 *key);
void crypto_x86_aesdec(union vec128 *d, const union vec128 *key);
void crypto_x86_aesdeclast(union vec128 *d, const union vec128 *key);
void crypto_x86_aeskeygenassist(union vec128 *d, const union vec128 *n, unsigned rcon);
void crypto_x86_sha1nexte(union vec128 *d, const union vec128 *n);
void crypto_x86_sha1msg1(union vec128 *d, const union vec128 *n);
void crypto_x86_sha1msg2(union vec128 *d, const union vec128 *n);
void crypto_x86_sha1rnds4(union vec128 *d, const union vec128 *n, unsigned function);
void crypto_x86_sha256msg2(union vec128 *d, const union vec128 *n);
void crypto_x86_sha256rnds2(union vec128 *d, const union vec128 *n, const union vec128 *wk);

/* SHA-512: two rounds a call. */
void crypto_sha512h(union vec128 *d, const union vec128 *n, const union vec128 *m);
void crypto_sha512h2(union vec128 *d, const union vec128 *n, const union vec128 *m);
void crypto_sha512su0(union vec128 *d, const union vec128 *n);
void crypto_sha512su1(union vec128 *d, const union vec128 *n, const union vec128 *m);

/* SHA-3 helpers: d = n^m^a; d = n^(m&~a); d = n^rol(m,1); d = ror(n^m, imm), by 64-bit lanes. */
void crypto_eor3(union vec128 *d, const union vec128 *n, const union vec128 *m,
                 const union vec128 *a);
void crypto_bcax(union vec128 *d, const union vec128 *n, const union vec128 *m,
                 const union vec128 *a);
void crypto_rax1(union vec128 *d, const union vec128 *n, const union vec128 *m);
void crypto_xar(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned imm);

/* SM3 (GB/T 32905); @i is the index 0..3 of the word of @m. */
void crypto_sm3ss1(union vec128 *d, const union vec128 *n, const union vec128 *m,
                   const union vec128 *a);
void crypto_sm3tt1a(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i);
void crypto_sm3tt1b(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i);
void crypto_sm3tt2a(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i);
void crypto_sm3tt2b(union vec128 *d, const union vec128 *n, const union vec128 *m, unsigned i);
void crypto_sm3partw1(union vec128 *d, const union vec128 *n, const union vec128 *m);
void crypto_sm3partw2(union vec128 *d, const union vec128 *n, const union vec128 *m);

/* SM4 (GB/T 32907): four rounds of encryption, of key expansion. */
void crypto_sm4e(union vec128 *d, const union vec128 *n);
void crypto_sm4ekey(union vec128 *d, const union vec128 *n, const union vec128 *m);

/*
 * Carry-less multiplication: PMUL on eight byte lanes, PMULL 8->16 on eight lanes, PMULL
 * 64->128.
 */
uint64_t crypto_pmul8(uint64_t n, uint64_t m);
void crypto_pmull8(union vec128 *d, uint64_t n, uint64_t m);
void crypto_pmull64(union vec128 *d, uint64_t n, uint64_t m);

/**
 * crypto_crc32 - CRC-32 (0x04c11db7, reflected) of the low @bytes (1, 2, 4, 8) of @val; no
 * inversions.
 */
uint32_t crypto_crc32(uint32_t crc, uint64_t val, unsigned bytes);
/** crypto_crc32c - the same with the Castagnoli polynomial 0x1edc6f41. */
uint32_t crypto_crc32c(uint32_t crc, uint64_t val, unsigned bytes);

/**
 * crypto_qarma5 - ComputePAC with QARMA5 (FEAT_PAuth): 64-bit tweakable cipher of @data under
 * @modifier.
 */
uint64_t crypto_qarma5(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo);

#endif
