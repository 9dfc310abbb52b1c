/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2's virtualization extensions: GICH_*, which the hypervisor programs, and GICV_*, which its guest takes for
 * a CPU interface (Arm IHI 0048B.b chapter 5).
 */
#include "dev/intc/gicv2_priv.h"

enum {
    GICH_HCR = 0x00,
    GICH_VTR = 0x04,
    GICH_VMCR = 0x08,
    GICH_MISR = 0x10,
    GICH_EISR0 = 0x20,
    GICH_ELSR0 = 0x30,
    GICH_APR = 0xf0,
    GICH_LR = 0x100,
    GICH_HCR_MASK = 0xf80000ff,
    GICV_CTLR_MASK = 0x21f,
};
enum {
    GICV_CTLR = 0x00,
    GICV_PMR = 0x04,
    GICV_BPR = 0x08,
    GICV_IAR = 0x0c,
    GICV_EOIR = 0x10,
    GICV_RPR = 0x14,
    GICV_HPPIR = 0x18,
    GICV_ABPR = 0x1c,
    GICV_AIAR = 0x20,
    GICV_AEOIR = 0x24,
    GICV_AHPPIR = 0x28,
    GICV_APR = 0xd0,
    GICV_IIDR = 0xfc,
    GICV_DIR = 0x1000,
};

/* --- GICH --------------------------------------------------------------------------------------*/

/* GICH_LR: virtual INTID 9:0; physical INTID 19:10, or EOI 19 and source CPU 12:10; priority 27:23; state 29:28;
 * Group 1 30; HW 31. */
static uint64_t lr_from_v2(uint32_t v)
{
    uint64_t lr = (uint64_t)(v >> 28 & 3) << 62 | (uint64_t)(v >> 30 & 1) << 60 |
                  (uint64_t)(v >> 23 & 31) << 51 | (v & 0x3ff);

    if (v >> 31)
        return lr | LR_HW | (uint64_t)(v >> 10 & 0x3ff) << 32;
    return lr | (v & 0x1c00) | (v >> 19 & 1 ? LR_EOI : 0);
}

static uint32_t lr_to_v2(uint64_t lr)
{
    uint32_t v = (uint32_t)(lr >> 62) << 28 | LR_GROUP(lr) << 30 | LR_PRIO(lr) >> 3 << 23 |
                 (LR_INTID(lr) & 0x3ff);

    if (lr & LR_HW)
        return v | 1u << 31 | (LR_PHYS(lr) & 0x3ff) << 10;
    return v | (LR_INTID(lr) & 0x1c00) | (lr & LR_EOI ? 1u << 19 : 0);
}

static uint32_t hyp_reg(const struct gic_virt *v, paddr off)
{
    switch (off) {
    case GICH_HCR: return v->hcr;
    case GICH_VTR: return 4u << 29 | 4u << 26 | (VIRT_LRS - 1); /* five bits of priority */
    case GICH_VMCR: return v->vmcr;
    case GICH_MISR: return virt_misr(v);
    case GICH_EISR0: return virt_eisr(v);
    case GICH_ELSR0: return virt_elrsr(v);
    case GICH_APR: return v->ap[0] | v->ap[1];
    }
    if (off >= GICH_LR && off < GICH_LR + 4 * VIRT_LRS)
        return lr_to_v2(v->lr[(off - GICH_LR) / 4]);
    return 0;
}

static void hyp_set(struct gic_virt *v, paddr off, uint32_t value)
{
    switch (off) {
    case GICH_HCR: v->hcr = value & GICH_HCR_MASK; break;
    case GICH_VMCR: virt_set_vmcr(v, value); break;
    case GICH_APR:
        v->ap[0] = value;
        v->ap[1] = 0;
        break;
    }
    if (off >= GICH_LR && off < GICH_LR + 4 * VIRT_LRS)
        v->lr[(off - GICH_LR) / 4] = lr_from_v2(value);
}

/* The second page shows every CPU's, 512 bytes each. */
static unsigned hyp_cpu(const struct gicv2 *g, paddr *off, struct access a)
{
    unsigned cpu = gicv2_who(g, a);

    if (*off >= 0x1000) {
        cpu = (unsigned)(*off - 0x1000) / 0x200;
        *off %= 0x200;
    }
    return cpu;
}

static uint64_t hyp_read(void *opaque, paddr off, struct access a)
{
    struct gicv2 *g = opaque;
    unsigned cpu = hyp_cpu(g, &off, a);
    uint32_t v;

    if (cpu >= g->n_cpus)
        return 0;
    pthread_mutex_lock(&g->lock);
    v = hyp_reg(&g->cpu[cpu].virt, off);
    pthread_mutex_unlock(&g->lock);
    return v;
}

static void hyp_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gicv2 *g = opaque;
    unsigned cpu = hyp_cpu(g, &off, a);

    if (cpu >= g->n_cpus)
        return;
    pthread_mutex_lock(&g->lock);
    hyp_set(&g->cpu[cpu].virt, off, (uint32_t)value);
    gicv2_update_cpu(g, cpu);
    pthread_mutex_unlock(&g->lock);
}

