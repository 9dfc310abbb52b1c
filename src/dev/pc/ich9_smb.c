/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ICH9-SMB", function 3 of the south bridge of Q35: SMBus (smbus.h).  Source: Intel ICH9 data sheet (316972), chapter 18. */
#include "dev/pc/south.h"
#include "dev/pci/pci.h"

enum { BAR = 4, HOSTC = 0x40, HST_EN = 1 };

struct ich9_smb {
    struct pci_dev pci;
    struct smbus smbus;
    struct mem bar; /* the registers, while HST_EN lets them be seen */
};

static struct ich9_smb *smb_of(struct dev *d)
{
    return (struct ich9_smb *)d;
}

struct smbus *ich9_smbus(struct dev *d)
{
    return &smb_of(d)->smbus;
}

static void set_irq(void *opaque, int n, bool level)
{
    pci_set_irq(opaque, level);
}

static void written(struct pci_dev *d, unsigned off, unsigned size)
{
    mem_enable(&((struct ich9_smb *)d)->smbus.regs, d->config[HOSTC] & HST_EN);
}

static int init(struct dev *d, struct err *e)
{
    struct ich9_smb *s = smb_of(d);

    smbus_init(&s->smbus, d);
    irq_connect(&s->smbus.irq, (struct irq_in){.set = set_irq, .opaque = &s->pci});
    mem_init_container(&s->bar, "ich9-smbus-bar", s->smbus.regs.size);
    mem_add(&s->bar, 0, &s->smbus.regs, 0);
    pci_add_bar(&s->pci, BAR, PCI_BAR_IO, &s->bar);
    pci_wmask8(&s->pci, HOSTC, 7);
    pci_pin(&s->pci, 1);
    return 0;
}

static void reset(struct dev *d)
{
    pci_dev_reset(pci_of(d));
    smbus_reset(&smb_of(d)->smbus);
    written(pci_of(d), 0, 0);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    int r = pci_dev_loaded(pci_of(d), e);

    smbus_loaded(&smb_of(d)->smbus);
    written(pci_of(d), 0, 0);
    return r;
}

static void fini(struct dev *d)
{
    pci_dev_fini(pci_of(d));
}

static const struct field props[] = {
    PCI_FIELDS(ich9_smb, pci),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(ich9_smb, pci),
    SMBUS_STATE(ich9_smb, smbus),
    STATE_END,
};

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x2930,
    .class = 0x0c05, /* serial bus, SMBus */
    .revision = 2,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
    .config_written = written,
};

const struct dev_type dev_ich9_smb = {
    .name = "ICH9-SMB",
    .help = "ICH9 SMBus",
    .class = DEV_BOARD,
    .bus = "pci",
    .size = sizeof(struct ich9_smb),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &type,
};
