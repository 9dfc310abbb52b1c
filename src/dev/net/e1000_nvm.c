/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000: the EEPROM (Microwire, EERD) and the PHY (MDIC): manual 317453, 5 and 13.4.3 to 13.4.8; IEEE 802.3 clause 22. */
#include "dev/net/e1000_priv.h"

#include "base/bytes.h"

enum { NVM_SUM = 0xbaba };

void e1000_nvm_init(struct e1000 *c)
{
    uint16_t sum = 0;

    memset(c->nvm, 0, sizeof(c->nvm));
    for (int i = 0; i < 3; i++)
        c->nvm[i] = c->mac[2 * i] | c->mac[2 * i + 1] << 8;
    c->nvm[0x03] = c->is_e ? 0x0420 : 0;
    c->nvm[0x05] = c->is_e ? 0xf746 : 0;
    c->nvm[0x08] = 0x3000;
    c->nvm[0x09] = c->is_e ? 0 : 0x1000;
    c->nvm[0x0a] = c->is_e ? 0x64c9 : 0x6403;
    c->nvm[0x0b] = pci_get16(&c->pci, PCI_SUBSYSTEM_ID);
    c->nvm[0x0c] = pci_get16(&c->pci, PCI_SUBSYSTEM_VENDOR_ID);
    c->nvm[0x0d] = pci_get16(&c->pci, PCI_DEVICE_ID);
    c->nvm[0x0e] = pci_get16(&c->pci, PCI_VENDOR_ID);
    c->nvm[0x0f] = c->is_e ? 0x2580 : 0x3040;
    for (int i = 0; i < E1000_NVM_WORDS - 1; i++)
        sum += c->nvm[i];
    c->nvm[E1000_NVM_WORDS - 1] = NVM_SUM - sum;
}

/* Microwire: while chip select is high a bit is taken on each rising clock: start bit, two of operation, six of
 * address.  After a read's address come a zero and sixteen bits of data, the highest first. */
enum { EE_START_READ = 6, EE_COMMAND_BITS = 9 };

static void clock_rises(struct e1000 *c, bool di)
{
    if (c->ee_reading) {
        if (c->ee_bits_out)
            c->ee_bits_out--;
        return;
    }
    if (!c->ee_bits_in && !di)
        return; /* not started */
    c->ee_in = c->ee_in << 1 | di;
    if (++c->ee_bits_in < EE_COMMAND_BITS)
        return;
    if (c->ee_in >> 6 == EE_START_READ) {
        c->ee_reading = true;
        c->ee_out = c->nvm[c->ee_in & 0x3f];
        c->ee_bits_out = 17;
    }
    c->ee_in = c->ee_bits_in = 0;
}

void e1000_write_eecd(struct e1000 *c, uint32_t v)
{
    uint32_t old = *e1000_reg(c, EECD);

    *e1000_reg(c, EECD) = v & (EECD_SK | EECD_CS | EECD_DI | EECD_REQ | 0x30);
    if (!(v & EECD_CS)) {
        c->ee_in = c->ee_bits_in = c->ee_bits_out = 0;
        c->ee_reading = false;
    } else if (v & ~old & EECD_SK) {
        clock_rises(c, v & EECD_DI);
    }
}

uint32_t e1000_read_eecd(struct e1000 *c)
{
    uint32_t v = *e1000_reg(c, EECD) | EECD_PRES;
    unsigned n = c->ee_bits_out; /* 17: the zero before the data */
    bool bit = !c->ee_reading || (n && n <= 16 && c->ee_out >> (n - 1) & 1);

    if (v & EECD_REQ)
        v |= EECD_GNT;
    if (c->is_e)
        v |= EECD_AUTO_RD | 1 << 23 | 1 << 10; /* auto-read done; flash; its size */
    return bit ? v | EECD_DO : v;
}

void e1000_write_eerd(struct e1000 *c, uint32_t v)
{
    unsigned word = c->is_e ? v >> 2 & 0x3fff : v >> 8 & 0xff;
    uint32_t done = c->is_e ? 1 << 1 : 1 << 4;

    if (v & 1)
        v = (v & 0xffff & ~1u) | done |
            (uint32_t)(word < E1000_NVM_WORDS ? c->nvm[word] : 0xffff) << 16;
    *e1000_reg(c, EERD) = v;
}

