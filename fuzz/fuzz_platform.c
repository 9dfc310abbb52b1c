/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of Arm boards: the input is what a guest and the world do to a serial port, a clock, pins, a flash and
 * fw_cfg, eight bytes at a time: accesses to registers, typing, breaks, edges, time, memory for DMA.
 */
#include "base/bytes.h"
#include "bus/machine.h"
#include "dev/devices.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/gpio/gpio_key.h"
#include "dev/gpio/pl061.h"
#include "ui/chr.h"

#include <stdlib.h>

enum { RAM = 0x40000000, RAM_SIZE = 1 << 16, REGS = 0x10000000, N_DEVS = 5 };

int fuzz_one(const uint8_t *data, size_t len);

static const char *const types[N_DEVS][2] = {
    {"pl011", "chardev=c0"},
    {"pl031", NULL},
    {"pl061", NULL},
    {"fw_cfg_mem", "x-file-slots=3"},
    {"cfi.pflash01", "num-blocks=4,sector-length=4k,width=4,device-width=2,id0=137,id1=24"},
};

struct box {
    struct machine *m;
    struct dev *dev[N_DEVS], *key;
    struct chr *chr;
    struct ram *ram;
    struct mem ram_mem;
};

static void written(void *opaque)
{
}

static void make(struct box *b)
{
    uint8_t *bytes;
    struct err e = {0};

    memset(b, 0, sizeof(*b));
    b->m = machine_new(dev_types(), NULL);
    machine_lock(b->m);
    b->ram = ram_new(b->m, "ram", RAM_SIZE, &e);
    b->chr = chr_memory();
    machine_add_backend(b->m, "chardev", "c0", b->chr, &e);
    mem_init_ram(&b->ram_mem, "ram", b->ram, 0, RAM_SIZE);
    mem_add(machine_mem(b->m), RAM, &b->ram_mem, 0);
    for (unsigned i = 0; i < N_DEVS; i++) {
        if (!(b->dev[i] = dev_add(b->m, types[i][0], NULL, types[i][1], &e)))
            abort();
        mem_add(machine_mem(b->m), REGS + i * 0x100000, &b->dev[i]->mmio, 0);
    }
    b->key = dev_add(b->m, "gpio-key", NULL, NULL, &e);
    irq_connect(&b->key->irq[0], pl061_in(b->dev[2], 3));
    fw_cfg_set_file(b->dev[3], "etc/a", "0123456789", 10, &e);
    fw_cfg_add_writable(b->dev[3], "etc/w", "0123456789", 10, written, NULL, &bytes, &e);
    machine_reset(b->m);
}

/* Offsets and values that mean something are as likely as others. */
static void access(struct box *b, const uint8_t *p)
{
    static const uint16_t words[] = {0xff, 0x40, 0x20, 0xd0, 0xe8, 0x60, 0x01, 0x98, 0x90, 0x70, 0x50, 0x10};
    unsigned n = p[1] % N_DEVS, size = 1u << (p[1] >> 4 & 3);
    struct access a = {.who = BUS_CPU(0), .size = size, .debug = p[0] & 32};
    uint64_t v = get_le32(p + 4);
    paddr off = get_le16(p + 2);

    if (n < 3)
        off = p[1] & 128 ? off & 0x7c : off;
    if (n == 3)
        off %= 24;
    if (n == 4 && p[1] & 128)
        v = words[p[4] % ARRAY_LEN(words)] * 0x10001u;
    if (n == 3 && p[1] & 128)
        v = __builtin_bswap32(p[4] & 1 ? RAM + (p[5] & 63) * 16 : REGS + 3 * 0x100000 + p[5] % 24);
    off = off / size * size % b->dev[n]->mmio.size;
    if (p[0] & 16)
        space_load(machine_space(b->m), REGS + n * 0x100000 + off, &v, a);
    else
        space_store(machine_space(b->m), REGS + n * 0x100000 + off, v, a);
}

/* A structure of fw_cfg's DMA. */
static void descriptor(struct box *b, const uint8_t *p)
{
    uint8_t *d = b->ram->host + (p[1] & 63) * 16;

    put_be32(d, (p[2] & 0x3f) << 16 | (p[3] & 31));
    put_be32(d + 4, p[4] & 128 ? get_le16(p + 4) : p[4]);
    put_be64(d + 8, p[5] & 1 ? REGS + 3 * 0x100000 + p[6] % 24 : RAM + get_le16(p + 6));
}

static void save_load(struct box *b)
{
    uint8_t *one, *two;
    size_t n1, n2;

    if (machine_save(b->m, &one, &n1, ERR_IGNORE) < 0)
        abort();
    if (machine_load(b->m, one, n1, ERR_IGNORE) < 0 ||
        machine_save(b->m, &two, &n2, ERR_IGNORE) < 0 || n1 != n2 || memcmp(one, two, n1))
        abort();
    free(one);
    free(two);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct box b;

    make(&b);
    for (; len >= 8; data += 8, len -= 8) {
        struct irq_in pin = pl061_in(b.dev[2], data[1]);

        switch (data[0] & 7) {
        case 0: chr_memory_input(b.chr, data + 2, data[1] % 6); break;
        case 1: pin.set(pin.opaque, pin.n, data[2] & 1); break;
        case 2: clock_step(b.m, get_le32(data + 4) * INT64_C(1000)); break;
        case 3: descriptor(&b, data); break;
        case 4: gpio_key_press(b.key); break;
        default: access(&b, data); break;
        }
    }
    save_load(&b);
    machine_unlock(b.m);
    machine_free(b.m);
    chr_close(b.chr);
    return 0;
}
