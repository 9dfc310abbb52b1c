/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One region to machine code: the forward walk over blocks and operations.  Contract: host.h; the
 * emitters' view: emit.h.
 */
#include "host/x86_64/emit.h"

#include "base/err.h"
#include "host/x86_64/host_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- Constants behind the code --- */

struct x64_mem x_vconst(struct x64 *x, uint64_t lo, uint64_t hi)
{
    uint32_t i;

    for (i = 0; i < x->n_konst; i++)
        if (x->konst[i].lo == lo && x->konst[i].hi == hi)
            return (struct x64_mem){ .base = NOREG, .index = NOREG, .label = &x->konst[i].label };
    if (x->n_konst == x->cap_konst) {
        x->too_big = true; /* labels must not move: the table has a fixed size */
        i = 0;
    } else {
        x->konst[i] = (struct xconst){ lo, hi, { 0 } };
        x->n_konst++;
    }
    return (struct x64_mem){ .base = NOREG, .index = NOREG, .label = &x->konst[i].label };
}

unsigned x_how(struct x64 *x, const struct ir_op *o)
{
    if (x->n_how == x->cap_how) {
        x->too_big = true;
        return 0;
    }
    x->how[x->n_how] = (struct xhow){
        .how = { .op = o->op, .type = o->type, .lane = o->lane, .imm = o->imm,
                 .arg_type = ir_info[o->op].n_args ? x->ir->ops[o->arg[0]].type : IR_VOID },
    };
    return x->n_how++;
}

static void emit_data(struct x64 *x)
{
    if (x->n_konst) {
        x64_align(&x->a, 16, 0);
        for (uint32_t i = 0; i < x->n_konst; i++) {
            x64_bind(&x->a, &x->konst[i].label);
            x64_u64(&x->a, x->konst[i].lo);
            x64_u64(&x->a, x->konst[i].hi);
        }
    }
    if (x->n_how)
        x64_align(&x->a, 8, 0);
    for (uint32_t i = 0; i < x->n_how; i++) {
        uint64_t w[(sizeof(struct ir_how) + 7) / 8] = { 0 };

        x64_bind(&x->a, &x->how[i].label);
        memcpy(w, &x->how[i].how, sizeof(struct ir_how));
        for (unsigned k = 0; k < sizeof(w) / 8; k++)
            x64_u64(&x->a, w[k]);
    }
}

/* --- Which emitter --- */

static bool narrow(unsigned type)
{
    return type == IR_I1 || type == IR_I8 || type == IR_I16;
}

bool x_in_line(const struct ir *ir, const struct ir_op *o)
{
    unsigned arg = ir_info[o->op].n_args ? ir->ops[o->arg[0]].type : IR_VOID;

    switch (o->op) {
    case IRO_and: case IRO_or: case IRO_xor:
        return true;
    case IRO_not:
        return o->type == IR_I1 || !narrow(o->type);
    case IRO_sext:
        return !narrow(o->type);
    case IRO_slt: case IRO_sle: case IRO_add_v: case IRO_sub_v: case IRO_adc_c: case IRO_adc_v:
        return !narrow(arg);
    }
    return o->op < IRO_add || o->op > IRO_bswap || !narrow(o->type);
}

/* Operations that compare 64-bit lanes: one instruction of SSE4.2, out of line without it. */
static bool compares_quads(const struct ir_op *o)
{
    if (o->op >= IRO_vabs && o->op <= IRO_vsqshlu)
        return o->lane == 3;
    return o->op >= IRO_vuqxtn && o->op <= IRO_vsqxtun && o->lane == 2;
}

emit_fn *x_emitter(const struct x64 *x, const struct ir_op *o)
{
    emit_fn *fn = x64_emit_int[o->op];

    if (fn)
        return x_in_line(x->ir, o) ? fn : emit_eval;
    fn = x64_emit_mem[o->op];
    if (!fn)
        fn = x->a.f.sse42 || !compares_quads(o) ? x64_emit_vec[o->op] : NULL;
    if (!fn && !x->job->fp_slow && (!x->job->fp_flush || x64_fp_traps(x, o->op)))
        fn = x64_emit_fp[o->op];
    return fn ? fn : emit_eval;
}

