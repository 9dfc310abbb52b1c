/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How devices come to the back ends that their properties name. */
#ifndef DEV_BACKENDS_H
#define DEV_BACKENDS_H

#include "block/drive.h"
#include "bus/dev.h"
#include "ui/chr.h"
#include "ui/display.h"
#include "ui/input.h"

/**
 * dev_take_chr - attach @d to the character back end @id, the value of its property "chardev"; @opaque is handed to
 * @f's functions.  NULL @id: *c is NULL, which means output to nobody.
 * 0; -ENOENT "Property 'pl011.chardev' can't find value 'x'"; -EBUSY from chr_attach().
 */
int dev_take_chr(struct dev *d, const char *id, const struct chr_front *f, void *opaque,
                 struct chr **c, struct err *e);

/**
 * dev_take_drive - the drive @id, the value of property "drive", marked as used.  dev_drop_drive - no longer (NULL: nothing).
 * 0; -ENOENT; -EBUSY when a device has it.
 */
int dev_take_drive(struct dev *d, const char *id, struct drive **drive, struct err *e);
void dev_drop_drive(struct drive *drive);

/** machine_input - the keyboards and mice of @m, made when first asked for; delays last in the guest's time, and what is typed
 * while the machine stands is lost.  Goes with the machine, after its devices. */
struct input *machine_input(struct machine *m);
/** machine_displays - the screens of @m, in the same way. */
struct displays *machine_displays(struct machine *m);

#endif
