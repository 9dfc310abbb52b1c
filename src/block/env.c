/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's objects by id, nodes by name, warnings. */
#include "block/env_priv.h"

#include "block/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT(x) extern const struct blk_object_type object_##x;
#include "block/objects.def"
#undef OBJECT

static const struct blk_object_type *const types[] = {
#define OBJECT(x) &object_##x,
#include "block/objects.def"
#undef OBJECT
    NULL};

struct object {
    char *id;
    const struct blk_object_type *type;
    void *made;
    bool lent; /* somebody may hold what was made: it stays until the end */
    struct object *next;
};

struct blk_env {
    void (*warn)(void *opaque, const char *text);
    void *opaque;
    pthread_mutex_t lock;
    struct object *objects; /* [the thread that opens] */
    struct blk **nodes;     /* [lock] those with a name */
    size_t nodes_n;
};

struct blk_env *blk_env_new(void (*warn)(void *opaque, const char *text), void *opaque)
{
    struct blk_env *env = calloc(1, sizeof(*env));

    if (!env)
        fatal("out of memory");
    env->warn = warn;
    env->opaque = opaque;
    pthread_mutex_init(&env->lock, NULL);
    return env;
}

static void object_free(struct object *o)
{
    o->type->free(o->made);
    free(o->id);
    free(o);
}

void blk_env_free(struct blk_env *env)
{
    if (!env)
        return;
    while (env->objects) {
        struct object *o = env->objects;

        env->objects = o->next;
        object_free(o);
    }
    pthread_mutex_destroy(&env->lock);
    free(env->nodes);
    free(env);
}

void blk_env_warn(struct blk_env *env, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if (!env->warn)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    env->warn(env->opaque, text);
}

static const struct blk_object_type *find_type(const char *name, struct err *e)
{
    const char *names[ARRAY_LEN(types)] = {NULL};

    for (size_t i = 0; types[i]; i++) {
        if (!strcmp(types[i]->name, name))
            return types[i];
        names[i] = types[i]->name;
    }
    const char *near = nearest_name(name, names);

    err_set(e, -EINVAL, "Parameter 'qom-type' does not accept value '%s'%s%s%s", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static struct object **find_object(struct blk_env *env, const char *id)
{
    struct object **o = &env->objects;

    while (*o && strcmp((*o)->id, id))
        o = &(*o)->next;
    return o;
}

static int add_object(struct blk_env *env, struct json_object *opts, struct err *e)
{
    const char *name = keyval_string(opts, "qom-type"), *id = keyval_string(opts, "id");
    const struct blk_object_type *type;
    void *made;

    if (!name || !id)
        return err_set(e, -EINVAL, "Parameter '%s' is missing", name ? "id" : "qom-type");
    if (!(type = find_type(name, e)))
        return e->code;
    if (*find_object(env, id))
        return err_set(e, -EEXIST, "object '%s' exists already", id);
    char *id_copy = strdup(id);
    struct object *o = calloc(1, sizeof(*o));

    if (!o || !id_copy)
        fatal("out of memory");
    json_object_object_del(opts, "qom-type");
    json_object_object_del(opts, "id");
    made = type->make(env, opts, e);
    if (made && fields_refuse_rest(opts, e) < 0) {
        type->free(made);
        made = NULL;
    }
    if (!made) {
        free(id_copy);
        free(o);
        return e->code;
    }
    *o = (struct object){.id = id_copy, .type = type, .made = made, .next = env->objects};
    env->objects = o;
    return 0;
}

int blk_env_add_object(struct blk_env *env, struct json_object *opts, struct err *e)
{
    int r = add_object(env, opts, e);

    json_object_put(opts);
    return r;
}

int blk_env_del_object(struct blk_env *env, const char *id, struct err *e)
{
    struct object **at = find_object(env, id), *o = *at;

    if (!o)
        return err_set(e, -ENOENT, "object '%s' not found", id);
    if (o->lent)
        return err_set(e, -EBUSY, "object '%s' is in use, can not be deleted", id);
    *at = o->next;
    object_free(o);
    return 0;
}

void *blk_env_object(struct blk_env *env, const char *id, const char *type, struct err *e)
{
    struct object *o = *find_object(env, id);

    if (!o) {
        err_set(e, -ENOENT, "No %s with id '%s'", type, id);
        return NULL;
    }
    if (strcmp(o->type->name, type)) {
        err_set(e, -EINVAL, "Object with id '%s' is not a %s", id, type);
        return NULL;
    }
    o->lent |= strcmp(type, "secret") != 0; /* a secret's bytes are copied */
    return o->made;
}

struct blk *blk_env_node(struct blk_env *env, const char *name)
{
    struct blk *found = NULL;

    pthread_mutex_lock(&env->lock);
    for (size_t i = 0; i < env->nodes_n; i++)
        if (!strcmp(env->nodes[i]->node_name, name))
            found = env->nodes[i];
    pthread_mutex_unlock(&env->lock);
    return found;
}

void env_add_node(struct blk_env *env, struct blk *b)
{
    pthread_mutex_lock(&env->lock);
    if (!(env->nodes = realloc(env->nodes, (env->nodes_n + 1) * sizeof(*env->nodes))))
        fatal("out of memory");
    env->nodes[env->nodes_n++] = b;
    pthread_mutex_unlock(&env->lock);
}

void env_remove_node(struct blk_env *env, struct blk *b)
{
    pthread_mutex_lock(&env->lock);
    for (size_t i = 0; i < env->nodes_n; i++)
        if (env->nodes[i] == b)
            env->nodes[i] = env->nodes[--env->nodes_n];
    pthread_mutex_unlock(&env->lock);
}
