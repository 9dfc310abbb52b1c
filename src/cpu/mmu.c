/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translation caches: filling, flushing, contexts, and the CPU's tie to its machine.  Contract: mmu.h. */
#include "cpu/mmu_priv.h"

#include "host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned index_of(uint64_t va)
{
    return va >> RAM_PAGE_BITS & (MMU_ENTRIES - 1);
}

static void empty(struct mmu_entry *e)
{
    __atomic_store_n(&e->read, ~0ull, __ATOMIC_RELAXED);
    __atomic_store_n(&e->write, ~0ull, __ATOMIC_RELAXED);
}

static bool is_empty(const struct mmu_entry *e)
{
    return e->read == ~0ull;
}

static uint64_t block_size(const struct mmu_entry *e)
{
    return (uint64_t)MMU_PAGE << (e->page % MMU_PAGE >> MMU_E_SIZE_SHIFT);
}

/* --- Watchpoints --- */

bool mmu_watched(const struct cpu *cpu, uint64_t va, uint64_t len, enum mmu_access access)
{
    const struct mmu *u = mmu_of(cpu);

    for (unsigned i = 0; i < u->n_watches; i++) {
        const struct mmu_watch *w = &u->watch[i];

        if (w->prot >> access & 1 && (w->va - va < len || va - w->va < w->len))
            return true;
    }
    return false;
}

int mmu_watch(struct cpu *cpu, uint64_t va, uint64_t len, unsigned prot)
{
    struct mmu *u = mmu_of(cpu);

    if (u->n_watches == MMU_WATCHES)
        return -ENOSPC;
    u->watch[u->n_watches++] = (struct mmu_watch){ va, len, prot };
    mmu_flush(cpu, ~0u, 0, 0, true);
    return 0;
}

bool mmu_unwatch(struct cpu *cpu, uint64_t va, uint64_t len, unsigned prot)
{
    struct mmu *u = mmu_of(cpu);

    for (unsigned i = 0; i < u->n_watches; i++) {
        struct mmu_watch *w = &u->watch[i];

        if (w->va == va && w->len == len && w->prot == prot) {
            *w = u->watch[--u->n_watches];
            mmu_flush(cpu, ~0u, 0, 0, true);
            return true;
        }
    }
    return false;
}

/* --- Filling --- */

_Static_assert(offsetof(struct mmu_entry, read) == HOST_TLB_READ && offsetof(struct mmu_entry, write) == HOST_TLB_WRITE &&
               offsetof(struct mmu_entry, addend) == HOST_TLB_ADDEND &&
               sizeof(struct mmu_entry) == 1 << HOST_TLB_ENTRY_BITS && RAM_PAGE_BITS == HOST_PAGE_BITS,
               "translated code looks into it");

/* The other threads' look for pages whose writes are to be slow comes before or after this one: mmu_protect clears
 * the bit first and then looks, this writes the entry first and then looks at the bit. */
void mmu_settle_write(struct mmu_entry *e, const uint8_t *dirty)
{
    uint64_t page = e->read & MMU_PAGE_MASK;

    __atomic_store_n(&e->write, page, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(dirty, __ATOMIC_SEQ_CST) != RAM_ALL_DIRTY)
        __atomic_store_n(&e->write, page | MMU_SLOW, __ATOMIC_RELAXED);
}

static void note_large(struct mmu_table *t, uint64_t va, uint64_t size)
{
    unsigned half = va >> 55 & 1;
    uint64_t start = va & ~(size - 1);

    if (t->large[half] == t->large_end[half]) {
        t->large[half] = start;
        t->large_end[half] = start + size - 1;
        return;
    }
    if (start < t->large[half])
        t->large[half] = start;
    if (start + size - 1 > t->large_end[half])
        t->large_end[half] = start + size - 1;
}

