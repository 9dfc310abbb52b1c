/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which firmware tries devices.  Source: IEEE 1275 for paths; its PCI bus binding for names by class. */
#include "board/boot_order.h"

#include "board/asked.h"
#include "bus/machine.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/pci/pci.h"
#include "dev/scsi/scsi.h"
#include "schema/keyval.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEVICES = 64, PATH_LEN = 256 };

struct boot_order {
    struct machine *m;
    struct dev *fw_cfg;
    struct json_object *roms; /* -option-rom */
    const char *first; /* or NULL */
    unsigned n;
    struct place {
        long index;
        char path[PATH_LEN];
    } place[MAX_DEVICES];
};

static void add(char path[PATH_LEN], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(char path[PATH_LEN], const char *fmt, ...)
{
    size_t n = strlen(path);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path + n, PATH_LEN - n, fmt, ap); /* cut when longer */
    va_end(ap);
}

static bool on_bus(const struct dev *d, const char *kind)
{
    return d->parent && strcmp(d->parent->kind, kind) == 0;
}

/* Of the function and the bridges that it is behind. */
static void pci_path(char path[PATH_LEN], const struct pci_dev *d)
{
    unsigned class = pci_get16(d, PCI_CLASS_DEVICE);

    if (d->bus->bridge)
        pci_path(path, d->bus->bridge);
    else
        add(path, "/pci@ffffffffffffffff");
    switch (class) {
    case 0x0100: add(path, "/scsi@"); break;
    case 0x0101: add(path, "/ide@"); break;
    case 0x0200: add(path, "/ethernet@"); break;
    case 0x0604: add(path, "/pci-bridge@"); break;
    default: add(path, "/pci%x,%x@", pci_get16(d, PCI_VENDOR_ID), pci_get16(d, PCI_DEVICE_ID));
    }
    add(path, "%x", d->devfn >> 3);
    if (d->devfn & 7)
        add(path, ",%x", d->devfn & 7);
}

static void dev_path(char path[PATH_LEN], const struct dev *d)
{
    const struct scsi_unit *s = (const struct scsi_unit *)d;

    if (on_bus(d, "pci")) {
        pci_path(path, (const struct pci_dev *)d);
    } else if (on_bus(d, "virtio-mmio")) {
        add(path, "/virtio-mmio@%016" PRIx64, d->parent->owner->mmio.at);
    } else if (on_bus(d, "scsi")) {
        dev_path(path, d->parent->owner);
        add(path, "/channel@%x/disk@%x,%x", s->channel, s->target, s->lun);
    }
}

/* What it is to firmware, below where it is plugged in. */
static void add_unit(char path[PATH_LEN], const struct dev *d)
{
    const char *name = d->type->name;

    if (strncmp(name, "virtio-blk", 10) == 0)
        add(path, "/disk@0,0");
    else if (strcmp(name, "nvme") == 0)
        add(path, "/namespace@1,0");
    else if (d->type->class == DEV_NETWORK)
        add(path, "/ethernet-phy@0");
}

static const char *bootindex(const struct dev *d)
{
    const struct field *f = d->type->props ? field_find(d->type->props, "bootindex") : NULL;

    return f && f->kind == F_STR ? *(char *const *)((const char *)d + f->offset) : NULL;
}

static bool look(void *opaque, struct dev *d)
{
    struct boot_order *o = opaque;
    const char *text = bootindex(d);
    struct place *p = &o->place[o->n];
    char *end;

    if (!text || o->n == MAX_DEVICES)
        return true;
    *p = (struct place){.index = strtol(text, &end, 10)};
    if (*end || p->index < 0)
        return true;
    dev_path(p->path, d);
    add_unit(p->path, d);
    o->n += p->path[0] != '\0';
    return true;
}

static void look_at_roms(struct boot_order *o)
{
    size_t n = o->roms ? json_object_array_length(o->roms) : 0;

    for (size_t i = 0; i < n && o->n < MAX_DEVICES; i++) {
        struct json_object *rom = json_object_array_get_idx(o->roms, i);
        const char *index = keyval_string(rom, "bootindex");
        struct place *p = &o->place[o->n];

        if (!index)
            continue;
        p->index = strtol(index, NULL, 10);
        snprintf(p->path, sizeof(p->path), "/rom@genroms/%s", asked_rom_name(rom));
        o->n++;
    }
}

static int by_index(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

/* Lines, and a NUL after the last. */
static void write_file(void *opaque)
{
    struct boot_order *o = opaque;
    char text[(MAX_DEVICES + 1) * PATH_LEN];
    size_t len = 0;

    o->n = 0;
    machine_each_dev(o->m, look, o);
    look_at_roms(o);
    qsort(o->place, o->n, sizeof(o->place[0]), by_index);
    if (o->first)
        len += snprintf(text, PATH_LEN, "%s", o->first);
    for (unsigned i = 0; i < o->n; i++)
        len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? "\n" : "", o->place[i].path);
    fw_cfg_set_file(o->fw_cfg, "bootorder", text, len ? len + 1 : 0, ERR_IGNORE);
}

void boot_order_offer(struct machine *m, const struct conf *c, struct dev *fw_cfg, const char *first)
{
    struct boot_order *o = calloc(1, sizeof(*o));

    if (!o)
        fatal("out of memory");
    o->m = m;
    o->fw_cfg = fw_cfg;
    o->first = first;
    o->roms = c->option_roms;
    machine_on_reset(m, write_file, o);
    machine_on_end(m, free, o);
}
