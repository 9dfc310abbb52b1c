/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of PCs' DSDT by which CPUs and PCI devices come and go.
 * Sources: ACPI Specification 6.3 (5.6.4 events, 6.3 insertion and removal, 8.4 processors); interface descriptions of the registers,
 * dev/acpi/cpu_hotplug.h and pci_hotplug.h.
 */
#include "board/pc_acpi.h"

#include "dev/acpi/cpu_hotplug.h"
#include "dev/acpi/pci_hotplug.h"

#include <stdio.h>

enum { CHECK = 1, EJECT = 3 }; /* of Notify */

static void cpu_name(char name[5], unsigned i)
{
    snprintf(name, 5, "C%03X", i & 0xfff);
}

/* If (@name == 1) { */
static size_t if_set(struct bytes *b, const char *name)
{
    size_t open = aml_if(b);

    aml_is(b, name, 1);
    return open;
}

/* If (Arg0 == @v) { Notify (@path, Arg1) } */
static void notify_if(struct bytes *b, uint64_t v, const char *path)
{
    size_t yes = aml_if(b);

    aml_op(b, AML_LEQUAL);
    aml_op(b, AML_ARG0);
    aml_int(b, v);
    aml_op(b, AML_NOTIFY);
    aml_path(b, path);
    aml_op(b, AML_ARG0 + 1);
    aml_close(b, yes);
}

/* --- CPUs ----------------------------------------------------------------------------------- */

static void cpu_registers(const struct pc *p, struct bytes *b)
{
    size_t f;

    aml_region(b, "PRST", AML_SYSTEM_IO, p->q35 ? PC_CPU_PLUG_Q35 : PC_CPU_PLUG, CPU_HOTPLUG_LEN);
    f = aml_field_zeros(b, "PRST", 1);
    aml_bits(b, NULL, 32);
    aml_bits(b, "CPEN", 1);
    aml_bits(b, "CINS", 1);
    aml_bits(b, "CRMV", 1);
    aml_bits(b, "CEJ0", 1);
    aml_bits(b, NULL, 4);
    aml_bits(b, "CCMD", 8);
    aml_close(b, f);
    f = aml_field_zeros(b, "PRST", 4);
    aml_bits(b, "CSEL", 32);
    aml_bits(b, NULL, 32);
    aml_bits(b, "CDAT", 32);
    aml_close(b, f);
    aml_mutex(b, "CPLK");
}

/* CSTA (cpu): is it there?  CEJM (cpu): it may go.  COST (cpu, event, status): what became of an event. */
static void cpu_methods(struct bytes *b)
{
    size_t m = aml_method(b, "CSTA", 1, true), yes;

    aml_acquire(b, "CPLK");
    aml_set_to(b, "CSEL", AML_ARG0);
    aml_op(b, AML_STORE);
    aml_int(b, 0);
    aml_op(b, AML_LOCAL0);
    yes = if_set(b, "CPEN");
    aml_op(b, AML_STORE);
    aml_int(b, 0xf);
    aml_op(b, AML_LOCAL0);
    aml_close(b, yes);
    aml_release(b, "CPLK");
    aml_op(b, AML_RETURN);
    aml_op(b, AML_LOCAL0);
    aml_close(b, m);
    m = aml_method(b, "CEJM", 1, true);
    aml_acquire(b, "CPLK");
    aml_set_to(b, "CSEL", AML_ARG0);
    aml_set(b, "CEJ0", 1);
    aml_release(b, "CPLK");
    aml_close(b, m);
    m = aml_method(b, "COST", 3, true);
    aml_acquire(b, "CPLK");
    aml_set_to(b, "CSEL", AML_ARG0);
    aml_set(b, "CCMD", 1);
    aml_set_to(b, "CDAT", AML_ARG0 + 1);
    aml_set(b, "CCMD", 2);
    aml_set_to(b, "CDAT", AML_ARG0 + 2);
    aml_release(b, "CPLK");
    aml_close(b, m);
}

/* The event @flag of the CPU that is selected: tell the system, take note, and look for another one (Local0). */
static void cpu_event(struct bytes *b, const char *flag, unsigned notice)
{
    size_t yes = if_set(b, flag);

    aml_path(b, "CTFY");
    aml_path(b, "CDAT");
    aml_int(b, notice);
    aml_set(b, flag, 1);
    aml_op(b, AML_STORE);
    aml_int(b, 1);
    aml_op(b, AML_LOCAL0);
    aml_close(b, yes);
}

