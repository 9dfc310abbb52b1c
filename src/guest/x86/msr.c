/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers of machines: what the rows of msrs.def do (SDM 4, chapter 2; APM 2, appendix A). */
#include "guest/x86/models.h"
#include "guest/x86/system_priv.h"

#include <string.h>

typedef bool read_fn(struct cpu *cpu, uint64_t *v);
typedef bool write_fn(struct cpu *cpu, uint64_t v);

/* --- Trivial ones --- */

static bool zero_read(struct cpu *cpu, uint64_t *v)
{
    (void)cpu;
    *v = 0;
    return true;
}

static bool drop_write(struct cpu *cpu, uint64_t v)
{
    (void)cpu;
    (void)v;
    return true;
}

static bool microcode_read(struct cpu *cpu, uint64_t *v)
{
    *v = strcmp(x86s(cpu)->conf.vendor, "GenuineIntel") == 0 ? 0x100000000ull : 0x01000065;
    return true;
}

/* MSR_CORE_THREAD_COUNT: cores of the package in 31:16, its threads in 15:0. */
static bool core_count_read(struct cpu *cpu, uint64_t *v)
{
    const struct x86_conf *c = &x86s(cpu)->conf;
    uint32_t cores = (c->cores ? c->cores : 1) * (c->dies ? c->dies : 1);

    *v = (cores & 0xffff) << 16 | (cores * (c->threads ? c->threads : 1) & 0xffff);
    return true;
}

/* In system management mode only, and only for reading; otherwise not there. */
static bool smbase_read(struct cpu *cpu, uint64_t *v)
{
    *v = x86s(cpu)->smm ? x86s(cpu)->smbase : 0;
    return true;
}

static bool smbase_write(struct cpu *cpu, uint64_t v)
{
    (void)v;
    return !x86s(cpu)->smm;
}

/* --- Addresses: must be canonical --- */

#define ADDRESS(name, member)                                                                                              \
    static bool name##_read(struct cpu *cpu, uint64_t *v)                                                                  \
    {                                                                                                                      \
        *v = x86s(cpu)->member;                                                                                            \
        return true;                                                                                                       \
    }                                                                                                                      \
    static bool name##_write(struct cpu *cpu, uint64_t v)                                                                  \
    {                                                                                                                      \
        if (!x86_canonical(x86s(cpu), v))                                                                                  \
            return false;                                                                                                  \
        x86s(cpu)->member = v;                                                                                             \
        return true;                                                                                                       \
    }
ADDRESS(lstar, lstar)
ADDRESS(cstar, cstar)
ADDRESS(fs_base, u.base[X86_FS])
ADDRESS(gs_base, u.base[X86_GS])
ADDRESS(kernel_gs, kernel_gs)
ADDRESS(sysenter_esp, sysenter_esp)
ADDRESS(sysenter_eip, sysenter_eip)

/* --- Time --- */

uint64_t x86_seen_tsc(const struct cpu *cpu)
{
    const struct x86_sys *s = x86sc(cpu);

    return x86_tsc(cpu) + (x86_guest(s) ? s->svm.tsc_offset : 0);
}

static bool tsc_read(struct cpu *cpu, uint64_t *v)
{
    *v = x86_seen_tsc(cpu);
    return true;
}

/* A deadline that the APIC waits for is one of the counter's, whatever is written to that (SDM 3A, 11.5.4.1). */
static void move_tsc(struct cpu *cpu, uint64_t by)
{
    struct x86_sys *s = x86s(cpu);

    s->u.tsc_offset += by;
    s->tsc_adjust += by;
    if (s->intc && s->intc->tsc_written)
        s->intc->tsc_written(s->intc_opaque);
}

static bool tsc_write(struct cpu *cpu, uint64_t v)
{
    move_tsc(cpu, v - x86_seen_tsc(cpu));
    return true;
}

static bool tsc_adjust_read(struct cpu *cpu, uint64_t *v)
{
    *v = x86s(cpu)->tsc_adjust;
    return true;
}

static bool tsc_adjust_write(struct cpu *cpu, uint64_t v)
{
    move_tsc(cpu, v - x86s(cpu)->tsc_adjust);
    return true;
}

static bool tsc_aux_read(struct cpu *cpu, uint64_t *v)
{
    *v = x86s(cpu)->u.tsc_aux;
    return true;
}

static bool tsc_aux_write(struct cpu *cpu, uint64_t v)
{
    if (v >> 32)
        return false;
    x86s(cpu)->u.tsc_aux = (uint32_t)v;
    return true;
}

/* --- The local APIC --- */

static bool apic_base_read(struct cpu *cpu, uint64_t *v)
{
    struct x86_sys *s = x86s(cpu);

    if (!s->intc || !s->intc->base_read)
        return false;
    *v = s->intc->base_read(s->intc_opaque);
    return true;
}

static bool apic_base_write(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);

    return !(v & ~s->pa_mask) && s->intc && s->intc->base_write && s->intc->base_write(s->intc_opaque, v);
}

static bool apic_read(struct cpu *cpu, uint32_t msr, uint64_t *v)
{
    struct x86_sys *s = x86s(cpu);

    return s->intc && s->intc->msr_read && s->intc->msr_read(s->intc_opaque, msr, v);
}

static bool apic_write(struct cpu *cpu, uint32_t msr, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);

    return s->intc && s->intc->msr_write && s->intc->msr_write(s->intc_opaque, msr, v);
}

