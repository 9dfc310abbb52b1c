/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifting of system instructions (insn_system.def; SDM 2): what can be decided by the mode is decided here, the rest by
 * helpers (helpers_system.c, far.c, control.c).
 */
#include "guest/x86/lift.h"
#include "guest/x86/svm.h"

enum { REG_WRITE = 1 << 21, POP = 1 << 22 };

static ir_val k(struct x86_tr *t, uint64_t v)
{
    return x86_const64(t, v);
}

static ir_val wide(struct x86_tr *t, ir_val v)
{
    return ir_type_of(t->ir, v) == IR_I64 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v);
}

static ir_val narrow(struct x86_tr *t, ir_val v, unsigned size)
{
    return size == 8 ? v : x86_zext(t, v, size, 4);
}

/* Length and operand size, as far.c takes them. */
static uint64_t how(const struct x86_tr *t)
{
    return t->i->len | (uint64_t)t->i->op_size << 8;
}

static bool unprivileged(struct x86_tr *t)
{
    if (!x86_cpl(t->mode))
        return false;
    x86_raise(t, X86_EXC_GP, 0);
    return true;
}

/* UMIP hides the tables from programs. */
static bool hidden(struct x86_tr *t)
{
    if (!(t->mode & X86_MODE_UMIP))
        return false;
    x86_raise(t, X86_EXC_GP, 0);
    return true;
}

static ir_val call(struct x86_tr *t, enum x86_helper h, ir_val a, ir_val b, ir_val c)
{
    return ir_call(t->ir, h, a, b, c);
}

/* In an SVM guest: before it does anything, the instruction may be intercepted as @code. */
static void asks_about(struct x86_tr *t, enum x86_exit code, ir_val info1)
{
    if (t->mode & X86_MODE_GUEST)
        call(t, X86_HELP_intercept, k(t, code), info1, IR_NONE);
}

static void asks(struct x86_tr *t, enum x86_exit code)
{
    asks_about(t, code, k(t, 0));
}

/* The helper has left, unless it raised something. */
static void leaves(struct x86_tr *t, enum x86_helper h, ir_val a, ir_val b, ir_val c)
{
    call(t, h, a, b, c);
    x86_again(t);
}

static ir_val none(void)
{
    return IR_NONE;
}

/* --- Segment registers --- */

static ir_val selector(struct x86_tr *t, unsigned seg)
{
    return call(t, X86_HELP_seg_push, k(t, seg), none(), none());
}

void tr_x86_sys_mov_from_seg(struct x86_tr *t)
{
    ir_val v;

    if (t->i->op[1].reg > X86_GS) {
        x86_undefined(t);
        return;
    }
    v = selector(t, t->i->op[1].reg);
    if (x86_is_mem(t, 0))
        x86_store(t, x86_mem(t, 2, true), 2, narrow(t, v, 2));
    else
        x86_write(t, 0, narrow(t, v, x86_size(t, 0)));
}

static void load_seg(struct x86_tr *t, unsigned seg, ir_val sel, ir_val value, uint64_t bits)
{
    ir_val a = ir_or(t->ir, ir_and_imm(t->ir, wide(t, sel), 0xffff), k(t, (uint64_t)seg << 16));

    call(t, X86_HELP_seg_load, a, value, k(t, how(t) | bits));
}

void tr_x86_sys_mov_to_seg(struct x86_tr *t)
{
    unsigned seg = t->i->op[0].reg;

    if (seg > X86_GS || seg == X86_CS)
        x86_undefined(t);
    else
        load_seg(t, seg, x86_read(t, 1), none(), 0);
}

void tr_x86_sys_push_seg(struct x86_tr *t)
{
    ir_val v = selector(t, t->i->op[0].reg);
    unsigned size = t->i->op_size;
    ir_val sp = x86_sp(t, -(int64_t)size);

    /* 32-bit pushes write the selector only (SDM 2, PUSH). */
    x86_store(t, x86_linear(t, X86_SS, sp, size, true), size == 4 ? 2 : size, size == 8 ? v : narrow(t, v, 2));
    x86_set_sp(t, sp);
}

