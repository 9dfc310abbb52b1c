/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-io: read, readv, write, writev, aio_read, aio_write, aio_flush, discard. */
#include "app/io/io.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_PATTERN = 0xcd, AIO_MAX = 256, IOV_MAX_WORDS = 64, SECTOR = 512 };

/* struct request - one read or write as its command line describes it; heap, owned by who runs it. */
struct request {
    struct io *io;
    bool write, is_aio;
    bool vmstate, compressed, zero, unmap, no_fallback, fua, verbose, invalid;
    bool have_pattern;
    int pattern;
    const char *file;              /* -s of write; only valid while parsing */
    uint64_t check_off, check_len; /* -s and -l of read */
    bool have_check_len, have_check_off;
    struct io_report report;
    char *buf;
    struct iovec iov[IOV_MAX_WORDS];
    int n;
};

static void request_free(struct request *q)
{
    io_buffer_free(q->io, q->buf);
    free(q);
}

static void dump(const char *buf, uint64_t off, uint64_t len)
{
    for (uint64_t at = 0; at < len; at += 16) {
        uint64_t n = min_u64(16, len - at);

        printf("%08" PRIx64 ":  ", off + at);
        for (uint64_t i = 0; i < n; i++)
            printf("%02x ", (unsigned char)buf[at + i]);
        putchar(' ');
        for (uint64_t i = 0; i < n; i++) {
            char c = buf[at + i];

            putchar(isalnum((unsigned char)c) && c > 0 ? c : '.'); /* as the reference: no blanks, no signs */
        }
        putchar('\n');
    }
}

/* -P of a read: are the bytes what the test expects? */
static int verify(const struct request *q)
{
    const unsigned char *b = (unsigned char *)q->buf + q->check_off;

    for (uint64_t i = 0; i < q->check_len; i++) {
        if (b[i] != q->pattern) {
            printf("Pattern verification failed at offset %" PRIu64 ", %" PRIu64 " bytes\n",
                   q->report.off + q->check_off, q->check_len);
            return -1;
        }
    }
    return 0;
}

static int do_write(struct request *q, struct err *e)
{
    struct blk *b = q->io->b;
    uint64_t off = q->report.off, len = q->report.len;
    unsigned req = q->fua ? BLK_REQ_FUA : 0;

    if (q->vmstate)
        return blk_vmstate_write(b, off, len, q->buf, e);
    if (q->compressed && !q->zero)
        return blk_write_compressed(b, off, len, q->buf, e);
    if (!q->zero)
        return blk_writev(b, off, q->iov, q->n, req, e);
    return blk_zero(
        b, off, len,
        req | (q->unmap ? BLK_REQ_UNMAP : 0) | (q->no_fallback ? BLK_REQ_NO_FALLBACK : 0), e);
}

static int do_read(struct request *q, struct err *e)
{
    if (q->vmstate)
        return blk_vmstate_read(q->io->b, q->report.off, q->report.len, q->buf, e);
    return blk_readv(q->io->b, q->report.off, q->iov, q->n, e);
}

/* The request itself and all that it says of itself; the output of requests does not mix. */
static int perform(struct request *q)
{
    struct err e = {0};
    int r;

    io_report_start(&q->report);
    r = q->write ? do_write(q, &e) : do_read(q, &e);
    pthread_mutex_lock(&q->io->lock);
    if (r < 0) {
        r = q->is_aio && e.code != -EPERM
                ? (printf("%s failed: %s\n", q->write ? "aio_write" : "readv",
                          strerror(-e.code)),
                   -1)
                : io_failed(q->write ? "write" : "read", &e);
    } else {
        r = !q->write && q->have_pattern ? verify(q) : 0;
        if (q->verbose && !q->report.quiet)
            dump(q->buf, q->report.off, q->report.len);
        io_report_end(&q->report);
    }
    pthread_mutex_unlock(&q->io->lock);
    return r;
}

static void *aio_thread(void *opaque)
{
    struct request *q = opaque;
    struct io *io = q->io;

    perform(q);
    request_free(q);
    pthread_mutex_lock(&io->lock);
    io->pending--;
    pthread_cond_broadcast(&io->idle);
    pthread_mutex_unlock(&io->lock);
    return NULL;
}

