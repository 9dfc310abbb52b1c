/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -strace: system calls and signals as text, from the argument kinds of the tables' rows. */
#include "user/sys.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE  2048
#define MAX_BYTES 64 /* shown of a buffer */
#define MAX_LIST  16 /* shown of a list of strings */

struct line {
    char s[MAX_LINE];
    size_t n;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(l->s + l->n, sizeof(l->s) - l->n, fmt, ap);
    va_end(ap);
    l->n += (size_t)n < sizeof(l->s) - l->n ? (size_t)n : sizeof(l->s) - l->n - 1;
}

/* The line being put together: a call is printed when it returns. */
static __thread struct line line;

static void flush(struct process *p)
{
    if (line.n == sizeof(line.s) - 1)
        line.n--; /* was cut */
    line.s[line.n++] = '\n';
    if (write(p->log_fd, line.s, line.n) < 0)
        return;
}

void log_line(struct process *p, const char *fmt, ...)
{
    char s[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(s, sizeof(s) - 1, fmt, ap);
    va_end(ap);
    n = n < (int)sizeof(s) - 1 ? n : (int)sizeof(s) - 2;
    s[n] = '\n';
    if (write(p->log_fd, s, (size_t)n + 1) < 0)
        return;
}

/* --- Values ------------------------------------------------------------------------------------*/

struct flag {
    uint64_t bits;
    const char *name;
};

static void flags(struct line *l, uint64_t v, const struct flag *f, size_t n, const char *none)
{
    bool first = true;

    for (size_t i = 0; i < n; i++) {
        if (f[i].bits && (v & f[i].bits) == f[i].bits) {
            add(l, "%s%s", first ? "" : "|", f[i].name);
            v &= ~f[i].bits;
            first = false;
        }
    }
    if (v)
        add(l, "%s%#" PRIx64, first ? "" : "|", v);
    else if (first)
        add(l, "%s", none);
}
#define FLAGS(l, v, table, none) flags(l, v, table, sizeof(table) / sizeof(table[0]), none)

static void open_flags(struct line *l, const struct task *t, uint64_t v)
{
    static const struct flag table[] = {
        {O_CREAT, "O_CREAT"}, {O_EXCL, "O_EXCL"}, {O_NOCTTY, "O_NOCTTY"}, {O_TRUNC, "O_TRUNC"},
        {O_APPEND, "O_APPEND"}, {O_NONBLOCK, "O_NONBLOCK"}, {O_SYNC, "O_SYNC"},
        {O_DSYNC, "O_DSYNC"}, {O_TMPFILE, "O_TMPFILE"}, {O_DIRECTORY, "O_DIRECTORY"},
        {O_NOFOLLOW, "O_NOFOLLOW"}, {O_DIRECT, "O_DIRECT"}, {0100000, "O_LARGEFILE"},
        {O_NOATIME, "O_NOATIME"}, {O_CLOEXEC, "O_CLOEXEC"}, {O_PATH, "O_PATH"},
    };
    static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

    v = sys_open_flags(t, v);
    add(l, "%s", access[v & 3]);
    if (v & ~3ull) {
        add(l, "|");
        FLAGS(l, v & ~3ull, table, "");
    }
}

static const struct flag prot_flags[] = {
    {PROT_READ, "PROT_READ"}, {PROT_WRITE, "PROT_WRITE"}, {PROT_EXEC, "PROT_EXEC"},
    {0x10, "PROT_BTI"}, {0x20, "PROT_MTE"}, {PROT_GROWSDOWN, "PROT_GROWSDOWN"},
};
static const struct flag map_flags[] = {
    {MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE"}, {MAP_SHARED, "MAP_SHARED"},
    {MAP_PRIVATE, "MAP_PRIVATE"}, {MAP_FIXED, "MAP_FIXED"}, {MAP_ANONYMOUS, "MAP_ANONYMOUS"},
    {MAP_GROWSDOWN, "MAP_GROWSDOWN"}, {MAP_DENYWRITE, "MAP_DENYWRITE"}, {MAP_LOCKED, "MAP_LOCKED"},
    {MAP_NORESERVE, "MAP_NORESERVE"}, {MAP_POPULATE, "MAP_POPULATE"},
    {MAP_NONBLOCK, "MAP_NONBLOCK"}, {MAP_STACK, "MAP_STACK"}, {MAP_HUGETLB, "MAP_HUGETLB"},
    {MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE"},
};
static const struct flag clone_flags[] = {
    {0x100, "CLONE_VM"}, {0x200, "CLONE_FS"}, {0x400, "CLONE_FILES"}, {0x800, "CLONE_SIGHAND"},
    {0x1000, "CLONE_PIDFD"}, {0x2000, "CLONE_PTRACE"}, {0x4000, "CLONE_VFORK"},
    {0x8000, "CLONE_PARENT"}, {0x10000, "CLONE_THREAD"}, {0x20000, "CLONE_NEWNS"},
    {0x40000, "CLONE_SYSVSEM"}, {0x80000, "CLONE_SETTLS"}, {0x100000, "CLONE_PARENT_SETTID"},
    {0x200000, "CLONE_CHILD_CLEARTID"}, {0x400000, "CLONE_DETACHED"},
    {0x1000000, "CLONE_CHILD_SETTID"}, {0x2000000, "CLONE_NEWCGROUP"},
    {0x4000000, "CLONE_NEWUTS"}, {0x8000000, "CLONE_NEWIPC"}, {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"}, {0x40000000, "CLONE_NEWNET"}, {SIGCHLD, "SIGCHLD"},
};

static void one_of(struct line *l, uint64_t v, const char *const *names, size_t n)
{
    if (v < n)
        add(l, "%s", names[v]);
    else
        add(l, "%" PRId64, (int64_t)v);
}
#define ONE_OF(l, v, names) one_of(l, v, names, sizeof(names) / sizeof(names[0]))

static void futex_op(struct line *l, uint64_t v)
{
    static const char *const names[] = {
        "FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE",
        "FUTEX_WAKE_OP", "FUTEX_LOCK_PI", "FUTEX_UNLOCK_PI", "FUTEX_TRYLOCK_PI",
        "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET", "FUTEX_WAIT_REQUEUE_PI",
        "FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2",
    };

    ONE_OF(l, v & ~0x180ull, names);
    add(l, "%s%s", v & 0x80 ? "|FUTEX_PRIVATE_FLAG" : "", v & 0x100 ? "|FUTEX_CLOCK_REALTIME" : "");
}

static void signal_name(struct line *l, int sig)
{
    const char *name = sig > 0 && sig < 32 ? sigabbrev_np(sig) : NULL;

    if (name)
        add(l, "SIG%s", name);
    else if (sig >= 32 && sig <= 64)
        add(l, "SIGRT_%d", sig - 32);
    else
        add(l, "%d", sig);
}

/* --- Guest memory ------------------------------------------------------------------------------*/

static void quoted(struct line *l, const char *s, size_t n, bool cut)
{
    add(l, "\"");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c == '"' || c == '\\')
            add(l, "\\%c", c);
        else if (c == '\n' || c == '\t' || c == '\r')
            add(l, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c < 32 || c > 126)
            add(l, "\\%o", c);
        else
            add(l, "%c", c);
    }
    add(l, cut ? "\"..." : "\"");
}

static void address(struct line *l, uint64_t v)
{
    if (v)
        add(l, "%#" PRIx64, v);
    else
        add(l, "NULL");
}

static void string(struct line *l, struct task *t, uint64_t addr)
{
    char s[1024];
    long n = addr ? guest_strlen(t->cpu, addr, sizeof(s)) : -EFAULT;
    bool cut = n == -ENAMETOOLONG;

    if (cut)
        n = sizeof(s);
    if (n < 0 || guest_read(t->cpu, s, addr, (size_t)n) < 0)
        address(l, addr);
    else
        quoted(l, s, (size_t)n, cut);
}

static void bytes(struct line *l, struct task *t, uint64_t addr, uint64_t n)
{
    char s[MAX_BYTES];
    size_t shown = n < MAX_BYTES ? n : MAX_BYTES;

    if (!addr || guest_read(t->cpu, s, addr, shown) < 0)
        address(l, addr);
    else
        quoted(l, s, shown, n > shown);
}

static void strings(struct line *l, struct task *t, uint64_t addr)
{
    unsigned word = t->proc->abi->word;
    uint64_t s = 0;

    add(l, "[");
    for (int i = 0; guest_read(t->cpu, &s, addr + word * (uint64_t)i, word) == 0 && s; i++) {
        add(l, i ? ", " : "");
        if (i == MAX_LIST) {
            add(l, "...");
            break;
        }
        string(l, t, s);
    }
    add(l, "]");
}

static void timespec(struct line *l, struct task *t, uint64_t addr)
{
    struct timespec ts;

    if (!addr || guest_read(t->cpu, &ts, addr, sizeof(ts)) < 0)
        address(l, addr);
    else
        add(l, "{%lld, %ld}", (long long)ts.tv_sec, ts.tv_nsec);
}

/* --- Calls -------------------------------------------------------------------------------------*/

/* One argument; @r: the result, for buffers that the call filled in. */
static void argument(struct line *l, struct task *t, char kind, const uint64_t *a, long r)
{
    static const char *const whence[] = {"SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA",
                                         "SEEK_HOLE"};
    static const char *const clocks[] = {
        "CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID",
        "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC_COARSE", "CLOCK_BOOTTIME",
    };
    static const char *const families[] = {"AF_UNSPEC", "AF_UNIX", "AF_INET"};
    uint64_t v = *a;

    switch (kind) {
    case 'd': add(l, "%" PRId64, (int64_t)(int32_t)v == (int64_t)v ? (int64_t)v : (int32_t)v); break;
    case 'u': add(l, "%" PRIu64, v); break;
    case 'f': add(l, "%d", (int)v); break;
    case 'o': add(l, "0%o", (unsigned)v); break;
    case 'a': (int)v == AT_FDCWD ? add(l, "AT_FDCWD") : add(l, "%d", (int)v); break;
    case 'q': open_flags(l, t, v); break;
    case 'g': signal_name(l, (int)v); break;
    case 'w': ONE_OF(l, v, whence); break;
    case 'k': ONE_OF(l, v, clocks); break;
    case 'y': v == 10 ? add(l, "AF_INET6") : ONE_OF(l, v, families); break;
    case 'p': FLAGS(l, v, prot_flags, "PROT_NONE"); break;
    case 'm': FLAGS(l, v, map_flags, "0"); break;
    case 'c': FLAGS(l, v, clone_flags, "0"); break;
    case 't': futex_op(l, v); break;
    case 'S': string(l, t, v); break;
    case 'W': bytes(l, t, v, a[1]); break;
    case 'B': r > 0 ? bytes(l, t, v, (uint64_t)r) : address(l, v); break;
    case 'V': strings(l, t, v); break;
    case 'T': timespec(l, t, v); break;
    case 'x': add(l, v ? "%#" PRIx64 : "%" PRIx64, v); break;
    default: address(l, v); break;
    }
}

static void call(struct line *l, struct task *t, const struct sys_row *row, const uint64_t *a, long r)
{
    const char *k = row->kinds;

    l->n = 0;
    add(l, "%d %s(", t->tid, row->name);
    for (int i = 0; i < 6 && k[i] && k[i] != '='; i++) {
        if (i)
            add(l, ",");
        argument(l, t, k[i], &a[i], r);
    }
    add(l, ")");
}

/* Calls that may not return, or whose arguments are gone then, are printed before. */
static bool prints_first(const char *name)
{
    static const char *const names[] = {"exit", "exit_group", "rt_sigreturn", "sigreturn", "execve", "execveat"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void strace_enter(struct task *t, const struct sys_row *row, uint64_t nr, const uint64_t *a)
{
    if (!row) {
        log_line(t->proc, "%d unknown system call %" PRIu64, t->tid, nr);
    } else if (prints_first(row->name)) {
        call(&line, t, row, a, 0);
        flush(t->proc);
    }
}

void strace_leave(struct task *t, const struct sys_row *row, const uint64_t *a, long r)
{
    if (!row || r == SYS_QUIET)
        return;
    call(&line, t, row, a, r);
    if (r == SYS_RESTART)
        add(&line, " = ? (interrupted)");
    else if (r < 0 && r > -4096)
        add(&line, " = -1 %s (%s)", strerrorname_np((int)-r) ? strerrorname_np((int)-r) : "?",
            strerror((int)-r));
    else if (strstr(row->kinds, "=x"))
        add(&line, " = %#lx", r);
    else
        add(&line, " = %ld", r);
    flush(t->proc);
}

void strace_signal(struct task *t, const siginfo_t *info)
{
    line.n = 0;
    add(&line, "%d --- ", t->tid);
    signal_name(&line, info->si_signo);
    add(&line, " {si_code=%d, si_addr=%p} ---", info->si_code, info->si_addr);
    flush(t->proc);
}
