/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code in a machine's memory: where the CPU finds it, and how it is noticed that it was written.
 *
 * A page that code is translated from loses its bit RAM_CODE, and no CPU's translated code writes it from then on: the slow
 * path sets the bit again, and the page's translations are forgotten (mmu_code_written).  A page where this happens again and
 * again holds code beside data: its writes stay slow for good (MMU_MIXED), and only what they touch is forgotten.
 */
#include "cpu/mmu_priv.h"

/* --- Finding --- */

static struct code_page *slot(struct mmu *u, uint64_t va, unsigned regime)
{
    return &u->code[(va >> RAM_PAGE_BITS ^ regime * 37) & ((1 << MMU_CODE_BITS) - 1)];
}

/* Nothing to be executed is there. */
static const struct code_page *no_code(struct cpu *cpu, uint64_t va, uint64_t pa, unsigned regime)
{
    sys_of(cpu)->bad_access(cpu, va, pa, MMU_FETCH, regime, false);
    return NULL;
}

static const struct code_page *fill(struct cpu *cpu, struct code_page *c, uint64_t va, unsigned regime)
{
    struct mmu *u = mmu_of(cpu);
    struct mmu_page p = { 0 };
    struct mem_hit hit;

    if (sys_of(cpu)->walk(cpu, va, MMU_FETCH, regime, false, &p) < 0)
        return NULL;
    if (!mmu_ram(cpu, p.pa & MMU_PAGE_MASK, &hit) || hit.len < MMU_PAGE)
        return no_code(cpu, va, p.pa, regime);
    *c = (struct code_page){
        .va = va & MMU_PAGE_MASK,
        .host = hit.host,
        .at = hit.ram->offset + hit.ram_off,
        .context = u->context[regime],
        .mode = p.guarded ? sys_of(cpu)->mode_guarded : 0,
        .regime = (uint8_t)regime,
        .global = p.global,
        .log2_size = (uint8_t)(p.size > MMU_PAGE ? __builtin_ctzll(p.size) : RAM_PAGE_BITS),
        .dirty = &hit.ram->dirty[hit.ram_off >> RAM_PAGE_BITS],
    };
    return c;
}

static const struct code_page *page_of(struct cpu *cpu, uint64_t va, unsigned regime)
{
    struct mmu *u = mmu_of(cpu);
    struct code_page *c = slot(u, va, regime);

    if (c->va != (va & MMU_PAGE_MASK) || c->regime != regime || (!c->global && c->context != u->context[regime]))
        return fill(cpu, c, va, regime);
    return c;
}

/* Does the instruction at cpu->pc, which is on page @p, go on in the next one? */
static bool goes_on(const struct cpu *cpu, const struct code_page *p)
{
    uint64_t off = cpu->pc % MMU_PAGE;

    return cpu->isa->length && off + cpu->isa->longest > MMU_PAGE &&
           !cpu->isa->length(cpu->mode, cpu->pc, p->host + off, MMU_PAGE - off);
}

const struct code_page *mmu_code(struct cpu *cpu)
{
    struct mmu *u = mmu_of(cpu);
    unsigned regime = sys_of(cpu)->fetch_regime(cpu->mode);
    const struct code_page *found;

    if (u->unsettled || u->settled != cpu->mode)
        mmu_settle(cpu);
    found = page_of(cpu, cpu->pc, regime);
    cpu->there = NULL;
    if (found && goes_on(cpu, found)) {
        cpu->there = page_of(cpu, found->va + MMU_PAGE, regime);
        if (!cpu->there)
            found = NULL;
    }
    if (found)
        cpu->here = found;
    cpu->code_context = u->context[regime];
    return found;
}

void mmu_code_flush(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals)
{
    struct mmu *u = mmu_of(cpu);

    modes_flush(cpu, regimes, va, size, globals);
    for (unsigned i = 0; i < 1u << MMU_CODE_BITS; i++) {
        struct code_page *c = &u->code[i];

        if (c->va == 1 || !(regimes >> c->regime & 1) || (c->global && !globals))
            continue;
        if (!size || mmu_block_meets(c->va, 1ull << c->log2_size, va, size))
            c->va = 1;
    }
}

/* --- Noticing --- */

enum { MMU_MIXED = 0x80 /* in ram->dirty, beside enum ram_client */ };

/* Writes to the pages in [@host, @host + @len) are not for @cpu's translated code any more; any thread.  True: they were. */
static bool slow_writes(struct cpu *cpu, const uint8_t *host, uint64_t len)
{
    struct mmu *u = mmu_of(cpu);
    bool any = false;

    for (unsigned r = 0; r < MMU_TABLES; r++)
        for (unsigned w = 0; w < sizeof(u->table[r].used) / sizeof(u->table[r].used[0]); w++)
            for (uint64_t left = __atomic_load_n(&u->table[r].used[w], __ATOMIC_SEQ_CST); left; left &= left - 1) {
                struct mmu_entry *e = &cpu->tlb[r][(w * 64 + (unsigned)__builtin_ctzll(left)) * MMU_CHUNK];

                for (unsigned i = 0; i < MMU_CHUNK; i++, e++) {
                    uint64_t tag = __atomic_load_n(&e->write, __ATOMIC_RELAXED);
                    uint64_t addend = __atomic_load_n(&e->addend, __ATOMIC_RELAXED);

                    if (!(tag % MMU_PAGE) && tag + addend - (uint64_t)(uintptr_t)host < len)
                        any |= __atomic_compare_exchange_n(&e->write, &tag, tag | MMU_SLOW, false, __ATOMIC_SEQ_CST,
                                                           __ATOMIC_RELAXED);
                }
            }
    return any;
}

