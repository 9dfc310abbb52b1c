/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client sends to the NBD server.  The first byte chooses how much of a handshake goes before
 * the rest, so that requests are reached.  Whatever comes, the server answers in whole replies and ends.
 */
#include "base/bytes.h"
#include "block/nbd.h"
#include "block/nbd_server.h"

#include <errno.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DISK = 1 << 20, STREAM_MAX = 4096, WITH_GO = 1, STRUCTURED = 2, READ_ONLY = 4 };

int fuzz_one(const uint8_t *data, size_t len);

struct session {
    struct nbd_server server;
    int fd;
};

static void *serve(void *opaque)
{
    struct session *s = opaque;

    nbd_serve(&s->server, s->fd, NULL, ERR_IGNORE);
    shutdown(s->fd, SHUT_RDWR);
    return NULL;
}

static size_t add_option(unsigned char *p, uint32_t code, const void *data, uint32_t len)
{
    put_be64(p, NBD_OPTS_MAGIC);
    put_be32(p + 8, code);
    put_be32(p + 12, len);
    memcpy(p + 16, data, len);
    return 16 + len;
}

static size_t prefix(unsigned char *p, unsigned how)
{
    size_t n = 4;

    put_be32(p, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
    if (how & STRUCTURED)
        n += add_option(p + n, NBD_OPT_STRUCTURED_REPLY, "", 0);
    if (how & STRUCTURED)
        n += add_option(p + n, NBD_OPT_SET_META_CONTEXT, "\0\0\0\0\0\0\0\1\0\0\0\17base:allocation",
                        27);
    if (how & WITH_GO)
        n += add_option(p + n, NBD_OPT_GO, "\0\0\0\0\0\0", 6);
    return n;
}

static bool get(int fd, void *buf, size_t len)
{
    char *at = buf;

    while (len) {
        ssize_t r = recv(fd, at, len, 0);

        if (r < 0 && errno == EINTR) /* the fuzzer's own alarm; the server would wait for us for ever */
            continue;
        if (r <= 0)
            return false;
        at += r;
        len -= (size_t)r;
    }
    return true;
}

static bool drop(int fd, uint32_t len)
{
    static char scrap[1 << 16];

    for (uint32_t n; len; len -= n) {
        n = len < sizeof(scrap) ? len : sizeof(scrap);
        if (!get(fd, scrap, n))
            return false;
    }
    return true;
}

/* Replies to options, up to the one that ends the negotiation. */
static bool read_options(int fd)
{
    unsigned char head[20];

    while (get(fd, head, sizeof(head))) {
        if (get_be64(head) != NBD_REP_MAGIC)
            abort();
        if (!drop(fd, get_be32(head + 16)))
            return false;
        if (get_be32(head + 8) == NBD_OPT_GO && get_be32(head + 12) == NBD_REP_ACK)
            return true;
    }
    return false;
}

/* Only structured ones can be told from data without knowing the requests. */
static void read_replies(int fd)
{
    unsigned char head[NBD_CHUNK_SIZE];

    while (get(fd, head, sizeof(head))) {
        if (get_be32(head) != NBD_STRUCTURED_MAGIC)
            abort();
        if (!drop(fd, get_be32(head + 16)))
            return;
    }
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static struct blk_env *env;
    unsigned char stream[STREAM_MAX + 256], hello[18];
    struct json_object *opts = json_object_new_object();
    unsigned how = len ? data[0] : 0;
    int pair[2];

    if (!env)
        env = blk_env_new(NULL, NULL);
    json_object_object_add(opts, "driver", json_object_new_string("memory"));
    json_object_object_add(opts, "size", json_object_new_string("1M"));
    struct blk *b = blk_open(env, NULL, opts, BLK_RDWR | BLK_UNMAP, ERR_IGNORE);
    struct nbd_export x = {
        .name = "", .b = b, .size = DISK, .writable = !(how & READ_ONLY), .allocation_depth = true};
    struct session s = {.server = {.exports = &x, .exports_n = 1}};
    pthread_t thread;

    if (!b || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        abort();
    s.fd = pair[1];
    size_t n = how & (WITH_GO | STRUCTURED) ? prefix(stream, how) : 0;

    if (len > 1) {
        size_t k = len - 1 < STREAM_MAX ? len - 1 : STREAM_MAX;

        memcpy(stream + n, data + 1, k);
        n += k;
    }
    if (send(pair[0], stream, n, 0) != (ssize_t)n || shutdown(pair[0], SHUT_WR) < 0 ||
        pthread_create(&thread, NULL, serve, &s))
        abort();
    if (get(pair[0], hello, sizeof(hello))) {
        if ((how & (WITH_GO | STRUCTURED)) == (WITH_GO | STRUCTURED) && read_options(pair[0]))
            read_replies(pair[0]);
        while (drop(pair[0], 1))
            ;
    }
    pthread_join(thread, NULL);
    close(pair[0]);
    close(pair[1]);
    blk_close(b, ERR_IGNORE);
    return 0;
}
