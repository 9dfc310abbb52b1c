/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "microvm": a PC without a PC's chips.  Disks and cards are virtio-mmio devices, told to the guest by ACPI or on the kernel's command line;
 * with pcie=on there is the generic Express host bridge, too. */
#include "board/pc.h"

#include "board/acpi_pcie.h"
#include "board/asked.h"
#include "board/boot_order.h"
#include "board/x86_kernel.h"
#include "dev/acpi/ged.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/intc/ioapic.h"
#include "guest/x86/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 24, SLOT_LEN = 0x200, IOAPIC2_FIRST = 24,
       SLOTS_ONE = 8, /* with one I/O APIC: inputs 16 to 23; without ACPI, ISA's 5 to 12, which the old controllers have, too */
       GED_IRQ = 9, CMDLINE_MAX = 4096, PCIE_IRQ_ONE = 12, PCIE_IRQ = 16 /* with two I/O APICs */ };
#define GED_EVENTS 0xfea00000u
#define GED_REGS   0xfea00200u
#define SLOTS_AT   0xfeb00000u
#define IOAPIC2    0xfec10000u
#define PCIE_MEM   0xc0000000u
#define PCIE_ECAM  0xe0000000u

struct microvm_props {
    int acpi, ioapic2, pic, pit, rtc, pcie; /* enum on_off_auto */
    bool auto_cmdline, isa_serial, option_roms;
    char *oem_id, *oem_table_id;
};

struct microvm {
    struct pc pc;
    struct pc_props pc_props; /* what it has of a PC */
    const struct microvm_props *p;
    struct dev *slot[SLOTS], *ged, *ioapic2;
    struct acpi_pcie pcie;
    char cmdline[CMDLINE_MAX];
};

static const char *const on_off_auto[] = {"on", "off", "auto", NULL};

static const struct field props[] = {
    FIELD_ENUM(microvm_props, acpi, on_off_auto, "acpi", "auto", "Enable ACPI"),
    FIELD(microvm_props, auto_cmdline, F_BOOL, "auto-kernel-cmdline", "on",
          "Set off to disable adding virtio-mmio devices to the kernel cmdline"),
    FIELD_ENUM(microvm_props, ioapic2, on_off_auto, "ioapic2", "auto", "Enable second IO-APIC"),
    FIELD(microvm_props, isa_serial, F_BOOL, "isa-serial", "on",
          "Set off to disable the instantiation an ISA serial port"),
    FIELD_ENUM(microvm_props, pcie, on_off_auto, "pcie", "auto", "Enable PCIe"),
    FIELD_ENUM(microvm_props, pic, on_off_auto, "pic", "auto", "Enable i8259 PIC"),
    FIELD_ENUM(microvm_props, pit, on_off_auto, "pit", "auto", "Enable i8254 PIT"),
    FIELD_ENUM(microvm_props, rtc, on_off_auto, "rtc", "auto", "Enable MC146818 RTC"),
    FIELD(microvm_props, option_roms, F_BOOL, "x-option-roms", "on", "Set off to disable loading option ROMs"),
    FIELD(microvm_props, oem_id, F_STR, "x-oem-id", NULL, "Override the default value of field OEMID in ACPI table header"),
    FIELD(microvm_props, oem_table_id, F_STR, "x-oem-table-id", NULL,
          "Override the default value of field OEM Table ID in ACPI table header"),
    FIELD_END,
};

/* --- Slots of virtio-mmio ------------------------------------------------------------------- */

static unsigned slot_gsi(const struct microvm *v, unsigned i)
{
    return v->p->acpi == PC_OFF ? 5 + i : v->ioapic2 ? IOAPIC2_FIRST + i : 16 + i;
}

static struct irq_in gsi(struct microvm *v, unsigned n)
{
    return n >= IOAPIC2_FIRST ? ioapic_in(v->ioapic2, n - IOAPIC2_FIRST) : pc_gsi(&v->pc, n);
}

