/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID of machines, and the topology in APIC IDs (SDM 2A, CPUID; SDM 3A 9.9.1; APM 3, appendix E). */
#include "guest/x86/models.h"
#include "guest/x86/system_priv.h"

#include <string.h>

enum { A, B, C, D };

struct asked {
    const struct x86_conf *c;
    const struct x86_cpuid_env *env;
    uint32_t sub;
    uint32_t *out;
};

static bool is_real_amd(const struct x86_conf *c)
{
    return strcmp(c->vendor, "AuthenticAMD") == 0;
}

static bool is_amd(const struct x86_conf *c)
{
    return is_real_amd(c) || strcmp(c->vendor, "HygonGenuine") == 0;
}

static bool has(const struct asked *q, enum x86_feature f)
{
    return x86_has(&q->c->features, f);
}

/* The bits of features in register @reg of @leaf, @sub. */
static uint32_t feature_bits(const struct x86_conf *c, uint32_t leaf, uint32_t sub, unsigned reg)
{
    uint32_t v = 0;

    for (unsigned i = 1; i < X86_NUM_FEATS; i++) {
        const struct x86_place *p = x86_feature_place((enum x86_feature)i);

        if (p->leaf == leaf && p->sub == sub && p->reg == reg && x86_has(&c->features, (enum x86_feature)i))
            v |= 1u << p->bit;
    }
    return v;
}

/* --- Topology --- */

static unsigned at_least_1(uint32_t n)
{
    return n ? n : 1;
}

static unsigned bits_for(unsigned n)
{
    return n > 1 ? 32 - (unsigned)__builtin_clz(n - 1) : 0;
}

struct topology {
    unsigned threads, cores, dies, thread_bits, core_bits, die_bits, package;
};

static struct topology topology_of(const struct x86_conf *c)
{
    struct topology t = {.threads = at_least_1(c->threads), .cores = at_least_1(c->cores), .dies = at_least_1(c->dies)};

    t.thread_bits = bits_for(t.threads);
    t.core_bits = bits_for(t.cores);
    t.die_bits = bits_for(t.dies);
    t.package = t.threads * t.cores * t.dies;
    return t;
}

uint32_t x86_apic_id(const struct x86_conf *c, unsigned index)
{
    struct topology t = topology_of(c);
    uint32_t thread = index % t.threads, core = index / t.threads % t.cores, die = index / t.threads / t.cores % t.dies;
    uint32_t package = index / t.package;

    return thread | core << t.thread_bits | die << (t.thread_bits + t.core_bits) |
           package << (t.thread_bits + t.core_bits + t.die_bits);
}

/* Levels of leaf 0Bh (threads, cores) and 1Fh (dies, too). */
static void levels(const struct asked *q, bool dies)
{
    struct topology t = topology_of(q->c);
    unsigned package_bits = t.thread_bits + t.core_bits + t.die_bits;
    unsigned last = dies && t.dies > 1 ? 2 : 1;

    q->out[C] = q->sub & 0xff;
    q->out[D] = q->env->apic_id;
    if (q->sub > last)
        return;
    if (q->sub == 0) {
        q->out[A] = t.thread_bits;
        q->out[B] = t.threads;
        q->out[C] |= 1 << 8;
    } else if (q->sub == 1) {
        q->out[A] = last == 2 ? t.thread_bits + t.core_bits : package_bits;
        q->out[B] = last == 2 ? t.threads * t.cores : t.package;
        q->out[C] |= 2 << 8;
    } else {
        q->out[A] = package_bits;
        q->out[B] = t.package;
        q->out[C] |= 5 << 8;
    }
}

/* --- Standard leaves --- */

static uint32_t signature(const struct x86_conf *c)
{
    uint32_t v = c->stepping | (c->model_number & 15) << 4 | (c->model_number >> 4 & 15) << 16;

    return v | (c->family > 15 ? 15u << 8 | (c->family - 15) << 20 : c->family << 8);
}

static void leaf_1(const struct asked *q)
{
    struct topology t = topology_of(q->c);

    q->out[A] = signature(q->c);
    q->out[B] = (q->env->apic_id & 0xff) << 24 | 8 << 8; /* CLFLUSH: 64 bytes */
    q->out[C] = feature_bits(q->c, 1, 0, C);
    q->out[D] = feature_bits(q->c, 1, 0, D);
    if (q->env->osxsave)
        q->out[C] |= 1 << 27;
    if (!q->env->apic_on)
        q->out[D] &= ~(1u << 9);
    if (t.package > 1) {
        q->out[B] |= (t.package > 255 ? 255 : t.package) << 16;
        q->out[D] |= 1 << 28;
    }
}

