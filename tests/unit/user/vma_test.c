/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/vma.h: the list of mappings splits, merges and finds gaps. */
#include "user/vma.h"
#include "tests/test.h"

#include <sys/mman.h>

static void put(struct vmas *s, uint64_t start, uint64_t end, uint32_t prot)
{
    struct vma v = {.start = start, .end = end, .prot = prot};

    vmas_reserve(s, 4);
    vmas_put(s, &v);
}

TEST(vma, neighbours_that_are_alike_become_one)
{
    struct vmas s = {0};

    put(&s, 0x1000, 0x2000, 1);
    put(&s, 0x3000, 0x4000, 1);
    CHECK_EQ(s.n, 2);
    put(&s, 0x2000, 0x3000, 1);
    CHECK_EQ(s.n, 1);
    CHECK_EQ(s.v[0].start, 0x1000);
    CHECK_EQ(s.v[0].end, 0x4000);
    put(&s, 0x4000, 0x5000, 3);
    CHECK_EQ(s.n, 2);
    vmas_free(&s);
}

TEST(vma, a_hole_splits_a_mapping_and_keeps_file_offsets)
{
    struct vmas s = {0};
    struct vma v = {.start = 0x10000, .end = 0x20000, .prot = 1, .dev = 1, .ino = 7, .off = 0x3000};

    vmas_reserve(&s, 8);
    vmas_put(&s, &v);
    vmas_cut(&s, 0x14000, 0x15000);
    CHECK_EQ(s.n, 2);
    CHECK_EQ(s.v[0].end, 0x14000);
    CHECK_EQ(s.v[1].start, 0x15000);
    CHECK_EQ(s.v[1].off, 0x8000);
    CHECK(vmas_at(&s, 0x13fff) != NULL);
    CHECK(vmas_at(&s, 0x14000) == NULL);
    CHECK_EQ(vmas_covered(&s, 0x10000, 0x20000), 0x14000);
    /* The same file again at the right offset closes the hole. */
    v = (struct vma){.start = 0x14000, .end = 0x15000, .prot = 1, .dev = 1, .ino = 7,
                     .off = 0x7000};
    vmas_put(&s, &v);
    CHECK_EQ(s.n, 1);
    vmas_free(&s);
}

TEST(vma, protect_changes_only_its_range_and_merges_back)
{
    struct vmas s = {0};

    put(&s, 0x1000, 0x9000, 3);
    vmas_protect(&s, 0x3000, 0x5000, 1);
    CHECK_EQ(s.n, 3);
    CHECK(!vmas_any(&s, 0x3000, 0x5000, PROT_WRITE));
    CHECK(vmas_any(&s, 0x3000, 0x5001, PROT_WRITE));
    vmas_protect(&s, 0x3000, 0x5000, 3);
    CHECK_EQ(s.n, 1);
    vmas_protect(&s, 0x1000, 0x2000, 0);
    vmas_protect(&s, 0x8000, 0x9000, 0);
    CHECK_EQ(s.n, 3);
    vmas_protect(&s, 0x1000, 0x9000, 5);
    CHECK_EQ(s.n, 1);
    vmas_free(&s);
}

TEST(vma, put_replaces_what_was_there)
{
    struct vmas s = {0};

    put(&s, 0x1000, 0x3000, 1);
    put(&s, 0x5000, 0x8000, 1);
    put(&s, 0x2000, 0x6000, 3);
    CHECK_EQ(s.n, 3);
    CHECK_EQ(s.v[0].end, 0x2000);
    CHECK_EQ(s.v[2].start, 0x6000);
    vmas_free(&s);
}

TEST(vma, gaps_are_found_from_the_top)
{
    struct vmas s = {0};

    CHECK_EQ(vmas_gap(&s, 0x1000, 0x10000, 0x2000, 0x1000), 0xe000);
    put(&s, 0xd000, 0x10000, 1);
    CHECK_EQ(vmas_gap(&s, 0x1000, 0x10000, 0x2000, 0x1000), 0xb000);
    put(&s, 0xa000, 0xc000, 1);
    CHECK_EQ(vmas_gap(&s, 0x1000, 0x10000, 0x1000, 0x1000), 0xc000);
    CHECK_EQ(vmas_gap(&s, 0x1000, 0x10000, 0x2000, 0x1000), 0x8000);
    CHECK_EQ(vmas_gap(&s, 0x1000, 0x10000, 0x2000, 0x8000), 0x8000);
    CHECK_EQ(vmas_gap(&s, 0x1000, 0x10000, 0x9000, 0x1000), 0x1000);
    CHECK_EQ(vmas_gap(&s, 0x1000, 0x10000, 0x9001, 0x1000), ~0ull);
    /* A mapping across either bound counts. */
    CHECK_EQ(vmas_gap(&s, 0xb000, 0xd800, 0x1000, 0x1000), 0xc000);
    CHECK_EQ(vmas_gap(&s, 0xb000, 0xcfff, 0x1000, 0x1000), ~0ull);
    vmas_free(&s);
}

/* A byte per page says what the list must say. */
TEST(vma, random_changes_agree_with_a_plain_array)
{
    enum { PAGES = 64 };
    unsigned char want[PAGES] = {0};
    struct vmas s = {0};
    unsigned seed = 1;

    for (int i = 0; i < 20000; i++) {
        unsigned a, b, what, prot;

        seed = seed * 1103515245 + 12345;
        a = seed >> 8 & (PAGES - 1);
        b = a + 1 + (seed >> 16 & 15);
        if (b > PAGES)
            b = PAGES;
        what = seed >> 24 & 3;
        prot = 1 + (seed >> 28 & 1);
        vmas_reserve(&s, 4);
        if (what == 0)
            vmas_cut(&s, a * 4096, b * 4096);
        else if (what == 1)
            vmas_protect(&s, a * 4096, b * 4096, prot);
        else
            put(&s, a * 4096, b * 4096, prot);
        for (unsigned j = a; j < b; j++)
            want[j] = what == 0 ? 0 : what == 1 && !want[j] ? 0 : (unsigned char)prot;
        for (unsigned j = 0; j < PAGES; j++) {
            const struct vma *v = vmas_at(&s, j * 4096);

            if (!CHECK_EQ(v ? v->prot : 0, want[j]))
                return;
        }
        for (size_t j = 1; j < s.n; j++)
            CHECK(s.v[j - 1].end <= s.v[j].start && !(s.v[j - 1].end == s.v[j].start &&
                                                      s.v[j - 1].prot == s.v[j].prot));
    }
    vmas_free(&s);
}

static const struct test tests[] = {
    CASE(vma, neighbours_that_are_alike_become_one),
    CASE(vma, a_hole_splits_a_mapping_and_keeps_file_offsets),
    CASE(vma, protect_changes_only_its_range_and_merges_back),
    CASE(vma, put_replaces_what_was_there),
    CASE(vma, gaps_are_found_from_the_top),
    CASE(vma, random_changes_agree_with_a_plain_array),
};
TEST_MAIN(tests)
