/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk images, for those who use them: open a node, read and write it, ask what is where.
 *
 * A node is one layer: a format on top of a protocol, perhaps with a backing file below, or a
 * filter.  All functions block, and all may be called from any thread at any time between open and
 * close; two writes that overlap happen in some order, whole.
 *
 * Everywhere: offsets and lengths are bytes of the node's virtual disk, any alignment; results are
 * 0 or a negative errno with @e filled once; a range past the end is -EIO (reading and writing).
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct blk;
struct blk_env;
struct json_object;

/* Opening flags. */
enum blk_flags {
    BLK_RDWR = 1 << 0,            /* else nothing is written, not even by repairs */
    BLK_RESIZE = 1 << 1,          /* blk_truncate will be called */
    BLK_NO_BACKING = 1 << 2,      /* do not open the backing file: holes stay holes */
    BLK_NO_IO = 1 << 3,           /* only look: encrypted images need no secret */
    BLK_DIRECT = 1 << 4,          /* O_DIRECT */
    BLK_NO_FLUSH = 1 << 5,        /* cache=unsafe: flushes do nothing */
    BLK_WRITE_THROUGH = 1 << 6,   /* a flush after each write */
    BLK_UNMAP = 1 << 7,           /* discard=unmap: discards reach the host */
    BLK_SHARE = 1 << 8,           /* -U: look even while another process writes */
    BLK_CHECK = 1 << 9,           /* for check and repair: open even when marked corrupt */
    BLK_NATIVE_AIO = 1 << 10,     /* aio=native */
    BLK_IO_URING = 1 << 11,       /* aio=io_uring */
    BLK_PROBE_RAW_OK = 1 << 12,   /* no warning when the probe finds nothing but raw */
    BLK_AUTO_READ_ONLY = 1 << 13, /* fall back to reading only, instead of failing */
    BLK_DETECT_ZEROES = 1 << 14,  /* writes of zeros become blk_zero */
    BLK_DETECT_UNMAP = 1 << 15,   /* the same, with BLK_REQ_UNMAP */
    BLK_COPY_ON_READ = 1 << 16,
    BLK_EXCLUSIVE = 1 << 17, /* others may look, but nobody may write or resize meanwhile */
};

/* Request flags. */
enum blk_req {
    BLK_REQ_FUA = 1 << 0,         /* on the disk when it returns */
    BLK_REQ_UNMAP = 1 << 1,       /* blk_zero: giving space back is welcome */
    BLK_REQ_NO_FALLBACK = 1 << 2, /* blk_zero: -ENOTSUP rather than writing zeros slowly */
    BLK_REQ_EXACT = 1 << 3,       /* blk_truncate: to this size exactly, or fail */
    BLK_REQ_ZERO = 1 << 4,        /* blk_truncate: the new part reads as zeros */
};

enum { BLK_MAX_IO = 64 << 20 }; /* bytes of one request; larger ones are cut by blk_* themselves */

/* blk_prealloc - how much of an image is allocated in advance. */
enum blk_prealloc {
    BLK_PREALLOC_OFF,
    BLK_PREALLOC_METADATA,
    BLK_PREALLOC_FALLOC,
    BLK_PREALLOC_FULL
};
extern const char *const blk_prealloc_names[];

/**
 * blk_open - open an image.
 * @filename: a path, "driver:...", "nbd://...", "json:{...}", or NULL
 * @opts: options as a tree ("driver", "file.filename", "backing", ...: `schema/keyval.h`), or NULL;
 *        taken over, also on failure
 *
 * Without "driver" the format is probed.  Unknown options are refused.  Returns a reference, or NULL.
 * The message names the file: "Could not open 'x.qcow2': ...".
 */
struct blk *blk_open(struct blk_env *env, const char *filename, struct json_object *opts,
                     unsigned flags, struct err *e);

/** blk_open_bytes - @len bytes in memory (copied), seen through the format @driver: for tests, fuzz
 *  targets and snapshots of foreign data.  Writes go to memory. */
struct blk *blk_open_bytes(struct blk_env *env, const char *driver, const void *bytes, size_t len,
                           unsigned flags, struct err *e);

