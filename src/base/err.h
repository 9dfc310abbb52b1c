/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors as values: the message is written once, where the fault is found, in the user's words. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/** struct err - one failure.  Zero-initialise it; @code is 0 while nothing has failed. */
struct err {
    int code;      /* negative errno */
    char msg[512]; /* no newline, no trailing full stop; cut when longer */
};

/* For callers that truly do not care about the message: says so aloud. */
#define ERR_IGNORE (&(struct err){0})

/** err_set - record a failure; returns @code, which is a negative errno.  @e is never NULL. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** err_wrap - put "what we were doing: " in front of the message; returns @code. */
int err_wrap(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** fatal - say what the machine could not give us, and end with status 1. */
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** bug - we are wrong: print "emu: bug: ..." and abort, in every build. */
_Noreturn void bug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
