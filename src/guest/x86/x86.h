/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 guest, 16-, 32- and 64-bit: its CPU state and slots, shared by the lifter, the Linux personality, boards and gdb.
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual (SDM), volumes 1 to 4; AMD64 Architecture
 * Programmer's Manual (APM) where they differ.
 */
#ifndef GUEST_X86_H
#define GUEST_X86_H

#include "cpu/cpu.h"

enum x86_gpr { X86_AX, X86_CX, X86_DX, X86_BX, X86_SP, X86_BP, X86_SI, X86_DI }; /* R8..R15 follow */
enum x86_seg { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_NUM_SEGS, X86_NO_SEG = X86_NUM_SEGS };

/* EFLAGS. */
enum {
    X86_FL_CF = 1, X86_FL_ONE = 2, X86_FL_PF = 4, X86_FL_AF = 0x10, X86_FL_ZF = 0x40, X86_FL_SF = 0x80,
    X86_FL_TF = 0x100, X86_FL_IF = 0x200, X86_FL_DF = 0x400, X86_FL_OF = 0x800, X86_FL_IOPL = 0x3000, X86_FL_NT = 0x4000,
    X86_FL_RF = 0x10000, X86_FL_VM = 0x20000, X86_FL_AC = 0x40000, X86_FL_VIF = 0x80000, X86_FL_VIP = 0x100000,
    X86_FL_ID = 0x200000,
    X86_FL_STATUS = X86_FL_CF | X86_FL_PF | X86_FL_AF | X86_FL_ZF | X86_FL_SF | X86_FL_OF,
};

/** struct x86_x87 - one x87 register; its low eight bytes are the MMX register of the same number. */
struct x86_x87 {
    uint64_t mantissa;
    uint16_t exponent; /* and sign, bit 15 */
    uint16_t pad[3];
};

/** struct x86_segment - a segment register; base is a slot, see struct x86_state. */
struct x86_segment {
    uint16_t selector;
    uint32_t limit; /* in bytes, scaled */
    uint32_t attr;  /* as the descriptor's second doubleword has them: bits 8 to 15, 20 to 23 (SDM 3A 3.4.5) */
};

/* The state that lives in cpu->guest; what machines have besides follows it (system_priv.h). */
struct x86_state {
    uint64_t r[16];              /* these and the flags are near CPU_BIAS: short addresses */
    uint32_t pf, af;             /* PF: of the low byte of pf; AF: bit 4 of af ^ pf */
    uint8_t cf, zf, sf, of;      /* each 0 or 1 */
    uint64_t base[X86_NUM_SEGS]; /* of segments; those of CS, DS, ES and SS are 0 in 64-bit mode */
    /* Of machines: how many bytes of a segment may be read and written, from offset 0 on; 0 also for segments that expand down,
     * whose accesses are looked at one by one (x86_linear, walk.c). */
    uint64_t room_r[X86_NUM_SEGS], room_w[X86_NUM_SEGS];
    uint64_t df;                 /* EFLAGS.DF as a step: 1 or -1 */
    uint32_t eflags;             /* all but CF, PF, AF, ZF, SF, DF, OF, which are 0 here; bit 1 is set */
    union ir_u xmm[16] __attribute__((aligned(16)));
    union ir_u ymmh[16];         /* upper halves of YMM0..YMM15 */
    uint64_t fip, fdp;           /* last x87 instruction and operand, offsets; FCS and FDS in fcs, fds */
    uint32_t fop;
    /* Not slots: only helpers look at these. */
    struct x86_x87 fpr[8];       /* physical registers; ST(i) is fpr[(top + i) & 7] */
    uint16_t fcw, fsw;           /* fsw without TOP */
    uint8_t ftop;
    uint8_t ftag;                /* a bit for each physical register that is not empty (FXSAVE's form) */
    uint16_t fcs, fds;
    bool ignne;                  /* IGNNE#: a pending x87 exception is ignored until it is cleared (machines with CR0.NE clear) */
    bool fast_fxsr;              /* EFER.FFXSR: FXSAVE of 64-bit supervisors leaves XMM registers alone (APM 2, 3.1.7) */
    uint32_t mxcsr;              /* control bits; flags are gathered from cpu->fp (x86_get_mxcsr) */
    uint64_t xcr0;
    uint64_t aux[2];             /* second results of helpers (remainders ...): written and read within one instruction */
    struct x86_segment seg[X86_NUM_SEGS];
    uint32_t features;           /* number of the CPU's feature set, see features.h */
    uint64_t tsc_offset;
    uint32_t tsc_aux;
    uint32_t pkru;
    uint64_t tls[3];             /* of programs: GDT entries X86_GDT_TLS and on (set_thread_area) */
    const uint64_t *ldt;         /* of programs: LDT (modify_ldt), of n_ldt entries; the process's */
    uint32_t n_ldt;
    const struct x86_conf *conf; /* of programs: the model, for CPUID; lives as long as the process */
};

static inline struct x86_state *x86(struct cpu *cpu)
{
    return (struct x86_state *)cpu->guest;
}

