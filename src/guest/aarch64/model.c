/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 CPU models and what Linux tells programs about their features (features.def). */
#include "guest/aarch64/lift.h"
#include "guest/aarch64/lift_priv.h"

#include <string.h>

#define F(name) (1ull << A64_FEAT_##name)

/* What the cores' technical reference manuals list, as far as programs can see it. */
#define CRYPTO (F(AES) | F(PMULL) | F(SHA1) | F(SHA256))
#define ARMV8  (F(BASE) | F(CRC32) | CRYPTO)
#define ARMV82 (ARMV8 | F(LSE) | F(LOR) | F(RDM) | F(FP16) | F(DOTPROD) | F(RCPC) | F(DPB) | F(SSBS))

struct model {
    char name[16];
    uint32_t midr;
    uint64_t feats;
};

/* Index 0 is the default: everything that the decoder knows. */
static const struct model models[] = {
    {"max", 0x000f0510, ~0ull},
    {"cortex-a35", 0x411fd040, ARMV8},
    {"cortex-a53", 0x410fd034, ARMV8},
    {"cortex-a55", 0x412fd050, ARMV82},
    {"cortex-a57", 0x411fd070, ARMV8},
    {"cortex-a72", 0x410fd083, ARMV8},
    {"cortex-a76", 0x414fd0b1, ARMV82},
    {"neoverse-n1", 0x414fd0c1, ARMV82},
};

enum { NUM_MODELS = sizeof(models) / sizeof(models[0]) };

enum id_register { NONE, ISAR0, ISAR1, ISAR2, PFR0, PFR1, MMFR1, MMFR2 };

static const struct {
    uint64_t hwcap, hwcap2, value;
    uint8_t reg, shift;
} feature[] = {
#define FEATURE(name, cap, cap2, reg, shift, value, doc) {cap, cap2, value, reg, shift},
#include "guest/aarch64/features.def"
#undef FEATURE
};

uint64_t a64_model_feats(unsigned model)
{
    return (model < NUM_MODELS ? models[model].feats : 0) & a64_rows_features();
}

uint64_t a64_mode_feats(uint32_t mode)
{
    uint64_t feats = a64_model_feats(a64_mode_model(mode));

    if (mode & A64_MODE_NO_PAUTH)
        feats &= ~F(PAUTH);
    return feats;
}

int a64_model_find(const char *name)
{
    for (int i = 0; i < NUM_MODELS; i++) {
        if (strcmp(models[i].name, name) == 0)
            return i;
    }
    return -1;
}

const char *a64_model_name(int index)
{
    return index >= 0 && index < NUM_MODELS ? models[index].name : NULL;
}

uint32_t a64_model_midr(int index)
{
    return index >= 0 && index < NUM_MODELS ? models[index].midr : 0;
}

void a64_set_model(struct cpu *cpu, int index)
{
    a64(cpu)->model = index;
    cpu->mode = (cpu->mode & ~(63u << A64_MODE_MODEL)) | (uint32_t)index << A64_MODE_MODEL;
}

bool a64_has_bti(int model)
{
    return a64_model_feats((unsigned)model) & F(BTI);
}

void a64_enable_bti(struct cpu *cpu)
{
    if ((cpu->mode & A64_MODE_BTI) || !a64_has_bti((int)a64_mode_model(cpu->mode)))
        return;
    cpu_use_landings(cpu);
    cpu_set_mode(cpu, cpu->mode | A64_MODE_BTI);
}

void a64_set_qarma5(struct cpu *cpu)
{
    cpu->mode |= A64_MODE_QARMA5;
}

uint64_t a64_hwcap(const struct cpu *cpu)
{
    uint64_t feats = a64_model_feats(a64_mode_model(cpu->mode)), caps = 0;

    for (unsigned i = 0; i < A64_NUM_FEATS; i++)
        caps |= feats >> i & 1 ? feature[i].hwcap : 0;
    return caps;
}

uint64_t a64_hwcap2(const struct cpu *cpu)
{
    uint64_t feats = a64_model_feats(a64_mode_model(cpu->mode)), caps = 0;

    for (unsigned i = 0; i < A64_NUM_FEATS; i++)
        caps |= feats >> i & 1 ? feature[i].hwcap2 : 0;
    return caps;
}

/* Fields of four bits; each keeps its greatest value. */
static uint64_t merge_fields(uint64_t a, uint64_t b)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < 64; i += 4) {
        uint64_t x = a >> i & 15, y = b >> i & 15;
        r |= (x > y ? x : y) << i;
    }
    return r;
}

static uint64_t feature_fields(uint64_t feats, enum id_register reg)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < A64_NUM_FEATS; i++) {
        if ((feats >> i & 1) && feature[i].reg == reg)
            v = merge_fields(v, feature[i].value << feature[i].shift);
    }
    return v;
}

/* The registers op0 3, op1 0, CRn 0 as Linux emulates reading them: only what programs may know. */
uint64_t a64_id_register(uint32_t mode, unsigned crm, unsigned op2)
{
    unsigned model = a64_mode_model(mode);
    uint64_t feats = a64_mode_feats(mode);

    switch (crm << 4 | op2) {
    case 0x00: /* MIDR_EL1 */
        return a64_model_midr(model);
    case 0x05: /* MPIDR_EL1: RES1 */
        return 1u << 31;
    case 0x40: /* ID_AA64PFR0_EL1: EL0 and EL1 in AArch64 only */
        return 0x11 | feature_fields(feats, PFR0);
    case 0x41:
        return feature_fields(feats, PFR1);
    case 0x50: /* ID_AA64DFR0_EL1: the least debug architecture there is */
        return 6;
    case 0x60:
        return feature_fields(feats, ISAR0);
    case 0x61: /* APA: QARMA5; API: an algorithm of ours */
        if (feats & F(PAUTH))
            return feature_fields(feats, ISAR1) | (mode & A64_MODE_QARMA5 ? 1u << 4 : 1u << 8);
        return feature_fields(feats, ISAR1);
    case 0x62:
        return feature_fields(feats, ISAR2);
    case 0x72:
        return feature_fields(feats, MMFR2);
    default:
        return 0;
    }
}
