/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register allocation while emitting: linear scan with second chance (O. Traub, G. Holloway,
 * M. Smith, "Quality and Speed in Linear-scan Register Allocation", 1998).  Values move between
 * registers and the frame as the scan goes; at joins, moves on the edges make predecessors agree.
 */
#include "host/x86_64/emit.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* Allocation order: short encodings first; rcx and rdx late, shifts and divisions want them. */
static const uint8_t gpr_order[] = { RSI, RDI, RBX, RCX, RDX, R8, R9, R10, R11, R12, R13, R14, R15 };

static bool is_vec_reg(unsigned r)
{
    return r >= X_XMM;
}

void ra_begin(struct x64 *x)
{
    memset(x->cur.reg_val, 0, sizeof(x->cur.reg_val));
    memset(x->cur.slot_val, 0, x->cur.n_slots * sizeof(x->cur.slot_val[0]));
    x->cur.n_slots = 0;
    x->pinned = 0;
    x->n_states = 0;
}

/* Position of the next use at or after @from; ~0 when there is none. */
static uint32_t next_use(struct x64 *x, uint32_t v, uint32_t from)
{
    struct xval *xv = &x->val[v];
    uint32_t u;

    while (xv->uses && x->use[xv->uses].pos < x->pos)
        xv->uses = x->use[xv->uses].next;
    u = xv->uses;
    if (u && x->use[u].pos < from)
        u = x->use[u].next;
    if (!u)
        return xv->end >= from ? xv->end + 1 : ~0u;
    return x->use[u].pos;
}

/* After the current operation (from the current one on, while its snapshot is still needed). */
uint32_t ra_next_use(struct x64 *x, uint32_t v)
{
    return next_use(x, v, x->holding ? x->pos : x->pos + 1);
}

static bool dead(struct x64 *x, uint32_t v)
{
    return !x->exiting && ra_next_use(x, v) == ~0u;
}

/* Not even the current operation wants it: it may have operands that it has not fetched yet. */
static bool unwanted(struct x64 *x, uint32_t v)
{
    return !x->exiting && next_use(x, v, x->pos) == ~0u;
}

bool ra_dies(struct x64 *x, uint32_t v)
{
    v = x_resolve(x, v);
    return dead(x, v);
}

static void put(struct x64 *x, unsigned reg, uint32_t v)
{
    x->cur.reg_val[reg] = v;
    x->val[v].reg = (uint8_t)reg;
}

static void drop_reg(struct x64 *x, unsigned reg)
{
    uint32_t v = x->cur.reg_val[reg];

    x->cur.reg_val[reg] = 0;
    if (v && x->val[v].reg == reg)
        x->val[v].reg = NOREG;
}

static void drop_slot(struct x64 *x, unsigned slot)
{
    uint32_t v = x->cur.slot_val[slot];

    x->cur.slot_val[slot] = 0;
    if (v && x->val[v].slot == slot)
        x->val[v].slot = 0;
}

void ra_forget(struct x64 *x, uint32_t v)
{
    if (x->val[v].reg != NOREG)
        drop_reg(x, x->val[v].reg);
    if (x->val[v].slot)
        drop_slot(x, x->val[v].slot);
}

static unsigned new_slot(struct x64 *x, uint32_t v)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned s = 1; s < X_NSLOTS; s++)
            if (!x->cur.slot_val[s]) {
                x->cur.slot_val[s] = v;
                x->val[v].slot = (uint8_t)s;
                if (x->cur.n_slots <= s)
                    x->cur.n_slots = s + 1;
                return s;
            }
        for (unsigned s = 1; s < X_NSLOTS; s++) /* nobody cleans up behind dead values */
            if (unwanted(x, x->cur.slot_val[s]))
                drop_slot(x, s);
    }
    x->too_big = true;
    return 0;
}

static void store_slot(struct x64 *x, unsigned slot, unsigned reg)
{
    if (is_vec_reg(reg))
        x64_vstore(&x->a, x_slot(x, slot), reg - X_XMM);
    else
        x64_store(&x->a, 8, x_slot(x, slot), reg);
}

