/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "lsi53c895a", also "lsi": the LSI53C895A, a PCI to Ultra2 SCSI controller: registers, interrupts, birth (lsi_priv.h).  It is an initiator
 * under SCRIPTS; arbitration by hand, target mode and the loopback tests are left out.
 */
#include "dev/scsi/lsi_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { REGS_MEM = 0x400, OWN_TARGET = 7, MAX_TARGET = 15, MAX_LUN = 7 };
enum { BAR_IO, BAR_MEM, BAR_RAM };
enum { SIST0_FATAL = 0x8f, SIST1_FATAL = SIST1_STO };

struct trace_point lsi_trace[] = {[TP_LSI_INSN] = {.name = "lsi_insn"},
                                  [TP_LSI_COMMAND] = {.name = "lsi_command"},
                                  [TP_LSI_IRQ] = {.name = "lsi_irq"},
                                  {.name = NULL}};

static struct lsi *lsi_of(struct dev *d)
{
    return (struct lsi *)d;
}

/* --- Interrupts, 2.2.15: what is masked and does not stop SCRIPTS is not shown in ISTAT0, what stops them is ---------- */

static uint8_t istat(const struct lsi *s)
{
    const uint8_t *r = s->reg;
    uint8_t v = r[ISTAT0] & (uint8_t)~(ISTAT_DIP | ISTAT_SIP | ISTAT_CON);

    if (r[DSTAT] & (uint8_t)~DSTAT_DFE)
        v |= ISTAT_DIP;
    if (r[SIST0] & (r[SIEN0] | SIST0_FATAL) || r[SIST1] & (r[SIEN1] | SIST1_FATAL))
        v |= ISTAT_SIP;
    return v | (s->link.connected ? ISTAT_CON : 0);
}

void lsi_update_irq(struct lsi *s)
{
    const uint8_t *r = s->reg;
    bool on = r[DSTAT] & r[DIEN] || r[SIST0] & r[SIEN0] || r[SIST1] & r[SIEN1] || r[ISTAT0] & ISTAT_INTF;

    pci_set_irq(&s->pci, on && !(r[DCNTL] & DCNTL_IRQD));
}

void lsi_dma_irq(struct lsi *s, uint8_t bits)
{
    TRACE(&lsi_trace[TP_LSI_IRQ], "dstat=%#x", bits);
    s->reg[DSTAT] |= bits;
    s->run = LSI_STOPPED;
    lsi_update_irq(s);
}

void lsi_scsi_irq(struct lsi *s, uint16_t bits)
{
    TRACE(&lsi_trace[TP_LSI_IRQ], "sist=%#x", bits);
    s->reg[SIST0] |= (uint8_t)bits;
    s->reg[SIST1] |= (uint8_t)(bits >> 8);
    if (bits & (SIST0_FATAL | SIST1_FATAL << 8))
        s->run = LSI_STOPPED;
    lsi_update_irq(s);
}

static void gen_expired(void *opaque)
{
    lsi_scsi_irq(opaque, SIST1_GEN << 8);
}

/* Table of STIME0 and STIME1: 125 us for 1, twice as long for each more; GENSF: 16 times. */
static void set_gen(struct lsi *s, uint8_t v)
{
    enum { BASE_NS = 125000, GENSF = 0x40 };
    unsigned n = v & 0xf;

    if (n)
        timer_at(&s->gen, clock_now(s->pci.dev.m, CLK_VIRT) + ((int64_t)BASE_NS << (n - 1) << (v & GENSF ? 4 : 0)));
    else
        timer_cancel(&s->gen);
}

/* --- Memory --------------------------------------------------------------------------------- */

/* Is [at, at + len) in the window of a BAR of ours?  The chip reaches its RAM and its registers without the bus. */
static bool own(struct lsi *s, unsigned bar, uint64_t at, uint32_t len, uint32_t size, uint32_t *off)
{
    paddr base;

    if (!pci_bar_at(&s->pci, bar, &base) || at < base || at - base > size || len > size - (at - base))
        return false;
    *off = (uint32_t)(at - base);
    return true;
}

