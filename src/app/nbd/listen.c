/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-nbd: listening sockets, made here or inherited (sd_listen_fds(3), socket activation). */
#include "app/nbd/nbd.h"
#include "block/nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_INHERITED = 3, BACKLOG = 128 };

/* Sockets that a supervisor opened for us. */
static int inherited(int fds[NBD_LISTEN_MAX])
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
    int count = pid && n && atol(pid) == (long)getpid() ? atoi(n) : 0;

    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (count > NBD_LISTEN_MAX)
        count = NBD_LISTEN_MAX;
    for (int i = 0; i < count; i++) {
        fds[i] = FIRST_INHERITED + i;
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    }
    return count > 0 ? count : 0;
}

static int listen_unix(const char *path, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    int fd;

    if (strlen(path) >= sizeof(a.sun_path))
        return err_set(e, -ENAMETOOLONG, "socket path '%s' is longer than %zu bytes", path,
                       sizeof(a.sun_path) - 1);
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, -errno, "Failed to create Unix socket: %s", strerror(errno));
    if (stat(path, &st) >= 0 && S_ISSOCK(st.st_mode))
        unlink(path); /* of a server that is gone */
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, BACKLOG) < 0) {
        int r = err_set(e, -errno, "Failed to bind socket to %s: %s", path, strerror(errno));

        close(fd);
        return r;
    }
    return fd;
}

static int listen_address(const struct addrinfo *a)
{
    int one = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, a->ai_addr, a->ai_addrlen) >= 0 && listen(fd, BACKLOG) >= 0)
        return fd;
    int r = -errno;

    close(fd);
    return r;
}

static int listen_tcp(const char *host, const char *port, int fds[NBD_LISTEN_MAX], struct err *e)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *list;
    int r = getaddrinfo(host, port, &hints, &list), n = 0, failed = -EADDRNOTAVAIL;

    if (r)
        return err_set(e, -EINVAL, "address resolution failed for %s:%s: %s", host, port,
                       gai_strerror(r));
    for (struct addrinfo *a = list; a && n < NBD_LISTEN_MAX; a = a->ai_next) {
        r = listen_address(a);
        if (r >= 0)
            fds[n++] = r;
        else
            failed = r;
    }
    freeaddrinfo(list);
    return n ? n : err_set(e, failed, "Failed to bind to %s:%s: %s", host, port, strerror(-failed));
}

int nbd_listen(const struct nbd_cli *cli, int fds[NBD_LISTEN_MAX], struct err *e)
{
    char port[8];
    int n = inherited(fds);

    if (n)
        return cli->socket || cli->port || cli->bind
                   ? err_set(e, -EINVAL, "socket activation excludes -k, -p and -b")
                   : n;
    if (cli->socket) {
        int fd = listen_unix(cli->socket, e);

        fds[0] = fd;
        return fd < 0 ? fd : 1;
    }
    snprintf(port, sizeof(port), "%d", NBD_PORT);
    return listen_tcp(cli->bind ? cli->bind : "0.0.0.0", cli->port ? cli->port : port, fds, e);
}
