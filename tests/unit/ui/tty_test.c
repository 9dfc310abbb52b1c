/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminals as character back ends: stdio, which puts the terminal back whatever happens, and pty. */
#include "tests/unit/ui/front.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <termios.h>

static struct chr_env env;
static struct front f;
static int master, slave;

/* In a child: standard input and output are a terminal of our own; @how it ends. */
static int with_terminal(void (*how)(void), const char *opts)
{
    int status;
    pid_t pid;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
        SKIP("no pseudoterminals");
    if (!(pid = fork())) {
        setsid();
        dup2(slave, 0);
        dup2(slave, 1);
        env.loop = loop_new();
        front_attach(&f, open_chardev(&env, opts));
        front_say(&f, "up\n");
        how();
        _exit(3);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

static bool cooked(void)
{
    struct termios t;

    tcgetattr(slave, &t);
    return (t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG) &&
           !(fcntl(slave, F_GETFL) & O_NONBLOCK);
}

static void look(void)
{
    struct termios t;

    tcgetattr(0, &t);
    _exit((t.c_lflag & (ICANON | ECHO)) == 0 && (t.c_lflag & ISIG) ? 0 : 1);
}

static void look_for_signals(void)
{
    struct termios t;

    tcgetattr(0, &t);
    _exit(t.c_lflag & ISIG ? 1 : 0);
}

static void by_close(void)
{
    chr_close(f.c);
    _exit(0);
}

static void by_exit(void)
{
    exit(0);
}

static void by_abort(void)
{
    abort();
}

static void by_term(void)
{
    kill(getpid(), SIGTERM);
    pause();
}

TEST(stdio, the_terminal_is_raw_and_keeps_signals_when_asked)
{
    CHECK_EQ(with_terminal(look, "stdio,id=s"), 0);
    CHECK_EQ(with_terminal(look_for_signals, "stdio,id=s,signal=off"), 0);
}

TEST(stdio, the_terminal_is_put_back)
{
    CHECK_EQ(with_terminal(by_close, "stdio,id=s"), 0);
    CHECK(cooked());
    CHECK_EQ(with_terminal(by_exit, "stdio,id=s"), 0);
    CHECK(cooked());
    CHECK_EQ(WTERMSIG(with_terminal(by_abort, "stdio,id=s")), SIGABRT);
    CHECK(cooked());
    CHECK_EQ(WTERMSIG(with_terminal(by_term, "stdio,id=s")), SIGTERM);
    CHECK(cooked());
}

TEST(stdio, only_one)
{
    struct chr *c;

    env.loop = loop_new();
    c = open_chardev(&env, "stdio,id=s");
    refused(&env, "stdio,id=t", "cannot use stdio by multiple character devices");
    chr_close(c);
    c = open_chardev(&env, "stdio,id=s");
    chr_close(c);
}

/* Input and output that are no terminals: a file to its end, and silence after it; a pipe that blocks nobody. */
TEST(stdio, files_and_pipes)
{
    int p[2], in = open("/tmp", O_TMPFILE | O_RDWR, 0600), out = dup(1);
    static uint8_t lots[1 << 20];
    size_t n;

    if (in < 0)
        SKIP("no unnamed files in /tmp");
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pwrite(in, "from a file", 11, 0), 11);
    fflush(stdout);
    dup2(in, 0);
    dup2(p[1], 1);
    env.loop = loop_new();
    front_attach(&f, open_chardev(&env, "stdio,id=s"));
    for (int i = 0; i < 20; i++)
        loop_once(env.loop, 1000000);
    n = chr_write(f.c, &f, lots, sizeof(lots));
    bool untouched = !(fcntl(p[1], F_GETFL) & O_NONBLOCK);
    chr_close(f.c);
    dup2(out, 1);
    CHECK_STR(f.got, "from a file");
    CHECK(n > 0 && n < sizeof(lots));
    CHECK(untouched);
}

TEST(pty, somebody_comes_and_goes)
{
    char buf[64] = "", path[64], opts[128];
    struct chr *c;
    int fd;

    env.loop = loop_new();
    snprintf(path, sizeof(path), "/tmp/emu-pty-test-%d", (int)getpid());
    snprintf(opts, sizeof(opts), "pty,id=p,path=%s", path);
    c = open_chardev(&env, opts);
    front_attach(&f, c);
    CHECK(!strncmp(chr_describe(c), "pty:/dev/pts/", 13));
    CHECK_STR(f.events, "");
    CHECK_EQ(chr_write(c, &f, (uint8_t *)"lost", 4), 4);
    fd = open(chr_describe(c) + 4, O_RDWR | O_NOCTTY | O_NONBLOCK);
    CHECK(fd >= 0);
    front_say(&f, "hello"); /* notices, without waiting for the second to pass */
    CHECK_STR(f.events, "O");
    CHECK_EQ(read(fd, buf, sizeof(buf)), 5);
    CHECK_STR(buf, "hello");
    CHECK_EQ(write(fd, "\003yes\n", 5), 5);
    RUN_UNTIL(env.loop, f.len == 5);
    CHECK_STR(f.got, "\003yes\n");
    close(fd);
    RUN_UNTIL(env.loop, !chr_connected(c));
    /* Now it does not spin: in 200 ms there are few turns of the loop. */
    int64_t end = test_now() + 200000000;
    int turns = 0;

    for (; test_now() < end; turns++)
        loop_once(env.loop, 50000000);
    CHECK(turns < 50);
    fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    RUN_UNTIL(env.loop, chr_connected(c));
    CHECK_STR(f.events, "OCO");
    chr_close(c);
    CHECK(access(path, F_OK) < 0);
}

/* A host's serial port: a terminal stands for it. */
TEST(serial, is_raw_and_put_back)
{
    char opts[128], name[64], buf[8] = "";
    struct termios t;

    if (openpty(&master, &slave, name, NULL, NULL) < 0)
        SKIP("no pseudoterminals");
    env.loop = loop_new();
    snprintf(opts, sizeof(opts), "serial,id=s,path=%s", name);
    front_attach(&f, open_chardev(&env, opts));
    tcgetattr(slave, &t);
    CHECK_EQ(t.c_lflag & (ICANON | ECHO | ISIG), 0);
    CHECK_EQ(write(master, "in", 2), 2);
    RUN_UNTIL(env.loop, f.len == 2);
    front_say(&f, "out");
    CHECK_EQ(read(master, buf, 8), 3);
    chr_close(f.c);
    CHECK(cooked());
}

static const struct test tests[] = {
    CASE(stdio, the_terminal_is_raw_and_keeps_signals_when_asked),
    CASE(stdio, the_terminal_is_put_back),
    CASE(stdio, only_one),
    CASE(stdio, files_and_pipes),
    CASE(pty, somebody_comes_and_goes),
    CASE(serial, is_raw_and_put_back),
};
TEST_MAIN(tests)
