/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of system calls, and the conversions that need no guest. */
#include "tests/test.h"
#include "user/compat32/compat32.h"
#include "user/sys.h"

#include <string.h>

static const struct user_abi *arm64(void)
{
    return abi_find("aarch64", 7);
}

static uint64_t open_flags(const struct user_abi *abi, uint64_t f)
{
    struct process p = {.abi = abi};
    struct task t = {.proc = &p};

    return sys_open_flags(&t, f);
}

TEST(calls, rows_are_found_by_the_guests_number)
{
    CHECK_STR(sys_row(arm64(), 56)->name, "openat");
    CHECK_STR(sys_row(arm64(), 220)->name, "clone");
    CHECK_STR(sys_row(arm64(), 462)->name, "mseal");
    CHECK_EQ(sys_row(arm64(), 63)->host, 0); /* read */
    CHECK(!sys_row(arm64(), 295) && !sys_row(arm64(), 10000) && !sys_row(arm64(), ~0ull));
}

TEST(calls, x86_has_numbers_of_its_own)
{
    const struct user_abi *x64 = abi_find("x86_64", 6), *x32 = abi_find("i386", 4);

    CHECK_STR(sys_row(x64, 0)->name, "read");
    CHECK_STR(sys_row(x64, 56)->name, "clone");
    CHECK_EQ(sys_row(x64, 231)->fn, sys_exit_group);
    CHECK_STR(sys_row(x32, 3)->name, "read");
    CHECK_EQ(sys_row(x32, 3)->host, 0);
    CHECK_STR(sys_row(x32, 192)->name, "mmap2");
    CHECK_EQ(sys_row(x32, 201)->host, __NR_geteuid); /* geteuid32 */
    CHECK_EQ(sys_row(x32, 422)->fn, sys_futex);      /* futex_time64 */
    CHECK_EQ(sys_row(x32, 240)->fn, sys32_futex);
    CHECK_EQ(open_flags(x64, 0200000), 0200000);
}

TEST(calls, siginfo_of_32_bits_has_the_same_in_it)
{
    siginfo_t h = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
    struct siginfo32 g;

    h.si_addr = (void *)0x12345678;
    siginfo_to_32(&g, &h);
    CHECK(g.signo == SIGSEGV && g.code == SEGV_MAPERR && g.field[0] == 0x12345678);
    memset(&h, 0, sizeof(h));
    h.si_signo = SIGCHLD, h.si_code = CLD_EXITED, h.si_pid = 77, h.si_uid = 5, h.si_status = 3, h.si_utime = 9, h.si_stime = 8;
    siginfo_to_32(&g, &h);
    CHECK(g.field[0] == 77 && g.field[1] == 5 && g.field[2] == 3 && g.field[3] == 9 && g.field[4] == 8);
    memset(&h, 0, sizeof(h));
    h.si_signo = SIGRTMIN, h.si_code = SI_QUEUE, h.si_pid = 6, h.si_ptr = (void *)0x89abcdef;
    siginfo_to_32(&g, &h);
    siginfo_from_32(&h, &g);
    CHECK(h.si_signo == SIGRTMIN && h.si_pid == 6 && (uintptr_t)h.si_ptr == 0x89abcdef);
}

TEST(calls, every_row_does_something_and_says_what_it_takes)
{
    for (unsigned i = 0; abi_at(i); i++) {
        for (uint64_t nr = 0; nr < 512; nr++) {
            const struct sys_row *r = sys_row(abi_at(i), nr);
            size_t n = r ? strcspn(r->kinds, "=") : 0;

            if (!r)
                continue;
            if (!CHECK(n <= 6 && strspn(r->kinds, "duxfaoqgwpmctkySBWTVAIMNP") == n))
                printf("%s %s\n", abi_at(i)->name, r->name);
            CHECK(!r->fn || r->host == 0);
        }
    }
}

TEST(calls, open_flags_convert_both_ways)
{
    CHECK_EQ(open_flags(arm64(), 040000), 0200000);  /* O_DIRECTORY */
    CHECK_EQ(open_flags(arm64(), 0100000), 0400000); /* O_NOFOLLOW */
    CHECK_EQ(open_flags(arm64(), 0200000), 040000);  /* O_DIRECT */
    CHECK_EQ(open_flags(arm64(), 0400000), 0100000); /* O_LARGEFILE */
    CHECK_EQ(open_flags(arm64(), 02004101), 02004101);
    for (uint64_t f = 1; f < 1 << 25; f <<= 1)
        CHECK_EQ(open_flags(arm64(), open_flags(arm64(), f)), f);
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

TEST(calls, an_architecture_is_found_by_name_and_by_program)
{
    const uint8_t head[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 2, 0, 183};
    uint8_t big[64];

    CHECK_EQ(abi_of_file(head, sizeof(head)), arm64());
    CHECK(!abi_find("aarch6", 6) && !abi_find("aarch64x", 8) && !abi_of_file(head, 10));
    memcpy(big, head, sizeof(big));
    big[5] = 2;
    CHECK(!abi_of_file(big, sizeof(big)));
}

static const struct test tests[] = {
    CASE(calls, x86_has_numbers_of_its_own),
    CASE(calls, siginfo_of_32_bits_has_the_same_in_it),
    CASE(calls, an_architecture_is_found_by_name_and_by_program),
    CASE(calls, rows_are_found_by_the_guests_number),
    CASE(calls, every_row_does_something_and_says_what_it_takes),
    CASE(calls, open_flags_convert_both_ways),
    CASE(calls, a_host_call_is_not_made_once_a_signal_is_pending),
};
TEST_MAIN(tests)
