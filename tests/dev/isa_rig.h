/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rig with an ISA bus: rig_with(type, props, isa_rig_before).  Ports are reached with inb() and its kin, the sixteen lines
 * are recorded in isa_rig.line.
 */
#ifndef TESTS_DEV_ISA_RIG_H
#define TESTS_DEV_ISA_RIG_H

#include "dev/isa/isa.h"
#include "tests/dev/rig.h"

static struct {
    struct isa_bus *isa;
    struct irq_state line[ISA_IRQS];
} isa_rig;

static inline void isa_rig_line(void *opaque, int n, bool level)
{
    isa_rig.line[n].rose += level && !isa_rig.line[n].level;
    isa_rig.line[n].level = level;
}

static inline void isa_rig_before(struct rig *r)
{
    struct err e = {0};

    machine_lock(r->m);
    memset(&isa_rig, 0, sizeof(isa_rig));
    if (!dev_add(r->m, "isabus-bridge", NULL, NULL, &e)) {
        printf("isabus-bridge: %s\n", e.msg);
        exit(TEST_FAILED);
    }
    isa_rig.isa = isa_bus(r->m);
    for (int i = 0; i < ISA_IRQS; i++)
        irq_connect(&isa_rig.isa->irq[i].out, (struct irq_in){.set = isa_rig_line, .n = i});
    machine_unlock(r->m);
}

static inline struct rig *isa_new(const char *type, const char *props)
{
    return rig_with(type, props, isa_rig_before);
}

static inline uint32_t port_in(struct rig *r, unsigned port, unsigned size)
{
    uint64_t v = 0;

    if (!space_load(machine_io_space(r->m), port, &v,
                    (struct access){.who = BUS_CPU(0), .size = (uint8_t)size}))
        CHECK(!"something answers at the port");
    return (uint32_t)v;
}

static inline void port_out(struct rig *r, unsigned port, uint32_t v, unsigned size)
{
    if (!space_store(machine_io_space(r->m), port, v,
                     (struct access){.who = BUS_CPU(0), .size = (uint8_t)size}))
        CHECK(!"something answers at the port");
}

static inline uint8_t inb(struct rig *r, unsigned port)
{
    return (uint8_t)port_in(r, port, 1);
}

static inline uint16_t inw(struct rig *r, unsigned port)
{
    return (uint16_t)port_in(r, port, 2);
}

static inline void outb(struct rig *r, unsigned port, uint8_t v)
{
    port_out(r, port, v, 1);
}

static inline void outw(struct rig *r, unsigned port, uint16_t v)
{
    port_out(r, port, v, 2);
}

#endif
