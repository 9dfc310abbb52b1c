/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual CPUs: birth, death, attention, and the choice of engine.  Contract: cpu.h. */
#include "cpu/cpu.h"

#include "cpu/engine.h"
#include "cpu/fpmode.h"
#include "cpu/log.h"

#include <string.h>
#include <sys/mman.h>

__thread struct cpu *cpu_self __attribute__((tls_model("initial-exec")));

/* Programs, which may have little address space, do without a machine's tables. */
static size_t cpu_size(const struct guest_isa *isa)
{
    return isa->system ? sizeof(struct cpu) : offsetof(struct cpu, no_tlb);
}

/* Zeroed pages, touched as used: most programs need few entries of the jump cache. */
static struct cpu *cpu_alloc(const struct guest_isa *isa)
{
    void *p = mmap(NULL, cpu_size(isa), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static void cpu_link(struct cpu *cpu, struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    cpu->next = e->cpus;
    cpu->link = &e->cpus;
    if (cpu->next)
        cpu->next->link = &cpu->next;
    e->cpus = cpu;
    pthread_mutex_unlock(&e->lock);
}

struct cpu *cpu_new(const struct guest_isa *isa, struct engine *engine)
{
    struct cpu *cpu = cpu_alloc(isa);

    if (!cpu)
        return NULL;
    cpu->isa = isa;
    cpu->engine = engine;
    cpu->helpers = isa->helpers;
    jc_init(cpu);
    cpu->v_poll = (uintptr_t)&cpu->v_poll;
    isa->reset(cpu);
    cpu_link(cpu, engine);
    return cpu;
}

struct cpu *cpu_clone(const struct cpu *old)
{
    struct cpu *cpu = cpu_alloc(old->isa);

    if (!cpu)
        return NULL;
    memcpy(cpu, old, offsetof(struct cpu, jc));
    cpu->jc_filled = false;
    jc_init(cpu);
    cpu->attention = 0;
    cpu->v_poll = (uintptr_t)&cpu->v_poll;
    cpu->in_code = CPU_OUTSIDE;
    cpu->stop = CPU_STOP_NONE;
    cpu->owner = NULL;
    cpu->shadow_map = cpu->v_shadow_map = NULL;
    cpu->fp.flags = 0;
    memcpy(&cpu->fp, &old->fp, sizeof(cpu->fp));
    cpu_link(cpu, old->engine);
    return cpu;
}

void cpu_free(struct cpu *cpu)
{
    struct engine *e = cpu->engine;

    pthread_mutex_lock(&e->lock);
    *cpu->link = cpu->next;
    if (cpu->next)
        cpu->next->link = cpu->link;
    pthread_mutex_unlock(&e->lock);
    jit_fini_cpu(cpu);
    munmap(cpu, cpu_size(cpu->isa));
}

void cpu_kick(struct cpu *cpu)
{
    __atomic_store_n(&cpu->attention, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&cpu->v_poll, CPU_POLL_FAULTS, __ATOMIC_RELEASE);
}

/* Whatever was asked for before the kick is seen by whoever takes it. */
static bool take_attention(struct cpu *cpu)
{
    if (!__atomic_load_n(&cpu->attention, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&cpu->v_poll, (uintptr_t)&cpu->v_poll, __ATOMIC_SEQ_CST); /* a kick that comes now only makes it fault once more */
    return __atomic_load_n(&cpu->attention, __ATOMIC_RELAXED) &&
           __atomic_exchange_n(&cpu->attention, 0, __ATOMIC_ACQUIRE);
}

void cpu_go_inside(struct cpu *cpu, uint8_t how)
{
    for (;;) {
        __atomic_store_n(&cpu->in_code, how, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&cpu->asked, __ATOMIC_SEQ_CST))
            return;
        cpu_come_out(cpu);
        cpu->memory->serve(cpu);
    }
}

enum cpu_stop cpu_run(struct cpu *cpu)
{
    enum cpu_stop stop;

    cpu_self = cpu;
    if (take_attention(cpu))
        return CPU_STOP_ATTENTION;
    cpu->stop = CPU_STOP_NONE;
    if (cpu->engine->conf.kind == ENGINE_INTERP || cpu->single_step || cpu->guest_step)
        stop = interp_run(cpu, 0);
    else
        stop = jit_run(cpu);
    if (stop == CPU_STOP_ATTENTION)
        take_attention(cpu);
    log_stop(cpu, stop);
    return stop;
}
