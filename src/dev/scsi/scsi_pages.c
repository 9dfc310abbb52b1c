/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What SCSI disks say of themselves: INQUIRY with vital product data, MODE SENSE and SELECT.  SPC-4 6.6, 6.11 to 6.14, 7.5,
 * 7.8; SBC-3 6.4, 6.5; MMC-6 7. */
#include "dev/scsi/scsi_disk.h"

enum {
    VPD_SUPPORTED = 0x00,
    VPD_SERIAL = 0x80,
    VPD_ID = 0x83,
    VPD_LIMITS = 0xb0,
    VPD_CHARS = 0xb1,
    VPD_PROVISIONING = 0xb2
};
enum {
    PAGE_ERRORS = 0x01,
    PAGE_GEOMETRY = 0x04,
    PAGE_CACHE = 0x08,
    PAGE_AUDIO = 0x0e,
    PAGE_CD = 0x2a,
    PAGE_ALL = 0x3f
};
enum {
    OP_MODE_SELECT_10 = 0x55,
    OP_MODE_SENSE_10 = 0x5a,
    WCE = 4,
    SERIAL_MAX = 36,
    UNMAP_DESCS = 255
};

static uint8_t type_of(const struct sdisk *d)
{
    return d->cd ? 5 : 0;
}

static const char *serial(const struct sdisk *d)
{
    return d->p_serial ? d->p_serial : d->drive && d->drive->serial ? d->drive->serial : NULL;
}

static void put_text(uint8_t *to, size_t len, const char *text)
{
    memset(to, ' ', len);
    memcpy(to, text, strnlen(text, len));
}

static unsigned put_id(struct sdisk *d, uint8_t *p)
{
    const char *name = d->p_device_id             ? d->p_device_id
                       : serial(d)                ? serial(d)
                       : d->drive && d->drive->id ? d->drive->id
                                                  : "";
    unsigned n = 0, len = strnlen(name, SERIAL_MAX);

    if (len) { /* vendor specific, ASCII */
        p[0] = 2;
        p[1] = 0;
        p[3] = len;
        memcpy(p + 4, name, len);
        n = 4 + len;
    }
    if (d->wwn) { /* NAA, binary */
        p[n] = 1;
        p[n + 1] = 3;
        p[n + 3] = 8;
        put_be64(p + n + 4, d->wwn);
        n += 12;
    }
    return n;
}

static unsigned put_limits(struct sdisk *d, uint8_t *p)
{
    bool writable = !d->cd && !d->read_only;

    p[0] = 1; /* WSNZ: WRITE SAME of no blocks is refused */
    put_be16(p + 2, min_u64(d->min_io / d->logical, UINT16_MAX));
    put_be32(p + 4, d->max_io / d->logical);
    put_be32(p + 8, d->opt_io / d->logical);
    if (writable) {
        put_be32(p + 16, d->max_unmap / d->logical);
        put_be32(p + 20, UNMAP_DESCS);
        put_be32(p + 24, d->discard_granularity / d->logical);
        put_be64(p + 32, d->max_io / d->logical);
    }
    return 60;
}

static struct scsi_sense vpd(struct sdisk *d, struct scsi_cmd *c)
{
    uint8_t out[256] = {type_of(d), c->cdb[2]}, *p = out + 4;
    unsigned n = 0;

