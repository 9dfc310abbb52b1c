/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of x86 code in the flat form (ir/flat.h), for code that has not run yet: instructions on integer registers as they are
 * encoded, moves of vectors and what works on their bits, ways out.  What is not said here ends the block or is lifted.  Source: SDM 2.
 *
 * Flags are stored before a way out when a short look ahead (idle.c) finds that somebody may read them there: mostly nobody does,
 * and they would be a third of the block.
 */
#include "guest/x86/decode.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/x86.h"

#include "ir/flat.h"

#include <string.h>

struct tr {
    struct flat *f;
    const struct x86_insn *i;
    uint64_t pc, next, start;
    uint32_t mode;
    bool ended;
};

static bool is64(const struct tr *t)
{
    return x86_code(t->mode) == X86_CODE64;
}

static struct flat_op *push(struct tr *t, enum flat_kind kind)
{
    struct flat_op *o = &t->f->op[t->f->n++];

    memset(o, 0, sizeof(*o));
    o->kind = kind;
    o->a = o->b = FLAT_ZERO;
    o->at = (uint32_t)(t->pc - t->start);
    return o;
}

static unsigned log2_of(unsigned size)
{
    return (unsigned)__builtin_ctz(size);
}

static unsigned wide(unsigned size)
{
    return size == 8 ? FLAT_WIDE : 0;
}

/* --- Operands --- */

/* The memory operand; false: not in this form. */
static bool memory(struct tr *t, struct flat_op *o, unsigned n, int64_t off)
{
    const struct x86_ea *ea = &t->i->ea;
    bool has_seg = ea->seg >= X86_FS;

    if (t->i->op[n].kind != X86_OP_MEM || t->i->addr_size == 2)
        return false;
    if (has_seg && (t->i->addr_size == 4 ? is64(t) || t->mode & X86_MODE_SYSTEM : !is64(t)))
        return false;
    o->how |= FLAT_MEM | (t->i->addr_size == 4 ? FLAT_WIDEN : 0);
    o->seg = has_seg ? (uint8_t)(X86_BASE + ea->seg) : 0;
    o->a = ea->base == X86_NO_REG ? FLAT_ZERO : X86_R0 + ea->base;
    o->b = ea->index == X86_NO_REG ? FLAT_ZERO : X86_R0 + ea->index;
    o->amount = ea->scale;
    o->imm = (uint64_t)(ea->disp + off);
    return true;
}

/* At @off from a register, as the stack is. */
static void at_register(struct tr *t, struct flat_op *o, unsigned reg, int64_t off)
{
    o->how |= FLAT_MEM | (is64(t) ? 0 : FLAT_WIDEN);
    o->a = X86_R0 + reg;
    o->imm = (uint64_t)off;
}

static bool is_gpr(const struct tr *t, unsigned n)
{
    return t->i->op[n].kind == X86_OP_GPR;
}

static bool is_high(const struct tr *t, unsigned n)
{
    return t->i->op[n].kind == X86_OP_GPRH;
}

/* Operand @n as ModRM.rm. */
static bool rm(struct tr *t, struct flat_op *o, unsigned n)
{
    if (!is_gpr(t, n) && !is_high(t, n))
        return memory(t, o, n, 0);
    o->a = X86_R0 + t->i->op[n].reg;
    if (is_high(t, n))
        o->high |= FLAT_HIGH_RM;
    return true;
}

static bool reg(struct tr *t, struct flat_op *o, unsigned n)
{
    o->d = X86_R0 + t->i->op[n].reg;
    if (is_high(t, n))
        o->high |= FLAT_HIGH_REG;
    return is_gpr(t, n) || (is_high(t, n) && !(t->mode & X86_MODE_SYSTEM)); /* there, memory takes both temporaries */
}

static struct flat_op *native(struct tr *t, unsigned map, unsigned opcode, unsigned size, unsigned how)
{
    struct flat_op *o = push(t, FLAT_NATIVE);

    o->ext = (uint8_t)map;
    o->op = (uint8_t)opcode;
    o->size = (uint8_t)log2_of(size);
    o->how = (uint16_t)(how | wide(size));
    return o;
}

