/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sectors in and out of a cipher: algorithm, mode, and what the initialisation vector of a sector is.
 * GnuTLS does AES in the modes it has (it uses the processor's instructions best), nettle the rest.
 */
#ifndef BLOCK_CRYPT_CIPHER_H
#define BLOCK_CRYPT_CIPHER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crypt_cipher;

enum { CRYPT_KEY_MAX = 64, CRYPT_HASH_MAX = 64 };

/* struct crypt_spec - as the user names it; LUKS headers say "aes", the length of the key says 256. */
struct crypt_spec {
    char alg[32];        /* "aes-256" */
    char mode[8];        /* "xts", "cbc", "ctr", "ecb" */
    char ivgen[16];      /* "plain", "plain64", "essiv" */
    char ivgen_hash[32]; /* essiv */
};

/** crypt_spec_key_bytes - of the whole key (two for XTS); -EINVAL or -ENOTSUP names what is unknown. */
int crypt_spec_key_bytes(const struct crypt_spec *s, struct err *e);

/** crypt_alg_family - "aes" of "aes-256" into @name (32 bytes); crypt_alg_find - the other way: 0, or -ENOTSUP. */
void crypt_alg_family(const char *alg, char *name);
int crypt_alg_find(const char *family, const char *mode, size_t key_bytes, char *alg,
                   struct err *e);

int crypt_cipher_new(const struct crypt_spec *s, const uint8_t *key, struct crypt_cipher **out,
                     struct err *e);
void crypt_cipher_free(struct crypt_cipher *c);

/** crypt_cipher_run - @len bytes (a multiple of 512) that begin at @sector, in place; any thread. */
int crypt_cipher_run(struct crypt_cipher *c, bool encrypt, uint64_t sector, void *buf, size_t len,
                     struct err *e);

/** crypt_hash_size - bytes of a digest; 0: unknown.  crypt_hash - @a and @b one after the other. */
size_t crypt_hash_size(const char *hash);
int crypt_hash(const char *hash, const void *a, size_t a_len, const void *b, size_t b_len,
               void *digest, struct err *e);

/** crypt_pbkdf2 - RFC 8018; crypt_pbkdf2_rate - iterations that take @ms here, for this key length. */
int crypt_pbkdf2(const char *hash, const void *password, size_t len, const void *salt,
                 size_t salt_len, uint32_t iterations, void *out, size_t out_len, struct err *e);
uint64_t crypt_pbkdf2_rate(const char *hash, size_t out_len, uint64_t ms);

#endif
