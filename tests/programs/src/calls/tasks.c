/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads and processes: clone in its forms, exits, futexes, robust mutexes, fork among threads. */
#define _GNU_SOURCE
#include "../../../test.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

static atomic_long total;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long guarded;
static __thread int mine;

static void *work(void *arg)
{
    mine = (int)(intptr_t)arg;
    for (int i = 0; i < 2000; i++) {
        total++;
        pthread_mutex_lock(&mutex);
        guarded++;
        pthread_mutex_unlock(&mutex);
    }
    return (void *)(intptr_t)mine;
}

TEST(tasks, threads_count_together)
{
    pthread_t t[8];
    void *r;

    for (intptr_t i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)i), 0);
    for (intptr_t i = 0; i < 8; i++) {
        pthread_join(t[i], &r);
        CHECK_EQ((intptr_t)r, i);
    }
    CHECK_EQ(total, 16000);
    CHECK_EQ(guarded, 16000);
}

static void *ids(void *arg)
{
    return (void *)(intptr_t)(syscall(SYS_gettid) != getpid() && getpid() == (intptr_t)arg);
}

TEST(tasks, many_threads_one_after_another)
{
    pthread_t t;
    void *r;

    for (int i = 0; i < 300; i++) {
        CHECK_EQ(pthread_create(&t, NULL, ids, (void *)(intptr_t)getpid()), 0);
        pthread_join(t, &r);
        CHECK_EQ((intptr_t)r, 1);
    }
}

static void *outlive(void *arg)
{
    usleep(30000);
    exit(9);
}

TEST(tasks, the_first_thread_may_end_first)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        pthread_t t;

        pthread_create(&t, NULL, outlive, NULL);
        pthread_exit(NULL);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

static pthread_mutex_t robust;
static void *die_holding(void *arg)
{
    pthread_mutex_lock(&robust);
    return NULL;
}

TEST(tasks, robust_mutex_survives_its_owner)
{
    pthread_mutexattr_t a;
    pthread_t t;

    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &a);
    pthread_create(&t, NULL, die_holding, NULL);
    pthread_join(t, NULL);
    CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&robust), 0);
    CHECK_EQ(pthread_mutex_unlock(&robust), 0);
}

TEST(tasks, robust_mutex_survives_a_killed_process)
{
    pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a;
    pid_t pid;

    if (getenv("GUEST_BASE"))
        SKIP("the host's kernel cannot follow the list of a guest that has a base");
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(m, &a);
    if ((pid = fork()) == 0) {
        pthread_mutex_lock(m);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    CHECK_EQ(pthread_mutex_lock(m), EOWNERDEAD);
}

static atomic_int run = 1;
static void *churn(void *arg)
{
    while (run) {
        void *p = malloc(100 + rand() % 1000);

        pthread_mutex_lock(&mutex);
        guarded++;
        pthread_mutex_unlock(&mutex);
        free(p);
    }
    return NULL;
}

TEST(tasks, fork_in_a_threaded_program)
{
    pthread_t t[3];
    int status, good = 0;

    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, churn, NULL);
    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            char *p = malloc(5000);

            p[0] = 1;
            free(p);
            _exit(i + p[0] * 0);
        }
        waitpid(pid, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == i;
    }
    run = 0;
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(good, 40);
}

static void *fork_here(void *arg)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        pthread_t t;

        if (pthread_create(&t, NULL, ids, (void *)(intptr_t)getpid()) || pthread_join(t, NULL))
            _exit(1);
        exit(17);
    }
    waitpid(pid, &status, 0);
    return (void *)(intptr_t)WEXITSTATUS(status);
}

TEST(tasks, a_thread_forks_and_its_child_makes_threads)
{
    pthread_t t;
    void *r;

    pthread_create(&t, NULL, fork_here, NULL);
    pthread_join(t, &r);
    CHECK_EQ((intptr_t)r, 17);
}

