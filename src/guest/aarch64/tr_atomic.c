/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 exclusives, acquire and release accesses, and FEAT_LSE atomics (Arm ARM DDI 0487, C4.1.88, B2.9).
 *
 * The exclusive monitor is the address and the value that the last exclusive load saw.  A
 * store-exclusive succeeds when the address is the same and a compare-and-swap of that value does.
 */
#include "guest/aarch64/lift.h"

static uint64_t ordered(unsigned size, bool acquire, bool release)
{
    return ir_mem(size, false, (acquire ? IR_ACQUIRE : 0) | (release ? IR_RELEASE : 0));
}

static unsigned int_type(unsigned size)
{
    return size == 3 ? IR_I64 : IR_I32;
}

/* Register @reg as an operand of @size: zero-extended, as the IR's atomics compare and return; in the order of memory. */
static ir_val operand(struct a64_tr *t, unsigned reg, unsigned size)
{
    return a64_swapped(t, a64_extend_from(t, a64_r(t, size == 3, reg), 8u << size, false), size, false);
}

/* The same of one of a pair. */
static ir_val half(struct a64_tr *t, unsigned reg, unsigned size)
{
    return a64_swapped(t, a64_x(t, reg), size, false);
}

static ir_val widened(struct a64_tr *t, ir_val v)
{
    return ir_type_of(t->ir, v) == IR_I64 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v);
}

/* --- Acquire, release --- */

static void load_acquire(struct a64_tr *t, const struct a64_fields *f, ir_val addr)
{
    a64_set_r(t, f->t, a64_load(t, IR_I64, ordered(f->z, true, false), addr));
}

static void store_release(struct a64_tr *t, const struct a64_fields *f, ir_val addr)
{
    a64_store(t, ordered(f->z, false, true), addr, a64_x(t, f->t));
}

void tr_ldar(struct a64_tr *t, const struct a64_fields *f)
{
    load_acquire(t, f, a64_addr(t, f->n, 0));
}

void tr_ldlar(struct a64_tr *t, const struct a64_fields *f)
{
    tr_ldar(t, f);
}

void tr_ldapr(struct a64_tr *t, const struct a64_fields *f)
{
    tr_ldar(t, f);
}

void tr_stlr(struct a64_tr *t, const struct a64_fields *f)
{
    store_release(t, f, a64_addr(t, f->n, 0));
}

void tr_stllr(struct a64_tr *t, const struct a64_fields *f)
{
    tr_stlr(t, f);
}

void tr_stlur(struct a64_tr *t, const struct a64_fields *f)
{
    store_release(t, f, a64_addr(t, f->n, a64_sext(f->i, 9)));
}

void tr_ldapur(struct a64_tr *t, const struct a64_fields *f)
{
    load_acquire(t, f, a64_addr(t, f->n, a64_sext(f->i, 9)));
}

static void load_acquire_signed(struct a64_tr *t, const struct a64_fields *f, unsigned type)
{
    ir_val addr = a64_addr(t, f->n, a64_sext(f->i, 9));

    a64_set_r(t, f->t, a64_load(t, type, ir_mem(f->z, true, IR_ACQUIRE), addr));
}

void tr_ldapurs_x(struct a64_tr *t, const struct a64_fields *f)
{
    if (f->z == 3)
        a64_undefined(t);
    else
        load_acquire_signed(t, f, IR_I64);
}

void tr_ldapurs_w(struct a64_tr *t, const struct a64_fields *f)
{
    load_acquire_signed(t, f, IR_I32);
}

/* --- Exclusives --- */

/* A machine's must be aligned, which goes with having an order; on our hosts that costs a load nothing. */
static uint64_t exclusive(struct a64_tr *t, unsigned size, bool acquire)
{
    return ordered(size, acquire || (t->mode & A64_MODE_SYSTEM), false);
}

static void set_monitor(struct a64_tr *t, ir_val addr, ir_val seen)
{
    ir_set(t->ir, A64_EXCL_ADDR, addr);
    ir_set(t->ir, A64_EXCL_LO, seen);
}

void tr_clrex(struct a64_tr *t, const struct a64_fields *f)
{
    ir_set(t->ir, A64_EXCL_ADDR, a64_const(t, ~0ull));
}

void tr_ldxr(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr = a64_addr(t, f->n, 0);
    ir_val v = ir_load(t->ir, IR_I64, exclusive(t, f->z, f->o), addr);

    set_monitor(t, addr, v);
    a64_set_r(t, f->t, a64_swapped(t, v, f->z, false));
}

static ir_val lane_d(struct a64_tr *t, ir_val v, unsigned i)
{
    return ir_op(t->ir, IRO_vget, IR_I64, 3, i, v, IR_NONE, IR_NONE);
}

