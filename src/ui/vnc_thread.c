/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC viewer's own thread: libvncserver on a connection that vnc.c has taken, and nothing of the machine.  Source: RFC 6143; the community's
 * rfbproto for QEMU's extended key events (-258) and pointer motion changes (-257).
 */
#include "ui/vnc_priv.h"

#ifdef HAVE_LIBVNCSERVER

#include "base/bytes.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <rfb/rfb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POINTER_CHANGE = -257, EXTENDED_KEY = -258, MSG_QEMU = 255, LINGER_MS = 10 };

/* What belongs to one viewer. */
struct client {
    struct vnc_client *place;
    rfbClientPtr it; /* NULL: has left */
    bool pointer;    /* was given a picture of one */
    bool motion;     /* takes pointer motion changes, and */
    bool told, absolute; /* was told this */
};

static struct client *client_of(rfbClientPtr cl)
{
    return cl->screen->screenData;
}

static struct vnc *vnc_of(rfbClientPtr cl)
{
    return client_of(cl)->place->v;
}

/* The library's list of extensions; making screens; its DES. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;
static bool extended; /* [library] */

/* --- What viewers say --- */

static void key(rfbBool down, rfbKeySym sym, rfbClientPtr cl)
{
    vnc_say(vnc_of(cl), (struct vnc_event){.kind = VNC_KEY, .a = sym, .c = down != 0});
}

static void pointer(int mask, int x, int y, rfbClientPtr cl)
{
    struct client *c = client_of(cl);
    bool relative = c->motion && c->told && !c->absolute;

    vnc_say(vnc_of(cl), (struct vnc_event){.kind = VNC_POINTER,
                                           .relative = relative,
                                           .a = (uint32_t)(relative ? x - 0x7fff : x),
                                           .b = (uint32_t)(relative ? y - 0x7fff : y),
                                           .c = (uint32_t)mask});
}

static int desktop_size(int width, int height, int n, struct rfbExtDesktopScreen *screens, rfbClientPtr cl)
{
    vnc_say(vnc_of(cl), (struct vnc_event){.kind = VNC_SIZE, .a = (uint32_t)width, .b = (uint32_t)height});
    return rfbExtDesktopSize_ResizeProhibited; /* the guest may do it, some time */
}

/* RFC 6143, 7.2.2: DES of the challenge with the password as key. */
static rfbBool password_ok(rfbClientPtr cl, const char *response, int len)
{
    struct vnc *v = vnc_of(cl);
    unsigned char want[CHALLENGESIZE];
    char password[VNC_PASSWORD + 1];
    unsigned differs = 0;
    bool good;

    pthread_mutex_lock(&v->lock);
    good = v->has_password && time(NULL) < v->expires;
    memcpy(password, v->password, sizeof(password));
    pthread_mutex_unlock(&v->lock);
    memcpy(want, cl->authChallenge, CHALLENGESIZE);
    pthread_mutex_lock(&library);
    rfbEncryptBytes(want, password);
    pthread_mutex_unlock(&library);
    if (len != CHALLENGESIZE)
        return FALSE;
    for (int i = 0; i < CHALLENGESIZE; i++)
        differs |= want[i] ^ (unsigned char)response[i];
    return good && !differs;
}

/* --- Extensions --- */

/* An update of one rectangle without pixels says that the server knows @encoding. */
static void announce(rfbClientPtr cl, int encoding, unsigned x)
{
    char msg[16] = {rfbFramebufferUpdate, 0, 0, 1};

    put_be16(msg + 4, (uint16_t)x);
    put_be16(msg + 8, (uint16_t)cl->screen->width);
    put_be16(msg + 10, (uint16_t)cl->screen->height);
    put_be32(msg + 12, (uint32_t)encoding);
    rfbWriteExact(cl, msg, sizeof(msg));
}

static void tell_motion(rfbClientPtr cl)
{
    struct client *c = client_of(cl);
    struct vnc *v = vnc_of(cl);
    bool absolute;

    pthread_mutex_lock(&v->lock);
    absolute = v->absolute;
    pthread_mutex_unlock(&v->lock);
    if (!c->motion || (c->told && c->absolute == absolute))
        return;
    c->told = true;
    c->absolute = absolute;
    announce(cl, POINTER_CHANGE, absolute);
}

static rfbBool enable(rfbClientPtr cl, void **data, int encoding)
{
    if (encoding == EXTENDED_KEY) {
        announce(cl, encoding, 0);
        return TRUE;
    }
    if (encoding != POINTER_CHANGE)
        return FALSE;
    client_of(cl)->motion = true;
    tell_motion(cl);
    return TRUE;
}

