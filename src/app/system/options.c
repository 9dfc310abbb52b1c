/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of emu-system: one row for each option (options.def). */
#include "app/system/sys.h"

#include "base/nearest.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_kind {
    OPT_GROUP, /* one entry of the group @what */
    OPT_DISK,  /* a -drive with the properties @what and file= the argument */
    OPT_PROP,  /* the machine's property @what */
    OPT_FLAG,  /* a bool of struct cli */
    OPT_TEXT,  /* a string of struct cli */
    OPT_CALL,  /* a function */
    OPT_NONE,  /* understood, and without effect */
    OPT_LATER, /* not supported yet */
};

struct option {
    const char *name, *arg, *help;
    enum option_kind kind;
    const void *what;
    int (*call)(struct cli *c, const char *value, struct err *e);
    size_t member;
};

/* Options with a mind of their own ------------------------------------------------------------------ */

static int opt_help(struct cli *c, const char *value, struct err *e)
{
    options_help(c->program);
    c->done = true;
    return 0;
}

static int opt_version(struct cli *c, const char *value, struct err *e)
{
    printf("QEMU emulator version %s (Emu 0.1)\n%s\n", SYSTEM_VERSION, SYSTEM_COPYRIGHT);
    c->done = true;
    return 0;
}

static int opt_kvm(struct cli *c, const char *value, struct err *e)
{
    return cli_add(c, &group_accel, "-enable-kvm", "kvm", e);
}

static int opt_gdb_short(struct cli *c, const char *value, struct err *e)
{
    c->gdb = "tcp::1234";
    return 0;
}

static int opt_fw_dir(struct cli *c, const char *value, struct err *e)
{
    if (c->n_fw_dirs == sizeof(c->fw_dir) / sizeof(c->fw_dir[0]))
        return err_set(e, -E2BIG, "-L %s: too many folders", value);
    c->fw_dir[c->n_fw_dirs++] = value;
    return 0;
}

static int opt_vga(struct cli *c, const char *value, struct err *e)
{
    static const char *const there[] = {"none", "std", "cirrus", "virtio", NULL};
    static const char *const others[] = {"vmware", "qxl", "xenfb", "tcx", "cg3", NULL};
    const char *near;

    if (!strcmp(value, "help") || !strcmp(value, "?")) {
        printf("none                 no graphic card\nstd                  standard VGA (default)\ncirrus               Cirrus VGA\nvirtio               Virtio VGA\n");
        c->done = true;
        return 0;
    }
    for (const char *const *t = others; *t; t++)
        if (!strcmp(value, *t))
            return err_set(e, -ENOTSUP, "-vga %s: not supported, use 'std', 'cirrus', 'virtio' or 'none'", value);
    for (const char *const *t = there; *t; t++)
        if (!strcmp(value, *t)) {
            c->vga = *t;
            return 0;
        }
    near = nearest_name(value, there);
    return err_set(e, -EINVAL, "unknown vga type: %s%s%s%s", value, near ? "; did you mean '" : "", near ?: "", near ? "'?" : "");
}

static int opt_vnc(struct cli *c, const char *value, struct err *e)
{
    return cli_add(c, &group_vnc, "-vnc", value, e);
}

static int opt_audiodev(struct cli *c, const char *value, struct err *e)
{
    struct json_object *o =
        *value == '{' ? json_parse(value, e) : keyval_parse(value, "driver", e);
    const char *driver = o ? keyval_string(o, "driver") : NULL;
    int r = 0;

    if (!o)
        r = err_wrap(e, e->code, "-audiodev %s", value);
    else if (!driver || strcmp(driver, "none") != 0)
        r = err_set(e, -ENOTSUP, "-audiodev %s: not supported yet, only driver 'none' is", value);
    json_object_put(o);
    return r;
}

static int opt_watchdog(struct cli *c, const char *value, struct err *e)
{
    char text[64];

    snprintf(text, sizeof(text), "watchdog=%s", value);
    return cli_add(c, &group_action, "-watchdog-action", text, e);
}

