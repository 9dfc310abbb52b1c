/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals of 32-bit guests: siginfo, actions, masks of one word (sigaction(2), signal(2), sigaltstack(2), rt_sigqueueinfo(2)). */
#include "user/compat32/compat32.h"

#include <string.h>

/* --- siginfo: which fields are there depends on the code and the signal --- */

enum form { FORM_KILL, FORM_TIMER, FORM_QUEUE, FORM_CHILD, FORM_FAULT, FORM_POLL, FORM_SYS };

static enum form form_of(int signo, int code)
{
    if (code == SI_TIMER)
        return FORM_TIMER;
    if (code == SI_SIGIO)
        return FORM_POLL;
    if (code < 0)
        return FORM_QUEUE;
    if (code == SI_USER || code == SI_KERNEL)
        return signo == SIGSEGV || signo == SIGBUS || signo == SIGTRAP || signo == SIGILL || signo == SIGFPE
                   ? (code == SI_USER ? FORM_KILL : FORM_FAULT) : FORM_KILL;
    switch (signo) {
    case SIGCHLD: return FORM_CHILD;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP: return FORM_FAULT;
    case SIGPOLL: return FORM_POLL;
    case SIGSYS: return FORM_SYS;
    default: return FORM_KILL;
    }
}

void siginfo_to_32(struct siginfo32 *g, const siginfo_t *h)
{
    memset(g, 0, sizeof(*g));
    g->signo = h->si_signo;
    g->error = h->si_errno;
    g->code = h->si_code;
    switch (form_of(h->si_signo, h->si_code)) {
    case FORM_TIMER:
        g->field[0] = (uint32_t)h->si_timerid;
        g->field[1] = (uint32_t)h->si_overrun;
        g->field[2] = (uint32_t)(uintptr_t)h->si_ptr;
        break;
    case FORM_POLL:
        g->field[0] = (uint32_t)h->si_band;
        g->field[1] = (uint32_t)h->si_fd;
        break;
    case FORM_FAULT:
        g->field[0] = (uint32_t)(uintptr_t)h->si_addr;
        g->field[1] = (uint16_t)h->si_addr_lsb;
        break;
    case FORM_SYS:
        g->field[0] = (uint32_t)(uintptr_t)h->si_call_addr;
        g->field[1] = (uint32_t)h->si_syscall;
        g->field[2] = h->si_arch;
        break;
    case FORM_CHILD:
        g->field[3] = (uint32_t)h->si_utime;
        g->field[4] = (uint32_t)h->si_stime;
        g->field[2] = (uint32_t)h->si_status;
        g->field[0] = (uint32_t)h->si_pid;
        g->field[1] = h->si_uid;
        break;
    case FORM_QUEUE:
    case FORM_KILL:
        g->field[0] = (uint32_t)h->si_pid;
        g->field[1] = h->si_uid;
        g->field[2] = (uint32_t)(uintptr_t)h->si_ptr;
        break;
    }
}

/* What programs may send themselves: all of a queued one's fields. */
void siginfo_from_32(siginfo_t *h, const struct siginfo32 *g)
{
    memset(h, 0, sizeof(*h));
    h->si_signo = g->signo;
    h->si_errno = g->error;
    h->si_code = g->code;
    h->si_pid = (pid_t)g->field[0];
    h->si_uid = g->field[1];
    h->si_ptr = (void *)(uintptr_t)g->field[2];
}

/* --- Actions --- */

struct sigaction32 {
    uint32_t handler, flags, restorer;
    u64_4 mask;
};
struct old_sigaction32 {
    uint32_t handler, mask, flags, restorer;
};

static long act(struct task *t, int sig, const struct guest_sigaction *new, struct guest_sigaction *old)
{
    return signal_set_action(t, sig, new, old);
}

long sys32_rt_sigaction(struct task *t, const uint64_t *a)
{
    struct guest_sigaction new, old;
    struct sigaction32 g;
    long r;

    if (a[3] != 8)
        return -EINVAL;
    if (a[1] && guest_read(t->cpu, &g, a[1], sizeof(g)) < 0)
        return -EFAULT;
    if (a[1])
        new = (struct guest_sigaction){g.handler, g.flags, g.restorer, g.mask};
    if ((r = act(t, (int)a[0], a[1] ? &new : NULL, &old)) < 0)
        return r;
    g = (struct sigaction32){(uint32_t)old.handler, (uint32_t)old.flags, (uint32_t)old.restorer, old.mask};
    return a[2] ? guest_write(t->cpu, a[2], &g, sizeof(g)) : 0;
}

