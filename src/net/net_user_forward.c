/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hostfwd= and guestfwd= of user-mode networking; messages as observed of version 7.2. */
#include "net/net_user_priv.h"

#include <arpa/inet.h>
#include <netdb.h>

enum { HELD = 65536 };

/* A guest's connection to an address in its network that is a character device of ours. */
struct user_forward {
    struct user_forward *next;
    struct user *u;
    struct in_addr addr;
    int port;
    void *line;
};

/* Rules ------------------------------------------------------------------------------------------- */

struct rule {
    bool udp;
    struct sockaddr_storage host, guest;
    socklen_t host_len, guest_len;
};

static int bad(struct err *e, const char *rule, const char *why)
{
    return err_set(e, -EINVAL, "Invalid host forwarding rule '%s' (%s)", rule, why);
}

/* The text up to @sep, or in brackets; *p is after the separator.  False: there is none. */
static bool take(const char **p, char sep, char *buf, size_t len)
{
    bool bracket = **p == '[';
    const char *from = *p + bracket, *end = strchr(from, bracket ? ']' : sep);

    if (!end || (bracket && end[1] != sep) || (size_t)(end - from) >= len)
        return false;
    memcpy(buf, from, (size_t)(end - from));
    buf[end - from] = 0;
    *p = end + 1 + bracket;
    return true;
}

static bool set_address(struct sockaddr_storage *a, socklen_t *len, const char *text,
                        const char *def, int port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a;

    memset(a, 0, sizeof(*a));
    text = *text ? text : def;
    if (inet_aton(text, &v4->sin_addr)) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *len = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    *len = sizeof(*v6);
    return true;
}

static bool parse_port(const char *text, int min, int *port)
{
    char *end;
    long v = strtol(text, &end, 10);

    *port = (int)v;
    return end != text && !*end && v >= min && v <= 65535;
}

/* "tcp:ADDR:PORT" and, unless @host_only, "-ADDR:PORT". */
static int parse_rule(const char *text, bool host_only, struct rule *r, struct err *e)
{
    const char *p = text;
    char word[256], address[256];
    int port;

    *r = (struct rule){0};
    if (!take(&p, ':', word, sizeof(word)))
        return bad(e, text, "No : separators");
    if (!strcmp(word, "udp"))
        r->udp = true;
    else if (*word && strcmp(word, "tcp"))
        return bad(e, text, "Bad protocol name");
    if (!take(&p, ':', address, sizeof(address)))
        return bad(e, text, "Missing : separator");
    if (host_only) {
        snprintf(word, sizeof(word), "%s", p);
        if (strchr(word, '-'))
            *strchr(word, '-') = 0;
    } else if (!take(&p, '-', word, sizeof(word))) {
        return bad(e, text, "Bad host port separator");
    }
    if (!parse_port(word, 0, &port))
        return bad(e, text, "Bad host port");
    if (!set_address(&r->host, &r->host_len, address, "0.0.0.0", port))
        return bad(e, text, "Bad host address");
    if (host_only)
        return 0;
    if (!take(&p, ':', address, sizeof(address)))
        return bad(e, text, "Missing guest address");
    if (!parse_port(p, 1, &port))
        return bad(e, text, "Bad guest port");
    /* An empty address: whomever DHCP has served first. */
    if (!set_address(&r->guest, &r->guest_len, address,
                     r->host.ss_family == AF_INET6 ? "::" : "0.0.0.0", port))
        return bad(e, text, "Bad guest address");
    return 0;
}

static int flags_of(const struct rule *r)
{
    return (r->udp ? SLIRP_HOSTFWD_UDP : 0) |
           (r->host.ss_family == AF_INET6 ? SLIRP_HOSTFWD_V6ONLY : 0);
}

static int user_only(struct net *n, struct err *e)
{
    return n->type == &net_user
               ? 0
               : err_set(e, -ENOTSUP, "netdev '%s' is not of type user: it forwards nothing",
                         n->id);
}

int net_user_hostfwd_add(struct net *n, const char *text, struct err *e)
{
    struct user *u = user_of(n);
    struct rule r;

    if (user_only(n, e) < 0 || parse_rule(text, false, &r, e) < 0)
        return e->code;
    if (slirp_add_hostxfwd(u->slirp, (struct sockaddr *)&r.host, r.host_len,
                           (struct sockaddr *)&r.guest, r.guest_len, flags_of(&r)) < 0)
        return err_set(e, -errno, "Could not set up host forwarding rule '%s': %s", text,
                       strerror(errno));
    user_poll_changed(u);
    return 0;
}

int net_user_hostfwd_remove(struct net *n, const char *text, struct err *e)
{
    struct user *u = user_of(n);
    struct rule r;

    if (user_only(n, e) < 0 || parse_rule(text, true, &r, e) < 0)
        return e->code;
    if (slirp_remove_hostxfwd(u->slirp, (struct sockaddr *)&r.host, r.host_len, flags_of(&r)) < 0)
        return err_set(e, -ENOENT, "host forwarding rule for %s not found", text);
    user_poll_changed(u);
    return 0;
}

