/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitors of a machine, on the character back ends that -monitor, -mon and -nographic named. */
#include "app/system/objects.h"
#include "mon/mon.h"

#include <stdlib.h>

static int add_object(void *opaque, struct json_object *opts, struct err *e)
{
    return object_add(opaque, opts, e);
}

static int del_object(void *opaque, const char *id, struct err *e)
{
    return object_del(opaque, id, e);
}

static int add_drive(void *opaque, const char *text, struct err *e)
{
    return drive_add(opaque, text, e);
}

static int del_drive(void *opaque, const char *id, struct err *e)
{
    return drive_del(opaque, id, e);
}

static int add_chardev(void *opaque, const char *text, struct err *e)
{
    return chardev_add(opaque, text, e);
}

static int del_chardev(void *opaque, const char *id, struct err *e)
{
    return chardev_del(opaque, id, e);
}

static int add_net(void *opaque, struct json_object *opts, struct err *e)
{
    return net_add(opaque, opts, e);
}

static int del_net(void *opaque, const char *id, struct err *e)
{
    return net_del(opaque, id, e);
}

static int log_items(void *opaque, const char *list, struct err *e)
{
    return logs_items(opaque, list, e);
}

static int log_file(void *opaque, const char *path, struct err *e)
{
    return logs_file(opaque, path, e);
}

/* In the order in which they were asked for, which is the list's from behind: the first has the keyboard.  Unless a serial port
 * has: then they wait for Ctrl-A c. */
static int make(struct sys *s, struct named *n, struct err *e)
{
    int r = n ? make(s, n->next, e) : 0;
    struct chr *c;

    if (!n)
        return 0;
    c = n->p;
    n->p = r < 0 ? NULL : mon_new(&s->mon_env, c, chr_in_use(c), e);
    return r < 0 ? r : n->p ? 0 : e->code;
}

int monitors_make(struct sys *s, struct err *e)
{
    s->mon_env = (struct mon_env){.m = s->m, .conf = &s->conf, .blk = s->blk, .board_devs = s->board_devs,
                                  .version = SYSTEM_VERSION, .package = "Emu 0.1",
                                  .object_add = add_object, .object_del = del_object,
                                  .add_drive = add_drive, .del_drive = del_drive, .add_chardev = add_chardev, .del_chardev = del_chardev,
                                  .net_add = add_net, .net_del = del_net,
                                  .gdbserver = machine_gdb_listen,
                                  .log_items = log_items, .log_file = log_file,
                                  .log_help = logs_help, .opaque = s};
    return make(s, s->mons, e) < 0 ? err_wrap(e, e->code, "monitor") : 0;
}

void monitors_close(struct sys *s)
{
    for (struct named *n; (n = s->mons);) {
        s->mons = n->next;
        if (s->mon_env.m)
            mon_free(n->p);
        free(n->id);
        free(n);
    }
}
