/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "pvpanic", "pvpanic-pci": by which a guest's kernel says that it has panicked (pvpanic.h): a port of the ISA bus, or a byte of memory. */
#include "dev/misc/pvpanic.h"

#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/isa/isa.h"
#include "dev/pci/pci.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    return off ? 0 : ((struct pvpanic *)opaque)->events;
}

/* A kernel that has another one loaded for the crash goes on by itself. */
static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pvpanic *p = opaque;
    struct json_object *data;

    v &= off ? 0 : p->events;
    if (v & PVPANIC_PANICKED) {
        machine_ask(p->dev->m, ASK_PANIC, "guest-panic");
    } else if (v & PVPANIC_CRASHLOADED) {
        data = json_object_new_object();
        json_object_object_add(data, "action", json_object_new_string("run"));
        machine_event(p->dev->m, "GUEST_CRASHLOADED", data);
    }
}

static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 1};

int pvpanic_init(struct pvpanic *p, struct dev *d, unsigned size, struct err *e)
{
    if (p->events & ~(uint64_t)PVPANIC_ALL)
        return err_set(e, -EINVAL, "events=%" PRIu64 ": want 0 to %d", p->events, PVPANIC_ALL);
    p->dev = d;
    mem_init_mmio(&p->regs, "pvpanic", size, &ops, p);
    return 0;
}

/* --- ISA ------------------------------------------------------------------------------------ */

struct isa_pvpanic {
    struct dev dev;
    struct pvpanic p;
    uint64_t ioport;
};

static int isa_init(struct dev *d, struct err *e)
{
    struct isa_pvpanic *p = (struct isa_pvpanic *)d;
    struct dev *fw_cfg = fw_cfg_find(d->m);
    uint8_t port[2];
    int r = pvpanic_init(&p->p, d, 1, e);

    if (r < 0 || (r = isa_add_io(d, &p->p.regs, p->ioport, e)) < 0)
        return r;
    put_le16(port, p->ioport);
    if (fw_cfg && (r = fw_cfg_set_file(fw_cfg, "etc/pvpanic-port", port, sizeof(port), e)) < 0)
        isa_remove(&p->p.regs);
    return r;
}

static const struct field isa_props[] = {
    FIELD(isa_pvpanic, p.events, F_U64, "events", "3", "1: panics are seen, 2: crash kernels are"),
    FIELD(isa_pvpanic, ioport, F_U64, "ioport", "1285", "its port"),
    FIELD_END,
};

const struct dev_type dev_pvpanic = {
    .name = "pvpanic",
    .help = "a guest's panic, by a port",
    .class = DEV_MISC,
    .bus = "isa",
    .size = sizeof(struct isa_pvpanic),
    .props = isa_props,
    .init = isa_init,
};

/* --- PCI ------------------------------------------------------------------------------------ */

struct pci_pvpanic {
    struct pci_dev pci;
    struct pvpanic p;
};

enum { BAR_SIZE = 16 /* the least there can be */ };

static int pci_init(struct dev *d, struct err *e)
{
    struct pci_pvpanic *p = (struct pci_pvpanic *)d;
    int r = pvpanic_init(&p->p, d, BAR_SIZE, e);

    if (r < 0)
        pci_dev_fini(&p->pci);
    else
        pci_add_bar(&p->pci, 0, 0, &p->p.regs);
    return r;
}

static void pci_reset(struct dev *d)
{
    pci_dev_reset(pci_of(d));
}

static int pci_loaded(struct dev *d, int version, struct err *e)
{
    return pci_dev_loaded(pci_of(d), e);
}

static void pci_fini(struct dev *d)
{
    pci_dev_fini(pci_of(d));
}

static const struct field pci_props[] = {
    FIELD(pci_pvpanic, p.events, F_U64, "events", "3", "1: panics are seen, 2: crash kernels are"),
    PCI_FIELDS(pci_pvpanic, pci),
    FIELD_END,
};

static const struct state pci_state[] = {
    PCI_STATE(pci_pvpanic, pci),
    STATE_END,
};

static const struct pci_type type = {
    .vendor = 0x1b36,
    .device = 0x0011,
    .class = 0x0880, /* base system peripheral, other */
    .revision = 1,
    .kind = PCI_CONVENTIONAL,
};

const struct dev_type dev_pvpanic_pci = {
    .name = "pvpanic-pci",
    .help = "a guest's panic, by PCI",
    .class = DEV_MISC,
    .bus = "pci",
    .size = sizeof(struct pci_pvpanic),
    .props = pci_props,
    .state = pci_state,
    .state_version = 1,
    .init = pci_init,
    .reset = pci_reset,
    .loaded = pci_loaded,
    .fini = pci_fini,
    .class_ops = &type,
};