static void slow_everywhere(struct engine *e, const uint8_t *host, uint64_t len)
{
    for (struct cpu *c = e->cpus; c; c = c->next)
        if (c->mmu && slow_writes(c, host, len) && c != cpu_self)
            mmu_ask_pass(c);
}

/* Another CPU may have looked its page up before, and write only now. */
static bool others_write(const struct cpu *cpu)
{
    for (const struct cpu *c = __atomic_load_n(&cpu->engine->cpus, __ATOMIC_ACQUIRE); c; c = c->next)
        if (c != cpu && c->mmu && mmu_writes_on(c))
            return true;
    return false;
}

/* The next write to each of the pages goes the slow way, sets the bits again, and makes the page fast (mmu_settle_write). */
void mmu_dirty_taken(void *engine, const uint8_t *host, uint64_t len)
{
    struct engine *e = engine;

    pthread_mutex_lock(&e->lock);
    slow_everywhere(e, host, len);
    pthread_mutex_unlock(&e->lock);
}

/*
 * Another CPU that has looked its page up may not have written yet when we read.  It is asked to get to a place between two
 * instructions (mmu_ask_pass); until then nothing that is read is kept.  A page that others never cease to write holds code beside data.
 */
bool mmu_protect(struct cpu *cpu, const struct code_page *page)
{
    enum { ROUNDS = 40 };
    struct mmu *u = mmu_of(cpu);

    if (__atomic_load_n(page->dirty, __ATOMIC_SEQ_CST) & RAM_CODE) {
        if (u->rounds >= ROUNDS)
            __atomic_fetch_or(page->dirty, MMU_MIXED, __ATOMIC_SEQ_CST);
        __atomic_and_fetch(page->dirty, (uint8_t)~RAM_CODE, __ATOMIC_SEQ_CST);
        slow_everywhere(cpu->engine, page->host, MMU_PAGE);
    }
    if (others_write(cpu)) {
        u->rounds++;
        return false;
    }
    u->rounds = 0;
    return true;
}

/* --- Forgetting --- */

enum { MANY = 40 };

/* Times that translations of a page were forgotten; pages that share a count are unlucky together. */
static bool often(struct engine *e, uint64_t page)
{
    uint8_t *n = &e->rewritten[page * 0x9e3779b97f4a7c15ull >> 52];

    return __atomic_load_n(n, __ATOMIC_RELAXED) >= MANY || __atomic_add_fetch(n, 1, __ATOMIC_RELAXED) >= MANY;
}

static void mix(struct engine *e, uint8_t *dirty, const uint8_t *host)
{
    if (!(__atomic_fetch_or(dirty, MMU_MIXED, __ATOMIC_SEQ_CST) & MMU_MIXED)) {
        pthread_mutex_lock(&e->lock);
        slow_everywhere(e, host, MMU_PAGE);
        pthread_mutex_unlock(&e->lock);
    }
    __atomic_and_fetch(dirty, (uint8_t)~RAM_CODE, __ATOMIC_SEQ_CST);
}

static void page_written(struct engine *e, uint64_t at, uint64_t len)
{
    uint64_t off, page = at & MMU_PAGE_MASK;
    struct ram *r;

    if (len == MMU_PAGE || !often(e, page) || !(r = ram_at(e->machine, page, &off))) {
        engine_invalidate(e, page, MMU_PAGE);
        return;
    }
    mix(e, &r->dirty[off >> RAM_PAGE_BITS], r->host + off);
    engine_invalidate(e, at, len);
}

void mmu_code_written(void *engine, uint64_t at, uint64_t len)
{
    while (len) {
        uint64_t n = MMU_PAGE - at % MMU_PAGE;

        n = n < len ? n : len;
        page_written(engine, at, n);
        at += n;
        len -= n;
    }
}

/* The place of @va in RAM. */
static bool ram_place(struct cpu *cpu, uint64_t va, uint64_t *at)
{
    struct mem_hit hit;
    uint64_t pa;

    if (!mmu_debug_walk(cpu, va, &pa) || !mmu_ram(cpu, pa, &hit))
        return false;
    *at = hit.ram->offset + hit.ram_off;
    return true;
}

void mmu_code_changed(struct cpu *cpu, uint64_t va, uint64_t len)
{
    while (len) {
        uint64_t at, n = MMU_PAGE - va % MMU_PAGE;

        n = n < len ? n : len;
        if (ram_place(cpu, va, &at))
            engine_invalidate(cpu->engine, at, n);
        va += n;
        len -= n;
    }
}
