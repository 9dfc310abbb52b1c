/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translating engine (for the moment: the interpreter in its place). */
#include "cpu/engine.h"

enum cpu_stop jit_run(struct cpu *cpu)
{
    return interp_run(cpu, 0);
}

void jit_init_cpu(struct cpu *cpu)
{
}

void jit_invalidate(struct engine *e, uint64_t start, uint64_t len)
{
}

void jit_after_fork(struct engine *e, bool child)
{
}

bool jit_fault(struct cpu *cpu, siginfo_t *info, void *ucontext)
{
    return false;
}
