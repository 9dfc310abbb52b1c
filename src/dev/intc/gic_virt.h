/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual CPU interface: list registers and the priorities in force, which GICv2's GICH/GICV frames and GICv3's
 * ICH and ICV system registers show in their own layouts (Arm IHI 0048B chapter 5, IHI 0069 chapters 6 and 12).
 * List registers are kept in GICv3's layout; a GICv2 SGI's source stands in bits 12:10 of its virtual INTID.
 *
 * No locks: the controller's is held.
 */
#ifndef DEV_INTC_GIC_VIRT_H
#define DEV_INTC_GIC_VIRT_H

#include "bus/dev.h"

enum { VIRT_LRS = 4, VIRT_IDLE = 0x100 };

/* ICH_LR<n>_EL2 */
#define LR_INTID(lr) ((uint32_t)(lr))
#define LR_PHYS(lr)  ((uint32_t)((lr) >> 32) & 0x1fff)
#define LR_EOI       (UINT64_C(1) << 41)
#define LR_PRIO(lr)  ((uint32_t)((lr) >> 48) & 0xff)
#define LR_GROUP(lr) ((unsigned)((lr) >> 60) & 1)
#define LR_HW        (UINT64_C(1) << 61)
#define LR_PENDING   (UINT64_C(1) << 62)
#define LR_ACTIVE    (UINT64_C(1) << 63)
#define LR_STATE     (LR_PENDING | LR_ACTIVE)

/* ICH_HCR_EL2, GICH_HCR */
enum {
    VHCR_EN = 1,
    VHCR_UIE = 2,
    VHCR_LRENPIE = 4,
    VHCR_NPIE = 8,
    VHCR_GRP0EIE = 16,
    VHCR_GRP0DIE = 32,
    VHCR_GRP1EIE = 64,
    VHCR_GRP1DIE = 128,
    VHCR_TC = 1 << 10,
    VHCR_TALL0 = 1 << 11,
    VHCR_TALL1 = 1 << 12,
    VHCR_TSEI = 1 << 13,
    VHCR_TDIR = 1 << 14,
    VHCR_EOICOUNT_SHIFT = 27,
};

/* ICH_VMCR_EL2, GICH_VMCR: the virtual interface's control registers. */
enum {
    VMCR_ENG0 = 1,
    VMCR_ENG1 = 2,
    VMCR_ACKCTL = 4,
    VMCR_FIQEN = 8,
    VMCR_CBPR = 16,
    VMCR_EOIM = 1 << 9,
    VMCR_BPR1_SHIFT = 18,
    VMCR_BPR0_SHIFT = 21,
    VMCR_PMR_SHIFT = 24,
    VMCR_MASK = 0x1f | VMCR_EOIM | 7 << VMCR_BPR1_SHIFT | 7 << VMCR_BPR0_SHIFT,
};

struct gic_virt {
    uint64_t lr[VIRT_LRS];
    uint32_t hcr, vmcr;
    uint32_t ap[2]; /* active priorities of each group: bit n is priority n << 3 */
};
extern const struct state gic_virt_state[];

void virt_reset(struct gic_virt *v);
/** virt_set_vmcr - all fields, binary points brought into what five bits of priority allow. */
void virt_set_vmcr(struct gic_virt *v, uint32_t vmcr);
unsigned virt_bpr(const struct gic_virt *v, unsigned group);
void virt_set_bpr(struct gic_virt *v, unsigned group, uint32_t value);
/** virt_running - the priority in force, VIRT_IDLE when there is none. */
unsigned virt_running(const struct gic_virt *v);
/** virt_best - the list register with the best pending interrupt of an enabled group, -1: none. */
int virt_best(const struct gic_virt *v);
/** virt_signals - is it good enough to be signalled now? */
bool virt_signals(const struct gic_virt *v, int lr);
/** virt_ack - acknowledge the interrupt in @lr, which is signalled; its INTID. */
uint32_t virt_ack(struct gic_virt *v, int lr);
/** virt_drop - priority drop; false: no priority was in force. */
bool virt_drop(struct gic_virt *v);
/** virt_deactivate - INTID @intid; the physical INTID to deactivate with it, -1: none. */
int virt_deactivate(struct gic_virt *v, uint32_t intid);
/** virt_eisr, virt_elrsr, virt_misr - list registers that ended, that are empty; why maintenance is wanted. */
uint32_t virt_eisr(const struct gic_virt *v);
uint32_t virt_elrsr(const struct gic_virt *v);
uint32_t virt_misr(const struct gic_virt *v);

#endif
