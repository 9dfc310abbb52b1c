/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System management mode: entry, RSM, the state save area (SDM 3C, chapter 32; the AMD64 form: APM 2, 10.2.3, table 10-2).
 * CPUs with long mode save the AMD64 form (revision 0x64), others the 32-bit one.
 */
#include "guest/x86/system_priv.h"

#include <string.h>

enum { AREA = 0x8000, REVISION32 = 0x20000, REVISION64 = 0x20064 }; /* bit 17: SMBASE may be moved */

/* The area while it is written or read: 512 bytes, up to smbase + 0x10000. */
struct area {
    uint8_t b[512];
};

static void put(struct area *a, unsigned at, unsigned size, uint64_t v)
{
    memcpy(a->b + at - 0x7e00, &v, size);
}

static uint64_t get(const struct area *a, unsigned at, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, a->b + at - 0x7e00, size);
    return v;
}

void x86_smm_space(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    struct space *space = s->smm && s->smm_space ? s->smm_space : machine_space(s->m);

    if (space == s->space)
        return;
    s->space = space;
    mmu_set_space(cpu, space);
}

/* --- The AMD64 form --- */

static void put_seg(struct area *a, unsigned at, uint16_t sel, uint32_t attr, uint32_t limit, uint64_t base)
{
    put(a, at, 2, sel);
    put(a, at + 2, 2, x86_attr_pack(attr));
    put(a, at + 4, 4, limit);
    put(a, at + 8, 8, base);
}

static void save64(struct cpu *cpu, struct area *a)
{
    const struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        put_seg(a, 0x7e00 + 16 * i, s->u.seg[i].selector, s->u.seg[i].attr, s->u.seg[i].limit, s->u.base[i]);
    put_seg(a, 0x7e60, 0, 0, s->gdt.limit, s->gdt.base);
    put_seg(a, 0x7e70, s->ldt.selector, s->ldt.attr, s->ldt.limit, s->ldt.base);
    put_seg(a, 0x7e80, 0, 0, s->idt.limit, s->idt.base);
    put_seg(a, 0x7e90, s->tr.selector, s->tr.attr, s->tr.limit, s->tr.base);
    put(a, 0x7ec9, 1, s->halted);
    put(a, 0x7ed0, 8, s->efer);
    put(a, 0x7efc, 4, REVISION64);
    put(a, 0x7f00, 4, s->smbase);
    put(a, 0x7f48, 8, s->cr4);
    put(a, 0x7f50, 8, s->cr3);
    put(a, 0x7f58, 8, s->cr0);
    put(a, 0x7f60, 8, s->dr7);
    put(a, 0x7f68, 8, s->dr6);
    put(a, 0x7f70, 8, x86_get_eflags(cpu));
    put(a, 0x7f78, 8, x86_ip_of(s, cpu->pc));
    for (unsigned i = 0; i < 16; i++) {
        static const uint8_t order[] = {15, 14, 13, 12, 11, 10, 9, 8, X86_DI, X86_SI, X86_BP, X86_SP, X86_BX, X86_DX, X86_CX, X86_AX};

        put(a, 0x7f80 + 8 * i, 8, s->u.r[order[i]]);
    }
}

static void load_seg64(struct x86_sys *s, const struct area *a, unsigned i)
{
    unsigned at = 0x7e00 + 16 * i;

    s->u.seg[i] = (struct x86_segment){(uint16_t)get(a, at, 2), (uint32_t)get(a, at + 4, 4), x86_attr_unpack(get(a, at + 2, 2))};
    s->u.base[i] = get(a, at + 8, 8);
}

static struct x86_sysseg load_sys64(const struct area *a, unsigned at)
{
    return (struct x86_sysseg){get(a, at + 8, 8), (uint32_t)get(a, at + 4, 4), x86_attr_unpack(get(a, at + 2, 2)), (uint16_t)get(a, at, 2)};
}

