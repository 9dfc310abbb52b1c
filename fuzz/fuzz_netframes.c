/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a peer of -netdev stream sends: frames mean the same however they are cut, and none is longer than a packet. */
#include "net/frames.h"

#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

struct seen {
    size_t packets, bytes, sum;
};

static void packet(void *opaque, const uint8_t *buf, size_t len)
{
    struct seen *s = opaque;

    if (!len || len > NET_MAX_PACKET)
        abort();
    s->packets++;
    s->bytes += len;
    for (size_t i = 0; i < len; i++)
        s->sum = s->sum * 31 + buf[i];
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static struct frames a, b;
    struct seen whole = {0}, parts = {0};
    int r, k = 0;

    a.head_n = b.head_n = 0;
    r = frames_take(&a, data, len, packet, &whole);
    for (size_t i = 0; i < len && !k; i++)
        k = frames_take(&b, data + i, 1, packet, &parts);
    if (r != k || memcmp(&whole, &parts, sizeof(whole)) || whole.bytes + 4 * whole.packets > len)
        abort();
    return 0;
}
