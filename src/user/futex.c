/* SPDX-License-Identifier: GPL-2.0-or-later */
/* futex(2): thread ids and memory are the host's, so only addresses need converting. */
#include "user/sys.h"

#include <linux/futex.h>

/* Whether the fourth argument is a struct timespec; otherwise it is a second number. */
static bool takes_timeout(int op)
{
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_REQUEUE_PI:
        return true;
    default:
        return false;
    }
}

long sys_futex(struct task *t, const uint64_t *a)
{
    long val2 = takes_timeout((int)a[1]) ? host_addr(t, a[3]) : (long)a[3];

    return HOST_WAIT(t, __NR_futex, host_addr(t, a[0]), a[1], a[2], val2, host_addr(t, a[4]), a[5]);
}
