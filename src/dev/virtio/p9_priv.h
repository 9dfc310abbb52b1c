/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 9p server's parts: messages and files that are open (p9_server.c), requests (p9_ops.c, p9_attr.c). */
#ifndef DEV_VIRTIO_P9_PRIV_H
#define DEV_VIRTIO_P9_PRIV_H

#include "base/bytes.h"
#include "dev/virtio/p9.h"
#include "dev/virtio/p9_fs.h"

#include <dirent.h>

enum {
    P9_RLERROR = 7,
    P9_TSTATFS = 8,
    P9_TLOPEN = 12,
    P9_TLCREATE = 14,
    P9_TSYMLINK = 16,
    P9_TMKNOD = 18,
    P9_TRENAME = 20,
    P9_TREADLINK = 22,
    P9_TGETATTR = 24,
    P9_TSETATTR = 26,
    P9_TXATTRWALK = 30,
    P9_TXATTRCREATE = 32,
    P9_TREADDIR = 40,
    P9_TFSYNC = 50,
    P9_TLOCK = 52,
    P9_TGETLOCK = 54,
    P9_TLINK = 70,
    P9_TMKDIR = 72,
    P9_TRENAMEAT = 74,
    P9_TUNLINKAT = 76,
    P9_TVERSION = 100,
    P9_TAUTH = 102,
    P9_TATTACH = 104,
    P9_TFLUSH = 108,
    P9_TWALK = 110,
    P9_TREAD = 116,
    P9_TWRITE = 118,
    P9_TCLUNK = 120,
    P9_TREMOVE = 122,
    P9_NUM = 128
};
enum { P9_HEAD = 7, P9_QID = 13, P9_MAX_WALK = 16, P9_PATH_MAX = 4096, P9_XATTR_MAX = 65536 };
enum { P9_MIN_MSIZE = 4096, P9_MAX_MSIZE = 4 << 20, P9_MAX_FIDS = 1 << 18, P9_DEVICES = 255 };

enum p9_kind { FID_PATH, FID_FILE, FID_DIR, FID_XATTR_READ, FID_XATTR_WRITE, FID_LOST /* was open when saved */ };

/** struct fid - what the client calls by a number. */
struct fid {
    uint32_t id, uid;
    enum p9_kind kind;
    char *path; /* owned */
    int fd;     /* FID_FILE */
    DIR *dir;   /* FID_DIR */
    /* Extended attributes: the whole value. */
    char *name;
    uint8_t *value;
    size_t size, filled;
    int flags;
    struct fid *next; /* in its slot */
};

/** struct msg - a request as it is read, and its reply as it grows; each keeps its first error. */
struct msg {
    struct p9 *s;
    const struct iovec *req, *rep;
    unsigned n_req, n_rep;
    uint32_t req_len; /* as its head says; no more than is there */
    size_t at;
    bool bad; /* it ends too early, or a text is none */
    uint64_t room;
    size_t out; /* bytes of the reply */
    bool full;
};

uint8_t m_u8(struct msg *m);
uint16_t m_u16(struct msg *m);
uint32_t m_u32(struct msg *m);
uint64_t m_u64(struct msg *m);
/** m_text - a new string (free()); NULL when bad. */
char *m_text(struct msg *m);
/** m_name - the same, and it must be the name of something in a folder: else NULL and *r is -errno. */
char *m_name(struct msg *m, int *r);
void r_u8(struct msg *m, uint8_t v);
void r_u16(struct msg *m, uint16_t v);
void r_u32(struct msg *m, uint32_t v);
void r_u64(struct msg *m, uint64_t v);
void r_bytes(struct msg *m, const void *p, size_t len);
void r_text(struct msg *m, const char *s);
void r_qid(struct msg *m, const struct stat *st);

enum { FID_SLOTS = 1024 };

struct p9 {
    struct p9_fs fs;
    uint32_t msize;
    enum { DEVS_WARN, DEVS_REMAP, DEVS_FORBID } multidevs;
    dev_t dev[P9_DEVICES];
    unsigned n_dev;
    struct fid *slot[FID_SLOTS];
    unsigned n_fids;
};

struct fid *fid_find(struct p9 *s, uint32_t id);
/** fid_new - NULL: there is one already, or too many.  Takes @path over. */
struct fid *fid_new(struct p9 *s, uint32_t id, char *path, uint32_t uid);
void fid_free(struct p9 *s, struct fid *f);
/** fid_close - what it has open; it is a path again. */
void fid_close(struct fid *f);
/** fid_moved - paths at or below @from are now at or below @to. */
void fid_moved(struct p9 *s, const char *from, const char *to);
/** p9_join - a new string: "dir/name"; NULL: too long. */
char *p9_join(const char *dir, const char *name);
/** p9_see - stat, and may the guest see this device?  -errno. */
int p9_see(struct p9 *s, const char *path, struct stat *st);

/* struct request - the functions of requests, by type; 0, or -errno: Rlerror. */
typedef int p9_op(struct p9 *s, struct msg *m);
p9_op p9_version, p9_attach, p9_walk, p9_lopen, p9_lcreate, p9_read, p9_write, p9_clunk, p9_remove,
    p9_op_mkdir, p9_op_symlink, p9_op_mknod, p9_op_link, p9_op_rename, p9_renameat, p9_unlinkat,
    p9_op_readlink, p9_readdir, p9_fsync, p9_lock, p9_getlock, p9_op_statfs, p9_getattr, p9_setattr,
    p9_xattrwalk, p9_xattrcreate;
/** p9_commit_xattr - when the fid that wrote one is closed. */
int p9_commit_xattr(struct p9 *s, struct fid *f);

#endif
