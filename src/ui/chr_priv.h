/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a character back end is, for those that are one: chr_NAME.c and a row of chrs.def each. */
#ifndef UI_CHR_PRIV_H
#define UI_CHR_PRIV_H

#include "base/loop.h"
#include "schema/field.h"
#include "schema/keyval.h"
#include "ui/chr.h"

enum { CHR_USERS_MAX = 8, CHR_BUF = 4096 };

/** struct chr_type - constant; functions that are NULL do nothing. */
struct chr_type {
    const char *name, *help;
    const char *refusal; /* not supported: why; the rest is not looked at */
    size_t size;         /* of the structure that begins with struct chr */
    const struct field *opts;
    unsigned users;   /* front ends at a time; 0 is 1 */
    bool opens_later; /* open() does not mean that somebody is there: it says so itself */
    int (*open)(struct chr *c, struct err *e);
    void (*close)(struct chr *c); /* also after open() has failed */
    /* write - as chr_write; less than @len: the core calls watch(), which leads to chr_has_room(). */
    size_t (*write)(struct chr *c, const uint8_t *buf, size_t len);
    void (*watch)(struct chr *c);
    int (*wait_fd)(struct chr *c); /* what becomes writable when watch() would be answered; -1 */
    void (*wake)(struct chr *c);   /* a front end came, went, or has room */
    int (*take_fd)(struct chr *c, struct err *e); /* as chr_take_fd */
    void (*send_break)(struct chr *c);
    void (*focus)(struct chr *c, void *opaque); /* multiplexers */
};

struct chr_user {
    const struct chr_front *front; /* NULL: free */
    void *opaque;
    void (*room)(void *opaque); /* to be called once */
};

struct chr {
    const struct chr_type *type;
    const struct chr_env *env;
    char *id;
    char *described;  /* NULL: the type's name */
    struct chr *base; /* multiplexers: owned when @own_base */
    bool own_base, connected;
    int log; /* -1: none */
    char *logfile;
    bool logappend, mux;
    struct chr_user users[CHR_USERS_MAX];
};

/* chr_room - what the front end takes.  chr_put - at most that, to it. */
size_t chr_room(const struct chr *c);
void chr_put(struct chr *c, const uint8_t *buf, size_t len);
/* chr_event - to all front ends; CHR_OPENED and CHR_CLOSED are remembered. */
void chr_event(struct chr *c, enum chr_event e);
void chr_has_room(struct chr *c);
void chr_set_describe(struct chr *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void chr_note(struct chr *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* chr_new - without options: what chr_open and tests make. */
struct chr *chr_new(const struct chr_env *env, const struct chr_type *type, const char *id);
/* chr_mux_on - a multiplexer that owns @base. */
struct chr *chr_mux_on(const struct chr_env *env, struct chr *base, const char *id);

#define CHR(name) extern const struct chr_type chr_##name;
#include "ui/chrs.def"
#undef CHR

#endif
