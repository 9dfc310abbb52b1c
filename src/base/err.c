/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors as values; see err.h. */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    e->code = code;
    vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
    va_end(ap);
    return code;
}

int err_wrap(struct err *e, int code, const char *fmt, ...)
{
    char inner[sizeof(e->msg)];
    va_list ap;
    size_t n;

    memcpy(inner, e->msg, sizeof(inner));
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
    va_end(ap);
    n = strlen(e->msg);
    snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", inner);
    e->code = code;
    return code;
}

static void say(const char *prefix, const char *fmt, va_list ap)
{
    fputs(prefix, stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

void fatal(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("emu: ", fmt, ap);
    va_end(ap);
    _exit(1);
}

void bug(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("emu: bug: ", fmt, ap);
    va_end(ap);
    abort();
}
