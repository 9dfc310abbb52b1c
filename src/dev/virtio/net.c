/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net: a network card.  Virtio 1.2, 5.1.  All of it runs under the machine's lock, as the back ends do (net/net.h).
 * What the control queue says is in net_ctrl.c.
 */
#include "dev/virtio/net_priv.h"

#include <errno.h>
#include <stdlib.h>

enum {
    C_MAC = 0,
    C_STATUS = 6,
    C_MAX_PAIRS = 8,
    C_MTU = 10,
    C_SPEED = 12,
    C_DUPLEX = 16,
    CONFIG_LEN = 17
};
enum { HDR_OLD = 10, HDR_NEW = 12 }; /* struct virtio_net_hdr without and with num_buffers */
enum { MAX_CHAINS = 64 };            /* that a received packet is spread over */
enum { TX_BURST = 256 };             /* packets, before others get the lock */
enum { MAX_PAIRS = 256, CTRL_QUEUE_SIZE = 64 };

static const char *const duplexes[] = {"half", "full", "unknown", NULL};

static const struct field vnet_props[] = {
    FIELD(vnet, p_mac, F_STR, "mac", NULL, "address, 52:54:00:12:34:56"),
    FIELD(vnet, p_netdev, F_STR, "netdev", NULL, "ID of the back end"),
    FIELD(vnet, p_bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD(vnet, p_csum, F_BOOL, "csum", "on", "leave checksums to the host"),
    FIELD(vnet, p_guest_csum, F_BOOL, "guest_csum", "on", "take packets without checksum"),
    FIELD(vnet, p_gso, F_BOOL, "gso", "on", "has no effect"),
    FIELD(vnet, p_guest_tso4, F_BOOL, "guest_tso4", "on", "take large TCP segments over IPv4"),
    FIELD(vnet, p_guest_tso6, F_BOOL, "guest_tso6", "on", "take large TCP segments over IPv6"),
    FIELD(vnet, p_guest_ecn, F_BOOL, "guest_ecn", "on", "take those with ECN"),
    FIELD(vnet, p_guest_ufo, F_BOOL, "guest_ufo", "on", "take large UDP packets"),
    FIELD(vnet, p_host_tso4, F_BOOL, "host_tso4", "on",
          "leave segmenting TCP over IPv4 to the host"),
    FIELD(vnet, p_host_tso6, F_BOOL, "host_tso6", "on",
          "leave segmenting TCP over IPv6 to the host"),
    FIELD(vnet, p_host_ecn, F_BOOL, "host_ecn", "on", "with ECN, too"),
    FIELD(vnet, p_host_ufo, F_BOOL, "host_ufo", "on", "leave fragmenting UDP to the host"),
    FIELD(vnet, p_mrg_rxbuf, F_BOOL, "mrg_rxbuf", "on", "spread a packet over several buffers"),
    FIELD(vnet, p_status, F_BOOL, "status", "on", "tell whether the cable is plugged in"),
    FIELD(vnet, p_ctrl_vq, F_BOOL, "ctrl_vq", "on", "control queue"),
    FIELD(vnet, p_ctrl_rx, F_BOOL, "ctrl_rx", "on", "filters for received packets"),
    FIELD(vnet, p_ctrl_vlan, F_BOOL, "ctrl_vlan", "on", "filter for VLANs"),
    FIELD(vnet, p_ctrl_rx_extra, F_BOOL, "ctrl_rx_extra", "on", "more filters"),
    FIELD(vnet, p_ctrl_mac_addr, F_BOOL, "ctrl_mac_addr", "on", "the guest may change the address"),
    FIELD(vnet, p_ctrl_offloads, F_BOOL, "ctrl_guest_offloads", "on",
          "the guest may change what it takes"),
    FIELD(vnet, p_announce, F_BOOL, "guest_announce", "on", "the guest announces itself elsewhere"),
    FIELD(vnet, p_mq, F_BOOL, "mq", "off", "queues as many as the back end has"),
    FIELD(vnet, p_rx_size, F_U64, "rx_queue_size", "256", "entries of a receive queue"),
    FIELD(vnet, p_tx_size, F_U64, "tx_queue_size", "256", "entries of a transmit queue"),
    FIELD(vnet, p_mtu, F_U64, "host_mtu", "0",
          "largest packet that the guest should send; 0: not said"),
    FIELD(vnet, p_tx, F_STR, "tx", NULL, "has no effect"),
    FIELD(vnet, p_speed, F_U64, "speed", "0", "megabits per second; 0: not said"),
    FIELD_ENUM(vnet, p_duplex, duplexes, "duplex", "unknown", "half or full"),
    FIELD_END};

static const struct state vnet_state[] = {
    STATE(vnet, mac, S_U8, 1, "address"),
    STATE(vnet, status, S_U16, 1, NULL),
    STATE(vnet, pairs, S_U16, 1, "pairs of queues in use"),
    STATE(vnet, offloads, S_U64, 1, "feature bits of what the guest takes"),
    STATE(vnet, promisc, S_BOOL, 1, NULL),
    STATE(vnet, all_multi, S_BOOL, 1, NULL),
    STATE(vnet, all_uni, S_BOOL, 1, NULL),
    STATE(vnet, no_multi, S_BOOL, 1, NULL),
    STATE(vnet, no_uni, S_BOOL, 1, NULL),
    STATE(vnet, no_broadcast, S_BOOL, 1, NULL),
    STATE(vnet, uni_overflow, S_BOOL, 1, NULL),
    STATE(vnet, multi_overflow, S_BOOL, 1, NULL),
    STATE(vnet, n_uni, S_U16, 1, NULL),
    STATE(vnet, n_multi, S_U16, 1, NULL),
    STATE(vnet, table, S_U8, 1, "addresses: unicast, then multicast"),
    STATE(vnet, vlans, S_U8, 1, "bit map"),
    STATE_END};

static struct vnet *of(struct virtio *v)
{
    return (struct vnet *)v;
}

static unsigned header_len(const struct vnet *n)
{
    return virtio_has(&n->v, F_MRG_RXBUF) || virtio_has(&n->v, VIRTIO_F_VERSION_1) ? HDR_NEW
                                                                                   : HDR_OLD;
}

/* Receiving. */

static bool card_ready(void *opaque, unsigned queue)
{
    struct vnet *n = opaque;

    return virtio_running(&n->v) && n->v.status & VIRTIO_DRIVER_OK && queue < n->pairs &&
           n->v.vq[2 * queue].enabled;
}

static void put_header(uint8_t h[static HDR_NEW], const struct net_meta *m, uint16_t buffers)
{
    static const struct net_meta plain;

    m = m ? m : &plain;
    h[0] = m->flags;
    h[1] = m->gso_type;
    put_le16(h + 2, m->hdr_len);
    put_le16(h + 4, m->gso_size);
    put_le16(h + 6, m->csum_start);
    put_le16(h + 8, m->csum_offset);
    put_le16(h + 10, buffers);
}

/* The chains that a packet goes to. */
struct room {
    struct vq_elem el[MAX_CHAINS];
    struct iovec iov[VQ_MAX_SEGS];
    unsigned n, used;
    uint64_t len;
};

static void put_back(struct vq *q, struct room *r)
{
    while (r->n)
        vq_unpop(q, &r->el[--r->n]);
}

enum fit { FITS, NO_ROOM, NEVER };

static enum fit find_room(struct vnet *n, struct vq *q, struct room *r, uint64_t want)
{
    bool mergeable = virtio_has(&n->v, F_MRG_RXBUF);

    r->n = r->used = 0;
    for (r->len = 0; r->len < want; r->n++) {
        struct vq_elem *el = &r->el[r->n];
        int k;

        if (r->n == (mergeable ? MAX_CHAINS : 1)) {
            put_back(q, r);
            return NEVER;
        }
        el->addr = NULL;
        k = vq_pop(q, el, r->iov + r->used, VQ_MAX_SEGS - r->used);
        if (k <= 0) {
            put_back(q, r);
            return k < 0 ? NEVER : NO_ROOM;
        }
        r->used += el->n_rd + el->n_wr;
        r->len += el->wr_len;
    }
    return FITS;
}

/* Copies on from where the last call ended: chain *@c, byte *@off of it. */
static void spread(struct room *r, unsigned *c, uint64_t *off, const uint8_t *p, uint64_t len)
{
    while (len) {
        struct vq_elem *el = &r->el[*c];
        uint64_t k = iov_write(el->wr, el->n_wr, *off, p, len);

        p += k;
        len -= k;
        *off += k;
        if (len) {
            ++*c;
            *off = 0;
        }
    }
}

static void deliver(struct vnet *n, struct vq *q, struct room *r, const struct iovec *iov, int cnt,
                    const struct net_meta *meta, uint64_t left)
{
    uint8_t h[HDR_NEW];
    uint64_t off = 0;
    unsigned c = 0;

    put_header(h, meta, (uint16_t)r->n);
    spread(r, &c, &off, h, header_len(n));
    for (int i = 0; i < cnt; i++)
        spread(r, &c, &off, iov[i].iov_base, iov[i].iov_len);
    for (unsigned i = 0; i < r->n; i++) {
        uint64_t k = min_u64(left, r->el[i].wr_len);

        vq_push(q, &r->el[i], (uint32_t)k);
        left -= k;
    }
    vq_notify(q);
}

static bool card_receive(void *opaque, unsigned queue, const struct iovec *iov, int cnt,
                         const struct net_meta *meta)
{
    struct vnet *n = opaque;
    uint8_t head[VNET_FILTER_LEN] = {0};
    uint64_t want = header_len(n);
    struct room r;
    struct vq *q;
    enum fit fit;

    if (!card_ready(n, queue))
        return false;
    iov_read(iov, (unsigned)cnt, 0, head, sizeof(head));
    if (!vnet_wants(n, head))
        return true;
    for (int i = 0; i < cnt; i++)
        want += iov[i].iov_len;
    q = &n->v.vq[2 * queue];
    fit = find_room(n, q, &r, want);
    if (fit == NO_ROOM && vq_listen(q)) /* some came, or they are too few: the next kick tells */
        fit = find_room(n, q, &r, want);
    if (fit == FITS)
        deliver(n, q, &r, iov, cnt, meta, want);
    else
        virtio_tell(&n->v);
    return fit != NO_ROOM || n->v.broken; /* a packet that can never fit is lost */
}

static void card_link(void *opaque, bool up)
{
    struct vnet *n = opaque;
    uint16_t was = n->status;

    n->status = up ? n->status | S_LINK_UP : n->status & ~S_LINK_UP;
    if (n->status != was)
        virtio_config_changed(&n->v);
}

static const struct net_card card = {
    .ready = card_ready, .receive = card_receive, .link = card_link};

/* Sending. */

/* What the driver says about the packet; false: it makes no sense. */
static bool get_meta(struct vnet *n, const struct vq_elem *el, uint64_t len, struct net_meta *m)
{
    uint8_t h[HDR_OLD];
    unsigned gso;

    iov_read(el->rd, el->n_rd, 0, h, sizeof(h));
    *m = (struct net_meta){.flags = h[0] & NET_CSUM,
                           .gso_type = h[1],
                           .hdr_len = get_le16(h + 2),
                           .gso_size = get_le16(h + 4),
                           .csum_start = get_le16(h + 6),
                           .csum_offset = get_le16(h + 8)};
    gso = m->gso_type & ~NET_GSO_ECN;
    if (m->flags & NET_CSUM && (uint64_t)m->csum_start + m->csum_offset + 2 > len)
        return false;
    if (gso == NET_GSO_NONE)
        return true;
    return m->gso_size && (gso == NET_GSO_TCP4   ? virtio_has(&n->v, F_HOST_TSO4)
                           : gso == NET_GSO_TCP6 ? virtio_has(&n->v, F_HOST_TSO6)
                           : gso == NET_GSO_UDP  ? virtio_has(&n->v, F_HOST_UFO)
                                                 : false);
}

/* False: the back end is full. */
static bool send_one(struct vnet *n, unsigned pair, const struct vq_elem *el)
{
    struct iovec iov[VQ_MAX_SEGS];
    unsigned h = header_len(n), cnt;
    uint64_t len = el->rd_len - h;
    struct net_meta m;

    if (el->rd_len < h) {
        virtio_break(&n->v, "a packet of %" PRIu64 " bytes with its header", el->rd_len);
        return true;
    }
    if (!n->net || !len || len > NET_MAX_PACKET || !get_meta(n, el, len, &m))
        return true; /* lost */
    cnt = vq_iov_slice(el->rd, el->n_rd, h, len, iov);
    return net_send(n->net, pair, iov, (int)cnt, &m);
}

static void transmit(struct vnet *n, unsigned pair)
{
    struct vq *q = &n->v.vq[2 * pair + 1];
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};
    unsigned burst = 0;

    vq_quiet(q);
    do {
        while (burst < TX_BURST && vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0) {
            if (!send_one(n, pair, &el)) {
                vq_unpop(q, &el);
                n->tx_full[pair] = true; /* still quiet: net_on_room() goes on */
                vq_notify(q);
                return;
            }
            vq_push(q, &el, 0);
            burst++;
        }
    } while (burst < TX_BURST && vq_listen(q));
    vq_notify(q);
    if (burst == TX_BURST)
        timer_at(&n->tx_again, clock_now(n->v.m, CLK_REAL));
}

