/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMRUN, #VMEXIT, VMLOAD, VMSAVE (AMD64 APM volume 2, 15.5 to 15.7, 15.20; layout of the control block: appendix B). */
#include "guest/x86/decode.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/system_priv.h"

#include <string.h>

/* Offsets in the control block. */
enum {
    C_PAUSES = 0x3e, C_IOPM = 0x40, C_MSRPM = 0x48, C_TSC_OFFSET = 0x50, C_ASID = 0x58, C_TLB = 0x5c, C_VINT = 0x60, C_SHADOW = 0x68,
    C_EXITCODE = 0x70, C_INFO1 = 0x78, C_INFO2 = 0x80, C_INTINFO = 0x88, C_NP = 0x90, C_EVENTINJ = 0xa8, C_NCR3 = 0xb0, C_NRIP = 0xc8,
    C_BYTES = 0xd0, C_END = 0xe0,
    S_BEGIN = 0x400, S_FS = 0x440, S_GS = 0x450, S_GDTR = 0x460, S_LDTR = 0x470, S_IDTR = 0x480, S_TR = 0x490, S_CPL = 0x4cb,
    S_EFER = 0x4d0, S_CR4 = 0x548, S_CR3 = 0x550, S_CR0 = 0x558, S_DR7 = 0x560, S_DR6 = 0x568, S_RFLAGS = 0x570, S_RIP = 0x578,
    S_RSP = 0x5d8, S_RAX = 0x5f8, S_STAR = 0x600, S_LSTAR = 0x608, S_CSTAR = 0x610, S_SFMASK = 0x618, S_KERNEL_GS = 0x620,
    S_SYSENTER_CS = 0x628, S_SYSENTER_ESP = 0x630, S_SYSENTER_EIP = 0x638, S_CR2 = 0x640, S_PAT = 0x668, S_END = 0x670,
};

/* A copy of the block: what the guest may change meanwhile does not matter. */
struct block {
    uint8_t b[S_END];
};

static uint64_t get(const struct block *v, unsigned at, unsigned size)
{
    uint64_t x = 0;

    memcpy(&x, v->b + at, size);
    return x;
}

static void put(struct block *v, unsigned at, unsigned size, uint64_t x)
{
    memcpy(v->b + at, &x, size);
}

static struct access by(const struct x86_sys *s)
{
    return (struct access){.who = BUS_CPU(s->index)};
}

static void read_block(const struct x86_sys *s, uint64_t pa, struct block *v)
{
    space_read(s->space, pa, v->b, sizeof(v->b), by(s));
}

static void write_block(const struct x86_sys *s, uint64_t pa, const struct block *v, unsigned from, unsigned to)
{
    space_write(s->space, pa + from, v->b + from, to - from, by(s));
}

/* Page-aligned and within the physical address space. */
static bool good_address(const struct x86_sys *s, uint64_t pa)
{
    return !(pa & 4095) && !(pa & ~s->pa_mask);
}

/* --- Segments --- */

static void put_segment(struct block *v, unsigned at, uint16_t sel, uint32_t attr, uint32_t limit, uint64_t base)
{
    put(v, at, 2, sel);
    put(v, at + 2, 2, x86_attr_pack(attr));
    put(v, at + 4, 4, limit);
    put(v, at + 8, 8, base);
}

static void put_seg(const struct x86_sys *s, struct block *v, unsigned i)
{
    put_segment(v, S_BEGIN + 16 * i, s->u.seg[i].selector, s->u.seg[i].attr, s->u.seg[i].limit, s->u.base[i]);
}

static void get_seg(struct x86_sys *s, const struct block *v, unsigned i)
{
    unsigned at = S_BEGIN + 16 * i;

    s->u.seg[i] = (struct x86_segment){(uint16_t)get(v, at, 2), (uint32_t)get(v, at + 4, 4), x86_attr_unpack(get(v, at + 2, 2))};
    s->u.base[i] = get(v, at + 8, 8);
}

static struct x86_sysseg get_sysseg(const struct block *v, unsigned at)
{
    return (struct x86_sysseg){get(v, at + 8, 8), (uint32_t)get(v, at + 4, 4), x86_attr_unpack(get(v, at + 2, 2)), (uint16_t)get(v, at, 2)};
}

