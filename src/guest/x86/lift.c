/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 lifting: the loop over a block, and what the lifting functions share (SDM 1, chapter 3; SDM 2, chapter 3). */
#include "guest/x86/lift.h"
#include "guest/x86/lift_priv.h"

#include <string.h>

/* --- Widths --- */

static enum ir_type narrow(unsigned size)
{
    return size == 1 ? IR_I8 : size == 2 ? IR_I16 : IR_I32;
}

static ir_val extend(struct x86_tr *t, enum ir_opcode op, ir_val v, unsigned size, unsigned to)
{
    enum ir_type type = x86_type(to), from = size == 8 ? IR_I64 : narrow(size);

    if (ir_type_of(t->ir, v) != from && ir_bits(from) < ir_bits(ir_type_of(t->ir, v)))
        v = ir_conv(t->ir, IRO_trunc, from, v);
    return ir_bits(from) < ir_bits(type) ? ir_conv(t->ir, op, type, v) : v;
}

ir_val x86_zext(struct x86_tr *t, ir_val v, unsigned size, unsigned to)
{
    return extend(t, IRO_zext, v, size, to);
}

ir_val x86_sext(struct x86_tr *t, ir_val v, unsigned size, unsigned to)
{
    return extend(t, IRO_sext, v, size, to);
}

/* @v of any width as i64, upper bits whatever they are. */
static ir_val wide(struct x86_tr *t, ir_val v)
{
    return ir_type_of(t->ir, v) == IR_I64 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v);
}

/* --- Registers --- */

ir_val x86_reg(struct x86_tr *t, unsigned reg, unsigned size)
{
    ir_val v = ir_get(t->ir, X86_R0 + reg);

    return size == 8 ? v : x86_zext(t, v, size, 4);
}

static void merge(struct x86_tr *t, unsigned reg, uint64_t mask, unsigned shift, ir_val v)
{
    ir_val old = ir_get(t->ir, X86_R0 + reg);

    v = ir_and_imm(t->ir, wide(t, v), mask);
    if (shift)
        v = ir_shift_imm(t->ir, IRO_shl, v, shift);
    ir_set(t->ir, X86_R0 + reg, ir_or(t->ir, ir_and_imm(t->ir, old, ~(mask << shift)), v));
}

void x86_set_reg(struct x86_tr *t, unsigned reg, unsigned size, ir_val v)
{
    if (size < 4)
        merge(t, reg, size == 1 ? 0xff : 0xffff, 0, v);
    else if (size == 4)
        ir_set(t->ir, X86_R0 + reg, wide(t, x86_zext(t, v, 4, 4)));
    else
        ir_set(t->ir, X86_R0 + reg, v);
}

/* --- Operands --- */

ir_val x86_read(struct x86_tr *t, unsigned n)
{
    const struct x86_operand *o = &t->i->op[n];

    switch (o->kind) {
    case X86_OP_GPR:
        return x86_reg(t, o->reg, o->size);
    case X86_OP_GPRH:
        return ir_and_imm(t->ir, ir_shift_imm(t->ir, IRO_shr, x86_reg(t, o->reg, 4), 8), 0xff);
    case X86_OP_MEM:
        return x86_load(t, x86_mem(t, o->size, false), o->size);
    default:
        return x86_const(t, o->size, (uint64_t)t->i->imm);
    }
}

void x86_write(struct x86_tr *t, unsigned n, ir_val v)
{
    const struct x86_operand *o = &t->i->op[n];

    switch (o->kind) {
    case X86_OP_GPR:
        x86_set_reg(t, o->reg, o->size, v);
        break;
    case X86_OP_GPRH:
        merge(t, o->reg, 0xff, 8, v);
        break;
    case X86_OP_MEM:
        x86_store(t, x86_mem(t, o->size, true), o->size, v);
        break;
    default:
        x86_undefined(t);
    }
}

/* --- Memory --- */

