/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of -drive (bps=, iops_max=, throttling.bps-total= and their kin): a throttle group, and the throttle filter on the image. */
#include "app/system/drive_priv.h"

#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The short spellings, and what the group calls them. */
static const char *const short_names[][2] = {
    {"bps", "x-bps-total"},           {"bps_rd", "x-bps-read"},
    {"bps_wr", "x-bps-write"},        {"iops", "x-iops-total"},
    {"iops_rd", "x-iops-read"},       {"iops_wr", "x-iops-write"},
    {"bps_max", "x-bps-total-max"},   {"bps_rd_max", "x-bps-read-max"},
    {"bps_wr_max", "x-bps-write-max"}, {"iops_max", "x-iops-total-max"},
    {"iops_rd_max", "x-iops-read-max"}, {"iops_wr_max", "x-iops-write-max"},
    {"iops_size", "x-iops-size"},
};

static void move(struct json_object *from, const char *key, struct json_object *to, const char *as)
{
    struct json_object *v;

    if (!json_object_object_get_ex(from, key, &v))
        return;
    json_object_object_add(to, as, json_object_get(v));
    json_object_object_del(from, key);
}

/* What "throttling.": holds, with the group's names. */
static void move_long(struct json_object *from, struct json_object *to)
{
    struct json_object *t = json_object_object_get(from, "throttling");

    if (!json_object_is_type(t, json_type_object))
        return;
    json_object_object_foreach(t, key, value)
    {
        char name[64];

        snprintf(name, sizeof(name), "%s%s", strcmp(key, "group") ? "x-" : "", key);
        json_object_object_add(to, name, json_object_get(value));
    }
    json_object_object_del(from, "throttling");
}

char *drive_limits(struct sys *s, struct json_object *opts, const char *id, struct err *e)
{
    struct json_object *o = json_object_new_object();
    const char *group;
    char name[128], *copy;

    for (unsigned i = 0; i < sizeof(short_names) / sizeof(short_names[0]); i++)
        move(opts, short_names[i][0], o, short_names[i][1]);
    move(opts, "group", o, "group");
    move_long(opts, o);
    if (!json_object_object_length(o)) {
        json_object_put(o);
        return NULL;
    }
    group = keyval_string(o, "group");
    snprintf(name, sizeof(name), "%s%s", group ? "group-" : "throttle-of-", group ? group : id);
    if (!(copy = strdup(name)))
        fatal("out of memory");
    json_object_object_del(o, "group");
    json_object_object_add(o, "qom-type", json_object_new_string("throttle-group"));
    json_object_object_add(o, "id", json_object_new_string(name));
    if (blk_env_object(s->blk, name, "throttle-group", ERR_IGNORE)) {
        json_object_put(o); /* drives of one group share the limits that the first one gave */
    } else if (blk_env_add_object(s->blk, o, e) < 0) {
        free(copy);
        return NULL;
    }
    return copy;
}

struct blk *drive_throttle(struct sys *s, const char *node, const char *group, unsigned flags,
                           struct err *e)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "driver", json_object_new_string("throttle"));
    json_object_object_add(o, "throttle-group", json_object_new_string(group));
    json_object_object_add(o, "file", json_object_new_string(node));
    return blk_open(s->blk, NULL, o, flags & (BLK_RDWR | BLK_UNMAP | BLK_NO_FLUSH), e);
}