/* --- VMLOAD and VMSAVE --- */

bool x86_vmload(struct cpu *cpu, uint64_t pa)
{
    struct x86_sys *s = x86s(cpu);
    struct block v;

    if (!good_address(s, pa))
        return x86_gp(cpu, 0);
    read_block(s, pa, &v);
    get_seg(s, &v, X86_FS);
    get_seg(s, &v, X86_GS);
    s->ldt = get_sysseg(&v, S_LDTR);
    s->tr = get_sysseg(&v, S_TR);
    s->star = get(&v, S_STAR, 8);
    s->lstar = get(&v, S_LSTAR, 8);
    s->cstar = get(&v, S_CSTAR, 8);
    s->sfmask = get(&v, S_SFMASK, 4);
    s->kernel_gs = get(&v, S_KERNEL_GS, 8);
    s->sysenter_cs = get(&v, S_SYSENTER_CS, 4);
    s->sysenter_esp = get(&v, S_SYSENTER_ESP, 8);
    s->sysenter_eip = get(&v, S_SYSENTER_EIP, 8);
    return true;
}

bool x86_vmsave(struct cpu *cpu, uint64_t pa)
{
    struct x86_sys *s = x86s(cpu);
    struct block v;

    if (!good_address(s, pa))
        return x86_gp(cpu, 0);
    read_block(s, pa, &v);
    put_seg(s, &v, X86_FS);
    put_seg(s, &v, X86_GS);
    put_segment(&v, S_LDTR, s->ldt.selector, s->ldt.attr, s->ldt.limit, s->ldt.base);
    put_segment(&v, S_TR, s->tr.selector, s->tr.attr, s->tr.limit, s->tr.base);
    put(&v, S_STAR, 8, s->star);
    put(&v, S_LSTAR, 8, s->lstar);
    put(&v, S_CSTAR, 8, s->cstar);
    put(&v, S_SFMASK, 8, s->sfmask);
    put(&v, S_KERNEL_GS, 8, s->kernel_gs);
    put(&v, S_SYSENTER_CS, 8, s->sysenter_cs);
    put(&v, S_SYSENTER_ESP, 8, s->sysenter_esp);
    put(&v, S_SYSENTER_EIP, 8, s->sysenter_eip);
    write_block(s, pa, &v, S_FS, S_GDTR);
    write_block(s, pa, &v, S_LDTR, S_IDTR);
    write_block(s, pa, &v, S_TR, S_TR + 16);
    write_block(s, pa, &v, S_STAR, S_CR2);
    return true;
}

/* --- The host's state --- */

static void keep_host(struct cpu *cpu, uint64_t next)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_host *h = &s->svm.host;

    *h = (struct x86_host){.cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer, .rip = x86_ip_of(s, next), .rsp = s->u.r[X86_SP],
                           .rax = s->u.r[X86_AX], .pat = s->pat, .rflags = x86_get_eflags(cpu), .gdt_base = s->gdt.base,
                           .idt_base = s->idt.base, .gdt_limit = s->gdt.limit, .idt_limit = s->idt.limit};
    memcpy(h->seg, s->u.seg, sizeof(h->seg));
    memcpy(h->base, s->u.base, sizeof(h->base));
}

static void back_to_host(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);
    const struct x86_host *h = &s->svm.host;

    s->cr0 = h->cr0 | CR0_PE;
    s->cr3 = h->cr3;
    s->cr4 = h->cr4;
    s->efer = h->efer;
    if (s->svm.np)
        s->pat = h->pat;
    s->u.r[X86_SP] = h->rsp;
    s->u.r[X86_AX] = h->rax;
    s->gdt = (struct x86_table){h->gdt_base, h->gdt_limit};
    s->idt = (struct x86_table){h->idt_base, h->idt_limit};
    memcpy(s->u.seg, h->seg, sizeof(h->seg));
    memcpy(s->u.base, h->base, sizeof(h->base));
    x86_set_eflags(cpu, (h->rflags & ~(uint32_t)X86_FL_VM) | X86_FL_ONE);
    cpu->pc = x86_cs64(s) ? h->rip : (uint32_t)(s->u.base[X86_CS] + h->rip);
    s->dr7 = 0x400;
    s->cpl = 0;
}