/* First level for data and code, second level, third level, which the package shares: lines of 64 bytes. */
struct caches {
    struct {
        uint16_t type; /* EAX: kind, level in bits 5 .. 7; bit 8: initializes itself */
        uint8_t ways, how; /* how: EDX */
        uint32_t sets;
    } row[4];
    uint32_t leaf2_c, leaf2_d; /* descriptors; FFh: the deterministic parameters say it */
    uint32_t old_l1d, old_l1i, old_l2, old_l3; /* leaves 80000005h and 6 */
};

/* As leaf 80000005h has it, and 6 in units of 1 KiB or 512 KiB (APM 3, E.4.4 and E.4.5). */
#define L1(kib, ways)       ((kib) << 24 | (ways) << 16 | 1 << 8 | 64)
#define L2(kib, ways)       ((uint32_t)(kib) << 16 | (ways) << 12 | 1 << 8 | 64)
#define L3(half_mib, ways)  ((half_mib) << 18 | (ways) << 12 | 1 << 8 | 64)
enum { WAYS8 = 6, WAYS16 = 8 }; /* as those leaves code them */
#define ZEN(l1i, ways, megabytes)                                                                                       \
    {{{0x121, 8, 1, 64}, {0x122, ways, 1, 16 * (l1i) / (ways)}, {0x43, 8, 0, 1024}, {0x163, 16, 6, (megabytes) * 1024}}, \
        0x4b, 0x2cff80, L1(32, 8), L1(l1i, ways), L2(512, WAYS8), L3(2 * (megabytes), WAYS16)}

/* What the reference says: the same for all but AMD's and Hygon's from family 17h on. */
static const struct caches *caches_of(const struct x86_conf *c)
{
    static const struct caches usual = {{{0x121, 8, 1, 64}, {0x122, 8, 1, 64}, {0x143, 16, 1, 4096}, {0x163, 16, 6, 16384}},
                                        0x4d, 0x2c307d, L1(64, 2), L1(64, 2), L2(512, WAYS16), L3(32, WAYS16)};
    static const struct caches zen = ZEN(64, 4, 8), zen2 = ZEN(32, 8, 16), zen3 = ZEN(32, 8, 32);

    if (!is_amd(c) || c->family < 0x17)
        return &usual;
    return c->family > 0x18 ? &zen3 : c->family == 0x17 && c->model_number >= 0x30 ? &zen2 : &zen;
}

static void leaf_2(const struct asked *q)
{
    const struct caches *k = caches_of(q->c);

    if (is_real_amd(q->c))
        return;
    q->out[A] = 1;
    q->out[C] = k->leaf2_c;
    q->out[D] = k->leaf2_d;
}

static void caches(const struct asked *q)
{
    const struct caches *k = caches_of(q->c);
    struct topology t = topology_of(q->c);
    unsigned i = q->sub, package_bits = t.thread_bits + t.core_bits + t.die_bits;

    if (i >= 4)
        return;
    q->out[A] = k->row[i].type;
    q->out[A] |= ((i == 3 ? 1u << package_bits : 1u << t.thread_bits) - 1) << 14;
    q->out[A] |= (t.cores > 1 ? (1u << (t.core_bits + t.die_bits)) - 1 : 0) << 26;
    q->out[B] = 63 | (k->row[i].ways - 1u) << 22;
    q->out[C] = k->row[i].sets - 1;
    q->out[D] = k->row[i].how;
}

static void leaf_7(const struct asked *q)
{
    if (q->sub)
        return;
    q->out[B] = feature_bits(q->c, 7, 0, B);
    q->out[C] = feature_bits(q->c, 7, 0, C);
    q->out[D] = feature_bits(q->c, 7, 0, D);
    if (q->env->ospke)
        q->out[C] |= 16;
}

/* Components: offset in the standard form, size (SDM 1, 13.4, 13.5). */
static void leaf_d(const struct asked *q)
{
    uint64_t valid = 3 | (has(q, X86_FEAT_AVX) ? 4 : 0) | (has(q, X86_FEAT_PKU) ? 1 << 9 : 0);
    uint64_t in_use = q->env->xcr0;

    if (!has(q, X86_FEAT_XSAVE))
        return;
    if (q->sub == 0) {
        q->out[A] = (uint32_t)valid;
        q->out[B] = in_use >> 9 & 1 ? 0xa88 : in_use >> 2 & 1 ? 0x340 : 0x240;
        q->out[C] = valid >> 9 & 1 ? 0xa88 : valid >> 2 & 1 ? 0x340 : 0x240;
    } else if (q->sub == 1) {
        q->out[A] = feature_bits(q->c, 0xd, 1, A);
        if (q->out[A] & 10) /* what the compacted form takes */
            q->out[B] = 0x240 + (in_use >> 2 & 1 ? 0x100 : 0) + (in_use >> 9 & 1 ? 8 : 0);
    } else if (q->sub == 2 && (valid & 4)) {
        q->out[A] = 0x100;
        q->out[B] = 0x240;
    } else if (q->sub == 9 && (valid & 1 << 9)) {
        q->out[A] = 8;
        q->out[B] = 0xa80;
    }
}

