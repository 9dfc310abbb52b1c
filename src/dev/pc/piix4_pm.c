/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "PIIX4_PM", function 3 of the south bridge: power management and SMBus (south.h).
 * Source: Intel 82371AB (PIIX4) data sheet (290562), chapter 7. */
#include "dev/pc/apm.h"
#include "dev/pc/south.h"
#include "dev/pci/pci.h"

/* Registers in configuration space (7.1). */
enum { PMBA = 0x40, DEVACTB = 0x58, DEVRESA = 0x5c, DEVRESB = 0x60, DEVRESG = 0x64, PMREGMISC = 0x80, SMBBA = 0x90,
       SMBHSTCFG = 0xd2 };
enum { BASE_MASK = 0xffc0, BASE_IO = 1, PMIOSE = 1, SMB_ENABLE = 1, APMC_EN = 1 << 1 /* of DEVACTB's last byte */ };
enum { GPE_AT = 0xafe0, GPE_LEN = 2 }; /* the board's choice: PIIX4 has none that hotplug could use */
enum { ACPI_ENABLE = 0xf1, ACPI_DISABLE = 0xf0 }; /* commands of the board's FADT */

struct piix4_pm {
    struct pci_dev pci;
    struct acpi_pm acpi;
    struct apm apm;
    struct smbus smbus;
    struct mem pm; /* 64 ports at PMBA */
    struct irq_line smi;
    uint64_t smb_io_base;
    uint64_t no_s3, no_s4;
    bool smm;
};

static struct piix4_pm *piix4_of(struct dev *d)
{
    return (struct piix4_pm *)d;
}

struct acpi_pm *piix4_pm_acpi(struct dev *d)
{
    return &piix4_of(d)->acpi;
}

struct irq_line *piix4_pm_smi(struct dev *d)
{
    return &piix4_of(d)->smi;
}

struct smbus *piix4_pm_smbus(struct dev *d)
{
    return &piix4_of(d)->smbus;
}

/* Without SMM in use, the commands that hand ACPI over are carried out here. */
static void command(void *opaque, uint8_t v)
{
    struct piix4_pm *p = opaque;

    if (v == ACPI_ENABLE || v == ACPI_DISABLE)
        acpi_pm_enable(&p->acpi, v == ACPI_ENABLE);
    if (p->smm && p->pci.config[DEVACTB + 3] & APMC_EN)
        irq_pulse(&p->smi);
}

static void update(struct piix4_pm *p)
{
    const uint8_t *c = p->pci.config;
    struct mem *io = machine_io_mem(p->pci.dev.m);

    mem_begin(p->pci.dev.m);
    mem_place(io, &p->pm, c[PMREGMISC] & PMIOSE, pci_get32(&p->pci, PMBA) & BASE_MASK, 0);
    mem_place(io, &p->smbus.regs, c[SMBHSTCFG] & SMB_ENABLE, pci_get32(&p->pci, SMBBA) & BASE_MASK, 0);
    mem_end(p->pci.dev.m);
}

static void written(struct pci_dev *d, unsigned off, unsigned size)
{
    update((struct piix4_pm *)d);
}

static void make_registers(struct piix4_pm *p)
{
    struct pci_dev *d = &p->pci;

    pci_set16(d, PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MEDIUM);
    pci_pin(d, 1);
    pci_set32(d, PMBA, BASE_IO);
    pci_wmask32(d, PMBA, BASE_MASK);
    for (unsigned i = 0x44; i < 0x7e; i++) /* CNTA to DEVRESJ: kept, without effect but for APMC_EN */
        pci_wmask8(d, i, 0xff);
    pci_set8(d, DEVRESA + 3, 0x90); /* the serial and parallel ports are decoded: */
    pci_set8(d, DEVRESB + 3, 0x60); /* what firmware and kernels look at to find them */
    pci_set8(d, DEVRESG + 3, 0x98);
    pci_wmask8(d, PMREGMISC, PMIOSE);
    pci_set32(d, SMBBA, (p->smb_io_base & BASE_MASK) | BASE_IO);
    pci_wmask32(d, SMBBA, BASE_MASK);
    pci_set8(d, SMBHSTCFG, 4 << 1 | SMB_ENABLE); /* by interrupt 9 */
    pci_wmask8(d, SMBHSTCFG, 0x0f);
}

static int init(struct dev *d, struct err *e)
{
    struct piix4_pm *p = piix4_of(d);
    struct mem *io = machine_io_mem(d->m);

    make_registers(p);
    acpi_pm_init(&p->acpi, d->m, GPE_LEN);
    p->acpi.no_s3 = p->no_s3;
    p->acpi.no_s4 = p->no_s4;
    mem_init_container(&p->pm, "piix4-pm", 64);
    mem_add(&p->pm, 0, &p->acpi.evt, 0);
    mem_add(&p->pm, 4, &p->acpi.ctl, 0);
    mem_add(&p->pm, 8, &p->acpi.tmr, 0);
    mem_add(io, GPE_AT, &p->acpi.gpe, 0);
    apm_init(&p->apm, d->m, command, p);
    smbus_init(&p->smbus, d);
    return 0;
}

static void reset(struct dev *d)
{
    struct piix4_pm *p = piix4_of(d);

    pci_dev_reset(&p->pci);
    if (!p->smm) /* firmware takes it for a sign that SMM is set up already, and leaves it alone */
        p->pci.config[DEVACTB + 3] |= APMC_EN;
    acpi_pm_reset(&p->acpi);
    smbus_reset(&p->smbus);
    p->apm.control = p->apm.status = 0;
    update(p);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct piix4_pm *p = piix4_of(d);
    int r = pci_dev_loaded(&p->pci, e);

    acpi_pm_loaded(&p->acpi);
    smbus_loaded(&p->smbus);
    update(p);
    return r;
}

static void fini(struct dev *d)
{
    struct piix4_pm *p = piix4_of(d);

    mem_remove(&p->pm);
    mem_remove(&p->smbus.regs);
    mem_remove(&p->acpi.gpe);
    apm_fini(&p->apm);
    acpi_pm_fini(&p->acpi);
    pci_dev_fini(&p->pci);
}

static const struct field props[] = {
    PCI_FIELDS(piix4_pm, pci),
    FIELD(piix4_pm, smb_io_base, F_U64, "smb_io_base", "0", "where the SMBus controller's ports are at first"),
    FIELD(piix4_pm, no_s3, F_U64, "disable_s3", "0", "sleep with memory powered is not offered"),
    FIELD(piix4_pm, no_s4, F_U64, "disable_s4", "0", "sleep with memory on disk is not offered"),
    FIELD(piix4_pm, smm, F_BOOL, "smm-enabled", "off", "CPUs have system management mode"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(piix4_pm, pci),
    ACPI_PM_STATE(piix4_pm, acpi),
    APM_STATE(piix4_pm, apm),
    SMBUS_STATE(piix4_pm, smbus),
    STATE_END,
};

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x7113,
    .class = 0x0680, /* bridge, other */
    .revision = 3,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
    .config_written = written,
};

const struct dev_type dev_piix4_pm = {
    .name = "PIIX4_PM",
    .help = "PIIX4 power management",
    .class = DEV_BOARD,
    .bus = "pci",
    .size = sizeof(struct piix4_pm),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &type,
};
