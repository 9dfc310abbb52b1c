/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_add, device_del, object_add, object_del. */
#include "mon/mon_priv.h"

#include "schema/keyval.h"

#include <errno.h>
#include <string.h>

static int device_add(struct mon *m, const char *args, struct err *e)
{
    struct json_object *o = keyval_parse(args, "driver", e);
    const char *driver = o ? keyval_string(o, "driver") : NULL;
    const struct dev_type *t = driver ? dev_type_find(m->env->m, driver) : NULL;
    char name[128];

    if (!o)
        return e->code;
    if (!driver)
        err_set(e, -ENOENT, "Parameter 'driver' is missing");
    else if (t && t->class == DEV_BOARD)
        err_set(e, -ENOTSUP, "Parameter 'driver' expects a pluggable device type");
    if (e->code) {
        json_object_put(o);
        return e->code;
    }
    strncpy(name, driver, sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    if (!dev_new(m->env->m, name, NULL, NULL, o, e))
        e->code = e->code == -EINVAL ? -EPERM : e->code; /* not the command's form is wrong */
    return e->code;
}

static void complete_types(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                           void *opaque)
{
    const struct dev_type *const *t = machine_types(m->env->m);

    for (; n == 0 && *t; t++)
        if ((*t)->class != DEV_BOARD)
            word(opaque, (*t)->name);
}

const struct mon_command cmd_device_add = {
    .name = "device_add",
    .args = "driver[,prop=value][,...]",
    .help = "add device, like -device on the command line",
    .run = device_add,
    .complete = complete_types,
};

static int device_del(struct mon *m, const char *args, struct err *e)
{
    char id[128];
    struct dev *d;

    if (!mon_word(&args, id, sizeof(id)))
        return err_set(e, -EINVAL, "expected a device");
    if (mon_end(args, e) < 0 || !(d = mon_device(m, id, e)))
        return e->code;
    return dev_unplug(d, e);
}

const struct mon_command cmd_device_del = {
    .name = "device_del",
    .args = "device",
    .help = "remove device",
    .run = device_del,
    .complete = complete_devices,
};

static int object_add(struct mon *m, const char *args, struct err *e)
{
    struct json_object *o;

    if (!m->env->object_add)
        return err_set(e, -ENOTSUP, "not here");
    if ((o = keyval_parse(args, "qom-type", e))) {
        if (m->env->object_add(m->env->opaque, o, e) < 0 && e->code == -EINVAL)
            e->code = -EPERM;
        json_object_put(o);
    }
    return e->code;
}

const struct mon_command cmd_object_add = {
    .name = "object_add",
    .args = "[qom-type=]type,id=str[,prop=value][,...]",
    .help = "create an object",
    .run = object_add,
};

static int object_del(struct mon *m, const char *args, struct err *e)
{
    char id[128];

    if (!mon_word(&args, id, sizeof(id)))
        return err_set(e, -EINVAL, "object_del: string expected");
    if (mon_end(args, e) < 0)
        return e->code;
    return m->env->object_del ? m->env->object_del(m->env->opaque, id, e) : err_set(e, -ENOTSUP, "not here");
}

const struct mon_command cmd_object_del = {
    .name = "object_del",
    .args = "id",
    .help = "destroy an object",
    .run = object_del,
};