TEST(tasks, vfork_shares_memory_and_waits)
{
    volatile int written = 0;
    int status;
    pid_t pid = vfork();

    if (pid == 0) {
        written = 5;
        _exit(written + 1);
    }
    CHECK_EQ(written, 5);
    waitpid(pid, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 6);
}

TEST(tasks, posix_spawn_tells_that_exec_failed)
{
    char *argv[] = {"nothing", NULL};
    pid_t pid;

    CHECK_EQ(posix_spawn(&pid, "/does/not/exist", NULL, NULL, argv, NULL), ENOENT);
}

extern char **environ;
TEST(tasks, posix_spawn_and_popen_run_programs)
{
    char *argv[] = {"sh", "-c", "exit 23", NULL}, line[64] = "";
    int status;
    pid_t pid;
    FILE *f;

    for (int i = 0; i < 5; i++) {
        CHECK_EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(WEXITSTATUS(status), 23);
    }
    f = popen("echo from a pipe", "r");
    CHECK(fgets(line, sizeof(line), f));
    CHECK_STR(line, "from a pipe\n");
    pclose(f);
    CHECK_EQ(WEXITSTATUS(system("exit 3")), 3);
}

static char self[4096];
TEST(tasks, exec_from_a_thread_and_from_vfork)
{
    int status;
    pid_t pid;

    for (int i = 0; i < 20; i++) {
        if ((pid = vfork()) == 0) {
            execl(self, self, "exit", "12", NULL);
            _exit(1);
        }
        waitpid(pid, &status, 0);
        CHECK_EQ(WEXITSTATUS(status), 12);
    }
}

static int clone_fn(void *arg)
{
    return *(int *)arg + 1;
}

static char clone_stack[65536] __attribute__((aligned(16)));
TEST(tasks, clone_with_other_signal_and_namespaces)
{
    int v = 30, status;
    pid_t pid = clone(clone_fn, clone_stack + sizeof(clone_stack), 0, &v);

    CHECK(pid > 0);
    CHECK(waitpid(pid, &status, 0) < 0 && errno == ECHILD);
    CHECK_EQ(waitpid(pid, &status, __WCLONE), pid);
    CHECK_EQ(WEXITSTATUS(status), 31);
    pid = clone(clone_fn, clone_stack + sizeof(clone_stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &v);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 31);
    pid = clone(clone_fn, clone_stack + sizeof(clone_stack), CLONE_NEWUSER | CLONE_NEWUTS | SIGCHLD,
                &v);
    if (pid < 0) {
        CHECK(errno == EPERM || errno == ENOSPC || errno == EINVAL);
        return;
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 31);
}

struct shared { atomic_int go, seen; pid_t pid, tid, parent; void *handler; };
static void ignore(int sig)
{
}

static int share_memory(void *arg)
{
    struct shared *s = arg;
    struct sigaction sa;

    s->pid = getpid();
    s->parent = getppid();
    sigaction(SIGUSR1, NULL, &sa);
    s->handler = sa.sa_handler;
    signal(SIGUSR1, SIG_IGN);
    while (!s->go)
        usleep(200);
    s->seen = s->go + 1;
    raise(SIGUSR1);
    return 21;
}

/* Parent and child run side by side in one memory, each a process with its own signals. */
TEST(tasks, a_child_that_shares_memory_runs_beside_its_parent)
{
    struct sigaction sa;
    int status;

    signal(SIGUSR1, ignore);
    for (int i = 0; i < 20; i++) {
        struct shared s = {0};
        pid_t pid = clone(share_memory, clone_stack + sizeof(clone_stack),
                          CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, &s, &s.tid,
                          NULL, &s.tid);

        if (!CHECK(pid > 0))
            return;
        CHECK_EQ(s.tid, pid);
        CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
        s.go = 6;
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 21);
        CHECK_EQ(s.seen, 7);
        CHECK_EQ(s.pid, pid);
        CHECK_EQ(s.parent, getpid());
        CHECK_EQ(s.tid, 0);
        CHECK_EQ(s.handler, ignore);
        sigaction(SIGUSR1, NULL, &sa);
        CHECK_EQ(sa.sa_handler, ignore);
    }
}

