/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS tables.  Source: DMTF DSP0134, System Management BIOS 3.0; section 7 has the structures. */
#include "board/smbios_priv.h"

#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/pci/pci.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One memory device is not larger: many guests read no more than 15 bits of MiB. */
#define DEVICE_MAX (UINT64_C(16) << 30)

/* --- One structure --- */

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
    if (!text || !*text || s->n_strings == SMBIOS_STRINGS) {
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

/* --- The structures --- */

static const char *or(const char *said, const char *otherwise)
{
    return said ? said : otherwise;
}

static void add_bios(struct smbios *s, const struct smbios_words *w)
{
    open_type(s, 0);
    str(s, w->vendor);
    str(s, w->version);
    u16(s, 0xe800);
    str(s, w->date);
    u8(s, 0);
    u64(s, 8);                           /* characteristics are not supported, */
    u8(s, 0);                            /* but for: */
    u8(s, 0x14 | (w->uefi ? 0x08 : 0)); /* a virtual machine, table of boot order, UEFI */
    u8(s, w->major);
    u8(s, w->minor);
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

static void add_system(struct smbios *s, const struct conf *c, const struct smbios_machine *m, const struct smbios_words *w)
{
    open_type(s, 1);
    str(s, or(w->manufacturer, m->manufacturer));
    str(s, or(w->product, m->product));
    str(s, or(w->version, m->version));
    str(s, w->serial);
    put_uuid(s, w->uuid ? w->uuid_bytes : c->uuid);
    u8(s, 6); /* woken by the power switch */
    str(s, w->sku);
    str(s, w->family);
    close_type(s);
}

static void add_board(struct smbios *s, const struct smbios_machine *m, const struct smbios_words *w)
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

static void add_chassis(struct smbios *s, const struct smbios_machine *m, const struct smbios_words *w)
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
                          const struct smbios_words *w, unsigned n)
{
    unsigned cores = c->clusters * c->cores * c->dies, threads = cores * c->threads;
    char socket[64];

    snprintf(socket, sizeof(socket), "%s%2x", or(w->sock_pfx, "CPU"), n);
    open_type(s, 4);
    str(s, socket);
    u8(s, 3); /* central */
    u8(s, 1); /* family: other */
    str(s, or(w->manufacturer, m->manufacturer));
    u64(s, w->processor_id ? w->processor_id : m->processor_id);
    str(s, or(w->version, m->version));
    u8(s, 0);
    u16(s, 0);
    u16(s, w->max_speed);
    u16(s, w->current_speed);
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
    if (!m->entry32) { /* since 3.0 */
        u16(s, cores);
        u16(s, cores);
        u16(s, threads);
    }
    close_type(s);
}

static void add_memory_device(struct smbios *s, const struct smbios_machine *m, const struct smbios_words *w, uint16_t array, unsigned n,
                              uint64_t size)
{
    uint64_t mib = size / MiB;
    char where[64];

    snprintf(where, sizeof(where), "%s %u", or(w->loc_pfx, "DIMM"), n);
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
}

static void add_memory_area(struct smbios *s, uint16_t array, uint64_t first, uint64_t last)
{
    bool fits = last / KiB < 0xffffffff;

    open_type(s, 19);
    u32(s, fits ? first / KiB : 0xffffffff);
    u32(s, fits ? last / KiB : 0xffffffff);
    u16(s, array);
    u8(s, 1);
    u64(s, fits ? 0 : first);
    u64(s, fits ? 0 : last);
    close_type(s);
}

/* One array, devices of all the memory, and where it is. */
static void add_memory(struct smbios *s, const struct conf *c, const struct smbios_machine *m, const struct smbios_words *w)
{
    uint64_t kib = c->ram / KiB;
    unsigned devices = (c->ram + DEVICE_MAX - 1) / DEVICE_MAX;
    uint16_t array = open_type(s, 16);

    u8(s, 1); /* other */
    u8(s, 3); /* system memory */
    u8(s, 6); /* multi-bit error correction */
    u32(s, kib < 0x80000000 ? kib : 0x80000000);
    u16(s, 0xfffe);
    u16(s, devices);
    u64(s, kib < 0x80000000 ? 0 : c->ram);
    close_type(s);
    for (unsigned i = 0; i < devices; i++)
        add_memory_device(s, m, w, array, i, min_u64(DEVICE_MAX, c->ram - i * DEVICE_MAX));
    for (unsigned i = 0; i < 2 && m->area[i].size; i++)
        add_memory_area(s, array, m->area[i].at, m->area[i].at + m->area[i].size - 1);
}

static void add_connectors(struct smbios *s, const struct smbios_said *u)
{
    for (unsigned i = 0; i < u->n_connectors; i++) {
        const struct smbios_words *w = &u->connector[i];

        open_type(s, 8);
        str(s, w->internal);
        u8(s, 0); /* inside: no connector */
        str(s, w->external);
        u8(s, w->connector_type);
        u8(s, w->port_type);
        close_type(s);
    }
}

static struct pci_dev *on_pci(struct dev *d)
{
    return d->parent && !strcmp(d->parent->kind, "pci") ? pci_of(d) : NULL;
}

static int add_onboard(struct smbios *s, struct machine *m, const struct smbios_words *w, struct err *e)
{
    struct dev *d = w->pcidev ? dev_find(m, w->pcidev) : NULL;
    struct pci_dev *pci = d ? on_pci(d) : NULL;
    uint16_t rid = pci ? pci_rid(pci) : 0;

    if (w->pcidev && !pci)
        return err_set(e, -ENODEV, "No PCI device %s for SMBIOS type 41 entry %s", w->pcidev, or(w->designation, "(null)"));
    open_type(s, 41);
    str(s, w->designation);
    u8(s, 0x80 | w->kind); /* enabled */
    u8(s, w->instance);
    u16(s, 0); /* segment */
    u8(s, rid >> 8);
    u8(s, rid & 0xff);
    close_type(s);
    return 0;
}

static void add_oem_strings(struct smbios *s, const struct smbios_said *u)
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

static int add_all(struct smbios *s, const struct smbios_said *u, struct machine *machine, const struct conf *c,
                   const struct smbios_machine *m, struct err *e)
{
    if (u->any[0])
        add_bios(s, &u->of[0]);
    add_system(s, c, m, &u->of[1]);
    if (u->any[2])
        add_board(s, m, &u->of[2]);
    add_chassis(s, m, &u->of[3]);
    for (unsigned i = 0; i < c->sockets; i++)
        add_processor(s, c, m, &u->of[4], i);
    add_connectors(s, u);
    add_oem_strings(s, u);
    add_memory(s, c, m, &u->of[17]);
    for (unsigned i = 0; i < u->n_onboard; i++)
        if (add_onboard(s, machine, &u->onboard[i], e) < 0)
            return e->code;
    add_end(s);
    return 0;
}

int smbios_publish(struct machine *machine, const struct conf *c, const struct smbios_machine *m, struct dev *fw_cfg, struct err *e)
{
    struct smbios s = {{0}};
    struct smbios_said u = {0};
    int r = smbios_take(&s, &u, c->smbios, e);

    if (r == 0 && (r = add_all(&s, &u, machine, c, m, e)) == 0)
        r = put_files(&s, m->entry32, fw_cfg, e);
    smbios_said_free(&u);
    free(s.all.data);
    return r;
}
