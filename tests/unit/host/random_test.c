/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random regions through the x86-64 back end, compared with the interpreter; see random.h.
 * HOST_RANDOM=N in the environment tries N regions instead of 20000; HOST_RANDOM_FROM=S
 * starts with number S.
 */
#include "tests/unit/host/random.h"
#include "tests/test.h"

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

static void open_host(void)
{
#ifdef __SANITIZE_THREAD__
    SKIP("the thread sanitizer wants the address space that this needs");
#else
    open_rig();
#endif
}

/* False, with a small case printed, when number @seed fails. */
static bool check_one(uint64_t seed)
{
    static uint8_t data[RANDOM_STEP * 600];
    size_t len = random_bytes(seed, data, sizeof(data));
    char name[40];

    if (!random_try(data, len))
        return true;
    len = random_minimise(data, len);
    snprintf(name, sizeof(name), "region %llu", (unsigned long long)seed);
    random_show(data, len, name);
    return false;
}

TEST(host, does_what_the_interpreter_does)
{
    uint64_t from = number_from("HOST_RANDOM_FROM", 1), n = number_from("HOST_RANDOM", 20000);
    unsigned bad = 0;

    if (getenv("HOST_RANDOM"))
        test_limit(0);
    open_host();
    for (uint64_t seed = from; seed < from + n && bad < 3; seed++)
        bad += !CHECK(check_one(seed));
    printf("    %u regions run, %u of them to a fault, %u quick, %u FP traps; %u too big, "
           "%u did not fit\n", rig.n_run, rig.n_fault, rig.n_quick, rig.n_trap, rig.n_big, rig.n_full);
    CHECK(rig.n_run > n / 2 && rig.n_fault > n / 100 && rig.n_quick > n / 100 && rig.n_trap > n / 100);
}

/* --- Limits: a clean refusal, and the next region compiles --- */

static int compile(uint32_t cap)
{
    rig.job = (struct host_job){.ir = rig.ir, .buf = rig.code, .cap = cap, .pc = FIRST_PC,
                                .fp_slow = true};
    memset(rig.code + cap, 0xcc, 64);
    return host_compile(rig.host[0], &rig.job);
}

static void begin(void)
{
    ir_reset(rig.ir);
    rig.ir->plain = true;
    ir_start_block(rig.ir, ir_plan(rig.ir, FIRST_PC, 0));
}

static void small_region_compiles(void)
{
    begin();
    ir_set(rig.ir, S_X + 1, ir_add_imm(rig.ir, ir_get(rig.ir, S_X + 2), 3));
    ir_goto(rig.ir, 0x2000);
    ir_finish(rig.ir);
    CHECK_EQ(compile(CODE_SIZE / 2), 0);
}

TEST(host, code_that_does_not_fit_is_refused_at_any_length)
{
    static uint8_t data[RANDOM_STEP * 600];

    open_host();
    for (uint64_t seed = 1; seed < 400; seed += 9) {
        size_t len = random_bytes(seed, data, sizeof(data));
        uint32_t full;
        int r;

        now = choose(data, len);
        lift_region(rig.ir, data, len, &now);
        ir_optimise(rig.ir, 1, 0);
        r = compile(CODE_SIZE / 2);
        full = r ? 3000 : rig.job.len;
        for (uint32_t cap = 0; cap < full; cap += 1 + full / 500) {
            int got = compile(cap);

            if (!CHECK(got == -ENOSPC || (r && got == r)))
                return;
            for (unsigned i = 0; i < 64; i++)
                if (!CHECK_EQ(rig.code[cap + i], 0xcc))
                    return;
        }
    }
    small_region_compiles();
}

TEST(host, too_many_constants_are_too_big)
{
    ir_val v;

    open_host();
    begin();
    v = ir_get(rig.ir, S_Q);
    for (unsigned i = 0; i < 400; i++)
        v = ir_v2(rig.ir, IRO_vadd, 3, 0, v, ir_vconst(rig.ir, i + 2, ~(uint64_t)i));
    ir_set(rig.ir, S_Q + 1, v);
    ir_goto(rig.ir, 0x2000);
    ir_finish(rig.ir);
    CHECK_EQ(compile(CODE_SIZE / 2), -E2BIG);
    small_region_compiles();
}

TEST(host, too_many_evaluations_are_too_big)
{
    ir_val v;

    open_host();
    begin();
    v = ir_get(rig.ir, S_Q);
    for (unsigned i = 0; i < 1200; i++)
        v = ir_v2(rig.ir, IRO_vfadd, 3, 2, v, v);
    ir_set(rig.ir, S_Q + 1, v);
    ir_goto(rig.ir, 0x2000);
    ir_finish(rig.ir);
    CHECK_EQ(compile(CODE_SIZE / 2), -E2BIG);
    small_region_compiles();
}

/* @n values that are all wanted at the end; @fault: by a snapshot as well */
static int compile_with_live(unsigned n, bool vec, bool fault)
{
    ir_val v[300], sum;

    begin();
    for (unsigned i = 0; i < n; i++) {
        ir_val a = ir_const(rig.ir, IR_I64, MEM_AT + 8 * i);

        v[i] = ir_load(rig.ir, vec ? IR_V128 : IR_I64, ir_mem(vec ? 4 : 3, false, IR_RELAXED), a);
    }
    for (unsigned i = 0; fault && i < N_X - 1 && !vec; i++)
        ir_set(rig.ir, S_X + 1 + i, ir_add(rig.ir, v[i % n], v[(i * 7 + 3) % n]));
    sum = v[0];
    for (unsigned i = 1; i < n; i++)
        sum = vec ? ir_v2(rig.ir, IRO_vadd, 3, 0, sum, v[i]) : ir_add(rig.ir, sum, v[i]);
    ir_set(rig.ir, vec ? S_Q : S_X + 1, sum);
    ir_store(rig.ir, ir_mem(3, false, IR_RELAXED), ir_const(rig.ir, IR_I64, MEM_AT), v[n - 1]);
    ir_goto(rig.ir, 0x2000);
    ir_finish(rig.ir);
    return compile(CODE_SIZE / 2);
}

