/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes TOTAL AT_ONCE: starts that many children, each of which computes, maps, starts this
 * program again and ends with a status that depends on its number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(int n)
{
    char *p = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned h = n;

    memset(p, n, 1 << 16);
    for (int i = 0; i < 1 << 16; i += 64)
        h = h * 31 + p[i];
    return h != 0 || n == 0 ? n % 100 : 101;
}

int main(int argc, char **argv)
{
    int total, at_once, running = 0, well = 0, started = 0, status;

    if (argc == 2)
        return child(atoi(argv[1]));
    total = atoi(argv[1]);
    at_once = atoi(argv[2]);
    int *number = calloc(4 << 20, sizeof(int)); /* by process number */

    while (started < total || running) {
        if (started < total && running < at_once) {
            char text[16];
            snprintf(text, sizeof(text), "%d", started);
            pid_t pid = fork();
            if (pid == 0) {
                if (started % 4) /* most only fork; one in four executes, too */
                    _exit(child(started));
                execl("/proc/self/exe", argv[0], text, NULL);
                _exit(102);
            }
            if (pid < 0)
                break;
            number[pid] = started++;
            running++;
        } else {
            pid_t pid = wait(&status);
            running--;
            well += WIFEXITED(status) && WEXITSTATUS(status) == number[pid] % 100;
        }
    }
    printf("%d ended well\n", well);
    return 0;
}
