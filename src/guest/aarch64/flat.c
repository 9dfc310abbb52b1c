/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 blocks in the flat form (ir/flat.h): the instructions that make up most of what programs run, read
 * from the words directly (Arm ARM DDI 0487, C4.1).  A block with another one in it is lifted instead; so
 * is every reserved encoding.
 */
#include "guest/aarch64/lift.h"
#include "guest/aarch64/lift_priv.h"
#include "guest/aarch64/lift_system.h"
#include "ir/flat.h"

#include <string.h>

struct tr {
    struct flat *f;
    uint64_t pc, start;
    uint32_t w, mode;
    bool ended, sets;
};

static inline unsigned bits(uint32_t w, unsigned lsb, unsigned n)
{
    return w >> lsb & ((1u << n) - 1);
}

static inline int64_t sbits(uint32_t w, unsigned lsb, unsigned n)
{
    return (int64_t)((uint64_t)w << (64 - lsb - n)) >> (64 - n);
}

static inline uint8_t slot(unsigned reg)
{
    return reg == 31 ? FLAT_ZERO : A64_X0 + reg;
}

static inline uint8_t slot_sp(unsigned reg)
{
    return A64_X0 + reg; /* A64_SP follows X30 */
}

static inline uint8_t rd(const struct tr *t) { return slot(bits(t->w, 0, 5)); }
static inline uint8_t rn(const struct tr *t) { return slot(bits(t->w, 5, 5)); }
static inline uint8_t rm(const struct tr *t) { return slot(bits(t->w, 16, 5)); }
static inline uint8_t rd_sp(const struct tr *t) { return slot_sp(bits(t->w, 0, 5)); }
static inline uint8_t rn_sp(const struct tr *t) { return slot_sp(bits(t->w, 5, 5)); }
static inline unsigned sf(const struct tr *t) { return t->w >> 31 ? FLAT_WIDE : 0; }

static inline struct flat_op *push(struct tr *t, enum flat_kind kind)
{
    struct flat_op *o = &t->f->op[t->f->n++];

    *o = (struct flat_op){.kind = kind, .b = FLAT_ZERO, .at = (uint32_t)(t->pc - t->start)};
    return o;
}

static void constant(struct tr *t, uint8_t d, uint64_t imm)
{
    struct flat_op *o = push(t, FLAT_CONST);

    o->d = d;
    o->imm = imm;
}

/* --- Immediate --- */

static bool move_wide(struct tr *t, bool negative)
{
    unsigned h = bits(t->w, 21, 2);
    uint64_t v = (uint64_t)bits(t->w, 5, 16) << 16 * h;

    if (!sf(t) && h > 1)
        return false;
    if (negative)
        v = sf(t) ? ~v : (uint32_t)~v;
    constant(t, rd(t), v);
    return true;
}

/* Only right behind what it adds to. */
static bool move_keep(struct tr *t)
{
    struct flat_op *o = t->f->n ? &t->f->op[t->f->n - 1] : NULL;
    unsigned h = bits(t->w, 21, 2);

    if ((!sf(t) && h > 1) || !o || o->kind != FLAT_CONST || o->d != rd(t) || o->d == FLAT_ZERO)
        return false;
    o->imm = (o->imm & ~(0xffffull << 16 * h)) | (uint64_t)bits(t->w, 5, 16) << 16 * h;
    if (!sf(t))
        o->imm = (uint32_t)o->imm;
    return true;
}

static bool alu_imm(struct tr *t, enum flat_alu op, unsigned how, uint8_t d, uint8_t a, uint64_t imm)
{
    struct flat_op *o = push(t, FLAT_ALU);

    o->op = op;
    o->how = how | FLAT_IMM | sf(t);
    o->d = d;
    o->a = a;
    o->imm = imm;
    t->sets |= how & FLAT_SETS;
    return true;
}

static bool add_sub_imm(struct tr *t, enum flat_alu op, unsigned how)
{
    uint64_t imm = (uint64_t)bits(t->w, 10, 12) << (t->w >> 22 & 1 ? 12 : 0);

    return alu_imm(t, op, how, how & FLAT_SETS ? rd(t) : rd_sp(t), rn_sp(t), imm);
}

