/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sides of a VNC server share: vnc.c on the main loop, vnc_thread.c on a thread for each viewer. */
#ifndef UI_VNC_PRIV_H
#define UI_VNC_PRIV_H

#include "base/loop.h"
#include "base/sock.h"
#include "ui/vnc.h"

#include <pthread.h>
#include <stdatomic.h>

enum { VNC_EVENTS = 512, VNC_LISTEN = 8, VNC_RECTS = 64, VNC_CLIENTS = 64, VNC_PASSWORD = 8 };

enum vnc_event_kind {
    VNC_KEY,     /* a: keysym, b: code of set 1 or 0, c: down */
    VNC_POINTER, /* a: x, b: y (or deltas with @relative), c: buttons */
    VNC_LOOK,    /* viewers have come or gone */
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
    char text[SOCK_TEXT + 8];
    char name[256]; /* in its certificate; "": none */
};

/* A place for a viewer, and the thread that serves it: who reads slowly, or stops in the middle of a message, is alone with that. */
struct vnc_client {
    struct vnc *v;
    void *screen; /* libvncserver's, with this viewer alone */
    int wake;     /* eventfd: something is new for the thread */

    /* Constant while it is taken. */
    int fd;      /* libvncserver's, which closes it */
    int hang_up; /* the same connection, for others to shut down; until it is @gone */
    bool reverse; /* we have called */
    struct vnc_peer peer;
    pthread_t thread;

    /* [v->lock] */
    bool taken; /* there is a thread */
    bool gone;  /* the viewer has left, and then */
    bool ended; /* the thread is to be joined */
    bool inside; /* the viewer has been let in: is shown the picture */
    bool resized, cursor_changed;
    struct vnc_rect rect[VNC_RECTS];
    unsigned n_rects;
};

struct vnc_options {
    char *where, *to, *websocket, *share, *tls_creds, *tls_authz, *sasl_authz, *display, *secret, *id, *lock_key, *audiodev;
    bool password, lossy, non_adaptive, sasl, acl, reverse, power, ipv4, ipv6;
    uint64_t head, key_delay, connections;
};

enum vnc_share { SHARE_EXCLUSIVE, SHARE_FORCED, SHARE_ALL };

struct vnc {
    const struct vnc_env *env;
    char *id;
    struct viewer *viewer; /* main loop's */
    uint32_t buttons;
    int last_x, last_y; /* -1: not known */
    bool ctrl, alt;
    uint64_t key_delay;
    struct keymap *keymap; /* NULL: US */
    char *display;         /* device whose screen is shown first, NULL: any */
    unsigned head;
    char *tls, *tls_authz; /* objects' ids; no tls: none */
    struct vnc_relay *relays;

    /* Constant while threads run. */
    int listen[VNC_LISTEN];
    char where[VNC_LISTEN][SOCK_TEXT + 32]; /* "127.0.0.1:5900 (ipv4)" */
    bool is_websocket[VNC_LISTEN];
    char at[SOCK_TEXT]; /* the first, as such */
    unsigned n_listen;
    struct loop_fd *listening[VNC_LISTEN];
    int reverse; /* a connection that we made, or -1 */
    bool wants_password, lossy, tls_anon;
    enum vnc_share share;
    unsigned connections;
    char *unix_path;

    pthread_mutex_t lock; /* innermost; of all below */
    bool quit, absolute;
    bool has_password;
    char password[VNC_PASSWORD + 1];
    int64_t expires;
    uint32_t *pixels; /* the picture for the threads, width * height */
    unsigned width, height;
    struct vnc_event event[VNC_EVENTS]; /* a ring */
    unsigned first, n_events;
    bool called; /* the main loop knows that there are events */
    struct cursor cursor; /* pixels are ours; NULL: none */
    bool cursor_visible;
    int cursor_x, cursor_y;
    struct vnc_client client[VNC_CLIENTS]; /* of these as many as @connections are used */
};

/*
 * vnc_thread.c.  vnc_screens - what libvncserver needs for each place; before any viewer is there.  vnc_serve - the thread of the viewer
 * of @client, a struct vnc_client.
 */
void vnc_screens(struct vnc *v);
void vnc_screens_free(struct vnc *v);
void *vnc_serve(void *client);
/*
 * vnc.c.  vnc_say - a thread, not the main loop's, has something for the main loop.  vnc_begin - @fd, which is no longer the
 * caller's, is a viewer's from now on; false: there is no place for it.  Any thread.
 */
void vnc_say(struct vnc *v, struct vnc_event ev);
bool vnc_begin(struct vnc *v, int fd, const struct vnc_peer *peer, bool reverse);

/* vnc_listen.c.  vnc_listen - fills v->listen or v->reverse.  vnc_address - as `info vnc` has it. */
int vnc_listen(struct vnc *v, const struct vnc_options *o, struct err *e);
void vnc_address(const struct sock_addr *a, char text[SOCK_TEXT]);
const char *vnc_family(const struct sock_addr *a);
void vnc_peer_address(struct vnc_peer *p, const struct sock_addr *a); /* "127.0.0.1:4711 (ipv4)" */

/*
 * vnc_tls.c, on the main loop.  vnc_tls_init - checks tls-creds= and tls-authz=.  vnc_tls_begin - @fd, which becomes its own, gets a
 * session and a thread that relays what is inside it to the server.  vnc_tls_fini - all of them end.
 */
int vnc_tls_init(struct vnc *v, const struct vnc_options *o, struct err *e);
void vnc_tls_begin(struct vnc *v, int fd, bool websocket);
void vnc_tls_fini(struct vnc *v);

#endif
