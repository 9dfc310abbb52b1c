/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emu-user: runs one Linux program of another CPU (qemu-aarch64 and friends).  Whose it is says the name we are called by,
 * --arch, or the program itself.
 *
 * Called by a person, by the kernel's binfmt_misc (Documentation/admin-guide/binfmt-misc.rst), or
 * by another instance of itself for a guest's execve (user/handover.c).
 */
#include "app/user_opts.h"
#include "cpu/tcache.h"
#include "user/abi.h"
#include "user/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_USAGE = 1, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };
enum { BINFMT_PRESERVE_ARGV0 = 1 }; /* AT_FLAGS_PRESERVE_ARGV0 of uapi/linux/binfmts.h */

/* struct start - what to run. */
struct start {
    struct user_cli cli;
    int fd; /* open on the program, or -1 */
    int self_fd;
    const char *path, *execfn;
    char **argv;
    bool inherited;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

_Noreturn static void fail(const struct start *s, int status, const struct err *e)
{
    fprintf(stderr, "%s: %s\n", s->cli.name, e->msg);
    exit(status);
}

/* The program and its arguments from our own: words after the options; with binfmt_misc's flag P
 * its argv[0] follows its path. */
static void take_arguments(struct start *s, char **argv)
{
    s->fd = -1;
    s->path = s->execfn = argv[s->cli.first];
    s->argv = &argv[s->cli.first];
    if (s->cli.first == 1 && (getauxval(AT_FLAGS) & BINFMT_PRESERVE_ARGV0) && argv[2])
        s->argv = &argv[2];
    if (s->cli.opts.argv0)
        s->argv[0] = (char *)s->cli.opts.argv0;
    errno = 0;
    s->fd = (int)getauxval(AT_EXECFD); /* flag O: open already, perhaps not readable otherwise */
    if (errno || s->fd == 0)
        s->fd = -1;
}

/* What another instance wants us to run. */
static int take_handover(struct start *s, char **argv, char **envp, const char *value,
                         struct err *e)
{
    struct handover h;
    int r = opts_inherit(&s->cli, envp, e);

    if (r < 0)
        return r;
    h.opts = s->cli.opts;
    if (handover_read(&h, value) < 0)
        return err_set(e, -EINVAL, EXEC_VARIABLE " is for our own use: unset it");
    s->cli.opts = h.opts;
    s->fd = h.fd;
    s->self_fd = h.self_fd;
    if (h.self_fd >= 0)
        fcntl(h.self_fd, F_SETFD, FD_CLOEXEC);
    s->path = s->execfn = h.name;
    s->argv = argv;
    s->inherited = true;
    opts_unset(&s->cli, EXEC_VARIABLE);
    return 0;
}

static int understand(struct start *s, int argc, char **argv, char **envp, struct err *e)
{
    bool trusted = !getauxval(AT_SECURE);
    const char *handover = trusted ? getenv(EXEC_VARIABLE) : NULL;
    int r;

    s->cli.name = argc > 0 && !handover ? base_name(argv[0]) : "emu-user";
    if (handover)
        return take_handover(s, argv, envp, handover, e);
    r = opts_parse(&s->cli, argc, argv, envp, trusted, e);
    if (r < 0 || s->cli.done)
        return r;
    take_arguments(s, argv);
    return 0;
}

/* Where -d and -strace write: a descriptor out of the guest's way. */
static int open_log(struct process *p, bool append, struct err *e)
{
    const char *name = p->opts.log_file, *pid = name ? strstr(name, "%d") : NULL;
    char path[4096];
    int fd;

    p->log_fd = STDERR_FILENO;
    if (!p->opts.log || (!name && p->opts.log))
        return 0;
    if (pid)
        snprintf(path, sizeof(path), "%.*s%d%s", (int)(pid - name), name, getpid(), pid + 2);
    else
        snprintf(path, sizeof(path), "%s", name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (append ? 0 : O_TRUNC), 0644);
    if (fd < 0)
        return err_set(e, -errno, "cannot open the log file '%s': %s", path, strerror(errno));
    p->log_fd = exec_high_fd(fd);
    return 0;
}

static void code_changed(void *opaque, uint64_t start, uint64_t len)
{
    mm_code_changed(opaque, start, len);
}

static bool code_lift(void *opaque, uint64_t addr, uint64_t len)
{
    return mm_open(opaque, addr, len);
}

/* One of -dfilter's ranges: START..END, START+LENGTH or START-LENGTH. */
static bool parse_range(const char *s, uint64_t *start, uint64_t *end)
{
    char *op, *stop;
    uint64_t n;

    *start = strtoull(s, &op, 0);
    if (op == s)
        return false;
    s = op + (strncmp(op, "..", 2) == 0 ? 2 : 1);
    n = strtoull(s, &stop, 0);
    if (stop == s || *stop)
        return false;
    if (*op == '.')
        *end = n + 1;
    else if (*op == '+')
        *end = *start + n;
    else
        *end = *start + 1, *start -= n;
    return *op == '.' || *op == '+' || *op == '-';
}

static int parse_filter(struct engine_log *l, const char *text, struct err *e)
{
    char *copy = strdup(text), *word;

    while ((word = strsep(&copy, ","))) {
        if (l->n_ranges == sizeof(l->ranges) / sizeof(l->ranges[0]) ||
            !parse_range(word, &l->ranges[l->n_ranges].start, &l->ranges[l->n_ranges].end))
            return err_set(e, -EINVAL, "-dfilter '%s': want START..END, START+LENGTH or "
                           "START-LENGTH, at most 16 of them", text);
        l->n_ranges++;
    }
    return 0;
}

/* What the engine logs; NULL when it is nothing. */
static const struct engine_log *engine_log(const struct process *p, int *r, struct err *e)
{
    static struct engine_log l;
    static const struct { uint32_t user, engine; } items[] = {
        {LOG_IN_ASM, ENGINE_LOG_CODE}, {LOG_IR, ENGINE_LOG_IR}, {LOG_IR_OPT, ENGINE_LOG_IR_OPT},
        {LOG_OUT_ASM, ENGINE_LOG_HOST}, {LOG_EXEC, ENGINE_LOG_EXEC}, {LOG_CPU, ENGINE_LOG_CPU},
        {LOG_FPU, ENGINE_LOG_FPU}, {LOG_INT, ENGINE_LOG_STOP},
    };

    *r = 0;
    l.fd = p->log_fd;
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        if (p->opts.log & items[i].user)
            l.items |= items[i].engine;
    }
    if (p->opts.dfilter)
        *r = parse_filter(&l, p->opts.dfilter, e);
    return l.items ? &l : NULL;
}

