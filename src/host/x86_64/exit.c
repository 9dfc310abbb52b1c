/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways out of a region: links to other regions, out-of-line stubs, and the recovery descriptions of instructions that may
 * fault.
 */
#include "host/x86_64/emit.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct xstub *x_stub(struct x64 *x)
{
    x->stub = x_grow(x->stub, &x->cap_stub, x->n_stub + 1, sizeof(*x->stub));
    memset(&x->stub[x->n_stub], 0, sizeof(*x->stub));
    return &x->stub[x->n_stub++];
}

/* --- Ways out --- */

static void store_const(struct x64 *x, unsigned size, uint32_t off, uint64_t imm)
{
    if (size == 4 || (int64_t)imm == (int32_t)imm) {
        x64_store_imm(&x->a, size, x_cpu(x, off), (int32_t)imm);
    } else {
        x64_mov_ri(&x->a, X_SCRATCH, imm);
        x64_store(&x->a, 8, x_cpu(x, off), X_SCRATCH);
    }
}

static struct x64_mem entry_point(const struct x64 *x, enum host_entry e)
{
    return x_cpu(x, x->lay->entry_points + (uint32_t)e * 8);
}

/* Is @pc in another page, in a machine: what is there may change without this code being told?  Of instructions of any
 * length, those at the end of a page may be partly there. */
static bool is_far(const struct x64 *x, uint64_t pc)
{
    enum { PAGE = 1 << HOST_PAGE_BITS };

    return x->job->soft && ((pc ^ x->job->pc) >> HOST_PAGE_BITS || pc % PAGE > PAGE - x->job->soft->longest);
}

enum { JC_ENTRY_BITS = 4 };

/* The jump cache for branches of sort @landing, and what of a guest address says where in it. */
static uint32_t cache_of(const struct x64 *x, unsigned landing)
{
    const struct host_soft *soft = x->job->soft;

    if (soft)
        return landing ? soft->land[landing - 1] : soft->jc;
    return landing ? x->lay->land[landing - 1] : x->lay->jc;
}

static uint32_t cache_mask(const struct x64 *x, unsigned landing)
{
    if (x->job->soft)
        return landing ? x->job->soft->land_mask : x->lay->mode_jc_mask;
    return landing ? x->lay->land_mask : x->lay->jc_mask;
}

/* On to @pc through the jump cache. */
static void jump_far(struct x64 *x, uint64_t pc)
{
    struct x64_mem m = x_cpu(x, cache_of(x, 0) + (((uint32_t)pc & cache_mask(x, 0)) << (JC_ENTRY_BITS - x->lay->pc_shift)));

    x64_alu_mi(&x->a, ALU_CMP, 4, x_cpu(x, x->lay->attention), 0);
    x64_mov_ri(&x->a, RAX, pc); /* keeps the flags */
    x64_jcc(&x->a, CC_NE, &x->leave_miss);
    x64_alu_rm(&x->a, ALU_CMP, 8, RAX, m);
    x64_jcc(&x->a, CC_NE, &x->leave_miss);
    m.disp += 8;
    x64_jmp_m(&x->a, m);
}

/* A thunk for the jump that comes next, to be patched in the field @at bytes from here. */
static struct xstub *link_stub(struct x64 *x, uint64_t pc, unsigned at)
{
    struct xstub *s;

    if (is_far(x, pc)) {
        s = x_stub(x);
        s->kind = STUB_FAR;
        s->pc = pc;
        return s;
    }
    if ((x->a.n + at) % 8 > 4) /* the field must lie in one word: it is patched while others run */
        x64_align(&x->a, 8, 8 - at);
    s = x_stub(x);
    s->kind = STUB_THUNK;
    s->pc = pc;
    s->entry = HOST_EP_LINK;
    s->site = x->a.n + at;
    return s;
}

