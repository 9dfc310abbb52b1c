/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC server's own thread: libvncserver on sockets that vnc.c has made, and nothing of the machine.  Source: RFC 6143; the community's
 * rfbproto for QEMU's extended key events (-258) and pointer motion changes (-257).
 */
#include "ui/vnc_priv.h"

#ifdef HAVE_LIBVNCSERVER

#include "base/bytes.h"

#include <errno.h>
#include <poll.h>
#include <rfb/rfb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POINTER_CHANGE = -257, EXTENDED_KEY = -258, MSG_QEMU = 255, WAIT_MS = 5000, LINGER_MS = 10 };

/* What belongs to one viewer. */
struct client {
    struct vnc *v;
    bool pointer;  /* was given a picture of one */
    bool motion;   /* takes pointer motion changes, and */
    bool told, absolute; /* was told this */
    bool missed;   /* a size of the picture, before it said that it takes new ones */
};

static struct vnc *vnc_of(rfbClientPtr cl)
{
    return cl->screen->screenData;
}

static struct client *client_of(rfbClientPtr cl)
{
    return cl->clientData;
}

/* --- What viewers say --- */

static void key(rfbBool down, rfbKeySym sym, rfbClientPtr cl)
{
    vnc_say(vnc_of(cl), (struct vnc_event){.kind = VNC_KEY, .a = sym, .c = down != 0});
}

static void pointer(int mask, int x, int y, rfbClientPtr cl)
{
    struct client *c = client_of(cl);
    bool relative = c && c->motion && c->told && !c->absolute;

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
    rfbEncryptBytes(want, password);
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
    if (!client_of(cl))
        return FALSE;
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

static void count(struct vnc *v)
{
    unsigned n;

    pthread_mutex_lock(&v->lock);
    n = v->n_peers;
    pthread_mutex_unlock(&v->lock);
    vnc_say(v, (struct vnc_event){.kind = VNC_LOOK, .a = n});
}

static void gone(rfbClientPtr cl)
{
    struct vnc *v = vnc_of(cl);

    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->n_peers; i++)
        if (v->peer[i].client == cl) {
            v->peer[i] = v->peer[--v->n_peers];
            break;
        }
    pthread_mutex_unlock(&v->lock);
    free(cl->clientData);
    cl->clientData = NULL;
    vnc_say(v, (struct vnc_event){.kind = VNC_LEFT});
    count(v);
}

static enum rfbNewClientAction arrived(rfbClientPtr cl)
{
    struct vnc *v = vnc_of(cl);
    struct sock_addr a = sock_peer(cl->sock);
    struct vnc_peer peer = {.client = cl};
    struct client *c = calloc(1, sizeof(*c));
    bool room;

    if (!c)
        return RFB_CLIENT_REFUSE;
    if (v->arriving) { /* inside TLS: the socket says nothing */
        peer = *v->arriving;
        peer.client = cl;
    } else {
        vnc_peer_address(&peer, &a);
    }
    pthread_mutex_lock(&v->lock);
    room = v->n_peers < v->connections;
    if (room)
        v->peer[v->n_peers++] = peer;
    pthread_mutex_unlock(&v->lock);
    if (!room) {
        free(c);
        return RFB_CLIENT_REFUSE;
    }
    c->v = v;
    cl->clientData = c;
    cl->clientGoneHook = gone;
    count(v);
    return RFB_CLIENT_ACCEPT;
}

