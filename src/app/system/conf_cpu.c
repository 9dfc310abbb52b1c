/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -smp, -m and -accel: how many CPUs, how much memory, and how the CPUs are executed. */
#include "app/system/conf_priv.h"

#include "base/nearest.h"
#include "base/size_text.h"
#include "schema/keyval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A count; 0: not said. */
static int get_count(struct sys *s, const char *key, unsigned *n, struct err *e)
{
    const char *text = cli_text(&s->cli, &group_smp, key);
    char *end;
    unsigned long long v;

    *n = 0;
    if (!text)
        return 0;
    errno = 0;
    v = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-' || v > 1u << 20)
        return err_set(e, -EINVAL, "-smp: Parameter '%s' expects a number", key);
    if (!v)
        sys_warn(s, "-smp: %s=0 says nothing; counts are greater than zero", key);
    *n = (unsigned)v;
    return 0;
}

static unsigned or_one(unsigned n)
{
    return n ? n : 1;
}

/* What was not said follows from the rest; cores are preferred over sockets, sockets over threads. */
static void complete(struct conf *c)
{
    unsigned max = c->max_cpus ? c->max_cpus : c->cpus;
    bool none = !max;

    c->dies = or_one(c->dies);
    c->clusters = or_one(c->clusters);
    if (none) {
        c->sockets = or_one(c->sockets);
        c->cores = or_one(c->cores);
        c->threads = or_one(c->threads);
    } else if (!c->cores) {
        c->sockets = or_one(c->sockets);
        c->threads = or_one(c->threads);
        c->cores = max / (c->sockets * c->dies * c->clusters * c->threads);
    } else if (!c->sockets) {
        c->threads = or_one(c->threads);
        c->sockets = max / (c->dies * c->clusters * c->cores * c->threads);
    } else if (!c->threads) {
        c->threads = max / (c->sockets * c->dies * c->clusters * c->cores);
    }
}

static int check_product(struct conf *c, struct err *e)
{
    uint64_t all = (uint64_t)c->sockets * c->dies;

    all = all * c->clusters * c->cores;
    all *= c->threads; /* each is at most 2^20; what wraps differs from max_cpus by its factors */
    if (!c->max_cpus)
        c->max_cpus = c->cpus ? c->cpus : all > 1u << 20 ? 1u << 20 : (unsigned)all;
    if (!c->cpus)
        c->cpus = c->max_cpus;
    if (all != c->max_cpus)
        return err_set(e, -EINVAL,
                       "Invalid CPU topology: product of the hierarchy must match maxcpus: sockets "
                       "(%u) * %s (%u) * cores (%u) * threads (%u) != maxcpus (%u)",
                       c->sockets, c->board->dies ? "dies" : "clusters", c->board->dies ? c->dies : c->clusters, c->cores, c->threads, c->max_cpus);
    if (c->cpus > c->max_cpus)
        return err_set(e, -EINVAL,
                       "Invalid CPU topology: maxcpus must be equal to or greater than smp: %u "
                       "CPUs, maxcpus %u",
                       c->cpus, c->max_cpus);
    return 0;
}

