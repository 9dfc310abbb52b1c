/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "i8042": the keyboard and mouse controller of a PC: ports 60h and 64h.
 * Sources: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller"; scan codes are translated as
 * in Microsoft's "Keyboard Scan Code Specification" 1.3a, table of set 2 and set 1.
 *
 * An answer of the controller's or the keyboard's that comes while the guest has not read a device's byte goes first, and the byte comes
 * again after it: who asks is told what was asked for, and no key is lost.  (Linux drops keys that come while it waits for an answer.)
 *
 * A byte that was read stays in the output buffer for a while before the next one comes, as it does over a serial line: interrupt
 * handlers that chain to others all read the same.
 */
#include "dev/input/i8042.h"

#include "base/trace.h"
#include "dev/input/ps2.h"
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    ST_OBF = 0x01,
    ST_SYS = 0x04,
    ST_CMD = 0x08,
    ST_UNLOCKED = 0x10,
    ST_AUX = 0x20,
};
enum {
    CB_KBD_INT = 0x01,
    CB_AUX_INT = 0x02,
    CB_SYS = 0x04,
    CB_KBD_OFF = 0x10,
    CB_AUX_OFF = 0x20,
    CB_XLATE = 0x40,
};
enum { OUT_RESET = 0x01, OUT_A20 = 0x02, OUT_OBF = 0x10, OUT_AUX = 0x20, OUT_FIXED = 0xc0 };
enum {
    READ_RAM = 0x20,
    WRITE_RAM = 0x60,
    AUX_OFF = 0xa7,
    AUX_ON = 0xa8,
    AUX_TEST = 0xa9,
    SELF_TEST = 0xaa,
    KBD_TEST = 0xab,
    KBD_OFF = 0xad,
    KBD_ON = 0xae,
    READ_INPUT = 0xc0,
    READ_OUTPUT = 0xd0,
    WRITE_OUTPUT = 0xd1,
    WRITE_KBD_BUF = 0xd2,
    WRITE_AUX_BUF = 0xd3,
    WRITE_AUX = 0xd4,
    A20_OFF = 0xdd,
    A20_ON = 0xdf,
    READ_TEST = 0xe0,
    PULSE = 0xf0,
};
enum { BYTE_NS = 200000 };
enum { FROM_CONTROLLER, FROM_DEVICE, FROM_KEYBOARD_ANSWER };

struct i8042 {
    struct dev dev;
    struct ps2_kbd kbd;
    struct ps2_mouse mouse;
    uint8_t ram[32];  /* [0]: command byte */
    uint8_t command;  /* whose data byte is awaited; 0: none */
    uint8_t status;   /* OBF, AUX, CMD */
    uint8_t data;     /* output buffer */
    uint8_t output;   /* port P2: RESET, A20 */
    uint8_t released; /* the keyboard has said F0 */
    uint8_t from;            /* whose byte is in the output buffer */
    uint8_t held, held_from; /* one of a device's that an answer came before; OBF, and AUX if the mouse's: there is one */
    struct timer next; /* the line is free again */
    struct mem data_port, command_port;
};

enum { TP_COMMAND, TP_DATA };
static struct trace_point i8042_trace[] = {
    [TP_COMMAND] = {.name = "i8042_command"}, [TP_DATA] = {.name = "i8042_data"}, {.name = NULL}};

static struct i8042 *i8042_of(struct dev *d)
{
    return (struct i8042 *)d;
}

/* Set 2 to set 1; from 80h on only 83h (F7) and 84h (Alt-SysRq) change. */
static const uint8_t set1[128] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static void update_lines(struct i8042 *c)
{
    bool full = c->status & ST_OBF, aux = c->status & ST_AUX;

    irq_set(&c->dev.irq[I8042_KBD], full && !aux && c->ram[0] & CB_KBD_INT);
    irq_set(&c->dev.irq[I8042_MOUSE], full && aux && c->ram[0] & CB_AUX_INT);
    irq_set(&c->dev.irq[I8042_A20], c->output & OUT_A20);
}

