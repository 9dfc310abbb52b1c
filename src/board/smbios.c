/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS tables.  Source: DMTF DSP0134, System Management BIOS 3.0; section 7 has the structures. */
#include "board/smbios.h"

#include "base/bytes.h"
#include "board/aml.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"
#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER = 4, MAX_STRINGS = 16, MAX_FILE = 64 << 10 };

/* --- One structure --- */

struct smbios {
    struct bytes all;
    size_t start; /* of the structure being written */
    const char *strings[MAX_STRINGS];
    unsigned n_strings;
    unsigned count[128]; /* of each type: their handles differ */
};

static uint16_t open_type(struct smbios *s, uint8_t type)
{
    uint16_t handle = type << 8 | s->count[type]++;

    s->start = s->all.len;
    s->n_strings = 0;
    bytes_le(&s->all, type, 1);
    bytes_le(&s->all, 0, 1);
    bytes_le(&s->all, handle, 2);
    return handle;
}

static void u8(struct smbios *s, uint8_t v)
{
    bytes_le(&s->all, v, 1);
}

static void u16(struct smbios *s, uint16_t v)
{
    bytes_le(&s->all, v, 2);
}

static void u32(struct smbios *s, uint32_t v)
{
    bytes_le(&s->all, v, 4);
}

static void u64(struct smbios *s, uint64_t v)
{
    bytes_le(&s->all, v, 8);
}

/* The number of a string that follows the structure; NULL or empty: 0, none. */
static void str(struct smbios *s, const char *text)
{
    if (!text || !*text || s->n_strings == MAX_STRINGS) {
        u8(s, 0);
        return;
    }
    s->strings[s->n_strings++] = text;
    u8(s, s->n_strings);
}

static void close_type(struct smbios *s)
{
    s->all.data[s->start + 1] = s->all.len - s->start;
    for (unsigned i = 0; i < s->n_strings; i++)
        bytes_put(&s->all, s->strings[i], strlen(s->strings[i]) + 1);
    bytes_le(&s->all, 0, s->n_strings ? 1 : 2);
}

/* --- What the user may say --- */

struct words {
    char *type, *vendor, *version, *date, *release, *manufacturer, *product, *serial, *uuid, *sku,
        *family, *asset, *location, *value, *part, *loc_pfx, *bank, *sock_pfx;
    bool uefi;
    uint64_t max_speed, current_speed, speed;
};

#define TYPE   FIELD(words, type, F_STR, "type", NULL, "number of the structure")
#define WORD(m, name_) FIELD(words, m, F_STR, name_, NULL, NULL)

static const struct field type0[] = {TYPE, WORD(vendor, "vendor"), WORD(version, "version"),
                                     WORD(date, "date"), WORD(release, "release"),
                                     FIELD(words, uefi, F_BOOL, "uefi", "off", NULL), FIELD_END};
static const struct field type1[] = {TYPE, WORD(manufacturer, "manufacturer"), WORD(product, "product"),
                                     WORD(version, "version"), WORD(serial, "serial"), WORD(uuid, "uuid"),
                                     WORD(sku, "sku"), WORD(family, "family"), FIELD_END};
static const struct field type2[] = {TYPE, WORD(manufacturer, "manufacturer"), WORD(product, "product"),
                                     WORD(version, "version"), WORD(serial, "serial"), WORD(asset, "asset"),
                                     WORD(location, "location"), FIELD_END};
static const struct field type3[] = {TYPE, WORD(manufacturer, "manufacturer"), WORD(version, "version"),
                                     WORD(serial, "serial"), WORD(asset, "asset"), WORD(sku, "sku"),
                                     FIELD_END};
static const struct field type4[] = {
    TYPE, WORD(sock_pfx, "sock_pfx"), WORD(manufacturer, "manufacturer"), WORD(version, "version"),
    WORD(serial, "serial"), WORD(asset, "asset"), WORD(part, "part"),
    FIELD(words, max_speed, F_U64, "max-speed", "2000", NULL),
    FIELD(words, current_speed, F_U64, "current-speed", "2000", NULL), FIELD_END};
static const struct field type11[] = {TYPE, WORD(value, "value"), FIELD_END};
static const struct field type17[] = {
    TYPE, WORD(loc_pfx, "loc_pfx"), WORD(bank, "bank"), WORD(manufacturer, "manufacturer"),
    WORD(serial, "serial"), WORD(asset, "asset"), WORD(part, "part"),
    FIELD(words, speed, F_U64, "speed", "0", NULL), FIELD_END};

