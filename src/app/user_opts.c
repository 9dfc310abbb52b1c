/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of emu-user, in the spelling of QEMU's user-mode programs.  One table serves the command
 * line, the environment variables and -h.
 */
#include "app/user_opts.h"
#include "base/nearest.h"
#include "host/host.h"
#include "ir/pass.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIXES "/etc/qemu-binfmt" /* a folder for each architecture */
#define COMPAT_VERSION "10.0.2"
#define EMU_VERSION "0.1"
#define OWN_VARIABLE "EMU_OPTS"

#define PASS(id, least, doc) " " #id
static const char pass_names[] = " flat"
#include "ir/passes.def"
    ;
#undef PASS

/** struct option - one row: also "--name", and "--name=value" when it takes a value. */
struct option {
    const char *name, *env; /* env NULL: none */
    const char *arg;        /* what its value is called, NULL: takes none */
    int (*set)(struct user_cli *c, const char *value, struct err *e);
    const char *help;       /* NULL: not shown, an alias */
};

/* --- values ------------------------------------------------------------------------------------*/

static int get_number(uint64_t *out, const char *what, const char *s, struct err *e)
{
    char *end;

    errno = 0;
    *out = strtoull(s, &end, 0);
    if (end == s || *end || errno || *s == '-')
        return err_set(e, -EINVAL, "%s '%s': want a number", what, s);
    return 0;
}

/* A number with an optional k, M, G or T. */
static int get_size(uint64_t *out, const char *what, const char *s, struct err *e)
{
    static const char units[] = "kMGT";
    char *end;
    unsigned shift = 0;

    errno = 0;
    *out = strtoull(s, &end, 0);
    for (unsigned i = 0; i < 4; i++) {
        if (end != s && *end && toupper(*end) == toupper(units[i]))
            shift = 10 * (i + 1);
    }
    if (end == s || errno || *s == '-' || (*end && (!shift || end[1])) ||
        *out > UINT64_MAX >> shift)
        return err_set(e, -EINVAL, "%s '%s': want a number, or one with k, M, G or T", what, s);
    *out <<= shift;
    return 0;
}

/* --- the environment of the guest --------------------------------------------------------------*/

static size_t name_len(const char *var)
{
    return strcspn(var, "=");
}

static void env_remove(struct user_cli *c, const char *name, size_t len)
{
    size_t to = 0;

    for (size_t i = 0; i < c->n_env; i++) {
        if (name_len(c->env[i]) != len || strncmp(c->env[i], name, len) != 0)
            c->env[to++] = c->env[i];
    }
    c->n_env = to;
    c->env[to] = NULL;
}

static int env_add(struct user_cli *c, char *var, struct err *e)
{
    char **env;

    env_remove(c, var, name_len(var));
    env = realloc(c->env, (c->n_env + 2) * sizeof(*env));
    if (!env)
        return err_set(e, -ENOMEM, "out of memory");
    c->env = env;
    env[c->n_env++] = var;
    env[c->n_env] = NULL;
    return 0;
}

static int env_copy(struct user_cli *c, char **envp, struct err *e)
{
    size_t n = 0;

    while (envp[n])
        n++;
    c->env = calloc(n + 2, sizeof(*c->env));
    if (!c->env)
        return err_set(e, -ENOMEM, "out of memory");
    memcpy(c->env, envp, n * sizeof(*envp));
    c->n_env = n;
    return 0;
}

/* Calls @f for each part of a comma list, which lives on: parts become part of the environment. */
static int each_part(struct user_cli *c, const char *list, struct err *e,
                     int (*f)(struct user_cli *c, char *part, struct err *e))
{
    char *copy = strdup(list), *part;
    int r = copy ? 0 : err_set(e, -ENOMEM, "out of memory");

    while (r == 0 && (part = strsep(&copy, ",")))
        r = *part ? f(c, part, e) : 0;
    return r;
}

static int add_one(struct user_cli *c, char *part, struct err *e)
{
    if (!strchr(part, '=') || *part == '=')
        return err_set(e, -EINVAL, "-E '%s': want NAME=VALUE", part);
    return env_add(c, part, e);
}

static int remove_one(struct user_cli *c, char *part, struct err *e)
{
    if (strchr(part, '='))
        return err_set(e, -EINVAL, "-U '%s': want a NAME", part);
    env_remove(c, part, strlen(part));
    return 0;
}

