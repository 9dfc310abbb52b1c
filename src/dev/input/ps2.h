/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 keyboard and mouse, as parts of a controller (i8042.c): bytes go in, bytes come out.
 * Source: IBM PS/2 Hardware Interface Technical Reference, Keyboards and Mouse; Microsoft, "IntelliMouse" and "Explorer" protocols.
 * Under the machine's lock.
 */
#ifndef DEV_INPUT_PS2_H
#define DEV_INPUT_PS2_H

#include "bus/dev.h"
#include "ui/input.h"

enum { PS2_QUEUE = 256 };

/** struct ps2_queue - bytes on their way to the controller. */
struct ps2_queue {
    uint8_t data[PS2_QUEUE];
    uint16_t first, n;
};

struct ps2_kbd {
    struct ps2_queue q;
    struct ps2_queue answers; /* to commands: they go before keys that wait */
    uint8_t command; /* whose parameter is awaited; 0: none */
    uint8_t set;     /* scan codes: 1, 2, 3 */
    uint8_t leds, typematic, last;
    uint8_t enabled; /* scans */
    uint8_t ctrl, alt; /* keys that are down */
    struct input_dev *input;
    struct machine *m;
    void (*changed)(void *opaque); /* there is a byte */
    void *opaque;
};

struct ps2_mouse {
    struct ps2_queue q;
    uint8_t command;
    uint8_t id; /* 0, 3: with a wheel, 4: with five buttons */
    uint8_t rate, resolution, last;
    uint8_t enabled, remote, scaled, wrapped;
    uint8_t knocks[2]; /* the last two rates: a sequence of three chooses the protocol */
    uint8_t buttons; /* 0 left, 1 right, 2 middle, 3 side, 4 extra */
    uint8_t sent_buttons;
    uint32_t dx, dy, dz; /* since the last packet; signed */
    struct input_dev *input;
    struct machine *m;
    void (*changed)(void *opaque);
    void *opaque;
};

/** ps2_wake - a key or button is pressed: a machine that sleeps (S3) wakes. */
void ps2_wake(struct machine *m);

extern const struct state ps2_kbd_state[], ps2_mouse_state[];
#define PS2_STATE(type, m, table_)                                                                 \
    {                                                                                              \
        .name = #m, .kind = S_STRUCT, .offset = offsetof(struct type, m), .n = 1,                  \
        .elem = sizeof(((struct type *)0)->m), .since = 1, .table = table_                         \
    }

/** ps2_kbd_init, ps2_mouse_init - with @changed and @opaque set: they are told of events.  ..._fini - no longer. */
void ps2_kbd_init(struct ps2_kbd *k, struct machine *m);
void ps2_mouse_init(struct ps2_mouse *u, struct machine *m);
void ps2_kbd_fini(struct ps2_kbd *k);
void ps2_mouse_fini(struct ps2_mouse *u);
void ps2_kbd_reset(struct ps2_kbd *k);
void ps2_mouse_reset(struct ps2_mouse *u);
int ps2_kbd_loaded(struct ps2_kbd *k, struct err *e);
int ps2_mouse_loaded(struct ps2_mouse *u, struct err *e);

/** ps2_kbd_write, ps2_mouse_write - a byte from the controller. */
void ps2_kbd_write(struct ps2_kbd *k, uint8_t v);
void ps2_mouse_write(struct ps2_mouse *u, uint8_t v);
/** ps2_kbd_read - the next byte of the keyboard's, 0..255; -1: none.  ps2_read - of a queue, 0..255; -1: none. */
int ps2_kbd_read(struct ps2_kbd *k);
int ps2_read(struct ps2_queue *q);
static inline bool ps2_has(const struct ps2_queue *q)
{
    return q->n;
}
/** ps2_kbd_more, ps2_mouse_more - keys and movement that had no room are sent now: after reading, when that byte has found its place. */
void ps2_kbd_more(struct ps2_kbd *k);
void ps2_mouse_more(struct ps2_mouse *u);

/* For the two files that share them.  ps2_put - false: there is no room for all of it, and nothing is put. */
bool ps2_put(struct ps2_queue *q, const uint8_t *p, unsigned n);
void ps2_clear(struct ps2_queue *q);
int ps2_queue_loaded(const struct ps2_queue *q, struct err *e);
extern const struct state ps2_queue_state[];

#endif
