/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86 decoder: rows of the tables into lookup lists, bytes into instructions (SDM 2A, chapter 2; decode.h). */
#include "guest/x86/decode.h"

#include "guest/x86/x86.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Arrays, not pointers: nothing to relocate when the program starts. */
struct text {
    char name[20], enc[28], ops[20], attr[20];
    uint8_t feat;
};

static const struct text texts[] = {
#define INSN(name, enc, ops, feat, attr) {#name, enc, ops, attr, X86_FEAT_##feat},
#include "guest/x86/insn_system.def"
#include "guest/x86/insn.def"
#include "guest/x86/insn_x87.def"
#include "guest/x86/insn_simd.def"
#undef INSN
};

enum { MAPS = 4, ANY = 0xff, VARIES = 0xff };
enum prefix { PFX_ANY, PFX_NP, PFX_66, PFX_F3, PFX_F2 };
enum { MOD_ANY, MOD_MEM, MOD_REG };
enum { ONLY_64 = 1, NOT_64 = 2, ONLY_PE = 4, REX_W = 8, ONLY_SYSTEM = 16 };

/* What rows ask of an instruction, in one word: a row says which bits it looks at, and what they must be. */
enum key {
    KEY_MODRM = 0xff,
    KEY_REG = 1 << 8, /* ModRM has no memory operand */
    KEY_PREFIX = 9,   /* shift: mandatory prefix less PFX_NP, 2 bits */
    KEY_L = 1 << 11,
    KEY_W = 1 << 12,
    KEY_64 = 1 << 13,
    KEY_PE = 1 << 14,
    KEY_SYSTEM = 1 << 15,
};

struct rule {
    uint8_t map, opcode, span; /* opcodes opcode .. opcode + span - 1 */
    uint8_t prefix, vex, length, w; /* length, w: ANY, 0, 1 */
    uint8_t modrm;  /* follows */
    uint8_t digit, mod, exact; /* digit, exact: ANY: not asked; exact only with @fixed */
    bool fixed;
    uint8_t where;
    uint8_t end, flags;
    bool lock, d64, f64, sx, rep, full, vsib;
    uint16_t key, looks_at; /* enum key */
    uint8_t n_ops;
    uint8_t size[X86_MAX_OPERANDS]; /* of the operand; VARIES */
    char method[X86_MAX_OPERANDS], type[X86_MAX_OPERANDS]; /* method 'r': fixed register, type its number; 'i': fixed 1 */
};

static struct rule rules[X86_NUM_ROWS];
static uint16_t first[2][MAPS][256]; /* by VEX, map and opcode: where the list starts in chain; 0: empty */
static uint16_t *chain;              /* rows, each list ends with X86_NO_ROW */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

/* --- Reading the tables --- */

static bool begins(const char *p, const char *with)
{
    while (*with)
        if (*p++ != *with++)
            return false;
    return true;
}

