/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system level of AArch64 CPUs: its state, and what the files that implement it share (DDI 0487, D1). */
#ifndef GUEST_AARCH64_SYSTEM_PRIV_H
#define GUEST_AARCH64_SYSTEM_PRIV_H

#include "bus/clock.h"
#include "bus/machine.h"
#include "cpu/mmu.h"
#include "cpu/vcpu.h"
#include "guest/aarch64/aarch64.h"
#include "guest/aarch64/cores.h"
#include "guest/aarch64/system.h"

enum { A64_MAX_BREAKPOINTS = 16, A64_MAX_COUNTERS = 8 };

/* Exception classes, ESR_ELx.EC (DDI 0487, D17.2.37). */
enum a64_ec {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP = 0x07,
    EC_PAUTH = 0x09,
    EC_BTI = 0x0d,
    EC_ILLEGAL = 0x0e,
    EC_SVC = 0x15,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_SYSREG = 0x18,
    EC_FPAC = 0x1c,
    EC_IABORT_LOW = 0x20,
    EC_IABORT = 0x21,
    EC_PC_ALIGN = 0x22,
    EC_DABORT_LOW = 0x24,
    EC_DABORT = 0x25,
    EC_SP_ALIGN = 0x26,
    EC_SERROR = 0x2f,
    EC_BREAKPOINT_LOW = 0x30,
    EC_STEP_LOW = 0x32,
    EC_WATCHPOINT_LOW = 0x34,
    EC_BRK = 0x3c,
};

/* cpu->detail of CPU_STOP_GUEST: what the instruction at pc wants. */
enum a64_guest_stop {
    A64_STOP_TRAP,       /* the exception in a64_sys.trap */
    A64_STOP_WFI,
    A64_STOP_WFE,
    A64_STOP_SEV,
    A64_STOP_SEVL,
    A64_STOP_HVC,        /* immediate above these: detail >> 8 */
    A64_STOP_SMC,
    A64_STOP_FP,         /* floating point is not enabled */
    A64_STOP_ILLEGAL,    /* PSTATE.IL */
    A64_STOP_SP,         /* misaligned stack pointer */
};

/* HCR_EL2 */
enum {
    HCR_VM = 1 << 0, HCR_FMO = 1 << 3, HCR_IMO = 1 << 4, HCR_AMO = 1 << 5, HCR_VF = 1 << 6,
    HCR_VI = 1 << 7, HCR_VSE = 1 << 8, HCR_FB = 1 << 9, HCR_DC = 1 << 12, HCR_TWI = 1 << 13, HCR_TWE = 1 << 14,
    HCR_TID1 = 1 << 16, HCR_TID2 = 1 << 17, HCR_TID3 = 1 << 18, HCR_TSC = 1 << 19,
    HCR_TIDCP = 1 << 20, HCR_TACR = 1 << 21, HCR_TSW = 1 << 22, HCR_TPC = 1 << 23, HCR_TPU = 1 << 24,
    HCR_TTLB = 1 << 25, HCR_TVM = 1 << 26, HCR_TGE = 1 << 27, HCR_TDZ = 1 << 28, HCR_HCD = 1 << 29,
    HCR_TRVM = 1 << 30,
};
#define HCR_RW   (1ull << 31)
#define HCR_CD   (1ull << 32)
#define HCR_ID   (1ull << 33)
#define HCR_E2H  (1ull << 34)
#define HCR_TLOR (1ull << 35)
#define HCR_TERR (1ull << 36)
#define HCR_TEA  (1ull << 37)
#define HCR_APK  (1ull << 40)
#define HCR_API  (1ull << 41)

/* SCTLR_ELx */
enum {
    SCTLR_M = 1 << 0, SCTLR_A = 1 << 1, SCTLR_SA = 1 << 3, SCTLR_SA0 = 1 << 4, SCTLR_UMA = 1 << 9,
    SCTLR_ENDB = 1 << 13, SCTLR_DZE = 1 << 14, SCTLR_UCT = 1 << 15, SCTLR_NTWI = 1 << 16,
    SCTLR_NTWE = 1 << 18, SCTLR_WXN = 1 << 19, SCTLR_SPAN = 1 << 23, SCTLR_E0E = 1 << 24, SCTLR_EE = 1 << 25,
    SCTLR_UCI = 1 << 26, SCTLR_ENDA = 1 << 27, SCTLR_ENIB = 1 << 30,
};
#define SCTLR_ENIA  (1u << 31)
#define SCTLR_BT0   (1ull << 35)
#define SCTLR_BT    (1ull << 36) /* at EL1 called BT1 */
#define SCTLR_DSSBS (1ull << 44)
#define SCTLR_EPAN  (1ull << 57)

