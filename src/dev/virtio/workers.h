/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that work queues off, so that no virtual CPU waits for a disk.  A thread takes some chains from a kicked
 * queue, does them one after the other as blocking calls, gives them back, and tells the guest once.  While it
 * waits for the host another thread takes what has come since.
 *
 * Locks: the machine's, then the workers'.  do_batch runs with neither.
 */
#ifndef DEV_VIRTIO_WORKERS_H
#define DEV_VIRTIO_WORKERS_H

#include "dev/iothread.h"
#include "dev/virtio/virtio.h"

struct work;
struct workers;

/** struct work_item - one chain of a batch; the model's request, if it has one, begins with it. */
struct work_item {
    struct vq_elem el;
    uint32_t written; /* for vq_push */
    bool again;       /* work_again() */
    bool done;        /* else the model keeps it: workers_finish() later */
};

struct work_ops {
    size_t item_size; /* of a request that begins with struct work_item */
    /** do_batch - do work_get(w, 0 .. n-1); call work_done() for each that is not kept. */
    void (*do_batch)(struct virtio *v, struct vq *q, struct work *w, unsigned n);
};

enum { WORK_BATCH = 32 };

/** workers_new - at most @threads, which are started when needed.  With @io (or NULL) it is the first that works, the others
 * do what comes while it waits for the host.  Under the machine's lock, as the next ones. */
struct workers *workers_new(struct virtio *v, const struct work_ops *ops, unsigned threads, struct iothread *io);
/** workers_io - the iothread that a property names; *@io NULL when it names none. */
int workers_io(const struct virtio *v, const char *id, struct iothread **io, struct err *e);
/** workers_free - waits for what is in work; drops the machine's lock meanwhile. */
void workers_free(struct workers *ws);
/** workers_kick - there is something in @q. */
void workers_kick(struct workers *ws, struct vq *q);
/** workers_drain - nothing is in work when it returns, and nothing begins until workers_go(). */
void workers_drain(struct workers *ws);
/** workers_forget - drained, and what was in work tells nobody: for resets. */
void workers_forget(struct workers *ws);
/** workers_forget_queue - the same for one queue. */
void workers_forget_queue(struct workers *ws, struct vq *q);
void workers_go(struct workers *ws);
/** workers_saving - drained until workers_go(), and what is to be taken again goes to @b.  workers_loaded - the reverse, and every
 * queue is looked at.  Nothing begins while the machine stands still, either. */
void workers_saving(struct workers *ws, struct state_blob *b);
int workers_loaded(struct workers *ws, const struct state_blob *b, struct err *e);
enum { WORKERS_STATE_MAX = 1 << 26 }; /* bytes of it: all queues full of the longest chains do not come to that */

struct work_item *work_get(struct work *w, unsigned i);
/** work_done - item @i is finished; the guest is told when the batch ends. */
void work_done(struct work *w, unsigned i, uint32_t written);
/** work_again - item @i could not be done: it is taken again, as if it had just come, once the machine runs. */
void work_again(struct work *w, unsigned i);
/** workers_finish - a chain that was kept.  Any thread, without locks. */
void workers_finish(struct workers *ws, struct vq *q, const struct vq_elem *el, uint32_t written);

#endif