/* Hand the request to a thread of its own; as many at once as a disk queue has. */
static void submit(struct request *q)
{
    struct io *io = q->io;
    pthread_t thread;

    pthread_mutex_lock(&io->lock);
    while (io->pending >= AIO_MAX)
        pthread_cond_wait(&io->idle, &io->lock);
    io->pending++;
    pthread_mutex_unlock(&io->lock);
    fflush(stdout);
    if (pthread_create(&thread, NULL, aio_thread, q))
        aio_thread(q);
    else
        pthread_detach(thread);
}

/* Parsing ------------------------------------------------------------------------------------------ */

static bool take_flag(struct request *q, int c)
{
    switch (c) {
    case 'b': q->vmstate = true; return true;
    case 'c': q->compressed = true; return true;
    case 'C': q->report.machine = true; return true;
    case 'f': q->fua = true; return true;
    case 'i': q->invalid = true; return true;
    case 'n': q->no_fallback = true; return true;
    case 'p': return true;
    case 'q': q->report.quiet = true; return true;
    case 'u': q->unmap = true; return true;
    case 'v': q->verbose = true; return true;
    case 'z': q->zero = true; return true;
    }
    return false;
}

/* An option's value; false: said what is wrong. */
static bool take_value(struct request *q, int c)
{
    if (c == 'P')
        return q->have_pattern = io_pattern(optarg, &q->pattern);
    if (c == 'l')
        return q->have_check_len = io_length(optarg, &q->check_len);
    if (q->write) {
        q->file = optarg;
        return true;
    }
    return q->have_check_off = io_length(optarg, &q->check_off);
}

static bool take_options(struct request *q, const struct io_command *cmd, const char *letters,
                         int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, letters)) != -1) {
        if (c == 'P' || c == 'l' || c == 's') {
            if (!take_value(q, c))
                return false;
        } else if (!take_flag(q, c)) {
            io_usage(cmd);
            return false;
        }
    }
    return true;
}

static bool refuse(const char *why)
{
    puts(why);
    return false;
}

static bool check_options(const struct request *q, const struct io_command *c)
{
    if (!q->write)
        return !((q->have_check_len || q->have_check_off) && !q->have_pattern) ||
               !io_usage(c); /* which is -1 */
    if (q->vmstate && q->zero)
        return refuse("-b and -z cannot be specified at the same time");
    if (q->fua && (q->vmstate || q->compressed))
        return refuse("-f and -b or -c cannot be specified at the same time");
    if (q->no_fallback && !q->zero)
        return refuse("-n requires -z to be specified");
    if (q->unmap && !q->zero)
        return refuse("-u requires -z to be specified");
    if (q->zero + q->have_pattern + !!q->file > 1)
        return refuse("Only one of -z, -P, and -s can be specified at the same time");
    return true;
}

/* Offset and lengths; with buffers for them. */
static bool take_numbers(struct request *q, int n, char **words)
{
    uint64_t len;

    if (!io_number(words[0], &q->report.off))
        return false;
    for (int i = 1; i < n; i++) {
        if (!io_length(words[i], &len))
            return false;
        q->iov[q->n++].iov_len = len;
        q->report.len += len;
    }
    if (q->vmstate && (q->report.off | q->report.len) & (SECTOR - 1)) {
        bool at = q->report.off & (SECTOR - 1);

        printf("%" PRIu64 " is not a sector-aligned value for '%s'\n", at ? q->report.off : q->report.len,
               at ? "offset" : "count");
        return false;
    }
    if (q->report.len > IO_MAX_LEN)
        return refuse("Argument list of lengths is too large");
    if (!q->zero) {
        char *at = q->buf = io_buffer(q->io, q->report.len);

        for (int i = 0; i < q->n; at += q->iov[i++].iov_len)
            q->iov[i].iov_base = at;
    }
    return true;
}

/* -s FILE: its bytes, again and again. */
static bool fill_from_file(struct request *q)
{
    FILE *f = fopen(q->file, "re");
    size_t got = 0;

    if (!f) {
        fprintf(stderr, "%s: %s\n", q->file, strerror(errno));
        return false;
    }
    got = fread(q->buf, 1, q->report.len, f);
    fclose(f);
    if (!got) {
        printf("%s: file is empty\n", q->file);
        return false;
    }
    for (size_t i = got; i < q->report.len; i++)
        q->buf[i] = q->buf[i - got];
    return true;
}

