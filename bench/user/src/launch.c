/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch FD COMMAND...: runs a command from a small process, so that its peak memory is its own,
 * and writes "cpu_seconds wall_seconds peak_kib wait_status" to the file descriptor. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return t.tv_sec + t.tv_usec * 1e-6;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    double start = now();
    struct rusage usage;
    int status = 0;
    pid_t pid;

    if (argc < 3 || (pid = fork()) < 0)
        return 1;
    if (pid == 0) {
        execv(argv[2], argv + 2);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) != pid)
        return 1;
    dprintf(atoi(argv[1]), "%.6f %.6f %ld %d\n", seconds(usage.ru_utime) + seconds(usage.ru_stime),
            now() - start, usage.ru_maxrss, status);
    return 0;
}
