/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -object iothread: a thread of the user's, which disks that name it are served by; he may bind it to a processor. */
#ifndef DEV_IOTHREAD_H
#define DEV_IOTHREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct iothread;

/* struct iothread_job - something to be done on it; its owner's, all zeros but for the first two. */
struct iothread_job {
    void (*fn)(void *opaque);
    void *opaque;
    bool queued; /* [the thread's lock, as the next] */
    struct iothread_job *next;
};

/* struct iothread_options - what may be said of one: kept and shown.  It never polls, sleeps when there is nothing to do, and makes no threads. */
struct iothread_options {
    uint64_t poll_max_ns, poll_grow, poll_shrink, aio_max_batch, thread_pool_min, thread_pool_max;
};

/** iothread_new - it runs, and waits for jobs; dies when there is no thread for it. */
struct iothread *iothread_new(const char *id, const struct iothread_options *o);
/** iothread_free - nobody posts any more; waits for the job in work. */
void iothread_free(struct iothread *t);
pid_t iothread_tid(const struct iothread *t);
const struct iothread_options *iothread_options(const struct iothread *t);

/** iothread_post - @j->fn is called on the thread, once, however often it was posted before that.  Any thread. */
void iothread_post(struct iothread *t, struct iothread_job *j);
/** iothread_cancel - @j is not queued any more; returns when it is not in work either.  Without locks that it takes. */
void iothread_cancel(struct iothread *t, struct iothread_job *j);

#endif
