/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flushes asked of other CPUs.  A request is noted and the CPU kicked; it does what is asked before it next runs
 * guest code.  Who must know waits (mmu_sync) until each has done it or is outside of guest code.
 */
#include "cpu/mmu_priv.h"

#include <sched.h>

/* Seen by the CPU when it next goes inside, or it is seen to be inside by mmu_sync(): both look after they have written. */
static void tell_locked(struct cpu *cpu)
{
    struct mmu *u = mmu_of(cpu);

    __atomic_store_n(&u->asked, u->asked + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&cpu->asked, true, __ATOMIC_SEQ_CST);
}

static void kick(struct cpu *cpu)
{
    if (__atomic_load_n(&cpu->in_code, __ATOMIC_SEQ_CST))
        cpu_kick(cpu);
}

static void ask(struct cpu *cpu, struct mmu_ask a)
{
    struct mmu *u = mmu_of(cpu);

    pthread_mutex_lock(&u->lock);
    if (u->n_asks == MMU_ASKS) {
        u->n_asks = 0;
        a = (struct mmu_ask){ .regimes = ~0u, .globals = true };
    }
    u->ask[u->n_asks++] = a;
    tell_locked(cpu);
    pthread_mutex_unlock(&u->lock);
    kick(cpu);
}

void mmu_ask_pass(struct cpu *cpu)
{
    struct mmu *u = mmu_of(cpu);

    pthread_mutex_lock(&u->lock);
    tell_locked(cpu);
    __atomic_store_n(&u->slowed, u->asked, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&u->lock);
    kick(cpu);
}

void mmu_serve(struct cpu *cpu)
{
    struct mmu *u = mmu_of(cpu);
    struct mmu_ask todo[MMU_ASKS];
    unsigned n;
    uint64_t number;

    pthread_mutex_lock(&u->lock);
    n = u->n_asks;
    for (unsigned i = 0; i < n; i++)
        todo[i] = u->ask[i];
    u->n_asks = 0;
    number = u->asked;
    __atomic_store_n(&cpu->asked, false, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&u->lock);
    for (unsigned i = 0; i < n; i++)
        mmu_flush(cpu, todo[i].regimes, todo[i].va, todo[i].size, todo[i].globals);
    __atomic_store_n(&u->done, number, __ATOMIC_SEQ_CST);
}

void mmu_flush_all(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals)
{
    mmu_flush(cpu, regimes, va, size, globals);
    for (struct cpu *c = __atomic_load_n(&cpu->engine->cpus, __ATOMIC_ACQUIRE); c; c = c->next)
        if (c != cpu && c->mmu)
            ask(c, (struct mmu_ask){ regimes, va, size, globals });
}

static bool owes(const struct cpu *c, uint64_t number)
{
    return __atomic_load_n(&c->mmu->done, __ATOMIC_SEQ_CST) < number &&
           __atomic_load_n(&c->in_code, __ATOMIC_SEQ_CST);
}

bool mmu_writes_on(const struct cpu *cpu)
{
    return owes(cpu, __atomic_load_n(&cpu->mmu->slowed, __ATOMIC_SEQ_CST));
}

static void wait_for(struct cpu *self, struct cpu *c)
{
    uint64_t number = __atomic_load_n(&c->mmu->asked, __ATOMIC_SEQ_CST);

    for (unsigned n = 0; owes(c, number); n++) {
        if (__atomic_load_n(&self->asked, __ATOMIC_SEQ_CST)) /* it may be waiting for us */
            mmu_serve(self);
        if (n < 200)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
}

void mmu_sync(struct cpu *cpu)
{
    for (struct cpu *c = __atomic_load_n(&cpu->engine->cpus, __ATOMIC_ACQUIRE); c; c = c->next)
        if (c != cpu && c->mmu)
            wait_for(cpu, c);
}

void mmu_space_changed(void *engine)
{
    struct engine *e = engine;

    for (struct cpu *c = __atomic_load_n(&e->cpus, __ATOMIC_ACQUIRE); c; c = c->next) {
        if (!c->mmu)
            continue;
        if (c == cpu_self)
            mmu_flush(c, ~0u, 0, 0, true);
        else
            ask(c, (struct mmu_ask){ .regimes = ~0u, .globals = true });
    }
}
