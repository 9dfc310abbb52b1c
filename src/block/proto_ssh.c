/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=ssh: a file of another machine, through SFTP (draft-ietf-secsh-filexfer-02) with libssh.
 * Names: ssh://[USER@]HOST[:PORT]/PATH[?host_key_check=MODE].  One session serves one request at a time;
 * a long read asks for its pieces at once.
 */
#include "block/lazy_ssh.h"
#include "block/driver.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    PIECE = 32 << 10,
    PIECES = 32,
    TIMEOUT = 20
}; /* PIECE: what every server must take at once */
static const char *const modes[] = {"none", "hash", "known_hosts", NULL};
enum check_mode { CHECK_NONE, CHECK_HASH, CHECK_KNOWN_HOSTS };
static const char *const hash_types[] = {"md5", "sha1", "sha256", NULL};

struct ssh_opts {
    char *host, *port, *server_host, *server_port, *server_type, *path, *user;
    char *old_check; /* "no", "yes", "md5:...", "sha1:...", "sha256:..." */
    int mode, type;
    char *hash;
};

struct ssh {
    struct ssh_opts o;
    const char *host, *port; /* of @o */
    pthread_mutex_t lock;    /* libssh's session has none */
    ssh_session session;
    sftp_session sftp;
    sftp_file file;
    char *user; /* as whom we are there */
};

static const struct field ssh_fields[] = {
    FIELD(ssh_opts, host, F_STR, "host", NULL, "host to connect to"),
    FIELD(ssh_opts, port, F_STR, "port", NULL, "port to connect to (22)"),
    FIELD(ssh_opts, server_host, F_STR, "server.host", NULL, "the same as host"),
    FIELD(ssh_opts, server_port, F_STR, "server.port", NULL, "the same as port"),
    FIELD(ssh_opts, server_type, F_STR, "server.type", NULL, "inet"),
    FIELD(ssh_opts, path, F_STR, "path", NULL, "path of the file there"),
    FIELD(ssh_opts, user, F_STR, "user", NULL, "user to be there"),
    FIELD(ssh_opts, old_check, F_STR, "host_key_check", NULL,
          "yes, no, or md5:, sha1:, sha256: and a fingerprint"),
    FIELD_ENUM(ssh_opts, mode, modes, "host-key-check.mode", "known_hosts",
               "how the host's key is checked"),
    FIELD_ENUM(ssh_opts, type, hash_types, "host-key-check.type", "md5", "hash of a fingerprint"),
    FIELD(ssh_opts, hash, F_STR, "host-key-check.hash", NULL, "the fingerprint"),
    FIELD_END,
};

/* Names ------------------------------------------------------------------------------------------ */

static void set(struct json_object *opts, const char *key, const char *value, size_t len)
{
    json_object_object_add(opts, key, json_object_new_string_len(value, (int)len));
}

static int ssh_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    const char *at, *slash, *user, *colon, *query;

    if (strncmp(name, "ssh://", 6))
        return err_set(e, -EINVAL, "URI scheme must be 'ssh'");
    at = name + 6;
    slash = at + strcspn(at, "/?");
    if ((user = memchr(at, '@', (size_t)(slash - at)))) {
        set(opts, "user", at, (size_t)(user - at));
        at = user + 1;
    }
    colon = slash;
    for (const char *p = at; p < slash && *at != '['; p++)
        if (*p == ':')
            colon = p;
    if (*at == '[') { /* [::1]:22 */
        const char *close = memchr(at, ']', (size_t)(slash - at));

        if (!close)
            return err_set(e, -EINVAL, "unbalanced [ in URI");
        set(opts, "host", at + 1, (size_t)(close - at - 1));
        colon = close + 1;
    } else {
        if (colon == at)
            return err_set(e, -EINVAL, "missing hostname in URI");
        set(opts, "host", at, (size_t)(colon - at));
    }
    if (colon < slash && slash - colon > 1)
        set(opts, "port", colon + 1, (size_t)(slash - colon - 1));
    query = strchr(slash, '?');
    if (*slash != '/' || slash + 1 == (query ? query : slash + strlen(slash)))
        return err_set(e, -EINVAL, "missing remote path in URI");
    set(opts, "path", slash, query ? (size_t)(query - slash) : strlen(slash));
    if (query && !strncmp(query, "?host_key_check=", 16))
        set(opts, "host_key_check", query + 16, strlen(query + 16));
    return 0;
}

