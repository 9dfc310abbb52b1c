/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD loads and stores of structures: LD1..LD4, ST1..ST4, LD1R..LD4R.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD load/store multiple structures" and "single
 * structure", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

/* The base, written back after the accesses in the post-indexed forms: by field m, or by the number
 * of bytes when that is 31. */
static void post_index(struct a64_tr *t, const struct a64_fields *f, bool post, ir_val base,
                       unsigned bytes)
{
    ir_val by;

    if (!post)
        return;
    by = f->m == 31 ? a64_const(t, bytes) : a64_x(t, f->m);
    a64_write_back(t, f->n, ir_add(t->ir, base, by));
}

/* Half a vector or a whole one, of lanes of 1 << @lane bytes. */
static ir_val load(struct a64_tr *t, ir_val base, unsigned off, bool quad, unsigned lane)
{
    ir_val addr = ir_add_imm(t->ir, base, off), v;

    if (quad)
        v = ir_load(t->ir, IR_V128, ir_mem(4, false, IR_RELAXED), addr);
    else
        v = ir_conv(t->ir, IRO_vfromf, IR_V128, ir_load(t->ir, IR_F64, ir_mem(3, false, IR_RELAXED), addr));
    return a64_swapped_lanes(t, v, lane);
}

static void store(struct a64_tr *t, ir_val base, unsigned off, bool quad, ir_val v, unsigned lane)
{
    ir_val addr = ir_add_imm(t->ir, base, off);

    v = a64_swapped_lanes(t, v, lane);
    if (quad)
        ir_store(t->ir, ir_mem(4, false, IR_RELAXED), addr, v);
    else
        ir_store(t->ir, ir_mem(3, false, IR_RELAXED), addr, ir_conv(t->ir, IRO_vtof, IR_F64, v));
}

/* --- LD1, ST1 of up to four registers --- */

static void ld1(struct a64_tr *t, const struct a64_fields *f, bool post, unsigned regs)
{
    unsigned size = f->q ? 16 : 8;
    ir_val base = a64_addr(t, f->n, 0), v[4];

    for (unsigned i = 0; i < regs; i++)
        v[i] = load(t, base, i * size, f->q, f->z);
    for (unsigned i = 0; i < regs; i++)
        a64_set_v(t, (f->d + i) % 32, v[i]);
    post_index(t, f, post, base, regs * size);
}

static void st1(struct a64_tr *t, const struct a64_fields *f, bool post, unsigned regs)
{
    unsigned size = f->q ? 16 : 8;
    ir_val base = a64_addr(t, f->n, 0);

    for (unsigned i = 0; i < regs; i++)
        store(t, base, i * size, f->q, a64_v(t, (f->d + i) % 32), f->z);
    post_index(t, f, post, base, regs * size);
}

/* --- LD2..LD4, ST2..ST4: lanes dealt out to the registers and gathered --- */

static ir_val lanes2(struct a64_tr *t, enum ir_opcode op, unsigned lane, ir_val a, ir_val b)
{
    return ir_v2(t->ir, op, lane, 0, a, b);
}

static void deal2(struct a64_tr *t, unsigned lane, bool quad, const ir_val *in, ir_val *out)
{
    ir_val second = quad ? in[1] : in[0];

    out[0] = lanes2(t, IRO_vuzp1, lane, in[0], second);
    out[1] = lanes2(t, IRO_vuzp2, lane, in[0], second);
}

static void deal4(struct a64_tr *t, unsigned lane, bool quad, const ir_val *in, ir_val *out)
{
    ir_val even[2], odd[2];

    even[0] = lanes2(t, IRO_vuzp1, lane, in[0], in[1]);
    odd[0] = lanes2(t, IRO_vuzp2, lane, in[0], in[1]);
    even[1] = quad ? lanes2(t, IRO_vuzp1, lane, in[2], in[3]) : even[0];
    odd[1] = quad ? lanes2(t, IRO_vuzp2, lane, in[2], in[3]) : odd[0];
    out[0] = lanes2(t, IRO_vuzp1, lane, even[0], even[1]);
    out[1] = lanes2(t, IRO_vuzp1, lane, odd[0], odd[1]);
    out[2] = lanes2(t, IRO_vuzp2, lane, even[0], even[1]);
    out[3] = lanes2(t, IRO_vuzp2, lane, odd[0], odd[1]);
}