static void load_slot(struct x64 *x, unsigned reg, unsigned slot)
{
    if (is_vec_reg(reg))
        x64_vload(&x->a, reg - X_XMM, x_slot(x, slot));
    else
        x64_load(&x->a, 8, reg, x_slot(x, slot));
}

/* Can be made again without the frame, at this point. */
static bool remat(const struct x64 *x, uint32_t v)
{
    return (x->val[v].flags & XV_REMAT) && !(x->exiting && x->ir->ops[v].op == IRO_get);
}

/* Keep @v somewhere other than a register. */
static void save_value(struct x64 *x, uint32_t v)
{
    if (!x->val[v].slot && !remat(x, v))
        store_slot(x, new_slot(x, v), x->val[v].reg);
}

static void evict(struct x64 *x, unsigned reg)
{
    uint32_t v = x->cur.reg_val[reg];

    if (v) {
        if (!unwanted(x, v))
            save_value(x, v);
        drop_reg(x, reg);
    }
}

void x_load_get(struct x64 *x, unsigned reg, const struct ir_op *o)
{
    struct x64_mem m = x_cpu(x, x->ir->slots[o->imm].off);

    switch (o->type) {
    case IR_I1: case IR_I8: x64_load(&x->a, 1, reg, m); break;
    case IR_I16: x64_load(&x->a, 2, reg, m); break;
    case IR_I32: x64_load(&x->a, 4, reg, m); break;
    case IR_I64: x64_load(&x->a, 8, reg, m); break;
    case IR_F32: x64_vload_n(&x->a, 4, reg - X_XMM, m); break;
    case IR_F64: x64_vload_n(&x->a, 8, reg - X_XMM, m); break;
    default: x64_vload(&x->a, reg - X_XMM, m); break;
    }
}

static void load_vconst(struct x64 *x, unsigned d, const struct ir_op *o)
{
    uint64_t hi = o->arg[0] | (uint64_t)o->arg[1] << 32;

    if (!o->imm && !hi)
        x64_v3(&x->a, VX(0x66, 1, 0xef), d, d, d); /* pxor */
    else if (o->imm == ~0ull && hi == ~0ull)
        x64_v3(&x->a, VX(0x66, 1, 0x76), d, d, d); /* pcmpeqd */
    else
        x64_vload(&x->a, d, x_vconst(x, o->imm, hi));
}

void x_load_value(struct x64 *x, unsigned reg, uint32_t v)
{
    const struct ir_op *o = &x->ir->ops[v];
    const struct xval *xv = &x->val[v];

    if (xv->reg != NOREG) {
        if (xv->reg == reg)
            return;
        if (is_vec_reg(reg))
            x64_vmov(&x->a, reg - X_XMM, xv->reg - X_XMM);
        else
            x64_mov_rr(&x->a, o->type == IR_I64 ? 8 : 4, reg, xv->reg);
    } else if (xv->slot) {
        load_slot(x, reg, xv->slot);
    } else if (o->op == IRO_const) {
        x64_mov_ri(&x->a, reg, o->imm & ir_mask(o->type));
    } else if (o->op == IRO_vconst) {
        load_vconst(x, reg - X_XMM, o);
    } else if (o->op == IRO_get && (xv->flags & XV_REMAT)) {
        x_load_get(x, reg, o);
    } else if (!x->too_big) {
        bug("x86_64: value %u (%s) is nowhere", v, ir_info[o->op].name);
    }
}

