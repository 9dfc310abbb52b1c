/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chips of "q35": memory controller hub, ICH9 with LPC bridge, AHCI controller and SMBus, in the places guests have always met them. */
#include "board/pc.h"

#include "dev/pc/ich9.h"

#include <stdio.h>

static int add_lpc(struct pc *p, struct err *e)
{
    char props[128];

    snprintf(props, sizeof(props), "addr=1f.0,multifunction=on,bus=pcie.0,smm-enabled=%s", p->smm ? "on" : "off");
    p->isa_dev = p->pm = dev_add(p->m, "ICH9-LPC", NULL, props, e);
    if (!p->isa_dev)
        return e->code;
    p->isa = ich9_isa(p->isa_dev);
    p->acpi_pm = ich9_acpi(p->isa_dev);
    p->smi = ich9_smi(p->isa_dev);
    irq_connect(&p->acpi_pm->sci, isa_irq(p->isa, PC_SCI));
    for (unsigned i = 0; i < ICH9_PIRQS; i++) {
        irq_connect(&p->host->irq[i], ich9_pirq(p->isa_dev, i));
        irq_connect(ich9_apic_out(p->isa_dev, i), irq_or_in(&p->pci_pin[i], 0));
    }
    return 0;
}

int pc_add_q35(struct pc *p, struct err *e)
{
    struct dev *smb;

    if (pc_add_host(p, "q35-pcihost", e) < 0 || add_lpc(p, e) < 0)
        return e->code;
    if (p->p->sata && !(p->disks = dev_add(p->m, "ich9-ahci", NULL, "addr=1f.2,multifunction=on,bus=pcie.0", e)))
        return e->code;
    if (!p->p->smbus)
        return 0;
    if (!(smb = dev_add(p->m, "ICH9-SMB", NULL, "addr=1f.3,multifunction=on,bus=pcie.0", e)))
        return e->code;
    p->smbus = ich9_smbus(smb);
    return 0;
}
