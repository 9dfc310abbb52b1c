/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network back ends: making them from options, and what all have in common: the card, its waiting packets, the link. */
#include "net/net_priv.h"

#include <stdarg.h>

static const struct net_type *const types[] = {
#define NET(name) &net_##name,
#include "net/nets.def"
#undef NET
};
enum { TYPES = sizeof(types) / sizeof(*types) };

static const struct net_meta plain;

const char *const *net_type_names(void)
{
    static const char *names[TYPES + 1];
    size_t n = 0;

    for (size_t i = 0; i < TYPES; i++)
        if (!types[i]->refusal)
            names[n++] = types[i]->name;
    return names;
}

static const struct net_type *type_find(const char *name, struct err *e)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(types[i]->name, name))
            continue;
        if (!types[i]->refusal)
            return types[i];
        err_set(e, -ENOTSUP, "netdev '%s' is not supported: %s", name, types[i]->refusal);
        return NULL;
    }
    const char *near = nearest_name(name, net_type_names());

    err_set(e, -EINVAL, "Parameter 'type' does not accept value '%s'%s%s%s", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

/* Options that may be given several times: "hostfwd=a,hostfwd=b" is a list. */
static int add_repeated(struct json_object *o, const char *key, const char *item, struct err *e)
{
    struct json_object *list, *word = json_object_new_object();
    struct err why = {0};
    /* keyval_parse knows what ",," is. */
    struct json_object *one = keyval_parse(item, NULL, &why);

    if (!one) {
        json_object_put(word);
        return err_set(e, why.code, "%s", why.msg);
    }
    if (!json_object_object_get_ex(o, key, &list)) {
        list = json_object_new_array();
        json_object_object_add(o, key, list);
    }
    json_object_object_add(word, "str", json_object_get(keyval_get(one, key)));
    json_object_array_add(list, word);
    json_object_put(one);
    return 0;
}

/* The end of one option: a comma that is not doubled. */
static const char *option_end(const char *p)
{
    for (; *p; p++) {
        if (*p != ',')
            continue;
        if (p[1] != ',')
            return p;
        p++;
    }
    return p;
}

struct json_object *net_text_opts(const char *text, struct err *e)
{
    static const char *const repeated[] = {"dnssearch", "guestfwd", "hostfwd"};
    struct json_object *lists = json_object_new_object(), *o = NULL;
    char *rest = calloc(1, strlen(text) + 1);

    if (!rest)
        fatal("out of memory");
    for (const char *p = text, *end; *p; p = *end ? end + 1 : end) {
        size_t len = (size_t)((end = option_end(p)) - p), i;

        for (i = 0; i < ARRAY_LEN(repeated); i++) {
            size_t n = strlen(repeated[i]);

            if (!strncmp(p, repeated[i], n) && p[n] == '=')
                break;
        }
        if (i == ARRAY_LEN(repeated)) {
            strcat(rest, *rest ? "," : "");
            strncat(rest, p, len);
            continue;
        }
        char *item = strndup(p, len);

        if (!item)
            fatal("out of memory");
        int r = add_repeated(lists, repeated[i], item, e);

        free(item);
        if (r < 0)
            goto out;
    }
    if ((o = keyval_parse(rest, "type", e))) {
        json_object_object_foreach(lists, key, value)
            json_object_object_add(o, key, json_object_get(value));
    }
out:
    json_object_put(lists);
    free(rest);
    return o;
}

static struct net *make(const struct net_env *env, const struct net_type *type, const char *id,
                        struct json_object *opts, struct err *e)
{
    struct net *n = calloc(1, type->size);

    if (!n || !(n->id = strdup(id)))
        fatal("out of memory");
    n->type = type;
    n->env = env;
    n->queues = 1;
    for (unsigned i = 0; i < NET_QUEUES_MAX; i++)
        n->waiting_end[i] = &n->waiting[i];
    if ((!type->opts || fields_take(type->opts, opts, n, e) >= 0) &&
        fields_refuse_rest(opts, e) >= 0 && (!type->open || type->open(n, e) >= 0))
        return n;
    net_close(n);
    return NULL;
}

struct net *net_open(const struct net_env *env, struct json_object *opts, struct err *e)
{
    const char *name = keyval_string(opts, "type"), *id = keyval_string(opts, "id");
    const struct net_type *type;
    struct net *n = NULL;
    char kept[128];

    if (!name)
        err_set(e, -EINVAL, "Parameter 'type' is missing");
    else if (!(type = type_find(name, e)))
        ;
    else if (!id || !*id)
        err_set(e, -EINVAL, "Parameter 'id' is missing");
    else if (env->find && env->find(env->opaque, id))
        err_set(e, -EEXIST, "Duplicate ID '%s' for netdev", id);
    else {
        snprintf(kept, sizeof(kept), "%s", id);
        json_object_object_del(opts, "type");
        json_object_object_del(opts, "id");
        n = make(env, type, kept, opts, e);
    }
    json_object_put(opts);
    return n;
}

static void forget_waiting(struct net *n)
{
    for (unsigned i = 0; i < NET_QUEUES_MAX; i++) {
        for (struct net_packet *p; (p = n->waiting[i]);) {
            n->waiting[i] = p->next;
            free(p);
        }
        n->waiting_end[i] = &n->waiting[i];
    }
    n->waiting_n = 0;
    n->waiting_bytes = 0;
}

void net_close(struct net *n)
{
    if (!n)
        return;
    while (n->filters)
        net_filter_close(n->filters);
    net_hub_forget(n);
    if (n->type->close)
        n->type->close(n);
    forget_waiting(n);
    if (n->type->opts)
        fields_free(n->type->opts, n);
    free(n->id);
    free(n);
}

const char *net_id(const struct net *n)
{
    return n->id;
}

const char *net_type(const struct net *n)
{
    return n->type->name;
}

void net_describe(const struct net *n, char *buf, size_t len)
{
    buf[0] = 0;
    if (n->type->describe)
        n->type->describe(n, buf, len);
}

unsigned net_queues(const struct net *n)
{
    return n->queues;
}

void net_set_cable(struct net *n, int port)
{
    n->cable = port + 1;
}

int net_cable(const struct net *n)
{
    return n->cable - 1;
}

bool net_has_card(const struct net *n)
{
    return n->card;
}

bool net_card_mac(const struct net *n, uint8_t mac[6])
{
    if (n->card)
        memcpy(mac, n->mac, 6);
    return n->card;
}

void net_warn(const struct net_env *env, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    if (!env->warn)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    env->warn(env->opaque, text);
}

/* The card ---------------------------------------------------------------------------------------- */

int net_attach(struct net *n, const struct net_card *c, void *opaque, const uint8_t mac[6],
               struct err *e)
{
    if (n->card)
        return err_set(e, -EBUSY, "netdev '%s' is in use", n->id);
    n->card = c;
    n->opaque = opaque;
    memcpy(n->mac, mac, sizeof(n->mac));
    if (n->type->offloads)
        n->type->offloads(n);
    if (n->type->ready)
        for (unsigned q = 0; q < n->queues; q++)
            n->type->ready(n, q);
    return 0;
}

void net_detach(struct net *n)
{
    forget_waiting(n);
    n->card = NULL;
    n->offloads = 0;
    n->room = NULL;
    if (n->type->offloads)
        n->type->offloads(n);
}

void net_set_offloads(struct net *n, unsigned offloads)
{
    n->offloads = offloads;
    if (n->type->offloads)
        n->type->offloads(n);
}

unsigned net_takes(const struct net *n)
{
    return n->takes;
}

void net_on_room(struct net *n, void (*fn)(void *opaque, unsigned queue), void *opaque)
{
    n->room = fn;
    n->room_opaque = opaque;
}

void net_room(struct net *n, unsigned queue)
{
    if (n->room)
        n->room(n->room_opaque, queue);
}

/* Packets ----------------------------------------------------------------------------------------- */

size_t net_iov_len(const struct iovec *iov, int cnt)
{
    size_t len = 0;

    for (int i = 0; i < cnt; i++)
        len += iov[i].iov_len;
    return len;
}

size_t net_iov_copy(void *to, size_t len, const struct iovec *iov, int cnt)
{
    size_t n = 0;

    for (int i = 0; i < cnt && n < len; i++) {
        size_t k = min_u64(len - n, iov[i].iov_len);

        if (k)
            memcpy((char *)to + n, iov[i].iov_base, k);
        n += k;
    }
    return n;
}

struct net_packet *net_packet_new(const struct iovec *iov, int cnt, const struct net_meta *meta)
{
    size_t len = net_iov_len(iov, cnt);
    struct net_packet *p = malloc(sizeof(*p) + len);

    if (!p)
        return NULL;
    p->next = NULL;
    p->meta = meta ? *meta : plain;
    p->len = net_iov_copy(p->data, len, iov, cnt);
    return p;
}

bool net_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
              const struct net_meta *meta)
{
    size_t len = net_iov_len(iov, cnt);

    meta = meta ? meta : &plain;
    /* Nothing is on the wire, or what is no frame: lost, as on a wire. */
    if (!net_link(n) || len > NET_MAX_PACKET || !len || queue >= n->queues)
        return true;
    if (net_filters_pass(n, NULL, NET_FROM_CARD, queue, iov, cnt, meta))
        return true;
    return n->type->send ? n->type->send(n, queue, iov, cnt, meta) : true;
}

