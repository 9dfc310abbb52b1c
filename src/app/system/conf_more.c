/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -rtc, -boot, -action, -global, -name, -uuid. */
#include "app/system/conf_priv.h"

#include "base/nearest.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

static int bad_word(const char *option, const char *key, const char *word,
                    const char *const *words, struct err *e)
{
    const char *near = nearest_name(word, words);

    return err_set(e, -EINVAL, "%s %s=%s: Parameter '%s' does not accept value '%s'%s%s%s", option,
                   key, word, key, word, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
}

/* The place of @key's word in @words; @def when it was not said. */
static int get_word(struct sys *s, const struct group *g, const char *key,
                    const char *const *words, int def, int *at, struct err *e)
{
    const char *word = cli_text(&s->cli, g, key);
    char option[32];

    *at = def;
    for (int i = 0; word && words[i]; i++) {
        if (!strcmp(words[i], word)) {
            *at = i;
            return 0;
        }
    }
    snprintf(option, sizeof(option), "-%s", g->name);
    return word ? bad_word(option, key, word, words, e) : 0;
}

/* -rtc base=2006-06-17T16:01:21: seconds between that and now. */
static int base_offset(const char *text, int64_t *ns, struct err *e)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    time_t now = time(NULL), base;

    if (!end || *end) {
        tm = (struct tm){0};
        end = strptime(text, "%Y-%m-%d", &tm);
    }
    if (!end || *end)
        return err_set(e, -EINVAL,
                       "-rtc base=%s: invalid datetime format; valid formats: utc, localtime, "
                       "'2006-06-17T16:01:21' or '2006-06-17'",
                       text);
    base = timegm(&tm);
    *ns = ((int64_t)base - now) * NS_PER_S;
    return 0;
}

int conf_rtc(struct sys *s, struct err *e)
{
    static const char *const clocks[] = {"host", "rt", "vm", NULL};
    static const char *const slews[] = {"none", "slew", NULL};
    const char *base = cli_text(&s->cli, &group_rtc, "base");
    int64_t offset = 0;
    int clock, slew, r;

    if ((r = get_word(s, &group_rtc, "clock", clocks, 0, &clock, e)) < 0 ||
        (r = get_word(s, &group_rtc, "driftfix", slews, 0, &slew, e)) < 0)
        return r;
    if (base && !strcmp(base, "localtime")) {
        time_t now = time(NULL);
        struct tm tm;

        offset = localtime_r(&now, &tm) ? tm.tm_gmtoff * NS_PER_S : 0;
    } else if (base && strcmp(base, "utc") != 0 && (r = base_offset(base, &offset, e)) < 0) {
        return r;
    }
    if (slew) /* a -global that says something else comes later, and counts */
        dev_set_global(s->m, "mc146818rtc", "lost_tick_policy", "slew");
    if (clock == 2) /* begins now and goes on with the machine */
        offset += (int64_t)time(NULL) * NS_PER_S;
    clock_set_rtc(s->m, offset, clock == 2);
    return 0;
}

static int get_switch(struct sys *s, const struct group *g, const char *key, bool *on,
                      struct err *e)
{
    const char *text = cli_text(&s->cli, g, key);

    if (text && parse_bool(text, on, e) < 0)
        return err_set(e, -EINVAL, "-%.4s: Parameter '%s' expects 'on' or 'off'", g->name, key);
    return 0;
}

/* A time of -boot's, -1 when it is not given. */
static int get_ms(struct sys *s, const char *key, long max, long *ms, struct err *e)
{
    const char *text = cli_text(&s->cli, &group_boot, key);
    char *end;

    *ms = -1;
    if (!text)
        return 0;
    *ms = strtol(text, &end, 0);
    if (!*text || *end || *ms < -1 || *ms > max)
        return err_set(e, -EINVAL, "-boot %s=%s: want -1 to %ld milliseconds", key, text, max);
    return 0;
}

int conf_boot(struct sys *s, struct err *e)
{
    const char *const orders[] = {cli_text(&s->cli, &group_boot, "order"),
                                  cli_text(&s->cli, &group_boot, "once")};
    int r;

    for (unsigned i = 0; i < 2; i++)
        for (const char *p = orders[i]; p && *p; p++) {
            if (*p < 'a' || *p > 'p')
                return err_set(e, -EINVAL, "Invalid boot device '%c'", *p);
            if (strchr(p + 1, *p))
                return err_set(e, -EINVAL, "Boot device '%c' was given twice", *p);
        }
    s->conf.boot_order = conf_copy(orders[0]);
    s->conf.boot_once = conf_copy(orders[1]);
    s->conf.boot_splash = conf_copy(cli_text(&s->cli, &group_boot, "splash"));
    if ((r = get_ms(s, "splash-time", 0xffff, &s->conf.splash_ms, e)) < 0 ||
        (r = get_ms(s, "reboot-timeout", 0xffff, &s->conf.reboot_ms, e)) < 0)
        return r;
    if ((r = get_switch(s, &group_boot, "menu", &s->conf.boot_menu, e)) < 0)
        return r;
    return get_switch(s, &group_boot, "strict", &s->conf.boot_strict, e);
}

