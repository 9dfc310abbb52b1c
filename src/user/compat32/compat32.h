/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Structures of 32-bit little-endian guests, and what its files share.  Source: the uapi headers of Linux, and the layouts that
 * include/linux/compat.h's documentation (syscall(2), "Architecture-specific requirements") promises.
 *
 * Each function reads a guest structure once, checks it, and makes the host's call with its own.
 */
#ifndef USER_COMPAT32_H
#define USER_COMPAT32_H

#include "user/sys.h"

#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

/* 64-bit numbers in structures of an architecture that aligns them to four bytes. */
typedef uint64_t u64_4 __attribute__((aligned(4)));
typedef int64_t s64_4 __attribute__((aligned(4)));

struct timespec32 {
    int32_t sec, nsec;
};
struct timeval32 {
    int32_t sec, usec;
};
struct iovec32 {
    uint32_t base, len;
};

/* --- time32.c --- */

/** get_timespec32 - *@p becomes @ts read from @addr, NULL when that is 0; 0 or -EFAULT.  put_: when @addr is not 0. */
int get_timespec32(struct task *t, uint64_t addr, struct timespec *ts, struct timespec **p);
int put_timespec32(struct task *t, uint64_t addr, const struct timespec *ts);
int get_timeval32(struct task *t, uint64_t addr, struct timeval *tv, struct timeval **p);
int put_timeval32(struct task *t, uint64_t addr, const struct timeval *tv);

/* --- file32.c --- */

/** put_stat64_32 - struct stat64 (struct abi_call, put_stat). */
long put_stat64_32(struct task *t, uint64_t addr, const struct stat *st);

/* --- io32.c --- */

/** get_iovec32 - @n of them at @addr as the host's into @out (IOV_MAX); 0 or a negative errno. */
int get_iovec32(struct task *t, uint64_t addr, uint64_t n, struct iovec *out);

/* --- signal32.c --- */

struct siginfo32 {
    int32_t signo, error, code;
    uint32_t field[29];
};
_Static_assert(sizeof(struct siginfo32) == 128, "siginfo_t");

void siginfo_to_32(struct siginfo32 *out, const siginfo_t *in);
void siginfo_from_32(siginfo_t *out, const struct siginfo32 *in);

struct stack32 {
    uint32_t sp;
    int32_t flags;
    uint32_t size;
};

/* --- sigevent: time32.c --- */

/** get_sigevent32 - as above, 0: NULL. */
int get_sigevent32(struct task *t, uint64_t addr, struct sigevent *ev, struct sigevent **p);

/** pair32 - a number in two arguments, the low half first. */
static inline uint64_t pair32(uint64_t low, uint64_t high)
{
    return (uint32_t)low | high << 32;
}

#endif
