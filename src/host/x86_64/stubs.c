/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared stubs around translated code, linking, and the recovery of state after a fault. */
#include "host/x86_64/host_priv.h"

#include "base/softfloat.h"
#include "host/x86_64/verbatim.h"

#include <string.h>

static const uint8_t saved[] = { RBX, RBP, R12, R13, R14, R15 };

static struct x64_mem cpu_at(const struct host_layout *lay, uint32_t off)
{
    return x64_at(X_CPU, (int32_t)off - (int32_t)lay->bias);
}

static void to_c_stack(struct x64_asm *a, const struct host_layout *lay)
{
    x64_store(a, 8, cpu_at(lay, lay->shadow), RSP);
    x64_load(a, 8, RSP, cpu_at(lay, lay->c_stack));
}

static void stub_enter(struct x64_asm *a, const struct host_layout *lay)
{
    for (unsigned i = 0; i < sizeof(saved); i++)
        x64_push(a, saved[i]);
    x64_alu_ri(a, ALU_SUB, 8, RSP, 8); /* calls from here find the stack aligned */
    x64_lea(a, 8, X_CPU, x64_at(RDI, (int32_t)lay->bias));
    x64_store(a, 8, cpu_at(lay, lay->c_stack), RSP);
    x64_load(a, 8, RSP, cpu_at(lay, lay->shadow));
    x64_jmp_r(a, RSI);
}

static void stub_leave(struct x64_asm *a, const struct host_layout *lay)
{
    to_c_stack(a, lay);
    x64_alu_ri(a, ALU_ADD, 8, RSP, 8);
    for (unsigned i = sizeof(saved); i-- > 0;)
        x64_pop(a, saved[i]);
    x64_ret(a, 0);
}

/* Called from a thunk: its data lies at the return address. */
static void stub_thunk(struct x64_asm *a, const struct host_layout *lay, bool hot)
{
    x64_pop(a, RAX);
    x64_load(a, 8, RCX, x64_at(RAX, 0));
    x64_store(a, 8, cpu_at(lay, lay->pc), RCX);
    if (hot) { /* bts rax, 63 tells it from a link request */
        x64_byte(a, 0x48);
        x64_byte(a, 0x0f);
        x64_byte(a, 0xba);
        x64_byte(a, 0xe8);
        x64_byte(a, 63);
    }
    stub_leave(a, lay);
}

static void stub_call(struct x64_asm *a, const struct host_layout *lay)
{
    to_c_stack(a, lay);
    x64_call_r(a, RAX);
    x64_load(a, 8, RSP, cpu_at(lay, lay->shadow));
    x64_ret(a, 0);
}

/* Around a call of C that keeps every register but rax and the flags. */
static const uint8_t kept[] = { RCX, RDX, RSI, RDI, R8, R9, R10, R11 };

static void keep_registers(struct x64_asm *a, const struct host_layout *lay)
{
    to_c_stack(a, lay);
    for (unsigned i = 0; i < sizeof(kept); i++)
        x64_push(a, kept[i]);
    x64_alu_ri(a, ALU_SUB, 8, RSP, 16 * 16);
    for (unsigned i = 0; i < 16; i++)
        x64_vstore(a, x64_at(RSP, (int32_t)i * 16), i);
}

static void registers_back(struct x64_asm *a, const struct host_layout *lay)
{
    for (unsigned i = 0; i < 16; i++)
        x64_vload(a, i, x64_at(RSP, (int32_t)i * 16));
    x64_alu_ri(a, ALU_ADD, 8, RSP, 16 * 16);
    for (unsigned i = sizeof(kept); i-- > 0;)
        x64_pop(a, kept[i]);
    x64_load(a, 8, RSP, cpu_at(lay, lay->shadow));
    x64_ret(a, 0);
}

/* rax: struct ir_how *. */
static void stub_slow(struct x64_asm *a, const struct host_layout *lay)
{
    keep_registers(a, lay);
    x64_lea(a, 8, RDI, x64_at(X_CPU, -(int32_t)lay->bias));
    x64_mov_rr(a, 8, RSI, RAX);
    x64_call_m(a, cpu_at(lay, lay->entry_points + HOST_EP_EVAL * 8));
    registers_back(a, lay);
}

/* rax: a helper. */
static void stub_keep(struct x64_asm *a, const struct host_layout *lay)
{
    static const uint8_t arg[] = { RSI, RDX, RCX };

    keep_registers(a, lay);
    x64_lea(a, 8, RDI, x64_at(X_CPU, -(int32_t)lay->bias));
    for (unsigned k = 0; k < sizeof(arg); k++)
        x64_load(a, 8, arg[k], cpu_at(lay, lay->scratch + 16 * k));
    x64_call_r(a, RAX);
    x64_store(a, 8, cpu_at(lay, lay->scratch + 48), RAX);
    registers_back(a, lay);
}

