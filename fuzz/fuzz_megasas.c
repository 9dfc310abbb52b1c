/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The megasas controllers with a disk: registers, frames of commands, their lists.  The first byte chooses which one. */
#include "fuzz/pci.h"

#include "block/drive.h"
#include "block/env.h"

int fuzz_one(const uint8_t *data, size_t len);

enum { DISK = 1 << 16, FRAME = FUZZ_RAM + 0x1000 };

/* A frame: bytes of the input change one that makes sense. */
static void frame(struct fuzz_pci *f, unsigned bar, const uint8_t *p)
{
    static const uint8_t cmds[] = {4, 4, 4, 5, 5, 0, 6, 3};
    static const uint32_t opcodes[] = {0x02010100, 0x01010000, 0x01040500, 0x03010000, 0x01040100};
    uint8_t cmd = cmds[p[1] & 7];

    fuzz_store(f, FRAME, cmd | 18 << 8, 4);
    fuzz_store(f, FRAME + 4, (p[2] & 1) | 10 << 16 | (uint32_t)(p[2] >> 4) << 24, 4);
    fuzz_store(f, FRAME + 16, p[3] & 0x3f, 2);
    fuzz_store(f, FRAME + 24, cmd == 5 ? opcodes[p[4] % 5] : FUZZ_RAM + 0x2000, 8);
    fuzz_store(f, FRAME + 32, cmd == 6 ? FRAME : get_le32(p + 4), 4);
    fuzz_store(f, FRAME + 36, p[6] << 8, 4);
    for (unsigned i = 0; i < 4; i++) {
        fuzz_store(f, FRAME + (cmd == 5 ? 40 : 48) + 8 * i, FUZZ_RAM + 0x8000 + (p[7] << 4), 4);
        fuzz_store(f, FRAME + (cmd == 5 ? 44 : 52) + 8 * i, p[5] << (p[2] & 0xc), 4);
    }
    fuzz_store(f, fuzz_bar(0, bar) + 0x40, FRAME | 1, 4);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static uint8_t bytes[DISK];
    static struct blk_env *env;
    struct drive disk = {.id = "d0"};
    struct fuzz_pci f;
    bool two = len && data[0] & 0x80;

    if (!env)
        env = blk_env_new(NULL, NULL);
    fuzz_pci_begin(&f);
    disk.blk = blk_open_bytes(env, "raw", bytes, DISK, BLK_RDWR, ERR_IGNORE);
    machine_add_backend(f.m, "drive", "d0", &disk, ERR_IGNORE);
    fuzz_pci_add(&f, two ? "megasas-gen2" : "megasas", "a", "addr=1", 1 << 15);
    if (!dev_add(f.m, "scsi-hd", NULL, "drive=d0", ERR_IGNORE))
        abort();
    fuzz_pci_enable(&f);
    fuzz_store(&f, FUZZ_RAM + 0x2004, 129, 4);
    fuzz_store(&f, FUZZ_RAM + 0x2008, FUZZ_RAM + 0x3000, 4);
    fuzz_store(&f, FUZZ_RAM + 0x2010, FUZZ_RAM + 0x2100, 4);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++, data += 8, len -= 8)
        (data[0] & 8) ? frame(&f, two, data) : fuzz_pci_record(&f, data);
    fuzz_pci_end(&f);
    if (disk.blk)
        blk_close(disk.blk, ERR_IGNORE);
    return 0;
}
