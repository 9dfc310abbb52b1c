/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-io: open, close, reopen, truncate, length, info, map, alloc, flush. */
#include "app/io/io.h"

#include "schema/keyval.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Opening ------------------------------------------------------------------------------------------ */

int io_close(struct io *io)
{
    struct err e = {0};
    int r = 0;

    io_drain(io);
    if (io->b && blk_close(io->b, &e) < 0)
        r = -storage_fail(&e);
    io->b = NULL;
    if (io->snapshot)
        unlink(io->snapshot);
    free(io->snapshot);
    io->snapshot = NULL;
    return r;
}

/* -s: a temporary qcow2 overlay on the image, which stays as it is. */
static struct blk *open_overlay(struct io *io, struct blk *base, unsigned flags, struct err *e)
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
        return NULL;
    }
    close(fd);
    snprintf(size, sizeof(size), "%" PRIu64, blk_size(base));
    json_object_object_add(opts, "size", json_object_new_string(size));
    if (blk_create(io->env, "qcow2", io->snapshot, opts, e) < 0)
        return NULL;
    opts = json_object_new_object();
    json_object_object_add(opts, "driver", json_object_new_string("qcow2"));
    keyval_set(opts, "backing.driver", json_object_new_string(blk_driver_name(base)), e);
    keyval_set(opts, "backing.file.filename", json_object_new_string(blk_filename(base)), e);
    return blk_open(io->env, io->snapshot, opts, flags, e);
}

int io_open(struct io *io, const char *name, struct json_object *opts, unsigned flags,
            bool snapshot)
{
    struct err e = {0};
    struct blk *b;

    if (io->b) {
        fprintf(stderr, "%s: file open already, try 'help close'\n", storage_name);
        json_object_put(opts);
        return -1;
    }
    b = blk_open(io->env, name, opts, snapshot ? flags & ~BLK_RDWR : flags, &e);
    if (b && snapshot) {
        struct blk *top = open_overlay(io, b, flags, &e);

        blk_close(b, ERR_IGNORE);
        b = top;
    }
    if (!b) {
        err_wrap(&e, e.code, "can't open%s%s", name ? " device " : "", name ? name : "");
        return -storage_fail(&e);
    }
    io->b = b;
    io->flags = flags;
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

/* Close the image and open it with @opts and @flags; as it was, when that fails. */
static int reopen_with(struct io *io, struct json_object *opts, unsigned flags)
{
    char *name = strdup(blk_filename(io->b));
    struct json_object *driver = json_object_new_string(blk_driver_name(io->b)), *old = json_object_new_object();
    unsigned old_flags = io->flags;
    int r;

    if (strncmp(name, "json:", 5)) {
        json_object_object_add(old, "driver", json_object_get(driver));
        if (!json_object_object_get_ex(opts, "driver", NULL))
            json_object_object_add(opts, "driver", json_object_get(driver));
    }
    r = io_close(io);
    if (r >= 0 && (r = io_open(io, name, opts, flags, false)) < 0)
        io_open(io, name, json_object_get(old), old_flags, false);
    json_object_put(old);
    json_object_put(driver);
    free(name);
    return r;
}

/* reopen: the same file with other options.  What cannot be combined is refused before the image is
 * closed. */
static int run_reopen(struct io *io, const struct io_command *c, int argc, char **argv)
{
    struct json_object *opts = json_object_new_object();
    unsigned flags = io->flags;
    struct err e = {0};
    int o, r = 0, modes = 0;

    while (r >= 0 && (o = getopt(argc, argv, "c:o:rw")) != -1) {
        if (o == 'c')
            r = storage_cache_flags(optarg, &flags, &e);
        else if (o == 'o')
            r = keyval_merge(opts, optarg, NULL, &e);
        else if (o == 'r' || o == 'w') {
            flags = o == 'r' ? flags & ~BLK_RDWR : flags | BLK_RDWR;
            if (modes++)
                r = err_set(&e, -EINVAL, "Only one -r/-w option may be given");
        } else {
            r = -1;
        }
    }
    if (r >= 0 && optind == argc && io->snapshot) /* closing it would lose what was written */
        r = err_set(&e, -ENOTSUP, "An image that was opened with -s cannot be reopened");
    if (e.code)
        storage_fail(&e);
    else if (r < 0 || optind != argc)
        r = io_usage(c);
    if (r < 0) {
        json_object_put(opts);
        return -1;
    }
    return reopen_with(io, opts, flags);
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
