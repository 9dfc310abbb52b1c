/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest may know and set about itself: uname, limits, prctl. */
#include "user/sys.h"

#include <linux/prctl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

long sys_get_uname(struct task *t, struct utsname *u)
{
    long r = HOST(__NR_uname, u);

    if (r < 0)
        return r;
    memset(u->machine, 0, sizeof(u->machine));
    strcpy(u->machine, t->proc->abi->uname);
    if (t->proc->opts.uname) {
        memset(u->release, 0, sizeof(u->release));
        strncpy(u->release, t->proc->opts.uname, sizeof(u->release) - 1);
    }
    return 0;
}

long sys_uname(struct task *t, const uint64_t *a)
{
    struct utsname u;
    long r = sys_get_uname(t, &u);

    return r < 0 ? r : guest_write(t->cpu, a[0], &u, sizeof(u));
}

/* --- Limits ------------------------------------------------------------------------------------
 * RLIMIT_AS and RLIMIT_DATA would count our own memory: the host is not told, mm.c enforces them. */

/* Where the guest's own limit is kept, NULL: the host has it. */
static uint64_t *own_limit(struct process *p, uint64_t which)
{
    return which == RLIMIT_AS ? &p->opts.limits[0] : which == RLIMIT_DATA ? &p->opts.limits[2] : NULL;
}

int sys_get_limit(struct task *t, uint64_t which, struct rlimit *out)
{
    const uint64_t *own = own_limit(t->proc, which);
    int r = (int)HOST(__NR_prlimit64, 0, which, 0, out);

    if (r < 0 || !own)
        return r;
    if (own[0])
        out->rlim_cur = own[0] - 1;
    if (own[1])
        out->rlim_max = own[1] - 1;
    return 0;
}

int sys_set_limit(struct task *t, uint64_t which, const struct rlimit *in)
{
    uint64_t *own = own_limit(t->proc, which);
    struct rlimit old;
    int r;

    if (!own) {
        r = (int)HOST(__NR_prlimit64, 0, which, in, 0);
        if (r == 0 && which == RLIMIT_STACK)
            mm_stack_limit(user_proc(), in->rlim_cur);
        return r;
    }
    if ((r = sys_get_limit(t, which, &old)) < 0)
        return r;
    if (in->rlim_cur > in->rlim_max)
        return -EINVAL;
    if (in->rlim_max > old.rlim_max)
        return -EPERM;
    own[0] = in->rlim_cur + 1; /* none wraps to 0 */
    own[1] = in->rlim_max + 1;
    return 0;
}

static long limits(struct task *t, uint64_t which, uint64_t in, uint64_t out)
{
    struct rlimit new, old;
    long r;

    if (in && (r = guest_read(t->cpu, &new, in, sizeof(new))) < 0)
        return r;
    if ((r = sys_get_limit(t, which, &old)) < 0)
        return r;
    if (in && (r = sys_set_limit(t, which, &new)) < 0)
        return r;
    return out ? guest_write(t->cpu, out, &old, sizeof(old)) : 0;
}

long sys_prlimit64(struct task *t, const uint64_t *a)
{
    if ((pid_t)a[0] != 0 && (pid_t)a[0] != t->tid)
        return HOST(__NR_prlimit64, a[0], a[1], host_addr(t, a[2]), host_addr(t, a[3]));
    return limits(t, (uint32_t)a[1], a[2], a[3]);
}

long sys_getrlimit(struct task *t, const uint64_t *a)
{
    struct rlimit old;
    int r = sys_get_limit(t, (uint32_t)a[0], &old);

    return r < 0 ? r : guest_write(t->cpu, a[1], &old, sizeof(old));
}

long sys_setrlimit(struct task *t, const uint64_t *a)
{
    struct rlimit new;
    int r = guest_read(t->cpu, &new, a[1], sizeof(new));

    return r < 0 ? r : sys_set_limit(t, (uint32_t)a[0], &new);
}

/* --- prctl -------------------------------------------------------------------------------------*/

/* Address arguments among those that pass: the first one, for these options. */
static bool prctl_takes_pointer(int option)
{
    return option == PR_GET_PDEATHSIG || option == PR_SET_NAME || option == PR_GET_NAME ||
           option == PR_GET_CHILD_SUBREAPER;
}

static long prctl_host(struct task *t, const uint64_t *a)
{
    int option = (int)a[0];

    return HOST(__NR_prctl, option, prctl_takes_pointer(option) ? host_addr(t, a[1]) : (long)a[1],
                a[2], a[3], a[4]);
}

long sys_prctl(struct task *t, const uint64_t *a)
{
    switch ((int)a[0]) {
    case PR_SET_PDEATHSIG:
    case PR_GET_PDEATHSIG:
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_GET_TIMING:
    case PR_SET_TIMING:
    case PR_SET_NAME:
    case PR_GET_NAME:
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
    case PR_GET_SECUREBITS:
    case PR_SET_SECUREBITS:
    case PR_GET_TIMERSLACK:
    case PR_SET_TIMERSLACK:
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
    case PR_MCE_KILL:
    case PR_MCE_KILL_GET:
    case PR_SET_PTRACER:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_CHILD_SUBREAPER:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_THP_DISABLE:
    case PR_GET_THP_DISABLE:
    case PR_CAP_AMBIENT:
    case PR_SET_IO_FLUSHER:
    case PR_GET_IO_FLUSHER:
    case PR_GET_SPECULATION_CTRL:
    case PR_SET_SPECULATION_CTRL:
    case PR_SET_MEMORY_MERGE:
    case PR_GET_MEMORY_MERGE:
        return prctl_host(t, a);
    case PR_GET_SECCOMP:
        return 0;
    case PR_GET_TID_ADDRESS:
        return guest_write(t->cpu, a[1], &t->clear_child_tid, t->proc->abi->word);
    case PR_SET_MDWE:
    case PR_GET_MDWE:
    case PR_SET_SECCOMP: /* filters speak of the guest's calls: the host must not see them */
    case PR_SET_MM:
    case PR_SET_SYSCALL_USER_DISPATCH:
        return -EINVAL;
    default:
        return t->proc->abi->call.prctl ? t->proc->abi->call.prctl(t, a) : -EINVAL;
    }
}
