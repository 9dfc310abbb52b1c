/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbatim code (ir/verbatim.h) to machine code: mostly the bytes as they are.
 *
 * The guest's integer registers are the host's own, but for three: the host's rsp is a shadow stack of return addresses (host.h), and
 * r11 is for us.  So the guest's RSP is in r10, and its R10 and R11, which compilers use least, are in the CPU block.  That
 * is found through the GS segment, which 64-bit programs leave to us.  Vector registers, status flags and MXCSR are the guest's.  So
 * nothing of ours may change flags where the guest may read them.
 *
 * A call pushes the guest's return address on the guest's stack and is a call of the host's, too; a return takes the guest's address into
 * r11 and is a return of the host's: it comes to behind a call, which compares r11 with what it pushed.
 *
 * A fault leaves all of that where it is: struct host_fault's desc has no description behind it but says itself what else there is:
 * the guest's address in the low half, and registers that were put away in scratch words (SPILLED).
 */
#include "host/x86_64/host_priv.h"
#include "host/x86_64/verbatim.h"

#include "base/err.h"

#include <string.h>

enum { N_TEMPS = 3 };

/* One instruction's registers, as it is encoded again. */
struct rewrite {
    const struct verbatim_op *o;
    uint8_t reg, rm, vvvv, low; /* host numbers */
    struct x64_mem m;
    uint32_t busy;              /* registers that must stay as they are */
    unsigned n_temps;
    uint8_t temp[N_TEMPS];
    unsigned n_held;            /* guest registers of the CPU block, and where they are meanwhile */
    struct {
        uint8_t guest, host, use;
    } held[N_TEMPS];
    bool failed;
};

static struct x64_mem at_gs(int64_t off)
{
    return (struct x64_mem){.base = NOREG, .index = NOREG, .gs = true, .disp = (int32_t)off};
}

struct x64_mem xv_cpu(uint32_t off)
{
    return at_gs(off);
}

static struct x64_mem gpr_at(const struct x64 *x, unsigned g)
{
    return at_gs(x->lay->g.gpr + 8 * g);
}

static struct x64_mem scratch_at(const struct x64 *x, unsigned n)
{
    return at_gs(x->lay->v.scratch + 8 * n);
}

static bool is_moved(unsigned g)
{
    return g == RSP || g == R10 || g == R11;
}

/* --- Fields --- */

static unsigned field_reg(const struct verbatim_op *o)
{
    return (o->modrm >> 3 & 7) | (o->rex & 4) << 1;
}

static unsigned field_rm(const struct verbatim_op *o)
{
    return (o->modrm & 7) | (o->rex & 1) << 3;
}

static unsigned field_low(const struct verbatim_op *o)
{
    return (o->opcode & 7) | (o->rex & 1) << 3;
}

static const uint8_t *vex_last(const struct verbatim_op *o)
{
    return o->code + o->front + (o->code[o->front] == 0xc5 ? 1 : 2);
}

static unsigned field_vvvv(const struct verbatim_op *o)
{
    return ~(unsigned)(*vex_last(o) >> 3) & 15;
}

/* --- Registers --- */

/* A register for the time of this instruction: r11, then some that it does not use, put away. */
static unsigned take_temp(struct x64 *x, struct rewrite *w)
{
    static const uint8_t others[] = {R15, R14, R13, R12, R9, R8, RBX};
    unsigned t = R11;

    if (w->n_temps == N_TEMPS) {
        w->failed = true;
        return R11;
    }
    if (w->n_temps) {
        unsigned i = 0;

        while (w->busy >> others[i] & 1)
            i++; /* no instruction names so many */
        t = others[i];
        x64_store(&x->a, 8, scratch_at(x, w->n_temps), t);
    }
    w->temp[w->n_temps++] = (uint8_t)t;
    w->busy |= 1u << t;
    return t;
}

static void put_back(struct x64 *x, struct rewrite *w)
{
    for (unsigned i = 0; i < w->n_held; i++)
        if (w->held[i].use & VERBATIM_OUT)
            x64_store(&x->a, 8, gpr_at(x, w->held[i].guest), w->held[i].host);
    for (unsigned i = w->n_temps; i-- > 1;)
        x64_load(&x->a, 8, w->temp[i], scratch_at(x, i));
}