/** blk_ref, blk_close - references; the last close flushes, and reports what the flush reports. */
struct blk *blk_ref(struct blk *b);
int blk_close(struct blk *b, struct err *e);

uint64_t blk_size(const struct blk *b);
const char *
blk_filename(const struct blk *b); /* as the user may say it again; json:{...} at need */
/** blk_place - the name of the file that all layers of @b lie on: what an image names is relative to its folder; or NULL. */
const char *blk_place(const struct blk *b);
const char *blk_driver_name(const struct blk *b); /* "qcow2" */
unsigned blk_flags(const struct blk *b);
struct blk *blk_backing(const struct blk *b); /* borrowed, or NULL */
struct blk *blk_file(const struct blk *b);    /* borrowed, or NULL */

int blk_read(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e);
int blk_write(struct blk *b, uint64_t off, uint64_t len, const void *buf, unsigned req,
              struct err *e);
int blk_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e);
int blk_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
               struct err *e);

/** blk_zero - make a range read as zeros, cheaply where the layer can. */
int blk_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e);

/** blk_discard - give a range up: reads afterwards give zeros or what was there. */
int blk_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e);

/** blk_flush - everything written before this call is on the disk when it returns. */
int blk_flush(struct blk *b, struct err *e);

/* What is counted; blk_zero counts as a write. */
enum blk_counted { BLK_COUNT_READ, BLK_COUNT_WRITE, BLK_COUNT_FLUSH, BLK_COUNTS };
/* struct blk_stats - requests that have not failed, their bytes; time of all; how many were done in one with a neighbour; time since the last. */
struct blk_stats {
    struct {
        uint64_t bytes, requests, merged, ns;
    } of[BLK_COUNTS];
    uint64_t idle_ns; /* 0: there was none */
};
/** blk_count - count from now on; before the first request.  blk_get_stats - zeros when nobody counts. */
void blk_count(struct blk *b);
void blk_get_stats(const struct blk *b, struct blk_stats *s);
/** blk_count_merged - the request before this was @n + 1 of the guest's. */
void blk_count_merged(struct blk *b, enum blk_counted what, unsigned n);

/** blk_truncate - a new size; new space reads as zeros. */
int blk_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                 struct err *e);

/**
 * blk_write_compressed - store a cluster compressed: @off a multiple of the cluster size, @len one
 * cluster (less only at the end of the disk).  -ENOTSUP when the format has no compression; data that
 * does not shrink is written as it is.  From many threads: compression runs in parallel.
 */
int blk_write_compressed(struct blk *b, uint64_t off, uint64_t len, const void *buf, struct err *e);

/**
 * blk_compress, blk_store_compressed - the two halves of blk_write_compressed, for those who want the
 * clusters of many threads in order.  blk_compress needs no lock: @out has room for a cluster;
 * returns 1 and *@out_len 0 when the data does not shrink: then it is written as it is.
 */
int blk_compress(struct blk *b, uint64_t len, const void *buf, void *out, size_t *out_len,
                 struct err *e);
int blk_store_compressed(struct blk *b, uint64_t off, uint64_t len, const void *data,
                         size_t data_len, struct err *e);

/** blk_copy_range - copy on the host (copy_file_range) without looking; -ENOTSUP when it cannot. */
int blk_copy_range(struct blk *src, uint64_t src_off, struct blk *dst, uint64_t dst_off,
                   uint64_t len, unsigned req, struct err *e);

/* struct blk_status - what is known of @len bytes from the asked offset on. */
struct blk_status {
    uint64_t len;   /* > 0 unless the offset is the end */
    bool allocated; /* decided by this layer, not by its backing file */
    bool zero;      /* reads as zeros */
    bool data;      /* has bytes somewhere; false with zero: nothing stored */
    bool compressed;
    bool has_host; /* @host and @file say where, byte for byte */
    uint64_t host;
    struct blk *file; /* borrowed: the node that @host is an offset of */
    int depth;        /* 0: this node, 1: its backing file, ... */
    bool eof;         /* the layer that decided ends here */
    bool beyond;      /* blk_status_above: the backing file below @depth ends before: zeros */
};

