/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000: receiving: filters, descriptors, checksums (manual 317453, 3.2; 82574 datasheet, 7.1). */
#include "dev/net/e1000_priv.h"

#include "base/bytes.h"
#include "dev/net/inet_sum.h"

enum { MIN_FRAME = 60, MAX_FRAME = 1514, VLAN_TAG = 4, CRC = 4, LONGEST = 16384 };

void e1000_count(struct e1000 *c, uint32_t reg, uint32_t n)
{
    uint32_t *r = e1000_reg(c, reg);

    *r = UINT32_MAX - *r < n ? UINT32_MAX : *r + n; /* counters stick at their end */
}

void e1000_count64(struct e1000 *c, uint32_t low, uint64_t n)
{
    uint64_t v = *e1000_reg(c, low) | (uint64_t)*e1000_reg(c, low + 4) << 32;

    v += n;
    *e1000_reg(c, low) = v;
    *e1000_reg(c, low + 4) = v >> 32;
}

/* Filters (3.2.1) ---------------------------------------------------------------------------------- */

static bool unicast_matches(struct e1000 *c, const uint8_t *f)
{
    for (uint32_t ra = RAL0; ra < RA_END; ra += 8) {
        uint32_t high = *e1000_reg(c, ra + 4);

        if (high & RAH_AV && get_le32(f) == *e1000_reg(c, ra) && get_le16(f + 4) == (high & 0xffff))
            return true;
    }
    return false;
}

static bool multicast_matches(struct e1000 *c, const uint8_t *f)
{
    static const uint8_t shifts[] = {4, 3, 2, 0};
    uint32_t hash = get_le16(f + 4) >> shifts[*e1000_reg(c, RCTL) >> 12 & 3] & 0xfff;

    return *e1000_reg(c, MTA + (hash >> 5) * 4) >> (hash & 31) & 1;
}

static bool vlan_matches(struct e1000 *c, const uint8_t *f, uint32_t len)
{
    uint16_t id;

    if (!(*e1000_reg(c, RCTL) & RCTL_VFE) || len < 18 ||
        (uint32_t)(f[12] << 8 | f[13]) != (*e1000_reg(c, VET) & 0xffff))
        return true;
    id = (f[14] << 8 | f[15]) & 0xfff;
    return *e1000_reg(c, VFTA + (id >> 5) * 4) >> (id & 31) & 1;
}

static bool passes(struct e1000 *c, const uint8_t *f, uint32_t len)
{
    uint32_t rctl = *e1000_reg(c, RCTL);
    bool group = f[0] & 1, all = group && !memcmp(f, "\xff\xff\xff\xff\xff\xff", 6);

    if (!vlan_matches(c, f, len))
        return false;
    if (all)
        return rctl & RCTL_BAM || rctl & RCTL_MPE || multicast_matches(c, f);
    if (group)
        return rctl & RCTL_MPE || unicast_matches(c, f) || multicast_matches(c, f);
    return rctl & RCTL_UPE || unicast_matches(c, f);
}

/* Rings -------------------------------------------------------------------------------------------- */

static uint32_t buffer_size(struct e1000 *c)
{
    uint32_t rctl = *e1000_reg(c, RCTL), size = 2048u >> (rctl >> 16 & 3);

    return rctl & RCTL_BSEX && size < 2048 ? size * 16 : size;
}

static uint32_t free_descriptors(struct e1000 *c)
{
    uint32_t n = e1000_ring(c, RDLEN), head = *e1000_reg(c, RDH), tail = *e1000_reg(c, RDT);

    if (!n || head >= n || tail >= n)
        return 0;
    return tail >= head ? tail - head : tail + n - head;
}

static bool receiving(struct e1000 *c)
{
    return *e1000_reg(c, RCTL) & RCTL_EN && *e1000_reg(c, STATUS) & STATUS_LU &&
           pci_dma_on(&c->pci);
}

/* A card that does not receive takes everything, and forgets it. */
bool e1000_rx_ready(struct e1000 *c)
{
    return !receiving(c) || free_descriptors(c);
}

/* What is known of the packet: status and error bits of its last descriptor (3.2.9). */
static void check_sums(struct e1000 *c, const uint8_t *f, uint32_t len, uint32_t *status,
                       uint32_t *errors)
{
    uint32_t ctl = *e1000_reg(c, RXCSUM), ihl, total;
    const uint8_t *ip = f + 14;
    bool tcp, udp;

    if (len < 34 || f[12] != 8 || f[13] || ip[0] >> 4 != 4) {
        *status |= RXD_IXSM;
        return;
    }
    ihl = (ip[0] & 15) * 4;
    total = ip[2] << 8 | ip[3];
    if (ihl < 20 || total < ihl || 14 + total > len) {
        *status |= RXD_IXSM;
        return;
    }
    if (ctl & RXCSUM_IPOFL) {
        *status |= RXD_IPCS;
        *errors |= inet_sum(ip, ihl, 0) == 0xffff ? 0 : RXE_IPE;
    }
    tcp = ip[9] == 6 && total >= ihl + 20;
    udp = ip[9] == 17 && total >= ihl + 8 && (ip[ihl + 6] || ip[ihl + 7]);
    if (!(ctl & RXCSUM_TUOFL) || !(tcp || udp) || (ip[6] & 0x3f) || ip[7])
        return;
    *status |= tcp ? RXD_TCPCS : RXD_TCPCS | RXD_UDPCS;
    if (inet_sum(ip + ihl, total - ihl, inet_sum(ip + 12, 8, ip[9] + total - ihl)) !=
        0xffff)
        *errors |= RXE_TCPE;
}

