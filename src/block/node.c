/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening nodes: names to options, children, probing, and closing. */
#include "block/node.h"

#include "block/core.h"
#include "block/env_priv.h"

#include <inttypes.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { CHAIN_MAX = 500 }; /* layers of backing files: more is a mistake or an attack */
enum { PROBE_LEN = 2048 };

const struct field node_fields[] = {
    FIELD(node_opts, driver, F_STR, "driver", NULL, "format, protocol or filter"),
    FIELD(node_opts, node_name, F_STR, "node-name", NULL, "name of the node"),
    FIELD(node_opts, read_only, F_ONOFF, "read-only", NULL, "on: never write"),
    FIELD(node_opts, auto_read_only, F_ONOFF, "auto-read-only", NULL, "read only when it must be"),
    FIELD(node_opts, force_share, F_ONOFF, "force-share", NULL, "look while others write"),
    FIELD(node_opts, cache_direct, F_ONOFF, "cache.direct", NULL, "around the host's cache"),
    FIELD(node_opts, cache_no_flush, F_ONOFF, "cache.no-flush", NULL, "flushes do nothing"),
    FIELD(node_opts, cache_writeback, F_ONOFF, "cache.writeback", NULL, "off: flush each write"),
    FIELD(node_opts, discard, F_STR, "discard", NULL, "ignore or unmap"),
    FIELD(node_opts, detect_zeroes, F_STR, "detect-zeroes", NULL, "off, on or unmap"),
    FIELD(node_opts, copy_on_read, F_STR, "copy-on-read", NULL, "keep what is read from below"),
    FIELD_END,
};

/* struct opening - one blk_open on its way down: who asks, so that chains end. */
struct opening {
    struct blk_env *env;
    const struct opening *parent;
    const char *path; /* real path of the file that a backing chain came through */
    unsigned flags;
    int depth;
};

static struct blk *open_node(struct opening *o, const char *filename, struct json_object *opts,
                             struct err *e);

/* Names -------------------------------------------------------------------------------------- */

static const struct blk_driver *driver_by_prefix(const char *name, size_t len)
{
    for (const struct blk_driver *const *d = blk_drivers; *d; d++)
        for (const char *const *p = (*d)->prefixes; p && *p; p++)
            if (strlen(*p) == len && !strncmp(*p, name, len))
                return *d;
    return NULL;
}

/* The length of "nbd" in "nbd:..."; 0: a plain path.  A colon after a slash belongs to the path. */
static size_t prefix_length(const char *name)
{
    size_t len = strcspn(name, ":/");

    return name[len] == ':' ? len : 0;
}

char *blk_relative_name(const char *base, const char *name)
{
    const char *slash = base ? strrchr(base, '/') : NULL;
    char *full = NULL;

    if (!slash || name[0] == '/' || prefix_length(name) ||
        asprintf(&full, "%.*s%s", (int)(slash - base + 1), base, name) < 0)
        full = strdup(name);
    if (!full)
        fatal("out of memory");
    return full;
}

const char *blk_place(const struct blk *b)
{
    while (b->drv->kind != BLK_PROTOCOL && b->file)
        b = b->file;
    return b->filename;
}

static bool is_device(const char *path)
{
    struct stat st;

    return stat(path, &st) >= 0 && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode));
}

const struct blk_driver *blk_protocol_of(const char *filename, struct err *e)
{
    size_t len = prefix_length(filename);
    const struct blk_driver *drv =
        len ? driver_by_prefix(filename, len)
            : blk_driver_find(is_device(filename) ? "host_device" : "file");

    if (!drv)
        err_set(e, -ENOENT, "Unknown protocol '%.*s'", (int)len, filename);
    return drv;
}

static int name_to_file_options(const char *filename, struct json_object *opts, struct err *e)
{
    const struct blk_driver *drv = blk_protocol_of(filename, e);

    if (!drv)
        return e->code;
    json_object_object_add(opts, "driver", json_object_new_string(drv->name));
    if (drv->parse_name)
        return drv->parse_name(filename, opts, e);
    json_object_object_add(opts, "filename", json_object_new_string(filename));
    return 0;
}