/* These say what -action says: of all, the last one counts. */
static int opt_no_reboot(struct cli *c, const char *value, struct err *e)
{
    return cli_add(c, &group_action, "-no-reboot", "reboot=shutdown", e);
}

static int opt_no_shutdown(struct cli *c, const char *value, struct err *e)
{
    return cli_add(c, &group_action, "-no-shutdown", "shutdown=pause", e);
}

static int opt_echr(struct cli *c, const char *value, struct err *e)
{
    char *end;
    long v = strtol(value, &end, 0);

    if (end == value || *end)
        v = value[1] ? 0 : (unsigned char)*value;
    if (v < 1 || v > 255)
        return err_set(e, -EINVAL, "-echr %s: Bad argument to echr: want a character or its number",
                       value);
    c->escape = (unsigned char)v;
    return 0;
}

/* START..END, START+SIZE, START-SIZE. */
static int add_range(struct cli *c, const char *text, struct err *e)
{
    char *at, *end;
    uint64_t a, b;
    unsigned n = c->n_ranges;

    errno = 0;
    a = strtoull(text, &at, 0);
    if (errno || at == text || (*at != '+' && *at != '-' && strncmp(at, "..", 2) != 0))
        return err_set(e, -EINVAL, "-dfilter %s: want START..END, START+SIZE or START-SIZE", text);
    b = strtoull(at + (*at == '.' ? 2 : 1), &end, 0);
    if (errno || *end || n == 16)
        return err_set(e, -EINVAL, "-dfilter %s: %s", text,
                       n == 16 ? "too many ranges" : "want START..END, START+SIZE or START-SIZE");
    c->range[n].start = *at == '-' ? a - b + 1 : a;
    c->range[n].end = *at == '.' ? b + 1 : *at == '+' ? a + b : a + 1;
    c->n_ranges++;
    return 0;
}

static int opt_dfilter(struct cli *c, const char *value, struct err *e)
{
    char *copy = strdup(value), *rest = copy, *part;
    int r = 0;

    while (copy && r == 0 && (part = strsep(&rest, ",")))
        r = add_range(c, part, e);
    free(copy);
    return r;
}

static int opt_readconfig(struct cli *c, const char *value, struct err *e)
{
    int r = config_read(c, value, e);

    return r < 0 ? err_wrap(e, r, "-readconfig %s", value) : 0;
}

static struct entry *entry_named(struct cli *c, const char *group, const char *id)
{
    for (struct entry *x = c->entries; x; x = x->next) {
        const char *has = keyval_string(x->opts, "id");

        if (!strcmp(x->group->name, group) && has && !strcmp(has, id))
            return x;
    }
    return NULL;
}

static int opt_set(struct cli *c, const char *value, struct err *e)
{
    char group[64], id[64], arg[64];
    int n = 0;
    struct entry *x;

    if (sscanf(value, "%63[^.].%63[^.].%63[^=]=%n", group, id, arg, &n) != 3 || !n)
        return err_set(e, -EINVAL, "-set %s: invalid format: want group.id.arg=value", value);
    if (!(x = entry_named(c, group, id)))
        return err_set(e, -ENOENT, "-set %s: there is no %s \"%s\" defined", value, group, id);
    return keyval_set(x->opts, arg, json_object_new_string(value + n), e);
}

/* The table ----------------------------------------------------------------------------------------- */

