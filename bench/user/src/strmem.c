/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libc memcpy/memset/strlen/memchr/strcmp at several sizes. category: mem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 20000;
    static char a[65536 + 64], b[65536 + 64];
    unsigned long h = 0;
    memset(a, 'x', 65536);
    void *(*volatile mc)(void *, const void *, size_t) = memcpy;
    size_t (*volatile sl)(const char *) = strlen;
    void *(*volatile ms)(void *, int, size_t) = memset;
    void *(*volatile mch)(const void *, int, size_t) = memchr;
    int (*volatile sc)(const char *, const char *) = strcmp;
    for (int r = 0; r < n; r++) {
        for (int k = 8; k <= 4096; k *= 2) {
            mc(b + (k & 7), a + (r & 15), k);
            b[k] = 0;
            a[k + 16] = 0;
            h += sl(b);
            h += sl(a + (r & 15));
            h += (unsigned long)((char *)mch(a, 0, k + 17) - a);
            h += sc(a, b) > 0;
            a[k + 16] = 'x';
            ms(b, 'x', k);
        }
        if (!(r & 15))
            mc(b, a, 65536);
    }
    printf("%lu\n", h);
    return 0;
}
