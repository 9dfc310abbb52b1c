/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of x86's two Linux ABIs share (struct user_abi abi_x86_64 and abi_i386); contracts are abi.h's. */
#ifndef USER_X86_ABI_H
#define USER_X86_ABI_H

#include "guest/x86/x86.h"
#include "user/sys.h"

/* Trap numbers are exception vectors (struct task, trap). */

/* cpu.c: models, capabilities */
int x86_abi_check_cpu64(const char *text, struct err *e);
int x86_abi_check_cpu32(const char *text, struct err *e);
int x86_abi_choose64(struct cpu *cpu, const char *text);
int x86_abi_choose32(struct cpu *cpu, const char *text);
void x86_abi_hwcap(const struct cpu *cpu, uint64_t out[2]);
void x86_abi_cpuinfo(const struct process *p, const struct cpu *cpu, long n, FILE *out);
uint64_t x86_abi_sp(const struct cpu *cpu);
void x86_abi_set_sp(struct cpu *cpu, uint64_t sp);

/* trap.c */
void x86_trap(struct task *t, enum cpu_stop stop);

/* xstate.c: the floating-point part of signal frames */

/** xstate_bytes - how much of the stack it takes, without alignment. */
size_t xstate_bytes(const struct cpu *cpu);
/** xstate_put - write it at guest address @addr, a multiple of 64; false: no room. */
bool xstate_put(struct cpu *cpu, uint64_t addr, bool code64);
/** xstate_get - take it from there; 0: the state of a new program.  False: it is not one. */
bool xstate_get(struct cpu *cpu, uint64_t addr, bool code64);

/* frame64.c */
bool x86_push_frame64(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info, uint64_t saved_mask);
bool x86_pop_frame64(struct task *t, uint64_t *mask);

/* What user code may set in EFLAGS by a signal's return. */
#define X86_FL_RESTORED                                                                                                  \
    ((uint32_t)(X86_FL_AC | X86_FL_OF | X86_FL_DF | X86_FL_TF | X86_FL_SF | X86_FL_ZF | X86_FL_AF | X86_FL_PF | X86_FL_CF | \
                X86_FL_RF))

#endif
