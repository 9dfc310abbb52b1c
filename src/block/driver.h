/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a driver is: a format (qcow2), a protocol (file, nbd) or a filter (throttle).
 *
 * A format is a map (struct blk_map_ops): it says where a range is and makes ranges writable.
 * Copying, zeroing, backing chains, alignment and request locking exist once, in io.c, zero.c and
 * status.c.  Protocols and filters move bytes themselves (struct blk_io_ops).
 *
 * A driver is one file or one family of files (fmt_qcow2.c, fmt_qcow2_*.c) and one row in drivers.def.
 */
#ifndef BLOCK_DRIVER_H
#define BLOCK_DRIVER_H

#include "base/bytes.h"
#include "block/block.h"
#include "block/env.h"
#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <pthread.h>

struct blk_driver;

/*
 * struct blk - one open node.  Drivers read all of it; the core writes it, except where said.
 * Locks, outermost first: ranges (requests wait for each other there), then whatever the driver
 * has.  A driver never calls blk_read and friends on its own node, only on @file and @backing.
 */
struct blk {
    const struct blk_driver *drv;
    struct blk_env *env;
    void *state;         /* drv->state_size bytes, zeroed before open; the driver's */
    struct blk *file;    /* formats and filters: what lies below; protocols: NULL */
    struct blk *backing; /* NULL: none, or not opened */
    uint64_t size;       /* bytes [atomic]; set by open, changed by truncate, both in the driver */
    uint32_t align;      /* protocols: requests must be multiples of it (O_DIRECT); else 1 */
    uint64_t cluster;    /* formats: unit of allocation, bytes, power of two; 0: none */
    unsigned flags;      /* enum blk_flags */
    bool probed_raw;     /* format guessed: writing a format's magic to sector 0 is refused */
    bool coded;          /* set by open: data passes read_coded and write_coded (encryption) */
    char *node_name;     /* or NULL */
    char *filename;      /* plain name, or NULL when only json:{...} can say it */
    struct json_object *options; /* what it was opened with, children as objects */
    char *backing_file;    /* formats, set by open: as written in the image, owned by the node */
    char *backing_format;  /* the same; NULL: probe */
    struct blk_core *core; /* io.c's: range locks, counters */
};

/* Where a piece of the virtual disk is. */
enum blk_where {
    BLK_HOLE,  /* not decided here: backing file, or zeros without one */
    BLK_ZEROS, /* reads as zeros */
    BLK_DATA,  /* at @host in @file */
    BLK_CODED, /* only read_coded can read it: compressed */
};

/* struct blk_extent - an answer of map and alloc. */
struct blk_extent {
    enum blk_where where;
    uint64_t off, len;  /* of the virtual disk; map: off is what was asked; alloc: see there */
    struct blk *file;   /* BLK_DATA; NULL means b->file */
    uint64_t host;      /* BLK_DATA: offset in @file of the byte at @off */
    bool in_place;      /* BLK_DATA: may be overwritten without alloc (not shared by a snapshot) */
    bool look_below;    /* BLK_DATA: perhaps never written; status asks @file for its holes */
    bool zero_stored;   /* BLK_ZEROS, BLK_HOLE: has space in the file all the same */
    bool fresh;         /* alloc: new space, see there */
    bool reads_zero;    /* alloc, fresh: what is not written of it reads as zeros already */
    uint64_t cookie[4]; /* the driver's own, from map to read_coded, from alloc to commit */
};

struct blk_map_ops {
    /**
     * map - what is at @off.  Returns 0 with x->off == @off and 1 <= x->len <= @len, as long a run
     * as is known cheaply.  Never fills a gap with guesses: a table entry that contradicts the
     * image is -EIO.  @off + @len <= b->size.
     */
    int (*map)(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e);