static void standard(const struct asked *q, uint32_t leaf)
{
    switch (leaf) {
    case 0:
        q->out[A] = q->c->level;
        memcpy(&q->out[B], q->c->vendor, 4);
        memcpy(&q->out[D], q->c->vendor + 4, 4);
        memcpy(&q->out[C], q->c->vendor + 8, 4);
        break;
    case 1:
        leaf_1(q);
        break;
    case 2:
        leaf_2(q);
        break;
    case 4:
        if (!is_real_amd(q->c))
            caches(q);
        break;
    case 5:
        q->out[C] = 3; /* MWAIT leaves on interrupts, masked ones, too */
        break;
    case 6:
        q->out[A] = feature_bits(q->c, 6, 0, A);
        break;
    case 7:
        leaf_7(q);
        break;
    case 0xb:
        levels(q, false);
        break;
    case 0xd:
        leaf_d(q);
        break;
    case 0x1f:
        levels(q, true);
        break;
    default:
        break;
    }
}

/* --- Extended leaves --- */

static void leaf_80000001(const struct asked *q)
{
    struct topology t = topology_of(q->c);

    q->out[A] = signature(q->c);
    q->out[C] = feature_bits(q->c, 0x80000001, 0, C);
    q->out[D] = feature_bits(q->c, 0x80000001, 0, D);
    if (is_real_amd(q->c))
        q->out[D] |= feature_bits(q->c, 1, 0, D) & 0x183f3ff; /* the same features here, too */
    if (t.package > 1 && is_amd(q->c))
        q->out[C] |= 2; /* cores of leaf 80000008h, not threads */
}

static void leaf_80000008(const struct asked *q)
{
    struct topology t = topology_of(q->c);

    q->out[A] = q->c->phys_bits | (has(q, X86_FEAT_LM) ? has(q, X86_FEAT_LA57) ? 57u << 8 : 48u << 8 : 0);
    if (t.package > 1)
        q->out[C] = (t.thread_bits + t.core_bits + t.die_bits) << 12 | (t.package - 1);
}

static void leaf_8000001d(const struct asked *q)
{
    if (is_amd(q->c))
        caches(q);
    q->out[A] &= (1u << 26) - 1;
}

static void extended(const struct asked *q, uint32_t leaf)
{
    struct topology t = topology_of(q->c);

    switch (leaf) {
    case 0x80000000:
        q->out[A] = q->c->xlevel;
        memcpy(&q->out[B], q->c->vendor, 4);
        memcpy(&q->out[D], q->c->vendor + 4, 4);
        memcpy(&q->out[C], q->c->vendor + 8, 4);
        break;
    case 0x80000001:
        leaf_80000001(q);
        break;
    case 0x80000002: case 0x80000003: case 0x80000004:
        memcpy(q->out, q->c->model_id + 16 * (leaf - 0x80000002), 16);
        break;
    case 0x80000005: /* first level: TLBs and caches (APM 3, E.4.4) */
        q->out[A] = q->out[B] = 0x01ff01ff;
        q->out[C] = caches_of(q->c)->old_l1d;
        q->out[D] = caches_of(q->c)->old_l1i;
        break;
    case 0x80000006:
        q->out[B] = 0x42004200;
        q->out[C] = caches_of(q->c)->old_l2;
        q->out[D] = caches_of(q->c)->old_l3;
        break;
    case 0x80000008:
        leaf_80000008(q);
        break;
    case 0x8000000a:
        if (has(q, X86_FEAT_SVM)) {
            q->out[A] = 1;
            q->out[B] = X86_ASIDS;
            q->out[D] = feature_bits(q->c, 0x8000000a, 0, D);
        }
        break;
    case 0x8000001d:
        leaf_8000001d(q);
        break;
    case 0x8000001e:
        q->out[A] = q->env->apic_id;
        q->out[B] = (t.threads - 1) << 8 | (q->env->apic_id >> t.thread_bits & 0xff);
        break;
    default:
        break;
    }
}

/* --- Hypervisor leaves --- */

static void hypervisor(const struct asked *q, uint32_t leaf)
{
    if (leaf == 0x40000000) {
        q->out[A] = 0x40000001;
        memcpy(&q->out[B], "TCGTCGTCGTCG", 12); /* what guests know of emulators */
    }
}

void x86_cpuid(const struct x86_conf *c, const struct x86_cpuid_env *env, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    struct asked q = {c, env, sub, out};

    memset(out, 0, 4 * sizeof(*out));
    if (leaf >= 0x40000000 && leaf <= 0x400000ff && c->is_hypervisor) {
        hypervisor(&q, leaf);
    } else if (leaf >= 0x80000000) {
        if (leaf <= c->xlevel)
            extended(&q, leaf);
        else
            standard(&q, c->level); /* as Intel's do: the highest standard leaf */
    } else {
        standard(&q, leaf <= c->level || (leaf == 0x1f && c->dies > 1) ? leaf : c->level);
    }
}
