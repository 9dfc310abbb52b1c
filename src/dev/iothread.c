/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that the user makes for disks; see iothread.h. */
#include "dev/iothread.h"

#include "base/err.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct iothread {
    pthread_t thread;
    struct iothread_options options;
    char name[16]; /* as long as Linux lets it be */
    pthread_mutex_t lock; /* all below */
    pthread_cond_t wake, calm;
    struct iothread_job *first, **last, *now;
    bool quit;
    pid_t tid; /* set before iothread_new returns */
};

static struct iothread_job *take(struct iothread *t)
{
    struct iothread_job *j = t->first;

    if (j && !(t->first = j->next))
        t->last = &t->first;
    return j;
}

static void *thread_main(void *opaque)
{
    struct iothread *t = opaque;
    struct iothread_job *j;

    pthread_setname_np(pthread_self(), t->name);
    pthread_mutex_lock(&t->lock);
    t->tid = gettid();
    pthread_cond_broadcast(&t->calm);
    while (!t->quit) {
        if (!(j = take(t))) {
            pthread_cond_wait(&t->wake, &t->lock);
            continue;
        }
        j->queued = false;
        t->now = j;
        pthread_mutex_unlock(&t->lock);
        j->fn(j->opaque);
        pthread_mutex_lock(&t->lock);
        t->now = NULL;
        pthread_cond_broadcast(&t->calm);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

struct iothread *iothread_new(const char *id, const struct iothread_options *o)
{
    struct iothread *t = calloc(1, sizeof(*t));

    if (!t)
        fatal("out of memory");
    t->options = *o;
    snprintf(t->name, sizeof(t->name), "IO %.12s", id);
    t->last = &t->first;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    pthread_cond_init(&t->calm, NULL);
    if (pthread_create(&t->thread, NULL, thread_main, t) != 0)
        fatal("cannot start the thread of iothread '%s'", id);
    pthread_mutex_lock(&t->lock);
    while (!t->tid)
        pthread_cond_wait(&t->calm, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return t;
}

void iothread_free(struct iothread *t)
{
    pthread_mutex_lock(&t->lock);
    t->quit = true;
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->wake);
    pthread_cond_destroy(&t->calm);
    free(t);
}

pid_t iothread_tid(const struct iothread *t)
{
    return t->tid;
}

const struct iothread_options *iothread_options(const struct iothread *t)
{
    return &t->options;
}

void iothread_post(struct iothread *t, struct iothread_job *j)
{
    pthread_mutex_lock(&t->lock);
    if (!j->queued) {
        j->queued = true;
        j->next = NULL;
        *t->last = j;
        t->last = &j->next;
        pthread_cond_signal(&t->wake);
    }
    pthread_mutex_unlock(&t->lock);
}

void iothread_cancel(struct iothread *t, struct iothread_job *j)
{
    struct iothread_job **p;

    pthread_mutex_lock(&t->lock);
    for (p = &t->first; *p && *p != j; p = &(*p)->next)
        ;
    if (*p && !(*p = j->next))
        t->last = p;
    j->queued = false;
    while (t->now == j)
        pthread_cond_wait(&t->calm, &t->lock);
    pthread_mutex_unlock(&t->lock);
}