static int change_handler(void *arg)
{
    signal(SIGUSR1, SIG_IGN);
    return 0;
}

TEST(tasks, a_child_may_share_dispositions)
{
    struct sigaction sa;
    pid_t pid;

    for (int vfork = 0; vfork <= CLONE_VFORK; vfork += CLONE_VFORK) {
        signal(SIGUSR1, ignore);
        pid = clone(change_handler, clone_stack + sizeof(clone_stack),
                    CLONE_VM | CLONE_SIGHAND | vfork | SIGCHLD, NULL);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        sigaction(SIGUSR1, NULL, &sa);
        CHECK_EQ(sa.sa_handler, SIG_IGN);
    }
}

static int forks_and_execs(void *arg)
{
    int status = 0;
    pthread_t t;
    pid_t pid = fork();

    if (pid == 0)
        _exit(5);
    if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 5)
        _exit(1);
    if (pthread_create(&t, NULL, work, NULL) || pthread_join(t, NULL))
        _exit(2);
    execl(self, self, "exit", "33", NULL);
    _exit(3);
}

static int faults(void *arg)
{
    return *(volatile int *)16;
}

TEST(tasks, a_child_that_shares_memory_is_a_whole_process)
{
    int status;
    pid_t pid;

    for (int i = 0; i < 5; i++) {
        pid = clone(forks_and_execs, clone_stack + sizeof(clone_stack), CLONE_VM | SIGCHLD, NULL);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 33 << 8);
    }
    pid = clone(faults, clone_stack + sizeof(clone_stack), CLONE_VM | SIGCHLD, NULL);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(tasks, clone_refuses_what_does_not_go_together)
{
    static const int wrong[] = {CLONE_SIGHAND, CLONE_THREAD, CLONE_VM | CLONE_THREAD,
                                CLONE_FS | CLONE_NEWNS, CLONE_FS | CLONE_NEWUSER};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK_EQ(clone(clone_fn, clone_stack + sizeof(clone_stack), wrong[i] | SIGCHLD, NULL), -1);
        CHECK_EQ(errno, EINVAL);
    }
}

/* The grandchild is the child's sibling. */
TEST(tasks, clone_parent_gives_the_child_away)
{
    int v = 8, status, found = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(clone(clone_fn, clone_stack + sizeof(clone_stack), CLONE_PARENT, &v) < 0);
    for (pid_t p; (p = waitpid(-1, &status, 0)) > 0;) {
        CHECK_EQ(status, p == pid ? 0 : 9 << 8);
        found++;
    }
    CHECK_EQ(found, 2);
}

/* CLONE_CLEAR_SIGHAND: handlers become the default, what is ignored stays ignored. */
TEST(tasks, clone3_clears_handlers)
{
    struct { uint64_t flags, pidfd, ctid, ptid, sig, stack, size, tls; } a = {0};
    struct sigaction sa;
    int status;
    pid_t pid;

    signal(SIGUSR1, ignore);
    signal(SIGSEGV, ignore);
    signal(SIGUSR2, SIG_IGN);
    a.flags = 1ull << 32;
    a.sig = SIGCHLD;
    pid = (pid_t)syscall(435, &a, sizeof(a));
    if (pid == 0) {
        sigaction(SIGUSR1, NULL, &sa);
        status = sa.sa_handler != SIG_DFL;
        sigaction(SIGUSR2, NULL, &sa);
        if (status || sa.sa_handler != SIG_IGN)
            _exit(1);
        _exit(*(volatile char *)16);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(tasks, clone3_gives_a_pidfd)
{
    struct { uint64_t flags, pidfd, ctid, ptid, sig, stack, size, tls; } a = {0};
    int fd = -1;
    siginfo_t info = {0};
    pid_t tid = 0, pid;

    a.flags = CLONE_PIDFD | CLONE_PARENT_SETTID;
    a.pidfd = (uintptr_t)&fd;
    a.ptid = (uintptr_t)&tid;
    a.sig = SIGCHLD;
    pid = (pid_t)syscall(435, &a, sizeof(a));
    if (pid == 0)
        _exit(44);
    CHECK(pid > 0);
    CHECK_EQ(tid, pid);
    CHECK_EQ(waitid(3 /* P_PIDFD */, (id_t)fd, &info, WEXITED), 0);
    CHECK_EQ(info.si_status, 44);
    a.sig = 1000;
    CHECK(syscall(435, &a, sizeof(a)) < 0 && errno == EINVAL);
    CHECK(syscall(435, &a, 8) < 0 && errno == EINVAL);
}

TEST(tasks, futex_times_out_and_wakes)
{
    static int word = 1;
    struct timespec ts = {0, 10000000};

    CHECK(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL) < 0 && errno == EAGAIN);
    CHECK(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &ts) < 0 && errno == ETIMEDOUT);
    CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAKE, 1), 0);
    CHECK(syscall(SYS_futex, (void *)1, FUTEX_WAKE, 1) < 0 && errno == EINVAL);
    CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, &word, FUTEX_OP(FUTEX_OP_ADD, 4, FUTEX_OP_CMP_EQ, 1)), 0);
    CHECK_EQ(word, 5);
}

