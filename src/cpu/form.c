/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forming regions: guest blocks are lifted, and what is made of them is added.
 * Cold: the one block at hand.  Hot: what plan.h chose.
 */
#include "cpu/log.h"
#include "cpu/plan.h"

#include "ir/build.h"
#include "ir/pass.h"

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

/* May blocks be said in flat form? */
static bool flat_wanted(const struct jit *j)
{
    const struct engine *e = j->e;

    return e->isa->flat && !(e->conf.passes_off & ENGINE_NO_FLAT) && !j->untag &&
           !(e->conf.log && e->conf.log->items & (ENGINE_LOG_IR | ENGINE_LOG_IR_OPT));
}

/* May code be executed as it is?  Then the CPU block is the host's GS segment, and breakpoints and logs of each instruction are not
 * looked after. */
bool form_wants_verbatim(const struct jit *j)
{
    const struct engine *e = j->e;

    return e->isa->verbatim && !e->machine && !e->conf.guest_base && !e->conf.host_off && !e->conf.max_insns && !e->tcache &&
           e->conf.hot_after != 1 && !(e->conf.passes_off & ENGINE_NO_VERBATIM) &&
           !(e->conf.log && e->conf.log->items & (ENGINE_LOG_IR | ENGINE_LOG_IR_OPT));
}

/* NULL: not this code. */
static struct region *form_verbatim(struct former *f, struct made *m, uint32_t lift_mode, const uint8_t *code, size_t avail)
{
    struct engine *e = f->j->e;
    struct span s = {m->pc, m->pc};

    f->n_seen = 0;
    f->verbatim.moved = HOST_VERBATIM_MOVED;
    f->verbatim.host_has = host_has;
    f->verbatim.calls = e->calls;
    f->verbatim.service_start = e->quick ? e->serve_start : 0;
    f->verbatim.service_end = e->quick ? e->serve_end : 0;
    s.end += e->isa->verbatim(&f->verbatim, lift_mode, m->pc, code, avail, plan_breakpoint_after(e, m->pc), VERBATIM_MAX);
    m->spans = &s;
    return s.end == m->pc ? NULL : region_add_locked(f, m, VERBATIM);
}

/* NULL: not this block. */
static struct region *form_flat(struct former *f, struct made *m, uint32_t lift_mode,
                                const uint8_t *code, size_t avail)
{
    struct engine *e = f->j->e;
    unsigned limit = e->conf.max_insns ? e->conf.max_insns : PLAN_BLOCK_INSNS;
    struct span s = {m->pc, m->pc};

    f->n_seen = 0;
    f->flat.exact = e->conf.exact_flags;
    f->flat.idle_dead_at = f->ir->idle_dead_at;
    f->flat.idle_opaque = f->ir->idle_opaque;
    s.end +=
        e->isa->flat(&f->flat, lift_mode, m->pc, code, avail, plan_breakpoint_after(e, m->pc), limit);
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

struct region *form_cold_locked(struct jit *j, uint64_t pc, uint32_t mode, uint32_t lift_mode,
                                const uint8_t *code, size_t avail)
{
    struct engine *e = j->e;
    struct former *f = &j->own;
    struct made m = {.pc = pc, .mode = mode, .n_spans = 1};
    unsigned limit = e->conf.max_insns ? e->conf.max_insns : PLAN_BLOCK_INSNS;
    struct region *r;

    f->exec_lo = pc & ~4095ull;
    f->exec_hi = avail > UINT64_MAX - pc ? UINT64_MAX : pc + avail;
    f->exec_base = (uint64_t)(uintptr_t)code - pc;
    f->mode = lift_mode;

    if (form_wants_verbatim(j) && (r = form_verbatim(f, &m, lift_mode, code, avail)))
        return r;
    if (flat_wanted(j) && (r = form_flat(f, &m, lift_mode, code, avail)))
        return r;
    for (;; limit = limit / 2 + 1) { /* shorter until it fits the frame */
        struct span s[2] = {{pc, 0}};

        f->n_seen = 0;
        ir_reset(f->ir);
        ir_start_block(f->ir, ir_plan(f->ir, ~0ull, 0)); /* no name: jumps to itself leave, too */
        s[0].end =
            pc + e->isa->lift(f->ir, lift_mode, pc, code, avail, plan_breakpoint_after(e, pc), limit);
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

static bool lift_plan(struct former *f, const struct plan *p)
{
    struct jit *j = f->j;
    uint32_t block[JIT_MAX_BLOCKS], frame[IR_MAX_FRAMES] = {0};

    ir_reset(f->ir);
    for (unsigned k = 1; k <= p->n_calls; k++)
        frame[k] = ir_frame(f->ir, frame[p->call[k].parent], p->call[k].ret);
    for (unsigned k = p->n_order; k-- > 0;) {
        const struct plan_block *b = &p->block[p->order[k]];

        block[p->order[k]] = ir_plan_in(f->ir, b->pc, 0, frame[b->frame]);
    }
    for (unsigned k = p->n_order; k-- > 0;) {
        const struct plan_block *b = &p->block[p->order[k]];

        ir_start_block(f->ir, block[p->order[k]]);
        j->e->isa->lift(f->ir, b->mode, b->pc, b->code, b->avail, b->scan.end, PLAN_BLOCK_INSNS);
    }
    ir_finish(f->ir);
    for (uint32_t b = 0; b < f->ir->n_blocks; b++)
        if (f->ir->blocks[b].full_call && p->n_order > 1)
            return false; /* a helper that may change every slot: better on its own */
    log_ir(j->e, ENGINE_LOG_IR, p->block[0].pc, f->ir);
    return true;
}

bool form_begin_hot_locked(struct former *f, struct made *m, struct span spans[JIT_MAX_BLOCKS],
                           uint64_t pc, uint32_t mode, unsigned limit)
{
    struct plan p;

    f->exec_lo = f->exec_hi = 0;
    f->n_seen = 0;
    if (!plan_make(&p, f->j, pc, mode, limit))
        return false;
    f->mode = p.block[0].mode;
    if (!lift_plan(f, &p))
        return false;
    for (unsigned i = 0; i < p.n; i++)
        spans[i] = (struct span){p.block[i].pc, p.block[i].scan.end};
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
    if (e->isa->verbatim_state) {
        l.g = *e->isa->verbatim_state;
        l.v.xgetbv1 = host_has(0xd, 1, 0, 2);
    }
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
