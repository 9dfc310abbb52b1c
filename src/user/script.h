/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts: the #! line (execve(2), "Interpreter scripts"). */
#ifndef USER_SCRIPT_H
#define USER_SCRIPT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_LINE = 256, SCRIPT_DEPTH = 5 };

/** struct script - arguments as they become while #! lines are followed.  Start with argv set. */
struct script {
    char **argv;
    char *interp; /* the last line's program */
    unsigned depth;
};

/** script_parse - split a #! line: @interp and @arg (NULL when there is none) point into @line,
 * a copy of the file's first @len bytes.  1: a script, 0: none, negative errno: a bad one. */
int script_parse(char line[SCRIPT_LINE + 1], size_t len, char **interp, char **arg);

/**
 * script_line - when @head, the first @len bytes of @path, is a script, make argv what Linux would:
 * interpreter, its one argument, path, then the old arguments but the first.
 * 1: look at s->interp next; 0: not a script; negative errno with a message.
 */
int script_line(struct script *s, const uint8_t *head, size_t len, const char *path,
                struct err *e);

#endif
