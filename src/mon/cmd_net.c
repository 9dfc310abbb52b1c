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

static bool print_net(void *opaque, const char *id, void *backend)
{
    struct mon *m = opaque;
    struct net *n = backend;
    struct seek s = {.netdev = id};
    char text[512];

    net_describe(n, text, sizeof(text));
    machine_each_dev(m->env->m, is_card, &s);
    if (s.card)
        mon_printf(m, "%s: index=0,type=nic,model=%s\n \\ ", s.card->id ? s.card->id : s.card->type->name,
                   s.card->type->name);
    mon_printf(m, "%s: index=0,type=%s%s%s%s\n", id, net_type(n), *text ? "," : "", text,
               net_link(n) ? "" : ",link=off");
    for (struct net_filter *f = NULL; (f = net_filter_next(n, f));) {
        net_filter_describe(f, text, sizeof(text));
        mon_printf(m, "   - %s: %s\n", net_filter_id(f), text);
    }
    return true;
}

static int network(struct mon *m, const char *args, struct err *e)
{
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
