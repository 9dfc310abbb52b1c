/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 128-bit vector in memory; lane 0 is the least significant (little-endian hosts). */
#ifndef BASE_VEC128_H
#define BASE_VEC128_H

#include <stdint.h>

/** union vec128 - one vector register, by lane size in bytes: 1, 2, 4, 8. */
union vec128 {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t s[4];
    uint64_t d[2];
};

#endif
