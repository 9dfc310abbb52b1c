/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads, stores and atomics that translated code does not do itself, and a debugger's.  Contract: mmu.h. */
#include "cpu/interp_priv.h"
#include "cpu/mmu_priv.h"

#include <string.h>

/* One access being made. */
struct doing {
    struct cpu *cpu;
    uint64_t va;
    unsigned size, regime;
    enum mmu_access how;
    struct mmu_entry *e;
    bool ordered; /* an atomic, or with an order: guest_system.strict */
};

static bool stop(const struct doing *d, enum cpu_stop why)
{
    d->cpu->stop = why;
    d->cpu->fault_addr = d->va;
    d->cpu->fault_write = d->how == MMU_WRITE;
    return false;
}

static uint64_t pa_of(const struct mmu_entry *e, uint64_t va)
{
    return (e->page & MMU_PAGE_MASK) | va % MMU_PAGE;
}

/* True: the guest does not mind. */
static bool bad(const struct doing *d, bool misaligned)
{
    return !sys_of(d->cpu)->bad_access(d->cpu, d->va, pa_of(d->e, d->va), d->how, d->regime, misaligned) ||
           stop(d, CPU_STOP_FAULT);
}

static bool find(struct doing *d)
{
    d->e = mmu_find(d->cpu, d->va, d->how, d->regime);
    if (!d->e)
        return stop(d, CPU_STOP_FAULT);
    return true;
}

static bool crosses(const struct doing *d)
{
    return d->va % MMU_PAGE + d->size > MMU_PAGE;
}

static bool misaligned(const struct doing *d)
{
    const struct guest_system *sys = sys_of(d->cpu);

    if (!(d->va & (d->size - 1)))
        return false;
    return (d->e->page & MMU_E_DEVICE) || (d->ordered && sys->strict) || sys->aligned(d->cpu->mode, d->regime, d->size);
}

/* Finds the page, and whatever keeps the access from being made.  *@go: make it. */
static bool begin(struct doing *d, bool *go)
{
    *go = false;
    if (mmu_of(d->cpu)->n_watches && mmu_watched(d->cpu, d->va, d->size, d->how))
        return stop(d, CPU_STOP_DEBUG);
    if (!find(d))
        return false;
    if (misaligned(d))
        return bad(d, true);
    *go = true;
    return true;
}

static void *host_of(const struct doing *d)
{
    return (void *)(uintptr_t)(d->va + d->e->addend);
}

/* --- RAM: what an instruction accesses is accessed at once --- */

static void copy(void *dst, const void *src, unsigned size)
{
    switch (size) {
    case 1: *(uint8_t *)dst = *(const volatile uint8_t *)src; break;
    case 2: __builtin_memcpy(dst, (const void *)src, 2); break;
    default: guard_copy(dst, src, size); break; /* one host access for 2, 4, 8 and 16 bytes */
    }
}

static void store_ram(const struct doing *d, const void *value)
{
    struct mmu *u = mmu_of(d->cpu);
    struct mem_hit hit;

    if (!(d->e->write & (MMU_PAGE - 1))) {
        copy(host_of(d), value, d->size);
        return;
    }
    if (!mmu_ram(d->cpu, pa_of(d->e, d->va), &hit) || !hit.writable) {
        space_write(u->space, pa_of(d->e, d->va), value, d->size,
                    (struct access){ .who = u->who, .secure = d->e->page & MMU_E_SECURE });
        return;
    }
    copy(host_of(d), value, d->size);
    ram_written(u->machine, hit.ram, hit.ram_off, d->size);
    if (!(d->e->read & (MMU_PAGE - 1)) && (d->e->page & MMU_W))
        mmu_settle_write(d->e, &hit.ram->dirty[hit.ram_off >> RAM_PAGE_BITS]);
}

/* --- Registers --- */

static struct access access_of(const struct doing *d, unsigned size)
{
    return (struct access){ .who = mmu_of(d->cpu)->who, .size = (uint8_t)size,
                            .secure = d->e->page & MMU_E_SECURE };
}

static bool load_io(struct doing *d, union ir_u *v)
{
    struct space *s = mmu_of(d->cpu)->space;
    unsigned size = d->size > 8 ? 8 : d->size;
    uint64_t pa = pa_of(d->e, d->va);

    *v = (union ir_u){ .d = { 0, 0 } };
    for (unsigned i = 0; i < d->size / size; i++)
        if (!space_load(s, pa + 8 * i, &v->d[i], access_of(d, size)))
            return bad(d, false);
    return true;
}

static bool store_io(struct doing *d, const union ir_u *v)
{
    struct space *s = mmu_of(d->cpu)->space;
    unsigned size = d->size > 8 ? 8 : d->size;
    uint64_t pa = pa_of(d->e, d->va), mask = ~0ull >> (64 - 8 * size);

    for (unsigned i = 0; i < d->size / size; i++)
        if (!space_store(s, pa + 8 * i, v->d[i] & mask, access_of(d, size)))
            return bad(d, false);
    return true;
}

/* --- Both --- */

