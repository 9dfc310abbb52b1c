/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DSDT of PCs.  Sources: ACPI Specification 6.3 (6.2.13 _PRT, 5.8.1 _PIC, 7.4 sleep states); PCI Firmware Specification 3.2 (_OSC);
 * Intel 82371SB and ICH9 data sheets for the registers that route interrupts.
 */
#include "board/pc_acpi.h"

#include "board/acpi_pcie.h"
#include "dev/acpi/cpu_hotplug.h"
#include "dev/acpi/memory_hotplug.h"
#include "dev/acpi/pci_hotplug.h"
#include "dev/pc/q35.h"

#include <stdio.h>
#include <string.h>

enum { LINKS_PIIX = 4, LINKS_ICH = 8 };

/* Name (_HID, EisaId (@id)). */
static void hid(struct bytes *b, const char *id)
{
    aml_name_int(b, "_HID", aml_eisa(id));
}

/* --- Routing of PCI's interrupts ------------------------------------------------------------ */

/* PIRQA.. : registers in the ISA bridge's configuration space. */
static void add_route_registers(struct pc *p, struct bytes *b)
{
    static const char *const name[] = {"PRQA", "PRQB", "PRQC", "PRQD", "PRQE", "PRQF", "PRQG", "PRQH"};
    size_t field;

    aml_region(b, "PIRQ", AML_PCI_CONFIG, 0x60, p->q35 ? 12 : 4);
    field = aml_field(b, "PIRQ", 1);
    for (unsigned i = 0; i < (p->q35 ? LINKS_ICH : LINKS_PIIX); i++) {
        if (i == 4)
            aml_bits(b, NULL, 32);
        aml_bits(b, name[i], 8);
    }
    aml_close(b, field);
}

/* If (And (@reg, 0x80)): the route is switched off. */
static size_t if_off(struct bytes *b, const char *reg)
{
    size_t open = aml_if(b);

    aml_op(b, AML_AND);
    aml_path(b, reg);
    aml_int(b, 0x80);
    aml_op(b, 0); /* no target */
    return open;
}

/* RES0 is a resource template of one interrupt, at byte 5 of which is its number. */
static void link_crs(struct bytes *b, const char *reg)
{
    size_t off = aml_resources(b, "RES0"), m;

    aml_irqs(b, (const uint32_t[]){0}, 1);
    aml_resources_end(b, off);
    m = aml_method(b, "_CRS", 0, true);
    aml_op(b, AML_CREATE_DWORD);
    aml_path(b, "RES0");
    aml_int(b, 5);
    aml_path(b, "IRQW");
    aml_op(b, AML_AND);
    aml_path(b, reg);
    aml_int(b, 0x0f);
    aml_path(b, "IRQW");
    off = if_off(b, reg);
    aml_op(b, AML_STORE);
    aml_int(b, 0);
    aml_path(b, "IRQW");
    aml_close(b, off);
    aml_op(b, AML_RETURN);
    aml_path(b, "RES0");
    aml_close(b, m);
}

static void link_srs(struct bytes *b, const char *reg)
{
    size_t m = aml_method(b, "_SRS", 1, true);

    aml_op(b, AML_CREATE_DWORD);
    aml_op(b, AML_ARG0);
    aml_int(b, 5);
    aml_path(b, "IRQW");
    aml_op(b, AML_STORE);
    aml_path(b, "IRQW");
    aml_path(b, reg);
    aml_close(b, m);
}

