/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The multiplexer's keys, focus and timestamps. */
#include "tests/unit/ui/front.h"
#include "ui/chr_priv.h"

static struct chr_env env;
static unsigned quits, commits;
static struct chr *below, *mux;
static struct front serial, monitor;

static void on_quit(void *opaque)
{
    quits++;
}

static void on_commit(void *opaque)
{
    commits++;
}

static struct chr *find(void *opaque, const char *id)
{
    return strcmp(id, "memory") ? NULL : below;
}

static void start(void)
{
    env =
        (struct chr_env){.find = find, .quit = on_quit, .commit = on_commit, .escape = env.escape};
    below = chr_memory();
    mux = open_chardev(&env, "mux,id=m,chardev=memory");
    front_attach(&serial, mux);
    front_attach(&monitor, mux);
}

static void type(const char *keys)
{
    chr_memory_input(below, keys, strlen(keys));
}

static bool printed(const char *text)
{
    size_t len;
    const uint8_t *out = chr_memory_output(below, &len);

    return memmem(out, len, text, strlen(text));
}

TEST(mux, keys_go_to_who_has_the_focus)
{
    start();
    type("ab");
    CHECK_STR(serial.got, "ab");
    type("\001cxy");
    CHECK_STR(monitor.got, "xy");
    CHECK_STR(serial.events, "OU");
    CHECK_STR(monitor.events, "OI");
    type("\001");
    type("cz");
    CHECK_STR(serial.got, "abz");
    chr_take_focus(mux, &monitor);
    type("!");
    CHECK_STR(monitor.got, "xy!");
    CHECK_STR(chr_describe(mux), "mux");
}

TEST(mux, escape_twice_sends_it_once)
{
    start();
    type("\001\001a");
    CHECK_STR(serial.got, "\001a");
    type("\001Qb"); /* no command: nothing */
    CHECK_STR(serial.got, "\001ab");
}

TEST(mux, help_exit_save_and_break)
{
    start();
    type("\001h");
    CHECK(printed("\r\nC-a h    print this help\r\nC-a x    exit emulator\r\n"
                  "C-a s    save disk data back to file (if -snapshot)\r\n"
                  "C-a t    toggle console timestamps\r\nC-a b    send break (magic sysrq)\r\n"
                  "C-a c    switch between console and monitor\r\nC-a C-a  sends C-a\r\n"));
    type("\001s");
    CHECK_EQ(commits, 1);
    type("\001b");
    CHECK_STR(serial.events, "OB");
    chr_hear_break(mux); /* the monitor's chardev-send-break */
    CHECK_STR(serial.events, "OBB");
    CHECK_STR(monitor.events, "O");
    CHECK_EQ(quits, 0);
    type("\001x");
    CHECK_EQ(quits, 1);
    CHECK(printed("QEMU: Terminated\r\n"));
    CHECK_STR(serial.got, "");
}

TEST(mux, another_escape_key)
{
    env.escape = 20;
    start();
    type("\001x\024h");
    CHECK_STR(serial.got, "\001x");
    CHECK_EQ(quits, 0);
    CHECK(printed("C-t h    print this help"));
}

TEST(mux, timestamps_begin_lines)
{
    start();
    type("\001t");
    front_say(&serial, "one\ntwo");
    front_say(&monitor, " more\nthree\n");
    CHECK(printed("one\n[00:00:00."));
    CHECK(printed("] two more\n[00:00:00."));
    type("\001t");
    front_say(&serial, "four\nfive");
    CHECK(printed("four\nfive"));
}

TEST(mux, keys_for_a_busy_guest_wait_and_control_a_passes)
{
    char many[300];

    start();
    serial.room = 0;
    type("hello");
    CHECK_STR(serial.got, "");
    type("\001x");
    CHECK_EQ(quits, 1);
    serial.room = 100;
    chr_wake(mux, &serial);
    CHECK_STR(serial.got, "hello");

    /* More than is kept stays below, and none is lost. */
    serial.room = 0;
    memset(many, 'k', sizeof(many));
    chr_memory_input(below, many, sizeof(many));
    serial.room = 1000;
    chr_wake(mux, &serial);
    CHECK_EQ(serial.len, 305);
}

TEST(mux, made_by_an_option)
{
    static struct front a, b;
    struct chr *c;

    env.loop = loop_new();
    c = open_chardev(&env, "null,id=x,mux=on");
    CHECK_STR(chr_id(c), "x");
    CHECK_STR(chr_id(chr_base(c)), "x-base");
    CHECK_STR(chr_describe(chr_base(c)), "null");
    front_attach(&a, c);
    front_attach(&b, c);
    CHECK_STR(b.events, "O");
    chr_detach(c, &a);
    chr_detach(c, &b);
    chr_close(c);
}

TEST(mux, who_leaves_loses_the_focus)
{
    start();
    chr_detach(mux, &serial);
    type("m");
    CHECK_STR(monitor.got, "m");
    CHECK_STR(serial.got, "");
}

static const struct test tests[] = {
    CASE(mux, keys_go_to_who_has_the_focus),
    CASE(mux, escape_twice_sends_it_once),
    CASE(mux, help_exit_save_and_break),
    CASE(mux, another_escape_key),
    CASE(mux, timestamps_begin_lines),
    CASE(mux, keys_for_a_busy_guest_wait_and_control_a_passes),
    CASE(mux, made_by_an_option),
    CASE(mux, who_leaves_loses_the_focus),
};
TEST_MAIN(tests)
