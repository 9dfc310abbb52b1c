/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent of differencing VPC disks: its name in UTF-16, as Windows writes paths. */
#include "block/fmt_vpc_priv.h"

#include <inttypes.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 2048 };

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* @len bytes of UTF-16 as a path: backslashes become slashes, ".\" goes.  NULL when it is empty. */
static char *to_path(const uint8_t *p, size_t len, bool big_endian)
{
    char *out = malloc(len * 2 + 1), *path;
    size_t n = 0;

    if (!out)
        fatal("out of memory");
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t c = big_endian ? get_be16(p + i) : get_le16(p + i), low;

        if (!c)
            break;
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < len) {
            low = big_endian ? get_be16(p + i + 2) : get_le16(p + i + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        n += put_utf8(out + n, c == '\\' ? '/' : c);
    }
    out[n] = 0;
    path = n ? strdup(!strncmp(out, "./", 2) ? out + 2 : out) : NULL;
    free(out);
    return path;
}

/* "W2ru": a path relative to the disk's own folder. */
static char *relative_locator(struct blk *file, const uint8_t *d, struct err *e)
{
    uint8_t text[NAME_MAX_BYTES];

    for (int i = 0; i < LOCATORS; i++) {
        const uint8_t *l = d + D_LOCATORS + i * LOCATOR;
        uint32_t len = get_be32(l + 8);
        uint64_t at = get_be64(l + 16);

        if (memcmp(l, "W2ru", 4) || !len)
            continue;
        if (len > sizeof(text) || at > blk_size(file) || len > blk_size(file) - at) {
            err_set(e, -EINVAL, "the parent's name, %" PRIu32 " bytes at %" PRIu64
                    ", is not in the file", len, at);
            return NULL;
        }
        return blk_read(file, at, len, text, e) < 0 ? NULL : to_path(text, len, false);
    }
    return NULL;
}

/* Without a locator, the plain name in the header is looked for beside the disk. */
char *vpc_parent_name(struct blk *file, const uint8_t *d, struct err *e)
{
    char *name = relative_locator(file, d, e), *last;

    if (name || e->code)
        return name;
    if (!(name = to_path(d + D_PARENT_NAME, 512, true))) {
        err_set(e, -EINVAL, "the differencing disk does not name its parent");
        return NULL;
    }
    if ((last = strrchr(name, '/')))
        memmove(name, last + 1, strlen(last));
    return name;
}
