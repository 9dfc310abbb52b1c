/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rig with the i440FX host bridge and 1 MiB of RAM at address 0: rig_with(type, props, pc_rig_before).  Ports and
 * configuration space are reached as PCs do.
 */
#ifndef TESTS_DEV_PC_RIG_H
#define TESTS_DEV_PC_RIG_H

#include "dev/pc/pc_host.h"
#include "tests/dev/rig.h"

static struct {
    struct dev *host;
    struct mem low;
    struct irq_state line[4];
} pc_rig;

static inline void pc_rig_line(void *opaque, int n, bool level)
{
    pc_rig.line[n].rose += level && !pc_rig.line[n].level;
    pc_rig.line[n].level = level;
}

static inline void pc_rig_before(struct rig *r)
{
    struct err e = {0};

    machine_lock(r->m);
    memset(&pc_rig, 0, sizeof(pc_rig));
    mem_init_ram(&pc_rig.low, "low", r->ram, 0, RIG_RAM_SIZE);
    mem_add(machine_mem(r->m), 0, &pc_rig.low, 0);
    pc_rig.host = dev_add(r->m, "i440FX-pcihost", NULL, NULL, &e);
    if (!pc_rig.host || pc_host_start(pc_rig.host, r->ram, RIG_RAM_SIZE, &e) < 0) {
        printf("i440FX-pcihost: %s\n", e.msg);
        exit(TEST_FAILED);
    }
    for (int i = 0; i < 4; i++)
        irq_connect(&pc_rig.host->irq[i], (struct irq_in){.set = pc_rig_line, .n = i});
    machine_unlock(r->m);
}

static inline uint32_t pc_in(struct rig *r, uint16_t port, unsigned size)
{
    uint64_t v = 0;

    return space_load(machine_io_space(r->m), port, &v, (struct access){.size = size}) ? v : UINT32_MAX;
}

static inline void pc_out(struct rig *r, uint16_t port, uint32_t v, unsigned size)
{
    space_store(machine_io_space(r->m), port, v, (struct access){.size = size});
}

/* @fn: device << 3 | function, on bus 0. */
static inline uint32_t pc_cfg_read(struct rig *r, unsigned fn, unsigned off, unsigned size)
{
    pc_out(r, 0xcf8, 0x80000000 | fn << 8 | (off & ~3u), 4);
    return pc_in(r, 0xcfc + (off & 3), size);
}

static inline void pc_cfg_write(struct rig *r, unsigned fn, unsigned off, uint32_t v, unsigned size)
{
    pc_out(r, 0xcf8, 0x80000000 | fn << 8 | (off & ~3u), 4);
    pc_out(r, 0xcfc + (off & 3), v, size);
}

#endif
