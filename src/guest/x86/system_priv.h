/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a machine's x86 CPU, and what the files of the system level share.
 * Sources: Intel SDM volume 3; AMD64 APM volume 2.
 */
#ifndef GUEST_X86_SYSTEM_PRIV_H
#define GUEST_X86_SYSTEM_PRIV_H

#include "bus/machine.h"
#include "cpu/vcpu.h"
#include "guest/x86/svm.h"
#include "guest/x86/system.h"
#include "guest/x86/x86.h"

enum {
    CR0_PE = 1, CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_ET = 16, CR0_NE = 32, CR0_WP = 1 << 16, CR0_AM = 1 << 18,
    CR0_NW = 1 << 29, CR0_CD = 1 << 30,
};
#define CR0_PG 0x80000000u
enum {
    CR4_VME = 1, CR4_PVI = 2, CR4_TSD = 4, CR4_DE = 8, CR4_PSE = 16, CR4_PAE = 32, CR4_MCE = 64, CR4_PGE = 128, CR4_PCE = 256,
    CR4_OSFXSR = 512, CR4_OSXMMEXCPT = 1024, CR4_UMIP = 2048, CR4_LA57 = 1 << 12, CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17,
    CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21, CR4_PKE = 1 << 22,
};
enum { EFER_SCE = 1, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11, EFER_SVME = 1 << 12, EFER_FFXSR = 1 << 14 };
enum { DR6_BS = 1 << 14, DR6_BT = 1 << 15, DR6_BD = 1 << 13, DR7_GD = 1 << 13 };
#define DR6_FIXED 0xffff0ff0u

/* Attributes of struct x86_segment: the descriptor's second doubleword. */
enum {
    SEG_TYPE = 15 << 8, SEG_S = 1 << 12, SEG_DPL = 3 << 13, SEG_P = 1 << 15, SEG_L = 1 << 21, SEG_DB = 1 << 22, SEG_G = 1 << 23,
    SEG_A = 1 << 8, SEG_RW = 1 << 9 /* readable code, writable data */, SEG_CE = 1 << 10 /* conforming, expand-down */, SEG_CODE = 1 << 11,
    SEG_ATTR = 0x00f0ff00,
    SEG_NULL = 0, /* attr of an unusable segment: not present */
};
static inline unsigned seg_dpl(uint32_t attr)
{
    return attr >> 13 & 3;
}
/* Types of system descriptors (SDM 3A, table 3-2). */
enum {
    SYS_TSS16 = 1, SYS_LDT, SYS_TSS16_BUSY, SYS_CALL16, SYS_TASK, SYS_INT16, SYS_TRAP16, SYS_TSS32 = 9, SYS_TSS32_BUSY = 11,
    SYS_CALL32, SYS_INT32 = 14, SYS_TRAP32,
};
static inline unsigned sys_type(uint32_t attr)
{
    return attr >> 8 & 15;
}

enum { VM_CR_R_INIT = 2, VM_CR_LOCK = 8, VM_CR_SVMDIS = 16 }; /* APM 2, 15.30.1 */

enum { R_KERNEL, R_KERNEL_SMAP, R_USER, R_NUM, R_ALL = 7 };

/* Events that wait to be taken (x86_sys.events): bits. */
enum { EV_INTR = 1, EV_NMI = 2, EV_SMI = 4, EV_INIT = 8, EV_SIPI = 16, EV_ANY = EV_INTR | EV_NMI | EV_SMI | EV_INIT };

struct x86_table {
    uint64_t base;
    uint32_t limit;
};
/* LDTR and TR. */
struct x86_sysseg {
    uint64_t base;
    uint32_t limit, attr;
    uint16_t selector;
};

/* Attributes in 12 bits, as AMD's memory images of the CPU have them: bits 8 to 15 and 20 to 23 of the descriptor's (APM 2, 15.5.1). */
static inline uint64_t x86_attr_pack(uint32_t attr)
{
    return (attr >> 8 & 0xff) | (attr >> 12 & 0xf00);
}
static inline uint32_t x86_attr_unpack(uint64_t v)
{
    return (uint32_t)((v & 0xff) << 8 | (v & 0xf00) << 12);
}

enum { X86_MTRR_VAR = 8, X86_MTRR_FIX = 11, X86_MC_BANKS = 10, X86_PMC = 4, X86_ASIDS = 16 };
/* In x86_sys.shadow: since the present instruction; the T bit of the TSS that was switched to makes a debug exception. */
enum { X86_SHADOW_FRESH = 4, X86_SHADOW_TASK = 8 };
enum { X86_NESTED_FAULT = 0xff }; /* in place of a vector: #NPF, whose error code is svm.npf, the address fault_cr2 */