/* 255, 0: down (2 bytes), keysym and XT code (4 each). */
static rfbBool message(rfbClientPtr cl, void *data, const rfbClientToServerMsg *msg)
{
    char buf[11];

    if (msg->type != MSG_QEMU || cl->viewOnly)
        return FALSE;
    if (rfbReadExact(cl, buf, 1) <= 0 || buf[0] != 0 || rfbReadExact(cl, buf + 1, 10) <= 0) {
        rfbCloseClient(cl);
        return TRUE;
    }
    vnc_say(vnc_of(cl), (struct vnc_event){.kind = VNC_KEY, .a = get_be32(buf + 3), .b = get_be32(buf + 7), .c = get_be16(buf + 1) != 0});
    return TRUE;
}

static rfbBool new_for_extension(rfbClientPtr cl, void **data)
{
    return TRUE;
}

static int pseudo[] = {POINTER_CHANGE, EXTENDED_KEY, 0};
static rfbProtocolExtension extension = {
    .newClient = new_for_extension, .pseudoEncodings = pseudo, .enablePseudoEncoding = enable, .handleMessage = message};

/* --- Viewers come and go --- */

static void gone(rfbClientPtr cl)
{
    client_of(cl)->it = NULL;
}

static enum rfbNewClientAction arrived(rfbClientPtr cl)
{
    client_of(cl)->it = cl;
    cl->clientGoneHook = gone;
    return RFB_CLIENT_ACCEPT;
}

/* Of a viewer that wants the screen for itself either the others are let go, or it is.  False: it. */
static bool let_in(struct vnc_client *c, bool shared)
{
    struct vnc *v = c->v;
    bool alone = !shared && !c->reverse && v->share != SHARE_ALL, good = true;

    pthread_mutex_lock(&v->lock);
    for (struct vnc_client *o = v->client; alone && o < v->client + v->connections; o++) {
        if (!o->taken || o->gone || !o->inside || o == c)
            continue;
        if (v->share == SHARE_FORCED)
            good = false;
        else
            shutdown(o->hang_up, SHUT_RDWR);
    }
    c->inside = good;
    c->resized = true; /* all is new */
    pthread_mutex_unlock(&v->lock);
    return good;
}

static void before_update(rfbClientPtr cl)
{
    /* A viewer that can show pointers keeps its own while there is none of the device's. */
    if (!cl->screen->cursor && !client_of(cl)->pointer)
        cl->cursorWasChanged = FALSE;
    client_of(cl)->pointer |= cl->screen->cursor != NULL;
    if (vnc_of(cl)->lossy)
        return;
    cl->tightQualityLevel = -1;
    cl->turboQualityLevel = -1;
}

/* --- The picture --- */

static void set_format(rfbScreenInfoPtr s)
{
    rfbClientIteratorPtr i = rfbGetClientIterator(s);
    rfbClientPtr cl;

    s->serverFormat.redShift = 16;
    s->serverFormat.greenShift = 8;
    s->serverFormat.blueShift = 0;
    while ((cl = rfbClientIteratorNext(i)))
        s->setTranslateFunction(cl);
    rfbReleaseClientIterator(i);
}

static void set_size(rfbScreenInfoPtr s, unsigned width, unsigned height)
{
    char *old = s->frameBuffer, *now = calloc((size_t)width * height, 4);

    if (!now)
        fatal("out of memory");
    rfbNewFramebuffer(s, now, (int)width, (int)height, 8, 3, 4);
    set_format(s);
    free(old);
}

static struct vnc_rect clip(struct vnc_rect r, unsigned width, unsigned height)
{
    r.w = r.x >= width ? 0 : r.x + r.w > width ? width - r.x : r.w;
    r.h = r.y >= height ? 0 : r.y + r.h > height ? height - r.y : r.h;
    return r;
}

static void copy_rect(const struct vnc *v, rfbScreenInfoPtr s, struct vnc_rect r)
{
    for (unsigned y = r.y; y < r.y + r.h; y++)
        memcpy(s->frameBuffer + ((size_t)y * (unsigned)s->width + r.x) * 4, v->pixels + (size_t)y * v->width + r.x, r.w * 4);
}

/* A viewer that takes no other size keeps the one it knows, and sees what of the picture is inside. */
static bool has_other_size(const struct vnc *v, rfbScreenInfoPtr s, rfbClientPtr cl)
{
    return (cl->useNewFBSize || cl->useExtDesktopSize) && (v->width != (unsigned)s->width || v->height != (unsigned)s->height);
}

