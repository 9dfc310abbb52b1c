/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys by name and number, what keyboards send, who is told, and what waits. */
#include "tests/test.h"
#include "ui/input.h"

#include <errno.h>

static char heard[512];
static int64_t armed;
static bool asleep;

static void on_key(void *opaque, enum key k, bool down)
{
    sprintf(heard + strlen(heard), "%s%s%s ", (const char *)opaque, down ? "+" : "-", key_name(k));
}

static void on_button(void *opaque, enum pointer_button b, bool down)
{
    sprintf(heard + strlen(heard), "%s%sb%d ", (const char *)opaque, down ? "+" : "-", b);
}

static void on_move(void *opaque, int x, int y)
{
    sprintf(heard + strlen(heard), "%s(%d,%d) ", (const char *)opaque, x, y);
}

static const struct input_handler keyboard = {.name = "keyboard", .takes = INPUT_KEYS, .key = on_key};
static const struct input_handler mouse = {
    .name = "mouse", .takes = INPUT_REL | INPUT_BUTTONS, .rel = on_move, .button = on_button};
static const struct input_handler tablet = {
    .name = "tablet", .takes = INPUT_ABS | INPUT_BUTTONS, .abs = on_move, .button = on_button};

static void arm(void *opaque, int64_t ns)
{
    armed = ns;
}

static bool awake(void *opaque)
{
    return !asleep;
}

static const struct input_env env = {.arm = arm, .awake = awake};

static void expect(const char *what)
{
    CHECK_STR(heard, what);
    heard[0] = 0;
}

TEST(input, names_and_numbers_lead_to_the_same_key)
{
    bool shift;

    for (unsigned k = 1; k < KEY_NUM; k++)
        CHECK_EQ(key_by_name(key_name((enum key)k), strlen(key_name((enum key)k))), k);
    CHECK_EQ(key_by_name("re", 2), KEY_UNKNOWN);
    CHECK_EQ(key_by_evdev(30), KEY_A);
    CHECK_EQ(key_evdev(KEY_META_L), 125);
    CHECK_EQ(key_by_set1(0x1e), KEY_A);
    CHECK_EQ(key_by_set1(0x9c), KEY_KP_ENTER); /* one byte: 0x80 stands for 0xe0 */
    CHECK_EQ(key_by_set1(0xe01c), KEY_KP_ENTER);
    CHECK_EQ(key_by_set1(0x37), KEY_KP_MULTIPLY);
    CHECK_EQ(key_by_set1(0), KEY_UNKNOWN);
    CHECK_EQ(key_by_keysym('A', &shift), KEY_A);
    CHECK_EQ(shift, 1);
    CHECK_EQ(key_by_keysym('7', &shift), KEY_7);
    CHECK_EQ(shift, 0);
    CHECK_EQ(key_by_keysym('&', &shift), KEY_7);
    CHECK_EQ(key_by_keysym('|', &shift), KEY_BACKSLASH);
    CHECK_EQ(key_by_keysym(0xff0d, &shift), KEY_RET);
    CHECK_EQ(key_by_keysym(0xff96, &shift), KEY_KP_4); /* KP_Left */
    CHECK_EQ(key_by_keysym(0x12345678, &shift), KEY_UNKNOWN);
}

static void sends(unsigned set, enum key k, bool down, bool ctrl, bool alt, const char *want)
{
    uint8_t out[KEY_SCAN_MAX];
    char text[64] = "";
    unsigned n = key_scan(set, k, down, ctrl, alt, out);

    for (unsigned i = 0; i < n; i++)
        sprintf(text + strlen(text), "%02x", out[i]);
    CHECK_STR(text, want);
}

TEST(input, keyboards_send_scan_codes)
{
    sends(1, KEY_A, true, false, false, "1e");
    sends(1, KEY_A, false, false, false, "9e");
    sends(2, KEY_A, true, false, false, "1c");
    sends(2, KEY_A, false, false, false, "f01c");
    sends(3, KEY_CTRL_R, false, false, false, "f058");
    sends(1, KEY_LEFT, false, false, false, "e0cb");
    sends(2, KEY_LEFT, false, false, false, "e0f06b");
    sends(2, KEY_F7, true, false, false, "83");
    sends(1, KEY_PAUSE, true, false, false, "e11d45e19dc5");
    sends(2, KEY_PAUSE, true, false, false, "e11477e1f014f077");
    sends(2, KEY_PAUSE, false, false, false, "");
    sends(1, KEY_PAUSE, true, true, false, "e046e0c6");
    sends(1, KEY_PRINT, true, false, false, "e02ae037");
    sends(2, KEY_PRINT, false, false, false, "e0f07ce0f012");
    sends(1, KEY_PRINT, true, false, true, "54");
    sends(2, KEY_UNDO, true, false, false, "");
    sends(2, KEY_UNKNOWN, true, false, false, "");
    sends(1, (enum key)9999, true, false, false, "");
}

TEST(input, who_came_last_or_was_activated_is_told)
{
    struct input *in = input_new(NULL);
    struct input_dev *a = input_add(in, &keyboard, "a"), *b = input_add(in, &keyboard, "b");

    input_key(in, KEY_X, true);
    input_activate(a);
    input_key(in, KEY_X, false);
    input_remove(a);
    input_key(in, KEY_Y, true);
    CHECK_EQ(input_key_is_down(in, KEY_Y), 1);
    input_release_all(in);
    expect("b+x a-x b+y b-y ");
    input_set_leds(b, LED_CAPS);
    CHECK_EQ(input_leds(in), LED_CAPS);
    input_remove(b);
    input_key(in, KEY_X, true);
    expect("");
    input_free(in);
    input_key(NULL, KEY_X, true);
}

