/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SMBus host controller (smbus.h).  A transfer is over when it has been started. */
#include "dev/pc/smbus.h"

#include "schema/state.h"

#include <errno.h>
#include <string.h>

/* Registers: HST_STS, HST_CNT, HST_CMD, XMIT_SLVA, HST_D0, HST_D1, HOST_BLOCK_DB, AUX_CTL. */
enum { STS = 0, CNT = 2, CMD = 3, ADDR = 4, D0 = 5, D1 = 6, BLOCK = 7, AUX = 13, REGS = 64 };
enum { STS_BUSY = 1, STS_INTR = 2, STS_ERROR = 4, STS_BUS = 8, STS_FAILED = 16, STS_BYTE = 128 };
enum { STS_CLEARED = STS_INTR | STS_ERROR | STS_BUS | STS_FAILED | STS_BYTE };
enum { CNT_INTREN = 1, CNT_KILL = 2, CNT_PROTOCOL = 0x1c, CNT_START = 0x40 };
enum { QUICK, BYTE, BYTE_DATA, WORD_DATA, PROCESS_CALL, BLOCK_DATA };
enum { AUX_BLOCK_BUFFER = 2 };

const struct state smbus_state[] = {
    STATE(smbus, status, S_U8, 1, "HST_STS"),       STATE(smbus, control, S_U8, 1, "HST_CNT"),
    STATE(smbus, command, S_U8, 1, "HST_CMD"),      STATE(smbus, address, S_U8, 1, "XMIT_SLVA"),
    STATE(smbus, data0, S_U8, 1, "HST_D0"),         STATE(smbus, data1, S_U8, 1, "HST_D1"),
    STATE(smbus, aux, S_U8, 1, "AUX_CTL"),          STATE(smbus, block, S_U8, 1, "block buffer"),
    STATE(smbus, block_at, S_U8, 1, "next of it"),  STATE(smbus, block_len, S_U8, 1, "how many are valid"),
    STATE_END,
};

static struct dev *find(struct smbus *b, uint8_t address)
{
    for (struct dev *d = b->bus.devs; d; d = d->next_on_bus)
        if (((struct smbus_dev *)d)->address == address)
            return d;
    return NULL;
}

static void update(struct smbus *b)
{
    irq_set(&b->irq, b->control & CNT_INTREN && b->status & STS_CLEARED);
}

static int transfer_block(struct smbus *b, struct dev *d, const struct smbus_type *t, bool read)
{
    int r;

    if (!read) {
        b->block_len = b->data0 < sizeof(b->block) ? b->data0 : sizeof(b->block);
        return t->write(d, b->command, b->block, b->block_len);
    }
    r = t->read(d, b->command, b->block, sizeof(b->block));
    b->block_len = r < 0 ? 0 : sizeof(b->block);
    b->data0 = b->block_len;
    return r;
}

static int transfer(struct smbus *b, struct dev *d, unsigned protocol)
{
    const struct smbus_type *t = d->type->class_ops;
    bool read = b->address & 1;
    uint8_t data[2] = {b->data0, b->data1};
    unsigned len = protocol == QUICK ? 0 : protocol == BYTE_DATA ? 1 : 2;
    int r;

    if (protocol == BLOCK_DATA)
        return transfer_block(b, d, t, read);
    if (protocol == BYTE && !read)
        return t->write(d, b->command, NULL, 0);
    if (protocol == BYTE) {
        r = t->receive(d);
        b->data0 = r < 0 ? b->data0 : r;
        return r;
    }
    r = read || protocol == PROCESS_CALL ? t->read(d, b->command, data, len)
                                         : t->write(d, b->command, data, len);
    if (r >= 0 && read && len > 0)
        b->data0 = data[0];
    if (r >= 0 && read && len > 1)
        b->data1 = data[1];
    return r;
}

static void start(struct smbus *b)
{
    struct dev *d = find(b, b->address >> 1);
    unsigned protocol = (b->control & CNT_PROTOCOL) >> 2;

    b->block_at = 0;
    if (!d || protocol > BLOCK_DATA || transfer(b, d, protocol) < 0)
        b->status |= STS_ERROR;
    else
        b->status |= STS_INTR;
}

static uint8_t block_read(struct smbus *b)
{
    uint8_t v = b->block[b->block_at % sizeof(b->block)];

    b->block_at = (b->block_at + 1) % sizeof(b->block);
    return v;
}

