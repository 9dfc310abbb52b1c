/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/err.h: messages are written once and wrapped on the way up. */
#include <errno.h>

#include "base/err.h"
#include "tests/test.h"

TEST(err, set_keeps_code_and_message)
{
    struct err e = {0};

    CHECK_EQ(err_set(&e, -EILSEQ, "block size %d", 3), -EILSEQ);
    CHECK_EQ(e.code, -EILSEQ);
    CHECK_STR(e.msg, "block size 3");
}

TEST(err, wrap_puts_the_context_in_front)
{
    struct err e = {0};

    err_set(&e, -ENOENT, "no such file");
    CHECK_EQ(err_wrap(&e, e.code, "image '%s'", "a.img"), -ENOENT);
    CHECK_STR(e.msg, "image 'a.img': no such file");
}

TEST(err, long_messages_are_cut)
{
    struct err e = {0};
    char text[2 * sizeof(e.msg)];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    err_set(&e, -EINVAL, "%s", text);
    CHECK_EQ(strlen(e.msg), sizeof(e.msg) - 1);
    err_wrap(&e, e.code, "while testing");
    CHECK_EQ(strncmp(e.msg, "while testing: xxx", 18), 0);
    CHECK(strlen(e.msg) < sizeof(e.msg));
}

static const struct test tests[] = {
    CASE(err, set_keeps_code_and_message),
    CASE(err, wrap_puts_the_context_in_front),
    CASE(err, long_messages_are_cut),
};
TEST_MAIN(tests)