static char *ssh_make_name(struct blk *b)
{
    const struct ssh *s = b->state;
    const char *check = s->o.old_check;
    char *name = NULL;

    if (asprintf(&name, "ssh://%s@%s:%s%s%s%s", s->user, s->host, s->port, s->o.path,
                 check ? "?host_key_check=" : "", check ? check : "") < 0)
        return NULL;
    return name;
}

/* Session ---------------------------------------------------------------------------------------- */

static int session_fail(const struct ssh *s, int code, const char *what, struct err *e)
{
    return err_set(e, code, "%s: %s", what, ssh_get_error(s->session));
}

static int sftp_fail(const struct ssh *s, const char *what, struct err *e)
{
    switch (sftp_get_error(s->sftp)) {
    case SSH_FX_NO_SUCH_FILE:
    case SSH_FX_NO_SUCH_PATH: return err_set(e, -ENOENT, "%s: %s", what, strerror(ENOENT));
    case SSH_FX_PERMISSION_DENIED: return err_set(e, -EACCES, "%s: %s", what, strerror(EACCES));
    case SSH_FX_WRITE_PROTECT: return err_set(e, -EROFS, "%s: %s", what, strerror(EROFS));
    }
    return err_set(e, -EIO, "%s: %s (sftp error code: %d)", what, ssh_get_error(s->session),
                   sftp_get_error(s->sftp));
}

/* "yes" and its like become mode, type and hash. */
static int read_old_check(struct ssh_opts *o, struct err *e)
{
    if (!o->old_check)
        return 0;
    if (!strcmp(o->old_check, "no") || !strcmp(o->old_check, "yes")) {
        o->mode = o->old_check[0] == 'y' ? CHECK_KNOWN_HOSTS : CHECK_NONE;
        return 0;
    }
    for (int i = 0; hash_types[i]; i++) {
        size_t n = strlen(hash_types[i]);

        if (strncmp(o->old_check, hash_types[i], n) || o->old_check[n] != ':')
            continue;
        o->mode = CHECK_HASH;
        o->type = i;
        o->hash = strdup(o->old_check + n + 1);
        return o->hash ? 0 : err_set(e, -ENOMEM, "out of memory");
    }
    return err_set(e, -EINVAL, "unknown host_key_check setting (%s)", o->old_check);
}

/* "does not match", with what the host's is, so that the user can compare by other means. */
static int wrong_hash(const struct ssh *s, const char *type, const unsigned char *hash, size_t len,
                      struct err *e)
{
    char hex[2 * 64 + 1] = "";

    for (size_t i = 0; i < len && i < 64; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    return err_set(e, -EPERM,
                   "remote host %s key fingerprint '%s:%s' does not match host_key_check '%s:%s'",
                   type, hash_types[s->o.type], hex, hash_types[s->o.type], s->o.hash);
}

/* Fingerprints may have colons between bytes. */
static bool same_fingerprint(const char *text, const unsigned char *hash, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char hex[3];

        if (*text == ':')
            text++;
        snprintf(hex, sizeof(hex), "%02x", hash[i]);
        if (strncasecmp(text, hex, 2))
            return false;
        text += 2;
    }
    return !*text;
}

