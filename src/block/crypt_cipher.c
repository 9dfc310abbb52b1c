/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ciphers, modes and initialisation vectors of disk encryption; hashes and key derivation by GnuTLS. */
#include "block/lazy_gnutls.h"
#include "block/crypt_cipher.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/cbc.h>
#include <nettle/ctr.h>
#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>
#include <nettle/pbkdf2.h>
#include <nettle/xts.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECTOR = 512, BLOCK_MAX = 16, HANDLES = 64 };

/* cast128 of nettle's list, with LUKS's name for it. */
static const struct alg {
    const char *name, *family;
    const struct nettle_cipher *nettle;
    int gnutls_cbc, gnutls_xts; /* 0: GnuTLS has none */
} algs[] = {
    {"aes-128", "aes", &nettle_aes128, GNUTLS_CIPHER_AES_128_CBC, GNUTLS_CIPHER_AES_128_XTS},
    {"aes-192", "aes", &nettle_aes192, GNUTLS_CIPHER_AES_192_CBC, 0},
    {"aes-256", "aes", &nettle_aes256, GNUTLS_CIPHER_AES_256_CBC, GNUTLS_CIPHER_AES_256_XTS},
    {"cast5-128", "cast5", &nettle_cast128, 0, 0},
    {"serpent-128", "serpent", &nettle_serpent128, 0, 0},
    {"serpent-192", "serpent", &nettle_serpent192, 0, 0},
    {"serpent-256", "serpent", &nettle_serpent256, 0, 0},
    {"twofish-128", "twofish", &nettle_twofish128, 0, 0},
    {"twofish-192", "twofish", &nettle_twofish192, 0, 0},
    {"twofish-256", "twofish", &nettle_twofish256, 0, 0},
};

static const char *const modes[] = {"ecb", "cbc", "xts", "ctr"};
enum mode { MODE_ECB, MODE_CBC, MODE_XTS, MODE_CTR };
static const char *const ivgens[] = {"plain", "plain64", "essiv"};
enum ivgen { IV_PLAIN, IV_PLAIN64, IV_ESSIV };

static const struct hash {
    const char *name;
    gnutls_digest_algorithm_t digest;
    gnutls_mac_algorithm_t mac;
} hashes[] = {
    {"md5", GNUTLS_DIG_MD5, GNUTLS_MAC_MD5},
    {"sha1", GNUTLS_DIG_SHA1, GNUTLS_MAC_SHA1},
    {"sha224", GNUTLS_DIG_SHA224, GNUTLS_MAC_SHA224},
    {"sha256", GNUTLS_DIG_SHA256, GNUTLS_MAC_SHA256},
    {"sha384", GNUTLS_DIG_SHA384, GNUTLS_MAC_SHA384},
    {"sha512", GNUTLS_DIG_SHA512, GNUTLS_MAC_SHA512},
    {"ripemd160", GNUTLS_DIG_UNKNOWN, GNUTLS_MAC_UNKNOWN}, /* nettle's: GnuTLS only has its name */
};

struct crypt_cipher {
    const struct alg *alg;
    enum mode mode;
    enum ivgen ivgen;
    void *enc, *dec, *tweak; /* nettle's key schedules: constant, so any thread may use them */
    const struct nettle_cipher *essiv;
    void *essiv_key;
    /* GnuTLS's handles hold an initialisation vector: one for each thread that is busy. */
    int gnutls; /* algorithm; 0: nettle */
    uint8_t key[CRYPT_KEY_MAX];
    size_t key_len;
    pthread_mutex_t lock;
    gnutls_cipher_hd_t idle[HANDLES]; /* [lock] */
    unsigned idle_n;                  /* [lock] */
};

/* Hashes and keys from passwords --------------------------------------------------------------- */

static const struct hash *find_hash(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
        if (!strcmp(hashes[i].name, name))
            return &hashes[i];
    return NULL;
}

size_t crypt_hash_size(const char *hash)
{
    const struct hash *h = find_hash(hash);

    if (h && !h->digest)
        return RIPEMD160_DIGEST_SIZE;
    return h && lazy_gnutls_load(ERR_IGNORE) >= 0 ? gnutls_hash_get_len(h->digest) : 0;
}