static int set_env(struct user_cli *c, const char *v, struct err *e)
{
    return each_part(c, v, e, add_one);
}

static int unset_env(struct user_cli *c, const char *v, struct err *e)
{
    return each_part(c, v, e, remove_one);
}

/* --- log items ---------------------------------------------------------------------------------*/

static const struct log_item {
    const char *name;
    uint32_t bit;
    const char *help;
} log_items[] = {
    {"out_asm", LOG_OUT_ASM, "host code of each translation"},
    {"in_asm", LOG_IN_ASM, "guest code of each translation"},
    {"ir", LOG_IR, "IR of each translation as lifted"},
    {"ir_opt", LOG_IR_OPT, "IR after the passes"},
    {"op", LOG_IR, "the same as ir"},
    {"op_opt", LOG_IR_OPT, "the same as ir_opt"},
    {"op_ind", LOG_IR_OPT, "the same as ir_opt"},
    {"int", LOG_INT, "why translated code was left; signals"},
    {"exec", LOG_EXEC, "each region entered from the run loop (all, with nochain)"},
    {"cpu", LOG_CPU, "registers, there"},
    {"fpu", LOG_CPU | LOG_FPU, "registers and vector registers, there"},
    {"mmu", LOG_MMU, "accepted; -strace shows mappings"},
    {"cpu_reset", 0, "nothing happens at reset: accepted"},
    {"pcall", 0, "x86 only: accepted"},
    {"plugin", 0, "accepted"},
    {"unimp", LOG_UNIMP, "what the guest asked for and we lack"},
    {"guest_errors", LOG_GUEST_ERRORS, "what the guest does wrong"},
    {"page", LOG_PAGE, "memory mappings at the start"},
    {"nochain", LOG_NOCHAIN, "regions do not jump to each other"},
    {"strace", LOG_STRACE, "system calls"},
    {"tcache", LOG_TCACHE, "what the translation cache (--tcache) was good for"},
    {"tid", 0, "accepted"},
};

static void list_log_items(void)
{
    printf("Log items (comma separated):\n");
    for (size_t i = 0; i < sizeof(log_items) / sizeof(log_items[0]); i++)
        printf("%-15s %s\n", log_items[i].name, log_items[i].help);
}

static int add_log(struct user_cli *c, char *part, struct err *e)
{
    for (size_t i = 0; i < sizeof(log_items) / sizeof(log_items[0]); i++) {
        if (strcmp(part, "all") == 0 || strcmp(part, log_items[i].name) == 0) {
            c->opts.log |= log_items[i].bit;
            if (strcmp(part, "all") != 0)
                return 0;
        }
    }
    if (strcmp(part, "all") == 0)
        return 0;
    return err_set(e, -EINVAL, "unknown log item '%s': '-d help' lists them", part);
}

static int set_log(struct user_cli *c, const char *v, struct err *e)
{
    if (strcmp(v, "help") == 0 || strcmp(v, "?") == 0) {
        list_log_items();
        c->done = true;
        return 0;
    }
    if (each_part(c, v, e, add_log) < 0)
        return -EINVAL;
    c->opts.strace |= (c->opts.log & LOG_STRACE) != 0;
    return 0;
}

/* --- the rest ----------------------------------------------------------------------------------*/

static void list_models(const struct user_abi *abi, bool named)
{
    printf(named ? "Available CPUs of %s:\n" : "Available CPUs:\n", abi->name);
    abi->cpu.list(stdout);
}

static int set_cpu(struct user_cli *c, const char *v, struct err *e)
{
    if (strcmp(v, "help") == 0 || strcmp(v, "?") == 0) {
        for (unsigned i = 0; abi_at(i); i++)
            if (!c->abi || c->abi == abi_at(i))
                list_models(abi_at(i), !c->abi);
        c->done = true;
        return 0;
    }
    c->opts.cpu = v;
    return c->abi ? c->abi->cpu.check(v, e) : 0;
}

