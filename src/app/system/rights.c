/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up rights (rights.h). */
#include "app/system/rights.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int rights_find(struct rights *r, struct err *e)
{
    struct passwd *p = r->user ? getpwnam(r->user) : NULL;
    int end = 0;

    if (p) {
        r->uid = p->pw_uid;
        r->gid = p->pw_gid;
    } else if (r->user && (sscanf(r->user, "%u:%u%n", &r->uid, &r->gid, &end) != 2 || r->user[end])) {
        return err_set(e, -EINVAL, "-runas %s: User \"%s\" doesn't exist (and is not <uid>:<gid>)", r->user, r->user);
    }
    return 0;
}

int rights_drop(const struct rights *r, struct err *e)
{
    bool named = r->user && !strchr(r->user, ':');

    if (named ? initgroups(r->user, r->gid) < 0 : r->user && setgroups(1, &r->gid) < 0) /* reads the list of groups: before it is gone */
        return err_set(e, -errno, "-runas %s: %s", r->user, strerror(errno));
    if (r->root && (chroot(r->root) < 0 || chdir("/") < 0))
        return err_set(e, -errno, "-chroot %s: %s", r->root, strerror(errno));
    if (!r->user)
        return 0;
    if (setgid(r->gid) < 0 || setuid(r->uid) < 0)
        return err_set(e, -errno, "-runas %s: %s", r->user, strerror(errno));
    if (r->uid && setuid(0) == 0)
        return err_set(e, -EPERM, "-runas %s: root's rights could not be dropped", r->user);
    return 0;
}
