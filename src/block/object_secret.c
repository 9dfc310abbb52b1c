/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --object secret,id=ID,data=TEXT|file=PATH[,format=raw|base64]: a password or key. */
#include "block/driver.h"
#include "block/env_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECRET_MAX = 2 << 20 };
static const char *const formats[] = {"raw", "base64", NULL};

struct secret {
    char *data, *file;
    int format;
};

static const struct field secret_fields[] = {
    FIELD(secret, data, F_STR, "data", NULL, "the secret itself"),
    FIELD(secret, file, F_STR, "file", NULL, "a file that holds it"),
    FIELD_ENUM(secret, format, formats, "format", "raw", "how it is written"),
    FIELD_END,
};

static void secret_free(void *made)
{
    struct secret *s = made;

    fields_free(secret_fields, s);
    free(s);
}

static void *secret_make(struct blk_env *env, struct json_object *opts, struct err *e)
{
    struct secret *s = calloc(1, sizeof(*s));

    if (!s)
        fatal("out of memory");
    if (fields_take(secret_fields, opts, s, e) < 0) {
        free(s);
        return NULL;
    }
    if (!s->data == !s->file) {
        err_set(e, -EINVAL,
                s->data ? "'file' and 'data' are mutually exclusive"
                        : "Must provide 'file' or 'data'");
        secret_free(s);
        return NULL;
    }
    return s;
}

int blk_env_secret(struct blk_env *env, const char *id, unsigned char **data, size_t *len,
                   struct err *e)
{
    struct secret *s = blk_env_object(env, id, "secret", e);

    if (!s)
        return e->code;
    if (s->data) {
        *data = (unsigned char *)strdup(s->data);
        *len = strlen(s->data);
        return *data ? 0 : err_set(e, -ENOMEM, "out of memory");
    }
    FILE *f = fopen(s->file, "re");

    if (!f)
        return err_set(e, -errno, "Unable to read %s: %s", s->file, strerror(errno));
    if (!(*data = calloc(1, SECRET_MAX + 1)))
        fatal("out of memory");
    *len = fread(*data, 1, SECRET_MAX, f);
    fclose(f);
    return 0;
}

const struct blk_object_type object_secret = {
    .name = "secret",
    .help = "a password or key",
    .make = secret_make,
    .free = secret_free,
};