static bool logic_imm(struct tr *t, enum flat_alu op, unsigned how)
{
    uint64_t imm;

    if (!a64_bitmask(sf(t), t->w >> 22 & 1, bits(t->w, 10, 6), bits(t->w, 16, 6), &imm))
        return false;
    return alu_imm(t, op, how, how & FLAT_SETS ? rd(t) : rd_sp(t), rn(t), imm);
}

/* The field goes to the top and from there to its place (SBFM, UBFM). */
static bool bit_field(struct tr *t, unsigned sign)
{
    unsigned width = sf(t) ? 64 : 32, r = bits(t->w, 16, 6), s = bits(t->w, 10, 6);
    struct flat_op *o;

    if ((t->w >> 22 & 1) != t->w >> 31 || r >= width || s >= width)
        return false;
    o = push(t, FLAT_FIELD);
    o->how = sign | sf(t);
    o->d = rd(t);
    o->a = rn(t);
    o->amount = width - 1 - s;
    o->imm = r <= s ? width - 1 - s + r : r - s - 1;
    return true;
}

static bool extract(struct tr *t)
{
    struct flat_op *o;

    if ((t->w >> 22 & 1) != t->w >> 31 || bits(t->w, 10, 6) >= (sf(t) ? 64 : 32))
        return false;
    o = push(t, FLAT_PICK);
    o->how = sf(t);
    o->d = rd(t);
    o->a = rn(t);
    o->b = rm(t);
    o->imm = bits(t->w, 10, 6);
    return true;
}

/* --- Registers --- */

static struct flat_op *three(struct tr *t, enum flat_kind kind, unsigned op, unsigned how)
{
    struct flat_op *o = push(t, kind);

    o->op = op;
    o->how = how | sf(t);
    o->d = rd(t);
    o->a = rn(t);
    o->b = rm(t);
    t->sets |= how & FLAT_SETS;
    return o;
}

static bool shifted(struct tr *t, enum flat_alu op, unsigned how)
{
    unsigned kind = bits(t->w, 22, 2), n = bits(t->w, 10, 6);
    struct flat_op *o;

    if ((!sf(t) && n >= 32) || (op <= FLAT_SUB && kind == FLAT_ROR))
        return false;
    if (op == FLAT_OR && !n && !(how & FLAT_INVERT) && rn(t) == FLAT_ZERO) {
        o = push(t, FLAT_MOVE);
        o->how = sf(t);
        o->d = rd(t);
        o->a = rm(t);
        return true;
    }
    o = three(t, FLAT_ALU, op, how);
    o->ext = kind;
    o->amount = n;
    return true;
}

static uint8_t extension(unsigned option)
{
    static const uint8_t ext[] = {FLAT_UXTB, FLAT_UXTH, FLAT_UXTW, FLAT_LSL,
                                  FLAT_SXTB, FLAT_SXTH, FLAT_SXTW, FLAT_LSL};

    return ext[option];
}

static bool extended(struct tr *t, enum flat_alu op, unsigned how)
{
    struct flat_op *o;

    if (bits(t->w, 10, 3) > 4)
        return false;
    o = three(t, FLAT_ALU, op, how);
    o->a = rn_sp(t);
    if (!(how & FLAT_SETS))
        o->d = rd_sp(t);
    o->ext = extension(bits(t->w, 13, 3));
    if (!sf(t) && (o->ext == FLAT_UXTW || o->ext == FLAT_SXTW))
        o->ext = FLAT_LSL;
    o->amount = bits(t->w, 10, 3);
    return true;
}

static bool shift_by(struct tr *t, enum flat_ext kind)
{
    three(t, FLAT_SHIFT, 0, 0)->ext = kind;
    return true;
}

static bool multiply(struct tr *t, enum flat_alu op, unsigned how)
{
    three(t, FLAT_MULADD, op, how)->c = slot(bits(t->w, 10, 5));
    return true;
}

static bool select(struct tr *t, enum flat_select op)
{
    if (bits(t->w, 12, 4) >= 14)
        return false;
    three(t, FLAT_SELECT, op, 0)->cond = bits(t->w, 12, 4);
    return true;
}