/* Where the guest's register @g is for @use. */
static unsigned host_of(struct x64 *x, struct rewrite *w, unsigned g, unsigned use)
{
    unsigned t;

    if (g == RSP)
        return XV_SP;
    if (!is_moved(g))
        return g;
    for (unsigned i = 0; i < w->n_held; i++)
        if (w->held[i].guest == g) {
            if (use & VERBATIM_IN && !(w->held[i].use & VERBATIM_IN))
                x64_load(&x->a, 8, w->held[i].host, gpr_at(x, g));
            w->held[i].use |= (uint8_t)use;
            return w->held[i].host;
        }
    t = take_temp(x, w);
    if (w->failed)
        return t;
    w->held[w->n_held].guest = (uint8_t)g;
    w->held[w->n_held].host = (uint8_t)t;
    w->held[w->n_held++].use = (uint8_t)use;
    if (use & VERBATIM_IN)
        x64_load(&x->a, 8, t, gpr_at(x, g));
    return t;
}

static void set_busy(struct rewrite *w)
{
    const struct verbatim_op *o = w->o;

    w->busy = 1u << RSP | 1u << R10 | 1u << R11;
    if (o->mem && o->base != VERBATIM_NO_REG)
        w->busy |= 1u << o->base;
    if (o->mem && o->index != VERBATIM_NO_REG)
        w->busy |= 1u << (o->index & 15);
    if (o->modrm_there)
        w->busy |= 1u << field_reg(o) | 1u << field_rm(o);
    if (o->vex)
        w->busy |= 1u << field_vvvv(o);
    if (o->low)
        w->busy |= 1u << field_low(o);
    w->busy |= 1u << RBX; /* CMPXCHG16B, XLAT: named nowhere */
}

static void set_address(struct x64 *x, struct rewrite *w)
{
    const struct verbatim_op *o = w->o;
    struct x64_mem m = {.base = NOREG, .index = NOREG, .scale = o->scale, .disp = o->disp};
    unsigned t;

    if (o->rip) {
        m.disp = 0;
        if ((int64_t)o->address == (int32_t)o->address) {
            m.disp = (int32_t)o->address;
        } else {
            m.base = (uint8_t)take_temp(x, w);
            x64_mov_ri(&x->a, m.base, o->address);
        }
    }
    if (o->base != VERBATIM_NO_REG)
        m.base = (uint8_t)host_of(x, w, o->base, VERBATIM_IN);
    if (o->index != VERBATIM_NO_REG)
        m.index = (uint8_t)(o->vsib ? o->index : host_of(x, w, o->index, VERBATIM_IN));
    if (o->seg) {
        t = take_temp(x, w);
        x64_load(&x->a, 8, t, at_gs(o->seg == VERBATIM_FS ? x->lay->g.fs_base : x->lay->g.gs_base));
        if (m.base == NOREG) {
            m.base = (uint8_t)t;
        } else if (m.index == NOREG) {
            m.index = m.base;
            m.scale = 0;
            m.base = (uint8_t)t;
        } else {
            x64_lea(&x->a, 8, t, (struct x64_mem){.base = (uint8_t)t, .index = m.base});
            m.base = (uint8_t)t;
        }
    }
    w->m = m;
}

static void set_fields(struct x64 *x, struct rewrite *w)
{
    const struct verbatim_op *o = w->o;

    set_busy(w);
    w->reg = (uint8_t)(o->modrm_there ? field_reg(o) : 0);
    w->rm = (uint8_t)(o->modrm_there && !o->mem ? field_rm(o) : 0);
    w->vvvv = (uint8_t)(o->vex ? field_vvvv(o) : 0);
    w->low = (uint8_t)(o->low ? field_low(o) : 0);
    if (o->mem)
        set_address(x, w);
    if (o->reg)
        w->reg = (uint8_t)host_of(x, w, w->reg, o->reg);
    if (o->rm && !o->mem)
        w->rm = (uint8_t)host_of(x, w, w->rm, o->rm);
    if (o->vvvv)
        w->vvvv = (uint8_t)host_of(x, w, w->vvvv, o->vvvv);
    if (o->low)
        w->low = (uint8_t)host_of(x, w, w->low, o->low);
}

/* --- Encoding --- */