static bool deadline_read(struct cpu *cpu, uint64_t *v)
{
    return apic_read(cpu, 0x6e0, v);
}

static bool deadline_write(struct cpu *cpu, uint64_t v)
{
    return apic_write(cpu, 0x6e0, v);
}

/* --- Modes --- */

static bool efer_read(struct cpu *cpu, uint64_t *v)
{
    const struct x86_sys *s = x86s(cpu);

    *v = s->efer;
    return true;
}

static bool efer_write(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t may = 0;

    if (!x86_feat(s, X86_FEAT_LM) && !x86_feat(s, X86_FEAT_NX) && !x86_feat(s, X86_FEAT_SYSCALL))
        return true; /* none there: as any other that is not */
    may |= x86_feat(s, X86_FEAT_SYSCALL) ? EFER_SCE : 0;
    may |= x86_feat(s, X86_FEAT_LM) ? EFER_LME | EFER_LMA : 0;
    may |= x86_feat(s, X86_FEAT_NX) ? EFER_NXE : 0;
    may |= x86_feat(s, X86_FEAT_SVM) && !(s->vm_cr & VM_CR_SVMDIS) ? EFER_SVME : 0;
    may |= x86_feat(s, X86_FEAT_FXSR_OPT) ? EFER_FFXSR : 0;
    if ((v & ~may) || ((s->cr0 & CR0_PG) && ((v ^ s->efer) & EFER_LME)))
        return false;
    x86_set_efer(cpu, (v & ~(uint64_t)EFER_LMA) | (s->efer & EFER_LMA));
    return true;
}

static bool pat_read(struct cpu *cpu, uint64_t *v)
{
    *v = x86s(cpu)->pat;
    return true;
}

static bool pat_write(struct cpu *cpu, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = v >> (8 * i) & 0xff;

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    x86s(cpu)->pat = v;
    return true;
}

static bool xss_read(struct cpu *cpu, uint64_t *v)
{
    *v = x86s(cpu)->xss;
    return true;
}

static bool xss_write(struct cpu *cpu, uint64_t v)
{
    (void)cpu;
    return v == 0; /* no supervisor components */
}

static bool vm_cr_read(struct cpu *cpu, uint64_t *v)
{
    *v = x86s(cpu)->vm_cr;
    return true;
}

static bool vm_cr_write(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);

    if (v & ~0x1full)
        return false;
    if (s->vm_cr & VM_CR_LOCK)
        v = (v & 7) | (s->vm_cr & (VM_CR_LOCK | VM_CR_SVMDIS));
    if (v & VM_CR_SVMDIS && s->efer & EFER_SVME)
        return false;
    s->vm_cr = v;
    return true;
}

/* --- The table --- */

struct row {
    uint32_t number, count;
    uint8_t feat;
    uint16_t off; /* in struct x86_sys; 0: none */
    uint64_t mask;
    read_fn *read;
    write_fn *write;
};

static const struct row rows[] = {
#define REGS(number, count, feat, member, mask) {number, count, X86_FEAT_##feat, offsetof(struct x86_sys, member), mask, NULL, NULL},
#define FUNCS(number, feat, read, write)         {number, 1, X86_FEAT_##feat, 0, 0, read, write},
#define FIXED(number, count, feat, value)        {number, count, X86_FEAT_##feat, 0, value, NULL, NULL},
#include "guest/x86/msrs.def"
#undef REGS
#undef FUNCS
#undef FIXED
};

static const struct row *find(const struct x86_sys *s, uint32_t msr)
{
    unsigned lo = 0, hi = sizeof(rows) / sizeof(rows[0]);

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        const struct row *r = &rows[mid];

        if (msr < r->number)
            hi = mid;
        else if (msr - r->number >= r->count)
            lo = mid + 1;
        else
            return r->feat == X86_FEAT_BASE || x86_feat(s, (enum x86_feature)r->feat) ? r : NULL;
    }
    return NULL;
}

static uint64_t *field(struct x86_sys *s, const struct row *r, uint32_t msr)
{
    return (uint64_t *)((char *)s + r->off) + (msr - r->number);
}

static bool is_x2apic(const struct x86_sys *s, uint32_t msr)
{
    return msr >> 8 == 8 && x86_feat(s, X86_FEAT_X2APIC);
}

/*
 * A register that is not there reads 0 and keeps nothing, whatever its number, as QEMU has it: processors raise #GP, but systems are about
 * that know a register by the model and read it without a handler, and no CPU model here has all the registers of its processor.
 */
bool x86_rdmsr(struct cpu *cpu, uint32_t msr, uint64_t *v)
{
    struct x86_sys *s = x86s(cpu);
    const struct row *r = find(s, msr);

    *v = 0;
    if (is_x2apic(s, msr))
        return apic_read(cpu, msr, v);
    if (!r)
        return true;
    if (r->read)
        return r->read(cpu, v);
    *v = r->off ? *field(s, r, msr) : r->mask;
    return true;
}

bool x86_wrmsr(struct cpu *cpu, uint32_t msr, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);
    const struct row *r = find(s, msr);

    if (is_x2apic(s, msr))
        return apic_write(cpu, msr, v);
    if (!r)
        return true;
    if (r->write)
        return r->write(cpu, v);
    if (!r->off)
        return true;
    if (v & ~r->mask)
        return false;
    *field(s, r, msr) = v;
    return true;
}
