/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that the command line asks for: struct conf of board/board.h. */
#include "app/system/conf_priv.h"

#include "base/nearest.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where distributions put firmware; -L comes first. */
static const char *const firmware_places[] = {
    "/usr/share/qemu",    "/usr/share/qemu-efi-aarch64", "/usr/share/AAVMF",
    "/usr/share/seabios", "/usr/share/ipxe/qemu",        "/usr/share/OVMF",
    "/usr/lib/ipxe/qemu",
};
enum { N_PLACES = sizeof(firmware_places) / sizeof(firmware_places[0]) };

char *conf_copy(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        fatal("out of memory");
    return copy;
}

/* Properties that every machine has.  Those in the second list say what is so anyway, or what only other accelerators ask for. */
static const char *const common[] = {"type", "accel", "memory-backend", "kernel", "initrd", "append",
                                     "dtb",  "dumpdtb", "firmware",     "usb",    "graphics", NULL};
static const char *const idle[] = {"dump-guest-core", "mem-merge", "suppress-vmdesc", "hmat", "nvdimm", "phandle-start", "kernel-irqchip", NULL};

static bool take_out(struct json_object *o, const char *const *keys)
{
    bool any = false;

    for (; *keys; keys++) {
        any |= json_object_object_get_ex(o, *keys, NULL);
        json_object_object_del(o, *keys);
    }
    return any;
}

