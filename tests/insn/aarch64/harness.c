/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest program that runs pieces of code on given register states and writes the resulting
 * states to its standard output.  Freestanding, with seven system calls and no vector code of its
 * own, so that it works long before a C library does.  usage: harness FILE */
#include "harness.h"

_Static_assert(__builtin_offsetof(struct state, sp) == ST_SP, "harness.h");
_Static_assert(__builtin_offsetof(struct state, code) == ST_CODE, "harness.h");
_Static_assert(__builtin_offsetof(struct state, v) == ST_V, "harness.h");
_Static_assert(__builtin_offsetof(struct state, mem) == ST_MEM, "harness.h");
_Static_assert(sizeof(struct state) == ST_SIZE, "harness.h");

enum { /* arm64 Linux */
    SYS_openat = 56, SYS_read = 63, SYS_write = 64, SYS_exit = 93, SYS_sigaltstack = 132,
    SYS_rt_sigaction = 134, SYS_mmap = 222,
    AT_FDCWD = -100, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4,
    MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
    SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000, SA_NODEFER = 0x40000000,
    SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11,
    FPSIMD_MAGIC = 0x46508001,
};

/* The parts of struct sigcontext that we read (arch/arm64/include/uapi/asm/sigcontext.h). */
struct mcontext {
    u64 fault_address, regs[31], sp, pc, pstate;
    u8 reserved[4096] __attribute__((aligned(16)));
};
struct ucontext {
    u64 flags, link, stack[3], sigmask[16];
    struct mcontext mc;
};
struct fpsimd {
    unsigned magic, size, fpsr, fpcr;
    u64 v[32][2];
};
struct sigaction {
    void (*handler)(int, void *, void *);
    u64 flags;
    void (*restorer)(void);
    u64 mask;
};

struct state block;
static u64 go_on, loose;
extern char restorer[];
static u8 signal_stack[32768] __attribute__((aligned(16)));

static long syscall6(long n, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register u64 x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    register u64 x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    register long x8 __asm__("x8") = n;

    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8)
                     : "memory");
    return (long)x0;
}

_Noreturn static void quit(long code)
{
    for (;;)
        syscall6(SYS_exit, code, 0, 0, 0, 0, 0);
}

static u64 map(u64 addr, u64 size, int prot, int flags, int fd, u64 off)
{
    long r = syscall6(SYS_mmap, addr, size, prot, flags | MAP_PRIVATE, fd, off);

    if (r < 0 && r > -4096)
        quit(3);
    return r;
}

static void copy(void *to, const void *from, u64 bytes)
{
    u64 *t = to;
    const u64 *f = from;

    for (u64 i = 0; i < bytes / 8; i++) {
        t[i] = f[i];
        __asm__ volatile("" ::: "memory"); /* stays a loop: there is no memcpy to call */
    }
}

static void write_all(const void *p, u64 n)
{
    while (n) {
        long r = syscall6(SYS_write, 1, (u64)p, n, 0, 0, 0);
        if (r <= 0)
            quit(4);
        p = (const u8 *)p + r;
        n -= r;
    }
}

static u64 mix(u64 h, const void *p, u64 bytes)
{
    const u64 *w = p;

    for (u64 i = 0; i < bytes / 8; i++)
        h = (h ^ w[i] ^ h >> 29) * 0x9e3779b97f4a7c15;
    return h;
}

/* Signals that are part of the case: remember the exact state, skip the instruction. */
static void count_signal(int sig, u64 addr, struct ucontext *uc, struct fpsimd *fp)
{
    u64 h = block.fault + sig + addr * 3;

    h = mix(h, uc->mc.regs, sizeof(uc->mc.regs));
    h = mix(h, &uc->mc.sp, 16);
    h = mix(h, fp->v, sizeof(fp->v));
    block.fault = h ^ (u64)fp->fpsr << 8;
    block.pc = block.signal ? block.pc : uc->mc.pc; /* the first one */
    h = (block.signal >> 8) * 17 + (uc->mc.pstate >> 28);
    block.signal = ((block.signal + 1) & 0xff) | h << 8;
    uc->mc.pc += 4;
}

