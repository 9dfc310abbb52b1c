/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Branch target identification as Linux programs see it: PROT_BTI, SIGILL, PSTATE.BTYPE in frames
 * (Arm ARM DDI 0487, D8.4.5 and C6.2 BTI; Linux Documentation/arch/arm64/elf_hwcaps.rst; mprotect(2)). */
#define _GNU_SOURCE
#include "../../../test.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif
#define BTI_HWCAP2 (1ul << 17)
#define PAGE       4096

/* Sources take the target in x0; targets return to whoever called the source.  64 bytes each. */
__asm__(".arch armv8.5-a\n .pushsection .rodata\n .balign 64\n .globl code_start, code_end\n code_start:\n"
        "bti c; mov x1, x0; br x1; .balign 64\n"
        "bti c; mov x16, x0; br x16; .balign 64\n"
        "bti c; mov x17, x0; br x17; .balign 64\n"
        "bti c; paciza x0; braaz x0; .balign 64\n"
        "bti c; mov x17, x0; mov x2, sp; pacia x17, x2; braa x17, sp; .balign 64\n"
        "bti c; stp x29, x30, [sp, #-16]!; blr x0; ldp x29, x30, [sp], #16; ret; .balign 64\n"
        "bti c; stp x29, x30, [sp, #-16]!; paciza x0; blraaz x0; ldp x29, x30, [sp], #16; ret; .balign 64\n"
        "bti c; mov x2, x30; mov x30, x0; ret x0; .balign 64\n"
        "mov x0, #1; ret; .balign 64\n" /* T_PLAIN */
        "bti; mov x0, #1; ret; .balign 64\n"
        "bti c; mov x0, #1; ret; .balign 64\n"
        "bti j; mov x0, #1; ret; .balign 64\n"
        "bti jc; mov x0, #1; ret; .balign 64\n"
        "paciasp; autiasp; mov x0, #1; ret; .balign 64\n"
        "pacibsp; autibsp; mov x0, #1; ret; .balign 64\n"
        "paciaz; autiaz; mov x0, #1; ret; .balign 64\n" /* no landing pad */
        "brk #1; mov x0, #1; ret; .balign 64\n"
        "bti c; mov x0, #1; ret x2; .balign 64\n" /* after S_RET, which keeps the caller in x2 */
        "mov x0, #1; ret x2; .balign 64\n"
        "code_end:\n .popsection\n");
extern const char code_start[], code_end[];

enum { S_BR, S_BR16, S_BR17, S_BRAAZ, S_BRAA17, S_BLR, S_BLRAAZ, S_RET,
       T_PLAIN, T_BTI, T_C, T_J, T_JC, T_PACIASP, T_PACIBSP, T_PACIAZ, T_BRK, T_RET_C, T_RET_PLAIN };

static sigjmp_buf back;
static volatile sig_atomic_t code, btype, other;
static void *volatile pc, *volatile addr;

static void caught(int sig, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;

    code = info->si_code;
    addr = info->si_addr;
    pc = (void *)uc->uc_mcontext.pc;
    btype = uc->uc_mcontext.pstate >> 10 & 3;
    siglongjmp(back, sig);
}

