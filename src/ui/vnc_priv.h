/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two sides of a VNC server share: vnc.c on the main loop, vnc_thread.c on the server's own thread. */
#ifndef UI_VNC_PRIV_H
#define UI_VNC_PRIV_H

#include "base/loop.h"
#include "base/sock.h"
#include "ui/vnc.h"

#include <pthread.h>
#include <stdatomic.h>

enum { VNC_EVENTS = 512, VNC_LISTEN = 4, VNC_RECTS = 64, VNC_CLIENTS = 64, VNC_PASSWORD = 8 };

enum vnc_event_kind {
    VNC_KEY,     /* a: keysym, b: code of set 1 or 0, c: down */
    VNC_POINTER, /* a: x, b: y (or deltas with @relative), c: buttons */
    VNC_LOOK,    /* a: viewers there are */
    VNC_SIZE,    /* a, b: that a viewer would like */
    VNC_LEFT,    /* a viewer that may have held keys */
};

struct vnc_event {
    enum vnc_event_kind kind;
    bool relative;
    uint32_t a, b, c;
};

struct vnc_rect {
    unsigned x, y, w, h;
};

/* A viewer as `info vnc` has it. */
struct vnc_peer {
    const void *client;
    char text[SOCK_TEXT];
};

struct vnc {
    const struct vnc_env *env;
    char *id;
    struct viewer *viewer; /* main loop's */
    uint32_t buttons;
    int last_x, last_y; /* -1: not known */
    bool ctrl, alt;
    uint64_t key_delay;
    struct keymap *keymap; /* NULL: US */

    /* Constant while the thread runs. */
    int listen[VNC_LISTEN];
    char where[VNC_LISTEN][SOCK_TEXT + 32]; /* "127.0.0.1:5900 (ipv4)" */
    unsigned n_listen;
    int reverse; /* a connection that we made, or -1 */
    bool wants_password, lossy;
    int share; /* index into vnc_shares */
    pthread_t thread;
    bool threaded;
    int wake; /* eventfd: something is new for the thread */
    char *unix_path;

    pthread_mutex_t lock; /* innermost; of all below */
    bool quit, absolute;
    bool has_password;
    char password[VNC_PASSWORD + 1];
    int64_t expires;
    uint32_t *pixels; /* the picture for the thread, width * height */
    unsigned width, height;
    bool resized;
    struct vnc_rect rect[VNC_RECTS];
    unsigned n_rects;
    struct vnc_event event[VNC_EVENTS]; /* a ring */
    unsigned first, n_events;
    bool called; /* the main loop knows that there are events */
    struct vnc_peer peer[VNC_CLIENTS];
    unsigned n_peers;
};

/* vnc_thread.c.  vnc_thread_main - until v->quit. */
void *vnc_thread_main(void *vnc);
/* vnc.c: vnc_say - the thread has something for the main loop. */
void vnc_say(struct vnc *v, struct vnc_event ev);
void vnc_wake(struct vnc *v);

#endif
