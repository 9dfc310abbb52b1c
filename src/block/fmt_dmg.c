/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f dmg: Apple's disk images, only read.  After "Demystifying the DMG File Format" (J. Levin): a trailer names an
 * XML list of tables, each with chunks: raw, zeros, packed by zlib or bzip2; big-endian.
 */
#include "block/unpack.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_dmg;

enum { TRAILER = 512, SECTOR = 512, XML_MAX = 16 << 20, CHUNKS_MAX = 1 << 20 };
/* Offsets in the trailer, "koly". */
enum { K_DATA = 24, K_XML = 216, K_XML_LEN = 224 };
/* Offsets in a table, "mish", and in a chunk. */
enum { M_SECTOR = 8, M_DATA = 24, M_COUNT = 200, M_CHUNKS = 204, C_SECTOR = 8, C_SECTORS = 16, C_HOST = 24,
       C_LEN = 32, CHUNK = 40 };
#define T_ZERO   UINT32_C(0)
#define T_RAW    UINT32_C(1)
#define T_IGNORE UINT32_C(2)
#define T_ZLIB   UINT32_C(0x80000005)
#define T_BZIP2  UINT32_C(0x80000006)
#define T_NOTE   UINT32_C(0x7ffffffe)
#define T_END    UINT32_C(0xffffffff)

struct chunk {
    uint64_t off, len; /* of the disk, bytes */
    uint64_t host, packed;
    uint32_t type;
};

struct dmg {
    struct chunk *chunks; /* by off */
    size_t n, room;
    struct unpack_cache cache;
};

static int dmg_probe(const uint8_t *head, size_t len, const char *filename)
{
    size_t n = strlen(filename);

    return n > 4 && !strcmp(filename + n - 4, ".dmg") ? 2 : 0;
}

/* Tables --------------------------------------------------------------------------------------------- */

static int add_chunk(struct dmg *d, const struct chunk *c, struct err *e)
{
    void *more;

    if (d->n == CHUNKS_MAX)
        return err_set(e, -EFBIG, "more than %d chunks", CHUNKS_MAX);
    if (d->n == d->room) {
        d->room = d->room ? d->room * 2 : 64;
        if (!(more = realloc(d->chunks, d->room * sizeof(*d->chunks))))
            return err_set(e, -ENOMEM, "out of memory for chunks");
        d->chunks = more;
    }
    d->chunks[d->n++] = *c;
    return 0;
}

/* One table of @len bytes; its chunks lie from @base on. */
static int read_table(struct dmg *d, const uint8_t *t, size_t len, uint64_t base, struct err *e)
{
    uint64_t first, sectors, at;
    uint32_t n;
    int r;

    if (len < M_CHUNKS || memcmp(t, "mish", 4))
        return 0; /* other resources */
    n = get_be32(t + M_COUNT);
    first = get_be64(t + M_SECTOR);
    if (n > (len - M_CHUNKS) / CHUNK)
        return err_set(e, -EINVAL, "a table with %" PRIu32 " chunks in %zu bytes", n, len);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = t + M_CHUNKS + i * CHUNK;
        struct chunk c = {.type = get_be32(p), .packed = get_be64(p + C_LEN)};

        if (c.type == T_NOTE || c.type == T_END)
            continue;
        sectors = get_be64(p + C_SECTORS);
        if (!add_u64(first, get_be64(p + C_SECTOR), &at) || at > INT64_MAX / SECTOR / 2 ||
            sectors > INT64_MAX / SECTOR / 2 ||
            !add_u64(base + get_be64(t + M_DATA), get_be64(p + C_HOST), &c.host))
            return err_set(e, -EINVAL, "a chunk of %" PRIu64 " sectors at sector %" PRIu64, sectors, at);
        c.off = at * SECTOR;
        c.len = sectors * SECTOR;
        if (c.type >= T_ZLIB && c.len > UNPACK_MAX)
            return err_set(e, -EINVAL, "sector count %" PRIu64 " for chunk %" PRIu32 " is larger than max "
                           "(%d)", sectors, i, UNPACK_MAX / SECTOR);
        if (c.len && (r = add_chunk(d, &c, e)) < 0)
            return r;
    }
    return 0;
}

static int digit(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'           ? 62
           : c == '/'           ? 63
                                : -1;
}

/* Base 64 up to @end, into the same place: the number of bytes. */
static size_t unbase64(char *p, const char *end)
{
    uint8_t *out = (uint8_t *)p;
    uint32_t bits = 0;
    unsigned n = 0;
    size_t len = 0;

    for (const char *q = p; q < end; q++) {
        int v = digit(*q);

        if (v < 0)
            continue;
        bits = bits << 6 | (uint32_t)v;
        if ((n += 6) >= 8) {
            n -= 8;
            out[len++] = (uint8_t)(bits >> n);
        }
    }
    return len;
}

/* Every <data> of the list: what is not a table is passed over. */
static int read_xml(struct dmg *d, char *xml, uint64_t base, struct err *e)
{
    char *p = xml, *end;
    int r;

    while ((p = strstr(p, "<data>"))) {
        p += 6;
        if (!(end = strstr(p, "</data>")))
            return err_set(e, -EINVAL, "the list of tables is cut off");
        if ((r = read_table(d, (uint8_t *)p, unbase64(p, end), base, e)) < 0)
            return r;
        p = end + 7;
    }
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct chunk *x = a, *y = b;

    return x->off < y->off ? -1 : x->off > y->off;
}

