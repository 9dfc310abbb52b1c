/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter engine: lifts one basic block at a time, keeps its IR and runs it on the reference
 * interpreter.  Slow, portable, and the oracle for the translator.
 */
#include "cpu/interp_priv.h"
#include "cpu/log.h"

#include "base/err.h"
#include "ir/build.h"

#include <stdlib.h>

enum {
    TABLE_BITS = 14,
    PAGE_BUCKETS = 64,
    BLOCK_INSNS = 64, /* unless engine_conf says otherwise */
};

/* One lifted block.  Freed when nobody runs it and the table has let go of it. */
struct interp_block {
    uint64_t pc, end; /* guest code [pc, end) */
    uint64_t at;      /* engine_at(pc) */
    uint32_t mode;
    uint32_t refs; /* [engine lock] the table and the CPUs running it */
    struct interp_block *next;
    struct ir *ir;
};

struct interp {
    struct interp_block *table[1 << TABLE_BITS]; /* [engine lock] */
    struct ir *spare; /* [engine lock] to lift with, NULL while somebody does */
};

/* The blocks that begin in one page are in PAGE_BUCKETS neighbouring buckets. */
static struct interp_block **page_buckets(struct interp *it, uint64_t page)
{
    uint64_t n = page * 0x9e3779b97f4a7c15ull >> (64 - TABLE_BITS);

    return &it->table[n & ~(uint64_t)(PAGE_BUCKETS - 1)];
}

static struct interp_block **bucket(struct interp *it, uint64_t at)
{
    return page_buckets(it, at >> 12) + ((at >> 2) * 0x9e3779b9u >> 16) % PAGE_BUCKETS;
}

static void unref_locked(struct interp_block *b)
{
    if (--b->refs)
        return;
    ir_free(b->ir);
    free(b);
}

static void unref(struct engine *e, struct interp_block *b)
{
    pthread_mutex_lock(&e->lock);
    unref_locked(b);
    pthread_mutex_unlock(&e->lock);
}

static void invalidate_buckets(struct interp_block **first, unsigned n, uint64_t start,
                               uint64_t len)
{
    for (struct interp_block **head = first; head < first + n; head++) {
        struct interp_block **p = head, *b;

        while ((b = *p)) {
            if (b->at + (b->end - b->pc) <= start || (b->at >= start && b->at - start >= len)) {
                p = &b->next;
            } else {
                *p = b->next;
                unref_locked(b);
            }
        }
    }
}

void interp_invalidate(struct engine *e, uint64_t start, uint64_t len)
{
    uint64_t first = start >> 12, last = (start + len - 1) >> 12;

    if (!e->interp)
        return;
    if (first)
        first--; /* blocks are shorter than a page: one that began in the page before may reach in */
    if (last - first >= (1 << TABLE_BITS) / PAGE_BUCKETS)
        invalidate_buckets(e->interp->table, 1 << TABLE_BITS, start, len);
    else
        for (uint64_t n = first; n <= last; n++)
            invalidate_buckets(page_buckets(e->interp, n), PAGE_BUCKETS, start, len);
}

/* --- Lifting --- */

/* Where a block that begins at @pc has to stop because of a breakpoint; ~0 for nowhere. */
static uint64_t next_breakpoint_locked(const struct engine *e, uint64_t pc)
{
    for (uint32_t i = 0; i < e->n_breakpoints; i++)
        if (e->breakpoints[i] > pc)
            return e->breakpoints[i];
    return ~0ull;
}

static struct ir *take_spare(struct engine *e, uint64_t pc, uint64_t *end)
{
    struct ir *ir;

    pthread_mutex_lock(&e->lock);
    ir = e->interp->spare;
    e->interp->spare = NULL;
    *end = next_breakpoint_locked(e, pc);
    pthread_mutex_unlock(&e->lock);
    if (!ir)
        ir = ir_new(e->isa->slots, e->isa->n_slots, e->isa->helpers, e->isa->n_helpers);
    return ir;
}

static void give_spare(struct engine *e, struct ir *ir)
{
    pthread_mutex_lock(&e->lock);
    if (!e->interp->spare) {
        e->interp->spare = ir;
        ir = NULL;
    }
    pthread_mutex_unlock(&e->lock);
    ir_free(ir);
}

/* False when there is no executable code at b->pc. */
static bool lift_into(struct engine *e, struct interp_block *b, struct ir *ir, uint64_t end,
                      unsigned limit)
{
    const uint8_t *code;
    uint32_t mode = b->mode & ~ENGINE_SECOND_TABLE;
    size_t avail = engine_fetch(e, b->pc, &code, &mode);

    if (!avail)
        return false;
    ir_reset(ir);
    /* The block goes by a name that no jump uses, so that it leaves even to itself. */
    ir_start_block(ir, ir_plan(ir, ~0ull, 0));
    b->end = b->pc + e->isa->lift(ir, mode, b->pc, code, avail, end, limit);
    engine_mark(e, b->at, b->at + (b->end - b->pc));
    log_code(e, b->mode, b->pc, b->end);
    ir_finish(ir);
    b->ir = ir_keep(ir);
    return true;
}

