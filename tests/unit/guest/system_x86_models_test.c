/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 CPU models, what -cpu says of them, and CPUID. */
#include "guest/x86/models.h"

#include "ir/sse.h"
#include "tests/test.h"

#include <string.h>

static unsigned warnings;

static void warn(void *opaque, const char *text)
{
    if (strstr(text, opaque))
        warnings++;
}

static int parse(struct x86_conf *c, const char *name, const char *features, const char *expect)
{
    struct err e = {0};

    warnings = 0;
    return x86_conf_parse(c, name, features, "qemu64", false, warn, (void *)(uintptr_t)expect, &e);
}

TEST(x86_models, all_of_them_parse)
{
    struct x86_conf c;

    for (int i = 0; x86_model_name(i); i++) {
        CHECK_EQ(parse(&c, x86_model_name(i), NULL, ""), 0);
        CHECK_EQ(strlen(c.vendor), 12);
    }
}

TEST(x86_models, features_come_and_go_as_told)
{
    struct x86_conf c;

    CHECK_EQ(parse(&c, NULL, "+avx2,+xsave,+avx,-sse3,pni=off,smap=on,family=6,model=0x3c,stepping=1", ""), 0);
    CHECK(x86_has(&c.features, X86_FEAT_AVX2) && x86_has(&c.features, X86_FEAT_SMAP) && !x86_has(&c.features, X86_FEAT_SSE3));
    CHECK_EQ(c.family, 6);
    CHECK_EQ(c.model_number, 0x3c);
    CHECK_EQ(parse(&c, "qemu64", "+avx2", ""), 0); /* nothing to keep its registers in */
    CHECK(!x86_has(&c.features, X86_FEAT_AVX2));
    CHECK_EQ(parse(&c, "Haswell", "vendor=AuthenticAMD,model-id=Mine", ""), 0);
    CHECK(strcmp(c.vendor, "AuthenticAMD") == 0 && strcmp(c.model_id, "Mine") == 0);
}

TEST(x86_models, what_is_wrong_is_said)
{
    struct x86_conf c;

    CHECK(parse(&c, "Haswel", NULL, "") < 0);
    CHECK(parse(&c, "qemu64", "+nonsense", "") < 0);
    CHECK(parse(&c, "qemu64", "avx=maybe", "") < 0);
    CHECK(parse(&c, "qemu64", "vendor=short", "") < 0);
    CHECK(parse(&c, "qemu64", "family=x", "") < 0);
}

TEST(x86_models, lacking_features_are_warned_of_or_refused)
{
    struct x86_conf c;

    CHECK_EQ(parse(&c, "Haswell", NULL, "CPUID.07H:EBX.hle [bit 4]"), 0);
    CHECK_EQ(warnings, 1);
    CHECK_EQ(parse(&c, "Haswell-v2", NULL, "hle"), 0); /* this version has it not */
    CHECK_EQ(warnings, 0);
    CHECK_EQ(parse(&c, "Haswell", "-hle", "hle"), 0);
    CHECK_EQ(warnings, 0);
    CHECK(parse(&c, "Haswell", "enforce", "") < 0);
}

static void cpuid(const struct x86_conf *c, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    struct x86_cpuid_env env = {.apic_id = 5, .apic_on = true, .xcr0 = 7};

    x86_cpuid(c, &env, leaf, sub, r);
}

TEST(x86_models, cpuid_says_who_it_is)
{
    struct x86_conf c;
    uint32_t r[4];

    parse(&c, "Haswell", NULL, "");
    cpuid(&c, 0, 0, r);
    CHECK(memcmp(&r[1], "Genu", 4) == 0 && memcmp(&r[3], "ineI", 4) == 0 && memcmp(&r[2], "ntel", 4) == 0);
    cpuid(&c, 1, 0, r);
    CHECK_EQ(r[0], 0x306c4);
    CHECK_EQ(r[1] >> 24, 5);
    CHECK(r[3] >> 9 & 1);
    parse(&c, "486", NULL, "");
    cpuid(&c, 1, 0, r);
    CHECK_EQ(r[0], 0x480);
    parse(&c, "EPYC", NULL, "");
    cpuid(&c, 1, 0, r);
    CHECK_EQ(r[0], 0x800f12);
}

