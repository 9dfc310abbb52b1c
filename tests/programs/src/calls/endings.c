/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How processes end and stop, as their parents see it. */
#include "signals.h"

static int end_of(void (*child)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct rlimit none = {0, 0};

        setrlimit(RLIMIT_CORE, &none);
        child();
        _exit(99);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}
static void null_write(void) { *(volatile int *)8 = 1; }
static void do_abort(void) { abort(); }
static void kill_self(void) { kill(getpid(), SIGKILL); pause(); }
static void term_self(void) { raise(SIGTERM); }
static void segv_self(void) { kill(getpid(), SIGSEGV); }
static void blocked_fault(void)
{
    sigset_t set;

    catch(SIGSEGV, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    null_write();
}
static void ignored_fault(void)
{
    signal(SIGSEGV, SIG_IGN);
    null_write();
}
static void ignored_kill(void)
{
    signal(SIGSEGV, SIG_IGN);
    kill(getpid(), SIGSEGV);
    _exit(5);
}
static void alarm_self(void) { in_ms(5); pause(); }

TEST(endings, the_parent_sees_what_ended_the_child)
{
    CHECK_EQ(end_of(null_write), SIGSEGV);
    CHECK_EQ(end_of(do_abort), SIGABRT);
    CHECK_EQ(end_of(kill_self), SIGKILL);
    CHECK_EQ(end_of(term_self), SIGTERM);
    CHECK_EQ(end_of(segv_self), SIGSEGV);
    CHECK_EQ(end_of(blocked_fault), SIGSEGV);
    CHECK_EQ(end_of(ignored_fault), SIGSEGV);
    CHECK_EQ(end_of(ignored_kill), -5);
    CHECK_EQ(end_of(alarm_self), SIGALRM);
}

TEST(endings, stop_and_continue)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        raise(SIGSTOP);
        usleep(50000);
        _exit(3);
    }
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    kill(pid, SIGCONT);
    CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
    CHECK(WIFCONTINUED(status));
    waitpid(pid, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 3);
}

TEST(endings, child_ends_with_sigchld)
{
    siginfo_t info = {0};
    pid_t pid;

    catch(SIGCHLD, SA_RESTART);
    if ((pid = fork()) == 0)
        _exit(7);
    CHECK_EQ(waitid(P_PID, pid, &info, WEXITED), 0);
    CHECK_EQ(info.si_status, 7);
    while (!hits)
        usleep(1000);
    CHECK_EQ(last_code, CLD_EXITED);
    signal(SIGCHLD, SIG_IGN);
    if ((pid = fork()) == 0)
        _exit(0);
    CHECK(waitpid(pid, NULL, 0) < 0 && errno == ECHILD);
}

static const struct test tests[] = {
    CASE(endings, the_parent_sees_what_ended_the_child),
    CASE(endings, stop_and_continue),
    CASE(endings, child_ends_with_sigchld),
};
TEST_MAIN(tests)
