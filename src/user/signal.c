/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals: the host's handlers, masks and dispositions, delivery (signal(7), rt_sigaction(2)). */
#include "user/sys.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#define HOST_SA_RESTORER 0x04000000
#define HOST_STACK_SIZE  (64 * 1024)
/* What a guest may set in sa_flags: the rest is cleared, as Linux does. */
#define SA_KNOWN                                                                                   \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |            \
     SA_RESETHAND | 0x800 /* SA_EXPOSE_TAGBITS */ | HOST_SA_RESTORER)

static struct proc_sig first_sig;

static void lock(struct proc_sig *ps)
{
    while (__atomic_exchange_n(&ps->lock, 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void unlock(struct proc_sig *ps)
{
    __atomic_store_n(&ps->lock, 0, __ATOMIC_RELEASE);
}

/* --- Host side ---------------------------------------------------------------------------------*/

static bool slot_deliverable(const struct task_sig *s, int slot)
{
    if (!(s->slots & 1u << slot))
        return false;
    return slot == SIG_SLOT_ANY || !(s->mask & SIG_BIT(s->info[slot].si_signo));
}

static void update_pending(struct task_sig *s)
{
    s->pending = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a handler from here on sets it again */
    for (int i = 0; i < SIG_SLOTS; i++)
        if (slot_deliverable(s, i))
            s->pending = 1;
}

/* Takes one signal; afterwards none can come (but SIGSEGV, SIGBUS, SIGFPE sent by somebody) until it is
 * delivered: we return to a mask with all others blocked. */
static void queue_signal(struct task *t, const siginfo_t *info, ucontext_t *uc)
{
    struct task_sig *s = t->sig;
    int sig = info->si_signo;
    int slot = sig == SIGSEGV ? SIG_SLOT_SEGV : sig == SIGBUS ? SIG_SLOT_BUS
             : sig == SIGFPE ? SIG_SLOT_FPE : SIG_SLOT_ANY;
    uint64_t all = ~SIG_SYNC;
    greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];

    if (s->slots & 1u << slot)
        return; /* a second SIGSEGV merges with the first */
    s->info[slot] = *info;
    __atomic_or_fetch(&s->slots, 1u << slot, __ATOMIC_RELAXED);
    if (!slot_deliverable(s, slot))
        return;
    if (slot == SIG_SLOT_ANY) {
        memcpy(&uc->uc_sigmask, &all, sizeof(all));
        s->host_mask = all;
    }
    s->pending = 1;
    if (*rip >= (greg_t)safe_syscall_start && *rip < (greg_t)safe_syscall_end)
        *rip = (greg_t)safe_syscall_interrupted;
    cpu_kick(t->cpu);
    cpu_interrupt_call(t->cpu, uc);
}

/* A signal with a fault's code that somebody sent (rt_sigqueueinfo(2) to oneself): it comes as a system
 * call returns, where nothing can fault. */
static bool was_sent(const ucontext_t *uc)
{
    const char *rip = (const char *)uc->uc_mcontext.gregs[REG_RIP];

    return rip == safe_syscall_end || rip == host_syscall_end;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    int saved = errno;
    struct task *t = task_self;

    if ((SIG_BIT(sig) & SIG_SYNC) && info->si_code > 0 && !was_sent(context)) {
        if (!cpu_self || !cpu_host_fault(cpu_self, sig, info, context)) {
            const ucontext_t *uc = context;

            bug("signal %d at host address %#llx, accessing %p", sig,
                (unsigned long long)uc->uc_mcontext.gregs[REG_RIP], info->si_addr);
        }
    } else if (t) {
        queue_signal(t, info, context);
    }
    errno = saved;
}

/* rt_sigaction of the host; struct guest_sigaction has the host's layout as well. */
static long host_action(int sig, const struct guest_sigaction *sa, struct guest_sigaction *old)
{
    return HOST(__NR_rt_sigaction, sig, sa, old, 8);
}

static long host_install(int sig, const struct guest_sigaction *sa, struct guest_sigaction *old)
{
    struct guest_sigaction h = *sa;

    if ((SIG_BIT(sig) & SIG_SYNC) || sa->handler > HANDLER_IGN) {
        h.handler = (uint64_t)on_signal;
        h.flags = (sa->flags & (SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT)) | SA_SIGINFO |
                  SA_ONSTACK | HOST_SA_RESTORER;
        h.restorer = (uint64_t)host_sigreturn;
        h.mask = ~0ull;
    }
    return host_action(sig, &h, old);
}

static void take_over(int sig)
{
    static const struct guest_sigaction none;
    struct guest_sigaction old = {0};

    host_install(sig, &none, &old);
    first_sig.action[sig].sa.handler = old.handler == HANDLER_IGN ? HANDLER_IGN : HANDLER_DFL;
    first_sig.action[sig].known = true;
}

void signal_init(struct process *p)
{
    p->sig = &first_sig;
    take_over(SIGSEGV);
    take_over(SIGBUS);
    take_over(SIGFPE);
}

/* The first pthread_create() of the host's C library takes signals that are the guest's library's. */
void signal_reclaim(struct process *p)
{
    static bool done;

    for (int sig = 32; sig <= 33 && !done; sig++)
        host_install(sig, &p->sig->action[sig].sa, NULL); /* all zero, the default, if not known */
    done = true;
}

int signal_thread_init(struct task *t)
{
    size_t size = HOST_STACK_SIZE + getauxval(51 /* AT_MINSIGSTKSZ */);
    stack_t ss = {.ss_sp = malloc(size), .ss_size = size};

    if (!ss.ss_sp)
        return -ENOMEM;
    t->sig->host_stack = ss.ss_sp;
    t->sig->alt.flags = SS_DISABLE;
    return (int)HOST(__NR_sigaltstack, &ss, 0);
}

void signal_thread_end(struct task *t)
{
    stack_t ss = {.ss_flags = SS_DISABLE};

    HOST(__NR_sigaltstack, &ss, 0);
    free(t->sig->host_stack);
}

static void host_set_mask(struct task_sig *s, uint64_t mask)
{
    s->host_mask = mask; /* before: a handler may run as the call returns */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    HOST(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
}

void signal_block_all(struct task *t)
{
    host_set_mask(t->sig, ~SIG_SYNC);
}

/* While the any-slot is taken the host's mask stays full: the slot holds one. */
void signal_sync(struct task *t)
{
    struct task_sig *s = t->sig;
    uint64_t want = s->mask & ~SIG_SYNC;

    if (!(s->slots & 1u << SIG_SLOT_ANY) && s->host_mask != want)
        host_set_mask(s, want);
}

void signal_set_mask(struct task *t, uint64_t mask)
{
    t->sig->mask = mask & ~SIG_NEVER;
    update_pending(t->sig);
    signal_sync(t);
}

/* --- Delivery ----------------------------------------------------------------------------------*/

_Noreturn void signal_die(struct task *t, int sig)
{
    static const struct guest_sigaction dfl;
    uint64_t mask = ~SIG_BIT(sig);

    if (gdb_active)
        gdb_exit(t->proc, sig, true);
    HOST(__NR_prctl, PR_SET_DUMPABLE, 0); /* the core would be ours, not the guest's */
    host_action(sig, &dfl, NULL);
    HOST(__NR_tgkill, getpid(), HOST(__NR_gettid), sig);
    HOST(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
    for (;;)
        HOST(__NR_exit_group, 128 + sig);
}

/* The action for @sig; one with SA_RESETHAND is used up. */
static struct guest_sigaction take_action(struct task *t, int sig)
{
    struct proc_sig *ps = t->proc->sig;
    struct guest_sigaction sa, *live = &ps->action[sig].sa;

    lock(ps);
    sa = *live;
    if (sa.handler > HANDLER_IGN && (sa.flags & SA_RESETHAND)) {
        live->handler = HANDLER_DFL;
        host_install(sig, live, NULL);
    }
    unlock(ps);
    return sa;
}

static void enter_handler(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info)
{
    struct task_sig *s = t->sig;
    int sig = info->si_signo;
    uint64_t mask = s->waiting ? s->wait_mask : s->mask;

    if (!t->proc->abi->signal.push(t, sa, info, s->mask)) {
        if (sig == SIGSEGV)
            signal_die(t, sig);
        signal_fault(t, SIGSEGV, SI_KERNEL, 0, 0);
        return;
    }
    s->waiting = false;
    s->mask = (mask | sa->mask | (sa->flags & SA_NODEFER ? 0 : SIG_BIT(sig))) & ~SIG_NEVER;
}

static void deliver(struct task *t, siginfo_t *info)
{
    struct guest_sigaction sa;

    if (gdb_active) {
        info->si_signo = gdb_signal(t, info->si_signo);
        if (info->si_signo == 0)
            return;
    }
    if (t->proc->opts.strace || (t->proc->opts.log & LOG_INT))
        strace_signal(t, info);
    sa = take_action(t, info->si_signo);
    if (sa.handler > HANDLER_IGN)
        enter_handler(t, &sa, info);
    else if (sa.handler == HANDLER_DFL && (SIG_BIT(info->si_signo) & SIG_SYNC))
        signal_die(t, info->si_signo);
    else if (sa.handler == HANDLER_DFL) /* set meanwhile: the host's default is the right one */
        HOST(__NR_tgkill, getpid(), t->tid, info->si_signo);
}

void signal_deliver(struct task *t)
{
    struct task_sig *s = t->sig;

    while (s->pending) {
        siginfo_t info;
        int slot = 0;

        while (slot < SIG_SLOTS - 1 && !slot_deliverable(s, slot))
            slot++;
        info = s->info[slot];
        __atomic_and_fetch(&s->slots, ~(1u << slot), __ATOMIC_RELAXED);
        deliver(t, &info);
        update_pending(s);
        signal_sync(t);
    }
    s->waiting = false;
}

void signal_fault(struct task *t, int sig, int code, uint64_t addr, uint64_t esr)
{
    siginfo_t info = {.si_signo = sig, .si_code = code};
    struct task_sig *s = t->sig;
    struct guest_sigaction sa;

    info.si_addr = (void *)addr;
    if (gdb_active && !(sig = info.si_signo = gdb_signal(t, sig)))
        return;
    if (t->proc->opts.strace || (t->proc->opts.log & LOG_INT))
        strace_signal(t, &info);
    if (s->mask & SIG_BIT(sig))
        signal_die(t, sig);
    sa = take_action(t, sig);
    if (sa.handler <= HANDLER_IGN || !t->proc->sig->action[sig].known)
        signal_die(t, sig);
    s->fault_addr = esr ? addr : 0;
    s->esr = esr;
    enter_handler(t, &sa, &info);
    s->fault_addr = s->esr = 0;
    signal_sync(t);
}

int signal_wait_mask(struct task *t, uint64_t set, uint64_t size)
{
    struct task_sig *s = t->sig;

    s->wait_mask = s->mask;
    if (!set)
        return 0;
    if (size != 8)
        return -EINVAL;
    return guest_read(t->cpu, &s->wait_mask, set, 8);
}

uint64_t signal_status(struct process *p, const char *name, uint64_t host)
{
    uint64_t sync = 0;

    for (int sig = 1; sig <= NSIG_GUEST; sig++) {
        uint64_t handler = p->sig->action[sig].sa.handler, bit = SIG_BIT(sig) & SIG_SYNC;

        if (strncmp(name, "SigCgt", 6) == 0)
            sync |= handler > HANDLER_IGN ? bit : 0;
        else if (strncmp(name, "SigIgn", 6) == 0)
            sync |= handler == HANDLER_IGN ? bit : 0;
        else if (strncmp(name, "SigBlk", 6) == 0 && task_self)
            sync |= task_self->sig->mask & bit;
        else
            return host;
    }
    return (host & ~SIG_SYNC) | sync;
}

/* --- exec and fork -----------------------------------------------------------------------------*/

void signal_lock(struct process *p, bool on)
{
    if (on)
        lock(p->sig);
    else
        unlock(p->sig);
}

void signal_before_exec(struct task *t)
{
    static const struct guest_sigaction ign = {.handler = HANDLER_IGN};

    for (int sig = SIGBUS; sig <= SIGSEGV; sig++)
        if ((SIG_BIT(sig) & SIG_SYNC) && t->proc->sig->action[sig].sa.handler == HANDLER_IGN)
            host_action(sig, &ign, NULL);
    if (t->sig->mask & SIG_SYNC)
        host_set_mask(t->sig, t->sig->mask);
}

void signal_exec_failed(struct task *t)
{
    signal_sync(t);
    host_install(SIGSEGV, &t->proc->sig->action[SIGSEGV].sa, NULL);
    host_install(SIGBUS, &t->proc->sig->action[SIGBUS].sa, NULL);
    host_install(SIGFPE, &t->proc->sig->action[SIGFPE].sa, NULL);
}

void signal_clear_handlers(struct task *t)
{
    static const struct guest_sigaction dfl;
    struct proc_sig *ps = t->proc->sig;

    for (int sig = 1; sig <= NSIG_GUEST; sig++)
        if (ps->action[sig].known && ps->action[sig].sa.handler > HANDLER_IGN) {
            ps->action[sig].sa = dfl;
            host_install(sig, &dfl, NULL);
        }
}

/* --- System calls ------------------------------------------------------------------------------*/

/* A signal that is ignored now is no longer pending anywhere (signal(7)); the host does the same. */
static void drop_slot(void *opaque, struct task *t)
{
    int sig = *(const int *)opaque;

    for (int i = SIG_SLOT_SEGV; i < SIG_SLOTS; i++)
        if (t->sig->info[i].si_signo == sig)
            __atomic_and_fetch(&t->sig->slots, ~(1u << i), __ATOMIC_RELAXED);
}

static int set_action(struct task *t, int sig, const struct guest_sigaction *sa,
                      struct guest_sigaction *old)
{
    struct proc_sig *ps = t->proc->sig;
    struct guest_sigaction host_old = {0};
    long r = 0;

    lock(ps);
    if (!ps->action[sig].known)
        r = host_action(sig, NULL, &host_old);
    *old = ps->action[sig].known ? ps->action[sig].sa : host_old;
    if (sa && r == 0) {
        ps->action[sig].sa = *sa;
        ps->action[sig].known = true;
        r = host_install(sig, sa, NULL);
    }
    unlock(ps);
    if (sa && sa->handler == HANDLER_IGN && (SIG_BIT(sig) & SIG_SYNC))
        task_each(t->proc, drop_slot, &sig);
    return (int)r;
}

int signal_set_action(struct task *t, int sig, const struct guest_sigaction *new, struct guest_sigaction *old)
{
    struct guest_sigaction sa;

    *old = (struct guest_sigaction){0};
    if (sig < 1 || sig > NSIG_GUEST || (new && (SIG_BIT(sig) & SIG_NEVER)))
        return -EINVAL;
    if (!new)
        return set_action(t, sig, NULL, old);
    sa = *new;
    sa.flags &= SA_KNOWN;
    sa.mask &= ~SIG_NEVER;
    return set_action(t, sig, &sa, old);
}

long sys_rt_sigaction(struct task *t, const uint64_t *a)
{
    struct guest_sigaction sa, old;
    int r;

    if (a[3] != 8)
        return -EINVAL;
    if (a[1] && (r = guest_read(t->cpu, &sa, a[1], sizeof(sa))) < 0)
        return r;
    if ((r = signal_set_action(t, (int)a[0], a[1] ? &sa : NULL, &old)) < 0)
        return r;
    return a[2] ? guest_write(t->cpu, a[2], &old, sizeof(old)) : 0;
}

long sys_rt_sigprocmask(struct task *t, const uint64_t *a)
{
    uint64_t set, mask = t->sig->mask, old = mask;
    int r;

    if (a[3] != 8)
        return -EINVAL;
    if (a[1]) {
        if ((r = guest_read(t->cpu, &set, a[1], 8)) < 0)
            return r;
        switch ((int)a[0]) {
        case SIG_BLOCK: mask |= set; break;
        case SIG_UNBLOCK: mask &= ~set; break;
        case SIG_SETMASK: mask = set; break;
        default: return -EINVAL;
        }
        signal_set_mask(t, mask);
    }
    return a[2] ? guest_write(t->cpu, a[2], &old, 8) : 0;
}

long sys_rt_sigpending(struct task *t, const uint64_t *a)
{
    uint64_t set = 0;
    int r;

    if (a[1] > 8)
        return -EINVAL;
    if ((r = (int)HOST(__NR_rt_sigpending, &set, 8)) < 0)
        return r;
    for (int i = 0; i < SIG_SLOTS; i++)
        if (t->sig->slots & 1u << i)
            set |= SIG_BIT(t->sig->info[i].si_signo);
    return guest_write(t->cpu, a[0], &set, a[1]);
}

/* What is blocked waits in the host, but for the signals that we never block there. */
long signal_wait_for(struct task *t, uint64_t set, siginfo_t *info, const struct timespec *timeout)
{
    struct task_sig *s = t->sig;

    for (int i = SIG_SLOT_SEGV; i < SIG_SLOTS; i++) {
        *info = s->info[i];
        if (!(s->slots & 1u << i) || !(set & SIG_BIT(info->si_signo)))
            continue;
        __atomic_and_fetch(&s->slots, ~(1u << i), __ATOMIC_RELAXED);
        return info->si_signo;
    }
    return HOST_WAIT(t, __NR_rt_sigtimedwait, &set, info, timeout, 8);
}

long sys_rt_sigtimedwait(struct task *t, const uint64_t *a)
{
    struct timespec ts;
    siginfo_t info;
    uint64_t set;
    long r;

    if (a[3] != 8)
        return -EINVAL;
    if (guest_read(t->cpu, &set, a[0], 8) < 0 || (a[2] && guest_read(t->cpu, &ts, a[2], sizeof(ts)) < 0))
        return -EFAULT;
    r = signal_wait_for(t, set, &info, a[2] ? &ts : NULL);
    return r > 0 && a[1] && guest_write(t->cpu, a[1], &info, sizeof(info)) < 0 ? -EFAULT : r;
}

long sys_rt_sigsuspend(struct task *t, const uint64_t *a)
{
    uint64_t mask;
    long r;

    if ((r = a[1] == 8 ? guest_read(t->cpu, &mask, a[0], 8) : -EINVAL) < 0)
        return r;
    return signal_suspend(t, mask);
}

long signal_suspend(struct task *t, uint64_t mask)
{
    long r;

    t->sig->wait_mask = mask;
    mask &= ~SIG_SYNC;
    r = HOST_WAIT(t, __NR_rt_sigsuspend, &mask, 8);
    t->sig->waiting = r == -EINTR && t->sig->pending;
    return r;
}

long sys_rt_sigreturn(struct task *t, const uint64_t *a)
{
    uint64_t mask;

    if (t->proc->abi->signal.pop(t, &mask))
        signal_set_mask(t, mask);
    else
        signal_fault(t, SIGSEGV, SEGV_MAPERR, t->proc->abi->cpu.sp(t->cpu), 0);
    return SYS_QUIET;
}

int signal_change_stack(struct task *t, const struct guest_stack *new, struct guest_stack *old)
{
    uint64_t sp = t->proc->abi->cpu.sp(t->cpu);

    *old = t->sig->alt;
    old->flags &= (int32_t)SS_AUTODISARM;
    old->flags |= old->size == 0 ? SS_DISABLE : stack_on_alt(t->sig, sp) ? SS_ONSTACK : 0;
    old->pad = 0;
    return new ? stack_set(t, new, true) : 0;
}

long sys_sigaltstack(struct task *t, const uint64_t *a)
{
    struct guest_stack st, old;
    int r;

    if (a[0] && (r = guest_read(t->cpu, &st, a[0], sizeof(st))) < 0)
        return r;
    if ((r = signal_change_stack(t, a[0] ? &st : NULL, &old)) < 0)
        return r;
    return a[1] ? guest_write(t->cpu, a[1], &old, sizeof(old)) : 0;
}