struct x64_label *x_link_label(struct x64 *x, uint64_t pc, unsigned at)
{
    return &link_stub(x, pc, at)->label;
}

/* A jump or call that starts out to a thunk and is patched to the next region. */
static void emit_link(struct x64 *x, uint64_t pc, bool call)
{
    struct xstub *s;

    if (is_far(x, pc) && !call) {
        jump_far(x, pc);
        return;
    }
    s = link_stub(x, pc, 1);
    if (call)
        x64_call(&x->a, &s->label);
    else
        x64_jmp(&x->a, &s->label);
}

void x_link(struct x64 *x, uint64_t pc)
{
    emit_link(x, pc, false);
}

bool x_link_cc(struct x64 *x, enum x64_cc cc, uint32_t b)
{
    const struct ir_block *blk = &x->ir->blocks[b];
    const struct ir_op *o = &x->ir->ops[blk->first];

    if (!x->straight || o->op != IRO_exit || o->arg[0] != IR_EXIT_JUMP || x_dirty(x, o->snap).count)
        return false;
    x64_jcc(&x->a, cc, &link_stub(x, o->imm, 2)->label);
    return true;
}

/* @wants_idle: the code there may read idle slots, so a return that leaves them out must not take this for its own. */
static void push_return(struct x64 *x, uint64_t ret, bool wants_idle, unsigned temp)
{
    if (wants_idle && x->lay->mark_calls)
        ret ^= HOST_MARK;
    if (ret <= INT32_MAX) {
        x64_push_imm(&x->a, (int32_t)ret);
    } else {
        x64_mov_ri(&x->a, temp, ret);
        x64_push(&x->a, temp);
    }
}

/* Behind a call: where the callee's return lands. */
static void emit_return_point(struct x64 *x, uint64_t ret)
{
    emit_link(x, ret, false);
}

/* What the shadow stack would hold, had the callee been called.  No value is moved, and no flag changed. */
static void emit_called(struct x64 *x, const struct ir_op *o)
{
    struct x64_label next = { 0 };

    push_return(x, o->imm, o->lane != IR_RETURN_IDLE_DEAD, X_SCRATCH);
    x64_call(&x->a, &next);
    emit_return_point(x, o->imm);
    x64_bind(&x->a, &next);
}

/* Where an indirect branch goes whose target is not known. */
static struct x64_label *miss_label(struct x64 *x, uint32_t landing)
{
    return landing ? &x->leave_land[landing - 1] : &x->leave_miss;
}

/* To the guest address in @r by the host's return when it is the expected one; it drops that, too. */
static void emit_return(struct x64 *x, unsigned r)
{
    x64_alu_rm(&x->a, ALU_CMP, 8, r, x64_at(RSP, 8));
    if (r == RAX) {
        x64_jcc(&x->a, CC_NE, &x->leave_ret);
    } else {
        struct xstub *s = x_stub(x);

        s->kind = STUB_OTHER_RETURN;
        s->dst = (uint8_t)r;
        x64_jcc(&x->a, CC_NE, &s->label);
    }
    x64_ret(&x->a, 8);
}

/* Is @v still in its slot's memory after the write-back for @snap? */
static bool stays(const struct x64 *x, uint32_t v, uint32_t snap)
{
    const struct ir_op *o = &x->ir->ops[v];
    struct xsnap sn = x_dirty(x, snap);

    if (o->op != IRO_get || !(x->val[v].flags & XV_REMAT) || x->val[v].reg != NOREG || x->val[v].slot)
        return false;
    for (uint32_t i = 0; i < sn.count; i++)
        if (x->pair[sn.first + i].slot == o->imm)
            return false;
    return true;
}

/* What is left of a call through the cache when the host's flags say whether @target is the one; @stub: where it goes if not,
 * as if the call had been made. */
static void call_through(struct x64 *x, struct x64_mem target, uint32_t stub)
{
    x64_jcc(&x->a, CC_NE, &x->stub[stub].label);
    x64_call_m(&x->a, target);
    x64_bind(&x->a, &x->stub[stub].back);
}