static ir_val cut(struct x86_tr *t, ir_val v, unsigned size)
{
    return size == 8 ? v : ir_and_imm(t->ir, v, size == 2 ? 0xffff : 0xffffffff);
}

ir_val x86_ea(struct x86_tr *t)
{
    const struct x86_ea *ea = &t->i->ea;
    ir_val v = IR_NONE, x;

    if (ea->base != X86_NO_REG)
        v = ir_get(t->ir, X86_R0 + ea->base);
    if (ea->index != X86_NO_REG) {
        x = ir_get(t->ir, X86_R0 + ea->index);
        if (ea->scale)
            x = ir_shift_imm(t->ir, IRO_shl, x, ea->scale);
        v = v.id ? ir_add(t->ir, v, x) : x;
    }
    if (!v.id)
        return cut(t, x86_const64(t, (uint64_t)ea->disp), t->i->addr_size);
    return cut(t, ea->disp ? ir_add_imm(t->ir, v, ea->disp) : v, t->i->addr_size);
}

static ir_val in_segment(struct x86_tr *t, unsigned seg, ir_val ea)
{
    ea = ir_add(t->ir, ea, ir_get(t->ir, X86_BASE + seg));
    return x86_is64(t) ? ea : cut(t, ea, 4);
}

/* An access beyond its segment's room gets an address that the walk refuses, with the exception that it is (walk.c): the check costs
 * a comparison and a conditional move, and no way out.  Rooms are at most 2^32 and may be less than @size: signed. */
ir_val x86_linear(struct x86_tr *t, unsigned seg, ir_val ea, unsigned size, bool write)
{
    uint64_t bad = X86_BAD_LINEAR | (uint64_t)seg << X86_BAD_SEG | (uint64_t)(size - 1) << X86_BAD_SIZE | (write ? X86_BAD_WRITE : 0);
    ir_val la, room;

    if (seg < X86_FS && (t->mode & X86_MODE_FLAT))
        return ea;
    la = in_segment(t, seg, ea);
    if (x86_is64(t) || !x86_is_system(t) || x86_big_real(t->mode, t->i->addr_size))
        return la;
    room = ir_get(t->ir, (write ? X86_ROOM_W : X86_ROOM_R) + seg);
    room = ir_add_imm(t->ir, room, 1 - (int64_t)size);
    return ir_select(t->ir, ir_cmp(t->ir, IRO_slt, ea, room), la, ir_or(t->ir, la, x86_const64(t, bad)));
}

ir_val x86_mem(struct x86_tr *t, unsigned size, bool write)
{
    return x86_linear(t, t->i->ea.seg, x86_ea(t), size, write);
}

ir_val x86_mem_at(struct x86_tr *t, unsigned off, unsigned size, bool write)
{
    return x86_linear(t, t->i->ea.seg, cut(t, ir_add_imm(t->ir, x86_ea(t), off), t->i->addr_size), size, write);
}

ir_val x86_load(struct x86_tr *t, ir_val linear, unsigned size)
{
    return ir_load(t->ir, x86_type(size), ir_mem((unsigned)__builtin_ctz(size), false, IR_RELAXED), linear);
}

/* A store takes the low bytes: nothing need be cleared above them. */
static ir_val unmasked(struct x86_tr *t, ir_val v, unsigned size)
{
    const struct ir_op *o = &t->ir->ops[v.id];
    uint64_t mask;

    if (o->op == IRO_and && ir_const_of(t->ir, o->arg[1], &mask) && size < 8 && !(~mask & ((1ull << 8 * size) - 1)))
        return (ir_val){o->arg[0]};
    return v;
}

void x86_store(struct x86_tr *t, ir_val linear, unsigned size, ir_val v)
{
    v = unmasked(t, v, size);
    ir_store(t->ir, ir_mem((unsigned)__builtin_ctz(size), false, IR_RELAXED), linear, v);
}

/* --- The stack --- */

unsigned x86_stack_size(const struct x86_tr *t)
{
    return x86_is64(t) ? 8 : t->mode & X86_MODE_STACK32 ? 4 : 2;
}