/* Hardware type Ethernet, protocol IPv4, "request reverse"; padded to the shortest frame. */
bool net_announce(struct net *n)
{
    uint8_t f[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3};
    struct iovec iov = {f, sizeof(f)};

    if (!n->card)
        return false;
    memcpy(f + 6, n->mac, 6);  /* source */
    memcpy(f + 22, n->mac, 6); /* sender */
    memcpy(f + 32, n->mac, 6); /* target */
    net_send(n, 0, &iov, 1, NULL);
    return true;
}

bool net_can_deliver(const struct net *n, unsigned queue)
{
    return !n->card || n->link_off || (!n->waiting[queue] && n->card->ready(n->opaque, queue));
}

static void wait_for_room(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                          const struct net_meta *meta)
{
    size_t len = net_iov_len(iov, cnt);
    struct net_packet *p;

    if (n->waiting_n >= NET_WAITING_MAX || n->waiting_bytes + len > NET_WAITING_BYTES ||
        !(p = net_packet_new(iov, cnt, meta)))
        return;
    *n->waiting_end[queue] = p;
    n->waiting_end[queue] = &p->next;
    n->waiting_n++;
    n->waiting_bytes += len;
}

void net_deliver_filtered(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                          const struct net_meta *meta)
{
    if (!n->card)
        return;
    if (n->waiting[queue] || !n->card->receive(n->opaque, queue, iov, cnt, meta))
        wait_for_room(n, queue, iov, cnt, meta);
}