static struct flat_op *flags(struct flat_op *o, unsigned reads, unsigned writes, enum flat_rule rule)
{
    o->reads = (uint8_t)reads;
    o->writes = (uint8_t)writes;
    o->rule = rule;
    return o;
}

static void immediate(struct flat_op *o, int64_t v, unsigned bytes)
{
    o->other = (uint64_t)v;
    o->c = (uint8_t)bytes;
}

static unsigned imm_bytes(unsigned size)
{
    return size == 8 ? 4 : size;
}

/* --- Arithmetic --- */

enum { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };

static void alu_flags(struct flat_op *o, unsigned op)
{
    bool logic = op == OR || op == AND || op == XOR;

    flags(o, op == ADC || op == SBB ? FLAT_C : 0, FLAT_ALL_FLAGS, logic ? FLAT_LOGIC : FLAT_EXACT);
}

static bool alu(struct tr *t, unsigned op)
{
    const struct x86_insn *i = t->i;
    unsigned size = i->op[0].size, out = op == CMP ? 0 : FLAT_RM_OUT;
    bool to_rm = !(i->opcode & 2);
    struct flat_op *o;

    if (i->op[1].kind == X86_OP_IMM) {
        o = native(t, 0, size == 1 ? 0x80 : 0x81, size, FLAT_RM_IN | out);
        o->d = (uint8_t)op;
        immediate(o, i->imm, imm_bytes(size));
        alu_flags(o, op);
        return rm(t, o, 0);
    }
    o = native(t, 0, i->opcode, size, FLAT_RM_IN | FLAT_REG_IN | (to_rm ? out : op == CMP ? 0 : FLAT_REG_OUT));
    alu_flags(o, op);
    return rm(t, o, !to_rm) && reg(t, o, to_rm);
}

static bool test(struct tr *t)
{
    const struct x86_insn *i = t->i;
    unsigned size = i->op[0].size;
    struct flat_op *o;

    if (i->op[1].kind == X86_OP_IMM) {
        o = native(t, 0, size == 1 ? 0xf6 : 0xf7, size, FLAT_RM_IN);
        immediate(o, i->imm, imm_bytes(size));
    } else {
        o = native(t, 0, i->opcode, size, FLAT_RM_IN | FLAT_REG_IN);
    }
    flags(o, 0, FLAT_ALL_FLAGS, FLAT_LOGIC);
    return rm(t, o, 0) && (i->op[1].kind == X86_OP_IMM || reg(t, o, 1));
}

/* One operand, read and written, with opcode extension @digit. */
static bool one(struct tr *t, unsigned opcode, unsigned digit, unsigned writes)
{
    struct flat_op *o = native(t, 0, opcode, t->i->op[0].size, FLAT_RM_IN | FLAT_RM_OUT);

    o->d = (uint8_t)digit;
    flags(o, 0, writes, FLAT_EXACT);
    return rm(t, o, 0);
}

static bool multiply(struct tr *t)
{
    const struct x86_insn *i = t->i;
    bool three = i->n_ops == 3;
    unsigned size = i->op[0].size;
    struct flat_op *o = native(t, three ? 0 : 1, three ? 0x69 : 0xaf, size, FLAT_RM_IN | FLAT_REG_OUT);

    if (size == 2)
        return false;
    if (three)
        immediate(o, i->imm, 4);
    else
        o->how |= FLAT_REG_IN;
    flags(o, 0, FLAT_ALL_FLAGS, FLAT_PRODUCT);
    return rm(t, o, 1) && reg(t, o, 0);
}

/* rDX:rAX = rAX * operand; the registers are implied. */
static bool multiply_one(struct tr *t)
{
    unsigned size = t->i->op[0].size;
    struct flat_op *o = native(t, 0, 0xf7, size, FLAT_RM_IN);

    if (size < 4 || !is_gpr(t, 0))
        return false;
    o->d = t->i->modrm >> 3 & 7;
    flags(o, 0, FLAT_ALL_FLAGS, FLAT_PRODUCT);
    return rm(t, o, 0);
}

/* Group F6, F7 */
static bool unary(struct tr *t)
{
    unsigned digit = t->i->modrm >> 3 & 7;

    switch (digit) {
    case 0: case 1: return test(t);
    case 2: return one(t, t->i->opcode, 2, 0);
    case 3: return one(t, t->i->opcode, 3, FLAT_ALL_FLAGS);
    case 4: case 5: return multiply_one(t);
    default: return false; /* may raise #DE */
    }
}

