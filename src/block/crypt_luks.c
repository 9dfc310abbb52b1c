/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LUKS version 1: reading, checking and writing the header; splitting keys over key slots. */
#include "block/crypt_luks.h"

#include "base/bytes.h"
#include "block/driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HEADER_SIZE = 592,
    SLOTS_AT = 208,
    SLOT_SIZE = 48,
    NAME_SIZE = 32,
    SLOT_ALIGN = 4096, /* of key material, and of the payload */
    ITERATIONS_MIN = 1000,
    ITER_TIME = 2000, /* ms */
    DIGEST_SHARE = 8, /* the digest's check takes this part of the time that a slot takes */
    SLOT_ACTIVE = 0x00ac71f3,
    SLOT_INACTIVE = 0x0000dead,
};

static const char magic[6] = {'L', 'U', 'K', 'S', (char)0xba, (char)0xbe};

/* Reading ---------------------------------------------------------------------------------------- */

static int get_name(char *to, const uint8_t *from, const char *what, struct err *e)
{
    if (!memchr(from, 0, NAME_SIZE))
        return err_set(e, -EINVAL, "LUKS header %s is not NUL terminated", what);
    strcpy(to, (const char *)from);
    return 0;
}

/* "xts-plain64", "cbc-essiv:sha256" */
static int parse_mode(struct luks *l, const char *text, struct err *e)
{
    const char *dash = strchr(text, '-'), *colon = strchr(text, ':');
    size_t mode = dash ? (size_t)(dash - text) : 0;
    size_t ivgen = dash ? strcspn(dash + 1, ":") : 0;

    if (!dash || mode >= sizeof(l->spec.mode) || ivgen >= sizeof(l->spec.ivgen))
        return err_set(e, -EINVAL, "Unexpected cipher mode string format '%s'", text);
    memcpy(l->spec.mode, text, mode);
    memcpy(l->spec.ivgen, dash + 1, ivgen);
    if (colon)
        snprintf(l->spec.ivgen_hash, sizeof(l->spec.ivgen_hash), "%s", colon + 1);
    if (!strcmp(l->spec.ivgen, "essiv") && !crypt_hash_size(l->spec.ivgen_hash))
        return err_set(e, -ENOTSUP, "Hash algorithm '%s' is not supported", l->spec.ivgen_hash);
    return 0;
}

static uint64_t material_bytes(const struct luks *l)
{
    return (uint64_t)l->key_bytes * LUKS_STRIPES;
}

/* Key material lies between header and payload, each slot's by itself. */
static int check_slots(const struct luks *l, const struct crypt_header *header, struct err *e)
{
    uint64_t len = material_bytes(l), end = min_u64(header->len, (uint64_t)l->payload_offset * 512);

    for (int i = 0; i < LUKS_SLOTS; i++) {
        const struct luks_slot *s = &l->slot[i];
        uint64_t at = (uint64_t)s->offset * 512;

        if (s->stripes != LUKS_STRIPES)
            return err_set(e, -EINVAL, "Keyslot %d is corrupted (stripes %" PRIu32 " != %d)", i,
                           s->stripes, LUKS_STRIPES);
        if (at < HEADER_SIZE || at > end || len > end - at)
            return err_set(e, -EINVAL,
                           "Keyslot %d is overlapping with the LUKS header or the payload", i);
        if (s->active && !s->iterations)
            return err_set(e, -EINVAL, "Keyslot %d iteration count is zero", i);
        for (int j = 0; j < i; j++) {
            uint64_t other = (uint64_t)l->slot[j].offset * 512;

            if (at < other + len && other < at + len)
                return err_set(e, -EINVAL, "Keyslots %d and %d are overlapping in the header", j,
                               i);
        }
    }
    return 0;
}

