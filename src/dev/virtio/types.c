/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device types that come of models (models.def) and transports: one for each pair. */
#include "dev/virtio/wrap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define VIRTIO(name) extern const struct virtio_type virtio_##name;
#include "dev/virtio/models.def"
#undef VIRTIO

static const struct virtio_type *const models[] = {
#define VIRTIO(name) &virtio_##name,
#include "dev/virtio/models.def"
#undef VIRTIO
    NULL,
};

static const struct virtio_wrap *const wraps[] = {
    &virtio_wrap_mmio,
    &virtio_wrap_pci,
    &virtio_wrap_pci_transitional,
    &virtio_wrap_pci_non_transitional,
    &virtio_wrap_vga,
    NULL,
};

struct pair {
    struct dev_type type; /* first: dev->type is one of these */
    const struct virtio_type *model;
    const struct virtio_wrap *wrap;
    size_t model_off;
};

enum { MODEL_ALIGN = 64 };

struct virtio *virtio_of(const struct dev *d)
{
    return (struct virtio *)((uint8_t *)d + ((const struct pair *)d->type)->model_off);
}

const struct virtio_type *virtio_type_of(const struct dev_type *t)
{
    return ((const struct pair *)t)->model;
}

const struct virtio_wrap *virtio_wrap_of(const struct dev_type *t)
{
    return ((const struct pair *)t)->wrap;
}

static void *must(void *p)
{
    if (!p)
        fatal("out of memory");
    return p;
}

static unsigned add_fields(struct field *to, const struct field *from, size_t off)
{
    unsigned n = 0;

    for (; from && from[n].name; n++) {
        if (to) {
            to[n] = from[n];
            to[n].offset += off;
        }
    }
    return n;
}

/* The transport's properties, all virtio devices', the model's. */
static unsigned all_fields(struct field *to, const struct pair *p)
{
    unsigned n = add_fields(to, p->wrap->props, 0);

    n += add_fields(to ? to + n : NULL, virtio_props, p->model_off);
    return n + add_fields(to ? to + n : NULL, p->model->props, p->model_off);
}

static const struct state *all_state(const struct pair *p)
{
    unsigned n = 0;
    struct state *s;

    while (p->wrap->state && p->wrap->state[n].name)
        n++;
    s = must(calloc(n + 3, sizeof(*s)));
    if (n)
        memcpy(s, p->wrap->state, n * sizeof(*s));
    s[n++] = (struct state){.name = "virtio",
                            .kind = S_STRUCT,
                            .offset = p->model_off,
                            .n = 1,
                            .elem = sizeof(struct virtio),
                            .since = 1,
                            .table = virtio_state};
    if (p->model->state)
        s[n++] = (struct state){.name = p->model->name,
                                .kind = S_STRUCT,
                                .offset = p->model_off,
                                .n = 1,
                                .elem = p->model->size,
                                .since = 1,
                                .table = p->model->state};
    return s;
}

static char *text(const char *format, const char *name)
{
    char *s = NULL;

    if (asprintf(&s, format, name) < 0)
        s = NULL;
    return must(s);
}

static void saving(struct dev *d)
{
    virtio_saving(virtio_of(d));
}

static void saved(struct dev *d)
{
    virtio_saved(virtio_of(d));
}

bool virtio_is(const struct dev *d)
{
    return d->type->saving == saving;
}

static const struct dev_type *make(const struct virtio_type *t, const struct virtio_wrap *w)
{
    struct pair *p = must(calloc(1, sizeof(*p)));
    struct field *props;

    p->model = t;
    p->wrap = w;
    p->model_off = round_up(w->size, MODEL_ALIGN);
    props = must(calloc(all_fields(NULL, p) + 1, sizeof(*props)));
    all_fields(props, p);
    p->type = (struct dev_type){
        .name = text(w->name, t->name),
        .alias = w->alias ? text(w->alias, t->name) : NULL,
        .help = t->help,
        .class = t->class,
        .bus = w->bus,
        .size = p->model_off + t->size,
        .props = props,
        .state = all_state(p),
        .state_version = t->state_version > 1 ? t->state_version : 1,
        .init = w->init,
        .reset = w->reset,
        .fini = w->fini,
        .loaded = w->loaded,
        .saving = saving,
        .saved = saved,
        .class_ops = w->ops ? w->ops(t) : NULL,
    };
    return &p->type;
}

static const struct dev_type **table;

static void make_all(void)
{
    unsigned n = 0;

    table = must(calloc(ARRAY_LEN(models) * ARRAY_LEN(wraps) + 1, sizeof(*table)));
    for (unsigned i = 0; models[i]; i++)
        for (unsigned j = 0; wraps[j]; j++)
            if (!wraps[j]->fits || wraps[j]->fits(models[i]))
                table[n++] = make(models[i], wraps[j]);
}

const struct dev_type *const *virtio_types(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_all);
    return table;
}
