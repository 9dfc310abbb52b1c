/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-io: options, the command loop, what commands share. */
#include "app/io/io.h"

#include "base/size_text.h"
#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMAND(x) extern const struct io_command io_cmd_##x;
#include "app/io/commands.def"
#undef COMMAND

const struct io_command *const io_commands[] = {
#define COMMAND(x) &io_cmd_##x,
#include "app/io/commands.def"
#undef COMMAND
    NULL};

enum { WORDS_MAX = 64, BUFFER_ALIGN = 4096, MISALIGN = 512 };

/* What commands share -------------------------------------------------------------------------- */

void io_line(const struct io_command *c)
{
    printf("%s%s%s -- %s\n", c->name, c->args ? " " : "", c->args ? c->args : "", c->oneline);
}

int io_usage(const struct io_command *c)
{
    io_line(c);
    return -1;
}

bool io_number(const char *text, uint64_t *v)
{
    int r = size_parse(text, 1, v, ERR_IGNORE);

    if (r == -ERANGE || (r >= 0 && *v > INT64_MAX))
        printf("Parsing error: argument too large -- %s\n", text);
    else if (r < 0)
        printf("Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- %s\n",
               text);
    return r >= 0 && *v <= INT64_MAX;
}

bool io_length(const char *text, uint64_t *v)
{
    if (!io_number(text, v))
        return false;
    if (*v <= IO_MAX_LEN)
        return true;
    printf("length cannot exceed %d, given %s\n", IO_MAX_LEN, text);
    return false;
}

bool io_pattern(const char *text, int *v)
{
    char *end;
    long n = strtol(text, &end, 0);

    if (end == text || *end || n < 0 || n > 255) {
        printf("%s is not a valid pattern byte\n", text);
        return false;
    }
    *v = (int)n;
    return true;
}

char *io_size_text(double v, char buf[IO_SIZE_TEXT])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t i = 0;

    while (v >= 1024 && i + 1 < ARRAY_LEN(units)) {
        v /= 1024;
        i++;
    }
    snprintf(buf, IO_SIZE_TEXT, "%.*f %s", v == (double)(uint64_t)v ? 0 : 3, v, units[i]);
    return buf;
}

void io_report_start(struct io_report *r)
{
    clock_gettime(CLOCK_MONOTONIC, &r->start);
}

void io_report_end(const struct io_report *r)
{
    char size[IO_SIZE_TEXT], rate[IO_SIZE_TEXT], took[64];
    struct timespec now;

    if (r->quiet)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double t =
        (double)(now.tv_sec - r->start.tv_sec) + (double)(now.tv_nsec - r->start.tv_nsec) / 1e9;
    unsigned s = (unsigned)t, hundredths = (unsigned)((t - s) * 100);

    if (t <= 0)
        t = 1e-9;
    if (r->machine || s >= 60)
        snprintf(took, sizeof(took), "%u:%02u:%02u.%02u", s / 3600, s / 60 % 60, s % 60,
                 hundredths);
    else
        snprintf(took, sizeof(took), "%02u.%02u sec", s, hundredths);
    if (r->machine) {
        printf("%" PRIu64 ",1,%s,%.3f,%.3f\n", r->len, took, (double)r->len / t, 1 / t);
        return;
    }
    printf("%s %" PRIu64 "/%" PRIu64 " bytes at offset %" PRIu64 "\n", r->verb, r->len, r->len,
           r->off);
    printf("%s, 1 ops; %s (%s/sec and %.4f ops/sec)\n", io_size_text((double)r->len, size), took,
           io_size_text((double)r->len / t, rate), 1 / t);
}

/* The block layer knows more than errno, but scripts compare these lines. */
int io_failed(const char *verb, const struct err *e)
{
    if (e->code == -EPERM) {
        fflush(stdout);
        fprintf(stderr, "%s: %s\n", storage_name, e->msg);
    } else {
        printf("%s failed: %s\n", verb, strerror(e->code == -ENOTSUP ? EOPNOTSUPP : -e->code));
    }
    return -1;
}

void *io_buffer(const struct io *io, size_t len)
{
    void *buf;

    if (posix_memalign(&buf, BUFFER_ALIGN, len + MISALIGN))
        fatal("out of memory for a buffer of %zu bytes", len);
    return (char *)buf + (io->misalign ? MISALIGN : 0);
}

