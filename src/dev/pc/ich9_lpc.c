/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ICH9-LPC", function 0 of the south bridge of Q35: ISA bus, routing of PCI interrupts, power management, watchdog, and the memory of
 * chipset registers (RCBA).  Source: Intel I/O Controller Hub 9 data sheet (316972), 13.1, 13.8, 10.1. */
#include "dev/pc/ich9.h"

#include "dev/pc/apm.h"
#include "dev/pc/ich9_smi.h"
#include "dev/pc/ich9_tco.h"
#include "dev/pc/south.h"
#include "dev/pci/pci.h"

enum { PMBASE = 0x40, ACPI_CNTL = 0x44, PIRQA_ROUT = 0x60, PIRQE_ROUT = 0x68, LPC_IO_DEC = 0x80, GEN_PMCON_1 = 0xa0,
       RCBA = 0xf0 };
enum { PM_SIZE = 128, PM_MASK = 0xff80, ACPI_EN = 0x80, ROUT_OFF = 0x80, ROUT_MASK = 0x8f, RCBA_SIZE = 0x4000 };
enum { GPE_LEN = 8, GPE_AT = 0x20, SMI_AT = 0x30, TCO_AT = 0x60 }; /* from PMBASE on */
enum { ACPI_ENABLE = 2, ACPI_DISABLE = 3 };                         /* commands of the board's FADT */
enum { GBL_SMI_EN = 1, APMC_EN = 1 << 5, APM_STS = 1 << 5 };        /* SMI_EN, SMI_STS */
/* In RCBA: routes of the functions in slots 25 to 31, disabled functions' neighbours, General Control and Status. */
enum { D31IR = 0x3140, D25IR = 0x3150, DIR_VALUE = 0x3210, GCS = 0x3410, GCS_NR = 1 << 5 };
enum { PIRQS = ICH9_PIRQS, APIC_FIRST = 16 };

struct ich9 {
    struct pci_dev pci;
    struct isa_bus isa;
    struct acpi_pm acpi;
    struct apm apm;
    struct ich9_tco tco;
    struct ich9_smi smi_to;
    struct mem pm, smi_regs, rcba;
    uint32_t smi_en, smi_sts, gcs;
    bool pirq[PIRQS];
    bool smm, no_reboot;
    uint64_t no_s3, no_s4;
    struct irq_line smi, out[ISA_IRQS], apic[PIRQS];
};

static struct ich9 *ich9_of(struct dev *d)
{
    return (struct ich9 *)d;
}

struct acpi_pm *ich9_acpi(struct dev *d)
{
    return &ich9_of(d)->acpi;
}

struct irq_line *ich9_smi(struct dev *d)
{
    return &ich9_of(d)->smi;
}

int ich9_offer_smi(struct dev *d, struct dev *fw_cfg, struct err *e)
{
    return ich9_smi_offer(&ich9_of(d)->smi_to, fw_cfg, e);
}

bool ich9_smi_to_all(struct dev *d)
{
    return ich9_smi_broadcast(&ich9_of(d)->smi_to);
}

struct isa_bus *ich9_isa(struct dev *d)
{
    return &ich9_of(d)->isa;
}

struct irq_line *ich9_apic_out(struct dev *d, unsigned n)
{
    return &ich9_of(d)->apic[n];
}

/* --- Interrupts ----------------------------------------------------------------------------- */

static void update_irqs(struct ich9 *p)
{
    bool level[ISA_IRQS] = {false};

    for (unsigned i = 0; i < PIRQS; i++) {
        uint8_t rout = p->pci.config[(i < 4 ? PIRQA_ROUT : PIRQE_ROUT) + i % 4];

        if (p->pirq[i] && !(rout & ROUT_OFF))
            level[rout & 15] = true;
        irq_set(&p->apic[i], p->pirq[i]);
    }
    for (unsigned i = 0; i < ISA_IRQS; i++)
        irq_set(&p->out[i], level[i]);
}

static void set_pirq(void *opaque, int n, bool level)
{
    struct ich9 *p = opaque;

    p->pirq[n] = level;
    update_irqs(p);
}

struct irq_in ich9_pirq(struct dev *d, unsigned n)
{
    return (struct irq_in){.set = set_pirq, .opaque = ich9_of(d), .n = n};
}

/* --- Commands and SMI ----------------------------------------------------------------------- */

