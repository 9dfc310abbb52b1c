/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of struct mem: its nodes, and changing it.  bus/view.c makes flat views of it. */
#include "bus/machine_priv.h"

#include <string.h>

static void init(struct mem *m, const char *name, uint64_t size, int kind)
{
    *m = (struct mem){.name = name, .size = size, .kind = kind};
}

void mem_init_container(struct mem *m, const char *name, uint64_t size)
{
    init(m, name, size, MEM_CONTAINER);
}

void mem_init_mmio(struct mem *m, const char *name, uint64_t size, const struct mmio_ops *ops,
                   void *opaque)
{
    init(m, name, size, MEM_MMIO);
    m->ops = ops;
    m->opaque = opaque;
}

void mem_init_ram(struct mem *m, const char *name, struct ram *ram, uint64_t off, uint64_t size)
{
    if (off > ram->size || size > ram->size - off || !size)
        bug("memory '%s' shows more than there is of '%s'", name, ram->name);
    init(m, name, size, ram->rom ? MEM_ROM : MEM_RAM);
    m->ram = ram;
    m->ram_off = off;
}

void mem_init_romd(struct mem *m, const char *name, struct ram *ram, const struct mmio_ops *ops,
                   void *opaque)
{
    init(m, name, ram->size, MEM_ROMD);
    m->ram = ram;
    m->ops = ops;
    m->opaque = opaque;
}

void mem_init_alias(struct mem *m, const char *name, struct mem *of, uint64_t off, uint64_t size)
{
    init(m, name, size, MEM_ALIAS);
    m->alias = of;
    m->alias_off = off;
}

/* The machine whose views @m may be seen in, or NULL when no view has met it: then nothing has to be done. */
static void changed(struct mem *m)
{
    struct machine *machine = m->shown;

    if (!machine)
        return;
    if (machine->mem_depth)
        machine->mem_changed = true;
    else
        spaces_update(machine);
}

void mem_begin(struct machine *m)
{
    m->mem_depth++;
}

void mem_end(struct machine *m)
{
    if (!m->mem_depth)
        bug("mem_end without mem_begin");
    if (--m->mem_depth || !m->mem_changed)
        return;
    m->mem_changed = false;
    spaces_update(m);
}

/* The first child is the one that is seen where several overlap. */
void mem_add(struct mem *container, paddr at, struct mem *m, int priority)
{
    struct mem **p = &container->first;

    if (container->kind != MEM_CONTAINER || m->parent)
        bug("'%s' cannot be put into '%s'", m->name, container->name);
    while (*p && (*p)->priority > priority)
        p = &(*p)->next;
    m->at = at;
    m->priority = priority;
    m->parent = container;
    m->next = *p;
    *p = m;
    changed(container);
}

void mem_remove(struct mem *m)
{
    struct mem *container = m->parent, **p;

    if (!container)
        return;
    for (p = &container->first; *p != m; p = &(*p)->next)
        ;
    *p = m->next;
    m->parent = m->next = NULL;
    changed(container);
}

void mem_place(struct mem *container, struct mem *m, bool on, paddr at, int priority)
{
    if (m->parent && (!on || m->at != at))
        mem_remove(m);
    if (on && !m->parent)
        mem_add(container, at, m, priority);
}

void mem_remove_within(struct mem *root, const void *from, size_t len)
{
    for (struct mem *c = root->first, *next; c; c = next) {
        next = c->next;
        if ((const char *)c >= (const char *)from && (const char *)c < (const char *)from + len)
            mem_remove(c);
        else
            mem_remove_within(c, from, len);
    }
}

void mem_move(struct mem *m, paddr at)
{
    if (m->at == at)
        return;
    m->at = at;
    if (m->parent)
        changed(m->parent);
}

void mem_enable(struct mem *m, bool on)
{
    if (m->off == !on)
        return;
    m->off = !on;
    changed(m);
    if (m->parent && !m->shown)
        changed(m->parent);
}

void mem_romd_mode(struct mem *m, bool rom)
{
    if (m->romd_off == !rom)
        return;
    m->romd_off = !rom;
    changed(m);
}
