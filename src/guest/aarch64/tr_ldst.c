/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 loads and stores of general and vector registers (Arm ARM DDI 0487, C4.1.88).
 *
 * Accesses come first, then the write-back, then the loaded registers: a fault leaves everything as it
 * was.  Addresses are passed on untouched: a tag in the top byte is dealt with where the access faults.
 */
#include "guest/aarch64/lift.h"

static uint64_t plain(unsigned size)
{
    return ir_mem(size, false, IR_RELAXED);
}

/* --- One general register; o is opc: 0 store, 1 load, 2 sign-extend to 64 bits, 3 to 32 --- */

static bool bad_int(struct a64_tr *t, const struct a64_fields *f)
{
    if (f->o < 2 || (f->o == 2 && f->z < 3) || (f->o == 3 && f->z < 2))
        return false;
    a64_undefined(t);
    return true;
}

/* Stores Rt, or gives the loaded value. */
static ir_val access_as(struct a64_tr *t, const struct a64_fields *f, ir_val addr, uint64_t unpriv)
{
    if (f->o == 0) {
        a64_store(t, plain(f->z) | unpriv, addr, a64_x(t, f->t));
        return IR_NONE;
    }
    return a64_load(t, f->o == 3 ? IR_I32 : IR_I64, ir_mem(f->z, f->o >= 2, IR_RELAXED) | unpriv, addr);
}

static ir_val access_int(struct a64_tr *t, const struct a64_fields *f, ir_val addr)
{
    return access_as(t, f, addr, 0);
}

static void ldst_int(struct a64_tr *t, const struct a64_fields *f, ir_val addr)
{
    ir_val v = access_int(t, f, addr);

    if (f->o)
        a64_set_r(t, f->t, v);
}

/* The base becomes @addr + @after.  That is computed after the access, which may be @addr's last use. */
static void ldst_int_back(struct a64_tr *t, const struct a64_fields *f, ir_val addr, int64_t after)
{
    ir_val v = access_int(t, f, addr);

    a64_write_back(t, f->n, ir_add_imm(t->ir, addr, after));
    if (f->o)
        a64_set_r(t, f->t, v);
}

void tr_ldst_uimm(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_int(t, f))
        ldst_int(t, f, a64_addr(t, f->n, (uint64_t)f->i << f->z));
}

void tr_ldst_unscaled(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_int(t, f))
        ldst_int(t, f, a64_addr(t, f->n, a64_sext(f->i, 9)));
}

/* At EL0 the unprivileged forms are plain accesses, and elsewhere unless the mode says so. */
void tr_ldst_unpriv(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v;

    if (bad_int(t, f))
        return;
    v = access_as(t, f, a64_addr(t, f->n, a64_sext(f->i, 9)), t->mode & A64_MODE_UNPRIV ? IR_MEM_UNPRIV : 0);
    if (f->o)
        a64_set_r(t, f->t, v);
}

void tr_ldst_post(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_int(t, f))
        ldst_int_back(t, f, a64_addr(t, f->n, 0), a64_sext(f->i, 9));
}

void tr_ldst_pre(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_int(t, f))
        ldst_int_back(t, f, a64_addr(t, f->n, a64_sext(f->i, 9)), 0);
}

/* Base plus extended register, scaled by the access size when S is set. */
static ir_val reg_addr(struct a64_tr *t, const struct a64_fields *f, unsigned size)
{
    ir_val off = a64_extended(t, true, f->m, f->e, f->s ? size : 0);

    return ir_add(t->ir, a64_x_sp(t, f->n), off);
}

static bool bad_option(struct a64_tr *t, const struct a64_fields *f)
{
    if (f->e & 2)
        return false;
    a64_undefined(t);
    return true;
}

void tr_ldst_reg(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_option(t, f) && !bad_int(t, f))
        ldst_int(t, f, reg_addr(t, f, f->z));
}

/* --- One vector register; the size's third bit is opc's first --- */

static unsigned v_size(const struct a64_fields *f)
{
    return (f->o & 2) << 1 | f->z;
}

