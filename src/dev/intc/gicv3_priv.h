/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv3's state, for the files gicv3*.c.  Names of registers are Arm IHI 0069's. */
#ifndef DEV_INTC_GICV3_PRIV_H
#define DEV_INTC_GICV3_PRIV_H

#include "dev/intc/gic.h"
#include "dev/intc/gic_virt.h"

#include <pthread.h>

enum {
    GICV3_CPUS = 512,
    GICV3_WORDS = 1024 / 32,
    GICV3_IDLE = 0x100,
    GICV3_ID_BITS = 16,
    GICV3_LPIS = (1 << GICV3_ID_BITS) - GIC_LPI,
    GICV3_LPI_BYTES = GICV3_LPIS / 8,
    GICV3_PRIO_MASK = 0xf8, /* five bits of priority, all of them for preemption */
    GICV3_MIN_BPR0 = 2,
    GICV3_MIN_BPR1 = 3,
    GICR_SIZE = 0x20000, /* of one CPU's redistributor */
};

/* ICC_CTLR_EL1 */
enum { ICC_CTLR_CBPR = 1, ICC_CTLR_EOIMODE = 2, ICC_CTLR_PMHE = 0x40 };
/* A byte of the LPI configuration table. */
enum { LPI_ENABLED = 1, LPI_PRIO_MASK = 0xfc };

/* struct gicv3_best - a pending interrupt and what decides on it; prio GICV3_IDLE: none. */
struct gicv3_best {
    uint32_t intid, prio;
    unsigned group;
};

struct gicv3;

/* struct gicv3_cpu - a CPU's redistributor and its CPU interface. */
struct gicv3_cpu {
    struct gicv3 *gic;
    uint32_t index;
    /* redistributor */
    uint32_t ctlr, waker;
    uint64_t propbaser, pendbaser;
    uint32_t group, enabled, latched, active, level, edge; /* SGIs and PPIs, a bit each */
    uint8_t prio[GIC_PRIVATE];
    uint8_t *lpi_pending;       /* a bit for each LPI */
    uint32_t lpi_bytes;         /* of lpi_pending: GICV3_LPI_BYTES, or 0 without LPIs */
    uint32_t lpi_count;         /* bits set there: derived */
    struct gicv3_best lpi_best; /* derived */
    /* CPU interface */
    uint8_t icc_ctlr, pmr, bpr[2], igrpen[2];
    uint32_t ap[2]; /* active priorities by group, bit n: priority n << 3 */
    struct gic_virt virt;
    struct gicv3_best best;           /* derived: kept by gicv3_update_cpu */
    struct irq_line out[GIC_OUTPUTS]; /* derived */
};

struct gicv3 {
    struct dev dev;
    uint64_t n_cpus_prop, n_irqs; /* properties; n_irqs counts from INTID 0 */
    uint64_t first_region;        /* CPUs in redistributor region 0; 0: all */
    bool has_lpi, has_security;

    uint64_t rises[DEV_INPUTS]; /* of inputs by INTID, for monitors; [lock]; not saved */
    pthread_mutex_t lock; /* guards all below; inner to everything */
    uint32_t n_cpus;
    uint32_t ctlr;
    /* SPIs, a bit each; word 0 is not used (struct gicv3_cpu has it) */
    uint32_t group[GICV3_WORDS], enabled[GICV3_WORDS], latched[GICV3_WORDS], active[GICV3_WORDS],
        level[GICV3_WORDS], edge[GICV3_WORDS];
    uint8_t prio[1024];
    uint64_t router[1024];
    uint32_t target[1024]; /* CPU that router names, n_cpus: none.  Derived */
    uint8_t *lpi_conf;     /* what the configuration table said when the LPI became pending */
    uint32_t lpi_conf_bytes;
    struct gicv3_cpu *cpu; /* n_cpus */

    struct mem redist[2]; /* dev.mmio is the distributor */
};

static inline struct gicv3 *gicv3_of(struct dev *d)
{
    return (struct gicv3 *)d;
}

/** gicv3_cpu_by_affinity - Aff3.Aff2.Aff1.Aff0 as MPIDR_EL1 has it; n_cpus: none. */
uint32_t gicv3_cpu_by_affinity(const struct gicv3 *g, uint64_t affinity);

/* All under g->lock. */
/** gicv3_update_cpu - what is pending there may have changed: find the best, compute outputs. */
void gicv3_update_cpu(struct gicv3_cpu *c);
void gicv3_update_all(struct gicv3 *g);
/** gicv3_update_spis - for the CPUs that @bits of word @w go to. */
void gicv3_update_spis(struct gicv3 *g, unsigned w, uint32_t bits);
/** gicv3_signal - the outputs only: priorities in force or masks have changed. */
void gicv3_signal(struct gicv3_cpu *c);
bool gicv3_signals(const struct gicv3_cpu *c);
unsigned gicv3_running(const struct gicv3_cpu *c);
void gicv3_set_router(struct gicv3 *g, unsigned intid, uint64_t v);
void gicv3_deactivate(struct gicv3_cpu *c, uint32_t intid);

