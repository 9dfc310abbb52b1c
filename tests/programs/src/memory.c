/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What memory calls return and leave behind: prints the same on every Linux (tests/cli/memory.sh
 * compares a native run with an emulated one). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define P 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf back;
static int code;

static void on_fault(int sig, siginfo_t *info, void *u)
{
    code = sig * 100 + info->si_code;
    siglongjmp(back, 1);
}

/* 0, or signal * 100 + si_code of reading and writing a byte. */
static int reads(void *p)
{
    code = 0;
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)p;
    return code;
}

static int writes(void *p)
{
    code = 0;
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)p = 1;
    return code;
}

static const char *result(long r)
{
    static char s[4][32];
    static int i;

    i = (i + 1) % 4;
    if (r == -1)
        return strerrorname_np(errno);
    snprintf(s[i], sizeof(s[i]), "%s", r == 0 ? "0" : "ok");
    return s[i];
}

#define SHOW(call) (errno = 0, printf("%-70s %s\n", #call, result((long)(call))))

static char *area(size_t pages)
{
    return mmap(NULL, pages * P, RW, ANON, -1, 0);
}

static void map_errors(int fd)
{
    char *a = area(4);

    SHOW(mmap(NULL, 0, RW, ANON, -1, 0));
    SHOW(mmap(NULL, P, RW, MAP_ANONYMOUS, -1, 0));
    SHOW(mmap(NULL, P, RW, MAP_PRIVATE, -1, 0));
    SHOW(mmap(NULL, P, RW, MAP_PRIVATE, fd, 1));
    SHOW(mmap(a + 1, P, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(mmap((void *)-P, P, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(mmap(NULL, 1ul << 60, RW, ANON, -1, 0));
    SHOW(mmap(NULL, -P, RW, ANON, -1, 0));
    SHOW(mmap(a, P, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW(munmap(a, 0));
    SHOW(munmap(a + 1, P));
    SHOW(munmap(a + P, P));
    SHOW(munmap(a + P, P));
    SHOW(mmap(a + P, P, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW(munmap((void *)-P, P));
    SHOW(munmap(a, 4 * P));
    printf("hint %d\n", mmap(a, P, RW, ANON, -1, 0) == a);
    printf("unaligned hint %d\n", mmap(a + 2 * P - 1, P, RW, ANON, -1, 0) == a + 2 * P);
}

static void protections(void)
{
    char *a = area(8);

    memset(a, 1, 8 * P);
    printf("none %d %d\n", reads(a), writes(a));
    SHOW(mprotect(a + P, P, PROT_READ));
    printf("read %d %d\n", reads(a + P), writes(a + P));
    SHOW(mprotect(a + 2 * P, P, PROT_NONE));
    printf("none %d %d\n", reads(a + 2 * P), writes(a + 2 * P));
    SHOW(munmap(a + 3 * P, P));
    printf("gone %d %d\n", reads(a + 3 * P), writes(a + 3 * P));
    SHOW(mprotect(a, 8 * P, PROT_READ)); /* stops at the hole */
    printf("before and behind the hole %d %d\n", writes(a), writes(a + 4 * P));
    SHOW(mprotect(a + 1, P, RW));
    SHOW(mprotect(a, 0, RW));
    SHOW(mprotect(a + 4 * P, P, PROT_READ | PROT_EXEC));
    printf("exec %d %d\n", reads(a + 4 * P), writes(a + 4 * P));
    SHOW(mprotect(a + 4 * P, P, RW));
    SHOW(mprotect(a, P, RW | PROT_GROWSDOWN));
    SHOW(mprotect(a, P, 0x40000000));
    SHOW(madvise(a, 8 * P, MADV_DONTNEED));
    printf("dropped %d %d\n", a[0], a[7 * P]);
    SHOW(madvise(a + 1, P, MADV_NORMAL));
    SHOW(madvise(a, P, 12345));
    SHOW(msync(a, 8 * P, MS_SYNC));
    SHOW(msync(a, P, MS_SYNC | MS_ASYNC));
    SHOW(mlock(a, P));
    SHOW(mlock(a, 8 * P));
    SHOW(munlock(a, P));
}

static void moves(void)
{
    char *a = area(16), *b, *c;

    for (int i = 0; i < 16; i++)
        a[i * P] = (char)i;
    SHOW(mremap(a, 4 * P, 2 * P, 0)); /* shrink */
    printf("tail %d\n", reads(a + 2 * P));
    SHOW(mremap(a, 2 * P, 4 * P, 0)); /* grow into the hole */
    printf("grown %d\n", a[3 * P]);
    SHOW(mremap(a, 4 * P, 8 * P, 0)); /* in the way */
    b = mremap(a, 4 * P, 8 * P, MREMAP_MAYMOVE);
    printf("moved %d %d %d\n", b != a, b[P], reads(a));
    c = mremap(b, 8 * P, 8 * P, MREMAP_MAYMOVE | MREMAP_FIXED, a + 6 * P);
    printf("fixed %d %d %d %d\n", c == a + 6 * P, c[P], reads(b), a[5 * P]);
    SHOW(mremap(c, P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, c));
    SHOW(mremap(c, P, 2 * P, MREMAP_FIXED, a));
    SHOW(mremap(c + 1, P, P, 0));
    SHOW(mremap(c, P, 0, 0));
    SHOW(mremap(c, 0, P, MREMAP_MAYMOVE));
    SHOW(mremap(b, P, 2 * P, MREMAP_MAYMOVE)); /* not mapped */
    SHOW(mremap(c, 64 * P, 65 * P, MREMAP_MAYMOVE));
    SHOW(mremap(c, P, P, 0x100));
    b = mremap(c, P, P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    printf("left %d %d\n", b != c, reads(c));
}

static void files(const char *name, int fd)
{
    char *a, *b;

    ftruncate(fd, 2 * P + 100);
    a = mmap(NULL, 4 * P, RW, MAP_SHARED, fd, 0);
    b = mmap(NULL, P, RW, MAP_SHARED, fd, P);
    a[P] = 42;
    printf("shared %d\n", b[0]);
    printf("past the end %d %d\n", reads(a + 2 * P + 200), reads(a + 3 * P));
    b = mremap(a, 0, P, MREMAP_MAYMOVE);
    printf("twice %d\n", b != a && (a[5] = 5) == b[5]);
    close(fd);
    fd = open(name, O_RDONLY);
    SHOW(mmap(NULL, P, RW, MAP_SHARED, fd, 0));
    a = mmap(NULL, P, PROT_READ, MAP_SHARED, fd, 0);
    SHOW(mprotect(a, P, RW));
    SHOW(mmap(NULL, P, RW, MAP_PRIVATE, fd, 0));
    SHOW(mmap(NULL, P, PROT_READ, MAP_SHARED, fd, 1ul << 62));
    close(fd);
    fd = open("/", O_RDONLY | O_DIRECTORY);
    SHOW(mmap(NULL, P, PROT_READ, MAP_SHARED, fd, 0));
    close(fd);
}

static void heap(void)
{
    char *start = sbrk(0), *p;

    printf("grow %d\n", sbrk(3 * P) == start);
    p = (char *)(((uintptr_t)start + P - 1) & -P);
    p[0] = 1;
    printf("shrink %d\n", brk(p) == 0 && reads(p) != 0);
    printf("grow again %d\n", brk(p + P) == 0 && p[0] == 0);
    printf("too low %d\n", syscall(SYS_brk, 16) == (long)sbrk(0));
    printf("too high %d\n", syscall(SYS_brk, 1ul << 62) == (long)sbrk(0));
    brk(start);
}

static void shared_memory(void)
{
    int id = shmget(IPC_PRIVATE, 3 * P, IPC_CREAT | 0600);
    char *a, *b, *room = area(8);

    if (id < 0)
        return;
    a = shmat(id, NULL, 0);
    b = shmat(id, NULL, SHM_RDONLY);
    a[P] = 9;
    printf("shm %d %d %d\n", a != b, b[P], writes(b));
    SHOW(shmat(id, room, 0));
    printf("remap %d\n", shmat(id, room + P, SHM_REMAP) == room + P && room[2 * P] == 9);
    SHOW(shmat(id, room + 1, 0));
    SHOW(shmdt(a));
    SHOW(shmdt(a));
    printf("gone %d\n", reads(a));
    SHOW(shmdt(b));
    SHOW(shmdt(room + P));
    SHOW(shmctl(id, IPC_RMID, NULL));
}

static int depth(int n)
{
    volatile char big[1000];

    big[0] = (char)n;
    return n ? depth(n - 1) + big[0] * 0 : (int)big[1] * 0;
}

/* Overrun of the stack arrives as SIGSEGV on the alternate stack. */
static void stack(void)
{
    char line[4096];
    unsigned long start, end, mine = (unsigned long)line;
    FILE *f = fopen("/proc/self/maps", "r");

    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start <= mine && mine < end)
            printf("on [stack] %d\n", strstr(line, "[stack]") != NULL);
    }
    fclose(f);
    struct rlimit limit = {24 << 20, RLIM_INFINITY};

    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 24 << 20;
    SHOW(setrlimit(RLIMIT_STACK, &limit));
    printf("20 MiB deep %d\n", depth(15000));
    code = 0;
    if (sigsetjmp(back, 1) == 0)
        depth(100000000);
    printf("overrun %d\n", code);
}

#define MB (1ul << 20)

static void limit(int which, unsigned long soft)
{
    char line[100];
    struct rlimit l;
    FILE *f;

    getrlimit(which, &l);
    l.rlim_cur = soft;
    SHOW(setrlimit(which, &l));
    getrlimit(which, &l);
    printf("limit %lu\n", l.rlim_cur / MB);
    f = fopen("/proc/self/limits", "r");
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, "Max address", 11) == 0 || strncmp(line, "Max data", 8) == 0)
            printf("%s", line);
    fclose(f);
}

static void address_space(void)
{
    char *a, *b;
    int id;

    limit(RLIMIT_AS, 1000 * MB);
    SHOW(mmap(NULL, 1001 * MB, PROT_NONE, ANON, -1, 0));
    a = mmap(NULL, 600 * MB, PROT_NONE, ANON, -1, 0);
    printf("within %d\n", a != MAP_FAILED);
    SHOW(mmap(NULL, 600 * MB, PROT_NONE, ANON, -1, 0));
    SHOW(mmap(a, 600 * MB, PROT_READ, ANON | MAP_FIXED, -1, 0)); /* in its place */
    SHOW(mremap(a, 600 * MB, 1100 * MB, MREMAP_MAYMOVE));
    SHOW(sbrk(500 * MB));
    printf("malloc %d\n", malloc(500 * MB) != NULL);
    id = shmget(IPC_PRIVATE, 500 * MB, IPC_CREAT | 0600);
    SHOW(shmat(id, NULL, 0));
    shmctl(id, IPC_RMID, NULL);
    b = mremap(a, 600 * MB, 900 * MB, MREMAP_MAYMOVE);
    printf("grown %d\n", b != MAP_FAILED);
    SHOW(munmap(b, 900 * MB));
    a = mmap(NULL, 800 * MB, PROT_NONE, ANON, -1, 0);
    printf("room again %d\n", a != MAP_FAILED);
    munmap(a, 800 * MB);
    if (fork() == 0) {
        SHOW(mmap(NULL, 1001 * MB, PROT_NONE, ANON, -1, 0));
        fflush(stdout);
        execl("/proc/self/exe", "memory", "limits", NULL);
    }
    wait(NULL);
    limit(RLIMIT_AS, RLIM_INFINITY);
    SHOW(mmap(NULL, 1001 * MB, PROT_NONE, ANON, -1, 0));
}

static void data_size(void)
{
    char *a;

    limit(RLIMIT_DATA, 300 * MB);
    SHOW(mmap(NULL, 301 * MB, RW, ANON, -1, 0));
    SHOW(sbrk(301 * MB));
    SHOW(mmap(NULL, 301 * MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    a = mmap(NULL, 301 * MB, PROT_READ, ANON, -1, 0);
    printf("not writable %d\n", a != MAP_FAILED);
    SHOW(mprotect(a, 301 * MB, RW));
    SHOW(mprotect(a, 200 * MB, RW));
    SHOW(mmap(NULL, 200 * MB, RW, ANON, -1, 0));
    SHOW(mprotect(a, 200 * MB, PROT_NONE));
    SHOW(mmap(NULL, 200 * MB, RW, ANON, -1, 0));
    limit(RLIMIT_DATA, RLIM_INFINITY);
}

/* Linux 6.10. */
static void sealed(void)
{
    char *a = area(4), *b = area(4);
    int major = 0, minor = 0;
    struct utsname u;

    uname(&u);
    if (sscanf(u.release, "%d.%d", &major, &minor) != 2 || major * 100 + minor < 610)
        return;
    a[P] = 5;
    SHOW(mprotect(a + P, P, PROT_READ));
    SHOW(syscall(462, a + P, P, 0));
    SHOW(syscall(462, a + P, P, 1));
    SHOW(syscall(462, a + 1, P, 0));
    SHOW(syscall(462, a, 0, 0));
    SHOW(munmap(b + P, P));
    SHOW(syscall(462, b, 4 * P, 0));
    SHOW(munmap(b, P));
    SHOW(munmap(a + P, P));
    SHOW(munmap(a, 4 * P));
    SHOW(mprotect(a + P, P, RW));
    SHOW(mmap(a + P, P, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(mremap(a + P, P, 2 * P, MREMAP_MAYMOVE));
    SHOW(mremap(b + 2 * P, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, a + P));
    SHOW(madvise(a + P, P, MADV_DONTNEED));
    SHOW(madvise(a + P, P, MADV_NORMAL));
    printf("sealed %d\n", a[P]);
    SHOW(munmap(a + 2 * P, 2 * P));
    SHOW(munmap(b + 2 * P, 2 * P));
}

/* After an execve under limits. */
static int limits_stay(void)
{
    struct rlimit l;

    getrlimit(RLIMIT_AS, &l);
    printf("inherited %lu\n", l.rlim_cur / MB);
    SHOW(mmap(NULL, 1001 * MB, PROT_NONE, ANON, -1, 0));
    SHOW(mmap(NULL, 800 * MB, PROT_NONE, ANON, -1, 0));
    return 0;
}

int main(int argc, char **argv)
{
    static char alt[65536];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    char name[] = "/tmp/memoryXXXXXX";
    int fd;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1)
        return limits_stay();
    fd = mkstemp(name);
    sigaltstack(&ss, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    map_errors(fd);
    protections();
    moves();
    heap();
    shared_memory();
    files(name, fd);
    unlink(name);
    stack();
    sealed();
    address_space();
    data_size();
    return 0;
}
