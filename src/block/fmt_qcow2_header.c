/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: the header, its extensions, names of features (specification: "Header"). */
#include "block/fmt_qcow2_priv.h"

#include <stdio.h>

enum {
    EXT_END = 0,
    EXT_BACKING_FORMAT = 0xe2792aca,
    EXT_FEATURES = 0x6803f857,
    EXT_BITMAPS = 0x23852875,
    EXT_ENCRYPTION = 0x0537be77,
    EXT_DATA_FILE = 0x44415441,
};
enum { V2_LENGTH = 72, V3_LENGTH = 104, OUR_LENGTH = 112 };
enum { NAME_MAX_LEN = 1023, FEATURE_LEN = 48 };

/* struct feature - a row of the feature name table. */
struct feature {
    uint8_t kind, bit;
    const char *name;
};

static const struct feature features[] = {
    {0, 0, "dirty bit"},        {0, 1, "corrupt bit"},         {0, 2, "external data file"},
    {0, 3, "compression type"}, {0, 4, "extended L2 entries"}, {1, 0, "lazy refcounts"},
    {2, 0, "bitmaps"},          {2, 1, "raw external data"},
};

static int parse_v3(const uint8_t *p, size_t len, struct qcow2_header *h, struct err *e)
{
    h->incompatible = get_be64(p + 72);
    h->compatible = get_be64(p + 80);
    h->autoclear = get_be64(p + 88);
    h->refcount_order = get_be32(p + 96);
    h->header_length = get_be32(p + 100);
    if (h->header_length < V3_LENGTH)
        return err_set(e, -EINVAL, "qcow2 header too short");
    if (h->header_length > UINT64_C(1) << h->cluster_bits)
        return err_set(e, -EINVAL, "qcow2 header exceeds cluster size");
    if (h->header_length > V3_LENGTH && len > V3_LENGTH)
        h->compression_type = p[104];
    if (h->compression_type > QCOW2_ZSTD)
        return err_set(e, -ENOTSUP, "qcow2: unknown compression type: %u", h->compression_type);
    if (!(h->incompatible & QCOW2_COMPRESSION) != !h->compression_type)
        return err_set(e, -EINVAL,
                       "qcow2: Compression type incompatible feature bit must %sbe set",
                       h->compression_type ? "" : "not ");
    if (h->refcount_order > 6)
        return err_set(e, -EINVAL,
                       "Reference count entry width too large; may not exceed 64 bits");
    return 0;
}

int qcow2_parse_header(const uint8_t *p, size_t len, struct qcow2_header *h, struct err *e)
{
    memset(h, 0, sizeof(*h));
    if (len < V2_LENGTH || get_be32(p) != QCOW2_MAGIC)
        return err_set(e, -EINVAL, "Image is not in qcow2 format");
    h->version = get_be32(p + 4);
    h->backing_file_offset = get_be64(p + 8);
    h->backing_file_size = get_be32(p + 16);
    h->cluster_bits = get_be32(p + 20);
    h->size = get_be64(p + 24);
    h->crypt_method = get_be32(p + 32);
    h->l1_size = get_be32(p + 36);
    h->l1_table_offset = get_be64(p + 40);
    h->refcount_table_offset = get_be64(p + 48);
    h->refcount_table_clusters = get_be32(p + 56);
    h->nb_snapshots = get_be32(p + 60);
    h->snapshots_offset = get_be64(p + 64);
    h->refcount_order = 4;
    h->header_length = V2_LENGTH;
    if (h->version != 2 && h->version != 3)
        return err_set(e, -ENOTSUP, "Unsupported qcow2 version %" PRIu32, h->version);
    if (h->cluster_bits < QCOW2_MIN_CLUSTER_BITS || h->cluster_bits > QCOW2_MAX_CLUSTER_BITS)
        return err_set(e, -EINVAL, "Unsupported cluster size: 2^%" PRIu32, h->cluster_bits);
    if (h->version == 3 && len < V3_LENGTH)
        return err_set(e, -EINVAL, "qcow2 header too short");
    return h->version == 3 ? parse_v3(p, len, h, e) : 0;
}

