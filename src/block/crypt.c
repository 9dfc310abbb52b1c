/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encryption of images: "luks", and "aes", qcow2's first (AES-128-CBC keyed by the password itself). */
#include "block/crypt.h"

#include "base/bytes.h"
#include "block/crypt_luks.h"
#include "block/env.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct crypt {
    bool is_luks;
    struct luks luks;
    uint8_t key[CRYPT_KEY_MAX];  /* the master key, of luks */
    struct crypt_cipher *cipher; /* NULL: opened without a key */
};

enum { AES_KEY = 16 };

/* A secret's bytes; @option names it in the message when it was not given. */
static int get_password(struct blk_env *env, const char *id, const char *prefix, uint8_t **data,
                        size_t *len, struct err *e)
{
    if (!id)
        return err_set(e, -EINVAL, "Parameter '%skey-secret' is required for cipher", prefix);
    return blk_env_secret(env, id, data, len, e);
}

static void forget(uint8_t *password, size_t len)
{
    if (password)
        explicit_bzero(password, len);
    free(password);
}

static bool known_format(const char *format)
{
    return !strcmp(format, "luks") || !strcmp(format, "aes");
}

static int unknown_format(const char *format, struct err *e)
{
    return err_set(e, -EINVAL, "Parameter 'format' does not accept value '%s'", format);
}

/* Opening ---------------------------------------------------------------------------------------- */

static int unlock_aes(struct crypt *c, const uint8_t *password, size_t len, struct err *e)
{
    static const struct crypt_spec spec = {.alg = "aes-128", .mode = "cbc", .ivgen = "plain64"};
    uint8_t key[AES_KEY] = {0};
    int r;

    memcpy(key, password, min_u64(len, AES_KEY));
    r = crypt_cipher_new(&spec, key, &c->cipher, e);
    explicit_bzero(key, sizeof(key));
    return r;
}

static int unlock(struct crypt *c, struct blk_env *env, const char *key_secret, const char *prefix,
                  const struct crypt_header *header, struct err *e)
{
    uint8_t *password = NULL;
    size_t len = 0;
    int r = get_password(env, key_secret, prefix, &password, &len, e);

    if (r < 0)
        return r;
    if (!c->is_luks)
        r = unlock_aes(c, password, len, e);
    else if ((r = luks_unlock(&c->luks, header, password, len, c->key, e)) >= 0)
        r = crypt_cipher_new(&c->luks.spec, c->key, &c->cipher, e);
    forget(password, len);
    return r < 0 ? r : 0;
}

int crypt_open(struct blk_env *env, const char *format, const char *key_secret, const char *prefix,
               bool no_key, const struct crypt_header *header, struct crypt **out, struct err *e)
{
    struct crypt *c = calloc(1, sizeof(*c));
    int r = 0;

    *out = NULL;
    if (!c)
        fatal("out of memory");
    c->is_luks = !strcmp(format, "luks");
    if (!known_format(format))
        r = unknown_format(format, e);
    else if (c->is_luks)
        r = luks_read(&c->luks, header, e);
    if (r >= 0 && !no_key)
        r = unlock(c, env, key_secret, prefix, header, e);
    if (r < 0) {
        crypt_free(c);
        return r;
    }
    *out = c;
    return 0;
}

void crypt_free(struct crypt *c)
{
    if (!c)
        return;
    crypt_cipher_free(c->cipher);
    explicit_bzero(c, sizeof(*c));
    free(c);
}

int crypt_encrypt(struct crypt *c, uint64_t off, void *buf, size_t len, struct err *e)
{
    if (!c->cipher)
        bug("encrypting without a key");
    return crypt_cipher_run(c->cipher, true, off / CRYPT_SECTOR, buf, len, e);
}

int crypt_decrypt(struct crypt *c, uint64_t off, void *buf, size_t len, struct err *e)
{
    if (!c->cipher)
        bug("decrypting without a key");
    return crypt_cipher_run(c->cipher, false, off / CRYPT_SECTOR, buf, len, e);
}

uint64_t crypt_payload(const struct crypt *c)
{
    return (uint64_t)c->luks.payload_offset * 512;
}

/* Telling ---------------------------------------------------------------------------------------- */

static void add(struct json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, json_object_new_string(text));
}

static void add_number(struct json_object *o, const char *key, uint64_t n)
{
    json_object_object_add(o, key, json_object_new_uint64(n));
}

