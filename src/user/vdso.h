/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vDSOs (vdso(7)): a page that looks like a shared object, with the functions that each architecture's Linux has in it.
 * Sources: System V ABI, chapters 4 and 5; symbol versions as in the LSB.
 */
#ifndef USER_VDSO_H
#define USER_VDSO_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { VDSO_CODE = 32, VDSO_SIZE = 4096 };

/** struct vdso_func - a function: its code at @code + @skip, so that what looks at pc - 1 finds something. */
struct vdso_func {
    const char *name;
    const char *version;
    uint8_t skip, len;
    uint8_t code[VDSO_CODE];
};

struct vdso {
    const char *soname;
    uint16_t machine;    /* e_machine */
    uint8_t word;        /* 4 or 8 */
    const struct vdso_func *funcs;
    unsigned n_funcs;
};

/** vdso_build - the page into @out; functions of one version are neighbours.  at[n]: where function n begins. */
void vdso_build(const struct vdso *v, uint8_t out[VDSO_SIZE], uint32_t *at);

#endif
