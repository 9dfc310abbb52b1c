/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which guest blocks make a hot region: plan.h. */
#include "cpu/plan.h"

/* What is called becomes part of the region when it is small and leaves it rarely but by returning. */
enum { CALLEE_BLOCKS = 8, CALLEE_INSNS = 40, CALL_DEPTH = 2 };

/* What growing a plan asks. */
struct planner {
    struct plan *p;
    struct jit *j;
    uint32_t mode; /* of the region */
};

uint64_t plan_breakpoint_after(const struct engine *e, uint64_t pc)
{
    for (uint32_t i = 0; i < e->n_breakpoints; i++)
        if (e->breakpoints[i] > pc)
            return e->breakpoints[i];
    return ~0ull;
}

static int find(const struct plan *p, uint64_t pc, unsigned frame)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->block[i].pc == pc && p->block[i].frame == frame)
            return (int)i;
    return -1;
}

/* Has the block at @pc run often enough to be worth a place in a hot region? */
static bool worth(const struct planner *w, uint64_t pc)
{
    const struct jit *j = w->j;
    const struct region *r;

    if (j->e->machine && (pc ^ j->cpu->here->va) & ~4095ull)
        return false; /* elsewhere */
    r = region_find(j, pc, j->e->machine ? engine_at(j->cpu, pc) : pc, ENGINE_NOWHERE, w->mode);

    if (!r)
        return j->e->conf.hot_after == 1;
    return !r->counter || r->waited ||
           *r->counter <= (int32_t)(j->e->conf.hot_after - j->e->conf.hot_after / 8);
}

/* Does an instruction begin at @b that goes on where its bytes end, on the machine's next page? */
static bool goes_on(const struct engine *e, uint32_t mode, const struct plan_block *b)
{
    return e->machine && e->isa->length && b->avail < e->isa->longest &&
           !e->isa->length(mode, b->pc, b->code, b->avail);
}

/* False: it is not there, and is not added.  @all: worth it or not. */
static bool add(const struct planner *w, uint64_t pc, unsigned frame, bool all)
{
    struct plan *p = w->p;
    const struct engine *e = w->j->e;
    unsigned i = p->n;
    struct plan_block *b = &p->block[i];

    if (find(p, pc, frame) >= 0)
        return true;
    if (i == p->limit || p->insns >= JIT_MAX_INSNS)
        return false;
    if (i && ((!all && !worth(w, pc)) || engine_has_breakpoint(e, pc)))
        return false;
    *b = (struct plan_block){.pc = pc, .frame = (uint8_t)frame, .mode = w->mode & ~ENGINE_SECOND_TABLE};
    b->avail = engine_fetch(e, pc, &b->code, &b->mode);
    if (!b->avail || goes_on(e, w->mode, b))
        return false;
    e->isa->scan(w->mode, pc, b->code, b->avail, PLAN_BLOCK_INSNS, &b->scan);
    if (b->scan.end > plan_breakpoint_after(e, pc) || (i && b->scan.alone))
        return false;
    p->insns += b->scan.n_insns;
    p->n++;
    return true;
}

/* A block that begins inside another, earlier one: the earlier one ends there. */
static void split(struct plan *p)
{
    for (struct plan_block *b = p->block; b < p->block + p->n; b++)
        for (const struct plan_block *k = p->block; k < p->block + p->n; k++)
            if (k->pc > b->pc && k->pc < b->scan.end && k->frame == b->frame) {
                b->scan.end = k->pc;
                b->scan.kind = GUEST_END_FALL;
            }
}

/* The frame of the call that block @i ends with, 0: that leaves the region. */
static unsigned callee(const struct plan *p, unsigned i)
{
    const struct plan_block *b = &p->block[i];

    for (unsigned k = 1; k <= p->n_calls; k++)
        if (p->call[k].parent == b->frame && p->call[k].ret == b->scan.end && p->call[k].pc == b->scan.target)
            return k;
    return 0;
}

static void visit(struct plan *p, unsigned i);

static void visit_at(struct plan *p, uint64_t pc, unsigned frame)
{
    int k = find(p, pc, frame);

    if (k >= 0 && !p->block[k].seen)
        visit(p, (unsigned)k);
}