/* The state at the signal is the result of the case. */
static void on_signal(int sig, void *info, void *context)
{
    struct ucontext *uc = context;
    struct fpsimd *fp = (void *)uc->mc.reserved;
    u64 addr = sig == SIGSEGV || sig == SIGBUS ? ((u64 *)info)[2] : 0;

    if (go_on && uc->mc.pc - CODE_ADDR < 0x10000000) {
        count_signal(sig, addr, uc, fp);
        return;
    }
    copy(block.x, uc->mc.regs, sizeof(block.x));
    block.sp = uc->mc.sp;
    block.pc = uc->mc.pc;
    block.nzcv = uc->mc.pstate & 0xf0000000;
    if (fp->magic == FPSIMD_MAGIC) {
        block.fpsr = fp->fpsr;
        block.fpcr = fp->fpcr;
        copy(block.v, fp->v, sizeof(block.v));
    }
    block.signal = sig;
    block.fault = addr;
    leave_case();
}

static void catch_signals(void)
{
    static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
    u64 stack[3] = {(u64)signal_stack, 0, sizeof(signal_stack)};
    struct sigaction sa = {on_signal, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER,
                           (void (*)(void))restorer, 0};

    syscall6(SYS_sigaltstack, (u64)stack, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (syscall6(SYS_rt_sigaction, signals[i], (u64)&sa, 0, 8, 0, 0))
            quit(5);
}

static u64 hash_mem(void)
{
    const u64 *p = (const u64 *)MEM_ADDR;
    u64 h = 0;

    for (unsigned i = 0; i < MEM_SIZE / 8; i++)
        h = (h ^ p[i]) * 0x9e3779b97f4a7c15;
    return h;
}

static void fill_mem(void)
{
    u64 *p = (u64 *)MEM_ADDR;

    for (unsigned i = 0; i < MEM_SIZE / 8; i++)
        p[i] = (i + 1) * 0x9e3779b97f4a7c15;
}

static void run_once(const struct state *in)
{
    static u64 clean;

    if (!clean || hash_mem() != clean) { /* a page of zeros has hash 0 */
        fill_mem();
        clean = hash_mem();
    }
    copy(&block, in, sizeof(block));
    copy((void *)MEM_ADDR, in->mem, sizeof(in->mem));
    run_case();
    copy(block.mem, (void *)MEM_ADDR, sizeof(block.mem));
    block.hash = hash_mem();
}

static int same(const struct state *a, const struct state *b)
{
    const u64 *p = (const u64 *)a, *q = (const u64 *)b;

    for (unsigned i = 0; i < sizeof(*a) / 8; i++)
        if (p[i] != q[i])
            return 0;
    return 1;
}

static void one_case(const struct state *in, u64 runs)
{
    static struct state first;

    run_once(in);
    copy(&first, &block, sizeof(first));
    for (u64 i = 2; i <= runs; i++) {
        run_once(in);
        if (loose)
            block.signal = first.signal ^ ((first.signal ^ block.signal) & 0xff);
        if (!same(&first, &block)) {
            block.code = i;
            break;
        }
    }
    write_all(&block, sizeof(block));
}

int main(u64 *stack);
int main(u64 *stack)
{
    const char *path = (const char *)stack[2];
    long fd = stack[0] > 1 ? syscall6(SYS_openat, AT_FDCWD, (u64)path, 0, 0, 0, 0) : -1;
    struct header h;
    const struct state *in;

    if (fd < 0 || syscall6(SYS_read, fd, (u64)&h, sizeof(h), 0, 0, 0) != sizeof(h))
        quit(2);
    go_on = h.go_on;
    loose = h.loose;
    map(MEM_ADDR - MEM_GUARD, MEM_SIZE + 2 * MEM_GUARD, 0, MAP_FIXED | MAP_ANONYMOUS, -1, 0);
    map(MEM_ADDR, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_ANONYMOUS, -1, 0);
    map(CODE_ADDR, h.code_size, PROT_READ | PROT_EXEC, MAP_FIXED, fd, h.code_offset);
    in = (const void *)(map(0, h.code_offset, PROT_READ, 0, fd, 0) + sizeof(h));
    catch_signals();
    for (u64 i = 0; i < h.cases; i++)
        one_case(&in[i], h.runs);
    return 0;
}
