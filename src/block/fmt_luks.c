/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -f luks: a LUKS volume (version 1) in a file: the header with its key slots, then encrypted sectors. */
#include "block/crypt.h"
#include "block/driver.h"

#include <inttypes.h>
#include <stdlib.h>

struct luks_node {
    char *key_secret;
    struct crypt *crypt;
    uint64_t payload; /* where the sectors begin in the file */
};

static const struct field luks_open_fields[] = {
    FIELD(luks_node, key_secret, F_STR, "key-secret", NULL, "id of the secret with the passphrase"),
    FIELD_END,
};

static int luks_probe(const uint8_t *head, size_t len, const char *filename)
{
    (void)filename;
    return len >= 8 && !memcmp(head, "LUKS\xba\xbe\0\1", 8) ? 100 : 0;
}

/* Header ----------------------------------------------------------------------------------------- */

static int header_read(void *opaque, uint64_t off, void *buf, size_t len, struct err *e)
{
    return blk_read(opaque, off, len, buf, e);
}

static int header_write(void *opaque, uint64_t off, const void *buf, size_t len, struct err *e)
{
    return blk_write(opaque, off, len, buf, 0, e);
}

static int header_reserve(void *opaque, uint64_t len, struct err *e)
{
    struct blk *file = opaque;

    return blk_size(file) >= len ? 0 : blk_truncate(file, len, BLK_PREALLOC_OFF, 0, e);
}

static struct crypt_header header_of(struct blk *file)
{
    return (struct crypt_header){.read = header_read,
                                 .write = header_write,
                                 .reserve = header_reserve,
                                 .opaque = file,
                                 .len = blk_size(file)};
}

static int luks_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct luks_node *s = b->state;
    struct crypt_header header = header_of(b->file);
    int r = fields_take(luks_open_fields, opts, s, e);

    if (r < 0)
        return r;
    r = crypt_open(b->env, "luks", s->key_secret, "", b->flags & BLK_NO_IO, &header, &s->crypt, e);
    if (r >= 0 && crypt_payload(s->crypt) > blk_size(b->file))
        r = err_set(e, -EINVAL, "LUKS payload at %" PRIu64 " is beyond the end of the file",
                    crypt_payload(s->crypt));
    if (r < 0) {
        crypt_free(s->crypt);
        fields_free(luks_open_fields, s);
        return r;
    }
    s->payload = crypt_payload(s->crypt);
    b->size = round_down(blk_size(b->file) - s->payload, CRYPT_SECTOR);
    b->align = CRYPT_SECTOR;
    b->coded = true;
    return 0;
}

static int luks_close(struct blk *b, struct err *e)
{
    struct luks_node *s = b->state;

    (void)e;
    crypt_free(s->crypt);
    fields_free(luks_open_fields, s);
    return 0;
}

/* Sectors ---------------------------------------------------------------------------------------- */

static int luks_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    const struct luks_node *s = b->state;

    (void)e;
    *x = (struct blk_extent){
        .where = BLK_DATA, .off = off, .len = len, .host = s->payload + off, .in_place = true};
    return 0;
}

/* Whole sectors, decrypted in @buf. */
static int read_sectors(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e)
{
    const struct luks_node *s = b->state;
    int r = blk_read(b->file, s->payload + off, len, buf, e);

    return r < 0 ? r : crypt_decrypt(s->crypt, off, buf, len, e);
}

static bool whole_sectors(uint64_t off, uint64_t len)
{
    return !((off | len) & (CRYPT_SECTOR - 1));
}

static void *sectors_new(uint64_t len, struct err *e)
{
    void *p = NULL;

    if (posix_memalign(&p, 4096, len))
        err_set(e, -ENOMEM, "out of memory for %" PRIu64 " bytes", len);
    return p;
}

static int luks_read_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                           void *buf, struct err *e)
{
    uint64_t start = round_down(off, CRYPT_SECTOR), end = round_up(off + len, CRYPT_SECTOR);
    char *all;
    int r;

    (void)x;
    if (whole_sectors(off, len))
        return read_sectors(b, off, len, buf, e);
    if (!(all = sectors_new(end - start, e)))
        return -ENOMEM;
    if ((r = read_sectors(b, start, end - start, all, e)) >= 0)
        memcpy(buf, all + (off - start), len);
    free(all);
    return r;
}