static void emit_get(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    x_load_get(x, ra_def(x, v), o);
}

/* --- Calls --- */

void emit_eval(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    uint32_t off = x->lay->scratch;
    unsigned h;

    x->job->n_evals++;
    for (unsigned k = 0; k < ir_info[o->op].n_args; k++, off += 16) {
        unsigned r = ra_use(x, o->arg[k]), type = x->ir->ops[ir_root(x->ir, o->arg[k])].type;

        if (r < X_XMM) { /* a narrow operand may have anything in its upper half */
            if (x->ir->ops[ir_root(x->ir, o->arg[k])].type == IR_I32) {
                x64_mov_rr(&x->a, 4, X_SCRATCH, r);
                r = X_SCRATCH;
            }
            x64_store(&x->a, 8, x_cpu(x, off), r);
        } else if (type == IR_V128) {
            x64_vstore(&x->a, x_cpu(x, off), r - X_XMM);
        } else {
            x64_movq_rx(&x->a, type == IR_F64 ? 8 : 4, X_SCRATCH, r - X_XMM);
            if (type == IR_F16)
                x64_movzx(&x->a, 2, X_SCRATCH, X_SCRATCH);
            x64_store(&x->a, 8, x_cpu(x, off), X_SCRATCH);
        }
    }
    h = x_how(x, o);
    ra_clobber_calls(x);
    x64_lea(&x->a, 8, RDI, x_cpu(x, 0));
    x64_lea(&x->a, 8, RSI, x64_rip(&x->how[h].label));
    x64_load(&x->a, 8, RAX, x_cpu(x, x->lay->entry_points + HOST_EP_EVAL * 8));
    x64_call_m(&x->a, x_cpu(x, x->lay->entry_points + HOST_EP_CALL * 8));
    if (!(x->val[v].flags & (XV_LIVE | XV_REMAT)) && !x->exiting)
        return;
    x->pinned = 0;
    if (ir_is_vec(o->type))
        x64_vload(&x->a, rv_def(x, v), x_cpu(x, x->lay->scratch + 48));
    else
        x64_load(&x->a, 8, ra_def(x, v), x_cpu(x, x->lay->scratch + 48));
}

/* Values that are still only in slot memory must leave it before a full helper changes it. */
static void leave_memory(struct x64 *x, uint32_t upto)
{
    for (uint32_t v = 1; v < upto; v++) {
        struct xval *xv = &x->val[v];

        if (x->ir->ops[v].op != IRO_get || !(xv->flags & XV_REMAT))
            continue;
        if (ra_next_use(x, v) != ~0u && xv->reg == NOREG && !xv->slot)
            ra_use(x, v);
        xv->flags &= ~XV_REMAT;
        x->pinned = 0;
    }
}

