/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-io's commands: a family is a file, a command a row of commands.def. */
#ifndef APP_IO_IO_H
#define APP_IO_IO_H

#include "app/storage.h"
#include "base/bytes.h"

#include <json-c/json.h>
#include <pthread.h>
#include <time.h>

/* struct io - the session: one open image, requests under way. */
struct io {
    struct blk_env *env;
    struct blk *b; /* NULL: no file open */
    unsigned flags;
    char *snapshot; /* temporary overlay of -s, removed at the end; or NULL */
    struct blk *base;         /* what it lies on, or NULL */
    char *name;               /* what @b was opened as, for reopen; or NULL */
    struct json_object *opts; /* and with which options */
    bool misalign;  /* -m: buffers off their alignment by one sector */
    bool quit;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned pending; /* [lock] aio requests not finished */
};

/* struct io_command - one command.  @run returns 0 or -1 when it failed, having said why. */
struct io_command {
    const char *name, *alt; /* @alt: a short name or NULL */
    const char *args;       /* as its usage line shows them; NULL for none */
    const char *oneline;
    const char *help; /* the long text, or NULL */
    int min, max;     /* arguments after the name; max -1: any number */
    bool no_file;     /* works without an open file */
    int (*run)(struct io *io, const struct io_command *c, int argc, char **argv);
};

extern const struct io_command *const io_commands[]; /* NULL-terminated, as listed by help */

/* Say "NAME ARGS -- ONELINE". */
void io_line(const struct io_command *c);
/* The same as the answer to a wrong option; returns -1. */
int io_usage(const struct io_command *c);

/* Options that say how an image is opened, of the program and of "open": their letters; one into @flags. */
#define IO_FLAG_OPTIONS "rCUntkid"
int io_flag_option(int letter, const char *value, unsigned *flags, struct err *e);

/* A number with a suffix; says what is wrong with it and returns false. */
bool io_number(const char *text, uint64_t *v);
/* The same for the length of one buffer: at most IO_MAX_LEN. */
enum { IO_MAX_LEN = 0x7ffffe00 };
bool io_length(const char *text, uint64_t *v);
/* -P: a byte 0..255. */
bool io_pattern(const char *text, int *v);

/* What read, write and discard report of themselves. */
struct io_report {
    const char *verb; /* "read", "wrote", "discard" */
    uint64_t off, len;
    bool quiet, machine; /* -q, -C */
    struct timespec start;
};
void io_report_start(struct io_report *r);
void io_report_end(const struct io_report *r);

/* "512 bytes", "64 KiB", "1.500 MiB"; returns @buf. */
enum { IO_SIZE_TEXT = 64 };
char *io_size_text(double v, char buf[IO_SIZE_TEXT]);

/* "VERB failed: reason" for a failed request; returns -1. */
int io_failed(const char *verb, const struct err *e);

/* Buffers, aligned as -m wants; never NULL. */
void *io_buffer(const struct io *io, size_t len);
void io_buffer_free(const struct io *io, void *buf);

/* Wait for all asynchronous requests. */
void io_drain(struct io *io);

/* Open @name (or only @opts, taken over) with @flags as the session's file; says why not. */
int io_open(struct io *io, const char *name, struct json_object *opts, unsigned flags,
            bool snapshot);
int io_close(struct io *io);

#endif