/* Groups C0, C1, D0 to D3. */
static bool shift(struct tr *t)
{
    const struct x86_insn *i = t->i;
    unsigned size = i->op[0].size, digit = i->modrm >> 3 & 7, n = (unsigned)i->imm & (size == 8 ? 63 : 31);
    bool by_cl = i->opcode >= 0xd2, rotate = digit < 2;
    struct flat_op *o = native(t, 0, by_cl ? i->opcode : 0xc0 | (size != 1), size, FLAT_RM_IN | FLAT_RM_OUT);

    if (digit == 2 || digit == 3 || !is_gpr(t, 0) || (by_cl && rotate) || (!by_cl && !n))
        return false;
    if (!by_cl)
        immediate(o, n, 1);
    o->d = (uint8_t)(digit == 6 ? 4 : digit);
    flags(o, 0, rotate ? FLAT_C | FLAT_O : FLAT_ALL_FLAGS, rotate ? FLAT_ROTATES : FLAT_SHIFTS);
    return rm(t, o, 0);
}

/* BT and its kin on registers. */
static bool bit(struct tr *t)
{
    const struct x86_insn *i = t->i;
    bool imm = i->opcode == 0xba;
    unsigned digit = imm ? i->modrm >> 3 & 7 : i->opcode >> 3 & 7, size = i->op[0].size;
    struct flat_op *o = native(t, 1, i->opcode, size, FLAT_RM_IN | (digit == 4 ? 0 : FLAT_RM_OUT) | (imm ? 0 : FLAT_REG_IN));

    flags(o, 0, FLAT_C, FLAT_BIT);
    o->d = (uint8_t)digit;
    if (imm)
        immediate(o, i->imm & (8 * size - 1), 1);
    return is_gpr(t, 0) && rm(t, o, 0) && (imm || reg(t, o, 1));
}

/* --- Moves --- */

static struct flat_op *load(struct tr *t, unsigned d, unsigned size, unsigned how)
{
    struct flat_op *o = push(t, FLAT_LOAD);

    o->d = (uint8_t)d;
    o->size = (uint8_t)log2_of(size);
    o->how = (uint16_t)how;
    return o;
}

static struct flat_op *store(struct tr *t, unsigned d, unsigned size)
{
    struct flat_op *o = push(t, FLAT_STORE);

    o->d = (uint8_t)d;
    o->size = (uint8_t)log2_of(size);
    return o;
}

static bool constant(struct tr *t, unsigned d, uint64_t v)
{
    struct flat_op *o = push(t, FLAT_CONST);

    o->d = (uint8_t)d;
    o->imm = v;
    return true;
}

static bool copy(struct tr *t, unsigned d, unsigned a, unsigned size)
{
    struct flat_op *o = push(t, FLAT_MOVE);

    o->d = (uint8_t)d;
    o->a = (uint8_t)a;
    o->how = (uint16_t)wide(size);
    return true;
}

static uint64_t cut(int64_t v, unsigned size)
{
    return size == 8 ? (uint64_t)v : (uint64_t)v & ((1ull << 8 * size) - 1);
}

static bool move_imm(struct tr *t)
{
    unsigned size = t->i->op[0].size;
    struct flat_op *o;

    if (!is_gpr(t, 0)) {
        o = store(t, FLAT_ZERO, size);
        o->how |= FLAT_IMM;
        o->other = (uint64_t)t->i->imm;
        return memory(t, o, 0, 0);
    }
    if (size >= 4)
        return constant(t, X86_R0 + t->i->op[0].reg, cut(t->i->imm, size));
    o = native(t, 0, size == 1 ? 0xc6 : 0xc7, size, FLAT_RM_IN | FLAT_RM_OUT);
    immediate(o, t->i->imm, size);
    return rm(t, o, 0);
}

