/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual CPU interface's list registers and priorities; contract: gic_virt.h. */
#include "dev/intc/gic_virt.h"

enum { MIN_BPR0 = 2, MIN_BPR1 = 3 }; /* 32 levels of preemption: priority bits 7:3 */

const struct state gic_virt_state[] = {
    STATE(gic_virt, lr, S_U64, 1, "list registers, GICv3 layout"),
    STATE(gic_virt, hcr, S_U32, 1, NULL),
    STATE(gic_virt, vmcr, S_U32, 1, NULL),
    STATE(gic_virt, ap, S_U32, 1, "active priorities, group 0 and 1"),
    STATE_END,
};

void virt_reset(struct gic_virt *v)
{
    *v = (struct gic_virt){0};
    virt_set_vmcr(v, 0);
}

unsigned virt_bpr(const struct gic_virt *v, unsigned group)
{
    return v->vmcr >> (group ? VMCR_BPR1_SHIFT : VMCR_BPR0_SHIFT) & 7;
}

void virt_set_bpr(struct gic_virt *v, unsigned group, uint32_t value)
{
    unsigned shift = group ? VMCR_BPR1_SHIFT : VMCR_BPR0_SHIFT;
    unsigned least = group ? MIN_BPR1 : MIN_BPR0;

    value &= 7;
    if (value < least)
        value = least;
    v->vmcr = (v->vmcr & ~(7u << shift)) | value << shift;
}

void virt_set_vmcr(struct gic_virt *v, uint32_t vmcr)
{
    v->vmcr = (vmcr & VMCR_MASK) | (vmcr & 0xf8u << VMCR_PMR_SHIFT);
    virt_set_bpr(v, 0, vmcr >> VMCR_BPR0_SHIFT);
    virt_set_bpr(v, 1, vmcr >> VMCR_BPR1_SHIFT);
}

/* Which bits of a priority decide on preemption. */
static unsigned group_mask(const struct gic_virt *v, unsigned group)
{
    if (group && !(v->vmcr & VMCR_CBPR))
        return 0xffu << virt_bpr(v, 1) & 0xff;
    return 0xffu << (virt_bpr(v, 0) + 1) & 0xff;
}

unsigned virt_running(const struct gic_virt *v)
{
    uint32_t all = v->ap[0] | v->ap[1];

    return all ? (unsigned)__builtin_ctz(all) << 3 : VIRT_IDLE;
}

int virt_best(const struct gic_virt *v)
{
    int best = -1;

    for (int i = 0; i < VIRT_LRS; i++) {
        uint64_t lr = v->lr[i];

        if ((lr & LR_STATE) == LR_PENDING && (v->vmcr >> LR_GROUP(lr) & 1) &&
            (best < 0 || LR_PRIO(lr) < LR_PRIO(v->lr[best])))
            best = i;
    }
    return best;
}

bool virt_signals(const struct gic_virt *v, int lr)
{
    unsigned prio;

    if (lr < 0 || !(v->hcr & VHCR_EN))
        return false;
    prio = LR_PRIO(v->lr[lr]);
    return prio < v->vmcr >> VMCR_PMR_SHIFT &&
           (prio & group_mask(v, LR_GROUP(v->lr[lr]))) < virt_running(v);
}

uint32_t virt_ack(struct gic_virt *v, int lr)
{
    uint64_t *l = &v->lr[lr];
    unsigned group = LR_GROUP(*l);

    v->ap[group] |= 1u << ((LR_PRIO(*l) & group_mask(v, group)) >> 3);
    *l &= ~LR_PENDING;
    if (LR_INTID(*l) < 8192) /* LPIs have no active state */
        *l |= LR_ACTIVE;
    return LR_INTID(*l);
}

bool virt_drop(struct gic_virt *v)
{
    unsigned running = virt_running(v);
    uint32_t bit;

    if (running == VIRT_IDLE)
        return false;
    bit = 1u << (running >> 3);
    v->ap[v->ap[0] & bit ? 0 : 1] &= ~bit;
    return true;
}

int virt_deactivate(struct gic_virt *v, uint32_t intid)
{
    for (int i = 0; i < VIRT_LRS; i++) {
        if (!(v->lr[i] & LR_ACTIVE) || LR_INTID(v->lr[i]) != intid)
            continue;
        v->lr[i] &= ~LR_ACTIVE;
        return v->lr[i] & LR_HW ? (int)LR_PHYS(v->lr[i]) : -1;
    }
    if (intid < 8192)
        v->hcr += 1u << VHCR_EOICOUNT_SHIFT; /* five bits at the top: wraps as it should */
    return -1;
}

uint32_t virt_eisr(const struct gic_virt *v)
{
    uint32_t r = 0;

    for (int i = 0; i < VIRT_LRS; i++)
        r |= (uint32_t)((v->lr[i] & (LR_STATE | LR_HW | LR_EOI)) == LR_EOI) << i;
    return r;
}

uint32_t virt_elrsr(const struct gic_virt *v)
{
    uint32_t r = 0;

    for (int i = 0; i < VIRT_LRS; i++)
        r |= (uint32_t)(!(v->lr[i] & LR_STATE) && ((v->lr[i] & LR_HW) || !(v->lr[i] & LR_EOI)))
             << i;
    return r;
}

uint32_t virt_misr(const struct gic_virt *v)
{
    unsigned valid = 0, pending = 0;
    uint32_t hcr = v->hcr, r = virt_eisr(v) ? 1 : 0;

    for (int i = 0; i < VIRT_LRS; i++) {
        valid += (v->lr[i] & LR_STATE) != 0;
        pending += (v->lr[i] & LR_STATE) == LR_PENDING;
    }
    r |= (hcr & VHCR_UIE) && valid < 2 ? VHCR_UIE : 0;
    r |= (hcr & VHCR_LRENPIE) && hcr >> VHCR_EOICOUNT_SHIFT ? VHCR_LRENPIE : 0;
    r |= (hcr & VHCR_NPIE) && !pending ? VHCR_NPIE : 0;
    r |= hcr & (v->vmcr & VMCR_ENG0 ? VHCR_GRP0EIE : VHCR_GRP0DIE);
    r |= hcr & (v->vmcr & VMCR_ENG1 ? VHCR_GRP1EIE : VHCR_GRP1DIE);
    return r;
}