static int check_hash(const struct ssh *s, struct err *e)
{
    static const enum ssh_publickey_hash_type types[] = {
        SSH_PUBLICKEY_HASH_MD5, SSH_PUBLICKEY_HASH_SHA1, SSH_PUBLICKEY_HASH_SHA256};
    unsigned char *hash = NULL;
    ssh_key key = NULL;
    size_t len;
    int r;

    if (!s->o.hash)
        return err_set(e, -EINVAL, "Parameter 'hash' is missing");
    if (ssh_get_server_publickey(s->session, &key) != SSH_OK)
        return session_fail(s, -EINVAL, "failed to read remote host key", e);
    if (ssh_get_publickey_hash(key, types[s->o.type], &hash, &len))
        r = session_fail(s, -EINVAL, "failed to hash the remote host key", e);
    else if (same_fingerprint(s->o.hash, hash, len))
        r = 0;
    else
        r = wrong_hash(s, ssh_key_type_to_char(ssh_key_type(key)), hash, len, e);
    ssh_clean_pubkey_hash(&hash);
    ssh_key_free(key);
    return r;
}

static int check_known_hosts(const struct ssh *s, struct err *e)
{
    switch (ssh_session_is_known_server(s->session)) {
    case SSH_KNOWN_HOSTS_OK: return 0;
    case SSH_KNOWN_HOSTS_CHANGED:
        return err_set(e, -EPERM,
                       "host key does not match the one in known_hosts; this may be an attack");
    case SSH_KNOWN_HOSTS_OTHER:
        return err_set(e, -EPERM, "host key for this server not found, another type exists");
    case SSH_KNOWN_HOSTS_UNKNOWN:
        return err_set(e, -EINVAL, "no host key was found in known_hosts");
    case SSH_KNOWN_HOSTS_NOT_FOUND: return err_set(e, -ENOENT, "known_hosts file not found");
    case SSH_KNOWN_HOSTS_ERROR: break;
    }
    return session_fail(s, -EINVAL, "error while checking for known server", e);
}

static int log_in(struct ssh *s, struct err *e)
{
    int r = ssh_userauth_none(s->session, NULL);

    if (r == SSH_AUTH_SUCCESS)
        return 0;
    if (r == SSH_AUTH_ERROR)
        return session_fail(s, -EPERM, "failed to authenticate using none authentication", e);
    r = ssh_userauth_publickey_auto(s->session, NULL, NULL);
    return r == SSH_AUTH_SUCCESS
               ? 0
               : err_set(e, -EPERM,
                         "failed to authenticate using publickey authentication and "
                         "the identities held by your ssh-agent");
}

static int connect_session(struct ssh *s, struct err *e)
{
    long timeout = TIMEOUT;
    int r;

    if (lazy_ssh_load(e) < 0)
        return e->code;
    if (!(s->session = ssh_new()))
        fatal("out of memory");
    if (ssh_options_set(s->session, SSH_OPTIONS_HOST, s->host) ||
        ssh_options_set(s->session, SSH_OPTIONS_PORT_STR, s->port) ||
        (s->o.user && ssh_options_set(s->session, SSH_OPTIONS_USER, s->o.user)) ||
        ssh_options_set(s->session, SSH_OPTIONS_TIMEOUT, &timeout))
        return session_fail(s, -EINVAL, "failed to set up the session", e);
    ssh_options_parse_config(s->session, NULL);
    if (ssh_connect(s->session) != SSH_OK)
        return err_set(e, -ECONNREFUSED, "Failed to connect to '%s:%s': %s", s->host, s->port,
                       ssh_get_error(s->session));
    ssh_options_get(s->session, SSH_OPTIONS_USER, &s->user); /* known now: ours, by default */
    r = s->o.mode == CHECK_KNOWN_HOSTS ? check_known_hosts(s, e)
        : s->o.mode == CHECK_HASH      ? check_hash(s, e)
                                       : 0;
    if (r < 0 || (r = log_in(s, e)) < 0)
        return r;
    if (!(s->sftp = sftp_new(s->session)) || sftp_init(s->sftp) < 0)
        return session_fail(s, -EIO, "failed to initialize sftp", e);
    return 0;
}

static void disconnect(struct ssh *s)
{
    if (s->file)
        sftp_close(s->file);
    if (s->sftp)
        sftp_free(s->sftp);
    if (s->session) {
        ssh_disconnect(s->session);
        ssh_free(s->session);
        ssh_string_free_char(s->user);
    }
    fields_free(ssh_fields, &s->o);
}

