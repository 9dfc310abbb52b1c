/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The translator's own state: regions, the code cache they live in, and how they find each other.
 *
 * Everything but lookups is done under the engine's lock.  Lookups read the hash table without one,
 * but with cpu->in_code set: the cache is never emptied while a CPU may be inside.
 */
#ifndef CPU_JIT_H
#define CPU_JIT_H

#include "cpu/engine.h"
#include "host/host.h"

#define JIT_MAX_BLOCKS 48  /* guest blocks of one region */
#define JIT_MAX_SEEN   96  /* stretches of code looked at beyond its exits */
#define JIT_MAX_INSNS  400 /* guest instructions of one region */
#define JIT_BENCH      16384 /* bytes, more than VERBATIM_MAX rows become */

/* A stretch of guest code that a region was made from. */
struct span {
    uint64_t start, end;
};

/* A jump patched to lead to a region. */
struct link {
    uint8_t *site;  /* the field */
    uint8_t *thunk; /* where it led before */
    bool inner;     /* of verbatim code */
    struct link *next;
};

struct region {
    uint64_t pc, at; /* engine_at(pc) */
    uint64_t beyond; /* engine_beyond(): of one instruction in two pages */
    uint32_t mode;
    uint32_t code_len;
    uint8_t *code;
    struct region *next;  /* in the hash bucket [lookup lock-free] */
    struct link *links;   /* that lead here */
    uint8_t *inner;    /* of verbatim code: where links of such code enter it; NULL: it is not such code */
    uint8_t *entered;  /* of other code: where they do; NULL: not yet */
    uint8_t *indirect; /* where indirect branches of verbatim code enter it; NULL: not yet [atomic] */
    int32_t *counter;     /* of a cold region */
    const struct host_fault *faults;
    const uint8_t *desc;
    uint32_t n_faults, n_traps, desc_len;
    uint64_t guest_sum; /* of the code it was made from, for the translation cache */
    const struct host_trap *traps;
    uint16_t n_blocks, n_spans; /* spans: the blocks', then code that exits rely on */
    bool hot, dead;
    bool alone;  /* its hot region is too big to be made behind (behind.c) */
    bool waited; /* hot once, but told to run more often first */
    uint8_t writes_idle; /* enum region_idle [atomic]: does it write all idle slots before it reads one? */
    bool kept; /* the translation cache has it, or does not want it */
    struct span *spans; /* by engine_at() */
};

enum region_idle { REGION_IDLE_UNKNOWN, REGION_IDLE_WRITES, REGION_IDLE_READS };

/* Regions by page, for invalidation. */
struct page_ref {
    struct region *r;
    struct page_ref *next;
};

struct page {
    uint64_t number; /* engine_at() >> 12 */
    struct page_ref *refs;
    struct page *next;
};

/**
 * struct former - what forming regions takes: the working memory of one thread.
 */
struct former {
    struct jit *j;
    struct host *host;
    struct ir *ir;
    struct flat flat;
    struct verbatim verbatim;
    struct span seen[JIT_MAX_SEEN]; /* code outside the region that this one's exits rely on */
    unsigned n_seen;
    struct span placed[JIT_MAX_BLOCKS + JIT_MAX_SEEN]; /* the blocks, then seen, by engine_at(); made.n_placed of them */
    uint32_t mode; /* that guest code is lifted for */
    uint64_t exec_lo, exec_hi; /* guest code known to be executable, for this region's forming */
    uint64_t exec_base;        /* host address less guest address there */
    bool too_big; /* the last compilation failed because the region needs too much frame */
    _Alignas(16) uint8_t bench[JIT_BENCH]; /* where verbatim code is made */
};

#define JIT_HASH_BITS 18
#define JIT_PAGE_BITS 12

struct jit {
    struct engine *e;
    struct cpu *cpu; /* that translates at the moment [engine lock] */
    const struct ir_slot *slots; /* the guest's registers, as this engine keeps them */
    struct former own;      /* of the thread that has the lock */
    struct behind *behind;  /* hot regions made by a thread of their own: behind.c; NULL: not yet, or never */
    uint8_t *cache; /* code, growing upwards */
    size_t cache_size, code_used, code_start;
    int32_t *counters; /* behind the code: one for each cold region */
    uint32_t n_counters, cap_counters;
    uint8_t *meta; /* regions, spans, links, faults: never moved */
    size_t meta_size, meta_used;
    struct region **by_addr; /* ascending code addresses; read without lock when code faults */
    uint32_t n_regions, cap_regions;
    struct region **hash; /* 1 << JIT_HASH_BITS */
    struct page **pages;  /* 1 << JIT_PAGE_BITS */
    void *ep[HOST_NUM_EP];
    bool full;  /* flush when nobody is inside */
    uint32_t epoch; /* flushes so far [written under the lock while nobody is inside] */
    struct tcache *tcache; /* NULL: none */
    uint32_t n_saved;      /* regions before this one are in it, or will not be */
    uint64_t new_bytes;    /* of host code since */
    uint32_t n_read, n_translated; /* regions so far */
    uint32_t n_hot;                /* hot ones made since the cache was empty */
    uint32_t hot_before_fork;      /* of them, those that the parent process has made */
    bool untag; /* tagged addresses were seen: new code removes tags */
};

extern const struct host_layout jit_layout;

/** jit_of - the engine's translator, made on first use; any thread. */
struct jit *jit_of(struct engine *e);

/** jit_put_off - a program with many hot blocks runs each of them less: beyond a thousand hot regions, each
 * one asks for a thousandth more of the @hot_after executions that the first ones needed, to the ninefold.
 * Gives how many more than @hot_after. */
