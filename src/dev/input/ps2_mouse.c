/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 mouse with the wheel and the buttons of IntelliMouse and Explorer (ps2.h).
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Mouse"; Microsoft's "PS/2 wheel mouse" notes.
 */
#include "dev/backends.h"
#include "dev/input/ps2.h"

#include <errno.h>

enum { ACK = 0xfa, RESEND = 0xfe, BAT_OK = 0xaa };
enum {
    SCALE_1 = 0xe6,
    SCALE_2 = 0xe7,
    RESOLUTION = 0xe8,
    STATUS = 0xe9,
    STREAM = 0xea,
    READ_DATA = 0xeb,
    UNWRAP = 0xec,
    WRAP = 0xee,
    REMOTE = 0xf0,
    READ_ID = 0xf2,
    RATE = 0xf3,
    ENABLE = 0xf4,
    DISABLE = 0xf5,
    DEFAULTS = 0xf6,
    LAST_AGAIN = 0xfe,
    RESET = 0xff,
};
enum { FULL = 16 };          /* bytes that wait while movement goes on being added up */
enum { FAR = 1 << 20 };      /* of movement nobody fetches */

static void answer(struct ps2_mouse *u, uint8_t v)
{
    u->last = v;
    ps2_put(&u->q, &v, 1);
}

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* 2:1 scaling of stream mode: the manual's table. */
static int scale(const struct ps2_mouse *u, int v)
{
    static const uint8_t small[] = {0, 1, 1, 3, 6, 9};
    int n = v < 0 ? -v : v;

    if (!u->scaled)
        return v;
    n = n < 6 ? small[n] : 2 * n;
    return v < 0 ? -n : n;
}

/* How much of a movement fits into a packet; the rest stays. */
static int take(uint32_t *d, int low, int high)
{
    int v = clamp((int32_t)*d, low, high);

    *d -= (uint32_t)v;
    return v;
}

static void packet(struct ps2_mouse *u, bool stream)
{
    int dx = take(&u->dx, -127, 127), dy = take(&u->dy, -127, 127), dz = 0;
    uint8_t p[4];

    if (stream) {
        dx = scale(u, dx);
        dy = scale(u, dy);
    }
    if (u->id)
        dz = take(&u->dz, u->id == 4 ? -7 : -127, u->id == 4 ? 7 : 127);
    u->sent_buttons = u->buttons;
    p[0] = 0x08 | (u->buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0);
    p[1] = (uint8_t)dx;
    p[2] = (uint8_t)dy;
    p[3] = u->id == 4 ? (dz & 0x0f) | (u->buttons & 0x18) << 1 : (uint8_t)dz;
    ps2_put(&u->q, p, u->id ? 4 : 3);
}

static bool news(const struct ps2_mouse *u)
{
    uint8_t buttons = u->id == 4 ? 0x1f : 7;

    return u->dx || u->dy || (u->id && u->dz) || (u->buttons ^ u->sent_buttons) & buttons;
}

/* At most FULL bytes wait, so what is far away takes as many packets as the guest fetches. */
void ps2_mouse_more(struct ps2_mouse *u)
{
    if (!u->enabled || u->remote || u->wrapped)
        return;
    while (u->q.n < FULL - 4 && news(u))
        packet(u, true);
}

/* --- Events --- */

static uint32_t add(uint32_t d, int v)
{
    return (uint32_t)clamp(clamp(v, -FAR, FAR) + (int32_t)d, -FAR, FAR);
}

static void moved(void *opaque, int dx, int dy)
{
    struct ps2_mouse *u = opaque;

    u->dx = add(u->dx, dx);
    u->dy = add(u->dy, dy > -FAR ? -dy : FAR); /* up is positive */
}

static void button(void *opaque, enum pointer_button b, bool down)
{
    static const uint8_t bits[BUTTON_NUM] = {
        [BUTTON_LEFT] = 1, [BUTTON_RIGHT] = 2, [BUTTON_MIDDLE] = 4, [BUTTON_SIDE] = 8, [BUTTON_EXTRA] = 16};
    struct ps2_mouse *u = opaque;

    if (down)
        ps2_wake(u->m);
    if (down && (b == BUTTON_WHEEL_UP || b == BUTTON_WHEEL_DOWN))
        u->dz = add(u->dz, b == BUTTON_WHEEL_UP ? -1 : 1);
    u->buttons = down ? u->buttons | bits[b] : u->buttons & ~bits[b];
}

static void sync_moment(void *opaque)
{
    struct ps2_mouse *u = opaque;

    if (!u->enabled)
        u->dx = u->dy = u->dz = 0;
    ps2_mouse_more(u);
    u->changed(u->opaque);
}

/* --- Commands --- */

static void defaults(struct ps2_mouse *u)
{
    u->rate = 100;
    u->resolution = 2;
    u->scaled = u->remote = u->enabled = u->wrapped = 0;
    u->dx = u->dy = u->dz = 0;
}

/* Rates 200, 100, 80 in a row: a wheel; 200, 200, 80: five buttons, of one that has a wheel or not. */
static void set_rate(struct ps2_mouse *u, uint8_t v)
{
    if (u->knocks[0] == 200 && u->knocks[1] == 100 && v == 80)
        u->id = 3;
    if (u->knocks[0] == 200 && u->knocks[1] == 200 && v == 80)
        u->id = 4;
    u->knocks[0] = u->knocks[1];
    u->knocks[1] = v;
    u->rate = v;
}