enum x86_slot {
    X86_R0,
    X86_BASE = X86_R0 + 16, /* ES CS SS DS FS GS */
    X86_ROOM_R = X86_BASE + X86_NUM_SEGS,
    X86_ROOM_W = X86_ROOM_R + X86_NUM_SEGS,
    X86_DF = X86_ROOM_W + X86_NUM_SEGS,
    X86_PF,
    X86_AF,
    X86_CF,
    X86_ZF,
    X86_SF,
    X86_OF,
    X86_EFLAGS,
    X86_FIP,
    X86_FDP,
    X86_FOP,
    X86_XMM0,
    X86_YMMH0 = X86_XMM0 + 16,
    X86_NUM_SLOTS = X86_YMMH0 + 16,
};

/* cpu->mode: what changes the meaning of code. */
enum {
    X86_MODE_CODE = 3,         /* 0: 16-bit code, 1: 32-bit, 2: 64-bit */
    X86_MODE_STACK32 = 1 << 2, /* SS.B; outside 64-bit code */
    X86_MODE_FLAT = 1 << 3,    /* bases of CS, DS, ES and SS are 0, their limits do not matter; always in 64-bit code */
    X86_MODE_PE = 1 << 4,      /* protected */
    X86_MODE_VM = 1 << 5,      /* virtual-8086 */
    X86_MODE_LMA = 1 << 6,     /* long mode, compatibility mode included */
    X86_MODE_CPL = 7,          /* shift: current privilege level; 2 bits */
    X86_MODE_WAIT_NM = 1 << 9, /* FWAIT raises #NM (CR0.MP and TS) */
    X86_MODE_NO_FPU = 1 << 10, /* x87 raises #NM (CR0.EM or TS) */
    X86_MODE_NO_SSE = 1 << 11, /* #UD (CR4.OSFXSR is clear, or CR0.EM) */
    X86_MODE_SSE_NM = 1 << 12, /* SSE and MMX raise #NM (CR0.TS) */
    X86_MODE_NO_AVX = 1 << 13, /* #UD: CR4.OSXSAVE or XCR0 do not allow it */
    X86_MODE_AC = 1 << 14,     /* alignment is checked: CR0.AM, EFLAGS.AC, CPL 3 */
    X86_MODE_FP_SLOW = 1 << 15,  /* MXCSR unmasks exceptions: evaluate SSE out of line, and look */
    X86_MODE_X87_SLOW = 1 << 16, /* the x87 control word unmasks exceptions, or one is pending */
    X86_MODE_SYSTEM = 1 << 17, /* a machine; programs have none of the bits below */
    X86_MODE_SMAP = 1 << 18,   /* kernel accesses may not reach user pages: CR4.SMAP and not EFLAGS.AC */
    X86_MODE_PG = 1 << 19,     /* paging */
    X86_MODE_SMM = 1 << 20,
    X86_MODE_GUEST = 1 << 21,  /* in an SVM guest: what may be intercepted asks */
    X86_MODE_NO_MMX = 1 << 22, /* #UD (CR0.EM) */
    X86_MODE_UMIP = 1 << 23,
    X86_MODE_FEATURES = 24,    /* shift: number of the feature set (features.h); 7 bits */
    X86_MODE_CHECKED = (int)(1u << 31), /* of programs, only for lifting: each instruction sees whether it is still the same */
};
enum { X86_CODE16, X86_CODE32, X86_CODE64 };

static inline unsigned x86_code(uint32_t mode)
{
    return mode & X86_MODE_CODE;
}
static inline unsigned x86_cpl(uint32_t mode)
{
    return mode >> X86_MODE_CPL & 3;
}
/* 32-bit addresses of real mode are not held to the limit of 64 KiB, which a processor does unless protected mode left a larger one:
 * SeaVGABIOS reads its card's registers so even where firmware has set no larger one (U-Boot), and the reference lets it. */
static inline bool x86_big_real(uint32_t mode, unsigned addr_size)
{
    return addr_size == 4 && !(mode & X86_MODE_PE);
}

/* Exception vectors (SDM 3A 6.3). */
enum x86_vector {
    X86_EXC_DE, X86_EXC_DB, X86_EXC_NMI, X86_EXC_BP, X86_EXC_OF, X86_EXC_BR, X86_EXC_UD, X86_EXC_NM, X86_EXC_DF, X86_EXC_TS = 10,
    X86_EXC_NP, X86_EXC_SS, X86_EXC_GP, X86_EXC_PF, X86_EXC_MF = 16, X86_EXC_AC, X86_EXC_MC, X86_EXC_XM, X86_EXC_VE, X86_EXC_CP, X86_EXC_SX = 30,
};

/*
 * Detail of CPU_STOP_GUEST: what an instruction raised.  pc is at the instruction, for X86_STOP_INT and those that the manual
 * calls traps, too: @next has what to return to.
 */
