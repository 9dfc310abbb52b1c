/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bits: tests, scans, counts, BMI1, BMI2, ADX, CRC32, byte swaps (SDM 2). */
#include "guest/x86/lift.h"

static ir_val is_zero(struct x86_tr *t, ir_val v)
{
    return ir_cmp(t->ir, IRO_eq, v, ir_const(t->ir, ir_type_of(t->ir, v), 0));
}

static ir_val trim(struct x86_tr *t, ir_val v, unsigned size)
{
    return size < 4 ? x86_zext(t, v, size, 4) : v;
}

/* --- BT, BTS, BTR, BTC --- */

enum bit_op { TEST, SET, RESET, FLIP };

/* With a register for the bit's number a memory operand is a string of bits, in both directions. */
static ir_val string_address(struct x86_tr *t, unsigned size)
{
    struct ir *ir = t->ir;
    unsigned log2 = (unsigned)__builtin_ctz(size);
    ir_val n = x86_sext(t, x86_read(t, 1), size, 8), at;

    n = ir_shift_imm(ir, IRO_shl, ir_shift_imm(ir, IRO_sar, n, log2 + 3), log2);
    at = ir_add(ir, x86_ea(t), n);
    return x86_linear(t, t->i->ea.seg, x86_zext(t, at, t->i->addr_size, 8), size, true);
}

static ir_val changed(struct x86_tr *t, enum bit_op op, ir_val a, ir_val mask)
{
    switch (op) {
    case SET: return ir_or(t->ir, a, mask);
    case RESET: return ir_and(t->ir, a, ir_not(t->ir, mask));
    default: return ir_xor(t->ir, a, mask);
    }
}

static ir_val changed_atomically(struct x86_tr *t, enum bit_op op, unsigned size, ir_val at, ir_val mask)
{
    static const enum ir_opcode ops[] = {[SET] = IRO_fora, [RESET] = IRO_fanda, [FLIP] = IRO_fxora};

    return ir_atomic(t->ir, ops[op], x86_type(size), ir_mem((unsigned)__builtin_ctz(size), false, IR_ACQ_REL), at,
                     op == RESET ? ir_not(t->ir, mask) : mask, IR_NONE);
}

static void bit_test(struct x86_tr *t, enum bit_op op)
{
    struct ir *ir = t->ir;
    unsigned size = x86_size(t, 0);
    bool mem = x86_is_mem(t, 0), imm = t->i->op[1].kind == X86_OP_IMM;
    ir_val n, mask, at = IR_NONE, a;

    n = imm ? x86_const(t, size, (uint64_t)t->i->imm & (8 * size - 1)) : ir_and_imm(ir, x86_read(t, 1), 8 * size - 1);
    if (mem)
        at = imm ? x86_mem(t, size, op != TEST) : string_address(t, size);
    mask = ir_bin(ir, IRO_shl, x86_const(t, size, 1), n);
    if (t->i->lock) {
        a = changed_atomically(t, op, size, at, mask);
    } else {
        a = mem ? x86_load(t, at, size) : x86_read(t, 0);
        if (op != TEST && mem)
            x86_store(t, at, size, changed(t, op, a, mask));
        else if (op != TEST)
            x86_write(t, 0, trim(t, changed(t, op, a, mask), size));
    }
    ir_set(ir, X86_CF, x86_bit_of(t, ir_bin(ir, IRO_shr, a, n), 0));
}

void tr_x86_bt(struct x86_tr *t)
{
    bit_test(t, TEST);
}

void tr_x86_bts(struct x86_tr *t)
{
    bit_test(t, SET);
}

void tr_x86_btr(struct x86_tr *t)
{
    bit_test(t, RESET);
}

void tr_x86_btc(struct x86_tr *t)
{
    bit_test(t, FLIP);
}

/* --- Scans and counts --- */

/* Leading zeros of narrow values: those of their type are too many. */
static ir_val leading(struct x86_tr *t, ir_val a, unsigned size)
{
    ir_val n = ir_un(t->ir, IRO_clz, a);

    return size < 4 ? ir_add_imm(t->ir, n, -(int64_t)(32 - 8 * size)) : n;
}

