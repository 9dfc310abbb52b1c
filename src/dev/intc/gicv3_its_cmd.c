/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ITS's commands (Arm IHI 0069 section 5.3).  One that is wrong is reported and skipped; each does a bounded amount of
 * work, and a write of GITS_CWRITER runs at most as many as the queue holds.
 */
#include "dev/intc/gicv3_its_priv.h"

#include <inttypes.h>

enum { COMMAND_SIZE = 32 };
enum {
    MOVI = 0x01,
    INT = 0x03,
    CLEAR = 0x04,
    SYNC = 0x05,
    MAPD = 0x08,
    MAPC = 0x09,
    MAPTI = 0x0a,
    MAPI = 0x0b,
    INV = 0x0c,
    INVALL = 0x0d,
    MOVALL = 0x0e,
    DISCARD = 0x0f,
};

/* struct command - its fields, where they stand in most. */
struct command {
    uint64_t dw[4];
    uint32_t device, event, collection;
};

static uint32_t rdbase(uint64_t dw)
{
    return (uint32_t)(dw >> 16);
}

static bool map_device(struct gicv3_its *s, const struct command *c)
{
    uint64_t addr = its_entry_addr(s, ITS_DEVICES, c->device), entry = 0;
    unsigned size = c->dw[1] & 31;

    if (c->device >> ITS_DEV_BITS || !addr || size >= GICV3_ID_BITS)
        return false;
    if (c->dw[2] & ITS_VALID)
        entry = ITS_VALID | (c->dw[2] & DTE_ADDR) | size;
    its_forget(s);
    return its_store(s, addr, entry);
}

static bool map_collection(struct gicv3_its *s, const struct command *c)
{
    uint64_t addr = its_entry_addr(s, ITS_COLLECTIONS, c->collection);
    uint32_t cpu = rdbase(c->dw[2]) & 0xffff;
    bool valid = c->dw[2] & ITS_VALID;

    if (!addr || (valid && cpu >= s->gic->n_cpus))
        return false;
    its_forget(s);
    return its_store(s, addr, valid ? ITS_VALID | cpu : 0);
}

static bool map_event(struct gicv3_its *s, const struct command *c, uint32_t intid)
{
    uint64_t addr;

    if (!its_find_event(s, c->device, c->event, &addr) || intid < GIC_LPI || intid >> GICV3_ID_BITS)
        return false;
    its_forget(s);
    return its_store(s, addr, ITS_VALID | (uint64_t)c->collection << 32 | intid);
}

static bool move_event(struct gicv3_its *s, const struct command *c)
{
    uint64_t addr, ite;
    uint32_t from, to;

    if (!its_find_event(s, c->device, c->event, &addr) || !its_load(s, addr, &ite) ||
        !(ite & ITS_VALID) || !its_find_cpu(s, ITE_COLLECTION(ite), &from) ||
        !its_find_cpu(s, c->collection, &to))
        return false;
    its_forget(s);
    if (!its_store(s, addr, ITS_VALID | (uint64_t)c->collection << 32 | (ite & ITE_INTID)))
        return false;
    gicv3_lpi_move(s->gic, from, to, (uint32_t)(ite & ITE_INTID));
    return true;
}

static bool move_all(struct gicv3_its *s, const struct command *c)
{
    uint32_t from = rdbase(c->dw[2]), to = rdbase(c->dw[3]);

    if (from >= s->gic->n_cpus || to >= s->gic->n_cpus)
        return false;
    gicv3_lpi_move(s->gic, from, to, 0);
    return true;
}

static bool discard(struct gicv3_its *s, const struct command *c)
{
    uint32_t intid, cpu;
    uint64_t addr;

    if (!its_translate(s, c->device, c->event, &intid, &cpu) ||
        !its_find_event(s, c->device, c->event, &addr))
        return false;
    gicv3_lpi_set(s->gic, cpu, intid, false);
    its_forget(s);
    return its_store(s, addr, 0);
}

static bool one_event(struct gicv3_its *s, const struct command *c)
{
    uint32_t intid, cpu;

    if (!its_translate(s, c->device, c->event, &intid, &cpu))
        return false;
    if ((c->dw[0] & 0xff) == INV)
        gicv3_lpi_changed(s->gic, cpu, intid);
    else
        gicv3_lpi_set(s->gic, cpu, intid, (c->dw[0] & 0xff) == INT);
    return true;
}

static bool invalidate_all(struct gicv3_its *s, const struct command *c)
{
    uint32_t cpu;

    if (!its_find_cpu(s, c->collection, &cpu))
        return false;
    gicv3_lpi_changed(s->gic, cpu, 0);
    return true;
}

static bool run(struct gicv3_its *s, const struct command *c)
{
    switch (c->dw[0] & 0xff) {
    case MAPD: return map_device(s, c);
    case MAPC: return map_collection(s, c);
    case MAPTI: return map_event(s, c, (uint32_t)(c->dw[1] >> 32));
    case MAPI: return map_event(s, c, c->event);
    case MOVI: return move_event(s, c);
    case MOVALL: return move_all(s, c);
    case DISCARD: return discard(s, c);
    case INT:
    case CLEAR:
    case INV: return one_event(s, c);
    case INVALL: return invalidate_all(s, c);
    case SYNC: return true; /* all are done in order */
    }
    return false;
}

static bool fetch(struct gicv3_its *s, uint64_t addr, struct command *c)
{
    for (unsigned i = 0; i < 4; i++) {
        if (!its_load(s, addr + 8 * i, &c->dw[i]))
            return false;
    }
    c->device = (uint32_t)(c->dw[0] >> 32);
    c->event = (uint32_t)c->dw[1];
    c->collection = (uint32_t)c->dw[2] & 0xffff;
    return true;
}

void its_run_commands(struct gicv3_its *s)
{
    uint64_t size = ((s->cbaser & 0xff) + 1) * 4 * KiB;
    uint64_t base = s->cbaser & UINT64_C(0x000ffffffffff000);

    if (!(s->ctlr & 1) || !(s->cbaser & ITS_VALID) || s->cwriter >= size || s->creadr >= size)
        return;
    while (s->creadr != s->cwriter && !(s->creadr & ITS_STALLED)) {
        struct command c;

        if (!fetch(s, base + s->creadr, &c)) {
            guest_error(&s->dev, "no command at %#" PRIx64, base + s->creadr);
            s->creadr |= ITS_STALLED;
            return;
        }
        if (!run(s, &c))
            guest_error(&s->dev,
                        "command %#" PRIx64 " for device %#" PRIx32 ", event %" PRIu32
                        ", collection %" PRIu32 " is refused",
                        c.dw[0] & 0xff, c.device, c.event, c.collection);
        s->creadr = (s->creadr + COMMAND_SIZE) % size;
    }
}
