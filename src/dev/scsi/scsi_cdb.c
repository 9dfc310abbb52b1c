/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command moves, as its CDB says it: a target on a parallel bus knows it from there alone.  SPC-4, SBC-3, MMC-6, the tables of
 * command descriptor blocks.
 */
#include "base/bytes.h"
#include "dev/scsi/scsi.h"

#include <errno.h>

enum { OUT = 1, BLOCKS = 2, BYTCHK = 4, SIX = 8 };

/* Where its length is, big endian in so many bytes; BLOCKS: of the unit; SIX: 0 means 256; BYTCHK: none without that field. */
struct length {
    uint8_t op, at, bytes, flags;
};
static const struct length lengths[] = {
    {0x03, 4, 1, 0},            /* REQUEST SENSE */
    {0x08, 4, 1, BLOCKS | SIX}, /* READ (6) */
    {0x0a, 4, 1, BLOCKS | SIX | OUT},
    {0x12, 3, 2, 0},            /* INQUIRY */
    {0x15, 4, 1, OUT},          /* MODE SELECT (6) */
    {0x1a, 4, 1, 0},            /* MODE SENSE (6) */
    {0x1c, 3, 2, 0},            /* RECEIVE DIAGNOSTIC RESULTS */
    {0x1d, 3, 2, OUT},          /* SEND DIAGNOSTIC */
    {0x28, 7, 2, BLOCKS},       /* READ (10) */
    {0x2a, 7, 2, BLOCKS | OUT}, /* WRITE (10) */
    {0x2e, 7, 2, BLOCKS | OUT}, /* WRITE AND VERIFY (10) */
    {0x2f, 7, 2, BLOCKS | OUT | BYTCHK}, /* VERIFY (10) */
    {0x42, 7, 2, OUT},          /* UNMAP; of CDs, READ SUB-CHANNEL, see below */
    {0x43, 7, 2, 0},            /* READ TOC/PMA/ATIP */
    {0x46, 7, 2, 0},            /* GET CONFIGURATION */
    {0x4a, 7, 2, 0},            /* GET EVENT STATUS NOTIFICATION */
    {0x51, 7, 2, 0},            /* READ DISC INFORMATION */
    {0x52, 7, 2, 0},            /* READ TRACK INFORMATION */
    {0x55, 7, 2, OUT},          /* MODE SELECT (10) */
    {0x5a, 7, 2, 0},            /* MODE SENSE (10) */
    {0x88, 10, 4, BLOCKS},      /* READ (16) */
    {0x8a, 10, 4, BLOCKS | OUT},
    {0x8e, 10, 4, BLOCKS | OUT},
    {0x8f, 10, 4, BLOCKS | OUT | BYTCHK},
    {0x9e, 10, 4, 0},           /* SERVICE ACTION IN (16) */
    {0xa0, 6, 4, 0},            /* REPORT LUNS */
    {0xa8, 6, 4, BLOCKS},       /* READ (12) */
    {0xaa, 6, 4, BLOCKS | OUT}, /* WRITE (12) */
    {0xaf, 6, 4, BLOCKS | OUT | BYTCHK}, /* VERIFY (12) */
    {0xbd, 8, 2, 0},            /* MECHANISM STATUS */
    {0xbe, 6, 3, BLOCKS},       /* READ CD */
};

static uint64_t field(const uint8_t *cdb, const struct length *l)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < l->bytes; i++)
        v = v << 8 | cdb[l->at + i];
    return v || !(l->flags & SIX) ? v : 256;
}

uint64_t scsi_cdb_moves(const uint8_t *cdb, uint32_t block, bool cd, bool *out)
{
    enum { READ_CAPACITY_10 = 0x25, WRITE_SAME_10 = 0x41, OP_42 = 0x42, WRITE_SAME_16 = 0x93, NDOB = 1 };

    *out = false;
    switch (cdb[0]) {
    case READ_CAPACITY_10: return 8;
    case WRITE_SAME_10: *out = true; return block;
    case WRITE_SAME_16: *out = true; return cdb[1] & NDOB ? 0 : block;
    }
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const struct length *l = &lengths[i];

        if (l->op != cdb[0])
            continue;
        *out = l->flags & OUT && !(cd && cdb[0] == OP_42);
        if (l->flags & BYTCHK && !(cdb[1] >> 1 & 3))
            return 0;
        return field(cdb, l) * (l->flags & BLOCKS ? block : 1);
    }
    return 0;
}
