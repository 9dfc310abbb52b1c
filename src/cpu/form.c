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
static bool note_seen(struct former *f, uint64_t start, uint64_t end)
{
    struct span *last = f->n_seen ? &f->seen[f->n_seen - 1] : NULL;

    if (last && start >= last->start && start <= last->end) {
        if (last->end < end)
            last->end = end;
        return true;
    }
    if (f->n_seen == JIT_MAX_SEEN)
        return false;
    f->seen[f->n_seen++] = (struct span){start, end};
    return true;
}

/* Looking ahead mostly stays near: what the last answer covered is not asked again. */
const uint8_t *form_code_at(void *former, uint64_t pc, size_t *avail)
{
    struct former *f = former;
    const uint8_t *code;
    uint64_t longest = f->j->e->isa->pc_shift == 2 ? 4 : 15;
    uint32_t mode = 0;

    if (pc < f->exec_lo || pc >= f->exec_hi) {
        size_t n = engine_fetch(f->j->e, pc, &code, &mode);

        if (!n)
            return NULL;
        f->exec_lo = pc & ~4095ull;
        f->exec_hi = n > UINT64_MAX - pc ? UINT64_MAX : pc + n;
        f->exec_base = (uint64_t)(uintptr_t)code - pc;
    }
    *avail = f->exec_hi - pc < longest ? f->exec_hi - pc : longest;
    return note_seen(f, pc, pc + *avail) ? (const uint8_t *)(uintptr_t)(pc + f->exec_base) : NULL;
}

