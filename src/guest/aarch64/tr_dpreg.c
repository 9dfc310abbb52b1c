/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 data processing on registers (Arm ARM DDI 0487, C4.1.89). */
#include "guest/aarch64/lift.h"

/* --- Logical, shifted register --- */

enum { INVERT = 1, FLAGS = 2 };

static void logic(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op, unsigned how)
{
    ir_val b, r;

    if (!f->s && f->i >= 32) {
        a64_undefined(t);
        return;
    }
    b = a64_shifted(t, a64_r(t, f->s, f->m), f->h, f->i);
    if (how & INVERT)
        b = ir_not(t->ir, b);
    r = ir_bin(t->ir, op, a64_r(t, f->s, f->n), b);
    a64_set_r(t, f->d, r);
    if (how & FLAGS)
        a64_set_flags_logic(t, r);
}

void tr_and(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_and, 0);
}

void tr_bic(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_and, INVERT);
}

void tr_orr(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_or, 0);
}

void tr_orn(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_or, INVERT);
}

void tr_eor(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_xor, 0);
}

void tr_eon(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_xor, INVERT);
}

void tr_ands(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_and, FLAGS);
}

void tr_bics(struct a64_tr *t, const struct a64_fields *f)
{
    logic(t, f, IRO_and, INVERT | FLAGS);
}

/* --- Add and subtract --- */

/* The second operand of the shifted forms; false when reserved. */
static bool shifted_operand(struct a64_tr *t, const struct a64_fields *f, ir_val *b)
{
    if (f->h == A64_ROR || (!f->s && f->i >= 32)) {
        a64_undefined(t);
        return false;
    }
    *b = a64_shifted(t, a64_r(t, f->s, f->m), f->h, f->i);
    return true;
}

static bool extended_operand(struct a64_tr *t, const struct a64_fields *f, ir_val *b)
{
    if (f->i > 4) {
        a64_undefined(t);
        return false;
    }
    *b = a64_extended(t, f->s, f->m, f->e, f->i);
    return true;
}

static void adds(struct a64_tr *t, const struct a64_fields *f, ir_val a, ir_val b)
{
    ir_val sum = ir_add(t->ir, a, b);

    a64_set_r(t, f->d, sum);
    a64_add_flags(t, a, b, sum);
}

static void subs(struct a64_tr *t, const struct a64_fields *f, ir_val a, ir_val b)
{
    ir_val diff = ir_sub(t->ir, a, b);

    a64_set_r(t, f->d, diff);
    a64_sub_flags(t, a, b, diff);
}

void tr_add(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (shifted_operand(t, f, &b))
        a64_set_r(t, f->d, ir_add(t->ir, a64_r(t, f->s, f->n), b));
}

void tr_adds(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (shifted_operand(t, f, &b))
        adds(t, f, a64_r(t, f->s, f->n), b);
}

void tr_sub(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (shifted_operand(t, f, &b))
        a64_set_r(t, f->d, ir_sub(t->ir, a64_r(t, f->s, f->n), b));
}

void tr_subs(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (shifted_operand(t, f, &b))
        subs(t, f, a64_r(t, f->s, f->n), b);
}

void tr_add_ext(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (extended_operand(t, f, &b))
        a64_set_r_sp(t, f->d, ir_add(t->ir, a64_r_sp(t, f->s, f->n), b));
}

void tr_adds_ext(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (extended_operand(t, f, &b))
        adds(t, f, a64_r_sp(t, f->s, f->n), b);
}

void tr_sub_ext(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (extended_operand(t, f, &b))
        a64_set_r_sp(t, f->d, ir_sub(t->ir, a64_r_sp(t, f->s, f->n), b));
}

void tr_subs_ext(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b;

    if (extended_operand(t, f, &b))
        subs(t, f, a64_r_sp(t, f->s, f->n), b);
}

/* --- With carry.  Subtraction is a + ~b + C. --- */