static int set_arch(struct user_cli *c, const char *v, struct err *e)
{
    const char *names[16] = {NULL}, *near;

    c->abi = abi_find(v, strlen(v));
    if (c->abi)
        return c->opts.cpu ? c->abi->cpu.check(c->opts.cpu, e) : 0;
    for (unsigned i = 0; abi_at(i) && i < 15; i++)
        names[i] = abi_at(i)->name;
    near = nearest_name(v, names);
    return err_set(e, -EINVAL, "arch '%s': no such architecture: did you mean %s?", v, near ? near : names[0]);
}

static int set_gdb(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.gdb = v;
    return 0;
}

static int set_prefix(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.prefix = v;
    return 0;
}

static int set_stack(struct user_cli *c, const char *v, struct err *e)
{
    int r = get_size(&c->opts.stack_size, "stack size", v, e);

    if (r == 0 && c->opts.stack_size > UINT64_C(1) << 40)
        return err_set(e, -EINVAL, "stack size '%s': at most 1T", v);
    return r;
}

static int set_argv0(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.argv0 = v;
    return 0;
}

static int set_uname(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.uname = v;
    return 0;
}

static int set_base(struct user_cli *c, const char *v, struct err *e)
{
    int r = get_number(&c->opts.guest_base, "guest base", v, e);

    if (r == 0 && (c->opts.guest_base & 4095 || c->opts.guest_base >> 46))
        return err_set(e, -EINVAL, "guest base '%s': want a multiple of 4096 below 2^46", v);
    c->opts.have_guest_base = true;
    return r;
}

static int set_reserved(struct user_cli *c, const char *v, struct err *e)
{
    int r = get_size(&c->opts.reserved_va, "reserved space", v, e);

    if (r == 0 && c->opts.reserved_va &&
        (c->opts.reserved_va & 4095 || c->opts.reserved_va < UINT64_C(64) << 20 ||
         c->opts.reserved_va >> 46))
        return err_set(e, -EINVAL, "reserved space '%s': want whole pages, 64M to 64T", v);
    return r;
}

static int set_dfilter(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.dfilter = v;
    return 0;
}

static int set_log_file(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.log_file = v;
    return 0;
}

static int set_page(struct user_cli *c, const char *v, struct err *e)
{
    uint64_t n;
    int r = get_number(&n, "page size", v, e);

    if (r == 0 && (n == 0 || (n & (n - 1))))
        return err_set(e, -EINVAL, "page size '%s': must be a power of two", v);
    return r; /* pages are the host's, 4096 bytes, whatever is asked for */
}

static int set_one_insn(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.one_insn = true;
    return 0;
}

static int set_strace(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.strace = true;
    c->opts.log |= LOG_STRACE;
    return 0;
}

static int set_seed(struct user_cli *c, const char *v, struct err *e)
{
    c->opts.have_seed = true;
    return get_number(&c->opts.seed, "seed", v, e);
}

static int set_engine(struct user_cli *c, const char *v, struct err *e)
{
    if (strcmp(v, "jit") == 0)
        c->opts.engine = ENGINE_JIT;
    else if (strcmp(v, "interp") == 0)
        c->opts.engine = ENGINE_INTERP;
    else
        return err_set(e, -EINVAL, "unknown engine '%s': want jit or interp", v);
    return 0;
}

/* --- Emu's own ---------------------------------------------------------------------------------*/

static int set_hot_after(struct user_cli *c, const char *v, struct err *e)
{
    uint64_t n;

    if (strcmp(v, "never") == 0) {
        c->opts.hot_after = ~0u;
        return 0;
    }
    if (get_number(&n, "hot-after", v, e) < 0 || n == 0 || n > 1u << 30)
        return err_set(e, -EINVAL, "hot-after '%s': want 'never' or a number from 1 to 2^30", v);
    c->opts.hot_after = (unsigned)n;
    return 0;
}

static int set_background(struct user_cli *c, const char *v, struct err *e)
{
    static const char *const names[] = {"auto", "on", "off"}; /* enum engine_background */

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(v, names[i]) == 0) {
            c->opts.background = (enum engine_background)i;
            return 0;
        }
    return err_set(e, -EINVAL, "background '%s': want auto, on or off", v);
}

static int set_cache_size(struct user_cli *c, const char *v, struct err *e)
{
    int r = get_size(&c->opts.cache_size, "cache size", v, e);

    if (r == 0 && (c->opts.cache_size < 256 << 10 || c->opts.cache_size > 1u << 30))
        return err_set(e, -EINVAL, "cache size '%s': want 256k to 1G", v);
    c->opts.cache_size &= ~UINT64_C(4095);
    return r;
}

