/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "pci-serial": a 16550A as a PCI device, its registers in BAR 0.  Source: ns16550.c; PCI Code and ID Assignment, class 0700h. */
#include "dev/pci/pci.h"
#include "dev/serial/ns16550.h"

struct pci_serial {
    struct pci_dev pci;
    struct ns16550 uart;
    char *chardev;
    uint64_t prog_if;
};

static void set_irq(void *opaque, bool level)
{
    pci_set_irq(opaque, level);
}

static int pci_serial_init(struct dev *d, struct err *e)
{
    struct pci_serial *s = (struct pci_serial *)d;
    int r;

    s->uart.dev = d;
    s->uart.irq = set_irq;
    s->uart.opaque = &s->pci;
    pci_set8(&s->pci, PCI_CLASS_PROG, (uint8_t)s->prog_if);
    pci_pin(&s->pci, 1);
    if ((r = ns16550_init(&s->uart, s->chardev, e)) < 0) {
        pci_dev_fini(&s->pci);
        return r;
    }
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->uart.regs);
    return 0;
}

static void pci_serial_fini(struct dev *d)
{
    struct pci_serial *s = (struct pci_serial *)d;

    ns16550_fini(&s->uart);
    pci_dev_fini(&s->pci);
}

static void pci_serial_reset(struct dev *d)
{
    struct pci_serial *s = (struct pci_serial *)d;

    pci_dev_reset(&s->pci);
    ns16550_reset(&s->uart);
}

static int pci_serial_loaded(struct dev *d, int version, struct err *e)
{
    struct pci_serial *s = (struct pci_serial *)d;
    int r = pci_dev_loaded(&s->pci, e);

    return r < 0 ? r : ns16550_loaded(&s->uart, e);
}

static const struct field pci_serial_props[] = {
    FIELD(pci_serial, chardev, F_STR, "chardev", NULL, "character back end that it is connected to"),
    FIELD(pci_serial, prog_if, F_U64, "prog_if", "2", "programming interface; 2: 16550"),
    PCI_FIELDS(pci_serial, pci),
    FIELD_END,
};

static const struct state pci_serial_state[] = {
    PCI_STATE(pci_serial, pci),
    NS16550_STATE(pci_serial, uart),
    STATE_END,
};

static const struct pci_type pci_serial_pci = {
    .vendor = 0x1b36,
    .device = 0x0002,
    .class = 0x0700,
    .prog_if = 2,
    .revision = 1,
};

const struct dev_type dev_pci_serial = {
    .name = "pci-serial",
    .help = "16550A serial port",
    .class = DEV_INPUT,
    .bus = "pci",
    .size = sizeof(struct pci_serial),
    .props = pci_serial_props,
    .state = pci_serial_state,
    .state_version = 1,
    .init = pci_serial_init,
    .reset = pci_serial_reset,
    .fini = pci_serial_fini,
    .loaded = pci_serial_loaded,
    .class_ops = &pci_serial_pci,
};
