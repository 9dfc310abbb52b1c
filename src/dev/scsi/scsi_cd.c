/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands of CD and DVD drives for data discs of one track.  MMC-6, chapter 6. */
#include "dev/scsi/scsi_disk.h"

enum {
    READ_SUBCHANNEL = 0x42,
    READ_TOC = 0x43,
    GET_CONFIGURATION = 0x46,
    GET_EVENT_STATUS = 0x4a,
    READ_DISC_INFO = 0x51,
    READ_TRACK_INFO = 0x52,
    SET_SPEED = 0xbb,
    MECHANISM_STATUS = 0xbd,
    READ_CD = 0xbe
};
enum { CD_SECTORS = 80 * 60 * 75, LEAD_OUT = 0xaa, MSF_OFFSET = 150 };
enum { PROFILE_CD = 0x08, PROFILE_DVD = 0x10, MEDIA_CLASS = 4 };

/* An address in a table of contents: logical block, or minutes, seconds and frames. */
static void put_address(uint8_t *p, bool msf, uint64_t lba)
{
    lba = min_u64(lba, UINT32_MAX - MSF_OFFSET);
    if (!msf) {
        put_be32(p, lba);
        return;
    }
    lba += MSF_OFFSET;
    p[0] = 0;
    p[1] = min_u64(lba / 75 / 60, 255);
    p[2] = lba / 75 % 60;
    p[3] = lba % 75;
}

static unsigned put_track(uint8_t *p, uint8_t number, bool msf, uint64_t lba)
{
    p[1] = 0x14; /* data track, copying allowed */
    p[2] = number;
    put_address(p + 4, msf, lba);
    return 8;
}

static struct scsi_sense read_toc(struct sdisk *d, struct scsi_cmd *c)
{
    unsigned format = c->cdb[2] & 0xf ? c->cdb[2] & 0xf : c->cdb[9] >> 6, n = 4;
    bool msf = c->cdb[1] & 2;
    uint8_t out[64] = {0, 0, 1, 1};

    switch (format) {
    case 0:
        if (c->cdb[6] > 1 && c->cdb[6] != LEAD_OUT)
            return SENSE_BAD_FIELD;
        if (c->cdb[6] <= 1)
            n += put_track(out + n, 1, msf, 0);
        n += put_track(out + n, LEAD_OUT, msf, sdisk_blocks(d));
        break;
    case 1: n += put_track(out + n, 1, msf, 0); break; /* the last session is the first */
    case 2: /* raw: first track, last track, lead-out, the track */
        for (unsigned i = 0; i < 4; i++) {
            static const uint8_t point[] = {0xa0, 0xa1, 0xa2, 1};
            uint8_t *p = out + n;

            p[0] = 1;
            p[1] = 0x14;
            p[3] = point[i];
            p[8] = i < 2; /* track 1 */
            if (i >= 2) {
                uint8_t at[4];

                put_address(at, true, i == 2 ? sdisk_blocks(d) : 0);
                memcpy(p + 8, at + 1, 3);
            }
            n += 11;
        }
        break;
    default: return SENSE_BAD_FIELD;
    }
    put_be16(out, n - 2);
    return scsi_reply(c, out, n, get_be16(c->cdb + 7));
}

static bool present(struct sdisk *d)
{
    return sdisk_ready(d).key == 0;
}

static unsigned put_feature(uint8_t *p, uint16_t code, uint8_t flags, const uint8_t *data,
                            uint8_t len)
{
    put_be16(p, code);
    p[2] = flags;
    p[3] = len;
    memcpy(p + 4, data, len);
    return 4 + len;
}

static struct scsi_sense get_configuration(struct sdisk *d, struct scsi_cmd *c)
{
    bool in = present(d), dvd = in && sdisk_blocks(d) > CD_SECTORS;
    uint8_t out[64] = {0};
    uint8_t profiles[] = {0, PROFILE_DVD, dvd, 0, 0, PROFILE_CD, in && !dvd, 0};
    const uint8_t core[] = {0, 0, 0, 1, 1, 0, 0, 0}, removable[] = {0x29, 0, 0, 0};
    unsigned n = 8, from = get_be16(c->cdb + 2), rt = c->cdb[1] & 3;