static bool load_page(struct doing *d, union ir_u *v)
{
    if (!(d->e->page & MMU_E_RAM))
        return load_io(d, v);
    copy(v, host_of(d), d->size);
    return true;
}

static bool store_page(struct doing *d, const union ir_u *v)
{
    if (!(d->e->page & MMU_E_RAM))
        return store_io(d, v);
    store_ram(d, v);
    return true;
}

/* An access that crosses into another page is made in bytes, after both pages are known to allow it. */
static bool both_pages(struct doing *d, bool *go)
{
    struct doing last = *d;
    uint64_t va = d->va;

    last.va = (d->va & MMU_PAGE_MASK) + MMU_PAGE;
    last.size = 1;
    *go = false;
    if (!find(d))
        return false;
    if (misaligned(d))
        return bad(d, true);
    if (!find(&last))
        return false;
    if (last.e->page & MMU_E_DEVICE)
        return bad(&last, true);
    d->va = va;
    *go = true;
    return true;
}

static bool cross(struct doing d, union ir_u *v)
{
    uint64_t first = d.va;
    unsigned n = d.size;
    bool go;

    if (mmu_of(d.cpu)->n_watches && mmu_watched(d.cpu, d.va, d.size, d.how))
        return stop(&d, CPU_STOP_DEBUG);
    if (!both_pages(&d, &go) || !go)
        return go;
    d.size = 1;
    for (unsigned i = 0; i < n; i++) {
        union ir_u b = { .d = { v->b[i], 0 } };

        d.va = first + i;
        if (!find(&d) || !(d.how == MMU_READ ? load_page(&d, &b) : store_page(&d, &b)))
            return false;
        if (d.how == MMU_READ)
            v->b[i] = b.b[0];
    }
    return true;
}

static bool ordered(unsigned memop)
{
    return memop >> IR_MEM_ORDER_SHIFT & IR_ACQ_REL;
}

bool mmu_load(struct cpu *cpu, uint64_t va, unsigned memop, unsigned regime, union ir_u *value)
{
    struct doing d = { cpu, va, 1u << (memop & IR_MEM_SIZE), regime, MMU_READ, NULL, ordered(memop) };
    bool go;

    *value = (union ir_u){ .d = { 0, 0 } };
    if (ir_mem_aligned(memop) && va % 16)
        return stop(&d, CPU_STOP_ALIGN);
    if (crosses(&d))
        return cross(d, value);
    if (!begin(&d, &go))
        return false;
    return !go || load_page(&d, value);
}

bool mmu_store(struct cpu *cpu, uint64_t va, unsigned memop, unsigned regime, const union ir_u *value)
{
    struct doing d = { cpu, va, 1u << (memop & IR_MEM_SIZE), regime, MMU_WRITE, NULL, ordered(memop) };
    union ir_u v = *value;
    bool go;

    if (ir_mem_aligned(memop) && va % 16)
        return stop(&d, CPU_STOP_ALIGN);
    if (crosses(&d))
        return cross(d, &v);
    if (!begin(&d, &go))
        return false;
    return !go || store_page(&d, &v);
}

bool mmu_writable(struct cpu *cpu, uint64_t va, unsigned regime)
{
    struct doing d = { cpu, va, 1, regime, MMU_WRITE, NULL, false };

    return find(&d);
}

/* --- Atomics of guests that may have them anywhere (guest_system.locks) --- */

enum { LINE = 64 };

/* The host is not asked for these: to it, locking the bus is an offence. */
static bool in_two_lines(const struct doing *d)
{
    return d->va % LINE + d->size > LINE;
}

static bool is_only(const struct cpu *cpu)
{
    return cpu->alone || (cpu->engine->cpus == cpu && !cpu->next);
}

/* Reads, computes, writes; nobody else does meanwhile. */
static bool by_parts(struct doing *d, enum ir_opcode op, unsigned memop, const union ir_u *a, const union ir_u *b, union ir_u *old)
{
    union ir_u v = { .d = { 0, 0 } };
    bool go;

    if (crosses(d) ? !both_pages(d, &go) || !go : !find(d))
        return false;
    d->how = MMU_READ;
    if (crosses(d) ? !cross(*d, &v) : !find(d) || !load_page(d, &v))
        return false;
    if (interp_atomic_at(d->cpu, op, (uint64_t)(uintptr_t)&v, memop, a, b, old) < 0)
        return false;
    d->how = MMU_WRITE;
    return crosses(d) ? cross(*d, &v) : find(d) && store_page(d, &v);
}

/* False with CPU_STOP_NONE: the interpreter will come back with it, alone. */
static bool atomic_alone(struct doing *d, enum ir_opcode op, unsigned memop, const union ir_u *a, const union ir_u *b, union ir_u *old)
{
    if (is_only(d->cpu))
        return by_parts(d, op, memop, a, b, old);
    d->cpu->wants_alone = d->cpu->odd = true;
    d->cpu->stop = CPU_STOP_NONE;
    return false;
}

