/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making an image from what the user asked for: checks, the "Formatting" line, -o help. */
#include "app/img/img.h"

#include "block/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The tables of options that an image's format and its protocol have. */
struct tables {
    const struct blk_driver *format, *protocol;
    const struct field *table[2];
};

static int find_tables(const char *format, const char *filename, struct tables *t, struct err *e)
{
    memset(t, 0, sizeof(*t));
    if (!(t->format = blk_driver_find(format))) {
        const char *near = blk_driver_near(format);

        return err_set(e, -EINVAL, "Unknown file format '%s'%s%s%s", format,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    if (filename && !(t->protocol = blk_protocol_of(filename, e)))
        return e->code;
    if (!t->format->create)
        return err_set(e, -ENOTSUP, "Format driver '%s' does not support image creation", format);
    t->table[0] = t->format->create->opts;
    if (!t->protocol || t->protocol == t->format)
        return 0;
    if (t->protocol->create) /* else it must exist already */
        t->table[1] = t->protocol->create->opts;
    return 0;
}

static const struct field *find_option(const struct tables *t, const char *name)
{
    const struct field *f = NULL;

    for (int i = 0; i < 2 && !f; i++)
        if (t->table[i])
            f = field_find(t->table[i], name);
    return f;
}

/* Rows of both tables; a row of the second that the first has, too, is left out. */
static size_t list_options(const struct tables *t, const struct field **list, size_t max)
{
    size_t n = 0;

    for (int i = 0; i < 2; i++)
        for (const struct field *f = t->table[i]; f && f->name && n < max; f++)
            if (!i || !field_find(t->table[0], f->name))
                list[n++] = f;
    return n;
}

/* -o help -------------------------------------------------------------------------------------- */

enum { OPTIONS_MAX = 128 };

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct field *const *)a)->name, (*(const struct field *const *)b)->name);
}

static void print_options(const struct field **list, size_t n)
{
    char head[160];

    qsort(list, n, sizeof(*list), by_name);
    for (size_t i = 0; i < n; i++) {
        snprintf(head, sizeof(head), "%s=<%s>", list[i]->name, field_type_name(list[i]));
        printf("  %-22s - %s\n", head, list[i]->help);
    }
}

int img_print_create_help(const char *format, const char *filename)
{
    const struct field *list[OPTIONS_MAX];
    struct err e = {0};
    struct tables t;

    if (find_tables(format, filename, &t, &e) < 0)
        return storage_fail(&e);
    if (filename)
        printf("Supported options:\n");
    else
        printf("Supported %s options:\n", format);
    print_options(list, list_options(&t, list, OPTIONS_MAX));
    if (!filename)
        printf("\nThe protocol level may support further options.\n"
               "Specify the target filename to include those options.\n");
    return 0;
}

int img_print_amend_help(const char *format)
{
    const struct blk_driver *drv = blk_driver_find(format);
    const struct field *list[OPTIONS_MAX];
    struct err e = {0};

    if (!drv) {
        err_set(&e, -EINVAL, "Unknown file format '%s'", format);
        return storage_fail(&e);
    }
    if (!drv->create || !drv->create->amend_opts) {
        err_set(&e, -ENOTSUP, "Format driver '%s' does not support option amendment", format);
        return storage_fail(&e);
    }
    struct tables t = {.table = {drv->create->amend_opts}};

    printf("Amend options for '%s':\n", format);
    print_options(list, list_options(&t, list, OPTIONS_MAX));
    return 0;
}

/* Options -------------------------------------------------------------------------------------- */

/* What the user said for @f as the drivers and the "Formatting" line want it: sizes in bytes, on or
 * off; malloc'd. */
static char *normal_value(const struct field *f, const char *text, struct err *e)
{
    struct field one[2] = {*f, FIELD_END};
    struct json_object *o;
    char *value = NULL;
    uint64_t number = 0;
    bool flag = false;
    int r = 0;

    one[0].offset = 0;
    o = json_object_new_object();
    keyval_set(o, f->name, json_object_new_string(text), ERR_IGNORE);
    if (f->kind == F_BOOL)
        r = fields_take(one, o, &flag, e);
    else if (f->kind == F_SIZE || f->kind == F_U64)
        r = fields_take(one, o, &number, e);
    json_object_put(o);
    if (r < 0)
        return NULL;
    if (f->kind == F_BOOL)
        value = strdup(flag ? "on" : "off");
    else if (f->kind == F_SIZE || f->kind == F_U64)
        r = asprintf(&value, "%" PRIu64, number);
    else
        value = strdup(text);
    if (!value)
        fatal("out of memory");
    return value;
}

static int check_option(const struct tables *t, const char *path, struct json_object *value,
                        struct json_object *out, struct err *e)
{
    const struct field *f = find_option(t, path);
    const char *names[OPTIONS_MAX + 1] = {NULL}, *near;
    const struct field *list[OPTIONS_MAX];
    char *text;

    if (f) {
        if (!(text = normal_value(f, json_object_get_string(value), e)))
            return e->code;
        int r = keyval_set(out, path, json_object_new_string(text), e);

        free(text);
        return r;
    }
    size_t n = list_options(t, list, OPTIONS_MAX);

