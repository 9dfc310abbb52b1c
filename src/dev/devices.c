/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all device types. */
#include "dev/devices.h"

#include "base/trace.h"
#include "dev/virtio/wrap.h"

#include <pthread.h>
#include <stdlib.h>

static const struct dev_type *const rows[] = {
#define DEVICE(name) &dev_##name,
#include "dev/devices.def"
#undef DEVICE
    NULL,
};

static const struct dev_type **table;

static void make_table(void)
{
    const struct dev_type *const *lists[] = {rows, virtio_types()};
    unsigned n = 0;

    for (unsigned l = 0; l < 2; l++)
        for (unsigned i = 0; lists[l][i]; i++)
            n++;
    if (!(table = calloc(n + 1, sizeof(*table))))
        fatal("out of memory");
    n = 0;
    for (unsigned l = 0; l < 2; l++)
        for (unsigned i = 0; lists[l][i]; i++)
            table[n++] = lists[l][i];
}

const struct dev_type *const *dev_types(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_table);
    return table;
}

void dev_each_trace_point(void (*fn)(struct trace_point *p, void *opaque), void *opaque)
{
    const struct dev_type *const *types = dev_types();

    for (unsigned i = 0; types[i]; i++) {
        unsigned j = 0;

        while (types[j]->trace != types[i]->trace)
            j++;
        if (j < i)
            continue;
        for (const struct trace_point *p = types[i]->trace; p && p->name; p++)
            fn((struct trace_point *)p, opaque); /* its descriptor promises not to change it; we do */
    }
}
