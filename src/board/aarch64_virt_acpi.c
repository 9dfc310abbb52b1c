/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables of the Arm "virt" machine.  Sources: ACPI Specification 6.3 (5.2.9 FADT, 5.2.12 MADT, 5.2.24 GTDT, 5.2.29 PPTT);
 * PCI Firmware Specification 3.2 (MCFG, _OSC); Arm DEN 0049 (IORT); Microsoft's SPCR and DBG2; Linux,
 * Documentation/arm64/arm-acpi.rst.
 */
#include "board/aarch64_virt_priv.h"
#include "board/acpi_pcie.h"

#include <stdio.h>
#include <stdlib.h>

enum { GSI_SPI = 32 };

/* --- DSDT --- */

static void add_cpu_devices(struct virt *v, struct bytes *b)
{
    char name[5];

    for (unsigned i = 0; i < v->c->cpus; i++) {
        size_t dev;

        snprintf(name, sizeof(name), "C%03X", i & 0xfff);
        dev = aml_device(b, name);
        aml_name_string(b, "_HID", "ACPI0007");
        aml_name_int(b, "_UID", i);
        aml_close(b, dev);
    }
}

/* A device with registers and perhaps an interrupt (@gsi 0: none). */
static void add_simple(struct bytes *b, const char *name, const char *hid, unsigned uid, uint32_t base,
                       uint32_t len, uint32_t gsi)
{
    size_t dev = aml_device(b, name), crs;

    aml_name_string(b, "_HID", hid);
    aml_name_int(b, "_UID", uid);
    aml_name_int(b, "_CCA", 1);
    crs = aml_resources(b, "_CRS");
    aml_memory32(b, base, len);
    if (gsi)
        aml_interrupt(b, gsi, false);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

static void add_slots(struct bytes *b)
{
    char name[5];

    for (unsigned i = 0; i < VIRT_SLOTS; i++) {
        snprintf(name, sizeof(name), "VR%02X", i);
        add_simple(b, name, "LNRO0005", i, VIRT_MMIO + i * VIRT_MMIO_SIZE, VIRT_MMIO_SIZE,
                   GSI_SPI + VIRT_SPI_MMIO + i);
    }
}

static void add_fw_cfg(struct bytes *b)
{
    size_t dev = aml_device(b, "FWCF"), crs;

    aml_name_string(b, "_HID", "QEMU0002");
    aml_name_int(b, "_STA", 0xb);
    aml_name_int(b, "_CCA", 1);
    crs = aml_resources(b, "_CRS");
    aml_memory32(b, VIRT_FW_CFG, 0x18);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

/* GpioInt of the power pin: edge, active high, not pulled (6.4.3.8.1). */
static void add_pin(struct bytes *b)
{
    static const char source[] = "\\_SB.GPO0";
    enum { HEAD = 23, PINS = 2, LEN = HEAD + PINS + sizeof(source) };

    aml_op(b, 0x8c);
    bytes_le(b, LEN - 3, 2);
    bytes_le(b, 1, 2); /* revision 1, an interrupt */
    bytes_le(b, 1, 2); /* consumer */
    bytes_le(b, 1, 2); /* edge */
    bytes_le(b, 3, 1); /* no pull */
    bytes_le(b, 0, 4); /* drive strength, debouncing */
    bytes_le(b, HEAD, 2);
    bytes_le(b, 0, 1);
    bytes_le(b, HEAD + PINS, 2);
    bytes_le(b, LEN, 2); /* no vendor data */
    bytes_le(b, 0, 2);
    bytes_le(b, VIRT_POWER_PIN, 2);
    bytes_put(b, source, sizeof(source));
}

/* GPIO with an event of its power pin, and the button that the event is about (5.6.5). */
static void add_power_button(struct bytes *b)
{
    size_t dev = aml_device(b, "GPO0"), crs;

    aml_name_string(b, "_HID", "ARMH0061");
    aml_name_int(b, "_UID", 0);
    crs = aml_resources(b, "_CRS");
    aml_memory32(b, VIRT_GPIO, 0x1000);
    aml_interrupt(b, GSI_SPI + VIRT_SPI_GPIO, false);
    aml_resources_end(b, crs);
    crs = aml_resources(b, "_AEI");
    add_pin(b);
    aml_resources_end(b, crs);
    crs = aml_method(b, "_E03", 0, false); /* pin 3, edge */
    aml_op(b, AML_NOTIFY);
    aml_path(b, "\\_SB.PWRB");
    aml_int(b, 0x80);
    aml_close(b, crs);
    aml_close(b, dev);

    dev = aml_device(b, "PWRB");
    aml_name_string(b, "_HID", "PNP0C0C");
    aml_name_int(b, "_UID", 0);
    aml_close(b, dev);
}

static void add_pci(struct virt *v, struct bytes *b)
{
    const struct acpi_pcie pcie = {.map = {.ecam = v->ecam.base,
                                           .ecam_size = v->ecam.size,
                                           .mem32 = VIRT_PCIE_MMIO,
                                           .mem32_size = VIRT_PCIE_MMIO_SIZE,
                                           .mem64 = v->mmio64.base,
                                           .mem64_size = v->mmio64.size,
                                           .io = VIRT_PCIE_PIO,
                                           .io_size = VIRT_PCIE_PIO_SIZE},
                                   .gsi = GSI_SPI + VIRT_SPI_PCIE};

    acpi_pcie_add(b, &pcie);
}

static void add_dsdt(struct virt *v, struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "DSDT", 2), scope = aml_scope(b, "\\_SB");

    add_cpu_devices(v, b);
    add_simple(b, "COM0", "ARMH0011", 0, VIRT_UART, 0x1000, GSI_SPI + VIRT_SPI_UART);
    add_simple(b, "FLS0", "LNRO0015", 0, VIRT_FLASH0, VIRT_FLASH_SIZE, 0);
    add_simple(b, "FLS1", "LNRO0015", 1, VIRT_FLASH1, VIRT_FLASH_SIZE, 0);
    add_fw_cfg(b);
    add_slots(b);
    add_pci(v, b);
    add_power_button(b);
    aml_close(b, scope);
    acpi_table_end(a, start);
}

/* --- Tables of numbers --- */

static void add_fadt(struct virt *v, struct acpi *a)
{
    enum { LEN = 276, FLAGS = 112, ARM_FLAGS = 129, MINOR = 131, X_DSDT = 140 };
    enum { HW_REDUCED = 1 << 20, PSCI = 1, PSCI_HVC = 2 };
    size_t start = acpi_table(a, "FACP", 6);
    uint8_t *p;

    bytes_zero_put(&a->tables, LEN - 36);
    p = a->tables.data + start;
    put_le32(p + FLAGS, HW_REDUCED);
    put_le16(p + ARM_FLAGS, PSCI | (v->cpu.psci == A64_PSCI_HVC ? PSCI_HVC : 0));
    p[MINOR] = 3;
    acpi_pointer(a, start + X_DSDT, 8, a->dsdt);
    acpi_table_end(a, start);
}

/* GIC CPU interface: 80 bytes. */
static void add_gicc(struct virt *v, struct bytes *b, unsigned i)
{
    bool v2 = v->gic_version == 2, virt = v->p->virtualization;

    bytes_le(b, 0x500b, 2); /* type 11, length 80 */
    bytes_le(b, 0, 2);
    bytes_le(b, i, 4); /* interface number */
    bytes_le(b, i, 4); /* _UID of the processor */
    bytes_le(b, 1, 4); /* enabled */
    bytes_le(b, 0, 4);
    bytes_le(b, v->cpu.pmu && !v->version->no_pmu ? VIRT_PPI_PMU : 0, 4);
    bytes_le(b, 0, 8); /* no parking protocol */
    bytes_le(b, v2 ? VIRT_GIC_CPU : 0, 8);
    bytes_le(b, v2 && virt ? VIRT_GIC_VCPU : 0, 8);
    bytes_le(b, v2 && virt ? VIRT_GIC_HYP : 0, 8);
    bytes_le(b, virt ? VIRT_PPI_MAINTENANCE : 0, 4);
    bytes_le(b, 0, 8); /* redistributors have rows of their own */
    bytes_le(b, virt_mpidr(v, i), 8);
    bytes_le(b, 0, 4); /* efficiency class, SPE interrupt */
}

static void add_gicr(struct bytes *b, uint64_t base, uint32_t len)
{
    bytes_le(b, 0x100e, 2); /* type 14, length 16 */
    bytes_le(b, 0, 2);
    bytes_le(b, base, 8);
    bytes_le(b, len, 4);
}

/* Message frame of GICv2, or translation service of GICv3. */
static void add_msi(struct virt *v, struct bytes *b)
{
    if (v->gic_version == 2) {
        bytes_le(b, 0x180d, 2); /* type 13, length 24 */
        bytes_le(b, 0, 6);
        bytes_le(b, VIRT_GICV2M, 8);
        bytes_le(b, 1, 4); /* the numbers that follow count */
        bytes_le(b, VIRT_NUM_GICV2M, 2);
        bytes_le(b, GSI_SPI + VIRT_SPI_GICV2M, 2);
    } else if (v->its) {
        bytes_le(b, 0x140f, 2); /* type 15, length 20 */
        bytes_le(b, 0, 6);
        bytes_le(b, VIRT_ITS, 8);
        bytes_le(b, 0, 4);
    }
}

static void add_madt(struct virt *v, struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "APIC", 5);

    bytes_le(b, 0, 8);
    bytes_le(b, 0x180c, 2); /* distributor: type 12, length 24 */
    bytes_le(b, 0, 6);
    bytes_le(b, VIRT_GIC_DIST, 8);
    bytes_le(b, 0, 4);
    bytes_le(b, v->gic_version, 4);
    for (unsigned i = 0; i < v->c->cpus; i++)
        add_gicc(v, b, i);
    if (v->gic_version == 3)
        add_gicr(b, VIRT_REDIST, VIRT_REDIST_SIZE);
    if (v->redist2.size)
        add_gicr(b, v->redist2.base, v->redist2.size);
    add_msi(v, b);
    acpi_table_end(a, start);
}