/* Devices ------------------------------------------------------------------------------------------ */

static size_t line_room(void *opaque)
{
    struct user_forward *f = opaque;

    return slirp_socket_can_recv(f->u->slirp, f->addr, f->port);
}

static void line_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct user_forward *f = opaque;

    slirp_socket_recv(f->u->slirp, f->addr, f->port, buf, (int)len);
    user_poll_changed(f->u);
}

/* From the guest: what the device does not take now is told to slirp, which keeps it. */
static ssize_t to_line(const void *buf, size_t len, void *opaque)
{
    struct user_forward *f = opaque;

    return (ssize_t)f->u->net.env->lines->write(f->line, buf, len);
}

void user_forwards_poll(struct user *u)
{
    for (struct user_forward *f = u->forwards; f; f = f->next)
        u->net.env->lines->wake(f->line);
}

static int add_device(struct user *u, const char *rule, const char *device, struct in_addr addr,
                      int port, struct err *e)
{
    const struct net_env *env = u->net.env;
    struct user_forward *f = calloc(1, sizeof(*f));
    char id[64];

    if (!f)
        fatal("out of memory");
    *f = (struct user_forward){.u = u, .addr = addr, .port = port};
    snprintf(id, sizeof(id), "guestfwd.tcp.%d", port);
    if (!env->lines) {
        free(f);
        return err_set(e, -ENOTSUP, "guest forwarding rule '%s': there are no character devices",
                       rule);
    }
    if (slirp_add_guestfwd(u->slirp, to_line, f, &f->addr, port) < 0) {
        free(f);
        return err_set(e, -EINVAL, "Conflicting/invalid host:port in guest forwarding rule '%s'",
                       rule);
    }
    if (!(f->line = env->lines->open(env->lines_opaque, id, device, line_room, line_data, f, e))) {
        slirp_remove_guestfwd(u->slirp, f->addr, port);
        free(f);
        return err_wrap(e, e->code, "guest forwarding rule '%s'", rule);
    }
    f->next = u->forwards;
    u->forwards = f;
    return 0;
}

/* "[tcp]:ADDR:PORT-cmd:COMMAND" or "-DEVICE" */
static int add_guestfwd(struct user *u, const char *rule, struct err *e)
{
    const char *p = rule;
    char word[256], address[256];
    struct in_addr addr = {0};
    int port;

    if (!take(&p, ':', word, sizeof(word)) || (*word && strcmp(word, "tcp")) ||
        !take(&p, ':', address, sizeof(address)) || !take(&p, '-', word, sizeof(word)) ||
        !parse_port(word, 1, &port) || (*address && !inet_aton(address, &addr)) || !*p)
        return err_set(e, -EINVAL,
                       "Invalid guest forwarding rule '%s': want tcp:ADDRESS:PORT-DEVICE or "
                       "tcp:ADDRESS:PORT-cmd:COMMAND",
                       rule);
    if (strncmp(p, "cmd:", 4))
        return add_device(u, rule, p, addr, port, e);
    if (slirp_add_exec(u->slirp, p + 4, &addr, port) < 0)
        return err_set(e, -EINVAL, "Conflicting/invalid host:port in guest forwarding rule '%s'",
                       rule);
    return 0;
}

static int add_hostfwd(struct user *u, const char *rule, struct err *e)
{
    return net_user_hostfwd_add(&u->net, rule, e);
}

/* A text, {"str": text}, or a list of these. */
static int for_each(struct user *u, struct json_object *o, const char *name,
                    int (*fn)(struct user *u, const char *rule, struct err *e), struct err *e)
{
    const char *text;

    if (!o)
        return 0;
    if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            if (for_each(u, json_object_array_get_idx(o, i), name, fn, e) < 0)
                return e->code;
        return 0;
    }
    text = json_object_is_type(o, json_type_string)   ? json_object_get_string(o)
           : json_object_is_type(o, json_type_object) ? keyval_string(o, "str")
                                                      : NULL;
    return text ? fn(u, text, e) : err_set(e, -EINVAL, "Parameter '%s' expects rules", name);
}

int user_forwards_open(struct user *u, struct err *e)
{
    if (for_each(u, u->hostfwd, "hostfwd", add_hostfwd, e) < 0)
        return e->code;
    return for_each(u, u->guestfwd, "guestfwd", add_guestfwd, e);
}

void user_forwards_close(struct user *u)
{
    for (struct user_forward *f; (f = u->forwards);) {
        u->forwards = f->next;
        u->net.env->lines->close(f->line);
        slirp_remove_guestfwd(u->slirp, f->addr, f->port);
        free(f);
    }
}
