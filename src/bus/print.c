/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces as `info mtree` shows them: the tree, or the flat view. */
#include "bus/machine_priv.h"

#include <inttypes.h>
#include <stdio.h>

struct printer {
    void (*line)(void *opaque, const char *text);
    void *opaque;
};

static const char *kind_name(const struct mem *m)
{
    switch (m->kind) {
    case MEM_RAM: return m->ram->rom ? "rom" : "ram";
    case MEM_ROM: return "rom";
    case MEM_ROMD: return m->romd_off ? "i/o" : "romd";
    case MEM_ALIAS: return kind_name(m->alias);
    case MEM_CONTAINER:
    case MEM_MMIO: break;
    }
    return "i/o";
}

static void print_tree(const struct printer *p, const struct mem *m, paddr base, int depth)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, %s): ", depth,
                     "", base, base + (m->size - 1), m->priority, kind_name(m));

    if (n < 0 || (size_t)n >= sizeof(text))
        return;
    if (m->kind == MEM_ALIAS)
        snprintf(text + n, sizeof(text) - (size_t)n,
                 "alias %s @%s %016" PRIx64 "-%016" PRIx64 "%s", m->name, m->alias->name,
                 m->alias_off, m->alias_off + (m->size - 1), m->off ? " [disabled]" : "");
    else
        snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", m->name, m->off ? " [disabled]" : "");
    p->line(p->opaque, text);
    if (depth < 64)
        for (const struct mem *c = m->first; c; c = c->next)
            print_tree(p, c, base + c->at, depth + 2);
}

static void print_flat(const struct printer *p, const struct view *v)
{
    char text[256];

    for (unsigned i = 0; i < v->n; i++) {
        const struct range *r = &v->range[i];
        int n = snprintf(text, sizeof(text), "  %016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s",
                         r->first, r->last, r->mem->priority, kind_name(r->mem), r->mem->name);

        if (r->off && n > 0 && (size_t)n < sizeof(text))
            snprintf(text + n, sizeof(text) - (size_t)n, " @%016" PRIx64, r->off);
        p->line(p->opaque, text);
    }
}

void space_print(struct space *s, bool flat, void (*line)(void *opaque, const char *text),
                 void *opaque)
{
    struct printer p = {.line = line, .opaque = opaque};
    char text[128];

    if (!flat) {
        snprintf(text, sizeof(text), "address-space: %s", s->name);
        line(opaque, text);
        print_tree(&p, s->root, 0, 2);
        return;
    }
    snprintf(text, sizeof(text), " AS \"%s\", root: %s", s->name, s->root->name);
    line(opaque, text);
    snprintf(text, sizeof(text), " Root memory region: %s", s->root->name);
    line(opaque, text);
    print_flat(&p, s->view);
}