/* Pages that were looked up without breakpoints near them do not know of them, nor the other way round. */
static void changed_space(struct cpu *cpu, bool breakpoints, bool flush)
{
    if (breakpoints || flush)
        mmu_flush(cpu, R_ALL, 0, 0, true);
    x86_set_context(cpu);
    x86_update_mode(cpu);
}

/* --- Entry: 15.5.1 --- */

static bool event_is_good(uint64_t ev)
{
    unsigned type = ev & EVENT_TYPE, vector = ev & 255;

    if (!(ev & EVENT_VALID))
        return true;
    if (type == EVENT_EXCEPTION)
        return vector < 32 && vector != X86_EXC_NMI;
    return type == EVENT_INTR || type == EVENT_NMI || type == EVENT_SOFT;
}

static bool modes_are_good(const struct x86_sys *s, const struct block *v)
{
    uint64_t cr0 = get(v, S_CR0, 8), cr4 = get(v, S_CR4, 8), efer = get(v, S_EFER, 8);
    uint32_t cs = x86_attr_unpack(get(v, S_BEGIN + 16 * X86_CS + 2, 2));
    bool is_long = (efer & EFER_LME) && (cr0 & CR0_PG);

    if (!(efer & EFER_SVME) || (efer & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME | EFER_FFXSR)))
        return false;
    if (((efer & (EFER_LME | EFER_LMA)) && !x86_feat(s, X86_FEAT_LM)) || (is_long && (!(cr4 & CR4_PAE) || !(cr0 & CR0_PE))))
        return false;
    if (cr0 >> 32 || (!(cr0 & CR0_CD) && (cr0 & CR0_NW)) || cr4 & ~x86_cr4_bits(s))
        return false;
    return !(is_long && (cs & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB));
}

static bool is_good(const struct x86_sys *s, const struct block *v)
{
    bool runs = get(v, 0x10, 4) & 1;

    return runs && get(v, C_ASID, 4) && get(v, C_ASID, 4) < X86_ASIDS && modes_are_good(s, v) && !get(v, S_DR6 + 4, 4) &&
           !get(v, S_DR7 + 4, 4) && event_is_good(get(v, C_EVENTINJ, 8)) && !(get(v, C_NP, 8) & 1 && !x86_feat(s, X86_FEAT_NPT));
}

static void get_control(struct x86_sys *s, const struct block *v, uint64_t pa)
{
    struct x86_svm *g = &s->svm;

    for (unsigned i = 0; i < 6; i++)
        g->intercept[i] = (uint32_t)get(v, 4 * i, 4);
    g->guest = true;
    g->vmcb = pa;
    g->np = get(v, C_NP, 1) & 1;
    g->ncr3 = get(v, C_NCR3, 8);
    g->asid = (uint32_t)get(v, C_ASID, 4);
    g->iopm = get(v, C_IOPM, 8) & s->pa_mask & ~4095ull;
    g->msrpm = get(v, C_MSRPM, 8) & s->pa_mask & ~4095ull;
    g->tsc_offset = get(v, C_TSC_OFFSET, 8);
    g->vint = get(v, C_VINT, 8);
    g->pauses = x86_feat(s, X86_FEAT_PAUSE_FILTER) ? (uint16_t)get(v, C_PAUSES, 2) : 0;
    g->event = 0;
}

