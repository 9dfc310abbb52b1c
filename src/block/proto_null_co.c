/* SPDX-License-Identifier: GPL-2.0-or-later */
/* null-co://, driver=null-co: a disk that forgets; reads give zeros with read-zeroes=on, else nothing
 * is touched.  For measuring everything but the disk. */
#include "block/driver.h"

#include <stdlib.h>
#include <time.h>

struct null_opts {
    uint64_t size, latency_ns;
    bool read_zeroes;
};

static const struct field null_fields[] = {
    FIELD(null_opts, size, F_SIZE, "size", "1G", "size of the disk"),
    FIELD(null_opts, latency_ns, F_U64, "latency-ns", "0", "how long each request takes"),
    FIELD(null_opts, read_zeroes, F_BOOL, "read-zeroes", "off", "reads give zeros"),
    FIELD_END,
};

static int null_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct null_opts *s = b->state;
    int r;

    json_object_object_del(opts, "filename");
    if ((r = fields_take(null_fields, opts, s, e)) >= 0)
        b->size = s->size;
    return r;
}

static int null_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    return strcmp(name + strcspn(name, ":"), "://")
               ? err_set(e, -EINVAL, "The only allowed filename for this driver is 'null-co://'")
               : 0;
}

static char *null_make_name(struct blk *b)
{
    return json_object_object_length(b->options) <= 1 ? strdup("null-co://") : NULL;
}

static int null_wait(struct blk *b)
{
    const struct null_opts *s = b->state;

    if (s->latency_ns)
        nanosleep(&(struct timespec){(time_t)(s->latency_ns / 1000000000),
                                     (long)(s->latency_ns % 1000000000)},
                  NULL);
    return 0;
}

static int null_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    const struct null_opts *s = b->state;

    for (int i = 0; s->read_zeroes && i < n; i++)
        memset(iov[i].iov_base, 0, iov[i].iov_len);
    return null_wait(b);
}

static int null_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                       struct err *e)
{
    return null_wait(b);
}

static int null_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    return null_wait(b);
}

static int null_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s,
                       struct err *e)
{
    *s = (struct blk_status){.len = len,
                             .allocated = true,
                             .data = true,
                             .has_host = true,
                             .host = off,
                             .file = b,
                             .zero = ((struct null_opts *)b->state)->read_zeroes};
    return 0;
}

static int64_t null_disk_size(struct blk *b)
{
    return 0;
}

static const struct blk_io_ops null_io = {
    .readv = null_readv,
    .writev = null_writev,
    .zero = null_zero,
    .status = null_status,
    .disk_size = null_disk_size,
};

static const char *const null_prefixes[] = {"null-co", "null-aio", NULL};

const struct blk_driver proto_null_co = {
    .name = "null-co",
    .help = "a disk that forgets",
    .kind = BLK_PROTOCOL,
    .no_info = true,
    .state_size = sizeof(struct null_opts),
    .open_opts = null_fields,
    .how = (const char *const[]){"latency-ns", NULL},
    .prefixes = null_prefixes,
    .parse_name = null_parse_name,
    .make_name = null_make_name,
    .open = null_open,
    .io = &null_io,
};
