/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all device types. */
#include "dev/devices.h"

const struct dev_type *const dev_types[] = {
#define DEVICE(name) &dev_##name,
#include "dev/devices.def"
#undef DEVICE
    NULL,
};