ir_val x86_sp(struct x86_tr *t, int64_t off)
{
    ir_val sp = ir_get(t->ir, X86_R0 + X86_SP);

    return cut(t, off ? ir_add_imm(t->ir, sp, off) : sp, x86_stack_size(t));
}

void x86_set_sp(struct x86_tr *t, ir_val sp)
{
    unsigned size = x86_stack_size(t);

    if (size == 2)
        merge(t, X86_SP, 0xffff, 0, sp);
    else
        ir_set(t->ir, X86_R0 + X86_SP, cut(t, sp, size));
}

void x86_push(struct x86_tr *t, unsigned size, ir_val v)
{
    ir_val sp = x86_sp(t, -(int64_t)size);

    x86_store(t, x86_linear(t, X86_SS, sp, size, true), size, v);
    x86_set_sp(t, sp);
}

ir_val x86_peek(struct x86_tr *t, unsigned size, int64_t off)
{
    return x86_load(t, x86_linear(t, X86_SS, x86_sp(t, off), size, false), size);
}

/* --- Flags --- */

ir_val x86_bit_of(struct x86_tr *t, ir_val v, unsigned n)
{
    return ir_cmp(t->ir, IRO_ne, ir_and_imm(t->ir, v, 1ull << n), ir_const(t->ir, ir_type_of(t->ir, v), 0));
}

static const uint8_t flag_slots[6] = {X86_CF, X86_ZF, X86_SF, X86_OF, X86_PF, X86_AF};

struct x86_flags x86_keep_flags(struct x86_tr *t)
{
    struct x86_flags f;

    for (unsigned i = 0; i < 6; i++)
        f.v[i] = ir_get(t->ir, flag_slots[i]);
    return f;
}

void x86_flags_if(struct x86_tr *t, ir_val cond, const struct x86_flags *old)
{
    for (unsigned i = 0; i < 6; i++)
        ir_set(t->ir, flag_slots[i], ir_select(t->ir, cond, ir_get(t->ir, flag_slots[i]), old->v[i]));
}

ir_val x86_get_flag(struct x86_tr *t, unsigned fl)
{
    struct ir *ir = t->ir;
    ir_val v;

    switch (fl) {
    case X86_FL_CF:
        return ir_get(ir, X86_CF);
    case X86_FL_ZF:
        return ir_get(ir, X86_ZF);
    case X86_FL_SF:
        return ir_get(ir, X86_SF);
    case X86_FL_OF:
        return ir_get(ir, X86_OF);
    case X86_FL_AF:
        return x86_bit_of(t, ir_xor(ir, ir_get(ir, X86_AF), ir_get(ir, X86_PF)), 4);
    default:
        v = ir_un(ir, IRO_popcnt, ir_and_imm(ir, ir_get(ir, X86_PF), 0xff));
        return ir_not(ir, x86_bit_of(t, v, 0));
    }
}

/* PF and AF are told apart by what both are kept in: a new PF has to keep AF as it is. */
static void set_parity(struct x86_tr *t, ir_val v)
{
    struct ir *ir = t->ir;
    ir_val af = ir_and_imm(ir, ir_xor(ir, ir_get(ir, X86_AF), ir_get(ir, X86_PF)), 0x10);
    ir_val pf = ir_select(ir, v, ir_const(ir, IR_I32, 0), ir_const(ir, IR_I32, 1));

    ir_set(ir, X86_PF, pf);
    ir_set(ir, X86_AF, af);
}

void x86_set_flag(struct x86_tr *t, unsigned fl, ir_val v)
{
    struct ir *ir = t->ir;

    switch (fl) {
    case X86_FL_CF:
        ir_set(ir, X86_CF, v);
        break;
    case X86_FL_ZF:
        ir_set(ir, X86_ZF, v);
        break;
    case X86_FL_SF:
        ir_set(ir, X86_SF, v);
        break;
    case X86_FL_OF:
        ir_set(ir, X86_OF, v);
        break;
    case X86_FL_AF:
        v = ir_select(ir, v, ir_const(ir, IR_I32, 0x10), ir_const(ir, IR_I32, 0));
        ir_set(ir, X86_AF, ir_xor(ir, v, ir_get(ir, X86_PF)));
        break;
    default:
        set_parity(t, v);
    }
}

