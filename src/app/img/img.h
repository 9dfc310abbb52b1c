/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img's commands: each is one file and one row of commands.def. */
#ifndef APP_IMG_IMG_H
#define APP_IMG_IMG_H

#include "app/storage.h"

/* struct img_command - what `qemu-img NAME` runs; returns the exit status. */
struct img_command {
    const char *name;
    const char *usage;                 /* its options, as `--help` prints them after the name */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

#endif
