/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboards and mice.  Whoever has a person (VNC, a window) or a script (sendkey) says what is pressed and moved; devices of the
 * machine register and are told.  The keys are those of keys.def, with the names that people know from `sendkey`.
 *
 * Under the machine's lock or on the main loop's thread, which has it.  A struct input that is NULL is nobody: nothing happens.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key {
    KEY_UNKNOWN,
#define KEY(name, qcode, evdev, set1, set2, set3, keysym) KEY_##name,
#include "ui/keys.def"
#undef KEY
    KEY_NUM
};

enum pointer_button {
    BUTTON_LEFT,
    BUTTON_MIDDLE,
    BUTTON_RIGHT,
    BUTTON_WHEEL_UP, /* a notch is a press and a release */
    BUTTON_WHEEL_DOWN,
    BUTTON_SIDE,
    BUTTON_EXTRA,
    BUTTON_WHEEL_LEFT,
    BUTTON_WHEEL_RIGHT,
    BUTTON_NUM
};

enum { INPUT_KEYS = 1, INPUT_BUTTONS = 2, INPUT_REL = 4, INPUT_ABS = 8 };
enum { INPUT_ABS_MAX = 0x7fff };
enum { LED_SCROLL = 1, LED_NUM = 2, LED_CAPS = 4 }; /* as in the PS/2 keyboard's command ED */

struct input;
struct input_dev;

/** struct input_handler - a device that is told; constant.  Functions that it does not need are NULL. */
struct input_handler {
    const char *name; /* as `info mice` has it: "QEMU PS/2 Mouse" */
    unsigned takes;   /* INPUT_* */
    void (*key)(void *opaque, enum key k, bool down);
    void (*button)(void *opaque, enum pointer_button b, bool down);
    void (*rel)(void *opaque, int dx, int dy); /* right and down are positive */
    void (*abs)(void *opaque, int x, int y);   /* 0..INPUT_ABS_MAX over the screen */
    bool (*room)(void *opaque); /* for a key?  While there is none they wait, until input_more().  NULL: always */
    void (*sync)(void *opaque); /* what came since the last one belongs together: movement and buttons of one moment */
};

/** struct input_env - what delays and stopped machines need; NULL members: delays last no time, keys are always taken. */
struct input_env {
    void (*arm)(void *opaque, int64_t ns); /* call input_due() once, @ns from now, in the guest's time */
    bool (*awake)(void *opaque);           /* does anybody listen?  A stopped machine's keys are lost */
    void *opaque;
};

struct input *input_new(const struct input_env *env); /* @env, which may be NULL, outlives it */
void input_free(struct input *in);
void input_due(struct input *in);

/**
 * input_add - a device.  Of those that take the same kind of event, the one that came or was activated last is told.
 * input_activate - it goes before the others: the guest has begun to use it.  input_remove - NULL: nothing.
 */
struct input_dev *input_add(struct input *in, const struct input_handler *h, void *opaque);
void input_activate(struct input_dev *d);
void input_remove(struct input_dev *d);
/** input_more - there is room for a key again. */
void input_more(struct input_dev *d);
/** input_set_leds - what the guest shows on this keyboard (LED_*).  input_leds - of the keyboard that is told of keys. */
void input_set_leds(struct input_dev *d, unsigned leds);
unsigned input_leds(const struct input *in);

/* What happens.  input_key waits behind what input_delay has put off; so do the others, each in the order of the calls.
 * Keys wait for their device's room, too; one that is held then does not repeat.  At most INPUT_QUEUE events wait: more are dropped, but
 * for releases of keys. */
enum { INPUT_QUEUE = 4096 }; /* a page of text, its releases, and VNC's delays between them */
void input_key(struct input *in, enum key k, bool down);
void input_button(struct input *in, enum pointer_button b, bool down);
void input_rel(struct input *in, int dx, int dy);
void input_abs(struct input *in, int x, int y);
void input_sync(struct input *in);
void input_delay(struct input *in, unsigned ms);
/** input_release_all - keys and buttons that are down go up: whoever held them is gone.  input_key_is_down - once all that waits is told. */
void input_release_all(struct input *in);
bool input_key_is_down(const struct input *in, enum key k);

/** input_absolute - would input_abs() reach anybody, before input_rel() does?  input_on_change - @fn(opaque) when that or the LEDs may
 * have changed; input_off_change - no more. */
bool input_absolute(const struct input *in);
void input_on_change(struct input *in, void (*fn)(void *opaque), void *opaque);
void input_off_change(struct input *in, void *opaque);

/** input_send_keys - "ctrl-alt-f1": all down in this order, held for @hold_ms (0: 100), all up.  Names of keys.def, "<" for "less", or
 * codes of set 1 as 0x1e; a two-byte one has 0xe0 or 0x80 in it.  -EINVAL "invalid parameter: foo". */
int input_send_keys(struct input *in, const char *text, unsigned hold_ms, struct err *e);
/** input_each_mouse - in the order of birth; @current: it is told of movement. */
void input_each_mouse(const struct input *in,
                      void (*fn)(void *opaque, int index, const char *name, bool absolute, bool current), void *opaque);
/** input_set_mouse - activate the one with this index; -ENOENT. */
int input_set_mouse(struct input *in, int index, struct err *e);

/* Keys by their names and numbers; KEY_UNKNOWN and NULL for what is none. */
const char *key_name(enum key k);
enum key key_by_name(const char *name, size_t len);
enum key key_by_evdev(unsigned code);  /* Linux's number: XT's for the old keys */
unsigned key_evdev(enum key k);
enum key key_by_set1(unsigned code); /* 0x1e, 0xe01c; as one byte (VNC's, sendkey's): 0x80 is 0xe0 */
enum key key_by_keysym(uint32_t sym, bool *shift); /* on a US keyboard; *shift: with Shift */

/** key_scan - the bytes that a keyboard sends in scan code set @set (1, 2 or 3) when @k is pressed or let go.  @ctrl, @alt: are they down?
 * (Pause and Print differ.)  Number of bytes, at most KEY_SCAN_MAX; 0: the set has no code for it, or sends nothing. */
enum { KEY_SCAN_MAX = 8 };
unsigned key_scan(unsigned set, enum key k, bool down, bool ctrl, bool alt, uint8_t out[KEY_SCAN_MAX]);

#endif
