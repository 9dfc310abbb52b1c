/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vDSOs of x86-64 and i386 (vdso(7)). */
#ifndef USER_X86_VDSO_H
#define USER_X86_VDSO_H

struct process;

int x86_vdso_map64(struct process *p);
void x86_vdso_serve64(struct process *p);
/** x86_vdso_map32 - also sets p->at_sysinfo, __kernel_vsyscall. */
int x86_vdso_map32(struct process *p);
void x86_vdso_serve32(struct process *p);

#endif
