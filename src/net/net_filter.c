/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters between a back end and its card (-object filter-*).  The list of a back end begins next to it: packets to
 * the card pass it forwards, those from the card backwards.
 */
#include "net/net_priv.h"

static const struct net_filter_type *const types[] = {
#define FILTER(name) &filter_##name,
#include "net/filters.def"
#undef FILTER
};
enum { TYPES = sizeof(types) / sizeof(*types), FILTERS_MAX = 32 };

static const char *const queue_names[] = {"all", "rx", "tx", NULL};

struct filter_opts {
    char *netdev, *position, *insert, *status;
    int queue;
};

static const struct field common_opts[] = {
    FIELD(filter_opts, netdev, F_STR, "netdev", NULL, "back end to stand at"),
    FIELD_ENUM(filter_opts, queue, queue_names, "queue", "all", "which way: rx is to the back end"),
    FIELD(filter_opts, position, F_STR, "position", "tail", "head, tail, or id=FILTER"),
    FIELD(filter_opts, insert, F_STR, "insert", "behind", "position=id=: before or behind it"),
    FIELD(filter_opts, status, F_STR, "status", "on", "off: packets pass by"),
    FIELD_END,
};

const char *const *net_filter_names(void)
{
    static const char *names[TYPES + 1];

    for (size_t i = 0; i < TYPES; i++)
        names[i] = types[i]->name;
    return names;
}

static const struct net_filter_type *type_find(const char *name, struct err *e)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(types[i]->name, name))
            continue;
        if (!types[i]->refusal)
            return types[i];
        err_set(e, -ENOTSUP, "object '%s' is not supported: %s", name, types[i]->refusal);
        return NULL;
    }
    err_set(e, -EINVAL, "'%s' is no network filter", name);
    return NULL;
}

/* Where in the list; NULL with @e when position= names nobody. */
static struct net_filter **place(struct net *n, const struct filter_opts *o, struct err *e)
{
    struct net_filter **at = &n->filters;

    if (!strcmp(o->position, "head"))
        return at;
    if (strncmp(o->position, "id=", 3) && strcmp(o->position, "tail")) {
        err_set(e, -EINVAL, "Parameter 'position' expects 'head', 'tail' or 'id=<id>'");
        return NULL;
    }
    if (strcmp(o->insert, "before") && strcmp(o->insert, "behind")) {
        err_set(e, -EINVAL, "Parameter 'insert' expects 'before' or 'behind'");
        return NULL;
    }
    for (; *at; at = &(*at)->next)
        if (!strncmp(o->position, "id=", 3) && !strcmp((*at)->id, o->position + 3))
            return strcmp(o->insert, "before") ? &(*at)->next : at;
    if (!strcmp(o->position, "tail"))
        return at;
    err_set(e, -ENOENT, "filter '%s' not found at netdev '%s'", o->position + 3, n->id);
    return NULL;
}

static struct net_filter *make(const struct net_env *env, const struct net_filter_type *type,
                               const char *id, struct net *n, const struct filter_opts *o,
                               struct json_object *opts, struct err *e)
{
    struct net_filter **at = place(n, o, e), *f;
    unsigned count = 0;

    for (const struct net_filter *k = n->filters; k; k = k->next)
        count++;
    if (!at)
        return NULL;
    if (count >= FILTERS_MAX) {
        err_set(e, -E2BIG, "netdev '%s' has %u filters already", n->id, count);
        return NULL;
    }
    if (!(f = calloc(1, type->size)) || !(f->id = strdup(id)))
        fatal("out of memory");
    f->type = type;
    f->env = env;
    f->which = o->queue;
    f->position = strdup(o->position);
    f->insert = strdup(o->insert);
    f->netdev = strdup(o->netdev);
    f->n = n;
    f->next = *at;
    *at = f;
    if (parse_bool(o->status, &f->on, e) < 0)
        err_wrap(e, e->code, "Parameter 'status'");
    else if (fields_take(type->opts, opts, f, e) >= 0 && fields_refuse_rest(opts, e) >= 0 &&
             type->open(f, e) >= 0)
        return f;
    net_filter_close(f);
    return NULL;
}