/*
 * Bytes of three vectors by table: @from[i] is the place (vector * 16 + byte) of result byte i, or
 * any number above 47 for zero.
 */
static ir_val pick3(struct a64_tr *t, const ir_val *in, const uint8_t *from)
{
    ir_val r = ir_vconst(t->ir, 0, 0);

    for (unsigned k = 0; k < 3; k++) {
        uint64_t half[2] = { 0, 0 };

        for (unsigned i = 0; i < 16; i++) {
            uint64_t at = from[i] / 16 == k ? from[i] % 16 : 0xff;
            half[i / 8] |= at << (i % 8 * 8);
        }
        if (half[0] == ~0ull && half[1] == ~0ull)
            continue;
        ir_val part = ir_v2(t->ir, IRO_vtbl, 0, 0, in[k], ir_vconst(t->ir, half[0], half[1]));
        r = ir_v2(t->ir, IRO_vor, 3, 0, r, part);
    }
    return r;
}

/* Register r of three holds lanes r, r + 3, ... of memory. */
static void deal3(struct a64_tr *t, unsigned lane, bool quad, const ir_val *in, ir_val *out)
{
    unsigned size = 1u << lane, bytes = quad ? 16 : 8;

    for (unsigned r = 0; r < 3; r++) {
        uint8_t from[16];

        for (unsigned i = 0; i < 16; i++)
            from[i] = i < bytes ? (i / size * 3 + r) * size + i % size : 0xff;
        out[r] = pick3(t, in, from);
    }
}

static void gather_3(struct a64_tr *t, unsigned lane, unsigned bytes, const ir_val *in, ir_val *out)
{
    unsigned size = 1u << lane;

    for (unsigned k = 0; k * 16 < 3 * bytes; k++) {
        uint8_t from[16];

        for (unsigned i = 0; i < 16; i++) {
            unsigned at = (k * 16 + i) / size, within = i % size;
            from[i] = at / 3 * size < bytes ? at % 3 * 16 + at / 3 * size + within : 0xff;
        }
        out[k] = pick3(t, in, from);
    }
}

static void gather_2(struct a64_tr *t, unsigned lane, const ir_val *in, ir_val *out)
{
    out[0] = lanes2(t, IRO_vzip1, lane, in[0], in[1]);
    out[1] = lanes2(t, IRO_vzip2, lane, in[0], in[1]);
}

static void gather_4(struct a64_tr *t, unsigned lane, const ir_val *in, ir_val *out)
{
    ir_val a = lanes2(t, IRO_vzip1, lane, in[0], in[2]);
    ir_val b = lanes2(t, IRO_vzip1, lane, in[1], in[3]);
    ir_val c = lanes2(t, IRO_vzip2, lane, in[0], in[2]);
    ir_val d = lanes2(t, IRO_vzip2, lane, in[1], in[3]);

    gather_2(t, lane, (ir_val[]){ a, b }, out);
    gather_2(t, lane, (ir_val[]){ c, d }, out + 2);
}

/* In memory all registers' bytes are one run: whole vectors, and perhaps half a one at the end. */
static void ldn(struct a64_tr *t, const struct a64_fields *f, bool post, unsigned regs)
{
    unsigned bytes = regs * (f->q ? 16 : 8);
    ir_val base = a64_addr(t, f->n, 0), in[4], out[4];

    if (f->z == 3 && !f->q) {
        a64_undefined(t);
        return;
    }
    for (unsigned i = 0; i * 16 < bytes; i++)
        in[i] = load(t, base, i * 16, bytes - i * 16 >= 16, f->z);
    if (regs == 2)
        deal2(t, f->z, f->q, in, out);
    else if (regs == 4)
        deal4(t, f->z, f->q, in, out);
    else if (f->q)
        deal3(t, f->z, true, in, out);
    else
        deal3(t, f->z, false, (ir_val[]){ in[0], in[1], ir_vconst(t->ir, 0, 0) }, out);
    for (unsigned i = 0; i < regs; i++)
        a64_set_v(t, (f->d + i) % 32, f->q || regs == 3 ? out[i] : simd_low(t->ir, 3, out[i]));
    post_index(t, f, post, base, bytes);
}