/* NULL when there is no executable code at @pc. */
static struct interp_block *lift(struct cpu *cpu, uint32_t mode, unsigned limit)
{
    struct engine *e = cpu->engine;
    uint64_t pc = cpu->pc;
    struct interp_block *b = calloc(1, sizeof(*b));
    struct ir *ir;
    uint64_t end;

    if (!b)
        bug("out of memory for a block");
    *b = (struct interp_block){.pc = pc, .at = engine_at(cpu, pc), .mode = mode, .refs = 1};
    ir = take_spare(e, pc, &end);
    engine_begin_read(e); /* without the lock: others ask for code while they hold it */
    if (!lift_into(e, b, ir, end, limit)) {
        free(b);
        b = NULL;
    }
    engine_end_read(e);
    give_spare(e, ir);
    return b;
}

/* The block at @pc, with a reference for the caller.  @limit 0: the usual length, kept. */
static struct interp_block *find_block(struct cpu *cpu, unsigned limit)
{
    struct engine *e = cpu->engine;
    struct interp_block *b, **head;
    uint64_t pc = cpu->pc;
    uint32_t mode = engine_mode(cpu), generation;
    bool keep = !limit;

    pthread_mutex_lock(&e->lock);
    if (!e->interp && !(e->interp = calloc(1, sizeof(*e->interp))))
        bug("out of memory for the interpreter");
    head = bucket(e->interp, engine_at(cpu, pc));
    for (b = limit ? NULL : *head; b; b = b->next)
        if (b->pc == pc && b->at == engine_at(cpu, pc) && b->mode == mode)
            break;
    if (b) {
        b->refs++;
    } else if (cpu->memory) {
        engine_begin_read(e);
        keep &= cpu->memory->protect(cpu, cpu->here);
    }
    generation = __atomic_load_n(&e->generation, __ATOMIC_ACQUIRE);
    pthread_mutex_unlock(&e->lock);
    if (b)
        return b;

    b = lift(cpu, mode, limit ? limit : e->conf.max_insns ? e->conf.max_insns : BLOCK_INSNS);
    if (cpu->memory)
        engine_end_read(e);
    if (!b || !keep)
        return b;
    pthread_mutex_lock(&e->lock);
    if (generation == __atomic_load_n(&e->generation, __ATOMIC_ACQUIRE)) {
        b->next = *head;
        *head = b;
        b->refs++;
    }
    pthread_mutex_unlock(&e->lock);
    return b;
}

/* --- Running --- */

static int call_helper(struct ir_machine *m, uint32_t helper, const uint64_t arg[3],
                       uint64_t *result)
{
    struct cpu *cpu = m->opaque;
    const struct ir_helper *h = &cpu->isa->helpers[helper];
    uint64_t (*fn)(struct cpu *, uint64_t, uint64_t, uint64_t) = h->fn;

    if (h->full)
        cpu->pc = m->pc;
    *result = fn(cpu, arg[0], arg[1], arg[2]);
    return h->full && cpu->stop != CPU_STOP_NONE;
}

static int poll_attention(struct ir_machine *m)
{
    struct cpu *cpu = m->opaque;

    return __atomic_load_n(&cpu->attention, __ATOMIC_RELAXED) != 0;
}

/* One block; the state is exact afterwards. */
static enum cpu_stop run_block(struct cpu *cpu, const struct interp_block *b,
                               struct ir_machine *m)
{
    enum ir_leave how;

    cpu->stop = CPU_STOP_NONE;
    how = ir_interp(b->ir, m);
    if (how == IR_LEFT_CALL)
        return cpu->stop;
    cpu->pc = m->pc;
    if (how == IR_LEFT_FAULT)
        return cpu->memory ? cpu->stop : CPU_STOP_FAULT;
    if (how == IR_LEFT_EXIT)
        cpu->landing = m->landing;
    if (how != IR_LEFT_TRAP)
        return CPU_STOP_NONE;
    cpu->detail = m->detail;
    return m->reason;
}

/* What keeps the block at pc from running, if anything. */
static enum cpu_stop before_block(struct cpu *cpu)
{
    if (__atomic_load_n(&cpu->attention, __ATOMIC_RELAXED))
        return CPU_STOP_ATTENTION;
    if (!cpu->single_step && cpu->engine->n_breakpoints &&
        engine_has_breakpoint(cpu->engine, cpu->pc))
        return CPU_STOP_DEBUG;
    return land(cpu) ? CPU_STOP_NONE : CPU_STOP_BTI;
}

/* The block at pc; @limit as in find_block. */
static enum cpu_stop run_here(struct cpu *cpu, struct ir_machine *m, unsigned limit)
{
    struct interp_block *b = NULL;
    enum cpu_stop stop;