static uint8_t *put_prefixes(uint8_t *p, const struct verbatim_op *o)
{
    for (unsigned i = 0; i < o->front; i++)
        if (o->code[i] != 0x64 && o->code[i] != 0x65)
            *p++ = o->code[i];
    return p;
}

static unsigned rex_of(const struct rewrite *w)
{
    const struct verbatim_op *o = w->o;
    unsigned b = o->mem ? (w->m.base == NOREG ? 0 : w->m.base) : o->low ? w->low : w->rm;
    unsigned index = o->mem && w->m.index != NOREG ? w->m.index : 0;

    return (o->rex & 0x48u) | (w->reg & 8) >> 1 | (index & 8) >> 2 | b >> 3;
}

static uint8_t *put_opcode(uint8_t *p, const struct rewrite *w)
{
    const struct verbatim_op *o = w->o;
    unsigned rex = rex_of(w);

    if (o->vex) {
        unsigned last = *vex_last(o);

        *p++ = 0xc4;
        *p++ = (uint8_t)((~rex & 7) << 5 | o->map);
        *p++ = (uint8_t)((o->code[o->front] == 0xc5 ? 0 : last & 0x80) | (~(unsigned)w->vvvv & 15) << 3 | (last & 7));
        *p++ = o->opcode;
        return p;
    }
    if (rex || (o->byte && !o->high && (w->reg >= 4 || w->rm >= 4 || w->low >= 4)))
        *p++ = (uint8_t)(0x40 | (rex & 15));
    if (o->map)
        *p++ = 0x0f;
    if (o->map > 1)
        *p++ = o->map == 2 ? 0x38 : 0x3a;
    *p++ = (uint8_t)(o->low ? (o->opcode & ~7u) | (w->low & 7) : o->opcode);
    return p;
}

static uint8_t *put_modrm(uint8_t *p, const struct rewrite *w)
{
    const struct x64_mem *m = &w->m;
    unsigned r = (w->reg & 7u) << 3, mod;

    if (!w->o->mem) {
        *p++ = (uint8_t)(0xc0 | r | (w->rm & 7));
        return p;
    }
    if (m->base == NOREG) {
        *p++ = (uint8_t)(r | 4);
        *p++ = (uint8_t)(m->scale << 6 | (m->index == NOREG ? 4 : m->index & 7) << 3 | 5);
        memcpy(p, &m->disp, 4);
        return p + 4;
    }
    mod = m->disp == (int8_t)m->disp ? 1 : 2;
    if (!m->disp && (m->base & 7) != RBP)
        mod = 0;
    if (m->index != NOREG || (m->base & 7) == RSP) {
        *p++ = (uint8_t)(mod << 6 | r | 4);
        *p++ = (uint8_t)(m->scale << 6 | (m->index == NOREG ? 4 : m->index & 7) << 3 | (m->base & 7));
    } else {
        *p++ = (uint8_t)(mod << 6 | r | (m->base & 7));
    }
    if (mod == 1)
        *p++ = (uint8_t)m->disp;
    if (mod == 2) {
        memcpy(p, &m->disp, 4);
        p += 4;
    }
    return p;
}

/* --- Faults --- */

static void may_fault(struct x64 *x, const struct verbatim_op *o, const struct rewrite *w)
{
    uint32_t how = o->at;

    for (unsigned i = 1; w && i < w->n_temps; i++)
        how |= (uint32_t)w->temp[i] << (HOST_VERBATIM_SPILLED + 4 * (i - 1));
    x->fault = x_grow(x->fault, &x->cap_fault, x->n_fault + 1, sizeof(*x->fault));
    x->fault[x->n_fault++] = (struct host_fault){x->a.n, how};
}

/* --- Instructions --- */

/* False: it cannot be encoded so. */
static bool emit_again(struct x64 *x, const struct verbatim_op *o)
{
    struct rewrite w = {.o = o};
    uint8_t code[32], *p = code;

    set_fields(x, &w);
    if (w.failed || (o->high && rex_of(&w)))
        return false;
    p = put_prefixes(p, o);
    p = put_opcode(p, &w);
    if (o->modrm_there)
        p = put_modrm(p, &w);
    memcpy(p, o->code + o->len - o->tail, o->tail);
    p += o->tail;
    if (o->may_fault)
        may_fault(x, o, &w);
    x64_bytes(&x->a, code, (unsigned)(p - code));
    put_back(x, &w);
    return true;
}