static int add_pass(struct user_cli *c, char *part, struct err *e)
{
    unsigned bit = strcmp(part, "flat") == 0       ? ENGINE_NO_FLAT
                   : strcmp(part, "verbatim") == 0 ? ENGINE_NO_VERBATIM
                                                   : ir_pass_bit(part);

    c->opts.passes_off |= bit;
    return bit ? 0 : err_set(e, -EINVAL, "unknown pass '%s': want some of%s", part,
                             pass_names);
}

static int set_passes_off(struct user_cli *c, const char *v, struct err *e)
{
    return each_part(c, v, e, add_pass);
}

static int add_feature(struct user_cli *c, char *part, struct err *e)
{
    static const struct { const char *name; enum host_off bit; } features[] = {
        {"avx", HOST_OFF_AVX}, {"bmi", HOST_OFF_BMI}, {"fma", HOST_OFF_FMA},
        {"crypto", HOST_OFF_CRYPTO},
    };

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        if (strcmp(part, features[i].name) == 0) {
            c->opts.host_off |= features[i].bit;
            return 0;
        }
    }
    return err_set(e, -EINVAL, "unknown host feature '%s': want some of avx, bmi, fma, crypto", part);
}

static int set_exact_flags(struct user_cli *c, const char *v, struct err *e)
{
    if (strcmp(v, "on") != 0 && strcmp(v, "off") != 0)
        return err_set(e, -EINVAL, "exact-flags '%s': want on or off", v);
    c->opts.exact_flags = strcmp(v, "on") == 0;
    return 0;
}

static int set_host_off(struct user_cli *c, const char *v, struct err *e)
{
    return each_part(c, v, e, add_feature);
}

static int set_tcache(struct user_cli *c, const char *v, struct err *e)
{
    if (strcmp(v, "off") != 0 && v[0] != '/')
        return err_set(e, -EINVAL, "tcache '%s': want a folder's absolute path, or off", v);
    c->opts.tcache = v[0] == '/' ? v : NULL;
    return 0;
}

static int no_trace(struct user_cli *c, const char *v, struct err *e)
{
    return err_set(e, -ENOTSUP, "-trace is not supported in user mode: see -d and -strace");
}

static int no_plugin(struct user_cli *c, const char *v, struct err *e)
{
    return err_set(e, -ENOTSUP, "-plugin '%s': plugins are not supported", v);
}

static int show_version(struct user_cli *c, const char *v, struct err *e)
{
    printf("%s version %s (Emu %s)\n", c->name, COMPAT_VERSION, EMU_VERSION);
    c->done = true;
    return 0;
}

static int show_help(struct user_cli *c, const char *v, struct err *e);
static const struct option *find(const char *name, size_t len);

