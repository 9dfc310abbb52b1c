/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random regions, made from bytes: compiled for the host and run, and compared with the IR
 * interpreter.  All slots, memory, floating-point flags, calls and the way out must be the same.
 */
#ifndef TESTS_UNIT_HOST_RANDOM_H
#define TESTS_UNIT_HOST_RANDOM_H

#include "base/err.h"
#include "base/softfloat.h"
#include "cpu/fpmode.h"
#include "host/host.h"
#include "ir/interp.h"
#include "ir/pass.h"
#include "ir/text.h"
#include "tests/unit/host/random_lift.h"

#include <asm/prctl.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* What translated code sees of a CPU. */
struct block {
    uint64_t scratch[8] __attribute__((aligned(64)));
    void *ep[HOST_NUM_EP];
    const struct ir_helper *helpers;
    uint32_t stop, attention;
    uint64_t detail, pc;
    struct regs {
        union ir_u q[N_Q];
        uint64_t x[N_X], d[N_D], fuel;
        uint32_t w[N_W], s[N_S];
        uint16_t h[N_B];
        uint8_t f[N_F], b[N_B];
    } r;
    uint8_t frame[HOST_FRAME] __attribute__((aligned(16)));
    uint64_t shadow, shadow_base, c_stack;
    struct fp_env fp;
    uint64_t log; /* a hash of all that was asked of the helpers, in order */
    uint32_t calls, kick;
    bool faulted;
    struct {
        uint64_t pc;
        void *host;
    } jc[N_JC];
};

static struct {
    struct ir_slot slots[N_SLOTS];
    char names[N_SLOTS][8];
    struct ir *ir;
    struct host *host[16]; /* by features left out */
    uint8_t *code, *stubs[16];
    void *ep[16][HOST_NUM_EP];
    struct block jit, ref;
    uint8_t ref_mem[MEM_SIZE];
    uint8_t *mem; /* the host's view */
    struct host_job job;
    sigjmp_buf back;
    volatile sig_atomic_t running, lifting;
    unsigned n_run, n_quick, n_big, n_full, n_fault, n_trap;
} rig;

/* --- Both machines --- */

static inline uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 29;
}

static inline uint64_t helper_plain(struct block *b, uint64_t x, uint64_t y, uint64_t z)
{
    b->log = mix(mix(mix(b->log, x), y), z);
    if (++b->calls == b->kick)
        b->attention = 1;
    return b->log;
}

static inline uint64_t helper_full(struct block *b, uint64_t x, uint64_t y, uint64_t z)
{
    const uint8_t *r = (const uint8_t *)&b->r;

    for (size_t i = 0; i + 8 <= sizeof(b->r); i += 8) {
        uint64_t w;

        memcpy(&w, r + i, 8);
        b->log = mix(b->log, w);
    }
    helper_plain(b, x, y, z);
    b->log = mix(b->log, b->pc);
    b->r.x[1 + (b->log >> 20) % (N_X - 1)] ^= b->log;
    b->r.q[(b->log >> 28) % N_Q].d[1] ^= b->log;
    b->r.f[(b->log >> 36) % N_F] ^= 1;
    b->r.w[(b->log >> 44) % N_W] ^= (uint32_t)b->log;
    if (b->log % 8 == 7) {
        b->stop = 99;
        b->pc = b->log;
    }
    return b->log;
}

