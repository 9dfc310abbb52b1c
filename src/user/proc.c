/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc as the guest should see it (proc(5)): its own program, memory, arguments and CPU instead of
 * the emulator's.  Files are made on opening, as memory files.
 */
#include "user/abi.h"
#include "user/mm.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- which file --------------------------------------------------------------------------------*/

static bool is_number(const char *s, size_t len, long want)
{
    char *end;

    return len > 0 && isdigit((unsigned char)*s) && strtol(s, &end, 10) == want && end == s + len;
}

/* Past "self/", "thread-self/", "<pid>/" and "task/<tid>/"; NULL when it is not about us. */
static const char *below_own_folder(const char *s)
{
    size_t n = strcspn(s, "/");

    if (!(n == 4 && strncmp(s, "self", 4) == 0) && !is_number(s, n, getpid()) &&
        !(n == 11 && strncmp(s, "thread-self", 11) == 0) && !is_number(s, n, gettid()))
        return NULL;
    s += n;
    s += strspn(s, "/");
    if (strncmp(s, "task/", 5) == 0 && isdigit((unsigned char)s[5])) {
        s += 5 + strcspn(s + 5, "/");
        s += strspn(s, "/");
    }
    return s;
}

/* "self/maps", "cpuinfo": what @path names below /proc, with one of our own folders as "self/";
 * false when it is not below /proc or not about us. */
static bool proc_name(const char *path, char name[32])
{
    const char *s;

    if (path[0] != '/' || strspn(path, "/") > 8)
        return false;
    path += strspn(path, "/") - 1;
    if (strncmp(path, "/proc/", 6) != 0)
        return false;
    path += 6 + strspn(path + 6, "/");
    s = below_own_folder(path);
    if (s)
        return (size_t)snprintf(name, 32, "self/%s", s) < 32;
    return !strchr(path, '/') && (size_t)snprintf(name, 32, "%s", path) < 32;
}

/* The absolute path of @path below the folder @dirfd. */
static bool absolute(int dirfd, const char *path, char buf[PATH_MAX])
{
    char link[40];
    ssize_t n;

    if (path[0] == '/')
        return (size_t)snprintf(buf, PATH_MAX, "%s", path) < PATH_MAX;
    snprintf(link, sizeof(link), dirfd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", dirfd);
    n = readlink(link, buf, PATH_MAX - 1);
    if (n <= 0 || strncmp(buf, "/proc", 5) != 0)
        return false;
    return (size_t)snprintf(buf + n, PATH_MAX - (size_t)n, "/%s", path) < PATH_MAX - (size_t)n;
}

/* Cheap: most paths end in no name of ours. */
static bool maybe_ours(const char *path)
{
    static const char *const names[] = {"exe", "maps", "smaps", "cmdline", "environ", "auxv",
                                        "stat", "status", "cpuinfo", "limits"};
    const char *base = strrchr(path, '/');

    base = base ? base + 1 : path;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(base, names[i]) == 0)
            return true;
    }
    return false;
}

/* @full: the host's file of that name. */
static bool find_file(int dirfd, const char *path, char name[32], char full[PATH_MAX])
{
    return maybe_ours(path) && absolute(dirfd, path, full) && proc_name(full, name);
}

static bool find_name(int dirfd, const char *path, char name[32])
{
    char full[PATH_MAX];

    return find_file(dirfd, path, name, full);
}

/* --- contents ----------------------------------------------------------------------------------*/

/* What a mapping is called; the host's name otherwise. */
static const char *vma_name(const struct vma *v, const char *host)
{
    if (v->flags & VMA_STACK)
        return "[stack]";
    if (v->flags & VMA_HEAP)
        return "[heap]";
    if (v->flags & VMA_VDSO)
        return "[vdso]";
    return host;
}

/* One line of the host's maps, cut to the guest's mapping @v and with its rights. */
static void put_line(FILE *out, const struct process *p, const struct vma *v, uint64_t start,
                     uint64_t end, const char *host)
{
    uint64_t from = start > v->start ? start : v->start, to = end < v->end ? end : v->end;
    unsigned long long offset = 0, ino = 0, host_start = 0, host_end = 0;
    char dev[16] = "00:00", rights[8] = "", shared;
    int at = 0, n;

    sscanf(host, "%llx-%llx %7s %llx %15s %llu %n", &host_start, &host_end, rights, &offset, dev,
           &ino, &at);
    if (ino)
        offset += from + p->guest_base - host_start;
    shared = rights[3] == 's' ? 's' : 'p';
    n = fprintf(out, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08llx %s %llu", from, to,
                v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
                v->prot & PROT_EXEC ? 'x' : '-', shared, offset, dev, ino);
    host = vma_name(v, at ? host + at : "\n");
    putc(' ', out);
    if (*host && *host != '\n')
        fprintf(out, "%*s%.*s", n < 72 ? 72 - n : 0, "", (int)strcspn(host, "\n"), host);
    putc('\n', out);
}

