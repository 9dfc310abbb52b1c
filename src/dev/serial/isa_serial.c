/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "isa-serial": COM1..COM4, a 16550A on the ISA bus.  Source: ns16550.c; IBM PC BIOS data area for the ports. */
#include "dev/isa/isa.h"
#include "dev/serial/ns16550.h"

#include <errno.h>
#include <inttypes.h>

#define AUTO UINT32_MAX
enum { COMS = 4 };

struct isa_serial {
    struct dev dev;
    struct ns16550 uart;
    char *chardev;
    uint64_t index, iobase, irq;
    bool wakeup;
};

static void set_irq(void *opaque, bool level)
{
    irq_set(&((struct isa_serial *)opaque)->dev.irq[0], level);
}

/* The first number that no other port on the bus has. */
static uint64_t free_index(const struct isa_serial *s)
{
    unsigned used = 0, n = 0;

    for (const struct dev *d = s->dev.parent->devs; d; d = d->next_on_bus) {
        const struct isa_serial *o = (const struct isa_serial *)d;

        if (d->type == s->dev.type && o != s && o->index < COMS)
            used |= 1u << o->index;
    }
    while (used >> n & 1)
        n++;
    return n;
}

static int isa_serial_init(struct dev *d, struct err *e)
{
    static const uint16_t ports[COMS] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    struct isa_serial *s = (struct isa_serial *)d;
    int r;

    if (s->index == AUTO)
        s->index = free_index(s);
    if (s->index >= COMS)
        return err_set(e, -EINVAL, "Max. supported number of ISA serial ports is %d.", COMS);
    s->iobase = s->iobase == AUTO ? ports[s->index] : s->iobase;
    s->irq = s->irq == AUTO ? (s->index & 1 ? 3 : 4) : s->irq;
    s->uart.dev = d;
    s->uart.irq = set_irq;
    s->uart.opaque = s;
    if ((r = isa_connect(d, &d->irq[0], s->irq, e)) < 0 ||
        (r = ns16550_init(&s->uart, s->chardev, e)) < 0)
        return r;
    if ((r = isa_add_io(d, &s->uart.regs, s->iobase, e)) < 0)
        ns16550_fini(&s->uart);
    return r;
}

static void isa_serial_fini(struct dev *d)
{
    ns16550_fini(&((struct isa_serial *)d)->uart);
}

static void isa_serial_reset(struct dev *d)
{
    ns16550_reset(&((struct isa_serial *)d)->uart);
}

static int isa_serial_loaded(struct dev *d, int version, struct err *e)
{
    return ns16550_loaded(&((struct isa_serial *)d)->uart, e);
}

static const struct field isa_serial_props[] = {
    FIELD(isa_serial, chardev, F_STR, "chardev", NULL, "character back end that it is connected to"),
    FIELD(isa_serial, index, F_U64, "index", "4294967295", "0: COM1 ... 3: COM4; the next one"),
    FIELD(isa_serial, iobase, F_U64, "iobase", "4294967295", "first port; that of its index"),
    FIELD(isa_serial, irq, F_U64, "irq", "4294967295", "interrupt; that of its index"),
    FIELD(isa_serial, wakeup, F_BOOL, "wakeup", "off", "input wakes the machine up"),
    FIELD_END,
};

static const struct state isa_serial_state[] = {
    NS16550_STATE(isa_serial, uart),
    STATE_END,
};

const struct dev_type dev_isa_serial = {
    .name = "isa-serial",
    .help = "16550A serial port",
    .class = DEV_INPUT,
    .bus = "isa",
    .size = sizeof(struct isa_serial),
    .props = isa_serial_props,
    .state = isa_serial_state,
    .state_version = 1,
    .init = isa_serial_init,
    .reset = isa_serial_reset,
    .fini = isa_serial_fini,
    .loaded = isa_serial_loaded,
};
