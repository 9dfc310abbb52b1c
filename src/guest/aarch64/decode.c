/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 decoder's lookup: a table by the top eleven bits, filled where programs look.
 *
 * An entry is the list of rows that can still match, most fixed bits first; an entry with more rows than
 * are quickly tried has a second table below it, by bits 15..10.  Entries are made on first use and
 * published with a compare-and-swap, so that no lock is needed: who loses frees his.
 */
#include "guest/aarch64/decode.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 10, FEW = 3, TOP_BITS = 11, LOW_BITS = 6, GROUPS = 16 };

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

/* A row to try. */
struct row {
    uint32_t mask, value;
    uint16_t id;
    uint8_t feat;
};

/* What is common to all words of one table entry: up to n rows, or where to look further. */
struct list {
    struct list **low; /* 1 << LOW_BITS entries; NULL: try the rows */
    unsigned n;
    struct row row[];
};

static struct list *top[1 << TOP_BITS];
static struct list *group[GROUPS];             /* by bits 28..25, to make entries from */
static struct fields *fields_of[A64_NUM_ROWS]; /* made when the row is first met */

static unsigned low_index(uint32_t w)
{
    return w >> 10 & ((1u << LOW_BITS) - 1);
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

/* Publishes @made at @place unless somebody was quicker; gives what is there (pairs with the acquire
 * loads of those who look). */
static struct list *publish(struct list **place, struct list *made)
{
    struct list *old = NULL;

    if (__atomic_compare_exchange_n(place, &old, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    free(made->low);
    free(made);
    return old;
}

static struct list *new_list(unsigned n)
{
    struct list *l = malloc(sizeof(*l) + n * sizeof(l->row[0]));

    if (!l)
        abort();
    l->low = NULL;
    l->n = 0;
    return l;
}

/* All rows, by fixed bits, most first (a counting sort, so rows with as many stay in order). */
static struct row *sorted_rows(void)
{
    struct row *all = malloc(2 * A64_NUM_ROWS * sizeof(*all)), *sorted = all + A64_NUM_ROWS;
    unsigned start[34] = {0};

    if (!all)
        abort();
    for (unsigned i = 0; i < A64_NUM_ROWS; i++) {
        parse_row(&all[i], i);
        start[33 - __builtin_popcount(all[i].mask)]++;
    }
    for (unsigned b = 1; b < 34; b++)
        start[b] += start[b - 1];
    for (unsigned i = 0; i < A64_NUM_ROWS; i++)
        sorted[start[32 - __builtin_popcount(all[i].mask)]++] = all[i];
    memcpy(all, sorted, A64_NUM_ROWS * sizeof(*all));
    return all;
}

/* The rows of @from that @word's bits in @bits do not rule out. */
static struct list *narrow(const struct row *from, unsigned n, uint32_t word, uint32_t bits)
{
    uint16_t fit[A64_NUM_ROWS];
    unsigned fits = 0;
    struct list *l;

    for (unsigned i = 0; i < n; i++) {
        if (((word ^ from[i].value) & from[i].mask & bits) == 0)
            fit[fits++] = i;
    }
    l = new_list(fits);
    for (; l->n < fits; l->n++)
        l->row[l->n] = from[fit[l->n]];
    return l;
}

static void make_groups(void)
{
    struct row *rows = sorted_rows();

    for (unsigned i = 0; i < GROUPS; i++)
        publish(&group[i], narrow(rows, A64_NUM_ROWS, i << 25, 15u << 25));
    free(rows);
}

static struct list *make_top(uint32_t word)
{
    struct list *g = __atomic_load_n(&group[word >> 25 & 15], __ATOMIC_ACQUIRE), *l;

    if (!g) {
        make_groups();
        g = __atomic_load_n(&group[word >> 25 & 15], __ATOMIC_ACQUIRE);
    }
    l = narrow(g->row, g->n, word, ~0u << (32 - TOP_BITS));
    if (l->n > FEW) {
        l->low = calloc(1u << LOW_BITS, sizeof(*l->low));
        if (!l->low)
            abort();
    }
    return publish(&top[word >> (32 - TOP_BITS)], l);
}

static struct list *make_low(const struct list *up, uint32_t word)
{
    uint32_t bits = ((1u << LOW_BITS) - 1) << 10;

    return publish(&up->low[low_index(word)], narrow(up->row, up->n, word, bits));
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
    const struct list *l = __atomic_load_n(&top[word >> (32 - TOP_BITS)], __ATOMIC_ACQUIRE);

    if (!l)
        l = make_top(word);
    if (l->low) {
        const struct list *next = __atomic_load_n(&l->low[low_index(word)], __ATOMIC_ACQUIRE);
        l = next ? next : make_low(l, word);
    }
    for (const struct row *r = l->row, *end = r + l->n; r < end; r++) {
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