static const struct option options[] = {
    {"h", NULL, NULL, show_help, "print this help"},
    {"help", NULL, NULL, show_help, ""},
    {"g", "QEMU_GDB", "port", set_gdb, "wait for gdb on TCP port or Unix socket 'port'"},
    {"L", "QEMU_LD_PREFIX", "path", set_prefix, "look for the guest's files under 'path' first"},
    {"s", "QEMU_STACK_SIZE", "size", set_stack, "size of the stack, in bytes or with k, M, G"},
    {"cpu", "QEMU_CPU", "model", set_cpu, "CPU model (-cpu help for a list)"},
    {"E", "QEMU_SET_ENV", "var=value", set_env, "set variables for the guest (see below)"},
    {"U", "QEMU_UNSET_ENV", "var", unset_env, "remove variables for the guest (see below)"},
    {"0", "QEMU_ARGV0", "argv0", set_argv0, "argv[0] of the guest program"},
    {"r", "QEMU_UNAME", "uname", set_uname, "kernel release that uname tells the guest"},
    {"B", "QEMU_GUEST_BASE", "address", set_base, "host address of guest address 0"},
    {"R", "QEMU_RESERVED_VA", "size", set_reserved, "size of the guest's address space"},
    {"d", "QEMU_LOG", "item[,...]", set_log, "log these items (-d help for a list)"},
    {"dfilter", "QEMU_DFILTER", "range[,...]", set_dfilter, "log only code in these ranges"},
    {"D", "QEMU_LOG_FILENAME", "logfile", set_log_file, "log to 'logfile' (default stderr)"},
    {"p", "QEMU_PAGESIZE", "pagesize", set_page, "accepted; pages are the host's, 4096 bytes"},
    {"one-insn-per-tb", "QEMU_ONE_INSN_PER_TB", NULL, set_one_insn,
     "translate one instruction at a time"},
    {"singlestep", "QEMU_SINGLESTEP", NULL, set_one_insn, "the same"},
    {"strace", "QEMU_STRACE", NULL, set_strace, "log system calls"},
    {"seed", "QEMU_RAND_SEED", "number", set_seed, "seed for random addresses and AT_RANDOM"},
    {"trace", "QEMU_TRACE", "pattern", no_trace, "not supported"},
    {"plugin", "QEMU_PLUGIN", "file", no_plugin, "not supported"},
    {"version", "QEMU_VERSION", NULL, show_version, "print the version and exit"},
    {"arch", NULL, "name", set_arch, "whose program it is (what we are called, or what it says itself)"},
    {"engine", NULL, "jit|interp", set_engine, "translate (default) or interpret"},
    {"hot-after", NULL, "N|never", set_hot_after, "runs of a block before it is optimised (6000)"},
    {"background", NULL, "auto|on|off", set_background, "optimise on a thread of its own while a processor is idle (auto)"},
    {"cache-size", NULL, "size", set_cache_size, "room for translations (96M)"},
    {"passes-off", NULL, "name,...", set_passes_off, "leave out these passes of the optimiser"},
    {"exact-flags", NULL, "on|off", set_exact_flags,
     "flags are right at memory faults even if nobody reads them (-g: on)"},
    {"tcache", NULL, "folder|off", set_tcache, "keep translations for later runs in this folder (off)"},
    {"host-off", NULL, "avx,bmi,fma,crypto", set_host_off, "do not use these features of the host"},
};
enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

static bool is_own(const struct option *o)
{
    return o >= find("arch", 4);
}

static int show_help(struct user_cli *c, const char *v, struct err *e)
{
    printf("usage: %s [options] program [arguments...]\n"
           "Runs a Linux program built for %s\n\n"
           "Options and associated environment variables:\n\n"
           "%-21s%-22s%s\n", c->name, c->abi ? c->abi->name : "another architecture", "Argument", "Env-variable", "Description");
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        char left[64];

        if (is_own(o)) {
            snprintf(left, sizeof(left), "--%s=%s", o->name, o->arg);
            printf("%s%-32s  %s\n", is_own(o - 1) ? "" : "\nEmu's own, also words of "
                   OWN_VARIABLE ":\n\n", left, o->help);
            continue;
        }
        snprintf(left, sizeof(left), "-%s %s", o->name, o->arg ? o->arg : "");
        printf("%-20s %-21s %s\n", left, o->env ? o->env : "", o->help);
    }
    printf("\nThe passes are%s.\n", pass_names);
    printf("\nDefaults:\n"
           "QEMU_LD_PREFIX  = " PREFIXES "/%s\n"
           "QEMU_STACK_SIZE = the stack limit (ulimit -s)\n\n"
           "-E and -U, or QEMU_SET_ENV and QEMU_UNSET_ENV, change the environment of the guest\n"
           "program.  Both may be given several times, and take several variables separated by\n"
           "commas: -E var1=val2,var2=val2 -U LD_PRELOAD,LD_DEBUG.  The last change to a variable\n"
           "counts.\n", c->abi ? c->abi->name : "ARCH");
    c->done = true;
    return 0;
}

/* --- parsing -----------------------------------------------------------------------------------*/

static int unknown(const char *arg, const char *name, size_t len, struct err *e)
{
    const char *names[N_OPTIONS + 1] = {NULL}, *near;
    char word[32];

    snprintf(word, sizeof(word), "%.*s", (int)len, name);
    for (int i = 0; i < N_OPTIONS; i++)
        names[i] = options[i].name;
    near = nearest_name(word, names);
    if (near)
        return err_set(e, -EINVAL, "unknown option '%s': did you mean '-%s'?", arg, near);
    return err_set(e, -EINVAL, "unknown option '%s': '-h' lists them", arg);
}

