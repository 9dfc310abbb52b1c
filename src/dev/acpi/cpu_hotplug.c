/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs that come and go (cpu_hotplug.h). */
#include "dev/acpi/cpu_hotplug.h"

#include "dev/acpi/ost.h"
#include "dev/pc/acpi_pm.h"

#include <string.h>

enum { SELECTOR = 0, STATUS = 4, COMMAND = 5, DATA = 8 };
enum { ENABLED = 1, INSERT = 2, REMOVE = 4, EJECT = 8 };                       /* STATUS */
enum { GET_NEXT = 0, OST_EVENT = 1, OST_STATUS = 2, GET_ARCH_ID = 3 };        /* COMMAND */

struct cpu_hotplug {
    struct dev dev;
    struct bus bus;
    const struct cpu_plug *plug;
    void *opaque;
    struct cpu_slot *slot;
    uint32_t n;
    uint32_t selector;
    struct ost ost;
    uint8_t command;
};

static struct cpu_hotplug *hotplug_of(struct dev *d)
{
    return (struct cpu_hotplug *)d;
}

void *cpu_hotplug_board(struct bus *b)
{
    return hotplug_of(b->owner)->opaque;
}

static bool is_hotplug(void *opaque, struct dev *d)
{
    if (!strcmp(d->type->name, "acpi-cpu-hotplug"))
        *(struct dev **)opaque = d;
    return true;
}

struct dev *cpu_hotplug_find(struct machine *m)
{
    struct dev *d = NULL;

    machine_each_dev(m, is_hotplug, &d);
    return d;
}

const struct cpu_slot *cpu_hotplug_slots(struct dev *d, unsigned *n, const struct cpu_plug **plug)
{
    *n = hotplug_of(d)->n;
    *plug = hotplug_of(d)->plug;
    return hotplug_of(d)->slot;
}

static void tell(struct cpu_hotplug *h)
{
    struct acpi_pm *pm = acpi_pm_of(h->dev.m);

    if (pm)
        acpi_pm_gpe(pm, GPE_CPU);
}

void cpu_hotplug_start(struct dev *d, struct cpu_slot *slots, unsigned n, const struct cpu_plug *plug, void *opaque)
{
    struct cpu_hotplug *h = hotplug_of(d);

    h->slot = slots;
    h->n = n;
    h->plug = plug;
    h->opaque = opaque;
}

void cpu_hotplug_insert(struct dev *d, unsigned slot, struct dev *cpu)
{
    struct cpu_hotplug *h = hotplug_of(d);

    h->slot[slot].dev = cpu;
    h->slot[slot].present = true;
    h->slot[slot].insert = cpu->hotplugged;
    h->slot[slot].remove = false;
    if (cpu->hotplugged)
        tell(h);
}

/* --- Registers ------------------------------------------------------------------------------ */

/* The next one with news, from the selected one on. */
static void select_next(struct cpu_hotplug *h)
{
    for (uint32_t i = 0; i < h->n; i++) {
        uint32_t k = (h->selector + i) % h->n;

        if (h->slot[k].insert || h->slot[k].remove) {
            h->selector = k;
            return;
        }
    }
}

static void eject(struct cpu_hotplug *h, uint32_t k)
{
    struct cpu_slot *s = &h->slot[k];
    struct dev *d = s->dev;

    if (!d)
        return;
    s->present = s->insert = s->remove = false;
    s->dev = NULL;
    h->plug->gone(h->opaque, k);
    dev_free(d);
}

static uint8_t status_of(const struct cpu_slot *s)
{
    return (s->present ? ENABLED : 0) | (s->insert ? INSERT : 0) | (s->remove ? REMOVE : 0);
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct cpu_hotplug *h = opaque;

    if (h->selector >= h->n)
        return 0;
    switch (off) {
    case SELECTOR: return h->command == GET_ARCH_ID ? h->slot[h->selector].arch_id >> 32 : 0;
    case STATUS: return status_of(&h->slot[h->selector]);
    case DATA:
        return h->command == GET_NEXT      ? h->selector
               : h->command == GET_ARCH_ID ? (uint32_t)h->slot[h->selector].arch_id
                                           : 0;
    default: return 0;
    }
}

static void control(struct cpu_hotplug *h, uint8_t v)
{
    struct cpu_slot *s = &h->slot[h->selector];

    if (v & INSERT)
        s->insert = false;
    if (v & REMOVE)
        s->remove = false;
    if (v & EJECT)
        eject(h, h->selector);
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct cpu_hotplug *h = opaque;

    if (off == SELECTOR)
        h->selector = v;
    if (off == SELECTOR || h->selector >= h->n)
        return;
    if (off == STATUS)
        control(h, v);
    if (off == COMMAND) {
        h->command = v;
        if (v == GET_NEXT)
            select_next(h);
    }
    if (off == DATA && h->command == OST_EVENT)
        h->ost.event = v;
    if (off == DATA && h->command == OST_STATUS)
        ost_report(h->dev.m, &h->ost, v, h->slot[h->selector].dev, "CPU", h->selector);
}

/* The two registers of one byte are where others' bytes would be, so each access is as wide as the guest makes it. */
static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 4};

/* --- The bus -------------------------------------------------------------------------------- */

static int unplug_request(struct bus *b, struct dev *d, struct err *e)
{
    struct cpu_hotplug *h = hotplug_of(b->owner);

    for (uint32_t i = 0; i < h->n; i++)
        if (h->slot[i].dev == d)
            h->slot[i].remove = true;
    tell(h);
    return 0;
}

static int init(struct dev *d, struct err *e)
{
    struct cpu_hotplug *h = hotplug_of(d);

    mem_init_mmio(&d->mmio, "acpi-cpu-hotplug", CPU_HOTPLUG_LEN, &ops, h);
    h->bus.kind = "cpu";
    h->bus.unplug_request = unplug_request;
    bus_add(d, &h->bus, "cpu.0");
    return 0;
}

static void reset(struct dev *d)
{
    struct cpu_hotplug *h = hotplug_of(d);

    for (uint32_t i = 0; i < h->n; i++)
        h->slot[i].insert = h->slot[i].remove = false;
    h->command = 0;
}

static const struct state slot_state[] = {
    STATE(cpu_slot, insert, S_BOOL, 1, NULL),
    STATE(cpu_slot, remove, S_BOOL, 1, NULL),
    STATE_END,
};

static const struct state state[] = {
    STATE_STRUCTS_PTR(cpu_hotplug, slot, n, 4096, slot_state, 1, NULL),
    STATE(cpu_hotplug, selector, S_U32, 1, "which CPU the registers show"),
    STATE(cpu_hotplug, ost.event, S_U32, 1, NULL),
    STATE(cpu_hotplug, ost.status, S_U32, 1, NULL),
    STATE(cpu_hotplug, command, S_U8, 1, NULL),
    STATE_END,
};

const struct dev_type dev_cpu_hotplug = {
    .name = "acpi-cpu-hotplug",
    .help = "registers for CPUs that come and go",
    .class = DEV_BOARD,
    .size = sizeof(struct cpu_hotplug),
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
};
