/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm interrupt controllers as boards wire them: the same functions for "arm-gic" (GICv2, Arm IHI 0048) and
 * "arm-gicv3" (GICv3 and the registers of v4 that software may meet, Arm IHI 0069).
 *
 * Threads: registers are reached under the machine's lock, as those of any device.  Inputs (gic_spi, gic_ppi) and
 * gicv3_icc_* may be used on any thread, with the machine's lock or without: a controller has a lock of its own,
 * inner to everything.  Outputs are therefore told on any thread, with that lock held: their input may note the level
 * and wake a vCPU, and must not call back.
 */
#ifndef DEV_INTC_GIC_H
#define DEV_INTC_GIC_H

#include "bus/dev.h"

/* Interrupts by INTID. */
enum {
    GIC_SGIS = 16,      /* 0..15: one CPU to others */
    GIC_PRIVATE = 32,   /* 16..31: PPIs, each CPU's own */
    GIC_MAX_IRQ = 1020, /* SPIs are 32..1019 */
    GIC_SPURIOUS = 1023,
    GIC_LPI = 8192,           /* message-signalled, from here on */
    GIC_PPI_MAINTENANCE = 25, /* the controller itself raises this one */
};

enum gic_output { GIC_IRQ, GIC_FIQ, GIC_VIRQ, GIC_VFIQ, GIC_OUTPUTS };

/* Register frames. */
enum gic_frame {
    GIC_DIST,   /* distributor: 4 KiB (v2), 64 KiB (v3) */
    GIC_CPU_IF, /* v2: GICC, 8 KiB, banked by who asks */
    GIC_HYP, /* v2 with virtualization: GICH, 8 KiB: banked in the first 4 KiB, then by CPU every 512 bytes */
    GIC_VCPU,   /* v2 with virtualization: GICV, 8 KiB */
    GIC_REDIST, /* v3: @n is the region, of 128 KiB for each CPU in it */
};

/** gic_regs - a frame to be mapped; NULL: this controller has none. */
struct mem *gic_regs(struct dev *gic, enum gic_frame f, unsigned n);
/** gic_spi - shared input @n, counted from 0 (INTID 32 + n). */
struct irq_in gic_spi(struct dev *gic, unsigned n);
/** gic_ppi - CPU @cpu's private input @intid, 16..31. */
struct irq_in gic_ppi(struct dev *gic, unsigned cpu, unsigned intid);
/** gic_output - to CPU @cpu. */
struct irq_line *gic_output(struct dev *gic, unsigned cpu, enum gic_output o);

/** struct gic_bank - interrupts as both versions keep them, by INTID: a bit each, and priorities. */
struct gic_bank {
    const uint32_t *group, *enabled, *latched, *active, *level, *edge;
    const uint8_t *prio;
};
/** struct gic_view - what differs between versions when a monitor prints one. */
struct gic_view {
    uint32_t ctlr;
    unsigned n_cpus, n_irqs;
    void (*interface)(const struct dev *d, unsigned cpu, FILE *f); /* what is printed behind "cpu0: " */
    void (*target)(const struct dev *d, unsigned intid, char to[16]); /* of an SPI */
    struct gic_bank (*bank)(const struct dev *d, int cpu); /* private ones of @cpu; -1: SPIs */
};
/** gic_print - all that is enabled, pending or active.  Under the controller's lock. */
void gic_print(const struct dev *d, const struct gic_view *v, FILE *f);

/* dev_type.class_ops of a controller. */
struct gic_type {
    struct mem *(*regs)(struct dev *gic, enum gic_frame f, unsigned n);
    void (*spi)(void *gic, int n, bool level); /* n: INTID */
    void (*ppi)(void *gic, int n, bool level); /* n: CPU << 5 | INTID */
    struct irq_line *(*output)(struct dev *gic, unsigned cpu, enum gic_output o);
};

/** gicv2m_out - "arm-gicv2m"'s output @n, 0 .. num-spi - 1: for the board to connect to gic_spi(base-spi - 32 + n). */
struct irq_line *gicv2m_out(struct dev *gicv2m, unsigned n);

/*
 * GICv3's CPU interface is system registers.  The CPU hands them on: ICC_* and, at EL2, ICH_*; those of AArch64
 * suffice for AArch32, whose registers are the same under other names.
 */

/** gic_affinity - CPU @n of a GICv3, which routes by it, must have this in MPIDR_EL1: clusters of 16. */
static inline uint64_t gic_affinity(unsigned n)
{
    return (uint64_t)(n / 16) << 8 | n % 16;
}

/* What the CPU knows and the interface asks. */
enum {
    ICC_EL = 3, /* mask: exception level of the access */
    ICC_VIRT_IRQ =
        4, /* HCR_EL2.IMO is in force for it: EL1 is a guest's, its Group 1 registers are ICV_* */
    ICC_VIRT_FIQ = 8, /* HCR_EL2.FMO: Group 0 */
    ICC_SECURE = 16,  /* from Secure state */
};

enum icc_result {
    ICC_OK,
    ICC_UNDEFINED, /* no such register, or not in this direction or state */
    ICC_TRAP_EL2,  /* ICH_HCR_EL2 says that EL2 wants to see it: a trapped MSR or MRS (EC 0x18) */
};

/* op0..op2 as they lie in bits 20:5 of MRS and MSR. */
#define ICC_ENCODING(op0, op1, crn, crm, op2)                                                      \
    ((uint32_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

/** gicv3_icc - CPU @cpu's interface: what gicv3_icc_read and gicv3_icc_write take as @icc. */
void *gicv3_icc(struct dev *gicv3, unsigned cpu);
enum icc_result gicv3_icc_read(void *icc, uint32_t encoding, unsigned how, uint64_t *value);
enum icc_result gicv3_icc_write(void *icc, uint32_t encoding, unsigned how, uint64_t value);

#endif
