/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flat form (ir/flat.h) to machine code, in one walk.
 *
 * Slots are written where they are set, so a fault needs nothing but the guest address.  A host register
 * may hold what its slot's memory holds; registers are given out in turn.  Flags: whether a row's flags
 * must be stored is found by a walk backwards; a reader right behind uses the host's.
 */
#include "host/x86_64/flat_priv.h"

#include <string.h>

/* For values; rax, rcx and rdx are free for any row, the last two are the temporaries of x86 blocks. */
static const uint8_t pool[] = { RSI, RDI, RBX, R8, R9, R10, R11, R12, R13, R14, R15 };

enum { N_POOL = sizeof(pool) };

/* --- Registers --- */

struct x64_mem xf_slot_mem(const struct flatter *t, unsigned slot)
{
    return x_cpu(t->x, t->f->slots[slot].off);
}

/* Eight bytes; the integer registers are all near. */
static void move_slot(struct flatter *t, bool store, unsigned r, unsigned slot)
{
    struct x64_mem m = xf_slot_mem(t, slot);

    if (m.disp == (int8_t)m.disp)
        x64_mov_near(&t->x->a, store, r, X_CPU, (int8_t)m.disp);
    else if (store)
        x64_store(&t->x->a, 8, m, r);
    else
        x64_load(&t->x->a, 8, r, m);
}

unsigned xf_take(struct flatter *t)
{
    unsigned r;

    do
        r = pool[t->turn++ % (t->f->native ? N_POOL - 2 : N_POOL)];
    while (t->held >> r & 1);
    if (t->slot_of[r] != NONE)
        t->reg_of[t->slot_of[r]] = NONE;
    t->slot_of[r] = NONE;
    t->held |= 1u << r;
    return r;
}

static void names(struct flatter *t, unsigned r, unsigned slot)
{
    if (t->reg_of[slot] != NONE)
        t->slot_of[t->reg_of[slot]] = NONE;
    if (t->slot_of[r] != NONE)
        t->reg_of[t->slot_of[r]] = NONE;
    t->slot_of[r] = (uint8_t)slot;
    t->reg_of[slot] = (uint8_t)r;
}

/* The register holding @slot; zero is made in @temp. */
unsigned xf_get(struct flatter *t, unsigned slot, unsigned temp)
{
    unsigned r;

    if (slot == FLAT_ZERO) {
        x64_mov_ri(&t->x->a, temp, 0);
        return temp;
    }
    if (xf_is_temp(slot))
        return xf_temp(slot);
    r = t->reg_of[slot];
    if (r == NONE) {
        r = xf_take(t);
        move_slot(t, false, r, slot);
        names(t, r, slot);
    }
    t->held |= 1u << r;
    return r;
}

/* Slot @d := @r, all 64 bits of it. */
void xf_put(struct flatter *t, unsigned d, unsigned r)
{
    if (d == FLAT_ZERO)
        return;
    if (xf_is_temp(d)) {
        if (r != xf_temp(d))
            x64_mov_rr(&t->x->a, 8, xf_temp(d), r);
        return;
    }
    move_slot(t, true, r, d);
    names(t, r, d);
}

/* --- Flags --- */

static bool leaves_host_flags(const struct flat_op *o, bool soft)
{
    switch (o->kind) {
    case FLAT_CONST: case FLAT_MOVE:
        return true;
    case FLAT_LOAD: case FLAT_STORE:
        return o->amount != 4 && !soft; /* such an index is shifted; a page is looked up */
    case FLAT_SELECT:
        return true;
    }
    return false;
}

static bool carry_and_zero(unsigned cond)
{
    return cond == FLAT_HI || cond == FLAT_LS;
}

/* Which rows store their flags: backwards, who wants them from memory, who from the host. */
static void plan_flags(struct flatter *t)
{
    const struct flat *f = t->f;
    bool memory = f->flags_live, host = false, awkward = false;

    for (uint32_t i = f->n; i-- > 0;) {
        const struct flat_op *o = &f->op[i];
        bool reads = o->kind == FLAT_BRANCH || o->kind == FLAT_SELECT || o->kind == FLAT_CCMP;

        if (o->how & FLAT_SETS) {
            bool direct = host && o->kind == FLAT_ALU && (o->op == FLAT_SUB || !awkward);

            t->store[i] = memory || (host && !direct);
            memory = host = awkward = false;
        } else if (host && !leaves_host_flags(o, t->x->job->soft) && !reads) {
            memory = true;
            host = false;
        }
        if (o->kind == FLAT_LOAD || o->kind == FLAT_STORE) /* a fault shows them */
            memory = memory || host || f->exact;
        if (reads) {
            host = true;
            awkward = awkward || carry_and_zero(o->cond);
        }
    }
}

