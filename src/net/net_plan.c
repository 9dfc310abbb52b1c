/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -nic and -net ("-nic", "-net" in the QEMU documentation) as what they mean: back ends and cards. */
#include "net/net_priv.h"

/* Options of a card in -nic and -net nic; what they are called in a plan. */
static const struct {
    const char *name, *as;
} card_keys[] = {{"addr", "addr"},
                 {"mac", "mac"},
                 {"macaddr", "mac"},
                 {"model", "model"},
                 {"vectors", "vectors"}};

static void move(struct json_object *from, struct json_object *to, const char *key, const char *as)
{
    struct json_object *o;

    if (!json_object_object_get_ex(from, key, &o))
        return;
    json_object_object_add(to, as, json_object_get(o));
    json_object_object_del(from, key);
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

struct net_plan *net_plan_new(void)
{
    struct net_plan *p = calloc(1, sizeof(*p));

    if (!p)
        fatal("out of memory");
    p->netdevs = json_object_new_array();
    p->nics = json_object_new_array();
    p->members = json_object_new_array();
    return p;
}

void net_plan_free(struct net_plan *p)
{
    if (!p)
        return;
    json_object_put(p->netdevs);
    json_object_put(p->nics);
    json_object_put(p->members);
    free(p);
}

static void new_id(struct net_plan *p, const char *kind, char *id, size_t len)
{
    snprintf(id, len, "#%s%03u", kind, p->ids++);
}

/* The id that the options say, or one of ours, which they say then. */
static const char *id_of(struct net_plan *p, struct json_object *o)
{
    char id[32];

    if (!keyval_string(o, "id")) {
        new_id(p, "net", id, sizeof(id));
        put(o, "id", id);
    }
    return keyval_string(o, "id");
}

/* Card options out of @o; -EINVAL for a bad address. */
static struct json_object *take_card(struct json_object *o, struct err *e)
{
    struct json_object *nic = json_object_new_object();
    const char *mac;
    uint8_t bytes[6];

    for (size_t i = 0; i < ARRAY_LEN(card_keys); i++)
        move(o, nic, card_keys[i].name, card_keys[i].as);
    mac = keyval_string(nic, "mac");
    if (mac && net_parse_mac(mac, bytes, e) < 0) {
        json_object_put(nic);
        return NULL;
    }
    return nic;
}

int net_plan_nic(struct net_plan *p, const char *text, struct err *e)
{
    struct json_object *o = net_text_opts(text, e), *nic;
    const char *type;

    if (!o)
        return e->code;
    p->said = true;
    type = keyval_string(o, "type");
    if (type && !strcmp(type, "none")) {
        json_object_put(o);
        return 0;
    }
    if (!type)
        put(o, "type", "user");
    if (type && !strcmp(type, "nic")) {
        json_object_put(o);
        return err_set(e, -EINVAL,
                       "-nic %s: want the type of a back end; cards are -device or -net nic", text);
    }
    if (!(nic = take_card(o, e))) {
        json_object_put(o);
        return e->code;
    }
    put(nic, "netdev", id_of(p, o));
    json_object_array_add(p->netdevs, o);
    json_object_array_add(p->nics, nic);
    return 0;
}

static int net_nic(struct net_plan *p, struct json_object *o, struct err *e)
{
    struct json_object *nic = take_card(o, e);

    if (!nic)
        return e->code;
    move(o, nic, "netdev", "netdev");
    move(o, nic, "name", "id");
    json_object_object_del(o, "type");
    if (fields_refuse_rest(o, e) < 0) {
        json_object_put(nic);
        return e->code;
    }
    json_object_array_add(p->nics, nic);
    if (!keyval_string(nic, "netdev")) {
        json_object_array_add(p->members, json_object_get(nic));
        p->hub_nics++;
    }
    return 0;
}

int net_plan_net(struct net_plan *p, const char *text, struct err *e)
{
    struct json_object *o = net_text_opts(text, e);
    const char *type = o ? keyval_string(o, "type") : NULL;
    int r = 0;

    if (!o)
        return e->code;
    p->said = true;
    if (!type || !*type) {
        r = err_set(e, -EINVAL, "-net %s: Parameter 'type' is missing", text);
    } else if (!strcmp(type, "nic")) {
        r = net_nic(p, o, e);
    } else if (strcmp(type, "none")) {
        if (keyval_string(o, "name") && !keyval_string(o, "id"))
            move(o, o, "name", "id");
        id_of(p, o);
        json_object_array_add(p->netdevs, json_object_get(o));
        json_object_array_add(p->members, json_object_get(o));
    }
    json_object_put(o);
    return r;
}

/* A port of hub 0 for a card, or with a back end at its end. */
static void add_port(struct net_plan *p, struct json_object *member)
{
    struct json_object *port = json_object_new_object();
    const char *netdev = keyval_string(member, "id");
    char id[32];

    snprintf(id, sizeof(id), "hub0port%u", p->others + p->ports++);
    put(port, "type", "hubport");
    put(port, "id", id);
    put(port, "hubid", "0");
    if (keyval_string(member, "type"))
        put(port, "netdev", netdev);
    else
        put(member, "netdev", id);
    json_object_array_add(p->netdevs, port);
}

void net_plan_done(struct net_plan *p)
{
    size_t n = json_object_array_length(p->members);
    struct json_object *first = json_object_array_get_idx(p->members, 0);
    struct json_object *second = json_object_array_get_idx(p->members, 1);

    /* Two on a hub that nobody else is on are a cable. */
    if (n == 2 && p->hub_nics == 1 && !p->others) {
        bool nic_first = !keyval_string(first, "type");

        p->cable = keyval_string(nic_first ? second : first, "id");
        p->card_port = !nic_first;
        put(nic_first ? first : second, "netdev", p->cable);
        return;
    }
    for (size_t i = 0; i < n; i++)
        add_port(p, json_object_array_get_idx(p->members, i));
}
