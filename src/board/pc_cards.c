/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cards and disks of a PC that the command line asks for without -device. */
#include "board/pc.h"

#include "board/asked.h"

#include <stdio.h>
#include <string.h>

static int add_nics(struct pc *p, struct err *e)
{
    for (unsigned i = 0; i < p->c->n_nics; i++)
        if (!p->c->nic[i].used && asked_nic(p->m, p->c, &p->c->nic[i], e) < 0)
            return e->code;
    return 0;
}

int pc_add_cards(struct pc *p, struct err *e)
{
    return add_nics(p, e);
}