/* The allocatable register whose value is needed last; prefers values that cost nothing to drop. */
static unsigned victim(struct x64 *x, bool vec)
{
    unsigned best = NOREG;
    uint64_t best_score = 0;
    unsigned n = vec ? 15 : sizeof(gpr_order);

    for (unsigned i = 0; i < n; i++) {
        unsigned r = vec ? X_XMM + i : gpr_order[i];
        uint32_t v = x->cur.reg_val[r];
        uint64_t score;

        if (x->pinned >> r & 1)
            continue;
        uint32_t next = next_use(x, v, x->pos);

        if (next == ~0u && !x->exiting)
            return r;
        score = (uint64_t)next * 2;
        if (x->val[v].uses && x->use[x->val[v].uses].weak)
            score += (uint64_t)1 << 33;
        if (x->val[v].slot || remat(x, v))
            score += 1;
        if (best == NOREG || score > best_score) {
            best = r;
            best_score = score;
        }
    }
    if (best == NOREG)
        bug("x86_64: out of registers for one operation");
    return best;
}

/* Free, or made so: its value is not wanted any more. */
static bool vacant(struct x64 *x, unsigned reg)
{
    uint32_t v = x->cur.reg_val[reg];

    if (v && !unwanted(x, v))
        return false;
    drop_reg(x, reg);
    return true;
}

static unsigned alloc(struct x64 *x, bool vec, unsigned hint)
{
    unsigned n = vec ? 15 : sizeof(gpr_order), r;

    if (hint != NOREG && is_vec_reg(hint) == vec && !(x->pinned >> hint & 1) && vacant(x, hint))
        return hint;
    for (unsigned i = 0; i < n; i++) {
        r = vec ? X_XMM + i : gpr_order[i];
        if (!x->cur.reg_val[r] && !(x->pinned >> r & 1))
            return r;
    }
    r = victim(x, vec);
    evict(x, r);
    return r;
}

static bool vec_value(const struct x64 *x, uint32_t v)
{
    return ir_is_vec(x->ir->ops[v].type);
}

unsigned ra_use(struct x64 *x, uint32_t v)
{
    unsigned r;

    v = x_resolve(x, v);
    r = x->val[v].reg;
    if (r == NOREG) {
        if (x->val[v].flags & XV_LAZY)
            return x_materialize(x, v);
        r = alloc(x, vec_value(x, v), x->val[v].hint);
        x_load_value(x, r, v);
        put(x, r, v);
    }
    x->pinned |= 1u << r;
    x->touched[x->n_touched++ & 15] = v;
    return r;
}

void ra_take(struct x64 *x, unsigned reg)
{
    uint32_t v = x->cur.reg_val[reg];

    if (v && !unwanted(x, v)) { /* move it to a free register when there is one */
        bool vec = is_vec_reg(reg);
        unsigned n = vec ? 15 : sizeof(gpr_order);

        for (unsigned i = 0; i < n; i++) {
            unsigned r = vec ? X_XMM + i : gpr_order[i];

            if (r != reg && !x->cur.reg_val[r] && !(x->pinned >> r & 1)) {
                x_load_value(x, r, v);
                x->cur.reg_val[reg] = 0;
                put(x, r, v);
                if (x->pinned >> reg & 1)
                    x->pinned |= 1u << r;
                x->pinned |= 1u << reg;
                return;
            }
        }
    }
    evict(x, reg);
    x->pinned |= 1u << reg;
}

void ra_use_in(struct x64 *x, uint32_t v, unsigned reg)
{
    v = x_resolve(x, v);
    if (x->val[v].reg == NOREG && (x->val[v].flags & XV_LAZY))
        x_materialize(x, v);
    if (x->val[v].reg == reg) {
        x->pinned |= 1u << reg;
        if (!dead(x, v)) { /* the caller may change the register: keep the value elsewhere */
            x->pinned &= ~(1u << reg);
            ra_take(x, reg);
            x_load_value(x, reg, v);
        } else {
            drop_reg(x, reg);
        }
        return;
    }
    ra_take(x, reg);
    x_load_value(x, reg, v);
    x->touched[x->n_touched++ & 15] = v;
}

unsigned ra_def(struct x64 *x, uint32_t v)
{
    unsigned r = alloc(x, vec_value(x, v), x->val[v].hint);

    put(x, r, v);
    x->pinned |= 1u << r;
    x->touched[x->n_touched++ & 15] = v;
    return r;
}

