/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 instructions (SDM 2).  The registers are helpers' business (x87.c); here are memory operands, flags and pointers. */
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"
#include "guest/x86/x87_host.h"

static bool slow(const struct x86_tr *t)
{
    return t->mode & X86_MODE_X87_SLOW;
}

static unsigned digit(const struct x86_tr *t)
{
    return t->i->modrm >> 3 & 7;
}

static ir_val number(struct x86_tr *t, uint64_t n)
{
    return x86_const64(t, n);
}

static ir_val call(struct x86_tr *t, enum x86_helper h, uint64_t a, uint64_t b, uint64_t c)
{
    return ir_call(t->ir, h, number(t, a), number(t, b), number(t, c));
}

/* There are none as long as all are masked. */
void x86_x87_wait(struct x86_tr *t)
{
    if (slow(t))
        call(t, X86_HELP_x87_wait, t->i->len, 0, 0);
}

/* The pointers to the last instruction that is not one of control; behind its last memory access. */
static void note(struct x86_tr *t)
{
    struct ir *ir = t->ir;

    ir_set(ir, X86_FIP, x86_ip(t, t->pc, 8));
    ir_set(ir, X86_FOP, ir_const(ir, IR_I32, (t->i->opcode & 7u) << 8 | t->i->modrm));
    if (t->i->modrm < 0xc0)
        ir_set(ir, X86_FDP, x86_ea(t));
}

/* --- Memory operands, as i64 --- */

static enum x87_type type_of(const struct x86_tr *t)
{
    static const uint8_t types[] = {X87_M32, X87_I32, X87_M64, X87_I16};

    return types[t->i->opcode >> 1 & 3];
}

static ir_val operand(struct x86_tr *t)
{
    ir_val v = x86_read(t, 0);

    return ir_type_of(t->ir, v) == IR_I64 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v);
}

static void write_low(struct x86_tr *t, unsigned size, ir_val v)
{
    x86_store(t, x86_mem(t, size, true), size, size == 8 ? v : ir_conv(t->ir, IRO_trunc, IR_I32, v));
}

/* With exceptions unmasked a store may not be made: then memory is written as it is. */
static ir_val unless_kept(struct x86_tr *t, ir_val v, ir_val old)
{
    ir_val kept;

    if (!slow(t))
        return v;
    kept = call(t, X86_HELP_x87_kept, 0, 0, 0);
    return ir_select(t->ir, ir_cmp(t->ir, IRO_ne, kept, number(t, 0)), old, v);
}

static ir_val as64(struct x86_tr *t, ir_val v)
{
    return ir_type_of(t->ir, v) == IR_I64 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v);
}

static ir_val old_memory(struct x86_tr *t, unsigned off, unsigned size)
{
    return slow(t) ? as64(t, x86_load(t, x86_mem_at(t, off, size, true), size)) : IR_NONE;
}

static void store(struct x86_tr *t, enum x87_type type, bool trunc, bool pops)
{
    unsigned size = x86_size(t, 0);
    ir_val v, old;

    x86_x87_wait(t);
    old = old_memory(t, 0, size);
    v = call(t, X86_HELP_x87_store, type, trunc, 0);
    write_low(t, size, unless_kept(t, v, old));
    if (pops)
        call(t, X86_HELP_x87_pop, 0, 0, 0);
    note(t);
}

/* Ten bytes: eight, and two. */
static void store_ten(struct x86_tr *t, ir_val (*value)(struct x86_tr *t))
{
    ir_val low, high, old_low, old_high;

    x86_x87_wait(t);
    old_low = old_memory(t, 0, 8);
    old_high = old_memory(t, 8, 2);
    low = unless_kept(t, value(t), old_low);
    high = unless_kept(t, call(t, X86_HELP_x87_high, 0, 0, 0), old_high);
    x86_store(t, x86_mem_at(t, 0, 8, true), 8, low); /* in this order, as processors do: a fault of the second leaves the first */
    x86_store(t, x86_mem_at(t, 8, 2, true), 2, ir_conv(t->ir, IRO_trunc, IR_I32, high));
    call(t, X86_HELP_x87_pop, 0, 0, 0);
    note(t);
}

static void load(struct x86_tr *t, enum x87_type type)
{
    ir_val v;

    x86_x87_wait(t);
    v = operand(t);
    ir_call(t->ir, X86_HELP_x87_load, number(t, type), v, number(t, 0));
    note(t);
}

static ir_val high_bytes(struct x86_tr *t)
{
    return as64(t, x86_load(t, x86_mem_at(t, 8, 2, false), 2));
}

void tr_x86_fld_m(struct x86_tr *t)
{
    load(t, type_of(t));
}

