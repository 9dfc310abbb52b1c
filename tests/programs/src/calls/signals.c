/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signal semantics a program can see: frames, masks, stacks, restarts, waits. */
#include "signals.h"

TEST(signals, raise_runs_the_handler_before_it_returns)
{
    catch(SIGUSR1, 0);
    raise(SIGUSR1);
    CHECK_EQ(hits, 1);
    CHECK_EQ(last_code, SI_TKILL);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(hits, 2);
    CHECK_EQ(last_code, SI_USER);
}

TEST(signals, rt_values_queue_in_order)
{
    sigset_t set;

    catch(SIGRTMIN + 1, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 10; i++)
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
    CHECK_EQ(hits, 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQ(hits, 10);
    CHECK_EQ(last_code, SI_QUEUE);
}

TEST(signals, mask_of_the_handler_holds_others_back)
{
    struct sigaction sa = {.sa_sigaction = count, .sa_flags = SA_SIGINFO};

    sigaddset(&sa.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &sa, NULL);
    raise(SIGUSR1);
    CHECK_EQ(blocked_usr2, 1);
}

static volatile int depth, deepest, raised;
static void nested(int sig)
{
    if (++depth > deepest)
        deepest = depth;
    if (raised++ < 4)
        raise(sig);
    depth--;
}

TEST(signals, nodefer_nests_and_default_does_not)
{
    struct sigaction sa = {.sa_handler = nested, .sa_flags = SA_NODEFER};

    sigaction(SIGUSR1, &sa, NULL);
    raise(SIGUSR1);
    CHECK_EQ(deepest, 5);
    deepest = raised = 0;
    sa.sa_flags = 0;
    sigaction(SIGUSR1, &sa, NULL);
    raise(SIGUSR1);
    CHECK_EQ(deepest, 1);
}

TEST(signals, resethand_works_once)
{
    struct sigaction old;
    int status;
    pid_t pid;

    catch(SIGUSR1, SA_RESETHAND);
    raise(SIGUSR1);
    CHECK_EQ(hits, 1);
    sigaction(SIGUSR1, NULL, &old);
    CHECK_EQ((uintptr_t)old.sa_handler, (uintptr_t)SIG_DFL);
    if ((pid = fork()) == 0) {
        raise(SIGUSR1);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}

TEST(signals, sigaction_reads_back_what_was_set)
{
    struct sigaction sa = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK}, old;

    sigaddset(&sa.sa_mask, SIGHUP);
    CHECK_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
    CHECK_EQ(sigaction(SIGSEGV, NULL, &old), 0);
    CHECK(old.sa_sigaction == count);
    CHECK_EQ(old.sa_flags & ~0x04000000, sa.sa_flags);
    CHECK(sigismember(&old.sa_mask, SIGHUP) && !sigismember(&old.sa_mask, SIGINT));
    CHECK(sigaction(SIGKILL, &sa, NULL) < 0 && errno == EINVAL);
    CHECK(sigaction(65, &sa, NULL) < 0 && errno == EINVAL);
    CHECK_EQ(sigaction(SIGPIPE, NULL, &old), 0);
    CHECK(old.sa_handler == SIG_DFL);
}

static sigjmp_buf back;
static void jump(int sig, siginfo_t *info, void *context)
{
    count(sig, info, context);
    siglongjmp(back, 1);
}

TEST(signals, fault_tells_address_and_reason)
{
    struct sigaction sa = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    if (!sigsetjmp(back, 1))
        page[5] = 1;
    CHECK_EQ((uintptr_t)last_addr, (uintptr_t)page + 5);
    CHECK_EQ(last_code, SEGV_ACCERR);
    munmap(page, 4096);
    if (!sigsetjmp(back, 1))
        hits += ((volatile char *)page)[7];
    CHECK_EQ((uintptr_t)last_addr, (uintptr_t)page + 7);
    CHECK_EQ(last_code, SEGV_MAPERR);
    if (!sigsetjmp(back, 1))
        *(volatile int *)16 = 1;
    CHECK_EQ((uintptr_t)last_addr, 16);
    CHECK_EQ(hits, 3);
}

TEST(signals, bus_error_beyond_the_end_of_a_file)
{
    struct sigaction sa = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};
    int fd = memfd_create("x", 0);
    char *p;

    CHECK_EQ(ftruncate(fd, 4096), 0);
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sigaction(SIGBUS, &sa, NULL);
    if (!sigsetjmp(back, 1))
        p[5000] = 1;
    CHECK_EQ(last_signal, SIGBUS);
    CHECK_EQ(last_code, BUS_ADRERR);
    CHECK_EQ((uintptr_t)last_addr, (uintptr_t)p + 5000);
}

