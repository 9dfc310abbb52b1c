/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest instructions as assemblers write them, for logs and monitors of machines: by a library, when a program brings one. */
#ifndef GUEST_DISAS_H
#define GUEST_DISAS_H

#include <stddef.h>
#include <stdint.h>

enum disas_code { DISAS_A64, DISAS_X86_16, DISAS_X86_32, DISAS_X86_64, DISAS_KINDS };

/**
 * disas_fn - the instruction at @code, of @avail bytes, as a line of text without its address: the code in hexadecimal, name, operands
 * (of x86 in AT&T's order), the name in the column where readers of QEMU's logs have it.  What does not fit a line goes on in another,
 * which begins with its address.
 *
 * Any thread.  Returns the instruction's length; 0 when it is not known.
 */
typedef unsigned disas_fn(enum disas_code kind, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len);

/** disas_use - from now on @by writes them; before there are CPUs. */
void disas_use(disas_fn *by);
/** disas - what it writes; 0, too, when there is none. */
disas_fn disas;

#endif
