/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory for full helpers whose instruction moves more than translated code does, or not always the same. */
#ifndef GUEST_X86_COPY_H
#define GUEST_X86_COPY_H

#include "guest/x86/x86.h"

#include <stddef.h>

enum { X86_PAGE = 4096 };

/** x86_copy_in, x86_copy_out - @len bytes at the linear address @addr, in accesses of up to eight bytes.  False: one faulted, cpu->stop is
 * set, and the helper returns at once; nothing was written. */
bool x86_copy_in(struct cpu *cpu, void *to, uint64_t addr, size_t len);
bool x86_copy_out(struct cpu *cpu, uint64_t addr, const void *from, size_t len);

#endif
