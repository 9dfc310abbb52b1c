/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -object: back ends of guest memory and randomness, and what images and connections ask for (block/env.h). */
#include "app/system/objects.h"

#include "base/nearest.h"
#include "base/size_text.h"
#include "dev/iothread.h"
#include "dev/virtio/rng.h"
#include "schema/keyval.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct object {
    char *id, *path; /* filename, mem-path */
    uint64_t size;
    char *share, *prealloc;
    struct iothread_options io;
};

/* What is said of an object and changes nothing here is taken, too. */
static const struct field memory_fields[] = {
    FIELD(object, path, F_STR, "mem-path", NULL, "file or folder"),
    FIELD(object, size, F_SIZE, "size", NULL, "bytes"),
    FIELD(object, share, F_STR, "share", NULL, "others see what is written"),
    FIELD(object, prealloc, F_STR, "prealloc", NULL, "touch it all at the start"),
    FIELD_END,
};
static const struct field rng_fields[] = {
    FIELD(object, path, F_STR, "filename", "/dev/urandom", "device that random bytes come from"),
    FIELD_END,
};
static const struct field no_fields[] = {
    FIELD_END,
};
#define NUMBER(member, name, def, help) FIELD(object, io.member, F_U64, name, def, help)
static const struct field iothread_fields[] = {
    NUMBER(aio_max_batch, "aio-max-batch", NULL, "kept and shown, not used: requests are passed on one by one"),
    NUMBER(poll_grow, "poll-grow", NULL, "kept and shown, not used"),
    NUMBER(poll_max_ns, "poll-max-ns", "32768", "kept and shown, not used: the thread sleeps, it does not poll"),
    NUMBER(poll_shrink, "poll-shrink", NULL, "kept and shown, not used"),
    NUMBER(thread_pool_max, "thread-pool-max", "64", "kept, not used: the thread serves requests itself"),
    NUMBER(thread_pool_min, "thread-pool-min", NULL, "kept, not used"),
    FIELD_END,
};
static const char *const memory_idle[] = {"dump",     "merge", "reserve", "host-nodes", "policy",
                                          "prealloc-threads", "discard-data", "seal", "align", NULL};

static int on(const char *key, const char *text, bool *v, struct err *e)
{
    *v = false;
    return text && parse_bool(text, v, e) < 0
               ? err_set(e, -EINVAL, "Parameter '%s' expects 'on' or 'off'", key)
               : 0;
}

static int memory_file(const struct object *o, struct err *e)
{
    struct stat st;
    char path[4096];
    int fd;

    if (!o->path)
        return err_set(e, -EINVAL, "can't create backend with size 0: mem-path is missing");
    if (stat(o->path, &st) == 0 && S_ISDIR(st.st_mode)) {
        snprintf(path, sizeof(path), "%s/emu-ram-XXXXXX", o->path);
        if ((fd = mkostemp(path, O_CLOEXEC)) >= 0)
            unlink(path);
    } else {
        fd = open(o->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    }
    if (fd < 0)
        return err_set(e, -errno, "can't open backing store %s for guest RAM: %s", o->path,
                       strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size < o->size &&
        ftruncate(fd, (off_t)o->size) < 0) {
        err_set(e, -errno, "can't make '%s' %" PRIu64 " bytes long: %s", o->path, o->size,
                strerror(errno));
        close(fd);
        return e->code;
    }
    return fd;
}

static int memfd(const struct object *o, struct err *e)
{
    int fd = memfd_create("memory-backend-memfd", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)o->size) < 0)
        return err_set(e, -errno, "can't make %" PRIu64 " bytes of memory: %s", o->size,
                       strerror(errno));
    return fd;
}

static int add_memory(struct sys *s, const char *type, const struct object *o, struct err *e)
{
    bool share, prealloc;
    struct ram *r;
    int fd = -1;

    if (!o->size)
        return err_set(e, -EINVAL, "can't create backend with size 0");
    if (on("share", o->share, &share, e) < 0 || on("prealloc", o->prealloc, &prealloc, e) < 0)
        return e->code;
    if (!strcmp(type, "memory-backend-file"))
        fd = memory_file(o, e);
    else if (!strcmp(type, "memory-backend-memfd"))
        fd = memfd(o, e);
    if (e->code)
        return e->code;
    share |= !strcmp(type, "memory-backend-memfd");
    if (!(r = ram_new_file(s->m, o->id, o->size, fd, share, e)))
        return e->code;
    if (prealloc)
        madvise(r->host, r->size, MADV_POPULATE_WRITE);
    return machine_add_backend(s->m, "memory-backend", o->id, r, e);
}

static int add_rng(struct sys *s, const char *type, const struct object *o, struct err *e)
{
    struct rng_backend *b = rng_open(!strcmp(type, "rng-random") ? o->path : NULL, e);

    if (b)
        named_add(&s->rngs, o->id, b);
    return b ? machine_add_backend(s->m, "rng", o->id, b, e) : e->code;
}

