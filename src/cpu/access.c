/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses of a machine's CPU that translated code does not make in line: a page not looked up lately, registers of devices,
 * pages with translated code, page crossings.  Contract: struct host_access of host/host.h.
 */
#include "cpu/jit.h"
#include "cpu/vcpu.h"

#include <string.h>

struct doing {
    struct cpu *cpu;
    struct host_regs *regs;
    const struct host_access *a;
    unsigned regime;
};

static union ir_u reg(const struct doing *d, uint8_t r)
{
    union ir_u v = { .d = { 0, 0 } };

    if (r >= 16)
        return d->regs->xmm[r & 15];
    v.d[0] = d->regs->gpr[r];
    return v;
}

static union ir_u slot(const struct doing *d, uint8_t n)
{
    const struct ir_slot *s = &d->cpu->isa->slots[n];
    union ir_u v = { .d = { 0, 0 } };

    if (n != FLAT_ZERO)
        memcpy(&v, (const uint8_t *)d->cpu + s->off, s->type == IR_I1 ? 1 : ir_bits(s->type) / 8);
    return v;
}

static union ir_u stored(const struct doing *d, unsigned i)
{
    union ir_u v = { .d = { (uint64_t)d->a->imm, 0 } };

    if (d->a->how & HOST_ACCESS_IMM)
        return v;
    return d->a->how & HOST_ACCESS_SLOTS ? slot(d, d->a->src[i]) : reg(d, d->a->src[i]);
}

/* As a load leaves it in a register. */
static void put(const struct doing *d, uint8_t r, union ir_u v)
{
    unsigned bits = 8u << (d->a->memop & IR_MEM_SIZE);

    if (r >= 16) {
        d->regs->xmm[r & 15] = v;
        return;
    }
    if (d->a->memop & IR_MEM_SIGN && bits < 64)
        v.sd[0] = (int64_t)(v.d[0] << (64 - bits)) >> (64 - bits);
    d->regs->gpr[r] = v.d[0] & ir_mask(d->a->type);
}

static bool load(const struct doing *d, uint64_t va)
{
    unsigned size = 1u << (d->a->memop & IR_MEM_SIZE);
    union ir_u v, second;

    if (!d->cpu->memory->load(d->cpu, va, d->a->memop, d->regime, &v))
        return false;
    if (d->a->how & HOST_ACCESS_PAIR) {
        if (!d->cpu->memory->load(d->cpu, va + size, d->a->memop, d->regime, &second))
            return false;
        put(d, d->a->dst2, second);
    }
    put(d, d->a->dst, v);
    return true;
}

static bool store(const struct doing *d, uint64_t va)
{
    unsigned size = 1u << (d->a->memop & IR_MEM_SIZE);
    union ir_u v = stored(d, 0);

    if (!d->cpu->memory->store(d->cpu, va, d->a->memop, d->regime, &v))
        return false;
    if (d->a->memop >> IR_MEM_ORDER_SHIFT & IR_RELEASE)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!(d->a->how & HOST_ACCESS_PAIR))
        return true;
    v = stored(d, 1);
    return d->cpu->memory->store(d->cpu, va + size, d->a->memop, d->regime, &v);
}

static bool store2(const struct doing *d, uint64_t va)
{
    uint8_t half = (uint8_t)ir_mem(4, false, IR_RELAXED);
    union ir_u low = stored(d, 0), high = stored(d, 1);

    if ((va ^ (va + 31)) >> HOST_PAGE_BITS && !cpu_writable(d->cpu, va, 32))
        return false;
    return d->cpu->memory->store(d->cpu, va, half, d->regime, &low) && d->cpu->memory->store(d->cpu, va + 16, half, d->regime, &high);
}

static bool atomic(const struct doing *d, uint64_t va)
{
    union ir_u x = stored(d, 0), y = stored(d, 1), old;

    if (!d->cpu->memory->atomic(d->cpu, d->a->op, va, d->a->memop, d->regime, &x, &y, &old))
        return false;
    if (d->a->dst >= 16)
        d->regs->xmm[d->a->dst & 15] = old;
    else
        d->regs->gpr[d->a->dst] = old.d[0];
    return true;
}

static bool written(const struct doing *d, uint64_t va)
{
    switch (d->a->op) {
    case IRO_store: return store(d, va);
    case IRO_store2: return store2(d, va);
    }
    return atomic(d, va);
}

/* x86: the code that makes this store may be what it changes. */
static bool own_code(const struct doing *d, uint64_t va)
{
    const struct region *r;

    if (!d->cpu->isa->system->own_code)
        return false;
    r = region_at(d->cpu->engine->jit, (const uint8_t *)d->a);
    return d->cpu->memory->own_code(d->cpu, r->at, va, d->a->memop, d->regime);
}

bool jit_access(struct cpu *cpu, struct host_regs *regs, const struct host_access *a)
{
    struct doing d = { cpu, regs, a, cpu->memory->regime(cpu, a->memop) };
    uint64_t va = regs->gpr[0];
    const struct region *r;

    if (a->op == IRO_load ? load(&d, va) : own_code(&d, va) ? false : written(&d, va))
        return true;
    r = region_at(cpu->engine->jit, (const uint8_t *)a);
    cpu->pc = r->pc + host_recover(r->desc + a->desc, cpu->engine->jit->slots, (uint8_t *)cpu, regs->gpr,
                                   regs->xmm, cpu->frame);
    return false;
}
