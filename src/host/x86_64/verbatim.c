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

/* --- Faults --- */

/* Row @o may fault at @at of our code. */
static void note_fault(struct x64 *x, const struct verbatim_op *o, uint32_t at, uint32_t how)
{
    how |= o->at | ((uint32_t)(x->verb_sp / 8) & 63) << HOST_VERBATIM_STACK;
    if (x->n_fault == x->cap_fault)
        x->fault = x_grow(x->fault, &x->cap_fault, x->n_fault + 1, sizeof(*x->fault));
    x->fault[x->n_fault++] = (struct host_fault){at, how};
}

static void may_fault(struct x64 *x, const struct verbatim_op *o, const struct xv_rewrite *w)
{
    uint32_t how = 0;

    for (unsigned i = 1; w && i < w->n_temps; i++)
        how |= (uint32_t)w->temp[i] << (HOST_VERBATIM_SPILLED + 4 * (i - 1));
    note_fault(x, o, x->a.n, how);
}

/* --- Instructions --- */

/* False: it cannot be encoded so. */
static bool emit_again(struct x64 *x, const struct verbatim_op *o)
{
    struct xv_rewrite w = {.o = o};
    uint8_t code[32];
    unsigned n;

    xv_set_fields(x, &w);
    if (w.failed || (o->high && xv_needs_rex(&w)))
        return false;
    n = xv_encode(&w, code);
    if (o->may_fault)
        may_fault(x, o, &w);
    x64_bytes(&x->a, code, n);
    xv_put_back(x, &w);
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
    struct xv_rewrite w = {.o = o};

    if (!o->mem) {
        unsigned g = xv_field_rm(o);

        if (g == R10 || g == R11)
            x64_load(&x->a, 8, XV_TEMP, xv_gpr(x, g));
        else
            x64_mov_rr(&x->a, 8, XV_TEMP, g == RSP ? XV_SP : g);
        return true;
    }
    xv_set_address(x, &w);
    if (w.failed)
        return false;
    may_fault(x, o, &w);
    x64_load(&x->a, 8, XV_TEMP, w.m);
    xv_put_back(x, &w);
    return true;
}

/* Pushes and pops in a row move the stack pointer once, at their end: settle_sp(). */
static void settle_sp(struct x64 *x)
{
    if (x->verb_sp)
        x64_lea(&x->a, 8, XV_SP, x64_at(XV_SP, x->verb_sp));
    x->verb_sp = 0;
}

static struct x64_mem top_of_stack(const struct x64 *x, int32_t off)
{
    return x64_at(XV_SP, x->verb_sp + off);
}

static void push_reg(struct x64 *x, const struct verbatim_op *o, unsigned r)
{
    may_fault(x, o, NULL);
    x64_store(&x->a, 8, top_of_stack(x, -8), r);
    x->verb_sp -= 8;
}

static void emit_push(struct x64 *x, const struct verbatim_op *o)
{
    unsigned g = xv_field_low(o);

    if (g == R10 || g == R11) {
        x64_load(&x->a, 8, XV_TEMP, xv_gpr(x, g));
        g = XV_TEMP;
    }
    push_reg(x, o, g == RSP ? XV_SP : g);
}

static void emit_push_imm(struct x64 *x, const struct verbatim_op *o)
{
    may_fault(x, o, NULL);
    x64_store_imm(&x->a, 8, top_of_stack(x, -8), (int32_t)o->imm);
    x->verb_sp -= 8;
}

static void emit_pop(struct x64 *x, const struct verbatim_op *o)
{
    unsigned g = xv_field_low(o);

    may_fault(x, o, NULL);
    if (g == RSP) {
        x64_load(&x->a, 8, XV_SP, x64_at(XV_SP, 0));
        return;
    }
    x64_load(&x->a, 8, g == R10 ? XV_TEMP : g, top_of_stack(x, 0));
    if (g == R10 || g == R11)
        x64_store(&x->a, 8, xv_gpr(x, g), XV_TEMP);
    x->verb_sp += 8;
}

