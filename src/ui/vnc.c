/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNC servers, the main loop's side: options, the picture, keys and pointers.  Contract: vnc.h. */
#include "ui/vnc_priv.h"

#include "ui/keymap.h"

#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

bool vnc_there(void)
{
#ifdef HAVE_LIBVNCSERVER
    return true;
#else
    return false;
#endif
}

/* --- Between the threads --- */

void vnc_wake(struct vnc *v)
{
    uint64_t one = 1;

    if (write(v->wake, &one, sizeof(one)) < 0)
        return; /* it is full: the thread wakes up anyway */
}

static void handle(struct vnc *v, const struct vnc_event *ev);

static void drain(void *opaque)
{
    struct vnc *v = opaque;

    for (;;) {
        struct vnc_event ev;

        pthread_mutex_lock(&v->lock);
        if (!v->n_events) {
            v->called = false;
            pthread_mutex_unlock(&v->lock);
            return;
        }
        ev = v->event[v->first];
        v->first = (v->first + 1) % VNC_EVENTS;
        v->n_events--;
        pthread_mutex_unlock(&v->lock);
        handle(v, &ev);
    }
}

/* A viewer that says more than the machine takes is slowed down, for a while. */
void vnc_say(struct vnc *v, struct vnc_event ev)
{
    bool call = false;

    for (unsigned tries = 0; tries < 100; tries++) {
        pthread_mutex_lock(&v->lock);
        if (v->n_events < VNC_EVENTS || v->quit)
            break;
        pthread_mutex_unlock(&v->lock);
        usleep(1000);
        if (tries == 99)
            return;
    }
    if (v->n_events < VNC_EVENTS) {
        v->event[(v->first + v->n_events++) % VNC_EVENTS] = ev;
        call = !v->called;
        v->called = true;
    }
    pthread_mutex_unlock(&v->lock);
    if (call)
        loop_call(v->env->loop, drain, v);
}

/* --- The picture --- */

static void copy_rect(struct vnc *v, const struct surface *s, struct vnc_rect r)
{
    for (unsigned y = r.y; y < r.y + r.h; y++)
        memcpy(v->pixels + (size_t)y * v->width + r.x, surface_row(s, y) + r.x, r.w * 4);
}

static void note_rect(struct vnc *v, struct vnc_rect r)
{
    if (v->n_rects < VNC_RECTS)
        v->rect[v->n_rects++] = r;
    else /* too many: all of it */
        v->rect[0] = (struct vnc_rect){0, 0, v->width, v->height};
}

static void on_resized(void *opaque, struct console *c)
{
    struct vnc *v = opaque;
    const struct surface *s = console_surface(c);

    pthread_mutex_lock(&v->lock);
    if (v->width != s->width || v->height != s->height) {
        free(v->pixels);
        if (!(v->pixels = calloc((size_t)s->width * s->height, 4)))
            fatal("out of memory");
        v->width = s->width;
        v->height = s->height;
        v->resized = true;
    }
    v->n_rects = 0;
    note_rect(v, (struct vnc_rect){0, 0, s->width, s->height});
    copy_rect(v, s, v->rect[0]);
    pthread_mutex_unlock(&v->lock);
    v->last_x = v->last_y = -1;
}

static void on_dirty(void *opaque, struct console *c, unsigned x, unsigned y, unsigned w, unsigned h)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    if (x + w <= v->width && y + h <= v->height) {
        note_rect(v, (struct vnc_rect){x, y, w, h});
        copy_rect(v, console_surface(c), (struct vnc_rect){x, y, w, h});
    }
    pthread_mutex_unlock(&v->lock);
}

static void on_refreshed(void *opaque, struct console *c)
{
    vnc_wake(opaque);
}

static void on_gone(void *opaque, struct console *c)
{
    struct vnc *v = opaque;
    struct console *other = displays_console(v->env->displays, 0);

    viewer_look(v->viewer, other == c ? NULL : other);
}

static const struct viewer_ops viewer_ops = {
    .resized = on_resized, .dirty = on_dirty, .refreshed = on_refreshed, .gone = on_gone};

/* --- Keys and pointers --- */

enum { XK_SHIFT_L = 0xffe1, XK_SHIFT_R, XK_CTRL_L, XK_CTRL_R, XK_ALT_L = 0xffe9, XK_ALT_R };

