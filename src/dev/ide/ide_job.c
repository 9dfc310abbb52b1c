/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread of a parallel ATA channel, on which commands run (ide_channel.h). */
#include "dev/ide/ide_channel.h"

/* Once; true: the host's disk failed, and the machine stops for that. */
static bool work_once(struct ide_channel *c, bool may_wait)
{
    if (c->packet_job) {
        c->scsi.may_wait = may_wait;
        atapi_run(c->disk, &c->scsi, &c->status, &c->error);
        return c->scsi.again;
    }
    c->ata.may_wait = may_wait;
    ata_run(c->disk, &c->ata);
    c->status = c->ata.status;
    c->error = c->ata.error;
    return c->ata.again;
}

/* Until it goes well or is to be told of; or until who waits is cancelled, because of a reset or because the state is saved. */
static void work(struct ide_channel *c, bool may_wait)
{
    unsigned mark;

    do {
        mark = drive_wait_mark(&c->wait);
        c->gave_up = work_once(c, may_wait);
    } while (c->gave_up && drive_wait(&c->wait, mark));
}

/* Whoever comes first tells of the end: the thread itself, or who must not wait for it to get the machine's lock. */
static void finish(struct ide_channel *c, bool wait, bool forget)
{
    bool finished;

    if (wait)
        drive_wait_cancel(&c->wait, true);
    pthread_mutex_lock(&c->lock);
    while (wait && c->working) {
        if (!c->wanted) {
            pthread_cond_wait(&c->calm, &c->lock);
            continue;
        }
        c->wanted = c->working = false; /* the thread has not begun, and may be waiting for the lock that we have */
        work(c, !forget);
        c->finished = true;
    }
    finished = c->finished;
    c->finished = false;
    pthread_mutex_unlock(&c->lock);
    if (wait)
        drive_wait_cancel(&c->wait, false);
    if (!finished) {
        c->again = forget ? IDE_NOT_AGAIN : c->again;
        return;
    }
    if (c->dma_job)
        c->dma->unmap(c->opaque, c->to_memory);
    if (forget)
        c->again = IDE_NOT_AGAIN;
    else if (c->gave_up)
        c->again = c->dma_job ? IDE_AGAIN_DMA : IDE_AGAIN;
    else
        ide_job_done(c);
}

/* A command that waited when the state was saved begins anew. */
static void state_changed(void *opaque, bool running, enum run_state s)
{
    struct ide_channel *c = opaque;
    uint8_t how = c->again;

    if (!running || !how)
        return;
    c->again = IDE_NOT_AGAIN;
    ide_job_again(c, how == IDE_AGAIN_DMA);
}

static void *thread_main(void *opaque)
{
    struct ide_channel *c = opaque;

    pthread_setname_np(pthread_self(), "ide-channel");
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->wanted && !c->gone)
            pthread_cond_wait(&c->wake, &c->lock);
        if (c->gone)
            break;
        c->wanted = false;
        pthread_mutex_unlock(&c->lock);
        work(c, true);
        pthread_mutex_lock(&c->lock);
        c->working = false;
        c->finished = true;
        pthread_cond_broadcast(&c->calm);
        pthread_mutex_unlock(&c->lock);
        machine_lock(c->dev->m);
        finish(c, false, false);
        machine_unlock(c->dev->m);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

void ide_job_run(struct ide_channel *c)
{
    pthread_mutex_lock(&c->lock);
    c->disk = c->bus.disk[c->device >> 4 & 1];
    c->wanted = c->working = true;
    c->finished = false;
    if (!c->has_thread && pthread_create(&c->thread, NULL, thread_main, c) != 0)
        fatal("cannot start a thread for a disk");
    c->has_thread = true;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void ide_job_drain(struct ide_channel *c, bool forget)
{
    finish(c, true, forget);
}

void ide_job_init(struct ide_channel *c)
{
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    pthread_cond_init(&c->calm, NULL);
    drive_wait_init(&c->wait, c->dev->m);
    machine_on_state(c->dev->m, state_changed, c);
}

void ide_job_fini(struct ide_channel *c)
{
    struct machine *m = c->dev->m;
    unsigned depth = 0;

    ide_job_drain(c, true);
    pthread_mutex_lock(&c->lock);
    c->gone = true;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
    for (; machine_locked(m); depth++)
        machine_unlock(m);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    while (depth--)
        machine_lock(m);
    machine_off_state(m, c);
    drive_wait_fini(&c->wait);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    pthread_cond_destroy(&c->calm);
}