/* --- The output buffer --- */

static void put(struct i8042 *c, uint8_t v, bool aux)
{
    c->data = v;
    c->status = (c->status & ~ST_AUX) | ST_OBF | (aux ? ST_AUX : 0);
    update_lines(c);
}

static void put_device(struct i8042 *c, uint8_t v, bool aux, uint8_t from)
{
    c->from = from;
    put(c, v, aux);
}

/* The byte in the output buffer makes room for an answer. */
static void hold(struct i8042 *c)
{
    c->held = c->data;
    c->held_from = c->status & (ST_OBF | ST_AUX);
    c->status &= ~ST_OBF;
}

static void answer(struct i8042 *c, uint8_t v, bool aux)
{
    if (c->status & ST_OBF && c->from != FROM_CONTROLLER && !c->held_from)
        hold(c);
    c->from = FROM_CONTROLLER;
    put(c, v, aux);
}

/* A byte of the keyboard's for the buffer; -1: none.  F0 makes the next code one of a key that is let go. */
static int from_keyboard(struct i8042 *c)
{
    int v = ps2_kbd_read(&c->kbd);

    if (!(c->ram[0] & CB_XLATE)) {
        c->released = 0;
        return v;
    }
    if (v == 0xf0) {
        c->released = 0x80;
        v = ps2_read(&c->kbd.q);
    }
    if (v < 0)
        return v;
    v = v < 128 ? set1[v] : v == 0x83 ? 0x41 : v == 0x84 ? 0x54 : v;
    v |= v < 128 ? c->released : 0;
    c->released = 0;
    return v;
}

/* The held byte's turn?  Answers of the keyboard's go first, and it says no key before it has its command's parameter. */
static bool held_is_next(const struct i8042 *c)
{
    bool aux = c->held_from & ST_AUX;

    return c->held_from && (aux || !(ps2_has(&c->kbd.answers) || c->kbd.command));
}

static void fill(void *opaque)
{
    struct i8042 *c = opaque;
    uint8_t from = ps2_has(&c->kbd.answers) ? FROM_KEYBOARD_ANSWER : FROM_DEVICE;
    int v;

    if (c->status & ST_OBF || timer_armed(&c->next))
        return;
    if (held_is_next(c)) {
        bool aux = c->held_from & ST_AUX;

        c->held_from = 0;
        put_device(c, c->held, aux, FROM_DEVICE);
    } else if (!(c->ram[0] & CB_KBD_OFF) && (v = from_keyboard(c)) >= 0) {
        put_device(c, (uint8_t)v, false, from);
        ps2_kbd_more(&c->kbd);
    } else if (!(c->ram[0] & CB_AUX_OFF) && (v = ps2_read(&c->mouse.q)) >= 0) {
        ps2_mouse_more(&c->mouse);
        put_device(c, (uint8_t)v, true, FROM_DEVICE);
    }
}

static void rested(void *opaque)
{
    struct i8042 *c = opaque;

    timer_cancel(&c->next);
    fill(c);
}

static uint64_t data_read(void *opaque, paddr off, struct access a)
{
    struct i8042 *c = opaque;

    if (!a.debug && c->status & ST_OBF) {
        TRACE(&i8042_trace[TP_DATA], "read=%#x", c->data);
        c->status &= ~ST_OBF; /* AUX keeps saying whose byte it was */
        timer_at(&c->next, clock_now(c->dev.m, CLK_VIRT) + BYTE_NS);
        update_lines(c);
    }
    return c->data;
}

/* --- Commands --- */

static void set_output(struct i8042 *c, uint8_t v)
{
    c->output = v & (OUT_RESET | OUT_A20);
    if (!(v & OUT_RESET))
        machine_ask(c->dev.m, ASK_RESET, "guest-reset");
    update_lines(c);
}