static uint32_t call_miss(struct x64 *x, unsigned landing)
{
    struct xstub *s = x_stub(x);

    s->kind = STUB_CALL_MISS;
    s->op = landing;
    return (uint32_t)(s - x->stub);
}

static void call_far(struct x64 *x, uint64_t pc)
{
    uint32_t miss = call_miss(x, 0);
    struct x64_mem m = x_cpu(x, cache_of(x, 0) + (((uint32_t)pc & cache_mask(x, 0)) << (JC_ENTRY_BITS - x->lay->pc_shift)));

    x64_alu_mi(&x->a, ALU_CMP, 4, x_cpu(x, x->lay->attention), 0);
    x64_mov_ri(&x->a, RAX, pc); /* keeps the flags */
    x64_jcc(&x->a, CC_NE, &x->stub[miss].label);
    x64_alu_rm(&x->a, ALU_CMP, 8, RAX, m);
    m.disp += 8;
    call_through(x, m, miss);
}

void x_link_call(struct x64 *x, uint64_t pc, uint64_t ret, bool wants_idle)
{
    push_return(x, ret, wants_idle, RCX);
    if (is_far(x, pc))
        call_far(x, pc);
    else
        emit_link(x, pc, true);
    emit_return_point(x, ret);
}

/* @d: where in the cache the guest address in @r is, in units of four bytes. */
static void cache_index(struct x64 *x, unsigned landing, unsigned d, unsigned r)
{
    uint32_t mask = cache_mask(x, landing);

    if (mask == 0xffff) {
        x64_movzx(&x->a, 2, d, r);
    } else {
        x64_mov_rr(&x->a, 4, d, r);
        x64_alu_ri(&x->a, ALU_AND, 4, d, (int32_t)mask);
    }
    if (!x->lay->pc_shift)
        x64_shift_ri(&x->a, SH_SHL, 4, d, JC_ENTRY_BITS - 2);
}

void x_leave_to(struct x64 *x, enum ir_exit_kind kind, unsigned landing, uint64_t ret, bool wants_idle)
{
    uint32_t cache = cache_of(x, landing);
    struct x64_mem jc = { .base = X_CPU, .index = RCX, .scale = 2,
                          .disp = (int32_t)cache - (int32_t)x->lay->bias };
    struct x64_label *miss = miss_label(x, landing);

    if (kind == IR_EXIT_RET) {
        emit_return(x, RAX);
        return;
    }
    x64_alu_mi(&x->a, ALU_CMP, 4, x_cpu(x, x->lay->attention), 0);
    x64_jcc(&x->a, CC_NE, miss);
    if (kind == IR_EXIT_CALL)
        push_return(x, ret, wants_idle, RCX);
    cache_index(x, landing, RCX, RAX);
    x64_alu_rm(&x->a, ALU_CMP, 8, RAX, jc);
    jc.disp += 8;
    if (kind == IR_EXIT_CALL) {
        call_through(x, jc, call_miss(x, landing));
        emit_return_point(x, ret);
    } else {
        x64_jcc(&x->a, CC_NE, miss);
        x64_jmp_m(&x->a, jc);
    }
}

/* Are idle slots to be written at this branch, that could be left to whoever wants them? */
static bool leaves_idle(const struct x64 *x, const struct ir_op *o)
{
    struct xsnap sn = x_dirty(x, o->snap);

    if ((o->arg[1] != IR_EXIT_RET && x->job->soft) || !x->lay->mark_calls || x->straight || (x->ir->blocks[0].full_call && !x->early_gets))
        return false;
    for (uint32_t i = 0; i < sn.count; i++)
        if (x->ir->slots[x->pair[sn.first + i].slot].idle)
            return true;
    return false;
}

