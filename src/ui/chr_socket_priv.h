/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream socket as a character back end: its options and what a connection has. */
#ifndef UI_CHR_SOCKET_PRIV_H
#define UI_CHR_SOCKET_PRIV_H

#include "base/sock.h"
#include "base/tls.h"
#include "ui/chr_priv.h"
#include "ui/telnet.h"
#include "ui/websocket.h"

enum { SOCK_OUT = 32768 };

struct sock {
    struct chr chr;

    /* As the user says. */
    char *host, *port, *path, *fd_text, *tls_creds, *tls_authz, *wait_text;
    bool server, nowait, wait, delay, nodelay, telnet, tn3270, websocket, abstract, tight, ipv4,
        ipv6;
    uint64_t to, reconnect, reconnect_ms;

    bool opened, unlink_path;
    struct sock_addrs addrs; /* to listen at or to connect to */
    int addr_i;
    int listen_fd;
    struct loop_fd *listen_watch;
    struct loop_timer *timer; /* connecting again; and being broken off */

    /* The connection. */
    enum { IDLE, CONNECTING, TLS, REQUEST, OPEN } stage;
    int fd;
    struct loop_fd *watch;
    void *session; /* TLS */
    bool broken, wants_room, parked_hangup;
    struct telnet tn;
    struct ws ws;
    size_t in_at, in_len, out_at, out_len;
    uint8_t in[WS_REQUEST_MAX], out[SOCK_OUT];
};

static inline struct sock *sock_of(struct chr *c)
{
    return (struct sock *)c;
}

extern const struct field sock_opts[];
/* sock_check_opts - do they fit together?  Looks the addresses up. */
int sock_check_opts(struct sock *s, struct err *e);

#endif
