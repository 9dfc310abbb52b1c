/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text screen: control functions as VT100 and ECMA-48 have them, and keys. */
#include "tests/test.h"
#include "ui/terminal.h"

static struct terminal t;

static void start(const char *text)
{
    term_init(&t, 10, 4);
    term_write(&t, (const uint8_t *)text, strlen(text));
}

/* The rows, without blanks at their ends. */
static void shows(const char *want)
{
    char got[64] = "";

    for (unsigned y = 0; y < t.rows; y++) {
        unsigned n = t.cols;

        while (n && t.cells[y * t.cols + n - 1].ch == ' ')
            n--;
        for (unsigned x = 0; x < n; x++)
            sprintf(got + strlen(got), "%c", t.cells[y * t.cols + x].ch);
        strcat(got, "|");
    }
    CHECK_STR(got, want);
    term_fini(&t);
}

TEST(terminal, text_wraps_and_scrolls)
{
    start("0123456789");
    CHECK_EQ(t.x, 10); /* the next line begins with the next character */
    CHECK_EQ(t.y, 0);
    shows("0123456789||||");
    start("0123456789ab\r\nc\r\nd\r\ne");
    shows("ab|c|d|e|");
    start("ab\bc\tx");
    shows("ac      x||||");
}

TEST(terminal, the_cursor_moves_inside)
{
    start("\033[2;3Hx\033[Ay\033[99Bz\033[99D<\033[99;99H>");
    shows("   y|  x||<   z    >|");
    start("\033[3d\033[5G+\0337\033[H1\0338-");
    shows("1||    +-||");
}

TEST(terminal, lines_and_characters_come_and_go)
{
    start("a\r\nb\r\nc\r\nd\033[2;1H\033[L");
    shows("a||b|c|");
    start("a\r\nb\r\nc\r\nd\033[2;1H\033[2M");
    shows("a|d|||");
    start("abcdef\033[3G\033[2P");
    shows("abef||||");
    start("abcdef\033[3G\033[2@");
    shows("ab  cdef||||");
    start("abc\r\ndef\033[1;2H\033[J");
    shows("a||||");
    start("abc\033[2G\033[1K");
    shows("  c||||");
    start("a\r\nb\r\nc\r\nd\033[2;3r\033[3;1H\nx"); /* a region scrolls */
    shows("a|c|x|d|");
    start("a\033M\033Mb");
    shows(" b||a||");
}

TEST(terminal, looks_and_other_sequences)
{
    start("\033[1;31ma\033[7mb\033[0;44mc\033[?25l\033]0;title\007d\033(Be\xe2\x94\x80");
    CHECK_EQ(t.cells[0].fg, 9);
    CHECK_EQ(t.cells[1].bg, 1);
    CHECK_EQ(t.cells[2].fg, 7);
    CHECK_EQ(t.cells[2].bg, 4);
    CHECK_EQ(t.cursor, 0);
    CHECK_EQ(t.cells[5].ch, 196);
    shows("abcde\xc4||||");
    start("\033[2;4H\033[6n");
    CHECK_EQ(t.reply_len, 6);
    CHECK_MEM(t.reply, "\033[2;4R", 6);
    term_fini(&t);
}

TEST(terminal, keys_send_bytes)
{
    char out[8];

    CHECK_EQ(term_key('a', out), 1);
    CHECK_EQ(term_key(0xff52, out), 3);
    CHECK_MEM(out, "\033[A", 3);
    CHECK_EQ(term_key(0xe4, out), 2);
    CHECK_MEM(out, "\xc3\xa4", 2);
    CHECK_EQ(term_key(0x010020ac, out), 3);
    CHECK_EQ(term_key(0xffb7, out), 1);
    CHECK_EQ(out[0], '7');
    CHECK_EQ(term_key(0xffe1, out), 0);
}

static const struct test tests[] = {
    CASE(terminal, text_wraps_and_scrolls),
    CASE(terminal, the_cursor_moves_inside),
    CASE(terminal, lines_and_characters_come_and_go),
    CASE(terminal, looks_and_other_sequences),
    CASE(terminal, keys_send_bytes),
};
TEST_MAIN(tests)