static bool emit_plain(struct x64 *x, const struct verbatim_op *o)
{
    if (o->again)
        return emit_again(x, o);
    if (o->may_fault)
        may_fault(x, o, NULL);
    x64_bytes(&x->a, o->code, o->len);
    return true;
}

/* Field rm or the memory operand to r11. */
static bool load_operand(struct x64 *x, const struct verbatim_op *o)
{
    struct rewrite w = {.o = o};

    if (!o->mem) {
        unsigned g = field_rm(o);

        if (g == R10 || g == R11)
            x64_load(&x->a, 8, XV_TEMP, gpr_at(x, g));
        else
            x64_mov_rr(&x->a, 8, XV_TEMP, g == RSP ? XV_SP : g);
        return true;
    }
    set_busy(&w);
    set_address(x, &w);
    if (w.failed)
        return false;
    may_fault(x, o, &w);
    x64_load(&x->a, 8, XV_TEMP, w.m);
    put_back(x, &w);
    return true;
}

static void move_sp(struct x64 *x, int32_t by)
{
    x64_lea(&x->a, 8, XV_SP, x64_at(XV_SP, by));
}

static void push_reg(struct x64 *x, const struct verbatim_op *o, unsigned r)
{
    may_fault(x, o, NULL);
    x64_store(&x->a, 8, x64_at(XV_SP, -8), r);
    move_sp(x, -8);
}

static void emit_push(struct x64 *x, const struct verbatim_op *o)
{
    unsigned g = field_low(o);

    if (g == R10 || g == R11) {
        x64_load(&x->a, 8, XV_TEMP, gpr_at(x, g));
        g = XV_TEMP;
    }
    push_reg(x, o, g == RSP ? XV_SP : g);
}

static void emit_push_imm(struct x64 *x, const struct verbatim_op *o)
{
    may_fault(x, o, NULL);
    x64_store_imm(&x->a, 8, x64_at(XV_SP, -8), (int32_t)o->imm);
    move_sp(x, -8);
}

static void emit_pop(struct x64 *x, const struct verbatim_op *o)
{
    unsigned g = field_low(o);

    may_fault(x, o, NULL);
    if (g == RSP) {
        x64_load(&x->a, 8, XV_SP, x64_at(XV_SP, 0));
        return;
    }
    x64_load(&x->a, 8, g == R10 ? XV_TEMP : g, x64_at(XV_SP, 0));
    if (g == R10 || g == R11)
        x64_store(&x->a, 8, gpr_at(x, g), XV_TEMP);
    move_sp(x, 8);
}

static void emit_leave(struct x64 *x, const struct verbatim_op *o)
{
    may_fault(x, o, NULL);
    x64_load(&x->a, 8, XV_TEMP, x64_at(RBP, 0));
    x64_lea(&x->a, 8, XV_SP, x64_at(RBP, 8));
    x64_mov_rr(&x->a, 8, RBP, XV_TEMP);
}

/* --- Ways out --- */

/* The 32-bit field that comes @at bytes from here must lie in one word: it is patched while others run.  Prefixes that mean nothing
 * are no instructions of their own, between a comparison and its branch. */
static void align_field(struct x64 *x, unsigned at)
{
    while ((x->a.n + at) % 8 > 4)
        x64_byte(&x->a, 0x2e);
}

static struct xverb_stub *new_stub(struct x64 *x, enum xverb_kind kind, uint64_t pc)
{
    x->vstub = x_grow(x->vstub, &x->cap_vstub, x->n_vstub + 1, sizeof(*x->vstub));
    x->vstub[x->n_vstub] = (struct xverb_stub){.kind = kind, .pc = pc};
    return &x->vstub[x->n_vstub++];
}

/* A branch to @pc, to be patched; its field is @at bytes from here when it need not be moved. */
static struct x64_label *link_to(struct x64 *x, uint64_t pc, unsigned at)
{
    struct xverb_stub *s;

    align_field(x, at);
    s = new_stub(x, XVERB_LINK, pc);
    s->site = x->a.n + at;
    return &s->label;
}

static void emit_link(struct x64 *x, uint64_t pc)
{
    x64_jmp(&x->a, link_to(x, pc, 1));
}

static bool goes_back(const struct x64 *x, const struct verbatim_op *o)
{
    return o->target <= x->job->pc + o->at;
}