    if (rt == 3)
        return SENSE_BAD_FIELD;
    put_be16(out + 6, in ? (dvd ? PROFILE_DVD : PROFILE_CD) : 0);
    if (from == 0)
        n += put_feature(out + n, 0, 3, profiles, sizeof(profiles));
    if (rt == 2 ? from == 1 : from <= 1)
        n += put_feature(out + n, 1, 0x0b, core, sizeof(core));
    if (rt == 2 ? from == 3 : from <= 3)
        n += put_feature(out + n, 3, 3, removable, sizeof(removable));
    put_be32(out, n - 4);
    return scsi_reply(c, out, n, get_be16(c->cdb + 7));
}

static struct scsi_sense get_event_status(struct sdisk *d, struct scsi_cmd *c)
{
    uint8_t out[8] = {0, 0, 0, 1 << MEDIA_CLASS};
    unsigned n = 4;

    if (!(c->cdb[1] & 1))
        return SENSE_BAD_FIELD; /* no asynchronous events */
    if (c->cdb[4] & 1 << MEDIA_CLASS) {
        bool in = present(d);

        pthread_mutex_lock(&d->u.lock);
        out[2] = MEDIA_CLASS;
        out[4] = d->event_new ? 2 : d->event_eject ? 3 : 0;
        out[5] = (in ? 2 : 0) | (d->tray_open ? 1 : 0);
        d->event_new = d->event_eject = false;
        pthread_mutex_unlock(&d->u.lock);
        n = 8;
    } else {
        out[2] = 0x80; /* no event of these classes */
    }
    put_be16(out, n - 2);
    return scsi_reply(c, out, n, get_be16(c->cdb + 7));
}

static struct scsi_sense read_disc_info(struct sdisk *d, struct scsi_cmd *c)
{
    uint8_t out[34] = {0, 32, 0x0e /* complete, finalized */, 1, 1, 1, 1, 0x20};

    if (c->cdb[1] & 7)
        return SENSE_BAD_FIELD;
    return scsi_reply(c, out, sizeof(out), get_be16(c->cdb + 7));
}

static struct scsi_sense read_track_info(struct sdisk *d, struct scsi_cmd *c)
{
    uint8_t out[36] = {0, 34, 1, 1, 0, 4, 1};

    put_be32(out + 24, min_u64(sdisk_blocks(d), UINT32_MAX));
    return scsi_reply(c, out, sizeof(out), get_be16(c->cdb + 7));
}

static struct scsi_sense mechanism_status(struct sdisk *d, struct scsi_cmd *c)
{
    uint8_t out[8] = {0, 0, 0, 0, 0, 1};

    pthread_mutex_lock(&d->u.lock);
    out[1] = d->tray_open ? 0x10 : 0;
    pthread_mutex_unlock(&d->u.lock);
    return scsi_reply(c, out, sizeof(out), get_be16(c->cdb + 8));
}

/* User data of 2048 bytes, or nothing; raw sectors are not there to be read. */
static struct scsi_sense read_cd(struct sdisk *d, struct scsi_cmd *c)
{
    uint64_t lba = get_be32(c->cdb + 2), n = get_be32(c->cdb + 5) & 0xffffff;

    if (!(c->cdb[9] & 0xf8) || !n)
        return sdisk_check(d, lba, n);
    if ((c->cdb[9] & 0xf8) != 0x10)
        return SENSE_BAD_FIELD;
    return sdisk_read(d, c, lba, n);
}

struct scsi_sense scd_run(struct sdisk *d, struct scsi_cmd *c)
{
    struct scsi_sense s;

    switch (c->cdb[0]) { /* with or without a disc */
    case GET_CONFIGURATION: return get_configuration(d, c);
    case GET_EVENT_STATUS: return get_event_status(d, c);
    case MECHANISM_STATUS: return mechanism_status(d, c);
    case SET_SPEED: return SENSE_OK;
    case READ_TOC:
    case READ_DISC_INFO:
    case READ_TRACK_INFO:
    case READ_CD: break;
    default: return SENSE_BAD_OPCODE;
    }
    if ((s = sdisk_ready(d)).key)
        return s;
    switch (c->cdb[0]) {
    case READ_TOC: return read_toc(d, c);
    case READ_DISC_INFO: return read_disc_info(d, c);
    case READ_TRACK_INFO: return read_track_info(d, c);
    }
    return read_cd(d, c);
}