/* Ctrl-Alt-1 and so on show another console. */
static bool chooses(struct vnc *v, const struct vnc_event *ev)
{
    struct console *c;

    if (ev->a == XK_CTRL_L || ev->a == XK_CTRL_R)
        v->ctrl = ev->c;
    if (ev->a == XK_ALT_L || ev->a == XK_ALT_R)
        v->alt = ev->c;
    if (!v->ctrl || !v->alt || ev->a < '1' || ev->a > '9')
        return false;
    c = displays_console(v->env->displays, ev->a - '1');
    if (ev->c && c && c != viewer_console(v->viewer)) {
        input_release_all(v->env->input);
        viewer_look(v->viewer, c);
    }
    return true;
}

static void press(struct vnc *v, enum key k, bool down)
{
    input_key(v->env->input, k, down);
    if (v->key_delay)
        input_delay(v->env->input, (unsigned)v->key_delay);
}

enum { ANY_LEVEL = 4 };

/* The key, and at which level it gives what was typed; ANY_LEVEL: that does not matter. */
static enum key key_of(struct vnc *v, const struct vnc_event *ev, unsigned *level)
{
    bool shift = false;
    enum key k;

    *level = ANY_LEVEL;
    if (ev->b)
        return key_by_set1(ev->b);
    if (v->keymap && (k = keymap_find(v->keymap, ev->a, level)))
        return k;
    k = key_by_keysym(ev->a, &shift);
    *level = shift ? KEYMAP_SHIFT : ANY_LEVEL;
    return k;
}

/* Viewers that type characters may hold none of what the guest's keyboard needs for them, or something else. */
static void press_at(struct vnc *v, enum key k, unsigned level)
{
    struct input *in = v->env->input;
    bool left = input_key_is_down(in, KEY_SHIFT), right = input_key_is_down(in, KEY_SHIFT_R);
    bool lift = v->keymap && level != ANY_LEVEL && !(level & KEYMAP_SHIFT) && (left || right);
    bool shift = level != ANY_LEVEL && level & KEYMAP_SHIFT && !left && !right;
    bool altgr = level != ANY_LEVEL && level & KEYMAP_ALTGR && !input_key_is_down(in, KEY_ALT_R);

    if (lift && left)
        press(v, KEY_SHIFT, false);
    if (lift && right)
        press(v, KEY_SHIFT_R, false);
    if (shift)
        press(v, KEY_SHIFT, true);
    if (altgr)
        press(v, KEY_ALT_R, true);
    press(v, k, true);
    if (altgr)
        press(v, KEY_ALT_R, false);
    if (shift)
        press(v, KEY_SHIFT, false);
    if (lift && left)
        press(v, KEY_SHIFT, true);
    if (lift && right)
        press(v, KEY_SHIFT_R, true);
}

static void on_key(struct vnc *v, const struct vnc_event *ev)
{
    struct console *c = viewer_console(v->viewer);
    unsigned level;
    enum key k;

    if (chooses(v, ev))
        return;
    if (c && console_is_text(c)) {
        if (ev->c)
            console_type(c, v->ctrl && ev->a >= 0x40 && ev->a < 0x7f ? ev->a & 0x1f : ev->a);
        return;
    }
    if ((k = key_of(v, ev, &level)) && ev->c)
        press_at(v, k, level);
    else if (k)
        press(v, k, false);
}

static int scaled(uint32_t at, unsigned size)
{
    return size > 1 ? (int)((uint64_t)(at < size ? at : size - 1) * INPUT_ABS_MAX / (size - 1)) : 0;
}

static void on_pointer(struct vnc *v, const struct vnc_event *ev)
{
    static const enum pointer_button order[] = {BUTTON_LEFT,       BUTTON_MIDDLE,     BUTTON_RIGHT,      BUTTON_WHEEL_UP,
                                                BUTTON_WHEEL_DOWN, BUTTON_WHEEL_LEFT, BUTTON_WHEEL_RIGHT};
    struct input *in = v->env->input;
    struct console *c = viewer_console(v->viewer);

    if (!c || console_is_text(c))
        return;
    if (ev->relative)
        input_rel(in, (int32_t)ev->a, (int32_t)ev->b);
    else if (input_absolute(in))
        input_abs(in, scaled(ev->a, console_surface(c)->width), scaled(ev->b, console_surface(c)->height));
    else if (v->last_x >= 0)
        input_rel(in, (int)ev->a - v->last_x, (int)ev->b - v->last_y);
    v->last_x = ev->relative ? -1 : (int)ev->a;
    v->last_y = ev->relative ? -1 : (int)ev->b;
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if ((v->buttons ^ ev->c) >> i & 1)
            input_button(in, order[i], ev->c >> i & 1);
    v->buttons = ev->c;
    input_sync(in);
}