static int no_such_prop(const struct board *b, const char *key, struct err *e)
{
    const char *names[128], *near;
    unsigned n = 0;

    for (const char *const *k = common; *k; k++)
        names[n++] = *k;
    for (const struct field *f = b->props; f && f->name && n < 127; f++)
        names[n++] = f->name;
    names[n] = NULL;
    near = nearest_name(key, names);
    return err_set(e, -EINVAL, "Property '%s-machine.%s' not found%s%s%s", b->name, key,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int board_props(struct sys *s, struct json_object *o, struct err *e)
{
    const struct board *b = s->conf.board;
    int r = 0;

    s->conf.board_props = calloc(1, b->props_size ? b->props_size : 1);
    if (!s->conf.board_props)
        fatal("out of memory");
    if (b->props && (r = fields_take(b->props, o, s->conf.board_props, e)) < 0)
        return r;
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        return no_such_prop(b, key, e);
    }
    return 0;
}

static const struct board *default_board(const char *arch)
{
    for (const struct board *const *b = boards; *b; b++)
        if ((*b)->is_default && board_is_of(*b, arch))
            return *b;
    return NULL;
}

static int choose_board(struct sys *s, struct err *e)
{
    const char *name = cli_text(&s->cli, &group_machine, "type");

    if (name)
        s->conf.board = board_find(s->arch, name, e);
    else if (!(s->conf.board = default_board(s->arch)))
        err_set(e, -EINVAL,
                "No machine specified, and there is no default; use -machine help to list "
                "supported machines");
    return s->conf.board ? 0 : e->code;
}

/* -kernel, or -machine kernel=. */
static char *file_of(struct sys *s, const struct group *g, const char *key)
{
    const char *text = g ? cli_text(&s->cli, g, NULL) : NULL;

    return conf_copy(text ? text : cli_text(&s->cli, &group_machine, key));
}

static int machine_switch(struct sys *s, const char *key, bool *on, struct err *e)
{
    const char *text = cli_text(&s->cli, &group_machine, key);

    if (text && parse_bool(text, on, e) < 0)
        return err_set(e, -EINVAL, "-machine: Parameter '%s' expects 'on' or 'off'", key);
    return 0;
}

/* They do nothing here; that is no reason to take anything for their values. */
static int check_idle(struct sys *s, struct err *e)
{
    static const char *const switches[] = {"dump-guest-core", "mem-merge", "suppress-vmdesc", "hmat", "nvdimm"};
    const char *chip = cli_text(&s->cli, &group_machine, "kernel-irqchip");
    bool on;

    for (unsigned i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        if (machine_switch(s, switches[i], &on, e) < 0)
            return e->code;
    if (chip && strcmp(chip, "split") != 0 && machine_switch(s, "kernel-irqchip", &on, ERR_IGNORE) < 0)
        return err_set(e, -EINVAL, "-machine: Parameter 'kernel-irqchip' does not accept value '%s'", chip);
    return 0;
}

static int conf_machine(struct sys *s, struct err *e)
{
    struct entry *x = cli_first(&s->cli, &group_machine);
    struct conf *c = &s->conf;
    struct json_object *rest = NULL;
    int r;

    c->kernel = file_of(s, &group_kernel, "kernel");
    c->initrd = file_of(s, &group_initrd, "initrd");
    c->append = file_of(s, &group_append, "append");
    c->dtb = file_of(s, &group_dtb, "dtb");
    c->bios = file_of(s, &group_bios, "firmware");
    c->dumpdtb = file_of(s, NULL, "dumpdtb");
    c->ram_backend = file_of(s, NULL, "memory-backend");
    c->graphics = !s->cli.nographic;
    if ((r = machine_switch(s, "usb", &c->usb, e)) < 0 ||
        (r = machine_switch(s, "graphics", &c->graphics, e)) < 0 || (r = check_idle(s, e)) < 0)
        return r;
    if (!c->kernel && (c->append || c->initrd))
        return err_set(e, -EINVAL, "-%s only allowed with -kernel option",
                       c->append ? "append" : "initrd");
    if (x)
        json_object_deep_copy(x->opts, &rest, NULL);
    else
        rest = json_object_new_object();
    take_out(rest, common);
    take_out(rest, idle);
    r = board_props(s, rest, e);
    json_object_put(rest);
    return r;
}

static void conf_cpu(struct sys *s)
{
    const char *text = cli_text(&s->cli, &group_cpu, NULL), *comma = text ? strchr(text, ',') : NULL;

    if (!text)
        return;
    s->conf.cpu = comma ? strndup(text, (size_t)(comma - text)) : strdup(text);
    s->conf.cpu_features = conf_copy(comma ? comma + 1 : NULL);
}

static struct json_object *all_of(struct sys *s, const struct group *g)
{
    struct json_object *list = json_object_new_array();

    for (struct entry *x = cli_first(&s->cli, g); x; x = entry_next(x))
        json_object_array_add(list, json_object_get(x->opts));
    return list;
}

bool firmware_list(const struct cli *c)
{
    bool asked = false;

    for (unsigned i = 0; i < c->n_fw_dirs; i++)
        asked = asked || !strcmp(c->fw_dir[i], "help");
    for (unsigned i = 0; asked && i < c->n_fw_dirs; i++)
        if (strcmp(c->fw_dir[i], "help") != 0)
            puts(c->fw_dir[i]);
    for (unsigned i = 0; asked && i < N_PLACES; i++)
        puts(firmware_places[i]);
    return asked;
}

static void conf_firmware(struct sys *s)
{
    unsigned n = 0;

    s->conf.firmware_dirs = calloc(s->cli.n_fw_dirs + N_PLACES + 1, sizeof(char *));
    if (!s->conf.firmware_dirs)
        fatal("out of memory");
    for (unsigned i = 0; i < s->cli.n_fw_dirs; i++)
        s->conf.firmware_dirs[n++] = conf_copy(s->cli.fw_dir[i]);
    for (unsigned i = 0; i < N_PLACES; i++)
        s->conf.firmware_dirs[n++] = conf_copy(firmware_places[i]);
    machine_add_backend(s->m, "firmware", "dirs", s->conf.firmware_dirs, ERR_IGNORE);
    s->conf.vga = s->cli.vga ? s->cli.vga : s->cli.nodefaults ? "none" : NULL;
    s->conf.smbios = all_of(s, &group_smbios);
    s->conf.acpi_tables = all_of(s, &group_acpi);
    s->conf.fw_cfg = all_of(s, &group_fw_cfg);
    s->conf.option_roms = all_of(s, &group_option_rom);
}

int conf_fill(struct sys *s, struct err *e)
{
    int r;

    s->conf.arch = s->arch;
    conf_cpu(s);
    conf_firmware(s);
    if ((r = choose_board(s, e)) < 0 || (r = conf_machine(s, e)) < 0 || (r = conf_smp(s, e)) < 0 ||
        (r = conf_memory(s, e)) < 0 || (r = conf_numa(s, e)) < 0 || (r = conf_accel(s, e)) < 0 || (r = conf_rtc(s, e)) < 0 ||
        (r = conf_boot(s, e)) < 0 || (r = conf_actions(s, e)) < 0 || (r = conf_globals(s, e)) < 0)
        return r;
    if (s->cli.singlestep)
        s->conf.engine.max_insns = 1;
    return conf_identity(s, e);
}

void conf_free(struct sys *s)
{
    struct conf *c = &s->conf;
    char *texts[] = {c->cpu,  c->cpu_features, c->ram_backend, c->kernel,     c->initrd,   c->append,
                     c->dtb,  c->dumpdtb,      c->bios,        c->boot_order, c->boot_once, c->name,
                     c->boot_splash};

    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    for (unsigned i = 0; c->firmware_dirs && c->firmware_dirs[i]; i++)
        free(c->firmware_dirs[i]);
    free(c->firmware_dirs);
    if (c->board && c->board->props && c->board_props)
        fields_free(c->board->props, c->board_props);
    free(c->board_props);
    for (unsigned i = 0; i < CONF_NICS; i++) {
        free(c->nic[i].model);
        free(c->nic[i].id);
        free(c->nic[i].addr);
        free(c->nic[i].vectors);
    }
    json_object_put(c->smbios);
    json_object_put(c->acpi_tables);
    json_object_put(c->fw_cfg);
    json_object_put(c->option_roms);
}
