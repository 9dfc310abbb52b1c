/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of toy.h with a system level, in a machine: translated memory, a device, modes with translations of their own.
 *
 * Its loads and stores come in all sizes, as vectors and as atomics; patch writes code as any store does.  Addresses are those of
 * toy.h; the data is four pages, of which the last is a device.  The page table is an array of the test's.
 */
#ifndef TESTS_UNIT_CPU_TOYSYS_H
#define TESTS_UNIT_CPU_TOYSYS_H

#include "bus/machine.h"
#include "cpu/mmu.h"
#include "cpu/vcpu.h"
#include "tests/unit/cpu/agree.h"

#include <errno.h>

enum {
    TSYS_RAM_AT = 0x40000000,
    TSYS_RAM = 4 << 20,
    TSYS_DEV_AT = 0x10000000,
    TSYS_DATA = 4, /* pages, the last is the device */
    TSYS_PAGES = 128,
};

/* A mapping; the first that fits is taken. */
struct tsys_map {
    uint64_t va, len, pa;
    uint8_t prot;
    bool device, global;
    uint64_t block;   /* 0: pages */
    uint64_t context; /* when not global */
};

/* One machine with CPUs.  What the CPU's guest keeps in its state is found by its memory's index. */
struct tsys {
    struct machine *m;
    struct ram *ram;
    struct mem ram_mem, dev_mem;
    uint64_t dev[512];
    unsigned dev_reads, dev_writes;
    bool dev_waits, dev_waiting; /* [atomic] reads take until the first is false; the second: one does */
    struct tsys_map map[64];
    unsigned n_maps;
    struct engine *e;
    struct cpu *cpu[4];
    uint64_t context;
    bool contexts; /* the mode instruction changes it: 0 or 1 */
    bool endless; /* there is fuel for ever: all of it is one page */
    unsigned n_remaps;
    uint64_t rounds; /* as a test has seen them */
    /* of the last fault */
    uint64_t fault_va;
    int fault_access, fault_bad; /* bad: 0 no page, 1 misaligned, 2 nothing answers */
    unsigned n_walks;
    enum cpu_stop stopped; /* [atomic] */
    unsigned n_stopped;
    bool wake; /* [atomic] */
};

static struct tsys *tsys_all[8];
static unsigned tsys_n;

static inline struct tsys *tsys_of(const struct cpu *cpu)
{
    for (unsigned i = 0; i < tsys_n; i++)
        if (tsys_all[i]->e == cpu->engine)
            return tsys_all[i];
    bug("a CPU of no machine");
}

/* --- The system level --- */

static inline unsigned tsys_regime(uint32_t mode, bool unpriv)
{
    return mode & 1 && !unpriv;
}

static inline unsigned tsys_fetch_regime(uint32_t mode)
{
    return mode & 1;
}

static inline int tsys_fault(struct tsys *t, uint64_t va, int access, int bad)
{
    t->fault_va = va;
    t->fault_access = access;
    t->fault_bad = bad;
    return -EFAULT;
}

static inline int tsys_walk(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool debug,
                            struct mmu_page *p)
{
    struct tsys *t = tsys_of(cpu);

    __atomic_fetch_add(&t->n_walks, !debug, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < t->n_maps; i++) {
        const struct tsys_map *m = &t->map[i];

        if (va - m->va >= m->len || (!m->global && m->context != t->context))
            continue;
        if (!debug && !(m->prot >> access & 1))
            break;
        *p = (struct mmu_page){ .pa = __atomic_load_n(&m->pa, __ATOMIC_SEQ_CST) +
                                      (t->endless && m->va == TOY_FUEL_AT ? va % 4096 : va - m->va), .size = m->block ? m->block : 4096, .prot = m->prot,
                                .device = m->device, .global = m->global };
        return 0;
    }
    return debug ? -EFAULT : tsys_fault(t, va, access, 0);
}

static inline bool tsys_bad_access(struct cpu *cpu, uint64_t va, uint64_t pa, enum mmu_access access, unsigned regime,
                                   bool misaligned)
{
    tsys_fault(tsys_of(cpu), va, access, misaligned ? 1 : 2);
    return true;
}

/* Modes from 8 on mind. */
static inline bool tsys_aligned(uint32_t mode, unsigned regime, unsigned size)
{
    return mode & 8;
}

static inline enum vcpu_next tsys_stopped(struct cpu *cpu, enum cpu_stop stop)
{
    struct tsys *t = tsys_of(cpu);

    t->stopped = stop;
    __atomic_add_fetch(&t->n_stopped, 1, __ATOMIC_SEQ_CST);
    if (stop == CPU_STOP_SYSCALL) { /* goes on; with a detail: sleeps first */
        return cpu->detail ? VCPU_SLEEP : VCPU_GO;
    }
    return VCPU_OFF;
}

static inline void tsys_interrupt(struct cpu *cpu)
{
}