long sys32_sigaction(struct task *t, const uint64_t *a)
{
    struct guest_sigaction new, old;
    struct old_sigaction32 g;
    long r;

    if (a[1] && guest_read(t->cpu, &g, a[1], sizeof(g)) < 0)
        return -EFAULT;
    if (a[1])
        new = (struct guest_sigaction){g.handler, g.flags, g.restorer, g.mask};
    if ((r = act(t, (int)a[0], a[1] ? &new : NULL, &old)) < 0)
        return r;
    g = (struct old_sigaction32){(uint32_t)old.handler, (uint32_t)old.mask, (uint32_t)old.flags, (uint32_t)old.restorer};
    return a[2] ? guest_write(t->cpu, a[2], &g, sizeof(g)) : 0;
}

long sys32_signal(struct task *t, const uint64_t *a)
{
    struct guest_sigaction new = {.handler = a[1], .flags = SA_RESETHAND | SA_NODEFER}, old;
    long r = act(t, (int)a[0], &new, &old);

    return r < 0 ? r : (long)old.handler;
}

/* --- Masks of one word: the upper half stays --- */

#define LOW 0xffffffffull

long sys32_sigprocmask(struct task *t, const uint64_t *a)
{
    uint64_t mask = t->sig->mask, set;
    uint32_t old = (uint32_t)mask, g;

    if (a[1]) {
        if (guest_read(t->cpu, &g, a[1], 4) < 0)
            return -EFAULT;
        set = g;
        switch ((int)a[0]) {
        case SIG_BLOCK: mask |= set; break;
        case SIG_UNBLOCK: mask &= ~set; break;
        case SIG_SETMASK: mask = (mask & ~LOW) | set; break;
        default: return -EINVAL;
        }
        signal_set_mask(t, mask);
    }
    return a[2] ? guest_write(t->cpu, a[2], &old, 4) : 0;
}

long sys32_sgetmask(struct task *t, const uint64_t *a)
{
    return (uint32_t)t->sig->mask;
}

long sys32_ssetmask(struct task *t, const uint64_t *a)
{
    uint32_t old = (uint32_t)t->sig->mask;

    signal_set_mask(t, (t->sig->mask & ~LOW) | (uint32_t)a[0]);
    return old;
}

long sys32_sigpending(struct task *t, const uint64_t *a)
{
    return sys_rt_sigpending(t, (uint64_t[6]){a[0], 4});
}

long sys32_sigsuspend(struct task *t, const uint64_t *a)
{
    return signal_suspend(t, (uint32_t)a[2]);
}

/* --- The alternate stack --- */

long sys32_sigaltstack(struct task *t, const uint64_t *a)
{
    struct guest_stack new, old;
    struct stack32 g;
    long r;

    if (a[0] && guest_read(t->cpu, &g, a[0], sizeof(g)) < 0)
        return -EFAULT;
    if (a[0])
        new = (struct guest_stack){.sp = g.sp, .flags = g.flags, .size = g.size};
    if ((r = signal_change_stack(t, a[0] ? &new : NULL, &old)) < 0)
        return r;
    g = (struct stack32){(uint32_t)old.sp, old.flags, (uint32_t)old.size};
    return a[1] ? guest_write(t->cpu, a[1], &g, sizeof(g)) : 0;
}

/* --- Sending and waiting --- */

static long queue(struct task *t, int nr, const uint64_t *a, int n)
{
    struct siginfo32 g;
    siginfo_t h;

    if (guest_read(t->cpu, &g, a[n], sizeof(g)) < 0)
        return -EFAULT;
    siginfo_from_32(&h, &g);
    return n == 3 ? HOST(nr, (int)a[0], a[1], a[2], &h) : HOST(nr, (int)a[0], a[1], &h);
}

long sys32_rt_sigqueueinfo(struct task *t, const uint64_t *a)
{
    return queue(t, __NR_rt_sigqueueinfo, a, 2);
}

long sys32_rt_tgsigqueueinfo(struct task *t, const uint64_t *a)
{
    return queue(t, __NR_rt_tgsigqueueinfo, a, 3);
}

static long wait_for(struct task *t, const uint64_t *a, const struct timespec *ts)
{
    struct siginfo32 g;
    siginfo_t h;
    uint64_t set;
    long r;

    if (a[3] != 8)
        return -EINVAL;
    if (guest_read(t->cpu, &set, a[0], 8) < 0)
        return -EFAULT;
    r = signal_wait_for(t, set, &h, ts);
    if (r <= 0 || !a[1])
        return r;
    siginfo_to_32(&g, &h);
    return guest_write(t->cpu, a[1], &g, sizeof(g)) < 0 ? -EFAULT : r;
}

long sys32_rt_sigtimedwait(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    return get_timespec32(t, a[2], &ts, &p) < 0 ? -EFAULT : wait_for(t, a, p);
}

long sys32_rt_sigtimedwait_time64(struct task *t, const uint64_t *a)
{
    struct timespec ts;

    if (a[2] && guest_read(t->cpu, &ts, a[2], sizeof(ts)) < 0)
        return -EFAULT;
    return wait_for(t, a, a[2] ? &ts : NULL);
}
