/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -device, and the devices that drives with if=virtio, -parallel and -debugcon bring along. */
#include "app/system/sys.h"

#include "dev/isa/isa.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int add_device(struct sys *s, const struct entry *x, struct err *e)
{
    const char *driver = keyval_string(x->opts, "driver");
    const struct dev_type *t = driver ? dev_type_find(s->m, driver) : NULL;
    struct json_object *o = NULL;

    if (!driver)
        return err_set(e, -EINVAL, "Parameter 'driver' is missing");
    if (t && t->class == DEV_BOARD)
        return err_set(e, -EINVAL, "Parameter 'driver' expects a pluggable device type");
    json_object_deep_copy(x->opts, &o, NULL);
    return dev_new(s->m, driver, NULL, NULL, o, e) ? 0 : e->code;
}

static int add_virtio_disk(struct sys *s, struct drive *d, struct err *e)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "drive", json_object_new_string(d->id));
    return dev_new(s->m, "virtio-blk-pci", NULL, NULL, o, e) ? 0 : e->code;
}

/* The list has the latest first: disks are made in the order in which they were given. */
static int virtio_disks(struct sys *s, struct named *n, struct err *e)
{
    struct drive *d;
    int r;

    if (!n)
        return 0;
    if ((r = virtio_disks(s, n->next, e)) < 0)
        return r;
    d = n->p;
    return d->intf == IF_VIRTIO && !d->used ? add_virtio_disk(s, d, e) : 0;
}

static int add_chr_device(struct sys *s, const char *type, const struct chr *c, struct err *e)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "chardev", json_object_new_string(chr_id(c)));
    return dev_new(s->m, type, NULL, NULL, o, e) ? 0 : e->code;
}

/* Ports on a bus that a machine may not have. */
static int isa_cards(struct sys *s, struct err *e)
{
    for (unsigned i = 0; i < s->n_parallels; i++) {
        if (s->parallel[i] && !isa_bus(s->m) && !strcmp(chr_describe(s->parallel[i]), "null"))
            continue; /* nothing is missed */
        if (s->parallel[i] && !isa_bus(s->m))
            return err_set(e, -ENOTSUP, "-parallel: this machine has no parallel port");
        if (s->parallel[i] && add_chr_device(s, "isa-parallel", s->parallel[i], e) < 0)
            return err_wrap(e, e->code, "-parallel");
    }
    if (s->debugcon && add_chr_device(s, "isa-debugcon", s->debugcon, e) < 0)
        return err_wrap(e, e->code, "-debugcon");
    return 0;
}

static int check_used(struct sys *s, struct err *e)
{
    static const char *const names[] = {"none",   "ide", "scsi", "floppy", "pflash",
                                        "mtd",    "sd",  "virtio"};

    for (struct named *n = s->drives; n; n = n->next) {
        struct drive *d = n->p;

        if (d->intf != IF_NONE && d->intf != IF_VIRTIO && !d->used)
            return err_set(e, -EINVAL,
                           "drive '%s': machine type does not support if=%s,bus=%d,unit=%d", d->id,
                           names[d->intf], d->bus, d->unit);
    }
    return 0;
}

static void warn_nics(struct sys *s)
{
    for (unsigned i = 0; i < s->conf.n_nics; i++)
        if (!s->conf.nic[i].used)
            sys_warn(s, "requested NIC (%s, model %s) was not created (not supported by this machine?)",
                     s->conf.nic[i].id ? s->conf.nic[i].id : "anonymous",
                     s->conf.nic[i].model ? s->conf.nic[i].model : "unspecified");
}

static bool count_dev(void *opaque, struct dev *d)
{
    ++*(unsigned *)opaque;
    return true;
}

int devices_make(struct sys *s, struct err *e)
{
    int r;

    machine_each_dev(s->m, count_dev, &s->board_devs);
    r = virtio_disks(s, s->drives, e);
    if (r < 0 || (r = isa_cards(s, e)) < 0)
        return r;
    for (struct entry *x = cli_first(&s->cli, &group_device); x; x = entry_next(x))
        if (add_device(s, x, e) < 0)
            return entry_fail(x, e);
    warn_nics(s);
    return check_used(s, e);
}