/* To the newest call, when it is that and its marks say that idle slots are not wanted; else they are written. */
static void emit_light_return(struct x64 *x, const struct ir_op *o, uint32_t target)
{
    struct xstub *s;
    unsigned r = RAX;

    x_write_part(x, o->snap, ALL_BUT_IDLE);
    x_forget_lazy(x);
    if (x->val[target].reg != NOREG)
        r = x->val[target].reg;
    else
        x_load_value(x, RAX, target);
    s = x_stub(x);
    s->kind = STUB_RETURN;
    s->op = (uint32_t)(o - x->ir->ops);
    s->state = ra_stub_state(x);
    x64_alu_rm(&x->a, ALU_CMP, 8, r, x64_at(RSP, 8));
    x64_jcc(&x->a, CC_NE, &s->label);
    x64_ret(&x->a, 8);
}

/* To what the cache of targets that want no idle slots knows; else they are written. */
static void emit_light_branch(struct x64 *x, const struct ir_op *o, uint32_t target)
{
    struct x64_mem jc = { .base = X_CPU, .index = RAX, .scale = 2,
                          .disp = (int32_t)cache_of(x, HOST_LAND_LIGHT) - (int32_t)x->lay->bias };
    struct xstub *s;
    unsigned r;

    ra_use(x, target);
    x->pinned = 0;
    x_write_part(x, o->snap, ALL_BUT_IDLE);
    x_forget_lazy(x);
    r = x->val[target].reg;
    s = x_stub(x);
    s->kind = STUB_BRANCH;
    s->op = (uint32_t)(o - x->ir->ops);
    s->state = ra_stub_state(x);
    x64_alu_mi(&x->a, ALU_CMP, 4, x_cpu(x, x->lay->attention), 0);
    if (r == NOREG) { /* the write-back took it */
        x64_jmp(&x->a, &s->label);
        return;
    }
    x64_jcc(&x->a, CC_NE, &s->label);
    cache_index(x, HOST_LAND_LIGHT, RAX, r);
    x64_alu_rm(&x->a, ALU_CMP, 8, r, jc);
    x64_jcc(&x->a, CC_NE, &s->label);
    jc.disp += 8;
    if (o->arg[1] != IR_EXIT_CALL) {
        x64_jmp_m(&x->a, jc);
        return;
    }
    push_return(x, o->imm, o->lane != IR_RETURN_IDLE_DEAD, RCX);
    x64_call_m(&x->a, jc);
    emit_return_point(x, o->imm);
}

static void emit_exit_ind(struct x64 *x, const struct ir_op *o)
{
    uint32_t target = x_resolve(x, o->arg[0]);

    x->exiting = true; /* the write-back may move the target, not lose it */
    if (!stays(x, target, o->snap))
        ra_use(x, target);
    x->pinned = 0;
    if (leaves_idle(x, o)) {
        if (o->arg[1] == IR_EXIT_RET)
            emit_light_return(x, o, target);
        else
            emit_light_branch(x, o, target);
        return;
    }
    x_write_back(x, o->snap);
    if (o->arg[1] == IR_EXIT_RET && x->val[target].reg != NOREG) {
        emit_return(x, x->val[target].reg);
        return;
    }
    x_load_value(x, RAX, target);
    x_leave_to(x, o->arg[1], o->arg[2], o->imm, o->lane != IR_RETURN_IDLE_DEAD);
}

void x_stop(struct x64 *x, unsigned reason, uint64_t detail, uint64_t pc)
{
    store_const(x, 8, x->lay->detail, detail);
    store_const(x, 4, x->lay->stop, reason);
    store_const(x, 8, x->lay->pc, pc);
    x64_jmp_m(&x->a, entry_point(x, HOST_EP_STOP));
}

void x_poll_for(struct x64 *x, uint64_t pc)
{
    struct xstub *s = x_stub(x);

    s->kind = STUB_LEAVE;
    s->pc = pc;
    x64_alu_mi(&x->a, ALU_CMP, 4, x_cpu(x, x->lay->attention), 0);
    x64_jcc(&x->a, CC_NE, &s->label);
}