void io_buffer_free(const struct io *io, void *buf)
{
    if (buf)
        free((char *)buf - (io->misalign ? MISALIGN : 0));
}

void io_drain(struct io *io)
{
    pthread_mutex_lock(&io->lock);
    while (io->pending)
        pthread_cond_wait(&io->idle, &io->lock);
    pthread_mutex_unlock(&io->lock);
}

/* The loop ------------------------------------------------------------------------------------- */

static const struct io_command *find_command(const char *name)
{
    for (const struct io_command *const *c = io_commands; *c; c++)
        if (!strcmp((*c)->name, name) || ((*c)->alt && !strcmp((*c)->alt, name)))
            return *c;
    return NULL;
}

static void unknown(const char *name)
{
    const char *names[ARRAY_LEN(io_commands)] = {NULL};

    for (size_t i = 0; io_commands[i]; i++)
        names[i] = io_commands[i]->name;
    const char *near = nearest_name(name, names);

    fprintf(stderr, "command \"%s\" not found\n", name);
    if (near)
        fprintf(stderr, "did you mean \"%s\"?\n", near);
}

static int run_line(struct io *io, char *line)
{
    char *words[WORDS_MAX + 1], *rest;
    const struct io_command *c;
    int n = 0;

    for (char *w = strtok_r(line, " \t\r\n", &rest); w && n < WORDS_MAX;
         w = strtok_r(NULL, " \t\r\n", &rest))
        words[n++] = w;
    words[n] = NULL;
    if (!n)
        return 0;
    if (!(c = find_command(words[0]))) {
        unknown(words[0]);
        return -1;
    }
    if (!io->b && !c->no_file) {
        fprintf(stderr, "no file open, try 'help open'\n");
        return -1;
    }
    if (n - 1 < c->min || (c->max >= 0 && n - 1 > c->max)) {
        if (c->max < 0)
            fprintf(stderr, "bad argument count %d to %s, expected at least %d arguments\n", n - 1,
                    words[0], c->min);
        else if (c->min == c->max)
            fprintf(stderr, "bad argument count %d to %s, expected %d arguments\n", n - 1, words[0],
                    c->min);
        else
            fprintf(stderr, "bad argument count %d to %s, expected between %d and %d arguments\n",
                    n - 1, words[0], c->min, c->max);
        return -1;
    }
    optind = 0;
    return c->run(io, c, n, words);
}

static int run_stdin(struct io *io)
{
    bool person = isatty(STDIN_FILENO);
    char *line = NULL;
    size_t size = 0;
    int r = 0;

    while (!io->quit) {
        printf("qemu-io> ");
        fflush(stdout);
        if (getline(&line, &size, stdin) < 0) {
            if (person)
                putchar('\n');
            break;
        }
        if (run_line(io, line) < 0)
            r = -1;
    }
    free(line);
    return r;
}

static int run_commands(struct io *io, char **commands, int n)
{
    int r = 0;

    for (int i = 0; i < n && !io->quit; i++) {
        char *line = strdup(commands[i]);

        if (!line)
            fatal("out of memory");
        if (run_line(io, line) < 0)
            r = -1;
        free(line);
    }
    return r;
}

/* Options ---------------------------------------------------------------------------------------- */

static const char usage[] =
    "Usage: qemu-io [OPTIONS]... [-c STRING]... [file]\n"
    "Reads, writes and examines disk images.\n\n"
    "  --object OBJECTDEF   define an object such as 'secret' for passwords and keys\n"
    "  --image-opts         the file is a string of options (driver=...,file.filename=...)\n"
    "  -c, --cmd STRING     run a command; more than one may be given\n"
    "  -f, --format FMT     the image's format; probed when not given\n"
    "  -r, --read-only      open for reading only\n"
    "  -s, --snapshot       write to a temporary overlay\n"
    "  -n, --nocache        around the host's cache: -t none\n"
    "  -C, --copy-on-read   keep what is read from the backing file\n"
    "  -m, --misalign       use buffers that O_DIRECT does not like\n"
    "  -k, --native-aio     the kernel's asynchronous I/O: -i native\n"
    "  -i, --aio=MODE       threads, native or io_uring\n"
    "  -t, --cache=MODE     none, writeback, writethrough, directsync or unsafe\n"
    "  -d, --discard=MODE   ignore or unmap\n"
    "  -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]\n"
    "                       tracing options (accepted)\n"
    "  -U, --force-share    open although another process writes\n"
    "  -h, --help           this text\n"
    "  -V, --version        version\n\n"
    "See 'qemu-io -c help' for the commands.\n";

