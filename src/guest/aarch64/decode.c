/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 decoder's lookup: a tree over instruction bits, grown where programs look.
 *
 * Each node holds the rows that can still match, most fixed bits first.  A node with more rows than
 * are quickly tried has children, by the bits of its level.  Nodes are made on first use and
 * published with a compare-and-swap, so that no lock is needed: who loses frees his.
 */
#include "guest/aarch64/decode.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 10, FEW = 3, LEVELS = 3 };

struct text {
    char pattern[60]; /* embedded: no pointers to relocate when the program starts */
    uint8_t feat, end;
};

static const struct text texts[] = {
#define INSN(name, pattern, feat) {pattern, A64_FEAT_##feat, A64_FALL},
#define INSN_END(name, pattern, feat, end) {pattern, A64_FEAT_##feat, end},
#include "guest/aarch64/insn.def"
#include "guest/aarch64/insn_simd.def"
#undef INSN
#undef INSN_END
};

struct field {
    uint8_t letter, shift, width;
};

struct fields {
    unsigned n;
    struct field f[MAX_FIELDS];
};

struct row {
    uint32_t mask, value;
    uint16_t id;
    uint8_t feat;
};

struct node {
    struct node **child; /* NULL: few enough rows to try */
    uint16_t n;
    uint16_t row[]; /* indices into the sorted rows */
};

static struct row *rows; /* sorted by descending number of fixed bits */
static struct fields *fields_of[A64_NUM_ROWS]; /* made when the row is first met */
static struct node *root;

/* The bits that tell a level's children apart: first the major group, then what is left of the top,
 * last the opcode field of register forms. */
static unsigned child_of(uint32_t w, unsigned level)
{
    switch (level) {
    case 0:
        return w >> 25 & 15;
    case 1:
        return (w >> 29) << 4 | (w >> 21 & 15);
    default:
        return w >> 10 & 63;
    }
}

static uint32_t level_mask(unsigned level)
{
    static const uint32_t mask[LEVELS] = {15u << 25, 7u << 29 | 15u << 21, 63u << 10};
    return mask[level];
}

static unsigned level_children(unsigned level)
{
    static const unsigned n[LEVELS] = {16, 128, 64};
    return n[level];
}

/* Adds pattern bit @bit of field @letter; a field is extended while its bits are adjacent. */
static void add_bit(struct fields *fs, char letter, unsigned bit)
{
    struct field *last = fs->n ? &fs->f[fs->n - 1] : NULL;

    if (last && last->letter == letter - 'a' && last->shift == bit + 1) {
        last->shift = bit;
        last->width++;
        return;
    }
    if (fs->n == MAX_FIELDS)
        abort();
    fs->f[fs->n++] = (struct field){letter - 'a', bit, 1};
}