static int take_options(struct ssh *s, struct json_object *opts, struct err *e)
{
    struct ssh_opts *o = &s->o;
    int r = fields_take(ssh_fields, opts, o, e);

    if (r < 0)
        return r;
    s->host = o->host ? o->host : o->server_host;
    s->port = o->port ? o->port : o->server_port ? o->server_port : o->host ? "22" : NULL;
    if (!s->host)
        return err_set(e, -EINVAL, "Parameter 'server' is missing");
    if (!s->port)
        return err_set(e, -EINVAL, "Parameter 'server.port' is missing");
    if (!o->path)
        return err_set(e, -EINVAL, "Parameter 'path' is missing");
    return read_old_check(o, e);
}

static int open_file(struct ssh *s, int flags, struct err *e)
{
    char what[512];

    s->file = sftp_open(s->sftp, s->o.path, flags, 0644);
    if (s->file)
        return 0;
    snprintf(what, sizeof(what), "failed to open remote file '%s'", s->o.path);
    return sftp_fail(s, what, e);
}

static int ssh_node_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct ssh *s = b->state;
    sftp_attributes attr;
    int r;

    json_object_object_del(opts, "filename");
    if ((r = take_options(s, opts, e)) >= 0 && (r = connect_session(s, e)) >= 0) {
        r = open_file(s, b->flags & BLK_RDWR ? O_RDWR : O_RDONLY, e);
        if (r == -EACCES && (b->flags & BLK_RDWR) && (b->flags & BLK_AUTO_READ_ONLY)) {
            b->flags &= ~(unsigned)BLK_RDWR;
            e->code = 0;
            r = open_file(s, O_RDONLY, e);
        }
    }
    if (r >= 0) {
        if ((attr = sftp_fstat(s->file))) {
            b->size = attr->size;
            sftp_attributes_free(attr);
        } else {
            r = sftp_fail(s, "failed to read file attributes", e);
        }
    }
    if (r < 0) {
        disconnect(s);
        return r;
    }
    pthread_mutex_init(&s->lock, NULL);
    return 0;
}

static int ssh_node_close(struct blk *b, struct err *e)
{
    struct ssh *s = b->state;

    (void)e;
    disconnect(s);
    pthread_mutex_destroy(&s->lock);
    return 0;
}

/* Requests --------------------------------------------------------------------------------------- */

/* Up to PIECES pieces are asked for before the first is awaited; short answers are asked for again. */
static int read_pieces(struct ssh *s, uint64_t off, uint64_t len, char *to, struct err *e)
{
    while (len) {
        uint32_t id[PIECES], size[PIECES];
        uint64_t asked = 0, got = 0;
        bool cut = false;
        int n = 0;

        if (sftp_seek64(s->file, off) < 0)
            return sftp_fail(s, "seek failed", e);
        for (; n < PIECES && asked < len; n++) {
            size[n] = (uint32_t)min_u64(PIECE, len - asked);
            int r = sftp_async_read_begin(s->file, size[n]);

            if (r < 0)
                return sftp_fail(s, "read failed", e);
            id[n] = (uint32_t)r;
            asked += size[n];
        }
        for (int i = 0, r; i < n; i++) {
            char scrap[PIECE];

            do
                r = sftp_async_read(s->file, cut ? scrap : to + got, size[i], id[i]);
            while (r == SSH_AGAIN);
            if (r < 0)
                return sftp_fail(s, "read failed", e);
            if (!cut)
                got += (uint64_t)r;
            cut |= (uint32_t)r < size[i];
        }
        if (!got) { /* beyond the end: it has become shorter */
            memset(to, 0, len);
            return 0;
        }
        to += got;
        off += got;
        len -= got;
    }
    return 0;
}