void qcow2_put_header(const struct qcow2_header *h, uint8_t *p)
{
    put_be32(p, QCOW2_MAGIC);
    put_be32(p + 4, h->version);
    put_be64(p + 8, h->backing_file_offset);
    put_be32(p + 16, h->backing_file_size);
    put_be32(p + 20, h->cluster_bits);
    put_be64(p + 24, h->size);
    put_be32(p + 32, h->crypt_method);
    put_be32(p + 36, h->l1_size);
    put_be64(p + 40, h->l1_table_offset);
    put_be64(p + 48, h->refcount_table_offset);
    put_be32(p + 56, h->refcount_table_clusters);
    put_be32(p + 60, h->nb_snapshots);
    put_be64(p + 64, h->snapshots_offset);
    if (h->version < 3)
        return;
    put_be64(p + 72, h->incompatible);
    put_be64(p + 80, h->compatible);
    put_be64(p + 88, h->autoclear);
    put_be32(p + 96, h->refcount_order);
    put_be32(p + 100, h->header_length);
    if (h->header_length > V3_LENGTH)
        p[104] = h->compression_type;
}

/* All within the first sector: written whole or not at all. */
int qcow2_store_fields(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint8_t buf[OUR_LENGTH] = {0};
    size_t len = min_u64(s->h.header_length, V3_LENGTH);
    int r;

    qcow2_put_header(&s->h, buf);
    if ((r = qcow2_pwrite(b, 0, buf, len, e)) < 0)
        return r;
    return qcow2_sync(b, e);
}

/* Reading extensions --------------------------------------------------------------------------- */

static char *text_of(const uint8_t *p, uint32_t len)
{
    char *t = malloc((size_t)len + 1);

    if (!t)
        fatal("out of memory");
    memcpy(t, p, len);
    t[len] = 0;
    return t;
}

static void keep_unknown(struct qcow2 *s, uint32_t type, const uint8_t *p, uint32_t len)
{
    struct qcow2_extension *x;

    s->unknown = realloc(s->unknown, (s->n_unknown + 1) * sizeof(*s->unknown));
    if (!s->unknown)
        fatal("out of memory");
    x = &s->unknown[s->n_unknown++];
    *x = (struct qcow2_extension){type, len, (uint8_t *)text_of(p, len)};
}

static int load_bitmaps_extension(struct blk *b, const uint8_t *p, uint32_t len, struct err *e)
{
    struct qcow2 *s = b->state;

    if (len != 24)
        return err_set(e, -EINVAL, "bitmaps_ext: Invalid extension length");
    if (!(s->h.autoclear & QCOW2_BITMAPS)) {
        if (s->h.version < 3)
            blk_env_warn(b->env, "a program lacking bitmap support modified this file, so all "
                                 "bitmaps are now considered inconsistent");
        return 0; /* something that does not know of bitmaps wrote to the image: they are stale */
    }
    uint32_t n = get_be32(p);

    s->bitmap_directory_size = get_be64(p + 8);
    s->bitmap_directory = get_be64(p + 16);
    if (get_be32(p + 4))
        return err_set(e, -EINVAL, "bitmaps_ext: Reserved field is not zero");
    if (!n)
        return err_set(e, -EINVAL, "found bitmaps extension with zero bitmaps");
    if (n > 65535)
        return err_set(e, -EINVAL,
                       "bitmaps_ext: image has %" PRIu32
                       " bitmaps, exceeding the QEMU supported maximum of 65535",
                       n);
    if (s->bitmap_directory & s->cluster_mask)
        return err_set(e, -EINVAL, "bitmaps_ext: invalid bitmap directory offset");
    if (s->bitmap_directory_size > 64 * MiB)
        return err_set(e, -EINVAL,
                       "bitmaps_ext: bitmap directory size (%" PRIu64
                       ") exceeds the maximum supported size (67108864)",
                       s->bitmap_directory_size);
    s->n_bitmaps = n;
    return 0;
}

static int load_extension(struct blk *b, uint32_t type, const uint8_t *p, uint32_t len,
                          struct err *e)
{
    struct qcow2 *s = b->state;

    switch (type) {
    case EXT_BACKING_FORMAT:
        if (len > 15)
            return err_set(e, -EINVAL,
                           "ERROR: ext_backing_format: len=%" PRIu32 " too large (>=16)", len);
        free(b->backing_format);
        b->backing_format = text_of(p, len);
        return 0;
    case EXT_FEATURES: return 0; /* written anew */
    case EXT_BITMAPS: return load_bitmaps_extension(b, p, len, e);
    case EXT_DATA_FILE:
        free(s->data_file_name);
        s->data_file_name = text_of(p, len);
        return 0;
    case EXT_ENCRYPTION:
        if (len != 16)
            return err_set(e, -EINVAL, "CRYPTO header extension size %" PRIu32
                                       ", but expected size 16", len);
        s->crypt_offset = get_be64(p);
        s->crypt_len = get_be64(p + 8);
        if (s->crypt_offset & s->cluster_mask)
            return err_set(e, -EINVAL, "Encryption header offset '%" PRIu64
                                       "' is not a multiple of cluster size '%" PRIu64 "'",
                           s->crypt_offset, s->cluster_size);
        return 0;
    }
    keep_unknown(s, type, p, len);
    return 0;
}