static void emit_leave(struct x64 *x, const struct verbatim_op *o)
{
    may_fault(x, o, NULL);
    x64_load(&x->a, 8, XV_TEMP, x64_at(RBP, 0));
    x64_lea(&x->a, 8, XV_SP, x64_at(RBP, 8));
    x64_mov_rr(&x->a, 8, RBP, XV_TEMP);
    x->verb_sp = 0;
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
    x64_load(&x->a, 8, XV_TEMP, xv_cpu(x->lay->v.poll));
    may_fault(x, o, NULL);
    x->fault[x->n_fault - 1].desc |= HOST_VERBATIM_POLL;
    x64_load(&x->a, 4, XV_TEMP, x64_at(XV_TEMP, 0));
}

/* A row of this stretch that starts at @pc, or NULL. */
static struct x64_label *row_label(struct x64 *x, uint64_t pc)
{
    const struct verbatim *v = x->job->verbatim;
    uint32_t lo = 0, hi = v->n;

    if (pc - x->job->pc >= v->len)
        return NULL;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (v->op[mid].at < pc - x->job->pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < v->n && v->op[lo].at == pc - x->job->pc ? &x->verb_label[lo] : NULL;
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
        x64_mov_ri(&x->a, RCX, 0 - pc);
        x64_lea(&x->a, 8, RCX, (struct x64_mem){.base = RCX, .index = XV_TEMP});
    }
    skip = skip_if_rcx_is_0(x);
    x64_jmp(&x->a, other);
    skip_to_here(x, skip);
    if (!rcx_dead)
        x64_load(&x->a, 8, RCX, xv_scratch(x, 0));
}

/* What lies behind a call. */
static void emit_return_point(struct x64 *x, const struct verbatim_op *o, uint64_t ret)
{
    x64_store(&x->a, 8, xv_scratch(x, 0), RCX);
    check_address(x, ret, o->rcx_dead, &x->verb_other_return);
}

static void push_return(struct x64 *x, const struct verbatim_op *o, uint64_t ret)
{
    if ((int64_t)ret == (int32_t)ret) {
        may_fault(x, o, NULL);
        x64_store_imm(&x->a, 8, top_of_stack(x, -8), (int32_t)ret);
        x->verb_sp -= 8;
    } else {
        x64_mov_ri(&x->a, XV_TEMP, ret);
        push_reg(x, o, XV_TEMP);
    }
    settle_sp(x);
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
    x64_store(&x->a, 8, xv_cpu(x->lay->v.target), XV_TEMP);
    push_return(x, o, ret);
    x64_call(&x->a, &new_stub(x, XVERB_IND, 0)->label);
    emit_return_point(x, o, ret);
    return true;
}

enum { SLOT_SHIFT = 4 }; /* functions are aligned to 16 bytes: by the low bits alone, they would share a sixteenth of the cache */

uint16_t host_verbatim_slot(uint64_t pc)
{
    static uint8_t known; /* [atomic] 1: the low bits; 2: hashed */
    uint8_t how = __atomic_load_n(&known, __ATOMIC_RELAXED);

    if (!how) {
        how = x64_feat_detect(0).bmi2 ? 2 : 1;
        __atomic_store_n(&known, how, __ATOMIC_RELAXED);
    }
    return (uint16_t)(how == 2 ? pc + (pc >> SLOT_SHIFT) : pc);
}

