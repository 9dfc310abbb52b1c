/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the devices on the ISA bus of a PC.  Records of four bytes: what (read, write, time, interrupt acknowledge), port
 * (the low bits choose one of those that something answers at), value.  At the end the machine is saved and loaded.
 */
#include "fuzz/machine.h"

#include "base/bytes.h"
#include "dev/backends.h"
#include "block/drive.h"
#include "block/env.h"
#include "dev/intc/i8259.h"
#include "dev/isa/isa.h"

static const uint16_t ports[] = {
    0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x70, 0x71, 0x60, 0x64,
    0x92,  0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x378, 0x379, 0x37a, 0x00, 0x04,
    0x05, 0x08, 0x0a, 0x0b, 0x0c, 0x0e, 0x0f, 0xc0, 0xd4, 0x80, 0x81,
    0x3f2, 0x3f4, 0x3f5, 0x3f7, 0x3f5, 0x3f5, 0x441, 0x443, 0x300, 0x301, 0x302, 0x303, 0x307, 0x308, 0x309,
    0x30a, 0x30b, 0x30c, 0x30f, 0x310, 0x31f,
};

static const char *const types[][2] = {
    {"isa-i8259"}, {"isa-pit"}, {"mc146818rtc"}, {"i8042"}, {"port92"}, {"i8257"},
    {"isa-serial", "chardev=c0"}, {"isa-parallel", "chardev=c1"},
    {"ib700"}, {"ne2k_isa", "mac=52:54:00:12:34:56"}, {"isa-fdc"}, {"floppy", "drive=f0"},
};

struct box {
    struct machine *m;
    struct mem ram;
    struct dev *pic;
    struct isa_bus *isa;
    struct chr *chr[2];
    struct drive disk;
};

enum { DISK = 1440 * 1024 };

static void make(struct box *b)
{
    static uint8_t bytes[DISK];
    static struct blk_env *env;

    memset(b, 0, sizeof(*b));
    b->m = fuzz_machine(&b->ram);
    machine_lock(b->m);
    dev_add(b->m, "isabus-bridge", NULL, NULL, ERR_IGNORE);
    b->isa = isa_bus(b->m);
    if (!env)
        env = blk_env_new(NULL, NULL);
    b->disk = (struct drive){.id = "f0"};
    b->disk.blk = blk_open_bytes(env, "raw", bytes, DISK, BLK_RDWR, ERR_IGNORE);
    machine_add_backend(b->m, "drive", "f0", &b->disk, ERR_IGNORE);
    for (unsigned i = 0; i < 2; i++) {
        b->chr[i] = chr_memory();
        machine_add_backend(b->m, "chardev", i ? "c1" : "c0", b->chr[i], ERR_IGNORE);
    }
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        struct dev *d = dev_add(b->m, types[i][0], NULL, types[i][1], ERR_IGNORE);

        if (!d)
            abort();
        b->pic = b->pic ? b->pic : d;
        if (i == 1 || i == 2)
            irq_connect(&d->irq[0], i8259_in(b->pic, i == 1 ? 0 : 8));
        if (i == 3) {
            irq_connect(&d->irq[0], isa_irq(b->isa, 1));
            irq_connect(&d->irq[1], isa_irq(b->isa, 12));
        }
    }
    for (unsigned i = 0; i < ISA_IRQS; i++)
        if (i != 0 && i != 2 && i != 8)
            irq_connect(&b->isa->irq[i].out, i8259_in(b->pic, i));
    machine_reset(b->m);
}

static void save_load(struct machine *m)
{
    struct err e = {0};
    uint8_t *buf;
    size_t len;

    if (machine_save(m, &buf, &len, &e) < 0 || machine_load(m, buf, len, &e) < 0)
        bug("what was saved is refused: %s", e.msg);
    free(buf);
}

/* Somebody types, or moves the mouse. */
static void happen(struct box *b, const uint8_t *p)
{
    struct input *in = machine_input(b->m);

    if (p[0] & 32) {
        chr_memory_input(b->chr[0], p + 1, 3);
        return;
    }
    if (p[0] & 8) {
        input_key(in, (enum key)(p[1] % KEY_NUM), p[2] & 1);
        return;
    }
    input_rel(in, (int8_t)p[1] * (p[0] & 16 ? 1 : 1000), (int8_t)p[2]);
    input_button(in, (enum pointer_button)(p[3] >> 1) % BUTTON_NUM, p[3] & 1);
    input_sync(in);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct box b;

    if (len > 8192)
        return 0;
    make(&b);
    for (; len >= 4; data += 4, len -= 4) {
        struct access a = {.who = BUS_CPU(0), .size = (uint8_t)(1u << (data[0] >> 4 & 1))};
        uint16_t port = ports[data[1] % ARRAY_LEN(ports)];
        uint64_t v = get_le16(data + 2);

        switch (data[0] & 7) {
        case 0:
        case 1: space_load(machine_io_space(b.m), port, &v, a); break;
        case 2: clock_step(b.m, (int64_t)v * (data[0] & 8 ? 1000000 : 500)); break;
        case 3: i8259_ack(b.pic); break;
        case 4: data[1] == 0xff ? machine_reset(b.m) : save_load(b.m); break;
        case 7: happen(&b, data); break;
        default: space_store(machine_io_space(b.m), port, v, a); break;
        }
    }
    save_load(b.m);
    machine_unlock(b.m);
    machine_free(b.m);
    chr_close(b.chr[0]);
    chr_close(b.chr[1]);
    if (b.disk.blk)
        blk_close(b.disk.blk, ERR_IGNORE);
    return 0;
}
