/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3's virtual CPU interface: ICH_* system registers, which the hypervisor programs, and ICV_*, which its guest
 * meets under the names of ICC_* (Arm IHI 0069 sections 12.3, 12.4).
 */
#include "dev/intc/gicv3_priv.h"

/* --- ICH ---------------------------------------------------------------------------------------*/

/* 32 bits of INTID, 13 of physical INTID (or EOI), priority, group, HW, state. */
#define LR_MASK UINT64_C(0xf0f81fffffffffff)
/* Five bits of priority, A3V, no GICv4, a trap for ICC_DIR_EL1. */
#define VTR (4u << 29 | 4u << 26 | 1u << 21 | 1u << 20 | 1u << 19 | (VIRT_LRS - 1))

enum { HCR_MASK = 0xf8007cff };

static bool is_lr(uint32_t encoding)
{
    return encoding >= ICH_LR0_EL2 && encoding < ICH_LR0_EL2 + VIRT_LRS;
}

bool gicv3_ich_read(struct gicv3_cpu *c, uint32_t encoding, uint64_t *value)
{
    const struct gic_virt *v = &c->virt;

    switch (encoding) {
    case ICH_HCR_EL2: *value = v->hcr; return true;
    case ICH_VTR_EL2: *value = VTR; return true;
    case ICH_MISR_EL2: *value = virt_misr(v); return true;
    case ICH_EISR_EL2: *value = virt_eisr(v); return true;
    case ICH_ELRSR_EL2: *value = virt_elrsr(v); return true;
    case ICH_VMCR_EL2: *value = v->vmcr; return true;
    case ICH_AP0R0_EL2: *value = v->ap[0]; return true;
    case ICH_AP1R0_EL2: *value = v->ap[1]; return true;
    }
    if (!is_lr(encoding))
        return false;
    *value = v->lr[encoding - ICH_LR0_EL2];
    return true;
}

bool gicv3_ich_write(struct gicv3_cpu *c, uint32_t encoding, uint64_t value)
{
    struct gic_virt *v = &c->virt;

    switch (encoding) {
    case ICH_HCR_EL2: v->hcr = value & HCR_MASK; break;
    case ICH_VMCR_EL2:
        virt_set_vmcr(v, ((uint32_t)value & ~(uint32_t)VMCR_ACKCTL) | VMCR_FIQEN);
        break;
    case ICH_AP0R0_EL2: v->ap[0] = (uint32_t)value; break;
    case ICH_AP1R0_EL2: v->ap[1] = (uint32_t)value; break;
    default:
        if (!is_lr(encoding))
            return false;
        v->lr[encoding - ICH_LR0_EL2] = value & LR_MASK;
    }
    gicv3_update_cpu(c);
    return true;
}

/* --- ICV ---------------------------------------------------------------------------------------*/

static uint32_t highest_pending(const struct gic_virt *v, unsigned group)
{
    int lr = virt_best(v);

    return lr >= 0 && LR_GROUP(v->lr[lr]) == group ? LR_INTID(v->lr[lr]) : GIC_SPURIOUS;
}

static uint32_t acknowledge(struct gicv3_cpu *c, unsigned group)
{
    struct gic_virt *v = &c->virt;
    int lr = virt_best(v);
    uint32_t intid;

    if (!virt_signals(v, lr) || LR_GROUP(v->lr[lr]) != group)
        return GIC_SPURIOUS;
    intid = virt_ack(v, lr);
    gicv3_update_cpu(c);
    return intid;
}

static void deactivate(struct gicv3_cpu *c, uint32_t intid)
{
    int phys = virt_deactivate(&c->virt, intid);

    if (phys >= GIC_SGIS && phys < GIC_MAX_IRQ)
        gicv3_deactivate(c, (uint32_t)phys);
}

static void end_of_interrupt(struct gicv3_cpu *c, unsigned group, uint32_t intid)
{
    struct gic_virt *v = &c->virt;
    unsigned running = virt_running(v);

    if ((intid >= GIC_MAX_IRQ && intid < GIC_LPI) || running == VIRT_IDLE ||
        !(v->ap[group] >> (running >> 3) & 1))
        return;
    virt_drop(v);
    if (!(v->vmcr & VMCR_EOIM))
        deactivate(c, intid);
}