static unsigned slots(const struct microvm *v)
{
    return v->ioapic2 ? SLOTS : SLOTS_ONE;
}

/* The slot that is filled first is the last one; the name of its bus counts addresses. */
static int add_slots(struct microvm *v, struct err *e)
{
    char name[32];

    for (unsigned i = slots(v); i-- > 0;) {
        struct dev *d = dev_add(v->pc.m, "virtio-mmio", NULL, NULL, e);

        if (!d)
            return e->code;
        mem_add(machine_mem(v->pc.m), SLOTS_AT + i * SLOT_LEN, &d->mmio, 0);
        irq_connect(&d->irq[0], gsi(v, slot_gsi(v, i)));
        snprintf(name, sizeof(name), "virtio-mmio-bus.%u", i);
        free(d->buses->name);
        d->buses->name = strdup(name);
        v->slot[i] = d;
    }
    return 0;
}

static int add_ioapic2(struct microvm *v, struct err *e)
{
    if (v->p->ioapic2 == PC_OFF || v->p->acpi == PC_OFF)
        return 0;
    if (!(v->ioapic2 = v->pc.ioapic2 = dev_add(v->pc.m, "ioapic", NULL, NULL, e)))
        return e->code;
    mem_add(machine_mem(v->pc.m), IOAPIC2, &v->ioapic2->mmio, 0);
    return 0;
}

/* --- PCI Express ---------------------------------------------------------------------------- */

/* 64-bit BARs go to the last quarter of what CPUs can address.  There are no ports. */
static int add_pcie(struct microvm *v, struct err *e)
{
    struct pc *p = &v->pc;
    uint64_t quarter = UINT64_C(1) << (p->cpu->phys_bits - 2);
    struct dev *d;

    if (v->p->pcie != PC_ON || v->p->acpi == PC_OFF)
        return 0;
    v->pcie = (struct acpi_pcie){.map = {.ecam = PCIE_ECAM, .ecam_size = 256 * MiB, .mem32 = PCIE_MEM, .mem32_size = PCIE_ECAM - PCIE_MEM},
                                 .gsi = v->ioapic2 ? PCIE_IRQ : PCIE_IRQ_ONE};
    if (p->cpu->phys_bits > 34 && PC_4G + p->high <= 3 * quarter) {
        v->pcie.map.mem64 = 3 * quarter;
        v->pcie.map.mem64_size = quarter;
    }
    if (!(d = dev_add(p->m, "gpex-pcihost", NULL, NULL, e)))
        return e->code;
    gpex_map(gpex_of(d), &v->pcie.map);
    for (unsigned i = 0; i < 4; i++)
        irq_connect(&d->irq[i], pc_gsi(p, v->pcie.gsi + i));
    return 0;
}

/* --- ACPI: reduced hardware ----------------------------------------------------------------- */

static void add_ged(struct bytes *b)
{
    size_t dev = aml_device(b, "GED"), crs, m, yes;

    aml_name_string(b, "_HID", "ACPI0013");
    aml_name_int(b, "_UID", 0);
    crs = aml_resources(b, "_CRS");
    aml_interrupt(b, GED_IRQ, true);
    aml_resources_end(b, crs);
    aml_region(b, "EREG", AML_SYSTEM_MEMORY, GED_EVENTS, 4);
    m = aml_field(b, "EREG", 4);
    aml_bits(b, "ESEL", 32);
    aml_close(b, m);
    m = aml_method(b, "_EVT", 1, true);
    aml_op(b, AML_STORE);
    aml_path(b, "ESEL");
    aml_op(b, AML_LOCAL0);
    yes = aml_if(b);
    aml_op(b, AML_AND);
    aml_op(b, AML_LOCAL0);
    aml_int(b, GED_POWER_BUTTON);
    aml_op(b, 0); /* no target */
    aml_op(b, AML_NOTIFY);
    aml_path(b, "\\_SB.PWRB");
    aml_int(b, 0x80);
    aml_close(b, yes);
    aml_close(b, m);
    aml_close(b, dev);
}

