/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of x86 code in flat form (ir/flat.h): instructions as the guest has them, on other registers.
 *
 * Flags are where the guest's are, in the host's, until something else needs these; whether a row stores them is found by a walk
 * backwards.  In a program a memory operand stays one, so that a fault comes before anything changes; a machine's is looked up.
 * Source: AMD64 Architecture Programmer's Manual, volume 3.
 */
#include "host/x86_64/flat_priv.h"

/* --- Flags --- */

static bool by_cl(const struct flat_op *o)
{
    return o->rule == FLAT_SHIFTS && o->op >= 0xd2;
}

/* Those of @o->writes that the host's then are. */
static unsigned fresh_after(const struct flat_op *o)
{
    switch (o->rule) {
    case FLAT_SHIFTS:
        return by_cl(o) ? 0 : o->other == 1 ? FLAT_ALL_FLAGS : FLAT_ALL_FLAGS & ~FLAT_O;
    case FLAT_ROTATES:
        return o->other == 1 ? FLAT_C | FLAT_O : FLAT_C;
    case FLAT_PRODUCT:
        return FLAT_C | FLAT_O;
    case FLAT_BIT:
        return FLAT_C;
    default:
        return o->writes;
    }
}

/* Those that it leaves in the host's. */
static unsigned kept_by(const struct flat_op *o)
{
    return o->rule == FLAT_EXACT || o->rule == FLAT_ROTATES ? ~o->writes & (unsigned)FLAT_ALL_FLAGS : 0;
}

static bool is_access(const struct flat_op *o)
{
    return o->kind == FLAT_LOAD || o->kind == FLAT_STORE || (o->kind == FLAT_NATIVE && o->how & FLAT_MEM && o->op != 0x8d);
}

void xf_plan(struct flatter *t)
{
    const struct flat *f = t->f;
    unsigned memory = f->flags_live ? FLAT_ALL_FLAGS : 0, host = 0;

    for (uint32_t i = f->n; i-- > 0;) {
        const struct flat_op *o = &f->op[i];
        bool access = is_access(o), soft = access && t->x->job->soft;

        t->store[i] = 0;
        t->wanted[i] = false;
        if (o->writes) {
            bool direct = !(host & ~fresh_after(o));
            unsigned want = (memory | (direct ? 0 : host)) & o->writes;

            t->store[i] = (uint8_t)want;
            t->wanted[i] = want || host;
            memory = (by_cl(o) ? memory | want : memory & ~(unsigned)o->writes) | (direct ? 0 : host & ~(unsigned)o->writes);
            host = 0;
        } else if (soft || o->kind == FLAT_FIELD) {
            memory |= host;
            host = 0;
        }
        if (soft)
            memory |= o->reads;
        else
            host |= o->reads;
        if (access) /* a fault shows them */
            memory |= f->exact ? FLAT_ALL_FLAGS : host;
    }
}

/* CF, ZF, SF, OF: 0 to 3. */
static struct x64_mem flag_mem(const struct flatter *t, unsigned n)
{
    return xf_slot_mem(t, t->f->flag_slot + n);
}
static struct x64_mem parity_mem(const struct flatter *t)
{
    return xf_slot_mem(t, t->f->flag_slot - 2);
}
static struct x64_mem adjust_mem(const struct flatter *t)
{
    return xf_slot_mem(t, t->f->flag_slot - 1);
}

/* From the host's flags. */
static void store_plain(struct flatter *t, unsigned mask, bool adjust)
{
    static const uint8_t cc[] = { CC_B, CC_E, CC_S, CC_O };
    struct x64_asm *x = &t->x->a;

    for (unsigned n = 0; n < 4; n++)
        if (mask >> n & 1)
            x64_setcc_m(x, cc[n], flag_mem(t, n));
    if (!(mask & FLAT_P))
        return;
    x64_setcc_m(x, CC_NP, parity_mem(t)); /* 0 or 1: bit 4 is clear */
    if (!adjust) {
        x64_store_imm(x, 1, adjust_mem(t), 0);
        return;
    }
    x64_byte(x, 0x9f); /* LAHF */
    x64_any_rm(x, 0, 0, 0x88, 4 /* AH */, adjust_mem(t), 0);
}

