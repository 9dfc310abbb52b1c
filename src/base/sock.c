/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of back ends: addresses from text, listening and connecting without blocking. */
#include "base/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int family_of(int ipv4, int ipv6, struct err *e)
{
    if (!ipv4 && !ipv6)
        return err_set(e, -EINVAL, "Cannot disable IPv4 and IPv6 at same time");
    if (ipv4 == 1 && ipv6 == 1)
        return AF_UNSPEC;
    if (ipv4 == 1 || ipv6 == 0)
        return AF_INET;
    return ipv6 == 1 || ipv4 == 0 ? AF_INET6 : AF_UNSPEC;
}

/* getaddrinfo takes 99999 modulo 65536; nobody means that. */
static int check_port(const char *port, struct err *e)
{
    char *end;
    unsigned long v = strtoul(port, &end, 10);

    if (!*port || (!*end && v > 65535))
        return err_set(e, -EINVAL, "port '%s': want a number from 0 to 65535 or a service", port);
    return 0;
}

int sock_resolve(struct sock_addrs *to, const char *host, const char *port, int ipv4, int ipv6,
                 int type, bool passive, struct err *e)
{
    struct addrinfo hint = {.ai_socktype = type, .ai_flags = passive ? AI_PASSIVE : 0}, *all;
    int r;

    *to = (struct sock_addrs){0};
    host = host && *host ? host : NULL;
    snprintf(to->name, sizeof(to->name), "%s:%s", host ? host : "", port);
    if (check_port(port, e) < 0 || (r = family_of(ipv4, ipv6, e)) < 0)
        return e->code;
    /* Everybody, unless told otherwise, is everybody of IPv4. */
    hint.ai_family = r == AF_UNSPEC && !host ? AF_INET : r;
    if ((r = getaddrinfo(host, port, &hint, &all)))
        return err_set(e, -ENOENT, "address resolution failed for %s: %s", to->name,
                       gai_strerror(r));
    for (struct addrinfo *a = all; a && to->n < SOCK_ADDRS; a = a->ai_next) {
        if (a->ai_addrlen > sizeof(to->at[0].a))
            continue;
        memcpy(&to->at[to->n].a, a->ai_addr, a->ai_addrlen);
        to->at[to->n++].len = a->ai_addrlen;
    }
    freeaddrinfo(all);
    return to->n ? 0 : err_set(e, -ENOENT, "no address for %s", to->name);
}

int sock_unix(struct sock_addrs *to, const char *path, bool abstract, bool tight, struct err *e)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&to->at[0].a;
    size_t len = strlen(path);

    *to = (struct sock_addrs){.n = 1};
    if (len + abstract > sizeof(un->sun_path) - !abstract)
        return err_set(e, -ENAMETOOLONG, "UNIX socket path '%.200s' is too long: at most %zu bytes",
                       path, sizeof(un->sun_path) - 1);
    snprintf(to->name, sizeof(to->name), "%s", path);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path + abstract, path, len);
    to->at[0].len =
        abstract && tight ? offsetof(struct sockaddr_un, sun_path) + 1 + len : sizeof(*un);
    return 0;
}

static int new_socket(const struct sock_addr *a, int type)
{
    int fd = socket(a->a.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

static void set_port(struct sock_addr *a, int port)
{
    if (a->a.ss_family == AF_INET)
        ((struct sockaddr_in *)&a->a)->sin_port = htons(port);
    else if (a->a.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&a->a)->sin6_port = htons(port);
}

static int port_of(const struct sock_addr *a)
{
    if (a->a.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&a->a)->sin_port);
    return a->a.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&a->a)->sin6_port) : 0;
}

/* A socket file that a process has left behind is in the way. */
static void remove_stale(const struct sock_addr *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->a;
    struct stat st;

    if (un->sun_family == AF_UNIX && un->sun_path[0] && !lstat(un->sun_path, &st) &&
        S_ISSOCK(st.st_mode))
        unlink(un->sun_path);
}

static int listen_one(const struct sock_addr *a)
{
    int fd = new_socket(a, SOCK_STREAM), on = 1;

    if (fd < 0)
        return fd;
    remove_stale(a);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->a.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&a->a, a->len) < 0 || listen(fd, 1) < 0) {
        on = -errno;
        close(fd);
        return on;
    }
    return fd;
}