void tr_x86_fild_m64(struct x86_tr *t)
{
    load(t, X87_I64);
}

void tr_x86_fbld(struct x86_tr *t)
{
    ir_val low, high;

    x86_x87_wait(t);
    high = high_bytes(t);
    low = x86_load(t, x86_mem_at(t, 0, 8, false), 8);
    ir_call(t->ir, X86_HELP_x87_load, number(t, X87_BCD), low, high);
    note(t);
}

void tr_x86_fld_m80(struct x86_tr *t)
{
    ir_val low, high;

    x86_x87_wait(t);
    high = high_bytes(t);
    low = x86_load(t, x86_mem_at(t, 0, 8, false), 8);
    ir_call(t->ir, X86_HELP_x87_load80, low, high, IR_NONE);
    note(t);
}

void tr_x86_fst_m(struct x86_tr *t)
{
    store(t, type_of(t), false, digit(t) == 3);
}

void tr_x86_fistp_m64(struct x86_tr *t)
{
    store(t, X87_I64, false, true);
}

void tr_x86_fisttp(struct x86_tr *t)
{
    store(t, t->i->opcode == 0xdd ? X87_I64 : type_of(t), true, true);
}

static ir_val packed_decimal(struct x86_tr *t)
{
    return call(t, X86_HELP_x87_store, X87_BCD, 0, 0);
}

static ir_val extended(struct x86_tr *t)
{
    return call(t, X86_HELP_x87_store80, 0, 0, 0);
}

void tr_x86_fbstp(struct x86_tr *t)
{
    store_ten(t, packed_decimal);
}

void tr_x86_fstp_m80(struct x86_tr *t)
{
    store_ten(t, extended);
}

/* --- Arithmetic and comparisons --- */

void tr_x86_farith_m(struct x86_tr *t)
{
    bool compares = digit(t) == X87_COM || digit(t) == X87_COMP;
    ir_val v;

    x86_x87_wait(t);
    v = operand(t);
    ir_call(t->ir, compares ? X86_HELP_x87_compare_m : X86_HELP_x87_arith_m, number(t, digit(t)), number(t, type_of(t)), v);
    note(t);
}

/* D8: to ST(0); DC and DE: to ST(i), DE pops. */
void tr_x86_farith(struct x86_tr *t)
{
    unsigned how = t->i->opcode == 0xd8 ? 0 : t->i->opcode == 0xdc ? X87_TO_I : X87_TO_I | X87_POP;

    x86_x87_wait(t);
    call(t, X86_HELP_x87_arith, digit(t), t->i->modrm & 7, how);
    note(t);
}

static void compare(struct x86_tr *t, enum x87_op op, unsigned i, unsigned how)
{
    x86_x87_wait(t);
    call(t, X86_HELP_x87_compare, op, i, how);
    note(t);
}

void tr_x86_fcom(struct x86_tr *t)
{
    compare(t, X87_COM, t->i->modrm & 7, digit(t) == X87_COMP ? X87_POP : 0);
}

void tr_x86_fcomp(struct x86_tr *t)
{
    compare(t, X87_COM, t->i->modrm & 7, X87_POP);
}

void tr_x86_fcompp(struct x86_tr *t)
{
    compare(t, X87_COM, 1, X87_POP | X87_POP2);
}

void tr_x86_fucom(struct x86_tr *t)
{
    compare(t, X87_UCOM, t->i->modrm & 7, digit(t) == 5 ? X87_POP : 0);
}

void tr_x86_fucompp(struct x86_tr *t)
{
    compare(t, X87_UCOM, 1, X87_POP | X87_POP2);
}

void tr_x86_ftst(struct x86_tr *t)
{
    compare(t, X87_TST, 0, 0);
}

static ir_val bit(struct x86_tr *t, ir_val v, uint64_t mask)
{
    return ir_cmp(t->ir, IRO_ne, ir_and_imm(t->ir, v, mask), number(t, 0));
}

/* FCOMI and FUCOMI: into the flags; those of DF pop. */
void tr_x86_fcomi(struct x86_tr *t)
{
    ir_val v, zero = x86_bit(t, 0);
    unsigned how = X87_TO_FLAGS | (t->i->opcode == 0xdf ? X87_POP : 0);

    x86_x87_wait(t);
    v = call(t, X86_HELP_x87_compare, digit(t) == 5 ? X87_UCOM : X87_COM, t->i->modrm & 7, how);
    x86_set_flag(t, X86_FL_OF, zero);
    x86_set_flag(t, X86_FL_SF, zero);
    x86_set_flag(t, X86_FL_ZF, bit(t, v, X86_FL_ZF));
    x86_set_flag(t, X86_FL_CF, bit(t, v, X86_FL_CF));
    x86_set_flag(t, X86_FL_PF, bit(t, v, X86_FL_PF));
    x86_set_flag(t, X86_FL_AF, zero);
    note(t);
}