static int get_slots(struct luks *l, const uint8_t *p, struct err *e)
{
    for (int i = 0; i < LUKS_SLOTS; i++, p += SLOT_SIZE) {
        uint32_t state = get_be32(p);

        if (state != SLOT_ACTIVE && state != SLOT_INACTIVE)
            return err_set(e, -EINVAL, "Keyslot %d state (active/disable) is corrupted", i);
        l->slot[i] = (struct luks_slot){.active = state == SLOT_ACTIVE,
                                        .iterations = get_be32(p + 4),
                                        .offset = get_be32(p + 40),
                                        .stripes = get_be32(p + 44)};
        memcpy(l->slot[i].salt, p + 8, LUKS_SALT);
    }
    return 0;
}

int luks_read(struct luks *l, const struct crypt_header *header, struct err *e)
{
    uint8_t h[HEADER_SIZE];
    char family[NAME_SIZE], mode[NAME_SIZE];
    int r;

    memset(l, 0, sizeof(*l));
    if (header->len < sizeof(h))
        return err_set(e, -EINVAL, "LUKS header is cut short");
    if ((r = header->read(header->opaque, 0, h, sizeof(h), e)) < 0)
        return r;
    if (memcmp(h, magic, sizeof(magic)))
        return err_set(e, -EINVAL, "Volume is not in LUKS format");
    if (get_be16(h + 6) != 1)
        return err_set(e, -ENOTSUP, "LUKS version %u is not supported", get_be16(h + 6));
    if ((r = get_name(family, h + 8, "cipher name", e)) < 0 ||
        (r = get_name(mode, h + 40, "cipher mode", e)) < 0 ||
        (r = get_name(l->hash, h + 72, "hash", e)) < 0 || (r = parse_mode(l, mode, e)) < 0)
        return r;
    l->payload_offset = get_be32(h + 104);
    l->key_bytes = get_be32(h + 108);
    memcpy(l->digest, h + 112, LUKS_DIGEST);
    memcpy(l->digest_salt, h + 132, LUKS_SALT);
    l->digest_iterations = get_be32(h + 164);
    memcpy(l->uuid, h + 168, sizeof(l->uuid) - 1);
    if (!crypt_hash_size(l->hash))
        return err_set(e, -ENOTSUP, "Hash algorithm '%s' is not supported", l->hash);
    if (l->key_bytes > CRYPT_KEY_MAX || !l->digest_iterations)
        return err_set(e, -EINVAL, "LUKS header: key of %" PRIu32 " bytes, %" PRIu32 " iterations",
                       l->key_bytes, l->digest_iterations);
    if ((r = crypt_alg_find(family, l->spec.mode, l->key_bytes, l->spec.alg, e)) < 0 ||
        (r = crypt_spec_key_bytes(&l->spec, e)) < 0 || (r = get_slots(l, h + SLOTS_AT, e)) < 0)
        return r;
    return check_slots(l, header, e);
}

/* Writing ---------------------------------------------------------------------------------------- */

static int write_header(const struct luks *l, const struct crypt_header *header, struct err *e)
{
    uint8_t h[HEADER_SIZE] = {0}, *p = h + SLOTS_AT;
    bool essiv = !strcmp(l->spec.ivgen, "essiv");
    char family[NAME_SIZE], mode[2 * NAME_SIZE];

    memcpy(h, magic, sizeof(magic));
    put_be16(h + 6, 1);
    crypt_alg_family(l->spec.alg, family);
    snprintf((char *)h + 8, NAME_SIZE, "%s", family);
    snprintf(mode, sizeof(mode), "%s-%s%s%s", l->spec.mode, l->spec.ivgen, essiv ? ":" : "",
             essiv ? l->spec.ivgen_hash : "");
    memcpy(h + 40, mode, min_u64(strlen(mode), NAME_SIZE - 1));
    snprintf((char *)h + 72, NAME_SIZE, "%s", l->hash);
    put_be32(h + 104, l->payload_offset);
    put_be32(h + 108, l->key_bytes);
    memcpy(h + 112, l->digest, LUKS_DIGEST);
    memcpy(h + 132, l->digest_salt, LUKS_SALT);
    put_be32(h + 164, l->digest_iterations);
    memcpy(h + 168, l->uuid, sizeof(l->uuid));
    for (int i = 0; i < LUKS_SLOTS; i++, p += SLOT_SIZE) {
        const struct luks_slot *s = &l->slot[i];

        put_be32(p, s->active ? SLOT_ACTIVE : SLOT_INACTIVE);
        put_be32(p + 4, s->iterations);
        memcpy(p + 8, s->salt, LUKS_SALT);
        put_be32(p + 40, s->offset);
        put_be32(p + 44, s->stripes);
    }
    return header->write(header->opaque, 0, h, sizeof(h), e);
}