int32_t jit_put_off(uint32_t n_hot, uint32_t hot_after);
/** region_find - the translation of @pc, which is at @at (engine_at) and goes on at @beyond (engine_beyond), or NULL; any thread,
 * no lock. */
struct region *region_find(const struct jit *j, uint64_t pc, uint64_t at, uint64_t beyond, uint32_t mode);
/* What a region is compiled from: f->verbatim; f->flat; f->ir, with less care; f->ir. */
enum effort { VERBATIM, FLAT, COLD, HOT };
/** struct made - host code, and what it was made from; the job's tables are the former's until its next region. */
struct made {
    uint64_t pc, at, beyond; /* at, beyond: as engine_at() has it */
    uint32_t mode;
    const struct span *spans;
    unsigned n_spans, n_placed;
    bool hot;
    struct host_soft soft; /* machines */
    struct host_job job;
};
/** region_place_locked - after lifting, on the CPU's thread: where that is, what tables its code looks into. */
void region_place_locked(struct former *f, struct made *m);
/** region_add_locked - compile and make it the translation of m->pc.  NULL: cache is full.  (m->job is set here.) */
struct region *region_add_locked(struct former *f, struct made *m, enum effort effort);
/** region_compile - m->job for the cache, or for @buf; 0 or a negative errno as host_compile. */
int region_compile(struct former *f, struct made *m, enum effort effort, uint8_t *buf, size_t room);
/** region_keep_locked - what was made becomes the translation; its code is the next in the cache. */
struct region *region_keep_locked(struct former *f, const struct made *m);
/** region_insert_locked - @r, complete but for the tables it belongs in, becomes the translation of its
 * pc; its code is the next in the cache.  False: they are full. */
bool region_insert_locked(struct jit *j, struct region *r);
/** region_join_locked - the jump at @site, which leads to its @thunk, leads to @r from now on. */
void region_join_locked(struct jit *j, struct region *r, uint8_t *site, uint8_t *thunk);
/** region_let_in - sees to it that indirect branches of verbatim code can come to @r (@r->indirect); false: no room. */
bool region_let_in(struct jit *j, struct region *r);
void region_link_locked(struct jit *j, struct region *r, uint8_t *thunk_data);
/** region_kill_locked - nothing will enter it any more. */
void region_kill_locked(struct jit *j, struct region *r);
/** region_index - number in by_addr of the last region not above @host; there is one. */
uint32_t region_index(const struct jit *j, const uint8_t *host);
struct region *region_at(const struct jit *j, const uint8_t *host);
void *jit_meta(struct jit *j, size_t size); /* NULL when full */
void jit_reset_cache(struct jit *j);
void region_invalidate_locked(struct jit *j, uint64_t start, uint64_t len);

/** jit_access (access.c) - HOST_EP_ACCESS_C of host/host.h. */
bool jit_access(struct cpu *cpu, struct host_regs *regs, const struct host_access *a);

/** form_cold_locked, form_hot_locked (form.c) - lift guest code at @pc and add the region; @lift_mode:
 * the CPU's @mode and what the memory there adds (engine_fetch). */
struct region *form_cold_locked(struct jit *j, uint64_t pc, uint32_t mode, uint32_t lift_mode,
                                const uint8_t *code, size_t avail);
struct region *form_hot_locked(struct jit *j, uint64_t pc, uint32_t mode);
/** form_begin_hot_locked - the first half of that: choose the blocks, at most @limit, and lift them into f->ir.
 * Sets m->pc, mode, n_spans and @spans.  False: this is no hot region. */
bool form_begin_hot_locked(struct former *f, struct made *m, struct span spans[JIT_MAX_BLOCKS], uint64_t pc,
                           uint32_t mode, unsigned limit);
/** form_wants_verbatim - is what code of this engine can be made verbatim? */
bool form_wants_verbatim(const struct jit *j);
/** form_init - a former for @j. */
void form_init(struct former *f, struct jit *j);

/* --- behind.c: hot regions are optimised and compiled by a thread of its own while the program runs on --- */

/** behind_take_locked - the hot region of @pc shall be made so.  False: not now, make it here. */
bool behind_take_locked(struct jit *j, uint64_t pc, uint32_t mode);
/** behind_invalidate_locked - code changes: what is being made of it is of no use. */
void behind_invalidate_locked(struct jit *j, uint64_t start, uint64_t len);
/** behind_rest_locked - returns when the thread works on nothing; it does not begin before the lock is free. */
void behind_rest_locked(struct jit *j);
/** behind_forked_locked - in the child: the thread is gone. */
void behind_forked_locked(struct jit *j);
/** behind_end - the thread ends, and none is started again.  behind_threads - how many there are. */
void behind_end(struct jit *j);
unsigned behind_threads(const struct jit *j);

/** tcache_load_locked (tcache.c) - the region of @pc from the on-disk cache, added, or NULL. */
struct region *tcache_load_locked(struct jit *j, uint64_t pc, uint32_t mode);
/** tcache_added_locked - a region was translated, the code it was made from is still there. */
void tcache_added_locked(struct jit *j, struct region *r);
void tcache_save_locked(struct jit *j);

/** form_code_at - host address of the guest instruction at @pc, *@avail bytes from there, at most those of the longest; NULL when it cannot be executed. */
const uint8_t *form_code_at(void *former, uint64_t pc, size_t *avail);
bool form_idle_dead(void *former, uint64_t pc);

#endif
