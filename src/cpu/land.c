/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where indirect branches lead: the caches that translated code looks into, and the check of branches
 * that the guest allows to some targets only (ir_goto_land).
 *
 * Each sort of restricted branch has a cache of its own.  A target gets into it after it was checked for
 * that sort, and leaves it with its translation, so that translated code checks nothing.
 *
 * Where the guest restricts none and has idle slots that returns leave out, HOST_LAND_LIGHT's cache is for branches that would
 * leave them out, too: it holds targets that write them all before they read one.
 */
#include "cpu/engine.h"
#include "host/host.h"

/* Whoever forgets addresses in a CPU's caches may be another thread. */
static bool uses_landings(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->lands, __ATOMIC_ACQUIRE);
}

static void empty(struct cpu_jc *jc, unsigned i)
{
    __atomic_store_n(&jc[i].pc, cpu_jc_empty(i), __ATOMIC_RELEASE);
}

bool jc_light(const struct cpu *cpu)
{
    return cpu->isa->idle_returns && !cpu->memory;
}

static bool has_verbatim(const struct cpu *cpu)
{
    return cpu->isa->verbatim && !cpu->memory;
}

/* The first entry of each is the only one where an empty pc of 0 could match. */
void jc_init(struct cpu *cpu)
{
    if (jc_light(cpu))
        __atomic_store_n(&cpu->lands, true, __ATOMIC_RELEASE);
    empty(cpu->jc, 0);
    for (unsigned k = 0; uses_landings(cpu) && k < IR_LANDINGS; k++)
        empty(cpu->land[k], 0);
}

void cpu_use_landings(struct cpu *cpu)
{
    if (cpu->memory || uses_landings(cpu))
        return;
    for (unsigned k = 0; k < IR_LANDINGS; k++)
        empty(cpu->land[k], 0);
    __atomic_store_n(&cpu->lands, true, __ATOMIC_RELEASE);
}

static void clear(struct cpu_jc *jc, unsigned bits)
{
    for (unsigned i = 0; i < 1u << bits; i++)
        if (__atomic_load_n(&jc[i].pc, __ATOMIC_RELAXED) != cpu_jc_empty(i))
            empty(jc, i); /* pages that were never used stay so */
}

static void *unknown(const struct cpu *cpu)
{
    return cpu->entry_points[HOST_EP_V_MISS];
}

void jc_open_verbatim(struct cpu *cpu, uint64_t pc)
{
    enum { PAGE = 4096 / sizeof(void *) };
    void **p = &cpu->v_jc[host_verbatim_slot(pc) & ~(PAGE - 1)];

    for (unsigned i = 0; i < PAGE && !p[0]; i++)
        __atomic_store_n(&p[PAGE - 1 - i], unknown(cpu), __ATOMIC_RELEASE); /* the first one last */
}

static void **slot(struct cpu *cpu, uint64_t pc)
{
    return &cpu->v_jc[host_verbatim_slot(pc)];
}

static void clear_verbatim(struct cpu *cpu)
{
    for (unsigned i = 0; i < CPU_V_JC; i++)
        if (__atomic_load_n(&cpu->v_jc[i], __ATOMIC_RELAXED)) /* pages that were never used stay so */
            __atomic_store_n(&cpu->v_jc[i], unknown(cpu), __ATOMIC_RELEASE);
}

static void forget_verbatim(struct cpu *cpu, uint64_t pc)
{
    void **at = slot(cpu, pc);

    if (__atomic_load_n(at, __ATOMIC_RELAXED))
        __atomic_store_n(at, unknown(cpu), __ATOMIC_RELEASE);
}

void jc_clear(struct cpu *cpu)
{
    if (cpu->memory) { /* its own thread does it, before it enters */
        __atomic_store_n(&cpu->stale, true, __ATOMIC_RELEASE);
        return;
    }
    if (!__atomic_load_n(&cpu->jc_filled, __ATOMIC_SEQ_CST))
        return;
    clear(cpu->jc, CPU_JC_BITS);
    if (has_verbatim(cpu))
        clear_verbatim(cpu);
    for (unsigned k = 0; uses_landings(cpu) && k < IR_LANDINGS; k++)
        clear(cpu->land[k], CPU_LAND_BITS);
}

