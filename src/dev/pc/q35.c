/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q35-pcihost, and mch, the function by which it is seen on its bus (q35.h). */
#include "dev/pc/q35.h"

/* Registers, by the data sheet's names. */
enum { EXT_TSEG = 0x50, PCIEXBAR = 0x60, PAM0 = 0x90, SMRAM = 0x9d, ESMRAMC = 0x9e };
enum { GGC = 0x52, GBSM = 0xa4, BGSM = 0xa8, TSEGMB = 0xac, TOLUD = 0xb0 }; /* where firmware notes what it has divided memory into */
enum { T_EN = 1, TSEG_SZ = 6, ESMRAMC_VALUE = 0x38 /* read-only: caches */ };
enum { EXT_TSEG_MIB = 16 }; /* TSEG_SZ 3 is reserved by Intel; firmware asks here how much it stands for */
#define PCIEXBAR_MASK UINT64_C(0xff0000007)

struct mch {
    struct pci_dev pci;
    struct q35_host *host;
};

static const struct field host_props[] = {
    FIELD(pc_host, hole64_size, F_SIZE, "pci-hole64-size", "32G", "room for 64-bit BARs"),
    FIELD_END,
};

/* Slots below 25 are the board's: they turn through PIRQE to PIRQH; those of ICH9 have A to D, as they come. */
static unsigned route(void *opaque, unsigned slot, unsigned pin)
{
    return slot < 25 ? 4 + ((slot + pin) & 3) : pin;
}

static uint64_t ecam_read(void *opaque, paddr off, struct access a)
{
    struct q35_host *h = opaque;

    return pci_root_config_read(&h->host.root, off, a.size);
}

static void ecam_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct q35_host *h = opaque;

    pci_root_config_write(&h->host.root, off, value, a.size);
}

static const struct mmio_ops ecam_ops = {ecam_read, ecam_write, 1, 4};

static void set_ecam(struct q35_host *h, uint64_t at, uint64_t size)
{
    if (h->ecam_at == at && h->ecam_size == size)
        return;
    mem_begin(h->host.dev.m);
    mem_remove(&h->ecam);
    h->ecam_at = at;
    h->ecam_size = size;
    if (size) {
        mem_init_mmio(&h->ecam, "pcie-mmcfg-mmio", size, &ecam_ops, h);
        mem_add(machine_mem(h->host.dev.m), at, &h->ecam, 0);
    }
    mem_end(h->host.dev.m);
}

static void host_fini(struct dev *d)
{
    set_ecam(q35_of(d), 0, 0);
    pc_host_fini(d);
}

static const struct pc_host_type host_type = {.bus = "pcie.0", .function = "mch", .express = true, .route = route};

const struct dev_type dev_q35_pcihost = {
    .name = "q35-pcihost",
    .help = "Q35 host bridge",
    .class = DEV_BOARD,
    .size = sizeof(struct q35_host),
    .props = host_props,
    .state = pc_host_state,
    .state_version = 1,
    .init = pc_host_init,
    .reset = pc_host_reset,
    .fini = host_fini,
    .class_ops = &host_type,
};

/* On the bus --------------------------------------------------------------------------------- */

static const struct field props[] = {
    PCI_FIELDS(mch, pci),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(mch, pci),
    STATE_END,
};

/* Sizes 0, 1, 2: 256, 128, 64 MiB, whose base is a multiple of it (5.1.13). */
static void update_ecam(struct mch *f)
{
    uint64_t bar = pci_get32(&f->pci, PCIEXBAR) | (uint64_t)pci_get32(&f->pci, PCIEXBAR + 4) << 32;
    unsigned length = bar >> 1 & 3;
    uint64_t size = UINT64_C(0x10000000) >> length;

    if (!(bar & 1) || length == 3)
        size = 0;
    set_ecam(f->host, size ? bar & 0xff0000000 & ~(size - 1) : 0, size);
}