static void transmit_all(void *opaque)
{
    struct vnet *n = opaque;

    for (unsigned i = 0; i < n->max_pairs; i++)
        if (!n->tx_full[i] && n->v.vq[2 * i + 1].enabled)
            transmit(n, i);
}

static void room(void *opaque, unsigned queue)
{
    struct vnet *n = opaque;

    if (queue >= n->max_pairs || !n->tx_full[queue])
        return;
    n->tx_full[queue] = false;
    if (virtio_running(&n->v))
        transmit(n, queue);
}

static unsigned ctrl_index(const struct vnet *n)
{
    return virtio_has(&n->v, F_MQ) ? 2 * n->max_pairs : 2;
}

static void vnet_kick(struct virtio *v, struct vq *q)
{
    struct vnet *n = of(v);

    if (virtio_has(v, F_CTRL_VQ) && q->index == ctrl_index(n))
        vnet_control(n, q);
    else if (q->index >= 2 * n->max_pairs)
        guest_error(v->dev, "kick of queue %u", q->index);
    else if (!(q->index & 1) && n->net)
        net_ready(n->net, q->index / 2);
    else if (q->index & 1 && !n->tx_full[q->index / 2])
        transmit(n, q->index / 2);
}

/* Registers. */

static void vnet_config(struct virtio *v, uint8_t *c)
{
    struct vnet *n = of(v);

    memcpy(c + C_MAC, n->mac, 6);
    put_le16(c + C_STATUS, n->status);
    put_le16(c + C_MAX_PAIRS, (uint16_t)n->max_pairs);
    put_le16(c + C_MTU, (uint16_t)n->p_mtu);
    put_le32(c + C_SPEED, n->p_speed ? (uint32_t)n->p_speed : UINT32_MAX);
    c[C_DUPLEX] = n->p_duplex == 2 ? 0xff : (uint8_t)n->p_duplex;
}

