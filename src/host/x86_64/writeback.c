/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact state: the values of guest slots written back on the ways out, and where straight code sets them. */
#include "host/x86_64/emit.h"

#include "base/err.h"

/* Bit set of the slots a write-back is about to overwrite. */
struct slot_set {
    uint64_t w[IR_MAX_SLOTS / 64];
};

static bool slot_in(const struct slot_set *s, uint32_t slot)
{
    return s->w[slot / 64] >> (slot % 64) & 1;
}

/* A value still in the memory of a slot that will be overwritten has to be fetched first.  @own: the
 * slot the value is for: storing there comes after computing anyway. */
static void rescue(struct x64 *x, uint32_t v, uint32_t own, const struct slot_set *set)
{
    const struct ir_op *o;

    v = x_resolve(x, v);
    o = &x->ir->ops[v];
    if (x->val[v].reg != NOREG || x->val[v].slot)
        return;
    if (x->val[v].flags & XV_LAZY) {
        for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
            rescue(x, o->arg[k], own, set);
    } else if (o->op == IRO_get && (x->val[v].flags & XV_REMAT) && slot_in(set, (uint32_t)o->imm)) {
        ra_use(x, v);
        x->pinned = 0;
    }
}

static void store_flag(struct x64 *x, struct x64_mem m, uint32_t v)
{
    unsigned cc2;
    bool both;
    enum x64_cc cc = x_cond(x, v, &cc2, &both);

    if (cc2 == NOREG) {
        x64_setcc_m(&x->a, cc, m);
    } else {
        x64_setcc(&x->a, cc, X_SCRATCH);
        x64_setcc_m(&x->a, cc2, m);
        x64_alu_mr(&x->a, both ? ALU_AND : ALU_OR, 1, m, X_SCRATCH);
    }
}

static bool is_condition(unsigned op)
{
    return (op >= IRO_eq && op <= IRO_sle) || (op >= IRO_feq && op <= IRO_fun) || op == IRO_not;
}

/* Whose register holds the @size bytes of @v: registers are zero-extended, so what only extends need not be done, nor what cuts
 * off bytes that are not stored. */
static uint32_t holder(const struct x64 *x, uint32_t v, unsigned size)
{
    v = x_resolve(x, v);
    while (x->val[v].reg == NOREG && (x->val[v].flags & XV_LAZY) &&
           (x->ir->ops[v].op == IRO_zext || (x->ir->ops[v].op == IRO_trunc && x->ir->ops[v].type == IR_I32 && size == 4)))
        v = x_resolve(x, x->ir->ops[v].arg[0]);
    return v;
}

/* The lazy value @v in a register: a sum of a register and a constant takes none from others. */
static unsigned compute(struct x64 *x, uint32_t v)
{
    const struct ir_op *o = &x->ir->ops[v];
    unsigned r = o->op == IRO_add ? x->val[x_resolve(x, o->arg[0])].reg : NOREG;
    int32_t imm;

    if (r == NOREG || o->type != IR_I64 || !x_imm(x, o->arg[1], &imm))
        return x_materialize(x, v);
    x64_lea(&x->a, 8, X_SCRATCH, x64_at(r, imm));
    return X_SCRATCH;
}

static void store_pair(struct x64 *x, const struct xpair *p)
{
    const struct ir_slot *slot = &x->ir->slots[p->slot];
    struct x64_mem m = x_cpu(x, slot->off);
    unsigned size = slot->type == IR_I1 ? 1 : ir_bits(slot->type) / 8;
    uint32_t v = holder(x, p->val, size);
    const struct ir_op *o = &x->ir->ops[v];
    unsigned r = x->val[v].reg;
    int32_t imm;

    if (r == NOREG && x_imm(x, v, &imm) && (imm >= 0 || ir_bits(o->type) >= 8 * size)) {
        x64_store_imm(&x->a, size, m, imm);
        return;
    }
    if (r == NOREG && (x->val[v].flags & XV_LAZY)) {
        if (slot->type == IR_I1 && is_condition(o->op) &&
            !(o->op >= IRO_feq && o->op <= IRO_fun &&
              (x->job->fp_slow || x->job->fp_flush || x->ir->ops[o->arg[0]].type == IR_F16))) {
            store_flag(x, m, v);
            return;
        }
        r = compute(x, v);
    } else if (r == NOREG) {
        r = ir_is_vec(slot->type) ? X_XMM + X_VSCRATCH : X_SCRATCH;
        x_load_value(x, r, v);
    }
    if (size == 16)
        x64_vstore(&x->a, m, r - X_XMM);
    else if (ir_is_vec(slot->type))
        x64_vstore_n(&x->a, size, m, r - X_XMM);
    else
        x64_store(&x->a, size, m, r);
}

/* --- Zeros side by side --- */

/* VZEROUPPER sets sixteen slots that lie one behind the other: stores of 32 bytes do two at a time. */
static bool is_vzero(const struct x64 *x, const struct xpair *p)
{
    const struct ir_op *o = &x->ir->ops[x_resolve(x, p->val)];

    return o->op == IRO_vconst && x->ir->slots[p->slot].type == IR_V128 && !(o->imm | o->arg[0] | o->arg[1]);
}

/* Stores those of the first 64 of @n pairs that come in twos, but for those in @done; the bits of all that are stored.  What VEX
 * writes clears the upper half of a register, so a zero is one of 32 bytes. */
