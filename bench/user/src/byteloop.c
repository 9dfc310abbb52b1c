/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hand-written byte loops (copy, count, toupper, lz match). category: mem. Build -O2 (-fno-tree-vectorize) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 3000;
    static unsigned char a[65536], b[65536];
    unsigned h = 0;
    for (int i = 0; i < 65536; i++)
        a[i] = (i * i >> 5) ^ i;
    for (int r = 0; r < n; r++) {
        for (int i = 0; i < 65536; i++) {
            unsigned char x = a[i];
            if (x >= 'a' && x <= 'z')
                x -= 32;
            b[i] = x;
            __asm__ volatile("" ::: "memory");
        }
        unsigned m = 0;
        for (int i = 1; i < 65536; i++)
            m += b[i] == b[i - 1];
        h = h * 31 + m;
        a[r & 65535] ^= m;
    }
    printf("%u\n", h);
    return 0;
}