/* "json:{...}": its members, under those that were given beside it. */
static int merge_json_name(const char *text, struct json_object *opts, struct err *e)
{
    struct json_object *o = json_parse(text, e);

    if (!o)
        return err_wrap(e, -EINVAL, "Could not parse the JSON options");
    if (json_object_get_type(o) != json_type_object) {
        json_object_put(o);
        return err_set(e, -EINVAL, "json: wants an object");
    }
    json_object_object_foreach(o, key, value)
    {
        if (strchr(key, '.')) {
            if (!keyval_get(opts, key))
                keyval_set(opts, key, json_object_get(value), ERR_IGNORE);
        } else if (!json_object_object_get_ex(opts, key, NULL)) {
            json_object_object_add(opts, key, json_object_get(value));
        }
    }
    json_object_put(o);
    return 0;
}

/* Generic options ----------------------------------------------------------------------------- */

static int apply_flag(unsigned *flags, unsigned flag, const char *text, bool inverted,
                      const char *name, struct err *e)
{
    bool on;

    if (!text)
        return 0;
    if (parse_bool(text, &on, ERR_IGNORE) < 0)
        return err_set(e, -EINVAL, "Parameter '%s' expects 'on' or 'off'", name);
    *flags = on != inverted ? *flags | flag : *flags & ~flag;
    return 0;
}

static int apply_words(unsigned *flags, const struct node_opts *n, struct err *e)
{
    if (n->discard) {
        if (!strcmp(n->discard, "unmap") || !strcmp(n->discard, "on"))
            *flags |= BLK_UNMAP;
        else if (!strcmp(n->discard, "ignore") || !strcmp(n->discard, "off"))
            *flags &= ~BLK_UNMAP;
        else
            return err_set(e, -EINVAL, "Invalid discard option '%s': want ignore or unmap",
                           n->discard);
    }
    if (!n->detect_zeroes || !strcmp(n->detect_zeroes, "off"))
        return 0;
    *flags |= BLK_DETECT_ZEROES;
    if (!strcmp(n->detect_zeroes, "unmap")) {
        *flags |= BLK_DETECT_UNMAP;
        if (!(*flags & BLK_UNMAP))
            return err_set(e, -EINVAL,
                           "setting detect-zeroes to unmap is not allowed without "
                           "setting discard operation to unmap");
    } else if (strcmp(n->detect_zeroes, "on")) {
        return err_set(e, -EINVAL, "Invalid detect-zeroes '%s': want off, on or unmap",
                       n->detect_zeroes);
    }
    return 0;
}

static int apply_node_opts(struct blk *b, const struct node_opts *n, struct err *e)
{
    unsigned *f = &b->flags;
    int r;

    if ((r = apply_flag(f, BLK_RDWR, n->read_only, true, "read-only", e)) < 0 ||
        (r = apply_flag(f, BLK_AUTO_READ_ONLY, n->auto_read_only, false, "auto-read-only", e)) <
            0 ||
        (r = apply_flag(f, BLK_SHARE, n->force_share, false, "force-share", e)) < 0 ||
        (r = apply_flag(f, BLK_DIRECT, n->cache_direct, false, "cache.direct", e)) < 0 ||
        (r = apply_flag(f, BLK_NO_FLUSH, n->cache_no_flush, false, "cache.no-flush", e)) < 0 ||
        (r = apply_flag(f, BLK_WRITE_THROUGH, n->cache_writeback, true, "cache.writeback", e)) <
            0 ||
        (r = apply_flag(f, BLK_COPY_ON_READ, n->copy_on_read, false, "copy-on-read", e)) < 0 ||
        (r = apply_words(f, n, e)) < 0)
        return r;
    if ((*f & BLK_SHARE) && (*f & BLK_RDWR))
        return err_set(e, -EINVAL, "force-share=on can only be used with read-only images");
    if (!n->node_name)
        return 0;
    if (blk_env_node(b->env, n->node_name))
        return err_set(e, -EEXIST, "Duplicate nodes with node-name='%s'", n->node_name);
    b->node_name = strdup(n->node_name);
    return 0;
}

