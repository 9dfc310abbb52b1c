/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources of randomness: a file of the host, or its getrandom(2). */
#include "dev/virtio/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct source {
    struct rng_backend b;
    int fd; /* -1: getrandom */
};

static int source_read(struct rng_backend *b, uint8_t *buf, size_t len)
{
    struct source *s = (struct source *)b;

    while (len) {
        ssize_t k = s->fd < 0 ? getrandom(buf, len, 0) : read(s->fd, buf, len);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k < 0 ? -errno : -ENODATA;
        buf += k;
        len -= k;
    }
    return 0;
}

static void source_close(struct rng_backend *b)
{
    struct source *s = (struct source *)b;

    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

struct rng_backend *rng_open(const char *filename, struct err *e)
{
    struct source *s = calloc(1, sizeof(*s));

    if (!s)
        fatal("out of memory");
    *s = (struct source){.b = {source_read, source_close}, .fd = -1};
    if (filename && (s->fd = open(filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0) {
        err_set(e, -errno, "Could not open '%s': %s", filename, strerror(errno));
        free(s);
        return NULL;
    }
    return &s->b;
}