static bool prepare(struct request *q)
{
    if (!q->write) {
        memset(q->buf, 0xab, q->report.len);
        if (!q->have_check_len)
            q->check_len = q->report.len - min_u64(q->check_off, q->report.len);
        if (q->check_off + q->check_len > q->report.len || q->check_off > q->report.len)
            return refuse("pattern verification range exceeds end of read data");
        return true;
    }
    if (q->zero)
        return true;
    if (q->file)
        return fill_from_file(q);
    memset(q->buf, q->have_pattern ? q->pattern : DEFAULT_PATTERN, q->report.len);
    return true;
}

/* What all these commands do; @letters are their options. */
static int request_run(struct io *io, const struct io_command *c, const char *letters, bool write,
                       bool aio, int argc, char **argv)
{
    struct request *q = calloc(1, sizeof(*q));
    int n, r;

    if (!q)
        fatal("out of memory");
    q->io = io;
    q->write = write;
    q->is_aio = aio;
    q->report.verb = write ? "wrote" : "read";
    if (!take_options(q, c, letters, argc, argv))
        goto bad;
    if (q->invalid) { /* whatever else the line says */
        printf("injecting invalid %s request\n", write ? "write" : "read");
        request_free(q);
        return 0;
    }
    if (!check_options(q, c))
        goto bad;
    n = argc - optind;
    if (q->zero && n > 2) {
        refuse("-z supports only a single length parameter");
        goto bad;
    }
    if (n < 2 || n > IOV_MAX_WORDS || (n > 2 && !strstr(c->args, "[len..]"))) {
        io_usage(c);
        goto bad;
    }
    if (!take_numbers(q, n, argv + optind) || !prepare(q))
        goto bad;
    if (aio) {
        submit(q);
        return 0;
    }
    r = perform(q);
    request_free(q);
    return r;
bad:
    request_free(q);
    return -1;
}

static int run_read(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return request_run(io, c, "bCl:pP:qs:v", false, false, argc, argv);
}

static int run_readv(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return request_run(io, c, "CP:qv", false, false, argc, argv);
}

static int run_write(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return request_run(io, c, "bcCfnpP:qs:uz", true, false, argc, argv);
}

static int run_writev(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return request_run(io, c, "CfqP:", true, false, argc, argv);
}

static int run_aio_read(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return request_run(io, c, "CP:iqv", false, true, argc, argv);
}

static int run_aio_write(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return request_run(io, c, "CfiP:quz", true, true, argc, argv);
}

static int run_aio_flush(struct io *io, const struct io_command *c, int argc, char **argv)
{
    io_drain(io);
    return 0;
}

static int run_discard(struct io *io, const struct io_command *c, int argc, char **argv)
{
    struct io_report report = {.verb = "discard"};
    struct err e = {0};
    int o;

    while ((o = getopt(argc, argv, "Cq")) != -1) {
        if (o == 'C')
            report.machine = true;
        else if (o == 'q')
            report.quiet = true;
        else
            return io_usage(c);
    }
    if (argc - optind != 2)
        return io_usage(c);
    if (!io_number(argv[optind], &report.off) || !io_length(argv[optind + 1], &report.len))
        return -1;
    io_report_start(&report);
    if (blk_discard(io->b, report.off, report.len, &e) < 0)
        return io_failed("discard", &e);
    io_report_end(&report);
    return 0;
}

