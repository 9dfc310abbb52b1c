/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-io: help, quit, sleep, abort, sigraise, and the breakpoints of blkdebug. */
#include "app/io/io.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run_help(struct io *io, const struct io_command *c, int argc, char **argv)
{
    const struct io_command *const *at;

    for (at = io_commands; *at; at++) {
        if (argc > 1 && strcmp((*at)->name, argv[1]) &&
            (!(*at)->alt || strcmp((*at)->alt, argv[1])))
            continue;
        io_line(*at);
        if (argc > 1) {
            if ((*at)->help)
                printf("\n %s\n", (*at)->help);
            return 0;
        }
    }
    if (argc > 1) {
        printf("command %s not found\n", argv[1]);
        return -1;
    }
    printf("\nUse 'help commandname' for extended help.\n");
    return 0;
}

static int run_quit(struct io *io, const struct io_command *c, int argc, char **argv)
{
    io->quit = true;
    return 0;
}

static int run_sleep(struct io *io, const struct io_command *c, int argc, char **argv)
{
    char *end;
    unsigned long long ms = strtoull(argv[1], &end, 0);

    if (*end || end == argv[1] || ms > INT32_MAX) {
        printf("%s is not a valid number of milliseconds\n", argv[1]);
        return -1;
    }
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
    return 0;
}

static int run_abort(struct io *io, const struct io_command *c, int argc, char **argv)
{
    fflush(stdout);
    abort();
}

/* Tests of crashes send us signals at a known point: what was written must not stay in stdio. */
static int run_sigraise(struct io *io, const struct io_command *c, int argc, char **argv)
{
    uint64_t sig;

    if (!io_number(argv[1], &sig))
        return -1;
    if (sig > NSIG) {
        printf("signal argument '%s' is too large to be a valid signal number\n", argv[1]);
        return -1;
    }
    fflush(stdout);
    raise((int)sig);
    return 0;
}

/* Breakpoints are blkdebug's: no other node stops requests.  @r: 0 or -errno. */
static int result(int r, const char *what)
{
    if (r >= 0)
        return 0;
    printf("Could not %s: %s\n", what, strerror(-r));
    return -1;
}

static void told(void *opaque, const char *tag, bool suspended)
{
    printf("blkdebug: %s request '%s'\n", suspended ? "Suspended" : "Resuming", tag);
    fflush(stdout);
}

static int run_break(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return result(blk_debug_break(io->b, argv[1], argv[2], told, NULL), "set breakpoint");
}

static int run_remove_break(struct io *io, const struct io_command *c, int argc, char **argv)
{
    char what[200];

    snprintf(what, sizeof(what), "remove breakpoint %s", argv[1]);
    return result(blk_debug_remove_break(io->b, argv[1]), what);
}

static int run_resume(struct io *io, const struct io_command *c, int argc, char **argv)
{
    return result(blk_debug_resume(io->b, argv[1]), "resume request");
}

/* Without a breakpoint of that name it waits for ever, as the reference does. */
static int run_wait_break(struct io *io, const struct io_command *c, int argc, char **argv)
{
    int r;

    while (!(r = blk_debug_suspended(io->b, argv[1])))
        usleep(500);
    return result(r, "wait for breakpoint");
}

const struct io_command io_cmd_help = {
    .name = "help",
    .alt = "?",
    .max = 1,
    .no_file = true,
    .run = run_help,
    .args = "[command]",
    .oneline = "help for one or all commands",
};
const struct io_command io_cmd_quit = {
    .name = "quit",
    .alt = "q",
    .no_file = true,
    .run = run_quit,
    .oneline = "exit the program",
};
const struct io_command io_cmd_sleep = {
    .name = "sleep",
    .min = 1,
    .max = 1,
    .no_file = true,
    .run = run_sleep,
    .oneline = "waits for the given value in milliseconds",
};
const struct io_command io_cmd_abort = {
    .name = "abort",
    .no_file = true,
    .run = run_abort,
    .oneline = "simulate a program crash using abort(3)",
};
const struct io_command io_cmd_sigraise = {
    .name = "sigraise",
    .min = 1,
    .max = 1,
    .no_file = true,
    .run = run_sigraise,
    .args = "signal",
    .oneline = "raises a signal",
};
const struct io_command io_cmd_break = {
    .name = "break",
    .min = 2,
    .max = 2,
    .run = run_break,
    .args = "event tag",
    .oneline = "sets a breakpoint on event and tags the stopped request as tag",
};
const struct io_command io_cmd_remove_break = {
    .name = "remove_break",
    .min = 1,
    .max = 1,
    .run = run_remove_break,
    .args = "tag",
    .oneline = "remove a breakpoint by tag",
};
const struct io_command io_cmd_resume = {
    .name = "resume",
    .min = 1,
    .max = 1,
    .run = run_resume,
    .args = "tag",
    .oneline = "resumes the request tagged as tag",
};
const struct io_command io_cmd_wait_break = {
    .name = "wait_break",
    .min = 1,
    .max = 1,
    .run = run_wait_break,
    .args = "tag",
    .oneline = "waits for the suspension of a request",
};
