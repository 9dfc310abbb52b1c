/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller: registers, commands, PRPs and SGLs.  Queues are there; records of kind 7 are commands. */
#include "fuzz/pci.h"

#include "block/drive.h"
#include "block/env.h"

int fuzz_one(const uint8_t *data, size_t len);

enum { DISK = 1 << 20, ASQ = 0x1000, ACQ = 0x2000, SQ = 0x3000, CQ = 0x4000, ENTRIES = 32 };

static unsigned tail[2];

static void reg(struct fuzz_pci *f, unsigned off, uint64_t v, unsigned size)
{
    fuzz_store(f, fuzz_bar(0, 0) + off, v, size);
}

/* A command of @len bytes of data, the rest zeros. */
static void submit(struct fuzz_pci *f, unsigned q, const uint8_t *data, size_t len)
{
    uint8_t e[64] = {0};

    memcpy(e, data, len < sizeof(e) ? len : sizeof(e));
    memcpy(f->ram->host + (q ? SQ : ASQ) + 64 * tail[q], e, sizeof(e));
    tail[q] = (tail[q] + 1) % ENTRIES;
    reg(f, 0x1000 + 8 * q, tail[q], 4);
}

static void begin(struct fuzz_pci *f, struct drive *d)
{
    static const uint8_t create_cq[64] = {
        5, 0, 1, 0, [25] = CQ >> 8, [27] = 0x40, [40] = 1, [42] = ENTRIES - 1, [44] = 3};
    static const uint8_t create_sq[64] = {
        1, 0, 1, 0, [25] = SQ >> 8, [27] = 0x40, [40] = 1, [42] = ENTRIES - 1, [44] = 1, [46] = 1};

    fuzz_pci_begin(f);
    machine_add_backend(f->m, "drive", "d0", d, ERR_IGNORE);
    fuzz_pci_add(f, "nvme", "n", "addr=1,serial=s,drive=d0", 1 << 15);
    fuzz_pci_enable(f);
    reg(f, 0x24, (ENTRIES - 1) << 16 | (ENTRIES - 1), 4);
    reg(f, 0x28, FUZZ_RAM + ASQ, 8);
    reg(f, 0x30, FUZZ_RAM + ACQ, 8);
    reg(f, 0x14, 0x00460001, 4);
    tail[0] = tail[1] = 0;
    submit(f, 0, create_cq, 64);
    submit(f, 0, create_sq, 64);
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
            used = len < 66 ? len : 66;
            submit(&f, data[1] & 1, data + 2, used - 2);
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