static bool cond_compare(struct tr *t, enum flat_alu op, unsigned how)
{
    struct flat_op *o;

    if (bits(t->w, 12, 4) >= 14)
        return false;
    o = three(t, FLAT_CCMP, op, how | FLAT_SETS);
    o->cond = bits(t->w, 12, 4);
    o->c = bits(t->w, 0, 4);
    o->imm = bits(t->w, 16, 5);
    return true;
}

/* --- Memory --- */

static struct flat_op *memory(struct tr *t, bool load, unsigned size, unsigned how)
{
    struct flat_op *o = push(t, load ? FLAT_LOAD : FLAT_STORE);

    o->how = how;
    o->size = size;
    o->d = how & FLAT_VEC ? A64_V0 + bits(t->w, 0, 5) : rd(t);
    o->a = rn_sp(t);
    return o;
}

/* One register; bits 23..22: 0 store, 1 load, 2 sign-extended to 64 bits, 3 to 32. */
static struct flat_op *single(struct tr *t, unsigned how)
{
    unsigned size = t->w >> 30, opc = bits(t->w, 22, 2);

    if ((opc == 2 && size == 3) || (opc == 3 && size > 1))
        return NULL;
    return memory(t, opc, size, how | (opc >= 2 ? FLAT_SIGN : 0) | (opc == 2 ? FLAT_WIDE : 0));
}

/* One vector register; bit 23 is the size's third bit.  Bytes and halfwords are rare. */
static struct flat_op *single_v(struct tr *t, unsigned how)
{
    unsigned size = t->w >> 30 | bits(t->w, 23, 1) << 2;

    return size < 2 || size > 4 ? NULL : memory(t, t->w >> 22 & 1, size, how | FLAT_VEC);
}

static bool at(struct flat_op *o, uint64_t offset)
{
    if (o)
        o->imm = offset;
    return o;
}

static bool at_uimm(struct tr *t, struct flat_op *o)
{
    return o && at(o, (uint64_t)bits(t->w, 10, 12) << o->size);
}

static bool at_register(struct tr *t, struct flat_op *o)
{
    if (!o || !(t->w >> 14 & 1)) /* the extension is a word's or a doubleword's */
        return false;
    o->b = rm(t);
    o->ext = extension(bits(t->w, 13, 3));
    o->amount = t->w >> 12 & 1 ? o->size : 0;
    return o->b != FLAT_ZERO;
}

static bool pair(struct tr *t, unsigned how)
{
    bool v = how & FLAT_VEC;
    unsigned size = v ? 2 + (t->w >> 30) : how & FLAT_SIGN ? 2 : 2 + (t->w >> 31), u = bits(t->w, 10, 5);
    struct flat_op *o = memory(t, t->w >> 22 & 1, size, how | FLAT_PAIR);

    o->c = v ? A64_V0 + u : slot(u);
    o->imm = (uint64_t)(sbits(t->w, 15, 7) * (1 << size));
    return true;
}

static unsigned pair_back(const struct tr *t)
{
    return t->w >> 24 & 1 ? FLAT_PRE : FLAT_POST;
}

static bool literal(struct tr *t, unsigned size, unsigned how)
{
    struct flat_op *o = memory(t, true, size, how);

    o->a = FLAT_ZERO;
    return at(o, t->pc + (uint64_t)sbits(t->w, 5, 19) * 4);
}

/* --- Ways out --- */

static bool live_at(const struct tr *t, uint64_t pc)
{
    const struct flat *f = t->f;

    return !f->idle_dead_at || !f->idle_dead_at(f->idle_opaque, pc);
}

static struct flat_op *out(struct tr *t, enum flat_kind kind, unsigned how)
{
    struct flat_op *o = push(t, kind);

    o->how = how;
    t->ended = true;
    t->f->flags_live = t->sets || t->f->exact;
    return o;
}

static bool jump(struct tr *t, uint64_t to)
{
    out(t, FLAT_JUMP, 0)->imm = to;
    t->f->flags_live = t->f->flags_live && live_at(t, to);
    return true;
}