static int check_iothread(const struct iothread_options *o, struct err *e)
{
    const struct {
        const char *name;
        uint64_t v;
    } all[] = {{"poll-max-ns", o->poll_max_ns}, {"poll-grow", o->poll_grow}, {"poll-shrink", o->poll_shrink},
               {"aio-max-batch", o->aio_max_batch}, {"thread-pool-min", o->thread_pool_min}, {"thread-pool-max", o->thread_pool_max}};

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].v > INT64_MAX)
            return err_set(e, -ERANGE, "%s value must be in range [0, %" PRId64 "]", all[i].name, INT64_MAX);
    if (!o->thread_pool_max || o->thread_pool_min > o->thread_pool_max)
        return err_set(e, -ERANGE, "bad thread-pool-min/thread-pool-max values: want %" PRIu64 " <= %" PRIu64 ", which is not 0", o->thread_pool_min,
                       o->thread_pool_max);
    return 0;
}

static int add_iothread(struct sys *s, const char *type, const struct object *o, struct err *e)
{
    struct iothread *t;

    if (check_iothread(&o->io, e) < 0)
        return e->code;
    t = iothread_new(o->id, &o->io);
    named_add(&s->iothreads, o->id, t);
    return machine_add_backend(s->m, "iothread", o->id, t, e);
}

static const struct object_kind {
    const char *name;
    const struct field *fields;
    const char *const *idle;
    int (*add)(struct sys *s, const char *type, const struct object *o, struct err *e);
} kinds[] = {
    {"iothread", iothread_fields, NULL, add_iothread},
    {"memory-backend-file", memory_fields, memory_idle, add_memory},
    {"memory-backend-memfd", memory_fields, memory_idle, add_memory},
    {"memory-backend-ram", memory_fields, memory_idle, add_memory},
    {"rng-builtin", no_fields, NULL, add_rng},
    {"rng-random", rng_fields, NULL, add_rng},
};
/* Those of block/objects.def. */
static const char *const of_block[] = {"authz-list", "authz-list-file", "authz-simple", "secret",
                                       "throttle-group", "tls-creds-anon", "tls-creds-psk",
                                       "tls-creds-x509", NULL};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]), N_BLOCK = sizeof(of_block) / sizeof(of_block[0]) - 1 };

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names, sorted, ends with NULL; the caller frees the array. */
static const char **all_names(unsigned *n)
{
    const char *const *filters = net_filter_names();
    const char **names;

    for (*n = N_KINDS + N_BLOCK; *filters; filters++)
        ++*n;
    if (!(names = malloc((*n + 1) * sizeof(*names))))
        fatal("out of memory");
    *n = 0;
    for (unsigned i = 0; i < N_KINDS; i++)
        names[(*n)++] = kinds[i].name;
    for (unsigned i = 0; i < N_BLOCK; i++)
        names[(*n)++] = of_block[i];
    for (filters = net_filter_names(); *filters; filters++)
        names[(*n)++] = *filters;
    names[*n] = NULL;
    qsort(names, *n, sizeof(*names), by_name);
    return names;
}

void objects_list(void)
{
    unsigned n;
    const char **names = all_names(&n);

    printf("List of user creatable objects:\n");
    for (unsigned i = 0; i < n; i++)
        printf("  %s\n", names[i]);
    free(names);
}

bool object_is_filter(struct json_object *opts)
{
    const char *type = keyval_string(opts, "qom-type");
    const char *const *f = net_filter_names();

    while (type && *f && strcmp(*f, type) != 0)
        f++;
    return type && *f;
}

const struct field *object_fields(const char *type)
{
    for (unsigned i = 0; i < N_KINDS; i++)
        if (!strcmp(kinds[i].name, type))
            return kinds[i].fields;
    return NULL;
}

