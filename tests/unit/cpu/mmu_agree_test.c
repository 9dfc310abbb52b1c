/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random programs of a machine's CPU: interpreter and translator end alike, whatever faults on the way. */
#include "tests/test.h"
#include "tests/unit/cpu/toysys.h"

#define OTHER_AT (TSYS_RAM_AT + 4096 * 100)

static struct tsys *system_of(unsigned engine)
{
    static struct tsys *t[AGREE_ENGINES];

    if (!t[engine]) {
        t[engine] = tsys_new(&agree_engines[engine].conf, 1);
        mmu_attach(t[engine]->cpu[0], t[engine]->m, 0);
        t[engine]->contexts = true;
        t[engine]->map[1].global = false; /* two first pages of data */
        tsys_map(t[engine], (struct tsys_map){ TOY_DATA_AT, 4096, OTHER_AT, 3, .context = 1 });
    }
    return t[engine];
}

struct end {
    struct agree_end a;
    uint64_t fault_va, dev[512];
    int access, bad;
    unsigned reads, writes;
    uint8_t data[3 * 4096], other[4096];
};

static void set_up(struct tsys *t, const uint8_t *program, struct agree_dice d)
{
    struct cpu *cpu = t->cpu[0];
    struct toy_state *s = toy(cpu);
    static uint8_t page[TOY_STACK];

    memset(page, 0, sizeof(page));
    memcpy(page, program + AGREE_HEAD, AGREE_MAX - AGREE_HEAD);
    tsys_dma(t, TOY_CODE_AT, page, 4096);
    cpu_self = cpu;
    toy_reset(cpu);
    toy_mode(cpu, 0, 0, 0);
    cpu->landing = 0;
    for (unsigned i = 0; i < 16; i++)
        s->x[i] = (uint64_t)agree_roll(&d, 1u << 31) << agree_roll(&d, 32);
    for (unsigned i = 0; i < 8; i++)
        s->d[i] = (uint64_t)agree_roll(&d, ~0u) << 32 | agree_roll(&d, ~0u);
    s->data = TOY_DATA_AT;
    s->x[TOY_FUEL_REG] = TOY_FUEL_AT + TOY_FUEL - 8 * (20 + agree_roll(&d, 3000));
    s->x[TOY_LINK] = toy_at(agree_roll(&d, TOY_WORDS));
    cpu->pc = toy_at(agree_roll(&d, TOY_WORDS));
    for (unsigned i = 0; i < TOY_STACK / 8; i++)
        ((uint64_t *)(void *)page)[i] = toy_at(i * 37 + program[13]);
    tsys_dma(t, TOY_STACK_AT, page, TOY_STACK);
    for (unsigned i = 0; i < TSYS_DATA - 1; i++)
        memset(tsys_host(t, TOY_DATA_AT + 4096 * i), program[12] + i, 4096);
    memset(t->ram->host + (OTHER_AT - TSYS_RAM_AT), program[2], 4096);
    t->context = 0;
    mmu_set_context(cpu, 3, 0);
    memset(t->dev, program[1], sizeof(t->dev));
    t->dev_reads = t->dev_writes = 0;
    /* now the second page cannot be written, now it can, now the third is not there; sometimes nobody is told */
    t->map[2].prot = agree_roll(&d, 3) ? MMU_R | MMU_W : MMU_R;
    t->map[3].prot = agree_roll(&d, 3) ? MMU_R | MMU_W : 0;
    mmu_flush(cpu, ~0u, agree_roll(&d, 2) ? TOY_DATA_AT + 4096 : 0, agree_roll(&d, 2) ? 0 : 2 * 4096, true);
    mmu_flush(cpu, ~0u, TOY_DATA_AT + 4096, 2 * 4096, true);
}

static void finish(struct tsys *t, struct end *end)
{
    struct cpu *cpu = t->cpu[0];

    memset(end, 0, sizeof(*end));
    t->fault_va = 0;
    t->fault_access = t->fault_bad = -1;
    do
        end->a.stop = cpu_run(cpu);
    while (end->a.stop == CPU_STOP_ATTENTION || end->a.stop == CPU_STOP_AGAIN);
    end->a.s = *toy(cpu);
    end->a.pc = cpu->pc;
    end->a.mode = cpu->mode;
    end->a.landing = cpu->landing;
    if (end->a.stop == CPU_STOP_SYSCALL || end->a.stop == CPU_STOP_UNDEFINED)
        end->a.detail = cpu->detail;
    if (end->a.stop == CPU_STOP_FAULT || end->a.stop == CPU_STOP_FETCH_FAULT) {
        end->fault_va = t->fault_va;
        end->access = t->fault_access;
        end->bad = t->fault_bad;
    }
    fpmode_gather(&cpu->fp);
    end->a.fp_flags = cpu->fp.flags;
    for (unsigned i = 0; i < TSYS_DATA - 1; i++)
        memcpy(end->data + 4096 * i, tsys_host(t, TOY_DATA_AT + 4096 * i), 4096);
    memcpy(end->other, t->ram->host + (OTHER_AT - TSYS_RAM_AT), 4096);
    t->context = 0;
    memcpy(end->a.stack, tsys_host(t, TOY_STACK_AT), TOY_STACK);
    memcpy(end->a.code, tsys_host(t, TOY_CODE_AT), sizeof(end->a.code));
    memcpy(end->dev, t->dev, sizeof(end->dev));
    end->reads = t->dev_reads;
    end->writes = t->dev_writes;
    toy_mode(cpu, 0, 0, 0);
    cpu->attention = 0;
}