/* Most programs use a tenth of the rows, so each is cut when it is first met. */
static const struct fields *parse_fields(unsigned id)
{
    struct fields *fs = calloc(1, sizeof(*fs)), *old = NULL;
    unsigned bit = 32;

    if (!fs)
        abort();
    for (const char *p = texts[id].pattern; *p; p++) {
        if (*p == ' ')
            continue;
        bit--;
        if (*p >= 'a')
            add_bit(fs, *p, bit);
    }
    if (__atomic_compare_exchange_n(&fields_of[id], &old, fs, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return fs;
    free(fs);
    return old;
}

/* Every row is read when the first instruction is decoded: no branches. */
static void parse_row(struct row *r, unsigned id)
{
    uint32_t mask = 0, value = 0;

    for (const char *p = texts[id].pattern; *p; p++) {
        unsigned takes = *p != ' ', fixed = (*p & 0xfe) == '0';
        mask = mask << takes | fixed;
        value = value << takes | (fixed & *p);
    }
    *r = (struct row){.mask = mask, .value = value, .id = id, .feat = texts[id].feat};
}

/* Counting sort by fixed bits, most first, rows of the lists in their order. */
static struct row *parse_rows(void)
{
    struct row *all = malloc(sizeof(*all) * A64_NUM_ROWS);
    struct row *sorted = malloc(sizeof(*sorted) * A64_NUM_ROWS);
    unsigned start[34] = {0};

    if (!all || !sorted)
        abort();
    for (unsigned i = 0; i < A64_NUM_ROWS; i++) {
        parse_row(&all[i], i);
        start[33 - __builtin_popcount(all[i].mask)]++;
    }
    for (unsigned b = 1; b < 34; b++)
        start[b] += start[b - 1];
    for (unsigned i = 0; i < A64_NUM_ROWS; i++)
        sorted[start[32 - __builtin_popcount(all[i].mask)]++] = all[i];
    free(all);
    return sorted;
}

static struct node *new_node(unsigned n, unsigned level)
{
    struct node *node = malloc(sizeof(*node) + n * sizeof(node->row[0]));

    if (!node)
        abort();
    node->n = 0;
    node->child = NULL;
    if (n > FEW && level < LEVELS) {
        node->child = calloc(level_children(level), sizeof(struct node *));
        if (!node->child)
            abort();
    }
    return node;
}

/* Publishes @made at @place unless somebody was quicker; gives what is there (release pairs with the
 * acquire loads in a64_decode). */
static struct node *publish(struct node **place, struct node *made)
{
    struct node *old = NULL;

    if (__atomic_compare_exchange_n(place, &old, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    free(made->child);
    free(made);
    return old;
}

static struct node *make_root(void)
{
    struct row *fresh = parse_rows(), *old = NULL;
    struct node *n = new_node(A64_NUM_ROWS, 0);

    if (!__atomic_compare_exchange_n(&rows, &old, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        free(fresh);
    for (; n->n < A64_NUM_ROWS; n->n++)
        n->row[n->n] = n->n;
    return publish(&root, n);
}

static struct node *make_child(const struct node *up, unsigned level, uint32_t word)
{
    uint32_t bits = level_mask(level);
    uint16_t fit[A64_NUM_ROWS];
    unsigned n = 0;
    struct node *node;

    for (unsigned i = 0; i < up->n; i++) {
        const struct row *r = &rows[up->row[i]];
        if (((word ^ r->value) & r->mask & bits) == 0)
            fit[n++] = up->row[i];
    }
    node = new_node(n, level + 1);
    memcpy(node->row, fit, n * sizeof(fit[0]));
    node->n = n;
    return publish(&up->child[child_of(word, level)], node);
}

static void fill(unsigned id, uint32_t word, struct a64_fields *f)
{
    const struct fields *fs = __atomic_load_n(&fields_of[id], __ATOMIC_ACQUIRE);
    uint32_t *v = &f->a;

    if (!fs)
        fs = parse_fields(id);
    memset(f, 0, sizeof(*f));
    for (unsigned i = 0; i < fs->n; i++) {
        struct field fd = fs->f[i];
        uint32_t bits = word >> fd.shift & ((1u << fd.width) - 1);
        v[fd.letter] = v[fd.letter] << fd.width | bits;
    }
}

unsigned a64_decode(uint32_t word, uint64_t feats, struct a64_fields *f)
{
    struct node *n = __atomic_load_n(&root, __ATOMIC_ACQUIRE);

    if (!n)
        n = make_root();
    for (unsigned level = 0; n->child; level++) {
        struct node *next = __atomic_load_n(&n->child[child_of(word, level)], __ATOMIC_ACQUIRE);
        n = next ? next : make_child(n, level, word);
    }
    for (unsigned i = 0; i < n->n; i++) {
        const struct row *r = &rows[n->row[i]];
        if (((word ^ r->value) & r->mask) == 0 && (feats >> r->feat & 1)) {
            fill(r->id, word, f);
            return r->id;
        }
    }
    return A64_NO_ROW;
}

enum a64_end a64_row_end(unsigned row)
{
    return row < A64_NUM_ROWS ? texts[row].end : A64_TRAP;
}

enum a64_feature a64_row_feature(unsigned row)
{
    return texts[row].feat;
}

const char *a64_row_pattern(unsigned row)
{
    return texts[row].pattern;
}

void a64_row_bits(unsigned row, uint32_t *mask, uint32_t *value)
{
    struct row r;

    parse_row(&r, row);
    *mask = r.mask;
    *value = r.value;
}

/* One string, so that names need no table of pointers. */
const char *a64_row_name(unsigned row)
{
    static const char names[] =
#define INSN(name, pattern, feat) #name "\0"
#define INSN_END(name, pattern, feat, end) #name "\0"
#include "guest/aarch64/insn.def"
#include "guest/aarch64/insn_simd.def"
#undef INSN
#undef INSN_END
        "undefined";
    const char *p = names;

    while (row--)
        p += strlen(p) + 1;
    return p;
}

uint64_t a64_rows_features(void)
{
    return 0
#define INSN(name, pattern, feat) | 1ull << A64_FEAT_##feat
#define INSN_END(name, pattern, feat, end) | 1ull << A64_FEAT_##feat
#include "guest/aarch64/insn.def"
#include "guest/aarch64/insn_simd.def"
#undef INSN
#undef INSN_END
        ;
}
