/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev, -nic, -net and -object filter-...: network back ends, the cards that the board finds a place for, and filters between
 * the two (net/net.h). */
#include "app/system/objects.h"

#include "schema/keyval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct net *find(void *opaque, const char *id)
{
    return machine_backend(((struct sys *)opaque)->m, "netdev", id);
}

static void warn(void *opaque, const char *text)
{
    sys_warn(opaque, "%s", text);
}

int net_add(struct sys *s, struct json_object *opts, struct err *e)
{
    const char *id = keyval_string(opts, "id");
    struct json_object *o = NULL;
    struct net *n;

    if (!id)
        return err_set(e, -EINVAL, "Parameter 'id' is missing");
    if (find(s, id))
        return err_set(e, -EEXIST, "Duplicate ID '%s' for netdev", id);
    json_object_deep_copy(opts, &o, NULL);
    if (!(n = net_open(&s->net_env, o, e)))
        return e->code;
    named_add(&s->nets, net_id(n), n);
    return machine_add_backend(s->m, "netdev", net_id(n), n, e);
}

int net_del(struct sys *s, const char *id, struct err *e)
{
    struct named **at = &s->nets, *n;

    while ((n = *at) && strcmp(n->id, id) != 0)
        at = &n->next;
    if (!n)
        return err_set(e, -ENOENT, "Device '%s' not found", id);
    if (net_has_card(n->p))
        return err_set(e, -EBUSY, "Device '%s' is in use", id);
    *at = n->next;
    machine_del_backend(s->m, "netdev", id);
    net_close(n->p);
    free(n->id);
    free(n);
    return 0;
}

static char *copy(struct json_object *o, const char *key)
{
    const char *text = keyval_string(o, key);
    char *c = text ? strdup(text) : NULL;

    if (text && !c)
        fatal("out of memory");
    return c;
}

static int add_card(struct sys *s, struct json_object *o, struct err *e)
{
    const char *netdev = keyval_string(o, "netdev"), *mac = keyval_string(o, "mac");
    struct conf_nic *c = &s->conf.nic[s->conf.n_nics];

    if (s->conf.n_nics == CONF_NICS)
        return err_set(e, -E2BIG, "too many network cards, at most %d", CONF_NICS);
    if (netdev && !(c->net = find(s, netdev)))
        return err_set(e, -ENOENT, "netdev '%s' not found", netdev);
    if (mac && net_parse_mac(mac, c->mac, e) < 0)
        return e->code;
    if (!mac)
        net_next_mac(c->mac);
    c->model = copy(o, "model");
    c->id = copy(o, "id");
    c->addr = copy(o, "addr");
    c->vectors = copy(o, "vectors");
    s->conf.n_nics++;
    return 0;
}

/* The options that made each back end and each card of the plan. */
struct origins {
    const struct entry **of;
    size_t n;
};

static void note(struct origins *o, const struct json_object *array, const struct entry *x)
{
    size_t n = json_object_array_length(array);

    if (n <= o->n)
        return;
    o->of = realloc(o->of, n * sizeof(*o->of));
    if (!o->of)
        fatal("out of memory");
    while (o->n < n)
        o->of[o->n++] = x;
}

static int fail_at(const struct origins *o, size_t i, struct err *e)
{
    return i < o->n && o->of[i] ? entry_fail(o->of[i], e) : err_wrap(e, e->code, "-net");
}

/* What -nic and -net mean, all together; hubs come last, and no option is theirs alone. */
static int make_plan(struct sys *s, struct net_plan *p, const struct origins *nets, const struct origins *cards, struct err *e)
{
    for (const struct named *n = s->nets; n; n = n->next)
        p->others += net_hub_of(n->p) == 0;
    net_plan_done(p);
    for (size_t i = 0; i < json_object_array_length(p->netdevs); i++)
        if (net_add(s, json_object_array_get_idx(p->netdevs, i), e) < 0)
            return fail_at(nets, i, e);
    if (p->cable)
        net_set_cable(find(s, p->cable), p->card_port);
    for (size_t i = 0; i < json_object_array_length(p->nics); i++)
        if (add_card(s, json_object_array_get_idx(p->nics, i), e) < 0)
            return fail_at(cards, i, e);
    return 0;
}

static int read_options(struct sys *s, struct net_plan *p, struct origins *nets, struct origins *cards, bool *said, struct err *e)
{
    for (struct entry *x = s->cli.entries; x; x = x->next) {
        int r = x->group == &group_netdev ? net_add(s, x->opts, e)
                : x->group == &group_nic  ? net_plan_nic(p, x->text, e)
                : x->group == &group_net  ? net_plan_net(p, x->text, e)
                                          : 0;

        if (r < 0)
            return entry_fail(x, e);
        note(nets, p->netdevs, x);
        note(cards, p->nics, x);
        *said |= x->group == &group_netdev;
    }
    *said |= p->said;
    return 0;
}

static int add_filters(struct sys *s, struct err *e)
{
    for (struct entry *x = cli_first(&s->cli, &group_object); x; x = entry_next(x)) {
        struct json_object *o = NULL;

        if (!object_is_filter(x->opts))
            continue;
        json_object_deep_copy(x->opts, &o, NULL);
        if (!net_filter_open(&s->net_env, o, e))
            return entry_fail(x, e);
    }
    return 0;
}

/* Nobody said anything about the network: a card on the user network. */
static int add_default(struct sys *s, struct net_plan *p, struct err *e)
{
    if (s->cli.nodefaults || !s->conf.board->default_nic)
        return 0;
    s->conf.default_nic = true;
    return net_plan_nic(p, "user", e);
}

int nets_open(struct sys *s, struct err *e)
{
    struct net_plan *p = net_plan_new();
    struct origins nets = {NULL, 0}, cards = {NULL, 0};
    bool said = false;
    int r;

    s->net_env = (struct net_env){.loop = s->loop, .find = find, .opaque = s, .warn = warn,
                                  .lines = &net_lines_chr, .lines_opaque = s};
    r = read_options(s, p, &nets, &cards, &said, e);
    if (r == 0 && !said)
        r = add_default(s, p, e);
    if (r == 0)
        r = make_plan(s, p, &nets, &cards, e);
    net_plan_free(p);
    free(nets.of);
    free(cards.of);
    return r < 0 ? r : add_filters(s, e);
}

void nets_close(struct sys *s)
{
    for (struct named *n; (n = s->nets);) {
        s->nets = n->next;
        net_close(n->p);
        free(n->id);
        free(n);
    }
}
