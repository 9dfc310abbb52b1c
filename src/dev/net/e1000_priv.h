/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the e1000 and e1000e cards share.  All under the machine's lock. */
#ifndef DEV_NET_E1000_PRIV_H
#define DEV_NET_E1000_PRIV_H

#include "base/trace.h"
#include "dev/net/e1000_regs.h"
#include "dev/pci/pci.h"
#include "net/net.h"

enum { E1000_NVM_WORDS = 64, E1000_PHY_REGS = 32, E1000_FRAME = 16384 + 256 };

struct e1000_kept {
    struct e1000_kept *next;
    size_t len;
    uint8_t data[];
};

/** struct e1000_ctx - what a context descriptor says (3.3.6). */
struct e1000_ctx {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen;
    uint16_t ipcse, tucse, mss;
    uint32_t paylen;
    bool tcp, ipv4;
};

/** struct e1000_tx - a packet that is being put together. */
struct e1000_tx {
    struct e1000_ctx ctx;
    uint8_t popts;          /* of the packet's first data descriptor */
    bool tse, vlan, broken; /* broken: drop until its end */
    bool started;
    uint16_t tci;
    uint32_t len, segments;
    uint8_t header[256]; /* of segments */
    uint8_t frame[E1000_FRAME];
};

struct e1000 {
    struct pci_dev pci;
    struct mem regs, io, flash, msix_bar;
    bool is_e; /* 82574L */
    struct net *net;
    uint8_t mac[6];
    uint32_t reg[REGS_END / 4];
    uint16_t nvm[E1000_NVM_WORDS], phy[E1000_PHY_REGS];
    uint32_t io_addr;
    /* The serial EEPROM: bits of the command that have arrived, what goes out. */
    uint32_t ee_in, ee_out;
    uint8_t ee_bits_in, ee_bits_out;
    bool ee_reading;
    struct e1000_tx tx[2];
    struct e1000_kept *kept; /* packets that the other side had no room for; not saved */
    struct timer go_on;      /* with descriptors that are left */
    int budget;              /* packets and descriptors until then */
    uint32_t told;           /* causes that have sent their message and are still there */

    /* Properties. */
    char *p_mac, *p_netdev, *bootindex;
    uint64_t subsys, subsys_ven, disable_vnet_hdr;
    bool autoneg, mitigation, extra_mac, init_vet, migrate_tso;
};

static inline uint32_t *e1000_reg(struct e1000 *c, uint32_t off)
{
    return &c->reg[off / 4];
}
/** e1000_ring - how many descriptors a ring has; 0: there is none. */
static inline uint32_t e1000_ring(struct e1000 *c, uint32_t len_reg)
{
    return (*e1000_reg(c, len_reg) & 0xfff80) / 16;
}

extern struct trace_point e1000_trace[];
enum { E1000_TP_TX, E1000_TP_RX, E1000_TP_DROP, E1000_TP_IRQ, E1000_TP_RESET };

/* e1000.c */
void e1000_cause(struct e1000 *c, uint32_t bits);
/* e1000_tx.c */
void e1000_transmit(struct e1000 *c, unsigned q);
/** e1000_send_kept - what waits for room in the back end.  e1000_drop_kept - it is lost. */
void e1000_send_kept(struct e1000 *c);
void e1000_drop_kept(struct e1000 *c);
/* e1000_rx.c */
bool e1000_rx_ready(struct e1000 *c);
bool e1000_receive(struct e1000 *c, const struct iovec *iov, int n);
void e1000_count(struct e1000 *c, uint32_t reg, uint32_t n);
void e1000_count64(struct e1000 *c, uint32_t low, uint64_t n);
/* e1000_nvm.c: EEPROM and PHY */
void e1000_nvm_init(struct e1000 *c);
void e1000_write_eecd(struct e1000 *c, uint32_t v);
uint32_t e1000_read_eecd(struct e1000 *c);
void e1000_write_eerd(struct e1000 *c, uint32_t v);
void e1000_write_mdic(struct e1000 *c, uint32_t v);
void e1000_phy_reset(struct e1000 *c);
void e1000_set_link(struct e1000 *c, bool up);

#endif