void tr_x86_sys_pop_seg(struct x86_tr *t)
{
    load_seg(t, t->i->op[0].reg, x86_peek(t, t->i->op_size, 0), none(), POP);
}

void tr_x86_sys_load_far(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val off = x86_load(t, x86_mem(t, size, false), size), sel = x86_load(t, x86_mem_at(t, size, 2, false), 2);

    load_seg(t, t->i->op[2].reg, sel, wide(t, off), REG_WRITE | (uint64_t)t->i->op[0].reg << 16);
}

/* --- Far transfers --- */

static void far_pointer(struct x86_tr *t, ir_val *sel, ir_val *ip)
{
    unsigned size = t->i->op_size;

    if (!x86_is_mem(t, 0)) {
        *sel = k(t, (uint64_t)t->i->imm2 & 0xffff);
        *ip = k(t, (uint64_t)t->i->imm);
        return;
    }
    *ip = wide(t, x86_load(t, x86_mem(t, size, false), size));
    *sel = wide(t, x86_load(t, x86_mem_at(t, size, 2, false), 2));
}

void tr_x86_sys_far_jmp(struct x86_tr *t)
{
    ir_val sel, ip;

    far_pointer(t, &sel, &ip);
    leaves(t, X86_HELP_far_jmp, sel, ip, k(t, how(t)));
}

void tr_x86_sys_far_call(struct x86_tr *t)
{
    ir_val sel, ip;

    far_pointer(t, &sel, &ip);
    leaves(t, X86_HELP_far_call, sel, ip, k(t, how(t)));
}

void tr_x86_sys_far_ret(struct x86_tr *t)
{
    leaves(t, X86_HELP_far_ret, k(t, t->i->n_ops ? (uint64_t)t->i->imm & 0xffff : 0), none(), k(t, how(t)));
}

void tr_x86_sys_iret(struct x86_tr *t)
{
    asks(t, EXIT_IRET);
    leaves(t, X86_HELP_iret, none(), none(), k(t, how(t)));
}

void tr_x86_sys_int1(struct x86_tr *t)
{
    x86_stop(t, X86_STOP_INT, X86_EXC_DB);
}

/* The block ends here: on to the next instruction when nothing overflowed. */
void tr_x86_sys_into(struct x86_tr *t)
{
    call(t, X86_HELP_into, wide(t, x86_get_flag(t, X86_FL_OF)), none(), k(t, t->i->len));
    x86_goto(t, t->next);
}

void tr_x86_sys_sysret(struct x86_tr *t)
{
    leaves(t, X86_HELP_sysret, none(), none(), k(t, t->i->len | (t->i->w ? 8 : 4) << 8));
}

void tr_x86_sys_syscall(struct x86_tr *t)
{
    leaves(t, X86_HELP_syscall, none(), none(), k(t, how(t)));
}

void tr_x86_sys_sysenter(struct x86_tr *t)
{
    leaves(t, X86_HELP_sysenter, none(), none(), k(t, how(t)));
}

void tr_x86_sys_sysexit(struct x86_tr *t)
{
    leaves(t, X86_HELP_sysexit, none(), none(), k(t, t->i->len | (t->i->w ? 8 : 4) << 8));
}

void tr_x86_sys_swapgs(struct x86_tr *t)
{
    if (!unprivileged(t))
        call(t, X86_HELP_swapgs, none(), none(), none());
}

/* --- Flags --- */

void tr_x86_sys_pushf(struct x86_tr *t)
{
    ir_val v;

    asks(t, EXIT_PUSHF);
    v = call(t, X86_HELP_sys_pushf, k(t, t->i->op_size), none(), none());
    x86_push(t, t->i->op_size, narrow(t, v, t->i->op_size));
}