static void carry(struct a64_tr *t, const struct a64_fields *f, bool sub, bool flags)
{
    struct ir *ir = t->ir;
    ir_val a = a64_r(t, f->s, f->n);
    ir_val b = a64_r(t, f->s, f->m);
    ir_val c = ir_get(ir, A64_C);
    ir_val zero = ir_const(ir, ir_type_of(ir, a), 0);
    ir_val r;

    if (sub)
        b = ir_not(ir, b);
    r = ir_op(ir, IRO_adc, ir_type_of(ir, a), 0, 0, a, b, c);
    a64_set_r(t, f->d, r);
    if (flags)
        a64_set_flags(t, ir_cmp(ir, IRO_slt, r, zero), ir_cmp(ir, IRO_eq, r, zero),
                      ir_op(ir, IRO_adc_c, IR_I1, 0, 0, a, b, c),
                      ir_op(ir, IRO_adc_v, IR_I1, 0, 0, a, b, c));
}

void tr_adc(struct a64_tr *t, const struct a64_fields *f)
{
    carry(t, f, false, false);
}

void tr_adcs(struct a64_tr *t, const struct a64_fields *f)
{
    carry(t, f, false, true);
}

void tr_sbc(struct a64_tr *t, const struct a64_fields *f)
{
    carry(t, f, true, false);
}

void tr_sbcs(struct a64_tr *t, const struct a64_fields *f)
{
    carry(t, f, true, true);
}

/* --- Conditional select and compare --- */

void tr_csel(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b = a64_r(t, f->s, f->m);

    a64_set_r(t, f->d, a64_select(t, a64_cond(t, f->c), a64_r(t, f->s, f->n), b));
}

void tr_csinc(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val cond = a64_cond(t, f->c);
    unsigned type = f->s ? IR_I64 : IR_I32;

    if (f->n == 31 && f->m == 31) { /* CSET */
        a64_set_r(t, f->d, ir_conv(t->ir, IRO_zext, type, ir_not(t->ir, cond)));
        return;
    }
    a64_set_r(t, f->d,
              a64_select(t, cond, a64_r(t, f->s, f->n), ir_add_imm(t->ir, a64_r(t, f->s, f->m), 1)));
}

void tr_csinv(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val cond = a64_cond(t, f->c);
    unsigned type = f->s ? IR_I64 : IR_I32;

    if (f->n == 31 && f->m == 31) { /* CSETM */
        a64_set_r(t, f->d, ir_conv(t->ir, IRO_sext, type, ir_not(t->ir, cond)));
        return;
    }
    a64_set_r(t, f->d,
              a64_select(t, cond, a64_r(t, f->s, f->n), ir_not(t->ir, a64_r(t, f->s, f->m))));
}

void tr_csneg(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val b = ir_un(t->ir, IRO_neg, a64_r(t, f->s, f->m));

    a64_set_r(t, f->d, a64_select(t, a64_cond(t, f->c), a64_r(t, f->s, f->n), b));
}

/* CCMP, CCMN: the flags of the comparison if the condition holds, else the constant. */
static void cond_compare(struct a64_tr *t, const struct a64_fields *f, ir_val b, bool negative)
{
    struct ir *ir = t->ir;
    ir_val cond = a64_cond(t, f->c);
    ir_val a = a64_r(t, f->s, f->n);
    ir_val flag[4];

    if (negative)
        a64_add_flags(t, a, b, ir_add(ir, a, b));
    else
        a64_sub_flags(t, a, b, ir_sub(ir, a, b));
    for (unsigned i = 0; i < 4; i++)
        flag[i] = ir_select(ir, cond, ir_get(ir, A64_N + i), a64_bit(t, f->f >> (3 - i) & 1));
    a64_set_flags(t, flag[0], flag[1], flag[2], flag[3]);
}

void tr_ccmp(struct a64_tr *t, const struct a64_fields *f)
{
    cond_compare(t, f, a64_r(t, f->s, f->m), false);
}

void tr_ccmn(struct a64_tr *t, const struct a64_fields *f)
{
    cond_compare(t, f, a64_r(t, f->s, f->m), true);
}

void tr_ccmp_imm(struct a64_tr *t, const struct a64_fields *f)
{
    cond_compare(t, f, ir_const(t->ir, f->s ? IR_I64 : IR_I32, f->i), false);
}

void tr_ccmn_imm(struct a64_tr *t, const struct a64_fields *f)
{
    cond_compare(t, f, ir_const(t->ir, f->s ? IR_I64 : IR_I32, f->i), true);
}

/* --- Multiply, three sources --- */

