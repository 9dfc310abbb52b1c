/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -f vmdk: VMware's disk images (fmt_vmdk_priv.h): opening, where things are, checking. */
#include "block/fmt_vmdk_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { VMDK_RUN = 32 }; /* grains of one allocation at most */

static int vmdk_probe(const uint8_t *head, size_t len, const char *filename)
{
    if (len >= 4 && (!memcmp(head, "KDMV", 4) || !memcmp(head, "COWD", 4)))
        return 100;
    return vmdk_desc_looks((const char *)head, len) ? 100 : 0;
}

/* Opening ------------------------------------------------------------------------------------------- */

static char *read_text(struct blk *file, uint64_t host, uint64_t len, struct err *e)
{
    char *text;

    if (host > blk_size(file) || len > blk_size(file) - host)
        len = host > blk_size(file) ? 0 : blk_size(file) - host;
    if (!(text = blk_alloc_foreign(len + 1, VMDK_MAX_DESC + 1, "descriptor", e)))
        return NULL;
    if (len && blk_read(file, host, len, text, e) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int open_single(struct blk *b, struct err *e)
{
    struct vmdk *v = b->state;
    struct vmdk_extent *x = calloc(1, sizeof(*x));
    int r;

    if (!x)
        return err_set(e, -ENOMEM, "out of memory");
    v->extents = x;
    v->n = 1;
    x->file = b->file;
    x->type = "";
    if ((r = vmdk_sparse_open(b, x, e)) < 0)
        return r;
    v->desc_host = x->desc_host;
    v->desc_room = min_u64(x->desc_len, VMDK_MAX_DESC - 1);
    v->desc = x->desc_host ? read_text(b->file, x->desc_host, v->desc_room, e) : strdup("");
    return v->desc ? 0 : e->code;
}

static int open_desc(struct blk *b, struct json_object *opts, struct err *e)
{
    struct vmdk *v = b->state;

    v->desc_room = VMDK_MAX_DESC;
    if (!(v->desc = read_text(b->file, 0, blk_size(b->file), e)))
        return e->code;
    if (!vmdk_desc_looks(v->desc, strlen(v->desc)))
        return err_set(e, -EINVAL, "Image not in VMDK format: neither a sparse extent nor a "
                       "descriptor");
    return vmdk_desc_extents(b, opts, e);
}

static uint32_t hex_value(const char *desc, const char *key, uint32_t none)
{
    char *text = vmdk_desc_value(desc, key);
    uint32_t v = text ? (uint32_t)strtoul(text, NULL, 16) : none;

    free(text);
    return v;
}

/* The unit of allocation is the largest grain; extents that do not begin at a whole one are only read. */
static void set_cluster(struct blk *b)
{
    struct vmdk *v = b->state;

    for (unsigned i = 0; i < v->n; i++) {
        struct vmdk_extent *x = &v->extents[i];

        if (x->kind != VMDK_SPARSE)
            continue;
        b->cluster = max_u64(b->cluster, x->grain);
        if (x->start % x->grain)
            x->read_only = true;
        if (x->flags & VMDK_COMPRESSED)
            b->coded = true;
    }
}

static int vmdk_close(struct blk *b, struct err *e)
{
    struct vmdk *v = b->state;

    for (unsigned i = 0; i < v->n; i++)
        vmdk_extent_free(&v->extents[i]);
    free(v->extents);
    free(v->desc);
    free(v->create_type);
    pthread_mutex_destroy(&v->lock);
    return 0;
}

static int vmdk_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct vmdk *v = b->state;
    uint8_t head[4] = {0};
    int r;

    pthread_mutex_init(&v->lock, NULL);
    if ((r = blk_read(b->file, 0, min_u64(4, blk_size(b->file)), head, e)) < 0 ||
        (r = !memcmp(head, "KDMV", 4) || !memcmp(head, "COWD", 4) ? open_single(b, e)
                                                                 : open_desc(b, opts, e)) < 0) {
        vmdk_close(b, ERR_IGNORE);
        return r;
    }
    set_cluster(b);
    b->size = v->extents[v->n - 1].start + v->extents[v->n - 1].len;
    v->cid = hex_value(v->desc, "CID", 0);
    v->parent_cid = hex_value(v->desc, "parentCID", VMDK_NO_PARENT);
    v->create_type = vmdk_desc_value(v->desc, "createType");
    if (v->parent_cid != VMDK_NO_PARENT &&
        (b->backing_file = vmdk_desc_value(v->desc, "parentFileNameHint")))
        b->backing_format = strdup("vmdk");
    return 0;
}

/* Where things are ------------------------------------------------------------------------------------ */

static struct vmdk_extent *extent_at(const struct vmdk *v, uint64_t off)
{
    unsigned low = 0, high = v->n;

    while (high - low > 1) {
        unsigned mid = (low + high) / 2;

        if (v->extents[mid].start <= off)
            low = mid;
        else
            high = mid;
    }
    while (low + 1 < v->n && off >= v->extents[low].start + v->extents[low].len)
        low++; /* past empty ones */
    return &v->extents[low];
}

/* Blocks that this layer leaves to its parent are only right as long as that is the same parent. */
static int check_parent(struct blk *b, struct err *e)
{
    struct vmdk *v = b->state;
    const struct vmdk *p;

    if (!b->backing || __atomic_load_n(&v->parent_checked, __ATOMIC_RELAXED))
        return 0;
    if (b->backing->drv == &fmt_vmdk) {
        p = b->backing->state;
        if (p->cid != v->parent_cid)
            return err_set(e, -EINVAL, "backing file '%s' was changed since: its content id is "
                           "%08" PRIx32 ", not %08" PRIx32, b->backing_file ? b->backing_file : "",
                           p->cid, v->parent_cid);
    }
    __atomic_store_n(&v->parent_checked, 1, __ATOMIC_RELAXED);
    return 0;
}

static int map_sparse(struct blk *b, struct vmdk_extent *s, uint64_t at, struct blk_extent *x,
                      struct err *e)
{
    struct vmdk *v = b->state;
    uint64_t in = at % s->grain, run;
    uint32_t entry;
    int r;

    pthread_mutex_lock(&v->lock);
    r = vmdk_entry(s, at / s->grain, div_up(in + x->len, s->grain), &entry, &run, e);
    pthread_mutex_unlock(&v->lock);
    if (r < 0)
        return r;
    x->len = min_u64(x->len, run * s->grain - in);
    if (entry == 0) {
        x->where = BLK_HOLE;
        return check_parent(b, e);
    }
    if (entry == 1 && (s->flags & VMDK_ZEROED)) {
        x->where = BLK_ZEROS;
        return 0;
    }
    x->host = (uint64_t)entry * VMDK_SECTOR;
    x->file = s->file;
    x->where = s->flags & VMDK_COMPRESSED ? BLK_CODED : BLK_DATA;
    if (x->host >= blk_size(s->file))
        return err_set(e, -EIO, "grain at %" PRIu64 " is said to be at %" PRIu64
                       ", beyond the end of its file", at, x->host);
    if (x->where == BLK_DATA) {
        x->host += in;
        x->in_place = true;
    }
    return 0;
}

static int vmdk_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct vmdk *v = b->state;
    struct vmdk_extent *s = extent_at(v, off);
    uint64_t at = off - s->start;

    x->off = off;
    x->len = min_u64(len, s->len - at);
    x->cookie[0] = (uint64_t)(s - v->extents);
    switch (s->kind) {
    case VMDK_SPARSE: return map_sparse(b, s, at, x, e);
    case VMDK_EMPTY: x->where = BLK_ZEROS; return 0;
    case VMDK_FLAT:
        x->where = BLK_DATA;
        x->file = s->file;
        x->host = s->host + at;
        x->in_place = x->look_below = true;
        return 0;
    }
    bug("extent of kind %d", s->kind);
}