static int check_chunks(struct blk *b, struct err *e)
{
    struct dmg *d = b->state;
    uint64_t end = 0;

    if (!d->n)
        return err_set(e, -EINVAL, "the image has no chunks");
    qsort(d->chunks, d->n, sizeof(*d->chunks), by_offset);
    for (size_t i = 0; i < d->n; i++) {
        if (d->chunks[i].off < end)
            return err_set(e, -EINVAL, "chunks overlap at %" PRIu64, d->chunks[i].off);
        end = d->chunks[i].off + d->chunks[i].len;
    }
    b->size = end;
    return 0;
}

/* Opening --------------------------------------------------------------------------------------------- */

/* The trailer is in the last sector, or a little before: some programs add bytes. */
static int find_trailer(struct blk *b, uint8_t *k, struct err *e)
{
    uint64_t size = blk_size(b->file), at;
    uint8_t tail[2 * TRAILER];
    int r;

    if (size < TRAILER)
        return err_set(e, -EINVAL, "Could not locate UDIF trailer in dmg file");
    at = size < sizeof(tail) ? 0 : size - sizeof(tail);
    memset(tail, 0, sizeof(tail));
    if ((r = blk_read(b->file, at, size - at, tail, e)) < 0)
        return r;
    for (size_t i = size - at - TRAILER + 1; i--;)
        if (!memcmp(tail + i, "koly", 4)) {
            memcpy(k, tail + i, TRAILER);
            return 0;
        }
    return err_set(e, -EINVAL, "Could not locate UDIF trailer in dmg file");
}

static int dmg_close(struct blk *b, struct err *e)
{
    struct dmg *d = b->state;

    free(d->chunks);
    unpack_done(&d->cache);
    return 0;
}

static int read_tables(struct blk *b, const uint8_t *k, struct err *e)
{
    uint64_t at = get_be64(k + K_XML), len = get_be64(k + K_XML_LEN);
    char *xml;
    int r;

    if (!len)
        return err_set(e, -ENOTSUP, "the image has no list of tables in XML: resource forks are not "
                       "supported");
    if (at > blk_size(b->file) || len > blk_size(b->file) - at)
        return err_set(e, -EINVAL, "the list of tables, %" PRIu64 " bytes at %" PRIu64
                       ", is not in the file", len, at);
    if (!(xml = blk_alloc_foreign(len + 1, XML_MAX, "list of tables", e)))
        return e->code;
    if ((r = blk_read(b->file, at, len, xml, e)) >= 0)
        r = read_xml(b->state, xml, get_be64(k + K_DATA), e);
    free(xml);
    return r < 0 ? r : check_chunks(b, e);
}

static int dmg_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct dmg *d = b->state;
    uint8_t k[TRAILER] = {0};
    int r;

    if (b->flags & BLK_RDWR)
        return err_set(e, -EROFS, "Image is read-only");
    unpack_init(&d->cache);
    if ((r = find_trailer(b, k, e)) < 0 || (r = read_tables(b, k, e)) < 0)
        dmg_close(b, ERR_IGNORE);
    return r;
}

/* Where things are -------------------------------------------------------------------------------------- */

/* The last chunk that begins at or before @off: its index, or d->n. */
static size_t find_chunk(const struct dmg *d, uint64_t off)
{
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (d->chunks[mid].off <= off)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? low - 1 : d->n;
}

/* How Apple's programs call what we cannot unpack. */
static const char *packer(uint32_t type)
{
    switch (type) {
    case UINT32_C(0x80000004): return "ADC";
    case UINT32_C(0x80000007): return "LZFSE";
    case UINT32_C(0x80000008): return "LZMA";
    }
    return "an unknown method";
}

static int dmg_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct dmg *d = b->state;
    size_t i = find_chunk(d, off);
    const struct chunk *c = &d->chunks[i];

    *x = (struct blk_extent){.where = BLK_ZEROS, .off = off, .len = len};
    if (i == d->n || off >= c->off + c->len) { /* between chunks */
        size_t next = i == d->n ? 0 : i + 1;

        if (next < d->n)
            x->len = min_u64(len, d->chunks[next].off - off);
        return 0;
    }
    x->len = min_u64(len, c->off + c->len - off);
    x->cookie[0] = i;
    switch (c->type) {
    case T_ZERO:
    case T_IGNORE: return 0;
    case T_RAW:
        x->where = BLK_DATA;
        x->host = c->host + (off - c->off);
        return x->host < blk_size(b->file)
                   ? 0
                   : err_set(e, -EIO, "a chunk is said to be at %" PRIu64 ", beyond the file's end",
                             x->host);
    case T_ZLIB:
    case T_BZIP2: x->where = BLK_CODED; return 0;
    }
    return err_set(e, -ENOTSUP, "this part of the image is packed with %s (type %08" PRIx32
                   "); zlib and bzip2 can be read: `hdiutil convert -format UDZO` makes such an image",
                   packer(c->type), c->type);
}

static int dmg_read(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len, void *buf,
                    struct err *e)
{
    struct dmg *d = b->state;
    const struct chunk *c = &d->chunks[x->cookie[0]];
    struct unpack_block k = {.index = x->cookie[0], .host = c->host, .packed = c->packed, .plain = c->len,
                             .how = c->type == T_ZLIB ? UNPACK_ZLIB : UNPACK_BZIP2};

    return unpack_read(&d->cache, b->file, &k, off - c->off, len, buf, e);
}

static int dmg_info(struct blk *b, struct blk_info *i, struct err *e)
{
    i->bare = true;
    return 0;
}

static const struct blk_map_ops dmg_map_ops = {.map = dmg_map, .read_coded = dmg_read};

const struct blk_driver fmt_dmg = {
    .name = "dmg",
    .help = "Apple's disk images, only read",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct dmg),
    .probe = dmg_probe,
    .open = dmg_open,
    .close = dmg_close,
    .info = dmg_info,
    .map = &dmg_map_ops,
};