int crypt_hash(const char *hash, const void *a, size_t a_len, const void *b, size_t b_len,
               void *digest, struct err *e)
{
    const struct hash *h = find_hash(hash);
    gnutls_hash_hd_t hd;

    if (h && !h->digest) {
        struct ripemd160_ctx ctx;

        ripemd160_init(&ctx);
        ripemd160_update(&ctx, a_len, a);
        ripemd160_update(&ctx, b_len, b);
        ripemd160_digest(&ctx, RIPEMD160_DIGEST_SIZE, digest);
        return 0;
    }
    if (lazy_gnutls_load(e) < 0)
        return e->code;
    if (!h || gnutls_hash_init(&hd, h->digest) < 0)
        return err_set(e, -ENOTSUP, "Hash algorithm '%s' is not supported", hash);
    gnutls_hash(hd, a, a_len);
    gnutls_hash(hd, b, b_len);
    gnutls_hash_deinit(hd, digest);
    return 0;
}

int crypt_pbkdf2(const char *hash, const void *password, size_t len, const void *salt,
                 size_t salt_len, uint32_t iterations, void *out, size_t out_len, struct err *e)
{
    const struct hash *h = find_hash(hash);
    gnutls_datum_t p = {(void *)password, (unsigned)len}, s = {(void *)salt, (unsigned)salt_len};

    if (h && !h->digest) {
        struct hmac_ripemd160_ctx ctx;

        hmac_ripemd160_set_key(&ctx, len, password);
        PBKDF2(&ctx, hmac_ripemd160_update, hmac_ripemd160_digest, RIPEMD160_DIGEST_SIZE,
               iterations, salt_len, salt, out_len, out);
        return 0;
    }
    if (lazy_gnutls_load(e) < 0)
        return e->code;
    if (!h || gnutls_pbkdf2(h->mac, &p, &s, iterations, out, out_len) < 0)
        return err_set(e, -ENOTSUP, "Hash algorithm '%s' is not supported", hash);
    return 0;
}

uint64_t crypt_pbkdf2_rate(const char *hash, size_t out_len, uint64_t ms)
{
    uint64_t goal = min_u64(max_u64(ms / 20, 10), 100) * 1000000, ns = 0;
    uint8_t out[CRYPT_KEY_MAX];
    uint32_t n = 1 << 12;

    for (;; n *= 2) {
        struct timespec a, b;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        if (crypt_pbkdf2(hash, "password", 8, "salt", 4, n, out, out_len, ERR_IGNORE) < 0)
            return 0;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        ns = (uint64_t)(b.tv_sec - a.tv_sec) * 1000000000 + (uint64_t)b.tv_nsec -
             (uint64_t)a.tv_nsec;
        if (ns >= goal || n >> 30)
            return (uint64_t)((double)n * (double)ms * 1e6 / (double)max_u64(ns, 1));
    }
}

/* Names ------------------------------------------------------------------------------------------ */

static const struct alg *find_alg(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(algs); i++)
        if (!strcmp(algs[i].name, name))
            return &algs[i];
    return NULL;
}

static int find_word(const char *const *words, size_t n, const char *word, const char *option,
                     struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(words[i], word))
            return (int)i;
    return err_set(e, -EINVAL, "Parameter '%s' does not accept value '%s'", option, word);
}

int crypt_spec_key_bytes(const struct crypt_spec *s, struct err *e)
{
    const struct alg *a = find_alg(s->alg);
    int mode = find_word(modes, ARRAY_LEN(modes), s->mode, "cipher-mode", e);

    if (mode < 0)
        return mode;
    if (!a)
        return strcmp(s->alg, "3des") && strcmp(s->alg, "des")
                   ? err_set(e, -EINVAL, "Parameter 'cipher-alg' does not accept value '%s'",
                             s->alg)
                   : err_set(e, -ENOTSUP, "Algorithm '%s' not supported", s->alg);
    if (mode == MODE_XTS && a->nettle->block_size != XTS_BLOCK_SIZE)
        return err_set(e, -EINVAL, "Cipher block size %u must equal XTS block size %d",
                       a->nettle->block_size, XTS_BLOCK_SIZE);
    return (int)a->nettle->key_size << (mode == MODE_XTS);
}

void crypt_alg_family(const char *alg, char *name)
{
    const struct alg *a = find_alg(alg);

    strcpy(name, a ? a->family : "");
}

