/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log, logfile, trace-event, info trace-events: what is logged, while the machine runs. */
#include "base/trace.h"
#include "dev/devices.h"
#include "mon/mon_priv.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

static void put(void *to, const char *text)
{
    mon_puts(to, text);
}

static int log_run(struct mon *m, const char *args, struct err *e)
{
    struct err why = {0};

    if (!m->env->log_items)
        return err_set(e, -ENOTSUP, "there is no log here");
    if (!*args || !strcmp(args, "help")) {
        m->env->log_help(put, m);
        return *args ? 0 : err_set(e, -EINVAL, "log: items expected");
    }
    if (m->env->log_items(m->env->opaque, args, &why) < 0)
        return err_set(e, -ENOENT, "%s", why.msg);
    return 0;
}

const struct mon_command cmd_log = {
    .name = "log",
    .args = "item1[,...]",
    .help = "activate logging of the specified items",
    .run = log_run,
};

static int logfile(struct mon *m, const char *args, struct err *e)
{
    struct err why = {0};

    if (!*args || !m->env->log_file)
        return err_set(e, -EINVAL, "logfile: filename expected");
    if (m->env->log_file(m->env->opaque, args, &why) < 0)
        return err_set(e, -EIO, "%s", why.msg);
    return 0;
}

const struct mon_command cmd_logfile = {
    .name = "logfile",
    .args = "filename",
    .help = "output logs to 'filename'",
    .run = logfile,
};

/* struct event - one walk over all trace points. */
struct event {
    struct mon *m;
    const char *pattern; /* shell wildcards; NULL: all */
    int set;             /* 0 off, 1 on, -1: print */
    unsigned n;
};

static void visit(struct trace_point *p, void *opaque)
{
    struct event *v = opaque;

    if (v->pattern && fnmatch(v->pattern, p->name, 0) != 0)
        return;
    v->n++;
    if (v->set >= 0)
        p->on = v->set;
    else
        mon_printf(v->m, "%s : state %d\n", p->name, p->on);
}

static int trace_event(struct mon *m, const char *args, struct err *e)
{
    char pattern[100], state[10];
    struct event v = {.m = m, .pattern = pattern};

    if (!mon_word(&args, pattern, sizeof(pattern)) || !mon_word(&args, state, sizeof(state)))
        return err_set(e, -EINVAL, "Expected 'on' or 'off'");
    v.set = !strcmp(state, "on") ? 1 : !strcmp(state, "off") ? 0 : -1;
    if (v.set < 0)
        return err_set(e, -EINVAL, "Expected 'on' or 'off'");
    if (mon_end(args, e) < 0)
        return e->code;
    dev_each_trace_point(visit, &v);
    if (!v.n)
        mon_printf(m, "unknown event \"%s\"\n", pattern);
    return 0;
}

const struct mon_command cmd_trace_event = {
    .name = "trace-event",
    .args = "name on|off",
    .help = "changes status of a specific trace event",
    .run = trace_event,
};

static int trace_events(struct mon *m, const char *args, struct err *e)
{
    char pattern[100];
    struct event v = {.m = m, .set = -1};

    v.pattern = mon_word(&args, pattern, sizeof(pattern)) ? pattern : NULL;
    if (mon_end(args, e) < 0)
        return e->code;
    dev_each_trace_point(visit, &v);
    return 0;
}

const struct mon_command info_trace_events = {
    .name = "trace-events",
    .args = "[name]",
    .help = "show available trace-events & their state",
    .run = trace_events,
};