void tr_x86_sys_popf(struct x86_tr *t)
{
    ir_val v;

    asks(t, EXIT_POPF);
    v = x86_peek(t, t->i->op_size, 0);
    call(t, X86_HELP_sys_popf, wide(t, v), none(), k(t, how(t)));
}

/* In real mode and at privilege 0 nobody asks. */
void tr_x86_sys_cli(struct x86_tr *t)
{
    if (!x86_cpl(t->mode))
        ir_set(t->ir, X86_EFLAGS, ir_and_imm(t->ir, ir_get(t->ir, X86_EFLAGS), (uint32_t)~X86_FL_IF));
    else
        call(t, X86_HELP_if_flag, k(t, 0), none(), k(t, t->i->len));
}

void tr_x86_sys_sti(struct x86_tr *t)
{
    call(t, X86_HELP_if_flag, k(t, 1), none(), k(t, t->i->len));
}

static void smap(struct x86_tr *t, bool on)
{
    if (x86_cpl(t->mode))
        x86_undefined(t);
    else
        call(t, X86_HELP_smap, k(t, on), none(), k(t, t->i->len));
}

void tr_x86_sys_clac(struct x86_tr *t)
{
    smap(t, false);
}

void tr_x86_sys_stac(struct x86_tr *t)
{
    smap(t, true);
}

void tr_x86_sys_hlt(struct x86_tr *t)
{
    if (!unprivileged(t))
        x86_stop(t, X86_STOP_HLT, 0);
}

/* --- I/O --- */

static ir_val port(struct x86_tr *t, unsigned n)
{
    return t->i->op[n].kind == X86_OP_IMM ? k(t, (uint64_t)t->i->imm & 0xff) : wide(t, x86_reg(t, X86_DX, 2));
}

void tr_x86_sys_in(struct x86_tr *t)
{
    ir_val v;

    v = call(t, X86_HELP_in, port(t, 1), k(t, x86_size(t, 0)), k(t, t->i->len));
    x86_write(t, 0, narrow(t, v, x86_size(t, 0)));
}

void tr_x86_sys_out(struct x86_tr *t)
{
    unsigned size = x86_size(t, 1);

    call(t, X86_HELP_out, port(t, 0), wide(t, x86_read(t, 1)), k(t, t->i->len | size << 8));
}

static void string_io(struct x86_tr *t, bool out)
{
    uint64_t bits = t->i->len | (uint64_t)x86_size(t, 0) << 8 | (uint64_t)t->i->addr_size << 12;

    if (out)
        bits |= (uint64_t)t->i->ea.seg << 16 | 1 << 20;
    if (t->i->rep || t->i->repne)
        bits |= 1 << 21;
    call(t, X86_HELP_string_io, none(), none(), k(t, bits));
}

void tr_x86_sys_ins(struct x86_tr *t)
{
    string_io(t, false);
}

void tr_x86_sys_outs(struct x86_tr *t)
{
    string_io(t, true);
}

/* --- Tables --- */

/* A word: memory gets 16 bits, a register all it has. */
static void store_word(struct x86_tr *t, unsigned which, enum x86_exit code)
{
    ir_val v;

    if (hidden(t))
        return;
    asks(t, code);
    v = call(t, X86_HELP_sys_store, k(t, which), none(), none());
    if (x86_is_mem(t, 0))
        x86_store(t, x86_mem(t, 2, true), 2, narrow(t, v, 2));
    else
        x86_write(t, 0, narrow(t, v, x86_size(t, 0)));
}

void tr_x86_sys_sldt(struct x86_tr *t)
{
    store_word(t, 0, EXIT_LDTR_READ);
}

void tr_x86_sys_str(struct x86_tr *t)
{
    store_word(t, 1, EXIT_TR_READ);
}

