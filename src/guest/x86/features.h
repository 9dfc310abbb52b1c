/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an x86 CPU can do: features, named as -cpu NAME,+feature has them, and sets of them.
 * Source: SDM 2A, CPUID; APM 3, appendix E.
 */
#ifndef GUEST_X86_FEATURES_H
#define GUEST_X86_FEATURES_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum x86_feature {
#define FEATURE(name, flag, leaf, sub, reg, bit) X86_FEAT_##name,
#include "guest/x86/features.def"
#undef FEATURE
    X86_NUM_FEATS,
};

/** struct x86_features - a set. */
struct x86_features {
    uint64_t bits[(X86_NUM_FEATS + 63) / 64];
};

static inline bool x86_has(const struct x86_features *f, enum x86_feature n)
{
    return f->bits[n / 64] >> (n % 64) & 1;
}
static inline void x86_feature_put(struct x86_features *f, enum x86_feature n, bool on)
{
    f->bits[n / 64] = (f->bits[n / 64] & ~(1ull << (n % 64))) | (uint64_t)on << (n % 64);
}

/** x86_features_number - the number of that set for cpu->mode, the same for equal sets; sets live as long as the process.
 * -ENOSPC: too many (127).  Any thread. */
int x86_features_number(const struct x86_features *f);
/** x86_features_of - the set that cpu->mode names.  Any thread, without locks. */
const struct x86_features *x86_features_of(uint32_t mode);
/** x86_feature_find - by its flag name ("avx2", "sse4.1" and "sse4_1" alike); -1. */
int x86_feature_find(const char *flag);
const char *x86_feature_flag(int feature); /* NULL past the end */

/** struct x86_place - where CPUID announces a feature: bit @bit of EAX to EDX (0 to 3) of leaf and subleaf. */
struct x86_place {
    uint32_t leaf, sub;
    uint8_t reg, bit;
};
const struct x86_place *x86_feature_place(enum x86_feature feature);

/** x86_features_on - everything that we execute on a host with @exts (enum sse_ext). */
struct x86_features x86_features_on(unsigned exts);
/** x86_features_all - everything that we execute on this one. */
struct x86_features x86_features_all(void);

#endif
