/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that programs make (ldt.c). */
#ifndef USER_X86_LDT_H
#define USER_X86_LDT_H

#include "user/x86/x86_abi.h"

/** x86_set_tls_entry - the struct user_desc at guest address @addr becomes one of @cpu's TLS entries; @choose: entry -1 is a free
 * one, whose number is written back.  0 or a negative errno. */
int x86_set_tls_entry(struct cpu *cpu, uint64_t addr, bool choose);

#endif
