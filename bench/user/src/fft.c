/* SPDX-License-Identifier: GPL-2.0-or-later */
/* radix-2 FFT + libm (sin/exp/log/pow). category: fp */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#define N 4096
static double re[N], im[N], cs[N / 2], sn[N / 2];
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 1000;
    double h = 0;
    for (int i = 0; i < N / 2; i++) {
        cs[i] = cos(2 * M_PI * i / N);
        sn[i] = sin(2 * M_PI * i / N);
    }
    for (int i = 0; i < N; i++) {
        re[i] = i % 17;
        im[i] = 0;
    }
    for (int r = 0; r < n; r++) {
        for (int i = 0, j = 0; i < N; i++) {
            if (j > i) {
                double t = re[i];
                re[i] = re[j];
                re[j] = t;
                t = im[i];
                im[i] = im[j];
                im[j] = t;
            }
            int m = N / 2;
            while (m >= 1 && j & m) {
                j ^= m;
                m >>= 1;
            }
            j |= m;
        }
        for (int l = 1; l < N; l *= 2)
            for (int i = 0; i < N; i += 2 * l)
                for (int k = 0; k < l; k++) {
                    int t = k * (N / 2 / l);
                    double x = re[i + k + l] * cs[t] + im[i + k + l] * sn[t],
                           y = im[i + k + l] * cs[t] - re[i + k + l] * sn[t];
                    re[i + k + l] = re[i + k] - x;
                    im[i + k + l] = im[i + k] - y;
                    re[i + k] += x;
                    im[i + k] += y;
                }
        for (int i = 0; i < N; i++) {
            re[i] *= 1.0 / 64;
            im[i] *= 1.0 / 64;
        }
    }
    for (int i = 0; i < N; i++)
        h += fabs(re[i]) + fabs(im[i]);
    for (int i = 0; i < n * 500; i++)
        h += exp(-i * 1e-6) + log(i + 1.0) + sin(i * .1) + pow(1.0 + i * 1e-6, 1.5);
    printf("%.5f\n", h);
    return 0;
}