/* CSCN: who has news? */
static void cpu_scan(struct bytes *b)
{
    size_t m = aml_method(b, "CSCN", 0, true), loop;

    aml_acquire(b, "CPLK");
    aml_set(b, "CSEL", 0);
    aml_op(b, AML_STORE);
    aml_int(b, 1);
    aml_op(b, AML_LOCAL0);
    loop = aml_while(b);
    aml_op(b, AML_LEQUAL);
    aml_op(b, AML_LOCAL0);
    aml_int(b, 1);
    aml_op(b, AML_STORE);
    aml_int(b, 0);
    aml_op(b, AML_LOCAL0);
    aml_set(b, "CCMD", 0);
    cpu_event(b, "CINS", CHECK);
    cpu_event(b, "CRMV", EJECT);
    aml_close(b, loop);
    aml_release(b, "CPLK");
    aml_close(b, m);
}

/* @method (@i, arguments of the one it is in) */
static void call_for(struct bytes *b, const char *method, unsigned i, unsigned args)
{
    aml_path(b, method);
    aml_int(b, i);
    for (unsigned k = 0; k < args; k++)
        aml_op(b, AML_ARG0 + k);
}

static void cpu_plugs(struct pc *p, struct bytes *b, unsigned i)
{
    uint8_t entry[16] = {0, 8, i, pc_apic_id(p, i), 1};
    size_t m;

    if (pc_apic_id(p, i) >= 255) {
        memset(entry, 0, sizeof(entry));
        put_le16(entry, 0x1009);
        put_le32(entry + 4, pc_apic_id(p, i));
        put_le32(entry + 8, 1);
        put_le32(entry + 12, i);
    }
    m = aml_method(b, "_STA", 0, true);
    aml_op(b, AML_RETURN);
    call_for(b, "CSTA", i, 0);
    aml_close(b, m);
    aml_name(b, "_MAT"); /* as in the MADT, once it is there */
    aml_buffer(b, entry, entry[1]);
    if (!i)
        return; /* the first one stays */
    m = aml_method(b, "_EJ0", 1, false);
    call_for(b, "CEJM", i, 0);
    aml_close(b, m);
    m = aml_method(b, "_OST", 3, true);
    call_for(b, "COST", i, 2);
    aml_close(b, m);
}

static void cpu_container(struct pc *p, struct bytes *b)
{
    char name[5];
    size_t m;

    aml_name_string(b, "_HID", "ACPI0010");
    aml_name_int(b, "_CID", aml_eisa("PNP0A05"));
    cpu_registers(p, b);
    cpu_methods(b);
    m = aml_method(b, "CTFY", 2, false);
    for (unsigned i = 0; i < p->c->max_cpus; i++) {
        cpu_name(name, i);
        notify_if(b, i, name);
    }
    aml_close(b, m);
    cpu_scan(b);
}

void pc_dsdt_cpus(struct pc *p, struct bytes *b)
{
    size_t dev, box = aml_device(b, "CPUS");
    char name[5];

    cpu_container(p, b);
    for (unsigned i = 0; i < p->c->max_cpus; i++) {
        cpu_name(name, i);
        dev = aml_device(b, name);
        aml_name_string(b, "_HID", "ACPI0007");
        aml_name_int(b, "_UID", i);
        if (p->c->numa.n)
            aml_name_int(b, "_PXM", p->c->numa.cpu[i] - 1);
        cpu_plugs(p, b, i);
        aml_close(b, dev);
    }
    aml_close(b, box);
}

/* --- PCI ------------------------------------------------------------------------------------ */

static void pci_name(char name[5], unsigned devfn)
{
    snprintf(name, 5, "S%02X", devfn);
}

static void pci_registers(struct pc *p, struct bytes *b)
{
    size_t f;

    aml_region(b, "PCST", AML_SYSTEM_IO, p->q35 ? PC_PCI_PLUG_Q35 : PC_PCI_PLUG, PCI_HOTPLUG_LEN);
    f = aml_field_zeros(b, "PCST", 4);
    aml_bits(b, "PCIU", 32);
    aml_bits(b, "PCID", 32);
    aml_bits(b, "PCEJ", 32);
    aml_bits(b, NULL, 32);
    aml_bits(b, "BNUM", 32);
    aml_close(b, f);
    aml_mutex(b, "BLCK");
}

/* PEJM (bus, slot): its device may go. */
static void pci_eject(struct bytes *b)
{
    size_t m = aml_method(b, "PEJM", 2, true);

    aml_acquire(b, "BLCK");
    aml_set_to(b, "BNUM", AML_ARG0);
    aml_op(b, AML_SHIFT_LEFT);
    aml_int(b, 1);
    aml_op(b, AML_ARG0 + 1);
    aml_path(b, "PCEJ");
    aml_release(b, "BLCK");
    aml_close(b, m);
}