static void command(void *opaque, uint8_t v)
{
    struct ich9 *p = opaque;

    if (v == ACPI_ENABLE || v == ACPI_DISABLE)
        acpi_pm_enable(&p->acpi, v == ACPI_ENABLE);
    if (!(p->smi_en & APMC_EN))
        return;
    p->smi_sts |= APM_STS;
    if (p->smm && p->smi_en & GBL_SMI_EN)
        irq_pulse(&p->smi);
}

static uint64_t smi_read(void *opaque, paddr off, struct access a)
{
    struct ich9 *p = opaque;

    return off ? p->smi_sts : p->smi_en;
}

/* SMI_LOCK keeps the global enable bit as it is (13.8.1.1). */
static void smi_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    enum { SMI_LOCK = 1 << 4 };
    struct ich9 *p = opaque;

    if (off)
        p->smi_sts &= ~v;
    else if (p->pci.config[GEN_PMCON_1] & SMI_LOCK)
        p->smi_en = (v & ~(uint64_t)GBL_SMI_EN) | (p->smi_en & GBL_SMI_EN);
    else
        p->smi_en = v;
}

static const struct mmio_ops smi_ops = {smi_read, smi_write, 4, 4};

/* --- RCBA ----------------------------------------------------------------------------------- */

static uint64_t rcba_read(void *opaque, paddr off, struct access a)
{
    struct ich9 *p = opaque;

    if (off == GCS)
        return p->gcs;
    return off >= D31IR && off <= D25IR ? DIR_VALUE : 0;
}

static void rcba_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ich9 *p = opaque;

    if (off != GCS)
        return;
    p->gcs = v & GCS_NR;
    p->tco.no_reboot = p->gcs & GCS_NR;
}

static const struct mmio_ops rcba_ops = {rcba_read, rcba_write, 4, 4};

/* --- Configuration space -------------------------------------------------------------------- */

static void update(struct ich9 *p)
{
    struct machine *m = p->pci.dev.m;
    uint32_t rcba = pci_get32(&p->pci, RCBA);

    mem_begin(m);
    mem_place(machine_io_mem(m), &p->pm, p->pci.config[ACPI_CNTL] & ACPI_EN, pci_get32(&p->pci, PMBASE) & PM_MASK, 1);
    mem_place(machine_mem(m), &p->rcba, rcba & 1, rcba & ~(RCBA_SIZE - 1u), 1);
    mem_end(m);
    update_irqs(p);
}

static void written(struct pci_dev *d, unsigned off, unsigned size)
{
    update((struct ich9 *)d);
}