/* Writing ----------------------------------------------------------------------------------------------- */

/* The first write gives the image a new content id, so that layers on top notice. */
static int renew_cid(struct blk *b, struct err *e)
{
    struct vmdk *v = b->state;
    char text[16], *desc;
    uint32_t cid;
    int r = 0;

    pthread_mutex_lock(&v->lock);
    if (!v->cid_fresh && v->desc_room) {
        do
            blk_random(&cid, sizeof(cid));
        while (cid == VMDK_NO_PARENT || cid == v->cid);
        snprintf(text, sizeof(text), "%08" PRIx32, cid);
        if ((desc = vmdk_desc_replace(v->desc, "CID", text))) {
            if ((r = vmdk_desc_store(b, desc, e)) >= 0) {
                v->cid = cid;
                free(v->desc);
                v->desc = desc;
            } else {
                free(desc);
            }
        }
    }
    if (r >= 0)
        v->cid_fresh = true;
    pthread_mutex_unlock(&v->lock);
    return r;
}

static int writable(struct blk *b, struct vmdk_extent *s, struct err *e)
{
    struct vmdk *v = b->state;

    if (s->read_only || s->kind == VMDK_EMPTY)
        return err_set(e, -EROFS, "this part of the disk, from %" PRIu64 " on, can only be read",
                       s->start);
    return __atomic_load_n(&v->cid_fresh, __ATOMIC_RELAXED) ? 0 : renew_cid(b, e);
}

