/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhrystone-like: records, small functions, string compare/copy, branches. category: int */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct rec {
    struct rec *next;
    int kind, e, i;
    char s[31];
};
static int glob;
static char c1, c2;
static int a1[50], a2[50][50];
static struct rec *pg, *pn;
static __attribute__((noinline)) int f1(char a, char b)
{
    char x = a;
    if (x != b)
        return 0;
    c1 = x;
    return 1;
}
static __attribute__((noinline)) int f2(const char *a, const char *b)
{
    int k = 2;
    char ch = 'A';
    while (k <= 2)
        if (f1(a[k], b[k + 1]) == 0) {
            ch = 'A';
            k++;
        } else {
            ch = 'B';
            if (k > 5)
                break;
            k++;
        }
    if (ch >= 'W' && ch < 'Z')
        k = 7;
    if (ch == 'R')
        return 1;
    if (strcmp(a, b) > 0) {
        glob = k + 7;
        return 1;
    }
    return 0;
}
static __attribute__((noinline)) int f3(int e)
{
    return e == 2;
}
static __attribute__((noinline)) void p6(int e, int *r)
{
    *r = e;
    if (!f3(e))
        *r = 3;
    switch (e) {
    case 0: *r = 0; break;
    case 1: *r = glob > 100 ? 0 : 3; break;
    case 2: *r = 1; break;
    case 4: *r = 2;
    }
}
static __attribute__((noinline)) void p7(int a, int b, int *r)
{
    *r = b + a + 2;
}
static __attribute__((noinline)) void p8(int *x, int y[50][50], int k, int v)
{
    int l = k + 5;
    x[l] = v;
    x[l + 1] = x[l];
    x[l + 30] = l;
    for (int i = l; i <= l + 1; i++)
        y[l][i] = l;
    y[l][l - 1]++;
    y[l + 20][l] = x[l];
    glob = 5;
}
static __attribute__((noinline)) void p3(struct rec **r)
{
    if (pg)
        *r = pg->next;
    p7(10, glob, &pg->i);
}
static __attribute__((noinline)) void p1(struct rec *r)
{
    struct rec *n = r->next;
    *r->next = *pg;
    r->i = 5;
    n->i = r->i;
    n->next = r->next;
    p3(&n->next);
    if (n->kind == 0) {
        n->i = 6;
        p6(r->e, &n->e);
        n->next = pg->next;
        p7(n->i, 10, &n->i);
    } else
        *r = *r->next;
}
static __attribute__((noinline)) void p2(int *r)
{
    int l = *r + 10, e = 0;
    for (;;) {
        if (c1 == 'A') {
            l--;
            *r = l - glob;
            e = 1;
        }
        if (e)
            break;
    }
}
static __attribute__((noinline)) void p4(void)
{
    int b = c1 == 'A';
    b |= glob & 1;
    c2 = 'B';
    (void)b;
}
static __attribute__((noinline)) void p5(void)
{
    c1 = 'A';
}
int main(int c, char **v)
{
    long n = c > 1 ? atol(v[1]) : 12000000;
    pn = calloc(1, sizeof *pn);
    pg = calloc(1, sizeof *pg);
    pg->next = pn;
    pg->e = 2;
    pg->i = 40;
    strcpy(pg->s, "DHRYSTONE PROGRAM, SOME STRING");
    char s1[31], s2[31];
    strcpy(s1, "DHRYSTONE PROGRAM, 1'ST STRING");
    int i1 = 0, i2 = 0, i3 = 0, e = 0;
    for (long r = 0; r < n; r++) {
        p5();
        p4();
        i1 = 2;
        i2 = 3;
        strcpy(s2, "DHRYSTONE PROGRAM, 2'ND STRING");
        e = 1;
        glob += !f2(s1, s2);
        while (i1 < i2) {
            i3 = 5 * i1 - i2;
            p7(i1, i2, &i3);
            i1++;
        }
        p8(a1, a2, i1, i3);
        p1(pg);
        for (char ch = 'A'; ch <= c2; ch++)
            if (e == f1(ch, 'C'))
                p6(0, &e);
        i2 = i2 * i1;
        i1 = i2 / i3;
        i2 = 7 * (i2 - i3) - i1;
        p2(&i1);
    }
    printf("%d %d %d %d %d\n", glob, i1, i2, i3, a2[8][7]);
    return 0;
}
