/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine's CPU keeps for each mode of its code: the jump caches and the shadow stack of struct cpu_mode.
 *
 * A system call and its return change the mode and empty nothing.  A flushed translation of addresses empties what was filled from
 * its pages; a mode that is entered in another context than the last time, what was filled from pages that are not global.
 */
#include "cpu/engine.h"
#include "cpu/vcpu.h"

#include <string.h>

enum { PAGE_BITS = 12, LAST = CPU_MODES - 1 };

static void empty(struct cpu_jc *jc, unsigned i)
{
    __atomic_store_n(&jc[i].pc, cpu_jc_empty(i), __ATOMIC_RELEASE);
}

unsigned mode_number(struct engine *e, uint32_t mode)
{
    unsigned i, n = __atomic_load_n(&e->n_modes, __ATOMIC_ACQUIRE);

    for (i = 0; i < n; i++)
        if (e->modes[i] == mode)
            return i;
    if (n == LAST)
        return LAST;
    pthread_mutex_lock(&e->modes_lock);
    for (i = 0; i < e->n_modes && e->modes[i] != mode; i++)
        ;
    if (i == e->n_modes && i < LAST) {
        e->modes[i] = mode;
        __atomic_store_n(&e->n_modes, i + 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&e->modes_lock);
    return i;
}

/* Modes of the CPU from here on have never been entered. */
static unsigned end_of_modes(const struct cpu *cpu)
{
    unsigned n = __atomic_load_n(&cpu->engine->n_modes, __ATOMIC_ACQUIRE);

    return n == LAST ? CPU_MODES : n;
}

/* --- Emptying --- */

static void clear(struct cpu_mode *m)
{
    for (unsigned w = 0; w < sizeof(m->used) / sizeof(m->used[0]); w++)
        for (; m->used[w]; m->used[w] &= m->used[w] - 1) {
            unsigned first = (w * 64 + (unsigned)__builtin_ctzll(m->used[w])) << CPU_MODE_CHUNK_BITS;

            for (unsigned i = 0; i < 1u << CPU_MODE_CHUNK_BITS; i++)
                empty(m->jc, first + i);
        }
    for (unsigned k = 0; m->lands && k < IR_LANDINGS; k++)
        for (unsigned i = 0; i < 1u << CPU_MODE_LAND_BITS; i++)
            if (m->land[k][i].pc != cpu_jc_empty(i))
                empty(m->land[k], i);
    m->lands = false;
    memset(m->pages, 0, sizeof(m->pages));
    memset(m->large, 0, sizeof(m->large) + sizeof(m->large_end));
    m->local = false;
    m->forget = true;
}

static void forget_page(const struct guest_isa *isa, struct cpu_mode *m, uint64_t page)
{
    enum { MASK = (1 << CPU_MODE_JC_BITS) - 1 };
    unsigned bit = page >> PAGE_BITS & (CPU_MODE_PAGES - 1), first = page >> isa->pc_shift & MASK;

    if (!(m->pages[bit / 64] >> (bit % 64) & 1))
        return;
    for (unsigned i = 0; i < 1u << (PAGE_BITS - isa->pc_shift); i++)
        if (!((m->jc[first + i].pc ^ page) << 8 >> (8 + PAGE_BITS)))
            empty(m->jc, first + i);
    for (uint64_t pc = page - isa->longest; isa->length && pc != page; pc++) /* may reach into it */
        if (m->jc[pc & MASK].pc == pc)
            empty(m->jc, pc & MASK);
    for (unsigned k = 0; m->lands && k < IR_LANDINGS; k++)
        for (unsigned i = 0; i < 1u << CPU_MODE_LAND_BITS; i++)
            if (!((m->land[k][i].pc ^ page) << 8 >> (8 + PAGE_BITS)))
                empty(m->land[k], i);
    m->forget = true;
}

static bool near_large(const struct cpu_mode *m, uint64_t va, uint64_t size)
{
    unsigned half = va >> 55 & 1;
    uint64_t at = (uint64_t)((int64_t)(va << 8) >> 8);

    return m->large[half] != m->large_end[half] && at <= m->large_end[half] && at + size - 1 >= m->large[half];
}

static bool concerned(const struct cpu_mode *m, unsigned regimes)
{
    return m->taken && regimes >> m->regime & 1;
}

void modes_flush(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals)
{
    enum { MANY = 32 };

    for (unsigned i = 0; i < end_of_modes(cpu); i++) {
        struct cpu_mode *m = &cpu->modes[i];

        if (!concerned(m, regimes) || !(globals || m->local))
            continue;
        if (!size || size > (uint64_t)MANY << PAGE_BITS || near_large(m, va, size)) {
            clear(m);
            continue;
        }
        for (uint64_t page = va >> PAGE_BITS << PAGE_BITS; page - (va >> PAGE_BITS << PAGE_BITS) < size + (va & 4095);
             page += 1 << PAGE_BITS)
            forget_page(cpu->isa, m, page);
    }
}

void modes_forget(struct cpu *cpu, uint64_t pc)
{
    for (unsigned n = 0; n < end_of_modes(cpu); n++) {
        struct cpu_mode *m = &cpu->modes[n];
        unsigned i = pc >> cpu->isa->pc_shift & ((1u << CPU_MODE_JC_BITS) - 1);

        if (!__atomic_load_n(&m->taken, __ATOMIC_ACQUIRE)) /* then it is empty: what fills it looks whether the translation is dead */
            continue;
        if (__atomic_load_n(&m->jc[i].pc, __ATOMIC_RELAXED) == pc)
            empty(m->jc, i);
        i &= (1u << CPU_MODE_LAND_BITS) - 1;
        for (unsigned k = 0; k < IR_LANDINGS; k++)
            if (__atomic_load_n(&m->land[k][i].pc, __ATOMIC_RELAXED) == pc)
                empty(m->land[k], i);
    }
}

/* --- Filling --- */

static void note_page(struct cpu_mode *m, const struct code_page *page)
{
    unsigned bit = page->va >> PAGE_BITS & (CPU_MODE_PAGES - 1), half = page->va >> 55 & 1;
    uint64_t size = 1ull << page->log2_size, start = page->va & ~(size - 1);

    m->pages[bit / 64] |= 1ull << (bit % 64);
    m->local |= !page->global;
    if (page->log2_size <= PAGE_BITS)
        return;
    if (m->large[half] == m->large_end[half]) {
        m->large[half] = start;
        m->large_end[half] = start + size - 1;
    }
    if (start < m->large[half])
        m->large[half] = start;
    if (start + size - 1 > m->large_end[half])
        m->large_end[half] = start + size - 1;
}

struct cpu_jc *mode_entry(struct cpu *cpu, uint64_t pc, unsigned landing, unsigned *i)
{
    struct cpu_mode *m = cpu->at_work;

    note_page(m, cpu->here);
    if (cpu->there)
        note_page(m, cpu->there);
    if (landing) {
        m->lands = true;
        *i = pc >> cpu->isa->pc_shift & ((1u << CPU_MODE_LAND_BITS) - 1);
        return m->land[landing - 1];
    }
    *i = pc >> cpu->isa->pc_shift & ((1u << CPU_MODE_JC_BITS) - 1);
    m->used[(*i >> CPU_MODE_CHUNK_BITS) / 64] |= 1ull << ((*i >> CPU_MODE_CHUNK_BITS) % 64);
    return m->jc;
}

/* --- Entering --- */

static void take(struct cpu *cpu, struct cpu_mode *m)
{
    __atomic_store_n(&m->taken, true, __ATOMIC_RELEASE);
    m->mode = engine_key(cpu);
    m->regime = (uint8_t)cpu->isa->system->fetch_regime(cpu->mode);
    empty(m->jc, 0);
    for (unsigned k = 0; k < IR_LANDINGS; k++)
        empty(m->land[k], 0);
}

static void change(struct cpu *cpu, struct cpu_mode *m)
{
    if (!m->taken) {
        take(cpu, m);
    } else if (m->mode != engine_key(cpu)) { /* the last is shared */
        clear(m);
        take(cpu, m);
    }
    if (m == cpu->at_work)
        return;
    if (cpu->at_work)
        cpu->at_work->shadow = cpu->shadow;
    if (!m->shadow_map)
        jit_make_shadow(cpu, &m->shadow_map, &m->shadow_base);
    cpu->shadow_map = m->shadow_map;
    cpu->shadow_base = m->shadow_base;
    cpu->shadow = m->shadow ? m->shadow : m->shadow_base;
    cpu->at_work = m;
    cpu->mode_jc = m->jc;
}

void modes_enter(struct cpu *cpu)
{
    if (__atomic_load_n(&cpu->stale, __ATOMIC_ACQUIRE)) {
        cpu->stale = false;
        for (unsigned i = 0; i < end_of_modes(cpu); i++)
            if (cpu->modes[i].taken)
                clear(&cpu->modes[i]);
    }
    if (!cpu->at_work || cpu->at_work->mode != engine_key(cpu))
        change(cpu, &cpu->modes[mode_number(cpu->engine, engine_key(cpu))]);
    if (cpu->at_work->context != cpu->code_context) {
        if (cpu->at_work->local)
            clear(cpu->at_work);
        cpu->at_work->context = cpu->code_context;
    }
    if (cpu->forget_returns || cpu->at_work->forget || cpu->shadow > cpu->shadow_base) {
        cpu->forget_returns = false;
        cpu->at_work->forget = false;
        cpu->shadow = cpu->shadow_base;
    }
}
