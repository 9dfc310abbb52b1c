/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-1 (FIPS 180-4) of some bytes, for protocols that want it; good for nothing that must be safe. */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { SHA1_LEN = 20 };

void sha1(const void *data, size_t len, uint8_t sum[SHA1_LEN]);

#endif
