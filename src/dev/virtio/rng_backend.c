/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources of randomness: a file of the host, or its getrandom(2). */
#include "dev/virtio/rng.h"
#include "schema/field.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct source {
    struct rng_backend b;
    int fd; /* -1: getrandom */
    char *filename;
};

static const struct field random_opts[] = {
    FIELD(source, filename, F_STR, "filename", "/dev/urandom", "file that is read"), FIELD_END};
static const struct field builtin_opts[] = {FIELD_END};

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
    free(s->filename);
    free(s);
}

struct rng_backend *rng_open(const char *type, struct json_object *opts, struct err *e)
{
    bool file = !strcmp(type, "rng-random");
    struct source *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        fatal("out of memory");
    s->b = (struct rng_backend){source_read, source_close};
    s->fd = -1;
    r = fields_take(file ? random_opts : builtin_opts, opts, s, e);
    if (r == 0)
        r = fields_refuse_rest(opts, e);
    json_object_put(opts);
    if (r == 0 && file && (s->fd = open(s->filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
        r = err_set(e, -errno, "Could not open '%s': %s", s->filename, strerror(errno));
    if (r == 0)
        return &s->b;
    source_close(&s->b);
    return NULL;
}
