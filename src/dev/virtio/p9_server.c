/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 9p server: messages, the table of what is open, which function serves what.  See p9.h. */
#include "dev/virtio/p9_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "schema/field.h"

/* Messages: little endian, texts with a 16-bit length.  Copying is done piece by piece. */

static size_t copy(const struct iovec *iov, unsigned n, size_t off, void *buf, size_t len, bool out)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < len; i++) {
        if (off >= iov[i].iov_len) {
            off -= iov[i].iov_len;
            continue;
        }
        size_t k = min_u64(iov[i].iov_len - off, len - done);
        uint8_t *there = (uint8_t *)iov[i].iov_base + off, *here = (uint8_t *)buf + done;

        memcpy(out ? there : here, out ? here : there, k);
        done += k;
        off = 0;
    }
    return done;
}

static bool take(struct msg *m, void *buf, size_t len)
{
    if (m->bad || m->req_len - m->at < len) {
        m->bad = true;
        memset(buf, 0, len);
        return false;
    }
    copy(m->req, m->n_req, m->at, buf, len, false);
    m->at += len;
    return true;
}

uint8_t m_u8(struct msg *m)
{
    uint8_t v;

    take(m, &v, 1);
    return v;
}

uint16_t m_u16(struct msg *m)
{
    uint8_t v[2];

    take(m, v, 2);
    return get_le16(v);
}

uint32_t m_u32(struct msg *m)
{
    uint8_t v[4];

    take(m, v, 4);
    return get_le32(v);
}

uint64_t m_u64(struct msg *m)
{
    uint8_t v[8];

    take(m, v, 8);
    return get_le64(v);
}

char *m_text(struct msg *m)
{
    unsigned len = m_u16(m);
    char *s;

    if (m->bad || m->req_len - m->at < len) {
        m->bad = true;
        return NULL;
    }
    if (!(s = malloc(len + 1)))
        fatal("out of memory");
    take(m, s, len);
    s[len] = 0;
    if (strlen(s) == len)
        return s;
    free(s); /* with a zero inside */
    m->bad = true;
    return NULL;
}

char *m_name(struct msg *m, int *r)
{
    char *s = m_text(m);

    *r = 0;
    if (!s)
        *r = -EINVAL;
    else if (!p9_name_ok(&m->s->fs, s))
        *r = !strcmp(s, ".") || !strcmp(s, "..") ? -EEXIST : -ENOENT;
    if (*r == 0)
        return s;
    free(s);
    return NULL;
}

void r_bytes(struct msg *m, const void *p, size_t len)
{
    if (m->full || m->room - m->out < len) {
        m->full = true;
        return;
    }
    copy(m->rep, m->n_rep, m->out, (void *)p, len, true);
    m->out += len;
}

void r_u8(struct msg *m, uint8_t v)
{
    r_bytes(m, &v, 1);
}

void r_u16(struct msg *m, uint16_t v)
{
    uint8_t b[2];

    put_le16(b, v);
    r_bytes(m, b, 2);
}

void r_u32(struct msg *m, uint32_t v)
{
    uint8_t b[4];

    put_le32(b, v);
    r_bytes(m, b, 4);
}

void r_u64(struct msg *m, uint64_t v)
{
    uint8_t b[8];

    put_le64(b, v);
    r_bytes(m, b, 8);
}

void r_text(struct msg *m, const char *s)
{
    size_t len = min_u64(strlen(s), UINT16_MAX);

    r_u16(m, len);
    r_bytes(m, s, len);
}

/* Folders of several devices of the host may have files with equal numbers: multidevs=remap tells them apart. */
static uint64_t qid_path(struct p9 *s, const struct stat *st)
{
    unsigned i = 0;

    if (s->multidevs != DEVS_REMAP)
        return st->st_ino;
    while (i < s->n_dev && s->dev[i] != st->st_dev)
        i++;
    if (i == s->n_dev && s->n_dev < P9_DEVICES)
        s->dev[s->n_dev++] = st->st_dev;
    return st->st_ino ^ (uint64_t)i << 56;
}

void r_qid(struct msg *m, const struct stat *st)
{
    r_u8(m, S_ISDIR(st->st_mode) ? 0x80 : S_ISLNK(st->st_mode) ? 2 : 0);
    r_u32(m, (uint32_t)(st->st_mtime ^ (st->st_size << 8)));
    r_u64(m, qid_path(m->s, st));
}

int p9_see(struct p9 *s, const char *path, struct stat *st)
{
    int r = p9_stat(&s->fs, path, st);

    if (r == 0 && s->multidevs == DEVS_FORBID && s->n_dev && st->st_dev != s->dev[0])
        return -ENODEV;
    return r;
}

