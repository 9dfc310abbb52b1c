/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options as a tree: "key=value,a.b=c" and JSON text to json-c objects. */
#include "schema/keyval.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first path component of *@path goes to @name; *@path moves behind its dot, or becomes NULL. */
static int path_step(const char **path, char *name, size_t size, struct err *e)
{
    size_t len = strcspn(*path, ".");

    if (!len || len >= size)
        return err_set(e, -EINVAL, "Invalid parameter '%s'", *path);
    memcpy(name, *path, len);
    name[len] = 0;
    *path = (*path)[len] ? *path + len + 1 : NULL;
    return 0;
}

int keyval_set(struct json_object *tree, const char *path, struct json_object *value, struct err *e)
{
    struct json_object *at = tree;
    char name[128];

    for (int depth = 0; path; depth++) {
        struct json_object *next = NULL;
        int r = depth < KEYVAL_MAX_DEPTH
                    ? path_step(&path, name, sizeof(name), e)
                    : err_set(e, -EINVAL, "Parameter nested more than %d deep", KEYVAL_MAX_DEPTH);

        if (r < 0 || json_object_object_length(at) >= KEYVAL_MAX_KEYS) {
            json_object_put(value);
            return r < 0 ? r : err_set(e, -E2BIG, "more than %d parameters", KEYVAL_MAX_KEYS);
        }
        if (!path) {
            json_object_object_add(at, name, value);
            return 0;
        }
        if (!json_object_object_get_ex(at, name, &next) ||
            json_object_get_type(next) != json_type_object) {
            next = json_object_new_object();
            json_object_object_add(at, name, next);
        }
        at = next;
    }
    return 0;
}

struct json_object *keyval_get(struct json_object *tree, const char *path)
{
    char name[128];

    while (path && tree) {
        if (json_object_get_type(tree) != json_type_object ||
            path_step(&path, name, sizeof(name), ERR_IGNORE) < 0 ||
            !json_object_object_get_ex(tree, name, &tree))
            return NULL;
    }
    return tree;
}

const char *keyval_string(struct json_object *tree, const char *path)
{
    struct json_object *o = keyval_get(tree, path);

    return o && json_object_get_type(o) == json_type_string ? json_object_get_string(o) : NULL;
}

/* Objects whose keys are 0, 1, ... n-1 are lists: "a.0=x,a.1=y". */
static bool is_list(struct json_object *o)
{
    int n = json_object_object_length(o);
    char key[16];

    for (int i = 0; i < n; i++) {
        snprintf(key, sizeof(key), "%d", i);
        if (!json_object_object_get_ex(o, key, NULL))
            return false;
    }
    return n > 0;
}

static struct json_object *to_list(struct json_object *o)
{
    struct json_object *list = json_object_new_array();
    int n = json_object_object_length(o);
    char key[16];

    for (int i = 0; i < n; i++) {
        snprintf(key, sizeof(key), "%d", i);
        json_object_array_add(list, json_object_get(json_object_object_get(o, key)));
    }
    return list;
}

static void make_lists(struct json_object *tree)
{
    json_object_object_foreach(tree, key, value)
    {
        if (json_object_get_type(value) != json_type_object)
            continue;
        make_lists(value);
        if (is_list(value))
            json_object_object_add(tree, key, to_list(value));
    }
}

/* A value up to its comma; ",," stands for one.  Returns a new string; *@text moves behind. */
static char *take_value(const char **text)
{
    char *value = malloc(strlen(*text) + 1), *out = value;

    if (!value)
        fatal("out of memory");
    while (**text) {
        if (**text == ',') {
            if ((*text)[1] != ',')
                break;
            ++*text;
        }
        *out++ = *(*text)++;
    }
    *out = 0;
    *text += **text == ',';
    return value;
}

static int take_pair(struct json_object *into, const char **text, const char *implied,
                     struct err *e)
{
    size_t len = strcspn(*text, "=,");
    char key[1024], *value;
    int r;

    if ((*text)[len] != '=' && implied) {
        snprintf(key, sizeof(key), "%s", implied);
        value = take_value(text);
    } else {
        if (!len || len >= sizeof(key))
            return err_set(e, -EINVAL, "Expected parameter before '%.64s'", *text + len);
        snprintf(key, sizeof(key), "%.*s", (int)len, *text);
        bool flag = (*text)[len] != '=';

        *text += len + ((*text)[len] != 0);
        value = flag ? strdup("on") : take_value(text);
    }
    if (!value)
        fatal("out of memory");
    r = keyval_set(into, key, json_object_new_string(value), e);
    free(value);
    return r;
}

int keyval_merge(struct json_object *into, const char *text, const char *implied, struct err *e)
{
    int r;

    for (; *text; implied = NULL)
        if ((r = take_pair(into, &text, implied, e)) < 0)
            return r;
    make_lists(into);
    return 0;
}

struct json_object *keyval_parse(const char *text, const char *implied, struct err *e)
{
    struct json_object *o = json_object_new_object();

    if (keyval_merge(o, text, implied, e) < 0) {
        json_object_put(o);
        return NULL;
    }
    return o;
}

struct json_object *json_parse(const char *text, struct err *e)
{
    struct json_tokener *t = json_tokener_new_ex(KEYVAL_MAX_DEPTH);
    struct json_object *o;
    size_t len = strlen(text);

    if (!t)
        fatal("out of memory");
    o = len <= INT32_MAX ? json_tokener_parse_ex(t, text, (int)len + 1) : NULL;
    enum json_tokener_error error = json_tokener_get_error(t);
    size_t end = json_tokener_get_parse_end(t);

    json_tokener_free(t);
    end += strspn(text + (end < len ? end : len), " \t\r\n");
    if (error == json_tokener_success && end >= len)
        return o;
    json_object_put(o);
    err_set(e, -EINVAL, "JSON parse error, %s at character %zu",
            error == json_tokener_success ? "more text" : json_tokener_error_desc(error), end);
    return NULL;
}
