/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's memory through the software MMU: accesses, faults, flushes, contexts, code that is written. */
#include "tests/test.h"
#include "tests/unit/cpu/toysys.h"

static const struct engine_conf jit = { .hot_after = 8 }, interp = { .kind = ENGINE_INTERP };

static struct tsys *one(const struct engine_conf *conf)
{
    struct tsys *t = tsys_new(conf, 1);

    toy_signals();
    toy_signal_stack();
    mmu_attach(t->cpu[0], t->m, 0);
    cpu_self = t->cpu[0];
    return t;
}

static uint64_t load(struct tsys *t, uint64_t va, unsigned log2_size)
{
    union ir_u v;

    t->cpu[0]->stop = CPU_STOP_NONE;
    return mmu_load(t->cpu[0], va, log2_size, 0, &v) ? v.d[0] : 0xdead0000 + (unsigned)t->cpu[0]->stop;
}

static bool store(struct tsys *t, uint64_t va, unsigned log2_size, uint64_t value)
{
    union ir_u v = { .d = { value, ~value } };

    t->cpu[0]->stop = CPU_STOP_NONE;
    return mmu_store(t->cpu[0], va, log2_size, 0, &v);
}

TEST(mmu, memory_is_where_the_walk_says)
{
    struct tsys *t = one(&jit);

    CHECK(store(t, TOY_DATA_AT + 8, 3, 0x1122334455667788));
    CHECK_EQ(*(uint64_t *)(void *)tsys_host(t, TOY_DATA_AT + 8), 0x1122334455667788);
    CHECK_EQ(load(t, TOY_DATA_AT + 9, 1), 0x6677);
    CHECK_EQ(load(t, TOY_DATA_AT + 9, 1), 0x6677);
    CHECK_EQ(t->n_walks, 1); /* for the store; a walk says all that is allowed */
}

TEST(mmu, an_access_may_lie_on_two_pages)
{
    struct tsys *t = one(&jit);

    CHECK(store(t, TOY_DATA_AT + 4093, 3, 0x8877665544332211));
    CHECK_EQ(*tsys_host(t, TOY_DATA_AT + 4095), 0x33);
    CHECK_EQ(*tsys_host(t, TOY_DATA_AT + 4096), 0x44);
    CHECK_EQ(load(t, TOY_DATA_AT + 4093, 3), 0x8877665544332211);
    t->map[2].prot = MMU_R;
    mmu_flush(t->cpu[0], 1, TOY_DATA_AT + 4096, 4096, true);
    CHECK(!store(t, TOY_DATA_AT + 4093, 3, 0));
    CHECK_EQ(t->fault_va, TOY_DATA_AT + 4096);
    CHECK_EQ(*tsys_host(t, TOY_DATA_AT + 4095), 0x33); /* all or nothing */
}

TEST(mmu, devices_answer_and_mind_alignment)
{
    struct tsys *t = one(&jit);
    uint64_t at = TOY_DATA_AT + 3 * 4096;

    CHECK(store(t, at + 8, 2, 5));
    CHECK_EQ(t->dev[1], 5 + 4 + 8);
    CHECK_EQ(load(t, at + 8, 3), (5 + 4 + 8) ^ 8);
    CHECK_EQ(load(t, at + 9, 2), 0xdead0000 + CPU_STOP_FAULT);
    CHECK_EQ(t->fault_bad, 1);
    CHECK_EQ(load(t, at - 2, 2), 0xdead0000 + CPU_STOP_FAULT); /* half of it is memory */
    t->map[1].pa = 0x77770000;
    mmu_flush(t->cpu[0], 1, 0, 0, true);
    CHECK_EQ(load(t, TOY_DATA_AT, 2), 0xdead0000 + CPU_STOP_FAULT);
    CHECK_EQ(t->fault_bad, 2);
}