static uint64_t flags_of(const struct mmu_page *p)
{
    unsigned log2_size = p->size > MMU_PAGE ? (unsigned)__builtin_ctzll(p->size) : RAM_PAGE_BITS;
    uint64_t size = log2_size - RAM_PAGE_BITS;

    return p->prot | (p->global ? MMU_E_GLOBAL : 0) | (p->device ? MMU_E_DEVICE : 0) |
           (p->secure ? MMU_E_SECURE : 0) | (size > 31 ? 31 : size) << MMU_E_SIZE_SHIFT;
}

bool mmu_ram(struct cpu *cpu, uint64_t pa, struct mem_hit *hit)
{
    struct mmu *u = mmu_of(cpu);
    uint64_t off = pa - u->ram_at;

    if (off >= u->ram.len) {
        if (!space_find(u->space, pa, hit) || !hit->host)
            return false;
        u->ram = *hit;
        u->ram_at = pa;
        return true;
    }
    *hit = u->ram;
    hit->off += off;
    hit->len -= off;
    hit->host += off;
    hit->ram_off += off;
    return true;
}

/* RAM that is memory to the guest, too, is reached by translated code. */
static void fill_ram(struct cpu *cpu, struct mmu_entry *e, uint64_t va, const struct mmu_page *p, bool slow)
{
    struct mem_hit hit;

    if (!mmu_ram(cpu, p->pa & MMU_PAGE_MASK, &hit) || hit.len < MMU_PAGE)
        return;
    __atomic_store_n(&e->addend, (uint64_t)(uintptr_t)hit.host - (va & MMU_PAGE_MASK), __ATOMIC_RELAXED); /* mmu_code.c reads it */
    e->page |= MMU_E_RAM;
    if (slow || p->device || !(p->prot & MMU_R))
        return;
    e->read &= MMU_PAGE_MASK;
    if ((p->prot & MMU_W) && hit.writable)
        mmu_settle_write(e, &hit.ram->dirty[hit.ram_off >> RAM_PAGE_BITS]);
}

static void scan(struct cpu *cpu, unsigned table, uint64_t va, uint64_t size, bool globals);

enum { TURNS = 32 };

/* Does the regime do what a second table is for? */
static void watch_turns(struct mmu *u, unsigned regime, uint64_t holds)
{
    uint64_t now = u->context[regime];

    if (now == u->before[regime] && (now ^ holds) == 1) {
        if (u->turns[regime] < TURNS)
            u->turns[regime]++;
        else
            u->paired |= 1u << regime;
    }
    u->before[regime] = holds;
}

/* The number of the table that holds what is in force. */
static unsigned take_context(struct cpu *cpu, unsigned regime)
{
    struct mmu *u = mmu_of(cpu);
    unsigned n = mmu_table_of(u, regime);
    struct mmu_table *t = &u->table[n];

    if (t->holds == u->context[regime])
        return n;
    if (!(u->paired >> regime & 1))
        watch_turns(u, regime, t->holds);
    t->holds = u->context[regime];
    if (t->local)
        scan(cpu, n, 0, 0, false);
    t->local = false;
    return n;
}

void mmu_settle(struct cpu *cpu)
{
    struct mmu *u = mmu_of(cpu);
    unsigned own = sys_of(cpu)->regime(cpu->mode, false), other = sys_of(cpu)->regime(cpu->mode, true);
    unsigned unpriv = mmu_table_of(u, other);

    cpu->table = (uint8_t)take_context(cpu, own);
    cpu->unpriv_tlb = u->table[unpriv].holds == u->context[other] ? cpu->tlb[unpriv] : cpu->no_tlb;
    u->settled = cpu->mode;
    u->unsettled = false;
}

static struct mmu_entry *fill(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime)
{
    struct mmu *u = mmu_of(cpu);
    unsigned i = index_of(va), n = mmu_table_of(u, regime);
    struct mmu_table *t = &u->table[n];
    struct mmu_entry *e = &cpu->tlb[n][i];
    uint64_t page = va & MMU_PAGE_MASK, *used = &t->used[i / MMU_CHUNK / 64];
    struct mmu_page p = { 0 };