void tr_x86_sys_smsw(struct x86_tr *t)
{
    store_word(t, 6, EXIT_CR_READ);
}

static void load_system(struct x86_tr *t, unsigned which)
{
    if (unprivileged(t))
        return;
    asks(t, which ? EXIT_TR_WRITE : EXIT_LDTR_WRITE);
    call(t, X86_HELP_sys_load, k(t, which), wide(t, x86_read(t, 0)), none());
}

void tr_x86_sys_lldt(struct x86_tr *t)
{
    load_system(t, 0);
}

void tr_x86_sys_ltr(struct x86_tr *t)
{
    load_system(t, 1);
}

static void verify(struct x86_tr *t, bool write)
{
    call(t, X86_HELP_verify, wide(t, x86_read(t, 0)), k(t, write), none());
}

void tr_x86_sys_verr(struct x86_tr *t)
{
    verify(t, false);
}

void tr_x86_sys_verw(struct x86_tr *t)
{
    verify(t, true);
}

static void look_at(struct x86_tr *t, enum x86_helper h)
{
    ir_val v, sel;

    sel = x86_is_mem(t, 1) ? x86_load(t, x86_mem(t, 2, false), 2) : x86_reg(t, t->i->op[1].reg, 2);
    v = call(t, h, wide(t, sel), wide(t, x86_read(t, 0)), none());
    x86_write(t, 0, narrow(t, v, x86_size(t, 0)));
}

void tr_x86_sys_lar(struct x86_tr *t)
{
    look_at(t, X86_HELP_lar);
}

void tr_x86_sys_lsl(struct x86_tr *t)
{
    look_at(t, X86_HELP_lsl);
}

void tr_x86_sys_arpl(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    ir_val d = x86_read(t, 0), s = x86_read(t, 1), rpl = ir_and_imm(ir, s, 3);
    ir_val less = ir_cmp(ir, IRO_ult, ir_and_imm(ir, d, 3), rpl);

    x86_write(t, 0, ir_select(ir, less, ir_or(ir, ir_and_imm(ir, d, 0xfffc), rpl), d));
    x86_set_flag(t, X86_FL_ZF, less);
}

static void store_table(struct x86_tr *t, unsigned which)
{
    unsigned size = x86_is64(t) ? 8 : 4;
    ir_val limit, base;

    if (hidden(t))
        return;
    asks(t, which == 2 ? EXIT_GDTR_READ : EXIT_IDTR_READ);
    limit = call(t, X86_HELP_sys_store, k(t, which), none(), none());
    base = call(t, X86_HELP_sys_store, k(t, which + 1), none(), none());
    x86_store(t, x86_mem(t, 2, true), 2, narrow(t, limit, 2));
    x86_store(t, x86_mem_at(t, 2, size, true), size, narrow(t, base, size));
}

void tr_x86_sys_sgdt(struct x86_tr *t)
{
    store_table(t, 2);
}

void tr_x86_sys_sidt(struct x86_tr *t)
{
    store_table(t, 4);
}

/* With 16-bit operands the base has 24 bits. */
static void load_table(struct x86_tr *t, unsigned which)
{
    unsigned size = x86_is64(t) ? 8 : 4;
    ir_val limit, base;

    if (unprivileged(t))
        return;
    asks(t, which ? EXIT_IDTR_WRITE : EXIT_GDTR_WRITE);
    limit = wide(t, x86_load(t, x86_mem(t, 2, false), 2));
    base = wide(t, x86_load(t, x86_mem_at(t, 2, size, false), size));
    if (!x86_is64(t) && t->i->op_size == 2)
        base = ir_and_imm(t->ir, base, 0xffffff);
    call(t, X86_HELP_load_table, k(t, which), limit, base);
}

void tr_x86_sys_lgdt(struct x86_tr *t)
{
    load_table(t, 0);
}

void tr_x86_sys_lidt(struct x86_tr *t)
{
    load_table(t, 1);
}