/* The word at @p, which a space or the end ends, is @w. */
static bool is_word(const char *p, const char *w)
{
    size_t n = strlen(w);

    return begins(p, w) && (!p[n] || p[n] == ' ');
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static unsigned hex(const char *p)
{
    return (unsigned)(digit(p[0]) * 16 + digit(p[1]));
}

static bool is_hex(const char *p)
{
    return digit(p[0]) >= 0 && digit(p[1]) >= 0;
}

static void read_slash(struct rule *r, const char *p)
{
    r->modrm = 1;
    if (*p >= '0' && *p <= '7')
        r->digit = (uint8_t)(*p - '0');
    if (*p == 'm' || p[1] == 'm')
        r->mod = MOD_MEM;
    else if (*p == 'g' || p[1] == 'g')
        r->mod = MOD_REG;
}

static void read_word(struct rule *r, const char *p, bool *opcode)
{
    if (begins(p, "NP")) {
        r->prefix = PFX_NP;
    } else if (begins(p, "VEX")) {
        r->vex = 1;
    } else if (*p == 'L') {
        r->length = (uint8_t)(p[1] - '0');
    } else if (*p == 'W') {
        r->w = (uint8_t)(p[1] - '0');
    } else if (*p == '/') {
        read_slash(r, p + 1);
    } else if (*p == '=') {
        r->modrm = 1;
        r->fixed = true;
        r->exact = (uint8_t)hex(p + 1);
    } else if (begins(p, "i64")) {
        r->where |= NOT_64;
    } else if (begins(p, "o64")) {
        r->where |= ONLY_64;
    } else if (begins(p, "sys")) {
        r->where |= ONLY_SYSTEM;
    } else if (begins(p, "pe")) {
        r->where |= ONLY_PE;
    } else if (begins(p, "rex")) {
        r->where |= REX_W;
    } else if (is_hex(p)) {
        r->opcode = (uint8_t)hex(p);
        r->span = p[2] == '+' ? p[3] == 'c' ? 16 : 8 : 1;
        *opcode = true;
    }
}

static const char *next_word(const char *p)
{
    while (*p && *p != ' ')
        p++;
    while (*p == ' ')
        p++;
    return p;
}

static void read_encoding(struct rule *r, const char *p)
{
    bool opcode = false, mandatory = false;

    for (const char *q = p; *q; q = next_word(q)) /* 66, F3 and F2 are opcodes, too: prefixes only before 0F or VEX */
        mandatory |= begins(q, "0F") || begins(q, "VEX");
    for (; *p; p = next_word(p)) {
        if (mandatory && !r->map && begins(p, "66"))
            r->prefix = PFX_66;
        else if (mandatory && !r->map && begins(p, "F3"))
            r->prefix = PFX_F3;
        else if (mandatory && !r->map && begins(p, "F2"))
            r->prefix = PFX_F2;
        else if (!r->map && !opcode && begins(p, "0F"))
            r->map = 1;
        else if (r->map == 1 && !opcode && begins(p, "38 "))
            r->map = 2;
        else if (r->map == 1 && !opcode && begins(p, "3A "))
            r->map = 3;
        else
            read_word(r, p, &opcode);
    }
}

/* Fixed registers; 1 is an immediate. */
static bool fixed_register(struct rule *r, const char *p)
{
    static const char names[][5] = {"AL", "CL", "AH", "DX", "rAX", "eAX", "XMM0", "1", "ES", "CS", "SS", "DS", "FS", "GS"};

    if (p[1] >= 'a' && p[1] <= 'z') /* a method and a type */
        return false;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_word(p, names[i])) {
            r->method[r->n_ops] = 'r';
            r->type[r->n_ops] = (char)i;
            return true;
        }
    return false;
}

/* Sizes that only the row decides. */
static uint8_t fixed_size(char type)
{
    static const char types[] = "bwdqoht";
    static const uint8_t sizes[] = {1, 2, 4, 8, 16, 32, 10};
    const char *p = type ? strchr(types, type) : NULL;

    return p ? sizes[p - types] : type ? VARIES : 0;
}

static void read_operands(struct rule *r, const char *p)
{
    for (; *p && r->n_ops < X86_MAX_OPERANDS; p = next_word(p), r->n_ops++)
        if (!fixed_register(r, p)) {
            r->method[r->n_ops] = *p;
            r->type[r->n_ops] = p[1] == ' ' ? 0 : p[1];
            r->size[r->n_ops] = fixed_size(r->type[r->n_ops]);
        }
}

static void read_attributes(struct rule *r, const char *p)
{
    static const struct {
        char word[5];
        uint8_t end;
    } ends[] = {{"jmp", X86_JMP}, {"cond", X86_COND}, {"call", X86_CALL},
                {"ret", X86_RET}, {"ind", X86_IND},   {"trap", X86_TRAP}};

    for (; *p; p = next_word(p)) {
        size_t len = strcspn(p, " ");

        for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
            if (is_word(p, ends[i].word))
                r->end = ends[i].end;
        if (len == 1)
            r->flags |= *p == 'R'   ? X86_FLAGS_READ
                        : *p == 'W' ? X86_FLAGS_WRITE
                        : *p == 'S' ? X86_FLAGS_SHIFT
                                    : X86_FLAGS_PART;
        r->lock |= begins(p, "lock");
        r->d64 |= begins(p, "d64");
        r->f64 |= begins(p, "f64");
        r->sx |= begins(p, "sx");
        r->full |= begins(p, "full");
        r->vsib |= begins(p, "vsib");
        r->rep |= len == 3 && begins(p, "rep");
    }
}

