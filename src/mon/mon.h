/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The human monitor on a character back end: lines with editing, history and completion; commands are the rows of
 * commands.def.  On the main loop, under the machine's lock.
 */
#ifndef MON_MON_H
#define MON_MON_H

#include "board/board.h"

struct mon;

/** struct mon_env - what commands work on; outlives the monitors. */
struct mon_env {
    struct machine *m;
    const struct conf *conf;
    struct blk_env *blk; /* where `change` opens images */
    const char *version; /* "7.2.22" */
    const char *package; /* "Emu 0.1" */
    /** object_add - as -object on the command line; object_del - its end; the program's.  May be NULL. */
    int (*object_add)(void *opaque, struct json_object *opts, struct err *e);
    int (*object_del)(void *opaque, const char *id, struct err *e);
    /** add_drive, del_drive, add_chardev, del_chardev - as -drive and -chardev; the program's.  May be NULL. */
    int (*add_drive)(void *opaque, const char *text, struct err *e);
    int (*del_drive)(void *opaque, const char *id, struct err *e);
    int (*add_chardev)(void *opaque, const char *text, struct err *e);
    int (*del_chardev)(void *opaque, const char *id, struct err *e);
    /** board_devs - how many devices the board has made: the others are the user's. */
    unsigned board_devs;
    /** net_add, net_del - as -netdev; the program's.  May be NULL. */
    int (*net_add)(void *opaque, struct json_object *opts, struct err *e);
    int (*net_del)(void *opaque, const char *id, struct err *e);
    /** gdbserver - as -gdb: in the place of the one that is there; "none": ends it.  The program's.  May be NULL. */
    int (*gdbserver)(void *opaque, const char *dev, struct err *e);
    /** log_items, log_file, log_help - as -d, -D and -d help; the program's.  May be NULL. */
    int (*log_items)(void *opaque, const char *list, struct err *e);
    int (*log_file)(void *opaque, const char *path, struct err *e);
    void (*log_help)(void (*put)(void *to, const char *text), void *to);
    void *opaque;
};

/**
 * mon_new - @shared: another front end of @c has the keyboard until Ctrl-A c.
 * NULL: -EBUSY from chr_attach().
 */
struct mon *mon_new(const struct mon_env *env, struct chr *c, bool shared, struct err *e);
void mon_free(struct mon *m);

/**
 * mon_run_for - one command line of somebody who has no terminal: gdb's "monitor", for one.  @cpu: index of the CPU that
 * commands look at, which `cpu` changes; @put(to, text) takes the output as it comes.
 */
void mon_run_for(const struct mon_env *env, unsigned *cpu, const char *line,
                 void (*put)(void *to, const char *text), void *to);

#endif
