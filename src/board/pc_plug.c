/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes to and goes from a running PC: CPUs ("qemu64-x86_64-cpu" and the like for -device), PCI devices on conventional buses,
 * memory (pc-dimm). */
#include "board/pc.h"

#include "cpu/vcpu.h"
#include "dev/acpi/cpu_hotplug.h"
#include "dev/acpi/memory_hotplug.h"
#include "dev/acpi/pci_hotplug.h"
#include "dev/intc/apic.h"
#include "guest/x86/system.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* --- CPUs ----------------------------------------------------------------------------------- */

struct cpu_dev {
    struct dev dev;
    uint64_t socket, die, core, thread, node;
};

#define UNSET "18446744073709551615"

static const struct field cpu_props[] = {
    FIELD(cpu_dev, socket, F_U64, "socket-id", UNSET, "number of the socket"),
    FIELD(cpu_dev, die, F_U64, "die-id", UNSET, "number of the die in the socket"),
    FIELD(cpu_dev, core, F_U64, "core-id", UNSET, "number of the core in the die"),
    FIELD(cpu_dev, thread, F_U64, "thread-id", UNSET, "number of the thread in the core"),
    FIELD(cpu_dev, node, F_U64, "node-id", UNSET, "NUMA node that it belongs to"),
    FIELD_END,
};

/* @v below @n; one that nobody gave is 0 when there is but one. */
static int check_number(const char *name, uint64_t *v, unsigned n, bool may_miss, struct err *e)
{
    if (*v == UINT64_MAX && may_miss && n == 1)
        *v = 0;
    if (*v == UINT64_MAX)
        return err_set(e, -EINVAL, "CPU %s is not set", name);
    return *v < n ? 0 : err_set(e, -EINVAL, "Invalid CPU %s: %" PRIu64 " must be in range 0:%u", name, *v, n - 1);
}

static int find_slot(struct pc *p, struct cpu_dev *c, unsigned *slot, struct err *e)
{
    const struct conf *f = p->c;

    if (check_number("socket-id", &c->socket, f->sockets, false, e) < 0 || check_number("die-id", &c->die, f->dies, true, e) < 0 ||
        check_number("core-id", &c->core, f->cores, false, e) < 0 || check_number("thread-id", &c->thread, f->threads, false, e) < 0)
        return e->code;
    *slot = ((c->socket * f->dies + c->die) * f->cores + c->core) * f->threads + c->thread;
    if (pc_has_cpu(p, *slot))
        return err_set(e, -EEXIST, "CPU[%u] with APIC ID %u exists", *slot, pc_apic_id(p, *slot));
    return 0;
}

static int cpu_init(struct dev *d, struct err *e)
{
    struct pc *p = cpu_hotplug_board(d->parent);
    unsigned slot = 0;

    if (find_slot(p, (struct cpu_dev *)d, &slot, e) < 0 || pc_start_cpu(p, slot, e) < 0)
        return e->code;
    cpu_hotplug_insert(p->cpu_plug, slot, d);
    return 0;
}

/* The guest has let go of it.  Its thread stays for the next one in this place. */
static void cpu_gone(void *opaque, unsigned slot)
{
    struct pc *p = opaque;

    if (p->apic)
        apic_remove(p->apic, slot);
    vcpu_off(vcpu_of(p->cpus[slot]));
}

static const struct dev_type cpu_type = {
    .help = "a CPU like the others",
    .class = DEV_CPU,
    .bus = "cpu",
    .size = sizeof(struct cpu_dev),
    .props = cpu_props,
    .init = cpu_init,
};

static void fill_slots(struct pc *p)
{
    const struct conf *c = p->c;

    for (unsigned i = 0; i < c->max_cpus; i++) {
        struct cpu_slot *s = &p->slots[i];

        s->thread = i % c->threads;
        s->core = i / c->threads % c->cores;
        s->die = i / c->threads / c->cores % c->dies;
        s->socket = i / c->threads / c->cores / c->dies;
        s->arch_id = pc_apic_id(p, i);
    }
}

static int add_cpu_plug(struct pc *p, struct err *e)
{
    struct cpu_plug *plug = calloc(1, sizeof(*plug));

    if (!plug)
        fatal("out of memory");
    machine_on_end(p->m, free, plug);
    snprintf(p->cpu_type_name, sizeof(p->cpu_type_name), "%s-%s-cpu", x86_model_name(p->cpu->model), p->c->arch);
    p->cpu_type = cpu_type;
    p->cpu_type.name = p->cpu_type_name;
    machine_add_type(p->m, &p->cpu_type);
    *plug = (struct cpu_plug){.type = p->cpu_type_name, .dies = p->c->dies > 1, .gone = cpu_gone};
    if (!(p->cpu_plug = dev_add(p->m, "acpi-cpu-hotplug", NULL, NULL, e)))
        return e->code;
    fill_slots(p);
    cpu_hotplug_start(p->cpu_plug, p->slots, p->c->max_cpus, plug, p);
    mem_add(machine_io_mem(p->m), p->q35 ? PC_CPU_PLUG_Q35 : PC_CPU_PLUG, &p->cpu_plug->mmio, 1);
    return 0;
}

/* --- Memory --------------------------------------------------------------------------------- */

uint64_t pc_ram_end(const struct pc *p)
{
    return p->plug_size ? p->plug_at + p->plug_size : round_up(PC_4G + p->high, GiB);
}

/* Behind the RAM; a GiB more for each slot, so that modules of any size may be on boundaries of theirs. */
static int add_memory_plug(struct pc *p, struct err *e)
{
    const struct conf *c = p->c;
    uint64_t most = c->max_ram > c->ram ? c->max_ram - c->ram : 0;

    if (!(p->mem_plug = dev_add(p->m, "acpi-memory-hotplug", NULL, NULL, e)))
        return e->code;
    if (c->max_ram > TiB)
        return err_set(e, -EINVAL, "-m maxmem=: a PC has at most 1 TiB of memory");
    if (most && c->ram_slots) {
        p->plug_at = round_up(PC_4G + p->high, GiB);
        p->plug_size = round_up(most, GiB) + c->ram_slots * GiB;
    }
    memory_hotplug_start(p->mem_plug, p->plug_at, most ? round_up(most, GiB) + c->ram_slots * GiB : 0, most, c->ram_slots, c->numa.n);
    if (p->plug_size)
        mem_add(machine_io_mem(p->m), PC_MEM_PLUG, &p->mem_plug->mmio, 1);
    return 0;
}

/* --- All of it ------------------------------------------------------------------------------- */

int pc_add_plugs(struct pc *p, struct err *e)
{
    if (add_cpu_plug(p, e) < 0 || add_memory_plug(p, e) < 0)
        return e->code;
    if (!(p->pci_plug = dev_add(p->m, "acpi-pci-hotplug", NULL, NULL, e)))
        return e->code;
    pci_hotplug_start(p->pci_plug, p->pci, !p->q35);
    mem_add(machine_io_mem(p->m), p->q35 ? PC_PCI_PLUG_Q35 : PC_PCI_PLUG, &p->pci_plug->mmio, 1);
    return 0;
}
