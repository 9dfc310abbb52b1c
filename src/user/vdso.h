/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vDSO that guest programs find through AT_SYSINFO_EHDR (vdso(7)). */
#ifndef USER_VDSO_H
#define USER_VDSO_H

#include "user/user.h"

/** vdso_map - map it and set p->vdso and p->vdso_sigreturn; 0 or a negative errno. */
int vdso_map(struct process *p);
/** vdso_serve - tell the new p->engine where it is and what it may ask for. */
void vdso_serve(struct process *p);

#endif
