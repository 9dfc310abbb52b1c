/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reads and writes flags: conditions and EFLAGS itself; decimal arithmetic (SDM 2: SETcc, CMOVcc, PUSHF, POPF, LAHF, DAA ...). */
#include "guest/x86/lift.h"

void tr_x86_setcc(struct x86_tr *t)
{
    x86_write(t, 0, ir_conv(t->ir, IRO_zext, IR_I32, x86_cond(t, t->i->opcode & 15)));
}

/* Also when nothing is moved, a destination of 32 bits loses its upper half. */
void tr_x86_cmov(struct x86_tr *t)
{
    ir_val v = x86_read(t, 1), old = x86_read(t, 0);

    x86_write(t, 0, ir_select(t->ir, x86_cond(t, t->i->opcode & 15), v, old));
}

void tr_x86_clc(struct x86_tr *t)
{
    ir_set(t->ir, X86_CF, x86_bit(t, 0));
}

void tr_x86_stc(struct x86_tr *t)
{
    ir_set(t->ir, X86_CF, x86_bit(t, 1));
}

void tr_x86_cmc(struct x86_tr *t)
{
    ir_set(t->ir, X86_CF, ir_not(t->ir, ir_get(t->ir, X86_CF)));
}

void tr_x86_cld(struct x86_tr *t)
{
    ir_set(t->ir, X86_DF, x86_const64(t, 1));
}

void tr_x86_std(struct x86_tr *t)
{
    ir_set(t->ir, X86_DF, x86_const64(t, ~0ull));
}

/* --- The register --- */

static ir_val at_bit(struct x86_tr *t, ir_val flag, unsigned n)
{
    ir_val v = ir_conv(t->ir, IRO_zext, IR_I32, flag);

    return n ? ir_shift_imm(t->ir, IRO_shl, v, n) : v;
}

static ir_val status(struct x86_tr *t)
{
    static const uint8_t bits[] = {0, 2, 4, 6, 7, 11};
    ir_val v = ir_const(t->ir, IR_I32, X86_FL_ONE);

    for (unsigned i = 0; i < sizeof(bits); i++)
        v = ir_or(t->ir, v, at_bit(t, x86_get_flag(t, 1u << bits[i]), bits[i]));
    return v;
}

/* Of the step 1 and -1 that DF is kept as only the latter has bit 10. */
ir_val x86_eflags(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    ir_val df = ir_conv(ir, IRO_trunc, IR_I32, ir_get(ir, X86_DF));

    return ir_or(ir, ir_or(ir, status(t), ir_and_imm(ir, df, X86_FL_DF)), ir_get(ir, X86_EFLAGS));
}

/* The image has RF and VM clear. */
void tr_x86_pushf(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val v = ir_and_imm(t->ir, x86_eflags(t), ~(uint64_t)(X86_FL_RF | X86_FL_VM) & 0xffffffff);

    x86_push(t, size, size == 8 ? ir_conv(t->ir, IRO_zext, IR_I64, v) : v);
}

/* @a: the image, @b: its bytes, @c: the next instruction's address. */
uint64_t x86_help_popf(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    uint32_t can = X86_FL_STATUS | X86_FL_TF | X86_FL_DF | X86_FL_NT | X86_FL_AC | X86_FL_ID, old = x86_get_eflags(cpu);
    uint32_t mode = cpu->mode;

    if (b == 2)
        can &= 0xffff;
    x86_set_eflags(cpu, (old & ~(can | X86_FL_RF)) | ((uint32_t)a & can));
    if (cpu->mode != mode) {
        cpu->pc = c;
        cpu->stop = CPU_STOP_AGAIN;
    }
    return 0;
}

void tr_x86_popf(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val v = x86_peek(t, size, 0);

    x86_set_sp(t, x86_sp(t, size));
    ir_call(t->ir, X86_HELP_popf, size == 8 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v), x86_const64(t, size),
            x86_const64(t, t->next));
}

static const struct x86_operand ah = {X86_OP_GPRH, X86_AX, 1};

void tr_x86_lahf(struct x86_tr *t)
{
    struct x86_insn i = *t->i;
    struct x86_tr u = *t;

    i.op[0] = ah;
    u.i = &i;
    x86_write(&u, 0, ir_and_imm(t->ir, status(t), 0xff));
}

void tr_x86_sahf(struct x86_tr *t)
{
    static const uint8_t bits[] = {0, 2, 4, 6, 7}; /* PF before AF, which is kept against it */
    ir_val v = x86_reg(t, X86_AX, 4);

    for (unsigned i = 0; i < sizeof(bits); i++)
        x86_set_flag(t, 1u << bits[i], x86_bit_of(t, v, 8u + bits[i]));
}

