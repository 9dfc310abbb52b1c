/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secure virtual machine: guests of a machine's CPU (AMD64 APM volume 2, chapter 15; the control block: appendix B).
 *
 * A CPU that runs a guest has its mode's X86_MODE_GUEST; what may be intercepted then asks here.  The host's state is kept in struct
 * x86_svm, not in the host save area, whose contents are nobody's business (15.30.4).
 */
#ifndef GUEST_X86_SVM_H
#define GUEST_X86_SVM_H

#include "guest/x86/x86.h"

/* Exit codes; up to bit 31 of the sixth word of intercepts they are the number of the bit, too (appendix C). */
enum x86_exit {
    EXIT_CR_READ = 0, EXIT_CR_WRITE = 0x10, EXIT_DR_READ = 0x20, EXIT_DR_WRITE = 0x30, EXIT_EXCEPTION = 0x40,
    EXIT_INTR = 0x60, EXIT_NMI, EXIT_SMI, EXIT_INIT, EXIT_VINTR, EXIT_CR0_SEL_WRITE, EXIT_IDTR_READ, EXIT_GDTR_READ, EXIT_LDTR_READ,
    EXIT_TR_READ, EXIT_IDTR_WRITE, EXIT_GDTR_WRITE, EXIT_LDTR_WRITE, EXIT_TR_WRITE, EXIT_RDTSC, EXIT_RDPMC, EXIT_PUSHF, EXIT_POPF,
    EXIT_CPUID, EXIT_RSM, EXIT_IRET, EXIT_SWINT, EXIT_INVD, EXIT_PAUSE, EXIT_HLT, EXIT_INVLPG, EXIT_INVLPGA, EXIT_IOIO, EXIT_MSR,
    EXIT_TASK_SWITCH, EXIT_FERR_FREEZE, EXIT_SHUTDOWN,
    EXIT_VMRUN = 0x80, EXIT_VMMCALL, EXIT_VMLOAD, EXIT_VMSAVE, EXIT_STGI, EXIT_CLGI, EXIT_SKINIT, EXIT_RDTSCP, EXIT_ICEBP, EXIT_WBINVD,
    EXIT_MONITOR, EXIT_MWAIT, EXIT_MWAIT_ARMED, EXIT_XSETBV, EXIT_RDPRU, EXIT_EFER_WRITTEN, EXIT_CR_WRITTEN,
    EXIT_INVPCID = 0xa2, EXIT_NPF = 0x400, EXIT_INVALID = -1,
};

/* EVENTINJ and EXITINTINFO: the vector in the low byte (15.20). */
enum { EVENT_INTR = 0, EVENT_NMI = 2 << 8, EVENT_EXCEPTION = 3 << 8, EVENT_SOFT = 4 << 8, EVENT_TYPE = 7 << 8, EVENT_ERROR = 1 << 11 };
#define EVENT_VALID (1ull << 31)

/* VMCB offset 60h. */
enum {
    VINT_TPR = 0xff, VINT_IRQ = 1 << 8, VINT_GIF = 1 << 9, VINT_PRIO = 15 << 16, VINT_IGN_TPR = 1 << 20, VINT_MASKING = 1 << 24,
    VINT_GIF_ON = 1 << 25,
};

/* What VMRUN puts away. */
struct x86_host {
    uint64_t cr0, cr3, cr4, efer, rip, rsp, rax, pat;
    uint32_t rflags;
    struct x86_segment seg[X86_DS + 1]; /* ES, CS, SS, DS */
    uint64_t base[X86_DS + 1];
    uint64_t gdt_base, idt_base;
    uint32_t gdt_limit, idt_limit;
};

struct x86_svm {
    bool guest;    /* one runs */
    bool np;       /* nested paging */
    uint16_t pauses; /* left until PAUSE is intercepted */
    uint32_t asid;
    uint32_t intercept[6];
    uint64_t vmcb, iopm, msrpm, tsc_offset, ncr3;
    uint64_t vint;   /* VMCB offset 60h, as it is now */
    uint64_t event;  /* what is being delivered, as EXITINTINFO; 0: nothing */
    uint64_t npf;    /* the error code of a nested page fault that a walk found */
    struct x86_host host;
};

struct cpu;
struct x86_sys;

/* --- svm.c --- */

/** x86_vmrun - the guest of the control block at physical @pa; returns to @next.  Leaves translated code.  False: #GP raised. */
bool x86_vmrun(struct cpu *cpu, uint64_t pa, uint64_t next);
/** x86_vmexit - the guest is left for the reason @code; after it, cpu->stop is CPU_STOP_NONE.  pc is where the guest goes on. */
void x86_vmexit(struct cpu *cpu, int64_t code, uint64_t info1, uint64_t info2);
/** x86_vmload, x86_vmsave - the other half of the state, from and to the block at @pa. */
bool x86_vmload(struct cpu *cpu, uint64_t pa);
bool x86_vmsave(struct cpu *cpu, uint64_t pa);

/* --- svm_intercept.c --- */

/** x86_guest - a guest runs, and not the handler of an SMI in it. */
bool x86_guest(const struct x86_sys *s);
/** x86_catches - @code is intercepted now. */
bool x86_catches(const struct x86_sys *s, unsigned code);
/** x86_intercept - in a helper: if the instruction is intercepted as @code, the guest is left.  True: cpu->stop is set. */
bool x86_intercept(struct cpu *cpu, unsigned code, uint64_t info1, uint64_t info2);
/** x86_intercept_io - IN, OUT, INS, OUTS: @info as EXITINFO1 without the port. */
bool x86_intercept_io(struct cpu *cpu, uint16_t port, unsigned size, uint32_t info);
bool x86_intercept_msr(struct cpu *cpu, uint32_t msr, bool write);
/** x86_intercept_cr - MOV to or from CR @n; @reg: 0..15, or -1: another instruction. */
bool x86_intercept_cr(struct cpu *cpu, unsigned n, bool write, int reg);
bool x86_intercept_cr0(struct cpu *cpu, uint64_t new, int reg);
/** x86_intercept_task - a task switch: far.c and exception.c know why.  @flags: EXITINFO2. */
bool x86_intercept_task(struct cpu *cpu, uint16_t sel, uint64_t flags);
/** x86_virtual_interrupt - V_IRQ would be taken now, but for the shadow. */
bool x86_virtual_interrupt(const struct x86_sys *s);
/** x86_if - are physical interrupts on? */
bool x86_if(const struct x86_sys *s);

#endif
