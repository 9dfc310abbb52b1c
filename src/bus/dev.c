/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: from a type's name and properties to one that is placed, and back. */
#include "bus/machine_priv.h"

#include "base/nearest.h"
#include "schema/keyval.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types --------------------------------------------------------------------------------------------- */

static bool called(const struct dev_type *t, const char *name)
{
    return !strcmp(t->name, name) || (t->alias && !strcmp(t->alias, name));
}

const struct dev_type *const *machine_types(const struct machine *m)
{
    return m->types;
}

void machine_add_type(struct machine *m, const struct dev_type *t)
{
    const struct dev_type **all;
    unsigned n = 0;

    while (m->types[n])
        n++;
    all = bus_alloc((n + 2) * sizeof(*all));
    for (unsigned i = 0; i < n; i++)
        all[i] = m->types[i];
    all[n] = t;
    free(m->own_types);
    m->types = m->own_types = all;
}

const struct dev_type *dev_type_find(const struct machine *m, const char *name)
{
    for (const struct dev_type *const *t = m->types; *t; t++)
        if (called(*t, name))
            return *t;
    return NULL;
}

static int no_such_type(const struct machine *m, const char *name, struct err *e)
{
    unsigned n = 0;
    const char **names, *near;

    while (m->types[n])
        n++;
    names = bus_alloc((2 * n + 1) * sizeof(*names));
    n = 0;
    for (const struct dev_type *const *t = m->types; *t; t++) {
        if ((*t)->class == DEV_BOARD)
            continue;
        names[n++] = (*t)->name;
        if ((*t)->alias)
            names[n++] = (*t)->alias;
    }
    near = nearest_name(name, names);
    err_set(e, -ENOENT, "'%s' is not a valid device model name%s%s%s", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    free(names);
    return -ENOENT;
}

/* Properties ---------------------------------------------------------------------------------------- */

void dev_set_global(struct machine *m, const char *type, const char *prop, const char *value)
{
    struct global *g = bus_alloc(sizeof(*g)), **at = &m->globals;

    *g = (struct global){.type = bus_strdup(type), .prop = bus_strdup(prop),
                         .value = bus_strdup(value)};
    while (*at)
        at = &(*at)->next;
    *at = g;
}

void dev_globals_free(struct machine *m)
{
    for (struct global *g; (g = m->globals);) {
        m->globals = g->next;
        free(g->type);
        free(g->prop);
        free(g->value);
        free(g);
    }
}

static int no_such_prop(const struct dev_type *t, const char *name, struct err *e)
{
    const char *names[128], *near;
    unsigned n = 0;

    for (const struct field *f = t->props; f && f->name && n < 127; f++)
        names[n++] = f->name;
    names[n] = NULL;
    near = nearest_name(name, names);
    return err_set(e, -EINVAL, "Property '%s.%s' not found%s%s%s", t->name, name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Properties that name back ends, and their kinds (machine_add_backend). */
static const char *const references[][2] = {
    {"chardev", "chardev"}, {"drive", "drive"},   {"fsdev", "fsdev"}, {"iothread", "iothread"}, {"memdev", "memory-backend"},
    {"netdev", "netdev"},   {"rng", "rng"}};

const char *dev_reference_kind(const struct field *f)
{
    for (unsigned i = 0; f->kind == F_STR && i < sizeof(references) / sizeof(references[0]); i++)
        if (!strcmp(f->name, references[i][0]))
            return references[i][1];
    return NULL;
}

/* Could @value be one of @f?  It is checked even if the device's maker says another. */
static int check_value(struct machine *m, const struct dev_type *t, const struct field *f, const char *value, struct err *e)
{
    struct field one[2] = {*f, FIELD_END};
    struct json_object *o = json_object_new_object();
    const char *kind = dev_reference_kind(f);
    uint64_t member[2] = {0}; /* the largest is a number of 64 bits, or a pointer */
    int r;

    one[0].offset = 0;
    if ((r = keyval_set(o, f->name, json_object_new_string(value), e)) == 0 && (r = fields_take(one, o, member, e)) == 0)
        fields_free(one, member);
    json_object_put(o);
    if (r == 0 && kind && *value && !machine_backend(m, kind, value))
        r = err_set(e, -ENOENT, "Property '%s.%s' can't find value '%s'", t->name, f->name, value);
    return r;
}

/* What -global says and the user has not said otherwise; the last one counts. */
static int add_globals(struct machine *m, const struct dev_type *t, struct json_object *props,
                       struct err *e)
{
    struct json_object *given = json_object_new_object();
    int r = 0;

    for (struct global *g = m->globals; g && r == 0; g = g->next) {
        const struct field *f = t->props ? field_find(t->props, g->prop) : NULL;

        if (!called(t, g->type))
            continue;
        if (!f ? no_such_prop(t, g->prop, e) : check_value(m, t, f, g->value, e)) {
            r = err_wrap(e, e->code, "can't apply global %s.%s=%s", g->type, g->prop, g->value);
        } else if (!field_given(props, g->prop) || json_object_object_get(given, g->prop)) {
            r = keyval_set(props, g->prop, json_object_new_string(g->value), e);
            json_object_object_add(given, g->prop, json_object_new_boolean(true));
        }
    }
    json_object_put(given);
    return r;
}

static int take_props(struct dev *d, struct json_object *props, struct err *e)
{
    static const struct field none[] = {FIELD_END};
    const struct dev_type *t = d->type;
    int r = add_globals(d->m, t, props, e);

    if (r < 0 || (r = fields_take(t->props ? t->props : none, props, d, e)) < 0)
        return r;
    json_object_object_foreach(props, key, value)
    {
        if (t->props)
            fields_free(t->props, d);
        (void)value;
        return no_such_prop(t, key, e);
    }
    return 0;
}

/* The text of @key, which is taken out; NULL: not given. */
static char *take_text(struct json_object *props, const char *key)
{
    char *text = bus_strdup(keyval_string(props, key));

    json_object_object_del(props, key);
    return text;
}

static bool well_formed(const char *id)
{
    if (!isalpha((unsigned char)*id))
        return false;
    for (; *id; id++)
        if (!isalnum((unsigned char)*id) && !strchr("-._", *id))
            return false;
    return true;
}

static int take_id(struct dev *d, const char *id, struct json_object *props, struct err *e)
{
    char *given = take_text(props, "id");

    if (given && !well_formed(given)) {
        free(given);
        return err_set(e, -EINVAL,
                       "Parameter 'id' expects an identifier: letters, digits, '-', '.', '_', "
                       "starting with a letter");
    }
    d->id = given ? given : bus_strdup(id);
    if (d->id && dev_find(d->m, d->id))
        return err_set(e, -EEXIST, "Duplicate ID '%s' for device", d->id);
    return 0;
}

/* Buses --------------------------------------------------------------------------------------------- */

static void kind_text(const char *kind, char text[32])
{
    bool shout = !strcmp(kind, "pci") || !strcmp(kind, "scsi") || !strcmp(kind, "isa") || !strcmp(kind, "ide");

    snprintf(text, 32, "%s", kind);
    for (char *p = text; shout && *p; p++)
        *p = (char)toupper((unsigned char)*p);
}

static int choose_bus(struct dev *d, struct bus *bus, struct json_object *props, struct err *e)
{
    char *name = take_text(props, "bus"), kind[32];
    bool any = false;
    int r = 0;

    if (name && !(bus = bus_find(d->m, name))) {
        r = err_set(e, -ENOENT, "Bus '%s' not found", name);
    } else if (bus && (!d->type->bus || strcmp(bus->kind, d->type->bus) != 0)) {
        kind_text(bus->kind, kind);
        r = err_set(e, -EINVAL, "Device '%s' can't go on %s bus", d->type->name, kind);
    }
    for (struct bus *b = d->m->buses; b && !bus && d->type->bus && r == 0; b = b->next) {
        if (strcmp(b->kind, d->type->bus) != 0)
            continue;
        any = true;
        if (!b->full || !b->full(b))
            bus = b;
    }
    if (r == 0 && !bus && d->type->bus) {
        kind_text(d->type->bus, kind);
        r = err_set(e, -ENOENT,
                    any ? "No '%s' bus has room for device '%s'" : "No '%s' bus found for device '%s'",
                    kind, d->type->name);
    }
    free(name);
    d->parent = bus;
    return r;
}

static void link_dev(struct dev *d)
{
    struct dev **at = &d->m->devs;

    while (*at)
        at = &(*at)->next;
    *at = d;
    if (!d->parent)
        return;
    for (at = &d->parent->devs; *at;)
        at = &(*at)->next_on_bus;
    *at = d;
}

static void unlink_dev(struct dev *d)
{
    struct dev **at = &d->m->devs;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    if (!d->parent)
        return;
    for (at = &d->parent->devs; *at != d;)
        at = &(*at)->next_on_bus;
    *at = d->next_on_bus;
}

/* Birth and end ------------------------------------------------------------------------------------- */

/* What it offered or made on its buses goes first. */
static void free_buses(struct dev *d)
{
    while (d->buses) {
        struct bus *b = d->buses;

        while (b->devs) {
            struct dev *c = b->devs;

            while (c->next_on_bus)
                c = c->next_on_bus;
            dev_free(c);
        }
        bus_remove(b);
    }
}

static void bury(struct dev *d)
{
    if (d->type->props)
        fields_free(d->type->props, d);
    free(d->id);
    free(d);
}

static int born(struct dev *d, struct err *e)
{
    struct bus *b = d->parent;
    int r = 0;

    if (b && b->plug)
        r = b->plug(b, d, e);
    if (r == 0 && d->type->init && (r = d->type->init(d, e)) < 0)
        free_buses(d);
    if (r < 0)
        return r;
    if (d->hotplugged && d->type->reset)
        d->type->reset(d);
    if (b && b->placed && (r = b->placed(b, d, e)) < 0) {
        free_buses(d);
        if (d->type->fini)
            d->type->fini(d);
    }
    return r;
}

static int make(struct dev *d, const char *id, struct bus *bus, struct json_object *props,
                struct err *e)
{
    int r;

    if ((r = take_id(d, id, props, e)) < 0 || (r = choose_bus(d, bus, props, e)) < 0 ||
        (r = take_props(d, props, e)) < 0)
        return r;
    link_dev(d); /* from here on its address on the bus is taken */
    if ((r = born(d, e)) < 0)
        unlink_dev(d);
    return r;
}

struct dev *dev_new(struct machine *m, const char *type, const char *id, struct bus *bus,
                    struct json_object *props, struct err *e)
{
    const struct dev_type *t = dev_type_find(m, type);
    struct dev *d = NULL;

    if (!props)
        props = json_object_new_object();
    json_object_object_del(props, "driver");
    if (!t) {
        no_such_type(m, type, e);
    } else {
        d = bus_alloc(t->size);
        d->type = t;
        d->m = m;
        d->hotplugged = m->started;
        if (make(d, id, bus, props, e) < 0) {
            bury(d);
            d = NULL;
        }
    }
    json_object_put(props);
    return d;
}

struct dev *dev_add(struct machine *m, const char *type, const char *id, const char *props,
                    struct err *e)
{
    struct json_object *o = props ? keyval_parse(props, NULL, e) : NULL;

    if (props && !o)
        return NULL;
    return dev_new(m, type, id, NULL, o, e);
}

void dev_free(struct dev *d)
{
    if (!d)
        return;
    if (d->parent && d->parent->unplug)
        d->parent->unplug(d->parent, d);
    free_buses(d);
    /* Where boards have mapped its registers, there is nothing any more. */
    mem_begin(d->m);
    mem_remove_within(machine_mem(d->m), d, d->type->size);
    mem_remove_within(machine_io_mem(d->m), d, d->type->size);
    if (d->type->fini)
        d->type->fini(d);
    mem_end(d->m);
    unlink_dev(d);
    bury(d);
}

struct dev *dev_find(struct machine *m, const char *id)
{
    for (struct dev *d = m->devs; d; d = d->next)
        if (d->id && !strcmp(d->id, id))
            return d;
    return NULL;
}

uint64_t dev_number(const struct dev *d, const char *name)
{
    const struct field *f = d->type->props ? field_find(d->type->props, name) : NULL;

    return f && f->kind == F_U64 ? *(const uint64_t *)((const char *)d + f->offset) : 0;
}

int dev_unplug(struct dev *d, struct err *e)
{
    struct bus *b = d->parent;
    int r;

    if (!b || !b->unplug_request)
        return err_set(e, -ENOTSUP, "%s%s%s does not support hotplugging", b ? "Bus '" : "Device '",
                       b ? b->name : d->type->name, "'");
    if (d->going)
        return err_set(e, -EBUSY, "Device %s is already in the process of unplug",
                       d->id ? d->id : d->type->name);
    if ((r = b->unplug_request(b, d, e)) < 0)
        return r;
    if (r == 1)
        dev_free(d);
    else
        d->going = true;
    return 0;
}