static struct x64_mem flag_mem(const struct flatter *t, unsigned n)
{
    return xf_slot_mem(t, t->f->flag_slot + n);
}

/* The host's flags are those of row @i. */
static void set_flags(struct flatter *t, uint32_t i, bool sub)
{
    struct x64_asm *a = &t->x->a;

    t->said = sub ? SUBTRACTED : ADDED;
    t->in_memory = t->store[i];
    if (!t->store[i])
        return;
    x64_setcc_m(a, CC_S, flag_mem(t, 0));
    x64_setcc_m(a, CC_E, flag_mem(t, 1));
    x64_setcc_m(a, sub ? CC_AE : CC_B, flag_mem(t, 2));
    x64_setcc_m(a, CC_O, flag_mem(t, 3));
}

/* Host flags for condition @cond from the flag slots. */
static enum x64_cc cond_from_memory(struct flatter *t, unsigned cond)
{
    struct x64_asm *a = &t->x->a;
    static const uint8_t flag[] = { 1, 2, 0, 3 };

    if (!t->in_memory)
        t->lost = true;
    xf_lose_flags(t);
    if (cond < FLAT_HI) {
        x64_alu_mi(a, ALU_CMP, 1, flag_mem(t, flag[cond / 2]), 0);
        return cond & 1 ? CC_E : CC_NE;
    }
    x64_load(a, 1, RAX, flag_mem(t, cond < FLAT_GE ? 2 : 0));
    if (cond < FLAT_GE) { /* C and not Z */
        x64_alu_rm(a, ALU_CMP, 1, RAX, flag_mem(t, 1));
        return cond & 1 ? CC_BE : CC_A;
    }
    x64_alu_rm(a, ALU_XOR, 1, RAX, flag_mem(t, 3)); /* N is not V */
    if (cond >= FLAT_GT)
        x64_alu_rm(a, ALU_OR, 1, RAX, flag_mem(t, 1));
    return cond & 1 ? CC_NE : CC_E;
}

static enum x64_cc cond(struct flatter *t, unsigned c)
{
    static const uint8_t subtracted[] = { CC_E, CC_NE, CC_AE, CC_B, CC_S, CC_NS, CC_O, CC_NO,
                                          CC_A, CC_BE, CC_GE, CC_L, CC_G, CC_LE };

    if (t->said == NOTHING || (t->said == ADDED && carry_and_zero(c)))
        return cond_from_memory(t, c);
    if (t->said == ADDED && c / 2 == FLAT_CS / 2)
        return subtracted[c] ^ 1;
    return subtracted[c];
}

/* --- Arithmetic --- */

/* Operand b, ready to be used, in @temp or a register that must stay. */
static unsigned operand_b(struct flatter *t, const struct flat_op *o, unsigned temp)
{
    static const uint8_t shift[] = { SH_SHL, SH_SHR, SH_SAR, SH_ROR };
    struct x64_asm *a = &t->x->a;
    unsigned r, size = xf_size_of(o);

    if (o->how & FLAT_IMM) {
        x64_mov_ri(a, temp, size == 8 ? o->imm : (uint32_t)o->imm);
        return temp;
    }
    r = xf_get(t, o->b, temp);
    if (o->ext >= FLAT_UXTB) {
        unsigned from = 1u << (o->ext - FLAT_UXTB) % 3;

        if (o->ext >= FLAT_SXTB)
            x64_movsx(a, from, size, temp, r);
        else if (from == 4)
            x64_mov_rr(a, 4, temp, r);
        else
            x64_movzx(a, from, temp, r);
    } else if ((o->amount || o->how & FLAT_INVERT) && r != temp) {
        x64_mov_rr(a, size, temp, r);
    } else if (!o->amount && !(o->how & FLAT_INVERT)) {
        return r;
    }
    if (o->amount)
        x64_shift_ri(a, o->ext >= FLAT_UXTB ? SH_SHL : shift[o->ext], size, temp, o->amount);
    if (o->how & FLAT_INVERT)
        x64_not(a, size, temp);
    return temp;
}

