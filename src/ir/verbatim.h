/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbatim code: instructions of a program that the host executes as they are, because it is a processor of the same architecture.
 *
 * A guest says where the parts of an instruction are (struct guest_isa, verbatim), and which of its fields name integer registers; a
 * host copies it, or encodes it again with other registers where it must.  What neither can do ends the stretch, and is lifted.
 * Today's only pair is x86-64 on x86-64; field names are those of the SDM 2, chapter 2.
 */
#ifndef IR_VERBATIM_H
#define IR_VERBATIM_H

#include <stdbool.h>
#include <stdint.h>

enum { VERBATIM_MAX = 64, VERBATIM_NO_REG = 255 };

enum verbatim_kind {
    VERBATIM_PLAIN,
    VERBATIM_NOTHING,   /* nothing to execute */
    VERBATIM_PUSH,      /* field opcode */
    VERBATIM_PUSH_IMM,  /* imm */
    VERBATIM_PUSH_MEM,
    VERBATIM_POP,       /* field opcode */
    VERBATIM_LEAVE,
    VERBATIM_SYSCALL,   /* with host_layout's v.calls; not the first: what cannot be done so comes back to it */
    VERBATIM_SERVICE,   /* the personality's own code wants its service (in.service_start) */
    VERBATIM_JCC,       /* to target if cond */
    VERBATIM_LOOP,      /* LOOPcc and JrCXZ, to target */
    VERBATIM_CALL,      /* to target */
    VERBATIM_CALL_IND,  /* to field rm, or memory */
    /* ways out, the last */
    VERBATIM_JUMP,      /* to target */
    VERBATIM_JUMP_IND,
    VERBATIM_RET,       /* and imm bytes more off the stack */
};

/* What an instruction does with the integer register that a field names; 0: the field names none. */
enum verbatim_use { VERBATIM_IN = 1, VERBATIM_OUT = 2 };

enum verbatim_seg { VERBATIM_NO_SEG, VERBATIM_FS, VERBATIM_GS };

struct verbatim_op {
    const uint8_t *code;
    uint32_t at;          /* guest address, from the stretch's start */
    uint8_t kind, len, opcode;
    bool mem, may_fault;
    bool fixed;           /* an address that depends on RIP, FS or GS */
    bool again;           /* to be encoded again: it is of no plain kind, fixed, or names registers that move.  Only then what follows is set */
    uint16_t named;       /* integer registers that operands and addresses name, by number */
    uint8_t front;        /* bytes of legacy prefixes */
    uint8_t rex;          /* REX; of VEX the same bits; 0: none */
    bool vex, modrm_there, vsib, rip;
    bool high;            /* an operand is AH, CH, DH or BH */
    bool byte;            /* an operand is a byte register */
    bool rcx_dead;        /* of a call: nobody reads RCX at its return address before it is written */
    uint8_t map, modrm;
    uint8_t tail;         /* bytes of immediate operands, the last */
    uint8_t reg, rm, vvvv, low; /* enum verbatim_use: fields ModRM.reg, ModRM.rm, VEX.vvvv, the opcode's low bits */
    uint8_t base, index, scale, seg; /* the memory operand; seg: enum verbatim_seg */
    uint8_t cond;
    int32_t disp;
    uint64_t address;     /* with rip: of the memory operand */
    uint64_t target, imm;
};

/** struct verbatim_state - where the CPU block has the guest's registers: byte offsets from its start. */
struct verbatim_state {
    uint32_t gpr;              /* uint64_t[16] */
    uint32_t xmm, ymmh;        /* 16 times 16 bytes, aligned */
    uint32_t cf, zf, sf, of;   /* bytes, 0 or 1 */
    uint32_t pf, af;           /* bytes: PF is set when pf has even parity, AF is bit 4 of af exclusive-or pf */
    uint32_t df;               /* int64_t, negative when set */
    uint32_t fs_base, gs_base; /* uint64_t */
};

/** struct verbatim - one stretch, without gaps. */
struct verbatim {
    uint32_t n, len; /* rows; bytes of guest code */
    bool rcx_dead;   /* nobody reads RCX at its start before it is written */
    uint32_t moved; /* in: integer registers that are others on the host, by number */
    /* In: CPUID of the host has this bit (registers EAX to EDX are 0 to 3), and the kernel lets it be used. */
    bool calls;      /* in: system calls may be VERBATIM_SYSCALL */
    uint64_t service_start, service_end; /* in: there, what the guest has as instruction for it is VERBATIM_SERVICE */
    bool (*host_has)(unsigned leaf, unsigned sub, unsigned reg, unsigned bit);
    struct verbatim_op op[VERBATIM_MAX];
};

#endif