/* Before 1.0 the address was written here. */
static void vnet_config_written(struct virtio *v, unsigned off, unsigned len, const uint8_t *cfg)
{
    if (off < C_MAC + 6 && !virtio_has(v, VIRTIO_F_VERSION_1) && !virtio_has(v, F_CTRL_MAC_ADDR))
        memcpy(of(v)->mac, cfg + C_MAC, 6);
}

void vnet_set_offloads(struct vnet *n, uint64_t bits)
{
    n->offloads = bits;
    if (!n->net)
        return;
    net_set_offloads(n->net, (bits >> F_GUEST_CSUM & 1 ? NET_OFF_CSUM : 0) |
                                 (bits >> F_GUEST_TSO4 & 1 ? NET_OFF_TSO4 : 0) |
                                 (bits >> F_GUEST_TSO6 & 1 ? NET_OFF_TSO6 : 0) |
                                 (bits >> F_GUEST_ECN & 1 ? NET_OFF_ECN : 0) |
                                 (bits >> F_GUEST_UFO & 1 ? NET_OFF_UFO : 0));
}

static void vnet_status(struct virtio *v, uint8_t old)
{
    struct vnet *n = of(v);

    if (!(v->status & ~old & VIRTIO_DRIVER_OK))
        return;
    vnet_set_offloads(n, v->guest_features & VNET_OFFLOADS);
    for (unsigned i = 0; n->net && i < n->pairs; i++)
        net_ready(n->net, i);
}