bool lsi_read(struct lsi *s, uint64_t at, void *buf, uint32_t len)
{
    uint8_t *p = buf;
    uint32_t off;

    if (own(s, BAR_RAM, at, len, LSI_RAM, &off)) {
        memcpy(buf, s->ram + off, len);
        return true;
    }
    if (own(s, BAR_MEM, at, len, REGS_MEM, &off)) {
        for (uint32_t i = 0; i < len; i++)
            p[i] = lsi_reg_read(s, (uint8_t)(off + i));
        return true;
    }
    if (pci_dma_read(&s->pci, at, buf, len) == 0)
        return true;
    lsi_dma_irq(s, DSTAT_BF);
    return false;
}

bool lsi_write(struct lsi *s, uint64_t at, const void *buf, uint32_t len)
{
    const uint8_t *p = buf;
    uint32_t off;

    if (own(s, BAR_RAM, at, len, LSI_RAM, &off)) {
        memcpy(s->ram + off, buf, len);
        return true;
    }
    if (own(s, BAR_MEM, at, len, REGS_MEM, &off)) {
        for (uint32_t i = 0; i < len; i++)
            lsi_reg_write(s, (uint8_t)(off + i), p[i]);
        return true;
    }
    if (pci_dma_write(&s->pci, at, buf, len) == 0)
        return true;
    lsi_dma_irq(s, DSTAT_BF);
    return false;
}

/* --- Resets --------------------------------------------------------------------------------- */

static void chip_reset(struct lsi *s)
{
    scsi_jobs_drain(&s->jobs, true);
    lsi_drop(s);
    timer_cancel(&s->gen);
    timer_cancel(&s->resume);
    memset(s->reg, 0, sizeof(s->reg));
    s->reg[SCNTL0] = 0xc0;
    s->reg[SCID] = OWN_TARGET;
    s->reg[CTEST1] = 0xf0; /* FIFOs are empty */
    s->reg[DCMD] = 0x40;
    s->reg[GPCNTL] = 0x0f;
    s->run = LSI_STOPPED;
    s->carry = s->selecting = false;
    lsi_update_irq(s);
}

/* RST of the bus: everybody lets go, the chip included, which sees it as an interrupt. */
static void bus_reset(struct lsi *s)
{
    scsi_jobs_drain(&s->jobs, true);
    lsi_drop(s);
    scsi_bus_reset(&s->bus, UINT32_MAX, UINT32_MAX);
    lsi_scsi_irq(s, SIST0_RST);
}

/* An instruction that resets the chip by its registers has data in its hands still. */
void lsi_resets(struct lsi *s)
{
    bool chip = s->reset_chip, bus = s->reset_bus;

    s->reset_chip = s->reset_bus = false;
    if (bus)
        bus_reset(s);
    if (chip) {
        chip_reset(s);
        s->reg[ISTAT0] = ISTAT_SRST;
    }
}

static void reset_soon(struct lsi *s, bool *which)
{
    *which = true;
    if (s->executing)
        s->run = LSI_STOPPED;
    else
        lsi_resets(s);
}

/* --- Registers ------------------------------------------------------------------------------ */

static uint8_t take(struct lsi *s, unsigned reg, uint8_t also)
{
    uint8_t v = s->reg[reg] | also;

    s->reg[reg] = 0;
    lsi_update_irq(s);
    return v;
}

static uint8_t bus_lines(const struct lsi *s)
{
    enum { REQ = 0x80, ACK = 0x40, BSY = 0x20, ATN = 8 };
    const struct lsi_link *l = &s->link;

    if (!l->connected)
        return 0;
    return BSY | (l->busy ? 0 : l->taken ? ACK : REQ) | (l->atn ? ATN : 0) | l->phase;
}

/* With PCICIE in CTEST2, scratch registers A and B show where registers and RAM are. */
static uint8_t scratch(struct lsi *s, uint8_t reg)
{
    enum { PCICIE = 8 };
    paddr at = 0;

    if (!(s->reg[CTEST2] & PCICIE))
        return s->reg[reg];
    pci_bar_at(&s->pci, reg < SCRATCHB ? BAR_MEM : BAR_RAM, &at);
    return (uint8_t)(at >> 8 * (reg & 3));
}