void tr_madd(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val p = ir_bin(t->ir, IRO_mul, a64_r(t, f->s, f->n), a64_r(t, f->s, f->m));

    a64_set_r(t, f->d, ir_add(t->ir, a64_r(t, f->s, f->a), p));
}

void tr_msub(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val p = ir_bin(t->ir, IRO_mul, a64_r(t, f->s, f->n), a64_r(t, f->s, f->m));

    a64_set_r(t, f->d, ir_sub(t->ir, a64_r(t, f->s, f->a), p));
}

static ir_val long_product(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode ext)
{
    return ir_bin(t->ir, IRO_mul, ir_conv(t->ir, ext, IR_I64, a64_w(t, f->n)),
                  ir_conv(t->ir, ext, IR_I64, a64_w(t, f->m)));
}

void tr_smaddl(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_add(t->ir, a64_x(t, f->a), long_product(t, f, IRO_sext)));
}

void tr_smsubl(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_sub(t->ir, a64_x(t, f->a), long_product(t, f, IRO_sext)));
}

void tr_umaddl(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_add(t->ir, a64_x(t, f->a), long_product(t, f, IRO_zext)));
}

void tr_umsubl(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_sub(t->ir, a64_x(t, f->a), long_product(t, f, IRO_zext)));
}

void tr_smulh(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_bin(t->ir, IRO_smulh, a64_x(t, f->n), a64_x(t, f->m)));
}

void tr_umulh(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_bin(t->ir, IRO_umulh, a64_x(t, f->n), a64_x(t, f->m)));
}

/* --- Two sources.  Shift counts and division corners are those of the IR. --- */

static void two_sources(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    a64_set_r(t, f->d, ir_bin(t->ir, op, a64_r(t, f->s, f->n), a64_r(t, f->s, f->m)));
}

void tr_udiv(struct a64_tr *t, const struct a64_fields *f)
{
    two_sources(t, f, IRO_udiv);
}

void tr_sdiv(struct a64_tr *t, const struct a64_fields *f)
{
    two_sources(t, f, IRO_sdiv);
}

void tr_lslv(struct a64_tr *t, const struct a64_fields *f)
{
    two_sources(t, f, IRO_shl);
}

void tr_lsrv(struct a64_tr *t, const struct a64_fields *f)
{
    two_sources(t, f, IRO_shr);
}

void tr_asrv(struct a64_tr *t, const struct a64_fields *f)
{
    two_sources(t, f, IRO_sar);
}

void tr_rorv(struct a64_tr *t, const struct a64_fields *f)
{
    two_sources(t, f, IRO_ror);
}

void tr_crc32(struct a64_tr *t, const struct a64_fields *f)
{
    uint64_t imm = 1u << f->z | (f->c ? 16 : 0);

    if (f->s != (f->z == 3)) {
        a64_undefined(t);
        return;
    }
    a64_set_r(t, f->d, ir_op(t->ir, IRO_crc32, IR_I32, 0, imm, a64_w(t, f->n), a64_x(t, f->m), IR_NONE));
}

static void min_max(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode less, bool max)
{
    ir_val a = a64_r(t, f->s, f->n), b = a64_r(t, f->s, f->m);

    a64_set_r(t, f->d, ir_select(t->ir, ir_cmp(t->ir, less, a, b), max ? b : a, max ? a : b));
}

void tr_smax(struct a64_tr *t, const struct a64_fields *f)
{
    min_max(t, f, IRO_slt, true);
}

void tr_umax(struct a64_tr *t, const struct a64_fields *f)
{
    min_max(t, f, IRO_ult, true);
}

void tr_smin(struct a64_tr *t, const struct a64_fields *f)
{
    min_max(t, f, IRO_slt, false);
}

void tr_umin(struct a64_tr *t, const struct a64_fields *f)
{
    min_max(t, f, IRO_ult, false);
}

/* --- One source --- */

static void one_source(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    a64_set_r(t, f->d, ir_un(t->ir, op, a64_r(t, f->s, f->n)));
}

void tr_rbit(struct a64_tr *t, const struct a64_fields *f)
{
    one_source(t, f, IRO_rbit);
}

void tr_clz(struct a64_tr *t, const struct a64_fields *f)
{
    one_source(t, f, IRO_clz);
}