static void get_guest(struct cpu *cpu, const struct block *v)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t efer = get(v, S_EFER, 8);

    s->cr0 = get(v, S_CR0, 4) | CR0_ET;
    s->cr2 = get(v, S_CR2, 8);
    s->cr3 = get(v, S_CR3, 8);
    s->cr4 = get(v, S_CR4, 8);
    s->efer = efer & EFER_LME && s->cr0 & CR0_PG ? efer | EFER_LMA : efer & ~(uint64_t)EFER_LMA;
    s->dr6 = (get(v, S_DR6, 4) & 0xe00f) | DR6_FIXED;
    s->dr7 = (get(v, S_DR7, 4) & 0xffff2bff) | 0x400;
    if (s->svm.np)
        s->pat = get(v, S_PAT, 8);
    s->gdt = (struct x86_table){get(v, S_GDTR + 8, 8), (uint32_t)get(v, S_GDTR + 4, 4)};
    s->idt = (struct x86_table){get(v, S_IDTR + 8, 8), (uint32_t)get(v, S_IDTR + 4, 4)};
    for (unsigned i = X86_ES; i <= X86_DS; i++)
        get_seg(s, v, i);
    x86_set_eflags(cpu, (uint32_t)(get(v, S_RFLAGS, 4) & 0x3f7fd7) | X86_FL_ONE);
    s->cpl = !x86_pe(s) ? 0 : x86_vm(s) ? 3 : (uint8_t)(get(v, S_CPL, 1) & 3);
    for (unsigned i = X86_ES; x86_cs64(s) && i <= X86_DS; i++)
        s->u.base[i] = 0;
    s->u.r[X86_SP] = get(v, S_RSP, 8);
    s->u.r[X86_AX] = get(v, S_RAX, 8);
    s->shadow = get(v, C_SHADOW, 1) & 1 ? 1 | X86_SHADOW_FRESH : 0;
    s->tf_before = false;
    s->db_hit = 0;
    cpu->pc = x86_cs64(s) ? get(v, S_RIP, 8) : (uint32_t)(s->u.base[X86_CS] + get(v, S_RIP, 8));
}

/* Software interrupts return to where the hypervisor says, on processors that tell it where that is (15.20). */
static void inject(struct cpu *cpu, uint64_t event, uint64_t nrip)
{
    struct x86_sys *s = x86s(cpu);
    unsigned type = event & EVENT_TYPE, vector = event & 255;
    bool soft = type == EVENT_SOFT || (type == EVENT_EXCEPTION && (vector == X86_EXC_BP || vector == X86_EXC_OF));
    uint64_t pc = cpu->pc;

    if (!(event & EVENT_VALID))
        return;
    if (soft && nrip && x86_feat(s, X86_FEAT_NRIP_SAVE))
        pc = x86_cs64(s) ? nrip : (uint32_t)(s->u.base[X86_CS] + nrip);
    if (x86_inject(cpu, event, pc) == VCPU_OFF)
        vcpu_off(vcpu_of(cpu));
}

static void refuse(struct x86_sys *s, uint64_t pa, struct block *v)
{
    put(v, C_EXITCODE, 8, (uint64_t)EXIT_INVALID);
    write_block(s, pa, v, C_EXITCODE, C_INFO1);
    s->gif = false;
}

bool x86_vmrun(struct cpu *cpu, uint64_t pa, uint64_t next)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t dr7 = s->dr7;
    struct block v;

    if (!good_address(s, pa))
        return x86_gp(cpu, 0);
    read_block(s, pa, &v);
    if (!is_good(s, &v)) {
        refuse(s, pa, &v);
        x86_leave(cpu, next);
        return true;
    }
    keep_host(cpu, next);
    get_control(s, &v, pa);
    get_guest(cpu, &v);
    s->gif = true;
    changed_space(cpu, (dr7 | s->dr7) & 0xff, get(&v, C_TLB, 1));
    if ((s->cr0 & CR0_PG) && (s->cr4 & CR4_PAE) && !x86_lma(s) && !s->svm.np && !x86_load_pdptes(cpu, s->cr3)) {
        cpu->stop = CPU_STOP_NONE;
        x86_vmexit(cpu, EXIT_INVALID, 0, 0);
    } else {
        inject(cpu, get(&v, C_EVENTINJ, 8), get(&v, C_NRIP, 8));
    }
    x86_leave(cpu, cpu->pc);
    return true;
}

/* --- #VMEXIT: 15.6 --- */

