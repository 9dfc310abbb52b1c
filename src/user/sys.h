/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the system call, signal, thread and main loop files of the Linux personality share.
 * What depends on the guest's architecture is behind struct user_abi; layouts here are those of 64-bit Linux.
 */
#ifndef USER_SYS_H
#define USER_SYS_H

#include "user/abi.h"
#include "user/user.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* --- The table: syscall.c ----------------------------------------------------------------------*/

/* What a call may return besides a result: neither is seen by the guest. */
#define SYS_RESTART (-512L) /* a signal comes first: deliver it, execute the instruction again */
#define SYS_QUIET   (-600L) /* registers are as they shall be (sigreturn, exit) */

/** sys_fn - one system call; @a: its arguments.  Returns a result or a negative errno. */
typedef long sys_fn(struct task *t, const uint64_t *a);

struct sys_row {
    const char *name;
    const char *kinds; /* letters of syscalls.def */
    sys_fn *fn;        /* NULL: pass-through */
    int host;          /* host's number, or the negative errno of a refusal */
};

/** sys_row - the table's row for a guest's number, NULL when there is no such call. */
const struct sys_row *sys_row(const struct user_abi *abi, uint64_t nr);
/** sys_dispatch - make the system call that the guest's registers ask for. */
long sys_dispatch(struct task *t);
/** sys_pass - make the host's call of @row. */
long sys_pass(struct task *t, const struct sys_row *row, const uint64_t *a);

#define PASS(nr, name, kinds)
#define SAME(nr, name, kinds)
#define CALL(nr, name, kinds) sys_fn sys_##name;
#define REFUSE(nr, name, kinds, err)
#include "user/arm64/syscalls.def"
#include "user/x86_64/syscalls.def"
#define CALL32(nr, name, kinds) sys_fn sys32_##name;
#define ALIAS(nr, name, other, kinds)
#define HOSTAS(nr, name, other, kinds)
#include "user/i386/syscalls.def"
#undef CALL32
#undef ALIAS
#undef HOSTAS
#undef PASS
#undef SAME
#undef CALL
#undef REFUSE

/* --- Host calls: safe_syscall.S ----------------------------------------------------------------*/

/** safe_syscall - a host call that is not entered once *@pending is set: SYS_RESTART then. */
long safe_syscall(const volatile int *pending, long nr, long a0, long a1, long a2, long a3, long a4,
                  long a5);
extern const char safe_syscall_start[], safe_syscall_end[], safe_syscall_interrupted[];
extern const char host_syscall_end[]; /* as a call returns */
/** host_syscall - a host call; a negative errno on failure. */
long host_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5);
void host_sigreturn(void);

#define HOST_6(nr, a, b, c, d, e, f, ...)                                                          \
    (nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)
/* HOST - a host call that does not wait; HOST_WAIT - one that signals interrupt. */
#define HOST(...)         host_syscall(HOST_6(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0))
#define HOST_WAIT(t, ...) safe_syscall(&(t)->sig->pending, HOST_6(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0))

/** host_addr - the host's address of a guest pointer; NULL stays NULL. */
static inline long host_addr(struct task *t, uint64_t addr)
{
    return addr ? (long)guest_ptr(t->cpu, addr) : 0;
}

/** rebase_call, rebase_ioctl - with a guest base: the calls whose structures have pointers in them;
 * REBASE_NONE: it is none of these. */
#define REBASE_NONE (-601L)
long rebase_call(struct task *t, const struct sys_row *row, const uint64_t *a);
long rebase_ioctl(struct task *t, const uint64_t *a);
/** rebase_events - the @n struct io_event at @addr, as the host wrote them; returns @n. */
long rebase_events(struct task *t, uint64_t addr, long n);
/** submit_request - the struct iocb at @addr to the host's @context: 1, or a negative errno.  @take_vector - @n (at most IOV_MAX) of
 * the guest's struct iovec as the host's; 0 or a negative errno. */
long submit_request(struct task *t, uint64_t context, uint64_t addr,
                    int (*take_vector)(struct task *t, uint64_t addr, uint64_t n, struct iovec *out));

/** sys_path - the path at guest address @addr into @buf (PATH_MAX bytes): 0 or a negative errno. */
int sys_path(struct task *t, uint64_t addr, char *buf);

/** sys_open_flags - O_* of the guest as the host's; the same function converts back. */
static inline uint64_t sys_open_flags(const struct task *t, uint64_t f)
{
    if (!t->proc->abi->call.arm_open)
        return f;
    /* Directory, NoFollow, Direct, LargeFile: bits 14, 15, 16, 17 here, 16, 17, 14, 15 there. */
    return (f & ~0740000ull) | (f & 0140000) << 2 | (f & 0600000) >> 2;
}

/* What calls share with those of other layouts: all as the host has it. */
struct statfs;
struct rlimit;
struct utsname;
long sys_stat_path(struct task *t, uint64_t dirfd, uint64_t path, uint64_t flags, struct stat *st);
long sys_statfs_path(struct task *t, uint64_t path, struct statfs *out);
int sys_get_limit(struct task *t, uint64_t which, struct rlimit *out);
int sys_set_limit(struct task *t, uint64_t which, const struct rlimit *in);
long sys_get_uname(struct task *t, struct utsname *u);
/** sys_change_rights - the host's call @nr, after which the process may have other rights. */
long sys_change_rights(struct task *t, long nr, long a, long b, long c);

/* Host descriptors that the guest must not close or replace. */
bool sys_fd_is_ours(const struct task *t, int fd);

/* --- strace.c ----------------------------------------------------------------------------------*/

