/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector and x87 instructions with random operands on this processor, on the interpreter and on the translator: registers, memory,
 * flags and MXCSR end alike.  Instructions are made from the rows of the tables.  X86_CASES=N: so many for each row.
 */
#include "guest/x86/decode.h"
#include "guest/x86/x86.h"
#include "tests/test.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CODE = 0x10000000, DATA = 0x10010000, NATIVE = 0x10020000, SIZE = 0x30000, DATA_BYTES = 256, OPERANDS = 6 };

/* What an instruction reads and writes; the trampoline knows the offsets. */
struct state {
    union ir_u xmm[16], ymmh[16];
    uint64_t gpr[16];
    uint64_t flags;
    uint32_t mxcsr, pad;
    uint8_t x87[512] __attribute__((aligned(16)));
    uint8_t data[DATA_BYTES];
};

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}
static unsigned pick(unsigned n)
{
    return (unsigned)(rnd() >> 33) % n;
}

/* --- Instructions --- */

enum { BYTES_MAX = 64 };
struct encoding {
    uint8_t bytes[BYTES_MAX];
    unsigned n;
    bool masked;    /* several x87 instructions: their exceptions are masked */
    unsigned small; /* this vector register less 1 has small numbers, as it is an index */
};

static void put(struct encoding *e, unsigned b)
{
    e->bytes[e->n++] = (uint8_t)b;
}

struct plan {
    unsigned prefix, map, opcode, digit, reg, rm, vvvv, l, w;
    bool vex, mem, imm, has_modrm;
    bool vsib;
    unsigned index; /* of a gather */
    unsigned fixed;
};

static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = text; (p = strstr(p, word)); p += len)
        if ((p == text || p[-1] == ' ') && (p[len] == 0 || p[len] == ' '))
            return true;
    return false;
}

static bool is_hex(const char *p)
{
    return p[0] && p[1] && strchr("0123456789ABCDEF", p[0]) && strchr("0123456789ABCDEF", p[1]);
}

/* General registers of operands: not those that the trampoline and addresses need. */
static unsigned any_gpr(void)
{
    static const uint8_t some[] = {0, 1, 2, 6};

    return some[pick(4)];
}

static void plan_encoding(struct plan *p, const char *enc)
{
    bool opcode = false;

    p->digit = 8;
    for (const char *q = enc; *q; q += strcspn(q, " "), q += *q == ' ') {
        if (!strncmp(q, "NP", 2))
            p->prefix = 0;
        else if (!p->map && !opcode && (!strncmp(q, "66", 2) || !strncmp(q, "F3", 2) || !strncmp(q, "F2", 2)) && strstr(enc, "0F"))
            p->prefix = (unsigned)strtoul(q, NULL, 16);
        else if (!strncmp(q, "VEX", 3))
            p->vex = true;
        else if (!p->map && !opcode && !strncmp(q, "0F", 2))
            p->map = 1;
        else if (p->map == 1 && !opcode && (!strncmp(q, "38 ", 3) || !strncmp(q, "3A ", 3)))
            p->map = q[1] == '8' ? 2 : 3;
        else if (*q == '/') {
            p->has_modrm = true;
            if (q[1] >= '0' && q[1] <= '7')
                p->digit = (unsigned)(q[1] - '0');
            if (memchr(q, 'm', strcspn(q, " ")))
                p->mem = true;
            else if (!memchr(q, 'g', strcspn(q, " ")))
                p->mem = pick(2);
        } else if (*q == '=') {
            p->has_modrm = true;
            p->fixed = 0x100 | (unsigned)strtoul(q + 1, NULL, 16);
        } else if (is_hex(q)) {
            p->opcode = (unsigned)strtoul(q, NULL, 16);
            opcode = true;
        }
    }
    p->l = has_word(enc, "L1") ? 1 : has_word(enc, "L0") ? 0 : pick(2);
    p->w = has_word(enc, "W1");
}

