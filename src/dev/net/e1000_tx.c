/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000: transmitting: descriptors, checksums, segmentation (manual 317453, 3.3 to 3.5). */
#include "dev/net/e1000_priv.h"

#include "base/bytes.h"
#include "dev/net/inet_sum.h"

#include <stdlib.h>

enum { KEEP = 256, BUDGET = 1024 };

static uint16_t get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = v >> 8;
    p[1] = v;
}

/* 3.5: the ones' complement over [start, end] goes to @at; 0 as end: to the end of the packet. */
static void insert_checksum(uint8_t *f, uint32_t len, uint32_t at, uint32_t start, uint32_t end)
{
    uint32_t n = end && end < len ? end + 1 : len;

    if (start < n && at + 2 <= n)
        put16(f + at, ~inet_sum(f + start, n - start, 0));
}

static void count_sent(struct e1000 *c, const uint8_t *f, uint32_t len)
{
    bool group = f[0] & 1, all = group && !memcmp(f, "\xff\xff\xff\xff\xff\xff", 6);

    e1000_count(c, TPT, 1);
    e1000_count(c, GPTC, 1);
    e1000_count(c, all ? BPTC : MPTC, group);
    e1000_count64(c, TOTL, len + 4);
    e1000_count64(c, GOTCL, len + 4);
}

static bool loops_back(struct e1000 *c)
{
    return *e1000_reg(c, RCTL) & RCTL_LBM || c->phy[0] & 0x4000;
}

/* What the other side has no room for waits here, and no descriptor is looked at meanwhile.  One descriptor can
 * become many segments: more than KEEP are lost, as on a wire. */
static void keep(struct e1000 *c, const struct iovec *iov, int n)
{
    struct e1000_kept **end = &c->kept, *k;
    unsigned count = 0;
    size_t len = 0;

    for (; *end; end = &(*end)->next)
        count++;
    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    if (count == KEEP || !(k = malloc(sizeof(*k) + len)))
        return;
    k->next = NULL;
    k->len = 0;
    for (int i = 0; i < n; k->len += iov[i++].iov_len)
        memcpy(k->data + k->len, iov[i].iov_base, iov[i].iov_len);
    *end = k;
}

static void drop_first(struct e1000 *c)
{
    struct e1000_kept *k = c->kept;

    c->kept = k->next;
    free(k);
}

void e1000_drop_kept(struct e1000 *c)
{
    while (c->kept)
        drop_first(c);
}

void e1000_send_kept(struct e1000 *c)
{
    while (c->kept) {
        struct iovec iov = {c->kept->data, c->kept->len};

        if (!net_send(c->net, 0, &iov, 1, NULL))
            return;
        drop_first(c);
    }
}

/* The frame, with its VLAN tag if the descriptor asks for one. */
static void send(struct e1000 *c, struct e1000_tx *t)
{
    uint8_t tag[4];
    struct iovec iov[3] = {{t->frame, t->len}};
    int n = 1;

    if (t->len < 14)
        return;
    if (t->vlan && *e1000_reg(c, CTRL) & CTRL_VME) {
        put16(tag, *e1000_reg(c, VET));
        put16(tag + 2, t->tci);
        iov[0] = (struct iovec){t->frame, 12};
        iov[1] = (struct iovec){tag, 4};
        iov[2] = (struct iovec){t->frame + 12, t->len - 12};
        n = 3;
    }
    TRACE(&e1000_trace[E1000_TP_TX], "len=%u", t->len);
    c->budget--;
    count_sent(c, t->frame, t->len);
    if (loops_back(c))
        e1000_receive(c, iov, n);
    else if (c->net && (c->kept || !net_send(c->net, 0, iov, n, NULL)))
        keep(c, iov, n);
}

/* One segment of a larger packet: lengths, identification, sequence number, flags are its own; the pseudo header's
 * sum, which the driver leaves in the header, lacks the length (3.5.2). */
