/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What memory modules say of themselves on the SMBus (addresses 50h to 57h). Source: JEDEC Standard 21-C, 4.1.2.5 (SPD for SDRAM). */
#include "board/pc.h"

#include "schema/keyval.h"

#include <stdio.h>

enum { MODULES = 8, FIRST = 0x50, SPD_LEN = 256, BANK_MAX = 512, BANK_MIN = 4 /* MiB */ };

/* PC133, 168 pins, one or two banks of rows, without parity. */
static const uint8_t sdram[64] = {
    128, 8, 4, 12, 10, 1, 64, 0, 1, 0x75, 0x54, 0, 0x82, 8, 0, 1, 0x8f, 4, 4, 1, 1, 0, 0x0e, 0xa0, 0x60, 0, 0, 20, 15, 20, 45, 0, 0x15, 0x08, 0x15, 0x08,
    [62] = 0x12};

/* Its banks together have @mib MiB, a power of two from 4 to 1024. */
static void describe(uint8_t spd[SPD_LEN], unsigned mib)
{
    unsigned bank = mib > BANK_MAX ? BANK_MAX : mib;
    uint8_t sum = 0;

    memset(spd, 0, SPD_LEN);
    memcpy(spd, sdram, sizeof(sdram));
    spd[5] = mib / bank;
    spd[31] = bank / BANK_MIN;
    for (unsigned i = 0; i < 63; i++)
        sum += spd[i];
    spd[63] = sum;
}

/* Modules as large as there are, until all of the memory is in them or the slots are full; the other slots are empty. */
int pc_add_modules(struct pc *p, struct err *e)
{
    uint64_t left = p->c->ram / MiB;
    uint8_t spd[SPD_LEN];

    for (unsigned i = 0; i < MODULES && left >= BANK_MIN; i++) {
        unsigned mib = 2 * BANK_MAX;
        char props[32];
        struct dev *d;

        while (mib > left)
            mib /= 2;
        left -= mib;
        snprintf(props, sizeof(props), "address=%u", FIRST + i);
        if (!(d = dev_new(p->m, "smbus-eeprom", NULL, &p->smbus->bus, keyval_parse(props, NULL, e), e)))
            return e->code;
        describe(spd, mib);
        smbus_eeprom_set(d, spd);
    }
    return 0;
}