static int vmdk_alloc(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x,
                      struct err *e)
{
    struct vmdk *v = b->state;
    struct vmdk_extent *s = extent_at(v, off);
    uint64_t in, n, i;
    int r;

    if ((r = writable(b, s, e)) < 0 || (r = vmdk_map(b, off, len, x, e)) < 0 ||
        x->where == BLK_DATA)
        return r;
    in = (off - s->start) % s->grain;
    i = (off - s->start) / s->grain;
    n = min_u64(div_up(in + x->len, s->grain), VMDK_RUN);
    *x = (struct blk_extent){.where = BLK_DATA, .off = off - in, .file = s->file, .fresh = true};
    x->cookie[0] = (uint64_t)(s - v->extents);
    if (s->flags & VMDK_COMPRESSED) { /* written by write_coded, which takes the room */
        x->len = s->grain;
        return 0;
    }
    n = min_u64(n, s->gtes - i % s->gtes);
    x->len = n * s->grain;
    if ((r = room_take(&s->room, s->file, x->len, &x->host, &x->reads_zero, e)) < 0)
        return r;
    if ((x->host + x->len) / VMDK_SECTOR <= UINT32_MAX)
        return 0;
    room_give_back(&s->room, x->host, x->len);
    return err_set(e, -EFBIG, "the file is over 2 TiB: grain tables cannot say where");
}

static int set_entries(struct blk *b, struct vmdk_extent *s, uint64_t i, uint64_t n, uint32_t first,
                       uint32_t step, struct err *e)
{
    struct vmdk *v = b->state;
    int r = 0;

    pthread_mutex_lock(&v->lock);
    while (n && r >= 0) {
        uint64_t k = n;

        r = vmdk_set_entries(s, i, &k, first, step, e);
        i += k;
        n -= k;
        first += (uint32_t)k * step;
    }
    pthread_mutex_unlock(&v->lock);
    return r;
}

static int vmdk_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct vmdk *v = b->state;
    struct vmdk_extent *s = &v->extents[x->cookie[0]];

    if (s->flags & VMDK_COMPRESSED)
        return 0; /* write_coded did */
    return set_entries(b, s, (x->off - s->start) / s->grain, x->len / s->grain,
                       (uint32_t)(x->host / VMDK_SECTOR), (uint32_t)(s->grain / VMDK_SECTOR), e);
}

