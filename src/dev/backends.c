/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How devices come to the back ends that their properties name. */
#include "dev/backends.h"

#include "bus/machine.h"

#include <errno.h>

/* What messages call a device: its id, if it has one. */
static const char *called(const struct dev *d)
{
    return d->id ? d->id : d->type->name;
}

static void *find(struct dev *d, const char *kind, const char *prop, const char *id, struct err *e)
{
    void *b = machine_backend(d->m, kind, id);

    if (!b)
        err_set(e, -ENOENT, "Property '%s.%s' can't find value '%s'", called(d), prop, id);
    return b;
}

int dev_take_chr(struct dev *d, const char *id, const struct chr_front *f, void *opaque,
                 struct chr **c, struct err *e)
{
    *c = NULL;
    if (!id)
        return 0;
    *c = find(d, "chardev", "chardev", id, e);
    if (!*c)
        return e->code;
    return chr_attach(*c, f, opaque, e);
}

int dev_take_drive(struct dev *d, const char *id, struct drive **drive, struct err *e)
{
    *drive = find(d, "drive", "drive", id, e);
    if (!*drive)
        return e->code;
    if ((*drive)->used)
        return err_set(e, -EBUSY, "Drive '%s' is already in use by another block device", id);
    (*drive)->used = true;
    return 0;
}

void dev_drop_drive(struct drive *drive)
{
    if (drive) {
        drive->used = false;
        drive->removable = false;
        drive->owner = NULL;
        drive->changed = NULL;
    }
}
