/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signal frames of i386, and the page that restores them. */
#ifndef USER_X86_FRAME32_H
#define USER_X86_FRAME32_H

#include "user/x86/x86_abi.h"

/* At p->vdso_sigreturn is __kernel_sigreturn, this far on __kernel_rt_sigreturn. */
enum { VDSO32_RT = 32 };

bool x86_push_frame32(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info, uint64_t saved_mask);
bool x86_pop_frame32(struct task *t, uint64_t *mask);

#endif