static ir_val low32(struct x86_tr *t, ir_val v)
{
    return ir_type_of(t->ir, v) == IR_I64 ? ir_conv(t->ir, IRO_trunc, IR_I32, v) : v;
}

/* Narrow values are moved to the top of their type, where sign, carry and overflow are those of the type. */
static ir_val top(struct x86_tr *t, ir_val v, unsigned size)
{
    return size < 4 ? ir_shift_imm(t->ir, IRO_shl, v, 32 - 8 * size) : v;
}

static void set_zero_and_sign(struct x86_tr *t, ir_val zero_if, ir_val sign, unsigned size)
{
    ir_val zero = ir_const(t->ir, x86_type(size), 0);

    ir_set(t->ir, X86_SF, ir_cmp(t->ir, IRO_slt, sign, zero));
    ir_set(t->ir, X86_ZF, ir_cmp(t->ir, IRO_eq, zero_if, zero));
}

void x86_flags_result(struct x86_tr *t, ir_val r, unsigned size)
{
    set_zero_and_sign(t, r, top(t, r, size), size);
    ir_set(t->ir, X86_PF, low32(t, r));
    ir_set(t->ir, X86_AF, low32(t, r));
}

void x86_flags_logic(struct x86_tr *t, ir_val r, unsigned size)
{
    x86_flags_result(t, r, size);
    ir_set(t->ir, X86_CF, x86_bit(t, 0));
    ir_set(t->ir, X86_OF, x86_bit(t, 0));
}

/* What PF's value is to be compared with in bit 4; a constant without that bit changes nothing. */
static ir_val carries(struct x86_tr *t, ir_val a, ir_val b)
{
    uint64_t k;

    return ir_const_of(t->ir, b.id, &k) && !(k & X86_FL_AF) ? a : ir_xor(t->ir, a, b);
}

void x86_flags_add(struct x86_tr *t, ir_val a, ir_val b, ir_val r, unsigned size)
{
    ir_val ta = top(t, a, size), tb = top(t, b, size), tr = size < 4 ? ir_add(t->ir, ta, tb) : r;

    set_zero_and_sign(t, r, tr, size);
    ir_set(t->ir, X86_PF, low32(t, r));
    ir_set(t->ir, X86_AF, low32(t, carries(t, a, b)));
    ir_set(t->ir, X86_CF, ir_cmp(t->ir, IRO_ult, tr, ta));
    ir_set(t->ir, X86_OF, ir_cmp(t->ir, IRO_add_v, ta, tb));
}

/* Of @r only the low byte is looked at. */
void x86_flags_sub(struct x86_tr *t, ir_val a, ir_val b, ir_val r, unsigned size)
{
    ir_val ta = top(t, a, size), tb = top(t, b, size), tr = size < 4 ? ir_sub(t->ir, ta, tb) : r;

    set_zero_and_sign(t, tr, tr, size);
    ir_set(t->ir, X86_ZF, ir_cmp(t->ir, IRO_eq, ta, tb));
    ir_set(t->ir, X86_PF, low32(t, r));
    ir_set(t->ir, X86_AF, low32(t, carries(t, a, b)));
    ir_set(t->ir, X86_CF, ir_cmp(t->ir, IRO_ult, ta, tb));
    ir_set(t->ir, X86_OF, ir_cmp(t->ir, IRO_sub_v, ta, tb));
}

