/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chips of "pc": i440FX, PIIX3 with its IDE controller, PIIX4's power management, in the places guests have always met them. */
#include "board/pc.h"

#include "dev/pc/piix3.h"

#include <stdio.h>

static int add_bridge(struct pc *p, struct err *e)
{
    p->isa_dev = dev_add(p->m, "PIIX3", NULL, "addr=1.0,multifunction=on,bus=pci.0", e);
    if (!p->isa_dev)
        return e->code;
    p->isa = piix3_isa(p->isa_dev);
    for (unsigned i = 0; i < 4; i++)
        irq_connect(&p->host->irq[i], piix3_pirq(p->isa_dev, i));
    return 0;
}

static int add_pm(struct pc *p, struct err *e)
{
    char props[128];

    snprintf(props, sizeof(props), "addr=1.3,multifunction=on,bus=pci.0,smb_io_base=0xb100,smm-enabled=%s",
             p->smm ? "on" : "off");
    p->pm = dev_add(p->m, "PIIX4_PM", NULL, props, e);
    if (!p->pm)
        return e->code;
    p->acpi_pm = piix4_pm_acpi(p->pm);
    p->smi = piix4_pm_smi(p->pm);
    p->smbus = piix4_pm_smbus(p->pm);
    irq_connect(&p->acpi_pm->sci, isa_irq(p->isa, PC_SCI));
    irq_connect(&p->smbus->irq, isa_irq(p->isa, PC_SCI));
    return 0;
}

int pc_add_i440fx(struct pc *p, struct err *e)
{
    if (pc_add_host(p, "i440FX-pcihost", e) < 0 || add_bridge(p, e) < 0)
        return e->code;
    if (!(p->disks = dev_add(p->m, "piix3-ide", NULL, "addr=1.1,multifunction=on,bus=pci.0", e)))
        return e->code;
    return p->acpi ? add_pm(p, e) : 0;
}