static void must_be(struct rule *r, unsigned bits, unsigned value)
{
    r->looks_at |= (uint16_t)bits;
    r->key |= (uint16_t)value;
}

static void make_key(struct rule *r)
{
    if (r->prefix != PFX_ANY)
        must_be(r, 3 << KEY_PREFIX, (unsigned)(r->prefix - PFX_NP) << KEY_PREFIX);
    if (r->length != ANY)
        must_be(r, KEY_L, r->length ? KEY_L : 0);
    if (r->w != ANY || r->where & REX_W)
        must_be(r, KEY_W, r->where & REX_W || r->w ? KEY_W : 0);
    if (r->digit != ANY)
        must_be(r, 7 << 3, (unsigned)r->digit << 3);
    if (r->fixed)
        must_be(r, KEY_MODRM, r->exact);
    if (r->mod != MOD_ANY)
        must_be(r, KEY_REG, r->mod == MOD_REG ? KEY_REG : 0);
    if (r->where & (ONLY_64 | NOT_64))
        must_be(r, KEY_64, r->where & ONLY_64 ? KEY_64 : 0);
    if (r->where & ONLY_PE)
        must_be(r, KEY_PE, KEY_PE);
    if (r->where & ONLY_SYSTEM)
        must_be(r, KEY_SYSTEM, KEY_SYSTEM);
}

/* How many rows each list has, then where it is filled next. */
static void make_lists(uint32_t total)
{
    uint32_t at = 1;

    chain = malloc((total + 2 * MAPS * 256 + 1) * sizeof(*chain));
    if (!chain)
        abort();
    for (unsigned v = 0; v < 2; v++)
        for (unsigned m = 0; m < MAPS; m++)
            for (unsigned o = 0; o < 256; o++) {
                uint32_t n = first[v][m][o];

                first[v][m][o] = n ? (uint16_t)at : 0;
                at += n ? n + 1 : 0;
                if (n)
                    chain[at - 1] = X86_NO_ROW;
            }
}

static void read_rows(void)
{
    uint16_t filled[2][MAPS][256] = {0};
    uint32_t total = 0;

    for (unsigned i = 0; i < X86_NUM_ROWS; i++) {
        struct rule *r = &rules[i];

        r->length = r->w = r->digit = ANY;
        read_encoding(r, texts[i].enc);
        read_operands(r, texts[i].ops);
        read_attributes(r, texts[i].attr);
        make_key(r);
        total += r->span;
        for (unsigned o = r->opcode; o < (unsigned)r->opcode + r->span; o++)
            first[r->vex][r->map][o]++;
    }
    make_lists(total);
    for (unsigned i = 0; i < X86_NUM_ROWS; i++) {
        const struct rule *r = &rules[i];

        for (unsigned o = r->opcode; o < (unsigned)r->opcode + r->span; o++)
            chain[first[r->vex][r->map][o] + filled[r->vex][r->map][o]++] = (uint16_t)i;
    }
    __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
}

/* Of what is asked for every instruction, the usual case is one load. */
static void want_rows(void)
{
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        pthread_once(&once, read_rows);
}

/* --- Reading an instruction --- */

struct reader {
    const uint8_t *p;
    size_t n, avail; /* avail: at most X86_MAX_LEN */
    size_t readable; /* bytes at p */
    bool is_short;
    uint32_t mode;
    uint64_t pc;
    struct x86_insn *i;
    uint8_t last_rep;
    bool addr_prefix;
    bool vsib;  /* the row's */
    uint8_t mand; /* enum prefix */
};

static uint8_t byte(struct reader *d)
{
    if (d->n >= d->avail) {
        d->is_short = true;
        return 0;
    }
    return d->p[d->n++];
}

