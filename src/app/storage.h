/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the storage programs share: the names they are called by, opening from the command line. */
#ifndef APP_STORAGE_H
#define APP_STORAGE_H

#include "base/err.h"
#include "block/block.h"
#include "block/env.h"

#include <stdbool.h>

/* Exit status of the programs, by the name they are called by. */
int main_img(int argc, char **argv);
int main_io(int argc, char **argv);
int main_nbd(int argc, char **argv);

/* "qemu-img: MESSAGE" on stderr; returns 1, the exit status. */
int storage_fail(const struct err *e);

extern const char *storage_name; /* argv[0] without folders: the only global, set once by main */

/* An environment whose warnings go to stderr. */
struct blk_env *storage_env(void);

/* --object TEXT (key=value or JSON). */
int storage_add_object(struct blk_env *env, const char *text, struct err *e);

/* -t and -T words (none, writeback, writethrough, directsync, unsafe) into flags. */
int storage_cache_flags(const char *mode, unsigned *flags, struct err *e);

/**
 * storage_open - an image as a command line names it.
 * @format: -f, or NULL to probe; @image_opts: @name is "driver=...,..." rather than a file
 */
struct blk *storage_open(struct blk_env *env, const char *name, const char *format, bool image_opts,
                         unsigned flags, struct err *e);

/* "Format specific information:" and the members of @specific (struct blk_info), indented. */
struct json_object;
void storage_print_specific(struct json_object *specific);

#define STORAGE_VERSION   "7.2.22"
#define STORAGE_COPYRIGHT "Copyright (c) 2026 the Emu developers"

#endif
