/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of descriptors as a character back end: reads what the front end has room for, writes what the
 * descriptor takes at once.  Nothing here waits.
 */
#ifndef UI_CHR_STREAM_PRIV_H
#define UI_CHR_STREAM_PRIV_H

#include "ui/chr_priv.h"

/**
 * struct chr_stream - such a back end begins with it.  @in and @out, -1: none, may be the same; opened by the type,
 * then chr_stream_start(), closed by chr_stream_stop(), which chr_stream_close() is, too.
 */
struct chr_stream {
    struct chr chr;
    int in, out;
    struct loop_fd *fd_in, *fd_out; /* the same when the descriptors are */
    struct loop_timer *tick;        /* @in cannot be waited for (a file): it is read from here */
    bool opened, ended, wants_room;
    void (*eof)(struct chr *c); /* the other side has ended; NULL: nothing but silence */
};

static inline struct chr_stream *chr_stream_of(struct chr *c)
{
    return (struct chr_stream *)c;
}

/* chr_stream_init - before the descriptors are opened, so that closing after a failure knows. */
void chr_stream_init(struct chr_stream *s);
void chr_stream_start(struct chr_stream *s);
void chr_stream_stop(struct chr_stream *s);

/* For struct chr_type. */
size_t chr_stream_write(struct chr *c, const uint8_t *buf, size_t len);
void chr_stream_watch(struct chr *c);
int chr_stream_wait_fd(struct chr *c);
void chr_stream_wake(struct chr *c);
void chr_stream_close(struct chr *c);

#endif