/* The caller's buffer stays as it is: what is encrypted is a copy. */
static int luks_write_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                            const void *buf, struct err *e)
{
    const struct luks_node *s = b->state;
    uint64_t start = round_down(off, CRYPT_SECTOR), end = round_up(off + len, CRYPT_SECTOR);
    char *all = sectors_new(end - start, e);
    int r = 0;

    (void)x;
    if (!all)
        return -ENOMEM;
    if (start < off)
        r = read_sectors(b, start, CRYPT_SECTOR, all, e);
    if (r >= 0 && off + len < end && (end - start > CRYPT_SECTOR || start == off))
        r = read_sectors(b, end - CRYPT_SECTOR, CRYPT_SECTOR, all + (end - start) - CRYPT_SECTOR,
                         e);
    if (r >= 0) {
        memcpy(all + (off - start), buf, len);
        r = crypt_encrypt(s->crypt, start, all, end - start, e);
    }
    if (r >= 0)
        r = blk_write(b->file, s->payload + start, end - start, all, 0, e);
    free(all);
    return r;
}

static int luks_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    return 0; /* alloc gives nothing fresh */
}

static void luks_abort(struct blk *b, const struct blk_extent *x)
{
}

static int luks_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                         struct err *e)
{
    const struct luks_node *s = b->state;
    uint64_t total;
    int r;

    if (!add_u64(size, s->payload, &total) || total > INT64_MAX)
        return err_set(e, -EFBIG, "The requested file size is too large");
    if ((r = blk_truncate(b->file, total, prealloc, req, e)) >= 0)
        __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return r;
}

static int luks_info(struct blk *b, struct blk_info *i, struct err *e)
{
    const struct luks_node *s = b->state;

    i->encrypted = true;
    i->specific = crypt_info(s->crypt);
    json_object_object_del(i->specific, "format");
    return 0;
}

/* Making ----------------------------------------------------------------------------------------- */

struct luks_create {
    uint64_t size;
    struct crypt_create_opts crypt;
};

static const struct field luks_create_fields[] = {
    FIELD(luks_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    CRYPT_CREATE_FIELDS(luks_create, "", "ID of the secret that provides the keyslot passphrase"),
    FIELD_END,
};

static int luks_create_image(struct blk_env *env, const char *filename, void *opts,
                             struct json_object *protocol, struct err *e)
{
    const struct luks_create *o = opts;
    uint64_t length, total;
    struct blk *file;
    int r = crypt_header_length("luks", &o->crypt, &length, e);

    if (r < 0)
        return r;
    if (!add_u64(length, o->size, &total) || total > INT64_MAX)
        return err_set(e, -EFBIG, "The requested file size is too large");
    if (!(file = blk_create_file(env, filename, total, protocol, e)))
        return e->code;
    struct crypt_header header = header_of(file);

    r = crypt_create(env, "luks", &o->crypt, "", &header, e);
    int r2 = blk_close(file, r < 0 ? ERR_IGNORE : e);

    return r < 0 ? r : r2;
}

static int luks_measure(struct blk_env *env, const void *opts, struct blk *src, uint64_t size,
                        struct blk_measure *m, struct err *e)
{
    const struct luks_create *o = opts;
    uint64_t length;
    int r = crypt_header_length("luks", &o->crypt, &length, e);

    (void)env;
    m->required = m->fully_allocated = length + (src ? blk_size(src) : size);
    return r;
}

struct luks_amend {
    struct crypt_amend_opts crypt;
};

static const struct field luks_amend_fields[] = {
    CRYPT_AMEND_FIELDS(luks_amend, ""),
    FIELD_END,
};

static int luks_amend(struct blk *b, struct json_object *given, bool force, blk_progress *progress,
                      void *opaque, struct err *e)
{
    struct luks_node *s = b->state;
    struct crypt_header header = header_of(b->file);
    struct luks_amend o;
    int r = fields_take(luks_amend_fields, given, &o, e);

    (void)progress;
    (void)opaque;
    if (r < 0)
        return r;
    r = crypt_amend(s->crypt, b->env, &o.crypt, force, &header, e);
    fields_free(luks_amend_fields, &o);
    return r;
}

static const struct blk_map_ops luks_map_ops = {
    .map = luks_map,
    .alloc = luks_map,
    .commit = luks_commit,
    .abort = luks_abort,
    .read_coded = luks_read_coded,
    .write_coded = luks_write_coded,
};

static const struct blk_create_ops luks_create_ops = {
    .opts = luks_create_fields,
    .opts_size = sizeof(struct luks_create),
    .create = luks_create_image,
    .measure = luks_measure,
    .amend_opts = luks_amend_fields,
    .amend = luks_amend,
};

const struct blk_driver fmt_luks = {
    .name = "luks",
    .help = "encrypted sectors behind a header with key slots (LUKS version 1)",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct luks_node),
    .open_opts = luks_open_fields,
    .probe = luks_probe,
    .open = luks_open,
    .close = luks_close,
    .truncate = luks_truncate,
    .info = luks_info,
    .map = &luks_map_ops,
    .create = &luks_create_ops,
};