/* Reading HST_CNT begins the block buffer anew (ICH9 18.2.2). */
static uint64_t reg_read(void *opaque, paddr off, struct access a)
{
    struct smbus *b = opaque;

    switch (off) {
    case STS: return b->status;
    case CNT:
        if (!a.debug)
            b->block_at = 0;
        return b->control;
    case CMD: return b->command;
    case ADDR: return b->address;
    case D0: return b->data0;
    case D1: return b->data1;
    case BLOCK: return a.debug ? 0 : block_read(b);
    case AUX: return b->aux;
    }
    return 0;
}

static void reg_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct smbus *b = opaque;

    switch (off) {
    case STS: b->status &= ~(v & STS_CLEARED); break;
    case CNT:
        b->control = v & ~CNT_START & ~CNT_KILL;
        if (v & CNT_KILL)
            b->status |= STS_FAILED;
        else if (v & CNT_START)
            start(b);
        break;
    case CMD: b->command = v; break;
    case ADDR: b->address = v; break;
    case D0: b->data0 = v; break;
    case D1: b->data1 = v; break;
    case BLOCK:
        b->block[b->block_at % sizeof(b->block)] = v;
        b->block_at = (b->block_at + 1) % sizeof(b->block);
        break;
    case AUX: b->aux = v & 3; break;
    }
    update(b);
}

static const struct mmio_ops reg_ops = {reg_read, reg_write, 1, 1};

static int plug(struct bus *bus, struct dev *d, struct err *e)
{
    const struct smbus_dev *s = (struct smbus_dev *)d;

    if (s->address > 0x7f)
        return err_set(e, -EINVAL, "address=%#llx: want 0 to 0x7f", (unsigned long long)s->address);
    return 0;
}

void smbus_init(struct smbus *b, struct dev *owner)
{
    mem_init_mmio(&b->regs, "pm-smbus", REGS, &reg_ops, b);
    b->bus.kind = "i2c";
    b->bus.plug = plug;
    bus_add(owner, &b->bus, "i2c");
}

void smbus_reset(struct smbus *b)
{
    b->status = b->control = b->command = b->address = b->data0 = b->data1 = b->aux = 0;
    b->block_at = b->block_len = 0;
    memset(b->block, 0, sizeof(b->block));
    update(b);
}

void smbus_loaded(struct smbus *b)
{
    update(b);
}

/* --- A memory module's description ---------------------------------------------------------- */

struct smbus_eeprom {
    struct smbus_dev smbus;
    uint8_t bytes[256];
    uint8_t at; /* next byte when none is named */
};

void smbus_eeprom_set(struct dev *d, const uint8_t bytes[256])
{
    memcpy(((struct smbus_eeprom *)d)->bytes, bytes, 256);
}

static int eeprom_read(struct dev *d, uint8_t command, uint8_t *buf, unsigned len)
{
    struct smbus_eeprom *p = (struct smbus_eeprom *)d;

    p->at = command;
    for (unsigned i = 0; i < len; i++)
        buf[i] = p->bytes[p->at++];
    return 0;
}

/* It is write-protected, as modules are: a write sets the address only. */
static int eeprom_write(struct dev *d, uint8_t command, const uint8_t *buf, unsigned len)
{
    ((struct smbus_eeprom *)d)->at = command;
    return 0;
}

static int eeprom_receive(struct dev *d)
{
    struct smbus_eeprom *p = (struct smbus_eeprom *)d;

    return p->bytes[p->at++];
}

static int eeprom_init(struct dev *d, struct err *e)
{
    return 0;
}

static const struct field eeprom_props[] = {
    FIELD(smbus_dev, address, F_U64, "address", "0x50", "on the bus, 7 bits"),
    FIELD_END,
};

static const struct state eeprom_state[] = {
    STATE(smbus_eeprom, at, S_U8, 1, "next byte"),
    STATE_END,
};

static const struct smbus_type eeprom_ops = {eeprom_read, eeprom_write, eeprom_receive};

const struct dev_type dev_smbus_eeprom = {
    .name = "smbus-eeprom",
    .help = "serial memory with a memory module's description",
    .class = DEV_BOARD,
    .bus = "i2c",
    .size = sizeof(struct smbus_eeprom),
    .props = eeprom_props,
    .state = eeprom_state,
    .state_version = 1,
    .init = eeprom_init,
    .class_ops = &eeprom_ops,
};
