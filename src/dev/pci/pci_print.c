/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI devices as the monitor shows them: `info pci`, and their lines of `info qtree`. */
#include "dev/pci/pci_bridge.h"
#include "dev/pci/pci_priv.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>

struct out {
    void (*line)(void *opaque, const char *text);
    void *opaque;
};

static void __attribute__((format(printf, 2, 3))) say(const struct out *o, const char *fmt, ...)
{
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    o->line(o->opaque, text);
}

/* Words for class codes (PCI Local Bus 3.0, appendix D). */
const char *pci_class_name(uint16_t class, char buf[static 12])
{
    static const struct {
        uint16_t class;
        const char *name;
    } names[] = {
        {0x0000, "VGA controller"},
        {0x0100, "SCSI controller"},
        {0x0101, "IDE controller"},
        {0x0102, "Floppy controller"},
        {0x0103, "IPI controller"},
        {0x0104, "RAID controller"},
        {0x0106, "SATA controller"},
        {0x0107, "SAS controller"},
        {0x0180, "Storage controller"},
        {0x0200, "Ethernet controller"},
        {0x0201, "Token Ring controller"},
        {0x0280, "Network controller"},
        {0x0300, "VGA controller"},
        {0x0301, "XGA controller"},
        {0x0302, "3D controller"},
        {0x0380, "Display controller"},
        {0x0400, "Video controller"},
        {0x0401, "Audio controller"},
        {0x0403, "Audio controller"},
        {0x0500, "RAM controller"},
        {0x0580, "Memory controller"},
        {0x0600, "Host bridge"},
        {0x0601, "ISA bridge"},
        {0x0602, "EISA bridge"},
        {0x0604, "PCI bridge"},
        {0x0680, "Bridge"},
        {0x0700, "Serial port"},
        {0x0701, "Parallel port"},
        {0x0880, "System peripheral"},
        {0x0900, "Keyboard"},
        {0x0902, "Mouse"},
        {0x0c00, "Firewire controller"},
        {0x0c03, "USB controller"},
        {0x0c05, "SMBus"},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].class == class)
            return names[i].name;
    snprintf(buf, 12, "Class %04x", class);
    return buf;
}

static uint64_t shown_at(const struct pci_dev *d, unsigned nr)
{
    return d->bar[nr].mapped ? d->bar[nr].at : UINT64_MAX;
}

static void print_bar(const struct pci_dev *d, unsigned nr, const struct out *o)
{
    const struct pci_bar *b = &d->bar[nr];
    uint64_t at = shown_at(d, nr), last = at + b->mem->size - 1;

    if (b->flags & PCI_BAR_IO)
        say(o, "      BAR%u: I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].", nr, at, last);
    else
        say(o, "      BAR%u: %d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].", nr,
            b->flags & PCI_BAR_64 ? 64 : 32, b->flags & PCI_BAR_PREFETCH ? " prefetchable" : "", at,
            last);
}

static void print_bridge(const struct pci_dev *d, const struct out *o)
{
    struct pci_window io = pci_bridge_io(d), mem = pci_bridge_mem(d), pref = pci_bridge_pref(d);

    say(o, "      BUS %u.", d->config[PCI_PRIMARY_BUS]);
    say(o, "      secondary bus %u.", d->config[PCI_SECONDARY_BUS]);
    say(o, "      subordinate bus %u.", d->config[PCI_SUBORDINATE_BUS]);
    say(o, "      IO range [0x%04" PRIx64 ", 0x%04" PRIx64 "]", io.base, io.limit);
    say(o, "      memory range [0x%08" PRIx64 ", 0x%08" PRIx64 "]", mem.base, mem.limit);
    say(o, "      prefetchable memory range [0x%08" PRIx64 ", 0x%08" PRIx64 "]", pref.base,
        pref.limit);
}

static void print_dev(const struct pci_dev *d, const struct out *o)
{
    char buf[12];
    unsigned pin = d->config[PCI_INTERRUPT_PIN];

    say(o, "  Bus %2u, device %3u, function %u:", pci_bus_number(d->bus), d->devfn >> 3,
        d->devfn & 7);
    say(o, "    %s: PCI device %04x:%04x", pci_class_name(pci_get16(d, PCI_CLASS_DEVICE), buf),
        pci_get16(d, PCI_VENDOR_ID), pci_get16(d, PCI_DEVICE_ID));
    if (!d->ops->bridge && pci_get16(d, PCI_SUBSYSTEM_VENDOR_ID))
        say(o, "      PCI subsystem %04x:%04x", pci_get16(d, PCI_SUBSYSTEM_VENDOR_ID),
            pci_get16(d, PCI_SUBSYSTEM_ID));
    if (pin)
        say(o, "      IRQ %u, pin %c", d->config[PCI_INTERRUPT_LINE], 'A' + (pin - 1) % 26);
    if (d->ops->bridge)
        print_bridge(d, o);
    for (unsigned nr = 0; nr <= PCI_ROM_BAR; nr++)
        if (d->bar[nr].mem)
            print_bar(d, nr, o);
    say(o, "      id \"%s\"", d->dev.id ? d->dev.id : "");
}

static void print_bus(const struct pci_bus *b, const struct out *o)
{
    for (unsigned i = 0; i < 256; i++) {
        const struct pci_dev *d = b->fn[i];

        if (!d || !d->present)
            continue;
        print_dev(d, o);
        if (d->ops->bridge && pci_bus_behind(d) && d->config[PCI_SECONDARY_BUS])
            print_bus(pci_bus_behind(d), o);
    }
}

/* Host bridges are the devices that offer a PCI bus and are not on one; extra root buses come with their device. */
static bool print_if_root(void *opaque, struct dev *dev)
{
    for (struct bus *b = dev->buses; b; b = b->next_of_dev)
        if (!strcmp(b->kind, "pci") && pci_bus_is_root(pci_bus_of(b)))
            print_bus(pci_bus_of(b), opaque);
    return true;
}

void pci_print(struct machine *m, void (*line)(void *opaque, const char *text), void *opaque)
{
    struct out o = {line, opaque};

    machine_each_dev(m, print_if_root, &o);
}

void pci_print_dev(struct bus *bus, struct dev *dev, void (*line)(void *opaque, const char *text),
                   void *opaque)
{
    const struct pci_dev *d = pci_of(dev);
    struct out o = {line, opaque};
    unsigned sub = d->ops->bridge ? 0 : PCI_SUBSYSTEM_VENDOR_ID;
    char buf[12];

    say(&o, "class %s, addr %02x:%02x.%x, pci id %04x:%04x (sub %04x:%04x)",
        pci_class_name(pci_get16(d, PCI_CLASS_DEVICE), buf), pci_bus_number(d->bus), d->devfn >> 3,
        d->devfn & 7, pci_get16(d, PCI_VENDOR_ID), pci_get16(d, PCI_DEVICE_ID),
        sub ? pci_get16(d, sub) : 0, sub ? pci_get16(d, sub + 2) : 0);
    for (unsigned nr = 0; nr <= PCI_ROM_BAR; nr++)
        if (d->bar[nr].mem)
            say(&o, "bar %u: %s at 0x%" PRIx64 " [0x%" PRIx64 "]", nr,
                d->bar[nr].flags & PCI_BAR_IO ? "i/o" : "mem", shown_at(d, nr),
                shown_at(d, nr) + d->bar[nr].mem->size - 1);
}