static void before_update(rfbClientPtr cl)
{
    /* A viewer that can show pointers keeps its own while there is none of the device's. */
    if (!cl->screen->cursor && !client_of(cl)->pointer)
        cl->cursorWasChanged = FALSE;
    client_of(cl)->pointer |= cl->screen->cursor != NULL;
    if (client_of(cl)->missed && cl->useNewFBSize) {
        client_of(cl)->missed = false;
        cl->newFBSizePending = TRUE;
    }
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

/* The library forgets those who have been told the size, and not yet said that they take another. */
static void note_size(rfbScreenInfoPtr s)
{
    rfbClientIteratorPtr i = rfbGetClientIterator(s);
    rfbClientPtr cl;

    while ((cl = rfbClientIteratorNext(i)))
        if (client_of(cl) && cl->state == RFB_NORMAL && !cl->useNewFBSize)
            client_of(cl)->missed = true;
    rfbReleaseClientIterator(i);
}

static void set_size(rfbScreenInfoPtr s, unsigned width, unsigned height)
{
    char *old = s->frameBuffer, *now = calloc((size_t)width * height, 4);

    if (!now)
        fatal("out of memory");
    note_size(s);
    rfbNewFramebuffer(s, now, (int)width, (int)height, 8, 3, 4);
    set_format(s);
    free(old);
}

static void take_picture(struct vnc *v, rfbScreenInfoPtr s)
{
    struct vnc_rect r[VNC_RECTS];
    unsigned n;

    pthread_mutex_lock(&v->lock);
    if (v->resized)
        set_size(s, v->width, v->height);
    v->resized = false;
    n = v->n_rects;
    memcpy(r, v->rect, n * sizeof(r[0]));
    v->n_rects = 0;
    for (unsigned i = 0; i < n; i++)
        for (unsigned y = r[i].y; y < r[i].y + r[i].h; y++)
            memcpy(s->frameBuffer + ((size_t)y * v->width + r[i].x) * 4, v->pixels + (size_t)y * v->width + r[i].x, r[i].w * 4);
    pthread_mutex_unlock(&v->lock);
    for (unsigned i = 0; i < n; i++)
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

static void take_cursor(struct vnc *v, rfbScreenInfoPtr s)
{
    rfbCursorPtr now = NULL;
    bool changed;

    pthread_mutex_lock(&v->lock);
    changed = v->cursor_changed;
    v->cursor_changed = false;
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
    rfbScreenInfoPtr s = rfbGetScreen(NULL, NULL, (int)v->width, (int)v->height, 8, 3, 4);

    if (!s || !(s->frameBuffer = calloc((size_t)v->width * v->height, 4)))
        fatal("out of memory");
    s->screenData = v;
    s->desktopName = v->env->title;
    s->cursor = NULL; /* the picture has one */
    s->port = s->ipv6port = s->udpPort = s->httpPort = s->http6Port = 0;
    s->autoPort = FALSE;
    s->deferUpdateTime = 0;
    s->deferPtrUpdateTime = 0;
    s->handleEventsEagerly = TRUE;
    s->maxClientWait = WAIT_MS;
    s->alwaysShared = v->share == SHARE_ALL;
    s->dontDisconnect = v->share == SHARE_FORCED; /* who wants the screen alone is let go */
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
    set_format(s);
    rfbInitServer(s);
    return s;
}

static void accept_all(struct vnc *v, rfbScreenInfoPtr s, unsigned i)
{
    int fd;

    while ((fd = sock_accept(v->listen[i], NULL)) >= 0) {
        if (fd >= FD_SETSIZE) /* libvncserver selects */
            close(fd);
        else if (!v->tls)
            rfbNewClient(s, fd);
        else if (!vnc_say(v, (struct vnc_event){.kind = VNC_TLS, .a = (uint32_t)fd, .b = v->is_websocket[i]}))
            close(fd);
    }
}

/* Those who come through TLS. */
static void accept_arrivals(struct vnc *v, rfbScreenInfoPtr s)
{
    struct vnc_arrival a[VNC_CLIENTS];
    unsigned n;

    pthread_mutex_lock(&v->lock);
    n = v->n_arrivals;
    memcpy(a, v->arrival, n * sizeof(a[0]));
    v->n_arrivals = 0;
    pthread_mutex_unlock(&v->lock);
    for (unsigned i = 0; i < n; i++) {
        v->arriving = &a[i].peer;
        if (a[i].fd >= FD_SETSIZE)
            close(a[i].fd);
        else
            rfbNewClient(s, a[i].fd);
    }
    v->arriving = NULL;
}

static void call_viewer(struct vnc *v, rfbScreenInfoPtr s)
{
    rfbClientPtr cl;

    if (v->tls)
        vnc_say(v, (struct vnc_event){.kind = VNC_TLS, .a = (uint32_t)v->reverse});
    else if ((cl = rfbNewClient(s, v->reverse)))
        cl->reverseConnection = TRUE;
}

static unsigned gather(struct vnc *v, rfbScreenInfoPtr s, struct pollfd *p, unsigned max)
{
    rfbClientIteratorPtr it = rfbGetClientIterator(s);
    unsigned n = 0;
    rfbClientPtr cl;

    p[n++] = (struct pollfd){v->wake, POLLIN, 0};
    for (unsigned i = 0; i < v->n_listen; i++)
        p[n++] = (struct pollfd){v->listen[i], POLLIN, 0};
    while ((cl = rfbClientIteratorNext(it)) && n < max)
        if (cl->sock >= 0)
            p[n++] = (struct pollfd){cl->sock, POLLIN, 0};
    rfbReleaseClientIterator(it);
    return n;
}

static bool quits(struct vnc *v)
{
    bool quit;

    pthread_mutex_lock(&v->lock);
    quit = v->quit;
    pthread_mutex_unlock(&v->lock);
    return quit;
}

static void tell_all(rfbScreenInfoPtr s)
{
    rfbClientIteratorPtr it = rfbGetClientIterator(s);
    rfbClientPtr cl;

    while ((cl = rfbClientIteratorNext(it)))
        if (cl->sock >= 0 && client_of(cl) && cl->state == RFB_NORMAL)
            tell_motion(cl);
    rfbReleaseClientIterator(it);
}

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER; /* its lists of extensions and screens */
static bool extended; /* [library] */

/* After something has happened there is one more round soon: the library has deferred things of its own. */
static void serve(struct vnc *v, rfbScreenInfoPtr s)
{
    struct pollfd p[1 + VNC_LISTEN + VNC_CLIENTS];
    bool busy = true;

    while (!quits(v)) {
        unsigned n = gather(v, s, p, sizeof(p) / sizeof(p[0]));
        int ready = poll(p, n, busy ? LINGER_MS : -1);
        uint64_t sink;

        if (ready < 0 && errno != EINTR)
            return;
        busy = ready > 0;
        if (p[0].revents && read(v->wake, &sink, sizeof(sink)) < 0 && errno != EAGAIN)
            return;
        for (unsigned i = 0; i < v->n_listen; i++)
            if (p[1 + i].revents)
                accept_all(v, s, i);
        accept_arrivals(v, s);
        take_picture(v, s);
        take_cursor(v, s);
        tell_all(s);
        rfbProcessEvents(s, 0);
    }
}

void *vnc_thread_main(void *vnc)
{
    struct vnc *v = vnc;
    rfbScreenInfoPtr s;
    char *fb;

    pthread_mutex_lock(&library);
    if (!extended) {
        rfbLogEnable(0);
        rfbRegisterProtocolExtension(&extension);
    }
    extended = true;
    s = make_screen(v);
    pthread_mutex_unlock(&library);
    if (v->reverse >= 0)
        call_viewer(v, s);
    serve(v, s);
    rfbShutdownServer(s, TRUE);
    fb = s->frameBuffer;
    rfbScreenCleanup(s);
    free(fb);
    return NULL;
}

#else

void *vnc_thread_main(void *vnc)
{
    return NULL;
}

#endif