struct io_cli {
    const char *format, *file;
    char **commands;
    int commands_n;
    bool image_opts, snapshot;
    unsigned flags;
};

enum { OPT_OBJECT = 256, OPT_IMAGE_OPTS };

static const struct option long_options[] = {
    {"help", 0, NULL, 'h'},
    {"version", 0, NULL, 'V'},
    {"cmd", 1, NULL, 'c'},
    {"format", 1, NULL, 'f'},
    {"read-only", 0, NULL, 'r'},
    {"snapshot", 0, NULL, 's'},
    {"nocache", 0, NULL, 'n'},
    {"copy-on-read", 0, NULL, 'C'},
    {"misalign", 0, NULL, 'm'},
    {"native-aio", 0, NULL, 'k'},
    {"aio", 1, NULL, 'i'},
    {"discard", 1, NULL, 'd'},
    {"cache", 1, NULL, 't'},
    {"trace", 1, NULL, 'T'},
    {"force-share", 0, NULL, 'U'},
    {"object", 1, NULL, OPT_OBJECT},
    {"image-opts", 0, NULL, OPT_IMAGE_OPTS},
    {NULL, 0, NULL, 0},
};

/* One option; 0 to go on, 1 to end well, -1 to end badly. */
static int take_option(struct io *io, struct io_cli *cli, int c)
{
    struct err e = {0};

    switch (c) {
    case 'h': fputs(usage, stdout); return 1;
    case 'V':
        printf("qemu-io version " STORAGE_VERSION " (Emu)\n" STORAGE_COPYRIGHT "\n");
        return 1;
    case 'c': cli->commands[cli->commands_n++] = optarg; return 0;
    case 'f': cli->format = optarg; return 0;
    case 's': cli->snapshot = true; return 0;
    case 'm': io->misalign = true; return 0;
    case 'T': return 0;
    case OPT_OBJECT: return storage_add_object(io->env, optarg, &e) < 0 ? -storage_fail(&e) : 0;
    case OPT_IMAGE_OPTS: cli->image_opts = true; return 0;
    }
    if (strchr(IO_FLAG_OPTIONS, c))
        return io_flag_option(c, optarg, &cli->flags, &e) < 0 ? -storage_fail(&e) : 0;
    fputs(usage, stderr);
    return -1;
}

static int open_first(struct io *io, const struct io_cli *cli)
{
    struct err e = {0};
    struct json_object *opts;

    if (cli->image_opts && cli->format) {
        err_set(&e, -EINVAL, "--image-opts and -f are mutually exclusive");
        return -storage_fail(&e);
    }
    opts = cli->image_opts ? keyval_parse(cli->file, NULL, &e) : json_object_new_object();
    if (!opts)
        return -storage_fail(&e);
    if (cli->format)
        json_object_object_add(opts, "driver", json_object_new_string(cli->format));
    return io_open(io, cli->image_opts ? NULL : cli->file, opts, cli->flags, cli->snapshot);
}

int main_io(int argc, char **argv)
{
    struct io io = {.env = storage_env()};
    struct io_cli cli = {.flags = BLK_RDWR | BLK_RESIZE | BLK_UNMAP};
    int c, r = 0;

    pthread_mutex_init(&io.lock, NULL);
    pthread_cond_init(&io.idle, NULL);
    if (!(cli.commands = calloc((size_t)argc + 1, sizeof(*cli.commands))))
        fatal("out of memory");
    while (!r && (c = getopt_long(argc, argv, "hVc:d:f:rsnCmki:t:T:U", long_options, NULL)) != -1)
        r = take_option(&io, &cli, c);
    if (!r && argc - optind > 1) {
        fputs(usage, stderr);
        r = -1;
    }
    if (r) {
        free(cli.commands);
        blk_env_free(io.env);
        return r < 0;
    }
    if (optind < argc) {
        cli.file = argv[optind];
        r = open_first(&io, &cli);
    }
    if (r >= 0)
        r = cli.commands_n ? run_commands(&io, cli.commands, cli.commands_n) : run_stdin(&io);
    io_drain(&io);
    if (io_close(&io) < 0)
        r = -1;
    free(cli.commands);
    blk_env_free(io.env);
    return r < 0;
}
