/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all device types: the rows of devices.def, and virtio models under each of their names. */
#ifndef DEV_DEVICES_H
#define DEV_DEVICES_H

#include "bus/dev.h"

#define DEVICE(name) extern const struct dev_type dev_##name;
#include "dev/devices.def"
#undef DEVICE

/** dev_types - for machine_new(); ends with NULL; made when first asked for. */
const struct dev_type *const *dev_types(void);
/** dev_each_trace_point - of every device type, once each.  Who turns one on may do so at any time. */
void dev_each_trace_point(void (*fn)(struct trace_point *p, void *opaque), void *opaque);

#endif
