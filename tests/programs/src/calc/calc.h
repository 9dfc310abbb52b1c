/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small calculator, as something to compile: three files and a makefile. */
#ifndef CALC_H
#define CALC_H

struct parser {
    const char *at;
    const char *error;
};

double parse_expression(struct parser *p);
double apply(const char *name, int len, double x, struct parser *p);

#endif