static void status(struct ps2_mouse *u)
{
    answer(u, (u->remote ? 0x40 : 0) | (u->enabled ? 0x20 : 0) | (u->scaled ? 0x10 : 0) |
                  (u->buttons & 1) << 2 | (u->buttons & 4) >> 1 | (u->buttons & 2) >> 1);
    answer(u, u->resolution);
    answer(u, u->rate);
}

static void plain_command(struct ps2_mouse *u, uint8_t v)
{
    switch (v) {
    case SCALE_1:
    case SCALE_2:
        u->scaled = v == SCALE_2;
        return;
    case RESOLUTION:
    case RATE:
        u->command = v;
        return;
    case STATUS:
        status(u);
        return;
    case STREAM:
    case REMOTE:
        u->remote = v == REMOTE;
        return;
    case READ_DATA:
        packet(u, false);
        return;
    case WRAP:
        u->wrapped = 1;
        return;
    case READ_ID:
        answer(u, u->id);
        return;
    case ENABLE:
        u->enabled = 1;
        input_activate(u->input);
        return;
    case DISABLE:
        u->enabled = 0;
        return;
    case DEFAULTS:
        defaults(u);
        return;
    }
}

static bool known(uint8_t v)
{
    return v == SCALE_1 || v == SCALE_2 || (v >= RESOLUTION && v <= READ_DATA) || v == WRAP ||
           v == UNWRAP || v == REMOTE || (v >= READ_ID && v <= DEFAULTS);
}

static void command(struct ps2_mouse *u, uint8_t v)
{
    if (v == RESET) {
        ps2_mouse_reset(u);
        answer(u, ACK);
        answer(u, BAT_OK);
        answer(u, 0);
    } else if (v == LAST_AGAIN) {
        ps2_put(&u->q, &u->last, 1);
    } else if (known(v)) {
        ps2_clear(&u->q);
        answer(u, ACK);
        plain_command(u, v);
    } else {
        answer(u, RESEND);
    }
}

static void parameter(struct ps2_mouse *u, uint8_t v)
{
    answer(u, ACK);
    if (u->command == RATE)
        set_rate(u, v);
    else
        u->resolution = v & 3;
    u->command = 0;
}

void ps2_mouse_write(struct ps2_mouse *u, uint8_t v)
{
    if (u->wrapped && v != RESET && v != UNWRAP) {
        answer(u, v);
    } else if (u->command && v < SCALE_1) {
        parameter(u, v);
    } else {
        u->command = 0;
        u->wrapped = 0;
        command(u, v);
    }
    ps2_mouse_more(u);
    u->changed(u->opaque);
}

void ps2_mouse_reset(struct ps2_mouse *u)
{
    ps2_clear(&u->q);
    u->command = u->id = u->last = u->sent_buttons = 0;
    u->knocks[0] = u->knocks[1] = 0;
    defaults(u);
}

int ps2_mouse_loaded(struct ps2_mouse *u, struct err *e)
{
    u->dx = add(u->dx, 0);
    u->dy = add(u->dy, 0);
    u->dz = add(u->dz, 0);
    if (u->id != 0 && u->id != 3 && u->id != 4)
        return err_set(e, -EILSEQ, "mouse %u: 0, 3 or 4", u->id);
    return ps2_queue_loaded(&u->q, e);
}

static const struct input_handler mouse_handler = {
    .name = "QEMU PS/2 Mouse",
    .takes = INPUT_BUTTONS | INPUT_REL,
    .button = button,
    .rel = moved,
    .sync = sync_moment,
};

void ps2_mouse_init(struct ps2_mouse *u, struct machine *m)
{
    u->m = m;
    u->input = input_add(machine_input(m), &mouse_handler, u);
}

void ps2_mouse_fini(struct ps2_mouse *u)
{
    input_remove(u->input);
}

const struct state ps2_mouse_state[] = {
    PS2_STATE(ps2_mouse, q, ps2_queue_state),
    STATE(ps2_mouse, command, S_U8, 1, NULL),
    STATE(ps2_mouse, id, S_U8, 1, "0, 3 or 4"),
    STATE(ps2_mouse, rate, S_U8, 1, NULL),
    STATE(ps2_mouse, resolution, S_U8, 1, NULL),
    STATE(ps2_mouse, last, S_U8, 1, NULL),
    STATE(ps2_mouse, enabled, S_U8, 1, NULL),
    STATE(ps2_mouse, remote, S_U8, 1, NULL),
    STATE(ps2_mouse, scaled, S_U8, 1, NULL),
    STATE(ps2_mouse, wrapped, S_U8, 1, NULL),
    STATE(ps2_mouse, knocks, S_U8, 1, "the last two rates"),
    STATE(ps2_mouse, buttons, S_U8, 1, NULL),
    STATE(ps2_mouse, sent_buttons, S_U8, 1, NULL),
    STATE(ps2_mouse, dx, S_U32, 1, "signed"),
    STATE(ps2_mouse, dy, S_U32, 1, "signed"),
    STATE(ps2_mouse, dz, S_U32, 1, "signed"),
    STATE_END,
};