static bool small(const struct flat_op *o)
{
    return (o->how & FLAT_IMM) && (!(o->how & FLAT_WIDE) || (int64_t)o->imm == (int32_t)o->imm);
}

/* Where d = a op b can be computed: a's own register or a copy of it. */
static unsigned start_from_a(struct flatter *t, const struct flat_op *o, unsigned a)
{
    unsigned r;

    if (o->d == o->a && o->d != FLAT_ZERO)
        return a;
    r = o->d == FLAT_ZERO ? RAX : xf_take(t);
    x64_mov_rr(&t->x->a, xf_size_of(o), r, a);
    return r;
}

/* Sums without flags are addresses: no copy, and the host's flags stay. */
static bool sum(struct flatter *t, const struct flat_op *o)
{
    struct x64_mem m = { .index = NOREG };
    unsigned r;

    if (o->how & (FLAT_SETS | FLAT_INVERT) || o->op > FLAT_SUB || (o->how & FLAT_IMM && !small(o)))
        return false;
    if (!(o->how & FLAT_IMM) && (o->op == FLAT_SUB || o->ext || o->amount > 3 || o->a == FLAT_ZERO))
        return false;
    m.base = (uint8_t)xf_get(t, o->a, RDX);
    if (o->how & FLAT_IMM) {
        m.disp = o->op == FLAT_ADD ? (int32_t)o->imm : -(int32_t)o->imm;
    } else {
        m.index = (uint8_t)xf_get(t, o->b, RCX);
        m.scale = o->amount;
    }
    r = xf_take(t);
    if (m.index == NOREG && !m.disp)
        x64_mov_rr(&t->x->a, xf_size_of(o), r, m.base);
    else
        x64_lea(&t->x->a, xf_size_of(o), r, m);
    xf_put(t, o->d, r);
    return true;
}

static void emit_alu(struct flatter *t, const struct flat_op *o, uint32_t i)
{
    static const uint8_t alu[] = { ALU_ADD, ALU_SUB, ALU_AND, ALU_OR, ALU_XOR };
    struct x64_asm *x = &t->x->a;
    unsigned size = xf_size_of(o), a, b = 0, r;
    bool imm = small(o), test = o->d == FLAT_ZERO;

    if (sum(t, o))
        return;
    a = xf_get(t, o->a, RDX);
    if (!imm)
        b = operand_b(t, o, RCX);
    r = test && o->op == FLAT_SUB ? a : start_from_a(t, o, a);
    if (imm)
        x64_alu_ri(x, test && o->op == FLAT_SUB ? ALU_CMP : alu[o->op], size, r, (int32_t)o->imm);
    else
        x64_alu_rr(x, test && o->op == FLAT_SUB ? ALU_CMP : alu[o->op], size, r, b);
    if (o->how & FLAT_SETS)
        set_flags(t, i, o->op == FLAT_SUB);
    else
        xf_lose_flags(t);
    xf_put(t, o->d, r);
}

static void emit_shift(struct flatter *t, const struct flat_op *o)
{
    static const uint8_t shift[] = { SH_SHL, SH_SHR, SH_SAR, SH_ROR };
    unsigned a = xf_get(t, o->a, RDX), b = xf_get(t, o->b, RCX), r;

    if (b != RCX)
        x64_mov_rr(&t->x->a, 4, RCX, b);
    r = start_from_a(t, o, a);
    x64_shift_cl(&t->x->a, shift[o->ext], xf_size_of(o), r);
    xf_lose_flags(t);
    xf_put(t, o->d, r);
}

static void emit_field(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    unsigned size = xf_size_of(o), a = xf_get(t, o->a, RDX), r = xf_take(t), keeps = 8 * size - o->amount;
    bool sign = o->how & FLAT_SIGN;

    xf_lose_flags(t);
    if (o->amount == o->imm && (keeps == 8 || keeps == 16 || keeps == 32)) { /* whole bytes, where they are */
        if (sign)
            x64_movsx(x, keeps / 8, size, r, a);
        else if (keeps == 32)
            x64_mov_rr(x, 4, r, a);
        else
            x64_movzx(x, keeps / 8, r, a);
    } else {
        x64_mov_rr(x, size, r, a);
        if (o->amount)
            x64_shift_ri(x, SH_SHL, size, r, o->amount);
        if (o->imm)
            x64_shift_ri(x, sign ? SH_SAR : SH_SHR, size, r, (unsigned)o->imm);
    }
    xf_put(t, o->d, r);
}