static void plan_operands(struct plan *p, const char *ops)
{
    p->reg = pick(16);
    p->rm = pick(16);
    for (const char *q = ops; *q; q += strcspn(q, " "), q += *q == ' ') {
        if (!strncmp(q, "XMM0", 4))
            continue;
        if (*q == 'G')
            p->reg = any_gpr();
        if (*q == 'P')
            p->reg = pick(8);
        if (*q == 'E' || *q == 'R')
            p->rm = any_gpr();
        if (*q == 'N' || *q == 'Q' || *q == 'T')
            p->rm = pick(8);
        if (*q == 'H')
            p->vvvv = pick(16);
        if (*q == 'I' || *q == 'L')
            p->imm = true;
        if (q[1] == 'y' && !p->w)
            p->w = pick(2);
    }
    if (strchr(ops, 'T'))
        p->mem = false;
}

static void encode(struct encoding *e, const struct plan *p)
{
    static const uint8_t pp[] = {[0] = 0, [1] = 1};
    unsigned reg = p->digit < 8 ? p->digit : p->reg, x = p->prefix == 0x66 ? pp[1] : p->prefix == 0xf3 ? 2 : p->prefix == 0xf2 ? 3 : 0;
    bool high_rm = !p->mem && p->rm >= 8;

    e->n = 0;
    if (p->vex) {
        put(e, 0xc4);
        put(e, (reg < 8 ? 0x80 : 0) | (p->index < 8 ? 0x40 : 0) | (high_rm ? 0 : 0x20) | p->map);
        put(e, p->w << 7 | (~p->vvvv & 15) << 3 | p->l << 2 | x);
    } else {
        unsigned rex = p->w << 3 | (reg >= 8) << 2 | high_rm;

        if (p->prefix)
            put(e, p->prefix);
        if (rex)
            put(e, 0x40 | rex);
        if (p->map)
            put(e, 0x0f);
        if (p->map > 1)
            put(e, p->map == 2 ? 0x38 : 0x3a);
    }
    put(e, p->opcode);
    if (p->fixed)
        put(e, p->fixed & 0xff);
    else if (p->vsib) { /* [rbx + index * scale + disp8] */
        put(e, 0x44 | (reg & 7) << 3);
        put(e, 3 | (p->index & 7) << 3 | pick(4) << 6);
        put(e, 32 * pick(4));
    } else if (p->has_modrm && p->mem) { /* [rbx + disp8] */
        put(e, 0x43 | (reg & 7) << 3);
        put(e, 32 * pick(4));
    } else if (p->has_modrm) {
        put(e, 0xc0 | (reg & 7) << 3 | (p->rm & 7));
    }
    if (p->imm)
        put(e, pick(4) ? pick(256) : pick(32));
}

static bool make(unsigned row, struct encoding *e)
{
    struct plan p = {0};
    struct x86_insn i;

    plan_encoding(&p, x86_row_encoding(row));
    plan_operands(&p, x86_row_operands(row));
    if (!strncmp(x86_row_name(row), "vgather", 7)) {
        p.vsib = true;
        do {
            p.reg = pick(16);
            p.vvvv = pick(16);
            p.index = pick(16);
        } while (p.reg == p.vvvv || p.reg == p.index || p.vvvv == p.index);
        e->small = p.index + 1;
    }
    encode(e, &p);
    memcpy(e->bytes + e->n, "\x0f\x0b", 2);
    return x86_decode(X86_CODE64 | X86_MODE_PE | X86_MODE_FLAT, CODE, e->bytes, 16, &i) == X86_OK;
}

/* --- Operands --- */

