/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs for the guest of toy.h, made from bytes: run on the interpreter and on a translator, they end
 * alike.  The first 16 bytes choose set-up and engine, the rest are the program's words.
 */
#ifndef TESTS_UNIT_CPU_AGREE_H
#define TESTS_UNIT_CPU_AGREE_H

#include "tests/unit/cpu/toy.h"

#include <stdio.h>
#include <stdlib.h>

enum { AGREE_HEAD = 16, AGREE_MAX = AGREE_HEAD + 4 * TOY_WORDS };

/* How programs are run; the first is the reference.  Code caches are small, so that they overflow. */
static const struct agree_engine {
    const char *name;
    struct engine_conf conf;
} agree_engines[] = {
    {"interpreter", {.kind = ENGINE_INTERP}},
    {"hot at once", {.hot_after = 1, .cache_size = 1 << 18}},
    {"hot soon", {.hot_after = 4, .cache_size = 1 << 19}},
    {"hot later", {.hot_after = 40, .cache_size = 1 << 20}},
    {"cold", {.hot_after = ~0u, .cache_size = 1 << 18}},
    {"no room", {.hot_after = 2, .cache_size = 1 << 15}},
    {"exact flags", {.hot_after = 3, .cache_size = 1 << 19, .exact_flags = true}},
    {"no links", {.hot_after = 2, .cache_size = 1 << 19, .no_links = true}},
    {"single instructions", {.hot_after = ~0u, .cache_size = 1 << 18, .max_insns = 1}},
    {"no passes", {.hot_after = 2, .cache_size = 1 << 19, .passes_off = ~0u}},
    {"few host features", {.hot_after = 2, .cache_size = 1 << 19, .host_off = 15}},
};
enum { AGREE_ENGINES = sizeof(agree_engines) / sizeof(agree_engines[0]) };

/* How a program ended. */
struct agree_end {
    struct toy_state s;
    enum cpu_stop stop;
    uint64_t pc, detail, fault_addr;
    uint32_t mode, fp_flags, landing;
    uint8_t data[TOY_DATA], stack[TOY_STACK], code[4 * TOY_WORDS];
};

static struct {
    struct cpu *cpu[AGREE_ENGINES];
    struct agree_end want, got;
    unsigned n_run, n_stop[CPU_STOP_YIELD + 1];
} agree;

static inline void *agree_host(uint64_t addr)
{
    return (void *)(uintptr_t)addr;
}

static inline void agree_open(void)
{
    toy_open(1);
    toy_signal_stack();
}

/* Of one program at a time. */
static inline struct cpu *agree_cpu(unsigned engine)
{
    if (!agree.cpu[engine])
        agree.cpu[engine] = toy_cpu(toy_engine(&agree_engines[engine].conf));
    return agree.cpu[engine];
}

/* The program, for all CPUs. */
static inline void agree_load(const uint8_t *data, size_t len)
{
    uint8_t *code = agree_host(TOY_CODE_AT);

    memset(code, 0, 4 * TOY_WORDS);
    memcpy(code, data + AGREE_HEAD, len - AGREE_HEAD);
}

/* The state at its start from the head's bytes; @which memory is the CPU's. */
static inline void agree_start(struct cpu *cpu, const uint8_t *data, unsigned which)
{
    static const uint64_t odd[] = {0, 1, 0x3ff0000000000000, 0x8000000000000001, 0x000fffffffffffff,
                                   0x0010000000000000, 0x7ff0000000000001, 0x1ff8000000000001,
                                   0x3fd5555555555555, ~0ull};
    struct toy_state *s = toy(cpu);
    uint32_t fuel = data[1] % 4 ? 64u + data[2] : 8u * (data[1] + 16u) * (data[2] + 1u);
    uint64_t base = which * TOY_NEXT, *stack = agree_host(TOY_STACK_AT + base);

    toy_reset(cpu);
    toy_mode(cpu, 0, 0, 0);
    cpu->landing = 0;
    for (unsigned i = 0; i < 16; i++)
        s->x[i] = data[3 + i % 8] * (i < 8 ? 1ull : 0x0101010101010101ull) * (i + 1);
    for (unsigned i = 0; i < 8; i++)
        s->d[i] = odd[data[8 + i] % 10] ^ (uint64_t)(data[8 + i] >> 7) << 63;
    s->data = TOY_DATA_AT + base;
    if (fuel > TOY_FUEL / 8)
        fuel = TOY_FUEL / 8;
    s->x[TOY_FUEL_REG] = TOY_FUEL_AT + base + TOY_FUEL - 8 * fuel;
    s->x[TOY_LINK] = toy_at(data[14]);
    cpu->pc = toy_at(data[11]);
    memset(agree_host(s->data), data[12], TOY_DATA);
    for (unsigned i = 0; i < TOY_STACK / 8; i++) /* returns that nobody called for lead somewhere, too */
        stack[i] = toy_at(i * 37 + data[13]);
}

