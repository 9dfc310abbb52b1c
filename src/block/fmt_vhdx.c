/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f vhdx: Hyper-V's disk images (fmt_vhdx_priv.h): opening, where things are, checking.
 *
 * Entries of the block table are eight aligned bytes, so one is written by itself, without the log: no
 * sector ever holds half of it.  A log that somebody else left is replayed.
 */
#include "block/fmt_vhdx_priv.h"

#include "base/crypto.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_vhdx;

/* 2DC27766-F623-4200-9D64-115E9BFD4A08 and so on, in the byte order of files. */
const uint8_t vhdx_guid_bat[VHDX_GUID] = {0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
                                          0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08};
const uint8_t vhdx_guid_metadata[VHDX_GUID] = {0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                               0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e};
const uint8_t vhdx_guid_parameters[VHDX_GUID] = {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                                 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b};
const uint8_t vhdx_guid_size[VHDX_GUID] = {0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48,
                                           0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8};
const uint8_t vhdx_guid_page83[VHDX_GUID] = {0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45,
                                             0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46};
const uint8_t vhdx_guid_logical[VHDX_GUID] = {0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47,
                                              0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f};
const uint8_t vhdx_guid_physical[VHDX_GUID] = {0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44,
                                               0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56};

static int vhdx_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 8 && !memcmp(head, "vhdxfile", 8) ? 100 : 0;
}

/* Headers ------------------------------------------------------------------------------------------- */

uint32_t vhdx_crc_add(uint32_t crc, const void *p, size_t len)
{
    for (size_t i = 0; i < len; i += 8)
        crc = crypto_crc32c(crc, get_le64((const uint8_t *)p + i), 8);
    return crc;
}

uint32_t vhdx_crc(const void *p, size_t len, size_t hole)
{
    uint32_t crc = ~UINT32_C(0);
    uint64_t word;

    for (size_t i = 0; i < len; i += 8) {
        word = get_le64((const uint8_t *)p + i);
        if (hole == i)
            word &= ~UINT64_C(0) << 32;
        else if (hole == i + 4)
            word &= UINT32_MAX;
        crc = crypto_crc32c(crc, word, 8);
    }
    return ~crc;
}

/* Is it a header?  2.2.2 */
static bool read_header(struct blk *file, unsigned which, struct vhdx_header *h, struct err *e)
{
    uint64_t at = which ? VHDX_HEADER_2 : VHDX_HEADER_1;
    uint8_t b[VHDX_HEADER];

    if (at + sizeof(b) > blk_size(file) || blk_read(file, at, sizeof(b), b, e) < 0)
        return false;
    if (memcmp(b, "head", 4) || get_le32(b + 4) != vhdx_crc(b, sizeof(b), 4) || get_le16(b + 66) != 1)
        return false;
    *h = (struct vhdx_header){.which = which, .sequence = get_le64(b + 8)};
    memcpy(h->file_guid, b + 16, VHDX_GUID);
    memcpy(h->data_guid, b + 32, VHDX_GUID);
    memcpy(h->log_guid, b + 48, VHDX_GUID);
    h->log_len = get_le32(b + 68);
    h->log_host = get_le64(b + 72);
    return true;
}

static int read_headers(struct blk *b, struct vhdx_header *h, struct err *e)
{
    struct vhdx_header one, two;
    bool first = read_header(b->file, 0, &one, e), second = read_header(b->file, 1, &two, e);

    if (e->code)
        return e->code;
    if (!first && !second)
        return err_set(e, -EINVAL, "No valid VHDX header found");
    *h = first && (!second || one.sequence > two.sequence) ? one : two;
    if (h->log_host % MiB || h->log_len % MiB || h->log_host < MiB || h->log_host > INT64_MAX ||
        h->log_len > VHDX_MAX_LOG)
        return err_set(e, -EINVAL, "Invalid VHDX log: %" PRIu32 " bytes at %" PRIu64
                       " (whole MiB, at most %d bytes)", h->log_len, h->log_host, VHDX_MAX_LOG);
    return 0;
}