struct x86_sys {
    struct x86_state u; /* first: slots point into it */
    /* Registers, cleared by reset. */
    uint64_t cr0, cr2, cr3, cr4, efer, dr[4], dr6, dr7;
    struct x86_table gdt, idt;
    struct x86_sysseg ldt, tr;
    uint64_t pdpte[4]; /* PAE: as loaded with CR3 */
    uint64_t star, lstar, cstar, sfmask, kernel_gs;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, mtrr_def, mtrr_var[2 * X86_MTRR_VAR], mtrr_fix[X86_MTRR_FIX];
    uint64_t misc_enable, tsc_adjust, spec_ctrl, feature_control, smbase, mcg_status, mcg_ctl, mc[4 * X86_MC_BANKS];
    uint64_t perf_sel[X86_PMC], perf_ctr[X86_PMC], fixed_ctr[3], perf_fixed, perf_global, perf_status;
    uint64_t debugctl, microcode, vm_cr, vm_hsave, xss;
    uint64_t monitor;  /* the line that MONITOR armed */
    uint8_t cpl;
    uint8_t shadow;    /* the instruction at pc is shielded: 1 from interrupts (STI), 2 from debug traps, too (MOV SS); X86_SHADOW_* */
    bool smm, nmi_blocked;
    bool waits;        /* for SIPI */
    bool halted;       /* HLT: it sleeps */
    bool gif;          /* SVM: global interrupt flag */
    struct x86_svm svm;
    uint8_t sipi;      /* vector [atomic] */
    uint32_t events;   /* EV_* [atomic] */
    uint64_t saved_pc;
    uint32_t saved_mxcsr;
    bool saved_on;
    bool a20;

    /* Not saved, not reset. */
    struct machine *m;
    struct space *space, *smm_space, *io;
    struct x86_conf conf;
    unsigned index;
    uint64_t pa_mask;
    const struct x86_intc_ops *intc;
    void *intc_opaque;
    struct irq_line ferr;
    void (*shutdown)(void *opaque);
    void *shutdown_opaque;
    struct x86_boot boot;
    bool has_boot;
    /* A fault that a walk found, for CPU_STOP_FAULT. */
    uint8_t fault_vector;
    uint32_t fault_error;
    uint64_t fault_cr2;
    bool tf_before;    /* EFLAGS.TF as the present instruction began */
    uint32_t db_hit;   /* DR6 bits of data breakpoints met by the present instruction */
};
_Static_assert(sizeof(struct x86_sys) <= CPU_GUEST_MAX, "the state fits struct cpu");
#define X86_RESET_BYTES offsetof(struct x86_sys, m)

static inline struct x86_sys *x86s(struct cpu *cpu)
{
    return (struct x86_sys *)cpu->guest;
}
static inline const struct x86_sys *x86sc(const struct cpu *cpu)
{
    return (const struct x86_sys *)cpu->guest;
}
static inline struct cpu *x86_cpu_of(void *sys)
{
    return (struct cpu *)((char *)sys - offsetof(struct cpu, guest));
}
static inline bool x86_feat(const struct x86_sys *s, enum x86_feature f)
{
    return x86_has(&s->conf.features, f);
}
static inline bool x86_pe(const struct x86_sys *s)
{
    return s->cr0 & CR0_PE;
}
static inline bool x86_vm(const struct x86_sys *s)
{
    return s->u.eflags & X86_FL_VM;
}
static inline bool x86_lma(const struct x86_sys *s)
{
    return s->efer & EFER_LMA;
}
static inline bool x86_cs64(const struct x86_sys *s)
{
    return x86_lma(s) && (s->u.seg[X86_CS].attr & SEG_L);
}
static inline unsigned x86_iopl(const struct x86_sys *s)
{
    return s->u.eflags >> 12 & 3;
}

/* --- Raising: from helpers and what they call.  All return false; the CPU stops, pc at the instruction. --- */

bool x86_fault(struct cpu *cpu, unsigned vector, uint32_t error);
static inline bool x86_gp(struct cpu *cpu, uint32_t error)
{
    return x86_fault(cpu, X86_EXC_GP, error & 0xffff);
}

/* --- mode.c --- */

