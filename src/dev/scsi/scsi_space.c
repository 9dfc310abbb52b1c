/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Space of SCSI disks: UNMAP and WRITE SAME.  SBC-3 5.28, 5.43, 5.44. */
#include "dev/scsi/scsi_disk.h"

#include <stdlib.h>

enum { OP_WRITE_SAME_16 = 0x93, DESC = 16, HEAD = 8, MAX_DESCS = 255 };
enum { NDOB = 1, ANCHOR_OR_OLD = 0x16, UNMAP_BIT = 8, CHUNK = 64 << 10 };

static struct scsi_sense discard(struct sdisk *d, struct scsi_cmd *c, uint64_t lba, uint64_t n)
{
    struct err e = {0};

    if (!(blk_flags(d->blk) & BLK_UNMAP) || blk_discard(d->blk, lba * d->logical, n * d->logical, &e) >= 0)
        return SENSE_OK;
    return sdisk_failed(d, c, true, &e);
}

struct scsi_sense sdisk_unmap(struct sdisk *d, struct scsi_cmd *c)
{
    unsigned len = get_be16(c->cdb + 7), descs;
    uint8_t in[HEAD + MAX_DESCS * DESC];
    struct scsi_sense s = SENSE_OK;

    if (d->read_only)
        return SENSE_PROTECTED;
    if (c->cdb[1] & 1)
        return SENSE_BAD_FIELD; /* anchored */
    if (!len)
        return SENSE_OK;
    if (len < HEAD || len > sizeof(in) || scsi_take(c, in, len) < len || get_be16(in) < 6 ||
        (descs = get_be16(in + 2)) % DESC || HEAD + descs > len)
        return SENSE_BAD_PARAM_LEN;
    for (unsigned at = HEAD; at < HEAD + descs && !s.key; at += DESC) {
        uint64_t lba = get_be64(in + at), n = get_be32(in + at + 8);

        s = sdisk_check(d, lba, n);
        if (!s.key && n)
            s = discard(d, c, lba, n);
    }
    return s;
}

/* One block again and again. */
static int fill(struct sdisk *d, const uint8_t *block, uint64_t off, uint64_t left, struct err *e)
{
    uint8_t *buf = malloc(CHUNK);
    int r = 0;

    if (!buf)
        fatal("out of memory");
    for (unsigned at = 0; at < CHUNK; at += d->logical)
        memcpy(buf + at, block, d->logical);
    while (left && r >= 0) {
        uint64_t k = min_u64(left, CHUNK);

        r = blk_write(d->blk, off, k, buf, sdisk_write_flags(d), e);
        off += k;
        left -= k;
    }
    free(buf);
    return r;
}

struct scsi_sense sdisk_write_same(struct sdisk *d, struct scsi_cmd *c)
{
    bool sixteen = c->cdb[0] == OP_WRITE_SAME_16, no_data = sixteen && c->cdb[1] & NDOB;
    uint64_t lba = sixteen ? get_be64(c->cdb + 2) : get_be32(c->cdb + 2);
    uint64_t n = sixteen ? get_be32(c->cdb + 10) : get_be16(c->cdb + 7);
    struct scsi_sense s = sdisk_check(d, lba, n);
    uint8_t block[32768] = {0};
    struct err e = {0};
    int r;

    if (d->read_only)
        return SENSE_PROTECTED;
    if (s.key)
        return s;
    if (!n || c->cdb[1] & ANCHOR_OR_OLD || n * d->logical > max_u64(d->max_io, d->logical))
        return SENSE_BAD_FIELD;
    if (!no_data && scsi_take(c, block, d->logical) < d->logical)
        return SENSE_BAD_FIELD;
    if (bytes_zero(block, d->logical))
        r = blk_zero(d->blk, lba * d->logical, n * d->logical,
                     sdisk_write_flags(d) | (c->cdb[1] & UNMAP_BIT ? BLK_REQ_UNMAP : 0),
                     &e);
    else
        r = fill(d, block, lba * d->logical, n * d->logical, &e);
    return r < 0 ? sdisk_failed(d, c, true, &e) : SENSE_OK;
}
