/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 64-bit multiply-high and carry chains (RSA-like modular arithmetic). category: int */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#define N 16
typedef uint32_t W;
typedef uint64_t D;
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 400000;
    W a[2 * N], b[2 * N], r[4 * N];
    for (int i = 0; i < 2 * N; i++) {
        a[i] = i * 0x9E3779B9u + 7;
        b[i] = i * 0x85EBCA6Bu + 3;
    }
    for (int k = 0; k < n; k++) {
        memset(r, 0, sizeof r);
        for (int i = 0; i < 2 * N; i++) {
            D cy = 0;
            for (int j = 0; j < 2 * N; j++) {
                D t = (D)a[i] * b[j] + r[i + j] + cy;
                r[i + j] = (W)t;
                cy = t >> 32;
            }
            r[i + 2 * N] = (W)cy;
        }
        D cy = 0;
        for (int i = 0; i < 2 * N; i++) {
            D t = (D)r[i] + r[i + 2 * N] + cy;
            a[i] = (W)t;
            cy = t >> 32;
        }
        a[0] += (W)cy;
    }
    uint32_t h = 0;
    for (int i = 0; i < 2 * N; i++)
        h = h * 31 + a[i];
    printf("%u\n", h);
    return 0;
}
