/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code written through one mapping of shared memory, flushed there, and run through another. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    int fd = memfd_create("code", 0);
    uint32_t *w, *x;

    ftruncate(fd, 8192);
    w = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 4096);
    for (uint32_t i = 0; i < 2000; i++) {
        w[1024] = 0x52800000 | i << 5; /* mov w0, #i */
        w[1025] = 0xd65f03c0;          /* ret */
        __builtin___clear_cache((char *)&w[1024], (char *)&w[1026]);
        if (((uint32_t(*)(void))x)() != i) {
            printf("old code ran at %u\n", i);
            return 1;
        }
    }
    puts("ok");
    return 0;
}