static void catch(int sig, void (*f)(int, siginfo_t *, void *))
{
    struct sigaction sa = {.sa_sigaction = f, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(sig, &sa, NULL);
}

static char *page(int prot)
{
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memcpy(p, code_start, (size_t)(code_end - code_start));
    __builtin___clear_cache(p, p + PAGE);
    if (!CHECK_EQ(mprotect(p, PAGE, prot), 0))
        exit(1);
    return p;
}

static char *guarded(void)
{
    return page(PROT_READ | PROT_EXEC | PROT_BTI);
}

static char *plain(void)
{
    return page(PROT_READ | PROT_EXEC);
}

/* Source @s jumps to target @t: 1 when it came back, the signal's number as a negative one. */
static int go(char *from, int s, char *to, int t)
{
    long (*f)(void *) = (long (*)(void *))(from + 64 * s);
    int sig = sigsetjmp(back, 1);

    return sig ? -sig : (int)f(to + 64 * t);
}

/* Each way to come to each target: allowed from the BTYPE that it makes? */
static void matrix(char *from, char *to, bool from_guarded, bool to_guarded)
{
    static const struct { int source, btype; } s[] = {
        {S_BR, 3}, {S_BR16, 1}, {S_BR17, 1}, {S_BRAAZ, 3}, {S_BRAA17, 1}, {S_BLR, 2}, {S_BLRAAZ, 2},
    };
    static const struct { int target, btypes; } t[] = { /* bits 1 << BTYPE that may come here */
        {T_PLAIN, 0}, {T_BTI, 0}, {T_C, 6}, {T_J, 10}, {T_JC, 14}, {T_PACIASP, 6}, {T_PACIBSP, 6},
        {T_PACIAZ, 0},
    };

    for (unsigned i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
        int type = s[i].btype == 3 && !from_guarded ? 1 : s[i].btype;

        for (unsigned k = 0; k < sizeof(t) / sizeof(t[0]); k++) {
            bool ok = !to_guarded || (t[k].btypes >> type & 1);
            int r = go(from, s[i].source, to, t[k].target);

            if (r != (ok ? 1 : -SIGILL))
                printf("from %d to %d, guarded %d %d: ", s[i].source, t[k].target, from_guarded,
                       to_guarded);
            CHECK_EQ(r, ok ? 1 : -SIGILL);
            if (r != -SIGILL)
                continue;
            CHECK_EQ(code, ILL_ILLOPC);
            CHECK_EQ(addr, to + 64 * t[k].target);
            CHECK_EQ(pc, to + 64 * t[k].target);
            CHECK_EQ(btype, type);
        }
    }
}

TEST(bti, every_branch_to_every_target)
{
    char *g = guarded(), *u = plain();

    catch(SIGILL, caught);
    for (int i = 0; i < 3; i++) { /* what was allowed once is remembered */
        matrix(g, g, true, true);
        matrix(u, g, false, true);
        matrix(g, u, true, false);
        matrix(u, u, false, false);
    }
}

TEST(bti, returns_and_breakpoints_come_anywhere)
{
    char *g = guarded();

    catch(SIGILL, caught);
    catch(SIGTRAP, caught);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(go(g, S_RET, g, T_RET_PLAIN), 1);
        CHECK_EQ(go(g, S_RET, g, T_RET_C), 1);
        CHECK_EQ(go(g, S_BLR, g, T_BRK), -SIGTRAP);
        CHECK_EQ(go(g, S_BR, g, T_BRK), -SIGTRAP);
        CHECK_EQ(addr, g + 64 * T_BRK);
    }
}

/* A branch into the middle of code that runs often by itself. */
TEST(bti, hot_targets_are_checked)
{
    char *g = guarded();

    catch(SIGILL, caught);
    for (int i = 0; i < 20000; i++)
        if (!CHECK_EQ(go(g, S_BLR, g, T_C), 1))
            break;
    CHECK_EQ(go(g, S_BR, g, T_C), -SIGILL);
    CHECK_EQ(go(g, S_BLR, g + 4, T_C), -SIGILL);
    CHECK_EQ(go(g, S_BLR, g, T_C), 1);
}

TEST(bti, mprotect_takes_effect_on_code_that_has_run)
{
    char *p = plain();

    catch(SIGILL, caught);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3000; k++)
            if (!CHECK_EQ(go(p, S_BLR, p, T_PLAIN), 1) || !CHECK_EQ(go(p, S_BR, p, T_C), 1))
                return;
        CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC | PROT_BTI), 0);
        CHECK_EQ(go(p, S_BLR, p, T_PLAIN), -SIGILL);
        CHECK_EQ(go(p, S_BR, p, T_C), -SIGILL); /* the source is guarded now: BTYPE 3 */
        CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
    }
}

static char *volatile redirect;
static volatile int faults;