/* The pair is read in one access: 8 or 16 bytes. */
void tr_ldxp(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr = a64_addr(t, f->n, 0);
    ir_val lo, hi;

    if (f->z) {
        ir_val v = ir_load(t->ir, IR_V128, exclusive(t, 4, f->o), addr);
        lo = lane_d(t, v, 0);
        hi = lane_d(t, v, 1);
        set_monitor(t, addr, lo);
        ir_set(t->ir, A64_EXCL_HI, hi);
    } else {
        ir_val v = ir_load(t->ir, IR_I64, exclusive(t, 3, f->o), addr);
        lo = a64_extend_from(t, v, 32, false);
        hi = a64_shifted(t, v, A64_LSR, 32);
        set_monitor(t, addr, v);
    }
    a64_set_r(t, f->t, a64_swapped(t, lo, 2 + f->z, false));
    a64_set_r(t, f->u, a64_swapped(t, hi, 2 + f->z, false));
}

/*
 * When the monitor is not set for this address, the expected value is stored over itself: nothing
 * changes, no branch is needed, and the permission check still happens.
 */
static ir_val store_if_open(struct a64_tr *t, uint64_t memop, ir_val addr, ir_val expected, ir_val v)
{
    ir_val here = ir_cmp(t->ir, IRO_eq, addr, ir_get(t->ir, A64_EXCL_ADDR));
    unsigned type = ir_type_of(t->ir, v);

    v = ir_select(t->ir, here, v, expected);
    return ir_atomic(t->ir, IRO_cas, type, memop, addr, expected, v);
}

static void set_status(struct a64_tr *t, unsigned reg, ir_val addr, ir_val same)
{
    ir_val here = ir_cmp(t->ir, IRO_eq, addr, ir_get(t->ir, A64_EXCL_ADDR));
    ir_val failed = ir_not(t->ir, ir_and(t->ir, here, same));

    ir_set(t->ir, A64_EXCL_ADDR, a64_const(t, ~0ull));
    a64_set_r(t, reg, ir_conv(t->ir, IRO_zext, IR_I64, failed));
}

void tr_stxr(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr = a64_addr(t, f->n, 0);
    ir_val expected = ir_get(t->ir, A64_EXCL_LO);
    ir_val v = operand(t, f->t, f->z);
    ir_val old;

    if (f->z < 3)
        expected = a64_extend_from(t, ir_conv(t->ir, IRO_trunc, IR_I32, expected), 8u << f->z, false);
    old = store_if_open(t, ordered(f->z, false, f->o), addr, expected, v);
    set_status(t, f->s, addr, ir_cmp(t->ir, IRO_eq, old, expected));
}

static ir_val make_pair(struct a64_tr *t, ir_val lo, ir_val hi)
{
    ir_val v = ir_conv(t->ir, IRO_vfromi, IR_V128, lo);

    return ir_v2(t->ir, IRO_vset, 3, 1, v, hi);
}

static ir_val pair_word(struct a64_tr *t, unsigned lo, unsigned hi)
{
    ir_val high = a64_shifted(t, half(t, hi, 2), A64_LSL, 32);

    return ir_or(t->ir, a64_extend_from(t, half(t, lo, 2), 32, false), high);
}

static void stxp_words(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr = a64_addr(t, f->n, 0);
    ir_val expected = ir_get(t->ir, A64_EXCL_LO);
    ir_val v = pair_word(t, f->t, f->u);
    ir_val old = store_if_open(t, ordered(3, false, f->o), addr, expected, v);

    set_status(t, f->s, addr, ir_cmp(t->ir, IRO_eq, old, expected));
}

static ir_val same_pair(struct a64_tr *t, ir_val a, ir_val b)
{
    return ir_and(t->ir, ir_cmp(t->ir, IRO_eq, lane_d(t, a, 0), lane_d(t, b, 0)),
                  ir_cmp(t->ir, IRO_eq, lane_d(t, a, 1), lane_d(t, b, 1)));
}

void tr_stxp(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr, expected, old;

    if (!f->z) {
        stxp_words(t, f);
        return;
    }
    addr = a64_addr(t, f->n, 0);
    expected = make_pair(t, ir_get(t->ir, A64_EXCL_LO), ir_get(t->ir, A64_EXCL_HI));
    old = store_if_open(t, ordered(4, false, f->o), addr, expected,
                        make_pair(t, half(t, f->t, 3), half(t, f->u, 3)));
    set_status(t, f->s, addr, same_pair(t, old, expected));
}

/* --- FEAT_LSE --- */

void tr_cas(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr = a64_addr(t, f->n, 0);
    ir_val old = ir_atomic(t->ir, IRO_cas, int_type(f->z), ordered(f->z, f->l, f->o), addr,
                           operand(t, f->s, f->z), operand(t, f->t, f->z));

    a64_set_r(t, f->s, a64_swapped(t, old, f->z, false));
}

