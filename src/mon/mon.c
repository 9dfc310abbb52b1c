/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor: a front end of a character back end that runs command lines. */
#include "mon/mon_priv.h"

#include "base/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND(name) &cmd_##name,
#define INFO(name)
const struct mon_command *const mon_commands[] = {
#include "mon/commands.def"
    NULL,
};
#undef COMMAND
#undef INFO
#define COMMAND(name)
#define INFO(name) &info_##name,
const struct mon_command *const mon_infos[] = {
#include "mon/commands.def"
    NULL,
};
#undef COMMAND
#undef INFO

/* Output: what is written with \n goes out with \r\n, as the terminal may be raw. ------------------- */

void mon_puts(struct mon *m, const char *text)
{
    if (!m->chr) {
        m->put(m->to, text);
        return;
    }
    while (*text) {
        size_t n = strcspn(text, "\n");

        if (n)
            chr_write_all(m->chr, m, (const uint8_t *)text, n);
        text += n;
        if (*text) {
            chr_write_all(m->chr, m, (const uint8_t *)"\r\n", 2);
            text++;
        }
    }
}

void mon_printf(struct mon *m, const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        fatal("out of memory");
    va_end(ap);
    mon_puts(m, text);
    free(text);
}

void mon_line(void *opaque, const char *text)
{
    mon_puts(opaque, text);
    mon_puts(opaque, "\n");
}

/* Running ------------------------------------------------------------------------------------------- */

static bool called(const struct mon_command *c, const char *name)
{
    return !strcmp(c->name, name) || (c->alias && !strcmp(c->alias, name));
}

static const struct mon_command *find(const struct mon_command *const *table, const char *name)
{
    for (; *table; table++)
        if (called(*table, name))
            return *table;
    return NULL;
}

static void unknown(struct mon *m, const struct mon_command *const *table, const char *prefix,
                    const char *name)
{
    const char *names[128], *near;
    unsigned n = 0;

    for (; table[n] && n < 127; n++)
        names[n] = table[n]->name;
    names[n] = NULL;
    near = nearest_name(name, names);
    mon_printf(m, "unknown command: '%s%s'%s%s%s\n", prefix, name, near ? "; did you mean '" : "",
               near ? near : "", near ? "'?" : "");
}

void mon_run(struct mon *m, const char *text)
{
    const struct mon_command *const *table = mon_commands;
    const struct mon_command *c;
    const char *prefix = "";
    struct err e = {0};
    char name[64];

    if (!mon_word(&text, name, sizeof(name)) || *name == '#')
        return;
    if (strchr(name, '/')) { /* "x/4xw" is "x /4xw" */
        text -= strlen(strchr(name, '/'));
        while (*text != '/')
            text--;
        *strchr(name, '/') = 0;
    }
    if (!strcmp(name, "info") && mon_word(&text, name, sizeof(name))) {
        table = mon_infos;
        prefix = "info ";
    }
    if (!(c = find(table, name))) {
        unknown(m, table, prefix, name);
        return;
    }
    text += strspn(text, " \t");
    if (c->run(m, text, &e) >= 0)
        return;
    if (e.code == -EINVAL)
        mon_printf(m, "%s\nTry \"help %s%s\" for more information\n", e.msg, prefix, c->name);
    else
        mon_printf(m, "Error: %s\n", e.msg);
}

void mon_run_for(const struct mon_env *env, unsigned *cpu, const char *line,
                 void (*put)(void *to, const char *text), void *to)
{
    struct mon *m = calloc(1, sizeof(*m));

    if (!m)
        fatal("out of memory");
    m->env = env;
    m->put = put;
    m->to = to;
    m->cpu = *cpu;
    mon_run(m, line);
    *cpu = m->cpu;
    free(m);
}

static void print_help(struct mon *m, const struct mon_command *c, const char *prefix)
{
    mon_printf(m, "%s%s%s%s %s -- %s\n", prefix, c->name, c->alias ? "|" : "",
               c->alias ? c->alias : "", c->args, c->help);
}

static int help(struct mon *m, const char *args, struct err *e)
{
    char name[64];
    bool any = mon_word(&args, name, sizeof(name));
    bool info = any && !strcmp(name, "info");
    const struct mon_command *c;

    if (info && mon_word(&args, name, sizeof(name))) {
        if ((c = find(mon_infos, name)))
            print_help(m, c, "info ");
        else
            unknown(m, mon_infos, "info ", name);
        return 0;
    }
    if (any && !info) {
        if ((c = find(mon_commands, name)))
            print_help(m, c, "");
        else
            unknown(m, mon_commands, "", name);
        return 0;
    }
    for (const struct mon_command *const *t = info ? mon_infos : mon_commands; *t; t++)
        print_help(m, *t, info ? "info " : "");
    return 0;
}

