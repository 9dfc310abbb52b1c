/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables of PCs.  They are made when firmware reads them, each time after a reset: by then it has said where chips have
 * their registers.  Their files are longer than they need be, so that their lengths stay.
 * Sources: ACPI Specification 6.3 (5.2.9 FADT, 5.2.10 FACS, 5.2.12 MADT); PCI Firmware Specification 3.2 (MCFG); IA-PC HPET 1.0a, 3.2.4;
 * Microsoft, Windows ACPI Emulated Devices Table (WAET).
 */
#include "board/pc.h"

#include "board/acpi_pcie.h"
#include "board/asked.h"
#include "board/pc_acpi.h"
#include "dev/devices.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"
#include "dev/pc/q35.h"
#include "dev/tpm/tpm.h"
#include "schema/keyval.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

/* Firmware has seen the lengths before the tables are made: they are what the most tables can need (128 steps of loading them). */
enum { TABLES_LEN = 128 * KiB, LOADER_LEN = 16 * KiB };

struct pc_tables {
    struct pc *p;
    bool made; /* since the last reset */
};

static uint16_t pm_base(const struct pc *p)
{
    return pci_get32(pci_of(p->pm), 0x40) & 0xff80; /* PMBA, PMBASE */
}

/* --- FACS, FADT ----------------------------------------------------------------------------- */

/* Not a table with a header, and to be on a boundary of 64 bytes: it comes first. */
static size_t add_facs(struct acpi *a)
{
    size_t start = a->tables.len;

    bytes_put(&a->tables, "FACS", 4);
    bytes_le(&a->tables, 64, 4);
    bytes_zero_put(&a->tables, 56);
    return start;
}

enum { LEGACY_DEVICES = 1, HAS_8042 = 2 };
enum { WBINVD = 1 << 0, PROC_C1 = 1 << 2, SLP_BUTTON = 1 << 5, RTC_S4 = 1 << 7, RESET_REG = 1 << 10,
       PLATFORM_CLOCK = 1 << 15 };

/* What every revision has: up to the flags. */
static void fadt_old(struct pc *p, struct bytes *b, uint16_t pm, uint16_t gpe, uint8_t gpe_len)
{
    bytes_le(b, 0, 8);      /* FACS, DSDT: later */
    bytes_le(b, 1, 1);      /* reserved: "multiple APIC" of ACPI 1.0 */
    bytes_le(b, 0, 1);      /* profile: unspecified */
    bytes_le(b, PC_SCI, 2);
    bytes_le(b, 0xb2, 4);
    bytes_le(b, p->q35 ? 2 : 0xf1, 1); /* commands that switch ACPI on, and off */
    bytes_le(b, p->q35 ? 3 : 0xf0, 1);
    bytes_le(b, 0, 2);
    bytes_le(b, pm, 4); /* PM1a events; no PM1b */
    bytes_le(b, 0, 4);
    bytes_le(b, pm + 4, 4); /* PM1a control; no PM1b, PM2 */
    bytes_le(b, 0, 8);
    bytes_le(b, pm + 8, 4); /* timer */
    bytes_le(b, gpe, 4);
    bytes_le(b, 0, 4);
    bytes_le(b, 4, 1);
    bytes_le(b, 2, 1);
    bytes_le(b, 0, 1);
    bytes_le(b, 4, 1);
    bytes_le(b, gpe_len, 1);
    bytes_le(b, 0, 3);
    bytes_le(b, 0xfff, 2); /* C2 and C3 take too long to be there */
    bytes_le(b, 0xfff, 2);
    bytes_le(b, 0, 8);    /* flushing, duty cycle, alarms of days and months */
    bytes_le(b, 0x32, 1); /* the century's register in CMOS */
    bytes_le(b, LEGACY_DEVICES | (p->i8042 ? HAS_8042 : 0), 2);
    bytes_le(b, 0, 1);
    bytes_le(b, WBINVD | PROC_C1 | SLP_BUTTON | RTC_S4 | RESET_REG | PLATFORM_CLOCK, 4);
}