TEST(signals, jump_to_memory_that_is_not_code)
{
    struct sigaction sa = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    sigaction(SIGSEGV, &sa, NULL);
    if (!sigsetjmp(back, 1))
        ((void (*)(void))page)();
    CHECK_EQ((uintptr_t)last_addr, (uintptr_t)page);
    CHECK_EQ(last_code, SEGV_ACCERR);
}

#ifdef __aarch64__
/* A handler that steps over the faulting instruction and sets registers. */
static void skip_insn(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    count(sig, info, context);
    last_addr = (void *)uc->uc_mcontext.fault_address;
    uc->uc_mcontext.pc += 4;
    uc->uc_mcontext.regs[9] = 77;
    uc->uc_mcontext.pstate |= 0xf0000000u;
}

TEST(signals, handler_edits_registers_and_pc)
{
    struct sigaction sa = {.sa_sigaction = skip_insn, .sa_flags = SA_SIGINFO};
    uint64_t got = 0, flags;

    sigaction(SIGSEGV, &sa, NULL);
    asm volatile("subs xzr, xzr, xzr\n mov x10, #24\n mov x9, #1\n ldr x9, [x10]\n mov %0, x9\n"
                 "mrs %1, nzcv" : "=r"(got), "=r"(flags) : : "x9", "x10", "cc", "memory");
    CHECK_EQ(got, 77);
    CHECK_EQ(flags, 0xf0000000u);
    CHECK_EQ((uintptr_t)last_addr, 24);
    sigaction(SIGILL, &sa, NULL);
    hits = 0;
    asm volatile("mov x9, #1\n udf #0\n mov %0, x9" : "=r"(got) : : "x9", "cc", "memory");
    CHECK_EQ(got, 77);
    CHECK_EQ(last_signal, SIGILL);
    CHECK_EQ(last_code, ILL_ILLOPC);
    sigaction(SIGTRAP, &sa, NULL);
    asm volatile("mov x9, #1\n brk #5\n mov %0, x9" : "=r"(got) : : "x9", "cc", "memory");
    CHECK_EQ(got, 77);
    CHECK_EQ(last_signal, SIGTRAP);
    CHECK_EQ(last_code, TRAP_BRKPT);
}

static struct fpsimd_context *fpsimd(ucontext_t *uc)
{
    struct _aarch64_ctx *h = (void *)uc->uc_mcontext.__reserved;

    while (h->magic && h->magic != FPSIMD_MAGIC)
        h = (void *)((char *)h + h->size);
    return h->magic ? (void *)h : NULL;
}

static void edit_vector(int sig, siginfo_t *info, void *context)
{
    struct fpsimd_context *f = fpsimd(context);

    hits = f && f->head.size == sizeof(*f) ? (int)(f->vregs[20] >> 64) : -1;
    f->vregs[20] = ((__uint128_t)5 << 64) | 6;
    f->fpsr |= 0x10;
    asm volatile("movi v20.16b, #9\n movi v1.16b, #9" : : : "v20", "v1");
}