/* Anti-forensic splitting ------------------------------------------------------------------------- */

/* H(number, block) of each block as long as a digest; the last is cut. */
static int diffuse(const char *hash, uint8_t *block, size_t len, struct err *e)
{
    size_t size = crypt_hash_size(hash);
    uint8_t number[4], digest[CRYPT_HASH_MAX];
    int r = 0;

    for (size_t i = 0; i * size < len && r >= 0; i++) {
        size_t n = min_u64(size, len - i * size);

        put_be32(number, (uint32_t)i);
        if ((r = crypt_hash(hash, number, sizeof(number), block + i * size, n, digest, e)) >= 0)
            memcpy(block + i * size, digest, n);
    }
    return r;
}

/* All stripes but the last, folded into @out. */
static int fold(const char *hash, const uint8_t *stripes, size_t len, uint8_t *out, struct err *e)
{
    int r = 0;

    memset(out, 0, len);
    for (int i = 0; i < LUKS_STRIPES - 1 && r >= 0; i++) {
        for (size_t k = 0; k < len; k++)
            out[k] ^= stripes[(size_t)i * len + k];
        r = diffuse(hash, out, len, e);
    }
    return r;
}

static int af_merge(const struct luks *l, const uint8_t *stripes, uint8_t *key, struct err *e)
{
    const uint8_t *last = stripes + (size_t)(LUKS_STRIPES - 1) * l->key_bytes;
    int r = fold(l->hash, stripes, l->key_bytes, key, e);

    for (size_t k = 0; k < l->key_bytes; k++)
        key[k] ^= last[k];
    return r;
}

static int af_split(const struct luks *l, const uint8_t *key, uint8_t *stripes, struct err *e)
{
    uint8_t *last = stripes + (size_t)(LUKS_STRIPES - 1) * l->key_bytes;
    int r;

    blk_random(stripes, (size_t)(LUKS_STRIPES - 1) * l->key_bytes);
    r = fold(l->hash, stripes, l->key_bytes, last, e);
    for (size_t k = 0; k < l->key_bytes; k++)
        last[k] ^= key[k];
    return r;
}

/* Slots ------------------------------------------------------------------------------------------ */

/* Key material as it lies on the disk: whole sectors. */
static uint8_t *material_new(const struct luks *l, size_t *len)
{
    uint8_t *p;

    *len = round_up(material_bytes(l), CRYPT_SECTOR);
    if (!(p = calloc(1, *len)))
        fatal("out of memory");
    return p;
}

static void wipe(void *p, size_t len)
{
    explicit_bzero(p, len);
    free(p);
}

/* The cipher that a slot's material is encrypted with: keyed by the password. */
static int slot_cipher(const struct luks *l, const struct luks_slot *s, const uint8_t *password,
                       size_t len, struct crypt_cipher **c, struct err *e)
{
    uint8_t key[CRYPT_KEY_MAX];
    int r = crypt_pbkdf2(l->hash, password, len, s->salt, LUKS_SALT, s->iterations, key,
                         l->key_bytes, e);

    if (r >= 0)
        r = crypt_cipher_new(&l->spec, key, c, e);
    explicit_bzero(key, sizeof(key));
    return r;
}

