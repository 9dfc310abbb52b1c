/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first stack of a program: argument and environment strings, auxiliary vector, as
 * Linux lays them out (System V ABI chapter 3; getauxval(3)), in words of the guest's size.
 */
#include "user/mm.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum {
    MAX_AUX = 32,
    CLOCK_TICKS = 100, /* USER_HZ of every kernel */
};

/* struct builder - the stack being written from the top down. */
struct builder {
    struct process *p;
    uint64_t at;    /* lowest byte written so far */
    uint64_t limit; /* no lower than this */
    uint64_t aux[2 * MAX_AUX];
    unsigned n_aux;
};

static void push(struct builder *b, const void *data, size_t len)
{
    b->at -= len;
    memcpy(mm_host(b->p, b->at), data, len);
}

static uint64_t push_string(struct builder *b, const char *s)
{
    push(b, s, strlen(s) + 1);
    return b->at;
}

static void aux(struct builder *b, uint64_t type, uint64_t value)
{
    b->aux[2 * b->n_aux] = type;
    b->aux[2 * b->n_aux + 1] = value;
    b->n_aux++;
}

static size_t count(char **v)
{
    size_t n = 0;

    while (v[n])
        n++;
    return n;
}

static size_t bytes(char **v)
{
    size_t n = 0;

    for (; *v; v++)
        n += strlen(*v) + 1;
    return n;
}

/* Strings so that the first one is lowest; @ptrs gets their addresses. */
static void push_strings(struct builder *b, char **v, uint64_t *ptrs)
{
    for (size_t i = count(v); i-- > 0;)
        ptrs[i] = push_string(b, v[i]);
}

static void fill_aux(struct builder *b, struct cpu *cpu, uint64_t execfn, uint64_t platform,
                     uint64_t random)
{
    struct process *p = b->p;
    uint64_t caps[2];

    p->abi->cpu.hwcap(cpu, caps);
    if (p->at_sysinfo)
        aux(b, AT_SYSINFO, p->at_sysinfo);
    if (p->vdso)
        aux(b, AT_SYSINFO_EHDR, p->vdso);
    if (p->abi->signal.min_frame)
        aux(b, AT_MINSIGSTKSZ, p->abi->signal.min_frame);
    aux(b, AT_HWCAP, caps[0]);
    aux(b, AT_PAGESZ, PAGE_SIZE);
    aux(b, AT_CLKTCK, CLOCK_TICKS);
    aux(b, AT_PHDR, p->at_phdr);
    aux(b, AT_PHENT, p->at_phent);
    aux(b, AT_PHNUM, p->at_phnum);
    aux(b, AT_BASE, p->at_base);
    aux(b, AT_FLAGS, 0);
    aux(b, AT_ENTRY, p->program_entry);
    aux(b, AT_UID, getauxval(AT_UID));
    aux(b, AT_EUID, getauxval(AT_EUID));
    aux(b, AT_GID, getauxval(AT_GID));
    aux(b, AT_EGID, getauxval(AT_EGID));
    aux(b, AT_SECURE, getauxval(AT_SECURE));
    aux(b, AT_RANDOM, random);
    aux(b, AT_HWCAP2, caps[1]);
    aux(b, AT_EXECFN, execfn);
    aux(b, AT_PLATFORM, platform);
    aux(b, AT_NULL, 0);
}

static int map_stack(struct process *p, struct err *e)
{
    int prot = PROT_READ | PROT_WRITE | (p->exec_stack ? PROT_EXEC : 0);
    int r = mm_map_stack(p, p->stack_size, prot);

    if (r < 0)
        return err_set(e, r, "cannot map a stack of %llu KiB: %s",
                       (unsigned long long)p->stack_size >> 10, strerror(-r));
    return 0;
}

/* @n numbers as words of the guest's, the first one lowest. */
static void push_words(struct builder *b, const uint64_t *v, size_t n)
{
    unsigned word = b->p->abi->word;

    while (n-- > 0)
        push(b, &v[n], word); /* little endian, both */
}

/* argc, argv, envp and the auxiliary vector, below the strings. */
static void push_vectors(struct builder *b, size_t argc, size_t envc, const uint64_t *ptrs)
{
    struct process *p = b->p;
    uint64_t words = 1 + argc + 1 + envc + 1, argc64 = argc, null = 0;
    uint64_t size = (words + 2 * (uint64_t)b->n_aux) * p->abi->word;

    b->at = (b->at - size) & ~UINT64_C(15);
    p->stack_top = b->at;
    b->at += size;
    push_words(b, b->aux, 2 * b->n_aux);
    p->auxv_start = b->at;
    p->auxv_len = 2 * b->n_aux * (uint64_t)p->abi->word;
    push_words(b, &null, 1);
    push_words(b, ptrs + argc, envc);
    push_words(b, &null, 1);
    push_words(b, ptrs, argc);
    push_words(b, &argc64, 1);
}

static void write_stack(struct builder *b, struct cpu *cpu, const char *execfn, char **envp,
                        uint64_t *ptrs)
{
    struct process *p = b->p;
    size_t argc = count(p->argv), envc = count(envp);
    uint64_t null = 0, name, platform, random;

    push(b, &null, 8);
    name = push_string(b, execfn);
    p->env_end = b->at;
    push_strings(b, envp, ptrs + argc);
    p->env_start = p->arg_end = b->at;
    push_strings(b, p->argv, ptrs);
    p->arg_start = b->at;
    b->at &= ~UINT64_C(15);
    platform = push_string(b, p->abi->platform);
    b->at &= ~UINT64_C(15);
    push(b, p->random, 16);
    random = b->at;
    fill_aux(b, cpu, name, platform, random);
    push_vectors(b, argc, envc, ptrs);
}

int exec_stack(struct process *p, struct cpu *cpu, const char *execfn, char **envp,
               struct err *e)
{
    struct builder b = {.p = p};
    size_t n = count(p->argv) + count(envp);
    uint64_t need = bytes(p->argv) + bytes(envp) + strlen(execfn) + n * 8 + 2048, *ptrs;
    int r;

    /* The kernel has let a quarter of RLIMIT_STACK through; -s may be smaller than that. */
    if (p->stack_size < 4 * need)
        p->stack_size = page_up(4 * need);
    r = map_stack(p, e);
    if (r < 0)
        return r;
    b.at = p->mm->stack_top;
    ptrs = calloc(n + 1, sizeof(*ptrs));
    if (!ptrs)
        return err_set(e, -ENOMEM, "out of memory");
    write_stack(&b, cpu, execfn, envp, ptrs);
    free(ptrs);
    return 0;
}
