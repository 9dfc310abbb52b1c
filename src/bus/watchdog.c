/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an expired watchdog leads to (machine.h). */
#include "bus/machine_priv.h"

#include <json-c/json.h>
#include <stdio.h>

void machine_set_watchdog(struct machine *m, enum watchdog_action a)
{
    m->watchdog = a;
}

static void tell(struct machine *m)
{
    static const char *const names[] = {"reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi"};
    struct json_object *data = json_object_new_object();

    json_object_object_add(data, "action", json_object_new_string(names[m->watchdog]));
    machine_event(m, "WATCHDOG", data);
}

void machine_watchdog(struct dev *d)
{
    struct machine *m = d->m;

    tell(m);
    switch (m->watchdog) {
    case WATCHDOG_RESET: machine_ask(m, ASK_RESET, "guest-reset"); return;
    case WATCHDOG_SHUTDOWN: machine_ask(m, ASK_POWERDOWN, "watchdog"); return;
    case WATCHDOG_POWEROFF: machine_ask(m, ASK_SHUTDOWN, "watchdog"); return;
    case WATCHDOG_PAUSE:
        machine_set_state(m, RUN_WATCHDOG);
        machine_event(m, "STOP", NULL);
        return;
    case WATCHDOG_DEBUG: fputs("watchdog: timer fired\n", stderr); return; /* asked for, so not only with -d */
    case WATCHDOG_INJECT_NMI:
        if (!machine_nmi(m))
            host_error(d, "watchdog: this machine has no NMI");
        return;
    case WATCHDOG_NONE: return;
    }
}
