/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -chardev, -serial, -parallel, -debugcon, -monitor, -mon, and what -nographic makes of the terminal. */
#include "app/system/sys.h"
#include "dev/backends.h"

#include "block/tls_creds.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct chr *add(struct sys *s, struct json_object *opts, struct err *e)
{
    const char *backend = keyval_string(opts, "backend");
    struct chr *c;

    if (s->cli.daemonize && backend && !strcmp(backend, "stdio")) {
        json_object_put(opts);
        err_set(e, -EINVAL, "cannot use stdio with -daemonize");
        return NULL;
    }
    if (!(c = chr_open(&s->chr_env, opts, e)))
        return NULL;
    if (machine_add_backend(s->m, "chardev", chr_id(c), c, e) < 0) {
        chr_close(c);
        return NULL;
    }
    named_add(&s->chrs, chr_id(c), c);
    return c;
}

static int add_chardev(struct sys *s, const struct entry *x, struct err *e)
{
    const char *id = keyval_string(x->opts, "id");
    struct json_object *o = NULL;

    if (!id)
        return err_set(e, -EINVAL, "chardev: no id specified");
    if (machine_backend(s->m, "chardev", id))
        return err_set(e, -EEXIST, "Duplicate ID '%s' for chardev", id);
    if (id_check(id, e) < 0)
        return e->code;
    json_object_deep_copy(x->opts, &o, NULL);
    return add(s, o, e) ? 0 : e->code;
}

int chardev_add(struct sys *s, const char *text, struct err *e)
{
    struct entry x = {.group = &group_chardev, .option = "chardev-add"};

    if ((x.opts = keyval_parse(text, "backend", e)))
        add_chardev(s, &x, e);
    json_object_put(x.opts);
    return e->code;
}

int chardev_del(struct sys *s, const char *id, struct err *e)
{
    struct named **at = &s->chrs, *n;

    while ((n = *at) && strcmp(n->id, id) != 0)
        at = &n->next;
    if (!n)
        return err_set(e, -ENOENT, "Chardev '%s' not found", id);
    if (chr_in_use(n->p))
        return err_set(e, -EBUSY, "Chardev '%s' is busy", id);
    *at = n->next;
    machine_del_backend(s->m, "chardev", id);
    chr_close(n->p);
    free(n->id);
    free(n);
    return 0;
}

/* "chardev:ID", "none" (0 and NULL), or a back end made for it, named @id. */
static int from_text(struct sys *s, const char *id, const char *text, struct chr **c, struct err *e)
{
    struct json_object *o;

    *c = NULL;
    if (!strncmp(text, "chardev:", 8)) {
        if (!(*c = machine_backend(s->m, "chardev", text + 8)))
            return err_set(e, -ENOENT, "chardev \"%s\" not found", text + 8);
        return 0;
    }
    o = chr_text_opts(id, text, e);
    if (!o)
        return e->code;
    *c = add(s, o, e);
    return *c ? 0 : e->code;
}

static void add_reader(struct sys *s, struct chr *c)
{
    named_add(&s->mons, chr_id(c), c);
}

static int add_serial(struct sys *s, const char *text, struct err *e)
{
    struct chr *c;
    char id[32];
    unsigned n = s->conf.n_serials;

    if (n == CONF_SERIALS)
        return err_set(e, -E2BIG, "too many serial ports, at most %d", CONF_SERIALS);
    snprintf(id, sizeof(id), "serial%u", n);
    if (from_text(s, id, text, &c, e) < 0)
        return e->code;
    s->conf.serial[s->conf.n_serials++] = c;
    if (c && !strncmp(text, "mon:", 4))
        add_reader(s, c);
    return 0;
}

static int add_monitor(struct sys *s, const char *text, struct err *e)
{
    struct chr *c;
    char id[32];
    unsigned n = 0;

    for (struct named *m = s->mons; m; m = m->next)
        n++;
    snprintf(id, sizeof(id), "compat_monitor%u", n);
    if (from_text(s, id, text, &c, e) < 0)
        return e->code;
    if (c)
        add_reader(s, c);
    return 0;
}

