/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/cpuinfo of arm64 Linux (Documentation/arch/arm64/elf_hwcaps.rst for the names). */
#include "user/arm64/arm64.h"

#include <string.h>

/* The kernel's names of the HWCAP bits in order; those of HWCAP2 follow (hwcap_str of arm64,
 * documented in Documentation/arch/arm64/elf_hwcaps.rst). */
static const char hwcap_names[] =
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma "
    "lrcpc dcpop sha3 sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca "
    "pacg ";
static const char hwcap2_names[] =
    "dcpodp sve2 sveaes svepmull svebitperm svesha3 svesm4 flagm2 frint svei8mm svef32mm "
    "svef64mm svebf16 i8mm bf16 dgh rng bti mte ecv afp rpres mte3 sme smei16i64 smef64f64 "
    "smei8i32 smef16f32 smeb16f32 smef32f32 smefa64 wfxt ebf16 sveebf16 cssc rprfm sve2p1 sme2 "
    "sme2p1 smei16i32 smebi32i32 smeb16b16 smef16f16 mops hbc sveb16b16 lrcpc3 lse128 ";

static void put_features(FILE *out, const char *names, uint64_t bits)
{
    for (unsigned i = 0; *names; i++) {
        size_t n = strcspn(names, " ");

        if (i < 64 && bits >> i & 1)
            fprintf(out, " %.*s", (int)n, names);
        names += n + 1;
    }
}

void arm64_cpuinfo(const struct process *p, const struct cpu *cpu, long n, FILE *out)
{
    uint32_t midr = a64_model_midr(p->model);

    fprintf(out, "processor\t: %ld\nBogoMIPS\t: 100.00\nFeatures\t:", n);
    if (cpu) {
        put_features(out, hwcap_names, a64_hwcap(cpu));
        put_features(out, hwcap2_names, a64_hwcap2(cpu));
    }
    fprintf(out, "\nCPU implementer\t: 0x%02x\nCPU architecture: 8\nCPU variant\t: 0x%x\n"
            "CPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
            midr >> 24, midr >> 20 & 15, midr >> 4 & 0xfff, midr & 15);
}
