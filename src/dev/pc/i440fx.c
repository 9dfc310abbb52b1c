/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "i440FX-pcihost" (pc_host.h), and "i440FX", the function by which it is seen on its bus. */
#include "dev/pc/pc_host.h"

/* Registers, by the data sheet's names. */
enum { PAM0 = 0x59, SMRAM = 0x72 };

struct i440fx {
    struct pci_dev pci;
    struct pc_host *host;
};

static const struct field host_props[] = {
    FIELD(pc_host, hole64_size, F_SIZE, "pci-hole64-size", "2G", "room for 64-bit BARs"),
    FIELD_END,
};

/* INTA of device 1 goes to PIRQA, of device 2 to PIRQB, ... (the usual wiring of a board with a PIIX). */
static unsigned route(void *opaque, unsigned slot, unsigned pin)
{
    return (slot + pin - 1) & 3;
}

static const struct pc_host_type host_type = {.bus = "pci.0", .function = "i440FX", .route = route};

const struct dev_type dev_i440fx_pcihost = {
    .name = "i440FX-pcihost",
    .help = "i440FX host bridge",
    .class = DEV_BOARD,
    .size = sizeof(struct pc_host),
    .props = host_props,
    .state = pc_host_state,
    .state_version = 1,
    .init = pc_host_init,
    .reset = pc_host_reset,
    .fini = pc_host_fini,
    .class_ops = &host_type,
};

/* On the bus --------------------------------------------------------------------------------- */

static const struct field props[] = {
    PCI_FIELDS(i440fx, pci),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(i440fx, pci),
    STATE_END,
};

static void update(struct i440fx *f)
{
    uint8_t smram = f->pci.config[SMRAM];
    bool on = smram & SMRAM_G_SMRAME;

    pam_set(&f->host->pam, f->pci.config + PAM0);
    pam_set_smram(&f->host->pam, on && smram & SMRAM_D_OPEN, on, 0);
}

/* Once D_LCK is set, SMRAM cannot be opened any more until the next reset (3.2.19). */
static void written(struct pci_dev *d, unsigned off, unsigned size)
{
    if (pci_touches(off, size, SMRAM, 1) && d->config[SMRAM] & SMRAM_D_LCK) {
        d->config[SMRAM] &= ~SMRAM_D_OPEN;
        pci_wmask8(d, SMRAM, 0);
    }
    if (pci_touches(off, size, PAM0, PAM_REGS) || pci_touches(off, size, SMRAM, 1))
        update((struct i440fx *)d);
}

static int init(struct dev *d, struct err *e)
{
    struct i440fx *f = (struct i440fx *)d;
    struct pci_dev *p = pci_of(d);

    f->host = pc_host_of(d->parent->owner);
    for (unsigned i = 0; i < PAM_REGS; i++)
        pci_wmask8(p, PAM0 + i, 0x33);
    pci_set8(p, SMRAM, SMRAM_BASE);
    pci_wmask8(p, SMRAM, SMRAM_MASK);
    return 0;
}

static void reset(struct dev *d)
{
    pam_pci_reset(pci_of(d), PAM0);
    pci_wmask8(pci_of(d), SMRAM, SMRAM_MASK);
    update((struct i440fx *)d);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    int r = pci_dev_loaded(pci_of(d), e);

    pci_wmask8(pci_of(d), SMRAM, pci_of(d)->config[SMRAM] & SMRAM_D_LCK ? 0 : SMRAM_MASK);
    update((struct i440fx *)d);
    return r;
}

static void fini(struct dev *d)
{
    pci_dev_fini(pci_of(d));
}

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x1237,
    .class = PCI_CLASS_BRIDGE_HOST,
    .revision = 2,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
    .config_written = written,
};

const struct dev_type dev_i440fx = {
    .name = "i440FX",
    .help = "i440FX host bridge, as seen on its bus",
    .class = DEV_BOARD,
    .bus = "pci",
    .size = sizeof(struct i440fx),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &type,
};
