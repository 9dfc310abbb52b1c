/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of drives.c. */
#ifndef APP_SYSTEM_DRIVE_PRIV_H
#define APP_SYSTEM_DRIVE_PRIV_H

#include "app/system/sys.h"

/** drive_limits - takes the limits out of @opts; the throttle group made of them, to be freed; NULL: there are none, or @e. */
char *drive_limits(struct sys *s, struct json_object *opts, const char *id, struct err *e);
/** drive_throttle - the node called @node, seen through the filter. */
struct blk *drive_throttle(struct sys *s, const char *node, const char *group, unsigned flags,
                           struct err *e);

#endif