/* --- One register, or two --- */

static void simple(struct x86_tr *t, enum x86_helper h, uint64_t a, uint64_t b)
{
    x86_x87_wait(t);
    call(t, h, a, b, 0);
    note(t);
}

void tr_x86_fld_st(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_push, t->i->modrm & 7, 0);
}

void tr_x86_fst_st(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_store_st, t->i->modrm & 7, t->i->opcode != 0xdd || digit(t) != 2);
}

void tr_x86_fxch(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_xch, t->i->modrm & 7, 0);
}

void tr_x86_ffree(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_free, t->i->modrm & 7, t->i->opcode == 0xdf);
}

void tr_x86_fconst(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_const, t->i->modrm & 7, 0);
}

void tr_x86_fsign(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_sign, !(t->i->modrm & 1), 0);
}

void tr_x86_fxam(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_xam, 0, 0);
}

void tr_x86_ffunction(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_function, t->i->modrm & 15, 0);
}

void tr_x86_frotate(struct x86_tr *t)
{
    simple(t, X86_HELP_x87_rotate, t->i->modrm & 1 ? 1 : 7, 0);
}

void tr_x86_fnop(struct x86_tr *t)
{
    x86_x87_wait(t);
    note(t);
}

/* Conditions B, E, BE, U and their opposites. */
void tr_x86_fcmov(struct x86_tr *t)
{
    static const uint8_t cc[] = {2, 4, 6, 10};
    ir_val yes;

    x86_x87_wait(t);
    yes = x86_cond(t, cc[digit(t) & 3] | (t->i->opcode & 1));
    ir_call(t->ir, X86_HELP_x87_cmov, number(t, t->i->modrm & 7), ir_conv(t->ir, IRO_zext, IR_I64, yes), number(t, 0));
    note(t);
}

/* --- Control: no pointers are kept --- */

void tr_x86_fwait(struct x86_tr *t)
{
    x86_x87_wait(t);
}

void tr_x86_fnstcw(struct x86_tr *t)
{
    write_low(t, 2, call(t, X86_HELP_x87_control, 0, 0, 0));
}

void tr_x86_fnstsw(struct x86_tr *t)
{
    write_low(t, 2, call(t, X86_HELP_x87_status, 0, 0, 0));
}

void tr_x86_fnstsw_ax(struct x86_tr *t)
{
    x86_set_reg(t, X86_AX, 2, ir_conv(t->ir, IRO_trunc, IR_I32, call(t, X86_HELP_x87_status, 0, 0, 0)));
}

void tr_x86_fldcw(struct x86_tr *t)
{
    ir_val v;

    x86_x87_wait(t);
    v = operand(t);
    ir_call(t->ir, X86_HELP_x87_ldcw, v, number(t, t->next), IR_NONE);
}

void tr_x86_fnclex(struct x86_tr *t)
{
    call(t, X86_HELP_x87_clear, 0, 0, 0);
}

void tr_x86_fninit(struct x86_tr *t)
{
    call(t, X86_HELP_x87_init, t->next, 0, 0);
}

/* FNENI, FNDISI and FNSETPM of older units. */
void tr_x86_fnone(struct x86_tr *t)
{
    (void)t;
}

/* --- Images: FNSTENV and its kin --- */

/* How they are laid out: bit 0 32-bit operands, bit 1 protected mode; bit 2 the registers, too. */
static uint64_t image(const struct x86_tr *t, bool registers)
{
    bool protected = (t->mode & X86_MODE_PE) && !(t->mode & X86_MODE_VM);

    return (t->i->op_size != 2) | protected << 1 | registers << 2;
}

static void put_image(struct x86_tr *t, bool registers)
{
    ir_call(t->ir, X86_HELP_x87_put_env, x86_mem(t, 1, true), number(t, image(t, registers)), number(t, t->next));
}

static void get_image(struct x86_tr *t, bool registers)
{
    x86_x87_wait(t);
    ir_call(t->ir, X86_HELP_x87_get_env, x86_mem(t, 1, false), number(t, image(t, registers)), number(t, t->next));
}

void tr_x86_fnstenv(struct x86_tr *t)
{
    put_image(t, false);
}

void tr_x86_fnsave(struct x86_tr *t)
{
    put_image(t, true);
}

void tr_x86_fldenv(struct x86_tr *t)
{
    get_image(t, false);
}

void tr_x86_frstor(struct x86_tr *t)
{
    get_image(t, true);
}
