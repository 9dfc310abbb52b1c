/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/exec.h: options survive their way through the environment of an execve. */
#include "user/exec.h"
#include "tests/test.h"

#include <errno.h>

static const char *value(char *variable)
{
    return strchr(variable, '=') + 1;
}

TEST(handover, every_option_arrives)
{
    struct handover a = {.fd = 7, .self_fd = 1000, .name = "/odd;name=%41\n",
                         .opts = {.prefix = "/a b", .cpu = "max", .uname = "6.1", .log = 0x81,
                                  .log_file = "/tmp/%d", .stack_size = 1 << 20, .strace = true,
                                  .engine = ENGINE_INTERP, .have_seed = true, .seed = 5, .limits = {1, 2, 0, 4},
                                  .tcache = "/home/a b/;c"}};
    struct handover b = {.fd = -1};
    char *text = handover_write(&a);

    if (!CHECK(text != NULL))
        return;
    CHECK(!strchr(text, '\n'));
    CHECK_EQ(handover_read(&b, value(text)), 0);
    CHECK_EQ(b.fd, 7);
    CHECK_EQ(b.self_fd, 1000);
    CHECK_STR(b.name, a.name);
    CHECK_STR(b.opts.prefix, "/a b");
    CHECK_STR(b.opts.cpu, "max");
    CHECK_STR(b.opts.uname, "6.1");
    CHECK_STR(b.opts.log_file, "/tmp/%d");
    CHECK_EQ(b.opts.log, 0x81);
    CHECK_EQ(b.opts.stack_size, 1 << 20);
    CHECK_EQ(b.opts.engine, ENGINE_INTERP);
    CHECK(b.opts.strace && b.opts.have_seed && !b.opts.one_insn && !b.opts.have_guest_base);
    CHECK_EQ(b.opts.seed, 5);
    CHECK_MEM(b.opts.limits, a.opts.limits, sizeof(a.opts.limits));
    CHECK_STR(b.opts.tcache, a.opts.tcache);
    free(text);
}

TEST(handover, no_prefix_stays_none)
{
    struct handover a = {.fd = 3, .self_fd = -1, .name = "x"}, b = {.opts = {.prefix = "/old"}};
    char *text = handover_write(&a);

    CHECK_EQ(handover_read(&b, value(text)), 0);
    CHECK(b.opts.prefix == NULL);
    CHECK_EQ(b.self_fd, -1);
    free(text);
}

TEST(handover, nonsense_is_refused)
{
    static const char *const bad[] = {"", "1", "fd=3;", "name=x;", "fd=3;name=x;what=1;",
                                      "fd=3;name=%4;", "fd=3;name", "fd=-2;name=x"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct handover b = {.fd = 0};

        if (!CHECK_EQ(handover_read(&b, bad[i]), -EINVAL))
            printf("  of \"%s\"\n", bad[i]);
    }
}

static const struct test tests[] = {
    CASE(handover, every_option_arrives),
    CASE(handover, no_prefix_stays_none),
    CASE(handover, nonsense_is_refused),
};
TEST_MAIN(tests)