/* SPSR_ELx and PSTATE */
enum {
    PS_M = 0x1f, PS_SP = 1 << 0, PS_EL = 2, PS_AARCH32 = 1 << 4, PS_F = 1 << 6, PS_I = 1 << 7, PS_A = 1 << 8,
    PS_D = 1 << 9, PS_DAIF = 15 << 6, PS_BTYPE = 3 << 10, PS_SSBS = 1 << 12, PS_IL = 1 << 20,
    PS_SS = 1 << 21, PS_PAN = 1 << 22, PS_UAO = 1 << 23, PS_DIT = 1 << 24,
};

/* Translation regimes, numbered for cpu/mmu.h. */
enum a64_regime {
    R_EL10_0, /* EL1&0, as EL0 */
    R_EL10_1,
    R_EL10_1_PAN,
    R_EL2, /* EL2, or EL2&0 as EL2 */
    R_EL2_PAN,
    R_EL20_0, /* EL2&0, as EL0 */
    R_NUM,
};
#define R_EL10_ALL (1u << R_EL10_0 | 1u << R_EL10_1 | 1u << R_EL10_1_PAN)
#define R_EL2_ALL  (1u << R_EL2 | 1u << R_EL2_PAN | 1u << R_EL20_0)

/* What a walk that failed has found: half a syndrome. */
struct a64_fault {
    uint64_t far, hpfar; /* hpfar: of stage 2 faults, in the register's form */
    uint32_t fsc;        /* ISS.DFSC, IFSC */
    bool stage2, s1ptw, ea;
    bool write, cm; /* ISS.WnR, ISS.CM */
    bool debug;     /* a watchpoint */
};

struct a64_gtimer {
    struct timer timer;
    struct irq_line line;
    struct cpu *cpu;
};

/* The state that lives in cpu->guest; indices of arrays are exception levels. */
struct a64_sys {
    struct a64_state u;

    /* Slots */
    uint64_t sp_el[4]; /* the one in use is u.sp */
    uint64_t elr[4], spsr[4], tpidr[4], tpidrro, daif /* PSTATE.DAIF at its place */;
    uint64_t esr[4], far[4], contextidr[4], vbar[4], par;

    /* PSTATE; the rest of it is in u, cpu->landing and daif */
    uint8_t el, spsel, pan, uao, ss, il;

    uint64_t sctlr[4], tcr[4], ttbr0[4], ttbr1[4], mair[4], amair[4], afsr0[4], afsr1[4], actlr[4], cpacr, rvbar,
        rmr, csselr, disr, lorsa, lorea, lorn, lorc;
    uint64_t hcr, hstr, hacr, hpfar, mdcr, cptr, vtcr, vttbr, vpidr, vmpidr, vsesr, vdisr, sder;
    uint64_t cnthctl, cntkctl, cntvoff, cntfrq;
    uint64_t cnt_ctl[A64_NUM_TIMERS], cnt_cval[A64_NUM_TIMERS]; /* [machine lock] */

    /* Debug */
    uint64_t mdscr, oslock, osdlr, mdccint, claim, eccr, dtr, dtrrx, dtrtx, dbgprcr, sdbg;
    uint64_t dbgbvr[A64_MAX_BREAKPOINTS], dbgbcr[A64_MAX_BREAKPOINTS], dbgwvr[A64_MAX_BREAKPOINTS],
        dbgwcr[A64_MAX_BREAKPOINTS];

    /* Performance monitor: [machine lock] */
    uint64_t pmcr, pmcnten, pmovs, pminten, pmselr, pmuserenr, pmccfiltr, pmccntr;
    uint64_t pmu_last; /* when the counters were brought up to date: ns of the virtual clock */
    uint64_t pmevcntr[A64_MAX_COUNTERS], pmevtyper[A64_MAX_COUNTERS];

