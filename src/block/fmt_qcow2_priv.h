/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the qcow2 format share.  The format is that of "The QCOW2 file format"
 * (docs/interop/qcow2.txt, versions 2 and 3); field names are its.
 *
 * What is on the disk at any moment refers only to what is on the disk already:
 *   1. data, new tables, refcount blocks         then flush
 *   2. refcount table entries                    then flush
 *   3. L2 entries, L1 entries                    then flush
 *   4. refcounts of what nobody refers to any more
 * so a crash leaks at most.  qcow2_write_back does all of it.
 *
 * Lock: s->lock guards everything that is marked [lock].  Looking up where data is takes no lock
 * (fmt_qcow2_cache.c).  Operations on the whole image run alone (blk_exclusive_begin), so pointers like
 * s->l1 change only when nobody looks.
 */
#ifndef BLOCK_FMT_QCOW2_PRIV_H
#define BLOCK_FMT_QCOW2_PRIV_H

#include "block/core.h"
#include "block/crypt.h"

#include <inttypes.h>
#include <stdlib.h>

#define QCOW2_MAGIC UINT32_C(0x514649fb)

enum {
    QCOW2_MIN_CLUSTER_BITS = 9,
    QCOW2_MAX_CLUSTER_BITS = 21,
    QCOW2_MAX_L1 = 32 << 20,             /* bytes: with 512-byte clusters 128 GiB */
    QCOW2_MAX_REFTABLE = 8 << 20,        /* bytes */
    QCOW2_MAX_SNAPSHOTS = 65536,
    QCOW2_MAX_SNAPSHOT_TABLE = 64 << 20, /* bytes */
    QCOW2_MAX_EXTENSIONS = 2 << 20,      /* bytes: they lie in the first cluster */
    QCOW2_SUBCLUSTERS = 32,
    QCOW2_PAGE = 4096, /* unit of the caches, or a cluster when that is smaller */
};

enum qcow2_incompatible {
    QCOW2_DIRTY = 1 << 0,
    QCOW2_CORRUPT = 1 << 1,
    QCOW2_DATA_FILE = 1 << 2,
    QCOW2_COMPRESSION = 1 << 3,
    QCOW2_EXTENDED_L2 = 1 << 4,
    QCOW2_INCOMPATIBLE_KNOWN = (1 << 5) - 1
};
enum qcow2_compatible { QCOW2_LAZY_REFCOUNTS = 1 << 0 };
enum qcow2_autoclear { QCOW2_BITMAPS = 1 << 0, QCOW2_DATA_FILE_RAW = 1 << 1 };

/* Bits of L1 and L2 entries. */
#define QCOW2_COPIED     (UINT64_C(1) << 63)
#define QCOW2_COMPRESSED (UINT64_C(1) << 62)
#define QCOW2_ZERO       UINT64_C(1)
#define QCOW2_OFFSET     UINT64_C(0x00fffffffffffe00)

enum qcow2_compression { QCOW2_ZLIB, QCOW2_ZSTD };

/* struct qcow2_extension - a header extension that we do not know, kept as it is. */
struct qcow2_extension {
    uint32_t type, len;
    uint8_t *data;
};

/* struct qcow2_header - the header in host byte order, checked by itself. */
struct qcow2_header {
    uint32_t version, cluster_bits, crypt_method, l1_size, refcount_table_clusters, nb_snapshots;
    uint32_t backing_file_size, refcount_order, header_length;
    uint64_t backing_file_offset, size, l1_table_offset, refcount_table_offset, snapshots_offset;
    uint64_t incompatible, compatible, autoclear;
    uint8_t compression_type;
};

/* struct qcow2_page - a piece of an L2 table or of a refcount block, as on the disk (big-endian).
 * Never freed before the image is closed, so lookups without a lock may hold one; @seq, odd
 * while it changes, tells them when it became something else. */
struct qcow2_page {
    uint32_t seq;   /* [atomic] */
    uint64_t host;  /* [atomic] offset in the file; 0: empty */
    uint64_t *data; /* [words atomic] */
    bool dirty;     /* [lock] */
    bool touched;   /* [atomic] used since the last cleaning */
    uint64_t used;  /* [lock] clock of the last use */
};

enum { QCOW2_WAYS = 8 };

/* struct qcow2_cache - pages by their offset: sets of QCOW2_WAYS. */
struct qcow2_cache {
    struct qcow2_page **pages; /* [atomic] sets * QCOW2_WAYS, filled on demand */
    uint64_t sets;             /* power of two */
    uint64_t clock;            /* [lock] */
    struct qcow2_page **dirty; /* [lock] */
    size_t n_dirty, max_dirty; /* [lock] */
};

