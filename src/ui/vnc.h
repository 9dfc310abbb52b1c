/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VNC servers (RFC 6143), by libvncserver: -vnc.  Each has a thread that talks to its viewers, which never waits for the machine, nor
 * the machine for it: pictures and keys pass through copies.  Viewers of one server wait for each other, at most five seconds, after
 * which one that takes nothing is let go.
 *
 * On the main loop's thread, under the machine's lock.
 */
#ifndef UI_VNC_H
#define UI_VNC_H

#include "ui/display.h"

struct json_object;
struct tls_provider;
struct vnc;

struct vnc_env {
    struct loop *loop;
    struct displays *displays;
    struct input *input;
    const char *title;  /* of the viewer's window */
    const char *keymap; /* -k, or NULL: viewers without key codes have US keyboards */
    /** secret - what a password-secret= names, into @buf; -ENOENT.  NULL: there are none. */
    int (*secret)(void *opaque, const char *id, char *buf, size_t len, struct err *e);
    void *opaque;
    const struct tls_provider *tls; /* tls-creds= (base/tls.h); NULL: there are none */
    void *tls_opaque;
};

/** vnc_open - @opts as of -vnc, "vnc" has the address: "host:1", ":1", "unix:/path"; they stay the caller's.  "none": NULL, no error. */
struct vnc *vnc_open(const struct vnc_env *env, struct json_object *opts, struct err *e);
void vnc_close(struct vnc *v);
const char *vnc_id(const struct vnc *v); /* "default" unless id= */
/** vnc_set_password - NULL: nobody gets in until one is set.  -EINVAL when the server asks for none. */
int vnc_set_password(struct vnc *v, const char *password, struct err *e);
/** vnc_expire_password - it is good until then, seconds of the calendar; INT64_MAX: for ever. */
int vnc_expire_password(struct vnc *v, int64_t when, struct err *e);
/** vnc_print - what `info vnc` says. */
void vnc_print(struct vnc *v, void (*line)(void *opaque, const char *text), void *opaque);
/** vnc_where - the first address it listens at, "127.0.0.1:5900"; NULL: it called a viewer. */
const char *vnc_where(const struct vnc *v);
/** vnc_there - was the program built with libvncserver? */
bool vnc_there(void);

#endif
