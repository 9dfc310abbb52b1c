/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says who the processor is, by CPUID, and whether it has AVX2 and SSE4.2. */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    unsigned a, b, c, d, family, model;
    char vendor[13] = "";

    __get_cpuid(0, &a, &b, &c, &d);
    memcpy(vendor, &b, 4);
    memcpy(vendor + 4, &d, 4);
    memcpy(vendor + 8, &c, 4);
    __get_cpuid(1, &a, &b, &c, &d);
    family = (a >> 8 & 15) + ((a >> 8 & 15) == 15 ? a >> 20 & 255 : 0);
    model = (a >> 4 & 15) | (a >> 12 & 0xf0);
    printf("%s %u %u avx2 %d sse4.2 %d\n", vendor, family, model, !!__builtin_cpu_supports("avx2"), c >> 20 & 1);
    return 0;
}
