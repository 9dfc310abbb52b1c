/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: IDE channels of a PIIX with a disk and a CD drive.  Records of four bytes: what, register, value.  Besides ports: the
 * table of regions, packets, waiting for the thread, saving and loading.
 */
#include "fuzz/pci.h"

#include "block/drive.h"
#include "block/env.h"
#include "dev/isa/isa.h"

int fuzz_one(const uint8_t *data, size_t len);

enum { DISK = 1 << 19, TABLE = 0x1000, BM = FUZZ_IO + 0x400 };

static struct drive drives[2];
static uint8_t bytes[2][DISK];

static void begin(struct fuzz_pci *f)
{
    static struct blk_env *env;

    if (!env)
        env = blk_env_new(NULL, NULL);
    for (unsigned i = 0; i < 2; i++) {
        drives[i] = (struct drive){.id = i ? "d1" : "d0", .cdrom = i};
        drives[i].blk = blk_open_bytes(env, "raw", bytes[i], DISK, i ? 0 : BLK_RDWR, ERR_IGNORE);
        machine_add_backend(f->m, "drive", drives[i].id, &drives[i], ERR_IGNORE);
    }
    if (!dev_add(f->m, "isabus-bridge", NULL, NULL, ERR_IGNORE))
        abort();
    fuzz_pci_add(f, "piix3-ide", NULL, "addr=1", 1 << 15);
    if (!dev_add(f->m, "ide-hd", NULL, "bus=ide.0,drive=d0", ERR_IGNORE) ||
        !dev_add(f->m, "ide-cd", NULL, "bus=ide.1,drive=d1", ERR_IGNORE))
        bug("no drives");
    fuzz_pci_enable(f);
}

static void out(struct fuzz_pci *f, unsigned port, uint32_t v, unsigned size)
{
    space_store(machine_io_space(f->m), port, v, (struct access){.who = BUS_CPU(0), .size = (uint8_t)size});
}

static uint32_t in(struct fuzz_pci *f, unsigned port, unsigned size)
{
    uint64_t v = 0;

    space_load(machine_io_space(f->m), port, &v, (struct access){.who = BUS_CPU(0), .size = (uint8_t)size});
    return (uint32_t)v;
}

static void move(struct fuzz_pci *f, unsigned base, unsigned n, bool write)
{
    for (unsigned i = 0; i < n; i++)
        write ? out(f, base, i * 0x01010101, 4) : (void)in(f, base, 4);
}

/* As long as a command is in work, for a while. */
static void wait(struct fuzz_pci *f, unsigned base)
{
    for (unsigned i = 0; i < 100 && in(f, base + 0x206, 1) & 0x80; i++) {
        machine_unlock(f->m);
        sched_yield();
        machine_lock(f->m);
    }
}

static void packet(struct fuzz_pci *f, unsigned base, const uint8_t *p)
{
    static const uint8_t ops[] = {0x28, 0xa8, 0xbe, 0x12, 0x5a, 0x55, 0x43, 0x25, 0x46, 0x1b, 0x03, 0x00};
    uint8_t cdb[12] = {p[1] & 128 ? p[1] : ops[p[1] % ARRAY_LEN(ops)], 0, 0, 0, 0, p[2], 0, 0, p[3], p[2]};

    out(f, base + 7, 0xa0, 1);
    for (unsigned i = 0; i < 12; i += 4)
        out(f, base, get_le32(cdb + i), 4);
}

static void save_load(struct fuzz_pci *f)
{
    struct err e = {0};
    uint8_t *buf;
    size_t len;

    if (machine_save(f->m, &buf, &len, &e) < 0 || machine_load(f->m, buf, len, &e) < 0)
        bug("what was saved is refused: %s", e.msg);
    free(buf);
}

static void record(struct fuzz_pci *f, const uint8_t *p)
{
    unsigned base = p[0] & 16 ? 0x170 : 0x1f0;

    switch (p[0] & 15) {
    default: out(f, base + (p[1] & 7), get_le16(p + 2), p[0] & 32 ? 2 : 1); break;
    case 5: in(f, base + (p[1] & 7), p[0] & 32 ? 4 : 1); break;
    case 6: out(f, base + 0x206, p[2], 1); break;
    case 7: fuzz_store(f, BM + (p[1] & 15), get_le16(p + 2), p[0] & 32 ? 4 : 1); break;
    case 8: put_le32(f->ram->host + TABLE + (p[1] & 31) * 4, p[0] & 64 ? FUZZ_RAM + get_le16(p + 2) : get_le16(p + 2) | (uint32_t)p[0] << 24); break;
    case 9: fuzz_store(f, BM + (p[1] & 8) + 4, FUZZ_RAM + TABLE, 4); break;
    case 10: packet(f, base, p); break;
    case 11: move(f, base, get_le16(p + 2) % 1024, p[1] & 1); break;
    case 12: wait(f, base); break;
    case 13: p[1] == 0xff ? machine_reset(f->m) : p[1] < 32 ? save_load(f) : (void)fuzz_load(f, BM + (p[1] & 15), 1); break;
    }
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct fuzz_pci f;

    fuzz_pci_begin(&f);
    begin(&f);
    for (unsigned n = 0; n < 600 && len >= 4; n++, data += 4, len -= 4)
        record(&f, data);
    save_load(&f);
    fuzz_pci_end(&f);
    for (unsigned i = 0; i < 2; i++)
        if (drives[i].blk)
            blk_close(drives[i].blk, ERR_IGNORE);
    return 0;
}
