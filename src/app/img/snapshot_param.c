/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -l SNAPSHOT: "snapshot.id=ID,snapshot.name=NAME", or an ID or name. */
#include "app/img/img.h"

#include "schema/keyval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The ID of the snapshot that has both @id and @name (either may be NULL). */
static int find(struct blk *b, const char *id, const char *name, char found[128], struct err *e)
{
    struct blk_snapshot *list = NULL;
    int n = blk_snapshot_list(b, &list, e);

    if (n < 0)
        return n;
    found[0] = 0;
    for (int i = 0; i < n; i++)
        if ((!id || !strcmp(list[i].id, id)) && (!name || !strcmp(list[i].name, name)))
            memcpy(found, list[i].id, sizeof(list[i].id));
    free(list);
    return *found ? 0 : err_set(e, -ENOENT, "Can't find snapshot '%s'", name ? name : id ? id : "");
}

static int load(struct blk *b, const char *param, struct err *e)
{
    struct json_object *o;
    char id[128];
    int r;

    if (strncmp(param, "snapshot.", 9))
        return blk_snapshot_load(b, param, e);
    if (!(o = keyval_parse(param, NULL, e)))
        return e->code;
    r = find(b, keyval_string(o, "snapshot.id"), keyval_string(o, "snapshot.name"), id, e);
    json_object_put(o);
    return r < 0 ? r : blk_snapshot_load(b, id, e);
}

int img_load_snapshot(struct blk *b, const char *param)
{
    struct err e = {0};

    return load(b, param, &e) < 0 ? img_error("Failed to load snapshot: %s", e.msg) : 0;
}