static void stn(struct a64_tr *t, const struct a64_fields *f, bool post, unsigned regs)
{
    unsigned bytes = regs * (f->q ? 16 : 8);
    ir_val base = a64_addr(t, f->n, 0), in[4], out[4];

    if (f->z == 3 && !f->q) {
        a64_undefined(t);
        return;
    }
    for (unsigned i = 0; i < regs; i++)
        in[i] = a64_v(t, (f->d + i) % 32);
    if (regs == 2)
        gather_2(t, f->z, in, out);
    else if (regs == 4)
        gather_4(t, f->z, in, out);
    else
        gather_3(t, f->z, f->q ? 16 : 8, in, out);
    for (unsigned i = 0; i * 16 < bytes; i++)
        store(t, base, i * 16, bytes - i * 16 >= 16, out[i], f->z);
    post_index(t, f, post, base, bytes);
}

/* --- Single structures: one lane of each register --- */

/* Field o is opcode<2:1>, i is Q:S:size: together they give the lane and the index. */
static bool one_lane(struct a64_tr *t, const struct a64_fields *f, unsigned *lane, unsigned *index)
{
    unsigned size = f->i & 3;

    *lane = f->o;
    *index = f->i >> f->o;
    if (f->o == 3 || (f->o == 1 && (size & 1)) || (f->o == 2 && size > 1) ||
        (f->o == 2 && size == 1 && (f->i & 4))) {
        a64_undefined(t);
        return false;
    }
    if (f->o == 2 && size == 1) {
        *lane = 3;
        *index = f->i >> 3;
    }
    return true;
}

static ir_val load_one(struct a64_tr *t, ir_val base, unsigned off, unsigned lane)
{
    return a64_load(t, lane == 3 ? IR_I64 : IR_I32, ir_mem(lane, false, IR_RELAXED), ir_add_imm(t->ir, base, off));
}

static void ld_lane(struct a64_tr *t, const struct a64_fields *f, bool post, unsigned regs)
{
    ir_val base = a64_addr(t, f->n, 0), v[4];
    unsigned lane, index;

    if (!one_lane(t, f, &lane, &index))
        return;
    for (unsigned i = 0; i < regs; i++)
        v[i] = load_one(t, base, i << lane, lane);
    for (unsigned i = 0; i < regs; i++) {
        unsigned reg = (f->d + i) % 32;
        a64_set_v(t, reg, ir_op(t->ir, IRO_vset, IR_V128, lane, index, a64_v(t, reg), v[i],
                                IR_NONE));
    }
    post_index(t, f, post, base, regs << lane);
}

static void st_lane(struct a64_tr *t, const struct a64_fields *f, bool post, unsigned regs)
{
    ir_val base = a64_addr(t, f->n, 0);
    unsigned lane, index;

    if (!one_lane(t, f, &lane, &index))
        return;
    for (unsigned i = 0; i < regs; i++) {
        ir_val v = a64_v(t, (f->d + i) % 32);
        v = ir_op(t->ir, IRO_vget, lane == 3 ? IR_I64 : IR_I32, lane, index, v, IR_NONE, IR_NONE);
        a64_store(t, ir_mem(lane, false, IR_RELAXED), ir_add_imm(t->ir, base, i << lane), v);
    }
    post_index(t, f, post, base, regs << lane);
}

/* LD1R..LD4R: one lane into all lanes. */
static void ld_dup(struct a64_tr *t, const struct a64_fields *f, bool post, unsigned regs)
{
    ir_val base = a64_addr(t, f->n, 0), v[4];

    for (unsigned i = 0; i < regs; i++)
        v[i] = load_one(t, base, i << f->z, f->z);
    for (unsigned i = 0; i < regs; i++) {
        v[i] = ir_op(t->ir, IRO_vdup, IR_V128, f->z, 0, v[i], IR_NONE, IR_NONE);
        a64_set_v(t, (f->d + i) % 32, f->q ? v[i] : simd_low(t->ir, 3, v[i]));
    }
    post_index(t, f, post, base, regs << f->z);
}