static uint64_t bytes(struct reader *d, unsigned n)
{
    uint64_t v = 0;

    if (d->n + n > d->avail) {
        d->is_short = true;
        return 0;
    }
    if (d->n + sizeof(v) <= d->readable) {
        memcpy(&v, d->p + d->n, sizeof(v));
        v &= ~0ull >> (64 - 8 * n);
    } else {
        memcpy(&v, d->p + d->n, n);
    }
    d->n += n;
    return v;
}

static int64_t sbytes(struct reader *d, unsigned n)
{
    return n ? (int64_t)(bytes(d, n) << (64 - 8 * n)) >> (64 - 8 * n) : 0;
}

static bool code64(const struct reader *d)
{
    return x86_code(d->mode) == X86_CODE64;
}

/* 26 2E 36 3E 64 65 66 67 F0 F2 F3, a bit for each byte. */
static bool is_legacy_prefix(uint8_t b)
{
    static const uint32_t prefixes[8] = {[1] = 0x40404040, [3] = 0xf0, [7] = 0xd0000};

    return prefixes[b >> 5] >> (b & 31) & 1;
}

static void legacy_prefix(struct reader *d, uint8_t b)
{
    struct x86_insn *i = d->i;
    static const uint8_t segs[] = {X86_ES, X86_CS, X86_SS, X86_DS};

    switch (b) {
    case 0x26: case 0x2e: case 0x36: case 0x3e:
        if (!code64(d))
            i->seg_prefix = segs[b >> 3 & 3];
        break;
    case 0x64: case 0x65:
        i->seg_prefix = b == 0x64 ? X86_FS : X86_GS;
        break;
    case 0x66:
        i->data16 = true;
        break;
    case 0x67:
        d->addr_prefix = true;
        break;
    case 0xf0:
        i->lock = true;
        break;
    default:
        d->last_rep = b;
        i->rep = b == 0xf3;
        i->repne = b == 0xf2;
    }
}

/* VEX: C4 or C5, which are LES and LDS where the next byte is no register form outside 64-bit mode. */
static bool vex_prefix(struct reader *d, uint8_t b, unsigned *map)
{
    static const uint8_t pp[] = {PFX_NP, PFX_66, PFX_F3, PFX_F2};
    struct x86_insn *i = d->i;
    uint8_t b1, b2;

    if ((b != 0xc4 && b != 0xc5) || d->n >= d->avail)
        return false;
    if (!code64(d) && (d->p[d->n] < 0xc0 || !(d->mode & X86_MODE_PE) || (d->mode & X86_MODE_VM)))
        return false;
    b1 = byte(d);
    b2 = b == 0xc4 ? byte(d) : (uint8_t)(b1 & 0x7f);
    i->vex = true;
    i->rex = (uint8_t)(0x40 | (~b1 >> 5 & 4));
    *map = 1;
    if (b == 0xc4) {
        i->rex |= (uint8_t)((~b1 >> 5 & 3) | (b2 >> 4 & 8));
        *map = b1 & 31;
    }
    if (!code64(d))
        i->rex &= 8 | 0x40;
    i->w = i->rex & 8;
    i->vvvv = (uint8_t)(~b2 >> 3 & (code64(d) ? 15 : 7));
    i->vex_l = b2 & 4;
    d->mand = pp[b2 & 3];
    return true;
}

static void sib(struct reader *d, unsigned mod)
{
    struct x86_insn *i = d->i;
    uint8_t b = byte(d);
    unsigned index = (b >> 3 & 7) | (i->rex & 2 ? 8 : 0), base = (b & 7) | (i->rex & 1 ? 8 : 0);

    i->ea.scale = b >> 6;
    i->ea.index = index == X86_SP && !d->vsib ? X86_NO_REG : (uint8_t)index;
    i->ea.base = (uint8_t)base;
    if ((b & 7) == X86_BP && !mod) {
        i->ea.base = X86_NO_REG;
        i->ea.disp = sbytes(d, 4);
    }
}