static struct cpu *make_cpu(struct process *p, struct err *e)
{
    int r;
    struct engine_conf conf = {
        .kind = p->opts.engine,
        .hot_after = p->opts.hot_after,
        .background = p->opts.background,
        .exact_flags = p->opts.exact_flags || p->opts.gdb,
        .passes_off = p->opts.passes_off,
        .host_off = p->opts.host_off,
        .cache_size = p->opts.cache_size,
        .max_insns = p->opts.one_insn ? 1 : 0,
        .no_links = p->opts.log & LOG_NOCHAIN,
        .guest_base = p->guest_base,
        .log = engine_log(p, &r, e),
    };
    struct cpu *cpu = NULL;

    if (r < 0)
        return NULL;
    p->engine = engine_new(p->abi->isa, &conf);
    if (p->engine) {
        engine_set_fetch(p->engine, mm_fetch, mm_hold, p);
        engine_set_code_changed(p->engine, code_changed, p);
        if (p->abi->cpu.checked_mode)
            engine_set_lift(p->engine, code_lift, p);
        engine_set_tcache(p->engine, p->tcache, mm_keep);
        p->abi->vdso_serve(p);
        sys_start_quick_calls(p);
        cpu = cpu_new(p->abi->isa, p->engine);
    }
    if (!cpu)
        err_set(e, -ENOMEM, "out of memory");
    return cpu;
}

/* Nobody has said whose program it is: it says so itself, as its interpreter will if it is a script. */
static const struct user_abi *own_abi(const struct start *s)
{
    uint8_t head[64];
    int fd = s->fd >= 0 ? s->fd : open(s->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : pread(fd, head, sizeof(head), 0);

    if (fd >= 0 && fd != s->fd)
        close(fd);
    return n > 0 ? abi_of_file(head, (size_t)n) : NULL;
}

/* Everything up to the first guest instruction. */
static struct cpu *prepare(struct process *p, const struct start *s, int *status, struct err *e)
{
    struct cpu *cpu;
    int r;

    *status = EXIT_USAGE;
    if (open_log(p, s->inherited, e) < 0 || !mm_new(p, e))
        return NULL;
    if (!s->inherited)
        opts_default_prefix(&p->opts, p->abi);
    r = exec_image(p, s->fd, s->path, s->argv, e);
    if (r == 0 && p->opts.cpu && !s->inherited && p->abi->cpu.check(p->opts.cpu, e) < 0)
        return NULL;
    *status = r == -ENOENT || r == -ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
    if (r < 0)
        return NULL;
    *status = EXIT_USAGE;
    cpu = make_cpu(p, e);
    if (!cpu)
        return NULL;
    p->model = p->abi->cpu.choose(cpu, p->opts.cpu);
    *status = EXIT_CANNOT_RUN;
    if (exec_stack(p, cpu, s->execfn, s->cli.env, e) < 0)
        return NULL;
    if (p->opts.log & LOG_PAGE)
        proc_log_maps(p);
    p->abi->cpu.start(cpu, p->entry, p->stack_top);
    return cpu;
}

/* What ps and top show, as the kernel chooses it: of a program run by descriptor, the file's name. */
static const char *short_name(const struct process *p, const char *execfn)
{
    bool by_descriptor = strncmp(execfn, "/dev/fd/", 8) == 0 && !strchr(execfn + 8, '/');

    static char name[32]; /* the kernel takes 15 of it */
    size_t n;

    snprintf(name, sizeof(name), "%s", base_name(by_descriptor && p->exe ? p->exe : execfn));
    n = strcspn(name, " ");
    if (by_descriptor && strncmp(name, "memfd:", 6) == 0 && strncmp(name + n, " (deleted)", 10) == 0)
        name[n] = 0; /* says the link, not the name */
    return name;
}

int main(int argc, char **argv, char **envp)
{
    struct start s = {.fd = -1, .self_fd = -1};
    struct process *p = user_proc();
    struct err e = {0};
    struct cpu *cpu;
    struct task *t;
    int status;

    if (understand(&s, argc, argv, envp, &e) < 0)
        fail(&s, EXIT_USAGE, &e);
    if (s.cli.done)
        return 0;
    p->opts = s.cli.opts;
    p->abi = s.cli.abi ? s.cli.abi : own_abi(&s);
    if (getauxval(AT_SECURE))
        p->opts.tcache = NULL;
    p->self_fd = s.self_fd;
    cpu = prepare(p, &s, &status, &e);
    if (!cpu)
        fail(&s, status, &e);
    prctl(PR_SET_NAME, short_name(p, s.execfn));
    signal_init(p);
    t = task_first(p, cpu);
    if (p->opts.gdb && gdb_start(p, p->opts.gdb, &e) < 0)
        fail(&s, EXIT_USAGE, &e);
    user_loop(t);
    return 0;
}
