/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aio=native: Linux's older interface, after io_setup(2), io_submit(2) and io_getevents(2). */
#include "block/aio.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct context {
    aio_context_t id;
};

static int submit(const struct context *c, struct iocb **list, unsigned n)
{
    return (int)syscall(SYS_io_submit, c->id, (long)n, list);
}

static int get_events(const struct context *c, unsigned n, struct io_event *events)
{
    return (int)syscall(SYS_io_getevents, c->id, (long)n, (long)n, events, NULL);
}

static void native_close(void *ring)
{
    struct context *c = ring;

    syscall(SYS_io_destroy, c->id);
    free(c);
}

static int native_open(void **ring, struct err *e)
{
    struct context *c = calloc(1, sizeof(*c));
    int r = 0;

    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    if (syscall(SYS_io_setup, AIO_BATCH, &c->id) < 0) {
        r = -errno;
        free(c);
        return err_set(e, r, "failed to create linux AIO context: %s%s", strerror(-r),
                       r == -EAGAIN ? " (all of /proc/sys/fs/aio-max-nr is in use)" : "");
    }
    if (submit(c, NULL, 0) < 0 || get_events(c, 0, NULL) < 0) {
        r = -errno;
        native_close(c);
        return err_set(e, r, "failed to create linux AIO context: %s", strerror(-r));
    }
    *ring = c;
    return 0;
}

static void fill(struct iocb *cb, const struct aio_request *q, unsigned number)
{
    memset(cb, 0, sizeof(*cb));
    cb->aio_data = number;
    cb->aio_fildes = (uint32_t)q->fd;
    cb->aio_lio_opcode = q->op == AIO_READ ? IOCB_CMD_PREADV : IOCB_CMD_PWRITEV;
    cb->aio_buf = (uintptr_t)q->iov;
    cb->aio_nbytes = (uint64_t)q->n;
    cb->aio_offset = (int64_t)q->off;
}

/* Waits for all that are on their way, whatever it takes: the buffers are the kernel's until then. */
static void wait_for(const struct context *c, struct aio_request *q, unsigned flying)
{
    struct io_event events[AIO_BATCH];

    while (flying) {
        int k = get_events(c, flying, events);

        for (int i = 0; i < k; i++)
            q[events[i].data].done = events[i].res;
        if (k > 0)
            flying -= (unsigned)k;
        else if (errno != EINTR)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
}

static void native_run(void *ring, struct aio_request *q, unsigned count)
{
    struct context *c = ring;
    struct iocb cbs[AIO_BATCH], *list[AIO_BATCH];

    for (unsigned i = 0; i < count; i++) {
        fill(&cbs[i], &q[i], i);
        list[i] = &cbs[i];
    }
    for (unsigned sent = 0; sent < count;) {
        int k = submit(c, list + sent, count - sent);

        if (k > 0) {
            wait_for(c, q, (unsigned)k);
            sent += (unsigned)k;
        } else { /* the first of them is refused; nothing is on its way */
            q[sent++].done = k < 0 ? -errno : -EAGAIN;
        }
    }
}

const struct aio_kernel aio_native = {.open = native_open, .close = native_close, .run = native_run};