/** x86_update_mode - cpu->mode and what is derived of segments (room_r, room_w), from the registers. */
void x86_update_mode(struct cpu *cpu);
/** x86_leave - a helper changed what code means: leave translated code, go on at linear @pc. */
void x86_leave(struct cpu *cpu, uint64_t pc);

/* --- walk.c --- */

void x86_pages(struct cpu *cpu, guest_page_fn *fn, void *opaque);
int x86_walk(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool debug, struct mmu_page *page);
bool x86_bad_access(struct cpu *cpu, uint64_t va, uint64_t pa, enum mmu_access access, unsigned regime, bool misaligned);
unsigned x86_regime(uint32_t mode, bool unpriv);
unsigned x86_fetch_regime(uint32_t mode);
bool x86_canonical(const struct x86_sys *s, uint64_t va);
/** x86_flush - after CR0, CR3, CR4, EFER or A20 changed.  @globals: everything. */
void x86_flush(struct cpu *cpu, bool globals);
/** x86_set_context - translations are those of the present address space and modes: of host or guest, ASID, PCID. */
void x86_set_context(struct cpu *cpu);
/** x86_load_pdptes - PAE: the four entries at CR3; false: #GP(0) raised. */
bool x86_load_pdptes(struct cpu *cpu, uint64_t cr3);

/* --- segment.c: memory by segments, descriptors, loads --- */

/* Of linear addresses, as the present privilege level or implicitly as supervisor (@sys).  False: the fault is raised. */
bool x86_read_lin(struct cpu *cpu, uint64_t va, unsigned size, bool sys, uint64_t *v);
bool x86_write_lin(struct cpu *cpu, uint64_t va, unsigned size, bool sys, uint64_t v);

struct x86_desc {
    uint32_t lo, hi;
    uint64_t at;   /* its linear address */
    uint32_t high; /* bits 63..32 of the base: of 16-byte descriptors */
};
static inline uint32_t desc_base(const struct x86_desc *d)
{
    return d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000);
}
static inline uint32_t desc_limit(const struct x86_desc *d)
{
    uint32_t limit = (d->lo & 0xffff) | (d->hi & 0xf0000);

    return d->hi & SEG_G ? limit << 12 | 0xfff : limit;
}
/** x86_desc_find - is @sel within its table?  Reads its eight bytes.  1; 0: outside; -1: a fault is raised. */
int x86_desc_find(struct cpu *cpu, uint16_t sel, struct x86_desc *d);
/** x86_desc_high - the upper eight bytes of the system descriptor @sel in long mode; false: a fault is raised, #GP(@sel) if they are none. */
bool x86_desc_high(struct cpu *cpu, uint16_t sel, struct x86_desc *d);
bool x86_desc_accessed(struct cpu *cpu, struct x86_desc *d); /* sets the bit in memory */
void x86_seg_set(struct cpu *cpu, unsigned seg, uint16_t sel, const struct x86_desc *d);
void x86_seg_real(struct cpu *cpu, unsigned seg, uint16_t sel); /* real or virtual-8086 mode */
void x86_seg_null(struct cpu *cpu, unsigned seg, uint16_t sel);
/** x86_seg_load - MOV Sreg: all checks.  False: a fault is raised. */
bool x86_seg_load(struct cpu *cpu, unsigned seg, uint16_t sel);
/** x86_seg_check - may DS, ES, FS, GS or SS be loaded with @sel, at @cpl?  Fills @d (not for null selectors: *null). */
bool x86_seg_check(struct cpu *cpu, unsigned seg, uint16_t sel, unsigned cpl, unsigned vector, struct x86_desc *d, bool *null);
bool x86_load_ldt(struct cpu *cpu, uint16_t sel);
bool x86_load_tr(struct cpu *cpu, uint16_t sel);
/** x86_drop_segs - a return to less privilege: data segments that it may not have become null. */
void x86_drop_segs(struct cpu *cpu, unsigned cpl);

/* A stack being pushed to or popped from, before SP is committed. */
struct x86_stack {
    struct cpu *cpu;
    uint64_t base, sp, mask; /* mask: of SP */
    uint32_t limit;
    uint32_t attr;
    uint16_t error;  /* selector of #SS faults: 0 for the present stack */
    unsigned size;   /* bytes of each push and pop */
    bool flat;       /* 64-bit: no limits */
    bool sys;        /* as supervisor */
};
struct x86_stack x86_stack_now(struct cpu *cpu, unsigned size);
bool x86_stack_push(struct x86_stack *k, uint64_t v);
bool x86_stack_pop(struct x86_stack *k, uint64_t *v);
void x86_stack_done(struct x86_stack *k); /* SP, by its mask */

