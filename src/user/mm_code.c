/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code that programs write without saying so, as x86's may: SDM 3A 11.6, "Self-Modifying Code".
 *
 * A page that can be written and that a translation is made from is closed: the host lets nobody write to it, nor to other
 * mappings of the same memory.  A write faults, the page is opened and its translations are forgotten; when the writing
 * instruction lies in that page, it is executed by itself first.  A page that faults often stays open, and each instruction of
 * it looks whether it is still what was translated (struct abi_cpu, checked_mode).
 *
 * Whether a page is closed is only the host's affair, the list of mappings knows nothing of it: whatever opens one again by
 * changing its protection makes translations forgotten, too (mm.c).
 */
#include "user/mm.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { OWN_FAULTS = 4, ANY_FAULTS = 64, FIRST_CAP = 256 };

struct watched {
    uint64_t page; /* guest address; 0: no entry, for nothing is mapped there */
    uint32_t faults;
    bool closed, checked;
};

/* Lock order: mm->lock (for reading), then this one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct watched *table; /* open addressing; cap is a power of two [lock] */
static size_t n_entries, cap;
static size_t n_closed;       /* [atomic; written under lock] */
static __thread bool stepping; /* this thread executes one instruction: what it fetches is not closed */

static struct watched *slot(struct watched *t, size_t size, uint64_t page)
{
    size_t i = (page >> 12) * 0x9e3779b97f4a7c15ull >> 32;

    while (t[i & (size - 1)].page && t[i & (size - 1)].page != page)
        i++;
    return &t[i & (size - 1)];
}

static struct watched *find(uint64_t page)
{
    struct watched *w = cap ? slot(table, cap, page) : NULL;

    return w && w->page ? w : NULL;
}

/* The entry of @page, made when there is none; NULL: no memory. */
static struct watched *entry(uint64_t page)
{
    struct watched *w = find(page), *bigger;
    size_t size = cap ? 2 * cap : FIRST_CAP;

    if (w)
        return w;
    if (2 * (n_entries + 1) > cap) {
        if (!(bigger = calloc(size, sizeof(*bigger))))
            return NULL;
        for (size_t i = 0; i < cap; i++)
            if (table[i].page)
                *slot(bigger, size, table[i].page) = table[i];
        free(table);
        table = bigger;
        cap = size;
    }
    w = slot(table, cap, page);
    w->page = page;
    n_entries++;
    return w;
}

static void set_closed(struct watched *w, bool closed)
{
    if (w->closed == closed)
        return;
    __atomic_store_n(&n_closed, closed ? n_closed + 1 : n_closed - 1, __ATOMIC_RELEASE);
    if (n_closed == closed)
        sys_quick_calls_closed(closed);
    w->closed = closed;
}

/* --- Closing: with mm->lock held for reading --- */

/* One mapping's page; there is no memory for its entry: it stays open, and false. */
static bool close_page(struct process *p, uint64_t page)
{
    const struct vma *v = vmas_at(&p->mm->vmas, page);
    struct watched *w;

    if (!v || !(v->prot & PROT_WRITE))
        return true;
    if (!(w = entry(page)))
        return false;
    set_closed(w, true); /* first: a system call of another thread that meets the closed page looks whether there are any */
    if (mprotect(mm_host(p, page), PAGE_SIZE, mm_host_prot((int)v->prot & ~PROT_WRITE)) == 0)
        return true;
    set_closed(w, false);
    return false;
}

struct closing {
    struct process *p;
    bool failed;
};

static void close_alias(void *opaque, uint64_t addr, uint64_t len)
{
    struct closing *c = opaque;

    for (uint64_t page = addr & PAGE_MASK; page < addr + len; page += PAGE_SIZE)
        c->failed |= !close_page(c->p, page);
}

/* Writes to @page are noticed from now on; false: they are not, its code must check itself. */
static bool watch(struct process *p, const struct vma *v, uint64_t page)
{
    struct closing c = {.p = p};
    struct watched *w;
    bool checked;

    pthread_mutex_lock(&lock);
    w = find(page);
    checked = w && w->checked;
    if (!checked && !stepping) {
        if (v->flags & VMA_SHARED)
            mm_aliases(p, page, PAGE_SIZE, close_alias, &c);
        else
            c.failed = !close_page(p, page);
    }
    pthread_mutex_unlock(&lock);
    return !checked && !c.failed;
}

static bool can_change(const struct mm *mm, const struct vma *v)
{
    return (v->prot & PROT_WRITE) || ((v->flags & VMA_SHARED) && mm->vmas.aliases);
}

