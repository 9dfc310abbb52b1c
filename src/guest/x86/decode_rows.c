/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the x86 tables, read into rules and lookup lists (decode.h). */
#include "guest/x86/decode_priv.h"

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

struct rule x86_rules[X86_NUM_ROWS];
static uint16_t first[2][MAPS][256]; /* by VEX, map and opcode: where the list starts in chain; 0: empty */
static uint16_t *chain;              /* rows, each list ends with X86_NO_ROW */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

/* --- Reading the tables --- */

/* The word at @p, which a space or the end ends, is @w. */
static bool is_word(const char *p, const char *w)
{
    size_t n = strlen(w);

    return strncmp(p, w, n) == 0 && (!p[n] || p[n] == ' ');
}

/* The opcode at @p has these two digits.  (Each start reads all rows: what is asked of every word is two comparisons.) */
static bool is_opcode(const char *p, char high, char low)
{
    return p[0] == high && p[1] == low;
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

static void read_opcode(struct rule *r, const char *p, bool *opcode)
{
    r->opcode = (uint8_t)hex(p);
    r->span = p[2] == '+' ? p[3] == 'c' ? 16 : 8 : 1;
    *opcode = true;
}

static void read_word(struct rule *r, const char *p, bool *opcode)
{
    switch (*p) {
    case 'N': /* NP */
        r->prefix = PFX_NP;
        return;
    case 'V': /* VEX */
        r->vex = 1;
        return;
    case 'L':
        r->length = (uint8_t)(p[1] - '0');
        return;
    case 'W':
        r->w = (uint8_t)(p[1] - '0');
        return;
    case '/':
        read_slash(r, p + 1);
        return;
    case '=':
        r->modrm = 1;
        r->fixed = true;
        r->exact = (uint8_t)hex(p + 1);
        return;
    case 'i': /* i64 */
        r->where |= NOT_64;
        return;
    case 'o': /* o64 */
        r->where |= ONLY_64;
        return;
    case 's': /* sys */
        r->where |= ONLY_SYSTEM;
        return;
    case 'p': /* pe */
        r->where |= ONLY_PE;
        return;
    case 'r': /* rex */
        r->where |= REX_W;
        return;
    default:
        if (is_hex(p))
            read_opcode(r, p, opcode);
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

/* 66, F3 and F2 are opcodes, too: prefixes only before 0F or VEX. */
static uint8_t mandatory_prefix(const char *p)
{
    uint8_t prefix = is_opcode(p, '6', '6') ? PFX_66 : is_opcode(p, 'F', '3') ? PFX_F3 : is_opcode(p, 'F', '2') ? PFX_F2 : PFX_ANY;

    while (prefix && *(p = next_word(p)))
        if (is_opcode(p, '0', 'F') || *p == 'V')
            return prefix;
    return PFX_ANY;
}

static void read_encoding(struct rule *r, const char *p)
{
    bool opcode = false;
    uint8_t prefix;

    for (; *p; p = next_word(p)) {
        if (!r->map && (prefix = mandatory_prefix(p)))
            r->prefix = prefix;
        else if (!r->map && !opcode && is_opcode(p, '0', 'F'))
            r->map = 1;
        else if (r->map == 1 && !opcode && is_opcode(p, '3', '8') && p[2] == ' ')
            r->map = 2;
        else if (r->map == 1 && !opcode && is_opcode(p, '3', 'A') && p[2] == ' ')
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
    switch (type) {
    case 0: return 0;
    case 'b': return 1;
    case 'w': return 2;
    case 'd': return 4;
    case 'q': return 8;
    case 't': return 10;
    case 'o': return 16;
    case 'h': return 32;
    default: return VARIES;
    }
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

static uint8_t letter_flags(char letter)
{
    switch (letter) {
    case 'R': return X86_FLAGS_READ;
    case 'W': return X86_FLAGS_WRITE;
    case 'S': return X86_FLAGS_SHIFT;
    default: return X86_FLAGS_PART;
    }
}

static void read_attribute(struct rule *r, const char *p)
{
    if (!p[1] || p[1] == ' ') {
        r->flags |= letter_flags(*p);
        return;
    }
    switch (*p) {
    case 'j': r->end = X86_JMP; break;
    case 'c': r->end = p[1] == 'o' ? X86_COND : X86_CALL; break;
    case 'i': r->end = X86_IND; break;
    case 't': r->end = X86_TRAP; break;
    case 'l': r->lock = true; break;
    case 'd': r->d64 = true; break;
    case 's': r->sx = true; break;
    case 'v': r->vsib = true; break;
    case 'f':
        if (p[1] == '6')
            r->f64 = true;
        else
            r->full = true;
        break;
    case 'r':
        if (p[2] == 'p')
            r->rep = true;
        else
            r->end = X86_RET;
        break;
    }
}

static void read_attributes(struct rule *r, const char *p)
{
    for (; *p; p = next_word(p))
        read_attribute(r, p);
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
        struct rule *r = &x86_rules[i];

        r->length = r->w = r->digit = ANY;
        r->feat = texts[i].feat;
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
        const struct rule *r = &x86_rules[i];

        for (unsigned o = r->opcode; o < (unsigned)r->opcode + r->span; o++)
            chain[first[r->vex][r->map][o] + filled[r->vex][r->map][o]++] = (uint16_t)i;
    }
    __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
}

/* Of what is asked for every instruction, the usual case is one load. */
void x86_want_rows(void)
{
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        pthread_once(&once, read_rows);
}

const uint16_t *x86_rules_of(bool vex, unsigned map, uint8_t opcode)
{
    unsigned at = map < MAPS ? first[vex][map][opcode] : 0;

    return at ? &chain[at] : NULL;
}

/* --- About rows --- */

static const struct rule *rule(unsigned row)
{
    static const struct rule none = {.end = X86_TRAP};

    x86_want_rows();
    return row < X86_NUM_ROWS ? &x86_rules[row] : &none;
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

static bool is_xsave(unsigned feat)
{
    return feat == X86_FEAT_XSAVE || feat == X86_FEAT_XSAVEOPT || feat == X86_FEAT_XSAVEC || feat == X86_FEAT_XSAVES;
}

/* MMX registers among the operands are P, Q and N; XMM registers V, W, U and o (insn_x87.def). */
static enum x86_unit unit_of_x87_row(const struct text *t)
{
    bool mmx = strpbrk(t->ops, "PQN") || strcmp(t->name, "emms") == 0;

    if (strcmp(t->name, "fwait") == 0)
        return X86_UNIT_WAIT;
    if (mmx && strpbrk(t->ops, "VWU"))
        return X86_UNIT_SSE;
    return mmx ? X86_UNIT_MMX : X86_UNIT_X87;
}

enum x86_unit x86_row_unit(unsigned row)
{
    if (row < ROWS_INTEGER || row >= X86_NUM_ROWS)
        return X86_UNIT_INTEGER;
    if (texts[row].feat == X86_FEAT_FXSR) /* CR4.OSFXSR does not forbid FXSAVE and FXRSTOR */
        return X86_UNIT_X87;
    if (is_xsave(texts[row].feat))
        return X86_UNIT_XSAVE;
    if (row < ROWS_X87)
        return unit_of_x87_row(&texts[row]);
    return rule(row)->vex ? X86_UNIT_AVX : X86_UNIT_SSE;
}
