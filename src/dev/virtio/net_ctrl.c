/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-net's control queue, and the filters that it sets.  Virtio 1.2, 5.1.6.5. */
#include "dev/virtio/net_priv.h"

enum { OK = 0, REFUSED = 1 };
enum { CLASS_RX, CLASS_MAC, CLASS_VLAN, CLASS_ANNOUNCE, CLASS_MQ, CLASS_OFFLOADS };
enum { RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST };
enum { MAC_TABLE_SET, MAC_ADDR_SET };
enum { VLAN_ADD, VLAN_DEL };
enum { MAX_TABLE = 65536 }; /* addresses in one command: more is nonsense */

/* A command that is being read. */
struct cmd {
    const struct vq_elem *el;
    uint64_t at;
};

static bool take(struct cmd *c, void *buf, size_t len)
{
    if (c->el->rd_len - c->at < len)
        return false;
    iov_read(c->el->rd, c->el->n_rd, c->at, buf, len);
    c->at += len;
    return true;
}

static uint8_t set_mode(struct vnet *n, unsigned what, struct cmd *c)
{
    bool *const modes[] = {&n->promisc,  &n->all_multi, &n->all_uni,
                           &n->no_multi, &n->no_uni,    &n->no_broadcast};
    uint8_t on;

    if (what >= ARRAY_LEN(modes) ||
        !virtio_has(&n->v, what > RX_ALLMULTI ? F_CTRL_RX_EXTRA : F_CTRL_RX) || !take(c, &on, 1))
        return REFUSED;
    *modes[what] = on;
    return OK;
}

/* One of the two tables; what does not fit lets everything of its kind pass. */
static bool take_table(struct vnet *n, struct cmd *c, uint16_t *count, bool *overflow)
{
    unsigned room = VNET_TABLE - n->n_uni - n->n_multi;
    uint8_t raw[4];
    uint32_t k;

    if (!take(c, raw, 4) || (k = get_le32(raw)) > MAX_TABLE || c->el->rd_len - c->at < k * 6ull)
        return false;
    *overflow = k > room;
    if (*overflow)
        c->at += k * 6ull;
    else
        take(c, n->table + (n->n_uni + n->n_multi) * 6, k * 6);
    *count = *overflow ? 0 : (uint16_t)k;
    return true;
}

static uint8_t set_mac(struct vnet *n, unsigned what, struct cmd *c)
{
    if (what == MAC_ADDR_SET)
        return take(c, n->mac, 6) ? OK : REFUSED;
    if (what != MAC_TABLE_SET)
        return REFUSED;
    n->n_uni = n->n_multi = 0;
    n->uni_overflow = n->multi_overflow = false;
    if (!take_table(n, c, &n->n_uni, &n->uni_overflow) ||
        !take_table(n, c, &n->n_multi, &n->multi_overflow))
        return REFUSED;
    return OK;
}

static uint8_t set_vlan(struct vnet *n, unsigned what, struct cmd *c)
{
    uint8_t raw[2];
    unsigned id;

    if (what > VLAN_DEL || !take(c, raw, 2) || (id = get_le16(raw)) >= VNET_VLANS)
        return REFUSED;
    if (what == VLAN_ADD)
        n->vlans[id / 8] |= (uint8_t)(1 << id % 8);
    else
        n->vlans[id / 8] &= (uint8_t) ~(1 << id % 8);
    return OK;
}

static uint8_t set_pairs(struct vnet *n, unsigned what, struct cmd *c)
{
    uint8_t raw[2];
    unsigned k;

    if (what || !virtio_has(&n->v, F_MQ) || !take(c, raw, 2))
        return REFUSED;
    k = get_le16(raw);
    if (!k || k > n->max_pairs)
        return REFUSED;
    n->pairs = (uint16_t)k;
    for (unsigned i = 0; n->net && i < k; i++)
        net_ready(n->net, i);
    return OK;
}

static uint8_t set_offloads(struct vnet *n, unsigned what, struct cmd *c)
{
    uint8_t raw[8];

    if (what || !virtio_has(&n->v, F_CTRL_GUEST_OFFLOADS) || !take(c, raw, 8) ||
        get_le64(raw) & ~(n->v.guest_features & VNET_OFFLOADS))
        return REFUSED;
    vnet_set_offloads(n, get_le64(raw));
    return OK;
}

static uint8_t command(struct vnet *n, struct cmd *c)
{
    uint8_t h[2];

    if (!take(c, h, 2))
        return REFUSED;
    switch (h[0]) {
    case CLASS_RX: return set_mode(n, h[1], c);
    case CLASS_MAC: return set_mac(n, h[1], c);
    case CLASS_VLAN: return virtio_has(&n->v, F_CTRL_VLAN) ? set_vlan(n, h[1], c) : REFUSED;
    case CLASS_ANNOUNCE: n->status &= (uint16_t)~S_ANNOUNCE; return h[1] ? REFUSED : OK;
    case CLASS_MQ: return set_pairs(n, h[1], c);
    case CLASS_OFFLOADS: return set_offloads(n, h[1], c);
    }
    return REFUSED;
}

void vnet_control(struct vnet *n, struct vq *q)
{
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};

    do {
        while (vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0) {
            uint8_t ack = command(n, &(struct cmd){.el = &el});

            if (!el.wr_len) {
                virtio_break(&n->v, "a command without room for its answer");
                break;
            }
            iov_write(el.wr, el.n_wr, 0, &ack, 1);
            vq_push(q, &el, 1);
        }
    } while (vq_listen(q));
    vq_notify(q);
}

static bool in_table(const uint8_t *table, unsigned n, const uint8_t *mac)
{
    for (unsigned i = 0; i < n; i++)
        if (!memcmp(table + 6 * i, mac, 6))
            return true;
    return false;
}

bool vnet_wants(const struct vnet *n, const uint8_t head[VNET_FILTER_LEN])
{
    static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
    unsigned vlan = get_be16(head + 14) & (VNET_VLANS - 1);

    if (n->promisc)
        return true;
    if (virtio_has(&n->v, F_CTRL_VLAN) && get_be16(head + 12) == 0x8100 &&
        !(n->vlans[vlan / 8] >> vlan % 8 & 1))
        return false;
    if (!memcmp(head, everyone, 6))
        return !n->no_broadcast;
    if (head[0] & 1)
        return !n->no_multi && (n->all_multi || n->multi_overflow ||
                                in_table(n->table + 6 * n->n_uni, n->n_multi, head));
    return !n->no_uni && (n->all_uni || n->uni_overflow || !memcmp(head, n->mac, 6) ||
                          in_table(n->table, n->n_uni, head));
}

void vnet_reset_filter(struct vnet *n)
{
    n->promisc = true; /* 5.1.6.5.1: until the driver sets filters, all packets */
    n->all_multi = n->all_uni = n->no_multi = n->no_uni = n->no_broadcast = false;
    n->uni_overflow = n->multi_overflow = false;
    n->n_uni = n->n_multi = 0;
    memset(n->vlans, virtio_has(&n->v, F_CTRL_VLAN) ? 0 : 0xff, sizeof(n->vlans));
}