bool form_idle_dead(void *former, uint64_t pc)
{
    struct former *f = former;
    unsigned n_seen = f->n_seen;

    if (!f->j->e->n_breakpoints && f->j->e->isa->idle_dead(f->mode, pc, form_code_at, f))
        return true;
    f->n_seen = n_seen; /* nothing relies on it */
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
static struct region *form_flat(struct former *f, struct made *m, uint32_t lift_mode,
                                const uint8_t *code, size_t avail)
{
    struct engine *e = f->j->e;
    unsigned limit = e->conf.max_insns ? e->conf.max_insns : COLD_INSNS;
    struct span s = {m->pc, m->pc};

    f->n_seen = 0;
    f->flat.exact = e->conf.exact_flags;
    f->flat.idle_dead_at = f->ir->idle_dead_at;
    f->flat.idle_opaque = f->ir->idle_opaque;
    s.end +=
        e->isa->flat(&f->flat, lift_mode, m->pc, code, avail, next_breakpoint(e, m->pc), limit);
    m->spans = &s;
    return s.end == m->pc ? NULL : region_add_locked(f, m, FLAT);
}

/* An instruction in two pages of a machine's has two places.  Returns how many spans @s are. */
static unsigned cut_at(const struct jit *j, struct span s[2])
{
    if (!j->e->machine || !j->cpu->there || s[0].end <= j->cpu->there->va)
        return 1;
    s[1] = (struct span){j->cpu->there->va, s[0].end};
    s[0].end = j->cpu->there->va;
    return 2;
}

/* Does an instruction begin at @pc that goes on where @avail bytes end? */
static bool goes_on(const struct engine *e, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail)
{
    return e->machine && e->isa->length && avail < e->isa->longest && !e->isa->length(mode, pc, code, avail);
}

struct region *form_cold_locked(struct jit *j, uint64_t pc, uint32_t mode, uint32_t lift_mode,
                                const uint8_t *code, size_t avail)
{
    struct engine *e = j->e;
    struct former *f = &j->own;
    struct made m = {.pc = pc, .mode = mode, .n_spans = 1};
    unsigned limit = e->conf.max_insns ? e->conf.max_insns : COLD_INSNS;
    struct region *r;

    f->exec_lo = pc & ~4095ull;
    f->exec_hi = avail > UINT64_MAX - pc ? UINT64_MAX : pc + avail;
    f->exec_base = (uint64_t)(uintptr_t)code - pc;
    f->mode = lift_mode;

    if (flat_wanted(j) && (r = form_flat(f, &m, lift_mode, code, avail)))
        return r;
    for (;; limit = limit / 2 + 1) { /* shorter until it fits the frame */
        struct span s[2] = {{pc, 0}};

        f->n_seen = 0;
        ir_reset(f->ir);
        ir_start_block(f->ir, ir_plan(f->ir, ~0ull, 0)); /* no name: jumps to itself leave, too */
        s[0].end = pc + e->isa->lift(f->ir, lift_mode, pc, code, avail, next_breakpoint(e, pc), limit);
        ir_finish(f->ir);
        log_ir(e, ENGINE_LOG_IR, pc, f->ir);
        if (s[0].end == pc)
            s[0].end = pc + 1;
        m.n_spans = cut_at(j, s);
        m.spans = s;
        f->too_big = false;
        r = region_add_locked(f, &m, COLD);
        if (r || !f->too_big || limit == 1)
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
    unsigned n, insns, limit;                /* at most limit blocks */
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
    r = region_find(j, pc, j->e->machine ? engine_at(j->cpu, pc) : pc, ENGINE_NOWHERE, mode);

    if (!r)
        return j->e->conf.hot_after == 1;
    return !r->counter || r->waited ||
           *r->counter <= (int32_t)(j->e->conf.hot_after - j->e->conf.hot_after / 8);
}

static void plan_add(struct jit *j, struct plan *p, uint64_t pc, uint32_t mode)
{
    unsigned i = p->n;

    if (i == p->limit || p->insns >= JIT_MAX_INSNS || plan_find(p, pc) >= 0)
        return;
    if (i && (!worth(j, pc, mode) || engine_has_breakpoint(j->e, pc)))
        return;
    p->mode[i] = mode & ~ENGINE_SECOND_TABLE;
    p->avail[i] = engine_fetch(j->e, pc, &p->code[i], &p->mode[i]);
    if (!p->avail[i] || goes_on(j->e, mode, pc, p->code[i], p->avail[i]))
        return;
    p->pc[i] = pc;
    p->seen[i] = false;
    j->e->isa->scan(mode, pc, p->code[i], p->avail[i], COLD_INSNS, &p->scan[i]);
    if (p->scan[i].end > next_breakpoint(j->e, pc) || (i && p->scan[i].alone))
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

static bool lift_plan(struct former *f, struct plan *p)
{
    struct jit *j = f->j;
    uint32_t block[JIT_MAX_BLOCKS];

    ir_reset(f->ir);
    for (unsigned k = p->n_order; k-- > 0;)
        block[p->order[k]] = ir_plan(f->ir, p->pc[p->order[k]], 0);
    for (unsigned k = p->n_order; k-- > 0;) {
        unsigned i = p->order[k];

        ir_start_block(f->ir, block[i]);
        j->e->isa->lift(f->ir, p->mode[i], p->pc[i], p->code[i], p->avail[i], p->scan[i].end,
                        COLD_INSNS);
    }
    ir_finish(f->ir);
    for (uint32_t b = 0; b < f->ir->n_blocks; b++)
        if (f->ir->blocks[b].full_call && p->n_order > 1)
            return false; /* a helper that may change every slot: better on its own */
    log_ir(j->e, ENGINE_LOG_IR, p->pc[0], f->ir);
    return true;
}

bool form_begin_hot_locked(struct former *f, struct made *m, struct span spans[JIT_MAX_BLOCKS],
                           uint64_t pc, uint32_t mode, unsigned limit)
{
    struct plan p = {.limit = limit};

    f->exec_lo = f->exec_hi = 0;
    f->n_seen = 0;
    plan_grow(f->j, &p, pc, mode);
    f->mode = p.mode[0];
    if (!p.n || !lift_plan(f, &p))
        return false;
    for (unsigned i = 0; i < p.n; i++)
        spans[i] = (struct span){p.pc[i], p.scan[i].end};
    *m = (struct made){.pc = pc, .mode = mode, .spans = spans, .n_spans = p.n, .hot = true};
    return true;
}

struct region *form_hot_locked(struct jit *j, uint64_t pc, uint32_t mode)
{
    struct former *f = &j->own;
    struct region *r = NULL;

    for (unsigned limit = JIT_MAX_BLOCKS; !r && limit;
         limit /= 2) { /* smaller until it fits the frame */
        struct span spans[JIT_MAX_BLOCKS];
        struct made m;

        if (!form_begin_hot_locked(f, &m, spans, pc, mode, limit))
            return NULL;
        ir_optimise(f->ir, 1, j->e->conf.passes_off);
        f->too_big = false;
        r = region_add_locked(f, &m, HOT);
        if (!f->too_big)
            break;
    }
    return r;
}

void form_init(struct former *f, struct jit *j)
{
    const struct engine *e = j->e;
    struct host_layout l = jit_layout;

    l.mode_jc = e->machine ? offsetof(struct cpu, mode_jc) : 0;
    l.pc_shift = e->isa->pc_shift;
    l.jc_mask = ((1u << CPU_JC_BITS) - 1) << l.pc_shift;
    l.land_mask = ((1u << CPU_LAND_BITS) - 1) << l.pc_shift;
    l.mode_jc_mask = ((1u << CPU_MODE_JC_BITS) - 1) << l.pc_shift;
    l.mark_calls = e->isa->idle_returns && e->isa->idle_dead && !e->conf.exact_flags;
    f->j = j;
    f->host = host_new(&l, e->conf.host_off);
    f->ir = ir_new(j->slots, e->isa->n_slots, e->isa->helpers, e->isa->n_helpers);
    if (e->isa->idle_dead && !e->conf.exact_flags) {
        f->ir->idle_dead_at = form_idle_dead;
        f->ir->idle_opaque = f;
        f->ir->idle_returns = e->isa->idle_returns;
    }
}