static bool move(struct tr *t)
{
    const struct x86_insn *i = t->i;
    unsigned size = i->op[0].size;
    struct flat_op *o;

    if (is_gpr(t, 0) && is_gpr(t, 1)) {
        if (size >= 4)
            return copy(t, X86_R0 + i->op[0].reg, X86_R0 + i->op[1].reg, size);
        o = native(t, 0, size == 1 ? 0x88 : 0x89, size, FLAT_RM_IN | FLAT_RM_OUT | FLAT_REG_IN);
        return rm(t, o, 0) && reg(t, o, 1);
    }
    if (is_gpr(t, 1))
        return memory(t, store(t, X86_R0 + i->op[1].reg, size), 0, 0);
    if (!is_gpr(t, 0))
        return false;
    if (size >= 4)
        return memory(t, load(t, X86_R0 + i->op[0].reg, size, wide(size)), 1, 0);
    o = native(t, 0, size == 1 ? 0x8a : 0x8b, size, FLAT_RM_IN | FLAT_REG_IN | FLAT_REG_OUT);
    return reg(t, o, 0) && rm(t, o, 1);
}

/* MOVZX, MOVSX, MOVSXD */
static bool extend(struct tr *t, bool sign)
{
    const struct x86_insn *i = t->i;
    unsigned size = i->op[0].size, from = i->op[1].size;
    struct flat_op *o;

    if (size == 2)
        return false;
    if (i->op[1].kind == X86_OP_MEM)
        return memory(t, load(t, X86_R0 + i->op[0].reg, from, wide(size) | (sign && from < size ? FLAT_SIGN : 0)), 1, 0);
    o = native(t, i->map, i->opcode, size, FLAT_RM_IN | FLAT_REG_OUT);
    return rm(t, o, 1) && reg(t, o, 0);
}

static bool lea(struct tr *t)
{
    const struct x86_insn *i = t->i;
    struct flat_op *o;

    if (i->op[0].size == 2)
        return false;
    if (i->ea.base == X86_NO_REG && i->ea.index == X86_NO_REG)
        return constant(t, X86_R0 + i->op[0].reg, cut((int64_t)cut(i->ea.disp, i->addr_size), i->op[0].size));
    o = native(t, 0, 0x8d, i->op[0].size, FLAT_REG_OUT);
    if (!memory(t, o, 1, 0) && (i->addr_size == 2 || i->ea.seg < X86_FS))
        return false;
    o->seg = 0;
    return reg(t, o, 0) && o->how & FLAT_MEM;
}

static bool exchange(struct tr *t)
{
    struct flat_op *o = native(t, 0, t->i->op[0].size == 1 ? 0x86 : 0x87, t->i->op[0].size,
                               FLAT_RM_IN | FLAT_RM_OUT | FLAT_REG_IN | FLAT_REG_OUT);

    if (!is_gpr(t, 0) || !is_gpr(t, 1))
        return false;
    if (t->i->op[0].reg == t->i->op[1].reg && t->i->opcode == 0x90) { /* NOP */
        t->f->n--;
        return !(t->i->rex & 1);
    }
    return t->i->op[0].reg != t->i->op[1].reg && rm(t, o, 0) && reg(t, o, 1);
}

/* CBW and CWD, as extensions and shifts of the registers concerned. */
static bool sign_ax(struct tr *t, bool into_dx)
{
    unsigned size = t->i->op_size;
    struct flat_op *o;

    if (size == 2)
        return false;
    if (!into_dx) {
        o = size == 8 ? native(t, 0, 0x63, 8, FLAT_RM_IN | FLAT_REG_OUT) : native(t, 1, 0xbf, 4, FLAT_RM_IN | FLAT_REG_OUT);
        o->a = o->d = X86_R0 + X86_AX;
        return true;
    }
    o = push(t, FLAT_FIELD);
    o->how = (uint16_t)(FLAT_SIGN | wide(size));
    o->a = X86_R0 + X86_AX;
    o->d = X86_R0 + X86_DX;
    o->imm = 8 * size - 1;
    o->writes = 0;
    return true;
}

static bool set_if(struct tr *t)
{
    struct flat_op *o = native(t, 1, t->i->opcode, 1, FLAT_RM_OUT | (is_gpr(t, 0) ? FLAT_RM_IN : 0));

    o->cond = t->i->opcode & 15;
    return is_gpr(t, 0) && rm(t, o, 0);
}