TEST(mmu, flushes_drop_what_they_name)
{
    struct tsys *t = one(&jit);
    unsigned n;

    t->map[1].global = false;
    for (unsigned i = 0; i < 3; i++)
        load(t, TOY_DATA_AT + 4096 * i, 3);
    n = t->n_walks;
    mmu_flush(t->cpu[0], 1, TOY_DATA_AT, 2 * 4096, false); /* the second is global */
    for (unsigned i = 0; i < 3; i++)
        load(t, TOY_DATA_AT + 4096 * i, 3);
    CHECK_EQ(t->n_walks, n + 1);
    mmu_flush(t->cpu[0], 2, 0, 0, true); /* another regime */
    load(t, TOY_DATA_AT, 3);
    CHECK_EQ(t->n_walks, n + 1);
    mmu_flush(t->cpu[0], 1, 0, 0, true);
    for (unsigned i = 0; i < 3; i++)
        load(t, TOY_DATA_AT + 4096 * i, 3);
    CHECK_EQ(t->n_walks, n + 4);
}

TEST(mmu, a_flush_in_a_block_drops_the_block)
{
    struct tsys *t = one(&jit);
    unsigned n;

    for (unsigned i = 0; i < 8; i++)
        load(t, TOY_FUEL_AT + 4096 * i, 3);
    n = t->n_walks;
    mmu_flush(t->cpu[0], 1, TOY_FUEL_AT + TOY_FUEL - 4096, 4096, true);
    for (unsigned i = 0; i < 8; i++)
        load(t, TOY_FUEL_AT + 4096 * i, 3);
    CHECK_EQ(t->n_walks, n + 8);
}

TEST(mmu, contexts_do_not_mix)
{
    struct tsys *t = one(&jit);

    t->map[1].global = false;
    t->map[1].context = 1;
    tsys_map(t, (struct tsys_map){ TOY_DATA_AT, 4096, TSYS_RAM_AT + 0x80000, 3, .context = 2 });
    t->context = 1;
    mmu_set_context(t->cpu[0], 3, 1);
    store(t, TOY_DATA_AT, 3, 111);
    t->context = 2;
    mmu_set_context(t->cpu[0], 3, 2);
    store(t, TOY_DATA_AT, 3, 222);
    CHECK_EQ(load(t, TOY_DATA_AT, 3), 222);
    t->context = 1;
    mmu_set_context(t->cpu[0], 3, 1);
    CHECK_EQ(load(t, TOY_DATA_AT, 3), 111);
}

TEST(mmu, debuggers_see_and_disturb_nothing)
{
    struct tsys *t = one(&jit);
    char buf[8] = "abcdefg", back[8] = "";
    uint64_t pa;

    t->map[2].prot = MMU_R;
    CHECK_EQ(mmu_write(t->cpu[0], TOY_DATA_AT + 4092, buf, 8), 8);
    CHECK_EQ(mmu_read(t->cpu[0], TOY_DATA_AT + 4092, back, 8), 8);
    CHECK_STR(back, "abcdefg");
    CHECK_EQ(mmu_read(t->cpu[0], 0x1234, back, 8), 0);
    CHECK(mmu_debug_walk(t->cpu[0], TOY_DATA_AT + 3 * 4096 + 4, &pa));
    CHECK_EQ(pa, TSYS_DEV_AT + 4);
    CHECK_EQ(t->n_walks, 0);
}

TEST(mmu, watchpoints_stop_before_the_access)
{
    struct tsys *t = one(&jit);

    store(t, TOY_DATA_AT + 64, 3, 1);
    CHECK_EQ(mmu_watch(t->cpu[0], TOY_DATA_AT + 66, 2, MMU_W), 0);
    CHECK_EQ(load(t, TOY_DATA_AT + 64, 3), 1);
    CHECK(!store(t, TOY_DATA_AT + 64, 3, 2));
    CHECK_EQ(t->cpu[0]->stop, CPU_STOP_DEBUG);
    CHECK_EQ(load(t, TOY_DATA_AT + 64, 3), 1);
    CHECK(store(t, TOY_DATA_AT + 68, 2, 2));
    CHECK(mmu_unwatch(t->cpu[0], TOY_DATA_AT + 66, 2, MMU_W));
    CHECK(!mmu_unwatch(t->cpu[0], TOY_DATA_AT + 66, 2, MMU_W));
    CHECK(store(t, TOY_DATA_AT + 64, 3, 2));
}

/* --- Code --- */

static void word(uint8_t *p, unsigned op, unsigned a, unsigned b, unsigned c)
{
    p[0] = (uint8_t)op;
    p[1] = (uint8_t)a;
    p[2] = (uint8_t)b;
    p[3] = (uint8_t)c;
}

