/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --object secret,id=ID,data=TEXT|file=PATH[,format=raw|base64][,keyid=ID,iv=BASE64]: a password or key.
 * With keyid it is encrypted: AES-256-CBC under that secret's 32 bytes, padded as PKCS#7 says.
 */
#include "block/driver.h"
#include "block/env_priv.h"

#include <nettle/aes.h>
#include <nettle/base64.h>
#include <nettle/cbc.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECRET_MAX = 2 << 20, KEY_SIZE = 32 };
static const char *const formats[] = {"raw", "base64", NULL};

/* struct bytes - always followed by a zero byte. */
struct bytes {
    uint8_t *data;
    size_t len;
};

struct secret {
    char *data, *file, *keyid, *iv;
    int format;
    struct bytes value; /* decoded and decrypted */
};

static const struct field secret_fields[] = {
    FIELD(secret, data, F_STR, "data", NULL, "the secret itself"),
    FIELD(secret, file, F_STR, "file", NULL, "a file that holds it"),
    FIELD_ENUM(secret, format, formats, "format", "raw", "how it is written"),
    FIELD(secret, keyid, F_STR, "keyid", NULL, "the secret that it is encrypted with"),
    FIELD(secret, iv, F_STR, "iv", NULL, "initialisation vector in base64"),
    FIELD_END,
};

static void wipe(struct bytes *b)
{
    if (b->data)
        explicit_bzero(b->data, b->len);
    free(b->data);
    *b = (struct bytes){.data = NULL};
}

static void bytes_new(struct bytes *b, size_t len)
{
    b->len = len;
    if (!(b->data = calloc(1, len + 1)))
        fatal("out of memory");
}

static int load_file(const char *path, struct bytes *out, struct err *e)
{
    FILE *f = fopen(path, "re");

    if (!f)
        return err_set(e, -errno, "Unable to read %s: %s", path, strerror(errno));
    bytes_new(out, SECRET_MAX + 1);
    out->len = fread(out->data, 1, SECRET_MAX + 1, f);
    fclose(f);
    out->data[out->len] = 0;
    return out->len > SECRET_MAX
               ? err_set(e, -EFBIG, "%s is longer than %d bytes", path, SECRET_MAX)
               : 0;
}

/* In place: what is decoded is shorter. */
static int decode_base64(struct bytes *b, struct err *e)
{
    struct base64_decode_ctx ctx;
    size_t len = BASE64_DECODE_LENGTH(b->len);
    struct bytes out;

    bytes_new(&out, len);
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &len, out.data, b->len, (const char *)b->data) ||
        !base64_decode_final(&ctx)) {
        wipe(&out);
        return err_set(e, -EINVAL, "the secret is not valid base64");
    }
    out.len = len;
    wipe(b);
    *b = out;
    return 0;
}

static int decrypt(struct bytes *b, const struct bytes *key, const struct bytes *iv, struct err *e)
{
    struct aes256_ctx aes;
    uint8_t vector[AES_BLOCK_SIZE];

    if (key->len != KEY_SIZE)
        return err_set(e, -EINVAL, "Key should be %d bytes in length", KEY_SIZE);
    if (iv->len != AES_BLOCK_SIZE)
        return err_set(e, -EINVAL, "IV should be %d bytes in length not %zu", AES_BLOCK_SIZE,
                       iv->len);
    if (!b->len || b->len % AES_BLOCK_SIZE)
        return err_set(e, -EINVAL, "Length %zu must be a multiple of block size %d", b->len,
                       AES_BLOCK_SIZE);
    memcpy(vector, iv->data, sizeof(vector));
    aes256_set_decrypt_key(&aes, key->data);
    cbc_decrypt(&aes, (nettle_cipher_func *)aes256_decrypt, AES_BLOCK_SIZE, vector, b->len, b->data,
                b->data);
    explicit_bzero(&aes, sizeof(aes));
    uint8_t pad = b->data[b->len - 1];

    if (!pad || pad > AES_BLOCK_SIZE)
        return err_set(e, -EINVAL, "Incorrect number of padding bytes (%u) found on decrypted data",
                       pad);
    b->len -= pad;
    b->data[b->len] = 0;
    return 0;
}

static int decrypt_with(struct blk_env *env, struct secret *s, struct err *e)
{
    struct bytes key = {.data = NULL}, iv = {.data = NULL};
    int r = blk_env_secret(env, s->keyid, &key.data, &key.len, e);

    if (r >= 0 && !s->iv)
        r = err_set(e, -EINVAL, "IV is required to decrypt secret");
    if (r >= 0) {
        bytes_new(&iv, strlen(s->iv));
        memcpy(iv.data, s->iv, iv.len);
        if ((r = decode_base64(&iv, e)) >= 0)
            r = decrypt(&s->value, &key, &iv, e);
    }
    wipe(&key);
    wipe(&iv);
    return r;
}

static int load(struct blk_env *env, struct secret *s, struct err *e)
{
    int r = 0;

    if (!s->data == !s->file)
        return err_set(e, -EINVAL,
                       s->data ? "'file' and 'data' are mutually exclusive"
                               : "Must provide 'file' or 'data'");
    if (s->file) {
        r = load_file(s->file, &s->value, e);
    } else {
        bytes_new(&s->value, strlen(s->data));
        memcpy(s->value.data, s->data, s->value.len);
    }
    if (r >= 0 && s->format)
        r = decode_base64(&s->value, e);
    return r >= 0 && s->keyid ? decrypt_with(env, s, e) : r;
}

static void secret_free(void *made)
{
    struct secret *s = made;

    wipe(&s->value);
    if (s->data)
        explicit_bzero(s->data, strlen(s->data));
    fields_free(secret_fields, s);
    free(s);
}

static void *secret_make(struct blk_env *env, struct json_object *opts, struct err *e)
{
    struct secret *s = calloc(1, sizeof(*s));

    if (!s)
        fatal("out of memory");
    if (fields_take(secret_fields, opts, s, e) < 0) {
        free(s);
        return NULL;
    }
    if (load(env, s, e) < 0) {
        secret_free(s);
        return NULL;
    }
    return s;
}

int blk_env_secret(struct blk_env *env, const char *id, unsigned char **data, size_t *len,
                   struct err *e)
{
    struct secret *s = blk_env_object(env, id, "secret", e);
    struct bytes copy;

    if (!s)
        return e->code;
    bytes_new(&copy, s->value.len);
    memcpy(copy.data, s->value.data, s->value.len);
    *data = copy.data;
    *len = copy.len;
    return 0;
}

const struct blk_object_type object_secret = {
    .name = "secret",
    .help = "a password or key",
    .make = secret_make,
    .free = secret_free,
};