static bool bad_v(struct a64_tr *t, const struct a64_fields *f)
{
    if (v_size(f) <= 4)
        return false;
    a64_undefined(t);
    return true;
}

static ir_val load_v(struct a64_tr *t, unsigned size, ir_val addr)
{
    static const uint8_t type[] = {IR_I32, IR_I32, IR_F32, IR_F64, IR_V128};
    ir_val v = ir_load(t->ir, type[size], plain(size), addr);

    if (size < 4)
        v = ir_conv(t->ir, size < 2 ? IRO_vfromi : IRO_vfromf, IR_V128, v);
    return a64_swapped_lanes(t, v, size);
}

static void store_v(struct a64_tr *t, unsigned size, ir_val addr, unsigned reg)
{
    ir_val v = a64_swapped_lanes(t, a64_v(t, reg), size);

    if (size < 2)
        v = ir_op(t->ir, IRO_vget, IR_I32, size, 0, v, IR_NONE, IR_NONE);
    else if (size < 4)
        v = ir_conv(t->ir, IRO_vtof, size == 2 ? IR_F32 : IR_F64, v);
    ir_store(t->ir, plain(size), addr, v);
}

static ir_val access_v(struct a64_tr *t, const struct a64_fields *f, ir_val addr)
{
    if (f->o & 1)
        return load_v(t, v_size(f), addr);
    store_v(t, v_size(f), addr, f->t);
    return IR_NONE;
}

static void ldst_v(struct a64_tr *t, const struct a64_fields *f, ir_val addr)
{
    ir_val v = access_v(t, f, addr);

    if (f->o & 1)
        a64_set_v(t, f->t, v);
}

static void ldst_v_back(struct a64_tr *t, const struct a64_fields *f, ir_val addr, int64_t after)
{
    ir_val v = access_v(t, f, addr);

    a64_write_back(t, f->n, ir_add_imm(t->ir, addr, after));
    if (f->o & 1)
        a64_set_v(t, f->t, v);
}

void tr_ldst_v_uimm(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_v(t, f))
        ldst_v(t, f, a64_addr(t, f->n, (uint64_t)f->i << v_size(f)));
}

void tr_ldst_v_unscaled(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_v(t, f))
        ldst_v(t, f, a64_addr(t, f->n, a64_sext(f->i, 9)));
}

void tr_ldst_v_post(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_v(t, f))
        ldst_v_back(t, f, a64_addr(t, f->n, 0), a64_sext(f->i, 9));
}

void tr_ldst_v_pre(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_v(t, f))
        ldst_v_back(t, f, a64_addr(t, f->n, a64_sext(f->i, 9)), 0);
}

void tr_ldst_v_reg(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_option(t, f) && !bad_v(t, f))
        ldst_v(t, f, reg_addr(t, f, v_size(f)));
}

/* --- Prefetches --- */

void tr_prfm_uimm(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_prfum(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_prfm_reg(struct a64_tr *t, const struct a64_fields *f)
{
}

void tr_prfm_lit(struct a64_tr *t, const struct a64_fields *f)
{
}

/* --- Literals --- */

static ir_val literal(struct a64_tr *t, const struct a64_fields *f)
{
    return a64_const(t, t->pc + 4 * a64_sext(f->i, 19));
}

void tr_ldr_lit(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, a64_load(t, IR_I64, plain(f->o ? 3 : 2), literal(t, f)));
}

void tr_ldrsw_lit(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->t, a64_load(t, IR_I64, ir_mem(2, true, IR_RELAXED), literal(t, f)));
}

void tr_ldr_lit_v(struct a64_tr *t, const struct a64_fields *f)
{
    if (f->o == 3)
        a64_undefined(t);
    else
        a64_set_v(t, f->t, load_v(t, 2 + f->o, literal(t, f)));
}

/* --- Pairs.  Each register is one access; p: 0 post-indexed, 1 pre-indexed --- */

enum pair { LOAD = 1, BACK = 2, SIGN = 4 };