uint8_t lsi_reg_read(struct lsi *s, uint8_t reg)
{
    enum { SSTAT0_RST = 2, SSTAT2_LDSC = 2, CTEST2_SIGP = 0x40, LVD_LOCKED = 0xe0 };
    uint8_t v = s->reg[reg];

    switch (reg) {
    case GPREG: return (v & (uint8_t)~s->reg[GPCNTL]) | (s->reg[GPCNTL] & 0x1f); /* inputs are pulled up */
    case SBCL: return bus_lines(s);
    case DSTAT: return take(s, reg, DSTAT_DFE);
    case SSTAT0: return s->reg[SCNTL1] & SCNTL1_RST ? SSTAT0_RST : 0;
    case SSTAT1: return s->link.phase;
    case SSTAT2: return s->link.connected ? 0 : SSTAT2_LDSC;
    case ISTAT0: return istat(s);
    case ISTAT1: return v | (s->run != LSI_STOPPED ? 2 : 0); /* SRUN */
    case CTEST2:
        v |= s->reg[ISTAT0] & ISTAT_SIGP ? CTEST2_SIGP : 0;
        s->reg[ISTAT0] &= (uint8_t)~ISTAT_SIGP;
        return v;
    case SIST0:
    case SIST1: return take(s, reg, 0);
    case STEST4: return LVD_LOCKED; /* the bus is LVD, the clock's multiplier has locked */
    case SCRATCHA ... SCRATCHA + 3:
    case SCRATCHB ... SCRATCHB + 3: return scratch(s, reg);
    default: return v;
    }
}

static void start(struct lsi *s)
{
    s->run = LSI_RUNNING;
    lsi_execute(s);
}

static void write_istat(struct lsi *s, uint8_t v)
{
    uint8_t was = s->reg[ISTAT0], set = v & (uint8_t)~was;

    s->reg[ISTAT0] = (was & (uint8_t)~v & ISTAT_INTF) | (v & (ISTAT_ABRT | ISTAT_SRST | ISTAT_SIGP | ISTAT_SEM));
    if (set & ISTAT_SRST) {
        reset_soon(s, &s->reset_chip);
        return;
    }
    lsi_update_irq(s);
    if (set & ISTAT_ABRT)
        lsi_dma_irq(s, DSTAT_ABRT);
    else if (v & ISTAT_SIGP && s->run == LSI_WAITS_RESELECT)
        lsi_go_on(s);
}

static void write_scntl1(struct lsi *s, uint8_t v)
{
    bool was = s->reg[SCNTL1] & SCNTL1_RST;

    s->reg[SCNTL1] = (v & (uint8_t)~SCNTL1_CON) | (s->link.connected ? SCNTL1_CON : 0);
    if (v & SCNTL1_RST && !was)
        reset_soon(s, &s->reset_bus);
}

static bool read_only(uint8_t reg)
{
    switch (reg) {
    case SSID:
    case SBCL ... SSTAT2:
    case CTEST1:
    case ADDER ... ADDER + 3:
    case SIST0:
    case SIST1:
    case STEST0:
    case 0x50 ... 0x53: /* SIDL, STEST4 */
    case SBDL:
    case SBDL + 1:
    case IA ... IA + 3: return true;
    }
    return false;
}

void lsi_reg_write(struct lsi *s, uint8_t reg, uint8_t v)
{
    enum { CTEST3_CLEAR = 0x0c, CSF = 2 };

    if (read_only(reg))
        return;
    switch (reg) {
    case SCNTL1: write_scntl1(s, v); return;
    case ISTAT0: write_istat(s, v); return;
    case ISTAT1: v &= 1; break;
    case CTEST3: v &= (uint8_t)~CTEST3_CLEAR & 0xf; break; /* FIFOs, which are empty, are cleared at once */
    case STEST3: v &= (uint8_t)~CSF; break;
    }
    s->reg[reg] = v;
    switch (reg) {
    case DIEN:
    case SIEN0:
    case SIEN1: lsi_update_irq(s); break;
    case STIME1: set_gen(s, v); break;
    case DSP + 3:
        if (!(s->reg[DMODE] & DMODE_MAN))
            start(s);
        break;
    case DCNTL:
        s->reg[reg] &= (uint8_t)~DCNTL_STD;
        lsi_update_irq(s);
        if (v & DCNTL_STD)
            start(s);
        break;
    }
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    return lsi_reg_read(opaque, (uint8_t)off);
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    lsi_reg_write(opaque, (uint8_t)off, (uint8_t)v);
}