static void forget(const struct cpu *cpu, struct cpu_jc *jc, unsigned bits, uint64_t pc)
{
    unsigned i = pc >> cpu->isa->pc_shift & ((1u << bits) - 1);

    if (__atomic_load_n(&jc[i].pc, __ATOMIC_RELAXED) == pc)
        empty(jc, i);
}

void jc_forget(struct cpu *cpu, uint64_t pc)
{
    if (cpu->memory) {
        modes_forget(cpu, pc);
        return;
    }
    forget(cpu, cpu->jc, CPU_JC_BITS, pc);
    if (has_verbatim(cpu))
        forget_verbatim(cpu, pc);
    for (unsigned k = 0; uses_landings(cpu) && k < IR_LANDINGS; k++)
        forget(cpu, cpu->land[k], CPU_LAND_BITS, pc);
}

/* Before the entry: whoever clears and does not see this one sees to it that what is filled in is dead. */
static void note_filled(struct cpu *cpu)
{
    if (!__atomic_load_n(&cpu->jc_filled, __ATOMIC_RELAXED))
        __atomic_store_n(&cpu->jc_filled, true, __ATOMIC_SEQ_CST);
}

void jc_fill(struct cpu *cpu, uint64_t pc, unsigned landing, void *host, const bool *dead)
{
    unsigned i = pc >> cpu->isa->pc_shift & ((1u << (landing ? CPU_LAND_BITS : CPU_JC_BITS)) - 1);
    struct cpu_jc *jc = landing ? cpu->land[landing - 1] : cpu->jc;

    if (cpu->memory)
        jc = mode_entry(cpu, pc, landing, &i);
    else if (__atomic_load_n(&jc[i].pc, __ATOMIC_RELAXED) == pc && jc[i].host == host) /* as behind each system call */
        return;
    note_filled(cpu);
    empty(jc, i);
    jc[i].host = host;
    __atomic_store_n(&jc[i].pc, pc, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(dead, __ATOMIC_SEQ_CST)) /* jc_forget() may have looked before the entry was there */
        empty(jc, i);
}

void jc_fill_verbatim(struct cpu *cpu, uint64_t pc, void *host, const bool *dead)
{
    void **at = slot(cpu, pc);

    if (__atomic_load_n(at, __ATOMIC_RELAXED) == host)
        return;
    note_filled(cpu);
    jc_open_verbatim(cpu, pc);
    __atomic_store_n(at, host, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(dead, __ATOMIC_SEQ_CST))
        forget_verbatim(cpu, pc);
}

void cpu_set_mode(struct cpu *cpu, uint32_t mode)
{
    if (mode == cpu->mode)
        return;
    cpu->mode = mode;
    if (cpu->memory) { /* each mode has its own caches; this one's code is left at the next look */
        if (cpu->in_code == CPU_IN_CODE)
            cpu_kick(cpu);
        return;
    }
    jc_clear(cpu);
    cpu->forget_returns = true; /* expected returns are to code of the old mode */
}

/* Code that cannot be read is the fetch's business. */
static bool allowed(struct cpu *cpu)
{
    struct engine *e = cpu->engine;
    uint32_t mode = cpu->mode;
    const uint8_t *code;
    size_t avail;
    bool yes;

    if (cpu->memory && !cpu->memory->code(cpu))
        return true;
    engine_begin_read(e);
    avail = engine_fetch(e, cpu->pc, &code, &mode);
    yes = !avail || (e->isa->lands(mode, code, avail) >> cpu->landing & 1);
    engine_end_read(e);
    return yes;
}

bool land(struct cpu *cpu)
{
    if (!cpu->landing)
        return true;
    cpu_use_landings(cpu);
    return allowed(cpu);
}
