/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that comes and goes (memory_hotplug.h). */
#include "dev/acpi/memory_hotplug.h"

#include "base/bytes.h"
#include "dev/acpi/ost.h"
#include "dev/pc/acpi_pm.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { SELECTOR = 0, OST_EVENT = 4, OST_STATUS = 8, NODE = 16 };
enum { ENABLED = 1, INSERT = 2, REMOVE = 4, EJECT = 8 }; /* status and control */
enum { ALIGN = 2 << 20 };

struct dimm {
    struct dev dev;
    struct ram *ram;
    struct mem mem;
    char *memdev;
    uint64_t slot, addr, node;
};

struct slot {
    struct dimm *dimm;
    bool insert, remove; /* events that the guest has not taken note of */
};

struct memory_hotplug {
    struct dev dev;
    struct bus bus;
    uint64_t at, size, most;
    unsigned n, nodes;
    struct slot slot[MEMORY_SLOTS];
    uint32_t selector;
    struct ost ost;
};

static struct memory_hotplug *hotplug_of(const struct dev *d)
{
    return (struct memory_hotplug *)d;
}

static bool is_hotplug(void *opaque, struct dev *d)
{
    if (!strcmp(d->type->name, "acpi-memory-hotplug"))
        *(struct dev **)opaque = d;
    return true;
}

struct dev *memory_hotplug_find(struct machine *m)
{
    struct dev *d = NULL;

    machine_each_dev(m, is_hotplug, &d);
    return d;
}

void memory_hotplug_start(struct dev *d, uint64_t at, uint64_t size, uint64_t most, unsigned slots, unsigned nodes)
{
    struct memory_hotplug *h = hotplug_of(d);

    h->at = at;
    h->size = size;
    h->most = most;
    h->n = slots;
    h->nodes = nodes;
}

bool memory_hotplug_module(const struct dev *d, unsigned n, struct memory_module *mod)
{
    const struct memory_hotplug *h = hotplug_of(d);
    const struct dimm *m = n < h->n ? h->slot[n].dimm : NULL;

    if (m)
        *mod = (struct memory_module){&m->dev, m->memdev, m->addr, m->ram->size, n, (unsigned)m->node};
    return m;
}

static void tell(struct memory_hotplug *h)
{
    struct acpi_pm *pm = acpi_pm_of(h->dev.m);

    if (pm)
        acpi_pm_gpe(pm, GPE_MEMORY);
}

/* --- Registers ------------------------------------------------------------------------------ */

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    const struct memory_hotplug *h = opaque;
    const struct slot *s = h->selector < h->n ? &h->slot[h->selector] : NULL;
    const struct dimm *m = s ? s->dimm : NULL;
    unsigned shift = 8 * (off & 7);

    if (!m)
        return 0;
    if (off < 8)
        return m->addr >> shift;
    if (off < NODE)
        return m->ram->size >> shift;
    if (off == NODE)
        return m->node;
    return off == MEMORY_CONTROL ? ENABLED | (s->insert ? INSERT : 0) | (s->remove ? REMOVE : 0) : 0;
}

static void control(struct memory_hotplug *h, uint8_t v)
{
    struct slot *s = &h->slot[h->selector];

    if (v & INSERT)
        s->insert = false;
    if (v & REMOVE)
        s->remove = false;
    if (v & EJECT && s->dimm)
        dev_free(&s->dimm->dev);
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct memory_hotplug *h = opaque;

    if (off == SELECTOR)
        h->selector = v;
    if (off == SELECTOR || h->selector >= h->n)
        return;
    if (off == OST_EVENT)
        h->ost.event = v;
    if (off == OST_STATUS)
        ost_report(h->dev.m, &h->ost, v, h->slot[h->selector].dimm ? &h->slot[h->selector].dimm->dev : NULL, "DIMM", h->selector);
    if (off == MEMORY_CONTROL)
        control(h, v);
}

static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 4};

/* --- The bus -------------------------------------------------------------------------------- */

static int choose_slot(struct memory_hotplug *h, struct dimm *m, struct err *e)
{
    if (m->slot == UINT64_MAX)
        for (m->slot = 0; m->slot < h->n && h->slot[m->slot].dimm;)
            m->slot++;
    else if (m->slot >= h->n)
        return err_set(e, -ERANGE, "invalid slot# %" PRIu64 ", should be less than %u", m->slot, h->n);
    else if (h->slot[m->slot].dimm)
        return err_set(e, -EBUSY, "slot %" PRIu64 " is busy", m->slot);
    return m->slot < h->n ? 0 : err_set(e, -ENOSPC, "no free slots available");
}

static const struct dimm *in_the_way(const struct memory_hotplug *h, uint64_t at, uint64_t size)
{
    for (unsigned i = 0; i < h->n; i++) {
        const struct dimm *o = h->slot[i].dimm;

        if (o && at < o->addr + o->ram->size && o->addr < at + size)
            return o;
    }
    return NULL;
}

static int choose_address(struct memory_hotplug *h, struct dimm *m, struct err *e)
{
    uint64_t size = m->ram->size, used = 0, end = h->at + h->size;
    const struct dimm *o;

    for (unsigned i = 0; i < h->n; i++)
        used += h->slot[i].dimm ? h->slot[i].dimm->ram->size : 0;
    if (size > h->most - used)
        return err_set(e, -ENOSPC, "not enough space, currently 0x%" PRIx64 " in use of total space for memory devices 0x%" PRIx64, used, h->most);
    if (m->addr % ALIGN || size % ALIGN)
        return err_set(e, -EINVAL, "%s must be aligned to 0x%x bytes", m->addr % ALIGN ? "address" : "backend memory size", ALIGN);
    if (m->addr) {
        if (m->addr < h->at || m->addr >= end || size > end - m->addr)
            return err_set(e, -EINVAL, "can't add memory device [0x%" PRIx64 ":0x%" PRIx64 "], usable range for memory devices [0x%" PRIx64 ":0x%" PRIx64 "]",
                           m->addr, size, h->at, h->size);
        o = in_the_way(h, m->addr, size);
        return o ? err_set(e, -EBUSY, "address range conflicts with memory device id='%s'", o->dev.id ? o->dev.id : "(unnamed)") : 0;
    }
    for (m->addr = h->at; (o = in_the_way(h, m->addr, size));)
        m->addr = round_up(o->addr + o->ram->size, ALIGN);
    return size <= end - m->addr ? 0 : err_set(e, -ENOSPC, "could not find position in guest address space for memory device - memory fragmented due to alignments");
}

