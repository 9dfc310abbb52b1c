/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network back ends that people may ask for and that are not there: each says why. */
#include "net/net_priv.h"

const struct net_type net_af_xdp = {
    .name = "af-xdp", .refusal = "libxdp is not built in; tap does the same more slowly"};
const struct net_type net_netmap = {.name = "netmap",
                                    .refusal = "it is an interface of FreeBSD; tap is Linux's"};
const struct net_type net_vde = {
    .name = "vde", .refusal = "libvdeplug is not built in; stream and dgram connect machines, too"};
const struct net_type net_vhost_user = {
    .name = "vhost-user",
    .refusal = "packets do not go to a process that shares the guest's memory; use tap or stream"};
const struct net_type net_vhost_vdpa = {
    .name = "vhost-vdpa", .refusal = "packets do not go to a vDPA device of the host; use tap"};
