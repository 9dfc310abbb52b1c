/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sendkey, mouse_move, mouse_button, mouse_set, info mice. */
#include "mon/mon_priv.h"

#include "dev/backends.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* What is no failure of the command is printed as it is. */
static int say(struct mon *m, struct err *e)
{
    if (e->code)
        mon_printf(m, "%s\n", e->msg);
    *e = (struct err){0};
    return 0;
}

static int sendkey(struct mon *m, const char *args, struct err *e)
{
    char keys[256];
    uint64_t hold = 0;

    if (!mon_word(&args, keys, sizeof(keys)))
        return err_set(e, -EINVAL, "sendkey: string expected");
    if ((*args && mon_expr(m, &args, &hold, e) < 0) || mon_end(args, e) < 0)
        return e->code;
    input_send_keys(machine_input(m->env->m), keys, hold > INT_MAX ? INT_MAX : (unsigned)hold, e);
    return say(m, e);
}

static void complete_keys(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text), void *opaque)
{
    for (unsigned k = 1; n == 0 && k < KEY_NUM; k++)
        word(opaque, key_name((enum key)k));
}

const struct mon_command cmd_sendkey = {
    .name = "sendkey",
    .args = "keys [hold_ms]",
    .help = "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)",
    .run = sendkey,
    .complete = complete_keys,
};

/* A word that is a number; false: there is none, or it is something else. */
static bool number(const char **args, long *v)
{
    char text[32], *end;

    if (!mon_word(args, text, sizeof(text)))
        return false;
    *v = strtol(text, &end, 0);
    return !*end && *v >= -65535 && *v <= 65535;
}

static int mouse_move(struct mon *m, const char *args, struct err *e)
{
    struct input *in = machine_input(m->env->m);
    long dx, dy, dz = 0;

    if (!number(&args, &dx) || !number(&args, &dy) || (*args && !number(&args, &dz)))
        return err_set(e, -EINVAL, "mouse_move: string expected");
    if (mon_end(args, e) < 0)
        return e->code;
    input_rel(in, (int)dx, (int)dy);
    if (dz) {
        enum pointer_button b = dz > 0 ? BUTTON_WHEEL_UP : BUTTON_WHEEL_DOWN;

        input_button(in, b, true);
        input_sync(in);
        input_button(in, b, false);
    }
    input_sync(in);
    return 0;
}

const struct mon_command cmd_mouse_move = {
    .name = "mouse_move",
    .args = "dx dy [dz]",
    .help = "send mouse move events",
    .run = mouse_move,
};

static int mouse_button(struct mon *m, const char *args, struct err *e)
{
    struct input *in = machine_input(m->env->m);
    uint64_t state;

    if (mon_expr(m, &args, &state, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    input_button(in, BUTTON_LEFT, state & 1);
    input_button(in, BUTTON_MIDDLE, state & 2);
    input_button(in, BUTTON_RIGHT, state & 4);
    input_sync(in);
    return 0;
}

const struct mon_command cmd_mouse_button = {
    .name = "mouse_button",
    .args = "state",
    .help = "change mouse button state (1=L, 2=M, 4=R)",
    .run = mouse_button,
};

static int mouse_set(struct mon *m, const char *args, struct err *e)
{
    uint64_t index;

    if (mon_expr(m, &args, &index, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    input_set_mouse(machine_input(m->env->m), index > INT_MAX ? INT_MAX : (int)index, e);
    return say(m, e);
}

const struct mon_command cmd_mouse_set = {
    .name = "mouse_set",
    .args = "index",
    .help = "set which mouse device receives events",
    .run = mouse_set,
};

struct mice {
    struct mon *m;
    bool any;
};

static void print_mouse(void *opaque, int index, const char *name, bool absolute, bool current)
{
    struct mice *x = opaque;

    x->any = true;
    mon_printf(x->m, "%c Mouse #%d: %s%s\n", current ? '*' : ' ', index, name, absolute ? " (absolute)" : "");
}

static int mice(struct mon *m, const char *args, struct err *e)
{
    struct mice x = {.m = m};

    if (mon_end(args, e) < 0)
        return e->code;
    input_each_mouse(machine_input(m->env->m), print_mouse, &x);
    if (!x.any)
        mon_puts(m, "No mouse devices connected\n");
    return 0;
}

const struct mon_command info_mice = {
    .name = "mice", .args = "", .help = "show which guest mouse is receiving events", .run = mice};
