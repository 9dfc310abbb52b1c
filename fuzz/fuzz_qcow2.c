/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 images; what is done with them is undone by a snapshot, too. */
#include "fuzz/image.h"

static void snapshots(struct blk *b)
{
    struct blk_snapshot sn = {.name = "fuzz", .icount = UINT64_MAX}, *list;
    int n = blk_snapshot_list(b, &list, ERR_IGNORE);

    blk_snapshot_create(b, &sn, ERR_IGNORE);
    blk_write(b, 0, 1, "y", 0, ERR_IGNORE);
    blk_vmstate_write(b, 5, 1, "v", ERR_IGNORE);
    blk_snapshot_apply(b, n > 0 && *list[0].id ? list[0].id : "fuzz", ERR_IGNORE);
    blk_snapshot_delete(b, NULL, "fuzz", ERR_IGNORE);
    if (n >= 0)
        free(list);
}

static void bitmaps(struct blk *b)
{
    struct blk_bitmap *list;
    int n = blk_bitmap_list(b, &list, ERR_IGNORE);
    uint64_t start, len;

    for (int i = 0; i < n && i < 4; i++) {
        blk_bitmap_next(b, list[i].name, 0, &start, &len, ERR_IGNORE);
        blk_bitmap_clear(b, list[i].name, ERR_IGNORE);
    }
    blk_bitmap_add(b, "fuzz", 0, true, ERR_IGNORE);
    blk_write(b, 70000, 1, "y", 0, ERR_IGNORE);
    if (n >= 0)
        free(list);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    size_t image_len = 0;
    uint8_t *image = fuzz_unpack(data, len, &image_len);
    struct blk *b = blk_open_bytes(env, "qcow2", image, image_len,
                                   BLK_NO_BACKING | BLK_RDWR | BLK_RESIZE | BLK_UNMAP, ERR_IGNORE);

    free(image);
    if (b) {
        snapshots(b);
        bitmaps(b);
        blk_close(b, ERR_IGNORE);
    }
    blk_env_free(env);
    return fuzz_image("qcow2", data, len, FUZZ_COMPARE);
}
