/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitors of a machine, on the character back ends that -monitor, -mon and -nographic named. */
#include "app/system/sys.h"

#include <stdlib.h>

int monitors_make(struct sys *s, struct err *e)
{
    return 0;
}

void monitors_close(struct sys *s)
{
    for (struct named *n; (n = s->mons);) {
        s->mons = n->next;
        free(n->id);
        free(n);
    }
}
