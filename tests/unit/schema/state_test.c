/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved-state tables: what is written is read, older streams are, and nothing else. */
#include "schema/state.h"
#include "tests/test.h"

#include <errno.h>

struct inner {
    uint16_t a;
    bool b[2];
};

struct outer {
    uint8_t u8[3];
    uint16_t u16;
    uint32_t u32;
    uint64_t u64[2];
    bool on;
    struct inner in[2];
    uint32_t n_bytes, n_more;
    uint8_t *bytes;
    struct inner *more;
    int64_t timer; /* stands for a struct timer */
    uint32_t later;
    struct state_blob blob;
};

static const struct state inner_table[] = {
    STATE(inner, a, S_U16, 1, NULL),
    STATE(inner, b, S_BOOL, 1, NULL),
    STATE_END,
};
#define ROWS                                                                                       \
    STATE(outer, u8, S_U8, 1, NULL), STATE(outer, u16, S_U16, 1, NULL),                            \
        STATE(outer, u32, S_U32, 1, NULL), STATE(outer, u64, S_U64, 1, NULL),                      \
        STATE(outer, on, S_BOOL, 1, NULL), STATE_STRUCTS(outer, in, inner_table, 1, NULL),         \
        STATE_BYTES(outer, bytes, n_bytes, 8, 1, NULL),                                            \
        STATE_STRUCTS_PTR(outer, more, n_more, 4, inner_table, 1, NULL),                           \
        STATE_TIMER(outer, timer, 1, NULL)
static const struct state old_table[] = {ROWS, STATE_END};
static const struct state table[] = {ROWS, STATE(outer, later, S_U32, 2, NULL),
                                     STATE_BLOB(outer, blob, 4, 2, NULL), STATE_END};

static int64_t get(const void *timer)
{
    return *(const int64_t *)timer;
}

static void set(void *timer, int64_t at)
{
    *(int64_t *)timer = at;
}

static const struct state_timers timers = {.get = get, .set = set};

static uint8_t bytes[2][3];
static struct inner more[2][2];

static struct outer empty(int i)
{
    return (struct outer){.n_bytes = 3, .bytes = bytes[i], .n_more = 2, .more = more[i]};
}

static struct outer full(void)
{
    struct outer o = empty(0);

    memcpy(o.bytes, "\1\2\3", 3);
    o.more[1] = (struct inner){.a = 7, .b = {true, false}};
    o.u8[2] = 0x80;
    o.u16 = 0x1234;
    o.u32 = 0xdeadbeef;
    o.u64[1] = 0x123456789abcdef0;
    o.on = true;
    o.in[1] = (struct inner){.a = 0xffff, .b = {false, true}};
    o.timer = 1000;
    o.later = 5;
    return o;
}

static int load(const struct state *t, struct outer *o, int version, const uint8_t *p, size_t len,
                struct err *e)
{
    struct state_in in = {.at = p, .left = len};

    return state_load(t, o, version, &in, &timers, e);
}

TEST(state, what_is_written_is_read)
{
    struct outer o = full(), got = empty(1);
    struct state_out out = {0};
    struct err e = {0};

    state_save(table, &o, &out, &timers);
    CHECK_EQ(load(table, &got, 2, out.data, out.len, &e), 0);
    CHECK_MEM(got.u8, o.u8, 3);
    CHECK(got.u16 == o.u16 && got.u32 == o.u32 && got.u64[1] == o.u64[1] && got.on);
    CHECK(got.in[1].a == 0xffff && got.in[1].b[1] && !got.in[1].b[0]);
    CHECK_MEM(bytes[1], "\1\2\3", 3);
    CHECK(more[1][1].a == 7 && more[1][1].b[0]);
    CHECK(got.timer == 1000 && got.later == 5);
    free(out.data);
}

TEST(state, older_streams_leave_newer_members_alone)
{
    struct outer o = full(), got = empty(1);
    struct state_out out = {0};
    struct err e = {0};

    got.later = 99;
    state_save(old_table, &o, &out, &timers);
    CHECK_EQ(load(table, &got, 1, out.data, out.len, &e), 0);
    CHECK_EQ(got.later, 99);
    CHECK_EQ(load(table, &got, 2, out.data, out.len, &e), -EILSEQ);
    CHECK_STR(e.msg, "'later' is missing");
    free(out.data);
}

