/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of monitor commands: words, options, expressions, names of things. */
#include "mon/mon_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool mon_word(const char **args, char *buf, size_t len)
{
    const char *p = *args + strspn(*args, " \t");
    bool quoted = *p == '"';
    size_t n = 0;

    if (!*p)
        return false;
    for (p += quoted; *p && (quoted ? *p != '"' : *p != ' ' && *p != '\t'); p++) {
        if (quoted && *p == '\\' && p[1])
            p++;
        if (n + 1 < len)
            buf[n++] = *p;
    }
    buf[n] = 0;
    *args = p + (quoted && *p);
    return true;
}

bool mon_option(const char **args, char letter)
{
    const char *p = *args + strspn(*args, " \t");

    if (p[0] != '-' || p[1] != letter || (p[2] && !isspace((unsigned char)p[2])))
        return false;
    *args = p + 2;
    return true;
}

int mon_end(const char *args, struct err *e)
{
    args += strspn(args, " \t");
    return *args ? err_set(e, -EINVAL, "unexpected argument '%s'", args) : 0;
}

/* Expressions: | ^ & below + -, these below * / %, as in the reference's monitor. ------------------- */

struct expr {
    struct mon *m;
    const char *p;
    struct err *e;
    unsigned depth;
};

static uint64_t sum(struct expr *x);

static void skip(struct expr *x)
{
    while (isspace((unsigned char)*x->p))
        x->p++;
}

struct ask {
    const char *name;
    uint64_t v;
    bool ok;
};

static void ask_register(struct cpu *cpu, void *opaque)
{
    struct ask *a = opaque;

    a->ok = mon_register(cpu, a->name, &a->v);
}

static uint64_t reg(struct expr *x)
{
    char name[32];
    size_t n = 0;
    struct vcpu *v = mon_vcpu(x->m, x->e);
    struct ask a = {.name = name};

    while ((isalnum((unsigned char)*x->p) || *x->p == '_' || *x->p == '.') && n < sizeof(name) - 1)
        name[n++] = *x->p++;
    name[n] = 0;
    if (!v)
        return 0;
    vcpu_call(v, ask_register, &a);
    if (!a.ok)
        err_set(x->e, -EINVAL, "unknown register '%s'", name);
    return a.v;
}

static uint64_t unary(struct expr *x)
{
    uint64_t v;
    char *end;

    skip(x);
    if (x->e->code || ++x->depth > 1000) {
        if (!x->e->code)
            err_set(x->e, -EINVAL, "expression is nested too deeply");
        return 0;
    }
    switch (*x->p) {
    case '+': x->p++; return unary(x);
    case '-': x->p++; return -unary(x);
    case '~': x->p++; return ~unary(x);
    case '$': x->p++; return reg(x);
    case 0: err_set(x->e, -EINVAL, "unexpected end of expression"); return 0;
    case '(':
        x->p++;
        v = sum(x);
        skip(x);
        if (*x->p != ')' && !x->e->code)
            err_set(x->e, -EINVAL, "')' expected");
        x->p += *x->p == ')';
        skip(x);
        return v;
    case '\'':
        if (!x->p[1] || x->p[2] != '\'') {
            err_set(x->e, -EINVAL, "missing terminating ' character");
            return 0;
        }
        v = (unsigned char)x->p[1];
        x->p += 3;
        skip(x);
        return v;
    }
    errno = 0;
    v = strtoull(x->p, &end, 0);
    if (end == x->p || errno)
        err_set(x->e, -EINVAL, end == x->p ? "invalid char '%c' in expression" : "number too large",
                *x->p);
    x->p = end;
    return v;
}

static uint64_t product(struct expr *x)
{
    uint64_t v = unary(x), w;

    for (;;) {
        char op = *x->p;

        skip(x);
        op = *x->p;
        if (x->e->code || (op != '*' && op != '/' && op != '%'))
            return v;
        x->p++;
        w = unary(x);
        if (op != '*' && !w) {
            if (!x->e->code)
                err_set(x->e, -EINVAL, "division by zero");
            return 0;
        }
        v = op == '*' ? v * w : op == '/' ? v / w : v % w;
    }
}

static uint64_t logic(struct expr *x)
{
    uint64_t v = product(x), w;

    for (;;) {
        char op = *x->p;

        if (x->e->code || (op != '&' && op != '|' && op != '^'))
            return v;
        x->p++;
        w = product(x);
        v = op == '&' ? v & w : op == '|' ? v | w : v ^ w;
    }
}

static uint64_t sum(struct expr *x)
{
    uint64_t v = logic(x);

    for (;;) {
        char op = *x->p;

        if (x->e->code || (op != '+' && op != '-'))
            return v;
        x->p++;
        v = op == '+' ? v + logic(x) : v - logic(x);
    }
}

int mon_expr(struct mon *m, const char **args, uint64_t *v, struct err *e)
{
    struct expr x = {.m = m, .p = *args, .e = e};

    *v = sum(&x);
    *args = x.p;
    return e->code;
}

/* Things by name ------------------------------------------------------------------------------------ */

struct dev *mon_device(struct mon *m, const char *id, struct err *e)
{
    struct dev *d = dev_find(m->env->m, id);

    if (!d)
        err_set(e, -ENOENT, "Device '%s' not found", id);
    return d;
}

struct seek {
    const struct dev *owner;
    struct drive *d;
};

static bool owned_by(void *opaque, const char *id, void *backend)
{
    struct seek *s = opaque;

    if (((struct drive *)backend)->owner == s->owner)
        s->d = backend;
    return !s->d;
}

struct drive *mon_drive(struct mon *m, const char *id, struct err *e)
{
    struct seek s = {.owner = dev_find(m->env->m, id), .d = machine_backend(m->env->m, "drive", id)};

    if (!s.d && s.owner)
        machine_each_backend(m->env->m, "drive", owned_by, &s);
    if (!s.d)
        err_set(e, -ENOENT, "Device '%s' not found", id);
    return s.d;
}

struct vcpu *mon_vcpu(struct mon *m, struct err *e)
{
    struct vcpu *v = vcpu_at(m->env->m, m->cpu);

    if (!v && !e->code)
        err_set(e, -ENODEV, "this machine has no CPU");
    return v;
}

struct words {
    void (*word)(void *opaque, const char *text);
    void *opaque;
};

static bool dev_word(void *opaque, struct dev *d)
{
    const struct words *w = opaque;

    if (d->id)
        w->word(w->opaque, d->id);
    return true;
}

void complete_devices(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                      void *opaque)
{
    struct words w = {.word = word, .opaque = opaque};

    if (n == 0)
        machine_each_dev(m->env->m, dev_word, &w);
}

static bool drive_word(void *opaque, const char *id, void *backend)
{
    const struct words *w = opaque;

    w->word(w->opaque, id);
    return true;
}

void complete_drives(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                     void *opaque)
{
    struct words w = {.word = word, .opaque = opaque};

    if (n == 0)
        machine_each_backend(m->env->m, "drive", drive_word, &w);
}
