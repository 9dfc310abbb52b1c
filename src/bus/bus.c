/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buses of a machine by name, and reports about devices that cannot flood the log. */
#include "bus/machine_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORTS = 10 };

void bus_add(struct dev *owner, struct bus *b, const char *name)
{
    struct bus **at;

    if (bus_find(owner->m, name))
        bug("two buses are called '%s'", name);
    b->name = bus_strdup(name);
    b->owner = owner;
    b->devs = NULL;
    b->next = b->next_of_dev = NULL;
    for (at = &owner->buses; *at;)
        at = &(*at)->next_of_dev;
    *at = b;
    for (at = &owner->m->buses; *at;)
        at = &(*at)->next;
    *at = b;
}

void bus_remove(struct bus *b)
{
    struct bus **at;

    for (at = &b->owner->buses; *at != b;)
        at = &(*at)->next_of_dev;
    *at = b->next_of_dev;
    for (at = &b->owner->m->buses; *at != b;)
        at = &(*at)->next;
    *at = b->next;
    free(b->name);
    b->name = NULL;
}

struct bus *bus_find(struct machine *m, const char *name)
{
    for (struct bus *b = m->buses; b; b = b->next)
        if (!strcmp(b->name, name))
            return b;
    return NULL;
}

static void report(struct dev *d, const char *fmt, va_list ap)
{
    void (*log)(void *opaque, const char *text) = d->m->log; /* a monitor may take it away meanwhile */
    char text[400];
    int n;

    if (!log || d->reports > REPORTS)
        return;
    n = snprintf(text, sizeof(text), "%s: ", d->id ? d->id : d->type->name);
    if (n < 0 || (size_t)n >= sizeof(text))
        n = 0;
    vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
    if (d->reports++ == REPORTS)
        snprintf(text + n, sizeof(text) - (size_t)n, "further reports are left out");
    log(d->m->log_opaque, text);
}

void guest_error(struct dev *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(d, fmt, ap);
    va_end(ap);
}

void host_error(struct dev *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(d, fmt, ap);
    va_end(ap);
}
