/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr.*, local.* and remote.* of -netdev stream and dgram. */
#include "net/net_stream_priv.h"

static const struct field addr_opts[] = {
    FIELD(net_addr, type, F_STR, "type", NULL, "inet, unix or fd"),
    FIELD(net_addr, host, F_STR, "host", NULL, "inet: name or address"),
    FIELD(net_addr, port, F_STR, "port", NULL, "inet: number or service"),
    FIELD(net_addr, path, F_STR, "path", NULL, "unix: path"),
    FIELD(net_addr, str, F_STR, "str", NULL, "fd: number of a socket that is there"),
    FIELD(net_addr, ipv4, F_BOOL, "ipv4", "off", "inet: IPv4"),
    FIELD(net_addr, ipv6, F_BOOL, "ipv6", "off", "inet: IPv6"),
    FIELD(net_addr, numeric, F_BOOL, "numeric", "off",
          "inet: accepted; a number is taken as one anyway"),
    FIELD(net_addr, keep_alive, F_BOOL, "keep-alive", "off", "inet: accepted"),
    FIELD(net_addr, to, F_U64, "to", "0", "inet: accepted"),
    FIELD(net_addr, abstract, F_BOOL, "abstract", "off", "unix: a name of Linux's, no file"),
    FIELD(net_addr, tight, F_BOOL, "tight", "on", "unix: abstract without zeros at the end"),
    FIELD_END,
};

int net_addr_take(struct net_addr *a, struct json_object *o, const char *name, struct err *e)
{
    const char *missing = NULL;

    *a = (struct net_addr){0};
    if (!o)
        return 0;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, -EINVAL, "Parameter '%s' expects %s.type and its kin", name, name);
    if (fields_take(addr_opts, o, a, e) < 0 || fields_refuse_rest(o, e) < 0)
        return err_wrap(e, e->code, "%s", name);
    a->given = true;
    if (!a->type)
        missing = "type";
    else if (!strcmp(a->type, "inet"))
        missing = !a->host ? "host" : !a->port ? "port" : NULL;
    else if (!strcmp(a->type, "unix"))
        missing = a->path ? NULL : "path";
    else if (!strcmp(a->type, "fd"))
        missing = a->str ? NULL : "str";
    else
        return err_set(e, -EINVAL,
                       "Parameter '%s.type' does not accept value '%s': want inet, unix or fd",
                       name, a->type);
    return missing ? err_set(e, -EINVAL, "Parameter '%s.%s' is missing", name, missing) : 0;
}

void net_addr_free(struct net_addr *a)
{
    fields_free(addr_opts, a);
}

int net_addr_resolve(const struct net_addr *a, struct sock_addrs *to, int type, bool passive,
                     const char *name, struct err *e)
{
    int r;

    if (!strcmp(a->type, "unix"))
        r = sock_unix(to, a->path, a->abstract, a->tight, e);
    else
        r = sock_resolve(to, a->host, a->port,
                         a->ipv4   ? 1
                         : a->ipv6 ? 0
                                   : -1,
                         a->ipv6   ? 1
                         : a->ipv4 ? 0
                                   : -1,
                         type, passive, e);
    return r < 0 ? err_wrap(e, r, "%s", name) : 0;
}
