/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of emu-user: one table for the command line, EMU_OPTS, the QEMU_* variables and the help. */
#ifndef APP_USER_OPTS_H
#define APP_USER_OPTS_H

#include "user/abi.h"
#include "user/user.h"

/** struct user_cli - everything said on the command line and in the environment. */
struct user_cli {
    const char *name; /* what we were called */
    const struct user_abi *abi; /* by that name or --arch; NULL: the program tells */
    struct user_opts opts;
    char **env;       /* the guest's environment: a copy, changed as -E and -U say */
    size_t n_env;
    int first;        /* index of the program in argv */
    bool done;        /* help or the version was printed: exit with 0 */
};

/**
 * opts_parse - read EMU_OPTS and the QEMU_* variables, then the options.  @trusted is false when we run with
 * more rights than our caller has: then no variable counts.
 */
int opts_parse(struct user_cli *c, int argc, char **argv, char **envp, bool trusted,
               struct err *e);

/** opts_inherit - options of a program that another instance of ours runs for its guest: the
 * variables, but for those that change arguments and environment. */
int opts_inherit(struct user_cli *c, char **envp, struct err *e);

/** opts_default_prefix - without -L: the folder of @abi's libraries, if there is one; a -L that is not there does not count. */
void opts_default_prefix(struct user_opts *o, const struct user_abi *abi);

/** opts_unset - take a variable out of the guest's environment. */
void opts_unset(struct user_cli *c, const char *name);

#endif