static sem_t sem;
static void *post(void *arg)
{
    usleep(1000);
    sem_post(&sem);
    return NULL;
}

TEST(tasks, semaphores_and_condition_variables)
{
    pthread_t t;

    sem_init(&sem, 0, 0);
    for (int i = 0; i < 10; i++) {
        pthread_create(&t, NULL, post, NULL);
        CHECK_EQ(sem_wait(&sem), 0);
        pthread_join(t, NULL);
    }
}

static void *cancel_me(void *arg)
{
    sem_post(&sem);
    for (;;)
        pause();
}

TEST(tasks, cancellation_uses_a_reserved_signal)
{
    pthread_t t;
    void *r;

    sem_init(&sem, 0, 0);
    pthread_create(&t, NULL, cancel_me, NULL);
    sem_wait(&sem);
    pthread_cancel(t);
    pthread_join(t, &r);
    CHECK(r == PTHREAD_CANCELED);
}

static void *setuid_all(void *arg)
{
    return (void *)(intptr_t)setgid(getgid());
}

TEST(tasks, changing_ids_reaches_all_threads)
{
    pthread_t t, u;
    void *r;

    sem_init(&sem, 0, 0);
    pthread_create(&u, NULL, cancel_me, NULL);
    sem_wait(&sem);
    pthread_create(&t, NULL, setuid_all, NULL);
    pthread_join(t, &r);
    CHECK_EQ((intptr_t)r, 0);
    pthread_cancel(u);
    pthread_join(u, NULL);
}

static volatile sig_atomic_t handled_by;
static void who(int sig)
{
    handled_by = (sig_atomic_t)syscall(SYS_gettid);
}
static void *wait_signal(void *arg)
{
    *(pid_t *)arg = (pid_t)syscall(SYS_gettid);
    sem_post(&sem);
    while (!handled_by)
        ;
    return NULL;
}

TEST(tasks, signals_go_to_the_thread_they_are_sent_to)
{
    pthread_t t;
    pid_t tid;

    signal(SIGUSR1, who);
    sem_init(&sem, 0, 0);
    pthread_create(&t, NULL, wait_signal, &tid);
    sem_wait(&sem);
    CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
    pthread_join(t, NULL);
    CHECK_EQ(handled_by, tid);
}

static void *own_stat(void *arg)
{
    char path[64], text[256] = "";
    int tid = (int)syscall(SYS_gettid), told = 0;
    FILE *f;

    prctl(PR_SET_NAME, "a thread");
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), i ? "/proc/thread-self/stat" : "/proc/self/task/%d/stat", tid);
        f = fopen(path, "r");
        CHECK(f && fgets(text, sizeof(text), f));
        CHECK_EQ(sscanf(text, "%d (a thread)", &told), 1);
        CHECK_EQ(told, tid);
        fclose(f);
    }
    return NULL;
}

