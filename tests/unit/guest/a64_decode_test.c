/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest/aarch64/decode.h: rows never tie, fields are cut right, scan() and lift() see the same blocks. */
#include "guest/aarch64/lift.h"
#include "tests/test.h"

static uint32_t seed = 1;

static uint32_t random_word(void)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) | (seed * 69069 + 5) << 16;
}

/* Where two rows match the same word, one must have more fixed bits than the other. */
static bool tie(unsigned i, unsigned j)
{
    uint32_t m1, v1, m2, v2;

    a64_row_bits(i, &m1, &v1);
    a64_row_bits(j, &m2, &v2);
    return ((v1 ^ v2) & m1 & m2) == 0 && __builtin_popcount(m1) == __builtin_popcount(m2);
}

TEST(a64_decode, of_two_rows_for_a_word_one_is_stricter)
{
    for (unsigned i = 0; i < A64_NUM_ROWS; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (!CHECK(!tie(i, j)))
                printf("rows %s and %s\n", a64_row_name(i), a64_row_name(j));
        }
    }
}

TEST(a64_decode, fields_of_one_letter_are_joined)
{
    struct a64_fields f;

    /* tbnz x3, #33, .-4 */
    CHECK_EQ(a64_decode(0xb70fffe3, ~0ull, &f), A64_ROW_tbnz);
    CHECK_EQ(f.b, 33);
    CHECK_EQ(f.t, 3);
    CHECK_EQ(a64_sext(f.i, 14), -1);
}

TEST(a64_decode, stricter_rows_win)
{
    struct a64_fields f;

    CHECK_EQ(a64_decode(0xd503201f, ~0ull, &f), A64_ROW_hint);
    CHECK_EQ(a64_decode(0xd503233f, ~0ull, &f), A64_ROW_pac_sp);
    CHECK_EQ(a64_decode(0xd503205f, ~0ull, &f), A64_ROW_wfe);
}

TEST(a64_decode, rows_of_absent_features_do_not_exist)
{
    struct a64_fields f;

    /* paciasp is a hint without pointer authentication; swp is nothing without LSE */
    CHECK_EQ(a64_decode(0xd503233f, 1ull << A64_FEAT_BASE, &f), A64_ROW_hint);
    CHECK_EQ(a64_decode(0xf8218041, ~0ull, &f), A64_ROW_swp);
    CHECK_EQ(a64_decode(0xf8218041, 1ull << A64_FEAT_BASE, &f), A64_NO_ROW);
}

TEST(a64_decode, every_word_of_a_row_finds_it_or_a_stricter_one)
{
    for (unsigned row = 0; row < A64_NUM_ROWS; row++) {
        uint32_t mask, value, mask2, value2;
        a64_row_bits(row, &mask, &value);
        for (unsigned i = 0; i < 20; i++) {
            struct a64_fields f;
            uint32_t word = (random_word() & ~mask) | value;
            unsigned got = a64_decode(word, ~0ull, &f);
            if (!CHECK(got != A64_NO_ROW))
                continue;
            a64_row_bits(got, &mask2, &value2);
            CHECK(__builtin_popcount(mask2) >= __builtin_popcount(mask));
        }
    }
}

/* Instructions lifted from @word and a NOP: 1 when @word ends its block. */
static unsigned lifted(struct ir *ir, const uint32_t *code)
{
    ir_reset(ir);
    ir_start_block(ir, ir_plan(ir, 0x1000, 0));
    return guest_aarch64.lift(ir, 0, 0x1000, (const uint8_t *)code, 8, ~0ull, 2) / 4;
}

static bool traps_undefined(const struct ir *ir)
{
    const struct ir_op *last = &ir->ops[ir->n_ops - 1];

    return last->op == IRO_trap && last->arg[0] == CPU_STOP_UNDEFINED;
}

/* Only undefined encodings may end a block that scan() continues. */
TEST(a64_lift, blocks_end_where_scan_says)
{
    struct ir *ir = ir_new(guest_aarch64.slots, guest_aarch64.n_slots, guest_aarch64.helpers,
                           guest_aarch64.n_helpers);

    for (unsigned row = 0; row < A64_NUM_ROWS; row++) {
        uint32_t mask, value;
        a64_row_bits(row, &mask, &value);
        for (unsigned i = 0; i < 50; i++) {
            uint32_t code[2] = {(random_word() & ~mask) | value, 0xd503201f};
            struct guest_scan scan;
            unsigned n = lifted(ir, code);

            guest_aarch64.scan(0, 0x1000, (const uint8_t *)code, 8, 2, &scan);
            if (!CHECK(n == scan.n_insns || (n == 1 && traps_undefined(ir))))
                printf("row %s, word %08x: %u, %u\n", a64_row_name(row), code[0], n, scan.n_insns);
        }
    }
    ir_free(ir);
}

TEST(a64_scan, tells_targets)
{
    static const uint32_t code[] = {0xd503201f, 0x54ffffe1}; /* nop; b.ne .-4 */
    struct guest_scan scan;

    guest_aarch64.scan(0, 0x1000, (const uint8_t *)code, 8, 10, &scan);
    CHECK_EQ(scan.kind, GUEST_END_COND);
    CHECK_EQ(scan.target, 0x1000);
    CHECK_EQ(scan.end, 0x1008);
    CHECK_EQ(scan.n_insns, 2);
    guest_aarch64.scan(0, 0x1000, (const uint8_t *)code, 7, 10, &scan);
    CHECK_EQ(scan.kind, GUEST_END_FALL);
    CHECK_EQ(scan.end, 0x1004);
}

TEST(a64_bitmask, known_immediates)
{
    uint64_t v;

    CHECK(a64_bitmask(true, 1, 0, 0, &v));
    CHECK_EQ(v, 1);
    CHECK(a64_bitmask(true, 0, 0x3c, 1, &v)); /* two-bit elements 01, turned by one */
    CHECK_EQ(v, 0xaaaaaaaaaaaaaaaa);
    CHECK(a64_bitmask(false, 0, 0x07, 4, &v));
    CHECK_EQ(v, 0xf000000f);
    CHECK(a64_bitmask(true, 1, 62, 63, &v));
    CHECK_EQ(v, 0xfffffffffffffffe);
    CHECK(!a64_bitmask(true, 1, 63, 0, &v));  /* all ones is reserved */
    CHECK(!a64_bitmask(false, 1, 0, 0, &v));  /* 64-bit element in a 32-bit form */
    CHECK(!a64_bitmask(true, 0, 0x3f, 0, &v)); /* one-bit element */
}

static const struct test tests[] = {
    CASE(a64_decode, of_two_rows_for_a_word_one_is_stricter),
    CASE(a64_decode, fields_of_one_letter_are_joined),
    CASE(a64_decode, stricter_rows_win),
    CASE(a64_decode, rows_of_absent_features_do_not_exist),
    CASE(a64_decode, every_word_of_a_row_finds_it_or_a_stricter_one),
    CASE(a64_lift, blocks_end_where_scan_says),
    CASE(a64_scan, tells_targets),
    CASE(a64_bitmask, known_immediates),
};
TEST_MAIN(tests)