void tr_casp(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val addr = a64_addr(t, f->n, 0);
    ir_val lo, hi, old;

    if ((f->s & 1) || (f->t & 1)) {
        a64_undefined(t);
        return;
    }
    if (f->z) {
        old = ir_atomic(t->ir, IRO_cas, IR_V128, ordered(4, f->l, f->o), addr,
                        make_pair(t, half(t, f->s, 3), half(t, f->s + 1, 3)),
                        make_pair(t, half(t, f->t, 3), half(t, f->t + 1, 3)));
        lo = lane_d(t, old, 0);
        hi = lane_d(t, old, 1);
    } else {
        old = ir_atomic(t->ir, IRO_cas, IR_I64, ordered(3, f->l, f->o), addr,
                        pair_word(t, f->s, f->s + 1), pair_word(t, f->t, f->t + 1));
        lo = a64_extend_from(t, old, 32, false);
        hi = a64_shifted(t, old, A64_LSR, 32);
    }
    a64_set_r(t, f->s, a64_swapped(t, lo, 2 + f->z, false));
    a64_set_r(t, f->s + 1, a64_swapped(t, hi, 2 + f->z, false));
}

/* Rt := memory; memory := memory op Rs.  The ST forms are those with Rt = 31.  @v is in the order of memory. */
static void fetch(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op, ir_val v)
{
    ir_val addr = a64_addr(t, f->n, 0);
    ir_val old = ir_atomic(t->ir, op, int_type(f->z), ordered(f->z, f->a, f->r), addr, v, IR_NONE);

    a64_set_r(t, f->t, widened(t, a64_swapped(t, old, f->z, false)));
}

/* The larger or smaller of two values of @size. */
static ir_val best_of(struct a64_tr *t, enum ir_opcode op, unsigned size, ir_val a, ir_val b)
{
    bool sign = op == IRO_fsmaxa || op == IRO_fsmina, max = op == IRO_fsmaxa || op == IRO_fumaxa;
    ir_val less = ir_cmp(t->ir, sign ? IRO_slt : IRO_ult, a64_extend_from(t, a, 8u << size, sign), a64_extend_from(t, b, 8u << size, sign));

    return max ? ir_select(t->ir, less, b, a) : ir_select(t->ir, less, a, b);
}

/* What depends on the order of the bytes: where that is not the host's, by compare and swap, and when somebody else came between, the
 * whole instruction again. */
static void fetch_number(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    unsigned type = int_type(f->z);
    uint64_t memop = ordered(f->z, f->a, f->r);
    ir_val addr, seen, old, v, now;

    if (!(t->mode & A64_MODE_BIG)) {
        fetch(t, f, op, operand(t, f->s, f->z));
        return;
    }
    addr = a64_addr(t, f->n, 0);
    v = a64_r(t, f->z == 3, f->s);
    seen = ir_atomic(t->ir, IRO_cas, type, memop, addr, ir_const(t->ir, type, 0), ir_const(t->ir, type, 0));
    old = a64_swapped(t, seen, f->z, false);
    v = op == IRO_fadda ? ir_add(t->ir, old, v) : best_of(t, op, f->z, old, v);
    v = a64_swapped(t, a64_extend_from(t, v, 8u << f->z, false), f->z, false);
    now = ir_atomic(t->ir, IRO_cas, type, memop, addr, seen, v);
    ir_check(t->ir, ir_not(t->ir, ir_cmp(t->ir, IRO_eq, now, seen)), CPU_STOP_AGAIN, 0);
    a64_set_r(t, f->t, widened(t, old));
}

void tr_ldadd(struct a64_tr *t, const struct a64_fields *f)
{
    fetch_number(t, f, IRO_fadda);
}

void tr_ldclr(struct a64_tr *t, const struct a64_fields *f)
{
    fetch(t, f, IRO_fanda, ir_not(t->ir, operand(t, f->s, f->z)));
}

void tr_ldeor(struct a64_tr *t, const struct a64_fields *f)
{
    fetch(t, f, IRO_fxora, operand(t, f->s, f->z));
}

void tr_ldset(struct a64_tr *t, const struct a64_fields *f)
{
    fetch(t, f, IRO_fora, operand(t, f->s, f->z));
}

void tr_ldsmax(struct a64_tr *t, const struct a64_fields *f)
{
    fetch_number(t, f, IRO_fsmaxa);
}

void tr_ldsmin(struct a64_tr *t, const struct a64_fields *f)
{
    fetch_number(t, f, IRO_fsmina);
}

void tr_ldumax(struct a64_tr *t, const struct a64_fields *f)
{
    fetch_number(t, f, IRO_fumaxa);
}

void tr_ldumin(struct a64_tr *t, const struct a64_fields *f)
{
    fetch_number(t, f, IRO_fumina);
}

void tr_swp(struct a64_tr *t, const struct a64_fields *f)
{
    fetch(t, f, IRO_xchg, operand(t, f->s, f->z));
}