static uint64_t interesting64(void)
{
    static const uint64_t some[] = {
        0, 1ull << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
        0x7ff0000000000001, 0xfff8000000000123, 1, 0x000fffffffffffff, 0x0010000000000000, 0x800fffffffffffff, 0x7fefffffffffffff,
        0x41dfffffffc00000, 0xc1e0000000000000, 0x43e0000000000000, 0x3fe0000000000000, 0x4330000000000001, 0x36a0000000000000,
        0x380fffffffffffff, 0x47efffffffffffff, 0x3ff8000000000000, 0x4004000000000000,
    };

    return some[pick(sizeof(some) / sizeof(some[0]))];
}

static uint32_t interesting32(void)
{
    static const uint32_t some[] = {
        0, 1u << 31, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc00123, 1, 0x007fffff, 0x00800000,
        0x807fffff, 0x7f7fffff, 0x4effffff, 0xcf000000, 0x3f000000, 0x3fc00000, 0x40200000, 0x4b000001, 0x33800000, 0x477fe000,
    };

    return some[pick(sizeof(some) / sizeof(some[0]))];
}

static uint64_t any64(void)
{
    switch (pick(6)) {
    case 0:
        return interesting64();
    case 1:
        return interesting32() | (uint64_t)interesting32() << 32;
    case 2: /* numbers of like size */
        return (rnd() & 0x800fffffffffffff) | (0x3f8 + (uint64_t)pick(16)) << 52;
    case 3:
        return ((rnd() & 0x807fffff807fffff) | 0x3c0000003c000000) + ((uint64_t)pick(16) << 23 | (uint64_t)pick(16) << 55);
    case 4:
        return rnd() & 0xff00ff7f80ff017f;
    default:
        return rnd();
    }
}

/* Any register: a number, and what is none. */
static void random_x87(uint8_t p[10])
{
    static const uint16_t exponents[] = {0, 1, 0x3fff, 0x4000, 0x7ffe, 0x7fff, 0x401e, 0x403e, 0x43fe, 0x3c01, 0x3f81, 0x407e};
    uint64_t m = pick(3) ? rnd() | 1ull << 63 : pick(2) ? 1ull << 63 : rnd() >> pick(64);
    uint16_t e = pick(3) ? (uint16_t)(0x3ff8 + pick(16)) : exponents[pick(12)];

    if (!pick(6))
        m &= ~0ull << pick(64);
    e |= (uint16_t)(pick(2) << 15);
    memcpy(p, &m, 8);
    memcpy(p + 8, &e, 2);
}

static void random_x87_state(uint8_t *p)
{
    uint16_t cw = 0x37f, sw = (uint16_t)(pick(8) << 11);
    static const uint8_t precision[] = {0, 2, 3, 3};

    if (pick(2))
        cw = (uint16_t)(0x7f | precision[pick(4)] << 8 | pick(4) << 10);
    if (!pick(3)) /* some exceptions unmasked, but none pending */
        cw &= (uint16_t)(~0x3fu | (unsigned)rnd());
    if (pick(2))
        sw |= rnd() & cw & 0x3f;
    sw |= rnd() & 0x4700;
    memcpy(p, &cw, 2);
    memcpy(p + 2, &sw, 2);
    p[4] = pick(4) ? 0xff >> pick(2) * pick(8) : (uint8_t)rnd();
    for (unsigned i = 0; i < 8; i++)
        random_x87(p + 32 + 16 * i);
    cw = 0x1f80;
    memcpy(p + 24, &cw, 2);
}

static void random_state(struct state *s)
{
    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 2; k++) {
            s->xmm[i].d[k] = any64();
            s->ymmh[i].d[k] = any64();
        }
    for (unsigned i = 0; i < 16; i++)
        s->gpr[i] = pick(2) ? rnd() : any64() >> pick(64);
    for (unsigned i = 0; i < DATA_BYTES; i += 8) {
        uint64_t v = any64();

        memcpy(s->data + i, &v, 8);
    }
    random_x87_state(s->x87);
    s->gpr[3] = DATA;
    s->gpr[7] = DATA + 64;
    s->flags = 0x202 | (rnd() & 0x8d5);
    s->mxcsr = 0x1f80 | (pick(2) ? pick(4) << 13 : 0) | (pick(4) ? 0 : pick(2) << 15 | pick(2) << 6) | (pick(2) ? 0 : pick(64));
}