static void ea16(struct reader *d, unsigned mod, unsigned rm)
{
    static const uint8_t base[] = {X86_BX, X86_BX, X86_BP, X86_BP, X86_SI, X86_DI, X86_BP, X86_BX};
    static const uint8_t index[] = {X86_SI, X86_DI, X86_SI, X86_DI, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG};
    struct x86_ea *ea = &d->i->ea;

    ea->base = base[rm];
    ea->index = index[rm];
    if (rm == 6 && !mod) {
        ea->base = X86_NO_REG;
        ea->disp = sbytes(d, 2);
    }
    if (mod)
        ea->disp = sbytes(d, mod == 1 ? 1 : 2);
}

static void ea32(struct reader *d, unsigned mod, unsigned rm)
{
    struct x86_insn *i = d->i;

    i->ea.base = (uint8_t)(rm | (i->rex & 1 ? 8 : 0));
    if (rm == X86_SP) {
        sib(d, mod);
    } else if (rm == X86_BP && !mod) {
        i->ea.base = X86_NO_REG;
        i->ea.rip = code64(d);
        i->ea.disp = sbytes(d, 4);
    }
    if (mod)
        i->ea.disp = sbytes(d, mod == 1 ? 1 : 4);
}

static void memory_operand(struct reader *d)
{
    struct x86_insn *i = d->i;
    unsigned mod = i->modrm >> 6, rm = i->modrm & 7;
    bool stack;

    if (i->addr_size == 2)
        ea16(d, mod, rm);
    else
        ea32(d, mod, rm);
    stack = i->ea.base == X86_BP || (i->ea.base == X86_SP && i->addr_size != 2);
    i->ea.seg = i->seg_prefix != X86_NO_SEG ? i->seg_prefix : stack ? X86_SS : X86_DS;
}

static unsigned key_of(const struct reader *d, uint8_t modrm)
{
    const struct x86_insn *i = d->i;
    unsigned pe = (d->mode & (X86_MODE_PE | X86_MODE_VM)) == X86_MODE_PE ? KEY_PE : 0;

    return modrm | (modrm >= 0xc0 ? KEY_REG : 0) | (unsigned)(d->mand - PFX_NP) << KEY_PREFIX | (i->vex_l ? KEY_L : 0) |
           (i->w ? KEY_W : 0) | (code64(d) ? KEY_64 : 0) | pe | (d->mode & X86_MODE_SYSTEM ? KEY_SYSTEM : 0);
}

static unsigned find_row(struct reader *d, unsigned map, uint8_t opcode)
{
    const struct x86_features *f = x86_features_of(d->mode);
    unsigned at = map < MAPS ? first[d->i->vex][map][opcode] : 0;
    uint8_t modrm = d->n < d->avail ? d->p[d->n] : 0;
    unsigned key;

    if (!at)
        return X86_NO_ROW;
    key = key_of(d, modrm);
    for (; chain[at] != X86_NO_ROW; at++) {
        const struct rule *r = &rules[chain[at]];

        if (r->modrm && d->n >= d->avail) {
            d->is_short = true;
            return X86_NO_ROW;
        }
        if (!((key ^ r->key) & r->looks_at) && (texts[chain[at]].feat == X86_FEAT_BASE || x86_has(f, texts[chain[at]].feat)))
            return chain[at];
    }
    return X86_NO_ROW;
}

/* --- Operands --- */

/* Sizes that prefixes decide, too. */
static uint8_t size_of(const struct reader *d, char type)
{
    const struct x86_insn *i = d->i;

    switch (type) {
    case 'v': return i->op_size;
    case 'z': return i->op_size == 2 ? 2 : 4;
    case 'y': return i->w && code64(d) ? 8 : 4;
    case 'x': return i->vex_l ? 32 : 16;
    case 'p': return (uint8_t)(i->op_size + 2);
    case 's': return code64(d) ? 10 : 6;
    case 'n': return code64(d) ? 8 : 4;
    case 'a': return (uint8_t)(2 * i->op_size);
    default: return 0;
    }
}