/** blk_status - one layer.  blk_status_above - the first layer between @b and @base (excluded;
 *  NULL: the whole chain) that decides. */
int blk_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s, struct err *e);
int blk_status_above(struct blk *b, struct blk *base, uint64_t off, uint64_t len,
                     struct blk_status *s, struct err *e);

/*
 * struct blk_view - a window on a host file's bytes where the host caches them: nothing is copied.  Zeroed
 * before its first use, of one thread.  When the file becomes shorter or its disk fails, touching the bytes
 * is a SIGBUS, which blk_view_touch turns into false, and giving them to a system call is EFAULT: then
 * blk_read says what is wrong.
 */
struct blk_view {
    struct blk *b; /* borrowed */
    void *map;
    uint64_t off, len;
};
/** blk_can_view - can this node be looked at?  (Files, unless opened with O_DIRECT.) */
bool blk_can_view(const struct blk *b);
/** blk_plain_files - is there no filter in the chain, which wants to see (and may fail) each read? */
bool blk_plain_files(const struct blk *b);
/** blk_view_at - [off, off+len) of the file node @b (struct blk_status's file and host), good until the
 *  next call; NULL: read it. */
const void *blk_view_at(struct blk_view *v, struct blk *b, uint64_t off, uint64_t len);
void blk_view_end(struct blk_view *v);
/** blk_view_begin - once, before blk_view_touch: SIGBUS is ours from now on. */
void blk_view_begin(void);
/** blk_view_touch - run @look, which only reads memory; false: it could not see all of it. */
bool blk_view_touch(void (*look)(void *opaque), void *opaque);

/* struct blk_info - what `qemu-img info` tells of one node. */
struct blk_info {
    char *backing_file;    /* as written in the image, owned, or NULL */
    char *backing_format;  /* owned, or NULL */
    uint64_t cluster_size; /* 0: none */
    uint64_t vm_state_off; /* where internal snapshots keep the machine's state; 0: nowhere */
    bool has_dirty;        /* @dirty is known */
    bool dirty, encrypted, compressed;
    bool can_write_zeroes, unmaps_zeroes;
    bool bare; /* the format has nothing to say: not even that it is clean */
    struct json_object
        *specific; /* the format's own part, keys as in JSON output, or NULL; owned */
};
int blk_get_info(struct blk *b, struct blk_info *i, struct err *e);
void blk_info_free(struct blk_info *i);

/** blk_disk_size - bytes that the image takes on the host, or -ENOTSUP; the sum of all its files. */
int64_t blk_disk_size(struct blk *b);

/* Checking.  Counters are added to; messages go to @line, one line each without newline. */
struct blk_check {
    uint64_t corruptions, leaks, check_errors;
    uint64_t corruptions_fixed, leaks_fixed;
    uint64_t image_end_offset; /* 0: unknown */
    uint64_t total_clusters, allocated_clusters, fragmented_clusters, compressed_clusters;
    void (*line)(void *opaque, const char *text); /* never NULL */
    void *opaque;
};
enum blk_fix { BLK_FIX_LEAKS = 1, BLK_FIX_ERRORS = 2 };
/** blk_check - -ENOTSUP when the format has no check; 0 when the check ran, whatever it found. */
int blk_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e);

/* Internal snapshots. */
struct blk_snapshot {
    char id[128], name[256];
    uint64_t vm_state_size;
    uint64_t date_sec, date_nsec;
    uint64_t vm_clock_nsec;
    uint64_t icount; /* UINT64_MAX: not recorded */
    uint64_t disk_size;
};
/** blk_snapshot_list - a new array in *@list (free()), or -ENOTSUP; returns the number. */
int blk_snapshot_list(struct blk *b, struct blk_snapshot **list, struct err *e);
int blk_snapshot_create(struct blk *b, const struct blk_snapshot *s, struct err *e);
int blk_snapshot_apply(struct blk *b, const char *id_or_name, struct err *e);
int blk_snapshot_delete(struct blk *b, const char *id, const char *name, struct err *e);
/** blk_snapshot_load - show a read-only node's snapshot instead of its present. */
int blk_snapshot_load(struct blk *b, const char *id_or_name, struct err *e);
/** blk_vmstate_read, blk_vmstate_write - the machine's state beyond the disk's end. */
int blk_vmstate_read(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e);
int blk_vmstate_write(struct blk *b, uint64_t off, uint64_t len, const void *buf, struct err *e);

