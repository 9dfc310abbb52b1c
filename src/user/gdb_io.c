/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of gdb's remote protocol over a socket (gdb manual, appendix E). */
#include "user/gdb_io.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
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

static int hex(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? (c | 32) - 'a' + 10 : -1;
}

/* The payload up to '#' and its checksum; -1: gone, -2: damaged. */
static long get_payload(struct gdb_io *io, char *buf)
{
    uint8_t sum = 0;
    size_t n = 0;
    bool escaped = false;
    int c, high, low;

    while ((c = get(io)) >= 0 && c != '#') {
        sum += (uint8_t)c;
        if (!escaped && c == '}') {
            escaped = true;
            continue;
        }
        if (n < GDB_PACKET)
            buf[n++] = (char)(escaped ? c ^ 0x20 : c);
        escaped = false;
    }
    high = get(io);
    low = get(io);
    if (c < 0 || high < 0 || low < 0)
        return -1;
    buf[n] = 0;
    return hex(high) * 16 + hex(low) == sum ? (long)n : -2;
}

long gdb_receive(struct gdb_io *io, char buf[GDB_PACKET + 1])
{
    for (;;) {
        int c = get(io);
        long n;

        if (c < 0)
            return -1;
        if (c == 3) {
            strcpy(buf, "\3");
            return 1;
        }
        if (c != '$')
            continue; /* acknowledgements */
        n = get_payload(io, buf);
        if (n == -1)
            return -1;
        if (!io->no_ack && send_all(io, n >= 0 ? "+" : "-", 1) < 0)
            return -1;
        if (n >= 0)
            return n;
    }
}

/* --- sending -----------------------------------------------------------------------------------*/

void gdb_begin(struct gdb_io *io)
{
    io->out_n = 0;
    io->out[0] = 0;
}

void gdb_put(struct gdb_io *io, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(io->out + io->out_n, sizeof(io->out) - io->out_n, fmt, args);
    va_end(args);
    if (n > 0 && io->out_n + (size_t)n < sizeof(io->out))
        io->out_n += (size_t)n;
}

void gdb_put_hex(struct gdb_io *io, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (; len > 0 && io->out_n + 2 < sizeof(io->out); len--, p++) {
        io->out[io->out_n++] = digits[*p >> 4];
        io->out[io->out_n++] = digits[*p & 15];
    }
}

void gdb_put_binary(struct gdb_io *io, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (; len > 0 && io->out_n + 2 < sizeof(io->out); len--, p++) {
        if (*p == '#' || *p == '$' || *p == '}' || *p == '*') {
            io->out[io->out_n++] = '}';
            io->out[io->out_n++] = (char)(*p ^ 0x20);
        } else {
            io->out[io->out_n++] = (char)*p;
        }
    }
}

int gdb_send(struct gdb_io *io)
{
    char frame[GDB_PACKET + 8];
    uint8_t sum = 0;
    size_t n = 0;
    int c;

    for (size_t i = 0; i < io->out_n; i++)
        sum += (uint8_t)io->out[i];
    frame[n++] = '$';
    memcpy(frame + n, io->out, io->out_n);
    n += io->out_n;
    n += (size_t)snprintf(frame + n, 4, "#%02x", sum);
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

size_t gdb_get_hex(const char *s, void *out, size_t max)
{
    uint8_t *p = out;
    size_t n = 0;

    while (n < max && hex((unsigned char)s[0]) >= 0 && hex((unsigned char)s[1]) >= 0) {
        p[n++] = (uint8_t)(hex((unsigned char)s[0]) * 16 + hex((unsigned char)s[1]));
        s += 2;
    }
    return n;
}
