/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating-point state in signal frames: an XSAVE image in the standard format, whose software bytes say how long it is
 * (asm/sigcontext.h: struct _fpx_sw_bytes; SDM 1, 13.4).  A CPU without AVX has the 512 bytes of FXSAVE.
 */
#include "guest/x86/features.h"
#include "user/x86/x86_abi.h"

#include <string.h>

enum { SW_BYTES = 464, XSTATE_BV = 512, FEATURES = X86_STATE_X87 | X86_STATE_SSE | X86_STATE_AVX };

struct sw_bytes {
    uint32_t magic1, extended_size;
    uint64_t xfeatures;
    uint32_t xstate_size, padding[7];
};

struct image {
    uint8_t bytes[X86_XSAVE_BYTES];
    uint32_t magic2;
} __attribute__((aligned(16)));

static bool has_avx(const struct cpu *cpu)
{
    return x86_has(x86_features_of(cpu->mode), X86_FEAT_AVX);
}

size_t xstate_bytes(const struct cpu *cpu)
{
    return has_avx(cpu) ? X86_XSAVE_BYTES + 4 : X86_FXSAVE_BYTES;
}

bool xstate_put(struct cpu *cpu, uint64_t addr, bool code64)
{
    struct image im = {.magic2 = FP_XSTATE_MAGIC2};
    struct sw_bytes sw = {FP_XSTATE_MAGIC1, X86_XSAVE_BYTES + 4, FEATURES, X86_XSAVE_BYTES, {0}};
    uint64_t bv = FEATURES;

    if (!code64)
        sw.extended_size += 112; /* struct _fpstate_32 before it */
    x86_put_fxsave(cpu, im.bytes, X86_STATE_X87 | X86_STATE_SSE, code64);
    if (has_avx(cpu)) {
        memcpy(im.bytes + SW_BYTES, &sw, sizeof(sw));
        memcpy(im.bytes + XSTATE_BV, &bv, 8);
        memcpy(im.bytes + X86_XSAVE_AVX, x86(cpu)->ymmh, code64 ? 256 : 128);
    }
    return guest_write(cpu, addr, &im, xstate_bytes(cpu)) == 0;
}

static void clear(struct cpu *cpu, unsigned what)
{
    if (what & X86_STATE_X87)
        x86_fninit(cpu);
    if (what & X86_STATE_SSE)
        memset(x86(cpu)->xmm, 0, sizeof(x86(cpu)->xmm));
    if (what & X86_STATE_AVX)
        memset(x86(cpu)->ymmh, 0, sizeof(x86(cpu)->ymmh));
}

/* The parts that the image at @addr has beyond FXSAVE's; a handler may have made it shorter. */
static uint64_t extended(struct cpu *cpu, uint64_t addr, struct image *im)
{
    struct sw_bytes sw;
    uint64_t bv;

    memcpy(&sw, im->bytes + SW_BYTES, sizeof(sw));
    if (!has_avx(cpu) || sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size != X86_XSAVE_BYTES ||
        guest_read(cpu, im, addr, sizeof(*im)) < 0 || im->magic2 != FP_XSTATE_MAGIC2)
        return X86_STATE_X87 | X86_STATE_SSE;
    memcpy(&bv, im->bytes + XSTATE_BV, 8);
    return bv & FEATURES;
}

bool xstate_get(struct cpu *cpu, uint64_t addr, bool code64)
{
    struct image im;
    uint64_t bv;

    if (!addr) {
        clear(cpu, FEATURES);
        x86_set_mxcsr(cpu, 0x1f80);
        return true;
    }
    if (guest_read(cpu, &im, addr, X86_FXSAVE_BYTES) < 0)
        return false;
    bv = extended(cpu, addr, &im);
    if (!x86_get_fxsave(cpu, im.bytes, (unsigned)bv & (X86_STATE_X87 | X86_STATE_SSE), code64))
        return false;
    clear(cpu, FEATURES & ~(unsigned)bv);
    if (bv & X86_STATE_AVX)
        memcpy(x86(cpu)->ymmh, im.bytes + X86_XSAVE_AVX, code64 ? 256 : 128);
    return true;
}
