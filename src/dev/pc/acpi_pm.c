/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI's fixed hardware (acpi_pm.h). */
#include "dev/pc/acpi_pm.h"

#include "base/bytes.h"

/* PM1 (4.8.3): status and enable bits are the same. */
enum { TMR = 1 << 0, BM = 1 << 4, GBL = 1 << 5, PWRBTN = 1 << 8, SLPBTN = 1 << 9, RTC = 1 << 10, WAK = 1 << 15 };
enum { STS_CLEARED = TMR | BM | GBL | PWRBTN | SLPBTN | RTC | WAK, EN_BITS = TMR | GBL | PWRBTN | SLPBTN | RTC };
enum { SCI_EN = 1 << 0, BM_RLD = 1 << 1, SLP_TYP_SHIFT = 10, SLP_EN = 1 << 13 };
enum { CNT_KEPT = SCI_EN | BM_RLD | 7 << SLP_TYP_SHIFT };

#define HZ       3579545
#define HALF     (1u << 23) /* TMR_STS is set when bit 23 changes */
#define TMR_MASK 0xffffffu

const struct state acpi_pm_state[] = {
    STATE(acpi_pm, sts, S_U16, 1, "PM1_STS"),
    STATE(acpi_pm, en, S_U16, 1, "PM1_EN"),
    STATE(acpi_pm, cnt, S_U16, 1, "PM1_CNT"),
    STATE(acpi_pm, overflow, S_U64, 1, "tick at which TMR_STS is set next"),
    STATE(acpi_pm, gpe_sts, S_U8, 1, "GPE0_STS"),
    STATE(acpi_pm, gpe_en, S_U8, 1, "GPE0_EN"),
    STATE_END,
};

static uint64_t ticks(const struct acpi_pm *p)
{
    return (unsigned __int128)clock_now(p->m, CLK_VIRT) * HZ / NS_PER_S;
}

static uint16_t status(struct acpi_pm *p)
{
    if (ticks(p) >= p->overflow)
        p->sts |= TMR;
    return p->sts;
}

static void update(struct acpi_pm *p)
{
    bool level = status(p) & p->en & EN_BITS;

    for (unsigned i = 0; i < p->gpe_len; i++)
        level |= p->gpe_sts[i] & p->gpe_en[i];
    irq_set(&p->sci, level && p->cnt & SCI_EN);
    if (p->en & TMR && !(p->sts & TMR))
        timer_at(&p->timer, (unsigned __int128)p->overflow * NS_PER_S / HZ + 1);
    else
        timer_cancel(&p->timer);
}

static void overflowed(void *opaque)
{
    update(opaque);
}

/* Registers are bytes here: what is 16 bits wide may be written in halves, and none of them minds. */
static uint8_t half(uint16_t v, paddr off)
{
    return v >> 8 * (off & 1);
}

static uint16_t with_half(uint16_t old, paddr off, uint8_t v)
{
    return off & 1 ? (old & 0xff) | v << 8 : (old & 0xff00) | v;
}

static uint64_t evt_read(void *opaque, paddr off, struct access a)
{
    struct acpi_pm *p = opaque;

    return half(off < 2 ? status(p) : p->en, off);
}

static void evt_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct acpi_pm *p = opaque;
    uint16_t cleared = with_half(0, off, v) & STS_CLEARED;

    if (off < 2) {
        if (cleared & TMR & status(p))
            p->overflow = (ticks(p) + HALF) & ~(uint64_t)(HALF - 1);
        p->sts &= ~cleared;
    } else {
        p->en = with_half(p->en, off, v) & EN_BITS;
    }
    update(p);
}

static uint64_t ctl_read(void *opaque, paddr off, struct access a)
{
    struct acpi_pm *p = opaque;

    return off < 2 ? half(p->cnt, off) : 0;
}

