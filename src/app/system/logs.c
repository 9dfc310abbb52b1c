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
    {"int", ENGINE_LOG_STOP, "exceptions and interrupts as CPUs enter them; arm: also why translated code was left"},
    {"exec", ENGINE_LOG_EXEC, "each region entered from the run loop (all, with nochain)"},
    {"cpu", ENGINE_LOG_EXEC | ENGINE_LOG_CPU, "registers, there"},
    {"fpu", ENGINE_LOG_EXEC | ENGINE_LOG_CPU | ENGINE_LOG_FPU, "vector registers, too"},
    {"mmu", 0, "accepted"},
    {"pcall", 0, "x86 only: accepted"},
    {"cpu_reset", ENGINE_LOG_RESET, "x86 only: registers before a CPU is reset"},
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

static void print_text(void *to, const char *text)
{
    fputs(text, to);
}

void logs_help(void (*put)(void *to, const char *text), void *to)
{
    char line[100];

    put(to, "Log items (comma separated):\n");
    for (unsigned i = 0; i < N_ITEMS; i++) {
        snprintf(line, sizeof(line), "%-15s %s\n", items[i].name, items[i].help);
        put(to, line);
    }
    put(to, "trace:PATTERN   enable trace events\n");
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

static int parse_items(struct sys *s, const char *list, unsigned *bits, struct err *e)
{
    char *copy = strdup(list), *rest = copy, *word;
    int r = 0;

    *bits = 0;
    while (copy && r == 0 && (word = strsep(&rest, ",")))
        r = add_item(s, word, bits, e);
    free(copy);
    return r;
}

/* The engine looks at them whenever it might have something to say. */
static void use_items(struct sys *s, unsigned bits)
{
    machine_on_log(s->m, bits & LOG_ERRORS ? print_line : NULL, NULL);
    __atomic_store_n(&s->log.items, bits & ~(LOG_ERRORS | LOG_NOCHAIN), __ATOMIC_RELAXED);
}

static int open_items(struct sys *s, struct err *e)
{
    unsigned bits;
    int r = parse_items(s, s->cli.log_items, &bits, e);

    if (r < 0)
        return r;
    use_items(s, bits);
    s->conf.engine.no_links = bits & LOG_NOCHAIN;
    s->log.n_ranges = s->cli.n_ranges;
    for (unsigned i = 0; i < s->cli.n_ranges; i++) {
        s->log.ranges[i].start = s->cli.range[i].start;
        s->log.ranges[i].end = s->cli.range[i].end;
    }
    return 0;
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

    dev_each_trace_point(turn_on, &m);
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
        dev_each_trace_point(list_point, NULL);
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
        logs_help(print_text, stdout);
        s->cli.done = true;
        return 0;
    }
    if (s->cli.log_file && open_out(s, s->cli.log_file, "-D", e) < 0)
        return e->code;
    trace_to(print_line, NULL);
    s->log.fd = fileno(out);
    s->conf.engine.log = &s->log;
    if (s->cli.log_items && open_items(s, e) < 0)
        return e->code;
    for (struct entry *x = cli_first(&s->cli, &group_trace); x && !s->cli.done; x = entry_next(x))
        if (one_trace(s, x, e) < 0)
            return entry_fail(x, e);
    return 0;
}

/* For the monitor --------------------------------------------------------------------------------- */

int logs_items(struct sys *s, const char *list, struct err *e)
{
    unsigned bits = 0;

    if (strcmp(list, "none") != 0 && parse_items(s, list, &bits, e) < 0)
        return e->code;
    if ((bits & LOG_NOCHAIN) && !s->conf.engine.no_links)
        return err_set(e, -ENOTSUP, "nochain can only be chosen at the start (-d nochain)");
    use_items(s, bits);
    return 0;
}

/* Whoever writes at this moment writes to the old one or to the new one. */
int logs_file(struct sys *s, const char *path, struct err *e)
{
    int fd, r = 0;

    if (out == stderr) {
        r = open_out(s, path, "logfile", e);
        s->log.fd = fileno(out);
        return r;
    }
    fflush(out);
    if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0)
        return err_set(e, -errno, "logfile %s: Could not open: %s", path, strerror(errno));
    if (dup3(fd, fileno(out), O_CLOEXEC) < 0)
        r = err_set(e, -errno, "logfile %s: %s", path, strerror(errno));
    close(fd);
    return r;
}
