/* SPDX-License-Identifier: GPL-2.0-or-later */
/* call/return heavy. category: call */
#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline, noclone, optimize("no-optimize-sibling-calls"))) static unsigned long
fib(unsigned n)
{
    if (n < 2)
        return n;
    unsigned long a = fib(n - 1);
    __asm__ volatile("" : "+r"(a));
    return a + fib(n - 2);
}
int main(int c, char **v)
{
    printf("%lu\n", fib(c > 1 ? atoi(v[1]) : 39));
    return 0;
}
