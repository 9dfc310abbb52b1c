/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -runas and -chroot: what the program gives up before the guest runs. */
#ifndef APP_SYSTEM_RIGHTS_H
#define APP_SYSTEM_RIGHTS_H

#include "base/err.h"

#include <sys/types.h>

struct rights {
    const char *user; /* a name, or numbers as UID:GID; NULL: who started it */
    const char *root; /* NULL: as it is */
    uid_t uid;
    gid_t gid;
};

/** rights_find - who @r->user is; at the start: the new root folder may have no list of users. */
int rights_find(struct rights *r, struct err *e);
/** rights_drop - when everything is open. */
int rights_drop(const struct rights *r, struct err *e);

#endif