/* OF of a shift of @r by other counts than 1: of SHR it is the sign before, which is in dl. */
static void store_shift_overflow(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;

    switch (o->d) {
    case SH_SHL:
        x64_setcc(x, CC_B, RAX);
        x64_setcc(x, CC_S, RDX);
        x64_alu_rr(x, ALU_XOR, 1, RDX, RAX);
        x64_store(x, 1, flag_mem(t, 3), RDX);
        t->fresh = 0;
        break;
    case SH_SHR:
        x64_store(x, 1, flag_mem(t, 3), RDX);
        break;
    default:
        x64_store_imm(x, 1, flag_mem(t, 3), 0);
    }
}

/* Turning by one and back sets OF as if it had been the last step. */
static void store_rotate_overflow(struct flatter *t, const struct flat_op *o, unsigned r)
{
    struct x64_asm *x = &t->x->a;
    unsigned size = 1u << o->size;

    x64_mov_rr(x, 8, RDX, r);
    for (unsigned k = 2; k-- > 0;) {
        unsigned digit = (o->d ^ k) & 1;

        x64_any_rr(x, size == 2 ? 0x66 : 0, size == 8 ? 8 : size == 1 ? 0x40 : 0, size == 1 ? 0xd0 : 0xd1, digit, RDX);
    }
    x64_setcc_m(x, CC_O, flag_mem(t, 3));
}

/* The flags of row @i, whose result is @r. */
static void store_flags(struct flatter *t, const struct flat_op *o, uint32_t i, unsigned r)
{
    struct x64_asm *x = &t->x->a;
    unsigned mask = t->store[i], simple = mask & (o->rule == FLAT_SHIFTS && by_cl(o) ? FLAT_ALL_FLAGS & ~FLAT_O : fresh_after(o));

    t->fresh = (uint8_t)(fresh_after(o) | (t->fresh & kept_by(o)));
    t->right = (uint8_t)((t->right & ~o->writes) | mask);
    store_plain(t, simple, o->rule == FLAT_EXACT);
    mask &= ~simple;
    if (!mask)
        return;
    if (o->rule == FLAT_SHIFTS) {
        store_shift_overflow(t, o);
    } else if (o->rule == FLAT_ROTATES) {
        store_rotate_overflow(t, o, r);
    } else { /* of products */
        x64_test_rr(x, 1u << o->size, r, r);
        store_plain(t, mask, false);
        t->fresh = 0;
    }
}

/* From the slots: sets @t->lost if they are not right. */
static void want_slots(struct flatter *t, unsigned mask)
{
    if (mask & ~(unsigned)t->right)
        t->lost = true;
    t->fresh = 0;
}

enum x64_cc xf_cond(struct flatter *t, unsigned cc)
{
    static const uint8_t needs[] = { FLAT_O, FLAT_C, FLAT_Z, FLAT_C | FLAT_Z, FLAT_S, FLAT_P, FLAT_S | FLAT_O, FLAT_Z | FLAT_S | FLAT_O };
    static const uint8_t flag[] = { 3, 0, 1, 0, 2, 0, 2, 2 };
    struct x64_asm *x = &t->x->a;
    unsigned kind = cc >> 1 & 7;

    if (!(needs[kind] & ~(unsigned)t->fresh))
        return (enum x64_cc)cc;
    want_slots(t, needs[kind]);
    if (kind == CC_P >> 1) {
        x64_load(x, 1, RAX, parity_mem(t));
        x64_alu_ri(x, ALU_AND, 4, RAX, 0xff);
        return (enum x64_cc)cc;
    }
    if (!(needs[kind] & (needs[kind] - 1))) {
        x64_alu_mi(x, ALU_CMP, 1, flag_mem(t, flag[kind]), 0);
        return CC_NE ^ (cc & 1);
    }
    x64_load(x, 1, RAX, flag_mem(t, flag[kind]));
    if (needs[kind] & FLAT_O)
        x64_alu_rm(x, ALU_XOR, 1, RAX, flag_mem(t, 3));
    if (needs[kind] & FLAT_Z)
        x64_alu_rm(x, ALU_OR, 1, RAX, flag_mem(t, 1));
    return CC_NE ^ (cc & 1);
}

/* CF to the host's, for ADC and SBB. */
static void want_carry(struct flatter *t)
{
    if (t->fresh & FLAT_C)
        return;
    want_slots(t, FLAT_C);
    x64_load(&t->x->a, 1, RAX, flag_mem(t, 0));
    x64_neg(&t->x->a, 4, RAX);
}