/* The shapes below are those that the builder folds back into one comparison. */
ir_val x86_cond(struct x86_tr *t, unsigned cc)
{
    struct ir *ir = t->ir;
    ir_val r;

    switch (cc >> 1) {
    case 0:
        r = ir_get(ir, X86_OF);
        break;
    case 1:
        r = ir_get(ir, X86_CF);
        break;
    case 2:
        r = ir_get(ir, X86_ZF);
        break;
    case 3: /* BE, NBE */
        if (cc & 1)
            return ir_and(ir, ir_not(ir, ir_get(ir, X86_CF)), ir_not(ir, ir_get(ir, X86_ZF)));
        return ir_or(ir, ir_get(ir, X86_CF), ir_get(ir, X86_ZF));
    case 4:
        r = ir_get(ir, X86_SF);
        break;
    case 5:
        r = x86_get_flag(t, X86_FL_PF);
        break;
    case 6: /* L, NL */
        r = ir_xor(ir, ir_get(ir, X86_SF), ir_get(ir, X86_OF));
        break;
    default: /* LE, NLE */
        r = ir_xor(ir, ir_get(ir, X86_SF), ir_get(ir, X86_OF));
        if (cc & 1)
            return ir_and(ir, ir_not(ir, ir_get(ir, X86_ZF)), ir_not(ir, r));
        return ir_or(ir, ir_get(ir, X86_ZF), r);
    }
    return cc & 1 ? ir_not(ir, r) : r;
}

/* --- Leaving --- */

void x86_stop(struct x86_tr *t, unsigned why, unsigned vector)
{
    ir_trap(t->ir, CPU_STOP_GUEST, x86_detail(why, vector, 0, t->i->len), t->pc);
}

void x86_raise(struct x86_tr *t, unsigned vector, uint32_t error)
{
    ir_trap(t->ir, CPU_STOP_GUEST, x86_detail(X86_STOP_EXCEPTION, vector, error, t->i->len), t->pc);
}

void x86_check(struct x86_tr *t, ir_val cond, unsigned vector, uint32_t error)
{
    ir_check(t->ir, cond, CPU_STOP_GUEST, x86_detail(X86_STOP_EXCEPTION, vector, error, t->i->len));
}

uint64_t x86_throw(struct cpu *cpu, unsigned vector, uint32_t error)
{
    cpu->stop = CPU_STOP_GUEST;
    cpu->detail = x86_detail(X86_STOP_EXCEPTION, vector, error, 0);
    return 0;
}

void x86_undefined(struct x86_tr *t)
{
    ir_trap(t->ir, CPU_STOP_UNDEFINED, 0, t->pc);
}

/* With 16-bit operands, offsets wrap at 64 KiB; where the segment begins is not known here. */
static bool wraps(const struct x86_tr *t)
{
    return t->i->op_size == 2 && !(t->mode & X86_MODE_FLAT);
}

static ir_val wrapped(struct x86_tr *t, uint64_t pc)
{
    return in_segment(t, X86_CS, x86_ip(t, pc, 2));
}

/* In 16-bit code what lies outside is 64 KiB away, on the other side. */
void x86_goto(struct x86_tr *t, uint64_t pc)
{
    ir_val off;

    if (!wraps(t)) {
        ir_goto(t->ir, pc);
    } else if (x86_code(t->mode) != X86_CODE16) {
        ir_goto_ind(t->ir, wrapped(t, pc), IR_EXIT_JUMP, 0);
    } else {
        off = ir_sub(t->ir, x86_const64(t, pc), ir_get(t->ir, X86_BASE + X86_CS));
        ir_goto_if(t->ir, ir_cmp(t->ir, IRO_ult, off, x86_const64(t, 0x10000)), pc, (uint32_t)(pc > t->pc ? pc - 0x10000 : pc + 0x10000));
    }
}

/* Short ones are not looked at. */
void x86_goto_if(struct x86_tr *t, ir_val cond, uint64_t pc)
{
    if (wraps(t) && pc - t->next + 128 > 255)
        ir_goto_ind(t->ir, ir_select(t->ir, cond, wrapped(t, pc), x86_const64(t, t->next)), IR_EXIT_JUMP, 0);
    else
        ir_goto_if(t->ir, cond, pc, t->next);
}

