/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "i6300esb": watchdog of Intel's 6300ESB I/O controller hub.
 * Source: Intel 6300ESB I/O Controller Hub data sheet, order 300641-004, chapter 16.
 *
 * It counts down twice: at the first end it may interrupt, at the second it does what -watchdog-action says.
 */
#include "base/bytes.h"
#include "dev/pci/pci.h"

#include <errno.h>

enum { CONFIG = 0x60, LOCK = 0x68 };
enum { CFG_INT = 3, CFG_FAST = 4, CFG_OUTPUT_OFF = 0x20 };
enum { LOCK_LOCKED = 1, LOCK_ENABLE = 2, LOCK_FREE = 4 };
enum { PRELOAD1 = 0, PRELOAD2 = 4, GISR = 8, RELOAD = 12, REGS = 16 };
enum { RELOAD_NOW = 0x100, RELOAD_TIMEOUT = 0x200, UNLOCK1 = 0x80, UNLOCK2 = 0x86 };
enum { CLOCK = 33000000 };

struct i6300esb {
    struct pci_dev pci;
    struct mem regs;
    struct timer timer;
    uint32_t preload[2]; /* 20 bits */
    uint8_t unlock;      /* 0, 1: UNLOCK1 has come, 2: one write is free */
    uint8_t stage;       /* 1, 2 */
    uint8_t timed_out, interrupt;
};

static struct i6300esb *esb_of(struct dev *d)
{
    return (struct i6300esb *)d;
}

static bool enabled(const struct i6300esb *w)
{
    return w->pci.config[LOCK] & LOCK_ENABLE;
}

/* A preload counts units of 32768 or 32 PCI clocks: about a millisecond or a microsecond. */
static void start(struct i6300esb *w, uint8_t stage)
{
    unsigned shift = w->pci.config[CONFIG] & CFG_FAST ? 5 : 15;
    uint64_t clocks = (w->preload[stage - 1] + 1ull) << shift;

    w->stage = stage;
    timer_at(&w->timer, clock_now(w->pci.dev.m, CLK_VIRT) + (int64_t)((__uint128_t)clocks * NS_PER_S / CLOCK));
}

static void update_irq(struct i6300esb *w)
{
    pci_set_irq(&w->pci, w->interrupt && (w->pci.config[CONFIG] & CFG_INT) == 0);
}

static void expired(void *opaque)
{
    struct i6300esb *w = opaque;

    if (w->stage == 1) {
        w->interrupt = 1;
        update_irq(w);
        start(w, 2);
        return;
    }
    w->timed_out = 1;
    if (!(w->pci.config[CONFIG] & CFG_OUTPUT_OFF))
        machine_watchdog(&w->pci.dev);
    if (w->pci.config[LOCK] & LOCK_FREE)
        start(w, 1);
}

/* --- Registers --- */

static uint64_t esb_read(void *opaque, paddr off, struct access a)
{
    struct i6300esb *w = opaque;

    switch (off & ~3u) {
    case GISR: return w->interrupt >> (off & 3) * 8;
    case RELOAD: return (w->timed_out ? RELOAD_TIMEOUT : 0) >> (off & 3) * 8;
    }
    return 0;
}

static void write_reload(struct i6300esb *w, uint32_t v)
{
    if (v & RELOAD_NOW && enabled(w))
        start(w, 1);
    if (v & RELOAD_TIMEOUT)
        w->timed_out = 0;
}

static void esb_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct i6300esb *w = opaque;
    uint32_t v = (uint32_t)value;
    bool free = w->unlock == 2;

    if (off == RELOAD && (v & 0xff) == UNLOCK1 && !free) {
        w->unlock = 1;
        return;
    }
    if (off == RELOAD && (v & 0xff) == UNLOCK2 && w->unlock == 1) {
        w->unlock = 2;
        return;
    }
    if (off == GISR) {
        w->interrupt &= ~v;
        update_irq(w);
        return;
    }
    w->unlock = 0;
    if (!free)
        return;
    if (off == PRELOAD1 || off == PRELOAD2)
        w->preload[off / 4] = v & 0xfffff;
    else if (off == RELOAD)
        write_reload(w, v);
}