static uint64_t read_bpr1(const struct gic_virt *v)
{
    unsigned bpr0 = virt_bpr(v, 0);

    if (!(v->vmcr & VMCR_CBPR))
        return virt_bpr(v, 1);
    return bpr0 < 7 ? bpr0 + 1 : 7;
}

/* ICV_CTLR_EL1: CBPR 0, EOImode 1; PRIbits 10:8, A3V 15. */
static uint64_t read_ctlr(const struct gic_virt *v)
{
    return (v->vmcr & VMCR_CBPR ? 1 : 0) | (v->vmcr & VMCR_EOIM ? 2 : 0) | 4u << 8 | 1u << 15;
}

static void set_bits(struct gic_virt *v, uint32_t mask, bool on)
{
    virt_set_vmcr(v, on ? v->vmcr | mask : v->vmcr & ~mask);
}

bool gicv3_icv_read(struct gicv3_cpu *c, uint32_t encoding, uint64_t *value)
{
    const struct gic_virt *v = &c->virt;
    unsigned running;

    switch (encoding) {
    case ICC_IAR1_EL1: *value = acknowledge(c, 1); break;
    case ICC_IAR0_EL1: *value = acknowledge(c, 0); break;
    case ICC_PMR_EL1: *value = v->vmcr >> VMCR_PMR_SHIFT; break;
    case ICC_HPPIR0_EL1: *value = highest_pending(v, 0); break;
    case ICC_HPPIR1_EL1: *value = highest_pending(v, 1); break;
    case ICC_BPR0_EL1: *value = virt_bpr(v, 0); break;
    case ICC_BPR1_EL1: *value = read_bpr1(v); break;
    case ICC_AP0R0_EL1: *value = v->ap[0]; break;
    case ICC_AP1R0_EL1: *value = v->ap[1]; break;
    case ICC_RPR_EL1:
        running = virt_running(v);
        *value = running == VIRT_IDLE ? 0xff : running;
        break;
    case ICC_CTLR_EL1: *value = read_ctlr(v); break;
    case ICC_IGRPEN0_EL1: *value = (v->vmcr & VMCR_ENG0) != 0; break;
    case ICC_IGRPEN1_EL1: *value = (v->vmcr & VMCR_ENG1) != 0; break;
    default: return false;
    }
    return true;
}

bool gicv3_icv_write(struct gicv3_cpu *c, uint32_t encoding, uint64_t value)
{
    struct gic_virt *v = &c->virt;

    switch (encoding) {
    case ICC_EOIR1_EL1: end_of_interrupt(c, 1, (uint32_t)value & 0xffffff); break;
    case ICC_EOIR0_EL1: end_of_interrupt(c, 0, (uint32_t)value & 0xffffff); break;
    case ICC_DIR_EL1:
        if (v->vmcr & VMCR_EOIM)
            deactivate(c, (uint32_t)value & 0xffffff);
        break;
    case ICC_PMR_EL1:
        virt_set_vmcr(v, (v->vmcr & 0xffffff) | ((uint32_t)value & 0xff) << VMCR_PMR_SHIFT);
        break;
    case ICC_BPR0_EL1: virt_set_bpr(v, 0, (uint32_t)value); break;
    case ICC_BPR1_EL1:
        if (!(v->vmcr & VMCR_CBPR))
            virt_set_bpr(v, 1, (uint32_t)value);
        break;
    case ICC_AP0R0_EL1: v->ap[0] = (uint32_t)value; break;
    case ICC_AP1R0_EL1: v->ap[1] = (uint32_t)value; break;
    case ICC_CTLR_EL1:
        set_bits(v, VMCR_CBPR, value & 1);
        set_bits(v, VMCR_EOIM, value & 2);
        break;
    case ICC_IGRPEN0_EL1: set_bits(v, VMCR_ENG0, value & 1); break;
    case ICC_IGRPEN1_EL1: set_bits(v, VMCR_ENG1, value & 1); break;
    default: return false;
    }
    gicv3_update_cpu(c);
    return true;
}