static void emit_call(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    static const uint8_t arg_reg[3] = { RSI, RDX, RCX };
    const struct ir_helper *h = &x->ir->helpers[o->imm];

    if (x_x87(x, o, v))
        return;
    if (h->full) {
        /* operands first, to where the write-back cannot touch them */
        for (unsigned k = 0; k < 3; k++)
            if (o->arg[k]) {
                unsigned r = ra_use(x, o->arg[k]);

                x64_store(&x->a, 8, x_cpu(x, x->lay->scratch + k * 8), r);
                x->pinned = 0;
            }
        leave_memory(x, v);
        x_write_back(x, o->snap);
        x_forget_lazy(x);
        x64_mov_ri(&x->a, X_SCRATCH, x->ir->snaps[o->snap].pc);
        x64_store(&x->a, 8, x_cpu(x, x->lay->pc), X_SCRATCH);
        ra_clobber_calls(x);
        for (unsigned k = 0; k < 3; k++)
            if (o->arg[k])
                x64_load(&x->a, 8, arg_reg[k], x_cpu(x, x->lay->scratch + k * 8));
    } else {
        x->holding = true; /* one value may be several operands */
        for (unsigned k = 0; k < 3; k++)
            if (o->arg[k])
                ra_use_in(x, o->arg[k], arg_reg[k]);
        x->holding = false;
        ra_clobber_calls(x);
    }
    x64_lea(&x->a, 8, RDI, x_cpu(x, 0));
    x64_load(&x->a, 8, X_SCRATCH, x_cpu(x, x->lay->helpers));
    x64_load(&x->a, 8, X_SCRATCH, x64_at(X_SCRATCH, (int32_t)(o->imm * sizeof(struct ir_helper) +
                                                              offsetof(struct ir_helper, fn))));
    x64_call_m(&x->a, x_cpu(x, x->lay->entry_points + HOST_EP_CALL * 8));
    if (h->full) {
        x64_alu_mi(&x->a, ALU_CMP, 4, x_cpu(x, x->lay->stop), 0);
        x64_jcc(&x->a, CC_NE, &x->leave_stop);
    }
    x->holding = false;
    x->pinned = 0;
    if (x->val[v].uses || x->val[v].end) {
        unsigned d = ra_def(x, v);

        x64_mov_rr(&x->a, x_size(o->type), d, RAX);
        if (narrow(o->type))
            x64_alu_ri(&x->a, ALU_AND, 4, d, (int32_t)ir_mask(o->type));
    }
}

/* --- Blocks --- */

static bool is_out_of_line(const struct x64 *x, uint32_t b)
{
    return x_is_stub(&x->ir->blocks[b]);
}

/* The block emitted after @b: fall-through needs no jump. */
static uint32_t next_block(const struct x64 *x, uint32_t b)
{
    for (b++; b < x->ir->n_blocks && is_out_of_line(x, b);)
        b++;
    return b;
}

/* Where a branch to block @b goes; the registers are as they are now. */
static struct x64_label *branch_target(struct x64 *x, uint32_t b)
{
    if (is_out_of_line(x, b)) {
        struct xstub *s = x_stub(x);

        s->kind = STUB_EXIT_BLOCK;
        s->op = b;
        s->state = ra_stub_state(x);
        return &s->label;
    }
    x->block[b].entry = ra_new_state(x);
    ra_save_state(x, x->block[b].entry);
    return &x->block[b].label;
}

static void emit_exit_in_line(struct x64 *x, uint32_t b)
{
    const struct ir_block *e = &x->ir->blocks[b];

    for (uint32_t v = e->first; v < e->end; v++)
        if (ir_info[x->ir->ops[v].op].effects >= IR_END)
            emit_out(x, &x->ir->ops[v]);
}

static void jump_cond(struct x64 *x, enum x64_cc cc, unsigned cc2, bool both, struct x64_label *l)
{
    if (cc2 == NOREG) {
        x64_jcc(&x->a, cc, l);
    } else if (both) {
        struct x64_label no = { 0 };

        x64_jcc(&x->a, cc ^ 1, &no);
        x64_jcc(&x->a, cc2, l);
        x64_bind(&x->a, &no);
    } else {
        x64_jcc(&x->a, cc, l);
        x64_jcc(&x->a, cc2, l);
    }
}

static void emit_br(struct x64 *x, const struct ir_op *o, uint32_t b)
{
    const struct ir_block *blk = &x->ir->blocks[b];
    uint32_t yes = blk->succ[0], no = blk->succ[1], next = next_block(x, b);
    bool joined = x_joined(x, o->arg[0]), both, want = true;
    unsigned cc2 = NOREG;
    enum x64_cc cc = CC_NE;

    if (joined)
        x_fetch_joined(x, o->arg[0]);
    else
        cc = x_cond(x, o->arg[0], &cc2, &both);
    x->pinned = 0;
    x_forget_lazy(x);
    if (yes == next || (is_out_of_line(x, no) && !is_out_of_line(x, yes))) {
        uint32_t t = yes; /* the likely one falls through */

        yes = no;
        no = t;
        want = false;
        cc ^= 1;
        if (cc2 != NOREG) {
            cc2 ^= 1;
            both = !both;
        }
    }
    /* labels live in arrays that may move while stubs are added: jump at once */
    if (joined)
        x_jump_joined(x, o->arg[0], want, branch_target(x, yes));
    else if (cc2 != NOREG || !x_link_cc(x, cc, yes))
        jump_cond(x, cc, cc2, both, branch_target(x, yes));
    if (is_out_of_line(x, no)) {
        emit_exit_in_line(x, no);
    } else {
        struct x64_label *l = branch_target(x, no);

        if (no != next)
            x64_jmp(&x->a, l);
    }
}

