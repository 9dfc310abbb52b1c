/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPU threads: they run and stop with the machine, sleep and wake, do what they are sent, and see each other's flushes. */
#include "tests/test.h"
#include "tests/unit/cpu/toysys.h"

#include <pthread.h>
#include <sched.h>

enum { N_CPUS = 3 };
#define FLAG_AT (TOY_DATA_AT + 0x803)

static const struct engine_conf jit = { .hot_after = 8 }, interp = { .kind = ENGINE_INTERP };

static void word(uint8_t *p, unsigned op, unsigned a, unsigned b, unsigned c)
{
    p[0] = (uint8_t)op;
    p[1] = (uint8_t)a;
    p[2] = (uint8_t)b;
    p[3] = (uint8_t)c;
}

enum { BAD = 5 };

/* 0: sleep (a system call with a detail); 1: undefined: off.  8: x1 = what is at FLAG_AT, counting rounds in x2, until that is
 * BAD; then off. */
static void put_program(struct tsys *t)
{
    uint8_t p[64] = { 0 };

    word(p, TOY_TRAP, 0, 1, 1);
    word(p + 4, TOY_TRAP, 0, 0, 0);
    word(p + 32, TOY_LOAD, 1, 0, 3); /* eight bytes, three behind x0 */
    word(p + 36, TOY_ADDI, 2, 2, 1);
    word(p + 40, TOY_ADDI, 4, 1, 256 - BAD);
    word(p + 44, TOY_BNZ, 4, 0, 8);
    word(p + 48, TOY_TRAP, 0, 0, 0);
    tsys_dma(t, TOY_CODE_AT, p, sizeof(p));
}

static void go_to(struct cpu *cpu, void *word_number)
{
    struct toy_state *s = toy(cpu);

    s->data = TOY_DATA_AT;
    s->x[TOY_FUEL_REG] = TOY_FUEL_AT;
    cpu->pc = toy_at((unsigned)(uintptr_t)word_number);
}

/* A machine whose fuel is endless: every page of it is the same, and so are the addresses behind. */
static struct tsys *machine(const struct engine_conf *conf, unsigned n_cpus, unsigned at)
{
    struct tsys *t = tsys_new(conf, n_cpus);

    t->endless = true;
    t->map[t->n_maps - 1].len = 1ull << 40; /* the fuel's */
    t->map[t->n_maps - 1].block = 0;
    put_program(t);
    for (unsigned i = 0; i < n_cpus; i++) {
        struct vcpu *v = vcpu_new(t->m, t->cpu[i], i, i == 0);

        vcpu_call(v, go_to, (void *)(uintptr_t)at);
    }
    return t;
}

static void set_state(struct tsys *t, enum run_state s)
{
    machine_lock(t->m);
    machine_set_state(t->m, s);
    machine_unlock(t->m);
}

static void end(struct tsys *t)
{
    vcpu_free_all(t->m);
    machine_free(t->m);
}

/* Waits for something that must come soon. */
static bool soon(bool (*is)(struct tsys *t), struct tsys *t)
{
    for (unsigned i = 0; i < 60000; i++) {
        if (is(t))
            return true;
        usleep(1000);
    }
    return false;
}

static uint64_t rounds(struct tsys *t, unsigned n)
{
    return __atomic_load_n(&toy(t->cpu[n])->x[2], __ATOMIC_RELAXED);
}

static void read_rounds(struct cpu *cpu, void *to)
{
    *(uint64_t *)to = toy(cpu)->x[2];
}

static uint64_t ask_rounds(struct tsys *t, unsigned n)
{
    uint64_t r;

    vcpu_call(vcpu_at(t->m, n), read_rounds, &r);
    return r;
}

/* Since it was last asked. */
static bool goes_round(struct tsys *t)
{
    uint64_t before = t->rounds;

    t->rounds = ask_rounds(t, 0);
    return before && t->rounds > before;
}

static void runs_and_stops(const struct engine_conf *conf)
{
    struct tsys *t = machine(conf, 1, 8);
    uint64_t a;

    CHECK_EQ(ask_rounds(t, 0), 0); /* asked while the machine stands */
    set_state(t, RUN_RUNNING);
    CHECK(soon(goes_round, t));
    set_state(t, RUN_PAUSED);
    a = ask_rounds(t, 0);
    usleep(20000);
    CHECK_EQ(rounds(t, 0), a);
    for (unsigned i = 0; i < 200; i++) {
        set_state(t, i % 2 ? RUN_PAUSED : RUN_RUNNING);
        if (i % 7 == 0)
            usleep(300);
    }
    set_state(t, RUN_RUNNING);
    CHECK(soon(goes_round, t));
    end(t);
}