TEST(x86_models, identifiers_have_fields_for_the_topology)
{
    struct x86_conf c;
    uint32_t r[4];

    parse(&c, "max", NULL, "");
    c.threads = 2;
    c.cores = 3;
    CHECK_EQ(x86_apic_id(&c, 0), 0);
    CHECK_EQ(x86_apic_id(&c, 5), 5);
    CHECK_EQ(x86_apic_id(&c, 6), 8); /* the second package: three cores take two bits */
    cpuid(&c, 0xb, 0, r);
    CHECK_EQ(r[0], 1);
    CHECK_EQ(r[1], 2);
    cpuid(&c, 0xb, 1, r);
    CHECK_EQ(r[0], 3);
    CHECK_EQ(r[1], 6);
}

/* A host's lack takes the feature and what goes with it, and nothing else. */
TEST(x86_models, what_the_host_cannot_evaluate_is_not_offered)
{
    struct x86_features all = x86_features_on(SSE_EXT_ALL), f = x86_features_on(SSE_EXT_ALL & ~SSE_EXT_FMA);

    CHECK(x86_has(&all, X86_FEAT_FMA) && x86_has(&all, X86_FEAT_AVX2) && x86_has(&all, X86_FEAT_F16C) && x86_has(&all, X86_FEAT_SSE42));
    CHECK(!x86_has(&f, X86_FEAT_FMA) && x86_has(&f, X86_FEAT_AVX2) && x86_has(&f, X86_FEAT_F16C));
    f = x86_features_on(SSE_EXT_SSE3 | SSE_EXT_SSSE3 | SSE_EXT_SSE41);
    CHECK(!x86_has(&f, X86_FEAT_AVX) && !x86_has(&f, X86_FEAT_AVX2) && !x86_has(&f, X86_FEAT_F16C) && x86_has(&f, X86_FEAT_SSE42));
    f = x86_features_on(0);
    CHECK(!x86_has(&f, X86_FEAT_SSE3) && !x86_has(&f, X86_FEAT_SSSE3) && !x86_has(&f, X86_FEAT_SSE41) && !x86_has(&f, X86_FEAT_SSE42));
    CHECK(x86_has(&f, X86_FEAT_SSE2) && x86_has(&f, X86_FEAT_SHA) && x86_has(&f, X86_FEAT_AES) && x86_has(&f, X86_FEAT_PCLMUL));
    CHECK_EQ(sse_ext_of(SSE_vpsravd), SSE_EXT_AVX2);
    CHECK_EQ(sse_ext_of(SSE_vpermilpd), SSE_EXT_AVX);
    CHECK_EQ(sse_ext_of(SSE_vcvtps2ph), SSE_EXT_F16C);
    CHECK_EQ(sse_ext_of(SSE_pmulhrsw), SSE_EXT_SSSE3);
    CHECK_EQ(sse_ext_of(SSE_haddpd), SSE_EXT_SSE3);
    CHECK_EQ(sse_ext_of(SSE_sha1msg1), 0);
}

static const struct test tests[] = {
    CASE(x86_models, what_the_host_cannot_evaluate_is_not_offered),
    CASE(x86_models, all_of_them_parse),
    CASE(x86_models, features_come_and_go_as_told),
    CASE(x86_models, what_is_wrong_is_said),
    CASE(x86_models, lacking_features_are_warned_of_or_refused),
    CASE(x86_models, cpuid_says_who_it_is),
    CASE(x86_models, identifiers_have_fields_for_the_topology),
};
TEST_MAIN(tests)