struct net_filter *net_filter_open(const struct net_env *env, struct json_object *opts,
                                   struct err *e)
{
    const char *name = keyval_string(opts, "qom-type"), *id = keyval_string(opts, "id");
    const struct net_filter_type *type = type_find(name ? name : "", e);
    struct net_filter *f = NULL;
    struct filter_opts o = {0};
    struct net *n;
    char kept[128];

    if (!type)
        goto out;
    if (!id || !*id) {
        err_set(e, -EINVAL, "Parameter 'id' is missing");
        goto out;
    }
    snprintf(kept, sizeof(kept), "%s", id);
    json_object_object_del(opts, "qom-type");
    json_object_object_del(opts, "id");
    if (fields_take(common_opts, opts, &o, e) < 0)
        goto out;
    if (!o.netdev)
        err_set(e, -EINVAL, "Parameter 'netdev' is missing");
    else if (!(n = env->find ? env->find(env->opaque, o.netdev) : NULL))
        err_set(e, -ENOENT, "Parameter 'netdev' expects a network backend id, not '%s'", o.netdev);
    else
        f = make(env, type, kept, n, &o, opts, e);
    fields_free(common_opts, &o);
out:
    json_object_put(opts);
    return f;
}

void net_filter_close(struct net_filter *f)
{
    if (!f)
        return;
    if (f->type->close)
        f->type->close(f);
    for (struct net_filter **at = &f->n->filters; *at; at = &(*at)->next) {
        if (*at == f) {
            *at = f->next;
            break;
        }
    }
    if (f->type->opts)
        fields_free(f->type->opts, f);
    free(f->id);
    free(f->netdev);
    free(f->position);
    free(f->insert);
    free(f);
}

const char *net_filter_id(const struct net_filter *f)
{
    return f->id;
}

struct net_filter *net_filter_next(const struct net *n, const struct net_filter *f)
{
    return f ? f->next : n->filters;
}

void net_filter_describe(const struct net_filter *f, char *buf, size_t len)
{
    char own[256] = "";

    if (f->type->describe)
        f->type->describe(f, own, sizeof(own));
    snprintf(buf, len, "type=%s,%s%sposition=%s,status=%s,insert=%s,netdev=%s,queue=%s",
             f->type->name, own, *own ? "," : "", f->position, f->on ? "on" : "off", f->insert,
             f->netdev, queue_names[f->which]);
}

/* Packets ----------------------------------------------------------------------------------------- */

/* "rx" is what the back end receives: from the card. */
static bool sees(const struct net_filter *f, enum net_way way)
{
    return f->on && f->which != (way == NET_FROM_CARD ? 2 : 1);
}

bool net_filters_pass(struct net *n, const struct net_filter *after, enum net_way way,
                      unsigned queue, const struct iovec *iov, int cnt, const struct net_meta *meta)
{
    struct net_filter *list[FILTERS_MAX];
    int k = 0, i;

    if (!n->filters)
        return false;
    for (struct net_filter *f = n->filters; f && k < FILTERS_MAX; f = f->next)
        list[k++] = f;
    for (i = way == NET_TO_CARD ? 0 : k - 1; after && list[i] != after;)
        i += way == NET_TO_CARD ? 1 : -1;
    if (after)
        i += way == NET_TO_CARD ? 1 : -1;
    for (; i >= 0 && i < k; i += way == NET_TO_CARD ? 1 : -1)
        if (sees(list[i], way) && list[i]->type->pass(list[i], way, queue, iov, cnt, meta))
            return true;
    return false;
}

void net_filter_go_on(struct net_filter *f, enum net_way way, unsigned queue, const void *packet,
                      size_t len, const struct net_meta *meta)
{
    struct iovec iov = {(void *)packet, len};

    if (net_filters_pass(f->n, f, way, queue, &iov, 1, meta))
        return;
    if (way == NET_TO_CARD)
        net_deliver_filtered(f->n, queue, &iov, 1, meta);
    else if (f->n->type->send)
        f->n->type->send(f->n, queue, &iov, 1, meta);
}