/* --- exception.c --- */

/** x86_deliver - enter the handler of @vector; error codes by vector.  @soft: INT n (1), INT3 and INTO (1), INT1 (2: no DPL check);
 * @next: IP that is saved, linear.  Handles double and triple faults. */
enum vcpu_next x86_deliver(struct cpu *cpu, unsigned vector, uint32_t error, unsigned soft, uint64_t saved_pc);
bool x86_has_error(unsigned vector);
/** x86_inject - VMRUN's EVENTINJ: into the guest, which returns to linear @saved_pc. */
enum vcpu_next x86_inject(struct cpu *cpu, uint64_t event, uint64_t saved_pc);
void x86_shut_down(struct cpu *cpu);
enum vcpu_next x86_stopped(struct cpu *cpu, enum cpu_stop stop);
void x86_interrupt(struct cpu *cpu);
bool x86_awake(struct cpu *cpu);
/** x86_unmasked - a helper opened IF or another mask: leaves translated code for @next_pc when something waits.  @shadow: as in x86_sys. */
void x86_unmasked(struct cpu *cpu, uint64_t next_pc, unsigned shadow);
void x86_raise_event(struct cpu *cpu, uint32_t ev);
/** x86_set_ferr - FERR#; on the CPU's thread. */
void x86_set_ferr(struct cpu *cpu, bool level);

/* --- task.c --- */

enum x86_task_why { X86_TASK_JUMP, X86_TASK_CALL, X86_TASK_GATE, X86_TASK_IRET };
/** x86_task_switch - to the TSS @sel.  @next: linear pc saved in the old TSS.  @error: pushed on the new stack, < 0: none.
 * False: a fault is raised. */
bool x86_task_switch(struct cpu *cpu, uint16_t sel, enum x86_task_why why, uint64_t next, int64_t error);
/** x86_tss_stack - SS:SP for privilege @cpl of the present 16- or 32-bit TSS. */
bool x86_tss_stack(struct cpu *cpu, unsigned cpl, uint16_t *ss, uint32_t *sp);
/** x86_io_allowed - CPL, IOPL and the permission bitmap. */
bool x86_io_allowed(struct cpu *cpu, uint16_t port, unsigned size);

/* --- far.c --- */

/** x86_load_stack - SS := @sel for privilege @cpl, from a TSS (@vector #TS) ; fills the descriptor. */
bool x86_check_ss(struct cpu *cpu, uint16_t sel, unsigned cpl, unsigned vector, struct x86_desc *d);
/** x86_set_ip - go on at offset @ip in CS, leaving translated code. */
void x86_set_ip(struct cpu *cpu, uint64_t ip);
static inline uint64_t x86_ip_of(const struct x86_sys *s, uint64_t pc)
{
    return x86_cs64(s) ? pc : (uint32_t)(pc - s->u.base[X86_CS]);
}

/* --- control.c --- */

bool x86_write_cr(struct cpu *cpu, unsigned n, uint64_t v);
uint64_t x86_read_cr(struct cpu *cpu, unsigned n);
void x86_set_efer(struct cpu *cpu, uint64_t v);
uint64_t x86_cr4_bits(const struct x86_sys *s); /* those that this CPU has */

/* --- svm_intercept.c --- */

uint64_t x86_next_rip(struct cpu *cpu); /* behind the instruction at pc */

/* --- msr.c --- */

uint64_t x86_seen_tsc(const struct cpu *cpu); /* the counter as the code that runs sees it */
bool x86_rdmsr(struct cpu *cpu, uint32_t msr, uint64_t *v); /* false: #GP; none is raised */
bool x86_wrmsr(struct cpu *cpu, uint32_t msr, uint64_t v);

/* --- machine_cpu.c, isa_system.c --- */

extern const struct state x86_sys_state[];
void x86_state_saving(void *obj);
int x86_state_loaded(void *obj, int version, struct err *e);
void x86_sys_reset(struct cpu *cpu, bool init);

/* --- dump.c --- */

/** x86_dump_system - guest_isa.dump of machines. */
void x86_dump_system(struct cpu *cpu, FILE *f, bool vectors);

/* --- smm.c --- */

/** x86_smm_space - after smm changed: what the CPU sees. */
void x86_smm_space(struct cpu *cpu);
void x86_enter_smm(struct cpu *cpu);
bool x86_rsm(struct cpu *cpu);

#endif
