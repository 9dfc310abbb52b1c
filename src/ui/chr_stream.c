/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pair of descriptors as a character back end. */
#include "ui/chr_stream_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void update(struct chr_stream *s);

/* Files and some devices are always ready, and epoll refuses them. */
static bool can_wait(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd));
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void ended(struct chr_stream *s)
{
    s->ended = true;
    update(s);
    if (s->eof)
        s->eof(&s->chr);
}

static void read_some(struct chr_stream *s)
{
    uint8_t buf[CHR_BUF];
    size_t room = chr_room(&s->chr);
    ssize_t r;

    if (!room || s->ended)
        return;
    r = read(s->in, buf, min_u64(room, sizeof(buf)));
    if (r > 0)
        chr_put(&s->chr, buf, (size_t)r);
    else if (!r || (errno != EAGAIN && errno != EINTR))
        ended(s);
}

static void on_ready(void *opaque, int ready)
{
    struct chr_stream *s = opaque;

    if ((ready & LOOP_WRITE) && s->wants_room) {
        s->wants_room = false;
        chr_has_room(&s->chr);
    }
    if (ready & (LOOP_READ | LOOP_HANGUP))
        read_some(s);
    update(s);
}

static void on_tick(void *opaque)
{
    struct chr_stream *s = opaque;

    read_some(s);
    update(s);
}

static void update(struct chr_stream *s)
{
    bool reads = s->in >= 0 && !s->ended && chr_room(&s->chr);

    if (s->tick)
        loop_arm(s->tick, reads ? now() : INT64_MAX);
    if (s->fd_in && s->fd_in == s->fd_out) {
        loop_set_fd(s->fd_in, (reads ? LOOP_READ : 0) | (s->wants_room ? LOOP_WRITE : 0));
        return;
    }
    if (s->fd_in)
        loop_set_fd(s->fd_in, reads ? LOOP_READ : 0);
    if (s->fd_out)
        loop_set_fd(s->fd_out, s->wants_room ? LOOP_WRITE : 0);
}

void chr_stream_init(struct chr_stream *s)
{
    s->in = s->out = -1;
    s->opened = true;
}

void chr_stream_start(struct chr_stream *s)
{
    struct loop *l = s->chr.env->loop;

    s->ended = s->wants_room = false;
    if (s->in >= 0 && can_wait(s->in))
        s->fd_in = loop_add_fd(l, s->in, 0, on_ready, s);
    else if (s->in >= 0)
        s->tick = loop_add_timer(l, on_tick, s);
    if (s->out == s->in)
        s->fd_out = s->fd_in;
    else if (s->out >= 0 && can_wait(s->out))
        s->fd_out = loop_add_fd(l, s->out, 0, on_ready, s);
    update(s);
}

void chr_stream_stop(struct chr_stream *s)
{
    if (!s->opened)
        return;
    if (s->fd_out && s->fd_out != s->fd_in)
        loop_del_fd(s->fd_out);
    if (s->fd_in)
        loop_del_fd(s->fd_in);
    if (s->tick)
        loop_del_timer(s->tick);
    if (s->out >= 0 && s->out != s->in)
        close(s->out);
    if (s->in >= 0)
        close(s->in);
    s->fd_in = s->fd_out = NULL;
    s->tick = NULL;
    s->in = s->out = -1;
}

size_t chr_stream_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct chr_stream *s = chr_stream_of(c);
    size_t n = 0;

    if (s->out < 0)
        return len;
    while (n < len) {
        ssize_t r = write(s->out, buf + n, len - n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && errno == EAGAIN)
            break;
        if (r <= 0)
            return len; /* nobody listens any more */
        n += (size_t)r;
    }
    return n;
}

void chr_stream_watch(struct chr *c)
{
    struct chr_stream *s = chr_stream_of(c);

    s->wants_room = true;
    if (s->fd_out)
        update(s);
    else
        on_ready(s, LOOP_WRITE);
}

int chr_stream_wait_fd(struct chr *c)
{
    return chr_stream_of(c)->out;
}

void chr_stream_wake(struct chr *c)
{
    if (chr_stream_of(c)->opened)
        update(chr_stream_of(c));
}

void chr_stream_close(struct chr *c)
{
    chr_stream_stop(chr_stream_of(c));
}
