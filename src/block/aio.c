/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each thread's rings, and requests that have none. */
#include "block/aio.h"

#include "base/bytes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* struct rings - of one thread, by enum aio_kind; @refused: the kernel gave none, so it is not asked again. */
struct rings {
    void *ring[AIO_NATIVE + 1];
    bool refused[AIO_NATIVE + 1];
};

static __thread struct rings *mine;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const struct aio_kernel *kernel_of(enum aio_kind kind)
{
    return kind == AIO_URING ? &aio_uring : &aio_native;
}

static void rings_free(void *opaque)
{
    struct rings *t = opaque;

    for (int kind = AIO_URING; kind <= AIO_NATIVE; kind++)
        if (t->ring[kind])
            kernel_of((enum aio_kind)kind)->close(t->ring[kind]);
    free(t);
    mine = NULL;
}

static void rings_free_mine(void)
{
    if (mine)
        rings_free(mine);
}

static void forget_in_child(void)
{
    mine = NULL; /* they are the parent's: shared memory */
}

static void make_key(void)
{
    if (pthread_key_create(&key, rings_free) || pthread_atfork(NULL, NULL, forget_in_child))
        fatal("no room for data of threads");
    atexit(rings_free_mine); /* the first thread ends without its key's destructor */
}

/* This thread's ring, or NULL with @e. */
static void *ring_of(enum aio_kind kind, struct err *e)
{
    if (!mine) {
        pthread_once(&once, make_key);
        if (!(mine = calloc(1, sizeof(*mine))))
            fatal("out of memory");
        pthread_setspecific(key, mine);
    }
    if (!mine->ring[kind] && !mine->refused[kind] && kernel_of(kind)->open(&mine->ring[kind], e) < 0) {
        mine->ring[kind] = NULL;
        mine->refused[kind] = true;
    }
    return mine->ring[kind];
}

int aio_begin(enum aio_kind kind, struct err *e)
{
    if (kind == AIO_THREADS || ring_of(kind, e))
        return 0;
    if (!e->code) { /* refused before; it may be different now */
        mine->refused[kind] = false;
        if (ring_of(kind, e))
            return 0;
    }
    return e->code;
}

static void run_plain(struct aio_request *q)
{
    ssize_t k = q->op == AIO_SYNC   ? fdatasync(q->fd)
                : q->op == AIO_READ ? preadv(q->fd, q->iov, q->n, (off_t)q->off)
                                    : pwritev(q->fd, q->iov, q->n, (off_t)q->off);

    q->done = k < 0 ? -errno : k;
}

static bool again(const struct aio_request *q)
{
    return q->done == -EAGAIN || q->done == -EINTR;
}

void aio_run(enum aio_kind kind, struct aio_request *q, unsigned count)
{
    void *ring = kind == AIO_THREADS ? NULL : ring_of(kind, ERR_IGNORE);

    for (unsigned at = 0, k; ring && at < count; at += k) {
        k = (unsigned)min_u64(count - at, AIO_BATCH);
        kernel_of(kind)->run(ring, q + at, k);
    }
    for (unsigned i = 0; i < count; i++) { /* such answers are rare; nothing was done then */
        if (ring && !again(&q[i]))
            continue;
        do
            run_plain(&q[i]);
        while (q[i].done == -EINTR);
    }
}
