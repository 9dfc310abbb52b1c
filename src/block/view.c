/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at a file's bytes where the host caches them, instead of copying them out (mmap(2)). */
#include "block/core.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

/* One mapping at a time, and a large one: taking it away interrupts all processors. */
#define WINDOW (64 * MiB)

bool blk_can_view(const struct blk *b)
{
    return b->drv->view_fd && !(b->flags & BLK_DIRECT) && b->drv->view_fd(b) >= 0;
}

bool blk_plain_files(const struct blk *b)
{
    for (; b; b = b->backing)
        for (const struct blk *n = b; n; n = n->file)
            if (n->drv->kind == BLK_FILTER)
                return false;
    return true;
}

void blk_view_end(struct blk_view *v)
{
    if (v->map)
        munmap(v->map, round_up(v->len, 4096));
    *v = (struct blk_view){0};
}

/* @len bytes of addresses, a multiple of 2 MiB: what the kernel maps around a fault goes by addresses, so a file's
 * blocks should be where such pieces begin. */
static char *reserve(uint64_t len)
{
    enum { ALIGN = 2 << 20 };
    char *all = mmap(NULL, len + ALIGN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *at = (char *)round_up((uintptr_t)all, ALIGN);

    if (all == MAP_FAILED)
        return NULL;
    if (at > all)
        munmap(all, (size_t)(at - all));
    munmap(at + len, (size_t)(all + ALIGN - at));
    return at;
}

static int open_window(struct blk_view *v, struct blk *b, uint64_t off)
{
    uint64_t start = round_down(off, WINDOW), size = blk_size_now(b);
    uint64_t len = start < size ? min_u64(2 * WINDOW, size - start) : 0;

    blk_view_end(v);
    if (!len)
        return -1;
    char *map = reserve(round_up(len, 4096));

    if (!map)
        return -1;
    if (mmap(map, len, PROT_READ, MAP_SHARED | MAP_FIXED, b->drv->view_fd(b), (off_t)start) == MAP_FAILED) {
        munmap(map, round_up(len, 4096));
        return -1;
    }
    *v = (struct blk_view){.b = b, .map = map, .off = start, .len = len};
    return 0;
}

const void *blk_view_at(struct blk_view *v, struct blk *b, uint64_t off, uint64_t len)
{
    if (len > WINDOW || !blk_can_view(b))
        return NULL;
    if ((v->b != b || off < v->off || off + len > v->off + v->len) && open_window(v, b, off) < 0)
        return NULL;
    if (off + len > v->off + v->len) /* past the end of the file */
        return NULL;
    char *at = (char *)v->map + (off - v->off);
    uintptr_t page = round_down((uintptr_t)at, 4096);

    madvise((void *)page, (uintptr_t)at + len - page, MADV_WILLNEED); /* a wish */
    return at;
}

/* The way out of a fault, while this thread is inside blk_view_touch. */
static __thread sigjmp_buf *way_out;

static void on_fault(int number)
{
    if (way_out)
        siglongjmp(*way_out, 1);
    signal(number, SIG_DFL); /* not ours: it comes again, for good */
}

void blk_view_begin(void)
{
    struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};

    sigaction(SIGBUS, &sa, NULL);
}

bool blk_view_touch(void (*look)(void *opaque), void *opaque)
{
    sigjmp_buf here;

    if (sigsetjmp(here, 0)) {
        way_out = NULL;
        return false;
    }
    way_out = &here;
    look(opaque);
    way_out = NULL;
    return true;
}
