/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flushes asked of other CPUs.  A request is noted and the CPU kicked; it does what is asked before it next runs
 * guest code.  Who must know waits (mmu_sync) until each has done it or is outside of guest code.  Who is to be alone (mmu_alone) asks all
 * to come out, and holds a lock that they wait for.
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

static void wait_for_lone(struct cpu *cpu)
{
    struct engine *e = cpu->engine;
    struct cpu *lone = __atomic_load_n(&e->alone, __ATOMIC_SEQ_CST);

    if (!lone || lone == cpu)
        return;
    pthread_mutex_lock(&e->alone_lock);
    pthread_mutex_unlock(&e->alone_lock);
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
    wait_for_lone(cpu); /* after asked is cleared: who asks from then on is seen when we go inside */
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

static void end_alone(struct engine *e)
{
    __atomic_store_n(&e->alone, NULL, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&e->alone_lock);
}

/* False: @self has something to see to first; the other one may be waiting for just that. */
static bool wait_until_outside(const struct cpu *self, const struct cpu *c)
{
    for (unsigned n = 0; __atomic_load_n(&c->in_code, __ATOMIC_SEQ_CST); n++) {
        if (__atomic_load_n(&self->attention, __ATOMIC_RELAXED))
            return false;
        if (n < 200)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
    return true;
}

/* Each of the others is asked to come out, and waits in mmu_serve(). */
bool mmu_alone(struct cpu *cpu, bool on)
{
    struct engine *e = cpu->engine;

    cpu->alone = on;
    if (!on) {
        end_alone(e);
        return true;
    }
    pthread_mutex_lock(&e->alone_lock);
    __atomic_store_n(&e->alone, cpu, __ATOMIC_SEQ_CST);
    for (struct cpu *c = __atomic_load_n(&e->cpus, __ATOMIC_ACQUIRE); c; c = c->next)
        if (c != cpu && c->mmu)
            mmu_ask_pass(c);
    for (struct cpu *c = __atomic_load_n(&e->cpus, __ATOMIC_ACQUIRE); c; c = c->next)
        if (c != cpu && c->mmu && !wait_until_outside(cpu, c)) {
            cpu->alone = false;
            end_alone(e);
            return false;
        }
    return true;
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
