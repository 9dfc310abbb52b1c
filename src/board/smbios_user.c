/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -smbios: fields of structures, OEM strings, files that are structures (DMTF DSP0134, section 7). */
#include "board/smbios_priv.h"

#include "base/bytes.h"
#include "dev/firmware/image.h"
#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER = 4, MAX_FILE = 64 << 10 };

#define NUMBER(m, name_, def_) FIELD(smbios_words, m, F_U64, name_, def_, NULL)
#define WORD(m, name_)         FIELD(smbios_words, m, F_STR, name_, NULL, NULL)
#define TYPE                   WORD(type, "type")

/* 7.42.2, from 1 on. */
static const char *const kinds[] = {"", "other", "unknown", "video", "scsi", "ethernet", "tokenring", "sound", "pata", "sata", "sas", NULL};

static const struct field type0[] = {TYPE, WORD(vendor, "vendor"), WORD(version, "version"), WORD(date, "date"), WORD(release, "release"),
                                     FIELD(smbios_words, uefi, F_BOOL, "uefi", "off", NULL), FIELD_END};
static const struct field type1[] = {TYPE, WORD(manufacturer, "manufacturer"), WORD(product, "product"), WORD(version, "version"),
                                     WORD(serial, "serial"), WORD(uuid, "uuid"), WORD(sku, "sku"), WORD(family, "family"), FIELD_END};
static const struct field type2[] = {TYPE, WORD(manufacturer, "manufacturer"), WORD(product, "product"), WORD(version, "version"),
                                     WORD(serial, "serial"), WORD(asset, "asset"), WORD(location, "location"), FIELD_END};
static const struct field type3[] = {TYPE, WORD(manufacturer, "manufacturer"), WORD(version, "version"), WORD(serial, "serial"),
                                     WORD(asset, "asset"), WORD(sku, "sku"), FIELD_END};
static const struct field type4[] = {TYPE, WORD(sock_pfx, "sock_pfx"), WORD(manufacturer, "manufacturer"), WORD(version, "version"),
                                     WORD(serial, "serial"), WORD(asset, "asset"), WORD(part, "part"), NUMBER(max_speed, "max-speed", "2000"),
                                     NUMBER(current_speed, "current-speed", "2000"), NUMBER(processor_id, "processor-id", "0"), FIELD_END};
static const struct field type8[] = {TYPE, WORD(internal, "internal_reference"), WORD(external, "external_reference"),
                                     NUMBER(connector_type, "connector_type", "0"), NUMBER(port_type, "port_type", "0"), FIELD_END};
static const struct field type17[] = {TYPE, WORD(loc_pfx, "loc_pfx"), WORD(bank, "bank"), WORD(manufacturer, "manufacturer"),
                                      WORD(serial, "serial"), WORD(asset, "asset"), WORD(part, "part"), NUMBER(speed, "speed", "0"), FIELD_END};
static const struct field type41[] = {TYPE, WORD(designation, "designation"), FIELD_ENUM(smbios_words, kind, kinds, "kind", "other", NULL),
                                      NUMBER(instance, "instance", "1"), WORD(pcidev, "pcidev"), FIELD_END};

/* Type 11 has no fields, but strings. */
static const struct field *const known[SMBIOS_TYPES] = {[0] = type0, [1] = type1, [2] = type2, [3] = type3, [4] = type4,
                                                        [8] = type8, [17] = type17, [41] = type41};

void smbios_said_free(struct smbios_said *u)
{
    for (unsigned i = 0; i < SMBIOS_TYPES; i++) {
        if (known[i])
            fields_free(known[i], &u->of[i]);
        json_object_put(u->merged[i]);
    }
    for (unsigned i = 0; i < u->n_connectors; i++)
        fields_free(type8, &u->connector[i]);
    for (unsigned i = 0; i < u->n_onboard; i++)
        fields_free(type41, &u->onboard[i]);
    for (unsigned i = 0; i < u->n_oem; i++)
        free(u->oem[i]);
}

/* "value=a,value=b,path=c" is a list: "strings.0.value=a,strings.1.value=b,...". */
struct json_object *smbios_text_opts(const char *text, struct err *e)
{
    struct bytes b = {0};
    struct json_object *o;
    unsigned n = 0;

    while (*text) {
        size_t len = strcspn(text, ",");
        char word[40];

        while (text[len] && text[len + 1] == ',') /* a comma of the value */
            len += 2 + strcspn(text + len + 2, ",");
        if (!strncmp(text, "value=", 6) || !strncmp(text, "path=", 5)) {
            snprintf(word, sizeof(word), "strings.%u.", n++);
            bytes_put(&b, word, strlen(word));
        }
        len += text[len] == ',';
        bytes_put(&b, text, len);
        text += len;
    }
    bytes_put(&b, "", 1);
    o = keyval_parse((const char *)b.data, NULL, e);
    free(b.data);
    return o;
}

/* A file is a structure of its own, as it is. */
static int take_file(struct smbios *s, struct json_object *opts, const char *name, struct err *e)
{
    struct image img;

    if (json_object_object_length(opts) != 1)
        return err_set(e, -EINVAL, "file=%s: the file has everything, nothing else can be said", name);
    if (image_open(&img, name, e) < 0)
        return e->code;
    if (img.len < HEADER || img.len > MAX_FILE || img.data[1] < HEADER || img.data[1] > img.len) {
        err_set(e, -EINVAL, "'%s' is no SMBIOS structure", name);
    } else {
        s->start = s->all.len;
        bytes_put(&s->all, img.data, img.len);
        if (img.len < img.data[1] + 2u || s->all.data[s->all.len - 1] || s->all.data[s->all.len - 2])
            bytes_le(&s->all, 0, 2);
    }
    image_free(&img);
    return e->code;
}