    /**
     * alloc - make the beginning of [@off, @off+@len) writable.  The core holds the range lock of
     * all clusters touched.  Returns 0 and one of
     *   x->fresh == false: x is as from map, in_place: the core writes there, no commit follows;
     *   x->fresh == true: new space for x->off..x->off+x->len, cluster-aligned around @off
     *     (x->off <= @off < x->off + x->len; only at the disk's end it may pass b->size).  The core writes
     *     all of it (old contents around the request), or only the request if reads_zero and
     *     the rest reads as zeros, then calls commit, or abort when writing failed.
     * -ENOSPC and others leave the image as it was, at most with leaked space.
     */
    int (*alloc)(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e);
    int (*commit)(struct blk *b, const struct blk_extent *x, struct err *e);
    void (*abort)(struct blk *b, const struct blk_extent *x);

    /* write_coded may be NULL when b->coded is never set. */
    /** read_coded, write_coded - bytes of one extent, when b->coded or BLK_CODED; @off is of the
     *  virtual disk and inside @x. write_coded only ever gets BLK_DATA extents. */
    int (*read_coded)(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                      void *buf, struct err *e);
    int (*write_coded)(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                       const void *buf, struct err *e);

    /** zero - whole clusters to zeros; -ENOTSUP: the core writes zeros.  discard - whole clusters
     *  given up.  NULL: not supported.  Only called with cluster-aligned ranges (or to the end). */
    int (*zero)(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e);
    int (*discard)(struct blk *b, uint64_t off, uint64_t len, struct err *e);

    /** release - host space given up by blk_limbo_add may be used again: nobody looks at it. */
    int (*release)(struct blk *b, uint64_t host, uint64_t len, struct err *e);

    /** compress - pure and parallel: *@out_len is at most @len - 1, or -ENOMEM "does not shrink"
     *  (1 returned).  store_compressed - put the result at cluster @off.  NULL: no compression. */
    int (*compress)(struct blk *b, const void *in, size_t len, void *out, size_t *out_len,
                    struct err *e);
    int (*store_compressed)(struct blk *b, uint64_t off, const void *data, size_t len,
                            struct err *e);
};

/* struct blk_piece - one of several reads that are given to the host together. */
struct blk_piece {
    uint64_t off;
    struct iovec iov;
};
enum { BLK_PIECES = 32 }; /* at most */

struct blk_io_ops {
    /* The @iov's total length is the request's; b->align divides offset and length. */
    int (*readv)(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e);
    int (*writev)(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                  struct err *e);
    /** read_pieces - @n reads at once, in any order.  NULL: one by one. */
    int (*read_pieces)(struct blk *b, const struct blk_piece *p, int n, struct err *e);
    int (*zero)(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e);
    int (*discard)(struct blk *b, uint64_t off, uint64_t len, struct err *e);
    /** status - as blk_status; NULL: all is allocated data. */
    int (*status)(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s, struct err *e);
    int (*copy_range)(struct blk *src, uint64_t src_off, struct blk *dst, uint64_t dst_off,
                      uint64_t len, unsigned req, struct err *e);
    int64_t (*disk_size)(struct blk *b);
};

struct blk_snapshot_ops {
    int (*list)(struct blk *b, struct blk_snapshot **list, struct err *e);
    int (*create)(struct blk *b, const struct blk_snapshot *s, struct err *e);
    int (*apply)(struct blk *b, const char *id_or_name, struct err *e);
    int (*remove)(struct blk *b, const char *id, const char *name, struct err *e);
    int (*load)(struct blk *b, const char *id_or_name, struct err *e);
    int (*vmstate_read)(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e);
    int (*vmstate_write)(struct blk *b, uint64_t off, uint64_t len, const void *buf, struct err *e);
};

/* struct blk_bitmap_ops - persistent bitmaps: as blk_bitmap_* of block.h; nothing else runs on the
 * node meanwhile, except next.  mark - make [@off, @off+@len) dirty, rounded to granules. */
struct blk_bitmap_ops {
    int (*list)(struct blk *b, struct blk_bitmap **list, struct err *e);
    int (*add)(struct blk *b, const char *name, uint64_t granularity, bool enabled, struct err *e);
    int (*remove)(struct blk *b, const char *name, struct err *e);
    int (*clear)(struct blk *b, const char *name, struct err *e);
    int (*enable)(struct blk *b, const char *name, bool enabled, struct err *e);
    int (*next)(struct blk *b, const char *name, uint64_t off, uint64_t *start, uint64_t *len,
                struct err *e);
    int (*mark)(struct blk *b, const char *name, uint64_t off, uint64_t len, struct err *e);
};

