/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest writes to a folder that is a disk (fat:rw:): pieces of sectors, then a flush.  Whatever they make of the
 * file system, nothing outside of the folder changes, and the folder can be a disk again.
 * Input: sector (16 bits, little endian), offset in it (in units of 2), length, bytes; again.  Sector 65535: a flush.
 */
#include "block/driver.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, FLUSH = 65535 };

int fuzz_one(const uint8_t *data, size_t len);

static char top[64], dir[80], guard[80];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

static void remove_all(void)
{
    nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
    close(fd);
}

/* A folder with a file and a folder; beside it one that nobody may touch. */
static void make_tree(void)
{
    char path[128];

    if (!*top) {
        snprintf(top, sizeof(top), "/tmp/emu-fuzz-vvfat-%d", (int)getpid());
        snprintf(dir, sizeof(dir), "%s/dir", top);
        snprintf(guard, sizeof(guard), "%s/guard", top);
        atexit(remove_all);
    } else {
        remove_all();
    }
    mkdir(top, 0700);
    mkdir(dir, 0700);
    put_file(guard, "guard");
    snprintf(path, sizeof(path), "%s/File one", dir);
    put_file(path, "some text");
    snprintf(path, sizeof(path), "%s/sub", dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/sub/TWO", dir);
    put_file(path, "more text");
}

static struct blk *open_dir(struct blk_env *env, bool rw)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "driver", json_object_new_string("vvfat"));
    json_object_object_add(o, "dir", json_object_new_string(dir));
    json_object_object_add(o, "floppy", json_object_new_boolean(true));
    json_object_object_add(o, "rw", json_object_new_boolean(rw));
    return blk_open(env, NULL, o, rw ? BLK_RDWR : 0, ERR_IGNORE);
}

static void write_pieces(struct blk *b, const uint8_t *p, size_t len)
{
    while (len > 4) {
        uint32_t sector = get_le16(p), at = p[2] * 2u, n = p[3];
        uint8_t buf[SECTOR];

        p += 4;
        len -= 4;
        if (sector == FLUSH) {
            blk_flush(b, ERR_IGNORE);
            continue;
        }
        n = (uint32_t)min_u64(min_u64(n, len), SECTOR - at);
        sector %= (uint32_t)(blk_size(b) / SECTOR);
        if (blk_read(b, (uint64_t)sector * SECTOR, SECTOR, buf, ERR_IGNORE) < 0)
            abort();
        memcpy(buf + at, p, n);
        if (blk_write(b, (uint64_t)sector * SECTOR, SECTOR, buf, 0, ERR_IGNORE) < 0)
            abort();
        p += n;
        len -= n;
    }
}

static unsigned beside;

static int count(const char *path, const struct stat *st, int type, struct FTW *at)
{
    beside += at->level == 1;
    return 0;
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static struct blk_env *env;
    char text[8] = "";
    struct blk *b;
    int fd;

    if (!env)
        env = blk_env_new(NULL, NULL);
    make_tree();
    if (!(b = open_dir(env, true)))
        abort();
    write_pieces(b, data, len);
    blk_close(b, ERR_IGNORE);
    beside = 0;
    nftw(top, count, 16, FTW_PHYS);
    fd = open(guard, O_RDONLY);
    if (beside != 2 || fd < 0 || read(fd, text, 7) != 5 || strcmp(text, "guard"))
        abort();
    close(fd);
    if ((b = open_dir(env, false)))
        blk_close(b, ERR_IGNORE);
    return 0;
}
