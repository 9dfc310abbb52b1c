/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What distinguishes the cores at the system level: identification registers, caches, limits.
 * Sources: the cores' technical reference manuals (section "Identification registers"), DDI 0487 D17.2.
 */
#ifndef GUEST_AARCH64_CORES_H
#define GUEST_AARCH64_CORES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct a64_core - one for each CPU model, same index.  Instruction set fields (ID_AA64ISARn_EL1 and parts of PFRn) are not
 * here: they are what the decoder accepts (features.def).
 */
struct a64_core {
    const char *name;
    uint32_t revidr;
    uint64_t ctr, clidr;
    uint32_t ccsidr[4]; /* L1 data, L1 instruction, L2, L3; 0: none */
    uint64_t mmfr0, mmfr1, mmfr2; /* ID_AA64MMFRn_EL1 */
    uint64_t pfr0;                /* security fields (CSV2, CSV3) of ID_AA64PFR0_EL1 */
    uint64_t dfr0;                /* ID_AA64DFR0_EL1 with a PMU */
    uint8_t breakpoints, watchpoints, counters, pmu_id; /* pmu_id: PMCR_EL0.IDCODE */
    bool impdef; /* reads zeros from its implementation-defined registers, ignores writes: what drivers for it expect */
    bool tlb_range; /* ID_AA64ISAR0_EL1.TLB is 2: TLBI of ranges and of the outer domain */
};

const struct a64_core *a64_core(unsigned model);

/* Fields of four bits. */
static inline unsigned a64_id_field(uint64_t reg, unsigned shift)
{
    return reg >> shift & 15;
}
static inline bool a64_core_pan(const struct a64_core *c) { return a64_id_field(c->mmfr1, 20); }
static inline bool a64_core_pan2(const struct a64_core *c) { return a64_id_field(c->mmfr1, 20) >= 2; }
static inline bool a64_core_epan(const struct a64_core *c) { return a64_id_field(c->mmfr1, 20) >= 3; }
static inline bool a64_core_uao(const struct a64_core *c) { return a64_id_field(c->mmfr2, 4); }
static inline bool a64_core_vhe(const struct a64_core *c) { return a64_id_field(c->mmfr1, 8); }
static inline bool a64_core_lor(const struct a64_core *c) { return a64_id_field(c->mmfr1, 16); }
static inline bool a64_core_hpd(const struct a64_core *c) { return a64_id_field(c->mmfr1, 12); }
static inline bool a64_core_af(const struct a64_core *c) { return a64_id_field(c->mmfr1, 0) >= 1; }
static inline bool a64_core_dbm(const struct a64_core *c) { return a64_id_field(c->mmfr1, 0) >= 2; }
static inline bool a64_core_vmid16(const struct a64_core *c) { return a64_id_field(c->mmfr1, 4) >= 2; }
static inline bool a64_core_xnx(const struct a64_core *c) { return a64_id_field(c->mmfr1, 28); }
static inline bool a64_core_asid16(const struct a64_core *c) { return a64_id_field(c->mmfr0, 4) >= 2; }
static inline bool a64_core_16k(const struct a64_core *c) { return a64_id_field(c->mmfr0, 20); }
static inline bool a64_core_lva(const struct a64_core *c) { return a64_id_field(c->mmfr2, 16); }
static inline bool a64_core_lpa(const struct a64_core *c) { return a64_id_field(c->mmfr0, 0) >= 6; }
static inline bool a64_core_lpa2(const struct a64_core *c) { return a64_id_field(c->mmfr0, 28) == 1; }
static inline bool a64_core_small_tables(const struct a64_core *c) { return a64_id_field(c->mmfr2, 28); }
static inline bool a64_core_e0pd(const struct a64_core *c) { return a64_id_field(c->mmfr2, 60); }
static inline bool a64_core_cnp(const struct a64_core *c) { return a64_id_field(c->mmfr2, 0); }
/** a64_core_pa_bits - ID_AA64MMFR0_EL1.PARange as a number of bits. */
unsigned a64_core_pa_bits(const struct a64_core *c);

#endif