struct x64_label *x_back_label(struct x64 *x, uint64_t pc)
{
    struct xstub *s = x_stub(x);

    s->kind = STUB_BACK;
    s->pc = pc;
    return &s->label;
}

void x_poll(struct x64 *x, const struct ir_op *o, struct x64_label *back)
{
    struct xstub *s = x_stub(x);

    s->kind = STUB_POLL;
    s->op = (uint32_t)(o - x->ir->ops);
    s->state = ra_stub_state(x);
    x64_alu_mi(&x->a, ALU_CMP, 4, x_cpu(x, x->lay->attention), 0);
    if (back) {
        x64_jcc(&x->a, CC_E, back);
        x64_jmp(&x->a, &s->label);
    } else {
        x64_jcc(&x->a, CC_NE, &s->label);
    }
}

void emit_out(struct x64 *x, const struct ir_op *o)
{
    uint64_t pc = x->ir->snaps[o->snap].pc;

    switch (o->op) {
    case IRO_exit:
        x_write_back(x, o->snap);
        if (o->arg[0] == IR_EXIT_CALL) {
            x_link_call(x, o->imm, o->arg[1] | (uint64_t)o->arg[2] << 32, o->lane != IR_RETURN_IDLE_DEAD);
        } else {
            emit_link(x, o->imm, false);
        }
        break;
    case IRO_exit_ind:
        emit_exit_ind(x, o);
        break;
    case IRO_trap:
        x_write_back(x, o->snap);
        x_stop(x, o->arg[0], o->imm, pc);
        break;
    case IRO_poll:
        x_poll(x, o, NULL);
        break;
    case IRO_called:
        emit_called(x, o);
        return;
    default:
        bug("x86_64: %s is no way out", ir_info[o->op].name);
    }
    x_forget_lazy(x);
}

static void emit_slow_stub(struct x64 *x, uint32_t i)
{
    struct xstub s = x->stub[i];
    const struct ir_op *o = &x->ir->ops[s.op];
    uint32_t off = x->lay->scratch;
    unsigned h;

    for (unsigned k = 0; k < 3 && s.src[k] != NOREG; k++, off += 16) {
        unsigned type = x->ir->ops[o->arg[k]].type;

        if (s.src[k] < X_XMM) { /* a narrow operand may have anything in its upper half */
            x64_mov_rr(&x->a, ir_bits(type) == 64 ? 8 : 4, X_SCRATCH, s.src[k]);
            x64_store(&x->a, 8, x_cpu(x, off), X_SCRATCH);
        } else if (ir_bits(type) == 128) {
            x64_vstore(&x->a, x_cpu(x, off), s.src[k] - X_XMM);
        } else {
            x64_movq_rx(&x->a, ir_bits(type) == 64 ? 8 : 4, X_SCRATCH, s.src[k] - X_XMM);
            x64_store(&x->a, 8, x_cpu(x, off), X_SCRATCH);
        }
    }
    h = x_how(x, o);
    x64_lea(&x->a, 8, X_SCRATCH, x64_rip(&x->how[h].label));
    x64_call_m(&x->a, entry_point(x, HOST_EP_SLOW));
    off = x->lay->scratch + 48;
    if (s.dst < X_XMM)
        x64_load(&x->a, 8, s.dst, x_cpu(x, off));
    else
        x64_vload(&x->a, s.dst - X_XMM, x_cpu(x, off));
    x64_jmp(&x->a, &x->stub[i].back);
}

