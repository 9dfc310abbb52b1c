/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "pci-serial", "pci-serial-2x", "pci-serial-4x": 16550As as a PCI device, their registers one behind the other in BAR 0, with one interrupt.
 * Sources: ns16550.c; PCI Code and ID Assignment, class 0700h; the cards' interface description. */
#include "dev/pci/pci.h"
#include "dev/serial/ns16550.h"

enum { MOST = 4, REGS = 8 };

struct pci_serial;

struct port {
    struct ns16550 uart;
    struct pci_serial *card;
    char *chardev;
    bool level;
};

struct pci_serial {
    struct pci_dev pci;
    struct mem bar;
    struct port port[MOST];
    uint64_t prog_if;
};

/* By the device's number: 2 has one port. */
static unsigned ports(const struct pci_serial *s)
{
    return 1u << (s->pci.ops->device - 2);
}

static void set_irq(void *opaque, bool level)
{
    struct port *p = opaque;
    bool any = false;

    p->level = level;
    for (unsigned i = 0; i < ports(p->card); i++)
        any |= p->card->port[i].level;
    pci_set_irq(&p->card->pci, any);
}

/* The ports from @n down. */
static void drop_ports(struct pci_serial *s, unsigned n)
{
    while (n--)
        ns16550_fini(&s->port[n].uart);
    pci_dev_fini(&s->pci);
}

static int pci_serial_init(struct dev *d, struct err *e)
{
    struct pci_serial *s = (struct pci_serial *)d;

    pci_set8(&s->pci, PCI_CLASS_PROG, (uint8_t)s->prog_if);
    pci_pin(&s->pci, 1);
    mem_init_container(&s->bar, "serial", ports(s) * REGS);
    for (unsigned i = 0; i < ports(s); i++) {
        struct port *p = &s->port[i];

        p->card = s;
        p->uart.dev = d;
        p->uart.irq = set_irq;
        p->uart.opaque = p;
        if (ns16550_init(&p->uart, p->chardev, e) < 0) {
            drop_ports(s, i);
            return e->code;
        }
        mem_add(&s->bar, i * REGS, &p->uart.regs, 0);
    }
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->bar);
    return 0;
}

static void pci_serial_fini(struct dev *d)
{
    struct pci_serial *s = (struct pci_serial *)d;

    drop_ports(s, ports(s));
}

static void pci_serial_reset(struct dev *d)
{
    struct pci_serial *s = (struct pci_serial *)d;

    pci_dev_reset(&s->pci);
    for (unsigned i = 0; i < ports(s); i++)
        ns16550_reset(&s->port[i].uart);
}

static int pci_serial_loaded(struct dev *d, int version, struct err *e)
{
    struct pci_serial *s = (struct pci_serial *)d;
    int r = pci_dev_loaded(&s->pci, e);

    for (unsigned i = 0; r >= 0 && i < ports(s); i++)
        r = ns16550_loaded(&s->port[i].uart, e);
    return r;
}

#define CHARDEV(i, name) FIELD(pci_serial, port[i].chardev, F_STR, name, NULL, "character back end that it is connected to")
#define PROG_IF          FIELD(pci_serial, prog_if, F_U64, "prog_if", "2", "programming interface; 2: 16550")
#define UART(i)          NS16550_STATE(pci_serial, port[i].uart)

static const struct field props_1x[] = {CHARDEV(0, "chardev"), PROG_IF, PCI_FIELDS(pci_serial, pci), FIELD_END};
static const struct field props_2x[] = {CHARDEV(0, "chardev1"), CHARDEV(1, "chardev2"), PROG_IF, PCI_FIELDS(pci_serial, pci), FIELD_END};
static const struct field props_4x[] = {CHARDEV(0, "chardev1"), CHARDEV(1, "chardev2"), CHARDEV(2, "chardev3"), CHARDEV(3, "chardev4"),
                                        PROG_IF, PCI_FIELDS(pci_serial, pci), FIELD_END};

/* The first port is "uart" since there was but one. */
#define FIRST                                                                                      \
    {                                                                                              \
        .name = "uart", .kind = S_STRUCT, .offset = offsetof(struct pci_serial, port[0].uart), .n = 1,                             \
        .elem = sizeof(struct ns16550), .since = 1, .table = ns16550_state                         \
    }
static const struct state state_1x[] = {PCI_STATE(pci_serial, pci), FIRST, STATE_END};
static const struct state state_2x[] = {PCI_STATE(pci_serial, pci), FIRST, UART(1), STATE_END};
static const struct state state_4x[] = {PCI_STATE(pci_serial, pci), FIRST, UART(1), UART(2), UART(3), STATE_END};

/* @init and the others are the same for all of them. */
#define TYPE(name_, help_, props_, state_, pci_)                                                   \
    {                                                                                              \
        .name = name_, .help = help_, .class = DEV_INPUT, .bus = "pci", .size = sizeof(struct pci_serial), .props = props_,        \
        .state = state_, .state_version = 1, .init = pci_serial_init, .reset = pci_serial_reset, .fini = pci_serial_fini,          \
        .loaded = pci_serial_loaded, .class_ops = pci_                                             \
    }
#define IDS(number)                                                                                \
    {                                                                                              \
        .vendor = 0x1b36, .device = number, .class = 0x0700, .prog_if = 2, .revision = 1           \
    }
static const struct pci_type pci_1x = IDS(2), pci_2x = IDS(3), pci_4x = IDS(4);

const struct dev_type dev_pci_serial = TYPE("pci-serial", "16550A serial port", props_1x, state_1x, &pci_1x);
const struct dev_type dev_pci_serial_2x = TYPE("pci-serial-2x", "two 16550A serial ports", props_2x, state_2x, &pci_2x);
const struct dev_type dev_pci_serial_4x = TYPE("pci-serial-4x", "four 16550A serial ports", props_4x, state_4x, &pci_4x);