static void vmdk_abort(struct blk *b, const struct blk_extent *x)
{
    struct vmdk *v = b->state;
    struct vmdk_extent *s = &v->extents[x->cookie[0]];

    if (!(s->flags & VMDK_COMPRESSED))
        room_give_back(&s->room, x->host, x->len);
}

static int vmdk_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    struct vmdk *v = b->state;
    uint64_t end = off + len;
    int r;

    while (off < end) {
        struct vmdk_extent *s = extent_at(v, off);
        uint64_t piece = min_u64(end - off, s->start + s->len - off);

        if (s->kind == VMDK_EMPTY) {
            off += piece;
            continue;
        }
        if (s->kind != VMDK_SPARSE || !(s->flags & VMDK_ZEROED) || s->grain != b->cluster)
            return -ENOTSUP;
        if ((r = writable(b, s, e)) < 0 ||
            (r = set_entries(b, s, (off - s->start) / s->grain, div_up(piece, s->grain), 1, 0,
                             e)) < 0)
            return r;
        off += piece;
    }
    return 0;
}

/* Compressed grains: BLK_DATA only where an uncompressed extent shares the disk with compressed ones. */
static int vmdk_read_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                           void *buf, struct err *e)
{
    struct vmdk *v = b->state;
    struct vmdk_extent *s = &v->extents[x->cookie[0]];

    if (x->where == BLK_DATA)
        return blk_read(s->file, x->host + (off - x->off), len, buf, e);
    return vmdk_grain_read(s, x->host, (off - s->start) % s->grain, len, buf, e);
}

static int store(struct blk *b, struct vmdk_extent *s, uint64_t off, const void *packed, size_t len,
                 struct err *e)
{
    uint64_t at = off - s->start;
    uint32_t sector;
    int r = vmdk_grain_store(s, at / VMDK_SECTOR, packed, len, &sector, e);

    return r < 0 ? r : set_entries(b, s, at / s->grain, 1, sector, 0, e);
}

static int vmdk_write_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                            const void *buf, struct err *e)
{
    struct vmdk *v = b->state;
    struct vmdk_extent *s = &v->extents[x->cookie[0]];
    size_t packed_len;
    void *packed;
    int r;

    if (!(s->flags & VMDK_COMPRESSED))
        return blk_write(s->file, x->host + (off - x->off), len, buf, 0, e);
    if ((r = vmdk_grain_pack(buf, len, &packed, &packed_len, e)) < 0)
        return r;
    r = store(b, s, off, packed, packed_len, e);
    free(packed);
    return r;
}

static int vmdk_compress(struct blk *b, const void *in, size_t len, void *out, size_t *out_len,
                         struct err *e)
{
    void *packed;
    size_t n;
    int r;

    if (!b->coded)
        return 1; /* stored as it is: only streamOptimized has compression */
    if ((r = vmdk_grain_pack(in, len, &packed, &n, e)) < 0)
        return r;
    r = n >= len;
    if (!r) {
        memcpy(out, packed, n);
        *out_len = n;
    }
    free(packed);
    return r;
}

static int vmdk_store_compressed(struct blk *b, uint64_t off, const void *data, size_t len,
                                 struct err *e)
{
    struct vmdk_extent *s = extent_at(b->state, off);
    int r = writable(b, s, e);

    if (r < 0)
        return r;
    if (!(s->flags & VMDK_COMPRESSED))
        return err_set(e, -ENOTSUP, "Compression not supported for this extent");
    return store(b, s, off, data, len, e);
}

static int vmdk_flush(struct blk *b, struct err *e)
{
    struct vmdk *v = b->state;
    int r = 0;

    for (unsigned i = 0; i < v->n && r >= 0; i++)
        if (v->extents[i].own)
            r = blk_flush(v->extents[i].file, e);
    return r;
}