static int parse_uuid(struct smbios_words *w, struct err *e)
{
    unsigned n = 0, byte;
    int used;

    for (const char *p = w->uuid; n < 16; p += used, n++) {
        p += *p == '-';
        if (sscanf(p, "%2x%n", &byte, &used) != 1 || used != 2)
            return err_set(e, -EINVAL, "Invalid UUID '%s'", w->uuid);
        w->uuid_bytes[n] = byte;
    }
    return 0;
}

static int within(const char *key, uint64_t v, uint64_t max, struct err *e)
{
    return v <= max ? 0 : err_set(e, -EINVAL, "%s=%llu: at most %llu", key, (unsigned long long)v, (unsigned long long)max);
}

static int check(struct smbios_words *w, struct err *e)
{
    if (w->release && sscanf(w->release, "%hhu.%hhu", &w->major, &w->minor) != 2)
        return err_set(e, -EINVAL, "Invalid release '%s'", w->release);
    if (w->uuid && parse_uuid(w, e) < 0)
        return e->code;
    if (within("max-speed", w->max_speed, 0xffff, e) < 0 || within("current-speed", w->current_speed, 0xffff, e) < 0 ||
        within("speed", w->speed, 0xffff, e) < 0 || within("connector_type", w->connector_type, 0xff, e) < 0 ||
        within("port_type", w->port_type, 0xff, e) < 0)
        return e->code;
    return within("instance", w->instance, 0xff, e);
}

static int take_words(const struct field *fields, struct json_object *opts, struct smbios_words *w, struct err *e)
{
    struct json_object *copy = NULL;
    int r;

    if (json_object_deep_copy(opts, &copy, NULL) < 0)
        fatal("out of memory");
    if ((r = fields_take(fields, copy, w, e)) == 0)
        r = fields_refuse_rest(copy, e);
    json_object_put(copy);
    return r < 0 ? r : check(w, e);
}

static int take_merged(struct smbios_said *u, unsigned t, struct json_object *opts, struct err *e)
{
    if (!u->merged[t])
        u->merged[t] = json_object_new_object();
    json_object_object_foreach(opts, key, value)
        json_object_object_add(u->merged[t], key, json_object_get(value));
    fields_free(known[t], &u->of[t]);
    u->any[t] = true;
    return take_words(known[t], u->merged[t], &u->of[t], e);
}

static int take_one(const struct field *fields, struct smbios_words *list, unsigned *n, struct json_object *opts, struct err *e)
{
    if (*n == SMBIOS_MANY)
        return err_set(e, -E2BIG, "more than %u of them", SMBIOS_MANY);
    return take_words(fields, opts, &list[(*n)++], e);
}

static int take_string(struct smbios_said *u, const char *key, const char *value, struct err *e)
{
    struct image img;

    if (u->n_oem == SMBIOS_STRINGS)
        return err_set(e, -E2BIG, "more than %u strings", SMBIOS_STRINGS);
    if (!strcmp(key, "value")) {
        u->oem[u->n_oem++] = strdup(value);
        return 0;
    }
    if (strcmp(key, "path") != 0)
        return err_set(e, -EINVAL, "Invalid parameter '%s'", key);
    if (image_open(&img, value, e) < 0)
        return e->code;
    if (img.len > MAX_FILE || memchr(img.data, 0, img.len))
        err_set(e, -EINVAL, "'%s' is no text of at most %d bytes", value, MAX_FILE);
    else
        u->oem[u->n_oem++] = strndup((const char *)img.data, img.len);
    image_free(&img);
    return e->code;
}

static int take_strings(struct smbios_said *u, struct json_object *opts, struct err *e)
{
    json_object_object_foreach(opts, key, value)
    {
        size_t n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

        if (!strcmp(key, "type"))
            continue;
        if (!n && take_string(u, key, json_object_get_string(value), e) < 0)
            return e->code;
        for (size_t i = 0; i < n; i++) {
            json_object_object_foreach(json_object_array_get_idx(value, i), name, text)
                if (take_string(u, name, json_object_get_string(text), e) < 0)
                    return e->code;
        }
    }
    return 0;
}

static int take_type(struct smbios_said *u, unsigned long t, struct json_object *opts, struct err *e)
{
    switch (t) {
    case 8:
        return take_one(type8, u->connector, &u->n_connectors, opts, e);
    case 11:
        return take_strings(u, opts, e);
    case 41:
        return take_one(type41, u->onboard, &u->n_onboard, opts, e);
    }
    if (t < SMBIOS_TYPES && known[t])
        return take_merged(u, t, opts, e);
    return err_set(e, -EINVAL, "0, 1, 2, 3, 4, 8, 11, 17 and 41 can be set");
}

static int take(struct smbios *s, struct smbios_said *u, struct json_object *opts, struct err *e)
{
    const char *file = keyval_string(opts, "file"), *type = keyval_string(opts, "type");
    char *end;
    unsigned long t;

    if (file)
        return take_file(s, opts, file, e) < 0 ? err_wrap(e, e->code, "-smbios") : 0;
    if (!type)
        return err_set(e, -EINVAL, "-smbios: Must specify type= or file=");
    t = strtoul(type, &end, 10);
    if (!*type || *end)
        t = SMBIOS_TYPES;
    return take_type(u, t, opts, e) < 0 ? err_wrap(e, e->code, "-smbios type=%s", type) : 0;
}

int smbios_take(struct smbios *s, struct smbios_said *u, struct json_object *options, struct err *e)
{
    u->of[4].max_speed = u->of[4].current_speed = 2000; /* where the user says nothing of that type */
    for (size_t i = 0; options && i < json_object_array_length(options); i++)
        if (take(s, u, json_object_array_get_idx(options, i), e) < 0)
            return e->code;
    return 0;
}