unsigned ra_def_loaded(struct x64 *x, uint32_t v, const struct ir_op *o)
{
    unsigned h = x->val[v].hint, d;

    /* the register of a value that nobody but a fault here wants: what does not load does not write */
    if (h != NOREG && is_vec_reg(h) == vec_value(x, v) && x->cur.reg_val[h] && !x->exiting &&
        next_use(x, x->cur.reg_val[h], x->pos + 1) == ~0u) {
        x_fault_here(x, o);
        drop_reg(x, h);
        put(x, h, v);
        x->pinned |= 1u << h;
        x->touched[x->n_touched++ & 15] = v;
        return h;
    }
    d = ra_def(x, v);
    x_fault_here(x, o);
    return d;
}

void ra_def_in(struct x64 *x, uint32_t v, unsigned reg)
{
    if (x->cur.reg_val[reg])
        evict(x, reg);
    put(x, reg, v);
    x->pinned |= 1u << reg;
    x->touched[x->n_touched++ & 15] = v;
}

unsigned ra_use_def(struct x64 *x, uint32_t v, uint32_t s)
{
    unsigned r, d;

    s = x_resolve(x, s);
    r = x->val[s].reg;
    if (r == NOREG && (x->val[s].flags & XV_LAZY))
        r = x_materialize(x, s);
    if (r != NOREG && dead(x, s)) {
        drop_reg(x, r);
        put(x, r, v);
        x->pinned |= 1u << r;
        return r;
    }
    if (r != NOREG)
        x->pinned |= 1u << r;
    d = alloc(x, vec_value(x, v), x->val[v].hint);
    x_load_value(x, d, s);
    put(x, d, v);
    x->pinned |= 1u << d;
    x->touched[x->n_touched++ & 15] = v;
    return d;
}

unsigned ra_temp(struct x64 *x, bool vec)
{
    unsigned r = alloc(x, vec, NOREG);

    x->pinned |= 1u << r;
    return r;
}

bool ra_in_mem(struct x64 *x, uint32_t v, struct x64_mem *m)
{
    const struct ir_op *o;

    v = x_resolve(x, v);
    if (x->val[v].reg != NOREG || (x->val[v].flags & XV_LAZY) || !dead(x, v))
        return false;
    o = &x->ir->ops[v];
    if (x->val[v].slot) {
        *m = x_slot(x, x->val[v].slot);
        return true;
    }
    if (o->op == IRO_get && (x->val[v].flags & XV_REMAT) && !x->exiting &&
        (o->type == IR_I64 || o->type == IR_V128)) {
        *m = x_cpu(x, x->ir->slots[o->imm].off);
        return true;
    }
    if (o->op == IRO_vconst) {
        *m = x_vconst(x, o->imm, o->arg[0] | (uint64_t)o->arg[1] << 32);
        return true;
    }
    return false;
}

void ra_end_op(struct x64 *x)
{
    unsigned n = x->n_touched < 16 ? x->n_touched : 16;

    x->holding = false;
    x->pinned = 0;
    x->n_touched = 0;
    for (unsigned i = 0; i < n; i++)
        if (dead(x, x->touched[i]))
            ra_forget(x, x->touched[i]);
}

#define CALLEE_SAVED (1u << RBX | 1u << R12 | 1u << R13 | 1u << R14 | 1u << R15)

void ra_clobber_calls(struct x64 *x)
{
    for (unsigned r = 0; r < X_NREGS; r++)
        if (x->cur.reg_val[r] && !(CALLEE_SAVED >> r & 1)) {
            if (!dead(x, x->cur.reg_val[r]))
                save_value(x, x->cur.reg_val[r]);
            drop_reg(x, r);
        }
}

/* --- Block boundaries --- */

struct xstate *ra_new_state(struct x64 *x)
{
    if (x->n_states == x->n_made) {
        x->states = x_grow(x->states, &x->cap_states, x->n_made + 1, sizeof(*x->states));
        x->states[x->n_made] = malloc(sizeof(struct xstate));
        if (!x->states[x->n_made++])
            bug("out of memory");
    }
    return x->states[x->n_states++];
}