/* Address of the accesses; write-back, after them, stores that plus @after. */
static ir_val pair_addr(struct a64_tr *t, const struct a64_fields *f, unsigned size, unsigned how,
                        int64_t *after)
{
    int64_t off = a64_sext(f->i, 7) * (1 << size);

    *after = (how & BACK) && !f->p ? off : 0;
    return a64_addr(t, f->n, off - *after);
}

static void pair_int(struct a64_tr *t, const struct a64_fields *f, unsigned size, unsigned how)
{
    uint64_t memop = ir_mem(size, how & SIGN, IR_RELAXED);
    ir_val v1 = IR_NONE, v2 = IR_NONE;
    int64_t after;
    ir_val addr = pair_addr(t, f, size, how, &after);
    ir_val addr2 = ir_add_imm(t->ir, addr, 1 << size);

    if (how & LOAD) {
        v1 = a64_load(t, IR_I64, memop, addr);
        v2 = a64_load(t, IR_I64, memop, addr2);
    } else {
        a64_store(t, memop, addr, a64_x(t, f->t));
        a64_store(t, memop, addr2, a64_x(t, f->u));
    }
    if (how & BACK)
        a64_write_back(t, f->n, ir_add_imm(t->ir, addr, after));
    if (how & LOAD) {
        a64_set_r(t, f->t, v1);
        a64_set_r(t, f->u, v2);
    }
}

void tr_stp(struct a64_tr *t, const struct a64_fields *f)
{
    pair_int(t, f, 2 + f->z, 0);
}

void tr_ldp(struct a64_tr *t, const struct a64_fields *f)
{
    pair_int(t, f, 2 + f->z, LOAD);
}

void tr_stnp(struct a64_tr *t, const struct a64_fields *f)
{
    tr_stp(t, f);
}

void tr_ldnp(struct a64_tr *t, const struct a64_fields *f)
{
    tr_ldp(t, f);
}

void tr_stp_wb(struct a64_tr *t, const struct a64_fields *f)
{
    pair_int(t, f, 2 + f->z, BACK);
}

void tr_ldp_wb(struct a64_tr *t, const struct a64_fields *f)
{
    pair_int(t, f, 2 + f->z, LOAD | BACK);
}

void tr_ldpsw(struct a64_tr *t, const struct a64_fields *f)
{
    pair_int(t, f, 2, LOAD | SIGN);
}

void tr_ldpsw_wb(struct a64_tr *t, const struct a64_fields *f)
{
    pair_int(t, f, 2, LOAD | SIGN | BACK);
}

static void pair_v(struct a64_tr *t, const struct a64_fields *f, unsigned how)
{
    unsigned size = 2 + f->z;
    ir_val addr, addr2, v1 = IR_NONE, v2 = IR_NONE;
    int64_t after;

    if (f->z == 3) {
        a64_undefined(t);
        return;
    }
    addr = pair_addr(t, f, size, how, &after);
    addr2 = ir_add_imm(t->ir, addr, 1 << size);
    if (how & LOAD) {
        v1 = load_v(t, size, addr);
        v2 = load_v(t, size, addr2);
    } else {
        store_v(t, size, addr, f->t);
        store_v(t, size, addr2, f->u);
    }
    if (how & BACK)
        a64_write_back(t, f->n, ir_add_imm(t->ir, addr, after));
    if (how & LOAD) {
        a64_set_v(t, f->t, v1);
        a64_set_v(t, f->u, v2);
    }
}

void tr_stp_v(struct a64_tr *t, const struct a64_fields *f)
{
    pair_v(t, f, 0);
}

void tr_ldp_v(struct a64_tr *t, const struct a64_fields *f)
{
    pair_v(t, f, LOAD);
}

void tr_stnp_v(struct a64_tr *t, const struct a64_fields *f)
{
    pair_v(t, f, 0);
}

void tr_ldnp_v(struct a64_tr *t, const struct a64_fields *f)
{
    pair_v(t, f, LOAD);
}

void tr_stp_v_wb(struct a64_tr *t, const struct a64_fields *f)
{
    pair_v(t, f, BACK);
}

void tr_ldp_v_wb(struct a64_tr *t, const struct a64_fields *f)
{
    pair_v(t, f, LOAD | BACK);
}
