/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev, -nic, -net: so far, no network. */
#include "app/system/sys.h"

#include "schema/keyval.h"

#include <errno.h>
#include <string.h>

int nets_open(struct sys *s, struct err *e)
{
    for (struct entry *x = s->cli.entries; x; x = x->next) {
        const char *type = keyval_string(x->opts, "type");

        if ((x->group == &group_netdev || x->group == &group_nic || x->group == &group_net) &&
            (!type || strcmp(type, "none") != 0)) {
            err_set(e, -ENOTSUP, "not supported yet");
            return entry_fail(x, e);
        }
    }
    return 0;
}

void nets_close(struct sys *s)
{
}