static void take_picture(struct vnc_client *c, rfbScreenInfoPtr s, rfbClientPtr cl)
{
    struct vnc *v = c->v;
    struct vnc_rect r[VNC_RECTS];
    unsigned n;

    pthread_mutex_lock(&v->lock);
    if (has_other_size(v, s, cl)) {
        set_size(s, v->width, v->height);
        c->resized = true;
    }
    if (c->resized) {
        memset(s->frameBuffer, 0, (size_t)s->width * (unsigned)s->height * 4);
        c->rect[0] = (struct vnc_rect){0, 0, (unsigned)s->width, (unsigned)s->height};
        c->n_rects = 1;
    }
    c->resized = false;
    n = c->n_rects;
    for (unsigned i = 0; i < n; i++) {
        r[i] = clip(c->rect[i], (unsigned)s->width, (unsigned)s->height);
        copy_rect(v, s, clip(r[i], v->width, v->height));
    }
    c->n_rects = 0;
    pthread_mutex_unlock(&v->lock);
    for (unsigned i = 0; i < n; i++)
        if (r[i].w && r[i].h)
            rfbMarkRectAsModified(s, (int)r[i].x, (int)r[i].y, (int)(r[i].x + r[i].w), (int)(r[i].y + r[i].h));
}

/* --- The pointer --- */

/* The library's form: pixels as the picture's, and a bit for each that is to be seen; it has no use for shades of transparency. */
static rfbCursorPtr make_cursor(const struct cursor *c)
{
    size_t row = (c->width + 7) / 8;
    rfbCursorPtr to = calloc(1, sizeof(*to));
    uint32_t *rich = calloc((size_t)c->width * c->height, 4);
    uint8_t *mask = calloc(c->height, row);

    if (!to || !rich || !mask)
        fatal("out of memory");
    for (unsigned y = 0; y < c->height; y++)
        for (unsigned x = 0; x < c->width; x++) {
            uint32_t p = c->pixels[(size_t)y * c->width + x];

            rich[(size_t)y * c->width + x] = p & 0xffffff;
            if (p >> 31)
                mask[y * row + x / 8] |= 0x80 >> (x & 7);
        }
    *to = (struct rfbCursor){.cleanup = TRUE, .cleanupMask = TRUE, .cleanupRichSource = TRUE, .cleanupSource = TRUE, .mask = mask,
                             .richSource = (unsigned char *)rich, .width = (unsigned short)c->width, .height = (unsigned short)c->height,
                             .xhot = (unsigned short)c->hot_x, .yhot = (unsigned short)c->hot_y};
    return to;
}

static void take_cursor(struct vnc_client *c, rfbScreenInfoPtr s)
{
    struct vnc *v = c->v;
    rfbCursorPtr now = NULL;
    bool changed;

    pthread_mutex_lock(&v->lock);
    changed = c->cursor_changed;
    c->cursor_changed = false;
    if (changed && v->cursor.pixels && v->cursor_visible)
        now = make_cursor(&v->cursor);
    s->cursorX = v->cursor_x;
    s->cursorY = v->cursor_y;
    pthread_mutex_unlock(&v->lock);
    if (changed && (now || s->cursor))
        rfbSetCursor(s, now);
}

/* --- The thread --- */

static rfbScreenInfoPtr make_screen(struct vnc *v)
{
    rfbScreenInfoPtr s = rfbGetScreen(NULL, NULL, 16, 16, 8, 3, 4);

    if (!s)
        fatal("out of memory");
    s->desktopName = v->env->title;
    s->cursor = NULL; /* the picture has one */
    s->port = s->ipv6port = s->udpPort = s->httpPort = s->http6Port = 0;
    s->autoPort = FALSE;
    s->deferUpdateTime = 0;
    s->deferPtrUpdateTime = 0;
    s->maxClientWait = INT_MAX; /* slow viewers keep nobody waiting but their own threads */
    s->permitFileTransfer = FALSE;
    s->kbdAddEvent = key;
    s->ptrAddEvent = pointer;
    s->newClientHook = arrived;
    s->displayHook = before_update;
    s->setDesktopSizeHook = desktop_size;
    if (v->wants_password) {
        s->authPasswdData = v;
        s->passwordCheck = password_ok;
    }
    rfbInitServer(s);
    return s;
}