static bool move_if(struct tr *t)
{
    struct flat_op *o = native(t, 1, t->i->opcode, t->i->op[0].size, FLAT_RM_IN | FLAT_REG_IN | FLAT_REG_OUT);

    return t->i->op[0].size >= 4 && reg(t, o, 0) && rm(t, o, 1);
}

static bool swap_bytes(struct tr *t)
{
    struct flat_op *o = native(t, 1, 0xc8, t->i->op[0].size, FLAT_RM_IN | FLAT_RM_OUT);

    return t->i->op[0].size >= 4 && rm(t, o, 0);
}

/* --- Vectors: moves, and what works on bits and integers --- */

static bool unit_is_off(const struct tr *t)
{
    return t->mode & (X86_MODE_NO_SSE | X86_MODE_SSE_NM);
}

static bool is_vector(const struct tr *t, unsigned n)
{
    return t->i->op[n].kind == X86_OP_VEC;
}

static uint8_t xmm(const struct tr *t, unsigned n)
{
    return (uint8_t)(X86_XMM0 + t->i->op[n].reg);
}

/* Operand @n as the source or destination of a row on vectors; a machine's memory that must be aligned is lifted. */
static bool vector_rm(struct tr *t, struct flat_op *o, unsigned n)
{
    if (is_vector(t, n))
        o->a = xmm(t, n);
    else if (is_gpr(t, n))
        o->a = X86_R0 + t->i->op[n].reg;
    else
        return !(t->mode & X86_MODE_SYSTEM) && memory(t, o, n, 0);
    return true;
}

static struct flat_op *native_vector(struct tr *t, unsigned opcode)
{
    struct flat_op *o = native(t, 1, opcode, 16, FLAT_VEC);

    o->cond = t->i->data16 ? 0x66 : 0;
    return o;
}

/* Between memory and a vector's first @size bytes, which when loaded are all that is not zero. */
static bool move_part(struct tr *t, unsigned v, unsigned size)
{
    struct flat_op *o = push(t, v ? FLAT_STORE : FLAT_LOAD);

    o->how = FLAT_VEC;
    o->size = (uint8_t)log2_of(size);
    o->d = xmm(t, v);
    return is_vector(t, v) && memory(t, o, !v, 0);
}

/* 10, 11, 13, 28, 29, 6F, 7F: MOVUPS and MOVAPS and their kin, MOVSS and MOVSD */
static bool move_vector(struct tr *t)
{
    const struct x86_insn *i = t->i;
    unsigned op = i->opcode, v = i->op[0].kind == X86_OP_MEM;
    bool aligned = op == 0x28 || op == 0x29 || (op >= 0x6f && !i->rep);
    struct flat_op *o;

    if (unit_is_off(t) || !is_vector(t, v))
        return false;
    if (i->op[!v].kind == X86_OP_MEM && !aligned)
        return move_part(t, v, i->op[!v].size);
    if (i->op[0].size != 16 || i->op[1].size != 16 || (op <= 0x11 && (i->rep || i->repne)))
        return false; /* MOVSS and MOVSD between registers keep the rest */
    o = native_vector(t, v ? 0x29 : 0x28);
    o->d = xmm(t, v);
    return vector_rm(t, o, !v);
}

/* 6E, 7E, D6: MOVD and MOVQ */
static bool move_word(struct tr *t)
{
    const struct x86_insn *i = t->i;
    bool to_gpr = is_gpr(t, 0);
    struct flat_op *o;

    if (unit_is_off(t))
        return false;
    for (unsigned n = 0; n < 2; n++)
        if (i->op[n].kind == X86_OP_MEM)
            return move_part(t, !n, i->op[n].size);
        else if (!is_gpr(t, n) && !is_vector(t, n))
            return false;
    o = native_vector(t, to_gpr ? 0x7e : is_gpr(t, 1) ? 0x6e : 0xd6);
    o->how |= to_gpr ? wide(i->op[0].size) : wide(i->op[1].size);
    o->d = to_gpr ? X86_R0 + i->op[0].reg : xmm(t, 0);
    return vector_rm(t, o, 1);
}

