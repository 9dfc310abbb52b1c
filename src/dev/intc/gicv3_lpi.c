/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LPIs of GICv3: message-signalled interrupts whose configuration (a byte each) and pending bits lie in tables in
 * guest memory (Arm IHI 0069 chapter 5).  While LPIs are enabled, what is pending is kept here; the guest's table is read when
 * they are enabled and written when they are disabled.
 */
#include "dev/intc/gicv3_priv.h"

#include "bus/machine.h"

#include <string.h>

#define PROP_ADDR UINT64_C(0x000ffffffffff000)
#define PEND_ADDR UINT64_C(0x000fffffffff0000)
#define PEND_PTZ  (UINT64_C(1) << 62)

enum { ENABLE_LPIS = 1 };

/* --- tables in guest memory --------------------------------------------------------------------*/

/* Only RAM: registers would want the machine's lock, which is outside ours, or call us back. */
uint8_t *gicv3_table(struct gicv3 *g, uint64_t addr, uint64_t len, bool write)
{
    uint64_t there = len;
    void *host = space_map(machine_space(g->dev.m), addr, &there, write);

    if (host && there < len) {
        space_unmap(machine_space(g->dev.m), host, 0);
        return NULL;
    }
    return host;
}

void gicv3_table_done(struct gicv3 *g, void *host, uint64_t written)
{
    space_unmap(machine_space(g->dev.m), host, written);
}

/* How many INTIDs GICR_PROPBASER says there are. */
static uint32_t id_limit(const struct gicv3_cpu *c)
{
    unsigned bits = (c->propbaser & 31) + 1;

    return bits < 14 ? 0 : 1u << (bits > GICV3_ID_BITS ? GICV3_ID_BITS : bits);
}

/* Fetch the configuration of @intid; false: there is none to be had. */
static bool fetch_conf(struct gicv3_cpu *c, uint32_t intid)
{
    struct gicv3 *g = c->gic;
    uint8_t *conf = gicv3_table(g, (c->propbaser & PROP_ADDR) + intid - GIC_LPI, 1, false);

    if (!conf)
        return false;
    g->lpi_conf[intid - GIC_LPI] = *conf;
    gicv3_table_done(g, conf, 0);
    return true;
}

/* --- what is pending ---------------------------------------------------------------------------*/

static void consider(struct gicv3_cpu *c, uint32_t n)
{
    uint8_t conf = c->gic->lpi_conf[n];
    uint32_t prio = conf & LPI_PRIO_MASK & GICV3_PRIO_MASK;

    if ((conf & LPI_ENABLED) && (c->ctlr & ENABLE_LPIS) && prio < c->lpi_best.prio)
        c->lpi_best = (struct gicv3_best){.intid = n + GIC_LPI, .prio = prio, .group = 1};
}

void gicv3_lpi_find(struct gicv3_cpu *c)
{
    c->lpi_best = (struct gicv3_best){.intid = GIC_SPURIOUS, .prio = GICV3_IDLE, .group = 1};
    c->lpi_count = 0;
    for (uint32_t i = 0; i < c->lpi_bytes; i += 8) {
        uint64_t w;

        memcpy(&w, c->lpi_pending + i, 8);
        c->lpi_count += (uint32_t)__builtin_popcountll(w);
        for (; w; w &= w - 1)
            consider(c, i * 8 + (uint32_t)__builtin_ctzll(w));
    }
}

static bool is_pending(const struct gicv3_cpu *c, uint32_t intid)
{
    uint32_t n = intid - GIC_LPI;

    return c->lpi_pending[n / 8] >> n % 8 & 1;
}

static void set_bit(struct gicv3_cpu *c, uint32_t intid)
{
    uint32_t n = intid - GIC_LPI;

    if (is_pending(c, intid))
        return;
    c->lpi_pending[n / 8] |= (uint8_t)(1u << n % 8);
    c->lpi_count++;
    consider(c, n);
}

static void clear_bit(struct gicv3_cpu *c, uint32_t intid)
{
    uint32_t n = intid - GIC_LPI;

    if (!is_pending(c, intid))
        return;
    c->lpi_pending[n / 8] &= (uint8_t) ~(1u << n % 8);
    c->lpi_count--;
    if (!c->lpi_count)
        c->lpi_best = (struct gicv3_best){.intid = GIC_SPURIOUS, .prio = GICV3_IDLE, .group = 1};
    else if (c->lpi_best.intid == intid)
        gicv3_lpi_find(c);
}

void gicv3_lpi_taken(struct gicv3_cpu *c, uint32_t intid)
{
    clear_bit(c, intid);
}

static bool is_lpi(const struct gicv3_cpu *c, uint32_t intid)
{
    return (c->ctlr & ENABLE_LPIS) && intid >= GIC_LPI && intid < id_limit(c);
}

