/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character back ends: making them from options, and what all have in common: front ends, log file. */
#include "ui/chr_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct chr_type *const types[] = {
#define CHR(name) &chr_##name,
#include "ui/chrs.def"
#undef CHR
};
enum { TYPES = sizeof(types) / sizeof(*types), WRITE_ALL_MS = 1000 };

static const struct field common_opts[] = {
    FIELD(chr, logfile, F_STR, "logfile", NULL, "file that gets what the guest says"),
    FIELD(chr, logappend, F_BOOL, "logappend", "off", "keep what is in it"),
    FIELD(chr, mux, F_BOOL, "mux", "off", "several front ends, Ctrl-A c goes round"),
    FIELD_END,
};

const char *const *chr_type_names(void)
{
    static const char *names[TYPES + 1];
    size_t n = 0;

    for (size_t i = 0; i < TYPES; i++)
        if (!types[i]->refusal)
            names[n++] = types[i]->name;
    return names;
}

static const struct chr_type *type_find(const char *name, struct err *e)
{
    static const char *const aliases[][2] = {
        {"memory", "ringbuf"}, {"parport", "parallel"}, {"tty", "serial"}};

    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (!strcmp(aliases[i][0], name))
            name = aliases[i][1];
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(types[i]->name, name))
            continue;
        if (!types[i]->refusal)
            return types[i];
        err_set(e, -ENOTSUP, "chardev '%s' is not supported: %s", name, types[i]->refusal);
        return NULL;
    }
    const char *near = nearest_name(name, chr_type_names());

    err_set(e, -EINVAL, "'%s' is not a valid char driver name%s%s%s", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

struct chr *chr_new(const struct chr_env *env, const struct chr_type *type, const char *id)
{
    struct chr *c = calloc(1, type->size);

    if (!c || !(c->id = strdup(id)))
        fatal("out of memory");
    c->type = type;
    c->env = env;
    c->log = -1;
    return c;
}

void chr_close(struct chr *c)
{
    if (!c)
        return;
    if (c->type->close)
        c->type->close(c);
    if (c->own_base)
        chr_close(c->base);
    if (c->log >= 0)
        close(c->log);
    if (c->type->opts)
        fields_free(c->type->opts, c);
    free(c->logfile);
    free(c->described);
    free(c->id);
    free(c);
}

/* "nowait" and its kin: "no" before a switch turns it off. */
static void take_negations(const struct chr_type *type, struct json_object *opts)
{
    for (const struct field *f = type->opts; f && f->name; f++) {
        char key[64];
        const char *value;
        bool on;

        snprintf(key, sizeof(key), "no%s", f->name);
        if (f->kind != F_BOOL || field_find(type->opts, key) ||
            !(value = keyval_string(opts, key)) || parse_bool(value, &on, ERR_IGNORE) < 0)
            continue;
        json_object_object_del(opts, key);
        json_object_object_add(opts, f->name, json_object_new_string(on ? "off" : "on"));
    }
}

static int log_open(struct chr *c, struct err *e)
{
    if (!c->logfile)
        return 0;
    c->log = open(c->logfile, O_WRONLY | O_CREAT | O_CLOEXEC | (c->logappend ? O_APPEND : O_TRUNC),
                  0666);
    if (c->log < 0)
        return err_set(e, -errno, "Unable to open logfile %s: %s", c->logfile, strerror(errno));
    return 0;
}

/* The type's options and the common ones; what is left is nobody's. */
static int take_opts(struct chr *c, struct json_object *opts, struct err *e)
{
    int r = 0;

    if (c->type->opts) {
        take_negations(c->type, opts);
        r = fields_take(c->type->opts, opts, c, e);
    }
    if (r >= 0)
        r = fields_take(common_opts, opts, c, e);
    return r < 0 ? r : fields_refuse_rest(opts, e);
}

static struct chr *make(const struct chr_env *env, const struct chr_type *type, const char *id,
                        struct json_object *opts, struct err *e)
{
    struct chr *c = chr_new(env, type, id);

    if (take_opts(c, opts, e) < 0 || log_open(c, e) < 0)
        goto fail;
    if (c->mux) {
        char name[256];

        snprintf(name, sizeof(name), "%s-base", id);
        free(c->id);
        if (!(c->id = strdup(name)))
            fatal("out of memory");
    }
    if (type->open && type->open(c, e) < 0)
        goto fail;
    if (!type->opens_later)
        c->connected = true;
    return c->mux ? chr_mux_on(env, c, id) : c;
fail:
    chr_close(c);
    return NULL;
}

static bool id_good(const char *id)
{
    if (!((*id | 32) >= 'a' && (*id | 32) <= 'z'))
        return false;
    return strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
               strlen(id) &&
           strlen(id) < 128;
}

struct chr *chr_open(const struct chr_env *env, struct json_object *opts, struct err *e)
{
    const char *backend = keyval_string(opts, "backend"), *id = keyval_string(opts, "id");
    const struct chr_type *type;
    struct chr *c = NULL;
    char name[128];

    if (!backend)
        err_set(e, -EINVAL, "chardev: \"%s\" missing backend", id ? id : "");
    else if (!id)
        err_set(e, -EINVAL, "chardev: no id specified");
    else if (!id_good(id))
        err_set(e, -EINVAL,
                "Parameter 'id' expects an identifier, not '%.100s': letters, digits, "
                "'-', '.', '_', starting with a letter",
                id);
    else if ((type = type_find(backend, e))) {
        snprintf(name, sizeof(name), "%s", id);
        json_object_object_del(opts, "backend");
        json_object_object_del(opts, "id");
        c = make(env, type, name, opts, e);
    }
    json_object_put(opts);
    return c;
}

const char *chr_id(const struct chr *c)
{
    return c->id;
}

struct chr *chr_base(const struct chr *c)
{
    return c->own_base ? c->base : NULL;
}

const char *chr_describe(const struct chr *c)
{
    return c->described ? c->described : c->type->name;
}

void chr_set_describe(struct chr *c, const char *fmt, ...)
{
    va_list ap;

    free(c->described);
    va_start(ap, fmt);
    if (vasprintf(&c->described, fmt, ap) < 0)
        fatal("out of memory");
    va_end(ap);
}

void chr_note(struct chr *c, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if (!c->env->note)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    c->env->note(c->env->opaque, text);
}

/* Front ends ------------------------------------------------------------------------------------- */

static struct chr_user *user_of(struct chr *c, void *opaque)
{
    for (unsigned i = 0; i < CHR_USERS_MAX; i++)
        if (c->users[i].front && c->users[i].opaque == opaque)
            return &c->users[i];
    return NULL;
}

int chr_attach(struct chr *c, const struct chr_front *f, void *opaque, struct err *e)
{
    unsigned max = c->type->users ? c->type->users : 1;

    for (unsigned i = 0; i < max; i++) {
        if (c->users[i].front)
            continue;
        c->users[i] = (struct chr_user){.front = f, .opaque = opaque};
        if (c->connected && f->event)
            f->event(opaque, CHR_OPENED);
        chr_wake(c, opaque);
        return 0;
    }
    return err_set(
        e, -EBUSY,
        max == 1 ? "Device '%s' is in use" : "Device '%s' has as many front ends as it can", c->id);
}

bool chr_in_use(const struct chr *c)
{
    unsigned max = c->type->users ? c->type->users : 1;

    for (unsigned i = 0; i < max; i++)
        if (c->users[i].front)
            return true;
    return false;
}

void chr_detach(struct chr *c, void *opaque)
{
    struct chr_user *u = user_of(c, opaque);

    if (!u)
        return;
    *u = (struct chr_user){0};
    chr_wake(c, NULL);
}

void chr_wake(struct chr *c, void *opaque)
{
    if (c->type->wake)
        c->type->wake(c);
}

void chr_take_focus(struct chr *c, void *opaque)
{
    if (c->type->focus)
        c->type->focus(c, opaque);
}

bool chr_connected(const struct chr *c)
{
    return c->connected;
}

void chr_send_break(struct chr *c)
{
    if (c->type->send_break)
        c->type->send_break(c);
}

/* With several front ends, the one with the keyboard: a multiplexer hears it as its back end's front end. */
void chr_hear_break(struct chr *c)
{
    chr_event(c->base ? c->base : c, CHR_BREAK);
}

size_t chr_room(const struct chr *c)
{
    const struct chr_user *u = &c->users[0];

    return u->front ? u->front->room(u->opaque) : 0;
}

void chr_put(struct chr *c, const uint8_t *buf, size_t len)
{
    if (len && c->users[0].front)
        c->users[0].front->data(c->users[0].opaque, buf, len);
}

void chr_event(struct chr *c, enum chr_event e)
{
    if (e == CHR_OPENED || e == CHR_CLOSED) {
        if (c->connected == (e == CHR_OPENED))
            return;
        c->connected = e == CHR_OPENED;
    }
    for (unsigned i = 0; i < CHR_USERS_MAX; i++)
        if (c->users[i].front && c->users[i].front->event)
            c->users[i].front->event(c->users[i].opaque, e);
}

/* Output ------------------------------------------------------------------------------------------ */

/* The log is a copy: a disk that is full must not stop the guest. */
static void log_write(struct chr *c, const uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t r = write(c->log, buf, len);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return;
        buf += r;
        len -= (size_t)r;
    }
}

