/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop, on epoll, one timerfd and one eventfd.  Not on libuv: its timers count milliseconds, a guest's
 * are a thousand times finer; and its handles end later than their owners do.
 *
 * What is taken away while a round of callbacks runs is freed after the round, so that an event already
 * fetched never meets freed memory.
 */
#include "base/loop.h"

#include "base/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct loop_fd {
    struct loop *l;
    int fd, events;
    bool in_epoll;
    bool always; /* a regular file, which epoll does not take: it is always ready */
    bool gone;
    void (*fn)(void *opaque, int ready);
    void *opaque;
    struct loop_fd *next;
};

struct loop_timer {
    struct loop *l;
    int64_t at; /* [l->lock] */
    bool gone;
    void (*fn)(void *opaque);
    void *opaque;
    struct loop_timer *next;
};

struct call {
    void (*fn)(void *opaque);
    void *opaque;
    struct call *next;
};

struct loop {
    int ep, wake, clock; /* epoll, eventfd, timerfd */
    struct loop_fd *fds;
    unsigned n_always; /* of them, always ready */
    pthread_mutex_t lock;
    struct loop_timer *timers;     /* [lock] */
    int64_t armed;                 /* what the timerfd is set to [lock] */
    struct call *calls, **last;    /* [lock] */
    atomic_bool stop;
    bool buried; /* something is gone and waits to be freed [lock] */
    void (*enter)(void *opaque);
    void (*leave)(void *opaque);
    void *around;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void *make(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        fatal("out of memory");
    return p;
}

static void watch(struct loop *l, int fd, void *tag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = tag};

    if (fd < 0 || epoll_ctl(l->ep, EPOLL_CTL_ADD, fd, &ev) < 0)
        fatal("cannot make an event loop: %s", strerror(errno));
}

struct loop *loop_new(void)
{
    struct loop *l = make(sizeof(*l));

