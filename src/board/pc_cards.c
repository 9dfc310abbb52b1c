/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cards, disks and ports of a PC that the command line asks for without -device: screen, network, -serial, -hda and their kin. */
#include "board/pc.h"

#include "board/asked.h"
#include "dev/floppy/fdc.h"

#include <stdio.h>
#include <string.h>

/* The first two cards are in the slots after the board's own chips, where guests have always met them. */
static int add_vga(struct pc *p, struct err *e)
{
    const char *type = conf_vga(p->c, "std");

    return !type || dev_new(p->m, type, NULL, &p->pci->bus, NULL, e) ? 0 : e->code;
}

static int add_nics(struct pc *p, struct err *e)
{
    for (unsigned i = 0; i < p->c->n_nics; i++)
        if (!p->c->nic[i].used && asked_nic(p->m, p->c, &p->c->nic[i], e) < 0)
            return e->code;
    return 0;
}

static int add_serials(struct pc *p, struct err *e)
{
    char props[128];

    for (unsigned i = 0; i < 4 && i < CONF_SERIALS; i++) {
        if (!p->c->serial[i])
            continue;
        snprintf(props, sizeof(props), "index=%u,chardev=%s", i, chr_id(p->c->serial[i]));
        if (!dev_add(p->m, "isa-serial", NULL, props, e))
            return e->code;
    }
    return 0;
}

/* --- Disks ---------------------------------------------------------------------------------- */

struct disks {
    struct pc *p;
    struct err *e;
};

static bool add_disk(void *opaque, const char *id, void *backend)
{
    struct disks *s = opaque;
    const struct drive *d = backend;
    char props[128];

    if (d->intf != IF_IDE || d->used)
        return true;
    snprintf(props, sizeof(props), "bus=ide.%d,unit=%d,drive=%s", d->bus, d->unit, d->id);
    return dev_add(s->p->m, d->cdrom ? "ide-cd" : "ide-hd", NULL, props, s->e);
}

/* A PC has a CD drive, if nobody wants it otherwise: where -cdrom would be. */
static int add_empty_cd(struct pc *p, struct err *e)
{
    int bus = p->q35 ? 2 : 1;
    char props[64];

    if (!p->c->default_cdrom || asked_drive(p->m, IF_IDE, bus, 0))
        return 0;
    snprintf(props, sizeof(props), "bus=ide.%d,unit=0", bus);
    return dev_add(p->m, "ide-cd", NULL, props, e) ? 0 : e->code;
}

static int add_disks(struct pc *p, struct err *e)
{
    struct disks s = {p, e};

    if (!p->disks)
        return 0;
    machine_each_backend(p->m, "drive", add_disk, &s);
    return e->code ? e->code : add_empty_cd(p, e);
}

/* The old chipset always has the controller, and drive A if nobody wants it otherwise; the new one when a disk is asked for. */
static int add_floppies(struct pc *p, struct err *e)
{
    bool a = asked_drive(p->m, IF_FLOPPY, 0, 0), b = asked_drive(p->m, IF_FLOPPY, 0, 1);

    if (p->q35 && !a && !b)
        return 0;
    if (!(p->fdc = dev_add(p->m, "isa-fdc", NULL, NULL, e)) || fdc_add_drives(p->m, e) < 0)
        return e->code;
    if (a || p->q35 || !p->c->default_cdrom)
        return 0;
    return dev_add(p->m, "floppy", NULL, "unit=0", e) ? 0 : e->code;
}

int pc_add_cards(struct pc *p, struct err *e)
{
    if (add_vga(p, e) < 0 || add_nics(p, e) < 0 || add_serials(p, e) < 0 || add_floppies(p, e) < 0)
        return e->code;
    return add_disks(p, e);
}
