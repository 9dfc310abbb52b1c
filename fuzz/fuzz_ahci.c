/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AHCI controller with a disk: registers, command lists and tables.  Records of kind 7 are commands. */
#include "fuzz/pci.h"

#include "block/drive.h"
#include "block/env.h"

int fuzz_one(const uint8_t *data, size_t len);

enum { DISK = 1 << 20, LIST = 0x1000, FIS = 0x2000, TABLES = 0x3000, DATA = 0x10000, PORT = 0x100 };

static void reg(struct fuzz_pci *f, unsigned off, uint32_t v)
{
    fuzz_store(f, fuzz_bar(0, 5) + off, v, 4);
}

static void begin(struct fuzz_pci *f, struct drive *d)
{
    fuzz_pci_begin(f);
    machine_add_backend(f->m, "drive", "d0", d, ERR_IGNORE);
    fuzz_pci_add(f, "ich9-ahci", "a", "addr=1", 1 << 15);
    if (!dev_add(f->m, "ide-hd", NULL, "bus=a.0,drive=d0", ERR_IGNORE))
        bug("no disk");
    if (!dev_add(f->m, "ide-cd", NULL, "bus=a.1", ERR_IGNORE))
        bug("no CD drive");
    fuzz_pci_enable(f);
    for (unsigned at = PORT; at <= PORT + 0x80; at += 0x80) {
        reg(f, at, FUZZ_RAM + LIST);
        reg(f, at + 8, FUZZ_RAM + FIS);
        reg(f, at + 0x18, 0x17);
        reg(f, at + 0x14, UINT32_MAX);
    }
    reg(f, 4, 2);
}

/* Slot, length of the table's one entry, and the FIS. */
static void command(struct fuzz_pci *f, const uint8_t *p, size_t len)
{
    unsigned slot = p[0] & 0x1f;
    uint8_t *h = f->ram->host + LIST + 32 * slot, *t = f->ram->host + TABLES + 0x100 * slot;

    memset(t, 0, 0x100);
    t[0] = 0x27;
    t[1] = p[0] & 0x80 ? 0 : 0x80;
    memcpy(t + 2, p + 2, len - 2 < 18 ? len - 2 : 18);
    memcpy(t + 0x40, t + 8, 12); /* a packet for the drive behind the second port */
    put_le64(t + 0x80, FUZZ_RAM + DATA);
    put_le32(t + 0x8c, p[1] * 512 + 511);
    put_le32(h, 5 | 1 << 16);
    put_le64(h + 8, FUZZ_RAM + TABLES + 0x100 * slot);
    if (p[0] & 0x40)
        reg(f, PORT + 0x34, 1u << slot);
    reg(f, PORT + (p[2] == 0xa0 ? 0x80 : 0) + 0x38, 1u << slot);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static uint8_t disk[DISK];
    static struct blk_env *env;
    struct drive d = {.id = "d0"};
    struct fuzz_pci f;

    if (!env)
        env = blk_env_new(NULL, NULL);
    d.blk = blk_open_bytes(env, "raw", disk, DISK, BLK_RDWR, ERR_IGNORE);
    begin(&f, &d);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++) {
        size_t used = FUZZ_RECORD;

        if ((data[0] & 7) == 7 && data[0] & 8) {
            used = len < 21 ? len : 21;
            command(&f, data + 1, used - 1);
        } else {
            fuzz_pci_record(&f, data);
        }
        data += used;
        len -= used;
    }
    fuzz_pci_end(&f);
    blk_close(d.blk, ERR_IGNORE);
    return 0;
}