/* x1 += @c, n times as the loop goes, then the end; the loop's branch eats fuel. */
static void put_program(struct tsys *t, unsigned c)
{
    uint8_t p[16];

    word(p, TOY_ADDI, 1, 1, c);
    word(p + 4, TOY_ADDI, 2, 2, 255);
    word(p + 8, TOY_BNZ, 2, 0, 0);
    word(p + 12, TOY_TRAP, 0, 0, 0);
    tsys_dma(t, TOY_CODE_AT, p, 16);
}

static uint64_t run(struct tsys *t)
{
    struct toy_state *s = toy(t->cpu[0]);
    enum cpu_stop stop;

    s->x[1] = 0;
    s->x[2] = 100;
    s->data = TOY_DATA_AT;
    s->x[TOY_FUEL_REG] = TOY_FUEL_AT;
    t->cpu[0]->pc = TOY_CODE_AT;
    do
        stop = cpu_run(t->cpu[0]);
    while (stop == CPU_STOP_ATTENTION);
    CHECK_EQ(stop, CPU_STOP_UNDEFINED);
    return s->x[1];
}

static void rewritten(const struct engine_conf *conf)
{
    struct tsys *t = one(conf);

    for (unsigned i = 1; i <= 100; i++) { /* more often than a page is forgotten whole */
        put_program(t, i % 100);
        CHECK_EQ(run(t), 100 * (i % 100));
    }
    CHECK(store(t, TOY_CODE_AT + 3, 0, 7)); /* not a CPU's business to say so on all architectures */
    CHECK_EQ(run(t), 700);
    CHECK(store(t, TOY_CODE_AT + 512, 0, 7)); /* elsewhere on the page */
    CHECK_EQ(run(t), 700);
    for (unsigned i = 1; i <= 100; i++) {
        CHECK(store(t, TOY_CODE_AT + 3, 0, i));
        CHECK_EQ(run(t), 100 * i);
    }
}

TEST(mmu, code_written_by_dma_and_by_cpus_is_translated_anew)
{
    rewritten(&jit);
    rewritten(&interp);
}

/* Another CPU has looked the page up and not yet written when code is read from it: what was read is not kept. */
static void in_flight(const struct engine_conf *conf)
{
    struct tsys *t = tsys_new(conf, 2);
    union ir_u v = { .d = { 0, 0 } };

    toy_signals();
    toy_signal_stack();
    for (unsigned i = 0; i < 2; i++)
        mmu_attach(t->cpu[i], t->m, i);
    put_program(t, 1);
    cpu_self = t->cpu[1];
    CHECK(mmu_store(t->cpu[1], TOY_CODE_AT + 512, 0, 0, &v));
    t->cpu[1]->in_code = CPU_IN_CODE;
    cpu_self = t->cpu[0];
    CHECK_EQ(run(t), 100);
    CHECK(t->cpu[1]->attention);
    tsys_host(t, TOY_CODE_AT)[3] = 2; /* the rest of its store */
    t->cpu[1]->in_code = CPU_OUTSIDE;
    CHECK_EQ(run(t), 200);
    put_program(t, 3); /* from here on translations are kept, and forgotten as they should be */
    CHECK_EQ(run(t), 300);
    CHECK_EQ(run(t), 300);
}

TEST(mmu, code_that_another_cpu_is_about_to_write_is_not_kept)
{
    in_flight(&jit);
    in_flight(&interp);
}

