/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts: the #! line (execve(2), "Interpreter scripts"). */
#include "user/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *skip_blanks(char *s)
{
    return s + strspn(s, " \t");
}

int script_parse(char line[SCRIPT_LINE + 1], size_t len, char **interp, char **arg)
{
    char *end;
    size_t n = len < SCRIPT_LINE ? len : SCRIPT_LINE;

    if (n < 2 || line[0] != '#' || line[1] != '!')
        return 0;
    line[n] = 0;
    *interp = skip_blanks(line + 2);
    end = strchr(line, '\n');
    if (end)
        *end = 0;
    else if (n == SCRIPT_LINE && !strpbrk(*interp, " \t"))
        return -ENOEXEC; /* the interpreter's name itself may be cut */
    for (end = line + strlen(line); end > *interp && strchr(" \t", end[-1]); end--)
        end[-1] = 0;
    if (!**interp)
        return -ENOEXEC;
    *arg = strpbrk(*interp, " \t");
    if (*arg) {
        **arg = 0;
        *arg = skip_blanks(*arg + 1);
    }
    return 1;
}

static size_t count(char **v)
{
    size_t n = 0;

    while (v[n])
        n++;
    return n;
}

/* What this allocates lives as long as the process: it becomes the guest's argv. */
static int rewrite(struct script *s, const char *arg, const char *path)
{
    size_t n = count(s->argv), extra = arg ? 3 : 2, i = 0;
    char **v = calloc(n + extra + 1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    v[i++] = s->interp;
    if (arg)
        v[i++] = strdup(arg);
    v[i++] = strdup(path);
    if (n > 1)
        memcpy(&v[i], &s->argv[1], (n - 1) * sizeof(*v));
    s->argv = v;
    return 0;
}

int script_line(struct script *s, const uint8_t *head, size_t len, const char *path,
                struct err *e)
{
    char line[SCRIPT_LINE + 1], *interp, *arg;
    size_t n = len < SCRIPT_LINE ? len : SCRIPT_LINE;
    int r;

    memcpy(line, head, n);
    r = script_parse(line, n, &interp, &arg);
    if (r == 0)
        return 0;
    if (r < 0)
        return err_set(e, r, "its #! line names no interpreter, or a name longer than %d bytes",
                       SCRIPT_LINE);
    if (++s->depth > SCRIPT_DEPTH)
        return err_set(e, -ELOOP, "scripts that name scripts, more than %d deep", SCRIPT_DEPTH);
    s->interp = strdup(interp);
    if (!s->interp || rewrite(s, arg, path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return 1;
}