TEST(input, delays_hold_what_follows)
{
    struct input *in = input_new(&env);
    struct err e = {0};

    input_add(in, &keyboard, "");
    CHECK_EQ(input_send_keys(in, "ctrl-alt-0x1e", 5, &e), 0);
    CHECK_EQ(input_send_keys(in, "<", 0, &e), 0);
    expect("+ctrl +alt +a ");
    CHECK_EQ(armed, 5000000);
    input_due(in);
    expect("-a -alt -ctrl +less ");
    CHECK_EQ(armed, 100000000);
    input_due(in);
    expect("-less ");
    CHECK_EQ(input_send_keys(in, "a-nix", 0, &e), -ENOENT);
    CHECK_STR(e.msg, "invalid parameter: nix");
    asleep = true;
    input_key(in, KEY_A, true);
    expect("");
    input_free(in);
}

TEST(input, a_full_queue_still_takes_releases)
{
    struct input *in = input_new(&env);

    input_add(in, &keyboard, "");
    input_key(in, KEY_A, true);
    input_delay(in, 1);
    for (unsigned i = 0; i < 2 * INPUT_QUEUE; i++)
        input_sync(in);
    input_key(in, KEY_A, false);
    for (unsigned i = 0; i < 2 * INPUT_QUEUE; i++) { /* dropped, both of them */
        input_key(in, KEY_B, true);
        input_key(in, KEY_B, false);
    }
    CHECK_EQ(input_key_is_down(in, KEY_A), 0);
    input_due(in);
    expect("+a -a ");
    input_free(in);
}

static unsigned places;

static bool has_room(void *opaque)
{
    return places;
}

static void small_key(void *opaque, enum key k, bool down)
{
    places--;
    on_key(opaque, k, down);
}

static const struct input_handler small = {.name = "small", .takes = INPUT_KEYS, .key = small_key, .room = has_room};

TEST(input, keys_wait_for_room_and_pointers_do_not)
{
    struct input *in = input_new(&env);
    struct input_dev *d = input_add(in, &small, "");

    input_add(in, &mouse, "m");
    places = 1;
    input_key(in, KEY_A, true);
    input_key(in, KEY_SHIFT, true);
    for (unsigned i = 0; i < 2 * INPUT_QUEUE; i++)
        input_key(in, KEY_SHIFT, true); /* held: it does not repeat into a queue */
    input_rel(in, 1, 2);
    input_key(in, KEY_B, true);
    CHECK_EQ(input_key_is_down(in, KEY_SHIFT), 1);
    input_release_all(in); /* of what waits, too */
    expect("+a m(1,2) ");
    places = 2;
    input_more(d);
    expect("+shift +b ");
    places = 9;
    input_more(d);
    expect("-shift -a -b ");
    places = 0;
    input_key(in, KEY_C, true);
    input_add(in, &keyboard, "k");
    expect("k+c ");
    input_free(in);
}

static void count_change(void *opaque)
{
    ++*(int *)opaque;
}

static void list(void *opaque, int index, const char *name, bool absolute, bool current)
{
    sprintf(heard + strlen(heard), "%d%s%s%s ", index, name, absolute ? "/abs" : "", current ? "*" : "");
}

TEST(input, a_tablet_makes_the_pointer_absolute)
{
    struct input *in = input_new(NULL);
    struct input_dev *t;
    struct err e = {0};
    int changes = 0;

    input_on_change(in, count_change, &changes);
    CHECK_EQ(input_absolute(in), 0);
    input_add(in, &mouse, "m");
    CHECK_EQ(input_absolute(in), 0);
    t = input_add(in, &tablet, "t");
    CHECK_EQ(input_absolute(in), 1);
    CHECK_EQ(changes, 2);
    input_abs(in, -5, 99999);
    input_rel(in, 3, -4);
    input_button(in, BUTTON_RIGHT, true);
    expect("t(0,32767) m(3,-4) t+b2 ");
    input_each_mouse(in, list, NULL);
    expect("1mouse 2tablet/abs* ");
    CHECK_EQ(input_set_mouse(in, 1, &e), 0);
    CHECK_EQ(input_absolute(in), 0);
    CHECK_EQ(input_set_mouse(in, 3, &e), -ENOENT);
    CHECK_STR(e.msg, "Mouse at index '3' not found");
    input_off_change(in, &changes);
    changes = 0;
    input_remove(t);
    CHECK_EQ(changes, 0);
    input_free(in);
}

static const struct test tests[] = {
    CASE(input, names_and_numbers_lead_to_the_same_key),
    CASE(input, keyboards_send_scan_codes),
    CASE(input, who_came_last_or_was_activated_is_told),
    CASE(input, delays_hold_what_follows),
    CASE(input, a_full_queue_still_takes_releases),
    CASE(input, keys_wait_for_room_and_pointers_do_not),
    CASE(input, a_tablet_makes_the_pointer_absolute),
};
TEST_MAIN(tests)
