/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with PCI devices for fuzz targets.  The input is a list of records of 8 bytes: what to do, to which
 * device, where, with which value.
 */
#ifndef FUZZ_PCI_H
#define FUZZ_PCI_H

#include "base/bytes.h"
#include "bus/machine.h"
#include "dev/devices.h"
#include "dev/pci/gpex.h"

#include <stdlib.h>

#define FUZZ_RAM  0x40000000u
#define FUZZ_ECAM 0x70000000u
#define FUZZ_MEM  0x80000000u
#define FUZZ_IO   0x3eff0000u
enum { FUZZ_RAM_SIZE = 1 << 18, FUZZ_BAR = 1 << 20, FUZZ_RECORD = 8, FUZZ_RECORDS = 512 };

struct fuzz_pci {
    struct machine *m;
    struct mem ram_mem;
    struct ram *ram;
    uint32_t fn[8]; /* bus << 20 | devfn << 12, as in ECAM */
    unsigned n;
};

static inline void fuzz_store(struct fuzz_pci *f, paddr at, uint64_t v, unsigned size)
{
    space_store(machine_space(f->m), at, v, (struct access){.who = BUS_CPU(0), .size = size});
}

static inline uint64_t fuzz_load(struct fuzz_pci *f, paddr at, unsigned size)
{
    uint64_t v = 0;

    space_load(machine_space(f->m), at, &v, (struct access){.who = BUS_CPU(0), .size = size});
    return v;
}

static inline void fuzz_pci_begin(struct fuzz_pci *f)
{
    static const struct gpex_map map = {.ecam = FUZZ_ECAM,
                                        .ecam_size = 0x10000000,
                                        .mem32 = FUZZ_MEM,
                                        .mem32_size = 0x40000000,
                                        .io = FUZZ_IO,
                                        .io_size = 0x10000};

    memset(f, 0, sizeof(*f));
    f->m = machine_new(dev_types(), NULL);
    f->ram = ram_new(f->m, "ram", FUZZ_RAM_SIZE, ERR_IGNORE);
    mem_init_ram(&f->ram_mem, "ram", f->ram, 0, FUZZ_RAM_SIZE);
    machine_lock(f->m);
    mem_add(machine_mem(f->m), FUZZ_RAM, &f->ram_mem, 0);
    gpex_map(gpex_of(dev_add(f->m, "gpex-pcihost", NULL, NULL, ERR_IGNORE)), &map);
}

/* A device of the target, at @fn of ECAM. */
static inline void fuzz_pci_add(struct fuzz_pci *f, const char *type, const char *id,
                                const char *props, uint32_t fn)
{
    struct err e = {0};

    if (!dev_add(f->m, type, id, props, &e))
        bug("%s: %s", type, e.msg);
    f->fn[f->n++] = fn;
}

/* Where BAR @bar of device @dev is put at first. */
static inline uint32_t fuzz_bar(unsigned dev, unsigned bar)
{
    return FUZZ_MEM + (dev * 8 + bar) * FUZZ_BAR;
}

/* Bridges first: their numbers have to be there before what is behind them. */
static inline void fuzz_pci_enable(struct fuzz_pci *f)
{
    machine_reset(f->m);
    for (unsigned dev = 0; dev < f->n; dev++) {
        uint32_t at = FUZZ_ECAM + f->fn[dev];
        bool bridge = fuzz_load(f, at + PCI_HEADER_TYPE, 1) & 1;

        if (bridge)
            fuzz_store(f, at + PCI_PRIMARY_BUS, 0xff0000 | (dev + 1) << 8, 4);
        for (unsigned bar = 0; bar < (bridge ? 2 : 6); bar++) {
            uint32_t was = fuzz_load(f, at + PCI_BAR0 + 4 * bar, 4);

            fuzz_store(f, at + PCI_BAR0 + 4 * bar,
                       was & PCI_BAR_IO ? dev * 0x1000 + bar * 0x100 : fuzz_bar(dev, bar), 4);
            if (was & PCI_BAR_64)
                fuzz_store(f, at + PCI_BAR0 + 4 * ++bar, 0, 4);
        }
        fuzz_store(f, at + PCI_COMMAND, 7, 2);
    }
}

/* One record: 0 what, 1 device and size, 2..3 where, 4..7 value. */
static inline void fuzz_pci_record(struct fuzz_pci *f, const uint8_t *p)
{
    unsigned dev = (p[1] & 7) % (f->n ? f->n : 1), size = 1u << (p[1] >> 3 & 3), bar = p[1] >> 5;
    uint32_t off = get_le16(p + 2), v = get_le32(p + 4), cfg = FUZZ_ECAM + f->fn[dev];

    switch (p[0] & 7) {
    case 0: fuzz_store(f, cfg + (off & 0xfff & ~(size - 1)), v, size < 4 ? size : 4); break;
    case 1: fuzz_load(f, cfg + (off & 0xfff & ~(size - 1)), size < 4 ? size : 4); break;
    case 2:
    case 3: fuzz_store(f, fuzz_bar(dev, bar) + (off & ~(size - 1)), v, size); break;
    case 4: fuzz_load(f, fuzz_bar(dev, bar) + (off & ~(size - 1)), size); break;
    case 5:
        fuzz_store(f, FUZZ_RAM + ((uint32_t)p[1] << 16 | off) % FUZZ_RAM_SIZE / 4 * 4, v, 4);
        break;
    case 6:
        if (f->n && p[1] & 0x80)
            machine_reset(f->m);
        else
            fuzz_store(f, FUZZ_IO + off, v, size < 4 ? size : 4);
        break;
    case 7: clock_step(f->m, v); break;
    }
}

static inline void fuzz_pci_end(struct fuzz_pci *f)
{
    machine_unlock(f->m);
    machine_free(f->m);
}

#endif