static void add_fadt(struct pc *p, struct acpi *a, size_t facs)
{
    enum { FACS = 36, DSDT = 40, X_DSDT = 140, REVISION = 3, RESET_VALUE = 6 };
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "FACP", REVISION);
    uint16_t pm = pm_base(p), gpe = p->q35 ? pm + 0x20 : 0xafe0;
    uint8_t gpe_len = p->q35 ? 16 : 4;

    fadt_old(p, b, pm, gpe, gpe_len);
    acpi_gas_io(b, 0xcf9, 8);
    bytes_le(b, RESET_VALUE, 4);
    bytes_zero_put(b, 16); /* FACS by its short field; DSDT: later */
    acpi_gas_io(b, pm, 32);
    bytes_zero_put(b, 12);
    acpi_gas_io(b, pm + 4, 16);
    bytes_zero_put(b, 24);
    acpi_gas_io(b, pm + 8, 32);
    acpi_gas_io(b, gpe, gpe_len * 8);
    bytes_zero_put(b, 12);
    acpi_pointer(a, start + FACS, 4, facs);
    acpi_pointer(a, start + DSDT, 4, a->dsdt);
    acpi_pointer(a, start + X_DSDT, 8, a->dsdt);
    acpi_table_end(a, start);
}

/* --- Interrupts ----------------------------------------------------------------------------- */

static void add_cpu(struct pc *p, struct bytes *b, unsigned i)
{
    uint32_t id = pc_apic_id(p, i), on = pc_has_cpu(p, i);

    if (id < 255) {
        bytes_le(b, 0x0800, 2); /* local APIC */
        bytes_le(b, i, 1);
        bytes_le(b, id, 1);
        bytes_le(b, on, 4);
    } else {
        bytes_le(b, 0x1009, 2); /* local x2APIC */
        bytes_le(b, 0, 2);
        bytes_le(b, id, 4);
        bytes_le(b, on, 4);
        bytes_le(b, i, 4);
    }
}

static void add_override(struct bytes *b, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    bytes_le(b, 0x0a02, 2);
    bytes_le(b, 0, 1); /* ISA */
    bytes_le(b, irq, 1);
    bytes_le(b, gsi, 4);
    bytes_le(b, flags, 2);
}

/* PCI's interrupts and SCI are level-triggered and active high, which on ISA is the exception. */
static void add_madt(struct pc *p, struct acpi *a)
{
    enum { PCAT_COMPAT = 1, LEVEL_HIGH = 0xd };
    static const uint8_t pci[] = {5, 9, 10, 11};
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "APIC", 3);

    bytes_le(b, PC_APIC, 4);
    bytes_le(b, PCAT_COMPAT, 4);
    for (unsigned i = 0; i < p->c->max_cpus; i++)
        add_cpu(p, b, i);
    bytes_le(b, 0x0c01, 2); /* I/O APIC 0, interrupts from 0 on */
    bytes_le(b, 0, 2);
    bytes_le(b, PC_IOAPIC, 4);
    bytes_le(b, 0, 4);
    add_override(b, 0, 2, 0);
    for (unsigned i = 0; i < sizeof(pci); i++)
        add_override(b, pci[i], pci[i], LEVEL_HIGH);
    bytes_le(b, 0x0604, 2); /* NMI of all CPUs: LINT1 */
    bytes_le(b, 0xff, 1);
    bytes_le(b, 0, 2);
    bytes_le(b, 1, 1);
    acpi_table_end(a, start);
}

/* --- Small tables --------------------------------------------------------------------------- */

static void add_hpet(struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "HPET", 1);

    bytes_le(b, 0x8086a201, 4);
    acpi_gas(b, PC_HPET, 0);
    b->data[b->len - 9] = 0; /* any size of access */
    bytes_le(b, 0, 4);
    acpi_table_end(a, start);
}

static void add_waet(struct acpi *a)
{
    enum { PM_TIMER_GOOD = 2 };
    size_t start = acpi_table(a, "WAET", 1);

    bytes_le(&a->tables, PM_TIMER_GOOD, 4);
    acpi_table_end(a, start);
}

static void add_mcfg(struct pc *p, struct acpi *a)
{
    const struct q35_host *h = q35_of(p->host);

    if (h->ecam_size)
        acpi_pcie_mcfg(a, h->ecam_at, h->ecam_size);
}