static int no_such_type(const char *type, struct err *e)
{
    unsigned n;
    const char **names = all_names(&n), *near = nearest_name(type, names);

    err_set(e, -EINVAL, "Parameter 'qom-type' does not accept value '%s'%s%s%s", type,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    free(names);
    return e->code;
}

/* Objects are one set of names, of whatever kind. */
static const char *const backend_kinds[] = {"iothread", "memory-backend", "rng", NULL};

static const char *kind_of(const struct sys *s, const char *id)
{
    const char *const *k = backend_kinds;

    while (*k && !machine_backend(s->m, *k, id))
        k++;
    return *k;
}

static int add_own(struct sys *s, const struct object_kind *k, struct json_object *opts,
                   struct err *e)
{
    struct object o = {0};
    char id[128];
    int r;

    snprintf(id, sizeof(id), "%s", keyval_string(opts, "id"));
    if (kind_of(s, id))
        return err_set(e, -EEXIST, "Duplicate ID '%s' for %s", id, kind_of(s, id));
    json_object_object_del(opts, "id");
    json_object_object_del(opts, "qom-type");
    for (const char *const *i = k->idle; i && *i; i++)
        json_object_object_del(opts, *i);
    if ((r = fields_take(k->fields, opts, &o, e)) < 0)
        return r;
    o.id = id;
    if ((r = fields_refuse_rest(opts, e)) == 0)
        r = k->add(s, k->name, &o, e);
    fields_free(k->fields, &o);
    return r;
}

int object_add(struct sys *s, struct json_object *opts, struct err *e)
{
    const char *type = keyval_string(opts, "qom-type"), *id = keyval_string(opts, "id");
    const char *const *b = of_block;
    int r;

    if (type && id && object_is_filter(opts)) {
        struct json_object *o = NULL;

        json_object_deep_copy(opts, &o, NULL);
        return net_filter_open(&s->net_env, o, e) ? 0 : e->code;
    }
    if (!type || !id)
        return err_set(e, -EINVAL, "Parameter '%s' is missing", type ? "id" : "qom-type");
    while (*b && strcmp(*b, type) != 0)
        b++;
    if (*b)
        return blk_env_add_object(s->blk, json_object_get(opts), e);
    for (unsigned i = 0; i < N_KINDS; i++)
        if (!strcmp(kinds[i].name, type))
            return (r = id_check(id, e)) < 0 ? r : add_own(s, &kinds[i], opts, e);
    return no_such_type(type, e);
}

struct use {
    const char *kind, *id;
    bool found;
};

static bool uses(void *opaque, struct dev *d)
{
    struct use *u = opaque;

    for (const struct field *f = d->type->props; f && f->name && !u->found; f++) {
        const char *kind = dev_reference_kind(f);
        const char *id = kind ? *(char *const *)((const char *)d + f->offset) : NULL;

        u->found = id && !strcmp(kind, u->kind) && !strcmp(id, u->id);
    }
    return !u->found;
}

static bool in_use(struct sys *s, const char *kind, const char *id)
{
    struct use u = {.kind = kind, .id = id};
    const struct ram *r = strcmp(kind, "memory-backend") == 0 ? machine_backend(s->m, kind, id) : NULL;

    machine_each_dev(s->m, uses, &u);
    if (!r || u.found || r->used || (s->conf.ram_backend && !strcmp(s->conf.ram_backend, id)))
        return u.found || r;
    for (struct entry *x = cli_first(&s->cli, &group_numa); x; x = entry_next(x)) {
        const char *memdev = keyval_string(x->opts, "memdev");

        if (memdev && !strcmp(memdev, id))
            return true;
    }
    return false;
}

static struct net_filter *filter_named(struct sys *s, const char *id)
{
    for (struct named *n = s->nets; n; n = n->next)
        for (struct net_filter *f = NULL; (f = net_filter_next(n->p, f));)
            if (!strcmp(net_filter_id(f), id))
                return f;
    return NULL;
}

static void end_iothread(void *p)
{
    iothread_free(p);
}

static void end_rng(void *p)
{
    ((struct rng_backend *)p)->close(p);
}

/* Out of @list and ended: the one called @id, or all (NULL). */
static void end_named(struct named **list, const char *id, void (*end)(void *p))
{
    for (struct named **at = list, *n; (n = *at);) {
        if (id && strcmp(n->id, id) != 0) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        end(n->p);
        free(n->id);
        free(n);
    }
}

int object_del(struct sys *s, const char *id, struct err *e)
{
    const char *kind = kind_of(s, id);
    struct net_filter *f = kind ? NULL : filter_named(s, id);

    if (f) {
        net_filter_close(f);
        return 0;
    }
    if (!kind)
        return blk_env_del_object(s->blk, id, e);
    if (in_use(s, kind, id))
        return err_set(e, -EBUSY, "object '%s' is in use, can not be deleted", id);
    if (!strcmp(kind, "memory-backend"))
        ram_end(machine_backend(s->m, kind, id));
    machine_del_backend(s->m, kind, id);
    end_named(&s->iothreads, strcmp(kind, "iothread") == 0 ? id : "", end_iothread);
    end_named(&s->rngs, strcmp(kind, "rng") == 0 ? id : "", end_rng);
    return 0;
}

void objects_close(struct sys *s)
{
    end_named(&s->iothreads, NULL, end_iothread);
    end_named(&s->rngs, NULL, end_rng);
}

int objects_make(struct sys *s, struct err *e)
{
    for (struct entry *x = cli_first(&s->cli, &group_object); x; x = entry_next(x)) {
        struct json_object *o = NULL;
        int r;

        if (object_is_filter(x->opts))
            continue;
        json_object_deep_copy(x->opts, &o, NULL);
        r = object_add(s, o, e);
        json_object_put(o);
        if (r < 0)
            return entry_fail(x, e);
    }
    return 0;
}