/* --- Decimal arithmetic --- */

/* The flags in their places, as EFLAGS has them, become the flags. */
static void set_status(struct x86_tr *t, ir_val v)
{
    static const uint8_t bits[] = {0, 2, 4, 6, 7, 11};

    for (unsigned i = 0; i < sizeof(bits); i++)
        x86_set_flag(t, 1u << bits[i], x86_bit_of(t, v, bits[i]));
}

static uint32_t result_flags(uint8_t al)
{
    return (al ? 0 : X86_FL_ZF) | (al & 0x80 ? X86_FL_SF : 0) | (__builtin_parity(al) ? 0 : X86_FL_PF);
}

/* Gives AX and the flags << 16.  @fl: before. */
static uint64_t packed(uint16_t ax, uint32_t fl)
{
    return ax | (uint64_t)fl << 16;
}

static uint64_t adjust_packed(uint16_t ax, uint32_t fl, bool subtract)
{
    uint8_t al = (uint8_t)ax, old = al;
    bool cf = fl & X86_FL_CF, af = (al & 15) > 9 || fl & X86_FL_AF, out = false;

    if (af) {
        out = subtract ? cf || al < 6 : cf || al > 0xf9;
        al = (uint8_t)(subtract ? al - 6 : al + 6);
    }
    if (old > 0x99 || cf) {
        al = (uint8_t)(subtract ? al - 0x60 : al + 0x60);
        out = true;
    } else if (!subtract) {
        out = false;
    }
    return packed((uint16_t)((ax & 0xff00) | al), result_flags(al) | (out ? X86_FL_CF : 0) | (af ? X86_FL_AF : 0));
}

static uint64_t adjust_unpacked(uint16_t ax, uint32_t fl, bool subtract)
{
    bool adjust = (ax & 15) > 9 || fl & X86_FL_AF;

    if (adjust)
        ax = (uint16_t)(subtract ? ax - 0x106 : ax + 0x106);
    ax &= 0xff0f;
    return packed(ax, result_flags((uint8_t)ax) | (adjust ? X86_FL_CF | X86_FL_AF : 0));
}

enum decimal { DAA, DAS, AAA, AAS, AAM, AAD };

/* @a: AX, @b: flags, @c: which, and the base << 8. */
uint64_t x86_help_decimal(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    uint16_t ax = (uint16_t)a;
    uint8_t base = (uint8_t)(c >> 8), al = (uint8_t)a, ah_ = (uint8_t)(a >> 8);

    switch (c & 255) {
    case DAA: case DAS:
        return adjust_packed(ax, (uint32_t)b, (c & 255) == DAS);
    case AAA: case AAS:
        return adjust_unpacked(ax, (uint32_t)b, (c & 255) == AAS);
    case AAM:
        ax = base ? (uint16_t)((al / base) << 8 | al % base) : 0;
        return packed(ax, result_flags((uint8_t)ax));
    default:
        al = (uint8_t)(al + ah_ * base);
        return packed(al, result_flags(al));
    }
}

static void decimal(struct x86_tr *t, enum decimal which)
{
    struct ir *ir = t->ir;
    unsigned base = (unsigned)t->i->imm & 255;
    ir_val ax = x86_zext(t, x86_reg(t, X86_AX, 2), 2, 8), fl = ir_conv(ir, IRO_zext, IR_I64, status(t)), v;

    if (which == AAM && !base) {
        x86_raise(t, X86_EXC_DE, 0);
        return;
    }
    v = ir_call(ir, X86_HELP_decimal, ax, fl, x86_const64(t, which | base << 8));
    x86_set_reg(t, X86_AX, 2, v);
    set_status(t, ir_conv(ir, IRO_trunc, IR_I32, ir_shift_imm(ir, IRO_shr, v, 16)));
}

void tr_x86_daa(struct x86_tr *t)
{
    decimal(t, DAA);
}

void tr_x86_das(struct x86_tr *t)
{
    decimal(t, DAS);
}

void tr_x86_aaa(struct x86_tr *t)
{
    decimal(t, AAA);
}

void tr_x86_aas(struct x86_tr *t)
{
    decimal(t, AAS);
}

void tr_x86_aam(struct x86_tr *t)
{
    decimal(t, AAM);
}

void tr_x86_aad(struct x86_tr *t)
{
    decimal(t, AAD);
}

/* Not in the manuals of Intel: AL becomes all ones or zero. */
void tr_x86_salc(struct x86_tr *t)
{
    x86_set_reg(t, X86_AX, 1, ir_conv(t->ir, IRO_sext, IR_I32, ir_get(t->ir, X86_CF)));
}
