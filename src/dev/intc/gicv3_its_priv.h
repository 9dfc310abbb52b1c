/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ITS's state, for the files gicv3_its*.c.  All under the machine's lock.
 *
 * Entries of tables, which are ours to define, are 8 bytes, little endian:
 * device       63 valid, 51:8 address of the device's interrupt table, 4:0 bits of EventID less one
 * collection   63 valid, 15:0 CPU
 * interrupt    63 valid, 47:32 collection, 16:0 INTID
 */
#ifndef DEV_INTC_GICV3_ITS_PRIV_H
#define DEV_INTC_GICV3_ITS_PRIV_H

#include "base/bytes.h"
#include "dev/intc/gicv3_priv.h"

enum {
    ITS_ENTRY = 8,
    ITS_DEV_BITS = 16, /* a PCI requester ID */
    ITS_KNOWN = 256,
    ITS_STALLED = 1, /* GITS_CREADR: the queue could not be read */
    DTE_SIZE = 31,
    CTE_CPU = 0xffff,
    ITE_INTID = 0x1ffff,
};
#define ITS_VALID           (UINT64_C(1) << 63)
#define ITS_INDIRECT        (UINT64_C(1) << 62)
#define ITS_L1_ADDR         UINT64_C(0x000ffffffffff000)
#define DTE_ADDR            UINT64_C(0x000fffffffffff00)
#define ITE_COLLECTION(ite) ((uint32_t)((ite) >> 32) & 0xffff)

enum its_table { ITS_DEVICES, ITS_COLLECTIONS };

/* struct its_known - a translation that has been looked up: forgotten with any command that maps. */
struct its_known {
    bool valid;
    uint32_t device, event, intid, cpu;
};

struct gicv3_its {
    struct dev dev;
    char *parent; /* property */
    struct gicv3 *gic;
    uint32_t ctlr;
    uint64_t cbaser, cwriter, creadr, baser[2]; /* baser: enum its_table */
    struct its_known known[ITS_KNOWN];
};

/* its_load, its_store - 8 bytes of guest RAM; false: it is none. */
bool its_load(struct gicv3_its *s, uint64_t addr, uint64_t *v);
bool its_store(struct gicv3_its *s, uint64_t addr, uint64_t v);
/** its_entry_addr - of entry @n, 0: the table has none, flat or two-level. */
uint64_t its_entry_addr(struct gicv3_its *s, enum its_table t, uint32_t n);
/** its_find_event - where the entry of the interrupt lies; false: the device is not mapped, or the event out of range. */
bool its_find_event(struct gicv3_its *s, uint32_t device, uint32_t event, uint64_t *ite_addr);
bool its_find_cpu(struct gicv3_its *s, uint32_t collection, uint32_t *cpu);
bool its_translate(struct gicv3_its *s, uint32_t device, uint32_t event, uint32_t *intid,
                   uint32_t *cpu);
void its_forget(struct gicv3_its *s);
/** its_message - a device's message: its LPI becomes pending. */
void its_message(struct gicv3_its *s, uint32_t device, uint32_t event);
/** its_run_commands - what is in the queue, if the ITS is enabled. */
void its_run_commands(struct gicv3_its *s);

extern const struct dev_type dev_gicv3;

#endif