/* JrCXZ over so many bytes. */
static uint32_t skip_if_rcx_is_0(struct x64 *x)
{
    x64_byte(&x->a, 0xe3);
    x64_byte(&x->a, 0);
    return x->a.n;
}

static void skip_to_here(struct x64 *x, uint32_t from)
{
    if (!x->a.full)
        x->a.buf[from - 1] = (uint8_t)(x->a.n - from);
}

/* Two loads, which change no flags and take no branch: when somebody wants the CPU's attention, the second one faults, before row @o. */
static void emit_poll(struct x64 *x, const struct verbatim_op *o)
{
    x64_load(&x->a, 8, XV_TEMP, at_gs(x->lay->v.poll));
    may_fault(x, o, NULL);
    x->fault[x->n_fault - 1].desc |= HOST_VERBATIM_POLL;
    x64_load(&x->a, 4, XV_TEMP, x64_at(XV_TEMP, 0));
}

/* Does row @k need one before it?  Each loop does; of a comparison and its branch, before both, if the branch is not @entered itself. */
static bool polls(const struct x64 *x, uint32_t k, bool entered)
{
    const struct verbatim_op *o = &x->job->verbatim->op[k];

    if (o->kind == VERBATIM_JCC)
        return goes_back(x, o) && (!k || entered || o->target == x->job->pc + o->at);
    if (k + 1 < x->n_verb && o[1].kind == VERBATIM_JCC && goes_back(x, &o[1]))
        return true;
    return o->kind == VERBATIM_JUMP_IND || o->kind == VERBATIM_CALL_IND ||
           ((o->kind == VERBATIM_JUMP || o->kind == VERBATIM_LOOP) && goes_back(x, o));
}

/* A row of this stretch that starts at @pc, or NULL. */
static struct x64_label *row_label(struct x64 *x, uint64_t pc)
{
    const struct verbatim *v = x->job->verbatim;
    uint32_t lo = 0, hi = x->n_verb;