/* A range of clusters whose reference goes away once the L2 tables are on the disk. */
struct qcow2_unref {
    uint64_t host, len;
    bool discard; /* tell the host, when the clusters become free */
};

/* struct qcow2_snapshot - a row of the snapshot table. */
struct qcow2_snapshot {
    struct blk_snapshot info;
    uint64_t l1_table_offset;
    uint32_t l1_size;
    uint8_t *extra; /* what follows the extra data that we know; owned */
    uint32_t extra_len;
    bool has_disk_size;
};

struct qcow2_opts;
struct qcow2_bitmap;

struct qcow2 {
    struct qcow2_header h; /* [lock; changed alone] */
    uint64_t cluster_size, cluster_mask;
    unsigned cluster_bits, l2_bits; /* log2 of the entries of an L2 table */
    unsigned sub_bits;              /* log2 of the unit of allocation */
    bool extended;
    uint64_t page_size;
    unsigned page_bits;
    unsigned entry_words; /* 1, extended 2 */
    struct blk *data_file; /* where guest data is; NULL: b->file */
    bool data_file_raw;
    char *data_file_name; /* as written in the image, owned */
    struct crypt *crypt;
    uint64_t crypt_offset, crypt_len; /* the LUKS header */
    struct qcow2_extension *unknown;
    unsigned n_unknown;
    bool maybe_holes; /* preallocated: the file below knows what is data */

    pthread_mutex_t lock;
    uint64_t *l1;         /* [entries atomic] host byte order, h.l1_size */
    bool *l1_dirty;       /* [lock] by page of the table on disk */
    bool l1_any_dirty;    /* [lock] */
    struct qcow2_cache l2, refs;
    uint64_t *reftable;   /* [lock] host byte order */
    uint64_t reftable_n;  /* [lock] entries */
    uint64_t reftable_used; /* [lock] entries behind are 0 */
    bool *reftable_dirty; /* [lock] by page of the table on disk */
    bool reftable_any_dirty;
    uint64_t free_hint;  /* [lock] no free cluster below this index */
    uint64_t high_water; /* [lock] from here on the file was never written: zeros */
    uint64_t packed;     /* [lock] where the next compressed data may go on; 0: nowhere */
    struct qcow2_unref *unrefs; /* [lock] */
    size_t n_unrefs, max_unrefs;
    bool discarding;    /* [lock] what is given up now was discarded by the guest */
    bool marked_dirty;  /* [lock] lazy refcounts: the dirty bit is set */
    bool needs_data_flush; /* [lock] something was allocated since the last flush */
    int corrupt;        /* [atomic] refuse to write */

    struct qcow2_snapshot *snapshots; /* [changed alone] */
    uint64_t snapshots_bytes;         /* of the table on the disk */
    struct qcow2_bitmap *bitmaps;     /* [changed alone] */
    unsigned n_bitmaps;
    uint64_t bitmap_directory, bitmap_directory_size; /* from the header extension */
    struct qcow2_bitmap *removed;     /* [changed alone] still on the disk */
    unsigned n_removed;
    pthread_mutex_t bitmaps_lock;     /* bits, and "in use" on the disk; before lock */
    bool bitmaps_changed;             /* [bitmaps_lock] store them when closing */
    bool recording;                   /* [atomic] some bitmap wants to know of writes */

    struct {
        struct blk *next; /* [fmt_qcow2_clean.c's lock], as the next */
        int64_t due;      /* CLOCK_MONOTONIC, ns */
        unsigned pages;   /* [lock] made so far */
    } clean;
    struct qcow2_opts *o;
    void *workspaces;    /* fmt_qcow2_compress.c: idle compression contexts */
    pthread_mutex_t workspaces_lock;
    unsigned overlap_mask; /* fmt_qcow2_overlap.c: metadata that is watched */
    uint64_t sound_l2, sound_refblock; /* [lock] last found apart from other metadata; 0: none */
};

static inline struct qcow2 *qcow2_of(struct blk *b)
{
    return b->state;
}

/* Opening options (fmt_qcow2.c). */
struct qcow2_opts {
    bool lazy_refcounts, pass_request, pass_snapshot, pass_other, discard_no_unref;
    struct json_object *overlap_check;
    uint64_t l2_cache_size, l2_cache_entry_size, refcount_cache_size, cache_size;
    uint64_t cache_clean_interval;
    char *encrypt_format, *encrypt_key_secret;
};
extern const struct field qcow2_open_fields[];