/* Two vectors, or a vector and memory that must be aligned, to the first one; perhaps with an immediate byte. */
static bool vector_op(struct tr *t)
{
    const struct x86_insn *i = t->i;
    struct flat_op *o;

    if (unit_is_off(t) || i->rep || i->repne || !is_vector(t, 0) || i->op[0].size != 16 || i->op[1].size != 16)
        return false;
    o = native_vector(t, i->opcode);
    o->d = xmm(t, 0);
    if (i->n_ops == 3)
        immediate(o, i->imm, 1);
    return (i->n_ops == 2 || i->op[2].kind == X86_OP_IMM) && vector_rm(t, o, 1);
}

/* --- The stack --- */

static void move_stack(struct tr *t, int64_t by)
{
    struct flat_op *o = push(t, FLAT_ALU);

    o->op = FLAT_ADD;
    o->how = (uint16_t)(FLAT_IMM | (is64(t) ? FLAT_WIDE : 0));
    o->d = o->a = X86_R0 + X86_SP;
    o->imm = (uint64_t)by;
}

static bool push_slot(struct tr *t, unsigned slot, unsigned size)
{
    at_register(t, store(t, slot, size), X86_SP, -(int64_t)size);
    move_stack(t, -(int64_t)size);
    return true;
}

static bool push_imm(struct tr *t, uint64_t v, unsigned size)
{
    struct flat_op *o;

    if (size == 8 && (int64_t)v != (int32_t)v)
        return constant(t, FLAT_TEMP1, v) && push_slot(t, FLAT_TEMP1, size);
    o = store(t, FLAT_ZERO, size);
    o->how |= FLAT_IMM;
    o->other = v;
    at_register(t, o, X86_SP, -(int64_t)size);
    move_stack(t, -(int64_t)size);
    return true;
}

static bool push_operand(struct tr *t)
{
    unsigned size = t->i->op_size;

    if (size == 2)
        return false;
    if (t->i->op[0].kind == X86_OP_IMM)
        return push_imm(t, cut(t->i->imm, size), size);
    if (is_gpr(t, 0))
        return push_slot(t, X86_R0 + t->i->op[0].reg, size);
    return memory(t, load(t, FLAT_TEMP0, size, wide(size)), 0, 0) && push_slot(t, FLAT_TEMP0, size);
}

static void pop_slot(struct tr *t, unsigned slot, unsigned size, int64_t more)
{
    at_register(t, load(t, slot, size, wide(size)), X86_SP, 0);
    move_stack(t, (int64_t)size + more);
}

static bool pop_operand(struct tr *t)
{
    unsigned size = t->i->op_size;

    if (size == 2 || !is_gpr(t, 0))
        return false;
    if (t->i->op[0].reg == X86_SP) {
        at_register(t, load(t, X86_R0 + X86_SP, size, wide(size)), X86_SP, 0);
        return true;
    }
    pop_slot(t, X86_R0 + t->i->op[0].reg, size, 0);
    return true;
}

static bool leave(struct tr *t)
{
    unsigned size = t->i->op_size;
    struct flat_op *o;

    if (size == 2)
        return false;
    at_register(t, load(t, FLAT_TEMP0, size, wide(size)), X86_BP, 0);
    o = push(t, FLAT_ALU);
    o->op = FLAT_ADD;
    o->how = (uint16_t)(FLAT_IMM | (is64(t) ? FLAT_WIDE : 0));
    o->d = X86_R0 + X86_SP;
    o->a = X86_R0 + X86_BP;
    o->imm = size;
    return copy(t, X86_R0 + X86_BP, FLAT_TEMP0, size);
}

/* --- Ways out --- */

/* May flags be read from @pc on before they are written? */
static bool live_at(const struct tr *t, uint64_t pc)
{
    const struct flat *f = t->f;

    return f->exact || !f->idle_dead_at || !f->idle_dead_at(f->idle_opaque, pc);
}

/* Does a row so far write flags? */
static bool sets_flags(const struct tr *t)
{
    for (unsigned i = 0; i < t->f->n; i++)
        if (t->f->op[i].writes)
            return true;
    return false;
}

static bool jump(struct tr *t, uint64_t to)
{
    t->f->flags_live = sets_flags(t) && live_at(t, to);
    push(t, FLAT_JUMP)->imm = to;
    t->ended = true;
    return true;
}

