/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as a machine's CPU sees it: translation caches that translated code looks up in line, and
 * the slow path behind them.  (Programs of emu-user have none of this: their memory is the host's.)
 *
 * A *regime* is one way to translate: the page tables in force for a privilege level.  The mode says which one loads and
 * stores use; IR_MEM_UNPRIV accesses use the unprivileged one.  The guest ISA numbers them, 0 .. MMU_REGIMES-1.
 *
 * Threads: everything here is of the CPU's own thread.  While the machine is stopped or a CPU is away from guest code, the debugging
 * functions may be called for it by vcpu_call.
 */
#ifndef CPU_MMU_H
#define CPU_MMU_H

#include "cpu/cpu.h"

enum mmu_access { MMU_READ, MMU_WRITE, MMU_FETCH };
enum { MMU_R = 1, MMU_W = 2, MMU_X = 4 }; /* struct mmu_page.prot */

/** struct mmu_page - what a walk has found. */
struct mmu_page {
    uint64_t pa; /* of the address asked for */
    uint64_t
        size; /* of the block or page it lies in, a power of two: flushing an address in it drops all of it */
    uint8_t
        prot; /* what this regime may do there without another walk (dirty and access flags are settled) */
    bool device; /* no reordering, no misaligned access: registers, not memory */
    bool global; /* in force whatever the context (ASID) */
    bool secure;
    bool guarded; /* branch targets are checked (BTI) */
    bool once;    /* each access is to be walked anew: a watchpoint of the guest's is near */
};

struct machine;
struct mem_hit;
struct space;

/** mmu_ram - space_find for guest-physical @pa, RAM or ROM only; what was found last is remembered. */
bool mmu_ram(struct cpu *cpu, uint64_t pa, struct mem_hit *hit);

/** mmu_attach - @cpu, whose ISA has a system level, becomes number @index of @m: from now on its memory is what @m's
 * system address space shows.  Before it first runs (vcpu_new does it).  0 or -ENOMEM. */
int mmu_attach(struct cpu *cpu, struct machine *m, unsigned index);
void mmu_detach(struct cpu *cpu);
/** mmu_set_space - what @cpu sees from now on: the system's address space, or another one of the same RAM (system management
 * mode).  On the CPU's thread. */
void mmu_set_space(struct cpu *cpu, struct space *s);
/** mmu_watch_space - @s may become a CPU's: from now on CPUs forget what it showed when it changes. */
void mmu_watch_space(struct cpu *cpu, struct space *s);

/**
 * mmu_flush - forget what @regimes (bits 1 << regime) say of [va, va + size); size 0: everything.
 * @globals: the global ones, too.
 */
void mmu_flush(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals);
/** mmu_flush_all - mmu_flush on every CPU of the machine: asked for here; on the others it is done at the latest when
 * mmu_sync() returns. */
void mmu_flush_all(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals);
void mmu_sync(struct cpu *cpu);
/** mmu_set_context - another address space (ASID, VMID) for @regimes: what is not global and was found in another context is not
 * used.  What is equal in @context must be the same mapping, until flushed (also when it is not the one in force:
 * a flush of an address or of everything drops it in all contexts). */
void mmu_set_context(struct cpu *cpu, unsigned regimes, uint64_t context);

/**
 * mmu_load, mmu_store - one access of 1 << (memop & IR_MEM_SIZE) bytes as translated code would do it: faults, MMIO and
 * crossing pages included.  False: cpu->stop and the guest's fault record are set (guest_system.walk did).
 */
bool mmu_load(struct cpu *cpu, uint64_t va, unsigned memop, unsigned regime, union ir_u *value);
bool mmu_store(struct cpu *cpu, uint64_t va, unsigned memop, unsigned regime,
               const union ir_u *value);
/** mmu_host - where the byte at @va is in our memory, good up to the end of its page, for loads or stores of the present mode, as translated
 * code would find it in line; NULL: it would go the slow way.  Good until the helper that asked returns. */
void *mmu_host(struct cpu *cpu, uint64_t va, bool write);
/** mmu_read, mmu_write - for debuggers and the monitor: no faults, no side effects; number of bytes done. */
size_t mmu_read(struct cpu *cpu, uint64_t va, void *buf, size_t len);
size_t mmu_write(struct cpu *cpu, uint64_t va, const void *buf, size_t len);
/** mmu_debug_walk - the guest-physical address of @va as the CPU's present mode sees it; false: not mapped. */
bool mmu_debug_walk(struct cpu *cpu, uint64_t va, uint64_t *pa);
/** mmu_watch - a debugger's watchpoint: what accesses one of the bytes in a way of @prot (MMU_R, MMU_W) stops before it does
 * with CPU_STOP_DEBUG, fault_addr and fault_write say what.  -ENOSPC: too many. */
int mmu_watch(struct cpu *cpu, uint64_t va, uint64_t len, unsigned prot);
/** mmu_unwatch - false: there was none like this. */
bool mmu_unwatch(struct cpu *cpu, uint64_t va, uint64_t len, unsigned prot);

#endif