static void add_gtdt(struct virt *v, struct acpi *a)
{
    static const uint8_t order[] = {VIRT_PPI_SECURE, VIRT_PPI_PHYS, VIRT_PPI_VIRT, VIRT_PPI_HYP};
    enum { EDGE = 1, ALWAYS_ON = 4 };
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "GTDT", 2);

    bytes_le(b, UINT64_MAX, 8); /* no memory-mapped counter */
    bytes_le(b, 0, 4);
    for (unsigned i = 0; i < 4; i++) {
        bytes_le(b, order[i], 4);
        bytes_le(b, (v->version->edge_timers ? EDGE : 0) | ALWAYS_ON, 4);
    }
    bytes_le(b, UINT64_MAX, 8);
    bytes_le(b, 0, 8); /* no platform timers */
    acpi_table_end(a, start);
}

enum { PORT_PL011 = 3 };

static void add_spcr(struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "SPCR", 2);

    bytes_le(b, PORT_PL011, 4);
    acpi_gas(b, VIRT_UART, 32);
    bytes_le(b, 8, 2); /* interrupt by GIC */
    bytes_le(b, GSI_SPI + VIRT_SPI_UART, 4);
    bytes_le(b, 3, 1);          /* 9600 baud, */
    bytes_le(b, 0, 1);          /* no parity, */
    bytes_le(b, 1, 1);          /* one stop bit, */
    bytes_le(b, 2, 1);          /* RTS and CTS */
    bytes_le(b, 0, 2);          /* VT100 */
    bytes_le(b, 0xffffffff, 4); /* no PCI device */
    bytes_zero_put(b, 12);
    acpi_table_end(a, start);
}