static uint8_t output(const struct i8042 *c)
{
    return c->output | OUT_FIXED | (c->dev.irq[I8042_KBD].level ? OUT_OBF : 0) |
           (c->dev.irq[I8042_MOUSE].level ? OUT_AUX : 0);
}

static void set_command_byte(struct i8042 *c, uint8_t v)
{
    c->ram[0] = v;
    update_lines(c);
    fill(c);
}

static void command(struct i8042 *c, uint8_t v)
{
    switch (v) {
    case READ_RAM ... READ_RAM + 31:
        answer(c, c->ram[v & 31], false);
        return;
    case WRITE_RAM ... WRITE_RAM + 31:
    case WRITE_OUTPUT:
    case WRITE_KBD_BUF:
    case WRITE_AUX_BUF:
    case WRITE_AUX:
        c->command = v;
        return;
    case AUX_OFF:
        set_command_byte(c, c->ram[0] | CB_AUX_OFF);
        return;
    case AUX_ON:
        set_command_byte(c, c->ram[0] & ~CB_AUX_OFF);
        return;
    case AUX_TEST:
    case KBD_TEST:
        answer(c, 0, false);
        return;
    case SELF_TEST:
        c->ram[0] |= CB_SYS;
        answer(c, 0x55, false);
        return;
    case KBD_OFF:
        set_command_byte(c, c->ram[0] | CB_KBD_OFF);
        return;
    case KBD_ON:
        set_command_byte(c, c->ram[0] & ~CB_KBD_OFF);
        return;
    case READ_INPUT:
        answer(c, 0x80, false); /* not locked */
        return;
    case READ_OUTPUT:
        answer(c, output(c), false);
        return;
    case A20_OFF:
        set_output(c, c->output & ~OUT_A20);
        return;
    case A20_ON:
        set_output(c, c->output | OUT_A20);
        return;
    case READ_TEST:
        answer(c, 0, false);
        return;
    case PULSE ... 0xff: /* bits that are 0 go low for 6 us; bit 0 is the reset of the CPU */
        if (!(v & 1))
            machine_ask(c->dev.m, ASK_RESET, "guest-reset");
        return;
    }
    guest_error(&c->dev, "unknown command %#x", v);
}

static void command_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct i8042 *c = opaque;

    TRACE(&i8042_trace[TP_COMMAND], "command=%#x", (unsigned)v);
    c->status |= ST_CMD;
    c->command = 0;
    command(c, (uint8_t)v);
}

static uint64_t command_read(void *opaque, paddr off, struct access a)
{
    struct i8042 *c = opaque;

    return c->status | ST_UNLOCKED | (c->ram[0] & CB_SYS ? ST_SYS : 0);
}

/* F4, F5, F6 and FF empty the keyboard's buffer: what it has said is not put off. */
static void write_keyboard(struct i8042 *c, uint8_t v)
{
    bool empties = v == 0xff || (v >= 0xf4 && v <= 0xf6);

    c->ram[0] &= ~CB_KBD_OFF; /* who talks to it wants to hear it */
    if (c->status & ST_OBF && !(c->status & ST_AUX) && c->from == FROM_DEVICE && !c->held_from && !empties)
        hold(c);
    ps2_kbd_write(&c->kbd, v);
    update_lines(c);
}

static void data_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct i8042 *c = opaque;
    uint8_t v = (uint8_t)value, to = c->command;

    TRACE(&i8042_trace[TP_DATA], "write=%#x for=%#x", v, to);
    c->status &= ~ST_CMD;
    c->command = 0;
    switch (to) {
    case 0:
        write_keyboard(c, v);
        return;
    case WRITE_RAM:
        set_command_byte(c, v);
        return;
    case WRITE_OUTPUT:
        set_output(c, v);
        return;
    case WRITE_KBD_BUF:
        answer(c, v, false);
        return;
    case WRITE_AUX_BUF:
        answer(c, v, true);
        return;
    case WRITE_AUX:
        ps2_mouse_write(&c->mouse, v);
        return;
    default:
        c->ram[to & 31] = v;
    }
}

