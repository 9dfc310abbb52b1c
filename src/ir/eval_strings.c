/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE4.2's comparisons of strings (SDM 2B, 4.1: imm8 control byte operation for PCMPESTRI and its kin). */
#include "ir/eval.h"
#include "ir/sse.h"

struct strings {
    int32_t a[16], b[16];
    unsigned n, la, lb; /* elements of a vector, of each string */
};

enum { ANY, RANGES, EACH, ORDERED };

static int32_t element(const union ir_u *v, unsigned format, unsigned i)
{
    switch (format) {
    case 0:
        return v->b[i];
    case 1:
        return v->h[i];
    case 2:
        return v->sb[i];
    default:
        return v->sh[i];
    }
}

static unsigned length(const int32_t *v, unsigned n, bool implicit, int64_t given)
{
    unsigned len = 0;

    if (!implicit)
        return given > (int64_t)n || given < -(int64_t)n ? n : (unsigned)(given < 0 ? -given : given);
    while (len < n && v[len])
        len++;
    return len;
}

static bool in_a(const struct strings *s, int32_t c, bool ranges)
{
    for (unsigned i = 0; i < s->la; i += ranges ? 2 : 1)
        if (ranges ? i + 1 < s->la && s->a[i] <= c && c <= s->a[i + 1] : s->a[i] == c)
            return true;
    return false;
}

/* Does a begin at @at in b, as far as the vector goes? */
static bool begins(const struct strings *s, unsigned at)
{
    for (unsigned i = 0; i < s->la && at + i < s->n; i++)
        if (at + i >= s->lb || s->a[i] != s->b[at + i])
            return false;
    return true;
}

static bool holds(const struct strings *s, unsigned how, unsigned j)
{
    switch (how) {
    case EACH:
        return j < s->la && j < s->lb ? s->a[j] == s->b[j] : j >= s->la && j >= s->lb;
    case ORDERED:
        return begins(s, j);
    default:
        return j < s->lb && in_a(s, s->b[j], how == RANGES);
    }
}

/* The bits of the result, before they become an index or a mask. */
static unsigned compare(struct strings *s, const union ir_u *a, unsigned imm, bool implicit)
{
    unsigned r = 0;

    s->n = imm & 1 ? 8 : 16;
    for (unsigned i = 0; i < s->n; i++) {
        s->a[i] = element(&a[0], imm & 3, i);
        s->b[i] = element(&a[1], imm & 3, i);
    }
    s->la = length(s->a, s->n, implicit, a[2].sd[0]);
    s->lb = length(s->b, s->n, implicit, a[2].sd[1]);
    for (unsigned j = 0; j < s->n; j++)
        r |= (unsigned)holds(s, imm >> 2 & 3, j) << j;
    if (imm & 0x10)
        r ^= imm & 0x20 ? (1u << s->lb) - 1 : (1u << s->n) - 1;
    return r;
}

/* imm8 and, above it, whether strings end with a zero. */
void ir_eval_xstri(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp)
{
    struct strings s;
    unsigned bits = compare(&s, a, how->imm & 0xff, how->imm & IR_XSTR_IMPLICIT), index = s.n;

    (void)fp;
    if (bits)
        index = how->imm & 0x40 ? 31u - (unsigned)__builtin_clz(bits) : (unsigned)__builtin_ctz(bits);
    *r = (union ir_u){.s = {index, bits != 0, s.lb < s.n, (s.la < s.n) | (bits & 1) << 1}};
}

void ir_eval_xstrm(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp)
{
    struct strings s;
    unsigned bits = compare(&s, a, how->imm & 0xff, how->imm & IR_XSTR_IMPLICIT);

    (void)fp;
    *r = (union ir_u){.d = {how->imm & 0x40 ? 0 : bits}};
    for (unsigned i = 0; i < 16 && how->imm & 0x40; i++)
        r->b[i] = bits >> (s.n == 8 ? i / 2 : i) & 1 ? 0xff : 0;
}