static bool branch(struct tr *t)
{
    struct flat_op *o = push(t, FLAT_BRANCH);

    o->cond = t->i->opcode & 15;
    o->imm = (uint64_t)t->i->imm;
    o->other = t->next;
    t->f->flags_live = sets_flags(t) && (live_at(t, t->next) || live_at(t, o->imm));
    t->ended = true;
    return true;
}

static bool call(struct tr *t)
{
    struct flat_op *o;

    if (!push_imm(t, t->next, t->i->op_size))
        return false;
    jump(t, (uint64_t)t->i->imm);
    o = &t->f->op[t->f->n - 1];
    o->how = FLAT_CALL;
    o->other = t->next;
    o->amount = !live_at(t, t->next);
    return true;
}

static bool indirect(struct tr *t, enum ir_exit_kind kind, unsigned slot, uint64_t ret)
{
    struct flat_op *o = push(t, FLAT_IND);

    o->a = (uint8_t)slot;
    o->op = kind;
    o->cond = 0;
    o->imm = ret;
    o->amount = kind == IR_EXIT_CALL && !live_at(t, ret);
    t->ended = true;
    return true;
}

static bool target(struct tr *t)
{
    unsigned size = t->i->op[0].size;

    if (is_gpr(t, 0))
        return copy(t, FLAT_TEMP0, X86_R0 + t->i->op[0].reg, size);
    return memory(t, load(t, FLAT_TEMP0, size, wide(size)), 0, 0);
}

static bool ret(struct tr *t)
{
    pop_slot(t, FLAT_TEMP0, t->i->op_size, t->i->n_ops ? t->i->imm : 0);
    return indirect(t, IR_EXIT_RET, FLAT_TEMP0, 0);
}

/* Groups FE and FF. */
static bool group5(struct tr *t)
{
    switch (t->i->modrm >> 3 & 7) {
    case 0: case 1:
        return one(t, t->i->opcode, t->i->modrm >> 3 & 7, FLAT_ALL_FLAGS & ~FLAT_C);
    case 2:
        return target(t) && push_imm(t, t->next, t->i->op_size) && indirect(t, IR_EXIT_CALL, FLAT_TEMP0, t->next);
    case 4:
        return target(t) && indirect(t, IR_EXIT_JUMP, FLAT_TEMP0, 0);
    case 6:
        return push_operand(t);
    default:
        return false;
    }
}

/* --- The loop --- */

static bool one_byte(struct tr *t)
{
    const struct x86_insn *i = t->i;
    unsigned op = i->opcode;

    if (op < 0x40)
        return (op & 7) < 6 && alu(t, op >> 3);
    switch (op) {
    case 0x40 ... 0x4f: return one(t, 0xff, op >> 3 & 1, FLAT_ALL_FLAGS & ~FLAT_C);
    case 0x50 ... 0x57: case 0x68: case 0x6a: return push_operand(t);
    case 0x58 ... 0x5f: return pop_operand(t);
    case 0x63: return extend(t, true);
    case 0x69: case 0x6b: return multiply(t);
    case 0x70 ... 0x7f: return branch(t);
    case 0x80: case 0x81: case 0x83: return alu(t, i->modrm >> 3 & 7);
    case 0x84: case 0x85: case 0xa8: case 0xa9: return test(t);
    case 0x86: case 0x87: case 0x90 ... 0x97: return exchange(t);
    case 0x88 ... 0x8b: case 0xa0 ... 0xa3: return move(t);
    case 0x8d: return lea(t);
    case 0x98: case 0x99: return sign_ax(t, op & 1);
    case 0xb0 ... 0xbf: case 0xc6: case 0xc7: return move_imm(t);
    case 0xc0: case 0xc1: case 0xd0 ... 0xd3: return shift(t);
    case 0xc2: case 0xc3: return ret(t);
    case 0xc9: return leave(t);
    case 0xe8: return call(t);
    case 0xe9: case 0xeb: return jump(t, (uint64_t)i->imm);
    case 0xf6: case 0xf7: return unary(t);
    case 0xfe: case 0xff: return group5(t);
    }
    return false;
}

