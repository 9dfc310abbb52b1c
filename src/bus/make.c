/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's beginning and end, and what ties it to the main loop. */
#include "bus/machine_priv.h"

#include "base/loop.h"

#include <json-c/json.h>
#include <stdlib.h>

static void alarm_rings(void *opaque)
{
    clock_run_due(opaque);
}

static void set_alarm(struct machine *m, int64_t at)
{
    loop_arm(m->alarm_timer, at);
}

static void nothing(void *opaque)
{
}

/* The program looks for wishes after each round of its loop. */
static void wake_loop(struct machine *m)
{
    loop_call(m->loop, nothing, NULL);
}

static void drop_data(struct json_object *data)
{
    json_object_put(data);
}

struct machine *machine_new(const struct dev_type *const *types, struct loop *loop)
{
    struct machine *m = bus_alloc(sizeof(*m));

    m->types = types;
    m->loop = loop;
    pthread_mutex_init(&m->big, NULL);
    pthread_mutex_init(&m->time, NULL);
    pthread_mutex_init(&m->asks, NULL);
    if (loop) {
        m->alarm_timer = loop_add_timer(loop, alarm_rings, m);
        m->alarm = set_alarm;
        m->wake = wake_loop;
    }
    m->drop_data = drop_data;
    mem_init_container(&m->mem_root, "system", 0);
    mem_init_container(&m->io_root, "io", 65536);
    m->mem_space = space_new(m, "memory", &m->mem_root);
    m->io_space = space_new(m, "I/O", &m->io_root);
    return m;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    machine_lock(m);
    while (m->devs) {
        struct dev *d = m->devs;

        while (d->next)
            d = d->next;
        dev_free(d);
    }
    machine_unlock(m);
    if (m->loop)
        loop_del_timer(m->alarm_timer);
    spaces_free(m);
    rams_free(m);
    lists_free(m);
    dev_globals_free(m);
    free(m->own_types);
    pthread_mutex_destroy(&m->big);
    pthread_mutex_destroy(&m->time);
    pthread_mutex_destroy(&m->asks);
    free(m);
}
