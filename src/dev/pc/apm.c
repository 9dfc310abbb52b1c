/* SPDX-License-Identifier: GPL-2.0-or-later */
/* APMC and APMS (apm.h). */
#include "dev/pc/apm.h"

enum { APMC = 0xb2 };

static uint64_t apm_read(void *opaque, paddr off, struct access a)
{
    struct apm *p = opaque;

    return off ? p->status : p->control;
}

static void apm_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct apm *p = opaque;

    if (off) {
        p->status = v;
        return;
    }
    p->control = v;
    p->command(p->opaque, v);
}

static const struct mmio_ops apm_ops = {apm_read, apm_write, 1, 1};

void apm_init(struct apm *a, struct machine *m, void (*command)(void *opaque, uint8_t value), void *opaque)
{
    a->command = command;
    a->opaque = opaque;
    mem_init_mmio(&a->regs, "apm-io", 2, &apm_ops, a);
    mem_add(machine_io_mem(m), APMC, &a->regs, 0);
}

void apm_fini(struct apm *a)
{
    mem_remove(&a->regs);
}