int vhdx_header_write(struct blk *file, struct vhdx_header *h, struct err *e)
{
    uint8_t b[VHDX_HEADER] = "head";
    int r;

    h->which ^= 1;
    h->sequence++;
    put_le64(b + 8, h->sequence);
    memcpy(b + 16, h->file_guid, VHDX_GUID);
    memcpy(b + 32, h->data_guid, VHDX_GUID);
    memcpy(b + 48, h->log_guid, VHDX_GUID);
    put_le16(b + 66, 1);
    put_le32(b + 68, h->log_len);
    put_le64(b + 72, h->log_host);
    put_le32(b + 4, vhdx_crc(b, sizeof(b), 4));
    r = blk_write(file, h->which ? VHDX_HEADER_2 : VHDX_HEADER_1, sizeof(b), b, 0, e);
    return r < 0 ? r : blk_flush(file, e);
}

/* Regions and metadata -------------------------------------------------------------------------------- */

static int take_region(struct vhdx *v, const uint8_t *entry, uint64_t file, struct err *e)
{
    struct vhdx_region r = {.host = get_le64(entry + 16), .len = get_le32(entry + 24)}, *into;

    if (!memcmp(entry, vhdx_guid_bat, VHDX_GUID))
        into = &v->bat_region;
    else if (!memcmp(entry, vhdx_guid_metadata, VHDX_GUID))
        into = &v->metadata;
    else
        return get_le32(entry + 28) & 1
                   ? err_set(e, -ENOTSUP, "the image requires a region that is not known")
                   : 0;
    if (into->len)
        return err_set(e, -EINVAL, "the region table has an entry twice");
    if (r.host % MiB || r.len % MiB || r.host < MiB || !r.len || r.host > file ||
        r.len > file - r.host)
        return err_set(e, -EINVAL, "a region of %" PRIu32 " bytes at %" PRIu64
                       " is not in the file", r.len, r.host);
    *into = r;
    return 0;
}

/* 2.2.3; -EAGAIN: not a region table. */
static int read_regions(struct blk *b, uint64_t at, uint8_t *t, struct err *e)
{
    struct vhdx *v = b->state;
    uint32_t n;
    int r;

    if (at + VHDX_TABLE > blk_size(b->file))
        return -EAGAIN;
    if ((r = blk_read(b->file, at, VHDX_TABLE, t, e)) < 0)
        return r;
    n = get_le32(t + 8);
    if (memcmp(t, "regi", 4) || get_le32(t + 4) != vhdx_crc(t, VHDX_TABLE, 4) ||
        n > VHDX_MAX_ENTRIES)
        return -EAGAIN;
    v->bat_region.len = v->metadata.len = 0;
    for (uint32_t i = 0; i < n; i++)
        if ((r = take_region(v, t + 16 + i * UINT64_C(32), blk_size(b->file), e)) < 0)
            return r;
    if (!v->bat_region.len || !v->metadata.len)
        return err_set(e, -EINVAL, "the region table lacks the %s",
                       v->metadata.len ? "block table" : "metadata");
    if (v->bat_region.host < v->metadata.host + v->metadata.len &&
        v->metadata.host < v->bat_region.host + v->bat_region.len)
        return err_set(e, -EINVAL, "the regions of block table and metadata overlap");
    return 0;
}

/* What metadata tell; all of it is required. */
struct params {
    uint64_t size;
    uint32_t block, flags, logical;
    unsigned seen;
};

/* 2.6.2; @item has @len bytes. */
static int take_item(struct params *p, const uint8_t *entry, const uint8_t *item, uint32_t len,
                     struct err *e)
{
    enum { PARAMETERS = 1, SIZE = 2, LOGICAL = 4 };