static int add_mon(struct sys *s, const struct entry *x, struct err *e)
{
    const char *id = keyval_string(x->opts, "chardev"), *mode = keyval_string(x->opts, "mode");
    struct chr *c = id ? machine_backend(s->m, "chardev", id) : NULL;

    if (!id)
        return err_set(e, -EINVAL, "Parameter 'chardev' is missing");
    if (!c)
        return err_set(e, -ENOENT, "chardev \"%s\" not found", id);
    if (mode && !strcmp(mode, "control"))
        return err_set(e, -ENOTSUP, "mode 'control' is not supported yet");
    if (mode && strcmp(mode, "readline") != 0)
        return err_set(e, -EINVAL, "unknown monitor mode \"%s\"", mode);
    add_reader(s, c);
    return 0;
}

/* The cards are made with the other devices. */
static int add_parallel(struct sys *s, const char *text, struct err *e)
{
    char id[32];
    unsigned n = s->n_parallels;

    if (n == SYS_PARALLELS)
        return err_set(e, -E2BIG, "too many parallel ports, at most %d", SYS_PARALLELS);
    snprintf(id, sizeof(id), "parallel%u", n);
    if (from_text(s, id, text, &s->parallel[n], e) < 0)
        return e->code;
    s->n_parallels++;
    return 0;
}

static int add_debugcon(struct sys *s, const char *text, struct err *e)
{
    if (s->debugcon)
        return err_set(e, -EINVAL, "there is one debug console already");
    return from_text(s, "debugcon", text, &s->debugcon, e);
}

static int from_command_line(struct sys *s, struct err *e)
{
    for (struct entry *x = s->cli.entries; x; x = x->next) {
        int r = x->group == &group_serial     ? add_serial(s, x->text, e)
                : x->group == &group_monitor  ? add_monitor(s, x->text, e)
                : x->group == &group_mon      ? add_mon(s, x, e)
                : x->group == &group_parallel ? add_parallel(s, x->text, e)
                : x->group == &group_debugcon ? add_debugcon(s, x->text, e)
                                              : 0;

        if (r < 0)
            return entry_fail(x, e);
    }
    return 0;
}

/* What nobody said: with -nographic both on the terminal, else on screens of their own, which viewers reach by Ctrl-Alt-2 and 3. */
static int defaults(struct sys *s, struct err *e)
{
    bool mon_said = cli_first(&s->cli, &group_monitor) || cli_first(&s->cli, &group_mon);
    bool serial = !cli_first(&s->cli, &group_serial) && !s->cli.nodefaults;
    bool monitor = !mon_said && !s->mons && !s->cli.nodefaults;
    int r = 0;

    if (!s->cli.nographic) {
        s->unseen = serial && !cli_first(&s->cli, &group_display) && !cli_first(&s->cli, &group_vnc);
        if (monitor && cli_first(&s->cli, &group_vnc) && (r = add_monitor(s, "vc", e)) < 0)
            return r;
        return serial ? add_serial(s, "vc", e) : 0;
    }
    if (serial && monitor)
        return add_serial(s, "mon:stdio", e);
    if (serial)
        r = add_serial(s, "stdio", e);
    return r == 0 && monitor ? add_monitor(s, "stdio", e) : r;
}

static struct chr *find(void *opaque, const char *id)
{
    return machine_backend(((struct sys *)opaque)->m, "chardev", id);
}

static void quit(void *opaque)
{
    machine_ask(((struct sys *)opaque)->m, ASK_SHUTDOWN, "host-ui");
}

static void leave(void *opaque, int status)
{
    struct sys *s = opaque;

    s->exit_status = status;
    machine_ask(s->m, ASK_SHUTDOWN, "guest-shutdown");
}

static void note(void *opaque, const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

int chars_open(struct sys *s, struct err *e)
{
    int r;

    s->chr_env = (struct chr_env){.loop = s->loop, .find = find, .opaque = s, .quit = quit,
                                  .exit = leave, .note = note, .escape = s->cli.escape};
    s->chr_env.displays = machine_displays(s->m);
    s->chr_env.firmware = s->conf.firmware_dirs;
    s->chr_env.tls = &tls_creds_provider;
    s->chr_env.tls_opaque = s->blk;
    for (struct entry *x = cli_first(&s->cli, &group_chardev); x; x = entry_next(x))
        if (add_chardev(s, x, e) < 0)
            return entry_fail(x, e);
    if ((r = from_command_line(s, e)) < 0)
        return r;
    return defaults(s, e);
}

void chars_close(struct sys *s)
{
    for (struct named *n; (n = s->chrs);) {
        s->chrs = n->next;
        chr_close(n->p);
        free(n->id);
        free(n);
    }
}