static void adjust_segment(struct e1000_tx *t, bool last)
{
    const struct e1000_ctx *x = &t->ctx;
    uint8_t *ip = t->frame + x->ipcss, *l4 = t->frame + x->tucss;
    uint32_t rest = t->len - x->tucss, seq;

    if (x->ipv4) {
        put16(ip + 2, t->len - x->ipcss);
        put16(ip + 4, get16(ip + 4) + t->segments);
    } else {
        put16(ip + 4, t->len - x->ipcss - 40);
    }
    if (x->tcp) {
        seq = ((uint32_t)get16(l4 + 4) << 16 | get16(l4 + 6)) + t->segments * x->mss;
        put16(l4 + 4, seq >> 16);
        put16(l4 + 6, seq);
        if (!last)
            l4[13] &= ~9; /* FIN and PSH */
    } else {
        put16(l4 + 4, rest);
    }
    if (t->popts & 2 && x->tucso + 2u <= t->len) {
        uint32_t sum = get16(t->frame + x->tucso) + (rest >> 16) + (rest & 0xffff);

        sum = (sum & 0xffff) + (sum >> 16);
        put16(t->frame + x->tucso, (sum & 0xffff) + (sum >> 16));
    }
}

/* Headers lie in their order within the frame: who says otherwise gets no segments. */
static bool segmentable(const struct e1000_tx *t)
{
    const struct e1000_ctx *x = &t->ctx;

    return x->mss && x->hdrlen + (uint32_t)x->mss <= E1000_FRAME && x->ipcss + 20u <= x->tucss &&
           x->tucss + (x->tcp ? 20u : 8u) <= x->hdrlen && (x->ipv4 || x->ipcss + 40u <= x->tucss);
}

static void finish(struct e1000 *c, struct e1000_tx *t, bool last)
{
    const struct e1000_ctx *x = &t->ctx;

    if (t->tse)
        adjust_segment(t, last);
    if (t->popts & 2)
        insert_checksum(t->frame, t->len, x->tucso, x->tucss, x->tucse);
    if (t->popts & 1)
        insert_checksum(t->frame, t->len, x->ipcso, x->ipcss, x->ipcse);
    send(c, t);
    if (t->tse) {
        t->segments++;
        memcpy(t->frame, t->header, x->hdrlen);
        t->len = x->hdrlen;
    }
}

/* @len bytes of the guest's at @at.  A large packet is cut as it comes: the headers are kept for each segment. */
static void take(struct e1000 *c, struct e1000_tx *t, uint64_t at, uint32_t len)
{
    while (len && !t->broken) {
        uint32_t limit = !t->tse                  ? E1000_FRAME
                         : t->len < t->ctx.hdrlen ? t->ctx.hdrlen
                                                  : t->ctx.hdrlen + t->ctx.mss;
        uint32_t part = limit - t->len < len ? limit - t->len : len;

        if (!part && !t->tse) {
            t->broken = true;
            break;
        }
        if (!part) {
            finish(c, t, false);
            continue;
        }
        pci_dma_read(&c->pci, at, t->frame + t->len, part);
        t->len += part;
        at += part;
        len -= part;
        if (t->tse && t->len == t->ctx.hdrlen && !t->segments)
            memcpy(t->header, t->frame, t->len);
    }
}

static void begin(struct e1000_tx *t)
{
    struct e1000_ctx x = t->ctx;

    t->popts = 0;
    t->tse = t->vlan = t->broken = t->started = false;
    t->len = t->segments = 0;
    t->ctx = x;
}

static void end(struct e1000 *c, struct e1000_tx *t)
{
    if (!t->broken && t->len && !(t->tse && t->len < t->ctx.hdrlen))
        finish(c, t, true);
    if (t->tse)
        e1000_count(c, TSCTC, 1);
    begin(t);
}

