/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of -chardev socket, and which of them fit together. */
#include "ui/chr_socket_priv.h"

#include <errno.h>

const struct field sock_opts[] = {
    FIELD(sock, host, F_STR, "host", NULL, "where to listen, or whom to call"),
    FIELD(sock, port, F_STR, "port", NULL, "number or service"),
    FIELD(sock, to, F_U64, "to", "0", "server: the last port that may be taken instead"),
    FIELD(sock, ipv4, F_BOOL, "ipv4", "off", "IPv4"),
    FIELD(sock, ipv6, F_BOOL, "ipv6", "off", "IPv6"),
    FIELD(sock, path, F_STR, "path", NULL, "UNIX socket instead of TCP"),
    FIELD(sock, abstract, F_BOOL, "abstract", "off", "path is a name of Linux's, no file"),
    FIELD(sock, tight, F_BOOL, "tight", "on", "abstract: without zeros at the end"),
    FIELD(sock, fd_text, F_STR, "fd", NULL, "a socket that is there already"),
    FIELD(sock, server, F_BOOL, "server", "off", "wait to be called"),
    FIELD(sock, wait_text, F_STR, "wait", NULL,
          "server: the machine starts when somebody has called (on)"),
    FIELD(sock, nowait, F_BOOL, "nowait", "off", "wait=off as it was once written"),
    FIELD(sock, delay, F_BOOL, "delay", "on", "off: small packets at once"),
    FIELD(sock, nodelay, F_BOOL, "nodelay", "off", "small packets at once"),
    FIELD(sock, telnet, F_BOOL, "telnet", "off", "telnet protocol"),
    FIELD(sock, tn3270, F_BOOL, "tn3270", "off", "refused"),
    FIELD(sock, websocket, F_BOOL, "websocket", "off", "WebSocket protocol, server only"),
    FIELD(sock, reconnect, F_U64, "reconnect", "0", "client: seconds until it calls again"),
    FIELD(sock, reconnect_ms, F_U64, "reconnect-ms", "0", "the same in milliseconds"),
    FIELD(sock, tls_creds, F_STR, "tls-creds", NULL, "id of the object with TLS credentials"),
    FIELD(sock, tls_authz, F_STR, "tls-authz", NULL, "id of the object that says who may"),
    FIELD_END,
};

static int check_protocols(const struct sock *s, struct err *e)
{
    if (s->tn3270)
        return err_set(e, -ENOTSUP,
                       "tn3270 is not supported: it is the console of s390x machines, "
                       "and there are none");
    if (s->telnet && s->websocket)
        return err_set(e, -EINVAL, "'telnet' and 'websocket' exclude each other");
    if (s->websocket && !s->server)
        return err_set(e, -ENOTSUP, "Websocket client is not implemented");
    if (s->tls_creds && (!s->chr.env->tls))
        return err_set(e, -ENOENT, "No TLS credentials with id '%s'", s->tls_creds);
    if (s->tls_authz && !s->tls_creds)
        return err_set(e, -EINVAL, "'tls-authz' option requires 'tls-creds' option");
    if (s->tls_creds)
        return s->chr.env->tls->check(s->chr.env->tls_opaque, s->tls_creds, s->server, e);
    return 0;
}

static int check_side(struct sock *s, struct err *e)
{
    if (s->reconnect && s->reconnect_ms)
        return err_set(e, -EINVAL, "'reconnect' and 'reconnect-ms' exclude each other");
    if (s->reconnect > 1u << 20 || s->reconnect_ms > 1u << 30)
        return err_set(e, -ERANGE, "'reconnect' is at most twelve days");
    if (s->reconnect)
        s->reconnect_ms = s->reconnect * 1000;
    if (s->server && s->reconnect_ms)
        return err_set(e, -EINVAL,
                       "'reconnect' option is incompatible with socket in server listen mode");
    if (!s->server && s->wait_text)
        return err_set(e, -EINVAL,
                       "'wait' option is incompatible with socket in client connect mode");
    s->wait = s->server && !s->nowait;
    if (s->wait_text && parse_bool(s->wait_text, &s->wait, e) < 0)
        return err_wrap(e, e->code, "Parameter 'wait'");
    if (s->fd_text && s->reconnect_ms)
        return err_set(e, -EINVAL, "'reconnect' option is incompatible with 'fd'");
    return 0;
}

int sock_check_opts(struct sock *s, struct err *e)
{
    if (check_protocols(s, e) < 0 || check_side(s, e) < 0)
        return e->code;
    s->nodelay |= !s->delay;
    if (!!s->host + !!s->path + !!s->fd_text > 1)
        return err_set(e, -EINVAL, "None or one of 'path', 'fd' or 'host' option required.");
    if (s->fd_text)
        return 0;
    if (s->path)
        return sock_unix(&s->addrs, s->path, s->abstract, s->tight, e);
    if (!s->host && !s->port)
        return err_set(e, -EINVAL, "chardev: socket: want path=, host= and port=, or fd=");
    if (!s->port)
        return err_set(e, -EINVAL, "chardev: socket: no port given");
    return sock_resolve(&s->addrs, s->host, s->port,
                        s->ipv4   ? 1
                        : s->ipv6 ? 0
                                  : -1,
                        s->ipv6   ? 1
                        : s->ipv4 ? 0
                                  : -1,
                        SOCK_STREAM, s->server, e);
}