static const struct mmio_ops esb_ops = {.read = esb_read, .write = esb_write, .min = 1, .max = 4};

/* Once locked, neither enable nor lock change until the reset. */
static void config_written(struct pci_dev *d, unsigned off, unsigned size)
{
    struct i6300esb *w = (struct i6300esb *)d;

    if (pci_touches(off, size, CONFIG, 2))
        update_irq(w);
    if (!pci_touches(off, size, LOCK, 1))
        return;
    if (d->config[LOCK] & LOCK_LOCKED)
        pci_wmask8(d, LOCK, 0);
    if (enabled(w) && !timer_armed(&w->timer))
        start(w, 1);
    else if (!enabled(w))
        timer_cancel(&w->timer);
}

/* --- The device --- */

static void esb_reset(struct dev *d)
{
    struct i6300esb *w = esb_of(d);

    pci_dev_reset(&w->pci);
    w->pci.wmask[LOCK] = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE;
    timer_cancel(&w->timer);
    w->preload[0] = w->preload[1] = 0xfffff;
    w->unlock = w->timed_out = w->interrupt = 0;
    w->stage = 1;
    update_irq(w);
}

static int esb_init(struct dev *d, struct err *e)
{
    struct i6300esb *w = esb_of(d);

    timer_init(&w->timer, d->m, CLK_VIRT, expired, w);
    mem_init_mmio(&w->regs, "i6300esb", REGS, &esb_ops, w);
    pci_add_bar(&w->pci, 0, 0, &w->regs);
    pci_wmask16(&w->pci, CONFIG, CFG_INT | CFG_FAST | CFG_OUTPUT_OFF);
    pci_wmask8(&w->pci, LOCK, LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE);
    pci_pin(&w->pci, 1);
    return 0;
}

static void esb_fini(struct dev *d)
{
    timer_cancel(&esb_of(d)->timer);
    pci_dev_fini(&esb_of(d)->pci);
}

static int esb_loaded(struct dev *d, int version, struct err *e)
{
    struct i6300esb *w = esb_of(d);
    int r = pci_dev_loaded(&w->pci, e);

    if (r == 0 && (w->stage < 1 || w->stage > 2 || (w->preload[0] | w->preload[1]) > 0xfffff))
        r = err_set(e, -EILSEQ, "stage %u, preload %#x", w->stage, w->preload[0]);
    if (r == 0)
        w->pci.wmask[LOCK] = w->pci.config[LOCK] & LOCK_LOCKED ? 0 : LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE;
    return r;
}

static const struct field esb_props[] = {PCI_FIELDS(i6300esb, pci), FIELD_END};

static const struct state esb_state[] = {
    PCI_STATE(i6300esb, pci),
    STATE(i6300esb, preload, S_U32, 1, "20 bits"),
    STATE(i6300esb, unlock, S_U8, 1, NULL),
    STATE(i6300esb, stage, S_U8, 1, "1 or 2"),
    STATE(i6300esb, timed_out, S_U8, 1, NULL),
    STATE(i6300esb, interrupt, S_U8, 1, NULL),
    STATE_TIMER(i6300esb, timer, 1, NULL),
    STATE_END,
};

static const struct pci_type esb_pci = {
    .vendor = 0x8086, .device = 0x25ab, .class = 0x0880, .config_written = config_written};

const struct dev_type dev_i6300esb = {
    .name = "i6300esb",
    .help = "Intel 6300ESB",
    .class = DEV_WATCHDOG,
    .bus = "pci",
    .size = sizeof(struct i6300esb),
    .props = esb_props,
    .state = esb_state,
    .state_version = 1,
    .init = esb_init,
    .reset = esb_reset,
    .fini = esb_fini,
    .loaded = esb_loaded,
    .class_ops = &esb_pci,
};