/* A source of 0 leaves the destination alone, all of it. */
static void scan(struct x86_tr *t, ir_val a, ir_val n)
{
    struct ir *ir = t->ir;
    unsigned size = x86_size(t, 0);
    ir_val none = is_zero(t, a), old = ir_get(ir, X86_R0 + t->i->op[0].reg);

    x86_write(t, 0, n);
    ir_set(ir, X86_R0 + t->i->op[0].reg, ir_select(ir, none, old, ir_get(ir, X86_R0 + t->i->op[0].reg)));
    x86_flags_result(t, a, size);
    ir_set(ir, X86_CF, x86_bit(t, 0));
    ir_set(ir, X86_OF, x86_bit(t, 0));
}

void tr_x86_bsf(struct x86_tr *t)
{
    ir_val a = x86_read(t, 1);

    scan(t, a, ir_un(t->ir, IRO_ctz, a));
}

void tr_x86_bsr(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val a = x86_read(t, 1), n = leading(t, a, size);

    scan(t, a, ir_sub(t->ir, x86_const(t, size, 8 * size - 1), n));
}

static void count(struct x86_tr *t, ir_val a, ir_val n)
{
    x86_write(t, 0, n);
    x86_flags_logic(t, n, x86_size(t, 0));
    ir_set(t->ir, X86_CF, is_zero(t, a));
}

void tr_x86_tzcnt(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val a = x86_read(t, 1), b = a;

    if (size < 4) /* a one above the value stops the count */
        b = ir_or(t->ir, a, x86_const(t, 4, 1u << 8 * size));
    count(t, a, ir_un(t->ir, IRO_ctz, b));
}

void tr_x86_lzcnt(struct x86_tr *t)
{
    ir_val a = x86_read(t, 1);

    count(t, a, leading(t, a, x86_size(t, 0)));
}

void tr_x86_popcnt(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val a = x86_read(t, 1);

    x86_write(t, 0, ir_un(t->ir, IRO_popcnt, a));
    x86_flags_logic(t, a, size);
    ir_set(t->ir, X86_SF, x86_bit(t, 0));
    ir_set(t->ir, X86_PF, ir_const(t->ir, IR_I32, 1)); /* clear, AF too */
    ir_set(t->ir, X86_AF, ir_const(t->ir, IR_I32, 1));
}

/* --- Bytes --- */

static ir_val swapped(struct x86_tr *t, ir_val v, unsigned size)
{
    ir_val r = ir_un(t->ir, IRO_bswap, v);

    return size == 2 ? ir_shift_imm(t->ir, IRO_shr, r, 16) : r;
}

/* Of 16 bits it is undefined: processors clear them. */
void tr_x86_bswap(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);

    x86_write(t, 0, size == 2 ? x86_const(t, 2, 0) : swapped(t, x86_read(t, 0), size));
}

void tr_x86_movbe(struct x86_tr *t)
{
    x86_write(t, 0, swapped(t, x86_read(t, 1), x86_size(t, 0)));
}

void tr_x86_crc32(struct x86_tr *t)
{
    unsigned bytes = x86_size(t, 1);
    ir_val data = x86_zext(t, x86_read(t, 1), bytes, 8), crc = x86_reg(t, t->i->op[0].reg, 4);

    crc = ir_op(t->ir, IRO_crc32, IR_I32, 0, bytes | 16, crc, data, IR_NONE);
    x86_set_reg(t, t->i->op[0].reg, 4, crc);
}

/* --- BMI1, BMI2 --- */

void tr_x86_andn(struct x86_tr *t)
{
    ir_val b = x86_read(t, 2), r = ir_and(t->ir, ir_not(t->ir, x86_read(t, 1)), b);

    x86_write(t, 0, r);
    x86_flags_logic(t, r, x86_size(t, 0));
}

static void lowest(struct x86_tr *t, ir_val r, ir_val cf)
{
    x86_write(t, 0, r);
    x86_flags_logic(t, r, x86_size(t, 0));
    ir_set(t->ir, X86_CF, cf);
}

void tr_x86_blsr(struct x86_tr *t)
{
    ir_val a = x86_read(t, 1);

    lowest(t, ir_and(t->ir, a, ir_add_imm(t->ir, a, -1)), is_zero(t, a));
}