TEST(signals, vector_registers_travel_through_the_frame)
{
    struct sigaction sa = {.sa_sigaction = edit_vector, .sa_flags = SA_SIGINFO};
    uint64_t lo, hi, fpsr;

    sigaction(SIGUSR1, &sa, NULL);
    asm volatile("msr fpsr, xzr\n mov x3, #3\n mov v20.d[0], x3\n mov v20.d[1], x3\n"
                 "mov x0, %3\n mov x1, %4\n mov x8, #129\n svc #0\n"
                 "umov %0, v20.d[0]\n umov %1, v20.d[1]\n mrs %2, fpsr"
                 : "=&r"(lo), "=&r"(hi), "=&r"(fpsr)
                 : "r"((long)getpid()), "r"((long)SIGUSR1)
                 : "x0", "x1", "x3", "x8", "v20", "memory");
    CHECK_EQ(hits, 3);
    CHECK_EQ(lo, 6);
    CHECK_EQ(hi, 5);
    CHECK_EQ(fpsr & 0x10, 0x10);
}

static void bad_frame(int sig, siginfo_t *info, void *context)
{
    *(uint32_t *)((ucontext_t *)context)->uc_mcontext.__reserved = 0x12345678;
}

static int next(int x)
{
    return x + 1;
}

TEST(signals, a_tagged_code_pointer_is_called)
{
    int (*volatile f)(int) = (int (*)(int))((uint64_t)next | 0x5aul << 56);

    catch(SIGSEGV, 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(f(i), i + 1);
    CHECK_EQ(hits, 0);
}

static void clear_dit(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    hits = uc->uc_mcontext.pstate >> 24 & 1;
    uc->uc_mcontext.pstate &= ~(1ul << 24);
}

TEST(signals, data_independent_timing_travels_through_the_frame)
{
    struct sigaction sa = {.sa_sigaction = clear_dit, .sa_flags = SA_SIGINFO};
    uint64_t dit = 1 << 24;

    sigaction(SIGUSR1, &sa, NULL);
    __asm__ volatile("msr s3_3_c4_c2_5, %0" : : "r"(dit));
    raise(SIGUSR1);
    __asm__ volatile("mrs %0, s3_3_c4_c2_5" : "=r"(dit));
    CHECK_EQ(hits, 1);
    CHECK_EQ(dit, 0);
}

TEST(signals, bad_frame_is_a_segmentation_fault)
{
    struct sigaction sa = {.sa_sigaction = bad_frame, .sa_flags = SA_SIGINFO};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        sigaction(SIGUSR1, &sa, NULL);
        raise(SIGUSR1);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
#endif

static char other_stack[65536];

static void where(int sig, siginfo_t *info, void *context)
{
    stack_t now;
    char here;

    sigaltstack(NULL, &now);
    last_code = now.ss_flags;
    on_other_stack = &here > other_stack && &here < other_stack + sizeof(other_stack);
    hits++;
}

TEST(signals, alternate_stack)
{
    stack_t ss = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)}, old;
    struct sigaction sa = {.sa_sigaction = where, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    CHECK_EQ(sigaltstack(&ss, NULL), 0);
    sigaction(SIGUSR1, &sa, NULL);
    raise(SIGUSR1);
    CHECK(on_other_stack);
    CHECK_EQ(last_code, SS_ONSTACK);
    sa.sa_flags &= ~SA_ONSTACK;
    sigaction(SIGUSR1, &sa, NULL);
    raise(SIGUSR1);
    CHECK(!on_other_stack);
    CHECK_EQ(last_code, 0);
    ss.ss_size = 100;
    CHECK(sigaltstack(&ss, NULL) < 0 && errno == ENOMEM);
    ss.ss_flags = 77;
    CHECK(sigaltstack(&ss, NULL) < 0 && errno == EINVAL);
    ss.ss_flags = (int)(1u << 31); /* SS_AUTODISARM */
    ss.ss_size = sizeof(other_stack);
    CHECK_EQ(sigaltstack(&ss, NULL), 0);
    sa.sa_flags |= SA_ONSTACK;
    sigaction(SIGUSR1, &sa, NULL);
    raise(SIGUSR1);
    CHECK(on_other_stack);
    CHECK_EQ(last_code, SS_DISABLE);
    sigaltstack(NULL, &old);
    CHECK_EQ(old.ss_size, sizeof(other_stack));
}

static void overflowed(int sig, siginfo_t *info, void *context)
{
    _exit(on_other_stack = 42);
}

__attribute__((noinline)) static int eat(int n)
{
    volatile char block[4096];

    block[0] = (char)n;
    if (n == 1 << 20)
        return 0;
    return eat(n + 1) + block[0];
}

TEST(signals, stack_overflow_is_caught_on_the_alternate_stack)
{
    stack_t ss = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
    struct sigaction sa = {.sa_sigaction = overflowed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        sigaltstack(&ss, NULL);
        sigaction(SIGSEGV, &sa, NULL);
        _exit(eat(0));
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

TEST(signals, interrupted_read_restarts_or_fails)
{
    int p[2];
    char c = 0;
    pid_t pid;

    CHECK_EQ(pipe(p), 0);
    catch(SIGALRM, 0);
    in_ms(20);
    CHECK(read(p[0], &c, 1) < 0 && errno == EINTR);
    CHECK_EQ(hits, 1);
    catch(SIGALRM, SA_RESTART);
    in_ms(20);
    if ((pid = fork()) == 0) {
        usleep(100000);
        _exit(write(p[1], "x", 1) != 1);
    }
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(c, 'x');
    CHECK_EQ(hits, 2);
    waitpid(pid, NULL, 0);
}

TEST(signals, some_waits_never_restart)
{
    struct timespec ts = {1, 0}, rem = {0, 0};
    struct pollfd pf = {.fd = -1};

    catch(SIGALRM, SA_RESTART);
    in_ms(20);
    CHECK(nanosleep(&ts, &rem) < 0 && errno == EINTR);
    CHECK(rem.tv_sec == 0 && rem.tv_nsec > 500000000);
    in_ms(20);
    CHECK(poll(&pf, 1, 1000) < 0 && errno == EINTR);
    in_ms(20);
    CHECK(pause() < 0 && errno == EINTR);
    CHECK_EQ(hits, 3);
}

TEST(signals, sigsuspend_waits_under_its_mask)
{
    sigset_t set, none, now;

    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    catch(SIGUSR1, 0);
    catch(SIGUSR2, 0);
    raise(SIGUSR2);
    CHECK_EQ(hits, 0);
    CHECK(sigsuspend(&none) < 0 && errno == EINTR);
    CHECK_EQ(hits, 1);
    CHECK_EQ(last_signal, SIGUSR2);
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));
    sigdelset(&set, SIGUSR1); /* now only USR2 stays blocked while waiting */
    raise(SIGUSR1);
    sigsuspend(&set);
    CHECK_EQ(last_signal, SIGUSR1);
    CHECK_EQ(blocked_usr2, 1); /* the handler's mask builds on the waiting one */
}

TEST(signals, ppoll_takes_a_mask)
{
    sigset_t set, none;
    struct pollfd pf = {.fd = -1};
    struct timespec ts = {5, 0};

    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    catch(SIGALRM, SA_RESTART);
    in_ms(20);
    CHECK(ppoll(&pf, 1, &ts, &none) < 0 && errno == EINTR);
    CHECK_EQ(hits, 1);
    in_ms(20);
    CHECK(pselect(0, NULL, NULL, NULL, &ts, &none) < 0 && errno == EINTR);
    CHECK_EQ(hits, 2);
}

TEST(signals, sigwait_and_signalfd_take_blocked_ones)
{
    struct timespec ts = {1, 0};
    struct signalfd_siginfo si;
    siginfo_t info;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 9});
    CHECK_EQ(sigtimedwait(&set, &info, &ts), SIGRTMIN);
    CHECK_EQ(info.si_value.sival_int, 9);
    ts = (struct timespec){0, 1000};
    CHECK(sigtimedwait(&set, &info, &ts) < 0 && errno == EAGAIN);
    fd = signalfd(-1, &set, SFD_NONBLOCK);
    CHECK(read(fd, &si, sizeof(si)) < 0 && errno == EAGAIN);
    raise(SIGUSR1);
    CHECK_EQ(read(fd, &si, sizeof(si)), sizeof(si));
    CHECK_EQ(si.ssi_signo, SIGUSR1);
    sigpending(&set);
    CHECK(!sigismember(&set, SIGUSR1));
}

