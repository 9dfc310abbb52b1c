/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that store more than one access can: which bytes are there after a fault in the second page, or in the first.  Most write
 * all or nothing; FSTP of ten bytes is two stores, PUSHA and ENTER are many.  So an Intel Xeon (Sapphire Rapids) does it; the manual says
 * little (SDM 3A, 11.1).  Prints what is not so.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, FILL = 0x5a };

static sigjmp_buf back;
static unsigned char *page; /* between two that cannot be accessed */
static unsigned char ones[32] __attribute__((aligned(32)));
static uintptr_t fault;
static int bad;

static void caught(int sig, siginfo_t *si, void *uc)
{
    fault = (uintptr_t)si->si_addr;
    siglongjmp(back, 1);
}

static void look(const char *what, int at, int size, int want)
{
    long where = (long)(fault - (uintptr_t)page);
    int n = 0;

    for (int i = 0; i < PAGE; i++)
        n += page[i] != FILL;
    if (n == want && where >= at && where < at + size && (where < 0 || where >= PAGE))
        return;
    printf("%s at %d: %d bytes written, want %d, fault at %ld\n", what, at, n, want, where);
    bad = 1;
}

#define TRY(name, at, size, want, code)                                                                              \
    do {                                                                                                             \
        unsigned char *p = page + (at);                                                                              \
        memset(page, FILL, PAGE);                                                                                    \
        fault = (uintptr_t)page + 1;                                                                                 \
        if (!sigsetjmp(back, 1)) {                                                                                   \
            __asm__ volatile("fninit; vmovdqa %0, %%ymm1; vmovdqa %0, %%ymm2" ::"m"(ones));                          \
            code;                                                                                                    \
        }                                                                                                            \
        look(name, at, size, want);                                                                                  \
    } while (0)
#define AT(name, at, size, want, insn) TRY(name, at, size, want, __asm__ volatile(insn ::"D"(p), "a"(7), "d"(0) : "memory"))
/* The last @in bytes of the page and on, and the other end. */
#define BOTH(insn, size, in)                                                                                         \
    AT(insn, PAGE - (in), size, 0, insn);                                                                            \
    AT(insn, (in) - (size), size, 0, insn)

int main(void)
{
    struct sigaction a = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    stack_t ss = {.ss_sp = mmap(0, 1 << 17, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 1 << 17};

    page = (unsigned char *)mmap(0, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + PAGE;
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    sigaltstack(&ss, 0);
    sigaction(SIGSEGV, &a, 0);
    memset(ones, 0xff, sizeof(ones));
    for (int round = 0; round < 3; round++) {
        BOTH("vmaskmovps %%ymm1, %%ymm2, (%0)", 32, 12);
        BOTH("vpmaskmovq %%ymm1, %%ymm2, (%0)", 32, 12);
        BOTH("maskmovdqu %%xmm1, %%xmm2", 16, 12);
        BOTH("pcmpeqb %%mm0, %%mm0; maskmovq %%mm0, %%mm0", 8, 4);
        BOTH("fldpi; fbstp (%0)", 10, 4);
        BOTH("fldpi; fstpt (%0)", 10, 4);
        BOTH("fnstenv (%0)", 28, 12);
        BOTH("fnsave (%0)", 108, 54);
        BOTH("fxsave (%0)", 512, 256);
        BOTH("xsave (%0)", 832, 256);
        BOTH("xsave (%0)", 832, 576);
        BOTH("xsaveopt (%0)", 832, 512);
        BOTH("xsavec (%0)", 832, 512);
        BOTH("vmovups %%ymm1, (%0)", 32, 12);
        BOTH("vmovdqu %%ymm1, (%0)", 32, 16);
        BOTH("vmovupd %%ymm1, (%0)", 32, 20);
        BOTH("vmovups %%xmm1, (%0)", 16, 8);
        BOTH("movdqu %%xmm1, (%0)", 16, 12);
        AT("fstpt, two stores", PAGE - 8, 10, 8, "fldpi; fstpt (%0)");
        AT("fstpt, two stores", -8, 10, 0, "fldpi; fstpt (%0)");
#ifdef __x86_64__
        AT("enter", 12 - 24, 24, 8, "mov %%rsp, %%rbx; mov %%rbp, %%r12; lea 24(%0), %%rsp; lea ones+24(%%rip), %%rbp; "
           "enter $0, $3; mov %%rbx, %%rsp; mov %%r12, %%rbp");
#else
        AT("pusha", 14 - 32, 32, 12, "mov %%esp, %%esi; lea 32(%0), %%esp; pusha; mov %%esi, %%esp");
        AT("pushaw", 7 - 16, 16, 6, "mov %%esp, %%esi; lea 16(%0), %%esp; pushaw; mov %%esi, %%esp");
#endif
    }
    if (!bad)
        puts("as stated");
    return bad;
}