const struct mmio_ops gicv2_hyp_ops = {.read = hyp_read, .write = hyp_write, .min = 4, .max = 4};

/* --- GICV --------------------------------------------------------------------------------------*/

/* Like GICC's shown(): Group 1 is read through the aliases, unless AckCtl. */
static uint32_t shown(const struct gic_virt *v, int lr, bool alias)
{
    if (lr < 0 || (alias && LR_GROUP(v->lr[lr]) == 0))
        return GIC_SPURIOUS;
    if (!alias && LR_GROUP(v->lr[lr]) == 1 && !(v->vmcr & VMCR_ACKCTL))
        return GICV2_GROUP1_MASKED;
    return LR_INTID(v->lr[lr]);
}

static uint32_t acknowledge(struct gic_virt *v, bool alias)
{
    int lr = virt_best(v);
    uint32_t id;

    if (!virt_signals(v, lr))
        return GIC_SPURIOUS;
    id = shown(v, lr, alias);
    return id == GIC_SPURIOUS || id == GICV2_GROUP1_MASKED ? id : virt_ack(v, lr);
}

static uint32_t vcpu_reg(struct gic_virt *v, paddr off, bool debug)
{
    unsigned running = virt_running(v);

    switch (off) {
    case GICV_CTLR: return v->vmcr & GICV_CTLR_MASK;
    case GICV_PMR: return v->vmcr >> VMCR_PMR_SHIFT;
    case GICV_BPR: return virt_bpr(v, 0);
    case GICV_ABPR: return virt_bpr(v, 1);
    case GICV_IAR:
    case GICV_AIAR:
        if (!debug)
            return acknowledge(v, off == GICV_AIAR);
        return shown(v, virt_best(v), off == GICV_AIAR);
    case GICV_HPPIR:
    case GICV_AHPPIR: return shown(v, virt_best(v), off == GICV_AHPPIR);
    case GICV_RPR: return running == VIRT_IDLE ? 0xff : running;
    case GICV_APR: return v->ap[0] | v->ap[1];
    case GICV_IIDR: return 0x0202143b;
    }
    return 0;
}

static uint64_t vcpu_read(void *opaque, paddr off, struct access a)
{
    struct gicv2 *g = opaque;
    unsigned cpu = gicv2_who(g, a);
    uint32_t v;

    pthread_mutex_lock(&g->lock);
    v = vcpu_reg(&g->cpu[cpu].virt, off, a.debug);
    gicv2_update_cpu(g, cpu);
    pthread_mutex_unlock(&g->lock);
    return v;
}

static void deactivate(struct gicv2 *g, unsigned cpu, uint32_t id)
{
    int phys = virt_deactivate(&g->cpu[cpu].virt, id);

    if (phys >= GIC_SGIS)
        gicv2_deactivate(g, cpu, (unsigned)phys);
}

static void end_of_interrupt(struct gicv2 *g, unsigned cpu, uint32_t value)
{
    struct gic_virt *v = &g->cpu[cpu].virt;

    if ((value & 0x3ff) >= GIC_MAX_IRQ || !virt_drop(v))
        return;
    if (!(v->vmcr & VMCR_EOIM))
        deactivate(g, cpu, value & 0x1fff);
}

static void vcpu_set(struct gicv2 *g, unsigned cpu, paddr off, uint32_t value)
{
    struct gic_virt *v = &g->cpu[cpu].virt;

    switch (off) {
    case GICV_CTLR:
        virt_set_vmcr(v, (v->vmcr & ~(uint32_t)GICV_CTLR_MASK) | (value & GICV_CTLR_MASK));
        break;
    case GICV_PMR:
        virt_set_vmcr(v, (v->vmcr & ~(0xffu << VMCR_PMR_SHIFT)) | (value & 0xff) << VMCR_PMR_SHIFT);
        break;
    case GICV_BPR: virt_set_bpr(v, 0, value); break;
    case GICV_ABPR: virt_set_bpr(v, 1, value); break;
    case GICV_EOIR:
    case GICV_AEOIR: end_of_interrupt(g, cpu, value); break;
    case GICV_DIR:
        if (v->vmcr & VMCR_EOIM)
            deactivate(g, cpu, value & 0x1fff);
        break;
    case GICV_APR:
        v->ap[0] = value;
        v->ap[1] = 0;
        break;
    }
}

static void vcpu_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gicv2 *g = opaque;
    unsigned cpu = gicv2_who(g, a);

    pthread_mutex_lock(&g->lock);
    vcpu_set(g, cpu, off, (uint32_t)value);
    gicv2_update(g);
    pthread_mutex_unlock(&g->lock);
}

const struct mmio_ops gicv2_vcpu_ops = {.read = vcpu_read, .write = vcpu_write, .min = 4, .max = 4};
