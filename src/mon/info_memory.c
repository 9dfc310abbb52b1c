/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info mtree, ramblock, memdev, memory-devices, memory_size_summary, numa. */
#include "dev/acpi/memory_hotplug.h"
#include "dev/firmware/image.h"
#include "mon/mon_priv.h"

#include "base/size_text.h"

#include <inttypes.h>

static int mtree(struct mon *m, const char *args, struct err *e)
{
    bool flat = false;

    for (bool more = true; more;) {
        more = mon_option(&args, 'd') || mon_option(&args, 'o') || mon_option(&args, 'D');
        if (mon_option(&args, 'f'))
            more = flat = true;
    }
    if (mon_end(args, e) < 0)
        return e->code;
    if (flat)
        mon_puts(m, "FlatView #0\n");
    space_print(machine_space(m->env->m), flat, mon_line, m);
    mon_puts(m, flat ? "\nFlatView #1\n" : "\n");
    space_print(machine_io_space(m->env->m), flat, mon_line, m);
    mon_puts(m, "\n");
    return 0;
}

const struct mon_command info_mtree = {
    .name = "mtree",
    .args = "[-f]",
    .help = "show memory tree (-f: dump flat view for address spaces)",
    .run = mtree,
};

static bool print_block(void *opaque, struct ram *r)
{
    mon_printf(opaque, "%24s  %6s  0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 " %s\n", r->name,
               "4 KiB", r->offset, r->size, r->size, r->rom ? "ro" : "rw");
    return true;
}

static int ramblock(struct mon *m, const char *args, struct err *e)
{
    mon_printf(m, "%24s  %6s  %18s %18s %18s %s\n", "Block Name", "PSize", "Offset", "Used", "Total",
               "HVA");
    ram_each(m->env->m, print_block, m);
    return mon_end(args, e);
}

const struct mon_command info_ramblock = {
    .name = "ramblock", .args = "", .help = "Display system ramblock information", .run = ramblock};

static bool print_memdev(void *opaque, const char *id, void *backend)
{
    const struct ram *r = backend;

    mon_printf(opaque, "memory backend: %s\n  size:  %" PRIu64 "\n  share: %s\n", id, r->size,
               r->fd >= 0 ? "true" : "false");
    return true;
}

static int memdev(struct mon *m, const char *args, struct err *e)
{
    machine_each_backend(m->env->m, "memory-backend", print_memdev, m);
    mon_puts(m, "\n");
    return mon_end(args, e);
}

const struct mon_command info_memdev = {
    .name = "memdev", .args = "", .help = "show memory backends", .run = memdev};

/* Each module that is plugged; @node: only those of that one, -1: all.  How many bytes they are. */
static uint64_t plugged(struct mon *m, int node, void (*print)(struct mon *m, const struct memory_module *mod))
{
    struct dev *d = memory_hotplug_find(m->env->m);
    struct memory_module mod;
    uint64_t sum = 0;

    for (unsigned i = 0; d && i < MEMORY_SLOTS; i++) {
        if (!memory_hotplug_module(d, i, &mod) || (node >= 0 && mod.node != (unsigned)node))
            continue;
        sum += mod.size;
        if (print)
            print(m, &mod);
    }
    return sum;
}

static void print_module(struct mon *m, const struct memory_module *mod)
{
    mon_printf(m, "Memory device [dimm]: \"%s\"\n  addr: 0x%" PRIx64 "\n  slot: %u\n  node: %u\n  size: %" PRIu64 "\n  memdev: /objects/%s\n"
               "  hotplugged: %s\n  hotpluggable: true\n", mod->dev->id ? mod->dev->id : "", mod->at, mod->slot, mod->node, mod->size, mod->backend,
               mod->dev->hotplugged ? "true" : "false");
}

static int memory_devices(struct mon *m, const char *args, struct err *e)
{
    plugged(m, -1, print_module);
    return mon_end(args, e);
}

const struct mon_command info_memory_devices = {
    .name = "memory-devices", .args = "", .help = "show memory devices", .run = memory_devices};

static int summary(struct mon *m, const char *args, struct err *e)
{
    mon_printf(m, "base memory: %" PRIu64 "\nplugged memory: %" PRIu64 "\n", m->env->conf->ram, plugged(m, -1, NULL));
    return mon_end(args, e);
}

const struct mon_command info_memory_size_summary = {
    .name = "memory_size_summary",
    .args = "",
    .help = "show the amount of initially allocated and present hotpluggable memory in bytes",
    .run = summary,
};

static bool print_rom(void *opaque, const char *name, paddr addr, size_t len, bool rom)
{
    mon_printf(opaque, "addr=%016llx size=0x%06zx mem=%s name=\"%s\"\n", (unsigned long long)addr, len, rom ? "rom" : "ram", name);
    return true;
}

static int roms(struct mon *m, const char *args, struct err *e)
{
    image_each_placed(m->env->m, print_rom, m);
    return mon_end(args, e);
}

const struct mon_command info_roms = {.name = "roms", .args = "", .help = "show roms", .run = roms};

static int numa(struct mon *m, const char *args, struct err *e)
{
    const struct conf *c = m->env->conf;
    struct vcpu *v;

    if (mon_end(args, e) < 0)
        return e->code;
    mon_printf(m, "%u nodes\n", c->numa.n);
    for (unsigned i = 0; i < c->numa.n; i++) {
        mon_printf(m, "node %u cpus:", i);
        for (unsigned k = 0; (v = vcpu_at(m->env->m, k)); k++)
            if (vcpu_index(v) < CONF_NUMA_CPUS && c->numa.cpu[vcpu_index(v)] == i + 1)
                mon_printf(m, " %u", vcpu_index(v));
        mon_printf(m, "\nnode %u size: %" PRIu64 " MB\nnode %u plugged: %" PRIu64 " MB\n", i, (c->numa.mem[i] + plugged(m, (int)i, NULL)) >> 20, i,
                   plugged(m, (int)i, NULL) >> 20);
    }
    return 0;
}

const struct mon_command info_numa = {.name = "numa", .args = "", .help = "show NUMA information", .run = numa};