int sock_listen(const struct sock_addrs *a, int to_port, struct err *e)
{
    int r = -EADDRNOTAVAIL;

    for (int i = 0; i < a->n; i++) {
        struct sock_addr one = a->at[i];

        for (int port = port_of(&one);; port++) {
            set_port(&one, port);
            if ((r = listen_one(&one)) >= 0)
                return r;
            if (port >= to_port || port >= 65535)
                break;
        }
    }
    return err_set(e, r, "Failed to bind socket to %s: %s", a->name, strerror(-r));
}

int sock_accept(int fd, struct sock_addr *from)
{
    struct sock_addr scrap;
    int r;

    from = from ? from : &scrap;
    from->len = sizeof(from->a);
    r = accept4(fd, (struct sockaddr *)&from->a, &from->len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return r < 0 ? -errno : r;
}

int sock_connect_start(const struct sock_addrs *a, int i)
{
    int fd = new_socket(&a->at[i], SOCK_STREAM), r;

    if (fd < 0)
        return fd;
    if (connect(fd, (const struct sockaddr *)&a->at[i].a, a->at[i].len) < 0 &&
        errno != EINPROGRESS) {
        r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

int sock_result(int fd)
{
    int r = 0;
    socklen_t len = sizeof(r);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &r, &len) < 0)
        return -errno;
    return -r;
}

int sock_connect(const struct sock_addrs *a, int ms, struct err *e)
{
    int r = -EADDRNOTAVAIL;

    for (int i = 0; i < a->n; i++) {
        int fd = r = sock_connect_start(a, i);
        struct pollfd p = {.fd = fd, .events = POLLOUT};

        if (fd < 0)
            continue;
        r = poll(&p, 1, ms) == 1 ? sock_result(fd) : -ETIMEDOUT;
        if (!r)
            return fd;
        close(fd);
    }
    return err_set(e, r, "Failed to connect to '%s': %s", a->name, strerror(-r));
}

int sock_bind_dgram(const struct sock_addrs *a, bool reuse, struct err *e)
{
    int r = -EADDRNOTAVAIL, on = 1;

    for (int i = 0; i < a->n; i++) {
        int fd = r = new_socket(&a->at[i], SOCK_DGRAM);

        if (fd < 0)
            continue;
        remove_stale(&a->at[i]);
        if (reuse)
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (!bind(fd, (const struct sockaddr *)&a->at[i].a, a->at[i].len))
            return fd;
        r = -errno;
        close(fd);
    }
    return err_set(e, r, "Failed to bind socket to %s: %s", a->name, strerror(-r));
}

int sock_take_fd(const char *text, struct err *e)
{
    char *end;
    long fd = strtol(text, &end, 10);
    struct stat st;

    if (!*text || *end || fd < 0 || fd > 1 << 20)
        return err_set(e, -EINVAL, "fd '%s': want the number of an open file descriptor", text);
    if (fstat((int)fd, &st) < 0 || !S_ISSOCK(st.st_mode))
        return err_set(e, -ENOTSOCK, "File descriptor '%s' is not a socket", text);
    fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) | O_NONBLOCK);
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return (int)fd;
}

static void print_unix(const struct sock_addr *a, char text[SOCK_TEXT])
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->a;
    size_t head = offsetof(struct sockaddr_un, sun_path);
    int n = a->len > head ? (int)(a->len - head) : 0;

    if (n && !un->sun_path[0])
        snprintf(text, SOCK_TEXT, "%.*s", n - 1, un->sun_path + 1);
    else
        snprintf(text, SOCK_TEXT, "%.*s", n, un->sun_path);
}

void sock_print(const struct sock_addr *a, char text[SOCK_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "";

    text[0] = 0;
    if (a->a.ss_family == AF_UNIX) {
        print_unix(a, text);
    } else if (a->a.ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)&a->a)->sin_addr, host, sizeof(host));
        snprintf(text, SOCK_TEXT, "%s:%d", host, port_of(a));
    } else if (a->a.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&a->a)->sin6_addr, host, sizeof(host));
        snprintf(text, SOCK_TEXT, "[%s]:%d", host, port_of(a));
    }
}

struct sock_addr sock_local(int fd)
{
    struct sock_addr a = {.len = sizeof(a.a)};

    if (getsockname(fd, (struct sockaddr *)&a.a, &a.len) < 0)
        a.len = 0;
    return a;
}

struct sock_addr sock_peer(int fd)
{
    struct sock_addr a = {.len = sizeof(a.a)};

    if (getpeername(fd, (struct sockaddr *)&a.a, &a.len) < 0)
        a.len = 0;
    return a;
}
