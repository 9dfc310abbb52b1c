/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-io: open, close, reopen, truncate, length, info, map, alloc, flush. */
#include "app/io/io.h"

#include "block/driver.h"
#include "block/node.h"
#include "schema/keyval.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Opening ------------------------------------------------------------------------------------------ */

/* Close the image, but keep what -s made. */
static int close_top(struct io *io)
{
    struct err e = {0};
    int r = 0;

    io_drain(io);
    if (io->b && blk_close(io->b, &e) < 0)
        r = -storage_fail(&e);
    io->b = NULL;
    return r;
}

int io_close(struct io *io)
{
    struct err e = {0};
    int r = close_top(io);

    if (io->base && blk_close(io->base, &e) < 0)
        r = -storage_fail(&e);
    io->base = NULL;
    if (io->snapshot)
        unlink(io->snapshot);
    free(io->snapshot);
    free(io->name);
    json_object_put(io->opts);
    io->snapshot = io->name = NULL;
    io->opts = NULL;
    return r;
}

static struct json_object *copy_of(struct json_object *o)
{
    struct json_object *copy = NULL;

    if (json_object_deep_copy(o, &copy, NULL) < 0)
        fatal("out of memory");
    return copy;
}

/* -s: a temporary qcow2 file as large as io->base. */
static int make_overlay(struct io *io, struct err *e)
{
    const char *dir = getenv("TMPDIR");
    struct json_object *opts = json_object_new_object();
    char size[32];
    int fd;

    if (asprintf(&io->snapshot, "%s/qemu-io.XXXXXX", dir ? dir : "/var/tmp") < 0)
        fatal("out of memory");
    if ((fd = mkstemp(io->snapshot)) < 0) {
        err_set(e, -errno, "Could not create temporary file '%s': %s", io->snapshot,
                strerror(errno));
        json_object_put(opts);
        return e->code;
    }
    close(fd);
    snprintf(size, sizeof(size), "%" PRIu64, blk_size(io->base));
    json_object_object_add(opts, "size", json_object_new_string(size));
    return blk_create(io->env, "qcow2", io->snapshot, opts, e);
}

/* The overlay on io->base, which stays as it is; @opts, taken over, are the user's of a reopen. */
static struct blk *open_overlay(struct io *io, struct json_object *opts, unsigned flags, struct err *e)
{
    keyval_set(opts, "driver", json_object_new_string("qcow2"), e);
    keyval_set(opts, "backing", json_object_new_string(io->base->node_name), e);
    return blk_open(io->env, io->snapshot, opts, flags, e);
}

static struct blk *open_on_overlay(struct io *io, const char *name, struct json_object *opts, unsigned flags,
                                   struct err *e)
{
    struct blk *b = NULL;

    if (!json_object_object_get_ex(opts, "node-name", NULL)) /* the overlay asks for it by name */
        json_object_object_add(opts, "node-name", json_object_new_string("#snapshot-base"));
    if (!(io->base = blk_open(io->env, name, opts, flags & ~BLK_RDWR, e)))
        return NULL;
    if (make_overlay(io, e) < 0 || !(b = open_overlay(io, json_object_new_object(), flags, e))) {
        struct err why = *e;

        io_close(io);
        *e = why;
    }
    return b;
}

int io_open(struct io *io, const char *name, struct json_object *opts, unsigned flags,
            bool snapshot)
{
    struct json_object *kept;
    struct err e = {0};
    struct blk *b;

    if (io->b) {
        fprintf(stderr, "%s: file open already, try 'help close'\n", storage_name);
        json_object_put(opts);
        return -1;
    }
    kept = snapshot ? json_object_new_object() : copy_of(opts);
    b = snapshot ? open_on_overlay(io, name, opts, flags, &e) : blk_open(io->env, name, opts, flags, &e);
    if (!b) {
        err_wrap(&e, e.code, "can't open%s%s", name ? " device " : "", name ? name : "");
        json_object_put(kept);
        return -storage_fail(&e);
    }
    io->b = b;
    io->flags = flags;
    io->name = name && !snapshot ? strdup(name) : NULL;
    io->opts = kept;
    if (!name || strncmp(name, "json:", 5)) /* what was guessed once stays */
        json_object_object_add(kept, "driver", json_object_new_string(blk_driver_name(b)));
    return 0;
}

