/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the software MMU share: the translation caches of one CPU.  Contract: mmu.h.
 *
 * Each regime has a table, direct-mapped by page, that translated code looks into (struct mmu_entry in struct cpu).
 * Code is found through a smaller one, of struct code_page.  Entries are written by the CPU's own thread; another thread does
 * one thing to them: it makes a page's writes slow when code was translated from it (mmu_code.c).
 */
#ifndef CPU_MMU_PRIV_H
#define CPU_MMU_PRIV_H

#include "bus/machine.h"
#include "cpu/engine.h"
#include "cpu/mmu.h"
#include "cpu/vcpu.h"

#include <pthread.h>

enum {
    MMU_PAGE = 1 << RAM_PAGE_BITS,
    MMU_CHUNK = 32,   /* entries that share a bit of struct mmu_table.used */
    MMU_CODE_BITS = 9,
    MMU_WATCHES = 16,
    MMU_ASKS = 16,    /* requests of other CPUs that are kept apart; more become one for everything */
};
#define MMU_PAGE_MASK (~(uint64_t)(MMU_PAGE - 1))

/* In mmu_entry.read and write: not for translated code.  The lowest bits are no good: code that minds alignment leaves
 * those of the address in what it compares. */
enum { MMU_SLOW = MMU_PAGE / 2 };
/* Low bits of mmu_entry.page. */
enum {
    MMU_E_PROT = 7,
    MMU_E_GLOBAL = 8,
    MMU_E_DEVICE = 16,
    MMU_E_SECURE = 32,
    MMU_E_RAM = 64, /* the addend is right */
    MMU_E_SIZE_SHIFT = 7, /* log2 of the size of the block it is of, less that of a page */
};

/* What is known of one regime's table. */
struct mmu_table {
    uint64_t used[MMU_ENTRIES / MMU_CHUNK / 64 + 1]; /* [atomic] chunks that may hold something */
    uint64_t large[2], large_end[2]; /* where blocks lie, in each half of the addresses; empty: 0, 0 */
    uint64_t holds;   /* context of which the entries are that are not global: looked at before the table is used (mmu_settle) */
    bool local;       /* there may be such entries */
};

/* A request of another CPU's. */
struct mmu_ask {
    unsigned regimes;
    uint64_t va, size;
    bool globals;
};

struct mmu_watch {
    uint64_t va, len;
    unsigned prot;
};

struct mmu {
    uint32_t settled;  /* the mode for which mmu_settle() was done last */
    bool unsettled;    /* contexts have changed since */
    struct machine *machine;
    struct space *space;
    uint32_t who;
    struct mem_hit ram; /* what was found last that is RAM, from ram_at on */
    uint64_t ram_at;    /* dropped with everything else: mmu_flush */
    uint64_t context[MMU_REGIMES]; /* in force */
    uint64_t before[MMU_REGIMES];  /* it was, when the regime was used last */
    uint8_t turns[MMU_REGIMES];    /* times that the last bit of the context went to and fro */
    unsigned paired;               /* regimes, as bits, that have a table for contexts whose last bit is set */
    struct mmu_table table[MMU_TABLES];
    struct code_page code[1 << MMU_CODE_BITS];
    struct mmu_watch watch[MMU_WATCHES];
    unsigned n_watches;

    pthread_mutex_t lock;
    struct mmu_ask ask[MMU_ASKS]; /* [lock] */
    unsigned n_asks;              /* [lock] */
    uint64_t asked, done;         /* numbers of requests [atomic; asked written under lock, done by the CPU] */
    uint64_t slowed;              /* the number at which pages' writes became slow last [atomic; written under lock] */
    unsigned rounds;              /* how often others were met that write to the page which code is wanted from */
};

static inline struct mmu *mmu_of(const struct cpu *cpu)
{
    return cpu->mmu;
}

/*
 * Kernels that hide themselves from programs give each program two contexts, that differ in the last bit, and go from one to the
 * other on each entry and return.  A regime that has seen this now and then gets a second table, for odd contexts.
 */
static inline unsigned mmu_table_of(const struct mmu *u, unsigned regime)
{
    return regime + (u->paired >> regime & u->context[regime] & 1 ? MMU_REGIMES : 0);
}

static inline const struct guest_system *sys_of(const struct cpu *cpu)
{
    return cpu->isa->system;
}

/**
 * mmu_settle - before code of cpu->mode runs: its regime's table holds what is in force.  Other regimes' tables are left alone:
 * kernels put a context aside while they run, and take it back.
 */
void mmu_settle(struct cpu *cpu);
/** mmu_find - the entry that lets @access happen at @va, filled if need be; NULL: a fault is recorded. */
struct mmu_entry *mmu_find(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime);
/** mmu_settle_write - translated code may write the page of @e, if nobody minds (@dirty: its bits). */
void mmu_settle_write(struct mmu_entry *e, const uint8_t *dirty);
/** mmu_watched - does a debugger watch for @access to these bytes? */
bool mmu_watched(const struct cpu *cpu, uint64_t va, uint64_t len, enum mmu_access access);
/** mmu_writable - mmu_store of a byte, up to where it is made. */
bool mmu_writable(struct cpu *cpu, uint64_t va, unsigned regime);
/** mmu_atomic - as mmu_load, for the atomic operation @op (struct ir_machine). */
bool mmu_atomic(struct cpu *cpu, enum ir_opcode op, uint64_t va, unsigned memop, unsigned regime, const union ir_u *a,
                const union ir_u *b, union ir_u *old);

/** mmu_own_code - would a store to @va change code in the page of RAM that @code_at is in (guest_system.own_code)?  Then it is not to be made
 * but by an instruction that is executed by itself. */
bool mmu_own_code(struct cpu *cpu, uint64_t code_at, uint64_t va, unsigned memop, unsigned regime);

/* An address without its tag, and of its page. */
static inline bool mmu_same_page(uint64_t a, uint64_t b)
{
    return !((a ^ b) << 8 >> (8 + RAM_PAGE_BITS));
}
/* Does the block of @size bytes (a power of two) around @at share bytes with [va, va + len)? */
static inline bool mmu_block_meets(uint64_t at, uint64_t size, uint64_t va, uint64_t len)
{
    const uint64_t untagged = ~0ull >> 8;
    uint64_t start = at & ~(size - 1) & untagged;

    va &= untagged;
    return start - va < len || va - start < size;
}

/* mmu_code.c */
const struct code_page *mmu_code(struct cpu *cpu);
bool mmu_protect(struct cpu *cpu, const struct code_page *page);
void mmu_code_changed(struct cpu *cpu, uint64_t va, uint64_t len);
/** mmu_code_flush - as mmu_flush, for what is known of code. */
void mmu_code_flush(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals);
/** mmu_code_written - of machine_on_code_written; @engine. */
void mmu_code_written(void *engine, uint64_t ram_addr, uint64_t len);
/** mmu_dirty_taken - of machine_on_dirty_taken; @engine. */
void mmu_dirty_taken(void *engine, const uint8_t *host, uint64_t len);

/* mmu_ask.c */
void mmu_serve(struct cpu *cpu);
/** mmu_ask_pass - @cpu is to get to a place between two instructions: mmu_writes_on(cpu) until then.  Any thread but its own. */
void mmu_ask_pass(struct cpu *cpu);
/** mmu_writes_on - has @cpu not yet passed since mmu_ask_pass()? */
bool mmu_writes_on(const struct cpu *cpu);
bool mmu_alone(struct cpu *cpu, bool on);
/** mmu_space_changed - of space_on_change; @engine. */
void mmu_space_changed(void *engine);

#endif