static inline bool tsys_awake(struct cpu *cpu)
{
    return __atomic_load_n(&tsys_of(cpu)->wake, __ATOMIC_SEQ_CST);
}

static const struct guest_system tsys_system = {
    .n_regimes = 2,
    .regime = tsys_regime,
    .fetch_regime = tsys_fetch_regime,
    .walk = tsys_walk,
    .bad_access = tsys_bad_access,
    .aligned = tsys_aligned,
    .stopped = tsys_stopped,
    .interrupt = tsys_interrupt,
    .awake = tsys_awake,
};

/* --- The guest --- */

static inline uint64_t tsys_patch(struct cpu *cpu, uint64_t to, uint64_t from, uint64_t next)
{
    unsigned regime = tsys_regime(cpu->mode, false);
    union ir_u v;

    if (!mmu_load(cpu, toy_at((unsigned)(from % TOY_WORDS)), 2, regime, &v) ||
        !mmu_store(cpu, toy_at((unsigned)(to % TOY_WORDS)), 2, regime, &v))
        bug("no code");
    return next;
}

/* Another address space, too. */
static inline uint64_t tsys_mode(struct cpu *cpu, uint64_t mode, uint64_t next, uint64_t c)
{
    struct tsys *t = tsys_of(cpu);

    if (t->contexts) {
        t->context = mode >> 4 & 1;
        mmu_set_context(cpu, 3, t->context);
    }
    return toy_mode(cpu, mode, next, c);
}

static inline void tsys_set_d(struct ir *ir, unsigned n, ir_val v)
{
    ir_set(ir, TOY_D + n % 8, v);
}

/* Sizes, signs, vectors, and now and then an access as an unprivileged one. */
static inline void tsys_load(struct ir *ir, struct toy_insn i, ir_val addr)
{
    uint64_t memop = ir_mem(i.c % 4, i.c & 4, i.c & 8 ? IR_ACQUIRE : IR_RELAXED) | (i.c % 16 == 9 ? IR_MEM_UNPRIV : 0);
    ir_val v;

    if (i.c % 32 == 31) {
        v = ir_load(ir, IR_V128, ir_mem(4, false, IR_RELAXED), addr);
        tsys_set_d(ir, i.a, ir_op(ir, IRO_vget, IR_I64, 3, 1, v, IR_NONE, IR_NONE));
        return;
    }
    toy_set(ir, i.a, ir_load(ir, IR_I64, memop, addr));
}

static inline ir_val tsys_narrow(struct ir *ir, unsigned log2_size, ir_val v)
{
    static const uint8_t type[] = { IR_I8, IR_I16, IR_I32, IR_I64 };

    return log2_size == 3 ? v : ir_conv(ir, IRO_trunc, type[log2_size], v);
}

static inline void tsys_store(struct ir *ir, struct toy_insn i, ir_val addr)
{
    static const uint16_t op[] = { IRO_xchg, IRO_fadda, IRO_fanda, IRO_fora, IRO_fxora, IRO_fsmaxa, IRO_fsmina,
                                   IRO_fumaxa, IRO_fumina, IRO_cas };
    static const uint8_t type[] = { IR_I8, IR_I16, IR_I32, IR_I64 };
    unsigned size = i.c % 4, o = i.c >> 3;
    uint64_t memop = ir_mem(size, false, i.c & 4 ? IR_RELEASE : IR_RELAXED);
    ir_val v = toy_x(ir, i.a);

    if (o >= 22) {
        ir_store(ir, memop, addr, tsys_narrow(ir, size, v));
        return;
    }
    if (o >= 20) {
        v = ir_load(ir, IR_V128, ir_mem(4, false, IR_RELAXED), addr);
        ir_store(ir, ir_mem(4, false, IR_RELAXED), ir_add_imm(ir, addr, o == 20 ? 16 : 4090), v);
        return;
    }
    if (o >= 10) {
        ir_store(ir, memop, addr, ir_const(ir, type[size], i.c * 0x0101010101010101ull & ir_mask(type[size])));
        return;
    }
    addr = ir_and_imm(ir, addr, ~15ull);
    v = tsys_narrow(ir, size, v);
    v = ir_atomic(ir, op[o], type[size], memop, addr, v, o == 9 ? tsys_narrow(ir, size, toy_x(ir, i.b + 1u)) : IR_NONE);
    if (size < 3)
        v = ir_conv(ir, IRO_zext, IR_I64, v);
    toy_set(ir, i.a, v);
}

static inline void tsys_lift_one(struct ir *ir, struct toy_insn i, uint64_t pc, uint32_t mode)
{
    ir_val near = ir_and_imm(ir, toy_x(ir, i.b), i.land & 1 ? 0x37ff : 0x37f8);

    ir_at(ir, pc);
    if (i.op == TOY_LOAD)
        tsys_load(ir, i, ir_add(ir, ir_get(ir, TOY_BASE), ir_add_imm(ir, near, i.c)));
    else if (i.op == TOY_STORE)
        tsys_store(ir, i, ir_add(ir, ir_get(ir, TOY_BASE), near));
    else
        toy_lift_one(ir, i, pc, mode);
}

