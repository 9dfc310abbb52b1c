/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random sequences of A64 instructions do in a machine, at EL0 and EL1 with translation on, what they do in a program: the same
 * registers, memory and end.  Interpreter against interpreter, and the machine's translator against both.
 */
#include "base/loop.h"
#include "guest/aarch64/decode.h"
#include "guest/aarch64/lift.h"
#include "guest/aarch64/lift_priv.h"
#include "guest/aarch64/system_priv.h"
#include "tests/test.h"

#include <sys/mman.h>

/* The same addresses in the program and in the machine. */
enum { RAM = 0x40000000, RAM_SIZE = 1 << 20, CODE = RAM + 0x10000, DATA = RAM + 0x20000, DATA_SIZE = 0x10000, TABLE = RAM,
       WORDS = 6, ROUNDS = 6000 };

static uint64_t dice;

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    return dice ^= dice << 17;
}

/* Rows whose result is the machine's own affair, or that leave. */
static bool skipped(unsigned row)
{
    static const char *const names[] = {"mrs_id", "mrs_ctr", "mrs_dczid", "mrs_cntvct", "mrs_cntvctss", "mrs_rndr", "bti",
                                        "mrs_cntfrq", "mrs_tpidrro", "hvc", "dc_", "ic_", "hint", "isb", "ldst_unpriv",
                                        /* these fault in a machine when they are misaligned */
                                        "stxr", "ldxr", "stxp", "ldxp", "stlr", "ldar", "stllr", "ldlar", "cas", "ldadd",
                                        "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin", "swp", "ldapr",
                                        "stlur", "ldapur"};

    if (a64_row_end(row) != A64_FALL || a64_row_feature(row) == A64_FEAT_BTI)
        return true;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(a64_row_name(row), names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* A word of a random row.  Half of them are about registers 0 to 7 only, so that results are used. */
static uint32_t random_word(void)
{
    uint32_t mask, value;
    unsigned row;

    do
        row = (unsigned)(roll() % A64_NUM_ROWS);
    while (skipped(row));
    a64_row_bits(row, &mask, &value);
    return value | ((uint32_t)(roll() >> 16) & ~mask);
}

struct side {
    struct cpu *cpu;
    uint8_t *host; /* of RAM */
};

static struct side program, machine[2];

static struct side new_program(void)
{
    struct engine_conf conf = {.kind = ENGINE_INTERP};
    struct side s;

    s.host = mmap((void *)RAM, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (s.host != (void *)RAM)
        return (struct side){0};
    s.cpu = cpu_new(&guest_aarch64, engine_new(&guest_aarch64, &conf));
    a64_set_model(s.cpu, 0);
    return s;
}

/* A machine whose CPU this thread runs. */
static struct side new_machine(enum engine_kind kind)
{
    static const struct dev_type *const no_types[] = {NULL};
    struct engine_conf conf = {.kind = kind, .hot_after = 1};
    static struct mem mems[2];
    struct machine *m = machine_new(no_types, NULL);
    struct mem *mem = &mems[kind];
    struct a64_sys *s;
    struct ram *ram;
    struct side side;
    uint64_t *table;

    ram = ram_new(m, "ram", RAM_SIZE, ERR_IGNORE);
    mem_init_ram(mem, "ram", ram, 0, RAM_SIZE);
    machine_lock(m);
    mem_add(machine_mem(m), RAM, mem, 0);
    machine_unlock(m);
    side.cpu = cpu_new(&guest_aarch64_system, engine_new(&guest_aarch64_system, &conf));
    side.host = ram->host;
    s = a64s(side.cpu);
    s->m = m;
    s->space = machine_space(m);
    s->core = a64_core(0);
    s->conf.pauth = true;
    side.cpu->mode = A64_MODE_SYSTEM;
    space_on_change(s->space, a64_space_changed, NULL);
    a64_timer_init(side.cpu);
    a64_pmu_init(side.cpu);
    mmu_attach(side.cpu, m, 0);
    table = (uint64_t *)side.host; /* of level 1, 39 bits: 0 for EL0's use, 1 for EL1's */
    table[1] = RAM | 0x741;
    table[1 + 512] = RAM | 0x701;
    return side;
}

/* What the manual leaves to a processor's state: the start of both. */
static void set_up(const struct side *p, const uint32_t *code, uint64_t seed, unsigned el)
{
    struct cpu *cpu = p->cpu;
    struct a64_state *s = a64(cpu);

    dice = seed;
    cpu_self = cpu;
    if (cpu->isa->system) {
        struct a64_sys *sys = a64s(cpu);

        a64_sys_reset(cpu);
        sys->cpacr = 3 << 20;
        sys->tcr[1] = 25 | 1 << 23 | 1ull << 37;
        sys->mair[1] = 0xff;
        sys->ttbr0[1] = el ? TABLE + 4096 : TABLE;
        sys->sctlr[1] |= SCTLR_M | SCTLR_UCI | SCTLR_UCT | SCTLR_DZE | SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB;
        sys->sctlr[1] &= ~(uint64_t)(SCTLR_SA | SCTLR_SA0);
        a64_select_sp(cpu, el, el);
        a64_update_mode(cpu);
    }
    memcpy(p->host + (CODE - RAM), code, (WORDS + 1) * 4);
    if (cpu->isa->system)
        ram_written(a64s(cpu)->m, ram_at(a64s(cpu)->m, 0, &(uint64_t){0}), CODE - RAM, (WORDS + 1) * 4);
    else
        engine_invalidate(cpu->engine, CODE, (WORDS + 1) * 4);
    for (unsigned i = 0; i < DATA_SIZE / 8; i++)
        ((uint64_t *)(p->host + (DATA - RAM)))[i] = roll();
    for (unsigned i = 0; i < 31; i++)
        s->x[i] = i % 3 == 1 ? roll() : DATA + DATA_SIZE / 2 + (roll() & 0xff8);
    s->sp = DATA + DATA_SIZE / 2 + (roll() & 0xff0);
    for (unsigned i = 0; i < 64; i++)
        s->vreg[i / 2].d[i % 2] = roll() & (i % 5 ? ~0ull : 0x7fffffff7fffffff);
    a64_set_nzcv(cpu, (uint32_t)roll() << 28);
    a64_set_fpcr(cpu, 0);
    a64_set_fpsr(cpu, 0);
    s->excl_addr = ~0ull;
    s->dit = s->ssbs = 0;
    s->tpidr = s->excl_val[0] = s->excl_val[1] = 0;
    cpu->pc = CODE;
}

/* Until SVC, or what a word gives rise to. */
static enum cpu_stop finish(const struct side *p)
{
    enum cpu_stop stop;

    cpu_self = p->cpu;
    do
        stop = cpu_run(p->cpu);
    while (stop == CPU_STOP_ATTENTION || stop == CPU_STOP_AGAIN);
    return stop;
}

static const char *difference(const struct side *a, const struct side *b, enum cpu_stop sa, enum cpu_stop sb)
{
    const struct a64_state *x = a64(a->cpu), *y = a64(b->cpu);

    if (sa != sb)
        return "stop";
    if (a->cpu->pc != b->cpu->pc)
        return "pc";
    if (memcmp(x->x, y->x, sizeof(x->x)) || x->sp != y->sp)
        return "x";
    if (memcmp(x->vreg, y->vreg, sizeof(x->vreg)))
        return "v";
    if (sa == CPU_STOP_SYSCALL && a64_get_nzcv(a->cpu) != a64_get_nzcv(b->cpu))
        return "nzcv";
    if (a64_get_fpsr(a->cpu) != a64_get_fpsr(b->cpu) || x->fpcr != y->fpcr)
        return "fpsr";
    return memcmp(a->host + (DATA - RAM), b->host + (DATA - RAM), DATA_SIZE) ? "memory" : NULL;
}

static bool try(const uint32_t *code, uint64_t seed, unsigned el, unsigned which, unsigned *ends)
{
    enum cpu_stop want, got;
    const char *wrong;

    set_up(&program, code, seed, el);
    want = finish(&program);
    set_up(&machine[which], code, seed, el);
    got = finish(&machine[which]);
    ends[want == CPU_STOP_SYSCALL]++;
    wrong = difference(&program, &machine[which], want, got);
    if (!wrong)
        return true;
    printf("EL%u, %s: %s differs, stops %d %d, pc %#llx %#llx\n", el, which ? "interpreter" : "translator", wrong, want, got,
           (unsigned long long)program.cpu->pc, (unsigned long long)machine[which].cpu->pc);
    for (unsigned i = 0; i < WORDS; i++) {
        char text[100];

        a64_disas(0, 0, (const uint8_t *)&code[i], 4, text, sizeof(text));
        printf("  %#x: %s\n", CODE + 4 * i, text);
    }
    return false;
}

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
    if (!cpu_self || !cpu_host_fault(cpu_self, sig, info, ucontext))
        _exit(99);
}

static void compare(unsigned el, unsigned which)
{
    static uint8_t stack[64 << 10];
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    unsigned ends[2] = {0};

#ifdef __SANITIZE_ADDRESS__
    SKIP("the sanitizer's shadow memory answers where programs have no memory");
    return;
#endif
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
    sigfillset(&sa.sa_mask);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    program = new_program();
    if (!program.cpu) {
        SKIP("the host has something at the address of the test's memory");
        return;
    }
    machine[which] = new_machine(which ? ENGINE_INTERP : ENGINE_JIT);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t seed = 0x9e3779b97f4a7c15 * (round + 1 + el * 100000);
        uint32_t code[WORDS + 1];

        dice = seed;
        for (unsigned i = 0; i < WORDS; i++)
            code[i] = random_word();
        code[WORDS] = 0xd4000001; /* svc #0 */
        if (!CHECK(try(code, seed, el, which, ends)))
            return;
    }
    CHECK(ends[0] > ROUNDS / 20); /* some fault or are undefined */
    CHECK(ends[1] > ROUNDS / 20); /* some come to the end */
}

TEST(system, el0_interpreted_does_what_programs_do)
{
    compare(0, 1);
}

TEST(system, el1_interpreted_does_what_programs_do)
{
    compare(1, 1);
}

TEST(system, el0_translated_does_what_programs_do)
{
    compare(0, 0);
}

TEST(system, el1_translated_does_what_programs_do)
{
    compare(1, 0);
}

static const struct test tests[] = {
    CASE_SLOW(system, el0_interpreted_does_what_programs_do, 60),
    CASE_SLOW(system, el1_interpreted_does_what_programs_do, 60),
    CASE_SLOW(system, el0_translated_does_what_programs_do, 60),
    CASE_SLOW(system, el1_translated_does_what_programs_do, 60),
};
TEST_MAIN(tests)
