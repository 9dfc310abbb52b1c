/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 lifting: the loop over a block, and what the lifting functions share (Arm ARM DDI 0487, J1). */
#include "guest/aarch64/lift.h"
#include "guest/aarch64/lift_priv.h"
#include "guest/aarch64/lift_system.h"

#include <string.h>

/* --- Registers --- */

ir_val a64_x(struct a64_tr *t, unsigned reg)
{
    return reg == 31 ? a64_const(t, 0) : ir_get(t->ir, A64_X0 + reg);
}

ir_val a64_w(struct a64_tr *t, unsigned reg)
{
    return reg == 31 ? ir_const(t->ir, IR_I32, 0)
                     : ir_conv(t->ir, IRO_trunc, IR_I32, ir_get(t->ir, A64_X0 + reg));
}

ir_val a64_r(struct a64_tr *t, bool sf, unsigned reg)
{
    return sf ? a64_x(t, reg) : a64_w(t, reg);
}

ir_val a64_x_sp(struct a64_tr *t, unsigned reg)
{
    return ir_get(t->ir, A64_X0 + reg); /* A64_SP follows X30 */
}

ir_val a64_r_sp(struct a64_tr *t, bool sf, unsigned reg)
{
    ir_val v = a64_x_sp(t, reg);

    return sf ? v : ir_conv(t->ir, IRO_trunc, IR_I32, v);
}

void a64_set_r_sp(struct a64_tr *t, unsigned reg, ir_val v)
{
    if (ir_type_of(t->ir, v) != IR_I64)
        v = ir_conv(t->ir, IRO_zext, IR_I64, v);
    ir_set(t->ir, A64_X0 + reg, v);
}

void a64_set_r(struct a64_tr *t, unsigned reg, ir_val v)
{
    if (reg != 31)
        a64_set_r_sp(t, reg, v);
}

/* --- Flags --- */

void a64_set_flags(struct a64_tr *t, ir_val n, ir_val z, ir_val c, ir_val v)
{
    ir_set(t->ir, A64_N, n);
    ir_set(t->ir, A64_Z, z);
    ir_set(t->ir, A64_C, c);
    ir_set(t->ir, A64_V, v);
}

void a64_set_flags_imm(struct a64_tr *t, unsigned nzcv)
{
    a64_set_flags(t, a64_bit(t, nzcv >> 3 & 1), a64_bit(t, nzcv >> 2 & 1), a64_bit(t, nzcv >> 1 & 1),
                  a64_bit(t, nzcv & 1));
}

void a64_set_flags_logic(struct a64_tr *t, ir_val r)
{
    ir_val zero = ir_const(t->ir, ir_type_of(t->ir, r), 0);

    a64_set_flags(t, ir_cmp(t->ir, IRO_slt, r, zero), ir_cmp(t->ir, IRO_eq, r, zero), a64_bit(t, 0),
                  a64_bit(t, 0));
}

void a64_add_flags(struct a64_tr *t, ir_val a, ir_val b, ir_val sum)
{
    ir_val zero = ir_const(t->ir, ir_type_of(t->ir, sum), 0);

    a64_set_flags(t, ir_cmp(t->ir, IRO_slt, sum, zero), ir_cmp(t->ir, IRO_eq, sum, zero),
                  ir_cmp(t->ir, IRO_ult, sum, a), ir_cmp(t->ir, IRO_add_v, a, b));
}

void a64_sub_flags(struct a64_tr *t, ir_val a, ir_val b, ir_val diff)
{
    ir_val zero = ir_const(t->ir, ir_type_of(t->ir, diff), 0);

    a64_set_flags(t, ir_cmp(t->ir, IRO_slt, diff, zero), ir_cmp(t->ir, IRO_eq, a, b),
                  ir_cmp(t->ir, IRO_ule, b, a), ir_cmp(t->ir, IRO_sub_v, a, b));
}