/* fmt_qcow2_header.c --------------------------------------------------------------------------- */

/** qcow2_parse_header - @buf of @len bytes (the file's begin, at least 104). */
int qcow2_parse_header(const uint8_t *buf, size_t len, struct qcow2_header *h, struct err *e);
/** qcow2_put_header - the fields, without extensions: h->header_length bytes. */
void qcow2_put_header(const struct qcow2_header *h, uint8_t *buf);
/** qcow2_load_extensions - header extensions and the backing file's name. */
int qcow2_load_extensions(struct blk *b, struct err *e);
/** qcow2_store_fields - the fixed fields of the header, in one write; follows by a flush. */
int qcow2_store_fields(struct blk *b, struct err *e);
/** qcow2_store_header - fields, extensions and the backing file's name: the whole first cluster. */
int qcow2_store_header(struct blk *b, struct err *e);
/** qcow2_refuse_features - clear words for incompatible bits that nobody knows. */
int qcow2_refuse_features(struct blk *b, struct err *e);

/* fmt_qcow2_cache.c ---------------------------------------------------------------------------- */

void qcow2_cache_init(struct qcow2_cache *c, uint64_t bytes, uint64_t page_size);
void qcow2_cache_free(struct qcow2_cache *c);
/** qcow2_cache_find - the page at @host (a multiple of the page size) or NULL; any thread, no lock:
 *  read it between qcow2_page_begin and qcow2_page_valid. */
struct qcow2_page *qcow2_cache_find(const struct qcow2_cache *c, uint64_t host, unsigned page_bits);
/** qcow2_page - the page that holds offset @host of the file, read if need be [lock].  It stays until
 *  four other pages were asked for. */
int qcow2_page(struct blk *b, struct qcow2_cache *c, uint64_t host, struct qcow2_page **p,
               struct err *e);
/** qcow2_change_begin - the caller is going to change the page: ..._begin, writes, ..._end [lock]. */
void qcow2_change_begin(struct qcow2_cache *c, struct qcow2_page *p);
void qcow2_change_end(struct qcow2_page *p);
/** qcow2_cache_drop - forget pages of [host, host+len), changed or not [lock]. */
void qcow2_cache_drop(struct blk *b, struct qcow2_cache *c, uint64_t host, uint64_t len);
/** qcow2_cache_forget - all of it; nothing is changed [lock]. */
void qcow2_cache_forget(struct qcow2_cache *c);
/** qcow2_cache_write - all changed pages to the file, in order of their offset [lock]. */
int qcow2_cache_write(struct blk *b, struct qcow2_cache *c, struct err *e);
/** qcow2_write_back - what the top of this file says, with a flush at the end [lock]. */
int qcow2_write_back(struct blk *b, struct err *e);
/** qcow2_settle - the same, and refcounts that were postponed; no dirty bit remains [lock]. */
int qcow2_settle(struct blk *b, struct err *e);
/** qcow2_sync - flush the file, and the data file [any]. */
int qcow2_sync(struct blk *b, struct err *e);

/** qcow2_page_set_host - the page becomes that of another offset, or (0) empty; it is not changed [lock]. */
void qcow2_page_set_host(struct qcow2_page *p, uint64_t host);
static inline void qcow2_page_touch(struct qcow2_page *p)
{
    if (!__atomic_load_n(&p->touched, __ATOMIC_RELAXED)) /* most are: a shared line is not written for nothing */
        __atomic_store_n(&p->touched, true, __ATOMIC_RELAXED);
}

static inline uint32_t qcow2_page_begin(const struct qcow2_page *p)
{
    return __atomic_load_n(&p->seq, __ATOMIC_ACQUIRE);
}

static inline bool qcow2_page_valid(const struct qcow2_page *p, uint32_t seq)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return !(seq & 1) && __atomic_load_n(&p->seq, __ATOMIC_RELAXED) == seq;
}

static inline uint64_t qcow2_word(const struct qcow2_page *p, uint64_t i)
{
    return be64toh(__atomic_load_n(&p->data[i], __ATOMIC_RELAXED));
}

static inline void qcow2_set_word(struct qcow2_page *p, uint64_t i, uint64_t v)
{
    __atomic_store_n(&p->data[i], htobe64(v), __ATOMIC_RELAXED);
}