static int info_alone(struct mon *m, const char *args, struct err *e)
{
    return help(m, "info", e);
}

static void complete_infos(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                           void *opaque)
{
    for (unsigned i = 0; n == 0 && mon_infos[i]; i++)
        word(opaque, mon_infos[i]->name);
}

static void complete_commands(struct mon *m, unsigned n,
                              void (*word)(void *opaque, const char *text), void *opaque)
{
    for (unsigned i = 0; n == 0 && mon_commands[i]; i++)
        word(opaque, mon_commands[i]->name);
}

const struct mon_command cmd_help = {
    .name = "help",
    .alias = "?",
    .args = "[cmd]",
    .help = "show the help",
    .run = help,
    .complete = complete_commands,
};
const struct mon_command cmd_info = {
    .name = "info",
    .args = "[subcommand]",
    .help = "show various information about the system state",
    .run = info_alone,
    .complete = complete_infos,
};

static int history(struct mon *m, const char *args, struct err *e)
{
    for (unsigned i = 0; i < m->line.n_history; i++)
        mon_printf(m, "%u: '%s'\n", i, m->line.history[i]);
    return mon_end(args, e);
}

const struct mon_command info_history = {
    .name = "history", .args = "", .help = "show the command line history", .run = history};

/* Completion ---------------------------------------------------------------------------------------- */

struct found {
    const char *start; /* what is typed of the word */
    char common[256];  /* what all that fit begin with */
    char list[2048];
    unsigned n;
};

static void collect(void *opaque, const char *text)
{
    struct found *f = opaque;
    size_t i = 0, n = strlen(f->list);

    if (strncmp(text, f->start, strlen(f->start)) != 0)
        return;
    if (!f->n++)
        snprintf(f->common, sizeof(f->common), "%s", text);
    while (f->common[i] && f->common[i] == text[i])
        i++;
    f->common[i] = 0;
    snprintf(f->list + n, sizeof(f->list) - n, "%-20s ", text);
}

static void line_complete(void *opaque, const char *text)
{
    struct mon *m = opaque;
    struct found f = {0};
    const struct mon_command *c;
    char word[64];
    unsigned n = 0;

    f.start = strrchr(text, ' ') ? strrchr(text, ' ') + 1 : text;
    for (const char *p = text; p < f.start; p++)
        n += *p != ' ' && (p[1] == ' ' || p + 1 == f.start);
    if (n == 0) {
        complete_commands(m, 0, collect, &f);
    } else if (mon_word(&text, word, sizeof(word)) && (c = find(mon_commands, word)) && c->complete) {
        c->complete(m, n - 1, collect, &f);
    }
    if (!f.n)
        return;
    line_insert(&m->line, f.common + strlen(f.start));
    if (f.n == 1)
        line_insert(&m->line, " ");
    else if (strlen(f.common) == strlen(f.start)) {
        mon_printf(m, "\n%s\n", f.list);
        line_show(&m->line);
    }
}

/* The front end ------------------------------------------------------------------------------------- */

static void line_out(void *opaque, const char *text)
{
    mon_puts(opaque, text);
}

static void line_done(void *opaque, const char *text)
{
    mon_run(opaque, text);
    line_show(&((struct mon *)opaque)->line);
}

static size_t mon_room(void *opaque)
{
    return 1024;
}

static void mon_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct mon *m = opaque;

    while (len--)
        line_key(&m->line, *buf++);
}

static void greet(struct mon *m)
{
    if (!m->greeted)
        mon_printf(m, "QEMU %s monitor - type 'help' for more information\n", m->env->version);
    m->greeted = true;
    line_show(&m->line);
}

static void mon_event(void *opaque, enum chr_event ev)
{
    struct mon *m = opaque;

    if (ev == CHR_MUX_IN || (ev == CHR_OPENED && !m->shared)) {
        if (ev == CHR_OPENED)
            m->greeted = false; /* somebody new */
        else
            mon_puts(m, "\n");
        greet(m);
    }
}

static const struct chr_front front = {.room = mon_room, .data = mon_data, .event = mon_event};

struct mon *mon_new(const struct mon_env *env, struct chr *c, bool shared, struct err *e)
{
    struct mon *m = calloc(1, sizeof(*m));

    if (!m)
        fatal("out of memory");
    m->env = env;
    m->chr = c;
    m->shared = shared;
    m->line = (struct line){.prompt = "(qemu) ", .out = line_out, .done = line_done,
                            .complete = line_complete, .opaque = m};
    if (chr_attach(c, &front, m, e) < 0) {
        free(m);
        return NULL;
    }
    return m;
}

void mon_free(struct mon *m)
{
    if (!m)
        return;
    chr_detach(m->chr, m);
    line_free(&m->line);
    free(m);
}