static uint64_t load64(struct cpu *cpu, const struct area *a)
{
    static const uint8_t order[] = {15, 14, 13, 12, 11, 10, 9, 8, X86_DI, X86_SI, X86_BP, X86_SP, X86_BX, X86_DX, X86_CX, X86_AX};
    struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        load_seg64(s, a, i);
    s->gdt = (struct x86_table){get(a, 0x7e68, 8), (uint32_t)get(a, 0x7e64, 4)};
    s->idt = (struct x86_table){get(a, 0x7e88, 8), (uint32_t)get(a, 0x7e84, 4)};
    s->ldt = load_sys64(a, 0x7e70);
    s->tr = load_sys64(a, 0x7e90);
    s->halted = get(a, 0x7ec9, 1) & 1;
    s->efer = get(a, 0x7ed0, 8);
    if (get(a, 0x7efc, 4) & 0x20000)
        s->smbase = get(a, 0x7f00, 4);
    s->cr4 = get(a, 0x7f48, 8);
    s->cr3 = get(a, 0x7f50, 8);
    s->cr0 = get(a, 0x7f58, 4);
    s->dr7 = get(a, 0x7f60, 4);
    s->dr6 = get(a, 0x7f68, 4);
    for (unsigned i = 0; i < 16; i++)
        s->u.r[order[i]] = get(a, 0x7f80 + 8 * i, 8);
    x86_set_eflags(cpu, (uint32_t)(get(a, 0x7f70, 4) & 0x3f7fd7));
    return get(a, 0x7f78, 8);
}

/* --- The 32-bit form: what is documented, and descriptors in what is reserved --- */

static const uint16_t seg32[] = {0x7fa8, 0x7fac, 0x7fb0, 0x7fb4, 0x7fb8, 0x7fbc};
static const uint16_t gpr32[] = {0x7fd0, 0x7fd4, 0x7fd8, 0x7fdc, 0x7fe0, 0x7fe4, 0x7fe8, 0x7fec};
enum { CACHE32 = 0x7e10 }; /* attr, limit, base: of the six, LDT, TR; then GDT, IDT */

static void put_cache(struct area *a, unsigned n, uint32_t attr, uint32_t limit, uint64_t base)
{
    put(a, CACHE32 + 12 * n, 4, attr);
    put(a, CACHE32 + 12 * n + 4, 4, limit);
    put(a, CACHE32 + 12 * n + 8, 4, base);
}

static void save32(struct cpu *cpu, struct area *a)
{
    const struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        put(a, seg32[i], 4, s->u.seg[i].selector);
        put_cache(a, i, s->u.seg[i].attr, s->u.seg[i].limit, s->u.base[i]);
    }
    for (unsigned i = 0; i < 8; i++)
        put(a, gpr32[i], 4, s->u.r[i]);
    put_cache(a, 6, s->ldt.attr, s->ldt.limit, s->ldt.base);
    put_cache(a, 7, s->tr.attr, s->tr.limit, s->tr.base);
    put_cache(a, 8, 0, s->gdt.limit, s->gdt.base);
    put_cache(a, 9, 0, s->idt.limit, s->idt.base);
    put(a, 0x7ef8, 4, s->smbase);
    put(a, 0x7efc, 4, REVISION32);
    put(a, 0x7f02, 2, s->halted);
    put(a, 0x7f14, 4, s->cr4);
    put(a, 0x7fc0, 4, s->ldt.selector);
    put(a, 0x7fc4, 4, s->tr.selector);
    put(a, 0x7fc8, 4, s->dr7);
    put(a, 0x7fcc, 4, s->dr6);
    put(a, 0x7ff0, 4, x86_ip_of(s, cpu->pc));
    put(a, 0x7ff4, 4, x86_get_eflags(cpu));
    put(a, 0x7ff8, 4, s->cr3);
    put(a, 0x7ffc, 4, s->cr0);
}

static struct x86_sysseg load_sys32(const struct area *a, unsigned n, unsigned sel)
{
    unsigned at = CACHE32 + 12 * n;

    return (struct x86_sysseg){get(a, at + 8, 4), (uint32_t)get(a, at + 4, 4), (uint32_t)get(a, at, 4), (uint16_t)(sel ? get(a, sel, 2) : 0)};
}

