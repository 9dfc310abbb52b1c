/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's line: keys, history, and that the terminal shows what the line is. */
#include "mon/line.h"
#include "tests/test.h"

static char done[8192];
static struct line l;

/* A terminal of one line: printing, moving left and right, erasing to the end. */
static char screen[8192];
static size_t cursor;

static void show(void *opaque, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            memset(screen, 0, sizeof(screen));
            cursor = 0;
        } else if (*text == 27) {
            char *end;
            size_t n = strtoul(text + 2, &end, 10);

            if (*end == 'D')
                cursor -= n;
            else if (*end == 'C')
                cursor += n;
            else if (*end == 'K')
                memset(screen + cursor, 0, sizeof(screen) - cursor);
            else
                CHECK(!"a sequence that terminals know");
            text = end;
        } else {
            screen[cursor++] = *text;
        }
    }
}

static void take(void *opaque, const char *text)
{
    strcat(done, text);
    strcat(done, ";");
}

static void complete(void *opaque, const char *text)
{
    take(opaque, text);
    line_insert(&l, "XY");
}

static void type(const char *keys)
{
    if (!l.out)
        l = (struct line){.prompt = "", .out = show, .done = take, .complete = complete};
    for (; *keys; keys++)
        line_key(&l, (uint8_t)*keys);
    CHECK_STR(screen, l.text);
    CHECK_EQ(cursor, l.at);
}

static void check_line(const char *keys, const char *want)
{
    done[0] = 0;
    type(keys);
    type("\r");
    CHECK_STR(done, want);
}

TEST(line, keys_move_and_erase)
{
    check_line("abc", "abc;");
    check_line("abd\bc", "abc;");
    check_line("bc\001a", "abc;");
    check_line("ac\002b\005d", "abcd;");
    check_line("ac\033[Db\033[Cd", "abcd;");
    check_line("xabc\033[H\033[3~", "abc;");
    check_line("abcxyz\002\002\002\013", "abc;");
    check_line("xyz\025abc", "abc;");
    check_line("abc def\027x", "abc x;");
    check_line("one two\033bX\033fY", "one XtwoY;");
    check_line("abc\177\177\177\177x", "x;");
    check_line("ab\033[1;5Cc", "abc;");
    check_line("abc\033OH\004", "bc;");
}

TEST(line, history_is_kept_once)
{
    check_line("one", "one;");
    check_line("two", "two;");
    check_line("one", "one;");
    check_line("\020", "one;");
    check_line("\020\020\020\020", "two;");
    check_line("\033[A\033[A\033[B!", "two!;");
    CHECK_EQ(l.n_history, 3);
    for (int i = 0; i < 200; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d\r", i);
        type(text);
    }
    CHECK_EQ(l.n_history, LINE_HISTORY);
    CHECK_STR(l.history[LINE_HISTORY - 1], "199");
    check_line("150\r\020", "150;150;");
    CHECK_EQ(l.n_history, LINE_HISTORY);
    line_free(&l);
}

TEST(line, completion_gets_what_is_before_the_cursor)
{
    check_line("ab cd\002\t", "ab c;ab cXYd;");
}

TEST(line, one_that_is_too_long_stays_as_long_as_it_is)
{
    for (int i = 0; i < 5000; i++)
        type("a");
    CHECK_EQ(l.len, LINE_MAX_LEN);
    type("\025");
    CHECK_EQ(l.len, 0);
}

TEST(line, any_keys_leave_a_line_that_the_screen_shows)
{
    unsigned seed = 7;

    for (int i = 0; i < 200000; i++) {
        char key[2] = {(char)(1 + rand_r(&seed) % 127)};

        if (*key != 12) /* clears the screen */
            type(key);
        done[0] = 0;
    }
}

static const struct test tests[] = {
    CASE(line, keys_move_and_erase),
    CASE(line, history_is_kept_once),
    CASE(line, completion_gets_what_is_before_the_cursor),
    CASE(line, one_that_is_too_long_stays_as_long_as_it_is),
    CASE(line, any_keys_leave_a_line_that_the_screen_shows),
};
TEST_MAIN(tests)