static void emit_pick(struct flatter *t, const struct flat_op *o)
{
    unsigned a = xf_get(t, o->a, RDX), b = xf_get(t, o->b, RCX), r = xf_take(t);

    x64_mov_rr(&t->x->a, xf_size_of(o), r, b);
    if (o->imm)
        x64_shrd(&t->x->a, xf_size_of(o), r, a, (unsigned)o->imm);
    xf_lose_flags(t);
    xf_put(t, o->d, r);
}

static void emit_muladd(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    unsigned size = xf_size_of(o), a = xf_get(t, o->a, RDX), b = xf_get(t, o->b, RCX), c, r = xf_take(t);

    if (o->how & FLAT_WIDEN) {
        if (o->how & FLAT_SIGN) {
            x64_movsx(x, 4, 8, r, a);
            x64_movsx(x, 4, 8, RCX, b);
        } else {
            x64_mov_rr(x, 4, r, a);
            x64_mov_rr(x, 4, RCX, b);
        }
        b = RCX;
    } else {
        x64_mov_rr(x, size, r, a);
    }
    x64_imul_rr(x, size, r, b);
    xf_lose_flags(t);
    if (o->op == FLAT_SUB) {
        x64_neg(x, size, r);
    }
    if (o->c != FLAT_ZERO) {
        c = xf_get(t, o->c, RDX);
        x64_alu_rr(x, ALU_ADD, size, r, c);
    }
    xf_put(t, o->d, r);
}

/* Everything before the condition leaves the host's flags alone. */
static void emit_select(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    unsigned size = xf_size_of(o), a, b, r;
    enum x64_cc cc;

    if (o->op == FLAT_INC && o->a == FLAT_ZERO && o->b == FLAT_ZERO) { /* the condition as a number */
        cc = cond(t, o->cond);
        r = xf_take(t);
        x64_setcc(x, cc ^ 1, RAX);
        x64_movzx(x, 1, r, RAX);
        xf_put(t, o->d, r);
        return;
    }
    a = xf_get(t, o->a, RDX);
    b = xf_get(t, o->b, RCX);
    r = xf_take(t);
    if (o->op == FLAT_INC) {
        x64_lea(x, size, r, x64_at(b, 1));
    } else {
        x64_mov_rr(x, size, r, b);
        if (o->op != FLAT_PLAIN)
            x64_not(x, size, r);
        if (o->op == FLAT_NEG)
            x64_lea(x, size, r, x64_at(r, 1));
    }
    cc = cond(t, o->cond);
    x64_cmov(x, cc, size, r, a);
    xf_put(t, o->d, r);
}

static void emit_ccmp(struct flatter *t, const struct flat_op *o, uint32_t i)
{
    struct x64_asm *x = &t->x->a;
    struct x64_label no = { 0 }, done = { 0 };
    unsigned a = xf_get(t, o->a, RDX), b = operand_b(t, o, RCX);
    enum x64_cc cc = cond(t, o->cond);

    t->store[i] = true;
    x64_jcc(x, cc ^ 1, &no);
    if (o->op == FLAT_SUB) {
        x64_alu_rr(x, ALU_CMP, xf_size_of(o), a, b);
    } else {
        x64_mov_rr(x, xf_size_of(o), RAX, a);
        x64_alu_rr(x, ALU_ADD, xf_size_of(o), RAX, b);
    }
    set_flags(t, i, o->op == FLAT_SUB);
    x64_jmp(x, &done);
    x64_bind(x, &no);
    for (unsigned n = 0; n < 4; n++)
        x64_store_imm(x, 1, flag_mem(t, n), o->c >> (3 - n) & 1);
    x64_bind(x, &done);
    xf_lose_flags(t);
}

static void emit_const(struct flatter *t, const struct flat_op *o)
{
    unsigned r;

    if (o->d == FLAT_ZERO)
        return;
    if (xf_is_temp(o->d)) {
        x64_mov_ri(&t->x->a, xf_temp(o->d), o->imm);
        return;
    }
    if ((int64_t)o->imm == (int32_t)o->imm) {
        x64_store_imm(&t->x->a, 8, xf_slot_mem(t, o->d), (int32_t)o->imm);
        if (t->reg_of[o->d] != NONE)
            t->slot_of[t->reg_of[o->d]] = NONE;
        t->reg_of[o->d] = NONE;
        return;
    }
    r = xf_take(t);
    x64_mov_ri(&t->x->a, r, o->imm);
    xf_put(t, o->d, r);
}

