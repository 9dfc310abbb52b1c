/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/input/i8042.h"

#include "dev/backends.h"
#include "tests/dev/isa_rig.h"

enum { DATA = 0x60, CMD = 0x64 };
enum { OBF = 1, AUX = 0x20 };

/* The next byte, when the line is free; -1: none. */
static int next(struct rig *r)
{
    rig_step(r, 1000000);
    return inb(r, CMD) & OBF ? inb(r, DATA) : -1;
}

static void mouse(struct rig *r, uint8_t v)
{
    outb(r, CMD, 0xd4);
    outb(r, DATA, v);
}

/* Bytes until none comes are these. */
static bool come(struct rig *r, const char *want, size_t n)
{
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        ok &= CHECK_EQ(next(r), (uint8_t)want[i]);
    return CHECK_EQ(next(r), -1) && ok;
}
#define COME(r, text) come(r, text, sizeof(text) - 1)

static void key(struct rig *r, const char *name, bool down)
{
    input_key(machine_input(r->m), key_by_name(name, strlen(name)), down);
}

static void command_byte(struct rig *r, uint8_t v)
{
    outb(r, CMD, 0x60);
    outb(r, DATA, v);
}

TEST(i8042, tests_itself_and_its_devices)
{
    struct rig *r = isa_new("i8042", NULL);

    outb(r, CMD, 0xaa);
    COME(r, "\x55");
    outb(r, CMD, 0xab);
    COME(r, "\0");
    outb(r, CMD, 0xa9);
    COME(r, "\0");
    CHECK_EQ(inb(r, CMD) & 0x1c, 0x1c);
    outb(r, DATA, 0xff);
    COME(r, "\xfa\xaa");
    CHECK_EQ(inb(r, CMD) & 0x08, 0);
    mouse(r, 0xff);
    COME(r, "\xfa\xaa\0");
    outb(r, CMD, 0x20);
    COME(r, "\x07");
    rig_free(r);
}

TEST(i8042, keys_come_in_each_set_and_translated)
{
    struct rig *r = isa_new("i8042", NULL);

    key(r, "a", true);
    key(r, "a", false);
    COME(r, "\x1c\xf0\x1c");
    command_byte(r, 0x41);
    key(r, "a", true);
    key(r, "a", false);
    key(r, "up", true);
    key(r, "up", false);
    COME(r, "\x1e\x9e\xe0\x48\xe0\xc8");
    command_byte(r, 0x01);
    outb(r, DATA, 0xf0);
    outb(r, DATA, 1);
    COME(r, "\xfa\xfa");
    key(r, "a", true);
    COME(r, "\x1e");
    outb(r, DATA, 0xf0);
    outb(r, DATA, 3);
    outb(r, DATA, 0xf0);
    outb(r, DATA, 0);
    COME(r, "\xfa\xfa\xfa\xfa\x03");
    key(r, "ctrl", true);
    COME(r, "\x11");
    rig_free(r);
}

TEST(i8042, interrupts_as_long_as_a_byte_waits)
{
    struct rig *r = isa_new("i8042", NULL);

    key(r, "x", true);
    CHECK_EQ(rig_irq(r, I8042_KBD), 1);
    CHECK_EQ(inb(r, DATA), 0x22);
    CHECK_EQ(rig_irq(r, I8042_KBD), 0);
    CHECK_EQ(inb(r, DATA), 0x22); /* it stays for who reads again */
    key(r, "y", true);
    CHECK_EQ(rig_irq(r, I8042_KBD), 0);
    rig_step(r, 1000000);
    CHECK_EQ(rig_irq(r, I8042_KBD), 1);
    command_byte(r, 0x00);
    CHECK_EQ(rig_irq(r, I8042_KBD), 0);
    CHECK_EQ(inb(r, DATA), 0x35);
    outb(r, CMD, 0xad);
    key(r, "z", true);
    CHECK_EQ(next(r), -1);
    outb(r, CMD, 0xae);
    CHECK_EQ(next(r), 0x1a);
    rig_free(r);
}