/* --- Memory --- */

struct x64_mem xf_address(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    struct x64_mem m = { .base = NOREG, .index = NOREG, .scale = o->amount, .disp = (int32_t)o->imm };

    if (o->a == FLAT_ZERO && o->b == FLAT_ZERO && !o->seg) {
        x64_mov_ri(x, RAX, o->how & FLAT_WIDEN ? (uint32_t)o->imm : o->imm);
        m = x64_at(RAX, 0);
        m.gs = t->x->job->gs_base;
        return m;
    }
    if (o->a != FLAT_ZERO)
        m.base = (uint8_t)xf_get(t, o->a, RDX);
    if (o->b != FLAT_ZERO)
        m.index = (uint8_t)xf_get(t, o->b, RCX);
    if (o->seg) {
        x64_load(x, 8, RAX, xf_slot_mem(t, o->seg));
        if (m.base != NOREG)
            x64_lea(x, 8, RAX, (struct x64_mem){ .base = RAX, .index = m.base, .disp = m.disp });
        m = (struct x64_mem){ .base = RAX, .index = m.index, .scale = m.scale, .disp = m.base == NOREG ? m.disp : 0 };
    }
    if (o->how & FLAT_WIDEN) {
        x64_lea(x, 4, RAX, m);
        m = x64_at(RAX, 0);
    } else if (m.base == NOREG && t->x->job->soft) {
        x64_lea(x, 8, RAX, m);
        m = x64_at(RAX, 0);
    }
    m.gs = t->x->job->gs_base;
    return m;
}

/* A machine's operand between memory and register @r. */
static void access_soft(struct flatter *t, const struct flat_op *o, bool store, unsigned r)
{
    struct x64_asm *x = &t->x->a;
    struct x64_mem m = xf_address(t, o);
    struct host_access a = { .desc = xf_describe(t, o), .op = store ? IRO_store : IRO_load, .dst = (uint8_t)r, .src = { (uint8_t)r },
                             .memop = o->size, .type = o->size == 3 ? IR_I64 : IR_I32 };
    unsigned size = 1u << o->size;
    uint32_t stub;

    if (m.index != NOREG || m.base == RAX || m.disp > INT32_MAX - 64) {
        x64_lea(x, 8, RDX, m);
        m = x64_at(RDX, 0);
    }
    stub = x_look_up(t->x, m, size, store, RCX, &a);
    m.index = m.base;
    m.base = RCX;
    if (store)
        x64_store(x, size, m, r);
    else
        x64_load(x, size, r, m);
    x_slow_back(t->x, stub);
    xf_lose_flags(t);
}

/* --- Instructions --- */

struct operands {
    unsigned reg, rm; /* rm: NOREG when it is mem */
    struct x64_mem mem;
    unsigned cc; /* replaces the low bits of the opcode; ~0: does not */
};

static bool is_bswap(const struct flat_op *o)
{
    return o->ext && (o->op & 0xf8) == 0xc8;
}

static void emit_it(struct flatter *t, const struct flat_op *o, const struct operands *u)
{
    struct x64_asm *x = &t->x->a;
    bool bytes = !o->size || (o->ext && (o->op == 0xb6 || o->op == 0xbe));
    unsigned opcode = u->cc != ~0u ? (o->op & 0xf0) | u->cc : o->op, pfx = o->size == 1 ? 0x66 : 0;
    unsigned rex = (o->how & FLAT_WIDE ? 8 : 0) | (bytes ? 0x40 : 0);

    if (is_bswap(o)) {
        x64_bswap(x, 1u << o->size, u->rm);
        return;
    }
    opcode |= o->ext ? 0x0f00 : 0;
    if (u->rm == NOREG) {
        xf_may_fault(t, o);
        x64_any_rm(x, pfx, rex, opcode, u->reg, u->mem, o->c);
    } else {
        x64_any_rr(x, pfx, rex, opcode, u->reg, u->rm);
    }
    for (unsigned k = 0; k < o->c; k++)
        x64_byte(x, (uint8_t)(o->other >> 8 * k));
}

/* Flags that it reads, into the host's. */
static void want_flags(struct flatter *t, const struct flat_op *o, struct operands *u)
{
    if (!o->reads)
        return;
    if (o->ext)
        u->cc = xf_cond(t, o->cond);
    else
        want_carry(t);
}