    switch (c->cdb[2]) {
    case VPD_SUPPORTED:
        p[n++] = VPD_SUPPORTED;
        if (serial(d))
            p[n++] = VPD_SERIAL;
        p[n++] = VPD_ID;
        if (!d->cd) {
            p[n++] = VPD_LIMITS;
            p[n++] = VPD_CHARS;
            p[n++] = VPD_PROVISIONING;
        }
        break;
    case VPD_SERIAL:
        if (!serial(d))
            return SENSE_BAD_FIELD;
        n = strnlen(serial(d), SERIAL_MAX);
        memcpy(p, serial(d), n);
        break;
    case VPD_ID: n = put_id(d, p); break;
    case VPD_LIMITS: n = d->cd ? 0 : put_limits(d, p); break;
    case VPD_CHARS:
        n = d->cd ? 0 : 60;
        put_be16(p, d->rotation_rate);
        break;
    case VPD_PROVISIONING:
        n = d->cd ? 0 : 4;
        p[1] = d->read_only ? 0 : 0xe0; /* UNMAP, WRITE SAME (16) and (10) with UNMAP */
        p[2] = 2;                       /* thin */
        break;
    default: return SENSE_BAD_FIELD;
    }
    if (!n && c->cdb[2] != VPD_ID)
        return SENSE_BAD_FIELD;
    put_be16(out + 2, n);
    return scsi_reply(c, out, 4 + n, get_be16(c->cdb + 3));
}

struct scsi_sense sdisk_inquiry(struct sdisk *d, struct scsi_cmd *c)
{
    uint8_t out[36] = {type_of(d), d->removable ? 0x80 : 0, 5 /* SPC-3 */, 0x12, 31};

    if (c->cdb[1] & 1)
        return vpd(d, c);
    if (c->cdb[1] || c->cdb[2])
        return SENSE_BAD_FIELD;
    out[7] = 2; /* CMDQUE */
    put_text(out + 8, 8, d->p_vendor);
    put_text(out + 16, 16, d->p_product);
    put_text(out + 32, 4, d->p_ver);
    return scsi_reply(c, out, sizeof(out), get_be16(c->cdb + 3));
}

/* Mode pages: header and all bytes, @changeable: which bits MODE SELECT may change. */
static unsigned put_cache(struct sdisk *d, uint8_t *p, bool changeable)
{
    p[0] = PAGE_CACHE;
    p[1] = 0x12;
    p[2] = changeable || d->wce ? WCE : 0;
    return 20;
}

static unsigned put_errors(struct sdisk *d, uint8_t *p, bool changeable)
{
    p[0] = PAGE_ERRORS;
    p[1] = d->cd ? 6 : 10;
    if (!changeable) {
        p[2] = 0x80; /* automatic write reallocation */
        p[3] = d->cd ? 0x20 : 0;
    }
    return 2 + p[1];
}

static unsigned put_geometry(struct sdisk *d, uint8_t *p, bool changeable)
{
    uint64_t cyls = sdisk_blocks(d) / (16 * 63);

    p[0] = PAGE_GEOMETRY;
    p[1] = 0x16;
    if (!changeable) {
        put_be32(p + 1, min_u64(cyls, 0xffffff) | 0x16u << 24);
        p[5] = 16;
        put_be16(p + 20, 5400);
    }
    return 24;
}

static unsigned put_cd(struct sdisk *d, uint8_t *p, bool changeable)
{
    p[0] = PAGE_CD;
    p[1] = 0x14;
    if (!changeable) {
        p[2] = 0x3b; /* reads CD-R, CD-RW, DVD-ROM, DVD-R, DVD-RAM */
        p[4] = 0x7f;
        p[5] = 0xff;
        p[6] = 0x2d | (d->locked ? 2 : 0); /* tray, lock, eject */
        put_be16(p + 8, 50 * 176);
        put_be16(p + 10, 2);
        put_be16(p + 12, 2048);
        put_be16(p + 14, 16 * 176);
    }
    return 22;
}

static const struct page {
    uint8_t code;
    bool cd, hd;
    unsigned (*put)(struct sdisk *d, uint8_t *p, bool changeable);
} pages[] = {
    {PAGE_ERRORS, true, true, put_errors},
    {PAGE_GEOMETRY, false, true, put_geometry},
    {PAGE_CACHE, true, true, put_cache},
    {PAGE_CD, true, false, put_cd},
};

static unsigned put_pages(struct sdisk *d, uint8_t code, uint8_t *p, bool changeable)
{
    unsigned n = 0;

    pthread_mutex_lock(&d->u.lock);
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++)
        if ((code == PAGE_ALL || code == pages[i].code) && (d->cd ? pages[i].cd : pages[i].hd))
            n += pages[i].put(d, p + n, changeable);
    pthread_mutex_unlock(&d->u.lock);
    return n;
}