static volatile int sent_sig, sent_code;
static void on_sent(int sig, siginfo_t *info, void *context)
{
    sent_sig = sig;
    sent_code = info->si_code;
}

/* Whoever sends to itself may say any code (rt_sigqueueinfo(2)), also a fault's. */
static uint64_t status(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    unsigned long mask = 0;
    char line[4096];

    while (fgets(line, sizeof(line), f))
        if (strncmp(line, name, 6) == 0)
            mask = strtoul(line + 7, NULL, 16);
    fclose(f);
    return mask;
}

TEST(signals, status_tells_what_is_caught_ignored_blocked)
{
    uint64_t segv = 1ull << (SIGSEGV - 1), fpe = 1ull << (SIGFPE - 1), both = segv | fpe;
    sigset_t set;

    sigemptyset(&set);
    CHECK_EQ(status("SigCgt") & both, 0);
    CHECK_EQ(status("SigIgn") & both, 0);
    CHECK_EQ(status("SigBlk") & both, 0);
    signal(SIGSEGV, nested);
    signal(SIGFPE, SIG_IGN);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    CHECK_EQ(status("SigCgt") & both, segv);
    CHECK_EQ(status("SigIgn") & both, fpe);
    CHECK_EQ(status("SigBlk") & both, segv);
}