TEST(host, values_that_the_frame_cannot_hold_are_too_big)
{
    open_host();
    for (unsigned kind = 0; kind < 4; kind++)
        for (unsigned n = 1; n < 300; n += 7) {
            int r = compile_with_live(n, kind & 1, kind & 2);

            if (!CHECK(r == 0 || (r == -E2BIG && n > 80)) || !CHECK(r || n < 200))
                return;
            if (r)
                small_region_compiles();
        }
}

/* Flags of flags of flags that nobody but the way out wants. */
TEST(host, values_redone_on_the_way_out_may_be_many)
{
    open_host();
    begin();
    for (unsigned i = 0; i + 1 < N_F; i++) {
        ir_val a[8];

        for (unsigned k = 0; k < 8; k++)
            a[k] = ir_add(rig.ir, ir_get(rig.ir, S_X + 1 + k), ir_get(rig.ir, S_X + 9 + (k + i) % 8));
        for (unsigned k = 0; k < 8; k += 2)
            a[k / 2] = ir_cmp(rig.ir, IRO_ult, a[k], a[k + 1]);
        ir_set(rig.ir, S_F + i,
               ir_xor(rig.ir, ir_and(rig.ir, a[0], a[1]), ir_or(rig.ir, a[2], a[3])));
    }
    ir_goto(rig.ir, 0x2000);
    ir_finish(rig.ir);
    CHECK_EQ(compile(CODE_SIZE / 2), 0);
}

/* --- Counters and links --- */

/* x1 += @n, then on to @next; the code goes to @at in the buffer. */
static uint8_t *compile_step(unsigned n, uint64_t next, uint32_t at, int32_t *counter)
{
    begin();
    ir_set(rig.ir, S_X + 1, ir_add_imm(rig.ir, ir_get(rig.ir, S_X + 1), n));
    ir_goto(rig.ir, next);
    ir_finish(rig.ir);
    rig.job = (struct host_job){.ir = rig.ir, .buf = rig.code + at, .cap = 4096, .pc = FIRST_PC,
                                .counter = counter};
    CHECK_EQ(host_compile(rig.host[0], &rig.job), 0);
    return rig.job.buf;
}

static uint64_t enter_at(uint8_t *code)
{
    rig.job.buf = code;
    return enter();
}

TEST(host, a_counter_that_runs_out_leaves_before_the_region_begins)
{
    int32_t *counter;
    uint8_t *code;
    uint64_t left;

    open_host();
    fill_state(&rig.jit, &now);
    rig.jit.r.x[1] = 0;
    counter = (int32_t *)(void *)(rig.code + CODE_SIZE - 64);
    *counter = 2;
    code = compile_step(1, 0x2000, 0, counter);
    enter_at(code);
    enter_at(code);
    CHECK_EQ(rig.jit.r.x[1], 2);
    CHECK_EQ(rig.jit.pc, 0x2000);
    left = enter_at(code);
    CHECK_EQ(left >> 63, 1);
    CHECK_EQ(rig.jit.r.x[1], 2);
    CHECK_EQ(rig.jit.pc, FIRST_PC);
}

TEST(host, a_linked_exit_goes_on_in_the_next_region)
{
    uint8_t *first, *second, *data, *site;
    struct host_thunk t;
    int32_t before;

    open_host();
    fill_state(&rig.jit, &now);
    rig.jit.r.x[1] = 0;
    first = compile_step(1, 0x2000, 0, NULL);
    second = compile_step(10, 0x3000, 8192, NULL);
    data = (uint8_t *)(uintptr_t)enter_at(first);
    memcpy(&t, data, sizeof(t));
    CHECK_EQ(t.pc, 0x2000);
    site = data - t.site;
    memcpy(&before, site, 4);
    host_patch(site, second);
    data = (uint8_t *)(uintptr_t)enter_at(first);
    memcpy(&t, data, sizeof(t));
    CHECK_EQ(t.pc, 0x3000);
    CHECK_EQ(rig.jit.r.x[1], 12);
    host_patch(site, site + 4 + before); /* and back */
    enter_at(first);
    CHECK_EQ(rig.jit.pc, 0x2000);
    CHECK_EQ(rig.jit.r.x[1], 13);
}

static const struct test tests[] = {
    CASE(host, a_counter_that_runs_out_leaves_before_the_region_begins),
    CASE(host, a_linked_exit_goes_on_in_the_next_region),
    CASE_SLOW(host, code_that_does_not_fit_is_refused_at_any_length, 30),
    CASE(host, too_many_constants_are_too_big),
    CASE(host, too_many_evaluations_are_too_big),
    CASE(host, values_that_the_frame_cannot_hold_are_too_big),
    CASE(host, values_redone_on_the_way_out_may_be_many),
    CASE_SLOW(host, does_what_the_interpreter_does, 60),
};
TEST_MAIN(tests)