/* --- GICR_CTLR.EnableLPIs ----------------------------------------------------------------------*/

/* The pending table has a bit for every INTID from 0 on: LPIs begin after 1 KiB. */
static void load_pending(struct gicv3_cpu *c)
{
    uint32_t limit = id_limit(c), bytes = limit > GIC_LPI ? (limit - GIC_LPI) / 8 : 0;
    uint8_t *table;

    memset(c->lpi_pending, 0, c->lpi_bytes);
    if (!bytes || (c->pendbaser & PEND_PTZ))
        return; /* the guest says that it is all zero */
    table = gicv3_table(c->gic, (c->pendbaser & PEND_ADDR) + GIC_LPI / 8, bytes, false);
    if (!table)
        return;
    memcpy(c->lpi_pending, table, bytes);
    gicv3_table_done(c->gic, table, 0);
}

static void store_pending(struct gicv3_cpu *c)
{
    uint32_t limit = id_limit(c), bytes = limit > GIC_LPI ? (limit - GIC_LPI) / 8 : 0;
    uint8_t *table;

    if (!bytes)
        return;
    table = gicv3_table(c->gic, (c->pendbaser & PEND_ADDR) + GIC_LPI / 8, bytes, true);
    if (!table)
        return;
    memcpy(table, c->lpi_pending, bytes);
    gicv3_table_done(c->gic, table, bytes);
}

static void fetch_all(struct gicv3_cpu *c)
{
    for (uint32_t n = 0; n < c->lpi_bytes * 8; n++) {
        if (!c->lpi_pending[n / 8])
            n |= 7;
        else if (c->lpi_pending[n / 8] >> n % 8 & 1)
            fetch_conf(c, n + GIC_LPI);
    }
}

void gicv3_lpi_set_ctlr(struct gicv3_cpu *c, uint32_t value)
{
    bool on = value & ENABLE_LPIS;

    if (!c->gic->has_lpi || on == (c->ctlr & ENABLE_LPIS))
        return;
    if (on) {
        load_pending(c);
        c->ctlr = ENABLE_LPIS;
        fetch_all(c);
    } else {
        store_pending(c);
        c->ctlr = 0;
        c->pendbaser &= ~PEND_PTZ;
        memset(c->lpi_pending, 0, c->lpi_bytes);
    }
    gicv3_lpi_find(c);
    gicv3_update_cpu(c);
}

/* --- for the ITS -------------------------------------------------------------------------------*/

void gicv3_lpi_set(struct gicv3 *g, uint32_t cpu, uint32_t intid, bool pending)
{
    struct gicv3_cpu *c = &g->cpu[cpu];

    pthread_mutex_lock(&g->lock);
    if (is_lpi(c, intid)) {
        if (!pending)
            clear_bit(c, intid);
        else if (fetch_conf(c, intid))
            set_bit(c, intid);
        gicv3_update_cpu(c);
    }
    pthread_mutex_unlock(&g->lock);
}

static void move_all(struct gicv3_cpu *from, struct gicv3_cpu *to)
{
    if (!(to->ctlr & ENABLE_LPIS))
        return;
    for (uint32_t i = 0; i < from->lpi_bytes; i++)
        to->lpi_pending[i] |= from->lpi_pending[i];
    memset(from->lpi_pending, 0, from->lpi_bytes);
    gicv3_lpi_find(from);
    gicv3_lpi_find(to);
}

void gicv3_lpi_move(struct gicv3 *g, uint32_t from, uint32_t to, uint32_t intid)
{
    struct gicv3_cpu *f = &g->cpu[from], *t = &g->cpu[to];

    if (from == to)
        return;
    pthread_mutex_lock(&g->lock);
    if (!intid) {
        if (f->lpi_count)
            move_all(f, t);
    } else if (is_lpi(f, intid) && is_lpi(t, intid) && is_pending(f, intid)) {
        clear_bit(f, intid);
        set_bit(t, intid);
    }
    gicv3_update_cpu(f);
    gicv3_update_cpu(t);
    pthread_mutex_unlock(&g->lock);
}

void gicv3_lpi_changed(struct gicv3 *g, uint32_t cpu, uint32_t intid)
{
    struct gicv3_cpu *c = &g->cpu[cpu];

    pthread_mutex_lock(&g->lock);
    if (!intid && c->lpi_count)
        fetch_all(c);
    else if (is_lpi(c, intid) && is_pending(c, intid))
        fetch_conf(c, intid);
    if (c->lpi_count) {
        gicv3_lpi_find(c);
        gicv3_update_cpu(c);
    }
    pthread_mutex_unlock(&g->lock);
}
