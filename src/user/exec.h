/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one instance of the emulator tells the next one when its guest calls execve (exec.c). */
#ifndef USER_EXEC_H
#define USER_EXEC_H

#include "user/user.h"

#define EXEC_VARIABLE "EMU_EXEC"

/** struct handover - the next program, already open, and the options that go on. */
struct handover {
    int fd;
    int self_fd;      /* open on our own program, or -1 */
    const char *name; /* the path as the guest gave it: AT_EXECFN */
    struct user_opts opts;
};

/** handover_write - "EMU_EXEC=..." on the heap; NULL when memory is out. */
char *handover_write(const struct handover *h);
/** handover_read - the reverse, from the value; strings stay on the heap.  Options that the text
 * does not name keep their value.  0 or -EINVAL. */
int handover_read(struct handover *h, const char *value);

/** exec_high_fd - move @fd where programs do not look, close-on-exec; returns the new one. */
int exec_high_fd(int fd);

#endif
