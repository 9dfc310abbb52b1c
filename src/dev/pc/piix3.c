/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX3, function 0 (piix3.h).  Its other registers (timing, decoding) can be written and read, and do nothing here. */
#include "dev/pc/piix3.h"

#include "dev/pci/pci.h"

/* Registers, by the data sheet's names (2.2); with masks of what can be written. */
enum { IORT = 0x4c, XBCS = 0x4e, PIRQRC = 0x60, TOM = 0x69, MSTAT = 0x6a, MBIRQ0 = 0x70, MBDMA = 0x76, PCSC = 0x78,
       APICBASE = 0x80, DLC = 0x82, SMICNTL = 0xa0, SMIEN = 0xa2, SEE = 0xa4, FTMR = 0xa8, SMIREQ = 0xaa,
       CTLTMR = 0xac, CTHTMR = 0xae };
enum { PIRQS = 4, PIRQ_OFF = 0x80, PIRQ_MASK = 0x8f };

struct piix3 {
    struct pci_dev pci;
    struct isa_bus isa;
    bool pirq[PIRQS];               /* levels of the inputs */
    struct irq_line out[ISA_IRQS];  /* what they make of each ISA interrupt */
};

static struct piix3 *piix3_of(struct dev *d)
{
    return (struct piix3 *)d;
}

static void update(struct piix3 *p)
{
    bool level[ISA_IRQS] = {false};

    for (unsigned i = 0; i < PIRQS; i++) {
        uint8_t rc = p->pci.config[PIRQRC + i];

        if (p->pirq[i] && !(rc & PIRQ_OFF))
            level[rc & 15] = true;
    }
    for (unsigned i = 0; i < ISA_IRQS; i++)
        irq_set(&p->out[i], level[i]);
}

static void set_pirq(void *opaque, int n, bool level)
{
    struct piix3 *p = opaque;

    p->pirq[n] = level;
    update(p);
}

struct irq_in piix3_pirq(struct dev *d, unsigned n)
{
    return (struct irq_in){.set = set_pirq, .opaque = piix3_of(d), .n = n};
}

struct isa_bus *piix3_isa(struct dev *d)
{
    return &piix3_of(d)->isa;
}

static void written(struct pci_dev *d, unsigned off, unsigned size)
{
    if (pci_touches(off, size, PIRQRC, PIRQS))
        update((struct piix3 *)d);
}

/* Values after a reset, and what can be written. */
static void make_registers(struct pci_dev *p)
{
    static const struct {
        uint8_t off, value, mask;
    } regs[] = {
        {IORT, 0x4d, 0x7f},     {XBCS, 0x03, 0xff},     {XBCS + 1, 0, 1},       {TOM, 0x02, 0xfe},
        {MSTAT, 0, 0x80},       {MBIRQ0, 0x80, 0xef},   {MBDMA, 0x0c, 0x8f},    {MBDMA + 1, 0x0c, 0x8f},
        {PCSC, 0x02, 0xff},     {PCSC + 1, 0, 0xff},    {APICBASE, 0, 0x7f},    {DLC, 0, 0x0f},
        {SMICNTL, 0x08, 0x1f},  {SMIEN, 0, 0xff},       {SMIEN + 1, 0, 1},      {SEE, 0, 0xff},
        {SEE + 1, 0, 0xff},     {SEE + 2, 0, 0xff},     {SEE + 3, 0, 0xe0},     {FTMR, 0x0f, 0xff},
        {SMIREQ, 0, 0xff},      {SMIREQ + 1, 0, 1},     {CTLTMR, 0, 0xff},      {CTHTMR, 0, 0xff},
    };

    for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        pci_set8(p, regs[i].off, regs[i].value);
        pci_wmask8(p, regs[i].off, regs[i].mask);
    }
    for (unsigned i = 0; i < PIRQS; i++) {
        pci_set8(p, PIRQRC + i, PIRQ_OFF);
        pci_wmask8(p, PIRQRC + i, PIRQ_MASK);
    }
}

static int init(struct dev *d, struct err *e)
{
    struct piix3 *p = piix3_of(d);

    make_registers(&p->pci);
    pci_set16(&p->pci, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set16(&p->pci, PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
    pci_wmask16(&p->pci, PCI_COMMAND, PCI_COMMAND_SERR | 8);
    isa_bus_init(&p->isa, d);
    for (unsigned i = 0; i < ISA_IRQS; i++)
        irq_connect(&p->out[i], isa_irq(&p->isa, i));
    return 0;
}

static void reset(struct dev *d)
{
    pci_dev_reset(pci_of(d));
    update(piix3_of(d));
}

static int loaded(struct dev *d, int version, struct err *e)
{
    int r = pci_dev_loaded(pci_of(d), e);

    update(piix3_of(d));
    return r;
}

static void fini(struct dev *d)
{
    pci_dev_fini(pci_of(d));
}

static const struct field props[] = {
    PCI_FIELDS(piix3, pci),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(piix3, pci),
    STATE(piix3, pirq, S_BOOL, 1, "levels of PIRQA to PIRQD"),
    STATE_END,
};

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x7000,
    .class = PCI_CLASS_BRIDGE_ISA,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
    .config_written = written,
};

const struct dev_type dev_piix3 = {
    .name = "PIIX3",
    .help = "PIIX3 ISA bridge",
    .class = DEV_BOARD,
    .bus = "pci",
    .size = sizeof(struct piix3),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &type,
};
