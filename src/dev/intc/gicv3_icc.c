/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3's CPU interface, ICC_* system registers (Arm IHI 0069 section 12.2), and who may touch which; contract: gic.h.
 * IAR1, EOIR1, PMR and SGI1R are what kernels use all the time: each takes one lock, and finds its answer made.
 */
#include "dev/intc/gicv3_priv.h"

/* --- interrupts --------------------------------------------------------------------------------*/

static uint32_t acknowledge(struct gicv3_cpu *c, unsigned group)
{
    const struct gicv3_best b = c->best;

    if (b.prio == GICV3_IDLE || b.group != group || !gicv3_signals(c))
        return GIC_SPURIOUS;
    c->ap[group] |= 1u << ((b.prio & gicv3_group_mask(c, group)) >> 3);
    if (b.intid >= GIC_LPI) {
        gicv3_lpi_taken(c, b.intid);
    } else if (b.intid < GIC_PRIVATE) {
        c->latched &= ~(1u << b.intid);
        c->active |= 1u << b.intid;
    } else {
        c->gic->latched[b.intid / 32] &= ~(1u << b.intid % 32);
        c->gic->active[b.intid / 32] |= 1u << b.intid % 32;
    }
    gicv3_update_cpu(c);
    return b.intid;
}

static void end_of_interrupt(struct gicv3_cpu *c, unsigned group, uint32_t intid)
{
    unsigned running = gicv3_running(c);

    if (intid >= GIC_MAX_IRQ && intid < GIC_LPI)
        return; /* the special ones */
    if (running != GICV3_IDLE && (c->ap[group] >> (running >> 3) & 1))
        c->ap[group] &= ~(1u << (running >> 3));
    if (!(c->icc_ctlr & ICC_CTLR_EOIMODE) && intid < GIC_MAX_IRQ)
        gicv3_deactivate(c, intid);
    gicv3_signal(c);
}

static uint32_t highest_pending(const struct gicv3_cpu *c, unsigned group)
{
    return c->best.prio != GICV3_IDLE && c->best.group == group ? c->best.intid : GIC_SPURIOUS;
}

/* --- SGIs --------------------------------------------------------------------------------------*/

/* A target whose IGROUPR0 has the SGI in the other group is not interrupted (IHI 0069 table 12-14). */
static void pend_sgi(struct gicv3_cpu *to, unsigned sgi, unsigned group)
{
    if ((to->group >> sgi & 1) != group)
        return;
    to->latched |= 1u << sgi;
    gicv3_update_cpu(to);
}

/* Aff3 55:48, RS 47:44, IRM 40, Aff2 39:32, INTID 27:24, Aff1 23:16, TargetList 15:0. */
static void send_sgi(struct gicv3_cpu *c, unsigned group, uint64_t v)
{
    struct gicv3 *g = c->gic;
    unsigned sgi = v >> 24 & 15;
    uint64_t cluster = (v >> 48 & 0xff) << 32 | (v >> 32 & 0xff) << 16 | (v >> 16 & 0xff) << 8;

    if (v >> 40 & 1) {
        for (uint32_t i = 0; i < g->n_cpus; i++) {
            if (i != c->index)
                pend_sgi(&g->cpu[i], sgi, group);
        }
        return;
    }
    if (v >> 44 & 15)
        return; /* Aff0 beyond 15: nobody there */
    for (uint32_t list = v & 0xffff; list; list &= list - 1) {
        uint32_t to = gicv3_cpu_by_affinity(g, cluster | (unsigned)__builtin_ctz(list));

        if (to < g->n_cpus)
            pend_sgi(&g->cpu[to], sgi, group);
    }
}

/* --- registers ---------------------------------------------------------------------------------*/

static uint64_t read_bpr1(const struct gicv3_cpu *c)
{
    if (!(c->icc_ctlr & ICC_CTLR_CBPR))
        return c->bpr[1];
    return c->bpr[0] < 7 ? c->bpr[0] + 1u : 7;
}

static uint8_t at_least(uint64_t v, uint8_t least)
{
    v &= 7;
    return v < least ? least : (uint8_t)v;
}