static void put_guest(struct cpu *cpu, struct block *v)
{
    struct x86_sys *s = x86s(cpu);

    for (unsigned i = X86_ES; i <= X86_DS; i++)
        put_seg(s, v, i);
    put(v, S_GDTR + 4, 4, s->gdt.limit);
    put(v, S_GDTR + 8, 8, s->gdt.base);
    put(v, S_IDTR + 4, 4, s->idt.limit);
    put(v, S_IDTR + 8, 8, s->idt.base);
    put(v, S_CPL, 1, s->cpl);
    put(v, S_EFER, 8, s->efer);
    put(v, S_CR0, 8, s->cr0);
    put(v, S_CR2, 8, s->cr2);
    put(v, S_CR3, 8, s->cr3);
    put(v, S_CR4, 8, s->cr4);
    put(v, S_DR6, 8, s->dr6);
    put(v, S_DR7, 8, s->dr7);
    put(v, S_RFLAGS, 8, x86_get_eflags(cpu));
    put(v, S_RIP, 8, x86_ip_of(s, cpu->pc));
    put(v, S_RSP, 8, s->u.r[X86_SP]);
    put(v, S_RAX, 8, s->u.r[X86_AX]);
    if (s->svm.np)
        put(v, S_PAT, 8, s->pat);
}

/* Where the instruction ends, of those that are the reason themselves (15.7.1). */
static uint64_t nrip(struct cpu *cpu, int64_t code)
{
    bool insn = (code >= 0 && code < EXIT_EXCEPTION) || (code >= EXIT_CR0_SEL_WRITE && code <= EXIT_INVPCID) ||
                code == EXIT_EXCEPTION + X86_EXC_BP || code == EXIT_EXCEPTION + X86_EXC_OF;

    if (!insn || code == EXIT_SHUTDOWN || code == EXIT_TASK_SWITCH || !x86_feat(x86s(cpu), X86_FEAT_NRIP_SAVE))
        return 0;
    return x86_next_rip(cpu);
}

/* Decode assists: the instruction's bytes at page faults of data (15.8.4). */
static void put_bytes(struct cpu *cpu, struct block *v, int64_t code, uint64_t info1)
{
    bool fault = code == EXIT_NPF || code == EXIT_EXCEPTION + X86_EXC_PF;

    memset(v->b + C_BYTES, 0, 16);
    if (fault && !(info1 & 16) && x86_feat(x86s(cpu), X86_FEAT_DECODEASSISTS))
        v->b[C_BYTES] = (uint8_t)mmu_read(cpu, cpu->pc, v->b + C_BYTES + 1, X86_MAX_LEN);
}

void x86_vmexit(struct cpu *cpu, int64_t code, uint64_t info1, uint64_t info2)
{
    struct x86_sys *s = x86s(cpu);
    struct x86_svm *g = &s->svm;
    uint64_t dr7 = s->dr7;
    struct block v;

    read_block(s, g->vmcb, &v);
    put_guest(cpu, &v);
    put_bytes(cpu, &v, code, info1);
    put(&v, C_NRIP, 8, nrip(cpu, code));
    put(&v, C_VINT, 8, g->vint);
    put(&v, C_SHADOW, 8, (s->shadow & 3) != 0);
    put(&v, C_EXITCODE, 8, (uint64_t)code);
    put(&v, C_INFO1, 8, info1);
    put(&v, C_INFO2, 8, info2);
    put(&v, C_INTINFO, 8, g->event);
    put(&v, C_EVENTINJ, 8, get(&v, C_EVENTINJ, 8) & ~EVENT_VALID);
    put(&v, C_TLB, 1, 0);
    write_block(s, g->vmcb, &v, C_TLB, C_TLB + 1);
    write_block(s, g->vmcb, &v, C_VINT, C_END);
    write_block(s, g->vmcb, &v, S_BEGIN, S_END);
    g->guest = s->gif = s->halted = s->tf_before = false;
    g->event = 0;
    s->shadow = 0;
    s->db_hit = 0;
    back_to_host(cpu);
    cpu->stop = CPU_STOP_NONE;
    changed_space(cpu, dr7 & 0xff, false);
    if ((s->cr0 & CR0_PG) && (s->cr4 & CR4_PAE) && !x86_lma(s) && !x86_load_pdptes(cpu, s->cr3)) {
        cpu->stop = CPU_STOP_NONE;
        x86_shut_down(cpu);
    }
}
