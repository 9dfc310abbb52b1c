/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of disks ("nbd://...", which backing files give, too): any text becomes options or is refused. */
#include "block/driver.h"

#include <stdlib.h>

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    char *name = malloc(len + 1);
    struct json_object *opts = json_object_new_object();
    struct err e = {0};
    const struct blk_driver *drv;

    memcpy(name, data, len);
    name[len] = 0;
    drv = blk_protocol_of(name, &e);
    if (!drv != (e.code != 0))
        abort();
    if (drv && drv->parse_name && !drv->parse_name(name, opts, &e)) {
        json_object_object_foreach(opts, key, value)
        {
            if (!value || !key[0])
                abort();
        }
    }
    json_object_put(opts);
    free(name);
    return 0;
}
