/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info version, status, name, uuid, kvm, iothreads: short answers. */
#include "dev/iothread.h"
#include "mon/mon_priv.h"

#include <inttypes.h>

static int version(struct mon *m, const char *args, struct err *e)
{
    mon_printf(m, "%s%s\n", m->env->version, m->env->package);
    return mon_end(args, e);
}

const struct mon_command info_version = {
    .name = "version", .args = "", .help = "show the version of QEMU", .run = version};

static int status(struct mon *m, const char *args, struct err *e)
{
    enum run_state s = machine_state(m->env->m);

    mon_printf(m, "VM status: %s", s == RUN_RUNNING ? "running" : "paused");
    if (s != RUN_RUNNING && s != RUN_PAUSED)
        mon_printf(m, " (%s)", machine_state_name(s));
    mon_puts(m, "\n");
    return mon_end(args, e);
}

const struct mon_command info_status = {
    .name = "status",
    .args = "",
    .help = "show the current VM status (running|paused)",
    .run = status,
};

static int name(struct mon *m, const char *args, struct err *e)
{
    if (m->env->conf->name)
        mon_printf(m, "%s\n", m->env->conf->name);
    return mon_end(args, e);
}

const struct mon_command info_name = {
    .name = "name", .args = "", .help = "show the current VM name", .run = name};

static int uuid(struct mon *m, const char *args, struct err *e)
{
    for (unsigned i = 0; i < 16; i++)
        mon_printf(m, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                   m->env->conf->uuid[i]);
    mon_puts(m, "\n");
    return mon_end(args, e);
}

const struct mon_command info_uuid = {
    .name = "uuid", .args = "", .help = "show the current VM UUID", .run = uuid};

static int kvm(struct mon *m, const char *args, struct err *e)
{
    mon_puts(m, "kvm support: not compiled\n");
    return mon_end(args, e);
}

const struct mon_command info_kvm = {
    .name = "kvm", .args = "", .help = "show KVM information", .run = kvm};

static bool print_iothread(void *opaque, const char *id, void *backend)
{
    const struct iothread_options *o = iothread_options(backend);

    mon_printf(opaque, "%s:\n  thread_id=%d\n", id, (int)iothread_tid(backend));
    mon_printf(opaque, "  poll-max-ns=%" PRIu64 "\n  poll-grow=%" PRIu64 "\n  poll-shrink=%" PRIu64 "\n  aio-max-batch=%" PRIu64 "\n",
               o->poll_max_ns, o->poll_grow, o->poll_shrink, o->aio_max_batch);
    return true;
}

static int iothreads(struct mon *m, const char *args, struct err *e)
{
    machine_each_backend(m->env->m, "iothread", print_iothread, m);
    return mon_end(args, e);
}

const struct mon_command info_iothreads = {
    .name = "iothreads", .args = "", .help = "show iothreads", .run = iothreads};
