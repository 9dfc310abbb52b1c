/* SPDX-License-Identifier: GPL-2.0-or-later */
/* getppid, 1-byte pread/pwrite, lseek, signals. category: syscall. argv2 selects: g|r|s|c|m */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/syscall.h>
static volatile int hits;
static void hd(int s)
{
    (void)s;
    hits++;
}
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 500000;
    char mode = c > 2 ? v[2][0] : 'g';
    long h = 0;
    char ch = 1;
    int fd = open("/dev/zero", O_RDWR);
    struct timespec ts;
    switch (mode) {
    case 'g':
        for (int i = 0; i < n; i++)
            h += syscall(SYS_getppid) > 0;
        break;
    case 'r':
        for (int i = 0; i < n; i++) {
            h += read(fd, &ch, 1);
            h += write(fd, &ch, 1);
        }
        break;
    case 's':
        signal(SIGUSR1, hd);
        for (int i = 0; i < n; i++)
            raise(SIGUSR1);
        h = hits;
        break;
    case 'c':
        for (int i = 0; i < n; i++) {
            clock_gettime(CLOCK_MONOTONIC, &ts);
            h += ts.tv_sec > 0;
        }
        break;
    case 'm':
        for (int i = 0; i < n; i++) {
            char *p = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            p[4096] = 1;
            h += p[4096];
            munmap(p, 65536);
        }
        break;
    }
    printf("%ld\n", h);
    return 0;
}
