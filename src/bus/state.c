/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a whole machine as bytes: "EMUSTATE", version (32 bits), then parts: name, version (32),
 * length (64), and what schema/state.c makes of the part's table; a part with an empty name is the end.
 * A device's part begins with the levels of its interrupt lines (8 bits).
 *
 * Loading fills all fields first and then lets every device check and derive the rest, in order of birth: no device
 * meets another one half loaded.
 */
#include "bus/machine_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_VERSION = 1, N_IRQ = sizeof(((struct dev *)0)->irq) / sizeof(struct irq_line) };
static const char magic[8] = {'E', 'M', 'U', 'S', 'T', 'A', 'T', 'E'};

static int64_t timer_get(const void *timer)
{
    return ((const struct timer *)timer)->at;
}

static void timer_set(void *timer, int64_t at)
{
    timer_at(timer, at);
}

static const struct state_timers timers = {.get = timer_get, .set = timer_set};

static const struct state machine_state_table[] = {
    STATE(machine, virt, S_U64, 1, "ns of the virtual clock"),
    STATE_END,
};

/* A device's name in the stream: its id, or its type and its number among those of its type without one. */
static void part_name(const struct dev *d, char name[256])
{
    unsigned n = 0;

    if (d->id) {
        snprintf(name, 256, "%.200s %.50s", d->id, d->type->name);
        return;
    }
    for (const struct dev *o = d->m->devs; o != d; o = o->next)
        n += o->type == d->type && !o->id;
    snprintf(name, 256, "#%u %.200s", n, d->type->name);
}

static void put_name(struct state_out *out, const char *name)
{
    state_put_le(out, strlen(name), 1);
    state_put(out, name, strlen(name));
}

static void put_part(struct state_out *out, const char *name, int version, int irqs,
                     const struct state *table, const void *obj)
{
    struct state_out part = {0};

    if (irqs >= 0)
        state_put_le(&part, (uint64_t)irqs, 1);
    if (table)
        state_save(table, obj, &part, &timers);
    put_name(out, name);
    state_put_le(out, (uint64_t)version, 4);
    state_put_le(out, part.len, 8);
    state_put(out, part.data, part.len);
    free(part.data);
}

static int levels(const struct dev *d)
{
    int bits = 0;

    for (int i = 0; i < N_IRQ; i++)
        bits |= d->irq[i].level << i;
    return bits;
}

int machine_save(struct machine *m, uint8_t **buf, size_t *len, struct err *e)
{
    struct state_out out = {0};
    char name[256];

    if (m->ticking)
        return err_set(e, -EBUSY, "the machine is running");
    state_put(&out, magic, sizeof(magic));
    state_put_le(&out, STREAM_VERSION, 4);
    put_part(&out, "machine", 1, -1, machine_state_table, m);
    for (struct dev *d = m->devs; d; d = d->next)
        if (d->type->saving)
            d->type->saving(d);
    if (m->posted.n)
        posted_run(m); /* what they wrote at last */
    for (struct dev *d = m->devs; d; d = d->next) {
        part_name(d, name);
        put_part(&out, name, d->type->state_version, levels(d), d->type->state, d);
        if (d->type->saved)
            d->type->saved(d);
    }
    for (struct saved *s = m->saved; s; s = s->next) {
        if (s->saving)
            s->saving(s->obj);
        put_part(&out, s->name, s->version, -1, s->table, s->obj);
    }
    put_name(&out, "");
    *buf = out.data;
    *len = out.len;
    return 0;
}

/* One part to fill: a device, or something else. */
struct part {
    char name[256];
    struct dev *d;
    struct saved *s;
    int version; /* of the stream; -1: has not come yet */
};

static struct part *parts_of(struct machine *m, unsigned *n)
{
    struct part *parts;
    unsigned i = 0;

    *n = 0;
    for (struct dev *d = m->devs; d; d = d->next)
        ++*n;
    for (struct saved *s = m->saved; s; s = s->next)
        ++*n;
    parts = bus_alloc((*n + 1) * sizeof(*parts));
    for (struct dev *d = m->devs; d; d = d->next, i++) {
        parts[i] = (struct part){.d = d, .version = -1};
        part_name(d, parts[i].name);
    }
    for (struct saved *s = m->saved; s; s = s->next, i++) {
        parts[i] = (struct part){.s = s, .version = -1};
        snprintf(parts[i].name, sizeof(parts[i].name), "%s", s->name);
    }
    return parts;
}

