/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the translator makes of instruction tests, without running them: count FEATURES_OFF <CASES.
 * FEATURES_OFF is of enum host_off, on a processor that has everything, so that every machine gives
 * the same answer.
 *
 * CASES: for each case its size in bytes, 32 bits, and its code.  A case is laid at CODE_AT; a hot
 * region is formed at its beginning, and wherever one ends, until every instruction is in one.
 * Output for each case: IR operations after the passes, operations evaluated out of line, size of the
 * host code that follows (32 bits each): the straight parts of its regions.
 */
#include "cpu/jit.h"
#include "guest/aarch64/aarch64.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CODE_AT = 0x04000000, PAGE = 4096, FINISH = 0x400000, HOST_CODE = 1 << 18 };

struct counts {
    uint32_t ops, evals, len;
};

static uint8_t *page, host_code[HOST_CODE] __attribute__((aligned(4096))), all[HOST_CODE];
static uint32_t case_size;

/* The case and the branch behind it. */
static size_t fetch(void *opaque, uint64_t pc, uint32_t *mode)
{
    uint64_t end = CODE_AT + case_size + 4;

    return pc >= CODE_AT && pc < end ? end - pc : 0;
}

static void hold(void *opaque, bool on)
{
}

static struct engine *open_engine(unsigned features_off)
{
    struct engine_conf conf = {.hot_after = 1, .host_off = features_off | HOST_ASSUME_ALL};
    struct engine *e = engine_new(&guest_aarch64, &conf);

    page = mmap((void *)CODE_AT, PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page != (void *)CODE_AT)
        fatal("%#x is not free", CODE_AT);
    engine_set_fetch(e, fetch, hold, NULL);
    return e;
}

/* One region's code, made once more where it can be looked at. */
static void count_region(struct jit *j, uint64_t pc, struct counts *c)
{
    struct host_job job = {.ir = j->own.ir, .buf = host_code, .cap = sizeof(host_code), .pc = pc};

    if (host_compile(j->own.host, &job) < 0 || c->len + job.straight_len > sizeof(all))
        fatal("region at %#llx: not compiled", (unsigned long long)pc);
    memcpy(all + c->len, host_code, job.straight_len);
    c->ops += j->own.ir->n_ops - 1; /* the first is nothing */
    c->evals += job.n_evals;
    c->len += job.straight_len;
}

static struct counts count_case(struct jit *j, uint32_t mode)
{
    bool covered[PAGE / 4] = {false};
    struct counts c = {0};

    for (uint32_t at = 0; at < case_size; at += 4) {
        struct region *r;

        if (covered[at / 4])
            continue;
        r = form_hot_locked(j, CODE_AT + at, mode);
        if (!r)
            fatal("region at %#x: not formed", CODE_AT + at);
        covered[at / 4] = true;
        for (unsigned i = 0; i < r->n_blocks; i++)
            for (uint64_t pc = r->spans[i].start; pc + 4 <= r->spans[i].end; pc += 4)
                covered[(pc - CODE_AT) / 4 % (PAGE / 4)] = true;
        count_region(j, CODE_AT + at, &c);
    }
    jit_reset_cache(j);
    return c;
}

/* False at the end. */
static bool read_case(void)
{
    uint32_t leave;

    if (fread(&case_size, 4, 1, stdin) != 1)
        return false;
    leave = 0x14000000 | ((FINISH - (CODE_AT + case_size)) / 4 & 0x3ffffff); /* b FINISH */
    if (case_size > PAGE - 4 || fread(page, 1, case_size, stdin) != case_size)
        fatal("no case");
    memcpy(page + case_size, &leave, 4);
    return true;
}

int main(int argc, char **argv)
{
    struct engine *e = open_engine(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 0);
    struct cpu *cpu = cpu_new(&guest_aarch64, e);
    struct jit *j = jit_of(e);

    while (read_case()) {
        struct counts c = count_case(j, cpu->mode);

        fwrite(&c, sizeof(c), 1, stdout);
        fwrite(all, 1, c.len, stdout);
    }
    return ferror(stdout) || fflush(stdout) != 0;
}
