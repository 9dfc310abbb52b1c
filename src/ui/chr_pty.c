/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new pseudoterminal (pty(7)): the user attaches with `screen /dev/pts/N`.  Without anybody at the other end its
 * descriptor says "hung up" for ever, so it is then asked once a second instead of being waited for.
 */
#include "ui/chr_stream_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct pty {
    struct chr_stream s;
    char *path;
    bool linked;
    struct loop_timer *ask;
};

enum { ASK_NS = 1000000000 };

static const struct field pty_opts[] = {
    FIELD(pty, path, F_STR, "path", NULL, "symbolic link to it that is made"),
    FIELD_END,
};

static struct pty *pty_of(struct chr *c)
{
    return (struct pty *)c;
}

static void ask_later(struct pty *p)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    loop_arm(p->ask, t.tv_sec * INT64_C(1000000000) + t.tv_nsec + ASK_NS);
}

static bool somebody_there(struct pty *p)
{
    struct pollfd f = {.fd = p->s.in, .events = POLLOUT};

    return poll(&f, 1, 0) >= 0 && !(f.revents & POLLHUP);
}

static void look(struct pty *p)
{
    if (somebody_there(p)) {
        if (p->s.ended) {
            p->s.ended = false;
            chr_event(&p->s.chr, CHR_OPENED);
        }
        chr_stream_wake(&p->s.chr);
    } else {
        ask_later(p);
    }
}

static void on_ask(void *opaque)
{
    look(opaque);
}

static void gone(struct chr *c)
{
    struct pty *p = pty_of(c);

    chr_event(c, CHR_CLOSED);
    ask_later(p);
    chr_has_room(c);
}

static int make_link(struct pty *p, const char *name, struct err *e)
{
    if (!p->path)
        return 0;
    if (symlink(name, p->path) < 0)
        return err_set(e, -errno, "Cannot create PTY symlink '%s': %s", p->path, strerror(errno));
    p->linked = true;
    return 0;
}

static int pty_open(struct chr *c, struct err *e)
{
    struct pty *p = pty_of(c);
    struct termios raw;
    char name[128];
    int slave;

    chr_stream_init(&p->s);
    if (openpty(&p->s.in, &slave, NULL, NULL, NULL) < 0) {
        p->s.in = -1;
        return err_set(e, -errno, "Failed to create PTY: %s", strerror(errno));
    }
    p->s.out = p->s.in;
    if (!tcgetattr(slave, &raw)) {
        cfmakeraw(&raw);
        tcsetattr(slave, TCSAFLUSH, &raw);
    }
    if (ttyname_r(slave, name, sizeof(name)))
        strcpy(name, "?");
    close(slave);
    fcntl(p->s.in, F_SETFL, O_RDWR | O_NONBLOCK);
    fcntl(p->s.in, F_SETFD, FD_CLOEXEC);
    if (make_link(p, name, e) < 0)
        return e->code;
    chr_set_describe(c, "pty:%s", name);
    chr_note(c, "char device redirected to %s (label %s)", name, c->id);
    p->s.eof = gone;
    p->ask = loop_add_timer(c->env->loop, on_ask, p);
    chr_stream_start(&p->s);
    p->s.ended = true; /* nobody, so far */
    chr_stream_wake(c);
    look(p);
    return 0;
}

static void pty_close(struct chr *c)
{
    struct pty *p = pty_of(c);

    if (p->ask)
        loop_del_timer(p->ask);
    if (p->linked)
        unlink(p->path);
    chr_stream_close(c);
}

/* With nobody there, output is lost as on an unplugged line; who has just come is noticed here, too. */
static size_t pty_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct pty *p = pty_of(c);

    if (!c->connected) {
        if (!somebody_there(p))
            return len;
        look(p);
    }
    return chr_stream_write(c, buf, len);
}

const struct chr_type chr_pty = {
    .name = "pty",
    .help = "a new pseudoterminal",
    .size = sizeof(struct pty),
    .opts = pty_opts,
    .opens_later = true,
    .open = pty_open,
    .close = pty_close,
    .write = pty_write,
    .watch = chr_stream_watch,
    .wait_fd = chr_stream_wait_fd,
    .wake = chr_stream_wake,
};