/* A node's life -------------------------------------------------------------------------------- */

static struct blk *node_new(struct blk_env *env, const struct blk_driver *drv, unsigned flags)
{
    struct blk *b = calloc(1, sizeof(*b));

    if (!b || (drv->state_size && !(b->state = calloc(1, drv->state_size))))
        fatal("out of memory");
    b->drv = drv;
    b->env = env;
    b->flags = flags;
    b->align = 1;
    b->core = blk_core_new();
    return b;
}

/* Everything but the driver's close; children are closed. */
static int node_free(struct blk *b, struct err *e)
{
    int r = 0, r2;

    if (b->node_name)
        env_remove_node(b->env, b);
    if (b->backing)
        blk_close(b->backing, ERR_IGNORE);
    if (b->file && (r2 = blk_close(b->file, e)) < 0)
        r = r2;
    blk_core_free(b->core);
    json_object_put(b->options);
    free(b->node_name);
    free(b->filename);
    free(b->backing_file);
    free(b->backing_format);
    free(b->state);
    free(b);
    return r;
}

struct blk *blk_ref(struct blk *b)
{
    __atomic_add_fetch(&b->core->refs, 1, __ATOMIC_RELAXED);
    return b;
}

int blk_close(struct blk *b, struct err *e)
{
    int r, r2, r3 = 0;

    if (!b || __atomic_sub_fetch(&b->core->refs, 1, __ATOMIC_ACQ_REL))
        return 0;
    limbo_release(b);
    r = b->drv->map ? blk_flush(b, e) : 0;
    if (b->drv->close)
        r3 = b->drv->close(b, r < 0 ? ERR_IGNORE : e);
    r2 = node_free(b, r < 0 || r3 < 0 ? ERR_IGNORE : e);
    return r < 0 ? r : r3 < 0 ? r3 : r2;
}

/* Locks against other programs ------------------------------------------------------------------- */

/* @b is about to be used like this; drivers that are not formats hand it to what lies below. */
static int claim(struct blk *b, unsigned held, unsigned unshared, struct err *e)
{
    while (b && !b->drv->claim && !b->drv->map)
        b = b->file;
    return b && b->drv->claim ? b->drv->claim(b, held, unshared, e) : 0;
}

/* A format's files are its own: others may look, if that is all that we do. */
static int claim_for_format(struct blk *file, unsigned flags, struct err *e)
{
    unsigned held = flags & BLK_NO_IO ? 0 : BLK_PERM_READ;

    if (flags & BLK_SHARE)
        return claim(file, held, 0, e);
    if (flags & BLK_RDWR)
        held = BLK_PERM_READ | BLK_PERM_WRITE | BLK_PERM_RESIZE;
    return claim(file, held, BLK_PERM_WRITE | BLK_PERM_RESIZE, e);
}

/* Bytes that are not a format's: several may write them, if nobody says otherwise. */
static int claim_for_user(struct blk *b, unsigned flags, struct err *e)
{
    unsigned held = flags & BLK_NO_IO ? 0 : BLK_PERM_READ, unshared = 0;

    if (b->drv->map)
        return 0; /* has its files */
    if (flags & BLK_RDWR)
        held |= BLK_PERM_WRITE | (flags & BLK_RESIZE ? BLK_PERM_RESIZE : 0);
    if (flags & BLK_EXCLUSIVE)
        unshared = BLK_PERM_WRITE | BLK_PERM_RESIZE;
    return claim(b, held, unshared, e);
}

/* @b, or NULL when somebody else has it. */
static struct blk *claimed(struct blk *b, int r)
{
    if (!b || r >= 0)
        return b;
    blk_close(b, ERR_IGNORE);
    return NULL;
}