enum { TYPES = 18 };
static const struct field *const known[TYPES] = {[0] = type0, [1] = type1, [2] = type2, [3] = type3,
                                                 [4] = type4, [11] = type11, [17] = type17};

struct said {
    struct words of[TYPES]; /* the last option of each type */
    bool any[TYPES];
    const char *oem[MAX_STRINGS]; /* type 11's values, borrowed */
    unsigned n_oem;
};

static void said_free(struct said *u)
{
    for (unsigned i = 0; i < TYPES; i++)
        if (known[i])
            fields_free(known[i], &u->of[i]);
}

/* A file is a structure of its own, as it is. */
static int take_file(struct smbios *s, const char *name, struct err *e)
{
    struct image img;

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

static int take(struct smbios *s, struct said *u, struct json_object *opts, struct err *e)
{
    const char *file = keyval_string(opts, "file"), *type = keyval_string(opts, "type"),
               *value = keyval_string(opts, "value");
    struct json_object *copy = NULL;
    char *end;
    unsigned long t;
    int r;

    if (file)
        return take_file(s, file, e);
    t = type ? strtoul(type, &end, 10) : TYPES;
    if (!type || *end || t >= TYPES || !known[t])
        return err_set(e, -EINVAL, "type=%s: 0, 1, 2, 3, 4, 11 and 17 can be set", type ? type : "");
    if (t == 11 && value && u->n_oem < MAX_STRINGS)
        u->oem[u->n_oem++] = value;
    if (json_object_deep_copy(opts, &copy, NULL) < 0)
        fatal("out of memory");
    fields_free(known[t], &u->of[t]);
    u->any[t] = true;
    if ((r = fields_take(known[t], copy, &u->of[t], e)) == 0)
        r = fields_refuse_rest(copy, e);
    json_object_put(copy);
    return r < 0 ? err_wrap(e, r, "type=%lu", t) : 0;
}

/* --- The structures --- */

static const char *or(const char *said, const char *otherwise)
{
    return said ? said : otherwise;
}

static void add_bios(struct smbios *s, const struct words *w)
{
    unsigned major = 0, minor = 0;

    if (w->release)
        sscanf(w->release, "%u.%u", &major, &minor);
    open_type(s, 0);
    str(s, w->vendor);
    str(s, w->version);
    u16(s, 0xe800);
    str(s, w->date);
    u8(s, 0);
    u64(s, 8);                           /* characteristics are not supported, */
    u8(s, 0);                            /* but for: */
    u8(s, 0x14 | (w->uefi ? 0x08 : 0)); /* a virtual machine, table of boot order, UEFI */
    u8(s, major);
    u8(s, minor);
    u16(s, 0xffff);
    close_type(s);
}

/* Its first three fields are little endian (7.2.1). */
static void put_uuid(struct smbios *s, const uint8_t uuid[16])
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (unsigned i = 0; i < 16; i++)
        u8(s, uuid[order[i]]);
}

static int parse_uuid(const char *text, uint8_t uuid[16], struct err *e)
{
    unsigned n = 0, byte;
    int used;

    for (const char *p = text; n < 16; p += used, n++) {
        p += *p == '-';
        if (sscanf(p, "%2x%n", &byte, &used) != 1 || used != 2)
            return err_set(e, -EINVAL, "Invalid UUID '%s'", text);
        uuid[n] = byte;
    }
    return 0;
}

static int add_system(struct smbios *s, const struct conf *c, const struct smbios_machine *m,
                      const struct words *w, struct err *e)
{
    uint8_t uuid[16];

    memcpy(uuid, c->uuid, 16);
    if (w->uuid && parse_uuid(w->uuid, uuid, e) < 0)
        return e->code;
    open_type(s, 1);
    str(s, or(w->manufacturer, m->manufacturer));
    str(s, or(w->product, m->product));
    str(s, or(w->version, m->version));
    str(s, w->serial);
    put_uuid(s, uuid);
    u8(s, 6); /* woken by the power switch */
    str(s, w->sku);
    str(s, w->family);
    close_type(s);
    return 0;
}

