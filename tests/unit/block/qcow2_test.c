/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 through the interface of images: what no command of the tools shows.  tests/image/qcow2*.py do the rest. */
#include "block/fmt_qcow2_priv.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];

static struct json_object *options(const char *key, const char *value)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, key, json_object_new_string(value));
    return o;
}

static struct blk *open_image(struct blk_env *env, unsigned flags)
{
    return blk_open(env, path, options("driver", "qcow2"), BLK_RDWR | BLK_RESIZE | BLK_UNMAP | flags,
                    ERR_IGNORE);
}

/* A new image of 8 MiB, open. */
static struct blk *new_image(struct blk_env *env)
{
    snprintf(path, sizeof(path), "/tmp/emu-qcow2-test-%d", getpid());
    CHECK_EQ(blk_create(env, "qcow2", path, options("size", "8388608"), ERR_IGNORE), 0);
    return open_image(env, 0);
}

static void poke(uint64_t off, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "r+b");

    CHECK(f && !fseek(f, (long)off, SEEK_SET) && fwrite(bytes, 1, len, f) == len && !fclose(f));
}

static int lines;

static void count_line(void *opaque, const char *text)
{
    lines++;
}

TEST(qcow2, bitmaps_remember_writes_over_closing)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    struct blk *b = new_image(env);
    uint64_t start, len;

    CHECK_EQ(blk_bitmap_add(b, "x", 65536, true, ERR_IGNORE), 0);
    CHECK_EQ(blk_bitmap_add(b, "off", 0, false, ERR_IGNORE), 0);
    CHECK_EQ(blk_bitmap_add(b, "x", 0, true, ERR_IGNORE), -EEXIST);
    CHECK_EQ(blk_write(b, 100000, 3, "abc", 0, ERR_IGNORE), 0);
    CHECK_EQ(blk_close(b, ERR_IGNORE), 0);
    CHECK((b = open_image(env, 0)));
    CHECK_EQ(blk_zero(b, 1 << 20, 65536, 0, ERR_IGNORE), 0);
    CHECK_EQ(blk_bitmap_next(b, "x", 0, &start, &len, ERR_IGNORE), 1);
    CHECK_EQ(start, 65536);
    CHECK_EQ(len, 65536);
    CHECK_EQ(blk_bitmap_next(b, "x", start + len, &start, &len, ERR_IGNORE), 1);
    CHECK_EQ(start, 1 << 20);
    CHECK_EQ(blk_bitmap_next(b, "x", start + len, &start, &len, ERR_IGNORE), 0);
    CHECK_EQ(blk_bitmap_next(b, "off", 0, &start, &len, ERR_IGNORE), 0);
    CHECK_EQ(blk_bitmap_merge(b, "off", b, "x", ERR_IGNORE), 0);
    CHECK_EQ(blk_bitmap_next(b, "off", 0, &start, &len, ERR_IGNORE), 1);
    CHECK_EQ(start, 65536);
    CHECK_EQ(blk_bitmap_remove(b, "x", ERR_IGNORE), 0);
    CHECK_EQ(blk_bitmap_next(b, "x", 0, &start, &len, ERR_IGNORE), -ENOENT);
    CHECK_EQ(blk_close(b, ERR_IGNORE), 0);
    blk_env_free(env);
    unlink(path);
}

TEST(qcow2, wrong_refcounts_are_found_and_repaired)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    struct blk *b = new_image(env);
    struct blk_check c = {.line = count_line};

    CHECK_EQ(blk_write(b, 0, 3, "abc", 0, ERR_IGNORE), 0);
    CHECK_EQ(blk_check(b, &c, 0, ERR_IGNORE), 0);
    CHECK_EQ(lines, 0);
    CHECK_EQ(blk_close(b, ERR_IGNORE), 0);
    poke(2 * 65536 + 3 * 2, "\0\0\0\2", 4); /* clusters 3 and 4 have counts 0 and 2 */
    CHECK((b = open_image(env, BLK_CHECK)));
    CHECK_EQ(blk_check(b, &c, BLK_FIX_LEAKS, ERR_IGNORE), -EIO);
    memset(&c, 0, sizeof(c));
    c.line = count_line;
    CHECK_EQ(blk_check(b, &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, ERR_IGNORE), 0);
    CHECK_EQ(c.leaks_fixed, 1);
    CHECK_EQ(c.corruptions_fixed, 1);
    CHECK_EQ(c.corruptions, 0);
    lines = 0;
    CHECK_EQ(blk_check(b, &c, 0, ERR_IGNORE), 0);
    CHECK_EQ(lines, 0);
    CHECK_EQ(blk_close(b, ERR_IGNORE), 0);
    blk_env_free(env);
    unlink(path);
}