static void emit_move(struct flatter *t, const struct flat_op *o)
{
    unsigned a = xf_get(t, o->a, RDX), r;

    if (o->d == FLAT_ZERO)
        return;
    r = xf_take(t);
    x64_mov_rr(&t->x->a, xf_size_of(o), r, a);
    xf_put(t, o->d, r);
}

/* --- Memory --- */

static struct x64_mem address(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    struct x64_mem m = x64_at(RAX, 0);

    if (o->how & FLAT_MEM)
        return xf_address(t, o);
    m.gs = t->x->job->gs_base;
    if (o->a == FLAT_ZERO) {
        x64_mov_ri(x, RAX, o->imm);
        return m;
    }
    m.base = (uint8_t)xf_get(t, o->a, RDX);
    if (o->b == FLAT_ZERO) {
        m.disp = o->how & FLAT_POST ? 0 : (int32_t)o->imm;
        return m;
    }
    m.index = (uint8_t)xf_get(t, o->b, RCX);
    m.scale = o->amount;
    if (o->ext == FLAT_UXTW)
        x64_mov_rr(x, 4, RAX, m.index);
    else if (o->ext == FLAT_SXTW)
        x64_movsx(x, 4, 8, RAX, m.index);
    else if (o->amount == 4)
        x64_mov_rr(x, 8, RAX, m.index);
    else
        return m;
    if (o->amount == 4) {
        x64_shift_ri(x, SH_SHL, 8, RAX, 4);
        xf_lose_flags(t);
        m.scale = 0;
    }
    m.index = RAX;
    return m;
}

/* Of an access of @o's: the guest address, nothing to restore. */
uint32_t xf_describe(struct flatter *t, const struct flat_op *o)
{
    struct x64 *x = t->x;
    uint32_t v = o->at << 1, at = x->n_desc;

    x->desc = x_grow(x->desc, &x->cap_desc, x->n_desc + 4, 1);
    for (; v >= 0x80; v >>= 7)
        x->desc[x->n_desc++] = (uint8_t)((v & 0x7f) | 0x80);
    x->desc[x->n_desc++] = (uint8_t)v;
    x->desc[x->n_desc++] = 0xff;
    return at;
}

/* The next instruction may fault, in a program. */
void xf_may_fault(struct flatter *t, const struct flat_op *o)
{
    struct x64 *x = t->x;

    if (x->job->soft)
        return;
    x->fault = x_grow(x->fault, &x->cap_fault, x->n_fault + 1, sizeof(*x->fault));
    x->fault[x->n_fault] = (struct host_fault){ x->a.n, x->n_desc };
    x->fault[x->n_fault++].desc = xf_describe(t, o);
}

/* A machine's memory: *@m becomes where the host has it.  Uses rax, rcx, rdx; all else that the row emits between this and
 * x_slow_back() is the access.  What is stored comes from its slot there. */
static uint32_t look_up(struct flatter *t, const struct flat_op *o, struct x64_mem *m, unsigned r, unsigned r2)
{
    bool store = o->kind == FLAT_STORE, pair = o->how & FLAT_PAIR;
    struct host_access a = { .desc = xf_describe(t, o), .op = store ? IRO_store : IRO_load, .dst = (uint8_t)r,
                             .dst2 = (uint8_t)r2, .src = { o->d, o->c }, .how = pair ? HOST_ACCESS_PAIR : 0 };
    uint32_t stub;

    a.memop = (uint8_t)(o->size | (o->how & FLAT_SIGN ? IR_MEM_SIGN : 0));
    a.type = o->size == 4 ? IR_V128 : o->how & FLAT_WIDE ? IR_I64 : IR_I32;
    if (!(o->how & FLAT_SIGN) && o->size == 3)
        a.type = IR_I64;
    if (store && o->how & FLAT_IMM) {
        a.how |= HOST_ACCESS_IMM;
        a.imm = (int32_t)o->other;
    } else if (store && xf_is_temp(o->d)) {
        a.src[0] = (uint8_t)xf_temp(o->d);
    } else if (store) {
        a.how |= HOST_ACCESS_SLOTS;
    }
    if (m->index != NOREG || m->base == RAX || m->disp > INT32_MAX - 64) {
        x64_lea(&t->x->a, 8, RDX, *m);
        *m = x64_at(RDX, 0);
    }
    stub = x_look_up(t->x, *m, (pair ? 2u : 1u) << o->size, store, RCX, &a);
    m->index = m->base;
    m->base = RCX;
    xf_lose_flags(t);
    return stub;
}