/* Called in front of struct host_access, with the guest address in rax; see host.h. */
static void stub_access(struct x64_asm *a, const struct host_layout *lay)
{
    enum { XMM = offsetof(struct host_regs, xmm) };
    struct x64_label no = { 0 };

    to_c_stack(a, lay);
    x64_alu_ri(a, ALU_SUB, 8, RSP, sizeof(struct host_regs));
    for (unsigned i = 0; i < 16; i++)
        x64_store(a, 8, x64_at(RSP, (int32_t)i * 8), i);
    for (unsigned i = 0; i < 16; i++)
        x64_vstore(a, x64_at(RSP, XMM + (int32_t)i * 16), i);
    x64_lea(a, 8, RDI, x64_at(X_CPU, -(int32_t)lay->bias));
    x64_mov_rr(a, 8, RSI, RSP);
    x64_load(a, 8, RDX, cpu_at(lay, lay->shadow));
    x64_load(a, 8, RDX, x64_at(RDX, 0));
    x64_call_m(a, cpu_at(lay, lay->entry_points + HOST_EP_ACCESS_C * 8));
    x64_test_rr(a, 4, RAX, RAX);
    x64_jcc(a, CC_E, &no);
    for (unsigned i = 0; i < 16; i++)
        x64_vload(a, i, x64_at(RSP, XMM + (int32_t)i * 16));
    for (unsigned i = 1; i < 16; i++)
        if (i != RSP && i != X_CPU)
            x64_load(a, 8, i, x64_at(RSP, (int32_t)i * 8));
    x64_load(a, 8, RSP, cpu_at(lay, lay->shadow));
    x64_pop(a, RAX);
    x64_alu_ri(a, ALU_ADD, 8, RAX, sizeof(struct host_access));
    x64_jmp_r(a, RAX);
    x64_bind(a, &no);
    x64_load(a, 8, RSP, cpu_at(lay, lay->shadow));
    x64_pop(a, RAX);
    x64_jmp_m(a, cpu_at(lay, lay->entry_points + HOST_EP_STOP * 8));
}

/* A return that is not to the newest call.  A few calls may never have returned (a long jump, a call
 * used to learn the address): look behind them; else nothing on the stack is worth keeping. */
static void stub_ret(struct x64_asm *a, const struct host_layout *lay, struct x64_label *miss)
{
    enum { TRIES = 4 }; /* the newest may be it, marked */
    struct x64_label found[TRIES] = { { 0 } };

    if (lay->mark_calls) {
        x64_mov_ri(a, RCX, HOST_MARK);
        x64_alu_rr(a, ALU_XOR, 8, RCX, RAX);
    }
    for (int i = 0; i < TRIES; i++) {
        if (i)
            x64_alu_rm(a, ALU_CMP, 8, RAX, x64_at(RSP, 8 + 16 * i));
        if (i)
            x64_jcc(a, CC_E, &found[i]);
        if (!lay->mark_calls)
            continue;
        x64_alu_rm(a, ALU_CMP, 8, RCX, x64_at(RSP, 8 + 16 * i));
        x64_jcc(a, CC_E, &found[i]);
    }
    x64_load(a, 8, RSP, cpu_at(lay, lay->shadow_base));
    x64_alu_mi(a, ALU_CMP, 4, cpu_at(lay, lay->attention), 0);
    x64_jcc(a, CC_NE, miss);
    x64_mov_rr(a, 4, RCX, RAX);
    x64_alu_ri(a, ALU_AND, 4, RCX, (int32_t)(lay->mode_jc ? lay->mode_jc_mask : lay->jc_mask));
    if (!lay->pc_shift)
        x64_shift_ri(a, SH_SHL, 4, RCX, 2);
    struct x64_mem jc = { .base = X_CPU, .index = RCX, .scale = 2,
                          .disp = (int32_t)lay->jc - (int32_t)lay->bias };
    if (lay->mode_jc) { /* each mode has its own */
        x64_load(a, 8, RDX, cpu_at(lay, lay->mode_jc));
        jc.base = RDX;
        jc.disp = 0;
    }
    x64_alu_rm(a, ALU_CMP, 8, RAX, jc);
    x64_jcc(a, CC_NE, miss);
    jc.disp += 8;
    x64_jmp_m(a, jc);
    for (int i = 0; i < TRIES; i++) {
        x64_bind(a, &found[i]);
        if (i)
            x64_alu_ri(a, ALU_ADD, 8, RSP, 16 * i);
        x64_ret(a, 8);
    }
}