static bool two_bytes(struct tr *t)
{
    switch (t->i->opcode) {
    case 0x0d: case 0x18 ... 0x1f: return true; /* hints */
    case 0x10: case 0x11: case 0x13: case 0x28: case 0x29: case 0x6f: case 0x7f: return move_vector(t);
    case 0x6e: case 0x7e: case 0xd6: return move_word(t);
    case 0x14: case 0x15: case 0x54 ... 0x57: case 0x60 ... 0x6d: case 0x70: case 0x74 ... 0x76: case 0xc6: case 0xd4: case 0xda:
    case 0xdb: case 0xde: case 0xdf: case 0xea: case 0xeb: case 0xee: case 0xef: case 0xf8 ... 0xfe: return vector_op(t);
    case 0x40 ... 0x4f: return move_if(t);
    case 0x80 ... 0x8f: return branch(t);
    case 0x90 ... 0x9f: return set_if(t);
    case 0xa3: case 0xab: case 0xb3: case 0xbb: case 0xba: return bit(t);
    case 0xaf: return multiply(t);
    case 0xb6: case 0xb7: return extend(t, false);
    case 0xbe: case 0xbf: return extend(t, true);
    case 0xc8 ... 0xcf: return swap_bytes(t);
    }
    return false;
}

/* The conditions that SETcc, CMOVcc and Jcc read. */
static unsigned read_by(unsigned cc)
{
    static const uint8_t flags_of[] = {FLAT_O, FLAT_C, FLAT_Z, FLAT_C | FLAT_Z, FLAT_S, FLAT_P, FLAT_S | FLAT_O,
                                       FLAT_Z | FLAT_S | FLAT_O};

    return flags_of[cc >> 1 & 7];
}

static bool flatten(struct tr *t)
{
    const struct x86_insn *i = t->i;
    unsigned n = t->f->n;
    bool done;

    if (i->row == X86_NO_ROW || i->lock || i->vex || (i->map == 0 && (i->rep || i->repne) && i->opcode != 0xc3))
        return false;
    if (i->op_size == 2 && i->end != X86_FALL)
        return false;
    done = i->map == 0 ? one_byte(t) : i->map == 1 && two_bytes(t);
    if (!done) {
        t->f->n = n;
        t->ended = false;
        return false;
    }
    if (i->end == X86_COND || (i->map == 1 && (i->opcode & 0xf0) != 0x80 && i->flags & X86_FLAGS_READ)) {
        struct flat_op *o = &t->f->op[t->f->n - 1];

        o->cond = i->opcode & 15;
        o->reads = (uint8_t)read_by(o->cond);
    }
    return true;
}

enum { LIFTED_MODES = X86_MODE_AC | X86_MODE_CHECKED | X86_MODE_VM, WORTH = 3 };

static bool can_be_flat(uint32_t mode)
{
    unsigned code = x86_code(mode);

    if (mode & (uint32_t)LIFTED_MODES || !(mode & X86_MODE_FLAT))
        return false;
    return code == X86_CODE64 || (code == X86_CODE32 && mode & X86_MODE_STACK32);
}

uint32_t x86_flat(struct flat *f, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint64_t end, unsigned limit)
{
    struct x86_insn i;
    struct tr t = {.f = f, .i = &i, .pc = pc, .start = pc, .mode = mode};
    uint32_t done = 0;
    unsigned n = 0;

    f->slots = x86_slots;
    f->flag_slot = X86_CF;
    f->native = true;
    f->flags_live = true;
    f->n = 0;
    if (!can_be_flat(mode))
        return 0;
    while (!t.ended) {
        bool more = limit-- && t.pc != end && done < avail && f->n + 8 < FLAT_MAX;

        if (more && x86_decode(mode, t.pc, code + done, avail - done, &i) == X86_OK &&
            !(mode & X86_MODE_SYSTEM && (t.pc ^ (t.pc + i.len - 1)) >> 12)) {
            t.next = t.pc + i.len;
            if (flatten(&t)) {
                t.pc = t.next;
                done += i.len;
                n++;
                continue;
            }
        } else if (more && !n) {
            return 0;
        }
        if (n < (more ? WORTH : 1))
            return 0;
        t.pc -= 1; /* not a jump back */
        jump(&t, t.pc + 1);
    }
    return done;
}
