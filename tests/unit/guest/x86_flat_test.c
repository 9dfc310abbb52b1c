/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of x86 code is said in the flat form (ir/flat.h); that it means the same as lifted is x86_native_test's. */
#include "guest/x86/features.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/x86.h"
#include "ir/flat.h"
#include "tests/test.h"

#include <string.h>

enum { PROGRAM64 = X86_CODE64 | X86_MODE_FLAT | X86_MODE_PE | X86_MODE_LMA };

static struct flat flat;

static uint32_t flatten(uint32_t mode, const void *code, size_t n)
{
    memset(&flat, 0, sizeof(flat));
    return x86_flat(&flat, mode, 0x400000, code, n, ~0ull, 64);
}

TEST(x86_flat, a_function_s_end_is_loads_and_a_way_out)
{
    static const uint8_t code[] = {0x48, 0x83, 0xc4, 8, 0x5b, 0x5d, 0xc3}; /* add $8,%rsp; pop %rbx; pop %rbp; ret */

    CHECK_EQ(flatten(PROGRAM64, code, sizeof(code)), sizeof(code));
    CHECK_EQ(flat.op[0].kind, FLAT_NATIVE);
    CHECK_EQ(flat.op[0].writes, FLAT_ALL_FLAGS);
    CHECK_EQ(flat.op[1].kind, FLAT_LOAD);
    CHECK_EQ(flat.op[1].d, X86_R0 + X86_BX);
    CHECK_EQ(flat.op[flat.n - 1].kind, FLAT_IND);
    CHECK_EQ(flat.op[flat.n - 1].op, IR_EXIT_RET);
}

TEST(x86_flat, a_branch_reads_what_its_condition_says)
{
    static const uint8_t code[] = {0x39, 0xf7, 0xff, 0xc0, 0x7e, 0x10}; /* cmp %esi,%edi; inc %eax; jle */

    CHECK_EQ(flatten(PROGRAM64, code, sizeof(code)), sizeof(code));
    CHECK_EQ(flat.op[1].writes, FLAT_ALL_FLAGS & ~FLAT_C);
    CHECK_EQ(flat.op[2].reads, FLAT_Z | FLAT_S | FLAT_O);
    CHECK_EQ(flat.op[2].imm, 0x400016);
}

TEST(x86_flat, what_has_no_words_ends_the_block_or_is_lifted)
{
    static const uint8_t late[] = {0x31, 0xc0, 0x89, 0xc1, 0x89, 0xc2, 0x0f, 0xa2}, early[] = {0x31, 0xc0, 0x0f, 0xa2}; /* cpuid */
    static const uint8_t locked[] = {0xf0, 0x01, 0x07, 0x31, 0xc0, 0xc3};

    CHECK_EQ(flatten(PROGRAM64, late, sizeof(late)), 6);
    CHECK_EQ(flat.op[flat.n - 1].kind, FLAT_JUMP);
    CHECK_EQ(flat.op[flat.n - 1].imm, 0x400006);
    CHECK_EQ(flatten(PROGRAM64, early, sizeof(early)), 0);
    CHECK_EQ(flatten(PROGRAM64, locked, sizeof(locked)), 0);
}

TEST(x86_flat, vectors_are_moved_and_combined_as_the_guest_says)
{
    static const uint8_t code[] = {0x66, 0x0f, 0xef, 0xc0,  /* pxor %xmm0,%xmm0 */
                                   0x66, 0x0f, 0x6f, 0x0f,  /* movdqa (%rdi),%xmm1 */
                                   0x66, 0x48, 0x0f, 0x6e, 0xd0, /* movq %rax,%xmm2 */
                                   0xf2, 0x0f, 0x11, 0x17,  /* movsd %xmm2,(%rdi) */
                                   0xf6, 0xc4, 1, 0xc3};    /* test $1,%ah; ret */
    static const uint8_t mmx[] = {0x0f, 0xef, 0xc0, 0xc3};
    struct x86_features all = x86_features_all();
    uint32_t mode = PROGRAM64 | (uint32_t)x86_features_number(&all) << X86_MODE_FEATURES;

    CHECK_EQ(flatten(mode, code, sizeof(code)), sizeof(code));
    CHECK_EQ(flat.op[0].kind, FLAT_NATIVE);
    CHECK_EQ(flat.op[0].cond, 0x66);
    CHECK_EQ(flat.op[1].op, 0x28);
    CHECK_EQ(flat.op[1].how & FLAT_MEM, FLAT_MEM);
    CHECK_EQ(flat.op[2].a, X86_R0 + X86_AX);
    CHECK_EQ(flat.op[3].kind, FLAT_STORE);
    CHECK_EQ(flat.op[3].size, 3);
    CHECK_EQ(flat.op[4].high, FLAT_HIGH_RM);
    CHECK_EQ(flatten(mode, mmx, sizeof(mmx)), 0);
    CHECK_EQ(flatten(mode | X86_MODE_NO_SSE, code, sizeof(code)), 0);
}