/* A call through memory and struct host_thunk, in one piece: every exit has one. */
static void emit_thunk(struct x64 *x, const struct xstub *s)
{
    struct {
        uint8_t call[2]; /* call [rbp + disp32] */
        int32_t disp;
        struct host_thunk data;
    } __attribute__((packed)) t = {
        .call = { 0xff, 0x95 }, .disp = entry_point(x, s->entry).disp,
        .data = { .pc = s->pc, .site = s->site ? x->a.n + 6 - s->site : 0 },
    };

    x64_bytes(&x->a, &t, sizeof(t));
}

/* The access with the address in rax, and back. */
static void emit_access(struct x64 *x, uint32_t i)
{
    struct xstub s = x->stub[i];

    if (s.m.disp)
        x64_lea(&x->a, 8, RAX, s.m);
    else
        x64_mov_rr(&x->a, 8, RAX, s.m.base);
    x64_call_m(&x->a, entry_point(x, HOST_EP_ACCESS));
    x64_bytes(&x->a, &s.access, sizeof(s.access));
    x64_jmp(&x->a, &x->stub[i].back);
}

void x_fault_as(struct x64 *x, uint32_t desc)
{
    x->fault = x_grow(x->fault, &x->cap_fault, x->n_fault + 1, sizeof(*x->fault));
    x->fault[x->n_fault++] = (struct host_fault){ x->a.n, desc };
}

/* A byte of the page of rax is written with what it holds, atomically. */
static void probe(struct x64 *x, const struct xstub *s)
{
    struct x64_mem m = x64_at(RAX, 0);

    m.gs = s->m.gs;
    x_fault_as(x, s->access.desc);
    x64_lock(&x->a);
    x64_alu_mi(&x->a, ALU_OR, 1, m, 0);
}

/* 32 bytes: aligned, they cross into no other page. */
static void emit_probes(struct x64 *x, uint32_t i)
{
    struct xstub s = x->stub[i];

    x64_lea(&x->a, 8, RAX, s.m);
    x64_test_ri(&x->a, 4, RAX, 31);
    x64_jcc(&x->a, CC_E, &x->stub[i].back);
    probe(x, &s);
    x64_alu_ri(&x->a, ALU_ADD, 8, RAX, (1 << HOST_PAGE_BITS) - 1);
    x64_alu_ri(&x->a, ALU_AND, 8, RAX, -(1 << HOST_PAGE_BITS));
    probe(x, &s);
    x64_jmp(&x->a, &x->stub[i].back);
}