/* PHY ------------------------------------------------------------------------------------------ */

enum {
    PHY_CTRL = 0,
    PHY_STATUS = 1,
    PHY_ID1 = 2,
    PHY_ID2 = 3,
    PHY_ADVERTISE = 4,
    PHY_PARTNER = 5,
    PHY_EXPANSION = 6,
    PHY_1000_CTRL = 9,
    PHY_1000_STATUS = 10,
    PHY_EXT_STATUS = 15,
    PHY_SPEC_CTRL = 16,
    PHY_SPEC_STATUS = 17,
    PHY_PAGE = 22, /* 82574 */
};
enum {
    BMCR_RESET = 0x8000,
    BMCR_AUTONEG = 0x1000,
    BMCR_RESTART = 0x0200,
    BMSR_LINK = 4,
    BMSR_AUTONEG_DONE = 0x20,
    SPEC_LINK = 0xac08, /* 1000 Mb/s, full duplex, resolved, link */
};

/* What a link partner of the same kind answers. */
void e1000_set_link(struct e1000 *c, bool up)
{
    uint32_t *status = e1000_reg(c, STATUS);

    *status = up ? *status | STATUS_LU : *status & ~(uint32_t)STATUS_LU;
    c->phy[PHY_STATUS] = up ? c->phy[PHY_STATUS] | BMSR_LINK | BMSR_AUTONEG_DONE
                            : c->phy[PHY_STATUS] & ~(BMSR_LINK | BMSR_AUTONEG_DONE);
    c->phy[PHY_SPEC_STATUS] = up ? SPEC_LINK : 0x8000;
    c->phy[PHY_PARTNER] = up ? 0x4de1 : 0;
    c->phy[PHY_1000_STATUS] = up ? 0x3c00 : 0;
}

void e1000_phy_reset(struct e1000 *c)
{
    memset(c->phy, 0, sizeof(c->phy));
    c->phy[PHY_CTRL] = 0x1140;
    c->phy[PHY_STATUS] = 0x7949;
    c->phy[PHY_ID1] = 0x0141;
    c->phy[PHY_ID2] = c->is_e ? 0x0cb1 : 0x0c20;
    c->phy[PHY_ADVERTISE] = 0x0de1;
    c->phy[PHY_EXPANSION] = 1;
    c->phy[PHY_1000_CTRL] = 0x0e00;
    c->phy[PHY_EXT_STATUS] = 0x3000;
    c->phy[PHY_SPEC_CTRL] = 0x0360;
    e1000_set_link(c, !c->net || net_link(c->net));
}

static bool phy_writable(unsigned r)
{
    return r == PHY_CTRL || r == PHY_ADVERTISE || r == PHY_1000_CTRL || r == PHY_SPEC_CTRL ||
           r > PHY_SPEC_STATUS;
}

static void phy_write(struct e1000 *c, unsigned r, uint16_t v)
{
    if (!phy_writable(r))
        return;
    c->phy[r] = v;
    if (r != PHY_CTRL)
        return;
    c->phy[r] = v & ~(BMCR_RESET | BMCR_RESTART);
    if (v & BMCR_RESET)
        e1000_phy_reset(c);
    if (v & BMCR_AUTONEG && v & BMCR_RESTART && c->phy[PHY_STATUS] & BMSR_LINK)
        e1000_cause(c, ICR_LSC);
}

/* Done at once.  The PHY is at address 1; the 82574 leaves the address out of account. */
void e1000_write_mdic(struct e1000 *c, uint32_t v)
{
    unsigned r = v >> 16 & 0x1f, address = v >> 21 & 0x1f;

    if (address != 1)
        v |= MDIC_ERROR;
    else if (v & MDIC_READ)
        v = (v & 0xffff0000) | c->phy[r];
    else if (v & MDIC_WRITE)
        phy_write(c, r, v);
    *e1000_reg(c, MDIC) = v | MDIC_READY;
    if (v & MDIC_IRQ)
        e1000_cause(c, ICR_MDAC);
}