/* To sleep in S5 is to end, and so is S4: the system has saved itself. */
static void go_to_sleep(struct acpi_pm *p, unsigned type)
{
    if (type == PM_S5 || (type == PM_S4 && !p->no_s4))
        machine_ask(p->m, ASK_SHUTDOWN, "guest-shutdown");
    else if (type == PM_S3 && !p->no_s3)
        machine_ask(p->m, ASK_SUSPEND, "guest-suspend");
}

static void ctl_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct acpi_pm *p = opaque;
    uint16_t cnt = with_half(p->cnt, off, v);

    if (off >= 2)
        return;
    p->cnt = cnt & CNT_KEPT;
    if (cnt & SLP_EN)
        go_to_sleep(p, cnt >> SLP_TYP_SHIFT & 7);
    update(p);
}

static uint64_t tmr_read(void *opaque, paddr off, struct access a)
{
    return ticks(opaque) & TMR_MASK;
}

static void tmr_write(void *opaque, paddr off, uint64_t v, struct access a)
{
}

static uint64_t gpe_read(void *opaque, paddr off, struct access a)
{
    struct acpi_pm *p = opaque;

    return off < p->gpe_len ? p->gpe_sts[off] : p->gpe_en[off - p->gpe_len];
}

static void gpe_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct acpi_pm *p = opaque;

    if (off < p->gpe_len)
        p->gpe_sts[off] &= ~v;
    else
        p->gpe_en[off - p->gpe_len] = v;
    update(p);
}

static const struct mmio_ops evt_ops = {evt_read, evt_write, 1, 1};
static const struct mmio_ops ctl_ops = {ctl_read, ctl_write, 1, 1};
static const struct mmio_ops tmr_ops = {tmr_read, tmr_write, 4, 4};
static const struct mmio_ops gpe_ops = {gpe_read, gpe_write, 1, 1};

/* What woke us is not always known here; that we slept is. */
static void slept(void *opaque, bool wakes)
{
    struct acpi_pm *p = opaque;

    if (wakes)
        p->sts |= WAK;
    update(p);
}

void acpi_pm_init(struct acpi_pm *p, struct machine *m, unsigned gpe_len)
{
    p->m = m;
    p->gpe_len = gpe_len;
    mem_init_mmio(&p->evt, "acpi-evt", 4, &evt_ops, p);
    mem_init_mmio(&p->ctl, "acpi-cnt", 4, &ctl_ops, p);
    mem_init_mmio(&p->tmr, "acpi-tmr", 4, &tmr_ops, p);
    mem_init_mmio(&p->gpe, "acpi-gpe0", 2 * gpe_len, &gpe_ops, p);
    timer_init(&p->timer, m, CLK_VIRT, overflowed, p);
    machine_on_sleep(m, slept, p);
    machine_add_backend(m, "acpi-pm", "", p, ERR_IGNORE);
}

struct acpi_pm *acpi_pm_of(struct machine *m)
{
    return machine_backend(m, "acpi-pm", "");
}

void acpi_pm_fini(struct acpi_pm *p)
{
    machine_del_backend(p->m, "acpi-pm", "");
    timer_cancel(&p->timer);
}

void acpi_pm_reset(struct acpi_pm *p)
{
    p->sts = machine_wakes(p->m) ? p->sts & PWRBTN : 0; /* what has woken us */
    p->en = p->cnt = 0;
    p->overflow = (ticks(p) + HALF) & ~(uint64_t)(HALF - 1);
    memset(p->gpe_sts, 0, sizeof(p->gpe_sts));
    memset(p->gpe_en, 0, sizeof(p->gpe_en));
    update(p);
}

void acpi_pm_loaded(struct acpi_pm *p)
{
    update(p);
}

void acpi_pm_enable(struct acpi_pm *p, bool on)
{
    p->cnt = on ? p->cnt | SCI_EN : p->cnt & ~SCI_EN;
    update(p);
}

void acpi_pm_power_button(struct acpi_pm *p)
{
    p->sts |= PWRBTN;
    update(p);
}

void acpi_pm_gpe(struct acpi_pm *p, unsigned n)
{
    p->gpe_sts[n / 8] |= 1 << n % 8;
    update(p);
}
