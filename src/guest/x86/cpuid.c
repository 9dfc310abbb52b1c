/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID's answers, from the feature set (SDM 2A, CPUID; APM 3, appendix E). */
#include "guest/x86/lift.h"

#include <string.h>

static const struct {
    uint32_t leaf, sub;
    uint8_t reg, bit;
} where[] = {
#define FEATURE(name, flag, leaf, sub, reg, bit) {leaf, sub, reg, bit},
#include "guest/x86/features.def"
#undef FEATURE
};

enum { EAX, EBX, ECX, EDX };
enum { MAX_BASIC = 0xd };
#define MAX_EXTENDED 0x80000008

static const char vendor[12] = "AuthenticAMD";
static const char brand[48] = "Emu virtual CPU";

static uint32_t word(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static void put_vendor(uint32_t r[4], uint32_t max)
{
    r[EAX] = max;
    r[EBX] = word(vendor);
    r[EDX] = word(vendor + 4);
    r[ECX] = word(vendor + 8);
}

/* Sizes of the XSAVE area (SDM 1, 13.4): the legacy region and header; AVX's part at 576. */
static void xsave_leaf(const struct cpu *cpu, bool avx, uint32_t sub, uint32_t r[4])
{
    uint32_t all = avx ? 832 : 576, now = x86((struct cpu *)cpu)->xcr0 & 4 ? 832 : 576;

    if (sub == 0) {
        r[EAX] = avx ? 7 : 3;
        r[EBX] = now;
        r[ECX] = all;
    } else if (sub == 1) {
        r[EBX] = now;
    } else if (sub == 2 && avx) {
        r[EAX] = 256;
        r[EBX] = 576;
    }
}

/* What does not depend on features: sizes, family 15, caches like those of processors in use. */
static void fixed(const struct cpu *cpu, const struct x86_features *f, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    switch (leaf) {
    case 0:
        put_vendor(r, MAX_BASIC);
        break;
    case 1:
        r[EAX] = 0x060fb1;
        r[EBX] = 8 << 8 | 1 << 16; /* CLFLUSH of 64 bytes, one logical processor */
        if (x86_has(f, X86_FEAT_XSAVE) && (!cpu->memory || x86((struct cpu *)cpu)->xcr0 & 2))
            r[ECX] = 1 << 27; /* OSXSAVE */
        break;
    case 0xd:
        xsave_leaf(cpu, x86_has(f, X86_FEAT_AVX), sub, r);
        break;
    case 0x80000000:
        put_vendor(r, MAX_EXTENDED);
        break;
    case 0x80000001:
        r[EAX] = 0x060fb1;
        break;
    case 0x80000002: case 0x80000003: case 0x80000004:
        memcpy(r, brand + 16 * (leaf - 0x80000002), 16);
        break;
    case 0x80000005: /* 32 KiB of L1 for each, 8 ways, lines of 64 bytes */
        r[ECX] = r[EDX] = 32 << 24 | 8 << 16 | 1 << 8 | 64;
        break;
    case 0x80000006: /* 512 KiB of L2, 16 MiB of L3 */
        r[ECX] = 512u << 16 | 6 << 12 | 1 << 8 | 64;
        r[EDX] = 32u << 18 | 8 << 12 | 1 << 8 | 64;
        break;
    case 0x80000008:
        r[EAX] = 48 << 8 | 40;
        break;
    }
}

uint64_t x86_help_cpuid(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    const struct x86_features *f = x86_features_of(cpu->mode);
    uint32_t leaf = (uint32_t)s->r[X86_AX], sub = (uint32_t)s->r[X86_CX], r[4] = {0};

    if (leaf > MAX_EXTENDED || (leaf > MAX_BASIC && leaf < 0x80000000))
        leaf = MAX_BASIC; /* as Intel's processors answer what they do not know */
    fixed(cpu, f, leaf, sub, r);
    for (unsigned i = 1; i < X86_NUM_FEATS; i++)
        if (where[i].leaf == leaf && (where[i].sub == sub || (leaf != 7 && leaf != 0xd)) && x86_has(f, i))
            r[where[i].reg] |= 1u << where[i].bit;
    s->r[X86_AX] = r[EAX];
    s->r[X86_BX] = r[EBX];
    s->r[X86_CX] = r[ECX];
    s->r[X86_DX] = r[EDX];
    return 0;
}
