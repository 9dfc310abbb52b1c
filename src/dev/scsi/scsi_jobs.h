/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of a SCSI controller on threads of their own, so that no CPU waits for the host's disk.  Begun, ended and drained under the
 * machine's lock.
 */
#ifndef DEV_SCSI_SCSI_JOBS_H
#define DEV_SCSI_SCSI_JOBS_H

#include "dev/drive_errors.h"
#include "dev/scsi/scsi.h"

/** struct scsi_job - one command.  The controller's, and it stays where it is until done. */
struct scsi_job {
    struct scsi_cmd c;
    uint32_t target, lun;
    /** done - under the machine's lock, from any thread: c has the answer, found whether there is such a target.  With c.again it is to
     * be begun anew when the machine runs (drive_errors.h). */
    void (*done)(struct scsi_job *j, bool found);

    struct scsi_job *next;
    bool found;
};

enum { SCSI_JOB_THREADS = 4 };

struct scsi_jobs {
    struct machine *m;
    struct scsi_bus *bus;
    struct drive_wait wait;
    pthread_mutex_t lock;         /* what follows */
    pthread_cond_t wake, calm;    /* there is something to do, or an end; nobody runs a command */
    struct scsi_job *first, *last; /* to be run */
    struct scsi_job *ended, *last_ended;
    unsigned running, idle, n;
    bool gone;
    pthread_t thread[SCSI_JOB_THREADS];
};

void scsi_jobs_init(struct scsi_jobs *s, struct machine *m, struct scsi_bus *bus);
/** scsi_jobs_fini - nobody is told of what was going on. */
void scsi_jobs_fini(struct scsi_jobs *s);
void scsi_job_start(struct scsi_jobs *s, struct scsi_job *j);
/** scsi_jobs_drain - all have ended when this returns; done was called for each, but not with @forget. */
void scsi_jobs_drain(struct scsi_jobs *s, bool forget);

#endif