static void add_dbg2(struct acpi *a)
{
    static const char name[] = "COM0";
    enum { FIXED = 22, LEN = FIXED + 12 + 4 + sizeof(name) };
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "DBG2", 0);

    bytes_le(b, 44, 4); /* the one port's description */
    bytes_le(b, 1, 4);
    bytes_le(b, 0, 1);
    bytes_le(b, LEN, 2);
    bytes_le(b, 1, 1); /* address */
    bytes_le(b, sizeof(name), 2);
    bytes_le(b, FIXED + 16, 2);
    bytes_le(b, 0, 4); /* no OEM data */
    bytes_le(b, 0x8000, 2);
    bytes_le(b, PORT_PL011, 2);
    bytes_le(b, 0, 2);
    bytes_le(b, FIXED, 2);
    bytes_le(b, FIXED + 12, 2);
    acpi_gas(b, VIRT_UART, 32);
    bytes_le(b, 0x1000, 4);
    bytes_put(b, name, sizeof(name));
    acpi_table_end(a, start);
}

/* A node of the processor tree; its offset in the table, by which its children name it. */
static uint32_t pptt_node(struct bytes *b, size_t start, uint32_t flags, uint32_t parent, uint32_t id)
{
    uint32_t at = b->len - start;

    bytes_le(b, 20 << 8, 4);
    bytes_le(b, flags, 4);
    bytes_le(b, parent, 4);
    bytes_le(b, id, 4);
    bytes_le(b, 0, 4);
    return at;
}