static int ssh_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    struct ssh *s = b->state;
    int r = 0;

    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < n && r >= 0; off += iov[i++].iov_len)
        r = read_pieces(s, off, iov[i].iov_len, iov[i].iov_base, e);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int write_all(struct ssh *s, uint64_t off, const char *from, uint64_t len, struct err *e)
{
    if (sftp_seek64(s->file, off) < 0)
        return sftp_fail(s, "seek failed", e);
    while (len) {
        ssize_t r = sftp_write(s->file, from, min_u64(len, PIECE));

        if (r <= 0)
            return sftp_fail(s, "write failed", e);
        from += r;
        len -= (uint64_t)r;
    }
    return 0;
}

static int ssh_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                      struct err *e)
{
    struct ssh *s = b->state;
    int r = 0;

    (void)req;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < n && r >= 0; off += iov[i++].iov_len)
        r = write_all(s, off, iov[i].iov_base, iov[i].iov_len, e);
    if (r >= 0 && off > b->size)
        __atomic_store_n(&b->size, off, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int ssh_flush(struct blk *b, struct err *e)
{
    struct ssh *s = b->state;
    int r = 0;

    pthread_mutex_lock(&s->lock);
    if (sftp_extension_supported(s->sftp, "fsync@openssh.com", "1") && sftp_fsync(s->file) < 0)
        r = sftp_fail(s, "fsync failed", e);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int set_size(struct ssh *s, uint64_t size, struct err *e)
{
    struct sftp_attributes_struct attr = {.flags = SSH_FILEXFER_ATTR_SIZE, .size = size};

    return sftp_setstat(s->sftp, s->o.path, &attr) < 0 ? sftp_fail(s, "failed to resize file", e)
                                                       : 0;
}

static int ssh_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                        struct err *e)
{
    struct ssh *s = b->state;
    int r;

    (void)req;
    if (prealloc != BLK_PREALLOC_OFF)
        return err_set(e, -ENOTSUP, "Unsupported preallocation mode '%s'",
                       blk_prealloc_names[prealloc]);
    pthread_mutex_lock(&s->lock);
    if ((r = set_size(s, size, e)) >= 0)
        __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int64_t ssh_disk_size(struct blk *b)
{
    (void)b;
    return -ENOTSUP;
}

/* Making ----------------------------------------------------------------------------------------- */

struct ssh_create {
    uint64_t size;
};

static const struct field ssh_create_fields[] = {
    FIELD(ssh_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD_END,
};

static int ssh_create(struct blk_env *env, const char *filename, void *o,
                      struct json_object *protocol, struct err *e)
{
    struct json_object *opts = json_object_new_object();
    struct ssh s = {.session = NULL};
    int r;

    (void)env;
    (void)protocol;
    if ((r = ssh_parse_name(filename, opts, e)) >= 0 && (r = take_options(&s, opts, e)) >= 0 &&
        (r = connect_session(&s, e)) >= 0 &&
        (r = open_file(&s, O_RDWR | O_CREAT | O_TRUNC, e)) >= 0)
        r = set_size(&s, ((struct ssh_create *)o)->size, e);
    disconnect(&s);
    json_object_put(opts);
    return r;
}

static const struct blk_io_ops ssh_io = {
    .readv = ssh_readv,
    .writev = ssh_writev,
    .disk_size = ssh_disk_size,
};

static const struct blk_create_ops ssh_create_ops = {
    .opts = ssh_create_fields,
    .opts_size = sizeof(struct ssh_create),
    .create = ssh_create,
};

static const char *const ssh_prefixes[] = {"ssh", NULL};

const struct blk_driver proto_ssh = {
    .name = "ssh",
    .help = "a file of another machine, through SFTP",
    .kind = BLK_PROTOCOL,
    .no_info = true,
    .state_size = sizeof(struct ssh),
    .open_opts = ssh_fields,
    .prefixes = ssh_prefixes,
    .parse_name = ssh_parse_name,
    .make_name = ssh_make_name,
    .open = ssh_node_open,
    .close = ssh_node_close,
    .flush = ssh_flush,
    .truncate = ssh_truncate,
    .io = &ssh_io,
    .create = &ssh_create_ops,
};
