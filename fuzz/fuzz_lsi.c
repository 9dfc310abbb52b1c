/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LSI53C895A with a disk: registers, and SCRIPTS that the input writes. */
#include "fuzz/pci.h"

#include "block/drive.h"
#include "block/env.h"

int fuzz_one(const uint8_t *data, size_t len);

enum { DISK = 1 << 16, CODE = FUZZ_RAM + 0x1000, AREA = FUZZ_RAM + 0x2000, CODES = 64, BAR_MEM = 1, DSA = 0x10, DSP = 0x2c, MOST_NS = 1000000 };

/* The next instruction: bytes of the input change one that makes sense. */
static void instruction(struct fuzz_pci *f, unsigned *n, const uint8_t *p)
{
    static const uint32_t ops[] = {0x41000000, 0x0e000001, 0x0a00000a, 0x19000000, 0x08000200, 0x0b000001, 0x0f000001, 0x60000040,
                                   0x48000000, 0x80080000, 0x98080000, 0xc0000010, 0xe1340004, 0x7e340100, 0x50000000, 0x09000200};
    uint32_t at = CODE + 8 * (*n)++ % (8 * CODES), op = ops[p[1] & 15];

    fuzz_store(f, at, op ^ (p[1] & 0x80 ? get_le16(p + 2) : p[2] & 0x1f), 4);
    fuzz_store(f, at + 4, p[1] & 0x40 ? get_le32(p + 4) : op >> 30 == 2 ? CODE + 8u * (p[3] % CODES) : AREA + p[4] * 16u, 4);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static uint8_t bytes[DISK];
    static struct blk_env *env;
    struct drive disk = {.id = "d0"};
    struct fuzz_pci f;
    unsigned codes = 0;

    if (!env)
        env = blk_env_new(NULL, NULL);
    fuzz_pci_begin(&f);
    disk.blk = blk_open_bytes(env, "raw", bytes, DISK, BLK_RDWR, ERR_IGNORE);
    machine_add_backend(f.m, "drive", "d0", &disk, ERR_IGNORE);
    fuzz_pci_add(&f, "lsi53c895a", "a", "addr=1", 1 << 15);
    if (!dev_add(f.m, "scsi-hd", NULL, "drive=d0", ERR_IGNORE))
        abort();
    fuzz_pci_enable(&f);
    fuzz_store(&f, fuzz_bar(0, BAR_MEM) + DSA, AREA, 4);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++, data += 8, len -= 8) {
        switch (data[0] >> 3 & 3) {
        case 0:
            if ((data[0] & 7) == 7)
                clock_step(f.m, get_le32(data + 4) % MOST_NS);
            else
                fuzz_pci_record(&f, data);
            break;
        case 1: fuzz_store(&f, fuzz_bar(0, BAR_MEM) + DSP, CODE + 8 * (data[1] % CODES), 4); break;
        case 2: fuzz_store(&f, AREA + data[1] * 4u, get_le32(data + 4), 4); break;
        case 3: instruction(&f, &codes, data); break;
        }
    }
    fuzz_pci_end(&f);
    if (disk.blk)
        blk_close(disk.blk, ERR_IGNORE);
    return 0;
}