static const struct mmio_ops data_ops = {.read = data_read, .write = data_write, .min = 1, .max = 1};
static const struct mmio_ops command_ops = {
    .read = command_read, .write = command_write, .min = 1, .max = 1};

/* --- The device --- */

static void i8042_reset(struct dev *d)
{
    struct i8042 *c = i8042_of(d);

    timer_cancel(&c->next);
    memset(c->ram, 0, sizeof(c->ram));
    c->ram[0] = CB_KBD_INT | CB_AUX_INT;
    c->status = c->command = c->data = c->released = c->from = c->held_from = 0;
    c->output = OUT_RESET | OUT_A20;
    ps2_kbd_reset(&c->kbd);
    ps2_mouse_reset(&c->mouse);
    update_lines(c);
}

static int i8042_init(struct dev *d, struct err *e)
{
    struct i8042 *c = i8042_of(d);
    int r;

    mem_init_mmio(&c->data_port, "i8042-data", 1, &data_ops, c);
    mem_init_mmio(&c->command_port, "i8042-cmd", 1, &command_ops, c);
    if ((r = isa_add_io(d, &c->data_port, 0x60, e)) < 0 ||
        (r = isa_add_io(d, &c->command_port, 0x64, e)) < 0)
        return r;
    timer_init(&c->next, d->m, CLK_VIRT, rested, c);
    c->kbd.changed = c->mouse.changed = fill;
    c->kbd.opaque = c->mouse.opaque = c;
    ps2_kbd_init(&c->kbd, d->m);
    ps2_mouse_init(&c->mouse, d->m);
    return 0;
}

static void i8042_fini(struct dev *d)
{
    struct i8042 *c = i8042_of(d);

    timer_cancel(&c->next);
    ps2_kbd_fini(&c->kbd);
    ps2_mouse_fini(&c->mouse);
}

static int i8042_loaded(struct dev *d, int version, struct err *e)
{
    struct i8042 *c = i8042_of(d);
    int r;

    if (c->released & 0x7f || c->status & ~(ST_OBF | ST_CMD | ST_AUX) || c->held_from & ~(ST_OBF | ST_AUX))
        return err_set(e, -EILSEQ, "status %#x, %#x", c->status, c->held_from);
    if ((r = ps2_kbd_loaded(&c->kbd, e)) < 0)
        return r;
    return ps2_mouse_loaded(&c->mouse, e);
}

static const struct state i8042_state[] = {
    PS2_STATE(i8042, kbd, ps2_kbd_state),
    PS2_STATE(i8042, mouse, ps2_mouse_state),
    STATE(i8042, ram, S_U8, 1, "[0]: command byte"),
    STATE(i8042, command, S_U8, 1, NULL),
    STATE(i8042, status, S_U8, 1, NULL),
    STATE(i8042, data, S_U8, 1, NULL),
    STATE(i8042, output, S_U8, 1, NULL),
    STATE(i8042, released, S_U8, 1, "0 or 128"),
    STATE_TIMER(i8042, next, 1, NULL),
    STATE(i8042, from, S_U8, 2, "0 the controller, 1 a device, 2 the keyboard's answer"),
    STATE(i8042, held, S_U8, 2, NULL),
    STATE(i8042, held_from, S_U8, 2, "status bits"),
    STATE_END,
};

const struct dev_type dev_i8042 = {
    .name = "i8042",
    .help = "keyboard controller with PS/2 keyboard and mouse",
    .class = DEV_BOARD,
    .bus = "isa",
    .size = sizeof(struct i8042),
    .state = i8042_state,
    .state_version = 2,
    .init = i8042_init,
    .reset = i8042_reset,
    .fini = i8042_fini,
    .loaded = i8042_loaded,
    .trace = i8042_trace,
};
