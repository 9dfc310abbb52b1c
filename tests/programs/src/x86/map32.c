/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MAP_32BIT (mmap(2)): the first 2 GiB, whatever the hint says. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT;
    uintptr_t a = (uintptr_t)mmap(NULL, 65536, PROT_READ, flags, -1, 0);
    uintptr_t b = (uintptr_t)mmap((void *)0x7f0000000000, 65536, PROT_READ, flags, -1, 0);
    uintptr_t c = (uintptr_t)mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    printf("%d %d %d\n", a + 65536 <= 1u << 31, b + 65536 <= 1u << 31, c > 1ull << 32);
    return 0;
}
