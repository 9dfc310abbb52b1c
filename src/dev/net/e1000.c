/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000 (82540EM) and e1000e (82574L): Gigabit Ethernet cards: registers and interrupts
 * (PCI/PCI-X Family Software Developer's Manual, 317453; 82574 datasheet, 317694). */
#include "dev/net/e1000_priv.h"

#include "base/bytes.h"
#include "dev/pci/pcie.h"

#include <errno.h>

enum { REGS_SIZE = 0x20000, IO_SIZE = 0x40, IO_SIZE_E = 0x20, FLASH_SIZE = 0x20000 };
enum { IO_ADDR = 0, IO_DATA = 4, VECTORS = 5, MSIX_BAR = 3, MSIX_SIZE = 0x4000 };

struct trace_point e1000_trace[] = {
    [E1000_TP_TX] = {.name = "e1000_tx"},       [E1000_TP_RX] = {.name = "e1000_rx"},
    [E1000_TP_DROP] = {.name = "e1000_drop"},   [E1000_TP_IRQ] = {.name = "e1000_irq"},
    [E1000_TP_RESET] = {.name = "e1000_reset"}, {.name = NULL},
};

static const struct field props[] = {
    PCI_FIELDS(e1000, pci),
    FIELD(e1000, p_mac, F_STR, "mac", NULL, "address, 52:54:00:12:34:56"),
    FIELD(e1000, p_netdev, F_STR, "netdev", NULL, "ID of the back end"),
    FIELD(e1000, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD(e1000, autoneg, F_BOOL, "autonegotiation", "on",
          "has no effect: the link is there at once"),
    FIELD(e1000, mitigation, F_BOOL, "mitigation", "on", "has no effect"),
    FIELD(e1000, extra_mac, F_BOOL, "extra_mac_registers", "on", "has no effect: they are there"),
    FIELD(e1000, migrate_tso, F_BOOL, "migrate_tso_props", "on", "has no effect"),
    FIELD(e1000, init_vet, F_BOOL, "init-vet", "on", "VLAN's type is there after a reset"),
    FIELD_END,
};

static const struct field props_e[] = {
    PCI_FIELDS(e1000, pci),
    FIELD(e1000, p_mac, F_STR, "mac", NULL, "address, 52:54:00:12:34:56"),
    FIELD(e1000, p_netdev, F_STR, "netdev", NULL, "ID of the back end"),
    FIELD(e1000, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD(e1000, subsys_ven, F_U64, "subsys_ven", "32902", "subsystem vendor"),
    FIELD(e1000, subsys, F_U64, "subsys", "0", "subsystem"),
    FIELD(e1000, disable_vnet_hdr, F_U64, "disable_vnet_hdr", "0", "has no effect"),
    FIELD(e1000, init_vet, F_BOOL, "init-vet", "on", "VLAN's type is there after a reset"),
    FIELD_END,
};

static const struct state ctx_state[] = {
    STATE(e1000_ctx, ipcss, S_U8, 1, NULL),   STATE(e1000_ctx, ipcso, S_U8, 1, NULL),
    STATE(e1000_ctx, tucss, S_U8, 1, NULL),   STATE(e1000_ctx, tucso, S_U8, 1, NULL),
    STATE(e1000_ctx, hdrlen, S_U8, 1, NULL),  STATE(e1000_ctx, ipcse, S_U16, 1, NULL),
    STATE(e1000_ctx, tucse, S_U16, 1, NULL),  STATE(e1000_ctx, mss, S_U16, 1, NULL),
    STATE(e1000_ctx, paylen, S_U32, 1, NULL), STATE(e1000_ctx, tcp, S_BOOL, 1, NULL),
    STATE(e1000_ctx, ipv4, S_BOOL, 1, NULL),  STATE_END,
};
static const struct state tx_state[] = {
    {.name = "ctx",
     .kind = S_STRUCT,
     .offset = offsetof(struct e1000_tx, ctx),
     .n = 1,
     .elem = sizeof(struct e1000_ctx),
     .since = 1,
     .table = ctx_state},
    STATE(e1000_tx, popts, S_U8, 1, NULL),
    STATE(e1000_tx, tse, S_BOOL, 1, NULL),
    STATE(e1000_tx, vlan, S_BOOL, 1, NULL),
    STATE(e1000_tx, broken, S_BOOL, 1, NULL),
    STATE(e1000_tx, started, S_BOOL, 1, NULL),
    STATE(e1000_tx, tci, S_U16, 1, NULL),
    STATE(e1000_tx, len, S_U32, 1, "bytes of the packet that is being put together"),
    STATE(e1000_tx, segments, S_U32, 1, NULL),
    STATE(e1000_tx, header, S_U8, 1, NULL),
    STATE(e1000_tx, frame, S_U8, 1, NULL),
    STATE_END,
};
static const struct state state[] = {
    PCI_STATE(e1000, pci),
    STATE(e1000, reg, S_U32, 1, "registers"),
    STATE(e1000, nvm, S_U16, 1, "EEPROM"),
    STATE(e1000, phy, S_U16, 1, "PHY"),
    STATE(e1000, told, S_U32, 1, "causes whose message has been sent"),
    STATE_TIMER(e1000, go_on, 1, NULL),
    STATE(e1000, io_addr, S_U32, 1, NULL),
    STATE(e1000, ee_in, S_U32, 1, NULL),
    STATE(e1000, ee_out, S_U32, 1, NULL),
    STATE(e1000, ee_bits_in, S_U8, 1, NULL),
    STATE(e1000, ee_bits_out, S_U8, 1, NULL),
    STATE(e1000, ee_reading, S_BOOL, 1, NULL),
    STATE_STRUCTS(e1000, tx, tx_state, 1, "packets that are being put together"),
    STATE_END,
};

/* Interrupts --------------------------------------------------------------------------------------- */

/* IVAR: which vector a queue's cause has; bit 3: it has one (82574, 10.2.4.10). */
static int vector_of(struct e1000 *c, unsigned cause)
{
    unsigned v = *e1000_reg(c, IVAR) >> 4 * (cause - 20) & 0xf;

    return v & 8 && (v & 7) < VECTORS ? (int)(v & 7) : -1;
}

/* With MSI-X each of the five causes sends its message, and those that the guest says are cleared by that. */
static void send_vectors(struct e1000 *c)
{
    uint32_t *icr = e1000_reg(c, ICR), *ims = e1000_reg(c, IMS);

    for (unsigned cause = 20; cause < 25; cause++) {
        uint32_t bit = 1u << cause;
        int v = vector_of(c, cause);

        if (!(*icr & *ims & bit) || v < 0 || (c->told & bit))
            continue;
        TRACE(&e1000_trace[E1000_TP_IRQ], "cause=%u vector=%d", cause, v);
        if (*e1000_reg(c, CTRL_EXT) & CTRL_EXT_EIAME)
            *ims &= ~(bit & *e1000_reg(c, IAM));
        if (*e1000_reg(c, EIAC) & bit)
            *icr &= ~bit;
        else
            c->told |= bit; /* until it is read or enabled anew */
        msix_notify(&c->pci, v);
    }
}

static void update_irq(struct e1000 *c)
{
    uint32_t *icr = e1000_reg(c, ICR), pending;

    if (c->is_e && msix_enabled(&c->pci)) {
        send_vectors(c);
        pci_set_irq(&c->pci, false);
        return;
    }
    pending = *icr & *e1000_reg(c, IMS) & ~ICR_ASSERTED;
    if (c->is_e)
        *icr = pending ? *icr | ICR_ASSERTED : *icr & ~ICR_ASSERTED;
    if (!pending != !c->pci.intx)
        TRACE(&e1000_trace[E1000_TP_IRQ], "icr=%#x ims=%#x", *icr, *e1000_reg(c, IMS));
    pci_set_irq_any(&c->pci, pending);
}

void e1000_cause(struct e1000 *c, uint32_t bits)
{
    if (c->is_e && bits & (ICR_LSC | ICR_RXO | ICR_MDAC))
        bits |= ICR_OTHER;
    *e1000_reg(c, ICR) |= bits;
    update_irq(c);
}

static uint32_t read_icr(struct e1000 *c)
{
    uint32_t v = *e1000_reg(c, ICR);

    if (v & ICR_ASSERTED && *e1000_reg(c, CTRL_EXT) & CTRL_EXT_IAME)
        *e1000_reg(c, IMS) &= ~*e1000_reg(c, IAM);
    *e1000_reg(c, ICR) = 0;
    c->told = 0;
    update_irq(c);
    return v;
}

/* Registers ---------------------------------------------------------------------------------------- */

static bool is_counter(uint32_t off)
{
    return off >= STATS && off < STATS_END;
}

/* The high half of a counter of 64 bits is cleared by reading it, and so is the low half (13.7). */
static uint32_t read_counter(struct e1000 *c, uint32_t off)
{
    bool low = off == GORCL || off == GOTCL || off == TORL || off == TOTL;
    bool high = off == GORCH || off == GOTCH || off == TORH || off == TOTH;
    uint32_t v = *e1000_reg(c, off);

    if (!low)
        *e1000_reg(c, off) = 0;
    if (high)
        *e1000_reg(c, off - 4) = 0;
    return v;
}

static uint32_t reg_read(struct e1000 *c, uint32_t off)
{
    uint32_t v;

    if (off >= REGS_END)
        return 0;
    if (is_counter(off))
        return read_counter(c, off);
    switch (off) {
    case ICR: return read_icr(c);
    case EECD: return e1000_read_eecd(c);
    case ICS:
    case IMC: return off == ICS ? *e1000_reg(c, ICR) : *e1000_reg(c, IMS);
    case SWSM:
        v = *e1000_reg(c, SWSM);
        *e1000_reg(c, SWSM) |= 1; /* reading takes the semaphore */
        return v;
    }
    return *e1000_reg(c, off);
}

static void soft_reset(struct e1000 *c);

static void write_ctrl(struct e1000 *c, uint32_t v)
{
    if (v & CTRL_RST) {
        soft_reset(c);
        return;
    }
    if (v & CTRL_PHY_RST)
        e1000_phy_reset(c);
    *e1000_reg(c, CTRL) = v & ~(CTRL_RST | CTRL_PHY_RST);
}

static void room_for_packets(struct e1000 *c)
{
    if (c->net && e1000_rx_ready(c))
        net_ready(c->net, 0);
}

static bool ring_register(uint32_t off, uint32_t reg)
{
    return off == reg || off == reg + QUEUE_STEP;
}

/* Registers that keep what is written, except for bits that are not there. */
static void plain_write(struct e1000 *c, uint32_t off, uint32_t v)
{
    if (ring_register(off, RDH) || ring_register(off, TDH) || ring_register(off, RDT) ||
        ring_register(off, TDT))
        v &= 0xffff;
    if (ring_register(off, RDLEN) || ring_register(off, TDLEN))
        v &= 0xfff80;
    if (ring_register(off, RDBAL) || ring_register(off, TDBAL))
        v &= ~0xfu;
    *e1000_reg(c, off) = v;
    if (ring_register(off, TDT) && (off == TDT || c->is_e))
        e1000_transmit(c, off != TDT);
    if (off == TCTL) {
        e1000_transmit(c, 0);
        if (c->is_e)
            e1000_transmit(c, 1);
    }
    if (off == RDT || off == RCTL)
        room_for_packets(c);
}

static void reg_write(struct e1000 *c, uint32_t off, uint32_t v)
{
    if (off >= REGS_END || is_counter(off))
        return;
    switch (off) {
    case CTRL:
    case CTRL + 4: write_ctrl(c, v); return; /* +4: a copy (13.4.1) */
    case STATUS:
        if (c->is_e && !(v & STATUS_PHYRA))
            *e1000_reg(c, STATUS) &= ~(uint32_t)STATUS_PHYRA;
        return;
    case FWSM:
    case FLOP: return;
    case EECD: e1000_write_eecd(c, v); return;
    case EERD: e1000_write_eerd(c, v); return;
    case MDIC: e1000_write_mdic(c, v); return;
    case CTRL_EXT:
        if (v & CTRL_EXT_EE_RST)
            e1000_nvm_init(c);
        *e1000_reg(c, CTRL_EXT) = v & ~CTRL_EXT_EE_RST;
        return;
    case ICR:
        *e1000_reg(c, ICR) &= ~v;
        c->told &= ~v;
        break;
    case ICS: e1000_cause(c, v & ~ICR_ASSERTED); return;
    case IMS:
        *e1000_reg(c, IMS) |= v;
        c->told &= ~v;
        break;
    case IMC: *e1000_reg(c, IMS) &= ~v; break;
    default: plain_write(c, off, v); return;
    }
    update_irq(c);
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    return reg_read(opaque, off);
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    reg_write(opaque, off, v);
}

static const struct mmio_ops regs_ops = {.read = regs_read, .write = regs_write, 4, 4};

/* The same by I/O ports: an address, and what is there (3.1.1.3 of 317453's chapter on PCI). */
static uint64_t io_read(void *opaque, paddr off, struct access a)
{
    struct e1000 *c = opaque;

    return off == IO_ADDR ? c->io_addr : off == IO_DATA ? reg_read(c, c->io_addr & 0x1fffc) : 0;
}

static void io_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct e1000 *c = opaque;

    if (off == IO_ADDR)
        c->io_addr = v;
    else if (off == IO_DATA)
        reg_write(c, c->io_addr & 0x1fffc, v);
}

static const struct mmio_ops io_ops = {.read = io_read, .write = io_write, 4, 4};

static uint64_t flash_read(void *opaque, paddr off, struct access a)
{
    return UINT64_MAX >> (64 - 8 * a.size); /* an empty one */
}

static void flash_write(void *opaque, paddr off, uint64_t v, struct access a)
{
}

static const struct mmio_ops flash_ops = {.read = flash_read, .write = flash_write, 1, 8};

/* The network -------------------------------------------------------------------------------------- */

static bool card_ready(void *opaque, unsigned queue)
{
    return e1000_rx_ready(opaque);
}

static bool card_receive(void *opaque, unsigned queue, const struct iovec *iov, int n,
                         const struct net_meta *meta)
{
    return e1000_receive(opaque, iov, n);
}

static void card_link(void *opaque, bool up)
{
    struct e1000 *c = opaque;

    e1000_set_link(c, up);
    e1000_cause(c, ICR_LSC);
    room_for_packets(c);
}

static const struct net_card card = {
    .ready = card_ready, .receive = card_receive, .link = card_link};

static void go_on(void *opaque)
{
    struct e1000 *c = opaque;

    e1000_transmit(c, 0);
    if (c->is_e)
        e1000_transmit(c, 1);
}

static void has_room(void *opaque, unsigned queue)
{
    e1000_send_kept(opaque);
    go_on(opaque);
}

/* Life --------------------------------------------------------------------------------------------- */

static void soft_reset(struct e1000 *c)
{
    TRACE(&e1000_trace[E1000_TP_RESET], "card=%s", c->pci.dev.type->name);
    memset(c->reg, 0, sizeof(c->reg));
    memset(c->tx, 0, sizeof(c->tx));
    timer_cancel(&c->go_on);
    e1000_drop_kept(c);
    c->told = 0;
    *e1000_reg(c, CTRL) = c->is_e ? 0x00140240 : 0x00140240 | 1;
    *e1000_reg(c, STATUS) = STATUS_FD | STATUS_SPEED_1000 | (c->is_e ? STATUS_PHYRA : 0) | 1u << 31;
    *e1000_reg(c, PBA) = c->is_e ? 0x00140014 : 0x00100030;
    *e1000_reg(c, LEDCTL) = 0x07068302;
    *e1000_reg(c, MANC) = 0x00002000;
    *e1000_reg(c, EERD) = 0;
    if (c->init_vet)
        *e1000_reg(c, VET) = 0x8100;
    if (c->is_e) {
        *e1000_reg(c, EEMNGCTL) = 0x80040000; /* the configuration has been read */
        *e1000_reg(c, EXTCNF_CTRL) = 0x8;
        *e1000_reg(c, FLOP) = 0xdb;
    }
    *e1000_reg(c, RAL0) = get_le32(c->mac);
    *e1000_reg(c, RAH0) = get_le16(c->mac + 4) | RAH_AV;
    e1000_phy_reset(c);
    update_irq(c);
}

static void reset(struct dev *d)
{
    struct e1000 *c = (struct e1000 *)d;

    soft_reset(c);
    e1000_nvm_init(c);
    c->io_addr = 0;
    c->ee_in = c->ee_out = c->ee_bits_in = c->ee_bits_out = 0;
    c->ee_reading = false;
    pci_dev_reset(&c->pci);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct e1000 *c = (struct e1000 *)d;
    int r = pci_dev_loaded(&c->pci, e);

    for (unsigned q = 0; q < 2 && r == 0; q++)
        if (c->tx[q].len > E1000_FRAME ||
            (c->tx[q].tse && c->tx[q].len > (uint32_t)c->tx[q].ctx.hdrlen + c->tx[q].ctx.mss))
            r = err_set(e, -EILSEQ, "a packet of %u bytes is being put together", c->tx[q].len);
    if (r == 0 && (c->ee_bits_in > 9 || c->ee_bits_out > 17))
        r = err_set(e, -EILSEQ, "EEPROM at bit %u, %u", c->ee_bits_in, c->ee_bits_out);
    if (r < 0) {
        reset(d);
        return r;
    }
    update_irq(c);
    return 0;
}

static int attach(struct e1000 *c, struct err *e)
{
    int r = 0;

    if (c->p_mac)
        r = net_parse_mac(c->p_mac, c->mac, e);
    else
        net_next_mac(c->mac);
    if (r < 0 || !c->p_netdev)
        return r;
    c->net = machine_backend(c->pci.dev.m, "netdev", c->p_netdev);
    if (!c->net)
        return err_set(e, -ENOENT, "Property '%s.netdev' can't find value '%s'",
                       c->pci.dev.type->name, c->p_netdev);
    if ((r = net_attach(c->net, &card, c, c->mac, e)) < 0)
        c->net = NULL;
    else
        net_on_room(c->net, has_room, c);
    return r;
}

static void add_e_caps(struct e1000 *c)
{
    struct pci_dev *d = &c->pci;
    unsigned at;

    mem_init_mmio(&c->flash, "e1000e-flash", FLASH_SIZE, &flash_ops, c);
    mem_init_container(&c->msix_bar, "e1000e-msix", MSIX_SIZE);
    pci_add_bar(d, 1, 0, &c->flash);
    pci_add_bar(d, 2, PCI_BAR_IO, &c->io);
    msix_add(d, 0xa0, VECTORS, MSIX_BAR, &c->msix_bar, 0, 0x2000);
    pci_add_bar(d, MSIX_BAR, 0, &c->msix_bar);
    pci_add_pm(d, 0xc8);
    msi_add(d, 0xd0, 1, false);
    pcie_add_endpoint_v1(d, 0xe0);
    pci_set16(d, PCI_SUBSYSTEM_VENDOR_ID, c->subsys_ven);
    pci_set16(d, PCI_SUBSYSTEM_ID, c->subsys);
    if (!d->express)
        return;
    pcie_add_aer(d, 0x100);
    at = pci_add_ext_cap(d, PCI_EXT_CAP_DSN, 1, 0x140, 12);
    pci_set32(d, at + 4, c->mac[5] | c->mac[4] << 8 | c->mac[3] << 16 | 0xff000000);
    pci_set32(d, at + 8, 0xff | c->mac[2] << 8 | c->mac[1] << 16 | (uint32_t)c->mac[0] << 24);
}

static int init(struct dev *dev, struct err *e)
{
    struct e1000 *c = (struct e1000 *)dev;
    int r = attach(c, e);

    if (r < 0)
        return r;
    c->is_e = c->pci.ops->device == 0x10d3;
    timer_init(&c->go_on, dev->m, CLK_VIRT, go_on, c);
    pci_pin(&c->pci, 1);
    mem_init_mmio(&c->regs, "e1000-registers", REGS_SIZE, &regs_ops, c);
    mem_init_mmio(&c->io, "e1000-ports", c->is_e ? IO_SIZE_E : IO_SIZE, &io_ops, c);
    pci_add_bar(&c->pci, 0, 0, &c->regs);
    if (c->is_e)
        add_e_caps(c);
    else
        pci_add_bar(&c->pci, 1, PCI_BAR_IO, &c->io);
    return 0;
}

static void fini(struct dev *dev)
{
    struct e1000 *c = (struct e1000 *)dev;

    if (c->net)
        net_detach(c->net);
    e1000_drop_kept(c);
    timer_cancel(&c->go_on);
    pci_dev_fini(&c->pci);
}

static void config_written(struct pci_dev *d, unsigned off, unsigned size)
{
    struct e1000 *c = (struct e1000 *)d;

    if (pci_touches(off, size, PCI_COMMAND, 2) && pci_dma_on(d)) {
        e1000_transmit(c, 0);
        room_for_packets(c);
    }
    if (d->msix_cap && pci_touches(off, size, d->msix_cap + PCI_MSIX_CTRL, 2))
        update_irq(c);
}

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x100e,
    .revision = 3,
    .class = PCI_CLASS_NETWORK_ETHERNET,
    .kind = PCI_CONVENTIONAL,
    .rom = "efi-e1000.rom",
    .config_written = config_written,
};

static const struct pci_type type_e = {
    .vendor = 0x8086,
    .device = 0x10d3,
    .class = PCI_CLASS_NETWORK_ETHERNET,
    .kind = PCI_HYBRID,
    .rom = "efi-e1000e.rom",
    .config_written = config_written,
};

#define E1000_TYPE                                                                                 \
    .class = DEV_NETWORK, .bus = "pci", .size = sizeof(struct e1000), .state = state,              \
    .state_version = 1, .init = init, .reset = reset, .loaded = loaded, .fini = fini,              \
    .trace = e1000_trace

const struct dev_type dev_e1000 = {
    .name = "e1000",
    .alias = "e1000-82540em",
    .help = "Intel Gigabit Ethernet",
    .props = props,
    .class_ops = &type,
    E1000_TYPE,
};

const struct dev_type dev_e1000e = {
    .name = "e1000e",
    .help = "Intel 82574L GbE Controller",
    .props = props_e,
    .class_ops = &type_e,
    E1000_TYPE,
};
