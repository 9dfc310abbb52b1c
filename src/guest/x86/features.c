/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Features of x86 CPUs by name, and the sets of them that cpu->mode numbers. */
#include "guest/x86/features.h"

#include "guest/x86/x86.h"
#include "ir/sse.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static const struct {
    char flag[16];
    struct x86_place place;
} rows[] = {
#define FEATURE(name, flag, leaf, sub, reg, bit) {flag, {leaf, sub, reg, bit}},
#include "guest/x86/features.def"
#undef FEATURE
};

enum { MAX_SETS = 127 };
static struct x86_features sets[MAX_SETS]; /* never change once counted; number 0: nothing but BASE */
static unsigned n_sets = 1;                /* [atomic; grows under the lock] */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int x86_features_number(const struct x86_features *f)
{
    unsigned i;

    pthread_mutex_lock(&lock);
    for (i = 0; i < n_sets && memcmp(&sets[i], f, sizeof(*f)); i++)
        ;
    if (i == n_sets && i < MAX_SETS) {
        sets[i] = *f;
        __atomic_store_n(&n_sets, i + 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    return i < MAX_SETS ? (int)i : -ENOSPC;
}

const struct x86_features *x86_features_of(uint32_t mode)
{
    unsigned n = mode >> X86_MODE_FEATURES & 127;

    return &sets[n < MAX_SETS ? n : 0];
}

/* "sse4_1" is "sse4.1", "sha_ni" "sha-ni". */
static bool same(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !(strchr("._-", *a) && strchr("._-", *b)))
            return false;
    return *a == *b;
}

int x86_feature_find(const char *flag)
{
    for (int i = 1; i < X86_NUM_FEATS; i++)
        if (same(flag, rows[i].flag))
            return i;
    return -1;
}

const char *x86_feature_flag(int feature)
{
    return feature >= 0 && feature < X86_NUM_FEATS ? rows[feature].flag : NULL;
}

const struct x86_place *x86_feature_place(enum x86_feature feature)
{
    return &rows[feature].place;
}

/* What needs a host's extension; features that CPUs have with one only go with it. */
struct x86_features x86_features_on(unsigned exts)
{
    static const struct {
        uint8_t feature, exts;
    } needs[] = {
        {X86_FEAT_SSE3, SSE_EXT_SSE3},
        {X86_FEAT_SSSE3, SSE_EXT_SSE3 | SSE_EXT_SSSE3},
        {X86_FEAT_SSE41, SSE_EXT_SSE3 | SSE_EXT_SSSE3 | SSE_EXT_SSE41},
        {X86_FEAT_SSE42, SSE_EXT_SSE3 | SSE_EXT_SSSE3 | SSE_EXT_SSE41},
        {X86_FEAT_AVX, SSE_EXT_SSE3 | SSE_EXT_SSSE3 | SSE_EXT_SSE41 | SSE_EXT_AVX},
        {X86_FEAT_AVX2, SSE_EXT_ALL & ~(SSE_EXT_F16C | SSE_EXT_FMA)},
        {X86_FEAT_F16C, SSE_EXT_ALL & ~(SSE_EXT_AVX2 | SSE_EXT_FMA)},
        {X86_FEAT_FMA, SSE_EXT_ALL & ~(SSE_EXT_AVX2 | SSE_EXT_F16C)},
    };
    struct x86_features f = {{0}};

    for (unsigned i = 1; i < X86_NUM_FEATS; i++)
        x86_feature_put(&f, i, true);
    for (unsigned i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (needs[i].exts & ~exts)
            x86_feature_put(&f, needs[i].feature, false);
    return f;
}

struct x86_features x86_features_all(void)
{
    return x86_features_on(sse_host_exts());
}