TEST(vcpu, runs_and_stops_with_the_machine)
{
    runs_and_stops(&jit);
    runs_and_stops(&interp);
}

static bool is_asleep(struct tsys *t)
{
    return vcpu_is_asleep(vcpu_at(t->m, 0));
}

static bool is_off(struct tsys *t)
{
    return !vcpu_is_on(vcpu_at(t->m, 0));
}

TEST(vcpu, sleeps_until_there_is_a_reason)
{
    struct tsys *t = machine(&jit, 1, 0);

    set_state(t, RUN_RUNNING);
    CHECK(soon(is_asleep, t));
    vcpu_wake(vcpu_at(t->m, 0)); /* no reason */
    usleep(20000);
    CHECK(!is_off(t));
    CHECK(soon(is_asleep, t));
    CHECK_EQ(ask_rounds(t, 0), 0); /* does what is asked in its sleep */
    __atomic_store_n(&t->wake, true, __ATOMIC_SEQ_CST);
    vcpu_wake(vcpu_at(t->m, 0));
    CHECK(soon(is_off, t)); /* the next instruction */
    CHECK_EQ(t->stopped, CPU_STOP_UNDEFINED);
    CHECK(vcpu_on(vcpu_at(t->m, 0), go_to, (void *)(uintptr_t)8));
    CHECK(!vcpu_on(vcpu_at(t->m, 0), go_to, NULL));
    CHECK(soon(goes_round, t));
    end(t);
}

static void add_one(struct cpu *cpu, void *n)
{
    __atomic_add_fetch((unsigned *)n, 1, __ATOMIC_SEQ_CST);
}

static void call_others(struct cpu *cpu, void *n)
{
    struct tsys *t = tsys_of(cpu);

    for (unsigned i = 0; i < N_CPUS; i++)
        vcpu_call(vcpu_at(t->m, i), add_one, n);
}

TEST(vcpu, work_is_done_even_when_all_send_it_to_each_other)
{
    struct tsys *t = machine(&jit, N_CPUS, 8);
    unsigned n = 0;

    set_state(t, RUN_RUNNING);
    for (unsigned i = 0; i < N_CPUS; i++)
        vcpu_on(vcpu_at(t->m, i), NULL, NULL);
    for (unsigned round = 0; round < 30; round++)
        for (unsigned i = 0; i < N_CPUS; i++)
            vcpu_post(vcpu_at(t->m, i), call_others, &n);
    machine_lock(t->m); /* a caller may hold it */
    for (unsigned i = 0; i < N_CPUS; i++)
        vcpu_call(vcpu_at(t->m, i), add_one, &n);
    machine_unlock(t->m);
    for (unsigned i = 0; i < 60000 && __atomic_load_n(&n, __ATOMIC_SEQ_CST) < 30 * N_CPUS * N_CPUS + N_CPUS; i++)
        usleep(1000);
    CHECK_EQ(n, 30 * N_CPUS * N_CPUS + N_CPUS);
    set_state(t, RUN_PAUSED);
    end(t);
}

static void pause_machine(struct cpu *cpu, void *opaque)
{
    struct tsys *t = tsys_of(cpu);

    machine_lock(t->m);
    machine_set_state(t->m, RUN_PAUSED);
    machine_unlock(t->m);
}

TEST(vcpu, each_may_stop_the_machine)
{
    struct tsys *t = machine(&jit, N_CPUS, 8);

    for (unsigned i = 0; i < N_CPUS; i++)
        vcpu_on(vcpu_at(t->m, i), NULL, NULL);
    for (unsigned round = 0; round < 20; round++) {
        set_state(t, RUN_RUNNING);
        for (unsigned i = 0; i < N_CPUS; i++)
            vcpu_post(vcpu_at(t->m, i), pause_machine, NULL);
        for (unsigned i = 0; i < N_CPUS; i++)
            ask_rounds(t, i);
        CHECK_EQ(machine_state(t->m), RUN_PAUSED);
    }
    end(t);
}

/* --- Flushes and code, while others run --- */