TEST(i8042, keyboard_commands)
{
    struct rig *r = isa_new("i8042", NULL);

    outb(r, DATA, 0xf2);
    COME(r, "\xfa\xab\x83");
    outb(r, DATA, 0xee);
    COME(r, "\xee");
    outb(r, DATA, 0xfe);
    COME(r, "\xee");
    outb(r, DATA, 0xed);
    outb(r, DATA, 5);
    COME(r, "\xfa\xfa");
    CHECK_EQ(input_leds(machine_input(r->m)), LED_SCROLL | LED_CAPS);
    outb(r, DATA, 0xf3);
    outb(r, DATA, 0x20);
    COME(r, "\xfa\xfa");
    outb(r, DATA, 0xf5);
    COME(r, "\xfa");
    key(r, "a", true);
    CHECK_EQ(next(r), -1);
    outb(r, DATA, 0xf4);
    COME(r, "\xfa");
    key(r, "a", true);
    COME(r, "\x1c");
    outb(r, DATA, 0x12);
    COME(r, "\xfe");
    rig_free(r);
}

/* IBM PS/2 HITR, "Keyboard Buffer": "Response codes do not occupy a buffer position": a driver drops what comes while it waits. */
TEST(i8042, answers_go_before_keys_that_wait)
{
    struct rig *r = isa_new("i8042", NULL);

    key(r, "a", true);
    key(r, "a", false);
    CHECK_EQ(next(r), 0x1c);
    key(r, "b", true);
    CHECK_EQ(next(r), 0xf0);
    outb(r, DATA, 0xed);
    COME(r, "\xfa"); /* and nothing is scanned before the parameter */
    outb(r, DATA, 4);
    COME(r, "\xfa\x1c\x32");
    key(r, "c", true);
    key(r, "d", true);
    CHECK_EQ(inb(r, CMD) & OBF, OBF); /* it has been said, but not read */
    outb(r, DATA, 0xed);
    COME(r, "\xfa");
    rig_save_load(r);
    outb(r, DATA, 0);
    COME(r, "\xfa\x21\x23");
    key(r, "e", true);
    outb(r, DATA, 0xff);
    COME(r, "\x24\xfa\xaa");
    rig_free(r);
}

TEST(i8042, an_answer_puts_a_key_off)
{
    struct rig *r = isa_new("i8042", NULL);

    key(r, "a", true);
    key(r, "b", true);
    outb(r, CMD, 0x20);
    CHECK_EQ(inb(r, CMD) & (OBF | AUX), OBF);
    outb(r, CMD, 0xab);
    COME(r, "\0\x1c\x32");
    mouse(r, 0xf2);
    outb(r, CMD, 0xd2);
    outb(r, DATA, 0x77);
    CHECK_EQ(next(r), 0x77);
    rig_save_load(r);
    CHECK_EQ(next(r), 0xfa);
    CHECK_EQ(inb(r, CMD) & AUX, AUX);
    COME(r, "\0");
    rig_free(r);
}

/* Faster than anybody reads: they wait, in order, and are gone when the guest does not want them. */
TEST(i8042, no_key_of_a_burst_is_lost)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static const uint8_t codes[] = {0x1e, 0x30, 0x2e, 0x20, 0x12, 0x21, 0x22, 0x23};
    struct rig *r = isa_new("i8042", NULL);

    command_byte(r, 0x41);
    for (unsigned i = 0; i < 400; i++) {
        key(r, names[i % 8], true);
        key(r, names[i % 8], false);
    }
    for (unsigned i = 0; i < 400; i++) {
        CHECK_EQ(next(r), codes[i % 8]);
        CHECK_EQ(next(r), codes[i % 8] | 0x80);
    }
    CHECK_EQ(next(r), -1);
    for (unsigned i = 0; i < 400; i++) {
        key(r, "x", true);
        key(r, "x", false);
    }
    CHECK_EQ(next(r), 0x2d);
    outb(r, DATA, 0xf4);
    COME(r, "\xfa");
    key(r, "y", true);
    COME(r, "\x15");
    rig_free(r);
}

TEST(i8042, mouse_moves)
{
    struct rig *r = isa_new("i8042", NULL);
    struct input *in = machine_input(r->m);

    mouse(r, 0xf4);
    COME(r, "\xfa");
    input_rel(in, 5, 3);
    input_button(in, BUTTON_LEFT, true);
    input_sync(in);
    CHECK_EQ(rig_irq(r, I8042_MOUSE), 1);
    CHECK_EQ(inb(r, CMD) & AUX, AUX);
    COME(r, "\x29\x05\xfd");
    input_rel(in, 300, 0);
    input_sync(in);
    COME(r, "\x09\x7f\0\x09\x7f\0\x09\x2e\0");
    mouse(r, 0xe9);
    COME(r, "\xfa\x24\x02\x64");
    mouse(r, 0xf0);
    COME(r, "\xfa");
    input_rel(in, -1, 0);
    input_sync(in);
    CHECK_EQ(next(r), -1);
    mouse(r, 0xeb);
    COME(r, "\xfa\x19\xff\0");
    rig_free(r);
}