/* Reading and writing the image file: past its end there are zeros, and writes make it grow. */
int qcow2_pread(struct blk *b, uint64_t host, void *buf, uint64_t len, struct err *e);
int qcow2_pwrite(struct blk *b, uint64_t host, const void *buf, uint64_t len, struct err *e);

/* fmt_qcow2_clean.c ---------------------------------------------------------------------------- */

/** qcow2_clean_begin, qcow2_clean_end - pages of @b are cleaned every cache-clean-interval seconds. */
void qcow2_clean_begin(struct blk *b);
void qcow2_clean_end(struct blk *b);
/** qcow2_clean_page_made - one more page takes memory [lock]. */
void qcow2_clean_page_made(struct qcow2 *s);
/** qcow2_clean - now: pages that are as on the disk and were not used since the last time; returns how many. */
uint64_t qcow2_clean(struct blk *b);

/* fmt_qcow2_refcount.c [lock] -------------------------------------------------------------------- */

int qcow2_refcount_get(struct blk *b, uint64_t host, uint64_t *count, struct err *e);
/** qcow2_refcount_add - change the counts of all clusters of [host, host+len) by @by, -1 or 1. */
int qcow2_refcount_add(struct blk *b, uint64_t host, uint64_t len, int by, struct err *e);
/** qcow2_alloc - *@got (1..@want) neighbouring clusters, counted once; *@zeros: read as zeros. */
int qcow2_alloc(struct blk *b, uint64_t want, uint64_t *host, uint64_t *got, bool *zeros,
                struct err *e);
/** qcow2_alloc_bytes - room for @len bytes in neighbouring clusters; contents anything. */
int qcow2_alloc_bytes(struct blk *b, uint64_t len, uint64_t *host, struct err *e);
/** qcow2_free_now - nothing on the disk refers to it, or what does was flushed: free at once. */
int qcow2_free_now(struct blk *b, uint64_t host, uint64_t len, bool discard, struct err *e);
/** qcow2_unref - references of [host, host+len) that go away after the next write back. */
void qcow2_unref_later(struct blk *b, uint64_t host, uint64_t len, bool discard);
int qcow2_apply_unrefs(struct blk *b, struct err *e);
/** qcow2_get_count, qcow2_put_count - entry @i of a piece of refcount block. */
uint64_t qcow2_get_count(const void *block, unsigned order, uint64_t i);
void qcow2_put_count(void *block, unsigned order, uint64_t i, uint64_t v);
static inline uint64_t qcow2_refcount_max(const struct qcow2 *s)
{
    return UINT64_MAX >> (64 - (1u << s->h.refcount_order));
}
static inline unsigned qcow2_block_bits(const struct qcow2 *s) /* log2 of counts in a block */
{
    return s->cluster_bits + 3 - s->h.refcount_order;
}
int qcow2_reftable_load(struct blk *b, struct err *e);
/** qcow2_clusters_used - clusters of the file with a count, on the disk. */
uint64_t qcow2_clusters_used(struct blk *b);

/* fmt_qcow2_map.c ------------------------------------------------------------------------------ */

/* HOLE_STORED: a subcluster that was never written, in a cluster that has space. */
enum qcow2_kind {
    QCOW2_K_HOLE,
    QCOW2_K_HOLE_STORED,
    QCOW2_K_ZERO,
    QCOW2_K_ZERO_STORED,
    QCOW2_K_DATA,
    QCOW2_K_PACKED
};

/* struct qcow2_entry - an L2 entry as it stands in the table. */
struct qcow2_entry {
    uint64_t e, bitmap;
};

extern const struct blk_map_ops qcow2_map_ops;
/** qcow2_kind_of - what subcluster @sub (0 without extended L2) of an entry is. */
enum qcow2_kind qcow2_kind_of(const struct qcow2 *s, const struct qcow2_entry *l2, unsigned sub);
/** qcow2_packed_range - the bytes of compressed data that an entry refers to. */
void qcow2_packed_range(const struct qcow2 *s, uint64_t entry, uint64_t *host, uint64_t *len);
/** qcow2_entry_get, qcow2_entry_set - the entry of guest cluster @index [lock].  get gives zeros when there is
 *  no L2 table; set wants one of its own (qcow2_own_l2). */