static int aio_flags(const char *mode, unsigned *flags, struct err *e)
{
    *flags &= ~(BLK_NATIVE_AIO | BLK_IO_URING);
    if (!strcmp(mode, "native"))
        *flags |= BLK_NATIVE_AIO;
    else if (!strcmp(mode, "io_uring"))
        *flags |= BLK_IO_URING;
    else if (strcmp(mode, "threads"))
        return err_set(e, -EINVAL, "Invalid aio option: %s", mode);
    return 0;
}

static int discard_flags(const char *mode, unsigned *flags, struct err *e)
{
    *flags &= ~BLK_UNMAP;
    if (!strcmp(mode, "unmap") || !strcmp(mode, "on"))
        *flags |= BLK_UNMAP;
    else if (strcmp(mode, "ignore") && strcmp(mode, "off"))
        return err_set(e, -EINVAL, "Invalid discard option: %s", mode);
    return 0;
}

int io_flag_option(int letter, const char *value, unsigned *flags, struct err *e)
{
    switch (letter) {
    case 'r': *flags &= ~BLK_RDWR; return 0;
    case 'C': *flags |= BLK_COPY_ON_READ; return 0;
    case 'U': *flags |= BLK_SHARE; return 0;
    case 'n': return storage_cache_flags("none", flags, e);
    case 't': return storage_cache_flags(value, flags, e);
    case 'k': return aio_flags("native", flags, e);
    case 'i': return aio_flags(value, flags, e);
    default: return discard_flags(value, flags, e);
    }
}

static int run_open(struct io *io, const struct io_command *c, int argc, char **argv)
{
    struct json_object *opts = json_object_new_object();
    unsigned flags = BLK_RDWR | BLK_RESIZE | BLK_UNMAP;
    struct err e = {0};
    bool snapshot = false;
    int o, r = 0;

    while (r >= 0 && (o = getopt(argc, argv, "snCro:ki:t:d:U")) != -1) {
        if (o == 's')
            snapshot = true;
        else if (o == 'o')
            r = keyval_merge(opts, optarg, NULL, &e);
        else
            r = strchr(IO_FLAG_OPTIONS, o) ? io_flag_option(o, optarg, &flags, &e) : -1;
    }
    if (e.code)
        storage_fail(&e);
    else if (r < 0 || argc - optind > 1)
        r = io_usage(c);
    else if (!(argc - optind) && !json_object_object_length(opts))
        r = io_usage(c);
    if (r < 0) {
        json_object_put(opts);
        return -1;
    }
    return io_open(io, optind < argc ? argv[optind] : NULL, opts, flags, snapshot);
}

static int run_close(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return io_close(io);
}

/* Is @key one of @fields (or NULL), or the first word of one? */
static bool is_option(const struct field *fields, const char *key)
{
    size_t len = strlen(key);

    for (; fields && fields->name; fields++)
        if (!strncmp(fields->name, key, len) && (!fields->name[len] || fields->name[len] == '.'))
            return true;
    return false;
}

/* The first of @given, options for @b, that reopening cannot change; NULL: none.  Formats and filters may take others of
 * their own; which file, and what its protocol does with it, stays. */
static const char *fixed_option(const struct blk *b, struct json_object *given)
{
    const char *child = b->drv->child ? b->drv->child : "file", *below;

    json_object_object_foreach(given, key, value)
    {
        const char *now = strcmp(key, "driver") ? keyval_string(b->options, key) : blk_driver_name(b);
        const struct field *own = b->drv->kind == BLK_PROTOCOL ? NULL : b->drv->open_opts;

        if (now && json_object_is_type(value, json_type_string) && !strcmp(now, json_object_get_string(value)))
            continue;
        if (!strcmp(key, child) && b->file && json_object_is_type(value, json_type_object)) {
            if ((below = fixed_option(b->file, value)))
                return below;
            continue;
        }
        if (!strcmp(key, "backing") && b->drv->backing)
            continue;
        if (!strcmp(key, "driver") || !strcmp(key, "node-name") || (!is_option(node_fields, key) && !is_option(own, key)))
            return key;
    }
    return NULL;
}

static int open_again(struct io *io, struct json_object *opts, unsigned flags, struct err *e)
{
    struct json_object *mine = copy_of(opts);

    io->b = io->snapshot ? open_overlay(io, mine, flags, e) : blk_open(io->env, io->name, mine, flags, e);
    return io->b ? 0 : err_wrap(e, e->code, "can't open%s%s", io->name ? " device " : "", io->name ? io->name : "");
}

