/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries that few commands need, loaded when they are: linking them would double the time that
 * `qemu-img info` takes.  lazy_NAME.h has the functions, under their own names.
 */
#ifndef BLOCK_LAZY_H
#define BLOCK_LAZY_H

#include "base/err.h"

/* struct lazy_function - one function and the pointer that calls go through; a NULL name ends a list. */
struct lazy_function {
    const char *name;
    void **to;
};

/** lazy_load - fill all pointers from the library @soname; again: does nothing.  Any thread.
 *  -ENOENT: it is not installed, or too old. */
int lazy_load(const char *soname, const struct lazy_function *functions, struct err *e);

#endif
