/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An AArch64 vDSO: one page, a shared object with the four functions of vdso(7), version
 * LINUX_2.6.39 (System V ABI chapter 5; symbol versions as in the LSB).  Clocks are read without a
 * system call: the engine calls serve() in passing, which asks the host's vDSO.
 *
 * It has no unwind table on purpose: unwinders know a signal frame by the two instructions of
 * __kernel_rt_sigreturn and then find every register in the ucontext; a table entry would stop them
 * from looking and could only describe x29 and x30.
 */
#include "user/arm64/arm64.h"
#include "user/mm.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { N_FUNCS = 4, N_SYMS = N_FUNCS + 2, N_DYN = 11 };

#define SONAME "linux-vdso.so.1"
#define VERSION "LINUX_2.6.39"

/* The string table, member by member so that offsets need no counting. */
struct strings {
    char none[1];
    char soname[sizeof(SONAME)];
    char version[sizeof(VERSION)];
    char sigreturn[sizeof("__kernel_rt_sigreturn")];
    char gettimeofday[sizeof("__kernel_gettimeofday")];
    char clock_gettime[sizeof("__kernel_clock_gettime")];
    char clock_getres[sizeof("__kernel_clock_getres")];
};

struct version_def {
    Elf64_Verdef def;
    Elf64_Verdaux aux;
};

struct func {
    uint32_t insn[4];
};

struct vdso_image {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[2];
    Elf64_Dyn dyn[N_DYN];
    Elf64_Sym sym[N_SYMS];
    uint32_t hash[2 + 1 + N_SYMS]; /* nbucket, nchain, the one bucket, chains */
    Elf64_Half versym[N_SYMS];
    struct version_def ver[2] __attribute__((aligned(4)));
    struct strings str;
    struct func code[N_FUNCS] __attribute__((aligned(16)));
};

#define AT(member) offsetof(struct vdso_image, member)
#define STR(member) offsetof(struct strings, member)
#define INFO(bind, type) ((bind) << 4 | (type))

#define NOP 0xd503201f
#define BTI_C 0xd503245f
#define RET 0xd65f03c0
#define SVC 0xd4000001
#define HVC(n) (0xd4000002 | (uint32_t)(n) << 5) /* engine_set_service */
#define MOV_X8(n) (0xd2800008 | (uint32_t)(n) << 5)

/* The order of the functions; sigreturn begins after a no-op, for unwinders look at pc - 1. */
enum { F_SIGRETURN, F_GETTIMEOFDAY, F_CLOCK_GETTIME, F_CLOCK_GETRES };
#define SIGRETURN_AT (AT(code[F_SIGRETURN]) + 4)

/* The system calls they stand for (arm64 asm/unistd.h). */
enum { NR_CLOCK_GETTIME = 113, NR_CLOCK_GETRES = 114, NR_GETTIMEOFDAY = 169 };

#define FUNC(name, at, len)                                                                        \
    {STR(name), INFO(STB_GLOBAL, STT_FUNC), 0, 1, at, len}

static const struct vdso_image image = {
    .ehdr = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_AARCH64,
        .e_version = EV_CURRENT,
        .e_phoff = AT(phdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 2,
        .e_shentsize = sizeof(Elf64_Shdr),
    },
    .phdr = {
        {PT_LOAD, PF_R | PF_X, 0, 0, 0, sizeof(image), sizeof(image), 4096},
        {PT_DYNAMIC, PF_R, AT(dyn), AT(dyn), AT(dyn), sizeof(image.dyn), sizeof(image.dyn), 8},
    },
    .dyn = {
        {DT_SONAME, {STR(soname)}},
        {DT_HASH, {AT(hash)}},
        {DT_STRTAB, {AT(str)}},
        {DT_SYMTAB, {AT(sym)}},
        {DT_STRSZ, {sizeof(struct strings)}},
        {DT_SYMENT, {sizeof(Elf64_Sym)}},
        {DT_VERSYM, {AT(versym)}},
        {DT_VERDEF, {AT(ver)}},
        {DT_VERDEFNUM, {2}},
        {DT_NULL, {0}},
    },
    .sym = {
        {0},
        {STR(version), INFO(STB_GLOBAL, STT_OBJECT), 0, SHN_ABS, 0, 0},
        FUNC(sigreturn, SIGRETURN_AT, 8),
        FUNC(gettimeofday, AT(code[F_GETTIMEOFDAY]), 16),
        FUNC(clock_gettime, AT(code[F_CLOCK_GETTIME]), 16),
        FUNC(clock_getres, AT(code[F_CLOCK_GETRES]), 16),
    },
    .hash = {1, N_SYMS, 1, 0, 2, 3, 4, 5, 0},
    .versym = {0, 2, 2, 2, 2, 2},
    .ver = {
        {{1, VER_FLG_BASE, 1, 1, 0x0deebfa1,
          sizeof(Elf64_Verdef), sizeof(struct version_def)}, {STR(soname), 0}},
        {{1, 0, 2, 1, 0x075fcb89, sizeof(Elf64_Verdef), 0}, {STR(version), 0}},
    },
    .str = {"", SONAME, VERSION, "__kernel_rt_sigreturn", "__kernel_gettimeofday",
            "__kernel_clock_gettime", "__kernel_clock_getres"},
    .code = {
        [F_SIGRETURN] = {{NOP, MOV_X8(139), SVC, NOP}},
        [F_GETTIMEOFDAY] = {{BTI_C, HVC(NR_GETTIMEOFDAY), RET, NOP}},
        [F_CLOCK_GETTIME] = {{BTI_C, HVC(NR_CLOCK_GETTIME), RET, NOP}},
        [F_CLOCK_GETRES] = {{BTI_C, HVC(NR_CLOCK_GETRES), RET, NOP}},
    },
};
_Static_assert(sizeof(image) <= 4096, "the vDSO is one page");

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
static void use_syscalls(struct vdso_image *v)
{
    for (unsigned i = F_GETTIMEOFDAY; i < N_FUNCS; i++) {
        uint32_t *insn = v->code[i].insn, nr = insn[1] >> 5 & 0xffff;

        memcpy(insn + 1, (uint32_t[]){MOV_X8(nr), SVC, RET}, 12);
    }
}

int arm64_vdso_map(struct process *p)
{
    int64_t at = mm_mmap(p, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                         0);

    if (at < 0)
        return (int)at;
    memcpy(mm_host(p, (uint64_t)at), &image, sizeof(image));
    if (p->opts.strace)
        use_syscalls(mm_host(p, (uint64_t)at));
    mm_mprotect(p, (uint64_t)at, PAGE_SIZE, PROT_READ | PROT_EXEC);
    mm_mark(p, (uint64_t)at, (uint64_t)at + PAGE_SIZE, VMA_VDSO);
    p->vdso = (uint64_t)at;
    p->vdso_sigreturn = p->vdso + SIGRETURN_AT;
    return 0;
}

void arm64_vdso_serve(struct process *p)
{
    engine_set_service(p->engine, p->vdso, p->vdso + sizeof(image), serve);
}