    for (size_t i = 0; i < n; i++)
        names[i] = list[i]->name;
    near = nearest_name(path, names);
    return err_set(e, -EINVAL, "Invalid parameter '%s'%s%s%s", path, near ? "\nDid you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

/* Every leaf of @opts, checked and made normal, into @out. */
static int check_options(const struct tables *t, struct json_object *opts, const char *prefix,
                         struct json_object *out, struct err *e)
{
    char path[256];
    int r = 0;

    json_object_object_foreach(opts, key, value)
    {
        snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", key);
        r = json_object_get_type(value) == json_type_object ? check_options(t, value, path, out, e)
                                                            : check_option(t, path, value, out, e);
        if (r < 0)
            break;
    }
    return r;
}

/* An option of create that amend does not know. */
static const char *refused_option(const struct blk_create_ops *c, struct json_object *opts)
{
    for (const struct field *f = c->opts; f->name; f++)
        if (keyval_get(opts, f->name) && !field_find(c->amend_opts, f->name))
            return f->name;
    return NULL;
}

int img_check_amend(const struct blk *b, struct json_object *opts, struct json_object *out,
                    struct err *e)
{
    const struct blk_create_ops *c = b->drv->create;

    if (!c || !c->amend)
        return err_set(e, -ENOTSUP, "Format driver '%s' does not support option amendment",
                       b->drv->name);
    struct tables t = {.format = b->drv, .table = {c->amend_opts}};
    int r = check_options(&t, opts, "", out, e);

    if (r < 0 && refused_option(c, opts)) /* one that could be given when it was made */
        err_set(e, r, "Invalid parameter '%s'\nThis option is only supported for image creation",
                refused_option(c, opts));
    return r;
}

static int set_option(const struct tables *t, struct json_object *opts, const char *name,
                      const char *value, const char *what, struct err *e)
{
    if (!value)
        return 0;
    if (!find_option(t, name))
        return err_set(e, -ENOTSUP, "%s not supported for file format '%s'", what, t->format->name);
    return keyval_set(opts, name, json_object_new_string(value), e);
}

/* The backing file: is it there, of what format, how large? */
static int look_at_backing(struct blk_env *env, const struct img_new *n, struct json_object *opts,
                           struct err *e)
{
    const char *file = keyval_string(opts, "backing_file");
    const char *format = keyval_string(opts, "backing_fmt");
    bool sized = keyval_get(opts, "size");
    struct json_object *o = NULL;
    char text[32], *name;

    if (!file || !*file)
        return 0;
    if (!strcmp(file, n->filename))
        return err_set(e, -EINVAL,
                       "Error: Trying to create an image with the same filename as the backing "
                       "file");
    if (n->unchecked)
        return 0;
    if (format) {
        o = json_object_new_object();
        json_object_object_add(o, "driver", json_object_new_string(format));
    }
    name = blk_relative_name(n->filename, file);
    struct blk *b = blk_open(env, name, o, BLK_PROBE_RAW_OK | BLK_NO_IO | BLK_SHARE, e);

    free(name);
    if (!b) {
        size_t len = strlen(e->msg);

        snprintf(e->msg + len, sizeof(e->msg) - len, "\nCould not open backing image.");
        return e->code;
    }
    if (!format)
        err_set(e, -EINVAL, "Backing file specified without backing format\nDetected format of %s.",
                blk_driver_name(b));
    if (!sized) {
        snprintf(text, sizeof(text), "%" PRIu64, blk_size(b));
        keyval_set(opts, "size", json_object_new_string(text), ERR_IGNORE);
    }
    blk_close(b, ERR_IGNORE);
    return e->code;
}

static void print_formatting(const struct img_new *n, const struct tables *t,
                             struct json_object *opts)
{
    const struct field *list[OPTIONS_MAX];
    size_t count = list_options(t, list, OPTIONS_MAX);

    printf("Formatting '%s', fmt=%s", n->filename, n->format);
    for (size_t i = 0; i < count; i++) {
        const char *value = keyval_string(opts, list[i]->name);

        if (!value)
            value = list[i]->quiet ? NULL : list[i]->def;
        if (!value)
            continue;
        printf(" %s=", list[i]->name);
        for (; *value; value++)
            fputs(*value == ',' ? ",," : (char[]){*value, 0}, stdout);
    }
    printf("\n");
    fflush(stdout);
}

static int gather(const struct img_new *n, struct tables *t, struct json_object *opts,
                  struct err *e)
{
    int r = find_tables(n->format, n->filename, t, e);
    char text[32];

    if (r < 0 || (r = check_options(t, n->opts, "", opts, e)) < 0)
        return r;
    if (n->have_size && keyval_get(opts, "size"))
        return err_set(e, -EINVAL, "The image size must be specified only once");
    snprintf(text, sizeof(text), "%" PRIu64, n->size);
    if ((r = set_option(t, opts, "size", n->have_size ? text : NULL, "Size", e)) < 0 ||
        (r = set_option(t, opts, "backing_file", n->backing, "Backing file", e)) < 0 ||
        (r = set_option(t, opts, "backing_fmt", n->backing_format, "Backing file format", e)) < 0)
        return r;
    return 0;
}

int img_check_new(const struct img_new *n, struct err *e)
{
    struct json_object *opts = json_object_new_object();
    struct tables t;
    int r = gather(n, &t, opts, e);

    json_object_put(opts);
    return r;
}

int img_make(struct blk_env *env, const struct img_new *n, struct err *e)
{
    struct json_object *opts = json_object_new_object();
    struct tables t;
    int r = gather(n, &t, opts, e);

    if (r < 0 || (r = look_at_backing(env, n, opts, e)) < 0)
        goto out;
    if (!keyval_get(opts, "size") && find_option(&t, "size")) {
        r = err_set(e, -EINVAL, "Image creation needs a size parameter");
        goto out;
    }
    if (!n->quiet)
        print_formatting(n, &t, opts);
    if (keyval_get(opts, "backing_fmt") && !keyval_get(opts, "backing_file"))
        r = err_set(e, -EINVAL, "Backing format cannot be used without backing file");
    else
        r = blk_create(env, n->format, n->filename, json_object_get(opts), e);
out:
    json_object_put(opts);
    return r;
}