enum x86_stop {
    X86_STOP_EXCEPTION, /* vector and error code */
    X86_STOP_INT,       /* INT n: vector; INT3 and INTO, too */
    X86_STOP_HLT,
    X86_STOP_CHANGED,   /* of programs: the code at pc is not what was translated */
    X86_STOP_MWAIT, /* of machines */
};
static inline uint64_t x86_detail(enum x86_stop why, unsigned vector, uint32_t error, unsigned insn_len)
{
    return (uint64_t)why | (uint64_t)vector << 8 | (uint64_t)insn_len << 16 | (uint64_t)error << 32;
}
#define X86_DETAIL_WHY(d)    ((unsigned)((d) & 255))
#define X86_DETAIL_VECTOR(d) ((unsigned)((d) >> 8 & 255))
#define X86_DETAIL_LEN(d)    ((unsigned)((d) >> 16 & 255)) /* of the instruction */
#define X86_DETAIL_ERROR(d)  ((uint32_t)((d) >> 32))

/* An address whose access fails a segment's limit or type (x86_linear in lift.c): what it says, the linear address in the low half. */
#define X86_BAD_LINEAR 0x7abb000000000000ull
#define X86_BAD_SEG    40 /* shift; 3 bits */
#define X86_BAD_SIZE   32 /* shift: bytes less one; 6 bits */
#define X86_BAD_WRITE  (1ull << 46)
static inline bool x86_is_bad_linear(uint64_t va)
{
    return (va & 0xffff000000000000ull) == X86_BAD_LINEAR;
}

/* Of programs: 64-bit and 32-bit.  SYSCALL and INT 0x80 leave with CPU_STOP_SYSCALL, detail: X86_SYSCALL_*. */
extern const struct guest_isa guest_x86_64, guest_i386;
enum { X86_SYSCALL_SYSCALL, X86_SYSCALL_INT80, X86_SYSCALL_SYSENTER };

/** x86_get_eflags, x86_set_eflags - the whole register, gathered from slots; between regions, or in full helpers. */
uint32_t x86_get_eflags(struct cpu *cpu);
void x86_set_eflags(struct cpu *cpu, uint32_t v);
/** x86_get_mxcsr, x86_set_mxcsr - whole; changes the mode. */
uint32_t x86_get_mxcsr(struct cpu *cpu);
void x86_set_mxcsr(struct cpu *cpu, uint32_t v);

/* --- fpstate.c: floating-point state as memory has it (SDM 1, 8.1.10, 10.5.1, 13.4) --- */

enum { X86_STATE_X87 = 1, X86_STATE_SSE = 2, X86_STATE_AVX = 4, X86_STATE_PKRU = 1 << 9 }; /* as XCR0 has them */
enum { X86_FXSAVE_BYTES = 512, X86_FSAVE_BYTES = 108, X86_XSAVE_AVX = 576 /* where the AVX state is */, X86_XSAVE_BYTES = 832 };

/** x86_put_fxsave - the parts @what, X86_STATE_X87 and SSE, of an FXSAVE image; the other bytes stay.  SSE: MXCSR, its mask and
 * XMM0 on, 8 or with @code64 16 of them.  @code64: FIP and FDP of 64 bits (FXSAVE64). */
void x86_put_fxsave(struct cpu *cpu, uint8_t image[X86_FXSAVE_BYTES], unsigned what, bool code64);
/** x86_get_fxsave - the other way; false, and nothing done: MXCSR has bits that must be 0. */
bool x86_get_fxsave(struct cpu *cpu, const uint8_t image[X86_FXSAVE_BYTES], unsigned what, bool code64);
/** x86_state_in_use - the components of XCR0 that are not in their initial state: XCR1. */
uint64_t x86_state_in_use(struct cpu *cpu);
/** x86_put_fsave, x86_get_fsave - FNSAVE's and FRSTOR's image in 32-bit protected mode. */
void x86_put_fsave(struct cpu *cpu, uint8_t image[X86_FSAVE_BYTES]);
void x86_get_fsave(struct cpu *cpu, const uint8_t image[X86_FSAVE_BYTES]);
/** x86_fninit - the x87 state as FNINIT leaves it. */
void x86_fninit(struct cpu *cpu);

/* --- gdb.c: what debuggers see, of 64-bit and of 32-bit processors --- */

extern const struct guest_gdb x86_gdb64, x86_gdb32;

/* --- program.c: programs --- */

enum { X86_GDT_TLS = 12 }; /* of a 64-bit kernel */
/* Selectors that Linux gives programs (asm/segment.h). */
enum { X86_USER32_CS = 0x23, X86_USER_DS = 0x2b, X86_USER_CS = 0x33 };

/** x86_program_load - MOV to a segment register but CS, in a program: 0, or the vector that it raises with error code
 * selector & ~3.  May change the mode: with segments that are not flat. */
int x86_program_load(struct cpu *cpu, unsigned seg, uint16_t selector);

/** x86_program - make @cpu a program's: flat segments, user level, @code X86_CODE32 or X86_CODE64, with feature set @features;
 * before it runs. */
void x86_program(struct cpu *cpu, unsigned code, unsigned features);

#endif