static void make_registers(struct pci_dev *d)
{
    pci_set16(d, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set16(d, PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
    pci_wmask16(d, PCI_COMMAND, PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
    pci_set32(d, PMBASE, 1);
    pci_wmask32(d, PMBASE, PM_MASK);
    pci_wmask8(d, ACPI_CNTL, ACPI_EN | 7);
    for (unsigned i = 0; i < 4; i++) {
        pci_set8(d, PIRQA_ROUT + i, ROUT_OFF);
        pci_wmask8(d, PIRQA_ROUT + i, ROUT_MASK);
        pci_set8(d, PIRQE_ROUT + i, ROUT_OFF);
        pci_wmask8(d, PIRQE_ROUT + i, ROUT_MASK);
    }
    for (unsigned i = LPC_IO_DEC; i < LPC_IO_DEC + 0x14; i++) /* what is decoded: everything is */
        pci_wmask8(d, i, 0xff);
    pci_wmask16(d, GEN_PMCON_1, 0x0fff);
    pci_wmask32(d, RCBA, ~(RCBA_SIZE - 1u) | 1);
}

static void make_ports(struct ich9 *p)
{
    mem_init_container(&p->pm, "ich9-pm", PM_SIZE);
    mem_add(&p->pm, 0, &p->acpi.evt, 0);
    mem_add(&p->pm, 4, &p->acpi.ctl, 0);
    mem_add(&p->pm, 8, &p->acpi.tmr, 0);
    mem_add(&p->pm, GPE_AT, &p->acpi.gpe, 0);
    mem_init_mmio(&p->smi_regs, "acpi-smi", 8, &smi_ops, p);
    mem_add(&p->pm, SMI_AT, &p->smi_regs, 0);
    mem_add(&p->pm, TCO_AT, &p->tco.regs, 0);
}

static int init(struct dev *d, struct err *e)
{
    struct ich9 *p = ich9_of(d);

    make_registers(&p->pci);
    acpi_pm_init(&p->acpi, d->m, GPE_LEN);
    p->acpi.no_s3 = p->no_s3;
    p->acpi.no_s4 = p->no_s4;
    ich9_tco_init(&p->tco, d);
    make_ports(p);
    mem_init_mmio(&p->rcba, "lpc-rcrb-mmio", RCBA_SIZE, &rcba_ops, p);
    apm_init(&p->apm, d->m, command, p);
    isa_bus_init(&p->isa, d);
    for (unsigned i = 0; i < ISA_IRQS; i++)
        irq_connect(&p->out[i], isa_irq(&p->isa, i));
    return 0;
}

/* Where the registers of power management and RCBA are stays when the machine wakes: SeaBIOS places them once, and systems want to reach
 * PM1 again at once (seen with Linux, and on the reference). */
static void reset_config(struct ich9 *p)
{
    uint32_t pm = pci_get32(&p->pci, PMBASE), rcba = pci_get32(&p->pci, RCBA);
    uint8_t acpi = p->pci.config[ACPI_CNTL];

    pci_dev_reset(&p->pci);
    if (!machine_wakes(p->pci.dev.m))
        return;
    pci_set32(&p->pci, PMBASE, pm);
    pci_set32(&p->pci, RCBA, rcba);
    pci_set8(&p->pci, ACPI_CNTL, acpi);
}

/* Where firmware finds its SMI enabled already, it leaves SMM alone: for machines without SMM. */
static void reset(struct dev *d)
{
    struct ich9 *p = ich9_of(d);

    reset_config(p);
    acpi_pm_reset(&p->acpi);
    ich9_tco_reset(&p->tco);
    ich9_smi_reset(&p->smi_to);
    p->apm.control = p->apm.status = 0;
    p->smi_en = p->smm ? 0 : APMC_EN;
    p->smi_sts = 0;
    p->gcs = p->no_reboot ? GCS_NR : 0;
    p->tco.no_reboot = p->no_reboot;
    update(p);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct ich9 *p = ich9_of(d);
    int r = pci_dev_loaded(&p->pci, e);

    p->tco.no_reboot = p->gcs & GCS_NR;
    acpi_pm_loaded(&p->acpi);
    update(p);
    return r;
}

static void fini(struct dev *d)
{
    struct ich9 *p = ich9_of(d);

    mem_remove(&p->pm);
    mem_remove(&p->rcba);
    apm_fini(&p->apm);
    ich9_tco_fini(&p->tco);
    acpi_pm_fini(&p->acpi);
    pci_dev_fini(&p->pci);
}

static const struct field props[] = {
    PCI_FIELDS(ich9, pci),
    FIELD(ich9, no_reboot, F_BOOL, "noreboot", "on", "the watchdog (TCO) does not reset until the guest says so"),
    FIELD(ich9, smm, F_BOOL, "smm-enabled", "off", "CPUs have system management mode"),
    FIELD(ich9, no_s3, F_U64, "disable_s3", "0", "sleep with memory powered is not offered"),
    FIELD(ich9, no_s4, F_U64, "disable_s4", "0", "sleep with memory on disk is not offered"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(ich9, pci),
    ACPI_PM_STATE(ich9, acpi),
    APM_STATE(ich9, apm),
    ICH9_SMI_STATE(ich9, smi_to),
    {.name = "tco", .kind = S_STRUCT, .offset = offsetof(struct ich9, tco), .n = 1, .elem = sizeof(struct ich9_tco),
     .since = 1, .table = ich9_tco_state},
    STATE(ich9, smi_en, S_U32, 1, "SMI_EN"),
    STATE(ich9, smi_sts, S_U32, 1, "SMI_STS"),
    STATE(ich9, gcs, S_U32, 1, "GCS"),
    STATE(ich9, pirq, S_BOOL, 1, "levels of PIRQA to PIRQH"),
    STATE_END,
};

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x2918,
    .class = PCI_CLASS_BRIDGE_ISA,
    .revision = 2,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
    .config_written = written,
};

const struct dev_type dev_ich9_lpc = {
    .name = "ICH9-LPC",
    .help = "ICH9 LPC bridge",
    .class = DEV_BOARD,
    .bus = "pci",
    .size = sizeof(struct ich9),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &type,
};
