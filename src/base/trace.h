/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace points: rows of a table in the file that fires them.  Off, each costs a predicted branch.
 * TRACE(&uart_trace[TP_TX], "byte=%#x", byte) prints "ns16550_tx byte=0x41" where -trace says.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdbool.h>

struct trace_point {
    const char *name;
    bool on;
};

#define TRACE(point, ...)                                                                          \
    do {                                                                                           \
        if (__builtin_expect((point)->on, 0))                                                      \
            trace_fire(point, __VA_ARGS__);                                                        \
    } while (0)

void trace_fire(const struct trace_point *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/** trace_to - where lines go; NULL: standard error. */
void trace_to(void (*fn)(void *opaque, const char *line), void *opaque);

#endif
