/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of -netdev user into libslirp's configuration; messages as observed of version 7.2. */
#include "net/net_user_priv.h"

#include <arpa/inet.h>

static int say_which(const char *text, const char *name, int *v, struct err *e)
{
    bool on;

    *v = -1;
    if (!text)
        return 0;
    if (parse_bool(text, &on, e) < 0)
        return err_wrap(e, e->code, "Parameter '%s'", name);
    *v = on;
    return 0;
}

/* "10.0.2.0", "10.0.2.0/24", "10.0.2.0/255.255.255.0" */
static int parse_network(const char *text, struct in_addr *net, struct in_addr *mask, struct err *e)
{
    char address[64];
    const char *slash = strchr(text, '/');
    uint32_t a;

    snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - text) : 63, text);
    if (!inet_aton(address, net))
        return err_set(e, -EINVAL, "Failed to parse netmask: '%s' is no network, want 10.0.2.0/24",
                       text);
    a = ntohl(net->s_addr);
    if (slash && strchr(slash, '.')) {
        if (!inet_aton(slash + 1, mask))
            return err_set(e, -EINVAL, "Failed to parse netmask (trailing chars)");
    } else if (slash) {
        char *end;
        long bits = strtol(slash + 1, &end, 10);

        if (end == slash + 1 || *end)
            return err_set(e, -EINVAL, "Failed to parse netmask (trailing chars)");
        if (bits < 4 || bits > 32)
            return err_set(e, -EINVAL, "Invalid netmask provided (must be in range 4-32)");
        mask->s_addr = htonl((uint32_t)(UINT64_C(0xffffffff) << (32 - bits)));
    } else {
        mask->s_addr = htonl(!(a & 0x80000000)                ? 0xff000000 /* class A */
                             : (a & 0xfff00000) == 0xac100000 ? 0xfff00000 /* 172.16/12 */
                             : (a & 0xc0000000) == 0x80000000 ? 0xffff0000 /* B */
                             : (a & 0xffff0000) == 0xc0a80000 ? 0xffff0000
                             : (a & 0xffff0000) == 0xc6120000 ? 0xfffe0000
                             : (a & 0xe0000000) == 0xe0000000 ? 0xf0000000
                                                              : 0xfffffff0);
    }
    net->s_addr &= mask->s_addr;
    return 0;
}

static bool inside(const struct user *u, struct in_addr a)
{
    return (a.s_addr & u->config.vnetmask.s_addr) == u->config.vnetwork.s_addr;
}

/* An address in the guest's network: as given, or the @nth. */
static int take_address(const struct user *u, const char *text, uint32_t nth, const char *what,
                        struct in_addr *a, struct err *e)
{
    a->s_addr = u->config.vnetwork.s_addr | htonl(nth & ~ntohl(u->config.vnetmask.s_addr));
    if (!text)
        return 0;
    if (!inet_aton(text, a))
        return err_set(e, -EINVAL, "Failed to parse %s: '%s' is no IPv4 address", what, text);
    return inside(u, *a) ? 0 : err_set(e, -EINVAL, "%s doesn't belong to network", what);
}

static int config_ipv4(struct user *u, struct err *e)
{
    SlirpConfig *c = &u->config;
    struct in_addr smb;

    inet_aton("10.0.2.0", &c->vnetwork);
    inet_aton("255.255.255.0", &c->vnetmask);
    if (!c->in_enabled && (u->network || u->host || u->dns))
        return err_set(e, -EINVAL, "IPv4 disabled but netmask/host/dns provided");
    if (u->network && parse_network(u->network, &c->vnetwork, &c->vnetmask, e) < 0)
        return e->code;
    if (take_address(u, u->host, 2, "Host", &c->vhost, e) < 0 ||
        take_address(u, u->dns, 3, "DNS", &c->vnameserver, e) < 0 ||
        take_address(u, u->dhcpstart, 15, "DHCP", &c->vdhcp_start, e) < 0 ||
        take_address(u, u->smbserver, 4, "SMB server", &smb, e) < 0)
        return e->code;
    u->smb_addr = smb;
    if (u->dns && c->vnameserver.s_addr == c->vhost.s_addr)
        return err_set(e, -EINVAL, "DNS must be different from host");
    if (u->dhcpstart && (c->vdhcp_start.s_addr == c->vhost.s_addr ||
                         c->vdhcp_start.s_addr == c->vnameserver.s_addr))
        return err_set(e, -EINVAL, "DHCP must be different from host and DNS");
    return 0;
}

static bool inside6(const struct user *u, const struct in6_addr *a)
{
    unsigned bits = u->config.vprefix_len, whole = bits / 8, rest = bits % 8;
    const uint8_t *p = u->config.vprefix_addr6.s6_addr;

    return !memcmp(a->s6_addr, p, whole) &&
           (!rest || !((a->s6_addr[whole] ^ p[whole]) >> (8 - rest)));
}

