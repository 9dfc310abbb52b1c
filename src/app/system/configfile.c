/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -readconfig and -writeconfig: [group "id"] lines, below them key = "value" lines. */
#include "app/system/sys.h"

#include "schema/keyval.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096 };

static const struct group *group_named(const char *name)
{
    for (const struct group *const *g = groups; *g; g++)
        if (!strcmp((*g)->name, name))
            return *g;
    return NULL;
}

struct reader {
    struct cli *c;
    const struct group *g; /* whose lines come, NULL before the first */
    struct json_object *o;
};

static int finish(struct reader *r, struct err *e)
{
    char *text;
    int ret;

    if (!r->g)
        return 0;
    if (r->g->plain) { /* "text" of one value */
        ret = cli_add(r->c, r->g, "", keyval_string(r->o, r->g->implied) ?: "", e);
    } else {
        struct entry *x;

        ret = cli_add(r->c, r->g, "", "", e);
        for (x = r->c->entries; ret == 0 && x && (x->group != r->g || (entry_next(x) && !r->g->merge));)
            x = x->next;
        json_object_object_foreach(r->o, key, value)
        {
            if (ret == 0)
                ret = keyval_set(x->opts, key, json_object_get(value), e);
        }
        text = ret == 0 ? json_print(x->opts, true) : NULL;
        if (text) {
            free(x->text);
            x->text = text;
        }
    }
    json_object_put(r->o);
    r->o = NULL;
    r->g = NULL;
    return ret;
}

static int read_line(struct reader *r, char *line, struct err *e)
{
    char name[64], id[64], value[LINE];
    int ret;

    line += strspn(line, " \t");
    line[strcspn(line, "\r\n")] = 0;
    if (!*line || *line == '#')
        return 0;
    if (*line == '[') {
        int n = sscanf(line, "[%63[^] \"] \"%63[^\"]\"]", name, id);

        if (n < 1 || !strchr(line, ']'))
            return err_set(e, -EINVAL, "'%s' is no group: want [name] or [name \"id\"]", line);
        if ((ret = finish(r, e)) < 0)
            return ret;
        if (!(r->g = group_named(name)))
            return err_set(e, -EINVAL, "there is no option group '%s'", name);
        r->o = json_object_new_object();
        if (n == 2)
            json_object_object_add(r->o, "id", json_object_new_string(id));
        return 0;
    }
    value[0] = 0;
    if (sscanf(line, "%63[^ =\t] = \"%4095[^\"]\"", name, value) < 1 || !strchr(line, '"'))
        return err_set(e, -EINVAL, "parse error: '%s': want key = \"value\"", line);
    if (!r->g)
        return err_set(e, -EINVAL, "no group defined");
    return keyval_set(r->o, name, json_object_new_string(value), e);
}

int config_read(struct cli *c, const char *path, struct err *e)
{
    struct reader r = {.c = c};
    FILE *f = fopen(path, "r");
    char line[LINE];
    int ret = 0;

    if (!f)
        return err_set(e, -errno, "Could not open '%s': %s", path, strerror(errno));
    for (unsigned n = 1; ret == 0 && fgets(line, sizeof(line), f); n++)
        if ((ret = read_line(&r, line, e)) < 0)
            err_wrap(e, ret, "%s:%u", path, n);
    if (ret == 0 && (ret = finish(&r, e)) < 0)
        err_wrap(e, ret, "%s", path);
    json_object_put(r.o);
    fclose(f);
    return ret;
}

static void write_keys(FILE *f, struct json_object *o, const char *prefix)
{
    json_object_object_foreach(o, key, value)
    {
        char path[256];

        snprintf(path, sizeof(path), "%s%s", prefix, key);
        if (json_object_is_type(value, json_type_object)) {
            strncat(path, ".", sizeof(path) - strlen(path) - 1);
            write_keys(f, value, path);
        } else if (strcmp(path, "id") != 0) {
            fprintf(f, "  %s = \"%s\"\n", path, json_object_get_string(value));
        }
    }
}

int config_write(const struct cli *c, const char *path, struct err *e)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "w") : stdout;
    bool failed;

    if (!f)
        return err_set(e, -errno, "-writeconfig %s: %s", path, strerror(errno));
    fprintf(f, "# emu config file\n\n");
    for (const struct entry *x = c->entries; x; x = x->next) {
        const char *id = keyval_string(x->opts, "id");

        fprintf(f, id ? "[%s \"%s\"]\n" : "[%s]\n", x->group->name, id);
        write_keys(f, x->opts, "");
        fprintf(f, "\n");
    }
    failed = fflush(f) != 0;
    if (f != stdout)
        failed |= fclose(f) != 0;
    return failed ? err_set(e, -EIO, "-writeconfig %s: %s", path, strerror(errno)) : 0;
}