/* To the guest address in r11: the cache says to what code, and that looks whether it is meant. */
void xv_jump_to(struct x64_asm *a, const struct host_layout *lay)
{
    x64_store(a, 8, xv_cpu(lay->v.scratch), RCX);
    if (a->f.bmi2) { /* as host_verbatim_slot() has it */
        x64_rorx(a, 4, RCX, XV_TEMP, SLOT_SHIFT);
        x64_lea(a, 4, RCX, (struct x64_mem){.base = RCX, .index = XV_TEMP});
        x64_movzx(a, 2, RCX, RCX);
    } else {
        x64_movzx(a, 2, RCX, XV_TEMP);
    }
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
    x64_load(&x->a, 8, XV_TEMP, top_of_stack(x, 0));
    x->verb_sp += 8 + (int32_t)o->imm;
    settle_sp(x);
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

/* Can row @k do with a stack pointer that is not yet where it belongs? */
static bool stack_may_wait(const struct x64 *x, uint32_t k)
{
    enum { MOST = 24 * 8 };
    const struct verbatim_op *o = &x->job->verbatim->op[k];

    if (x->verb_mark[k] || x->verb_sp > MOST || x->verb_sp < -MOST)
        return false;
    switch (o->kind) {
    case VERBATIM_PLAIN:
        return !(o->named >> RSP & 1);
    case VERBATIM_PUSH: case VERBATIM_POP:
        return xv_field_low(o) != RSP;
    case VERBATIM_NOTHING: case VERBATIM_PUSH_IMM: case VERBATIM_LEAVE: case VERBATIM_CALL: case VERBATIM_RET:
        return true;
    default:
        return false;
    }
}

/* Rows that others of the stretch branch to. */
static void mark_targets(struct x64 *x)
{
    const struct verbatim *v = x->job->verbatim;

    for (uint32_t k = 0; k < v->n; k++) {
        const struct verbatim_op *o = &v->op[k];

        if (o->kind == VERBATIM_JCC || o->kind == VERBATIM_LOOP || o->kind == VERBATIM_JUMP) {
            const struct x64_label *l = row_label(x, o->target);

            if (l)
                x->verb_mark[l - x->verb_label] |= XVERB_TARGET;
        }
    }
}

/* Rows that look before them whether somebody wants the CPU's attention: one in each loop; of a comparison and its branch, the comparison, if
 * the branch is not entered itself.  Indirect branches do, too. */
static void mark_polls(struct x64 *x)
{
    const struct verbatim *v = x->job->verbatim;

    for (uint32_t k = 0; k < v->n; k++) {
        const struct verbatim_op *o = &v->op[k];

        if (o->kind < VERBATIM_JCC || o->kind == VERBATIM_CALL || o->kind == VERBATIM_RET)
            continue;
        if (o->kind != VERBATIM_JUMP_IND && o->kind != VERBATIM_CALL_IND && !goes_back(x, o))
            continue;
        if (o->kind == VERBATIM_JCC && k && o[-1].kind != VERBATIM_JCC) {
            x->verb_mark[k - 1] |= XVERB_POLL;
            if (!(x->verb_mark[k] & XVERB_TARGET))
                continue;
        }
        x->verb_mark[k] |= XVERB_POLL;
    }
}

/* See HOST_EP_V_SYSCALL.  The address of the other way is a link, patched as those of branches are. */
static void emit_syscall(struct x64 *x, const struct verbatim_op *o)
{
    enum { FIELD = 3 }; /* lea rcx, [rip + ...] */
    uint64_t pc = x->job->pc + o->at;

    x64_mov_ri(&x->a, XV_TEMP, pc + o->len);
    align_field(x, FIELD);
    x64_lea(&x->a, 8, RCX, x64_rip(link_to(x, pc, FIELD)));
    x64_call_m(&x->a, xv_cpu(x->lay->entry_points + 8 * HOST_EP_V_SYSCALL));
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
    case VERBATIM_SYSCALL: emit_syscall(x, o); break;
    case VERBATIM_SERVICE: x64_call_m(&x->a, xv_cpu(x->lay->entry_points + 8 * HOST_EP_V_SERVICE)); break;
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
    x64_jmp_m(&x->a, xv_cpu(x->lay->entry_points + 8 * HOST_EP_V_SPILL));
    x64_bind(&x->a, &next);
}

static void emit_thunk(struct x64 *x, const struct xverb_stub *v)
{
    struct host_thunk data = {.pc = v->pc, .verbatim = true};

    x64_call_m(&x->a, xv_cpu(x->lay->entry_points + 8 * HOST_EP_V_LINK));
    data.site = x->a.n - v->site;
    x->verb_exit = x_grow(x->verb_exit, &x->cap_verb_exit, x->n_verb_exit + 1, sizeof(x->verb_exit[0]));
    x->verb_exit[x->n_verb_exit++] = x->a.n;
    x64_bytes(&x->a, &data, sizeof(data));
}

static void emit_verb_stub(struct x64 *x, const struct xverb_stub *v)
{
    switch (v->kind) {
    case XVERB_LINK:
        emit_thunk(x, v);
        break;
    case XVERB_IND:
        x64_load(&x->a, 8, XV_TEMP, xv_cpu(x->lay->v.target));
        xv_jump_to(&x->a, x->lay);
        break;
    }
}

uint32_t host_from_verbatim(struct host *h, uint8_t *buf, uint32_t cap, const uint8_t *code, uint64_t pc, uint32_t *inner)
{
    struct x64 *x = &h->x;
    struct x64_label other = {0};

    x->a.buf = buf;
    x->a.cap = cap;
    x->a.n = 0;
    x->a.full = false;
    check_address(x, pc, false, &other);
    *inner = x->a.n;
    leave_verbatim(x);
    x64_byte(&x->a, 0xe9);
    x64_u32(&x->a, (uint32_t)(code - (buf + x->a.n + 4)));
    x64_bind(&x->a, &other);
    x64_jmp_m(&x->a, xv_cpu(x->lay->entry_points + 8 * HOST_EP_V_MISS));
    return x->a.full ? 0 : x->a.n;
}

/* Rows from @k on that are copied with nothing between them; returns how many. */
static uint32_t emit_as_they_are(struct x64 *x, uint32_t k)
{
    const struct verbatim *v = x->job->verbatim;
    uint32_t first = k, len = 0;

    for (; k < v->n; k++) {
        const struct verbatim_op *o = &v->op[k];

        if (o->kind != VERBATIM_PLAIN || o->again || x->verb_mark[k]) /* those that name RSP are encoded again */
            break;
        if (o->may_fault)
            note_fault(x, o, x->a.n + len, 0);
        len += o->len;
    }
    if (len)
        x64_bytes(&x->a, v->op[first].code, len);
    return k - first;
}

bool x_verbatim(struct x64 *x)
{
    const struct verbatim *v = x->job->verbatim;
    struct x64_label inner = {0};
    uint32_t k;

    x->n_vstub = x->n_verb_exit = 0;
    x->verb_other_return = x->verb_other_target = (struct x64_label){0};
    memset(x->verb_label, 0, v->n * sizeof(x->verb_label[0]));
    memset(x->verb_mark, 0, v->n);
    x->verb_sp = 0;
    mark_targets(x);
    mark_polls(x);
    /* from lifted code */
    x64_lea(&x->a, 8, RAX, x64_rip(&inner));
    x64_jmp_m(&x->a, x64_at(X_CPU, (int32_t)(x->lay->entry_points + 8 * HOST_EP_V_LOAD) - (int32_t)x->lay->bias));
    x->job->indirect = x->a.n;
    emit_indirect_entry(x);
    x64_bind(&x->a, &inner);
    x->job->inner = x->a.n;
    for (k = 0; k < v->n;) {
        uint32_t n = emit_as_they_are(x, k);

        k += n;
        if (n)
            continue;
        if (!stack_may_wait(x, k))
            settle_sp(x);
        n = x->a.n;
        if (x->verb_mark[k] & XVERB_TARGET)
            x64_bind(&x->a, &x->verb_label[k]);
        if (x->verb_mark[k] & XVERB_POLL) {
            emit_poll(x, &v->op[k]);
            keep_together(x, k);
        }
        if (emit_row(x, &v->op[k])) {
            k++;
            continue;
        }
        if (!k)
            return false;
        x->a.n = n; /* nothing refers to what such a row emits but a poll */
        while (x->n_fault && x->fault[x->n_fault - 1].at >= n)
            x->n_fault--;
        break;
    }
    settle_sp(x);
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
        x64_load(&x->a, 8, RCX, xv_scratch(x, 0));
        x64_jmp_m(&x->a, xv_cpu(x->lay->entry_points + 8 * HOST_EP_V_RETURN));
    }
    if (x->verb_other_target.at) {
        x64_bind(&x->a, &x->verb_other_target);
        x64_jmp_m(&x->a, xv_cpu(x->lay->entry_points + 8 * HOST_EP_V_MISS));
    }
    return true;
}
