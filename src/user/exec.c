/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * execve and execveat of the guest (execve(2), execveat(2)).
 *
 * A guest program, or a script that leads to one, is run by a new instance of ourselves, which gets
 * the file as an open descriptor and the options through one environment variable (handover.c); its
 * arguments are the guest's, unchanged.  Nothing needs to be registered with the kernel, and no
 * file is needed in a changed root folder.  Everything else is given to the kernel as it is.
 */
#include "user/exec.h"
#include "user/elf.h"
#include "user/path.h"
#include "user/script.h"
#include "user/sys.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000 /* Linux 6.14: only check */
#endif

enum { HEAD = 4096, HIGH_FD = 1000 };

/* struct target - the file to run. */
struct target {
    int fd;           /* open for reading */
    const char *path; /* as the host should see it, relative to dirfd */
    char name[PATH_MAX]; /* as the guest should see it */
    mode_t mode;
};

/* --- our own program ---------------------------------------------------------------------------*/

int exec_high_fd(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

    if (high < 0)
        high = fcntl(fd, F_DUPFD_CLOEXEC, 200);
    if (high < 0)
        return fd;
    close(fd);
    return high;
}

/* Our own file by the name we were started by; -1 when that is not ours: under binfmt_misc it is the
 * guest program's. */
static int open_own_name(void)
{
    uint8_t head[64];
    const char *name = (const char *)getauxval(AT_EXECFN);
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof(head));

    if (fd >= 0 && (n <= 0 || elf_machine(head, (size_t)n) != EM_X86_64)) {
        close(fd);
        return -1;
    }
    return fd;
}

void exec_pin_self(struct process *p)
{
    int fd;

    if (p->self_fd >= 0)
        return;
    fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (fd < 0)
        fd = open_own_name();
    if (fd >= 0)
        p->self_fd = exec_high_fd(fd);
}

bool exec_is_ours(struct process *p, int fd)
{
    return fd >= 0 && (fd == p->self_fd || fd == p->gdb_fd ||
                       (fd == p->log_fd && fd != STDERR_FILENO));
}

/* The host's execve.  A signal taken meanwhile, which the new program would never see, comes first:
 * SYS_RESTART. */
static int host_exec(struct task *t, int dirfd, const char *path, char **argv, char **envp, int flags)
{
    return (int)HOST_WAIT(t, __NR_execveat, dirfd, path, argv, envp, flags);
}

/* -ENOENT: we cannot find ourselves. */
static int run_self(struct task *t, char **argv, char **envp)
{
    if (t->proc->self_fd >= 0)
        return host_exec(t, t->proc->self_fd, "", argv, envp, AT_EMPTY_PATH);
    return host_exec(t, AT_FDCWD, "/proc/self/exe", argv, envp, 0);
}

/* --- what the file is --------------------------------------------------------------------------*/

/* As the kernel checks before it starts to change anything: permission, busy, mount options. */
static int check_permission(struct target *g, int fd)
{
    char *none[] = {NULL}, link[40];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    g->mode = st.st_mode;
    if (!S_ISREG(st.st_mode))
        return -EACCES;
    if (syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH | AT_EXECVE_CHECK) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (faccessat(AT_FDCWD, link, X_OK, AT_EACCESS) == 0)
        return 0;
    return errno != ENOENT ? -EACCES : st.st_mode & 0111 ? 0 : -EACCES;
}

/* Whether the program's interpreter is there: the kernel says ENOENT before it is too late. */
static int check_interp(struct process *p, int fd, const struct elf *elf)
{
    char name[ELF_MAX_INTERP], buf[PATH_MAX];

    if (!elf->interp_len)
        return 0;
    if (pread(fd, name, elf->interp_len, (off_t)elf->interp_off) != (ssize_t)elf->interp_len)
        return -EIO;
    if (name[elf->interp_len - 1])
        return -ENOEXEC;
    return access(path_resolve_follow(p, name, buf), F_OK) < 0 ? -errno : 0;
}

enum { KIND_HOST, KIND_GUEST, KIND_SCRIPT };

/* KIND_, or a negative errno.  For a script @interp gets the program it names. */
static int look(struct process *p, int fd, char interp[SCRIPT_LINE + 1])
{
    uint8_t head[HEAD];
    char line[SCRIPT_LINE + 1], *name, *arg;
    const struct user_abi *abi;
    struct err e = {0};
    struct stat st;
    struct elf elf;
    long r;
    ssize_t n = pread(fd, head, sizeof(head), 0);

    if (n < 0)
        return -errno;
    memcpy(line, head, (size_t)n < SCRIPT_LINE ? (size_t)n : SCRIPT_LINE);
    r = script_parse(line, (size_t)n, &name, &arg);
    if (r > 0) {
        strcpy(interp, name);
        return KIND_SCRIPT;
    }
    if (r < 0)
        return (int)r;
    abi = abi_of_file(head, (size_t)n);
    if (!abi_runs(p->abi, abi))
        return KIND_HOST;
    r = fstat(fd, &st) < 0 ? -errno
        : elf_parse(head, (size_t)n, (uint64_t)st.st_size, abi->machine, &elf, &e);
    if (r == 0)
        r = check_interp(p, fd, &elf);
    return r < 0 ? (int)r : KIND_GUEST;
}

