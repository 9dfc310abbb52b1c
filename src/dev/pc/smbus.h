/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBus: the host controller's registers, the same in PIIX4 and ICH9, and the bus ("i2c") that devices plug into.
 * Sources: Intel 82371AB data sheet 7.3.5 (SMBus I/O space); ICH9 data sheet 18.2; SMBus Specification 2.0, 5.5.
 */
#ifndef DEV_PC_SMBUS_H
#define DEV_PC_SMBUS_H

#include "bus/dev.h"
#include "bus/machine.h"

/** struct smbus_type - class_ops of a device on the bus; its structure begins with struct smbus_dev.  Constant. */
struct smbus_type {
    /** read - @len bytes from @command on; -1: it does not answer.  write - the same.  @len 0: quick command. */
    int (*read)(struct dev *d, uint8_t command, uint8_t *buf, unsigned len);
    int (*write)(struct dev *d, uint8_t command, const uint8_t *buf, unsigned len);
    int (*receive)(struct dev *d); /* the next byte, or -1 */
};

struct smbus_dev {
    struct dev dev;
    uint64_t address; /* property, 7 bits */
};

/** struct smbus - embedded in its owner. */
struct smbus {
    struct bus bus;
    uint8_t status, control, command, address, data0, data1, aux, block_at, block_len;
    uint8_t block[32];
    struct irq_line irq; /* at the end of a transfer, if asked for */
    struct mem regs;     /* 64 ports: the bridge maps them */
};
void smbus_init(struct smbus *b, struct dev *owner);
void smbus_reset(struct smbus *b);
void smbus_loaded(struct smbus *b);

extern const struct state smbus_state[];
#define SMBUS_STATE(type, m)                                                                       \
    {                                                                                              \
        .name = #m, .kind = S_STRUCT, .offset = offsetof(struct type, m), .n = 1,                  \
        .elem = sizeof(struct smbus), .since = 1, .table = smbus_state                             \
    }

/** smbus_eeprom_set - the 256 bytes that "smbus-eeprom" @d holds. */
void smbus_eeprom_set(struct dev *d, const uint8_t bytes[256]);

#endif