#define SECTION(text) {.help = text},
#define OPTION(name_, arg_, kind_, what_, help_)                                                   \
    {.name = name_, .arg = arg_, .help = help_, .kind = kind_, ROW_##kind_(what_)},
#define ROW_OPT_GROUP(w) .what = w
#define ROW_OPT_DISK(w)  .what = w
#define ROW_OPT_PROP(w)  .what = w
#define ROW_OPT_FLAG(w)  .member = offsetof(struct cli, w)
#define ROW_OPT_TEXT(w)  .member = offsetof(struct cli, w)
#define ROW_OPT_CALL(w)  .call = w
#define ROW_OPT_NONE(w)  .what = NULL
#define ROW_OPT_LATER(w) .what = NULL

static const struct option options[] = {
#include "app/system/options.def"
};
enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

void options_help(const char *program)
{
    printf("QEMU emulator version %s (Emu 0.1)\n%s\nusage: %s [options] [disk_image]\n\n"
           "'disk_image' is a raw hard disk image for IDE hard disk 0\n",
           SYSTEM_VERSION, SYSTEM_COPYRIGHT, program);
    for (unsigned i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];

        if (!o->name)
            printf("\n%s:\n", o->help);
        else if (o->help)
            printf("-%s%s%s\n                %s%s\n", o->name, o->arg ? " " : "",
                   o->arg ? o->arg : "", o->help,
                   o->kind == OPT_LATER ? " (not supported yet)" : "");
    }
    printf("\nDuring emulation, the following keys are useful with -nographic:\n"
           "ctrl-a h        print all of them\n"
           "ctrl-a c        switch between console and monitor\n"
           "ctrl-a x        exit\n");
}

static const struct option *find(const char *word)
{
    word += word[1] == '-' ? 2 : 1;
    for (unsigned i = 0; i < N_OPTIONS; i++)
        if (options[i].name && !strcmp(options[i].name, word))
            return &options[i];
    return NULL;
}

static int no_such(const char *word, struct err *e)
{
    const char *names[N_OPTIONS + 1], *near;
    unsigned n = 0;

    for (unsigned i = 0; i < N_OPTIONS; i++)
        if (options[i].name)
            names[n++] = options[i].name;
    names[n] = NULL;
    near = nearest_name(word + strspn(word, "-"), names);
    return err_set(e, -EINVAL, "%s: invalid option%s%s%s", word, near ? "; did you mean '-" : "",
                   near ? near : "", near ? "'?" : "");
}

static int add_disk(struct cli *c, const char *option, const char *props, const char *file,
                    struct err *e)
{
    struct json_object *o;
    int r = cli_add(c, &group_drive, option, props, e);

    if (r < 0)
        return r;
    for (struct entry *x = c->entries; x; x = x->next) {
        if (x->next)
            continue;
        o = x->opts;
        json_object_object_add(o, "file", json_object_new_string(file));
        free(x->text);
        if (!(x->text = strdup(file)))
            fatal("out of memory");
    }
    return 0;
}

static int apply(struct cli *c, const struct option *o, const char *word, const char *value,
                 struct err *e)
{
    switch (o->kind) {
    case OPT_GROUP: return cli_add(c, o->what, word, value, e);
    case OPT_DISK: return add_disk(c, word, o->what, value, e);
    case OPT_PROP: return cli_add(c, &group_machine, word, o->what, e);
    case OPT_FLAG: *(bool *)((char *)c + o->member) = true; return 0;
    case OPT_TEXT: *(const char **)((char *)c + o->member) = value; return 0;
    case OPT_CALL: return o->call(c, value, e);
    case OPT_LATER: return err_set(e, -ENOTSUP, "%s: not supported yet", word);
    case OPT_NONE: break;
    }
    return 0;
}

int options_parse(struct cli *c, int argc, char **argv, struct err *e)
{
    int r = 0;

    for (int i = 1; i < argc && r == 0 && !c->done; i++) {
        const struct option *o;

        if (argv[i][0] != '-' || !argv[i][1]) {
            r = add_disk(c, "", "index=0,media=disk", argv[i], e);
            continue;
        }
        if (!(o = find(argv[i])))
            return no_such(argv[i], e);
        if (o->arg && i + 1 == argc)
            return err_set(e, -EINVAL, "%s: requires an argument", argv[i]);
        r = apply(c, o, argv[i], o->arg ? argv[i + 1] : NULL, e);
        i += o->arg != NULL;
    }
    return r;
}