static int take_address6(const struct user *u, const char *text, uint8_t nth, const char *what,
                         struct in6_addr *a, struct err *e)
{
    *a = u->config.vprefix_addr6;
    a->s6_addr[15] |= nth;
    if (!text)
        return 0;
    if (!inet_pton(AF_INET6, text, a))
        return err_set(e, -EINVAL, "Failed to parse IPv6 %s: '%s' is no IPv6 address", what, text);
    return inside6(u, a) ? 0 : err_set(e, -EINVAL, "IPv6 %s doesn't belong to network", what);
}

static int config_ipv6(struct user *u, struct err *e)
{
    SlirpConfig *c = &u->config;
    char address[64] = "fec0::";
    const char *len = u->ipv6_prefixlen;
    char *end;
    long bits = 64;

    if (!c->in6_enabled && (u->ipv6_net || u->ipv6_prefix || u->ipv6_host || u->ipv6_dns))
        return err_set(e, -EINVAL, "IPv6 disabled but prefix/host6/dns6 provided");
    if (u->ipv6_prefix)
        snprintf(address, sizeof(address), "%s", u->ipv6_prefix);
    if (u->ipv6_net) {
        const char *slash = strchr(u->ipv6_net, '/');

        snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - u->ipv6_net) : 63,
                 u->ipv6_net);
        len = slash ? slash + 1 : len;
    }
    if (!inet_pton(AF_INET6, address, &c->vprefix_addr6))
        return err_set(e, -EINVAL, "Failed to parse IPv6 prefix: '%s', want fec0::/64", address);
    if (len && ((bits = strtol(len, &end, 10)), end == len || *end || bits < 0 || bits > 126))
        return err_set(
            e, -EINVAL,
            "Invalid IPv6 prefix provided (IPv6 prefix length must be between 0 and 126)");
    c->vprefix_len = (uint8_t)bits;
    if (take_address6(u, u->ipv6_host, 2, "Host", &c->vhost6, e) < 0)
        return e->code;
    return take_address6(u, u->ipv6_dns, 3, "DNS", &c->vnameserver6, e);
}

/* Labels of 1 to 63 bytes with dots between (RFC 1035, 2.3.4); libslirp would say so on standard error. */
static bool domain_good(const char *name)
{
    size_t len = strlen(name);

    for (const char *p = name; *p;) {
        size_t n = strcspn(p, ".");

        if (n < 1 || n > 63)
            return false;
        p += n + (p[n] == '.');
    }
    return len > 0 && len < 254;
}

/* The items of dnssearch=, texts or {"str": text}. */
static int config_search(struct user *u, struct err *e)
{
    size_t n = json_object_is_type(u->dnssearch, json_type_array)
                   ? json_object_array_length(u->dnssearch)
                   : 0;
    const char **list;

    if (!u->dnssearch)
        return 0;
    if (!(list = calloc(n + 2, sizeof(*list))))
        fatal("out of memory");
    u->config.vdnssearch = list;
    if (json_object_is_type(u->dnssearch, json_type_string))
        list[0] = json_object_get_string(u->dnssearch);
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_array_get_idx(u->dnssearch, i);

        list[i] = json_object_is_type(o, json_type_string) ? json_object_get_string(o)
                                                           : keyval_string(o, "str");
    }
    for (size_t i = 0; i < n || (!n && !i); i++)
        if (!list[i] || !domain_good(list[i]))
            return err_set(e, -EINVAL, "Parameter 'dnssearch' expects domain names, not '%.100s'",
                           list[i] ? list[i] : "");
    return 0;
}

static int check_names(const struct user *u, struct err *e)
{
    if (u->domainname && !*u->domainname)
        return err_set(e, -EINVAL, "'domainname' parameter cannot be empty");
    if (u->domainname && strlen(u->domainname) > 255)
        return err_set(e, -EINVAL, "'domainname' parameter cannot exceed 255 bytes");
    if (u->hostname && strlen(u->hostname) > 255)
        return err_set(e, -EINVAL, "'hostname' parameter cannot exceed 255 bytes");
    if (u->tftp_server_name && strlen(u->tftp_server_name) > 255)
        return err_set(e, -EINVAL, "'tftp-server-name' parameter cannot exceed 255 bytes");
    return 0;
}

int user_config(struct user *u, struct err *e)
{
    SlirpConfig *c = &u->config;
    int v4, v6;

    if (say_which(u->ipv4_text, "ipv4", &v4, e) < 0 || say_which(u->ipv6_text, "ipv6", &v6, e) < 0)
        return e->code;
    /* Asking for one alone is asking for no other. */
    if (v4 < 0)
        v4 = v6 != 1;
    if (v6 < 0)
        v6 = u->ipv4_text ? v4 == 0 : 1;
    if (!v4 && !v6)
        return err_set(e, -EINVAL, "IPv4 and IPv6 disabled");
    c->version = 4;
    c->restricted = u->restricted;
    c->in_enabled = v4;
    c->in6_enabled = v6;
    c->vhostname = u->hostname;
    c->tftp_server_name = u->tftp_server_name;
    c->tftp_path = u->tftp;
    c->bootfile = u->bootfile;
    c->vdomainname = u->domainname;
    if (config_ipv4(u, e) < 0 || config_ipv6(u, e) < 0 || check_names(u, e) < 0)
        return e->code;
    return config_search(u, e);
}

void user_config_free(struct user *u)
{
    free(u->config.vdnssearch);
}
