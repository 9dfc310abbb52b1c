/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of system calls, and the conversions that need no guest. */
#include "tests/test.h"
#include "user/sys.h"

TEST(calls, rows_are_found_by_the_guests_number)
{
    CHECK_STR(sys_row(56)->name, "openat");
    CHECK_STR(sys_row(220)->name, "clone");
    CHECK_STR(sys_row(462)->name, "mseal");
    CHECK_EQ(sys_row(63)->host, 0); /* read */
    CHECK(!sys_row(295) && !sys_row(10000) && !sys_row(~0ull));
}

TEST(calls, every_row_does_something_and_says_what_it_takes)
{
    for (uint64_t nr = 0; nr < 512; nr++) {
        const struct sys_row *r = sys_row(nr);
        size_t n = r ? strcspn(r->kinds, "=") : 0;

        if (!r)
            continue;
        if (!CHECK(n <= 6 && strspn(r->kinds, "duxfaoqgwpmctkySBWTVAIMNP") == n))
            printf("%s\n", r->name);
        CHECK(!r->fn || r->host == 0);
    }
}

TEST(calls, open_flags_convert_both_ways)
{
    CHECK_EQ(sys_open_flags(040000), 0200000);  /* O_DIRECTORY */
    CHECK_EQ(sys_open_flags(0100000), 0400000); /* O_NOFOLLOW */
    CHECK_EQ(sys_open_flags(0200000), 040000);  /* O_DIRECT */
    CHECK_EQ(sys_open_flags(0400000), 0100000); /* O_LARGEFILE */
    CHECK_EQ(sys_open_flags(02004101), 02004101);
    for (uint64_t f = 1; f < 1 << 25; f <<= 1)
        CHECK_EQ(sys_open_flags(sys_open_flags(f)), f);
}

TEST(calls, a_host_call_is_not_made_once_a_signal_is_pending)
{
    volatile int pending = 0;

    CHECK_EQ(safe_syscall(&pending, __NR_getpid, 0, 0, 0, 0, 0, 0), getpid());
    CHECK_EQ(safe_syscall(&pending, __NR_close, -1, 0, 0, 0, 0, 0), -EBADF);
    pending = 1;
    CHECK_EQ(safe_syscall(&pending, __NR_getpid, 0, 0, 0, 0, 0, 0), SYS_RESTART);
    CHECK_EQ(HOST(__NR_getpid), getpid());
}

static const struct test tests[] = {
    CASE(calls, rows_are_found_by_the_guests_number),
    CASE(calls, every_row_does_something_and_says_what_it_takes),
    CASE(calls, open_flags_convert_both_ways),
    CASE(calls, a_host_call_is_not_made_once_a_signal_is_pending),
};
TEST_MAIN(tests)
