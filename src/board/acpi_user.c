/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -acpitable: ACPI tables of the user's, beside the board's (ACPI Specification 6.3, 5.2.6: the header). */
#include "board/acpi.h"

#include "base/bytes.h"
#include "dev/firmware/image.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 36 };

static int take_number(struct json_object *o, const char *key, uint8_t *at, unsigned len, struct err *e)
{
    const char *text = keyval_string(o, key);
    uint8_t le[8];
    char *end;
    unsigned long v = text ? strtoul(text, &end, 0) : 0;

    if (!text)
        return 0;
    if (!*text || *end || (len < 8 && v >> 8 * len))
        return err_set(e, -EINVAL, "%s=%s: want a number of %u bits", key, text, 8 * len);
    put_le64(le, v);
    memcpy(at, le, len);
    return 0;
}

static int take_text(struct json_object *o, const char *key, uint8_t *at, size_t len, struct err *e)
{
    const char *text = keyval_string(o, key);

    if (!text)
        return 0;
    if (strlen(text) > len)
        return err_set(e, -EINVAL, "%s=%s: at most %zu characters", key, text, len);
    memset(at, 0, len);
    memcpy(at, text, strlen(text));
    return 0;
}

static int take_header(struct json_object *o, uint8_t h[HEADER], struct err *e)
{
    int r;

    if ((r = take_text(o, "sig", h, 4, e)) < 0 || (r = take_number(o, "rev", h + 8, 1, e)) < 0 ||
        (r = take_text(o, "oem_id", h + 10, 6, e)) < 0 || (r = take_text(o, "oem_table_id", h + 16, 8, e)) < 0 ||
        (r = take_number(o, "oem_rev", h + 24, 4, e)) < 0 ||
        (r = take_text(o, "asl_compiler_id", h + 28, 4, e)) < 0)
        return r;
    return take_number(o, "asl_compiler_rev", h + 32, 4, e);
}

/* Files one after the other: with file= the first begins with a header, with data= it is made. */
static int read_files(struct json_object *o, struct bytes *b, struct err *e)
{
    const char *file = keyval_string(o, "file"), *data = keyval_string(o, "data"), *names = file ? file : data;
    char name[4096];

    if (!file == !data)
        return err_set(e, -EINVAL, "want either file= or data=");
    if (data)
        bytes_zero_put(b, HEADER);
    for (size_t n; *names; names += n + (names[n] == ':')) {
        struct image img;

        n = strcspn(names, ":");
        snprintf(name, sizeof(name), "%.*s", (int)n, names);
        if (image_open(&img, name, e) < 0)
            return e->code;
        if (b->len + img.len <= 64 * KiB)
            bytes_put(b, img.data, img.len);
        else
            err_set(e, -EFBIG, "'%s': tables of the user's have at most 64 KiB", name);
        image_free(&img);
        if (e->code)
            return e->code;
    }
    return b->len < HEADER ? err_set(e, -EINVAL, "'%s' is no ACPI table: it is shorter than a header", file) : 0;
}

static int user_table(struct json_object *o, struct bytes *b, struct err *e)
{
    static const char own[] = "QEMUQEQEMUQEMU\1\0\0\0";
    int r = read_files(o, b, e);

    if (r < 0)
        return r;
    if (keyval_string(o, "data")) {
        memcpy(b->data, "QEMU", 4);
        b->data[8] = 1;
        memcpy(b->data + 10, own, sizeof(own) - 1);
    }
    if ((r = take_header(o, b->data, e)) < 0)
        return r;
    put_le32(b->data + 4, b->len);
    return 0;
}

/* Read each time that tables are made: files may be edited between two starts of the guest. */
int acpi_add_user_tables(struct acpi *a, struct json_object *list, struct err *e)
{
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct bytes b = {0};

        if (a->n == ARRAY_LEN(a->table))
            err_set(e, -ENOSPC, "there is room for %zu tables", ARRAY_LEN(a->table));
        else if (user_table(json_object_array_get_idx(list, i), &b, e) == 0)
            acpi_add_table(a, b.data, b.len);
        free(b.data);
        if (e->code)
            return err_wrap(e, e->code, "-acpitable");
    }
    return 0;
}
