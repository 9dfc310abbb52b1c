/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the value of each argument. */
#include "calc.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct parser p = {argv[i], NULL};
        double x = parse_expression(&p);
        if (p.error)
            printf("%s: %s\n", argv[i], p.error);
        else
            printf("%s = %.12g\n", argv[i], x);
    }
    return 0;
}