static struct x86_operand gpr(const struct reader *d, unsigned reg, uint8_t size)
{
    if (size == 1 && !d->i->rex && reg >= 4)
        return (struct x86_operand){X86_OP_GPRH, (uint8_t)(reg - 4), 1};
    return (struct x86_operand){X86_OP_GPR, (uint8_t)reg, size};
}

static struct x86_operand fixed_operand(const struct reader *d, unsigned n)
{
    static const struct x86_operand o[] = {
        {X86_OP_GPR, X86_AX, 1}, {X86_OP_GPR, X86_CX, 1}, {X86_OP_GPRH, X86_AX, 1}, {X86_OP_GPR, X86_DX, 2},
        {X86_OP_GPR, X86_AX, 0}, {X86_OP_GPR, X86_AX, 0}, {X86_OP_VEC, 0, 16},      {X86_OP_IMM, 0, 1},
        {X86_OP_SEG, X86_ES, 2}, {X86_OP_SEG, X86_CS, 2}, {X86_OP_SEG, X86_SS, 2},  {X86_OP_SEG, X86_DS, 2},
        {X86_OP_SEG, X86_FS, 2}, {X86_OP_SEG, X86_GS, 2},
    };
    struct x86_operand r = o[n];

    if (n == 4)
        r.size = d->i->op_size;
    else if (n == 5)
        r.size = d->i->op_size == 2 ? 2 : 4;
    else if (n == 7)
        d->i->imm = 1;
    return r;
}

static struct x86_operand immediate(struct reader *d, const struct rule *r, uint8_t size, char type)
{
    struct x86_insn *i = d->i;
    int64_t v;

    if (type == 'v' && size == 8 && i->op_size == 8)
        v = (int64_t)bytes(d, 8); /* MOV r64, imm64 only */
    else if (type == 'b' && !r->sx)
        v = (int64_t)bytes(d, 1);
    else if (type == 'w')
        v = (int64_t)bytes(d, 2);
    else
        v = sbytes(d, size);
    if (i->imm2 || (r->n_ops && i->n_ops && i->op[i->n_ops - 1].kind == X86_OP_IMM))
        i->imm2 = v; /* ENTER, EXTRQ */
    else
        i->imm = v;
    if (type == 'z' || r->sx)
        size = i->op_size;
    return (struct x86_operand){X86_OP_IMM, 0, size};
}

/* The target: a linear address, like pc. */
static struct x86_operand relative(struct reader *d, char type)
{
    struct x86_insn *i = d->i;
    unsigned n = type == 'b' ? 1 : i->op_size == 2 ? 2 : 4;

    i->imm = sbytes(d, n);
    i->imm += (int64_t)(d->pc + d->n);
    if (!code64(d)) /* a segment's base is not known here: then 16-bit code does not wrap at 64 KiB */
        i->imm &= i->op_size == 2 && (d->mode & X86_MODE_FLAT) ? 0xffff : 0xffffffff;
    return (struct x86_operand){X86_OP_REL, 0, i->op_size};
}

static struct x86_operand vector(const struct reader *d, unsigned reg, uint8_t size)
{
    return (struct x86_operand){X86_OP_VEC, (uint8_t)(code64(d) ? reg : reg & 7), size};
}

static struct x86_operand operand(struct reader *d, const struct rule *r, unsigned n)
{
    struct x86_insn *i = d->i;
    uint8_t size = r->size[n] == VARIES ? size_of(d, r->type[n]) : r->size[n];
    unsigned reg = (i->modrm >> 3 & 7) | (i->rex & 4 ? 8 : 0), rm = (i->modrm & 7) | (i->rex & 1 ? 8 : 0);
    bool mem = i->modrm < 0xc0;

