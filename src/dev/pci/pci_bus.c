/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI buses: who sits where, plugging and unplugging, finding the function that a configuration access means
 * (PCI-to-PCI Bridge 1.2, chapter 3). */
#include "dev/pci/pci_priv.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned pci_bus_number(const struct pci_bus *b)
{
    return b->bridge ? b->bridge->config[PCI_SECONDARY_BUS] : b->number;
}

struct pci_bus *pci_bus_behind(const struct pci_dev *d)
{
    struct bus *b = d->dev.buses;

    return b && !strcmp(b->kind, "pci") ? pci_bus_of(b) : NULL;
}

/* Depth is bounded by the number of bridges: only buses that exist are followed. */
static struct pci_bus *find_bus(struct pci_bus *b, unsigned number)
{
    struct pci_bus *found = NULL;

    if (pci_bus_number(b) == number)
        return b;
    for (unsigned i = 0; i < 256 && !found; i++) {
        struct pci_dev *d = b->fn[i];
        struct pci_bus *below = d && d->present ? pci_bus_behind(d) : NULL;

        if (!below)
            continue;
        if (below->extra ? number >= below->number
                         : d->config[PCI_SECONDARY_BUS] && d->config[PCI_SECONDARY_BUS] <= number &&
                               d->config[PCI_SUBORDINATE_BUS] >= number)
            found = find_bus(below, number);
    }
    return found;
}

struct pci_dev *pci_find(struct pci_root *r, unsigned bus, unsigned devfn)
{
    struct pci_bus *b = find_bus(r->bus, bus);
    struct pci_dev *d = b && devfn < 256 ? b->fn[devfn] : NULL;

    return d && d->present ? d : NULL;
}

uint32_t pci_root_config_read(struct pci_root *r, uint32_t addr, unsigned size)
{
    struct pci_dev *d = pci_find(r, addr >> 20 & 0xff, addr >> 12 & 0xff);

    return d ? pci_config_read(d, addr & 0xfff, size) : UINT32_MAX >> (32 - 8 * size);
}

void pci_root_config_write(struct pci_root *r, uint32_t addr, uint32_t value, unsigned size)
{
    struct pci_dev *d = pci_find(r, addr >> 20 & 0xff, addr >> 12 & 0xff);

    if (d)
        pci_config_write(d, addr & 0xfff, value, size);
}

void pci_bus_reset(struct pci_bus *b)
{
    for (unsigned i = 0; i < 256; i++) {
        struct pci_dev *d = b->fn[i];

        if (!d)
            continue;
        if (d->dev.type->reset)
            d->dev.type->reset(&d->dev);
        else
            pci_dev_reset(d);
        if (pci_bus_behind(d))
            pci_bus_reset(pci_bus_behind(d));
    }
}

/* Addresses ---------------------------------------------------------------------------------- */

/* "slot" or "slot.function", hexadecimal. */
static bool parse_slot(const char *text, unsigned long *slot, unsigned long *fn)
{
    char *end;

    *fn = 0;
    if (!isxdigit((unsigned char)*text))
        return false;
    *slot = strtoul(text, &end, 16);
    if (*end == '.' && isxdigit((unsigned char)end[1]))
        *fn = strtoul(end + 1, &end, 16);
    return !*end && *slot < 32 && *fn < 8;
}

/* A number in JSON is device << 3 | function itself; -1 is what the user need not say. */
static int parse_addr(const struct pci_dev *d, int *devfn, struct err *e)
{
    const char *text = json_object_get_string(d->addr);
    unsigned long slot, fn;

    if (json_object_is_type(d->addr, json_type_int)) {
        int64_t v = json_object_get_int64(d->addr);

        if (v < -1 || v > 255)
            return err_set(e, -EINVAL, "Property '%s.addr' doesn't take value '%lld'",
                           d->dev.type->name, (long long)v);
        *devfn = v;
        return 0;
    }
    if (text && !strcmp(text, "-1"))
        return 0;
    if (!text || !parse_slot(text, &slot, &fn))
        return err_set(e, -EINVAL, "Property '%s.addr' doesn't take value '%s'", d->dev.type->name,
                       text ? text : "");
    *devfn = slot << 3 | fn;
    return 0;
}

static const char *id_of(const struct pci_dev *d)
{
    return d->dev.id ? d->dev.id : "(null)";
}

static int first_free(struct pci_bus *b, const struct pci_dev *d, struct err *e)
{
    for (unsigned devfn = b->first << 3; devfn < (b->one_slot ? 8u : 256u); devfn += 8)
        if (!b->fn[devfn])
            return devfn;
    return err_set(e, -ENOSPC, "PCI: no slot/function available for %s, all in use or reserved",
                   d->dev.type->name);
}

static int check_free(struct pci_bus *b, const struct pci_dev *d, unsigned devfn, struct err *e)
{
    const struct pci_dev *there = b->fn[devfn];

    if (there)
        return err_set(
            e, -EBUSY, "PCI: slot %u function %u not available for %s, in use by %s,id=%s",
            devfn >> 3, devfn & 7, d->dev.type->name, there->dev.type->name, id_of(there));
    if (b->one_slot && devfn > 7)
        return err_set(e, -EINVAL,
                       "PCI: slot %u is not valid for %s, parent device only allows plugging into "
                       "slot 0.",
                       devfn >> 3, d->dev.type->name);
    return 0;
}