/* Registers, and memory that cannot be written: under the lock that accesses to registers take. */
static bool atomic_io(struct doing *d, enum ir_opcode op, unsigned memop, const union ir_u *a, const union ir_u *b, union ir_u *old)
{
    struct machine *m = mmu_of(d->cpu)->machine;
    bool ok;

    machine_lock(m);
    ok = by_parts(d, op, memop, a, b, old);
    machine_unlock(m);
    return ok;
}

bool mmu_atomic(struct cpu *cpu, enum ir_opcode op, uint64_t va, unsigned memop, unsigned regime, const union ir_u *a,
                const union ir_u *b, union ir_u *old)
{
    struct doing d = { cpu, va, 1u << (memop & IR_MEM_SIZE), regime, MMU_WRITE, NULL, true };
    struct mem_hit hit;
    bool go;

    *old = (union ir_u){ .d = { 0, 0 } };
    if (!begin(&d, &go))
        return false;
    if (!go)
        return true;
    if (sys_of(cpu)->locks && in_two_lines(&d))
        return atomic_alone(&d, op, memop, a, b, old);
    if (!(d.e->page & MMU_R) || crosses(&d)) { /* the read faults on its own, or comes with what it needs */
        d.how = MMU_READ;
        if (!find(&d))
            return false;
        d.how = MMU_WRITE;
        if (crosses(&d))
            return bad(&d, true);
    }
    if (!(d.e->page & MMU_E_RAM) || !mmu_ram(cpu, pa_of(d.e, va), &hit) || !hit.writable)
        return sys_of(cpu)->locks ? atomic_io(&d, op, memop, a, b, old) : bad(&d, false);
    if (interp_atomic_at(cpu, op, (uint64_t)(uintptr_t)host_of(&d), memop, a, b, old) < 0)
        return bad(&d, false);
    if (d.e->write & (MMU_PAGE - 1)) {
        ram_written(mmu_of(cpu)->machine, hit.ram, hit.ram_off, d.size);
        if (!(d.e->read & (MMU_PAGE - 1)) && (d.e->page & MMU_W))
            mmu_settle_write(d.e, &hit.ram->dirty[hit.ram_off >> RAM_PAGE_BITS]);
    }
    return true;
}

/* --- Code that changes itself --- */

/* One end of a store: does it lie in the page of @code_at, where there may be translations?  Looks it up as the store will; *@ok:
 * it can be made there. */
static bool in_code(struct cpu *cpu, uint64_t code_at, uint64_t va, unsigned regime, bool *ok)
{
    const struct mmu_entry *e = mmu_find(cpu, va, MMU_WRITE, regime);
    struct mem_hit hit;
    uint64_t at;

    *ok = e;
    if (!e || !(e->write & (MMU_PAGE - 1)) || !(e->page & MMU_E_RAM) || !mmu_ram(cpu, pa_of(e, va), &hit) || !hit.writable)
        return false;
    at = hit.ram->offset + hit.ram_off;
    return !((code_at ^ at) & MMU_PAGE_MASK) && engine_marked(cpu->engine, at, 1);
}

bool mmu_own_code(struct cpu *cpu, uint64_t code_at, uint64_t va, unsigned memop, unsigned regime)
{
    uint64_t last = va + (1u << (memop & IR_MEM_SIZE)) - 1;
    bool ok;

    if (!sys_of(cpu)->own_code || cpu->by_itself)
        return false;
    if (!in_code(cpu, code_at, va, regime, &ok) && (!ok || last == va || !in_code(cpu, code_at, last, regime, &ok)))
        return false;
    cpu->odd = true;
    cpu->stop = CPU_STOP_NONE;
    return true;
}

/* --- Debuggers --- */

bool mmu_debug_walk(struct cpu *cpu, uint64_t va, uint64_t *pa)
{
    struct mmu_page p = { 0 };

    if (sys_of(cpu)->walk(cpu, va, MMU_READ, sys_of(cpu)->regime(cpu->mode, false), true, &p) < 0)
        return false;
    *pa = p.pa;
    return true;
}

static size_t debug_copy(struct cpu *cpu, uint64_t va, void *buf, size_t len, bool write)
{
    struct space *s = mmu_of(cpu)->space;
    struct access a = { .who = mmu_of(cpu)->who, .debug = true };
    size_t done = 0;
    uint64_t pa;

    while (done < len && mmu_debug_walk(cpu, va + done, &pa)) {
        size_t n = MMU_PAGE - (va + done) % MMU_PAGE;
        uint8_t *p = (uint8_t *)buf + done;

        if (n > len - done)
            n = len - done;
        if ((write ? space_write(s, pa, p, n, a) : space_read(s, pa, p, n, a)) < 0)
            break;
        done += n;
    }
    return done;
}

size_t mmu_read(struct cpu *cpu, uint64_t va, void *buf, size_t len)
{
    return debug_copy(cpu, va, buf, len, false);
}

size_t mmu_write(struct cpu *cpu, uint64_t va, const void *buf, size_t len)
{
    return debug_copy(cpu, va, (void *)(uintptr_t)buf, len, true);
}