static uint64_t load32(struct cpu *cpu, const struct area *a)
{
    struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        struct x86_sysseg g = load_sys32(a, i, seg32[i]);

        s->u.seg[i] = (struct x86_segment){g.selector, g.limit, g.attr};
        s->u.base[i] = g.base;
    }
    for (unsigned i = 0; i < 8; i++)
        s->u.r[i] = get(a, gpr32[i], 4);
    s->ldt = load_sys32(a, 6, 0x7fc0);
    s->tr = load_sys32(a, 7, 0x7fc4);
    s->gdt = (struct x86_table){get(a, CACHE32 + 12 * 8 + 8, 4), (uint32_t)get(a, CACHE32 + 12 * 8 + 4, 4)};
    s->idt = (struct x86_table){get(a, CACHE32 + 12 * 9 + 8, 4), (uint32_t)get(a, CACHE32 + 12 * 9 + 4, 4)};
    s->smbase = get(a, 0x7ef8, 4);
    s->halted = get(a, 0x7f02, 2) & 1;
    s->cr4 = get(a, 0x7f14, 4);
    s->dr7 = get(a, 0x7fc8, 4);
    s->dr6 = get(a, 0x7fcc, 4);
    s->cr3 = get(a, 0x7ff8, 4);
    s->cr0 = get(a, 0x7ffc, 4);
    x86_set_eflags(cpu, (uint32_t)(get(a, 0x7ff4, 4) & 0x3f7fd7));
    return get(a, 0x7ff0, 4);
}

/* --- Going in and out --- */

static bool form64(const struct x86_sys *s)
{
    return x86_feat(s, X86_FEAT_LM);
}

static struct access by(const struct x86_sys *s)
{
    return (struct access){.who = BUS_CPU(s->index)};
}

void x86_enter_smm(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    struct area a = {{0}};

    cpu_log(cpu, ENGINE_LOG_STOP, true, "SMM: enter");
    (form64(s) ? save64 : save32)(cpu, &a);
    s->smm = true;
    x86_smm_space(cpu);
    space_write(s->space, s->smbase + AREA + 0x7e00, a.b, sizeof(a.b), by(s));
    s->nmi_blocked = true;
    s->cr0 &= ~(uint64_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    s->cr4 = 0;
    if (form64(s)) /* the other form has no place for it: NXE stays as it is, which means nothing without paging */
        s->efer = 0;
    s->dr7 = 0x400;
    s->cpl = s->shadow = 0;
    x86_set_eflags(cpu, X86_FL_ONE);
    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        s->u.seg[i] = (struct x86_segment){0, 0xffffffff, 0x809300};
        s->u.base[i] = 0;
    }
    s->u.seg[X86_CS].selector = (uint16_t)(s->smbase >> 4);
    s->u.base[X86_CS] = s->smbase;
    cpu->pc = (uint32_t)(s->smbase + AREA);
    x86_flush(cpu, true);
    x86_update_mode(cpu);
}

/* Hostile: the handler may have written anything. */
static bool sane(const struct x86_sys *s)
{
    if ((s->cr0 & CR0_PG) && !(s->cr0 & CR0_PE))
        return false;
    if ((s->efer & EFER_LMA) && (!(s->cr0 & CR0_PG) || !(s->cr4 & CR4_PAE)))
        return false;
    return !(s->efer & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME | EFER_FFXSR));
}

bool x86_rsm(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    struct area a;
    uint64_t ip;

    space_read(s->space, s->smbase + AREA + 0x7e00, a.b, sizeof(a.b), by(s));
    ip = (form64(s) ? load64 : load32)(cpu, &a);
    s->smm = s->nmi_blocked = false;
    x86_smm_space(cpu);
    s->cpl = x86_vm(s) && x86_pe(s) ? 3 : x86_pe(s) ? (uint8_t)seg_dpl(s->u.seg[X86_SS].attr) : 0;
    if (!sane(s)) {
        s->efer &= ~(uint64_t)EFER_LMA;
        s->cr0 &= ~(uint64_t)CR0_PG;
        return x86_fault(cpu, X86_EXC_DF, 0);
    }
    x86_flush(cpu, true);
    if ((s->cr0 & CR0_PG) && (s->cr4 & CR4_PAE) && !x86_lma(s) && !x86_load_pdptes(cpu, s->cr3))
        return false;
    x86_set_ip(cpu, ip);
    x86_update_mode(cpu);
    cpu_log(cpu, ENGINE_LOG_STOP, true, "SMM: after RSM");
    if (s->halted) { /* back to sleep */
        cpu->stop = CPU_STOP_GUEST;
        cpu->detail = x86_detail(X86_STOP_HLT, 0, 0, 0);
    }
    return true;
}