static void knock(struct rig *r, uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t rates[3] = {a, b, c};

    for (unsigned i = 0; i < 3; i++) {
        mouse(r, 0xf3);
        COME(r, "\xfa");
        mouse(r, rates[i]);
        COME(r, "\xfa");
    }
}

TEST(i8042, mouse_has_a_wheel_and_five_buttons)
{
    struct rig *r = isa_new("i8042", NULL);
    struct input *in = machine_input(r->m);

    mouse(r, 0xf2);
    COME(r, "\xfa\0");
    knock(r, 200, 100, 80);
    mouse(r, 0xf2);
    COME(r, "\xfa\x03");
    mouse(r, 0xf4);
    COME(r, "\xfa");
    input_button(in, BUTTON_WHEEL_UP, true);
    input_button(in, BUTTON_WHEEL_UP, false);
    input_sync(in);
    COME(r, "\x08\0\0\xff");
    knock(r, 200, 200, 80);
    mouse(r, 0xf2);
    COME(r, "\xfa\x04");
    input_button(in, BUTTON_SIDE, true);
    input_button(in, BUTTON_WHEEL_DOWN, true);
    input_sync(in);
    COME(r, "\x08\0\0\x11");
    rig_free(r);
}

TEST(i8042, address_line_20_and_reset)
{
    struct rig *r = isa_new("i8042", NULL);
    const char *why = NULL;

    CHECK_EQ(rig_irq(r, I8042_A20), 1);
    outb(r, CMD, 0xd1);
    outb(r, DATA, 0xcd);
    CHECK_EQ(rig_irq(r, I8042_A20), 0);
    outb(r, CMD, 0xdf);
    CHECK_EQ(rig_irq(r, I8042_A20), 1);
    outb(r, CMD, 0xd0);
    CHECK_EQ(next(r) & 3, 3);
    machine_take_asks(r->m, &why);
    outb(r, CMD, 0xfe);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_RESET);
    CHECK_STR(why, "guest-reset");
    rig_free(r);

    r = isa_new("port92", NULL);
    outb(r, 0x92, 2);
    CHECK_EQ(rig_irq(r, PORT92_A20), 1);
    CHECK_EQ(inb(r, 0x92), 2);
    outb(r, 0x92, 3);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_RESET);
    rig_save_load(r);
    CHECK_EQ(inb(r, 0x92), 3);
    rig_hostile(r);
    rig_free(r);
}

TEST(i8042, state_survives)
{
    struct rig *r = isa_new("i8042", NULL);

    command_byte(r, 0x43);
    mouse(r, 0xf4);
    next(r);
    key(r, "a", true);
    key(r, "b", true);
    input_rel(machine_input(r->m), 1, 1);
    input_sync(machine_input(r->m));
    rig_save_load(r);
    COME(r, "\x1e\x30\x28\x01\xff");
    rig_hostile(r);
    rig_free(r);
}

/* Letting go of the key that sent it to sleep does not. */
TEST(i8042, a_key_wakes_a_machine_that_sleeps)
{
    struct rig *r = isa_new("i8042", NULL);
    const char *why;

    machine_lock(r->m);
    machine_take_asks(r->m, &why);
    key(r, "a", true);
    CHECK_EQ(machine_take_asks(r->m, &why), 0); /* it is awake */
    machine_set_state(r->m, RUN_SUSPENDED);
    key(r, "a", false);
    CHECK_EQ(machine_take_asks(r->m, &why), 0);
    key(r, "b", true);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_WAKE);
    input_button(machine_input(r->m), BUTTON_LEFT, true);
    input_sync(machine_input(r->m));
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_WAKE);
    machine_unlock(r->m);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(i8042, tests_itself_and_its_devices),
    CASE(i8042, keys_come_in_each_set_and_translated),
    CASE(i8042, interrupts_as_long_as_a_byte_waits),
    CASE(i8042, keyboard_commands),
    CASE(i8042, answers_go_before_keys_that_wait),
    CASE(i8042, an_answer_puts_a_key_off),
    CASE(i8042, no_key_of_a_burst_is_lost),
    CASE(i8042, mouse_moves),
    CASE(i8042, mouse_has_a_wheel_and_five_buttons),
    CASE(i8042, address_line_20_and_reset),
    CASE(i8042, a_key_wakes_a_machine_that_sleeps),
    CASE(i8042, state_survives),
};
TEST_MAIN(tests)