TEST(x86_flat, modes_that_ask_more_of_each_instruction_are_lifted)
{
    static const uint8_t code[] = {0x31, 0xc0, 0x89, 0xc1, 0x89, 0xc2, 0xc3};

    CHECK_EQ(flatten(PROGRAM64, code, sizeof(code)), sizeof(code));
    CHECK_EQ(flatten(PROGRAM64 | X86_MODE_AC, code, sizeof(code)), 0);
    CHECK_EQ(flatten(PROGRAM64 | X86_MODE_CHECKED, code, sizeof(code)), 0);
    CHECK_EQ(flatten(X86_CODE16 | X86_MODE_FLAT, code, sizeof(code)), 0);
    CHECK_EQ(flatten(PROGRAM64 & ~X86_MODE_FLAT, code, sizeof(code)), 0);
}

/* An instruction in two pages of a machine's has two places. */
TEST(x86_flat, a_machine_s_block_ends_before_the_page_does)
{
    static const uint8_t code[] = {0x31, 0xc0, 0x89, 0xc1, 0x89, 0xc2, 0xb8, 1, 0, 0, 0, 0xc3};

    CHECK_EQ(x86_flat(&flat, PROGRAM64 | X86_MODE_SYSTEM, 0x400ff7, code, sizeof(code), ~0ull, 64), 6);
    CHECK_EQ(x86_flat(&flat, PROGRAM64, 0x400ff7, code, sizeof(code), ~0ull, 64), sizeof(code));
}

/* --- Flags that nobody reads --- */

static uint64_t reader; /* where they are */

static bool dead_but_at_reader(void *opaque, uint64_t pc)
{
    return pc != reader;
}

static bool live_after(const void *code, size_t n, uint64_t at)
{
    memset(&flat, 0, sizeof(flat));
    flat.idle_dead_at = dead_but_at_reader;
    reader = at;
    CHECK_EQ(x86_flat(&flat, PROGRAM64, 0x400000, code, n, ~0ull, 64), n);
    return flat.flags_live;
}

TEST(x86_flat, flags_are_kept_for_whoever_reads_them_behind_the_block)
{
    static const uint8_t branch[] = {0x39, 0xf7, 0x7e, 0x10}; /* cmp %esi,%edi; jle */
    static const uint8_t call[] = {0x31, 0xc0, 0xe8, 0xf9, 0, 0, 0}; /* xor %eax,%eax; call 0x400100 */
    static const uint8_t ret[] = {0x31, 0xc0, 0xc3};

    CHECK(!live_after(branch, sizeof(branch), 0));
    CHECK(live_after(branch, sizeof(branch), 0x400004));
    CHECK(live_after(branch, sizeof(branch), 0x400014));
    CHECK(live_after(call, sizeof(call), 0x400100));
    CHECK(!live_after(call, sizeof(call), 0x400007));
    CHECK_EQ(flat.op[flat.n - 1].amount, 0); /* a return there brings flags */
    CHECK(!live_after(call, sizeof(call), 0));
    CHECK_EQ(flat.op[flat.n - 1].amount, 1);
    CHECK(live_after(ret, sizeof(ret), 0));
    flatten(PROGRAM64, branch, sizeof(branch));
    CHECK(flat.flags_live); /* nobody can say */
}

/* What the table says of an instruction, the decoder says. */
TEST(x86_flat, looking_ahead_by_table_is_looking_ahead)
{
    static const uint32_t modes[] = {PROGRAM64, X86_CODE32 | X86_MODE_FLAT | X86_MODE_PE | X86_MODE_STACK32,
                                     PROGRAM64 | X86_MODE_SYSTEM};
    uint64_t seed = 1;
    unsigned told = 0, reads = 0;

    for (unsigned n = 0; n < 300000; n++) {
        uint8_t code[16];
        uint32_t mode = modes[n % 3];
        enum guest_idle effect;
        unsigned len, known;

        for (unsigned k = 0; k < sizeof(code); k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            code[k] = (uint8_t)(seed >> 56);
        }
        if (n & 4)
            code[0] = (uint8_t)(0x40 | (code[0] & 15));
        if (n & 8)
            code[n & 4 ? 1 : 0] = 0x0f;
        known = x86_idle_skim(mode, code, 15, &effect);
        if (!known)
            continue;
        told++;
        reads += effect == GUEST_IDLE_READS;
        CHECK_EQ(x86_idle_effect(mode, code, 15, &len), effect);
        CHECK_EQ(len, known);
    }
    CHECK(told > 100000);
    CHECK(reads > 10000); /* conditional jumps and returns among them */
}

static const struct test tests[] = {
    CASE(x86_flat, a_function_s_end_is_loads_and_a_way_out),
    CASE(x86_flat, a_branch_reads_what_its_condition_says),
    CASE(x86_flat, what_has_no_words_ends_the_block_or_is_lifted),
    CASE(x86_flat, vectors_are_moved_and_combined_as_the_guest_says),
    CASE(x86_flat, modes_that_ask_more_of_each_instruction_are_lifted),
    CASE(x86_flat, a_machine_s_block_ends_before_the_page_does),
    CASE(x86_flat, flags_are_kept_for_whoever_reads_them_behind_the_block),
    CASE(x86_flat, looking_ahead_by_table_is_looking_ahead),
};
TEST_MAIN(tests)