/* Close the image and open it with @opts, taken over, and @flags; as it was, when that fails. */
static int reopen_with(struct io *io, struct json_object *opts, unsigned flags)
{
    struct err e = {0};

    if (close_top(io) < 0) {
        json_object_put(opts);
        io_close(io);
        return -1;
    }
    if (open_again(io, opts, flags, &e) < 0) {
        json_object_put(opts);
        storage_fail(&e);
        if (open_again(io, io->opts, io->flags, ERR_IGNORE) < 0)
            io_close(io);
        return -1;
    }
    json_object_put(io->opts);
    io->opts = opts;
    io->flags = flags;
    return 0;
}

/* The options of reopen: @flags changes, what is @given comes into @opts, too. */
static int take_reopen(int argc, char **argv, unsigned *flags, struct json_object *given, struct json_object *opts,
                       struct err *e)
{
    int o, r = 0, modes = 0;

    while (r >= 0 && (o = getopt(argc, argv, "c:o:rw")) != -1) {
        if (o == 'c')
            r = storage_cache_flags(optarg, flags, e);
        else if (o == 'o')
            r = (r = keyval_merge(given, optarg, NULL, e)) < 0 ? r : keyval_merge(opts, optarg, NULL, e);
        else if (o == 'r' || o == 'w') {
            *flags = o == 'r' ? *flags & ~BLK_RDWR : *flags | BLK_RDWR;
            if (modes++)
                r = err_set(e, -EINVAL, "Only one -r/-w option may be given");
        } else {
            r = -1;
        }
    }
    return r < 0 || optind == argc ? r : -1;
}

/* reopen: the same file with other options.  What cannot be combined is refused before the image is
 * closed. */
static int run_reopen(struct io *io, const struct io_command *c, int argc, char **argv)
{
    struct json_object *given = json_object_new_object(), *opts = copy_of(io->opts);
    unsigned flags = io->flags;
    struct err e = {0};
    int r = take_reopen(argc, argv, &flags, given, opts, &e);
    const char *fixed = r < 0 ? NULL : fixed_option(io->b, given);

    if (!fixed && io->snapshot && json_object_object_get_ex(given, "backing", NULL))
        fixed = "backing";
    if (fixed)
        r = err_set(&e, -EINVAL, "Cannot change the option '%s'", fixed);
    if (e.code)
        storage_fail(&e);
    else if (r < 0)
        r = io_usage(c);
    json_object_put(given);
    if (r >= 0)
        return reopen_with(io, opts, flags);
    json_object_put(opts);
    return -1;
}

/* Size and contents ---------------------------------------------------------------------------------- */

static int run_truncate(struct io *io, const struct io_command *c, int argc, char **argv)
{
    enum blk_prealloc prealloc = BLK_PREALLOC_OFF;
    struct err e = {0};
    uint64_t size;
    int o;

    while ((o = getopt(argc, argv, "m:")) != -1) {
        if (o != 'm')
            return io_usage(c);
        while (blk_prealloc_names[prealloc] && strcmp(blk_prealloc_names[prealloc], optarg))
            prealloc++;
        if (!blk_prealloc_names[prealloc]) {
            err_set(&e, -EINVAL, "Invalid preallocation mode '%s'", optarg);
            return -storage_fail(&e);
        }
    }
    if (argc - optind != 1)
        return io_usage(c);
    if (!io_number(argv[optind], &size))
        return -1;
    return blk_truncate(io->b, size, prealloc, 0, &e) < 0 ? -storage_fail(&e) : 0;
}

static int run_length(struct io *io, const struct io_command *c, int argc, char **argv)
{
    char text[IO_SIZE_TEXT];

    puts(io_size_text((double)blk_size(io->b), text));
    return 0;
}

static int run_flush(struct io *io, const struct io_command *c, int argc, char **argv)
{
    struct err e = {0};

    return blk_flush(io->b, &e) < 0 ? io_failed("flush", &e) : 0;
}

static int run_info(struct io *io, const struct io_command *c, int argc, char **argv)
{
    char text[IO_SIZE_TEXT];
    struct blk_info i;
    struct err e = {0};

    if (blk_get_info(io->b, &i, &e) < 0)
        return io_failed("info", &e);
    printf("format name: %s\n", blk_driver_name(io->b));
    printf("cluster size: %s\n", io_size_text((double)i.cluster_size, text));
    printf("vm state offset: %s\n", io_size_text((double)i.vm_state_off, text));
    if (i.specific)
        storage_print_specific(i.specific);
    blk_info_free(&i);
    return 0;
}

/* The longest run from @off on of which @allocated is the same, at most @len. */
static int same_run(struct blk *b, uint64_t off, uint64_t len, uint64_t *run, bool *allocated,
                    struct err *e)
{
    struct blk_status s;

