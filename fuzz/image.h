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

/* What is done with an image that opens: it is looked at, changed, and what was written is read again if the
 * check found nothing (in damaged images two blocks may share their place). */
enum fuzz_deep { FUZZ_LOOK, FUZZ_CHANGE, FUZZ_COMPARE };

enum { FUZZ_IMAGE_MAX = 16 << 20, FUZZ_STEPS = 64, FUZZ_IO = 70000 };

static void fuzz_quiet(void *opaque, const char *text)
{
}

/* One record at @at: where it goes and how long it is; the offset behind its head. */
static size_t fuzz_record(const uint8_t *data, size_t len, size_t at, uint64_t *to, size_t *k)
{
    *to = get_le32(data + at) % (FUZZ_IMAGE_MAX / 512) * UINT64_C(512);
    *k = get_le16(data + at + 4);
    at += 6;
    *k = *k > len - at ? len - at : *k;
    *k = *k > FUZZ_IMAGE_MAX - *to ? FUZZ_IMAGE_MAX - *to : *k;
    return at;
}

static uint8_t *fuzz_unpack(const uint8_t *data, size_t len, size_t *out_len)
{
    bool sparse = len >= 6 && !memcmp(data, "SPARSE", 6);
    uint8_t *out;
    uint64_t to;
    size_t k;

    *out_len = sparse ? 0 : len;
    for (size_t at = 6; sparse && at + 6 <= len; at += k) {
        at = fuzz_record(data, len, at, &to, &k);
        *out_len = to + k > *out_len ? to + k : *out_len;
    }
    *out_len = (*out_len + 511) / 512 * 512;
    if (!(out = calloc(1, *out_len + 1)))
        abort();
    if (!sparse)
        memcpy(out, data, len);
    for (size_t at = 6; sparse && at + 6 <= len; at += k) {
        at = fuzz_record(data, len, at, &to, &k);
        memcpy(out + to, data + at, k);
    }
    return out;
}

/* Did the check find nothing? */
static bool fuzz_look(struct blk *b)
{
    static char buf[4096];
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
        uint64_t len = size - off < 4096 ? size - off : 4096;

        blk_read(b, off, len, buf, ERR_IGNORE);
    }
    if (size)
        blk_read(b, size - 1, 1, buf, ERR_IGNORE);
    if (blk_get_info(b, &i, ERR_IGNORE) >= 0)
        blk_info_free(&i);
    return blk_check(b, &c, 0, ERR_IGNORE) >= 0 && !c.corruptions && !c.check_errors;
}

static void fuzz_change(struct blk *b, bool sound)
{
    static const char buf[FUZZ_IO] = "x";
    uint64_t size = blk_size(b);
    struct blk_check c = {.line = fuzz_quiet};
    char back[2] = {0};

    for (uint64_t off = 0, n = 0; n < 4 && off + FUZZ_IO < size; n++, off += size / 4) {
        if (blk_write(b, off, n & 1 ? 1 : FUZZ_IO, buf, 0, ERR_IGNORE) >= 0 &&
            sound && (blk_read(b, off, 1, back, ERR_IGNORE) < 0 || back[0] != 'x'))
            abort();
        if (blk_zero(b, off, FUZZ_IO, BLK_REQ_UNMAP, ERR_IGNORE) >= 0 &&
            sound && (blk_read(b, off, 1, back, ERR_IGNORE) < 0 || back[0]))
            abort();
    }
    blk_discard(b, 0, size, ERR_IGNORE);
    blk_flush(b, ERR_IGNORE);
    blk_truncate(b, size < UINT64_MAX / 2 ? size + 100000 : size, BLK_PREALLOC_OFF, 0, ERR_IGNORE);
    if (blk_check(b, &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, ERR_IGNORE) < 0 || c.corruptions || c.leaks)
        return;
    struct blk_check again = {.line = fuzz_quiet};

    if (blk_check(b, &again, 0, ERR_IGNORE) < 0 || again.corruptions || again.leaks)
        abort(); /* it said that all was mended */
}

/* fuzz_image_fixed - open the bytes as @driver and do as @deep says; @fix, if not NULL, puts checksums
 * right first. */
static int fuzz_image_fixed(const char *driver, const uint8_t *data, size_t len,
                            enum fuzz_deep deep, void (*fix)(uint8_t *image, size_t len))
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    size_t image_len = 0;
    uint8_t *image = fuzz_unpack(data, len, &image_len);
    unsigned flags = BLK_NO_BACKING | (deep ? BLK_RDWR | BLK_RESIZE | BLK_UNMAP : 0);
    struct blk *b;

    if (fix)
        fix(image, image_len);
    b = blk_open_bytes(env, driver, image, image_len, flags, ERR_IGNORE);
    free(image);
    if (b) {
        bool sound = fuzz_look(b);

        if (deep)
            fuzz_change(b, sound && deep == FUZZ_COMPARE);
        blk_close(b, ERR_IGNORE);
    }
    blk_env_free(env);
    return 0;
}

static inline int fuzz_image(const char *driver, const uint8_t *data, size_t len,
                             enum fuzz_deep deep)
{
    return fuzz_image_fixed(driver, data, len, deep, NULL);
}

#endif