/* Follow #! lines to the program in the end. */
static int final_kind(struct process *p, int fd)
{
    char interp[SCRIPT_LINE + 1], buf[PATH_MAX];
    int kind = look(p, fd, interp);

    for (unsigned depth = 0; kind == KIND_SCRIPT; depth++) {
        struct target g;
        int next, r;

        if (depth == SCRIPT_DEPTH)
            return -ELOOP;
        next = open(path_resolve_follow(p, interp, buf), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (next < 0)
            return errno == EACCES ? KIND_HOST : -errno;
        r = check_permission(&g, next);
        kind = r < 0 ? r : look(p, next, interp);
        close(next);
    }
    return kind;
}

/* A script reached through a descriptor that closes: its interpreter could not open it (execveat(2)). */
static bool out_of_reach(struct process *p, const struct target *g, int dirfd, const char *path)
{
    char interp[SCRIPT_LINE + 1];

    return dirfd != AT_FDCWD && path[0] != '/' && (fcntl(dirfd, F_GETFD) & FD_CLOEXEC) &&
           look(p, g->fd, interp) == KIND_SCRIPT;
}

/* --- running -----------------------------------------------------------------------------------*/

/* The path as bprm->filename has it. */
static void guest_name(struct target *g, int dirfd, const char *path)
{
    if (dirfd == AT_FDCWD || path[0] == '/')
        snprintf(g->name, sizeof(g->name), "%s", path);
    else if (path[0])
        snprintf(g->name, sizeof(g->name), "/dev/fd/%d/%s", dirfd, path);
    else
        snprintf(g->name, sizeof(g->name), "/dev/fd/%d", dirfd);
}

static int open_target(struct process *p, struct target *g, int dirfd, const char *path, int flags,
                       char *buf)
{
    int how = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    char link[40];

    g->path = path;
    if (path[0] == 0 && (flags & AT_EMPTY_PATH)) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
        g->fd = dirfd == AT_FDCWD ? -1 : open(link, how);
        if (g->fd < 0 && errno == ENOENT)
            g->fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
        return g->fd < 0 ? -errno : 0;
    }
    if (path[0] == '/')
        g->path = path_resolve_follow(p, proc_exe(p, path), buf);
    if (flags & AT_SYMLINK_NOFOLLOW)
        how |= O_NOFOLLOW;
    g->fd = openat(dirfd, g->path, how);
    return g->fd < 0 ? -errno : 0;
}

static char **with_variable(char **envp, char *var)
{
    size_t n = 0;
    char **env;

    while (envp[n])
        n++;
    env = calloc(n + 2, sizeof(*env));
    if (env) {
        memcpy(env, envp, n * sizeof(*envp));
        env[n] = var;
    }
    return env;
}

static int run_guest(struct task *t, struct target *g, char **argv, char **envp)
{
    struct process *p = t->proc;
    struct handover h = {g->fd, -1, g->name, p->opts};
    char *var, **env;
    int r = -ENOMEM;

    if (p->self_fd < 0 && access("/proc/self/exe", F_OK) < 0)
        exec_pin_self(p);
    h.self_fd = p->self_fd;
    var = t->exec_memory[1] = handover_write(&h);
    env = t->exec_memory[2] = var ? with_variable(envp, var) : NULL;
    if (env) {
        fcntl(g->fd, F_SETFD, 0);
        if (p->self_fd >= 0)
            fcntl(p->self_fd, F_SETFD, 0);
        r = run_self(t, argv, env);
        if (p->self_fd >= 0)
            fcntl(p->self_fd, F_SETFD, FD_CLOEXEC);
    }
    t->exec_memory[1] = t->exec_memory[2] = NULL;
    free(env);
    free(var);
    return r;
}

int exec_guest(struct task *t, int dirfd, const char *path, char **argv, char **envp, int flags)
{
    struct process *p = t->proc;
    char buf[PATH_MAX];
    struct target g = {.fd = -1};
    int r, kind;

    if (path[0] == 0 && !(flags & AT_EMPTY_PATH))
        return -ENOENT;
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    r = open_target(p, &g, dirfd, path, flags, buf);
    if (r < 0 && r != -EACCES)
        return r;
    guest_name(&g, dirfd, path);
    /* What may be run but not read is the kernel's business. */
    kind = r < 0 ? KIND_HOST : check_permission(&g, g.fd);
    if (kind == 0 && r == 0)
        kind = out_of_reach(p, &g, dirfd, path) ? -ENOENT : final_kind(p, g.fd);
    if (kind >= 0) {
        task_save(t, false);
        signal_before_exec(t);
        r = -ENOEXEC;
        /* Other rights can only be given by the kernel, through binfmt_misc with flag C. */
        if (kind == KIND_HOST || (g.mode & (S_ISUID | S_ISGID)))
            r = host_exec(t, dirfd, g.path, argv, envp, flags);
        if (kind == KIND_GUEST && r == -ENOEXEC)
            r = run_guest(t, &g, argv, envp);
        if (kind == KIND_GUEST && r == -ENOENT) /* only the kernel may know where we are */
            r = host_exec(t, dirfd, g.path, argv, envp, flags);
        signal_exec_failed(t);
    } else {
        r = kind;
    }
    if (g.fd >= 0)
        close(g.fd);
    return r;
}