    if (sys_of(cpu)->walk(cpu, va, access, regime, false, &p) < 0)
        return NULL;
    if (p.size > MMU_PAGE)
        note_large(t, va, p.size);
    t->local |= !p.global;
    __atomic_store_n(used, *used | 1ull << (i / MMU_CHUNK % 64), __ATOMIC_SEQ_CST);
    empty(e);
    e->page = (p.pa & MMU_PAGE_MASK) | flags_of(&p);
    e->read = page | MMU_SLOW;
    __atomic_store_n(&e->write, page | MMU_SLOW, __ATOMIC_RELAXED);
    fill_ram(cpu, e, va, &p, p.once || mmu_watched(cpu, page, MMU_PAGE, MMU_READ) || mmu_watched(cpu, page, MMU_PAGE, MMU_WRITE));
    if (p.once)
        e->page &= ~(uint64_t)MMU_E_PROT; /* found again, it permits nothing */
    return e;
}

struct mmu_entry *mmu_find(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime)
{
    struct mmu *u = mmu_of(cpu);
    unsigned n = mmu_table_of(u, regime);
    struct mmu_entry *e;

    if (u->table[n].holds != u->context[regime]) {
        n = take_context(cpu, regime);
        u->unsettled = true;
    }
    e = &cpu->tlb[n][index_of(va)];
    if (!is_empty(e) && !((e->read ^ va) & MMU_PAGE_MASK) && e->page >> access & 1)
        return e;
    return fill(cpu, va, access, regime);
}

void *mmu_host(struct cpu *cpu, uint64_t va, bool write)
{
    struct mmu *u = mmu_of(cpu);
    unsigned regime = sys_of(cpu)->regime(cpu->mode, false), n = mmu_table_of(u, regime);
    const struct mmu_entry *e = &cpu->tlb[n][index_of(va)];

    if (u->table[n].holds != u->context[regime] || (write ? e->write : e->read) != (va & MMU_PAGE_MASK))
        return NULL;
    return (void *)(uintptr_t)(va + e->addend);
}

/* --- Flushing --- */

static bool in_force(const struct mmu_entry *e, bool globals)
{
    return globals || !(e->page & MMU_E_GLOBAL);
}

/* What the scan of a table drops: everything, or what lies in [va, va + size). */
static bool dropped(const struct mmu_entry *e, uint64_t va, uint64_t size, bool globals)
{
    if (is_empty(e) || !in_force(e, globals))
        return false;
    return !size || mmu_block_meets(e->read & MMU_PAGE_MASK, block_size(e), va, size);
}

static void scan(struct cpu *cpu, unsigned table, uint64_t va, uint64_t size, bool globals)
{
    struct mmu_table *t = &mmu_of(cpu)->table[table];

    for (unsigned w = 0; w < sizeof(t->used) / sizeof(t->used[0]); w++)
        for (uint64_t left = t->used[w]; left; left &= left - 1) {
            unsigned chunk = w * 64 + (unsigned)__builtin_ctzll(left);
            struct mmu_entry *e = &cpu->tlb[table][chunk * MMU_CHUNK];
            bool any = false;

            for (unsigned i = 0; i < MMU_CHUNK; i++, e++) {
                if (dropped(e, va, size, globals))
                    empty(e);
                any |= !is_empty(e);
            }
            if (!any)
                __atomic_store_n(&t->used[w], t->used[w] & ~(left & -left), __ATOMIC_RELAXED);
        }
    if (!size && globals)
        memset(t->large, 0, sizeof(t->large) + sizeof(t->large_end));
}

static bool near_large(const struct mmu_table *t, uint64_t va, uint64_t size)
{
    unsigned half = va >> 55 & 1;
    uint64_t addr = (uint64_t)((int64_t)(va << 8) >> 8);

    return t->large[half] != t->large_end[half] && addr <= t->large_end[half] && addr + size - 1 >= t->large[half];
}

