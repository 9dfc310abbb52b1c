/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 code for guest memory: loads, stores, atomics, fences.
 * Ordering: x86 loads acquire and stores release; only a store followed by a load can pass it.  So an
 * ordered store, which later ordered loads must not pass, is an exchange.
 */
#include "host/x86_64/emit.h"

/* The memory operand of guest address @v; its registers are pinned. */
static struct x64_mem address(struct x64 *x, uint32_t v)
{
    struct x64_mem m = { .base = NOREG, .index = NOREG };
    const struct ir_op *o;
    int32_t imm;

    v = x_resolve(x, v);
    o = &x->ir->ops[v];
    if (x_imm(x, v, &imm) && imm >= 0) {
        m.disp = imm;
    } else if ((x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && o->op == IRO_add) {
        uint32_t i = x_resolve(x, o->arg[1]);
        const struct ir_op *io = &x->ir->ops[i];

        m.base = (uint8_t)ra_use(x, o->arg[0]);
        if (x_imm(x, o->arg[1], &imm)) {
            m.disp = imm;
        } else if ((x->val[i].flags & XV_LAZY) && x->val[i].reg == NOREG && io->op == IRO_shl) {
            m.index = (uint8_t)ra_use(x, io->arg[0]);
            x_imm(x, io->arg[1], &imm);
            m.scale = (uint8_t)imm;
        } else {
            m.index = (uint8_t)ra_use(x, i);
        }
    } else if ((x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && o->op == IRO_shl) {
        m.index = (uint8_t)ra_use(x, o->arg[0]);
        x_imm(x, o->arg[1], &imm);
        m.scale = (uint8_t)imm;
    } else {
        m.base = (uint8_t)ra_use(x, v);
    }
    if (x->job->untag) {
        unsigned t = ra_temp(x, false);

        x64_lea(&x->a, 8, t, m);
        x64_shift_ri(&x->a, SH_SHL, 8, t, 8);
        x64_shift_ri(&x->a, SH_SAR, 8, t, 8);
        m = x64_at(t, 0);
    }
    m.gs = x->job->gs_base;
    return m;
}

static unsigned mem_size(const struct ir_op *o)
{
    return 1u << (o->imm & IR_MEM_SIZE);
}

/* --- A machine's memory --- */

/* Must the access be aligned to be made in line?  Atomics: the host has no misaligned one of 16 bytes, and those in two lines of the
 * cache are dear, or stopped, where the bus is not to be locked. */
static bool must_be_aligned(const struct host_soft *soft, const struct host_access *a)
{
    bool atomic = a->op >= IRO_cas && a->op <= IRO_fumina;

    return soft->aligned || atomic || ir_mem_aligned(a->memop) ||
           (soft->strict && (a->memop >> IR_MEM_ORDER_SHIFT & IR_ACQ_REL));
}

uint32_t x_look_up(struct x64 *x, struct x64_mem m, unsigned size, bool write, unsigned t, const struct host_access *a)
{
    const struct host_soft *soft = x->job->soft;
    uint32_t unpriv = a->memop & IR_MEM_UNPRIV ? soft->tlb_unpriv : 0;
    struct x64_mem entry = x_cpu(x, soft->tlb);
    bool aligned = must_be_aligned(soft, a);
    struct x64_mem last = m;
    struct xstub *s = x_stub(x);

    s->kind = STUB_ACCESS;
    s->m = m;
    s->access = *a;
    if (m.disp)
        x64_lea(&x->a, 4, t, m);
    else
        x64_mov_rr(&x->a, 4, t, m.base);
    x64_shift_ri(&x->a, SH_SHR, 4, t, HOST_PAGE_BITS - HOST_TLB_ENTRY_BITS);
    x64_alu_ri(&x->a, ALU_AND, 4, t, (int32_t)((soft->entries - 1) << HOST_TLB_ENTRY_BITS));
    if (unpriv) {
        x64_alu_rm(&x->a, ALU_ADD, 8, t, x_cpu(x, unpriv));
        entry = x64_at(t, 0);
    } else {
        entry.index = (uint8_t)t;
    }
    entry.disp += write ? HOST_TLB_WRITE : HOST_TLB_READ;
    last.disp += aligned ? 0 : (int32_t)size - 1;
    if (last.disp)
        x64_lea(&x->a, 8, RAX, last);
    else
        x64_mov_rr(&x->a, 8, RAX, last.base);
    x64_alu_ri(&x->a, ALU_AND, 8, RAX, -(1 << HOST_PAGE_BITS) | (aligned ? (int32_t)size - 1 : 0));
    x64_alu_rm(&x->a, ALU_CMP, 8, RAX, entry);
    x64_jcc(&x->a, CC_NE, &s->label);
    entry.disp += HOST_TLB_ADDEND - (write ? HOST_TLB_WRITE : HOST_TLB_READ);
    x64_load(&x->a, 8, t, entry);
    return (uint32_t)(s - x->stub);
}

/* One access of the operation at hand: where it is made.  Programs: @m is all there is. */
struct where {
    struct x64_mem m;
    unsigned t, v; /* temporaries, NOREG: no need */
    uint32_t stub;
};

/* The temporaries for an access at @m; the last allocation but for the result and what is stored. */
static struct where where(struct x64 *x, struct x64_mem m)
{
    struct where w = { .m = m, .t = NOREG, .v = NOREG };

    if (!x->job->soft)
        return w;
    w.t = ra_temp(x, false);
    if (m.index != NOREG || m.base == NOREG || m.disp > INT32_MAX - 64)
        w.v = ra_temp(x, false);
    return w;
}

/* Behind all allocations and the description of the fault: from here on w->m is the host's. */
static void look_up(struct x64 *x, struct where *w, const struct ir_op *o, bool write, const struct host_access *a)
{
    struct host_access access = *a;

    if (!x->job->soft)
        return;
    access.desc = x->access_desc;
    access.op = o->op;
    access.memop = (uint8_t)o->imm;
    access.type = o->type;
    if (w->v != NOREG) {
        x64_lea(&x->a, 8, w->v, w->m);
        w->m = x64_at(w->v, 0);
    }
    w->stub = x_look_up(x, w->m, mem_size(o), write, w->t, &access);
    w->m.index = w->m.base;
    w->m.base = (uint8_t)w->t;
}

static void done(struct x64 *x, const struct where *w)
{
    if (x->job->soft)
        x_slow_back(x, w->stub);
}

/* The host's own #GP is the guest's; of machines, x_look_up has seen to it. */
enum { MOVUPS_LOAD = VX(0, 1, 0x10), MOVUPS_STORE = VX(0, 1, 0x11), MOVAPS_LOAD = VX(0, 1, 0x28), MOVAPS_STORE = VX(0, 1, 0x29) };

static bool aligned_for_host(const struct x64 *x, const struct ir_op *o)
{
    return ir_mem_aligned(o->imm) && !x->job->soft;
}

static void emit_load(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct where w = where(x, address(x, o->arg[0]));
    unsigned size = mem_size(o), d = ra_def_loaded(x, v, o);

    look_up(x, &w, o, false, &(struct host_access){ .dst = (uint8_t)d });
    if (ir_is_vec(o->type)) {
        if (size == 16)
            x64_v2m(&x->a, aligned_for_host(x, o) ? MOVAPS_LOAD : MOVUPS_LOAD, d - X_XMM, w.m);
        else
            x64_vload_n(&x->a, size, d - X_XMM, w.m);
    } else if ((o->imm & IR_MEM_SIGN) && size < ir_bits(o->type) / 8) {
        x64_load_sx(&x->a, size, x_size(o->type), d, w.m);
        if (o->type == IR_I16)
            x64_movzx(&x->a, 2, d, d);
    } else {
        x64_load(&x->a, size, d, w.m);
    }
    done(x, &w);
}

static void emit_store_vec(struct x64 *x, const struct ir_op *o, struct x64_mem m)
{
    unsigned size = mem_size(o), s = rv_use(x, o->arg[1]);
    struct where w = where(x, m);

    x_fault_here(x, o);
    look_up(x, &w, o, true, &(struct host_access){ .src = { (uint8_t)(X_XMM + s) } });
    if (size == 16)
        x64_v2m(&x->a, aligned_for_host(x, o) ? MOVAPS_STORE : MOVUPS_STORE, s, w.m);
    else
        x64_vstore_n(&x->a, size, w.m, s);
    if (o->imm >> IR_MEM_ORDER_SHIFT & IR_RELEASE)
        x64_mfence(&x->a);
    done(x, &w);
}

static void emit_store_release(struct x64 *x, const struct ir_op *o, struct x64_mem m)
{
    unsigned s = ra_use(x, o->arg[1]), t = ra_temp(x, false);
    struct where w = where(x, m);

    x64_mov_rr(&x->a, 8, t, s);
    x_fault_here(x, o);
    look_up(x, &w, o, true, &(struct host_access){ .src = { (uint8_t)s } });
    x64_xchg_mr(&x->a, mem_size(o), w.m, t);
    done(x, &w);
}

static void emit_store(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned size = mem_size(o), s;
    struct where w;
    int32_t imm;

    (void)v;
    if (ir_is_vec(x->ir->ops[o->arg[1]].type)) {
        emit_store_vec(x, o, m);
    } else if (o->imm >> IR_MEM_ORDER_SHIFT & IR_RELEASE) {
        emit_store_release(x, o, m);
    } else if (x_imm(x, o->arg[1], &imm)) {
        w = where(x, m);
        x_fault_here(x, o);
        look_up(x, &w, o, true, &(struct host_access){ .imm = imm, .how = HOST_ACCESS_IMM });
        x64_store_imm(&x->a, size, w.m, imm);
        done(x, &w);
    } else {
        s = ra_use(x, o->arg[1]);
        w = where(x, m);
        x_fault_here(x, o);
        look_up(x, &w, o, true, &(struct host_access){ .src = { (uint8_t)s } });
        x64_store(&x->a, size, w.m, s);
        done(x, &w);
    }
}

/* Small results come back zero-extended. */
static void widen(struct x64 *x, unsigned size, unsigned d)
{
    if (size <= 2)
        x64_movzx(&x->a, size, d, d);
}

static void emit_xchg_add(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned size = mem_size(o), s = ra_use(x, o->arg[1]);
    struct where w = where(x, m);
    unsigned d = ra_def(x, v);

    if (!x->job->soft)
        x64_mov_rr(&x->a, 8, d, s);
    x_fault_here(x, o);
    look_up(x, &w, o, true, &(struct host_access){ .dst = (uint8_t)d, .src = { (uint8_t)s } });
    if (x->job->soft)
        x64_mov_rr(&x->a, 8, d, s);
    if (o->op == IRO_fadda) {
        x64_lock(&x->a);
        x64_xadd_mr(&x->a, size, w.m, d);
    } else {
        x64_xchg_mr(&x->a, size, w.m, d);
    }
    widen(x, size, d);
    done(x, &w);
}

/* Operands of minimum and maximum, extended to the comparison's width. */
static void extend(struct x64 *x, bool sign, unsigned size, unsigned d, unsigned s)
{
    if (size >= 4)
        x64_mov_rr(&x->a, size, d, s);
    else if (sign)
        x64_movsx(&x->a, size, 4, d, s);
    else
        x64_movzx(&x->a, size, d, s);
}

/* What memory is to hold, into @t; @b extended in @w for comparisons. */
static void combine(struct x64 *x, const struct ir_op *o, unsigned t, unsigned b, unsigned w)
{
    static const uint8_t keep[] = { CC_GE, CC_LE, CC_AE, CC_BE }; /* smax smin umax umin */
    unsigned size = mem_size(o), wide = size == 8 ? 8 : 4;

    if (o->op >= IRO_fsmaxa && o->op <= IRO_fumina) {
        extend(x, o->op == IRO_fsmaxa || o->op == IRO_fsmina, size, t, RAX);
        x64_alu_rr(&x->a, ALU_CMP, wide, t, w);
        x64_cmov(&x->a, keep[o->op - IRO_fsmaxa] ^ 1, wide, t, w);
    } else {
        x64_mov_rr(&x->a, wide, t, RAX);
        x64_alu_rr(&x->a, o->op == IRO_fanda ? ALU_AND : o->op == IRO_fora ? ALU_OR : ALU_XOR, wide, t, b);
    }
}

static void emit_fetch_loop(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned size = mem_size(o), b = ra_use(x, o->arg[1]), t = ra_temp(x, false), d = ra_def(x, v), w = 0;
    struct where at = where(x, m);
    struct x64_label again = { 0 };

    if (o->op >= IRO_fsmaxa && o->op <= IRO_fumina) {
        w = ra_temp(x, false);
        extend(x, o->op == IRO_fsmaxa || o->op == IRO_fsmina, size, w, b);
    }
    x_fault_here(x, o);
    look_up(x, &at, o, true, &(struct host_access){ .dst = (uint8_t)d, .src = { (uint8_t)b } });
    x64_load(&x->a, size, RAX, at.m);
    x64_bind(&x->a, &again);
    combine(x, o, t, b, w);
    if (!x->job->soft)
        x_fault_here(x, o);
    x64_lock(&x->a);
    x64_cmpxchg_mr(&x->a, size, at.m, t);
    x64_jcc(&x->a, CC_NE, &again);
    x64_mov_rr(&x->a, size == 8 ? 8 : 4, d, RAX);
    done(x, &at);
}

static void emit_cas16(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct where w;
    unsigned e, n, d;

    ra_take(x, RDX);
    ra_take(x, RCX);
    ra_take(x, RBX);
    w = where(x, address(x, o->arg[0]));
    e = rv_use(x, o->arg[1]);
    n = rv_use(x, o->arg[2]);
    d = rv_def(x, v);
    if (x->job->soft) {
        x_fault_here(x, o);
        look_up(x, &w, o, true, &(struct host_access){ .dst = (uint8_t)(X_XMM + d),
                                                       .src = { (uint8_t)(X_XMM + e), (uint8_t)(X_XMM + n) } });
    }
    x64_movq_rx(&x->a, 8, RAX, e);
    x64_v2i(&x->a, VX(0x66, 3, 0x16) | VX_W, e, RDX, 1); /* pextrq: the register is ModRM.reg */
    x64_movq_rx(&x->a, 8, RBX, n);
    x64_v2i(&x->a, VX(0x66, 3, 0x16) | VX_W, n, RCX, 1);
    if (!x->job->soft)
        x_fault_here(x, o);
    x64_lock(&x->a);
    x64_cmpxchg16b(&x->a, w.m);
    x64_movq_xr(&x->a, 8, d, RAX);
    x64_v3i(&x->a, VX(0x66, 3, 0x22) | VX_W, d, d, RDX, 1); /* pinsrq */
    done(x, &w);
}

static void emit_cas(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct where w;
    unsigned size = mem_size(o), e, n, d;

    if (o->type == IR_V128) {
        emit_cas16(x, o, v);
        return;
    }
    w.m = address(x, o->arg[0]);
    e = ra_use(x, o->arg[1]);
    n = ra_use(x, o->arg[2]);
    w = where(x, w.m);
    d = ra_def(x, v);
    if (x->job->soft) {
        x_fault_here(x, o);
        look_up(x, &w, o, true, &(struct host_access){ .dst = (uint8_t)d, .src = { (uint8_t)e, (uint8_t)n } });
    }
    x64_mov_rr(&x->a, 8, RAX, e);
    if (!x->job->soft)
        x_fault_here(x, o);
    x64_lock(&x->a);
    x64_cmpxchg_mr(&x->a, size, w.m, n);
    extend(x, false, size, d, RAX);
    done(x, &w);
}

/* Without AVX a program's store may be cut in two; when it may cross into another page, that both can be written is seen to out of line. */
static void probe(struct x64 *x, struct x64_mem m)
{
    enum { SIZE = 32 };
    struct x64_mem end = m;
    uint32_t i;

    end.disp = (int32_t)((uint32_t)m.disp + SIZE); /* only low bits are looked at */
    x64_lea(&x->a, 4, RAX, end);
    x64_test_ri(&x->a, 4, RAX, (1 << HOST_PAGE_BITS) - SIZE);
    i = (uint32_t)(x_stub(x) - x->stub);
    x->stub[i].kind = STUB_PROBE;
    x->stub[i].m = m;
    x->stub[i].access.desc = x->access_desc;
    x64_jcc(&x->a, CC_E, &x->stub[i].label);
    x_slow_back(x, i);
}

static void emit_store2(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    struct x64_mem m = address(x, o->arg[0]);
    unsigned low = rv_use(x, o->arg[1]), high = rv_use(x, o->arg[2]), t = rv_temp(x);
    struct where w = where(x, m);
    bool avx = x->a.f.avx;

    (void)v;
    if (avx)
        x64_v3i(&x->a, VX(0x66, 3, 0x18) | VX_L | VX_VEXONLY, t, low, high, 1); /* vinsertf128 */
    x_fault_here(x, o);
    if (!avx && !x->job->soft) {
        probe(x, m);
        x_fault_as(x, x->access_desc);
    }
    look_up(x, &w, o, true, &(struct host_access){ .src = { (uint8_t)(X_XMM + low), (uint8_t)(X_XMM + high) } });
    x64_v2m(&x->a, avx ? MOVUPS_STORE | VX_L | VX_VEXONLY : MOVUPS_STORE, avx ? t : low, w.m);
    if (!avx) {
        if (!x->job->soft)
            x_fault_as(x, x->access_desc);
        w.m.disp += 16;
        x64_v2m(&x->a, MOVUPS_STORE, high, w.m);
    }
    done(x, &w);
    if (avx)
        x64_bytes(&x->a, "\xc5\xf8\x77", 3); /* vzeroupper: C code is SSE code */
}

static void emit_fence(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    (void)v;
    if (o->imm == IR_FENCE_ALL)
        x64_mfence(&x->a);
}

emit_fn *const x64_emit_mem[IR_NUM_OPS] = {
    [IRO_load] = emit_load, [IRO_store] = emit_store, [IRO_store2] = emit_store2, [IRO_cas] = emit_cas,
    [IRO_xchg] = emit_xchg_add, [IRO_fadda] = emit_xchg_add,
    [IRO_fanda] = emit_fetch_loop, [IRO_fora] = emit_fetch_loop, [IRO_fxora] = emit_fetch_loop,
    [IRO_fsmaxa] = emit_fetch_loop, [IRO_fsmina] = emit_fetch_loop,
    [IRO_fumaxa] = emit_fetch_loop, [IRO_fumina] = emit_fetch_loop, [IRO_fence] = emit_fence,
};