TEST(signals, sent_with_the_code_of_a_fault)
{
    struct sigaction sa = {.sa_sigaction = on_sent, .sa_flags = SA_SIGINFO};
    siginfo_t info = {.si_code = SEGV_MAPERR};

    for (int i = 0; i < 3; i++) {
        int sig = (int[]){SIGSEGV, SIGFPE, SIGBUS}[i];

        sigaction(sig, &sa, NULL);
        CHECK_EQ(syscall(SYS_rt_sigqueueinfo, getpid(), sig, &info), 0);
        CHECK_EQ(sent_sig, sig);
        CHECK_EQ(sent_code, SEGV_MAPERR);
        sent_sig = 0;
        CHECK_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), sig, &info), 0);
        CHECK_EQ(sent_sig, sig);
    }
}

TEST(signals, blocked_ones_of_faults_wait_like_others)
{
    struct timespec soon = {1, 0};
    sigset_t set, pending;
    siginfo_t info;

    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGSEGV);
    CHECK_EQ(sigtimedwait(&set, &info, &soon), SIGSEGV);
    CHECK_EQ(info.si_pid, getpid());
    kill(getpid(), SIGSEGV);
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGSEGV));
    signal(SIGSEGV, SIG_IGN); /* discards it */
    sigpending(&pending);
    CHECK(!sigismember(&pending, SIGSEGV));
    signal(SIGSEGV, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

TEST(signals, pending_set)
{
    sigset_t set, got;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    catch(SIGSEGV, 0);
    catch(SIGUSR1, 0);
    raise(SIGUSR1);
    raise(SIGSEGV); /* sent, not by a fault: it waits like any other */
    sigpending(&got);
    CHECK(sigismember(&got, SIGUSR1));
    CHECK(sigismember(&got, SIGSEGV));
    CHECK_EQ(hits, 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQ(hits, 2);
}

TEST(signals, posix_timers)
{
    struct sigevent se = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2,
                          .sigev_value.sival_int = 33};
    struct itimerspec it = {{0, 2000000}, {0, 2000000}};
    timer_t id;

    catch(SIGRTMIN + 2, SA_RESTART);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &se, &id), 0);
    CHECK_EQ(timer_settime(id, 0, &it, NULL), 0);
    while (hits < 5)
        ;
    CHECK_EQ(last_code, SI_TIMER);
    CHECK_EQ(timer_delete(id), 0);
}

static volatile long spin_hits;
static void spin(int sig)
{
    spin_hits++;
}

TEST(signals, fast_timer_into_a_loop)
{
    struct itimerval it = {{0, 100}, {0, 100}};
    unsigned long h = 1, want = 1;

    signal(SIGALRM, spin);
    for (int i = 0; i < 300000; i++)
        want = want * 6364136223846793005ul + 1442695040888963407ul;
    setitimer(ITIMER_REAL, &it, NULL);
    for (int round = 0; round < 3; round++) {
        h = 1;
        for (int i = 0; i < 300000; i++)
            h = h * 6364136223846793005ul + 1442695040888963407ul;
        CHECK_EQ(h, want);
    }
    while (spin_hits < 20)
        ;
    CHECK(spin_hits > 10);
}

