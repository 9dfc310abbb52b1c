/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gcc -O3 -ffast-math float/double vector kernels. category: simd-fp */
#include <stdio.h>
#include <stdlib.h>
#define N 4096
#define M 96
static float x[N], y[N];
static double d[N], e[N];
static float A[M][M], B[M][M], C[M][M];
__attribute__((noinline)) static void saxpy(float a)
{
    for (int i = 0; i < N; i++)
        y[i] = a * x[i] + y[i] * 0.5f;
}
__attribute__((noinline)) static double dot(void)
{
    double s = 0;
    for (int i = 0; i < N; i++)
        s += d[i] * e[i];
    return s;
}
__attribute__((noinline)) static void mm(void)
{
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < M; j++)
            C[i][j] = 0;
        for (int k = 0; k < M; k++)
            for (int j = 0; j < M; j++)
                C[i][j] += A[i][k] * B[k][j];
    }
}
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 3000;
    double h = 0;
    for (int i = 0; i < N; i++) {
        x[i] = i % 13;
        d[i] = i % 7;
        e[i] = 1.0 / (i + 1);
    }
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) {
            A[i][j] = i - j;
            B[i][j] = 1.0f / (i + j + 1);
        }
    for (int r = 0; r < n; r++) {
        for (int k = 0; k < 8; k++) {
            saxpy(0.25f);
            h += dot();
            d[r % N] += 1e-9;
        }
        if (!(r & 3)) {
            mm();
            A[r % M][0] += C[1][1] * 1e-9f;
        }
    }
    for (int i = 0; i < N; i++)
        h += y[i];
    printf("%.3f\n", h);
    return 0;
}
