/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of gdb's remote protocol: received byte by byte, and made. */
#include "base/gdb_packet.h"
#include "tests/test.h"

static struct gdb_in in;

/* What the last byte of @s completed; the bytes before completed nothing. */
static enum gdb_got feed(const char *s)
{
    for (; s[1]; s++)
        CHECK_EQ(gdb_in_byte(&in, (uint8_t)*s), GDB_GOT_NOTHING);
    return gdb_in_byte(&in, (uint8_t)*s);
}

TEST(gdb_packet, payloads_arrive_with_escapes_undone)
{
    CHECK_EQ(feed("$m10,4#2e"), GDB_GOT_PACKET);
    CHECK_STR(in.buf, "m10,4");
    CHECK_EQ(feed("noise$X}\003}]#b2"), GDB_GOT_PACKET); /* '#' and '}' */
    CHECK_EQ(in.n, 3);
    CHECK_STR(in.buf, "X#}");
    CHECK_EQ(feed("$#00"), GDB_GOT_PACKET);
    CHECK_EQ(in.n, 0);
}

TEST(gdb_packet, what_is_damaged_or_no_packet_is_told)
{
    CHECK_EQ(feed("$m10,4#8f"), GDB_GOT_DAMAGED);
    CHECK_EQ(feed("$m#x!"), GDB_GOT_DAMAGED);
    CHECK_EQ(feed("+"), GDB_GOT_ACK);
    CHECK_EQ(feed("-"), GDB_GOT_NACK);
    CHECK_EQ(feed("\003"), GDB_GOT_INTERRUPT);
}

TEST(gdb_packet, one_too_long_is_cut)
{
    CHECK_EQ(feed("$"), GDB_GOT_NOTHING);
    for (int i = 0; i < GDB_PACKET + 100; i++)
        CHECK_EQ(feed("a"), GDB_GOT_NOTHING);
    feed("#00");
    CHECK_EQ(in.n, GDB_PACKET);
}

TEST(gdb_packet, replies_are_framed)
{
    static struct gdb_reply r;
    static char frame[GDB_PACKET + 8];
    size_t n;

    gdb_begin(&r);
    gdb_put(&r, "T%02x", 5);
    gdb_put_hex(&r, "\x01\xab", 2);
    gdb_put_binary(&r, "#*", 2);
    n = gdb_frame(&r, frame);
    CHECK_EQ(n, 15);
    CHECK_MEM(frame, "$T0501ab}\003}\n#", 13);
    in = (struct gdb_in){0};
    frame[n] = 0;
    CHECK_EQ(feed(frame), GDB_GOT_PACKET);
    CHECK_STR(in.buf, "T0501ab#*");
}

TEST(gdb_packet, parts_say_whether_more_follows)
{
    static struct gdb_reply r;

    gdb_begin(&r);
    gdb_put_part(&r, "2,3", "abcdefgh", 8);
    CHECK_EQ(r.n, 4);
    CHECK_MEM(r.text, "mcde", 4);
    gdb_begin(&r);
    gdb_put_part(&r, "6,100", "abcdefgh", 8);
    CHECK_MEM(r.text, "lgh", 3);
    gdb_begin(&r);
    gdb_put_part(&r, "100,5", "abcdefgh", 8);
    CHECK_EQ(r.n, 1);
}

static const struct test tests[] = {
    CASE(gdb_packet, payloads_arrive_with_escapes_undone),
    CASE(gdb_packet, what_is_damaged_or_no_packet_is_told),
    CASE(gdb_packet, one_too_long_is_cut),
    CASE(gdb_packet, replies_are_framed),
    CASE(gdb_packet, parts_say_whether_more_follows),
};
TEST_MAIN(tests)