void x86_goto_call(struct x86_tr *t, uint64_t pc)
{
    if (wraps(t))
        ir_goto_ind(t->ir, wrapped(t, pc), IR_EXIT_CALL, t->next);
    else
        ir_goto_call(t->ir, pc, t->next);
}

ir_val x86_ip(struct x86_tr *t, uint64_t pc, unsigned size)
{
    ir_val v = x86_const64(t, pc);

    if (!(t->mode & X86_MODE_FLAT))
        v = ir_sub(t->ir, v, ir_get(t->ir, X86_BASE + X86_CS));
    return cut(t, v, size);
}

void x86_goto_ind(struct x86_tr *t, ir_val ip, enum ir_exit_kind kind, uint64_t ret)
{
    if (!(t->mode & X86_MODE_FLAT))
        ip = in_segment(t, X86_CS, ip);
    ir_goto_ind(t->ir, ip, kind, ret);
}

void x86_again(struct x86_tr *t)
{
    ir_trap(t->ir, CPU_STOP_AGAIN, 0, t->next);
}

/* --- The loop --- */

/* A switch, not a table of pointers: nothing to relocate when the program starts. */
static void translate(struct x86_tr *t)
{
    switch (t->i->row) {
#define INSN(name, enc, ops, feat, attr)                                                                             \
    case X86_ROW_CONCAT(name, __LINE__): tr_x86_##name(t); break;
#include "guest/x86/insn_system.def"
#include "guest/x86/insn.def"
#include "guest/x86/insn_x87.def"
#include "guest/x86/insn_simd.def"
#undef INSN
    default:
        x86_undefined(t);
    }
}

/* What the mode does not allow of x87, MMX and vectors; true: it has been raised (SDM 3A, tables 2-2 and 13-1). */
static bool unit_is_off(struct x86_tr *t)
{
    uint32_t all = X86_MODE_NO_FPU | X86_MODE_NO_SSE | X86_MODE_SSE_NM | X86_MODE_NO_AVX | X86_MODE_NO_MMX | X86_MODE_WAIT_NM, m = t->mode;

    if (!(m & all) || t->i->row == X86_NO_ROW)
        return false;
    switch (x86_row_unit(t->i->row)) {
    case X86_UNIT_INTEGER:
    case X86_UNIT_XSAVE: /* these look themselves */
        return false;
    case X86_UNIT_X87:
        if (!(m & X86_MODE_NO_FPU))
            return false;
        break;
    case X86_UNIT_WAIT:
        if (!(m & X86_MODE_WAIT_NM))
            return false;
        break;
    case X86_UNIT_MMX:
        if (m & X86_MODE_NO_MMX) {
            x86_undefined(t);
            return true;
        }
        if (!(m & X86_MODE_SSE_NM))
            return false;
        break;
    case X86_UNIT_SSE:
        if (m & X86_MODE_NO_SSE) {
            x86_undefined(t);
            return true;
        }
        if (!(m & X86_MODE_SSE_NM))
            return false;
        break;
    case X86_UNIT_AVX:
        if (m & X86_MODE_NO_AVX) {
            x86_undefined(t);
            return true;
        }
        if (!(m & X86_MODE_SSE_NM))
            return false;
        break;
    }
    x86_raise(t, X86_EXC_NM, 0);
    return true;
}

/* MMX registers are the x87 unit's: whatever uses one waits as that does (SDM 3A, 13.1 and 24.25.3). */
static bool needs_mmx(const struct x86_insn *i)
{
    if (i->row != X86_NO_ROW && x86_row_unit(i->row) == X86_UNIT_MMX)
        return true;
    for (unsigned n = 0; n < i->n_ops; n++)
        if (i->op[n].kind == X86_OP_MM)
            return true;
    return false;
}

static void too_long(struct x86_tr *t)
{
    if (x86_is_system(t))
        x86_raise(t, X86_EXC_GP, 0);
    else
        x86_undefined(t);
}

