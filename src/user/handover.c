/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment variable that carries options across execve: "key=value;..." with '%', ';' and
 * control characters as %XX.  The arguments stay the guest's own, so that other processes see them.
 */
#include "user/exec.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_text(FILE *f, const char *key, const char *v)
{
    if (!v)
        return;
    fprintf(f, "%s=", key);
    for (; *v; v++) {
        if (*v == '%' || *v == ';' || (unsigned char)*v < ' ')
            fprintf(f, "%%%02x", (unsigned char)*v);
        else
            putc(*v, f);
    }
    putc(';', f);
}

static void put_number(FILE *f, const char *key, uint64_t v)
{
    if (v)
        fprintf(f, "%s=%" PRIu64 ";", key, v);
}

char *handover_write(const struct handover *h)
{
    const struct user_opts *o = &h->opts;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fprintf(f, EXEC_VARIABLE "=fd=%d;", h->fd);
    if (h->self_fd >= 0)
        fprintf(f, "self=%d;", h->self_fd);
    put_text(f, "name", h->name);
    put_text(f, "L", o->prefix ? o->prefix : "");
    put_text(f, "cpu", o->cpu);
    put_text(f, "r", o->uname);
    put_text(f, "D", o->log_file);
    put_text(f, "dfilter", o->dfilter);
    put_text(f, "tcache", o->tcache);
    put_number(f, "d", o->log);
    put_number(f, "s", o->stack_size);
    put_number(f, "R", o->reserved_va);
    put_number(f, "as", o->limits[0]);
    put_number(f, "asmax", o->limits[1]);
    put_number(f, "data", o->limits[2]);
    put_number(f, "datamax", o->limits[3]);
    put_number(f, "interp", o->engine == ENGINE_INTERP);
    put_number(f, "hot", o->hot_after);
    put_number(f, "behind", o->background);
    put_number(f, "exact", o->exact_flags);
    put_number(f, "cache", o->cache_size);
    put_number(f, "passoff", o->passes_off);
    put_number(f, "hostoff", o->host_off);
    put_number(f, "strace", o->strace);
    put_number(f, "one", o->one_insn);
    put_number(f, "haveB", o->have_guest_base);
    put_number(f, "B", o->guest_base);
    put_number(f, "haveseed", o->have_seed);
    put_number(f, "seed", o->seed);
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

/* Undo the %XX of put_text in place. */
static int decode(char *s)
{
    char *to = s;

    for (; *s; s++) {
        if (*s != '%') {
            *to++ = *s;
            continue;
        }
        if (hex_digit(s[1]) < 0 || hex_digit(s[2]) < 0)
            return -EINVAL;
        *to++ = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
        s += 2;
    }
    *to = 0;
    return 0;
}

static int take(struct handover *h, const char *key, char *v)
{
    struct user_opts *o = &h->opts;
    const struct { const char *key; const char **to; } texts[] = {
        {"name", &h->name}, {"L", &o->prefix}, {"cpu", &o->cpu}, {"r", &o->uname},
        {"D", &o->log_file}, {"dfilter", &o->dfilter}, {"tcache", &o->tcache},
    };
    const struct { const char *key; uint64_t *to; } numbers[] = {
        {"s", &o->stack_size}, {"R", &o->reserved_va}, {"B", &o->guest_base}, {"seed", &o->seed},
        {"as", &o->limits[0]}, {"asmax", &o->limits[1]}, {"data", &o->limits[2]},
        {"datamax", &o->limits[3]}, {"cache", &o->cache_size},
    };
    uint64_t n = strtoull(v, NULL, 10);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(key, texts[i].key) == 0) {
            *texts[i].to = v;
            return decode(v);
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(key, numbers[i].key) == 0) {
            *numbers[i].to = n;
            return 0;
        }
    }
    if (strcmp(key, "fd") == 0)
        h->fd = atoi(v);
    else if (strcmp(key, "self") == 0)
        h->self_fd = atoi(v);
    else if (strcmp(key, "d") == 0)
        o->log = (uint32_t)n;
    else if (strcmp(key, "haveB") == 0)
        o->have_guest_base = n;
    else if (strcmp(key, "haveseed") == 0)
        o->have_seed = n;
    else if (strcmp(key, "interp") == 0)
        o->engine = n ? ENGINE_INTERP : ENGINE_JIT;
    else if (strcmp(key, "exact") == 0)
        o->exact_flags = n;
    else if (strcmp(key, "hot") == 0)
        o->hot_after = (unsigned)n;
    else if (strcmp(key, "behind") == 0)
        o->background = n <= ENGINE_NEVER ? (enum engine_background)n : ENGINE_AUTO;
    else if (strcmp(key, "passoff") == 0)
        o->passes_off = (unsigned)n;
    else if (strcmp(key, "hostoff") == 0)
        o->host_off = (unsigned)n;
    else if (strcmp(key, "strace") == 0)
        o->strace = n;
    else if (strcmp(key, "one") == 0)
        o->one_insn = n;
    else
        return -EINVAL;
    return 0;
}

int handover_read(struct handover *h, const char *value)
{
    char *copy = strdup(value), *item;

    h->fd = h->self_fd = -1;
    h->name = NULL;
    while ((item = strsep(&copy, ";"))) {
        char *eq = strchr(item, '=');

        if (!*item)
            continue;
        if (!eq)
            return -EINVAL;
        *eq = 0;
        if (take(h, item, eq + 1) < 0)
            return -EINVAL;
    }
    if (h->opts.prefix && !*h->opts.prefix)
        h->opts.prefix = NULL;
    return h->fd >= 0 && h->name ? 0 : -EINVAL;
}
