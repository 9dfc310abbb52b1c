/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the helpers of repeated string instructions are told in their first operand (string.c). */
#ifndef GUEST_X86_STRING_H
#define GUEST_X86_STRING_H

#include <stdbool.h>
#include <stdint.h>

/* @size: bytes of an element; @addr: of pointers and counter; @seg: the source's; @repne: REPNE, not REPE. */
static inline uint64_t x86_string_how(unsigned size, unsigned addr, unsigned seg, bool repne)
{
    return size | addr << 8 | seg << 16 | (unsigned)repne << 24;
}

#endif