const struct io_command io_cmd_read = {
    .name = "read",
    .alt = "r",
    .min = 2,
    .max = -1,
    .run = run_read,
    .args = "[-abCqv] [-P pattern [-s off] [-l len]] off len",
    .oneline = "reads a number of bytes at a specified offset",
    .help = "reads a range of bytes from the given offset\n\n"
            " 'read -v 512 1k' shows 1 kilobyte from offset 512\n\n"
            " -b, -- the machine's state rather than the disk\n"
            " -C, -- statistics for programs\n"
            " -l, -- length of what -P verifies\n"
            " -p, -- accepted, without effect\n"
            " -P, -- verify that all bytes have this value\n"
            " -q, -- no statistics\n"
            " -s, -- start of what -P verifies\n"
            " -v, -- show the bytes\n",
};
const struct io_command io_cmd_readv = {
    .name = "readv",
    .alt = "rv",
    .min = 2,
    .max = -1,
    .run = run_readv,
    .args = "[-Cqv] [-P pattern] off len [len..]",
    .oneline = "reads a number of bytes at a specified offset",
    .help = "reads a range of bytes into several buffers\n\n"
            " -C, -- statistics for programs\n"
            " -P, -- verify that all bytes have this value\n"
            " -v, -- show the bytes\n"
            " -q, -- no statistics\n",
};
const struct io_command io_cmd_write = {
    .name = "write",
    .alt = "w",
    .min = 2,
    .max = -1,
    .run = run_write,
    .args = "[-bcCfnquz] [-P pattern | -s source_file] off len",
    .oneline = "writes a number of bytes at a specified offset",
    .help = "writes a range of bytes, all 0xcd unless said otherwise\n\n"
            " -b, -- the machine's state rather than the disk\n"
            " -c, -- compressed\n"
            " -f, -- on the disk when it returns (FUA)\n"
            " -n, -- with -z: rather fail than write zeros slowly\n"
            " -p, -- accepted, without effect\n"
            " -P, -- all bytes have this value\n"
            " -s, -- the bytes of a file, repeated\n"
            " -C, -- statistics for programs\n"
            " -q, -- no statistics\n"
            " -u, -- with -z: space may be given back\n"
            " -z, -- zeros, without writing them where the image can\n",
};
const struct io_command io_cmd_writev = {
    .name = "writev",
    .alt = "wv",
    .min = 2,
    .max = -1,
    .run = run_writev,
    .args = "[-Cfq] [-P pattern] off len [len..]",
    .oneline = "writes a number of bytes at a specified offset",
    .help = "writes a range of bytes from several buffers\n\n"
            " -P, -- all bytes have this value\n"
            " -C, -- statistics for programs\n"
            " -f, -- on the disk when it returns (FUA)\n"
            " -q, -- no statistics\n",
};
const struct io_command io_cmd_aio_read = {
    .name = "aio_read",
    .min = 2,
    .max = -1,
    .run = run_aio_read,
    .args = "[-Ciqv] [-P pattern] off len [len..]",
    .oneline = "asynchronously reads a number of bytes",
    .help = "reads in the background; aio_flush waits for it.  The command has succeeded when\n"
            " the request is on its way, whatever becomes of it.\n\n"
            " -C, -- statistics for programs\n"
            " -P, -- verify that all bytes have this value\n"
            " -i, -- an invalid request, for exercising statistics\n"
            " -v, -- show the bytes\n"
            " -q, -- no statistics\n",
};
const struct io_command io_cmd_aio_write = {
    .name = "aio_write",
    .min = 2,
    .max = -1,
    .run = run_aio_write,
    .args = "[-Cfiquz] [-P pattern] off len [len..]",
    .oneline = "asynchronously writes a number of bytes",
    .help = "writes in the background; aio_flush waits for it.  The command has succeeded when\n"
            " the request is on its way, whatever becomes of it.\n\n"
            " -P, -- all bytes have this value\n"
            " -C, -- statistics for programs\n"
            " -f, -- on the disk when it ends (FUA)\n"
            " -i, -- an invalid request, for exercising statistics\n"
            " -q, -- no statistics\n"
            " -u, -- with -z: space may be given back\n"
            " -z, -- zeros, without writing them where the image can\n",
};
const struct io_command io_cmd_aio_flush = {
    .name = "aio_flush",
    .run = run_aio_flush,
    .oneline = "completes all outstanding aio requests",
};
const struct io_command io_cmd_discard = {
    .name = "discard",
    .alt = "d",
    .min = 2,
    .max = -1,
    .run = run_discard,
    .args = "[-Cq] off len",
    .oneline = "discards a number of bytes at a specified offset",
    .help = "gives a range of bytes up\n\n"
            " -C, -- statistics for programs\n"
            " -q, -- no statistics\n",
};