static struct json_object *slot_info(const struct luks_slot *s)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "active", json_object_new_boolean(s->active));
    if (s->active)
        add_number(o, "iters", s->iterations);
    add_number(o, "key-offset", (uint64_t)s->offset * 512);
    if (s->active)
        add_number(o, "stripes", s->stripes);
    return o;
}

struct json_object *crypt_info(const struct crypt *c)
{
    struct json_object *o = json_object_new_object(), *slots;
    const struct luks *l = &c->luks;

    if (!c->is_luks) {
        add(o, "format", "aes");
        return o;
    }
    add(o, "ivgen-alg", l->spec.ivgen);
    add(o, "hash-alg", l->hash);
    add(o, "cipher-alg", l->spec.alg);
    add(o, "uuid", l->uuid);
    if (*l->spec.ivgen_hash)
        add(o, "ivgen-hash-alg", l->spec.ivgen_hash);
    add(o, "format", "luks");
    add(o, "cipher-mode", l->spec.mode);
    slots = json_object_new_array();
    for (int i = 0; i < LUKS_SLOTS; i++)
        json_object_array_add(slots, slot_info(&l->slot[i]));
    json_object_object_add(o, "slots", slots);
    add_number(o, "payload-offset", crypt_payload(c));
    add_number(o, "master-key-iters", l->digest_iterations);
    return o;
}

/* Making ----------------------------------------------------------------------------------------- */

int crypt_create(struct blk_env *env, const char *format, const struct crypt_create_opts *o,
                 const char *prefix, const struct crypt_header *header, struct err *e)
{
    uint8_t *password = NULL, key[CRYPT_KEY_MAX];
    struct luks l;
    size_t len = 0;
    int r;

    if (!known_format(format))
        return unknown_format(format, e);
    if ((r = get_password(env, o->key_secret, prefix, &password, &len, e)) < 0)
        return r;
    if (!strcmp(format, "luks") && (r = luks_new(&l, o, key, e)) >= 0 &&
        (r = header->reserve(header->opaque, luks_length(&l), e)) >= 0)
        r = luks_set_slot(&l, 0, header, key, password, len, o->iter_time, e);
    explicit_bzero(key, sizeof(key));
    forget(password, len);
    return r;
}

int crypt_header_length(const char *format, const struct crypt_create_opts *o, uint64_t *len,
                        struct err *e)
{
    struct crypt_create_opts quick = *o;
    uint8_t key[CRYPT_KEY_MAX];
    struct luks l;
    int r = known_format(format) ? 0 : unknown_format(format, e);

    *len = 0;
    quick.iter_time = 1;
    if (r < 0 || strcmp(format, "luks"))
        return r;
    if ((r = luks_new(&l, &quick, key, e)) >= 0)
        *len = luks_length(&l);
    explicit_bzero(key, sizeof(key));
    return r;
}

/* Changing --------------------------------------------------------------------------------------- */

static int active_slots(const struct luks *l)
{
    int n = 0;

    for (int i = 0; i < LUKS_SLOTS; i++)
        n += l->slot[i].active;
    return n;
}

static int slot_number(uint64_t n, struct err *e)
{
    if (n >= LUKS_SLOTS)
        return err_set(e, -EINVAL, "Invalid slot %" PRIu64 " specified, must be between 0 and %d", n, LUKS_SLOTS - 1);
    return (int)n;
}

static int add_slot(struct crypt *c, struct blk_env *env, const struct crypt_amend_opts *o,
                    bool force, const struct crypt_header *header, struct err *e)
{
    uint8_t *password = NULL;
    int n = 0, r;
    size_t len;

    if (!o->new_secret)
        return err_set(e, -EINVAL, "'new-secret' is required to activate a keyslot");
    if (o->old_secret)
        return err_set(e, -EINVAL, "'old-secret' must not be given when activating keyslots");
    if (o->keyslot != UINT64_MAX) {
        if ((n = slot_number(o->keyslot, e)) < 0)
            return n;
        if (c->luks.slot[n].active && !force)
            return err_set(e, -EINVAL,
                           "Refusing to overwrite active keyslot %d - please erase it first", n);
    } else {
        while (n < LUKS_SLOTS && c->luks.slot[n].active)
            n++;
        if (n == LUKS_SLOTS)
            return err_set(e, -ENOSPC, "Can't add a keyslot - all keyslots are in use");
    }
    if ((r = blk_env_secret(env, o->new_secret, &password, &len, e)) < 0)
        return r;
    r = luks_set_slot(&c->luks, n, header, c->key, password, len, o->iter_time, e);
    forget(password, len);
    return r;
}

