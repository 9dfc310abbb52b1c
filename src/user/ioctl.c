/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioctl(2): the families in ioctls.def go to the host, others give ENOTTY. */
#include "user/sys.h"

static bool known(unsigned type)
{
    switch (type) {
#define IOCTL(type, what) case type:
#include "user/ioctls.def"
#undef IOCTL
        return true;
    default:
        return false;
    }
}

/* Some requests carry a number where others have a pointer; numbers are small, and nothing can be
 * mapped down there. */
static long argument(struct task *t, uint64_t arg)
{
    return arg < 65536 ? (long)arg : host_addr(t, arg);
}

long sys_ioctl(struct task *t, const uint64_t *a)
{
    uint32_t request = (uint32_t)a[1];
    long r;

    if (sys_fd_is_ours(t, (int)a[0]))
        return -EBADF;
    if (!known(request >> 8 & 0xff)) {
        if (t->proc->opts.strace || (t->proc->opts.log & LOG_UNIMP))
            log_line(t->proc, "%d ioctl request %#x is not known", t->tid, request);
        return -ENOTTY;
    }
    if (t->proc->guest_base && (r = rebase_ioctl(t, a)) != REBASE_NONE)
        return r;
    return HOST_WAIT(t, __NR_ioctl, a[0], request, argument(t, a[2]));
}