int qcow2_entry_get(struct blk *b, uint64_t index, struct qcow2_entry *l2, struct err *e);
int qcow2_entry_set(struct blk *b, uint64_t index, const struct qcow2_entry *l2, struct err *e);
/** qcow2_own_l2 - an L2 table that only the active L1 refers to [lock]. */
int qcow2_own_l2(struct blk *b, uint64_t l1_index, struct err *e);
/** qcow2_drop_entry - what the entry referred to loses a reference [lock]. */
void qcow2_drop_entry(struct blk *b, const struct qcow2_entry *l2);
static inline uint64_t qcow2_l1_get(const struct qcow2 *s, uint64_t i)
{
    return __atomic_load_n(&s->l1[i], __ATOMIC_ACQUIRE);
}
void qcow2_l1_set(struct qcow2 *s, uint64_t i, uint64_t v);
/** qcow2_l1_entries - L1 entries that a disk of @size bytes needs. */
uint64_t qcow2_l1_entries(const struct qcow2 *s, uint64_t size);

/* fmt_qcow2_zero.c ----------------------------------------------------------------------------- */

int qcow2_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e);
int qcow2_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e);

/* fmt_qcow2_compress.c ------------------------------------------------------------------------- */

int qcow2_compress(struct blk *b, const void *in, size_t len, void *out, size_t *out_len,
                   struct err *e);
int qcow2_store_compressed(struct blk *b, uint64_t off, const void *data, size_t len,
                           struct err *e);
int qcow2_read_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                     void *buf, struct err *e);
int qcow2_write_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                      const void *buf, struct err *e);
void qcow2_workspaces_free(struct blk *b);

/* fmt_qcow2_corrupt.c -------------------------------------------------------------------------- */

