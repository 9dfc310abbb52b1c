/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vDSOs of x86-64 and i386 (vdso(7)).  Clocks are read without a system call: VMMCALL, which is undefined in programs, calls
 * serve64() or serve32() in passing with the number of the system call in EAX (engine_set_service); they ask the host's vDSO.
 *
 * There is no unwind table: handlers return by the C library's own code, which has one, and the functions here have no frames.
 */
#include "user/x86/vdso.h"

#include "user/compat32/compat32.h"
#include "user/mm.h"
#include "user/vdso.h"
#include "user/x86/frame32.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

/* mov $nr, %eax; vmmcall; ret */
#define SERVED(nr) .len = 9, .code = {0xb8, (nr) & 0xff, (nr) >> 8, 0, 0, 0x0f, 0x01, 0xd9, 0xc3}
enum { CALL_AT = 5 }; /* where VMMCALL is in it */

static long which_cpu(struct cpu *guest, uint64_t cpu_at, uint64_t node_at)
{
    unsigned cpu = 0, node = 0;

    if (getcpu(&cpu, &node) < 0)
        return -ENOSYS;
    return (cpu_at && guest_write(guest, cpu_at, &cpu, 4) < 0) || (node_at && guest_write(guest, node_at, &node, 4) < 0) ? -EFAULT : 0;
}

/* --- x86-64 (asm/unistd_64.h) --- */

enum { NR_GETTIMEOFDAY = 96, NR_TIME = 201, NR_CLOCK_GETTIME = 228, NR_CLOCK_GETRES = 229, NR_GETCPU = 309 };

/* What was asked for comes in RDX, RCX and R8, and the functions store it themselves, so that bad pointers fault in them as in Linux's. */
#define ASK(nr)   0xb8, (nr) & 0xff, (nr) >> 8, 0, 0, 0x0f, 0x01, 0xd9
#define STORE_SI  0x48, 0x89, 0x16, 0x48, 0x89, 0x4e, 8 /* mov %rdx, (%rsi); mov %rcx, 8(%rsi) */

static const struct vdso_func funcs64[] = {
    {"__vdso_gettimeofday", "LINUX_2.6", .len = 29,
     .code = {ASK(NR_GETTIMEOFDAY), 0x48, 0x85, 0xff, 0x74, 7,      /* test %rdi, %rdi; jz 1f */
              0x48, 0x89, 0x17, 0x48, 0x89, 0x4f, 8,                /* mov %rdx, (%rdi); mov %rcx, 8(%rdi) */
              0x48, 0x85, 0xf6, 0x74, 3, 0x4c, 0x89, 0x06, 0xc3}},  /* 1: test %rsi, %rsi; jz 2f; mov %r8, (%rsi); 2: ret */
    {"__vdso_time", "LINUX_2.6", .len = 17,
     .code = {ASK(NR_TIME), 0x48, 0x85, 0xff, 0x74, 3, 0x48, 0x89, 0x07, 0xc3}}, /* test %rdi, %rdi; jz 1f; mov %rax, (%rdi); 1: ret */
    {"__vdso_clock_gettime", "LINUX_2.6", .len = 20,
     .code = {ASK(NR_CLOCK_GETTIME), 0x85, 0xc0, 0x75, 7, STORE_SI, 0xc3}}, /* test %eax, %eax; jnz 1f; ...; 1: ret */
    {"__vdso_clock_getres", "LINUX_2.6", .len = 25,
     .code = {ASK(NR_CLOCK_GETRES), 0x85, 0xc0, 0x75, 12, 0x48, 0x85, 0xf6, 0x74, 7, STORE_SI, 0xc3}}, /* the same, if %rsi is not 0 */
    {"__vdso_getcpu", "LINUX_2.6", .len = 23,
     .code = {ASK(NR_GETCPU), 0x48, 0x85, 0xff, 0x74, 2, 0x89, 0x17,     /* test %rdi, %rdi; jz 1f; mov %edx, (%rdi) */
              0x48, 0x85, 0xf6, 0x74, 2, 0x89, 0x0e, 0xc3}},             /* 1: test %rsi, %rsi; jz 2f; mov %ecx, (%rsi); 2: ret */
};
enum { N_64 = sizeof(funcs64) / sizeof(funcs64[0]) };

