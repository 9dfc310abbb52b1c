/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's packets over a socket; contract: gdb_io.h. */
#include "user/gdb_io.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- connecting --------------------------------------------------------------------------------*/

static int listen_tcp(const char *where, struct err *e)
{
    char *end;
    unsigned long port = strtoul(where, &end, 10);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd, on = 1;

    if (*end || !isdigit((unsigned char)*where) || port == 0 || port > 65535)
        return err_set(e, -EINVAL, "-g '%s': want a port number or a socket's path", where);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, -errno, "-g %s: %s", where, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0) {
        int r = err_set(e, -errno, "cannot wait for gdb on port %s: %s", where, strerror(errno));

        close(fd);
        return r;
    }
    return fd;
}

static int listen_unix(const char *where, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(where) >= sizeof(a.sun_path))
        return err_set(e, -ENAMETOOLONG, "-g '%s': at most %zu characters", where,
                       sizeof(a.sun_path) - 1);
    strcpy(a.sun_path, where);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, -errno, "-g '%s': %s", where, strerror(errno));
    unlink(where);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0) {
        int r = err_set(e, -errno, "cannot wait for gdb on '%s': %s", where, strerror(errno));

        close(fd);
        return r;
    }
    return fd;
}

int gdb_listen(struct gdb_io *io, const char *where, struct err *e)
{
    bool path = strchr(where, '/') != NULL;
    int on = 1, s = path ? listen_unix(where, e) : listen_tcp(where, e);

    if (s < 0)
        return s;
    do
        io->fd = accept4(s, NULL, NULL, SOCK_CLOEXEC);
    while (io->fd < 0 && errno == EINTR);
    close(s);
    if (path)
        unlink(where);
    if (io->fd < 0)
        return err_set(e, -errno, "waiting for gdb on '%s': %s", where, strerror(errno));
    setsockopt(io->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return 0;
}

/* --- receiving ---------------------------------------------------------------------------------*/

static int get(struct gdb_io *io)
{
    while (io->at == io->n) {
        ssize_t n = read(io->fd, io->in, sizeof(io->in));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        io->at = 0;
        io->n = (size_t)n;
    }
    return io->in[io->at++];
}

static int send_all(struct gdb_io *io, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t done = send(io->fd, s, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        s += done;
        n -= (size_t)done;
    }
    return 0;
}

long gdb_receive(struct gdb_io *io, char buf[GDB_PACKET + 1])
{
    for (;;) {
        int c = get(io);
        enum gdb_got got = c < 0 ? GDB_GOT_NOTHING : gdb_in_byte(&io->packet, (uint8_t)c);

        if (c < 0)
            return -1;
        if (got == GDB_GOT_INTERRUPT) {
            strcpy(buf, "\3");
            return 1;
        }
        if (got != GDB_GOT_PACKET && got != GDB_GOT_DAMAGED)
            continue;
        if (!io->no_ack && send_all(io, got == GDB_GOT_PACKET ? "+" : "-", 1) < 0)
            return -1;
        if (got == GDB_GOT_PACKET) {
            memcpy(buf, io->packet.buf, io->packet.n + 1);
            return (long)io->packet.n;
        }
    }
}

/* --- sending -----------------------------------------------------------------------------------*/

int gdb_send(struct gdb_io *io)
{
    char frame[GDB_PACKET + 8];
    size_t n = gdb_frame(&io->reply, frame);
    int c;

    do {
        if (send_all(io, frame, n) < 0)
            return -1;
        if (io->no_ack)
            return 0;
        do
            c = get(io);
        while (c >= 0 && c != '+' && c != '-');
    } while (c == '-');
    return c < 0 ? -1 : 0;
}
