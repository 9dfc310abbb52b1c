/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector elements that are moved only where a mask says so: gathers, VMASKMOV, MASKMOVDQU (SDM 2). */
#include "guest/x86/copy.h"
#include "guest/x86/simd.h"

#include <string.h>

/* What the helpers are told besides an address, packed into their second argument. */
struct masked {
    uint8_t data, mask, index; /* registers */
    uint8_t log2;              /* bytes of an element */
    uint8_t count;             /* elements */
    uint8_t index_log2, scale; /* gathers: bytes of an index, and by what it is shifted */
    uint8_t addr_size;
};

static ir_val packed(struct x86_tr *t, struct masked m)
{
    uint64_t v;

    memcpy(&v, &m, 8);
    return x86_const64(t, v);
}

static struct masked unpacked(uint64_t v)
{
    struct masked m;

    memcpy(&m, &v, 8);
    return m;
}

/* 32 bytes of a register and back. */
static void get_ymm(const struct x86_state *s, unsigned n, uint8_t v[32])
{
    memcpy(v, &s->xmm[n], 16);
    memcpy(v + 16, &s->ymmh[n], 16);
}

static void set_ymm(struct x86_state *s, unsigned n, const uint8_t v[32])
{
    memcpy(&s->xmm[n], v, 16);
    memcpy(&s->ymmh[n], v + 16, 16);
}

static bool wanted(const uint8_t *mask, unsigned log2, unsigned i)
{
    return mask[((i + 1) << log2) - 1] & 0x80;
}

/* An element that faults leaves those before it done, and their masks cleared. */
uint64_t x86_help_gather(struct cpu *cpu, uint64_t base, uint64_t how, uint64_t seg_base)
{
    struct masked m = unpacked(how);
    struct x86_state *s = x86(cpu);
    uint8_t data[32], mask[32], index[32], zero[32] = {0};
    unsigned size = 1u << m.log2, used = (unsigned)m.count << m.log2;

    get_ymm(s, m.data, data);
    get_ymm(s, m.mask, mask);
    get_ymm(s, m.index, index);
    for (unsigned i = 0; i < m.count; i++) {
        int64_t at = 0;
        uint64_t addr;

        if (!wanted(mask, m.log2, i))
            continue;
        memcpy(&at, index + (i << m.index_log2), 1u << m.index_log2);
        if (m.index_log2 == 2)
            at = (int32_t)at;
        addr = base + ((uint64_t)at << m.scale);
        if (m.addr_size == 4)
            addr = (uint32_t)addr;
        if (!x86_copy_in(cpu, data + (i << m.log2), addr + seg_base, size)) {
            set_ymm(s, m.data, data);
            set_ymm(s, m.mask, mask);
            return 0;
        }
        memset(mask + (i << m.log2), 0, size);
    }
    memset(data + used, 0, 32 - used);
    set_ymm(s, m.data, data);
    set_ymm(s, m.mask, zero);
    return 0;
}

uint64_t x86_help_mask_load(struct cpu *cpu, uint64_t addr, uint64_t how, uint64_t c)
{
    struct masked m = unpacked(how);
    struct x86_state *s = x86(cpu);
    uint8_t data[32] = {0}, mask[32];

    get_ymm(s, m.mask, mask);
    for (unsigned i = 0; i < m.count; i++)
        if (wanted(mask, m.log2, i) && !x86_copy_in(cpu, data + (i << m.log2), addr + (i << m.log2), 1u << m.log2))
            return 0;
    set_ymm(s, m.data, data);
    return 0;
}

/* Nothing is written unless everything can be.  In one page the first element that is wanted says so. */
static bool all_writable(struct cpu *cpu, uint64_t addr, const uint8_t *mask, unsigned log2, unsigned count)
{
    unsigned first = 0, end = count, len;

    while (first < count && !wanted(mask, log2, first))
        first++;
    while (end > first && !wanted(mask, log2, end - 1))
        end--;
    addr += first << log2;
    len = (end - first) << log2;
    return addr % X86_PAGE + len <= X86_PAGE || cpu_writable(cpu, addr, len);
}

uint64_t x86_help_mask_store(struct cpu *cpu, uint64_t addr, uint64_t how, uint64_t c)
{
    struct masked m = unpacked(how);
    struct x86_state *s = x86(cpu);
    uint8_t data[32], mask[32];

    get_ymm(s, m.data, data);
    get_ymm(s, m.mask, mask);
    if (!all_writable(cpu, addr, mask, m.log2, m.count))
        return 0;
    for (unsigned i = 0; i < m.count; i++)
        if (wanted(mask, m.log2, i) && !x86_copy_out(cpu, addr + (i << m.log2), data + (i << m.log2), 1u << m.log2))
            return 0;
    return 0;
}