/* What is written to memory is computed from a copy, and computed again for the flags when it is there. */
static void change_soft(struct flatter *t, const struct flat_op *o, struct operands *u, uint32_t i)
{
    u->rm = R15;
    x64_mov_rr(&t->x->a, 8, R15, R14);
    want_flags(t, o, u);
    emit_it(t, o, u);
    access_soft(t, o, true, R15);
    if (!t->wanted[i])
        return;
    u->rm = R14;
    want_flags(t, o, u);
    emit_it(t, o, u);
}

/* By CL: when it is 0 nothing changes but the upper half. */
static void emit_shift_by_cl(struct flatter *t, const struct flat_op *o, const struct operands *u, uint32_t i)
{
    struct x64_asm *x = &t->x->a;
    struct x64_label none = { 0 }, done = { 0 };

    x64_mov_rr(x, 4, RCX, xf_get(t, 1, RCX));
    if (!t->store[i]) {
        emit_it(t, o, u);
        t->right &= (uint8_t)~o->writes;
        t->fresh = 0;
        return;
    }
    if (t->store[i] & ~(unsigned)t->right)
        t->lost = true;
    x64_test_ri(x, 4, RCX, o->size == 3 ? 63 : 31);
    x64_jcc(x, CC_E, &none);
    emit_it(t, o, u);
    store_flags(t, o, i, u->rm);
    x64_jmp(x, &done);
    x64_bind(x, &none);
    if (o->size == 2)
        x64_mov_rr(x, 4, u->rm, u->rm);
    x64_bind(x, &done);
    t->fresh = 0;
}

/* The sign of what SHR will shift, as OF, in dl. */
static void keep_sign(struct flatter *t, const struct flat_op *o, unsigned r)
{
    struct x64_asm *x = &t->x->a;
    unsigned size = 1u << o->size;

    if (size < 4)
        x64_movzx(x, size, RDX, r);
    else
        x64_mov_rr(x, size, RDX, r);
    x64_shift_ri(x, SH_SHR, size < 4 ? 4 : size, RDX, 8 * size - 1);
    t->fresh = 0;
}

static void emit_product(struct flatter *t, const struct flat_op *o, uint32_t i)
{
    struct x64_asm *x = &t->x->a;
    struct operands u = { .reg = o->d, .rm = xf_get(t, o->a, RCX), .cc = ~0u };
    unsigned low, high;

    x64_mov_rr(x, 8, RAX, xf_get(t, 0, RAX));
    emit_it(t, o, &u);
    low = xf_take(t);
    high = xf_take(t);
    x64_mov_rr(x, 8, low, RAX);
    x64_mov_rr(x, 8, high, RDX);
    store_flags(t, o, i, low);
    xf_put(t, 0, low);
    xf_put(t, 2, high);
}

static void emit_lea(struct flatter *t, const struct flat_op *o)
{
    struct x64_mem m = xf_address(t, o);
    unsigned r = xf_take(t);

    m.gs = false;
    x64_lea(&t->x->a, 1u << o->size, r, m);
    xf_put(t, o->d, r);
}

/* --- Vectors --- */

/* Slot @d := eight bytes of @r, and zeros. */
static void put_half(struct flatter *t, unsigned d, unsigned r)
{
    struct x64_mem m = xf_slot_mem(t, d);

    x64_store(&t->x->a, 8, m, r);
    m.disp += 8;
    x64_store_imm(&t->x->a, 8, m, 0);
}

/* Between a vector and an integer register, or another one's first half. */
static void emit_move_word(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    unsigned r = RAX;

    if (o->op == 0x7e) {
        r = xf_take(t);
        x64_load(x, xf_size_of(o), r, xf_slot_mem(t, o->a));
        xf_put(t, o->d, r);
        return;
    }
    if (o->op == 0xd6)
        x64_load(x, 8, RAX, xf_slot_mem(t, o->a));
    else if (o->how & FLAT_WIDE)
        r = xf_get(t, o->a, RDX);
    else
        x64_mov_rr(x, 4, RAX, xf_get(t, o->a, RDX));
    put_half(t, o->d, r);
}