/* The instruction's @len bytes are still what they were, or it leaves. */
static void check_bytes(struct x86_tr *t, const uint8_t *code, unsigned len)
{
    ir_val differs = IR_NONE;

    for (unsigned at = 0, n; at < len; at += n) {
        uint64_t want = 0;
        ir_val now, d;

        n = len - at >= 8 ? 8 : len - at >= 4 ? 4 : len - at >= 2 ? 2 : 1;
        memcpy(&want, code + at, n);
        now = x86_load(t, x86_const64(t, t->pc + at), n);
        d = ir_cmp(t->ir, IRO_ne, now, x86_const(t, n, want));
        differs = at == 0 ? d : ir_or(t->ir, differs, d);
    }
    ir_check(t->ir, differs, CPU_STOP_GUEST, x86_detail(X86_STOP_CHANGED, 0, 0, len));
}

uint32_t x86_lift(struct ir *ir, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint64_t end, unsigned limit)
{
    struct x86_insn i;
    struct x86_tr t = {.ir = ir, .pc = pc, .mode = mode, .feats = x86_features_of(mode), .i = &i};
    uint32_t done = 0;

    while (!ir_ended(ir)) {
        enum x86_decoded how;

        if (limit-- == 0 || t.pc == end || done >= avail) {
            ir_goto(ir, t.pc);
            break;
        }
        how = x86_decode(mode, t.pc, code + done, avail - done, &i);
        if (how == X86_SHORT && done) {
            ir_goto(ir, t.pc);
            break;
        }
        ir_at(ir, t.pc);
        if (how == X86_SHORT) {
            ir_trap(ir, CPU_STOP_FETCH_FAULT, 0, t.pc);
            return (uint32_t)avail;
        }
        t.next = t.pc + i.len;
        if ((mode & X86_MODE_CHECKED) && !(mode & X86_MODE_SYSTEM))
            check_bytes(&t, code + done, i.len);
        if (how == X86_TOO_LONG) {
            too_long(&t);
        } else if (!unit_is_off(&t)) {
            if ((mode & X86_MODE_X87_SLOW) && needs_mmx(&i))
                x86_x87_wait(&t);
            translate(&t);
        }
        t.pc = t.next;
        done += i.len;
    }
    return done;
}

static uint8_t scan_end(enum x86_end end)
{
    static const uint8_t kinds[] = {GUEST_END_FALL, GUEST_END_JUMP, GUEST_END_COND, GUEST_END_CALL,
                                    GUEST_END_RET,  GUEST_END_IND,  GUEST_END_TRAP};

    return kinds[end];
}

void x86_scan(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, unsigned limit, struct guest_scan *out)
{
    struct x86_insn i;

    *out = (struct guest_scan){.end = pc, .kind = GUEST_END_FALL};
    for (size_t off = 0; out->n_insns < limit && off < avail; off += i.len) {
        enum x86_decoded how = x86_decode(mode, pc + off, code + off, avail - off, &i);
        enum x86_end end;

        if (how == X86_SHORT && off)
            return;
        if (how != X86_OK) {
            *out = (struct guest_scan){.end = pc + off + 1, .kind = GUEST_END_TRAP, .n_insns = out->n_insns + 1};
            return;
        }
        end = i.end;
        if (x86_insn_alone(&i)) {
            if (off)
                return; /* the block falls into the next */
            out->alone = true;
            end = X86_TRAP;
        }
        out->end = pc + off + i.len;
        out->n_insns++;
        if (end != X86_FALL) {
            out->kind = scan_end(end);
            out->target = (uint64_t)i.imm;
            return;
        }
    }
}

unsigned x86_length(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail)
{
    struct x86_insn i;
    enum x86_decoded how = x86_decode(mode, pc, code, avail, &i);

    return how == X86_OK ? i.len : how == X86_SHORT ? 0 : X86_MAX_LEN;
}
