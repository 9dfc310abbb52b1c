/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LUKS version 1: the header with its key slots (LUKS On-Disk Format Specification 1.2.3). */
#ifndef BLOCK_CRYPT_LUKS_H
#define BLOCK_CRYPT_LUKS_H

#include "block/crypt.h"
#include "block/crypt_cipher.h"

enum { LUKS_SLOTS = 8, LUKS_STRIPES = 4000, LUKS_DIGEST = 20, LUKS_SALT = 32 };

/* struct luks_slot - @offset in sectors; iterations and salt are zero when it is not active. */
struct luks_slot {
    bool active;
    uint32_t iterations, offset, stripes;
    uint8_t salt[LUKS_SALT];
};

/* struct luks - the header in the host's byte order. */
struct luks {
    struct crypt_spec spec;
    char hash[32];
    char uuid[40];
    uint32_t payload_offset; /* sectors */
    uint32_t key_bytes;
    uint32_t digest_iterations;
    uint8_t digest[LUKS_DIGEST], digest_salt[LUKS_SALT];
    struct luks_slot slot[LUKS_SLOTS];
};

/** luks_read - parse and check; -EINVAL when it contradicts itself, -ENOTSUP for ciphers we do not have. */
int luks_read(struct luks *l, const struct crypt_header *header, struct err *e);

/** luks_unlock - the master key (CRYPT_KEY_MAX bytes) by a password; the slot's number, or -EPERM. */
int luks_unlock(const struct luks *l, const struct crypt_header *header, const uint8_t *password,
                size_t len, uint8_t *key, struct err *e);

/** luks_new - from create options, with a new master key in @key; nothing is written.
 *  luks_length - of the whole header with its slots. */
int luks_new(struct luks *l, const struct crypt_create_opts *o, uint8_t *key, struct err *e);
uint64_t luks_length(const struct luks *l);

/** luks_set_slot - @key becomes accessible by @password through slot @n; luks_erase_slot. */
int luks_set_slot(struct luks *l, int n, const struct crypt_header *header, const uint8_t *key,
                  const uint8_t *password, size_t len, uint64_t iter_time, struct err *e);
int luks_erase_slot(struct luks *l, int n, const struct crypt_header *header, struct err *e);

#endif