void tr_ld1_4(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, false, 4);
}

void tr_ld1_4_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, true, 4);
}

void tr_ld1_3(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, false, 3);
}

void tr_ld1_3_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, true, 3);
}

void tr_ld1_2(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, false, 2);
}

void tr_ld1_2_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, true, 2);
}

void tr_ld1_1(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, false, 1);
}

void tr_ld1_1_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld1(t, f, true, 1);
}

void tr_ld4(struct a64_tr *t, const struct a64_fields *f)
{
    ldn(t, f, false, 4);
}

void tr_ld4_post(struct a64_tr *t, const struct a64_fields *f)
{
    ldn(t, f, true, 4);
}

void tr_ld3(struct a64_tr *t, const struct a64_fields *f)
{
    ldn(t, f, false, 3);
}

void tr_ld3_post(struct a64_tr *t, const struct a64_fields *f)
{
    ldn(t, f, true, 3);
}

void tr_ld2(struct a64_tr *t, const struct a64_fields *f)
{
    ldn(t, f, false, 2);
}

void tr_ld2_post(struct a64_tr *t, const struct a64_fields *f)
{
    ldn(t, f, true, 2);
}

void tr_st1_4(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, false, 4);
}

void tr_st1_4_post(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, true, 4);
}

void tr_st1_3(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, false, 3);
}

void tr_st1_3_post(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, true, 3);
}

void tr_st1_2(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, false, 2);
}

void tr_st1_2_post(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, true, 2);
}

void tr_st1_1(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, false, 1);
}

void tr_st1_1_post(struct a64_tr *t, const struct a64_fields *f)
{
    st1(t, f, true, 1);
}

void tr_st4(struct a64_tr *t, const struct a64_fields *f)
{
    stn(t, f, false, 4);
}

void tr_st4_post(struct a64_tr *t, const struct a64_fields *f)
{
    stn(t, f, true, 4);
}

void tr_st3(struct a64_tr *t, const struct a64_fields *f)
{
    stn(t, f, false, 3);
}

void tr_st3_post(struct a64_tr *t, const struct a64_fields *f)
{
    stn(t, f, true, 3);
}

void tr_st2(struct a64_tr *t, const struct a64_fields *f)
{
    stn(t, f, false, 2);
}

void tr_st2_post(struct a64_tr *t, const struct a64_fields *f)
{
    stn(t, f, true, 2);
}

void tr_ld1_lane(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, false, 1);
}

void tr_ld1_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, true, 1);
}

void tr_ld2_lane(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, false, 2);
}

void tr_ld2_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, true, 2);
}

void tr_ld3_lane(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, false, 3);
}

void tr_ld3_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, true, 3);
}

void tr_ld4_lane(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, false, 4);
}

void tr_ld4_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_lane(t, f, true, 4);
}

void tr_st1_lane(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, false, 1);
}

void tr_st1_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, true, 1);
}

void tr_st2_lane(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, false, 2);
}

void tr_st2_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, true, 2);
}

void tr_st3_lane(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, false, 3);
}

void tr_st3_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, true, 3);
}

void tr_st4_lane(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, false, 4);
}

void tr_st4_lane_post(struct a64_tr *t, const struct a64_fields *f)
{
    st_lane(t, f, true, 4);
}

void tr_ld1r(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, false, 1);
}

void tr_ld1r_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, true, 1);
}

void tr_ld2r(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, false, 2);
}

void tr_ld2r_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, true, 2);
}

void tr_ld3r(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, false, 3);
}

void tr_ld3r_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, true, 3);
}

void tr_ld4r(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, false, 4);
}

void tr_ld4r_post(struct a64_tr *t, const struct a64_fields *f)
{
    ld_dup(t, f, true, 4);
}