/* Sockets, clusters, cores, threads. */
static void add_pptt(struct virt *v, struct acpi *a)
{
    enum { PACKAGE = 1, ID_VALID = 2, THREAD = 4, LEAF = 8 };
    const struct conf *c = v->c;
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "PPTT", 2);
    uint32_t socket = 0, cluster = 0, core = 0;

    for (unsigned i = 0; i < c->cpus; i++) {
        unsigned in_core = i % c->threads, in_cluster = i % (c->threads * c->cores),
                 in_socket = i % (c->threads * c->cores * c->clusters);

        if (!in_socket)
            cluster = socket = pptt_node(b, start, PACKAGE, 0, i / (c->threads * c->cores * c->clusters));
        if (!in_cluster && c->clusters > 1)
            cluster = pptt_node(b, start, 0, socket, i / (c->threads * c->cores));
        if (c->threads == 1) {
            pptt_node(b, start, ID_VALID | LEAF, cluster, i);
            continue;
        }
        if (!in_core)
            core = pptt_node(b, start, 0, cluster, i / c->threads);
        pptt_node(b, start, ID_VALID | THREAD | LEAF, core, i);
    }
    acpi_table_end(a, start);
}

/* Messages of PCI devices go to the ITS with their requester id. */
static void add_iort(struct acpi *a)
{
    enum { HEAD = 48, ITS_LEN = 24, ROOT_LEN = 36 };
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "IORT", 3);

    bytes_le(b, 2, 4); /* nodes */
    bytes_le(b, HEAD, 4);
    bytes_le(b, 0, 4);

    bytes_le(b, 0, 1); /* ITS group */
    bytes_le(b, ITS_LEN, 2);
    bytes_le(b, 1, 1);
    bytes_le(b, 0, 4);
    bytes_le(b, 0, 8); /* maps nothing on */
    bytes_le(b, 1, 4); /* one, */
    bytes_le(b, 0, 4); /* whose MADT id is 0 */

    bytes_le(b, 2, 1); /* root complex */
    bytes_le(b, ROOT_LEN + 20, 2);
    bytes_le(b, 3, 1);
    bytes_le(b, 1, 4);
    bytes_le(b, 1, 4); /* one mapping */
    bytes_le(b, ROOT_LEN, 4);
    bytes_le(b, 1, 4);              /* fully coherent */
    bytes_le(b, 0x03000000, 4);     /* memory access: CPM and DACS */
    bytes_le(b, 0, 8);              /* no ATS; segment 0 */
    bytes_le(b, 64, 4);             /* address bits */
    bytes_le(b, 0, 4);              /* ids from 0 */
    bytes_le(b, 0xffff, 4);         /* to 0xffff */
    bytes_le(b, 0, 4);              /* as they are */
    bytes_le(b, HEAD, 4);           /* to the ITS group */
    bytes_le(b, 0, 4);
    acpi_table_end(a, start);
}

int virt_acpi(struct virt *v, struct err *e)
{
    struct acpi a;

    acpi_init(&a, v->p->oem_id, v->p->oem_table_id);
    add_dsdt(v, &a);
    add_fadt(v, &a);
    add_madt(v, &a);
    if (!v->version->no_cpu_map)
        add_pptt(v, &a);
    add_gtdt(v, &a);
    acpi_pcie_mcfg(&a, v->ecam.base, v->ecam.size);
    add_spcr(&a);
    add_dbg2(&a);
    if (v->its)
        add_iort(&a);
    if (acpi_add_user_tables(&a, v->c->acpi_tables, e) < 0) {
        acpi_free(&a);
        return e->code;
    }
    return acpi_publish(&a, v->fw_cfg, e);
}
