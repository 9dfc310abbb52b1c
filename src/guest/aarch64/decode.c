/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 decoder's lookup: a table by the top eleven bits, filled where programs look.
 *
 * An entry is the list of rows that can still match, most fixed bits first; an entry with more rows than
 * are quickly tried has a second table below it, by bits 15..10.  Entries are made on first use, from
 * the patterns as the compiler has read them, and published with a compare-and-swap, so that no lock is
 * needed: who loses frees his.
 */
#include "guest/aarch64/decode.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 10, FEW = 3, TOP_BITS = 11, LOW_BITS = 6, GROUPS = 16, PATTERN = 48 };

struct text {
    char pattern[PATTERN]; /* embedded: no pointers to relocate when the program starts */
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

/*
 * What a pattern fixes, worked out by the compiler: two bits of the result for each bit of the word, is it
 * fixed and to what.  Text is read from the left; spaces shift nothing in.
 */
#define AT(s, i)       (s "                                                ")[i]
#define BIT(s, i, all) ((all) << 2 * (AT(s, i) != ' ') | ((AT(s, i) & 0xfe) == '0') << 1 | (AT(s, i) == '1'))
#define BIT4(s, i, all)  BIT(s, i + 3, BIT(s, i + 2, BIT(s, i + 1, BIT(s, i, all))))
#define BIT16(s, i, all) BIT4(s, i + 12, BIT4(s, i + 8, BIT4(s, i + 4, BIT4(s, i, all))))
#define FIXED(s)         BIT16(s, 32, BIT16(s, 16, BIT16(s, 0, 0ull)))

static const uint64_t fixed[] = {
#define INSN(name, pattern, feat) FIXED(pattern),
#define INSN_END(name, pattern, feat, end) FIXED(pattern),
#include "guest/aarch64/insn.def"
#include "guest/aarch64/insn_simd.def"
#undef INSN
#undef INSN_END
};
#define EVEN 0x5555555555555555ull

struct field {
    uint32_t mask; /* of its bits, right-justified */
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
        last->mask = last->mask << 1 | 1;
        return;
    }
    if (fs->n == MAX_FIELDS)
        abort();
    fs->f[fs->n++] = (struct field){1, letter - 'a', bit, 1};
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

/* The even bits of @v, together. */
static uint32_t even_bits(uint64_t v)
{
    v &= EVEN;
    v = (v | v >> 1) & 0x3333333333333333;
    v = (v | v >> 2) & 0x0f0f0f0f0f0f0f0f;
    v = (v | v >> 4) & 0x00ff00ff00ff00ff;
    v = (v | v >> 8) & 0x0000ffff0000ffff;
    return (uint32_t)(v | v >> 16);
}

/* The other way: bits with zeros between them. */
static uint64_t spread(uint32_t word)
{
    uint64_t v = word;

    v = (v | v << 16) & 0x0000ffff0000ffff;
    v = (v | v << 8) & 0x00ff00ff00ff00ff;
    v = (v | v << 4) & 0x0f0f0f0f0f0f0f0f;
    v = (v | v << 2) & 0x3333333333333333;
    return (v | v << 1) & EVEN;
}

static struct row make_row(unsigned id)
{
    return (struct row){.mask = even_bits(fixed[id] >> 1), .value = even_bits(fixed[id]), .id = id,
                        .feat = texts[id].feat};
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

/* All rows that bits 28..25 of @word do not rule out, by fixed bits, most first (a counting sort, so rows
 * with as many stay in order). */
static struct list *make_group(uint32_t word)
{
    uint64_t want = spread(word), bits = EVEN & 0xffull << 2 * 25;
    unsigned start[34] = {0}, fits = 0;
    struct row fit[A64_NUM_ROWS];
    struct list *l;

    for (unsigned i = 0; i < A64_NUM_ROWS; i++) {
        if ((fixed[i] ^ want) & fixed[i] >> 1 & bits)
            continue;
        fit[fits] = make_row(i);
        start[33 - __builtin_popcount(fit[fits++].mask)]++;
    }
    for (unsigned b = 1; b < 34; b++)
        start[b] += start[b - 1];
    l = new_list(fits);
    for (; l->n < fits; l->n++)
        l->row[start[32 - __builtin_popcount(fit[l->n].mask)]++] = fit[l->n];
    return publish(&group[word >> 25 & (GROUPS - 1)], l);
}

/* The rows of @from that @word's bits in @bits do not rule out. */
static struct list *narrow(const struct list *from, uint32_t word, uint32_t bits)
{
    uint16_t fit[A64_NUM_ROWS];
    unsigned fits = 0;
    struct list *l;

    for (unsigned i = 0; i < from->n; i++) {
        fit[fits] = i;
        fits += !((word ^ from->row[i].value) & from->row[i].mask & bits);
    }
    l = new_list(fits);
    for (; l->n < fits; l->n++)
        l->row[l->n] = from->row[fit[l->n]];
    return l;
}

static struct list *make_top(uint32_t word)
{
    struct list *g = __atomic_load_n(&group[word >> 25 & (GROUPS - 1)], __ATOMIC_ACQUIRE), *l;

    if (!g)
        g = make_group(word);
    l = narrow(g, word, ~0u << (32 - TOP_BITS));
    if (l->n > FEW) {
        l->low = calloc(1u << LOW_BITS, sizeof(*l->low));
        if (!l->low)
            abort();
    }
    return publish(&top[word >> (32 - TOP_BITS)], l);
}

static struct list *make_low(const struct list *up, uint32_t word)
{
    return publish(&up->low[low_index(word)], narrow(up, word, ((1u << LOW_BITS) - 1) << 10));
}

static void fill(unsigned id, uint32_t word, struct a64_fields *f)
{
    const struct fields *fs = __atomic_load_n(&fields_of[id], __ATOMIC_ACQUIRE);
    uint32_t *v = &f->a;

    if (!fs)
        fs = parse_fields(id);
    memset(f, 0, sizeof(*f));
    for (const struct field *d = fs->f, *end = d + fs->n; d < end; d++)
        v[d->letter] = v[d->letter] << d->width | (word >> d->shift & d->mask);
}

unsigned a64_decode_row(uint32_t word, uint64_t feats)
{
    const struct list *l = __atomic_load_n(&top[word >> (32 - TOP_BITS)], __ATOMIC_ACQUIRE);

    if (!l)
        l = make_top(word);
    if (l->low) {
        const struct list *next = __atomic_load_n(&l->low[low_index(word)], __ATOMIC_ACQUIRE);
        l = next ? next : make_low(l, word);
    }
    for (const struct row *r = l->row, *end = r + l->n; r < end; r++) {
        if (((word ^ r->value) & r->mask) == 0 && (feats >> r->feat & 1))
            return r->id;
    }
    return A64_NO_ROW;
}

unsigned a64_decode(uint32_t word, uint64_t feats, struct a64_fields *f)
{
    unsigned id = a64_decode_row(word, feats);

    if (id != A64_NO_ROW)
        fill(id, word, f);
    return id;
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
    struct row r = make_row(row);

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
