/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Express ports with a slot: link and presence, power controller, attention button, and the interrupt that tells the
 * guest (PCI Express Base 3.0, 6.7 and 7.8.9 to 7.8.11). */
#include "dev/pci/pcie.h"

#include "dev/pci/pci_priv.h"

#include <errno.h>
#include <string.h>

enum { TP_PLUGGED, TP_ASKED, TP_POWER, TP_GONE };
struct trace_point pcie_trace[] = {
    [TP_PLUGGED] = {.name = "pcie_slot_plugged"},
    [TP_ASKED] = {.name = "pcie_slot_asked"},
    [TP_POWER] = {.name = "pcie_slot_power"},
    [TP_GONE] = {.name = "pcie_slot_gone"},
    {.name = NULL},
};

static uint16_t slot_reg(const struct pcie_port *p, unsigned reg)
{
    return pci_get16(&p->bridge.pci, p->bridge.pci.exp_cap + reg);
}

static void slot_set(struct pcie_port *p, unsigned reg, uint16_t clear, uint16_t set)
{
    pci_set16(&p->bridge.pci, p->bridge.pci.exp_cap + reg, (slot_reg(p, reg) & ~clear) | set);
}

static bool occupied(const struct pcie_port *p)
{
    return p->bridge.sec.fn[0];
}

/* A slot without a power controller is always on. */
static bool powered(const struct pcie_port *p)
{
    return !p->power_controller || !(slot_reg(p, PCIE_SLTCTL) & PCIE_SLTCTL_POWER_OFF);
}

static uint16_t express_vector(const struct pci_dev *d)
{
    return pci_get16(d, d->exp_cap + PCIE_CAPS) >> 9 & 0x1f;
}

/* 6.7.3.4: an event is there whose notification is enabled, and so is the interrupt.  Messages are sent when that
 * becomes true. */
static void update_irq(struct pcie_port *p)
{
    struct pci_dev *d = &p->bridge.pci;
    uint16_t ctl = slot_reg(p, PCIE_SLTCTL), events = slot_reg(p, PCIE_SLTSTA) & ctl & 0x1f;
    bool up;

    if (slot_reg(p, PCIE_SLTSTA) & PCIE_SLTSTA_LINK && ctl & PCIE_SLTCTL_LINK)
        events |= PCIE_SLTSTA_LINK;
    up = ctl & PCIE_SLTCTL_HPIE && events;
    if (up && !p->notified && msix_enabled(d))
        msix_notify(d, express_vector(d));
    else if (up && !p->notified && msi_enabled(d))
        msi_notify(d, express_vector(d));
    p->notified = up && (msix_enabled(d) || msi_enabled(d));
    pci_set_irq(d, up);
}

/* What is in the slot answers when there is power and the link is not disabled. */
static void update_link(struct pcie_port *p)
{
    bool up = occupied(p) && powered(p) && !(slot_reg(p, PCIE_LNKCTL) & PCIE_LNKCTL_DISABLE);
    bool was = slot_reg(p, PCIE_LNKSTA) & PCIE_LNKSTA_ACTIVE;

    slot_set(p, PCIE_LNKSTA, up ? 0 : PCIE_LNKSTA_ACTIVE, up ? PCIE_LNKSTA_ACTIVE : 0);
    if (up != was)
        slot_set(p, PCIE_SLTSTA, 0, PCIE_SLTSTA_LINK);
    for (unsigned i = 0; i < 8; i++) {
        struct pci_dev *d = p->bridge.sec.fn[i];

        if (!d || d->present == up)
            continue;
        d->present = up;
        pci_update_maps(d);
        pci_update_master(d);
        pci_update_intx(d);
    }
}

static void update_presence(struct pcie_port *p)
{
    slot_set(p, PCIE_SLTSTA, PCIE_SLTSTA_PRESENT, occupied(p) ? PCIE_SLTSTA_PRESENT : 0);
}

/* Other functions of a device may arrive before function 0, which is the one that announces all. */
static void slot_plugged(void *opaque, struct pci_dev *d)
{
    struct pcie_port *p = opaque;

    if (!d->dev.hotplugged || !occupied(p)) {
        d->present = !d->dev.hotplugged;
        update_presence(p);
        if (!d->dev.hotplugged && d->devfn == 0)
            slot_set(p, PCIE_LNKSTA, 0, PCIE_LNKSTA_ACTIVE);
        return;
    }
    TRACE(&pcie_trace[TP_PLUGGED], "port=%s dev=%s", p->bridge.sec.bus.name, d->dev.type->name);
    update_presence(p);
    if (d->devfn == 0)
        slot_set(p, PCIE_SLTSTA, 0, PCIE_SLT_PRESENCE | PCIE_SLT_ATTN);
    update_link(p);
    update_irq(p);
}