static void copy_state(struct xstate *to, const struct xstate *from)
{
    memcpy(to->reg_val, from->reg_val, sizeof(to->reg_val));
    memcpy(to->slot_val, from->slot_val, from->n_slots * sizeof(to->slot_val[0]));
    to->n_slots = from->n_slots;
}

void ra_save_state(struct x64 *x, struct xstate *s)
{
    while (x->cur.n_slots && !x->cur.slot_val[x->cur.n_slots - 1])
        x->cur.n_slots--;
    copy_state(s, &x->cur);
}

void ra_load_state(struct x64 *x, const struct xstate *s)
{
    for (unsigned r = 0; r < X_NREGS; r++)
        if (x->cur.reg_val[r])
            x->val[x->cur.reg_val[r]].reg = NOREG;
    for (unsigned i = 1; i < x->cur.n_slots; i++)
        if (x->cur.slot_val[i])
            x->val[x->cur.slot_val[i]].slot = 0;
    if (x->cur.n_slots > s->n_slots) /* all beyond the last one in use are empty */
        memset(x->cur.slot_val + s->n_slots, 0,
               (x->cur.n_slots - s->n_slots) * sizeof(x->cur.slot_val[0]));
    copy_state(&x->cur, s);
    for (unsigned r = 0; r < X_NREGS; r++)
        if (x->cur.reg_val[r])
            x->val[x->cur.reg_val[r]].reg = (uint8_t)r;
    for (unsigned i = 1; i < x->cur.n_slots; i++)
        if (x->cur.slot_val[i])
            x->val[x->cur.slot_val[i]].slot = (uint8_t)i;
    x->pinned = 0;
    x->n_touched = 0;
}

struct xstate *ra_stub_state(struct x64 *x)
{
    struct xstate *s;

    if (x->straight && !x->n_pair)
        return NULL;
    s = ra_new_state(x);
    ra_save_state(x, s);
    return s;
}

static void drop_dead(struct x64 *x)
{
    for (unsigned r = 0; r < X_NREGS; r++)
        if (x->cur.reg_val[r] && dead(x, x->cur.reg_val[r]))
            drop_reg(x, r);
    for (unsigned s = 1; s < x->cur.n_slots; s++)
        if (x->cur.slot_val[s] && dead(x, x->cur.slot_val[s]))
            drop_slot(x, s);
}

/* Which of @to's predecessors @from is: the index of its phi operands. */
uint32_t x_pred_index(const struct ir *ir, uint32_t from, uint32_t to)
{
    const struct ir_block *t = &ir->blocks[to];
    uint32_t k = 0;

    while (ir->preds[t->preds_first + k] != from)
        k++;
    return k;
}

static bool is_live_phi(const struct x64 *x, uint32_t v)
{
    return x->ir->ops[v].op == IRO_phi && (x->val[v].flags & XV_LIVE);
}

/* Free registers of a class. */
static unsigned free_regs(const struct x64 *x, bool vec)
{
    unsigned n = vec ? 15 : sizeof(gpr_order), k = 0;

    for (unsigned i = 0; i < n; i++)
        k += !x->cur.reg_val[vec ? X_XMM + i : gpr_order[i]];
    return k;
}

/* Before a loop: what the loop does not touch makes room for what it does. */
static void prune_for_loop(struct x64 *x, uint32_t to)
{
    uint32_t end = x->block[to].loop_end;

    for (unsigned r = 0; r < X_NREGS; r++) {
        uint32_t v = x->cur.reg_val[r];

        if (!v || free_regs(x, is_vec_reg(r)) >= 5)
            continue;
        if (ra_next_use(x, v) > end && !is_live_phi(x, v))
            evict(x, r);
    }
}