static bool icc_read(struct gicv3_cpu *c, uint32_t encoding, uint64_t *v)
{
    unsigned running;

    switch (encoding) {
    case ICC_IAR1_EL1: *v = acknowledge(c, 1); break;
    case ICC_IAR0_EL1: *v = acknowledge(c, 0); break;
    case ICC_PMR_EL1: *v = c->pmr; break;
    case ICC_HPPIR0_EL1: *v = highest_pending(c, 0); break;
    case ICC_HPPIR1_EL1: *v = highest_pending(c, 1); break;
    case ICC_BPR0_EL1: *v = c->bpr[0]; break;
    case ICC_BPR1_EL1: *v = read_bpr1(c); break;
    case ICC_AP0R0_EL1: *v = c->ap[0]; break;
    case ICC_AP1R0_EL1: *v = c->ap[1]; break;
    case ICC_RPR_EL1:
        running = gicv3_running(c);
        *v = running == GICV3_IDLE ? 0xff : running;
        break;
    case ICC_CTLR_EL1: *v = c->icc_ctlr | 4u << 8 | 1u << 15; break; /* PRIbits, A3V */
    case ICC_SRE_EL1: *v = 7; break;                                 /* system registers only */
    case ICC_SRE_EL2: *v = 15; break;                                /* and EL1 may look */
    case ICC_IGRPEN0_EL1: *v = c->igrpen[0]; break;
    case ICC_IGRPEN1_EL1: *v = c->igrpen[1]; break;
    default: return false;
    }
    return true;
}

static bool icc_write(struct gicv3_cpu *c, uint32_t encoding, uint64_t v)
{
    switch (encoding) {
    case ICC_EOIR1_EL1: end_of_interrupt(c, 1, (uint32_t)v & 0xffffff); return true;
    case ICC_EOIR0_EL1: end_of_interrupt(c, 0, (uint32_t)v & 0xffffff); return true;
    case ICC_SGI1R_EL1: send_sgi(c, 1, v); return true;
    case ICC_SGI0R_EL1: send_sgi(c, 0, v); return true;
    case ICC_ASGI1R_EL1: return true; /* the other security state, which is not there */
    case ICC_DIR_EL1:
        if ((c->icc_ctlr & ICC_CTLR_EOIMODE) && (v & 0xffffff) < GIC_MAX_IRQ)
            gicv3_deactivate(c, (uint32_t)v & 0xffffff);
        return true;
    case ICC_SRE_EL1:
    case ICC_SRE_EL2: return true;
    case ICC_PMR_EL1: c->pmr = v & GICV3_PRIO_MASK; break;
    case ICC_BPR0_EL1: c->bpr[0] = at_least(v, GICV3_MIN_BPR0); break;
    case ICC_BPR1_EL1:
        if (!(c->icc_ctlr & ICC_CTLR_CBPR))
            c->bpr[1] = at_least(v, GICV3_MIN_BPR1);
        break;
    case ICC_AP0R0_EL1: c->ap[0] = (uint32_t)v; break;
    case ICC_AP1R0_EL1: c->ap[1] = (uint32_t)v; break;
    case ICC_CTLR_EL1: c->icc_ctlr = v & (ICC_CTLR_CBPR | ICC_CTLR_EOIMODE | ICC_CTLR_PMHE); break;
    case ICC_IGRPEN0_EL1:
    case ICC_IGRPEN1_EL1:
        c->igrpen[encoding == ICC_IGRPEN1_EL1] = v & 1;
        gicv3_update_cpu(c);
        return true;
    default: return false;
    }
    gicv3_signal(c);
    return true;
}

/* --- who may, and which one is meant -----------------------------------------------------------*/

/* What ICC registers belong to: a group, or both; and those that send. */
enum family { GROUP0, GROUP1, COMMON, DEACTIVATE, SEND, PLAIN };

