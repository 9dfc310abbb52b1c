/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 keyboard (ps2.h).
 * Source: IBM PS/2 Hardware Interface Technical Reference, "101- and 102-Key Keyboards", commands from the system.
 *
 * Keys that are typed faster than the guest reads wait in the queue, and then in that of ui/input.h: none is lost.  Answers to commands
 * go first, as "response codes do not occupy a buffer position"; drivers that wait for one drop what comes before it.
 * Keys repeat when whoever presses them says so: viewers do.  The typematic rate is kept and has no effect.
 */
#include "dev/backends.h"
#include "dev/input/ps2.h"

#include "bus/machine.h"

#include <errno.h>

enum { ACK = 0xfa, RESEND = 0xfe, BAT_OK = 0xaa };
enum {
    SET_LEDS = 0xed,
    ECHO = 0xee,
    SCAN_SET = 0xf0,
    READ_ID = 0xf2,
    SET_RATE = 0xf3,
    ENABLE = 0xf4,
    DISABLE = 0xf5,
    DEFAULTS = 0xf6,
    ALL_FIRST = 0xf7, /* all keys typematic, make/break ...: set 3 */
    ALL_LAST = 0xfa,
    KEY_FIRST = 0xfb, /* one key: followed by its code */
    KEY_LAST = 0xfd,
    LAST_AGAIN = 0xfe,
    RESET = 0xff,
};
enum { RATE_DEFAULT = 0x2b }; /* 10.9 a second after 500 ms */

/* --- Queues --- */

bool ps2_put(struct ps2_queue *q, const uint8_t *p, unsigned n)
{
    if (n > (unsigned)PS2_QUEUE - q->n)
        return false;
    for (; n; n--)
        q->data[(q->first + q->n++) % PS2_QUEUE] = *p++;
    return true;
}

int ps2_read(struct ps2_queue *q)
{
    uint8_t v = q->data[q->first];

    if (!q->n)
        return -1;
    q->first = (q->first + 1) % PS2_QUEUE;
    q->n--;
    return v;
}

void ps2_clear(struct ps2_queue *q)
{
    q->n = 0;
}

int ps2_queue_loaded(const struct ps2_queue *q, struct err *e)
{
    if (q->first >= PS2_QUEUE || q->n > PS2_QUEUE)
        return err_set(e, -EILSEQ, "queue of %u bytes at %u: at most %d", q->n, q->first, PS2_QUEUE);
    return 0;
}

const struct state ps2_queue_state[] = {
    STATE(ps2_queue, data, S_U8, 1, NULL),
    STATE(ps2_queue, first, S_U16, 1, NULL),
    STATE(ps2_queue, n, S_U16, 1, NULL),
    STATE_END,
};

/* --- Keys --- */

void ps2_wake(struct machine *m)
{
    if (machine_state(m) == RUN_SUSPENDED)
        machine_ask(m, ASK_WAKE, "input");
}

static bool room(void *opaque)
{
    const struct ps2_kbd *kb = opaque;

    return !kb->enabled || kb->q.n + KEY_SCAN_MAX <= PS2_QUEUE;
}

static void key(void *opaque, enum key k, bool down)
{
    struct ps2_kbd *kb = opaque;
    uint8_t bytes[KEY_SCAN_MAX];
    unsigned n;

    if (down)
        ps2_wake(kb->m);
    if (k == KEY_CTRL || k == KEY_CTRL_R)
        kb->ctrl = down ? kb->ctrl | (k == KEY_CTRL ? 1 : 2) : kb->ctrl & ~(k == KEY_CTRL ? 1 : 2);
    if (k == KEY_ALT || k == KEY_ALT_R)
        kb->alt = down ? kb->alt | (k == KEY_ALT ? 1 : 2) : kb->alt & ~(k == KEY_ALT ? 1 : 2);
    if (!kb->enabled)
        return;
    n = key_scan(kb->set, k, down, kb->ctrl, kb->alt, bytes);
    if (n && ps2_put(&kb->q, bytes, n))
        kb->changed(kb->opaque);
}

/* Between a command and its parameter the keyboard does not scan. */
int ps2_kbd_read(struct ps2_kbd *k)
{
    int v = ps2_read(&k->answers);

    return v < 0 && !k->command ? ps2_read(&k->q) : v;
}

void ps2_kbd_more(struct ps2_kbd *k)
{
    input_more(k->input);
}

/* What was typed until now goes nowhere. */
static void forget_keys(struct ps2_kbd *k)
{
    k->enabled = 0;
    input_more(k->input);
    ps2_clear(&k->q);
}

