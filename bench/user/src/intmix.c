/* SPDX-License-Identifier: GPL-2.0-or-later */
/* branchy integer: sieve, n-queens, crc32, linked list, hash table, base64, bit tricks. category: int */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
static int q(int n, unsigned c, unsigned l, unsigned r)
{
    unsigned m = (1u << n) - 1, a = m & ~(c | l | r);
    int k = 0;
    if (c == m)
        return 1;
    while (a) {
        unsigned b = a & -a;
        a ^= b;
        k += q(n, c | b, ((l | b) << 1) & m, (r | b) >> 1);
    }
    return k;
}
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 6;
    uint64_t h = 0;
    static unsigned char s[1000000];
    static uint32_t tab[256];
    static uint32_t ht[65536];
    struct n {
        struct n *x;
        int v;
    };
    struct n *pool = malloc(sizeof(*pool) * 65536);
    for (int i = 0; i < 256; i++) {
        uint32_t k = i;
        for (int j = 0; j < 8; j++)
            k = k & 1 ? 0xedb88320u ^ (k >> 1) : k >> 1;
        tab[i] = k;
    }
    for (int r = 0; r < n; r++) {
        memset(s, 1, sizeof s);
        for (int i = 2; i < 1000; i++)
            if (s[i])
                for (int j = i * i; j < 1000000; j += i)
                    s[j] = 0;
        for (int i = 0; i < 1000000; i++)
            h += s[i];
        h += q(10, 0, 0, 0);
        uint32_t k = ~0u;
        for (int i = 0; i < 1000000; i++)
            k = tab[(k ^ s[i] ^ i) & 255] ^ (k >> 8);
        h ^= k;
        for (int i = 0; i < 65536; i++) {
            pool[i].v = i;
            pool[i].x = &pool[(i * 40503u + 1) & 65535];
        }
        struct n *p = pool;
        for (int i = 0; i < 1000000; i++) {
            h += p->v;
            p = p->x;
        }
        memset(ht, 0, sizeof ht);
        uint32_t x = r + 1;
        for (int i = 0; i < 40000; i++) {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            uint32_t j = x * 2654435761u >> 16;
            while (ht[j] && ht[j] != x)
                j = (j + 1) & 65535;
            ht[j] = x;
            h += j;
        }
        for (int i = 0; i < 1000000; i++) {
            uint64_t y = h + i;
            y ^= y >> 33;
            y *= 0xff51afd7ed558ccdull;
            y ^= y >> 29;
            h += __builtin_ctzll(y | 1ull << 40) + __builtin_clzll(y | 1);
            h = (h << 7) | (h >> 57);
        }
        for (int i = 1; i < 300000; i++)
            h += (h / (unsigned)(i)) % (unsigned)(i + 3);
    }
    printf("%llu\n", (unsigned long long)h);
    return 0;
}
