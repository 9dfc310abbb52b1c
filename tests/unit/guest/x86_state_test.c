/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 state as memory has it, against the processor underneath; segments of programs. */
#include "guest/x86/features.h"
#include "guest/x86/x86.h"
#include "tests/test.h"

#include <string.h>
#include <sys/mman.h>

static struct cpu *new_cpu(unsigned code)
{
    struct engine_conf conf = {.kind = ENGINE_INTERP};
    const struct guest_isa *isa = code == X86_CODE64 ? &guest_x86_64 : &guest_i386;
    struct x86_features all = x86_features_all();
    struct cpu *cpu = cpu_new(isa, engine_new(isa, &conf));

    x86_program(cpu, code, (unsigned)x86_features_number(&all));
    return cpu;
}

/* Two numbers on a stack that has wrapped, one of them special. */
static void host_state(uint8_t fx[512], uint8_t fs[108])
{
    static const double half = 0.5;
    uint8_t keep[512] __attribute__((aligned(16))), image[512] __attribute__((aligned(16))) = {0};

    __asm__ volatile("fxsave64 %0" : "=m"(keep));
    __asm__ volatile("fninit; fldpi; fldl %2; fldz; fstp %%st(1); fld1; fchs; fsqrt; fxsave64 %0; fnsave %1"
                     : "=m"(image), "=m"(*(uint8_t(*)[108])fs) : "m"(half));
    __asm__ volatile("fxrstor64 %0" : : "m"(keep));
    memcpy(fx, image, 512);
}

TEST(state, fxsave_and_fsave_images_are_the_processors)
{
    uint8_t fx[512], fs[108], out[512] = {0}, out32[108];
    struct cpu *cpu = new_cpu(X86_CODE64);

    host_state(fx, fs);
    CHECK(x86_get_fxsave(cpu, fx, X86_STATE_X87 | X86_STATE_SSE, true));
    x86_put_fxsave(cpu, out, X86_STATE_X87 | X86_STATE_SSE, true);
    CHECK(memcmp(fx, out, 28) == 0);
    CHECK(memcmp(fx + 32, out + 32, 128 + 256) == 0);
    x86_put_fsave(cpu, out32);
    CHECK(memcmp(fs, out32, 12) == 0); /* words and tags; pointers are the host's */
    CHECK(memcmp(fs + 28, out32 + 28, 80) == 0);
    x86_fninit(cpu);
    CHECK_EQ(x86(cpu)->ftag, 0);
    x86_get_fsave(cpu, fs);
    memset(out, 0, sizeof(out));
    x86_put_fxsave(cpu, out, X86_STATE_X87, true);
    CHECK(memcmp(fx, out, 6) == 0 && memcmp(fx + 32, out + 32, 128) == 0);
}

TEST(state, mxcsr_is_kept_whole_and_checked)
{
    uint8_t fx[512] = {0};
    struct cpu *cpu = new_cpu(X86_CODE64);

    x86_set_mxcsr(cpu, 0x7fbf);
    CHECK_EQ(x86_get_mxcsr(cpu), 0x7fbf);
    CHECK(!(cpu->mode & X86_MODE_FP_SLOW));
    x86_set_mxcsr(cpu, 0x1f00);
    CHECK(cpu->mode & X86_MODE_FP_SLOW);
    x86_set_mxcsr(cpu, 0x1f80);
    CHECK_EQ(x86_get_mxcsr(cpu), 0x1f80);
    fx[26] = 1;
    CHECK(!x86_get_fxsave(cpu, fx, X86_STATE_SSE, true));
}

TEST(state, programs_load_the_segments_that_linux_gives_them)
{
    struct cpu *cpu = new_cpu(X86_CODE32);
    struct x86_state *s = x86(cpu);
    uint64_t ldt[2] = {0, 0x1240f23456780fffull}; /* base 0x12345678, limit 0xfff bytes */

    s->tls[0] = 0xf7dff3c01000ffffull;
    CHECK_EQ(x86_program_load(cpu, X86_GS, 0x63), 0);
    CHECK_EQ(s->base[X86_GS], 0xf7c01000);
    CHECK_EQ(x86_program_load(cpu, X86_GS, 0x6b), X86_EXC_GP);
    CHECK_EQ(s->seg[X86_GS].selector, 0x63);
    CHECK_EQ(x86_program_load(cpu, X86_FS, 0), 0);
    CHECK_EQ(x86_program_load(cpu, X86_ES, X86_USER_DS), 0);
    CHECK_EQ(x86_program_load(cpu, X86_SS, 0), X86_EXC_GP);
    CHECK_EQ(x86_program_load(cpu, X86_DS, X86_USER32_CS), 0); /* readable code */
    CHECK_EQ(x86_program_load(cpu, X86_ES, 15), X86_EXC_GP);
    s->ldt = ldt;
    s->n_ldt = 2;
    CHECK(cpu->mode & X86_MODE_FLAT);
    CHECK_EQ(x86_program_load(cpu, X86_ES, 15), 0);
    CHECK_EQ(s->base[X86_ES], 0x12345678);
    CHECK_EQ(s->seg[X86_ES].limit, 0xfff);
    CHECK(!(cpu->mode & X86_MODE_FLAT));
}