static uint64_t ram_read(void *opaque, paddr off, struct access a)
{
    return get_le32(((struct lsi *)opaque)->ram + (off & ~3u)) >> 8 * (off & 3);
}

static void ram_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    uint8_t le[4];

    put_le32(le, (uint32_t)v);
    memcpy(((struct lsi *)opaque)->ram + off, le, a.size);
}

static const struct mmio_ops regs_ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 1};
static const struct mmio_ops ram_ops = {.read = ram_read, .write = ram_write, .min = 1, .max = 4};

/* --- Birth ---------------------------------------------------------------------------------- */

static void go_on(void *opaque)
{
    lsi_execute(opaque);
}

/* A command that waited for the host's disk, or for that when the state was saved, begins anew. */
static void state_changed(void *opaque, bool running, enum run_state why)
{
    struct lsi *s = opaque;

    if (!running || !s->link.again)
        return;
    s->link.again = false;
    lsi_command(s);
}

static void changed(void *opaque, struct scsi_unit *u)
{
}

static int init(struct dev *d, struct err *e)
{
    static const struct scsi_host host = {.plugged = changed, .unplugged = changed};
    struct lsi *s = lsi_of(d);
    char name[80];

    mem_init_mmio(&s->io, "lsi-io", LSI_REGS, &regs_ops, s);
    mem_init_mmio(&s->mmio, "lsi-mmio", REGS_MEM, &regs_ops, s);
    mem_init_mmio(&s->ram_mem, "lsi-ram", LSI_RAM, &ram_ops, s);
    pci_pin(&s->pci, 1);
    pci_add_bar(&s->pci, BAR_IO, PCI_BAR_IO, &s->io);
    pci_add_bar(&s->pci, BAR_MEM, 0, &s->mmio);
    pci_add_bar(&s->pci, BAR_RAM, 0, &s->ram_mem);
    timer_init(&s->gen, d->m, CLK_VIRT, gen_expired, s);
    timer_init(&s->resume, d->m, CLK_VIRT, go_on, s);
    s->bus.host = &host;
    s->bus.opaque = s;
    s->bus.max_target = MAX_TARGET;
    s->bus.max_lun = MAX_LUN;
    s->bus.own = OWN_TARGET + 1;
    snprintf(name, sizeof(name), "%.60s.0", d->id ? d->id : "scsi");
    scsi_bus_init(&s->bus, d, name);
    scsi_jobs_init(&s->jobs, d->m, &s->bus);
    machine_on_state(d->m, state_changed, s);
    return 0;
}

static void reset(struct dev *d)
{
    pci_dev_reset(pci_of(d));
    chip_reset(lsi_of(d));
}

static void fini(struct dev *d)
{
    struct lsi *s = lsi_of(d);

    machine_off_state(d->m, s);
    scsi_jobs_fini(&s->jobs);
    lsi_drop(s);
    timer_cancel(&s->gen);
    timer_cancel(&s->resume);
    scsi_bus_fini(&s->bus);
    pci_dev_fini(&s->pci);
}

