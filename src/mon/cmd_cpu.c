/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu, info cpus, info registers, info hotpluggable-cpus. */
#include "dev/acpi/cpu_hotplug.h"
#include "mon/mon_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int choose(struct mon *m, const char *args, struct err *e)
{
    uint64_t n;

    if (mon_expr(m, &args, &n, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    if (n > 4096 || !vcpu_at(m->env->m, (unsigned)n))
        mon_printf(m, "invalid CPU index\n");
    else
        m->cpu = (unsigned)n;
    return 0;
}

const struct mon_command cmd_cpu = {
    .name = "cpu", .args = "index", .help = "set the default CPU", .run = choose};

static int cpus(struct mon *m, const char *args, struct err *e)
{
    struct vcpu *v;

    for (unsigned i = 0; (v = vcpu_at(m->env->m, i)); i++)
        mon_printf(m, "%c CPU #%u: thread_id=%d%s%s\n", i == m->cpu ? '*' : ' ', i, (int)vcpu_tid(v),
                   vcpu_is_on(v) ? "" : " (powered off)", vcpu_is_asleep(v) ? " (halted)" : "");
    return mon_end(args, e);
}

const struct mon_command info_cpus = {
    .name = "cpus", .args = "", .help = "show infos for each CPU", .run = cpus};

struct dump {
    char *text;
    size_t len;
};

static void dump(struct cpu *cpu, void *opaque)
{
    struct dump *d = opaque;
    FILE *f = cpu->isa->dump ? open_memstream(&d->text, &d->len) : NULL;

    if (!f)
        return;
    cpu->isa->dump(cpu, f, true);
    fclose(f);
}

static void print_cpu(struct mon *m, unsigned i)
{
    struct dump d = {0};

    vcpu_call(vcpu_at(m->env->m, i), dump, &d);
    mon_printf(m, "\nCPU#%u\n%s", i, d.text ? d.text : "");
    free(d.text);
}

static int registers(struct mon *m, const char *args, struct err *e)
{
    bool all = mon_option(&args, 'a');
    uint64_t n = m->cpu;

    if (*args && !all && mon_expr(m, &args, &n, e) < 0)
        return e->code;
    if (mon_end(args, e) < 0 || !mon_vcpu(m, e))
        return e->code;
    if (n > 4096 || !vcpu_at(m->env->m, (unsigned)n))
        return err_set(e, -ENODEV, "CPU#%u not available", (unsigned)n);
    for (unsigned i = all ? 0 : (unsigned)n; vcpu_at(m->env->m, i) && (all || i == n); i++)
        print_cpu(m, i);
    return 0;
}

const struct mon_command info_registers = {
    .name = "registers",
    .args = "[-a|vcpu]",
    .help = "show the cpu registers (-a: of all cpus; vcpu: of that one)",
    .run = registers,
};

static void print_slot(struct mon *m, const struct cpu_slot *s, unsigned i, const struct cpu_plug *plug)
{
    mon_printf(m, "  type: \"%s\"\n  vcpus_count: \"1\"\n", plug->type);
    if (s->present && s->dev && s->dev->id)
        mon_printf(m, "  qom_path: \"/machine/peripheral/%s\"\n", s->dev->id);
    else if (s->present)
        mon_printf(m, "  qom_path: \"/machine/unattached/cpu[%u]\"\n", i);
    mon_printf(m, "  CPUInstance Properties:\n    socket-id: \"%u\"\n", s->socket);
    if (plug->dies)
        mon_printf(m, "    die-id: \"%u\"\n", s->die);
    mon_printf(m, "    core-id: \"%u\"\n    thread-id: \"%u\"\n", s->core, s->thread);
}

/* The last one first. */
static int hotpluggable(struct mon *m, const char *args, struct err *e)
{
    struct dev *d = cpu_hotplug_find(m->env->m);
    const struct cpu_plug *plug;
    const struct cpu_slot *s;
    unsigned n;

    if (mon_end(args, e) < 0)
        return e->code;
    if (!d)
        return err_set(e, -ENOTSUP, "machine does not support hot-plugging CPUs");
    mon_puts(m, "Hotpluggable CPUs:\n");
    s = cpu_hotplug_slots(d, &n, &plug);
    while (n--)
        print_slot(m, &s[n], n, plug);
    return 0;
}

const struct mon_command info_hotpluggable_cpus = {
    .name = "hotpluggable-cpus", .args = "", .help = "Show information about hotpluggable CPUs", .run = hotpluggable};