int crypt_alg_find(const char *family, const char *mode, size_t key_bytes, char *alg, struct err *e)
{
    bool known = false;

    if (!strcmp(mode, "xts")) {
        if (key_bytes % 2)
            return err_set(e, -EINVAL, "XTS cipher key length should be a multiple of 2");
        key_bytes /= 2;
    }
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        if (strcmp(algs[i].family, family))
            continue;
        known = true;
        if (algs[i].nettle->key_size == key_bytes) {
            strcpy(alg, algs[i].name);
            return 0;
        }
    }
    return known ? err_set(e, -EINVAL, "Algorithm '%s' with key size %zu bytes not supported",
                           family, key_bytes)
                 : err_set(e, -ENOTSUP, "Algorithm '%s' with key size %zu bytes not supported",
                           family, key_bytes);
}

/* Setting up ------------------------------------------------------------------------------------- */

static void *key_schedule(const struct nettle_cipher *n, const uint8_t *key, bool decrypt)
{
    void *k = NULL;

    if (posix_memalign(&k, 16, round_up(n->context_size, 16)))
        fatal("out of memory");
    (decrypt ? n->set_decrypt_key : n->set_encrypt_key)(k, key);
    return k;
}

/* ESSIV: the sector number goes through the same cipher, keyed with the key's hash. */
static int set_up_essiv(struct crypt_cipher *c, const struct crypt_spec *s, const uint8_t *key,
                        struct err *e)
{
    size_t size = crypt_hash_size(s->ivgen_hash);
    uint8_t digest[CRYPT_HASH_MAX];
    int r;

    if (!size)
        return err_set(e, -EINVAL, "Hash algorithm '%s' is not supported", s->ivgen_hash);
    for (size_t i = 0; i < ARRAY_LEN(algs); i++)
        if (!strcmp(algs[i].family, c->alg->family) && algs[i].nettle->key_size == size)
            c->essiv = algs[i].nettle;
    if (!c->essiv)
        return err_set(e, -EINVAL, "No %s cipher with key size %zu available",
                       !strcmp(c->alg->family, "aes") ? "AES" : c->alg->family, size);
    if ((r = crypt_hash(s->ivgen_hash, key, c->key_len, "", 0, digest, e)) >= 0)
        c->essiv_key = key_schedule(c->essiv, digest, false);
    explicit_bzero(digest, sizeof(digest));
    return r;
}

int crypt_cipher_new(const struct crypt_spec *s, const uint8_t *key, struct crypt_cipher **out,
                     struct err *e)
{
    int bytes = crypt_spec_key_bytes(s, e);
    int ivgen = find_word(ivgens, ARRAY_LEN(ivgens), s->ivgen, "ivgen-alg", e), r = 0;

    if (bytes < 0 || ivgen < 0 || lazy_gnutls_load(e) < 0)
        return e->code;
    struct crypt_cipher *c = calloc(1, sizeof(*c));

    if (!c)
        fatal("out of memory");
    pthread_mutex_init(&c->lock, NULL);
    c->alg = find_alg(s->alg);
    c->mode = (enum mode)find_word(modes, ARRAY_LEN(modes), s->mode, "cipher-mode", e);
    c->ivgen = (enum ivgen)ivgen;
    c->key_len = (size_t)bytes;
    memcpy(c->key, key, c->key_len);
    c->gnutls = c->mode == MODE_XTS   ? c->alg->gnutls_xts
                : c->mode == MODE_CBC ? c->alg->gnutls_cbc
                                      : 0;
    /* GnuTLS refuses XTS keys whose halves are equal; they are weak, but not forbidden here. */
    if (c->mode == MODE_XTS && !memcmp(key, key + bytes / 2, (size_t)bytes / 2))
        c->gnutls = 0;
    c->enc = key_schedule(c->alg->nettle, key, false);
    c->dec = key_schedule(c->alg->nettle, key, true);
    if (c->mode == MODE_XTS)
        c->tweak = key_schedule(c->alg->nettle, key + bytes / 2, false);
    if (c->ivgen == IV_ESSIV)
        r = set_up_essiv(c, s, key, e);
    if (r < 0) {
        crypt_cipher_free(c);
        return r;
    }
    *out = c;
    return 0;
}

static void wipe_schedule(const struct nettle_cipher *n, void *k)
{
    if (k)
        explicit_bzero(k, n->context_size);
    free(k);
}

void crypt_cipher_free(struct crypt_cipher *c)
{
    if (!c)
        return;
    while (c->idle_n)
        gnutls_cipher_deinit(c->idle[--c->idle_n]);
    wipe_schedule(c->alg->nettle, c->enc);
    wipe_schedule(c->alg->nettle, c->dec);
    wipe_schedule(c->alg->nettle, c->tweak);
    if (c->essiv)
        wipe_schedule(c->essiv, c->essiv_key);
    pthread_mutex_destroy(&c->lock);
    explicit_bzero(c, sizeof(*c));
    free(c);
}

