/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-mode networking: what its files share. */
#ifndef NET_NET_USER_PRIV_H
#define NET_NET_USER_PRIV_H

#include "net/net_priv.h"

#include <netinet/in.h>
#include <slirp/libslirp.h>

struct user_forward; /* a guestfwd to a character device */

struct user {
    struct net net;

    /* As the user says. */
    char *ipv4_text, *ipv6_text, *network, *host, *dns, *dhcpstart, *ipv6_net, *ipv6_prefix,
        *ipv6_prefixlen, *ipv6_host, *ipv6_dns;
    char *hostname, *domainname, *tftp, *tftp_server_name, *bootfile, *smb, *smbserver;
    struct json_object *dnssearch, *hostfwd, *guestfwd;
    bool restricted;

    struct SlirpConfig config;
    Slirp *slirp;
    struct in_addr smb_addr;
    char *smb_dir;
    struct user_forward *forwards;

    struct user_poll *poll;
    struct loop_timer
        *timer; /* slirp wants to be called, by itself or because of what the guest has sent */
    bool dirty;
};

static inline struct user *user_of(struct net *n)
{
    return (struct user *)n;
}

/* user_config - @u->config from the options. */
int user_config(struct user *u, struct err *e);
void user_config_free(struct user *u);

/* The event loop's side. */
int user_poll_open(struct user *u, struct err *e);
void user_poll_close(struct user *u);
/* user_poll_changed - slirp has been given something: what it waits for is asked anew, once for many packets. */
void user_poll_changed(struct user *u);
void user_poll_forget(struct user *u, int fd);

/* Forwards. */
int user_forwards_open(struct user *u, struct err *e);
void user_forwards_close(struct user *u);
/* user_forwards_poll - devices may say more: connections have room. */
void user_forwards_poll(struct user *u);

/* A folder of the host as a Windows share, when smbd is there. */
int user_smb_open(struct user *u, struct err *e);
void user_smb_close(struct user *u);

#endif
