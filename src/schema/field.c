/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Field tables: options as text or JSON into the members of a C structure. */
#include "schema/field.h"

#include "base/size_text.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int parse_bool(const char *text, bool *v, struct err *e)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true", "n", "y"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!strcmp(text, words[i])) {
            *v = i & 1;
            return 0;
        }
    }
    return err_set(e, -EINVAL, "expects 'on' or 'off'");
}

static int parse_u64(const char *text, uint64_t *v, struct err *e)
{
    char *end;

    errno = 0;
    *v = strtoull(text, &end, 0);
    if (errno || end == text || *end || strchr(text, '-'))
        return err_set(e, -EINVAL, "expects a number");
    return 0;
}

static int parse_enum(const struct field *f, const char *text, int *v, struct err *e)
{
    for (int i = 0; f->names[i]; i++) {
        if (!strcmp(f->names[i], text)) {
            *v = i;
            return 0;
        }
    }
    const char *near = nearest_name(text, f->names);

    return err_set(e, -EINVAL, "does not accept value '%s'%s%s%s", text,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int set_text(const struct field *f, const char *text, void *member, struct err *e)
{
    switch (f->kind) {
    case F_STR:
    case F_ONOFF:
        if (!(*(char **)member = strdup(text)))
            fatal("out of memory");
        return 0;
    case F_BOOL: return parse_bool(text, member, e);
    case F_U64: return parse_u64(text, member, e);
    case F_SIZE:
        if (size_parse(text, 1, member, ERR_IGNORE) < 0)
            return err_set(e, -EINVAL,
                           "expects a non-negative number below 2^64\n"
                           "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, "
                           "peta-\nand exabytes, respectively.");
        return 0;
    case F_ENUM: return parse_enum(f, text, member, e);
    case F_TREE: break;
    }
    bug("a tree from text");
}

static int set_json(const struct field *f, struct json_object *o, void *member, struct err *e)
{
    enum json_type type = json_object_get_type(o);

    if (f->kind == F_TREE) {
        *(struct json_object **)member = json_object_get(o);
        return 0;
    }
    if (type == json_type_string)
        return set_text(f, json_object_get_string(o), member, e);
    if (f->kind == F_ONOFF && type == json_type_boolean)
        return set_text(f, json_object_get_boolean(o) ? "on" : "off", member, e);
    if (f->kind == F_BOOL && type == json_type_boolean) {
        *(bool *)member = json_object_get_boolean(o);
        return 0;
    }
    if ((f->kind == F_U64 || f->kind == F_SIZE) && type == json_type_int) {
        if (json_object_get_int64(o) < 0)
            return err_set(e, -ERANGE, "expects a non-negative number");
        *(uint64_t *)member = json_object_get_uint64(o);
        return 0;
    }
    return err_set(e, -EINVAL, "expects a %s", field_type_name(f));
}

static size_t member_size(const struct field *f)
{
    switch (f->kind) {
    case F_BOOL: return sizeof(bool);
    case F_ENUM: return sizeof(int);
    case F_STR:
    case F_ONOFF:
    case F_TREE: return sizeof(void *);
    case F_U64:
    case F_SIZE: break;
    }
    return sizeof(uint64_t);
}

static void *member_of(const struct field *f, void *out)
{
    return (char *)out + f->offset;
}

/* Remove the key at a dotted path, and the objects that become empty with it. */
static void remove_path(struct json_object *o, const char *path)
{
    const char *dot = strchr(path, '.');
    struct json_object *child;
    char name[128];

    if (!dot) {
        json_object_object_del(o, path);
        return;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
    if (json_object_object_get_ex(o, name, &child)) {
        remove_path(child, dot + 1);
        if (!json_object_object_length(child))
            json_object_object_del(o, name);
    }
}

bool field_given(struct json_object *opts, const char *name)
{
    return opts && keyval_get(opts, name);
}

int fields_take(const struct field *table, struct json_object *opts, void *out, struct err *e)
{
    for (const struct field *f = table; f->name; f++)
        memset(member_of(f, out), 0, member_size(f));
    for (const struct field *f = table; f->name; f++) {
        struct json_object *o = opts ? keyval_get(opts, f->name) : NULL;
        struct err why = {0};
        int r = o        ? set_json(f, o, member_of(f, out), &why)
                : f->def ? set_text(f, f->def, member_of(f, out), &why)
                         : 0;

        if (r < 0) {
            fields_free(table, out);
            return err_set(e, r, "Parameter '%s' %s", f->name, why.msg);
        }
        if (o)
            remove_path(opts, f->name);
    }
    return 0;
}

void fields_free(const struct field *table, void *out)
{
    for (const struct field *f = table; f->name; f++) {
        void **member = member_of(f, out);

        if (f->kind == F_STR || f->kind == F_ONOFF)
            free(*member);
        else if (f->kind == F_TREE)
            json_object_put(*member);
        else
            continue;
        *member = NULL;
    }
}

static int refuse(struct json_object *opts, const char *prefix, struct err *e)
{
    json_object_object_foreach(opts, key, value)
    {
        char path[256];

        snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_object_get_type(value) == json_type_object && json_object_object_length(value))
            return refuse(value, path, e);
        return err_set(e, -EINVAL, "Invalid parameter '%s'", path);
    }
    return 0;
}

int fields_refuse_rest(struct json_object *opts, struct err *e)
{
    return opts ? refuse(opts, "", e) : 0;
}

const struct field *field_find(const struct field *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

const char *field_type_name(const struct field *f)
{
    switch (f->kind) {
    case F_ONOFF:
    case F_BOOL: return "bool (on/off)";
    case F_U64: return "num";
    case F_SIZE: return "size";
    case F_STR:
    case F_ENUM:
    case F_TREE: break;
    }
    return "str";
}
