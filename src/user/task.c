/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest threads and processes: clone(2), clone3(2), fork, vfork, exit.  A guest thread is a host
 * thread; a guest process is a host process; tids are the host's.
 */
#include "user/task_priv.h"

#include "cpu/tcache.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(addr, size) ((void)0)
#endif

/* What a thread shares with the others whatever we do: a plain fork() has none of these flags. */
#define CLONE_TIDS (CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS)
#define CLONE_ARGS_SIZE_VER0 64

__thread struct task *task_self;

static struct task *tasks;
static int tasks_lock;
static int stop_request;        /* the debugger holds all but ... [atomic] */
static struct task *stopper;    /* ... this one */

static void lock_tasks(void)
{
    while (__atomic_exchange_n(&tasks_lock, 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void unlock_tasks(void)
{
    __atomic_store_n(&tasks_lock, 0, __ATOMIC_RELEASE);
}

void task_list_add(struct task *t)
{
    lock_tasks();
    t->next = tasks;
    tasks = t;
    unlock_tasks();
}

bool task_list_del(struct task *t)
{
    bool last = true;

    lock_tasks();
    for (struct task **p = &tasks; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    for (const struct task *o = tasks; o; o = o->next)
        last &= o->proc != t->proc;
    unlock_tasks();
    return last;
}

void task_each(struct process *p, void (*cb)(void *opaque, struct task *t), void *opaque)
{
    lock_tasks();
    for (struct task *t = tasks; t; t = t->next)
        if (t->proc == p)
            cb(opaque, t);
    unlock_tasks();
}

void task_kick_all(void)
{
    lock_tasks();
    for (struct task *t = tasks; t; t = t->next)
        cpu_kick(t->cpu);
    unlock_tasks();
}

static struct task *task_new(struct process *p, struct cpu *cpu)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t || !(t->sig = calloc(1, sizeof(*t->sig)))) {
        free(t);
        return NULL;
    }
    t->cpu = cpu;
    t->proc = p;
    cpu->owner = t;
    return t;
}

void task_free(struct task *t)
{
    free(t->sig);
    free(t);
}

struct task *task_first(struct process *p, struct cpu *cpu)
{
    struct task *t = task_new(p, cpu);

    if (!t || signal_thread_init(t) < 0)
        return NULL;
    t->tid = getpid();
    t->process_main = true;
    HOST(__NR_rt_sigprocmask, SIG_SETMASK, 0, &t->sig->mask, 8);
    t->sig->host_mask = t->sig->mask;
    task_self = t;
    task_list_add(t);
    signal_sync(t);
    return t;
}

/* --- The debugger holds all threads ------------------------------------------------------------*/

static bool must_stop(const struct task *t)
{
    return __atomic_load_n(&stop_request, __ATOMIC_SEQ_CST) && stopper != t;
}

enum cpu_stop task_run_watched(struct task *t)
{
    enum cpu_stop stop;

    __atomic_store_n(&t->in_guest, true, __ATOMIC_SEQ_CST);
    while (must_stop(t)) {
        __atomic_store_n(&t->in_guest, false, __ATOMIC_SEQ_CST);
        HOST(__NR_futex, &stop_request, FUTEX_WAIT_PRIVATE, 1, 0);
        if (t->sig->pending)
            signal_deliver(t);
        __atomic_store_n(&t->in_guest, true, __ATOMIC_SEQ_CST);
    }
    stop = cpu_run(t->cpu);
    __atomic_store_n(&t->in_guest, false, __ATOMIC_SEQ_CST);
    return stop;
}

void task_stop_others(struct task *t)
{
    stopper = t;
    __atomic_store_n(&stop_request, 1, __ATOMIC_SEQ_CST);
    lock_tasks();
    for (struct task *o = tasks; o; o = o->next) {
        if (o == t)
            continue;
        cpu_kick(o->cpu);
        while (__atomic_load_n(&o->in_guest, __ATOMIC_SEQ_CST))
            sched_yield();
    }
    unlock_tasks();
}

void task_resume_others(struct task *t)
{
    __atomic_store_n(&stop_request, 0, __ATOMIC_SEQ_CST);
    HOST(__NR_futex, &stop_request, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

/* --- Ending ------------------------------------------------------------------------------------*/

static void log_tcache(struct process *p)
{
    uint32_t read, translated;

    engine_tcache_counts(p->engine, &read, &translated);
    dprintf(p->log_fd, "tcache: %u regions read, %u translated\n", read, translated);
}

void task_save(struct task *t, bool ends)
{
    if (!t->proc->tcache || t->vfork_child)
        return;
    if (t->proc->opts.log & LOG_TCACHE)
        log_tcache(t->proc);
    if (tasks && tasks->next) { /* others must not meet the descriptors that are open meanwhile */
        if (!ends || HOST(__NR_unshare, CLONE_FILES) < 0)
            return;
    }
    engine_save(t->proc->engine);
}

_Noreturn void task_exit_process(struct task *t, int status)
{
    if (gdb_active)
        gdb_exit(t->proc, status, false);
    task_save(t, true);
    for (;;)
        HOST(__NR_exit_group, status);
}

/* Marks one robust futex's owner dead, as the kernel would (set_robust_list(2)). */
static void robust_dead(struct task *t, uint64_t addr, bool pi)
{
    uint32_t *futex = guest_ptr(t->cpu, addr);
    uint32_t v, want;

    if ((addr & 3) || guest_read(t->cpu, &v, addr, 4) < 0)
        return;
    do {
        if ((v & FUTEX_TID_MASK) != (uint32_t)t->tid)
            return;
        want = (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    } while (!__atomic_compare_exchange_n(futex, &v, want, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
    if (!pi && (v & FUTEX_WAITERS))
        HOST(__NR_futex, futex, FUTEX_WAKE, 1);
}

/* The list's head: its first entry, the offset of futexes (signed), the entry being changed. */
static int read_robust_head(struct task *t, uint64_t head[3])
{
    int32_t small[3];
    int r;

    if (t->proc->abi->word == 8)
        return guest_read(t->cpu, head, t->robust_list, 24);
    r = guest_read(t->cpu, small, t->robust_list, sizeof(small));
    head[0] = (uint32_t)small[0];
    head[1] = (uint64_t)small[1];
    head[2] = (uint32_t)small[2];
    return r;
}

static void robust_exit(struct task *t)
{
    unsigned word = t->proc->abi->word;
    uint64_t head[3], entry;

    if (!t->robust_list || read_robust_head(t, head) < 0)
        return;
    entry = head[0];
    for (int limit = 2048; limit > 0 && (entry & ~1ull) != t->robust_list; limit--) {
        uint64_t next = 0;

        if (guest_read(t->cpu, &next, entry & ~1ull, word) < 0)
            break;
        if (entry != head[2])
            robust_dead(t, (entry & ~1ull) + head[1], entry & 1);
        entry = next;
    }
    if (head[2])
        robust_dead(t, (head[2] & ~1ull) + head[1], head[2] & 1);
    t->robust_list = 0;
    HOST(__NR_set_robust_list, 0, 24); /* or the host would look at memory the guest reuses */
}

static void clear_tid(struct task *t)
{
    uint32_t zero = 0;

    if (t->clear_child_tid && guest_write(t->cpu, t->clear_child_tid, &zero, 4) == 0)
        HOST(__NR_futex, host_addr(t, t->clear_child_tid), FUTEX_WAKE, 1);
    t->clear_child_tid = 0;
}

long sys_exit(struct task *t, const uint64_t *a)
{
    int status = (int)a[0];

    signal_block_all(t);
    if (task_list_del(t))
        task_exit_process(t, status);
    robust_exit(t);
    clear_tid(t);
    if (t->process_main) {
        for (;;)
            HOST(__NR_exit, status);
    }
    t->exiting = true;
    return SYS_QUIET;
}

long sys_exit_group(struct task *t, const uint64_t *a)
{
    task_exit_process(t, (int)a[0]);
}

/* --- Making tasks ------------------------------------------------------------------------------*/

static uint64_t new_sp(const struct request *q)
{
    return q->stack ? q->stack + q->stack_size : 0;
}

/* What the child sees as clone returns. */
static void child_regs(struct cpu *cpu, const struct request *q)
{
    const struct user_abi *abi = user_proc()->abi;

    abi->call.give(cpu, 0);
    if (q->stack)
        abi->cpu.set_sp(cpu, new_sp(q));
    if (q->flags & CLONE_SETTLS)
        abi->cpu.set_tls(cpu, q->tls);
}

/* What the guest's child of a fork finds: one task, nothing pending. */
static void become_child(struct task *t, const struct request *q)
{
    t->tid = (pid_t)HOST(__NR_gettid);
    t->process_main = true;
    t->vfork_child = false;
    t->next = NULL;
    tasks = t;
    tasks_lock = 0;
    t->proc->sig->lock = 0;
    t->sig->slots = 0;
    t->sig->pending = 0;
    t->clear_child_tid = q->flags & CLONE_CHILD_CLEARTID ? q->child_tid : 0;
    t->robust_list = 0;
    child_regs(t->cpu, q);
}

/* --- Threads */

/* What a new host thread is given; it frees it. */
struct start {
    struct task *t;
    struct request q;
    int go; /* START_*: the thread waits until its tid is known and written [atomic] */
};

enum { START_HELD, START_WAITED_FOR, START_GO };

static void write_tid(struct task *t, uint64_t addr)
{
    guest_write(t->cpu, addr, &t->tid, 4);
}

/* Mostly there is nothing to wait for: the creator runs on while this thread is being set up. */
static void wait_for_go(struct start *st)
{
    int held = START_HELD;

    if (__atomic_compare_exchange_n(&st->go, &held, START_WAITED_FOR, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&st->go, __ATOMIC_ACQUIRE) != START_GO)
            HOST(__NR_futex, &st->go, FUTEX_WAIT_PRIVATE, START_WAITED_FOR, 0);
}

static void let_go(struct start *st)
{
    if (__atomic_exchange_n(&st->go, START_GO, __ATOMIC_ACQ_REL) == START_WAITED_FOR)
        HOST(__NR_futex, &st->go, FUTEX_WAKE_PRIVATE, 1); /* freed it may be: only an address */
}

static void *thread_main(void *arg)
{
    struct start *st = arg;
    struct task *t = st->t;
    uint64_t unshared = ~st->q.flags & (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM);

    task_self = t;
    signal_thread_init(t);
    if (unshared)
        HOST(__NR_unshare, unshared);
    wait_for_go(st);
    if (st->q.flags & CLONE_CHILD_SETTID)
        write_tid(t, st->q.child_tid);
    free(st);
    signal_sync(t);
    user_loop(t);
    signal_thread_end(t);
    cpu_free(t->cpu);
    task_free(t);
    return NULL;
}

struct task *task_for_thread(struct task *t, const struct request *q)
{
    struct cpu *cpu = cpu_clone(t->cpu);
    struct task *n = cpu ? task_new(t->proc, cpu) : NULL;

    if (!n)
        return NULL;
    child_regs(cpu, q);
    n->clear_child_tid = q->flags & CLONE_CHILD_CLEARTID ? q->child_tid : 0;
    n->sig->mask = t->sig->mask;
    n->sig->host_mask = ~SIG_SYNC;
    return n;
}

/* A detached host thread that is held in wait_for_go(): its tid, or a negative errno. */
static long start_thread(struct start *st)
{
    pthread_attr_t attr;
    clockid_t clock;
    pthread_t id;
    int r;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, HOST_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    r = pthread_create(&id, &attr, thread_main, st);
    pthread_attr_destroy(&attr);
    if (r != 0)
        return -EAGAIN;
    /* The C library tells a thread's tid only through its CPU clock: ~tid in bits 3 and up. */
    if (pthread_getcpuclockid(id, &clock) != 0)
        bug("the C library does not know its new thread");
    return ~(clock >> 3);
}

static long make_thread(struct task *t, const struct request *q)
{
    struct start *st;
    long tid;

    if ((q->flags & (CLONE_SIGHAND | CLONE_VM)) != (CLONE_SIGHAND | CLONE_VM) ||
        (q->flags & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD)))
        return -EINVAL;
    st = calloc(1, sizeof(*st));
    if (!st || !(st->t = task_for_thread(t, q))) {
        free(st);
        return -ENOMEM;
    }
    st->q = *q;
    tid = start_thread(st);
    t->sig->host_mask = SIG_NEVER; /* not known: the first pthread_create() unblocks some */
    if (tid < 0) {
        cpu_free(st->t->cpu);
        task_free(st->t);
        free(st);
        return tid;
    }
    signal_reclaim(t->proc);
    st->t->tid = (pid_t)tid;
    task_list_add(st->t);
    if (q->flags & CLONE_PARENT_SETTID)
        guest_write(t->cpu, q->parent_tid, &st->t->tid, 4);
    let_go(st);
    return tid;
}

/* --- Processes */

/* A raw clone of the process: for flags that fork() has no way to say. */
static long raw_fork(struct task *t, const struct request *q)
{
    struct request h = *q;
    long r;

    h.flags &= ~(CLONE_SETTLS | CLONE_CLEAR_SIGHAND);
    if (h.flags & CLONE_PARENT)
        h.exit_signal = 0; /* what clone3 wants; it is the parent's anyway */
    h.stack = h.stack_size = h.tls = 0;
    h.pidfd = (uint64_t)host_addr(t, q->pidfd);
    h.child_tid = (uint64_t)host_addr(t, q->child_tid);
    h.parent_tid = (uint64_t)host_addr(t, q->parent_tid);
    h.set_tid = (uint64_t)host_addr(t, q->set_tid);
    r = HOST(__NR_clone3, &h, sizeof(h));
    if (r != -ENOSYS || h.set_tid || (h.flags & CLONE_INTO_CGROUP))
        return r;
    return HOST(__NR_clone, h.flags | h.exit_signal, 0,
                h.flags & CLONE_PIDFD ? h.pidfd : h.parent_tid, h.child_tid, 0);
}

static bool fork_will_do(const struct request *q)
{
    return !(q->flags & ~(CLONE_TIDS | CLONE_CLEAR_SIGHAND)) && q->exit_signal == SIGCHLD && !q->set_tid;
}

static void fork_tids(struct task *t, const struct request *q, pid_t pid)
{
    if (pid && (q->flags & CLONE_PARENT_SETTID))
        guest_write(t->cpu, q->parent_tid, &pid, 4);
    if (!pid && (q->flags & CLONE_CHILD_SETTID))
        write_tid(t, q->child_tid);
}

static long make_process(struct task *t, const struct request *q)
{
    struct process *p = t->proc;
    bool plain = fork_will_do(q);
    long pid;

    engine_before_fork(p->engine, !plain); /* first: under its lock others ask mm_fetch */
    mm_before_fork(p);
    lock_tasks();
    signal_lock(p, true);
    pid = plain ? fork() : raw_fork(t, q);
    if (plain && pid < 0)
        pid = -errno;
    signal_lock(p, false);
    unlock_tasks();
    mm_after_fork(p, pid == 0);
    engine_after_fork(p->engine, pid == 0);
    if (pid == 0)
        become_child(t, q);
    if (pid == 0 && (q->flags & CLONE_CLEAR_SIGHAND))
        signal_clear_handlers(t);
    if (plain && pid >= 0)
        fork_tids(t, q, (pid_t)pid);
    signal_sync(t);
    return pid ? pid : SYS_QUIET;
}

/* --- vfork: a process that borrows our memory, and this host thread's thread-local storage, while
 * the kernel holds this thread until the child executes a program or ends. */

struct vfork {
    struct task *parent;
    const struct request *q;
    struct task child; /* its memory is ours: read when it has gone */
};

static int vfork_child(void *arg)
{
    struct vfork *v = arg;
    struct proc_sig sig = *v->parent->proc->sig;
    struct process proc = *v->parent->proc;
    struct task_sig task_sig = *v->parent->sig;
    struct task *t = &v->child;

    *t = *v->parent;
    proc.sig = &sig;
    sig.lock = 0;
    t->proc = &proc;
    t->sig = &task_sig;
    t->vfork_child = true;
    t->robust_list = 0;
    t->clear_child_tid = 0;
    t->tid = getpid();
    t->cpu->owner = t;
    task_self = t;
    child_regs(t->cpu, v->q);
    if (v->q->flags & CLONE_CLEAR_SIGHAND)
        signal_clear_handlers(t);
    signal_sync(t);
    user_loop(t);
    return 0;
}

/* The CPU's registers: the child runs on the same struct cpu, whose caches are warm. */
struct saved_cpu {
    uint8_t guest[CPU_GUEST_MAX];
    struct fp_env fp;
    uint64_t pc;
    uint32_t mode;
};

static void save_cpu(const struct cpu *cpu, struct saved_cpu *s)
{
    memcpy(s->guest, cpu->guest, sizeof(s->guest));
    s->fp = cpu->fp;
    s->pc = cpu->pc;
    s->mode = cpu->mode;
}

static void restore_cpu(struct cpu *cpu, const struct saved_cpu *s)
{
    memcpy(cpu->guest, s->guest, sizeof(s->guest));
    cpu->fp = s->fp;
    cpu->pc = s->pc;
    cpu->mode = s->mode;
}

static long make_vfork(struct task *t, const struct request *q)
{
    struct vfork v = {.parent = t, .q = q};
    struct saved_cpu saved;
    int flags = (int)((q->flags & ~(uint64_t)CLONE_SETTLS) | q->exit_signal);
    char *stack = mmap(NULL, HOST_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    long pid;

    if (stack == MAP_FAILED)
        return -ENOMEM;
    save_cpu(t->cpu, &saved);
    pid = clone(vfork_child, stack + HOST_STACK, flags, &v,
                host_addr(t, q->flags & CLONE_PIDFD ? q->pidfd : q->parent_tid), NULL,
                host_addr(t, q->child_tid));
    if (pid < 0)
        pid = -errno;
    restore_cpu(t->cpu, &saved);
    t->cpu->owner = t;
    task_self = t;
    for (int i = 0; i < 3; i++)
        free(v.child.exec_memory[i]);
    ASAN_UNPOISON_MEMORY_REGION(stack, HOST_STACK); /* the child left its frames by exec or exit */
    munmap(stack, HOST_STACK);
    signal_sync(t);
    return pid;
}

/* What no kind of clone allows (clone(2)). */
static bool flags_are_wrong(uint64_t flags)
{
    return ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM)) ||
           ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND)) ||
           ((flags & CLONE_FS) && (flags & (CLONE_NEWNS | CLONE_NEWUSER)));
}

/* Of the calls that share memory the host's clone3 would need a stack switched by hand. */
static long make_sharing(struct task *t, const struct request *q)
{
    if (q->set_tid || (q->flags & CLONE_INTO_CGROUP))
        return -EINVAL;
    if ((q->flags & CLONE_VFORK) && !(q->flags & CLONE_SIGHAND))
        return make_vfork(t, q);
    engine_alone(t->proc->engine); /* threads of ours end with one of the processes: the other would wait for them */
    return task_share(t, q);
}

static long make_task(struct task *t, const struct request *q)
{
    long r;

    if (flags_are_wrong(q->flags))
        return -EINVAL;
    signal_block_all(t);
    if (t->sig->pending)
        return SYS_RESTART;
    if (!(q->flags & (CLONE_THREAD | CLONE_VM)))
        return make_process(t, q);
    r = q->flags & CLONE_THREAD ? make_thread(t, q) : make_sharing(t, q);
    signal_sync(t);
    return r;
}

long sys_clone(struct task *t, const uint64_t *a)
{
    struct request q = {
        .flags = a[0] & 0xffffff00u,
        .exit_signal = a[0] & 0xff,
        .stack = a[1],
        .pidfd = a[2],
        .parent_tid = a[2],
        .tls = a[t->proc->abi->call.clone_tls_last ? 4 : 3],
        .child_tid = a[t->proc->abi->call.clone_tls_last ? 3 : 4],
    };

    return make_task(t, &q);
}

long sys_fork(struct task *t, const uint64_t *a)
{
    return make_task(t, &(struct request){.exit_signal = SIGCHLD});
}

long sys_vfork(struct task *t, const uint64_t *a)
{
    return make_task(t, &(struct request){.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD});
}

long sys_clone3(struct task *t, const uint64_t *a)
{
    struct request q = {0};
    char extra;
    long r;

    if (a[1] < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    if (a[1] > 4096)
        return -E2BIG;
    if ((r = guest_read(t->cpu, &q, a[0], a[1] < sizeof(q) ? a[1] : sizeof(q))) < 0)
        return r;
    for (uint64_t i = sizeof(q); i < a[1]; i++) {
        if ((r = guest_read(t->cpu, &extra, a[0] + i, 1)) < 0)
            return r;
        if (extra)
            return -E2BIG;
    }
    if ((q.exit_signal & ~0xffull) || !q.stack != !q.stack_size || (q.flags & 0xff))
        return -EINVAL;
    return make_task(t, &q);
}

/* --- Smaller calls -----------------------------------------------------------------------------*/

long sys_set_tid_address(struct task *t, const uint64_t *a)
{
    t->clear_child_tid = a[0];
    return t->tid;
}

long sys_set_robust_list(struct task *t, const uint64_t *a)
{
    if (a[1] != 24)
        return -EINVAL;
    t->robust_list = a[0];
    /* The host's kernel looks at it when the process is killed; it knows no guest base. */
    return t->proc->guest_base ? 0 : HOST(__NR_set_robust_list, a[0], a[1]);
}

/* A task of ours with host id @tid; with the list's lock. */
static const struct task *find_task(pid_t tid)
{
    const struct task *t = tasks;

    while (t && t->tid != tid)
        t = t->next;
    return t;
}

long task_get_robust_list(struct task *t, const uint64_t *a, unsigned word)
{
    uint64_t size = 3 * word, head = t->robust_list;
    const struct task *o = t;

    if (a[0] && (pid_t)a[0] != t->tid) {
        lock_tasks();
        o = find_task((pid_t)a[0]);
        head = o ? o->robust_list : 0;
        unlock_tasks();
    }
    if (!o)
        return HOST(__NR_get_robust_list, a[0], host_addr(t, a[1]), host_addr(t, a[2]));
    if (guest_write(t->cpu, a[1], &head, word) < 0)
        return -EFAULT;
    return guest_write(t->cpu, a[2], &size, word);
}

long sys_get_robust_list(struct task *t, const uint64_t *a)
{
    return task_get_robust_list(t, a, 8);
}
