/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named pipes PATH.in (what the guest hears) and PATH.out (what it says), or one thing PATH for both. */
#include "ui/chr_stream_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct pipe {
    struct chr_stream s;
    char *path;
};

static const struct field pipe_opts[] = {
    FIELD(pipe, path, F_STR, "path", NULL, "without .in and .out"),
    FIELD_END,
};

static struct pipe *pipe_of(struct chr *c)
{
    return (struct pipe *)c;
}

/* Opened for both directions, so that neither a missing reader nor one who leaves matters. */
static int open_end(const char *path, const char *suffix)
{
    char name[4096];

    if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >= sizeof(name))
        return -1;
    return open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int pipe_open(struct chr *c, struct err *e)
{
    struct pipe *p = pipe_of(c);

    chr_stream_init(&p->s);
    if (!p->path)
        return err_set(e, -EINVAL, "chardev: pipe: no device path given");
    p->s.in = open_end(p->path, ".in");
    p->s.out = open_end(p->path, ".out");
    if (p->s.in < 0 || p->s.out < 0) {
        chr_stream_stop(&p->s);
        p->s.in = p->s.out = open_end(p->path, "");
    }
    if (p->s.in < 0)
        return err_set(e, -errno, "Could not open '%s': %s (nor '%s.in' and '%s.out')", p->path,
                       strerror(errno), p->path, p->path);
    chr_stream_start(&p->s);
    return 0;
}

const struct chr_type chr_pipe = {
    .name = "pipe",
    .help = "named pipes PATH.in and PATH.out",
    .size = sizeof(struct pipe),
    .opts = pipe_opts,
    .open = pipe_open,
    .close = chr_stream_close,
    .write = chr_stream_write,
    .watch = chr_stream_watch,
    .wait_fd = chr_stream_wait_fd,
    .wake = chr_stream_wake,
};