TEST(tasks, each_thread_has_its_own_stat)
{
    pthread_t t;

    pthread_create(&t, NULL, own_stat, NULL);
    pthread_join(t, NULL);
}

TEST(tasks, names_limits_and_answers)
{
    char name[16] = "";
    void *address = NULL;
    struct utsname u;
    struct rlimit rl = {1 << 30, RLIM_INFINITY}, got;

    CHECK_EQ(prctl(PR_SET_NAME, "renamed"), 0);
    prctl(PR_GET_NAME, name);
    CHECK_STR(name, "renamed");
    uname(&u);
#ifdef __aarch64__
    CHECK_STR(u.machine, "aarch64");
    CHECK(prctl(22 /* PR_SET_SECCOMP */, 1) < 0 && errno == EINVAL);
    CHECK(syscall(425, 8, NULL) < 0 && errno == ENOSYS);
    CHECK(syscall(293, NULL, 32, 0, 0) < 0 && errno == ENOSYS);
    CHECK(syscall(999) < 0 && errno == ENOSYS);
#endif
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_EQ(prctl(21 /* PR_GET_SECCOMP */, 7, 7, 7, 7), 0);
    CHECK_EQ(syscall(SYS_set_tid_address, &rl), syscall(SYS_gettid));
    CHECK_EQ(prctl(40 /* PR_GET_TID_ADDRESS */, &address), 0);
    CHECK_EQ(address, &rl);
    getrlimit(RLIMIT_AS, &got);
    rl.rlim_max = got.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_AS, &rl), 0);
    getrlimit(RLIMIT_AS, &got);
    CHECK_EQ(got.rlim_cur, 1 << 30);
}

TEST(tasks, a_storm_of_forks)
{
    int status, good = 0;

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20; i++)
            if (fork() == 0)
                _exit(i);
        while (wait(&status) > 0)
            good += WIFEXITED(status);
    }
    CHECK_EQ(good, 200);
}

static const struct test tests[] = {
    CASE(tasks, threads_count_together),
    CASE(tasks, many_threads_one_after_another),
    CASE(tasks, the_first_thread_may_end_first),
    CASE(tasks, robust_mutex_survives_its_owner),
    CASE(tasks, robust_mutex_survives_a_killed_process),
    CASE(tasks, fork_in_a_threaded_program),
    CASE(tasks, a_thread_forks_and_its_child_makes_threads),
    CASE(tasks, vfork_shares_memory_and_waits),
    CASE(tasks, posix_spawn_tells_that_exec_failed),
    CASE(tasks, posix_spawn_and_popen_run_programs),
    CASE(tasks, exec_from_a_thread_and_from_vfork),
    CASE(tasks, clone_with_other_signal_and_namespaces),
    CASE(tasks, a_child_that_shares_memory_runs_beside_its_parent),
    CASE(tasks, a_child_may_share_dispositions),
    CASE(tasks, a_child_that_shares_memory_is_a_whole_process),
    CASE(tasks, clone_refuses_what_does_not_go_together),
    CASE(tasks, clone_parent_gives_the_child_away),
    CASE(tasks, clone3_clears_handlers),
    CASE(tasks, clone3_gives_a_pidfd),
    CASE(tasks, futex_times_out_and_wakes),
    CASE(tasks, semaphores_and_condition_variables),
    CASE(tasks, cancellation_uses_a_reserved_signal),
    CASE(tasks, changing_ids_reaches_all_threads),
    CASE(tasks, signals_go_to_the_thread_they_are_sent_to),
    CASE(tasks, each_thread_has_its_own_stat),
    CASE(tasks, names_limits_and_answers),
    CASE(tasks, a_storm_of_forks),
};

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (!realpath(argv[0], self))
        return 1;
    return test_main(tests, sizeof(tests) / sizeof(tests[0]), argc > 1 ? argv[1] : NULL);
}
