/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random instructions on the processor underneath, on the interpreter and on translated code: registers, flags, memory and
 * faults are the same.  X86_ROWS: integer instructions, or "vectors", or "all" (but for x87 and MMX).  X86_RANDOM=N: so many sequences
 * (make check-random-x86); X86_SEED: the first; X86_ROW: only rows of that name.
 *
 * Natively: a signal's handler puts the state where sigreturn takes it from, so that everything is loaded at once, also into
 * 32-bit code (CS 23h); the next signal, at the latest that of UD2 at the end, has the state afterwards.
 */
#include "cpu/cpu.h"
#include "tests/test.h"
#include "tests/unit/guest/x86_random.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE_AT = 0x10000000, CODE = 0x10000, MAX_INSNS = 6 };

enum { MXCSR = 0x1f80 };

struct state {
    uint64_t r[16], pc;
    uint32_t flags;
    int sig;
    uint64_t xmm[16][2];
    uint8_t data[X86_DATA], stack[X86_STACK];
};

static struct {
    ucontext_t home;       /* where a native run returns to */
    struct _libc_fpstate home_fp;
    const struct state *from;
    struct state *to;
    bool running, leaving;
    struct cpu *cpu;       /* that runs translated code */
    unsigned code;
    uint64_t start;
    uint8_t *writable; /* the code */
} native;

/* --- Natively --- */

static const uint8_t order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void enter(ucontext_t *uc)
{
    greg_t *g = uc->uc_mcontext.gregs;

    native.home = *uc;
    native.home_fp = *uc->uc_mcontext.fpregs;
    for (unsigned i = 0; i < 16; i++)
        g[order[i]] = (greg_t)native.from->r[i];
    g[REG_EFL] = native.from->flags;
    g[REG_RIP] = (greg_t)native.start;
    memcpy(uc->uc_mcontext.fpregs->_xmm, native.from->xmm, sizeof(native.from->xmm));
    uc->uc_mcontext.fpregs->mxcsr = MXCSR;
    if (uc->uc_mcontext.fpregs->__glibc_reserved1[12] == 0x46505853) /* FP_XSTATE_MAGIC1: behind it XSTATE_BV, where upper halves are initial */
        *(uint64_t *)(void *)((uint8_t *)uc->uc_mcontext.fpregs + 512) &= ~4ull;
    if (native.code == X86_CODE32)
        g[REG_CSGSFS] = (g[REG_CSGSFS] & 0xffffffff0000) | 0x23 | (greg_t)0x2b << 48;
    native.running = true;
}

static void leave(ucontext_t *uc, int sig)
{
    greg_t *g = uc->uc_mcontext.gregs;
    struct state *to = native.to;

    for (unsigned i = 0; i < 16; i++)
        to->r[i] = (uint64_t)g[order[i]];
    to->pc = (uint64_t)g[REG_RIP];
    to->flags = (uint32_t)g[REG_EFL] & (X86_FL_STATUS | X86_FL_DF);
    to->sig = sig == SIGBUS ? SIGSEGV : sig; /* #SS of an address that is not canonical */
    memcpy(to->xmm, uc->uc_mcontext.fpregs->_xmm, sizeof(to->xmm));
    memcpy(g, native.home.uc_mcontext.gregs, sizeof(native.home.uc_mcontext.gregs));
    memcpy(uc->uc_mcontext.fpregs->_xmm, native.home_fp._xmm, sizeof(native.home_fp._xmm));
    uc->uc_mcontext.fpregs->mxcsr = native.home_fp.mxcsr;
    g[REG_RIP] += 2; /* behind the UD2 that brought us here */
    native.running = false;
}

static void on_signal(int sig, siginfo_t *info, void *ucontext)
{
    ucontext_t *uc = ucontext;

    if (native.running)
        leave(uc, sig);
    else if (native.leaving) {
        native.leaving = false;
        enter(uc);
    } else if (!native.cpu || !cpu_host_fault(native.cpu, sig, info, ucontext)) {
        signal(sig, SIG_DFL);
    }
}

