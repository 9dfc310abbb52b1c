/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encrypted images, as the formats see them: "luks" (LUKS version 1, on-disk format specification 1.2.3) and
 * "aes" (qcow2's first encryption).  Where the header lies is the format's business (struct
 * crypt_header); sectors are encrypted in the caller's buffers.
 *
 * All functions may be called from many threads at once, except crypt_amend and crypt_free.
 */
#ifndef BLOCK_CRYPT_H
#define BLOCK_CRYPT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blk_env;
struct crypt;
struct json_object;

enum { CRYPT_SECTOR = 512 }; /* unit of encryption of both formats */

/* struct crypt_header - the bytes that hold key slots: offsets count from the header's begin.  "aes" has
 * none and calls nothing. */
struct crypt_header {
    int (*read)(void *opaque, uint64_t off, void *buf, size_t len, struct err *e);
    int (*write)(void *opaque, uint64_t off, const void *buf, size_t len, struct err *e);
    /* crypt_create calls it once, before the first write: @len bytes are needed. */
    int (*reserve)(void *opaque, uint64_t len, struct err *e);
    void *opaque;
    uint64_t len; /* crypt_open, crypt_amend: bytes that there are; foreign */
};

/* The create options; NULL and 0 mean the defaults (aes-256, xts, plain64, sha256, 2000 ms). */
struct crypt_create_opts {
    char *key_secret, *cipher_alg, *cipher_mode, *ivgen_alg, *ivgen_hash_alg, *hash_alg;
    uint64_t iter_time; /* milliseconds */
};

/* The amend options of LUKS. */
struct crypt_amend_opts {
    char *state; /* "active": set a key slot, "inactive": erase */
    char *new_secret, *old_secret;
    uint64_t keyslot;   /* UINT64_MAX: not given */
    uint64_t iter_time; /* milliseconds; 0: default */
};

/* Rows of both, for field tables of a struct with a member @crypt; @prefix is "" or "encrypt.". */
#define CRYPT_CREATE_FIELDS(type, prefix, secret_help)                                                                           \
    FIELD(type, crypt.key_secret, F_STR, prefix "key-secret", NULL, secret_help),                                                \
    FIELD(type, crypt.cipher_alg, F_STR, prefix "cipher-alg", NULL, "Name of encryption cipher algorithm"),                      \
    FIELD(type, crypt.cipher_mode, F_STR, prefix "cipher-mode", NULL, "Name of encryption cipher mode"),                         \
    FIELD(type, crypt.ivgen_alg, F_STR, prefix "ivgen-alg", NULL, "Name of IV generator algorithm"),                             \
    FIELD(type, crypt.ivgen_hash_alg, F_STR, prefix "ivgen-hash-alg", NULL, "Name of IV generator hash algorithm"),              \
    FIELD(type, crypt.hash_alg, F_STR, prefix "hash-alg", NULL, "Name of encryption hash algorithm"),                            \
    FIELD(type, crypt.iter_time, F_U64, prefix "iter-time", NULL, "Time to spend in PBKDF in milliseconds")
#define CRYPT_AMEND_FIELDS(type, prefix)                                                                                         \
    FIELD(type, crypt.state, F_STR, prefix "state", NULL, "Select new state of affected keyslots (active/inactive)"),            \
    FIELD(type, crypt.new_secret, F_STR, prefix "new-secret", NULL,                                                              \
          "New secret to set in the matching keyslots. Empty string to erase"),                                                  \
    FIELD(type, crypt.old_secret, F_STR, prefix "old-secret", NULL, "Select all keyslots that match this password"),             \
    FIELD(type, crypt.keyslot, F_U64, prefix "keyslot", "18446744073709551615", "Select a single keyslot to modify explicitly"), \
    FIELD(type, crypt.iter_time, F_U64, prefix "iter-time", NULL, "Time to spend in PBKDF in milliseconds")

/**
 * crypt_open - unlock with the secret named @key_secret.
 * @no_key: only look (blk_flags BLK_NO_IO): no secret is asked for, encrypting is a bug
 *
 * Returns 0 and *@out; -EPERM "Invalid password, cannot unlock any keyslot"; -EINVAL for a header that
 * contradicts itself or "Parameter 'encrypt.key-secret' is required for cipher" (@prefix is the
 * "encrypt." of it); -ENOTSUP for ciphers that we do not have.
 */
int crypt_open(struct blk_env *env, const char *format, const char *key_secret, const char *prefix,
               bool no_key, const struct crypt_header *header, struct crypt **out, struct err *e);
void crypt_free(struct crypt *c);

/** crypt_encrypt, crypt_decrypt - @len bytes, a multiple of CRYPT_SECTOR, in place.  @off is the byte offset
 *  that the initialisation vectors count (sector number times 512). */
int crypt_encrypt(struct crypt *c, uint64_t off, void *buf, size_t len, struct err *e);
int crypt_decrypt(struct crypt *c, uint64_t off, void *buf, size_t len, struct err *e);

/** crypt_payload - where LUKS says that data begins, bytes (luks images; qcow2 does not ask). */
uint64_t crypt_payload(const struct crypt *c);

/** crypt_info - what `info` prints: "ivgen-alg", "hash-alg", ..., "slots" for luks; nothing but "format" for
 *  aes.  A new object; the order is that of the human form. */
struct json_object *crypt_info(const struct crypt *c);

/** crypt_create - write a header for @format with a new key.  -EINVAL names the option. */
int crypt_create(struct blk_env *env, const char *format, const struct crypt_create_opts *o,
                 const char *prefix, const struct crypt_header *header, struct err *e);

/** crypt_header_length - bytes that crypt_create will reserve; for measuring. */
int crypt_header_length(const char *format, const struct crypt_create_opts *o, uint64_t *len,
                        struct err *e);

/** crypt_amend - set or erase key slots.  @force: even the last one. */
int crypt_amend(struct crypt *c, struct blk_env *env, const struct crypt_amend_opts *o, bool force,
                const struct crypt_header *header, struct err *e);

#endif
