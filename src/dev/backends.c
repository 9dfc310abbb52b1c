/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How devices come to the back ends that their properties name. */
#include "dev/backends.h"

#include "bus/machine.h"

#include <errno.h>
#include <stdlib.h>

/* What messages call a device: its id, if it has one. */
static const char *called(const struct dev *d)
{
    return d->id ? d->id : d->type->name;
}

static void *find(struct dev *d, const char *kind, const char *prop, const char *id, struct err *e)
{
    void *b = machine_backend(d->m, kind, id);

    if (!b)
        err_set(e, -ENOENT, "Property '%s.%s' can't find value '%s'", called(d), prop, id);
    return b;
}

int dev_take_chr(struct dev *d, const char *id, const struct chr_front *f, void *opaque,
                 struct chr **c, struct err *e)
{
    *c = NULL;
    if (!id)
        return 0;
    *c = find(d, "chardev", "chardev", id, e);
    if (!*c)
        return e->code;
    return chr_attach(*c, f, opaque, e);
}

int dev_take_drive(struct dev *d, const char *id, struct drive **drive, struct err *e)
{
    *drive = find(d, "drive", "drive", id, e);
    if (!*drive)
        return e->code;
    if ((*drive)->used)
        return err_set(e, -EBUSY, "Drive '%s' is already in use by another block device", id);
    (*drive)->used = true;
    return 0;
}

void dev_drop_drive(struct drive *drive)
{
    if (drive) {
        drive->used = false;
        drive->removable = false;
        drive->owner = NULL;
        drive->changed = NULL;
    }
}

/* --- Input --- */

struct seat {
    struct machine *m;
    struct input_env env;
    struct input *input;
    struct timer timer;
};

static void seat_due(void *opaque)
{
    struct seat *s = opaque;

    input_due(s->input);
}

static void seat_arm(void *opaque, int64_t ns)
{
    struct seat *s = opaque;

    timer_at(&s->timer, clock_now(s->m, CLK_VIRT) + ns);
}

/* Without a main loop (tests) nothing ever runs, and everything is heard. */
static bool seat_awake(void *opaque)
{
    struct seat *s = opaque;
    enum run_state state = machine_state(s->m);

    return !machine_loop(s->m) || state == RUN_RUNNING || state == RUN_SUSPENDED;
}

static void seat_end(void *opaque)
{
    struct seat *s = opaque;

    timer_cancel(&s->timer);
    input_free(s->input);
    free(s);
}

struct input *machine_input(struct machine *m)
{
    struct seat *s = machine_backend(m, "input", "input");

    if (s)
        return s->input;
    if (!(s = calloc(1, sizeof(*s))))
        fatal("out of memory");
    s->m = m;
    s->env = (struct input_env){ .arm = seat_arm, .awake = seat_awake, .opaque = s };
    s->input = input_new(&s->env);
    timer_init(&s->timer, m, CLK_VIRT, seat_due, s);
    machine_add_backend(m, "input", "input", s, ERR_IGNORE);
    machine_on_end(m, seat_end, s);
    return s->input;
}

/* --- Screens --- */

static void displays_end(void *opaque)
{
    displays_free(opaque);
}

struct displays *machine_displays(struct machine *m)
{
    struct displays *d = machine_backend(m, "displays", "displays");

    if (d)
        return d;
    d = displays_new(machine_loop(m));
    machine_add_backend(m, "displays", "displays", d, ERR_IGNORE);
    machine_on_end(m, displays_end, d);
    return d;
}