/* Children ------------------------------------------------------------------------------------- */

/* What "file" or another child option names: a node by name or a tree; *@tree NULL: not given. */
static struct blk *named_child(struct opening *o, struct json_object *opts, const char *name,
                               struct json_object **tree, struct err *e)
{
    struct json_object *v = NULL;
    struct blk *b = NULL;

    *tree = NULL;
    if (!json_object_object_get_ex(opts, name, &v))
        return NULL;
    json_object_get(v);
    json_object_object_del(opts, name);
    if (json_object_get_type(v) == json_type_object) {
        *tree = v;
        return NULL;
    }
    const char *node = json_object_get_string(v);

    if (json_object_get_type(v) == json_type_string && (b = blk_env_node(o->env, node)))
        blk_ref(b);
    else
        err_set(e, -ENODEV, "Cannot find device='' nor node-name='%s'", node ? node : "");
    json_object_put(v);
    return b;
}

static const char *child_option(const struct blk_driver *drv)
{
    return drv && drv->child ? drv->child : "file";
}

static struct blk *open_file_child(struct opening *o, const struct blk_driver *drv,
                                   const char *filename, struct json_object *opts, struct err *e)
{
    struct json_object *tree;
    const char *option = child_option(drv);
    struct blk *b = named_child(o, opts, option, &tree, e);

    if (b || e->code)
        return b;
    if (!tree) {
        if (!filename) {
            err_set(e, -EINVAL, "A block device must be specified for \"%s\"", option);
            return NULL;
        }
        tree = json_object_new_object();
        if (name_to_file_options(filename, tree, e) < 0) {
            json_object_put(tree);
            return NULL;
        }
    } else if (!json_object_object_get_ex(tree, "driver", NULL)) {
        const char *name = keyval_string(tree, "filename");

        if (name && prefix_length(name)) {
            char *copy = strdup(name);

            json_object_object_del(tree, "filename");
            int r = name_to_file_options(copy, tree, e);

            free(copy);
            if (r < 0) {
                json_object_put(tree);
                return NULL;
            }
        } else {
            json_object_object_add(tree, "driver", json_object_new_string("file"));
        }
    }
    unsigned flags =
        o->flags & ~(BLK_WRITE_THROUGH | BLK_DETECT_ZEROES | BLK_DETECT_UNMAP | BLK_COPY_ON_READ);
    struct opening below = {o->env, o, o->path, flags, o->depth};

    return open_node(&below, NULL, tree, e);
}

struct blk *blk_open_child(struct blk *b, struct json_object *opts, const char *name,
                           const char *filename, const char *driver, unsigned flags, struct err *e)
{
    struct opening o = {.env = b->env, .flags = flags};
    struct json_object *tree;
    struct blk *child = named_child(&o, opts, name, &tree, e);

    if (child || e->code)
        return child;
    if (!tree && !filename) {
        err_set(e, -EINVAL, "'%s' is required for this image", name);
        return NULL;
    }
    char *full = tree ? NULL : blk_relative_name(blk_place(b), filename);

    if (!tree)
        tree = json_object_new_object();
    if (driver && !json_object_object_get_ex(tree, "driver", NULL)) {
        if (!strcmp(driver, "file") && full) {
            if (name_to_file_options(full, tree, e) < 0) {
                json_object_put(tree);
                free(full);
                return NULL;
            }
            free(full);
            full = NULL;
        } else {
            json_object_object_add(tree, "driver", json_object_new_string(driver));
        }
    }
    child = open_node(&o, full, tree, e);
    free(full);
    return claimed(child, child ? claim_for_format(child, b->flags, e) : 0);
}

/* Does a chain that came through the files of @o come back to @path? */
static bool comes_back(const struct opening *o, const char *path)
{
    for (; o; o = o->parent)
        if (o->path && path && !strcmp(o->path, path))
            return true;
    return false;
}