/* struct blk_create_ops - making images of a format (or files of a protocol). */
struct blk_create_ops {
    const struct field *opts; /* in the order of the "Formatting" line; help sorts by name */
    size_t opts_size;         /* of the structure that @opts describes */
    /** create - @o is that structure, filled; @protocol: what the table did not know (or NULL), for the
     *  protocol below.  Creates the file with blk_create_file and writes the format into it. */
    int (*create)(struct blk_env *env, const char *filename, void *o, struct json_object *protocol,
                  struct err *e);
    int (*measure)(struct blk_env *env, const void *o, struct blk *src, uint64_t size,
                   struct blk_measure *m, struct err *e);
    const struct field *amend_opts; /* NULL: "does not support option amendment" */
    int (*amend)(struct blk *b, struct json_object *given, bool force, blk_progress *progress,
                 void *opaque, struct err *e);
};

/* What is done to a file, and what others may not do meanwhile (bits of image locks). */
enum blk_perm {
    BLK_PERM_READ = 1 << 0,
    BLK_PERM_WRITE = 1 << 1,
    BLK_PERM_RESIZE = 1 << 3,
};

/* struct blk_debug_ops - a filter that follows what happens above it: blkdebug.  Any thread. */
struct blk_debug_ops {
    /** event - @name is about to happen; may make the caller wait for resume.  Locks of drivers above may be held. */
    void (*event)(struct blk *b, const char *name);
    /* As blk_debug_* of block.h. */
    int (*set_break)(struct blk *b, const char *event, const char *tag, blk_debug_told *told, void *opaque);
    int (*remove_break)(struct blk *b, const char *tag);
    int (*resume)(struct blk *b, const char *tag);
    bool (*suspended)(struct blk *b, const char *tag);
};

enum blk_kind { BLK_FORMAT, BLK_PROTOCOL, BLK_FILTER };

struct blk_driver {
    const char *name;
    const char *help; /* one line */
    enum blk_kind kind;
    bool backing;  /* images may have a backing file */
    bool no_probe; /* only by its name, never guessed */
    bool no_info;  /* protocols: nothing is known of the file but its size */
    bool no_file;  /* formats without a "file" child (vvfat) */
    const char *child; /* the option that names @file; NULL: "file" */
    size_t state_size;
    const struct field *open_opts; /* beyond those of every node (node.h); NULL: none */
    const char *const *how; /* those of them, or their first parts, that do not say which bytes the disk has; NULL: none */
    const char *const *prefixes;   /* protocols: "nbd", "nbd+unix", "https": NULL-terminated */

    /** probe - 0 (no) to 100 (surely) for the first @len (up to 2048) bytes of a file. */
    int (*probe)(const uint8_t *head, size_t len, const char *filename);
    /** parse_name - protocols: fill @opts from "prefix:..." names. */
    int (*parse_name)(const char *name, struct json_object *opts, struct err *e);
    /** make_name - the plain name that the options can be written as, malloc'd, or NULL. */
    char *(*make_name)(struct blk *b);
    /**
     * open - formats: b->file is open.  @opts holds this node's options: take yours with
     * fields_take; what stays is refused by the core.  Sets size, cluster, backing_file, backing_format.
     */
    int (*open)(struct blk *b, struct json_object *opts, struct err *e);
    /** claim - protocols: lock against other programs.  Comes once the node above is known, before
     *  it reads; again, with more, when another node opens on this one.  -EAGAIN: somebody is there. */
    int (*claim)(struct blk *b, unsigned held, unsigned unshared, struct err *e);
    /** view_fd - the host's file whose offsets are this node's, for mmap; -1: not now.  NULL: none. */
    int (*view_fd)(const struct blk *b);
    /** close - write back what is cached and mark the image clean; frees; cannot be repeated. */
    int (*close)(struct blk *b, struct err *e);
    int (*flush)(struct blk *b,
                 struct err *e); /* write back caches; the core flushes b->file after */
    int (*truncate)(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                    struct err *e);
    int (*info)(struct blk *b, struct blk_info *i, struct err *e);
    int64_t (*disk_size)(struct blk *b); /* formats of more files than @file; else NULL */
    int (*check)(struct blk *b, struct blk_check *c, unsigned fix, struct err *e);
    int (*change_backing)(struct blk *b, const char *file, const char *format, struct err *e);
    int (*make_empty)(struct blk *b, struct err *e);
    const struct blk_map_ops *map;
    const struct blk_io_ops *io;
    const struct blk_snapshot_ops *snapshots;
    const struct blk_bitmap_ops *bitmaps;
    const struct blk_create_ops *create;
    const struct blk_debug_ops *debug; /* NULL: events pass */
};