static void remove_all(struct pcie_port *p, const struct pci_dev *but)
{
    for (int i = 7; i >= 0; i--)
        if (p->bridge.sec.fn[i] && p->bridge.sec.fn[i] != but)
            dev_free(&p->bridge.sec.fn[i]->dev);
}

/* 6.7.1.5: pressing the button asks; the guest answers by switching the power off, after some seconds in which
 * its indicator blinks. */
static int slot_ask(void *opaque, struct pci_dev *d, struct err *e)
{
    struct pcie_port *p = opaque;
    uint16_t ctl = slot_reg(p, PCIE_SLTCTL), indicator = ctl & PCIE_SLTCTL_POWER_IND;

    if (!p->hotplug)
        return err_set(e, -ENOTSUP, "Hot-unplug failed: unsupported by the port device '%s'",
                       p->bridge.pci.dev.id ? p->bridge.pci.dev.id : "");
    if (indicator == PCIE_SLTCTL_POWER_IND_BLINK)
        return err_set(e, -EBUSY, "Hot-unplug failed: guest is busy (power indicator blinking)");
    TRACE(&pcie_trace[TP_ASKED], "port=%s dev=%s", p->bridge.sec.bus.name, d->dev.type->name);
    if (indicator == PCIE_SLTCTL_POWER_IND_OFF && !powered(p)) {
        remove_all(p, d);
        return 1;
    }
    slot_set(p, PCIE_SLTSTA, 0, PCIE_SLT_ATTN);
    update_irq(p);
    return 0;
}

static void slot_unplugged(void *opaque, struct pci_dev *d)
{
    struct pcie_port *p = opaque;

    TRACE(&pcie_trace[TP_GONE], "port=%s dev=%s", p->bridge.sec.bus.name, d->dev.type->name);
    if (d->devfn)
        return;
    update_presence(p);
    slot_set(p, PCIE_SLTSTA, 0, PCIE_SLT_PRESENCE);
    update_link(p);
    update_irq(p);
}

static const struct pci_slots slots = {slot_plugged, slot_ask, slot_unplugged, NULL};

static void add_slot(struct pcie_port *p)
{
    struct pci_dev *d = &p->bridge.pci;
    unsigned at = d->exp_cap;
    uint32_t cap = (uint32_t)p->slot << 19;
    uint16_t ctl = PCIE_SLT_ATTN | 0x2 | 0x4 | PCIE_SLT_PRESENCE | PCIE_SLT_COMMAND |
                   PCIE_SLTCTL_HPIE | PCIE_SLTCTL_ATTN_IND | PCIE_SLTCTL_POWER_IND |
                   PCIE_SLTCTL_LINK;

    if (p->hotplug && p->native_hotplug)
        cap |= PCIE_SLTCAP_ATTN_BUTTON | PCIE_SLTCAP_ATTN_IND | PCIE_SLTCAP_POWER_IND |
               PCIE_SLTCAP_SURPRISE | PCIE_SLTCAP_HOTPLUG | PCIE_SLTCAP_INTERLOCK;
    if (p->hotplug && p->native_hotplug && p->power_controller) {
        cap |= PCIE_SLTCAP_POWER;
        ctl |= PCIE_SLTCTL_POWER_OFF;
    }
    pci_set32(d, at + PCIE_SLTCAP, cap);
    pci_set16(d, at + PCIE_SLTCTL, PCIE_SLTCTL_POWER_IND_OFF | PCIE_SLTCTL_ATTN_IND);
    pci_wmask16(d, at + PCIE_SLTCTL, p->hotplug ? ctl : 0);
    pci_w1c16(d, at + PCIE_SLTSTA, PCIE_SLTSTA_EVENTS);
}

static bool is_port(const struct dev *dev)
{
    return dev->type->bus && !strcmp(dev->type->bus, "pci") &&
           pci_type_of(dev->type)->config_written == pcie_port_written;
}

