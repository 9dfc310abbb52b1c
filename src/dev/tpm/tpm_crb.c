/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "tpm-crb": a TPM 2.0 with the command response buffer interface, at FED40000h.
 * Source: TCG PC Client Platform TPM Profile 1.05, 6.4 (CRB interface).
 */
#include "base/bytes.h"
#include "bus/machine.h"
#include "dev/tpm/tpm.h"

#include <errno.h>

enum { LOC_STATE = 0x00, LOC_CTRL = 0x08, LOC_STS = 0x0c, INTF_ID = 0x30, CTRL_REQ = 0x40, CTRL_STS = 0x44, CTRL_CANCEL = 0x48, CTRL_START = 0x4c,
       CMD_SIZE = 0x58, CMD_LADDR = 0x5c, RSP_SIZE = 0x64, RSP_ADDR = 0x68, DATA = 0x80, SIZE = 0x1000, BUFFER = SIZE - DATA };
enum { STATE_ESTABLISHED_NOT = 1, STATE_ASSIGNED = 2, STATE_VALID = 0x80, CTRL_REQUEST = 1, CTRL_RELINQUISH = 2, STS_GRANTED = 1 };
enum { REQ_READY = 1, REQ_IDLE = 2, STS_IDLE = 2 };

struct crb {
    struct tpm_dev tpm;
    bool assigned, idle, started;
    uint8_t buf[TPM_BUFFER]; /* of which the guest sees BUFFER */
};

static struct crb *crb_of(struct dev *d)
{
    return (struct crb *)d;
}

static void answered(void *opaque, size_t n)
{
    ((struct crb *)opaque)->started = false;
}

static void start(struct crb *c)
{
    uint32_t len = get_be32(c->buf + 2);

    if (!c->assigned || c->started)
        return;
    c->idle = false; /* SeaBIOS does not ask it to leave that state first */
    if (len < TPM_HEADER || len > BUFFER)
        len = TPM_HEADER; /* the TPM will say what it thinks of it */
    c->started = true;
    tpm_run(c->tpm.tpm, 0, c->buf, len, answered, c);
}

static uint32_t reg_read(const struct crb *c, unsigned reg)
{
    /* CRB, version 1, one locality, transfers of 64 bytes; revision 1. */
    enum { ID_LOW = 1 | 1 << 4 | 3 << 11 | 1 << 14 | 1 << 17 | 1 << 24, ID_HIGH = 0x00011014 };

    switch (reg) {
    case LOC_STATE: return STATE_VALID | STATE_ESTABLISHED_NOT | (c->assigned ? STATE_ASSIGNED : 0);
    case LOC_STS: return c->assigned ? STS_GRANTED : 0;
    case INTF_ID: return ID_LOW;
    case INTF_ID + 4: return ID_HIGH;
    case CTRL_STS: return c->idle ? STS_IDLE : 0;
    case CTRL_START: return c->started;
    case CMD_SIZE:
    case RSP_SIZE: return BUFFER;
    case CMD_LADDR:
    case RSP_ADDR: return TPM_BASE + DATA;
    default: return 0;
    }
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    const struct crb *c = opaque;
    uint32_t v;

    if (off < DATA)
        return reg_read(c, off & ~3u) >> 8 * (off & 3);
    memcpy(&v, c->buf + off - DATA, min_u64(sizeof(v), SIZE - off));
    return a.size < 4 ? v & ((1u << 8 * a.size) - 1) : v;
}

static void reg_write(struct crb *c, unsigned reg, uint32_t v)
{
    switch (reg) {
    case LOC_CTRL:
        c->assigned = v & CTRL_REQUEST ? true : v & CTRL_RELINQUISH ? false : c->assigned;
        break;
    case CTRL_REQ: /* done at once, so it reads 0 */
        if (v & REQ_READY)
            c->idle = false;
        else if (v & REQ_IDLE && !c->started)
            c->idle = true;
        break;
    case CTRL_CANCEL:
        if (v & 1)
            tpm_cancel(c->tpm.tpm);
        break;
    case CTRL_START:
        if (v & 1)
            start(c);
        break;
    }
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct crb *c = opaque;
    uint8_t le[8];

    put_le64(le, v);
    if (off < DATA)
        reg_write(c, off, v);
    else if (!c->started) /* the buffer is the TPM's while it works */
        memcpy(c->buf + off - DATA, le, min_u64(a.size, SIZE - off));
}

static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 4};

static void reset(struct dev *d)
{
    struct crb *c = crb_of(d);

    c->assigned = c->started = false;
    c->idle = true;
    memset(c->buf, 0, sizeof(c->buf));
    tpm_dev_reset(&c->tpm, BUFFER);
}

static int init(struct dev *d, struct err *e)
{
    int r = tpm_dev_init(tpm_of(d), "tpm-crb-mmio", SIZE, &ops, e);

    if (r < 0 || tpm_is_2(tpm_of(d)->tpm))
        return r;
    tpm_dev_fini(d);
    return err_set(e, -EINVAL, "tpm-crb needs a TPM 2.0: this back end is one of 1.2");
}

/* A command that was under way is not: its answer stays with the TPM. */
static int loaded(struct dev *d, int version, struct err *e)
{
    crb_of(d)->started = false;
    return 0;
}

static const struct field props[] = {
    TPM_FIELDS(crb, tpm),
    FIELD_END,
};

static const struct state state[] = {
    STATE(crb, assigned, S_BOOL, 1, "the locality is granted"),
    STATE(crb, idle, S_BOOL, 1, NULL),
    STATE(crb, started, S_BOOL, 1, NULL),
    STATE(crb, buf, S_U8, 1, NULL),
    STATE_END,
};

const struct dev_type dev_tpm_crb = {
    .name = "tpm-crb",
    .help = "TPM 2.0 with command response buffer",
    .class = DEV_MISC,
    .size = sizeof(struct crb),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = tpm_dev_fini,
    .loaded = loaded,
};
