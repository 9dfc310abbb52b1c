/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "isa-ide": one IDE channel on the ISA bus, without DMA.  Source: ide_channel.h. */
#include "dev/ide/ide_channel.h"
#include "dev/isa/isa.h"

#include <errno.h>
#include <stdio.h>

struct isa_ide {
    struct dev dev;
    struct ide_channel ch[1];
    uint64_t iobase, iobase2, irq;
};

static void set_irq(void *opaque, bool level)
{
    irq_set(&((struct dev *)opaque)->irq[0], level);
}

static int isa_ide_init(struct dev *d, struct err *e)
{
    struct isa_ide *p = (struct isa_ide *)d;
    char name[80];
    unsigned n = 0;
    int r;

    if ((r = isa_connect(d, &d->irq[0], p->irq, e)) < 0)
        return r;
    do
        snprintf(name, sizeof(name), "%.60s.%u", d->id ? d->id : "ide", n);
    while (bus_find(d->m, name) && ++n);
    p->ch->dev = d;
    p->ch->irq = set_irq;
    p->ch->opaque = d;
    ide_channel_init(p->ch, name);
    if ((r = isa_add_io(d, &p->ch->command, p->iobase, e)) < 0 ||
        (r = isa_add_io(d, &p->ch->control, p->iobase2, e)) < 0) {
        isa_remove(&p->ch->command);
        ide_channel_fini(p->ch);
    }
    return r;
}

static void isa_ide_reset(struct dev *d)
{
    ide_channel_reset(((struct isa_ide *)d)->ch);
}

static void isa_ide_fini(struct dev *d)
{
    ide_channel_fini(((struct isa_ide *)d)->ch);
}

static void isa_ide_saving(struct dev *d)
{
    ide_channel_saving(((struct isa_ide *)d)->ch);
}

static int isa_ide_loaded(struct dev *d, int version, struct err *e)
{
    return ide_channel_loaded(((struct isa_ide *)d)->ch, e);
}

static const struct field isa_ide_props[] = {
    FIELD(isa_ide, iobase, F_U64, "iobase", "496", "first port of the command block"),
    FIELD(isa_ide, iobase2, F_U64, "iobase2", "1014", "port of the control block"),
    FIELD(isa_ide, irq, F_U64, "irq", "14", "interrupt"),
    FIELD_END,
};

static const struct state isa_ide_state[] = {
    STATE_STRUCTS(isa_ide, ch, ide_channel_state, 1, NULL),
    STATE_END,
};

const struct dev_type dev_isa_ide = {
    .name = "isa-ide",
    .help = "IDE channel on the ISA bus",
    .class = DEV_STORAGE,
    .bus = "isa",
    .size = sizeof(struct isa_ide),
    .props = isa_ide_props,
    .state = isa_ide_state,
    .state_version = 1,
    .init = isa_ide_init,
    .reset = isa_ide_reset,
    .fini = isa_ide_fini,
    .saving = isa_ide_saving,
    .loaded = isa_ide_loaded,
};
