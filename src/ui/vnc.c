/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNC servers, the main loop's side: options, the picture, keys and pointers.  Contract: vnc.h. */
#include "ui/vnc_priv.h"

#include "ui/keymap.h"

#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
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

static void wake(const struct vnc_client *c)
{
    uint64_t one = 1;

    if (write(c->wake, &one, sizeof(one)) < 0)
        return; /* it is full: the thread wakes up anyway */
}

static bool is_there(const struct vnc_client *c)
{
    return c->taken && !c->gone;
}

/* How many viewers there are. */
static unsigned viewers(struct vnc *v)
{
    unsigned n = 0;

    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->connections; i++)
        n += is_there(&v->client[i]);
    pthread_mutex_unlock(&v->lock);
    return n;
}

/* Something is new for all of them. */
static void wake_all(struct vnc *v)
{
    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->connections; i++)
        if (is_there(&v->client[i]))
            wake(&v->client[i]);
    pthread_mutex_unlock(&v->lock);
}

static void handle(struct vnc *v, const struct vnc_event *ev);

/* Not all that come meanwhile: viewers that talk fast do not stop the machine. */
static void drain(void *opaque)
{
    struct vnc *v = opaque;

    for (unsigned i = 0; i < VNC_EVENTS; i++) {
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
    loop_call(v->env->loop, drain, v);
}

/* A viewer that says more than the machine takes is slowed down: its thread waits until the main loop has taken some. */
static void say(struct vnc *v, struct vnc_event ev, bool waits)
{
    bool call = false;

    pthread_mutex_lock(&v->lock);
    while (waits && v->n_events == VNC_EVENTS && !v->quit) {
        pthread_mutex_unlock(&v->lock);
        usleep(1000);
        pthread_mutex_lock(&v->lock);
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

void vnc_say(struct vnc *v, struct vnc_event ev)
{
    say(v, ev, true);
}

/* --- The picture --- */

static void copy_rect(struct vnc *v, const struct surface *s, struct vnc_rect r)
{
    for (unsigned y = r.y; y < r.y + r.h; y++)
        memcpy(v->pixels + (size_t)y * v->width + r.x, surface_row(s, y) + r.x, r.w * 4);
}

static void note_rect(struct vnc *v, struct vnc_rect r)
{
    for (struct vnc_client *c = v->client; c < v->client + v->connections; c++) {
        if (c->n_rects < VNC_RECTS)
            c->rect[c->n_rects++] = r;
        else /* too many: all of it */
            c->rect[0] = (struct vnc_rect){0, 0, v->width, v->height};
    }
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
    }
    for (unsigned i = 0; i < v->connections; i++)
        v->client[i].resized = true;
    copy_rect(v, s, (struct vnc_rect){0, 0, s->width, s->height});
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

static void note_cursor(struct vnc *v)
{
    for (unsigned i = 0; i < v->connections; i++)
        v->client[i].cursor_changed = true;
}

/* A pointer that the device shows apart from the picture. */
static void on_cursor(void *opaque, struct console *c, const struct cursor *shape)
{
    struct vnc *v = opaque;
    size_t n = shape ? (size_t)shape->width * shape->height * 4 : 0;
    uint32_t *copy = n ? malloc(n) : NULL;

    if (n && !copy)
        fatal("out of memory");
    if (n)
        memcpy(copy, shape->pixels, n);
    pthread_mutex_lock(&v->lock);
    free((uint32_t *)(uintptr_t)v->cursor.pixels);
    v->cursor = n ? *shape : (struct cursor){0};
    v->cursor.pixels = copy;
    note_cursor(v);
    pthread_mutex_unlock(&v->lock);
    wake_all(v);
}

static void on_cursor_at(void *opaque, struct console *c, int x, int y, bool visible)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    if (v->cursor_visible != visible)
        note_cursor(v);
    v->cursor_x = x;
    v->cursor_y = y;
    v->cursor_visible = visible;
    pthread_mutex_unlock(&v->lock);
    wake_all(v);
}

static void on_refreshed(void *opaque, struct console *c)
{
    wake_all(opaque);
}

/* The console that display= and head= name; which may come and go. */
static struct console *first_console(struct vnc *v)
{
    struct console *c = v->display ? displays_find(v->env->displays, v->display, v->head) : NULL;

    return c ? c : displays_console(v->env->displays, 0);
}

static void on_gone(void *opaque, struct console *c)
{
    struct vnc *v = opaque;
    struct console *other = first_console(v);

    viewer_look(v->viewer, other == c ? NULL : other);
}

static const struct viewer_ops viewer_ops = {
    .resized = on_resized, .dirty = on_dirty, .refreshed = on_refreshed, .cursor = on_cursor, .cursor_at = on_cursor_at, .gone = on_gone};

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
        if (!viewers(v))
            viewer_look(v->viewer, NULL);
        else if (!c)
            viewer_look(v->viewer, first_console(v));
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
    wake_all(v);
}

/* --- Viewers come and go --- */

static void finish(struct vnc_client *c)
{
    pthread_join(c->thread, NULL);
    c->taken = false;
}

static struct vnc_client *free_place(struct vnc *v)
{
    for (struct vnc_client *c = v->client; c < v->client + v->connections; c++) {
        if (c->taken && c->ended)
            finish(c); /* has nothing left to do, and waits for no lock */
        if (!c->taken)
            return c;
    }
    return NULL;
}

static bool begin(struct vnc *v, int fd, const struct vnc_peer *peer, bool reverse)
{
    struct vnc_client *c = v->quit || fd >= FD_SETSIZE /* libvncserver selects */ ? NULL : free_place(v);

    if (!c || (c->hang_up = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
        return false;
    c->fd = fd;
    c->reverse = reverse;
    c->peer = *peer;
    c->gone = c->ended = c->inside = false;
    c->cursor_changed = true;
    c->n_rects = 0;
    c->taken = !pthread_create(&c->thread, NULL, vnc_serve, c);
    if (!c->taken)
        close(c->hang_up);
    return c->taken;
}

bool vnc_begin(struct vnc *v, int fd, const struct vnc_peer *peer, bool reverse)
{
    bool good;

    pthread_mutex_lock(&v->lock);
    good = begin(v, fd, peer, reverse);
    pthread_mutex_unlock(&v->lock);
    if (good)
        say(v, (struct vnc_event){.kind = VNC_LOOK}, false); /* it may be the main loop that calls */
    else
        close(fd);
    return good;
}

static void welcome(struct vnc *v, int fd, bool websocket, bool reverse)
{
    struct sock_addr a = sock_peer(fd);
    struct vnc_peer peer = {.name = ""};
    int on = 1;

    if (a.a.ss_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)); /* those that vanish give their places back */
    vnc_peer_address(&peer, &a);
    if (v->tls)
        vnc_tls_begin(v, fd, websocket);
    else
        vnc_begin(v, fd, &peer, reverse);
}

static void on_listen(void *opaque, int ready)
{
    struct vnc *v = opaque;
    int fd;

    for (unsigned i = 0; i < v->n_listen; i++)
        while ((fd = sock_accept(v->listen[i], NULL)) >= 0)
            welcome(v, fd, v->is_websocket[i], false);
}

static int start(struct vnc *v, struct err *e)
{
    for (unsigned i = 0; i < v->connections; i++) {
        v->client[i].v = v;
        if ((v->client[i].wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
            return err_set(e, -errno, "eventfd: %s", strerror(errno));
    }
    vnc_screens(v);
    for (unsigned i = 0; i < v->n_listen; i++)
        v->listening[i] = loop_add_fd(v->env->loop, v->listen[i], LOOP_READ, on_listen, v);
    if (v->reverse >= 0)
        welcome(v, v->reverse, false, true);
    v->reverse = -1;
    return 0;
}

static void stop(struct vnc *v)
{
    pthread_mutex_lock(&v->lock);
    v->quit = true; /* nobody begins any more */
    for (unsigned i = 0; i < v->connections; i++)
        if (is_there(&v->client[i]))
            shutdown(v->client[i].hang_up, SHUT_RDWR);
    pthread_mutex_unlock(&v->lock);
    wake_all(v);
    for (unsigned i = 0; i < v->connections; i++)
        if (v->client[i].taken)
            finish(&v->client[i]);
    vnc_screens_free(v);
    for (unsigned i = 0; i < v->connections; i++)
        if (v->client[i].wake >= 0)
            close(v->client[i].wake);
}

/* --- Options --- */

static const char *const share_names[] = {"allow-exclusive", "force-shared", "ignore", NULL};

static const struct field fields[] = {
    FIELD(vnc_options, where, F_STR, "vnc", NULL, "[host]:display, or unix:path"),
    FIELD(vnc_options, to, F_STR, "to", NULL, "greatest display number to try"),
    FIELD(vnc_options, websocket, F_ONOFF, "websocket", NULL, "on, or a port: WebSocket connections, too"),
    FIELD(vnc_options, share, F_STR, "share", "allow-exclusive", "allow-exclusive, force-shared or ignore"),
    FIELD(vnc_options, tls_creds, F_STR, "tls-creds", NULL, "object with the server's TLS credentials: viewers connect by VeNCrypt"),
    FIELD(vnc_options, tls_authz, F_STR, "tls-authz", NULL, "object that says whose certificates are let in"),
    FIELD(vnc_options, sasl_authz, F_STR, "sasl-authz", NULL, "not supported"),
    FIELD(vnc_options, display, F_STR, "display", NULL, "device whose screen is shown first"),
    FIELD(vnc_options, secret, F_STR, "password-secret", NULL, "secret object with the password"),
    FIELD(vnc_options, id, F_STR, "id", "default", "name of the server"),
    FIELD(vnc_options, lock_key, F_ONOFF, "lock-key-sync", NULL, "understood, and without effect"),
    FIELD(vnc_options, audiodev, F_STR, "audiodev", NULL, "understood, and without effect"),
    FIELD(vnc_options, password, F_BOOL, "password", "off", "viewers are asked for the password that the monitor sets"),
    FIELD(vnc_options, lossy, F_BOOL, "lossy", "off", "pictures may be compressed with losses"),
    FIELD(vnc_options, non_adaptive, F_BOOL, "non-adaptive", "off", "understood, and without effect"),
    FIELD(vnc_options, sasl, F_BOOL, "sasl", "off", "not supported"),
    FIELD(vnc_options, acl, F_BOOL, "acl", "off", "not supported"),
    FIELD(vnc_options, reverse, F_BOOL, "reverse", "off", "connect to a viewer that listens at host:port"),
    FIELD(vnc_options, power, F_BOOL, "power-control", "off", "understood, and without effect"),
    FIELD(vnc_options, ipv4, F_BOOL, "ipv4", "off", "only this"),
    FIELD(vnc_options, ipv6, F_BOOL, "ipv6", "off", "only this"),
    FIELD(vnc_options, head, F_U64, "head", "0", "screen of that device"),
    FIELD(vnc_options, key_delay, F_U64, "key-delay-ms", "10", "between two keys, for guests that read slowly"),
    FIELD(vnc_options, connections, F_U64, "connections", "32", "viewers at a time, at most 64"),
    FIELD_END,
};

static int refuse(const struct vnc_options *o, struct err *e)
{
    if (o->tls_authz && !o->tls_creds)
        return err_set(e, -EINVAL, "'tls-authz' provided but TLS is not enabled");
    if (o->password && o->secret)
        return err_set(e, -EINVAL, "'password' flag is redundant with 'password-secret'");
    if (!o->connections || o->connections > VNC_CLIENTS)
        return err_set(e, -ERANGE, "connections=%" PRIu64 ": want 1 to %d", o->connections, VNC_CLIENTS);
    if (o->sasl || o->sasl_authz || o->acl)
        return err_set(e, -ENOTSUP, "%s: not supported (libvncserver has no such security type)", o->acl ? "acl" : "sasl");
    return 0;
}

static int take_display(struct vnc *v, const struct vnc_options *o, struct err *e)
{
    if (!o->display)
        return 0;
    if (!displays_find(v->env->displays, o->display, (unsigned)o->head))
        return err_set(e, -ENOENT, displays_find(v->env->displays, o->display, 0) ? "Device '%s' does not have a screen of that number" :
                       "Device '%s' not found", o->display);
    v->display = strdup(o->display);
    v->head = (unsigned)o->head;
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

static int set_up(struct vnc *v, const struct vnc_options *o, struct err *e)
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
    if (take_share(v, o->share, e) < 0 || refuse(o, e) < 0 || take_display(v, o, e) < 0 || take_secret(v, o->secret, e) < 0 ||
        vnc_tls_init(v, o, e) < 0 || vnc_listen(v, o, e) < 0)
        return e->code;
    v->connections = (unsigned)o->connections;
    for (unsigned i = 0; i < v->connections; i++)
        v->client[i].wake = -1;
    v->viewer = viewer_new(v->env->displays, &viewer_ops, v);
    input_on_change(v->env->input, on_input_change, v);
    return start(v, e);
}

struct vnc *vnc_open(const struct vnc_env *env, struct json_object *opts, struct err *e)
{
    struct json_object *copy = NULL;
    struct vnc_options o;
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
        v->reverse = -1;
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
    for (unsigned i = 0; i < v->n_listen; i++)
        if (v->listening[i])
            loop_del_fd(v->listening[i]);
    stop(v);
    vnc_tls_fini(v);
    input_off_change(v->env->input, v);
    viewer_free(v->viewer);
    for (unsigned i = 0; i < v->n_listen; i++)
        close(v->listen[i]);
    if (v->unix_path)
        unlink(v->unix_path);
    if (v->reverse >= 0)
        close(v->reverse);
    pthread_mutex_destroy(&v->lock);
    keymap_free(v->keymap);
    free((uint32_t *)(uintptr_t)v->cursor.pixels);
    free(v->display);
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

static void print_auth(struct vnc *v, const char *indent, bool websocket, void (*line)(void *opaque, const char *text), void *opaque)
{
    char text[80];

    if (v->tls && !websocket)
        snprintf(text, sizeof(text), "%sAuth: vencrypt (Sub: %s-%s)", indent, v->tls_anon ? "tls" : "x509", v->wants_password ? "vnc" : "none");
    else
        snprintf(text, sizeof(text), "%sAuth: %s (Sub: none)", indent, v->wants_password ? "vnc" : "none");
    line(opaque, text);
}

void vnc_print(struct vnc *v, void (*line)(void *opaque, const char *text), void *opaque)
{
    char text[SOCK_TEXT + 64];

    snprintf(text, sizeof(text), "%s:", v->id);
    line(opaque, text);
    for (unsigned i = v->n_listen; i-- > 0;) {
        snprintf(text, sizeof(text), "  Server: %s", v->where[i]);
        line(opaque, text);
        print_auth(v, "    ", v->is_websocket[i], line, opaque);
    }
    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->connections; i++) {
        const struct vnc_peer *peer = &v->client[i].peer;

        if (!is_there(&v->client[i]))
            continue;
        snprintf(text, sizeof(text), "  Client: %s", peer->text);
        line(opaque, text);
        snprintf(text, sizeof(text), "    x509_dname: %s", *peer->name ? peer->name : "none");
        line(opaque, text);
        line(opaque, "    sasl_username: none");
    }
    pthread_mutex_unlock(&v->lock);
    if (!v->n_listen)
        print_auth(v, "  ", false, line, opaque);
}

const char *vnc_where(const struct vnc *v)
{
    return v->n_listen ? v->at : NULL;
}
