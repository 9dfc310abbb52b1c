/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's CPUs. */
#include "board/pc.h"

int pc_add_cpus(struct pc *p, struct err *e)
{
    return 0;
}

unsigned pc_apic_id_limit(const struct pc *p)
{
    return p->c->max_cpus;
}

uint32_t pc_apic_id(const struct pc *p, unsigned i)
{
    return i;
}