/* --- Commands --- */

static void answer(struct ps2_kbd *k, uint8_t v)
{
    k->last = v;
    ps2_put(&k->answers, &v, 1);
}

static void defaults(struct ps2_kbd *k)
{
    k->set = 2;
    k->typematic = RATE_DEFAULT;
}

static void set_leds(struct ps2_kbd *k, uint8_t leds)
{
    k->leds = leds & 7;
    input_set_leds(k->input, k->leds);
}

static void parameter(struct ps2_kbd *k, uint8_t v)
{
    uint8_t command = k->command;

    k->command = 0;
    if (command == SCAN_SET && v > 3) {
        answer(k, RESEND);
        return;
    }
    answer(k, ACK);
    switch (command) {
    case SET_LEDS:
        set_leds(k, v);
        return;
    case SCAN_SET:
        if (v)
            k->set = v;
        else
            answer(k, k->set);
        return;
    case SET_RATE:
        k->typematic = v & 0x7f;
        return;
    }
}

static void command(struct ps2_kbd *k, uint8_t v)
{
    switch (v) {
    case ECHO:
        answer(k, ECHO);
        return;
    case LAST_AGAIN:
        ps2_put(&k->answers, &k->last, 1);
        return;
    case READ_ID:
        answer(k, ACK);
        answer(k, 0xab);
        answer(k, 0x83);
        return;
    case SET_LEDS:
    case SCAN_SET:
    case SET_RATE:
    case KEY_FIRST ... KEY_LAST:
        k->command = v;
        answer(k, ACK);
        return;
    case ENABLE:
        forget_keys(k);
        k->enabled = 1;
        answer(k, ACK);
        return;
    case DISABLE:
    case DEFAULTS:
        forget_keys(k);
        defaults(k);
        k->enabled = v == DEFAULTS;
        answer(k, ACK);
        return;
    case ALL_FIRST ... ALL_LAST:
        answer(k, ACK);
        return;
    case RESET:
        ps2_kbd_reset(k);
        answer(k, ACK);
        answer(k, BAT_OK);
        return;
    }
    answer(k, RESEND);
}

void ps2_kbd_write(struct ps2_kbd *k, uint8_t v)
{
    if (k->command && v < SET_LEDS) /* a command in a parameter's place is a command */
        parameter(k, v);
    else {
        k->command = 0;
        command(k, v);
    }
    k->changed(k->opaque);
}

void ps2_kbd_reset(struct ps2_kbd *k)
{
    forget_keys(k);
    ps2_clear(&k->answers);
    k->command = 0;
    k->enabled = 1;
    k->last = 0;
    defaults(k);
    set_leds(k, 0);
}

int ps2_kbd_loaded(struct ps2_kbd *k, struct err *e)
{
    int r;

    if (k->set < 1 || k->set > 3)
        return err_set(e, -EILSEQ, "scan code set %u: 1..3", k->set);
    input_set_leds(k->input, k->leds & 7);
    if ((r = ps2_queue_loaded(&k->q, e)) < 0)
        return r;
    return ps2_queue_loaded(&k->answers, e);
}

static const struct input_handler kbd_handler = {
    .name = "QEMU PS/2 Keyboard", .takes = INPUT_KEYS, .key = key, .room = room};

void ps2_kbd_init(struct ps2_kbd *k, struct machine *m)
{
    k->m = m;
    k->input = input_add(machine_input(m), &kbd_handler, k);
    k->set = 2;
}

void ps2_kbd_fini(struct ps2_kbd *k)
{
    input_remove(k->input);
}

const struct state ps2_kbd_state[] = {
    PS2_STATE(ps2_kbd, q, ps2_queue_state),
    STATE(ps2_kbd, command, S_U8, 1, NULL),
    STATE(ps2_kbd, set, S_U8, 1, "1..3"),
    STATE(ps2_kbd, leds, S_U8, 1, NULL),
    STATE(ps2_kbd, typematic, S_U8, 1, NULL),
    STATE(ps2_kbd, last, S_U8, 1, NULL),
    STATE(ps2_kbd, enabled, S_U8, 1, NULL),
    STATE(ps2_kbd, ctrl, S_U8, 1, NULL),
    STATE(ps2_kbd, alt, S_U8, 1, NULL),
    {.name = "answers", .kind = S_STRUCT, .offset = offsetof(struct ps2_kbd, answers), .n = 1,
     .elem = sizeof(struct ps2_queue), .since = 2, .table = ps2_queue_state},
    STATE_END,
};