/* --- This processor --- */

/* rdi: the state.  Registers but rsp, r15 and rdi come from it, the instruction runs, and they go back. */
static const uint8_t *trampoline(const struct encoding *e)
{
    static uint8_t head[640], tail[640];
    static unsigned n_head, n_tail;
    uint8_t *p = (uint8_t *)(uintptr_t)NATIVE;

    if (!n_head) {
        uint8_t *h = head, *t = tail;
        static const uint8_t save[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x49, 0x89, 0xff};
        static const uint8_t back[] = {0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3};
        static const uint8_t gprs[] = {0, 1, 2, 3, 6, 7};
        unsigned off_g = offsetof(struct state, gpr), off_f = offsetof(struct state, flags), off_m = offsetof(struct state, mxcsr),
                 off_x = offsetof(struct state, x87);

        memcpy(h, save, sizeof(save)); /* push rbx rbp r12..r15; mov r15, rdi */
        h += sizeof(save);
        h[0] = 0x49, h[1] = 0x0f, h[2] = 0xae, h[3] = 0x8f; /* fxrstor64 */
        memcpy(h + 4, &off_x, 4);
        h += 8;
        for (unsigned i = 0; i < 16; i++) { /* vmovups xmm, [r15+]; vinsertf128 ymm, [r15+], 1 */
            unsigned lo = i * 16, hi = 256 + i * 16;

            h += sprintf((char *)h, "%c%c%c%c%c", 0xc4, 0x41 | (i < 8 ? 0x80 : 0), 0x78, 0x10, 0x87 | (i & 7) << 3);
            memcpy(h, &lo, 4);
            h += 4;
            h[0] = 0xc4, h[1] = (uint8_t)(0x43 | (i < 8 ? 0x80 : 0)), h[2] = (uint8_t)((~i & 15) << 3 | 5), h[3] = 0x18;
            h[4] = (uint8_t)(0x87 | (i & 7) << 3);
            memcpy(h + 5, &hi, 4);
            h[9] = 1;
            h += 10;
            t[0] = 0xc4, t[1] = (uint8_t)(0x41 | (i < 8 ? 0x80 : 0)), t[2] = 0x78, t[3] = 0x11, t[4] = (uint8_t)(0x87 | (i & 7) << 3);
            memcpy(t + 5, &lo, 4);
            t += 9;
            t[0] = 0xc4, t[1] = (uint8_t)(0x43 | (i < 8 ? 0x80 : 0)), t[2] = 0x7d, t[3] = 0x19, t[4] = (uint8_t)(0x87 | (i & 7) << 3);
            memcpy(t + 5, &hi, 4);
            t[9] = 1;
            t += 10;
        }
        h[0] = 0x41, h[1] = 0x0f, h[2] = 0xae, h[3] = 0x97; /* ldmxcsr */
        memcpy(h + 4, &off_m, 4);
        h += 8;
        h[0] = 0x41, h[1] = 0xff, h[2] = 0xb7; /* push flags; popf */
        memcpy(h + 3, &off_f, 4);
        h[7] = 0x9d;
        h += 8;
        n_tail = 0;
        {
            uint8_t first[64], *f = first;

            f[0] = 0x9c; /* pushf; pop flags */
            f[1] = 0x41, f[2] = 0x8f, f[3] = 0x87;
            memcpy(f + 4, &off_f, 4);
            f += 8;
            f[0] = 0x41, f[1] = 0x0f, f[2] = 0xae, f[3] = 0x9f; /* stmxcsr */
            memcpy(f + 4, &off_m, 4);
            f += 8;
            f[0] = 0x49, f[1] = 0x0f, f[2] = 0xae, f[3] = 0x87; /* fxsave64; fninit */
            memcpy(f + 4, &off_x, 4);
            f[8] = 0xdb, f[9] = 0xe3;
            f += 10;
            memmove(tail + (f - first), tail, (size_t)(t - tail));
            memcpy(tail, first, (size_t)(f - first));
            t += f - first;
        }
        for (unsigned i = 0; i < sizeof(gprs); i++) {
            unsigned off = off_g + 8u * gprs[i];

            h[0] = t[0] = 0x49, h[1] = 0x8b, t[1] = 0x89, h[2] = t[2] = (uint8_t)(0x87 | gprs[i] << 3);
            memcpy(h + 3, &off, 4);
            memcpy(t + 3, &off, 4);
            h += 7;
            t += 7;
        }
        memcpy(t, back, sizeof(back));
        n_head = (unsigned)(h - head);
        n_tail = (unsigned)(t + sizeof(back) - tail);
    }
    memcpy(p, head, n_head);
    memcpy(p + n_head, e->bytes, e->n);
    memcpy(p + n_head + e->n, tail, n_tail);
    return p;
}

