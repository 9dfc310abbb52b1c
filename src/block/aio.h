/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests given to the kernel as a batch: aio=io_uring (io_uring(7)) and aio=native (io_submit(2)).
 *
 * Whoever makes a request waits for it, so each thread has a ring (or context) of its own, made when it is first used and
 * freed when the thread ends: no lock, and one system call submits a batch and waits for all of it.
 */
#ifndef BLOCK_AIO_H
#define BLOCK_AIO_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum aio_kind { AIO_THREADS, AIO_URING, AIO_NATIVE };
enum aio_op { AIO_READ, AIO_WRITE, AIO_SYNC }; /* AIO_SYNC: as fdatasync(2); not for AIO_NATIVE, whose file systems mostly refuse it */

enum { AIO_BATCH = 64 }; /* requests of one aio_run */

/* struct aio_request - @n buffers (at most IOV_MAX) at @off of @fd; @done is its answer: bytes, or a negative errno. */
struct aio_request {
    enum aio_op op;
    int fd, n;
    const struct iovec *iov;
    uint64_t off;
    int64_t done;
};

/** aio_begin - may this process use @kind?  -errno with the kernel's reason in @e. */
int aio_begin(enum aio_kind kind, struct err *e);

/** aio_run - do @count requests, in any order; returns when all of them have their answer.  A thread whose ring the
 *  kernel refuses (no more descriptors, no more memory) does them one after the other. */
void aio_run(enum aio_kind kind, struct aio_request *q, unsigned count);

/* For aio.c: what a kind is.  One object for each thread. */
struct aio_kernel {
    /** open - a new ring in *@ring; freed by close. */
    int (*open)(void **ring, struct err *e);
    void (*close)(void *ring);
    /** run - as aio_run, at most AIO_BATCH; answers may be -EAGAIN or -EINTR: once more, then. */
    void (*run)(void *ring, struct aio_request *q, unsigned count);
};
extern const struct aio_kernel aio_uring, aio_native;

#endif