static void vnet_reset(struct virtio *v)
{
    struct vnet *n = of(v);

    timer_cancel(&n->tx_again);
    n->pairs = 1;
    n->status &= S_LINK_UP;
    memcpy(n->mac, n->first_mac, 6);
    memset(n->tx_full, 0, n->max_pairs * sizeof(*n->tx_full));
    vnet_reset_filter(n);
    vnet_set_offloads(n, 0);
}

static int vnet_loaded(struct virtio *v, int version, struct err *e)
{
    struct vnet *n = of(v);

    if (!n->pairs || n->pairs > n->max_pairs || n->n_uni + n->n_multi > VNET_TABLE ||
        n->offloads & ~VNET_OFFLOADS)
        return err_set(e, -EILSEQ, "%u of %u queue pairs, %u addresses", n->pairs, n->max_pairs,
                       n->n_uni + n->n_multi);
    vnet_set_offloads(n, n->offloads);
    card_link(n, !n->net || net_link(n->net));
    if (virtio_has(v, F_GUEST_ANNOUNCE) && virtio_has(v, F_CTRL_VQ)) {
        n->status |= S_ANNOUNCE; /* switches have to learn where it is now, 5.1.6.5.4 */
        virtio_config_changed(v);
    }
    if (virtio_running(v))
        timer_at(&n->tx_again, clock_now(v->m, CLK_REAL));
    return 0;
}

