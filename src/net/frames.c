/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets on a stream of bytes, each after its length. */
#include "net/frames.h"

#include "base/bytes.h"

#include <errno.h>

int frames_take(struct frames *f, const uint8_t *buf, size_t len,
                void (*packet)(void *opaque, const uint8_t *buf, size_t len), void *opaque)
{
    while (len) {
        if (f->head_n < FRAME_HEAD) {
            f->head[f->head_n++] = *buf++;
            len--;
            if (f->head_n < FRAME_HEAD)
                continue;
            f->want = get_be32(f->head);
            f->have = 0;
            if (!f->want || f->want > NET_MAX_PACKET)
                return -EPROTO;
        }
        uint32_t n = (uint32_t)min_u64(len, f->want - f->have);

        memcpy(f->packet + f->have, buf, n);
        f->have += n;
        buf += n;
        len -= n;
        if (f->have == f->want) {
            f->head_n = 0;
            packet(opaque, f->packet, f->want);
        }
    }
    return 0;
}