/* Jumps to @l when condition @v is @want; its operands are at hand. */
static void jump_if(struct x64 *x, uint32_t v, bool want, struct x64_label *l)
{
    unsigned cc2;
    bool both;
    enum x64_cc cc;

    if (x_joined(x, v)) {
        x_jump_joined(x, v, want, l);
        return;
    }
    cc = x_cond(x, v, &cc2, &both);
    if (!want) {
        cc ^= 1;
        cc2 = cc2 == NOREG ? NOREG : cc2 ^ 1;
        both = !both;
    }
    jump_cond(x, cc, cc2, both, l);
}

/* In straight code what waits for the way out changes from operation to operation, and a full call changes where slots
 * can be read from: then it stands in line. */
static void check_in_line(struct x64 *x, const struct ir_op *o)
{
    struct x64_label over = { 0 };
    struct xstate *s = ra_new_state(x);
    uint32_t touched[16], n = x->n_touched;

    memcpy(touched, x->touched, sizeof(touched));
    jump_if(x, o->arg[0], false, &over);
    ra_save_state(x, s);
    x_write_back(x, o->snap);
    x_forget_lazy(x);
    x_stop(x, o->arg[1], o->imm, x->ir->snaps[o->snap].pc);
    ra_load_state(x, s);
    memcpy(x->touched, touched, sizeof(touched));
    x->n_touched = n;
    x64_bind(&x->a, &over);
}

static void emit_check(struct x64 *x, const struct ir_op *o)
{
    x_fetch_joined(x, o->arg[0]);
    x->pinned = 0;
    x_forget_lazy(x);
    if (x->straight || (x->ir->blocks[0].full_call && !x->early_gets)) {
        check_in_line(x, o);
    } else {
        struct xstub *s = x_stub(x);

        s->kind = STUB_CHECK;
        s->op = (uint32_t)(o - x->ir->ops);
        s->state = ra_stub_state(x);
        jump_if(x, o->arg[0], true, &s->label);
    }
}

static void emit_terminator(struct x64 *x, uint32_t b, uint32_t v)
{
    const struct ir_op *o = &x->ir->ops[v];
    const struct ir_block *blk = &x->ir->blocks[b];

    x->holding = o->op != IRO_jmp;
    if (o->op == IRO_br) {
        emit_br(x, o, b);
    } else if (o->op == IRO_jmp) {
        if (is_out_of_line(x, blk->succ[0])) {
            emit_exit_in_line(x, blk->succ[0]);
            return;
        }
        ra_edge(x, b, blk->succ[0]);
        if (blk->succ[0] != next_block(x, b))
            x64_jmp(&x->a, &x->block[blk->succ[0]].label);
    } else {
        emit_out(x, o);
    }
}

static void emit_op(struct x64 *x, uint32_t v)
{
    const struct ir_op *o = &x->ir->ops[v];
    unsigned f = x->val[v].flags;

    if ((f & (XV_LIVE | XV_REMAT)) != XV_LIVE && !(f & XV_BARE))
        return;
    x->pos = x->straight ? 2 * v : v;
    x->holding = o->snap != 0;
    if (f & XV_BARE) {
        x_bare_compare(x, o, v);
        ra_end_op(x);
        return;
    }
    if (o->op == IRO_phi)
        return;
    if (o->op == IRO_poll || o->op == IRO_called) {
        emit_out(x, o);
        return;
    }
    if (o->op == IRO_check) {
        emit_check(x, o);
        ra_end_op(x);
        return;
    }
    if (o->op == IRO_call) {
        emit_call(x, o, v);
    } else if (o->op == IRO_get) {
        emit_get(x, o, v);
    } else {
        x_emitter(x, o)(x, o, v);
    }
    if (x->n_lazy_done)
        x_forget_lazy(x);
    ra_end_op(x);
    if (ra_next_use(x, v) == ~0u)
        ra_forget(x, v);
}