/* Which bits of a priority decide on preemption. */
static inline unsigned gicv3_group_mask(const struct gicv3_cpu *c, unsigned group)
{
    if (group && !(c->icc_ctlr & ICC_CTLR_CBPR))
        return 0xffu << c->bpr[1] & 0xff;
    return 0xffu << (c->bpr[0] + 1) & 0xff;
}

/* LPIs: gicv3_lpi.c. */
/** gicv3_table - host memory of a guest's table, [addr, addr + len): NULL when it is not RAM from end to end. */
uint8_t *gicv3_table(struct gicv3 *g, uint64_t addr, uint64_t len, bool write);
void gicv3_table_done(struct gicv3 *g, void *host, uint64_t written);
void gicv3_lpi_set_ctlr(struct gicv3_cpu *c, uint32_t value);
/** gicv3_lpi_taken - it was acknowledged. */
void gicv3_lpi_taken(struct gicv3_cpu *c, uint32_t intid);
/** gicv3_lpi_find - after lpi_pending or lpi_conf have changed at large: count, and look for the best. */
void gicv3_lpi_find(struct gicv3_cpu *c);

/* For the ITS: they take the lock.  @cpu < num-cpu. */
void gicv3_lpi_set(struct gicv3 *g, uint32_t cpu, uint32_t intid, bool pending);
/** gicv3_lpi_move - the pending one, @intid; or with @intid 0 all. */
void gicv3_lpi_move(struct gicv3 *g, uint32_t from, uint32_t to, uint32_t intid);
/** gicv3_lpi_changed - its byte in the configuration table has; @intid 0: any may have. */
void gicv3_lpi_changed(struct gicv3 *g, uint32_t cpu, uint32_t intid);

extern const struct dev_controller gicv3_controller; /* gicv3_print.c */
extern const struct mmio_ops gicv3_dist_ops, gicv3_redist_ops[2];

/* ICH_* and ICV_*: gicv3_ich.c.  False: no such register. */
bool gicv3_ich_read(struct gicv3_cpu *c, uint32_t encoding, uint64_t *v);
bool gicv3_ich_write(struct gicv3_cpu *c, uint32_t encoding, uint64_t v);
bool gicv3_icv_read(struct gicv3_cpu *c, uint32_t encoding, uint64_t *v);
bool gicv3_icv_write(struct gicv3_cpu *c, uint32_t encoding, uint64_t v);

/* Encodings. */
#define ENC0(crn, crm, op2) ICC_ENCODING(3, 0, crn, crm, op2)
#define ENC4(crn, crm, op2) ICC_ENCODING(3, 4, crn, crm, op2)
enum {
    ICC_PMR_EL1 = ENC0(4, 6, 0),
    ICC_IAR0_EL1 = ENC0(12, 8, 0),
    ICC_EOIR0_EL1 = ENC0(12, 8, 1),
    ICC_HPPIR0_EL1 = ENC0(12, 8, 2),
    ICC_BPR0_EL1 = ENC0(12, 8, 3),
    ICC_AP0R0_EL1 = ENC0(12, 8, 4),
    ICC_AP1R0_EL1 = ENC0(12, 9, 0),
    ICC_DIR_EL1 = ENC0(12, 11, 1),
    ICC_RPR_EL1 = ENC0(12, 11, 3),
    ICC_SGI1R_EL1 = ENC0(12, 11, 5),
    ICC_ASGI1R_EL1 = ENC0(12, 11, 6),
    ICC_SGI0R_EL1 = ENC0(12, 11, 7),
    ICC_IAR1_EL1 = ENC0(12, 12, 0),
    ICC_EOIR1_EL1 = ENC0(12, 12, 1),
    ICC_HPPIR1_EL1 = ENC0(12, 12, 2),
    ICC_BPR1_EL1 = ENC0(12, 12, 3),
    ICC_CTLR_EL1 = ENC0(12, 12, 4),
    ICC_SRE_EL1 = ENC0(12, 12, 5),
    ICC_IGRPEN0_EL1 = ENC0(12, 12, 6),
    ICC_IGRPEN1_EL1 = ENC0(12, 12, 7),
    ICC_SRE_EL2 = ENC4(12, 9, 5),
    ICH_AP0R0_EL2 = ENC4(12, 8, 0),
    ICH_AP1R0_EL2 = ENC4(12, 9, 0),
    ICH_HCR_EL2 = ENC4(12, 11, 0),
    ICH_VTR_EL2 = ENC4(12, 11, 1),
    ICH_MISR_EL2 = ENC4(12, 11, 2),
    ICH_EISR_EL2 = ENC4(12, 11, 3),
    ICH_ELRSR_EL2 = ENC4(12, 11, 5),
    ICH_VMCR_EL2 = ENC4(12, 11, 7),
    ICH_LR0_EL2 = ENC4(12, 12, 0),
};

#endif
