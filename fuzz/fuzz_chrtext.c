/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of -serial: any becomes options with a back end, nothing at all ("none"), or is refused. */
#include "schema/keyval.h"
#include "ui/chr.h"

#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    struct err e = {0};
    struct json_object *o;

    memcpy(text, data, len);
    text[len] = 0;
    o = chr_text_opts("s", text, &e);
    if (o ? e.code || !keyval_string(o, "backend") || !keyval_string(o, "id")
          : !e.code && strcmp(text, "none"))
        abort();
    json_object_put(o);
    free(text);
    return 0;
}
