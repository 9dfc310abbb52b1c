/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that shares its parent's memory and runs beside it: clone(2) with CLONE_VM and without
 * CLONE_THREAD.
 *
 * Its host thread needs thread-local storage, which only the C library can make.  So a helper, a thread
 * of the parent, makes one, and the child borrows it, as a vfork child borrows its parent's: the kernel
 * holds the helper until the child executes a program or ends.  Then the helper tidies up.
 */
#include "user/task_priv.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct share {
    struct task *t;           /* the child's; the helper frees it */
    struct process proc;      /* the child's, with its dispositions */
    struct proc_sig sig;
    struct request q;
    long result;              /* for the parent, once @known */
    int known;                /* [atomic] a futex the parent waits for */
};

static void tell(struct share *s, long result)
{
    s->result = result;
    __atomic_store_n(&s->known, 1, __ATOMIC_RELEASE);
    HOST(__NR_futex, &s->known, FUTEX_WAKE_PRIVATE, 1);
}

static int child(void *arg)
{
    struct share *s = arg;
    struct task *t = s->t;

    t->tid = getpid();
    if (s->q.flags & CLONE_PARENT_SETTID)
        guest_write(t->cpu, s->q.parent_tid, &t->tid, 4);
    if (!(s->q.flags & CLONE_VFORK))
        tell(s, t->tid);
    signal_sync(t);
    user_loop(t);
    return 0;
}

/* On the helper: returns when the child has left our memory, or was not made. */
static long run_child(struct share *s)
{
    struct task *t = s->t;
    uint64_t ours = CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND;
    int flags = (int)((s->q.flags & ~ours) | CLONE_VFORK | s->q.exit_signal);
    char *stack = mmap(NULL, HOST_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    long pid;

    if (stack == MAP_FAILED)
        return -ENOMEM;
    pid = clone(child, stack + HOST_STACK, flags, s, host_addr(t, s->q.pidfd), NULL,
                host_addr(t, s->q.child_tid));
    if (pid < 0)
        pid = -errno;
    munmap(stack, HOST_STACK);
    for (int i = 0; i < 3; i++)
        free(t->exec_memory[i]);
    return pid;
}

static void *helper(void *arg)
{
    struct share *s = arg;
    struct task *t = s->t;
    struct guest_stack alt = t->sig->alt;
    bool waits = s->q.flags & CLONE_VFORK, last;
    uint64_t all = ~0ull;
    long r;

    HOST(__NR_rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
    t->sig->host_mask = all;
    task_self = t;
    r = signal_thread_init(t);
    if (waits)
        t->sig->alt = alt; /* Linux keeps it for these only */
    if (r == 0)
        r = run_child(s);
    task_self = NULL;
    last = task_list_del(t);
    signal_thread_end(t);
    cpu_free(t->cpu);
    task_free(t);
    if (r < 0 || waits)
        tell(s, r);
    else if (last) /* otherwise threads of the child still use it */
        free(s);
    return NULL;
}

static int start_helper(struct share *s)
{
    pthread_attr_t attr;
    pthread_t id;
    int r;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, HOST_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    r = pthread_create(&id, &attr, helper, s);
    pthread_attr_destroy(&attr);
    return r ? -EAGAIN : 0;
}

/* The child as its task sees it: a process of its own with our memory. */
static void fill(struct share *s, struct task *t, const struct request *q)
{
    struct task *n = s->t;

    s->q = *q;
    s->proc = *t->proc;
    if (!(q->flags & CLONE_SIGHAND)) {
        signal_lock(t->proc, true);
        s->sig = *t->proc->sig;
        signal_lock(t->proc, false);
        s->sig.lock = 0;
        s->proc.sig = &s->sig;
    }
    n->proc = &s->proc;
    n->vfork_child = n->process_main = true;
    n->clear_child_tid = 0; /* the kernel does it */
    if (q->flags & CLONE_VFORK)
        n->sig->alt = t->sig->alt;
}

static long wait_known(struct share *s)
{
    while (!__atomic_load_n(&s->known, __ATOMIC_ACQUIRE))
        HOST(__NR_futex, &s->known, FUTEX_WAIT_PRIVATE, 0, 0);
    return s->result;
}

long task_share(struct task *t, const struct request *q)
{
    struct share *s;
    long r;

    if ((q->flags & CLONE_PIDFD) && (q->flags & CLONE_PARENT_SETTID) && q->pidfd == q->parent_tid)
        return -EINVAL;
    if (q->flags & CLONE_CLEAR_SIGHAND)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s || !(s->t = task_for_thread(t, q))) {
        free(s);
        return -ENOMEM;
    }
    fill(s, t, q);
    task_list_add(s->t);
    r = start_helper(s);
    t->sig->host_mask = SIG_NEVER; /* not known: the first pthread_create() unblocks some */
    if (r < 0) {
        task_list_del(s->t);
        cpu_free(s->t->cpu);
        task_free(s->t);
        free(s);
        return r;
    }
    signal_reclaim(t->proc);
    r = wait_known(s);
    if (r < 0 || (q->flags & CLONE_VFORK))
        free(s);
    return r;
}