    l->ep = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    watch(l, l->wake, &l->wake);
    watch(l, l->clock, &l->clock);
    pthread_mutex_init(&l->lock, NULL);
    l->last = &l->calls;
    l->armed = INT64_MAX;
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    for (struct loop_fd *f; (f = l->fds);) {
        l->fds = f->next;
        free(f);
    }
    for (struct loop_timer *t; (t = l->timers);) {
        l->timers = t->next;
        free(t);
    }
    for (struct call *c; (c = l->calls);) {
        l->calls = c->next;
        free(c);
    }
    close(l->ep);
    close(l->wake);
    close(l->clock);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void wake(struct loop *l)
{
    uint64_t one = 1;

    if (write(l->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
        bug("loop: eventfd: %s", strerror(errno));
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stop, true);
    wake(l);
}

void loop_call(struct loop *l, void (*fn)(void *opaque), void *opaque)
{
    struct call *c = make(sizeof(*c));

    c->fn = fn;
    c->opaque = opaque;
    pthread_mutex_lock(&l->lock);
    *l->last = c;
    l->last = &c->next;
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

void loop_around(struct loop *l, void (*enter)(void *opaque), void (*leave)(void *opaque),
                 void *opaque)
{
    l->enter = enter;
    l->leave = leave;
    l->around = opaque;
}

/* Descriptors --------------------------------------------------------------------------------------- */

static void unwatch(struct loop_fd *f)
{
    if (f->in_epoll)
        epoll_ctl(f->l->ep, EPOLL_CTL_DEL, f->fd, NULL);
    f->in_epoll = false;
    if (f->always)
        f->l->n_always--;
    f->always = false;
}

/* A parked descriptor is taken out: epoll would go on to tell of its hang-up. */
void loop_set_fd(struct loop_fd *f, int events)
{
    struct epoll_event ev = {.data.ptr = f};

    if (events == f->events)
        return;
    f->events = events;
    if (!events) {
        unwatch(f);
        return;
    }
    ev.events = (events & LOOP_READ ? EPOLLIN : 0u) | (events & LOOP_WRITE ? EPOLLOUT : 0u) |
                (events & LOOP_HANGUP ? EPOLLRDHUP : 0u);
    if (f->always ||
        epoll_ctl(f->l->ep, f->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, f->fd, &ev) == 0) {
        f->in_epoll = !f->always;
    } else if (errno == EPERM) {
        f->always = true;
        f->l->n_always++;
    } else {
        bug("loop: descriptor %d: %s", f->fd, strerror(errno));
    }
}

struct loop_fd *loop_add_fd(struct loop *l, int fd, int events, void (*fn)(void *opaque, int ready),
                            void *opaque)
{
    struct loop_fd *f = make(sizeof(*f));

    f->l = l;
    f->fd = fd;
    f->fn = fn;
    f->opaque = opaque;
    f->next = l->fds;
    l->fds = f;
    loop_set_fd(f, events);
    return f;
}

void loop_del_fd(struct loop_fd *f)
{
    if (!f)
        return;
    unwatch(f);
    f->gone = true;
    pthread_mutex_lock(&f->l->lock);
    f->l->buried = true;
    pthread_mutex_unlock(&f->l->lock);
}

/* A hang-up or error is told to whoever waits for anything: reading or writing then finds it. */
static void fd_ready(struct loop_fd *f, uint32_t ev)
{
    int ready = (ev & EPOLLIN ? LOOP_READ : 0) | (ev & EPOLLOUT ? LOOP_WRITE : 0);

    if (ev & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        ready |= LOOP_HANGUP | (f->events & LOOP_READ) |
                 (ev & (EPOLLHUP | EPOLLERR) ? f->events & LOOP_WRITE : 0);
    if (!f->gone && (ready &= f->events | LOOP_HANGUP))
        f->fn(f->opaque, ready);
}

static void always_ready(struct loop *l)
{
    for (struct loop_fd *f = l->fds; f; f = f->next)
        if (f->always && !f->gone && (f->events & (LOOP_READ | LOOP_WRITE)))
            f->fn(f->opaque, f->events & (LOOP_READ | LOOP_WRITE));
}

/* Timers -------------------------------------------------------------------------------------------- */

static void set_clock_locked(struct loop *l)
{
    struct itimerspec its = {0};
    int64_t at = INT64_MAX;

    for (struct loop_timer *t = l->timers; t; t = t->next)
        if (!t->gone && t->at < at)
            at = t->at;
    if (at == l->armed)
        return;
    l->armed = at;
    if (at != INT64_MAX) { /* zero would disarm it */
        at = at < 1 ? 1 : at;
        its.it_value = (struct timespec){at / 1000000000, at % 1000000000};
    }
    timerfd_settime(l->clock, TFD_TIMER_ABSTIME, &its, NULL);
}

struct loop_timer *loop_add_timer(struct loop *l, void (*fn)(void *opaque), void *opaque)
{
    struct loop_timer *t = make(sizeof(*t));

    t->l = l;
    t->at = INT64_MAX;
    t->fn = fn;
    t->opaque = opaque;
    pthread_mutex_lock(&l->lock);
    t->next = l->timers;
    l->timers = t;
    pthread_mutex_unlock(&l->lock);
    return t;
}

void loop_arm(struct loop_timer *t, int64_t at)
{
    pthread_mutex_lock(&t->l->lock);
    t->at = at;
    set_clock_locked(t->l);
    pthread_mutex_unlock(&t->l->lock);
}

void loop_del_timer(struct loop_timer *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->l->lock);
    t->gone = true;
    t->l->buried = true;
    set_clock_locked(t->l);
    pthread_mutex_unlock(&t->l->lock);
}

static struct loop_timer *due_locked(struct loop *l, int64_t now)
{
    struct loop_timer *due = NULL;

    for (struct loop_timer *t = l->timers; t; t = t->next)
        if (!t->gone && t->at <= now && (!due || t->at < due->at))
            due = t;
    return due;
}

/* What is armed again for the past waits for the next round, so that a round ends. */
static void run_timers(struct loop *l)
{
    int64_t now = now_ns();
    struct loop_timer *t;
    unsigned left = 0;

    pthread_mutex_lock(&l->lock);
    for (t = l->timers; t; t = t->next)
        left++;
    while (left-- && (t = due_locked(l, now))) {
        t->at = INT64_MAX;
        pthread_mutex_unlock(&l->lock);
        t->fn(t->opaque);
        pthread_mutex_lock(&l->lock);
    }
    l->armed = -1; /* it has fired */
    set_clock_locked(l);
    pthread_mutex_unlock(&l->lock);
}

/* A round ------------------------------------------------------------------------------------------- */

/* Calls asked for by these calls wait for the next round. */
static void run_calls(struct loop *l)
{
    struct call *c, *next;
    uint64_t count;

    if (read(l->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
        bug("loop: eventfd: %s", strerror(errno));
    pthread_mutex_lock(&l->lock);
    c = l->calls;
    l->calls = NULL;
    l->last = &l->calls;
    pthread_mutex_unlock(&l->lock);
    for (; c; c = next) {
        next = c->next;
        c->fn(c->opaque);
        free(c);
    }
}

static void bury_locked(struct loop *l)
{
    for (struct loop_fd **at = &l->fds, *f; (f = *at);) {
        if (!f->gone) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        free(f);
    }
    for (struct loop_timer **at = &l->timers, *t; (t = *at);) {
        if (!t->gone) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        free(t);
    }
    l->buried = false;
}

static void handle(struct loop *l, const struct epoll_event *ev)
{
    if (ev->data.ptr == &l->wake) {
        run_calls(l);
    } else if (ev->data.ptr == &l->clock) {
        uint64_t count;

        if (read(l->clock, &count, sizeof(count)) < 0 && errno != EAGAIN)
            bug("loop: timerfd: %s", strerror(errno));
        run_timers(l);
    } else {
        fd_ready(ev->data.ptr, ev->events);
    }
}

static int wait_ms(const struct loop *l, int64_t timeout_ns)
{
    if (l->n_always || !timeout_ns)
        return 0;
    if (timeout_ns < 0)
        return -1;
    return timeout_ns > 3600 * 1000000000ll ? 3600000 : (int)((timeout_ns + 999999) / 1000000);
}

void loop_once(struct loop *l, int64_t timeout_ns)
{
    struct epoll_event ev[64];
    int n = epoll_wait(l->ep, ev, 64, wait_ms(l, timeout_ns));

    if (n < 0 && errno != EINTR)
        bug("loop: epoll: %s", strerror(errno));
    if (n <= 0 && !l->n_always)
        return;
    if (l->enter)
        l->enter(l->around);
    for (int i = 0; i < n; i++)
        handle(l, &ev[i]);
    if (l->n_always)
        always_ready(l);
    pthread_mutex_lock(&l->lock);
    if (l->buried)
        bury_locked(l);
    pthread_mutex_unlock(&l->lock);
    if (l->leave)
        l->leave(l->around);
}

void loop_run(struct loop *l)
{
    while (!atomic_load(&l->stop))
        loop_once(l, -1);
    atomic_store(&l->stop, false);
}