size_t chr_write(struct chr *c, void *opaque, const uint8_t *buf, size_t len)
{
    size_t n = c->type->write ? c->type->write(c, buf, len) : len;

    if (c->log >= 0)
        log_write(c, buf, n);
    return n;
}

void chr_write_all(struct chr *c, void *opaque, const uint8_t *buf, size_t len)
{
    while (len) {
        size_t n = chr_write(c, opaque, buf, len);
        struct pollfd p = {.events = POLLOUT};

        buf += n;
        len -= n;
        if (n || !len)
            continue;
        p.fd = c->type->wait_fd ? c->type->wait_fd(c) : -1;
        if (p.fd < 0 || poll(&p, 1, WRITE_ALL_MS) <= 0)
            return;
    }
}

void chr_on_room(struct chr *c, void *opaque, void (*fn)(void *opaque))
{
    struct chr_user *u = user_of(c, opaque);

    if (!u)
        return;
    u->room = fn;
    if (c->type->watch)
        c->type->watch(c);
    else
        chr_has_room(c);
}

void chr_has_room(struct chr *c)
{
    for (unsigned i = 0; i < CHR_USERS_MAX; i++) {
        struct chr_user *u = &c->users[i];
        void (*fn)(void *) = u->room;

        u->room = NULL;
        if (fn)
            fn(u->opaque);
    }
}

/* --- A connection that somebody takes over --- */

static size_t taken_room(void *opaque)
{
    return 0;
}

static void taken_data(void *opaque, const uint8_t *buf, size_t len)
{
}

int chr_take_fd(struct chr *c, struct err *e)
{
    static const struct chr_front nobody = {.room = taken_room, .data = taken_data};

    if (!c->type->take_fd)
        return err_set(e, -EINVAL, "chardev '%s' is no socket", chr_id(c));
    if (chr_attach(c, &nobody, c, e) < 0)
        return e->code;
    return c->type->take_fd(c, e);
}