    if (!cpu->memory || cpu->memory->code(cpu))
        b = find_block(cpu, cpu->memory && cpu->there ? 1 : limit); /* in two pages: made anew each time */
    if (!b) {
        cpu->fault_addr = cpu->pc;
        return CPU_STOP_FETCH_FAULT;
    }
    log_entry(cpu, NULL);
    cpu->landing = 0;
    stop = run_block(cpu, b, m);
    unref(cpu->engine, b);
    return stop;
}

static enum cpu_stop step(struct cpu *cpu, struct ir_machine *m, unsigned limit)
{
    bool stepping = cpu->single_step || cpu->guest_step, machine = cpu->memory, alone = machine && cpu->wants_alone;
    enum cpu_stop stop = before_block(cpu);

    if (stop != CPU_STOP_NONE)
        return stop;
    if (alone)
        cpu->wants_alone = false;
    if (alone && !cpu->memory->alone(cpu, true))
        return CPU_STOP_ATTENTION;
    if (machine)
        cpu_go_inside(cpu, CPU_IN_GUEST);
    cpu->by_itself = stepping || limit == 1;
    stop = run_here(cpu, m, stepping ? 1 : limit);
    cpu->by_itself = false;
    if (machine)
        cpu_come_out(cpu);
    if (alone)
        cpu->memory->alone(cpu, false);
    if (stop == CPU_STOP_NONE && stepping && machine && cpu->wants_alone) {
        cpu->odd = false;
        return step(cpu, m, 1);
    }
    return (stop == CPU_STOP_NONE || stop == CPU_STOP_AGAIN) && stepping ? CPU_STOP_DEBUG : stop;
}

static struct ir_machine machine(struct cpu *cpu)
{
    return (struct ir_machine){
        .state = cpu,
        .fp = &cpu->fp,
        .opaque = cpu,
        .load = interp_load,
        .store = interp_store,
        .atomic = interp_atomic,
        .fence = interp_fence,
        .call = call_helper,
        .poll = poll_attention,
    };
}

enum cpu_stop interp_run(struct cpu *cpu, unsigned max_blocks)
{
    struct ir_machine m = machine(cpu);
    enum cpu_stop stop;
    unsigned n = 0;

    do {
        stop = step(cpu, &m, 0);
        if (stop == CPU_STOP_NONE && cpu->odd) {
            cpu->odd = false;
            stop = step(cpu, &m, 1);
        }
    } while (stop == CPU_STOP_NONE && ++n != max_blocks);
    ir_machine_done(&m);
    cpu->stop = stop;
    return stop;
}

enum cpu_stop interp_one(struct cpu *cpu)
{
    struct ir_machine m = machine(cpu);
    enum cpu_stop stop = step(cpu, &m, 1);

    ir_machine_done(&m);
    cpu->stop = stop;
    return stop;
}

/* --- Settling --- */

/* How many instructions from the CPU's pc on are to be executed, up to the one that writes the idle slots or
 * may branch; *@last: what that one does. */
static unsigned ahead(struct cpu *cpu, unsigned max, enum guest_idle *last)
{
    unsigned n = 0, len, longest = cpu->isa->pc_shift == 2 ? 4 : 15;
    uint64_t pc = cpu->pc;
    uint8_t insn[15];

    *last = GUEST_IDLE_NONE;
    while (n < max && *last == GUEST_IDLE_NONE) {
        size_t avail = longest;

        while (avail && guest_read(cpu, insn, pc, avail) < 0) /* what follows it may not be there */
            avail = longest == 4 ? 0 : avail - 1;
        if (!avail)
            break;
        *last = cpu->isa->idle_effect(cpu->mode, insn, avail, &len);
        pc += len;
        n += *last != GUEST_IDLE_READS;
    }
    return n;
}

enum cpu_stop cpu_settle(struct cpu *cpu)
{
    struct ir_machine m = machine(cpu);
    enum cpu_stop stop = CPU_STOP_NONE;
    enum guest_idle last;
    unsigned left = 256, n; /* loops that never touch them have an end */

    if (cpu->engine->conf.kind == ENGINE_INTERP || cpu->engine->conf.exact_flags ||
        cpu->engine->n_breakpoints || !cpu->isa->idle_effect || cpu->memory)
        return CPU_STOP_ATTENTION;
    cpu->attention = 0;
    do {
        n = ahead(cpu, left < BLOCK_INSNS ? left : BLOCK_INSNS, &last);
        if (n)
            stop = step(cpu, &m, n);
        left -= n;
    } while (n && left && stop == CPU_STOP_NONE && last != GUEST_IDLE_WRITES);
    ir_machine_done(&m);
    cpu->stop = stop == CPU_STOP_NONE ? CPU_STOP_ATTENTION : stop;
    return cpu->stop;
}