int conf_actions(struct sys *s, struct err *e)
{
    static const char *const reboots[] = {"reset", "shutdown", NULL};
    static const char *const shutdowns[] = {"poweroff", "pause", NULL};
    static const char *const panics[] = {"shutdown", "pause", "exit-failure", "none", NULL};
    static const char *const dogs[] = {"reset", "shutdown", "poweroff",    "pause",
                                       "debug", "none",     "inject-nmi", NULL};
    int reboot, shutdown, panic, r;

    if ((r = get_word(s, &group_action, "reboot", reboots, 0, &reboot, e)) < 0 ||
        (r = get_word(s, &group_action, "shutdown", shutdowns, 0, &shutdown, e)) < 0 ||
        (r = get_word(s, &group_action, "panic", panics, 0, &panic, e)) < 0 ||
        (r = get_word(s, &group_action, "watchdog", dogs, 0, &s->actions.watchdog, e)) < 0)
        return r;
    machine_set_watchdog(s->m, (enum watchdog_action)s->actions.watchdog);
    s->actions.reboot_shuts_down = reboot == 1;
    s->actions.shutdown_pauses = shutdown == 1;
    s->actions.panic_pauses = panic == 1;
    s->actions.panic_exits = panic == 2;
    s->actions.panic_none = panic == 3;
    return 0;
}

static void set_global(struct sys *s, const char *driver, const char *prop, const char *value)
{
    if (!strcmp(driver, "kvm-pit")) /* libvirt says it for the timer "pit", whoever runs the machine */
        sys_warn(s, "-global kvm-pit.%s=%s: that is KVM's own 8254, and this machine has another", prop, value);
    dev_set_global(s->m, driver, prop, value);
}

/* driver.property=value, or driver=...,property=...,value=... */
static int one_global(struct sys *s, const char *text, struct err *e)
{
    const char *dot = strchr(text, '.'), *eq = strchr(text, '=');
    struct json_object *o;
    const char *driver, *prop, *value;

    if (dot && eq && dot < eq) {
        char name[128], key[128];

        snprintf(name, sizeof(name), "%.*s", (int)(dot - text), text);
        snprintf(key, sizeof(key), "%.*s", (int)(eq - dot - 1), dot + 1);
        set_global(s, name, key, eq + 1);
        return 0;
    }
    if (!(o = keyval_parse(text, NULL, e)))
        return e->code;
    driver = keyval_string(o, "driver");
    prop = keyval_string(o, "property");
    value = keyval_string(o, "value");
    if (driver && prop && value)
        set_global(s, driver, prop, value);
    else
        err_set(e, -EINVAL, "want driver.property=value");
    json_object_put(o);
    return e->code;
}

int conf_globals(struct sys *s, struct err *e)
{
    for (struct entry *x = cli_first(&s->cli, &group_global); x; x = entry_next(x))
        if (one_global(s, x->text, e) < 0)
            return entry_fail(x, e);
    return 0;
}

int conf_identity(struct sys *s, struct err *e)
{
    const char *uuid = cli_text(&s->cli, &group_uuid, NULL);
    const char *process = cli_text(&s->cli, &group_name, "process");
    uint8_t *u = s->conf.uuid;
    int end = 0;

    s->conf.name = conf_copy(cli_text(&s->cli, &group_name, "guest"));
    if (process)
        prctl(PR_SET_NAME, process);
    if (!uuid)
        return 0;
    if (sscanf(uuid,
               "%2hhx%2hhx%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx%n",
               u, u + 1, u + 2, u + 3, u + 4, u + 5, u + 6, u + 7, u + 8, u + 9, u + 10, u + 11,
               u + 12, u + 13, u + 14, u + 15, &end) != 16 ||
        end != 36 || uuid[end])
        return err_set(e, -EINVAL, "-uuid %s: failed to parse UUID string: wrong format", uuid);
    s->conf.has_uuid = true;
    return 0;
}