void tr_x86_sys_invlpg(struct x86_tr *t)
{
    ir_val va;

    if (unprivileged(t))
        return;
    va = x86_ea(t);
    if (!x86_is64(t) || t->i->ea.seg >= X86_FS)
        va = ir_add(t->ir, va, ir_get(t->ir, X86_BASE + t->i->ea.seg));
    asks_about(t, EXIT_INVLPG, va);
    leaves(t, X86_HELP_invlpg, va, none(), none());
}

void tr_x86_sys_invpcid(struct x86_tr *t)
{
    ir_val type, pcid, va;

    if (unprivileged(t))
        return;
    asks(t, EXIT_INVPCID);
    type = wide(t, x86_read(t, 0));
    pcid = x86_load(t, x86_mem(t, 8, false), 8);
    va = x86_load(t, x86_mem_at(t, 8, 8, false), 8);
    leaves(t, X86_HELP_invpcid, type, pcid, va);
}

/* --- Control --- */

void tr_x86_sys_lmsw(struct x86_tr *t)
{
    if (!unprivileged(t))
        leaves(t, X86_HELP_lmsw, wide(t, x86_read(t, 0)), none(), k(t, t->i->len));
}

void tr_x86_sys_clts(struct x86_tr *t)
{
    if (!unprivileged(t))
        call(t, X86_HELP_clts, none(), none(), k(t, t->i->len));
}

void tr_x86_sys_wbinvd(struct x86_tr *t)
{
    if (!unprivileged(t)) /* no caches that anybody could see */
        asks(t, t->i->opcode == 0x08 ? EXIT_INVD : EXIT_WBINVD);
}

static unsigned full_size(const struct x86_tr *t)
{
    return x86_is64(t) ? 8 : 4;
}

void tr_x86_sys_mov_from_cr(struct x86_tr *t)
{
    if (!unprivileged(t))
        x86_write(t, 0, narrow(t, call(t, X86_HELP_read_cr, k(t, t->i->op[1].reg), k(t, t->i->op[0].reg), none()), full_size(t)));
}

void tr_x86_sys_mov_to_cr(struct x86_tr *t)
{
    if (!unprivileged(t))
        leaves(t, X86_HELP_write_cr, k(t, t->i->op[0].reg), wide(t, x86_read(t, 1)), k(t, t->i->len | t->i->op[1].reg << 8 | 1 << 12));
}

void tr_x86_sys_mov_from_dr(struct x86_tr *t)
{
    if (!unprivileged(t))
        x86_write(t, 0, narrow(t, call(t, X86_HELP_read_dr, k(t, t->i->op[1].reg), k(t, t->i->op[0].reg), none()), full_size(t)));
}

void tr_x86_sys_mov_to_dr(struct x86_tr *t)
{
    if (!unprivileged(t))
        leaves(t, X86_HELP_write_dr, k(t, t->i->op[0].reg), wide(t, x86_read(t, 1)), k(t, t->i->len | t->i->op[1].reg << 8));
}

/* EDX:EAX, as the instructions of two registers have it. */
static ir_val edx_eax(struct x86_tr *t)
{
    ir_val hi = ir_shift_imm(t->ir, IRO_shl, ir_get(t->ir, X86_R0 + X86_DX), 32);

    return ir_or(t->ir, hi, ir_and_imm(t->ir, ir_get(t->ir, X86_R0 + X86_AX), 0xffffffff));
}

static void set_edx_eax(struct x86_tr *t, ir_val v)
{
    ir_set(t->ir, X86_R0 + X86_AX, ir_and_imm(t->ir, v, 0xffffffff));
    ir_set(t->ir, X86_R0 + X86_DX, ir_shift_imm(t->ir, IRO_shr, v, 32));
}

static ir_val ecx(struct x86_tr *t)
{
    return wide(t, x86_reg(t, X86_CX, 4));
}

