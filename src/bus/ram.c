/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest RAM: host memory and who minds what is written to it. */
#include "bus/machine_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 1 << RAM_PAGE_BITS, HUGE = 2 << 20 };

/* @size bytes at a multiple of 2 MiB, so that the host may use its large pages.  The pages come when they are
 * touched; what the host can never give is refused now. */
static void *map_memory(uint64_t size, int fd, bool shared)
{
    int flags = (fd < 0 ? MAP_ANONYMOUS | MAP_PRIVATE : shared ? MAP_SHARED : MAP_PRIVATE);
    uint64_t room;
    uint8_t *all, *p;

    if (__builtin_add_overflow(size, HUGE, &room) || room > SIZE_MAX)
        return MAP_FAILED;
    all = mmap(NULL, room, PROT_NONE, MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return all;
    p = (uint8_t *)(((uintptr_t)all + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
    if (mmap(p, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == MAP_FAILED) {
        int why = errno;

        munmap(all, room);
        errno = why;
        return MAP_FAILED;
    }
    if (p > all)
        munmap(all, (size_t)(p - all));
    if (p + size < all + room)
        munmap(p + size, (size_t)(all + room - p - size));
    madvise(p, size, MADV_HUGEPAGE);
    return p;
}

static struct ram *last_ram(struct machine *m, const char *name)
{
    struct ram *last = NULL;

    for (struct ram *r = atomic_load(&m->rams); r; r = r->next) {
        if (!strcmp(r->name, name))
            bug("two guest memories are called '%s'", name);
        last = r;
    }
    return last;
}

struct ram *ram_new_file(struct machine *m, const char *name, uint64_t size, int fd, bool shared,
                         struct err *e)
{
    uint64_t pages = size / PAGE + (size % PAGE != 0);
    struct ram *r, *last = last_ram(m, name);
    void *host;

    if (!pages || pages > (UINT64_MAX - m->ram_next) / PAGE - HUGE)
        goto no_memory;
    if ((host = map_memory(pages * PAGE, fd, shared)) == MAP_FAILED)
        goto no_memory;
    r = bus_alloc(sizeof(*r));
    *r = (struct ram){.name = bus_strdup(name), .size = pages * PAGE, .host = host, .fd = fd};
    r->offset = m->ram_next;
    m->ram_next += (r->size + HUGE - 1) / HUGE * HUGE;
    if (!(r->dirty = malloc(pages)))
        fatal("out of memory");
    memset(r->dirty, RAM_ALL_DIRTY, pages);
    atomic_thread_fence(memory_order_release); /* before ram_at meets it */
    if (last)
        __atomic_store_n(&last->next, r, __ATOMIC_RELEASE);
    else
        atomic_store(&m->rams, r);
    return r;

no_memory:
    if (fd >= 0)
        close(fd);
    err_set(e, -ENOMEM, "cannot set up guest memory '%s': %s", name, strerror(ENOMEM));
    return NULL;
}

struct ram *ram_new(struct machine *m, const char *name, uint64_t size, struct err *e)
{
    return ram_new_file(m, name, size, -1, false, e);
}

void ram_end(struct ram *r)
{
    struct stat st;

    if (r->fd < 0)
        madvise(r->host, r->size, MADV_DONTNEED);
    else if (fstat(r->fd, &st) == 0 && !st.st_nlink) /* ours alone */
        madvise(r->host, r->size, MADV_REMOVE);
    free((char *)r->name);
    r->name = bus_strdup("");
}

static struct ram *next_ram(const struct ram *r)
{
    return __atomic_load_n(&r->next, __ATOMIC_ACQUIRE);
}

struct ram *ram_at(struct machine *m, uint64_t ram_addr, uint64_t *off)
{
    for (struct ram *r = atomic_load(&m->rams); r; r = next_ram(r)) {
        if (ram_addr - r->offset < r->size) {
            *off = ram_addr - r->offset;
            return r;
        }
    }
    return NULL;
}

void ram_each(struct machine *m, bool (*fn)(void *opaque, struct ram *r), void *opaque)
{
    for (struct ram *r = atomic_load(&m->rams); r; r = next_ram(r))
        if (*r->name && !fn(opaque, r))
            return;
}

void ram_written(struct machine *m, struct ram *r, uint64_t off, uint64_t len)
{
    uint64_t last;
    bool code = false;

    if (!len || off >= r->size)
        return;
    last = (len > r->size - off ? r->size : off + len) - 1;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* who takes a bit away from here on sees what was written */
    for (uint64_t p = off / PAGE; p <= last / PAGE; p++) {
        if (__atomic_load_n(&r->dirty[p], __ATOMIC_RELAXED) == RAM_ALL_DIRTY)
            continue;
        if (!(__atomic_fetch_or(&r->dirty[p], RAM_ALL_DIRTY, __ATOMIC_SEQ_CST) & RAM_CODE))
            code = true;
    }
    if (code && m->code_written)
        m->code_written(m->code_written_opaque, r->offset + off, last - off + 1);
}

bool ram_take_dirty(struct machine *m, struct ram *r, uint64_t off, uint64_t len,
                    enum ram_client client, uint8_t *pages)
{
    uint8_t keep = (uint8_t)~client;
    uint64_t first = off / PAGE, last, low = UINT64_MAX, high = 0;

    if (!len || off >= r->size)
        return false;
    last = ((len > r->size - off ? r->size : off + len) - 1) / PAGE;
    for (uint64_t p = first; p <= last; p++) {
        bool was = __atomic_load_n(&r->dirty[p], __ATOMIC_RELAXED) & client;

        if (pages)
            pages[p - first] = was;
        if (!was)
            continue;
        __atomic_fetch_and(&r->dirty[p], keep, __ATOMIC_SEQ_CST);
        low = low < p ? low : p;
        high = p;
    }
    if (low > high)
        return false;
    if (m->dirty_taken)
        m->dirty_taken(m->dirty_taken_opaque, r->host + low * PAGE, (high - low + 1) * PAGE);
    return true;
}

void machine_on_dirty_taken(struct machine *m,
                            void (*fn)(void *opaque, const uint8_t *host, uint64_t len), void *opaque)
{
    m->dirty_taken = fn;
    m->dirty_taken_opaque = opaque;
}

void machine_on_code_written(struct machine *m,
                             void (*fn)(void *opaque, uint64_t ram_addr, uint64_t len),
                             void *opaque)
{
    m->code_written = fn;
    m->code_written_opaque = opaque;
}

void rams_free(struct machine *m)
{
    for (struct ram *r = atomic_load(&m->rams), *next; r; r = next) {
        next = r->next;
        munmap(r->host, r->size);
        if (r->fd >= 0)
            close(r->fd);
        free(r->dirty);
        free((char *)r->name);
        free(r);
    }
    atomic_store(&m->rams, NULL);
}