int conf_smp(struct sys *s, struct err *e)
{
    struct conf *c = &s->conf;
    const struct {
        const char *key;
        unsigned *n;
    } keys[] = {{"cpus", &c->cpus},       {"maxcpus", &c->max_cpus}, {"sockets", &c->sockets},
                {"dies", &c->dies},       {"clusters", &c->clusters}, {"cores", &c->cores},
                {"threads", &c->threads}};
    int r = 0;

    for (unsigned i = 0; r == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
        r = get_count(s, keys[i].key, keys[i].n, e);
    if (r < 0)
        return r;
    if ((c->dies > 1 && !c->board->dies) || (c->clusters > 1 && !c->board->clusters))
        return err_set(e, -EINVAL, "%s not supported by this machine's CPU topology", c->dies > 1 && !c->board->dies ? "dies" : "clusters");
    complete(c);
    if ((r = check_product(c, e)) < 0)
        return r;
    if (c->max_cpus > c->board->max_cpus)
        return err_set(e, -EINVAL,
                       "Invalid SMP CPUs %u. The max CPUs supported by machine '%s' is %u",
                       c->max_cpus, c->board->name, c->board->max_cpus);
    return 0;
}

static int get_size(struct sys *s, const char *key, uint64_t unit, uint64_t *v, struct err *e)
{
    const char *text = cli_text(&s->cli, &group_memory, key);

    if (!text || size_parse(text, unit, v, ERR_IGNORE) == 0)
        return 0;
    return err_set(e, -EINVAL,
                   "-m %s%s%s: Parameter '%s' expects a non-negative number below 2^64, perhaps "
                   "with one of the suffixes k, M, G, T",
                   strcmp(key, "size") ? key : "", strcmp(key, "size") ? "=" : "", text, key);
}

int conf_memory(struct sys *s, struct err *e)
{
    struct conf *c = &s->conf;
    uint64_t slots = 0;
    int r;

    if ((r = get_size(s, "size", 1 << 20, &c->ram, e)) < 0 ||
        (r = get_size(s, "maxmem", 1, &c->max_ram, e)) < 0 ||
        (r = get_size(s, "slots", 1, &slots, e)) < 0)
        return r;
    if (!c->ram)
        c->ram = c->board->default_ram;
    c->ram = (c->ram + 8191) / 8192 * 8192;
    if (slots > 256)
        return err_set(e, -EINVAL, "invalid number of memory slots: %" PRIu64 ", at most 256",
                       slots);
    if (c->max_ram && c->max_ram < c->ram)
        return err_set(e, -EINVAL,
                       "invalid value of maxmem: maximum memory size (0x%" PRIx64
                       ") must be at least the initial memory size (0x%" PRIx64 ")",
                       c->max_ram, c->ram);
    if (!c->max_ram && slots)
        return err_set(e, -EINVAL, "invalid memory slots: they want maxmem=, too");
    c->max_ram = c->max_ram ? c->max_ram : c->ram;
    c->ram_slots = (unsigned)slots;
    return 0;
}

/* Accelerators -------------------------------------------------------------------------------------- */

static const char *const accels[] = {"tcg", NULL};
static const char *const others[] = {"kvm", "xen", "hax", "hvf", "nvmm", "whpx", "qtest", NULL};

static bool among(const char *word, const char *const *names)
{
    while (*names && strcmp(*names, word) != 0)
        names++;
    return *names;
}

/* "tcg", or "kvm:tcg": the first that is there; kvm is not, yet.  @more: others follow. */
static int choose(struct sys *s, const char *list, bool more, struct err *e)
{
    char *copy = strdup(list), *rest = copy, *word;
    bool found = false;
    int r = 0;

    if (!copy)
        fatal("out of memory");
    while (r == 0 && !found && (word = strsep(&rest, ":"))) {
        found = among(word, accels);
        if (!found && !among(word, others)) {
            const char *near = nearest_name(word, accels);

            r = err_set(e, -EINVAL, "invalid accelerator %s%s%s%s", word,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        } else if (!found && (rest || more)) {
            sys_warn(s, "accelerator %s is not supported yet, falling back", word);
            r = rest ? 0 : -ENOTSUP;
        } else if (!found) {
            r = err_set(e, -ENOTSUP, "accelerator %s is not supported yet; without it, or with '-accel tcg', guests are translated",
                        word);
        }
    }
    free(copy);
    return r;
}

static int tcg_props(struct conf *c, struct json_object *o, struct err *e)
{
    json_object_object_foreach(o, key, value)
    {
        const char *text = json_object_get_string(value);
        uint64_t mib;
        bool on;

        if (!strcmp(key, "accel"))
            continue;
        if (!strcmp(key, "thread")) {
            if (strcmp(text, "multi") != 0 && strcmp(text, "single") != 0)
                return err_set(e, -EINVAL, "Invalid 'thread' setting %s: single or multi", text);
            c->take_turns = !strcmp(text, "single");
        } else if (!strcmp(key, "tb-size")) {
            if (size_parse(text, 1, &mib, ERR_IGNORE) < 0 || mib > 1 << 16)
                return err_set(e, -EINVAL, "Parameter 'tb-size' expects a number of MiB");
            c->engine.cache_size = (size_t)mib << 20;
        } else if (!strcmp(key, "one-insn-per-tb")) {
            if (parse_bool(text, &on, e) < 0)
                return err_wrap(e, e->code, "Parameter '%s'", key);
            c->engine.max_insns = on ? 1 : c->engine.max_insns;
        } else if (!strcmp(key, "engine")) {
            if (strcmp(text, "jit") != 0 && strcmp(text, "interp") != 0)
                return err_set(e, -EINVAL, "Invalid 'engine' setting %s: jit or interp", text);
            c->engine.kind = strcmp(text, "interp") ? ENGINE_JIT : ENGINE_INTERP;
        } else if (strcmp(key, "split-wx") != 0) {
            static const char *const keys[] = {"thread", "tb-size", "one-insn-per-tb", "split-wx",
                                               "engine", NULL};
            const char *near = nearest_name(key, keys);

            return err_set(e, -EINVAL, "Property 'tcg-accel.%s' not found%s%s%s", key,
                           near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
    }
    return 0;
}

/* Of several -accel the first that is there. */
int conf_accel(struct sys *s, struct err *e)
{
    const char *of_machine = cli_text(&s->cli, &group_machine, "accel");
    struct entry *x = cli_first(&s->cli, &group_accel), *next;
    int r = 0;

    if (!x)
        return of_machine ? choose(s, of_machine, false, e) : 0;
    for (; x; x = next) {
        const char *name = keyval_string(x->opts, "accel");

        next = entry_next(x);
        if (!name)
            return err_set(e, -EINVAL, "%s %s: Parameter 'accel' is missing", x->option, x->text);
        if ((r = choose(s, name, next, e)) == -ENOTSUP && next)
            continue;
        if (r == 0)
            r = tcg_props(&s->conf, x->opts, e);
        if (r < 0 && strcmp(x->option, "-enable-kvm") == 0)
            return err_wrap(e, e->code, "%s", x->option);
        return r < 0 ? entry_fail(x, e) : 0;
    }
    return r;
}
