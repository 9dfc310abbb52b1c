/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "block/core.h"
#include "tests/test.h"

static struct blk *open_raw(const char *bytes, size_t len)
{
    struct blk_env *env = blk_env_new(NULL, NULL);

    return blk_open_bytes(env, "raw", bytes, len, BLK_RDWR | BLK_UNMAP, ERR_IGNORE);
}

TEST(io, what_is_written_is_read)
{
    struct blk *b = open_raw("0123456789", 10);
    char buf[11] = {0};
    struct iovec iov[2] = {{buf, 4}, {buf + 4, 6}};

    CHECK_EQ(blk_size(b), 512); /* whole sectors */
    CHECK_EQ(blk_write(b, 3, 2, "ab", 0, ERR_IGNORE), 0);
    CHECK_EQ(blk_readv(b, 0, iov, 2, ERR_IGNORE), 0);
    CHECK_STR(buf, "012ab56789");
    CHECK_EQ(blk_zero(b, 9, 1, 0, ERR_IGNORE), 0);
    CHECK_EQ(blk_read(b, 0, 10, buf, ERR_IGNORE), 0);
    CHECK_STR(buf, "012ab5678");
    blk_close(b, ERR_IGNORE);
}

TEST(io, the_end_is_the_end)
{
    struct blk *b = open_raw("0123456789", 10);
    char c;

    CHECK_EQ(blk_read(b, 511, 1, &c, ERR_IGNORE), 0);
    CHECK_EQ(c, 0);
    CHECK_EQ(blk_read(b, 512, 1, &c, ERR_IGNORE), -EIO);
    CHECK_EQ(blk_read(b, UINT64_MAX, 1, &c, ERR_IGNORE), -EIO);
    CHECK_EQ(blk_write(b, 511, 2, "ab", 0, ERR_IGNORE), -EIO);
    CHECK_EQ(blk_read(b, 512, 0, &c, ERR_IGNORE), 0);
    blk_close(b, ERR_IGNORE);
}

TEST(io, a_reader_may_not_write)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    struct blk *b = blk_open_bytes(env, "raw", "x", 1, 0, ERR_IGNORE);

    CHECK_EQ(blk_write(b, 0, 1, "a", 0, ERR_IGNORE), -EPERM);
    CHECK_EQ(blk_discard(b, 0, 1, ERR_IGNORE), -EPERM);
    blk_close(b, ERR_IGNORE);
    blk_env_free(env);
}

/* What tables of images say reaches the nodes below unchecked: sums must not wrap. */
TEST(io, no_file_is_longer_than_63_bits)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    struct blk *b = blk_open_bytes(env, "raw", "x", 1, BLK_RDWR, ERR_IGNORE);
    char buf[512] = "y";
    struct iovec iov = {buf, sizeof(buf)};

    for (int i = 0; i < 2; i++) {
        uint64_t off = i ? INT64_MAX - 510 : UINT64_MAX - 511;

        CHECK_EQ(node_readv(b->file, off, 512, &iov, 1, ERR_IGNORE), -EINVAL);
        CHECK_EQ(node_writev(b->file, off, 512, &iov, 1, 0, ERR_IGNORE), -EINVAL);
    }
    CHECK_EQ(node_readv(b->file, INT64_MAX - 512, 512, &iov, 1, ERR_IGNORE), 0);
    CHECK_EQ(buf[0], 0); /* behind the end */
    blk_close(b, ERR_IGNORE);
    blk_env_free(env);
}

static void stats_are(const struct blk *b, enum blk_counted what, uint64_t requests, uint64_t bytes, uint64_t merged)
{
    struct blk_stats s;

    blk_get_stats(b, &s);
    CHECK_EQ(s.of[what].requests, requests);
    CHECK_EQ(s.of[what].bytes, bytes);
    CHECK_EQ(s.of[what].merged, merged);
    CHECK(!requests || s.of[what].ns);
    CHECK(s.idle_ns);
}

/* What the layers do among themselves is nobody's request: a write that is to be on the disk is no flush. */
TEST(io, requests_are_counted_once)
{
    struct blk *b = open_raw("0123456789", 10);
    char buf[10] = {0};
    struct blk_stats s;

    blk_write(b, 0, 1, "a", 0, ERR_IGNORE);
    blk_get_stats(b, &s);
    CHECK_EQ(s.of[BLK_COUNT_WRITE].requests, 0); /* nobody wanted to know */
    blk_count(b);
    blk_write(b, 0, 5, "abcde", BLK_REQ_FUA, ERR_IGNORE);
    blk_zero(b, 0, 100, BLK_REQ_FUA, ERR_IGNORE);
    stats_are(b, BLK_COUNT_WRITE, 2, 105, 0);
    stats_are(b, BLK_COUNT_FLUSH, 0, 0, 0);
    blk_flush(b, ERR_IGNORE);
    stats_are(b, BLK_COUNT_FLUSH, 1, 0, 0);
    blk_read(b, 0, 10, buf, ERR_IGNORE);
    blk_read(b, 600, 10, buf, ERR_IGNORE); /* beyond the end */
    blk_count_merged(b, BLK_COUNT_READ, 2);
    stats_are(b, BLK_COUNT_READ, 3, 10, 2);
    blk_count(b);
    stats_are(b, BLK_COUNT_READ, 3, 10, 2);
    blk_close(b, ERR_IGNORE);
}

static const struct test tests[] = {
    CASE(io, requests_are_counted_once),
    CASE(io, what_is_written_is_read),
    CASE(io, the_end_is_the_end),
    CASE(io, a_reader_may_not_write),
    CASE(io, no_file_is_longer_than_63_bits),
};
TEST_MAIN(tests)