/* The register of what is stored, when it is in one or can be: nothing but the access follows a look-up. */
static unsigned stored(struct flatter *t, const struct flat_op *o, unsigned slot)
{
    return slot == FLAT_ZERO || o->how & FLAT_VEC ? NONE : xf_get(t, slot, RDX);
}

static void store_one(struct flatter *t, const struct flat_op *o, unsigned slot, unsigned r, struct x64_mem m)
{
    struct x64_asm *x = &t->x->a;
    unsigned size = 1u << o->size, temp = t->x->job->soft ? RAX : RDX;

    if (slot == FLAT_ZERO) {
        xf_may_fault(t, o);
        x64_store_imm(x, size, m, o->how & FLAT_IMM ? (int32_t)o->other : 0);
    } else if (size == 16) {
        x64_vload(x, 0, xf_slot_mem(t, slot));
        xf_may_fault(t, o);
        x64_vstore(x, m, 0);
    } else if (o->how & FLAT_VEC) {
        x64_load(x, 8, temp, xf_slot_mem(t, slot));
        xf_may_fault(t, o);
        x64_store(x, size, m, temp);
    } else {
        if (r == NONE)
            r = xf_get(t, slot, RDX);
        xf_may_fault(t, o);
        x64_store(x, size, m, r);
    }
}

/* Where a loaded value goes: a register, xmm @xmm for 16 bytes; no slot is written yet. */
static unsigned loaded(struct flatter *t, const struct flat_op *o, unsigned xmm)
{
    if (xf_is_temp(o->d))
        return xf_temp(o->d);
    return o->size == 4 ? X_XMM + xmm : xf_take(t);
}

static void load_one(struct flatter *t, const struct flat_op *o, struct x64_mem m, unsigned r)
{
    struct x64_asm *x = &t->x->a;
    unsigned size = 1u << o->size;

    xf_may_fault(t, o);
    if (size == 16)
        x64_vload(x, r - X_XMM, m);
    else if ((o->how & FLAT_SIGN) && size < xf_size_of(o))
        x64_load_sx(x, size, xf_size_of(o), r, m);
    else
        x64_load(x, size, r, m);
}

static void put_loaded(struct flatter *t, const struct flat_op *o, unsigned slot, unsigned r)
{
    struct x64_asm *x = &t->x->a;
    struct x64_mem m;

    if (!(o->how & FLAT_VEC)) {
        xf_put(t, slot, r);
        return;
    }
    m = xf_slot_mem(t, slot);
    if (o->size == 4) {
        x64_vstore(x, m, r - X_XMM);
        return;
    }
    x64_store(x, 8, m, r);
    m.disp += 8;
    x64_store_imm(x, 8, m, 0);
}

static void write_back(struct flatter *t, const struct flat_op *o)
{
    unsigned r;

    if (!(o->how & (FLAT_PRE | FLAT_POST)))
        return;
    r = xf_take(t);
    x64_lea(&t->x->a, 8, r, x64_at(xf_get(t, o->a, RDX), (int32_t)o->imm));
    xf_put(t, o->a, r);
}

static void emit_load(struct flatter *t, const struct flat_op *o)
{
    struct x64_mem m = address(t, o);
    bool pair = o->how & FLAT_PAIR, soft = t->x->job->soft;
    unsigned r = loaded(t, o, 0), r2 = NONE;
    uint32_t stub = 0;

    if (soft) {
        r2 = pair ? loaded(t, o, 1) : NONE;
        stub = look_up(t, o, &m, r, r2);
    }
    load_one(t, o, m, r);
    if (pair) {
        m.disp += 1 << o->size;
        if (!soft)
            r2 = loaded(t, o, 1);
        load_one(t, o, m, r2);
    }
    if (soft)
        x_slow_back(t->x, stub);
    write_back(t, o);
    put_loaded(t, o, o->d, r);
    if (pair)
        put_loaded(t, o, o->c, r2);
}

