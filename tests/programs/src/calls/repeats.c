/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Repeated string instructions of x86-64: faults in the middle, overlaps, code that they replace. */
#include "signals.h"

struct repeated {
    uint64_t di, si, cx;
};

static struct repeated regs;
static sigjmp_buf out;

static void keep_regs(int sig, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

    regs = (struct repeated){(uint64_t)r[REG_RDI], (uint64_t)r[REG_RSI], (uint64_t)r[REG_RCX]};
    last_addr = info->si_addr;
    siglongjmp(out, 1);
}

/* REP MOVS or STOS of elements of @size; what registers are behind it, or in the frame of its fault. */
static struct repeated rep(void *dst, const void *src, uint64_t n, unsigned size)
{
    struct sigaction sa = {.sa_sigaction = keep_regs, .sa_flags = SA_SIGINFO | SA_NODEFER};
    uint64_t di = (uint64_t)dst, si = (uint64_t)src;

    sigaction(SIGSEGV, &sa, NULL);
    last_addr = NULL;
    if (sigsetjmp(out, 1))
        return regs;
#define GO(insn) __asm__ volatile(insn : "+D"(di), "+S"(si), "+c"(n) : "a"(0x1122334455667788) : "memory")
    switch (size) {
    case 1: GO("rep movsb"); break;
    case 2: GO("rep movsw"); break;
    case 4: GO("rep movsl"); break;
    case 8: GO("rep movsq"); break;
    case 0x81: GO("rep stosb"); break;
    case 0x82: GO("rep stosw"); break;
    case 0x84: GO("rep stosl"); break;
    case 0x88: GO("rep stosq"); break;
    }
    return (struct repeated){di, si, n};
}

/* Two pages that can be used, and two that cannot. */
static uint8_t *two_pages(void)
{
    uint8_t *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mprotect(p + 8192, 8192, PROT_NONE);
    return p;
}

TEST(repeats, repeated_strings_stop_at_the_element_that_faults)
{
    uint8_t *a = two_pages(), *b = two_pages();

    for (unsigned log2 = 0; log2 < 4; log2++) {
        unsigned size = 1u << log2, off = 8192 - 5000 - (size > 1), done = 5000 / size; /* the last one crosses into the bad page */
        struct repeated r;

        memset(b, 0, 8192);
        for (unsigned i = 0; i < 8192; i++)
            a[i] = (uint8_t)(i * 7 + 1);
        r = rep(b + off, a, 20000, size); /* the store faults */
        CHECK_EQ(r.di - (uint64_t)(b + off), done * size);
        CHECK_EQ(r.si - (uint64_t)a, done * size);
        CHECK_EQ(r.cx, 20000 - done);
        CHECK(!memcmp(b + off, a, done * size));
        CHECK(size == 1 || b[off + done * size] == 0);
        memset(b, 0, 8192);
        r = rep(b, a + off, 20000, size); /* the load faults */
        CHECK_EQ(r.di - (uint64_t)b, done * size);
        CHECK_EQ(r.cx, 20000 - done);
        CHECK(!memcmp(b, a + off, done * size));
        CHECK_EQ(b[done * size], 0);
        memset(b, 0, 8192);
        r = rep(b + off, a, 20000, 0x80 | size);
        CHECK_EQ(r.di - (uint64_t)(b + off), done * size);
        CHECK_EQ(r.si, (uint64_t)a);
        CHECK_EQ(r.cx, 20000 - done);
        CHECK_EQ(b[off], 0x88);
        CHECK_EQ(b[off + done * size - 1], 0x88 - 0x11 * (size - 1));
        CHECK(size == 1 || b[off + done * size] == 0);
    }
}

TEST(repeats, repeated_copies_onto_themselves_go_element_by_element)
{
    static const unsigned ahead[] = {1, 3, 4, 8, 11, 40};

    for (unsigned log2 = 0; log2 < 4; log2++)
        for (unsigned k = 0; k < 6; k++) {
            unsigned size = 1u << log2, n = 600 / size;
            uint8_t got[1024], want[1024];

            for (unsigned i = 0; i < 1024; i++)
                got[i] = want[i] = (uint8_t)(i * 13 + 5);
            for (unsigned i = 0; i < n; i++) {
                uint64_t v;

                memcpy(&v, want + i * size, size);
                memcpy(want + ahead[k] + i * size, &v, size);
            }
            CHECK_EQ(rep(got + ahead[k], got, n, size).cx, 0);
            CHECK(!memcmp(got, want, sizeof(got)));
        }
}

/* Pages that code was translated from are written: by one copy, and one fill, with what is before and behind. */
TEST(repeats, repeated_strings_replace_code)
{
    static const uint8_t one[] = {0xb8, 1, 0, 0, 0, 0xc3}, two[] = {0xb8, 2, 0, 0, 0, 0xc3}; /* mov $1,%eax; ret */
    uint8_t *p = mmap(NULL, 12288, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), from[12288];
    int (*volatile f)(void) = (int (*)(void))(p + 5000);

    for (unsigned size = 1; size <= 8; size *= 2) {
        memset(from, 0x90, sizeof(from));
        memcpy(from + 5000, one, sizeof(one));
        CHECK_EQ(rep(p, from, 12288 / size, size).cx, 0);
        CHECK_EQ(f(), 1);
        memcpy(from + 5000, two, sizeof(two));
        CHECK_EQ(rep(p, from, 12288 / size, size).cx, 0);
        CHECK_EQ(f(), 2);
        CHECK(!memcmp(p, from, sizeof(from)));
        CHECK_EQ(rep(p, from, 12288 / size, 0x80 | size).cx, 0);
        CHECK_EQ(p[5000], (0x1122334455667788 >> (8 * (5000 % size))) & 255);
    }
}

static const struct test tests[] = {
    CASE(repeats, repeated_strings_stop_at_the_element_that_faults),
    CASE(repeats, repeated_copies_onto_themselves_go_element_by_element),
    CASE(repeats, repeated_strings_replace_code),
};
TEST_MAIN(tests)
