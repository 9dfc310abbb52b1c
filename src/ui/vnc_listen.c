/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a VNC server listens: [host]:display on all addresses that the host has, unix:path, WebSocket ports; or whom it calls. */
#include "ui/vnc_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VNC_PORT = 5900, WEBSOCKET_PORT = 5700 };

static int number(const char *text, long max, const char *what, long *v, struct err *e)
{
    char *end;

    *v = strtol(text, &end, 10);
    if (!*text || *end)
        return err_set(e, -EINVAL, "can't convert to a number: %s", text);
    return *v < 0 || *v > max ? err_set(e, -ERANGE, "%s %s out of range", what, text) : 0;
}

static int family(const struct vnc_options *o, bool four)
{
    bool said = o->ipv4 || o->ipv6;

    return !said ? -1 : four ? o->ipv4 : o->ipv6;
}

void vnc_address(const struct sock_addr *a, char text[SOCK_TEXT])
{
    char *end;

    sock_print(a, text);
    if (*text == '[' && (end = strchr(text, ']'))) { /* users know these addresses without brackets */
        memmove(end, end + 1, strlen(end));
        memmove(text, text + 1, strlen(text));
    }
}

const char *vnc_family(const struct sock_addr *a)
{
    return a->a.ss_family == AF_INET6 ? "ipv6" : a->a.ss_family == AF_INET ? "ipv4" : "unix";
}

void vnc_peer_address(struct vnc_peer *p, const struct sock_addr *a)
{
    char text[SOCK_TEXT];

    vnc_address(a, text);
    snprintf(p->text, sizeof(p->text), "%s%s (%s)", a->a.ss_family == AF_UNIX ? ":" : "", text, vnc_family(a));
}

static void note_listen(struct vnc *v, int fd, bool websocket)
{
    struct sock_addr a = sock_local(fd);
    char text[SOCK_TEXT];

    vnc_address(&a, text);
    snprintf(v->where[v->n_listen], sizeof(v->where[0]), "%s%s (%s%s)", a.a.ss_family == AF_UNIX ? ":" : "", text, vnc_family(&a),
             websocket ? " (Websocket)" : "");
    if (!v->n_listen)
        memcpy(v->at, text, sizeof(text));
    v->is_websocket[v->n_listen] = websocket;
    v->listen[v->n_listen++] = fd;
}

/* All of a host's addresses have the same port; one that is taken anywhere is none.  Some families may be missing. */
static int listen_all(struct vnc *v, const struct sock_addrs *all, bool websocket, struct err *e)
{
    struct err why = {0}; /* @e has it only if nothing comes of it */
    unsigned before = v->n_listen;
    int r = -EADDRNOTAVAIL;

    for (int i = 0; i < all->n && v->n_listen < VNC_LISTEN; i++) {
        struct sock_addrs one = *all;

        one.at[0] = all->at[i];
        one.n = 1;
        if ((r = sock_listen(&one, 0, &why)) >= 0) {
            note_listen(v, r, websocket);
        } else if (r == -EADDRINUSE) {
            while (v->n_listen > before)
                close(v->listen[--v->n_listen]);
            break;
        }
    }
    if (v->n_listen > before)
        return 0;
    *e = why;
    return r;
}

/* No host: everybody, by both families where the machine has them. */
static int resolve(struct sock_addrs *a, const struct vnc_options *o, const char *host, const char *port, struct err *e)
{
    struct sock_addrs six;

    if (*host || o->ipv4 != o->ipv6)
        return sock_resolve(a, host, port, family(o, true), family(o, false), SOCK_STREAM, true, e);
    if (sock_resolve(a, host, port, 1, 0, SOCK_STREAM, true, e) < 0)
        return e->code;
    if (sock_resolve(&six, host, port, 0, 1, SOCK_STREAM, true, ERR_IGNORE) == 0)
        a->at[a->n++] = six.at[0];
    return 0;
}

/* The first port from @port to @to. */
static int listen_port(struct vnc *v, const struct vnc_options *o, const char *host, long port, long to, bool websocket, struct err *e)
{
    struct err why = {0}; /* that one port is taken is no error */
    struct sock_addrs a;
    char text[16];
    int r;

    do {
        snprintf(text, sizeof(text), "%ld", port);
        if ((r = resolve(&a, o, host, text, &why)) < 0)
            break;
        r = listen_all(v, &a, websocket, &why);
    } while (r == -EADDRINUSE && port++ < to);
    if (r < 0)
        *e = why;
    return r;
}

static long port_of(int fd)
{
    struct sock_addr a = sock_local(fd);

    return ntohs(a.a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a.a)->sin6_port : ((struct sockaddr_in *)&a.a)->sin_port);
}

static int listen_websocket(struct vnc *v, const struct vnc_options *o, const char *host, long display, struct err *e)
{
    long port = WEBSOCKET_PORT + display;

    if (!o->websocket || !strcmp(o->websocket, "off"))
        return 0;
    if (strcmp(o->websocket, "on") != 0 && number(o->websocket, 65535, "websocket port", &port, e) < 0)
        return e->code;
    return listen_port(v, o, host, port, 0, true, e);
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

static int listen_unix(struct vnc *v, const struct vnc_options *o, const char *path, struct err *e)
{
    struct sock_addrs a;
    int r;

    if (!*path)
        return err_set(e, -EINVAL, "no path after unix:");
    if ((r = sock_unix(&a, path, false, false, e)) < 0 || (r = sock_listen(&a, 0, e)) < 0)
        return r;
    v->unix_path = strdup(path);
    note_listen(v, r, false);
    return listen_websocket(v, o, "", 0, e);
}

static int listen_display(struct vnc *v, const struct vnc_options *o, const char *host, const char *text, struct err *e)
{
    long display, to = 0, most = 65535 - VNC_PORT;

    if (number(text, most, "port", &display, e) < 0 || (o->to && number(o->to, most, "to", &to, e) < 0))
        return e->code;
    if (o->to && to < display)
        return err_set(e, -ERANGE, "to=%ld is below the display, %ld", to, display);
    if (listen_port(v, o, host, VNC_PORT + display, VNC_PORT + to, false, e) < 0)
        return e->code;
    return listen_websocket(v, o, host, port_of(v->listen[0]) - VNC_PORT, e);
}

/* "host:1": display 1 is port 5901. */
int vnc_listen(struct vnc *v, const struct vnc_options *o, struct err *e)
{
    const char *colon = strrchr(o->where, ':');
    char host[256];

    if (!strncmp(o->where, "unix:", 5))
        return listen_unix(v, o, o->where + 5, e);
    if (!colon)
        return err_set(e, -EINVAL, "no vnc port specified");
    snprintf(host, sizeof(host), "%.*s", (int)(colon - o->where), o->where);
    if (*host == '[' && host[strlen(host) - 1] == ']') {
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = 0;
    }
    return o->reverse ? call_viewer(v, host, colon + 1, e) : listen_display(v, o, host, colon + 1, e);
}
