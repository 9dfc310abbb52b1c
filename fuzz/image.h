/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets of image formats share: the input is an image, or, as images are mostly holes,
 * "SPARSE" and records of 32 bits sector, 16 bits length, bytes (fuzz/seeds.py writes those).
 */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include "block/driver.h"

#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

enum { FUZZ_IMAGE_MAX = 16 << 20, FUZZ_STEPS = 64, FUZZ_IO = 70000 };

static void fuzz_quiet(void *opaque, const char *text)
{
}

static uint8_t *fuzz_unpack(const uint8_t *data, size_t len, size_t *out_len)
{
    uint8_t *out = calloc(1, FUZZ_IMAGE_MAX);
    size_t at = 6, n = 0;

    if (!out)
        abort();
    if (len < 6 || memcmp(data, "SPARSE", 6)) {
        n = len < FUZZ_IMAGE_MAX ? len : FUZZ_IMAGE_MAX;
        memcpy(out, data, n);
    }
    for (; !n && at + 6 <= len;) {
        uint64_t to = get_le32(data + at) % (FUZZ_IMAGE_MAX / 512) * UINT64_C(512);
        size_t k = get_le16(data + at + 4);

        at += 6;
        k = k > len - at ? len - at : k;
        k = k > FUZZ_IMAGE_MAX - to ? FUZZ_IMAGE_MAX - to : k;
        memcpy(out + to, data + at, k);
        at += k;
        if (to + k > *out_len)
            *out_len = to + k;
    }
    *out_len = n ? n : (*out_len + 511) / 512 * 512;
    return out;
}

static void fuzz_look(struct blk *b)
{
    static char buf[FUZZ_IO];
    uint64_t size = blk_size(b), off = 0;
    struct blk_check c = {.line = fuzz_quiet};
    struct blk_status s;
    struct blk_info i;

    for (int n = 0; n < FUZZ_STEPS && off < size; n++, off += s.len) {
        if (blk_status(b, off, size - off, &s, ERR_IGNORE) < 0) {
            s.len = b->cluster ? b->cluster : 512;
        } else if (!s.len || s.len > size - off) {
            abort();
        }
        uint64_t len = size - off < FUZZ_IO ? size - off : FUZZ_IO;

        blk_read(b, off, len, buf, ERR_IGNORE);
    }
    if (size)
        blk_read(b, size - 1, 1, buf, ERR_IGNORE);
    if (blk_get_info(b, &i, ERR_IGNORE) >= 0)
        blk_info_free(&i);
    blk_check(b, &c, 0, ERR_IGNORE);
}

static void fuzz_change(struct blk *b)
{
    static const char buf[FUZZ_IO] = "x";
    uint64_t size = blk_size(b);
    struct blk_check c = {.line = fuzz_quiet};
    char back[2] = {0};

    for (uint64_t off = 0, n = 0; n < 4 && off + FUZZ_IO < size; n++, off += size / 4) {
        if (blk_write(b, off, n & 1 ? 1 : FUZZ_IO, buf, 0, ERR_IGNORE) >= 0 &&
            (blk_read(b, off, 1, back, ERR_IGNORE) < 0 || back[0] != 'x'))
            abort();
        if (blk_zero(b, off, FUZZ_IO, BLK_REQ_UNMAP, ERR_IGNORE) >= 0 &&
            (blk_read(b, off, 1, back, ERR_IGNORE) < 0 || back[0]))
            abort();
    }
    blk_discard(b, 0, size, ERR_IGNORE);
    blk_flush(b, ERR_IGNORE);
    blk_truncate(b, size < UINT64_MAX / 2 ? size + 100000 : size, BLK_PREALLOC_OFF, 0, ERR_IGNORE);
    blk_check(b, &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, ERR_IGNORE);
}

/* fuzz_image - open the bytes as @driver, look everywhere, change something when @write. */
static int fuzz_image(const char *driver, const uint8_t *data, size_t len, bool write)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    size_t image_len = 0;
    uint8_t *image = fuzz_unpack(data, len, &image_len);
    unsigned flags = BLK_NO_BACKING | (write ? BLK_RDWR | BLK_RESIZE | BLK_UNMAP : 0);
    struct blk *b = blk_open_bytes(env, driver, image, image_len, flags, ERR_IGNORE);

    free(image);
    if (b) {
        fuzz_look(b);
        if (write)
            fuzz_change(b);
        blk_close(b, ERR_IGNORE);
    }
    blk_env_free(env);
    return 0;
}

#endif
