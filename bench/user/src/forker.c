/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runs argv[2..] argv[1] times. category: startup */
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
int main(int c, char **v)
{
    (void)c;
    for (int n = atoi(v[1]); n > 0; n--) {
        pid_t p = fork();
        if (!p) {
            execvp(v[2], v + 2);
            _exit(127);
        }
        int s;
        waitpid(p, &s, 0);
        if (s)
            return 1;
    }
    return 0;
}