static int digest_of(const struct luks *l, const uint8_t *key, uint8_t *digest, struct err *e)
{
    return crypt_pbkdf2(l->hash, key, l->key_bytes, l->digest_salt, LUKS_SALT, l->digest_iterations,
                        digest, LUKS_DIGEST, e);
}

/* 1: the password opens slot @s; 0: it does not. */
static int try_slot(const struct luks *l, const struct luks_slot *s,
                    const struct crypt_header *header, const uint8_t *password, size_t len,
                    uint8_t *key, struct err *e)
{
    struct crypt_cipher *c = NULL;
    uint8_t digest[LUKS_DIGEST];
    size_t size;
    uint8_t *stripes = material_new(l, &size);
    int r = slot_cipher(l, s, password, len, &c, e);

    if (r >= 0)
        r = header->read(header->opaque, (uint64_t)s->offset * 512, stripes, material_bytes(l), e);
    if (r >= 0)
        r = crypt_cipher_run(c, false, 0, stripes, size, e);
    if (r >= 0)
        r = af_merge(l, stripes, key, e);
    if (r >= 0)
        r = digest_of(l, key, digest, e);
    crypt_cipher_free(c);
    wipe(stripes, size);
    return r < 0 ? r : !memcmp(digest, l->digest, LUKS_DIGEST);
}

int luks_unlock(const struct luks *l, const struct crypt_header *header, const uint8_t *password,
                size_t len, uint8_t *key, struct err *e)
{
    for (int i = 0; i < LUKS_SLOTS; i++) {
        int r = l->slot[i].active ? try_slot(l, &l->slot[i], header, password, len, key, e) : 0;

        if (r)
            return r < 0 ? r : i;
    }
    return err_set(e, -EPERM, "Invalid password, cannot unlock any keyslot");
}

/* Iterations that take @ms; -ERANGE when the header's field is too small. */
static int64_t iterations_for(const struct luks *l, size_t out_len, uint64_t ms, struct err *e)
{
    uint64_t n = max_u64(crypt_pbkdf2_rate(l->hash, out_len, ms), ITERATIONS_MIN);

    return n > UINT32_MAX
               ? err_set(e, -ERANGE, "PBKDF iterations %" PRIu64 " larger than %u", n, UINT32_MAX)
               : (int64_t)n;
}

int luks_set_slot(struct luks *l, int n, const struct crypt_header *header, const uint8_t *key,
                  const uint8_t *password, size_t len, uint64_t iter_time, struct err *e)
{
    struct luks_slot *s = &l->slot[n], old = *s;
    struct crypt_cipher *c = NULL;
    int64_t iterations = iterations_for(l, l->key_bytes, iter_time ? iter_time : ITER_TIME, e);
    size_t size;
    int r;

    if (iterations < 0)
        return (int)iterations;
    uint8_t *stripes = material_new(l, &size);

    s->iterations = (uint32_t)iterations;
    s->active = true;
    blk_random(s->salt, LUKS_SALT);
    if ((r = slot_cipher(l, s, password, len, &c, e)) >= 0 &&
        (r = af_split(l, key, stripes, e)) >= 0 &&
        (r = crypt_cipher_run(c, true, 0, stripes, size, e)) >= 0 &&
        (r = header->write(header->opaque, (uint64_t)s->offset * 512, stripes, material_bytes(l),
                           e)) >= 0)
        r = write_header(l, header, e);
    if (r < 0)
        *s = old;
    crypt_cipher_free(c);
    wipe(stripes, size);
    return r;
}

int luks_erase_slot(struct luks *l, int n, const struct crypt_header *header, struct err *e)
{
    struct luks_slot *s = &l->slot[n];
    size_t size;
    uint8_t *noise = material_new(l, &size);
    int r;

    s->active = false;
    s->iterations = 0;
    memset(s->salt, 0, LUKS_SALT);
    blk_random(noise, size);
    /* The noise goes first: no moment at which the header has forgotten the slot but the disk has not. */
    r = header->write(header->opaque, (uint64_t)s->offset * 512, noise, material_bytes(l), e);
    if (r >= 0)
        r = write_header(l, header, e);
    free(noise);
    return r;
}