/* --- TPM ------------------------------------------------------------------------------------ */

static bool is_tpm(void *opaque, struct dev *d)
{
    if (d->type == &dev_tpm_tis || d->type == &dev_tpm_crb)
        *(struct dev **)opaque = d;
    return true;
}

struct dev *pc_tpm(const struct pc *p)
{
    struct dev *d = NULL;

    machine_each_dev(p->m, is_tpm, &d);
    return d;
}

/* TCG ACPI Specification 1.2, 7.3 (TPM2) and 7.1.2 (TCPA, clients). */
static void tpm2(struct acpi *a, const struct dev *d)
{
    enum { CONTROL_AREA = 0x40, METHOD_FIFO = 6, METHOD_CRB = 7 };
    bool crb = d->type == &dev_tpm_crb;

    bytes_le(&a->tables, 0, 4); /* a client's */
    bytes_le(&a->tables, crb ? TPM_BASE + CONTROL_AREA : 0, 8);
    bytes_le(&a->tables, crb ? METHOD_CRB : METHOD_FIFO, 4);
    bytes_zero_put(&a->tables, 12);
}

/* Before firmware reads what files there are. */
static void offer_tpm_log(struct pc *p)
{
    static const uint8_t log[TPM_LOG];

    if (pc_tpm(p))
        fw_cfg_set_file(p->fw_cfg, "etc/tpm/log", log, sizeof(log), ERR_IGNORE);
}

static void add_tpm_table(struct pc *p, struct acpi *a)
{
    struct dev *d = pc_tpm(p);
    size_t start, at;

    if (!d)
        return;
    acpi_file(a, "etc/tpm/log", 1);
    if (tpm_is_2(tpm_of(d)->tpm)) {
        start = acpi_table(a, "TPM2", 4);
        tpm2(a, d);
    } else {
        start = acpi_table(a, "TCPA", 2);
        bytes_le(&a->tables, 0, 2); /* a client's */
    }
    bytes_le(&a->tables, TPM_LOG, 4);
    at = a->tables.len;
    bytes_zero_put(&a->tables, 8);
    acpi_file_pointer(a, at, 8, "etc/tpm/log");
    acpi_table_end(a, start);
}

/* --- All of them ---------------------------------------------------------------------------- */

static int make(struct pc_tables *t, struct err *e)
{
    struct pc *p = t->p;
    struct acpi a;
    size_t facs;

    acpi_init(&a, p->p->oem_id, p->p->oem_table_id);
    a.rsdt = true;
    a.pad = TABLES_LEN;
    a.pad_loader = LOADER_LEN;
    facs = add_facs(&a);
    pc_dsdt(p, &a);
    add_fadt(p, &a, facs);
    add_madt(p, &a);
    if (p->hpet)
        add_hpet(&a);
    if (p->q35)
        add_mcfg(p, &a);
    pc_numa_tables(p, &a);
    add_waet(&a);
    add_tpm_table(p, &a);
    if (acpi_add_user_tables(&a, p->c->acpi_tables, e) < 0) {
        acpi_free(&a);
        return e->code;
    }
    return acpi_publish(&a, p->fw_cfg, e);
}

static void selected(void *opaque)
{
    struct pc_tables *t = opaque;

    if (!t->made)
        make(t, ERR_IGNORE);
    t->made = true;
}

static void was_reset(void *opaque)
{
    offer_tpm_log(((struct pc_tables *)opaque)->p);
    ((struct pc_tables *)opaque)->made = false;
}

int pc_acpi(struct pc *p, struct err *e)
{
    static const char *const files[] = {"etc/acpi/rsdp", "etc/acpi/tables", "etc/table-loader"};
    struct pc_tables *t = calloc(1, sizeof(*t));

    if (!t)
        fatal("out of memory");
    t->p = p;
    machine_on_end(p->m, free, t);
    machine_on_reset(p->m, was_reset, t);
    if (make(t, e) < 0)
        return e->code;
    for (unsigned i = 0; i < ARRAY_LEN(files); i++)
        fw_cfg_on_select(p->fw_cfg, files[i], selected, t);
    return 0;
}
