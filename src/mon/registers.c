/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU's registers by name: gdb's description of the target knows names and numbers. */
#include "mon/mon_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    struct cpu *cpu;
    const char *name;
    long number; /* of the next register */
    long found;
    int depth;
};

/* The value of attribute @key within [p, end), or false. */
static bool attribute(const char *p, const char *end, const char *key, char *out, size_t len)
{
    char want[32];
    const char *at;
    size_t n;

    snprintf(want, sizeof(want), " %s=\"", key);
    if (!(at = strstr(p, want)) || at >= end)
        return false;
    at += strlen(want);
    n = strcspn(at, "\"");
    n = n < len - 1 ? n : len - 1;
    memcpy(out, at, n);
    out[n] = 0;
    return true;
}

static void search(struct search *s, const char *annex)
{
    char *xml = s->cpu->isa->gdb->describe(s->cpu, annex);
    char text[64];

    if (s->depth++ < 8)
        for (const char *p = xml; p && (p = strchr(p, '<')) && s->found < 0; p++) {
            const char *end = strchr(p, '>');

            if (!end)
                break;
            if (!strncmp(p, "<xi:include", 11) && attribute(p, end, "href", text, sizeof(text)))
                search(s, text);
            if (strncmp(p, "<reg ", 5) != 0)
                continue;
            if (attribute(p, end, "regnum", text, sizeof(text)))
                s->number = strtol(text, NULL, 10);
            if (attribute(p, end, "name", text, sizeof(text)) && !strcmp(text, s->name))
                s->found = s->number;
            s->number++;
        }
    s->depth--;
    free(xml);
}

bool mon_register(struct cpu *cpu, const char *name, uint64_t *v)
{
    const struct guest_gdb *g = cpu->isa->gdb;
    struct search s = {.cpu = cpu, .name = name, .found = -1};
    uint8_t bytes[GUEST_GDB_REG] = {0};

    if (!g)
        return false;
    search(&s, "target.xml");
    if (s.found < 0 && !strcmp(name, "pc")) {
        *v = cpu->pc;
        return true;
    }
    if (s.found < 0)
        return g->also && g->also(cpu, name, v);
    if (!g->read(cpu, (unsigned)s.found, bytes))
        return false;
    *v = 0;
    for (unsigned i = 0; i < 8 && i < g->size(cpu, (unsigned)s.found); i++)
        *v |= (uint64_t)bytes[i] << 8 * i;
    return true;
}