TEST(qcow2, snapshots_keep_the_machine_s_state)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    struct blk *b = new_image(env);
    struct blk_snapshot sn = {.name = "one", .vm_state_size = 100000, .icount = UINT64_MAX};
    struct blk_check c = {.line = count_line};
    char buf[8] = {0};

    CHECK_EQ(blk_write(b, 5, 3, "old", 0, ERR_IGNORE), 0);
    CHECK_EQ(blk_vmstate_write(b, 99990, 7, "machine", ERR_IGNORE), 0);
    CHECK_EQ(blk_snapshot_create(b, &sn, ERR_IGNORE), 0);
    CHECK_EQ(blk_write(b, 5, 3, "new", 0, ERR_IGNORE), 0);
    CHECK_EQ(blk_vmstate_read(b, 99990, 7, buf, ERR_IGNORE), 0);
    CHECK_EQ(buf[0], 0); /* it belongs to the snapshot */
    CHECK_EQ(blk_snapshot_apply(b, "one", ERR_IGNORE), 0);
    CHECK_EQ(blk_vmstate_read(b, 99990, 7, buf, ERR_IGNORE), 0);
    CHECK_STR(buf, "machine");
    memset(buf, 0, sizeof(buf));
    CHECK_EQ(blk_read(b, 5, 3, buf, ERR_IGNORE), 0);
    CHECK_STR(buf, "old");
    CHECK_EQ(blk_snapshot_delete(b, "1", NULL, ERR_IGNORE), 0);
    CHECK_EQ(blk_check(b, &c, 0, ERR_IGNORE), 0);
    CHECK_EQ(lines, 0);
    CHECK_EQ(blk_close(b, ERR_IGNORE), 0);
    blk_env_free(env);
    unlink(path);
}

TEST(qcow2, unused_tables_leave_memory)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    struct blk *b = new_image(env);
    char buf[4] = {0};

    CHECK_EQ(blk_write(b, 0, 3, "abc", 0, ERR_IGNORE), 0);
    qcow2_clean(b);
    CHECK_EQ(qcow2_clean(b), 0); /* what is changed stays, used or not */
    CHECK_EQ(blk_flush(b, ERR_IGNORE), 0);
    CHECK_EQ(qcow2_clean(b), 0); /* used since */
    CHECK_EQ(blk_read(b, 0, 3, buf, ERR_IGNORE), 0);
    CHECK_EQ(qcow2_clean(b), 1); /* the refcounts; the L2 table was looked at */
    CHECK_EQ(qcow2_clean(b), 1);
    CHECK_EQ(qcow2_clean(b), 0);
    CHECK_EQ(blk_read(b, 0, 3, buf, ERR_IGNORE), 0);
    CHECK_STR(buf, "abc");
    CHECK_EQ(blk_close(b, ERR_IGNORE), 0);
    blk_env_free(env);
    unlink(path);
}

struct rider {
    struct blk *b;
    unsigned seed;
    int wrong;
    bool *stop;
};

/* Writes and reads numbers in clusters that only it uses: every fourth. */
static void *ride(void *opaque)
{
    struct rider *t = opaque;
    uint64_t wrote[32] = {0}, got;
    unsigned k = t->seed;

    for (unsigned n = 1; !__atomic_load_n(t->stop, __ATOMIC_RELAXED); n++) {
        unsigned i = rand_r(&k) % 32;
        uint64_t off = (i * 4 + t->seed) * UINT64_C(65536) + 512;

        if (rand_r(&k) % 64 == 0) {
            wrote[i] = n;
            t->wrong += blk_write(t->b, off, sizeof(wrote[i]), &wrote[i], 0, ERR_IGNORE) < 0 ||
                        blk_flush(t->b, ERR_IGNORE) < 0;
        }
        t->wrong += blk_read(t->b, off, sizeof(got), &got, ERR_IGNORE) < 0 || got != wrote[i];
    }
    return NULL;
}

TEST(qcow2, tables_leave_memory_under_load)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    struct blk *b = new_image(env);
    struct rider riders[4];
    pthread_t threads[4];
    bool stop = false;
    uint64_t cleaned = 0;

    for (unsigned i = 0; i < 4; i++) {
        riders[i] = (struct rider){b, i, 0, &stop};
        pthread_create(&threads[i], NULL, ride, &riders[i]);
    }
    for (int i = 0; i < 300 || (cleaned < 20 && i < 10000); i++, usleep(500))
        cleaned += qcow2_clean(b) + qcow2_clean(b) + qcow2_clean(b);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQ(riders[i].wrong, 0);
    }
    CHECK(cleaned >= 20);
    CHECK_EQ(blk_close(b, ERR_IGNORE), 0);
    blk_env_free(env);
    unlink(path);
}

static const struct test tests[] = {
    CASE(qcow2, unused_tables_leave_memory),
    CASE(qcow2, tables_leave_memory_under_load),
    CASE(qcow2, snapshots_keep_the_machine_s_state),
    CASE(qcow2, bitmaps_remember_writes_over_closing),
    CASE(qcow2, wrong_refcounts_are_found_and_repaired),
};
TEST_MAIN(tests)