static const struct option *find(const char *name, size_t len)
{
    for (int i = 0; i < N_OPTIONS; i++) {
        if (strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0)
            return &options[i];
    }
    return NULL;
}

/* One option at argv[*i]; moves *i to its last word. */
static int parse_one(struct user_cli *c, int argc, char **argv, int *i, struct err *e)
{
    const char *arg = argv[*i], *name = arg[1] == '-' ? arg + 2 : arg + 1, *value = NULL;
    size_t len = strlen(name);
    const struct option *o = find(name, len);

    if (!o && arg[1] == '-') {
        len = strcspn(name, "=");
        if (name[len])
            value = name + len + 1;
        o = find(name, len);
    }
    if (!o || (value && !o->arg))
        return unknown(arg, name, len, e);
    if (o->arg && !value) {
        if (++*i >= argc)
            return err_set(e, -EINVAL, "option '%s' wants a value: %s", arg, o->arg);
        value = argv[*i];
    }
    return o->set(c, value, e);
}

static bool changes_arguments(const struct option *o)
{
    return o->set == set_env || o->set == unset_env || o->set == set_argv0 || o->set == set_gdb ||
           o->set == show_version;
}

/* The words of EMU_OPTS, each --NAME=VALUE of our own. */
static int parse_own(struct user_cli *c, const char *words, struct err *e)
{
    char *copy = strdup(words), *word;
    int r = copy ? 0 : err_set(e, -ENOMEM, "out of memory");

    while (r == 0 && (word = strsep(&copy, " "))) {
        const char *name = word + strspn(word, "-"), *eq = strchr(word, '=');
        const struct option *o = eq ? find(name, (size_t)(eq - name)) : NULL;

        if (*word && (!o || !is_own(o)))
            return err_set(e, -EINVAL, "'%s': want --NAME=VALUE of Emu's own options", word);
        r = *word ? o->set(c, eq + 1, e) : 0;
    }
    return r;
}

static int parse_env(struct user_cli *c, bool inherited, struct err *e)
{
    const char *own = getenv(OWN_VARIABLE);

    if (own && parse_own(c, own, e) < 0)
        return err_wrap(e, -EINVAL, OWN_VARIABLE);
    for (int i = 0; i < N_OPTIONS; i++) {
        const char *v = options[i].env ? getenv(options[i].env) : NULL;
        int r;

        if (!v || options[i].set == no_trace || options[i].set == no_plugin ||
            (inherited && changes_arguments(&options[i])))
            continue;
        r = options[i].set(c, v, e);
        if (r < 0)
            return err_wrap(e, r, "%s", options[i].env);
        if (c->done)
            break;
    }
    return 0;
}

/* qemu-ARCH, perhaps with "-static" or the like behind it. */
static const struct user_abi *abi_by_name(const char *name)
{
    return strncmp(name, "qemu-", 5) == 0 ? abi_find(name + 5, strcspn(name + 5, "-.")) : NULL;
}

int opts_parse(struct user_cli *c, int argc, char **argv, char **envp, bool trusted,
               struct err *e)
{
    int i, r = env_copy(c, envp, e);

    c->abi = abi_by_name(c->name);
    if (r == 0 && trusted)
        r = parse_env(c, false, e);
    for (i = 1; r == 0 && !c->done && i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        r = parse_one(c, argc, argv, &i, e);
    }
    c->first = i;
    if (r == 0 && !c->done && i >= argc)
        return err_set(e, -EINVAL, "no program was named: usage: %s [options] program "
                       "[arguments...]", c->name);
    return r;
}

int opts_inherit(struct user_cli *c, char **envp, struct err *e)
{
    int r = env_copy(c, envp, e);

    return r < 0 ? r : parse_env(c, true, e);
}

void opts_unset(struct user_cli *c, const char *name)
{
    env_remove(c, name, strlen(name));
}

void opts_default_prefix(struct user_opts *o, const struct user_abi *abi)
{
    static char folder[64];

    if (!o->prefix && abi) {
        snprintf(folder, sizeof(folder), PREFIXES "/%s", abi->name);
        o->prefix = folder;
    }
    if (o->prefix && access(o->prefix, F_OK) < 0)
        o->prefix = NULL;
}