static struct part *part_find(struct part *parts, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(parts[i].name, name))
            return &parts[i];
    return NULL;
}

static int load_fields(struct part *p, int newest, const struct state *table, void *obj,
                       struct state_in *in, struct err *e)
{
    int r = 0;

    if (p->version > newest)
        return err_set(e, -ENOTSUP, "version %d, at most %d is known", p->version, newest);
    if (table)
        r = state_load(table, obj, p->version, in, &timers, e);
    if (r == 0 && in->left)
        r = err_set(e, -EILSEQ, "%zu bytes too many", in->left);
    return r;
}

static int load_dev(struct part *p, struct state_in *in, struct err *e)
{
    uint64_t bits;
    int r = state_get_le(in, 1, &bits, e);

    if (r < 0 || (r = load_fields(p, p->d->type->state_version, p->d->type->state, p->d, in, e)) < 0)
        return r;
    for (int i = 0; i < N_IRQ; i++)
        p->d->irq[i].level = bits >> i & 1; /* the other end has its own state */
    return 0;
}

static int load_machine(struct machine *m, struct state_in *in, struct err *e)
{
    struct machine *copy = bus_alloc(sizeof(*copy));
    int r = state_load(machine_state_table, copy, 1, in, &timers, e);

    if (r == 0 && copy->virt < 0)
        r = err_set(e, -EILSEQ, "the clock is before the beginning of time");
    if (r == 0) {
        pthread_mutex_lock(&m->time);
        m->virt = copy->virt;
        pthread_mutex_unlock(&m->time);
    }
    free(copy);
    return r;
}

static int load_part(struct machine *m, struct part *parts, unsigned n, const char *name,
                     struct state_in *in, struct err *e)
{
    struct part *p = part_find(parts, n, name);
    uint64_t version, len;
    struct state_in part;
    int r;

    if ((r = state_get_le(in, 4, &version, e)) < 0 || (r = state_get_le(in, 8, &len, e)) < 0)
        return r;
    part = (struct state_in){.at = state_get(in, len), .left = len};
    if (!part.at)
        return err_set(e, -EILSEQ, "ends too early");
    if (!strcmp(name, "machine") && !p)
        return load_machine(m, &part, e);
    if (!p)
        return err_set(e, -ENOENT, "this machine has no such device");
    if (p->version >= 0)
        return err_set(e, -EILSEQ, "comes twice");
    if (version > INT32_MAX)
        return err_set(e, -EILSEQ, "has a version that is none");
    p->version = (int)version;
    return p->d ? load_dev(p, &part, e)
                : load_fields(p, p->s->version, p->s->table, p->s->obj, &part, e);
}

static int load_parts(struct machine *m, struct part *parts, unsigned n, struct state_in *in,
                      struct err *e)
{
    char name[256];
    int r;

    for (;;) {
        if ((r = state_get_name(in, name, e)) < 0)
            return r;
        if (!name[0])
            break;
        if ((r = load_part(m, parts, n, name, in, e)) < 0)
            return err_wrap(e, r, "state of '%s'", name);
    }
    for (unsigned i = 0; i < n; i++)
        if (parts[i].version < 0)
            return err_set(e, -EILSEQ, "state of '%s' is missing", parts[i].name);
    return 0;
}

static int finish(struct part *p, struct err *e)
{
    int r = 0;

    if (p->d && p->d->type->loaded)
        r = p->d->type->loaded(p->d, p->version, e);
    else if (p->s && p->s->loaded)
        r = p->s->loaded(p->s->obj, p->version, e);
    return r < 0 ? err_wrap(e, r, "state of '%s'", p->name) : 0;
}

int machine_load(struct machine *m, const uint8_t *buf, size_t len, struct err *e)
{
    struct state_in in = {.at = buf, .left = len};
    const uint8_t *head = state_get(&in, sizeof(magic));
    struct part *parts;
    uint64_t version;
    unsigned n;
    int r;

    if (!head || memcmp(head, magic, sizeof(magic)) != 0)
        return err_set(e, -EILSEQ, "this is no saved machine");
    if ((r = state_get_le(&in, 4, &version, e)) < 0)
        return r;
    if (version != STREAM_VERSION)
        return err_set(e, -ENOTSUP, "saved machine of version %u, not %u", (unsigned)version,
                       (unsigned)STREAM_VERSION);
    parts = parts_of(m, &n);
    r = load_parts(m, parts, n, &in, e);
    for (unsigned i = 0; r == 0 && i < n; i++)
        r = finish(&parts[i], e);
    free(parts);
    return r;
}
