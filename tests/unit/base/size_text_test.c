/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"
#include "base/size_text.h"
#include "tests/test.h"

static uint64_t parsed(const char *text)
{
    uint64_t v = 0;

    return size_parse(text, 1, &v, ERR_IGNORE) < 0 ? 12345 : v;
}

TEST(size_text, suffixes_are_powers_of_1024)
{
    CHECK_EQ(parsed("64M"), 64 * MiB);
    CHECK_EQ(parsed("1.5k"), 1536);
    CHECK_EQ(parsed("0x200"), 512);
    CHECK_EQ(parsed("7"), 7);
    CHECK_EQ(parsed("15E"), UINT64_C(15) << 60);
}

TEST(size_text, what_is_no_size_is_refused)
{
    CHECK_EQ(parsed("16E"), 12345);
    CHECK_EQ(parsed("-1"), 12345);
    CHECK_EQ(parsed("1X"), 12345);
    CHECK_EQ(parsed("1.5"), 12345);
    CHECK_EQ(parsed(""), 12345);
    CHECK_EQ(parsed("1MB"), 12345);
}

TEST(size_text, three_digits_and_a_unit)
{
    char buf[SIZE_TEXT_MAX];

    CHECK_STR(size_text(0, buf), "0 B");
    CHECK_STR(size_text(200704, buf), "196 KiB");
    CHECK_STR(size_text(2379776, buf), "2.27 MiB");
    CHECK_STR(size_text(67108864, buf), "64 MiB");
}

TEST(bytes, one_bit_is_not_zero)
{
    unsigned char b[100] = {0};

    CHECK(bytes_zero(b, sizeof(b)) && bytes_zero(b, 0));
    for (size_t i = 0; i < sizeof(b); i++) {
        b[i] = 1;
        CHECK(!bytes_zero(b, sizeof(b)));
        b[i] = 0;
    }
}

static const struct test tests[] = {
    CASE(size_text, suffixes_are_powers_of_1024),
    CASE(size_text, what_is_no_size_is_refused),
    CASE(size_text, three_digits_and_a_unit),
    CASE(bytes, one_bit_is_not_zero),
};
TEST_MAIN(tests)