static void add_slot_devices(struct microvm *v, struct bytes *b)
{
    char name[5];

    for (unsigned i = 0; i < slots(v); i++) {
        size_t dev, crs;

        snprintf(name, sizeof(name), "VR%02u", i);
        dev = aml_device(b, name);
        aml_name_string(b, "_HID", "LNRO0005");
        aml_name_int(b, "_UID", i);
        aml_name_int(b, "_CCA", 1);
        crs = aml_resources(b, "_CRS");
        aml_memory32(b, SLOTS_AT + i * SLOT_LEN, SLOT_LEN);
        aml_interrupt(b, slot_gsi(v, i), false);
        aml_resources_end(b, crs);
        aml_close(b, dev);
    }
}

static void simple(struct bytes *b, const char *name, const char *eisa, uint16_t port, uint8_t len, unsigned irq)
{
    size_t dev = aml_device(b, name), crs;

    aml_name_int(b, "_HID", aml_eisa(eisa));
    aml_name_int(b, "_UID", 1);
    crs = aml_resources(b, "_CRS");
    aml_io(b, port, len);
    aml_irq(b, irq);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

static void add_dsdt(struct microvm *v, struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "DSDT", 2), scope = aml_scope(b, "\\_SB"), pkg;

    if (v->pc.c->serial[0] && v->p->isa_serial)
        simple(b, "COM1", "PNP0501", 0x3f8, 8, 4);
    if (v->pc.rtc)
        simple(b, "RTC", "PNP0B00", 0x70, 2, 8);
    add_ged(b);
    pkg = aml_device(b, "PWRB");
    aml_name_int(b, "_HID", aml_eisa("PNP0C0C"));
    aml_name_int(b, "_UID", 0);
    aml_close(b, pkg);
    add_slot_devices(v, b);
    if (v->pcie.gsi)
        acpi_pcie_add(b, &v->pcie);
    aml_close(b, scope);
    aml_name(b, "\\_S5");
    pkg = aml_package(b, 4);
    aml_int(b, GED_S5);
    aml_int(b, 0);
    aml_int(b, 0);
    aml_int(b, 0);
    aml_close(b, pkg);
    acpi_table_end(a, start);
}

static void put_gas8(uint8_t *at, uint64_t addr)
{
    at[1] = 8;
    at[3] = 1;
    put_le64(at + 4, addr);
}

static void add_fadt(struct acpi *a)
{
    enum { LEN = 276, BOOT = 109, FLAGS = 112, RESET_REG = 116, RESET_VALUE = 128, X_DSDT = 140, SLEEP_CONTROL = 244,
           SLEEP_STATUS = 256 };
    enum { NO_VGA = 1 << 2, NO_RTC = 1 << 5, RESET = 1 << 10, HW_REDUCED = 1 << 20 };
    size_t start = acpi_table(a, "FACP", 6);
    uint8_t *p;

    bytes_zero_put(&a->tables, LEN - 36);
    p = a->tables.data + start;
    put_le16(p + BOOT, NO_VGA | NO_RTC);
    put_le32(p + FLAGS, RESET | HW_REDUCED);
    put_gas8(p + RESET_REG, GED_REGS + 2);
    p[RESET_VALUE] = GED_RESET_VALUE;
    put_gas8(p + SLEEP_CONTROL, GED_REGS);
    put_gas8(p + SLEEP_STATUS, GED_REGS + 1);
    acpi_pointer(a, start + X_DSDT, 8, a->dsdt);
    acpi_table_end(a, start);
}

static void put_ioapic(struct bytes *b, uint8_t id, uint32_t at, uint32_t first)
{
    bytes_le(b, 0x0c01, 2);
    bytes_le(b, id, 2);
    bytes_le(b, at, 4);
    bytes_le(b, first, 4);
}