static void flush_table(struct cpu *cpu, unsigned table, uint64_t va, uint64_t size, bool globals)
{
    if (!size || size > 64 * MMU_PAGE || near_large(&mmu_of(cpu)->table[table], va, size)) {
        scan(cpu, table, va, size, globals);
        return;
    }
    for (uint64_t at = va & MMU_PAGE_MASK; at - (va & MMU_PAGE_MASK) < (va % MMU_PAGE) + size; at += MMU_PAGE) {
        struct mmu_entry *e = &cpu->tlb[table][index_of(at)];

        if (!is_empty(e) && mmu_same_page(e->read, at) && in_force(e, globals))
            empty(e);
    }
}

void mmu_flush(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals)
{
    if (!size)
        mmu_of(cpu)->ram.len = 0;
    for (unsigned n = 0; n < MMU_TABLES; n++)
        if (regimes >> n % MMU_REGIMES & 1)
            flush_table(cpu, n, va, size, globals);
    mmu_code_flush(cpu, regimes, va, size, globals);
}

void mmu_set_context(struct cpu *cpu, unsigned regimes, uint64_t context)
{
    struct mmu *u = mmu_of(cpu);

    for (unsigned r = 0; r < sys_of(cpu)->n_regimes; r++)
        if (regimes >> r & 1)
            u->context[r] = context;
    mmu_settle(cpu);
}

/* --- The tie to the machine --- */

static unsigned regime_of(const struct cpu *cpu, unsigned memop)
{
    return sys_of(cpu)->regime(cpu->mode, memop & IR_MEM_UNPRIV);
}

static bool is_aligned(const struct cpu *cpu)
{
    return sys_of(cpu)->aligned(cpu->mode, regime_of(cpu, 0), 2);
}

static bool is_strict(const struct cpu *cpu)
{
    return sys_of(cpu)->strict;
}

static void flush_all(struct cpu *cpu)
{
    mmu_flush(cpu, ~0u, 0, 0, true);
}

static const struct cpu_memory machine_memory = {
    .load = mmu_load,
    .store = mmu_store,
    .atomic = mmu_atomic,
    .writable = mmu_writable,
    .own_code = mmu_own_code,
    .regime = regime_of,
    .aligned = is_aligned,
    .strict = is_strict,
    .flush = flush_all,
    .code = mmu_code,
    .protect = mmu_protect,
    .code_changed = mmu_code_changed,
    .serve = mmu_serve,
    .alone = mmu_alone,
};

int mmu_attach(struct cpu *cpu, struct machine *m, unsigned index)
{
    struct mmu *u = calloc(1, sizeof(*u));
    struct engine *e = cpu->engine;

    if (!u)
        return -ENOMEM;
    u->machine = m;
    u->space = machine_space(m);
    u->who = BUS_CPU(index);
    pthread_mutex_init(&u->lock, NULL);
    for (unsigned r = 0; r < MMU_TABLES; r++)
        for (unsigned i = 0; i < MMU_ENTRIES; i++)
            empty(&cpu->tlb[r][i]);
    for (unsigned i = 0; i < MMU_ENTRIES; i++)
        empty(&cpu->no_tlb[i]);
    cpu->unpriv_tlb = cpu->no_tlb;
    u->unsettled = true;
    for (unsigned i = 0; i < 1u << MMU_CODE_BITS; i++)
        u->code[i].va = 1;
    cpu->mmu = u;
    cpu->memory = &machine_memory;
    if (!e->machine) {
        e->machine = m;
        machine_on_code_written(m, mmu_code_written, e);
        machine_on_dirty_taken(m, mmu_dirty_taken, e);
        space_on_change(u->space, mmu_space_changed, e);
    }
    return 0;
}

void mmu_set_space(struct cpu *cpu, struct space *s)
{
    mmu_of(cpu)->space = s;
    mmu_flush(cpu, (1u << MMU_REGIMES) - 1, 0, 0, true);
}

void mmu_watch_space(struct cpu *cpu, struct space *s)
{
    space_on_change(s, mmu_space_changed, cpu->engine);
}

void mmu_detach(struct cpu *cpu)
{
    if (!cpu->mmu)
        return;
    pthread_mutex_destroy(&cpu->mmu->lock);
    free(cpu->mmu);
    cpu->mmu = NULL;
    cpu->memory = NULL;
}
