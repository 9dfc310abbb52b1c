/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -D, -d and -trace: what is logged, and where it goes. */
#include "app/system/sys.h"

#include "base/nearest.h"
#include "base/trace.h"
#include "dev/devices.h"
#include "schema/keyval.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_ERRORS = 1u << 30, LOG_NOCHAIN = 1u << 29 };

static const struct {
    const char *name;
    unsigned bits;
    const char *help;
} items[] = {
    {"out_asm", ENGINE_LOG_HOST, "host code of each translation"},
    {"in_asm", ENGINE_LOG_CODE, "guest code of each translation"},
    {"op", ENGINE_LOG_IR, "IR of each translation as lifted"},
    {"op_opt", ENGINE_LOG_IR_OPT, "IR after the passes"},
    {"int", ENGINE_LOG_STOP, "why translated code was left: exceptions, interrupts"},
    {"exec", ENGINE_LOG_EXEC, "each region entered from the run loop (all, with nochain)"},
    {"cpu", ENGINE_LOG_EXEC | ENGINE_LOG_CPU, "registers, there"},
    {"fpu", ENGINE_LOG_EXEC | ENGINE_LOG_CPU | ENGINE_LOG_FPU, "vector registers, too"},
    {"mmu", 0, "accepted"},
    {"pcall", 0, "x86 only: accepted"},
    {"cpu_reset", 0, "accepted"},
    {"unimp", LOG_ERRORS, "what the guest asked for and we lack"},
    {"guest_errors", LOG_ERRORS, "what the guest does wrong"},
    {"page", 0, "accepted"},
    {"nochain", LOG_NOCHAIN, "regions do not jump to each other"},
    {"plugin", 0, "accepted"},
    {"tid", 0, "accepted"},
};
enum { N_ITEMS = sizeof(items) / sizeof(items[0]) };

static FILE *out; /* the log; trace lines go there, too */

static void print_line(void *opaque, const char *text)
{
    fprintf(out, "%s\n", text);
    fflush(out);
}

static int add_item(struct sys *s, const char *word, unsigned *bits, struct err *e)
{
    const char *names[N_ITEMS + 1], *near;

    for (unsigned i = 0; i < N_ITEMS; i++) {
        names[i] = items[i].name;
        if (!strcmp(word, "all") || !strcmp(word, items[i].name)) {
            *bits |= items[i].bits;
            if (strcmp(word, "all") != 0)
                return 0;
        }
    }
    if (!strcmp(word, "all"))
        return 0;
    if (!strncmp(word, "trace:", 6))
        return cli_add(&s->cli, &group_trace, "-d", word + 6, e);
    names[N_ITEMS] = NULL;
    near = nearest_name(word, names);
    return err_set(e, -EINVAL, "-d %s: unknown log item%s%s%s", word, near ? "; did you mean '" : "",
                   near ? near : " (-d help lists them)", near ? "'?" : "");
}

static int open_items(struct sys *s, struct err *e)
{
    char *copy = strdup(s->cli.log_items), *rest = copy, *word;
    unsigned bits = 0;
    int r = 0;

    while (copy && r == 0 && (word = strsep(&rest, ",")))
        r = add_item(s, word, &bits, e);
    free(copy);
    if (r < 0)
        return r;
    if (bits & LOG_ERRORS)
        machine_on_log(s->m, print_line, NULL);
    s->conf.engine.no_links = bits & LOG_NOCHAIN;
    s->log.items = bits & ~(LOG_ERRORS | LOG_NOCHAIN);
    s->log.fd = fileno(out);
    s->log.n_ranges = s->cli.n_ranges;
    for (unsigned i = 0; i < s->cli.n_ranges; i++) {
        s->log.ranges[i].start = s->cli.range[i].start;
        s->log.ranges[i].end = s->cli.range[i].end;
    }
    if (s->log.items)
        s->conf.engine.log = &s->log;
    return 0;
}

/* Calls @fn for each trace point of every device type, once. */
static void each_point(void (*fn)(struct trace_point *p, void *opaque), void *opaque)
{
    const struct dev_type *const *types = dev_types();

    for (unsigned i = 0; types[i]; i++) {
        unsigned j = 0;

        while (types[j]->trace != types[i]->trace)
            j++;
        if (j < i)
            continue;
        for (const struct trace_point *p = types[i]->trace; p && p->name; p++)
            fn((struct trace_point *)p, opaque); /* its descriptor promises not to change it; -trace does */
    }
}

struct match {
    const char *pattern;
    unsigned n;
};

static void turn_on(struct trace_point *p, void *opaque)
{
    struct match *m = opaque;
    bool off = *m->pattern == '-';

    if (fnmatch(m->pattern + off, p->name, 0) == 0) {
        p->on = !off;
        m->n++;
    }
}

static void list_point(struct trace_point *p, void *opaque)
{
    printf("%s\n", p->name);
}

static void enable(struct sys *s, const char *pattern)
{
    struct match m = {.pattern = pattern};

    each_point(turn_on, &m);
    if (!m.n && !strchr(pattern, '*'))
        sys_warn(s, "-trace %s: trace event '%s' does not exist", pattern, pattern);
}

static int enable_file(struct sys *s, const char *path, struct err *e)
{
    FILE *f = fopen(path, "r");
    char line[256];

    if (!f)
        return err_set(e, -errno, "Could not open '%s': %s", path, strerror(errno));
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line && *line != '#')
            enable(s, line);
    }
    fclose(f);
    return 0;
}

static int open_out(struct sys *s, const char *path, const char *option, struct err *e)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return err_set(e, -errno, "%s %s: Could not open: %s", option, path, strerror(errno));
    if (out && out != stderr)
        fclose(out);
    out = f;
    return 0;
}

static int one_trace(struct sys *s, const struct entry *x, struct err *e)
{
    const char *pattern = keyval_string(x->opts, "enable");
    const char *events = keyval_string(x->opts, "events"), *file = keyval_string(x->opts, "file");

    if (pattern && (!strcmp(pattern, "help") || !strcmp(pattern, "?"))) {
        each_point(list_point, NULL);
        s->cli.done = true;
        return 0;
    }
    if (file && open_out(s, file, "-trace", e) < 0)
        return e->code;
    if (pattern)
        enable(s, pattern);
    return events ? enable_file(s, events, e) : 0;
}

int logs_open(struct sys *s, struct err *e)
{
    out = stderr;
    if (s->cli.log_items && !strcmp(s->cli.log_items, "help")) {
        printf("Log items (comma separated):\n");
        for (unsigned i = 0; i < N_ITEMS; i++)
            printf("%-15s %s\n", items[i].name, items[i].help);
        printf("trace:PATTERN   enable trace events\n");
        s->cli.done = true;
        return 0;
    }
    if (s->cli.log_file && open_out(s, s->cli.log_file, "-D", e) < 0)
        return e->code;
    trace_to(print_line, NULL);
    if (s->cli.log_items && open_items(s, e) < 0)
        return e->code;
    for (struct entry *x = cli_first(&s->cli, &group_trace); x && !s->cli.done; x = entry_next(x))
        if (one_trace(s, x, e) < 0)
            return entry_fail(x, e);
    return 0;
}
