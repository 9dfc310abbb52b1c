/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info mem: what the chosen CPU's translation tables map at this moment. */
#include "mon/mon_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINES_MAX = 20000 };

struct list {
    FILE *f;
    char *text;
    size_t len;
    unsigned lines;
};

static bool line(void *opaque, uint64_t va, uint64_t len, const char *prot)
{
    struct list *l = opaque;

    fprintf(l->f, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %s\n", va, va + len, len, prot);
    if (++l->lines < LINES_MAX)
        return true;
    fprintf(l->f, "... (%d lines at most)\n", LINES_MAX);
    return false;
}

static void gather(struct cpu *cpu, void *opaque)
{
    struct list *l = opaque;

    cpu->isa->system->mappings(cpu, line, l);
}

static int mem(struct mon *m, const char *args, struct err *e)
{
    struct vcpu *v = mon_vcpu(m, e);
    struct list l = {0};

    if (!v || mon_end(args, e) < 0)
        return e->code;
    if (!vcpu_cpu(v)->isa->system->mappings)
        return err_set(e, -ENOTSUP, "the tables of this architecture are not listed");
    if (!(l.f = open_memstream(&l.text, &l.len)))
        return err_set(e, -ENOMEM, "out of memory");
    vcpu_call(v, gather, &l);
    fclose(l.f);
    mon_puts(m, l.lines ? l.text : "PG disabled\n");
    free(l.text);
    return 0;
}

const struct mon_command info_mem = {
    .name = "mem", .args = "", .help = "show the active virtual memory mappings", .run = mem};
