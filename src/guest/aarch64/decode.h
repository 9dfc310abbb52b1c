/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 decoder: from an instruction word to its row in insn.def and insn_simd.def.
 *
 * A row is INSN(name, "pattern", FEATURE): 32 pattern characters from bit 31 down (spaces ignored),
 * 0 and 1 fixed, a lower-case letter a bit of the field of that name ('.' ignored).  A letter's bits
 * need not be adjacent: they are concatenated, high to low.  Where rows overlap, the one with more
 * fixed bits wins; a row whose feature the CPU lacks does not exist.  INSN_END has one more column:
 * how the instruction ends its block (enum a64_end).
 */
#ifndef GUEST_AARCH64_DECODE_H
#define GUEST_AARCH64_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum a64_feature {
#define FEATURE(name, ...) A64_FEAT_##name,
#include "guest/aarch64/features.def"
#undef FEATURE
    A64_NUM_FEATS,
};

/* How an instruction ends its block, and where a direct branch finds its target. */
enum a64_end {
    A64_FALL,
    A64_B,     /* field i: 26 bits of word offset */
    A64_BL,
    A64_COND,  /* field i: 19 or 14 bits of word offset */
    A64_IND,   /* indirect, or an exit that must look its own successor up again */
    A64_RET,
    A64_TRAP,
};

enum a64_row {
#define INSN(name, pattern, feat) A64_ROW_##name,
#define INSN_END(name, pattern, feat, end) A64_ROW_##name,
#include "guest/aarch64/insn.def"
#include "guest/aarch64/insn_simd.def"
#undef INSN
#undef INSN_END
    A64_NUM_ROWS,
    A64_NO_ROW = A64_NUM_ROWS,
};

/* The fields of an instruction, by letter; those that are not in the row's pattern are 0. */
struct a64_fields {
    uint32_t a, b, c, d, e, f, g, h, i, j, k, l, m;
    uint32_t n, o, p, q, r, s, t, u, v, w, x, y, z;
};

/** a64_decode - the row of @word for a CPU with @feats (bits 1 << enum a64_feature), or A64_NO_ROW.
 * Fills @f.  Any thread. */
unsigned a64_decode(uint32_t word, uint64_t feats, struct a64_fields *f);
/** a64_decode_row - only the row. */
unsigned a64_decode_row(uint32_t word, uint64_t feats);

/* About one row: for tests, logs and block ends. */
enum a64_end a64_row_end(unsigned row);
enum a64_feature a64_row_feature(unsigned row);
const char *a64_row_name(unsigned row);
const char *a64_row_pattern(unsigned row);
void a64_row_bits(unsigned row, uint32_t *mask, uint32_t *value);
/** a64_rows_features - every feature that some row has. */
uint64_t a64_rows_features(void);

#endif