static void context(struct e1000_tx *t, const uint8_t *d)
{
    uint32_t w2 = get_le32(d + 8);

    t->ctx = (struct e1000_ctx){.ipcss = d[0],
                                .ipcso = d[1],
                                .ipcse = get_le16(d + 2),
                                .tucss = d[4],
                                .tucso = d[5],
                                .tucse = get_le16(d + 6),
                                .paylen = w2 & 0xfffff,
                                .tcp = w2 & TX_CTX_TCP,
                                .ipv4 = w2 & TX_CTX_IPV4,
                                .hdrlen = d[13],
                                .mss = get_le16(d + 14)};
}

static void data(struct e1000 *c, struct e1000_tx *t, const uint8_t *d)
{
    uint32_t w2 = get_le32(d + 8);

    if (!t->started) {
        t->started = true;
        t->popts = d[13] & 3;
        t->tse = w2 & TXD_TSE;
        t->broken = t->tse && !segmentable(t);
    }
    if (w2 & TXD_EOP) {
        t->vlan = w2 & TXD_VLE;
        t->tci = get_le16(d + 14);
    }
    take(c, t, get_le64(d), w2 & 0xfffff);
}

static void legacy(struct e1000 *c, struct e1000_tx *t, const uint8_t *d)
{
    uint32_t w2 = get_le32(d + 8);

    t->started = true;
    take(c, t, get_le64(d), w2 & 0xffff);
    if (!(w2 & TXD_EOP))
        return;
    t->vlan = w2 & TXD_VLE;
    t->tci = get_le16(d + 14);
    if (w2 & TXD_IC && t->len) {
        uint32_t start = d[13];

        insert_checksum(t->frame, t->len, d[10], start, 0);
    }
}

/* One descriptor; what has to be told of it. */
static uint32_t descriptor(struct e1000 *c, struct e1000_tx *t, uint64_t at)
{
    uint8_t d[16];
    uint32_t w2;

    pci_dma_read(&c->pci, at, d, sizeof(d));
    w2 = get_le32(d + 8);
    if (w2 & TXD_DEXT && (w2 & TXD_TYPE) == 0) {
        context(t, d);
    } else if (w2 & TXD_DEXT && (w2 & TXD_TYPE) != TXD_DATA) {
        guest_error(&c->pci.dev, "transmit descriptor of unknown type %#x", w2);
    } else {
        if (w2 & TXD_DEXT)
            data(c, t, d);
        else
            legacy(c, t, d);
        if (w2 & TXD_EOP)
            end(c, t);
    }
    if (!(w2 & TXD_RS))
        return 0;
    put_le32(d + 12, get_le32(d + 12) | TXD_DD);
    pci_dma_write(&c->pci, at + 12, d + 12, 4);
    return ICR_TXDW;
}

/* Others want the machine's lock, too: after BUDGET packets the rest is left to the timer, which comes at once. */
void e1000_transmit(struct e1000 *c, unsigned q)
{
    uint32_t step = q * QUEUE_STEP, n = e1000_ring(c, TDLEN + step), causes = ICR_TXQE;
    uint32_t *head = e1000_reg(c, TDH + step), *tail = e1000_reg(c, TDT + step);
    uint64_t base = *e1000_reg(c, TDBAL + step) | (uint64_t)*e1000_reg(c, TDBAH + step) << 32;

    if (!(*e1000_reg(c, TCTL) & TCTL_EN) || *head == *tail || !n || !pci_dma_on(&c->pci))
        return;
    c->budget = BUDGET;
    while (c->budget > 0 && *head != *tail && *head < n && !c->kept) {
        c->budget--;
        causes |= descriptor(c, &c->tx[q], (base & ~15ull) + 16ull * *head);
        *head = *head + 1 == n ? 0 : *head + 1;
    }
    if (c->budget <= 0)
        timer_at(&c->go_on, clock_now(c->pci.dev.m, CLK_VIRT));
    if (*head != *tail)
        causes &= ~(uint32_t)ICR_TXQE;
    e1000_cause(c, causes | (causes & ICR_TXDW && c->is_e ? ICR_TXQ0 << q : 0));
}
