/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host's processor has; see asm.h.  Source: AMD64 Architecture Programmer's Manual, volume 3, appendix E. */
#include "host/x86_64/asm.h"

#include "host/host.h"

/* In a virtual machine, asking the processor takes microseconds each time.  The C library did when the
 * program started, and minds what the kernel supports; other C libraries than glibc do not tell. */
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>

static struct x64_feat detect(void)
{
    return (struct x64_feat){
        .avx = CPU_FEATURE_ACTIVE(AVX), .avx2 = CPU_FEATURE_ACTIVE(AVX2),
        .bmi1 = CPU_FEATURE_ACTIVE(BMI1), .bmi2 = CPU_FEATURE_ACTIVE(BMI2),
        .lzcnt = CPU_FEATURE_ACTIVE(LZCNT), .popcnt = CPU_FEATURE_ACTIVE(POPCNT),
        .fma = CPU_FEATURE_ACTIVE(FMA), .aes = CPU_FEATURE_ACTIVE(AES),
        .pclmul = CPU_FEATURE_ACTIVE(PCLMULQDQ), .sha = CPU_FEATURE_ACTIVE(SHA),
        .sse41 = CPU_FEATURE_ACTIVE(SSE4_1) && CPU_FEATURE_ACTIVE(SSSE3),
        .sse42 = CPU_FEATURE_ACTIVE(SSE4_2), .f16c = CPU_FEATURE_ACTIVE(F16C),
        .movbe = CPU_FEATURE_ACTIVE(MOVBE), .gfni = CPU_FEATURE_ACTIVE(GFNI),
    };
}

bool host_has(unsigned leaf, unsigned sub, unsigned reg, unsigned bit)
{
    unsigned n = leaf == 1            ? CPUID_INDEX_1
                 : leaf == 0x80000001 ? CPUID_INDEX_80000001
                 : leaf == 7 && !sub  ? CPUID_INDEX_7
                 : leaf == 7          ? CPUID_INDEX_7_ECX_1
                 : leaf == 0xd        ? CPUID_INDEX_D_ECX_1
                                      : CPUID_INDEX_80000008;

    return (leaf != 7 || sub <= 1) && (leaf != 0xd || sub == 1) && (n != CPUID_INDEX_80000008 || leaf == 0x80000008) &&
           __x86_get_cpuid_feature_leaf(n)->active_array[reg] >> bit & 1;
}
#else
#include <cpuid.h>

bool host_has(unsigned leaf, unsigned sub, unsigned reg, unsigned bit)
{
    unsigned v[4];

    return __get_cpuid_count(leaf, sub, &v[0], &v[1], &v[2], &v[3]) && v[reg] >> bit & 1;
}


static struct x64_feat detect(void)
{
    struct x64_feat f = { 0 };
    unsigned a, b, c, d, xcr = 0, xcr_hi;

    if (!__get_cpuid(1, &a, &b, &c, &d))
        return f;
    if (c & bit_OSXSAVE)
        __asm__("xgetbv" : "=a"(xcr), "=d"(xcr_hi) : "c"(0));
    f.avx = (c & bit_AVX) && (xcr & 6) == 6;
    f.fma = c & bit_FMA;
    f.f16c = c & bit_F16C;
    f.popcnt = c & bit_POPCNT;
    f.sse41 = (c & bit_SSE4_1) && (c & bit_SSSE3);
    f.sse42 = c & bit_SSE4_2;
    f.aes = c & bit_AES;
    f.pclmul = c & bit_PCLMUL;
    f.movbe = c & bit_MOVBE;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        f.avx2 = b & bit_AVX2;
        f.bmi1 = b & bit_BMI;
        f.bmi2 = b & bit_BMI2;
        f.sha = b & bit_SHA;
        f.gfni = c & bit_GFNI;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        f.lzcnt = c & bit_LZCNT;
    return f;
}
#endif

struct x64_feat x64_feat_detect(unsigned off)
{
    static const struct x64_feat everything = {
        .avx = true, .avx2 = true, .bmi1 = true, .bmi2 = true, .lzcnt = true, .popcnt = true, .fma = true,
        .aes = true, .pclmul = true, .sha = true, .sse41 = true, .sse42 = true, .f16c = true, .movbe = true,
        .gfni = true,
    };
    struct x64_feat f = off & HOST_ASSUME_ALL ? everything : detect();

    if (off & HOST_OFF_AVX)
        f.avx = f.sse42 = false;
    f.avx2 &= f.avx;
    f.f16c &= f.avx;
    f.fma &= f.avx && !(off & HOST_OFF_FMA);
    f.bmi1 &= f.avx && !(off & HOST_OFF_BMI);
    f.bmi2 &= f.avx && !(off & HOST_OFF_BMI);
    f.lzcnt &= !(off & HOST_OFF_BMI);
    f.aes &= !(off & HOST_OFF_CRYPTO);
    f.pclmul &= !(off & HOST_OFF_CRYPTO);
    f.sha &= !(off & HOST_OFF_CRYPTO);
    f.gfni &= f.avx && !(off & HOST_OFF_CRYPTO);
    return f;
}