/* The values used in the loop that are in the frame come back while there is room. */
static void reload_for_loop(struct x64 *x, uint32_t to)
{
    uint32_t end = x->block[to].loop_end;

    for (unsigned s = 1; s < x->cur.n_slots; s++) {
        uint32_t v = x->cur.slot_val[s];

        if (!v || x->val[v].reg != NOREG || free_regs(x, vec_value(x, v)) < 4)
            continue;
        if (ra_next_use(x, v) <= end && !(x->val[v].uses && x->use[x->val[v].uses].weak)) {
            unsigned r = alloc(x, vec_value(x, v), NOREG);

            x_load_value(x, r, v);
            put(x, r, v);
        }
    }
}

/* Values in slot memory that the loop uses are loaded once, before it, while there is room. */
static void preload_for_loop(struct x64 *x, uint32_t to)
{
    const struct ir_block *entry = &x->ir->blocks[0];
    uint32_t end = x->block[to].loop_end;

    for (uint32_t v = entry->first; v < entry->end; v++) {
        unsigned r;

        if (x->ir->ops[v].op != IRO_get || !(x->val[v].flags & XV_REMAT) || x->val[v].reg != NOREG ||
            free_regs(x, vec_value(x, v)) < 4 || ra_next_use(x, v) > end ||
            !x->val[v].uses || x->use[x->val[v].uses].weak)
            continue;
        r = alloc(x, vec_value(x, v), NOREG);
        x_load_value(x, r, v);
        put(x, r, v);
    }
}

/* Does a phi after @v take the same operand on this edge? */
static bool wanted_again(const struct x64 *x, uint32_t v, uint32_t k, uint32_t a)
{
    const struct ir *ir = x->ir;

    for (v++; ir->ops[v].op == IRO_phi; v++)
        if (is_live_phi(x, v) && x_resolve(x, ir->phi_args[ir->ops[v].arg[0] + k]) == a)
            return true;
    return false;
}

/* First arrival at a join: the current places become the block's; phis get theirs. */
static void establish(struct x64 *x, uint32_t from, uint32_t to)
{
    const struct ir *ir = x->ir;
    const struct ir_block *t = &ir->blocks[to];
    uint32_t k = x_pred_index(ir, from, to);
    struct xstate *s;

    for (uint32_t v = t->first; v < t->end && ir->ops[v].op == IRO_phi; v++) {
        uint32_t a;
        unsigned r;

        if (!is_live_phi(x, v))
            continue;
        a = x_resolve(x, ir->phi_args[ir->ops[v].arg[0] + k]);
        if (x->val[a].reg != NOREG && dead(x, a) && !(x->pinned >> x->val[a].reg & 1) &&
            !wanted_again(x, v, k, a)) {
            r = x->val[a].reg;
            ra_forget(x, a);
        } else if (!free_regs(x, vec_value(x, v))) { /* into the frame through the scratch register */
            r = vec_value(x, v) ? X_XMM + X_VSCRATCH : X_SCRATCH;
            x_load_value(x, r, a);
            store_slot(x, new_slot(x, v), r);
            continue;
        } else {
            r = alloc(x, vec_value(x, v), NOREG);
            x_load_value(x, r, a);
        }
        put(x, r, v);
        x->pinned |= 1u << r;
    }
    x->pinned = 0;
    drop_dead(x);
    if (x->block[to].loop_end) {
        prune_for_loop(x, to);
        reload_for_loop(x, to);
        preload_for_loop(x, to);
    }
    s = ra_new_state(x);
    ra_save_state(x, s);
    x->block[to].entry = s;
    /* let the values that come back around the loop prefer the phis' registers */
    for (uint32_t v = t->first; v < t->end && ir->ops[v].op == IRO_phi; v++)
        if (is_live_phi(x, v) && x->val[v].reg != NOREG)
            for (uint32_t i = 0; i < t->n_preds; i++) {
                uint32_t a = x_resolve(x, ir->phi_args[ir->ops[v].arg[0] + i]);

                if (a > v)
                    x->val[a].hint = x->val[v].reg;
            }
}

