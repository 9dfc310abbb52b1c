/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces: what is seen where, how registers are met, and what is told of writes. */
#include "bus/machine.h"
#include "tests/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static const struct dev_type *const no_types[] = {NULL};
static const struct access word = {.who = BUS_NOBODY, .size = 4};

/* A device that writes down how it is called. */
struct recorder {
    struct mem mem;
    struct machine *m;
    char log[512];
    uint64_t value;
    unsigned n;
    bool inside;
};

static void note(struct recorder *r, const char *what, paddr off, uint64_t v, unsigned size)
{
    size_t n = strlen(r->log);

    snprintf(r->log + n, sizeof(r->log) - n, "%s%x/%u", what, (unsigned)off, size);
    if (*what == 'w')
        snprintf(r->log + strlen(r->log), 32, "=%llx", (unsigned long long)v);
    strcat(r->log, " ");
}

static uint64_t rec_read(void *opaque, paddr off, struct access a)
{
    struct recorder *r = opaque;

    note(r, "r", off, 0, a.size);
    return r->value >> 8 * (off & 7);
}

static void rec_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    note(opaque, "w", off, v, a.size);
}

static const struct mmio_ops words = {.read = rec_read, .write = rec_write, .min = 4, .max = 4};
static const struct mmio_ops bytes = {.read = rec_read, .write = rec_write, .min = 1, .max = 1};
static const struct mmio_ops any = {.read = rec_read, .write = rec_write};
static const struct mmio_ops big = {
    .read = rec_read, .write = rec_write, .min = 4, .max = 4, .big_endian = true};

static void check_log(struct recorder *r, const char *want)
{
    CHECK_STR(r->log, want);
    r->log[0] = 0;
}

static struct machine *with(struct recorder *r, const struct mmio_ops *ops)
{
    struct machine *m = machine_new(no_types, NULL);

    *r = (struct recorder){.m = m, .value = 0x8877665544332211};
    mem_init_mmio(&r->mem, "rec", 0x1000, ops, r);
    mem_add(machine_mem(m), 0x1000, &r->mem, 0);
    return m;
}

static uint64_t load(struct machine *m, paddr at, unsigned size)
{
    uint64_t v;

    CHECK(space_load(machine_space(m), at, &v, (struct access){.size = (uint8_t)size}));
    return v;
}

static void store(struct machine *m, paddr at, uint64_t v, unsigned size)
{
    CHECK(space_store(machine_space(m), at, v, (struct access){.size = (uint8_t)size}));
}

TEST(mmio, wide_accesses_are_split)
{
    struct recorder r;
    struct machine *m = with(&r, &words);

    CHECK_EQ(load(m, 0x1000, 8), 0x8877665544332211);
    check_log(&r, "r0/4 r4/4 ");
    store(m, 0x1008, 0x1122334455667788, 8);
    check_log(&r, "w8/4=55667788 wc/4=11223344 ");
    machine_free(m);
    m = with(&r, &bytes);
    CHECK_EQ(load(m, 0x1002, 2), 0x4433);
    check_log(&r, "r2/1 r3/1 ");
    machine_free(m);
}

TEST(mmio, narrow_accesses_are_widened)
{
    struct recorder r;
    struct machine *m = with(&r, &words);

    CHECK_EQ(load(m, 0x1001, 1), 0x22);
    check_log(&r, "r0/4 ");
    store(m, 0x1006, 0xabcd, 2);
    check_log(&r, "w4/4=abcd0000 ");
    machine_free(m);
}

TEST(mmio, misaligned_accesses_are_cut_into_aligned_ones)
{
    struct recorder r;
    struct machine *m = with(&r, &any);

    CHECK_EQ(load(m, 0x1001, 4), 0x55443322);
    check_log(&r, "r1/1 r2/2 r4/1 ");
    machine_free(m);
}

TEST(mmio, big_endian_devices_are_turned)
{
    struct recorder r;
    struct machine *m = with(&r, &big);

    CHECK_EQ(load(m, 0x1000, 4), 0x11223344);
    store(m, 0x1000, 0x0a0b0c0d, 4);
    check_log(&r, "r0/4 w0/4=d0c0b0a ");
    CHECK_EQ(load(m, 0x1000, 1), 0x44);
    machine_free(m);
}

