/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "tpm-tis": a TPM with the FIFO interface, five localities at FED40000h.  Drivers poll: it has no interrupt.
 * Source: TCG PC Client Platform TPM Profile 1.05, chapter 6 (FIFO interface); TCG PC Client TPM Interface Specification 1.3.
 */
#include "base/bytes.h"
#include "dev/devices.h"
#include "dev/isa/isa.h"
#include "dev/tpm/tpm.h"

#include <errno.h>

enum { LOCALITIES = 5, NONE = 255, SIZE = LOCALITIES << 12 };
enum { ACCESS = 0x00, INT_ENABLE = 0x08, INT_VECTOR = 0x0c, INT_STATUS = 0x10, INTF_CAPABILITY = 0x14, STS = 0x18, DATA_FIFO = 0x24,
       INTERFACE_ID = 0x30, XDATA_FIFO = 0x80, DID_VID = 0xf00, RID = 0xf04 };
enum { A_ESTABLISHED_NOT = 1 << 0, A_REQUEST = 1 << 1, A_PENDING = 1 << 2, A_SEIZE = 1 << 3, A_SEIZED = 1 << 4, A_ACTIVE = 1 << 5, A_VALID = 1 << 7 };
enum { S_RETRY = 1 << 1, S_SELF_TEST = 1 << 2, S_EXPECT = 1 << 3, S_AVAIL = 1 << 4, S_GO = 1 << 5, S_READY = 1 << 6, S_VALID = 1 << 7,
       S_CANCEL = 1 << 24, S_FAMILY_2 = 1 << 26 };
enum { IDLE, READY, RECEPTION, EXECUTION, COMPLETION };

struct tis {
    struct tpm_dev tpm;
    uint8_t active; /* locality, or NONE */
    uint8_t requests, seized; /* a bit for each locality */
    uint8_t phase;
    uint32_t len, at; /* of what is written or read */
    uint8_t buf[TPM_BUFFER];
};

static struct tis *tis_of(struct dev *d)
{
    return (struct tis *)d;
}

/* --- Localities ----------------------------------------------------------------------------- */

static uint8_t access_read(const struct tis *t, unsigned loc)
{
    uint8_t others = t->requests & ~(1u << loc);

    return A_VALID | A_ESTABLISHED_NOT | (t->active == loc ? A_ACTIVE : 0) | (t->seized >> loc & 1 ? A_SEIZED : 0) | (others ? A_PENDING : 0) |
           (t->requests >> loc & 1 ? A_REQUEST : 0);
}

static void abort_command(struct tis *t)
{
    if (t->phase == EXECUTION)
        tpm_cancel(t->tpm.tpm);
    else
        t->phase = IDLE;
    t->len = t->at = 0;
}

/* The highest one that asks is next. */
static void activate(struct tis *t, unsigned loc)
{
    abort_command(t);
    t->active = loc;
    if (loc != NONE)
        t->requests &= ~(1u << loc);
}

static void relinquish(struct tis *t, unsigned loc)
{
    if (t->active == loc)
        activate(t, t->requests ? 31 - __builtin_clz(t->requests) : NONE);
    else
        t->requests &= ~(1u << loc);
}

static void access_write(struct tis *t, unsigned loc, uint8_t v)
{
    if (v & A_ACTIVE)
        relinquish(t, loc);
    if (v & A_SEIZED)
        t->seized &= ~(1u << loc);
    if (v & A_SEIZE && (t->active == NONE || loc > t->active) && loc != t->active) {
        if (t->active != NONE)
            t->seized |= 1u << t->active;
        activate(t, loc);
    }
    if (v & A_REQUEST && t->active != loc) {
        if (t->active == NONE)
            activate(t, loc);
        else
            t->requests |= 1u << loc;
    }
}

/* --- Commands ------------------------------------------------------------------------------- */

/* How long the command says that it is; before that is known, the header. */
static uint32_t command_len(const struct tis *t)
{
    return t->len < TPM_HEADER ? TPM_HEADER : get_be32(t->buf + 2);
}

static bool expects(const struct tis *t)
{
    return t->phase == RECEPTION && t->len < min_u64(command_len(t), TPM_BUFFER);
}

static void answered(void *opaque, size_t n)
{
    struct tis *t = opaque;

    t->phase = COMPLETION;
    t->len = n;
    t->at = 0;
}

static void go(struct tis *t)
{
    if (t->phase != RECEPTION || expects(t) || t->len < TPM_HEADER)
        return;
    t->phase = EXECUTION;
    tpm_run(t->tpm.tpm, t->active, t->buf, t->len, answered, t);
}

static uint32_t burst(const struct tis *t)
{
    return t->phase == COMPLETION ? t->len - t->at : t->phase == READY || t->phase == RECEPTION ? TPM_BUFFER - t->len : 0;
}

static uint32_t sts_read(const struct tis *t)
{
    uint32_t v = S_VALID | S_SELF_TEST | burst(t) << 8 | (tpm_is_2(t->tpm.tpm) ? S_FAMILY_2 : 0);

    return v | (t->phase == READY ? S_READY : 0) | (expects(t) ? S_EXPECT : 0) | (t->phase == COMPLETION && t->at < t->len ? S_AVAIL : 0);
}

