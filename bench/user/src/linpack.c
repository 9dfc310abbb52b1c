/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LU solve, scalar daxpy. category: fp */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 300
#endif
static double a[N][N], b[N];
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 25;
    double s = 0;
    for (int r = 0; r < n; r++) {
        unsigned x = 1325 + r;
        for (int i = 0; i < N; i++) {
            b[i] = 0;
            for (int j = 0; j < N; j++) {
                x = 3125 * x % 65536;
                a[i][j] = (x - 32768.0) / 16384;
            }
        }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                b[i] += a[i][j];
        for (int k = 0; k < N; k++) {
            int p = k;
            for (int i = k + 1; i < N; i++)
                if (fabs(a[i][k]) > fabs(a[p][k]))
                    p = i;
            if (p != k) {
                for (int j = 0; j < N; j++) {
                    double t = a[k][j];
                    a[k][j] = a[p][j];
                    a[p][j] = t;
                }
                double t = b[k];
                b[k] = b[p];
                b[p] = t;
            }
            for (int i = k + 1; i < N; i++) {
                double f = a[i][k] / a[k][k];
                for (int j = k; j < N; j++)
                    a[i][j] -= f * a[k][j];
                b[i] -= f * b[k];
            }
        }
        for (int i = N - 1; i >= 0; i--) {
            double t = b[i];
            for (int j = i + 1; j < N; j++)
                t -= a[i][j] * b[j];
            b[i] = t / a[i][i];
        }
        s += b[7];
    }
    printf("%.6f\n", s);
    return 0;
}