/* An interrupt link whose register the system may set: to 5, 10 or 11. */
static void add_link(struct pc *p, struct bytes *b, unsigned i)
{
    static const uint32_t possible[] = {5, 10, 11};
    char name[5] = "LNKA", reg[] = "\\_SB.PCI0.ISA.PRQA";
    size_t dev, m, off;

    name[3] += i;
    reg[sizeof(reg) - 2] += i;
    dev = aml_device(b, name);
    hid(b, "PNP0C0F");
    aml_name_int(b, "_UID", i);
    m = aml_resources(b, "_PRS");
    aml_irqs(b, possible, 3);
    aml_resources_end(b, m);
    m = aml_method(b, "_STA", 0, false);
    off = if_off(b, reg);
    aml_return(b, 0x9); /* there, not in use */
    aml_close(b, off);
    aml_return(b, 0xb);
    aml_close(b, m);
    m = aml_method(b, "_DIS", 0, false);
    aml_op(b, AML_OR);
    aml_path(b, reg);
    aml_int(b, 0x80);
    aml_path(b, reg);
    aml_close(b, m);
    link_crs(b, reg);
    link_srs(b, reg);
    aml_close(b, dev);
}

/* With APICs, Q35's interrupts have inputs of their own: links that cannot be changed. */
static void add_fixed_link(struct bytes *b, unsigned i)
{
    char name[5] = "GSIA";
    uint32_t gsi = 16 + i;
    size_t dev, m;

    name[3] += i;
    dev = aml_device(b, name);
    hid(b, "PNP0C0F");
    aml_name_int(b, "_UID", 16 + i);
    m = aml_resources(b, "_PRS");
    aml_irqs(b, &gsi, 1);
    aml_resources_end(b, m);
    m = aml_resources(b, "_CRS");
    aml_irqs(b, &gsi, 1);
    aml_resources_end(b, m);
    m = aml_method(b, "_SRS", 1, false);
    aml_close(b, m);
    aml_close(b, dev);
}

/* As the host bridges wire them: pin 0 to 3 of a slot is which line? */
static unsigned line_of(const struct pc *p, unsigned slot, unsigned pin)
{
    if (!p->q35)
        return (slot + pin - 1) & 3;
    return slot < 25 ? 4 + ((slot + pin) & 3) : pin;
}

static void add_routes(struct pc *p, struct bytes *b, const char *name, const char *link)
{
    char to[5];
    size_t all, one;

    snprintf(to, sizeof(to), "%sA", link);
    aml_name(b, name);
    all = aml_package(b, 32 * 4);
    for (unsigned slot = 0; slot < 32; slot++)
        for (unsigned pin = 0; pin < 4; pin++) {
            one = aml_package(b, 4);
            aml_int(b, slot << 16 | 0xffff);
            aml_int(b, pin);
            to[3] = 'A' + line_of(p, slot, pin);
            aml_path(b, to);
            aml_int(b, 0);
            aml_close(b, one);
        }
    aml_close(b, all);
}

/* The system says by \_PIC whether it uses the I/O APIC. */
static void add_prt(struct pc *p, struct bytes *b)
{
    size_t m, yes;

    if (!p->q35) {
        add_routes(p, b, "_PRT", "LNK");
        return;
    }
    add_routes(p, b, "PRTP", "LNK");
    add_routes(p, b, "PRTA", "GSI");
    m = aml_method(b, "_PRT", 0, false);
    yes = aml_if(b);
    aml_path(b, "\\PICF");
    aml_op(b, AML_RETURN);
    aml_path(b, "PRTA");
    aml_close(b, yes);
    aml_op(b, AML_RETURN);
    aml_path(b, "PRTP");
    aml_close(b, m);
}

static void add_pic(struct bytes *b)
{
    size_t m;

    aml_name_int(b, "\\PICF", 0);
    m = aml_method(b, "\\_PIC", 1, false);
    aml_op(b, AML_STORE);
    aml_op(b, AML_ARG0);
    aml_path(b, "\\PICF");
    aml_close(b, m);
}

/* --- Host bridge ---------------------------------------------------------------------------- */

struct above {
    uint64_t first, last;
};

/* BARs that firmware has put above 4 GiB. */
static bool look_above(void *opaque, struct dev *d)
{
    struct above *a = opaque;
    paddr at;

    if (!d->parent || strcmp(d->parent->kind, "pci") != 0)
        return true;
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (pci_bar_at(pci_of(d), i, &at) && at >= PC_4G) {
            a->first = min_u64(a->first, at);
            a->last = max_u64(a->last, at + pci_of(d)->bar[i].mem->size - 1);
        }
    return true;
}