/* Chassis and slot together name a slot for the user: no two of them are alike. */
static bool slot_differs(void *opaque, struct dev *dev)
{
    struct pcie_port *p = opaque, *o;

    if (dev == &p->bridge.pci.dev || !is_port(dev))
        return true;
    o = pcie_port_of(pci_of(dev));
    if (o->chassis == p->chassis && o->slot == p->slot && o->bridge.pci.present)
        p->clash = true;
    return !p->clash;
}

int pcie_port_init(struct pcie_port *p, enum pcie_type type, unsigned cap_off, struct err *e)
{
    struct pci_bridge *b = &p->bridge;

    if (p->port > 255 || p->chassis > 255 || p->slot > 0x1fff)
        return err_set(e, -ERANGE, "port and chassis are at most 255, slot is at most 8191");
    machine_each_dev(b->pci.dev.m, slot_differs, p);
    if (p->clash)
        return err_set(e, -EBUSY, "Can't add chassis slot, error %d", -EBUSY);
    if (!b->pci.express)
        return err_set(e, -EINVAL, "PCI Express ports plug into PCI Express buses");
    b->sec.express = b->sec.one_slot = true;
    if (p->hotplug) {
        b->sec.slots = &slots;
        b->sec.slots_opaque = p;
    }
    pci_bridge_init(b);
    pci_pin(&b->pci, 1);
    pcie_add_cap(&b->pci, cap_off, type, p->port);
    add_slot(p);
    return 0;
}

/* 6.7.3.2: each write to slot control is a command, and is done at once.  With the power goes what is in the slot
 * when its indicator says that it may be pulled. */
static void slot_command(struct pcie_port *p, uint16_t old)
{
    uint16_t now = slot_reg(p, PCIE_SLTCTL);
    const uint16_t safe = PCIE_SLTCTL_POWER_OFF | PCIE_SLTCTL_POWER_IND_OFF;

    slot_set(p, PCIE_SLTSTA, 0, PCIE_SLT_COMMAND);
    if ((now ^ old) & PCIE_SLTCTL_POWER_OFF)
        TRACE(&pcie_trace[TP_POWER], "port=%s on=%d", p->bridge.sec.bus.name, powered(p));
    if ((now & PCIE_SLTCTL_POWER_IND) == PCIE_SLTCTL_POWER_IND_ON)
        for (unsigned i = 0; i < 8; i++)
            if (p->bridge.sec.fn[i])
                p->bridge.sec.fn[i]->dev.going =
                    false; /* the button was pressed again, or it stays */
    if (occupied(p) && p->power_controller && (now & safe) == safe && (old & safe) != safe)
        remove_all(p, NULL);
    update_link(p);
}

void pcie_port_written(struct pci_dev *d, unsigned off, unsigned size)
{
    struct pcie_port *p = pcie_port_of(d);
    unsigned ctl = d->exp_cap + PCIE_SLTCTL;

    pci_bridge_written(d, off, size);
    if (pci_touches(off, size, d->exp_cap + PCIE_LNKCTL, 2))
        update_link(p);
    if (pci_touches(off, size, ctl, 2) && p->hotplug)
        slot_command(p, p->last_control);
    p->last_control = slot_reg(p, PCIE_SLTCTL);
    update_irq(p);
}

void pcie_port_reset(struct pcie_port *p)
{
    bool in = occupied(p);

    p->notified = false;
    pci_bridge_reset(&p->bridge);
    if (in)
        slot_set(p, PCIE_SLTCTL, PCIE_SLTCTL_POWER_IND, PCIE_SLTCTL_POWER_IND_ON);
    else if (p->power_controller)
        slot_set(p, PCIE_SLTCTL, 0, PCIE_SLTCTL_POWER_OFF);
    update_presence(p);
    update_link(p);
    slot_set(p, PCIE_SLTSTA, PCIE_SLTSTA_EVENTS, 0);
    p->last_control = slot_reg(p, PCIE_SLTCTL);
    update_irq(p);
}

int pcie_port_loaded(struct pcie_port *p, struct err *e)
{
    int r = pci_bridge_loaded(&p->bridge, e);

    p->last_control = slot_reg(p, PCIE_SLTCTL);
    p->notified = p->bridge.pci.intx;
    update_presence(p);
    update_link(p);
    return r;
}

void pcie_port_fini(struct pcie_port *p)
{
    pci_bridge_fini(&p->bridge);
}