uint32_t host_stubs(struct host *h, uint8_t *buf, uint32_t cap, void **ep)
{
    struct x64_asm a = { .buf = buf, .cap = cap, .f = h->x.a.f };
    struct x64_label miss = { 0 };

    h->enter = (host_enter_fn *)(void *)buf;
    stub_enter(&a, &h->lay);
    x64_align(&a, 16, 0);
    ep[HOST_EP_END] = buf + a.n;
    x64_mov_ri(&a, RAX, ~0ull);
    ep[HOST_EP_MISS] = buf + a.n;
    x64_bind(&a, &miss);
    x64_store(&a, 8, cpu_at(&h->lay, h->lay.pc), RAX);
    ep[HOST_EP_STOP] = buf + a.n;
    x64_alu_rr(&a, ALU_XOR, 4, RAX, RAX);
    ep[HOST_EP_LEAVE] = buf + a.n;
    stub_leave(&a, &h->lay);
    x64_align(&a, 16, 0);
    ep[HOST_EP_LINK] = buf + a.n;
    stub_thunk(&a, &h->lay, false);
    x64_align(&a, 16, 0);
    ep[HOST_EP_HOT] = buf + a.n;
    stub_thunk(&a, &h->lay, true);
    x64_align(&a, 16, 0);
    ep[HOST_EP_SLOW] = buf + a.n;
    stub_slow(&a, &h->lay);
    x64_align(&a, 16, 0);
    ep[HOST_EP_KEEP] = buf + a.n;
    stub_keep(&a, &h->lay);
    x64_align(&a, 16, 0);
    ep[HOST_EP_CALL] = buf + a.n;
    stub_call(&a, &h->lay);
    x64_align(&a, 16, 0);
    ep[HOST_EP_RET] = buf + a.n;
    stub_ret(&a, &h->lay, &miss);
    if (h->lay.mode_jc) {
        x64_align(&a, 16, 0);
        ep[HOST_EP_ACCESS] = buf + a.n;
        stub_access(&a, &h->lay);
    }
    if (h->lay.g.gpr)
        xv_stubs(&a, &h->lay, ep);
    x64_align(&a, 64, 0);
    return a.n;
}

host_enter_fn *host_enter(const struct host *h)
{
    return h->enter;
}

void host_patch(uint8_t *site, const uint8_t *target)
{
    volatile struct {
        int32_t rel;
    } __attribute__((packed)) *field = (void *)site; /* within eight bytes: one store */

    __atomic_thread_fence(__ATOMIC_RELEASE);
    field->rel = (int32_t)(target - (site + 4));
}

/* --- Recovery; the form is described in exit.c --- */

struct recover {
    const uint8_t *p;
    const struct ir_slot *slots;
    const uint8_t *cpu;
    const uint64_t *gpr;
    const union ir_u *xmm;
    const uint8_t *frame;
};

static uint64_t get_leb(struct recover *r)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t b;

    do {
        b = *r->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80);
    return v;
}

static union ir_u get_value(struct recover *r)
{
    union ir_u v = { .q = 0 };
    uint8_t tag = *r->p++;

    if (tag < 0x10) {
        v.d[0] = r->gpr[tag];
    } else if (tag < 0x20) {
        v = r->xmm[tag - 0x10];
    } else if (tag == 0x20) {
        memcpy(&v, r->frame + *r->p++ * 16, 16);
    } else if (tag == 0x21) {
        v.d[0] = get_leb(r);
    } else if (tag == 0x22) {
        const struct ir_slot *s = &r->slots[*r->p++];

        memcpy(&v, r->cpu + s->off, s->type == IR_I1 ? 1 : ir_bits(s->type) / 8);
    } else if (tag == 0x23) {
        memcpy(&v, r->p, 16);
        r->p += 16;
    } else {
        struct ir_how how = { 0 };
        union ir_u a[3];
        struct fp_env fp = { 0 };

        how.op = (uint16_t)(r->p[0] | r->p[1] << 8);
        how.type = r->p[2];
        how.arg_type = r->p[3];
        how.lane = r->p[4];
        r->p += 5;
        how.imm = get_leb(r);
        for (unsigned k = 0; k < ir_info[how.op].n_args; k++) {
            a[k] = get_value(r);
            if (k == 0 || ir_info[how.op].args[k] == 'S' || ir_info[how.op].args[k] == 'T')
                if (ir_bits(how.arg_type) < 64) /* registers may hold more than a narrow use needs */
                    a[k].d[0] &= ir_mask(how.arg_type);
        }
        ir_info[how.op].eval(&v, a, &how, &fp);
    }
    return v;
}

uint64_t host_recover(const uint8_t *desc, const struct ir_slot *slots, uint8_t *cpu,
                      const uint64_t *gpr, const union ir_u *xmm, const uint8_t *frame)
{
    struct recover r = { desc, slots, cpu, gpr, xmm, frame };
    struct {
        uint32_t slot;
        union ir_u v;
    } done[IR_MAX_SLOTS];
    uint64_t z = get_leb(&r);
    unsigned n = 0;

    while (*r.p != 0xff && n < IR_MAX_SLOTS) { /* all are read before any is written */
        done[n].slot = *r.p++;
        done[n].v = get_value(&r);
        n++;
    }
    for (unsigned i = 0; i < n; i++) {
        const struct ir_slot *s = &slots[done[i].slot];

        memcpy(cpu + s->off, &done[i].v, s->type == IR_I1 ? 1 : ir_bits(s->type) / 8);
    }
    return (z >> 1) ^ -(z & 1);
}
