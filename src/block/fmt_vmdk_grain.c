/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressed grains of VMDK images (streamOptimized): a marker with sector and size, deflated data,
 * padding to a whole sector. */
#include "block/fmt_vmdk_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

int vmdk_grain_read(struct vmdk_extent *x, uint64_t host, uint64_t in, uint64_t len, void *buf,
                    struct err *e)
{
    uint64_t max = compressBound(x->grain) + VMDK_SECTOR, left, size;
    uint8_t *packed, *plain;
    int r, z;

    if (host >= blk_size(x->file))
        return err_set(e, -EIO, "compressed grain at %" PRIu64 ", beyond the end of the file", host);
    left = min_u64(max + VMDK_MARKER, blk_size(x->file) - host);
    if (!(packed = malloc(left + x->grain)))
        return err_set(e, -ENOMEM, "out of memory");
    plain = packed + left;
    if ((r = blk_read(x->file, host, min_u64(left, VMDK_SECTOR), packed, e)) < 0)
        goto out;
    uint64_t skip = x->flags & VMDK_MARKERS ? VMDK_MARKER : 0;

    size = skip ? get_le32(packed + 8) : left;
    if (left <= skip || size > left - skip) {
        r = err_set(e, -EIO, "compressed grain at %" PRIu64 " of %" PRIu64 " bytes", host, size);
        goto out;
    }
    if (skip + size > VMDK_SECTOR &&
        (r = blk_read(x->file, host + VMDK_SECTOR, skip + size - VMDK_SECTOR, packed + VMDK_SECTOR,
                      e)) < 0)
        goto out;
    z_stream s = {.next_in = packed + skip, .avail_in = (uInt)size,
                  .next_out = plain, .avail_out = (uInt)x->grain};

    z = inflateInit(&s) == Z_OK ? inflate(&s, Z_FINISH) : Z_MEM_ERROR;
    inflateEnd(&s);
    if (z != Z_STREAM_END || s.total_out < in + len)
        r = err_set(e, -EIO, "compressed grain at %" PRIu64 " is damaged", host);
    else
        memcpy(buf, plain + in, len);
out:
    free(packed);
    return r;
}

int vmdk_grain_pack(const void *in, size_t len, void **out, size_t *out_len, struct err *e)
{
    uLongf n = compressBound(len);
    void *p = malloc(n);

    if (!p || compress(p, &n, in, len) != Z_OK) {
        free(p);
        return err_set(e, -ENOMEM, "out of memory for compressing");
    }
    *out = p;
    *out_len = n;
    return 0;
}

int vmdk_grain_store(struct vmdk_extent *x, uint64_t lba, const void *packed, size_t len,
                     uint32_t *sector, struct err *e)
{
    uint64_t bytes = round_up(len + VMDK_MARKER, VMDK_SECTOR), host;
    uint8_t *out = calloc(1, bytes);
    bool zero;
    int r;

    if (!out)
        return err_set(e, -ENOMEM, "out of memory");
    put_le64(out, lba);
    put_le32(out + 8, (uint32_t)len);
    memcpy(out + VMDK_MARKER, packed, len);
    if ((r = room_take(&x->room, x->file, bytes, &host, &zero, e)) >= 0) {
        if (host / VMDK_SECTOR > UINT32_MAX)
            r = err_set(e, -EFBIG, "the file is over 2 TiB: grain tables cannot say where");
        else if ((r = blk_write(x->file, host, bytes, out, 0, e)) < 0)
            room_give_back(&x->room, host, bytes);
        *sector = (uint32_t)(host / VMDK_SECTOR);
    }
    free(out);
    return r;
}