/** blk_event - for formats: @name, a word of filter_blkdebug.c, is about to happen on @file. */
static inline void blk_event(struct blk *file, const char *name)
{
    for (; file; file = file->file)
        if (file->drv->debug)
            file->drv->debug->event(file, name);
}

extern const struct blk_driver *const blk_drivers[]; /* NULL-terminated, sorted by name */
const struct blk_driver *blk_driver_find(const char *name);
/** blk_driver_near - the name that @name was probably meant to be, or NULL. */
const char *blk_driver_near(const char *name);
/** blk_driver_probe - the driver for a head of @len bytes; never NULL (raw). */
const struct blk_driver *blk_driver_probe(const uint8_t *head, size_t len, const char *filename);

/**
 * blk_limbo_add - host space that alloc, commit, zero, discard or store_compressed gave up.  Reads that began
 * earlier may still be looking at it, so it must not be used again before the core calls release.
 * Any thread; the driver's locks may be held.
 */
void blk_limbo_add(struct blk *b, uint64_t host, uint64_t len);

/** blk_copy_up - what [@off, @off+@len) shows of @b's backing file is written into @b itself. */
int blk_copy_up(struct blk *b, uint64_t off, uint64_t len, struct err *e);

/** blk_protocol_of - the protocol that @filename names ("nbd://...", a plain path); NULL with @e. */
const struct blk_driver *blk_protocol_of(const char *filename, struct err *e);

/* For create functions of formats ------------------------------------------------------------- */

/** blk_create_file - make the file @filename (any protocol) of @size bytes, and open it for writing.
 *  @protocol: options for it, borrowed, or NULL.  An existing file is truncated. */
struct blk *blk_create_file(struct blk_env *env, const char *filename, uint64_t size,
                            struct json_object *protocol, struct err *e);

/** blk_open_on - open format @drv on @file (a reference is taken over): create functions that go on
 *  with the ordinary write path. */
struct blk *blk_open_on(struct blk *file, const char *driver, struct json_object *opts,
                        unsigned flags, struct err *e);

/* For open functions: a further child besides "file": option @name of @opts (an object, a node's name) or,
 * when there is none, the file @filename (relative to b's folder).  NULL with @e. */
struct blk *blk_open_child(struct blk *b, struct json_object *opts, const char *name,
                           const char *filename, const char *driver, unsigned flags, struct err *e);

/** blk_relative_name - @name as seen from the folder of @base, malloc'd: absolute names and names with
 *  a protocol stay as they are. */
char *blk_relative_name(const char *base, const char *name);

/** blk_alloc_foreign - malloc for a size that an image chose: NULL with -EFBIG in @e when over
 *  @max, -ENOMEM when the host has no more.  Zeroed. */
void *blk_alloc_foreign(uint64_t size, uint64_t max, const char *what, struct err *e);

/** blk_check_say - one line of what a check finds. */
void blk_check_say(struct blk_check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** blk_random - @len bytes that nobody can guess; blk_new_uuid - 16 of them, RFC 4122 version 4. */
void blk_random(void *buf, size_t len);
void blk_new_uuid(uint8_t uuid[16]);

#endif
