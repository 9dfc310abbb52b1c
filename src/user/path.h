/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths under the -L prefix, as the loader and exec need them. */
#ifndef USER_PATH_H
#define USER_PATH_H

#include "user/user.h"

/** path_resolve_follow - path_resolve() that also follows absolute links inside the prefix, as a
 * program running below it would see them. */
const char *path_resolve_follow(struct process *p, const char *path, char *buf);

#endif
