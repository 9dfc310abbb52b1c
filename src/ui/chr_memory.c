/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A character back end for tests: keeps what is written, says what it is told. */
#include "base/bytes.h"
#include "ui/chr_priv.h"

#include <stdlib.h>
#include <string.h>

struct memory {
    struct chr chr;
    uint8_t *out, *in;
    size_t out_len, in_len;
};

static struct memory *memory_of(struct chr *c)
{
    return (struct memory *)c;
}

static void append(uint8_t **to, size_t *have, const void *buf, size_t len)
{
    if (!len)
        return;
    if (!(*to = realloc(*to, *have + len)))
        fatal("out of memory");
    memcpy(*to + *have, buf, len);
    *have += len;
}

static size_t memory_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct memory *m = memory_of(c);

    append(&m->out, &m->out_len, buf, len);
    return len;
}

static void memory_wake(struct chr *c)
{
    struct memory *m = memory_of(c);
    size_t n;

    while ((n = min_u64(chr_room(c), m->in_len))) {
        uint8_t *part = m->in;
        uint8_t *rest = NULL;
        size_t left = 0;

        append(&rest, &left, part + n, m->in_len - n);
        m->in = rest;
        m->in_len = left;
        chr_put(c, part, n);
        free(part);
    }
}

static void memory_close(struct chr *c)
{
    free(memory_of(c)->out);
    free(memory_of(c)->in);
}

static const struct chr_type memory_type = {
    .name = "memory",
    .size = sizeof(struct memory),
    .write = memory_write,
    .wake = memory_wake,
    .close = memory_close,
};

struct chr *chr_memory(void)
{
    static const struct chr_env nowhere;
    struct chr *c = chr_new(&nowhere, &memory_type, "memory");

    c->connected = true;
    return c;
}

const uint8_t *chr_memory_output(struct chr *c, size_t *len)
{
    *len = memory_of(c)->out_len;
    return memory_of(c)->out;
}

void chr_memory_input(struct chr *c, const void *buf, size_t len)
{
    append(&memory_of(c)->in, &memory_of(c)->in_len, buf, len);
    memory_wake(c);
}