/* SCRIPTS stand still while the state is written, or they would begin the next command. */
static void saving(struct dev *d)
{
    struct lsi *s = lsi_of(d);

    s->held = true;
    scsi_jobs_drain(&s->jobs, false);
    s->held = false;
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct lsi *s = lsi_of(d);
    const struct lsi_link *l = &s->link;
    bool message = l->phase == PHASE_MSG_OUT || l->phase == PHASE_MSG_IN;
    int r = pci_dev_loaded(&s->pci, e);

    if (r < 0)
        return r;
    if (s->run > LSI_WAITS_TARGET || (l->phase > PHASE_STATUS && !message) || l->back > PHASE_MSG_IN || l->after > LSI_BUS_FREE ||
        l->out_n > LSI_MSG || l->cdb_n > LSI_CDB || l->msg_n > LSI_MSG || l->msg_at > l->msg_n || l->at > l->len || l->len > s->data.len ||
        l->busy != l->again || l->lun > MAX_LUN)
        return err_set(e, -EILSEQ, "SCRIPTS in state %u, phase %u, %u of %u bytes moved", s->run, l->phase, l->at, l->len);
    lsi_update_irq(s);
    return 0;
}

static const struct field props[] = {PCI_FIELDS(lsi, pci), FIELD_END};

static const struct state link_state[] = {
    STATE(lsi_link, connected, S_BOOL, 1, NULL),
    STATE(lsi_link, atn, S_BOOL, 1, NULL),
    STATE(lsi_link, busy, S_BOOL, 1, NULL),
    STATE(lsi_link, taken, S_BOOL, 1, NULL),
    STATE(lsi_link, again, S_BOOL, 1, NULL),
    STATE(lsi_link, target, S_U8, 1, NULL),
    STATE(lsi_link, lun, S_U8, 1, NULL),
    STATE(lsi_link, phase, S_U8, 1, "MSG, C/D, I/O"),
    STATE(lsi_link, back, S_U8, 1, "the phase after messages"),
    STATE(lsi_link, after, S_U8, 1, NULL),
    STATE(lsi_link, out_n, S_U8, 1, NULL),
    STATE(lsi_link, cdb_n, S_U8, 1, NULL),
    STATE(lsi_link, msg_n, S_U8, 1, NULL),
    STATE(lsi_link, msg_at, S_U8, 1, NULL),
    STATE(lsi_link, status, S_U8, 1, NULL),
    STATE(lsi_link, out, S_U8, 1, NULL),
    STATE(lsi_link, cdb, S_U8, 1, NULL),
    STATE(lsi_link, msg, S_U8, 1, NULL),
    STATE(lsi_link, to_target, S_BOOL, 1, NULL),
    STATE(lsi_link, at, S_U32, 1, "bytes moved"),
    STATE(lsi_link, len, S_U32, 1, "of so many"),
    STATE_END,
};

static const struct state state[] = {
    PCI_STATE(lsi, pci),
    STATE(lsi, reg, S_U8, 1, "registers"),
    STATE(lsi, ram, S_U8, 1, "SCRIPTS RAM"),
    STATE(lsi, run, S_U8, 1, "what SCRIPTS do"),
    STATE(lsi, carry, S_BOOL, 1, NULL),
    STATE(lsi, selecting, S_BOOL, 1, "a target that is not there"),
    STATE(lsi, waits_in, S_U32, 1, "address of the instruction that waits"),
    STATE_TIMER(lsi, gen, 1, "general purpose timer"),
    STATE_TIMER(lsi, resume, 1, "when SCRIPTS go on"),
    {.name = "link", .kind = S_STRUCT, .offset = offsetof(struct lsi, link), .n = 1, .elem = sizeof(struct lsi_link), .since = 1, .table = link_state},
    STATE_BLOB(lsi, data, LSI_STATE_MAX, 1, "of the command"),
    STATE_END,
};

static const struct pci_type chip = {
    .vendor = 0x1000, .device = 0x0012, .sub_vendor = 0, .sub_device = 0x1000, .class = 0x0100, .kind = PCI_CONVENTIONAL};

const struct dev_type dev_lsi53c895a = {.name = "lsi53c895a",
                                        .alias = "lsi",
                                        .help = "LSI53C895A SCSI controller",
                                        .class = DEV_STORAGE,
                                        .bus = "pci",
                                        .size = sizeof(struct lsi),
                                        .props = props,
                                        .state = state,
                                        .state_version = 1,
                                        .init = init,
                                        .reset = reset,
                                        .fini = fini,
                                        .loaded = loaded,
                                        .saving = saving,
                                        .trace = lsi_trace,
                                        .class_ops = &chip};
