/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of a hot region: which guest blocks are translated together, and in which order they are lifted.
 *
 * A plan begins at its head and follows direct jumps through blocks that have run often, loops included.  In programs, small functions
 * called there are part of it: each call has a *frame*, so that a callee's blocks are in the plan once for each call.
 * Planning reads guest code and lookups only: it lifts nothing and changes nothing, and a plan can be thrown away.
 */
#ifndef CPU_PLAN_H
#define CPU_PLAN_H

#include "cpu/jit.h"
#include "ir/build.h"

struct plan_block {
    uint64_t pc;
    struct guest_scan scan; /* ends where the next block begins, at the latest */
    const uint8_t *code;    /* what is at pc, avail bytes: until the guest's code changes */
    size_t avail;
    uint32_t mode;          /* to be lifted in: the region's, with what the memory there adds */
    uint8_t frame;          /* 0: the region's own code; else of plan.call[] */
    bool asked;             /* whether what is called there is to be part of the region */
    bool seen;
};

/* What is called and part of the region. */
struct plan_call {
    uint64_t pc, ret; /* of the callee; where it returns to */
    uint8_t parent;   /* the caller's frame: less than this one's */
    uint8_t depth;    /* 1: called by the region's own code */
};

struct plan {
    struct plan_block block[JIT_MAX_BLOCKS]; /* n; [0] is the head */
    struct plan_call call[IR_MAX_FRAMES];    /* 1 .. n_calls, by frame */
    unsigned n, n_calls;
    unsigned insns;                          /* of all blocks, before overlapping ones were cut */
    unsigned limit;                          /* at most so many blocks */
    unsigned order[JIT_MAX_BLOCKS], n_order; /* blocks that are reached, in post order: lifted from the last to the first */
};

/**
 * plan_make - plan the region that begins at @pc in the mode @mode (engine_mode), of at most @limit blocks (1 .. JIT_MAX_BLOCKS).
 * Under the engine's lock, on the thread of j->cpu.  No two blocks of a frame overlap.  False: there is no code at @pc
 * that can be translated.
 */
bool plan_make(struct plan *p, struct jit *j, uint64_t pc, uint32_t mode, unsigned limit);

/* The longest block, cold or hot. */
#define PLAN_BLOCK_INSNS 64

/** plan_breakpoint_after - address of the first breakpoint behind @pc: no block goes on beyond it. */
uint64_t plan_breakpoint_after(const struct engine *e, uint64_t pc);

#endif
