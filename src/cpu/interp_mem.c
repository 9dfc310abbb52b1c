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

/* Records the fault of an access; the byte told is the first one that cannot be reached. */
static int fault(struct cpu *cpu, uint64_t addr, unsigned size, bool write)
{
    uint64_t next_page = (addr | 4095) + 1;
    uint8_t byte;

    if (addr + size > next_page && guest_read(cpu, &byte, addr, 1) == 0)
        addr = next_page;
    cpu->fault_addr = addr;
    cpu->fault_write = write;
    cpu->fault_signo = SIGSEGV;
    cpu->fault_code = guest_read(cpu, &byte, addr, 1) == 0 ? SEGV_ACCERR : SEGV_MAPERR;
    return -1;
}

int interp_load(struct ir_machine *m, uint64_t addr, uint64_t memop, union ir_u *v)
{
    if (guest_read(m->opaque, v, addr, size_of(memop)) < 0)
        return fault(m->opaque, addr, size_of(memop), false);
    fence_if(memop, IR_ACQUIRE);
    return 0;
}

int interp_store(struct ir_machine *m, uint64_t addr, uint64_t memop, const union ir_u *v)
{
    fence_if(memop, IR_RELEASE);
    if (guest_write(m->opaque, addr, v, size_of(memop)) < 0)
        return fault(m->opaque, addr, size_of(memop), true);
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

__attribute__((target("cx16"))) static bool cas16(void *p, union ir_u *expected,
                                                  const union ir_u *desired)
{
    unsigned __int128 was = __sync_val_compare_and_swap((unsigned __int128 *)p, expected->q,
                                                        desired->q);
    bool same = was == expected->q;

    expected->q = was;
    return same;
}

/* Compare and swap of @bytes at @p; on failure @expected becomes what was there. */
static bool cas(void *p, unsigned bytes, union ir_u *expected, const union ir_u *desired)
{
    switch (bytes) {
    case 1:
        return __atomic_compare_exchange_n((uint8_t *)p, expected->b, desired->b[0], false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_compare_exchange_n((uint16_t *)p, expected->h, desired->h[0], false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_compare_exchange_n((uint32_t *)p, expected->s, desired->s[0], false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    case 8:
        return __atomic_compare_exchange_n((uint64_t *)p, expected->d, desired->d[0], false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    default:
        return cas16(p, expected, desired);
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

int interp_atomic(struct ir_machine *m, enum ir_opcode op, uint64_t addr, uint64_t memop,
                  const union ir_u *a, const union ir_u *b, union ir_u *old)
{
    unsigned bytes = size_of(memop);
    union ir_u seen = {.d = {0, 0}}, expected, desired;
    void *p = guest_ptr(m->opaque, addr);

    if (guest_read(m->opaque, &seen, addr, bytes) < 0)
        return fault(m->opaque, addr, bytes, true);
    if (op == IRO_cas) {
        expected = (union ir_u){.d = {0, 0}};
        memcpy(&expected, a, bytes);
        desired = *b;
        if (memop & IR_MEM_BE) {
            reverse(&expected, bytes);
            reverse(&desired, bytes);
        }
        cas(p, bytes, &expected, &desired);
        seen = expected;
    } else {
        do {
            desired = desired_value(op, memop, &seen, a);
        } while (!cas(p, bytes, &seen, &desired));
    }
    *old = seen;
    if (memop & IR_MEM_BE)
        reverse(old, bytes);
    return 0;
}