static void handle(struct vnc *v, const struct vnc_event *ev)
{
    struct console *c = viewer_console(v->viewer);

    switch (ev->kind) {
    case VNC_KEY: on_key(v, ev); break;
    case VNC_POINTER: on_pointer(v, ev); break;
    case VNC_LOOK:
        if (ev->a && !c)
            viewer_look(v->viewer, displays_console(v->env->displays, 0));
        else if (!ev->a)
            viewer_look(v->viewer, NULL);
        break;
    case VNC_SIZE:
        if (c)
            console_ui_size(c, ev->a, ev->b);
        break;
    case VNC_LEFT:
        input_release_all(v->env->input);
        v->ctrl = v->alt = false;
        v->buttons = 0;
        break;
    }
}

static void on_input_change(void *opaque)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    v->absolute = input_absolute(v->env->input);
    pthread_mutex_unlock(&v->lock);
    vnc_wake(v);
}

/* --- Options --- */

static const char *const share_names[] = {"allow-exclusive", "force-shared", "ignore", NULL};

struct options {
    char *where, *to, *websocket, *share, *tls_creds, *tls_authz, *sasl_authz, *display, *secret, *id, *lock_key, *audiodev;
    bool password, lossy, non_adaptive, sasl, acl, reverse, power, ipv4, ipv6;
    uint64_t head, key_delay, connections;
};

static const struct field fields[] = {
    FIELD(options, where, F_STR, "vnc", NULL, "[host]:display, or unix:path"),
    FIELD(options, to, F_STR, "to", NULL, "greatest display number to try"),
    FIELD(options, websocket, F_ONOFF, "websocket", NULL, "on, or a port: WebSocket connections, too"),
    FIELD(options, share, F_STR, "share", "allow-exclusive", "allow-exclusive, force-shared or ignore"),
    FIELD(options, tls_creds, F_STR, "tls-creds", NULL, "not supported"),
    FIELD(options, tls_authz, F_STR, "tls-authz", NULL, "not supported"),
    FIELD(options, sasl_authz, F_STR, "sasl-authz", NULL, "not supported"),
    FIELD(options, display, F_STR, "display", NULL, "device whose screen is shown first"),
    FIELD(options, secret, F_STR, "password-secret", NULL, "secret object with the password"),
    FIELD(options, id, F_STR, "id", "default", "name of the server"),
    FIELD(options, lock_key, F_ONOFF, "lock-key-sync", NULL, "understood, and without effect"),
    FIELD(options, audiodev, F_STR, "audiodev", NULL, "understood, and without effect"),
    FIELD(options, password, F_BOOL, "password", "off", "viewers are asked for the password that the monitor sets"),
    FIELD(options, lossy, F_BOOL, "lossy", "off", "pictures may be compressed with losses"),
    FIELD(options, non_adaptive, F_BOOL, "non-adaptive", "off", "understood, and without effect"),
    FIELD(options, sasl, F_BOOL, "sasl", "off", "not supported"),
    FIELD(options, acl, F_BOOL, "acl", "off", "not supported"),
    FIELD(options, reverse, F_BOOL, "reverse", "off", "connect to a viewer that listens at host:port"),
    FIELD(options, power, F_BOOL, "power-control", "off", "understood, and without effect"),
    FIELD(options, ipv4, F_BOOL, "ipv4", "off", "only this"),
    FIELD(options, ipv6, F_BOOL, "ipv6", "off", "only this"),
    FIELD(options, head, F_U64, "head", "0", "screen of that device"),
    FIELD(options, key_delay, F_U64, "key-delay-ms", "10", "between two keys, for guests that read slowly"),
    FIELD(options, connections, F_U64, "connections", "32", "viewers at a time"),
    FIELD_END,
};

static int number(const char *text, long max, const char *what, long *v, struct err *e)
{
    char *end;

    *v = strtol(text, &end, 10);
    if (!*text || *end)
        return err_set(e, -EINVAL, "can't convert to a number: %s", text);
    return *v < 0 || *v > max ? err_set(e, -ERANGE, "%s %s out of range", what, text) : 0;
}

static int family(const struct options *o, bool four)
{
    bool said = o->ipv4 || o->ipv6;

    return !said ? -1 : four ? o->ipv4 : o->ipv6;
}

static int note_listen(struct vnc *v, int fd, const char *kind)
{
    struct sock_addr a = sock_local(fd);
    char text[SOCK_TEXT];

    sock_print(&a, text);
    snprintf(v->where[v->n_listen], sizeof(v->where[0]), "%s%s (%s%s)", a.a.ss_family == AF_UNIX ? ":" : "", text,
             a.a.ss_family == AF_INET6 ? "ipv6" : a.a.ss_family == AF_UNIX ? "unix" : "ipv4", kind);
    v->listen[v->n_listen++] = fd;
    return 0;
}