void emit_stubs(struct x64 *x)
{
    for (uint32_t i = 0; i < x->n_stub; i++) { /* stubs may add thunks while they are emitted */
        x64_bind(&x->a, &x->stub[i].label);
        x->twin = 0;
        switch (x->stub[i].kind) {
        case STUB_EXIT_BLOCK: {
            const struct ir_block *b = &x->ir->blocks[x->stub[i].op];

            if (x->stub[i].state)
                ra_load_state(x, x->stub[i].state);
            for (uint32_t v = b->first; v < b->end; v++)
                if (ir_info[x->ir->ops[v].op].effects >= IR_END)
                    emit_out(x, &x->ir->ops[v]);
            break;
        }
        case STUB_POLL: {
            const struct ir_op *o = &x->ir->ops[x->stub[i].op];

            if (x->stub[i].state)
                ra_load_state(x, x->stub[i].state);
            x_write_back(x, o->snap);
            x_forget_lazy(x);
            x64_mov_ri(&x->a, RAX, x->ir->snaps[o->snap].pc);
            x64_jmp(&x->a, &x->leave_miss);
            break;
        }
        case STUB_CHECK: {
            const struct ir_op *o = &x->ir->ops[x->stub[i].op];

            ra_load_state(x, x->stub[i].state);
            x_write_back(x, o->snap);
            x_forget_lazy(x);
            x_stop(x, o->arg[1], o->imm, x->ir->snaps[o->snap].pc);
            break;
        }
        case STUB_RETURN: {
            const struct ir_op *o = &x->ir->ops[x->stub[i].op];

            ra_load_state(x, x->stub[i].state);
            x_write_part(x, o->snap, IDLE_SLOTS);
            x_forget_lazy(x);
            x_load_value(x, RAX, x_resolve(x, o->arg[0]));
            x64_jmp(&x->a, &x->leave_ret);
            break;
        }
        case STUB_BRANCH: {
            const struct ir_op *o = &x->ir->ops[x->stub[i].op];

            ra_load_state(x, x->stub[i].state);
            x_write_part(x, o->snap, IDLE_SLOTS);
            x_forget_lazy(x);
            x_load_value(x, RAX, x_resolve(x, o->arg[0]));
            x_leave_to(x, o->arg[1], 0, o->imm, o->lane != IR_RETURN_IDLE_DEAD);
            break;
        }
        case STUB_LEAVE:
            x64_mov_ri(&x->a, RAX, x->stub[i].pc);
            x64_jmp(&x->a, &x->leave_miss);
            break;
        case STUB_BACK: {
            uint64_t pc = x->stub[i].pc;

            x_poll_for(x, pc);
            x_link(x, pc);
            break;
        }
        case STUB_KEEP:
            x_x87_stub(x, i);
            break;
        case STUB_SLOW:
            emit_slow_stub(x, i);
            break;
        case STUB_CALL_MISS: /* as if the call had been made, then look the target up */
            x64_lea(&x->a, 8, RCX, x64_rip(&x->stub[i].back));
            x64_push(&x->a, RCX);
            x64_jmp(&x->a, miss_label(x, x->stub[i].op));
            break;
        case STUB_OTHER_RETURN:
            x64_mov_rr(&x->a, 8, RAX, x->stub[i].dst);
            x64_jmp(&x->a, &x->leave_ret);
            break;
        case STUB_THUNK:
            emit_thunk(x, &x->stub[i]);
            break;
        case STUB_ACCESS:
            emit_access(x, i);
            break;
        case STUB_PROBE:
            emit_probes(x, i);
            break;
        case STUB_FAR:
            jump_far(x, x->stub[i].pc);
            break;
        }
    }
    if (x->leave_ret.at) {
        x64_bind(&x->a, &x->leave_ret);
        x64_jmp_m(&x->a, entry_point(x, HOST_EP_RET));
    }
    for (unsigned k = 0; k < IR_LANDINGS; k++) {
        if (!x->leave_land[k].at)
            continue;
        x64_bind(&x->a, &x->leave_land[k]);
        x64_store_imm(&x->a, 4, x_cpu(x, x->lay->landing), (int32_t)k + 1);
        x64_jmp(&x->a, &x->leave_miss);
    }
    if (x->leave_miss.at) {
        x64_bind(&x->a, &x->leave_miss);
        x64_jmp_m(&x->a, entry_point(x, HOST_EP_MISS));
    }
}

void x_trap_here(struct x64 *x)
{
    if (!x->job->fp_flush)
        return;
    x->trap = x_grow(x->trap, &x->cap_trap, x->n_trap + 1, sizeof(*x->trap));
    x->trap[x->n_trap++] = (struct host_trap){ x->a.n, ~0u };
}

uint32_t x_slow_from(struct x64 *x, enum x64_cc cc, const struct ir_op *o, unsigned dst,
                     const unsigned *src, unsigned n_src)
{
    struct xstub *s = x_stub(x);

    s->kind = STUB_SLOW;
    s->op = (uint32_t)(o - x->ir->ops);
    s->dst = (uint8_t)dst;
    memset(s->src, NOREG, sizeof(s->src));
    for (unsigned k = 0; k < n_src; k++)
        s->src[k] = (uint8_t)src[k];
    x64_jcc(&x->a, cc, &s->label);
    for (uint32_t i = x->n_trap; i-- > 0 && x->trap[i].to == ~0u;)
        x->trap[i].to = (uint32_t)(s - x->stub);
    return (uint32_t)(s - x->stub);
}