static void sts_write(struct tis *t, uint32_t v)
{
    if (v & S_CANCEL && t->phase == EXECUTION)
        tpm_cancel(t->tpm.tpm);
    if (v & S_READY) {
        abort_command(t);
        if (t->phase != EXECUTION)
            t->phase = READY;
    } else if (v & S_GO) {
        go(t);
    } else if (v & S_RETRY && t->phase == COMPLETION) {
        t->at = 0;
    }
}

static void fifo_write(struct tis *t, uint8_t v)
{
    if (t->phase == READY) {
        t->phase = RECEPTION;
        t->len = 0;
    }
    if (expects(t))
        t->buf[t->len++] = v;
}

static uint8_t fifo_read(struct tis *t, bool debug)
{
    if (t->phase != COMPLETION || t->at >= t->len)
        return 0xff;
    return t->buf[debug ? t->at : t->at++];
}

/* --- Registers ------------------------------------------------------------------------------ */

static uint32_t reg_read(struct tis *t, unsigned loc, unsigned reg)
{
    enum { CAP_STATIC_NOT = 0, CAP_64_BYTES = 3 << 9, CAP_VERSION_2 = 3 << 28, CAP_VERSION_12 = 2 << 28 };
    bool two = tpm_is_2(t->tpm.tpm);

    switch (reg) {
    case ACCESS: return access_read(t, loc);
    case INTF_CAPABILITY: return CAP_64_BYTES | (two ? CAP_VERSION_2 : CAP_VERSION_12);
    case STS: return t->active == loc ? sts_read(t) : 0xffffffff;
    case INTERFACE_ID: return two ? 0 | 1 << 8 /* five localities */ | 3 << 11 | 1 << 13 : 0xffffffff;
    case DID_VID: return 0x00011014;
    case RID: return 1;
    default: return 0;
    }
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct tis *t = opaque;
    unsigned loc = off >> 12, reg = off & 0xfff;
    uint32_t v = 0;

    if (reg >= DATA_FIFO && reg < DATA_FIFO + 4u && t->active == loc)
        return fifo_read(t, a.debug);
    if (reg >= XDATA_FIFO && reg < XDATA_FIFO + 64u && t->active == loc)
        return fifo_read(t, a.debug);
    v = reg_read(t, loc, reg & ~3u);
    return v >> 8 * (reg & 3);
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct tis *t = opaque;
    unsigned loc = off >> 12, reg = off & 0xfff;

    if (reg == ACCESS)
        access_write(t, loc, v);
    if (t->active != loc)
        return;
    if (reg == STS || reg == STS + 3)
        sts_write(t, v << 8 * (reg - STS));
    else if ((reg >= DATA_FIFO && reg < DATA_FIFO + 4u) || (reg >= XDATA_FIFO && reg < XDATA_FIFO + 64u))
        fifo_write(t, v);
}

/* Registers are bytes here: a FIFO takes as many as an access has. */
static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 1, .unaligned = true};

static void reset(struct dev *d)
{
    struct tis *t = tis_of(d);

    t->active = NONE;
    t->requests = t->seized = 0;
    t->phase = IDLE;
    t->len = t->at = 0;
    tpm_dev_reset(&t->tpm, TPM_BUFFER);
}

static int init(struct dev *d, struct err *e)
{
    return tpm_dev_init(tpm_of(d), "tpm-tis-mmio", SIZE, &ops, e);
}

/* What a command would have answered stays with the TPM; the guest sees a failure it can try again after. */
static int loaded(struct dev *d, int version, struct err *e)
{
    struct tis *t = tis_of(d);

    if (t->phase > COMPLETION || t->len > TPM_BUFFER || t->at > t->len || (t->active >= LOCALITIES && t->active != NONE))
        return err_set(e, -EILSEQ, "phase %u, %u of %u bytes make no sense", t->phase, t->at, t->len);
    t->requests &= (1 << LOCALITIES) - 1;
    if (t->phase == EXECUTION)
        t->phase = IDLE;
    return 0;
}

static const struct field props[] = {
    TPM_FIELDS(tis, tpm),
    FIELD_END,
};

static const struct state state[] = {
    STATE(tis, active, S_U8, 1, "locality"),
    STATE(tis, requests, S_U8, 1, NULL),
    STATE(tis, seized, S_U8, 1, NULL),
    STATE(tis, phase, S_U8, 1, "0 idle ... 4 completion"),
    STATE(tis, len, S_U32, 1, "bytes in the buffer"),
    STATE(tis, at, S_U32, 1, "of which have been read"),
    STATE(tis, buf, S_U8, 1, NULL),
    STATE_END,
};

const struct dev_type dev_tpm_tis = {
    .name = "tpm-tis",
    .help = "TPM with FIFO interface",
    .class = DEV_MISC,
    .bus = "isa",
    .size = sizeof(struct tis),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = tpm_dev_fini,
    .loaded = loaded,
};