/* Twice it changes nothing; then it clears BTYPE, or goes elsewhere with it. */
static void retry(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    if (++faults < 3)
        return;
    if (redirect)
        uc->uc_mcontext.pc = (uint64_t)redirect;
    else
        uc->uc_mcontext.pstate &= ~0xc00ull;
    redirect = NULL;
}

TEST(bti, sigreturn_restores_btype)
{
    char *g = guarded();

    catch(SIGILL, retry);
    CHECK_EQ(go(g, S_BLR, g, T_PLAIN), 1);
    CHECK_EQ(faults, 3);
    faults = 0;
    redirect = g + 64 * T_J; /* BTYPE is still 2 there: one more fault */
    CHECK_EQ(go(g, S_BLR, g, T_PLAIN), 1);
    CHECK_EQ(faults, 4);
    faults = 0;
    redirect = g + 64 * T_C;
    CHECK_EQ(go(g, S_BLR, g, T_PLAIN), 1);
    CHECK_EQ(faults, 3);
}

/* A handler is entered as if by BLR. */
TEST(bti, handlers_need_a_landing_pad)
{
    char *g = guarded();
    struct sigaction sa = {.sa_handler = (void (*)(int))(g + 64 * T_J)};

    catch(SIGILL, caught);
    sigaction(SIGUSR1, &sa, NULL);
    if (sigsetjmp(back, 1) == 0) {
        raise(SIGUSR1);
        CHECK(!"not reached");
    }
    CHECK_EQ(pc, sa.sa_handler);
    CHECK_EQ(btype, 2);
    sa.sa_handler = (void (*)(int))(g + 64 * T_C);
    sigaction(SIGUSR1, &sa, NULL);
    CHECK_EQ(raise(SIGUSR1), 0);
}

static char *volatile shared;
static volatile int told, seen;

static void *spin(void *arg)
{
    char *p = arg;

    catch(SIGILL, caught);
    while (!told)
        if (go(p, S_BLR, p, T_PLAIN) != 1)
            return NULL;
    seen = go(p, S_BLR, p, T_PLAIN);
    return NULL;
}

/* The first guarded page of a program, while another thread runs. */
TEST(bti, other_threads_check_too)
{
    char *p = plain();
    pthread_t t;

    pthread_create(&t, NULL, spin, p);
    usleep(50000);
    CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC | PROT_BTI), 0);
    usleep(1000);
    told = 1;
    pthread_join(t, NULL);
    CHECK(seen == -SIGILL || !seen); /* 0: it saw the signal earlier */
}

TEST(bti, is_announced)
{
    uint64_t pfr1;

    CHECK(getauxval(AT_HWCAP2) & BTI_HWCAP2);
    __asm__("mrs %0, s3_0_c0_c4_1" : "=r"(pfr1));
    CHECK_EQ(pfr1 & 15, 1);
}

TEST(bti, is_refused_where_there_is_none)
{
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_EXEC | PROT_BTI, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(!(getauxval(AT_HWCAP2) & BTI_HWCAP2));
    CHECK(p != MAP_FAILED); /* mmap ignores what it does not know */
    CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC | PROT_BTI), -1);
    CHECK_EQ(errno, EINVAL);
}

static const struct test tests[] = {
    CASE(bti, every_branch_to_every_target),
    CASE(bti, returns_and_breakpoints_come_anywhere),
    CASE(bti, hot_targets_are_checked),
    CASE(bti, mprotect_takes_effect_on_code_that_has_run),
    CASE(bti, sigreturn_restores_btype),
    CASE(bti, handlers_need_a_landing_pad),
    CASE(bti, other_threads_check_too),
    CASE(bti, is_announced),
};

static const struct test without[] = {
    CASE(bti, is_refused_where_there_is_none),
};

/* usage: bti [TEST], or bti without: on a processor that has none */
int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "without") == 0)
        return test_main(without, sizeof(without) / sizeof(without[0]), NULL);
    return test_main(tests, sizeof(tests) / sizeof(tests[0]), argc > 1 ? argv[1] : NULL);
}
