/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -fsdev and -virtfs: folders of the host, as "fsdev" back ends; -virtfs also makes the device that shares one. */
#include "app/system/sys.h"

#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int check(struct json_object *o, struct err *e)
{
    static const char *const models[] = {"mapped-xattr", "mapped-file", "mapped", "passthrough",
                                         "none", NULL};
    const char *driver = keyval_string(o, "fsdriver"), *path = keyval_string(o, "path");
    const char *model = keyval_string(o, "security_model");
    const char *const *m = models;
    struct stat st;

    if (!driver || strcmp(driver, "local") != 0)
        return err_set(e, driver && (!strcmp(driver, "proxy") || !strcmp(driver, "synth")) ? -ENOTSUP
                                                                                           : -EINVAL,
                       "fsdriver '%s' is not supported, only 'local' is", driver ? driver : "");
    if (!path)
        return err_set(e, -EINVAL, "path is missing");
    if (stat(path, &st) < 0)
        return err_set(e, -errno, "cannot open '%s': %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(e, -ENOTDIR, "'%s' is no folder", path);
    if (!model)
        return err_set(e, -EINVAL,
                       "Security model not specified, local fs needs security model: passthrough, "
                       "mapped-xattr, mapped-file or none");
    while (*m && strcmp(*m, model) != 0)
        m++;
    return *m ? 0
              : err_set(e, -EINVAL,
                        "Invalid security model '%s': want mapped-xattr, mapped-file, passthrough "
                        "or none",
                        model);
}

/* The options themselves are the back end: who shares the folder reads them. */
static int add(struct sys *s, const struct entry *x, const char *id, struct err *e)
{
    if (check(x->opts, e) < 0)
        return e->code;
    return machine_add_backend(s->m, "fsdev", id, x->opts, e);
}

static int add_virtfs(struct sys *s, const struct entry *x, struct err *e)
{
    const char *tag = keyval_string(x->opts, "mount_tag"), *id = keyval_string(x->opts, "id");
    char text[256];

    if (!tag)
        return err_set(e, -EINVAL, "mount_tag is missing");
    id = id ? id : tag;
    if (add(s, x, id, e) < 0)
        return e->code;
    snprintf(text, sizeof(text), "virtio-9p-pci,fsdev=%s,mount_tag=%s", id, tag);
    return cli_add(&s->cli, &group_device, "-virtfs", text, e);
}

int fsdevs_make(struct sys *s, struct err *e)
{
    for (struct entry *x = s->cli.entries; x; x = x->next) {
        const char *id = keyval_string(x->opts, "id");
        int r = 0;

        if (x->group == &group_fsdev)
            r = id ? add(s, x, id, e) : err_set(e, -EINVAL, "fsdev: No id specified");
        else if (x->group == &group_virtfs)
            r = add_virtfs(s, x, e);
        if (r < 0)
            return entry_fail(x, e);
    }
    return 0;
}
