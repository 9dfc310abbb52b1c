/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The XSAVE family: what is stored of each set of components, which of them count as changed (XSTATE_BV, XCR1), what the compacted form's
 * header says, what XRSTOR refuses (SDM 1, 13.6 to 13.10).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint8_t area[1024] __attribute__((aligned(64))), loads[1024] __attribute__((aligned(64)));
static uint32_t mxcsr_init = 0x1f80, mxcsr_odd = 0x9f80;
static uint64_t ones[4] = {-1, -1, -1, -1};
static sigjmp_buf back;

static int there(unsigned at)
{
    return area[at] != 0x5a || area[at + 1] != 0x5a;
}

/* XCR1 is that of a state without x87's and other parts: whether these count as changed is the processor's choice. */
static void show(const char *what, unsigned rfbm, uint32_t xcr1)
{
    uint64_t h[2];

    memcpy(h, area + 512, 16);
    printf("%s, %u: changed %llx compact %llx;%s%s%s%s%s; xcr1 %x\n", what, rfbm, (unsigned long long)h[0] & ~1ull, (unsigned long long)h[1],
           there(0) ? " x87" : "", there(24) ? " mxcsr" : "", there(28) ? " mask" : "", there(160) ? " xmm" : "", there(576) ? " ymm" : "",
           xcr1 & 6);
}

#define SAVE(insn, rfbm, prepare)                                                                                    \
    do {                                                                                                             \
        uint32_t xcr1, high;                                                                                         \
        memset(area, 0x5a, sizeof(area));                                                                            \
        memset(area + 512, 0xff, 16);                                                                                \
        __asm__ volatile("fninit; fld1; vzeroall; " prepare "; " insn " %2; mov $1, %%ecx; xgetbv; vzeroall; ldmxcsr %5" \
                         : "=&a"(xcr1), "=&d"(high), "+m"(area) : "0"(rfbm), "1"(0), "m"(mxcsr_init), "m"(mxcsr_odd), "m"(ones) \
                         : "ecx", "memory");                                                                         \
        show(insn " after " prepare, rfbm, xcr1);                                                                    \
    } while (0)
#define ALL(insn)                                                                                                    \
    for (unsigned rfbm = 0; rfbm < 8; rfbm++) {                                                                      \
        SAVE(insn, rfbm, "nop");                                                                                     \
        SAVE(insn, rfbm, "ldmxcsr %6");                                                                              \
        SAVE(insn, rfbm, "pcmpeqb %%xmm3, %%xmm3");                                                                  \
        SAVE(insn, rfbm, "vmovups %7, %%ymm3");                                                                      \
    }

static void caught(int sig)
{
    siglongjmp(back, 1);
}

/* Of an image of ones: what XRSTOR of everything makes of it. */
static void restore(const char *what, uint64_t bv, uint64_t comp, uint64_t third, uint64_t fourth, uint32_t mxcsr, unsigned off)
{
    uint64_t h[4] = {bv, comp, third, fourth}, ymm[4];
    uint32_t now;

    memset(loads, 0, sizeof(loads));
    memcpy(loads, "\x7f\x03", 2);
    memcpy(loads + 24, &mxcsr, 4);
    memset(loads + 160, 0x11, 256);
    memset(loads + 576, 0x22, 256);
    memcpy(loads + 512, h, 32);
    memmove(loads + off, loads, sizeof(loads) - off);
    if (sigsetjmp(back, 1)) {
        printf("xrstor, %s: fault\n", what);
        return;
    }
    __asm__ volatile("vmovups %2, %%ymm3; ldmxcsr %3; xrstor (%4); vmovups %%ymm3, %0; stmxcsr %1; vzeroall; ldmxcsr %5"
                     : "=m"(ymm), "=m"(now) : "m"(ones), "m"(mxcsr_odd), "r"(loads + off), "m"(mxcsr_init), "a"(7), "d"(0) : "memory");
    printf("xrstor, %s: xmm %llx ymm %llx mxcsr %x\n", what, (unsigned long long)ymm[0], (unsigned long long)ymm[2], now);
}

int main(void)
{
    const uint64_t compact = 1ull << 63;

    signal(SIGSEGV, caught);
    ALL("xsave")
    ALL("xsaveopt")
    ALL("xsavec")
    restore("everything", 7, 0, 0, 0, 0x3f80, 0);
    restore("nothing", 0, 0, 0, 0, 0x3f80, 0);
    restore("sse", 2, 0, 0, 0, 0x3f80, 0);
    restore("avx", 4, 0, 0, 0, 0x3f80, 0);
    restore("compact, everything", 7, compact | 7, 0, 0, 0x3f80, 0);
    restore("compact, nothing", 0, compact | 7, 0, 0, 0x3f80, 0);
    restore("compact, avx", 4, compact | 4, 0, 0, 0x3f80, 0);
    restore("compact, none named", 0, compact, 0, 0, 0x3f80, 0);
    restore("compact, one not named", 6, compact | 4, 0, 0, 0x3f80, 0);
    restore("compact, not there", 7, compact | 7 | 1ull << 62, 0, 0, 0x3f80, 0);
    restore("not there", 7 | 1ull << 62, 0, 0, 0, 0x3f80, 0);
    restore("not compact, named", 7, 7, 0, 0, 0x3f80, 0);
    restore("third word", 7, 0, 1, 0, 0x3f80, 0);
    restore("fourth word", 7, 0, 0, 1, 0x3f80, 0);
    restore("compact, fourth word", 7, compact | 7, 0, 1, 0x3f80, 0);
    restore("mxcsr", 7, 0, 0, 0, 0x10000, 0);
    restore("mxcsr, nothing", 0, 0, 0, 0, 0x10000, 0);
    restore("mxcsr, compact", 7, compact | 7, 0, 0, 0x10000, 0);
    restore("mxcsr, compact, not sse", 4, compact | 7, 0, 0, 0x10000, 0);
    restore("32 bytes on", 7, 0, 0, 0, 0x3f80, 32);
    return 0;
}