static void add_madt(struct microvm *v, struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "APIC", 3);

    bytes_le(b, PC_APIC, 4);
    bytes_le(b, v->pc.pic != NULL, 4);
    for (unsigned i = 0; i < v->pc.c->cpus; i++) {
        bytes_le(b, 0x0800, 2);
        bytes_le(b, i, 1);
        bytes_le(b, pc_apic_id(&v->pc, i), 1);
        bytes_le(b, 1, 4);
    }
    put_ioapic(b, 0, PC_IOAPIC, 0);
    if (v->ioapic2)
        put_ioapic(b, 1, IOAPIC2, IOAPIC2_FIRST);
    bytes_le(b, 0x0604, 2); /* NMI of all CPUs: LINT1 */
    bytes_le(b, 0xff, 1);
    bytes_le(b, 0, 2);
    bytes_le(b, 1, 1);
    acpi_table_end(a, start);
}

static int add_acpi(struct microvm *v, struct err *e)
{
    struct acpi a;

    acpi_init(&a, v->p->oem_id, v->p->oem_table_id);
    add_dsdt(v, &a);
    add_fadt(&a);
    add_madt(v, &a);
    if (v->pcie.gsi)
        acpi_pcie_mcfg(&a, v->pcie.map.ecam, v->pcie.map.ecam_size);
    return acpi_publish(&a, v->pc.fw_cfg, e);
}

static void press_power(void *opaque)
{
    ged_raise(opaque, GED_POWER_BUTTON);
}

static int add_events(struct microvm *v, struct err *e)
{
    if (v->p->acpi == PC_OFF)
        return 0;
    if (!(v->ged = dev_add(v->pc.m, "acpi-ged", NULL, NULL, e)))
        return e->code;
    mem_add(machine_mem(v->pc.m), GED_EVENTS, &v->ged->mmio, 0);
    mem_add(machine_mem(v->pc.m), GED_REGS, ged_regs(v->ged), 0);
    irq_connect(&v->ged->irq[0], ioapic_in(v->pc.ioapic, GED_IRQ));
    machine_on_power_button(v->pc.m, press_power, v->ged);
    return 0;
}

/* --- The kernel ----------------------------------------------------------------------------- */

/* Without ACPI the kernel finds devices by its command line: those that are there when the machine starts. */
static void write_cmdline(void *opaque)
{
    struct microvm *v = opaque;
    const char *append = v->pc.c->append ? v->pc.c->append : "";
    size_t n = snprintf(v->cmdline, sizeof(v->cmdline), "%s", append);

    for (unsigned i = slots(v); i-- > 0 && n < sizeof(v->cmdline);)
        if (v->slot[i]->buses->devs)
            n += snprintf(v->cmdline + n, sizeof(v->cmdline) - n, " virtio_mmio.device=%d@%#x:%u", SLOT_LEN,
                          SLOTS_AT + i * SLOT_LEN, slot_gsi(v, i));
    if (n >= sizeof(v->cmdline))
        n = snprintf(v->cmdline, sizeof(v->cmdline), "%s", append);
    fw_cfg_set_u32(v->pc.fw_cfg, FW_CFG_CMDLINE_SIZE, (uint32_t)n + 1);
    fw_cfg_set_string(v->pc.fw_cfg, FW_CFG_CMDLINE_DATA, v->cmdline);
}

