/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ring of memory that keeps the newest of what the guest says, for the monitor to read and write. */
#include "ui/chr_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { RINGBUF_MAX = 1 << 30 };

/* @head and @tail count bytes ever written and read. */
struct ringbuf {
    struct chr chr;
    uint64_t size, head, tail;
    uint8_t *data;
};

static const struct field ringbuf_opts[] = {
    FIELD(ringbuf, size, F_SIZE, "size", "64k", "bytes kept, a power of two"),
    FIELD_END,
};

static struct ringbuf *ringbuf_of(struct chr *c)
{
    return (struct ringbuf *)c;
}

static int ringbuf_open(struct chr *c, struct err *e)
{
    struct ringbuf *r = ringbuf_of(c);

    if (!is_pow2(r->size))
        return err_set(e, -EINVAL, "size of ringbuf chardev must be power of two, not %" PRIu64,
                       r->size);
    if (r->size > RINGBUF_MAX || !(r->data = malloc(r->size)))
        return err_set(e, -ENOMEM,
                       "size of ringbuf chardev is too large: %" PRIu64 ", the limit is 1G",
                       r->size);
    return 0;
}

static void ringbuf_close(struct chr *c)
{
    free(ringbuf_of(c)->data);
}

static size_t ringbuf_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct ringbuf *r = ringbuf_of(c);

    for (size_t i = 0; i < len; i++)
        r->data[r->head++ & (r->size - 1)] = buf[i];
    if (r->head - r->tail > r->size)
        r->tail = r->head - r->size;
    return len;
}

const struct chr_type chr_ringbuf = {
    .name = "ringbuf",
    .help = "memory that the monitor reads",
    .size = sizeof(struct ringbuf),
    .opts = ringbuf_opts,
    .open = ringbuf_open,
    .close = ringbuf_close,
    .write = ringbuf_write,
};

static int check_type(struct chr *c, struct err *e)
{
    return c->type == &chr_ringbuf ? 0 : err_set(e, -EINVAL, "%s is not a ringbuf device", c->id);
}

int chr_ringbuf_read(struct chr *c, uint8_t *buf, size_t len, struct err *e)
{
    struct ringbuf *r = ringbuf_of(c);
    size_t n = 0;

    if (check_type(c, e) < 0)
        return e->code;
    while (n < len && r->tail != r->head)
        buf[n++] = r->data[r->tail++ & (r->size - 1)];
    return (int)n;
}

int chr_ringbuf_write(struct chr *c, const uint8_t *buf, size_t len, struct err *e)
{
    if (check_type(c, e) < 0)
        return e->code;
    ringbuf_write(c, buf, len);
    return 0;
}
