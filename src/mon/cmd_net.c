/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info network, info usernet, set_link, hostfwd_add, hostfwd_remove, netdev_add, netdev_del. */
#include "mon/mon_priv.h"

#include "net/net.h"
#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The card on @n: the device whose property names it. */
struct seek {
    const char *netdev;
    struct dev *card;
};

static const char *netdev_of(const struct dev *d)
{
    const struct field *f = d->type->props ? field_find(d->type->props, "netdev") : NULL;

    return f && f->kind == F_STR ? *(char *const *)((const char *)d + f->offset) : NULL;
}

static bool is_card(void *opaque, struct dev *d)
{
    struct seek *s = opaque;
    const char *netdev = netdev_of(d);

    if (netdev && !strcmp(netdev, s->netdev))
        s->card = d;
    return !s->card;
}

/* Cards without a name are counted, each model for itself. */
struct count {
    const struct dev *card;
    unsigned before;
    bool met;
};

static bool count_card(void *opaque, struct dev *d)
{
    struct count *c = opaque;

    if (d == c->card)
        c->met = true;
    else if (!c->met && d->type == c->card->type)
        c->before++;
    return !c->met;
}

static void print_card(struct mon *m, const struct net *n, const struct dev *card)
{
    struct count c = {.card = card};
    uint8_t a[6];

    if (card->id) {
        mon_printf(m, "%s: ", card->id);
    } else {
        machine_each_dev(m->env->m, count_card, &c);
        mon_printf(m, "%s.%u: ", card->type->name, c.before);
    }
    mon_printf(m, "index=0,type=nic,model=%s", card->type->name);
    if (net_card_mac(n, a))
        mon_printf(m, ",macaddr=%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
    mon_puts(m, "\n");
}

static void print_end(struct mon *m, const struct net *n)
{
    char text[512];
    bool first = true;

    net_describe(n, text, sizeof(text));
    mon_printf(m, "%s: index=0,type=%s%s%s%s\n", net_id(n), net_type(n), *text ? "," : "", text, net_link(n) ? "" : ",link=off");
    for (struct net_filter *f = NULL; (f = net_filter_next(n, f)); first = false) {
        net_filter_describe(f, text, sizeof(text));
        mon_printf(m, "%s  - %s: %s\n", first ? "filters:\n" : "", net_filter_id(f), text);
    }
}

/* As the hub that it stands for: the port made last comes first. */
static bool print_cable(void *opaque, const char *id, void *backend)
{
    struct mon *m = opaque;
    struct seek s = {.netdev = id};
    int card = net_cable(backend);

    if (card < 0)
        return true;
    machine_each_dev(m->env->m, is_card, &s);
    mon_puts(m, "hub 0\n");
    for (int port = 1; port >= 0; port--) {
        mon_printf(m, " \\ hub0port%d: ", port);
        if (port != card)
            print_end(m, backend);
        else if (s.card)
            print_card(m, backend, s.card);
        else
            mon_puts(m, "\n");
    }
    return true;
}

static bool print_net(void *opaque, const char *id, void *backend)
{
    struct mon *m = opaque;
    struct seek s = {.netdev = id};

    if (net_hub_of(backend) >= 0 || net_cable(backend) >= 0)
        return true;
    machine_each_dev(m->env->m, is_card, &s);
    if (s.card) {
        print_card(m, backend, s.card);
        mon_puts(m, " \\ ");
    }
    print_end(m, backend);
    return true;
}

/* Hubs one after the other: the smallest number above @last.  Their ports, the latest first: @left to be passed over. */
struct hub {
    struct mon *m;
    int last, next;
    unsigned ports, left;
};

static bool next_hub(void *opaque, const char *id, void *backend)
{
    struct hub *h = opaque;
    int n = net_hub_of(backend);

    if (n > h->last && (h->next < 0 || n < h->next))
        h->next = n;
    return true;
}

static bool is_port(const struct hub *h, const struct net *n)
{
    return net_hub_of(n) == h->next && !strcmp(net_type(n), "hubport");
}

static bool count_port(void *opaque, const char *id, void *backend)
{
    struct hub *h = opaque;

    h->ports += is_port(h, backend);
    return true;
}

static bool print_port(void *opaque, const char *id, void *backend)
{
    struct hub *h = opaque;
    struct seek s = {.netdev = id};

    if (!is_port(h, backend) || h->left--)
        return true;
    mon_printf(h->m, " \\ %s", id);
    machine_each_dev(h->m->env->m, is_card, &s);
    if (s.card || net_hub_end(backend))
        mon_puts(h->m, ": ");
    if (s.card)
        print_card(h->m, backend, s.card);
    else if (net_hub_end(backend))
        print_end(h->m, net_hub_end(backend));
    else
        mon_puts(h->m, "\n");
    return false;
}

static void print_hub(struct hub *h)
{
    mon_printf(h->m, "hub %d\n", h->next);
    h->ports = 0;
    machine_each_backend(h->m->env->m, "netdev", count_port, h);
    while (h->ports--) {
        h->left = h->ports;
        machine_each_backend(h->m->env->m, "netdev", print_port, h);
    }
}

static int network(struct mon *m, const char *args, struct err *e)
{
    struct hub h = {.m = m, .last = -1};

    machine_each_backend(m->env->m, "netdev", print_cable, m);
    for (;; h.last = h.next) {
        h.next = -1;
        machine_each_backend(m->env->m, "netdev", next_hub, &h);
        if (h.next < 0)
            break;
        print_hub(&h);
    }
    machine_each_backend(m->env->m, "netdev", print_net, m);
    return mon_end(args, e);
}

const struct mon_command info_network = {
    .name = "network", .args = "", .help = "show the network state", .run = network};

static bool print_user(void *opaque, const char *id, void *backend)
{
    char *text = net_user_connections(backend);

    if (text)
        mon_printf(opaque, "Hub -1 (%s):\n%s", id, text);
    free(text);
    return true;
}

static int usernet(struct mon *m, const char *args, struct err *e)
{
    machine_each_backend(m->env->m, "netdev", print_user, m);
    return mon_end(args, e);
}

const struct mon_command info_usernet = {
    .name = "usernet",
    .args = "",
    .help = "show user network stack connection states",
    .run = usernet,
};

/* A back end by its name, or by that of its card. */
static struct net *find(struct mon *m, const char *id, struct err *e)
{
    struct net *n = machine_backend(m->env->m, "netdev", id);
    struct dev *d = n ? NULL : dev_find(m->env->m, id);
    const char *netdev = d ? netdev_of(d) : NULL;

    if (netdev)
        n = machine_backend(m->env->m, "netdev", netdev);
    if (!n)
        err_set(e, -ENOENT, "Device '%s' not found", id);
    return n;
}

static int set_link(struct mon *m, const char *args, struct err *e)
{
    char id[128], state[8];
    struct net *n;
    bool on;

    if (!mon_word(&args, id, sizeof(id)))
        return err_set(e, -EINVAL, "expected a device");
    if (!mon_word(&args, state, sizeof(state)) || (strcmp(state, "on") && strcmp(state, "off")))
        return err_set(e, -EINVAL, "Expected 'on' or 'off'");
    on = !strcmp(state, "on");
    if (mon_end(args, e) < 0 || !(n = find(m, id, e)))
        return e->code;
    net_set_link(n, on);
    return 0;
}

static bool word_of(void *opaque, const char *id, void *backend)
{
    void **w = opaque;

    ((void (*)(void *, const char *))w[0])(w[1], id);
    return true;
}

static void complete(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                     void *opaque)
{
    void *w[2] = {(void *)word, opaque};

    if (n == 0)
        machine_each_backend(m->env->m, "netdev", word_of, w);
}

const struct mon_command cmd_set_link = {
    .name = "set_link",
    .args = "name on|off",
    .help = "change the link status of a network adapter",
    .run = set_link,
    .complete = complete,
};

static bool first_user(void *opaque, const char *id, void *backend)
{
    struct net **n = opaque;

    if (!strcmp(net_type(backend), "user"))
        *n = backend;
    return !*n;
}

/* "[netdev_id] rule": without a name, the first user network. */
static struct net *user_and_rule(struct mon *m, const char *args, char *rule, size_t len,
                                 struct err *e)
{
    struct net *n = NULL;
    char id[128];

    if (!mon_word(&args, rule, len)) {
        err_set(e, -EINVAL, "expected a rule: [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport");
        return NULL;
    }
    strncpy(id, rule, sizeof(id) - 1);
    id[sizeof(id) - 1] = 0;
    if (mon_word(&args, rule, len))
        return mon_end(args, e) < 0 ? NULL : find(m, id, e);
    machine_each_backend(m->env->m, "netdev", first_user, &n);
    if (!n)
        err_set(e, -ENOENT, "no user network");
    return n;
}

static int forward(struct mon *m, const char *args, struct err *e)
{
    char rule[256];
    struct net *n = user_and_rule(m, args, rule, sizeof(rule), e);

    if (n && net_user_hostfwd_add(n, rule, e) == -EINVAL)
        e->code = -EPERM;
    return e->code;
}

static int no_forward(struct mon *m, const char *args, struct err *e)
{
    char rule[256];
    struct net *n = user_and_rule(m, args, rule, sizeof(rule), e);
    int r;

    if (!n)
        return e->code;
    r = net_user_hostfwd_remove(n, rule, e);
    if (r == 0 || r == -ENOENT) {
        mon_printf(m, "host forwarding rule for %s %s\n", rule, r ? "not found" : "removed");
        return 0;
    }
    return e->code = e->code == -EINVAL ? -EPERM : e->code;
}

const struct mon_command cmd_hostfwd_add = {
    .name = "hostfwd_add",
    .args = "[netdev_id] [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport",
    .help = "redirect TCP or UDP connections from host to guest (requires -net user)",
    .run = forward,
};
const struct mon_command cmd_hostfwd_remove = {
    .name = "hostfwd_remove",
    .args = "[netdev_id] [tcp|udp]:[hostaddr]:hostport",
    .help = "remove host-to-guest TCP or UDP redirection",
    .run = no_forward,
};

static int netdev_add(struct mon *m, const char *args, struct err *e)
{
    struct json_object *o;

    if (!m->env->net_add)
        return err_set(e, -ENOTSUP, "not here");
    if ((o = net_text_opts(args, e)))
        m->env->net_add(m->env->opaque, o, e);
    json_object_put(o);
    return e->code = e->code == -EINVAL ? -EPERM : e->code;
}

const struct mon_command cmd_netdev_add = {
    .name = "netdev_add",
    .args = "TYPE,id=str[,prop=value][,...]",
    .help = "add host network device",
    .run = netdev_add,
};

static int netdev_del(struct mon *m, const char *args, struct err *e)
{
    char id[128];

    if (!mon_word(&args, id, sizeof(id)))
        return err_set(e, -EINVAL, "expected a name");
    if (mon_end(args, e) < 0)
        return e->code;
    return m->env->net_del ? m->env->net_del(m->env->opaque, id, e)
                           : err_set(e, -ENOTSUP, "not here");
}

const struct mon_command cmd_netdev_del = {
    .name = "netdev_del",
    .args = "id",
    .help = "remove host network device",
    .run = netdev_del,
    .complete = complete,
};