static void add_board(struct smbios *s, const struct smbios_machine *m, const struct words *w)
{
    open_type(s, 2);
    str(s, or(w->manufacturer, m->manufacturer));
    str(s, or(w->product, m->product));
    str(s, or(w->version, m->version));
    str(s, w->serial);
    str(s, w->asset);
    u8(s, 1); /* hosts the rest */
    str(s, w->location);
    u16(s, 3 << 8);
    u8(s, 10); /* motherboard */
    u8(s, 0);
    close_type(s);
}

static void add_chassis(struct smbios *s, const struct smbios_machine *m, const struct words *w)
{
    open_type(s, 3);
    str(s, or(w->manufacturer, m->manufacturer));
    u8(s, 1); /* other */
    str(s, or(w->version, m->version));
    str(s, w->serial);
    str(s, w->asset);
    u8(s, 3); /* safe: state, power, heat */
    u8(s, 3);
    u8(s, 3);
    u8(s, 2); /* security: unknown */
    u32(s, 0);
    u32(s, 0); /* height, cords, contained elements */
    str(s, w->sku);
    close_type(s);
}

static void add_processor(struct smbios *s, const struct conf *c, const struct smbios_machine *m,
                          const struct words *w, unsigned n)
{
    unsigned cores = c->clusters * c->cores * c->dies, threads = cores * c->threads;
    char socket[64];

    snprintf(socket, sizeof(socket), "%s%u", or(w->sock_pfx, "CPU "), n);
    open_type(s, 4);
    str(s, socket);
    u8(s, 3); /* central */
    u8(s, 0xfe); /* family: below */
    str(s, or(w->manufacturer, m->manufacturer));
    u64(s, 0);
    str(s, or(w->version, m->version));
    u8(s, 0);
    u16(s, 0);
    u16(s, w->max_speed ? w->max_speed : 2000);
    u16(s, w->current_speed ? w->current_speed : 2000);
    u8(s, 0x41); /* populated, enabled */
    u8(s, 1);
    u16(s, 0xffff); /* caches: not told here */
    u16(s, 0xffff);
    u16(s, 0xffff);
    str(s, w->serial);
    str(s, w->asset);
    str(s, w->part);
    u8(s, cores > 255 ? 255 : cores);
    u8(s, cores > 255 ? 255 : cores);
    u8(s, threads > 255 ? 255 : threads);
    u16(s, 2); /* unknown */
    u16(s, 1); /* other */
    u16(s, cores);
    u16(s, cores);
    u16(s, threads);
    close_type(s);
}

/* One array with one device of all the memory, and where it is. */
static void add_memory(struct smbios *s, const struct conf *c, const struct smbios_machine *m,
                       const struct words *w)
{
    uint64_t kib = c->ram / KiB, mib = c->ram / MiB, last = m->ram_base + c->ram - 1;
    char where[64];
    uint16_t array = open_type(s, 16);

    u8(s, 1); /* other */
    u8(s, 3); /* system memory */
    u8(s, 6); /* multi-bit error correction */
    u32(s, kib < 0x80000000 ? kib : 0x80000000);
    u16(s, 0xfffe);
    u16(s, 1);
    u64(s, kib < 0x80000000 ? 0 : c->ram);
    close_type(s);

    snprintf(where, sizeof(where), "%s0", or(w->loc_pfx, "DIMM "));
    open_type(s, 17);
    u16(s, array);
    u16(s, 0xfffe);
    u32(s, 0xffffffff); /* widths: unknown */
    u16(s, mib < 0x7fff ? mib : 0x7fff);
    u8(s, 9); /* DIMM */
    u8(s, 0);
    str(s, where);
    str(s, w->bank);
    u8(s, 7); /* RAM */
    u16(s, 2);
    u16(s, w->speed);
    str(s, or(w->manufacturer, m->manufacturer));
    str(s, w->serial);
    str(s, w->asset);
    str(s, w->part);
    u8(s, 0);
    u32(s, mib < 0x7fff ? 0 : mib);
    u16(s, w->speed);
    u16(s, 0);
    u32(s, 0);
    close_type(s);

    open_type(s, 19);
    u32(s, last / KiB < 0xffffffff ? m->ram_base / KiB : 0xffffffff);
    u32(s, last / KiB < 0xffffffff ? last / KiB : 0xffffffff);
    u16(s, array);
    u8(s, 1);
    u64(s, last / KiB < 0xffffffff ? 0 : m->ram_base);
    u64(s, last / KiB < 0xffffffff ? 0 : last);
    close_type(s);
}

