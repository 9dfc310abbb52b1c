/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random x86 instructions, made from the decoder's rows: encodings with all operand forms, memory operands mostly in a data page,
 * and which results the manual leaves undefined (SDM 2).
 */
#ifndef TESTS_UNIT_GUEST_X86_RANDOM_H
#define TESTS_UNIT_GUEST_X86_RANDOM_H

#include "guest/x86/decode.h"
#include "guest/x86/x86.h"

#include <stdlib.h>
#include <string.h>

enum { X86_DATA_AT = 0x20000000, X86_DATA = 0x2000, X86_STACK_AT = 0x20010000, X86_STACK = 0x2000 };

static uint64_t x86_seed;

static inline uint64_t x86_random(void) /* splitmix64 */
{
    uint64_t z = (x86_seed += 0x9e3779b97f4a7c15ull);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static inline unsigned x86_roll(unsigned n)
{
    return (unsigned)(x86_random() >> 32) % n;
}

/* A number with edges. */
static inline uint64_t x86_number(void)
{
    uint64_t v = x86_random();

    switch (x86_roll(6)) {
    case 0: return v & 0xff;
    case 1: return (uint64_t)(int64_t)(int8_t)v;
    case 2: return 1ull << (v & 63);
    case 3: return (1ull << (v & 63)) - 1;
    case 4: return (uint64_t)(int64_t)(int32_t)v;
    default: return v;
    }
}

/* --- What is not compared --- */

struct x86_undefined {
    char name[12];
    uint32_t flags; /* undefined after it */
};

#define X86_SZAP (X86_FL_SF | X86_FL_ZF | X86_FL_AF | X86_FL_PF)
#define X86_AP   (X86_FL_AF | X86_FL_PF)

static const struct x86_undefined x86_undefined_flags[] = {
    {"and", X86_FL_AF}, {"or", X86_FL_AF}, {"xor", X86_FL_AF}, {"test", X86_FL_AF},
    {"shl", X86_FL_AF | X86_FL_OF}, {"shr", X86_FL_AF | X86_FL_OF}, {"sar", X86_FL_AF | X86_FL_OF},
    {"rol", X86_FL_OF}, {"ror", X86_FL_OF}, {"rcl", X86_FL_OF}, {"rcr", X86_FL_OF},
    {"shld", X86_FL_AF | X86_FL_OF}, {"shrd", X86_FL_AF | X86_FL_OF},
    {"mul", X86_SZAP}, {"imul", X86_SZAP}, {"imul1", X86_SZAP},
    {"div", X86_FL_STATUS}, {"idiv", X86_FL_STATUS},
    {"bt", X86_FL_OF | X86_FL_SF | X86_AP}, {"bts", X86_FL_OF | X86_FL_SF | X86_AP},
    {"btr", X86_FL_OF | X86_FL_SF | X86_AP}, {"btc", X86_FL_OF | X86_FL_SF | X86_AP},
    {"bsf", X86_FL_STATUS & ~X86_FL_ZF}, {"bsr", X86_FL_STATUS & ~X86_FL_ZF},
    {"tzcnt", X86_FL_OF | X86_FL_SF | X86_AP}, {"lzcnt", X86_FL_OF | X86_FL_SF | X86_AP},
    {"andn", X86_AP}, {"blsr", X86_AP}, {"blsmsk", X86_AP}, {"blsi", X86_AP}, {"bzhi", X86_AP}, {"bextr", X86_AP | X86_FL_SF},
    {"daa", X86_FL_OF}, {"das", X86_FL_OF}, {"aaa", X86_FL_STATUS & ~(X86_FL_AF | X86_FL_CF)},
    {"aas", X86_FL_STATUS & ~(X86_FL_AF | X86_FL_CF)}, {"aam", X86_FL_OF | X86_FL_AF | X86_FL_CF},
    {"aad", X86_FL_OF | X86_FL_AF | X86_FL_CF},
};

/* Rows whose results differ from run to run, or that leave the program's hands; user level has no other way to test them. */
static const char *const x86_left_out[] = {
    "cpuid", "rdtsc", "rdtscp", "rdpid", "rdrand", "rdbase", "wrbase", "xgetbv", "syscall", "int", "int3", "int1", "popf", "pop_seg",
    "mov_to_seg", "load_far", "mov_from_seg", "push_seg", "jmp_ind", "call_ind", "ret", "in", "out", "ins", "outs", "hlt", "cli", "sti",
    "into", "vmmcall",
};

static inline uint32_t x86_undefined_of(const char *name)
{
    for (unsigned i = 0; i < sizeof(x86_undefined_flags) / sizeof(x86_undefined_flags[0]); i++)
        if (!strcmp(x86_undefined_flags[i].name, name))
            return x86_undefined_flags[i].flags;
    return 0;
}

static inline bool x86_is_left_out(const char *name)
{
    for (unsigned i = 0; i < sizeof(x86_left_out) / sizeof(x86_left_out[0]); i++)
        if (!strcmp(x86_left_out[i], name))
            return true;
    return false;
}

/* --- Making one --- */

struct x86_maker {
    uint8_t buf[64];
    unsigned n;
    bool code64;
};

static inline void x86_put(struct x86_maker *m, unsigned b)
{
    m->buf[m->n++] = (uint8_t)b;
}

static inline void x86_put_n(struct x86_maker *m, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        x86_put(m, v >> (8 * i) & 0xff);
}

static inline bool x86_word(const char *enc, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = enc; (p = strstr(p, word)); p++)
        if ((p == enc || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

/* ModRM and what follows for a memory operand: most addresses are in the data page. */
static inline void x86_memory(struct x86_maker *m, unsigned reg)
{
    unsigned base = x86_roll(8), index = x86_roll(8), how = x86_roll(8);

    if (how < 3) { /* absolute */
        x86_put(m, reg << 3 | (m->code64 ? 4 : 5));
        if (m->code64)
            x86_put(m, 0x25);
        x86_put_n(m, X86_DATA_AT + x86_roll(X86_DATA - 64), 4);
    } else if (how < 6) { /* base and displacement, or [rBP] and [rSP] forms */
        x86_put(m, 0x40 | reg << 3 | base);
        if (base == 4)
            x86_put(m, 0x24);
        x86_put(m, x86_roll(256));
    } else { /* base, index, scale: mostly a fault, but for small indices */
        unsigned scale = x86_roll(4);

        x86_put(m, 0x80 | reg << 3 | 4);
        x86_put(m, scale << 6 | index << 3 | base);
        x86_put_n(m, x86_roll(2) ? x86_roll(512) : 0, 4);
    }
}

/* Immediates and the like that operand @o of the row has. */
static inline void x86_immediate(struct x86_maker *m, const char *o, unsigned op_size, unsigned addr_size)
{
    unsigned n = o[1] == 'b' ? 1 : o[1] == 'w' ? 2 : o[1] == 'z' || o[1] == 'v' ? op_size : 4;

    if (o[0] == 'I') {
        if (o[1] == 'z' && n == 8)
            n = 4;
        x86_put_n(m, x86_number(), n);
    } else if (o[0] == 'L') {
        x86_put_n(m, x86_number(), 1);
    } else if (o[0] == 'O') {
        x86_put_n(m, X86_DATA_AT + x86_roll(X86_DATA - 8), addr_size);
    } else if (o[0] == 'J') {
        x86_put_n(m, 0, n == 8 ? 4 : n); /* to what follows */
    }
}

struct x86_shape {
    const char *enc, *ops;
    bool modrm, mem, reg, digit, vex, d64, f64;
    unsigned d;
};

static inline struct x86_shape x86_shape_of(unsigned row)
{
    struct x86_shape s = {.enc = x86_row_encoding(row), .ops = x86_row_operands(row)};
    const char *p = strchr(s.enc, '/');

    s.vex = x86_word(s.enc, "VEX");
    s.mem = s.reg = true;
    if (p) {
        s.modrm = true;
        p++;
        if (*p >= '0' && *p <= '7') {
            s.digit = true;
            s.d = (unsigned)(*p++ - '0');
        }
        if (*p == 'm')
            s.reg = false;
        else if (*p == 'g')
            s.mem = false;
    }
    return s;
}

static inline unsigned x86_hex(const char *p)
{
    return (unsigned)strtoul((const char[]){p[0], p[1], 0}, NULL, 16);
}

/* The opcode's bytes after prefixes: 0F, 38, 3A and the last, with its register or condition. */
static inline unsigned x86_opcode(const struct x86_shape *s, unsigned *map)
{
    const char *p = s->enc;
    unsigned op = 0;

    *map = 0;
    for (; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        if (!strncmp(p, "NP", 2) || !strncmp(p, "VEX", 3) || *p == 'L' || *p == 'W' || *p == '/' || *p == '=' || *p == 'i' || *p == 'o' ||
            *p == 'p' || *p == 'r')
            continue;
        if (!strncmp(p, "0F", 2) && !*map) {
            *map = 1;
            continue;
        }
        if (*map == 1 && (!strncmp(p, "38 ", 3) || !strncmp(p, "3A ", 3))) {
            *map = p[1] == '8' ? 2 : 3;
            continue;
        }
        if (!*map && strstr(p, "0F") && (!strncmp(p, "66", 2) || !strncmp(p, "F2", 2) || !strncmp(p, "F3", 2)))
            continue;
        if (s->vex && !*map)
            continue;
        op = x86_hex(p);
        if (p[2] == '+')
            op += x86_roll(p[3] == 'c' ? 16 : 8);
    }
    return op;
}

static inline unsigned x86_mandatory(const struct x86_shape *s)
{
    return x86_word(s->enc, "66") && strncmp(s->enc, "66", 2) == 0 && strstr(s->enc, "0F") ? 0x66
           : !strncmp(s->enc, "F2 ", 3) && strstr(s->enc, "0F")                            ? 0xf2
           : !strncmp(s->enc, "F3 ", 3) && strstr(s->enc, "0F")                            ? 0xf3
                                                                                           : 0;
}

static inline void x86_vex(struct x86_maker *m, const struct x86_shape *s, unsigned map)
{
    unsigned mand = x86_mandatory(s), pp = mand == 0x66 ? 1 : mand == 0xf3 ? 2 : mand == 0xf2 ? 3 : 0;
    unsigned w = x86_word(s->enc, "W1") ? 1 : x86_word(s->enc, "W0") ? 0 : x86_roll(2);
    unsigned l = x86_word(s->enc, "L1") ? 1 : x86_word(s->enc, "L0") ? 0 : x86_roll(2), high = m->code64 ? x86_roll(8) << 5 : 0xe0;
    unsigned v = strchr(s->ops, 'H') || strstr(s->ops, "By") ? (m->code64 ? x86_roll(16) : 8 + x86_roll(8)) : 15;

    if (s->mem)
        high |= 0x60; /* registers that address memory are the old ones */
    x86_put(m, 0xc4);
    x86_put(m, high | map);
    x86_put(m, w << 7 | v << 3 | l << 2 | pp);
}

static inline void x86_prefixes(struct x86_maker *m, const struct x86_shape *s, unsigned row, bool *mem)
{
    const char *name = x86_row_name(row);
    unsigned mand = x86_mandatory(s);
    bool string = !strcmp(name, "movs") || !strcmp(name, "stos") || !strcmp(name, "lods") || !strcmp(name, "cmps") || !strcmp(name, "scas");

    if (string && x86_roll(2))
        x86_put(m, 0xf2 + x86_roll(2));
    if (x86_row_may_lock(row) && s->mem && x86_roll(4) == 0) {
        x86_put(m, 0xf0);
        *mem = true;
    }
    if (m->code64 && x86_roll(24) == 0)
        x86_put(m, 0x67);
    if (mand)
        x86_put(m, mand);
    if ((!mand || strstr(s->ops, "Ev")) && mand != 0x66 && !x86_word(s->enc, "NP") && x86_roll(5) == 0 && !strchr(s->ops, 'J'))
        x86_put(m, 0x66);
    if (m->code64 && (x86_word(s->enc, "rex") || x86_roll(2)))
        x86_put(m, 0x40 | (x86_word(s->enc, "rex") ? 8 : 0) | (x86_roll(3) ? 8u & x86_roll(16) : 0) | x86_roll(2) << 2 |
                       (*mem ? 0 : x86_roll(2)));
}

/** x86_make - one instruction of @row for @mode; its length, 0: it came out as something else, or would not do. */
static inline unsigned x86_make(uint32_t mode, unsigned row, uint8_t *out)
{
    struct x86_maker m = {.code64 = x86_code(mode) == X86_CODE64};
    struct x86_shape s = x86_shape_of(row);
    struct x86_insn i;
    unsigned map, op = x86_opcode(&s, &map), d = s.digit ? s.d : x86_roll(8);
    bool mem = s.mem && (!s.reg || x86_roll(2));
    const char *fixed = strchr(s.enc, '=');

    if (s.vex)
        x86_vex(&m, &s, map);
    else
        x86_prefixes(&m, &s, row, &mem);
    if (map && !s.vex)
        x86_put(&m, 0x0f);
    if (map > 1 && !s.vex)
        x86_put(&m, map == 2 ? 0x38 : 0x3a);
    x86_put(&m, op);
    if (fixed)
        x86_put(&m, x86_hex(fixed + 1));
    else if (s.modrm && mem)
        x86_memory(&m, d);
    else if (s.modrm)
        x86_put(&m, 0xc0 | d << 3 | x86_roll(8));
    memset(m.buf + m.n, 0, 16);
    if (x86_decode(mode, 0x1000, m.buf, sizeof(m.buf), &i) != X86_OK || i.row != row)
        return 0;
    for (const char *o = s.ops; *o; o += strcspn(o, " "), o += strspn(o, " "))
        if (strncmp(o, "ES", 2) && strncmp(o, "1", 1))
            x86_immediate(&m, o, i.op_size, i.addr_size);
    if (x86_decode(mode, 0x1000, m.buf, sizeof(m.buf), &i) != X86_OK || i.row != row || i.len != m.n)
        return 0;
    if (i.op_size == 2 && (!strcmp(x86_row_name(row), "shld") || !strcmp(x86_row_name(row), "shrd")))
        return 0; /* counts above 16: everything is undefined */
    if (i.op_size == 2 && !strcmp(x86_row_name(row), "bswap"))
        return 0;
    if (i.op_size == 2 && x86_row_end(row) != X86_FALL)
        return 0; /* branches of 16 bits: processors of different makers differ */
    memcpy(out, m.buf, m.n);
    return m.n;
}

/* What flags instruction @i leaves undefined, beyond its row: counts that are too large for small operands. */
static inline uint32_t x86_undefined_by(const struct x86_insn *i)
{
    const char *name = x86_row_name(i->row);
    uint32_t fl = x86_undefined_of(name);

    if ((!strcmp(name, "shl") || !strcmp(name, "shr")) && i->op[0].size < 4)
        fl |= X86_FL_CF;
    return fl;
}

#endif