/* Making ----------------------------------------------------------------------------------------- */

static int copy_name(char *to, size_t size, const char *given, const char *def, const char *option,
                     struct err *e)
{
    const char *name = given ? given : def;

    if (strlen(name) >= size)
        return err_set(e, -EINVAL, "Parameter '%s' does not accept value '%s'", option, name);
    strcpy(to, name);
    return 0;
}

static int take_names(struct luks *l, const struct crypt_create_opts *o, struct err *e)
{
    struct crypt_spec *s = &l->spec;
    int r;

    if ((r = copy_name(s->alg, sizeof(s->alg), o->cipher_alg, "aes-256", "cipher-alg", e)) < 0 ||
        (r = copy_name(s->mode, sizeof(s->mode), o->cipher_mode, "xts", "cipher-mode", e)) < 0 ||
        (r = copy_name(s->ivgen, sizeof(s->ivgen), o->ivgen_alg, "plain64", "ivgen-alg", e)) < 0 ||
        (r = copy_name(l->hash, sizeof(l->hash), o->hash_alg, "sha256", "hash-alg", e)) < 0)
        return r;
    if (!strcmp(s->ivgen, "essiv") &&
        (r = copy_name(s->ivgen_hash, sizeof(s->ivgen_hash), o->ivgen_hash_alg, "sha256",
                       "ivgen-hash-alg", e)) < 0)
        return r;
    if (!crypt_hash_size(l->hash))
        return err_set(e, -EINVAL, "Parameter 'hash-alg' does not accept value '%s'", l->hash);
    if (*s->ivgen_hash && !crypt_hash_size(s->ivgen_hash))
        return err_set(e, -EINVAL, "Parameter 'ivgen-hash-alg' does not accept value '%s'",
                       s->ivgen_hash);
    return crypt_spec_key_bytes(s, e);
}

static void place_slots(struct luks *l)
{
    uint64_t slot = round_up(material_bytes(l), SLOT_ALIGN) / 512;

    for (unsigned i = 0; i < LUKS_SLOTS; i++)
        l->slot[i] = (struct luks_slot){.offset = (uint32_t)(SLOT_ALIGN / 512 + i * slot),
                                        .stripes = LUKS_STRIPES};
    l->payload_offset = (uint32_t)(SLOT_ALIGN / 512 + LUKS_SLOTS * slot);
}

uint64_t luks_length(const struct luks *l)
{
    return (uint64_t)l->payload_offset * 512;
}

int luks_new(struct luks *l, const struct crypt_create_opts *o, uint8_t *key, struct err *e)
{
    struct crypt_cipher *c = NULL;
    uint8_t id[16];
    int bytes, r;

    memset(l, 0, sizeof(*l));
    if ((bytes = take_names(l, o, e)) < 0)
        return bytes;
    l->key_bytes = (uint32_t)bytes;
    place_slots(l);
    blk_random(key, l->key_bytes);
    if ((r = crypt_cipher_new(&l->spec, key, &c, e)) < 0) /* what cannot be read is not written */
        return r;
    crypt_cipher_free(c);
    blk_new_uuid(id);
    for (size_t i = 0, at = 0; i < sizeof(id); i++)
        at += (size_t)snprintf(l->uuid + at, sizeof(l->uuid) - at, "%s%02x",
                               i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    blk_random(l->digest_salt, LUKS_SALT);
    int64_t n =
        iterations_for(l, LUKS_DIGEST, (o->iter_time ? o->iter_time : ITER_TIME) / DIGEST_SHARE, e);

    if (n < 0)
        return (int)n;
    l->digest_iterations = (uint32_t)n;
    return digest_of(l, key, l->digest, e);
}