static struct blk *open_named_backing(struct opening *o, struct blk *b, struct json_object *tree,
                                      struct err *e)
{
    const char *base = blk_place(b);
    char *own_path = base ? realpath(base, NULL) : NULL;
    char *name = json_object_object_get_ex(tree, "file", NULL) ||
                         json_object_object_get_ex(tree, "filename", NULL)
                     ? NULL
                 : b->backing_file ? blk_relative_name(base, b->backing_file)
                                   : NULL;
    char *path = name ? realpath(name, NULL) : NULL;
    struct opening below = {.env = o->env, .parent = o, .path = own_path, .depth = o->depth + 1};
    struct blk *backing = NULL;

    below.flags = (o->flags & (BLK_SHARE | BLK_NO_IO | BLK_DIRECT | BLK_NO_FLUSH | BLK_IO_URING |
                               BLK_NATIVE_AIO)) |
                  BLK_PROBE_RAW_OK;
    if (b->backing_format && *b->backing_format && !json_object_object_get_ex(tree, "driver", NULL))
        json_object_object_add(tree, "driver", json_object_new_string(b->backing_format));
    if (below.depth > CHAIN_MAX)
        err_set(e, -ELOOP, "more than %d backing files", CHAIN_MAX);
    else if (path && comes_back(&below, path))
        err_set(e, -ELOOP, "Backing file '%s' creates an infinite loop.", b->backing_file);
    else
        backing = open_node(&below, name, json_object_get(tree), e);
    free(own_path);
    free(name);
    free(path);
    return claimed(backing, backing ? claim_for_user(backing, below.flags, e) : 0);
}

static int open_backing(struct opening *o, struct blk *b, struct json_object *opts, struct err *e)
{
    struct json_object *v = NULL, *tree = NULL;

    if (!b->drv->backing)
        return 0;
    bool given = json_object_object_get_ex(opts, "backing", &v);

    if (given &&
        (!v || (json_object_get_type(v) == json_type_string && !*json_object_get_string(v)))) {
        json_object_object_del(opts, "backing"); /* null: none, whatever the image says */
        free(b->backing_file);
        b->backing_file = NULL;
        return 0;
    }
    if (o->flags & BLK_NO_BACKING) {
        json_object_object_del(opts, "backing");
        return 0;
    }
    b->backing = named_child(o, opts, "backing", &tree, e);
    if (b->backing || e->code)
        return e->code;
    if (!tree && (!b->backing_file || !*b->backing_file))
        return 0;
    if (!tree)
        tree = json_object_new_object();
    b->backing = open_named_backing(o, b, tree, e);
    json_object_put(tree);
    return b->backing ? 0 : err_wrap(e, e->code, "Could not open backing file");
}

/* Opening ---------------------------------------------------------------------------------------- */

static const struct blk_driver *probe_file(struct opening *o, struct blk *file, bool *guessed,
                                           struct err *e)
{
    uint8_t head[PROBE_LEN] = {0};
    uint64_t len = min_u64(sizeof(head), blk_size(file));
    struct iovec iov = {head, sizeof(head)};

    if (node_readv(file, 0, sizeof(head), &iov, 1, e) < 0) {
        err_wrap(e, e->code, "Could not read image for determining its format");
        return NULL;
    }
    const struct blk_driver *drv =
        blk_driver_probe(head, len, file->filename ? file->filename : "");

    *guessed = !strcmp(drv->name, "raw");
    return drv;
}

static int refuse_options(struct blk *b, struct json_object *opts, struct err *e)
{
    struct err which = {0};
    char *name;

    fields_refuse_rest(opts, &which);
    name = strchr(which.msg, '\'');
    return err_set(e, -EINVAL, "Block %s '%s' does not support the option %s",
                   b->drv->kind == BLK_PROTOCOL ? "protocol" : "format", b->drv->name,
                   name ? name : which.msg);
}

