/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -object, for the command line, its help, and the monitor. */
#ifndef APP_SYSTEM_OBJECTS_H
#define APP_SYSTEM_OBJECTS_H

#include "app/system/sys.h"

/** object_add - @opts ("qom-type", "id", ...) stay the caller's, but lose members. */
int object_add(struct sys *s, struct json_object *opts, struct err *e);
/** object_del - -EBUSY when something uses it, -ENOENT. */
int object_del(struct sys *s, const char *id, struct err *e);
void objects_list(void);
/** object_is_filter - those stand between network back ends and cards, and are made after both (nets.c). */
bool object_is_filter(struct json_object *opts);
/** object_fields - the properties of @type, or NULL. */
const struct field *object_fields(const char *type);

#endif