static int listen_port(struct vnc *v, const struct options *o, const char *host, long port, long to, const char *kind, struct err *e)
{
    struct sock_addrs a;
    char text[16];
    int r;

    snprintf(text, sizeof(text), "%ld", port);
    if ((r = sock_resolve(&a, host, text, family(o, true), family(o, false), SOCK_STREAM, true, e)) < 0 ||
        (r = sock_listen(&a, (int)to, e)) < 0)
        return r;
    return note_listen(v, r, kind);
}

static long port_of(int fd)
{
    struct sock_addr a = sock_local(fd);

    return ntohs(a.a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a.a)->sin6_port : ((struct sockaddr_in *)&a.a)->sin_port);
}

static int listen_websocket(struct vnc *v, const struct options *o, const char *host, long display, struct err *e)
{
    long port = 5700 + display;

    if (!o->websocket || !strcmp(o->websocket, "off"))
        return 0;
    if (strcmp(o->websocket, "on") != 0 && number(o->websocket, 65535, "websocket port", &port, e) < 0)
        return e->code;
    return listen_port(v, o, host, port, 0, " (Websocket)", e);
}

static int call_viewer(struct vnc *v, const char *host, const char *port, struct err *e)
{
    struct sock_addrs a;
    int r;

    if ((r = sock_resolve(&a, host, port, -1, -1, SOCK_STREAM, false, e)) < 0 || (r = sock_connect(&a, 10000, e)) < 0)
        return r;
    v->reverse = r;
    return 0;
}

static int listen_unix(struct vnc *v, const char *path, struct err *e)
{
    struct sock_addrs a;
    int r;

    if (!*path)
        return err_set(e, -EINVAL, "no path after unix:");
    if ((r = sock_unix(&a, path, false, false, e)) < 0 || (r = sock_listen(&a, 0, e)) < 0)
        return r;
    v->unix_path = strdup(path);
    return note_listen(v, r, "");
}

/* "host:1": display 1 is port 5901. */
static int open_sockets(struct vnc *v, const struct options *o, struct err *e)
{
    const char *colon = strrchr(o->where, ':');
    long display, to = 0, most = 65535 - 5900;
    char host[256];

    if (!strncmp(o->where, "unix:", 5))
        return listen_unix(v, o->where + 5, e);
    if (!colon)
        return err_set(e, -EINVAL, "no vnc port specified");
    snprintf(host, sizeof(host), "%.*s", (int)(colon - o->where), o->where);
    if (*host == '[' && host[strlen(host) - 1] == ']') {
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = 0;
    }
    if (o->reverse)
        return call_viewer(v, host, colon + 1, e);
    if (number(colon + 1, most, "port", &display, e) < 0 || (o->to && number(o->to, most, "to", &to, e) < 0))
        return e->code;
    if (listen_port(v, o, host, 5900 + display, o->to ? 5900 + to : 0, "", e) < 0)
        return e->code;
    return listen_websocket(v, o, host, port_of(v->listen[0]) - 5900, e);
}

static int refuse(const struct options *o, struct err *e)
{
    static const char why[] = "%s: not supported (libvncserver has no such security type)";

    if (o->tls_creds || o->tls_authz)
        return err_set(e, -ENOTSUP, why, o->tls_creds ? "tls-creds" : "tls-authz");
    if (o->sasl || o->sasl_authz || o->acl)
        return err_set(e, -ENOTSUP, why, o->acl ? "acl" : "sasl");
    return 0;
}

static int take_share(struct vnc *v, const char *text, struct err *e)
{
    for (v->share = 0; share_names[v->share]; v->share++)
        if (!strcmp(share_names[v->share], text))
            return 0;
    return err_set(e, -EINVAL, "unknown vnc share= option '%s': want allow-exclusive, force-shared or ignore", text);
}

static int take_secret(struct vnc *v, const char *id, struct err *e)
{
    char buf[256] = "";
    int r;

    if (!id)
        return 0;
    v->wants_password = true;
    if (!v->env->secret)
        return err_set(e, -ENOENT, "No secret with id '%s'", id);
    if ((r = v->env->secret(v->env->opaque, id, buf, sizeof(buf), e)) < 0)
        return r;
    return vnc_set_password(v, buf, e);
}

static int start(struct vnc *v, struct err *e)
{
    int r = pthread_create(&v->thread, NULL, vnc_thread_main, v);

    if (r)
        return err_set(e, -r, "cannot make a thread: %s", strerror(r));
    v->threaded = true;
    return 0;
}

