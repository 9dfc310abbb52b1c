/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver=memory: bytes in our own memory, for tests and fuzz targets (blk_open_bytes). */
#include "block/core.h"

#include <stdlib.h>

enum { MEMORY_MAX = 256 << 20 };

/* struct memory - [lock] all. */
struct memory {
    pthread_mutex_t lock;
    uint8_t *bytes;
    uint64_t max; /* allocated */
};

struct memory_opts {
    uint64_t size;
};

static const struct field memory_fields[] = {
    FIELD(memory_opts, size, F_SIZE, "size", "0", "bytes at first, all zero"),
    FIELD_END,
};

static int grow(struct blk *b, uint64_t size, struct err *e)
{
    struct memory *m = b->state;

    if (size > MEMORY_MAX)
        return err_set(e, -ENOSPC, "memory disks hold %d bytes", MEMORY_MAX);
    if (size > m->max) {
        uint64_t max = min_u64(MEMORY_MAX, max_u64(size, m->max * 2));
        uint8_t *p = realloc(m->bytes, max);

        if (!p)
            return err_set(e, -ENOMEM, "out of memory");
        memset(p + m->max, 0, max - m->max);
        m->bytes = p;
        m->max = max;
    }
    __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return 0;
}

static int memory_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct memory *m = b->state;
    struct memory_opts o;
    int r = fields_take(memory_fields, opts, &o, e);

    if (r < 0)
        return r;
    pthread_mutex_init(&m->lock, NULL);
    return grow(b, o.size, e);
}

static int memory_close(struct blk *b, struct err *e)
{
    struct memory *m = b->state;

    pthread_mutex_destroy(&m->lock);
    free(m->bytes);
    return 0;
}

static int memory_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    struct memory *m = b->state;

    pthread_mutex_lock(&m->lock);
    for (int i = 0; i < n; off += iov[i++].iov_len)
        memcpy(iov[i].iov_base, m->bytes + off, iov[i].iov_len);
    pthread_mutex_unlock(&m->lock);
    return 0;
}

static int memory_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                         struct err *e)
{
    struct memory *m = b->state;
    uint64_t end = off;
    int r = 0;

    for (int i = 0; i < n; i++)
        end += iov[i].iov_len;
    pthread_mutex_lock(&m->lock);
    if (end > b->size)
        r = grow(b, end, e);
    for (int i = 0; r >= 0 && i < n; off += iov[i++].iov_len)
        memcpy(m->bytes + off, iov[i].iov_base, iov[i].iov_len);
    pthread_mutex_unlock(&m->lock);
    return r;
}

static int memory_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                           struct err *e)
{
    struct memory *m = b->state;
    uint64_t old = b->size;
    int r;

    pthread_mutex_lock(&m->lock);
    r = grow(b, size, e);
    if (r >= 0 && size < old)
        memset(m->bytes + size, 0, old - size);
    pthread_mutex_unlock(&m->lock);
    return r;
}

static int64_t memory_disk_size(struct blk *b)
{
    return (int64_t)blk_size_now(b);
}

static const struct blk_io_ops memory_io = {
    .readv = memory_readv,
    .writev = memory_writev,
    .disk_size = memory_disk_size,
};

const struct blk_driver proto_memory = {
    .name = "memory",
    .help = "bytes in our own memory, gone afterwards",
    .kind = BLK_PROTOCOL,
    .no_info = true,
    .state_size = sizeof(struct memory),
    .open_opts = memory_fields,
    .open = memory_open,
    .close = memory_close,
    .truncate = memory_truncate,
    .io = &memory_io,
};

struct blk *blk_open_bytes(struct blk_env *env, const char *driver, const void *bytes, size_t len,
                           unsigned flags, struct err *e)
{
    struct json_object *opts = json_object_new_object();
    struct blk *file;

    json_object_object_add(opts, "driver", json_object_new_string("memory"));
    file = blk_open(env, NULL, opts, BLK_RDWR, e);
    if (!file)
        return NULL;
    if (len && memory_writev(file, 0, &(struct iovec){(void *)bytes, len}, 1, 0, e) < 0) {
        blk_close(file, ERR_IGNORE);
        return NULL;
    }
    return blk_open_on(file, driver, NULL, flags, e);
}
