/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cores' identification registers, as their technical reference manuals list them: Cortex-A35 (100236), A53 (DDI 0500),
 * A55 (100442), A57 (DDI 0488), A72 (100095), A76 (100798), Neoverse N1 (100616).
 *
 * Where they differ from the manuals: there is no AArch32 at any level, so the fields for that are zero; and there are no error records (RAS), statistical profiling or external trace.
 */
#include "guest/aarch64/cores.h"

#include <stddef.h>

#define MMFR0(pa, gran16) ((gran16) << 20 | 1u << 8 | 2u << 4 | (pa)) /* ASIDs of 16 bits, granules of 4K and 64K, both byte orders */
#define LPA2      (1ull << 28 | 3ull << 32 | 2ull << 36 | 3ull << 40) /* addresses of 52 bits with 4K and 16K, at both stages */
#define MMFR1_V82 0x10212122ull /* XNX, PAN2, LORegions, HPDS2, VHE, 16-bit VMIDs, hardware AF and dirty state */
#define MMFR2_V82 0x11ull       /* UAO, CnP */
#define DFR0_V8   0x10305106ull /* PMUv3, 6 breakpoints, 4 watchpoints, 2 for contexts */
#define DFR0_V82  0x10305408ull /* the same with PMUv3.1 and the debug architecture of 8.2 */
#define CSV       0x1100000000000000ull

static const struct a64_core cores[] = {
    /* Everything there is; caches as Cortex-A57 */
    {.name = "max", .ctr = 0x8444c004, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe012, 0x70ffe07a},
     .mmfr0 = MMFR0(6, 2) | LPA2, .mmfr1 = 0x10311122, .mmfr2 = 0x1021000010010011, .pfr0 = CSV, .dfr0 = DFR0_V8,
     .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x01, .tlb_range = true},
    {.name = "cortex-a35", .ctr = 0x84448004, .clidr = 0x0a200023, .ccsidr = {0x700fe01a, 0x201fe00a, 0x703fe03a},
     .mmfr0 = MMFR0(2, 1), .dfr0 = DFR0_V8, .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x0a, .impdef = true},
    {.name = "cortex-a53", .ctr = 0x84448004, .clidr = 0x0a200023, .ccsidr = {0x700fe01a, 0x201fe00a, 0x707fe07a},
     .mmfr0 = MMFR0(2, 0), .dfr0 = DFR0_V8, .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x03, .impdef = true},
    {.name = "cortex-a55", .ctr = 0x84448004, .clidr = 0x82000023,
     .ccsidr = {0x700fe01a, 0x200fe01a, 0x703fe07a}, .mmfr0 = MMFR0(2, 1), .mmfr1 = MMFR1_V82, .mmfr2 = MMFR2_V82,
     .pfr0 = CSV, .dfr0 = DFR0_V82, .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x45, .impdef = true},
    {.name = "cortex-a57", .ctr = 0x8444c004, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe012, 0x70ffe07a},
     .mmfr0 = MMFR0(4, 0), .dfr0 = DFR0_V8, .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x01, .impdef = true},
    {.name = "cortex-a72", .ctr = 0x8444c004, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe012, 0x707fe07a},
     .mmfr0 = MMFR0(4, 0), .dfr0 = DFR0_V8, .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x02, .impdef = true},
    {.name = "cortex-a76", .ctr = 0x8444c004, .clidr = 0x82000023, .ccsidr = {0x701fe01a, 0x201fe01a, 0x707fe03a},
     .mmfr0 = MMFR0(2, 1), .mmfr1 = MMFR1_V82, .mmfr2 = MMFR2_V82, .pfr0 = CSV, .dfr0 = DFR0_V82,
     .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x0b, .impdef = true},
    {.name = "neoverse-n1", .ctr = 0x8444c004, .clidr = 0x82000023,
     .ccsidr = {0x701fe01a, 0x201fe01a, 0x70ffe03a}, .mmfr0 = MMFR0(5, 1), .mmfr1 = MMFR1_V82, .mmfr2 = MMFR2_V82,
     .pfr0 = CSV, .dfr0 = DFR0_V82, .breakpoints = 6, .watchpoints = 4, .counters = 6, .pmu_id = 0x0c, .impdef = true},
};

const struct a64_core *a64_core(unsigned model)
{
    return model < sizeof(cores) / sizeof(cores[0]) ? &cores[model] : NULL;
}

unsigned a64_core_pa_bits(const struct a64_core *c)
{
    static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52};

    return bits[c->mmfr0 & 15];
}
