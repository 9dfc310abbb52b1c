/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of drivers, by name and by what a file looks like. */
#include "block/driver.h"

#include <string.h>

#define FORMAT(x)   extern const struct blk_driver fmt_##x;
#define PROTOCOL(x) extern const struct blk_driver proto_##x;
#define FILTER(x)   extern const struct blk_driver filter_##x;
#include "block/drivers.def"
#undef FORMAT
#undef PROTOCOL
#undef FILTER

const struct blk_driver *const blk_drivers[] = {
#define FORMAT(x)   &fmt_##x,
#define PROTOCOL(x) &proto_##x,
#define FILTER(x)   &filter_##x,
#include "block/drivers.def"
#undef FORMAT
#undef PROTOCOL
#undef FILTER
    NULL};

const struct blk_driver *blk_driver_find(const char *name)
{
    for (const struct blk_driver *const *d = blk_drivers; *d; d++)
        if (!strcmp((*d)->name, name))
            return *d;
    return NULL;
}

const char *blk_driver_near(const char *name)
{
    const char *names[ARRAY_LEN(blk_drivers)];

    for (size_t i = 0; i < ARRAY_LEN(blk_drivers); i++)
        names[i] = blk_drivers[i] ? blk_drivers[i]->name : NULL;
    return nearest_name(name, names);
}

const struct blk_driver *blk_driver_probe(const uint8_t *head, size_t len, const char *filename)
{
    const struct blk_driver *best = blk_driver_find("raw");
    int score = 1;

    for (const struct blk_driver *const *d = blk_drivers; *d; d++) {
        int s = (*d)->probe && !(*d)->no_probe ? (*d)->probe(head, len, filename) : 0;

        if (s > score) {
            score = s;
            best = *d;
        }
    }
    return best;
}