    switch (r->method[n]) {
    case 'r':
        return fixed_operand(d, (unsigned)r->type[n]);
    case 'A':
        i->imm = (int64_t)bytes(d, size - 2u);
        i->imm2 = (int64_t)bytes(d, 2);
        return (struct x86_operand){X86_OP_FAR, 0, size};
    case 'B':
        return (struct x86_operand){X86_OP_GPR, i->vvvv, size};
    case 'C':
        return (struct x86_operand){X86_OP_CR, (uint8_t)reg, size};
    case 'D':
        return (struct x86_operand){X86_OP_DR, (uint8_t)reg, size};
    case 'E':
        return mem ? (struct x86_operand){X86_OP_MEM, 0, size} : gpr(d, rm, size);
    case 'G':
        return gpr(d, reg, size);
    case 'H':
        return vector(d, i->vvvv, size);
    case 'I':
        return immediate(d, r, size, r->type[n]);
    case 'J':
        return relative(d, r->type[n]);
    case 'L':
        i->imm = (int64_t)bytes(d, 1);
        return vector(d, (unsigned)i->imm >> 4 & 15, size);
    case 'M':
        return (struct x86_operand){X86_OP_MEM, 0, size};
    case 'N':
        return (struct x86_operand){X86_OP_MM, i->modrm & 7, 8};
    case 'O':
        i->ea = (struct x86_ea){X86_NO_REG, X86_NO_REG, 0, i->seg_prefix != X86_NO_SEG ? i->seg_prefix : X86_DS, false,
                                (int64_t)bytes(d, i->addr_size)};
        return (struct x86_operand){X86_OP_MEM, 0, size};
    case 'P':
        return (struct x86_operand){X86_OP_MM, i->modrm >> 3 & 7, 8};
    case 'Q':
        return mem ? (struct x86_operand){X86_OP_MEM, 0, size} : (struct x86_operand){X86_OP_MM, i->modrm & 7, 8};
    case 'R':
        return gpr(d, rm, size);
    case 'S':
        return (struct x86_operand){X86_OP_SEG, i->modrm >> 3 & 7, 2};
    case 'T':
        return (struct x86_operand){X86_OP_ST, i->modrm & 7, 10};
    case 'U':
        return vector(d, rm, size);
    case 'V':
        return vector(d, reg, size);
    case 'W':
        return mem ? (struct x86_operand){X86_OP_MEM, 0, size} : vector(d, rm, size);
    case 'X':
        i->ea.seg = i->seg_prefix != X86_NO_SEG ? i->seg_prefix : X86_DS;
        return (struct x86_operand){X86_OP_STR_SRC, X86_SI, size};
    case 'Y':
        return (struct x86_operand){X86_OP_STR_DST, X86_DI, size};
    case 'Z':
        return gpr(d, (i->opcode & 7u) | (i->rex & 1 ? 8 : 0), size);
    default:
        return (struct x86_operand){X86_OP_NONE, 0, 0};
    }
}

static void sizes(struct reader *d, const struct rule *r)
{
    struct x86_insn *i = d->i;
    unsigned code = x86_code(d->mode);

    i->op_size = i->data16 != (code == X86_CODE16) ? 2 : 4;
    if (code == X86_CODE64) {
        if (r->f64)
            i->op_size = 8;
        else if (i->w)
            i->op_size = 8;
        else if (r->d64 && !i->data16)
            i->op_size = 8;
    }
    if (code == X86_CODE64)
        i->addr_size = d->addr_prefix ? 4 : 8;
    else
        i->addr_size = d->addr_prefix != (code == X86_CODE16) ? 2 : 4;
}

static bool opcode(struct reader *d, unsigned *map, uint8_t *b)
{
    struct x86_insn *i = d->i;

    for (*b = byte(d); is_legacy_prefix(*b) && !d->is_short; *b = byte(d)) {
        legacy_prefix(d, *b);
        if (d->n >= X86_MAX_LEN)
            return false;
    }
    d->mand = d->last_rep == 0xf3 ? PFX_F3 : d->last_rep == 0xf2 ? PFX_F2 : i->data16 ? PFX_66 : PFX_NP;
    if (code64(d) && (*b & 0xf0) == 0x40) {
        i->rex = *b;
        i->w = *b & 8;
        *b = byte(d);
        if (is_legacy_prefix(*b)) { /* REX not last: ignored */
            i->rex = 0;
            i->w = false;
            d->n--;
            return opcode(d, map, b);
        }
    }
    *map = 0;
    if (!i->rex && !i->lock && !d->last_rep && !i->data16 && vex_prefix(d, *b, map)) {
        *b = byte(d);
    } else if (*b == 0x0f) {
        *map = 1;
        *b = byte(d);
        if (*b == 0x38 || *b == 0x3a) {
            *map = *b == 0x38 ? 2 : 3;
            *b = byte(d);
        }
    }
    return true;
}