static enum family family(uint32_t encoding)
{
    switch (encoding) {
    case ICC_IAR1_EL1:
    case ICC_EOIR1_EL1:
    case ICC_HPPIR1_EL1:
    case ICC_BPR1_EL1:
    case ICC_AP1R0_EL1:
    case ICC_IGRPEN1_EL1: return GROUP1;
    case ICC_IAR0_EL1:
    case ICC_EOIR0_EL1:
    case ICC_HPPIR0_EL1:
    case ICC_BPR0_EL1:
    case ICC_AP0R0_EL1:
    case ICC_IGRPEN0_EL1: return GROUP0;
    case ICC_PMR_EL1:
    case ICC_CTLR_EL1:
    case ICC_RPR_EL1: return COMMON;
    case ICC_DIR_EL1: return DEACTIVATE;
    case ICC_SGI0R_EL1:
    case ICC_SGI1R_EL1:
    case ICC_ASGI1R_EL1: return SEND;
    }
    return PLAIN;
}

/* ICH_HCR_EL2's traps of EL1's accesses; ICC_OK: none. */
static enum icc_result trapped(const struct gicv3_cpu *c, enum family f, unsigned how)
{
    static const uint32_t bit[] = {
        [GROUP0] = VHCR_TALL0, [GROUP1] = VHCR_TALL1,
        [COMMON] = VHCR_TC,    [DEACTIVATE] = VHCR_TC | VHCR_TDIR,
        [SEND] = VHCR_TC,      [PLAIN] = 0,
    };

    if ((how & ICC_EL) != 1)
        return ICC_OK;
    if (f == SEND && (how & (ICC_VIRT_IRQ | ICC_VIRT_FIQ)))
        return ICC_TRAP_EL2;
    return c->virt.hcr & bit[f] ? ICC_TRAP_EL2 : ICC_OK;
}

static bool is_virtual(enum family f, unsigned how)
{
    unsigned either = how & (ICC_VIRT_IRQ | ICC_VIRT_FIQ);

    if ((how & ICC_EL) != 1 || !either)
        return false;
    return f == GROUP0 ? how & ICC_VIRT_FIQ : f == GROUP1 ? how & ICC_VIRT_IRQ : f <= DEACTIVATE;
}

void *gicv3_icc(struct dev *d, unsigned cpu)
{
    return &gicv3_of(d)->cpu[cpu];
}

enum icc_result gicv3_icc_read(void *icc, uint32_t encoding, unsigned how, uint64_t *value)
{
    struct gicv3_cpu *c = icc;
    enum family f = family(encoding);
    bool done;

    if ((encoding & ICC_ENCODING(0, 7, 0, 0, 0)) && (how & ICC_EL) < 2)
        return ICC_UNDEFINED;
    pthread_mutex_lock(&c->gic->lock);
    if (trapped(c, f, how) == ICC_TRAP_EL2) {
        pthread_mutex_unlock(&c->gic->lock);
        return ICC_TRAP_EL2;
    }
    done = is_virtual(f, how) ? gicv3_icv_read(c, encoding, value)
                              : icc_read(c, encoding, value) || gicv3_ich_read(c, encoding, value);
    pthread_mutex_unlock(&c->gic->lock);
    return done ? ICC_OK : ICC_UNDEFINED;
}

enum icc_result gicv3_icc_write(void *icc, uint32_t encoding, unsigned how, uint64_t value)
{
    struct gicv3_cpu *c = icc;
    enum family f = family(encoding);
    bool done;

    if ((encoding & ICC_ENCODING(0, 7, 0, 0, 0)) && (how & ICC_EL) < 2)
        return ICC_UNDEFINED;
    pthread_mutex_lock(&c->gic->lock);
    if (trapped(c, f, how) == ICC_TRAP_EL2) {
        pthread_mutex_unlock(&c->gic->lock);
        return ICC_TRAP_EL2;
    }
    done = is_virtual(f, how)
               ? gicv3_icv_write(c, encoding, value)
               : icc_write(c, encoding, value) || gicv3_ich_write(c, encoding, value);
    pthread_mutex_unlock(&c->gic->lock);
    return done ? ICC_OK : ICC_UNDEFINED;
}
