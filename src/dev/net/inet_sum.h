/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet's checksum, for cards that compute it for their drivers (RFC 1071). */
#ifndef DEV_NET_INET_SUM_H
#define DEV_NET_INET_SUM_H

#include <stddef.h>
#include <stdint.h>

/** inet_sum - @sum and the big-endian words of @p, folded, not inverted; an odd last byte is the upper half of a word. */
static inline uint16_t inet_sum(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += p[i] << 8 | p[i + 1];
    if (len & 1)
        sum += p[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

#endif