static void remap(struct cpu *cpu, void *opaque)
{
    struct tsys *t = tsys_of(cpu);
    uint8_t *was = t->ram->host + (t->map[1].pa - TSYS_RAM_AT) + FLAG_AT - TOY_DATA_AT;
    uint64_t pa = TSYS_RAM_AT + 0x80000 + 4096 * (t->n_remaps++ % 64);

    t->ram->host[pa - TSYS_RAM_AT + FLAG_AT - TOY_DATA_AT] = BAD + 1;
    __atomic_store_n(&t->map[1].pa, pa, __ATOMIC_SEQ_CST);
    mmu_flush_all(cpu, 3, TOY_DATA_AT, 4096, true);
    mmu_sync(cpu);
    *was = BAD; /* nobody reads it any more */
}

static void set_x0(struct cpu *cpu, void *x0)
{
    toy(cpu)->x[0] = (uint64_t)(uintptr_t)x0;
}

static void flushes(const struct engine_conf *conf)
{
    struct tsys *t = machine(conf, N_CPUS, 8);

    for (unsigned i = 0; i < N_CPUS; i++) {
        vcpu_call(vcpu_at(t->m, i), set_x0, (void *)(uintptr_t)(FLAG_AT - TOY_DATA_AT - 3));
        vcpu_on(vcpu_at(t->m, i), NULL, NULL);
    }
    set_state(t, RUN_RUNNING);
    for (unsigned round = 0; round < 60; round++)
        vcpu_call(vcpu_at(t->m, round % N_CPUS), remap, NULL);
    CHECK(soon(goes_round, t));
    for (unsigned i = 0; i < N_CPUS; i++)
        CHECK(vcpu_is_on(vcpu_at(t->m, i)));
    end(t);
}

TEST(vcpu, a_flush_for_all_is_seen_by_all)
{
    flushes(&jit);
    flushes(&interp);
}

static void flush_and_wait(struct cpu *cpu, void *done)
{
    mmu_flush_all(cpu, 3, 0, 0, true);
    mmu_sync(cpu);
    __atomic_store_n((bool *)done, true, __ATOMIC_SEQ_CST);
}

static bool reads_device(struct tsys *t)
{
    return __atomic_load_n(&t->dev_waiting, __ATOMIC_SEQ_CST);
}

TEST(vcpu, who_waits_for_a_flush_waits_for_those_in_guest_code)
{
    struct tsys *t = machine(&jit, 2, 0); /* the first sleeps */
    bool done = false;

    t->dev_waits = true;
    vcpu_on(vcpu_at(t->m, 1), NULL, NULL);
    t->map[1].pa = TSYS_DEV_AT;
    vcpu_call(vcpu_at(t->m, 1), go_to, (void *)(uintptr_t)8);
    set_state(t, RUN_RUNNING);
    CHECK(soon(reads_device, t));
    vcpu_post(vcpu_at(t->m, 0), flush_and_wait, &done);
    usleep(50000);
    CHECK(!__atomic_load_n(&done, __ATOMIC_SEQ_CST));
    __atomic_store_n(&t->dev_waits, false, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 60000 && !__atomic_load_n(&done, __ATOMIC_SEQ_CST); i++)
        usleep(1000);
    CHECK(done);
    end(t);
}

static bool all_flush_and_wait_done;

static void flush_a_lot(struct cpu *cpu, void *n)
{
    for (unsigned i = 0; i < 50; i++) {
        mmu_flush_all(cpu, 3, TOY_DATA_AT + 4096 * (i % 3), i % 5 ? 4096 : 0, true);
        mmu_sync(cpu);
    }
    __atomic_add_fetch((unsigned *)n, 1, __ATOMIC_SEQ_CST);
}

/* As an instruction does it: inside of guest code. */
static uint64_t inside(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t next)
{
    static unsigned n;

    flush_a_lot(cpu, &n);
    __atomic_store_n(&all_flush_and_wait_done, n >= N_CPUS, __ATOMIC_SEQ_CST);
    return next;
}

static bool all_done(struct tsys *t)
{
    return __atomic_load_n(&all_flush_and_wait_done, __ATOMIC_SEQ_CST);
}

