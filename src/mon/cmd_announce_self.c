/* SPDX-License-Identifier: GPL-2.0-or-later */
/* announce_self: cards tell the network where they are, five times within a second. */
#include "mon/mon_priv.h"

#include "net/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Times as people know them: after 50 ms, then 100 ms more each time. */
enum { ROUNDS = 5, FIRST_MS = 50, STEP_MS = 100, NS_PER_MS = 1000000, NAMES = 1024 };

/* It lives as long as the machine: a command of people, not of programs. */
struct announce {
    struct machine *m;
    struct timer timer;
    unsigned round;
    char names[NAMES]; /* ",n0,n1,"; "": all */
};

static bool one(void *opaque, const char *id, void *backend)
{
    struct announce *a = opaque;
    char name[NAMES];

    snprintf(name, sizeof(name), ",%s,", id);
    if (!*a->names || strstr(a->names, name))
        net_announce(backend);
    return true;
}

static void announce(void *opaque)
{
    struct announce *a = opaque;

    machine_each_backend(a->m, "netdev", one, a);
    if (++a->round < ROUNDS)
        timer_at(&a->timer, clock_now(a->m, CLK_REAL) + (FIRST_MS + (a->round - 1) * STEP_MS) * (int64_t)NS_PER_MS);
}

static void forget(void *opaque)
{
    struct announce *a = opaque;

    timer_cancel(&a->timer);
    free(a);
}

/* Each name is there. */
static int check(struct mon *m, const char *list, struct err *e)
{
    char name[NAMES];

    for (size_t n; *list; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        snprintf(name, sizeof(name), "%.*s", (int)n, list);
        if (n && !machine_backend(m->env->m, "netdev", name))
            return err_set(e, -ENOENT, "Device '%s' not found", name);
    }
    return 0;
}

static int announce_self(struct mon *m, const char *args, struct err *e)
{
    char list[NAMES - 2] = "", id[128];
    struct announce *a;

    mon_word(&args, list, sizeof(list));
    mon_word(&args, id, sizeof(id)); /* names it for a command that stops it, which is not there */
    if (mon_end(args, e) < 0 || check(m, list, e) < 0)
        return e->code;
    if (!(a = calloc(1, sizeof(*a))))
        return err_set(e, -ENOMEM, "out of memory");
    a->m = m->env->m;
    if (*list)
        snprintf(a->names, sizeof(a->names), ",%s,", list);
    timer_init(&a->timer, a->m, CLK_REAL, announce, a);
    machine_on_end(a->m, forget, a);
    announce(a);
    return 0;
}

const struct mon_command cmd_announce_self = {
    .name = "announce_self",
    .args = "[interfaces] [id]",
    .help = "Trigger GARP/RARP announcements",
    .run = announce_self,
};
