/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends as told: "exit STATUS" or "signal NUMBER". */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "signal") == 0)
        raise(atoi(argv[2]));
    return argc > 2 ? atoi(argv[2]) : 0;
}
