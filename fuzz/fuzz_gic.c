/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm interrupt controllers: the input is what a guest and its devices do to a GICv2, a GICv3 and an ITS, eight bytes at a
 * time: accesses to registers, system registers, interrupt lines, messages, tables and commands in memory.
 */
#include "bus/machine.h"
#include "dev/devices.h"
#include "dev/intc/gic.h"

#include <stdlib.h>
#include <string.h>

enum { CPUS = 3, RAM = 0x40000000, RAM_SIZE = 1 << 20, N_FRAMES = 7 };

int fuzz_one(const uint8_t *data, size_t len);

struct box {
    struct machine *m;
    struct dev *v2, *v3, *its;
    struct mem ram_mem;
    struct ram *ram;
    struct {
        paddr at;
        uint64_t size;
    } frame[N_FRAMES];
};

static void map(struct box *b, unsigned n, struct mem *m)
{
    b->frame[n].at = 0x10000000 + (paddr)n * 0x1000000;
    b->frame[n].size = m->size;
    mem_add(machine_mem(b->m), b->frame[n].at, m, 0);
}

static void make(struct box *b)
{
    struct err e = {0};

    memset(b, 0, sizeof(*b));
    b->m = machine_new(dev_types(), NULL);
    machine_lock(b->m);
    b->ram = ram_new(b->m, "ram", RAM_SIZE, &e);
    if (!b->ram)
        abort();
    mem_init_ram(&b->ram_mem, "ram", b->ram, 0, RAM_SIZE);
    mem_add(machine_mem(b->m), RAM, &b->ram_mem, 0);
    b->v2 = dev_add(b->m, "arm-gic", "gic2",
                    "num-cpu=3,num-irq=96,has-virtualization-extensions=on", &e);
    b->v3 = dev_add(b->m, "arm-gicv3", "gic", "num-cpu=3,num-irq=96,has-lpi=on", &e);
    b->its = dev_add(b->m, "arm-gicv3-its", "its", "parent-gicv3=gic", &e);
    if (!b->v2 || !b->v3 || !b->its)
        abort();
    map(b, 0, gic_regs(b->v2, GIC_DIST, 0));
    map(b, 1, gic_regs(b->v2, GIC_CPU_IF, 0));
    map(b, 2, gic_regs(b->v2, GIC_HYP, 0));
    map(b, 3, gic_regs(b->v2, GIC_VCPU, 0));
    map(b, 4, gic_regs(b->v3, GIC_DIST, 0));
    map(b, 5, gic_regs(b->v3, GIC_REDIST, 0));
    map(b, 6, &b->its->mmio);
    machine_reset(b->m);
}

/* Values of all sorts from four bytes: small ones, addresses in memory with the bit that says "valid", commands. */
static uint64_t value(const uint8_t *p)
{
    uint64_t v = (uint64_t)p[0] | p[1] << 8 | p[2] << 16;

    switch (p[3] & 7) {
    case 0: return v;
    case 1: return (UINT64_C(1) << 63) | (RAM + (v & 0xff) * 0x1000) | (v >> 8 & 0xff);
    case 2: return (UINT64_C(3) << 62) | (RAM + (v & 0xff) * 0x1000) | (v >> 8 & 0xff);
    case 3: return v << 32 | v;
    case 4: return v << 40;
    case 5: return (UINT64_C(1) << 63) | v;
    case 6: return RAM + (v & 0xff) * 0x1000 + 15;
    default: return ~v;
    }
}

static void mmio(struct box *b, const uint8_t *p)
{
    unsigned n = p[0] >> 2 & 7, size = 1u << (p[1] & 3);
    struct access a = {.who = BUS_CPU(p[1] >> 2 & 3), .size = (uint8_t)size};
    uint64_t v = value(p + 4);
    paddr off;

    if (n >= N_FRAMES)
        return;
    off = ((paddr)(p[2] | p[3] << 8) * (p[1] & 16 ? 4 : 1) + (p[1] & 32 ? 0x10000 : 0)) %
          b->frame[n].size / size * size;
    if (p[0] & 128)
        space_load(machine_space(b->m), b->frame[n].at + off, &v, a);
    else
        space_store(machine_space(b->m), b->frame[n].at + off, v, a);
}