/* The last words of opening: what nobody took is refused, the name is known. */
static int node_complete(struct opening *o, struct blk *b, const char *filename,
                         struct json_object *opts, struct err *e)
{
    int r = open_backing(o, b, opts, e);

    if (r < 0)
        return r;
    if (json_object_object_length(opts))
        return refuse_options(b, opts, e);
    if (b->probed_raw && (b->flags & BLK_RDWR) && !(o->flags & BLK_PROBE_RAW_OK))
        blk_env_warn(o->env,
                     "WARNING: Image format was not specified for '%s' and probing guessed raw.\n"
                     "         Automatically detecting the format is dangerous for raw images, "
                     "write operations on block 0 will be restricted.\n"
                     "         Specify the 'raw' format explicitly to remove the restrictions.",
                     blk_filename(b));
    if (b->node_name)
        env_add_node(o->env, b);
    return 0;
}

/* Does the option @key say only how @b is used, not which bytes it has? */
static bool only_how(const struct blk *b, const char *key)
{
    const char *const *at = b->drv->how;

    for (; at && *at; at++) {
        size_t len = strlen(*at);

        if (!strncmp(key, *at, len) && (!key[len] || key[len] == '.'))
            return true;
    }
    return !strcmp(key, child_option(b->drv)) || !strcmp(key, "backing") ||
           field_find(node_fields, key);
}

/* Add @value to @o as @key, the members of objects as "key.member", as the reference writes them, if they say which bytes
   @b has. */
static void add_flat(const struct blk *b, struct json_object *o, const char *key,
                     struct json_object *value)
{
    char *longer;

    if (only_how(b, key))
        return;
    if (!json_object_is_type(value, json_type_object)) {
        json_object_object_add(o, key, json_object_get(value));
        return;
    }
    json_object_object_foreach(value, name, member)
    {
        if (asprintf(&longer, "%s.%s", key, name) < 0)
            fatal("out of memory");
        add_flat(b, o, longer, member);
        free(longer);
    }
}

/* Add the options of @b alone that say which bytes it has to @o. */
static struct json_object *add_own(const struct blk *b, struct json_object *o)
{
    if (b->options) {
        json_object_object_foreach(b->options, key, value) add_flat(b, o, key, value);
    }
    return o;
}

/* Do the options of @b say no more than which format lies on which file?  Then the file's name says all. */
static bool plain(const struct blk *b)
{
    struct json_object *o = add_own(b, json_object_new_object());
    bool none = b->drv->kind != BLK_FILTER && !json_object_object_length(o) && !json_object_object_get(b->options, "backing");

    json_object_put(o);
    return none;
}

static struct blk *open_with(struct opening *o, const struct blk_driver *drv, struct blk *file,
                             const char *filename, struct json_object *opts, bool guessed,
                             struct err *e)
{
    struct blk *b = node_new(o->env, drv, o->flags);
    struct json_object *kept = NULL;
    struct node_opts n = {0};
    int r;

    b->file = file;
    json_object_deep_copy(opts, &kept, NULL);
    b->options = kept;
    b->probed_raw = guessed;
    r = fields_take(node_fields, opts, &n, e);
    if (r >= 0)
        r = apply_node_opts(b, &n, e);
    fields_free(node_fields, &n);
    if (r < 0)
        goto fail;
    o->flags = b->flags;
    if (drv->map && (r = claim_for_format(file, b->flags, e)) < 0)
        goto fail;
    if ((r = drv->open(b, opts, e)) < 0)
        goto fail;
    if (!b->filename && drv->make_name)
        b->filename = drv->make_name(b);
    if (!b->filename && b->file && b->file->filename && (filename || plain(b)))
        b->filename = strdup(b->file->filename);
    if (node_complete(o, b, filename, opts, e) >= 0)
        return b;
    blk_close(b, ERR_IGNORE);
    return NULL;
fail:
    free(b->node_name); /* never listed */
    b->node_name = NULL;
    node_free(b, ERR_IGNORE);
    return NULL;
}

