/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets wait, and go on together every so many microseconds. */
#include "net/net_priv.h"

#include <time.h>

enum { HELD_MAX = 4096, HELD_BYTES = 16 << 20 };

struct held {
    enum net_way way;
    unsigned queue;
    struct net_packet *p;
};

struct buffer {
    struct net_filter f;
    uint64_t interval; /* microseconds */
    struct loop_timer *timer;
    struct held held[HELD_MAX];
    unsigned n;
    size_t bytes;
};

static const struct field buffer_opts[] = {
    FIELD(buffer, interval, F_U64, "interval", "0", "microseconds between releases"),
    FIELD_END,
};

static struct buffer *buffer_of(struct net_filter *f)
{
    return (struct buffer *)f;
}

static void arm(struct buffer *b)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    loop_arm(b->timer, t.tv_sec * INT64_C(1000000000) + t.tv_nsec + (int64_t)b->interval * 1000);
}

static void release(struct buffer *b)
{
    unsigned n = b->n;

    b->n = 0;
    b->bytes = 0;
    for (unsigned i = 0; i < n; i++) {
        struct held h = b->held[i];

        net_filter_go_on(&b->f, h.way, h.queue, h.p->data, h.p->len, &h.p->meta);
        free(h.p);
    }
}

static void on_timer(void *opaque)
{
    release(opaque);
    arm(opaque);
}

static int buffer_open(struct net_filter *f, struct err *e)
{
    struct buffer *b = buffer_of(f);

    if (!b->interval || b->interval > UINT32_MAX)
        return err_set(e, -EINVAL,
                       "Parameter 'interval' is missing or not in 1..4294967295 microseconds");
    b->timer = loop_add_timer(f->env->loop, on_timer, b);
    arm(b);
    return 0;
}

static void buffer_close(struct net_filter *f)
{
    struct buffer *b = buffer_of(f);

    if (b->timer) {
        release(b);
        loop_del_timer(b->timer);
    }
}

static bool buffer_pass(struct net_filter *f, enum net_way way, unsigned queue,
                        const struct iovec *iov, int cnt, const struct net_meta *meta)
{
    struct buffer *b = buffer_of(f);
    size_t len = net_iov_len(iov, cnt);
    struct net_packet *p;

    /* What does not fit is lost, as in a queue of a switch. */
    if (b->n == HELD_MAX || b->bytes + len > HELD_BYTES || !(p = net_packet_new(iov, cnt, meta)))
        return true;
    b->held[b->n++] = (struct held){way, queue, p};
    b->bytes += len;
    return true;
}

static void buffer_describe(const struct net_filter *f, char *buf, size_t len)
{
    snprintf(buf, len, "interval=%" PRIu64, ((const struct buffer *)f)->interval);
}

const struct net_filter_type filter_buffer = {
    .name = "filter-buffer",
    .help = "packets wait and go on together",
    .size = sizeof(struct buffer),
    .opts = buffer_opts,
    .open = buffer_open,
    .close = buffer_close,
    .pass = buffer_pass,
    .describe = buffer_describe,
};