static void open_native(void)
{
    static const int sigs[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM};
    static uint8_t alt[256 << 10];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    int fd = memfd_create("code", 0);

    if (ftruncate(fd, CODE) < 0)
        exit(1);
    sigaltstack(&ss, NULL);
    sigfillset(&sa.sa_mask);
    for (unsigned i = 0; i < sizeof(sigs) / sizeof(sigs[0]) - 1; i++)
        sigaction(sigs[i], &sa, NULL);
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0x2b)); /* 32-bit code wants them */
    mmap((void *)CODE_AT, CODE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0); /* stores to it fault */
    native.writable = mmap(NULL, CODE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    mmap((void *)X86_DATA_AT, X86_DATA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mmap((void *)X86_STACK_AT, X86_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void load_memory(const struct state *s)
{
    memcpy((void *)X86_DATA_AT, s->data, X86_DATA);
    memcpy((void *)X86_STACK_AT, s->stack, X86_STACK);
}

static void save_memory(struct state *s)
{
    memcpy(s->data, (void *)X86_DATA_AT, X86_DATA);
    memcpy(s->stack, (void *)X86_STACK_AT, X86_STACK);
}

static void __attribute__((noinline)) run_native(const struct state *from, struct state *to)
{
    unsigned long gs;

    load_memory(from);
    native.from = from;
    native.to = to;
    native.leaving = true;
    syscall(SYS_arch_prctl, ARCH_GET_GS, &gs); /* verbatim code has something there, the code to come has nothing */
    syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
    __asm__ volatile("ud2" : : : "memory", "cc");
    syscall(SYS_arch_prctl, ARCH_SET_GS, gs);
    save_memory(to);
}

/* --- Ours --- */

static const struct {
    const char *name;
    struct engine_conf conf;
} engines[] = {
    {"interpreter", {.kind = ENGINE_INTERP}},
    {"verbatim", {.hot_after = ~0u, .background = ENGINE_NEVER, .cache_size = 1 << 22}},
    {"cold", {.hot_after = ~0u, .background = ENGINE_NEVER, .cache_size = 1 << 22, .passes_off = ENGINE_NO_VERBATIM}},
    {"hot", {.hot_after = 1, .background = ENGINE_NEVER, .cache_size = 1 << 22}},
    {"hot, exact flags", {.hot_after = 1, .background = ENGINE_NEVER, .cache_size = 1 << 22, .exact_flags = true}},
};
enum { ENGINES = sizeof(engines) / sizeof(engines[0]) };

static struct cpu *cpus[3][ENGINES];

static size_t fetch(void *opaque, uint64_t pc, uint32_t *mode)
{
    return pc >= CODE_AT && pc < CODE_AT + CODE ? CODE_AT + CODE - pc : 0;
}

static int signal_of(enum cpu_stop stop, uint64_t detail)
{
    switch (stop) {
    case CPU_STOP_UNDEFINED: return SIGILL;
    case CPU_STOP_FAULT: case CPU_STOP_FETCH_FAULT: return SIGSEGV;
    case CPU_STOP_GUEST:
        return X86_DETAIL_VECTOR(detail) == X86_EXC_DE ? SIGFPE : X86_DETAIL_VECTOR(detail) == X86_EXC_UD ? SIGILL : SIGSEGV;
    default: return 1000 + (int)stop;
    }
}

static void run_ours(struct cpu *cpu, const struct state *from, struct state *to)
{
    struct x86_state *s = x86(cpu);
    enum cpu_stop stop;

    load_memory(from);
    memcpy(s->r, from->r, sizeof(s->r));
    memcpy(s->xmm, from->xmm, sizeof(from->xmm));
    memset(s->ymmh, 0, sizeof(s->ymmh));
    x86_set_mxcsr(cpu, MXCSR);
    x86_set_eflags(cpu, from->flags | X86_FL_IF);
    cpu->pc = native.start;
    native.cpu = cpu;
    stop = cpu_run(cpu);
    native.cpu = NULL;
    memcpy(to->r, s->r, sizeof(s->r));
    memcpy(to->xmm, s->xmm, sizeof(to->xmm));
    to->pc = cpu->pc;
    to->flags = x86_get_eflags(cpu) & (X86_FL_STATUS | X86_FL_DF);
    to->sig = signal_of(stop, cpu->detail);
    save_memory(to);
}

/* --- Sequences --- */

struct sequence {
    uint8_t code[MAX_INSNS * 2 * 16 + 2];
    unsigned n, at[MAX_INSNS * 2 + 1], n_insns;
    uint32_t undefined; /* flags after the last one */
};

/* How many of the rows, from the first on, are integer instructions. */
enum { INTEGER_ROWS = 0
#define INSN(name, enc, ops, feat, attr) + 1
#include "guest/x86/insn.def"
#undef INSN
};

static unsigned usable[X86_NUM_ROWS], n_usable;

/* x87, MMX and MXCSR are no part of our states (x86_vector_test has them), nor are the rest of what XSAVE stores; and a masked store may
 * fault for what it does not write (SDM 2, MASKMOVDQU). */
static bool is_of_other_state(unsigned row)
{
    static const char *const names[] = {"ldmxcsr", "stmxcsr", "fxsave", "fxrstor", "xsave", "xsaveopt", "xsavec", "xrstor", "maskmovdqu"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i], x86_row_name(row)))
            return true;
    return x86_row_unit(row) >= X86_UNIT_X87 && x86_row_unit(row) <= X86_UNIT_MMX;
}

/* Those that the processor has, this mode has, and a test can have. */
static void find_usable(uint32_t mode, const char *rows)
{
    const struct x86_features *f = x86_features_of(mode);
    const char *only = getenv("X86_ROW"), *set = getenv("X86_ROWS") ? getenv("X86_ROWS") : rows;
    bool vectors = set && !strcmp(set, "vectors"), all = only || (set && !strcmp(set, "all"));

    n_usable = 0;
    for (unsigned r = 0; r < X86_NUM_ROWS; r++) {
        const char *enc = x86_row_encoding(r);

        if (x86_row_feature(r) != X86_FEAT_BASE && !x86_has(f, x86_row_feature(r)))
            continue;
        if (x86_word(enc, x86_code(mode) == X86_CODE64 ? "i64" : "o64") || x86_is_left_out(x86_row_name(r)))
            continue;
        if (!all && (r >= INTEGER_ROWS) != vectors)
            continue;
        if (is_of_other_state(r))
            continue;
        if (x86_row_end(r) == X86_TRAP || (only && strcmp(only, x86_row_name(r))))
            continue;
        usable[n_usable++] = r;
    }
}

static void add_insn(struct sequence *q, uint32_t mode, const uint8_t *p, unsigned n)
{
    q->at[q->n_insns++] = q->n;
    memcpy(q->code + q->n, p, n);
    q->n += n;
    q->at[q->n_insns] = q->n;
}

static struct sequence make_sequence(uint32_t mode)
{
    struct sequence q = {.n = 0};
    unsigned n = 1 + x86_roll(MAX_INSNS);

    while (n--) {
        uint8_t buf[16];
        struct x86_insn i;
        unsigned len = 0;

        while (!len)
            len = x86_make(mode, usable[x86_roll(n_usable)], buf);
        x86_decode(mode, 0, buf, 16, &i);
        add_insn(&q, mode, buf, len);
        q.undefined = x86_undefined_by(&i);
        if (q.undefined && n)
            add_insn(&q, mode, (const uint8_t *)"\x38\xc8", 2); /* cmp al, cl: all flags are known again */
    }
    q.code[q.n] = 0x0f;
    q.code[q.n + 1] = 0x0b;
    return q;
}

/* Pointers, counts and numbers. */
static void make_state(struct state *s, unsigned code)
{
    for (unsigned i = 0; i < 16; i++) {
        s->r[i] = x86_number();
        if (x86_roll(3) == 0)
            s->r[i] = X86_DATA_AT + x86_roll(X86_DATA);
        s->xmm[i][0] = x86_number();
        s->xmm[i][1] = x86_number();
    }
    s->r[X86_SP] = X86_STACK_AT + X86_STACK / 2 + 8 * x86_roll(32);
    if (x86_roll(2))
        s->r[X86_SI] = X86_DATA_AT + x86_roll(X86_DATA);
    if (x86_roll(2))
        s->r[X86_DI] = X86_DATA_AT + x86_roll(X86_DATA);
    if (x86_roll(2))
        s->r[X86_CX] = x86_roll(40);
    if (x86_roll(4) == 0)
        s->r[X86_BP] = X86_STACK_AT + X86_STACK / 2;
    for (unsigned i = 0; i < 16 && code == X86_CODE32; i++)
        s->r[i] = i < 8 ? s->r[i] & 0xffffffff : 0;
    s->flags = 0x202 | (x86_random() & X86_FL_STATUS) | (x86_roll(8) ? 0 : X86_FL_DF);
    for (unsigned i = 0; i < X86_DATA; i += 8) {
        uint64_t v = x86_roll(3) ? x86_number() : 0x4141414141414141;

        memcpy(s->data + i, &v, 8);
        memcpy(s->stack + i, &v, 8);
    }
}

/* --- Comparing --- */

static void show_sequence(const struct sequence *q, uint32_t mode)
{
    for (unsigned k = 0; k < q->n_insns; k++) {
        struct x86_insn i;

        x86_decode(mode, native.start + q->at[k], q->code + q->at[k], 16, &i);
        printf("  %llx:", (unsigned long long)native.start + q->at[k]);
        for (unsigned n = q->at[k]; n < q->at[k + 1]; n++)
            printf(" %02x", q->code[n]);
        printf("   %s\n", x86_row_name(i.row));
    }
}

static bool differs(const char *what, const struct state *from, const struct state *want, const struct state *got, uint32_t undefined,
                    bool show)
{
    bool bad = want->sig != got->sig || want->pc != got->pc;
    unsigned regs = native.code == X86_CODE32 ? 8 : 16;

    if (show && bad)
        printf("  %s: signal %d at %llx, want %d at %llx\n", what, got->sig, (unsigned long long)got->pc, want->sig,
               (unsigned long long)want->pc);
    for (unsigned i = 0; i < regs; i++)
        if (want->r[i] != got->r[i]) {
            bad = true;
            if (show)
                printf("  %s: r%u %llx, want %llx, was %llx\n", what, i, (unsigned long long)got->r[i], (unsigned long long)want->r[i],
                       (unsigned long long)from->r[i]);
        }
    if ((want->flags ^ got->flags) & ~undefined) {
        bad = true;
        if (show)
            printf("  %s: flags %x, want %x (of %x), were %x\n", what, got->flags, want->flags, ~undefined & 0xcd5, from->flags);
    }
    if (memcmp(want->xmm, got->xmm, sizeof(want->xmm))) {
        bad = true;
        if (show)
            printf("  %s: vectors differ\n", what);
    }
    for (unsigned i = 0; i < X86_DATA; i++)
        if (want->data[i] != got->data[i] || want->stack[i] != got->stack[i]) {
            if (show)
                printf("  %s: data+%x %02x, want %02x, was %02x; stack+%x %02x, want %02x\n", what, i, got->data[i], want->data[i],
                       from->data[i], i, got->stack[i], want->stack[i]);
            return true;
        }
    return bad;
}

/* Was it a gather that was not finished?  How much of it is done is the processor's affair (SDM 2, VGATHER: "may or may not be completed"). */
static bool in_gather(const struct sequence *q, uint32_t mode, const struct state *end)
{
    struct x86_insn i;

    if (end->pc - native.start >= q->n)
        return false;
    x86_decode(mode, end->pc, q->code + (end->pc - native.start), 16, &i);
    return !strncmp(x86_row_name(i.row), "vgather", 7);
}

static bool try_one(uint32_t mode, uint64_t seed, unsigned *faults)
{
    static struct state from, want, got;
    struct sequence q;
    bool bad = false;

    x86_seed = seed * 0x2545f4914f6cdd1dull;
    make_state(&from, native.code);
    q = make_sequence(mode);
    native.start = CODE_AT + 64 + x86_roll(CODE - 512);
    memcpy(native.writable + (native.start - CODE_AT), q.code, q.n + 2);
    run_native(&from, &want);
    *faults += want.sig != SIGILL;
    for (unsigned e = 0; e < ENGINES; e++) {
        bool end = want.pc == native.start + q.n, exact = engines[e].conf.kind == ENGINE_INTERP || engines[e].conf.exact_flags;
        uint32_t undefined = end ? q.undefined : exact ? 0 : X86_FL_STATUS; /* idle flags may be old at faults */

        engine_invalidate(cpus[native.code][e]->engine, CODE_AT, CODE);
        run_ours(cpus[native.code][e], &from, &got);
        if (in_gather(&q, mode, &want))
            memcpy(got.xmm, want.xmm, sizeof(got.xmm));
        if (!differs(engines[e].name, &from, &want, &got, undefined, false))
            continue;
        if (!bad) {
            printf("sequence %llu, %s-bit\n", (unsigned long long)seed, native.code == X86_CODE64 ? "64" : "32");
            show_sequence(&q, mode);
        }
        differs(engines[e].name, &from, &want, &got, undefined, true);
        bad = true;
    }
    return !bad;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

/* What this processor has of what we have. */
static struct x86_features host_features(void)
{
    static const struct {
        uint32_t leaf, sub;
        uint8_t reg, bit;
    } where[] = {
#define FEATURE(name, flag, leaf, sub, reg, bit) {leaf, sub, reg, bit},
#include "guest/x86/features.def"
#undef FEATURE
    };
    struct x86_features f = x86_features_all();

    for (unsigned i = 1; i < X86_NUM_FEATS; i++) {
        unsigned r[4] = {0};

        if (where[i].leaf >= 0x80000000 ? where[i].leaf > (uint32_t)__get_cpuid_max(0x80000000, NULL)
                                          : where[i].leaf > (uint32_t)__get_cpuid_max(0, NULL))
            r[0] = 0;
        else
            __cpuid_count(where[i].leaf, where[i].sub, r[0], r[1], r[2], r[3]);
        if (!(r[where[i].reg] >> where[i].bit & 1))
            x86_feature_put(&f, i, false);
    }
    return f;
}

static void run_all(unsigned code, const char *rows)
{
    uint64_t n = number_from("X86_RANDOM", rows ? 5000 : 3000), first = number_from("X86_SEED", 1);
    const struct guest_isa *isa = code == X86_CODE64 ? &guest_x86_64 : &guest_i386;
    struct x86_features f = host_features();
    unsigned bad = 0, faults = 0;

#ifdef __SANITIZE_ADDRESS__
    SKIP("the sanitizer's shadow memory answers where there should be no memory");
    return;
#endif

    if (getenv("X86_RANDOM"))
        test_limit(0);
    open_native();
    native.code = code;
    for (unsigned e = 0; e < ENGINES; e++) {
        struct engine *engine = engine_new(isa, &engines[e].conf);

        engine_set_fetch(engine, fetch, NULL, NULL);
        cpus[code][e] = cpu_new(isa, engine);
        x86_program(cpus[code][e], code, (unsigned)x86_features_number(&f));
    }
    find_usable(cpus[code][0]->mode, rows);
    for (uint64_t s = first; s < first + n && bad < number_from("X86_BAD", 3); s++)
        bad += !CHECK(try_one(cpus[code][0]->mode, s, &faults));
    printf("    %llu sequences of %u rows, %u of them to a fault\n", (unsigned long long)n, n_usable, faults);
}

TEST(x86_native, code_of_64_bits_does_what_the_processor_does)
{
    run_all(X86_CODE64, NULL);
}

TEST(x86_native, code_of_32_bits_does_what_the_processor_does)
{
    run_all(X86_CODE32, NULL);
}

TEST(x86_native, so_do_integers_and_vectors_in_64_bits)
{
    run_all(X86_CODE64, "all");
}

TEST(x86_native, so_do_integers_and_vectors_in_32_bits)
{
    run_all(X86_CODE32, "all");
}

static const struct test tests[] = {
    CASE_SLOW(x86_native, code_of_64_bits_does_what_the_processor_does, 60),
    CASE_SLOW(x86_native, code_of_32_bits_does_what_the_processor_does, 60),
    CASE_SLOW(x86_native, so_do_integers_and_vectors_in_64_bits, 60),
    CASE_SLOW(x86_native, so_do_integers_and_vectors_in_32_bits, 60),
};
TEST_MAIN(tests)