TEST(state, a_blob_is_as_long_as_it_was)
{
    uint8_t four[] = "abcd";
    static const struct state one[] = {STATE_BLOB(outer, blob, 4, 1, NULL), STATE_END};
    static const struct state less[] = {STATE_BLOB(outer, blob, 3, 1, NULL), STATE_END};
    struct outer o = {.blob = {four, 4}}, got = {.blob = {malloc(9), 9}};
    struct state_out out = {0}, nothing = {0};
    struct err e = {0};

    state_save(one, &o, &out, &timers);
    CHECK_EQ(load(one, &got, 1, out.data, out.len, &e), 0);
    CHECK_EQ(got.blob.len, 4);
    CHECK_MEM(got.blob.data, "abcd", 4);
    CHECK_EQ(load(less, &got, 1, out.data, out.len, &e), -EILSEQ);
    CHECK_STR(e.msg, "'blob' has 4 bytes, at most 3");
    o.blob.len = 0;
    state_save(one, &o, &nothing, &timers);
    CHECK_EQ(load(one, &got, 1, nothing.data, nothing.len, &e), 0);
    CHECK_EQ(got.blob.len, 0);
    free(got.blob.data);
    free(out.data);
    free(nothing.data);
}

static void check_changed(size_t off, uint8_t to, int code, const char *why)
{
    struct outer o = full(), got = empty(1);
    struct state_out out = {0};
    struct err e = {0};

    state_save(table, &o, &out, &timers);
    out.data[off] = to;
    CHECK_EQ(load(table, &got, 2, out.data, out.len, &e), code);
    CHECK_STR(e.msg, why);
    free(out.data);
}

/* The stream begins: 2 'u' '8' kind length(4) three bytes, 3 'u' '1' '6' ... */
TEST(state, what_is_not_so_is_refused)
{
    check_changed(2, '9', -ENOTSUP, "unknown field 'u9'");
    check_changed(1, 7, -EILSEQ, "saved state has a name that is none");
    check_changed(3, S_U32, -EILSEQ, "'u8' is of another kind");
    check_changed(4, 2, -EILSEQ, "'u8' has 2 bytes instead of 3");
    check_changed(7, 0xff, -EILSEQ, "'u8' ends too early");
    check_changed(0, 0, -EILSEQ, "'u8' is missing");
}

TEST(state, a_field_comes_once)
{
    static const struct state twice[] = {STATE(outer, u16, S_U16, 1, NULL),
                                         STATE(outer, u16, S_U16, 1, NULL), STATE_END};
    struct outer o = full(), got = empty(1);
    struct state_out out = {0};
    struct err e = {0};

    state_save(twice, &o, &out, &timers);
    CHECK_EQ(load(table, &got, 2, out.data, out.len, &e), -EILSEQ);
    CHECK_STR(e.msg, "'u16' comes twice");
    free(out.data);
}

TEST(state, booleans_are_0_or_1_and_lengths_the_devices)
{
    struct outer o = full(), got = empty(1);
    struct state_out out = {0};
    struct err e = {0};

    state_save(table, &o, &out, &timers);
    uint8_t *on = memmem(out.data, out.len, "on", 2);
    on[7] = 2;
    CHECK_EQ(load(table, &got, 2, out.data, out.len, &e), -EILSEQ);
    CHECK_STR(e.msg, "'on' is 2, not 0 or 1");
    on[7] = 1;
    got = empty(1);
    got.n_bytes = 2;
    CHECK_EQ(load(table, &got, 2, out.data, out.len, &e), -EILSEQ);
    CHECK_STR(e.msg, "'bytes' has 3 bytes instead of 2");
    got.n_bytes = 3;
    got.n_more = 1;
    CHECK_EQ(load(table, &got, 2, out.data, out.len, &e), -EILSEQ);
    CHECK(strstr(e.msg, "'more' has"));
    free(out.data);
}

TEST(state, every_cut_is_refused)
{
    struct outer o = full();
    struct state_out out = {0};

    state_save(table, &o, &out, &timers);
    for (size_t n = 0; n < out.len; n++) {
        struct outer got = empty(1);

        CHECK(load(table, &got, 2, out.data, n, ERR_IGNORE) < 0);
    }
    free(out.data);
}

static const struct test tests[] = {
    CASE(state, what_is_written_is_read),
    CASE(state, older_streams_leave_newer_members_alone),
    CASE(state, a_blob_is_as_long_as_it_was),
    CASE(state, what_is_not_so_is_refused),
    CASE(state, a_field_comes_once),
    CASE(state, booleans_are_0_or_1_and_lengths_the_devices),
    CASE(state, every_cut_is_refused),
};
TEST_MAIN(tests)
