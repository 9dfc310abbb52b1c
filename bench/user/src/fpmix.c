/* SPDX-License-Identifier: GPL-2.0-or-later */
/* single precision, conversions, compares, mandelbrot. category: fp */
#include <stdio.h>
#include <stdlib.h>
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 700;
    long s = 0;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            double a = 3.0 * x / n - 2, b = 2.0 * y / n - 1, p = 0, q = 0;
            int k = 0;
            while (k < 100 && p * p + q * q < 4) {
                double t = p * p - q * q + a;
                q = 2 * p * q + b;
                p = t;
                k++;
            }
            s += k;
        }
    float f = 0;
    for (int i = 0; i < n * 20000; i++) {
        f = f * 0.999f + (float)(i & 1023);
        s += (int)f;
    }
    printf("%ld\n", s);
    return 0;
}