/* A loop that closes with a poll and nothing to move: the poll's branch is the loop's. */
static bool closes_loop(struct x64 *x, uint32_t b)
{
    const struct ir_block *blk = &x->ir->blocks[b];
    const struct ir_op *o = &x->ir->ops[blk->end - 1];
    uint32_t to = blk->succ[0];

    return o->op == IRO_jmp && blk->end - blk->first > 1 && o[-1].op == IRO_poll &&
           !is_out_of_line(x, to) && x->block[to].label.target && ra_edge_is_free(x, b, to);
}

static void end_block(struct x64 *x)
{
    x->holding = false;
    x->pinned = 0;
    x->n_touched = 0;
}

static void emit_block(struct x64 *x, uint32_t b)
{
    const struct ir_block *blk = &x->ir->blocks[b];

    x->twin = 0;
    if (b) {
        if (!x->block[b].entry)
            return; /* nobody goes there */
        ra_load_state(x, x->block[b].entry);
        if (x->block[b].loop_end)
            x64_align(&x->a, 16, 0);
    }
    x64_bind(&x->a, &x->block[b].label);
    for (uint32_t v = blk->first; v < blk->end - 1; v++) {
        if (v == blk->end - 2 && closes_loop(x, b)) {
            x->pos = v;
            x->holding = true;
            x_poll(x, &x->ir->ops[v], &x->block[blk->succ[0]].label);
            end_block(x);
            return;
        }
        emit_op(x, v);
        if (x->straight && x->n_store && x->store[x->n_store - 1].at == v + 1)
            x_store_sets(x, v + 1);
    }
    x->pos = x->straight ? 2 * (blk->end - 1) : blk->end - 1;
    emit_terminator(x, b, blk->end - 1);
    end_block(x);
}

/* Count this execution; when the counter runs out, ask for something better. */
static void emit_counter(struct x64 *x)
{
    struct xstub *s;
    int64_t disp;

    if (!x->job->counter)
        return;
    disp = (int64_t)((uint8_t *)x->job->counter - (x->a.buf + x->a.n + 7));
    x64_byte(&x->a, 0x83); /* subl $1, disp(%rip) */
    x64_byte(&x->a, 0x2d);
    x64_u32(&x->a, (uint32_t)disp);
    x64_byte(&x->a, 1);
    s = x_stub(x);
    s->kind = STUB_THUNK;
    s->pc = x->job->pc;
    s->entry = HOST_EP_HOT;
    x64_jcc(&x->a, CC_S, &s->label);
}

bool host_set_counter(uint8_t *code, uint32_t len, int32_t *counter)
{
    int32_t disp = (int32_t)((uint8_t *)counter - (code + 7));

    if (len < 7 || code[0] != 0x83 || code[1] != 0x2d)
        return false;
    memcpy(code + 2, &disp, sizeof(disp));
    return true;
}

static void *zeroed(void *p, uint32_t *cap, uint32_t n, size_t size)
{
    p = x_grow(p, cap, n, size);
    memset(p, 0, n * size);
    return p;
}