/* All at once: making one sets up anew a lock of the library that is common to all screens. */
void vnc_screens(struct vnc *v)
{
    pthread_mutex_lock(&library);
    if (!extended) {
        rfbLogEnable(0);
        rfbRegisterProtocolExtension(&extension);
    }
    extended = true;
    for (unsigned i = 0; i < v->connections; i++)
        v->client[i].screen = make_screen(v);
    pthread_mutex_unlock(&library);
}

void vnc_screens_free(struct vnc *v)
{
    for (unsigned i = 0; i < v->connections; i++)
        if (v->client[i].screen)
            rfbScreenCleanup(v->client[i].screen);
}

static void show_size(struct vnc *v, rfbScreenInfoPtr s)
{
    unsigned width, height;

    pthread_mutex_lock(&v->lock);
    width = v->width;
    height = v->height;
    pthread_mutex_unlock(&v->lock);
    set_size(s, width, height);
}

/* 7.3.1: ClientInit, which the library takes for the one of a viewer that shares: it knows no others. */
static void client_init(struct vnc_client *c, rfbScreenInfoPtr s, rfbClientPtr cl)
{
    char shared;

    if (rfbReadExact(cl, &shared, 1) <= 0 || !let_in(c, shared)) {
        rfbCloseClient(cl);
        return;
    }
    show_size(c->v, s);
    cl->state = RFB_INITIALISATION_SHARED;
    rfbProcessClientMessage(cl);
}

static bool quits(struct vnc *v)
{
    bool quit;

    pthread_mutex_lock(&v->lock);
    quit = v->quit;
    pthread_mutex_unlock(&v->lock);
    return quit;
}

/* ClientInit inside the same frame of a WebSocket as what comes before it is the library's: such a viewer shares. */
static void update(struct vnc_client *c, rfbScreenInfoPtr s, rfbClientPtr cl)
{
    if (!c->inside)
        let_in(c, true);
    take_picture(c, s, cl);
    take_cursor(c, s);
    tell_motion(cl);
}

/* After something has happened there is one more round soon: the library has deferred things of its own. */
static void serve(struct vnc_client *c, rfbScreenInfoPtr s)
{
    const struct client *client = s->screenData;
    bool busy = true;

    while (client->it && !quits(c->v)) {
        rfbClientPtr cl = client->it;
        struct pollfd p[2] = {{c->wake, POLLIN, 0}, {cl->sock, POLLIN, 0}};
        int ready = poll(p, 2, busy ? LINGER_MS : -1);
        uint64_t sink;

        if (ready < 0 && errno != EINTR)
            return;
        busy = ready > 0;
        if (p[0].revents && read(c->wake, &sink, sizeof(sink)) < 0 && errno != EAGAIN)
            return;
        if (cl->state == RFB_NORMAL)
            update(c, s, cl);
        else if (cl->state == RFB_INITIALISATION && p[1].revents)
            client_init(c, s, cl);
        s->handleEventsEagerly = cl->state == RFB_NORMAL;
        rfbProcessEvents(s, 0);
    }
}

static void say_gone(struct vnc_client *c)
{
    struct vnc *v = c->v;

    pthread_mutex_lock(&v->lock);
    c->gone = true;
    shutdown(c->hang_up, SHUT_RDWR); /* the viewer is to know */
    close(c->hang_up);
    pthread_mutex_unlock(&v->lock);
    vnc_say(v, (struct vnc_event){.kind = VNC_LEFT});
    vnc_say(v, (struct vnc_event){.kind = VNC_LOOK});
    pthread_mutex_lock(&v->lock);
    c->ended = true;
    pthread_mutex_unlock(&v->lock);
}

void *vnc_serve(void *place)
{
    struct vnc_client *c = place;
    struct client client = {.place = c};
    rfbScreenInfoPtr s = c->screen;
    rfbClientPtr cl;

    s->screenData = &client;
    s->handleEventsEagerly = FALSE;
    show_size(c->v, s);
    if ((cl = rfbNewClient(s, c->fd)))
        cl->reverseConnection = c->reverse;
    serve(c, s);
    if (client.it) {
        rfbCloseClient(client.it);
        rfbClientConnectionGone(client.it);
    }
    rfbSetCursor(s, NULL);
    free(s->frameBuffer);
    s->frameBuffer = NULL;
    say_gone(c);
    return NULL;
}

#else

void vnc_screens(struct vnc *v)
{
}

void vnc_screens_free(struct vnc *v)
{
}

void *vnc_serve(void *place)
{
    return NULL;
}

#endif