#ifdef __aarch64__
static volatile int interrupted, wrong;
static uint64_t stop_flag, told[4];

/* The loop's flags are those of comparing x2 + x3 with x3, at each of its instructions. */
static void compare_flags(int sig, siginfo_t *info, void *context)
{
    const mcontext_t *m = &((const ucontext_t *)context)->uc_mcontext;
    uint64_t a = m->regs[2] + m->regs[3], b = m->regs[3], pstate;

    if (m->regs[9] != 0x5eed)
        return; /* before the loop, or behind it */
    __asm__("cmp %1, %2\n mrs %0, nzcv" : "=r"(pstate) : "r"(a), "r"(b) : "cc");
    if ((m->pstate & 0xf0000000) != pstate && !wrong++) {
        told[0] = m->pstate;
        told[1] = pstate;
        told[2] = a;
        told[3] = b;
    }
    if (++interrupted == 300)
        stop_flag = 1;
}

/* A signal shows the condition flags as they are, whether or not somebody goes on to read them. */
TEST(signals, condition_flags_when_a_loop_is_interrupted)
{
    struct sigaction sa = {.sa_sigaction = compare_flags, .sa_flags = SA_SIGINFO};
    struct itimerval often = {{0, 700}, {0, 700}}, never = {{0}};

    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    __asm__ volatile("mov x1, #1\n mov x3, #-5\n subs x2, x1, x3\n mov x9, #0x5eed\n"
                     "1: ror x1, x1, #7\n add x1, x1, #0x123\n subs x2, x1, x3\n"
                     "ldr x7, [%0]\n add x6, x6, x1\n cbz x7, 1b\n mov x9, #0\n"
                     : : "r"(&stop_flag)
                     : "x1", "x2", "x3", "x6", "x7", "x9", "cc", "memory");
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK(interrupted >= 300);
    if (!CHECK_EQ(wrong, 0))
        printf("PSTATE %#lx, want flags %#lx of %#lx, %#lx\n", told[0], told[1], told[2], told[3]);
}
#endif

static const struct test tests[] = {
    CASE(signals, raise_runs_the_handler_before_it_returns),
    CASE(signals, rt_values_queue_in_order),
    CASE(signals, mask_of_the_handler_holds_others_back),
    CASE(signals, nodefer_nests_and_default_does_not),
    CASE(signals, resethand_works_once),
    CASE(signals, sigaction_reads_back_what_was_set),
    CASE(signals, fault_tells_address_and_reason),
    CASE(signals, bus_error_beyond_the_end_of_a_file),
    CASE(signals, jump_to_memory_that_is_not_code),
#ifdef __aarch64__
    CASE(signals, handler_edits_registers_and_pc),
    CASE(signals, vector_registers_travel_through_the_frame),
    CASE(signals, a_tagged_code_pointer_is_called),
    CASE(signals, data_independent_timing_travels_through_the_frame),
    CASE(signals, bad_frame_is_a_segmentation_fault),
#endif
    CASE(signals, alternate_stack),
    CASE(signals, stack_overflow_is_caught_on_the_alternate_stack),
    CASE(signals, interrupted_read_restarts_or_fails),
    CASE(signals, some_waits_never_restart),
    CASE(signals, sigsuspend_waits_under_its_mask),
    CASE(signals, ppoll_takes_a_mask),
    CASE(signals, sigwait_and_signalfd_take_blocked_ones),
    CASE(signals, status_tells_what_is_caught_ignored_blocked),
    CASE(signals, sent_with_the_code_of_a_fault),
    CASE(signals, blocked_ones_of_faults_wait_like_others),
    CASE(signals, pending_set),
    CASE(signals, posix_timers),
    CASE(signals, fast_timer_into_a_loop),
#ifdef __aarch64__
    CASE(signals, condition_flags_when_a_loop_is_interrupted),
#endif
};
TEST_MAIN(tests)