/* PNTF (slots, notice): one Notify for each bit. */
static void pci_notify(struct bytes *b, uint32_t slots)
{
    size_t m = aml_method(b, "PNTF", 2, false), yes;
    char name[5];

    for (unsigned i = 0; i < 32; i++) {
        if (!(slots & 1u << i))
            continue;
        yes = aml_if(b);
        aml_op(b, AML_AND);
        aml_op(b, AML_ARG0);
        aml_int(b, 1u << i);
        aml_op(b, 0);
        aml_op(b, AML_NOTIFY);
        pci_name(name, i << 3);
        aml_path(b, name);
        aml_op(b, AML_ARG0 + 1);
        aml_close(b, yes);
    }
    aml_close(b, m);
}

/* Is there a bus with slots behind @d? */
static bool leads_to_slots(const struct pc *p, const struct pci_dev *d)
{
    const struct pci_bus *b = d ? pci_bus_behind(d) : NULL;
    bool yes = b && pci_hotplug_number(p->pci_plug, b) >= 0;

    for (unsigned i = 0; b && i < 256 && !yes; i++)
        yes = leads_to_slots(p, b->fn[i]);
    return yes;
}

/* PCNT: which slots of bus @n, and of those below, have news? */
static void pci_look(struct pc *p, struct bytes *b, const struct pci_bus *bus, int n)
{
    size_t m = aml_method(b, "PCNT", 0, false);
    char path[16];

    if (n >= 0) {
        aml_set(b, "BNUM", n);
        aml_path(b, "PNTF");
        aml_path(b, "PCIU");
        aml_int(b, CHECK);
        aml_path(b, "PNTF");
        aml_path(b, "PCID");
        aml_int(b, EJECT);
    }
    for (unsigned i = 0; i < 256; i++)
        if (leads_to_slots(p, bus->fn[i])) {
            snprintf(path, sizeof(path), "^S%02X.PCNT", i);
            aml_path(b, path);
        }
    aml_close(b, m);
}

static void pci_bus_slots(struct pc *p, struct bytes *b, const struct pci_bus *bus);

/* What is at @devfn: it may go if @n is the bus's number, and there may be a bus behind. */
static void pci_slot(struct pc *p, struct bytes *b, const struct pci_bus *bus, unsigned devfn, int n)
{
    char name[5];
    size_t dev, m;

    pci_name(name, devfn);
    dev = aml_device(b, name);
    aml_name_int(b, "_ADR", devfn >> 3 << 16 | (devfn & 7));
    if (n >= 0) {
        aml_name_int(b, "_SUN", devfn >> 3);
        m = aml_method(b, "_EJ0", 1, false);
        aml_path(b, "PEJM");
        aml_int(b, n);
        aml_int(b, devfn >> 3);
        aml_close(b, m);
    }
    if (leads_to_slots(p, bus->fn[devfn]))
        pci_bus_slots(p, b, pci_bus_behind(bus->fn[devfn]));
    aml_close(b, dev);
}

static void pci_bus_slots(struct pc *p, struct bytes *b, const struct pci_bus *bus)
{
    int n = pci_hotplug_number(p->pci_plug, bus);
    uint32_t slots = n < 0 ? 0 : pci_hotplug_removable(bus);

    for (unsigned i = 0; i < 256; i++) {
        bool slot = !(i & 7) && slots & 1u << (i >> 3);

        if (slot || leads_to_slots(p, bus->fn[i]))
            pci_slot(p, b, bus, i, slot ? n : -1);
    }
    if (n >= 0)
        pci_notify(b, slots);
    pci_look(p, b, bus, n);
}

void pc_dsdt_pci_slots(struct pc *p, struct bytes *b)
{
    size_t m;

    pci_registers(p, b);
    pci_eject(b);
    pci_bus_slots(p, b, p->pci);
    m = aml_method(b, "PSCN", 0, true);
    aml_acquire(b, "BLCK");
    aml_path(b, "PCNT");
    aml_release(b, "BLCK");
    aml_close(b, m);
}

/* --- Events --------------------------------------------------------------------------------- */

static void event(struct bytes *b, const char *name, const char *method)
{
    size_t m = aml_method(b, name, 0, false);

    aml_path(b, method);
    aml_close(b, m);
}

void pc_dsdt_events(struct pc *p, struct bytes *b)
{
    size_t scope = aml_scope(b, "\\_GPE");

    aml_name_string(b, "_HID", "ACPI0006");
    if (p->pci_plug)
        event(b, "_E01", "\\_SB.PCI0.PSCN");
    event(b, "_E02", "\\_SB.CPUS.CSCN");
    if (p->plug_size)
        event(b, "_E03", "\\_SB.MHPC.MSCN");
    aml_close(b, scope);
}
