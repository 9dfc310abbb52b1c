/* SPDX-License-Identifier: GPL-2.0-or-later */
/* category: fp */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
static double A(int i, int j)
{
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}
static void m(int n, double *v, double *o, int t)
{
    for (int i = 0; i < n; i++) {
        double s = 0;
        for (int j = 0; j < n; j++)
            s += (t ? A(j, i) : A(i, j)) * v[j];
        o[i] = s;
    }
}
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 1100;
    double *u = malloc(n * 8), *w = malloc(n * 8), *t = malloc(n * 8), a = 0, b = 0;
    for (int i = 0; i < n; i++)
        u[i] = 1;
    for (int i = 0; i < 10; i++) {
        m(n, u, t, 0);
        m(n, t, w, 1);
        m(n, w, t, 0);
        m(n, t, u, 1);
    }
    for (int i = 0; i < n; i++) {
        a += u[i] * w[i];
        b += w[i] * w[i];
    }
    printf("%.9f\n", sqrt(a / b));
    return 0;
}