static inline uint32_t tsys_lift(struct ir *ir, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail,
                                 uint64_t end, unsigned limit)
{
    uint32_t done = 0;

    for (; !ir_ended(ir); done += 4) {
        if (limit-- == 0 || pc + done == end || avail - done < 4) {
            ir_goto(ir, pc + done);
            break;
        }
        tsys_lift_one(ir, toy_decode(code + done), pc + done, mode);
    }
    return done;
}

static const struct ir_helper tsys_helpers[] = {
    [TOY_HELP_MODE] = { "mode", (void *)tsys_mode, true },
    [TOY_HELP_PATCH] = { "patch", (void *)tsys_patch, true },
};

static inline struct guest_isa *tsys_isa(void)
{
    static struct guest_isa isa;

    isa = toy_isa;
    isa.name = "toy system";
    isa.helpers = tsys_helpers;
    isa.lift = tsys_lift;
    isa.system = &tsys_system;
    return &isa;
}

/* --- The machine --- */

static inline uint64_t tsys_dev_read(void *opaque, paddr off, struct access a)
{
    struct tsys *t = opaque;

    t->dev_reads++;
    while (__atomic_load_n(&t->dev_waits, __ATOMIC_SEQ_CST))
        __atomic_store_n(&t->dev_waiting, true, __ATOMIC_SEQ_CST);
    return t->dev[off / 8] >> 8 * (off % 8) ^ a.size;
}

static inline void tsys_dev_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct tsys *t = opaque;

    t->dev_writes++;
    t->dev[off / 8] ^= value + a.size + off;
}

static inline void tsys_map(struct tsys *t, struct tsys_map m)
{
    t->map[t->n_maps++] = m;
}

/* What toy.h's programs find, in pages that lie apart. */
static inline void tsys_usual_maps(struct tsys *t)
{
    uint64_t pa = TSYS_RAM_AT;

    t->n_maps = 0;
    tsys_map(t, (struct tsys_map){ TOY_CODE_AT, 4096, pa, 7, .global = true });
    for (unsigned i = 0; i < TSYS_DATA - 1; i++)
        tsys_map(t, (struct tsys_map){ TOY_DATA_AT + 4096 * i, 4096, pa + 4096 * (2 + 3 * (2 - i)), 3, .global = true });
    tsys_map(t, (struct tsys_map){ TOY_DATA_AT + 4096 * (TSYS_DATA - 1), 4096, TSYS_DEV_AT, 3, .device = true, .global = true });
    tsys_map(t, (struct tsys_map){ TOY_STACK_AT, TOY_STACK, pa + (1 << 20), 3, .global = true });
    tsys_map(t, (struct tsys_map){ TOY_FUEL_AT, TOY_FUEL, pa + (2 << 20), 3, .global = true, .block = 1 << 18 });
}

static inline struct tsys *tsys_new(const struct engine_conf *conf, unsigned n_cpus)
{
    static const struct dev_type *const no_types[] = { NULL };
    static const struct mmio_ops ops = { .read = tsys_dev_read, .write = tsys_dev_write };
    struct tsys *t = calloc(1, sizeof(*t));
    struct err e = { 0 };

    t->m = machine_new(no_types, NULL);
    t->ram = ram_new(t->m, "ram", TSYS_RAM, &e);
    mem_init_ram(&t->ram_mem, "ram", t->ram, 0, TSYS_RAM);
    mem_init_mmio(&t->dev_mem, "dev", 4096, &ops, t);
    machine_lock(t->m);
    mem_add(machine_mem(t->m), TSYS_RAM_AT, &t->ram_mem, 0);
    mem_add(machine_mem(t->m), TSYS_DEV_AT, &t->dev_mem, 0);
    machine_unlock(t->m);
    t->e = engine_new(tsys_isa(), conf);
    tsys_all[tsys_n++] = t;
    tsys_usual_maps(t);
    for (unsigned i = 0; i < n_cpus; i++)
        t->cpu[i] = cpu_new(tsys_isa(), t->e);
    return t;
}

/* Host memory of a guest address, as the page table has it. */
static inline uint8_t *tsys_host(const struct tsys *t, uint64_t va)
{
    for (unsigned i = 0; i < t->n_maps; i++)
        if (va - t->map[i].va < t->map[i].len && !t->map[i].device)
            return t->ram->host + (t->map[i].pa - TSYS_RAM_AT) + (va - t->map[i].va);
    bug("no memory at %#llx", (unsigned long long)va);
}

/* As a device writes it. */
static inline void tsys_dma(struct tsys *t, uint64_t va, const void *src, size_t len)
{
    uint8_t *p = tsys_host(t, va);

    memcpy(p, src, len);
    ram_written(t->m, t->ram, (uint64_t)(p - t->ram->host), len);
}

#endif