TEST(mmio, accesses_across_the_end_meet_both_sides)
{
    struct recorder r;
    struct machine *m = with(&r, &any);
    uint8_t buf[16];

    CHECK_EQ(space_read(machine_space(m), 0xffc, buf, 8, word), -EFAULT);
    CHECK_MEM(buf, "\0\0\0\0\x11\x22\x33\x44", 8);
    check_log(&r, "r0/4 ");
    CHECK(!space_load(machine_space(m), 0x5000, &(uint64_t){0}, word));
    CHECK(!space_store(machine_space(m), 0x5000, 1, word));
    CHECK_EQ(space_write(machine_space(m), 0x1ffc, buf, 8, word), -EFAULT);
    check_log(&r, "wffc/4=0 ");
    machine_free(m);
}

TEST(space, greater_priority_hides_and_what_is_hidden_comes_back)
{
    struct machine *m = machine_new(no_types, NULL);
    struct mem a = {0}, b = {0};
    struct mem_hit hit;

    mem_init_mmio(&a, "a", 0x3000, &any, NULL);
    mem_init_mmio(&b, "b", 0x1000, &any, NULL);
    mem_add(machine_mem(m), 0x1000, &a, 0);
    mem_add(machine_mem(m), 0x2000, &b, 1);
    CHECK(space_find(machine_space(m), 0x1800, &hit) && hit.mem == &a);
    CHECK_EQ(hit.len, 0x800);
    CHECK(space_find(machine_space(m), 0x2000, &hit) && hit.mem == &b);
    CHECK(space_find(machine_space(m), 0x3000, &hit) && hit.mem == &a);
    CHECK_EQ(hit.off, 0x2000);
    mem_enable(&b, false);
    CHECK(space_find(machine_space(m), 0x2800, &hit) && hit.mem == &a);
    CHECK_EQ(hit.len, 0x1800);
    mem_enable(&b, true);
    mem_move(&b, 0x8000);
    CHECK(space_find(machine_space(m), 0x8fff, &hit) && hit.mem == &b && hit.len == 1);
    mem_remove(&a);
    CHECK(!space_find(machine_space(m), 0x1000, &hit));
    machine_free(m);
}

TEST(space, among_equals_the_later_is_seen)
{
    struct machine *m = machine_new(no_types, NULL);
    struct mem a = {0}, b = {0};
    struct mem_hit hit;

    mem_init_mmio(&a, "a", 0x1000, &any, NULL);
    mem_init_mmio(&b, "b", 0x1000, &any, NULL);
    mem_add(machine_mem(m), 0, &a, 0);
    mem_add(machine_mem(m), 0, &b, 0);
    CHECK(space_find(machine_space(m), 0, &hit) && hit.mem == &b);
    machine_free(m);
}

TEST(space, aliases_and_containers_are_looked_through_and_clip)
{
    struct machine *m = machine_new(no_types, NULL);
    struct mem box = {0}, inner = {0}, window = {0};
    struct mem_hit hit;

    mem_init_container(&box, "box", 0); /* 2^64 */
    mem_init_mmio(&inner, "inner", 0x10000, &any, NULL);
    mem_init_alias(&window, "window", &box, 0x100004000, 0x2000);
    mem_add(machine_mem(m), 0x8000, &window, 0);
    CHECK(!space_find(machine_space(m), 0x8000, &hit));
    mem_add(&box, 0x100000000, &inner, 0); /* after: the view through the alias follows */
    CHECK(space_find(machine_space(m), 0x8000, &hit) && hit.mem == &inner);
    CHECK_EQ(hit.off, 0x4000);
    CHECK_EQ(hit.len, 0x2000);
    CHECK(!space_find(machine_space(m), 0xa000, &hit));
    machine_free(m);
}

TEST(space, the_last_byte_of_all_can_be_had)
{
    struct machine *m = machine_new(no_types, NULL);
    struct mem all = {0};
    struct mem_hit hit;

    mem_init_mmio(&all, "all", 0, &any, &(struct recorder){0});
    mem_add(machine_mem(m), 0, &all, -1);
    CHECK(space_find(machine_space(m), UINT64_MAX, &hit) && hit.len == 1);
    CHECK(space_find(machine_space(m), 0, &hit) && hit.len == UINT64_MAX);
    machine_free(m);
}

static unsigned changes;

static void count_change(void *opaque)
{
    changes++;
}