    *run = 0;
    while (*run < len) {
        int r = blk_status(b, off + *run, len - *run, &s, e);

        if (r < 0)
            return r;
        if (!s.len || (*run && s.allocated != *allocated))
            break;
        *allocated = s.allocated;
        *run += s.len;
    }
    return 0;
}

static int run_map(struct io *io, const struct io_command *c, int argc, char **argv)
{
    uint64_t size = blk_size(io->b), run;
    char length[IO_SIZE_TEXT], at[IO_SIZE_TEXT];
    struct err e = {0};
    bool allocated;

    if (!size)
        puts("No data"); /* nothing to say of an empty disk */
    for (uint64_t off = 0; off < size; off += run) {
        if (same_run(io->b, off, size - off, &run, &allocated, &e) < 0)
            return io_failed("map", &e);
        printf("%s (0x%" PRIx64 ") bytes %s allocated at offset %s (0x%" PRIx64 ")\n",
               io_size_text((double)run, length), run, allocated ? "   " : "not",
               io_size_text((double)off, at), off);
    }
    return 0;
}

static int run_alloc(struct io *io, const struct io_command *c, int argc, char **argv)
{
    uint64_t off, count = 512, sum = 0, run;
    char at[IO_SIZE_TEXT];
    struct err e = {0};
    bool allocated;

    if (!io_number(argv[1], &off) || (argc > 2 && !io_length(argv[2], &count)))
        return -1;
    for (uint64_t done = 0; done < count; done += run) {
        if (same_run(io->b, off + done, count - done, &run, &allocated, &e) < 0)
            return io_failed("is_allocated", &e);
        if (!run)
            break;
        sum += allocated ? run : 0;
    }
    printf("%" PRIu64 "/%" PRIu64 " bytes allocated at offset %s\n", sum, count,
           io_size_text((double)off, at));
    return 0;
}

const struct io_command io_cmd_open = {
    .name = "open",
    .alt = "o",
    .min = 1,
    .max = -1,
    .no_file = true,
    .run = run_open,
    .args = "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
    .oneline = "open the file specified by path",
    .help = "opens a file for all other commands\n\n"
            " 'open -n -o driver=raw /tmp/data' opens it uncached\n\n"
            " -r, -- for reading only\n"
            " -s, -- write to a temporary overlay\n"
            " -C, -- copy on read\n"
            " -n, -- around the host's cache: -t none\n"
            " -U, -- although another process writes\n"
            " -k, -- the kernel's asynchronous I/O: -i native\n"
            " -i, -- threads, native or io_uring\n"
            " -t, -- cache mode\n"
            " -d, -- discard mode\n"
            " -o, -- options of the driver\n",
};
const struct io_command io_cmd_close = {
    .name = "close",
    .alt = "c",
    .run = run_close,
    .oneline = "close the current open file",
};
const struct io_command io_cmd_reopen = {
    .name = "reopen",
    .min = 0,
    .max = -1,
    .run = run_reopen,
    .args = "[(-r|-w)] [-c cache] [-o options]",
    .oneline = "reopens an image with new options",
    .help = "changes the options of the open image\n\n"
            " 'reopen -o lazy-refcounts=on' defers reference counts of a qcow2 image\n\n"
            " -r, -- for reading only\n"
            " -w, -- for reading and writing\n"
            " -c, -- cache mode\n"
            " -o, -- options of the driver\n",
};
const struct io_command io_cmd_truncate = {
    .name = "truncate",
    .alt = "t",
    .min = 1,
    .max = 3,
    .run = run_truncate,
    .args = "[-m prealloc_mode] off",
    .oneline = "truncates the current file at the given offset",
};
const struct io_command io_cmd_length = {
    .name = "length",
    .alt = "l",
    .run = run_length,
    .oneline = "gets the length of the current file",
};
const struct io_command io_cmd_flush = {
    .name = "flush",
    .alt = "f",
    .run = run_flush,
    .oneline = "flush all in-core file state to disk",
};
const struct io_command io_cmd_info = {
    .name = "info",
    .alt = "i",
    .run = run_info,
    .oneline = "prints information about the current file",
};
const struct io_command io_cmd_map = {
    .name = "map",
    .run = run_map,
    .args = "", /* which the reference prints, too */
    .oneline = "prints the allocated areas of a file",
};
const struct io_command io_cmd_alloc = {
    .name = "alloc",
    .alt = "a",
    .min = 1,
    .max = 2,
    .run = run_alloc,
    .args = "offset [count]",
    .oneline = "checks if offset is allocated in the file",
};