/* The shapes below are those that the builder folds back into one comparison. */
ir_val a64_cond(struct a64_tr *t, unsigned cond)
{
    struct ir *ir = t->ir;
    ir_val r;

    switch (cond >> 1) {
    case 0: /* EQ */
        r = ir_get(ir, A64_Z);
        break;
    case 1: /* CS */
        r = ir_get(ir, A64_C);
        break;
    case 2: /* MI */
        r = ir_get(ir, A64_N);
        break;
    case 3: /* VS */
        r = ir_get(ir, A64_V);
        break;
    case 4: /* HI; LS is its complement, written as the sum it is */
        if (cond & 1)
            return ir_or(ir, ir_not(ir, ir_get(ir, A64_C)), ir_get(ir, A64_Z));
        return ir_and(ir, ir_get(ir, A64_C), ir_not(ir, ir_get(ir, A64_Z)));
    case 5: /* LT, for GE the complement */
        r = ir_xor(ir, ir_get(ir, A64_N), ir_get(ir, A64_V));
        return cond & 1 ? r : ir_not(ir, r);
    case 6: /* LE, GT */
        r = ir_xor(ir, ir_get(ir, A64_N), ir_get(ir, A64_V));
        if (cond & 1)
            return ir_or(ir, ir_get(ir, A64_Z), r);
        return ir_and(ir, ir_not(ir, ir_get(ir, A64_Z)), ir_not(ir, r));
    default: /* AL, and NV the same */
        return a64_bit(t, 1);
    }
    return cond & 1 ? ir_not(ir, r) : r;
}

/* --- Operands --- */

ir_val a64_shifted(struct a64_tr *t, ir_val v, enum a64_shift kind, unsigned n)
{
    static const uint16_t op[] = {IRO_shl, IRO_shr, IRO_sar, IRO_ror};

    return n ? ir_shift_imm(t->ir, op[kind], v, n) : v;
}

ir_val a64_extend_from(struct a64_tr *t, ir_val v, unsigned bits, bool sign)
{
    unsigned to = ir_type_of(t->ir, v);
    unsigned from = bits == 8 ? IR_I8 : bits == 16 ? IR_I16 : IR_I32;

    if (bits >= ir_bits(to))
        return v;
    return ir_conv(t->ir, sign ? IRO_sext : IRO_zext, to, ir_conv(t->ir, IRO_trunc, from, v));
}

ir_val a64_extended(struct a64_tr *t, bool sf, unsigned reg, unsigned option, unsigned shift)
{
    ir_val v = a64_extend_from(t, a64_r(t, sf, reg), 8u << (option & 3), option & 4);

    return a64_shifted(t, v, A64_LSL, shift);
}

/* --- Byte order --- */

ir_val a64_swapped(struct a64_tr *t, ir_val v, unsigned size, bool sign)
{
    unsigned unused = ir_bits(ir_type_of(t->ir, v)) - (8u << size);

    if (!(t->mode & A64_MODE_BIG))
        return v;
    if (!size)
        return sign ? a64_extend_from(t, v, 8, true) : v;
    v = ir_op(t->ir, IRO_bswap, ir_type_of(t->ir, v), 0, 0, v, IR_NONE, IR_NONE);
    return a64_shifted(t, v, sign ? A64_ASR : A64_LSR, unused);
}

ir_val a64_swapped_lanes(struct a64_tr *t, ir_val v, unsigned lane)
{
    if (!(t->mode & A64_MODE_BIG) || !lane)
        return v;
    v = ir_v1(t->ir, IRO_vrev, 0, lane < 3 ? lane : 3, v);
    return lane < 4 ? v : ir_op(t->ir, IRO_vext, IR_V128, 0, 8, v, v, IR_NONE);
}

ir_val a64_load(struct a64_tr *t, enum ir_type type, uint64_t memop, ir_val addr)
{
    if (!(t->mode & A64_MODE_BIG))
        return ir_load(t->ir, type, memop, addr);
    return a64_swapped(t, ir_load(t->ir, type, memop & ~(uint64_t)IR_MEM_SIGN, addr), memop & IR_MEM_SIZE, memop & IR_MEM_SIGN);
}

void a64_store(struct a64_tr *t, uint64_t memop, ir_val addr, ir_val v)
{
    ir_store(t->ir, memop, addr, a64_swapped(t, v, memop & IR_MEM_SIZE, false));
}

/* DecodeBitMasks(): an element of 2..64 bits holding a rotated run of ones, repeated. */
bool a64_bitmask(bool sf, unsigned n, unsigned imms, unsigned immr, uint64_t *imm)
{
    unsigned key = n << 6 | (~imms & 63);
    unsigned len, size, s, r;
    uint64_t v;

    if (key < 2 || (n && !sf))
        return false;
    len = 31 - __builtin_clz(key);
    size = 1u << len;
    s = imms & (size - 1);
    r = immr & (size - 1);
    if (s == size - 1)
        return false;
    v = (1ull << (s + 1)) - 1;
    if (r)
        v = (v >> r | v << (size - r)) & (size == 64 ? ~0ull : (1ull << size) - 1);
    for (; size < 64; size *= 2)
        v |= v << size;
    *imm = sf ? v : (uint32_t)v;
    return true;
}

