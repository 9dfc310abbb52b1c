/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of -netdev, -nic and -net, rules of hostfwd_remove, and addresses of -netdev user: taken or refused. */
#include "base/loop.h"
#include "net/net.h"
#include "schema/keyval.h"

#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

static struct net_env env;

/* Only what opens nothing on the host. */
static void user_option(const char *key, const char *value)
{
    struct json_object *o = json_object_new_object();
    struct err e = {0};
    struct net *n;

    json_object_object_add(o, "type", json_object_new_string("user"));
    json_object_object_add(o, "id", json_object_new_string("n"));
    json_object_object_add(o, key, json_object_new_string(value));
    n = net_open(&env, o, &e);
    if (!n != (e.code != 0))
        abort();
    net_close(n);
}

static void plan(const char *text)
{
    struct net_plan *p = net_plan_new();

    net_plan_nic(p, text, ERR_IGNORE);
    net_plan_net(p, text, ERR_IGNORE);
    net_plan_net(p, text, ERR_IGNORE);
    net_plan_done(p);
    net_plan_free(p);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static const char *const keys[] = {"net",       "host",      "dns",       "ipv6-net",
                                       "ipv6-host", "dhcpstart", "dnssearch", "hostname"};
    static struct net *user;
    char *text = malloc(len + 1);
    struct err e = {0};
    struct json_object *o;

    if (!env.loop) {
        env.loop = loop_new();
        o = net_text_opts("user,id=u", &e);
        user = net_open(&env, o, &e);
    }
    memcpy(text, data, len);
    text[len] = 0;
    e.code = 0;
    o = net_text_opts(text, &e);
    if (!o != (e.code != 0))
        abort();
    json_object_put(o);
    plan(text);
    net_user_hostfwd_remove(user, text, ERR_IGNORE);
    if (len > 1)
        user_option(keys[data[0] % 8], text + 1);
    free(text);
    return 0;
}