static inline void agree_set_up(struct cpu *cpu, const uint8_t *data, size_t len)
{
    agree_load(data, len);
    engine_invalidate(cpu->engine, TOY_CODE_AT, 4 * TOY_WORDS);
    agree_start(cpu, data, 0);
}

/* Runs to the end, and notes it. */
static inline void agree_finish(struct cpu *cpu, struct agree_end *end)
{
    memset(end, 0, sizeof(*end));
    do {
        end->stop = cpu_run(cpu);
        if (end->stop == CPU_STOP_ATTENTION)
            end->stop = cpu_settle(cpu);
    } while (end->stop == CPU_STOP_ATTENTION);
    end->s = *toy(cpu);
    end->pc = cpu->pc;
    end->mode = cpu->mode;
    end->landing = cpu->landing;
    if (end->stop == CPU_STOP_SYSCALL || end->stop == CPU_STOP_UNDEFINED)
        end->detail = cpu->detail;
    if (end->stop == CPU_STOP_FAULT)
        end->fault_addr = cpu->fault_addr;
    fpmode_gather(&cpu->fp);
    end->fp_flags = cpu->fp.flags;
    memcpy(end->data, agree_host(end->s.data), TOY_DATA);
    memcpy(end->stack, agree_host(end->s.data + TOY_STACK_AT - TOY_DATA_AT), TOY_STACK);
    memcpy(end->code, agree_host(TOY_CODE_AT), 4 * TOY_WORDS);
    toy_mode(cpu, 0, 0, 0); /* nothing of ours may trap */
}

static inline void agree_run(struct cpu *cpu, const uint8_t *data, size_t len, struct agree_end *end)
{
    agree_set_up(cpu, data, len);
    agree_finish(cpu, end);
}

/* NULL, or what differs; but for the flags at a fault, which are only right when @exact. */
static inline const char *agree_difference(struct agree_end *g, const struct agree_end *w, bool exact)
{
    static __thread char text[120];

    if (!exact && w->stop == CPU_STOP_FAULT)
        memcpy(g->s.flag, w->s.flag, sizeof(g->s.flag));
    snprintf(text, sizeof(text), "stop %d pc %#llx mode %u landing %u flags %#x, want %d %#llx %u %u %#x",
             g->stop, (unsigned long long)g->pc, g->mode, g->landing, g->fp_flags, w->stop,
             (unsigned long long)w->pc, w->mode, w->landing, w->fp_flags);
    if (g->stop != w->stop || g->pc != w->pc || g->mode != w->mode || g->landing != w->landing ||
        g->fp_flags != w->fp_flags)
        return text;
    if (g->detail != w->detail || g->fault_addr != w->fault_addr)
        return "detail or fault address";
    for (unsigned i = 0; i < 16; i++)
        if (g->s.x[i] != w->s.x[i]) {
            snprintf(text, sizeof(text), "x%u is %#llx, want %#llx", i, (unsigned long long)g->s.x[i],
                     (unsigned long long)w->s.x[i]);
            return text;
        }
    if (memcmp(&g->s, &w->s, sizeof(g->s)))
        return "floating-point registers or flags";
    return memcmp(g->data, w->data, sizeof(g->data)) || memcmp(g->stack, w->stack, sizeof(g->stack)) ||
           memcmp(g->code, w->code, sizeof(g->code)) ? "memory" : NULL;
}

/* Runs the program of @data, at least AGREE_HEAD bytes; NULL, or what is wrong. */
static inline const char *agree_try(const uint8_t *data, size_t len)
{
    unsigned e = 1 + data[0] % (AGREE_ENGINES - 1);

    if (len > AGREE_MAX)
        len = AGREE_MAX;
    agree_run(agree_cpu(0), data, len, &agree.want);
    agree_run(agree_cpu(e), data, len, &agree.got);
    agree.n_run++;
    agree.n_stop[agree.want.stop]++;
    return agree_difference(&agree.got, &agree.want, agree_engines[e].conf.exact_flags);
}

