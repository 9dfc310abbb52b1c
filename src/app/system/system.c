/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emu-system: whole machines, by the name it is called by (qemu-system-aarch64).  Stages in order; each frees what it
 * made in the reverse order. */
#include "app/system/sys.h"
#include "cpu/vcpu.h"
#include "dev/devices.h"
#include "guest/x86/system.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void named_add(struct named **list, const char *id, void *p)
{
    struct named *n = calloc(1, sizeof(*n));

    if (!n || !(n->id = strdup(id ? id : "")))
        fatal("out of memory");
    n->p = p;
    n->next = *list;
    *list = n;
}

void sys_warn(struct sys *s, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s: warning: ", s->cli.program);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static void warning(void *opaque, const char *text)
{
    sys_warn(opaque, "%s", text);
}

/* What the user's -cpu asks for and no CPU here has. */
static void warn_of_features(struct sys *s)
{
    bool only32 = strcmp(s->arch, "i386") == 0;
    struct x86_conf c;
    struct err e = {0};

    if (s->conf.cpu && (only32 || strcmp(s->arch, "x86_64") == 0))
        x86_conf_parse(&c, s->conf.cpu, s->conf.cpu_features, s->conf.cpu, only32, warning, s, &e);
}

static void warn_of_machine(struct sys *s)
{
    if (s->conf.board->deprecated)
        sys_warn(s, "Machine type '%s' is deprecated: old and unattended - use a newer version instead", s->conf.board->name);
}

/* Back ends that no card uses; the latest comes first in the list. */
static void warn_of_nets(struct sys *s, const struct named *n)
{
    if (!n)
        return;
    warn_of_nets(s, n->next);
    if (!net_has_card(n->p) && net_hub_of(n->p) < 0)
        sys_warn(s, "netdev %s has no peer", n->id);
}

/* Which hub @n is a port of, or -1. */
static int hub_of_port(const struct net *n)
{
    return strcmp(net_type(n), "hubport") == 0 ? net_hub_of(n) : -1;
}

/* Hubs that join nothing. */
static void warn_of_hub(struct sys *s, int hub)
{
    bool card = false, end = false;

    for (const struct named *n = s->nets; n; n = n->next) {
        if (hub_of_port(n->p) != hub)
            continue;
        card |= net_has_card(n->p);
        end |= net_hub_end(n->p) != NULL;
        if (!net_has_card(n->p) && !net_hub_end(n->p))
            sys_warn(s, "hub port %s has no peer", n->id);
    }
    if (end && !card)
        sys_warn(s, "hub %d with no nics", hub);
    else if (card && !end)
        sys_warn(s, "hub %d is not connected to host network", hub);
}

static void warn_of_hubs(struct sys *s)
{
    for (const struct named *n = s->nets; n; n = n->next) {
        int hub = hub_of_port(n->p);
        const struct named *same = n->next;

        while (same && hub_of_port(same->p) != hub)
            same = same->next;
        if (hub >= 0 && !same)
            warn_of_hub(s, hub);
    }
}

/* Signals that end us are read from a descriptor, by the main loop; no other thread gets them. */
static void block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int build(struct sys *s, struct err *e)
{
    int r;

    if ((r = objects_make(s, e)) < 0 || (r = conf_fill(s, e)) < 0 || (r = memory_take(s, e)) < 0 ||
        (r = fsdevs_make(s, e)) < 0 || (r = drives_open(s, e)) < 0 || (r = chars_open(s, e)) < 0 ||
        (r = nets_open(s, e)) < 0 || (r = tpms_open(s, e)) < 0)
        return r;
    s->conf.default_cdrom = !s->cli.nodefaults;
    if ((r = s->conf.board->build(s->m, &s->conf, e)) < 0)
        return r;
    if (r == BOARD_DONE) {
        s->cli.done = true;
        return 0;
    }
    if (s->conf.take_turns)
        vcpu_take_turns(s->m);
    if ((r = devices_make(s, e)) < 0 || (r = machine_ready(s->m, e)) < 0 || (r = memory_lock(s, e)) < 0)
        return r;
    warn_of_machine(s); /* before a monitor's prompt is there */
    warn_of_features(s);
    warn_of_nets(s, s->nets);
    warn_of_hubs(s);
    if ((r = displays_open(s, e)) < 0 || (r = monitors_make(s, e)) < 0)
        return r;
    return machine_gdb_start(s, e);
}

static int start(struct sys *s, struct err *e)
{
    int r;

    if ((r = rights_find(&s->cli.rights, e)) < 0 || (r = daemon_begin(s, e)) < 0)
        return r;
    s->loop = loop_new();
    s->m = machine_new(dev_types(), s->loop);
    s->blk = blk_env_new(warning, s);
    machine_lock(s->m);
    if (lists_print(s, e)) {
        s->cli.done = true;
        return e->code;
    }
    if ((r = logs_open(s, e)) < 0 || s->cli.done)
        return r;
    if (s->cli.writeconfig && (r = config_write(&s->cli, s->cli.writeconfig, e)) < 0)
        return r;
    if ((r = build(s, e)) < 0 || (r = pidfile_make(s, e)) < 0 || (r = rights_drop(&s->cli.rights, e)) < 0)
        return r;
    if (s->unseen)
        sys_warn(s, "there are no windows yet: -vnc :0 shows the screen, -nographic the serial port");
    return 0;
}

static void finish(struct sys *s)
{
    if (s->m) {
        machine_gdb_end(s);
        monitors_close(s);
        displays_close(s);
        machine_unlock(s->m);
        vcpu_free_all(s->m);
        machine_free(s->m);
        tpms_close(s);
        nets_close(s);
        drives_close(s);
        chars_close(s);
        objects_close(s);
        blk_env_free(s->blk);
        loop_free(s->loop);
    }
    conf_free(s);
    cli_free(&s->cli);
    if (s->pidfile_made)
        unlink(s->pidfile_made);
    free((char *)s->pidfile_made);
}

/* "qemu-system-aarch64" -> "aarch64". */
static const char *arch_of(const char *program)
{
    static const char prefix[] = "qemu-system-";

    return !strncmp(program, prefix, sizeof(prefix) - 1) ? program + sizeof(prefix) - 1 : "aarch64";
}

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    struct sys s = {.daemon_fd = -1};
    struct err e = {0};
    int status = 0;

    s.cli.program = slash ? slash + 1 : argc > 0 ? argv[0] : "emu-system";
    s.arch = arch_of(s.cli.program);
    begin_disas();
    block_signals();
    if (options_parse(&s.cli, argc, argv, &e) == 0 && !s.cli.done && start(&s, &e) == 0 &&
        !s.cli.done)
        status = sys_run(&s);
    if (e.code) {
        fprintf(stderr, "%s: %s\n", s.cli.program, e.msg);
        status = 1;
    }
    finish(&s);
    return status;
}