static void visit(struct plan *p, unsigned i)
{
    const struct guest_scan *s = &p->block[i].scan;
    unsigned frame = p->block[i].frame, called = s->kind == GUEST_END_CALL ? callee(p, i) : 0;

    p->block[i].seen = true;
    if (called)
        visit_at(p, s->target, called);
    if (s->kind == GUEST_END_RET && frame)
        visit_at(p, p->call[frame].ret, p->call[frame].parent);
    if (s->kind == GUEST_END_JUMP || s->kind == GUEST_END_COND)
        visit_at(p, s->target, frame);
    if (s->kind == GUEST_END_FALL || s->kind == GUEST_END_COND)
        visit_at(p, s->end, frame);
    p->order[p->n_order++] = i;
}

static bool take_call(const struct planner *w, unsigned i);

/* On to @pc in @frame's callee, unless it rarely goes there: that is a way out. */
static bool follow(const struct planner *w, uint64_t pc, unsigned frame)
{
    return !worth(w, pc) || add(w, pc, frame, true);
}

/* The blocks of @frame's callee that run often, from block @first on. */
static bool take_callee(const struct planner *w, unsigned first, unsigned frame)
{
    struct plan *p = w->p;
    unsigned insns = p->insns;

    if (!add(w, p->call[frame].pc, frame, true))
        return false;
    for (unsigned i = first; i < p->n; i++) {
        const struct guest_scan *s = &p->block[i].scan;

        if (p->n - first > CALLEE_BLOCKS || p->insns - insns > CALLEE_INSNS)
            return false;
        if (p->block[i].frame != frame || s->kind == GUEST_END_RET)
            continue;
        if (s->kind == GUEST_END_CALL && take_call(w, i))
            continue;
        if (s->kind != GUEST_END_JUMP && s->kind != GUEST_END_COND && s->kind != GUEST_END_FALL)
            return false;
        if (s->kind != GUEST_END_FALL && !follow(w, s->target, frame))
            return false;
        if (s->kind != GUEST_END_JUMP && !follow(w, s->end, frame))
            return false;
    }
    return true;
}

/* Is @pc what the region or a call on the way to @frame begins with? */
static bool recurses(const struct plan *p, unsigned frame, uint64_t pc)
{
    for (; frame; frame = p->call[frame].parent)
        if (p->call[frame].pc == pc)
            return true;
    return pc == p->block[0].pc;
}

/* Makes what block @i calls part of the region; false: it is not, and nothing has changed. */
static bool take_call(const struct planner *w, unsigned i)
{
    struct plan *p = w->p;
    uint64_t ret = p->block[i].scan.end, pc = p->block[i].scan.target;
    unsigned parent = p->block[i].frame, n = p->n, insns = p->insns, calls = p->n_calls, k = calls + 1;
    unsigned depth = parent ? p->call[parent].depth + 1u : 1;

    p->block[i].asked = true;
    if (callee(p, i))
        return true;
    if (depth > CALL_DEPTH || k == IR_MAX_FRAMES || recurses(p, parent, pc) || !worth(w, pc))
        return false;
    p->call[k] = (struct plan_call){.pc = pc, .ret = ret, .parent = (uint8_t)parent, .depth = (uint8_t)depth};
    p->n_calls = k;
    if (take_callee(w, n, k) && add(w, ret, parent, parent))
        return true;
    p->n = n;
    p->insns = insns;
    p->n_calls = calls;
    return false;
}

/* Breadth first from block @i on, without calls; returns the number of the next. */
static unsigned follow_jumps(const struct planner *w, unsigned i)
{
    for (; i < w->p->n; i++) {
        const struct guest_scan *s = &w->p->block[i].scan;

        if (w->p->block[i].frame)
            continue;
        if (s->kind == GUEST_END_JUMP || s->kind == GUEST_END_COND)
            add(w, s->target, 0, false);
        if (s->kind == GUEST_END_FALL || s->kind == GUEST_END_COND)
            add(w, s->end, 0, false);
    }
    return i;
}

bool plan_make(struct plan *p, struct jit *j, uint64_t pc, uint32_t mode, unsigned limit)
{
    const struct planner w = {p, j, mode};
    unsigned next;

    p->n = p->n_calls = p->insns = p->n_order = 0;
    p->limit = limit;
    if (!add(&w, pc, 0, false))
        return false;
    next = follow_jumps(&w, 0);
    for (unsigned k = 0; k < p->n && !j->e->machine; k++) {
        const struct plan_block *b = &p->block[k];

        if (!b->frame && b->scan.kind == GUEST_END_CALL && !b->asked && take_call(&w, k))
            next = follow_jumps(&w, next);
    }
    split(p);
    visit(p, 0);
    return true;
}