/* Runs @text, which ends in UD2, with RAX at @at. */
static enum cpu_stop run(struct cpu *cpu, const void *text, size_t len, void *at)
{
    static uint8_t *page;

    if (!page)
        page = mmap((void *)0x20000000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    memcpy(page, text, len);
    x86(cpu)->r[X86_SI] = (uint64_t)(uintptr_t)at;
    cpu->pc = (uint64_t)(uintptr_t)page;
    engine_invalidate(cpu->engine, cpu->pc, 4096);
    return cpu_run(cpu);
}
#define RUN(cpu, text, at) run(cpu, text, sizeof(text) - 1, at)

TEST(state, xsave_and_xrstor_take_the_parts_they_are_asked_for)
{
    static const char xsavec64[] = "\x48\x0f\xc7\x26\x0f\x0b", xrstor64[] = "\x48\x0f\xae\x2e\x0f\x0b",
                      fxsave64[] = "\x48\x0f\xae\x06\x0f\x0b", xsave64[] = "\x48\x0f\xae\x26\x0f\x0b";
    uint8_t *p = mmap((void *)0x20010000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    uint8_t fx[512], fs[108];
    uint64_t header[3];
    struct cpu *cpu = new_cpu(X86_CODE64);
    struct x86_state *s = x86(cpu);

    host_state(fx, fs);
    x86_get_fxsave(cpu, fx, X86_STATE_X87 | X86_STATE_SSE, true);
    s->xmm[3].d[0] = 0x1122334455667788;
    s->ymmh[9].d[1] = 77;
    s->r[X86_AX] = 7, s->r[X86_DX] = 0;
    CHECK_EQ(RUN(cpu, xsavec64, p), CPU_STOP_UNDEFINED);
    memcpy(header, p + 512, sizeof(header));
    CHECK_EQ(header[0], 7);
    CHECK_EQ(header[1], 7 | 1ull << 63);
    CHECK(memcmp(p + 32, fx + 32, 128) == 0);
    x86_fninit(cpu);
    memset(s->xmm, 0, sizeof(s->xmm));
    memset(s->ymmh, 0, sizeof(s->ymmh));
    s->r[X86_AX] = 5; /* not SSE */
    CHECK_EQ(RUN(cpu, xrstor64, p), CPU_STOP_AGAIN);
    CHECK_EQ(s->xmm[3].d[0], 0);
    CHECK_EQ(s->ymmh[9].d[1], 77);
    CHECK_EQ(s->ftag, fx[4]);
    s->r[X86_AX] = 7;
    CHECK_EQ(RUN(cpu, xrstor64, p), CPU_STOP_AGAIN);
    CHECK_EQ(s->xmm[3].d[0], 0x1122334455667788);
    memset(p, 0, 1024);
    s->r[X86_AX] = 4;
    CHECK_EQ(RUN(cpu, xsave64, p), CPU_STOP_UNDEFINED);
    CHECK(p[0] == 0 && p[512] == 4 && p[520] == 0 && p[576 + 9 * 16 + 8] == 77);
    CHECK_EQ(RUN(cpu, fxsave64, p), CPU_STOP_UNDEFINED);
    CHECK(memcmp(p + 32, fx + 32, 128) == 0);
    p[512] = 8; /* a part that is not enabled */
    CHECK_EQ(RUN(cpu, xrstor64, p), CPU_STOP_GUEST);
    CHECK_EQ(X86_DETAIL_VECTOR(cpu->detail), X86_EXC_GP);
    CHECK_EQ(RUN(cpu, fxsave64, p + 8), CPU_STOP_GUEST);
}

static const struct test tests[] = {
    CASE(state, xsave_and_xrstor_take_the_parts_they_are_asked_for),
    CASE(state, fxsave_and_fsave_images_are_the_processors),
    CASE(state, mxcsr_is_kept_whole_and_checked),
    CASE(state, programs_load_the_segments_that_linux_gives_them),
};
TEST_MAIN(tests)
