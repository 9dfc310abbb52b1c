/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens when the host cannot read or write a disk: werror= and rerror= of -drive and of devices.  "stop": the machine
 * stops, and the request is tried again when it runs on; meanwhile it waits on a thread of its device.
 */
#ifndef DEV_DRIVE_ERRORS_H
#define DEV_DRIVE_ERRORS_H

#include "block/drive.h"
#include "bus/machine.h"

#include <pthread.h>

/* Values of the devices' properties: those of enum drive_error, and what -drive said. */
enum { DRIVE_ERRORS_AUTO = 4 };
extern const char *const drive_error_actions[];
#define DRIVE_ERROR_FIELDS(type)                                                                   \
    FIELD_ENUM(type, werror, drive_error_actions, "werror", "auto", "when a write fails"),         \
        FIELD_ENUM(type, rerror, drive_error_actions, "rerror", "auto", "when a read fails")

/** drive_error_decide - DRIVE_REPORT, DRIVE_IGNORE or DRIVE_STOP for a failure @e of a request; monitors are told
 * unless it is ignored, and for DRIVE_STOP the machine is asked to stop.  Any thread. */
enum drive_error drive_error_decide(struct machine *m, const struct drive *d, int werror, int rerror, bool write,
                                    const struct err *e);

/* struct drive_wait - a device's requests that wait for the machine to run again. */
struct drive_wait {
    struct machine *m;
    pthread_mutex_t lock; /* the two below */
    pthread_cond_t resumed;
    unsigned resumes; /* how often the machine has begun to run */
    bool cancel;      /* who waits for that gives up */
};

/** drive_wait_init, drive_wait_fini - under the machine's lock; nobody waits at the end. */
void drive_wait_init(struct drive_wait *w, struct machine *m);
void drive_wait_fini(struct drive_wait *w);
/** drive_wait_mark - before a try; drive_wait - after it failed with DRIVE_STOP.  True: try again.  False: it was
 * cancelled, because the device is reset or goes away.  Any thread, without locks. */
unsigned drive_wait_mark(struct drive_wait *w);
bool drive_wait(struct drive_wait *w, unsigned mark);
void drive_wait_cancel(struct drive_wait *w, bool on);

#endif
