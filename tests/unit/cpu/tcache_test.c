/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/tcache_priv.h: records are found again in the file, and nothing but sound ones. */
#include "cpu/tcache_priv.h"
#include "host/host.h"
#include "tests/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char dir[] = "/tmp/tcache-test-XXXXXX";

/* A cache in a new folder, or, later, in the same one. */
static struct tcache *cache(uint64_t id0)
{
    uint64_t id[2] = { id0, 1 }, place[2] = { 4096, 8192 };
    struct tcache *t;

    if (strstr(dir, "XXXXXX") && !mkdtemp(dir))
        exit(1);
    t = tcache_open(dir, id, 0);
    if (t) {
        tcache_set_place(t, place);
        t->buf = malloc(TC_MAX_REC);
    }
    return t;
}

static void remove_all(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    if (system(command))
        exit(1);
}

/* A record of one block at @pc, whose guest code is @word and whose host code is @fill. */
static void put(struct tc_batch *b, uint64_t pc, uint32_t flags, uint32_t word, uint8_t fill)
{
    struct tc_rec *rec;
    struct tc_parts p;
    uint64_t size;

    if (!b->data)
        b->data = calloc(1, b->cap = 8 << 20);
    rec = (void *)(b->data + b->len);
    *rec = (struct tc_rec){ .pc = pc, .code_len = 20, .desc_len = 3, .guest_len = 4, .n_faults = 1,
                            .n_spans = 1, .n_blocks = 1, .n_links = 1, .flags = flags };
    size = tc_layout(rec, &p);
    rec->size = (uint32_t)size;
    *(struct tc_span *)p.spans = (struct tc_span){ pc, 4, 0 };
    *(struct tc_link *)p.links = (struct tc_link){ 4, 8, pc + 4 };
    *(struct host_fault *)p.faults = (struct host_fault){ 3, 2 };
    memset((void *)p.code, fill, 20);
    memcpy((void *)p.guest, &word, 4);
    tc_seal(rec);
    b->len += (size + 15) & ~UINT64_C(15);
    b->n++;
}

static const struct tc_rec *find(struct tcache *t, uint64_t pc, struct tc_parts *p)
{
    unsigned probe = 0;

    return t->map ? tc_find(t, pc, 0, &probe, p) : NULL;
}

TEST(tcache, every_record_is_found_again)
{
    struct tcache *t = cache(1);
    struct tc_batch b = { 0 };
    struct tc_parts p;
    enum { N = 20000 };
    int good = 0;

    if (!CHECK(t != NULL))
        return;
    for (unsigned i = 0; i < N; i++) /* dense, and more than a group has slots */
        put(&b, 0x400000 + i * 8, 0, i, (uint8_t)i);
    tc_append(t, &b, true);
    t = cache(1);
    for (unsigned i = 0; i < N; i++) {
        const struct tc_rec *rec = find(t, 0x400000 + i * 8, &p);

        good += rec && rec->pc == 0x400000 + i * 8 && !memcmp(p.guest, &i, 4) &&
                p.code[19] == (uint8_t)i && p.links[0].pc == rec->pc + 4;
    }
    CHECK_EQ(good, N);
    CHECK(!find(t, 0x400004, &p));
    CHECK(!find(t, 0x400000 + N * 8, &p));
    remove_all();
}

TEST(tcache, hot_regions_take_the_place_of_cold_ones)
{
    struct tcache *t = cache(1);
    struct tc_batch b = { 0 }, hot = { 0 };
    const struct tc_rec *rec;
    struct tc_parts p;

    put(&b, 0x1000, 0, 7, 1);
    put(&hot, 0x1000, TC_HOT, 7, 2);
    tc_append(t, &b, true);
    tc_append(t, &hot, true);
    tc_append(t, &b, true); /* not back again */
    rec = find(t = cache(1), 0x1000, &p);
    if (CHECK(rec != NULL))
        CHECK_EQ(rec->flags, TC_HOT);
    remove_all();
}

TEST(tcache, the_same_code_is_kept_once_and_other_code_beside_it)
{
    struct tcache *t = cache(1);
    struct tc_batch one = { 0 }, two = { 0 };
    struct tc_parts p;
    unsigned probe = 0;
    uint64_t size;

    put(&one, 0x1000, 0, 7, 1);
    put(&two, 0x1000, 0, 8, 2);
    tc_append(t, &one, true);
    size = cache(1)->size;
    tc_append(t, &one, true);
    t = cache(1);
    CHECK_EQ(t->size, size);
    tc_append(t, &two, true);
    t = cache(1);
    CHECK(t->size > size);
    CHECK(tc_find(t, 0x1000, 0, &probe, &p) && p.code[0] == 1);
    CHECK(tc_find(t, 0x1000, 0, &probe, &p) && p.code[0] == 2);
    CHECK(!tc_find(t, 0x1000, 0, &probe, &p));
    remove_all();
}

TEST(tcache, a_file_belongs_to_one_id_and_one_place)
{
    struct tcache *t = cache(1);
    struct tc_batch b = { 0 };
    uint64_t place[2] = { 4096, 4096 };
    struct tc_parts p;

    put(&b, 0x1000, 0, 7, 1);
    tc_append(t, &b, true);
    CHECK(find(cache(1), 0x1000, &p) != NULL);
    CHECK(find(cache(2), 0x1000, &p) == NULL);
    CHECK(tcache_place(cache(1), place) && place[1] == 8192);
    place[1] = 4096;
    t = cache(1);
    tcache_set_place(t, place);
    CHECK(t->off);
    remove_all();
}