/* The main line of a region of IR. */
static void compile_ir(struct host *h, const struct ir *ir)
{
    struct x64 *x = &h->x;

    x->straight = x->job->quick && ir->straight;
    x->n_lazy_done = x->n_touched = 0;
    x->exiting = x->holding = false;
    x->val = x_grow(x->val, &h->cap_val, ir->n_ops, sizeof(*x->val));
    if (!x->straight)
        x->snap = zeroed(x->snap, &h->cap_snap, ir->n_snaps, sizeof(*x->snap));
    x->block = zeroed(x->block, &h->cap_block, ir->n_blocks, sizeof(*x->block));
    x_select(x);
    ra_begin(x);
    emit_counter(x);
    for (uint32_t b = 0; b < ir->n_blocks; b++)
        if (!is_out_of_line(x, b) && !x->a.full && !x->too_big)
            emit_block(x, b);
}

int host_compile(struct host *h, struct host_job *job)
{
    struct x64 *x = &h->x;

    x->ir = job->ir;
    x->job = job;
    x->a.buf = job->buf;
    x->a.cap = job->cap;
    x->a.n = 0;
    x->a.full = x->too_big = false;
    x->n_stub = x->n_trap = x->n_fault = x->n_desc = x->n_konst = x->n_how = job->n_evals = 0;
    x->leave_miss = x->leave_stop = x->leave_ret = (struct x64_label){ 0 };
    memset(x->leave_land, 0, sizeof(x->leave_land));
    job->inner = job->indirect = 0;
    if (job->verbatim) {
        if (!x_verbatim(x))
            return -ENOTSUP;
    } else if (job->flat) {
        emit_counter(x);
        x_flat(x);
    } else {
        compile_ir(h, job->ir);
    }
    job->straight_len = x->a.n;
    if (!x->too_big)
        emit_stubs(x);
    if (x->leave_stop.at) {
        x64_bind(&x->a, &x->leave_stop);
        x64_jmp_m(&x->a, x_cpu(x, x->lay->entry_points + HOST_EP_STOP * 8));
    }
    for (uint32_t i = 0; i < x->n_trap && !x->too_big; i++)
        x->trap[i].to = x->stub[x->trap[i].to].label.target - 1;
    emit_data(x);
    if (x->a.full)
        return -ENOSPC;
    if (x->too_big)
        return -E2BIG;
    job->len = x->a.n;
    job->faults = x->fault;
    job->n_faults = x->n_fault;
    job->traps = x->trap;
    job->n_traps = x->n_trap;
    job->exits = x->verb_exit;
    job->n_exits = job->verbatim ? x->n_verb_exit : 0;
    job->desc = x->desc;
    job->desc_len = x->n_desc;
    return 0;
}

bool host_usable(void)
{
    struct x64_feat f = x64_feat_detect(0);

    return f.sse41;
}

uint64_t host_features(unsigned features_off)
{
    struct x64_feat f = x64_feat_detect(features_off);
    const bool *b = &f.avx;
    uint64_t bits = 0;

    _Static_assert(sizeof(f) <= 64, "features fit a number");
    for (unsigned i = 0; i < sizeof(f); i++)
        bits |= (uint64_t)b[i] << i;
    return bits;
}

struct host *host_new(const struct host_layout *layout, unsigned features_off)
{
    struct host *h = calloc(1, sizeof(*h));

    if (!h)
        bug("out of memory");
    h->lay = *layout;
    h->x.lay = &h->lay;
    h->x.a.f = x64_feat_detect(features_off);
    h->x.konst = malloc(256 * sizeof(*h->x.konst));
    h->x.how = malloc(1024 * sizeof(*h->x.how));
    h->x.cap_konst = 256;
    h->x.cap_how = 1024;
    if (!h->x.konst || !h->x.how)
        bug("out of memory");
    return h;
}

void host_free(struct host *h)
{
    for (uint32_t i = 0; i < h->x.n_made; i++)
        free(h->x.states[i]);
    free(h->x.val);
    free(h->x.snap);
    free(h->x.block);
    free(h->x.use);
    free(h->x.pair);
    free(h->x.store);
    free(h->x.look);
    free(h->x.stub);
    free(h->x.vstub);
    free(h->x.states);
    free(h->x.fault);
    free(h->x.trap);
    free(h->x.desc);
    free(h->x.konst);
    free(h->x.how);
    free(h);
}