static void set_link(struct tr *t)
{
    constant(t, slot(30), t->pc + 4);
}

static bool call(struct tr *t)
{
    uint64_t to = t->pc + (uint64_t)sbits(t->w, 0, 26) * 4;
    struct flat_op *o;

    set_link(t);
    o = out(t, FLAT_JUMP, FLAT_CALL);
    o->imm = to;
    o->other = t->pc + 4;
    t->f->flags_live = t->f->flags_live && live_at(t, to);
    return true;
}

static struct flat_op *branch(struct tr *t, enum flat_kind kind, unsigned how, unsigned width)
{
    struct flat_op *o = out(t, kind, how);

    o->imm = t->pc + (uint64_t)sbits(t->w, 5, width) * 4;
    o->other = t->pc + 4;
    t->f->flags_live = t->f->flags_live && (live_at(t, o->imm) || live_at(t, o->other));
    return o;
}

static bool branch_cond(struct tr *t)
{
    if (bits(t->w, 0, 4) >= 14)
        return jump(t, t->pc + (uint64_t)sbits(t->w, 5, 19) * 4);
    branch(t, FLAT_BRANCH, 0, 19)->cond = bits(t->w, 0, 4);
    return true;
}

static bool branch_zero(struct tr *t, unsigned how)
{
    branch(t, FLAT_ZERO_BRANCH, how | sf(t), 19)->a = rd(t);
    return true;
}

static bool branch_bit(struct tr *t, unsigned how)
{
    struct flat_op *o = branch(t, FLAT_BIT_BRANCH, how, 14);

    o->a = rd(t);
    o->amount = bits(t->w, 19, 5) | t->w >> 31 << 5;
    return true;
}

static bool indirect(struct tr *t, enum ir_exit_kind kind, unsigned landing, uint64_t ret)
{
    struct flat_op *o = out(t, FLAT_IND, 0);

    o->a = rn(t);
    o->op = kind;
    o->cond = landing;
    o->imm = ret;
    return true;
}

static bool call_register(struct tr *t)
{
    if (bits(t->w, 5, 5) == 30)
        return false; /* the target is read before the link register is written */
    set_link(t);
    return indirect(t, IR_EXIT_CALL, a64_call_landing(t->mode), t->pc + 4);
}

static bool system_call(struct tr *t)
{
    struct flat_op *o = out(t, FLAT_TRAP, 0);

    o->op = CPU_STOP_SYSCALL;
    o->imm = bits(t->w, 5, 16);
    o->other = t->pc + 4;
    return true;
}

static bool thread_pointer(struct tr *t)
{
    struct flat_op *o = push(t, FLAT_MOVE);

    o->how = FLAT_WIDE;
    o->d = rd(t);
    o->a = A64_TPIDR;
    return true;
}

/* --- The loop --- */