static int load_backing_name(struct blk *b, const uint8_t *head, uint64_t end, struct err *e)
{
    const struct qcow2_header *h = &qcow2_of(b)->h;

    if (!h->backing_file_offset)
        return 0;
    if (h->backing_file_offset > end)
        return err_set(e, -EINVAL, "Invalid backing file offset");
    if (h->backing_file_size > NAME_MAX_LEN ||
        h->backing_file_size > end - h->backing_file_offset)
        return err_set(e, -EINVAL, "Backing file name too long");
    if (h->backing_file_size)
        b->backing_file = text_of(head + h->backing_file_offset, h->backing_file_size);
    return 0;
}

static int load_all(struct blk *b, const uint8_t *head, uint64_t end, struct err *e)
{
    const struct qcow2_header *h = &qcow2_of(b)->h;
    uint64_t at = h->header_length, stop = end;
    int r;

    if (h->backing_file_offset && h->backing_file_offset < stop)
        stop = h->backing_file_offset;
    while (at + 8 <= stop) {
        uint32_t type = get_be32(head + at), len = get_be32(head + at + 4);

        at += 8;
        if (type == EXT_END)
            break;
        if (len > stop - at)
            return err_set(e, -EINVAL, "Header extension too large");
        if ((r = load_extension(b, type, head + at, len, e)) < 0)
            return r;
        at += round_up(len, 8);
    }
    return load_backing_name(b, head, end, e);
}

/* Does all that the header tells lie within its first @n bytes? */
static bool head_ends(const struct qcow2_header *h, const uint8_t *head, uint64_t n)
{
    uint64_t from = h->header_length;

    if (h->backing_file_offset > n || h->backing_file_size > n - h->backing_file_offset)
        return false;
    while (from + 8 <= n && get_be32(head + from) != EXT_END)
        from += 8 + round_up((uint64_t)get_be32(head + from + 4), 8);
    return from + 8 <= n;
}

int qcow2_load_extensions(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t n = min_u64(s->cluster_size, 16 * KiB); /* nearly always: clusters may be 2 MiB */
    uint8_t *head = malloc(s->cluster_size);
    int r;

    if (!head)
        fatal("out of memory");
    r = qcow2_pread(b, 0, head, n, e);
    if (r >= 0 && n < s->cluster_size && !head_ends(&s->h, head, n)) {
        n = s->cluster_size;
        r = qcow2_pread(b, 0, head, n, e);
    }
    if (r >= 0)
        r = load_all(b, head, n, e);
    free(head);
    return r;
}

/* The image may bring names for the bits that we do not know. */
static const char *feature_name(const uint8_t *head, uint64_t from, uint64_t end, unsigned bit,
                                char name[47])
{
    while (from + 8 <= end) {
        uint32_t type = get_be32(head + from), len = get_be32(head + from + 4);

        from += 8;
        if (type == EXT_END || len > end - from)
            return NULL;
        for (uint32_t i = 0; type == EXT_FEATURES && i + FEATURE_LEN <= len; i += FEATURE_LEN) {
            const uint8_t *row = head + from + i;

            if (row[0] || row[1] != bit)
                continue;
            memcpy(name, row + 2, 46);
            name[46] = 0;
            for (char *c = name; *c; c++)
                if ((unsigned char)*c < ' ')
                    *c = '?';
            return name;
        }
        from += round_up(len, 8);
    }
    return NULL;
}

int qcow2_refuse_features(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t unknown = s->h.incompatible & ~(uint64_t)QCOW2_INCOMPATIBLE_KNOWN, nameless = 0;
    uint8_t *head = malloc(s->cluster_size);
    char text[400] = "", name[47];
    int r;

    if (!head)
        fatal("out of memory");
    if ((r = qcow2_pread(b, 0, head, s->cluster_size, e)) < 0) {
        free(head);
        return r;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        size_t used = strlen(text);

        if (!(unknown >> bit & 1))
            continue;
        if (feature_name(head, s->h.header_length, s->cluster_size, bit, name))
            snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", name);
        else
            nameless |= UINT64_C(1) << bit;
    }
    size_t used = strlen(text);

    if (nameless)
        snprintf(text + used, sizeof(text) - used, "%sUnknown incompatible feature: %" PRIx64,
                 used ? ", " : "", nameless);
    free(head);
    return err_set(e, -ENOTSUP, "Unsupported qcow2 feature(s): %s", text);
}

