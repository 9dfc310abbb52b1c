/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which signal an exception becomes, as x86 Linux has it (signal(7), sigaction(2)); error codes: SDM 3A 4.7 and 6.13.
 * And the vsyscall page of old 64-bit programs, which is not mapped: whoever jumps there gets the call.
 */
#include "user/x86/x86_abi.h"

enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

#define VSYSCALL_PAGE 0xffffffffff600000ull

static void give(struct task *t, int sig, int code, uint64_t addr, unsigned vector, uint64_t error)
{
    t->trap_number = vector;
    t->trap_error = error;
    signal_fault(t, sig, code, addr, 0);
}

static void page_fault(struct task *t, uint64_t addr, uint64_t error)
{
    int code = mm_fault_code(t->proc, addr);

    t->trap_addr = addr;
    give(t, SIGSEGV, code, addr, X86_EXC_PF, error | PF_USER | (code == SEGV_ACCERR ? PF_PRESENT : 0));
}

static void data_fault(struct task *t)
{
    const struct cpu *cpu = t->cpu;
    uint64_t error = cpu->fault_write ? PF_WRITE : 0;

    if (cpu->fault_signo == SIGSEGV && cpu->fault_code != SI_KERNEL && mm_written(t, cpu->fault_addr)) {
        if (t->stop != CPU_STOP_NONE)
            x86_trap(t, t->stop);
        return;
    }
    if (cpu->fault_signo == SIGBUS) {
        t->trap_addr = cpu->fault_addr;
        give(t, SIGBUS, cpu->fault_code, cpu->fault_addr, X86_EXC_PF, error | PF_USER);
    } else if (cpu->fault_code == SI_KERNEL) { /* not an address: bits 63 to 47 differ */
        give(t, SIGSEGV, SI_KERNEL, 0, X86_EXC_GP, 0);
    } else {
        page_fault(t, cpu->fault_addr, error);
    }
}

/* --- The vsyscall page (Documentation/arch/x86/x86_64/mm.rst): three functions, 1024 bytes apart */

static bool vsyscall(struct task *t)
{
    struct x86_state *s = x86(t->cpu);
    static sys_fn *const calls[] = {sys_gettimeofday, NULL, NULL};
    uint64_t n = (t->cpu->pc - VSYSCALL_PAGE) >> 10, back;
    uint64_t a[6] = {s->r[X86_DI], s->r[X86_SI], s->r[X86_DX]};

    if (t->proc->abi->word != 8 || t->cpu->pc < VSYSCALL_PAGE || n > 2 || (t->cpu->pc & 1023) ||
        guest_read(t->cpu, &back, s->r[X86_SP], 8) < 0)
        return false;
    s->r[X86_AX] = (uint64_t)(calls[n] ? calls[n](t, a) : n == 1 ? HOST(__NR_time, host_addr(t, a[0]))
                              : HOST(__NR_getcpu, host_addr(t, a[0]), host_addr(t, a[1]), 0));
    s->r[X86_SP] += 8;
    t->cpu->pc = back;
    return true;
}

static void fetch_fault(struct task *t)
{
    uint64_t pc = t->cpu->pc;

    if (vsyscall(t))
        return;
    if ((int64_t)(pc << 16) >> 16 != (int64_t)pc)
        give(t, SIGSEGV, SI_KERNEL, 0, X86_EXC_GP, 0);
    else
        page_fault(t, pc, PF_FETCH);
}

/* --- Exceptions */

/* Of the exceptions that are raised and not masked, the one that Linux names: @raised has x87's order, and so has MXCSR. */
static int fp_code(unsigned raised)
{
    return raised & 1 ? FPE_FLTINV : raised & 4 ? FPE_FLTDIV : raised & 8 ? FPE_FLTOVF
         : raised & (2 | 16) ? FPE_FLTUND : raised & 32 ? FPE_FLTRES : 0;
}

static void exception(struct task *t, unsigned vector, uint32_t error)
{
    const struct x86_state *s = x86(t->cpu);
    uint64_t pc = t->cpu->pc;
    uint32_t mxcsr;

    switch (vector) {
    case X86_EXC_DE:
        give(t, SIGFPE, FPE_INTDIV, pc, vector, 0);
        break;
    case X86_EXC_DB:
        give(t, SIGTRAP, TRAP_TRACE, pc, vector, 0);
        break;
    case X86_EXC_BP:
        give(t, SIGTRAP, SI_KERNEL, 0, vector, 0);
        break;
    case X86_EXC_UD:
        give(t, SIGILL, ILL_ILLOPN, pc, vector, 0);
        break;
    case X86_EXC_NP:
    case X86_EXC_SS:
        give(t, SIGBUS, SI_KERNEL, 0, vector, error);
        break;
    case X86_EXC_AC:
        give(t, SIGBUS, BUS_ADRALN, pc, vector, 0);
        break;
    case X86_EXC_MF:
        give(t, SIGFPE, fp_code(s->fsw & ~s->fcw), pc, vector, 0);
        break;
    case X86_EXC_XM:
        mxcsr = x86_get_mxcsr(t->cpu);
        give(t, SIGFPE, fp_code(mxcsr & ~(mxcsr >> 7)), pc, vector, 0);
        break;
    default: /* #GP, and what Linux makes of #OF and #BR */
        give(t, SIGSEGV, SI_KERNEL, 0, vector, error);
        break;
    }
}

/* INT n: only breakpoints and overflow may be called for. */
static void software_interrupt(struct task *t, unsigned vector, unsigned len)
{
    if (vector == X86_EXC_BP || vector == X86_EXC_OF) {
        t->cpu->pc += len;
        exception(t, vector, 0);
    } else {
        exception(t, X86_EXC_GP, vector << 3 | 2);
    }
}

static void guest_stop(struct task *t, uint64_t detail)
{
    unsigned vector = X86_DETAIL_VECTOR(detail);

    switch (X86_DETAIL_WHY(detail)) {
    case X86_STOP_EXCEPTION:
        exception(t, vector, X86_DETAIL_ERROR(detail));
        break;
    case X86_STOP_INT:
        software_interrupt(t, vector, X86_DETAIL_LEN(detail));
        break;
    case X86_STOP_CHANGED: /* the instruction is not what was translated */
        mm_code_changed(t->proc, t->cpu->pc, t->cpu->isa->longest);
        break;
    default: /* HLT and its like are for kernels */
        exception(t, X86_EXC_GP, 0);
        break;
    }
}

void x86_trap(struct task *t, enum cpu_stop stop)
{
    switch (stop) {
    case CPU_STOP_FAULT:
        data_fault(t);
        break;
    case CPU_STOP_FETCH_FAULT:
        fetch_fault(t);
        break;
    case CPU_STOP_UNDEFINED:
        exception(t, X86_EXC_UD, 0);
        break;
    case CPU_STOP_BREAKPOINT: /* INT3, one byte */
        t->cpu->pc++;
        exception(t, X86_EXC_BP, 0);
        break;
    case CPU_STOP_ALIGN:
        exception(t, X86_EXC_AC, 0);
        break;
    case CPU_STOP_GUEST:
        guest_stop(t, t->cpu->detail);
        break;
    default:
        break;
    }
}