    uint32_t access_bytes; /* of the instruction at hand, while watchpoints are armed */
    bool event;         /* the event register of WFE [atomic: SEV of any CPU sets it] */
    bool waits_event;   /* it sleeps in WFE */
    uint8_t pmu_el;     /* the level that the counters have counted for since pmu_last [atomic] */
    bool pmu_filters;   /* some counter does not count at every level [atomic] */
    bool stepped;       /* software step has executed an instruction, the one at step_pc */
    uint64_t step_pc;
    bool tlbi_pending;  /* DSB has to wait for other CPUs */
    uint64_t saved_pc, saved_landing, saved_fpsr, saved_on; /* of struct cpu and its vCPU, while state is saved or loaded */

    /* Reset leaves what follows alone. */
    uint32_t irq_level; /* [atomic] bits 1 << enum a64_irq */
    struct a64_gtimer gt[A64_NUM_TIMERS];
    struct timer pmu_timer;
    struct irq_line pmu_line;
    struct a64_fault fault;
    struct {
        uint64_t iss;
        uint8_t ec, el;
    } trap; /* of A64_STOP_TRAP */
    struct machine *m;
    struct space *space;
    struct {
        uint64_t start, len;
        uint8_t *host;
        uint32_t changes;
    } tables; /* RAM that translation tables were read from */
    struct a64_conf conf;
    bool bti; /* there is FEAT_BTI */
    const struct a64_core *core;
    struct a64_reset reset;
    const struct a64_icc_ops *icc;
    void *icc_opaque;
    uint32_t index;
};

/* What reset clears. */
#define A64_RESET_BYTES offsetof(struct a64_sys, irq_level)

_Static_assert(sizeof(struct a64_sys) <= CPU_GUEST_MAX, "the state fits struct cpu");

static inline struct a64_sys *a64s(struct cpu *cpu)
{
    return (struct a64_sys *)cpu->guest;
}
static inline const struct a64_sys *a64s_const(const struct cpu *cpu)
{
    return (const struct a64_sys *)cpu->guest;
}

static inline uint64_t a64_bits(uint64_t v, unsigned lsb, unsigned n)
{
    return v >> lsb & ((1ull << n) - 1);
}

