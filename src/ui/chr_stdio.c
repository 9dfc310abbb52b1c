/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Standard input and output.  A terminal is made raw, and as it was whenever the program ends, stops, or is
 * ended by a signal (termios(3)).  Output goes through a descriptor of our own that does not block: the flag
 * on the one that was given would reach the shell and whoever else holds it.
 */
#include "ui/chr_stream_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct stdio {
    struct chr_stream s;
    bool signals, taken;
    int flags; /* of standard output, to be put back; -1: not changed */
};

static const struct field stdio_opts[] = {
    FIELD(stdio, signals, F_BOOL, "signal", "on",
          "Ctrl-C and its kin reach the program, not the guest"),
    FIELD_END,
};

/* The terminal belongs to the process: so there is one of these, and signal handlers can reach it. */
static struct {
    bool in_use;
    volatile sig_atomic_t raw;
    struct termios before, ours;
} terminal;

static struct stdio *stdio_of(struct chr *c)
{
    return (struct stdio *)c;
}

static void restore(void)
{
    if (terminal.raw)
        tcsetattr(0, TCSANOW, &terminal.before);
}

static void on_deadly(int sig)
{
    restore();
    raise(sig); /* SA_RESETHAND: now it does what it does */
}

static void on_continue(int sig)
{
    int saved = errno;

    if (terminal.raw)
        tcsetattr(0, TCSANOW, &terminal.ours);
    errno = saved;
}

/* Signals that end the program without exit(): only where nobody else has asked for them. */
static void watch_signals(void)
{
    static const int deadly[] = {SIGABRT, SIGBUS,  SIGFPE,  SIGHUP, SIGILL,
                                 SIGINT,  SIGQUIT, SIGSEGV, SIGTERM};
    struct sigaction old,
        end = {.sa_handler = on_deadly, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    struct sigaction cont = {.sa_handler = on_continue, .sa_flags = SA_RESTART};

    for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
        if (!sigaction(deadly[i], NULL, &old) && old.sa_handler == SIG_DFL)
            sigaction(deadly[i], &end, NULL);
    if (!sigaction(SIGCONT, NULL, &old) && old.sa_handler == SIG_DFL)
        sigaction(SIGCONT, &cont, NULL);
}

static void make_raw(bool signals)
{
    static bool watched;
    struct termios t;

    if (tcgetattr(0, &t) < 0)
        return;
    terminal.before = t;
    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_oflag |= OPOST;
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        t.c_lflag &= ~(tcflag_t)ISIG;
    t.c_cflag = (t.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    terminal.ours = t;
    if (!watched) {
        watched = true;
        atexit(restore);
        watch_signals();
    }
    terminal.raw = 1;
    tcsetattr(0, TCSANOW, &t);
}

/* A descriptor for standard output that never blocks: its own description where /proc can make one. */
static int open_output(struct stdio *s)
{
    int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    s->flags = -1;
    if (!fstat(1, &st) && S_ISREG(st.st_mode)) {
        /* Another description would have its own position. */
        if (fd >= 0)
            close(fd);
        return fcntl(1, F_DUPFD_CLOEXEC, 3);
    }
    if (fd >= 0)
        return fd;
    s->flags = fcntl(1, F_GETFL);
    if (s->flags >= 0)
        fcntl(1, F_SETFL, s->flags | O_NONBLOCK);
    return fcntl(1, F_DUPFD_CLOEXEC, 3);
}

static int stdio_open(struct chr *c, struct err *e)
{
    struct stdio *s = stdio_of(c);

    chr_stream_init(&s->s);
    if (terminal.in_use)
        return err_set(e, -EBUSY, "cannot use stdio by multiple character devices");
    terminal.in_use = s->taken = true;
    s->s.in = fcntl(0, F_DUPFD_CLOEXEC, 3); /* none: no input */
    s->s.out = open_output(s);
    make_raw(s->signals);
    chr_stream_start(&s->s);
    return 0;
}

static void stdio_close(struct chr *c)
{
    struct stdio *s = stdio_of(c);

    if (!s->taken)
        return;
    chr_stream_stop(&s->s);
    if (s->flags >= 0)
        fcntl(1, F_SETFL, s->flags);
    restore();
    terminal.raw = 0;
    terminal.in_use = false;
}

const struct chr_type chr_stdio = {
    .name = "stdio",
    .help = "standard input and output",
    .size = sizeof(struct stdio),
    .opts = stdio_opts,
    .open = stdio_open,
    .close = stdio_close,
    .write = chr_stream_write,
    .watch = chr_stream_watch,
    .wait_fd = chr_stream_wait_fd,
    .wake = chr_stream_wake,
};