enum x86_decoded x86_decode(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, struct x86_insn *out)
{
    struct reader d = {code, 0, avail < X86_MAX_LEN ? avail : X86_MAX_LEN, avail, .mode = mode, .pc = pc, .i = out};
    const struct rule *r;
    unsigned map;
    uint8_t b;

    want_rows();
    *out = (struct x86_insn){.row = X86_NO_ROW, .seg_prefix = X86_NO_SEG};
    out->ea.base = out->ea.index = X86_NO_REG;
    if (!opcode(&d, &map, &b))
        return X86_TOO_LONG;
    out->map = (uint8_t)map;
    out->opcode = b;
    if (!d.is_short)
        out->row = (uint16_t)find_row(&d, map, b);
    if (out->row != X86_NO_ROW) {
        r = &rules[out->row];
        sizes(&d, r);
        if (r->modrm) {
            out->modrm = byte(&d);
            d.vsib = r->vsib;
            if (out->modrm < 0xc0 && !r->fixed)
                memory_operand(&d);
        }
        for (; out->n_ops < r->n_ops; out->n_ops++)
            out->op[out->n_ops] = operand(&d, r, out->n_ops);
        if (out->lock && (!r->lock || out->modrm >= 0xc0 || !r->modrm))
            out->row = X86_NO_ROW;
    }
    if (d.is_short)
        return avail >= X86_MAX_LEN ? X86_TOO_LONG : X86_SHORT;
    out->len = (uint8_t)d.n;
    if (out->ea.rip)
        out->ea.disp += (int64_t)(pc + d.n);
    return X86_OK;
}

/* --- About rows --- */

static const struct rule *rule(unsigned row)
{
    static const struct rule none = {.end = X86_TRAP};

    want_rows();
    return row < X86_NUM_ROWS ? &rules[row] : &none;
}

const char *x86_row_name(unsigned row)
{
    return row < X86_NUM_ROWS ? texts[row].name : "undefined";
}

const char *x86_row_encoding(unsigned row)
{
    return row < X86_NUM_ROWS ? texts[row].enc : "";
}

const char *x86_row_operands(unsigned row)
{
    return row < X86_NUM_ROWS ? texts[row].ops : "";
}

enum x86_feature x86_row_feature(unsigned row)
{
    return row < X86_NUM_ROWS ? texts[row].feat : X86_FEAT_BASE;
}

enum x86_end x86_row_end(unsigned row)
{
    return rule(row)->end;
}

unsigned x86_row_flags(unsigned row)
{
    return rule(row)->flags;
}

bool x86_insn_alone(const struct x86_insn *i)
{
    const struct rule *r = rule(i->row);

    return r->full && (!r->rep || i->rep || i->repne);
}

bool x86_insn_repeats(const struct x86_insn *i)
{
    return rule(i->row)->rep && (i->rep || i->repne);
}

bool x86_row_may_lock(unsigned row)
{
    return rule(row)->lock;
}

/* Rows of tables, by counting. */
enum {
#define INSN(name, enc, ops, feat, attr) +1
    ROWS_INTEGER = 0
#include "guest/x86/insn_system.def"
#include "guest/x86/insn.def"
    ,
    ROWS_X87 = ROWS_INTEGER
#include "guest/x86/insn_x87.def"
#undef INSN
};

enum x86_unit x86_row_unit(unsigned row)
{
    if (row < ROWS_INTEGER || row >= X86_NUM_ROWS)
        return X86_UNIT_INTEGER;
    if (row < ROWS_X87 || texts[row].feat == X86_FEAT_FXSR) /* CR4.OSFXSR does not forbid FXSAVE and FXRSTOR */
        return X86_UNIT_X87;
    return rule(row)->vex ? X86_UNIT_AVX : X86_UNIT_SSE;
}