/*
 * Persistent dirty bitmaps: which granules of the disk were written since somebody looked.  Names are
 * unique in an image; -ENOENT "Dirty bitmap 'x' not found", -EEXIST "Bitmap already exists: x",
 * -ENOTSUP when the format has none.  An inconsistent one can only be removed.
 */
struct blk_bitmap {
    char name[1024];
    uint64_t granularity; /* bytes a bit stands for */
    bool enabled;         /* records writes ("auto") */
    bool inconsistent;    /* in use when its writer ended badly */
};
/** blk_bitmap_list - a new array in *@list (free()); returns the number. */
int blk_bitmap_list(struct blk *b, struct blk_bitmap **list, struct err *e);
/** blk_bitmap_add - empty; @granularity 0: the format's default. */
int blk_bitmap_add(struct blk *b, const char *name, uint64_t granularity, bool enabled,
                   struct err *e);
int blk_bitmap_remove(struct blk *b, const char *name, struct err *e);
int blk_bitmap_clear(struct blk *b, const char *name, struct err *e);
int blk_bitmap_enable(struct blk *b, const char *name, bool enabled, struct err *e);
/** blk_bitmap_next - the first dirty run at or after @off: 1 with *@start and *@len (bytes, granular,
 *  cut at the disk's end), 0: no more. */
int blk_bitmap_next(struct blk *b, const char *name, uint64_t off, uint64_t *start, uint64_t *len,
                    struct err *e);
/** blk_bitmap_merge - what is dirty in @src's bitmap becomes dirty in @b's, too. */
int blk_bitmap_merge(struct blk *b, const char *name, struct blk *src, const char *src_name,
                     struct err *e);

/* Changing what is written about the image. */
int blk_change_backing(struct blk *b, const char *file, const char *format, struct err *e);
/** blk_make_empty - drop all that this layer has allocated: holes show the backing file. */
int blk_make_empty(struct blk *b, struct err *e);

/* Progress of long work; @done and @total in any unit, monotonic.  May be NULL everywhere. */
typedef void blk_progress(void *opaque, uint64_t done, uint64_t total);

/** blk_create - make an image.
 *  @opts: the create options ("size": ..., "cluster_size": ..., all text); taken over */
int blk_create(struct blk_env *env, const char *driver, const char *filename,
               struct json_object *opts, struct err *e);

/** blk_amend - change create options of an existing image; @opts taken over. */
int blk_amend(struct blk *b, struct json_object *opts, bool force, blk_progress *progress,
              void *opaque, struct err *e);

/** blk_measure - bytes that @driver with @opts (borrowed) needs for @size bytes, or for @src's data. */
struct blk_measure {
    uint64_t required, fully_allocated;
    uint64_t bitmaps; /* valid when has_bitmaps */
    bool has_bitmaps;
};
int blk_measure(struct blk_env *env, const char *driver, struct json_object *opts, struct blk *src,
                uint64_t size, struct blk_measure *m, struct err *e);

/* Breakpoints of blkdebug, wherever it stands below @b: a request that comes to @event waits until it is resumed; once.
 * -EOPNOTSUPP: there is no blkdebug; -ENOENT: no such event, or nothing has that tag.  @told is called when
 * a request is suspended and resumed, on its thread or the resuming one. */
typedef void blk_debug_told(void *opaque, const char *tag, bool suspended);
int blk_debug_break(struct blk *b, const char *event, const char *tag, blk_debug_told *told, void *opaque);
int blk_debug_remove_break(struct blk *b, const char *tag);
int blk_debug_resume(struct blk *b, const char *tag);
int blk_debug_suspended(struct blk *b, const char *tag); /* 1, 0, or -EOPNOTSUPP */

#endif