static int plug(struct bus *b, struct dev *d, struct err *e)
{
    struct memory_hotplug *h = hotplug_of(b->owner);
    struct dimm *m = (struct dimm *)d;

    if (!h->size)
        return err_set(e, -EINVAL, "memory devices (e.g. for memory hotplug) are not enabled, please specify the maxmem option");
    if (!h->n)
        return err_set(e, -EINVAL, "no slots where allocated, please specify the 'slots' option");
    if (!m->memdev)
        return err_set(e, -EINVAL, "'memdev' property is not set");
    if (!(m->ram = machine_backend(d->m, "memory-backend", m->memdev)))
        return err_set(e, -ENOENT, "Device '%s' not found", m->memdev);
    if (m->ram->used)
        return err_set(e, -EBUSY, "can't use already busy memdev: %s", m->memdev);
    if (m->node >= (h->nodes ? h->nodes : 1))
        return err_set(e, -EINVAL, "'DIMM property node has value %" PRIu64 "' which exceeds the number of numa nodes: %u", m->node, h->nodes);
    return choose_slot(h, m, e) < 0 || choose_address(h, m, e) < 0 ? e->code : 0;
}

static int placed(struct bus *b, struct dev *d, struct err *e)
{
    struct memory_hotplug *h = hotplug_of(b->owner);
    struct dimm *m = (struct dimm *)d;

    h->slot[m->slot] = (struct slot){.dimm = m, .insert = d->hotplugged};
    if (d->hotplugged)
        tell(h);
    return 0;
}

static void unplug(struct bus *b, struct dev *d)
{
    struct memory_hotplug *h = hotplug_of(b->owner);

    h->slot[((struct dimm *)d)->slot] = (struct slot){0};
}

static int unplug_request(struct bus *b, struct dev *d, struct err *e)
{
    struct memory_hotplug *h = hotplug_of(b->owner);

    h->slot[((struct dimm *)d)->slot].remove = true;
    tell(h);
    return 0;
}

static int init(struct dev *d, struct err *e)
{
    struct memory_hotplug *h = hotplug_of(d);

    mem_init_mmio(&d->mmio, "acpi-mem-hotplug", MEMORY_HOTPLUG_LEN, &ops, h);
    h->bus.kind = "memory";
    h->bus.plug = plug;
    h->bus.placed = placed;
    h->bus.unplug = unplug;
    h->bus.unplug_request = unplug_request;
    bus_add(d, &h->bus, "memory.0");
    return 0;
}

static void reset(struct dev *d)
{
    struct memory_hotplug *h = hotplug_of(d);

    for (unsigned i = 0; i < h->n; i++) {
        h->slot[i].insert = h->slot[i].remove = false;
        if (h->slot[i].dimm)
            h->slot[i].dimm->dev.going = false;
    }
}

static const struct state slot_state[] = {
    STATE(slot, insert, S_BOOL, 1, NULL),
    STATE(slot, remove, S_BOOL, 1, NULL),
    STATE_END,
};

static const struct state state[] = {
    STATE_STRUCTS(memory_hotplug, slot, slot_state, 1, NULL),
    STATE(memory_hotplug, selector, S_U32, 1, "which slot the registers show"),
    STATE(memory_hotplug, ost.event, S_U32, 1, NULL),
    STATE(memory_hotplug, ost.status, S_U32, 1, NULL),
    STATE_END,
};

const struct dev_type dev_memory_hotplug = {
    .name = "acpi-memory-hotplug",
    .help = "registers for memory that comes and goes",
    .class = DEV_BOARD,
    .size = sizeof(struct memory_hotplug),
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
};

/* --- A module ------------------------------------------------------------------------------- */

static int dimm_init(struct dev *d, struct err *e)
{
    struct dimm *m = (struct dimm *)d;

    m->ram->used = true;
    mem_init_ram(&m->mem, m->memdev, m->ram, 0, m->ram->size);
    mem_add(machine_mem(d->m), m->addr, &m->mem, 0);
    return 0;
}

static void dimm_fini(struct dev *d)
{
    struct dimm *m = (struct dimm *)d;

    mem_remove(&m->mem);
    m->ram->used = false;
}

static const struct field dimm_props[] = {
    FIELD(dimm, memdev, F_STR, "memdev", NULL, "memory backend: what it holds"),
    FIELD(dimm, slot, F_U64, "slot", "18446744073709551615", "slot it plugs into; else the next"),
    FIELD(dimm, addr, F_U64, "addr", "0", "where its memory is seen; 0: where there is room"),
    FIELD(dimm, node, F_U64, "node", "0", "NUMA node that it belongs to"),
    FIELD_END,
};

const struct dev_type dev_pc_dimm = {
    .name = "pc-dimm",
    .help = "DIMM memory module",
    .class = DEV_MISC,
    .bus = "memory",
    .size = sizeof(struct dimm),
    .props = dimm_props,
    .init = dimm_init,
    .fini = dimm_fini,
};
