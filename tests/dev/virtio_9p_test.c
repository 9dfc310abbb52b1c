/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-9p: a client of 9P2000.L over the queue, in a folder of the test's. */
#include "schema/keyval.h"
#include "tests/dev/vdrv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { REQ = VDRV_BUF, REP = VDRV_BUF + 0x10000, REP_LEN = 0x8000 };
enum {
    RLERROR = 7,
    TLOPEN = 12,
    TLCREATE = 14,
    TSYMLINK = 16,
    TMKNOD = 18,
    TREADLINK = 22,
    TGETATTR = 24,
    TSETATTR = 26,
    TXATTRWALK = 30,
    TXATTRCREATE = 32,
    TREADDIR = 40,
    TLINK = 70,
    TMKDIR = 72,
    TRENAMEAT = 74,
    TUNLINKAT = 76,
    TVERSION = 100,
    TATTACH = 104,
    TWALK = 110,
    TREAD = 116,
    TWRITE = 118,
    TCLUNK = 120
};

static char folder[64];
static const char *model = "none", *more = "";

static void add_folder(struct rig *r)
{
    char text[256];

    snprintf(text, sizeof(text), "fsdriver=local,path=%s/shared,security_model=%s%s", folder, model,
             more);
    CHECK_EQ(
        machine_add_backend(r->m, "fsdev", "f0", keyval_parse(text, NULL, ERR_IGNORE), ERR_IGNORE),
        0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The machine and the folder go. */
static void leave(struct vdrv *d)
{
    vdrv_free(d);
    remove_folder();
}

static const char *in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* A message: numbers by width, texts. */
static uint8_t *at;

static void p8(uint8_t v)
{
    *at++ = v;
}
static void p16(uint16_t v)
{
    put_le16(at, v);
    at += 2;
}
static void p32(uint32_t v)
{
    put_le32(at, v);
    at += 4;
}
static void p64(uint64_t v)
{
    put_le64(at, v);
    at += 8;
}
static void ptext(const char *s)
{
    p16((uint16_t)strlen(s));
    memcpy(at, s, strlen(s));
    at += strlen(s);
}
static void begin(struct vdrv *d, uint8_t type)
{
    at = vdrv_mem(d, REQ) + 4;
    p8(type);
    p16(1);
}

/* The message goes; 0, or the errno of the reply.  The reply's body is at body(). */
static int go(struct vdrv *d)
{
    uint8_t *q = vdrv_mem(d, REQ), *a = vdrv_mem(d, REP);
    struct vbuf b[] = {{REQ, (uint32_t)(at - q), false}, {REP, REP_LEN, true}};
    int64_t n;

    put_le32(q, (uint32_t)(at - q));
    n = vdrv_do(d, 0, b, 2);
    if (!CHECK(n >= 7 && (int64_t)get_le32(a) == n && get_le16(a + 5) == 1))
        return -1;
    if (a[4] == RLERROR)
        return (int)get_le32(a + 7);
    CHECK_EQ(a[4], q[4] + 1);
    return 0;
}

static uint8_t *body(struct vdrv *d)
{
    return vdrv_mem(d, REP) + 7;
}

static struct vdrv *share(void)
{
    struct vdrv *d;

    if (!*folder) {
        snprintf(folder, sizeof(folder), "/tmp/emu-9p-test-%d", getpid());
        mkdir(folder, 0700);
        mkdir(in_folder("shared"), 0700);
        CHECK_EQ(close(open(in_folder("secret"), O_CREAT | O_WRONLY, 0600)), 0);
    }
    d = vdrv_new("virtio-9p-device", "fsdev=f0,mount_tag=tag0", 1, 0, add_folder);
    begin(d, TVERSION);
    p32(0x8000);
    ptext("9P2000.L");
    CHECK_EQ(go(d), 0);
    CHECK_MEM(body(d) + 4,
              "\10\0"
              "9P2000.L",
              10);
    begin(d, TATTACH);
    p32(1);
    p32(UINT32_MAX);
    ptext("root");
    ptext("");
    p32(1000);
    CHECK_EQ(go(d), 0);
    CHECK_EQ(body(d)[0], 0x80);
    return d;
}

static int walk(struct vdrv *d, uint32_t from, uint32_t to, const char *name)
{
    begin(d, TWALK);
    p32(from);
    p32(to);
    p16(*name ? 1 : 0);
    if (*name)
        ptext(name);
    return go(d);
}

static int clunk(struct vdrv *d, uint32_t fid)
{
    begin(d, TCLUNK);
    p32(fid);
    return go(d);
}

static int create(struct vdrv *d, uint32_t fid, const char *name, uint32_t mode)
{
    CHECK_EQ(walk(d, 1, fid, ""), 0);
    begin(d, TLCREATE);
    p32(fid);
    ptext(name);
    p32(O_RDWR | O_EXCL);
    p32(mode);
    p32(100);
    return go(d);
}

static int open_fid(struct vdrv *d, uint32_t fid, uint32_t flags)
{
    begin(d, TLOPEN);
    p32(fid);
    p32(flags);
    return go(d);
}

static int write_at(struct vdrv *d, uint32_t fid, uint64_t pos, const char *text)
{
    begin(d, TWRITE);
    p32(fid);
    p64(pos);
    p32((uint32_t)strlen(text));
    memcpy(at, text, strlen(text));
    at += strlen(text);
    return go(d);
}

static int read_at(struct vdrv *d, uint32_t fid, uint64_t pos, uint32_t len)
{
    begin(d, TREAD);
    p32(fid);
    p64(pos);
    p32(len);
    return go(d);
}

static int unlink_name(struct vdrv *d, const char *name, uint32_t flags)
{
    begin(d, TUNLINKAT);
    p32(1);
    ptext(name);
    p32(flags);
    return go(d);
}

static uint32_t mode_of(struct vdrv *d, uint32_t fid)
{
    begin(d, TGETATTR);
    p32(fid);
    p64(0x7ff);
    CHECK_EQ(go(d), 0);
    return get_le32(body(d) + 8 + 13);
}

TEST(9p, files_are_made_written_read_and_removed)
{
    struct vdrv *d = share();

    CHECK_EQ(create(d, 2, "file", 0640), 0);
    CHECK_EQ(write_at(d, 2, 0, "hello world"), 0);
    CHECK_EQ(get_le32(body(d)), 11);
    CHECK_EQ(read_at(d, 2, 6, 100), 0);
    CHECK_EQ(get_le32(body(d)), 5);
    CHECK_MEM(body(d) + 4, "world", 5);
    CHECK_EQ(clunk(d, 2), 0);
    CHECK_EQ(read_at(d, 2, 0, 1), EBADF);
    CHECK_EQ(access(in_folder("shared/file"), F_OK), 0);
    CHECK_EQ(walk(d, 1, 2, "file"), 0);
    CHECK_EQ(mode_of(d, 2) & S_IFMT, S_IFREG);
    CHECK_EQ(open_fid(d, 2, O_RDONLY), 0);
    CHECK_EQ(write_at(d, 2, 0, "x"), EBADF);
    CHECK_EQ(create(d, 3, "file", 0600), EEXIST);
    CHECK_EQ(unlink_name(d, "file", 0), 0);
    CHECK_EQ(unlink_name(d, "file", 0), ENOENT);
    CHECK_EQ(access(in_folder("shared/file"), F_OK), -1);
    leave(d);
}

TEST(9p, folders_are_listed_and_moved)
{
    struct vdrv *d = share();
    unsigned n = 0, found = 0;
    uint8_t *p, *end;

    begin(d, TMKDIR);
    p32(1);
    ptext("dir");
    p32(0755);
    p32(0);
    CHECK_EQ(go(d), 0);
    CHECK_EQ(walk(d, 1, 5, "dir"), 0);
    CHECK_EQ(create(d, 2, "file", 0600), 0);
    begin(d, TRENAMEAT);
    p32(1);
    ptext("file");
    p32(5);
    ptext("moved");
    CHECK_EQ(go(d), 0);
    CHECK_EQ(access(in_folder("shared/dir/moved"), F_OK), 0);
    begin(d, TRENAMEAT); /* fids below follow */
    p32(1);
    ptext("dir");
    p32(1);
    ptext("dir2");
    CHECK_EQ(go(d), 0);
    CHECK_EQ(walk(d, 5, 6, "moved"), 0);
    CHECK_EQ(open_fid(d, 5, O_RDONLY), 0);
    begin(d, TREADDIR);
    p32(5);
    p64(0);
    p32(4096);
    CHECK_EQ(go(d), 0);
    p = body(d) + 4;
    for (end = p + get_le32(body(d)); p < end; n++) {
        unsigned len = get_le16(p + 22);

        found += len == 5 && !memcmp(p + 24, "moved", 5);
        p += 24 + len;
    }
    CHECK_EQ(n, 3);
    CHECK_EQ(found, 1);
    CHECK_EQ(unlink_name(d, "dir2", 0x200), ENOTEMPTY);
    leave(d);
}

TEST(9p, nothing_outside_of_the_folder_is_reached)
{
    struct vdrv *d = share();

    CHECK_EQ(walk(d, 1, 2, "../secret"), ENOENT);
    CHECK_EQ(walk(d, 1, 2, ".."), 0); /* is the folder itself */
    CHECK_EQ(walk(d, 2, 3, "secret"), ENOENT);
    CHECK_EQ(symlink("..", in_folder("shared/up")), 0);
    CHECK_EQ(walk(d, 1, 4, "up"), 0);
    CHECK_EQ(mode_of(d, 4) & S_IFMT, S_IFLNK);
    CHECK_EQ(walk(d, 4, 5, "secret"), ENOTDIR);
    CHECK_EQ(open_fid(d, 4, O_RDONLY), ELOOP);
    CHECK_EQ(symlink("../secret", in_folder("shared/direct")), 0);
    CHECK_EQ(walk(d, 1, 6, "direct"), 0);
    CHECK_EQ(open_fid(d, 6, O_RDWR), ELOOP);
    CHECK_EQ(create(d, 7, "..", 0600), EEXIST);
    CHECK_EQ(clunk(d, 7), 0);
    CHECK_EQ(create(d, 7, "a/b", 0600), ENOENT);
    CHECK_EQ(clunk(d, 7), 0);
    CHECK_EQ(create(d, 7, "direct", 0600), EEXIST);
    begin(d, TSETATTR); /* truncate through the link */
    p32(6);
    p32(8);
    for (int i = 0; i < 3; i++)
        p32(0);
    for (int i = 0; i < 5; i++)
        p64(0);
    CHECK_EQ(go(d), ELOOP);
    CHECK_EQ(mkfifo(in_folder("shared/pipe"), 0600), 0);
    CHECK_EQ(walk(d, 1, 8, "pipe"), 0);
    CHECK_EQ(open_fid(d, 8, O_RDONLY), ENXIO);
    leave(d);
}

/* Owner, mode and kind are kept beside plain files. */
static void mapped(void)
{
    struct vdrv *d = share();
    struct stat st;

    if (create(d, 2, "file", 04755) == EOPNOTSUPP)
        leave(d), SKIP("no user extended attributes in /tmp");
    CHECK_EQ(mode_of(d, 2), S_IFREG | 04755);
    CHECK_EQ(get_le32(body(d) + 8 + 13 + 4), 1000);
    CHECK_EQ(get_le32(body(d) + 8 + 13 + 8), 100);
    CHECK_EQ(stat(in_folder("shared/file"), &st), 0);
    CHECK_EQ(st.st_mode, S_IFREG | 0600);
    begin(d, TSYMLINK);
    p32(1);
    ptext("link");
    ptext("/etc/passwd");
    p32(0);
    CHECK_EQ(go(d), 0);
    CHECK_EQ(lstat(in_folder("shared/link"), &st), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(walk(d, 1, 3, "link"), 0);
    CHECK_EQ(mode_of(d, 3) & S_IFMT, S_IFLNK);
    begin(d, TREADLINK);
    p32(3);
    CHECK_EQ(go(d), 0);
    CHECK_MEM(body(d) + 2, "/etc/passwd", 11);
    begin(d, TMKNOD);
    p32(1);
    ptext("null");
    p32(S_IFCHR | 0666);
    p32(1);
    p32(3);
    p32(0);
    CHECK_EQ(go(d), 0);
    CHECK_EQ(walk(d, 1, 4, "null"), 0);
    CHECK_EQ(mode_of(d, 4), S_IFCHR | 0666);
    CHECK_EQ(unlink_name(d, "null", 0), 0);
    CHECK_EQ(unlink_name(d, ".virtfs_metadata", 0x200), ENOENT);
    leave(d);
}

TEST(9p, owners_and_modes_are_kept_in_extended_attributes)
{
    model = "mapped-xattr";
    mapped();
}

TEST(9p, owners_and_modes_are_kept_in_files)
{
    model = "mapped-file";
    mapped();
}

TEST(9p, a_read_only_folder_is_not_changed)
{
    struct vdrv *d;

    more = ",readonly=on";
    d = share();
    CHECK_EQ(create(d, 2, "file", 0600), EROFS);
    CHECK_EQ(unlink_name(d, "file", 0), EROFS);
    CHECK_EQ(close(open(in_folder("shared/there"), O_CREAT | O_WRONLY, 0600)), 0);
    CHECK_EQ(walk(d, 1, 3, "there"), 0);
    CHECK_EQ(open_fid(d, 3, O_RDWR), EROFS);
    CHECK_EQ(open_fid(d, 3, O_RDONLY), 0);
    leave(d);
}

TEST(9p, extended_attributes_are_set_and_read)
{
    struct vdrv *d = share();

    CHECK_EQ(create(d, 2, "file", 0600), 0);
    if (setxattr(in_folder("shared/file"), "user.test", "x", 1, 0) < 0)
        leave(d), SKIP("no user extended attributes in /tmp");
    CHECK_EQ(walk(d, 1, 3, "file"), 0);
    begin(d, TXATTRCREATE);
    p32(3);
    ptext("user.nine");
    p64(5);
    p32(0);
    CHECK_EQ(go(d), 0);
    CHECK_EQ(write_at(d, 3, 0, "value"), 0);
    CHECK_EQ(write_at(d, 3, 5, "more"), ENOSPC);
    CHECK_EQ(clunk(d, 3), 0);
    begin(d, TXATTRWALK);
    p32(2);
    p32(4);
    ptext("user.nine");
    CHECK_EQ(go(d), 0);
    CHECK_EQ(get_le64(body(d)), 5);
    CHECK_EQ(read_at(d, 4, 0, 100), 0);
    CHECK_MEM(body(d) + 4, "value", 5);
    leave(d);
}

TEST(9p, what_is_open_is_open_after_loading)
{
    struct vdrv *d = share();

    CHECK_EQ(create(d, 2, "file", 0640), 0);
    CHECK_EQ(write_at(d, 2, 0, "hello"), 0);
    CHECK_EQ(create(d, 3, "gone", 0640), 0);
    CHECK_EQ(unlink_name(d, "gone", 0), 0);
    CHECK_EQ(walk(d, 1, 4, ""), 0);
    CHECK_EQ(open_fid(d, 4, O_RDONLY), 0);
    CHECK_EQ(walk(d, 1, 5, "file"), 0);
    begin(d, TXATTRCREATE);
    p32(5);
    ptext("user.note");
    p64(4);
    p32(0);
    CHECK_EQ(go(d), 0);
    CHECK_EQ(write_at(d, 5, 0, "ab"), 0);
    rig_save_load(d->r);
    CHECK_EQ(read_at(d, 2, 1, 100), 0); /* as large a message as was agreed on before */
    CHECK_EQ(get_le32(body(d)), 4);
    CHECK_MEM(body(d) + 4, "ello", 4);
    CHECK_EQ(write_at(d, 2, 5, " world"), 0);
    CHECK_EQ(read_at(d, 3, 0, 1), EIO); /* it was removed: no path leads there */
    CHECK_EQ(write_at(d, 3, 0, "x"), EIO);
    CHECK_EQ(clunk(d, 3), 0);
    begin(d, TREADDIR);
    p32(4);
    p64(0);
    p32(4096);
    CHECK_EQ(go(d), 0);
    CHECK(get_le32(body(d)) > 0);
    CHECK_EQ(write_at(d, 5, 2, "cd"), 0);
    CHECK_EQ(clunk(d, 5), 0);
    CHECK_EQ(walk(d, 1, 6, "file"), 0);
    begin(d, TXATTRWALK);
    p32(6);
    p32(7);
    ptext("user.note");
    CHECK_EQ(go(d), 0);
    CHECK_EQ(read_at(d, 7, 0, 10), 0);
    CHECK_MEM(body(d) + 4, "abcd", 4);
    rig_save_load(d->r);
    CHECK_EQ(read_at(d, 7, 1, 2), 0);
    CHECK_MEM(body(d) + 4, "bc", 2);
    rig_hostile(d->r);
    leave(d);
}

TEST(9p, nonsense_is_answered_with_errors)
{
    struct vdrv *d = share();

    begin(d, 99);
    CHECK_EQ(go(d), EOPNOTSUPP);
    begin(d, TWALK); /* too short */
    p32(1);
    CHECK_EQ(go(d), EINVAL);
    CHECK_EQ(walk(d, 77, 2, ""), EBADF);
    begin(d, TWRITE); /* more bytes than the message has */
    p32(1);
    p64(0);
    p32(100000);
    CHECK_EQ(go(d), EINVAL);
    leave(d);
}

static const struct test tests[] = {
    CASE(9p, files_are_made_written_read_and_removed),
    CASE(9p, folders_are_listed_and_moved),
    CASE(9p, nothing_outside_of_the_folder_is_reached),
    CASE(9p, owners_and_modes_are_kept_in_extended_attributes),
    CASE(9p, owners_and_modes_are_kept_in_files),
    CASE(9p, a_read_only_folder_is_not_changed),
    CASE(9p, extended_attributes_are_set_and_read),
    CASE(9p, what_is_open_is_open_after_loading),
    CASE(9p, nonsense_is_answered_with_errors),
};
TEST_MAIN(tests)
