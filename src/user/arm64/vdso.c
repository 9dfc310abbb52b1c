/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An AArch64 vDSO: the four functions of vdso(7).  Clocks are read without a system call: the engine
 * calls serve() in passing, which asks the host's vDSO.
 *
 * It has no unwind table on purpose: unwinders know a signal frame by the two instructions of
 * __kernel_rt_sigreturn and then find every register in the ucontext; a table entry would stop them
 * from looking and could only describe x29 and x30.
 */
#include "user/arm64/arm64.h"
#include "user/mm.h"
#include "user/vdso.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>

#define WORD(v) (v) & 0xff, (v) >> 8 & 0xff, (v) >> 16 & 0xff, (v) >> 24 & 0xff
#define NOP 0xd503201fu
#define BTI_C 0xd503245fu
#define RET 0xd65f03c0u
#define SVC 0xd4000001u
#define HVC(n) (0xd4000002u | (uint32_t)(n) << 5) /* engine_set_service */
#define MOV_X8(n) (0xd2800008u | (uint32_t)(n) << 5)

/* The order of the functions; sigreturn begins after a no-op, for unwinders look at pc - 1. */
enum { F_SIGRETURN, F_GETTIMEOFDAY, F_CLOCK_GETTIME, F_CLOCK_GETRES, N_FUNCS };

/* The system calls they stand for (arm64 asm/unistd.h). */
enum { NR_CLOCK_GETTIME = 113, NR_CLOCK_GETRES = 114, NR_RT_SIGRETURN = 139, NR_GETTIMEOFDAY = 169 };

#define VERSION "LINUX_2.6.39"
#define SERVED(nr) .version = VERSION, .len = 12, .code = {WORD(BTI_C), WORD(HVC(nr)), WORD(RET)}

static const struct vdso_func funcs[N_FUNCS] = {
    [F_SIGRETURN] = {"__kernel_rt_sigreturn", VERSION, .skip = 4, .len = 12,
                     .code = {WORD(NOP), WORD(MOV_X8(NR_RT_SIGRETURN)), WORD(SVC)}},
    [F_GETTIMEOFDAY] = {"__kernel_gettimeofday", SERVED(NR_GETTIMEOFDAY)},
    [F_CLOCK_GETTIME] = {"__kernel_clock_gettime", SERVED(NR_CLOCK_GETTIME)},
    [F_CLOCK_GETRES] = {"__kernel_clock_getres", SERVED(NR_CLOCK_GETRES)},
};

static bool serve(struct cpu *cpu, unsigned number)
{
    uint64_t *x = a64(cpu)->x;

    switch (number) {
    case NR_GETTIMEOFDAY:
        x[0] = (uint64_t)sys_gettimeofday(cpu->owner, x);
        return true;
    case NR_CLOCK_GETTIME:
        x[0] = (uint64_t)sys_clock_gettime(cpu->owner, x);
        return true;
    case NR_CLOCK_GETRES:
        x[0] = (uint64_t)sys_clock_getres(cpu->owner, x);
        return true;
    }
    return false;
}

/* For -strace: system calls after all. */
static void use_syscalls(uint8_t *func)
{
    uint32_t insn[3];

    memcpy(insn, func + 4, 4);
    memcpy(insn, (uint32_t[]){MOV_X8(insn[0] >> 5 & 0xffff), SVC, RET}, 12);
    memcpy(func + 4, insn, 12);
}

int arm64_vdso_map(struct process *p)
{
    const struct vdso v = {"linux-vdso.so.1", EM_AARCH64, 8, funcs, N_FUNCS};
    int64_t addr = mm_mmap(p, 0, VDSO_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t at[N_FUNCS];
    uint8_t *page;

    if (addr < 0)
        return (int)addr;
    page = mm_host(p, (uint64_t)addr);
    vdso_build(&v, page, at);
    for (unsigned i = F_GETTIMEOFDAY; i < N_FUNCS && p->opts.strace; i++)
        use_syscalls(page + at[i]);
    mm_mprotect(p, (uint64_t)addr, VDSO_SIZE, PROT_READ | PROT_EXEC);
    mm_mark(p, (uint64_t)addr, (uint64_t)addr + VDSO_SIZE, VMA_VDSO);
    p->vdso = (uint64_t)addr;
    p->vdso_sigreturn = p->vdso + at[F_SIGRETURN];
    return 0;
}

void arm64_vdso_serve(struct process *p)
{
    engine_set_service(p->engine, p->vdso, p->vdso + VDSO_SIZE, serve, NULL);
}
