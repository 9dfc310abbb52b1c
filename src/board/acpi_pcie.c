/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic Express host bridge in ACPI's words (acpi_pcie.h).  Sources: ACPI 6.3, 6.2.13 (_PRT); PCI Firmware Specification 3.2 (_OSC, MCFG). */
#include "board/acpi_pcie.h"

#include <stdio.h>

/* Four interrupt links, one for each line of the bridge: they cannot be changed. */
static void add_links(struct bytes *b, unsigned gsi)
{
    char name[5];

    for (unsigned i = 0; i < 4; i++) {
        size_t dev, crs;

        snprintf(name, sizeof(name), "GSI%u", i);
        dev = aml_device(b, name);
        aml_name_int(b, "_HID", aml_eisa("PNP0C0F"));
        aml_name_int(b, "_UID", i);
        crs = aml_resources(b, "_PRS");
        aml_interrupt(b, gsi + i, false);
        aml_resources_end(b, crs);
        crs = aml_resources(b, "_CRS");
        aml_interrupt(b, gsi + i, false);
        aml_resources_end(b, crs);
        crs = aml_method(b, "_SRS", 1, false);
        aml_close(b, crs);
        aml_close(b, dev);
    }
}

static void add_prt(struct bytes *b)
{
    size_t all, one;
    char link[5];

    aml_name(b, "_PRT");
    all = aml_package(b, 32 * 4);
    for (unsigned slot = 0; slot < 32; slot++)
        for (unsigned pin = 0; pin < 4; pin++) {
            one = aml_package(b, 4);
            aml_int(b, slot << 16 | 0xffff);
            aml_int(b, pin);
            snprintf(link, sizeof(link), "GSI%u", (slot + pin) % 4);
            aml_path(b, link);
            aml_int(b, 0);
            aml_close(b, one);
        }
    aml_close(b, all);
}

/* CreateDWordField (Arg3, @at, @name). */
static void create_field(struct bytes *b, unsigned at, const char *name)
{
    aml_op(b, AML_CREATE_DWORD);
    aml_op(b, AML_ARG0 + 3);
    aml_int(b, at);
    aml_path(b, name);
}

/* Target = Target op value. */
static void change(struct bytes *b, uint8_t op, const char *name, uint32_t v)
{
    aml_op(b, op);
    aml_path(b, name);
    aml_int(b, v);
    aml_path(b, name);
}

static void check_revision(struct bytes *b)
{
    enum { REVISION_BAD = 8 };
    size_t other = aml_if(b);

    aml_op(b, AML_LNOT);
    aml_op(b, AML_LEQUAL);
    aml_op(b, AML_ARG0 + 1);
    aml_op(b, AML_ONE);
    change(b, AML_OR, "CDW1", REVISION_BAD);
    aml_close(b, other);
}

/* The system may have all of PCI Express but what we have not got (LTR). */
void acpi_pcie_osc(struct bytes *b, bool revision)
{
    enum { GRANTED = 0x1f, UUID_BAD = 4, MASKED = 0x10 };
    size_t method = aml_method(b, "_OSC", 4, true), yes, inner;

    create_field(b, 0, "CDW1");
    yes = aml_if(b);
    aml_op(b, AML_LEQUAL);
    aml_op(b, AML_ARG0);
    aml_uuid(b, "33DB4D5B-1FF7-401C-9657-7441C03DD766");
    if (revision)
        create_field(b, 4, "CDW2");
    create_field(b, 8, "CDW3");
    aml_op(b, AML_STORE);
    aml_path(b, "CDW3");
    aml_op(b, AML_LOCAL0);
    change(b, AML_AND, "CDW3", GRANTED);
    if (revision)
        check_revision(b);
    inner = aml_if(b);
    aml_op(b, AML_LNOT);
    aml_op(b, AML_LEQUAL);
    aml_path(b, "CDW3");
    aml_op(b, AML_LOCAL0);
    change(b, AML_OR, "CDW1", MASKED);
    aml_close(b, inner);
    aml_close(b, yes);
    yes = aml_else(b);
    change(b, AML_OR, "CDW1", UUID_BAD);
    aml_close(b, yes);
    aml_op(b, AML_RETURN);
    aml_op(b, AML_ARG0 + 3);
    aml_close(b, method);
}

static void add_windows(struct bytes *b, const struct gpex_map *m)
{
    size_t crs = aml_resources(b, "_CRS");

    aml_window(b, AML_BUS, 2, 0, (m->ecam_size >> 20) - 1, 0);
    aml_window(b, AML_MEMORY, 4, m->mem32, m->mem32 + m->mem32_size - 1, 0);
    if (m->io_size)
        aml_window(b, AML_IO, 4, 0, m->io_size - 1, m->io);
    if (m->mem64_size)
        aml_window(b, AML_MEMORY, 8, m->mem64, m->mem64 + m->mem64_size - 1, 0);
    aml_resources_end(b, crs);
}

void acpi_pcie_add(struct bytes *b, const struct acpi_pcie *p)
{
    size_t dev = aml_device(b, "PCI0"), reserved, crs;

    aml_name_string(b, "_HID", "PNP0A08");
    aml_name_string(b, "_CID", "PNP0A03");
    aml_name_int(b, "_SEG", 0);
    aml_name_int(b, "_BBN", 0);
    aml_name_int(b, "_UID", 0);
    aml_name_int(b, "_CCA", 1);
    add_links(b, p->gsi);
    add_prt(b);
    add_windows(b, &p->map);
    acpi_pcie_osc(b, true);
    reserved = aml_device(b, "RES0"); /* configuration space is nobody else's */
    aml_name_string(b, "_HID", "PNP0C02");
    crs = aml_resources(b, "_CRS");
    aml_window(b, AML_MEMORY, 8, p->map.ecam, p->map.ecam + p->map.ecam_size - 1, 0);
    aml_resources_end(b, crs);
    aml_close(b, reserved);
    aml_close(b, dev);
}

void acpi_pcie_mcfg(struct acpi *a, uint64_t ecam, uint64_t size)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "MCFG", 1);

    bytes_le(b, 0, 8);
    bytes_le(b, ecam, 8);
    bytes_le(b, 0, 3); /* segment 0, from bus 0 */
    bytes_le(b, (size >> 20) - 1, 1);
    bytes_le(b, 0, 4);
    acpi_table_end(a, start);
}