static void add_oem_strings(struct smbios *s, const struct said *u)
{
    if (!u->n_oem)
        return;
    open_type(s, 11);
    u8(s, u->n_oem);
    memcpy(s->strings, u->oem, sizeof(u->oem));
    s->n_strings = u->n_oem;
    close_type(s);
}

static void add_end(struct smbios *s)
{
    open_type(s, 32); /* boot status: no error */
    u16(s, 0);
    u32(s, 0);
    u8(s, 0);
    close_type(s);
    open_type(s, 127);
    close_type(s);
}

static uint8_t minus_sum(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;

    while (len--)
        sum += *p++;
    return -sum;
}

/* Structures, and the size of the largest with its strings, which end with two zeros. */
static unsigned count_structures(const struct smbios *s, size_t *largest)
{
    const uint8_t *p = s->all.data;
    unsigned n = 0;

    *largest = 0;
    for (size_t at = 0, end; at < s->all.len; at = end, n++) {
        end = at + p[at + 1];
        while (p[end] || p[end + 1])
            end++;
        end += 2;
        if (end - at > *largest)
            *largest = end - at;
    }
    return n;
}

/* The entry point of 32 bits (5.2.1).  Firmware fills in addresses, and checksums anew. */
static int entry_point_32(const struct smbios *s, uint8_t a[static 31], struct err *e)
{
    size_t largest;
    unsigned n = count_structures(s, &largest);

    if (s->all.len > 0xffff)
        return err_set(e, -E2BIG, "SMBIOS: %zu bytes, more than a 32-bit entry point can tell (65535)", s->all.len);
    memcpy(a, "_SM_", 4);
    a[5] = 31;
    a[6] = 2;
    a[7] = 8;
    put_le16(a + 8, largest);
    memcpy(a + 16, "_DMI_", 5);
    put_le16(a + 22, s->all.len);
    put_le16(a + 28, n);
    a[30] = 0x28;
    a[21] = minus_sum(a + 16, 15);
    a[4] = minus_sum(a, 31);
    return 0;
}

/* That of 64 bits (5.2.2). */
static void entry_point_64(const struct smbios *s, uint8_t a[static 24])
{
    memcpy(a, "_SM3_", 5);
    a[6] = 24;
    a[7] = 3;
    a[10] = 1;
    put_le32(a + 12, s->all.len);
    a[5] = minus_sum(a, 24);
}

static int put_files(struct smbios *s, bool entry32, struct dev *fw_cfg, struct err *e)
{
    uint8_t a[31] = {0};

    if (!entry32)
        entry_point_64(s, a);
    else if (entry_point_32(s, a, e) < 0)
        return e->code;
    if (fw_cfg_set_file(fw_cfg, "etc/smbios/smbios-tables", s->all.data, s->all.len, e) < 0)
        return e->code;
    return fw_cfg_set_file(fw_cfg, "etc/smbios/smbios-anchor", a, entry32 ? 31 : 24, e);
}

int smbios_publish(const struct conf *c, const struct smbios_machine *m, struct dev *fw_cfg,
                   struct err *e)
{
    struct smbios s = {{0}};
    struct said u = {0};
    int r = 0;

    for (size_t i = 0; c->smbios && r == 0 && i < json_object_array_length(c->smbios); i++)
        r = take(&s, &u, json_object_array_get_idx(c->smbios, i), e);
    if (r == 0) {
        if (u.any[0])
            add_bios(&s, &u.of[0]);
        r = add_system(&s, c, m, &u.of[1], e);
    }
    if (r == 0) {
        if (u.any[2])
            add_board(&s, m, &u.of[2]);
        add_chassis(&s, m, &u.of[3]);
        for (unsigned i = 0; i < c->sockets; i++)
            add_processor(&s, c, m, &u.of[4], i);
        add_oem_strings(&s, &u);
        add_memory(&s, c, m, &u.of[17]);
        add_end(&s);
        r = put_files(&s, m->entry32, fw_cfg, e);
    } else {
        err_wrap(e, r, "-smbios");
    }
    said_free(&u);
    free(s.all.data);
    return r;
}
