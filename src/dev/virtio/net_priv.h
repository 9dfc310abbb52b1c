/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-net's parts: the card (net.c) and what its control queue sets (net_ctrl.c).  Virtio 1.2, 5.1. */
#ifndef DEV_VIRTIO_NET_PRIV_H
#define DEV_VIRTIO_NET_PRIV_H

#include "dev/virtio/virtio.h"
#include "net/net.h"

enum {
    F_CSUM = 0,
    F_GUEST_CSUM = 1,
    F_CTRL_GUEST_OFFLOADS = 2,
    F_MTU = 3,
    F_MAC = 5,
    F_GUEST_TSO4 = 7,
    F_GUEST_TSO6 = 8,
    F_GUEST_ECN = 9,
    F_GUEST_UFO = 10,
    F_HOST_TSO4 = 11,
    F_HOST_TSO6 = 12,
    F_HOST_ECN = 13,
    F_HOST_UFO = 14,
    F_MRG_RXBUF = 15,
    F_STATUS = 16,
    F_CTRL_VQ = 17,
    F_CTRL_RX = 18,
    F_CTRL_VLAN = 19,
    F_CTRL_RX_EXTRA = 20,
    F_GUEST_ANNOUNCE = 21,
    F_MQ = 22,
    F_CTRL_MAC_ADDR = 23,
    F_SPEED_DUPLEX = 63
};
#define VNET_OFFLOADS                                                                              \
    (VIRTIO_BIT(F_GUEST_CSUM) | VIRTIO_BIT(F_GUEST_TSO4) | VIRTIO_BIT(F_GUEST_TSO6) |              \
     VIRTIO_BIT(F_GUEST_ECN) | VIRTIO_BIT(F_GUEST_UFO))

enum { S_LINK_UP = 1, S_ANNOUNCE = 2 };
enum { VNET_TABLE = 64, VNET_VLANS = 4096, VNET_FILTER_LEN = 16 };

struct vnet {
    struct virtio v;
    struct net *net; /* NULL: no cable */
    unsigned max_pairs;
    bool *tx_full; /* for each pair: the back end is full */
    struct timer tx_again;
    uint8_t first_mac[6]; /* after reset */

    /* Registers, and what the control queue sets. */
    uint8_t mac[6];
    uint16_t status, pairs;
    uint64_t offloads;
    bool promisc, all_multi, all_uni, no_multi, no_uni, no_broadcast, uni_overflow, multi_overflow;
    uint16_t n_uni, n_multi;
    uint8_t table[VNET_TABLE * 6];
    uint8_t vlans[VNET_VLANS / 8];

    /* Properties. */
    char *p_mac, *p_netdev, *p_bootindex, *p_tx;
    bool p_csum, p_guest_csum, p_gso, p_guest_tso4, p_guest_tso6, p_guest_ecn, p_guest_ufo;
    bool p_host_tso4, p_host_tso6, p_host_ecn, p_host_ufo, p_mrg_rxbuf, p_status, p_ctrl_vq;
    bool p_ctrl_rx, p_ctrl_vlan, p_ctrl_rx_extra, p_ctrl_mac_addr, p_ctrl_offloads, p_announce,
        p_mq;
    uint64_t p_rx_size, p_tx_size, p_mtu, p_speed;
    int p_duplex;
};

/** vnet_control - all commands of the control queue. */
void vnet_control(struct vnet *n, struct vq *q);
/** vnet_wants - does a packet that begins with @head pass the filters? */
bool vnet_wants(const struct vnet *n, const uint8_t head[VNET_FILTER_LEN]);
/** vnet_reset_filter - everything passes until the driver says otherwise. */
void vnet_reset_filter(struct vnet *n);
/** vnet_set_offloads - what the guest takes: feature bits. */
void vnet_set_offloads(struct vnet *n, uint64_t bits);

#endif
