/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forming regions: which guest blocks are translated together.
 * Cold: the one block at hand.  Hot: what can be reached from its head by direct jumps through blocks
 * that have run often, loops included, and small functions that are called there.
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
    uint8_t frame[JIT_MAX_BLOCKS]; /* 0: the region's own code; else of call[] */
    bool asked[JIT_MAX_BLOCKS];    /* whether what is called there is to be part of it */
    struct {
        uint64_t ret, pc; /* of the callee */
        uint8_t parent, depth;
    } call[IR_MAX_FRAMES]; /* 1 .. n_calls */
    unsigned n_calls;
    unsigned n, insns, limit;                /* at most limit blocks */
    unsigned order[JIT_MAX_BLOCKS], n_order; /* post order */
};

static int plan_find(const struct plan *p, uint64_t pc, unsigned frame)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->pc[i] == pc && p->frame[i] == frame)
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

/* False: it is not there, and is not added.  @all: worth it or not. */
static bool plan_add(struct jit *j, struct plan *p, uint64_t pc, uint32_t mode, unsigned frame, bool all)
{
    unsigned i = p->n;

    if (plan_find(p, pc, frame) >= 0)
        return true;
    if (i == p->limit || p->insns >= JIT_MAX_INSNS)
        return false;
    if (i && ((!all && !worth(j, pc, mode)) || engine_has_breakpoint(j->e, pc)))
        return false;
    p->mode[i] = mode & ~ENGINE_SECOND_TABLE;
    p->avail[i] = engine_fetch(j->e, pc, &p->code[i], &p->mode[i]);
    if (!p->avail[i] || goes_on(j->e, mode, pc, p->code[i], p->avail[i]))
        return false;
    p->pc[i] = pc;
    p->frame[i] = (uint8_t)frame;
    p->seen[i] = p->asked[i] = false;
    j->e->isa->scan(mode, pc, p->code[i], p->avail[i], COLD_INSNS, &p->scan[i]);
    if (p->scan[i].end > next_breakpoint(j->e, pc) || (i && p->scan[i].alone))
        return false;
    p->insns += p->scan[i].n_insns;
    p->n++;
    return true;
}

/* A block that begins inside another, earlier one: the earlier one ends there. */
static void plan_split(struct plan *p)
{
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < p->n; k++)
            if (p->pc[k] > p->pc[i] && p->pc[k] < p->scan[i].end && p->frame[k] == p->frame[i]) {
                p->scan[i].end = p->pc[k];
                p->scan[i].kind = GUEST_END_FALL;
            }
}

/* The frame of the call that block @i ends with, 0: that leaves the region. */
static unsigned plan_callee(const struct plan *p, unsigned i)
{
    for (unsigned k = 1; k <= p->n_calls; k++)
        if (p->call[k].parent == p->frame[i] && p->call[k].ret == p->scan[i].end && p->call[k].pc == p->scan[i].target)
            return k;
    return 0;
}

static void plan_visit(struct plan *p, unsigned i);

static void plan_visit_at(struct plan *p, uint64_t pc, unsigned frame)
{
    int k = plan_find(p, pc, frame);

    if (k >= 0 && !p->seen[k])
        plan_visit(p, (unsigned)k);
}

static void plan_visit(struct plan *p, unsigned i)
{
    const struct guest_scan *s = &p->scan[i];
    unsigned frame = p->frame[i], callee = s->kind == GUEST_END_CALL ? plan_callee(p, i) : 0;

    p->seen[i] = true;
    if (callee)
        plan_visit_at(p, s->target, callee);
    if (s->kind == GUEST_END_RET && frame)
        plan_visit_at(p, p->call[frame].ret, p->call[frame].parent);
    if (s->kind == GUEST_END_JUMP || s->kind == GUEST_END_COND)
        plan_visit_at(p, s->target, frame);
    if (s->kind == GUEST_END_FALL || s->kind == GUEST_END_COND)
        plan_visit_at(p, s->end, frame);
    p->order[p->n_order++] = i;
}

/* What is called becomes part of the region when it is small and has no ways out but returns: before others the host would have
 * to be told about the call (host/host.h, shadow stack). */
enum { CALLEE_BLOCKS = 8, CALLEE_INSNS = 40, CALL_DEPTH = 2 };

static bool plan_call(struct jit *j, struct plan *p, unsigned i, uint32_t mode);

