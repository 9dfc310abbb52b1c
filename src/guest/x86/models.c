/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU models and what -cpu says of them (models.def, features.def, lacking.def). */
#include "guest/x86/models.h"

#include "base/nearest.h"
#include "ir/sse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTEL "GenuineIntel"
#define AMD   "AuthenticAMD"
#define HYGON "HygonGenuine"

struct model {
    const char *name, *alias, *vendor, *model_id, *help, *features;
    uint32_t family, model, stepping, level, xlevel;
};

static const struct model models[] = {
#define ALIAS(n, of) {.name = n, .alias = of},
#define MODEL(n, v, f, m, s, l, x, id, h, fs)                                                                              \
    {.name = n, .vendor = v, .family = f, .model = m, .stepping = s, .level = l, .xlevel = x, .model_id = id, .help = h, .features = fs},
#include "guest/x86/models.def"
#undef MODEL
#undef ALIAS
    {.name = "base", .help = "base CPU model type with no features enabled", .vendor = INTEL, .model_id = "", .features = "", .family = 6},
    {.name = "host", .help = "processor with all supported host features ", .features = "*", .level = 0xd, .xlevel = 0x8000000a},
    {.name = "max", .help = "Enables all features supported by the accelerator in the current host", .vendor = AMD, .family = 15, .model = 107,
     .stepping = 1, .level = 0xd, .xlevel = 0x8000000a, .model_id = "Emu Virtual CPU", .features = "*"},
};
enum { N_MODELS = sizeof(models) / sizeof(models[0]) };

static const struct lack {
    const char *flag;
    uint32_t leaf, sub;
    uint8_t reg, bit;
} lacking[] = {
#define LACKING(flag, leaf, sub, reg, bit) {flag, leaf, sub, reg, bit},
#include "guest/x86/lacking.def"
#undef LACKING
};
enum { N_LACKING = sizeof(lacking) / sizeof(lacking[0]) };

/* Where CPUID announces what we have. */
static const struct lack announced[] = {
#define FEATURE(name, flag, leaf, sub, reg, bit) {flag, leaf, sub, reg, bit},
#include "guest/x86/features.def"
#undef FEATURE
};

/* --- Names --- */

static bool same_flag(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] && !(strchr("._-", a[i]) && b[i] && strchr("._-", b[i])))
            return false;
    return !b[len];
}

static const struct lack *find_lacking(const char *flag, size_t len)
{
    for (unsigned i = 0; i < N_LACKING; i++)
        if (same_flag(flag, lacking[i].flag, len))
            return &lacking[i];
    return NULL;
}

int x86_model_find(const char *name)
{
    for (int i = 0; i < N_MODELS; i++)
        if (strcmp(models[i].name, name) == 0)
            return i;
    return -1;
}

const char *x86_model_name(int i)
{
    return i >= 0 && i < N_MODELS ? models[i].name : NULL;
}

