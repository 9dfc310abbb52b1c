/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter's loads, stores and atomics.  Aligned accesses of up to eight bytes are one host
 * access (guest_read and guest_write see to it); atomics are a loop around the host's compare and
 * swap.  Acquire and release become full fences: simple, and strong enough for every guest.
 */
#include "cpu/interp_priv.h"

#include <signal.h>
#include <string.h>

static unsigned size_of(uint64_t memop)
{
    return 1u << (memop & IR_MEM_SIZE);
}

static void fence_if(uint64_t memop, enum ir_order order)
{
    if (memop >> IR_MEM_ORDER_SHIFT & order)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The guarded access has noted what the host said; here it is put into the guest's terms. */
static int fault(struct cpu *cpu, uint64_t addr, bool write)
{
    cpu->fault_write = write;
    cpu->fault_addr -= cpu->engine->conf.guest_base;
    if (cpu->fault_code == SI_KERNEL) { /* not canonical: the host does not say where */
        cpu->fault_addr = addr;
        cpu->fault_code = SEGV_MAPERR;
    }
    return -1;
}

/* As the host's processor says it. */
static int misaligned(struct cpu *cpu, bool write)
{
    cpu->fault_write = write;
    cpu->fault_signo = SIGSEGV;
    cpu->fault_code = SI_KERNEL;
    cpu->fault_addr = 0;
    return -1;
}

/* As a machine's CPU does it, when it is one; else the host's memory is the guest's. */
static int load(struct cpu *cpu, uint64_t addr, uint64_t memop, union ir_u *v)
{
    if (cpu->memory)
        return cpu->memory->load(cpu, addr, (unsigned)memop, cpu->memory->regime(cpu, (unsigned)memop), v) ? 0 : -1;
    if (ir_mem_aligned(memop) && addr % 16)
        return misaligned(cpu, false);
    return guest_read(cpu, v, addr, size_of(memop)) < 0 ? fault(cpu, addr, false) : 0;
}

static int store(struct cpu *cpu, uint64_t addr, uint64_t memop, const union ir_u *v)
{
    if (cpu->memory)
        return cpu->memory->store(cpu, addr, (unsigned)memop, cpu->memory->regime(cpu, (unsigned)memop), v) ? 0 : -1;
    if (ir_mem_aligned(memop) && addr % 16)
        return misaligned(cpu, true);
    return guest_store(cpu, addr, v, size_of(memop)) < 0 ? fault(cpu, addr, true) : 0;
}

bool cpu_load(struct cpu *cpu, uint64_t addr, unsigned memop, union ir_u *v)
{
    *v = (union ir_u){.d = {0, 0}};
    if (load(cpu, addr, memop, v) == 0)
        return true;
    if (!cpu->memory)
        cpu->stop = CPU_STOP_FAULT;
    return false;
}

bool cpu_store(struct cpu *cpu, uint64_t addr, unsigned memop, const union ir_u *v)
{
    if (store(cpu, addr, memop, v) == 0)
        return true;
    if (!cpu->memory)
        cpu->stop = CPU_STOP_FAULT;
    return false;
}

int interp_load(struct ir_machine *m, uint64_t addr, uint64_t memop, union ir_u *v)
{
    if (load(m->opaque, addr, memop, v) < 0)
        return -1;
    fence_if(memop, IR_ACQUIRE);
    return 0;
}

/* x86: the block being run may be what a store changes. */
static bool own_code(struct cpu *cpu, uint64_t addr, uint64_t memop)
{
    return cpu->memory && cpu->memory->own_code(cpu, cpu->here->at, addr, (unsigned)memop, cpu->memory->regime(cpu, (unsigned)memop));
}

int interp_store(struct ir_machine *m, uint64_t addr, uint64_t memop, const union ir_u *v)
{
    if (own_code(m->opaque, addr, memop))
        return -1;
    fence_if(memop, IR_RELEASE);
    if (store(m->opaque, addr, memop, v) < 0)
        return -1;
    fence_if(memop, IR_RELEASE);
    return 0;
}

void interp_fence(struct ir_machine *m, unsigned kind)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- Atomics --- */

static int64_t sign_extend(uint64_t v, unsigned bytes)
{
    return (int64_t)(v << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

/* What memory becomes; fetch operations are of 1 to 8 bytes. */
static uint64_t combine(enum ir_opcode op, unsigned bytes, uint64_t old, uint64_t v)
{
    int64_t so = sign_extend(old, bytes), sv = sign_extend(v, bytes);
    uint64_t mask = ~0ull >> (64 - 8 * bytes);

    switch (op) {
    case IRO_fadda: return old + v;
    case IRO_fanda: return old & v;
    case IRO_fora: return old | v;
    case IRO_fxora: return old ^ v;
    case IRO_fsmaxa: return so > sv ? old : v;
    case IRO_fsmina: return so < sv ? old : v;
    case IRO_fumaxa: return old > (v & mask) ? old : v;
    case IRO_fumina: return old < (v & mask) ? old : v;
    default: return v; /* xchg */
    }
}

static void reverse(union ir_u *v, unsigned bytes)
{
    union ir_u in = *v;

    for (unsigned i = 0; i < bytes; i++)
        v->b[i] = in.b[bytes - 1 - i];
}

/* The new value for memory that holds @old, both in memory's byte order. */
static union ir_u desired_value(enum ir_opcode op, uint64_t memop, const union ir_u *old,
                                const union ir_u *a)
{
    unsigned bytes = size_of(memop);
    union ir_u native = *old;

    if (bytes == 16)
        return *a;
    if (memop & IR_MEM_BE)
        reverse(&native, bytes);
    native.d[0] = combine(op, bytes, native.d[0], a->d[0]);
    if (memop & IR_MEM_BE)
        reverse(&native, bytes);
    return native;
}

/* One attempt; false when memory did not hold @seen, which becomes what it held. */
static int attempt(struct cpu *cpu, enum ir_opcode op, uint64_t addr, uint64_t memop,
                   const union ir_u *a, union ir_u *seen)
{
    union ir_u desired = desired_value(op, memop, seen, a);

    return guest_cas(cpu, addr, memop & IR_MEM_SIZE, seen, &desired);
}

static int compare_and_swap(struct cpu *cpu, uint64_t addr, uint64_t memop,
                            const union ir_u *a, const union ir_u *b, union ir_u *seen)
{
    union ir_u desired = *b;
    unsigned bytes = size_of(memop);

    *seen = (union ir_u){.d = {0, 0}};
    memcpy(seen, a, bytes);
    if (memop & IR_MEM_BE) {
        reverse(seen, bytes);
        reverse(&desired, bytes);
    }
    return guest_cas(cpu, addr, memop & IR_MEM_SIZE, seen, &desired);
}

int interp_atomic_at(struct cpu *cpu, enum ir_opcode op, uint64_t addr, uint64_t memop, const union ir_u *a,
                     const union ir_u *b, union ir_u *old)
{
    unsigned bytes = size_of(memop);
    union ir_u seen = {.d = {0, 0}};
    int r;

    if (op == IRO_cas) {
        r = compare_and_swap(cpu, addr, memop, a, b, &seen);
    } else {
        r = guest_read(cpu, &seen, addr, bytes);
        while (r >= 0 && (r = attempt(cpu, op, addr, memop, a, &seen)) == 0)
            ;
    }
    if (r < 0)
        return r;
    *old = (union ir_u){.d = {0, 0}};
    memcpy(old, &seen, bytes);
    if (memop & IR_MEM_BE)
        reverse(old, bytes);
    return 0;
}

/* In programs: a byte is written with what it holds, atomically. */
static bool page_writable(struct cpu *cpu, uint64_t addr)
{
    static const union ir_u zero;
    union ir_u old;

    if (cpu->memory)
        return cpu->memory->writable(cpu, addr, cpu->memory->regime(cpu, 0));
    if (interp_atomic_at(cpu, IRO_fora, addr, 0, &zero, &zero, &old) == 0)
        return true;
    fault(cpu, addr, true);
    cpu->stop = CPU_STOP_FAULT;
    return false;
}

bool cpu_writable(struct cpu *cpu, uint64_t addr, uint64_t len)
{
    enum { PAGE = 4096 };

    for (uint64_t at = addr, left = len, n; left; at += n, left -= n) {
        n = PAGE - at % PAGE < left ? PAGE - at % PAGE : left;
        if (!page_writable(cpu, at))
            return false;
    }
    return true;
}

static int store2(struct ir_machine *m, uint64_t addr, const union ir_u *low, const union ir_u *high)
{
    uint64_t half = ir_mem(4, false, IR_RELAXED);

    if ((addr ^ (addr + 31)) >> 12 && !cpu_writable(m->opaque, addr, 32))
        return -1;
    return interp_store(m, addr, half, low) || interp_store(m, addr + 16, half, high) ? -1 : 0;
}

int interp_atomic(struct ir_machine *m, enum ir_opcode op, uint64_t addr, uint64_t memop,
                  const union ir_u *a, const union ir_u *b, union ir_u *old)
{
    struct cpu *cpu = m->opaque;

    if (own_code(cpu, addr, memop))
        return -1;
    if (op == IRO_store2)
        return store2(m, addr, a, b);
    if (cpu->memory)
        return cpu->memory->atomic(cpu, op, addr, (unsigned)memop, cpu->memory->regime(cpu, (unsigned)memop), a, b, old)
                   ? 0
                   : -1;
    return interp_atomic_at(cpu, op, addr, memop, a, b, old) < 0 ? fault(cpu, addr, true) : 0;
}