    if (!memcmp(entry, vhdx_guid_parameters, VHDX_GUID) && len >= 8) {
        p->block = get_le32(item);
        p->flags = get_le32(item + 4);
        p->seen |= PARAMETERS;
    } else if (!memcmp(entry, vhdx_guid_size, VHDX_GUID) && len >= 8) {
        p->size = get_le64(item);
        p->seen |= SIZE;
    } else if (!memcmp(entry, vhdx_guid_logical, VHDX_GUID) && len >= 4) {
        p->logical = get_le32(item);
        p->seen |= LOGICAL;
    } else if (memcmp(entry, vhdx_guid_page83, VHDX_GUID) &&
               memcmp(entry, vhdx_guid_physical, VHDX_GUID) && (get_le32(entry + 24) & 4) &&
               !(p->flags & 2)) { /* with a parent there is a locator: that is told elsewhere */
        return err_set(e, -ENOTSUP, "the image requires metadata that are not known");
    }
    return 0;
}

static int read_metadata(struct blk *b, uint8_t *t, struct params *p, struct err *e)
{
    struct vhdx *v = b->state;
    uint8_t item[16];
    unsigned n;
    int r;

    if ((r = blk_read(b->file, v->metadata.host, VHDX_TABLE, t, e)) < 0)
        return r;
    n = get_le16(t + 10);
    if (memcmp(t, "metadata", 8) || n > VHDX_MAX_ENTRIES)
        return err_set(e, -EINVAL, "the metadata region does not begin with its table");
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *entry = t + 32 + i * 32;
        uint32_t at = get_le32(entry + 16), len = get_le32(entry + 20);

        if (len && (at < VHDX_ITEMS || at > v->metadata.len || len > v->metadata.len - at))
            return err_set(e, -EINVAL, "metadata item %u, %" PRIu32 " bytes at %" PRIu32
                           ", is not in its region", i, len, at);
        memset(item, 0, sizeof(item));
        if ((r = blk_read(b->file, v->metadata.host + at, min_u64(len, sizeof(item)), item, e)) < 0 ||
            (r = take_item(p, entry, item, len, e)) < 0)
            return r;
    }
    return p->seen == 7 ? 0 : err_set(e, -EINVAL, "the image lacks required metadata");
}

static int check_params(const struct params *p, struct err *e)
{
    if (p->flags & 2)
        return err_set(e, -ENOTSUP, "differencing VHDX images are not supported");
    if (p->logical != 512 && p->logical != 4096)
        return err_set(e, -EINVAL, "sectors of %" PRIu32 " bytes (512 or 4096)", p->logical);
    if (!is_pow2(p->block) || p->block < MiB || p->block > 256 * MiB)
        return err_set(e, -EINVAL, "blocks of %" PRIu32 " bytes (a power of two, 1 to 256 MiB)",
                       p->block);
    if (p->size > VHDX_MAX_SIZE || p->size % p->logical)
        return err_set(e, -EINVAL, "a disk of %" PRIu64 " bytes (whole sectors, at most 64 TiB)",
                       p->size);
    return 0;
}

/* The table has a bitmap's entry after each chunk, but for the last (2.5). */
static uint64_t table_index(const struct vhdx *v, uint64_t block)
{
    return block + block / v->ratio;
}

static int open_table(struct blk *b, const struct params *p, struct err *e)
{
    struct vhdx *v = b->state;
    uint64_t n;

    v->block = p->block;
    v->sector = p->logical;
    v->ratio = (UINT64_C(1) << 23) * p->logical / p->block;
    v->blocks = div_up(p->size, p->block);
    n = v->blocks ? table_index(v, v->blocks - 1) + 1 : 0;
    if (n * 8 > v->bat_region.len)
        return err_set(e, -EINVAL, "the block table has room for %" PRIu32 " of %" PRIu64
                       " entries", v->bat_region.len / 8, n);
    return bat_load(&v->bat, b->file, v->bat_region.host, n, 8, false, e);
}