/* Other functions of a slot are looked for only when function 0 says that there are any. */
static int check_functions(struct pci_bus *b, const struct pci_dev *d, unsigned devfn,
                           struct err *e)
{
    const struct pci_dev *zero = b->fn[devfn & ~7u];

    if (devfn & 7) {
        if (zero && !zero->multifunction)
            return err_set(e, -EINVAL,
                           "PCI: single function device can't be populated in function %x.%x",
                           devfn >> 3, devfn & 7);
        if (zero && zero->dev.hotplugged != d->dev.hotplugged)
            return err_set(e, -EBUSY,
                           "PCI: slot %u function 0 already occupied by %s, new func %s cannot be "
                           "exposed to guest.",
                           devfn >> 3, zero->dev.type->name, d->dev.type->name);
        return 0;
    }
    for (unsigned fn = 1; fn < 8 && !d->multifunction; fn++)
        if (b->fn[devfn + fn])
            return err_set(e, -EINVAL,
                           "PCI: %x.0 indicates single function, but %x.%x is already populated.",
                           devfn >> 3, devfn >> 3, fn);
    return 0;
}

/* Who looks at the properties sees where it is. */
static void say_address(struct pci_dev *d)
{
    char text[8];

    snprintf(text, sizeof(text), "%02x.%x", d->devfn >> 3, d->devfn & 7);
    json_object_put(d->addr);
    d->addr = json_object_new_string(text);
}

static int choose_address(struct pci_bus *b, struct pci_dev *d, struct err *e)
{
    int devfn = -1, r = d->addr ? parse_addr(d, &devfn, e) : 0;

    if (r >= 0 && devfn < 0)
        r = devfn = first_free(b, d, e);
    if (r < 0 || (r = check_free(b, d, devfn, e)) < 0 || (r = check_functions(b, d, devfn, e)) < 0)
        return r;
    d->devfn = devfn;
    say_address(d);
    return 0;
}

/* Plugging ----------------------------------------------------------------------------------- */

static int check_kind(struct pci_bus *b, struct pci_dev *d, struct err *e)
{
    if (d->dev.hotplugged && (!b->slots || d->ops->no_hotplug))
        return err_set(e, -ENOTSUP,
                       d->ops->no_hotplug ? "Device '%s' does not support hotplugging"
                                          : "Bus '%s' does not support hotplugging",
                       d->ops->no_hotplug ? d->dev.type->name : b->bus.name);
    if (d->ops->kind == PCI_EXPRESS && !b->express)
        return err_set(e, -EINVAL, "PCI: %s is a PCI Express device; bus '%s' is conventional",
                       d->dev.type->name, b->bus.name);
    return d->ops->check_bus ? d->ops->check_bus(d, b, e) : 0;
}

static int bus_plug(struct bus *bus, struct dev *dev, struct err *e)
{
    struct pci_bus *b = pci_bus_of(bus);
    struct pci_dev *d = pci_of(dev);
    int r;

    d->ops = pci_type_of(dev->type);
    d->bus = b;
    if ((r = check_kind(b, d, e)) < 0 || (r = choose_address(b, d, e)) < 0)
        return r;
    d->express = d->ops->kind != PCI_CONVENTIONAL && b->express;
    d->saved = d->config;
    d->saved_len = d->express ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
    pci_birth(d);
    return 0;
}

static int bus_placed(struct bus *bus, struct dev *dev, struct err *e)
{
    struct pci_bus *b = pci_bus_of(bus);
    struct pci_dev *d = pci_of(dev);
    int r = pci_rom_add(d, e);

    if (r < 0)
        return r;
    if (!d->remembered)
        pci_remember(d);
    b->fn[d->devfn] = d;
    d->present = true;
    if (b->slots)
        b->slots->plugged(b->slots_opaque, d);
    return 0;
}

static void bus_unplug(struct bus *bus, struct dev *dev)
{
    struct pci_bus *b = pci_bus_of(bus);
    struct pci_dev *d = pci_of(dev);

    d->present = false;
    pci_update_intx(d);
    pci_update_master(d);
    pci_unmap_all(d);
    if (b->fn[d->devfn] == d)
        b->fn[d->devfn] = NULL;
    if (b->slots)
        b->slots->unplugged(b->slots_opaque, d);
}

static int bus_unplug_request(struct bus *bus, struct dev *dev, struct err *e)
{
    struct pci_bus *b = pci_bus_of(bus);

    if (!b->slots || pci_of(dev)->ops->no_hotplug)
        return err_set(e, -ENOTSUP, "Bus '%s' does not support hotplugging", bus->name);
    return b->slots->ask(b->slots_opaque, pci_of(dev), e);
}

static bool bus_full(const struct bus *bus)
{
    const struct pci_bus *b = (const struct pci_bus *)bus;

    for (unsigned devfn = b->first << 3; devfn < (b->one_slot ? 8u : 256u); devfn += 8)
        if (!b->fn[devfn])
            return false;
    return true;
}

void pci_bus_init(struct pci_bus *b)
{
    b->bus.kind = "pci";
    b->bus.plug = bus_plug;
    b->bus.placed = bus_placed;
    b->bus.unplug = bus_unplug;
    b->bus.unplug_request = bus_unplug_request;
    b->bus.full = bus_full;
    b->bus.print = pci_print_dev;
}