/* The host's maps or smaps, what is the guest's in it. */
static int put_maps(struct process *p, FILE *out, const char *file)
{
    const struct vmas *s = &p->mm->vmas;
    FILE *in = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;
    bool keep = false;

    if (!in)
        return -errno;
    pthread_rwlock_rdlock(&p->mm->lock);
    while (getline(&line, &size, in) > 0) {
        uint64_t start, end;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) != 2) {
            if (keep)
                fputs(line, out); /* a detail of smaps */
            continue;
        }
        keep = false;
        if (start < p->guest_base)
            continue;
        start -= p->guest_base;
        end -= p->guest_base;
        for (size_t i = vmas_find(s, start); i < s->n && s->v[i].start < end; i++) {
            put_line(out, p, &s->v[i], start, end, line);
            keep = true;
        }
    }
    pthread_rwlock_unlock(&p->mm->lock);
    free(line);
    fclose(in);
    return 0;
}

void proc_log_maps(struct process *p)
{
    int fd = dup(p->log_fd);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f)
        return;
    fprintf(f, "guest_base  0x%" PRIx64 "\nstart_brk   0x%" PRIx64 "\nentry       0x%" PRIx64
            "\nstack       0x%" PRIx64 "\n", p->guest_base, p->mm->brk_start, p->entry,
            p->stack_top);
    put_maps(p, f, "/proc/self/maps");
    fclose(f);
}

/* Guest memory as it is now: a program may have changed its own title. */
static int put_memory(struct process *p, FILE *out, uint64_t start, uint64_t end)
{
    char buf[4096];
    struct cpu *cpu = cpu_self;

    while (start < end) {
        size_t n = end - start < sizeof(buf) ? end - start : sizeof(buf);

        if (cpu ? guest_read(cpu, buf, start, n) < 0 : !memcpy(buf, mm_host(p, start), n))
            break;
        fwrite(buf, 1, n, out);
        start += n;
    }
    return 0;
}

/* stat: the fields that are addresses (proc(5) numbers them from 1). */
static bool stat_field(const struct process *p, int n, uint64_t *v)
{
    switch (n) {
    case 26: *v = p->start_code; return true;
    case 27: *v = p->end_code; return true;
    case 28: *v = p->stack_top; return true;
    case 45: *v = p->start_data; return true;
    case 46: *v = p->end_data; return true;
    case 47: *v = p->mm->brk_start; return true;
    case 48: *v = p->arg_start; return true;
    case 49: *v = p->arg_end; return true;
    case 50: *v = p->env_start; return true;
    case 51: *v = p->env_end; return true;
    default: return false;
    }
}

static int put_stat(struct process *p, FILE *out, const char *file)
{
    char text[4096], *s, *word;
    FILE *in = fopen(file, "re");
    size_t n;
    int field = 3;

    if (!in)
        return -errno;
    n = fread(text, 1, sizeof(text) - 1, in);
    fclose(in);
    text[n] = 0;
    s = strrchr(text, ')');
    if (!s)
        return -EIO;
    text[strcspn(text, "\n")] = 0;
    *s++ = 0;
    fprintf(out, "%s)", text);
    s += strspn(s, " ");
    for (; (word = strsep(&s, " ")); field++) {
        uint64_t v;

        if (stat_field(p, field, &v))
            fprintf(out, " %" PRIu64, v);
        else if (field == 20) /* num_threads */
            fprintf(out, " %lu", strtoul(word, NULL, 10) - engine_threads(p->engine));
        else
            fprintf(out, " %s", word);
    }
    putc('\n', out);
    return 0;
}

static void put_limit(FILE *out, uint64_t own, const char *host)
{
    if (!own)
        fprintf(out, "%-20.*s ", (int)strcspn(host, " "), host);
    else
        fprintf(out, "%-20" PRIu64 " ", own - 1);
}