/* A log with something in it: the image is as the log says, not as it is. */
static int settle_log(struct blk *b, struct err *e)
{
    struct vhdx *v = b->state;

    if (bytes_zero(v->header.log_guid, VHDX_GUID))
        return 0;
    if (!(b->flags & BLK_RDWR))
        return err_set(e, -EPERM, "VHDX image file '%s' opened read-only, but contains a log that "
                       "needs to be replayed\nTo replay the log, run:\nqemu-img check -r all '%s'",
                       blk_filename(b->file), blk_filename(b->file));
    v->replayed = true;
    return vhdx_log_replay(b->file, &v->header, e);
}

static int open_parts(struct blk *b, struct params *p, struct err *e)
{
    struct vhdx *v = b->state;
    uint8_t *t = malloc(VHDX_TABLE);
    int r;

    if (!t)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = read_regions(b, VHDX_REGION_1, t, e)) == -EAGAIN &&
        (r = read_regions(b, VHDX_REGION_2, t, e)) == -EAGAIN)
        r = err_set(e, -EINVAL, "No valid VHDX region table found");
    if (r >= 0 && (r = read_metadata(b, t, p, e)) >= 0 && (r = check_params(p, e)) >= 0)
        r = open_table(b, p, e);
    free(t);
    if (r >= 0 && v->header.log_host < v->bat_region.host + v->bat_region.len &&
        v->bat_region.host < v->header.log_host + v->header.log_len)
        r = err_set(e, -EINVAL, "the log overlaps the block table");
    return r;
}

static int vhdx_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct vhdx *v = b->state;
    struct params p = {0};
    uint8_t magic[8] = {0};
    int r;

    if ((r = blk_read(b->file, 0, min_u64(8, blk_size(b->file)), magic, e)) < 0)
        return r;
    if (memcmp(magic, "vhdxfile", 8))
        return err_set(e, -EINVAL, "Image not in VHDX format");
    if ((r = read_headers(b, &v->header, e)) < 0 || (r = settle_log(b, e)) < 0 ||
        (r = open_parts(b, &p, e)) < 0) {
        bat_free(&v->bat);
        return r;
    }
    pthread_mutex_init(&v->lock, NULL);
    room_init(&v->room, round_up(blk_size(b->file), MiB));
    b->size = p.size;
    b->cluster = v->block;
    return 0;
}

static int vhdx_close(struct blk *b, struct err *e)
{
    struct vhdx *v = b->state;

    bat_free(&v->bat);
    room_done(&v->room);
    pthread_mutex_destroy(&v->lock);
    return 0;
}

/* Where things are ------------------------------------------------------------------------------------ */

static int vhdx_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct vhdx *v = b->state;
    uint64_t block = off / v->block, in = off % v->block, entry, run, chunk;
    uint64_t i = table_index(v, block);
    unsigned state;

    entry = bat_get(&v->bat, i);
    state = entry & VHDX_STATE;
    chunk = v->ratio - block % v->ratio;
    run = bat_run(&v->bat, i, min_u64(chunk, div_up(in + len, v->block)),
                  state == VHDX_PRESENT ? v->block : 0);
    x->off = off;
    x->len = min_u64(len, run * v->block - in);
    if (state < VHDX_PRESENT) {
        if (state > VHDX_UNMAPPED)
            return err_set(e, -EIO, "block %" PRIu64 " has state %u, which is not known", block, state);
        x->where = BLK_ZEROS;
        return 0;
    }
    if (state == VHDX_PARTIAL)
        return err_set(e, -EIO, "block %" PRIu64 " is partly in a parent, but there is none", block);
    x->where = BLK_DATA;
    x->host = round_down(entry, MiB);
    x->in_place = true;
    if (x->host >= blk_size(b->file) || x->host < MiB)
        return err_set(e, -EIO, "block %" PRIu64 " is said to be at %" PRIu64
                       ", not in the file", block, x->host);
    x->host += in;
    return 0;
}