/* All blocks of @frame's callee, from block @first on. */
static bool plan_callee_blocks(struct jit *j, struct plan *p, unsigned first, unsigned frame, uint32_t mode)
{
    unsigned insns = p->insns;

    if (!plan_add(j, p, p->call[frame].pc, mode, frame, true))
        return false;
    for (unsigned i = first; i < p->n; i++) {
        const struct guest_scan *s = &p->scan[i];

        if (p->n - first > CALLEE_BLOCKS || p->insns - insns > CALLEE_INSNS)
            return false;
        if (p->frame[i] != frame || s->kind == GUEST_END_RET)
            continue;
        if (s->kind == GUEST_END_CALL && plan_call(j, p, i, mode))
            continue;
        if (s->kind != GUEST_END_JUMP && s->kind != GUEST_END_COND && s->kind != GUEST_END_FALL)
            return false;
        if (s->kind != GUEST_END_FALL && !plan_add(j, p, s->target, mode, frame, true))
            return false;
        if (s->kind != GUEST_END_JUMP && !plan_add(j, p, s->end, mode, frame, true))
            return false;
    }
    return true;
}

/* Is @pc what the region or a call on the way to @frame begins with? */
static bool plan_recurses(const struct plan *p, unsigned frame, uint64_t pc)
{
    for (; frame; frame = p->call[frame].parent)
        if (p->call[frame].pc == pc)
            return true;
    return pc == p->pc[0];
}

/* Makes what block @i calls part of the region; false: it is not, and nothing has changed. */
static bool plan_call(struct jit *j, struct plan *p, unsigned i, uint32_t mode)
{
    uint64_t ret = p->scan[i].end, pc = p->scan[i].target;
    unsigned parent = p->frame[i], n = p->n, insns = p->insns, calls = p->n_calls, k = calls + 1;
    unsigned depth = parent ? p->call[parent].depth + 1u : 1;

    p->asked[i] = true;
    if (plan_callee(p, i))
        return true;
    if (depth > CALL_DEPTH || k == IR_MAX_FRAMES || plan_recurses(p, parent, pc) || !worth(j, pc, mode))
        return false;
    p->call[k].ret = ret;
    p->call[k].pc = pc;
    p->call[k].parent = (uint8_t)parent;
    p->call[k].depth = (uint8_t)depth;
    p->n_calls = k;
    if (plan_callee_blocks(j, p, n, k, mode) && plan_add(j, p, ret, mode, parent, parent))
        return true;
    p->n = n;
    p->insns = insns;
    p->n_calls = calls;
    return false;
}

/* Breadth first from block @i on; returns the number of the next. */
static unsigned plan_grow_own(struct jit *j, struct plan *p, unsigned i, uint32_t mode)
{
    for (; i < p->n; i++) {
        const struct guest_scan *s = &p->scan[i];

        if (p->frame[i])
            continue;
        if (s->kind == GUEST_END_JUMP || s->kind == GUEST_END_COND)
            plan_add(j, p, s->target, mode, 0, false);
        if (s->kind == GUEST_END_FALL || s->kind == GUEST_END_COND)
            plan_add(j, p, s->end, mode, 0, false);
    }
    return i;
}

static void plan_grow(struct jit *j, struct plan *p, uint64_t pc, uint32_t mode)
{
    unsigned next = 0;

    plan_add(j, p, pc, mode, 0, false);
    next = plan_grow_own(j, p, next, mode);
    for (unsigned k = 0; k < p->n && !j->e->machine; k++)
        if (!p->frame[k] && p->scan[k].kind == GUEST_END_CALL && !p->asked[k] && plan_call(j, p, k, mode))
            next = plan_grow_own(j, p, next, mode);
    plan_split(p);
    plan_visit(p, 0);
}

static bool lift_plan(struct former *f, struct plan *p)
{
    struct jit *j = f->j;
    uint32_t block[JIT_MAX_BLOCKS], frame[IR_MAX_FRAMES] = {0};

    ir_reset(f->ir);
    for (unsigned k = 1; k <= p->n_calls; k++)
        frame[k] = ir_frame(f->ir, frame[p->call[k].parent], p->call[k].ret);
    for (unsigned k = p->n_order; k-- > 0;) {
        unsigned i = p->order[k];

        block[i] = ir_plan_in(f->ir, p->pc[i], 0, frame[p->frame[i]]);
    }
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