    if (pc < x->job->pc)
        return NULL;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (v->op[mid].at < pc - x->job->pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < x->n_verb && v->op[lo].at == pc - x->job->pc ? &x->verb_label[lo] : NULL;
}

static void emit_jump(struct x64 *x, const struct verbatim_op *o)
{
    struct x64_label *l = row_label(x, o->target);

    if (l)
        x64_jmp(&x->a, l);
    else
        emit_link(x, o->target);
}

static void emit_jcc(struct x64 *x, const struct verbatim_op *o)
{
    struct x64_label *l = row_label(x, o->target);

    if (l && l->target && x->a.n + 2 - (l->target - 1) <= 128) {
        x64_byte(&x->a, 0x70 | o->cond);
        x64_byte(&x->a, (uint8_t)(l->target - 1 - (x->a.n + 1)));
        return;
    }
    x64_jcc(&x->a, o->cond, l ? l : link_to(x, o->target, 2));
}

static void emit_loop(struct x64 *x, const struct verbatim_op *o)
{
    struct x64_label over = {0};

    x64_bytes(&x->a, o->code, o->len - 1u);
    x64_byte(&x->a, 5);
    x64_jmp(&x->a, &over);
    emit_jump(x, o);
    x64_bind(&x->a, &over);
}

/* On here when the guest address in r11 is @pc, else to @other; changes no flag, since those who are elsewhere may want them.  RCX has been
 * put away. */
static void check_address(struct x64 *x, uint64_t pc, bool rcx_dead, struct x64_label *other)
{
    uint32_t skip;

    if ((int64_t)pc == -(int64_t)(int32_t)(0 - pc)) {
        x64_lea(&x->a, 8, RCX, x64_at(XV_TEMP, (int32_t)(0 - pc)));
    } else {
        x64_load(&x->a, 8, RCX, x_vconst(x, 0 - pc, 0));
        x64_lea(&x->a, 8, RCX, (struct x64_mem){.base = RCX, .index = XV_TEMP});
    }
    skip = skip_if_rcx_is_0(x);
    x64_jmp(&x->a, other);
    skip_to_here(x, skip);
    if (!rcx_dead)
        x64_load(&x->a, 8, RCX, scratch_at(x, 0));
}

/* What lies behind a call. */
static void emit_return_point(struct x64 *x, const struct verbatim_op *o, uint64_t ret)
{
    x64_store(&x->a, 8, scratch_at(x, 0), RCX);
    check_address(x, ret, o->rcx_dead, &x->verb_other_return);
}

static void push_return(struct x64 *x, const struct verbatim_op *o, uint64_t ret)
{
    if ((int64_t)ret == (int32_t)ret) {
        may_fault(x, o, NULL);
        x64_store_imm(&x->a, 8, x64_at(XV_SP, -8), (int32_t)ret);
        move_sp(x, -8);
    } else {
        x64_mov_ri(&x->a, XV_TEMP, ret);
        push_reg(x, o, XV_TEMP);
    }
}

static void emit_call(struct x64 *x, const struct verbatim_op *o)
{
    uint64_t ret = x->job->pc + o->at + o->len;

    push_return(x, o, ret);
    x64_call(&x->a, link_to(x, o->target, 1));
    emit_return_point(x, o, ret);
}

static bool emit_call_ind(struct x64 *x, const struct verbatim_op *o)
{
    uint64_t ret = x->job->pc + o->at + o->len;

    if (!load_operand(x, o))
        return false;
    x64_store(&x->a, 8, at_gs(x->lay->v.target), XV_TEMP);
    push_return(x, o, ret);
    x64_call(&x->a, &new_stub(x, XVERB_IND, 0)->label);
    emit_return_point(x, o, ret);
    return true;
}

/* To the guest address in r11: the cache says to what code, and that looks whether it is meant. */
void xv_jump_to(struct x64_asm *a, const struct host_layout *lay)
{
    x64_store(a, 8, at_gs(lay->v.scratch), RCX);
    x64_movzx(a, 2, RCX, XV_TEMP);
    x64_jmp_m(a, (struct x64_mem){.base = NOREG, .index = RCX, .scale = 3, .gs = true, .disp = (int32_t)lay->v.jc});
}

/* Where such branches enter. */
static void emit_indirect_entry(struct x64 *x)
{
    check_address(x, x->job->pc, x->job->verbatim->rcx_dead, &x->verb_other_target);
}

static void emit_ret(struct x64 *x, const struct verbatim_op *o)
{
    may_fault(x, o, NULL);
    x64_load(&x->a, 8, XV_TEMP, x64_at(XV_SP, 0));
    move_sp(x, 8 + (int32_t)o->imm);
    x64_ret(&x->a, 0);
}

/*
 * A loop's comparison and branch should not cross or touch the end of 32 bytes: processors of the Skylake family decode them anew each time
 * (Intel, Mitigations for Jump Conditional Code Erratum, 2019).
 */
static void keep_together(struct x64 *x, uint32_t k)
{
    enum { LINE = 32, BRANCH = 2 };
    const struct verbatim_op *o = &x->job->verbatim->op[k];

    if (o->kind == VERBATIM_PLAIN && x->a.n % LINE + o->len + BRANCH >= LINE)
        x64_align(&x->a, LINE, 0);
}

static bool emit_row(struct x64 *x, const struct verbatim_op *o)
{
    switch (o->kind) {
    case VERBATIM_PLAIN: return emit_plain(x, o);
    case VERBATIM_NOTHING: break;
    case VERBATIM_PUSH: emit_push(x, o); break;
    case VERBATIM_PUSH_IMM: emit_push_imm(x, o); break;
    case VERBATIM_PUSH_MEM:
        if (!load_operand(x, o))
            return false;
        push_reg(x, o, XV_TEMP);
        break;
    case VERBATIM_POP: emit_pop(x, o); break;
    case VERBATIM_LEAVE: emit_leave(x, o); break;
    case VERBATIM_JCC: emit_jcc(x, o); break;
    case VERBATIM_LOOP: emit_loop(x, o); break;
    case VERBATIM_CALL: emit_call(x, o); break;
    case VERBATIM_CALL_IND: return emit_call_ind(x, o);
    case VERBATIM_JUMP: emit_jump(x, o); break;
    case VERBATIM_JUMP_IND:
        if (!load_operand(x, o))
            return false;
        xv_jump_to(&x->a, x->lay);
        break;
    case VERBATIM_RET: emit_ret(x, o); break;
    }
    return true;
}

/* --- Behind the main line --- */

/* From here on as lifted code has it: registers in the CPU block, rbp the CPU. */
static void leave_verbatim(struct x64 *x)
{
    struct x64_label next = {0};

    x64_lea(&x->a, 8, XV_TEMP, x64_rip(&next));
    x64_jmp_m(&x->a, at_gs(x->lay->entry_points + 8 * HOST_EP_V_SPILL));
    x64_bind(&x->a, &next);
}

static void emit_thunk(struct x64 *x, const struct xverb_stub *v)
{
    struct host_thunk data = {.pc = v->pc, .verbatim = true};

    x64_call_m(&x->a, at_gs(x->lay->entry_points + 8 * HOST_EP_V_LINK));
    data.site = x->a.n - v->site;
    x64_bytes(&x->a, &data, sizeof(data));
}

static void emit_verb_stub(struct x64 *x, const struct xverb_stub *v)
{
    switch (v->kind) {
    case XVERB_LINK:
        emit_thunk(x, v);
        break;
    case XVERB_IND:
        x64_load(&x->a, 8, XV_TEMP, at_gs(x->lay->v.target));
        xv_jump_to(&x->a, x->lay);
        break;
    }
}

uint32_t host_from_verbatim(struct host *h, uint8_t *buf, uint32_t cap, const uint8_t *code)
{
    struct x64 *x = &h->x;

    x->a.buf = buf;
    x->a.cap = cap;
    x->a.n = 0;
    x->a.full = false;
    leave_verbatim(x);
    x64_byte(&x->a, 0xe9);
    x64_u32(&x->a, (uint32_t)(code - (buf + x->a.n + 4)));
    return x->a.full ? 0 : x->a.n;
}

bool x_verbatim(struct x64 *x)
{
    const struct verbatim *v = x->job->verbatim;
    struct x64_label inner = {0};
    uint32_t k;

    x->n_vstub = 0;
    x->n_verb = v->n;
    x->verb_other_return = x->verb_other_target = (struct x64_label){0};
    memset(x->verb_label, 0, v->n * sizeof(x->verb_label[0]));
    /* from lifted code */
    x64_lea(&x->a, 8, RAX, x64_rip(&inner));
    x64_jmp_m(&x->a, x64_at(X_CPU, (int32_t)(x->lay->entry_points + 8 * HOST_EP_V_LOAD) - (int32_t)x->lay->bias));
    x->job->indirect = x->a.n;
    emit_indirect_entry(x);
    x64_bind(&x->a, &inner);
    x->job->inner = x->a.n;
    for (k = 0; k < v->n; k++) {
        uint32_t n = x->a.n;
        bool entered = x->verb_label[k].at;

        x64_bind(&x->a, &x->verb_label[k]);
        if (polls(x, k, entered)) {
            emit_poll(x, &v->op[k]);
            keep_together(x, k);
        }
        if (emit_row(x, &v->op[k]))
            continue;
        if (!k)
            return false;
        x->a.n = n; /* nothing refers to what such a row emits but a poll */
        while (x->n_fault && x->fault[x->n_fault - 1].at >= n)
            x->n_fault--;
        break;
    }
    if (k < v->n || v->op[k - 1].kind < VERBATIM_JUMP)
        emit_link(x, x->job->pc + (k < v->n ? v->op[k].at : v->len));
    for (; k < v->n; k++) /* jumps to rows that are not here */
        if (x->verb_label[k].at && !x->verb_label[k].target) {
            x64_bind(&x->a, &x->verb_label[k]);
            emit_link(x, x->job->pc + v->op[k].at);
        }
    for (uint32_t i = 0; i < x->n_vstub; i++) {
        x64_bind(&x->a, &x->vstub[i].label);
        emit_verb_stub(x, &x->vstub[i]);
    }
    if (x->verb_other_return.at) {
        x64_bind(&x->a, &x->verb_other_return);
        x64_load(&x->a, 8, RCX, scratch_at(x, 0));
        x64_jmp_m(&x->a, at_gs(x->lay->entry_points + 8 * HOST_EP_V_RETURN));
    }
    if (x->verb_other_target.at) {
        x64_bind(&x->a, &x->verb_other_target);
        x64_jmp_m(&x->a, at_gs(x->lay->entry_points + 8 * HOST_EP_V_MISS));
    }
    return true;
}
