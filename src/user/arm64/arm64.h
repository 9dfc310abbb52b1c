/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of arm64's Linux share (struct user_abi abi_aarch64); contracts are abi.h's. */
#ifndef USER_ARM64_H
#define USER_ARM64_H

#include "guest/aarch64/aarch64.h"
#include "user/sys.h"

bool arm64_push_frame(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info, uint64_t saved_mask);
bool arm64_pop_frame(struct task *t, uint64_t *mask);
void arm64_trap(struct task *t, enum cpu_stop stop);
void arm64_cpuinfo(const struct process *p, const struct cpu *cpu, long n, FILE *out);
int arm64_vdso_map(struct process *p);
void arm64_vdso_serve(struct process *p);

#endif