struct scsi_sense sdisk_mode_sense(struct sdisk *d, struct scsi_cmd *c)
{
    bool ten = c->cdb[0] == OP_MODE_SENSE_10, dbd = c->cdb[1] & 8;
    unsigned head = ten ? 8 : 4, control = c->cdb[2] >> 6, n;
    uint8_t out[256] = {0}, *p = out + head;
    uint64_t blocks = sdisk_blocks(d);

    if (control == 3)
        return (struct scsi_sense){KEY_ILLEGAL, 0x3900}; /* saving parameters is not supported */
    out[ten ? 3 : 2] = (!d->cd && d->read_only ? 0x80 : 0) | (!d->cd && d->dpofua ? 0x10 : 0);
    if (!dbd && blocks && !d->cd) { /* the short block descriptor */
        out[ten ? 7 : 3] = 8;
        put_be32(p, blocks > 0xffffff ? 0 : blocks);
        put_be32(p + 4, d->logical);
        p += 8;
    }
    n = put_pages(d, c->cdb[2] & 0x3f, p, control == 1);
    if (!n)
        return SENSE_BAD_FIELD;
    n += p - out;
    if (ten)
        put_be16(out, n - 2);
    else
        out[0] = n - 1;
    return scsi_reply(c, out, n, ten ? get_be16(c->cdb + 7) : c->cdb[4]);
}

/* Only the write cache can be switched; all else must be as it is. */
static struct scsi_sense select_page(struct sdisk *d, const uint8_t *p, unsigned len, bool apply)
{
    uint8_t now[256] = {0}, mask[256] = {0};
    unsigned n = put_pages(d, p[0] & 0x3f, now, false);

    put_pages(d, p[0] & 0x3f, mask, true);
    if (!n || (p[0] & 0x3f) == PAGE_ALL || p[0] & 0x40)
        return SENSE_BAD_PARAM;
    if (p[1] != now[1] || len < n)
        return SENSE_BAD_PARAM_LEN;
    for (unsigned i = 2; i < n; i++)
        if ((p[i] ^ now[i]) & ~mask[i])
            return SENSE_BAD_PARAM;
    if (apply && (p[0] & 0x3f) == PAGE_CACHE) {
        pthread_mutex_lock(&d->u.lock);
        d->wce = p[2] & WCE;
        pthread_mutex_unlock(&d->u.lock);
    }
    return SENSE_OK;
}

static struct scsi_sense select_all(struct sdisk *d, const uint8_t *p, unsigned len, bool apply)
{
    struct scsi_sense s = SENSE_OK;

    while (len && !s.key) {
        if (len < 2 || len < 2u + p[1])
            return SENSE_BAD_PARAM_LEN;
        s = select_page(d, p, len, apply);
        len -= 2 + p[1];
        p += 2 + p[1];
    }
    return s;
}

struct scsi_sense sdisk_mode_select(struct sdisk *d, struct scsi_cmd *c)
{
    bool ten = c->cdb[0] == OP_MODE_SELECT_10;
    unsigned len = ten ? get_be16(c->cdb + 7) : c->cdb[4], head = ten ? 8 : 4, descs;
    uint8_t in[512];
    struct scsi_sense s;

    if (!len)
        return SENSE_OK;
    if ((c->cdb[1] & 0x11) != 0x10)
        return SENSE_BAD_FIELD; /* page format, nothing saved */
    if (len > sizeof(in) || scsi_take(c, in, len) < len || len < head)
        return SENSE_BAD_PARAM_LEN;
    descs = ten ? get_be16(in + 6) : in[3];
    if (descs &&
        (descs != 8 || len < head + 8 || get_be32(in + head + 4) % 0x1000000 != d->logical))
        return SENSE_BAD_PARAM;
    s = select_all(d, in + head + descs, len - head - descs, false);
    return s.key ? s : select_all(d, in + head + descs, len - head - descs, true);
}
