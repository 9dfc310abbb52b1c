/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The resources of a virtio-gpu: pictures on our side, and where in guest memory theirs are (Virtio 1.2, 5.7).  Under the machine's lock. */
#ifndef DEV_VIRTIO_GPU_H
#define DEV_VIRTIO_GPU_H

#include "dev/virtio/virtio.h"
#include "schema/state.h"

enum { GPU_BUCKETS = 256, GPU_MAX_ENTRIES = 16384 };

struct gpu_rect {
    uint32_t x, y, w, h;
};

/** struct gpu_entry - a piece of guest memory. */
struct gpu_entry {
    uint64_t addr;
    uint32_t len;
};

struct gpu_resource {
    struct gpu_resource *next; /* in its bucket */
    uint32_t id, format, width, height;
    uint32_t *pixels;          /* width * height, bytes as the guest has them */
    struct gpu_entry *entry;   /* NULL: no backing */
    uint32_t n_entries;
};

struct gpu_store {
    struct gpu_resource *bucket[GPU_BUCKETS];
    uint64_t used, limit; /* bytes of host memory */
};

static inline bool gpu_inside(struct gpu_rect r, uint32_t width, uint32_t height)
{
    return r.x <= width && r.y <= height && r.w <= width - r.x && r.h <= height - r.y;
}

/** gpu_format_known - one of 5.7.6.8's 2D formats? */
bool gpu_format_known(uint32_t format);
struct gpu_resource *gpu_find(const struct gpu_store *s, uint32_t id);
/** gpu_create - -EEXIST, -EINVAL (0, an unknown format, a size of nothing), -ENOMEM (more than the limit). */
int gpu_create(struct gpu_store *s, uint32_t id, uint32_t format, uint32_t width, uint32_t height);
void gpu_destroy(struct gpu_store *s, struct gpu_resource *r);
void gpu_destroy_all(struct gpu_store *s);
/** gpu_attach - @entry (malloc()) becomes the resource's when 0 is returned.  -EBUSY: it has one; -ENOMEM.  gpu_detach - without one: nothing. */
int gpu_attach(struct gpu_store *s, struct gpu_resource *r, struct gpu_entry *entry, uint32_t n);
void gpu_detach(struct gpu_store *s, struct gpu_resource *r);
/** gpu_transfer - @t of the picture from the backing, whose byte @off is the first pixel of @t.  -EINVAL: it is not inside. */
int gpu_transfer(struct gpu_resource *r, struct space *space, struct gpu_rect t, uint64_t off);
/** gpu_convert - @n pixels at (@x, @y) as 0xAARRGGBB. */
void gpu_convert(const struct gpu_resource *r, uint32_t x, uint32_t y, uint32_t n, uint32_t *out);

/** gpu_save - everything in a blob.  gpu_load - the reverse, into an empty store; checks. */
void gpu_save(const struct gpu_store *s, struct state_blob *b);
int gpu_load(struct gpu_store *s, const struct state_blob *b, struct err *e);

#endif