char *p9_join(const char *dir, const char *name)
{
    size_t a = strlen(dir), b = strlen(name);
    char *s;

    if (a + b + 2 > P9_PATH_MAX)
        return NULL;
    if (!(s = malloc(a + b + 2)))
        fatal("out of memory");
    memcpy(s, dir, a);
    if (a)
        s[a++] = '/';
    memcpy(s + a, name, b + 1);
    return s;
}

/* What is open. */

struct fid *fid_find(struct p9 *s, uint32_t id)
{
    struct fid *f = s->slot[id % FID_SLOTS];

    while (f && f->id != id)
        f = f->next;
    return f;
}

struct fid *fid_new(struct p9 *s, uint32_t id, char *path, uint32_t uid)
{
    struct fid *f;

    if (fid_find(s, id) || s->n_fids >= P9_MAX_FIDS)
        return NULL;
    if (!(f = calloc(1, sizeof(*f))))
        fatal("out of memory");
    *f =
        (struct fid){.id = id, .uid = uid, .path = path, .fd = -1, .next = s->slot[id % FID_SLOTS]};
    s->slot[id % FID_SLOTS] = f;
    s->n_fids++;
    return f;
}

void fid_close(struct fid *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->dir)
        closedir(f->dir);
    free(f->name);
    free(f->value);
    f->fd = -1;
    f->dir = NULL;
    f->name = NULL;
    f->value = NULL;
    f->kind = FID_PATH;
}

void fid_free(struct p9 *s, struct fid *f)
{
    struct fid **at = &s->slot[f->id % FID_SLOTS];

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    s->n_fids--;
    fid_close(f);
    free(f->path);
    free(f);
}

void fid_moved(struct p9 *s, const char *from, const char *to)
{
    size_t n = strlen(from);

    for (unsigned i = 0; i < FID_SLOTS; i++) {
        for (struct fid *f = s->slot[i]; f; f = f->next) {
            char *path;

            if (strncmp(f->path, from, n) != 0 || (f->path[n] && f->path[n] != '/'))
                continue;
            path = f->path[n] ? p9_join(to, f->path + n + 1) : strdup(to);
            if (path) { /* else it has become too long: it is not found any more */
                free(f->path);
                f->path = path;
            }
        }
    }
}

void p9_reset(struct p9 *s)
{
    for (unsigned i = 0; i < FID_SLOTS; i++)
        while (s->slot[i])
            fid_free(s, s->slot[i]);
    s->msize = P9_MIN_MSIZE;
}

/* Requests. */

static int flush(struct p9 *s, struct msg *m)
{
    return 0; /* one request at a time: what is to be cancelled has been answered */
}

static int no_auth(struct p9 *s, struct msg *m)
{
    return -EOPNOTSUPP;
}

static p9_op *const ops[P9_NUM] = {
    [P9_TSTATFS] = p9_op_statfs,
    [P9_TLOPEN] = p9_lopen,
    [P9_TLCREATE] = p9_lcreate,
    [P9_TSYMLINK] = p9_op_symlink,
    [P9_TMKNOD] = p9_op_mknod,
    [P9_TRENAME] = p9_op_rename,
    [P9_TREADLINK] = p9_op_readlink,
    [P9_TGETATTR] = p9_getattr,
    [P9_TSETATTR] = p9_setattr,
    [P9_TXATTRWALK] = p9_xattrwalk,
    [P9_TXATTRCREATE] = p9_xattrcreate,
    [P9_TREADDIR] = p9_readdir,
    [P9_TFSYNC] = p9_fsync,
    [P9_TLOCK] = p9_lock,
    [P9_TGETLOCK] = p9_getlock,
    [P9_TLINK] = p9_op_link,
    [P9_TMKDIR] = p9_op_mkdir,
    [P9_TRENAMEAT] = p9_renameat,
    [P9_TUNLINKAT] = p9_unlinkat,
    [P9_TVERSION] = p9_version,
    [P9_TAUTH] = no_auth,
    [P9_TATTACH] = p9_attach,
    [P9_TFLUSH] = flush,
    [P9_TWALK] = p9_walk,
    [P9_TREAD] = p9_read,
    [P9_TWRITE] = p9_write,
    [P9_TCLUNK] = p9_clunk,
    [P9_TREMOVE] = p9_remove,
};

static uint64_t total(const struct iovec *iov, unsigned n)
{
    uint64_t len = 0;

    for (unsigned i = 0; i < n; i++)
        len += iov[i].iov_len;
    return len;
}

