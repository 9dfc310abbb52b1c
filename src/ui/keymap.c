/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layouts: from xkb's symbols files to keys by keysym.  Contract: keymap.h. */
#include "ui/keymap.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SYMBOLS "/usr/share/X11/xkb/symbols"

enum { LEVELS = 4, FILE_MAX = 1 << 20, DEPTH = 8, WORD = 64 };

struct keymap {
    uint32_t sym[KEY_NUM][LEVELS];
};

/* What is being read. */
struct text {
    const char *at, *end;
    struct keymap *k;
    unsigned depth;
    bool files; /* includes are followed */
};

/* --- Words --- */

static void skip(struct text *t)
{
    while (t->at < t->end) {
        if (isspace((unsigned char)*t->at)) {
            t->at++;
        } else if (t->end - t->at >= 2 && (!memcmp(t->at, "//", 2) || *t->at == '#')) {
            while (t->at < t->end && *t->at != '\n')
                t->at++;
        } else {
            return;
        }
    }
}

/* A name, a "string", a <KEY>, or one character; false: the end. */
static bool next(struct text *t, char word[WORD])
{
    unsigned n = 0;
    char close;

    skip(t);
    if (t->at == t->end)
        return false;
    close = *t->at == '"' ? '"' : *t->at == '<' ? '>' : 0;
    word[n++] = *t->at++;
    while (t->at < t->end && (close ? *t->at != close : isalnum((unsigned char)word[0]) && (isalnum((unsigned char)*t->at) || *t->at == '_'))) {
        if (n < WORD - 1)
            word[n++] = *t->at;
        t->at++;
    }
    if (close && t->at < t->end)
        t->at++;
    word[n] = 0;
    return true;
}

/* --- Names --- */

static uint32_t keysym(const char *name)
{
    static const struct { const char *name; uint16_t v; } names[] = {
#define KEYSYM(name, value) {#name, value},
#include "ui/keysyms.def"
#undef KEYSYM
    };
    char *end;
    unsigned long v;

    if (isalnum((unsigned char)*name) && !name[1])
        return (unsigned char)*name;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i].name, name))
            return names[i].v;
    if (*name != 'U' && strncmp(name, "0x", 2) != 0)
        return 0;
    v = strtoul(*name == 'U' ? name + 1 : name, &end, 16);
    if (*end || v > 0x1ffffff)
        return 0;
    return *name != 'U' || v < 0x100 ? (uint32_t)v : 0x1000000 | (uint32_t)v;
}

/* <AE01>: rows from E, the digits, to B; columns from the left (xkb's keycodes/evdev). */
static enum key key_at(const char *name)
{
    static const struct { char row; uint8_t n; uint8_t evdev; } rows[] = {{'E', 12, 2}, {'D', 12, 16}, {'C', 11, 30}, {'B', 10, 44}};
    unsigned col = name[0] && name[1] && name[2] && name[3] ? (unsigned)(name[3] - '0') * 10 + (unsigned)(name[4] - '0') : 0;

    if (!strcmp(name, "<TLDE"))
        return KEY_GRAVE_ACCENT;
    if (!strcmp(name, "<BKSL") || !strcmp(name, "<AC12"))
        return KEY_BACKSLASH;
    if (!strcmp(name, "<LSGT"))
        return KEY_LESS;
    if (!strcmp(name, "<SPCE"))
        return KEY_SPC;
    if (!strcmp(name, "<AB11")) /* of Japanese and Brazilian keyboards */
        return KEY_RO;
    if (!strcmp(name, "<AE13"))
        return KEY_YEN;
    for (unsigned i = 0; name[1] == 'A' && i < 4; i++)
        if (rows[i].row == name[2] && col >= 1 && col <= rows[i].n)
            return key_by_evdev(rows[i].evdev + col - 1);
    return KEY_UNKNOWN;
}

/* --- Statements --- */

/* After "key <NAME> {": the first list of symbols, up to the brace that closes. */
static void read_key(struct text *t, const char *name)
{
    enum key k = key_at(name);
    unsigned level = 0, depth = 1;
    bool list = false, done = false;
    char word[WORD];

    while (depth && next(t, word)) {
        if (*word == '{')
            depth++;
        else if (*word == '}')
            depth--;
        else if (*word == '[')
            list = true;
        else if (*word == ']') {
            done |= list && level > 0;
            list = false;
        } else if (list && !done && !strncasecmp(word, "group", 5)) {
            list = false; /* symbols[Group1] = */
        } else if (list && !done && *word != ',' && level < LEVELS) {
            if (strcmp(word, "NoSymbol") != 0 && k)
                t->k->sym[k][level] = keysym(word);
            level++;
        }
    }
}

static void include(struct text *t, const char *what);

/* The statements of a block whose brace has been read. */
static void read_block(struct text *t)
{
    char word[WORD], name[WORD];
    unsigned depth = 1;

    while (depth && next(t, word)) {
        if (!strcmp(word, "include") && next(t, name)) {
            include(t, name + 1);
        } else if (!strcmp(word, "key") && next(t, name) && *name == '<') {
            while (next(t, word) && *word != '{')
                ;
            read_key(t, name);
        } else if (*word == '{') {
            depth++;
        } else if (*word == '}') {
            depth--;
        }
    }
}

