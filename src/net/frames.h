/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets on a stream of bytes: each after its length, 32 bits big-endian ("-netdev socket" in the QEMU documentation). */
#ifndef NET_FRAMES_H
#define NET_FRAMES_H

#include "net/net.h"

enum { FRAME_HEAD = 4 };

/** struct frames - what has come of a packet so far; zero-initialised. */
struct frames {
    uint32_t have, want; /* bytes of the packet; @want is known when @head_n is 4 */
    uint8_t head[FRAME_HEAD], head_n;
    uint8_t packet[NET_MAX_PACKET];
};

/**
 * frames_take - @len bytes that have come; @packet is called for each that is whole.
 * Returns 0; -EPROTO when a length is none that a packet has: whoever sends that is no peer of ours.
 */
int frames_take(struct frames *f, const uint8_t *buf, size_t len,
                void (*packet)(void *opaque, const uint8_t *buf, size_t len), void *opaque);

#endif