static uint64_t ask_clock(int (*ask)(clockid_t clock, struct timespec *ts), uint64_t clock, uint64_t out[3])
{
    struct timespec ts;

    if (ask((clockid_t)clock, &ts) < 0)
        return (uint64_t)-errno;
    out[0] = (uint64_t)ts.tv_sec;
    out[1] = (uint64_t)ts.tv_nsec;
    return 0;
}

static uint64_t ask_time_of_day(uint64_t out[3])
{
    struct timeval tv;
    struct timezone tz;

    if (gettimeofday(&tv, &tz) < 0)
        return (uint64_t)-errno;
    out[0] = (uint64_t)tv.tv_sec;
    out[1] = (uint64_t)tv.tv_usec;
    out[2] = (uint32_t)tz.tz_minuteswest | (uint64_t)(uint32_t)tz.tz_dsttime << 32;
    return 0;
}

static uint64_t ask_cpu(uint64_t out[3])
{
    unsigned cpu = 0, node = 0;

    if (getcpu(&cpu, &node) < 0)
        return (uint64_t)-ENOSYS;
    out[0] = cpu;
    out[1] = node;
    return 0;
}

static uint64_t quick64(unsigned number, uint64_t arg, uint64_t out[3])
{
    switch (number) {
    case NR_CLOCK_GETTIME: return ask_clock(clock_gettime, arg, out);
    case NR_CLOCK_GETRES: return ask_clock(clock_getres, arg, out);
    case NR_GETTIMEOFDAY: return ask_time_of_day(out);
    case NR_TIME: return (uint64_t)time(NULL);
    case NR_GETCPU: return ask_cpu(out);
    default: return (uint64_t)-ENOSYS;
    }
}

static bool serve64(struct cpu *cpu, unsigned number)
{
    uint64_t *r = x86(cpu)->r, out[3] = {0};

    r[X86_AX] = quick64(number, r[X86_DI], out);
    r[X86_DX] = out[0];
    r[X86_CX] = out[1];
    r[8] = out[2];
    return true;
}

/* --- i386 (asm/unistd_32.h) --- */

enum { NR32_TIME = 13, NR32_GETTIMEOFDAY = 78, NR32_CLOCK_GETTIME = 265, NR32_CLOCK_GETRES = 266, NR32_GETCPU = 318,
       NR32_CLOCK_GETTIME64 = 403 };
enum { F32_VSYSCALL, F32_SIGRETURN, F32_RT_SIGRETURN, F32_SERVED };

static const struct vdso_func funcs32[] = {
    [F32_VSYSCALL] = {"__kernel_vsyscall", "LINUX_2.5", .len = 3, .code = {0xcd, 0x80, 0xc3}}, /* int $0x80; ret */
    [F32_SIGRETURN] = {"__kernel_sigreturn", "LINUX_2.5", .skip = 1, .len = 9, /* nop; pop %eax; mov $119, %eax; int $0x80 */
                       .code = {0x90, 0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80}},
    [F32_RT_SIGRETURN] = {"__kernel_rt_sigreturn", "LINUX_2.5", .skip = 1, .len = 8, /* nop; mov $173, %eax; int $0x80 */
                          .code = {0x90, 0xb8, 0xad, 0, 0, 0, 0xcd, 0x80}},
    [F32_SERVED] = {"__vdso_gettimeofday", "LINUX_2.6", SERVED(NR32_GETTIMEOFDAY)},
    {"__vdso_time", "LINUX_2.6", SERVED(NR32_TIME)},
    {"__vdso_clock_gettime", "LINUX_2.6", SERVED(NR32_CLOCK_GETTIME)},
    {"__vdso_clock_gettime64", "LINUX_2.6", SERVED(NR32_CLOCK_GETTIME64)},
    {"__vdso_clock_getres", "LINUX_2.6", SERVED(NR32_CLOCK_GETRES)},
    {"__vdso_getcpu", "LINUX_2.6", SERVED(NR32_GETCPU)},
};
enum { N_32 = sizeof(funcs32) / sizeof(funcs32[0]) };
_Static_assert((F32_RT_SIGRETURN - F32_SIGRETURN) * VDSO_CODE == VDSO32_RT, "frame32.c counts on it");