static void add_windows(struct pc *p, struct bytes *b)
{
    const struct q35_host *h = p->q35 ? q35_of(p->host) : NULL;
    uint64_t hole = pc_ram_end(p), low = p->low, end = PC_IOAPIC - 1;
    struct above a = {hole, hole + (p->q35 ? 32 * GiB : 2 * GiB) - 1};
    size_t crs = aml_resources(b, "_CRS");

    machine_each_dev(p->m, look_above, &a);
    aml_window(b, AML_BUS, 2, 0, 0xff, 0);
    aml_io(b, 0xcf8, 8);
    aml_window(b, AML_IO, 2, 0, 0xcf7, 0);
    aml_window(b, AML_IO, 2, 0xd00, 0xffff, 0);
    aml_window(b, AML_MEMORY, 4, 0xa0000, 0xbffff, 0);
    if (h && h->ecam_size && h->ecam_at >= low && h->ecam_at < end) {
        if (h->ecam_at > low)
            aml_window(b, AML_MEMORY, 4, low, h->ecam_at - 1, 0);
        low = h->ecam_at + h->ecam_size;
    }
    if (low < end)
        aml_window(b, AML_MEMORY, 4, low, end, 0);
    aml_window(b, AML_MEMORY, 8, a.first, a.last, 0);
    aml_resources_end(b, crs);
}

/* --- ISA devices ---------------------------------------------------------------------------- */

struct isa_res {
    uint16_t port;
    uint8_t len; /* 0: the end */
};

