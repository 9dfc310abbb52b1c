/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forming regions: which guest blocks are translated together.
 * Cold: the one block at hand.  Hot: what can be reached from its head by direct jumps through blocks
 * that have run often, loops included.
 */
#include "cpu/jit.h"
#include "cpu/log.h"

#include "ir/build.h"
#include "ir/pass.h"

#define COLD_INSNS 64

/* What was looked at must invalidate the region when it changes.  False: too much of it. */
static bool note_seen(struct jit *j, uint64_t pc)
{
    if (j->n_seen && j->seen[j->n_seen - 1].end == pc) {
        j->seen[j->n_seen - 1].end += 4;
        return true;
    }
    if (j->n_seen == JIT_MAX_SEEN)
        return false;
    j->seen[j->n_seen++] = (struct span){ pc, pc + 4 };
    return true;
}

/* Looking ahead mostly stays near: what the last answer covered is not asked again. */
const uint8_t *form_code_at(void *jit, uint64_t pc)
{
    struct jit *j = jit;
    const uint8_t *code;
    uint32_t mode = 0;

    if (!note_seen(j, pc))
        return NULL;
    if (pc < j->exec_lo || pc + 4 > j->exec_hi) {
        size_t n = engine_fetch(j->e, pc, &code, &mode);

        if (n < 4)
            return NULL;
        j->exec_lo = pc & ~4095ull;
        j->exec_hi = n > UINT64_MAX - pc ? UINT64_MAX : pc + n;
        j->exec_base = (uint64_t)(uintptr_t)code - pc;
    }
    return (const uint8_t *)(uintptr_t)(pc + j->exec_base);
}

bool form_idle_dead(void *jit, uint64_t pc)
{
    struct jit *j = jit;
    unsigned n_seen = j->n_seen;

    if (!j->e->n_breakpoints && j->e->isa->idle_dead(pc, form_code_at, j))
        return true;
    j->n_seen = n_seen; /* nothing relies on it */
    return false;
}

static uint64_t next_breakpoint(const struct engine *e, uint64_t pc)
{
    for (uint32_t i = 0; i < e->n_breakpoints; i++)
        if (e->breakpoints[i] > pc)
            return e->breakpoints[i];
    return ~0ull;
}

/* May blocks be said in flat form? */
static bool flat_wanted(const struct jit *j)
{
    const struct engine *e = j->e;

    return e->isa->flat && !(e->conf.passes_off & ENGINE_NO_FLAT) && !j->untag &&
           !(e->conf.log && e->conf.log->items & (ENGINE_LOG_IR | ENGINE_LOG_IR_OPT));
}

/* NULL: not this block. */
static struct region *form_flat(struct jit *j, uint64_t pc, uint32_t mode, uint32_t lift_mode,
                                const uint8_t *code, size_t avail)
{
    struct engine *e = j->e;
    unsigned limit = e->conf.max_insns ? e->conf.max_insns : COLD_INSNS;
    struct span s = { pc, pc };

    j->n_seen = 0;
    j->flat.exact = e->conf.exact_flags;
    j->flat.idle_dead_at = j->ir->idle_dead_at;
    j->flat.idle_opaque = j->ir->idle_opaque;
    s.end += e->isa->flat(&j->flat, lift_mode, pc, code, avail, next_breakpoint(e, pc), limit);
    return s.end == pc ? NULL : region_add_locked(j, pc, mode, &s, 1, FLAT);
}

struct region *form_cold_locked(struct jit *j, uint64_t pc, uint32_t mode, uint32_t lift_mode,
                                const uint8_t *code, size_t avail)
{
    struct engine *e = j->e;
    unsigned limit = e->conf.max_insns ? e->conf.max_insns : COLD_INSNS;
    struct region *r;

    j->exec_lo = pc & ~4095ull;
    j->exec_hi = avail > UINT64_MAX - pc ? UINT64_MAX : pc + avail;
    j->exec_base = (uint64_t)(uintptr_t)code - pc;

    if (flat_wanted(j) && (r = form_flat(j, pc, mode, lift_mode, code, avail)))
        return r;
    for (;; limit = limit / 2 + 1) { /* shorter until it fits the frame */
        struct span s = { pc, 0 };

        j->n_seen = 0;
        ir_reset(j->ir);
        ir_start_block(j->ir, ir_plan(j->ir, ~0ull, 0)); /* no name: jumps to itself leave, too */
        s.end = pc + e->isa->lift(j->ir, lift_mode, pc, code, avail, next_breakpoint(e, pc), limit);
        ir_finish(j->ir);
        log_ir(e, ENGINE_LOG_IR, pc, j->ir);
        if (s.end == pc)
            s.end = pc + 1;
        j->too_big = false;
        r = region_add_locked(j, pc, mode, &s, 1, COLD);
        if (r || !j->too_big || limit == 1)
            return r;
    }
}

struct plan {
    uint64_t pc[JIT_MAX_BLOCKS];
    struct guest_scan scan[JIT_MAX_BLOCKS];
    const uint8_t *code[JIT_MAX_BLOCKS];
    size_t avail[JIT_MAX_BLOCKS];
    uint32_t mode[JIT_MAX_BLOCKS]; /* with what the memory there adds */
    bool seen[JIT_MAX_BLOCKS];
    unsigned n, insns, limit; /* at most limit blocks */
    unsigned order[JIT_MAX_BLOCKS], n_order; /* post order */
};