/* "Haswell-v1" is what "Haswell" stands for, today; "Haswell-IBRS" is another name of a version. */
static const char *model_help(int i)
{
    static __thread char text[80];
    const struct model *m = &models[i];
    size_t len;

    if (!m->alias)
        return m->help ? m->help : m->model_id;
    len = strlen(m->name);
    if (strncmp(m->alias, m->name, len) == 0 && strcmp(m->alias + len, "-v1") == 0)
        return "(alias configured by machine type)";
    snprintf(text, sizeof(text), "(alias of %s)", m->alias);
    return text;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All that may stand behind + and -: what there is, and what is understood to be lacking. */
enum { MAX_FLAGS = X86_NUM_FEATS + N_LACKING + 1 };

static unsigned flags_by_name(const char *names[MAX_FLAGS])
{
    unsigned n = 0;

    for (int i = 1; x86_feature_flag(i); i++)
        if (*x86_feature_flag(i))
            names[n++] = x86_feature_flag(i);
    for (unsigned i = 0; i < N_LACKING; i++)
        names[n++] = lacking[i].flag;
    names[n] = NULL;
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

enum { HELP_COLUMNS = 75 };

void x86_print_models(FILE *out)
{
    const char *names[MAX_FLAGS];
    unsigned n = flags_by_name(names), column = 1;

    for (int i = 0; i < N_MODELS; i++)
        fprintf(out, "x86 %-20s  %s\n", x86_model_name(i), model_help(i));
    fprintf(out, "\nRecognized CPUID flags:\n ");
    for (unsigned i = 0; i < n; i++) {
        if (i && strcmp(names[i], names[i - 1]) == 0)
            continue;
        if (column + 1 + strlen(names[i]) > HELP_COLUMNS) {
            fprintf(out, "\n ");
            column = 1;
        }
        column += (unsigned)fprintf(out, " %s", names[i]);
    }
    fprintf(out, "\n\n");
}

/* --- A model's features --- */

struct taking {
    struct x86_conf *c;
    void (*lacks)(void *opaque, const struct lack *l);
    void *opaque;
    struct x86_features host; /* what can be executed here */
};

static void take_flag(struct taking *t, const char *flag, size_t len, bool on)
{
    char name[32];
    const struct lack *l = find_lacking(flag, len);
    int f;

    if (l) {
        if (on)
            t->lacks(t->opaque, l);
        return;
    }
    snprintf(name, sizeof(name), "%.*s", (int)len, flag);
    f = x86_feature_find(name);
    if (f > 0 && on && !x86_has(&t->host, (enum x86_feature)f))
        t->lacks(t->opaque, &announced[f]);
    else if (f > 0)
        x86_feature_put(&t->c->features, (enum x86_feature)f, on);
}

/* What a model adds to another that lacks it, it may take away again: lacking ones are counted at the end only. */
static bool taken_away(const char *list, const char *flag, size_t len)
{
    for (const char *p = strchr(list, '-'); p; p = strchr(p + 1, '-'))
        if (p > list && p[-1] == ' ' && strncmp(p + 1, flag, len) == 0 && (p[1 + len] == ' ' || !p[1 + len]))
            return true;
    return false;
}

static void take_list(struct taking *t, const char *list, const char *later)
{
    while (*list) {
        size_t len = strcspn(list, " ");
        char name[40];

        if (*list == '@') {
            snprintf(name, sizeof(name), "%.*s", (int)len - 1, list + 1);
            take_list(t, models[x86_model_find(name)].features, list);
        } else if (*list == '+' || *list == '-') {
            take_flag(t, list + 1, len - 1, *list == '+');
        } else if (!taken_away(later, list, len)) {
            take_flag(t, list, len, true);
        }
        list += len + (list[len] == ' ');
    }
}

static void host_cpuid(uint32_t leaf, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(*out));
#if defined(__x86_64__)
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
#endif
}

/* Who the host says it is. */
static void host_identity(struct x86_conf *c)
{
    uint32_t r[4];

    host_cpuid(0, r);
    memcpy(c->vendor, &r[1], 4);
    memcpy(c->vendor + 4, &r[3], 4);
    memcpy(c->vendor + 8, &r[2], 4);
    host_cpuid(1, r);
    c->family = (r[0] >> 8 & 15) + ((r[0] >> 8 & 15) == 15 ? r[0] >> 20 & 255 : 0);
    c->model_number = (r[0] >> 4 & 15) | (r[0] >> 12 & 0xf0);
    c->stepping = r[0] & 15;
    for (unsigned i = 0; i < 3; i++) {
        host_cpuid(0x80000002 + i, r);
        memcpy(c->model_id + 16 * i, r, 16);
    }
}

static void from_model(int i, struct x86_conf *c, struct taking *t)
{
    const struct model *m = &models[i];

    while (m->alias)
        m = &models[x86_model_find(m->alias)];
    c->model = i;
    c->family = m->family;
    c->model_number = m->model;
    c->stepping = m->stepping;
    c->level = m->level;
    c->xlevel = m->xlevel;
    c->phys_bits = 40;
    c->is_hypervisor = true;
    if (*m->features == '*') {
        c->features = t->host;
        x86_feature_put(&c->features, X86_FEAT_HT, false); /* CPUID says so where there are several CPUs in a package */
        x86_feature_put(&c->features, X86_FEAT_CMP_LEGACY, false);
        if (!(sse_host_exts() & SSE_EXT_SHA)) /* programs do better without than what we would compute; sha-ni=on has it all the same */
            x86_feature_put(&c->features, X86_FEAT_SHA, false);
    } else {
        c->features = (struct x86_features){{0}};
        take_list(t, m->features, "");
    }
    if (!m->vendor) {
        host_identity(c);
        return;
    }
    snprintf(c->vendor, sizeof(c->vendor), "%s", m->vendor);
    snprintf(c->model_id, sizeof(c->model_id), "%s", m->model_id);
}

/* --- -cpu NAME,features --- */

enum { MAX_LACKS = 64 };
struct parsing {
    struct x86_conf *c;
    const struct lack *lacks[MAX_LACKS];
    unsigned n_lacks;
    bool check, enforce;
    struct x86_features host; /* what can be executed here */
};

static void note_lack(void *opaque, const struct lack *l)
{
    struct parsing *p = opaque;

    for (unsigned i = 0; i < p->n_lacks; i++)
        if (p->lacks[i] == l)
            return;
    if (p->n_lacks < MAX_LACKS)
        p->lacks[p->n_lacks++] = l;
}

static void drop_lack(struct parsing *p, const struct lack *l)
{
    for (unsigned i = 0; i < p->n_lacks; i++)
        if (p->lacks[i] == l)
            p->lacks[i--] = p->lacks[--p->n_lacks];
}

static int on_or_off(const char *name, const char *value, bool *v, struct err *e)
{
    if (strcmp(value, "on") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
        *v = true;
    else if (strcmp(value, "off") == 0 || strcmp(value, "no") == 0 || strcmp(value, "false") == 0)
        *v = false;
    else
        return err_set(e, -EINVAL, "CPU property '%s' is on or off, not '%s'", name, value);
    return 0;
}

static int a_number(const char *name, const char *value, uint32_t max, uint32_t *v, struct err *e)
{
    char *end;
    unsigned long long n = strtoull(value, &end, 0);

    if (!*value || *end || *value == '-' || n > max)
        return err_set(e, -EINVAL, "CPU property '%s' is a number up to %u, not '%s'", name, max, value);
    *v = (uint32_t)n;
    return 0;
}

static int set_number(struct x86_conf *c, const char *name, const char *value, bool *found, struct err *e)
{
    const struct {
        const char *name;
        uint32_t *at, max;
    } rows[] = {
        {"family", &c->family, 0xff + 0xf}, {"model", &c->model_number, 0xff},  {"stepping", &c->stepping, 15},
        {"level", &c->level, 0xffffffff},   {"xlevel", &c->xlevel, 0xffffffff}, {"phys-bits", &c->phys_bits, 52},
        {"min-level", &c->level, 0xffffffff}, {"min-xlevel", &c->xlevel, 0xffffffff},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(name, rows[i].name) == 0) {
            *found = true;
            return a_number(name, value, rows[i].max, rows[i].at, e);
        }
    return 0;
}

static int set_text(struct x86_conf *c, const char *name, const char *value, bool *found, struct err *e)
{
    *found = true;
    if (strcmp(name, "vendor") == 0) {
        if (strlen(value) != 12)
            return err_set(e, -EINVAL, "CPU property 'vendor' is twelve characters, not '%s'", value);
        memcpy(c->vendor, value, 13);
    } else if (strcmp(name, "model-id") == 0 || strcmp(name, "model_id") == 0) {
        memset(c->model_id, 0, sizeof(c->model_id));
        snprintf(c->model_id, sizeof(c->model_id), "%s", value);
    } else {
        *found = false;
    }
    return 0;
}

/* Properties that are for hardware virtualization, or change nothing here. */
static bool harmless(const char *name)
{
    static const char *const names[] = {"migratable", "host-phys-bits", "host-phys-bits-limit", "host-cache-info", "l3-cache", "kvm", "pmu",
                                        "legacy-cache", "tcg-cpuid", "cpuid-0xb", "full-cpuid-auto-level", "fill-mtrr-mask", "tsc-frequency",
                                        "tsc-freq", "lmce", "kvm-no-smi-migration", "x-migrate-smi-count", "hv-relaxed", "hv-vapic", "hv-time",
                                        "hv-spinlocks", "hv-vpindex", "hv-synic", "hv-stimer", "hv-passthrough"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (same_flag(name, names[i], strlen(name)))
            return true;
    return false;
}

/* Names that features had before, or have elsewhere. */
static const char *usual_name(const char *name)
{
    static const struct {
        char old[12], usual[12];
    } rows[] = {{"sse3", "pni"}, {"pclmuldq", "pclmulqdq"}, {"xd", "nx"}, {"i64", "lm"}, {"ffxsr", "fxsr-opt"}, {"lzcnt", "abm"}};

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(name, rows[i].old) == 0)
            return rows[i].usual;
    return name;
}

static int set_switch(struct parsing *p, const char *name, bool v, bool *found)
{
    const struct lack *l = find_lacking(name, strlen(name));
    int f = x86_feature_find(name);

    *found = true;
    if (!l && f > 0 && !x86_has(&p->host, (enum x86_feature)f))
        l = &announced[f];
    if (l && v)
        note_lack(p, l);
    else if (l)
        drop_lack(p, l);
    else if (f > 0)
        x86_feature_put(&p->c->features, (enum x86_feature)f, v);
    else if (strcmp(name, "check") == 0)
        p->check = v;
    else if (strcmp(name, "enforce") == 0)
        p->enforce = v;
    else
        *found = false;
    return 0;
}

static int no_such_property(const struct x86_conf *c, const char *name, struct err *e)
{
    const char *names[MAX_FLAGS], *best;

    flags_by_name(names);
    if ((best = nearest_name(name, names)))
        return err_set(e, -EINVAL, "CPU model '%s' has no property '%s'; did you mean '%s'?", x86_model_name(c->model), name, best);
    return err_set(e, -EINVAL, "CPU model '%s' has no property '%s'; -cpu help lists the features there are", x86_model_name(c->model), name);
}

static int set_property(struct parsing *p, const char *name, const char *value, struct err *e)
{
    bool found = false, v = true;
    int r;

    if ((r = set_number(p->c, name, value, &found, e)) < 0 || found)
        return r;
    if ((r = set_text(p->c, name, value, &found, e)) < 0 || found)
        return r;
    if (harmless(name))
        return 0;
    name = usual_name(name);
    set_switch(&(struct parsing){.c = &(struct x86_conf){0}}, name, true, &found);
    if (!found)
        return no_such_property(p->c, name, e);
    if ((r = on_or_off(name, value, &v, e)) < 0)
        return r;
    return set_switch(p, name, v, &found);
}

/* "name=value", "name", "+name", "-name". */
static int one_property(struct parsing *p, char *text, struct err *e)
{
    char *eq = strchr(text, '=');

    if (*text == '+' || *text == '-')
        return set_property(p, text + 1, *text == '+' ? "on" : "off", e);
    if (!eq)
        return set_property(p, text, "on", e);
    *eq = '\0';
    return set_property(p, text, eq + 1, e);
}

static int parse(struct parsing *p, const char *features, struct err *e)
{
    char *copy = strdup(features), *save = NULL;
    int r = 0;

    if (!copy)
        return err_set(e, -ENOMEM, "out of memory");
    for (char *t = strtok_r(copy, ",", &save); t && r == 0; t = strtok_r(NULL, ",", &save))
        r = one_property(p, t, e);
    free(copy);
    return r;
}

static void describe(const struct lack *l, char *buf, size_t len)
{
    static const char regs[][4] = {"EAX", "EBX", "ECX", "EDX"};

    if (!l->leaf)
        snprintf(buf, len, "MSR(%XH).%s [bit %u]", l->sub, l->flag, l->bit);
    else if (l->sub || l->leaf == 7)
        snprintf(buf, len, "CPUID.%02XH:%s.%s [bit %u]", l->leaf, regs[l->reg], l->flag, l->bit);
    else
        snprintf(buf, len, "CPUID.%02XH:%s.%s [bit %u]", l->leaf, regs[l->reg], l->flag, l->bit);
}

static int tell_lacks(struct parsing *p, void (*warn)(void *opaque, const char *text), void *opaque, struct err *e)
{
    char text[200], what[100];

    for (unsigned i = 0; i < p->n_lacks; i++) {
        describe(p->lacks[i], what, sizeof(what));
        if (p->enforce)
            return err_set(e, -ENOTSUP, "the emulator does not support requested feature: %s", what);
        snprintf(text, sizeof(text), "TCG doesn't support requested feature: %s", what);
        if (warn && p->check)
            warn(opaque, text);
    }
    return 0;
}

static int no_such_model(const char *name, struct err *e)
{
    const char *names[N_MODELS + 1] = {NULL}, *best;

    for (int i = 0; i < N_MODELS; i++)
        names[i] = models[i].name;
    best = nearest_name(name, names);
    if (best)
        return err_set(e, -ENOENT, "unable to find CPU model '%s'; did you mean '%s'?", name, best);
    return err_set(e, -ENOENT, "unable to find CPU model '%s'; -cpu help lists them", name);
}

/* Features that make no sense without another. */
static void settle(struct x86_conf *c, bool only32)
{
    static const uint8_t only64[] = {X86_FEAT_LM, X86_FEAT_SYSCALL, X86_FEAT_PCID};
    static const uint8_t with_xsave[] = {X86_FEAT_AVX, X86_FEAT_XSAVEOPT, X86_FEAT_XSAVEC, X86_FEAT_XGETBV1};
    static const uint8_t with_svm[] = {X86_FEAT_NPT, X86_FEAT_NRIP_SAVE, X86_FEAT_VMCB_CLEAN, X86_FEAT_FLUSHBYASID,
                                       X86_FEAT_DECODEASSISTS, X86_FEAT_PAUSE_FILTER, X86_FEAT_VGIF, X86_FEAT_SVME_ADDR_CHK};
    static const uint8_t with_avx[] = {X86_FEAT_AVX2, X86_FEAT_FMA, X86_FEAT_F16C};

    for (unsigned i = 0; !x86_has(&c->features, X86_FEAT_SVM) && i < sizeof(with_svm); i++)
        x86_feature_put(&c->features, with_svm[i], false);
    for (unsigned i = 0; only32 && i < sizeof(only64); i++)
        x86_feature_put(&c->features, only64[i], false);
    for (unsigned i = 0; !x86_has(&c->features, X86_FEAT_XSAVE) && i < sizeof(with_xsave); i++)
        x86_feature_put(&c->features, with_xsave[i], false);
    for (unsigned i = 0; !x86_has(&c->features, X86_FEAT_AVX) && i < sizeof(with_avx); i++)
        x86_feature_put(&c->features, with_avx[i], false);
    if (!x86_has(&c->features, X86_FEAT_LM) && c->phys_bits > 36)
        c->phys_bits = x86_has(&c->features, X86_FEAT_PSE36) ? 36 : 32;
    if (c->phys_bits < 32)
        c->phys_bits = 40;
    c->is_hypervisor = x86_has(&c->features, X86_FEAT_HYPERVISOR);
}

int x86_conf_parse(struct x86_conf *c, const char *name, const char *features, const char *def, bool only32,
                   void (*warn)(void *opaque, const char *text), void *opaque, struct err *e)
{
    struct parsing p = {.c = c, .check = true, .host = x86_features_all()};
    struct taking t = {c, note_lack, &p, p.host};
    int i = x86_model_find(name ? name : def), r;

    if (i < 0)
        return no_such_model(name ? name : def, e);
    memset(c, 0, sizeof(*c));
    from_model(i, c, &t);
    if (features && (r = parse(&p, features, e)) < 0)
        return r;
    settle(c, only32);
    if (only32 && strcmp(models[i].name, "max") == 0 && c->family == 15 && c->model_number == 107)
        c->family = c->model_number = 6, c->stepping = 3; /* a processor of 32 bits */
    return tell_lacks(&p, warn, opaque, e);
}
