/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which vector instructions fault on a misaligned operand, and as what (SDM 1, 4.1.1). */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static sigjmp_buf back;
static siginfo_t seen;
static char data[64] __attribute__((aligned(64)));

static void caught(int sig, siginfo_t *si, void *uc)
{
    seen = *si;
    siglongjmp(back, 1);
}

#define TRY(insn)                                                                                                    \
    do {                                                                                                             \
        if (!sigsetjmp(back, 1)) {                                                                                   \
            __asm__ volatile(insn : : "r"(data + off) : "xmm0", "memory");                                           \
            printf(insn " %d done\n", off);                                                                          \
        } else {                                                                                                     \
            printf(insn " %d: %d %d %p\n", off, seen.si_signo, seen.si_code, seen.si_addr);                          \
        }                                                                                                            \
    } while (0)

int main(void)
{
    struct sigaction a = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &a, 0);
    for (int round = 0; round < 3; round++)
        for (int off = 0; off <= 8; off += 8) {
            TRY("movaps (%0), %%xmm0");
            TRY("movaps %%xmm0, (%0)");
            TRY("movups (%0), %%xmm0");
            TRY("movdqa (%0), %%xmm0");
            TRY("movdqu (%0), %%xmm0");
            TRY("movntps %%xmm0, (%0)");
            TRY("paddb (%0), %%xmm0");
            TRY("addsd (%0), %%xmm0");
            TRY("cvtps2pd (%0), %%xmm0");
        }
    return 0;
}