static int add_fw_cfg(struct microvm *v, struct err *e)
{
    struct pc *p = &v->pc;
    struct x86_kernel kernel;
    uint8_t wait[4];

    if (!(p->fw_cfg = dev_add(p->m, "fw_cfg_io", NULL, NULL, e)))
        return e->code;
    kernel = (struct x86_kernel){.m = p->m, .c = p->c, .fw_cfg = p->fw_cfg, .low = p->low};
    if (x86_kernel_load(&kernel, e) < 0)
        return e->code;
    if (p->c->kernel && v->p->auto_cmdline && v->p->acpi == PC_OFF)
        machine_on_reset(p->m, write_cmdline, v);
    fw_cfg_set_u64(p->fw_cfg, FW_CFG_RAM_SIZE, p->c->ram);
    fw_cfg_set_u16(p->fw_cfg, FW_CFG_NOGRAPHIC, !p->c->graphics);
    fw_cfg_set_u32(p->fw_cfg, FW_CFG_IRQ0_OVERRIDE, 1);
    fw_cfg_set_u16(p->fw_cfg, FW_CFG_NB_CPUS, p->c->cpus);
    fw_cfg_set_u16(p->fw_cfg, FW_CFG_MAX_CPUS, pc_apic_id_limit(p));
    boot_order_offer(p->m, p->c, p->fw_cfg, v->p->option_roms ? kernel.rom : NULL);
    if (p->rtc)
        pc_tell_cmos_memory(p);
    put_le32(wait, (uint32_t)p->c->reboot_ms);
    if (pc_tell_memory(p, e) < 0 || fw_cfg_set_file(p->fw_cfg, "etc/boot-fail-wait", wait, sizeof(wait), e) < 0)
        return e->code;
    return asked_files(p->c, p->fw_cfg, e);
}

/* --- All of it ------------------------------------------------------------------------------ */

static int add_isa(struct microvm *v, struct err *e)
{
    struct pc *p = &v->pc;
    char chardev[128];

    if (!(p->isa_dev = dev_add(p->m, "isabus-bridge", NULL, NULL, e)))
        return e->code;
    p->isa = isa_bus(p->m);
    if (pc_add_isa(p, e) < 0)
        return e->code;
    if (!p->c->serial[0] || !v->p->isa_serial)
        return 0;
    snprintf(chardev, sizeof(chardev), "index=0,chardev=%s", chr_id(p->c->serial[0]));
    return dev_add(p->m, "isa-serial", NULL, chardev, e) ? 0 : e->code;
}

static int build(struct microvm *v, struct err *e)
{
    struct pc *p = &v->pc;

    if (pc_add_memory(p, e) < 0)
        return e->code;
    p->pci_mem = machine_mem(p->m);
    if (pc_add_firmware(p, e) < 0 || add_isa(v, e) < 0 || add_ioapic2(v, e) < 0 || pc_add_cpus(p, e) < 0 ||
        add_events(v, e) < 0 || add_pcie(v, e) < 0 || add_slots(v, e) < 0 || add_fw_cfg(v, e) < 0)
        return e->code;
    for (unsigned i = 0; i < p->c->n_nics; i++)
        if (!p->c->nic[i].used && asked_nic(p->m, p->c, &p->c->nic[i], e) < 0)
            return e->code;
    return v->ged ? add_acpi(v, e) : 0;
}

static void microvm_end(void *opaque)
{
    struct microvm *v = opaque;

    free(v->pc.cpus);
    free(v->pc.slots);
    free(v->pc.cpu);
    free(v);
}

static int microvm_build(struct machine *m, struct conf *c, struct err *e)
{
    struct microvm *v = calloc(1, sizeof(*v));

    if (!v)
        return err_set(e, -ENOMEM, "out of memory");
    v->p = c->board_props;
    v->pc_props = (struct pc_props){.pic = v->p->pic, .pit = v->p->pit, .no_rtc = v->p->rtc == PC_OFF, .bare = true,
                                    .max_fw = 8 * MiB, .max_low = v->p->pcie == PC_ON ? PCIE_MEM : 0};
    v->pc.m = m;
    v->pc.c = c;
    v->pc.p = &v->pc_props;
    v->pc.firmware = "bios-microvm.bin";
    machine_on_end(m, microvm_end, v);
    return build(v, e);
}

const struct board board_x86_microvm = {
    .arch = "x86",
    .name = "microvm",
    .help = "microvm (i386)",
    .props = props,
    .props_size = sizeof(struct microvm_props),
    .default_cpu = "qemu64",
    .max_cpus = 255,
    .dies = true,
    .default_ram = 128 * MiB,
    .default_if = IF_VIRTIO,
    .build = microvm_build,
};