static void sysreg(struct box *b, const uint8_t *p)
{
    void *icc = gicv3_icc(b->v3, p[1] % CPUS);
    uint32_t encoding = p[2] & 128
                            ? ICC_ENCODING(3, 0, 4, 6, 0)
                            : ICC_ENCODING(3, p[2] & 64 ? 4 : 0, 12, 8 + (p[2] >> 3 & 7), p[2] & 7);
    uint64_t v = value(p + 4);

    if (p[0] & 128)
        gicv3_icc_read(icc, encoding, p[3] & 31, &v);
    else
        gicv3_icc_write(icc, encoding, p[3] & 31, p[3] & 32 ? v << 38 | v : v);
}

static void line(struct box *b, const uint8_t *p)
{
    struct dev *gic = p[1] & 1 ? b->v2 : b->v3;
    struct irq_in in =
        p[1] & 2 ? gic_spi(gic, p[2] % 64) : gic_ppi(gic, p[3] % CPUS, 16 + p[2] % 16);

    in.set(in.opaque, in.n, p[0] & 128);
}

static void message(struct box *b, const uint8_t *p)
{
    space_store(machine_space(b->m), b->frame[6].at + 0x10040, p[2] & 31,
                (struct access){.who = BUS_PCI(p[1] & 15), .size = 4});
}

static void memory(struct box *b, const uint8_t *p)
{
    uint64_t v = value(p + 4);

    memcpy(b->ram->host + ((p[2] | p[3] << 8) * (p[1] & 1 ? 8u : 16u)) % (RAM_SIZE - 8), &v, 8);
}

/* A command of the ITS, at the head of its queue. */
static void command(struct box *b, const uint8_t *p)
{
    struct access a = {.who = BUS_CPU(0), .size = 8};
    uint64_t cbaser = 0, at = 0, dw[4];

    space_load(machine_space(b->m), b->frame[6].at + 0x80, &cbaser, a);
    space_load(machine_space(b->m), b->frame[6].at + 0x88, &at, a);
    dw[0] = (p[1] & 15) | (uint64_t)(p[2] & 15) << 32;
    dw[1] = (p[3] & 31) | (uint64_t)(8192 + p[4]) << 32;
    dw[2] = p[5] & 16 ? value(p + 4) : (uint64_t)(p[5] & 1) << 63 | (uint64_t)p[6] << 16 | p[7];
    dw[3] = (uint64_t)p[7] << 16;
    space_write(machine_space(b->m), (cbaser & UINT64_C(0xffffffffff000)) + at, dw, 32, a);
    space_store(machine_space(b->m), b->frame[6].at + 0x88, at + 32, a);
}

/* What is saved is loaded into the same machine, and gives the same. */
static void save_load(struct box *b)
{
    uint8_t *one, *two;
    size_t n1, n2;

    if (machine_save(b->m, &one, &n1, ERR_IGNORE) < 0)
        abort();
    if (machine_load(b->m, one, n1, ERR_IGNORE) < 0 ||
        machine_save(b->m, &two, &n2, ERR_IGNORE) < 0 || n1 != n2 || memcmp(one, two, n1))
        abort();
    free(one);
    free(two);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct box b;

    make(&b);
    for (; len >= 8; data += 8, len -= 8) {
        switch (data[0] & 3) {
        case 0: mmio(&b, data); break;
        case 1: sysreg(&b, data); break;
        case 2: (data[0] & 4 ? line : message)(&b, data); break;
        case 3: (data[0] & 4 ? memory : command)(&b, data); break;
        }
    }
    save_load(&b);
    machine_unlock(b.m);
    machine_free(b.m);
    return 0;
}