/* --- Addresses --- */

ir_val a64_addr(struct a64_tr *t, unsigned base, int64_t offset)
{
    return ir_add_imm(t->ir, a64_x_sp(t, base), offset);
}

void a64_write_back(struct a64_tr *t, unsigned base, ir_val addr)
{
    a64_set_r_sp(t, base, addr);
}

/* --- The loop --- */

void a64_undefined(struct a64_tr *t)
{
    ir_trap(t->ir, CPU_STOP_UNDEFINED, t->word, t->pc);
}

void a64_leave(struct a64_tr *t, ir_val next_pc)
{
    ir_goto_ind(t->ir, next_pc, IR_EXIT_JUMP, 0);
}

/* A switch, not a table of pointers: nothing to relocate when the program starts. */
static void translate_row(struct a64_tr *t)
{
    struct a64_fields f;

    switch (a64_decode(t->word, t->feats, &f)) {
#define INSN(name, pattern, feat) case A64_ROW_##name: tr_##name(t, &f); break;
#define INSN_END(name, pattern, feat, end) case A64_ROW_##name: tr_##name(t, &f); break;
#include "guest/aarch64/insn.def"
#include "guest/aarch64/insn_simd.def"
#undef INSN
#undef INSN_END
    default:
        a64_undefined(t);
    }
}

static void translate(struct a64_tr *t)
{
    if (!(t->mode & A64_MODE_SYSTEM)) {
        translate_row(t);
        return;
    }
    if (!a64_lift_system(t))
        translate_row(t);
    if (a64_sp_moves(t->word))
        a64_sp_written(t);
}

static uint32_t word_at(const uint8_t *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof(w)); /* the host is little endian, as A64 instructions always are */
    return w;
}

uint32_t a64_lift(struct ir *ir, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail,
                  uint64_t end, unsigned limit)
{
    struct a64_tr t = {.ir = ir, .pc = pc, .mode = mode, .feats = a64_mode_feats(mode)};
    uint32_t done = 0;

    if (pc & 3) {
        ir_at(ir, pc);
        ir_trap(ir, CPU_STOP_ALIGN, 0, pc);
        return 4;
    }
    while (!ir_ended(ir)) {
        if (limit-- == 0 || t.pc == end || avail - done < 4) {
            ir_goto(ir, t.pc);
            break;
        }
        ir_at(ir, t.pc);
        t.word = word_at(code + done);
        translate(&t);
        t.pc += 4;
        done += 4;
    }
    return done;
}

static uint8_t scan_end(enum a64_end end, uint64_t pc, const struct a64_fields *f, unsigned row,
                        uint64_t *target)
{
    unsigned bits = end != A64_COND ? 26 : row == A64_ROW_tbz || row == A64_ROW_tbnz ? 14 : 19;

    switch (end) {
    case A64_B:
    case A64_BL:
    case A64_COND:
        *target = pc + 4 * a64_sext(f->i, bits);
        return end == A64_B ? GUEST_END_JUMP : end == A64_BL ? GUEST_END_CALL : GUEST_END_COND;
    case A64_IND:
        return GUEST_END_IND;
    case A64_RET:
        return GUEST_END_RET;
    default:
        return GUEST_END_TRAP;
    }
}

void a64_scan(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, unsigned limit,
              struct guest_scan *out)
{
    uint64_t feats = a64_mode_feats(mode);
    struct a64_fields f;

    *out = (struct guest_scan){.end = pc, .kind = GUEST_END_FALL};
    if (pc & 3) {
        *out = (struct guest_scan){.end = pc + 4, .kind = GUEST_END_TRAP, .n_insns = 1};
        return;
    }
    for (size_t off = 0; out->n_insns < limit && avail - off >= 4; off += 4) {
        unsigned row = a64_decode(word_at(code + off), feats, &f);
        enum a64_end end = a64_row_end(row);

        if ((mode & A64_MODE_SYSTEM) && row == A64_NO_ROW && !a64_system_end(word_at(code + off)))
            end = A64_FALL;
        out->end = pc + off + 4;
        out->n_insns++;
        if (end != A64_FALL) {
            out->kind = scan_end(end, pc + off, &f, row, &out->target);
            return;
        }
    }
}