/** qcow2_corrupt - the image contradicts itself: mark it, refuse writes from now on; returns -EIO. */
int qcow2_corrupt(struct blk *b, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** qcow2_check_writable - -EIO when it was marked. */
int qcow2_check_writable(struct blk *b, struct err *e);

/* fmt_qcow2_overlap.c -------------------------------------------------------------------------- */

/** qcow2_overlap_options - overlap-check=MODE, or .template=MODE and .main-header=on and its kin; NULL: cached. */
int qcow2_overlap_options(struct json_object *given, unsigned *mask, struct err *e);
/** qcow2_check_overlap - -EIO, and the image is marked, when [host, host+len) holds metadata.  @fresh: it was
 *  free a moment ago, so all is looked at [lock]; else only what costs nothing. */
int qcow2_check_overlap(struct blk *b, uint64_t host, uint64_t len, bool fresh, struct err *e);
/** qcow2_check_l2_overlap - the same when the L2 table at @table, about to be changed, is other metadata, too [lock]. */
int qcow2_check_l2_overlap(struct blk *b, uint64_t table, struct err *e);
/** qcow2_check_refblock_overlap - the same for a refcount block and what the header refers to [lock]. */
int qcow2_check_refblock_overlap(struct blk *b, uint64_t block, struct err *e);

/* fmt_qcow2_snapshot.c (the table), fmt_qcow2_snapshot_ops.c ------------------------------------- */

extern const struct blk_snapshot_ops qcow2_snapshot_ops;
int qcow2_snapshot_list(struct blk *b, struct blk_snapshot **list, struct err *e);
/** qcow2_snapshots_put - the table of @n rows as on the disk, malloc'd; *@bytes long. */
uint8_t *qcow2_snapshots_put(const struct qcow2_snapshot *list, uint32_t n, uint64_t *bytes);
/** qcow2_snapshot_l1 - the L1 table of a snapshot, @entries long, without COPIED flags; malloc'd. */
int qcow2_snapshot_l1(struct blk *b, const struct qcow2_snapshot *sn, uint64_t entries,
                      uint64_t **out, struct err *e);
/** qcow2_snapshots_store - the table anew [lock]. */
int qcow2_snapshots_store(struct blk *b, struct err *e);
int qcow2_make_empty(struct blk *b, struct err *e);
int qcow2_snapshots_load(struct blk *b, struct err *e);
void qcow2_snapshots_free(struct qcow2 *s);

/* fmt_qcow2_resize.c --------------------------------------------------------------------------- */

/** qcow2_check_size - -EFBIG when the tables for h->size would be too large. */
int qcow2_check_size(const struct qcow2_header *h, struct err *e);
/** qcow2_grow_l1 - an L1 table of at least @entries [lock]. */
int qcow2_grow_l1(struct blk *b, uint64_t entries, struct err *e);
/** qcow2_set_size - the size in the header and the tables for it. */
int qcow2_set_size(struct blk *b, uint64_t size, struct err *e);
/** qcow2_preallocate - space for all holes of [off, end). */
int qcow2_preallocate(struct blk *b, uint64_t off, uint64_t end, enum blk_prealloc mode,
                      struct err *e);
int qcow2_truncate(struct blk *b, uint64_t size, enum blk_prealloc mode, unsigned req,
                   struct err *e);

/* fmt_qcow2_bitmap.c, fmt_qcow2_bitmap_store.c ---------------------------------------------------- */

extern const struct blk_bitmap_ops qcow2_bitmap_ops;
/** qcow2_bitmaps_open - the directory. */
int qcow2_bitmaps_open(struct blk *b, struct err *e);
/** qcow2_bitmaps_store - what has changed to the disk, when closing [lock]. */
int qcow2_bitmaps_store(struct blk *b, struct err *e);
void qcow2_bitmaps_free(struct qcow2 *s);
/** qcow2_bitmaps_each_range - call @fn for all that the bitmaps on the disk take. */
int qcow2_bitmaps_each_range(struct blk *b, int (*fn)(void *, uint64_t, uint64_t, struct err *),
                             void *opaque, struct err *e);
/** qcow2_bitmaps_check_resize - may the size change?  Loads all.  qcow2_bitmaps_resize - to @size. */
int qcow2_bitmaps_check_resize(struct blk *b, struct err *e);
int qcow2_bitmaps_resize(struct blk *b, uint64_t size, struct err *e);
/** qcow2_bitmaps_record - a guest is going to change [off, off+len). */
int qcow2_bitmaps_record_slowly(struct blk *b, uint64_t off, uint64_t len, struct err *e);
static inline int qcow2_bitmaps_record(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    return __atomic_load_n(&qcow2_of(b)->recording, __ATOMIC_RELAXED)
               ? qcow2_bitmaps_record_slowly(b, off, len, e)
               : 0;
}

/* fmt_qcow2_check.c ------------------------------------------------------------------------------ */

int qcow2_check(struct blk *b, struct blk_check *res, unsigned fix, struct err *e);

/** qcow2_rebuild_refcounts - all counts anew, 2^@order bits wide [lock]. */
int qcow2_rebuild_refcounts(struct blk *b, uint32_t order, struct err *e);

/* fmt_qcow2_amend.c ------------------------------------------------------------------------------ */

extern const struct field qcow2_amend_fields[];
/* Options of new images that can be amended, too; their defaults only count when an image is made. */
#define QCOW2_LASTING_FIELDS(type, lazy_default, bits_default)                                                                  \
    FIELD(type, size, F_SIZE, "size", NULL, "Virtual disk size"),                                                               \
    FIELD(type, backing_file, F_STR, "backing_file", NULL, "File name of a base image"),                                        \
    FIELD(type, backing_fmt, F_STR, "backing_fmt", NULL, "Image format of the base image"),                                     \
    FIELD(type, data_file, F_STR, "data_file", NULL, "File name of an external data file"),                                     \
    FIELD(type, data_file_raw, F_BOOL, "data_file_raw", NULL, "The external data file must stay valid as a raw image"),         \
    FIELD(type, compat, F_STR, "compat", NULL, "Compatibility level (v2 [0.10] or v3 [1.1])"),                                  \
    FIELD(type, lazy_refcounts, F_BOOL, "lazy_refcounts", lazy_default, "Postpone refcount updates"),                           \
    FIELD(type, refcount_bits, F_U64, "refcount_bits", bits_default, "Width of a reference count entry in bits")
int qcow2_amend(struct blk *b, struct json_object *given, bool force, blk_progress *progress,
                void *opaque, struct err *e);
int qcow2_change_backing(struct blk *b, const char *file, const char *format, struct err *e);

/* fmt_qcow2_measure.c ---------------------------------------------------------------------------- */

/* struct qcow2_measure - what the size of an image depends on. */
struct qcow2_measure {
    unsigned cluster_bits, refcount_order;
    bool extended, whole; /* whole: space is allocated in advance */
    bool no_bitmaps;      /* version 2 has none */
    uint64_t crypt_len;
};
int qcow2_measure_image(const struct qcow2_measure *o, struct blk *src, uint64_t size,
                        struct blk_measure *m, struct err *e);

/* fmt_qcow2.c ------------------------------------------------------------------------------------ */

struct crypt_header qcow2_crypt_header(struct blk *b);

/* fmt_qcow2_create.c --------------------------------------------------------------------------- */

extern const struct blk_create_ops qcow2_create_ops;

#endif
