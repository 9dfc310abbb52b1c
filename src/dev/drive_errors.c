/* SPDX-License-Identifier: GPL-2.0-or-later */
/* werror= and rerror=; see drive_errors.h. */
#include "dev/drive_errors.h"

#include <errno.h>
#include <json-c/json.h>

const char *const drive_error_actions[] = {"report", "ignore", "stop", "enospc", "auto", NULL};

static void tell(struct machine *m, const struct drive *d, bool write, const struct err *why, bool stop)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "device", json_object_new_string(d->id ? d->id : ""));
    json_object_object_add(o, "operation", json_object_new_string(write ? "write" : "read"));
    json_object_object_add(o, "action", json_object_new_string(stop ? "stop" : "report"));
    json_object_object_add(o, "nospace", json_object_new_boolean(why->code == -ENOSPC));
    json_object_object_add(o, "reason", json_object_new_string(why->msg));
    machine_event(m, "BLOCK_IO_ERROR", o);
    if (stop)
        machine_ask(m, ASK_STOP, "io-error");
}

enum drive_error drive_error_decide(struct machine *m, const struct drive *d, int werror, int rerror, bool write,
                                    const struct err *e)
{
    int prop = write ? werror : rerror;
    enum drive_error a = prop != DRIVE_ERRORS_AUTO ? (enum drive_error)prop : write ? d->werror : d->rerror;

    if (a == DRIVE_ENOSPC)
        a = e->code == -ENOSPC ? DRIVE_STOP : DRIVE_REPORT;
    if (a != DRIVE_IGNORE)
        tell(m, d, write, e, a == DRIVE_STOP);
    return a;
}

static void state_changed(void *opaque, bool running, enum run_state s)
{
    struct drive_wait *w = opaque;

    if (!running)
        return;
    pthread_mutex_lock(&w->lock);
    w->resumes++;
    pthread_cond_broadcast(&w->resumed);
    pthread_mutex_unlock(&w->lock);
}

void drive_wait_init(struct drive_wait *w, struct machine *m)
{
    w->m = m;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->resumed, NULL);
    machine_on_state(m, state_changed, w);
}

void drive_wait_fini(struct drive_wait *w)
{
    machine_off_state(w->m, w);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->resumed);
}

unsigned drive_wait_mark(struct drive_wait *w)
{
    pthread_mutex_lock(&w->lock);
    unsigned n = w->resumes;
    pthread_mutex_unlock(&w->lock);
    return n;
}

bool drive_wait(struct drive_wait *w, unsigned mark)
{
    bool again;

    pthread_mutex_lock(&w->lock);
    while (w->resumes == mark && !w->cancel)
        pthread_cond_wait(&w->resumed, &w->lock);
    again = w->resumes != mark;
    pthread_mutex_unlock(&w->lock);
    return again;
}

void drive_wait_cancel(struct drive_wait *w, bool on)
{
    pthread_mutex_lock(&w->lock);
    w->cancel = on;
    pthread_cond_broadcast(&w->resumed);
    pthread_mutex_unlock(&w->lock);
}