TEST(space, changes_are_told_once_and_only_when_something_looks_different)
{
    struct machine *m = machine_new(no_types, NULL);
    struct mem a = {0}, b = {0};

    mem_init_mmio(&a, "a", 0x1000, &any, NULL);
    mem_init_mmio(&b, "b", 0x1000, &any, NULL);
    space_on_change(machine_space(m), count_change, NULL);
    mem_begin(m);
    mem_add(machine_mem(m), 0, &a, 1);
    mem_add(machine_mem(m), 0x1000, &b, 0);
    CHECK_EQ(changes, 0);
    mem_end(m);
    CHECK_EQ(changes, 1);
    mem_move(&b, 0); /* now behind a */
    CHECK_EQ(changes, 2);
    mem_enable(&b, false); /* nobody saw it */
    CHECK_EQ(changes, 2);
    machine_free(m);
}

TEST(space, rom_reads_and_does_not_write)
{
    struct machine *m = machine_new(no_types, NULL);
    struct err e = {0};
    struct ram *ram = ram_new(m, "rom", 4096, &e);
    struct recorder r = {.value = 0x5a};
    struct mem flash = {0};
    struct mem_hit hit;
    uint64_t len = 16;

    mem_init_romd(&flash, "flash", ram, &words, &r);
    mem_add(machine_mem(m), 0x4000, &flash, 0);
    ram->host[4] = 7;
    CHECK_EQ(load(m, 0x4004, 1), 7);
    store(m, 0x4004, 9, 4);
    check_log(&r, "w4/4=9 ");
    CHECK_EQ(ram->host[4], 7);
    CHECK(!space_map(machine_space(m), 0x4000, &len, true));
    CHECK(space_map(machine_space(m), 0x4000, &len, false) == ram->host);
    mem_romd_mode(&flash, false);
    CHECK_EQ(load(m, 0x4000, 4), 0x5a);
    CHECK(space_find(machine_space(m), 0x4000, &hit) && !hit.host);
    machine_free(m);
}

static uint64_t told_at, told_len;

static void code_written(void *opaque, uint64_t at, uint64_t len)
{
    told_at = at;
    told_len = len;
}

TEST(ram, writes_to_translated_pages_are_told)
{
    struct machine *m = machine_new(no_types, NULL);
    struct err e = {0};
    struct ram *first = ram_new(m, "first", 4096, &e), *ram = ram_new(m, "ram", 3 * 4096 - 1, &e);
    struct mem mem = {0};
    uint64_t off;

    mem_init_ram(&mem, "ram", ram, 4096, 8192);
    mem_add(machine_mem(m), 0x10000, &mem, 0);
    machine_on_code_written(m, code_written, NULL);
    store(m, 0x10000, 1, 8);
    CHECK_EQ(told_len, 0);
    CHECK(ram_take_dirty(m, ram, 4096, 1, RAM_CODE, NULL));
    CHECK(!ram_take_dirty(m, ram, 4096, 4096, RAM_CODE, NULL));
    CHECK_EQ(ram->dirty[1], RAM_ALL_DIRTY & ~RAM_CODE);
    store(m, 0x10ffe, 0x0102, 2);
    CHECK_EQ(told_at, ram->offset + 4096 + 0xffe);
    CHECK_EQ(told_len, 2);
    CHECK_EQ(ram->dirty[1], RAM_ALL_DIRTY);
    CHECK_EQ(ram->host[4096 + 0xffe], 2);
    CHECK(ram_at(m, ram->offset + 5, &off) == ram && off == 5);
    CHECK(ram_at(m, first->offset, &off) == first);
    CHECK(!ram_at(m, ram->offset + ram->size, &off));
    machine_free(m);
}

TEST(ram, more_than_the_host_has_is_refused)
{
    struct machine *m = machine_new(no_types, NULL);
    struct err e = {0};

    CHECK(!ram_new(m, "big", UINT64_C(1) << 62, &e));
    CHECK_STR(e.msg, "cannot set up guest memory 'big': Cannot allocate memory");
    CHECK(!ram_new(m, "most", UINT64_MAX, &e));
    machine_free(m);
}

/* A device that takes itself away while it is written, and does DMA. */
static void going_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct recorder *r = opaque;

    CHECK(machine_locked(r->m));
    space_store(machine_space(r->m), 0x100000, v, word);
    mem_remove(&r->mem);
}