static void skip_block(struct text *t)
{
    char word[WORD];
    unsigned depth = 1;

    while (depth && next(t, word))
        depth += (*word == '{') - (*word == '}');
}

/* xkb_symbols "variant" { ... }; false: it is not there. */
static bool read_variant(struct text *t, const char *variant)
{
    char word[WORD], name[WORD];

    while (next(t, word)) {
        if (strcmp(word, "xkb_symbols") != 0 || !next(t, name))
            continue;
        while (next(t, word) && *word != '{')
            ;
        if (!variant || !strcmp(name + 1, variant)) {
            read_block(t);
            return true;
        }
        skip_block(t);
    }
    return false;
}

static bool read_file(struct keymap *k, const char *file, const char *variant, unsigned depth)
{
    char path[256], *buf;
    struct text t;
    ssize_t n;
    bool found;
    int fd;

    snprintf(path, sizeof(path), SYMBOLS "/%s", file);
    if (strstr(file, "..") || depth > DEPTH || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    buf = malloc(FILE_MAX);
    n = buf ? read(fd, buf, FILE_MAX) : -1;
    close(fd);
    t = (struct text){.at = buf, .end = buf + (n > 0 ? n : 0), .k = k, .depth = depth, .files = true};
    found = n > 0 && read_variant(&t, variant);
    free(buf);
    return found;
}

/* "latin(type4)", several joined by "+". */
static void include(struct text *t, const char *what)
{
    char one[WORD], *paren;
    size_t n;

    for (; t->files && *what; what += n + (what[n] != 0)) {
        n = strcspn(what, "+|");
        snprintf(one, sizeof(one), "%.*s", (int)n, what);
        if ((paren = strchr(one, '('))) {
            *paren++ = 0;
            paren[strcspn(paren, ")")] = 0;
        }
        read_file(t->k, one, paren, t->depth + 1);
    }
}

/* --- What others see --- */

static struct keymap *new_map(void)
{
    struct keymap *k = calloc(1, sizeof(*k));

    if (!k)
        fatal("out of memory");
    return k;
}

struct keymap *keymap_read(const char *text, size_t len, const char *variant)
{
    struct keymap *k = new_map();
    struct text t = {.at = text, .end = text + len, .k = k};

    if (read_variant(&t, variant))
        return k;
    free(k);
    return NULL;
}

struct keymap *keymap_load(const char *name, struct err *e)
{
    static const struct { const char *name, *file, *variant; } others[] = {
        {"ar", "ara", NULL},  {"bepo", "fr", "bepo"}, {"da", "dk", NULL},    {"de-ch", "ch", NULL}, {"en-gb", "gb", NULL},
        {"en-us", "us", NULL}, {"et", "ee", NULL},    {"fr-be", "be", NULL}, {"fr-ca", "ca", NULL}, {"fr-ch", "ch", "fr"},
        {"ja", "jp", NULL},   {"pt-br", "br", NULL},  {"sl", "si", NULL},    {"sv", "se", NULL},    {"nl-be", "be", NULL},
    };
    const char *file = name, *variant = NULL;
    struct keymap *k = new_map();

    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (!strcmp(others[i].name, name)) {
            file = others[i].file;
            variant = others[i].variant;
        }
    /* A layout is what differs from the plain one, and that from what all keyboards have. */
    if (!strchr(name, '/') && strlen(name) < 32 && read_file(k, "pc", NULL, 0) && read_file(k, "us", "basic", 0) &&
        read_file(k, file, variant, 0))
        return k;
    free(k);
    err_set(e, -ENOENT, "could not read keymap file: '%s'", name);
    return NULL;
}

void keymap_free(struct keymap *k)
{
    free(k);
}

static enum key find(const struct keymap *k, uint32_t sym, unsigned *level)
{
    for (*level = 0; sym && *level < LEVELS; ++*level)
        for (unsigned i = 1; i < KEY_NUM; i++)
            if (k->sym[i][*level] == sym)
                return (enum key)i;
    *level = 0;
    return KEY_UNKNOWN;
}

/* Where a character has no key, its accent that waits for a letter has: the guest knows what to make of it. */
static uint32_t dead(uint32_t sym)
{
    static const struct { uint16_t plain, dead; } rows[] = {
        {'`', 0xfe50}, {0xb4, 0xfe51}, {'^', 0xfe52}, {'~', 0xfe53}, {0xaf, 0xfe54}, {0xb0, 0xfe58}, {0xa8, 0xfe57}, {0xb8, 0xfe5b}};

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].plain == sym)
            return rows[i].dead;
    return 0;
}

enum key keymap_find(const struct keymap *k, uint32_t sym, unsigned *level)
{
    enum key found = find(k, sym, level);

    return found ? found : find(k, dead(sym), level);
}