/* MASKMOVQ: two MMX registers. */
uint64_t x86_help_mask_store_mm(struct cpu *cpu, uint64_t addr, uint64_t data, uint64_t mask)
{
    if (!all_writable(cpu, addr, (const uint8_t *)&mask, 0, 8))
        return 0;
    for (unsigned i = 0; i < 8; i++)
        if (mask >> (8 * i + 7) & 1) {
            uint8_t b = (uint8_t)(data >> 8 * i);

            if (!x86_copy_out(cpu, addr + i, &b, 1))
                return 0;
        }
    return 0;
}

/* --- Lifting --- */

static void masked_load(struct x86_tr *t, uint8_t log2)
{
    struct masked m = {.data = t->i->op[0].reg, .mask = t->i->op[1].reg, .log2 = log2, .count = (uint8_t)(x86_size(t, 0) >> log2)};

    ir_call(t->ir, X86_HELP_mask_load, x86_mem(t, x86_size(t, 0), false), packed(t, m), IR_NONE);
}

static void masked_store(struct x86_tr *t, uint8_t log2)
{
    struct masked m = {.data = t->i->op[2].reg, .mask = t->i->op[1].reg, .log2 = log2, .count = (uint8_t)(x86_size(t, 0) >> log2)};

    ir_call(t->ir, X86_HELP_mask_store, x86_mem(t, x86_size(t, 0), true), packed(t, m), IR_NONE);
}

void tr_x86_vmaskmovps(struct x86_tr *t)
{
    masked_load(t, 2);
}

void tr_x86_vmaskmovpd(struct x86_tr *t)
{
    masked_load(t, 3);
}

void tr_x86_vmaskmovps_st(struct x86_tr *t)
{
    masked_store(t, 2);
}

void tr_x86_vmaskmovpd_st(struct x86_tr *t)
{
    masked_store(t, 3);
}

/* [rDI], in DS or what a prefix says. */
static ir_val at_di(struct x86_tr *t)
{
    unsigned seg = t->i->seg_prefix != X86_NO_SEG ? t->i->seg_prefix : X86_DS, size = t->i->addr_size;
    ir_val di = ir_get(t->ir, X86_R0 + X86_DI);

    if (size < 8)
        di = ir_and_imm(t->ir, di, size == 2 ? 0xffff : 0xffffffff);
    return x86_linear(t, seg, di, 16, true);
}

void tr_x86_maskmovdqu(struct x86_tr *t)
{
    struct masked m = {.data = t->i->op[0].reg, .mask = t->i->op[1].reg, .count = 16};

    ir_call(t->ir, X86_HELP_mask_store, at_di(t), packed(t, m), IR_NONE);
}

void tr_x86_maskmovq(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    ir_val data = ir_op(ir, IRO_vget, IR_I64, 3, 0, x86_vec(t, 0, 0), IR_NONE, IR_NONE);
    ir_val mask = ir_op(ir, IRO_vget, IR_I64, 3, 0, x86_vec(t, 1, 0), IR_NONE, IR_NONE);

    ir_call(ir, X86_HELP_mask_store_mm, at_di(t), data, mask);
    x86_mmx_used(t);
}

/* Data, mask and index have to be three registers. */
static void gather(struct x86_tr *t, uint8_t index_log2, uint8_t log2)
{
    const struct x86_ea *ea = &t->i->ea;
    unsigned size = x86_size(t, 0), widest = log2 > index_log2 ? log2 : index_log2;
    struct masked m = {t->i->op[0].reg, t->i->op[2].reg, ea->index, log2, (uint8_t)(size >> widest), index_log2, ea->scale, t->i->addr_size};
    ir_val base = x86_const64(t, (uint64_t)ea->disp), seg = x86_const64(t, 0);

    if (m.data == m.mask || m.data == m.index || m.mask == m.index || ea->index == X86_NO_REG) {
        x86_undefined(t);
        return;
    }
    if (ea->base != X86_NO_REG)
        base = ir_add(t->ir, ir_get(t->ir, X86_R0 + ea->base), base);
    if (ea->seg >= X86_FS || !(t->mode & X86_MODE_FLAT))
        seg = ir_get(t->ir, X86_BASE + ea->seg);
    ir_call(t->ir, X86_HELP_gather, base, packed(t, m), seg);
}

/* Named by index and element. */
void tr_x86_vgatherdd(struct x86_tr *t)
{
    gather(t, 2, 2);
}

void tr_x86_vgatherdq(struct x86_tr *t)
{
    gather(t, 2, 3);
}

void tr_x86_vgatherqd(struct x86_tr *t)
{
    gather(t, 3, 2);
}

void tr_x86_vgatherqq(struct x86_tr *t)
{
    gather(t, 3, 3);
}