static void emit_store(struct flatter *t, const struct flat_op *o)
{
    struct x64_mem m = address(t, o);
    bool pair = o->how & FLAT_PAIR, soft = t->x->job->soft;
    unsigned r = NONE, r2 = NONE;
    uint32_t stub = 0;

    if (soft) {
        r = stored(t, o, o->d);
        r2 = pair ? stored(t, o, o->c) : NONE;
        stub = look_up(t, o, &m, NONE, NONE);
    }
    store_one(t, o, o->d, r, m);
    if (pair) {
        m.disp += 1 << o->size;
        store_one(t, o, o->c, r2, m);
    }
    if (soft)
        x_slow_back(t->x, stub);
    write_back(t, o);
}

/* --- Ways out --- */

static bool goes_back(const struct flatter *t, const struct flat_op *o)
{
    return o->imm <= t->x->job->pc + o->at;
}

static void branch_on(struct flatter *t, const struct flat_op *o, enum x64_cc cc)
{
    if (goes_back(t, o))
        x64_jcc(&t->x->a, cc, x_back_label(t->x, o->imm));
    else
        x64_jcc(&t->x->a, cc, x_link_label(t->x, o->imm, 2));
    x_link(t->x, o->other);
}

static void emit_jump(struct flatter *t, const struct flat_op *o)
{
    if (goes_back(t, o))
        x_poll_for(t->x, o->imm);
    if (o->how & FLAT_CALL)
        x_link_call(t->x, o->imm, o->other, !o->amount);
    else
        x_link(t->x, o->imm);
}

static void emit_out_row(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    unsigned r;

    switch (o->kind) {
    case FLAT_JUMP:
        emit_jump(t, o);
        break;
    case FLAT_BRANCH:
        branch_on(t, o, t->f->native ? xf_cond(t, o->cond) : cond(t, o->cond));
        break;
    case FLAT_ZERO_BRANCH:
        r = xf_get(t, o->a, RDX);
        x64_test_rr(x, xf_size_of(o), r, r);
        branch_on(t, o, o->how & FLAT_INVERT ? CC_NE : CC_E);
        break;
    case FLAT_BIT_BRANCH:
        x64_bt_ri(x, 8, xf_get(t, o->a, RDX), o->amount);
        branch_on(t, o, o->how & FLAT_INVERT ? CC_B : CC_AE);
        break;
    case FLAT_IND:
        x64_mov_rr(x, 8, RAX, xf_get(t, o->a, RDX));
        x_leave_to(t->x, o->op, o->cond, o->imm, !o->amount);
        break;
    default:
        x_stop(t->x, o->op, o->imm, o->other);
    }
}

static void emit_row(struct flatter *t, const struct flat_op *o, uint32_t i)
{
    t->held = 0;
    switch (o->kind) {
    case FLAT_CONST: emit_const(t, o); break;
    case FLAT_MOVE: emit_move(t, o); break;
    case FLAT_ALU: emit_alu(t, o, i); break;
    case FLAT_SHIFT: emit_shift(t, o); break;
    case FLAT_FIELD: emit_field(t, o); break;
    case FLAT_PICK: emit_pick(t, o); break;
    case FLAT_MULADD: emit_muladd(t, o); break;
    case FLAT_SELECT: emit_select(t, o); break;
    case FLAT_CCMP: emit_ccmp(t, o, i); break;
    case FLAT_LOAD: emit_load(t, o); break;
    case FLAT_STORE: emit_store(t, o); break;
    case FLAT_NATIVE: xf_native(t, o, i); break;
    default: emit_out_row(t, o); break;
    }
}

void x_flat(struct x64 *x)
{
    struct flatter t;

    t.x = x;
    t.f = x->job->flat;
    memset(t.slot_of, NONE, sizeof(t.slot_of));
    memset(t.reg_of, NONE, sizeof(t.reg_of));
    t.turn = 0;
    t.said = NOTHING;
    t.in_memory = true;
    t.lost = false;
    t.fresh = 0;
    t.right = FLAT_ALL_FLAGS;
    if (t.f->native)
        xf_plan(&t);
    else
        plan_flags(&t);
    for (uint32_t i = 0; i < t.f->n && !x->a.full; i++)
        emit_row(&t, &t.f->op[i], i);
    x->too_big |= t.lost;
}
