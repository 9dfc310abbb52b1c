/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libslirp on the event loop.  It tells before each wait which descriptors it wants, and is told after it which
 * are ready.  They are kept in an epoll instance of their own, which the loop watches as one descriptor: so slirp
 * is called once for all that is ready, and what has not changed costs nothing.
 */
#include "net/net_user_priv.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

/* What slirp wants of one descriptor, as epoll knows it. */
struct wanted {
    uint32_t events; /* 0: not in the set */
    uint32_t next;   /* as slirp said in this turn */
    uint32_t ready;
    unsigned turn;
};

struct user_poll {
    int ep;
    struct loop_fd *watch;
    struct wanted *fds; /* by number */
    int fds_n;
    unsigned turn;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static uint32_t to_epoll(int events)
{
    return (events & SLIRP_POLL_IN ? EPOLLIN : 0u) | (events & SLIRP_POLL_OUT ? EPOLLOUT : 0u) |
           (events & SLIRP_POLL_PRI ? EPOLLPRI : 0u);
}

static int from_epoll(uint32_t events)
{
    return (events & EPOLLIN ? SLIRP_POLL_IN : 0) | (events & EPOLLOUT ? SLIRP_POLL_OUT : 0) |
           (events & EPOLLPRI ? SLIRP_POLL_PRI : 0) | (events & EPOLLERR ? SLIRP_POLL_ERR : 0) |
           (events & EPOLLHUP ? SLIRP_POLL_HUP : 0);
}

/* The index that slirp gets back is the descriptor. */
static int add_poll(int fd, int events, void *opaque)
{
    struct user_poll *p = ((struct user *)opaque)->poll;

    if (fd < 0)
        return -1;
    if (fd >= p->fds_n) {
        int n = fd + 64;

        if (!(p->fds = realloc(p->fds, (size_t)n * sizeof(*p->fds))))
            fatal("out of memory");
        memset(p->fds + p->fds_n, 0, (size_t)(n - p->fds_n) * sizeof(*p->fds));
        p->fds_n = n;
    }
    struct wanted *w = &p->fds[fd];

    w->next = (w->turn == p->turn ? w->next : 0) | to_epoll(events);
    w->turn = p->turn;
    return fd;
}

static int get_revents(int fd, void *opaque)
{
    struct user_poll *p = ((struct user *)opaque)->poll;

    return fd >= 0 && fd < p->fds_n ? from_epoll(p->fds[fd].ready) : 0;
}

static void apply(struct user_poll *p)
{
    for (int fd = 0; fd < p->fds_n; fd++) {
        struct wanted *w = &p->fds[fd];
        uint32_t want = w->turn == p->turn ? w->next : 0;
        struct epoll_event ev = {.events = want, .data.fd = fd};

        if (want == w->events)
            continue;
        /* A closed descriptor has left the set by itself, perhaps to come back as another. */
        if (!want)
            epoll_ctl(p->ep, EPOLL_CTL_DEL, fd, NULL);
        else if (epoll_ctl(p->ep, w->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) < 0)
            epoll_ctl(p->ep, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
        w->events = want;
    }
}

static void refill(struct user *u)
{
    uint32_t timeout = UINT32_MAX;

    u->dirty = false;
    u->poll->turn++;
    slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
    apply(u->poll);
    loop_arm(u->timer, timeout == UINT32_MAX ? INT64_MAX : now_ns() + timeout * INT64_C(1000000));
}

/* Whether something is ready or only time has passed: slirp looks at both. */
static void turn(struct user *u)
{
    struct user_poll *p = u->poll;
    struct epoll_event events[EVENTS];
    int n = epoll_wait(p->ep, events, EVENTS, 0);

    for (int i = 0; i < n; i++)
        if (events[i].data.fd < p->fds_n)
            p->fds[events[i].data.fd].ready = events[i].events;
    slirp_pollfds_poll(u->slirp, 0, get_revents, u);
    for (int i = 0; i < n; i++)
        if (events[i].data.fd < p->fds_n)
            p->fds[events[i].data.fd].ready = 0;
    user_forwards_poll(u);
    refill(u);
}

static void on_ready(void *opaque, int ready)
{
    turn(opaque);
}

static void on_timer(void *opaque)
{
    struct user *u = opaque;

    if (u->dirty)
        refill(u);
    else
        turn(u);
}

void user_poll_changed(struct user *u)
{
    if (!u->poll || u->dirty)
        return;
    u->dirty = true;
    loop_arm(u->timer, now_ns());
}

void user_poll_forget(struct user *u, int fd)
{
    struct user_poll *p = u->poll;

    if (!p || fd < 0 || fd >= p->fds_n || !p->fds[fd].events)
        return;
    epoll_ctl(p->ep, EPOLL_CTL_DEL, fd, NULL);
    p->fds[fd].events = 0;
}

int user_poll_open(struct user *u, struct err *e)
{
    struct user_poll *p = calloc(1, sizeof(*p));

    if (!p)
        fatal("out of memory");
    if ((p->ep = epoll_create1(EPOLL_CLOEXEC)) < 0) {
        free(p);
        return err_set(e, -errno, "epoll_create1: %s", strerror(errno));
    }
    u->poll = p;
    u->timer = loop_add_timer(u->net.env->loop, on_timer, u);
    p->watch = loop_add_fd(u->net.env->loop, p->ep, LOOP_READ, on_ready, u);
    refill(u);
    return 0;
}

void user_poll_close(struct user *u)
{
    if (!u->poll)
        return;
    loop_del_fd(u->poll->watch);
    loop_del_timer(u->timer);
    close(u->poll->ep);
    free(u->poll->fds);
    free(u->poll);
    u->poll = NULL;
}