/* One move of an edge: a place gets a value.  Places: 0..31 registers, 32.. frame slots. */
struct move {
    uint32_t val;
    uint8_t dst, src; /* src 255: made again (constant or memory) */
};

static void do_move(struct x64 *x, const struct move *m)
{
    bool vec = vec_value(x, m->val);
    unsigned via = vec ? X_XMM + X_VSCRATCH : X_SCRATCH;
    unsigned d = m->dst < 32 ? m->dst : via;

    if (m->src == 255) {
        struct xval save = x->val[m->val];

        x->val[m->val].reg = NOREG;
        x->val[m->val].slot = 0;
        x_load_value(x, d, m->val);
        x->val[m->val] = save;
    } else if (m->src >= 32) {
        load_slot(x, d, m->src - 32);
    } else if (m->dst >= 32) {
        d = m->src;
    } else if (vec) {
        x64_vmov(&x->a, d - X_XMM, m->src - X_XMM);
    } else {
        x64_mov_rr(&x->a, 8, d, m->src);
    }
    if (m->dst >= 32)
        store_slot(x, m->dst - 32, d);
}

static void do_moves(struct x64 *x, struct move *m, unsigned n)
{
    while (n) {
        bool progress = false;

        for (unsigned i = 0; i < n; i++) {
            bool blocked = false;

            for (unsigned j = 0; j < n; j++)
                blocked |= j != i && m[j].src == m[i].dst;
            if (blocked)
                continue;
            do_move(x, &m[i]);
            m[i--] = m[--n];
            progress = true;
        }
        if (n && !progress) { /* a cycle: park one source in slot 0 */
            struct move park = { m[0].val, 32, m[0].src };
            uint8_t src = m[0].src;

            do_move(x, &park);
            for (unsigned i = 0; i < n; i++)
                if (m[i].src == src)
                    m[i].src = 32;
        }
    }
}

static void add_move(struct x64 *x, struct move *m, unsigned *n, unsigned dst, uint32_t want,
                     uint32_t k, uint32_t to)
{
    const struct ir *ir = x->ir;
    const struct ir_block *t = &ir->blocks[to];
    uint32_t v = want;
    unsigned src;

    if (ir->ops[v].op == IRO_phi && v >= t->first && v < t->end)
        v = x_resolve(x, ir->phi_args[ir->ops[v].arg[0] + k]);
    if (dst < 32 && x->val[v].reg == dst)
        return;
    if (dst >= 32 && x->val[v].slot == dst - 32)
        return;
    if (x->val[v].reg != NOREG)
        src = x->val[v].reg;
    else if (x->val[v].slot)
        src = 32 + x->val[v].slot;
    else if (x->val[v].flags & XV_REMAT)
        src = 255;
    else
        return; /* not live on this path */
    m[(*n)++] = (struct move){ v, (uint8_t)dst, (uint8_t)src };
}

/* The moves to where @e, the entry of @to, wants values. */
static unsigned list_moves(struct x64 *x, struct move *m, uint32_t from, uint32_t to)
{
    const struct xstate *e = x->block[to].entry;
    uint32_t k = x_pred_index(x->ir, from, to);
    unsigned n = 0;

    for (unsigned r = 0; r < X_NREGS; r++)
        if (e->reg_val[r])
            add_move(x, m, &n, r, e->reg_val[r], k, to);
    for (unsigned s = 1; s < e->n_slots; s++)
        if (e->slot_val[s])
            add_move(x, m, &n, 32 + s, e->slot_val[s], k, to);
    return n;
}

bool ra_edge_is_free(struct x64 *x, uint32_t from, uint32_t to)
{
    struct move m[X_NREGS + X_NSLOTS];

    return x->block[to].entry && list_moves(x, m, from, to) == 0;
}

void ra_edge(struct x64 *x, uint32_t from, uint32_t to)
{
    struct move m[X_NREGS + X_NSLOTS];

    x->pinned = 0;
    x->n_touched = 0;
    if (x->block[to].entry)
        do_moves(x, m, list_moves(x, m, from, to));
    else
        establish(x, from, to);
}
