/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop of a program that serves events: file descriptors, timers, calls from other threads.
 * Everything is called on the loop's thread, one thing at a time.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_fd;
struct loop_timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

struct loop *loop_new(void);
void loop_free(struct loop *l);
/** loop_run - until loop_stop(); loop_once - wait at most @timeout_ns (-1: without limit) and handle what is due. */
void loop_run(struct loop *l);
void loop_once(struct loop *l, int64_t timeout_ns);
/** loop_stop, loop_call - any thread.  Calls come in the order they were asked for. */
void loop_stop(struct loop *l);
void loop_call(struct loop *l, void (*fn)(void *opaque), void *opaque);
/** loop_around - @enter before and @leave after each bunch of callbacks: where a machine's lock is taken. */
void loop_around(struct loop *l, void (*enter)(void *opaque), void (*leave)(void *opaque),
                 void *opaque);

/** loop_add_fd - @fn(opaque, ready) while the descriptor is ready for one of @events (LOOP_*).  0 events: parked.
 * Hang-ups and errors come as LOOP_HANGUP with what was waited for.  A regular file is always ready.  The descriptor stays the caller's; one loop_fd for each.  On the loop's thread. */
struct loop_fd *loop_add_fd(struct loop *l, int fd, int events, void (*fn)(void *opaque, int ready),
                            void *opaque);
void loop_set_fd(struct loop_fd *f, int events);
void loop_del_fd(struct loop_fd *f);

/** loop_add_timer - not armed.  loop_arm - @at in ns of CLOCK_MONOTONIC, INT64_MAX: never.  Any thread may arm. */
struct loop_timer *loop_add_timer(struct loop *l, void (*fn)(void *opaque), void *opaque);
void loop_arm(struct loop_timer *t, int64_t at);
void loop_del_timer(struct loop_timer *t);

#endif