static void put_head(struct msg *m, uint8_t type, uint16_t tag)
{
    size_t len = m->out;

    m->out = 0;
    r_u32(m, (uint32_t)len);
    r_u8(m, type);
    r_u16(m, tag);
    m->out = len;
}

int64_t p9_handle(struct p9 *s, const struct iovec *req, unsigned n_req, const struct iovec *rep,
                  unsigned n_rep)
{
    struct msg m = {.s = s, .req = req, .rep = rep, .n_req = n_req, .n_rep = n_rep};
    uint64_t there = total(req, n_req);
    uint8_t type;
    uint16_t tag;
    int r;

    m.req_len = min_u64(there, UINT32_MAX);
    m.room = min_u64(total(rep, n_rep), s->msize);
    m.out = P9_HEAD;
    m.req_len = min_u64(m.req_len, m_u32(&m));
    if (m.bad || m.req_len < P9_HEAD || m.room < P9_HEAD + 4)
        return -EPROTO;
    type = m_u8(&m);
    tag = m_u16(&m);
    r = type < P9_NUM && ops[type] ? ops[type](s, &m) : -EOPNOTSUPP;
    if (r >= 0 && (m.bad || m.full))
        r = m.bad ? -EINVAL : -EMSGSIZE;
    if (r < 0) {
        m.out = P9_HEAD;
        m.full = false;
        r_u32(&m, (uint32_t)-r);
        type = P9_RLERROR - 1;
    }
    put_head(&m, type + 1, tag);
    return (int64_t)m.out;
}

/* The back end. */

static const char *const models[] = {"passthrough", "none",   "mapped-xattr",
                                     "mapped-file", "mapped", NULL};
static const char *const multidevs[] = {"warn", "remap", "forbid", NULL};

struct conf {
    char *path, *fmode, *dmode;
    int model, multidevs;
    bool read_only;
};
static const struct field fields[] = {
    FIELD(conf, path, F_STR, "path", NULL, "folder of the host"),
    FIELD(conf, fmode, F_STR, "fmode", "0600", "mode of files that mapped models make, octal"),
    FIELD(conf, dmode, F_STR, "dmode", "0700", "mode of folders that mapped models make, octal"),
    FIELD_ENUM(conf, model, models, "security_model", "none", "how owners and modes are kept"),
    FIELD_ENUM(conf, multidevs, multidevs, "multidevs", "warn", "folder of several devices"),
    FIELD(conf, read_only, F_BOOL, "readonly", "off", "nothing is written"),
    FIELD_END};

static int octal(const char *what, const char *text, mode_t *v, struct err *e)
{
    char *end;
    unsigned long n = strtoul(text, &end, 8);

    if (!*text || *end || n > 0777)
        return err_set(e, -EINVAL, "%s is '%s': want an octal mode, at most 0777", what, text);
    *v = n;
    return 0;
}

static int open_root(struct p9 *s, const char *path, struct err *e)
{
    struct stat st;

    if (!path)
        return err_set(e, -EINVAL, "path is missing");
    s->fs.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (s->fs.root < 0 || fstat(s->fs.root, &st) < 0)
        return err_set(e, -errno, "cannot open '%s': %s", path, strerror(errno));
    s->dev[s->n_dev++] = st.st_dev;
    return 0;
}

struct p9 *p9_new(struct json_object *opts, struct err *e)
{
    struct json_object *own = NULL;
    struct p9 *s = calloc(1, sizeof(*s));
    struct conf c = {0};
    int r;

    if (!s || json_object_deep_copy(opts, &own, NULL) < 0)
        fatal("out of memory");
    s->fs.root = -1;
    r = fields_take(fields, own, &c, e);
    json_object_put(own);
    if (r == 0) {
        s->fs.model = c.model == 4 ? P9_MAPPED_XATTR : (enum p9_model)c.model;
        s->fs.read_only = c.read_only;
        s->multidevs = c.multidevs;
        s->msize = P9_MIN_MSIZE;
        if ((r = octal("fmode", c.fmode, &s->fs.fmode, e)) == 0 &&
            (r = octal("dmode", c.dmode, &s->fs.dmode, e)) == 0)
            r = open_root(s, c.path, e);
        fields_free(fields, &c);
    }
    if (r == 0)
        return s;
    p9_free(s);
    return NULL;
}

void p9_free(struct p9 *s)
{
    p9_reset(s);
    if (s->fs.root >= 0)
        close(s->fs.root);
    free(s);
}