/* Properties. */

static uint64_t guest_features(const struct vnet *n)
{
    if (!n->p_guest_csum)
        return 0;
    return VIRTIO_BIT(F_GUEST_CSUM) | (n->p_guest_tso4 ? VIRTIO_BIT(F_GUEST_TSO4) : 0) |
           (n->p_guest_tso6 ? VIRTIO_BIT(F_GUEST_TSO6) : 0) |
           (n->p_guest_ecn ? VIRTIO_BIT(F_GUEST_ECN) : 0) |
           (n->p_guest_ufo ? VIRTIO_BIT(F_GUEST_UFO) : 0) |
           (n->p_ctrl_offloads && n->p_ctrl_vq ? VIRTIO_BIT(F_CTRL_GUEST_OFFLOADS) : 0);
}

static uint64_t host_features(const struct vnet *n, unsigned takes)
{
    if (!n->p_csum || !(takes & NET_OFF_CSUM))
        return 0;
    return VIRTIO_BIT(F_CSUM) |
           (n->p_host_tso4 && takes & NET_OFF_TSO4 ? VIRTIO_BIT(F_HOST_TSO4) : 0) |
           (n->p_host_tso6 && takes & NET_OFF_TSO6 ? VIRTIO_BIT(F_HOST_TSO6) : 0) |
           (n->p_host_ecn && takes & NET_OFF_ECN ? VIRTIO_BIT(F_HOST_ECN) : 0) |
           (n->p_host_ufo && takes & NET_OFF_UFO ? VIRTIO_BIT(F_HOST_UFO) : 0);
}

static uint64_t control_features(const struct vnet *n)
{
    if (!n->p_ctrl_vq)
        return 0;
    return VIRTIO_BIT(F_CTRL_VQ) | (n->p_ctrl_rx ? VIRTIO_BIT(F_CTRL_RX) : 0) |
           (n->p_ctrl_vlan ? VIRTIO_BIT(F_CTRL_VLAN) : 0) |
           (n->p_ctrl_rx_extra ? VIRTIO_BIT(F_CTRL_RX_EXTRA) : 0) |
           (n->p_ctrl_mac_addr ? VIRTIO_BIT(F_CTRL_MAC_ADDR) : 0) |
           (n->p_announce ? VIRTIO_BIT(F_GUEST_ANNOUNCE) : 0) |
           (n->max_pairs > 1 ? VIRTIO_BIT(F_MQ) : 0);
}

