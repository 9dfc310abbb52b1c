/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The resources of a virtio-gpu (Virtio 1.2, 5.7.6).  Contract: gpu.h.  All numbers are the guest's, until checked here. */
#include "dev/virtio/gpu.h"

#include "ui/display.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Formats, named by their bytes in memory, and where red, green and blue are in a little-endian word. */
static const struct {
    uint32_t id;
    uint8_t red, green, blue, alpha;
} formats[] = {
    {1, 16, 8, 0, 24},   /* B8G8R8A8 */
    {2, 16, 8, 0, 24},   /* B8G8R8X8 */
    {3, 8, 16, 24, 0},   /* A8R8G8B8 */
    {4, 8, 16, 24, 0},   /* X8R8G8B8 */
    {67, 0, 8, 16, 24},  /* R8G8B8A8 */
    {68, 24, 16, 8, 0},  /* X8B8G8R8 */
    {121, 24, 16, 8, 0}, /* A8B8G8R8 */
    {134, 0, 8, 16, 24}, /* R8G8B8X8 */
};

static int find_format(uint32_t id)
{
    for (unsigned i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i].id == id)
            return (int)i;
    return -1;
}

bool gpu_format_known(uint32_t format)
{
    return find_format(format) >= 0;
}

struct gpu_resource *gpu_find(const struct gpu_store *s, uint32_t id)
{
    struct gpu_resource *r = s->bucket[id % GPU_BUCKETS];

    while (r && r->id != id)
        r = r->next;
    return r;
}

/* What a resource costs us beside its pixels, so that nobody makes millions of small ones. */
enum { OVERHEAD = 1024 };

static uint64_t pixel_bytes(uint32_t width, uint32_t height)
{
    return (uint64_t)width * height * 4;
}

int gpu_create(struct gpu_store *s, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
    struct gpu_resource *r;
    uint64_t bytes;

    if (!id || !gpu_format_known(format) || !width || !height || width > DISPLAY_MAX || height > DISPLAY_MAX)
        return -EINVAL;
    if (gpu_find(s, id))
        return -EEXIST;
    bytes = pixel_bytes(width, height);
    if (bytes + OVERHEAD > s->limit - s->used || !(r = calloc(1, sizeof(*r))))
        return -ENOMEM;
    if (!(r->pixels = calloc(1, bytes))) {
        free(r);
        return -ENOMEM;
    }
    r->id = id;
    r->format = format;
    r->width = width;
    r->height = height;
    r->next = s->bucket[id % GPU_BUCKETS];
    s->bucket[id % GPU_BUCKETS] = r;
    s->used += bytes + OVERHEAD;
    return 0;
}

void gpu_destroy(struct gpu_store *s, struct gpu_resource *r)
{
    struct gpu_resource **at = &s->bucket[r->id % GPU_BUCKETS];

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    gpu_detach(s, r);
    s->used -= pixel_bytes(r->width, r->height) + OVERHEAD;
    free(r->pixels);
    free(r);
}

void gpu_destroy_all(struct gpu_store *s)
{
    for (unsigned i = 0; i < GPU_BUCKETS; i++)
        while (s->bucket[i])
            gpu_destroy(s, s->bucket[i]);
}

int gpu_attach(struct gpu_store *s, struct gpu_resource *r, struct gpu_entry *entry, uint32_t n)
{
    if (r->entry)
        return -EBUSY;
    if (n * sizeof(*entry) > s->limit - s->used)
        return -ENOMEM;
    r->entry = entry;
    r->n_entries = n;
    s->used += n * sizeof(*entry);
    return 0;
}

void gpu_detach(struct gpu_store *s, struct gpu_resource *r)
{
    s->used -= r->n_entries * sizeof(*r->entry);
    free(r->entry);
    r->entry = NULL;
    r->n_entries = 0;
}

/* Where we are in the backing: rows come in order, so nobody walks it from the start for each. */
struct place {
    uint32_t entry;
    uint64_t at; /* of the entry's first byte, in the backing */
};

/* @len bytes from @off on; what is beyond the backing's end or no memory stays what it was. */
static void fetch(const struct gpu_resource *r, struct space *space, struct place *p, uint64_t off, uint8_t *to, uint64_t len)
{
    while (len && p->entry < r->n_entries) {
        const struct gpu_entry *e = &r->entry[p->entry];
        uint64_t skip = off - p->at, n;

        if (skip >= e->len) {
            p->at += e->len;
            p->entry++;
            continue;
        }
        n = min_u64(len, e->len - skip);
        if (e->addr + skip >= e->addr)
            space_read(space, e->addr + skip, to, n, (struct access){0});
        off += n;
        to += n;
        len -= n;
    }
}

