/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info mem, info tlb: what the chosen CPU's translation tables map at this moment, in stretches of the same rights and page by page. */
#include "mon/mon_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 20000 };

struct list {
    FILE *f;
    char *text;
    size_t len;
    unsigned lines;
    guest_page_fn *page;
    /* The stretch that is growing */
    uint64_t va, size;
    char prot[16];
};

static bool count(struct list *l)
{
    if (++l->lines < LINES_MAX)
        return true;
    fprintf(l->f, "... (%d lines at most)\n", LINES_MAX);
    return false;
}

static bool end_stretch(struct list *l)
{
    if (!l->size)
        return true;
    fprintf(l->f, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %s\n", l->va, l->va + l->size, l->size, l->prot);
    l->size = 0;
    return count(l);
}

static bool join(void *opaque, uint64_t va, uint64_t pa, uint64_t size, const char *prot, const char *attrs)
{
    struct list *l = opaque;
    bool more = true;

    if (!l->size || l->va + l->size != va || strcmp(l->prot, prot) != 0) {
        more = end_stretch(l);
        l->va = va;
        snprintf(l->prot, sizeof(l->prot), "%s", prot);
    }
    l->size += size;
    return more;
}

static bool each(void *opaque, uint64_t va, uint64_t pa, uint64_t size, const char *prot, const char *attrs)
{
    struct list *l = opaque;

    fprintf(l->f, "%016" PRIx64 ": %016" PRIx64 " %s\n", va, pa, attrs);
    return count(l);
}

static void gather(struct cpu *cpu, void *opaque)
{
    struct list *l = opaque;

    cpu->isa->system->pages(cpu, l->page, l);
    if (l->lines < LINES_MAX)
        end_stretch(l);
}

static int show(struct mon *m, guest_page_fn *page, const char *args, struct err *e)
{
    struct vcpu *v = mon_vcpu(m, e);
    struct list l = {.page = page};

    if (!v || mon_end(args, e) < 0)
        return e->code;
    if (!(l.f = open_memstream(&l.text, &l.len)))
        return err_set(e, -ENOMEM, "out of memory");
    vcpu_call(v, gather, &l);
    fclose(l.f);
    mon_puts(m, l.lines ? l.text : "PG disabled\n");
    free(l.text);
    return 0;
}

static int mem(struct mon *m, const char *args, struct err *e)
{
    return show(m, join, args, e);
}

static int tlb(struct mon *m, const char *args, struct err *e)
{
    return show(m, each, args, e);
}

const struct mon_command info_mem = {
    .name = "mem", .args = "", .help = "show the active virtual memory mappings", .run = mem};
const struct mon_command info_tlb = {
    .name = "tlb", .args = "", .help = "show virtual to physical memory mappings", .run = tlb};
