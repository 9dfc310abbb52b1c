/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCO timer (ich9_tco.h): counts down in steps of 0.6 s; at its first end it tells, at its second it resets. */
#include "dev/pc/ich9_tco.h"

enum { RLD = 0, DAT_IN = 2, DAT_OUT = 3, STS1 = 4, STS2 = 6, CNT1 = 8, CNT2 = 10, MESSAGE = 12, WDCNT = 14,
       SW_IRQ = 16, TMR = 18, REGS = 32 };
enum { TIMEOUT = 1 << 3 /* TCO1_STS */, SECOND_TO = 1 << 1, BOOT = 1 << 2 /* TCO2_STS */ };
enum { TMR_HLT = 1 << 11, LOCK = 1 << 12 /* TCO1_CNT */, CNT1_KEPT = 0xfeff, STS1_CLEARED = 0x23ff, STS2_CLEARED = 7 };
#define STEP_NS 600000000ll

const struct state ich9_tco_state[] = {
    STATE(ich9_tco, rld, S_U16, 1, "TCO_RLD, what is counted down"),
    STATE(ich9_tco, sts1, S_U16, 1, "TCO1_STS"),
    STATE(ich9_tco, sts2, S_U16, 1, "TCO2_STS"),
    STATE(ich9_tco, cnt1, S_U16, 1, "TCO1_CNT"),
    STATE(ich9_tco, cnt2, S_U16, 1, "TCO2_CNT"),
    STATE(ich9_tco, tmr, S_U16, 1, "TCO_TMR"),
    STATE(ich9_tco, din, S_U8, 1, "TCO_DAT_IN"),
    STATE(ich9_tco, dout, S_U8, 1, "TCO_DAT_OUT"),
    STATE(ich9_tco, message, S_U8, 1, "TCO_MESSAGE"),
    STATE(ich9_tco, wdcnt, S_U8, 1, "TCO_WDCNT"),
    STATE(ich9_tco, sw_irq, S_U8, 1, "SW_IRQ_GEN"),
    STATE_TIMER(ich9_tco, timer, 1, "the next timeout"),
    STATE_END,
};

static void reload(struct ich9_tco *t)
{
    if (t->cnt1 & TMR_HLT)
        timer_cancel(&t->timer);
    else
        timer_at(&t->timer, clock_now(t->dev->m, CLK_VIRT) + (t->tmr & 0x3ff) * STEP_NS);
}

static void timed_out(void *opaque)
{
    struct ich9_tco *t = opaque;

    if (!(t->sts1 & TIMEOUT)) {
        t->sts1 |= TIMEOUT;
    } else {
        t->sts2 |= SECOND_TO | BOOT;
        if (!t->no_reboot)
            machine_watchdog(t->dev); /* a reset, unless -watchdog-action says otherwise */
    }
    reload(t);
}

static uint16_t left(const struct ich9_tco *t)
{
    int64_t ns = timer_armed(&t->timer) ? t->timer.at - clock_now(t->dev->m, CLK_VIRT) : 0;

    return ns > 0 ? ns / STEP_NS & 0x3ff : 0;
}

static uint64_t tco_read(void *opaque, paddr off, struct access a)
{
    struct ich9_tco *t = opaque;

    switch (off) {
    case RLD: return left(t);
    case DAT_IN: return t->din | t->dout << 8;
    case STS1: return t->sts1;
    case STS2: return t->sts2;
    case CNT1: return t->cnt1;
    case CNT2: return t->cnt2;
    case MESSAGE: return t->message[0] | t->message[1] << 8;
    case WDCNT: return t->wdcnt;
    case SW_IRQ: return t->sw_irq;
    case TMR: return t->tmr;
    }
    return 0;
}

/* The timer was told that all is well, or let run: the next end is a first one. */
static void restart(struct ich9_tco *t)
{
    t->sts1 &= ~TIMEOUT;
    reload(t);
}

static void write_cnt1(struct ich9_tco *t, uint16_t v)
{
    uint16_t old = t->cnt1;

    t->cnt1 = (v & CNT1_KEPT) | (old & LOCK);
    if ((old ^ t->cnt1) & TMR_HLT)
        reload(t);
}

static void tco_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ich9_tco *t = opaque;

    switch (off) {
    case RLD: restart(t); break;
    case DAT_IN:
        t->din = v;
        t->dout = v >> 8;
        break;
    case STS1: t->sts1 &= ~(v & STS1_CLEARED); break;
    case STS2: t->sts2 &= ~(v & STS2_CLEARED); break;
    case CNT1: write_cnt1(t, v); break;
    case CNT2: t->cnt2 = v; break;
    case MESSAGE:
        t->message[0] = v;
        t->message[1] = v >> 8;
        break;
    case WDCNT: t->wdcnt = v; break;
    case SW_IRQ: t->sw_irq = v; break;
    case TMR: t->tmr = v & 0x3ff; break;
    }
}

static const struct mmio_ops tco_ops = {tco_read, tco_write, 2, 2};

void ich9_tco_init(struct ich9_tco *t, struct dev *dev)
{
    t->dev = dev;
    timer_init(&t->timer, dev->m, CLK_VIRT, timed_out, t);
    mem_init_mmio(&t->regs, "sm-tco", REGS, &tco_ops, t);
}

void ich9_tco_fini(struct ich9_tco *t)
{
    timer_cancel(&t->timer);
}

void ich9_tco_reset(struct ich9_tco *t)
{
    t->rld = t->sts1 = t->sts2 = t->cnt2 = 0;
    t->cnt1 = TMR_HLT;
    t->tmr = 4;
    t->din = t->dout = t->message[0] = t->message[1] = t->wdcnt = 0;
    t->sw_irq = 3;
    timer_cancel(&t->timer);
}