int gpu_transfer(struct gpu_resource *r, struct space *space, struct gpu_rect t, uint64_t off)
{
    struct place p = {0};

    if (!gpu_inside(t, r->width, r->height) || off > UINT64_MAX / 2)
        return -EINVAL;
    for (uint32_t y = 0; y < t.h; y++)
        fetch(r, space, &p, off + pixel_bytes(r->width, y), (uint8_t *)(r->pixels + (size_t)(t.y + y) * r->width + t.x), t.w * 4ull);
    return 0;
}

void gpu_convert(const struct gpu_resource *r, uint32_t x, uint32_t y, uint32_t n, uint32_t *out)
{
    const uint32_t *from = r->pixels + (size_t)y * r->width + x;
    int f = find_format(r->format);

    if (formats[f].red == 16 && formats[f].alpha == 24) {
        memcpy(out, from, n * sizeof(*out));
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = get_le32(from + i);

        out[i] = (v >> formats[f].alpha & 255) << 24 | (v >> formats[f].red & 255) << 16 | (v >> formats[f].green & 255) << 8 |
                 (v >> formats[f].blue & 255);
    }
}

/* --- Saved state: for each resource id, format, size, number of entries, entries, pixels --- */

static void save_one(const struct gpu_resource *r, struct state_out *out)
{
    const uint32_t head[] = {r->id, r->format, r->width, r->height, r->entry ? r->n_entries + 1 : 0};

    for (unsigned i = 0; i < ARRAY_LEN(head); i++)
        state_put_le(out, head[i], 4);
    for (uint32_t i = 0; i < r->n_entries; i++) {
        state_put_le(out, r->entry[i].addr, 8);
        state_put_le(out, r->entry[i].len, 4);
    }
    state_put(out, r->pixels, pixel_bytes(r->width, r->height));
}

void gpu_save(const struct gpu_store *s, struct state_blob *b)
{
    struct state_out out = {0};

    for (unsigned i = 0; i < GPU_BUCKETS; i++)
        for (const struct gpu_resource *r = s->bucket[i]; r; r = r->next)
            save_one(r, &out);
    free(b->data);
    *b = (struct state_blob){out.data, out.len};
}

static int load_entries(struct gpu_store *s, struct gpu_resource *r, uint64_t n, struct state_in *in, struct err *e)
{
    struct gpu_entry *entry = calloc(n ? n : 1, sizeof(*entry));
    uint64_t v = 0;
    int got = 0;

    if (!entry)
        return err_set(e, -ENOMEM, "out of memory");
    for (uint64_t i = 0; i < n && got >= 0; i++) {
        if ((got = state_get_le(in, 8, &entry[i].addr, e)) >= 0)
            got = state_get_le(in, 4, &v, e);
        entry[i].len = (uint32_t)v;
    }
    if (got >= 0 && gpu_attach(s, r, entry, (uint32_t)n) < 0)
        got = err_set(e, -EILSEQ, "resource %u has more backing than there may be", r->id);
    if (got < 0)
        free(entry);
    return got < 0 ? got : 0;
}

static int load_one(struct gpu_store *s, struct state_in *in, struct err *e)
{
    uint64_t head[5];
    const uint8_t *pixels;
    struct gpu_resource *r;
    int got;

    for (unsigned i = 0; i < ARRAY_LEN(head); i++)
        if ((got = state_get_le(in, 4, &head[i], e)) < 0)
            return got;
    if (head[4] > GPU_MAX_ENTRIES + 1 || gpu_create(s, (uint32_t)head[0], (uint32_t)head[1], (uint32_t)head[2], (uint32_t)head[3]) < 0)
        return err_set(e, -EILSEQ, "resource %u cannot be as it says", (unsigned)head[0]);
    r = gpu_find(s, (uint32_t)head[0]);
    if (head[4] && (got = load_entries(s, r, head[4] - 1, in, e)) < 0)
        return got;
    if (!(pixels = state_get(in, pixel_bytes(r->width, r->height))))
        return err_set(e, -EILSEQ, "resource %u ends early", r->id);
    memcpy(r->pixels, pixels, pixel_bytes(r->width, r->height));
    return 0;
}

int gpu_load(struct gpu_store *s, const struct state_blob *b, struct err *e)
{
    struct state_in in = {b->data, b->len};
    int r = 0;

    gpu_destroy_all(s);
    while (in.left && r == 0)
        r = load_one(s, &in, e);
    if (r < 0)
        gpu_destroy_all(s);
    return r;
}
