/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encryption formats by name. */
#include "block/crypt.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>

/* No cipher is in this build yet: encrypted images are refused by name. */
static int refuse(const char *format, struct err *e)
{
    return err_set(e, -ENOTSUP, "encryption format '%s' is not in this build", format);
}

int crypt_open(struct blk_env *env, const char *format, const char *key_secret, const char *prefix,
               bool no_key, const struct crypt_header *header, struct crypt **out, struct err *e)
{
    *out = NULL;
    return no_key ? 0 : refuse(format, e);
}

void crypt_free(struct crypt *c)
{
}

int crypt_encrypt(struct crypt *c, uint64_t off, void *buf, size_t len, struct err *e)
{
    bug("encrypting without a key");
}

int crypt_decrypt(struct crypt *c, uint64_t off, void *buf, size_t len, struct err *e)
{
    bug("decrypting without a key");
}

uint64_t crypt_payload(const struct crypt *c)
{
    return 0;
}

struct json_object *crypt_info(const struct crypt *c)
{
    return NULL;
}

int crypt_create(struct blk_env *env, const char *format, const struct crypt_create_opts *o,
                 const char *prefix, const struct crypt_header *header, struct err *e)
{
    return refuse(format, e);
}

int crypt_header_length(const char *format, const struct crypt_create_opts *o, uint64_t *len,
                        struct err *e)
{
    return refuse(format, e);
}

int crypt_amend(struct crypt *c, struct blk_env *env, const struct crypt_amend_opts *o, bool force,
                const struct crypt_header *header, struct err *e)
{
    return refuse("luks", e);
}