TEST(vcpu, all_may_flush_and_wait_at_once)
{
    static struct ir_helper helpers[2];
    struct tsys *t = tsys_new(&jit, N_CPUS);
    uint8_t p[8];

    helpers[TOY_HELP_MODE] = tsys_helpers[TOY_HELP_MODE];
    helpers[TOY_HELP_PATCH] = (struct ir_helper){ "flush", (void *)inside, true };
    word(p, TOY_PATCH, 0, 0, 0);
    word(p + 4, TOY_JUMP, 0, 0, 0);
    tsys_dma(t, TOY_CODE_AT, p, 8);
    for (unsigned i = 0; i < N_CPUS; i++) {
        t->cpu[i]->helpers = helpers;
        vcpu_call(vcpu_new(t->m, t->cpu[i], i, true), go_to, (void *)(uintptr_t)0);
    }
    set_state(t, RUN_RUNNING);
    CHECK(soon(all_done, t));
    end(t);
}

static void code_changes(const struct engine_conf *conf)
{
    struct tsys *t = machine(conf, 2, 8);
    uint8_t p[4];

    vcpu_on(vcpu_at(t->m, 1), NULL, NULL);
    set_state(t, RUN_RUNNING);
    for (unsigned round = 1; round < 40; round++) { /* as a device writes it, while both run it */
        uint64_t x = 0;

        word(p, TOY_XOR, 5, 6, 6);
        word(p, TOY_ADDI, 3, 6, round % 100);
        tsys_dma(t, TOY_CODE_AT + 32, p, 4);
        for (unsigned i = 0; i < 2000 && x != round % 100; i++) {
            for (unsigned n = 0; n < 2; n++)
                vcpu_call(vcpu_at(t->m, n), read_rounds, &x);
            x = toy(t->cpu[0])->x[3];
            sched_yield();
        }
        CHECK_EQ(x, round % 100);
    }
    end(t);
}

TEST(vcpu, code_that_a_device_writes_is_run_anew_by_all)
{
    code_changes(&jit);
    code_changes(&interp);
}

/* Who has made rounds since it was last asked, as bits. */
static unsigned who_runs(struct tsys *t, uint64_t seen[N_CPUS])
{
    unsigned who = 0;

    for (unsigned i = 0; i < N_CPUS; i++) {
        uint64_t now = rounds(t, i);

        who |= (now != seen[i]) << i;
        seen[i] = now;
    }
    return who;
}

/* Under the interpreter, which keeps registers in their place, so rounds can be watched while they happen. */
TEST(vcpu, in_turns_one_runs_at_a_time_and_none_is_forgotten)
{
    struct tsys *t = machine(&interp, N_CPUS, 8);
    unsigned several = 0, all = 0;
    uint64_t seen[N_CPUS] = {0};

    vcpu_take_turns(t->m);
    for (unsigned i = 1; i < N_CPUS; i++)
        vcpu_on(vcpu_at(t->m, i), go_to, (void *)8);
    set_state(t, RUN_RUNNING);
    for (unsigned i = 0; i < 60000 && (i < 300 || all != (1 << N_CPUS) - 1); i++) {
        unsigned who;

        usleep(1000);
        who = who_runs(t, seen);
        all |= who;
        several += (who & (who - 1)) != 0;
    }
    CHECK_EQ(all, (1 << N_CPUS) - 1);
    CHECK(several < 150); /* of 300: only where the turn passed between two looks */
    CHECK_EQ(ask_rounds(t, 1) > 0, 1); /* work is done by who waits for its turn, too */
    set_state(t, RUN_PAUSED);
    set_state(t, RUN_RUNNING);
    CHECK(soon(goes_round, t));
    end(t);
}

static const struct test tests[] = {
    CASE(vcpu, runs_and_stops_with_the_machine),
    CASE(vcpu, sleeps_until_there_is_a_reason),
    CASE(vcpu, work_is_done_even_when_all_send_it_to_each_other),
    CASE(vcpu, each_may_stop_the_machine),
    CASE_SLOW(vcpu, a_flush_for_all_is_seen_by_all, 40),
    CASE(vcpu, who_waits_for_a_flush_waits_for_those_in_guest_code),
    CASE_SLOW(vcpu, all_may_flush_and_wait_at_once, 40),
    CASE_SLOW(vcpu, code_that_a_device_writes_is_run_anew_by_all, 40),
    CASE_SLOW(vcpu, in_turns_one_runs_at_a_time_and_none_is_forgotten, 40),
};
TEST_MAIN(tests)