/* Describing and checking ------------------------------------------------------------------------------- */

static struct json_object *extent_info(struct blk *b, const struct vmdk_extent *x)
{
    struct json_object *o = json_object_new_object();

    if (x->flags & VMDK_COMPRESSED)
        json_object_object_add(o, "compressed", json_object_new_boolean(true));
    json_object_object_add(o, "virtual-size", json_object_new_int64((int64_t)x->len));
    json_object_object_add(o, "filename", json_object_new_string(
                               x->file ? blk_filename(x->file) : ""));
    if (x->kind == VMDK_SPARSE)
        json_object_object_add(o, "cluster-size", json_object_new_int64((int64_t)x->grain));
    json_object_object_add(o, "format", json_object_new_string(x->type));
    return o;
}

static int vmdk_info(struct blk *b, struct blk_info *i, struct err *e)
{
    struct vmdk *v = b->state;
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();

    json_object_object_add(o, "cid", json_object_new_int64(v->cid));
    json_object_object_add(o, "parent-cid", json_object_new_int64(v->parent_cid));
    json_object_object_add(o, "create-type",
                           json_object_new_string(v->create_type ? v->create_type : ""));
    for (unsigned k = 0; k < v->n; k++)
        json_object_array_add(list, extent_info(b, &v->extents[k]));
    json_object_object_add(o, "extents", list);
    i->specific = o;
    return 0;
}

static int64_t vmdk_disk_size(struct blk *b)
{
    struct vmdk *v = b->state;
    int64_t sum = blk_disk_size(b->file), more;

    for (unsigned i = 0; sum >= 0 && i < v->n; i++)
        if (v->extents[i].own && (more = blk_disk_size(v->extents[i].file)) > 0)
            sum += more;
    return sum;
}

/* Each grain must be inside its file; there is no way to tell leaks. */
static int vmdk_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e)
{
    struct vmdk *v = b->state;

    for (uint64_t off = 0; off < b->size;) {
        struct vmdk_extent *s = extent_at(v, off);
        struct blk_extent x = {0};
        struct err why = {0};
        bool mend;

        if (vmdk_map(b, off, b->size - off, &x, &why) < 0) {
            mend = fix & BLK_FIX_ERRORS && s->kind == VMDK_SPARSE && !s->read_only;
            blk_check_say(c, "%s: %s", mend ? "Repairing" : "ERROR", why.msg);
            x.len = b->cluster ? b->cluster : VMDK_SECTOR;
            x.len -= off % x.len;
            if (mend) {
                pthread_mutex_lock(&v->lock);
                int r = vmdk_mend(s, (off - s->start) / s->grain, c, e);
                pthread_mutex_unlock(&v->lock);
                if (r < 0)
                    return r;
                c->corruptions_fixed++;
                x.len = 0; /* once more: a whole table may be good again */
            } else {
                c->corruptions++;
            }
        }
        off += x.len;
    }
    return 0;
}

static const struct blk_map_ops vmdk_map_ops = {
    .map = vmdk_map,
    .alloc = vmdk_alloc,
    .commit = vmdk_commit,
    .abort = vmdk_abort,
    .read_coded = vmdk_read_coded,
    .write_coded = vmdk_write_coded,
    .zero = vmdk_zero,
    .compress = vmdk_compress,
    .store_compressed = vmdk_store_compressed,
};

const struct blk_driver fmt_vmdk = {
    .name = "vmdk",
    .help = "VMware images",
    .kind = BLK_FORMAT,
    .backing = true,
    .state_size = sizeof(struct vmdk),
    .probe = vmdk_probe,
    .open = vmdk_open,
    .close = vmdk_close,
    .flush = vmdk_flush,
    .info = vmdk_info,
    .disk_size = vmdk_disk_size,
    .check = vmdk_check,
    .map = &vmdk_map_ops,
    .create = &vmdk_create_ops,
};