void tr_ctz(struct a64_tr *t, const struct a64_fields *f)
{
    one_source(t, f, IRO_ctz);
}

void tr_cnt(struct a64_tr *t, const struct a64_fields *f)
{
    one_source(t, f, IRO_popcnt);
}

void tr_rev_w(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_un(t->ir, IRO_bswap, a64_w(t, f->n)));
}

void tr_rev_x(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, ir_un(t->ir, IRO_bswap, a64_x(t, f->n)));
}

void tr_rev32(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, a64_shifted(t, ir_un(t->ir, IRO_bswap, a64_x(t, f->n)), A64_ROR, 32));
}

void tr_rev16(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = a64_r(t, f->s, f->n);
    uint64_t low = 0x00ff00ff00ff00ff;
    ir_val up = a64_shifted(t, ir_and_imm(t->ir, v, low), A64_LSL, 8);
    ir_val down = ir_and_imm(t->ir, a64_shifted(t, v, A64_LSR, 8), low);

    a64_set_r(t, f->d, ir_or(t->ir, up, down));
}

/* CLS: leading zeros of x ^ (x >> 1, arithmetic), less the sign bit itself. */
void tr_cls(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = a64_r(t, f->s, f->n);
    ir_val x = ir_xor(t->ir, v, a64_shifted(t, v, A64_ASR, 1));

    a64_set_r(t, f->d, ir_add_imm(t->ir, ir_un(t->ir, IRO_clz, x), -1));
}

void tr_abs(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = a64_r(t, f->s, f->n);
    ir_val negative = ir_cmp(t->ir, IRO_slt, v, ir_const(t->ir, ir_type_of(t->ir, v), 0));

    a64_set_r(t, f->d, ir_select(t->ir, negative, ir_un(t->ir, IRO_neg, v), v));
}

/* --- FEAT_FlagM --- */

static ir_val bit_of(struct a64_tr *t, ir_val v, unsigned n)
{
    return ir_conv(t->ir, IRO_trunc, IR_I1, a64_shifted(t, v, A64_LSR, n));
}

/* RMIF: Xn rotated right; its low four bits go to the flags that the mask names. */
void tr_rmif(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = a64_shifted(t, a64_x(t, f->n), A64_ROR, f->i);

    for (unsigned i = 0; i < 4; i++) {
        if (f->m >> (3 - i) & 1)
            ir_set(t->ir, A64_N + i, bit_of(t, v, 3 - i));
    }
}

/* SETF8, SETF16: C stays. */
void tr_setf(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned width = f->z ? 16 : 8;
    ir_val v = a64_w(t, f->n);
    ir_val low = ir_and_imm(t->ir, v, (1u << width) - 1);
    ir_val sign = bit_of(t, v, width - 1);

    ir_set(t->ir, A64_N, sign);
    ir_set(t->ir, A64_Z, ir_cmp(t->ir, IRO_eq, low, ir_const(t->ir, IR_I32, 0)));
    ir_set(t->ir, A64_V, ir_xor(t->ir, bit_of(t, v, width), sign));
}

void tr_cfinv(struct a64_tr *t, const struct a64_fields *f)
{
    ir_set(t->ir, A64_C, ir_not(t->ir, ir_get(t->ir, A64_C)));
}

/* XAFLAG, AXFLAG: between Arm's and the alternative result flags of FP comparisons. */
void tr_xaflag(struct a64_tr *t, const struct a64_fields *f)
{
    struct ir *ir = t->ir;
    ir_val z = ir_get(ir, A64_Z), c = ir_get(ir, A64_C);
    ir_val not_c = ir_not(ir, c), not_z = ir_not(ir, z);

    a64_set_flags(t, ir_and(ir, not_c, not_z), ir_and(ir, z, c), ir_or(ir, c, z), ir_and(ir, not_c, z));
}

void tr_axflag(struct a64_tr *t, const struct a64_fields *f)
{
    struct ir *ir = t->ir;
    ir_val z = ir_get(ir, A64_Z), c = ir_get(ir, A64_C), v = ir_get(ir, A64_V);

    a64_set_flags(t, a64_bit(t, 0), ir_or(ir, z, v), ir_and(ir, c, ir_not(ir, v)), a64_bit(t, 0));
}