static int set_up(struct vnc *v, const struct options *o, struct err *e)
{
    v->id = strdup(o->id);
    v->lossy = o->lossy;
    v->wants_password = o->password;
    v->key_delay = o->key_delay;
    v->absolute = input_absolute(v->env->input);
    v->width = 640;
    v->height = 480;
    if (!(v->pixels = calloc((size_t)v->width * v->height, 4)))
        fatal("out of memory");
    if (v->env->keymap && !(v->keymap = keymap_load(v->env->keymap, e)))
        return e->code;
    if (take_share(v, o->share, e) < 0 || refuse(o, e) < 0 || take_secret(v, o->secret, e) < 0 || open_sockets(v, o, e) < 0)
        return e->code;
    if ((v->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        return err_set(e, -errno, "eventfd: %s", strerror(errno));
    v->viewer = viewer_new(v->env->displays, &viewer_ops, v);
    input_on_change(v->env->input, on_input_change, v);
    return start(v, e);
}

struct vnc *vnc_open(const struct vnc_env *env, struct json_object *opts, struct err *e)
{
    struct json_object *copy = NULL;
    struct options o;
    struct vnc *v = NULL;
    int r;

    json_object_deep_copy(opts, &copy, NULL);
    if ((r = fields_take(fields, copy, &o, e)) == 0 && (r = fields_refuse_rest(copy, e)) < 0)
        fields_free(fields, &o);
    json_object_put(copy);
    if (r < 0)
        return NULL;
    if (o.where && strcmp(o.where, "none") != 0) {
        if (!(v = calloc(1, sizeof(*v))))
            fatal("out of memory");
        v->env = env;
        v->wake = v->reverse = -1;
        v->last_x = v->last_y = -1;
        v->expires = INT64_MAX;
        pthread_mutex_init(&v->lock, NULL);
        r = vnc_there() ? set_up(v, &o, e) : err_set(e, -ENOTSUP, "VNC is not built in (libvncserver)");
        if (r < 0) {
            vnc_close(v);
            v = NULL;
        }
    } else if (!o.where) {
        err_set(e, -EINVAL, "no address: want [host]:display or unix:path");
    } else if (env->keymap) {
        keymap_free(keymap_load(env->keymap, e)); /* a wrong one is said even so */
    }
    fields_free(fields, &o);
    return v;
}

void vnc_close(struct vnc *v)
{
    if (!v)
        return;
    if (v->threaded) {
        pthread_mutex_lock(&v->lock);
        v->quit = true;
        pthread_mutex_unlock(&v->lock);
        vnc_wake(v);
        pthread_join(v->thread, NULL);
    }
    input_off_change(v->env->input, v);
    viewer_free(v->viewer);
    for (unsigned i = 0; i < v->n_listen; i++)
        close(v->listen[i]);
    if (v->unix_path)
        unlink(v->unix_path);
    if (v->wake >= 0)
        close(v->wake);
    pthread_mutex_destroy(&v->lock);
    keymap_free(v->keymap);
    free(v->unix_path);
    free(v->pixels);
    free(v->id);
    free(v);
}

/* --- The monitor's --- */

const char *vnc_id(const struct vnc *v)
{
    return v->id;
}

int vnc_set_password(struct vnc *v, const char *password, struct err *e)
{
    if (!v->wants_password)
        return err_set(e, -EINVAL, "If you want use passwords please enable password auth using '-vnc ${dpy},password'.");
    pthread_mutex_lock(&v->lock);
    memset(v->password, 0, sizeof(v->password));
    if (password)
        strncpy(v->password, password, VNC_PASSWORD);
    v->has_password = password != NULL;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

int vnc_expire_password(struct vnc *v, int64_t when, struct err *e)
{
    pthread_mutex_lock(&v->lock);
    v->expires = when;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

void vnc_print(struct vnc *v, void (*line)(void *opaque, const char *text), void *opaque)
{
    const char *auth = v->wants_password ? "vnc" : "none";
    char text[SOCK_TEXT + 64];

    snprintf(text, sizeof(text), "%s:", v->id);
    line(opaque, text);
    for (unsigned i = v->n_listen; i-- > 0;) {
        snprintf(text, sizeof(text), "  Server: %s", v->where[i]);
        line(opaque, text);
        snprintf(text, sizeof(text), "    Auth: %s (Sub: none)", auth);
        line(opaque, text);
    }
    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->n_peers; i++) {
        snprintf(text, sizeof(text), "  Client: %s", v->peer[i].text);
        line(opaque, text);
    }
    pthread_mutex_unlock(&v->lock);
    if (!v->n_listen) {
        snprintf(text, sizeof(text), "  Auth: %s (Sub: none)", auth);
        line(opaque, text);
    }
}