static inline void agree_show(const uint8_t *data, size_t len, const char *wrong)
{
    static const char *const name[TOY_NUM_OPS] = {
        "add", "addi", "subs", "xor", "mul", "load", "store", "anywhere", "fadd", "fmul", "fdiv", "fsqrt",
        "push", "pop", "mode", "patch", "jump", "bnz", "bcond", "call", "callr", "ret", "jumpr", "trap"};

    printf("%s: %s\nhead:", agree_engines[1 + data[0] % (AGREE_ENGINES - 1)].name, wrong);
    for (unsigned i = 0; i < AGREE_HEAD; i++)
        printf(" %02x", data[i]);
    putchar('\n');
    for (size_t at = AGREE_HEAD; at + 4 <= len; at += 4) {
        struct toy_insn i = toy_decode(data + at);

        if (memcmp(data + at, "\0\0\0", 4))
            printf("%3zu: %-8s a=%u b=%u c=%u land=%u\n", (at - AGREE_HEAD) / 4, name[i.op], i.a, i.b,
                   i.c, i.land);
    }
}

/* Zeroes words as long as something is wrong. */
static inline void agree_minimise(uint8_t *data, size_t len)
{
    for (size_t n = len / 8 * 4; n >= 4; n = n / 8 * 4)
        for (size_t at = AGREE_HEAD; at + n <= len; at += n) {
            uint8_t keep[AGREE_MAX];

            memcpy(keep, data + at, n);
            memset(data + at, 0, n);
            if (!agree_try(data, len))
                memcpy(data + at, keep, n);
        }
}

/* --- Random programs with functions that call each other --- */

struct agree_dice {
    uint64_t s;
};

static inline unsigned agree_roll(struct agree_dice *d, unsigned n)
{
    uint64_t z = d->s += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (unsigned)(((z ^ z >> 31) >> 32) * n >> 32);
}

static inline void agree_word(uint8_t *p, struct agree_dice *d, unsigned op, unsigned a)
{
    p[0] = (uint8_t)(op | (agree_roll(d, 8) ? 0xe0 : 0)); /* most can be landed on */
    p[1] = (uint8_t)a;
    p[2] = (uint8_t)agree_roll(d, 256);
    p[3] = (uint8_t)agree_roll(d, 256);
}

/* A function of @n words: saves the link, does something, calls, loops, returns. */
static inline void agree_function(uint8_t *p, struct agree_dice *d, unsigned n, unsigned odd)
{
    static const uint8_t usual[] = {TOY_ADD, TOY_ADDI, TOY_SUBS, TOY_XOR, TOY_LOAD, TOY_STORE, TOY_BNZ,
                                    TOY_BCOND, TOY_BCOND, TOY_CALL, TOY_CALL, TOY_CALLR, TOY_FADD,
                                    TOY_FMUL, TOY_FDIV, TOY_FSQRT};
    static const uint8_t seldom[] = {TOY_MODE, TOY_MODE, TOY_PATCH, TOY_ANYWHERE, TOY_JUMPR, TOY_RET,
                                     TOY_JUMP, TOY_PUSH, TOY_POP};

    agree_word(p, d, TOY_PUSH, TOY_LINK);
    for (unsigned i = 1; i + 2 < n; i++) {
        unsigned op = agree_roll(d, 24) < odd ? seldom[agree_roll(d, 9)] : usual[agree_roll(d, 16)];

        agree_word(p + 4 * i, d, op, agree_roll(d, 13));
    }
    agree_word(p + 4 * (n - 2), d, TOY_POP, TOY_LINK);
    agree_word(p + 4 * (n - 1), d, TOY_RET, agree_roll(d, 16));
    p[4 * (n - 1) + 2] = agree_roll(d, 32) ? 1 : 0; /* nearly always through the link */
}

static inline size_t agree_random(uint64_t seed, uint8_t *data)
{
    struct agree_dice d = {seed * 0x2545f4914f6cdd1dull};
    unsigned odd = agree_roll(&d, 4);

    for (unsigned i = 0; i < AGREE_HEAD; i++)
        data[i] = (uint8_t)agree_roll(&d, 256);
    for (unsigned at = 0; at < TOY_WORDS;) {
        unsigned n = 4 + agree_roll(&d, 20);

        if (n > TOY_WORDS - at - 4)
            n = TOY_WORDS - at;
        agree_function(data + AGREE_HEAD + 4 * at, &d, n, odd);
        at += n;
    }
    agree_word(data + AGREE_MAX - 4, &d, agree_roll(&d, 4) ? TOY_JUMP : TOY_TRAP, 0);
    return AGREE_MAX;
}

#endif
