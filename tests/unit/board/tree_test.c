/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "board/arm_boot.h"
#include "board/tree.h"
#include "base/bytes.h"
#include "tests/test.h"

#include <errno.h>
#include <libfdt.h>

TEST(tree, grows_and_is_read_again)
{
    struct tree *t = tree_new();
    struct err e = {0};
    static uint8_t big[100000];
    struct tree *copy;
    const void *blob;
    size_t len;

    tree_node(t, "/a");
    tree_node(t, "/a/b@1");
    TREE_WIDE(t, "/a/b@1", "reg", 0x123456789, 1);
    tree_bytes(t, "/a", "big", big, sizeof(big));
    tree_str(t, "/", "model", "m");
    CHECK_EQ(tree_phandle(t, "/a/b@1"), 0x8000);
    CHECK_EQ(tree_phandle(t, "/a"), 0x8001);
    blob = tree_blob(t, &len);
    CHECK(len > sizeof(big) && len < sizeof(big) + 1000);
    CHECK_EQ(fdt_check_full(blob, len), 0);
    copy = tree_read(blob, len, &e);
    CHECK_EQ(tree_cell(copy, "/a/b@1", "reg", 1, 0), 0x23456789);
    CHECK_EQ(tree_cell(copy, "/a/b@1", "reg", 4, 77), 77);
    tree_del(copy, "/a");
    CHECK(!tree_has(copy, "/a/b@1"));
    tree_node(copy, "/c");
    tree_free(copy);
    tree_u32(t, "/a", "after", 1); /* and after having been packed */
    CHECK_EQ(tree_cell(t, "/a", "after", 0, 0), 1);
    tree_free(t);
}

TEST(tree, what_is_none_is_refused)
{
    struct err e = {0};
    uint8_t blob[100] = {0xd0, 0x0d, 0xfe, 0xed, [23] = 17};

    CHECK(!tree_read(blob, sizeof(blob), &e));
    CHECK_STR(e.msg, "not a device tree blob");
    blob[23] = 13; /* the version */
    CHECK(!tree_read(blob, sizeof(blob), &e));
    CHECK_STR(e.msg, "device tree blob of version 13: want 17");
}

TEST(arm64_image, header_is_read)
{
    uint8_t h[64] = {0};
    struct arm64_image img;

    CHECK(!arm64_image_parse(h, sizeof(h), &img));
    memcpy(h + 56, "ARM\x64", 4);
    put_le64(h + 8, 0x200000);
    CHECK(arm64_image_parse(h, sizeof(h), &img));
    CHECK_EQ(img.text_offset, 0x80000); /* as old as that: the field is not to be trusted */
    put_le64(h + 16, 0x1000000);
    put_le64(h + 24, 0xa);
    CHECK(arm64_image_parse(h, sizeof(h), &img));
    CHECK_EQ(img.text_offset, 0x200000);
    CHECK_EQ(img.size, 0x1000000);
    CHECK(img.anywhere && !img.big_endian);
    CHECK(!arm64_image_parse(h, 63, &img));
}

static const struct test tests[] = {
    CASE(tree, grows_and_is_read_again),
    CASE(tree, what_is_none_is_refused),
    CASE(arm64_image, header_is_read),
};
TEST_MAIN(tests)
