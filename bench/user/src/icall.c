/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtual-call / qsort-callback heavy. category: call */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
typedef struct obj obj;
struct obj {
    uint32_t (*f)(obj *, uint32_t);
    uint32_t v;
};
static uint32_t a(obj *o, uint32_t x)
{
    return x * 3 + o->v;
}
static uint32_t b(obj *o, uint32_t x)
{
    return (x ^ o->v) + 7;
}
static uint32_t d(obj *o, uint32_t x)
{
    return x - (o->v << 1);
}
static uint32_t e(obj *o, uint32_t x)
{
    return (x >> 1) + o->v;
}
static int cmp(const void *p, const void *q)
{
    uint32_t x = *(const uint32_t *)p, y = *(const uint32_t *)q;
    return (x > y) - (x < y);
}
int main(int c, char **v)
{
    long n = c > 1 ? atol(v[1]) : 600;
    uint32_t (*t[])(obj *, uint32_t) = {a, b, d, e};
    static obj o[1024];
    static uint32_t w[4096];
    uint32_t s = 1;
    for (int i = 0; i < 1024; i++) {
        s = s * 1664525 + 1013904223;
        o[i].f = t[s >> 30];
        o[i].v = s;
    }
    for (long r = 0; r < n; r++) {
        for (int k = 0; k < 50; k++)
            for (int i = 0; i < 1024; i++)
                s = o[i].f(&o[i], s);
        for (int i = 0; i < 4096; i++) {
            s = s * 1664525 + 1013904223;
            w[i] = s;
        }
        qsort(w, 4096, 4, cmp);
        s ^= w[s & 4095];
    }
    printf("%u\n", s);
    return 0;
}