/* HCR_EL2 with what TGE implies; 0 without EL2. */
static inline uint64_t hcr_of(const struct a64_sys *s)
{
    uint64_t h = s->conf.el2 ? s->hcr : 0;

    if (!(h & HCR_TGE))
        return h;
    h |= HCR_FMO | HCR_IMO | HCR_AMO;
    return h & HCR_E2H ? h & ~(uint64_t)(HCR_VM | HCR_DC) : h & ~(uint64_t)HCR_VM;
}
/* Is EL0 part of EL2's regime? */
static inline bool host_el0(const struct a64_sys *s)
{
    return (hcr_of(s) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
}
/* The level whose SCTLR, TCR and vectors code at the present level goes by. */
static inline unsigned control_el(const struct a64_sys *s)
{
    return s->el ? s->el : host_el0(s) ? 2 : 1;
}

/* --- exception.c --- */

enum { A64_SYNC = 0, A64_VEC_IRQ = 0x80, A64_VEC_FIQ = 0x100, A64_VEC_SERROR = 0x180 }; /* of a vector table */

/** a64_take - enter an exception at @el; cpu->pc is the preferred return address.  @offset: 0 synchronous, 0x80 IRQ,
 * 0x100 FIQ, 0x180 SError.  ESR is written for all but interrupts (@ec, @iss; IL set). */
void a64_take(struct cpu *cpu, unsigned el, unsigned offset, enum a64_ec ec, uint64_t iss);
/** a64_target - where a synchronous exception of the present level goes, unless something traps it: EL1 or EL2. */
unsigned a64_target(const struct a64_sys *s);
/** a64_ds - do tables of 4K and 16K at @el, 1 or 2, hold addresses of 52 bits (TCR_ELx.DS)? */
bool a64_ds(const struct a64_sys *s, unsigned el);
/** a64_wide - may addresses be of more than 48 bits where the CPU is now? */
bool a64_wide(const struct a64_sys *s);
/** a64_trap - for helpers: leave, and take the exception with the instruction at @pc as its cause. */
void a64_trap(struct cpu *cpu, uint64_t pc, unsigned el, enum a64_ec ec, uint64_t iss);
/** a64_update_mode - cpu->mode as the state says. */
void a64_update_mode(struct cpu *cpu);
/** a64_irq_ready - is there an interrupt that is not masked? */
bool a64_irq_ready(struct cpu *cpu);
void a64_interrupt(struct cpu *cpu);
bool a64_awake(struct cpu *cpu);
enum vcpu_next a64_stopped(struct cpu *cpu, enum cpu_stop stop);
/** a64_select_sp - PSTATE.EL and SPSel become these: u.sp is changed with them. */
void a64_select_sp(struct cpu *cpu, unsigned el, unsigned spsel);

/* --- walk.c --- */

void a64_pages(struct cpu *cpu, guest_page_fn *fn, void *opaque);
int a64_walk(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool debug,
             struct mmu_page *page);
bool a64_bad_access(struct cpu *cpu, uint64_t va, uint64_t pa, enum mmu_access access, unsigned regime,
                    bool misaligned);
unsigned a64_regime(uint32_t mode, bool unpriv);
unsigned a64_fetch_regime(uint32_t mode);
/** a64_contexts - tell the TLB which ASIDs and VMID are in force. */
void a64_contexts(struct cpu *cpu);
/** a64_space_changed - for space_on_change(): what walks remember of RAM is old. */
void a64_space_changed(void *opaque);
/** a64_at - address translation instruction: PAR_EL1 := what @regime says of @va. */
void a64_at(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool stage1_only);

/* --- sysreg.c, maintain.c, timer.c, pmu.c, debug.c, psci.c --- */

uint64_t a64_counter_frequency(void); /* Hz */
/** a64_event_stream_ns - until the timer's next event for WFE, 0.1 ms at most; 0: there is no event stream. */
uint64_t a64_event_stream_ns(const struct a64_sys *s);
void a64_timer_init(struct cpu *cpu);
void a64_timer_update(struct cpu *cpu, enum a64_timer which);
void a64_pmu_init(struct cpu *cpu);
void a64_pmu_update(struct cpu *cpu);
/** a64_pmu_level - it is at another exception level than s->pmu_el; on its thread. */
void a64_pmu_level(struct cpu *cpu);
/** a64_pac_checked - a signature made or checked, if the key is enabled. */
uint64_t a64_pac_checked(struct cpu *cpu, uint64_t ptr, uint64_t modifier, uint64_t key);
/** a64_breakpoints_armed - does each instruction have to look for breakpoints and watchpoints? */
bool a64_breakpoints_armed(const struct a64_sys *s);
/** a64_watched - is the access one that a watchpoint of the guest's is for?  a64_watch_page - is there one in the page? */
bool a64_watched(const struct a64_sys *s, uint64_t va, enum mmu_access access);
bool a64_watch_page(const struct a64_sys *s, uint64_t va);
/** a64_step_active - software step is enabled at the present level. */
bool a64_step_active(const struct a64_sys *s);
/** a64_step_after_return - PSTATE.SS after an exception return with @spsr. */
bool a64_step_after_return(const struct a64_sys *s, uint32_t spsr);
void a64_take_step(struct cpu *cpu);
/** a64_step_due - software step is active and its one instruction has been done (PSTATE.SS is clear). */
bool a64_step_due(const struct a64_sys *s);
/** a64_debug_enabled - are debug exceptions from the present level enabled (but BRK)? */
bool a64_debug_enabled(const struct a64_sys *s);
unsigned a64_debug_target(const struct a64_sys *s);
/** a64_psci - the call in X0.. of the conduit's instruction; pc is behind it. */
void a64_psci(struct cpu *cpu, enum vcpu_next *next);
/** a64_sys_reset - power-on state, then what the board wants. */
void a64_sys_reset(struct cpu *cpu);

extern const struct state a64_sys_state[];
void a64_state_saving(void *obj);
int a64_state_loaded(void *obj, int version, struct err *e);
/** a64_cpu_of - the CPU whose state @s is. */
static inline struct cpu *a64_cpu_of(struct a64_sys *s)
{
    return (struct cpu *)((char *)s - offsetof(struct cpu, guest));
}

#endif