static uint64_t all_features(const struct vnet *n)
{
    unsigned takes = n->net ? net_takes(n->net) : 0;

    return VIRTIO_BIT(F_MAC) | (n->p_mrg_rxbuf ? VIRTIO_BIT(F_MRG_RXBUF) : 0) |
           (n->p_status ? VIRTIO_BIT(F_STATUS) : 0) | (n->p_mtu ? VIRTIO_BIT(F_MTU) : 0) |
           (n->p_speed || n->p_duplex != 2 ? VIRTIO_BIT(F_SPEED_DUPLEX) : 0) |
           host_features(n, takes) | (takes ? guest_features(n) : 0) | control_features(n);
}

static int check_props(struct vnet *n, struct err *e)
{
    const uint64_t sizes[] = {n->p_rx_size, n->p_tx_size};

    for (int i = 0; i < 2; i++)
        if (!is_pow2(sizes[i]) || sizes[i] < 64 || sizes[i] > VQ_MAX_SIZE)
            return err_set(e, -EINVAL,
                           "Invalid %s_queue_size (= %" PRIu64
                           "), must be a power of 2 between 64 and %d",
                           i ? "tx" : "rx", sizes[i], VQ_MAX_SIZE);
    if (n->p_mtu && (n->p_mtu < 68 || n->p_mtu > 65535))
        return err_set(e, -EINVAL, "Property 'host_mtu' is %" PRIu64 ": want 68 to 65535",
                       n->p_mtu);
    if (n->p_speed > INT32_MAX)
        return err_set(e, -EINVAL, "Property 'speed' is %" PRIu64 ": want at most %d", n->p_speed,
                       INT32_MAX);
    if (n->p_mac)
        return net_parse_mac(n->p_mac, n->first_mac, e);
    net_next_mac(n->first_mac);
    return 0;
}

static int vnet_init(struct virtio *v, struct err *e)
{
    struct vnet *n = of(v);
    int r;

    if ((r = check_props(n, e)) < 0)
        return r;
    memcpy(n->mac, n->first_mac, 6);
    if (n->p_netdev) {
        n->net = machine_backend(v->m, "netdev", n->p_netdev);
        if (!n->net)
            return err_set(e, -ENOENT, "Property '%s.netdev' can't find value '%s'",
                           v->dev->type->name, n->p_netdev);
        if ((r = net_attach(n->net, &card, n, n->mac, e)) < 0)
            return r;
        net_on_room(n->net, room, n);
    }
    n->max_pairs = n->p_mq && n->net ? (unsigned)min_u64(net_queues(n->net), MAX_PAIRS) : 1;
    if (!(n->tx_full = calloc(n->max_pairs, sizeof(*n->tx_full))))
        fatal("out of memory");
    n->pairs = 1;
    n->status = !n->net || net_link(n->net) ? S_LINK_UP : 0;
    timer_init(&n->tx_again, v->m, CLK_REAL, transmit_all, n);
    for (unsigned i = 0; i < n->max_pairs; i++) {
        virtio_add_queues(v, 1, (unsigned)n->p_rx_size);
        virtio_add_queues(v, 1, (unsigned)n->p_tx_size);
    }
    if (n->p_ctrl_vq)
        virtio_add_queues(v, 1, CTRL_QUEUE_SIZE);
    v->host_features |= all_features(n);
    v->config_len = CONFIG_LEN;
    return 0;
}

static void vnet_fini(struct virtio *v)
{
    struct vnet *n = of(v);

    timer_cancel(&n->tx_again);
    if (n->net)
        net_detach(n->net);
    free(n->tx_full);
}

const struct virtio_type virtio_net = {
    .name = "net",
    .help = "network card",
    .class = DEV_NETWORK,
    .id = 1,
    .legacy_pci_id = 0x1000,
    .pci_class = 0x020000,
    .size = sizeof(struct vnet),
    .props = vnet_props,
    .state = vnet_state,
    .init = vnet_init,
    .fini = vnet_fini,
    .reset = vnet_reset,
    .kick = vnet_kick,
    .status = vnet_status,
    .config = vnet_config,
    .config_written = vnet_config_written,
    .loaded = vnet_loaded,
};
