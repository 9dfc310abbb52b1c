/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The threads of a SCSI controller, on which commands run (scsi_jobs.h). */
#include "dev/scsi/scsi_jobs.h"

static void append(struct scsi_job **first, struct scsi_job **last, struct scsi_job *j)
{
    j->next = NULL;
    if (*first)
        (*last)->next = j;
    else
        *first = j;
    *last = j;
}

static struct scsi_job *take(struct scsi_job **first)
{
    struct scsi_job *j = *first;

    if (j)
        *first = j->next;
    return j;
}

/* Until it goes well or is to be told of; or until who waits is cancelled, because of a reset or because the state is saved. */
static void work(struct scsi_jobs *s, struct scsi_job *j, bool may_wait)
{
    unsigned mark;

    j->c.may_wait = may_wait;
    do {
        mark = drive_wait_mark(&s->wait);
        j->found = scsi_bus_run(s->bus, 0, j->target, j->lun, &j->c);
    } while (j->c.again && drive_wait(&s->wait, mark));
}

/* The first of those that are to be run, without the lock meanwhile. */
static void run_one(struct scsi_jobs *s, bool may_wait)
{
    struct scsi_job *j = take(&s->first);

    s->running++;
    pthread_mutex_unlock(&s->lock);
    work(s, j, may_wait);
    pthread_mutex_lock(&s->lock);
    s->running--;
    append(&s->ended, &s->last_ended, j);
    pthread_cond_broadcast(&s->calm);
}

/* Whoever comes first tells of ends: a thread, or who must not wait for it to get the machine's lock. */
static void tell(struct scsi_jobs *s, bool forget)
{
    struct scsi_job *j;

    pthread_mutex_lock(&s->lock);
    while ((j = take(&s->ended))) {
        pthread_mutex_unlock(&s->lock);
        if (!forget)
            j->done(j, j->found);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *thread_main(void *opaque)
{
    struct scsi_jobs *s = opaque;

    pthread_setname_np(pthread_self(), "scsi");
    pthread_mutex_lock(&s->lock);
    for (;;) {
        s->idle++;
        while (!s->first && !s->gone)
            pthread_cond_wait(&s->wake, &s->lock);
        s->idle--;
        if (s->gone)
            break;
        run_one(s, true);
        pthread_mutex_unlock(&s->lock);
        machine_lock(s->m);
        tell(s, false);
        machine_unlock(s->m);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

void scsi_job_start(struct scsi_jobs *s, struct scsi_job *j)
{
    pthread_mutex_lock(&s->lock);
    append(&s->first, &s->last, j);
    if (!s->idle && s->n < SCSI_JOB_THREADS) {
        if (pthread_create(&s->thread[s->n], NULL, thread_main, s) == 0)
            s->n++;
        else if (!s->n)
            fatal("cannot start a thread for a disk");
    }
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void scsi_jobs_drain(struct scsi_jobs *s, bool forget)
{
    drive_wait_cancel(&s->wait, true);
    pthread_mutex_lock(&s->lock);
    while (s->first || s->running) {
        if (s->first)
            run_one(s, !forget); /* its thread may be waiting for the lock that we have */
        else
            pthread_cond_wait(&s->calm, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    drive_wait_cancel(&s->wait, false);
    tell(s, forget);
}

void scsi_jobs_init(struct scsi_jobs *s, struct machine *m, struct scsi_bus *bus)
{
    *s = (struct scsi_jobs){.m = m, .bus = bus};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    pthread_cond_init(&s->calm, NULL);
    drive_wait_init(&s->wait, m);
}

void scsi_jobs_fini(struct scsi_jobs *s)
{
    unsigned depth = 0;

    scsi_jobs_drain(s, true);
    pthread_mutex_lock(&s->lock);
    s->gone = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    for (; machine_locked(s->m); depth++)
        machine_unlock(s->m);
    for (unsigned i = 0; i < s->n; i++)
        pthread_join(s->thread[i], NULL);
    while (depth--)
        machine_lock(s->m);
    drive_wait_fini(&s->wait);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->calm);
}