static const char *difference(struct end *got, const struct end *want, bool exact)
{
    const char *wrong = agree_difference(&got->a, &want->a, exact);

    if (wrong)
        return wrong;
    if (got->fault_va != want->fault_va || got->access != want->access || got->bad != want->bad)
        return "fault";
    if (got->reads != want->reads || got->writes != want->writes || memcmp(got->dev, want->dev, sizeof(got->dev)))
        return "device";
    return memcmp(got->data, want->data, sizeof(got->data)) || memcmp(got->other, want->other, sizeof(got->other)) ? "data" : NULL;
}

static unsigned n_stop[CPU_STOP_GUEST + 1];

static const char *try(uint8_t *program, unsigned engine, uint64_t seed)
{
    static struct end want, got;
    struct agree_dice d = { seed };

    program[0] = (uint8_t)(engine - 1);
    set_up(system_of(0), program, d);
    finish(system_of(0), &want);
    set_up(system_of(engine), program, d);
    finish(system_of(engine), &got);
    n_stop[want.a.stop]++;
    return difference(&got, &want, agree_engines[engine].conf.exact_flags);
}

static void minimise(uint8_t *program, unsigned engine, uint64_t seed)
{
    for (size_t n = AGREE_MAX / 8 * 4; n >= 4; n = n / 8 * 4)
        for (size_t at = AGREE_HEAD; at + n <= AGREE_MAX; at += n) {
            uint8_t keep[AGREE_MAX];

            memcpy(keep, program + at, n);
            memset(program + at, 0, n);
            if (!try(program, engine, seed))
                memcpy(program + at, keep, n);
        }
}

static void with(const char *name, unsigned programs)
{
    static uint8_t program[AGREE_MAX];
    unsigned engine = 0;
    const char *wrong;

    while (engine < AGREE_ENGINES && strcmp(agree_engines[engine].name, name))
        engine++;
    if (!CHECK(engine < AGREE_ENGINES))
        return;
    toy_signals();
    toy_signal_stack();
    for (uint64_t seed = 1; seed <= programs; seed++) {
        agree_random(seed * 7919 + engine, program);
        if ((wrong = try(program, engine, seed))) {
            CHECK(!"programs end alike");
            minimise(program, engine, seed);
            wrong = try(program, engine, seed);
            agree_show(program, AGREE_MAX, wrong ? wrong : "only after others");
            return;
        }
    }
    for (enum cpu_stop s = 0; s <= CPU_STOP_GUEST; s++) /* each way to end is met often */
        if (s == CPU_STOP_FAULT || s == CPU_STOP_UNDEFINED || s == CPU_STOP_SYSCALL || s == CPU_STOP_BTI)
            CHECK(n_stop[s] > programs / 300);
}

TEST(machine_engines, hot_at_once)
{
    with("hot at once", 1500);
}

TEST(machine_engines, hot_soon)
{
    with("hot soon", 1500);
}

TEST(machine_engines, cold)
{
    with("cold", 1000);
}

TEST(machine_engines, no_room)
{
    with("no room", 1000);
}

TEST(machine_engines, exact_flags)
{
    with("exact flags", 1000);
}

TEST(machine_engines, single_instructions)
{
    with("single instructions", 500);
}

TEST(machine_engines, few_host_features)
{
    with("few host features", 1000);
}

static const struct test tests[] = {
    CASE_SLOW(machine_engines, hot_at_once, 60),  CASE_SLOW(machine_engines, hot_soon, 60),
    CASE_SLOW(machine_engines, cold, 60),         CASE_SLOW(machine_engines, no_room, 60),
    CASE_SLOW(machine_engines, exact_flags, 60),  CASE_SLOW(machine_engines, single_instructions, 60),
    CASE_SLOW(machine_engines, few_host_features, 60),
};
TEST_MAIN(tests)
