/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's registers as gdb numbers them (gdb manual, "AArch64 Features"). */
#ifndef USER_GDB_REGS_H
#define USER_GDB_REGS_H

#include "cpu/cpu.h"

enum { GDB_NUM_REGS = 69 };

/** gdb_reg_size - bytes of register @n, at most 16. */
size_t gdb_reg_size(unsigned n);
void gdb_reg_read(struct cpu *cpu, unsigned n, uint8_t out[16]);
void gdb_reg_write(struct cpu *cpu, unsigned n, const uint8_t in[16]);

/** gdb_describe - the target description, in XML. */
void gdb_describe(char *text, size_t size);

#endif