/* Does the password open slot @n?  The other slots are not asked. */
static int opens_slot(const struct crypt *c, int n, const struct crypt_header *header,
                      const uint8_t *password, size_t len, struct err *e)
{
    struct luks one = c->luks;
    uint8_t key[CRYPT_KEY_MAX];
    struct err why = {0};
    int r;

    for (int i = 0; i < LUKS_SLOTS; i++)
        one.slot[i].active &= i == n;
    r = luks_unlock(&one, header, password, len, key, &why);
    explicit_bzero(key, sizeof(key));
    if (r == -EPERM)
        return 0;
    return r < 0 ? err_set(e, r, "%s", why.msg) : 1;
}

static int erase_one(struct crypt *c, int n, bool force, const struct crypt_header *header,
                     struct err *e)
{
    if (!c->luks.slot[n].active && !force)
        return err_set(e, -EINVAL, "Given keyslot %d is already erased (inactive) ", n);
    if (c->luks.slot[n].active && active_slots(&c->luks) == 1 && !force)
        return err_set(e, -EINVAL,
                       "Attempt to erase the only active keyslot %d which will erase all the data "
                       "in the image irreversibly - refusing operation",
                       n);
    return luks_erase_slot(&c->luks, n, header, e);
}

static int erase_matching(struct crypt *c, bool force, const struct crypt_header *header,
                          const uint8_t *password, size_t len, struct err *e)
{
    bool matches[LUKS_SLOTS] = {false};
    int n = 0, r;

    for (int i = 0; i < LUKS_SLOTS; i++) {
        if (!c->luks.slot[i].active)
            continue;
        if ((r = opens_slot(c, i, header, password, len, e)) < 0)
            return r;
        matches[i] = r;
        n += r;
    }
    if (!n)
        return err_set(e, -EINVAL, "No keyslots match given (old) password for erase operation");
    if (n == active_slots(&c->luks) && !force)
        return err_set(e, -EINVAL,
                       "All the active keyslots match the (old) password that was given and "
                       "erasing them will erase all the data in the image irreversibly - refusing "
                       "operation");
    for (int i = 0; i < LUKS_SLOTS; i++)
        if (matches[i] && (r = luks_erase_slot(&c->luks, i, header, e)) < 0)
            return r;
    return 0;
}

static int erase_slots(struct crypt *c, struct blk_env *env, const struct crypt_amend_opts *o,
                       bool force, const struct crypt_header *header, struct err *e)
{
    uint8_t *password = NULL;
    size_t len = 0;
    int n = -1, r = 1;

    if (o->new_secret || o->iter_time)
        return err_set(e, -EINVAL, "'%s' must not be given when erasing keyslots",
                       o->new_secret ? "new-secret" : "iter-time");
    if (o->keyslot == UINT64_MAX && !o->old_secret)
        return err_set(e, -EINVAL,
                       "To erase keyslot(s), either explicit keyslot index or the password "
                       "currently contained in them must be given");
    if (o->keyslot != UINT64_MAX && (n = slot_number(o->keyslot, e)) < 0)
        return n;
    if (o->old_secret && (r = blk_env_secret(env, o->old_secret, &password, &len, e)) < 0)
        return r;
    if (o->old_secret && n >= 0 && (r = opens_slot(c, n, header, password, len, e)) == 0)
        r = err_set(e, -EINVAL, "This keyslot %d doesn't contain the given (old) password", n);
    if (r >= 0)
        r = n >= 0 ? erase_one(c, n, force, header, e)
                   : erase_matching(c, force, header, password, len, e);
    forget(password, len);
    return r;
}

int crypt_amend(struct crypt *c, struct blk_env *env, const struct crypt_amend_opts *o, bool force,
                const struct crypt_header *header, struct err *e)
{
    if (!c->is_luks)
        return err_set(e, -ENOTSUP, "Crypto format aes does not support option amendment");
    if (!c->cipher)
        bug("amending without a key");
    if (!o->state)
        return err_set(e, -EINVAL, "Parameter 'state' is missing");
    if (!strcmp(o->state, "active"))
        return add_slot(c, env, o, force, header, e);
    if (!strcmp(o->state, "inactive"))
        return erase_slots(c, env, o, force, header, e);
    return err_set(e, -EINVAL, "Parameter 'state' does not accept value '%s'", o->state);
}