void x_slow_also(struct x64 *x, enum x64_cc cc, uint32_t stub)
{
    x64_jcc(&x->a, cc, &x->stub[stub].label);
}

void x_slow_back(struct x64 *x, uint32_t stub)
{
    x64_bind(&x->a, &x->stub[stub].back);
}

void x_slow(struct x64 *x, enum x64_cc cc, const struct ir_op *o, unsigned dst, const unsigned *src,
            unsigned n_src)
{
    x_slow_back(x, x_slow_from(x, cc, o, dst, src, n_src));
}

/* --- Recovery descriptions ---
 *
 * description: signed LEB128 of (guest pc - region pc), then per dirty slot its number and a value
 * expression, then 0xff.  Value expressions, by first byte:
 *   0x00..0x0f  integer register           0x10..0x1f  vector register
 *   0x20 n      frame slot n               0x21 leb    constant
 *   0x22 n      CPU slot n, as in memory   0x23 n      vector constant n words follow (16 bytes)
 *   0x24 op16 type argtype lane leb(imm) args...       operation to evaluate
 */

static void put8(struct x64 *x, unsigned b)
{
    x->desc = x_grow(x->desc, &x->cap_desc, x->n_desc + 1, 1);
    x->desc[x->n_desc++] = (uint8_t)b;
}

static void put_leb(struct x64 *x, uint64_t v)
{
    while (v >= 0x80) {
        put8(x, (v & 0x7f) | 0x80);
        v >>= 7;
    }
    put8(x, (unsigned)v);
}

static void put16bytes(struct x64 *x, uint64_t lo, uint64_t hi)
{
    for (unsigned i = 0; i < 8; i++)
        put8(x, lo >> (8 * i) & 0xff);
    for (unsigned i = 0; i < 8; i++)
        put8(x, hi >> (8 * i) & 0xff);
}

static void put_value(struct x64 *x, uint32_t v)
{
    const struct ir_op *o;

    v = x_resolve(x, v);
    o = &x->ir->ops[v];
    if (x->val[v].reg != NOREG) {
        put8(x, x->val[v].reg);
    } else if (x->val[v].slot) {
        put8(x, 0x20);
        put8(x, x->val[v].slot);
    } else if (o->op == IRO_const) {
        put8(x, 0x21);
        put_leb(x, o->imm & ir_mask(o->type));
    } else if (o->op == IRO_vconst) {
        put8(x, 0x23);
        put16bytes(x, o->imm, o->arg[0] | (uint64_t)o->arg[1] << 32);
    } else if (o->op == IRO_get && (x->val[v].flags & XV_REMAT)) {
        put8(x, 0x22);
        put8(x, (unsigned)o->imm);
    } else if (x->val[v].flags & XV_LAZY) {
        put8(x, 0x24);
        put8(x, o->op & 0xff);
        put8(x, o->op >> 8);
        put8(x, o->type);
        put8(x, x->ir->ops[o->arg[0]].type);
        put8(x, o->lane);
        put_leb(x, o->imm);
        for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
            put_value(x, o->arg[k]);
    } else if (!x->too_big) {
        bug("x86_64: value %u (%s) is nowhere at a fault", v, ir_info[o->op].name);
    }
}

void x_fault_here(struct x64 *x, const struct ir_op *o)
{
    struct xsnap sn = x_dirty(x, o->snap);
    int64_t delta = (int64_t)(x->ir->snaps[o->snap].pc - x->job->pc);

    x->access_desc = x->n_desc;
    if (!x->job->soft) /* of machines, what is made in line does not fault */
        x_fault_as(x, x->n_desc);
    put_leb(x, (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63));
    for (uint32_t i = 0; i < sn.count; i++) {
        put8(x, x->pair[sn.first + i].slot);
        put_value(x, x->pair[sn.first + i].val);
    }
    put8(x, 0xff);
}