static uint64_t tseg_size(const struct mch *f)
{
    static const uint8_t mib[] = {1, 2, 8, EXT_TSEG_MIB};
    uint8_t c = f->pci.config[ESMRAMC];

    return c & T_EN ? (uint64_t)mib[(c & TSEG_SZ) >> 1] << 20 : 0;
}

static void update(struct mch *f)
{
    uint8_t smram = f->pci.config[SMRAM];
    bool on = smram & SMRAM_G_SMRAME;

    pam_set(&f->host->host.pam, f->pci.config + PAM0);
    pam_set_smram(&f->host->host.pam, on && smram & SMRAM_D_OPEN, on, on ? tseg_size(f) : 0);
    update_ecam(f);
}

static void set_lock(struct pci_dev *d)
{
    bool locked = d->config[SMRAM] & SMRAM_D_LCK;

    pci_wmask8(d, SMRAM, locked ? 0 : SMRAM_MASK);
    pci_wmask8(d, ESMRAMC, locked ? 0 : T_EN | TSEG_SZ);
    pci_wmask16(d, GGC, locked ? 0 : 0x03f0);
    for (unsigned at = GBSM; at <= TSEGMB; at += 4) /* in mebibytes */
        pci_wmask32(d, at, locked ? 0 : 0xfff00000);
    pci_wmask16(d, TOLUD, locked ? 0 : 0xfff0);
}

/* Once D_LCK is set, SMRAM and TSEG stay as they are until the next reset (5.1.20). */
static void written(struct pci_dev *d, unsigned off, unsigned size)
{
    if (d->config[SMRAM] & SMRAM_D_LCK)
        d->config[SMRAM] &= ~SMRAM_D_OPEN;
    set_lock(d);
    if (pci_touches(off, size, PAM0, PAM_REGS) || pci_touches(off, size, SMRAM, 2) ||
        pci_touches(off, size, PCIEXBAR, 8))
        update((struct mch *)d);
}

static int init(struct dev *d, struct err *e)
{
    struct mch *f = (struct mch *)d;
    struct pci_dev *p = pci_of(d);

    f->host = q35_of(d->parent->owner);
    pci_set16(p, EXT_TSEG, EXT_TSEG_MIB);
    pci_wmask32(p, PCIEXBAR, (uint32_t)(PCIEXBAR_MASK | 0xc000000));
    pci_wmask32(p, PCIEXBAR + 4, PCIEXBAR_MASK >> 32);
    for (unsigned i = 0; i < PAM_REGS; i++)
        pci_wmask8(p, PAM0 + i, i ? 0x33 : 0x30);
    pci_set8(p, SMRAM, SMRAM_BASE);
    pci_set8(p, ESMRAMC, ESMRAMC_VALUE);
    set_lock(p);
    return 0;
}

/* Configuration space in memory stays where it was when the machine wakes: SeaBIOS sets up SMM through it before it puts it there again. */
static void reset(struct dev *d)
{
    struct pci_dev *p = pci_of(d);
    uint32_t low = pci_get32(p, PCIEXBAR), high = pci_get32(p, PCIEXBAR + 4);

    pam_pci_reset(p, PAM0);
    if (machine_wakes(d->m)) {
        pci_set32(p, PCIEXBAR, low);
        pci_set32(p, PCIEXBAR + 4, high);
    }
    set_lock(p);
    update((struct mch *)d);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    int r = pci_dev_loaded(pci_of(d), e);

    set_lock(pci_of(d));
    update((struct mch *)d);
    return r;
}

static void fini(struct dev *d)
{
    pci_dev_fini(pci_of(d));
}

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x29c0,
    .class = PCI_CLASS_BRIDGE_HOST,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
    .config_written = written,
};

const struct dev_type dev_mch = {
    .name = "mch",
    .help = "Q35 host bridge, as seen on its bus",
    .class = DEV_BOARD,
    .bus = "pci",
    .size = sizeof(struct mch),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &type,
};
