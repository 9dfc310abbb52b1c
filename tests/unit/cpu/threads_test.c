/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs of one engine at the same time, while their code is forgotten and they are called away. */
#include "tests/unit/cpu/agree.h"
#include "tests/test.h"

#include <pthread.h>

enum { N_CPUS = 4, N_ROUNDS = 40 };

static struct runner {
    pthread_t thread;
    struct cpu *cpu;
    unsigned number;
    struct agree_end want, got;
    char wrong[200];
} runners[N_CPUS];

static uint8_t program[AGREE_MAX];
static bool exact;
static int n_running; /* [atomic] */

/* A program that leaves the code, which all share, alone. */
static void make_program(uint64_t seed)
{
    size_t len = agree_random(seed, program);

    program[1] |= 1; /* short */
    for (size_t at = AGREE_HEAD; at < len; at += 4)
        if (toy_decode(program + at).op == TOY_PATCH || toy_decode(program + at).op == TOY_ANYWHERE)
            program[at] = TOY_ADD;
    agree_load(program, len);
}

static void *run(void *arg)
{
    struct runner *r = arg;
    const char *wrong;

    toy_signal_stack();
    for (unsigned i = 0; i < N_ROUNDS && !r->wrong[0]; i++) {
        agree_start(r->cpu, program, r->number);
        agree_finish(r->cpu, &r->got);
        if ((wrong = agree_difference(&r->got, &r->want, exact)))
            snprintf(r->wrong, sizeof(r->wrong), "round %u: %s", i, wrong);
    }
    __atomic_sub_fetch(&n_running, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* What the others do while translated code runs. */
static void disturb(struct engine *e, struct agree_dice *d)
{
    while (__atomic_load_n(&n_running, __ATOMIC_ACQUIRE)) {
        engine_invalidate(e, toy_at(agree_roll(d, TOY_WORDS)), 4 + agree_roll(d, 64));
        cpu_kick(runners[agree_roll(d, N_CPUS)].cpu);
        usleep(agree_roll(d, 400));
    }
}

static void all_at_once(struct engine *e, struct cpu *ref, uint64_t seed)
{
    struct agree_dice d = {seed};

    make_program(seed);
    engine_invalidate(e, TOY_CODE_AT, 4 * TOY_WORDS);
    engine_invalidate(ref->engine, TOY_CODE_AT, 4 * TOY_WORDS);
    for (unsigned i = 0; i < N_CPUS; i++) {
        agree_start(ref, program, i);
        agree_finish(ref, &runners[i].want);
    }
    n_running = N_CPUS;
    for (unsigned i = 0; i < N_CPUS; i++)
        pthread_create(&runners[i].thread, NULL, run, &runners[i]);
    disturb(e, &d);
    for (unsigned i = 0; i < N_CPUS; i++) {
        pthread_join(runners[i].thread, NULL);
        if (!CHECK(!runners[i].wrong[0]))
            printf("program %llu, CPU %u, %s\n", (unsigned long long)seed, i, runners[i].wrong);
    }
}

static void with(const char *name, unsigned programs)
{
    static const struct engine_conf interp = {.kind = ENGINE_INTERP};
    const struct engine_conf *conf = NULL;
    struct engine *e;
    struct cpu *ref;

    for (unsigned i = 0; i < AGREE_ENGINES; i++)
        if (strcmp(agree_engines[i].name, name) == 0)
            conf = &agree_engines[i].conf;
    if (!CHECK(conf))
        return;
    toy_open(N_CPUS);
    toy_signal_stack();
    e = toy_engine(conf);
    ref = toy_cpu(toy_engine(&interp));
    exact = conf->exact_flags;
    for (unsigned i = 0; i < N_CPUS; i++)
        runners[i] = (struct runner){.cpu = toy_cpu(e), .number = i};
    for (uint64_t seed = 1; seed <= programs && !test_failures; seed++)
        all_at_once(e, ref, seed);
}

TEST(threads, hot_regions)
{
    with("hot soon", 60);
}

TEST(threads, a_cache_that_overflows)
{
    with("no room", 60);
}

TEST(threads, the_interpreter)
{
    with("interpreter", 30);
}

static const struct test tests[] = {
    CASE_SLOW(threads, hot_regions, 60),
    CASE_SLOW(threads, a_cache_that_overflows, 60),
    CASE_SLOW(threads, the_interpreter, 60),
};
TEST_MAIN(tests)
