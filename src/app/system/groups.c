/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups of options: how the values of -machine, -device, -drive and the others are taken apart and kept. */
#include "app/system/sys.h"

#include "base/nearest.h"
#include "board/smbios.h"
#include "schema/keyval.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEYS(...) (const char *const[]){__VA_ARGS__, NULL}

const struct group group_machine = {.name = "machine", .implied = "type", .merge = true};
const struct group group_accel = {.name = "accel", .implied = "accel"};
const struct group group_cpu = {.name = "cpu", .implied = "model", .plain = true, .merge = true};
const struct group group_smp = {
    .name = "smp-opts",
    .implied = "cpus",
    .merge = true,
    .keys = KEYS("cpus", "maxcpus", "sockets", "dies", "clusters", "cores", "threads"),
};
const struct group group_memory = {
    .name = "memory",
    .implied = "size",
    .merge = true,
    .keys = KEYS("size", "slots", "maxmem"),
};
const struct group group_device = {.name = "device", .implied = "driver", .json = true};
const struct group group_drive = {.name = "drive"};
const struct group group_blockdev = {.name = "blockdev", .implied = "driver", .json = true};
const struct group group_object = {.name = "object", .implied = "qom-type", .json = true};
const struct group group_netdev = {.name = "netdev", .parse = net_text_opts, .implied = "type", .json = true};
const struct group group_nic = {.name = "nic", .implied = "text", .plain = true};
const struct group group_net = {.name = "net", .implied = "text", .plain = true};
const struct group group_chardev = {.name = "chardev", .implied = "backend"};
const struct group group_tpmdev = {.name = "tpmdev", .implied = "type", .keys = KEYS("type", "id", "chardev")};
const struct group group_numa = {.name = "numa", .implied = "type"};
const struct group group_serial = {.name = "serial", .implied = "text", .plain = true};
const struct group group_parallel = {.name = "parallel", .implied = "text", .plain = true};
const struct group group_debugcon = {.name = "debugcon", .implied = "text", .plain = true};
const struct group group_monitor = {.name = "monitor", .implied = "text", .plain = true};
const struct group group_mon = {
    .name = "mon",
    .implied = "chardev",
    .keys = KEYS("chardev", "mode", "pretty", "id"),
};
const struct group group_global = {.name = "global", .implied = "text", .plain = true};
const struct group group_boot = {
    .name = "boot-opts",
    .implied = "order",
    .merge = true,
    .keys = KEYS("order", "once", "menu", "splash", "splash-time", "reboot-timeout", "strict"),
};
const struct group group_name = {
    .name = "name",
    .implied = "guest",
    .merge = true,
    .keys = KEYS("guest", "process", "debug-threads"),
};
const struct group group_uuid = {.name = "uuid", .implied = "text", .plain = true, .merge = true};
const struct group group_rtc = {
    .name = "rtc", .implied = "base", .merge = true, .keys = KEYS("base", "clock", "driftfix")};
const struct group group_action = {
    .name = "action",
    .merge = true,
    .keys = KEYS("reboot", "shutdown", "panic", "watchdog"),
};
const struct group group_fsdev = {.name = "fsdev", .implied = "fsdriver"};
const struct group group_virtfs = {.name = "virtfs", .implied = "fsdriver"};
const struct group group_smbios = {.name = "smbios", .parse = smbios_text_opts};
const struct group group_option_rom = {.name = "option-rom", .implied = "romfile", .keys = KEYS("romfile", "bootindex")};
const struct group group_overcommit = {.name = "overcommit", .merge = true, .keys = KEYS("mem-lock", "cpu-pm")};
const struct group group_acpi = {.name = "acpi"};
const struct group group_fw_cfg = {
    .name = "fw_cfg", .implied = "name", .keys = KEYS("name", "file", "string", "gen_id")};
const struct group group_display = {.name = "display", .implied = "type", .json = true};
const struct group group_vnc = {
    .name = "vnc",
    .implied = "vnc",
    .keys = KEYS("vnc", "to", "password", "password-secret", "websocket", "share", "lossy", "non-adaptive", "key-delay-ms", "tls-creds",
                 "tls-authz", "sasl", "sasl-authz", "acl", "reverse", "display", "head", "power-control", "lock-key-sync", "id", "ipv4",
                 "ipv6", "connections", "audiodev"),
};
const struct group group_trace = {
    .name = "trace", .implied = "enable", .keys = KEYS("enable", "events", "file")};
const struct group group_kernel = {.name = "kernel", .implied = "text", .plain = true, .merge = true};
const struct group group_initrd = {.name = "initrd", .implied = "text", .plain = true, .merge = true};
const struct group group_append = {.name = "append", .implied = "text", .plain = true, .merge = true};
const struct group group_dtb = {.name = "dtb", .implied = "text", .plain = true, .merge = true};
const struct group group_bios = {.name = "bios", .implied = "text", .plain = true, .merge = true};