/* Results are the same in both worlds, whatever the registers hold that a call may destroy. */
static inline uint64_t destroy(uint64_t r)
{
    __asm__ volatile("mov $0x1badf00d, %%ecx\n\tmov %%rcx, %%rdx\n\tmov %%rcx, %%rsi\n\t"
                     "mov %%rcx, %%rdi\n\tmov %%rcx, %%r8\n\tmov %%rcx, %%r9\n\t"
                     "mov %%rcx, %%r10\n\tmov %%rcx, %%r11\n\t"
                     "pcmpeqd %%xmm0, %%xmm0\n\tmovaps %%xmm0, %%xmm1\n\tmovaps %%xmm0, %%xmm2\n\t"
                     "movaps %%xmm0, %%xmm3\n\tmovaps %%xmm0, %%xmm4\n\tmovaps %%xmm0, %%xmm5\n\t"
                     "movaps %%xmm0, %%xmm6\n\tmovaps %%xmm0, %%xmm7\n\tmovaps %%xmm0, %%xmm8\n\t"
                     "movaps %%xmm0, %%xmm9\n\tmovaps %%xmm0, %%xmm10\n\tmovaps %%xmm0, %%xmm11\n\t"
                     "movaps %%xmm0, %%xmm12\n\tmovaps %%xmm0, %%xmm13\n\tmovaps %%xmm0, %%xmm14\n\t"
                     "movaps %%xmm0, %%xmm15"
                     ::: "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "xmm0",
                     "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    return r;
}

#define HELPERS(kind)                                                                              \
    static inline uint64_t kind##0(struct block *b)                                                \
    {                                                                                              \
        return destroy(helper_##kind(b, 0, 0, 0));                                                 \
    }                                                                                              \
    static inline uint64_t kind##1(struct block *b, uint64_t x)                                    \
    {                                                                                              \
        return destroy(helper_##kind(b, x, 0, 0));                                                 \
    }                                                                                              \
    static inline uint64_t kind##2(struct block *b, uint64_t x, uint64_t y)                        \
    {                                                                                              \
        return destroy(helper_##kind(b, x, y, 0));                                                 \
    }                                                                                              \
    static inline uint64_t kind##3(struct block *b, uint64_t x, uint64_t y, uint64_t z)            \
    {                                                                                              \
        return destroy(helper_##kind(b, x, y, z));                                                 \
    }
HELPERS(plain)
HELPERS(full)
#undef HELPERS

/* Out-of-line evaluation, as cpu/ does it. */
static inline void evaluate(struct block *b, const struct ir_how *how)
{
    union ir_u *u = (union ir_u *)(void *)b->scratch, r;

    ir_info[how->op].eval(&r, u, how, &b->fp);
    u[3] = r;
    destroy(0);
}

static const struct ir_helper random_helpers[] = {
    {"plain0", (void *)plain0, false}, {"plain1", (void *)plain1, false},
    {"plain2", (void *)plain2, false}, {"plain3", (void *)plain3, false},
    {"full0", (void *)full0, true},    {"full1", (void *)full1, true},
    {"full2", (void *)full2, true},    {"full3", (void *)full3, true},
};

/* --- The reference --- */

static struct setup now; /* of the region at hand */

static inline uint8_t *ref_at(uint64_t addr, uint64_t memop)
{
    unsigned n = 1u << (memop & IR_MEM_SIZE);

    if (now.untag)
        addr = (uint64_t)((int64_t)(addr << 8) >> 8);
    if (addr < MEM_AT || addr - MEM_AT > MEM_SIZE - n)
        return NULL;
    return rig.ref_mem + (addr - MEM_AT);
}

static inline int ref_load(struct ir_machine *m, uint64_t addr, uint64_t memop, union ir_u *v)
{
    const uint8_t *p = ref_at(addr, memop);

    if (!p)
        return -1;
    memcpy(v, p, 1u << (memop & IR_MEM_SIZE));
    return 0;
}

static inline int ref_store(struct ir_machine *m, uint64_t addr, uint64_t memop, const union ir_u *v)
{
    uint8_t *p = ref_at(addr, memop);

    if (!p)
        return -1;
    memcpy(p, v, 1u << (memop & IR_MEM_SIZE));
    return 0;
}

static inline uint64_t updated(enum ir_opcode op, unsigned bits, uint64_t old, uint64_t b)
{
    int64_t so = (int64_t)(old << (64 - bits)), sb = (int64_t)(b << (64 - bits));
    uint64_t ub = (uint64_t)sb >> (64 - bits);

    switch (op) {
    case IRO_fadda: return old + b;
    case IRO_fanda: return old & b;
    case IRO_fora: return old | b;
    case IRO_fxora: return old ^ b;
    case IRO_fsmaxa: return so > sb ? old : b;
    case IRO_fsmina: return so < sb ? old : b;
    case IRO_fumaxa: return old > ub ? old : b;
    case IRO_fumina: return old < ub ? old : b;
    default: return b;
    }
}

static inline int ref_atomic(struct ir_machine *m, enum ir_opcode op, uint64_t addr, uint64_t memop,
                             const union ir_u *a, const union ir_u *b, union ir_u *old)
{
    unsigned n = 1u << (memop & IR_MEM_SIZE);
    uint8_t *p = ref_at(addr, memop);
    uint64_t v;

    if (op == IRO_store2) {
        if (!p)
            return -1;
        memcpy(p, a, 16);
        memcpy(p + 16, b, 16);
        return 0;
    }
    if (!p || (n == 16 && addr % 16))
        return -1;
    memcpy(old, p, n);
    if (op == IRO_cas) {
        if (memcmp(old, a, n) == 0)
            memcpy(p, b, n);
        return 0;
    }
    v = updated(op, 8 * n, old->d[0], a->d[0]);
    memcpy(p, &v, n);
    return 0;
}

static inline void ref_fence(struct ir_machine *m, unsigned kind)
{
}

static inline int ref_call(struct ir_machine *m, uint32_t which, const uint64_t arg[3],
                           uint64_t *result)
{
    struct block *b = m->opaque;

    b->pc = m->pc;
    *result = (which >= 4 ? helper_full : helper_plain)(b, arg[0], arg[1], arg[2]);
    m->pc = b->pc;
    return which >= 4 && b->stop;
}

static inline int ref_poll(struct ir_machine *m)
{
    struct block *b = m->opaque;

    return b->attention != 0;
}

static inline void run_ref(void)
{
    static struct ir_machine m;

    m.state = m.opaque = &rig.ref;
    m.fp = &rig.ref.fp;
    m.load = ref_load;
    m.store = ref_store;
    m.atomic = ref_atomic;
    m.fence = ref_fence;
    m.call = ref_call;
    m.poll = ref_poll;
    switch (ir_interp(rig.ir, &m)) {
    case IR_LEFT_FAULT: rig.ref.faulted = true; break;
    case IR_LEFT_TRAP:
        rig.ref.stop = m.reason;
        rig.ref.detail = m.detail;
        break;
    default: break;
    }
    rig.ref.pc = m.pc;
}

/* --- The host --- */

static inline const struct host_fault *fault_at(uint64_t at)
{
    for (uint32_t i = 0; i < rig.job.n_faults; i++)
        if (rig.job.faults[i].at == at)
            return &rig.job.faults[i];
    return NULL;
}

/* Where an FP exception at @at goes on; 0: nowhere. */
static inline uint64_t trap_at(uint64_t at)
{
    for (uint32_t i = 0; i < rig.job.n_traps; i++)
        if (rig.job.traps[i].at == at)
            return (uint64_t)(uintptr_t)rig.job.buf + rig.job.traps[i].to;
    return 0;
}

static inline void on_signal(int sig, siginfo_t *info, void *ucontext)
{
    static const uint8_t order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                      REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15};
    ucontext_t *uc = ucontext;
    greg_t *g = uc->uc_mcontext.gregs;
    const struct host_fault *f =
        sig == SIGSEGV ? fault_at((uint64_t)g[REG_RIP] - (uint64_t)(uintptr_t)rig.job.buf) : NULL;
    uint64_t to = sig == SIGFPE ? trap_at((uint64_t)g[REG_RIP] - (uint64_t)(uintptr_t)rig.job.buf) : 0;
    uint64_t gpr[16];

    if (!rig.running) {
        signal(sig, SIG_DFL);
        return;
    }
    if (to) {
        rig.n_trap++;
        g[REG_RIP] = (greg_t)to;
        uc->uc_mcontext.fpregs->mxcsr = fpmode_trapped(&rig.jit.fp, uc->uc_mcontext.fpregs->mxcsr);
        return;
    }
    if (!f)
        siglongjmp(rig.back, sig);
    for (unsigned i = 0; i < 16; i++)
        gpr[i] = (uint64_t)g[order[i]];
    rig.jit.pc = rig.job.pc + host_recover(rig.job.desc + f->desc, rig.slots, (uint8_t *)&rig.jit,
                                           gpr, (const union ir_u *)(void *)uc->uc_mcontext.fpregs->_xmm,
                                           rig.jit.frame);
    rig.jit.faulted = true;
    g[REG_RAX] = 0;
    g[REG_RIP] = (greg_t)rig.jit.ep[HOST_EP_LEAVE];
}

/* What it left with must make sense: 0, or the data of a thunk whose jump leads there. */
static inline bool good_thunk(uint64_t left)
{
    const uint8_t *data = (const uint8_t *)(uintptr_t)left, *site;
    struct host_thunk t;
    int32_t rel;

    if (!left)
        return true;
    if (data < rig.job.buf || data + sizeof(t) > rig.job.buf + rig.job.len)
        return false;
    memcpy(&t, data, sizeof(t));
    site = data - t.site;
    memcpy(&rel, site, 4);
    return t.pc == rig.jit.pc && site > rig.job.buf &&
           (site[-1] == 0xe9 || site[-1] == 0xe8 || (site[-2] == 0x0f && site[-1] >> 4 == 8)) &&
           (uintptr_t)site % 8 <= 4 && /* written at once */
           site + 4 + rel < data && site + 4 + rel >= data - 8;
}

static inline uint64_t enter(void)
{
    static uint8_t shadow[64 << 10] __attribute__((aligned(64)));
    uint64_t left;
    uint32_t mine, none = 0x1f80;

    __asm__ volatile("stmxcsr %0" : "=m"(mine));
    __asm__ volatile("ldmxcsr %0" : : "m"(none));
    fpmode_load(&rig.jit.fp);
    for (unsigned i = 0; i < HOST_SHADOW_TOP; i += 16) {
        memcpy(shadow + sizeof(shadow) - HOST_SHADOW_TOP + i, &rig.jit.ep[HOST_EP_END], 8);
        memset(shadow + sizeof(shadow) - HOST_SHADOW_TOP + i + 8, 0xff, 8);
    }
    rig.jit.shadow = rig.jit.shadow_base =
        (uint64_t)(uintptr_t)(shadow + sizeof(shadow) - HOST_SHADOW_TOP);
    left = host_enter(rig.host[now.features_off])(&rig.jit, rig.job.buf);
    fpmode_gather(&rig.jit.fp);
    __asm__ volatile("ldmxcsr %0" : : "m"(mine));
    return left;
}

static inline void arm_timer(long usec)
{
    struct itimerval t = {.it_value = {usec / 1000000, usec % 1000000}};

    setitimer(ITIMER_VIRTUAL, &t, NULL);
}

/* --- Set-up --- */

static inline void make_slots(void)
{
#define SLOTS(first, n, field, t)                                                                  \
    for (unsigned i = 0; i < (n); i++) {                                                           \
        snprintf(rig.names[(first) + i], 8, #field "%u", i);                                       \
        rig.slots[(first) + i] = (struct ir_slot){                                                 \
            rig.names[(first) + i],                                                                \
            (uint32_t)(offsetof(struct block, r.field) + i * sizeof(rig.jit.r.field[0])), t,       \
            (first) == S_F && i >= N_F / 2};                                                       \
    }
    SLOTS(S_X, N_X, x, IR_I64)
    SLOTS(S_W, N_W, w, IR_I32)
    SLOTS(S_F, N_F, f, IR_I1)
    SLOTS(S_Q, N_Q, q, IR_V128)
    SLOTS(S_D, N_D, d, IR_F64)
    SLOTS(S_S, N_S, s, IR_F32)
    SLOTS(S_H, N_B, h, IR_I16)
    SLOTS(S_B, N_B, b, IR_I8)
#undef SLOTS
    rig.slots[S_FUEL] = (struct ir_slot){"fuel", offsetof(struct block, r.fuel), IR_I64, false};
}

static inline void make_host(unsigned off)
{
    static const struct host_layout lay = {
        .bias = offsetof(struct block, attention) + 128,
        .scratch = offsetof(struct block, scratch),
        .entry_points = offsetof(struct block, ep),
        .helpers = offsetof(struct block, helpers),
        .jc = offsetof(struct block, jc),
        .pc_shift = 2,
        .jc_mask = (N_JC - 1) << 2,
        .stop = offsetof(struct block, stop),
        .detail = offsetof(struct block, detail),
        .pc = offsetof(struct block, pc),
        .attention = offsetof(struct block, attention),
        .fp = offsetof(struct block, fp),
        .frame = offsetof(struct block, frame),
        .shadow = offsetof(struct block, shadow),
        .shadow_base = offsetof(struct block, shadow_base),
        .c_stack = offsetof(struct block, c_stack),
    };

    rig.host[off] = host_new(&lay, off);
    rig.stubs[off] = rig.code + CODE_SIZE / 2 + 4096 + off * 4096;
    host_stubs(rig.host[off], rig.stubs[off], 4096, rig.ep[off]);
    rig.ep[off][HOST_EP_EVAL] = (void *)evaluate;
}

static inline void *map_at(uint64_t at, size_t size, int prot)
{
    void *p = mmap((void *)(uintptr_t)at, size, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);

    if (p == MAP_FAILED)
        bug("no memory for the test at %#llx", (unsigned long long)at);
    return p;
}

static inline void open_rig(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGVTALRM};
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};

    make_slots();
    rig.ir = ir_new(rig.slots, N_SLOTS, random_helpers, 8);
    rig.code = map_at(0, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    map_at(MEM_AT, MEM_SIZE, PROT_READ | PROT_WRITE);
    map_at(MEM_AT + GS_SHIFT, MEM_SIZE, PROT_READ | PROT_WRITE);
    syscall(SYS_arch_prctl, ARCH_SET_GS, GS_SHIFT);
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &sa, NULL);
    for (unsigned off = 0; off < 16; off++)
        make_host(off);
}

static inline uint64_t odd_bits(struct dice *d, unsigned lane)
{
    static const uint64_t f64[] = {0, 1ull << 63, 0x3ff0000000000000, 0xbff8000000000000,
                                   0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001,
                                   0x7ff0000000000001, 1, 0x000fffffffffffff, 0x0010000000000000,
                                   0x7fefffffffffffff, 0x41e0000000000000, 0x43e0000000000000};
    static const uint32_t f32[] = {0, 0x80000000, 0x3f800000, 0xbfc00000, 0x7f800000, 0xff800000,
                                   0x7fc00001, 0x7f800001, 1, 0x007fffff, 0x00800000, 0x7f7fffff,
                                   0x4f000000, 0x5f000000};

    if (lane == 3)
        return f64[roll(d, 14)];
    return f32[roll(d, 14)] | (uint64_t)f32[roll(d, 14)] << 32;
}

/* Values whose results are often denormal, inexact, or both. */
static inline uint64_t tiny_bits(struct dice *d, unsigned lane)
{
    static const uint64_t f64[] = {1, 0x800fffffffffffff, 0x0010000000000000, 0x8010000000000001,
                                   0x001fffffffffffff, 0x1ff8000000000001, 0x9ff0000000000000, 0,
                                   0x3fd5555555555555, 0x4008000000000000};
    static const uint32_t f32[] = {1, 0x807fffff, 0x00800000, 0x80800001, 0x00ffffff, 0x1fc00001,
                                   0x9f800000, 0, 0x3eaaaaab, 0x40400000};

    if (lane == 3)
        return f64[roll(d, 10)];
    return f32[roll(d, 10)] | (uint64_t)f32[roll(d, 10)] << 32;
}

static inline uint64_t fp_bits(struct dice *d, const struct setup *s, unsigned lane)
{
    return s->fp_flush && roll(d, 2) ? tiny_bits(d, lane) : odd_bits(d, lane);
}

static inline void fill_state(struct block *b, const struct setup *s)
{
    struct dice d = s->state;

    memset(b, 0, sizeof(*b));
    b->helpers = random_helpers;
    memcpy(b->ep, rig.ep[s->features_off], sizeof(b->ep));
    for (unsigned i = 0; i < N_X; i++)
        b->r.x[i] = roll(&d, 3) ? roll64(&d) >> roll(&d, 64) : roll(&d, 2) ? -(uint64_t)roll(&d, 9)
                                                                          : roll(&d, 256);
    b->r.x[0] = MEM_AT;
    b->r.fuel = s->out_of_fuel ? 0 : 1 + roll(&d, 12);
    for (unsigned i = 0; i < N_W; i++)
        b->r.w[i] = (uint32_t)(roll64(&d) >> roll(&d, 64));
    for (unsigned i = 0; i < N_F; i++)
        b->r.f[i] = roll(&d, 2);
    for (unsigned i = 0; i < N_B; i++) {
        b->r.h[i] = (uint16_t)roll64(&d);
        b->r.b[i] = (uint8_t)roll64(&d);
    }
    for (unsigned i = 0; i < N_Q; i++)
        for (unsigned k = 0; k < 2; k++)
            b->r.q[i].d[k] = roll(&d, 3) ? fp_bits(&d, s, 2 + roll(&d, 2)) : roll64(&d);
    for (unsigned i = 0; i < N_D; i++)
        b->r.d[i] = roll(&d, 3) ? fp_bits(&d, s, 3) : roll64(&d);
    for (unsigned i = 0; i < N_S; i++)
        b->r.s[i] = (uint32_t)(roll(&d, 3) ? fp_bits(&d, s, 2) : roll64(&d));
    b->fp.rounding = roll(&d, 2) ? FP_RN : roll(&d, 4);
    b->fp.fz = s->fp_flush;
    if (s->fp_flush && roll(&d, 2))
        b->fp.flags = FP_IXC; /* then inexactness is not looked for any more */
    if (s->fp_slow) {
        b->fp.fz = roll(&d, 2);
        b->fp.fz16 = roll(&d, 2);
        b->fp.dn = roll(&d, 2);
    }
    b->attention = s->attention;
    b->kick = roll(&d, 3) ? 1 + roll(&d, 6) : 0;
    for (unsigned i = 0; i < N_JC; i++) { /* empty, as at the start of a CPU */
        b->jc[i].pc = i == 0 ? ~0ull : 0;
        b->jc[i].host = b->ep[HOST_EP_MISS];
    }
    for (size_t i = 0; i < MEM_SIZE; i += 8) {
        uint64_t w = roll64(&d) >> roll(&d, 64);

        memcpy(rig.ref_mem + i, &w, 8);
    }
}

/* --- The property --- */

static inline const char *difference(uint64_t left)
{
    static char text[200];
    const struct block *j = &rig.jit, *r = &rig.ref;

    if (j->faulted != r->faulted || j->stop != r->stop || j->pc != r->pc || j->detail != r->detail) {
        snprintf(text, sizeof(text), "left with fault %d stop %u pc %#llx, want %d %u %#llx",
                 j->faulted, j->stop, (unsigned long long)j->pc, r->faulted, r->stop,
                 (unsigned long long)r->pc);
        return text;
    }
    for (unsigned i = 0; i < N_SLOTS; i++) {
        const uint8_t *a = (const uint8_t *)j + rig.slots[i].off;
        const uint8_t *b = (const uint8_t *)r + rig.slots[i].off;
        unsigned n = rig.slots[i].type == IR_I1 ? 1 : ir_bits(rig.slots[i].type) / 8;
        union ir_u g = {.q = 0}, w = {.q = 0};

        if (!memcmp(a, b, n))
            continue;
        memcpy(&g, a, n);
        memcpy(&w, b, n);
        snprintf(text, sizeof(text), "%s is %016llx%016llx, want %016llx%016llx (%s)",
                 rig.slots[i].name, (unsigned long long)g.d[1], (unsigned long long)g.d[0],
                 (unsigned long long)w.d[1], (unsigned long long)w.d[0],
                 j->faulted ? "at a fault" : "at an exit");
        return text;
    }
    if (memcmp(&j->r, &r->r, sizeof(j->r)))
        return "bytes between slots were written";
    for (unsigned i = 0; i < MEM_SIZE; i++)
        if (rig.mem[i] != rig.ref_mem[i]) {
            snprintf(text, sizeof(text), "memory at %#x is %#x, want %#x", i, rig.mem[i],
                     rig.ref_mem[i]);
            return text;
        }
    if (j->log != r->log || j->calls != r->calls)
        return "helpers were called otherwise";
    if (j->fp.flags != r->fp.flags) {
        snprintf(text, sizeof(text), "floating-point flags %#x, want %#x", j->fp.flags,
                 r->fp.flags);
        return text;
    }
    if (!good_thunk(left))
        return "the thunk does not belong to the exit";
    return NULL;
}

/* Compiles and runs; NULL, or what is wrong. */
static inline const char *compile_and_run(const uint8_t *data, size_t len)
{
    struct err e = {0};
    uint64_t left;
    bool quick;
    int r;

    now = choose(data, len);
    rig.lifting = true;
    lift_region(rig.ir, data, len, &now);
    quick = now.quick && rig.ir->straight;
    for (unsigned i = 0; i < N_F; i++) /* straight code keeps idle slots exact, too */
        rig.slots[S_F + i].idle = quick;
    if ((now.optimise && !quick) || !rig.ir->promoted)
        ir_optimise(rig.ir, now.effort, now.passes_off);
    if (ir_verify(rig.ir, &e) < 0) {
        static char text[sizeof(e.msg)];

        strcpy(text, e.msg);
        return text;
    }
    rig.job = (struct host_job){.ir = rig.ir, .buf = rig.code, .cap = now.cap, .pc = FIRST_PC,
                                .fp_slow = now.fp_slow, .fp_flush = now.fp_flush, .untag = now.untag, .gs_base = now.gs,
                                .quick = quick};
    if (now.counter) {
        rig.job.counter = (int32_t *)(void *)(rig.code + CODE_SIZE - 64);
        *rig.job.counter = 5;
    }
    memset(rig.code + now.cap, 0xcc, 64);
    rig.lifting = false;
    arm_timer(4000000);
    r = host_compile(rig.host[now.features_off], &rig.job);
    for (unsigned i = 0; i < 64; i++)
        if (rig.code[now.cap + i] != 0xcc)
            return "code was written beyond the buffer";
    rig.n_full += r == -ENOSPC;
    rig.n_big += r == -E2BIG;
    if (r == -E2BIG || (r == -ENOSPC && now.cap < CODE_SIZE / 2))
        return NULL;
    if (r)
        return "host_compile failed";
    fill_state(&rig.ref, &now);
    fill_state(&rig.jit, &now);
    rig.mem = (uint8_t *)(uintptr_t)(MEM_AT + (now.gs ? GS_SHIFT : 0));
    memcpy(rig.mem, rig.ref_mem, MEM_SIZE);
    arm_timer(2000000);
    run_ref();
    left = enter();
    arm_timer(0);
    rig.n_run++;
    rig.n_quick += quick;
    rig.n_fault += rig.ref.faulted;
    if (now.counter && *rig.job.counter != 4)
        return "the counter was not counted";
    return difference(left);
}

/* The same; a crash is an answer, too. */
static inline const char *random_try(const uint8_t *data, size_t len)
{
    static char text[80];
    int sig = sigsetjmp(rig.back, 1);
    const char *wrong;

    if (sig) {
        rig.running = false;
        arm_timer(0);
        make_host(now.features_off); /* the old one may be in any state */
        if (rig.lifting) /* so may the region */
            rig.ir = ir_new(rig.slots, N_SLOTS, random_helpers, 8);
        snprintf(text, sizeof(text), "signal %d (%s)", sig, strsignal(sig));
        return text;
    }
    rig.running = true;
    wrong = compile_and_run(data, len);
    rig.running = false;
    arm_timer(0);
    return wrong;
}

/* Leaves out steps as long as something is wrong; returns the new length. */
static inline size_t random_minimise(uint8_t *data, size_t len)
{
    uint8_t *less = malloc(len);

    for (size_t n = len / 2 / RANDOM_STEP * RANDOM_STEP; n >= RANDOM_STEP;
         n = n == RANDOM_STEP ? 0 : n / 2 / RANDOM_STEP * RANDOM_STEP) {
        for (size_t at = RANDOM_STEP; at + n <= len;) {
            memcpy(less, data, at);
            memcpy(less + at, data + at + n, len - at - n);
            if (random_try(less, len - n)) {
                len -= n;
                memcpy(data, less, len);
            } else {
                at += n;
            }
        }
    }
    free(less);
    return len;
}

static inline void random_show(const uint8_t *data, size_t len, const char *name)
{
    const char *wrong = random_try(data, len);
    char file[64], command[200];
    FILE *f;

    printf("%s: %s\n", name, wrong ? wrong : "nothing wrong any more");
    printf("features off %u%s%s%s%s%s, effort %u, passes off %#x, rounding %u\n", now.features_off,
           rig.job.quick ? ", quick" : "",
           now.fp_slow ? ", slow fp" : now.fp_flush ? ", flush" : "", now.untag ? ", untag" : "", now.gs ? ", gs" : "",
           now.plain ? ", plain" : "", now.effort, now.passes_off, rig.ref.fp.rounding);
    ir_print(rig.ir, stdout);
    fflush(stdout);
    snprintf(file, sizeof(file), "/tmp/emu-host-random.%d", (int)getpid());
    f = fopen(file, "w");
    if (!f)
        return;
    fwrite(rig.job.buf, 1, rig.job.len ? rig.job.len : 512, f);
    fclose(f);
    snprintf(command, sizeof(command),
             "objdump -D -b binary -m i386:x86-64 -M intel --no-show-raw-insn %s 2>/dev/null | "
             "tail -n +8", file);
    if (system(command) != 0)
        printf("(no objdump)\n");
    unlink(file);
}

/* Bytes for number @seed. */
static inline size_t random_bytes(uint64_t seed, uint8_t *data, size_t cap)
{
    struct dice d = {seed * 0x2545f4914f6cdd1dull};
    size_t len = RANDOM_STEP * (2 + (roll(&d, 6) == 0 ? roll(&d, (unsigned)(cap / RANDOM_STEP) - 2)
                                                      : roll(&d, 60)));

    for (size_t i = 0; i < len; i += 8) {
        uint64_t w = roll64(&d);

        memcpy(data + i, &w, 8);
    }
    return len;
}

#endif
