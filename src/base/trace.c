/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace points: lines to whoever asked, standard error otherwise. */
#include "base/trace.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static void to_stderr(void *opaque, const char *line)
{
    fprintf(stderr, "%s\n", line);
}

/* Set once, before other threads start. */
static void (*out)(void *opaque, const char *line) = to_stderr;
static void *out_opaque;

void trace_to(void (*fn)(void *opaque, const char *line), void *opaque)
{
    out = fn ? fn : to_stderr;
    out_opaque = opaque;
}

void trace_fire(const struct trace_point *p, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    int n = snprintf(line, sizeof(line), "%s ", p->name);

    if (n < 0 || (size_t)n >= sizeof(line))
        n = 0;
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
    va_end(ap);
    out(out_opaque, line);
}