void tr_x86_sys_rdmsr(struct x86_tr *t)
{
    if (!unprivileged(t))
        set_edx_eax(t, call(t, X86_HELP_rdmsr, ecx(t), none(), none()));
}

void tr_x86_sys_wrmsr(struct x86_tr *t)
{
    if (!unprivileged(t))
        leaves(t, X86_HELP_wrmsr, ecx(t), edx_eax(t), k(t, t->i->len));
}

void tr_x86_sys_rdtsc(struct x86_tr *t)
{
    set_edx_eax(t, call(t, X86_HELP_rdtsc, k(t, 0), none(), none()));
}

void tr_x86_sys_rdtscp(struct x86_tr *t)
{
    set_edx_eax(t, call(t, X86_HELP_rdtsc, k(t, 1), none(), none()));
}

void tr_x86_sys_rdpmc(struct x86_tr *t)
{
    set_edx_eax(t, call(t, X86_HELP_rdpmc, ecx(t), none(), none()));
}

void tr_x86_sys_cpuid(struct x86_tr *t)
{
    asks(t, EXIT_CPUID);
    call(t, X86_HELP_sys_cpuid, none(), none(), none());
}

void tr_x86_sys_monitor(struct x86_tr *t)
{
    ir_val at = x86_reg(t, X86_AX, t->i->addr_size);
    unsigned seg = t->i->seg_prefix == X86_NO_SEG ? X86_DS : t->i->seg_prefix;

    if (x86_cpl(t->mode)) {
        x86_undefined(t);
        return;
    }
    asks(t, EXIT_MONITOR);
    at = x86_linear(t, seg, wide(t, at), 1, false);
    x86_load(t, at, 1);
    call(t, X86_HELP_monitor, at, ecx(t), none());
}

/* Sleeps until an interrupt: writes to the line are not watched for, waking without a reason is allowed. */
void tr_x86_sys_mwait(struct x86_tr *t)
{
    if (x86_cpl(t->mode))
        x86_undefined(t);
    else
        x86_stop(t, X86_STOP_MWAIT, 0);
}

void tr_x86_sys_xgetbv(struct x86_tr *t)
{
    set_edx_eax(t, call(t, X86_HELP_xgetbv, ecx(t), none(), none()));
}

void tr_x86_sys_xsetbv(struct x86_tr *t)
{
    if (!unprivileged(t))
        leaves(t, X86_HELP_xsetbv, ecx(t), edx_eax(t), k(t, t->i->len));
}

void tr_x86_sys_rdpkru(struct x86_tr *t)
{
    set_edx_eax(t, call(t, X86_HELP_rdpkru, ecx(t), none(), none()));
}

void tr_x86_sys_wrpkru(struct x86_tr *t)
{
    ir_val zero;

    zero = ir_or(t->ir, ecx(t), wide(t, x86_reg(t, X86_DX, 4)));
    call(t, X86_HELP_wrpkru, wide(t, x86_reg(t, X86_AX, 4)), zero, none());
}

static bool is_gs(const struct x86_tr *t)
{
    return t->i->modrm >> 3 & 1;
}

void tr_x86_sys_rdbase(struct x86_tr *t)
{
    call(t, X86_HELP_rdbase, none(), none(), none());
    x86_write(t, 0, narrow(t, ir_get(t->ir, X86_BASE + (is_gs(t) ? X86_GS : X86_FS)), x86_size(t, 0)));
}

void tr_x86_sys_wrbase(struct x86_tr *t)
{
    ir_val v = wide(t, x86_read(t, 0));

    call(t, X86_HELP_wrbase, v, none(), none());
    ir_set(t->ir, X86_BASE + (is_gs(t) ? X86_GS : X86_FS), v);
}

void tr_x86_sys_rsm(struct x86_tr *t)
{
    asks(t, EXIT_RSM);
    leaves(t, X86_HELP_rsm, none(), none(), none());
}
