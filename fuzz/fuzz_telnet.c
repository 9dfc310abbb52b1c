/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a telnet client sends: however it is cut into pieces it means the same, and answers are few. */
#include "ui/telnet.h"

#include <stdlib.h>
#include <string.h>

enum { MAX = 4096 };

int fuzz_one(const uint8_t *data, size_t len);

struct seen {
    uint8_t replies[TELNET_ANSWER_MAX];
    size_t replies_n, breaks;
};

static void reply(void *opaque, const uint8_t *buf, size_t len)
{
    struct seen *s = opaque;

    if (s->replies_n + len > sizeof(s->replies))
        abort();
    memcpy(s->replies + s->replies_n, buf, len);
    s->replies_n += len;
}

static void brk(void *opaque)
{
    ((struct seen *)opaque)->breaks++;
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static uint8_t whole[MAX], parts[MAX], coded[2 * MAX];
    static struct seen a, b;
    struct telnet t = {0}, u = {0};
    size_t n, m = 0;

    len = len < MAX ? len : MAX;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    n = telnet_decode(&t, data, len, whole, &(struct telnet_out){reply, brk, &a});
    for (size_t i = 0; i < len; i++)
        m += telnet_decode(&u, data + i, 1, parts + m, &(struct telnet_out){reply, brk, &b});
    if (n > len || n != m || memcmp(whole, parts, n) || memcmp(&a, &b, sizeof(a)))
        abort();
    /* What is encoded is decoded. */
    m = telnet_encode(whole, n, coded);
    t = (struct telnet){0};
    if (telnet_decode(&t, coded, m, coded, &(struct telnet_out){reply, brk, &a}) != n ||
        memcmp(coded, whole, n))
        abort();
    return 0;
}