/* Sectors ---------------------------------------------------------------------------------------- */

static void make_iv(const struct crypt_cipher *c, uint64_t sector, uint8_t iv[BLOCK_MAX])
{
    memset(iv, 0, BLOCK_MAX);
    if (c->ivgen == IV_PLAIN)
        put_le32(iv, (uint32_t)sector);
    else
        put_le64(iv, sector);
    if (c->ivgen == IV_ESSIV)
        c->essiv->encrypt(c->essiv_key, c->essiv->block_size, iv, iv);
}

static gnutls_cipher_hd_t handle_get(struct crypt_cipher *c, struct err *e)
{
    uint8_t zero[BLOCK_MAX] = {0};
    gnutls_datum_t key = {c->key, (unsigned)c->key_len}, iv = {zero, BLOCK_MAX};
    gnutls_cipher_hd_t h = NULL;
    int r;

    pthread_mutex_lock(&c->lock);
    if (c->idle_n)
        h = c->idle[--c->idle_n];
    pthread_mutex_unlock(&c->lock);
    if (!h && (r = gnutls_cipher_init(&h, (gnutls_cipher_algorithm_t)c->gnutls, &key, &iv)) < 0) {
        err_set(e, -EIO, "cipher %s: %s", c->alg->name, gnutls_strerror(r));
        return NULL;
    }
    return h;
}

static void handle_put(struct crypt_cipher *c, gnutls_cipher_hd_t h)
{
    pthread_mutex_lock(&c->lock);
    if (c->idle_n < HANDLES) {
        c->idle[c->idle_n++] = h;
        h = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    if (h)
        gnutls_cipher_deinit(h);
}

static int gnutls_run(struct crypt_cipher *c, bool encrypt, uint64_t sector, uint8_t *buf,
                      size_t len, struct err *e)
{
    gnutls_cipher_hd_t h = handle_get(c, e);
    uint8_t iv[BLOCK_MAX];
    int r = 0;

    if (!h)
        return e->code;
    for (size_t i = 0; i < len && r >= 0; i += SECTOR) {
        make_iv(c, sector++, iv);
        gnutls_cipher_set_iv(h, iv, c->alg->nettle->block_size);
        r = encrypt ? gnutls_cipher_encrypt2(h, buf + i, SECTOR, buf + i, SECTOR)
                    : gnutls_cipher_decrypt2(h, buf + i, SECTOR, buf + i, SECTOR);
    }
    handle_put(c, h);
    return r < 0 ? err_set(e, -EIO, "cipher %s: %s", c->alg->name, gnutls_strerror(r)) : 0;
}

static void nettle_run(const struct crypt_cipher *c, bool encrypt, uint64_t sector, uint8_t *p)
{
    const struct nettle_cipher *n = c->alg->nettle;
    uint8_t iv[BLOCK_MAX];

    make_iv(c, sector, iv);
    switch (c->mode) {
    case MODE_ECB:
        if (encrypt)
            n->encrypt(c->enc, SECTOR, p, p);
        else
            n->decrypt(c->dec, SECTOR, p, p);
        break;
    case MODE_CBC:
        if (encrypt)
            cbc_encrypt(c->enc, n->encrypt, n->block_size, iv, SECTOR, p, p);
        else
            cbc_decrypt(c->dec, n->decrypt, n->block_size, iv, SECTOR, p, p);
        break;
    case MODE_XTS:
        if (encrypt)
            xts_encrypt_message(c->enc, c->tweak, n->encrypt, iv, SECTOR, p, p);
        else
            xts_decrypt_message(c->dec, c->tweak, n->decrypt, n->encrypt, iv, SECTOR, p, p);
        break;
    case MODE_CTR: ctr_crypt(c->enc, n->encrypt, n->block_size, iv, SECTOR, p, p); break;
    }
}

int crypt_cipher_run(struct crypt_cipher *c, bool encrypt, uint64_t sector, void *buf, size_t len,
                     struct err *e)
{
    if (c->gnutls)
        return gnutls_run(c, encrypt, sector, buf, len, e);
    for (size_t i = 0; i < len; i += SECTOR)
        nettle_run(c, encrypt, sector++, (uint8_t *)buf + i);
    return 0;
}