static int plan_find(const struct plan *p, uint64_t pc)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->pc[i] == pc)
            return (int)i;
    return -1;
}

/* Has the block at @pc run often enough to be worth a place in a hot region? */
static bool worth(const struct jit *j, uint64_t pc, uint32_t mode)
{
    const struct region *r;

    if (j->e->machine && (pc ^ j->cpu->here->va) & ~4095ull)
        return false; /* elsewhere */
    r = region_find(j, pc, j->e->machine ? engine_at(j->cpu, pc) : pc, mode);

    if (!r)
        return j->e->conf.hot_after == 1;
    return !r->counter || r->waited || *r->counter <= (int32_t)(j->e->conf.hot_after - j->e->conf.hot_after / 8);
}

static void plan_add(struct jit *j, struct plan *p, uint64_t pc, uint32_t mode)
{
    unsigned i = p->n;

    if (i == p->limit || p->insns >= JIT_MAX_INSNS || plan_find(p, pc) >= 0)
        return;
    if (i && (!worth(j, pc, mode) || engine_has_breakpoint(j->e, pc)))
        return;
    p->mode[i] = mode;
    p->avail[i] = engine_fetch(j->e, pc, &p->code[i], &p->mode[i]);
    if (!p->avail[i])
        return;
    p->pc[i] = pc;
    p->seen[i] = false;
    j->e->isa->scan(mode, pc, p->code[i], p->avail[i], COLD_INSNS, &p->scan[i]);
    if (p->scan[i].end > next_breakpoint(j->e, pc))
        return;
    p->insns += p->scan[i].n_insns;
    p->n++;
}

/* A block that begins inside another, earlier one: the earlier one ends there. */
static void plan_split(struct plan *p)
{
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < p->n; k++)
            if (p->pc[k] > p->pc[i] && p->pc[k] < p->scan[i].end) {
                p->scan[i].end = p->pc[k];
                p->scan[i].kind = GUEST_END_FALL;
            }
}

static void plan_visit(struct plan *p, unsigned i)
{
    const struct guest_scan *s = &p->scan[i];
    int k;

    p->seen[i] = true;
    if (s->kind == GUEST_END_JUMP || s->kind == GUEST_END_COND)
        if ((k = plan_find(p, s->target)) >= 0 && !p->seen[k])
            plan_visit(p, (unsigned)k);
    if (s->kind == GUEST_END_FALL || s->kind == GUEST_END_COND)
        if ((k = plan_find(p, s->end)) >= 0 && !p->seen[k])
            plan_visit(p, (unsigned)k);
    p->order[p->n_order++] = i;
}

static void plan_grow(struct jit *j, struct plan *p, uint64_t pc, uint32_t mode)
{
    plan_add(j, p, pc, mode);
    for (unsigned i = 0; i < p->n; i++) { /* breadth first */
        const struct guest_scan *s = &p->scan[i];

        if (s->kind == GUEST_END_JUMP || s->kind == GUEST_END_COND)
            plan_add(j, p, s->target, mode);
        if (s->kind == GUEST_END_FALL || s->kind == GUEST_END_COND)
            plan_add(j, p, s->end, mode);
    }
    plan_split(p);
    plan_visit(p, 0);
}

static bool lift_plan(struct jit *j, struct plan *p)
{
    uint32_t block[JIT_MAX_BLOCKS];

    ir_reset(j->ir);
    for (unsigned k = p->n_order; k-- > 0;)
        block[p->order[k]] = ir_plan(j->ir, p->pc[p->order[k]], 0);
    for (unsigned k = p->n_order; k-- > 0;) {
        unsigned i = p->order[k];

        ir_start_block(j->ir, block[i]);
        j->e->isa->lift(j->ir, p->mode[i], p->pc[i], p->code[i], p->avail[i], p->scan[i].end, COLD_INSNS);
    }
    ir_finish(j->ir);
    for (uint32_t b = 0; b < j->ir->n_blocks; b++)
        if (j->ir->blocks[b].full_call && p->n_order > 1)
            return false; /* a helper that may change every slot: better on its own */
    log_ir(j->e, ENGINE_LOG_IR, p->pc[0], j->ir);
    ir_optimise(j->ir, 1, j->e->conf.passes_off);
    return true;
}

struct region *form_hot_locked(struct jit *j, uint64_t pc, uint32_t mode)
{
    unsigned limit = JIT_MAX_BLOCKS;
    struct region *r = NULL;

    j->exec_lo = j->exec_hi = 0;

    for (; !r && limit; limit /= 2) { /* smaller until it fits the frame */
        struct plan p = { .limit = limit };
        struct span spans[JIT_MAX_BLOCKS];

        j->n_seen = 0;
        plan_grow(j, &p, pc, mode);
        if (!p.n || !lift_plan(j, &p))
            return NULL;
        for (unsigned i = 0; i < p.n; i++)
            spans[i] = (struct span){ p.pc[i], p.scan[i].end };
        j->too_big = false;
        r = region_add_locked(j, pc, mode, spans, p.n, HOT);
        if (!j->too_big)
            break;
    }
    return r;
}
