/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as the tools print it: one member a line with 4 spaces of indentation, empty objects and lists
 * over two lines, or all in one line.  json-c's own layout differs and scripts compare text.
 */
#include "schema/keyval.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printer {
    FILE *out;
    bool compact;
};

static void new_line(const struct printer *p, int depth)
{
    if (!p->compact)
        fprintf(p->out, "\n%*s", depth * 4, "");
}

static void print_string(const struct printer *p, const char *s)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";

    putc('"', p->out);
    for (; *s; s++) {
        const char *at = strchr(plain, *s);

        if (at)
            fprintf(p->out, "\\%c", letter[at - plain]);
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            fprintf(p->out, "\\u%04X", *s);
        else
            putc(*s, p->out);
    }
    putc('"', p->out);
}

static void print_value(const struct printer *p, struct json_object *o, int depth);

static void print_array(const struct printer *p, struct json_object *o, int depth)
{
    size_t n = json_object_array_length(o);

    putc('[', p->out);
    for (size_t i = 0; i < n; i++) {
        if (i)
            fputs(p->compact ? ", " : ",", p->out);
        new_line(p, depth + 1);
        print_value(p, json_object_array_get_idx(o, i), depth + 1);
    }
    new_line(p, depth);
    putc(']', p->out);
}

static void print_object(const struct printer *p, struct json_object *o, int depth)
{
    bool first = true;

    putc('{', p->out);
    json_object_object_foreach(o, key, value)
    {
        if (!first)
            fputs(p->compact ? ", " : ",", p->out);
        first = false;
        new_line(p, depth + 1);
        print_string(p, key);
        fputs(": ", p->out);
        print_value(p, value, depth + 1);
    }
    new_line(p, depth);
    putc('}', p->out);
}

static void print_value(const struct printer *p, struct json_object *o, int depth)
{
    switch (json_object_get_type(o)) {
    case json_type_object: print_object(p, o, depth); return;
    case json_type_array: print_array(p, o, depth); return;
    case json_type_string: print_string(p, json_object_get_string(o)); return;
    default: fputs(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), p->out);
    }
}

char *json_print(struct json_object *o, bool compact)
{
    char *text = NULL;
    size_t len;
    struct printer p = {.out = open_memstream(&text, &len), .compact = compact};

    if (!p.out)
        fatal("out of memory");
    print_value(&p, o, 0);
    if (fclose(p.out))
        fatal("out of memory");
    return text;
}