/* Translated code and the interpreter store to the data's first page in a loop: each time that its bit is taken, the next store sets it. */
static void noticed(const struct engine_conf *conf)
{
    struct tsys *t = one(conf);
    uint64_t at = (uint64_t)(tsys_host(t, TOY_DATA_AT) - t->ram->host) & ~4095ull;
    uint8_t p[16], page[2];

    word(p, TOY_STORE, 1, 0, 0);
    word(p + 4, TOY_ADDI, 2, 2, 255);
    word(p + 8, TOY_BNZ, 2, 0, 0);
    word(p + 12, TOY_TRAP, 0, 0, 0);
    tsys_dma(t, TOY_CODE_AT, p, 16);
    for (unsigned i = 0; i < 50; i++) {
        run(t);
        CHECK(ram_take_dirty(t->m, t->ram, at, 8192, RAM_DISPLAY, page));
        CHECK_EQ(page[0], 1);
        CHECK_EQ(page[1], i == 0); /* nobody writes there */
        CHECK(!ram_take_dirty(t->m, t->ram, at, 4096, RAM_DISPLAY, page));
        CHECK_EQ(page[0], 0);
    }
    CHECK(store(t, TOY_DATA_AT + 8, 3, 1)); /* slow, and */
    CHECK(ram_take_dirty(t->m, t->ram, at, 4096, RAM_DISPLAY, NULL));
    CHECK(!ram_take_dirty(t->m, t->ram, at, 4096, RAM_MIGRATION << 1, NULL));
    CHECK(ram_take_dirty(t->m, t->ram, at, 4096, RAM_MIGRATION, NULL)); /* others' bits are their own */
}

TEST(mmu, writes_after_dirty_bits_were_taken_set_them_again)
{
    noticed(&jit);
    noticed(&interp);
}

TEST(mmu, code_is_found_under_another_address_and_forgotten_by_its_place)
{
    struct tsys *t = one(&jit);

    put_program(t, 3);
    CHECK_EQ(run(t), 300);
    t->map[0].pa = TSYS_RAM_AT + 0x70000; /* other code at the same address */
    mmu_flush(t->cpu[0], 3, TOY_CODE_AT, 4096, true);
    put_program(t, 5);
    CHECK_EQ(run(t), 500);
    t->map[0].pa = TSYS_RAM_AT; /* and the old again */
    mmu_flush(t->cpu[0], 3, TOY_CODE_AT, 4096, true);
    CHECK_EQ(run(t), 300);
}

TEST(mmu, each_context_runs_its_own_code)
{
    struct tsys *t = one(&jit);

    t->map[0].global = false;
    t->map[0].context = 1;
    tsys_map(t, (struct tsys_map){ TOY_CODE_AT, 4096, TSYS_RAM_AT + 0x70000, 7, .context = 2 });
    t->context = 1;
    put_program(t, 3);
    memcpy(t->ram->host + 0x70000, t->ram->host, 4096);
    t->ram->host[0x70003] = 5;
    for (unsigned i = 0; i < 30; i++) {
        t->context = 1 + i % 2;
        mmu_set_context(t->cpu[0], 3, t->context);
        CHECK_EQ(run(t), i % 2 ? 500 : 300);
    }
}

TEST(mmu, what_cannot_be_fetched_faults_at_its_pc)
{
    struct tsys *t = one(&jit);

    t->cpu[0]->pc = TOY_DATA_AT;
    CHECK_EQ(cpu_run(t->cpu[0]), CPU_STOP_FETCH_FAULT);
    CHECK_EQ(t->fault_va, TOY_DATA_AT);
    t->map[1].prot = 7;
    t->map[4].prot = 7;
    t->cpu[0]->pc = TOY_DATA_AT + 3 * 4096; /* a device */
    CHECK_EQ(cpu_run(t->cpu[0]), CPU_STOP_FETCH_FAULT);
    CHECK_EQ(t->fault_bad, 2);
}

static const struct test tests[] = {
    CASE(mmu, memory_is_where_the_walk_says),
    CASE(mmu, an_access_may_lie_on_two_pages),
    CASE(mmu, devices_answer_and_mind_alignment),
    CASE(mmu, flushes_drop_what_they_name),
    CASE(mmu, a_flush_in_a_block_drops_the_block),
    CASE(mmu, contexts_do_not_mix),
    CASE(mmu, debuggers_see_and_disturb_nothing),
    CASE(mmu, watchpoints_stop_before_the_access),
    CASE(mmu, code_written_by_dma_and_by_cpus_is_translated_anew),
    CASE(mmu, code_that_another_cpu_is_about_to_write_is_not_kept),
    CASE(mmu, writes_after_dirty_bits_were_taken_set_them_again),
    CASE(mmu, code_is_found_under_another_address_and_forgotten_by_its_place),
    CASE(mmu, each_context_runs_its_own_code),
    CASE(mmu, what_cannot_be_fetched_faults_at_its_pc),
};
TEST_MAIN(tests)