static void run_native(const struct encoding *e, struct state *s)
{
    uint32_t old;
    union {
        const void *p;
        void (*fn)(struct state *);
    } code = {trampoline(e)};

    memcpy((void *)(uintptr_t)DATA, s->data, DATA_BYTES);
    __asm__ volatile("stmxcsr %0" : "=m"(old));
    code.fn(s);
    __asm__ volatile("ldmxcsr %0" : : "m"(old));
    __asm__ volatile("vzeroupper" : : : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    memcpy(s->data, (void *)(uintptr_t)DATA, DATA_BYTES);
}

/* --- Emu --- */

static struct cpu *new_cpu(enum engine_kind kind, unsigned hot, unsigned off)
{
    struct engine_conf conf = {.kind = kind, .hot_after = hot, .host_off = off, .background = ENGINE_NEVER};
    struct x86_features all = x86_features_all();
    struct cpu *cpu = cpu_new(&guest_x86_64, engine_new(&guest_x86_64, &conf));

    x86_program(cpu, X86_CODE64, (unsigned)x86_features_number(&all));
    return cpu;
}

static enum cpu_stop run_emu(struct cpu *cpu, struct state *s)
{
    struct x86_state *x = x86(cpu);
    enum cpu_stop stop;

    memcpy((void *)(uintptr_t)DATA, s->data, DATA_BYTES);
    memcpy(x->xmm, s->xmm, sizeof(s->xmm));
    memcpy(x->ymmh, s->ymmh, sizeof(s->ymmh));
    memcpy(x->r, s->gpr, sizeof(s->gpr));
    x86_set_eflags(cpu, (uint32_t)s->flags);
    x86_get_fxsave(cpu, s->x87, X86_STATE_X87, true);
    x86_set_mxcsr(cpu, s->mxcsr);
    cpu->pc = CODE;
    do
        stop = cpu_run(cpu);
    while (stop == CPU_STOP_AGAIN);
    memcpy(s->xmm, x->xmm, sizeof(s->xmm));
    memcpy(s->ymmh, x->ymmh, sizeof(s->ymmh));
    memcpy(s->gpr, x->r, sizeof(s->gpr));
    s->flags = x86_get_eflags(cpu);
    s->mxcsr = x86_get_mxcsr(cpu);
    x86_put_fxsave(cpu, s->x87, X86_STATE_X87, true);
    memcpy(s->data, (void *)(uintptr_t)DATA, DATA_BYTES);
    return stop;
}

static bool differ(const struct state *want, const struct state *got)
{
    bool bad = false;

    for (unsigned i = 0; i < 16; i++) {
        if (memcmp(&want->xmm[i], &got->xmm[i], 16)) {
            printf("  xmm%u %016lx:%016lx not %016lx:%016lx\n", i, got->xmm[i].d[1], got->xmm[i].d[0], want->xmm[i].d[1], want->xmm[i].d[0]);
            bad = true;
        }
        if (memcmp(&want->ymmh[i], &got->ymmh[i], 16)) {
            printf("  ymmh%u %016lx:%016lx not %016lx:%016lx\n", i, got->ymmh[i].d[1], got->ymmh[i].d[0], want->ymmh[i].d[1], want->ymmh[i].d[0]);
            bad = true;
        }
        if (want->gpr[i] != got->gpr[i] && i != 4) {
            printf("  r%u %lx not %lx\n", i, got->gpr[i], want->gpr[i]);
            bad = true;
        }
    }
    if ((want->flags ^ got->flags) & X86_FL_STATUS) {
        printf("  flags %lx not %lx\n", got->flags & X86_FL_STATUS, want->flags & X86_FL_STATUS);
        bad = true;
    }
    if (want->mxcsr != got->mxcsr) {
        printf("  mxcsr %x not %x\n", got->mxcsr, want->mxcsr);
        bad = true;
    }
    if (memcmp(want->x87, got->x87, 5)) {
        printf("  x87 control, status, tags %02x%02x %02x%02x %02x not %02x%02x %02x%02x %02x\n", got->x87[1], got->x87[0], got->x87[3],
               got->x87[2], got->x87[4], want->x87[1], want->x87[0], want->x87[3], want->x87[2], want->x87[4]);
        bad = true;
    }
    for (unsigned i = 0; i < 8; i++)
        if (memcmp(want->x87 + 32 + 16 * i, got->x87 + 32 + 16 * i, 10)) {
            const uint8_t *g = got->x87 + 32 + 16 * i, *w = want->x87 + 32 + 16 * i;

            printf("  st%u %02x%02x %016lx not %02x%02x %016lx\n", i, g[9], g[8], *(const uint64_t *)g, w[9], w[8], *(const uint64_t *)w);
            bad = true;
        }
    if (memcmp(want->data, got->data, DATA_BYTES)) {
        printf("  memory\n");
        bad = true;
    }
    return bad;
}

/* Does this processor have what the row needs? */
static bool native_has(enum x86_feature f)
{
    unsigned a, b, c, d;

    switch (f) {
    case X86_FEAT_SHA:
        return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1;
    case X86_FEAT_SSE4A:
        return false;
    default:
        return true;
    }
}

/* What runs otherwise here: state that is not compared, and what ends a block. */
static bool left_out(unsigned row)
{
    const char *name = x86_row_name(row);

    if (!strcmp(x86_row_encoding(row), "D9 /3g")) /* not documented; an empty register is no fault */
        return true;
    if (!strncmp(name, "fn", 2) || !strncmp(name, "fld", 3) || !strncmp(name, "frs", 3))
        if (!strcmp(name, "fnstenv") || !strcmp(name, "fldenv") || !strcmp(name, "fnsave") || !strcmp(name, "frstor"))
            return true;
    if (!strncmp(name, "fx", 2) || !strncmp(name, "xsave", 5) || !strncmp(name, "xrstor", 6))
        return strcmp(name, "fxch") && strcmp(name, "fxam");
    return !strcmp(name, "ldmxcsr") || !strcmp(name, "stmxcsr") || x86_row_end(row) != X86_FALL;
}

static struct {
    const char *name;
    enum engine_kind kind;
    unsigned hot, off;
    struct cpu *cpu;
} engines[] = {{"interpreter", ENGINE_INTERP, 0, 0, NULL}, {"translator", ENGINE_JIT, 1, 0, NULL}, {"floor", ENGINE_JIT, 1, 15, NULL}};
enum { ENGINES = sizeof(engines) / sizeof(engines[0]) };

static bool ready(void)
{
    for (unsigned k = 0; k < ENGINES; k++)
        if (!engines[k].cpu)
            engines[k].cpu = new_cpu(engines[k].kind, engines[k].hot, engines[k].off);
    return mmap((void *)CODE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static void small_numbers(struct state *s, const struct encoding *e, const char *name)
{
    uint64_t keep = name[7] == 'd' ? 0x0000000700000007 : 7;

    for (unsigned k = 0; k < 2 && e->small; k++) {
        s->xmm[e->small - 1].d[k] &= keep;
        s->ymmh[e->small - 1].d[k] &= keep;
    }
}

static bool try(unsigned row, const struct encoding *e)
{
    struct state start, want, got;
    bool bad = false;

    memcpy((void *)(uintptr_t)CODE, e->bytes, BYTES_MAX);
    for (unsigned k = 0; k < ENGINES; k++)
        engine_invalidate(engines[k].cpu->engine, CODE, BYTES_MAX);
    for (unsigned n = 0; n < OPERANDS && !bad; n++) {
        random_state(&start);
        if (e->masked)
            start.x87[0] |= 0x3f;
        if (e->masked && pick(4)) { /* what is usual */
            start.x87[0] = 0x7f, start.x87[1] = 3;
            start.x87[2] |= pick(3) ? 0x3f : 0;
        }
        small_numbers(&start, e, x86_row_name(row));
        want = start;
        run_native(e, &want);
        for (unsigned k = 0; k < ENGINES; k++) {
            enum cpu_stop stop;

            got = start;
            stop = run_emu(engines[k].cpu, &got);
            if (stop != CPU_STOP_UNDEFINED || engines[k].cpu->pc != CODE + e->n) {
                printf("  stop %u at %lx\n", stop, (unsigned long)engines[k].cpu->pc);
                bad = true;
            }
            if (differ(&want, &got) || bad) {
                printf("%s: %s %s %s:", engines[k].name, x86_row_name(row), x86_row_encoding(row), x86_row_operands(row));
                for (unsigned b = 0; b < e->n; b++)
                    printf(" %02x", e->bytes[b]);
                printf(" mxcsr %x cw %02x%02x sw %02x%02x tags %02x flags %lx\n", start.mxcsr, start.x87[1], start.x87[0], start.x87[3], start.x87[2], start.x87[4], start.flags);
                bad = true;
                break;
            }
        }
    }
    return !bad;
}

TEST(x86_vector, random_operands_give_what_the_processor_gives)
{
    unsigned cases = getenv("X86_CASES") ? (unsigned)atoi(getenv("X86_CASES")) : 4, tried = 0, failed = 0;
    const char *only = getenv("X86_ROW");

    if (getenv("X86_CASES"))
        test_limit(0);
    seed ^= getenv("X86_SEED") ? strtoull(getenv("X86_SEED"), NULL, 0) << 1 : 0;
    CHECK(ready());
    for (unsigned row = 0; row < X86_NUM_ROWS; row++) {
        if (x86_row_unit(row) == X86_UNIT_INTEGER || !native_has(x86_row_feature(row)) || left_out(row) || (only && strcmp(only, x86_row_name(row))))
            continue;
        for (unsigned n = 0; n < cases; n++) {
            struct encoding e = {.n = 0};

            if (!make(row, &e))
                continue;
            tried++;
            if (!try(row, &e)) {
                failed++;
                break;
            }
        }
    }
    fflush(stdout);
    printf("%u instructions, %u operands each\n", tried, OPERANDS);
    CHECK_EQ(failed, 0);
    CHECK(only || tried > 1000);
}

/* Several x87 instructions in a row: each finds what the one before has left. */
TEST(x86_vector, x87_sequences_give_what_the_processor_gives)
{
    enum { LENGTH = 6 };
    unsigned rows[X86_NUM_ROWS], n_rows = 0, failed = 0;
    unsigned tries = getenv("X86_SEQUENCES") ? (unsigned)atoi(getenv("X86_SEQUENCES")) : 2000;

    if (getenv("X86_SEQUENCES"))
        test_limit(0);
    seed ^= getenv("X86_SEED") ? strtoull(getenv("X86_SEED"), NULL, 0) << 1 : 0;
    CHECK(ready());
    for (unsigned row = 0; row < X86_NUM_ROWS; row++)
        if (x86_row_unit(row) >= X86_UNIT_X87 && x86_row_unit(row) <= X86_UNIT_MMX && !left_out(row) && strcmp(x86_row_name(row), "fldcw"))
            rows[n_rows++] = row;
    CHECK(n_rows > 60);
    for (unsigned n = 0; n < tries && failed < 5; n++) {
        struct encoding e = {.masked = true};
        unsigned row = 0;

        while (e.n < LENGTH * 5 && (e.n < 2 || pick(LENGTH))) {
            struct encoding one = {.n = 0};

            row = rows[pick(n_rows)];
            if (!make(row, &one))
                continue;
            memcpy(e.bytes + e.n, one.bytes, one.n + 2);
            e.n += one.n;
        }
        failed += !try(row, &e);
    }
    fflush(stdout);
    CHECK_EQ(failed, 0);
}

/* MXCSR with zero divide unmasked: 1 / 0 is not done; inexact stays masked, and is done; invalid keeps inexact from being seen. */
static void unmasked_on(enum engine_kind kind)
{
    /* divsd xmm0, xmm1; ud2 */
    static const struct encoding div = {.bytes = {0xf2, 0x0f, 0x5e, 0xc1, 0x0f, 0x0b}, .n = 4};
    static const struct {
        double a, b;
        uint32_t mxcsr, want;
        bool raised;
    } cases[] = {
        {1, 0, 0x1d80, 0x1d84, true},
        {1, 0, 0x1f80 & ~0x80u, 0x1f04, false},
        {1, 3, 0x1d80, 0x1da0, false},
        {1, 3, 0x0f80, 0x0fa0, true},
        {0, 0, 0x1f00, 0x1f01, true},
        {1e300, 1e-300, 0x1b81, 0x1ba9, true},
        {0x1p-1060, 2, 0x1780, 0x1792, true}, /* exact, but tiny */
        {0x1p-1060, 2, 0x1d80, 0x1d82, false},
    };
    struct cpu *cpu = new_cpu(kind, 1, 0);
    struct state s;

    memcpy((void *)(uintptr_t)CODE, div.bytes, 16);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum cpu_stop stop;

        random_state(&s);
        s.mxcsr = cases[i].mxcsr;
        memcpy(&s.xmm[0], &cases[i].a, 8);
        memcpy(&s.xmm[1], &cases[i].b, 8);
        stop = run_emu(cpu, &s);
        CHECK_EQ(stop, cases[i].raised ? CPU_STOP_GUEST : CPU_STOP_UNDEFINED);
        CHECK_EQ(s.mxcsr, cases[i].want);
        CHECK_EQ(cpu->pc, CODE + (cases[i].raised ? 0 : div.n));
        if (cases[i].raised) {
            CHECK_EQ(X86_DETAIL_VECTOR(cpu->detail), X86_EXC_XM);
            CHECK_EQ(memcmp(&s.xmm[0], &cases[i].a, 8), 0);
        }
    }
}

TEST(x86_vector, unmasked_exceptions_are_raised)
{
    CHECK(mmap((void *)CODE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
    unmasked_on(ENGINE_INTERP);
    unmasked_on(ENGINE_JIT);
}

static const struct test tests[] = {
    CASE(x86_vector, unmasked_exceptions_are_raised),
    CASE_SLOW(x86_vector, random_operands_give_what_the_processor_gives, 60),
    CASE_SLOW(x86_vector, x87_sequences_give_what_the_processor_gives, 60),
};
TEST_MAIN(tests)
