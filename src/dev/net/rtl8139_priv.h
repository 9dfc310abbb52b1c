/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the rtl8139 card share: rtl8139.c is the card, rtl8139_cplus.c its C+ mode.  All under the machine's lock. */
#ifndef DEV_NET_RTL8139_PRIV_H
#define DEV_NET_RTL8139_PRIV_H

#include "base/trace.h"
#include "dev/net/rx_wait.h"
#include "dev/pci/pci.h"
#include "net/net.h"

enum {
    IDR0 = 0x00,
    MAR0 = 0x08,
    TSD0 = 0x10,
    DTCCR = 0x10, /* C+ */
    TSAD0 = 0x20,
    TNPDS = 0x20, /* C+; the ring of high priority follows */
    RBSTART = 0x30,
    ERBCR = 0x34,
    CR = 0x37,
    CAPR = 0x38,
    CBR = 0x3a,
    IMR = 0x3c,
    ISR = 0x3e,
    TCR = 0x40,
    RCR = 0x44,
    TCTR = 0x48,
    MPC = 0x4c,
    EECR = 0x50,
    CONFIG0 = 0x51,
    CONFIG1 = 0x52,
    TIMERINT = 0x54,
    MSR = 0x58,
    CONFIG3 = 0x59,
    CONFIG4 = 0x5a,
    RERID = 0x5e,
    TSAD = 0x60,
    BMCR = 0x62,
    BMSR = 0x64,
    ANAR = 0x66,
    ANLPAR = 0x68,
    ANER = 0x6a,
    NWAYTR = 0x70,
    TPPOLL = 0xd9,   /* C+, as the next */
    RESERVED = 0xda, /* to DF; the RTL8169 has RMS here, and drivers tell the two apart by whether it keeps what is written */
    CPCR = 0xe0,
    RDSAR = 0xe4,
    REGS = 0x100,
};
enum { CR_RST = 0x10, CR_RE = 0x08, CR_TE = 0x04, CR_BUFE = 0x01 };
enum {
    INT_ROK = 0x01,
    INT_TOK = 0x04,
    INT_TER = 0x08,
    INT_RXOVW = 0x10,
    INT_LINK = 0x20,
    INT_TDU = 0x80,
    INT_SW = 0x100,
    INT_TIMEOUT = 0x4000,
};
enum { CPCR_TX = 1, CPCR_RX = 2, CPCR_RXCHK = 0x20, CPCR_RXVLAN = 0x40, CPCR_KEPT = 0x7b };
enum { RX_MAR = 0x8000, RX_PAM = 0x4000, RX_BAR = 0x2000 };
enum { MIN_FRAME = 60, MAX_FRAME = 1792, RTL_BUFFERS = 4, RTL_RING = 64 /* descriptors */, RTL_LARGE = 65536 + 64 };

/* What is counted for DTCCR (data sheet of the C+, 6). */
enum { RTL_TX_OK, RTL_RX_OK, RTL_TX_BAD, RTL_MISSED, RTL_RX_GROUP, RTL_RX_ALL, RTL_TALLIES };

struct rtl8139 {
    struct pci_dev pci;
    struct net *net;
    struct mem io, mmio;
    uint8_t mac[6];
    uint8_t regs[REGS];   /* what is simply kept, little endian */
    uint32_t tsd[RTL_BUFFERS];
    uint16_t isr, imr, capr, cbr;
    uint8_t next_tx;      /* the buffer that is sent next */
    uint16_t eeprom[64];
    uint32_t ee_in;       /* bits of a command, a 1 in front */
    uint32_t ee_out;      /* bits to come, the next one at 15 */
    uint8_t ee_bits, ee_reading;
    uint64_t timer_base;  /* virtual ns at which TCTR was 0 */
    struct timer timer;
    /* C+: rings of normal and of high priority. */
    uint8_t rx_at, tx_at[2]; /* the descriptor that is next */
    uint8_t polled;          /* rings that are being sent: 1 normal, 2 high */
    uint32_t tx_segment[2];  /* of the large packet at tx_at: how many have gone */
    uint64_t tally[RTL_TALLIES];
    struct rx_wait wait;
    struct timer go_on;       /* with packets that are left */
    uint32_t budget;          /* packets and segments until then */
    uint8_t frame[RTL_LARGE]; /* of rtl8139_cplus_transmit alone */
    char *p_mac, *p_netdev, *bootindex;
};

enum { RTL_TP_TX, RTL_TP_RX, RTL_TP_DROP };
extern struct trace_point rtl8139_trace[];

/* rtl8139.c */
uint32_t rtl8139_reg(const struct rtl8139 *c, unsigned off);
void rtl8139_cause(struct rtl8139 *c, uint16_t bits);
/** rtl8139_send - a frame of at least 14 bytes to the other side, or back; false: that has no room. */
bool rtl8139_send(struct rtl8139 *c, uint8_t *frame, uint32_t len);

/* rtl8139_cplus.c */
static inline bool rtl8139_is_cplus(const struct rtl8139 *c)
{
    return c->regs[CPCR] & (CPCR_TX | CPCR_RX);
}
/** rtl8139_cplus_receive - @why: RX_MAR and the like.  False: the guest has given no room. */
bool rtl8139_cplus_receive(struct rtl8139 *c, const uint8_t *frame, uint32_t len, uint32_t why);
/** rtl8139_cplus_transmit - what is in the polled rings, as far as the other side takes it. */
void rtl8139_cplus_transmit(struct rtl8139 *c);
void rtl8139_cplus_poll(struct rtl8139 *c, uint8_t tppoll);
/** rtl8139_cplus_wrote - [off, off + size) of the registers has been written. */
void rtl8139_cplus_wrote(struct rtl8139 *c, unsigned off, unsigned size);
void rtl8139_cplus_reset(struct rtl8139 *c);

#endif
