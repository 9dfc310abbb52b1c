/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recursive descent: sums of products of powers of atoms. */
#include "calc.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static char peek(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
    return *p->at;
}

static double atom(struct parser *p)
{
    char c = peek(p);

    if (c == '(') {
        p->at++;
        double x = parse_expression(p);
        if (peek(p) == ')')
            p->at++;
        else
            p->error = "want )";
        return x;
    }
    if (c == '-') {
        p->at++;
        return -atom(p);
    }
    if (isalpha((unsigned char)c)) {
        const char *name = p->at;
        while (isalpha((unsigned char)*p->at))
            p->at++;
        int len = p->at - name;
        return apply(name, len, atom(p), p);
    }
    char *end;
    double x = strtod(p->at, &end);
    if (end == p->at)
        p->error = "want a number";
    p->at = end;
    return x;
}

static double power(struct parser *p)
{
    double x = atom(p);

    if (peek(p) != '^')
        return x;
    p->at++;
    return pow(x, power(p));
}

static double product(struct parser *p)
{
    double x = power(p);

    for (;;) {
        char c = peek(p);
        if (c != '*' && c != '/')
            return x;
        p->at++;
        double y = power(p);
        x = c == '*' ? x * y : x / y;
    }
}

double parse_expression(struct parser *p)
{
    double x = product(p);

    for (;;) {
        char c = peek(p);
        if (c != '+' && c != '-')
            return x;
        p->at++;
        double y = product(p);
        x = c == '+' ? x + y : x - y;
    }
}