TEST(tcache, nothing_is_written_after_a_stop)
{
    struct tcache *t = cache(1);
    struct tc_batch b = { 0 };
    struct tc_parts p;

    put(&b, 0x1000, 0, 7, 1);
    tcache_stop(t);
    tc_append(t, &b, true);
    CHECK(find(cache(1), 0x1000, &p) == NULL);
    remove_all();
}

static off_t file_size(const struct tcache *t)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", dir, t->name);
    return stat(path, &st) < 0 ? -1 : st.st_size;
}

/* Let the file's records end at @end. */
static void stretch(const struct tcache *t, uint64_t end)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, t->name);
    fd = open(path, O_RDWR);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)end) == 0 &&
          pwrite(fd, &end, sizeof(end), offsetof(struct tc_header, end)) == sizeof(end));
    close(fd);
}

TEST(tcache, a_full_file_stays_while_it_is_useful)
{
    struct tcache *t = cache(1);
    struct tc_batch one = { 0 }, two = { 0 };

    put(&one, 0x1000, 0, 7, 1);
    put(&two, 0x2000, 0, 7, 1);
    tc_append(t, &one, true);
    stretch(t, TC_MAX - two.len);
    tc_append(t, &two, true);
    CHECK_EQ(file_size(t), TC_MAX);
    put(&one, 0x3000, 0, 7, 1);
    tc_append(t, &one, true);
    CHECK_EQ(file_size(t), TC_MAX);
    tc_append(t, &one, false);
    CHECK_EQ(file_size(t), -1);
    remove_all();
}

/* The file of id 1 has been used last when that of id 4 finds too much in the folder. */
TEST(tcache, files_not_used_for_long_make_room)
{
    struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
    struct tcache *t[5];
    struct tc_batch b = { 0 };
    char path[128];

    for (unsigned i = 0; i < 800; i++)
        put(&b, 0x400000 + i * 8, 0, i, 1); /* some 100 KiB */
    for (unsigned i = 1; i < 5; i++) {
        t[i] = cache(i);
        t[i]->all = 250 << 10;
        tc_append(t[i], &b, true);
        snprintf(path, sizeof(path), "%s/%s", dir, t[i]->name);
        old[0].tv_sec = old[1].tv_sec = i == 1 ? 9000 : 1000 + i;
        CHECK(i == 4 || utimensat(AT_FDCWD, path, old, 0) == 0);
    }
    CHECK(file_size(t[1]) > 0);
    CHECK_EQ(file_size(t[2]), -1);
    CHECK(file_size(t[4]) > 0);
    remove_all();
}

/* Every field that leads somewhere, led too far, with the checksum made good again. */
TEST(tcache, offsets_are_checked)
{
    struct tc_batch b = { 0 };
    struct tc_rec *rec;
    struct tc_parts p;

    put(&b, 0x1000, 0, 7, 1);
    rec = (void *)b.data;
    CHECK(tc_check(rec, rec->size, &p));
    CHECK(!tc_check(rec, rec->size - 1, &p));
#define BAD(field, value)                                                                          \
    do {                                                                                           \
        uint64_t old = field;                                                                      \
        field = value;                                                                             \
        tc_seal(rec);                                                                              \
        CHECK(!tc_check(rec, rec->size, &p));                                                      \
        field = old;                                                                               \
        tc_seal(rec);                                                                              \
    } while (0)
    BAD(rec->code_len, 28);
    BAD(rec->code_len, UINT32_MAX);
    BAD(rec->desc_len, 12);
    BAD(rec->guest_len, 5);
    BAD(rec->n_faults, 2);
    BAD(rec->n_faults, UINT32_MAX);
    BAD(rec->n_spans, 0);
    BAD(rec->n_blocks, 2);
    BAD(rec->n_blocks, 0);
    BAD(rec->n_links, 2);
    BAD(rec->n_traps, 1);
    BAD(rec->flags, 8);
    BAD(((struct tc_span *)p.spans)->len, 0);
    BAD(((struct tc_span *)p.spans)->len, 8);
    BAD(((struct tc_span *)p.spans)->start, 0x1004);
    BAD(((struct tc_link *)p.links)->site, 17);
    BAD(((struct tc_link *)p.links)->site, UINT32_MAX);
    BAD(((struct tc_link *)p.links)->thunk, 20);
    BAD(((struct host_fault *)p.faults)->at, 20);
    BAD(((struct host_fault *)p.faults)->desc, 3);
    CHECK(tc_check(rec, rec->size, &p));
    ((uint8_t *)p.code)[5] ^= 1;
    CHECK(!tc_check(rec, rec->size, &p));
}

static const struct test tests[] = {
    CASE(tcache, every_record_is_found_again),
    CASE(tcache, hot_regions_take_the_place_of_cold_ones),
    CASE(tcache, the_same_code_is_kept_once_and_other_code_beside_it),
    CASE(tcache, a_file_belongs_to_one_id_and_one_place),
    CASE(tcache, nothing_is_written_after_a_stop),
    CASE(tcache, a_full_file_stays_while_it_is_useful),
    CASE(tcache, files_not_used_for_long_make_room),
    CASE(tcache, offsets_are_checked),
};
TEST_MAIN(tests)
