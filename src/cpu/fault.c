/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host faults: whose they are, and how the CPU that caused them goes on. */
#include "cpu/cpu.h"
#include "cpu/engine.h"

bool cpu_host_fault(struct cpu *cpu, int sig, siginfo_t *info, void *ucontext)
{
    if (sig == SIGFPE)
        return cpu && jit_fp_trap(cpu, ucontext);
    if (guard_fault(ucontext)) {
        if (cpu) {
            cpu->fault_signo = sig;
            cpu->fault_code = info->si_code;
            cpu->fault_addr = (uint64_t)(uintptr_t)info->si_addr;
        }
        return true;
    }
    return cpu && jit_fault(cpu, info, ucontext);
}