/* @irq, @dma: 0: none. */
static void add_isa(struct bytes *b, const char *name, const char *id, unsigned uid, const struct isa_res *r,
                    unsigned irq, unsigned dma)
{
    size_t dev = aml_device(b, name), crs;

    hid(b, id);
    aml_name_int(b, "_UID", uid);
    aml_name_int(b, "_STA", 0xf);
    crs = aml_resources(b, "_CRS");
    for (; r->len; r++)
        aml_io(b, r->port, r->len);
    if (irq)
        aml_irq(b, irq);
    if (dma)
        aml_dma(b, dma);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

#define PORTS(...) (const struct isa_res[]){__VA_ARGS__, {0, 0}}

/* Serial and parallel ports and the floppy controller, as they are on the bus. */
static void add_ports(struct pc *p, struct bytes *b)
{
    char com[5] = "COM1", lpt[5] = "LPT1";

    for (const struct dev *d = p->isa->bus.devs; d; d = d->next_on_bus) {
        uint16_t port = dev_number(d, "iobase");
        unsigned irq = dev_number(d, "irq") & 15;

        if (strcmp(d->type->name, "isa-serial") == 0 && com[3] <= '4') {
            add_isa(b, com, "PNP0501", com[3] - '0', PORTS({port, 8}), irq, 0);
            com[3]++;
        } else if (strcmp(d->type->name, "isa-parallel") == 0 && lpt[3] <= '3') {
            add_isa(b, lpt, "PNP0400", lpt[3] - '0', PORTS({port, 8}), irq, 0);
            lpt[3]++;
        } else if (strcmp(d->type->name, "isa-fdc") == 0) {
            add_isa(b, "FDC0", "PNP0700", 0, PORTS({0x3f2, 4}, {0x3f7, 1}), 6, 2);
        }
    }
}

static void add_isa_bridge(struct pc *p, struct bytes *b)
{
    size_t dev = aml_device(b, "ISA");

    aml_name_int(b, "_ADR", p->q35 ? 0x1f0000 : 0x10000);
    add_route_registers(p, b);
    if (p->i8042) {
        add_isa(b, "KBD", "PNP0303", 0, PORTS({0x60, 1}, {0x64, 1}), 1, 0);
        add_isa(b, "MOU", "PNP0F13", 0, PORTS({0, 0}), 12, 0);
    }
    add_isa(b, "RTC", "PNP0B00", 0, PORTS({0x70, 2}), p->hpet ? 0 : 8, 0);
    add_ports(p, b);
    aml_close(b, dev);
}

/* --- The rest of \_SB ------------------------------------------------------------------------ */

static void add_fw_cfg(struct bytes *b)
{
    size_t dev = aml_device(b, "FWCF"), crs;

    aml_name_string(b, "_HID", "QEMU0002");
    aml_name_int(b, "_STA", 0xb);
    crs = aml_resources(b, "_CRS");
    aml_io(b, 0x510, 12);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

/* Ports and memory that nobody else is to use. */
static void add_reserved(struct pc *p, struct bytes *b)
{
    const struct q35_host *h = p->q35 ? q35_of(p->host) : NULL;
    size_t dev = aml_device(b, "RES0"), crs;

    hid(b, "PNP0C02");
    crs = aml_resources(b, "_CRS");
    aml_io(b, pci_get32(pci_of(p->pm), 0x40) & 0xff80, p->q35 ? 128 : 64);
    aml_io(b, 0xb2, 2);
    if (!p->q35) {
        aml_io(b, 0xafe0, 4);
        aml_io(b, 0xb100, 64);
    }
    aml_io(b, p->q35 ? PC_PCI_PLUG_Q35 : PC_PCI_PLUG, PCI_HOTPLUG_LEN);
    if (p->plug_size)
        aml_io(b, PC_MEM_PLUG, MEMORY_HOTPLUG_LEN);
    aml_io(b, p->q35 ? PC_CPU_PLUG_Q35 : PC_CPU_PLUG, CPU_HOTPLUG_LEN);
    if (h && h->ecam_size)
        aml_memory32(b, h->ecam_at, h->ecam_size);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

static void add_hpet(struct bytes *b)
{
    size_t dev = aml_device(b, "HPET"), crs;

    hid(b, "PNP0103");
    aml_name_int(b, "_UID", 0);
    crs = aml_resources(b, "_CRS");
    aml_memory32(b, PC_HPET, 0x400);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

static void add_pci(struct pc *p, struct bytes *b)
{
    size_t dev = aml_device(b, "PCI0");

    hid(b, p->q35 ? "PNP0A08" : "PNP0A03");
    if (p->q35)
        aml_name_int(b, "_CID", aml_eisa("PNP0A03"));
    aml_name_int(b, "_UID", 0);
    aml_name_int(b, "_BBN", 0);
    add_isa_bridge(p, b);
    add_prt(p, b);
    add_windows(p, b);
    if (p->q35)
        acpi_pcie_osc(b, false); /* PCs' tables stay as they are */
    if (p->pci_plug)
        pc_dsdt_pci_slots(p, b);
    aml_close(b, dev);
}

/* \_Sx: what goes into SLP_TYP of PM1a and PM1b. */
static void add_state(struct bytes *b, const char *name, unsigned type)
{
    size_t pkg;

    aml_name(b, name);
    pkg = aml_package(b, 4);
    aml_int(b, type);
    aml_int(b, type);
    aml_int(b, 0);
    aml_int(b, 0);
    aml_close(b, pkg);
}

void pc_dsdt(struct pc *p, struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "DSDT", 1), scope;

    add_pic(b);
    scope = aml_scope(b, "\\_SB");
    pc_dsdt_cpus(p, b);
    if (p->plug_size)
        pc_dsdt_memory(p, b);
    for (unsigned i = 0; i < (p->q35 ? LINKS_ICH : LINKS_PIIX); i++) {
        add_link(p, b, i);
        if (p->q35)
            add_fixed_link(b, i);
    }
    add_pci(p, b);
    if (p->hpet)
        add_hpet(b);
    add_fw_cfg(b);
    add_reserved(p, b);
    aml_close(b, scope);
    pc_dsdt_devices(p, a);
    pc_dsdt_events(p, b);
    if (!p->acpi_pm->no_s3)
        add_state(b, "\\_S3", PM_S3);
    if (!p->acpi_pm->no_s4)
        add_state(b, "\\_S4", PM_S4);
    add_state(b, "\\_S5", PM_S5);
    acpi_table_end(a, start);
}