void net_deliver(struct net *n, unsigned queue, const void *packet, size_t len,
                 const struct net_meta *meta)
{
    struct iovec iov = {(void *)packet, len};

    meta = meta ? meta : &plain;
    if (n->link_off || !len || len > NET_MAX_PACKET)
        return;
    if (!net_filters_pass(n, NULL, NET_TO_CARD, queue, &iov, 1, meta))
        net_deliver_filtered(n, queue, &iov, 1, meta);
}

void net_ready(struct net *n, unsigned queue)
{
    if (queue >= n->queues)
        return;
    for (struct net_packet *p; n->card && (p = n->waiting[queue]);) {
        struct iovec iov = {p->data, p->len};

        if (!n->card->receive(n->opaque, queue, &iov, 1, &p->meta))
            return;
        if (!(n->waiting[queue] = p->next))
            n->waiting_end[queue] = &n->waiting[queue];
        n->waiting_n--;
        n->waiting_bytes -= p->len;
        free(p);
    }
    if (n->type->ready)
        n->type->ready(n, queue);
}

/* The link ---------------------------------------------------------------------------------------- */

bool net_link(const struct net *n)
{
    return !n->link_off && !n->peer_off;
}

static void link_changed(struct net *n, bool was)
{
    bool is = net_link(n);

    if (is == was)
        return;
    if (!is)
        forget_waiting(n);
    if (n->card && n->card->link)
        n->card->link(n->opaque, is);
}

void net_set_link(struct net *n, bool up)
{
    bool was = net_link(n);

    n->link_off = !up;
    link_changed(n, was);
}

void net_set_peer(struct net *n, bool there)
{
    bool was = net_link(n);

    n->peer_off = !there;
    link_changed(n, was);
}

/* Addresses --------------------------------------------------------------------------------------- */

void net_next_mac(uint8_t mac[6])
{
    static uint8_t last = 0x55;
    const uint8_t base[] = {0x52, 0x54, 0, 0x12, 0x34};

    memcpy(mac, base, sizeof(base));
    mac[5] = ++last;
}

int net_parse_mac(const char *text, uint8_t mac[6], struct err *e)
{
    const char *p = text;

    for (int i = 0; i < 6; i++) {
        char *end;
        unsigned long v = strtoul(p, &end, 16);

        if (end == p || end - p > 2 || v > 255 || *p == '+' || *p == '-' || *p == ' ' ||
            (i < 5 ? *end != ':' && *end != '-' : *end))
            return err_set(e, -EINVAL,
                           "invalid MAC address '%.100s': want six bytes, "
                           "52:54:00:12:34:56",
                           text);
        mac[i] = (uint8_t)v;
        p = end + 1;
    }
    return 0;
}
