/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img's commands: each is one file and one row of commands.def. */
#ifndef APP_IMG_IMG_H
#define APP_IMG_IMG_H

#include "app/storage.h"

#include <getopt.h>
#include <pthread.h>
#include <stdint.h>

/* struct img_command - what `qemu-img NAME` runs; returns the exit status. */
struct img_command {
    const char *name;
    const char *usage; /* its options, as `--help` prints them after the name */
    const char *notes; /* what `--help` says of its parameters, or NULL */
    int (*run)(struct blk_env *env, int argc, char **argv); /* argv[0] is the command's name */
};

/* What nearly every command understands in the same way. */
struct img_args {
    struct blk_env *env;
    const char *format, *cache, *src_cache; /* -f -t -T */
    bool image_opts, quiet, progress, share, json;
};

/* Keys of long options without a letter; a command's own begin at OPT_OWN. */
enum { OPT_OBJECT = 256, OPT_IMAGE_OPTS, OPT_OUTPUT, OPT_OWN };
enum { IMG_END = -1, IMG_BAD = -2 };

/**
 * img_next - the next option: its letter or key when the command has to look at it (optarg), IMG_END,
 * or IMG_BAD when it has been complained about: exit with 1.  Options of struct img_args that
 * @shorts and @longs admit are dealt with here.  `-h` prints the help and exits.
 */
int img_next(struct img_args *a, int argc, char **argv, const char *shorts,
             const struct option *longs);

/* "qemu-img: TEXT" on stderr; img_usage adds where help is.  Both return 1. */
int img_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int img_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void img_help(void);

/** img_size - a size on the command line, below 2^63; complains about "Invalid WHAT specified". */
int img_size(const char *text, const char *what, uint64_t *v);

/** img_number - an integer from @min to @max; complains "Invalid WHAT specified". */
int img_number(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *v);

/** img_open - @name as -f, --image-opts and -U of @a say; NULL after saying why. */
struct blk *img_open(const struct img_args *a, const char *name, const char *format,
                     const char *cache, unsigned flags);

/** img_close - @status; 1 after saying that something written did not reach the disk, unless
 *  something was wrong before. */
int img_close(struct blk *b, int status);

/** img_load_snapshot - -l: show the snapshot instead of the present; 1 after saying why not. */
int img_load_snapshot(struct blk *b, const char *param);

/** img_options - one -o on top of @opts; 1 after saying what is wrong with it. */
int img_options(struct json_object *opts, const char *text);

/* -o help, -o '?' */
bool img_wants_help(struct json_object *opts);

/* struct img_new - an image to make: create, convert, dd. */
struct img_new {
    const char *format, *filename;
    const char *backing, *backing_format; /* -b -F, or NULL */
    struct json_object *opts;             /* -o, owned by the caller, not changed */
    uint64_t size;
    bool have_size;
    bool quiet;     /* no "Formatting" line */
    bool unchecked; /* -u: the backing file need not be there */
};

/** img_make - make it; the message is without the program's name. */
int img_make(struct blk_env *env, const struct img_new *n, struct err *e);

/** img_check_new - do the drivers exist, have they all that was asked for? */
int img_check_new(const struct img_new *n, struct err *e);

/** img_check_amend - the options that amend may change, checked and in normal form, into @out. */
int img_check_amend(const struct blk *b, struct json_object *opts, struct json_object *out,
                    struct err *e);

/** img_print_create_help, img_print_amend_help - -o help; @filename may be NULL. */
int img_print_create_help(const char *format, const char *filename);
int img_print_amend_help(const char *format);

/* The tree that `info --output=json` prints, and as text. */
struct json_object *img_describe(struct blk *b, struct err *e);
void img_print_info(struct json_object *info);
void img_print_snapshots(const struct blk_snapshot *list, int n);
int img_print_json(struct json_object *o); /* prints, releases, returns 0 */

/*
 * Progress: "    (12.34/100%)\r" when -p was given, and one line on stderr for each SIGUSR1 otherwise.
 * One at a time; img_progress may be called from any thread.
 */
void img_progress_init(void); /* once, when the program starts: SIGUSR1 no longer ends it */
void img_progress_begin(const struct img_args *a);
void img_progress(uint64_t done, uint64_t total);
void img_progress_end(void);
/* the same as a blk_progress */
void img_progress_callback(void *opaque, uint64_t done, uint64_t total);

/* Rate limit (-r): img_rate_wait sleeps until @bytes more may go. */
struct img_rate {
    uint64_t per_second; /* 0: no limit */
    uint64_t start_ns, sent;
    pthread_mutex_t lock;
};
void img_rate_begin(struct img_rate *r, uint64_t per_second);
void img_rate_wait(struct img_rate *r, uint64_t bytes);
uint64_t img_now_ns(void);

/** img_cpus - processors that this process may use. */
unsigned img_cpus(void);

#endif