/* False: not in this form. */
static bool flatten(struct tr *t, unsigned row)
{
    uint32_t w = t->w;

    switch (row) {
    case A64_ROW_adr: constant(t, rd(t), t->pc + (uint64_t)(sbits(w, 5, 19) * 4 + bits(w, 29, 2))); return true;
    case A64_ROW_adrp:
        constant(t, rd(t), (t->pc & ~0xfffull) + (uint64_t)(sbits(w, 5, 19) * 4 + bits(w, 29, 2)) * 4096);
        return true;
    case A64_ROW_add_imm: return add_sub_imm(t, FLAT_ADD, 0);
    case A64_ROW_adds_imm: return add_sub_imm(t, FLAT_ADD, FLAT_SETS);
    case A64_ROW_sub_imm: return add_sub_imm(t, FLAT_SUB, 0);
    case A64_ROW_subs_imm: return add_sub_imm(t, FLAT_SUB, FLAT_SETS);
    case A64_ROW_and_imm: return logic_imm(t, FLAT_AND, 0);
    case A64_ROW_orr_imm: return logic_imm(t, FLAT_OR, 0);
    case A64_ROW_eor_imm: return logic_imm(t, FLAT_XOR, 0);
    case A64_ROW_ands_imm: return logic_imm(t, FLAT_AND, FLAT_SETS);
    case A64_ROW_movn: return move_wide(t, true);
    case A64_ROW_movz: return move_wide(t, false);
    case A64_ROW_movk: return move_keep(t);
    case A64_ROW_sbfm: return bit_field(t, FLAT_SIGN);
    case A64_ROW_ubfm: return bit_field(t, 0);
    case A64_ROW_extr: return extract(t);
    case A64_ROW_b_cond: return branch_cond(t);
    case A64_ROW_b: return jump(t, t->pc + (uint64_t)sbits(w, 0, 26) * 4);
    case A64_ROW_bl: return call(t);
    case A64_ROW_cbz: return branch_zero(t, 0);
    case A64_ROW_cbnz: return branch_zero(t, FLAT_INVERT);
    case A64_ROW_tbz: return branch_bit(t, 0);
    case A64_ROW_tbnz: return branch_bit(t, FLAT_INVERT);
    case A64_ROW_br: return indirect(t, IR_EXIT_JUMP, a64_jump_landing(t->mode, bits(w, 5, 5)), 0);
    case A64_ROW_blr: return call_register(t);
    case A64_ROW_ret: return indirect(t, IR_EXIT_RET, 0, 0);
    case A64_ROW_svc: return system_call(t);
    case A64_ROW_hint: case A64_ROW_bti:
    case A64_ROW_prfm_lit: case A64_ROW_prfum: case A64_ROW_prfm_reg: case A64_ROW_prfm_uimm: return true;
    case A64_ROW_mrs_tpidr: return thread_pointer(t);
    case A64_ROW_ldr_lit: return literal(t, 2 + (w >> 30 & 1), 0);
    case A64_ROW_stp: case A64_ROW_ldp: case A64_ROW_stnp: case A64_ROW_ldnp: return pair(t, 0);
    case A64_ROW_stp_wb: case A64_ROW_ldp_wb: return pair(t, pair_back(t));
    case A64_ROW_ldpsw: return pair(t, FLAT_SIGN | FLAT_WIDE);
    case A64_ROW_ldpsw_wb: return pair(t, FLAT_SIGN | FLAT_WIDE | pair_back(t));
    case A64_ROW_stp_v: case A64_ROW_ldp_v: case A64_ROW_stnp_v: case A64_ROW_ldnp_v:
        return w >> 30 < 3 && pair(t, FLAT_VEC);
    case A64_ROW_stp_v_wb: case A64_ROW_ldp_v_wb: return w >> 30 < 3 && pair(t, FLAT_VEC | pair_back(t));
    case A64_ROW_ldst_unpriv:
        if (t->mode & A64_MODE_UNPRIV)
            return false;
        return at(single(t, 0), (uint64_t)sbits(w, 12, 9));
    case A64_ROW_ldst_unscaled: return at(single(t, 0), (uint64_t)sbits(w, 12, 9));
    case A64_ROW_ldst_post: return at(single(t, FLAT_POST), (uint64_t)sbits(w, 12, 9));
    case A64_ROW_ldst_pre: return at(single(t, FLAT_PRE), (uint64_t)sbits(w, 12, 9));
    case A64_ROW_ldst_reg: return at_register(t, single(t, 0));
    case A64_ROW_ldst_uimm: return at_uimm(t, single(t, 0));
    case A64_ROW_ldst_v_unscaled: return at(single_v(t, 0), (uint64_t)sbits(w, 12, 9));
    case A64_ROW_ldst_v_post: return at(single_v(t, FLAT_POST), (uint64_t)sbits(w, 12, 9));
    case A64_ROW_ldst_v_pre: return at(single_v(t, FLAT_PRE), (uint64_t)sbits(w, 12, 9));
    case A64_ROW_ldst_v_reg: return at_register(t, single_v(t, 0));
    case A64_ROW_ldst_v_uimm: return at_uimm(t, single_v(t, 0));
    case A64_ROW_lslv: return shift_by(t, FLAT_LSL);
    case A64_ROW_lsrv: return shift_by(t, FLAT_LSR);
    case A64_ROW_asrv: return shift_by(t, FLAT_ASR);
    case A64_ROW_rorv: return shift_by(t, FLAT_ROR);
    case A64_ROW_and: return shifted(t, FLAT_AND, 0);
    case A64_ROW_bic: return shifted(t, FLAT_AND, FLAT_INVERT);
    case A64_ROW_orr: return shifted(t, FLAT_OR, 0);
    case A64_ROW_orn: return shifted(t, FLAT_OR, FLAT_INVERT);
    case A64_ROW_eor: return shifted(t, FLAT_XOR, 0);
    case A64_ROW_eon: return shifted(t, FLAT_XOR, FLAT_INVERT);
    case A64_ROW_ands: return shifted(t, FLAT_AND, FLAT_SETS);
    case A64_ROW_bics: return shifted(t, FLAT_AND, FLAT_SETS | FLAT_INVERT);
    case A64_ROW_add: return shifted(t, FLAT_ADD, 0);
    case A64_ROW_adds: return shifted(t, FLAT_ADD, FLAT_SETS);
    case A64_ROW_sub: return shifted(t, FLAT_SUB, 0);
    case A64_ROW_subs: return shifted(t, FLAT_SUB, FLAT_SETS);
    case A64_ROW_add_ext: return extended(t, FLAT_ADD, 0);
    case A64_ROW_adds_ext: return extended(t, FLAT_ADD, FLAT_SETS);
    case A64_ROW_sub_ext: return extended(t, FLAT_SUB, 0);
    case A64_ROW_subs_ext: return extended(t, FLAT_SUB, FLAT_SETS);
    case A64_ROW_ccmn: return cond_compare(t, FLAT_ADD, 0);
    case A64_ROW_ccmn_imm: return cond_compare(t, FLAT_ADD, FLAT_IMM);
    case A64_ROW_ccmp: return cond_compare(t, FLAT_SUB, 0);
    case A64_ROW_ccmp_imm: return cond_compare(t, FLAT_SUB, FLAT_IMM);
    case A64_ROW_csel: return select(t, FLAT_PLAIN);
    case A64_ROW_csinc: return select(t, FLAT_INC);
    case A64_ROW_csinv: return select(t, FLAT_NOT);
    case A64_ROW_csneg: return select(t, FLAT_NEG);
    case A64_ROW_madd: return multiply(t, FLAT_ADD, 0);
    case A64_ROW_msub: return multiply(t, FLAT_SUB, 0);
    case A64_ROW_smaddl: return multiply(t, FLAT_ADD, FLAT_WIDEN | FLAT_SIGN);
    case A64_ROW_smsubl: return multiply(t, FLAT_SUB, FLAT_WIDEN | FLAT_SIGN);
    case A64_ROW_umaddl: return multiply(t, FLAT_ADD, FLAT_WIDEN);
    case A64_ROW_umsubl: return multiply(t, FLAT_SUB, FLAT_WIDEN);
    }
    return false;
}

uint32_t a64_flat(struct flat *f, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail,
                  uint64_t end, unsigned limit)
{
    struct tr t = {.f = f, .pc = pc, .start = pc, .mode = mode};
    uint64_t feats = a64_mode_feats(mode);
    uint32_t done = 0;

    f->slots = guest_aarch64.slots;
    f->flag_slot = A64_N;
    f->n = 0;
    if ((pc & 3) || (mode & (A64_MODE_IL | A64_MODE_BREAK | A64_MODE_FP_TRAP | A64_MODE_SP_ODD | A64_MODE_BIG)))
        return 0;
    while (!t.ended) {
        if (limit-- == 0 || t.pc == end || avail - done < 4 || f->n + 2 >= FLAT_MAX) {
            if (done) { /* not a jump back */
                t.pc -= 4;
                jump(&t, t.pc + 4);
            }
            break;
        }
        memcpy(&t.w, code + done, sizeof(t.w));
        if (!flatten(&t, a64_decode_row(t.w, feats)) || ((mode & A64_MODE_SP_CHECK) && a64_sp_moves(t.w)))
            return 0;
        t.pc += 4;
        done += 4;
    }
    return done;
}
