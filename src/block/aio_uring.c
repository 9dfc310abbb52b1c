/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aio=io_uring: rings shared with the kernel, after io_uring(7), io_uring_setup(2) and io_uring_enter(2). */
#include "block/aio.h"

#include "base/bytes.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct uring {
    int fd;
    bool plain; /* IORING_OP_READ and WRITE are there (Linux 5.6): no list to be fetched */
    uint8_t *map;
    size_t map_len, sqes_len;
    unsigned *sq_head, *sq_tail, *sq_mask, *cq_head, *cq_tail, *cq_mask;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
};

static int enter(const struct uring *u, unsigned submit, unsigned wait)
{
    return (int)syscall(SYS_io_uring_enter, u->fd, submit, wait, IORING_ENTER_GETEVENTS, NULL, 0);
}

static void uring_close(void *ring)
{
    struct uring *u = ring;

    if (u->sqes)
        munmap(u->sqes, u->sqes_len);
    if (u->map)
        munmap(u->map, u->map_len);
    close(u->fd);
    free(u);
}

/* The rings into our memory: one mapping for both since Linux 5.4. */
static int map_rings(struct uring *u, const struct io_uring_params *p)
{
    void *map, *sqes;
    size_t sq = p->sq_off.array + p->sq_entries * sizeof(unsigned);
    size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);

    if (!(p->features & IORING_FEAT_SINGLE_MMAP))
        return -ENOSYS;
    u->map_len = max_u64(sq, cq);
    u->sqes_len = p->sq_entries * sizeof(struct io_uring_sqe);
    map = mmap(NULL, u->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQ_RING);
    if (map == MAP_FAILED)
        return -errno;
    u->map = map;
    sqes = mmap(NULL, u->sqes_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQES);
    if (sqes == MAP_FAILED)
        return -errno;
    u->sqes = sqes;
    u->sq_head = (unsigned *)(u->map + p->sq_off.head);
    u->sq_tail = (unsigned *)(u->map + p->sq_off.tail);
    u->sq_mask = (unsigned *)(u->map + p->sq_off.ring_mask);
    u->cq_head = (unsigned *)(u->map + p->cq_off.head);
    u->cq_tail = (unsigned *)(u->map + p->cq_off.tail);
    u->cq_mask = (unsigned *)(u->map + p->cq_off.ring_mask);
    u->cqes = (struct io_uring_cqe *)(u->map + p->cq_off.cqes);
    for (unsigned i = 0; i < p->sq_entries; i++) /* entry i is always told by place i */
        ((unsigned *)(u->map + p->sq_off.array))[i] = i;
    return 0;
}

static int uring_open(void **ring, struct err *e)
{
    struct io_uring_params p = {0};
    struct uring *u = calloc(1, sizeof(*u));
    int r;

    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    u->fd = (int)syscall(SYS_io_uring_setup, AIO_BATCH, &p);
    if (u->fd < 0) {
        r = -errno;
        free(u);
        return err_set(e, r, "failed to init linux io_uring ring: %s", strerror(-r));
    }
    u->plain = p.features & IORING_FEAT_RW_CUR_POS;
    if ((r = map_rings(u, &p)) < 0 || (enter(u, 0, 0) < 0 && (r = -errno))) {
        uring_close(u);
        return err_set(e, r, "failed to init linux io_uring ring: %s", strerror(-r));
    }
    *ring = u;
    return 0;
}

static void fill(const struct uring *u, struct io_uring_sqe *s, const struct aio_request *q, unsigned number)
{
    bool one = u->plain && q->n == 1 && q->iov[0].iov_len <= UINT32_MAX;

    memset(s, 0, sizeof(*s));
    s->fd = q->fd;
    s->user_data = number;
    if (q->op == AIO_SYNC) {
        s->opcode = IORING_OP_FSYNC;
        s->fsync_flags = IORING_FSYNC_DATASYNC;
        return;
    }
    s->off = q->off;
    if (one)
        s->opcode = q->op == AIO_READ ? IORING_OP_READ : IORING_OP_WRITE;
    else
        s->opcode = q->op == AIO_READ ? IORING_OP_READV : IORING_OP_WRITEV;
    s->addr = one ? (uintptr_t)q->iov[0].iov_base : (uintptr_t)q->iov;
    s->len = one ? (uint32_t)q->iov[0].iov_len : (uint32_t)q->n;
}

/* Answers that are there; returns how many. */
static unsigned reap(struct uring *u, struct aio_request *q)
{
    unsigned head = *u->cq_head, tail = __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE), n = tail - head;

    for (; head != tail; head++) {
        const struct io_uring_cqe *c = &u->cqes[head & *u->cq_mask];

        q[c->user_data].done = c->res;
    }
    __atomic_store_n(u->cq_head, head, __ATOMIC_RELEASE);
    return n;
}

static void uring_run(void *ring, struct aio_request *q, unsigned count)
{
    struct uring *u = ring;
    unsigned tail = *u->sq_tail, sent = 0, done = 0;

    for (unsigned i = 0; i < count; i++, tail++)
        fill(u, &u->sqes[tail & *u->sq_mask], &q[i], i);
    __atomic_store_n(u->sq_tail, tail, __ATOMIC_RELEASE);
    while (done < count) {
        int k = enter(u, count - sent, count - done), error = errno;

        done += reap(u, q);
        if (k >= 0) {
            sent += (unsigned)k;
        } else if (error != EINTR && (error == EAGAIN || error == EBUSY || done < sent)) {
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL); /* buffers are the kernel's until it answers */
        } else if (error != EINTR) {
            __atomic_store_n(u->sq_tail, tail - (count - sent), __ATOMIC_RELEASE); /* taken back */
            for (; sent < count; sent++, done++)
                q[sent].done = -error;
        }
    }
}

const struct aio_kernel aio_uring = {.open = uring_open, .close = uring_close, .run = uring_run};
