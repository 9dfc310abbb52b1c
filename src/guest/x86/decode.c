/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86 decoder: bytes into instructions (SDM 2A, chapter 2; decode.h). */
#include "guest/x86/decode_priv.h"

#include "guest/x86/x86.h"

#include <string.h>

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
    const uint16_t *row = x86_rules_of(d->i->vex, map, opcode);
    uint8_t modrm = d->n < d->avail ? d->p[d->n] : 0;
    unsigned key;

    if (!row)
        return X86_NO_ROW;
    key = key_of(d, modrm);
    for (; *row != X86_NO_ROW; row++) {
        const struct rule *r = &x86_rules[*row];

        if (r->modrm && d->n >= d->avail) {
            d->is_short = true;
            return X86_NO_ROW;
        }
        if (!((key ^ r->key) & r->looks_at) && (r->feat == X86_FEAT_BASE || x86_has(f, r->feat)))
            return *row;
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

/* The row of @map and opcode, and all that it says. */
static void read_row(struct reader *d, unsigned map)
{
    struct x86_insn *i = d->i;
    const struct rule *r;

    i->row = (uint16_t)find_row(d, map, i->opcode);
    if (i->row == X86_NO_ROW)
        return;
    r = &x86_rules[i->row];
    sizes(d, r);
    if (r->modrm) {
        i->modrm = byte(d);
        d->vsib = r->vsib;
        if (i->modrm < 0xc0 && !r->fixed)
            memory_operand(d);
    }
    for (; i->n_ops < r->n_ops; i->n_ops++)
        i->op[i->n_ops] = operand(d, r, i->n_ops);
    if (i->lock && (!r->lock || i->modrm >= 0xc0 || !r->modrm)) {
        i->row = X86_NO_ROW;
        return;
    }
    i->end = r->end;
    i->flags = r->flags;
}

enum x86_decoded x86_decode_fully(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, struct x86_insn *out)
{
    struct reader d = {code, 0, avail < X86_MAX_LEN ? avail : X86_MAX_LEN, avail, .mode = mode, .pc = pc, .i = out};
    unsigned map;

    x86_want_rows();
    *out = (struct x86_insn){.row = X86_NO_ROW, .seg_prefix = X86_NO_SEG, .end = X86_TRAP};
    out->ea.base = out->ea.index = X86_NO_REG;
    if (!opcode(&d, &map, &out->opcode))
        return X86_TOO_LONG;
    out->map = (uint8_t)map;
    if (!d.is_short)
        read_row(&d, map);
    if (d.is_short)
        return avail >= X86_MAX_LEN ? X86_TOO_LONG : X86_SHORT;
    out->len = (uint8_t)d.n;
    if (out->ea.rip)
        out->ea.disp += (int64_t)(pc + d.n);
    return X86_OK;
}

enum x86_decoded x86_decode(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, struct x86_insn *out)
{
    enum x86_decoded how;

    if (avail >= X86_MAX_LEN && x86_quick_decode(mode, pc, code, out))
        return X86_OK;
    how = x86_decode_fully(mode, pc, code, avail, out);
    if (how == X86_OK && avail >= X86_MAX_LEN)
        x86_quick_learn(mode, code, out);
    return how;
}