size_t mm_fetch_watched(struct process *p, uint64_t pc, uint32_t *mode)
{
    struct mm *mm = p->mm;
    uint64_t page = pc & PAGE_MASK, end = pc;
    bool sure = true;

    for (size_t i = vmas_find(&mm->vmas, pc); i < mm->vmas.n; i++) {
        const struct vma *v = &mm->vmas.v[i];

        if (v->start > end || !(v->prot & PROT_EXEC))
            break;
        if (!can_change(mm, v)) {
            end = v->end;
            continue;
        }
        /* This page and the next one, for an instruction that lies in both. */
        for (; page < v->end && page <= (pc & PAGE_MASK) + PAGE_SIZE; page += PAGE_SIZE)
            if (page >= v->start) {
                sure &= watch(p, v, page);
                end = page + PAGE_SIZE;
            }
        if (end < v->end || page > (pc & PAGE_MASK) + PAGE_SIZE)
            break;
    }
    if (!sure)
        *mode |= p->abi->cpu.checked_mode;
    return end - pc;
}

/* --- Opening --- */

/* Lets the guest write to @page as its mapping says: whether it may at all. */
static bool open_page(struct process *p, uint64_t page, bool own, bool *was_closed)
{
    const struct vma *v;
    struct watched *w;
    bool may;

    pthread_rwlock_rdlock(&p->mm->lock);
    pthread_mutex_lock(&lock);
    v = vmas_at(&p->mm->vmas, page);
    w = find(page);
    may = v && (v->prot & PROT_WRITE);
    *was_closed = w && w->closed;
    if (may)
        mprotect(mm_host(p, page), PAGE_SIZE, mm_host_prot((int)v->prot));
    if (w) {
        set_closed(w, false);
        w->faults++;
        w->checked |= w->faults >= (own ? OWN_FAULTS : ANY_FAULTS);
    }
    pthread_mutex_unlock(&lock);
    pthread_rwlock_unlock(&p->mm->lock);
    return may;
}

bool mm_open(struct process *p, uint64_t addr, uint64_t len)
{
    bool any = false;

    if (!__atomic_load_n(&n_closed, __ATOMIC_ACQUIRE) || !len)
        return false;
    for (uint64_t page = addr & PAGE_MASK; page - (addr & PAGE_MASK) < page_up((addr & ~PAGE_MASK) + len); page += PAGE_SIZE) {
        struct watched *w;
        bool closed;

        pthread_mutex_lock(&lock);
        w = find(page);
        closed = w && w->closed;
        pthread_mutex_unlock(&lock);
        if (!closed || !open_page(p, page, false, &closed))
            continue;
        mm_code_changed(p, page, PAGE_SIZE);
        any = true;
    }
    return any;
}

bool mm_open_all(struct process *p)
{
    bool any = false;

    while (__atomic_load_n(&n_closed, __ATOMIC_ACQUIRE)) {
        uint64_t page = 0;
        size_t i;

        pthread_mutex_lock(&lock);
        for (i = 0; i < cap && !page; i++)
            page = table[i].closed ? table[i].page : 0;
        pthread_mutex_unlock(&lock);
        if (!page || !mm_open(p, page, 1)) {
            pthread_mutex_lock(&lock); /* closed once, and no longer the guest's to write to */
            if (page && find(page))
                set_closed(find(page), false);
            pthread_mutex_unlock(&lock);
            if (!page)
                break;
            continue;
        }
        any = true;
    }
    return any;
}

/* True: something has changed, so the instruction is to be executed again, or has been. */
bool mm_written(struct task *t, uint64_t addr)
{
    static __thread uint64_t last_pc, last_addr; /* a page that was not closed is opened once, not for ever */
    struct process *p = t->proc;
    struct cpu *cpu = t->cpu;
    uint64_t page = addr & PAGE_MASK, pc = cpu->pc;
    bool own = page == (pc & PAGE_MASK) || page == ((pc + cpu->isa->longest - 1) & PAGE_MASK), was_closed, step;

    if (!open_page(p, page, own, &was_closed) || (!was_closed && last_pc == pc && last_addr == addr))
        return false;
    last_pc = pc;
    last_addr = addr;
    mm_code_changed(p, page, PAGE_SIZE);
    if (!own)
        return true;
    step = cpu->single_step;
    stepping = cpu->single_step = true;
    t->stop = cpu_run(cpu);
    stepping = false;
    cpu->single_step = step;
    mm_code_changed(p, page, PAGE_SIZE);
    if (t->stop == CPU_STOP_DEBUG && !step)
        t->stop = CPU_STOP_NONE;
    return true;
}

/* Around fork(), after mm->lock. */
void mm_code_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void mm_code_after_fork(bool child)
{
    if (child)
        pthread_mutex_init(&lock, NULL);
    else
        pthread_mutex_unlock(&lock);
}