/* Writing -------------------------------------------------------------------------------------- */

/* struct out - the first cluster while it is filled. */
struct out {
    uint8_t *buf;
    uint64_t at, size;
    bool full;
};

static void put_extension(struct out *o, uint32_t type, const void *data, uint32_t len)
{
    uint64_t room = 8 + round_up(len, 8);

    if (o->full || room > o->size - o->at) {
        o->full = true;
        return;
    }
    put_be32(o->buf + o->at, type);
    put_be32(o->buf + o->at + 4, len);
    if (len)
        memcpy(o->buf + o->at + 8, data, len);
    o->at += room;
}

/* Helpful but not needed: left out when clusters are too small for it. */
static void put_features(struct out *o, uint64_t reserve)
{
    uint8_t table[ARRAY_LEN(features) * FEATURE_LEN] = {0};

    if (o->at + 8 + sizeof(table) + reserve > o->size)
        return;
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        uint8_t *row = table + i * FEATURE_LEN;

        row[0] = features[i].kind;
        row[1] = features[i].bit;
        memcpy(row + 2, features[i].name, strlen(features[i].name));
    }
    put_extension(o, EXT_FEATURES, table, sizeof(table));
}

static uint64_t length_of_unknown(const struct qcow2 *s)
{
    uint64_t len = 0;

    for (unsigned i = 0; i < s->n_unknown; i++)
        len += 8 + round_up(s->unknown[i].len, 8);
    return len;
}

static void put_extensions(struct blk *b, struct out *o)
{
    struct qcow2 *s = b->state;
    uint8_t x[24] = {0};
    uint64_t reserve =
        8 + 32 + length_of_unknown(s) + (b->backing_file ? strlen(b->backing_file) : 0);

    if (b->backing_format && *b->backing_format)
        put_extension(o, EXT_BACKING_FORMAT, b->backing_format,
                      (uint32_t)strlen(b->backing_format));
    if ((s->h.incompatible & QCOW2_DATA_FILE) && s->data_file_name)
        put_extension(o, EXT_DATA_FILE, s->data_file_name, (uint32_t)strlen(s->data_file_name));
    if (s->h.crypt_method == 2) {
        put_be64(x, s->crypt_offset);
        put_be64(x + 8, s->crypt_len);
        put_extension(o, EXT_ENCRYPTION, x, 16);
    }
    if (s->h.version >= 3)
        put_features(o, reserve);
    if (s->n_bitmaps && (s->h.autoclear & QCOW2_BITMAPS)) {
        put_be32(x, s->n_bitmaps);
        put_be32(x + 4, 0);
        put_be64(x + 8, s->bitmap_directory_size);
        put_be64(x + 16, s->bitmap_directory);
        put_extension(o, EXT_BITMAPS, x, 24);
    }
    for (unsigned i = 0; i < s->n_unknown; i++)
        put_extension(o, s->unknown[i].type, s->unknown[i].data, s->unknown[i].len);
    put_extension(o, EXT_END, NULL, 0);
}

int qcow2_store_header(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    struct out o = {calloc(1, s->cluster_size), 0, s->cluster_size, false};
    size_t name = b->backing_file ? strlen(b->backing_file) : 0;
    int r;

    if (!o.buf)
        fatal("out of memory");
    s->h.header_length = s->h.version < 3 ? V2_LENGTH : OUR_LENGTH;
    o.at = s->h.header_length;
    put_extensions(b, &o);
    if (name > NAME_MAX_LEN || o.full || name > o.size - o.at) {
        free(o.buf);
        return err_set(e, -ENOSPC, "the header does not fit into a cluster of %" PRIu64 " bytes",
                       s->cluster_size);
    }
    s->h.backing_file_offset = name ? o.at : 0;
    s->h.backing_file_size = (uint32_t)name;
    if (name)
        memcpy(o.buf + o.at, b->backing_file, name);
    qcow2_put_header(&s->h, o.buf);
    r = qcow2_pwrite(b, 0, o.buf, s->cluster_size, e);
    free(o.buf);
    return r < 0 ? r : qcow2_sync(b, e);
}