struct rx {
    const uint8_t *f;
    uint32_t len; /* with CRC, if it is kept */
    uint16_t tci;
    uint32_t status, errors;
};

static void write_back(struct e1000 *c, uint64_t at, uint8_t *d, const struct rx *r, uint32_t part,
                       bool last)
{
    uint32_t status = RXD_DD | (last ? RXD_EOP | r->status : 0), errors = last ? r->errors : 0;

    memset(d, 0, 16);
    if (c->is_e && *e1000_reg(c, RFCTL) & RFCTL_EXSTEN) {
        put_le32(d + 8, status | errors << 24);
        put_le16(d + 12, part);
        put_le16(d + 14, last ? r->tci : 0);
        pci_dma_write(&c->pci, at, d, 8);
    } else {
        put_le16(d + 8, part);
        d[12] = status;
        d[13] = errors;
        put_le16(d + 14, last ? r->tci : 0);
    }
    pci_dma_write(&c->pci, at + 8, d + 8, 8); /* the status comes with the last write */
}

/* As many descriptors as it takes; there are enough. */
static void deliver(struct e1000 *c, struct rx *r)
{
    uint32_t size = buffer_size(c), n = e1000_ring(c, RDLEN), *head = e1000_reg(c, RDH);
    uint64_t base = *e1000_reg(c, RDBAL) | (uint64_t)*e1000_reg(c, RDBAH) << 32;

    for (uint32_t done = 0, part; done < r->len; done += part) {
        uint64_t at = (base & ~15ull) + 16ull * *head;
        uint8_t d[16];

        part = r->len - done < size ? r->len - done : size;
        pci_dma_read(&c->pci, at, d, sizeof(d));
        if (get_le64(d))
            pci_dma_write(&c->pci, get_le64(d), r->f + done, part);
        write_back(c, at, d, r, part, done + part == r->len);
        *head = *head + 1 == n ? 0 : *head + 1;
    }
}

static void count_received(struct e1000 *c, const uint8_t *f, uint32_t len)
{
    bool group = f[0] & 1, all = group && !memcmp(f, "\xff\xff\xff\xff\xff\xff", 6);

    e1000_count(c, TPR, 1);
    e1000_count(c, GPRC, 1);
    e1000_count(c, all ? BPRC : MPRC, group);
    e1000_count64(c, TORL, len + CRC);
    e1000_count64(c, GORCL, len + CRC);
}

/* The tag goes into the descriptor when the guest wants it there. */
static void strip_vlan(struct e1000 *c, uint8_t *f, struct rx *r)
{
    if (!(*e1000_reg(c, CTRL) & CTRL_VME) || r->len < 18 ||
        (uint32_t)(f[12] << 8 | f[13]) != (*e1000_reg(c, VET) & 0xffff))
        return;
    r->tci = f[14] << 8 | f[15];
    r->status |= RXD_VP;
    memmove(f + 12, f + 16, r->len - 16);
    r->len -= VLAN_TAG;
}

static void overrun(struct e1000 *c)
{
    e1000_count(c, MPC, 1);
    e1000_count(c, RNBC, 1);
    e1000_cause(c, ICR_RXO | (c->is_e ? ICR_OTHER : 0));
}

static void tell_received(struct e1000 *c)
{
    uint32_t n = e1000_ring(c, RDLEN), threshold = n >> ((*e1000_reg(c, RCTL) >> 8 & 3) + 1);

    e1000_cause(c, ICR_RXT0 | (free_descriptors(c) <= threshold ? ICR_RXDMT0 : 0) |
                       (c->is_e ? ICR_RXQ0 : 0));
}

bool e1000_receive(struct e1000 *c, const struct iovec *iov, int n)
{
    static uint8_t f[LONGEST + 64]; /* under the machine's lock */
    struct rx r = {.f = f};
    uint32_t rctl = *e1000_reg(c, RCTL), size;

    if (!receiving(c))
        return true;
    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > LONGEST - r.len)
            return true; /* longer than any frame */
        memcpy(f + r.len, iov[i].iov_base, iov[i].iov_len);
        r.len += iov[i].iov_len;
    }
    if (r.len < MIN_FRAME) {
        memset(f + r.len, 0, MIN_FRAME - r.len);
        r.len = MIN_FRAME;
    }
    if ((r.len > MAX_FRAME + VLAN_TAG && !(rctl & RCTL_LPE)) || !passes(c, f, r.len)) {
        TRACE(&e1000_trace[E1000_TP_DROP], "len=%u", r.len);
        return true;
    }
    size = buffer_size(c);
    if ((uint64_t)free_descriptors(c) * size < r.len + CRC) {
        overrun(c);
        return false;
    }
    count_received(c, f, r.len);
    strip_vlan(c, f, &r);
    check_sums(c, f, r.len, &r.status, &r.errors);
    if (!(rctl & RCTL_SECRC)) {
        memset(f + r.len, 0, CRC);
        r.len += CRC;
    }
    TRACE(&e1000_trace[E1000_TP_RX], "len=%u", r.len);
    deliver(c, &r);
    tell_received(c);
    return true;
}