/* 2.2.2.1: both guids change before the first write. */
static int renew_guids(struct blk *b, struct err *e)
{
    struct vhdx *v = b->state;
    struct vhdx_header h;
    int r = 0;

    pthread_mutex_lock(&v->lock);
    if (!v->header_fresh) {
        h = v->header;
        blk_new_uuid(h.file_guid);
        blk_new_uuid(h.data_guid);
        if ((r = vhdx_header_write(b->file, &h, e)) >= 0) {
            v->header = h;
            __atomic_store_n(&v->header_fresh, 1, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&v->lock);
    return r;
}

static int vhdx_alloc(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x,
                      struct err *e)
{
    struct vhdx *v = b->state;
    int r;

    if (!__atomic_load_n(&v->header_fresh, __ATOMIC_ACQUIRE) && (r = renew_guids(b, e)) < 0)
        return r;
    if ((r = vhdx_map(b, off, len, x, e)) < 0 || x->where == BLK_DATA)
        return r;
    *x = (struct blk_extent){.where = BLK_DATA, .off = round_down(off, v->block), .len = v->block,
                             .fresh = true};
    return room_take(&v->room, b->file, v->block, &x->host, &x->reads_zero, e);
}

static int vhdx_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct vhdx *v = b->state;

    return bat_set_run(&v->bat, table_index(v, x->off / v->block), 1, x->host | VHDX_PRESENT, 0, e);
}

static void vhdx_abort(struct blk *b, const struct blk_extent *x)
{
    struct vhdx *v = b->state;

    room_give_back(&v->room, x->host, x->len);
}

/* Checking ----------------------------------------------------------------------------------------------- */

/* One block: @seen has a bit for each MiB of the file. */
static void check_block(struct blk *b, uint64_t block, uint8_t *seen, uint64_t file,
                        struct blk_check *c)
{
    struct vhdx *v = b->state;
    uint64_t entry = bat_get(&v->bat, table_index(v, block)), host = round_down(entry, MiB);
    unsigned state = entry & VHDX_STATE;

    if (state <= VHDX_UNMAPPED)
        return;
    if (state != VHDX_PRESENT) {
        blk_check_say(c, "ERROR: block %" PRIu64 " has state %u", block, state);
    } else if (host < MiB || host >= file) {
        blk_check_say(c, "ERROR: block %" PRIu64 " is said to be at %" PRIu64 ", not in the file",
                      block, host);
    } else {
        bool twice = false;

        for (uint64_t m = host / MiB; m < div_up(min_u64(host + v->block, file), MiB); m++) {
            twice |= seen[m / 8] >> m % 8 & 1;
            seen[m / 8] |= (uint8_t)(1 << m % 8);
        }
        if (!twice)
            return;
        blk_check_say(c, "ERROR: block %" PRIu64 " at %" PRIu64 " overlaps something else", block,
                      host);
    }
    c->corruptions++;
}

static int vhdx_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e)
{
    struct vhdx *v = b->state;
    uint64_t file = blk_size(b->file);
    struct vhdx_region own[] = {{0, MiB}, v->bat_region, v->metadata,
                                {v->header.log_host, v->header.log_len}};
    uint8_t *seen = blk_alloc_foreign(file / MiB / 8 + 1, TABLE_MAX, "map of the file", e);

    if (!seen)
        return e->code;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        for (uint64_t m = own[i].host / MiB; m < (own[i].host + own[i].len) / MiB && m < file / MiB; m++)
            seen[m / 8] |= (uint8_t)(1 << m % 8);
    for (uint64_t block = 0; block < v->blocks; block++)
        check_block(b, block, seen, file, c);
    free(seen);
    c->corruptions_fixed += v->replayed; /* opening did it */
    v->replayed = false;
    return 0;
}

static const struct blk_map_ops vhdx_map_ops = {
    .map = vhdx_map,
    .alloc = vhdx_alloc,
    .commit = vhdx_commit,
    .abort = vhdx_abort,
};

const struct blk_driver fmt_vhdx = {
    .name = "vhdx",
    .help = "Hyper-V images",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct vhdx),
    .probe = vhdx_probe,
    .open = vhdx_open,
    .close = vhdx_close,
    .check = vhdx_check,
    .map = &vhdx_map_ops,
    .create = &vhdx_create_ops,
};