/* limits: those that only we know (user_opts.limits). */
static int put_limits(struct process *p, FILE *out, const char *file)
{
    static const char *const names[] = {"Max address space", "Max data size"};
    FILE *in = fopen(file, "re");
    char line[128];

    if (!in)
        return -errno;
    while (fgets(line, sizeof(line), in)) {
        const uint64_t *own = NULL;

        for (int i = 0; i < 2; i++)
            if (strncmp(line, names[i], strlen(names[i])) == 0)
                own = &p->opts.limits[2 * i];
        if (!own || strlen(line) < 68) {
            fputs(line, out);
            continue;
        }
        fprintf(out, "%.26s", line);
        put_limit(out, own[0], line + 26);
        put_limit(out, own[1], line + 47);
        fputs(line + 68, out);
    }
    fclose(in);
    return 0;
}

static int put_cpuinfo(struct process *p, FILE *out)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    for (long i = 0; i < (n > 0 ? n : 1); i++)
        p->abi->cpu.cpuinfo(p, cpu_self, i, out);
    return 0;
}

/* status: the signal masks, which are not quite the host's. */
static int put_status(struct process *p, FILE *out, const char *file)
{
    FILE *in = fopen(file, "re");
    char line[4096]; /* Groups may be long */

    if (!in)
        return -errno;
    while (fgets(line, sizeof(line), in)) {
        uint64_t mask;

        if (strncmp(line, "Sig", 3) == 0 && sscanf(line + 7, "%" SCNx64, &mask) == 1 && line[6] == ':')
            fprintf(out, "%.7s\t%016" PRIx64 "\n", line, signal_status(p, line, mask));
        else if (strncmp(line, "Threads:", 8) == 0)
            fprintf(out, "Threads:\t%lu\n", strtoul(line + 8, NULL, 10) - engine_threads(p->engine));
        else
            fputs(line, out);
    }
    fclose(in);
    return 0;
}

/* Writes the file @name, the host's @file, to @out, or PROC_NOT_OURS. */
static int fill(struct process *p, const char *name, const char *file, FILE *out)
{
    if (strcmp(name, "self/maps") == 0 || strcmp(name, "self/smaps") == 0)
        return put_maps(p, out, file);
    if (strcmp(name, "self/cmdline") == 0)
        return put_memory(p, out, p->arg_start, p->arg_end);
    if (strcmp(name, "self/environ") == 0)
        return put_memory(p, out, p->env_start, p->env_end);
    if (strcmp(name, "self/auxv") == 0)
        return put_memory(p, out, p->auxv_start, p->auxv_start + p->auxv_len);
    if (strcmp(name, "self/stat") == 0)
        return put_stat(p, out, file);
    if (strcmp(name, "self/status") == 0)
        return put_status(p, out, file);
    if (strcmp(name, "self/limits") == 0)
        return put_limits(p, out, file);
    if (strcmp(name, "cpuinfo") == 0)
        return put_cpuinfo(p, out);
    return PROC_NOT_OURS;
}

/* --- what system calls ask ---------------------------------------------------------------------*/

static int make_file(struct process *p, const char *name, const char *file, int flags)
{
    int fd = memfd_create(name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0), copy, r;
    FILE *out;

    if (fd < 0)
        return -errno;
    copy = dup(fd);
    out = copy < 0 ? NULL : fdopen(copy, "w");
    r = out ? fill(p, name, file, out) : -ENOMEM;
    if (out && fclose(out) != 0 && r == 0)
        r = -errno;
    if (r < 0) {
        close(fd);
        return r;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

int proc_open(struct process *p, int dirfd, const char *path, int flags, mode_t mode)
{
    char name[32], full[PATH_MAX];
    int r;

    if (!find_file(dirfd, path, name, full))
        return PROC_NOT_OURS;
    if (strcmp(name, "self/exe") == 0) {
        if (!p->exe)
            return -ENOENT;
        if (flags & O_NOFOLLOW) /* it is a link: ELOOP, or with O_PATH itself */
            return flags & O_PATH ? PROC_NOT_OURS : -ELOOP;
        r = open(p->exe, flags, mode);
        return r < 0 ? -errno : r;
    }
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_PATH | O_DIRECTORY)))
        return PROC_NOT_OURS;
    return make_file(p, name, full, flags);
}

ssize_t proc_readlink(struct process *p, int dirfd, const char *path, char *buf, size_t size)
{
    char name[32];
    size_t n;

    if (!find_name(dirfd, path, name) || strcmp(name, "self/exe") != 0)
        return PROC_NOT_OURS;
    if (!p->exe)
        return -ENOENT;
    n = strlen(p->exe);
    if (n > size)
        n = size;
    memcpy(buf, p->exe, n);
    return (ssize_t)n;
}

const char *proc_exe(struct process *p, const char *path)
{
    char name[32];

    if (path[0] == '/' && p->exe && find_name(AT_FDCWD, path, name) &&
        strcmp(name, "self/exe") == 0)
        return p->exe;
    return path;
}