static struct blk *open_node(struct opening *o, const char *filename, struct json_object *opts,
                             struct err *e)
{
    const struct blk_driver *drv = NULL;
    struct blk *file = NULL, *b = NULL;
    bool guessed = false;

    if (filename && !strncmp(filename, "json:", 5)) {
        if (merge_json_name(filename + 5, opts, e) < 0)
            goto out;
        filename = NULL;
    }
    const char *name = keyval_string(opts, "driver");

    if (name && !(drv = blk_driver_find(name))) {
        err_set(e, -EINVAL, "Unknown driver '%s'", name);
        goto out;
    }
    if (drv && drv->kind == BLK_PROTOCOL) {
        if (filename && name_to_file_options(filename, opts, e) < 0)
            goto out;
        b = open_with(o, drv, NULL, filename, opts, false, e);
        goto out;
    }
    if (!drv || !drv->no_file) {
        if (!(file = open_file_child(o, drv, filename, opts, e)))
            goto out;
        if (!(file->flags & BLK_RDWR))
            o->flags &= ~BLK_RDWR; /* auto-read-only below */
    } else if (filename) {
        keyval_set(opts, "filename", json_object_new_string(filename), ERR_IGNORE);
    }
    if (!drv && !(drv = probe_file(o, file, &guessed, e))) {
        blk_close(file, ERR_IGNORE);
        goto out;
    }
    b = open_with(o, drv, file, filename, opts, guessed, e);
out:
    json_object_put(opts);
    return b;
}

struct blk *blk_open(struct blk_env *env, const char *filename, struct json_object *opts,
                     unsigned flags, struct err *e)
{
    struct opening o = {.env = env, .flags = flags};
    struct blk *b = open_node(&o, filename, opts ? opts : json_object_new_object(), e);

    return claimed(b, b ? claim_for_user(b, b->flags, e) : 0);
}

struct blk *blk_open_on(struct blk *file, const char *driver, struct json_object *opts,
                        unsigned flags, struct err *e)
{
    struct opening o = {.env = file->env, .flags = flags | BLK_NO_BACKING};
    const struct blk_driver *drv = blk_driver_find(driver);
    struct blk *b;

    if (!opts)
        opts = json_object_new_object();
    b = open_with(&o, drv, file, file->filename, opts, false, e);
    json_object_put(opts);
    return b;
}

/* Asking ------------------------------------------------------------------------------------------ */

uint64_t blk_size(const struct blk *b)
{
    return blk_size_now(b);
}

const char *blk_driver_name(const struct blk *b)
{
    return b->drv->name;
}

unsigned blk_flags(const struct blk *b)
{
    return b->flags;
}

struct blk *blk_backing(const struct blk *b)
{
    return b->backing;
}

struct blk *blk_file(const struct blk *b)
{
    return b->file;
}

/* The options of @b with those of the children that say where its bytes are. */
static struct json_object *full_options(const struct blk *b)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "driver", json_object_new_string(b->drv->name));
    add_own(b, o);
    if (b->file)
        json_object_object_add(o, child_option(b->drv), full_options(b->file));
    return o;
}

const char *blk_filename(const struct blk *b)
{
    struct blk *m = (struct blk *)b; /* made on first use, then kept */

    if (!m->filename) {
        struct json_object *o = full_options(b);
        char *text = json_print(o, true);

        if (asprintf(&m->filename, "json:%s", text) < 0)
            fatal("out of memory");
        free(text);
        json_object_put(o);
    }
    return b->filename;
}

void *blk_alloc_foreign(uint64_t size, uint64_t max, const char *what, struct err *e)
{
    void *p;

    if (size > max) {
        err_set(e, -EFBIG, "%s of %" PRIu64 " bytes: limit is %" PRIu64, what, size, max);
        return NULL;
    }
    if (!(p = calloc(1, size ? size : 1)))
        err_set(e, -ENOMEM, "out of memory for %s of %" PRIu64 " bytes", what, size);
    return p;
}
