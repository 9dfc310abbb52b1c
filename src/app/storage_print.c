/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Format specific information:" of qemu-img info and qemu-io info: a JSON tree as people read it. */
#include "app/storage.h"

#include <json-c/json.h>
#include <stdio.h>

static void print_tree(struct json_object *o, int depth);

/* "key: value", or "key:" with what it holds below. */
static void print_member(const char *key, struct json_object *value, int depth)
{
    enum json_type type = json_object_get_type(value);

    printf("%*s", depth * 4, "");
    for (const char *c = key; *c; c++)
        putchar(*c == '-' ? ' ' : *c);
    if (type == json_type_object || type == json_type_array) {
        puts(":");
        print_tree(value, depth + 1);
    } else {
        printf(": %s\n", json_object_get_string(value));
    }
}

static void print_tree(struct json_object *o, int depth)
{
    char index[24];

    if (json_object_get_type(o) == json_type_array) {
        for (size_t i = 0; i < json_object_array_length(o); i++) {
            snprintf(index, sizeof(index), "[%zu]", i);
            print_member(index, json_object_array_get_idx(o, i), depth);
        }
        return;
    }
    json_object_object_foreach(o, key, value) print_member(key, value, depth);
}

void storage_print_specific(struct json_object *specific)
{
    puts("Format specific information:");
    print_tree(specific, 1);
}