static uint64_t store_zeros(struct x64 *x, const struct xpair *p, uint32_t n, uint64_t done)
{
    uint8_t pair_of[IR_MAX_SLOTS + 1] = { 0 }; /* by slot: 1 and more */
    const struct ir_slot *slots = x->ir->slots;
    unsigned found = 0;

    for (uint32_t i = 0; x->a.f.avx && i < n && i < 64; i++)
        if (!(done >> i & 1) && is_vzero(x, &p[i])) {
            pair_of[p[i].slot] = (uint8_t)(i + 1);
            found++;
        }
    if (found < 3)
        return done;
    x64_v3(&x->a, VX(0x66, 1, 0xef), X_VSCRATCH, X_VSCRATCH, X_VSCRATCH); /* pxor */
    for (uint32_t s = 0; s + 1 < x->ir->n_slots; s++) {
        unsigned i = pair_of[s], k = pair_of[s + 1];

        if (!i || !k || slots[s + 1].off != slots[s].off + 16)
            continue;
        x64_v2m(&x->a, VX(0, 1, 0x11) | VX_L, X_VSCRATCH, x_cpu(x, slots[s].off));
        done |= 1ull << (i - 1) | 1ull << (k - 1);
        s++;
    }
    return done;
}

struct xsnap x_dirty(const struct x64 *x, uint32_t snap)
{
    if (x->straight)
        return (struct xsnap){ .count = x->ir->snaps[snap].idle_dead ? 0 : x->n_pair };
    return x->snap[snap];
}

static bool is_part(const struct x64 *x, enum xpart part, const struct xpair *p)
{
    return part == ALL_SLOTS || x->ir->slots[p->slot].idle == (part == IDLE_SLOTS);
}

void x_write_part(struct x64 *x, uint32_t snap, enum xpart part)
{
    struct xsnap sn = x_dirty(x, snap);
    struct slot_set set = { { 0 } };
    const struct xpair *p;
    uint64_t done = 0;

    if (!sn.count)
        return;
    p = x->pair + sn.first;
    x->exiting = true;
    for (uint32_t i = 0; i < sn.count; i++)
        if (is_part(x, part, &p[i]))
            set.w[p[i].slot / 64] |= 1ull << (p[i].slot % 64);
    for (uint32_t i = 0; i < sn.count; i++)
        rescue(x, p[i].val, p[i].slot, &set);
    if (part != ALL_BUT_IDLE)
        done = x_store_flags(x, p, sn.count);
    if (part != IDLE_SLOTS)
        done = store_zeros(x, p, sn.count, done);
    for (uint32_t i = 0; i < sn.count; i++) {
        if ((i < 64 && done >> i & 1) || !is_part(x, part, &p[i]))
            continue;
        x->pinned = 0;
        store_pair(x, &p[i]);
    }
    x->pinned = 0;
    x->exiting = false;
}

void x_write_back(struct x64 *x, uint32_t snap)
{
    x_write_part(x, snap, ALL_SLOTS);
}

static void store_set(struct x64 *x, const struct ir_set *s)
{
    struct xpair p = { s->slot, s->val };
    uint32_t v = x_resolve(x, s->val);

    if (x->ir->ops[v].op == IRO_get && x->val[v].end > x->pos)
        ra_use(x, v);
    store_pair(x, &p);
    x->pinned = 0;
    x->touched[x->n_touched++ & 15] = v;
    if (x->n_lazy_done)
        x_forget_lazy(x);
}

/* An idle slot's new value waits. */
static void wait_set(struct x64 *x, const struct ir_set *s)
{
    uint32_t i = 0;

    while (i < x->n_pair && x->pair[i].slot != s->slot)
        i++;
    if (i == x->n_pair)
        x->pair = x_grow(x->pair, &x->cap_pair, ++x->n_pair, sizeof(*x->pair));
    x->pair[i] = (struct xpair){ s->slot, s->val };
}

void x_store_sets(struct x64 *x, uint32_t at)
{
    x->pos = 2 * at - 1;
    while (x->n_store && x->store[x->n_store - 1].at == at) {
        const struct ir_set *s = &x->store[--x->n_store];

        if (s->slot == IR_SLOT_CLEAN)
            x->n_pair = 0;
        else if (x->ir->slots[s->slot].idle)
            wait_set(x, s);
        else
            store_set(x, s);
    }
    ra_end_op(x);
}

/* Lazy values computed for a write-back become lazy again. */
void x_forget_lazy(struct x64 *x)
{
    for (unsigned i = 0; i < x->n_lazy_done; i++) {
        uint32_t v = x->lazy_done[i];

        if (x->val[v].reg != NOREG) {
            x->cur.reg_val[x->val[v].reg] = 0;
            x->val[v].reg = NOREG;
        }
        if (x->val[v].slot) {
            x->cur.slot_val[x->val[v].slot] = 0;
            x->val[v].slot = 0;
        }
    }
    x->n_lazy_done = 0;
}

unsigned x_materialize(struct x64 *x, uint32_t v)
{
    const struct ir_op *o = &x->ir->ops[v];
    uint8_t flags = x->val[v].flags;
    uint32_t pinned = x->pinned;

    x->val[v].flags = XV_LIVE; /* while its emitter runs */
    x_emitter(x, o)(x, o, v);
    x->val[v].flags = flags;
    if (x->n_lazy_done < sizeof(x->lazy_done) / sizeof(x->lazy_done[0]))
        x->lazy_done[x->n_lazy_done++] = v;
    else
        x->too_big = true;
    if (x->val[v].reg == NOREG)
        bug("x86_64: %s was not computed", ir_info[o->op].name);
    x->pinned = pinned | 1u << x->val[v].reg; /* its operands are free again */
    return x->val[v].reg;
}