static void emit_vector(struct flatter *t, const struct flat_op *o)
{
    struct x64_asm *x = &t->x->a;
    bool load = o->op == 0x28, store = o->op == 0x29, mem = o->how & FLAT_MEM;
    struct x64_mem m;

    if (!load)
        x64_vload(x, 0, xf_slot_mem(t, o->d));
    if (mem) {
        m = xf_address(t, o);
        xf_may_fault(t, o);
        x64_any_rm(x, o->cond, 0, 0x0f00u | o->op, 0, m, o->c);
    } else {
        x64_vload(x, load ? 0 : 1, xf_slot_mem(t, o->a));
        if (!load)
            x64_any_rr(x, o->cond, 0, 0x0f00u | o->op, 0, 1);
    }
    for (unsigned k = 0; k < o->c; k++)
        x64_byte(x, (uint8_t)(o->other >> 8 * k));
    if (!store)
        x64_vstore(x, xf_slot_mem(t, o->d), 0);
}

/* --- The rest --- */

/* Where AH and its kin are in memory, which always has the registers. */
static struct x64_mem high_mem(const struct flatter *t, unsigned slot)
{
    struct x64_mem m = xf_slot_mem(t, slot);

    m.disp += 1;
    return m;
}

static unsigned get_high(struct flatter *t, unsigned slot, unsigned temp)
{
    x64_load(&t->x->a, 1, temp, high_mem(t, slot));
    return temp;
}

static void put_high(struct flatter *t, unsigned slot, unsigned r)
{
    x64_store(&t->x->a, 1, high_mem(t, slot), r);
    if (t->reg_of[slot] != NONE)
        t->slot_of[t->reg_of[slot]] = NONE;
    t->reg_of[slot] = NONE;
}

static unsigned register_for(struct flatter *t, const struct flat_op *o, unsigned slot, unsigned in, unsigned out)
{
    return o->how & in ? xf_get(t, slot, RDX) : o->how & out ? xf_take(t) : slot;
}

void xf_native(struct flatter *t, const struct flat_op *o, uint32_t i)
{
    bool mem = o->how & FLAT_MEM, soft = mem && t->x->job->soft;
    struct operands u = { .rm = NOREG, .cc = ~0u };

    if (o->how & FLAT_VEC) {
        if (o->op == 0x6e || o->op == 0x7e || o->op == 0xd6)
            emit_move_word(t, o);
        else
            emit_vector(t, o);
        return;
    }
    if (!o->ext && o->op == 0x8d) {
        emit_lea(t, o);
        return;
    }
    if (o->rule == FLAT_PRODUCT && !(o->how & FLAT_REG_OUT)) {
        emit_product(t, o, i);
        return;
    }
    u.reg = o->high & FLAT_HIGH_REG ? get_high(t, o->d, R15) : register_for(t, o, o->d, FLAT_REG_IN, FLAT_REG_OUT);
    if (o->high & FLAT_HIGH_RM) {
        u.rm = get_high(t, o->a, R14);
    } else if (!mem) {
        u.rm = register_for(t, o, o->a, FLAT_RM_IN, FLAT_RM_OUT);
        if (o->rule == FLAT_SHIFTS && o->d == SH_SHR && t->store[i] & FLAT_O && (by_cl(o) || o->other != 1))
            keep_sign(t, o, u.rm);
    } else if (soft) {
        access_soft(t, o, false, R14);
        u.rm = R14;
    }
    if (soft && o->how & FLAT_RM_OUT) {
        change_soft(t, o, &u, i);
    } else if (by_cl(o)) {
        emit_shift_by_cl(t, o, &u, i);
        xf_put(t, o->a, u.rm);
        return;
    } else {
        want_flags(t, o, &u);
        if (mem && !soft)
            u.mem = xf_address(t, o);
        emit_it(t, o, &u);
    }
    if (o->writes)
        store_flags(t, o, i, o->how & FLAT_REG_OUT ? u.reg : u.rm);
    if (o->how & FLAT_RM_OUT && o->high & FLAT_HIGH_RM)
        put_high(t, o->a, u.rm);
    else if (o->how & FLAT_RM_OUT && !mem)
        xf_put(t, o->a, u.rm);
    if (o->how & FLAT_REG_OUT && o->high & FLAT_HIGH_REG)
        put_high(t, o->d, u.reg);
    else if (o->how & FLAT_REG_OUT)
        xf_put(t, o->d, u.reg);
}