/** strace_enter, strace_leave - print a call before and after it. */
void strace_enter(struct task *t, const struct sys_row *row, uint64_t nr, const uint64_t *a);
void strace_leave(struct task *t, const struct sys_row *row, const uint64_t *a, long r);
void strace_signal(struct task *t, const siginfo_t *info);
/** log_line - one line to the log, in one write. */
void log_line(struct process *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- Signals: signal.c (host side, calls), frames by the architecture (guest's stack) ------------
 *
 * The host's signal mask is the guest's (but SIGSEGV, SIGBUS and SIGFPE are never blocked), so what is
 * pending stays in the kernel, in order.  A host handler takes one signal, blocks all others by
 * way of its own return, sets @pending and kicks the CPU; the main loop builds the guest's frame
 * and then sets the mask that the guest's handler runs with.
 */

#define NSIG_GUEST 64

/* struct sigaction as 64-bit Linux has it. */
struct guest_sigaction {
    uint64_t handler, flags, restorer, mask;
};

struct guest_stack {
    uint64_t sp;
    int32_t flags;
    int32_t pad;
    uint64_t size;
};

enum { SIG_SLOT_ANY, SIG_SLOT_SEGV, SIG_SLOT_BUS, SIG_SLOT_FPE, SIG_SLOTS };

struct task_sig {
    volatile int pending;         /* some slot is taken and can be delivered */
    volatile uint32_t slots;      /* bit mask of taken slots */
    uint64_t mask;                /* the guest's */
    uint64_t host_mask;           /* what the host's is, as far as we know */
    uint64_t wait_mask;           /* of sigsuspend, ppoll ...: in force while waiting */
    bool waiting;                 /* the call just made waited with wait_mask */
    struct guest_stack alt;       /* sigaltstack */
    uint64_t fault_addr, esr;     /* of the synchronous exception being delivered, 0: none */
    siginfo_t info[SIG_SLOTS];
    void *host_stack;             /* handlers run there */
};

struct proc_sig {
    int lock; /* of action[] */
    struct {
        struct guest_sigaction sa;
        bool known; /* the guest has set it; else the host knows */
    } action[NSIG_GUEST + 1];
};

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif
#define SIG_BIT(s)  (1ull << ((s)-1))
#define SIG_SYNC    (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGFPE)) /* never blocked at the host */
#define SIG_NEVER   (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
#define HANDLER_DFL 0ull
#define HANDLER_IGN 1ull

/** signal_thread_init, signal_thread_end - alternate stack of a host thread; all signals are
 * blocked while they run. */
int signal_thread_init(struct task *t);
/** signal_reclaim - after a pthread_create(): undoes what the C library set up for itself. */
void signal_reclaim(struct process *p);
void signal_thread_end(struct task *t);
/** signal_block_all - nothing reaches us until signal_sync. */
void signal_block_all(struct task *t);
/** signal_sync - set the host's mask to the guest's. */
void signal_sync(struct task *t);
/** signal_set_mask - the guest's mask, also at the host. */
void signal_set_mask(struct task *t, uint64_t mask);
/** signal_deliver - deliver what is pending. */
void signal_deliver(struct task *t);
/** signal_fault - a synchronous exception of the guest: deliver it, or end the process. */
void signal_fault(struct task *t, int sig, int code, uint64_t addr, uint64_t esr);
/** signal_die - end the process by @sig. */
_Noreturn void signal_die(struct task *t, int sig);
/** signal_wait_mask - remember the mask at guest address @set (0: none) for the call to come. */
int signal_wait_mask(struct task *t, uint64_t set, uint64_t size);
/** signal_waited - its result @r: notes that a signal ended a wait under that mask, on which its handler's mask builds.  Returns @r. */
long signal_waited(struct task *t, long r);

/** signal_set_action, signal_change_stack - sigaction(2), sigaltstack(2); @new NULL: only tell.  signal_suspend - sigsuspend(2).
 * signal_wait_for - sigtimedwait(2): the signal, and *@info. */
int signal_set_action(struct task *t, int sig, const struct guest_sigaction *new, struct guest_sigaction *old);
int signal_change_stack(struct task *t, const struct guest_stack *new, struct guest_stack *old);
long signal_suspend(struct task *t, uint64_t mask);
long signal_wait_for(struct task *t, uint64_t set, siginfo_t *info, const struct timespec *timeout);

/** signal_lock - hold the dispositions still, around fork. */
void signal_lock(struct process *p, bool on);

/** signal_clear_handlers - CLONE_CLEAR_SIGHAND: the child starts without handlers. */
void signal_clear_handlers(struct task *t);

/** stack_on_alt - whether @sp is on the alternate stack. */
bool stack_on_alt(const struct task_sig *s, uint64_t sp);
int stack_set(struct task *t, const struct guest_stack *st, bool check_size);
/** stack_for - below where a frame for that handler goes: the alternate stack, or @sp. */
uint64_t stack_for(const struct task *t, const struct guest_sigaction *sa, uint64_t sp);
/** stack_used - a handler has been entered: the alternate stack is disarmed, if it asked for that. */
void stack_used(struct task *t);

/** task_get_robust_list - get_robust_list(2), in words of @word bytes. */
long task_get_robust_list(struct task *t, const uint64_t *a, unsigned word);

/* --- Tasks: task.c -----------------------------------------------------------------------------*/

extern __thread struct task *task_self __attribute__((tls_model("initial-exec")));

/** task_save - this process is about to end or, not @ends, to become another program: the translation
 * cache gets what is new. */
void task_save(struct task *t, bool ends);
/** task_exit_process - exit_group. */
_Noreturn void task_exit_process(struct task *t, int status);
/** task_run_watched - cpu_run() that waits while the debugger holds all threads. */
enum cpu_stop task_run_watched(struct task *t);

#endif