void tr_x86_blsmsk(struct x86_tr *t)
{
    ir_val a = x86_read(t, 1);

    lowest(t, ir_xor(t->ir, a, ir_add_imm(t->ir, a, -1)), is_zero(t, a));
}

void tr_x86_blsi(struct x86_tr *t)
{
    ir_val a = x86_read(t, 1);

    lowest(t, ir_and(t->ir, a, ir_un(t->ir, IRO_neg, a)), ir_not(t->ir, is_zero(t, a)));
}

/* The lowest @n bits of a value of @size bytes, all of them when there are no more. */
static ir_val low_bits(struct x86_tr *t, ir_val n, unsigned size)
{
    struct ir *ir = t->ir;
    enum ir_type type = x86_type(size);
    ir_val mask = ir_add_imm(ir, ir_bin(ir, IRO_shl, ir_const(ir, type, 1), n), -1);

    return ir_select(ir, ir_cmp(ir, IRO_ult, n, ir_const(ir, type, 8 * size)), mask, ir_const(ir, type, ~0ull));
}

void tr_x86_bzhi(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    unsigned size = x86_size(t, 0);
    ir_val a = x86_read(t, 1), n = ir_and_imm(ir, x86_read(t, 2), 0xff), r = ir_and(ir, a, low_bits(t, n, size));

    x86_write(t, 0, r);
    x86_flags_logic(t, r, size);
    ir_set(ir, X86_CF, ir_not(ir, ir_cmp(ir, IRO_ult, n, x86_const(t, size, 8 * size))));
}

void tr_x86_bextr(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    unsigned size = x86_size(t, 0);
    ir_val a = x86_read(t, 1), how = x86_read(t, 2), start = ir_and_imm(ir, how, 0xff), r;
    ir_val len = ir_and_imm(ir, ir_shift_imm(ir, IRO_shr, how, 8), 0xff), zero = x86_const(t, size, 0);

    r = ir_and(ir, ir_bin(ir, IRO_shr, a, start), low_bits(t, len, size));
    r = ir_select(ir, ir_cmp(ir, IRO_ult, start, x86_const(t, size, 8 * size)), r, zero);
    x86_write(t, 0, r);
    x86_flags_logic(t, r, size);
}

uint64_t x86_help_pdep(struct cpu *cpu, uint64_t a, uint64_t mask, uint64_t c)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, a >>= 1)
        if (a & 1)
            r |= mask & -mask;
    return r;
}

uint64_t x86_help_pext(struct cpu *cpu, uint64_t a, uint64_t mask, uint64_t c)
{
    uint64_t r = 0;

    for (unsigned n = 0; mask; mask &= mask - 1, n++)
        if (a & mask & -mask)
            r |= 1ull << n;
    return r;
}

static void scatter(struct x86_tr *t, enum x86_helper help)
{
    unsigned size = x86_size(t, 0);
    ir_val mask = x86_zext(t, x86_read(t, 2), size, 8), a = x86_zext(t, x86_read(t, 1), size, 8);
    ir_val r = ir_call(t->ir, help, a, mask, IR_NONE);

    x86_write(t, 0, size == 8 ? r : ir_conv(t->ir, IRO_trunc, IR_I32, r));
}

void tr_x86_pdep(struct x86_tr *t)
{
    scatter(t, X86_HELP_pdep);
}

void tr_x86_pext(struct x86_tr *t)
{
    scatter(t, X86_HELP_pext);
}

/* --- ADX: each with a carry of its own --- */

static void add_carry(struct x86_tr *t, enum x86_slot slot)
{
    struct ir *ir = t->ir;
    enum ir_type type = x86_type(x86_size(t, 0));
    ir_val b = x86_read(t, 1), a = x86_read(t, 0), c = ir_get(ir, slot);
    ir_val sum = ir_op(ir, IRO_adc, type, 0, 0, a, b, c);

    ir_set(ir, slot, ir_op(ir, IRO_adc_c, IR_I1, 0, 0, a, b, c)); /* next to the sum: one instruction gives both */
    x86_write(t, 0, sum);
}

void tr_x86_adcx(struct x86_tr *t)
{
    add_carry(t, X86_CF);
}

void tr_x86_adox(struct x86_tr *t)
{
    add_carry(t, X86_OF);
}