const struct group *const groups[] = {
    &group_machine, &group_accel,  &group_cpu,     &group_smp,    &group_memory,  &group_device,
    &group_drive,   &group_blockdev, &group_object, &group_netdev, &group_nic,    &group_net,
    &group_chardev, &group_tpmdev, &group_numa, &group_serial, &group_parallel, &group_debugcon, &group_monitor, &group_mon,   &group_global,
    &group_boot,    &group_name,   &group_uuid,    &group_rtc,    &group_action,  &group_fsdev,
    &group_virtfs,  &group_smbios, &group_acpi,    &group_fw_cfg, &group_display, &group_vnc, &group_trace,
    &group_overcommit, &group_option_rom, &group_kernel,  &group_initrd, &group_append,  &group_dtb,    &group_bios,    NULL,
};

static int check_keys(const struct group *g, struct json_object *o, struct err *e)
{
    if (!g->keys)
        return 0;
    json_object_object_foreach(o, key, value)
    {
        const char *const *k = g->keys, *near;

        (void)value;
        while (*k && strcmp(*k, key) != 0)
            k++;
        if (*k)
            continue;
        near = nearest_name(key, g->keys);
        return err_set(e, -EINVAL, "Invalid parameter '%s'%s%s%s", key,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return 0;
}

static struct json_object *parse(const struct group *g, const char *text, struct err *e)
{
    struct json_object *o;

    if (g->plain) {
        o = json_object_new_object();
        json_object_object_add(o, g->implied, json_object_new_string(text));
        return o;
    }
    if (g->json && *text == '{')
        return json_parse(text, e);
    return g->parse ? g->parse(text, e) : keyval_parse(text, g->implied, e);
}

static void merge_into(struct json_object *into, struct json_object *o)
{
    json_object_object_foreach(o, key, value)
    {
        struct json_object *old = json_object_object_get(into, key);

        if (json_object_is_type(value, json_type_object) &&
            json_object_is_type(old, json_type_object))
            merge_into(old, value);
        else
            json_object_object_add(into, key, json_object_get(value));
    }
}

static void append(struct cli *c, struct entry *x)
{
    struct entry **at = &c->entries;

    while (*at)
        at = &(*at)->next;
    *at = x;
}

int entry_fail(const struct entry *x, struct err *e)
{
    return err_wrap(e, e->code, "%s%s%s", x->option, *x->text ? " " : "", x->text);
}

int cli_add(struct cli *c, const struct group *g, const char *option, const char *text,
            struct err *e)
{
    struct entry *old = g->merge ? cli_first(c, g) : NULL, *x;
    struct json_object *o = parse(g, text, e);

    if (o && !json_object_is_type(o, json_type_object)) {
        json_object_put(o);
        o = NULL;
        err_set(e, -EINVAL, "expects an object");
    }
    if (!o || check_keys(g, o, e) < 0) {
        json_object_put(o);
        return err_wrap(e, e->code, "%s %s", option, text);
    }
    if (old) {
        merge_into(old->opts, o);
        json_object_put(o);
        return 0;
    }
    if (!(x = calloc(1, sizeof(*x))) || !(x->text = strdup(text)))
        fatal("out of memory");
    x->group = g;
    x->option = option;
    x->opts = o;
    append(c, x);
    return 0;
}

static struct entry *of_group(struct entry *x, const struct group *g)
{
    while (x && x->group != g)
        x = x->next;
    return x;
}

struct entry *cli_first(const struct cli *c, const struct group *g)
{
    return of_group(c->entries, g);
}

struct entry *entry_next(const struct entry *x)
{
    return of_group(x->next, x->group);
}

const char *cli_text(const struct cli *c, const struct group *g, const char *key)
{
    const struct entry *x = cli_first(c, g);

    return x ? keyval_string(x->opts, key ? key : g->implied) : NULL;
}

void cli_free(struct cli *c)
{
    for (struct entry *x; (x = c->entries);) {
        c->entries = x->next;
        json_object_put(x->opts);
        free(x->text);
        free(x);
    }
}

int id_check(const char *id, struct err *e)
{
    bool ok = isalpha((unsigned char)*id);

    for (const char *p = id; ok && *p; p++)
        ok = isalnum((unsigned char)*p) || strchr("-._", *p);
    return ok ? 0
              : err_set(e, -EINVAL,
                        "Parameter 'id' expects an identifier: letters, digits, '-', '.', '_', "
                        "starting with a letter");
}
