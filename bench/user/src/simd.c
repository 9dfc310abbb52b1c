/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gcc -O3 auto-vectorised kernels. category: simd */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#define N 8192
static int32_t a[N], b[N];
static uint8_t u[N], w[N], z[N];
static int16_t s[N], t[N];
__attribute__((noinline)) static void k1(int32_t *x, const int32_t *y)
{
    for (int i = 0; i < N; i++)
        x[i] = x[i] * 5 + (y[i] ^ (x[i] >> 3));
}
__attribute__((noinline)) static void k2(uint8_t *r, const uint8_t *x, const uint8_t *y)
{
    for (int i = 0; i < N; i++)
        r[i] = (x[i] + y[i] + 1) >> 1;
}
__attribute__((noinline)) static int k3(const int16_t *x, const int16_t *y)
{
    int h = 0;
    for (int i = 0; i < N; i++)
        h += x[i] * y[i];
    return h;
}
__attribute__((noinline)) static void k4(uint8_t *r, const uint8_t *x)
{
    for (int i = 0; i < N; i++)
        r[i] = x[i] > 200 ? 255 : x[i] < 40 ? 0 : x[i];
}
__attribute__((noinline)) static int k5(const uint8_t *x, const uint8_t *y)
{
    int h = 0;
    for (int i = 0; i < N; i++)
        h += abs(x[i] - y[i]);
    return h;
}
__attribute__((noinline)) static void k6(int32_t *x, const int32_t *y)
{
    for (int i = 0; i < N; i++)
        x[i] = x[i] > y[i] ? x[i] : y[i];
}
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 40000;
    unsigned h = 0;
    for (int i = 0; i < N; i++) {
        a[i] = i * 77;
        b[i] = i * i;
        u[i] = i * 3;
        w[i] = i * 7 >> 1;
        s[i] = i;
        t[i] = i * 5;
    }
    for (int r = 0; r < n; r++) {
        k1(a, b);
        k2(z, u, w);
        h += k3(s, t);
        k4(u, z);
        h += k5(u, w);
        k6(b, a);
        u[r % N] = r;
        w[r % N] = r >> 3;
    }
    for (int i = 0; i < N; i++)
        h = h * 31 + a[i] + z[i];
    printf("%u\n", h);
    return 0;
}