TEST(space, a_device_may_change_the_tree_while_it_is_written)
{
    static const struct mmio_ops going = {.write = going_write};
    struct recorder r;
    struct machine *m = with(&r, &going);
    struct err e = {0};
    struct mem ram = {0};

    mem_init_ram(&ram, "ram", ram_new(m, "ram", 4096, &e), 0, 4096);
    mem_add(machine_mem(m), 0x100000, &ram, 0);
    store(m, 0x1000, 77, 4);
    CHECK_EQ(load(m, 0x100000, 4), 77);
    CHECK(!space_store(machine_space(m), 0x1000, 1, word));
    CHECK(!machine_locked(m));
    machine_free(m);
}

/* A device whose register starts a write to that register, whatever the guest says where. */
static void circle_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct recorder *r = opaque;

    CHECK(!r->inside);
    r->inside = true;
    r->n++;
    space_store(machine_space(r->m), 0x1000, v + 1, (struct access){.who = BUS_PCI(8), .size = 4, .posted = true});
    space_write(machine_space(r->m), 0x1004, &v, 4, (struct access){.who = BUS_PCI(8), .posted = true});
    r->inside = false;
}

TEST(space, what_devices_post_comes_when_none_is_at_work)
{
    static const struct mmio_ops circle = {.write = circle_write, .min = 4, .max = 4};
    struct recorder r;
    struct machine *m = with(&r, &circle);

    r.n = 0;
    machine_lock(m);
    store(m, 0x1000, 1, 4);
    CHECK_EQ(r.n, 1);
    machine_unlock(m);
    CHECK_EQ(r.n, 3);
    machine_lock(m); /* twice as many at each turn, none of which takes for ever */
    machine_unlock(m);
    CHECK_EQ(r.n, 7);
    machine_free(m);
}

struct race {
    struct machine *m;
    atomic_bool stop;
    atomic_uint wrong;
};

static void *reader(void *opaque)
{
    struct race *race = opaque;
    uint64_t v;

    while (!atomic_load(&race->stop)) {
        space_load(machine_space(race->m), 0x100000, &v, word);
        if (v != 0x42)
            race->wrong++;
        space_load(machine_space(race->m), 0x1000, &v, word);
    }
    return NULL;
}

TEST(space, readers_on_other_threads_never_meet_half_a_view)
{
    struct recorder r;
    struct race race = {.m = with(&r, &any)};
    struct err e = {0};
    struct mem ram = {0};
    pthread_t t[2];

    r.value = 0x42; /* the log would overflow */
    mem_init_ram(&ram, "ram", ram_new(race.m, "ram", 4096, &e), 0, 4096);
    mem_add(machine_mem(race.m), 0x100000, &ram, 0);
    store(race.m, 0x100000, 0x42, 4);
    machine_lock(race.m);
    mem_remove(&r.mem);
    machine_unlock(race.m);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, reader, &race);
    for (int i = 0; i < 3000; i++) {
        struct mem *other = calloc(1, sizeof(*other));

        machine_lock(race.m);
        mem_init_container(other, "other", 0x1000);
        mem_add(machine_mem(race.m), 0x200000, other, 0);
        mem_move(&ram, 0x100000);
        mem_enable(&ram, true);
        r.mem.at = 0;
        mem_init_mmio(&r.mem, "rec", 0x1000, &(const struct mmio_ops){0}, NULL);
        mem_add(machine_mem(race.m), 0x1000, &r.mem, 0);
        mem_remove(&r.mem);
        mem_remove(other);
        machine_unlock(race.m);
        free(other);
    }
    atomic_store(&race.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(race.wrong, 0);
    machine_free(race.m);
}

static const struct test tests[] = {
    CASE(mmio, wide_accesses_are_split),
    CASE(mmio, narrow_accesses_are_widened),
    CASE(mmio, misaligned_accesses_are_cut_into_aligned_ones),
    CASE(mmio, big_endian_devices_are_turned),
    CASE(mmio, accesses_across_the_end_meet_both_sides),
    CASE(space, greater_priority_hides_and_what_is_hidden_comes_back),
    CASE(space, among_equals_the_later_is_seen),
    CASE(space, aliases_and_containers_are_looked_through_and_clip),
    CASE(space, the_last_byte_of_all_can_be_had),
    CASE(space, changes_are_told_once_and_only_when_something_looks_different),
    CASE(space, rom_reads_and_does_not_write),
    CASE(ram, writes_to_translated_pages_are_told),
    CASE(ram, more_than_the_host_has_is_refused),
    CASE(space, a_device_may_change_the_tree_while_it_is_written),
    CASE(space, what_devices_post_comes_when_none_is_at_work),
    CASE(space, readers_on_other_threads_never_meet_half_a_view),
};
TEST_MAIN(tests)
