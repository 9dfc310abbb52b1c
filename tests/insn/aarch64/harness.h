/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that the instruction harness reads and the records that it writes (see README.md). */
#ifndef TESTS_INSN_AARCH64_HARNESS_H
#define TESTS_INSN_AARCH64_HARNESS_H

/* Fixed guest addresses: the same in every engine, so that results can be compared. */
#define CODE_ADDR 0x04000000 /* the code part of the file, read and execute */
#define MEM_ADDR 0x30010000  /* one page of data; 64 KiB on both sides stay inaccessible */
#define MEM_SIZE 4096
#define MEM_GUARD 0x10000

/* Offsets into struct state, for the assembly part; checked in harness.c. */
#define ST_X 0
#define ST_SP 248
#define ST_PC 256
#define ST_NZCV 264
#define ST_FPSR 272
#define ST_FPCR 280
#define ST_SIGNAL 288
#define ST_FAULT 296
#define ST_HASH 304
#define ST_CODE 312
#define ST_V 320
#define ST_MEM 832
#define ST_SIZE 1088

#ifndef __ASSEMBLER__
typedef unsigned char u8;
typedef unsigned long u64;

/* In: what to load; out: what was found.  @code is the address to start at. */
struct state {
    u64 x[31], sp, pc, nzcv, fpsr, fpcr;
    u64 signal; /* out: 0, or the signal that ended the case; @pc and @fault are set then;
                 * with go_on, the number of signals (8 bits) and a hash of the flags at them */
    u64 fault;  /* out: si_addr of SIGSEGV and SIGBUS; with go_on, a hash of all signals' states */
    u64 hash;   /* out: of the whole data page */
    u64 code;   /* out: of several runs, the one (from 1) that ended differently from the first */
    u64 v[32][2];
    u8 mem[256]; /* the first bytes of the data page; the rest has a fixed pattern */
};

struct header {
    u64 cases, code_offset, code_size;
    u64 go_on; /* 1: a signal does not end a case: the state at it is mixed into state.fault, and
                * execution goes on at the next instruction */
    u64 runs;  /* of each case, so that its code becomes hot; the first's state is the result */
    u64 loose; /* with go_on, the flags at signals may differ between runs */
};

extern struct state block;
void run_case(void);
_Noreturn void leave_case(void);
#endif

#endif
