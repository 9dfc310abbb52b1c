/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gdb sees of programs and of machines alike; the rest is in gdb.c and gdb_system.c. */
#ifndef GUEST_AARCH64_GDB_H
#define GUEST_AARCH64_GDB_H

#include "cpu/cpu.h"

/* Numbers of registers. */
enum {
    A64_GDB_SP = 31,
    A64_GDB_PC,
    A64_GDB_CPSR,
    A64_GDB_V0,
    A64_GDB_FPSR = A64_GDB_V0 + 32,
    A64_GDB_FPCR,
    A64_GDB_TPIDR,
    A64_GDB_COMMON, /* so many */
};

extern const struct guest_gdb a64_gdb;        /* of programs */
extern const struct guest_gdb a64_gdb_system; /* of machines */

size_t a64_gdb_size(struct cpu *cpu, unsigned n);
/* All but CPSR, which programs see less of. */
bool a64_gdb_read(struct cpu *cpu, unsigned n, uint8_t *out);
bool a64_gdb_write(struct cpu *cpu, unsigned n, const uint8_t *in);
/** a64_gdb_describe_common - the features of these registers, into @f. */
void a64_gdb_describe_common(FILE *f);

#endif