static bool serve32(struct cpu *cpu, unsigned number)
{
    struct task *t = cpu->owner;
    uint64_t *r = x86(cpu)->r;
    uint32_t arg[3];
    uint64_t a[6] = {0};
    long v;

    if (guest_read(cpu, arg, (uint32_t)(r[X86_SP] + 4), sizeof(arg)) < 0)
        memset(arg, 0, sizeof(arg)); /* the RET that follows faults */
    for (unsigned i = 0; i < 3; i++)
        a[i] = arg[i];
    switch (number) {
    case NR32_GETTIMEOFDAY: v = sys32_gettimeofday(t, a); break;
    case NR32_TIME: v = sys32_time(t, a); break;
    case NR32_GETCPU: v = which_cpu(cpu, a[0], a[1]); break;
    case NR32_CLOCK_GETTIME: a[0] = (uint64_t)(int32_t)arg[0]; v = sys32_clock_gettime(t, a); break;
    case NR32_CLOCK_GETTIME64: a[0] = (uint64_t)(int32_t)arg[0]; v = sys_clock_gettime(t, a); break;
    case NR32_CLOCK_GETRES: a[0] = (uint64_t)(int32_t)arg[0]; v = sys32_clock_getres(t, a); break;
    default: return false;
    }
    r[X86_AX] = (uint32_t)v;
    return true;
}

/* --- Mapping --- */

/* For -strace: system calls after all.  syscall; ret. */
static void use_calls64(uint8_t *f)
{
    static const uint8_t code[] = {0x0f, 0x05, 0xc3};

    memcpy(f + CALL_AT, code, sizeof(code));
}

static void use_calls32(uint8_t *f)
{
    static const uint8_t code[] = {
        0x53,                                           /* push %ebx */
        0x8b, 0x5c, 0x24, 8, 0x8b, 0x4c, 0x24, 12,      /* mov 8(%esp), %ebx; mov 12(%esp), %ecx */
        0x8b, 0x54, 0x24, 16,                           /* mov 16(%esp), %edx */
        0xcd, 0x80, 0x5b, 0xc3,                         /* int $0x80; pop %ebx; ret */
    };

    memcpy(f + CALL_AT, code, sizeof(code));
}

/* Where it is, or a negative errno; @at: the functions' guest addresses. */
static int64_t map(struct process *p, const struct vdso *v, unsigned first_served, void (*use_calls)(uint8_t *f), uint32_t *at)
{
    int64_t addr = mm_mmap(p, 0, VDSO_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *page;

    if (addr < 0)
        return addr;
    page = mm_host(p, (uint64_t)addr);
    vdso_build(v, page, at);
    for (unsigned i = first_served; i < v->n_funcs && p->opts.strace; i++)
        use_calls(page + at[i]);
    mm_mprotect(p, (uint64_t)addr, VDSO_SIZE, PROT_READ | PROT_EXEC);
    mm_mark(p, (uint64_t)addr, (uint64_t)addr + VDSO_SIZE, VMA_VDSO);
    p->vdso = (uint64_t)addr;
    return 0;
}

int x86_vdso_map64(struct process *p)
{
    const struct vdso v = {"linux-vdso.so.1", EM_X86_64, 8, funcs64, N_64};
    uint32_t at[N_64];

    return (int)map(p, &v, 0, use_calls64, at);
}

int x86_vdso_map32(struct process *p)
{
    const struct vdso v = {"linux-gate.so.1", EM_386, 4, funcs32, N_32};
    uint32_t at[N_32];
    int64_t r = map(p, &v, F32_SERVED, use_calls32, at);

    if (r < 0)
        return (int)r;
    p->vdso_sigreturn = p->vdso + at[F32_SIGRETURN];
    p->at_sysinfo = p->vdso + at[F32_VSYSCALL];
    return 0;
}

void x86_vdso_serve64(struct process *p)
{
    engine_set_service(p->engine, p->vdso, p->vdso + VDSO_SIZE, serve64, quick64);
}

void x86_vdso_serve32(struct process *p)
{
    engine_set_service(p->engine, p->vdso, p->vdso + VDSO_SIZE, serve32, NULL);
}
