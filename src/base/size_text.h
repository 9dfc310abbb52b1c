/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes as people write and read them: "64M", "1.5G", "2.27 MiB". */
#ifndef BASE_SIZE_TEXT_H
#define BASE_SIZE_TEXT_H

#include "base/err.h"

#include <stdint.h>

/**
 * size_parse - a number of bytes: decimal or 0x hexadecimal, an optional fraction (decimal only) and
 * an optional suffix b k K M G T P E, powers of 1024.  @unit multiplies a number without suffix (1, or
 * 1 MiB for memory sizes).
 *
 * Returns 0; -EINVAL (not a size), -ERANGE (negative, or 2^64 and more).  @e says so in few words;
 * the caller wraps it with the option's name.
 */
int size_parse(const char *text, uint64_t unit, uint64_t *bytes, struct err *e);

enum { SIZE_TEXT_MAX = 32 };

/* size_text - three significant digits and the unit, "196 KiB", "2.27 MiB", "0 B"; returns @buf. */
char *size_text(uint64_t bytes, char buf[SIZE_TEXT_MAX]);

#endif
