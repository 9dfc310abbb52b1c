/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu, info cpus, info registers. */
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
        mon_printf(m, "%c CPU #%u:%s%s\n", i == m->cpu ? '*' : ' ', i,
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
